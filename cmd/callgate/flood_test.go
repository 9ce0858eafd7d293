//go:build !race

package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/callgate/callgate/internal/sys"
)

const (
	floodTime = 400 * time.Millisecond
	floodRoom = 64 << 10 // KiB
)

// flood is a program that makes stopped calls from many threads and processes: as
// fast as it can, ones that wait, ones that are all different, and of processes that
// are killed meanwhile. At the end it makes an honest one.
func flood() {
	end := time.Now().Add(floodTime)
	thread := func(do func(int)) {
		go func() {
			runtime.LockOSThread()
			for i := 0; time.Now().Before(end); i++ {
				do(i)
			}
		}()
	}
	open := func(name string, flags int) {
		if fd, err := syscall.Open(name, flags, 0o600); err == nil {
			syscall.Close(fd)
		}
	}
	switch kind := os.Args[1]; kind {
	case "calls":
		for range 32 {
			thread(func(int) { open(".env", syscall.O_RDONLY); open("honest", syscall.O_RDONLY) })
		}
	case "held":
		syscall.Mkfifo("fifo", 0o600)
		for range 500 {
			thread(func(int) { open("fifo", syscall.O_WRONLY) })
		}
	case "distinct":
		for n := range 8 {
			thread(func(i int) {
				name := fmt.Sprint(n, "-", i)
				open(strings.Repeat(name+"/", 300)+".env", syscall.O_RDONLY)
				open(name+".locked", syscall.O_WRONLY|syscall.O_CREAT)
				syscall.Socket(10+i%30, i%1000, i)
			})
		}
	case "dying":
		for range 4 {
			thread(func(int) {
				child, err := os.StartProcess("/proc/self/exe", []string{"flood", "calls"}, &os.ProcAttr{})
				if err != nil {
					return
				}
				time.Sleep(5 * time.Millisecond)
				child.Kill()
				child.Wait()
			})
		}
	}
	time.Sleep(time.Until(end))
	text, err := os.ReadFile("honest")
	fmt.Print(string(text), err)
	os.Exit(0)
}

// However a program floods the monitor, that takes little memory, and answers.
func TestFloods(t *testing.T) {
	if err := sys.HasNotify(); err != nil {
		t.Skipf("kernel lacks: seccomp notification: %v", err)
	}
	for _, flags := range []string{"", "--explain-to OUT/explained", "--audit OUT/audit"} {
		for _, kind := range []string{"calls", "held", "distinct", "dying"} {
			t.Run(strings.TrimSuffix(kind+" "+flags, "OUT/"), func(t *testing.T) {
				dir, out := t.TempDir(), t.TempDir()
				for name, text := range map[string]string{"honest": "answered", ".env": "hidden"} {
					if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
						t.Fatal(err)
					}
				}
				program, err := exec.LookPath("flood")
				if err != nil {
					t.Fatal(err)
				}
				args := append([]string{"run", "-q"}, strings.Fields(strings.ReplaceAll(flags, "OUT", out))...)
				args = append(args, "--hide", "./**/.env", "--ro", "./**/*.locked", "--ro", program, "--", program, kind)
				cmd := exec.Command("callgate", args...)
				cmd.Dir = dir
				var stdout, stderr strings.Builder
				cmd.Stdout, cmd.Stderr = &stdout, &stderr
				if err := cmd.Start(); err != nil {
					t.Fatal(err)
				}
				most := watchMemory(cmd.Process.Pid)
				err = cmd.Wait()
				if stdout.String() != "answered<nil>" || err != nil {
					t.Errorf("%v, %q, %q; want an answer to an honest call", err, stdout.String(), stderr.String())
				}
				if got := <-most; got > floodRoom || got == 0 {
					t.Errorf("callgate took %d KiB; want no more than %d", got, floodRoom)
				} else {
					t.Logf("%d KiB", got)
				}
			})
		}
	}
}

// watchMemory tells in the end the most that a process has taken, in KiB (VmHWM in
// proc_pid_status(5)).
func watchMemory(pid int) <-chan int {
	most := make(chan int, 1)
	go func() {
		last := 0
		for {
			status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
			_, text, found := strings.Cut(string(status), "VmHWM:")
			if err != nil || !found {
				most <- last
				return
			}
			last, _ = strconv.Atoi(strings.Fields(text)[0])
			time.Sleep(10 * time.Millisecond)
		}
	}()
	return most
}
