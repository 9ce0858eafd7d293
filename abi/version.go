package abi

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
)

// Version is a kernel release. The third number of 2.6 releases is dropped:
// everything before 3.0 is older than any kernel callgate runs on.
type Version struct{ Major, Minor uint16 }

// ParseVersion reads the first two numbers of a release ("6.1", or what uname
// says: "6.1.0-13-amd64", "6.8-rc1").
func ParseVersion(s string) (Version, error) {
	first, rest, dotted := strings.Cut(s, ".")
	end := strings.IndexFunc(rest, func(r rune) bool { return r < '0' || r > '9' })
	if end < 0 {
		end = len(rest)
	}
	major, err := strconv.ParseUint(first, 10, 16)
	minor, minorErr := strconv.ParseUint(rest[:end], 10, 16)
	if !dotted || err != nil || minorErr != nil {
		return Version{}, fmt.Errorf("kernel version %q: want two numbers such as 6.1", s)
	}
	return Version{uint16(major), uint16(minor)}, nil
}

// Compare is negative if v came before w, 0 if they are the same release and
// positive if v came after w.
func (v Version) Compare(w Version) int {
	return cmp.Or(cmp.Compare(v.Major, w.Major), cmp.Compare(v.Minor, w.Minor))
}

// Less tells whether v came before w.
func (v Version) Less(w Version) bool { return v.Compare(w) < 0 }

// String is "6.1".
func (v Version) String() string { return fmt.Sprintf("%d.%d", v.Major, v.Minor) }
