package ask

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"net"
	"strings"
	"testing"

	"github.com/callgate/callgate/abi"
	"github.com/callgate/callgate/event"
	"github.com/callgate/callgate/gate"
	"github.com/callgate/callgate/internal/guard"
)

func question(program string, lifts, saves bool) guard.Question {
	number, _ := abi.AMD64.Number("mkdir")
	return guard.Question{Event: event.Event{
		Task: event.Task{TID: 7, Program: program}, Call: abi.Call{Arch: abi.AMD64, Nr: number},
		Memory:  []event.Memory{{Arg: 0, Bytes: []byte("a\x1b[2J\ncallgate: \u202ex")}},
		Outcome: event.Refused, Errno: abi.EPERM,
		Why: event.Why{Text: "no rule allows mkdir", Rule: "x.yaml:3", Cure: "syscalls:\n  rules:\n  - {then: allow, calls: [mkdir]}\n"},
	}, Lifts: lifts, Saves: saves}
}

// Whatever a program calls itself and its files, a question is a line of ASCII.
func TestText(t *testing.T) {
	for _, program := range []string{"sh", "a\x1b]0;x\x07", "b\ncallgate: c", "\u202efdp", "é", "\xff", strings.Repeat("\u0301", 5000)} {
		text := Text(question(program, true, true))
		for _, letter := range text {
			if letter < ' ' || letter > '~' {
				t.Errorf("Text(%q) has %q in it: %s", program, letter, text)
			}
		}
		if len(text) > maxText+20 {
			t.Errorf("Text(%q) has %d bytes", program, len(text))
		}
	}
	want := `"sh" (7) asks for mkdir("a\x1b[2J\ncallgate: \u202ex", 0), refused with EPERM: no rule allows mkdir (x.yaml:3)`
	if got := Text(question("sh", true, true)); got != want {
		t.Errorf("Text() = %s; want %s", got, want)
	}
}

// A question about a file names it first, by its real path, and says that the
// policy hides it.
func TestTextOfFile(t *testing.T) {
	q := question("cat", true, true)
	q.File = &gate.File{Path: "/home/ann/\u202ekey", Access: "read", Hidden: "mine.yaml:4"}
	want := `"cat" (7) asks to read "/home/ann/\u202ekey", WHICH THE POLICY HIDES (mine.yaml:4), refused with EPERM: no rule allows mkdir (x.yaml:3)`
	if got := Text(q); got != want {
		t.Errorf("Text() = %s; want %s", got, want)
	}
}

// typist is a Console where somebody types these lines.
type typist struct {
	lines   []string
	prompts []string
}

func (c *typist) Line(ctx context.Context, prompt string) (string, error) {
	c.prompts = append(c.prompts, prompt)
	if len(c.lines) == 0 {
		return "", errors.New("nobody is there")
	}
	line := c.lines[0]
	c.lines = c.lines[1:]
	return line, nil
}

func TestTerminal(t *testing.T) {
	for _, c := range []struct {
		lines        string
		lifts, saves bool
		want         guard.Answer
		prompts      int
	}{
		{"o", true, false, guard.Once, 1},
		{"ONCE ", true, false, guard.Once, 1},
		{"a", true, true, guard.Always, 1},
		{"n", true, true, guard.Never, 1},
		{"q", true, true, guard.Quit, 1},
		{Interrupt, true, true, guard.No, 1},
		{"|x|once and for all|?|n", true, true, guard.Never, 5},
		{"o|a", false, true, guard.Always, 2},
	} {
		console := &typist{lines: strings.Split(c.lines, "|")}
		terminal := &Terminal{Console: console, File: "x.yaml\n"}
		got, err := terminal.Ask(context.Background(), question("sh", c.lifts, c.saves))
		if got != c.want || err != nil || len(console.prompts) != c.prompts {
			t.Errorf("%q: %v, %v after %d prompts; want %v after %d", c.lines, got, err, len(console.prompts), c.want, c.prompts)
		}
		if strings.Contains(console.prompts[0], "x.yaml\n") {
			t.Errorf("the file's name is not escaped: %q", console.prompts[0])
		}
	}
	if _, err := (&Terminal{Console: &typist{}}).Ask(context.Background(), question("sh", true, false)); err == nil {
		t.Error("a terminal that fails answers")
	}
}

// wire returns one, and the other side's lines.
func wire(t *testing.T) (*Wire, net.Conn, *bufio.Scanner) {
	ours, theirs := net.Pipe()
	t.Cleanup(func() { ours.Close(); theirs.Close() })
	return NewWire(ours, "x.yaml"), theirs, bufio.NewScanner(theirs)
}

type asked struct {
	answer guard.Answer
	err    error
}

func ask(w *Wire, ctx context.Context, q guard.Question) <-chan asked {
	replies := make(chan asked, 1)
	go func() {
		answer, err := w.Ask(ctx, q)
		replies <- asked{answer, err}
	}()
	return replies
}

// next reads the other side's next line.
func next(t *testing.T, lines *bufio.Scanner) (out outgoing) {
	t.Helper()
	if !lines.Scan() {
		t.Fatal(lines.Err())
	}
	if err := json.Unmarshal(lines.Bytes(), &out); err != nil {
		t.Fatalf("%s: %v", lines.Bytes(), err)
	}
	return out
}

func TestWire(t *testing.T) {
	w, peer, lines := wire(t)
	first := ask(w, context.Background(), question("sh", true, true))
	one := next(t, lines)
	if one.ID != 1 || one.Saves != "x.yaml" || len(one.Answers) != 4 || one.Event.Errno != abi.EPERM || one.Event.Task.Program != "sh" {
		t.Errorf("asked %+v", one)
	}
	about := question("sh", false, false)
	about.File = &gate.File{Path: "/x", Access: "read", Hidden: "y:1"}
	second := ask(w, context.Background(), about)
	if two := next(t, lines); two.ID != 2 || two.Saves != "" || len(two.Answers) != 3 || *two.File != (file{"/x", "read", "y:1"}) {
		t.Errorf("asked %+v", two)
	}
	peer.Write([]byte(`{"id":2,"answer":"never"}` + "\n" + `{"id":1,"answer":"once","more":true}` + "\n"))
	if got := <-first; got != (asked{guard.Once, nil}) {
		t.Errorf("the first: %+v", got)
	}
	if got := <-second; got != (asked{guard.Never, nil}) {
		t.Errorf("the second: %+v", got)
	}
	ctx, cancel := context.WithCancel(context.Background())
	third := ask(w, ctx, question("sh", true, true))
	next(t, lines)
	cancel()
	if out := next(t, lines); out.ID != 3 || !out.Withdrawn {
		t.Errorf("told %+v of a question that nobody waits for", out)
	}
	if got := <-third; got != (asked{guard.No, nil}) {
		t.Errorf("the third: %+v", got)
	}
	peer.Write([]byte(`{"id":3,"answer":"always"}` + "\n")) // too late: no mistake
	fourth := ask(w, context.Background(), question("sh", true, true))
	next(t, lines)
	peer.Write([]byte(`{"id":4,"answer":"always"}` + "\n"))
	if got := <-fourth; got != (asked{guard.Always, nil}) {
		t.Errorf("the fourth: %+v", got)
	}
}

// Whatever is no answer ends all asking: what waits is refused, and what comes.
func TestWireFails(t *testing.T) {
	for name, line := range map[string]string{
		"garbage":             "yes\n",
		"an unknown question": `{"id":7,"answer":"once"}` + "\n",
		"no question":         `{"answer":"once"}` + "\n",
		"an unknown answer":   `{"id":1,"answer":"yes"}` + "\n",
		"an answer it lacks":  `{"id":2,"answer":"once"}` + "\n",
		"a line without end":  strings.Repeat("x", maxLine+1),
		"a closed peer":       "",
	} {
		w, peer, lines := wire(t)
		first := ask(w, context.Background(), question("sh", true, true))
		next(t, lines)
		second := ask(w, context.Background(), question("sh", false, true))
		next(t, lines)
		go func() { peer.Write([]byte(line)) }() // which is not read to its end
		if line == "" {
			peer.Close()
		}
		for _, one := range []<-chan asked{first, second, ask(w, context.Background(), question("sh", true, true))} {
			if got := <-one; got.answer != guard.No || got.err == nil {
				t.Errorf("%s: %+v; want no, and an error", name, got)
			}
		}
	}
}

// A peer that doesn't read keeps no question past its time.
func TestWireThatNobodyReads(t *testing.T) {
	w, _, _ := wire(t)
	ctx, cancel := context.WithCancel(context.Background())
	first, second := ask(w, ctx, question("sh", true, true)), ask(w, ctx, question("sh", true, true))
	cancel()
	for _, one := range []<-chan asked{first, second} {
		if got := <-one; got != (asked{guard.No, nil}) {
			t.Errorf("%+v; want no", got)
		}
	}
}

// FuzzAnswer: no line makes an answer that its question does not have.
func FuzzAnswer(f *testing.F) {
	f.Add([]byte(`{"id":1,"answer":"always"}`))
	f.Add([]byte(`{"id":-1,"answer":""}`))
	f.Fuzz(func(t *testing.T, line []byte) {
		w := NewWire(nil, "")
		id, answer, _ := w.register(question("sh", false, false))
		err := w.take(line)
		select {
		case got := <-answer:
			if err != nil || got == guard.Once || id != 1 {
				t.Errorf("%q answers %v, %v", line, got, err)
			}
		default:
		}
	})
}
