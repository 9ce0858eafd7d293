package main

// archNames lists the architectures in the order of package abi's constants,
// native ones first: a call that several share takes its prototype from the
// first that has it.
var archNames = []string{"amd64", "arm64", "riscv64", "i386", "x32", "arm"}

// archMacros are the macros that the uapi headers test, by architecture. The
// __ARCH_WANT_* ones come from arch/*/include/uapi/asm/unistd.h.
var archMacros = map[string]map[string]string{
	"amd64": {"__BITS_PER_LONG": "64", "__x86_64__": "1"},
	"arm64": {"__BITS_PER_LONG": "64", "__aarch64__": "1"},
	"riscv64": {
		"__BITS_PER_LONG": "64", "__riscv": "1", "__LP64__": "1",
	},
	"i386": {"__BITS_PER_LONG": "32", "__i386__": "1"},
	"x32":  {"__BITS_PER_LONG": "32", "__x86_64__": "1", "__ILP32__": "1"},
	"arm":  {"__BITS_PER_LONG": "32", "__arm__": "1", "__ARM_EABI__": "1"},
}

// archFolder is where the kernel keeps an architecture's own headers.
var archFolder = map[string]string{
	"amd64": "arch/x86", "i386": "arch/x86", "x32": "arch/x86",
	"arm64": "arch/arm64", "riscv64": "arch/riscv", "arm": "arch/arm",
}
