package main

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"
)

// session is one client's connection and the message it is composing.
type session struct {
	*server
	conn   net.Conn
	in     *bufio.Reader
	hello  string // what the client calls itself, "" before HELO
	mail   *envelope
	errors int
}

// envelope is what MAIL and RCPT say of a message.
type envelope struct {
	from string // "" for a bounce
	to   []string
}

func newSession(s *server, conn net.Conn) *session {
	return &session{server: s, conn: conn, in: bufio.NewReader(conn)}
}

// run answers commands until the client quits, leaves, idles or errs too often.
func (s *session) run() {
	s.reply(220, "%s ready", s.host)
	for s.errors < s.limits.errors {
		line, err := s.readLine(maxCommand)
		switch {
		case errors.Is(err, errLine):
			s.refuse(500, "%v", err)
			continue
		case err != nil:
			return
		}
		verb, argument, _ := strings.Cut(line, " ")
		if strings.EqualFold(verb, "QUIT") {
			s.reply(221, "%s closing", s.host)
			return
		}
		s.command(strings.ToUpper(verb), strings.TrimSpace(argument))
	}
	s.reply(421, "%s too many errors", s.host)
}

func (s *session) command(verb, argument string) {
	switch verb {
	case "HELO", "EHLO":
		s.greet(verb, argument)
	case "MAIL":
		s.mailFrom(argument)
	case "RCPT":
		s.rcptTo(argument)
	case "DATA":
		s.data()
	case "RSET":
		s.mail = nil
		s.reply(250, "reset")
	case "NOOP":
		s.reply(250, "ok")
	case "VRFY":
		s.reply(252, "send it and see")
	default:
		s.refuse(500, "command not known")
	}
}

func (s *session) greet(verb, name string) {
	if name == "" {
		s.refuse(501, "say who you are")
		return
	}
	s.hello, s.mail = name, nil
	if verb == "HELO" {
		s.reply(250, "%s", s.host)
		return
	}
	fmt.Fprintf(s.conn, "250-%s\r\n250 PIPELINING\r\n", s.host)
}

func (s *session) mailFrom(argument string) {
	from, ok := parsePath(argument, "FROM:")
	switch {
	case s.hello == "":
		s.refuse(503, "say HELO first")
	case s.mail != nil:
		s.refuse(503, "one message at a time")
	case !ok:
		s.refuse(501, "want MAIL FROM:<address>")
	default:
		s.mail = &envelope{from: from}
		s.reply(250, "ok")
	}
}

func (s *session) rcptTo(argument string) {
	to, ok := parsePath(argument, "TO:")
	switch {
	case s.mail == nil:
		s.refuse(503, "say MAIL first")
	case !ok || to == "":
		s.refuse(501, "want RCPT TO:<address>")
	case len(s.mail.to) == s.limits.recipients:
		s.reply(452, "too many recipients")
	default:
		s.mail.to = append(s.mail.to, to)
		s.reply(250, "ok")
	}
}

func (s *session) data() {
	if s.mail == nil || len(s.mail.to) == 0 {
		s.refuse(503, "say MAIL and RCPT first")
		return
	}
	s.reply(354, "end with a dot on a line of its own")
	mail := s.mail
	s.mail = nil
	body, err := s.readMessage()
	switch {
	case errors.Is(err, errTooLarge):
		s.refuse(552, "%v", err)
	case errors.Is(err, errLine):
		s.refuse(554, "%v", err)
	case err != nil: // the client left: nothing was promised, nothing is kept
		s.errors = s.limits.errors
	default:
		name, err := s.store.keep(mail, s.hello, s.host, body, time.Now())
		if err != nil {
			s.reply(451, "message not kept, try later")
			return
		}
		s.reply(250, "kept as %s", name)
	}
}

func (s *session) refuse(code int, format string, args ...any) {
	s.errors++
	s.reply(code, format, args...)
}

func (s *session) reply(code int, format string, args ...any) {
	fmt.Fprintf(s.conn, "%d %s\r\n", code, fmt.Sprintf(format, args...))
}
