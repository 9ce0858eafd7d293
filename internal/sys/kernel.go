package sys

import "strings"

// KernelVersion returns the running kernel's version as MAJOR.MINOR, "6.1".
func KernelVersion() string {
	major, rest, _ := strings.Cut(KernelRelease(), ".")
	minor, _, _ := strings.Cut(rest, ".")
	if end := strings.IndexFunc(minor, func(c rune) bool { return c < '0' || c > '9' }); end >= 0 {
		minor = minor[:end]
	}
	return major + "." + minor
}
