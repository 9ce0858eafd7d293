package observe

import (
	"bytes"
	"os"
	"path"
	"strings"

	"github.com/callgate/callgate/policy/learn"
)

// exec tells of a program, and of what the kernel opens with it: the interpreter of
// a script, the loader of a program.
func (s *stop) exec() {
	list := s.paths()
	if len(list) == 0 {
		return
	}
	at := s.place(list[0])
	if text, err := s.Path(list[0]); err == nil && text == "" { // execveat of a descriptor
		at = s.descriptor(int32(s.Args[0]))
	}
	if !at.exists || at.folder {
		return
	}
	s.becomes(at.path)
	const deepest = 5 // interpreters of interpreters, as the kernel has it
	for range deepest {
		s.note(at, learn.Read|learn.Execute)
		next := interpreter(at.path)
		if next == "" {
			return
		}
		if !path.IsAbs(next) {
			if next = path.Join(s.link("cwd"), next); !path.IsAbs(next) {
				return
			}
		}
		if at = s.find("", next); !at.exists {
			return
		}
	}
}

// interpreter is what a file names to run it: after "#!", or as an ELF program's
// loader. It is "" where there is none, or the file can't be read.
func interpreter(name string) string {
	info, err := os.Stat(name)
	if err != nil || !info.Mode().IsRegular() { // opening a pipe would wait
		return ""
	}
	f, err := os.Open(name)
	if err != nil {
		return ""
	}
	defer f.Close()
	var head [256]byte // BINPRM_BUF_SIZE
	n, _ := f.ReadAt(head[:], 0)
	if line, ok := bytes.CutPrefix(head[:n], []byte("#!")); ok {
		return scriptInterpreter(string(line))
	}
	return loader(f, head[:n])
}

// scriptInterpreter is the first word of a script's first line.
func scriptInterpreter(line string) string {
	line, _, _ = strings.Cut(line, "\n")
	line = strings.Trim(line, " \t")
	if end := strings.IndexAny(line, " \t\x00"); end >= 0 {
		line = line[:end]
	}
	return line
}
