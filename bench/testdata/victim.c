// Measures what system calls cost behind a seccomp filter:
//
//	victim PROGRAM
//
// loads the program (an array of struct sock_filter; "-" for none), makes each
// call in turns, and prints a line a call: its name, the median of its turns in
// nanoseconds a call, and the error it ended with (0 for none), by which one
// sees that two programs let the same through.
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define TURNS 15
#define CALLS 1000

static int zero, null;

static long do_getpid(void) { return syscall(SYS_getpid); }
static long do_lseek(void) { return syscall(SYS_lseek, zero, 0L, SEEK_CUR); }
static long do_read(void)
{
	char byte;

	return syscall(SYS_read, zero, &byte, 1L);
}
static long do_open(void)
{
	long fd = syscall(SYS_openat, AT_FDCWD, "/dev/null", O_RDONLY | O_CLOEXEC, 0);

	if (fd >= 0)
		syscall(SYS_close, fd);
	return fd;
}
static long do_ioctl(void)
{
	struct winsize size;

	return syscall(SYS_ioctl, null, (long)TIOCGWINSZ, &size);
}
static long do_personality(void) { return syscall(SYS_personality, 0xffffffffL); }
static long do_socket(void)
{
	long fd = syscall(SYS_socket, (long)AF_UNIX, (long)SOCK_STREAM, 0L);

	if (fd >= 0)
		syscall(SYS_close, fd);
	return fd;
}

static const struct {
	const char *name;
	long (*call)(void);
} calls[] = {
	{"getpid", do_getpid},
	{"lseek", do_lseek},
	{"read", do_read},
	{"openat+close", do_open},
	{"ioctl", do_ioctl},
	{"personality", do_personality},
	{"socket+close", do_socket},
};

#define COUNT (sizeof(calls) / sizeof(calls[0]))

static void load(const char *path)
{
	static struct sock_filter code[4096];
	struct sock_fprog program = {.filter = code};
	FILE *file = fopen(path, "rb");

	if (file == NULL) {
		perror(path);
		exit(1);
	}
	program.len = fread(code, sizeof(code[0]), 4096, file);
	fclose(file);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) != 0) {
		perror("seccomp");
		exit(1);
	}
}

static double turn(long (*call)(void))
{
	struct timespec begin, end;
	int i;

	clock_gettime(CLOCK_MONOTONIC, &begin);
	for (i = 0; i < CALLS; i++)
		call();
	clock_gettime(CLOCK_MONOTONIC, &end);
	return ((end.tv_sec - begin.tv_sec) * 1e9 + (end.tv_nsec - begin.tv_nsec)) / CALLS;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
	static double took[COUNT][TURNS];
	int ended[COUNT];
	unsigned int i, j;

	if (argc != 2) {
		fprintf(stderr, "usage: victim PROGRAM\n");
		return 2;
	}
	zero = open("/dev/zero", O_RDONLY);
	null = open("/dev/null", O_RDONLY);
	if (strcmp(argv[1], "-") != 0)
		load(argv[1]);
	for (i = 0; i < COUNT; i++)
		ended[i] = calls[i].call() < 0 ? errno : 0;
	for (j = 0; j < TURNS; j++)
		for (i = 0; i < COUNT; i++)
			took[i][j] = turn(calls[i].call);
	for (i = 0; i < COUNT; i++) {
		qsort(took[i], TURNS, sizeof(double), compare);
		printf("%s %.2f %d\n", calls[i].name, took[i][TURNS / 2], ended[i]);
	}
	return 0;
}
