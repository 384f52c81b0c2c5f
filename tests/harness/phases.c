/* A program that calls the phases of PAM in any order, all in one handle, and tells their results.
 *
 *   phases SERVICE USER STEP...
 *
 *   auth, account, setcred, password, session    calls that function
 *   user=NAME, rhost=HOST, ruser=NAME, tty=NAME  sets that item
 *   answer=TEXT                                  what the conversation answers from now on
 *
 * Prints "shown: TEXT" for each message, and "STEP NUMBER" for each function.
 */
#include <security/pam_appl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *answer = "";

static int conversation(int n, const struct pam_message **message, struct pam_response **response,
			void *data)
{
	(void)data;
	*response = calloc(n, sizeof **response);
	for (int i = 0; i < n; i++) {
		printf("shown: %s\n", message[i]->msg);
		if (message[i]->msg_style <= PAM_PROMPT_ECHO_ON)
			(*response)[i].resp = strdup(answer);
	}
	return PAM_SUCCESS;
}

static const struct {
	const char *name;
	int item;
} items[] = {{"user", PAM_USER}, {"rhost", PAM_RHOST}, {"ruser", PAM_RUSER}, {"tty", PAM_TTY}};

int main(int argc, char **argv)
{
	struct pam_conv conv = {conversation, NULL};
	pam_handle_t *handle;
	int rc = PAM_SUCCESS;
	if (argc < 3 || pam_start(argv[1], argv[2], &conv, &handle) != PAM_SUCCESS)
		return 2;
	for (int i = 3; i < argc; i++) {
		char *step = argv[i], *value = strchr(step, '=');
		if (value) {
			*value++ = 0;
			if (!strcmp(step, "answer"))
				answer = value;
			for (unsigned j = 0; j < sizeof items / sizeof *items; j++)
				if (!strcmp(step, items[j].name))
					pam_set_item(handle, items[j].item, value);
			continue;
		}
		if (!strcmp(step, "auth"))
			rc = pam_authenticate(handle, 0);
		else if (!strcmp(step, "account"))
			rc = pam_acct_mgmt(handle, 0);
		else if (!strcmp(step, "setcred"))
			rc = pam_setcred(handle, PAM_ESTABLISH_CRED);
		else if (!strcmp(step, "password"))
			rc = pam_chauthtok(handle, 0);
		else if (!strcmp(step, "session"))
			rc = pam_open_session(handle, 0);
		else
			return 2;
		printf("%s %d\n", step, rc);
	}
	pam_end(handle, rc);
	return 0;
}
