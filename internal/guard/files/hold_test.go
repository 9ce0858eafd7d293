package files

import (
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// holdFIFOs has more opens wait than may, sees that others pass meanwhile, and
// leaves them all.
func holdFIFOs() {
	results := make(chan error)
	open := func(name string, flags int) {
		fd, err := unix.Open(name, flags, 0)
		if err == nil {
			unix.Close(fd)
		}
		results <- err
	}
	for _, name := range []string{"pair", "alone"} {
		if err := unix.Mkfifo(name, 0o600); err != nil {
			panic(err)
		}
	}
	go open("pair", unix.O_RDONLY)
	go open("pair", unix.O_WRONLY)
	fmt.Println("pair:", <-results, <-results)
	if err := os.WriteFile("text", []byte("through"), 0o600); err != nil {
		panic(err)
	}
	go func() { // os.File, which waits without a thread where it can
		w, err := os.OpenFile("pair", os.O_WRONLY, 0)
		if err == nil {
			io.WriteString(w, "through")
			w.Close()
		}
		results <- err
	}()
	text, err := os.ReadFile("pair")
	fmt.Println("read:", string(text), err, <-results)

	const more = 3
	for range maxHeld + more {
		go open("alone", unix.O_WRONLY)
	}
	for range more {
		fmt.Println("too many:", <-results)
	}
	fd, err := unix.Open("alone", unix.O_RDWR, 0) // all of them find their other end, and later ones
	fmt.Println("both ends:", err)
	for range maxHeld {
		if err := <-results; err != nil {
			fmt.Println("held:", err)
		}
	}
	unix.Close(fd)
	for range maxHeld {
		go open("alone", unix.O_RDONLY)
	}
	for range 20 {
		if text, err := os.ReadFile("fine"); string(text) != "harmless" {
			fmt.Println("beside them:", err)
		}
	}
}

// Opens that wait keep nobody else waiting, are bounded, and end with the target.
func TestHeldOpens(t *testing.T) {
	b := raced(t)
	want := "pair: <nil> <nil>\nread: through <nil> <nil>\n" + strings.Repeat("too many: resource temporarily unavailable\n", 3) + "both ends: <nil>\n"
	if got := b.run(t, "hold"); got != want {
		t.Errorf("%s; want\n%s", got, want)
	}
}
