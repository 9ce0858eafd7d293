package main

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
)

// mount is a line of /proc/self/mountinfo (proc_pid_mountinfo(5)) as far as it
// matters here.
type mount struct {
	root, target, kind string
	readOnly           bool
}

// parseMounts reads the lines of mountinfo, in order.
func parseMounts(text string) ([]mount, error) {
	var mounts []mount
	for line := range strings.Lines(text) {
		before, after, ok := strings.Cut(line, " - ")
		fields, kind := strings.Fields(before), strings.Fields(after)
		if !ok || len(fields) < 6 || len(kind) == 0 {
			return nil, fmt.Errorf("mountinfo line %q: too few fields", line)
		}
		mounts = append(mounts, mount{
			root: unescape(fields[3]), target: unescape(fields[4]), kind: kind[0],
			readOnly: strings.HasPrefix(fields[5], "ro"),
		})
	}
	return mounts, nil
}

// unescape undoes mountinfo's octal escapes.
func unescape(s string) string {
	return strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`).Replace(s)
}

// bwrapArguments has bubblewrap build the root that callgate's mounts make.
// What bubblewrap has no word for is left out, to its advantage: nosuid and
// noexec by mount, and a read-only stand-in for what is hidden.
func bwrapArguments(mounts []mount, links [][2]string, isFolder func(string) bool) []string {
	args := []string{"--unshare-all", "--die-with-parent", "--new-session", "--cap-drop", "ALL", "--hostname", "callgate"}
	for _, link := range links {
		args = append(args, "--symlink", link[1], link[0])
	}
	devices := false
	for _, m := range mounts {
		switch {
		case m.target == "/":
		case m.target == "/dev", strings.HasPrefix(m.target, "/dev/"):
			if !devices {
				args = append(args, "--dev", "/dev")
			}
			devices = true
		case m.kind == "proc" && m.target == "/proc":
			args = append(args, "--proc", "/proc")
		case m.kind == "tmpfs" && !m.readOnly, m.kind == "tmpfs" && isFolder(m.target):
			args = append(args, "--tmpfs", m.target)
		case m.kind == "tmpfs":
			args = append(args, "--ro-bind", os.DevNull, m.target)
		case m.readOnly:
			args = append(args, "--ro-bind", m.target, m.target)
		default:
			args = append(args, "--bind", m.target, m.target)
		}
	}
	return args
}

// comparableRoot looks at callgate's jail from inside and returns bubblewrap's
// arguments for the same.
func (b *bench) comparableRoot(dir string) ([]string, error) {
	look := `cat /proc/self/mountinfo; echo; for l in /*; do if [ -L "$l" ]; then echo "$l $(readlink "$l")"; fi; done`
	cmd := exec.Command(b.callgate, "run", "--", "/bin/sh", "-c", look)
	cmd.Dir, cmd.Stderr = dir, os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("look at the jail from inside: %w", err)
	}
	lines, rest, _ := strings.Cut(string(out), "\n\n")
	mounts, err := parseMounts(lines)
	if err != nil {
		return nil, err
	}
	var links [][2]string
	for line := range strings.Lines(rest) {
		if name, target, ok := strings.Cut(strings.TrimSpace(line), " "); ok {
			links = append(links, [2]string{name, target})
		}
	}
	return bwrapArguments(mounts, links, func(path string) bool {
		info, err := os.Stat(path)
		return err == nil && info.IsDir()
	}), nil
}
