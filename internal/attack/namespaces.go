package attack

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

func namespaces() []Attack {
	list := []Attack{
		{"enter a namespace", enterNamespace},
		{"clone3 a user namespace", func(string) error { return clone3(unix.CLONE_NEWUSER) }},
		{"clone3 into time", func(string) error { return clone3(unix.CLONE_NEWUSER | unix.CLONE_NEWTIME) }},
	}
	for _, n := range []struct {
		name string
		flag uintptr
	}{
		{"a user namespace", unix.CLONE_NEWUSER},
		{"a mount namespace", unix.CLONE_NEWUSER | unix.CLONE_NEWNS},
		{"a pid namespace", unix.CLONE_NEWUSER | unix.CLONE_NEWPID},
		{"a network namespace", unix.CLONE_NEWUSER | unix.CLONE_NEWNET},
	} {
		list = append(list,
			Attack{"unshare " + n.name, func(string) error { return inChild(0, unix.SYS_UNSHARE, n.flag) }},
			Attack{"clone " + n.name, func(string) error { return inChild(n.flag, unix.SYS_GETPID) }},
		)
	}
	// Bits above the 32 that the kernel looks at must not hide those below.
	return append(list, Attack{"clone with high bits", func(string) error {
		return inChild(1<<32|unix.CLONE_NEWUSER, unix.SYS_GETPID)
	}})
}

// enterNamespace enters the namespace of host names that it is in already.
func enterNamespace(string) error {
	pidfd, err := unix.PidfdOpen(unix.Getpid(), 0)
	if err != nil {
		return err
	}
	defer unix.Close(pidfd)
	return inChild(0, unix.SYS_SETNS, uintptr(pidfd), unix.CLONE_NEWUTS)
}

// cloneArgs is struct clone_args (linux/sched.h), its first version.
type cloneArgs struct {
	flags, pidfd, childTid, parentTid, exitSignal, stack, stackSize, tls uint64
}

// clone3 makes a process; its flags lie in memory, where no filter looks.
func clone3(flags uint64) error {
	args := cloneArgs{flags: flags, exitSignal: uint64(unix.SIGCHLD)}
	pid, errno := rawClone3(&args)
	if errno != 0 {
		return errno
	}
	_, err := unix.Wait4(int(pid), nil, 0, nil)
	return err
}

//go:norace
//go:nosplit
func rawClone3(args *cloneArgs) (pid uintptr, errno syscall.Errno) {
	pid, _, errno = syscall.RawSyscall(unix.SYS_CLONE3, uintptr(unsafe.Pointer(args)), unsafe.Sizeof(*args), 0)
	if errno != 0 || pid != 0 {
		return pid, errno
	}
	for {
		syscall.RawSyscall(unix.SYS_EXIT_GROUP, 0, 0, 0)
	}
}
