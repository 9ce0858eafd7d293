package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"github.com/callgate/callgate/internal/cmd/vmtest/guest/plan"
)

// do runs one job and prints what it prints, between the plan's marks.
func do(job plan.Job) error {
	fmt.Println(plan.Mark, "start", job.Name)
	began := time.Now()
	read, write, err := os.Pipe()
	if err != nil {
		return err
	}
	copied := make(chan struct{})
	go func() { io.Copy(os.Stdout, read); close(copied) }()
	pid, err := start(job, write)
	write.Close()
	if err != nil {
		return err
	}
	status, err := wait(pid)
	if err != nil {
		return err
	}
	left, err := endOthers()
	if err != nil {
		return err
	}
	<-copied
	read.Close()
	code := status.ExitStatus()
	if status.Signaled() {
		code = 128 + int(status.Signal())
	}
	for _, process := range left {
		fmt.Println(plan.Mark, "left", process)
	}
	_, err = fmt.Printf("%s end %d %.1f %s\n", plan.Mark, code, time.Since(began).Seconds(), job.Name)
	return err
}

// start starts a job in its control group. It does without os/exec, whose Wait
// would compete with our own for the children.
func start(job plan.Job, out *os.File) (pid int, err error) {
	null, err := os.Open(os.DevNull)
	if err != nil {
		return 0, err
	}
	defer null.Close()
	program, err := exec.LookPath(job.Args[0])
	if err != nil {
		return 0, err
	}
	home, name, group := "/root", "root", rootGroup
	attr := &syscall.SysProcAttr{Setsid: true, UseCgroupFD: true}
	if job.User {
		home, name, group = "/home/user", "user", userGroup
		attr.Credential = &syscall.Credential{Uid: ordinaryUser, Gid: ordinaryUser}
	}
	cgroup, err := os.Open(group)
	if err != nil {
		return 0, err
	}
	defer cgroup.Close()
	attr.CgroupFD = int(cgroup.Fd())
	return syscall.ForkExec(program, job.Args, &syscall.ProcAttr{
		Dir:   job.Dir,
		Env:   []string{"PATH=" + os.Getenv("PATH"), "HOME=" + home, "USER=" + name, "LANG=C.UTF-8", "TERM=dumb"},
		Files: []uintptr{null.Fd(), out.Fd(), out.Fd()},
		Sys:   attr,
	})
}

// wait reaps whatever ends until the process does.
func wait(pid int) (status syscall.WaitStatus, err error) {
	for {
		switch ended, err := syscall.Wait4(-1, &status, 0, nil); {
		case err == syscall.EINTR:
		case err != nil:
			return status, err
		case ended == pid:
			return status, nil
		}
	}
}

// endOthers kills and reaps every process there is and says which there were.
func endOthers() ([]string, error) {
	var left []string
	folders, err := os.ReadDir("/proc")
	if err != nil {
		return nil, err
	}
	for _, folder := range folders {
		// Kernel threads, and what is a zombie already, have no command line.
		line, err := os.ReadFile("/proc/" + folder.Name() + "/cmdline")
		if err == nil && len(line) > 0 && folder.Name() != "1" && folder.Name()[0] <= '9' {
			left = append(left, folder.Name()+" "+strings.ReplaceAll(strings.TrimRight(string(line), "\x00"), "\x00", " "))
		}
	}
	syscall.Kill(-1, syscall.SIGKILL)
	for {
		if _, err := syscall.Wait4(-1, nil, 0, nil); err == syscall.ECHILD {
			return left, nil
		} else if err != nil && err != syscall.EINTR {
			return nil, err
		}
	}
}
