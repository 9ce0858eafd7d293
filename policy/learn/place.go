package learn

import (
	"path"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/callgate/callgate/policy"
)

// Place is where a program was watched.
type Place struct {
	Target policy.Target
	Exists func(path string) bool // whether a file is there after the run
	Ports  bool                   // whether this kernel can limit TCP ports
	hidden []string               // secrets, as the preset default hides them
}

// complete adds what the preset default takes for secrets.
func (p Place) complete() Place {
	if preset, ok := policy.Preset("default"); ok {
		for _, h := range preset.Expand(p.Target).Files.Hidden {
			if !h.Pattern {
				p.hidden = append(p.hidden, h.Text)
			}
		}
	}
	return p
}

// within reports whether a path is a folder or lies in it.
func within(name, folder string) bool {
	return name == folder || folder == "/" || strings.HasPrefix(name, folder+"/")
}

// secret reports whether a path is one that nobody should be granted by the way.
func (p Place) secret(name string) bool {
	for _, h := range p.hidden {
		if within(name, h) {
			return true
		}
	}
	return false
}

// broad reports whether a folder holds too much to be granted for the sake of some
// files in it: the system's and the user's shared folders, and all that hold
// secrets.
func (p Place) broad(folder string) bool {
	for _, h := range p.hidden {
		if within(h, folder) || within(folder, h) {
			return true
		}
	}
	if within(p.Target.Home, folder) || folder != p.Target.Dir && within(p.Target.Dir, folder) {
		return true
	}
	if folder == p.Target.Dir {
		return false
	}
	if below, ok := strings.CutPrefix(folder, p.Target.Home+"/"); ok {
		switch below {
		case ".cache", ".config", ".local", ".local/share", ".local/state", ".local/bin":
			return true
		}
		return false
	}
	switch path.Base(folder) {
	case "bin", "sbin":
		return true
	}
	switch depth := strings.Count(folder, "/"); {
	case depth == 1:
		return true
	case depth == 2:
		top, _, _ := strings.Cut(folder[1:], "/")
		return top != "opt" && top != "usr" && !strings.HasPrefix(top, "lib") || folder == "/usr/local"
	case depth == 3:
		return strings.HasPrefix(folder, "/run/user/")
	}
	return false
}

// text is a path as a policy has it, or false for one that can't be written.
func (p Place) text(name string) (string, bool) {
	if !writable(name) {
		return "", false
	}
	switch dir, home := p.Target.Dir, p.Target.Home; {
	case name == dir:
		return ".", true
	case dir != "/" && within(name, dir):
		return "." + name[len(dir):], true
	case home != "/" && name == home:
		return "~", true
	case home != "/" && within(name, home):
		return "~" + name[len(home):], true
	}
	return name, true
}

// writable reports whether a document can have the path: text in UTF-8 that is
// seen when it is read.
func writable(name string) bool {
	if !utf8.ValidString(name) {
		return false
	}
	for _, r := range name {
		if !unicode.IsGraphic(r) || r == utf8.RuneError {
			return false
		}
	}
	return true
}

// zone is a part of the file tree that a policy has words for.
type zone int

const (
	ordinary zone = iota
	inProc
	inDev
	inTmp
)

// zoneOf tells the zone of a path. What lies where the program starts is ordinary
// wherever that is.
func (p Place) zoneOf(name string) zone {
	switch {
	case within(name, "/proc"):
		return inProc
	case within(name, "/dev"):
		return inDev
	case p.Target.Dir != "/" && within(name, p.Target.Dir):
		return ordinary
	case within(name, "/tmp"), within(name, "/var/tmp"):
		return inTmp
	}
	return ordinary
}

// ownDevices are the files of a private /dev.
var ownDevices = []string{
	"fd", "full", "null", "ptmx", "pts", "random", "shm", "stderr", "stdin", "stdout", "tty", "urandom", "zero",
}

func isOwnDevice(name string) bool {
	for _, d := range ownDevices {
		if within(name, "/dev/"+d) {
			return true
		}
	}
	return name == "/dev"
}

// expand is a document's path as an absolute, clean one.
func (p Place) expand(text string) string {
	switch {
	case text == "~" || strings.HasPrefix(text, "~/"):
		return path.Join(p.Target.Home, text[1:])
	case path.IsAbs(text):
		return path.Clean(text)
	}
	return path.Join(p.Target.Dir, text)
}
