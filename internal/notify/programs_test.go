package notify

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/callgate/callgate/internal/sys"
)

// programs are what victims run besides: each ends with its exit status. What
// they do when is not left to chance: they ask, by a mkdirat that stops.
func programs() map[string]func(argument string) int {
	return map[string]func(string) int{
		"exec":    execInMidCall,
		"ask":     func(string) int { return int(stop(unix.SYS_GETPPID, 0, 0)) },
		"signal":  signalInMidCall,
		"storm":   storm,
		"flood":   flood,
		"bomb":    bomb,
		"full":    full,
		"gifts":   gifts,
		"inherit": inherit,
		"has":     has,
		"fault":   faultInMidCall,
	}
}

// spawn runs a program as a child and returns its exit status, or -1.
func spawn(name string) int {
	cmd := exec.Command("/proc/self/exe")
	cmd.Env, cmd.Stderr = []string{asVictim + "=" + name}, os.Stderr
	var exited *exec.ExitError
	if err := cmd.Run(); err != nil && !errors.As(err, &exited) {
		fmt.Fprintln(os.Stderr, err)
		return -1
	}
	return cmd.ProcessState.ExitCode()
}

// become replaces this program by another of them.
func become(name string) int {
	fmt.Fprintln(os.Stderr, syscall.Exec("/proc/self/exe", []string{"victim"}, []string{asVictim + "=" + name}))
	return 125
}

// stop makes a call that stops, and returns its result, or a negated errno.
func stop(nr uintptr, args ...uintptr) int {
	var a [3]uintptr
	copy(a[:], args)
	value, _, errno := unix.Syscall(nr, a[0], a[1], a[2])
	if errno != 0 {
		return -int(errno)
	}
	return int(value)
}

var text = [...]byte{'h', 'e', 'r', 'e', 0}

// onThread makes a call that stops, whose second argument is a text, on a
// thread of its own.
func onThread(result chan<- int) (tid int) {
	tids := make(chan int)
	go func() {
		runtime.LockOSThread()
		tids <- unix.Gettid()
		result <- stop(unix.SYS_GETPPID, 0, uintptr(unsafe.Pointer(&text)))
	}()
	return <-tids
}

// execInMidCall has one thread end the others', in mid-call.
func execInMidCall(string) int {
	onThread(make(chan int, 1))
	stop(unix.SYS_MKDIRAT)
	return become("ask")
}

// signalInMidCall signals a thread in mid-call, between two questions, and ends
// with what it saw; an errno is 100 and more.
func signalInMidCall(number string) int {
	if err := sys.AllowInterrupts(); err != nil { // of 62; others have SA_RESTART
		fmt.Fprintln(os.Stderr, err)
		return 125
	}
	signal, _ := strconv.Atoi(number)
	result := make(chan int, 1)
	tid := onThread(result)
	stop(unix.SYS_MKDIRAT)
	for range 1000 {
		unix.Tgkill(os.Getpid(), tid, syscall.Signal(signal)) // as many as can be pending
	}
	stop(unix.SYS_MKDIRAT)
	if saw := <-result; saw < 0 {
		return 100 - saw
	} else {
		return saw
	}
}

// storm makes calls on a thread that another signals all the time, and ends with
// whether one saw anything but its own answer.
func storm(calls string) int {
	n, _ := strconv.Atoi(calls)
	tids, wrong := make(chan int), make(chan int)
	go func() {
		runtime.LockOSThread()
		tids <- unix.Gettid()
		wrong <- makeCalls(0, n)
	}()
	tid := <-tids
	for {
		select {
		case count := <-wrong:
			return min(count, 100)
		default:
			unix.Tgkill(os.Getpid(), tid, unix.SIGURG)
		}
	}
}

// flood has eight threads make calls as quickly as they can.
func flood(calls string) int {
	const threads = 8
	n, _ := strconv.Atoi(calls)
	wrong := make(chan int)
	for i := range threads {
		go func() {
			runtime.LockOSThread()
			wrong <- makeCalls(i*n, n)
		}()
	}
	sum := 0
	for range threads {
		sum += <-wrong
	}
	return min(sum, 100)
}

// makeCalls counts the calls that saw anything but their argument.
func makeCalls(from, n int) (wrong int) {
	for i := from; i < from+n; i++ {
		if stop(unix.SYS_GETPPID, uintptr(i)) != i {
			wrong++
		}
	}
	return wrong
}

// bomb starts two of itself, and those two each, and ends with how many there
// were that were answered.
func bomb(depth string) int {
	n, _ := strconv.Atoi(depth)
	answered := 0
	if stop(unix.SYS_GETPPID) == 1 {
		answered = 1
	}
	if n == 0 {
		return answered
	}
	counts := make(chan int)
	for range 2 {
		go func() { counts <- spawn(fmt.Sprintf("bomb:%d", n-1)) }()
	}
	return answered + <-counts + <-counts
}

// full asks for a descriptor where it has as many as it may, and ends with the
// errno.
func full(string) int {
	limit := unix.Rlimit{Cur: 64, Max: 64}
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 125
	}
	for {
		if _, err := unix.Dup(0); err != nil {
			return -stop(unix.SYS_OPENAT, 0, uintptr(unsafe.Pointer(&text)))
		}
	}
}

// gifts asks for descriptors, closes each, and ends with how many were none of its
// own: no descriptor, or a standard one.
func gifts(number string) (wrong int) {
	n, _ := strconv.Atoi(number)
	for range n {
		fd := stop(unix.SYS_OPENAT, 0)
		if fd <= 2 || unix.Close(fd) != nil {
			wrong++
		}
	}
	return min(wrong, 100)
}

// inherit is given two descriptors, executes another program, and has that look
// which are there: 1 for the first and 2 for the second.
func inherit(string) int {
	first, second := stop(unix.SYS_OPENAT, 0, 0, 0), stop(unix.SYS_OPENAT, 0, 0, 1)
	return become(fmt.Sprintf("has:%d %d", first, second))
}

func has(descriptors string) (there int) {
	var first, second int
	fmt.Sscan(descriptors, &first, &second)
	for i, fd := range []int{first, second} {
		if _, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err == nil {
			there |= 1 << i
		}
	}
	return there
}

// faultInMidCall makes a call that points to memory which the kernel waits for,
// by userfaultfd(2). It ends with 0 where there is none.
func faultInMidCall(string) int {
	const api, register = 0xc018aa3f, 0xc020aa00 // UFFDIO_API, UFFDIO_REGISTER
	fd, _, errno := unix.Syscall(unix.SYS_USERFAULTFD, unix.O_CLOEXEC, 0, 0)
	if errno != 0 {
		return 0
	}
	size := uintptr(os.Getpagesize())
	memory, _, errno := unix.Syscall6(unix.SYS_MMAP, 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS, ^uintptr(0), 0)
	if errno != 0 {
		return 125
	}
	hello := [3]uint64{0xaa} // struct uffdio_api
	if _, _, errno := unix.Syscall(unix.SYS_IOCTL, fd, api, uintptr(unsafe.Pointer(&hello))); errno != 0 {
		return 125
	}
	region := [4]uint64{uint64(memory), uint64(size), 1} // struct uffdio_register, UFFDIO_REGISTER_MODE_MISSING
	if _, _, errno := unix.Syscall(unix.SYS_IOCTL, fd, register, uintptr(unsafe.Pointer(&region))); errno != 0 {
		return 125
	}
	return stop(unix.SYS_MKDIRAT, 0, memory)
}
