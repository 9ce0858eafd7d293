package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// contained runs a command in the folder root as a container, as an engine would
// start it, and expects an exit code; it needs no engine:
//
//	contained CODE [podman] [unconfined] [unmasked] [read-only] [drop-all] [CAP_NAME...] -- COMMAND...
//
// Without options it is Docker's default; see docs/kernel-support.md. With "try"
// for the code, the test skips where no container can be had.
func contained(ts *testscript.TestScript, _ bool, args []string) {
	end := slices.Index(args, "--")
	if end < 1 {
		ts.Fatalf("usage: contained CODE [OPTION...] -- COMMAND...")
	}
	bundle := ts.MkAbs("bundle")
	// The control group is called after the container, and other tests may run beside.
	name := fmt.Sprintf("callgate-test-%d", os.Getpid())
	if err := writeBundle(bundle, ts.MkAbs("root"), name, args[1:end], args[end+1:]); err != nil {
		ts.Fatalf("%v", err)
	}
	command := []string{"runc", "--root", ts.MkAbs("runc"), "run", "--bundle", bundle, name}
	if args[0] != "try" {
		exits(ts, false, append(args[:1:1], command...))
	} else if err := ts.Exec(command[0], command[1:]...); err != nil {
		skip(ts, "kernel lacks: containers: "+strings.TrimSpace(ts.ReadFile("stderr")))
	}
}

func writeBundle(bundle, root, name string, options, command []string) error {
	if err := os.RemoveAll(bundle); err != nil {
		return err
	}
	if err := os.Mkdir(bundle, 0o755); err != nil {
		return err
	}
	if out, err := exec.Command("runc", "spec", "--bundle", bundle).CombinedOutput(); err != nil {
		return fmt.Errorf("runc spec: %w\n%s", err, out)
	}
	config := filepath.Join(bundle, "config.json")
	text, err := os.ReadFile(config)
	if err != nil {
		return err
	}
	var c ociConfig
	if err := json.Unmarshal(text, &c); err != nil {
		return fmt.Errorf("%s: %w", config, err)
	}
	c.loosen(options)
	c.Root.Path = root
	c.Process["args"] = command
	c.Linux["cgroupsPath"] = "/" + name
	if text, err = json.Marshal(&c); err != nil {
		return err
	}
	return os.WriteFile(config, text, 0o644)
}

// ociConfig is what an engine tells runc (the OCI runtime specification).
type ociConfig struct {
	Version string         `json:"ociVersion"`
	Process map[string]any `json:"process"`
	Root    struct {
		Path     string `json:"path"`
		ReadOnly bool   `json:"readonly"`
	} `json:"root"`
	Hostname string         `json:"hostname"`
	Mounts   []any          `json:"mounts"`
	Linux    map[string]any `json:"linux"`
}

// dockerCapabilities are those of a container's root, without any option.
var dockerCapabilities = strings.Fields(`CAP_CHOWN CAP_DAC_OVERRIDE CAP_FSETID CAP_FOWNER CAP_MKNOD CAP_NET_RAW CAP_SETGID
	CAP_SETUID CAP_SETFCAP CAP_SETPCAP CAP_NET_BIND_SERVICE CAP_SYS_CHROOT CAP_KILL CAP_AUDIT_WRITE`)

func (c *ociConfig) loosen(options []string) {
	capabilities := slices.Clone(dockerCapabilities)
	if slices.Contains(options, "drop-all") {
		capabilities = []string{}
	}
	for _, option := range options {
		if strings.HasPrefix(option, "CAP_") {
			capabilities = append(capabilities, option)
		}
	}
	c.Process["capabilities"] = map[string]any{"bounding": capabilities, "effective": capabilities, "permitted": capabilities}
	c.Process["terminal"] = false
	c.Process["noNewPrivileges"] = false
	c.Process["cwd"] = "/work"
	delete(c.Process, "rlimits")
	c.Root.ReadOnly = slices.Contains(options, "read-only")
	if slices.Contains(options, "unmasked") {
		delete(c.Linux, "maskedPaths")
		delete(c.Linux, "readonlyPaths")
	}
	switch {
	case slices.Contains(options, "unconfined"):
	case slices.Contains(options, "podman"):
		c.refuse("sethostname")
	case slices.Contains(options, "CAP_SYS_ADMIN"):
		c.refuse("pivot_root", "pidfd_getfd")
	default:
		c.refuse("pivot_root", "pidfd_getfd", "mount", "umount2", "unshare", "setns", "sethostname",
			"open_tree", "move_mount", "mount_setattr", "fsopen", "fsmount", "fsconfig", "clone3", "clone")
	}
}

// refuse gives the container a filter against calls that callgate makes: the
// part of the engines' profiles that it meets.
func (c *ociConfig) refuse(names ...string) {
	type condition struct {
		Index    int    `json:"index"`
		Value    uint64 `json:"value"`
		ValueTwo uint64 `json:"valueTwo"`
		Op       string `json:"op"`
	}
	type rule struct {
		Names  []string    `json:"names"`
		Action string      `json:"action"`
		Errno  uint        `json:"errnoRet"`
		Args   []condition `json:"args,omitempty"`
	}
	const permission, noCall = 1, 38 // EPERM, ENOSYS
	var rules []rule
	for _, name := range names {
		switch name {
		case "clone": // with any namespace, CLONE_NEW*
			for _, flag := range []uint64{0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000} {
				rules = append(rules, rule{[]string{name}, "SCMP_ACT_ERRNO", permission, []condition{{0, flag, flag, "SCMP_CMP_MASKED_EQ"}}})
			}
		case "clone3":
			rules = append(rules, rule{[]string{name}, "SCMP_ACT_ERRNO", noCall, nil})
		default:
			rules = append(rules, rule{[]string{name}, "SCMP_ACT_ERRNO", permission, nil})
		}
	}
	c.Linux["seccomp"] = map[string]any{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": rules}
}
