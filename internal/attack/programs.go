package attack

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"

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
		{"execute from sealed memory by the loader", loadFromMemory},
		{"execute a copy", executeCopy},
		{"replace a program", replaceProgram},
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

// executeCopy executes a copy of a program: aim is "program|folder".
func executeCopy(aim string) error {
	program, folder := split(aim)
	text, err := os.ReadFile(program)
	if err != nil {
		return err
	}
	path := filepath.Join(folder, "a copy")
	defer os.Remove(path)
	if err := os.WriteFile(path, text, 0o755); err != nil {
		return err
	}
	return exec.Command(path).Run()
}

// replaceProgram puts another program in the place of one, and the one back: by
// writing to it, by moving over it, or by moving the folder that it lies in.
func replaceProgram(aim string) error {
	text, err := os.ReadFile(aim)
	if err != nil {
		return err
	}
	if err := os.WriteFile(aim, text, 0o755); err == nil {
		return nil
	}
	other := aim + " other"
	defer os.Remove(other)
	if err := os.WriteFile(other, text, 0o755); err != nil {
		return err
	}
	if err := os.Rename(other, aim); err == nil {
		return nil
	}
	folder := filepath.Dir(aim)
	if err := os.Rename(folder, folder+" away"); err != nil {
		return err
	}
	return os.Rename(folder+" away", folder)
}

// executeFromMemory copies a program into a file that has no name and executes
// that.
func executeFromMemory(aim string) error {
	return executeMemory(0, aim, "/proc/self/fd/3")
}

// loadFromMemory has the dynamic loader map such a file that is sealed against being
// executed, where the kernel knows the seal: aim is "loader|program".
func loadFromMemory(aim string) error {
	loader, program := split(aim)
	err := executeMemory(unix.MFD_NOEXEC_SEAL, program, loader, "/proc/self/fd/3")
	if errors.Is(err, unix.EINVAL) {
		return executeMemory(0, program, loader, "/proc/self/fd/3")
	}
	return err
}

// executeMemory runs a command that has a copy of a program in memory as its
// descriptor 3.
func executeMemory(flags int, program string, command ...string) error {
	fd, err := unix.MemfdCreate("program", flags)
	if err != nil {
		return err
	}
	copied := os.NewFile(uintptr(fd), "program")
	defer copied.Close()
	original, err := os.Open(program)
	if err != nil {
		return err
	}
	defer original.Close()
	if _, err := io.Copy(copied, original); err != nil {
		return err
	}
	cmd := exec.Command(command[0], command[1:]...)
	cmd.ExtraFiles = []*os.File{copied}
	return cmd.Run()
}
