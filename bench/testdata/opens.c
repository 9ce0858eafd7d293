// Measures what opening and closing a file costs where it runs:
//
//	opens FILE THREADS
//
// has each thread open and close the file in turns, and prints the median over
// all turns in nanoseconds an open and close.
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define TURNS 9
#define OPENS 300
#define THREADS 64

static const char *path;
static double turns[THREADS * TURNS];

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e9 + t.tv_nsec;
}

static void *measure(void *first)
{
	double *turn = first;

	for (int i = 0; i < TURNS; i++) {
		double start = now();

		for (int j = 0; j < OPENS; j++) {
			int fd = open(path, O_RDONLY | O_CLOEXEC);

			if (fd < 0) {
				fprintf(stderr, "opens: open %s: %s\n", path, strerror(errno));
				exit(1);
			}
			close(fd);
		}
		turn[i] = (now() - start) / OPENS;
	}
	return NULL;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
	pthread_t threads[THREADS];
	int count = argc == 3 ? atoi(argv[2]) : 0;

	if (count < 1 || count > THREADS) {
		fprintf(stderr, "usage: opens FILE THREADS\n");
		return 2;
	}
	path = argv[1];
	for (int i = 0; i < count; i++)
		if (pthread_create(&threads[i], NULL, measure, turns + i * TURNS)) {
			fprintf(stderr, "opens: no thread\n");
			return 1;
		}
	for (int i = 0; i < count; i++)
		pthread_join(threads[i], NULL);
	qsort(turns, count * TURNS, sizeof(double), compare);
	printf("%.1f\n", turns[count * TURNS / 2]);
	return 0;
}
