package attack

import (
	"errors"
	"io"
	"os"
	"os/exec"

	"golang.org/x/sys/unix"
)

func programs() []Attack {
	return []Attack{
		{"gain by setuid", func(string) error {
			if unix.Geteuid() != 0 {
				return unix.EPERM
			}
			return nil
		}},
		{"execute", func(aim string) error { return exec.Command(aim).Run() }},
		{"execute by the loader", executeByLoader},
		{"execute from memory", executeFromMemory},
	}
}

// executeByLoader has the dynamic loader map a program that may not be executed:
// aim is "loader|program".
func executeByLoader(aim string) error {
	loader, program := split(aim)
	err := exec.Command(loader, program).Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return errors.New("the loader refused")
	}
	return err
}

// executeFromMemory copies a program into a file that has no name and executes
// that.
func executeFromMemory(aim string) error {
	fd, err := unix.MemfdCreate("program", 0)
	if err != nil {
		return err
	}
	copied := os.NewFile(uintptr(fd), "program")
	defer copied.Close()
	program, err := os.Open(aim)
	if err != nil {
		return err
	}
	defer program.Close()
	if _, err := io.Copy(copied, program); err != nil {
		return err
	}
	command := exec.Command("/proc/self/fd/3")
	command.ExtraFiles = []*os.File{copied}
	return command.Run()
}
