package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// testLimits are small, so that a test can reach them.
var testLimits = limits{connections: 16, message: 64, recipients: 2, errors: 3, idle: time.Minute}

// start serves on a loopback port until stop is called, or the test ends; stop
// returns when every session has ended.
func start(t *testing.T, limits limits) (address, folder string, stop func()) {
	t.Helper()
	folder = t.TempDir()
	store, err := openSpool(folder)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		s := &server{host: "mx", store: store, limits: limits}
		s.serve(listener)
	}()
	stop = func() {
		listener.Close()
		<-done
	}
	t.Cleanup(stop)
	return listener.Addr().String(), folder, stop
}

// converse plays a dialogue: lines after "C: " are sent, those after "S: " must
// be what the server says next. \r, \n and \0 in a sent line are written out.
func converse(t *testing.T, address, dialogue string) {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(time.Minute))
	in := bufio.NewReader(conn)
	for line := range strings.Lines(strings.TrimSpace(dialogue) + "\n") {
		line = strings.TrimSpace(line)
		switch {
		case strings.HasPrefix(line, "C:"):
			text := strings.TrimPrefix(strings.TrimPrefix(line, "C:"), " ")
			if !strings.Contains(text, `\n`) {
				text += `\r\n`
			}
			io.WriteString(conn, strings.NewReplacer(`\r`, "\r", `\n`, "\n", `\0`, "\x00").Replace(text))
		case strings.HasPrefix(line, "S: "):
			got, err := in.ReadString('\n')
			if want := strings.TrimPrefix(line, "S: "); err != nil || strings.TrimRight(got, "\r\n") != want {
				t.Fatalf("server said %q, %v; want %q", got, err, want)
			}
		case line == "END":
			if rest, err := io.ReadAll(in); err != nil || len(rest) > 0 {
				t.Fatalf("server said %q, %v; want it to close", rest, err)
			}
		default:
			t.Fatalf("dialogue line %q is neither C:, S: nor END", line)
		}
	}
}

// messages returns the messages in a spool, oldest first.
func messages(t *testing.T, folder string) []string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(folder, "new", "*"))
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, string(data))
	}
	if left, _ := filepath.Glob(filepath.Join(folder, "tmp", "*")); len(left) > 0 {
		t.Errorf("unfinished messages in tmp: %v", left)
	}
	return list
}

func TestDialogues(t *testing.T) {
	tests := []struct{ name, dialogue string }{
		{"greetings", `
			S: 220 mx ready
			C: HELO me
			S: 250 mx
			C: ehlo me
			S: 250-mx
			S: 250 PIPELINING
			C: VRFY root
			S: 252 send it and see
			C: NOOP
			S: 250 ok
			C: QUIT
			S: 221 mx closing
			END`},
		{"out of order", `
			S: 220 mx ready
			C: MAIL FROM:<a@b>
			S: 503 say HELO first
			C: HELO me
			S: 250 mx
			C: RCPT TO:<c@d>
			S: 503 say MAIL first
			C: DATA
			S: 503 say MAIL and RCPT first
			S: 421 mx too many errors
			END`},
		{"two messages at a time", `
			S: 220 mx ready
			C: HELO me
			S: 250 mx
			C: MAIL FROM:<a@b>
			S: 250 ok
			C: MAIL FROM:<a@b>
			S: 503 one message at a time
			C: RSET
			S: 250 reset
			C: MAIL FROM:<>
			S: 250 ok
			C: DATA
			S: 503 say MAIL and RCPT first`},
		{"bad addresses", `
			S: 220 mx ready
			C: HELO me
			S: 250 mx
			C: MAIL FROM:a@b
			S: 501 want MAIL FROM:<address>
			C: MAIL FROM:<a@b> SIZE=1
			S: 501 want MAIL FROM:<address>
			C: MAIL FROM:<a@b>
			S: 250 ok
			C: RCPT TO:<>
			S: 501 want RCPT TO:<address>
			S: 421 mx too many errors
			END`},
		{"too many recipients", `
			S: 220 mx ready
			C: HELO me
			S: 250 mx
			C: MAIL FROM:<a@b>
			S: 250 ok
			C: RCPT TO:<c@d>
			S: 250 ok
			C: RCPT TO:<e@f>
			S: 250 ok
			C: RCPT TO:<g@h>
			S: 452 too many recipients`},
		{"a line too long", `
			S: 220 mx ready
			C: NOOP ` + strings.Repeat("x", 600) + `
			S: 500 line too long, or not ended by CR LF
			C: NOOP ` + strings.Repeat("x", 9000) + `
			S: 500 line too long, or not ended by CR LF
			C: NOOP
			S: 250 ok`},
		{"a bare line feed", `
			S: 220 mx ready
			C: NOOP\n
			S: 500 line too long, or not ended by CR LF`},
		{"pipelined", `
			S: 220 mx ready
			C: HELO me\r\nNOOP\r\nQUIT\r\n
			S: 250 mx
			S: 250 ok
			S: 221 mx closing
			END`},
	}
	address, folder, stop := start(t, testLimits)
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) { converse(t, address, test.dialogue) })
	}
	stop()
	if kept := messages(t, folder); len(kept) > 0 {
		t.Errorf("messages kept: %q; want none", kept)
	}
}

func TestMessages(t *testing.T) {
	tests := []struct {
		name, body, answer string
		want               string // the end of the message kept, or "" for none
	}{
		{"plain", `Subject: hi\r\n\r\nhello\r\n.\r\n`, "250 kept as ", "Subject: hi\r\n\r\nhello\r\n"},
		{"dots", `..a\r\n...\r\n.\r\n`, "250 kept as ", ".a\r\n..\r\n"},
		{"too large", strings.Repeat("x", 70) + `\r\n.\r\n`, "552 message too large", ""},
		{"smuggled", `a\n.\nMAIL FROM:<x@y>\r\n.\r\n`, "554 line too long, or not ended by CR LF", ""},
		{"carriage return inside", `a\rb\r\n.\r\n`, "554 line too long, or not ended by CR LF", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			address, folder, stop := start(t, testLimits)
			got := send(t, address, test.body)
			if !strings.HasPrefix(got, test.answer) {
				t.Errorf("DATA answered %q; want %q", got, test.answer)
			}
			stop()
			kept := messages(t, folder)
			if test.want == "" {
				if len(kept) > 0 {
					t.Errorf("messages kept: %q; want none", kept)
				}
				return
			}
			if len(kept) != 1 || !strings.HasSuffix(kept[0], test.want) ||
				!strings.HasPrefix(kept[0], "Return-Path: <a@b>\r\nDelivered-To: c@d\r\nReceived: from me by mx; ") {
				t.Errorf("messages kept: %q; want one that ends in %q", kept, test.want)
			}
		})
	}
}

// send hands in one message, its body as converse writes it, and returns the
// last answer.
func send(t *testing.T, address, body string) string {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(time.Minute))
	in := bufio.NewReader(conn)
	said := ""
	for _, line := range []string{"", "HELO me", "MAIL FROM:<a@b>", "RCPT TO:<c@d>", "DATA", body} {
		if line != "" {
			fmt.Fprint(conn, strings.NewReplacer(`\r`, "\r", `\n`, "\n").Replace(strings.TrimSuffix(line, `\r\n`)), "\r\n")
		}
		if said, err = in.ReadString('\n'); err != nil {
			t.Fatalf("after %q: %v", line, err)
		}
	}
	return said
}

func TestClientThatLeavesInTheMiddleLosesItsMessage(t *testing.T) {
	address, folder, stop := start(t, testLimits)
	converse(t, address, `
		S: 220 mx ready
		C: HELO me
		S: 250 mx
		C: MAIL FROM:<a@b>
		S: 250 ok
		C: RCPT TO:<c@d>
		S: 250 ok
		C: DATA
		S: 354 end with a dot on a line of its own
		C: half a`)
	stop()
	if kept := messages(t, folder); len(kept) > 0 {
		t.Errorf("messages kept: %q; want none", kept)
	}
}

func TestTooManyConnections(t *testing.T) {
	small := testLimits
	small.connections = 2
	address, _, _ := start(t, small)
	for range small.connections {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if _, err := bufio.NewReader(conn).ReadString('\n'); err != nil {
			t.Fatal(err)
		}
	}
	converse(t, address, `
		S: 421 mx too many connections, try later
		END`)
}

func FuzzParsePath(f *testing.F) {
	for _, seed := range []string{"FROM:<a@b>", "from: <>", "FROM:<a b>", "FROM:<<>>", "FRO", ""} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, argument string) {
		address, ok := parsePath(argument, "FROM:")
		if ok && (strings.ContainsAny(address, "<> \t\x00") || !strings.Contains(argument, "<"+address+">")) {
			t.Errorf("parsePath(%q) = %q; want what stood in brackets", argument, address)
		}
	})
}
