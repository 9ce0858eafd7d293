package main

import (
	"strconv"
	"strings"
	"unicode"

	"github.com/callgate/callgate/abi"
	"github.com/callgate/callgate/internal/guard"
)

// object is what a call was about: its texts and addresses, or else the words that
// its registers have. "" is nothing worth telling.
func (s *summary) object(r guard.Refused) string {
	row, _ := r.Call.Syscall()
	var texts, words []string
	for _, m := range r.Memory {
		switch arg := &row.Args[m.Arg]; {
		case arg.Kind == abi.KindSockaddr:
			if address, ok := m.Address(); ok {
				texts = append(texts, address)
			}
		case arg.Kind == abi.KindPath && len(m.Bytes) > 0:
			texts = append(texts, plain(s.short(string(m.Bytes))))
		case arg.Kind == abi.KindString && len(m.Bytes) > 0:
			texts = append(texts, plain(string(m.Bytes)))
		}
	}
	if len(texts) > 0 {
		return strings.Join(texts, " ")
	}
	for i := range row.Args {
		if word, ok := telling(&row.Args[i], r.Call.Arch, r.Call.Args[i]); ok {
			words = append(words, word)
		}
	}
	return strings.Join(words, " ")
}

// telling is a register that says something by itself.
func telling(arg *abi.Arg, arch abi.Arch, register uint64) (string, bool) {
	value := arg.Narrow(register)
	switch arg.Kind {
	case abi.KindChoice, abi.KindIoctl:
		return arg.Format(arch, register), true
	case abi.KindFlags, abi.KindSignal, abi.KindPID:
		return arg.Format(arch, register), value != 0
	}
	return "", false
}

// short writes a path as a policy would: below the folder that the program started
// in, or its home.
func (s *summary) short(path string) string {
	for _, place := range []struct{ folder, word string }{{s.target.Dir, "."}, {s.target.Home, "~"}} {
		if rest, ok := strings.CutPrefix(path, place.folder); ok && len(place.folder) > 1 && (rest == "" || rest[0] == '/') {
			return place.word + rest
		}
	}
	return path
}

// plain quotes a program's text where it could be taken for something else.
func plain(text string) string {
	odd := func(r rune) bool {
		return !unicode.IsGraphic(r) || r == unicode.ReplacementChar || strings.ContainsRune(` ,;()"\`, r)
	}
	if text == "" || strings.ContainsFunc(text, odd) {
		return strconv.Quote(text)
	}
	return text
}

// elide leaves out the middle of a text that is too long: its end says most.
func elide(text string, limit int) string {
	letters := []rune(text)
	if len(letters) <= limit {
		return text
	}
	head := limit / 3
	return string(letters[:head]) + "…" + string(letters[len(letters)-(limit-head-1):])
}
