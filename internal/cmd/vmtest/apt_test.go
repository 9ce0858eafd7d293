package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const simulation = `NOTE: This is only a simulation!
Inst libc6 (2.36-9+deb12u14 Debian:12.14/oldstable [amd64]) []
Inst git (1:2.39.5-0+deb12u3 Debian:12.14/oldstable, Debian-Security:12/oldstable-security [amd64])
Inst git-man (1:2.39.5-0+deb12u3 Debian:12.14/oldstable [all])
Conf libc6 (2.36-9+deb12u14 Debian:12.14/oldstable [amd64])
`

func TestPackageFiles(t *testing.T) {
	folder := t.TempDir()
	var want []string
	for _, name := range []string{"libc6_2.36-9+deb12u14_amd64.deb", "git_1%3a2.39.5-0+deb12u3_amd64.deb", "git-man_1%3a2.39.5-0+deb12u3_all.deb"} {
		want = append(want, filepath.Join(folder, name))
	}
	if got, err := packageFiles(simulation, folder); err == nil {
		t.Errorf("packageFiles before the download = %q, nil; want an error", got)
	}
	for _, name := range want {
		if err := os.WriteFile(name, nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := packageFiles(simulation, folder)
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("packageFiles = %v (-want +got):\n%s", err, diff)
	}
	if got, err := packageFiles("", folder); err == nil {
		t.Errorf("packageFiles of nothing = %q, nil; want an error", got)
	}
}
