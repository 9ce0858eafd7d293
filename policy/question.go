package policy

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/callgate/callgate/abi"
)

// ParseQuestion reads a question as people write one on a command line, such as
// "openat /etc/shadow O_RDWR", "socket AF_NETLINK" or "connect :443".
//
// A word with a '=' names its argument (flags=O_RDWR, port=443, path=/x); one
// that looks like a path is the path, and ":443" or "host:443" the port. The
// others are the call's arguments in order: the descriptor is passed over by
// names of constants, and the path by everything. Brackets, commas and quotes
// are passed over, so that a line of strace is understood too.
func ParseQuestion(call string, words []string) (Question, error) {
	if name, first, found := strings.Cut(call, "("); found {
		call, words = name, append([]string{first}, words...)
	}
	q := Question{Call: call}
	row, ok := abi.Lookup(call)
	if !ok {
		return q, fmt.Errorf("no call %q: %s", call, suggestCall(call))
	}
	next := 0
	for _, word := range words {
		word = strings.Trim(word, `,"()`)
		if word == "" {
			continue
		}
		if err := q.word(row, word, &next); err != nil {
			return q, fmt.Errorf("%s: %w", call, err)
		}
	}
	return q, nil
}

func (q *Question) word(row *abi.Syscall, word string, next *int) error {
	name, value, named := strings.Cut(word, "=")
	switch {
	case named && name == "path":
		return q.setPath(row, value)
	case named && name == "port":
		return q.setPort(value)
	case named && name == "host":
		q.Host = value
		return nil
	case named:
		return q.setArg(row, name, value)
	case looksLikePath(word):
		return q.setPath(row, word)
	case isPortCall(row.Name) && strings.Contains(word, ":"):
		colon := strings.LastIndexByte(word, ':')
		q.Host = strings.Trim(word[:colon], "[]")
		return q.setPort(word[colon+1:])
	}
	isName := word[0] != '-' && (word[0] < '0' || word[0] > '9')
	for *next < len(row.Args) {
		i := *next
		*next++
		switch {
		case row.Args[i].Kind == abi.KindPath, isName && isDescriptor(&row.Args[i]) && word != "AT_FDCWD":
			continue
		}
		return q.setArg(row, strconv.Itoa(i), word)
	}
	return fmt.Errorf("%q is one argument too many: it takes %s", word, argumentList(row))
}

func (q *Question) setArg(row *abi.Syscall, name, value string) error {
	i, err := argumentIndex(row, name)
	if err != nil {
		return err
	}
	q.Args = append(q.Args, Arg{Name: row.Args[i].Name, Value: Operand(value)})
	return nil
}

func (q *Question) setPath(row *abi.Syscall, word string) error {
	if q.Path != "" {
		return fmt.Errorf("%q is a second path: ask about one at a time", word)
	}
	q.Path = word
	return checkPath(row, word)
}

func (q *Question) setPort(word string) error {
	port, err := strconv.ParseUint(word, 10, 16)
	if err != nil {
		return fmt.Errorf("%q is not a port: write a number from 0 to 65535", word)
	}
	q.Port = int(port)
	return nil
}

func looksLikePath(word string) bool {
	return word == "." || word == "~" || strings.HasPrefix(word, "/") || strings.HasPrefix(word, "./") || strings.HasPrefix(word, "~/")
}

func isDescriptor(a *abi.Arg) bool { return a.Kind == abi.KindFD || a.Kind == abi.KindDirFD }

func isPortCall(name string) bool {
	return name == "connect" || name == "bind" || name == "sendto" || name == "sendmsg" || name == "sendmmsg"
}

// checkPath complains of a path for a call that takes none.
func checkPath(row *abi.Syscall, text string) error {
	if text == "" {
		return errors.New("an empty path")
	}
	if isPortCall(row.Name) {
		return nil // the path of a Unix socket
	}
	for i := range row.Args {
		if row.Args[i].Kind == abi.KindPath {
			return nil
		}
	}
	return fmt.Errorf("%s takes no path, and was given %q: it takes %s", row.Name, text, argumentList(row))
}
