/* A source of NSS, for tests.
 *
 * A name that starts with "hang" keeps it waiting, one that starts with "broken" fails. "crowd" and
 * a number is a user of the uid 100000 and that number. It is a second user database too: its alice
 * has the uid 20001. Like winbind and sssd it folds names: ALICE leads to the alice of /etc/passwd.
 * It finds no other name. A name that starts with "gone", and every group, finds it not available. */
#include <ctype.h>
#include <errno.h>
#include <grp.h>
#include <nss.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ALICE 20001

static enum nss_status not_found(int *error)
{
	*error = ENOENT;
	return NSS_STATUS_NOTFOUND;
}

static enum nss_status too_short(int *error)
{
	*error = ERANGE;
	return NSS_STATUS_TRYAGAIN;
}

static enum nss_status user(const char *name, uid_t uid, struct passwd *result, char *buffer,
			    size_t length, int *error)
{
	if (length < strlen(name) + 1)
		return too_short(error);
	strcpy(buffer, name);
	*result = (struct passwd){buffer, "x", uid, 100, "", "/", "/bin/sh"};
	return NSS_STATUS_SUCCESS;
}

/* The user of /etc/passwd whose name is this one in lower case. */
static enum nss_status folded(const char *name, struct passwd *result, char *buffer, size_t length,
			      int *error)
{
	char lower[256];
	size_t end = strlen(name);
	if (end >= sizeof lower)
		return not_found(error);
	for (size_t i = 0; i <= end; i++)
		lower[i] = tolower((unsigned char)name[i]);
	FILE *users = strcmp(lower, name) ? fopen("/etc/passwd", "re") : NULL;
	if (!users)
		return not_found(error);
	struct passwd *found;
	int failed;
	do
		failed = fgetpwent_r(users, result, buffer, length, &found);
	while (!failed && strcmp(found->pw_name, lower));
	fclose(users);
	if (failed)
		return failed == ERANGE ? too_short(error) : not_found(error);
	return NSS_STATUS_SUCCESS;
}

enum nss_status _nss_trouble_getpwnam_r(const char *name, struct passwd *result, char *buffer,
					size_t length, int *error)
{
	if (!strncmp(name, "hang", 4))
		sleep(60);
	if (!strncmp(name, "broken", 6)) {
		*error = EIO;
		return NSS_STATUS_UNAVAIL;
	}
	if (!strncmp(name, "gone", 4)) {
		*error = ENOENT;
		return NSS_STATUS_UNAVAIL;
	}
	if (!strcmp(name, "alice"))
		return user(name, ALICE, result, buffer, length, error);
	char *end;
	long number = strncmp(name, "crowd", 5) ? -1 : strtol(name + 5, &end, 10);
	if (number >= 0 && end != name + 5 && !*end)
		return user(name, 100000 + number, result, buffer, length, error);
	return folded(name, result, buffer, length, error);
}

enum nss_status _nss_trouble_getpwuid_r(uid_t uid, struct passwd *result, char *buffer,
					size_t length, int *error)
{
	if (uid != ALICE)
		return not_found(error);
	return user("alice", uid, result, buffer, length, error);
}

/* What sssd, winbind and nslcd say while their daemon is down. */
enum nss_status _nss_trouble_getgrnam_r(const char *name, struct group *result, char *buffer,
					size_t length, int *error)
{
	(void)name, (void)result, (void)buffer, (void)length;
	*error = ENOENT;
	return NSS_STATUS_UNAVAIL;
}
