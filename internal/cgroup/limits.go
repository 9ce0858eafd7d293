package cgroup

import (
	"errors"
	"fmt"
	"math"
	"os"
	"strconv"
)

// The controllers callgate uses, by the kernel's names.
const (
	memory  = "memory"
	pids    = "pids"
	cpu     = "cpu"
	freezer = "freezer" // version 1 only
)

// Controllers are those that Limits can bound, in the order of its fields.
var Controllers = [...]string{memory, pids, cpu}

// cpuPeriod is the kernel's default accounting period, in microseconds.
const cpuPeriod = 100_000

func (l Limits) check() error {
	switch {
	case l.Memory < 0, l.Swap < 0, l.Pids < 0, l.CPUs < 0, math.IsNaN(l.CPUs):
		return errors.New("limit: a bound is negative: leave it out for none")
	case l.Memory == 0 && l.Swap != 0:
		return errors.New("limit swap: needs a memory limit too")
	case l.Memory > math.MaxInt64-l.Swap:
		return errors.New("limit swap: memory and swap together exceed 8 EiB")
	case l.CPUs != 0 && (l.CPUs < 0.01 || l.CPUs > 1e6):
		return fmt.Errorf("limit cpus: %g is out of range: the kernel takes 0.01 to 1000000", l.CPUs)
	}
	return nil
}

// controllers lists what the limits need.
func (l Limits) controllers() (need []string) {
	if l.Memory > 0 {
		need = append(need, memory)
	}
	if l.Pids > 0 {
		need = append(need, pids)
	}
	if l.CPUs > 0 {
		need = append(need, cpu)
	}
	return need
}

// limit writes one controller's bound. (Documentation/admin-guide/cgroup-v2.rst
// and Documentation/admin-guide/cgroup-v1/ in the kernel's tree.)
func (d *dir) limit(controller string, l Limits) error {
	quota := strconv.FormatInt(int64(l.CPUs*cpuPeriod), 10)
	switch controller {
	case pids:
		return d.write("pids.max", strconv.FormatInt(l.Pids, 10))
	case cpu:
		if d.hierarchy.V2 {
			return d.write("cpu.max", quota+" "+strconv.Itoa(cpuPeriod))
		}
		if err := d.write("cpu.cfs_period_us", strconv.Itoa(cpuPeriod)); err != nil {
			return err
		}
		return d.write("cpu.cfs_quota_us", quota)
	}
	if d.hierarchy.V2 {
		if err := d.write("memory.max", strconv.FormatInt(l.Memory, 10)); err != nil {
			return err
		}
		return d.swap("memory.swap.max", l.Swap)
	}
	if err := d.write("memory.limit_in_bytes", strconv.FormatInt(l.Memory, 10)); err != nil {
		return err
	}
	return d.swap("memory.memsw.limit_in_bytes", l.Memory+l.Swap)
}

// swap bounds swap. A kernel that does not account swap has no such file; that
// is a hole in the limit only where there is swap to flee to.
func (d *dir) swap(file string, bytes int64) error {
	err := d.write(file, strconv.FormatInt(bytes, 10))
	if !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if !swapExists() {
		return nil
	}
	return fmt.Errorf("%w: %w", errNoSwapAccount, err)
}

// swapExists reads /proc/swaps, which has a line of headings.
func swapExists() bool {
	swaps, err := os.ReadFile("/proc/swaps")
	if err != nil {
		return true
	}
	lines := 0
	for _, c := range swaps {
		if c == '\n' {
			lines++
		}
	}
	return lines > 1
}

// write sets one of the group's files, which the kernel made with the folder.
func (d *dir) write(file, value string) error {
	f, err := os.OpenFile(d.path+"/"+file, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteString(value)
	return errors.Join(err, f.Close())
}
