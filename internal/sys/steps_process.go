package sys

import (
	"strconv"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Namespace flags for Start (clone(2)).
const (
	NewUser    uintptr = unix.CLONE_NEWUSER
	NewMounts  uintptr = unix.CLONE_NEWNS
	NewPids    uintptr = unix.CLONE_NEWPID
	NewNetwork uintptr = unix.CLONE_NEWNET
	NewIPC     uintptr = unix.CLONE_NEWIPC
	NewUTS     uintptr = unix.CLONE_NEWUTS
	NewCgroup  uintptr = unix.CLONE_NEWCGROUP
)

// NewCgroupRoot makes the process's cgroups the roots of what it sees of them
// (cgroup_namespaces(7)); a kernel without cgroups has nothing to hide.
func (s *Script) NewCgroupRoot() {
	s.Call("unshare cgroup namespace", "", unix.SYS_UNSHARE, NewCgroup).Tolerate(unix.EINVAL)
}

// Hostname sets the host name of the process's uts namespace.
func (s *Script) Hostname(name string) {
	s.Call("set host name", name, unix.SYS_SETHOSTNAME, name, len(name))
}

// NetworkStep is the text of UnshareNetwork's step.
const NetworkStep = "unshare network namespace"

// UnshareNetwork gives a process a network namespace of its own. The kernel takes
// as long for it as for all other namespaces and mounts together, so it is the
// target that does so, while init makes the root.
func (s *Script) UnshareNetwork() {
	s.Call(NetworkStep, "", unix.SYS_UNSHARE, NewNetwork)
}

// JoinNetwork has init join the target's network namespace: what /proc says of
// init is there for the target to read. Linux 5.8.
func (s *Script) JoinNetwork() {
	s.Await(NetworkMade)
	target := s.Reg()
	s.Call("open the target", "", unix.SYS_PIDFD_OPEN, targetReg, 0).Into(target)
	s.Call("join its network namespace", "", unix.SYS_SETNS, target, NewNetwork)
	s.Close(target)
}

// LoopbackUp brings up lo in the process's network namespace.
func (s *Script) LoopbackUp() {
	request := &struct {
		name  [unix.IFNAMSIZ]byte
		flags uint16
		_     [22]byte
	}{flags: unix.IFF_UP}
	copy(request.name[:], "lo")
	r := s.Reg()
	s.Call("open socket", "", unix.SYS_SOCKET, unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0).Into(r)
	s.Call("bring up lo", "", unix.SYS_IOCTL, r, unix.SIOCSIFFLAGS, PointerTo(request))
	s.Close(r)
}

// JoinCgroup moves the process into the cgroup whose cgroup.procs is open as fd.
func (s *Script) JoinCgroup(fd uintptr, name string) {
	s.Call("join cgroup", name, unix.SYS_WRITE, fd, "0", 1)
}

// NewSession makes the process the leader of a session without a terminal.
func (s *Script) NewSession() {
	s.Call("start session", "", unix.SYS_SETSID)
}

// DieWithParent has the kernel kill the process when its parent ends, which a
// target begins with.
func (s *Script) DieWithParent() {
	s.Call("tie life to parent", "", unix.SYS_PRCTL, unix.PR_SET_PDEATHSIG, int(unix.SIGKILL), 0, 0, 0)
}

// AdoptOrphans makes the process the parent of its descendants' orphans
// (PR_SET_CHILD_SUBREAPER), as pid 1 is in a pid namespace.
func (s *Script) AdoptOrphans() {
	s.Call("adopt orphans", "", unix.SYS_PRCTL, unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
}

// Undumpable closes /proc/pid/mem and the like to processes without
// CAP_SYS_PTRACE.
func (s *Script) Undumpable() {
	s.Call("hide memory", "", unix.SYS_PRCTL, unix.PR_SET_DUMPABLE, 0, 0, 0, 0)
}

// Limit sets a resource limit (setrlimit(2)).
func (s *Script) Limit(resource int, soft, hard uint64) {
	limit := &unix.Rlimit{Cur: soft, Max: hard}
	s.Call("set resource limit", strconv.Itoa(resource), unix.SYS_PRLIMIT64, 0, resource, PointerTo(limit), 0)
}

// CloseOnExec marks every descriptor from first on to be closed by execve.
func (s *Script) CloseOnExec(first int) {
	s.Call("close descriptors on exec", "", unix.SYS_CLOSE_RANGE, first, int(^uint32(0)), unix.CLOSE_RANGE_CLOEXEC)
}

// KeepOpen lets a descriptor survive execve.
func (s *Script) KeepOpen(fd int) {
	s.Call("keep descriptor", strconv.Itoa(fd), unix.SYS_FCNTL, fd, unix.F_SETFD, 0)
}

// Duplicate makes descriptor to a copy of from, which may be a Reg or an int;
// the two may not be equal.
func (s *Script) Duplicate(from any, to int) {
	s.Call("open descriptor", strconv.Itoa(to), unix.SYS_DUP3, from, to, 0)
}

// DropBounding removes a capability from the bounding set for good.
func (s *Script) DropBounding(capability int) {
	s.Call("drop capability", strconv.Itoa(capability), unix.SYS_PRCTL, unix.PR_CAPBSET_DROP, capability, 0, 0, 0)
}

// Root's powers come from capabilities alone once these are set and locked
// (capabilities(7), "The securebits flags").
const secureBits = 1<<0 | 1<<1 | // SECBIT_NOROOT and its lock
	1<<2 | 1<<3 | // SECBIT_NO_SETUID_FIXUP and its lock
	1<<4 // SECBIT_KEEP_CAPS, which execve clears

// NoRootPowers keeps user id 0 from regaining capabilities at execve.
func (s *Script) NoRootPowers() {
	s.Call("set secure bits", "", unix.SYS_PRCTL, unix.PR_SET_SECUREBITS, secureBits, 0, 0, 0)
}

// GroupsStep is the text of DropGroups' step, the first that an ordinary user
// may not take.
const GroupsStep = "drop supplementary groups"

// DropGroups drops the supplementary groups.
func (s *Script) DropGroups() {
	s.Call(GroupsStep, "", unix.SYS_SETGROUPS, 0, 0)
}

// SetUser changes user and group ids and drops supplementary groups.
func (s *Script) SetUser(uid, gid int) {
	s.DropGroups()
	s.Call("set group id", strconv.Itoa(gid), unix.SYS_SETRESGID, gid, gid, gid)
	s.Call("set user id", strconv.Itoa(uid), unix.SYS_SETRESUID, uid, uid, uid)
}

// SetCapabilities leaves exactly these capabilities permitted, effective,
// inheritable and ambient, so that they outlive execve.
func (s *Script) SetCapabilities(capabilities []int) {
	header := &unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	data := &[2]unix.CapUserData{}
	for _, c := range capabilities {
		bit := uint32(1) << (c % 32)
		d := &data[c/32]
		d.Effective, d.Permitted, d.Inheritable = d.Effective|bit, d.Permitted|bit, d.Inheritable|bit
	}
	s.Call("set capabilities", "", unix.SYS_CAPSET, PointerTo(header), PointerTo(data))
	s.Call("clear ambient capabilities", "", unix.SYS_PRCTL, unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0)
	for _, c := range capabilities {
		s.Call("keep capability", strconv.Itoa(c), unix.SYS_PRCTL, unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_RAISE, c, 0, 0)
	}
}

// NoNewPrivileges makes execve grant nothing from now on: no setuid program
// works, and filters and Landlock may be set without privilege.
func (s *Script) NoNewPrivileges() {
	s.Call("set no_new_privs", "", unix.SYS_PRCTL, unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
}

// FilterInstruction is struct sock_filter (linux/filter.h).
type FilterInstruction struct {
	Code   uint16
	Jt, Jf uint8
	K      uint32
}

// Filter installs a seccomp program.
func (s *Script) Filter(program []FilterInstruction) { s.filter(program, 0) }

// Flags of a filter with a listener (seccomp(2)).
const (
	// WaitKillable leaves a call that a receiver has taken waiting through
	// signals that don't kill. Linux 5.19.
	WaitKillable uintptr = unix.SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
)

// Listen installs a seccomp program that may stop calls for a listener, which
// goes through the socket. The very next call may be one that stops: so it is
// init, which shares the target's descriptors until then, that sends it.
// init need not watch out for it where a program never stops execve and
// exit_group, the script's end: execStops is false.
func (s *Script) Listen(program []FilterInstruction, flags uintptr, socket int, execStops bool) {
	s.execStops = execStops
	s.filter(program, flags|unix.SECCOMP_FILTER_FLAG_NEW_LISTENER).Into(listenerReg)
	s.handOver = &Script{}
	const none = ^uint32(0) // a range without descriptors; a filter around callgate may refuse unshare(2)
	s.handOver.Call("unshare descriptors", "", unix.SYS_CLOSE_RANGE, uintptr(none), uintptr(none), unix.CLOSE_RANGE_UNSHARE)
	s.handOver.send(socket, listenerReg, "hand over listener")
}

func (s *Script) filter(program []FilterInstruction, flags uintptr) *Step {
	if len(program) == 0 {
		panic("sys: empty seccomp program")
	}
	header := &struct {
		length  uint16
		program unsafe.Pointer
	}{uint16(len(program)), unsafe.Pointer(&program[0])}
	return s.Call("install filter", "", unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, flags, PointerTo(header))
}

// Exec executes the first of the candidate paths that exists and may be
// executed. It must be the script's end.
func (s *Script) Exec(candidates []string, argv, env []string) {
	args, vars := s.Strings(argv), s.Strings(env)
	for _, path := range candidates {
		step := s.Call("execute", path, unix.SYS_EXECVE, path, args, vars)
		step.Op = OpExec
		if len(candidates) > 1 {
			step.Tolerate(unix.ENOENT, unix.ENOTDIR, unix.EACCES)
		}
	}
}
