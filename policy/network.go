package policy

// Network says what the program may reach. Unset means no network.
type Network struct {
	Mode Setting[NetworkMode] `yaml:"mode"`
	// Families are the socket families it may create: unix, inet, inet6,
	// packet …; "netlink-route" is netlink for addresses and routes only. Unset
	// leaves sockets to the rules of calls; a family that is not listed is
	// refused whatever they say.
	Families Setting[[]Name] `yaml:"families"`
	// Connect and Bind are the TCP ports it may connect to and listen on; unset
	// means every port.
	Connect Setting[[]Port] `yaml:"connect"`
	Bind    Setting[[]Port] `yaml:"bind"`
}

// NetworkMode says whose network the program sees. The zero mode is none.
type NetworkMode uint8

// The network modes.
const (
	NoNetwork   NetworkMode = iota // a network of its own, with nothing but a loopback
	HostNetwork                    // the machine's
)

// Port is a TCP port, 0 to 65535, and the place it was written.
type Port struct {
	Number uint16
	Remove bool // written with a leading '-': take it out of what extended documents gave
	At     Origin
}
