package event

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/callgate/callgate/abi"
)

var openat = abi.Call{Arch: abi.AMD64, Nr: 257, Args: [6]uint64{1<<64 - 100, 0x7ffc1000, 0, 0}}

func examples() map[string]Event {
	return map[string]Event{
		`sh[412] openat(AT_FDCWD, "/etc/shadow", O_RDONLY, 0) = -1 EACCES: /etc/shadow is hidden (preset default:46)`: {
			Time: time.Date(2026, 11, 22, 9, 8, 7, 654321, time.UTC),
			Task: Task{PID: 411, TID: 412, Program: "sh"}, Call: openat,
			Memory:  []Memory{{Arg: 1, Bytes: []byte("/etc/shadow")}},
			Outcome: Refused, Errno: abi.EACCES,
			Why: Why{Text: "/etc/shadow is hidden", Rule: "preset default:46", Wall: "files", Cure: "files:\n  ro: [/etc/shadow]"},
		},
		`sh[1] openat(AT_FDCWD, "a\nb\xff", O_RDONLY, 0) = 5`: {
			Task: Task{TID: 1, Program: "sh"}, Call: openat,
			Memory: []Memory{{Arg: 1, Bytes: []byte("a\nb\xff")}}, Outcome: Given, Result: 5,
		},
		`sh[1] openat(AT_FDCWD, "/a/lo"..., O_RDONLY, 0) = ? (given)`: {
			Task: Task{TID: 1, Program: "sh"}, Call: openat,
			Memory: []Memory{{Arg: 1, Bytes: []byte("/a/lo"), Size: 4095}}, Outcome: Given, Result: -1,
		},
		`sh[1] openat(AT_FDCWD, "", O_RDONLY, 0) = ? (advisory)`: {
			Task: Task{TID: 1, Program: "sh"}, Call: openat,
			Memory: []Memory{{Arg: 1, Bytes: []byte{}}}, Outcome: Allowed, Advisory: true,
		},
		`sh[1] openat(AT_FDCWD, "/etc/shadow", O_RDONLY, 0) = ? (EACCES expected): /etc/shadow is hidden`: {
			Task: Task{TID: 1, Program: "sh"}, Call: openat,
			Memory: []Memory{{Arg: 1, Bytes: []byte("/etc/shadow")}}, Outcome: Allowed, Errno: abi.EACCES,
			Why: Why{Text: "/etc/shadow is hidden"},
		},
		`"sh[2] x"[1] openat(AT_FDCWD, 0x7ffc1000, O_RDONLY, 0) = ? (gone)`: {
			Task: Task{TID: 1, Program: "sh[2] x"}, Call: openat, Outcome: Gone,
		},
		`sh[1] getppid() = 1099511627776`: {
			Task: Task{TID: 1, Program: "sh"}, Call: abi.Call{Arch: abi.AMD64, Nr: 110}, Outcome: Emulated, Result: 1 << 40,
		},
		`[1] arm64:5000(0x1, 0, 0, 0, 0, 0xffffffffffffffff) = -1 errno 4000`: {
			Task: Task{TID: 1}, Call: abi.Call{Arch: abi.ARM64, Nr: 5000, Args: [6]uint64{0: 1, 5: 1<<64 - 1}},
			Outcome: Refused, Errno: 4000,
		},
	}
}

func TestString(t *testing.T) {
	for want, e := range examples() {
		if got := e.String(); got != want {
			t.Errorf("String() =\n%s; want\n%s", got, want)
		}
	}
}

func TestLongTextsAreCut(t *testing.T) {
	e := Event{Call: openat, Memory: []Memory{{Arg: 1, Bytes: []byte(strings.Repeat("x", 5000))}}, Outcome: Gone}
	if got := e.String(); len(got) > 400 || !strings.Contains(got, `xxx"..., O_RDONLY`) {
		t.Errorf("String() = %s (%d bytes); want the path cut", got, len(got))
	}
}

func TestAddress(t *testing.T) {
	for _, c := range []struct {
		in   string
		want string
	}{
		{"\x02\x00\x01\xbb\xc0\x00\x02\x01........", "192.0.2.1:443"},
		{"\x0a\x00\x00\x50....\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01....", "[2001:db8::1]:80"},
		{"\x0a\x00\x00\x50....\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\xff\xff\x7f\x00\x00\x01....", "127.0.0.1:80"},
		{"\x01\x00/run/a\x00rest", "/run/a"},
		{"\x01\x00/run/a b", `"/run/a b"`},
		{"\x01\x00\x00name\x00", `"@name\x00"`},
		{"\x01\x00", ""}, // unnamed
		{"\x02\x00\x01\xbb\xc0\x00\x02", ""},
		{"\x10\x00\x00\x00\x00\x00\x00\x00\x00\x00", ""}, // netlink
		{"\x02", ""},
	} {
		if got, ok := (Memory{Bytes: []byte(c.in)}).Address(); got != c.want || ok != (c.want != "") {
			t.Errorf("Address() of %q = %q, %v; want %q", c.in, got, ok, c.want)
		}
	}
	e := Event{Call: abi.Call{Arch: abi.AMD64, Nr: 42, Args: [6]uint64{3, 0x7ffc1000, 16}}, Memory: []Memory{{Arg: 1, Bytes: []byte("\x02\x00\x01\xbb\xc0\x00\x02\x01")}}}
	if got, want := e.CallString(), "connect(3, 192.0.2.1:443, 16)"; got != want {
		t.Errorf("CallString() = %s; want %s", got, want)
	}
}

func TestCut(t *testing.T) {
	for _, c := range []struct {
		in    Memory
		limit int
		want  Memory
	}{
		{Memory{Arg: 1, Bytes: []byte("abc")}, 3, Memory{Arg: 1, Bytes: []byte("abc")}},
		{Memory{Arg: 1, Bytes: []byte("abc")}, 2, Memory{Arg: 1, Bytes: []byte("ab"), Size: 3}},
		{Memory{Bytes: []byte("aé")}, 2, Memory{Bytes: []byte("a"), Size: 3}},
		{Memory{Bytes: []byte("a\xff\xfe")}, 2, Memory{Bytes: []byte("a\xff"), Size: 3}},
		{Memory{Bytes: []byte("abc"), Size: 9}, 1, Memory{Bytes: []byte("a"), Size: 9}},
		{Memory{Bytes: []byte("abc")}, 0, Memory{Bytes: []byte{}, Size: 3}},
	} {
		if diff := cmp.Diff(c.want, c.in.Cut(c.limit)); diff != "" {
			t.Errorf("Cut(%q, %d) (-want +got):\n%s", c.in.Bytes, c.limit, diff)
		}
	}
}

func TestJSONBothWays(t *testing.T) {
	for name, want := range examples() {
		text, err := json.Marshal(want)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if strings.Contains(string(text), "\n") {
			t.Errorf("%s: %s is more than a line", name, text)
		}
		var got Event
		if err := json.Unmarshal(text, &got); err != nil {
			t.Errorf("%s: read %s: %v", name, text, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: through %s (-want +got):\n%s", name, text, diff)
		}
	}
}

func TestJSON(t *testing.T) {
	const want = `{"time":"2026-11-22T09:08:07.000654321Z","pid":411,"tid":412,"program":"sh","arch":"amd64","call":"openat","nr":257,` +
		`"registers":["0xffffffffffffff9c","0x7ffc1000","0x0","0x0","0x0","0x0"],"memory":[{"arg":1,"text":"/etc/shadow"}],` +
		`"outcome":"refused","errno":"EACCES","why":"/etc/shadow is hidden","rule":"preset default:46","wall":"files",` +
		`"cure":"files:\n  ro: [/etc/shadow]"}`
	for name, e := range examples() {
		if e.Outcome != Refused || e.Call != openat {
			continue
		}
		if got, err := json.Marshal(e); string(got) != want || err != nil {
			t.Errorf("%s: Marshal() = %s, %v; want %s", name, got, err, want)
		}
	}
}

func TestReadErrors(t *testing.T) {
	const six = `"registers":["0","0","0","0","0","0"]`
	for text, want := range map[string]string{
		`[]`:                                 "read an event: json: ",
		`{"arch":"vax"}`:                     `read an event: "vax" is no architecture`,
		`{"arch":"amd64","outcome":"maybe"}`: `read an event: "maybe" is no outcome`,
		`{"arch":"amd64","outcome":"gone"}`:  "read an event: 0 registers: a call has 6",
		`{"arch":"amd64","outcome":"gone","registers":["0","0","x","0","0","0"]}`:                 "read an event: register 2: ",
		`{"arch":"amd64","outcome":"gone",` + six + `,"memory":[{"arg":6}]}`:                      "read an event: memory of argument 6: ",
		`{"arch":"amd64","outcome":"refused",` + six + `,"errno":"ENOTHING"}`:                     `read an event: "ENOTHING" is no errno`,
		`{"arch":"amd64","outcome":"refused",` + six + `,"errno":"errno 1e5"}`:                    `read an event: "errno 1e5" is no errno`,
		`{"arch":"amd64","outcome":"emulated",` + six + `}`:                                       "read an event: a call that was emulated has no result",
		`{"arch":"amd64","outcome":"gone",` + six + `,"memory":[{"arg":1,"text":"ab","size":2}]}`: "read an event: memory of argument 1: the first 2 bytes of 2",
	} {
		e := Event{Result: 77}
		if err := json.Unmarshal([]byte(text), &e); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("Unmarshal(%s) = %v; want %s…", text, err, want)
		}
		if e.Result != 77 {
			t.Errorf("Unmarshal(%s) changed the event", text)
		}
	}
}

func TestOutcomes(t *testing.T) {
	for o := Allowed; o <= Gone; o++ {
		if got, ok := ParseOutcome(o.String()); got != o || !ok {
			t.Errorf("ParseOutcome(%q) = %v, %v; want %v", o.String(), got, ok, o)
		}
	}
	for _, word := range []string{"", "none", "Allowed"} {
		if got, ok := ParseOutcome(word); ok {
			t.Errorf("ParseOutcome(%q) = %v; want none", word, got)
		}
	}
	if got := Outcome(99).String(); got != "none" {
		t.Errorf("Outcome(99) = %q; want none", got)
	}
}

// What can be read is written and read again as the same.
func FuzzJSON(f *testing.F) {
	for _, e := range examples() {
		text, err := json.Marshal(e)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var first, second Event
		if json.Unmarshal(text, &first) != nil {
			return
		}
		again, err := json.Marshal(first)
		if err != nil {
			t.Fatalf("write %s: %v", first, err)
		}
		if err := json.Unmarshal(again, &second); err != nil {
			t.Fatalf("read %s: %v", again, err)
		}
		if first.String() != second.String() || strings.Contains(second.String(), "\n") {
			t.Errorf("%s became %s", first, second)
		}
	})
}
