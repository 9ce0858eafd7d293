package main

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/callgate/callgate/abi"
	"github.com/callgate/callgate/event"
	"github.com/callgate/callgate/policy"
)

// refuse has a summary see a refusal: texts are a call's memory, by the argument.
func refuse(s *summary, program, call string, errno abi.Errno, registers [6]uint64, texts map[int]string) {
	number, _ := abi.AMD64.Number(call)
	e := event.Event{Task: event.Task{Program: program}, Call: abi.Call{Arch: abi.AMD64, Nr: number, Args: registers}, Outcome: event.Refused, Errno: errno}
	for i := range registers {
		if text, ok := texts[i]; ok {
			e.Memory = append(e.Memory, event.Memory{Arg: i, Bytes: []byte(text)})
		}
	}
	s.refusals.Observe(e)
}

func TestSummaryLine(t *testing.T) {
	target := policy.Target{Dir: "/home/ann/project", Home: "/home/ann"}
	type text = map[int]string
	many := func(s *summary) {
		refuse(s, "make", "openat", abi.EACCES, [6]uint64{}, text{1: "/home/ann/project/.env"})
		refuse(s, "make", "openat", abi.EACCES, [6]uint64{}, text{1: "/home/ann/project/web/some/folder/that/lies/very/deep/indeed/.env"})
		refuse(s, "make", "openat", abi.EACCES, [6]uint64{}, text{1: "/home/ann/project/.env"})
		refuse(s, "node", "connect", abi.EACCES, [6]uint64{3, 1, 16}, text{1: "\x02\x00\x01\xbb\xc0\x00\x02\x01"})
		refuse(s, "node", "ioctl", abi.EPERM, [6]uint64{0, 0x5412}, nil)
		refuse(s, "mount", "mount", abi.EPERM, [6]uint64{}, text{0: "none", 1: "/tmp", 2: "tmpfs"})
	}
	for _, c := range []struct {
		name  string
		width int
		calls func(*summary)
		want  string
	}{
		{"one", 200, func(s *summary) {
			refuse(s, "make", "unshare", abi.EPERM, [6]uint64{0x10000000}, nil)
		}, "refused 1 call: unshare CLONE_NEWUSER (EPERM); --explain says why"},
		{"a home", 200, func(s *summary) {
			refuse(s, "make", "unlink", abi.EROFS, [6]uint64{}, text{0: "/home/ann/x"})
		}, "refused 1 call: unlink ~/x (EROFS); --explain says why"},
		{"nothing to tell", 200, func(s *summary) {
			refuse(s, "make", "perf_event_open", abi.EPERM, [6]uint64{}, nil)
		}, "refused 1 call: perf_event_open (EPERM); --explain says why"},
		{"another process", 200, func(s *summary) {
			refuse(s, "make", "kill", abi.EPERM, [6]uint64{1<<64 - 1, 15}, nil)
		}, "refused 1 call: kill -1 SIGTERM (EPERM); --explain says why"},
		{"names that would forge a line", 200, func(s *summary) {
			refuse(s, "a\ncallgate: b", "chroot", abi.EPERM, [6]uint64{}, text{0: "/x\x1b[2J"})
			refuse(s, "make", "chroot", abi.EPERM, [6]uint64{}, text{0: "/a, chroot /b (EPERM)"})
		}, `refused 2 calls: chroot "/a, chroot /b (EPERM)" (EPERM), chroot "/x\x1b[2J" (EPERM) by "a\ncallgate: b"; --explain says why`},
		{"many, wide", 240, many, "refused 6 calls: mount none /tmp tmpfs (EPERM), ioctl TIOCSTI (EPERM) by node, connect 192.0.2.1:443 (EACCES) by node, " +
			"openat ./.env, ./web/some/folder/that/lies/very/deep/indeed/.env (EACCES) ×3; --explain says why"},
		{"many", 200, many, "refused 6 calls: mount none /tmp tmpfs (EPERM), ioctl TIOCSTI (EPERM) by node, connect 192.0.2.1:443 (EACCES) by node, " +
			"openat ./.env and 1 more (EACCES) ×3; --explain says why"},
		{"many, narrow", 120, many, "refused 6 calls: mount none /tmp tmpfs (EPERM), ioctl TIOCSTI (EPERM) by node, and 4 more; --explain says why"},
		{"many, on a terminal of old", 80, many, "refused mount none /tmp tmpfs (EPERM) and 5 more; --explain says why"},
		{"a long path", 80, func(s *summary) {
			refuse(s, "make", "openat", abi.EACCES, [6]uint64{}, text{1: "/home/ann/project/web/some/folder/that/lies/very/deep/indeed/.env"})
		}, "refused openat ./web/so…eep/indeed/.env (EACCES); --explain says why"},
	} {
		s := &summary{program: "make", target: target}
		c.calls(s)
		kinds, omitted := s.refusals.Kinds()
		got := s.line(kinds, omitted, c.width)
		if got != "callgate: "+c.want {
			t.Errorf("%s:\n%s; want\ncallgate: %s", c.name, got, c.want)
		}
		if n := utf8.RuneCountInString(got); n > c.width {
			t.Errorf("%s: %d letters; want at most %d", c.name, n, c.width)
		}
	}
}

// A flood of different calls is a line, too, and counted.
func TestSummaryOfMany(t *testing.T) {
	s := &summary{program: "flood"}
	for i := range 5000 {
		refuse(s, "flood", "kill", abi.EPERM, [6]uint64{uint64(i), 9}, nil)
	}
	kinds, omitted := s.refusals.Kinds()
	if got := s.line(kinds, omitted, 110); !strings.HasPrefix(got, "callgate: refused 5000 calls: kill 999 SIGKILL and 999 more (EPERM) ×1000, and 4000 more") {
		t.Errorf("%s", got)
	}
}
