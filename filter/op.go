package filter

// Op is how a condition compares. The zero Op is invalid and never matches.
type Op uint8

// The comparisons, named as libseccomp and the OCI specification name them
// (SCMP_CMP_*), and two of ours.
const (
	Equal Op = iota + 1
	NotEqual
	Less
	LessEqual
	Greater
	GreaterEqual
	MaskedEqual
	Range // Values[0] <= arg <= Values[1]
	In    // arg is one of Values
)
