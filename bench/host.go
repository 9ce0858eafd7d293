package main

import (
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/callgate/callgate/bench/measure"
	"github.com/callgate/callgate/internal/sys"
)

// printHost says what figures depend on: without it they mean nothing.
func printHost(r *measure.Report) {
	r.Table(
		[]string{"host", ""},
		[]string{"date", time.Now().UTC().Format("2006-01-02 15:04 UTC")},
		[]string{"kernel", sys.KernelRelease() + " " + runtime.GOARCH},
		[]string{"processor", processor()},
		[]string{"mitigations", mitigations()},
		[]string{"load (1, 5, 15 min)", load()},
		[]string{"scheduler", scheduler()},
		[]string{"user", user()},
		[]string{"Go", runtime.Version()},
	)
	if r.Lines != nil {
		lines := "goos: " + runtime.GOOS + "\ngoarch: " + runtime.GOARCH + "\npkg: github.com/callgate/callgate/bench\ncpu: " + processor() + "\n"
		r.Lines.Write([]byte(lines))
	}
}

// text returns a file of /proc or /sys, or "" where the kernel has none.
func text(path string) string {
	content, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(content))
}

func processor() string {
	model := "unknown model"
	for line := range strings.Lines(text("/proc/cpuinfo")) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			model = strings.TrimSpace(value)
		}
	}
	return plural(runtime.NumCPU(), "CPU") + " of " + model
}

// mitigations lists what the kernel does against each flaw the processor has.
func mitigations() string {
	files, _ := filepath.Glob("/sys/devices/system/cpu/vulnerabilities/*") // the pattern is well-formed
	var parts []string
	for _, file := range files {
		if state := text(file); state != "Not affected" {
			parts = append(parts, filepath.Base(file)+": "+state)
		}
	}
	slices.Sort(parts)
	if len(parts) == 0 {
		return "none"
	}
	return strings.Join(parts, "; ")
}

func load() string {
	fields := strings.Fields(text("/proc/loadavg"))
	return strings.Join(fields[:min(3, len(fields))], ", ")
}

func scheduler() string {
	if isFIFO() {
		return "SCHED_FIFO: ahead of what else runs"
	}
	return "the default one: what else runs shows in the figures"
}

// isFIFO reads this process's policy, field 41 of proc_pid_stat(5).
func isFIFO() bool {
	_, after, _ := strings.Cut(text("/proc/self/stat"), ") ") // the name may hold spaces
	const field = 41 - 3
	fields := strings.Fields(after)
	return len(fields) > field && fields[field] == "1"
}

func user() string {
	if os.Geteuid() == 0 {
		return "root"
	}
	return "an ordinary user"
}
