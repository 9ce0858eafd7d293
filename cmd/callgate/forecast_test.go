package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/callgate/callgate/abi"
	"github.com/callgate/callgate/event"
)

// What --explain and --audit foretell of files is what the kernel answers: no call
// is blamed on callgate that goes on, or that fails bare in the same way; and what
// fails because of a wall is told.
func TestForecasts(t *testing.T) {
	needs(t, "user namespaces", "mount namespaces", "own /proc", "read-only mounts", "seccomp notification")
	base := t.TempDir()
	scene, work, home := base+"/scene", base+"/work", base+"/home"
	scratch := "/tmp/callgate-forecasts-" + strconv.Itoa(os.Getpid()) // which the program has in a /tmp of its own
	own := scratch + "/own"
	t.Cleanup(func() { os.RemoveAll(scratch) })
	var places []string
	names := []string{"ro", "rw", "exec", "rwx", "ro/hidden", "rw/hidden", "outside"}
	if testing.Short() {
		names = []string{"ro", "rw", "ro/hidden"}
	}
	for _, name := range names {
		places = append(places, scene+"/"+name)
	}
	places = append(places, own)
	paths := []string{
		"/", "/usr", "/usr/", "/usr/none", "/usr/none/new", "/etc/passwd", "/etc/none", "/etc/ssh", "/nowhere", "/nowhere/new", "/root/new",
		"/dev", "/dev/null", "/dev/full", "/dev/none", "/dev/shm", "/dev/shm/new", "/dev/pts", "/dev/pts/none",
		"/proc", "/proc/self/status", "/proc/self/none", "/proc/sys/kernel/hostname", "/proc/none", "/proc/1", "/proc/1/status", "/proc/meminfo", "/proc/self/cwd",
		"/sys", "/sys/kernel", "/sys/kernel/none", "/sys/devices/system/cpu", "/sys/devices/system/cpu/online",
		"/tmp", "/tmp/", "/tmp/none/new", "/var", "/var/tmp", "/var/lib", "/boot", scene, scene + "/new", home, base,
	}
	program, err := exec.LookPath("probe")
	if err != nil {
		t.Fatal(err)
	}
	placesText, _ := json.Marshal(places)
	pathsText, _ := json.Marshal(paths)
	args := []string{base, work, scratch, string(placesText), string(pathsText)}
	env := append(os.Environ(), "HOME="+home)
	run := func(prepare func(*exec.Cmd), args ...string) []abi.Errno {
		cmd := exec.Command(args[0], args[1:]...)
		cmd.Dir, cmd.Env = base, env
		prepare(cmd)
		var stderr strings.Builder
		cmd.Stderr = &stderr
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("%v: %v: %s", args[:2], err, stderr.String())
		}
		var errnos []abi.Errno
		for _, word := range strings.Fields(string(out)) {
			n, err := strconv.Atoi(word)
			if err != nil {
				t.Fatal(err)
			}
			errnos = append(errnos, abi.Errno(n))
		}
		return errnos
	}
	bare := run(inScratch, append([]string{program, "bare"}, args...)...)
	for _, place := range append([]string{work}, places...) {
		resetPlace(place, base)
	}
	t.Cleanup(func() {
		for _, place := range append(places, work) {
			os.Chmod(place+"/locked", 0o700)
		}
	})
	policy := filepath.Join(base, "policy.yaml")
	text := fmt.Sprintf(`extends: [default]
files:
  ro: [-%[1]s/ro]
  rw: [-%[1]s/rw, -%[1]s/rwx]
  exec: [-%[1]s/exec, -%[1]s/rwx, %[2]s]
  hidden: [%[1]s/ro/hidden, %[1]s/rw/hidden]
`, scene, program)
	if err := os.WriteFile(policy, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	log := filepath.Join(base, "log")
	within := run(func(cmd *exec.Cmd) { cmd.Dir = work }, append([]string{"callgate", "run", "-q", "--audit", log, "--policy", policy, "--", program, "within"}, args...)...)
	foretold := forecastsOf(t, log)
	all := probes(places, paths)
	ofItsOwn := func(name string) bool { // where the program makes a link itself, it is not followed
		place, link := filepath.Split(name)
		return (link == "elsewhere" || link == "away") && (strings.HasPrefix(place, own) || strings.HasPrefix(place, scene+"/outside") || strings.HasPrefix(place, home))
	}
	if len(bare) != len(all) || len(within) != len(all) {
		t.Fatalf("%d and %d answers; want %d", len(bare), len(within), len(all))
	}
	told := 0
	for i, p := range all {
		if ofItsOwn(p.Path) || strings.Contains(p.Call, "W_OK") && !strings.HasPrefix(p.Path, base) && !strings.HasPrefix(p.Path, own) {
			continue // folders of the scratch root are its user's, those of the machine root's
		}
		said, is := foretold[i]
		problem := ""
		switch goesOn := p.goesOn(bare[i]); {
		case is && within[i] == 0:
			problem = "is foretold, and went on"
		case is && !goesOn:
			problem = "is foretold, and fails bare as well"
		case is && said.Errno != within[i]:
			problem = "is foretold as something else"
		case is:
			told++
		case goesOn && within[i] != 0 && within[i] != bare[i] && within[i] != abi.ENODATA && within[i] != abi.EXDEV: // between mounts programs copy
			problem = "is not foretold"
		}
		if problem != "" {
			t.Errorf("%s %s: %s: bare %s, within %s; foretold %s (%s)", p.Call, p.Path, problem, errnoName(bare[i]), errnoName(within[i]), errnoName(said.Errno), said.Why.Text)
		}
	}
	t.Logf("%d calls, %d of them foretold", len(all), told)
	if told < len(all)/20 {
		t.Errorf("%d of %d calls are foretold: the probes show nothing", told, len(all))
	}
}

// goesOn reports whether a bare call met nothing that callgate looks at: attributes
// that a file hasn't got and what is in a program are no such things, and the scratch
// root is read-only where the machine isn't.
func (p probed) goesOn(bare abi.Errno) bool {
	switch bare {
	case 0, abi.ENODATA, abi.ENOEXEC, abi.EROFS, abi.EOPNOTSUPP: // the last of attributes in memory before Linux 6.6
		return true
	}
	return false
}

func errnoName(e abi.Errno) string {
	if e == 0 {
		return "0"
	}
	return e.Name()
}

// forecastsOf reads an audit log: what it says of each probe.
func forecastsOf(t *testing.T, name string) map[int]event.Event {
	t.Helper()
	file, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	foretold := map[int]event.Event{}
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var e event.Event
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			t.Fatal(err)
		}
		if mark := e.Call.Args[5]; mark>>16 == probeMark>>16 || mark>>17 == probeMark>>17 {
			foretold[int(mark-probeMark)] = e
		}
	}
	return foretold
}
