package policy

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/callgate/callgate/abi"
)

func isCall(name string) bool {
	_, ok := abi.Lookup(name)
	return ok
}

// suggestCall returns a cure for a misspelt call.
func suggestCall(name string) string {
	near := abi.Nearest(name, 2)
	if len(near) == 0 {
		return "syscalls(2) lists them"
	}
	return fmt.Sprintf("did you mean %s?", strings.Join(near, " or "))
}

// hasHandler reports whether any kernel has had the call: some numbers were
// only ever reserved.
func hasHandler(call *abi.Syscall) bool { return call.Since != abi.Version{} }

// sinceOf returns the kernel that brought the call.
func sinceOf(call *abi.Syscall) Version {
	return Version{Major: int(call.Since.Major), Minor: int(call.Since.Minor)}
}

// argumentIndex finds an argument by its index, its name in the kernel, or the
// last word of that: flags is clone's clone_flags.
func argumentIndex(call *abi.Syscall, name string) (int, error) {
	if i, err := strconv.Atoi(name); err == nil {
		if i < 0 || i >= len(call.Args) {
			return 0, fmt.Errorf("%s has no argument %d: it takes %s", call.Name, i, argumentList(call))
		}
		return i, nil
	}
	if i := indexOf(call, name); i >= 0 {
		return i, nil
	}
	return 0, fmt.Errorf("%s has no argument %q: it takes %s", call.Name, name, argumentList(call))
}

// indexOf is argumentIndex for names alone, or -1.
func indexOf(call *abi.Syscall, name string) int {
	i := slices.IndexFunc(call.Args, func(a abi.Arg) bool { return a.Name == name })
	if i < 0 {
		i = slices.IndexFunc(call.Args, func(a abi.Arg) bool { return strings.HasSuffix(a.Name, "_"+name) })
	}
	return i
}

// argumentList returns "fd (0), cmd (1) and arg (2)", for errors.
func argumentList(call *abi.Syscall) string {
	if len(call.Args) == 0 {
		return "none"
	}
	names := make([]string, len(call.Args))
	for i, a := range call.Args {
		names[i] = fmt.Sprintf("%s (%d)", a.Name, i)
	}
	last := len(names) - 1
	if last == 0 {
		return names[0]
	}
	return strings.Join(names[:last], ", ") + " and " + names[last]
}

// width is how many bits of an argument the kernel looks at, 32 or 64.
func width(arg *abi.Arg, arch abi.Arch) int {
	if arg.Bits <= 32 || arch == abi.I386 || arch == abi.ARM {
		return 32
	}
	return 64
}

// nearestConstant returns a constant whose name is like a misspelt one, or "".
func nearestConstant(name string) string {
	var names []string
	for set := range abi.FlagSets() {
		for n := range set.Values(abi.AMD64) {
			if len(n) >= len(name)-3 && len(n) <= len(name)+3 {
				names = append(names, n)
			}
		}
	}
	return nearest(name, names)
}

// familyNames returns the socket families as the network section names them.
func familyNames() []string {
	names := []string{netlinkRoute}
	if set, ok := abi.NamedFlagSet("family"); ok {
		for name := range set.Values(abi.AMD64) {
			names = append(names, strings.ToLower(strings.TrimPrefix(name, "AF_")))
		}
	}
	return names
}

// familyName returns the name of a family's number.
func familyName(number uint64) string {
	if set, ok := abi.NamedFlagSet("family"); ok {
		for name, value := range set.Values(abi.AMD64) {
			if value == number {
				return strings.ToLower(strings.TrimPrefix(name, "AF_"))
			}
		}
	}
	return strconv.FormatUint(number, 10)
}

func capabilityNames() []string {
	var names []string
	for c := abi.Capability(0); c <= abi.LastCapability; c++ {
		names = append(names, c.String())
	}
	return names
}
