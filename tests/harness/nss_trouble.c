/* A source of NSS that is in trouble: names that start with "hang" keep it waiting, names that
 * start with "broken" fail, and all others are not found. */
#include <errno.h>
#include <nss.h>
#include <pwd.h>
#include <string.h>
#include <unistd.h>

enum nss_status _nss_trouble_getpwnam_r(const char *name, struct passwd *result, char *buffer,
					size_t length, int *error)
{
	(void)result;
	(void)buffer;
	(void)length;
	if (!strncmp(name, "hang", 4))
		sleep(60);
	if (!strncmp(name, "broken", 6)) {
		*error = EIO;
		return NSS_STATUS_UNAVAIL;
	}
	*error = ENOENT;
	return NSS_STATUS_NOTFOUND;
}
