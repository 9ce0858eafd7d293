package abi_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"
	"syscall"
	"testing"

	"github.com/callgate/callgate/abi"
)

func TestErrnoNames(t *testing.T) {
	for _, test := range []struct {
		errno      abi.Errno
		name, text string
	}{
		{abi.EPERM, "EPERM", "operation not permitted"},
		{abi.EACCES, "EACCES", "permission denied"},
		{abi.ENOSYS, "ENOSYS", "function not implemented"},
		{abi.EAGAIN, "EAGAIN", "resource temporarily unavailable"},
		{abi.EHWPOISON, "EHWPOISON", "memory page has hardware error"},
		{41, "errno 41", "errno 41"}, // never given out
		{4095, "errno 4095", "errno 4095"},
	} {
		if test.errno.Name() != test.name || test.errno.Error() != test.text {
			t.Errorf("errno %d is %q, %q; want %q, %q", test.errno, test.errno.Name(), test.errno.Error(), test.name, test.text)
		}
	}
}

func TestParseErrno(t *testing.T) {
	for name, want := range map[string]abi.Errno{
		"EPERM": 1, "ENOSYS": 38, "EWOULDBLOCK": 11, "EDEADLOCK": 35, "ENOTSUP": 95, "EOPNOTSUPP": 95,
	} {
		if got, found := abi.ParseErrno(name); !found || got != want {
			t.Errorf("ParseErrno(%q) = %d, %t; want %d", name, got, found, want)
		}
	}
	for _, name := range []string{"", "eperm", "EFOO", "1"} {
		if got, found := abi.ParseErrno(name); found {
			t.Errorf("ParseErrno(%q) = %d; want nothing", name, got)
		}
	}
}

// TestErrnosAgreeWithSystem walks all numbers that errnos can have.
func TestErrnosAgreeWithSystem(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("another system numbers its errors differently")
	}
	named := 0
	for number := 1; number < 4096; number++ {
		ours, theirs := abi.Errno(number), syscall.Errno(number)
		if want := theirs.Error(); ours.Error() != want && ours != abi.EHWPOISON { // for which Go has no words
			t.Errorf("errno %d is %q; want %q", number, ours.Error(), want)
		}
		if back, found := abi.ParseErrno(ours.Name()); found {
			named++
			if back != ours {
				t.Errorf("ParseErrno(%q) = %d; want %d", ours.Name(), back, ours)
			}
		}
		for _, sentinel := range []error{fs.ErrPermission, fs.ErrExist, fs.ErrNotExist, errors.ErrUnsupported} {
			if got, want := errors.Is(ours, sentinel), errors.Is(theirs, sentinel); got != want {
				t.Errorf("%s is %q: %t; want %t", ours.Name(), sentinel, got, want)
			}
		}
		if !errors.Is(ours, theirs) || errors.Is(ours, theirs+1) {
			t.Errorf("%s is not exactly the system's errno %d", ours.Name(), number)
		}
		var found syscall.Errno
		if !errors.As(fmt.Errorf("wrapped: %w", ours), &found) || found != theirs {
			t.Errorf("%s as the system's errno is %d; want %d", ours.Name(), found, theirs)
		}
		if got := abi.ErrnoOf(fmt.Errorf("wrapped: %w", theirs)); got != ours {
			t.Errorf("ErrnoOf(%v) = %d; want %d", theirs, got, ours)
		}
	}
	if named != 131 {
		t.Errorf("%d errnos have names; want 131", named)
	}
}

func TestErrnoAsOtherTypes(t *testing.T) {
	var path *fs.PathError
	var number uintptr
	if errors.As(abi.EPERM, &path) || abi.EPERM.As(&number) || abi.EPERM.As(nil) || abi.EPERM.As(syscall.Errno(1)) {
		t.Error("EPERM gives itself out as another type than syscall.Errno")
	}
}

func TestErrnoOf(t *testing.T) {
	_, missing := os.Open("/does/not/exist")
	expired, cancel := context.WithTimeout(context.Background(), 0)
	defer cancel()
	<-expired.Done()
	for _, test := range []struct {
		err  error
		want abi.Errno
	}{
		{nil, 0},
		{abi.ELOOP, abi.ELOOP},
		{fmt.Errorf("open %q: %w", "/x", abi.EROFS), abi.EROFS},
		{missing, abi.ENOENT},
		{fs.ErrPermission, abi.EACCES},
		{fs.ErrExist, abi.EEXIST},
		{fs.ErrInvalid, abi.EINVAL},
		{fs.ErrClosed, abi.EBADF},
		{errors.ErrUnsupported, abi.EOPNOTSUPP},
		{expired.Err(), abi.ETIMEDOUT},
		{os.ErrDeadlineExceeded, abi.ETIMEDOUT},
		{errors.New("something else"), abi.EIO},
		{syscall.Errno(0), abi.EIO}, // an error that says success is still one
		{errors.Join(errors.New("a"), abi.EXDEV), abi.EXDEV},
	} {
		if got := abi.ErrnoOf(test.err); got != test.want {
			t.Errorf("ErrnoOf(%v) = %v; want %v", test.err, got.Name(), test.want.Name())
		}
	}
}
