package policy

import "github.com/callgate/callgate/internal/digest"

// Mount is one place of the file tree the program sees, resolved for a target.
type Mount struct {
	Path     string // absolute and clean
	Kind     Kind
	Access   Access // what may be done below it
	Optional bool   // skip it when the path is missing
	Digest   Digest // of a file that is shown as a copy with this digest, or zero
	Text     string // Text: what is in it
	At       Origin // the line that asked for it; zero for what is there by default
}

// Kind says what is mounted.
type Kind uint8

var kindWords = [...]string{"invalid", Bind: "bind", Empty: "empty", Tmpfs: "tmpfs", Device: "dev", Proc: "proc", Text: "text"}

// String returns the kind's word.
func (k Kind) String() string { return kindWords[k] }

// String returns "/usr bind r-x" or "/opt bind r-x optional".
func (m Mount) String() string {
	s := m.Path + " " + m.Kind.String() + " " + m.Access.String()
	if !m.Digest.IsZero() {
		s += " " + m.Digest.String()
	}
	if m.Kind == Text {
		s += " " + digest.Sum([]byte(m.Text)).String()
	}
	if m.Optional {
		s += " optional"
	}
	return s
}

// The kinds of mount. The zero kind is invalid.
const (
	Bind   Kind = iota + 1 // the machine's own file or directory
	Empty                  // nothing: a hidden path
	Tmpfs                  // a private, empty, writable tree in memory
	Device                 // a private /dev
	Proc                   // a private /proc
	Text                   // a file with a text of the policy's own
)

// Access is a set of things that may be done with files. The zero Access is
// nothing.
type Access uint8

// The accesses.
const (
	Read Access = 1 << iota
	Write
	Execute
)

// String returns the access as ls writes it: "rw-".
func (a Access) String() string {
	b := []byte("---")
	for i, c := range []byte("rwx") {
		if a&(1<<i) != 0 {
			b[i] = c
		}
	}
	return string(b)
}
