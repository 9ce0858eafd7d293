package main

import (
	"archive/tar"
	"bufio"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
)

// sourceTree holds the kernel's files that matter here, by path from the
// root of the tree.
type sourceTree map[string]string

// wanted tells which files of the kernel the extraction reads: the call
// tables, headers, and C files that may define a call.
func wanted(path string) bool {
	for _, prefix := range []string{"tools/", "samples/", "Documentation/", "arch/x86/um/"} {
		if strings.HasPrefix(path, prefix) {
			return false
		}
	}
	if strings.HasPrefix(path, "arch/") {
		switch strings.Split(path, "/")[1] {
		case "x86", "arm64", "arm", "riscv":
		default:
			return false
		}
	}
	switch filepath.Ext(path) {
	case ".tbl":
		return true
	case ".h":
		return strings.HasPrefix(path, "include/") || strings.Contains(path, "/include/uapi/")
	case ".c":
		return path != "mm/nommu.c" && (!strings.HasPrefix(path, "drivers/") || path == "drivers/char/random.c")
	}
	return false
}

// readKernel unpacks the newest linux-source archive in /usr/src and returns
// the wanted files and the Debian package that brought it.
func readKernel() (sourceTree, string, error) {
	archives, err := filepath.Glob("/usr/src/linux-source-*.tar.xz")
	if err != nil {
		return nil, "", err
	}
	if len(archives) == 0 {
		return nil, "", errors.New("no /usr/src/linux-source-*.tar.xz; install Debian's linux-source package")
	}
	archive := archives[len(archives)-1]
	name := strings.TrimSuffix(filepath.Base(archive), ".tar.xz")

	cmd := exec.Command("xz", "-dc", archive)
	cmd.Stderr = os.Stderr
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		return nil, "", err
	}
	if err := cmd.Start(); err != nil {
		return nil, "", fmt.Errorf("unpack %s: %w", archive, err)
	}
	tree, err := readTar(pipe, name+"/")
	if err != nil {
		return nil, "", errors.Join(fmt.Errorf("unpack %s: %w", archive, err), cmd.Wait())
	}
	return tree, name, cmd.Wait()
}

func readTar(r io.Reader, prefix string) (sourceTree, error) {
	tree := make(sourceTree)
	for archive := tar.NewReader(r); ; {
		header, err := archive.Next()
		if err == io.EOF {
			return tree, nil
		}
		if err != nil {
			return nil, err
		}
		path := strings.TrimPrefix(header.Name, prefix)
		if header.Typeflag != tar.TypeReg || !wanted(path) {
			continue
		}
		text, err := io.ReadAll(archive)
		if err != nil {
			return nil, err
		}
		tree[path] = string(text)
	}
}

// packageVersion asks dpkg for an installed package's version.
func packageVersion(name string) (string, error) {
	out, err := exec.Command("dpkg-query", "-W", "-f", "${Package} ${Version}", name).Output()
	if err != nil {
		return "", fmt.Errorf("version of package %s: %w", name, err)
	}
	return string(out), nil
}

const callsPage = "/usr/share/man/man2/syscalls.2.gz"

// A row of the table in syscalls(2): the name, then the versions.
var pageRow = regexp.MustCompile(`^\\fB(\w+)\\fP\(2\)\t+(.*)$`)

// The rows that give their version in prose.
var pageProse = regexp.MustCompile(`in (2\.\d+);`)

// readCallsPage returns the kernel version that brought each call, as
// syscalls(2) has it. Where a call went into two series at once, the
// development series' version counts, since only that one has successors.
func readCallsPage() (map[string]string, error) {
	file, err := os.Open(callsPage)
	if err != nil {
		return nil, fmt.Errorf("%w; install Debian's manpages-dev package", err)
	}
	defer file.Close()
	page, err := gzip.NewReader(file)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", callsPage, err)
	}
	since := make(map[string]string)
	last := ""
	lines := bufio.NewScanner(page)
	for lines.Scan() {
		if row := pageRow.FindStringSubmatch(lines.Text()); row != nil {
			last = row[1]
			version, _, _ := strings.Cut(row[2], "\t")
			version, _, _ = strings.Cut(version, ";")
			since[last] = strings.TrimSpace(version)
		} else if prose := pageProse.FindStringSubmatch(lines.Text()); prose != nil && since[last] == "T{" {
			since[last] = prose[1]
		}
	}
	return since, lines.Err()
}
