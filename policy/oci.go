package policy

// OCI is what an OCI seccomp profile says and a policy has no other word for.
// It decides nothing here: importing a profile keeps it, so that exporting
// gives the same profile (package policy/oci).
type OCI struct {
	// Architectures are numberings as the profile names them, such as
	// SCMP_ARCH_MIPS64; a profile has either these or an ArchMap.
	Architectures []Name    `yaml:"architectures"`
	ArchMap       []OCIArch `yaml:"arch-map"`
	// Flags are those of seccomp(2) that load the filter, such as
	// SECCOMP_FILTER_FLAG_LOG.
	Flags []Name `yaml:"flags"`
	// ListenerPath is the Unix socket that the runtime sends the listener of
	// notify to, with ListenerMetadata.
	ListenerPath     string `yaml:"listener-path"`
	ListenerMetadata string `yaml:"listener-metadata"`
	// ErrnoNames says that the profile has errnos by name too, as Podman's do.
	ErrnoNames bool `yaml:"errno-names"`
}

// OCIArch adds numberings to those of a machine's own architecture.
type OCIArch struct {
	Architecture Name   `yaml:"architecture"`
	With         []Name `yaml:"with"`
	At           Origin `yaml:"-"`
}

// mergeOCI takes all of it from the child if it says anything: halves of two
// profiles make none.
func mergeOCI(parent, child *OCI) OCI {
	if len(child.Architectures)+len(child.ArchMap)+len(child.Flags) > 0 ||
		child.ListenerPath != "" || child.ListenerMetadata != "" || child.ErrnoNames {
		return *child
	}
	return *parent
}
