package sys

import (
	"errors"
	"fmt"
	"os"
	"runtime"

	"golang.org/x/sys/unix"
)

const exitStep = "exit"

// Try walks the script that build writes, in a child of its own born with
// flags, and returns the error of the first step that failed. What the script
// does ends with the child. With NewUser the child first becomes root of its
// user namespace, as any user may. The steps must not touch files or processes
// outside the child's namespaces.
func Try(flags uintptr, build func(*Script)) error {
	// The child dies with the thread that started it.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()

	var init, target Script
	if flags&NewUser != 0 {
		init.WriteFile("/proc/self/setgroups", "deny")
		init.WriteFile("/proc/self/uid_map", fmt.Sprintf("0 %d 1", os.Geteuid()))
		init.WriteFile("/proc/self/gid_map", fmt.Sprintf("0 %d 1", os.Getegid()))
	}
	if flags&NewMounts != 0 {
		init.MakeMountsPrivate()
	}
	if build != nil {
		build(&init)
	}
	target.Call(exitStep, "", unix.SYS_EXIT_GROUP, 0)

	child, err := Start(flags, Early{})
	if err != nil {
		return err
	}
	child.Build(&init, &target)
	child.Run()
	_, err = child.Wait()
	child.Release()
	if err != nil {
		return err
	}
	step, errno := child.Failure()
	switch {
	case errno != 0:
		return fmt.Errorf("%s: %w", step.Text(), errno)
	case step == nil || step.Verb != exitStep:
		return fmt.Errorf("%v: %w", step, errKilled)
	}
	return nil
}

var errKilled = errors.New("the child was killed")
