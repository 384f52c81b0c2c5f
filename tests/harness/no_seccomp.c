/* Preloaded into sshd under valgrind: sshd confines the process that speaks with the network, by limits
 * and by seccomp, so that valgrind cannot go on in it. The process that runs PAM is not confined. */
#define _GNU_SOURCE
#include <stdarg.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

int setrlimit(__rlimit_resource_t resource, const struct rlimit *limit)
{
	(void)resource;
	(void)limit;
	return 0;
}

int prctl(int option, ...)
{
	unsigned long word[4];
	va_list words;

	va_start(words, option);
	for (int n = 0; n < 4; n++)
		word[n] = va_arg(words, unsigned long);
	va_end(words);
	if (option == PR_SET_SECCOMP)
		return 0;
	return syscall(SYS_prctl, option, word[0], word[1], word[2], word[3]);
}
