package sys

import (
	"strings"

	"golang.org/x/sys/unix"
)

// StartOf returns when a process was started, in ticks since the machine was
// (starttime in proc_pid_stat(5)): with its number, it names a process among all
// that there were.
func StartOf(pid string) (string, error) {
	text, err := ReadHead("/proc/" + pid + "/stat")
	if err != nil {
		return "", err
	}
	const start = 22 - 3 // the name, which may hold anything, is the second field
	fields := strings.Fields(text[strings.LastIndexByte(text, ')')+1:])
	if len(fields) <= start {
		return "", unix.EIO
	}
	return fields[start], nil
}
