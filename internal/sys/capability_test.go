package sys

import (
	"errors"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
)

func TestCapLast(t *testing.T) {
	b, err := os.ReadFile("/proc/sys/kernel/cap_last_cap")
	if err != nil {
		t.Skipf("kernel lacks: a mounted /proc to compare with: %v", err)
	}
	want, err := strconv.Atoi(strings.TrimSpace(string(b)))
	if err != nil {
		t.Fatal(err)
	}
	if got := CapLast(); got != want {
		t.Errorf("CapLast() = %d; want %d", got, want)
	}
}

func TestOwnCapabilitiesMatchProc(t *testing.T) {
	var got, want Capabilities
	err := OnDoomedThread(func() (err error) {
		// An ambient capability, where this user may have one, so that the set is not empty.
		if own, err := OwnCapabilities(); err == nil && own.Permitted.Has(unix.CAP_NET_BIND_SERVICE) {
			own.Inheritable = own.Inheritable.With(unix.CAP_NET_BIND_SERVICE)
			if err := SetCapabilities(own); err != nil {
				return err
			}
			if err := RaiseAmbient(unix.CAP_NET_BIND_SERVICE); err != nil {
				return err
			}
		}
		if got, err = OwnCapabilities(); err != nil {
			return err
		}
		want, err = procCapabilities()
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("OwnCapabilities() differs from /proc/thread-self/status (-want +got):\n%s", diff)
	}
}

// procCapabilities reads the sets as the kernel prints them.
func procCapabilities() (c Capabilities, err error) {
	status, err := os.ReadFile("/proc/thread-self/status")
	if err != nil {
		return c, err
	}
	for line := range strings.Lines(string(status)) {
		name, value, _ := strings.Cut(line, ":")
		field, ok := map[string]*CapSet{
			"CapInh": &c.Inheritable, "CapPrm": &c.Permitted, "CapEff": &c.Effective,
			"CapBnd": &c.Bounding, "CapAmb": &c.Ambient,
		}[name]
		if !ok {
			continue
		}
		n, err := strconv.ParseUint(strings.TrimSpace(value), 16, 64)
		if err != nil {
			return c, err
		}
		*field = CapSet(n)
	}
	return c, nil
}

func TestSetCapabilitiesRefusesMore(t *testing.T) {
	err := OnDoomedThread(func() error {
		own, err := OwnCapabilities()
		if err != nil {
			return err
		}
		own.Permitted, own.Effective = 0, 0
		if err := SetCapabilities(own); err != nil {
			return err
		}
		own.Permitted = own.Permitted.With(unix.CAP_SYS_ADMIN)
		return SetCapabilities(own)
	})
	if !errors.Is(err, unix.EPERM) {
		t.Errorf("SetCapabilities with a dropped capability = %v; want EPERM", err)
	}
}

func TestCapData(t *testing.T) {
	c := Capabilities{Effective: 1<<40 | 1<<3, Permitted: 1<<32 | 1, Inheritable: 1 << 31}
	d := c.Data()
	want := CapData{{1 << 3, 1, 1 << 31}, {1 << 8, 1, 0}}
	if d != want {
		t.Errorf("Data() = %x; want %x", d, want)
	}
}
