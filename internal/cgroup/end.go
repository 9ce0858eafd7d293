package cgroup

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// patience bounds how long Kill and Remove wait for processes to end: a killed
// process may take that long to leave the kernel.
const patience = 5 * time.Second

// Kill ends every process in the group, below it too, and returns once they
// are gone or after five seconds with an error.
func (g *Group) Kill() error {
	if len(g.dirs) == 0 {
		return nil
	}
	d := g.killer()
	for wait := range backoff() {
		processes, err := d.processes()
		if err != nil {
			return fmt.Errorf("kill group: %w", err)
		}
		if len(processes) == 0 {
			return nil
		}
		if d.hierarchy.V2 && d.write("cgroup.kill", "1") == nil { // Linux 5.14
			time.Sleep(wait)
			continue
		}
		// Frozen, the group can neither fork nor end, so that no process is
		// missed and no process id is handed to a stranger.
		d.freeze(true)
		processes, _ = d.processes()
		for _, pid := range processes {
			syscall.Kill(pid, syscall.SIGKILL)
		}
		d.freeze(false)
		time.Sleep(wait)
	}
	return fmt.Errorf("kill group %q: %w", d.path, syscall.EBUSY)
}

// killer is the folder to kill by: version 2's, else the freezer's, else any.
func (g *Group) killer() *dir {
	i := slices.IndexFunc(g.dirs, func(d *dir) bool {
		return d.hierarchy.V2 || slices.Contains(d.controllers, freezer)
	})
	return g.dirs[max(i, 0)]
}

// freeze stops or continues the group; without a freezer the rounds of Kill
// have to do.
func (d *dir) freeze(stop bool) {
	file, value := "freezer.state", "THAWED"
	switch {
	case d.hierarchy.V2 && stop: // Linux 5.2
		file, value = "cgroup.freeze", "1"
	case d.hierarchy.V2:
		file, value = "cgroup.freeze", "0"
	case stop:
		value = "FROZEN"
	}
	d.write(file, value)
}

// processes lists the group's processes and those of groups made below it.
func (d *dir) processes() (list []int, err error) {
	err = filepath.WalkDir(d.path, func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.Name() != "cgroup.procs" {
			return ignoreGone(err)
		}
		content, err := os.ReadFile(name)
		for field := range strings.FieldsSeq(string(content)) {
			// 0 stands for a process out of sight; kill(0) would hit ourselves.
			if pid, err := strconv.Atoi(field); err == nil && pid > 0 {
				list = append(list, pid)
			}
		}
		return ignoreGone(err)
	})
	return list, err
}

// ignoreGone forgives what a group removed meanwhile answers.
func ignoreGone(err error) error {
	if errors.Is(err, os.ErrNotExist) || errors.Is(err, syscall.ENODEV) {
		return nil
	}
	return err
}

// Remove removes the group and closes its files. It waits up to five seconds
// for processes that are on their way out; EBUSY after that means that the
// group still has some: see Kill.
func (g *Group) Remove() error {
	var errs []error
	for _, d := range g.dirs {
		var err error
		for wait := range backoff() {
			if err = g.tree.remove(d.path); !errors.Is(err, syscall.EBUSY) {
				break
			}
			time.Sleep(wait)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("remove group: %w", err))
		}
		if d.procs != nil {
			d.procs.Close()
		}
		d.lock.Close()
	}
	g.dirs = nil
	return errors.Join(errs...)
}

// remove removes a group and those made below it. One already gone is no error.
func (t tree) remove(dir string) error {
	err := ignoreGone(t.rmdir(dir))
	if !errors.Is(err, syscall.EBUSY) {
		return err
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return ignoreGone(err)
	}
	for _, entry := range entries {
		if entry.IsDir() {
			if err := t.remove(filepath.Join(dir, entry.Name())); err != nil {
				return err
			}
		}
	}
	return ignoreGone(t.rmdir(dir))
}

// backoff yields pauses from 0.1 ms to 50 ms that add up to patience.
func backoff() func(yield func(time.Duration) bool) {
	return func(yield func(time.Duration) bool) {
		wait := 100 * time.Microsecond
		for total := time.Duration(0); total < patience; total += wait {
			if !yield(wait) {
				return
			}
			wait = min(2*wait, 50*time.Millisecond)
		}
	}
}
