// Skips reads what `go test -json` or `go tool test2json` writes and lists the
// tests that skipped, each with its reason. It ends with 1 if one skipped for
// another reason than a kernel that lacks something: on a machine where the
// tests run as root and every package they need is installed, no other reason
// is a good one.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
)

func main() {
	bad, err := run(os.Stdin, os.Stdout)
	if err != nil {
		fmt.Fprintf(os.Stderr, "skips: read test events: %v\n", err)
		os.Exit(2)
	}
	if bad > 0 {
		fmt.Fprintf(os.Stderr, "skips: %d tests skipped without the kernel lacking anything\n", bad)
		os.Exit(1)
	}
}

// event is one line of test2json (go doc test2json).
type event struct {
	Action  string
	Package string
	Test    string
	Output  string
}

// reason finds a message of t.Skip in a test's output.
var reason = regexp.MustCompile(`^\s*\w+_test\.go:\d+: (.*)`)

// run prints each skip in the order they happened and counts the bad ones.
func run(r io.Reader, w io.Writer) (bad int, err error) {
	said := map[string]string{} // the last message of each test that still runs
	events := json.NewDecoder(r)
	for {
		var e event
		if err := events.Decode(&e); errors.Is(err, io.EOF) {
			return bad, nil
		} else if err != nil {
			return bad, err
		}
		name := e.Package + " " + e.Test
		switch e.Action {
		case "output":
			if found := reason.FindStringSubmatch(e.Output); found != nil {
				said[name] = found[1]
			}
		case "pass", "fail":
			delete(said, name)
		case "skip":
			if e.Test == "" {
				continue // a package without tests
			}
			mark := ""
			if !strings.HasPrefix(said[name], "kernel lacks: ") {
				mark, bad = "BAD ", bad+1
			}
			fmt.Fprintf(w, "%sskip %s: %s\n", mark, strings.TrimSpace(name), said[name])
		}
	}
}
