package main

import (
	"os"
	"path/filepath"
)

// The control groups that jobs run in, laid out as systemd does: root's job is
// one of its services, a user's job is in a scope below a group that was
// delegated to the user.
const (
	groups        = "/sys/fs/cgroup"
	rootGroup     = groups + "/system.slice/vmtest.service"
	delegated     = groups + "/user.slice/user.service"
	userGroup     = delegated + "/vmtest.scope"
	controllers   = "+cpu +memory +pids"
	ordinaryUser  = 1000
	delegatedMode = 0o755
)

// controlGroups makes them.
func controlGroups() error {
	for _, group := range []string{rootGroup, userGroup} {
		if err := os.MkdirAll(group, delegatedMode); err != nil {
			return err
		}
	}
	for _, group := range []string{groups, filepath.Dir(rootGroup), filepath.Dir(delegated), delegated} {
		if err := os.WriteFile(group+"/cgroup.subtree_control", []byte(controllers), 0); err != nil {
			return err
		}
	}
	// What is delegated: cgroup(7), "Cgroups delegation".
	for _, group := range []string{delegated, userGroup} {
		for _, name := range []string{"", "cgroup.procs", "cgroup.subtree_control", "cgroup.threads"} {
			if err := os.Chown(filepath.Join(group, name), ordinaryUser, ordinaryUser); err != nil {
				return err
			}
		}
	}
	return nil
}
