package probe

import "github.com/callgate/callgate/internal/sys"

// The namespaces, each tried by making one, together with a user namespace
// where this user has not the power to do without.
var (
	UserNamespaces = &Feature{
		Name: "user namespaces", Group: Namespaces, Since: "Linux 3.8",
		For:   "gives an ordinary user the power to build every other wall",
		Lost:  "an ordinary user's run has limits, capabilities, Landlock and the filter for walls, and no other",
		Probe: probeUserNamespaces, Cure: cureUserNamespaces,
	}
	MountNamespaces = &Feature{
		Name: "mount namespaces", Group: Namespaces, Full: true,
		For:   "a root, /tmp and /dev of the program's own; hidden folders",
		Lost:  "the program sees the machine's files, and Landlock alone refuses them; a policy that protects a part of a writable folder is refused",
		Probe: func() Finding { return inside(sys.NewMounts, mountTmpfs) }, Cure: cureNamespace,
	}
	PivotRoot = &Feature{
		Name: "pivot_root", Group: Namespaces, Full: true,
		For:   "exchanges the machine's root for the program's own",
		Lost:  "no root of the program's own, as without mount namespaces",
		Probe: func() Finding { return inside(sys.NewMounts, pivot) }, Cure: curePivot,
	}
	PidNamespaces = &Feature{
		Name: "pid namespaces", Group: Namespaces, Full: true,
		For:   "the program sees and signals its own processes only, and leaves none behind",
		Lost:  "other processes can be seen, and signalled where Landlock is older than ABI 6; what the program started goes on if callgate itself is killed",
		Probe: func() Finding { return inside(sys.NewPids, nil) }, Cure: cureNamespace,
	}
	NetworkNamespaces = &Feature{
		Name: "network namespaces", Group: Namespaces, Full: true,
		For:   "a program without network meets no interface at all",
		Lost:  "the filter refuses all internet sockets, so the program can't connect to itself either",
		Probe: func() Finding { return inside(sys.NewNetwork, (*sys.Script).LoopbackUp) }, Cure: cureNamespace,
	}
	LinkPairs = &Feature{
		Name: "pairs of links", Group: Namespaces,
		For:   "a network of the program's own that leads to what --net lists, and published ports",
		Lost:  "runs with such a network are refused",
		Probe: func() Finding { return inside(sys.NewNetwork, (*sys.Script).LinkPair) }, Cure: cureNamespace,
	}
	IPCNamespaces = &Feature{
		Name: "ipc namespaces", Group: Namespaces, Full: true,
		For:   "System V and POSIX queues, semaphores and shared memory of the program's own",
		Lost:  "System V queues, semaphores and shared memory of others can be reached where their permissions allow",
		Probe: func() Finding { return inside(sys.NewIPC, nil) }, Cure: cureNamespace,
	}
	UTSNamespaces = &Feature{
		Name: "uts namespaces", Group: Namespaces, Full: true,
		For:   "a host name that tells nothing",
		Lost:  "the program sees the real host name",
		Probe: func() Finding { return inside(sys.NewUTS, func(s *sys.Script) { s.Hostname("probe") }) }, Cure: cureUTS,
	}
	CgroupNamespaces = &Feature{
		Name: "cgroup namespaces", Group: Namespaces, Since: "Linux 4.6",
		For:   "hides where in the tree of control groups the program runs",
		Lost:  "the program sees its group's path",
		Probe: func() Finding { return inside(sys.NewCgroup, nil) }, Cure: cureNamespace,
	}
	ReadOnlyMounts = &Feature{
		Name: "read-only mounts", Group: Namespaces, Since: "Linux 5.12", Full: true,
		For:   "shows system files to the program without letting it change them",
		Lost:  "no root of the program's own, as without mount namespaces; where those work, a run is refused unless the wall \"mount\" is optional",
		Probe: func() Finding { return inside(sys.NewMounts, mountReadOnly) }, Cure: cureNamespace,
	}
	OwnProc = &Feature{
		Name: "own /proc", Group: Namespaces, Full: true,
		For:   "a /proc that shows the program its own processes only",
		Lost:  "where the policy has a /proc it is the machine's: it shows the command lines of all processes",
		Probe: func() Finding { return inside(sys.NewMounts|sys.NewPids, mountProc) }, Cure: cureProc,
	}
	Overlay = &Feature{
		Name: "overlay mounts", Group: Namespaces, Since: "Linux 5.11",
		For:   "tells whether the program's root could be a throw-away copy; callgate run does not need it",
		Lost:  "nothing",
		Probe: func() Finding { return inside(sys.NewMounts, mountOverlay) }, Cure: cureNamespace,
	}
)

// inside makes the namespaces and takes some steps in them.
func inside(flags uintptr, steps func(*sys.Script)) Finding {
	if !Here().Privileged {
		flags |= sys.NewUser
	}
	return found(sys.Try(flags, steps))
}

// probeUserNamespaces mounts in the new namespace, since Ubuntu's AppArmor
// allows to make one and then takes its powers away, and forbids further ones
// as callgate run does, which a container's read-only /proc/sys refuses.
func probeUserNamespaces() Finding {
	return found(sys.Try(sys.NewUser|sys.NewMounts, func(s *sys.Script) {
		s.WriteFile("/proc/sys/user/max_user_namespaces", "0")
		mountTmpfs(s)
	}))
}

// The mounts below go onto /proc because it is there everywhere.

func mountTmpfs(s *sys.Script) { s.MountFilesystem("tmpfs", "/proc", 0, "") }

func pivot(s *sys.Script) {
	mountTmpfs(s)
	s.Chdir("/proc")
	s.PivotHere()
}

func mountProc(s *sys.Script) { s.MountFilesystem("proc", "/proc", 0, "") }

func mountDevpts(s *sys.Script) {
	s.MountFilesystem("devpts", "/proc", 0, "newinstance,ptmxmode=0666")
}

func mountReadOnly(s *sys.Script) {
	folder := s.OpenPath(sys.Here, "/proc")
	root := s.OpenPath(sys.Here, "/")
	tree := s.CloneTree(root, "/")
	s.SetMount(tree, sys.MountReadOnly|sys.MountNoSuid|sys.MountNoDev, "/")
	s.Attach(tree, folder, "/proc")
}

func mountOverlay(s *sys.Script) {
	mountTmpfs(s)
	for _, folder := range []string{"/proc/lower", "/proc/upper", "/proc/work", "/proc/all"} {
		s.Mkdir(sys.Here, folder, 0o755)
	}
	s.MountFilesystem("overlay", "/proc/all", 0, "lowerdir=/proc/lower,upperdir=/proc/upper,workdir=/proc/work,userxattr")
}
