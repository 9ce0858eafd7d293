package policy

import "slices"

// Syscalls decides system calls. For each call the first rule that fits
// decides; a document's rules come before those of the documents it extends.
//
// A call that no rule decides gets ENOSYS when it is newer than the baseline or
// unknown, so that libraries fall back, and Otherwise when it is known.
type Syscalls struct {
	// Otherwise is for known calls that no rule decides; unset means EPERM.
	Otherwise Setting[Action] `yaml:"otherwise"`
	// Foreign is for calls of another architecture's numbering, such as i386
	// calls of an amd64 program; unset means kill.
	Foreign Setting[Action] `yaml:"foreign"`
	// Architectures adds numberings, decided by the same rules, to the
	// target's own: i386 and x32 beside amd64, arm beside arm64.
	Architectures []Name `yaml:"architectures"`
	Rules         []Rule `yaml:"rules"`
}

// Rule decides some calls.
type Rule struct {
	Then Action `yaml:"then"`
	// Calls are names of calls, or "@group" for a group of groups.yaml. A call
	// newer than the baseline is decided only by a rule that names it itself.
	// A '?' before a name, here or under if and unless, excuses one that this
	// callgate does not know.
	Calls []Name `yaml:"calls"`
	// When are conditions on arguments; all must hold.
	When []Condition `yaml:"when"`
	// If drops the rule unless all of it holds for the target.
	If Requirement `yaml:"if"`
	// Unless drops the rule if any of it holds for the target.
	Unless Requirement `yaml:"unless"`
	// Comment is for whoever reads the rule.
	Comment string `yaml:"comment"`
	At      Origin `yaml:"-"`
}

// Refuses reports whether a rule that was written at a place refuses its calls.
func (p *Policy) Refuses(at Origin) bool {
	return slices.ContainsFunc(p.Syscalls.Rules, func(r Rule) bool { return r.At == at && !r.Then.Lets() })
}

// Condition compares one argument of a call. Exactly one comparison is given.
type Condition struct {
	// Arg is the argument's name as the kernel declares it (package abi), the
	// last word of that (flags for clone's clone_flags), or its index from 0.
	Arg     Name      `yaml:"arg"`
	Mask    Operand   `yaml:"mask"` // with equals: (argument & mask) == value
	Equals  Operand   `yaml:"equals"`
	Not     Operand   `yaml:"not"`
	Below   Operand   `yaml:"below"`
	AtMost  Operand   `yaml:"at-most"`
	Above   Operand   `yaml:"above"`
	AtLeast Operand   `yaml:"at-least"`
	In      []Operand `yaml:"in"`
	Between []Operand `yaml:"between"` // low and high, both inside
	Bits    int       `yaml:"bits"`    // 32 or 64; 0 means the argument's own width
	Signed  bool      `yaml:"signed"`  // order comparisons are of signed numbers
	At      Origin    `yaml:"-"`
}

// Operand is a number in Go's syntax, a constant's name ("AF_UNIX"), or several
// of them joined with '|'. Constants differ between architectures, so the text
// is kept until a filter is built.
type Operand string

// Requirement asks something of the target. The zero Requirement asks nothing.
type Requirement struct {
	Capabilities  []Name  `yaml:"capabilities"`  // granted by the policy: all for if, any for unless
	Architectures []Name  `yaml:"architectures"` // the numbering is one of these
	Machines      []Name  `yaml:"machines"`      // the machine's own architecture is one of these, whatever the numbering
	Kernel        Version `yaml:"kernel"`        // the kernel is at least this new
	At            Origin  `yaml:"-"`
}

// Version is a kernel version without its patch level, such as 6.1. The zero
// Version is none.
type Version struct {
	Major, Minor int
	At           Origin
}
