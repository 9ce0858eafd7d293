package attack

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// rings are calls made through io_uring, which no seccomp filter sees
// (io_uring(7), include/uapi/linux/io_uring.h).
func rings() []Attack {
	return []Attack{
		{"open through a ring", func(aim string) error {
			path, err := unix.BytePtrFromString(aim)
			if err != nil {
				return err
			}
			here := int32(unix.AT_FDCWD)
			return submit(submission{opcode: opOpenat, fd: here, address: uint64(uintptr(unsafe.Pointer(path))), opFlags: unix.O_RDONLY | unix.O_CLOEXEC})
		}},
		{"open a netlink socket through a ring", func(string) error {
			return submit(submission{opcode: opSocket, fd: unix.AF_NETLINK, offset: unix.SOCK_RAW, length: unix.NETLINK_ROUTE})
		}},
	}
}

// Opcodes of enum io_uring_op.
const (
	opOpenat = 18
	opSocket = 45
)

const enterGetEvents = 1 // IORING_ENTER_GETEVENTS

// Offsets of the three mappings of a ring.
const (
	offSubmissions = 0x10000000 // IORING_OFF_SQES
	offRing        = 0          // IORING_OFF_SQ_RING, which holds both rings since Linux 5.4
)

// submission is struct io_uring_sqe.
type submission struct {
	opcode, flags uint8
	priority      uint16
	fd            int32
	offset        uint64
	address       uint64
	length        uint32
	opFlags       uint32
	_             [32]byte
}

// completion is struct io_uring_cqe.
type completion struct {
	user   uint64
	result int32
	flags  uint32
}

// ringParams is struct io_uring_params.
type ringParams struct {
	sqEntries, cqEntries, flags, sqThreadCPU, sqThreadIdle, features, wqFd uint32
	_                                                                      [3]uint32
	sq                                                                     struct {
		head, tail, mask, entries, flags, dropped, array, _ uint32
		user                                                uint64
	}
	cq struct {
		head, tail, mask, entries, overflow, cqes, flags, _ uint32
		user                                                uint64
	}
}

// submit makes a ring of one entry, has the kernel run s and waits for it.
func submit(s submission) error {
	var params ringParams
	ring, err := call(unix.SYS_IO_URING_SETUP, 1, uintptr(unsafe.Pointer(&params)))
	if err != nil {
		return err
	}
	defer unix.Close(int(ring))
	rings, err := unix.Mmap(int(ring), offRing, 4096, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED|unix.MAP_POPULATE)
	if err != nil {
		return err
	}
	entries, err := unix.Mmap(int(ring), offSubmissions, 4096, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED|unix.MAP_POPULATE)
	if err != nil {
		return err
	}
	*(*submission)(unsafe.Pointer(&entries[0])) = s
	*(*uint32)(unsafe.Pointer(&rings[params.sq.array])) = 0
	*(*uint32)(unsafe.Pointer(&rings[params.sq.tail]))++
	if _, err := call(unix.SYS_IO_URING_ENTER, ring, 1, 1, enterGetEvents, 0, 0); err != nil {
		return err
	}
	done := (*completion)(unsafe.Pointer(&rings[params.cq.cqes]))
	if done.result < 0 {
		return syscall.Errno(-done.result)
	}
	return unix.Close(int(done.result))
}
