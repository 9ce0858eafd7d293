package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/callgate/callgate/internal/probe"
)

// doctorReport has a feature in every state.
var doctorReport = probe.Report{
	Here: probe.Surroundings{Kernel: "6.1.0", Arch: "arm64", User: 1000, Container: "docker", Filters: 1, AppArmorUserns: "1"},
	Features: []probe.Status{
		{Name: "no_new_privs", Group: probe.Kernel, State: probe.OK, Full: true, For: "keeps setuid programs out"},
		{
			Name: "user namespaces", Group: probe.Namespaces, State: probe.Missing, For: "gives power", Lost: "every other wall",
			Cause: "clone: operation not permitted", Cure: "sysctl -w x=0",
		},
		{Name: "landlock", Group: probe.Landlock, State: probe.Degraded, Detail: "ABI 2", For: "a second wall", Lacks: "no rules for ports", Cure: "a newer kernel"},
		{Name: "clone3", Group: probe.Terminal, State: probe.Missing, For: "tells", Lost: "nothing", Cause: "function not implemented", Cure: "Linux 5.3 or newer"},
	},
}

const doctorText = `Linux 6.1.0 on arm64, user 1000, in a container (docker), behind a seccomp filter
  kernel.apparmor_restrict_unprivileged_userns = 1

kernel
  no_new_privs               ok       keeps setuid programs out

namespaces
  user namespaces            missing  gives power
                                      cause: clone: operation not permitted
                                      lost: every other wall
                                      cure: sysctl -w x=0

landlock
  landlock                   degraded a second wall (ABI 2)
                                      lacks: no rules for ports
                                      cure: a newer kernel

terminal
  clone3                     missing  tells
                                      cause: function not implemented
                                      lost: nothing
                                      cure: Linux 5.3 or newer

full wall: no
  without user namespaces: every other wall
`

func TestDoctorText(t *testing.T) {
	var out bytes.Buffer
	if err := printReport(&out, doctorReport, "text"); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(doctorText, out.String()); diff != "" {
		t.Errorf("doctor's text (-want +got):\n%s", diff)
	}
}

func TestDoctorColor(t *testing.T) {
	var plain, painted strings.Builder
	doctorPage{&plain, false}.features(doctorReport.Features)
	doctorPage{&painted, true}.features(doctorReport.Features)
	got := painted.String()
	if !strings.Contains(got, "\x1b[31mmissing  \x1b[0m") {
		t.Errorf("no red %q in %q", "missing", got)
	}
	for _, code := range []string{"\x1b[0m", "\x1b[1m", "\x1b[31m", "\x1b[32m", "\x1b[33m"} {
		got = strings.ReplaceAll(got, code, "")
	}
	if diff := cmp.Diff(plain.String(), got); diff != "" {
		t.Errorf("colours change the text (-plain +painted):\n%s", diff)
	}
}

func TestDoctorJSON(t *testing.T) {
	var out bytes.Buffer
	err := runDoctor(&out, "json")
	var exit exitError
	if err != nil && !(errors.As(err, &exit) && exit.code == exitNotFull) {
		t.Fatal(err)
	}
	var report probe.Report
	if err := json.Unmarshal(out.Bytes(), &report); err != nil {
		t.Fatal(err)
	}
	if report.Full != (err == nil) {
		t.Errorf("full is %v, but the exit code says %v", report.Full, err)
	}
	if got, want := len(report.Features), len(features()); got != want {
		t.Errorf("%d features; want %d", got, want)
	}
	var last int
	for _, s := range report.Features {
		at := strings.Index("kernel namespaces filter landlock cgroups terminal", string(s.Group))
		if at < last {
			t.Errorf("%s of group %s is out of order", s.Name, s.Group)
		}
		last = at
	}
}

func TestDoctorRefusesFormat(t *testing.T) {
	var out bytes.Buffer
	err := runDoctor(&out, "xml")
	var exit exitError
	if !errors.As(err, &exit) || exit.code != exitFailure || out.Len() != 0 {
		t.Errorf("runDoctor(xml) = %v, wrote %q; want a refusal", err, out.String())
	}
}
