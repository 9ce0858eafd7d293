package policy

import "github.com/callgate/callgate/abi"

// Target is where a policy is enforced.
type Target struct {
	Arch   abi.Arch // zero means abi.Native, or amd64 where that is none
	Kernel Version  // zero means the policy's baseline
	Home   string   // absolute, for "~"; empty means /home/user
	Dir    string   // absolute, for "."; empty means Home + "/work"
}
