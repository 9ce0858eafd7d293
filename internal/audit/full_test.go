package audit

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/callgate/callgate/abi"
	"github.com/callgate/callgate/gate"
	"github.com/callgate/callgate/gate/gatetest"
)

// inOwnMounts runs the test again in a mount namespace of its own, and reports
// whether this is that one.
func inOwnMounts(t *testing.T) bool {
	const there = "CALLGATE_TEST_MOUNTS"
	if os.Getenv(there) != "" {
		return true
	}
	again := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
	again.Env = append(os.Environ(), there+"=1")
	again.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS}
	if os.Geteuid() != 0 {
		again.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		again.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Geteuid(), Size: 1}}
		again.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getegid(), Size: 1}}
	}
	output, err := again.CombinedOutput()
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		t.Errorf("in its own mount namespace: %v\n%s", err, output)
	case err != nil && os.Geteuid() == 0:
		t.Skipf("kernel lacks: mount namespaces: %v", err)
	case err != nil:
		t.Skipf("needs root: to mount a small file system: %v", err)
	}
	return false
}

// A disk that is full refuses what it can't record, or has it go on, as the
// Failure says; what was recorded stays whole, and so is what comes when there
// is space again.
func TestFullDisk(t *testing.T) {
	if !inOwnMounts(t) {
		return
	}
	for name, failure := range map[string]Failure{"refuse": Refuse, "continue": Continue} {
		t.Run(name, func(t *testing.T) { testFullDisk(t, failure) })
	}
}

func testFullDisk(t *testing.T, failure Failure) {
	disk := t.TempDir()
	if err := syscall.Mount("none", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("tmpfs", disk, "tmpfs", 0, "size=64k"); err != nil {
		t.Fatal(err)
	}
	defer syscall.Unmount(disk, 0)
	path, ballast := filepath.Join(disk, "audit.jsonl"), filepath.Join(disk, "ballast")
	if err := os.WriteFile(ballast, make([]byte, 16<<10), 0o600); err != nil {
		t.Fatal(err)
	}
	log := open(t, path, failure)
	defer log.Close()
	source := gatetest.NewSource()
	allow := gate.HandlerFunc(func(context.Context, *gate.Trap) gate.Verdict { return gate.Continue() })
	g := gate.Gate{Source: source, Handler: allow, Recorder: log}
	served := make(chan error, 1)
	go func() { served <- g.Serve(context.Background()) }()

	allowed, refusals := 0, 0
	call := func() {
		switch got := source.Call("getppid"); got.Errno {
		case 0:
			allowed++
		case abi.EIO:
			refusals++
		default:
			t.Errorf("the task saw %+v; want no error, or EIO", got)
		}
	}
	const calls = 1000 // more than the disk has space for
	for range calls {
		call()
	}
	lost, reason := log.Lost()
	if lost == 0 || lost == calls || !errors.Is(reason, syscall.ENOSPC) {
		t.Errorf("Lost() = %d, %v; want some, for ENOSPC", lost, reason)
	}
	if want := map[Failure]int{Refuse: lost, Continue: 0}[failure]; refusals != want {
		t.Errorf("%d calls were refused; want %d: %d records were lost", refusals, want, lost)
	}
	if got := len(events(t, path)); got != calls-lost {
		t.Errorf("the log has %d records; want %d", got, calls-lost)
	}
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	before := allowed
	call()
	if got := len(events(t, path)); got != calls-lost+1 || allowed != before+1 {
		t.Errorf("with space again, the log has %d records, and %d calls were allowed; want one more than %d and %d", got, allowed, calls-lost, before)
	}
	source.End()
	if err := <-served; err != nil {
		t.Errorf("Serve() = %v", err)
	}
}
