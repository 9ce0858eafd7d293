package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/callgate/callgate/bench/measure"
)

// place is where a program opens files: bare, behind walls, behind a monitor.
type place struct {
	name string
	argv []string // what stands before the program
}

const (
	opensBare      = "bare"
	opensLandlock  = "Landlock, one rule"
	opensWalls     = "callgate run"
	opensKept      = "callgate run --ro PATTERN"
	opensMonitored = "callgate run --hide PATTERN"
	opensOpener    = "C, opens all, decides nothing"
	opensPeer      = "runsc, systrap"
)

// pattern is a path rule that the kernel's walls can't decide: under --hide each
// open passes the monitor, under --ro those that may change something.
const pattern = "./**/*.secret"

// places lists them; the peer is left out where it isn't installed. What stands
// between the program and the kernel costs something by itself: a rule for files, and
// a monitor in C.
func (b *bench) places() ([]place, error) {
	landlock, err := b.compileC("landlock")
	if err != nil {
		return nil, err
	}
	opener, err := b.compileC("opener", "-pthread")
	if err != nil {
		return nil, err
	}
	list := []place{
		{opensBare, nil},
		{opensLandlock, []string{landlock}},
		{opensWalls, []string{b.callgate, "run", "--quiet", "--"}},
		{opensKept, []string{b.callgate, "run", "--quiet", "--ro", pattern, "--"}},
		{opensMonitored, []string{b.callgate, "run", "--quiet", "--hide", pattern, "--"}},
		{opensOpener, []string{opener}},
	}
	runsc, err := exec.LookPath(b.runsc)
	if err == nil {
		runsc, err = filepath.Abs(runsc)
	}
	if err != nil {
		b.Printf("runsc is not installed (`make bench-peers` builds it): left out.\n\n")
		return list, nil
	}
	return append(list, place{opensPeer, []string{runsc, "--platform=systrap", "--network=none", "--ignore-cgroups", "do", "--"}}), nil
}

// opens measures files that are opened: one by one, and by a compiler.
func (b *bench) opens() error {
	b.Printf("### Opened files\n\n")
	if !b.have("cc", "gcc") || !b.have("make", "make") {
		return nil
	}
	places, err := b.places()
	if err != nil {
		return err
	}
	if err := b.openAndClose(places); err != nil {
		return err
	}
	// A build follows links and makes files: more than the opener in C knows.
	return b.buildTree(slices.DeleteFunc(places, func(p place) bool { return p.name == opensOpener }))
}

// openAndClose measures an open and a close, by the program's own clock.
func (b *bench) openAndClose(places []place) error {
	program, err := b.compileC("opens", "-pthread", "-static")
	if err != nil {
		return err
	}
	dir, err := b.folder("opens", map[string]string{"file": "text\n"})
	if err != nil {
		return err
	}
	own := filepath.Join(dir, "program")
	if err := os.Rename(program, own); err != nil {
		return err
	}
	var subjects []measure.Subject
	for _, p := range places {
		subjects = append(subjects, measure.Subject{Name: p.name, Run: func(int) ([]float64, error) {
			var values []float64
			for _, threads := range []int{1, 4} {
				ns, err := output(dir, append(p.argv[:len(p.argv):len(p.argv)], own, filepath.Join(dir, "file"), strconv.Itoa(threads)))
				if err != nil {
					return nil, err
				}
				values = append(values, ns)
			}
			return values, nil
		}})
	}
	rounds := b.roundsOr(20)
	samples, err := measure.Interleave(rounds, []string{oneThread, fourThreads}, subjects)
	if err != nil {
		return err
	}
	b.Samples("Open", samples)
	b.Printf("Medians of %s, interleaved, in ns an `open` and `close`; a round's value is itself the median of 9 turns of 300 a thread.\n\n", plural(rounds, "round"))
	rows := [][]string{{"opened", oneThread, fourThreads}}
	for _, p := range places {
		rows = append(rows, []string{
			p.name, measure.Nanoseconds(measure.Median(samples.Of(p.name, oneThread))),
			measure.Nanoseconds(measure.Median(samples.Of(p.name, fourThreads))),
		})
	}
	b.Table(rows...)
	b.Bar("open+close, callgate run / "+opensLandlock, 1.1, measure.Ratio(samples.Of(opensWalls, oneThread), samples.Of(opensLandlock, oneThread)))
	for _, threads := range samples.Measures {
		b.Bar(threads+", open+close, monitored / C", 1.25, measure.Ratio(samples.Of(opensMonitored, threads), samples.Of(opensOpener, threads)))
	}
	if samples.Has(opensPeer) {
		for _, threads := range samples.Measures {
			b.Bar(threads+", open+close, monitored / runsc", 1.25, measure.Ratio(samples.Of(opensMonitored, threads), samples.Of(opensPeer, threads)))
		}
	}
	b.Printf("\n")
	return nil
}

// output runs a program that prints one number.
func output(dir string, argv []string) (float64, error) {
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Dir, cmd.Stderr = dir, os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return 0, fmt.Errorf("%s: %w", strings.Join(argv, " "), err)
	}
	return strconv.ParseFloat(strings.TrimSpace(string(out)), 64)
}

// buildTree measures a build of 200 C files, whole.
func (b *bench) buildTree(places []place) error {
	dir, err := b.folder("tree", treeFiles(200))
	if err != nil {
		return err
	}
	var subjects []measure.Subject
	for _, p := range places {
		argv := append(p.argv[:len(p.argv):len(p.argv)], "/usr/bin/make", "--silent", "-j2")
		if len(p.argv) == 0 {
			argv = argv[len(p.argv):]
		}
		subjects = append(subjects, measure.Subject{Name: p.name, Run: func(round int) ([]float64, error) {
			if err := removes("program", "object")(dir, round); err != nil {
				return nil, err
			}
			ns, err := command{dir: dir, argv: argv}.time()
			return []float64{ns}, err
		}})
	}
	rounds := b.roundsOr(5)
	const whole = "build"
	samples, err := measure.Interleave(rounds, []string{whole}, subjects)
	if err != nil {
		return err
	}
	b.Samples("Tree", samples)
	b.Printf("`make -j2` of 200 C files; medians of %s, interleaved.\n\n", plural(rounds, "round"))
	rows := [][]string{{"built", "ms", "÷ bare"}}
	for _, p := range places {
		ratio := measure.Ratio(samples.Of(p.name, whole), samples.Of(opensBare, whole))
		rows = append(rows, []string{p.name, measure.Milliseconds(measure.Median(samples.Of(p.name, whole))), ratio.String()})
	}
	b.Table(rows...)
	for _, name := range []string{opensWalls, opensKept, opensMonitored} {
		b.Bar("200 C files, "+name+" / bare", 1.15, measure.Ratio(samples.Of(name, whole), samples.Of(opensBare, whole)))
	}
	b.Printf("\n")
	return nil
}

// folder makes a folder with these files in it.
func (b *bench) folder(name string, files map[string]string) (string, error) {
	dir := filepath.Join(b.dir, name+".d")
	if err := os.Mkdir(dir, 0o755); err != nil {
		return "", err
	}
	return dir, writeFiles(dir, files)
}

// treeFiles is a tree of C files with headers of their own, in folders of twenty.
func treeFiles(count int) map[string]string {
	files := map[string]string{
		"Makefile": "program: $(patsubst source/%.c,object/%.o,$(wildcard source/*/*.c)) object/main.o\n\tcc -o $@ $^\n" +
			"object/%.o: source/%.c\n\t@mkdir -p $(@D)\n\tcc -O1 -Iinclude -c -o $@ $<\n",
		"source/main.c": "int main(void) { return 0; }\n",
	}
	for i := range count {
		files[fmt.Sprintf("include/part%d.h", i)] = fmt.Sprintf("int part%d(int n);\n", i)
		files[fmt.Sprintf("source/folder%d/part%d.c", i/20, i)] = fmt.Sprintf(
			"#include <stdio.h>\n#include <stdlib.h>\n#include <string.h>\n#include \"part%d.h\"\n#include \"part%d.h\"\n"+
				"int part%d(int n) { return n + %d + (int)strlen(\"part\") + (n > 9 ? part%d(n - 1) : abs(n)); }\n",
			i, (i+1)%count, i, i, (i+1)%count)
	}
	return files
}
