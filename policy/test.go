package policy

// Test is a question with the answer the author expects. Tests run without the
// program and without a kernel.
type Test struct {
	Call  string  `yaml:"call"`
	Path  string  `yaml:"path"`  // for calls on files
	Port  Operand `yaml:"port"`  // for connect and bind
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
