package jail

import (
	"fmt"
	"maps"
)

// relayFiles shows the target where its resolver is, in place of the machine's. The
// machine's own names for addresses would go round the rules for names, and lead
// nowhere.
func (b *tree) relayFiles() error {
	if err := b.replace("/etc/resolv.conf", "nameserver "+RelayAddress.String()+"\n"); err != nil {
		return err
	}
	return b.replace("/etc/hosts", "127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n127.0.1.1 "+hostname+"\n")
}

// replace shows a text where the host may have a file.
func (b *tree) replace(name, text string) error {
	at := resolved{path: name}
	if r, err := b.resolver.resolve(name); err == nil {
		at = r
	} else if above, ok := b.above(name); ok && above.Kind == Bind {
		return fmt.Errorf("show the program a %q of its own: %w: make an empty file there", name, err)
	}
	maps.Copy(b.links, at.links)
	b.mounts[at.path] = Mount{Kind: Text, Target: at.path, Source: text, Access: Read}
	return nil
}
