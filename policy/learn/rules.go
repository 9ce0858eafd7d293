package learn

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/callgate/callgate/abi"
	"github.com/callgate/callgate/filter"
	"github.com/callgate/callgate/policy"
)

// Rule is a rule that was learnt, and what used it.
type Rule struct {
	policy.Rule
	Comment string
}

// lets reports whether a call is allowed already.
type lets func(call string, args []policy.Arg) bool

// rules returns rules for the calls that are not allowed yet: those without
// conditions together by the groups they are of, the others one by one.
func (l *Ledger) rules(allowed lets) []Rule {
	var out []Rule
	for _, name := range slices.Sorted(maps.Keys(l.calls)) {
		c := l.calls[name]
		if c.plain() {
			continue
		}
		out = append(out, l.conditional(name, c, allowed)...)
	}
	return append(l.plainRules(allowed), out...)
}

func (c *call) plain() bool { return c.any || len(c.shapes) == 0 }

func (l *Ledger) plainRules(allowed lets) []Rule {
	type list struct {
		calls []string
		users users
	}
	lists := map[string]*list{}
	for _, name := range slices.Sorted(maps.Keys(l.calls)) {
		if c := l.calls[name]; c.plain() && !allowed(name, nil) {
			of := groupOf(name)
			if lists[of] == nil {
				lists[of] = &list{}
			}
			lists[of].calls = append(lists[of].calls, name)
			lists[of].users.join(c.users)
		}
	}
	var out []Rule
	for _, of := range slices.Sorted(maps.Keys(lists)) {
		out = append(out, newRule(lists[of].calls, nil, of+": "+lists[of].users.String()))
	}
	return out
}

// groupOf is the group that tells what a call is about.
func groupOf(call string) string {
	for _, g := range policy.Groups() {
		if slices.ContainsFunc(g.Calls, func(n policy.Name) bool { return n.Text == call }) {
			return g.Name
		}
	}
	return "others"
}

func newRule(calls []string, when []policy.Condition, comment string) Rule {
	r := policy.Rule{Then: policy.Do(filter.ActionAllow), When: when}
	for _, name := range calls {
		r.Calls = append(r.Calls, policy.Name{Text: name})
	}
	return Rule{r, comment}
}

// conditional returns rules for the shapes of one call. Shapes that differ in the
// last argument alone share a rule, unless a mask leaves only a part of it.
func (l *Ledger) conditional(name string, c *call, allowed lets) []Rule {
	row, ok := abi.Lookup(name)
	if _, found := l.arch.Number(name); !ok || !found {
		return nil
	}
	differ := looksOf(name)
	last := len(differ) - 1
	var out []Rule
	var before shape
	var together *Rule
	var by users
	for _, s := range slices.SortedFunc(maps.Keys(c.shapes), func(a, b shape) int { return slices.Compare(a[:], b[:]) }) {
		if allowed(name, l.question(differ, s)) {
			continue
		}
		prefix := s
		prefix[last] = 0
		if together == nil || prefix != before || differ[last].mask != "" {
			out = append(out, newRule([]string{name}, l.conditions(row, differ, s), ""))
			together, before, by = &out[len(out)-1], prefix, users{}
		} else {
			condition := &together.When[last]
			if condition.Equals != "" {
				condition.In, condition.Equals = []policy.Operand{condition.Equals}, ""
			}
			condition.In = append(condition.In, l.operand(row, differ, last, s))
		}
		by.join(*c.shapes[s])
		together.Comment = by.String()
	}
	return out
}

func (l *Ledger) conditions(row *abi.Syscall, differ []look, s shape) []policy.Condition {
	var when []policy.Condition
	for i, k := range differ {
		when = append(when, policy.Condition{
			Arg: policy.Name{Text: k.arg}, Mask: policy.Operand(k.mask), Equals: l.operand(row, differ, i, s),
		})
	}
	return when
}

// question asks about a shape.
func (l *Ledger) question(differ []look, s shape) []policy.Arg {
	var args []policy.Arg
	for i, k := range differ {
		args = append(args, policy.Arg{Name: k.arg, Value: policy.Operand("0x" + strconv.FormatUint(s[i], 16))})
	}
	return args
}

// operand writes a value by its name, if it has one.
func (l *Ledger) operand(row *abi.Syscall, differ []look, i int, s shape) policy.Operand {
	_, arg, _ := argument(row, differ[i].arg)
	set := arg.Flags
	if s[i] == 0 && differ[i].mask != "" {
		return "0"
	}
	if row.Name == "setsockopt" && i == 1 {
		set = socketOptions(l.arch, s[0])
	}
	if set == nil {
		if int64(s[i]) < 0 {
			return policy.Operand(strconv.FormatInt(int64(s[i]), 10))
		}
		return policy.Operand(strconv.FormatUint(s[i], 10))
	}
	return policy.Operand(set.Format(l.arch, s[i]))
}

// socketOptions are the names of a level's options, if they are known.
func socketOptions(arch abi.Arch, level uint64) *abi.FlagSet {
	if socket, ok := abi.ParseConstant("SOL_SOCKET", arch); ok && level == socket {
		if set, ok := abi.NamedFlagSet("socket_option"); ok {
			return set
		}
	}
	return nil
}

// families returns the socket families that were used, for what a policy without
// such rules allows.
func (l *Ledger) families() []string {
	seen := map[string]bool{}
	for _, name := range []string{"socket", "socketpair"} {
		if c := l.calls[name]; c != nil {
			row, _ := abi.Lookup(name)
			for s := range c.shapes {
				seen[strings.TrimPrefix(string(l.operand(row, looksOf(name), 0, s)), "AF_")] = true
			}
		}
	}
	return slices.SortedFunc(maps.Keys(seen), cmp.Compare[string])
}
