package sys

import "golang.org/x/sys/unix"

// Landlock call numbers, for a forked child that makes them as plain steps.
const (
	SysLandlockCreateRuleset uintptr = unix.SYS_LANDLOCK_CREATE_RULESET
	SysLandlockAddRule       uintptr = unix.SYS_LANDLOCK_ADD_RULE
	SysLandlockRestrictSelf  uintptr = unix.SYS_LANDLOCK_RESTRICT_SELF
)

// Rule kinds of landlock_add_rule (enum landlock_rule_type).
const (
	LandlockRulePathBeneath uintptr = 1
	LandlockRuleNetPort     uintptr = 2 // ABI 4
)

// LandlockRulesetAttr is struct landlock_ruleset_attr as of ABI 6. Give the
// kernel all its bytes: an older one accepts the longer struct as long as the
// fields it does not know are zero, which [LandlockHandled] sees to.
type LandlockRulesetAttr struct {
	HandledFS  uint64
	HandledNet uint64
	Scoped     uint64
}

// LandlockPathBeneathAttr is struct landlock_path_beneath_attr. The C struct
// is packed to 12 bytes and the kernel copies only those, so Go's padding at
// the end is never read.
type LandlockPathBeneathAttr struct {
	Allowed uint64
	Parent  int32 // descriptor of the directory or file, O_PATH suffices
}

// LandlockNetPortAttr is struct landlock_net_port_attr, since ABI 4.
type LandlockNetPortAttr struct {
	Allowed uint64
	Port    uint64 // host byte order; 0 is the ephemeral range when binding
}
