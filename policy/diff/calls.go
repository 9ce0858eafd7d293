package diff

import (
	"fmt"
	"slices"
	"strings"

	"github.com/callgate/callgate/abi"
	"github.com/callgate/callgate/filter"
	"github.com/callgate/callgate/internal/region"
	"github.com/callgate/callgate/policy"
)

// calls compares what the filters of two policies make of every call.
func calls(a, b *policy.Policy, t policy.Target) ([]Change, error) {
	first, err := a.Filter(t)
	if err != nil {
		return nil, err
	}
	second, err := b.Filter(t)
	if err != nil {
		return nil, err
	}
	changes := foreign(a, b, first, second)
	for _, x := range tablesOf(first) {
		y, ok := find(tablesOf(second), x.table.Arch)
		if !ok {
			continue // foreign has told of a numbering that one of them lacks
		}
		for nr, call := range x.table.Arch.Syscalls() {
			found, err := compare(call, x.of(nr), y.of(nr), x.table.Arch)
			if err != nil {
				return nil, fmt.Errorf("compare %s: %w", call.Name, err)
			}
			if x.table.Arch != first.Filter.Tables[0].Arch {
				found = news(found, changes, x.table.Arch)
			}
			changes = append(changes, found...)
		}
	}
	return changes, nil
}

// news drops the changes of a further numbering that the machine's own has too,
// and says of the others whose they are.
func news(found, known []Change, arch abi.Arch) []Change {
	var out []Change
	for _, c := range found {
		same := slices.ContainsFunc(known, func(k Change) bool {
			return k.What == c.What && k.From == c.From && k.To == c.To && k.Where == c.Where
		})
		if !same {
			c.What = arch.String() + " " + c.What
			out = append(out, c)
		}
	}
	return out
}

// foreign compares which numberings the policies know, and what becomes of the
// others.
func foreign(a, b *policy.Policy, first, second *policy.Compiled) []Change {
	var changes []Change
	word := func(c *policy.Compiled, arch abi.Arch) (string, bool) {
		if _, ok := find(tablesOf(c), arch); ok {
			return "by the rules", true
		}
		return policy.Do(c.Filter.Foreign).String(), policy.Do(c.Filter.Foreign).Lets()
	}
	native := first.Filter.Tables[0].Arch
	for _, arch := range native.Companions() {
		from, lets := word(first, arch)
		to, letsToo := word(second, arch)
		if from != to {
			changes = append(changes, Change{
				Section: "syscalls", What: "every " + arch.String() + " call", From: from, To: to,
				Sense: between(lets, letsToo), A: a.Syscalls.Foreign.At, B: b.Syscalls.Foreign.At,
			})
		}
	}
	return changes
}

func between(a, b bool) Sense {
	switch {
	case a && !b:
		return Narrower
	case b && !a:
		return Wider
	}
	return Other
}

// table is one numbering's rules by call.
type table struct {
	table   *filter.Table
	origins []policy.Origin
	byCall  map[abi.Sysno][]clause
}

// clause is one rule of a call; the last of a call has no conditions.
type clause struct {
	when []filter.Cond
	then filter.Action
	at   policy.Origin
}

func tablesOf(c *policy.Compiled) []table {
	out := make([]table, len(c.Filter.Tables))
	for i := range c.Filter.Tables {
		out[i] = table{table: &c.Filter.Tables[i], origins: c.Origins[i], byCall: make(map[abi.Sysno][]clause)}
		for j, r := range out[i].table.Rules {
			out[i].byCall[r.Nr] = append(out[i].byCall[r.Nr], clause{r.When, r.Then, c.Origins[i][j]})
		}
	}
	return out
}

func find(tables []table, arch abi.Arch) (table, bool) {
	i := slices.IndexFunc(tables, func(t table) bool { return t.table.Arch == arch })
	if i < 0 {
		return table{}, false
	}
	return tables[i], true
}

// of returns a call's clauses, of which the last fits always.
func (t table) of(nr abi.Sysno) []clause {
	list := t.byCall[nr]
	if len(list) > 0 && len(list[len(list)-1].when) == 0 {
		return list
	}
	return append(slices.Clone(list), clause{then: t.table.Default})
}

// compare returns where two lists of clauses decide differently.
func compare(call *abi.Syscall, a, b []clause, arch abi.Arch) ([]Change, error) {
	if slices.EqualFunc(a, b, func(x, y clause) bool { return x.then == y.then && slices.EqualFunc(x.when, y.when, sameCond) }) {
		return nil, nil
	}
	first, err := regions(a)
	if err != nil {
		return nil, err
	}
	second, err := regions(b)
	if err != nil {
		return nil, err
	}
	var changes []Change
	for i, x := range a {
		for j, y := range b {
			if x.then == y.then {
				continue
			}
			both, err := first[i].And(second[j])
			if err != nil {
				return nil, err
			}
			if len(both) == 0 {
				continue
			}
			from, to := policy.Do(x.then), policy.Do(y.then)
			changes = append(changes, Change{
				Section: "syscalls", What: call.Name, Where: where(call, arch, a, b, i, j),
				From: from.String(), To: to.String(), Sense: between(from.Lets(), to.Lets()), A: x.at, B: y.at,
			})
		}
	}
	return changes, nil
}

func sameCond(a, b filter.Cond) bool {
	return a.Arg == b.Arg && a.Op == b.Op && a.Mask == b.Mask && a.Bits == b.Bits && a.Signed == b.Signed && slices.Equal(a.Values, b.Values)
}

// regions returns the registers that each clause decides.
func regions(list []clause) ([]region.Set, error) {
	out := make([]region.Set, len(list))
	left := region.All()
	for i, c := range list {
		set, err := region.Of(c.when)
		if err != nil {
			return nil, err
		}
		if out[i], err = left.And(set); err != nil {
			return nil, err
		}
		if left, err = left.Minus(set); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// where describes what clause i of a and clause j of b decide: by their
// conditions, or as the rest of what the others do.
func where(call *abi.Syscall, arch abi.Arch, a, b []clause, i, j int) string {
	var parts []string
	for _, c := range slices.Concat(a[i].when, b[j].when) {
		if text := condText(call, arch, c); !slices.Contains(parts, text) {
			parts = append(parts, text)
		}
	}
	if len(parts) == 0 && len(a)+len(b) > 2 {
		return "otherwise"
	}
	return strings.Join(parts, ", ")
}

var signs = [...]string{
	filter.Equal: "==", filter.NotEqual: "!=", filter.Less: "<", filter.LessEqual: "<=",
	filter.Greater: ">", filter.GreaterEqual: ">=", filter.MaskedEqual: "==",
}

// condText writes a condition as C would.
func condText(call *abi.Syscall, arch abi.Arch, c filter.Cond) string {
	name := fmt.Sprintf("argument %d", c.Arg)
	value := func(v uint64) string { return fmt.Sprintf("%#x", v) }
	if c.Arg < len(call.Args) {
		arg := &call.Args[c.Arg]
		name = arg.Name
		value = func(v uint64) string { return arg.Format(arch, v) }
	}
	switch c.Op {
	case filter.MaskedEqual:
		return fmt.Sprintf("%s & %s == %s", name, value(c.Mask), value(c.Values[0]))
	case filter.Range:
		return fmt.Sprintf("%s <= %s <= %s", value(c.Values[0]), name, value(c.Values[1]))
	case filter.In:
		var values []string
		for _, v := range c.Values {
			values = append(values, value(v))
		}
		return fmt.Sprintf("%s in {%s}", name, strings.Join(values, ", "))
	}
	return fmt.Sprintf("%s %s %s", name, signs[c.Op], value(c.Values[0]))
}
