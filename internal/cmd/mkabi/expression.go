package main

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// evaluator computes C integer constant expressions by precedence climbing.
type evaluator struct {
	tokens []string
	lookup func(name string) (macro, bool)
	budget *int // macros that may still be expanded
}

var tokenPattern = regexp.MustCompile(`'(?:\\.|[^'\\])'|0[xX][0-9a-fA-F]+\w*|\d+\w*|\w+|<<|>>|<=|>=|==|!=|&&|\|\||[-+*/%&|^~!()<>,?:]|\S`)

var unsignedInt = regexp.MustCompile(`^\d+[uU]$`)

// maxExpansions bounds macros that mention each other.
const maxExpansions = 1000

func evaluate(expression string, lookup func(string) (macro, bool)) (uint64, error) {
	budget := maxExpansions
	return evaluateWithin(&budget, expression, lookup)
}

func evaluateWithin(budget *int, expression string, lookup func(string) (macro, bool)) (uint64, error) {
	if *budget--; *budget < 0 {
		return 0, fmt.Errorf("%q: macros mention each other without end", expression)
	}
	e := &evaluator{tokens: tokenPattern.FindAllString(expression, -1), lookup: lookup, budget: budget}
	value, err := e.binary(0)
	if err == nil && len(e.tokens) > 0 {
		err = fmt.Errorf("%q: unexpected %q", expression, e.tokens[0])
	}
	return value, err
}

var precedence = map[string]int{
	"||": 1, "&&": 2, "|": 3, "^": 4, "&": 5, "==": 6, "!=": 6,
	"<": 7, ">": 7, "<=": 7, ">=": 7, "<<": 8, ">>": 8, "+": 9, "-": 9, "*": 10, "/": 10, "%": 10,
}

func (e *evaluator) peek() string {
	if len(e.tokens) == 0 {
		return ""
	}
	return e.tokens[0]
}

func (e *evaluator) next() string {
	token := e.peek()
	if token != "" {
		e.tokens = e.tokens[1:]
	}
	return token
}

func (e *evaluator) expect(token string) error {
	if got := e.next(); got != token {
		return fmt.Errorf("unexpected %q; want %q", got, token)
	}
	return nil
}

func (e *evaluator) binary(least int) (uint64, error) {
	left, err := e.unary()
	for err == nil {
		rank := precedence[e.peek()]
		if rank == 0 || rank <= least {
			return left, nil
		}
		operator := e.next()
		var right uint64
		if right, err = e.binary(rank); err == nil {
			left, err = apply(operator, left, right)
		}
	}
	return 0, err
}

func apply(operator string, a, b uint64) (uint64, error) {
	truth := func(v bool) uint64 {
		if v {
			return 1
		}
		return 0
	}
	switch operator {
	case "||":
		return truth(a != 0 || b != 0), nil
	case "&&":
		return truth(a != 0 && b != 0), nil
	case "|":
		return a | b, nil
	case "^":
		return a ^ b, nil
	case "&":
		return a & b, nil
	case "==":
		return truth(a == b), nil
	case "!=":
		return truth(a != b), nil
	case "<":
		return truth(int64(a) < int64(b)), nil
	case ">":
		return truth(int64(a) > int64(b)), nil
	case "<=":
		return truth(int64(a) <= int64(b)), nil
	case ">=":
		return truth(int64(a) >= int64(b)), nil
	case "<<":
		return a << b, nil
	case ">>":
		return a >> b, nil
	case "+":
		return a + b, nil
	case "-":
		return a - b, nil
	case "*":
		return a * b, nil
	}
	if b == 0 {
		return 0, fmt.Errorf("%d %s 0", a, operator)
	}
	if operator == "/" {
		return a / b, nil
	}
	return a % b, nil
}

func (e *evaluator) unary() (uint64, error) {
	switch token := e.next(); token {
	case "":
		return 0, fmt.Errorf("expression ends too soon")
	case "-", "~", "!", "+":
		short := unsignedInt.MatchString(e.peek())
		value, err := e.unary()
		switch {
		case token == "-":
			value = -value
		case token == "~":
			value = ^value
		case token == "!" && value == 0:
			value = 1
		case token == "!":
			value = 0
		}
		if short { // -1U and ~0U have 32 bits
			value &= math.MaxUint32
		}
		return value, err
	case "(":
		if isType(e.peek()) {
			return e.cast()
		}
		value, err := e.binary(0)
		if err != nil {
			return 0, err
		}
		return value, e.expect(")")
	case "_IO", "_IOR", "_IOW", "_IOWR":
		return e.request(token)
	default:
		return e.primary(token)
	}
}

func (e *evaluator) primary(token string) (uint64, error) {
	if token[0] == '\'' {
		r, _, _, err := strconv.UnquoteChar(token[1:], '\'')
		return uint64(r), err
	}
	if token[0] >= '0' && token[0] <= '9' {
		return strconv.ParseUint(strings.TrimRight(token, "uUlL"), 0, 64)
	}
	m, known := e.lookup(token)
	if !known {
		return 0, fmt.Errorf("unknown name %q", token)
	}
	body := m.body
	if m.params != nil {
		args, err := e.arguments()
		if err != nil || len(args) != len(m.params) {
			return 0, fmt.Errorf("%s: wrong arguments", token)
		}
		body = tokenPattern.ReplaceAllStringFunc(body, func(word string) string {
			if i := slices.Index(m.params, word); i >= 0 {
				return args[i]
			}
			return word
		})
	}
	return evaluateWithin(e.budget, body, e.lookup)
}

// arguments reads a macro's parenthesised arguments as text.
func (e *evaluator) arguments() ([]string, error) {
	if err := e.expect("("); err != nil {
		return nil, err
	}
	args := []string{""}
	for depth := 0; ; {
		token := e.next()
		switch {
		case token == "":
			return nil, fmt.Errorf("arguments do not end")
		case token == ")" && depth == 0:
			return args, nil
		case token == "," && depth == 0:
			args = append(args, "")
			continue
		case token == "(":
			depth++
		case token == ")":
			depth--
		}
		args[len(args)-1] += " " + token
	}
}

// sizes are those of the types that ioctl requests name, on 64-bit and 32-bit
// architectures. Requests with a structure are left out unless its size is
// listed here, from the header that declares it.
var sizes = map[string][2]uint64{
	"char": {1, 1}, "__u8": {1, 1}, "__u16": {2, 2}, "short": {2, 2},
	"int": {4, 4}, "unsigned int": {4, 4}, "uint": {4, 4}, "__u32": {4, 4}, "__s32": {4, 4},
	"__u64": {8, 8}, "__s64": {8, 8}, "loff_t": {8, 8},
	"long": {8, 4}, "unsigned long": {8, 4}, "size_t": {8, 4},
	"struct file_clone_range": {32, 32}, "struct file_dedupe_range": {24, 24}, "struct fstrim_range": {24, 24},
	"struct fsxattr": {28, 28}, "struct sock_fprog": {16, 8}, "struct termios2": {44, 44},
	"struct seccomp_notif": {80, 80}, "struct seccomp_notif_resp": {24, 24}, "struct seccomp_notif_addfd": {24, 24},
	"struct uffdio_api": {24, 24}, "struct uffdio_register": {32, 32}, "struct uffdio_range": {16, 16},
	"struct uffdio_copy": {40, 40}, "struct uffdio_zeropage": {32, 32}, "struct uffdio_writeprotect": {24, 24},
	"struct uffdio_continue": {32, 32},
}

// size is a type's on the architecture whose macros e reads.
func (e *evaluator) size(ctype string) (uint64, bool) {
	size, known := sizes[ctype]
	if bits, _ := e.lookup("__BITS_PER_LONG"); bits.body == "32" {
		return size[1], known
	}
	return size[0], known
}

func isType(token string) bool {
	_, known := sizes[token]
	return known || token == "unsigned" || token == "__force" || strings.HasPrefix(token, "__s") || strings.HasSuffix(token, "_t")
}

// cast reads what follows "(" in a cast. The kernel's constants fit the types
// they are cast to, but for the (unsigned long)-1 of a 32-bit architecture.
func (e *evaluator) cast() (uint64, error) {
	var words []string
	for e.peek() != ")" && e.peek() != "" {
		words = append(words, e.next())
	}
	e.next()
	value, err := e.unary()
	if size, known := e.size(strings.Join(words, " ")); known && size == 4 && words[0] == "unsigned" {
		value &= math.MaxUint32
	}
	return value, err
}

// request computes an _IO* macro's call (include/uapi/asm-generic/ioctl.h).
func (e *evaluator) request(macro string) (uint64, error) {
	if err := e.expect("("); err != nil {
		return 0, err
	}
	kind, err := e.binary(0)
	if err != nil {
		return 0, err
	}
	if err := e.expect(","); err != nil {
		return 0, err
	}
	number, err := e.binary(0)
	if err != nil || macro == "_IO" {
		return kind<<8 | number, firstError(err, func() error { return e.expect(")") })
	}
	if err := e.expect(","); err != nil {
		return 0, err
	}
	var words []string
	for e.peek() != ")" && e.peek() != "" {
		words = append(words, e.next())
	}
	size, known := e.size(strings.Join(words, " "))
	if !known {
		return 0, fmt.Errorf("size of %q unknown", strings.Join(words, " "))
	}
	direction := map[string]uint64{"_IOW": 1, "_IOR": 2, "_IOWR": 3}[macro]
	return direction<<30 | size<<16 | kind<<8 | number, e.expect(")")
}

func firstError(err error, then func() error) error {
	if err != nil {
		return err
	}
	return then()
}
