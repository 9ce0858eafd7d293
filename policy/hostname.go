package policy

import (
	"fmt"
	"strings"
)

// Bounds of a name (RFC 1035, 2.3.4), without the dot at its end.
const (
	nameMax  = 253
	labelMax = 63
)

// CanonicalName returns a host's name, or "*." and a name, in lower case and
// without a dot at its end. The error says what is wrong with one that DNS has no
// place for.
func CanonicalName(text string) (string, error) {
	name := strings.ToLower(strings.TrimSuffix(text, "."))
	labels, wild := strings.CutPrefix(name, "*.")
	switch {
	case labels == "":
		return "", fmt.Errorf("%q is no name: write one such as example.org", text)
	case looksLikeAddress(labels):
		return "", fmt.Errorf("%q is no name: the last part of a name has a letter", text)
	case len(labels) > nameMax:
		return "", fmt.Errorf("a name of %d bytes: DNS has none longer than %d", len(labels), nameMax)
	case labels == "localhost" || strings.HasSuffix(labels, ".localhost"):
		return "", fmt.Errorf("%q is the program's own loopback: write %s for the machine's", text, HostName)
	case wild && !strings.Contains(labels, "."):
		return "", fmt.Errorf("%q is a whole top-level domain: name what lies below it", text)
	}
	for label := range strings.SplitSeq(labels, ".") {
		if err := checkLabel(label); err != nil {
			return "", fmt.Errorf("%q: %w", text, err)
		}
	}
	return name, nil
}

func checkLabel(label string) error {
	switch {
	case label == "":
		return fmt.Errorf("a part is empty: remove a dot")
	case len(label) > labelMax:
		return fmt.Errorf("a part has %d bytes: DNS has none longer than %d", len(label), labelMax)
	}
	for _, c := range label {
		switch {
		case 'a' <= c && c <= 'z', '0' <= c && c <= '9', c == '-', c == '_':
		case c > 0x7f:
			return fmt.Errorf("%q is no letter of DNS: write the name as it is registered, beginning with xn--", c)
		case c == '*':
			return fmt.Errorf("a * stands for whole parts, and at the beginning: write *.example.org")
		default:
			return fmt.Errorf("%q is no letter of DNS", c)
		}
	}
	return nil
}

// matchesName reports whether the destination names a canonical name.
func (d Destination) matchesName(name string) bool {
	if below, wild := strings.CutPrefix(d.Name, "*"); wild {
		return strings.HasSuffix(name, below) && len(name) > len(below)
	}
	return d.Name == name && name != ""
}
