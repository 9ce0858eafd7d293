package relay

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"net/netip"
	"strings"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/callgate/callgate/policy"
)

const (
	lookupTimeout = 5 * time.Second
	nameLife      = 30 * time.Second // how long a name that exists is not looked up again
	maxQuery      = 4096             // bytes
	queryIdle     = 10 * time.Second // between queries on one connection
)

// resolveStream answers queries over TCP, each with its length before it (RFC 1035, 4.2.2).
func (r *running) resolveStream(conn *net.TCPConn) {
	defer conn.Close()
	for {
		conn.SetDeadline(time.Now().Add(queryIdle))
		var size [2]byte
		if _, err := io.ReadFull(conn, size[:]); err != nil {
			return
		}
		query := make([]byte, binary.BigEndian.Uint16(size[:]))
		if len(query) > maxQuery {
			return
		}
		if _, err := io.ReadFull(conn, query); err != nil {
			return
		}
		answer := r.answer(r.ctx, query)
		if answer == nil {
			return
		}
		conn.SetDeadline(time.Now().Add(queryIdle))
		if _, err := conn.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(answer))), answer...)); err != nil {
			return
		}
	}
}

// answer answers one query, or returns nil for what is none.
func (r *Relay) answer(ctx context.Context, query []byte) []byte {
	var parser dnsmessage.Parser
	header, err := parser.Start(query)
	if err != nil || header.Response {
		return nil
	}
	reply := dnsmessage.Message{Header: dnsmessage.Header{
		ID: header.ID, Response: true, OpCode: header.OpCode, RecursionDesired: header.RecursionDesired, RecursionAvailable: true,
	}}
	questions, err := parser.AllQuestions()
	switch {
	case header.OpCode != 0:
		reply.RCode = dnsmessage.RCodeNotImplemented
	case err != nil || len(questions) != 1:
		reply.RCode = dnsmessage.RCodeFormatError
	default:
		reply.Questions = questions
		r.resolve(ctx, &reply, questions[0])
	}
	packed, err := reply.Pack()
	if err != nil {
		return nil
	}
	return packed
}

// resolve fills in the answer to a question. What is not allowed doesn't exist:
// programs that are told REFUSED ask again and again.
func (r *Relay) resolve(ctx context.Context, reply *dnsmessage.Message, q dnsmessage.Question) {
	text := strings.ToLower(strings.TrimSuffix(q.Name.String(), "."))
	if text == "localhost" || strings.HasSuffix(text, ".localhost") {
		r.found(reply, q, netip.AddrFrom4([4]byte{127, 0, 0, 1}))
		return
	}
	name, err := policy.CanonicalName(text)
	if q.Class != dnsmessage.ClassINET || err != nil || strings.HasPrefix(name, "*") || !r.rules.AllowsName(name) {
		reply.RCode = dnsmessage.RCodeNameError
		if err == nil && !isReverse(name) {
			r.refused(Refusal{Host: name})
		}
		return
	}
	if q.Type != dnsmessage.TypeA {
		return // no other records: names lead to the relay alone
	}
	address, err := r.standFor(ctx, name)
	switch {
	case err != nil:
		reply.RCode = dnsmessage.RCodeServerFailure
	case !address.IsValid():
		reply.RCode = dnsmessage.RCodeNameError
	default:
		r.found(reply, q, address)
	}
}

// isReverse reports whether a name asks for the name of an address.
func isReverse(name string) bool {
	return strings.HasSuffix(name, ".in-addr.arpa") || strings.HasSuffix(name, ".ip6.arpa")
}

func (r *Relay) found(reply *dnsmessage.Message, q dnsmessage.Question, address netip.Addr) {
	if q.Type != dnsmessage.TypeA {
		return
	}
	reply.Answers = []dnsmessage.Resource{{
		Header: dnsmessage.ResourceHeader{Name: q.Name, Class: dnsmessage.ClassINET, TTL: uint32(nameLife.Seconds())},
		Body:   &dnsmessage.AResource{A: address.As4()},
	}}
}

// standFor returns the address that stands for a name in the program's network,
// none if there is no such name.
func (r *Relay) standFor(ctx context.Context, name string) (netip.Addr, error) {
	if address, ok := r.names.known(name, time.Now()); ok {
		return address, nil
	}
	if name != policy.HostName {
		ctx, cancel := context.WithTimeout(ctx, lookupTimeout)
		defer cancel()
		select {
		case r.queries <- struct{}{}:
			defer func() { <-r.queries }()
		case <-ctx.Done():
			return netip.Addr{}, ctx.Err()
		}
		if exists, err := r.outside.exists(ctx, name); err != nil || !exists {
			return netip.Addr{}, err
		}
	}
	return r.names.add(name, time.Now().Add(nameLife)), nil
}
