package jail

import (
	"syscall"

	"github.com/callgate/callgate/internal/sys"
)

const (
	landlockRead  = sys.LandlockReadFile | sys.LandlockReadDir
	landlockWrite = sys.LandlockWriteFile | sys.LandlockTruncate | sys.LandlockRefer |
		sys.LandlockRemoveFile | sys.LandlockRemoveDir | sys.LandlockMakeReg | sys.LandlockMakeDir |
		sys.LandlockMakeSym | sys.LandlockMakeSock | sys.LandlockMakeFifo | sys.LandlockResolveUnix
)

const landlockDevice = sys.LandlockReadFile | sys.LandlockWriteFile | sys.LandlockTruncate | sys.LandlockIoctlDev

// planLandlock repeats the decisions of the root as rules on inodes: a second
// wall behind the mounts, and the only one where mounts are not to be had.
func (s *Spec) planLandlock(script *sys.Script, host host, walls wallSet) error {
	files, net, scoped := sys.LandlockHandled(host.landlock)
	attr := sys.LandlockRulesetAttr{HandledFS: files, Scoped: scoped}
	if walls.has(TCPPorts) {
		attr.HandledNet = s.Ports.handled()
	}
	if attr.HandledNet&^net != 0 {
		return &WallError{TCPPorts, "restrict TCP ports (Linux 6.7)", syscall.EOPNOTSUPP}
	}
	ruleset := script.LandlockRuleset(attr)
	grants, err := s.grants(walls)
	if err != nil {
		return err
	}
	for _, g := range grants {
		script.LandlockPath(ruleset, g.path, g.rights&files)
	}
	if attr.HandledNet != 0 {
		for port, right := range s.portRights() {
			script.LandlockPort(ruleset, port, right)
		}
	}
	script.LandlockRestrict(ruleset)
	return nil
}

// handled returns the rights that lists of ports withhold from the others.
func (p Ports) handled() (rights uint64) {
	if p.Bind != nil {
		rights |= sys.LandlockBindTCP
	}
	if p.Connect != nil {
		rights |= sys.LandlockConnectTCP
	}
	return rights
}

// RefusesUnixSockets reports whether this kernel's Landlock decides about
// connecting to named unix sockets, as it does about files.
func RefusesUnixSockets() bool {
	abi, err := sys.LandlockABI()
	files, _, _ := sys.LandlockHandled(abi)
	return err == nil && files&sys.LandlockResolveUnix != 0
}

// LimitsPorts reports whether this kernel's Landlock decides about TCP ports.
func LimitsPorts() bool {
	abi, err := sys.LandlockABI()
	_, net, _ := sys.LandlockHandled(abi)
	return err == nil && net != 0
}

// RefusesTruncation reports whether this kernel's Landlock decides about
// emptying files apart from writing to them.
func RefusesTruncation() bool {
	abi, err := sys.LandlockABI()
	files, _, _ := sys.LandlockHandled(abi)
	return err == nil && files&sys.LandlockTruncate != 0
}

// grants lists what Landlock opens, with the rights.
func (s *Spec) grants(walls wallSet) ([]grant, error) {
	if !walls.has(Mounts) {
		return s.grantsOnHost()
	}
	// The root holds nothing but what the Spec put there: its list is no secret.
	grants := []grant{{"/", sys.LandlockReadDir}}
	for _, m := range s.Mounts {
		switch m.Kind {
		case Dev:
			grants = append(grants, grant{m.Target, landlockRead | landlockWrite | sys.LandlockIoctlDev})
		case Proc:
			grants = append(grants, grant{m.Target, landlockRead})
		case Private:
			grants = append(grants, grant{m.Target, rightsOf(m.Access|Read|Write, true)})
		case Bind, Text, Copy:
			grants = append(grants, grant{m.Target, rightsOf(m.Access, m.Folder)})
		}
	}
	return grants, nil
}

// grantsOnHost is grants where the target sees the host's own files.
func (s *Spec) grantsOnHost() ([]grant, error) {
	var grants []grant
	withheld := s.withheld()
	for _, m := range s.Mounts {
		switch m.Kind {
		case Dev:
			for _, name := range safeDevices {
				if node := m.Target + "/" + name; exists(node) && !s.hides(node) {
					grants = append(grants, grant{node, landlockDevice})
				}
			}
		case Proc:
			if exists(m.Target) {
				grants = append(grants, grant{m.Target, landlockRead})
			}
		case Bind:
			parts, err := grantsWithin(m, withheld)
			if err != nil {
				return nil, err
			}
			grants = append(grants, parts...)
		}
	}
	return grants, nil
}

// rightsOf returns Landlock's rights for an access.
func rightsOf(access Access, folder bool) (rights uint64) {
	if access&Read != 0 {
		rights |= landlockRead
	}
	if access&Write != 0 {
		rights |= landlockWrite
	}
	if access&Execute != 0 {
		rights |= sys.LandlockExecute | landlockRead
	}
	if !folder {
		rights &= sys.LandlockFileRights
	}
	return rights
}

// portRights merges the two lists of ports, since a port has one rule.
func (s *Spec) portRights() map[uint16]uint64 {
	rights := map[uint16]uint64{}
	for _, l := range []struct {
		ports *[]uint16
		right uint64
	}{{s.Ports.Bind, sys.LandlockBindTCP}, {s.Ports.Connect, sys.LandlockConnectTCP}} {
		if l.ports != nil {
			for _, port := range *l.ports {
				rights[port] |= l.right
			}
		}
	}
	return rights
}
