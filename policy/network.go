package policy

import "slices"

// Network says what the program may reach. Unset means no network.
type Network struct {
	Mode Setting[NetworkMode] `yaml:"mode"`
	// Families are the socket families it may create: unix, inet, inet6,
	// packet …; "netlink-route" is netlink for addresses and routes only. Unset
	// leaves sockets to the rules of calls; a family that is not listed is
	// refused whatever they say.
	Families Setting[[]Name] `yaml:"families"`
	// Connect is what it may connect to. With mode relay: "github.com:443",
	// "*.npmjs.org:443", "10.0.0.0/8:5432", "udp/1.1.1.1:53", or a port of every
	// public address; unset means nothing. With mode host: TCP ports; unset
	// means every port.
	Connect Setting[[]Destination] `yaml:"connect"`
	// Bind are the TCP ports it may listen on; unset means every port.
	Bind Setting[[]Port] `yaml:"bind"`
	// Publish, with mode relay, are ports of the machine that lead to ports of
	// the program: "8080:80", "0.0.0.0:8080:80", "5432".
	Publish []Publication `yaml:"publish"`
	// Unix are the UNIX sockets of others that it may connect to, whatever the
	// mode: each by its path, by a folder that it lies in, or by a pattern. What is
	// listed is shown, as under files.ro. Unset means every socket that the files
	// show.
	Unix Setting[[]Path] `yaml:"unix"`
}

// ConnectsTo reports whether a TCP port stands under connect.
func (n *Network) ConnectsTo(port uint16) bool {
	return slices.ContainsFunc(n.Connect.Value, func(d Destination) bool { return d.IsPort() && d.Port == port })
}

// Binds reports whether a TCP port stands under bind.
func (n *Network) Binds(port uint16) bool {
	return slices.ContainsFunc(n.Bind.Value, func(p Port) bool { return p.Number == port })
}

// NetworkMode says whose network the program sees. The zero mode is none.
type NetworkMode uint8

// The network modes.
const (
	NoNetwork    NetworkMode = iota // a network of its own, with nothing but a loopback
	HostNetwork                     // the machine's
	RelayNetwork                    // a network of its own, in which callgate answers for the destinations that are listed
)

// Port is a TCP port, 0 to 65535, and the place it was written.
type Port struct {
	Number uint16
	Remove bool // written with a leading '-': take it out of what extended documents gave
	At     Origin
}
