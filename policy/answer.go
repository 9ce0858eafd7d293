package policy

// Question asks what would become of one call.
type Question struct {
	Call string // the call's name
	Args []Arg  // arguments by name or index; those left out are zero
	Path string // the file, for calls on files
	Port int    // the TCP port, for connect and bind; 0 when not asked
}

// Answer is what the program would see of the call, and why.
type Answer struct {
	Action Action // allow, kill, an errno …: the outcome of all walls together
	Wall   string // what decided: "seccomp", "files", "network" or "landlock"
	Reason string // one line, without the origin
	At     Origin // the line that decided; zero when nothing was written about the call
	Cure   string // the smallest change that would allow the call, as YAML; empty when it is allowed
}
