package probe

import (
	"errors"
	"syscall"
)

// The pieces of advice that several features share.
const (
	cureSeccomp = "a filter around this program refuses the call: docker run --security-opt seccomp=unconfined"
	cureChroot  = "start callgate outside of the chroot: the kernel allows neither user namespaces nor a root of one's own in one"
	cureNoProc  = "mount /proc: callgate needs it, to work and to explain; in a chroot, start callgate outside"
	cureUserns  = "allow user namespaces first: see the feature \"user namespaces\""
)

// filtered tells whether a filter, rather than the kernel, may have refused.
func filtered(err error, here Surroundings) bool {
	return here.Filters > 0 && (errors.Is(err, syscall.ENOSYS) || errors.Is(err, syscall.EPERM))
}

// commonCure is the advice for a feature that has none of its own.
func commonCure(since string, err error, here Surroundings) string {
	switch {
	case filtered(err, here) && since != "" && errors.Is(err, syscall.ENOSYS):
		return cureSeccomp + "; or the kernel is too old: " + since + " or newer"
	case filtered(err, here):
		return cureSeccomp
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
		return cureSeccomp
	case here.Chroot:
		return cureChroot
	case here.NoProc:
		return cureNoProc
	case here.Container != "":
		return "the container forbids it: docker run --security-opt seccomp=unconfined --security-opt apparmor=unconfined"
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

func cureProc(err error, here Surroundings) string {
	if PidNamespaces.Find().Err == nil && errors.Is(err, syscall.EPERM) {
		return "parts of /proc are masked here, and the kernel shows none whole again: docker run --security-opt systempaths=unconfined"
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
