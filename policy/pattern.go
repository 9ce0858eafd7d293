package policy

import (
	"errors"
	"fmt"
	"path"
	"strings"
)

// wildcards are what makes a path a pattern.
const wildcards = "*?["

// The most that a pattern may hold: a folder's standing among patterns is a bit
// for each part of each.
const (
	maxPatternParts = 63
	maxPatterns     = 256
)

// ParsePath reads a path as a document writes it, without the '-' of one that
// may be missing: plain, or a pattern. A class of one character stands for that
// character, so that "[*]" is a star.
func ParsePath(text string) (Path, error) {
	if !strings.ContainsAny(text, wildcards) {
		return Path{Text: text}, nil
	}
	parts := strings.Split(text, "/")
	plain := true
	for i, part := range parts {
		if strings.Contains(part, "**") && part != "**" {
			return Path{}, fmt.Errorf("%q has ** beside other characters: ** stands alone between slashes, for any folders: write * for any characters of a name", text)
		}
		part, err := parsePart(part)
		if err != nil {
			return Path{}, fmt.Errorf("%q is no pattern: %w", text, err)
		}
		parts[i] = part
		plain = plain && !isWild(part)
	}
	if plain {
		for i, part := range parts {
			parts[i] = unescape(part)
		}
		return Path{Text: strings.Join(parts, "/")}, nil
	}
	return Path{Text: strings.Join(parts, "/"), Pattern: true}, nil
}

// parsePart checks the pattern of one name, and writes "[!a]" as "[^a]".
func parsePart(part string) (string, error) {
	if strings.Contains(part, `\`) {
		return "", errors.New(`a backslash takes no meaning away: write [*], [?] and [[] for the characters themselves`)
	}
	part = strings.ReplaceAll(part, "[!", "[^")
	if _, err := path.Match(part, "x"); err != nil {
		return "", errors.New("a [ is never closed, or a class is empty: write [a-z], or [[] for the character itself")
	}
	if reversed := emptyRange(part); reversed != "" {
		return "", fmt.Errorf("the range %s holds no character: write the lower one first", reversed)
	}
	return part, nil
}

// emptyRange returns a range of a well-formed pattern's classes that ends before it
// begins, or "".
func emptyRange(part string) string {
	inside := false
	characters := []rune(part)
	for i := 0; i < len(characters); i++ {
		switch c := characters[i]; {
		case !inside:
			inside = c == '['
			if inside && i+1 < len(characters) && characters[i+1] == '^' {
				i++
			}
		case c == ']':
			inside = false
		case i+2 < len(characters) && characters[i+1] == '-':
			if c > characters[i+2] {
				return string(characters[i : i+3])
			}
			i += 2
		}
	}
	return ""
}

// isWild reports whether the pattern of a name fits more than one name.
func isWild(part string) bool { return strings.ContainsAny(unescapeWith(part, ""), wildcards) }

// unescape replaces the classes of one wildcard by that character.
func unescape(part string) string {
	return strings.NewReplacer("[*]", "*", "[?]", "?", "[[]", "[").Replace(part)
}

// unescapeWith replaces them by something else.
func unescapeWith(part, with string) string {
	return strings.NewReplacer("[*]", with, "[?]", with, "[[]", with).Replace(part)
}

// escape writes a plain path as a pattern that fits nothing else.
func escape(text string) string {
	return strings.NewReplacer("*", "[*]", "?", "[?]", "[", "[[]").Replace(text)
}

// literals counts the characters of a pattern that fit only themselves.
func literals(parts []string) (n int) {
	for _, part := range parts {
		part = unescapeWith(part, "x")
		for part != "" {
			switch part[0] {
			case '[':
				part = part[strings.IndexByte(part[2:], ']')+2:] // a class holds a character at least
			case '*', '?':
			default:
				n++
			}
			part = part[1:]
		}
	}
	return n
}

// fits reports whether the pattern of a name fits a name.
func fits(part, name string) bool {
	if !strings.ContainsAny(part, wildcards) {
		return part == name
	}
	ok, err := path.Match(part, name)
	return ok && err == nil
}
