package sys

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"os"
	"slices"

	"golang.org/x/sys/unix"
)

// Netlink changes links, addresses and routes of one network namespace, that of
// its socket (rtnetlink(7)).
type Netlink struct {
	socket   *os.File
	sequence uint32
}

// NetlinkSocket are the arguments of socket(2) for NewNetlink.
var NetlinkSocket = [3]int{unix.AF_NETLINK, unix.SOCK_RAW, unix.NETLINK_ROUTE}

// NewNetlink takes a socket over.
func NewNetlink(socket *os.File) *Netlink { return &Netlink{socket: socket} }

// Close closes the socket.
func (n *Netlink) Close() { n.socket.Close() }

// Loopback is the index of lo in every network namespace.
const Loopback = 1

// native is the machine's byte order, in which netlink's numbers are.
var native = binary.NativeEndian

// LinkUp brings a link up.
func (n *Netlink) LinkUp(index int) error {
	return n.request(fmt.Sprintf("bring up link %d", index), unix.RTM_NEWLINK, 0, linkMessage(index, unix.IFF_UP))
}

// The attributes of a pair that package unix lacks (include/uapi/linux/veth.h,
// if_link.h).
const (
	infoKind = 1
	infoData = 2
	vethPeer = 1
)

// VethPair makes a pair of links (veth(4)), each with the name and index given:
// one here, the other in the network namespace of the process pid.
func (n *Netlink) VethPair(name string, index, pid int) error {
	there := attribute(unix.IFLA_NET_NS_PID, native.AppendUint32(nil, uint32(pid)))
	return n.request("make a pair of links (veth)", unix.RTM_NEWLINK, unix.NLM_F_CREATE|unix.NLM_F_EXCL, pairMessage(name, name, index, index, there))
}

// pairMessage asks for a pair of links; there says in which namespace the peer is.
func pairMessage(name, peer string, index, peerIndex int, there []byte) []byte {
	named := func(name string) []byte { return attribute(unix.IFLA_IFNAME, append([]byte(name), 0)) }
	other := slices.Concat(linkMessage(peerIndex, 0), named(peer), there)
	info := slices.Concat(attribute(infoKind, []byte("veth")), attribute(infoData, attribute(vethPeer, other)))
	return slices.Concat(linkMessage(index, 0), named(name), attribute(unix.IFLA_LINKINFO, info))
}

// LinkPair makes a pair of links in the process's network namespace. A kernel that
// has none such shows it by the missing link (ENODEV).
func (s *Script) LinkPair() {
	const name, peer, index = "pair0", "pair1", 100
	message := netlinkMessage(unix.RTM_NEWLINK, unix.NLM_F_CREATE|unix.NLM_F_EXCL, 1, pairMessage(name, peer, index, index+1, nil))
	r := s.Reg()
	s.Call("open netlink socket", "", unix.SYS_SOCKET, NetlinkSocket[0], NetlinkSocket[1]|unix.SOCK_CLOEXEC, NetlinkSocket[2]).Into(r)
	s.Call("make a pair of links (veth)", "", unix.SYS_SENDTO, r, PointerTo(&message[0]), len(message), 0, 0, 0)
	s.Close(r)
	request := &struct {
		name [unix.IFNAMSIZ]byte
		_    [24]byte
	}{}
	copy(request.name[:], name)
	s.Call("open socket", "", unix.SYS_SOCKET, unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0).Into(r)
	s.Call("find a link of a pair (veth)", "", unix.SYS_IOCTL, r, unix.SIOCGIFINDEX, PointerTo(request))
	s.Close(r)
}

// Address gives a link an address, whose network is then reached by the link.
func (n *Netlink) Address(index int, address netip.Prefix) error {
	message := []byte{family(address.Addr()), byte(address.Bits()), unix.IFA_F_NODAD, 0}
	message = native.AppendUint32(message, uint32(index))
	bytes := address.Addr().AsSlice()
	return n.request("add address "+address.String(), unix.RTM_NEWADDR, unix.NLM_F_CREATE,
		slices.Concat(message, attribute(unix.IFA_LOCAL, bytes), attribute(unix.IFA_ADDRESS, bytes)))
}

// Route is a way to a network.
type Route struct {
	To    netip.Prefix
	Via   netip.Addr // a router, or none
	Link  int        // its index
	Local bool       // every address of To is this machine's own
	First bool       // among the machine's own addresses, which are looked up first
}

// Route adds a route.
func (n *Netlink) Route(r Route) error {
	table, kind, scope := byte(unix.RT_TABLE_MAIN), byte(unix.RTN_UNICAST), byte(unix.RT_SCOPE_LINK)
	switch {
	case r.Local:
		table, kind, scope = unix.RT_TABLE_LOCAL, unix.RTN_LOCAL, unix.RT_SCOPE_HOST
	case r.First:
		table = unix.RT_TABLE_LOCAL
	case r.Via.IsValid():
		scope = unix.RT_SCOPE_UNIVERSE
	}
	message := []byte{family(r.To.Addr()), byte(r.To.Bits()), 0, 0, table, unix.RTPROT_STATIC, scope, kind, 0, 0, 0, 0}
	message = append(message, attribute(unix.RTA_OIF, native.AppendUint32(nil, uint32(r.Link)))...)
	if r.To.Bits() > 0 {
		message = append(message, attribute(unix.RTA_DST, r.To.Masked().Addr().AsSlice())...)
	}
	if r.Via.IsValid() {
		message = append(message, attribute(unix.RTA_GATEWAY, r.Via.AsSlice())...)
	}
	return n.request("add route to "+r.To.String(), unix.RTM_NEWROUTE, unix.NLM_F_CREATE, message)
}

func family(a netip.Addr) byte {
	if a.Is4() {
		return unix.AF_INET
	}
	return unix.AF_INET6
}

// linkMessage is struct ifinfomsg.
func linkMessage(index int, flags uint32) []byte {
	message := native.AppendUint32(make([]byte, 4, 16), uint32(index))
	message = native.AppendUint32(message, flags)
	return native.AppendUint32(message, flags)
}

// attribute is struct rtattr and its value, padded.
func attribute(kind uint16, value []byte) []byte {
	out := native.AppendUint16(nil, uint16(4+len(value)))
	out = append(native.AppendUint16(out, kind), value...)
	return append(out, make([]byte, -len(value)&3)...)
}

// netlinkMessage is a body with struct nlmsghdr before it.
func netlinkMessage(kind, flags uint16, sequence uint32, body []byte) []byte {
	message := native.AppendUint32(nil, uint32(unix.NLMSG_HDRLEN+len(body)))
	message = native.AppendUint16(message, kind)
	message = native.AppendUint16(message, flags|unix.NLM_F_REQUEST)
	message = native.AppendUint32(message, sequence)
	return append(native.AppendUint32(message, 0), body...)
}

// request sends a message and reads the kernel's answer to it.
func (n *Netlink) request(what string, kind, flags uint16, body []byte) error {
	n.sequence++
	message := netlinkMessage(kind, flags|unix.NLM_F_ACK, n.sequence, body)
	fd := int(n.socket.Fd()) // the kernel answers before sendto returns
	if err := unix.Sendto(fd, message, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return fmt.Errorf("%s: %w", what, os.NewSyscallError("sendto", err))
	}
	answer := make([]byte, 4096)
	size, _, err := unix.Recvfrom(fd, answer, 0)
	const errorSize = unix.NLMSG_HDRLEN + 4
	switch {
	case err != nil:
		return fmt.Errorf("%s: %w", what, os.NewSyscallError("recvfrom", err))
	case size < errorSize || native.Uint16(answer[4:]) != unix.NLMSG_ERROR || native.Uint32(answer[8:]) != n.sequence:
		return fmt.Errorf("%s: the kernel's answer is not one to the request", what)
	}
	if errno := -int32(native.Uint32(answer[unix.NLMSG_HDRLEN:])); errno != 0 {
		return fmt.Errorf("%s: %w", what, unix.Errno(errno))
	}
	return nil
}
