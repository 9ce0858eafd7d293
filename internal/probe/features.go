package probe

import "github.com/callgate/callgate/internal/sys"

// All returns this package's features in the order a reader wants them. Other
// packages have features of their own (internal/cgroup).
func All() []*Feature {
	return []*Feature{
		NoNewPrivs, AmbientCapabilities, OpenTree, MountSetattr, Openat2, CloseRange, Clone3, PidfdOpen, PidfdGetfd, PidfdWait,
		UserNamespaces, MountNamespaces, PivotRoot, PidNamespaces, NetworkNamespaces, LinkPairs, IPCNamespaces, UTSNamespaces, CgroupNamespaces,
		ReadOnlyMounts, OwnProc, Overlay,
		SeccompFilter, SeccompActions, SeccompNotify, KillableWait,
		LandlockRules,
		OwnTerminals, NoTIOCSTI,
	}
}

// The calls of the kernel that callgate is built on.
var (
	NoNewPrivs = &Feature{
		Name: "no_new_privs", Group: Kernel, Since: "Linux 3.5", Full: true,
		For:   "keeps setuid programs from giving privileges back",
		Lost:  "callgate run starts nothing without it",
		Probe: func() Finding { return found(sys.HasNoNewPrivs()) },
	}
	AmbientCapabilities = &Feature{
		Name: "ambient capabilities", Group: Kernel, Since: "Linux 4.3",
		For:   "lets a program that is not root keep a granted capability",
		Lost:  "granted capabilities are lost at execve",
		Probe: func() Finding { return found(sys.HasAmbientCapabilities()) },
	}
	OpenTree = &Feature{
		Name: "open_tree", Group: Kernel, Since: "Linux 5.2", Full: true,
		For:   "builds the new root from clones of mounts",
		Lost:  "no root of the program's own: a run is refused, unless the wall \"mount\" is optional; Landlock alone refuses files then",
		Probe: func() Finding { return found(sys.HasOpenTree()) },
	}
	MountSetattr = &Feature{
		Name: "mount_setattr", Group: Kernel, Since: "Linux 5.12", Full: true,
		For:   "makes a whole tree of mounts read-only at once",
		Lost:  "mounts below a read-only one would stay writable: a run is refused, unless the wall \"mount\" is optional",
		Probe: func() Finding { return found(sys.HasMountSetattr()) },
	}
	Openat2 = &Feature{
		Name: "openat2", Group: Kernel, Since: "Linux 5.6", Full: true,
		For:   "opens paths without following a link put there meanwhile",
		Lost:  "a swapped link could lead mounts and Landlock's rules astray: a run is refused, unless both walls are optional",
		Probe: func() Finding { return found(sys.HasOpenat2()) },
	}
	CloseRange = &Feature{
		Name: "close_range", Group: Kernel, Since: "Linux 5.11", Full: true,
		For:   "closes every descriptor that was not declared",
		Lost:  "callgate run starts nothing: a descriptor could leak into the program",
		Probe: func() Finding { return found(sys.HasCloseRange()) },
	}
	Clone3 = &Feature{
		Name: "clone3", Group: Kernel, Since: "Linux 5.3",
		For:   "tells whether programs may meet it; callgate hides it from them, as its flags lie in memory",
		Lost:  "nothing",
		Probe: func() Finding { return found(sys.HasClone3()) },
	}
	PidfdOpen = &Feature{
		Name: "pidfd_open", Group: Kernel, Since: "Linux 5.3",
		For:   "holds on to a process whose number may be reused",
		Lost:  "decisions by a supervisor about another process's memory",
		Probe: func() Finding { return found(sys.HasPidfdOpen()) },
	}
	PidfdGetfd = &Feature{
		Name: "pidfd_getfd", Group: Kernel, Since: "Linux 5.6",
		For:   "lets a supervisor look at a program's own descriptors",
		Lost:  "decisions about sockets and files already open",
		Probe: func() Finding { return found(sys.HasPidfdGetfd()) },
	}
	PidfdWait = &Feature{
		Name: "waitid on a pidfd", Group: Kernel, Since: "Linux 5.4",
		For:   "waits for exactly one process",
		Lost:  "processes are waited for by number",
		Probe: func() Finding { return found(sys.HasPidfdWait()) },
	}
)
