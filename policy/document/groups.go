package document

import (
	"cmp"
	"slices"

	"github.com/callgate/callgate/policy"
)

// ParseGroups reads groups of calls: a mapping of names to lists. It returns
// them sorted by name.
func ParseGroups(file string, text []byte) ([]policy.Group, error) {
	root, err := parse(file, text)
	if err != nil {
		return nil, err
	}
	var d decoder
	var groups []policy.Group
	for _, f := range root.fields {
		g := policy.Group{Name: f.key, At: f.at}
		if d.want(f.value, sequence, f.key) {
			for _, item := range f.value.items {
				if d.want(item, scalar, f.key) {
					g.Calls = append(g.Calls, policy.Name{Text: item.text, At: item.at})
				}
			}
		}
		groups = append(groups, g)
	}
	slices.SortFunc(groups, func(a, b policy.Group) int { return cmp.Compare(a.Name, b.Name) })
	return groups, d.problems.Err()
}
