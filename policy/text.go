package policy

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// writable reports whether a path can stand in a document at all.
func writable(path string) bool {
	return utf8.ValidString(path) && !strings.ContainsFunc(path, func(r rune) bool { return r < ' ' || r == 0x7f })
}

// quoted is a path as a YAML document has it: quoted where a character of it
// could mean something else.
func quoted(path string) string {
	harmless := func(r rune) bool {
		return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || strings.ContainsRune("/._-+~@%=", r)
	}
	if strings.ContainsFunc(path, func(r rune) bool { return !harmless(r) }) {
		return strconv.Quote(path) // of its escapes YAML has all
	}
	return path
}

// printable is a path for a line of text: its name, which a program may have made
// up, stays within the line.
func printable(path string) string {
	if strings.ContainsFunc(path, func(r rune) bool { return !strconv.IsPrint(r) || r == utf8.RuneError }) {
		return strconv.Quote(path)
	}
	return path
}

// UnmarshalText reads a path, with '-' before one that may be missing.
func (p *Path) UnmarshalText(text []byte) error {
	rest, optional := strings.CutPrefix(string(text), "-")
	switch {
	case rest == "~" || strings.HasPrefix(rest, "~/"):
	case rest == "." || strings.HasPrefix(rest, "./"):
	case strings.HasPrefix(rest, "/"):
	case rest == ".." || strings.HasPrefix(rest, "../"):
		return fmt.Errorf("%q leaves the starting directory: write an absolute path", text)
	case rest == "":
		return errors.New(`an empty path: write "." for the starting directory`)
	default:
		return fmt.Errorf("%q is not a path: begin it with /, ~/ or ./", text)
	}
	if strings.Contains("/"+rest+"/", "/../") {
		return fmt.Errorf("%q has a .. in it: write the path without", text)
	}
	if strings.ContainsAny(rest, "\x00\n") {
		return fmt.Errorf("%q has a control character in it: remove it", text)
	}
	parsed, err := ParsePath(rest)
	if err != nil {
		return err
	}
	if parsed.Pattern && optional {
		return fmt.Errorf("%q may fit nothing anyway: remove the -", text)
	}
	p.Text, p.Pattern, p.Optional = parsed.Text, parsed.Pattern, optional
	return nil
}

// MarshalText writes the path as a document has it.
func (p Path) MarshalText() ([]byte, error) {
	text := p.Text
	if !p.Pattern {
		text = escape(text)
	}
	if p.Optional {
		text = "-" + text
	}
	return []byte(text), nil
}

// UnmarshalText reads a version such as "6.1".
func (v *Version) UnmarshalText(text []byte) error {
	major, minor, ok := strings.Cut(string(text), ".")
	a, errA := strconv.ParseUint(major, 10, 8)
	b, errB := strconv.ParseUint(minor, 10, 8)
	if !ok || errA != nil || errB != nil || a == 0 {
		return fmt.Errorf("%q is not a kernel version: write it as 6.1", text)
	}
	v.Major, v.Minor = int(a), int(b)
	return nil
}

// MarshalText writes the version.
func (v Version) MarshalText() ([]byte, error) { return []byte(v.String()), nil }

// String returns "6.1", or "" for the zero Version.
func (v Version) String() string {
	if v.IsZero() {
		return ""
	}
	return fmt.Sprintf("%d.%d", v.Major, v.Minor)
}

// IsZero reports whether the version is none, wherever it was written.
func (v Version) IsZero() bool { return v.Major == 0 && v.Minor == 0 }

// AtLeast reports whether v is w or newer.
func (v Version) AtLeast(w Version) bool {
	return v.Major > w.Major || v.Major == w.Major && v.Minor >= w.Minor
}

var placeWords = [...]string{Private: "private", Host: "host", None: "none"}

// UnmarshalText reads "private", "host" or "none".
func (p *Place) UnmarshalText(text []byte) error {
	i, err := word(text, placeWords[:])
	*p = Place(i)
	return err
}

// MarshalText writes the place.
func (p Place) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// String returns the place's word.
func (p Place) String() string { return placeWords[p] }

var networkWords = [...]string{NoNetwork: "none", HostNetwork: "host", RelayNetwork: "relay"}

// UnmarshalText reads "none", "host" or "relay".
func (m *NetworkMode) UnmarshalText(text []byte) error {
	i, err := word(text, networkWords[:])
	*m = NetworkMode(i)
	return err
}

// MarshalText writes the mode.
func (m NetworkMode) MarshalText() ([]byte, error) { return []byte(m.String()), nil }

// String returns the mode's word.
func (m NetworkMode) String() string { return networkWords[m] }

// word returns the index of text among words.
func word(text []byte, words []string) (int, error) {
	for i, w := range words {
		if string(text) == w {
			return i, nil
		}
	}
	return 0, fmt.Errorf("%q is not known: %s", text, Suggest(string(text), words))
}
