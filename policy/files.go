package policy

// Files says which files exist for the program and what it may do with them.
// Nothing else exists. The most specific path decides, and says everything
// about what lies below it: a path listed under exec and again, deeper, under
// ro is not executable down there.
type Files struct {
	ReadOnly  []Path `yaml:"ro"`     // readable
	ReadWrite []Path `yaml:"rw"`     // readable and writable
	Exec      []Path `yaml:"exec"`   // readable, and programs there may be executed
	Hidden    []Path `yaml:"hidden"` // shown empty, even inside the others
	// Digests are programs that are readable and executable as the very bytes with
	// this digest, and not otherwise. The program gets a copy, made before it
	// starts, whatever becomes of the file later.
	Digests []Program `yaml:"digests"`
	// Content are files with a text of the policy's own, readable: each by its path,
	// where the machine has one, too, or none.
	Content []Content `yaml:"content"`
	// ExecOnly, if true, lets nothing be executed but what this document lists under
	// exec and digests: what the documents it extends list under exec is readable,
	// and a private home directory is not executable.
	ExecOnly Setting[bool] `yaml:"exec-only"`
	// Home is what the user's home directory is, but for the paths in it that
	// the lists name: private (the default), host or none. A private one is
	// empty when the program starts, writable, executable, and gone when it
	// ends.
	Home Setting[Place] `yaml:"home"`
	// Tmp is what /tmp and /var/tmp are: private (the default), host or none.
	// A private one is writable, and executable if listed under exec.
	Tmp Setting[Place] `yaml:"tmp"`
	// Dev is what /dev is: private (the default: null, zero, full, random,
	// urandom, tty, shm, pts and the standard streams), host or none.
	Dev Setting[Place] `yaml:"dev"`
	// Proc is what /proc is: private (the default: the program's own
	// processes only) or none.
	Proc Setting[Place] `yaml:"proc"`
}

// Path is a file or a directory with all below it: absolute, or below "~" (the
// user's home directory) or "." (the directory the program starts in). A
// document writes '-' before a path that may be missing. Where there are
// wildcards in it, it is a pattern, and stands for every path that it fits: see
// [Patterns].
type Path struct {
	Text     string // without the '-'
	Optional bool   // may be missing
	Pattern  bool   // has wildcards: *, ? and [a-z] within a name, ** for any folders
	At       Origin
}

// Place says whose home directory, /tmp, /dev or /proc the program sees. The zero Place is
// private.
type Place uint8

// The places.
const (
	Private Place = iota // the program's own, made for it
	Host                 // the machine's
	None                 // there is none
)
