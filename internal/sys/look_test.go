package sys

import (
	"net"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

func TestLook(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	file := dir + "/file"
	if err := os.WriteFile(file, nil, 0); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("file", dir+"/link"); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		path string
		want Sight
	}{
		{file, Sight{file, unix.S_IFREG}}, // which nobody may read
		{dir + "/link", Sight{file, unix.S_IFREG}},
		{dir + "/../" + filepath.Base(dir), Sight{dir, unix.S_IFDIR}},
		{"/dev/null", Sight{"/dev/null", unix.S_IFCHR}},
	} {
		if got, err := Look(c.path); got != c.want || err != nil {
			t.Errorf("Look(%q) = %+v, %v; want %+v", c.path, got, err, c.want)
		}
	}
	if _, err := Look(dir + "/none"); !os.IsNotExist(err) {
		t.Errorf("Look at nothing: %v", err)
	}
}

func TestSocketOf(t *testing.T) {
	if err := HasPidfdGetfd(); err != nil {
		t.Skipf("kernel lacks: pidfd_getfd: %v", err)
	}
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	raw, err := conn.(*net.UDPConn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	raw.Control(func(fd uintptr) {
		kind, protocol, err := SocketOf(os.Getpid(), int(fd))
		if kind != unix.SOCK_DGRAM || protocol != unix.IPPROTO_UDP || err != nil {
			t.Errorf("SocketOf a socket of UDP = %d, %d, %v", kind, protocol, err)
		}
	})
	if _, _, err := SocketOf(os.Getpid(), 1<<20); err == nil {
		t.Error("SocketOf no descriptor: no error")
	}
}
