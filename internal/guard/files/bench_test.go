package files

import (
	"context"
	"os"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/callgate/callgate/abi"
	"github.com/callgate/callgate/gate"
	"github.com/callgate/callgate/internal/sys"
	"github.com/callgate/callgate/policy"
)

// ownMemory is this process's, as a gate.Memory.
type ownMemory struct{}

func (ownMemory) ReadAt(p []byte, address int64) (int, error) {
	return sys.ReadTask(os.Getpid(), p, uint64(address))
}

func (ownMemory) WriteAt(p []byte, address int64) (int, error) {
	return sys.WriteTask(os.Getpid(), p, uint64(address))
}

// BenchmarkOpen is what the handler itself takes for an open, without the way
// there and back.
func BenchmarkOpen(b *testing.B) {
	folder := b.TempDir()
	put(b, folder, "sub/file", "text")
	b.Chdir(folder)
	p := behind{folder: folder, hidden: []string{"./**/.env", "~/src/**/*.pem"}}.policy(b, "/")
	patterns, err := p.Patterns(policy.Target{Dir: folder, Home: folder}, nil)
	if err != nil {
		b.Fatal(err)
	}
	h := New(patterns, []Place{{folder, policy.Read | policy.Write}}, true, true)
	defer h.Close()
	number, _ := abi.Native().Number("openat")
	for name, path := range map[string]string{"relative": "sub/file", "here": "none", "absolute": folder + "/sub/file"} {
		b.Run(name, func(b *testing.B) {
			text := make([]byte, gate.PathMax+1)
			copy(text, path)
			for b.Loop() {
				t := &gate.Trap{Call: abi.Call{Arch: abi.Native(), Nr: number}, Memory: ownMemory{}}
				t.Task.TID = os.Getpid()
				here := unix.AT_FDCWD
				t.Args = [6]uint64{uint64(here), uint64(uintptr(unsafe.Pointer(&text[0]))), unix.O_RDONLY | unix.O_CLOEXEC}
				v := h.Handle(context.Background(), t)
				if file, _ := v.File(); file != nil {
					file.Close()
				}
			}
		})
	}
}
