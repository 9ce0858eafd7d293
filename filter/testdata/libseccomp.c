// Compiles rules with libseccomp, for filter's tests: it reads filters on
// standard input, one word group a line, and writes each program to standard
// output as its length in bytes (a native 32-bit number, or a negative errno)
// and its instructions.
//
//	filter OPTIMIZE BADARCH               starts a filter (numbers in decimal)
//	arch TOKEN DEFAULT                    starts an architecture of it
//	rule ACTION NR COUNT {ARG OP A B}...  adds a rule to the architecture
//	end                                   writes the program
#include <errno.h>
#include <seccomp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAX_ARCHES 8

static scmp_filter_ctx contexts[MAX_ARCHES];
static int count;
static int failed;
static unsigned long optimize, badarch;

static void note(int rc)
{
	if (rc < 0 && failed == 0)
		failed = rc;
}

static void arch(unsigned long token, unsigned long otherwise)
{
	scmp_filter_ctx ctx = seccomp_init(otherwise);

	if (ctx == NULL || count == MAX_ARCHES)
		exit(3);
	contexts[count++] = ctx;
	if (token != seccomp_arch_native()) {
		note(seccomp_arch_add(ctx, token));
		note(seccomp_arch_remove(ctx, seccomp_arch_native()));
	}
	note(seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH, badarch));
	note(seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, optimize));
}

static void rule(char *text)
{
	struct scmp_arg_cmp args[6];
	unsigned long action;
	unsigned int number;
	int nr, used, i;

	if (sscanf(text, "%lu %d %u%n", &action, &nr, &number, &used) != 3 || number > 6)
		exit(4);
	for (i = 0; i < (int)number; i++) {
		unsigned int arg, op;
		unsigned long a, b;

		text += used;
		if (sscanf(text, "%u %u %lu %lu%n", &arg, &op, &a, &b, &used) != 4)
			exit(4);
		args[i] = (struct scmp_arg_cmp){.arg = arg, .op = op, .datum_a = a, .datum_b = b};
	}
	note(seccomp_rule_add_exact_array(contexts[count - 1], action, nr, number, args));
}

static void end(void)
{
	static char program[65536];
	FILE *file = tmpfile();
	int32_t length = 0;
	int i;

	if (file == NULL)
		exit(5);
	for (i = 1; i < count; i++)
		note(seccomp_merge(contexts[0], contexts[i]));
	if (failed == 0)
		note(seccomp_export_bpf(contexts[0], fileno(file)));
	if (failed == 0) {
		rewind(file);
		length = fread(program, 1, sizeof(program), file);
	}
	fclose(file);
	if (failed != 0)
		length = failed;
	fwrite(&length, sizeof(length), 1, stdout);
	if (failed == 0)
		fwrite(program, 1, length, stdout);
	fflush(stdout);
	seccomp_release(contexts[0]);
	count = 0;
	failed = 0;
}

int main(void)
{
	static char line[4096];
	unsigned long token, otherwise;

	while (fgets(line, sizeof(line), stdin) != NULL) {
		if (sscanf(line, "filter %lu %lu", &optimize, &badarch) == 2)
			continue;
		if (sscanf(line, "arch %lu %lu", &token, &otherwise) == 2)
			arch(token, otherwise);
		else if (strncmp(line, "rule ", 5) == 0)
			rule(line + 5);
		else if (strcmp(line, "end\n") == 0)
			end();
		else
			return 2;
	}
	return 0;
}
