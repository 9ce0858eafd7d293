package jail

import (
	"os"
	"time"

	"github.com/callgate/callgate/filter"
	"github.com/callgate/callgate/internal/digest"
)

// Wall names one of the barriers between the target and the machine.
type Wall string

// The walls, in the order they are built.
const (
	Cgroup       Wall = "cgroup" // memory, pids and cpu limits
	User         Wall = "user"   // user namespace, where the caller is not privileged
	Mounts       Wall = "mount"
	Pids         Wall = "pid"
	Network      Wall = "network"
	IPC          Wall = "ipc"
	Hostname     Wall = "uts"
	Limits       Wall = "limits" // rlimits
	Capabilities Wall = "capabilities"
	Landlock     Wall = "landlock"
	TCPPorts     Wall = "ports" // the lists of TCP ports, which Landlock keeps since its ABI 4
	Filter       Wall = "filter"
)

// Walls returns every wall in the order they are built.
func Walls() []Wall {
	return []Wall{Cgroup, User, Mounts, Pids, Network, IPC, Hostname, Limits, Capabilities, Landlock, TCPPorts, Filter}
}

// Access is what the target may do with the files of a mount.
type Access uint8

// The bits of Access. Without any a path is hidden.
const (
	Read Access = 1 << iota
	Write
	Execute
)

// MountKind says where a mount's files come from. The zero kind is invalid.
type MountKind uint8

// The kinds of Mount.
const (
	Bind    MountKind = iota + 1 // the host's files at Source
	Private                      // an empty folder in memory, writable, gone at the end
	Hidden                       // nothing: an empty, unreadable stand-in
	Link                         // a symbolic link with the text Source
	Proc                         // the target's own /proc
	Text                         // a file of its own with the text Source
	Copy                         // a copy of the host's file at Source, if it has the digest
	Dev                          // /dev with the safe nodes, its own terminals and shared memory
)

// Mount is one entry of the target's root.
type Mount struct {
	Kind   MountKind
	Target string // absolute and clean, with no symbolic link in it
	Source string // Bind, Copy: an absolute host path with no symbolic link in it; Link, Text: its text
	Access Access
	Folder bool          // Bind, Hidden: a directory stands there
	digest digest.Digest // Copy: of the file's bytes
	at     string        // Copy, Text: the line of the policy that asks for it, or ""
	own    bool          // Private: the target's alone, as a home directory is, and not everybody's as /tmp
	pin    bool          // a mount point so that it can't be renamed
}

// Limit is one resource limit: setrlimit(2).
type Limit struct {
	Resource   int // RLIMIT_*
	Soft, Hard uint64
}

// Ports are the TCP ports a Landlock rule leaves open; nil leaves all.
type Ports struct {
	Bind, Connect *[]uint16
}

// Spec describes a target and its walls. The zero Spec has every wall and
// grants nothing.
type Spec struct {
	// Late, if not nil, fills in the rest while the kernel makes the
	// namespaces, which takes as long. What Outline sets, Terminal, Full and
	// every descriptor the target is to have must be there before.
	Late func(*Spec) error

	Args  []string // program and arguments; a name without a slash is looked up in Env's PATH
	Env   []string // the whole environment, "NAME=value"
	Dir   string   // working directory inside; must be visible
	From  string   // folder that a relative program path starts from, where it is not Dir
	Umask int      // of the target

	Mounts       []Mount // the root; sorted by Target when the plan is made
	absent       []Absent
	ownDev       bool  // a Dev mount at /dev, most likely
	Memory       int64 // bytes that the private folders may hold together; 0 is the kernel's choice, half of memory
	HostNetwork  bool  // share the host's network namespace
	Ports        Ports
	Relay        *Relay // what the network leads to; nil for nothing
	Hostname     string
	Capabilities []int // CAP_* numbers the target keeps
	UID, GID     int   // run as these; -1 keeps the caller's
	Limits       []Limit
	Procs        []*os.File                                            // cgroup.procs files to join
	Filter       func(present func(Wall) bool) (filter.Program, error) // the program that suits the walls present
	Listener     func(*os.File)                                        // is given the listener of a Filter with notify actions when a call has stopped there, and closes it; nil without
	Unheard      bool                                                  // go on without the Listener, nil then, where the kernel grants none; a signal may then have a stopped call made again

	Stdin, Stdout, Stderr *os.File // nil is /dev/null
	Keep                  []int    // further descriptors of the caller that stay open
	Terminal              bool     // give a new pseudoterminal as standard streams and controlling terminal
	Console               *Console // with Terminal: asks on the caller's terminal; nil asks nothing

	Only     []Wall          // the walls to build; nil builds every one
	Optional []Wall          // walls whose absence is reported, not fatal
	Degraded func([]Missing) // called before each attempt with fewer walls
	Starting func() error    // called in each attempt, when init exists and the target does not yet
	Full     bool            // refuse the fallback for users without namespaces
	Timeout  time.Duration   // end the target after this long; 0 never
}
