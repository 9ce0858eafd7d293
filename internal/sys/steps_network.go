package sys

import "golang.org/x/sys/unix"

const networkSettings = "/proc/sys/net/ipv4/"

// OpenPorts lets every process of the network namespace bind ports below 1024,
// where settings can be written; else the kernel goes on to refuse it.
func (s *Script) OpenPorts() { s.zero(networkSettings + "ip_unprivileged_port_start") }

// AcceptAnySource has the network namespace take packets by any of its links,
// whichever leads back, where settings can be written (rp_filter, ip-sysctl).
func (s *Script) AcceptAnySource() {
	for _, link := range [...]string{"all", "default", "lo"} {
		s.zero(networkSettings + "conf/" + link + "/rp_filter")
	}
}

// zero writes 0 to a setting, if it can be written: the file is opened in the place
// of one that takes anything.
func (s *Script) zero(path string) {
	const null = "/dev/null"
	r := s.Reg()
	s.Call("open", null, unix.SYS_OPENAT, Here, null, unix.O_WRONLY|unix.O_CLOEXEC).Into(r)
	s.Call("open", path, unix.SYS_OPENAT, Here, path, unix.O_WRONLY|unix.O_CLOEXEC).Tolerate(unix.ENOENT, unix.EACCES, unix.EROFS).Into(r)
	s.Call("write", path, unix.SYS_WRITE, r, "0", 1)
	s.Close(r) // the other is closed with all that init doesn't need
}
