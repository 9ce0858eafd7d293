package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
)

// arch is what qemu needs to know of an architecture.
type arch struct {
	name    string // Go's and Debian's
	qemu    []string
	console string
	append  string // of the kernel's command line
}

var arches = map[string]arch{
	"amd64": {"amd64", []string{"qemu-system-x86_64", "-machine", "q35", "-cpu", "max,la57=off"}, "ttyS0", "syscall.x32=y"}, // x32 for the attack by its calls
	// The pointer authentication of the architecture's own cipher takes most of an
	// emulator's time.
	"arm64": {"arm64", []string{"qemu-system-aarch64", "-machine", "virt", "-cpu", "max,pauth-impdef=on"}, "ttyAMA0", ""},
}

// machine is one emulated machine.
type machine struct {
	arch          arch
	memory        string
	append        string
	kernel, image string // files
}

// command is the machine's command. A kernel that panics reboots at once, which
// ends qemu.
func (m *machine) command(ctx context.Context) *exec.Cmd {
	args := append(m.arch.qemu[1:len(m.arch.qemu):len(m.arch.qemu)],
		"-accel", "tcg", "-smp", "2", "-m", m.memory, "-nodefaults", "-nographic", "-serial", "stdio", "-no-reboot",
		"-kernel", m.kernel, "-initrd", m.image,
		"-append", "console="+m.arch.console+" quiet loglevel=1 panic=-1 random.trust_cpu=on mitigations=off "+m.arch.append+" "+m.append)
	c := exec.CommandContext(ctx, m.arch.qemu[0], args...)
	c.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	return c
}

// run starts the machine, writes all it says to the file log, and lets the
// report tell what matters of it.
func (m *machine) run(ctx context.Context, r *report, log string) (int, error) {
	all, err := os.Create(log)
	if err != nil {
		return 0, err
	}
	defer all.Close()
	runtime.LockOSThread() // the machine dies with the thread that started it
	defer runtime.UnlockOSThread()
	c := m.command(ctx)
	console, err := c.StdoutPipe()
	if err != nil {
		return 0, err
	}
	c.Stderr = os.Stderr
	if err := c.Start(); errors.Is(err, exec.ErrNotFound) {
		return 0, fmt.Errorf("%w: apt-get install qemu-system-x86 qemu-system-arm", err)
	} else if err != nil {
		return 0, err
	}
	lines := bufio.NewReader(console)
	for {
		line, err := lines.ReadString('\n')
		line = strings.TrimRight(line, "\r\n")
		if err == nil || line != "" {
			fmt.Fprintln(all, line)
			r.line(line)
		}
		if err != nil {
			break
		}
	}
	io.Copy(io.Discard, console)
	err = c.Wait()
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return 0, fmt.Errorf("the machine took longer than -limit: the last it said is in %s", log)
	case err != nil:
		return 0, fmt.Errorf("qemu: %w: what the machine said is in %s", err, log)
	case !r.off:
		return 0, fmt.Errorf("the machine ended early: what it said is in %s", log)
	}
	return r.code, nil
}
