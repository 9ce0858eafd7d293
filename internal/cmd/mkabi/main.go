// Command mkabi makes the tables of package abi, in two stages.
//
// The first stage needs Debian's linux-source and manpages-dev packages. It
// reads what the kernel itself says about its calls and constants and writes
// it down as text, in this folder:
//
//	go run ./internal/cmd/mkabi extract          # calls.txt, constants.txt, errnos.txt
//	go run ./internal/cmd/mkabi extract -check   # only compare
//
// The second stage needs Go alone. It joins those facts with what was written
// by hand: calls_more.txt and constants_more.txt (what the packages lack, being
// older than the newest kernels), kinds.txt (what each argument means) and
// flagsets.txt (which constants belong together). It writes abi/z*.go:
//
//	go generate ./abi
package main

import (
	"flag"
	"fmt"
	"os"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "mkabi:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	const usage = "usage: mkabi extract|generate [flags]"
	if len(args) == 0 {
		return fmt.Errorf("no stage named; %s", usage)
	}
	flags := flag.NewFlagSet(args[0], flag.ContinueOnError)
	facts := flags.String("facts", "internal/cmd/mkabi", "folder of the text tables")
	switch args[0] {
	case "extract":
		check := flags.Bool("check", false, "compare with the tables there are instead of writing")
		if err := flags.Parse(args[1:]); err != nil {
			return err
		}
		return extract(*facts, *check)
	case "generate":
		out := flags.String("out", "abi", "folder of package abi")
		if err := flags.Parse(args[1:]); err != nil {
			return err
		}
		return generate(*facts, *out)
	}
	return fmt.Errorf("unknown stage %q; %s", args[0], usage)
}
