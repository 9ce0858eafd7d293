package main

import (
	"fmt"
	"regexp"
	"strings"
)

// preprocessor is as much of a C preprocessor as the kernel's uapi headers
// need: conditionals, macros and enumerations. It follows no #include; the
// caller feeds the files in order.
type preprocessor struct {
	macros map[string]macro
	names  []string        // in order of definition, enumerators too
	text   strings.Builder // what is left of the last file
}

// macro is a #define; params is nil unless it takes arguments.
type macro struct {
	params []string
	body   string
}

func newPreprocessor(macros map[string]string) *preprocessor {
	p := &preprocessor{macros: make(map[string]macro)}
	for name, body := range macros {
		p.macros[name] = macro{body: body}
	}
	return p
}

var (
	blockComment = regexp.MustCompile(`(?s)/\*.*?\*/`)
	lineComment  = regexp.MustCompile(`//[^\n]*`)
	directive    = regexp.MustCompile(`^\s*#\s*(\w+)\s*(.*)$`)
	macroLine    = regexp.MustCompile(`^(\w+)(\(([\w\s,]*)\))?\s*(.*)$`)
	identifier   = regexp.MustCompile(`^[A-Za-z_]\w*$`)
	enumBody     = regexp.MustCompile(`(?s)\benum\b[^{;()]*\{(.*?)\}`)
)

// file reads one file, then the enumerations in it.
func (p *preprocessor) file(source string) {
	source = blockComment.ReplaceAllString(source, " ")
	source = lineComment.ReplaceAllString(source, "")
	source = strings.ReplaceAll(source, "\\\n", " ")
	p.text.Reset()
	// Each level of nesting: are we in a live branch, and was any taken yet.
	type level struct{ live, taken bool }
	stack := []level{{true, true}}
	live := func() bool {
		for _, l := range stack {
			if !l.live {
				return false
			}
		}
		return true
	}
	for line := range strings.SplitSeq(source, "\n") {
		match := directive.FindStringSubmatch(line)
		if match == nil {
			if live() {
				p.text.WriteString(line + "\n")
			}
			continue
		}
		top, rest := &stack[len(stack)-1], strings.TrimSpace(match[2])
		switch match[1] {
		case "if", "ifdef", "ifndef":
			on := p.condition(match[1], rest)
			stack = append(stack, level{on, on})
		case "elif":
			top.live = !top.taken && p.condition("if", rest)
			top.taken = top.taken || top.live
		case "else":
			top.live, top.taken = !top.taken, true
		case "endif":
			stack = stack[:max(1, len(stack)-1)]
		case "define":
			if m := macroLine.FindStringSubmatch(rest); m != nil && live() {
				var params []string
				if m[2] != "" {
					params = strings.Split(strings.ReplaceAll(m[3], " ", ""), ",")
				}
				p.define(m[1], macro{params, strings.TrimSpace(m[4])})
			}
		case "undef":
			if live() {
				delete(p.macros, rest)
			}
		}
	}
	p.enums()
}

// define keeps the first definition, since an architecture's own headers come
// before the generic ones. It ignores the "#define NAME NAME" that headers put
// beside an enumerator for #ifdef's sake.
func (p *preprocessor) define(name string, m macro) {
	if m.body == name {
		return
	}
	if _, known := p.macros[name]; !known {
		p.names = append(p.names, name)
		p.macros[name] = m
	}
}

// enums defines each enumerator, in terms of the last one given a value.
func (p *preprocessor) enums() {
	for _, match := range enumBody.FindAllStringSubmatch(p.text.String(), -1) {
		base, offset := "0", 0
		for item := range strings.SplitSeq(match[1], ",") {
			name, value, given := strings.Cut(item, "=")
			name = strings.TrimSpace(name)
			if !identifier.MatchString(name) {
				continue
			}
			if given {
				base, offset = "("+strings.TrimSpace(value)+")", 0
			}
			p.define(name, macro{body: fmt.Sprintf("%s+%d", base, offset)})
			offset++
		}
	}
}

var definedOperator = regexp.MustCompile(`\bdefined\s*(?:\(\s*(\w+)\s*\)|(\w+))`)

// condition evaluates the expression of an #if, #ifdef or #ifndef.
func (p *preprocessor) condition(kind, expression string) bool {
	switch kind {
	case "ifdef", "ifndef":
		name, _, _ := strings.Cut(expression, " ")
		_, known := p.macros[name]
		return known == (kind == "ifdef")
	}
	expression = definedOperator.ReplaceAllStringFunc(expression, func(operator string) string {
		m := definedOperator.FindStringSubmatch(operator)
		if _, known := p.macros[m[1]+m[2]]; known {
			return "1"
		}
		return "0"
	})
	value, err := evaluate(expression, p.lookupOrZero)
	return err == nil && value != 0
}

func (p *preprocessor) lookup(name string) (macro, bool) {
	m, known := p.macros[name]
	return m, known && m.body != ""
}

// lookupOrZero is lookup by the rule of #if, where an unknown name is 0.
func (p *preprocessor) lookupOrZero(name string) (macro, bool) {
	if m, known := p.lookup(name); known {
		return m, true
	}
	return macro{body: "0"}, true
}

// value evaluates a macro or enumerator as an integer.
func (p *preprocessor) value(name string) (uint64, error) {
	return evaluate(name, p.lookup)
}
