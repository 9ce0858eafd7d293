package jail

import (
	"errors"
	"slices"
	"syscall"
	"testing"

	"github.com/callgate/callgate/internal/sys"
)

// A list of ports that the kernel can't keep must stop the start, an empty one
// above all: it would otherwise leave every port open.
func TestPortsFailClosed(t *testing.T) {
	none := []uint16{}
	for _, c := range []struct {
		name     string
		ports    Ports
		landlock int
		refused  bool
		without  bool // the wall was given up
	}{
		{"no lists, old kernel", Ports{}, 3, false, false},
		{"bind, old kernel", Ports{Bind: &none}, 3, true, false},
		{"connect, old kernel", Ports{Connect: &none}, 3, true, false},
		{"both, old kernel, optional", Ports{Bind: &none, Connect: &none}, 3, false, true},
		{"both, kernel with ports", Ports{Bind: &none, Connect: &none}, 4, false, false},
	} {
		s := &Spec{Ports: c.ports}
		err := s.planLandlock(&sys.Script{}, host{landlock: c.landlock}, wallSet{Mounts: true, Landlock: true, TCPPorts: !c.without})
		var wall *WallError
		if refused := errors.As(err, &wall); refused != c.refused {
			t.Errorf("%s: planLandlock() = %v; refused %v, want %v", c.name, err, refused, c.refused)
		} else if refused && (wall.Wall != TCPPorts || !errors.Is(err, syscall.EOPNOTSUPP)) {
			t.Errorf("%s: %v; want wall ports, EOPNOTSUPP", c.name, err)
		}
	}
}

// Without Landlock there is nothing that keeps ports: giving up one wall does not
// give up the other silently.
func TestPortsNeedLandlock(t *testing.T) {
	none := []uint16{}
	lost := &WallError{Landlock, "create landlock ruleset", syscall.ENOSYS}
	for _, c := range []struct {
		name     string
		ports    Ports
		optional []Wall
		want     []Wall // nil: refused
	}{
		{"no lists", Ports{}, []Wall{Landlock}, []Wall{Landlock}},
		{"lists", Ports{Bind: &none}, []Wall{Landlock}, nil},
		{"lists, both optional", Ports{Connect: &none}, []Wall{Landlock, TCPPorts}, []Wall{Landlock, TCPPorts}},
	} {
		s := &Spec{Ports: c.ports, Optional: c.optional}
		got, err := s.without(s.initial(host{privileged: true}), lost)
		if !slices.Equal(got, c.want) || (err != nil) != (c.want == nil) || err != nil && !errors.Is(err, syscall.ENOSYS) {
			t.Errorf("%s: without() = %v, %v; want %v", c.name, got, err, c.want)
		}
	}
}
