// Measures what a call costs that a seccomp filter stops for a monitor:
//
//	stopped SOCKET THREADS CALLS
//
// has a filter stop getppid, sends the listener through the socket (descriptor
// number; 0 for no filter at all), and has the threads make the calls at once,
// in turns. It prints the median of the turns in nanoseconds a call: a turn's
// time over the calls that all threads made in it.
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define TURNS 5
#define THREADS 64

#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)
#endif

static long calls, answer;
static pthread_barrier_t begins, ends;

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static int install(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {.len = sizeof(code) / sizeof(code[0]), .filter = code};
	unsigned long flags = SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;
	int listener;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		fail("prctl");
	listener = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
	if (listener < 0) // before Linux 5.19
		listener = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &program);
	if (listener < 0)
		fail("seccomp");
	return listener;
}

static void hand_over(int socket, int listener)
{
	char byte = 0, control[CMSG_SPACE(sizeof(int))] = {0};
	struct iovec text = {&byte, 1};
	struct msghdr message = {.msg_iov = &text, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control)};
	struct cmsghdr *head = CMSG_FIRSTHDR(&message);

	head->cmsg_level = SOL_SOCKET;
	head->cmsg_type = SCM_RIGHTS;
	head->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(head), &listener, sizeof(int));
	if (sendmsg(socket, &message, 0) != 1)
		fail("sendmsg");
	close(socket);
	close(listener);
}

static void *make_calls(void *unused)
{
	long i, turn;

	for (turn = 0; turn <= TURNS; turn++) {
		pthread_barrier_wait(&begins);
		for (i = 0; i < calls; i++)
			answer = syscall(SYS_getppid);
		pthread_barrier_wait(&ends);
	}
	return unused;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
	double took[TURNS + 1];
	struct timespec from, to;
	pthread_t thread;
	int socket, threads, i, turn;

	if (argc != 4)
		return 2;
	socket = atoi(argv[1]);
	threads = atoi(argv[2]);
	calls = atol(argv[3]);
	if (socket > 0)
		hand_over(socket, install());
	pthread_barrier_init(&begins, NULL, threads + 1);
	pthread_barrier_init(&ends, NULL, threads + 1);
	for (i = 0; i < threads; i++)
		if (pthread_create(&thread, NULL, make_calls, NULL) != 0)
			fail("pthread_create");
	for (turn = 0; turn <= TURNS; turn++) { // the first warms up
		clock_gettime(CLOCK_MONOTONIC, &from);
		pthread_barrier_wait(&begins);
		pthread_barrier_wait(&ends);
		clock_gettime(CLOCK_MONOTONIC, &to);
		took[turn] = ((to.tv_sec - from.tv_sec) * 1e9 + (to.tv_nsec - from.tv_nsec)) / (calls * threads);
	}
	qsort(took + 1, TURNS, sizeof(double), compare);
	printf("%.1f %ld\n", took[1 + TURNS / 2], answer);
	return 0;
}
