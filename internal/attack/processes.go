package attack

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"unsafe"

	"golang.org/x/sys/unix"
)

func processes() []Attack {
	return []Attack{
		{"read another's environment", environ},
		{"read through another's root", othersRoot},
		{"read another's open files", othersFiles},
		{"trace", trace},
		{"trace a child", traceChild},
		{"read another's memory", readMemory},
		{"open another's memory", openMemory},
		{"take another's descriptor", takeDescriptor},
		{"signal", func(aim string) error { return unix.Kill(number(aim), unix.SIGTERM) }},
		{"signal a group", func(aim string) error { return unix.Kill(-number(aim), unix.SIGTERM) }},
		{"signal by pidfd", signalPidfd},
		{"change another's limits", changeLimits},
		{"dump core", dumpCore},
	}
}

func number(aim string) int {
	n, err := strconv.Atoi(aim)
	if err != nil {
		panic(err)
	}
	return n
}

// others returns the folders in /proc of all processes but this one.
func others() []string {
	all, _ := filepath.Glob("/proc/[0-9]*")
	var list []string
	for _, folder := range all {
		if folder != "/proc/"+strconv.Itoa(os.Getpid()) {
			list = append(list, folder)
		}
	}
	return list
}

// environ looks for a text in every other process's environment.
func environ(aim string) error {
	for _, folder := range others() {
		if text, err := os.ReadFile(folder + "/environ"); err == nil && bytes.Contains(text, []byte(aim)) {
			return nil
		}
	}
	return ErrNotFound
}

// othersRoot opens the aim through every other process's root and working
// directory.
func othersRoot(aim string) error {
	for _, folder := range others() {
		for _, link := range []string{"/root", "/cwd/../../../../../../../../.."} {
			if read(folder+link+aim) == nil {
				return nil
			}
		}
	}
	return ErrNotFound
}

// othersFiles reopens a file that some other process has open.
func othersFiles(aim string) error {
	for _, folder := range others() {
		links, _ := filepath.Glob(folder + "/fd/*")
		for _, link := range links {
			if path, err := os.Readlink(link); err == nil && path == aim && read(link) == nil {
				return nil
			}
		}
	}
	return ErrNotFound
}

func trace(aim string) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	pid := number(aim)
	if err := unix.PtraceSeize(pid); err != nil {
		return err
	}
	return nil // the kernel lets the process go when this one ends
}

// traceChild traces a process that this one may otherwise do anything to.
func traceChild(string) error {
	child := exec.Command("/bin/sleep", "1000")
	if err := child.Start(); err != nil {
		return err
	}
	defer func() { child.Process.Kill(); child.Wait() }()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	return unix.PtraceSeize(child.Process.Pid)
}

// readMemory copies a byte out of another process: aim is "pid|address".
func readMemory(aim string) error {
	pid, address := split(aim)
	at, err := strconv.ParseUint(address, 0, 64)
	if err != nil {
		return err
	}
	text := make([]byte, 1)
	local := []unix.Iovec{{Base: &text[0], Len: 1}}
	remote := []unix.RemoteIovec{{Base: uintptr(at), Len: 1}}
	_, err = unix.ProcessVMReadv(number(pid), local, remote, 0)
	return err
}

// openMemory opens a process's memory as a file, which the kernel checks like
// tracing it.
func openMemory(aim string) error { return open(fmt.Sprintf("/proc/%s/mem", aim), unix.O_RDWR) }

func takeDescriptor(aim string) error {
	pidfd, err := unix.PidfdOpen(number(aim), 0)
	if err != nil {
		return err
	}
	defer unix.Close(pidfd)
	fd, err := unix.PidfdGetfd(pidfd, 0, 0)
	if err == nil {
		unix.Close(fd)
	}
	return err
}

func signalPidfd(aim string) error {
	pidfd, err := unix.PidfdOpen(number(aim), 0)
	if err != nil {
		return err
	}
	defer unix.Close(pidfd)
	return unix.PidfdSendSignal(pidfd, unix.SIGTERM, nil, 0)
}

// changeLimits lowers the soft limit of core files of another process, which
// had none.
func changeLimits(aim string) error {
	var old unix.Rlimit
	if err := unix.Prlimit(number(aim), unix.RLIMIT_CORE, nil, &old); err != nil {
		return err
	}
	_, err := call(unix.SYS_PRLIMIT64, uintptr(number(aim)), unix.RLIMIT_CORE, uintptr(unsafe.Pointer(&unix.Rlimit{Max: old.Max})), 0)
	return err
}

// dumpCore raises the limit as far as it may and lets a child crash.
func dumpCore(string) error {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_CORE, &limit); err != nil {
		return err
	}
	limit.Cur = limit.Max
	if err := unix.Setrlimit(unix.RLIMIT_CORE, &limit); err != nil {
		return err
	}
	exec.Command("/bin/sh", "-c", "kill -SEGV $$").Run()
	cores, _ := filepath.Glob("core*")
	if len(cores) == 0 {
		return ErrNotFound
	}
	return os.Remove(cores[0])
}
