package sys

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

func TestLandlockHandled(t *testing.T) {
	// The masks of the kernel's own documentation, written out as numbers so
	// that a slip in the constants shows.
	tests := []struct {
		abi             int
		fs, net, scoped uint64
	}{
		{-1, 0, 0, 0},
		{0, 0, 0, 0},
		{1, 0x1fff, 0, 0},
		{2, 0x3fff, 0, 0},
		{3, 0x7fff, 0, 0},
		{4, 0x7fff, 0x3, 0},
		{5, 0xffff, 0x3, 0},
		{6, 0xffff, 0x3, 0x3},
		{7, 0xffff, 0x3, 0x3},
		{8, 0xffff, 0x3, 0x3},
		{9, 0x1ffff, 0x3, 0x3},
		{10, 0x1ffff, 0xf, 0x3},
		{LandlockKnownABI + 5, 0x1ffff, 0xf, 0x3},
	}
	for _, tt := range tests {
		fs, net, scoped := LandlockHandled(tt.abi)
		if fs != tt.fs || net != tt.net || scoped != tt.scoped {
			t.Errorf("LandlockHandled(%d) = %#x, %#x, %#x; want %#x, %#x, %#x",
				tt.abi, fs, net, scoped, tt.fs, tt.net, tt.scoped)
		}
	}
}

func TestLandlockLayout(t *testing.T) {
	var path LandlockPathBeneathAttr
	if got := unsafe.Offsetof(path.Parent); got != 8 {
		t.Errorf("offset of Parent = %d; want 8", got)
	}
	if got := unsafe.Sizeof(LandlockRulesetAttr{}); got != 24 {
		t.Errorf("size of LandlockRulesetAttr = %d; want 24", got)
	}
}

// landlock skips a test where the kernel has no Landlock.
func landlock(t *testing.T) int {
	t.Helper()
	abi, err := LandlockABI()
	if err != nil {
		t.Skipf("kernel lacks: Landlock: %v", err)
	}
	return abi
}

func TestLandlockKernelAgrees(t *testing.T) {
	abi := landlock(t)
	var attr LandlockRulesetAttr
	attr.HandledFS, attr.HandledNet, attr.Scoped = LandlockHandled(abi)
	fd, err := LandlockCreateRuleset(&attr)
	if err != nil {
		t.Fatalf("LandlockCreateRuleset(%+v) at ABI %d: %v", attr, abi, err)
	}
	unix.Close(fd)

	// One right more than the ABI has must be refused, or the table is short:
	// with E2BIG if it lies behind the end of that kernel's structure.
	if abi < LandlockKnownABI {
		attr.HandledFS, attr.HandledNet, attr.Scoped = LandlockHandled(LandlockKnownABI)
		if fd, err := LandlockCreateRuleset(&attr); !errors.Is(err, unix.EINVAL) && !errors.Is(err, unix.E2BIG) {
			t.Errorf("LandlockCreateRuleset with rights of ABI %d at ABI %d = %d, %v; want EINVAL or E2BIG",
				LandlockKnownABI, abi, fd, err)
		}
	}
}

func TestLandlockRestrictSelf(t *testing.T) {
	abi := landlock(t)
	dir := t.TempDir()
	open, shut := filepath.Join(dir, "open"), filepath.Join(dir, "shut")
	for _, name := range []string{open, shut} {
		if err := os.WriteFile(name, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var opened, refused error
	err := OnDoomedThread(func() error {
		if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
			return err
		}
		if err := confineTo(abi, open); err != nil {
			return err
		}
		opened, refused = openAndClose(open), openAndClose(shut)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if opened != nil {
		t.Errorf("open of the allowed file: %v", opened)
	}
	if !errors.Is(refused, unix.EACCES) {
		t.Errorf("open of the other file: %v; want EACCES", refused)
	}
}

// confineTo restricts the calling thread to reading one file.
func confineTo(abi int, name string) error {
	var attr LandlockRulesetAttr
	attr.HandledFS, attr.HandledNet, attr.Scoped = LandlockHandled(abi)
	ruleset, err := LandlockCreateRuleset(&attr)
	if err != nil {
		return err
	}
	defer unix.Close(ruleset)
	parent, err := unix.Open(name, unix.O_PATH|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(parent)
	rule := LandlockPathBeneathAttr{Allowed: LandlockReadFile, Parent: int32(parent)}
	if err := LandlockAddPath(ruleset, &rule); err != nil {
		return err
	}
	if abi >= 4 {
		if err := LandlockAddPort(ruleset, &LandlockNetPortAttr{Allowed: LandlockConnectTCP, Port: 443}); err != nil {
			return err
		}
	}
	return LandlockRestrictSelf(ruleset, 0)
}

func openAndClose(name string) error {
	fd, err := unix.Open(name, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err == nil {
		unix.Close(fd)
	}
	runtime.KeepAlive(name)
	return err
}
