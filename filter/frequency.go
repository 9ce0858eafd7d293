package filter

import (
	"cmp"
	"slices"

	"github.com/callgate/callgate/abi"
)

// frequent lists the calls that programs make most, with how often compared
// with the rest: a rough guide from traces of servers, interpreters, compilers
// and shells. It only shapes the search tree; verdicts don't depend on it.
var frequent = [...]struct {
	name   string
	weight int32
}{
	{"read", 32},
	{"write", 32},
	{"futex", 32},
	{"epoll_wait", 24},
	{"epoll_pwait", 24},
	{"recvfrom", 20},
	{"sendto", 20},
	{"recvmsg", 16},
	{"sendmsg", 16},
	{"close", 24},
	{"openat", 20},
	{"newfstatat", 20},
	{"fstat", 12},
	{"statx", 8},
	{"readlinkat", 4},
	{"readlink", 6},
	{"stat", 10},
	{"lstat", 10},
	{"open", 10},
	{"access", 5},
	{"faccessat", 5},
	{"faccessat2", 4},
	{"lseek", 12},
	{"pread64", 12},
	{"pwrite64", 8},
	{"readv", 6},
	{"writev", 10},
	{"getdents64", 5},
	{"mmap", 16},
	{"munmap", 10},
	{"mprotect", 10},
	{"madvise", 10},
	{"brk", 8},
	{"rt_sigprocmask", 16},
	{"rt_sigaction", 8},
	{"rt_sigreturn", 6},
	{"tgkill", 4},
	{"poll", 14},
	{"ppoll", 8},
	{"select", 6},
	{"pselect6", 6},
	{"epoll_ctl", 10},
	{"io_uring_enter", 12},
	{"ioctl", 12},
	{"fcntl", 12},
	{"nanosleep", 6},
	{"clock_nanosleep", 6},
	{"sched_yield", 8},
	{"getpid", 4},
	{"gettid", 4},
	{"getrandom", 4},
	{"clock_gettime", 4},
	{"gettimeofday", 4},
	{"socket", 4},
	{"connect", 4},
	{"accept4", 5},
	{"setsockopt", 4},
	{"clone", 3},
	{"clone3", 3},
	{"wait4", 4},
	{"execve", 2},
	{"pipe2", 2},
	{"dup2", 2},
	{"dup3", 2},
	{"timerfd_settime", 3},
	{"eventfd2", 2},
}

// weigh adds the weights of an architecture's frequent calls to the stretches
// of its numbers.
func weigh(arch abi.Arch, list []stretch) {
	for _, f := range frequent {
		nr, ok := arch.Number(f.name)
		if !ok {
			continue
		}
		i, found := slices.BinarySearchFunc(list, uint32(nr), func(s stretch, nr uint32) int { return cmp.Compare(s.first, nr) })
		if !found {
			i--
		}
		list[i].weight += (f.weight + 7) / 8
	}
}
