package jail

import (
	"github.com/callgate/callgate/internal/sys"
)

const (
	landlockRead  = sys.LandlockReadFile | sys.LandlockReadDir
	landlockWrite = sys.LandlockWriteFile | sys.LandlockTruncate | sys.LandlockRefer |
		sys.LandlockRemoveFile | sys.LandlockRemoveDir | sys.LandlockMakeReg | sys.LandlockMakeDir |
		sys.LandlockMakeSym | sys.LandlockMakeSock | sys.LandlockMakeFifo
)

const landlockDevice = sys.LandlockReadFile | sys.LandlockWriteFile | sys.LandlockTruncate | sys.LandlockIoctlDev

// planLandlock repeats the decisions of the root as rules on inodes: a second
// wall behind the mounts, and the only one where mounts are not to be had.
func (s *Spec) planLandlock(script *sys.Script, host host, walls wallSet) {
	files, net, scoped := sys.LandlockHandled(host.landlock)
	attr := sys.LandlockRulesetAttr{HandledFS: files, Scoped: scoped}
	if s.Ports.Bind != nil {
		attr.HandledNet |= net & sys.LandlockBindTCP
	}
	if s.Ports.Connect != nil {
		attr.HandledNet |= net & sys.LandlockConnectTCP
	}
	ruleset := script.LandlockRuleset(attr)
	if walls.has(Mounts) {
		// The root holds nothing but what the Spec put there: its list is no secret.
		script.LandlockPath(ruleset, "/", sys.LandlockReadDir)
	}
	for _, m := range s.Mounts {
		if m.Kind == Dev && !walls.has(Mounts) {
			for _, name := range safeDevices {
				script.LandlockPath(ruleset, m.Target+"/"+name, files&landlockDevice)
			}
		} else if rights := landlockRights(m, walls); rights != 0 {
			script.LandlockPath(ruleset, m.Target, rights&files)
		}
	}
	for port, right := range s.portRights() {
		script.LandlockPort(ruleset, port, right)
	}
	script.LandlockRestrict(ruleset)
}

func landlockRights(m Mount, walls wallSet) (rights uint64) {
	switch m.Kind {
	case Dev:
		return landlockRead | landlockWrite | sys.LandlockIoctlDev
	case Proc:
		return landlockRead
	case Private:
		if !walls.has(Mounts) {
			return 0 // the host's folder stands there
		}
		m.Access |= Read | Write
	case Bind:
	default:
		return 0
	}
	if m.Access&Read != 0 {
		rights |= landlockRead
	}
	if m.Access&Write != 0 {
		rights |= landlockWrite
	}
	if m.Access&Execute != 0 {
		rights |= sys.LandlockExecute | landlockRead
	}
	if m.Kind == Bind && !m.Folder {
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
