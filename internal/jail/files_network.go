package jail

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"

	"github.com/callgate/callgate/policy"
)

// relayFiles shows the target where its resolver is, in place of the machine's. The
// machine's own names for addresses would go round the rules for names, and lead
// nowhere.
func (b *tree) relayFiles(p *policy.Policy, t policy.Target) error {
	resolver := "nameserver " + RelayAddress.String() + "\n"
	if refusesDatagrams(p, t) {
		resolver += "options use-vc\n" // TCP, resolv.conf(5)
	}
	if err := b.replace("/etc/resolv.conf", resolver); err != nil {
		return err
	}
	err := b.replace("/etc/hosts", "127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n127.0.1.1 "+hostname+"\n")
	if errors.Is(err, fs.ErrNotExist) {
		return nil // and none to be replaced
	}
	return err
}

// refusesDatagrams reports whether the policy's filter lets no socket be had that
// resolvers use before any other, as the preset server does not.
func refusesDatagrams(p *policy.Policy, t policy.Target) bool {
	answer, err := p.Decide(t, policy.Question{Call: "socket", Args: []policy.Arg{{Name: "0", Value: "AF_INET"}, {Name: "1", Value: "SOCK_DGRAM"}}})
	return err == nil && !answer.Action.Lets()
}

// replace shows a text where the host may have a file, unless the policy has a text
// of its own for it.
func (b *tree) replace(name, text string) error {
	at := resolved{path: name}
	if r, err := b.resolver.resolve(name); err == nil {
		at = r
	} else if above, ok := b.above(name); ok && above.Kind == Bind {
		return fmt.Errorf("show the program a %q of its own: %w: make an empty file there", name, err)
	}
	if b.mounts[at.path].Kind == Text {
		return nil
	}
	maps.Copy(b.links, at.links)
	b.mounts[at.path] = Mount{Kind: Text, Target: at.path, Source: text, Access: Read}
	return nil
}
