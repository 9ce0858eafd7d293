package sockets

import (
	"bytes"
	"encoding/binary"

	"github.com/callgate/callgate/internal/sys"
)

// unixPath returns the path in the address of a UNIX socket, or the name of an
// abstract one (unix(7)).
func unixPath(family int, address []byte) (path, abstract string) {
	const start, room = 2, 110 // struct sockaddr_un
	if family != sys.UnixFamily || len(address) <= start || len(address) > room || int(binary.NativeEndian.Uint16(address)) != sys.UnixFamily {
		return "", "" // none, or one that the kernel refuses
	}
	text := address[start:]
	if text[0] == 0 {
		return "", string(text[1:])
	}
	if end := bytes.IndexByte(text, 0); end >= 0 {
		text = text[:end]
	}
	return string(text), ""
}

func isInternet(family int) bool { return family == sys.InetFamily || family == sys.Inet6Family }

// portOf is the port of an internet address, 0 for what ends a connection
// (AF_UNSPEC) and for what is too short.
func portOf(address []byte) uint16 {
	if len(address) < 4 || !isInternet(int(binary.NativeEndian.Uint16(address))) {
		return 0
	}
	return binary.BigEndian.Uint16(address[2:])
}
