package relay

import (
	"context"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/callgate/callgate/policy"
)

// newRelay returns a relay whose outside knows the names that begin with "is-".
func newRelay(t testing.TB, refused func(Refusal), rules ...string) *Relay {
	t.Helper()
	n := &policy.Network{}
	for _, rule := range rules {
		var d policy.Destination
		if err := d.UnmarshalText([]byte(rule)); err != nil {
			t.Fatal(err)
		}
		n.Connect.Value = append(n.Connect.Value, d)
	}
	return New(Config{
		Rules: n, Address: netip.MustParseAddr("198.18.0.1"), Names: netip.MustParsePrefix("198.19.0.0/16"),
		Names6:  netip.MustParsePrefix("fdca:11:6a7e:1::/112"),
		Outside: Outside{Resolver: outsideResolver(t)}, Refused: refused,
	})
}

// outsideResolver asks a name server of the test's own: names that begin with "is-"
// lead to 192.0.2.1, with "is-six" to 2001:db8::1 as well, with "is-six-alone" to
// nothing but that; "fail" gets an error, and there are no others.
func outsideResolver(t testing.TB) *net.Resolver {
	t.Helper()
	server, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	go func() {
		buffer := make([]byte, 1500)
		for {
			n, from, err := server.ReadFrom(buffer)
			if err != nil {
				return
			}
			var m dnsmessage.Message
			if m.Unpack(buffer[:n]) != nil || len(m.Questions) != 1 {
				continue
			}
			q := m.Questions[0]
			m.Response, m.Additionals = true, nil
			switch name := q.Name.String(); {
			case strings.HasPrefix(name, "fail"):
				m.RCode = dnsmessage.RCodeServerFailure
			case !strings.HasPrefix(name, "is-"):
				m.RCode = dnsmessage.RCodeNameError
			case strings.HasPrefix(name, "is-six") && q.Type == dnsmessage.TypeAAAA:
				m.Answers = []dnsmessage.Resource{{
					Header: dnsmessage.ResourceHeader{Name: q.Name, Class: q.Class},
					Body:   &dnsmessage.AAAAResource{AAAA: netip.MustParseAddr("2001:db8::1").As16()},
				}}
			case q.Type == dnsmessage.TypeA && !strings.HasPrefix(name, "is-six-alone"):
				m.Answers = []dnsmessage.Resource{{
					Header: dnsmessage.ResourceHeader{Name: q.Name, Class: q.Class}, Body: &dnsmessage.AResource{A: [4]byte{192, 0, 2, 1}},
				}}
			}
			packed, _ := m.Pack()
			server.WriteTo(packed, from)
		}
	}()
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "udp", server.LocalAddr().String())
	}}
}

func ask(t testing.TB, name string, kind dnsmessage.Type, class dnsmessage.Class) []byte {
	t.Helper()
	packed, err := (&dnsmessage.Message{
		Header:    dnsmessage.Header{ID: 7, RecursionDesired: true},
		Questions: []dnsmessage.Question{{Name: dnsmessage.MustNewName(name), Type: kind, Class: class}},
	}).Pack()
	if err != nil {
		t.Fatal(err)
	}
	return packed
}

func TestResolverAnswers(t *testing.T) {
	var refused []string
	r := newRelay(t, func(r Refusal) { refused = append(refused, r.Host) }, "is-a.example:80", "*.is-wild.example:80", "fail.example:80", "gone.example:80", "host.callgate.internal:80")
	for _, c := range []struct {
		name    string
		kind    dnsmessage.Type
		class   dnsmessage.Class
		code    dnsmessage.RCode
		address string // "" for none
	}{
		{"is-a.example.", dnsmessage.TypeA, dnsmessage.ClassINET, 0, "198.19.0.1"},
		{"IS-A.Example.", dnsmessage.TypeA, dnsmessage.ClassINET, 0, "198.19.0.1"},
		{"is-a.example.", dnsmessage.TypeAAAA, dnsmessage.ClassINET, 0, ""},
		{"is-a.example.", dnsmessage.TypeTXT, dnsmessage.ClassINET, 0, ""},
		{"is-a.example.", dnsmessage.TypeA, dnsmessage.ClassCHAOS, dnsmessage.RCodeNameError, ""},
		{"x.is-a.example.", dnsmessage.TypeA, dnsmessage.ClassINET, dnsmessage.RCodeNameError, ""},
		{"is-wild.example.", dnsmessage.TypeA, dnsmessage.ClassINET, dnsmessage.RCodeNameError, ""},
		{"is-x.is-wild.example.", dnsmessage.TypeA, dnsmessage.ClassINET, 0, "198.19.0.2"},
		{"is-x.y.is-wild.example.", dnsmessage.TypeA, dnsmessage.ClassINET, 0, "198.19.0.3"},
		{"gone.example.", dnsmessage.TypeA, dnsmessage.ClassINET, dnsmessage.RCodeNameError, ""},
		{"fail.example.", dnsmessage.TypeA, dnsmessage.ClassINET, dnsmessage.RCodeServerFailure, ""},
		{"other.example.", dnsmessage.TypeA, dnsmessage.ClassINET, dnsmessage.RCodeNameError, ""},
		{"other.example.", dnsmessage.TypeTXT, dnsmessage.ClassINET, dnsmessage.RCodeNameError, ""},
		{"host.callgate.internal.", dnsmessage.TypeA, dnsmessage.ClassINET, 0, "198.19.0.4"},
		{"localhost.", dnsmessage.TypeA, dnsmessage.ClassINET, 0, "127.0.0.1"},
		{"1.0.19.198.in-addr.arpa.", dnsmessage.TypePTR, dnsmessage.ClassINET, dnsmessage.RCodeNameError, ""},
		{".", dnsmessage.TypeNS, dnsmessage.ClassINET, dnsmessage.RCodeNameError, ""},
	} {
		var m dnsmessage.Message
		if err := m.Unpack(r.answer(t.Context(), ask(t, c.name, c.kind, c.class))); err != nil {
			t.Errorf("%s %s: %v", c.name, c.kind, err)
			continue
		}
		got := addressIn(m)
		if m.ID != 7 || !m.Response || m.RCode != c.code || got != c.address {
			t.Errorf("%s %s = %v %q; want %v %q", c.name, c.kind, m.RCode, got, c.code, c.address)
		}
	}
	want := "x.is-a.example is-wild.example other.example other.example"
	if got := strings.Join(refused, " "); got != want {
		t.Errorf("refused %s; want %s", got, want)
	}
}

// addressIn is the address that a message answers with, or "".
func addressIn(m dnsmessage.Message) string {
	if len(m.Answers) != 1 {
		return ""
	}
	switch body := m.Answers[0].Body.(type) {
	case *dnsmessage.AResource:
		return netip.AddrFrom4(body.A).String()
	case *dnsmessage.AAAAResource:
		return netip.AddrFrom16(body.AAAA).String()
	}
	return "another record"
}

// A name has an address of IPv6 where it has one outside and the program's network
// has IPv6; it stands for the name as the other does.
func TestResolverAnswersIPv6(t *testing.T) {
	for _, c := range []struct {
		six           bool
		name          string
		four, address string
	}{
		{true, "is-a.example.", "198.19.0.1", ""},
		{true, "is-six.example.", "198.19.0.1", "fdca:11:6a7e:1::1"},
		{true, "is-six-alone.example.", "198.19.0.1", "fdca:11:6a7e:1::1"},
		{false, "is-six.example.", "198.19.0.1", ""},
		{true, "localhost.", "127.0.0.1", "::1"},
		{true, "gone.example.", "", ""},
		{true, "host.callgate.internal.", "198.19.0.1", ""},
	} {
		r := newRelay(t, nil, "is-a.example:80", "is-six.example:80", "is-six-alone.example:80", "gone.example:80", "host.callgate.internal:80")
		r.six = c.six
		for kind, want := range map[dnsmessage.Type]string{dnsmessage.TypeA: c.four, dnsmessage.TypeAAAA: c.address} {
			var m dnsmessage.Message
			if err := m.Unpack(r.answer(t.Context(), ask(t, c.name, kind, dnsmessage.ClassINET))); err != nil {
				t.Fatal(err)
			}
			if got := addressIn(m); got != want {
				t.Errorf("%s %s = %q; want %q", c.name, kind, got, want)
			}
		}
		if c.address != "" && c.name != "localhost." {
			if name, ok := r.Names(netip.MustParseAddr(c.address)); !ok || name+"." != c.name {
				t.Errorf("%s stands for %q; want %q", c.address, name, c.name)
			}
		}
	}
}

// FuzzAnswer holds that no query makes the resolver panic or answer what is not an
// answer, and that addresses are given for names of rules alone.
func FuzzAnswer(f *testing.F) {
	f.Add(ask(f, "host.callgate.internal.", dnsmessage.TypeA, dnsmessage.ClassINET))
	f.Add(ask(f, "other.example.", dnsmessage.TypeAAAA, dnsmessage.ClassINET))
	f.Add([]byte("\x00\x07\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\xc0\x0c\x00\x01\x00\x01"))
	r := newRelay(f, nil, "host.callgate.internal:80")
	f.Fuzz(func(t *testing.T, text []byte) {
		answer := r.answer(t.Context(), text)
		if answer == nil {
			return
		}
		var m, asked dnsmessage.Message
		if err := m.Unpack(answer); err != nil || !m.Response || len(answer) > len(text)+512 {
			t.Fatalf("answer %x to %x: %v", answer, text, err)
		}
		if m.RCode != dnsmessage.RCodeFormatError && asked.Unpack(text) == nil && !slices.Equal(m.Questions, asked.Questions) && m.RCode != dnsmessage.RCodeNotImplemented {
			t.Errorf("the question %v is answered as %v", asked.Questions, m.Questions)
		}
		for _, a := range m.Answers {
			name := strings.ToLower(strings.TrimSuffix(a.Header.Name.String(), "."))
			if name != policy.HostName && name != "localhost" && !strings.HasSuffix(name, ".localhost") {
				t.Errorf("an address for %q", name)
			}
		}
	})
}

func TestNamesAreBounded(t *testing.T) {
	n := newNames(netip.MustParsePrefix("198.19.0.0/16"), netip.MustParsePrefix("fdca:11:6a7e:1::/112"))
	until := time.Now().Add(time.Hour)
	first := n.add("first", false, until).four
	if got := n.add("first", false, until).four; got != first {
		t.Errorf("a name got a second address, %s", got)
	}
	seen := map[netip.Addr]bool{first: true}
	for i := range maxNames - 1 {
		a := n.add("name"+strings.Repeat("x", i%50)+string(rune('a'+i%26))+time.Duration(i).String(), false, until).four
		if seen[a] || !n.prefix.Contains(a) {
			t.Fatalf("name %d got %s again", i, a)
		}
		seen[a] = true
	}
	if name, ok := n.of(first); !ok || name != "first" {
		t.Errorf("the first name is %q, %v", name, ok)
	}
	if last := n.add("last", false, until).four; last != first {
		t.Errorf("one name more got %s; want the first's %s", last, first)
	}
	if name, _ := n.of(first); name != "last" || len(n.byName) != maxNames || len(n.entries) != maxNames {
		t.Errorf("the address stands for %q among %d names and %d entries", name, len(n.byName), len(n.entries))
	}
	if _, ok := n.known("first", time.Now()); ok {
		t.Error("the first name is still known")
	}
	if _, ok := n.known("last", until.Add(1)); ok {
		t.Error("a name is known for longer than it lives")
	}
	for _, a := range []string{"198.19.0.0", "198.19.255.255", "198.18.0.1", "::1", "fdca:11:6a7e:1::", "fdca:11:6a7e:1::ffff", "fdca:11:6a7e::1"} {
		if name, ok := n.of(netip.MustParseAddr(a)); ok {
			t.Errorf("%s stands for %q", a, name)
		}
	}
}
