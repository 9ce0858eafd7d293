package main

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestEvaluate(t *testing.T) {
	macros := map[string]macro{
		"ONE": {body: "1"}, "LOOP": {body: "LOOP"}, "EMPTY": {}, "MAGIC": {body: "'!'"},
		"SHIFT": {params: []string{"a", "b"}, body: "((a) << (b))"}, "IOR": {params: []string{"nr", "type"}, body: "_IOR(MAGIC, nr, type)"},
	}
	lookup := func(name string) (macro, bool) {
		m, known := macros[name]
		return m, known && m.body != ""
	}
	for expression, want := range map[string]uint64{
		"010":                                8,
		"0x10UL":                             16,
		"1 + 2 * 3":                          7,
		"(1 + 2) * 3":                        9,
		"10 - 4 - 3":                         3,
		"1 << 4 | 1 << 2":                    20,
		"ONE<<31":                            1 << 31,
		"-100":                               ^uint64(99),
		"~0":                                 ^uint64(0),
		"~0U":                                0xffffffff,
		"-1U":                                0xffffffff,
		"!0 && 3 == 3 || 0":                  1,
		"(__u32)7":                           7,
		"(__force __poll_t)0x10":             16,
		"SHIFT(1, SHIFT(1, 2))":              16,
		"_IO('T', 0x12)":                     0x5412,
		"_IOW('T', 202, int)":                0x400454ca,
		"IOR(2, unsigned long)":              0x80082102,
		"_IOWR(0xAA, 3, struct uffdio_copy)": 0xc028aa03,
		"-1 < 0":                             1,
		"7 % 4 + 9 / 2":                      7,
	} {
		if got, err := evaluate(expression, lookup); err != nil || got != want {
			t.Errorf("evaluate(%q) = %#x, %v; want %#x", expression, got, err, want)
		}
	}
	for _, expression := range []string{
		"", "1 +", "(1", "1 2", "UNKNOWN", "LOOP", "EMPTY", "1 / 0", "SHIFT(1)", "SHIFT", "_IOR(1, 2, struct unknown)", `"text"`,
	} {
		if got, err := evaluate(expression, lookup); err == nil {
			t.Errorf("evaluate(%q) = %#x; want an error", expression, got)
		}
	}
}

func FuzzEvaluate(f *testing.F) {
	f.Add("(1 << 4) | ~0U")
	f.Add("_IOWR('T', 3, int)")
	f.Add("F(1, F(2, 3))")
	macros := map[string]macro{"F": {params: []string{"a", "b"}, body: "a+b*F(b,a)"}, "X": {body: "X+1"}}
	f.Fuzz(func(t *testing.T, expression string) {
		first, err := evaluate(expression, func(name string) (macro, bool) { m, ok := macros[name]; return m, ok })
		if err != nil {
			return
		}
		if again, err := evaluate("("+expression+")", func(string) (macro, bool) { return macro{}, false }); err == nil && again != first {
			t.Errorf("%q is %d, in parentheses %d", expression, first, again)
		}
	})
}

const header = `
/* a comment with #define NOT 1
 */
#ifndef GUARD
#define GUARD
#define A 1 // one
#define B (A << \
	2)
#define CALL(x) ((x) + 1)
#define C CALL(B)
#ifdef __KERNEL__
#define HIDDEN 1
#elif __BITS_PER_LONG == 32 && !defined(A)
#define HIDDEN 2
#else
#define SHOWN 3
#endif
#ifdef GUARD
#elif 1
#define WRONG 1
#else
#define WRONG 2
#endif
#if defined(__aarch64__) || defined A
#define BOTH 1
#endif
enum color {
	RED,
	GREEN = 1 << 3,	/* green */
#define GREEN GREEN
	BLUE,
};
#define TEXT "text"
#undef A
#define A 7
#define A 8
#endif
`

func TestPreprocessor(t *testing.T) {
	p := newPreprocessor(archMacros["amd64"])
	p.file(header)
	got := make(map[string]uint64)
	for _, name := range p.names {
		if value, err := p.value(name); err == nil {
			got[name] = value
		}
	}
	want := map[string]uint64{"A": 7, "B": 28, "C": 29, "SHOWN": 3, "BOTH": 1, "RED": 0, "GREEN": 8, "BLUE": 9}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("values of the header (-want +got):\n%s", diff)
	}
}

func FuzzPreprocessor(f *testing.F) {
	f.Add(header)
	f.Add("#endif\n#else\n#ifdef\n#elif\n#undef\n#define\n")
	f.Add("enum { A = B, B = A };")
	f.Add("#define A A|A\n#if A\n")
	f.Fuzz(func(t *testing.T, text string) {
		p := newPreprocessor(archMacros["arm"])
		p.file(text)
		for _, name := range p.names {
			if m, known := p.macros[name]; known && m.params == nil && m.body == name {
				t.Errorf("%s stands for itself", name)
			}
		}
	})
}

func TestReadTable(t *testing.T) {
	const table = "# comment\n0\tcommon\tread\t\t\tsys_read\n13\t64\trt_sigaction\tsys_rt_sigaction\n134\t64\tuselib\n" +
		"512\tx32\trt_sigaction\tcompat_sys_rt_sigaction\n"
	got, err := readTable(table, []string{"common", "64"})
	want := map[string]entry{"read": {0, "read"}, "rt_sigaction": {13, "rt_sigaction"}, "uselib": {134, ""}}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(entry{})); err != nil || diff != "" {
		t.Errorf("readTable gives %v (-want +got):\n%s", err, diff)
	}
	if _, err := readTable("x\tcommon\tread\n", []string{"common"}); err == nil {
		t.Error("readTable takes x for a number")
	}
}

func TestReadUnistd(t *testing.T) {
	tree := sourceTree{"own.h": "#define __ARCH_WANT_OLD\n#include <generic.h>\n", "generic.h": `
#define __NR_io_setup 0
__SC_COMP(__NR_io_setup, sys_io_setup, compat_sys_io_setup)
#ifdef __ARCH_WANT_OLD
#define __NR_renameat 38
__SYSCALL(__NR_renameat, sys_renameat)
#endif
#define __NR3264_lseek 62
__SC_3264(__NR3264_lseek, sys_llseek, sys_lseek)
#if __BITS_PER_LONG == 64
#define __NR_lseek __NR3264_lseek
#else
#define __NR_llseek __NR3264_lseek
#endif
#define __NR_syscalls 450
`}
	got := readUnistd(tree, "arm64", genericNumber, "own.h", "generic.h")
	want := map[string]entry{"io_setup": {0, "io_setup"}, "renameat": {38, "renameat"}, "lseek": {62, "lseek"}}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(entry{})); diff != "" {
		t.Errorf("readUnistd (-want +got):\n%s", diff)
	}
}

func TestReadPrototypes(t *testing.T) {
	tree := sourceTree{
		"fs/open.c":        "SYSCALL_DEFINE3(openat, int, dfd, const char __user *, filename,\n\t\tint /* bits */, flags)\n{\n}\nSYSCALL_DEFINE0(sync)\n",
		"kernel/fork.c":    "#ifdef OLD\nSYSCALL_DEFINE1(clone, int, a)\n#else\nSYSCALL_DEFINE2(clone, char __user * __user *, b, int, c)\n#endif\n",
		"arch/x86/ldt.c":   "SYSCALL_DEFINE1(iopl, unsigned int, level)\n",
		"include/x.h":      "SYSCALL_DEFINE1(header, int, a)\n",
		"kernel/comment.c": " * SYSCALL_DEFINE1(comment, int, a)\n",
	}
	got := readPrototypes(tree)
	want := map[string]map[string][]parameter{
		"": {
			"openat": {{"int", "dfd"}, {"const char *", "filename"}, {"int", "flags"}},
			"sync":   {},
			"clone":  {{"char **", "b"}, {"int", "c"}},
		},
		"arch/x86": {"iopl": {{"unsigned int", "level"}}},
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(parameter{})); diff != "" {
		t.Errorf("readPrototypes (-want +got):\n%s", diff)
	}
	if found := findPrototype(got, "arch/x86", "iopl"); len(found) != 1 {
		t.Errorf("findPrototype(arch/x86, iopl) = %v", found)
	}
	if found := findPrototype(got, "arch/arm", "iopl"); found != nil {
		t.Errorf("findPrototype(arch/arm, iopl) = %v; want nothing", found)
	}
}

func TestGroupConstants(t *testing.T) {
	everywhere := map[string]uint64{}
	for _, arch := range archNames {
		everywhere[arch] = 5
	}
	got := groupConstants(map[string]map[string]uint64{
		"Z": everywhere, "B": {"amd64": 1, "arm64": 2, "arm": 2}, "A": {"riscv64": 9},
	})
	want := []constantFact{
		{"A", 9, []string{"riscv64"}}, {"B", 1, []string{"amd64"}}, {"B", 2, []string{"arm64", "arm"}}, {"Z", 5, nil},
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(constantFact{})); diff != "" {
		t.Errorf("groupConstants (-want +got):\n%s", diff)
	}
}
