// Compiles rules with libseccomp, and says how long that takes:
//
//	libseccomp OPTIMIZE TIMES <RULES >PROGRAM
//
// builds the filter TIMES times, prints the median in nanoseconds on standard
// error, and writes the program. Reading the rules is not part of the time.
// A line of rules is one of
//
//	filter BADARCH                        what foreign architectures get
//	arch TOKEN DEFAULT                    starts an architecture
//	rule ACTION NR COUNT {ARG OP A B}...  adds a rule to it
#define _GNU_SOURCE
#include <errno.h>
#include <seccomp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define MAX_ARCHES 8
#define MAX_RULES 4096

struct rule {
	int arch, nr;
	uint32_t action;
	unsigned int count;
	struct scmp_arg_cmp args[6];
};

static unsigned long badarch, tokens[MAX_ARCHES], defaults[MAX_ARCHES];
static struct rule rules[MAX_RULES];
static int arches, count;

static void die(const char *what, int rc)
{
	fprintf(stderr, "libseccomp: %s: error %d\n", what, rc);
	exit(1);
}

static void must(const char *what, int rc)
{
	if (rc < 0)
		die(what, rc);
}

static void read_rule(const char *text)
{
	struct rule *r = &rules[count++];
	unsigned int i;
	unsigned long a, b;
	int used;

	if (count > MAX_RULES || arches == 0)
		die("too many rules, or one before its architecture", count);
	r->arch = arches - 1;
	if (sscanf(text, "%u %d %u%n", &r->action, &r->nr, &r->count, &used) != 3 || r->count > 6)
		die(text, 0);
	for (i = 0; i < r->count; i++) {
		unsigned int arg, op;

		text += used;
		if (sscanf(text, "%u %u %lu %lu%n", &arg, &op, &a, &b, &used) != 4)
			die(text, 0);
		r->args[i] = (struct scmp_arg_cmp){.arg = arg, .op = op, .datum_a = a, .datum_b = b};
	}
}

static void read_rules(void)
{
	static char line[4096];

	while (fgets(line, sizeof(line), stdin) != NULL) {
		if (sscanf(line, "filter %lu", &badarch) == 1)
			continue;
		if (arches < MAX_ARCHES && sscanf(line, "arch %lu %lu", &tokens[arches], &defaults[arches]) == 2)
			arches++;
		else
			read_rule(line + sizeof("rule"));
	}
}

static void build(unsigned long optimize, int out)
{
	scmp_filter_ctx contexts[MAX_ARCHES];
	int i;

	for (i = 0; i < arches; i++) {
		contexts[i] = seccomp_init(defaults[i]);
		if (contexts[i] == NULL)
			die("init", 0);
		if (tokens[i] != seccomp_arch_native()) {
			must("arch_add", seccomp_arch_add(contexts[i], tokens[i]));
			must("arch_remove", seccomp_arch_remove(contexts[i], seccomp_arch_native()));
		}
		must("bad arch", seccomp_attr_set(contexts[i], SCMP_FLTATR_ACT_BADARCH, badarch));
		must("optimize", seccomp_attr_set(contexts[i], SCMP_FLTATR_CTL_OPTIMIZE, optimize));
	}
	for (i = 0; i < count; i++)
		must("rule_add", seccomp_rule_add_exact_array(contexts[rules[i].arch], rules[i].action, rules[i].nr, rules[i].count, rules[i].args));
	for (i = 1; i < arches; i++)
		must("merge", seccomp_merge(contexts[0], contexts[i]));
	must("export", seccomp_export_bpf(contexts[0], out));
	seccomp_release(contexts[0]);
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
	struct timespec begin, end;
	double *took;
	int times, i, memory;

	if (argc != 3 || (times = atoi(argv[2])) < 1)
		return 2;
	took = calloc(times, sizeof(*took));
	memory = memfd_create("program", 0);
	if (took == NULL || memory < 0)
		die("start", errno);
	read_rules();
	for (i = 0; i < times; i++) {
		if (ftruncate(memory, 0) != 0 || lseek(memory, 0, SEEK_SET) != 0)
			die("memory", errno);
		clock_gettime(CLOCK_MONOTONIC, &begin);
		build(atoi(argv[1]), memory);
		clock_gettime(CLOCK_MONOTONIC, &end);
		took[i] = (end.tv_sec - begin.tv_sec) * 1e9 + (end.tv_nsec - begin.tv_nsec);
	}
	qsort(took, times, sizeof(*took), compare);
	fprintf(stderr, "%.0f\n", took[times / 2]);
	build(atoi(argv[1]), STDOUT_FILENO);
	return 0;
}
