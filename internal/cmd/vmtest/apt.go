package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
)

// userland is the small Debian that the tests run in, besides what these depend
// on.
var userland = []string{
	"bash", "busybox-static", "coreutils", "curl", "dash", "diffutils", "findutils", "git", "grep", "gzip", "iproute2", "kmod",
	"libcap2-bin", "mount", "nginx-light", "passwd", "procps", "python3", "redis-server", "sed", "tar", "util-linux",
}

// download has apt fetch the kernel, the userland and all they depend on, and
// returns the files. Apt works in folders of our own, as if nothing were
// installed, with this machine's sources.
func (o *options) download(ctx context.Context) ([]string, error) {
	home := filepath.Join(o.dir, o.arch.name)
	for _, folder := range []string{"state/lists/partial", "cache/archives/partial"} {
		if err := os.MkdirAll(filepath.Join(home, folder), 0o755); err != nil {
			return nil, err
		}
	}
	if err := os.WriteFile(home+"/state/status", nil, 0o644); err != nil {
		return nil, err
	}
	apt := func(args ...string) (string, error) {
		return output(exec.CommandContext(ctx, "apt-get", append([]string{
			"-qq", "-y", "-o", "APT::Architecture=" + o.arch.name, "-o", "APT::Architectures=" + o.arch.name,
			"-o", "Dir::State=" + home + "/state", "-o", "Dir::State::status=" + home + "/state/status",
			"-o", "Dir::Cache=" + home + "/cache", "-o", "APT::Install-Recommends=false", "-o", "APT::Sandbox::User=root",
		}, args...)...))
	}
	install := append([]string{"install", o.kernel}, userland...)
	if _, err := apt(append(install, "--download-only")...); err != nil { // no lists, or old ones
		if _, err := apt("update"); err != nil {
			return nil, err
		}
		if _, err := apt(append(install, "--download-only")...); err != nil {
			return nil, err
		}
	}
	list, err := apt(append(install, "--simulate")...)
	if err != nil {
		return nil, err
	}
	return packageFiles(list, home+"/cache/archives")
}

// installed is a line of apt-get --simulate:
// Inst libc6 (2.36-9+deb12u14 Debian:12.14/oldstable [amd64])
var installed = regexp.MustCompile(`(?m)^Inst (\S+) (?:\[\S+\] )?\((\S+) .*\[(\w+)\]`)

// packageFiles returns where apt has put the packages that it would install.
func packageFiles(simulation, folder string) ([]string, error) {
	var files []string
	for _, found := range installed.FindAllStringSubmatch(simulation, -1) {
		version := strings.ReplaceAll(found[2], ":", "%3a")
		file := filepath.Join(folder, found[1]+"_"+version+"_"+found[3]+".deb")
		if _, err := os.Stat(file); err != nil {
			return nil, fmt.Errorf("find what apt has downloaded: %w", err)
		}
		files = append(files, file)
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("apt-get --simulate lists no packages:\n%s", simulation)
	}
	return files, nil
}

// output runs a command and returns what it prints; what it complains of is in
// the error.
func output(c *exec.Cmd) (string, error) {
	var complaint strings.Builder
	c.Stderr = &complaint
	out, err := c.Output()
	if err != nil {
		return "", fmt.Errorf("%s: %w\n%s", strings.Join(c.Args, " "), err, complaint.String())
	}
	return string(out), nil
}
