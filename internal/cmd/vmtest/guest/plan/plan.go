// Package plan is what vmtest tells the machine to do, and the lines in which
// the machine answers.
package plan

// Path is the plan's place in the machine, as JSON.
const Path = "/vmtest.json"

// Plan is what one machine does before it powers off.
type Plan struct {
	Jobs []Job
}

// Job is one program to run.
type Job struct {
	Name string // what the report calls it
	Dir  string // working directory
	Args []string
	User bool // as an ordinary user, in a delegated control group, instead of as root
}

// Mark begins the lines of the machine's console that speak of jobs; all others
// are what jobs print:
//
//	MARK start NAME
//	MARK end EXITCODE SECONDS NAME
//	MARK left PID PROGRAM
//	MARK off
//
// left is a process that outlived its job. off says that the plan was done.
const Mark = "#vmtest#"
