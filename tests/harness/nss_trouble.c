/* A source of NSS: names that start with "hang" keep it waiting, names that start with "broken"
 * fail, "crowd" and a number is a user of the uid 100000 and that number, and all others are not
 * found. */
#include <errno.h>
#include <nss.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum nss_status _nss_trouble_getpwnam_r(const char *name, struct passwd *result, char *buffer,
					size_t length, int *error)
{
	if (!strncmp(name, "hang", 4))
		sleep(60);
	if (!strncmp(name, "broken", 6)) {
		*error = EIO;
		return NSS_STATUS_UNAVAIL;
	}
	char *end;
	long number = strncmp(name, "crowd", 5) ? -1 : strtol(name + 5, &end, 10);
	if (number < 0 || end == name + 5 || *end) {
		*error = ENOENT;
		return NSS_STATUS_NOTFOUND;
	}
	if (length < strlen(name) + 1) {
		*error = ERANGE;
		return NSS_STATUS_TRYAGAIN;
	}
	strcpy(buffer, name);
	*result = (struct passwd){buffer, "x", 100000 + number, 100, "", "/", "/bin/sh"};
	return NSS_STATUS_SUCCESS;
}
