package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/callgate/callgate/internal/cgroup"
	"github.com/callgate/callgate/internal/probe"
	"github.com/callgate/callgate/internal/sys"
)

// exitNotFull is doctor's exit code where no full jail can be built.
const exitNotFull = 1

func newDoctorCommand() *cobra.Command {
	var format string
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Say what this kernel and this user can do, and the cure for what they can't",
		Long: `Try every kernel feature callgate uses, as the user who asks, and say for each
that is missing what falls away and what would bring it back.

The exit code is 0 when every wall of "callgate run" can be built here, and 1
when it can't. Limits of memory, processes and processors are no part of that:
a run that asks for one is refused where it can't be had.`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return fmt.Errorf("doctor: it takes no words, and got %q: callgate doctor --help", args[0])
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return runDoctor(cmd.OutOrStdout(), format) },
	}
	cmd.Flags().StringVarP(&format, "output", "o", "text", "print `text or json`")
	return cmd
}

func runDoctor(w io.Writer, format string) error {
	if format != "text" && format != "json" {
		return exitError{exitFailure, fmt.Errorf("doctor: unknown output format %q: it is text or json", format)}
	}
	report := probe.NewReport(features())
	if err := printReport(w, report, format); err != nil {
		return exitError{exitFailure, fmt.Errorf("doctor: %w", err)}
	}
	if !report.Full {
		return exitError{code: exitNotFull}
	}
	return nil
}

// features are those of every package, by group.
func features() []*probe.Feature {
	all := append(probe.All(), cgroup.Features()...)
	slices.SortStableFunc(all, func(a, b *probe.Feature) int {
		return slices.Index(groups[:], a.Group) - slices.Index(groups[:], b.Group)
	})
	return all
}

var groups = [...]probe.Group{probe.Kernel, probe.Namespaces, probe.Filter, probe.Landlock, probe.Cgroups, probe.Terminal}

func printReport(w io.Writer, report probe.Report, format string) error {
	if format == "json" {
		encoder := json.NewEncoder(w)
		encoder.SetIndent("", "  ")
		encoder.SetEscapeHTML(false)
		return encoder.Encode(report)
	}
	var page strings.Builder
	p := doctorPage{&page, colored(w)}
	p.surroundings(report.Here)
	p.features(report.Features)
	p.summary(report)
	_, err := io.WriteString(w, page.String())
	return err
}

// colored tells whether w is a terminal whose user has not set NO_COLOR.
func colored(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb" && sys.IsTerminal(f)
}

// doctorPage is the report as a person reads it.
type doctorPage struct {
	*strings.Builder
	color bool
}

const nameWidth, stateWidth = 27, 9

func (p doctorPage) surroundings(here probe.Surroundings) {
	fmt.Fprintf(p, "Linux %s on %s, user %d", here.Kernel, here.Arch, here.User)
	if here.Container != "" {
		fmt.Fprintf(p, ", in a container (%s)", here.Container)
	}
	if here.Chroot {
		p.WriteString(", in a chroot")
	}
	if here.NoProc {
		p.WriteString(", without /proc")
	}
	if here.MaskedProc {
		p.WriteString(", with parts of /proc masked")
	}
	if here.Filters > 0 {
		p.WriteString(", behind a seccomp filter")
	}
	if here.NoNewPrivs {
		p.WriteString(", without new privileges")
	}
	if here.AppArmor != "" {
		fmt.Fprintf(p, ", AppArmor profile %s", here.AppArmor)
	}
	p.WriteString("\n")
	for _, s := range []struct{ name, value string }{
		{"kernel.unprivileged_userns_clone", here.UnprivilegedUserns},
		{"kernel.apparmor_restrict_unprivileged_userns", here.AppArmorUserns},
		{"user.max_user_namespaces", here.MaxUserns},
		{"kernel.yama.ptrace_scope", here.Yama},
		{"kernel.io_uring_disabled", here.IOUring},
		{"dev.tty.legacy_tiocsti", here.LegacyTIOCSTI},
	} {
		if s.value != "" {
			fmt.Fprintf(p, "  %s = %s\n", s.name, s.value)
		}
	}
}

func (p doctorPage) features(list []probe.Status) {
	var group probe.Group
	for _, s := range list {
		if s.Group != group {
			group = s.Group
			fmt.Fprintf(p, "\n%s\n", p.paint("1", string(group)))
		}
		fmt.Fprintf(p, "  %-*s%s%s\n", nameWidth, s.Name, p.state(s.State), about(s))
		p.note("lacks", s.Lacks)
		p.note("cause", s.Cause)
		p.note("lost", s.Lost)
		p.note("cure", s.Cure)
	}
}

// about is what a feature's line says behind its state.
func about(s probe.Status) string {
	if s.Detail == "" {
		return s.For
	}
	return s.For + " (" + s.Detail + ")"
}

func (p doctorPage) note(name, text string) {
	if text != "" {
		fmt.Fprintf(p, "  %*s%s: %s\n", nameWidth+stateWidth, "", p.paint("1", name), text)
	}
}

func (p doctorPage) summary(report probe.Report) {
	full := p.paint("32", "yes")
	if !report.Full {
		full = p.paint("31", "no")
	}
	fmt.Fprintf(p, "\nfull wall: %s\n", full)
	for _, s := range report.Features {
		if s.State == probe.Missing && s.Lost != "nothing" {
			fmt.Fprintf(p, "  without %s: %s\n", s.Name, s.Lost)
		}
	}
}

func (p doctorPage) state(s probe.State) string {
	color := map[probe.State]string{probe.OK: "32", probe.Degraded: "33", probe.Missing: "31"}[s]
	return p.paint(color, fmt.Sprintf("%-*s", stateWidth, s))
}

// paint wraps text in an ANSI colour, on a terminal.
func (p doctorPage) paint(code, text string) string {
	if !p.color {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}
