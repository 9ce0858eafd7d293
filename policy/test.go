package policy

import (
	"fmt"
	"slices"
	"strconv"
)

// Test is a question with the answer the author expects. Tests run without the
// program and without a kernel.
type Test struct {
	Call  string  `yaml:"call"`
	Path  string  `yaml:"path"`  // for calls on files
	Host  string  `yaml:"host"`  // for connect and sendto: a name or an address
	Port  Operand `yaml:"port"`  // for connect, bind and sendto
	Flags Operand `yaml:"flags"` // short for args: {flags: …}
	Args  []Arg   `yaml:"args"`
	// Then is "allow", "kill" or an errno's name: what the program would see.
	Then Action `yaml:"then"`
	At   Origin `yaml:"-"`
}

// Arg is the value of one argument, by name or index; those left out are zero.
type Arg struct {
	Name  string
	Value Operand
	At    Origin
}

// Result is the outcome of one test.
type Result struct {
	Test   Test
	Answer Answer
	Err    error // the test could not be asked
}

// Passed reports whether the answer is the expected one. An allowed call that
// is logged passes as allowed.
func (r *Result) Passed() bool {
	if r.Err != nil {
		return false
	}
	return r.Answer.Action == r.Test.Then || r.Answer.Action.Lets() && r.Test.Then.Lets()
}

// String returns "mail.yaml:31: openat /etc/shadow O_RDWR: EACCES; want allow (mail.yaml:12: …)".
func (r *Result) String() string {
	head := fmt.Sprintf("%s: %s", r.Test.At, r.Test.ask())
	switch {
	case r.Err != nil:
		return fmt.Sprintf("%s: %v", head, r.Err)
	case r.Passed():
		return fmt.Sprintf("%s: %s", head, r.Answer.Action)
	}
	why := r.Answer.Reason
	if r.Answer.At != (Origin{}) {
		why = r.Answer.At.String() + ": " + why
	}
	return fmt.Sprintf("%s: %s; want %s (%s)", head, r.Answer.Action, r.Test.Then, why)
}

// RunTests asks the policy's tests. The error is the policy's own, of
// [Policy.Filter]; a failed test is no error.
func (p *Policy) RunTests(t Target) ([]Result, error) {
	j, err := p.Judge(t)
	if err != nil {
		return nil, err
	}
	results := make([]Result, len(p.Tests))
	for i, test := range p.Tests {
		results[i].Test = test
		q, err := test.question()
		if err == nil {
			results[i].Answer, err = j.Decide(q)
		}
		results[i].Err = err
	}
	return results, nil
}

// question returns what the test asks.
func (t *Test) question() (Question, error) {
	q := Question{Call: t.Call, Path: t.Path, Host: t.Host, Args: slices.Clone(t.Args)}
	if t.Flags != "" {
		q.Args = append(q.Args, Arg{Name: "flags", Value: t.Flags, At: t.At})
	}
	if t.Port != "" {
		port, err := strconv.ParseUint(string(t.Port), 10, 16)
		if err != nil {
			return q, fmt.Errorf("%q is not a port: write a number from 0 to 65535", t.Port)
		}
		q.Port = int(port)
	}
	return q, nil
}

// ask returns the question as [ParseQuestion] reads it.
func (t *Test) ask() string {
	text := t.Call
	if t.Path != "" {
		text += " " + t.Path
	}
	if t.Port != "" {
		text += " " + bracket(t.Host) + ":" + string(t.Port)
	}
	if t.Flags != "" {
		text += " " + string(t.Flags)
	}
	for _, a := range t.Args {
		text += " " + a.Name + "=" + string(a.Value)
	}
	return text
}
