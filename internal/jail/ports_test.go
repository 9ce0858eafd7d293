package jail

import (
	"errors"
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
	}{
		{"no lists, old kernel", Ports{}, 3, false},
		{"bind, old kernel", Ports{Bind: &none}, 3, true},
		{"connect, old kernel", Ports{Connect: &none}, 3, true},
		{"both, kernel with ports", Ports{Bind: &none, Connect: &none}, 4, false},
	} {
		s := &Spec{Ports: c.ports}
		err := s.planLandlock(&sys.Script{}, host{landlock: c.landlock}, wallSet{Mounts: true, Landlock: true})
		var wall *WallError
		if refused := errors.As(err, &wall); refused != c.refused {
			t.Errorf("%s: planLandlock() = %v; refused %v, want %v", c.name, err, refused, c.refused)
		} else if refused && (wall.Wall != Landlock || !errors.Is(err, syscall.EOPNOTSUPP)) {
			t.Errorf("%s: %v; want wall landlock, EOPNOTSUPP", c.name, err)
		}
	}
}
