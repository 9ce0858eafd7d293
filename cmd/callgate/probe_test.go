package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"unsafe"

	"github.com/callgate/callgate/abi"
)

// probed is one call of a program that makes many: PATH is the one it is about.
type probed struct {
	Call string // "openat O_RDWR": the words behind it as probeArgs has them
	Path string
}

// probedCalls are made of each path. The words are arguments in order; AT is
// AT_FDCWD, PATH the path, and OTHER another path, which may be written to.
var probedCalls = []string{
	"openat AT PATH O_RDONLY", "openat AT PATH O_WRONLY", "openat AT PATH O_RDWR", "openat AT PATH 3",
	"openat AT PATH O_WRONLY|O_CREAT 0600", "openat AT PATH O_RDONLY|O_CREAT 0600", "openat AT PATH O_WRONLY|O_CREAT|O_EXCL 0600",
	"openat AT PATH O_RDONLY|O_TRUNC", "openat AT PATH O_WRONLY|O_TRUNC", "openat AT PATH O_DIRECTORY", "openat AT PATH O_PATH",
	"openat AT PATH O_PATH|O_NOFOLLOW", "openat AT PATH O_NOFOLLOW", "openat AT PATH O_WRONLY|O_NOFOLLOW",
	"openat AT PATH O_RDWR|O_TMPFILE 0600", "openat AT PATH O_WRONLY|O_DIRECTORY",
	"faccessat AT PATH 0", "faccessat AT PATH R_OK", "faccessat AT PATH W_OK", "faccessat AT PATH X_OK", "faccessat AT PATH R_OK|W_OK",
	"faccessat2 AT PATH R_OK AT_EACCESS", "faccessat2 AT PATH W_OK AT_SYMLINK_NOFOLLOW", "faccessat2 AT PATH X_OK AT_EACCESS",
	"mkdirat AT PATH 0700", "mknodat AT PATH S_IFREG|0600 0", "unlinkat AT PATH 0", "unlinkat AT PATH AT_REMOVEDIR",
	"symlinkat anywhere AT PATH", "linkat AT PATH AT OTHER 0", "linkat AT OTHERFILE AT PATH 0",
	"renameat2 AT PATH AT OTHER 0", "renameat2 AT OTHERFILE AT PATH 0", "renameat2 AT OTHERFILE AT PATH RENAME_NOREPLACE",
	"truncate PATH 0", "fchmodat AT PATH 0700", "fchownat AT PATH -1 -1 0", "fchownat AT PATH -1 -1 AT_SYMLINK_NOFOLLOW",
	"utimensat AT PATH 0 0", "statfs PATH BUFFER", "newfstatat AT PATH BUFFER 0", "readlinkat AT PATH BUFFER 4096",
	"execve PATH 0 0", "chdir PATH", "getxattr PATH user.x 0 0", "setxattr PATH user.x BUFFER 1 0", "removexattr PATH user.x",
	"lgetxattr PATH user.x 0 0", "lsetxattr PATH user.x BUFFER 1 0",
}

// probedNames are looked for in each place: see place.reset.
var probedNames = []string{
	"", "/", "/file", "/file/", "/file/x", "/dir", "/dir/", "/dir/inner", "/new", "/new/", "/none/new", "/dir/../file", "/dir/new",
	"/link", "/dangling", "/dirlink", "/dirlink/", "/dirlink/inner", "/dirlink/new", "/program", "/closed", "/closed/x", "/locked/inner", "/locked/new",
	"/loop", "/elsewhere", "/away",
}

// resetPlace makes what the probes look for in a place, as far as it can.
func resetPlace(place, base string) {
	if info, err := os.Lstat(place); err != nil || !info.IsDir() {
		os.RemoveAll(place)
	}
	os.MkdirAll(place, 0o755)
	os.Chmod(place, 0o755)
	os.Chmod(place+"/locked", 0o700)
	for _, name := range []string{"/new", "/dir/new", "/locked/new", "/nowhere", "/other", "/otherfile"} {
		if _, err := os.Lstat(place + name); err == nil {
			os.RemoveAll(place + name)
		}
	}
	folder := func(name string, mode os.FileMode) {
		if info, err := os.Lstat(place + name); err != nil || !info.IsDir() {
			os.Remove(place + name)
			os.Mkdir(place+name, 0o700)
		}
		os.Chmod(place+name, mode)
	}
	file := func(name, text string, mode os.FileMode) {
		if info, err := os.Lstat(place + name); err != nil || !info.Mode().IsRegular() || info.Size() != int64(len(text)) {
			os.RemoveAll(place + name)
			os.WriteFile(place+name, []byte(text), 0o600)
		}
		os.Chmod(place+name, mode)
	}
	link := func(name, to string) {
		if text, err := os.Readlink(place + name); err != nil || text != to {
			os.RemoveAll(place + name)
			os.Symlink(to, place+name)
		}
	}
	folder("/dir", 0o755)
	file("/dir/inner", "inner", 0o644)
	file("/file", "text", 0o644)
	file("/program", "no program", 0o755) // ENOEXEC, where it may be executed
	file("/closed", "closed", 0)
	folder("/locked", 0o700)
	file("/locked/inner", "inner", 0o644)
	os.Chmod(place+"/locked", 0)
	link("/link", "file")
	link("/dangling", "nowhere")
	link("/dirlink", "dir")
	link("/loop", "loop")
	link("/elsewhere", base+"/scene/ro/file")
	link("/away", base+"/scene/outside/file")
}

// probes lists the calls of a program that probes these places, and these paths,
// which are the machine's own: there it only looks.
func probes(places, paths []string) (all []probed) {
	for _, call := range probedCalls {
		for _, place := range places {
			for _, name := range probedNames {
				all = append(all, probed{call, place + name})
			}
		}
		for _, name := range paths {
			if p := (probed{call, name}); p.onlyLooks() {
				all = append(all, p)
			}
		}
	}
	return all
}

// onlyLooks reports whether a call changes nothing, whatever lets it: only such
// calls are made of the machine's own files.
func (p probed) onlyLooks() bool {
	name, _, _ := strings.Cut(p.Call, " ")
	switch name {
	case "openat":
		return !strings.Contains(p.Call, "O_CREAT") && !strings.Contains(p.Call, "O_TRUNC") && !strings.Contains(p.Call, "O_TMPFILE") && !strings.HasSuffix(p.Call, " 3")
	case "faccessat", "faccessat2", "statfs", "newfstatat", "readlinkat", "chdir":
		return true
	}
	return false
}

// probeMark is added to a probe's number: the kernel looks at five registers of
// these calls at most, and the sixth tells which probe it is.
const probeMark = 0xca11 << 16

// probeFiles makes the calls of probes, and prints their errors. Its arguments are
// "bare" or "within", a folder of the test's, one in it to work in, the folder of a
// place in /tmp, and the places and paths.
func probeFiles() {
	runtime.LockOSThread()
	within, base, work, scratch := os.Args[1] == "within", os.Args[2], os.Args[3], os.Args[4]
	var places, paths []string
	for i, list := range []*[]string{&places, &paths} {
		if err := json.Unmarshal([]byte(os.Args[5+i]), list); err != nil {
			panic(err)
		}
	}
	for _, place := range append(places, work) {
		if !strings.HasPrefix(place, base+"/") && !strings.HasPrefix(place, scratch+"/") {
			panic(place + " is no place of the test's")
		}
	}
	if !within {
		enterScratch(base)
	}
	for _, folder := range append([]string{work}, places...) {
		resetPlace(folder, base) // within, those of memory are empty yet
	}
	dropCapabilities()
	var out strings.Builder
	changed := ""
	for i, p := range probes(places, paths) {
		for _, place := range places {
			if changed != "" && strings.HasPrefix(place, changed) {
				resetPlace(place, base)
			}
		}
		os.WriteFile(work+"/otherfile", nil, 0o600)
		os.Chdir("/")
		errno := probeOne(p, work, i)
		fmt.Fprintln(&out, uint(errno))
		changed = ""
		for _, place := range places {
			if errno == 0 && !p.onlyLooks() && strings.HasPrefix(p.Path, place) {
				changed = place
			}
		}
	}
	os.Stdout.WriteString(out.String())
}

func probeOne(p probed, work string, number int) syscall.Errno {
	words := strings.Fields(p.Call)
	_, nr, ok := abi.Native().Find(words[0])
	if !ok {
		return syscall.ENOSYS
	}
	args := [6]uintptr{5: uintptr(probeMark + number)}
	var keep [6]any
	buffer := new([8192]byte)
	for i, word := range words[1:] {
		switch {
		case word == "BUFFER":
			args[i] = uintptr(unsafe.Pointer(buffer))
		case word == "AT":
			here := -100
			args[i] = uintptr(here)
		case word == "PATH", word == "OTHER", word == "OTHERFILE", strings.HasPrefix(word, "user."), word == "anywhere":
			text, _ := syscall.BytePtrFromString(strings.NewReplacer("PATH", p.Path, "OTHERFILE", work+"/otherfile", "OTHER", work+"/other"+strconv.Itoa(number)).Replace(word))
			args[i], keep[i] = uintptr(unsafe.Pointer(text)), text
		default:
			args[i], _ = argument(word)
		}
	}
	fd, _, errno := syscall.RawSyscall6(uintptr(nr), args[0], args[1], args[2], args[3], args[4], args[5])
	runtime.KeepAlive(keep)
	runtime.KeepAlive(buffer)
	if errno == 0 && path.Base(words[0]) == "openat" {
		syscall.Close(int(fd))
	}
	return errno
}

// dropCapabilities has the bare program be refused what the user is: behind the
// gate it has no capability to get past permissions by.
func dropCapabilities() {
	header := [2]uint32{0x20080522, 0} // _LINUX_CAPABILITY_VERSION_3
	var data [6]uint32
	syscall.RawSyscall(syscall.SYS_CAPSET, uintptr(unsafe.Pointer(&header)), uintptr(unsafe.Pointer(&data)), 0)
}
