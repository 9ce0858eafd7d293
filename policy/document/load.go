package document

import (
	"fmt"

	"github.com/callgate/callgate/policy"
)

// Load reads the named documents with all that they extend, checks each, and
// merges them as [policy.Load] does. Files are read with read: os.ReadFile is
// one.
func Load(read func(file string) ([]byte, error), names ...string) (*policy.Policy, error) {
	return policy.Load(func(file string) (*policy.Policy, error) {
		text, err := read(file)
		if err != nil {
			return nil, fmt.Errorf("read policy: %w", err)
		}
		p, err := Parse(file, text)
		if err != nil {
			return nil, err
		}
		return p, p.Check()
	}, names...)
}
