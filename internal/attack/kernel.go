package attack

import (
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// kernel are calls into parts of the kernel that hold the machine's secrets or
// have had many faults.
func kernel() []Attack {
	return []Attack{
		{"load a bpf map", func(string) error {
			attr := struct{ kind, key, value, entries, flags uint32 }{unix.BPF_MAP_TYPE_ARRAY, 4, 4, 1, 0}
			return descriptor(call(unix.SYS_BPF, unix.BPF_MAP_CREATE, uintptr(unsafe.Pointer(&attr)), unsafe.Sizeof(attr)))
		}},
		{"count events", func(string) error {
			attr := unix.PerfEventAttr{Type: unix.PERF_TYPE_SOFTWARE, Config: unix.PERF_COUNT_SW_TASK_CLOCK, Bits: unix.PerfBitExcludeKernel | unix.PerfBitExcludeHv}
			attr.Size = uint32(unsafe.Sizeof(attr))
			fd, err := unix.PerfEventOpen(&attr, 0, -1, -1, unix.PERF_FLAG_FD_CLOEXEC)
			return descriptor(uintptr(fd), err)
		}},
		{"handle page faults", func(string) error {
			const userOnly = 1 // UFFD_USER_MODE_ONLY
			return descriptor(call(unix.SYS_USERFAULTFD, unix.O_CLOEXEC|userOnly))
		}},
		{"read a key", readKey},
		{"add a key", func(string) error {
			_, err := unix.AddKey("user", "callgate-attack-added", []byte("x"), unix.KEY_SPEC_PROCESS_KEYRING)
			return err
		}},
		{"read the kernel's log", func(string) error {
			const size = 10 // SYSLOG_ACTION_SIZE_BUFFER, which needs what reading needs
			_, err := call(unix.SYS_SYSLOG, size, 0, 0)
			return err
		}},
		{"read the kernel's messages", func(string) error {
			const readAll = 3 // SYSLOG_ACTION_READ_ALL
			text := make([]byte, 16)
			_, err := call(unix.SYS_SYSLOG, readAll, uintptr(unsafe.Pointer(&text[0])), uintptr(len(text)))
			return err
		}},
		{"make all memory executable", func(string) error {
			const readImpliesExec = 0x0400000
			runtime.LockOSThread() // the thread ends with this process
			_, err := call(unix.SYS_PERSONALITY, readImpliesExec)
			return err
		}},
		{"reboot", func(string) error {
			_, err := call(unix.SYS_REBOOT, 0, 0, 0) // the wrong magic numbers: EINVAL, once the caller may
			return err
		}},
		{"load a module", func(string) error {
			_, err := call(unix.SYS_FINIT_MODULE, ^uintptr(0), 0, 0) // EBADF, once the caller may
			return err
		}},
		{"set the clock", func(string) error {
			_, err := call(unix.SYS_CLOCK_SETTIME, ^uintptr(0)>>1, 0) // no such clock: EINVAL, before anything else
			return err
		}},
		{"set the host name", func(aim string) error { return unix.Sethostname([]byte(aim)) }},
	}
}

func descriptor(fd uintptr, err error) error {
	if err == nil {
		unix.Close(int(fd))
	}
	return err
}

// readKey reads a key of the session that the process was started from.
func readKey(aim string) error {
	id, err := unix.KeyctlSearch(unix.KEY_SPEC_SESSION_KEYRING, "user", aim, 0)
	if err != nil {
		return err
	}
	_, err = unix.KeyctlBuffer(unix.KEYCTL_READ, id, make([]byte, 16), 16)
	return err
}
