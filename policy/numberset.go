package policy

import "github.com/callgate/callgate/abi"

// numberSet is a set of one architecture's call numbers. They are below 1024,
// but for x32's bit and for arm's own calls from 0xf0000 up, which the upper
// half is for.
type numberSet [2048]bool

// at returns whether the set has the number, to read or write.
func (s *numberSet) at(nr abi.Sysno) *bool { return &s[nr%1024|nr>>19&1<<10] }
