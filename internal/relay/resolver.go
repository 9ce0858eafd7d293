package relay

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"net/netip"
	"strings"
	"time"

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
func (r *Relay) answer(ctx context.Context, message []byte) []byte {
	q, code, ok := readQuery(message)
	if !ok {
		return nil
	}
	var address netip.Addr
	if code == codeFine {
		address, code = r.resolve(ctx, &q)
	}
	return q.answer(code, address, nameLife)
}

// resolve returns the address to answer with, if any. What is not allowed doesn't
// exist: programs that are told that it is refused ask again and again.
func (r *Relay) resolve(ctx context.Context, q *query) (address netip.Addr, code byte) {
	text := strings.ToLower(q.name)
	isLocal := text == "localhost" || strings.HasSuffix(text, ".localhost")
	name, err := policy.CanonicalName(text)
	switch {
	case isLocal && q.kind == typeA && q.class == classIN:
		return netip.AddrFrom4([4]byte{127, 0, 0, 1}), codeFine
	case isLocal && q.kind == typeAAAA && q.class == classIN:
		return netip.IPv6Loopback(), codeFine
	case isLocal:
		return address, codeFine
	case q.class != classIN || err != nil || strings.HasPrefix(name, "*"):
		return address, codeNoName
	case !r.rules.AllowsName(name):
		if !isReverse(name) {
			r.refused(Refusal{Host: name})
		}
		return address, codeNoName
	case q.kind != typeA && (q.kind != typeAAAA || !r.six):
		return address, codeFine // no other records: names lead to the relay alone
	}
	s, err := r.standFor(ctx, name)
	switch {
	case err != nil:
		return address, codeFailure
	case !s.four.IsValid():
		return address, codeNoName
	case q.kind == typeAAAA:
		return s.six, codeFine
	}
	return s.four, codeFine
}

// isReverse reports whether a name asks for the name of an address.
func isReverse(name string) bool {
	return strings.HasSuffix(name, ".in-addr.arpa") || strings.HasSuffix(name, ".ip6.arpa")
}

// standFor returns what stands for a name in the program's network.
func (r *Relay) standFor(ctx context.Context, name string) (stand, error) {
	if s, ok := r.names.known(name, time.Now()); ok {
		return s, nil
	}
	six := false
	if name != policy.HostName {
		ctx, cancel := context.WithTimeout(ctx, lookupTimeout)
		defer cancel()
		select {
		case r.queries <- struct{}{}:
			defer func() { <-r.queries }()
		case <-ctx.Done():
			return stand{}, ctx.Err()
		}
		exists, hasSix, err := r.outside.exists(ctx, name)
		if err != nil || !exists {
			return stand{}, err
		}
		six = hasSix
	}
	return r.names.add(name, six, time.Now().Add(nameLife)), nil
}
