package main

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// headers lists the files that constants come from and the names wanted from
// each. A file under "asm/" is looked for in the architecture's own headers
// first, then among the generic ones.
var headers = []struct{ file, names string }{
	{"asm/bitsperlong.h", `$^`},
	{"uapi/asm-generic/ioctl.h", `$^`},
	{"asm/posix_types.h", `$^`},
	{"uapi/linux/libc-compat.h", `$^`},
	{"asm/errno.h", `E[A-Z0-9]+`},
	{"uapi/asm-generic/errno-base.h", `E[A-Z0-9]+`},
	{"asm/signal.h", `SIG[A-Z0-9]+|SIG_\w+|SA_\w+`},
	{"uapi/asm-generic/signal.h", `SIG[A-Z0-9]+`},
	{"uapi/asm-generic/signal-defs.h", `SIG_\w+|SA_\w+`},
	{"asm/fcntl.h", `O_\w+|F_\w+|LOCK_\w+|FD_CLOEXEC`},
	{"uapi/asm-generic/fcntl.h", `O_\w+|F_\w+|LOCK_\w+|FD_CLOEXEC`},
	{"uapi/linux/fcntl.h", `F_\w+|AT_\w+|DN_\w+`},
	{"uapi/linux/openat2.h", `RESOLVE_\w+`},
	{"asm/mman.h", `MAP_\w+|PROT_\w+|MADV_\w+|MS_\w+|MCL_\w+|MLOCK_\w+|PKEY_\w+`},
	{"uapi/asm-generic/mman.h", `MAP_\w+|PROT_\w+|MCL_\w+`},
	{"uapi/asm-generic/mman-common.h", `MAP_\w+|PROT_\w+|MADV_\w+|MS_\w+|MCL_\w+|MLOCK_\w+|PKEY_\w+`},
	{"uapi/linux/mman.h", `MAP_\w+|MREMAP_\w+`},
	{"uapi/linux/sched.h", `CLONE_\w+|SCHED_\w+|CSIGNAL`},
	{"uapi/linux/wait.h", `W[A-Z]+|__W\w+|P_\w+`},
	{"linux/net.h", `SOCK_\w+|SHUT_\w+`},
	{"linux/socket.h", `AF_\w+|MSG_\w+|SOL_\w+`},
	{"asm/socket.h", `SO_\w+|SOL_\w+|SCM_\w+`},
	{"uapi/asm-generic/socket.h", `SO_\w+|SOL_\w+|SCM_\w+`},
	{"uapi/linux/in.h", `IPPROTO_\w+|IP_\w+|MCAST_\w+`},
	{"uapi/linux/in6.h", `IPV6_\w+|IPPROTO_\w+`},
	{"uapi/linux/tcp.h", `TCP_\w+`},
	{"uapi/linux/udp.h", `UDP_\w+`},
	{"uapi/linux/netlink.h", `NETLINK_\w+`},
	{"uapi/linux/if_packet.h", `PACKET_\w+`},
	{"uapi/linux/vm_sockets.h", `VMADDR_\w+`},
	{"uapi/linux/prctl.h", `PR_\w+`},
	{"asm/prctl.h", `ARCH_\w+`},
	{"uapi/linux/keyctl.h", `KEYCTL_\w+|KEY_\w+`},
	{"uapi/linux/seccomp.h", `SECCOMP_\w+`},
	{"uapi/linux/futex.h", `FUTEX_\w+`},
	{"uapi/linux/eventpoll.h", `EPOLL\w+`},
	{"uapi/asm-generic/poll.h", `POLL[A-Z]+`},
	{"linux/eventfd.h", `EFD_\w+`},
	{"uapi/linux/signalfd.h", `SFD_\w+`},
	{"linux/timerfd.h", `TFD_\w+`},
	{"uapi/linux/timerfd.h", `TFD_\w+`},
	{"uapi/linux/inotify.h", `IN_\w+`},
	{"uapi/linux/fanotify.h", `FAN_\w+`},
	{"uapi/linux/mount.h", `MS_\w+|OPEN_TREE_\w+|MOVE_MOUNT_\w+|FSOPEN_\w+|FSPICK_\w+|FSMOUNT_\w+|FSCONFIG_\w+|MOUNT_ATTR_\w+`},
	{"linux/fs.h", `MNT_\w+|UMOUNT_\w+`},
	{"uapi/linux/fs.h", `RENAME_\w+|SYNC_FILE_RANGE_\w+|SEEK_\w+|RWF_\w+|FI\w+|FS_IOC_\w+|BLK\w+|FS_\w+_FL`},
	{"uapi/linux/capability.h", `CAP_\w+`},
	{"uapi/linux/reboot.h", `LINUX_REBOOT_\w+`},
	{"asm/ptrace.h", `PTRACE_\w+`},
	{"asm/ptrace-abi.h", `PTRACE_\w+`},
	{"uapi/linux/ptrace.h", `PTRACE_\w+`},
	{"uapi/linux/resource.h", `RUSAGE_\w+|PRIO_\w+`},
	{"uapi/asm-generic/resource.h", `RLIMIT_\w+`},
	{"uapi/linux/bpf.h", `BPF_\w+`},
	{"uapi/linux/perf_event.h", `PERF_FLAG_\w+|PERF_EVENT_IOC_\w+|PERF_TYPE_\w+`},
	{"uapi/linux/kexec.h", `KEXEC_\w+`},
	{"uapi/linux/module.h", `MODULE_INIT_\w+`},
	{"uapi/asm-generic/hugetlb_encode.h", `$^`},
	{"uapi/linux/memfd.h", `MFD_\w+`},
	{"uapi/linux/membarrier.h", `MEMBARRIER_\w+`},
	{"uapi/linux/random.h", `GRND_\w+|RND\w+`},
	{"uapi/linux/falloc.h", `FALLOC_\w+`},
	{"uapi/linux/fadvise.h", `POSIX_FADV_\w+`},
	{"uapi/linux/stat.h", `S_I\w+|STATX_\w+`},
	{"uapi/linux/xattr.h", `XATTR_CREATE|XATTR_REPLACE`},
	{"uapi/linux/time.h", `CLOCK_\w+|ITIMER_\w+|TIMER_\w+`},
	{"uapi/linux/timex.h", `ADJ_\w+`},
	{"asm/ioctls.h", `T[CI]\w+|FIO\w+`},
	{"uapi/asm-generic/ioctls.h", `T[CI]\w+|FIO\w+`},
	{"uapi/linux/sockios.h", `SIOC\w+`},
	{"uapi/asm-generic/sockios.h", `SIOC\w+|FIO\w+`},
	{"uapi/linux/kd.h", `KD[A-Z]\w+|K_\w+`},
	{"uapi/linux/vt.h", `VT_\w+`},
	{"uapi/linux/tiocl.h", `TIOCL_\w+`},
	{"uapi/linux/if_tun.h", `TUN\w+`},
	{"uapi/linux/loop.h", `LOOP_\w+`},
	{"uapi/linux/userfaultfd.h", `UFFD\w+`},
	{"uapi/linux/landlock.h", `LANDLOCK_\w+`},
	{"uapi/linux/io_uring.h", `IORING_\w+`},
	{"uapi/linux/close_range.h", `CLOSE_RANGE_\w+`},
	{"uapi/linux/personality.h", `PER_\w+|ADDR_\w+|MMAP_PAGE_ZERO|READ_IMPLIES_EXEC|SHORT_INODE|WHOLE_SECONDS|STICKY_TIMEOUTS|UNAME26|FDPIC_FUNCPTRS`},
	{"uapi/linux/mempolicy.h", `MPOL_\w+`},
	{"uapi/linux/quota.h", `Q_\w+`},
	{"uapi/linux/ioprio.h", `IOPRIO_\w+`},
	{"uapi/linux/kcmp.h", `KCMP_\w+`},
	{"uapi/linux/rseq.h", `RSEQ_\w+`},
	{"linux/splice.h", `SPLICE_F_\w+`},
	{"uapi/linux/ipc.h", `IPC_\w+`},
	{"uapi/linux/shm.h", `SHM_\w+`},
	{"uapi/linux/msg.h", `MSG_\w+`},
	{"uapi/linux/sem.h", `SEM_\w+|SETVAL|SETALL|GET\w+`},
	{"uapi/linux/pidfd.h", `PIDFD_\w+`},
	{"uapi/linux/nsfs.h", `NS_GET_\w+`},
	{"linux/syslog.h", `SYSLOG_ACTION_\w+`},
	{"uapi/linux/net.h", `SYS_\w+`},
	{"linux/swap.h", `SWAP_FLAG_\w+`},
}

// internal are names that mark a header's own bookkeeping.
var internal = regexp.MustCompile(`_(LAST|MAX|SHIFT|H|NR|SUPPORTED)$|^__MAX|_MAX_|_SIZE_VER\d$|_RESERVED$`)

// constantFacts evaluates the wanted names on every architecture and groups
// the architectures that agree.
func constantFacts(tree sourceTree) ([]constantFact, error) {
	values := make(map[string]map[string]uint64) // by name, then architecture
	for _, arch := range archNames {
		p := newPreprocessor(archMacros[arch])
		var names []string
		for _, header := range headers {
			text, err := headerText(tree, arch, header.file)
			if err != nil {
				return nil, err
			}
			wanted := regexp.MustCompile(`^(?:` + header.names + `)$`)
			first := len(p.names)
			p.file(text)
			for _, name := range p.names[first:] {
				if wanted.MatchString(name) && !internal.MatchString(name) {
					names = append(names, name)
				}
			}
		}
		for _, name := range names { // once all that they stand on is read
			value, err := p.value(name)
			if err != nil {
				continue // no integer
			}
			if values[name] == nil {
				values[name] = make(map[string]uint64)
			}
			values[name][arch] = value
		}
	}
	return groupConstants(values), nil
}

func groupConstants(values map[string]map[string]uint64) []constantFact {
	var facts []constantFact
	for name, byArch := range values {
		arches := make(map[uint64][]string)
		for _, arch := range archNames {
			if value, has := byArch[arch]; has {
				arches[value] = append(arches[value], arch)
			}
		}
		for value, list := range arches {
			if len(list) == len(archNames) {
				list = nil
			}
			facts = append(facts, constantFact{name, value, list})
		}
	}
	slices.SortFunc(facts, func(a, b constantFact) int {
		if order := strings.Compare(a.name, b.name); order != 0 {
			return order
		}
		// Two rows of one name each have their own architectures.
		return slices.Index(archNames, a.arches[0]) - slices.Index(archNames, b.arches[0])
	})
	return facts
}

func headerText(tree sourceTree, arch, file string) (string, error) {
	if own, found := strings.CutPrefix(file, "asm/"); found {
		if text, has := tree[archFolder[arch]+"/include/uapi/asm/"+own]; has {
			return text, nil
		}
		return tree["include/uapi/asm-generic/"+own], nil
	}
	text, has := tree["include/"+file]
	if !has {
		return "", fmt.Errorf("the kernel source has no include/%s", file)
	}
	return text, nil
}
