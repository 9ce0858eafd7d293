// Answers stopped calls, as small as a monitor can be:
//
//	monitor SOCKET RECEIVERS FLAGS
//
// takes a listener from the socket (descriptor number), sets its flags (1 is
// SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP), and answers each call with 42 on the
// thread that received it, until no task is left.
#include <errno.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef SECCOMP_IOCTL_NOTIF_SET_FLAGS
#define SECCOMP_IOCTL_NOTIF_SET_FLAGS SECCOMP_IOW(4, __u64)
#endif

static int listener;
static struct seccomp_notif_sizes sizes;

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static void take(int socket)
{
	char byte, control[CMSG_SPACE(sizeof(int))];
	struct iovec text = {&byte, 1};
	struct msghdr message = {.msg_iov = &text, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control)};
	struct cmsghdr *head;

	if (recvmsg(socket, &message, MSG_CMSG_CLOEXEC) != 1 || (head = CMSG_FIRSTHDR(&message)) == NULL)
		fail("recvmsg");
	memcpy(&listener, CMSG_DATA(head), sizeof(int));
}

static void *receive(void *unused)
{
	struct seccomp_notif *call = malloc(sizes.seccomp_notif);
	struct seccomp_notif_resp *answer = malloc(sizes.seccomp_notif_resp);

	for (;;) {
		memset(call, 0, sizes.seccomp_notif);
		if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, call) != 0) {
			if (errno == EINTR)
				continue;
			if (errno == ENOENT) // a task that left, or the last: main sees which
				usleep(1000);
			else
				fail("receive");
			continue;
		}
		memset(answer, 0, sizes.seccomp_notif_resp);
		answer->id = call->id;
		answer->val = 42;
		if (ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, answer) != 0 && errno != ENOENT)
			fail("answer");
	}
	return unused;
}

int main(int argc, char **argv)
{
	struct pollfd end = {0};
	pthread_t thread;
	int i;

	if (argc != 4)
		return 2;
	take(atoi(argv[1]));
	if (syscall(SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, 0, &sizes) != 0)
		fail("seccomp");
	ioctl(listener, SECCOMP_IOCTL_NOTIF_SET_FLAGS, atol(argv[3])); // Linux 6.6
	for (i = 0; i < atoi(argv[2]); i++)
		if (pthread_create(&thread, NULL, receive, NULL) != 0)
			fail("pthread_create");
	end.fd = listener;
	while (poll(&end, 1, -1) < 0 || !(end.revents & POLLHUP))
		;
	return 0;
}
