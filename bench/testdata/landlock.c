// Runs a program behind the smallest Landlock ruleset that lets it read and write
// everywhere:
//
//	landlock PROGRAM ARGUMENT...
//
// What an open costs behind it is the least that any rule for files costs.
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/landlock.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	struct landlock_ruleset_attr handled = {.handled_access_fs = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1}; // all of Linux 5.13
	struct landlock_path_beneath_attr root = {.allowed_access = handled.handled_access_fs};
	int ruleset = syscall(SYS_landlock_create_ruleset, &handled, sizeof(handled), 0);

	root.parent_fd = open("/", O_PATH | O_CLOEXEC);
	if (argc < 2 || ruleset < 0 || root.parent_fd < 0 ||
	    syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &root, 0) != 0 ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || syscall(SYS_landlock_restrict_self, ruleset, 0) != 0) {
		perror("landlock");
		return 1;
	}
	execv(argv[1], argv + 1);
	perror(argv[1]);
	return 1;
}
