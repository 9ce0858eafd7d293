package cgroup

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

// Events are what a group's limits did to it.
type Events struct {
	MemoryKills uint64 // processes killed because memory ran out
	MemoryPeak  uint64 // most bytes ever used, 0 where the kernel does not say (v2 before Linux 5.19)
	PidsRefused uint64 // processes and threads not started because of the limit
}

// Events reads what happened so far. A figure that can't be read is 0.
func (g *Group) Events() (e Events) {
	for _, d := range g.dirs {
		for _, controller := range d.controllers {
			switch controller {
			case pids:
				e.PidsRefused = d.counter("pids.events", "max")
			case memory:
				kills, peak := "memory.oom_control", "memory.max_usage_in_bytes"
				if d.hierarchy.V2 {
					kills, peak = "memory.events", "memory.peak"
				}
				e.MemoryKills = d.counter(kills, "oom_kill")
				e.MemoryPeak = d.counter(peak, "")
			}
		}
	}
	return e
}

// Reasons says in words, for the person who ran the program, which limits were
// reached: "memory limit of 512M reached, 1 process killed".
func (g *Group) Reasons() (reasons []string) {
	e := g.Events()
	if e.MemoryKills > 0 {
		reasons = append(reasons, fmt.Sprintf("memory limit of %s reached, %s killed",
			size(g.limits.Memory), count(e.MemoryKills, "process", "processes")))
	}
	if e.PidsRefused > 0 {
		reasons = append(reasons, fmt.Sprintf("limit of %s reached, %s refused",
			count(uint64(g.limits.Pids), "process", "processes"), count(e.PidsRefused, "more", "more")))
	}
	return reasons
}

// counter reads the number that follows key on a line of its own, or with no
// key the file's only number.
func (d *dir) counter(file, key string) uint64 {
	content, err := os.ReadFile(d.path + "/" + file)
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(content)) {
		fields := strings.Fields(line)
		if key != "" && (len(fields) != 2 || fields[0] != key) || len(fields) == 0 {
			continue
		}
		n, err := strconv.ParseUint(fields[len(fields)-1], 10, 64)
		if err != nil {
			return 0
		}
		return n
	}
	return 0
}

// size prints bytes as the command line takes them: 512M, 1536K, 2G.
func size(bytes int64) string {
	for _, unit := range []struct {
		shift int
		name  string
	}{{30, "G"}, {20, "M"}, {10, "K"}} {
		if bytes>>unit.shift<<unit.shift == bytes && bytes != 0 {
			return strconv.FormatInt(bytes>>unit.shift, 10) + unit.name
		}
	}
	return strconv.FormatInt(bytes, 10)
}

func count(n uint64, one, more string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.FormatUint(n, 10) + " " + more
}
