package probe

import (
	"errors"
	"strings"
	"syscall"
)

// The pieces of advice that several features share.
const (
	cureChroot = "start callgate outside of the chroot: the kernel allows neither user namespaces nor a root of one's own in one"
	cureNoProc = "mount /proc: callgate needs it, to work and to explain; in a chroot, start callgate outside"
	cureUserns = "allow user namespaces first: see the feature \"user namespaces\""
)

// The parts of a container that an engine can be asked to leave out.
const (
	aroundFilter = 1 << iota
	aroundProc
	aroundAppArmor
)

// startWithout says how to start the container again without those parts.
func startWithout(here Surroundings, parts int) string {
	engine, words := "docker run", [...]string{"--security-opt seccomp=unconfined", "--security-opt systempaths=unconfined", "--security-opt apparmor=unconfined"}
	switch here.Container {
	case "podman":
		engine, words[1] = "podman run", "--security-opt unmask=ALL"
	case "kubernetes":
		engine, words = "in the container's securityContext:", [...]string{"seccompProfile: {type: Unconfined}", "procMount: Unmasked (needs hostUsers: false)", "appArmorProfile: {type: Unconfined}"}
	}
	for i, word := range words {
		if parts&(1<<i) != 0 {
			engine += " " + word
		}
	}
	return engine
}

// cureFiltered says how to be rid of a filter that refuses a call, and of what
// would be met next.
func cureFiltered(here Surroundings) string {
	parts := aroundFilter
	if here.MaskedProc && !here.Privileged {
		parts |= aroundProc
	}
	return "a filter around this program refuses the call: " + startWithout(here, parts)
}

// cureMasked says how to have /proc whole.
func cureMasked(here Surroundings) string {
	return "parts of /proc are masked or read-only here, and the kernel shows none whole again: " + startWithout(here, aroundProc)
}

// filtered tells whether a filter, rather than the kernel, may have refused.
func filtered(err error, here Surroundings) bool {
	return here.Filters > 0 && (errors.Is(err, syscall.ENOSYS) || errors.Is(err, syscall.EPERM))
}

// commonCure is the advice for a feature that has none of its own.
func commonCure(since string, err error, here Surroundings) string {
	switch {
	case filtered(err, here) && since != "" && errors.Is(err, syscall.ENOSYS):
		return cureFiltered(here) + "; or the kernel is too old: " + since + " or newer"
	case filtered(err, here):
		return cureFiltered(here)
	case since != "":
		return since + " or newer"
	case errors.Is(err, syscall.EPERM), errors.Is(err, syscall.EACCES):
		return "run as root, or allow it to this user"
	}
	return "a kernel built with it"
}

// cureUserNamespaces finds the one of many switches that is off. A kernel that
// lets the namespace be made and then refuses to mount in it is AppArmor's work.
func cureUserNamespaces(err error, here Surroundings) string {
	switch {
	case errors.Is(err, syscall.EROFS):
		return cureMasked(here)
	case here.User == 0 && errors.Is(err, syscall.EPERM) && strings.Contains(err.Error(), "uid_map"):
		// user_namespaces(7): since Linux 5.12 root's own id is mapped with CAP_SETFCAP only.
		return "root needs CAP_SETFCAP to keep its user id: docker run --cap-add SETFCAP; or run as another user"
	case here.UnprivilegedUserns == "0":
		return "sysctl -w kernel.unprivileged_userns_clone=1"
	case here.AppArmorUserns == "1":
		return "sysctl -w kernel.apparmor_restrict_unprivileged_userns=0, or an AppArmor profile for callgate with the rule \"userns,\""
	case here.MaxUserns == "0":
		return "sysctl -w user.max_user_namespaces=15000"
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EUSERS):
		return "fewer user namespaces inside one another (the kernel's limit is 32), or a larger user.max_user_namespaces"
	case errors.Is(err, syscall.EINVAL), errors.Is(err, syscall.ENOSYS):
		return "a kernel built with CONFIG_USER_NS"
	case here.Filters > 0:
		return cureFiltered(here)
	case here.Chroot:
		return cureChroot
	case here.NoProc:
		return cureNoProc
	case here.Container != "":
		return "the container forbids it: " + startWithout(here, aroundFilter|aroundAppArmor)
	}
	return "ask the administrator which security module forbids it (SELinux, AppArmor, a sysctl)"
}

// cureNamespace blames user namespaces, without which an ordinary user gets no
// other, unless those work.
func cureNamespace(err error, here Surroundings) string {
	switch {
	case here.Chroot:
		return cureChroot
	case here.NoProc:
		return cureNoProc
	case !here.Privileged && UserNamespaces.Find().Err != nil:
		return cureUserns
	case errors.Is(err, syscall.EINVAL), errors.Is(err, syscall.ENODEV):
		return "a kernel built with it"
	}
	return ""
}

// curePivot knows that only a mount point can be left behind, and that Docker's
// filter refuses to, whatever the capabilities.
func curePivot(err error, here Surroundings) string {
	switch {
	case filtered(err, here):
		return cureFiltered(here)
	case errors.Is(err, syscall.EINVAL) && !here.Chroot && !here.NoProc:
		return "start callgate where the root is a file system of its own, not an initramfs"
	}
	return cureNamespace(err, here)
}

// cureUTS knows that podman's filter lets the namespace be made, not named.
func cureUTS(err error, here Surroundings) string {
	if filtered(err, here) {
		return cureFiltered(here)
	}
	return cureNamespace(err, here)
}

func cureProc(err error, here Surroundings) string {
	if PidNamespaces.Find().Err == nil && errors.Is(err, syscall.EPERM) {
		return cureMasked(here)
	}
	return cureNamespace(err, here)
}

func cureLandlock(err error, here Surroundings) string {
	switch {
	case err == nil:
		return "Linux 7.2 has them all"
	case errors.Is(err, syscall.EOPNOTSUPP):
		return "add landlock to the lsm= list on the kernel's command line"
	case errors.Is(err, syscall.ENOSYS) && !filtered(err, here):
		return "Linux 5.13 or newer, built with CONFIG_SECURITY_LANDLOCK"
	}
	return ""
}

func cureFilter(err error, here Surroundings) string {
	switch {
	case err == nil:
		return "a newer kernel"
	case errors.Is(err, syscall.EBUSY):
		return "a supervisor around this program holds the one listener the kernel allows: run callgate outside of it"
	case errors.Is(err, syscall.EINVAL) && !filtered(err, here):
		return "a newer kernel, built with CONFIG_SECCOMP_FILTER"
	}
	return ""
}
