// Runs a program and opens in its stead every file that it asks for, deciding
// nothing and following no links: the least that a monitor can do.
//
//	opener PROGRAM ARGUMENT...
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/openat2.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef SECCOMP_IOCTL_NOTIF_SET_FLAGS
#define SECCOMP_IOCTL_NOTIF_SET_FLAGS SECCOMP_IOW(4, __u64)
#endif

static int listener;

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static void answer(struct seccomp_notif *call)
{
	char path[128] = "";
	struct iovec to = {path, sizeof(path) - 1}, from = {(void *)call->data.args[1], sizeof(path) - 1};
	struct open_how how = {.flags = (call->data.args[2] & (O_ACCMODE | O_CLOEXEC | O_DIRECTORY)) | O_NONBLOCK, .resolve = RESOLVE_NO_SYMLINKS};
	struct seccomp_notif_addfd add = {.id = call->id, .flags = SECCOMP_ADDFD_FLAG_SEND, .newfd_flags = O_CLOEXEC};
	struct seccomp_notif_resp refusal = {.id = call->id};
	int fd = -1;

	if (process_vm_readv(call->pid, &to, 1, &from, 1, 0) < 0 || ioctl(listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &call->id) != 0)
		errno = EFAULT;
	else
		fd = syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof(how));
	add.srcfd = fd;
	if (fd < 0 || ioctl(listener, SECCOMP_IOCTL_NOTIF_ADDFD, &add) < 0) {
		refusal.error = -errno;
		ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &refusal);
	}
	if (fd >= 0)
		close(fd);
}

static void *receive(void *unused)
{
	struct seccomp_notif call;

	for (;;) {
		memset(&call, 0, sizeof(call));
		if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &call) == 0)
			answer(&call);
		else if (errno != EINTR)
			usleep(1000); // a task that left, or the last: main sees which
	}
	return unused;
}

// It shares memory and descriptors with this program until it executes another:
// so the listener need not be sent.
static int target(void *argv)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {sizeof(code) / sizeof(code[0]), code};

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	listener = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &program);
	if (listener < 0)
		_exit(1);
	execv(((char **)argv)[0], argv);
	_exit(1);
}

int main(int argc, char **argv)
{
	static char stack[1 << 16];
	struct pollfd end = {0};
	pthread_t thread;
	int status;
	pid_t child;

	if (argc < 2)
		return 2;
	child = clone(target, stack + sizeof(stack), CLONE_VM | CLONE_VFORK | CLONE_FILES | SIGCHLD, argv + 1);
	if (child < 0 || listener <= 0)
		fail("start the program");
	ioctl(listener, SECCOMP_IOCTL_NOTIF_SET_FLAGS, 1L); // SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP, Linux 6.6
	if (pthread_create(&thread, NULL, receive, NULL) != 0)
		fail("pthread_create");
	end.fd = listener;
	while (poll(&end, 1, -1) < 0 || !(end.revents & POLLHUP))
		;
	if (waitpid(child, &status, 0) < 0)
		fail("wait");
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
