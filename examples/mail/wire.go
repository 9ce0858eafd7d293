package main

import (
	"bufio"
	"bytes"
	"errors"
	"strings"
	"time"
)

const (
	maxCommand = 512  // bytes of a command with its CRLF, RFC 5321, 4.5.3.1.4
	maxText    = 1000 // bytes of a text line with its CRLF, 4.5.3.1.6
)

var (
	errLine     = errors.New("line too long, or not ended by CR LF")
	errTooLarge = errors.New("message too large")
)

// readLine reads up to CR LF and returns the line without it. A line that is
// longer than limit, or that holds a CR or LF elsewhere, is read to its end and
// answered with errLine: taking a bare LF for an end would let a client smuggle
// a second message past a filter that doesn't.
func (s *session) readLine(limit int) (string, error) {
	if err := s.conn.SetDeadline(time.Now().Add(s.limits.idle)); err != nil {
		return "", err
	}
	line, err := s.in.ReadSlice('\n')
	bad := false
	for errors.Is(err, bufio.ErrBufferFull) {
		bad = true
		line, err = s.in.ReadSlice('\n')
	}
	if err != nil {
		return "", err
	}
	text, ok := bytes.CutSuffix(line, []byte("\r\n"))
	if bad || !ok || len(line) > limit || bytes.IndexByte(text, '\r') >= 0 {
		return "", errLine
	}
	return string(text), nil
}

// readMessage reads the lines after DATA up to the lone dot, and undoes dot
// stuffing. A message that errs is read to its end all the same, so that the
// rest of it is not taken for commands.
func (s *session) readMessage() ([]byte, error) {
	var body []byte
	var refused error
	for {
		line, err := s.readLine(maxText)
		switch {
		case errors.Is(err, errLine):
			refused = err
			continue
		case err != nil:
			return nil, err
		case line == ".":
			return body, refused
		case len(body)+len(line)+2 > s.limits.message:
			refused = errTooLarge
			continue
		}
		body = append(body, strings.TrimPrefix(line, ".")...)
		body = append(body, '\r', '\n')
	}
}

// parsePath reads "FROM:<address>" after the given prefix. Parameters may
// follow only where an extension that brings them was offered: none is.
func parsePath(argument, prefix string) (address string, ok bool) {
	if len(argument) < len(prefix) || !strings.EqualFold(argument[:len(prefix)], prefix) {
		return "", false
	}
	address, ok = strings.CutPrefix(strings.TrimLeft(argument[len(prefix):], " "), "<")
	if !ok {
		return "", false
	}
	address, ok = strings.CutSuffix(address, ">")
	return address, ok && !strings.ContainsAny(address, "<> \t\x00")
}
