// Command vmtest runs the project's tests, or one command line, on another
// kernel: one of Debian's, for this or another architecture, in a machine that
// qemu emulates.
//
//	go run ./internal/cmd/vmtest                            # the tests on Debian's kernel, as root and as a user
//	go run ./internal/cmd/vmtest -arch arm64 ./filter       # one package's tests on arm64
//	go run ./internal/cmd/vmtest -c 'callgate doctor'       # what a command line prints there
//	go run ./internal/cmd/vmtest -kernel linux-image-6.12-amd64 -append lsm=yama
//
// It downloads the kernel and a small Debian with apt into -dir, which needs no
// root and changes nothing on this machine, and ends with 1 if a test failed,
// with the command line's own exit code, or with 2 if the machine did not run
// to its end. The machine is emulated, so it runs anywhere, and some ten times
// slower than this one.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"

	"github.com/callgate/callgate/internal/cmd/vmtest/guest/plan"
)

// options are what the command line says.
type options struct {
	arch    arch
	kernel  string        // Debian package of the kernel, or one that depends on it
	append  string        // more of the kernel's command line
	dir     string        // downloads, images and logs
	limit   time.Duration // of the machine's whole life
	memory  string        // as qemu's -m says it
	command string        // a command line to run instead of the tests
	user    bool          // run only as an ordinary user
	root    bool          // run only as root
	run     string        // go test's -run
	timeout time.Duration // go test's -timeout
	short   bool          // go test's -short
	tests   []string      // packages, as go list knows them
}

func main() {
	o, err := parse(os.Args[1:])
	if err == nil {
		var code int
		if code, err = o.main(); err == nil {
			os.Exit(code)
		}
	}
	if !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintf(os.Stderr, "vmtest: %v\n", err)
	}
	os.Exit(2)
}

func parse(args []string) (*options, error) {
	o := &options{}
	flags := flag.NewFlagSet("vmtest", flag.ContinueOnError)
	name := flags.String("arch", runtime.GOARCH, "architecture of the machine: amd64 or arm64")
	flags.StringVar(&o.kernel, "kernel", "", "Debian package of the kernel (default linux-image-ARCH)")
	flags.StringVar(&o.append, "append", "", "more of the kernel's command line, as sysctl.kernel.unprivileged_userns_clone=0")
	flags.StringVar(&o.dir, "dir", "dist/vmtest", "folder for downloads, images and logs")
	flags.DurationVar(&o.limit, "limit", time.Hour, "end the machine after this time")
	flags.StringVar(&o.memory, "memory", "3G", "the machine's memory")
	flags.StringVar(&o.command, "c", "", "run this line of sh instead of the tests")
	flags.BoolVar(&o.root, "root", false, "only as root")
	flags.BoolVar(&o.user, "user", false, "only as an ordinary user")
	flags.StringVar(&o.run, "run", "", "run the tests that match, as go test -run")
	flags.DurationVar(&o.timeout, "timeout", 5*time.Minute, "end a package's tests after this time, as go test -timeout")
	flags.BoolVar(&o.short, "short", false, "run fewer random cases, as go test -short")
	if err := flags.Parse(args); err != nil {
		return nil, flag.ErrHelp // Parse has said why
	}
	o.tests = flags.Args()
	if len(o.tests) == 0 && o.command == "" {
		o.tests = defaultTests
	}
	var found bool
	if o.arch, found = arches[*name]; !found {
		return nil, fmt.Errorf("no machine of architecture %q: there are amd64 and arm64", *name)
	}
	if o.kernel == "" {
		o.kernel = "linux-image-" + o.arch.name
	}
	var err error
	o.dir, err = filepath.Abs(o.dir)
	return o, err
}

// main builds what the machine needs, runs it, and returns the exit code.
func (o *options) main() (int, error) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if _, err := os.Stat("go.mod"); err != nil {
		return 0, fmt.Errorf("run it in the folder of go.mod: %w", err)
	}
	if err := os.MkdirAll(o.dir, 0o755); err != nil {
		return 0, err
	}
	packages, err := o.download(ctx)
	if err != nil {
		return 0, err
	}
	work, err := os.MkdirTemp(o.dir, "run-")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(work)
	jobs, err := o.build(ctx, work)
	if err != nil {
		return 0, err
	}
	machine := &machine{arch: o.arch, memory: o.memory, append: o.append, kernel: work + "/vmlinuz", image: work + "/image.cpio"}
	if err := writeImage(machine, work, packages, plan.Plan{Jobs: jobs}); err != nil {
		return 0, err
	}
	log := filepath.Join(o.dir, strings.ReplaceAll(o.kernel, "/", "_")+".log")
	ctx, cancel := context.WithTimeout(ctx, o.limit)
	defer cancel()
	return machine.run(ctx, &report{command: o.command != "", out: os.Stdout}, log)
}
