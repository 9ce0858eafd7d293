package policy

// Environment says which variables the program gets: those that match Keep and
// not Drop, and those of Set.
type Environment struct {
	Keep []Name     `yaml:"keep"` // names; '*' stands for any text
	Drop []Name     `yaml:"drop"` // names never kept, even if Keep matches
	Set  []Variable `yaml:"set"`
}

// Variable is an environment variable.
type Variable struct {
	Name, Value string
	At          Origin
}

// Descriptor is a file descriptor's number, 0 or more.
type Descriptor struct {
	Number int
	Remove bool // written with a leading '-': take it out of what extended documents gave
	At     Origin
}

// Walls says what may be missing where the kernel or the user cannot have it.
// Every other wall that cannot be built is fatal.
type Walls struct {
	Optional []Name `yaml:"optional"` // see WallNames
}
