package sys

import (
	"strconv"
	"unsafe"
)

// LandlockRuleset creates a ruleset that handles, and so denies, what attr says.
func (s *Script) LandlockRuleset(attr LandlockRulesetAttr) Reg {
	r := s.Reg()
	s.Call("create landlock ruleset", "", SysLandlockCreateRuleset, PointerTo(&attr), int(unsafe.Sizeof(attr)), 0).Into(r)
	return r
}

// LandlockPath allows rights on and beneath a path.
func (s *Script) LandlockPath(ruleset Reg, path string, rights uint64) {
	attr := &LandlockPathBeneathAttr{Allowed: rights}
	file := s.OpenPath(Here, path)
	s.Store32(PointerTo(&attr.Parent), file)
	s.Call("add landlock rule for", path, SysLandlockAddRule, ruleset, LandlockRulePathBeneath, PointerTo(attr), 0)
	s.Close(file)
}

// LandlockPort allows rights on a TCP port.
func (s *Script) LandlockPort(ruleset Reg, port uint16, rights uint64) {
	attr := &LandlockNetPortAttr{Allowed: rights, Port: uint64(port)}
	s.Call("add landlock rule for port", strconv.Itoa(int(port)), SysLandlockAddRule, ruleset, LandlockRuleNetPort, PointerTo(attr), 0)
}

// LandlockRestrict confines the process to the ruleset.
func (s *Script) LandlockRestrict(ruleset Reg) {
	s.Call("restrict with landlock", "", SysLandlockRestrictSelf, ruleset, 0)
	s.Close(ruleset)
}
