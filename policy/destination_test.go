package policy_test

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/callgate/callgate/policy"
)

func TestDestinationsComeBack(t *testing.T) {
	for text, want := range map[string]string{
		"443":                             "443",
		"udp/53":                          "udp/53",
		"tcp/53":                          "53",
		"github.com:443":                  "github.com:443",
		"-GitHub.COM.:443":                "-github.com:443",
		"*.npmjs.org:443":                 "*.npmjs.org:443",
		"db:5432":                         "db:5432",
		"_srv.x-y.1a:1":                   "_srv.x-y.1a:1",
		"192.0.2.1:65535":                 "192.0.2.1:65535",
		"192.0.2.1/32:1":                  "192.0.2.1:1",
		"10.0.0.0/8:5432":                 "10.0.0.0/8:5432",
		"0.0.0.0/0:80":                    "0.0.0.0/0:80",
		"[2001:db8::1]:443":               "[2001:db8::1]:443",
		"[2001:DB8::/32]:443":             "[2001:db8::/32]:443",
		"udp/1.1.1.1:53":                  "udp/1.1.1.1:53",
		strings.Repeat("a.", 126) + "b:1": strings.Repeat("a.", 126) + "b:1",
	} {
		var d policy.Destination
		if err := d.UnmarshalText([]byte(text)); err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		if got := d.String(); got != want {
			t.Errorf("%q = %q; want %q", text, got, want)
		}
	}
}

func TestBadDestinations(t *testing.T) {
	for text, want := range map[string]string{
		"":                                "ends in no port",
		"github.com":                      "ends in no port",
		"github.com:0":                    "ends in no port",
		"github.com:65536":                "ends in no port",
		":443":                            "names nobody before its port",
		"https://github.com:1":            "is not a network",
		"localhost:80":                    "is the program's own loopback: write host.callgate.internal",
		"x.localhost:80":                  "is the program's own loopback",
		"*.org:443":                       "is a whole top-level domain",
		"*:443":                           "a * stands for whole parts",
		"a.*.org:443":                     "a * stands for whole parts",
		"a*.org:443":                      "a * stands for whole parts",
		"a..b:1":                          "a part is empty",
		".a:1":                            "a part is empty",
		"bücher.example:1":                "beginning with xn--",
		"a b:1":                           "is no letter of DNS",
		strings.Repeat("a", 64) + ".b:1":  "a part has 64 bytes",
		strings.Repeat("a.", 127) + "b:1": "a name of 255 bytes",
		"10.0.0.1/8:1":                    "has bits set after the first 8: write 10.0.0.0/8",
		"10.0.0.0/33:1":                   "is not a network",
		"1.2.3:1":                         "is not an address",
		"1.2.3.256:1":                     "is not an address",
		"2001:db8::1:443":                 "stands without brackets",
		"[2001:db8::1:443":                "a bracket is not closed",
		"[fe80::1%eth0]:1":                "is not an address",
		"[::ffff:1.2.3.4]:1":              "in IPv6's clothes",
		"[::ffff:0:0/96]:1":               "in IPv6's clothes",
	} {
		var d policy.Destination
		if err := d.UnmarshalText([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v; want %q", text, err, want)
		}
	}
}

func FuzzDestination(f *testing.F) {
	for _, text := range []string{"443", "-udp/[2001:db8::/32]:443", "*.a.b:1", "10.0.0.0/8:5432"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var d, again policy.Destination
		if d.UnmarshalText([]byte(text)) != nil {
			return
		}
		if err := again.UnmarshalText([]byte(d.String())); err != nil || again != d {
			t.Errorf("%q = %q, which is read as %+v (%v); want %+v", text, d, again, err, d)
		}
	})
}

func TestPublications(t *testing.T) {
	for text, want := range map[string]string{
		"80":                   "127.0.0.1:80 80",
		"8080:80":              "127.0.0.1:8080 80",
		"0.0.0.0:8080:80":      "0.0.0.0:8080 80",
		"[::1]:8080:80":        "[::1]:8080 80",
		"-127.0.0.1:5433:5432": "127.0.0.1:5433 5432",
	} {
		var p, again policy.Publication
		if err := p.UnmarshalText([]byte(text)); err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		if got := p.Listen().String() + " " + itoa(p.Inside); got != want {
			t.Errorf("%q = %s; want %s", text, got, want)
		}
		if err := again.UnmarshalText([]byte(p.String())); err != nil || again != p {
			t.Errorf("%q = %q, which is read as %+v (%v)", text, p, again, err)
		}
	}
	for _, text := range []string{"", "0", "80:0", "65536", "a:80", "localhost:80:80", "1.2.3.4:80", "::1:80:80x"} {
		if err := new(policy.Publication).UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q: no error", text)
		}
	}
}

func itoa(n uint16) string { return policy.Destination{Port: n}.String() }

// TestWhereNamesLead is the table of docs/network.md: what a rule for a name lets
// its owner reach.
func TestWhereNamesLead(t *testing.T) {
	const name, port = "api.example.org", 80
	for _, c := range []struct {
		address                       string
		spelled, wild, anything, host bool
	}{
		{"8.8.8.8", true, true, true, true},
		{"2600::1", true, true, true, true},
		{"10.1.2.3", true, false, false, false},
		{"100.100.100.200", true, false, false, false},
		{"203.0.113.7", true, false, false, false},
		{"fd12::1", true, false, false, false},
		{"::ffff:10.1.2.3", true, false, false, false},
		{"127.0.0.1", false, false, false, true},
		{"::1", false, false, false, true},
		{"0.0.0.0", false, false, false, false},
		{"::", false, false, false, false},
		{"::ffff:127.0.0.1", false, false, false, true},
		{"::ffff:169.254.169.254", false, false, false, false},
		{"64:ff9b::a9fe:a9fe", false, false, false, false},
		{"2002:a9fe:a9fe::", false, false, false, false},
		{"169.254.169.254", false, false, false, false},
		{"fe80::1", false, false, false, false},
		{"fd00:ec2::254", false, false, false, false},
		{"224.0.0.1", false, false, false, false},
		{"255.255.255.255", false, false, false, false},
	} {
		address := netip.MustParseAddr(c.address)
		for rule, want := range map[string]bool{
			name + ":80": c.spelled, "*.example.org:80": c.wild, "80": c.anything, name + ":81": publicOnly(address),
		} {
			n := network(t, rule)
			if got := n.TrustsName(name, address, port, false); got != want {
				t.Errorf("%s: a name that leads to %s is trusted: %v; want %v", rule, address, got, want)
			}
		}
		n := network(t, policy.HostName+":80")
		if got := n.TrustsName(policy.HostName, address, port, false); got != c.host && !(c.spelled && got) {
			t.Errorf("%s that leads to %s is trusted: %v; want %v", policy.HostName, address, got, c.host)
		}
	}
	for _, rule := range []string{"80", "*.callgate.internal:80", "127.0.0.1:81"} {
		n := network(t, rule)
		if n.AllowsName(policy.HostName) || n.ReachesName(policy.HostName, 80, false) || n.TrustsName(policy.HostName, netip.MustParseAddr("127.0.0.1"), 80, false) {
			t.Errorf("%s leads to the machine's own loopback", rule)
		}
	}
	both := network(t, "*.example.org:80", "169.254.169.254:80")
	if metadata := netip.MustParseAddr("169.254.169.254"); !both.TrustsName(name, metadata, 80, false) || both.TrustsName(name, metadata, 81, false) {
		t.Error("an address that is listed, too, is not trusted on its port alone")
	}
}

func publicOnly(a netip.Addr) bool { return policy.IsPublic(a) }

func network(t *testing.T, rules ...string) *policy.Network {
	t.Helper()
	n := &policy.Network{}
	for _, rule := range rules {
		var d policy.Destination
		if err := d.UnmarshalText([]byte(rule)); err != nil {
			t.Fatal(err)
		}
		n.Connect.Value = append(n.Connect.Value, d)
	}
	return n
}
