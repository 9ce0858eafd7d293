package oci

import (
	"bytes"
	"encoding/json"

	"github.com/callgate/callgate/policy"
)

// Profile is a seccomp profile as the OCI runtime specification has it
// (config-linux.md, "Seccomp"), with what Moby's profiles add (archMap,
// comments, includes and excludes; moby/profiles, seccomp/seccomp.go) and
// Podman's (errnos by name; containers/common, pkg/seccomp/types.go).
type Profile struct {
	DefaultAction    string        `json:"defaultAction"`
	DefaultErrnoRet  *uint64       `json:"defaultErrnoRet,omitempty"`
	DefaultErrno     string        `json:"defaultErrno,omitempty"`
	Architectures    []string      `json:"architectures,omitempty"`
	Flags            []string      `json:"flags,omitempty"`
	ListenerPath     string        `json:"listenerPath,omitempty"`
	ListenerMetadata string        `json:"listenerMetadata,omitempty"`
	ArchMap          []ArchMap     `json:"archMap,omitempty"`
	Syscalls         []Syscall     `json:"syscalls"`
	At               policy.Origin `json:"-"`
}

// ArchMap adds numberings to those of a machine's own architecture.
type ArchMap struct {
	Architecture     string   `json:"architecture"`
	SubArchitectures []string `json:"subArchitectures"`
}

// Syscall decides some calls.
type Syscall struct {
	Names    []string      `json:"names"`
	Name     string        `json:"name,omitempty"` // the old way to write one name
	Action   string        `json:"action"`
	ErrnoRet *uint64       `json:"errnoRet,omitempty"`
	Errno    string        `json:"errno,omitempty"`
	Args     []Arg         `json:"args,omitempty"`
	Comment  string        `json:"comment,omitempty"`
	Includes *Filter       `json:"includes,omitempty"`
	Excludes *Filter       `json:"excludes,omitempty"`
	At       policy.Origin `json:"-"`
}

// Arg compares one argument's whole register.
type Arg struct {
	Index    uint64        `json:"index"` // 0 to 5
	Value    uint64        `json:"value"`
	ValueTwo uint64        `json:"valueTwo,omitempty"` // of SCMP_CMP_MASKED_EQ: (argument & value) == valueTwo
	Op       string        `json:"op"`
	At       policy.Origin `json:"-"`
}

// Filter asks something of the container and its host.
type Filter struct {
	Caps      []string      `json:"caps,omitempty"`
	Arches    []string      `json:"arches,omitempty"` // of the host, as Go names them
	MinKernel string        `json:"minKernel,omitempty"`
	At        policy.Origin `json:"-"`
}

// isEmpty reports whether nothing is asked.
func (f *Filter) isEmpty() bool {
	return f == nil || len(f.Caps) == 0 && len(f.Arches) == 0 && f.MinKernel == ""
}

// JSON writes the profile, indented as Moby indents its own.
func (p *Profile) JSON() ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "\t")
	err := e.Encode(p)
	return b.Bytes(), err
}
