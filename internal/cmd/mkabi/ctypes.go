package main

import (
	"fmt"
	"strings"
)

// width is how much of its register the kernel reads for a C type on a 64-bit
// architecture.
type width struct {
	bits   int
	signed bool
}

var widths = map[string]width{
	"umode_t": {16, false},
	"int":     {32, true}, "pid_t": {32, true}, "key_t": {32, true}, "key_serial_t": {32, true}, "mqd_t": {32, true},
	"clockid_t": {32, true}, "timer_t": {32, true}, "rwf_t": {32, true}, "__s32": {32, true},
	"unsigned int": {32, false}, "unsigned": {32, false}, "u32": {32, false}, "__u32": {32, false},
	"uid_t": {32, false}, "gid_t": {32, false}, "qid_t": {32, false}, "enum landlock_rule_type": {32, false},
	"long": {64, true}, "off_t": {64, true}, "loff_t": {64, true},
	"unsigned long": {64, false}, "size_t": {64, false}, "u64": {64, false}, "__u64": {64, false},
	"uintptr_t": {64, false}, "aio_context_t": {64, false}, "old_sigset_t": {64, false},
	"cap_user_header_t": {64, false}, "cap_user_data_t": {64, false}, "__sighandler_t": {64, false},
}

// widthOf looks a type up; every pointer is a 64-bit address.
func widthOf(ctype string) (width, error) {
	if strings.HasSuffix(ctype, "*") || strings.HasSuffix(ctype, "* const") {
		return width{64, false}, nil
	}
	plain := strings.TrimPrefix(ctype, "const ")
	w, known := widths[plain]
	if !known {
		return w, fmt.Errorf("width of type %q unknown", ctype)
	}
	return w, nil
}
