package gate

import (
	"errors"
	"io"

	"github.com/callgate/callgate/abi"
	"github.com/callgate/callgate/event"
)

// Verdict is what a stopped call becomes. The zero Verdict refuses it with
// ENOSYS, so that a C library falls back where it can.
type Verdict struct {
	outcome     event.Outcome // 0 is Refused
	err         error
	value       int64
	file        Descriptor
	closeOnExec bool
	why         event.Why // of what is not refused
	alone       bool
}

// Descriptor is what a Give gives: an [os.File], or whatever else has a descriptor.
// It is closed once.
type Descriptor interface {
	Fd() uintptr
	io.Closer
}

// Fail refuses the call: the task sees [abi.ErrnoOf] err, the taps see err. A
// [Refusal] tells them more. Fail(nil) is the zero Verdict.
func Fail(err error) Verdict { return Verdict{err: err} }

// Return lets the task see the value as the call's result; the kernel runs
// nothing. A value from -4095 to -1 is an error to the task: use Fail.
func Return(value int64) Verdict { return Verdict{outcome: event.Emulated, value: value} }

// Error lets the task see the error that the emulated call itself met, such as a
// file that isn't there: nobody refused anything.
func Error(err error) Verdict {
	errno := abi.ErrnoOf(err)
	if errno == 0 {
		return Fail(err)
	}
	return Return(-int64(errno))
}

// Done is the verdict about a call that the handler carried out itself, by the error
// that it came to: the task sees 0, or the error that the call met. A [Refusal] and
// ErrGone fail it.
func Done(err error) Verdict {
	var refusal *Refusal
	switch {
	case err == nil:
		return Return(0)
	case errors.As(err, &refusal), errors.Is(err, ErrGone):
		return Fail(err)
	}
	return Error(err)
}

// Explained turns an error that an emulated call met into the refusal that is
// foreseen for it, if it is the same. Nil foresees nothing.
func (v Verdict) Explained(t *Trap, foresee func(*Trap) *Refusal) Verdict {
	if foresee == nil || v.Outcome() != event.Emulated || v.value >= 0 {
		return v
	}
	if refusal := foresee(t); refusal != nil && refusal.Errno == abi.Errno(-v.value) {
		return Fail(refusal)
	}
	return v
}

// Give makes f a new descriptor of the task, which the task sees as the call's
// result. The Source closes f when it answered.
func Give(f Descriptor, closeOnExec bool) Verdict {
	if f == nil {
		return Fail(abi.EBADF)
	}
	return Verdict{outcome: event.Given, file: f, closeOnExec: closeOnExec}
}

// Alone has the Source close its own copy of a Give's file before the task sees
// the answer, at a price: while two have a file open for writing it can't be
// executed, and a FIFO has one end more.
func (v Verdict) Alone() Verdict {
	v.alone = true
	return v
}

// IsAlone reports whether the file of a Give is to be the task's alone.
func (v Verdict) IsAlone() bool { return v.alone }

// Continue has the kernel run the call. The kernel reads the task's memory
// again, which another thread may have changed since: never decide so by memory
// where the decision must hold.
func Continue() Verdict { return Verdict{outcome: event.Allowed} }

// Expect is Continue for a call that something in the kernel, such as a mount, is
// expected to refuse: the taps are told why. It refuses nothing itself.
func Expect(refusal *Refusal) Verdict { return Verdict{outcome: event.Allowed, err: refusal} }

// Because returns the verdict with a reason for the taps. A refusal has its own.
func (v Verdict) Because(why event.Why) Verdict {
	v.why = why
	return v
}

// Outcome is what the verdict makes of the call: event.Allowed, Refused,
// Emulated or Given.
func (v Verdict) Outcome() event.Outcome {
	if v.outcome == 0 {
		return event.Refused
	}
	return v.outcome
}

// Err is the error of a refusal, done or expected, or nil.
func (v Verdict) Err() error { return v.err }

// Errno is what the task of a refused call sees; it is never 0.
func (v Verdict) Errno() abi.Errno {
	if errno := abi.ErrnoOf(v.err); errno != 0 {
		return errno
	}
	return abi.ENOSYS
}

// Value is the result of an emulated call.
func (v Verdict) Value() int64 { return v.value }

// File is what a Give gives, and whether the task's descriptor ends with its
// program (O_CLOEXEC).
func (v Verdict) File() (f Descriptor, closeOnExec bool) { return v.file, v.closeOnExec }

// Refusal is an error that says why. Errno is what the task sees.
type Refusal struct {
	Errno abi.Errno
	event.Why
	// Lift returns what becomes of the call where somebody who may says that it is
	// allowed all the same, this once or for good. It is nil where no verdict could
	// do that, since something in the kernel refuses the call as well.
	Lift func(forGood bool) Verdict
	// File is what the call wants of which file, where that is what somebody is to
	// decide about, and not the call as it was made; else nil.
	File *File
	// Release, if not nil, gives up what Lift would act on. Whoever lifts refusals
	// calls it once for each, lifted or not.
	Release func()
}

// File is a file that a call wants something of.
type File struct {
	Path   string // its real path, links followed
	Access string // what is wanted: read, write, create …
	Hidden string // the line of the policy that hides it, or ""
}

// Error is the reason and where it stands.
func (r *Refusal) Error() string {
	text := r.Text
	if text == "" {
		text = r.Errno.Error()
	}
	if r.Rule != "" {
		text += " (" + r.Rule + ")"
	}
	return text
}

// Unwrap is the errno, for errors.Is and [abi.ErrnoOf].
func (r *Refusal) Unwrap() error { return r.Errno }
