/* A program that logs in through libpam, and tells what the module did to it.
 *
 *   pam [options] SERVICE USER ANSWER
 *
 *   -n N        N authentications in this process, one after another
 *   -p N        N processes at once; all hand in ANSWER at the same moment
 *   -a          account management and credentials after a success
 *   -c MODE     what the conversation does: answer, cancel (PAM_CONV_ERR), null (no text),
 *               nothing (success without a response), switch (PAM_USER becomes root at the prompt)
 *   -h HOST, -r RUSER, -t TTY     PAM items
 *   -H N        with -n: the remote host is one of N addresses, in turn
 *   -g          tells what is left behind: threads, descriptors, memory, signals, environment
 *   -b FILE     instead: each line of FILE is "LABEL SERVICE USER ANSWER": logs in so, in this
 *               process, and prints "LABEL MICROSECONDS RC". LABEL "bus": without private socket
 *   -m          with -b: behind RC stand all messages of that login
 *   -e FILE     the same, each in a fresh process that is timed from start to end
 *   -s N        instead: N logins, each in a process of its own; "%d" in USER is the number of the
 *               login, and ANSWER may be several, with "/" between, for one prompt after another.
 *               Prints how many got in and how long, without what a person takes, a login took.
 *   -w N        with -s: at most N at a time        -R N   at most N started in a second
 *   -k MS       with -s: so long a person types     -B     all type when all have a prompt
 *   -S MS       with -B: one after the other, so far apart
 *   -d N        with -s: N logins for each number
 *   -L MODULE   instead: the median of the microseconds in which a process loads MODULE with dlopen
 *               and closes it with dlclose
 *   -F          hands in 000000 first, and then ANSWER from a child that is forked with the module
 *               loaded; both end PAM, the child first
 *   -P MODE     under seccomp: "kill" ends the process if it starts another, changes what a signal
 *               does, or looks at its own limits; "socket" refuses it sockets of AF_UNIX
 *   -D          waits for no delay after a failure, and prints the microseconds that libpam wants
 *   -x          exits with the code of libpam
 *   -f          ANSWER is the name of a file that holds the answer
 *
 * Prints "shown: TEXT" for each message, then "rc=NUMBER yes=NUMBER ms=NUMBER" of the last one.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <security/pam_appl.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

struct login {
	double begun, prompted, answered, ended;
	int rc, prompts;
};

static struct login *login;
static int barrier, waiting, thinking, apart, place;
static const char *answer, *mode = "answer", *rhost, *ruser, *tty;
static pam_handle_t *handle;
static char messages[8192];
static int processes = 1, telling, quiet, addresses, turn, forks, delays;
static int *ready;

static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e3 + t.tv_nsec / 1e6;
}

/* What the person of a storm types at this prompt, after a while. */
static char *typed(void)
{
	const char *from = answer;
	if (!login->prompts++)
		login->prompted = now();
	if (barrier && login->prompts == 1) {
		__atomic_add_fetch(ready, 1, __ATOMIC_SEQ_CST);
		while (__atomic_load_n(ready, __ATOMIC_SEQ_CST) < waiting)
			usleep(50000);
		usleep(place * apart * 1000);
	}
	usleep(thinking * 1000);
	for (int i = 1; i < login->prompts && strchr(from, '/'); i++)
		from = strchr(from, '/') + 1;
	login->answered = now();
	return strndup(from, strcspn(from, "/"));
}

static int conversation(int n, const struct pam_message **message, struct pam_response **response,
			void *data)
{
	(void)data;
	for (int i = 0; i < n && !quiet; i++)
		printf("shown: %s\n", message[i]->msg);
	for (int i = 0; i < n && telling; i++)
		snprintf(messages + strlen(messages), sizeof messages - strlen(messages), " %s",
			 message[i]->msg);
	if (!strcmp(mode, "cancel"))
		return PAM_CONV_ERR;
	if (!strcmp(mode, "nothing"))
		return PAM_SUCCESS;
	if (!strcmp(mode, "switch"))
		pam_set_item(handle, PAM_USER, "root");
	*response = calloc(n, sizeof **response);
	for (int i = 0; i < n; i++)
		if (strcmp(mode, "null") && message[i]->msg_style <= PAM_PROMPT_ECHO_ON)
			(*response)[i].resp = login ? typed() : strdup(answer);
	if (processes > 1) {
		__atomic_add_fetch(ready, 1, __ATOMIC_SEQ_CST);
		while (__atomic_load_n(ready, __ATOMIC_SEQ_CST) < processes)
			sched_yield();
	}
	return PAM_SUCCESS;
}

static int count(const char *folder)
{
	DIR *d = opendir(folder);
	int n = 0;
	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

static long memory(void)
{
	FILE *f = fopen("/proc/self/statm", "r");
	long size, resident;
	if (fscanf(f, "%ld %ld", &size, &resident) != 2)
		resident = -1;
	fclose(f);
	return resident * 4;
}

/* All that a module could leave changed, as text. */
static void residue(char *to, size_t room)
{
	size_t at = 0;
	sigset_t mask;
	sigprocmask(SIG_SETMASK, NULL, &mask);
	at += snprintf(to + at, room - at, "threads=%d descriptors=%d signals=",
		       count("/proc/self/task") - 2, count("/proc/self/fd") - 3);
	for (int s = 1; s < 65; s++) {
		struct sigaction action;
		memset(&action, 0, sizeof action);
		sigaction(s, NULL, &action);
		if (action.sa_handler != SIG_DFL || sigismember(&mask, s) == 1)
			at += snprintf(to + at, room - at, "%d:%p:%d,", s, (void *)action.sa_handler,
				       sigismember(&mask, s));
	}
	mode_t mask_of_files = umask(0);
	umask(mask_of_files);
	unsigned long sum = 5381;
	for (char **e = environ; *e; e++)
		for (char *c = *e; *c; c++)
			sum = sum * 33 + (unsigned char)*c;
	snprintf(to + at, room - at, " umask=%o environment=%lx", mask_of_files, sum);
}

static int confine(const char *how)
{
	static const int killed[] = {SYS_clone, SYS_clone3, SYS_execve, SYS_rt_sigaction,
				     SYS_rt_sigprocmask, SYS_prlimit64, SYS_setitimer};
	struct sock_filter filter[32] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
	};
	int n = 1;
	if (!strcmp(how, "socket")) {
		filter[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_socket, 0, 3);
		filter[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
							   offsetof(struct seccomp_data, args));
		filter[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_UNIX, 0, 1);
		filter[n++] = (struct sock_filter)BPF_STMT(BPF_RET, SECCOMP_RET_ERRNO | EPERM);
	} else {
		for (size_t i = 0; i < sizeof killed / sizeof *killed; i++) {
			filter[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
								   killed[i], 0, 1);
			filter[n++] = (struct sock_filter)BPF_STMT(BPF_RET, SECCOMP_RET_KILL_PROCESS);
		}
	}
	filter[n++] = (struct sock_filter)BPF_STMT(BPF_RET, SECCOMP_RET_ALLOW);
	struct sock_fprog program = {n, filter};
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	       syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program);
}

static void delay(int rc, unsigned microseconds, void *data)
{
	(void)rc, (void)data;
	printf("delay=%u\n", microseconds);
}

static int authenticate(const char *service, const char *user, int account)
{
	struct pam_conv conv = {conversation, NULL};
	int rc = pam_start(service, user, &conv, &handle);
	if (rc != PAM_SUCCESS)
		return rc;
	char address[32];
	if (addresses) {
		snprintf(address, sizeof address, "10.0.%d.%d", turn % addresses / 250,
			 turn % addresses % 250 + 1);
		turn++;
		rhost = address;
	}
	if (rhost)
		pam_set_item(handle, PAM_RHOST, rhost);
	if (ruser)
		pam_set_item(handle, PAM_RUSER, ruser);
	if (tty)
		pam_set_item(handle, PAM_TTY, tty);
	if (delays)
		pam_set_item(handle, PAM_FAIL_DELAY, (void *)delay);
	if (forks) {
		const char *right = answer;
		int status;
		answer = "000000";
		if (pam_authenticate(handle, 0) == PAM_SUCCESS)
			return PAM_ABORT;
		answer = right;
		pid_t child = fork();
		if (!child) {
			rc = pam_authenticate(handle, 0);
			pam_end(handle, rc | PAM_DATA_SILENT);
			_exit(rc);
		}
		waitpid(child, &status, 0);
		rc = WIFEXITED(status) ? WEXITSTATUS(status) : PAM_ABORT;
		pam_end(handle, rc);
		return rc;
	}
	rc = pam_authenticate(handle, 0);
	if (rc == PAM_SUCCESS && account) {
		rc = pam_acct_mgmt(handle, 0);
		if (rc == PAM_SUCCESS)
			rc = pam_setcred(handle, PAM_ESTABLISH_CRED);
	}
	pam_end(handle, rc);
	return rc;
}

static int by_size(const void *a, const void *b)
{
	return *(double *)a < *(double *)b ? -1 : *(double *)a > *(double *)b;
}

static int load(const char *module)
{
	double *took = mmap(NULL, 401 * sizeof *took, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	char path[300];
	snprintf(path, sizeof path, "%s", module);
	for (int i = 0; i < 401; i++) {
		int status;
		/* A module may stay in the process, so each round has a process of its own. */
		if (!fork()) {
			double start = now();
			void *handle = dlopen(path, RTLD_NOW);
			if (!handle)
				fprintf(stderr, "%s\n", dlerror()), _exit(1);
			dlclose(handle);
			took[i] = (now() - start) * 1e3;
			_exit(0);
		}
		wait(&status);
		if (status)
			return 1;
	}
	qsort(took, 401, sizeof *took, by_size);
	printf("%.1f\n", took[200]);
	return 0;
}

static int storm(const char *service, const char *pattern, int count, int width, int rate, int each)
{
	size_t room = count * each * sizeof(struct login);
	struct login *logins =
		mmap(NULL, room + 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int running = 0, yes = 0, again = 0, numbers = 0;
	double start = now(), *took = calloc(count * each, sizeof *took);
	double *prompt = calloc(count * each, sizeof *prompt);
	ready = (int *)((char *)logins + room);
	waiting = count * each;
	quiet = 1;
	for (int i = 0; i < count * each; i++) {
		while (rate && now() < start + i * 1e3 / rate)
			usleep(500);
		while (running >= width) {
			wait(NULL);
			running--;
		}
		if (!fork()) {
			char user[300];
			snprintf(user, sizeof user, pattern, i / each);
			login = &logins[i];
			place = i;
			login->begun = now();
			login->rc = authenticate(service, user, 0);
			login->ended = now();
			// Nobody waits for one that was refused before a prompt.
			if (!login->prompts)
				__atomic_add_fetch(ready, 1, __ATOMIC_SEQ_CST);
			_exit(0);
		}
		running++;
	}
	while (running--)
		wait(NULL);
	for (int i = 0; i < count; i++) {
		int of_this = 0;
		for (int k = i * each; k < (i + 1) * each; k++) {
			struct login *l = &logins[k];
			of_this += l->rc == PAM_SUCCESS && l->ended > 0;
			again += l->prompts > 1;
			prompt[k] = l->prompted - l->begun;
			took[k] = prompt[k] + l->ended - l->answered;
			if (l->rc != PAM_SUCCESS && each == 1)
				printf("refused: %d rc=%d prompts=%d\n", i, l->rc, l->prompts);
		}
		yes += of_this;
		numbers += of_this > 1;
	}
	double seconds = (now() - start) / 1e3;
	int all = count * each;
	qsort(took, all, sizeof *took, by_size);
	qsort(prompt, all, sizeof *prompt, by_size);
	printf("yes=%d twice=%d asked_again=%d seconds=%.1f prompt_max=%.0f p50=%.1f p99=%.1f max=%.0f\n",
	       yes, numbers, again, seconds, prompt[all - 1], took[all / 2], took[all * 99 / 100],
	       took[all - 1]);
	return 0;
}

static void series(const char *self, const char *file, int fresh)
{
	char label[64], service[64], user[300], code[300];
	FILE *lines = fopen(file, "r");
	quiet = 1;
	while (lines && fscanf(lines, "%63s %63s %299s %299s", label, service, user, code) == 4) {
		int rc, bus = !strcmp(label, "bus");
		if (bus)
			rename("/run/totpd/private", "/run/totpd/away");
		double start = now();
		answer = code;
		*messages = 0;
		if (fresh) {
			int status;
			pid_t child = fork();
			if (!child) {
				int null = open("/dev/null", O_WRONLY);
				dup2(null, 1);
				execl(self, self, "-x", service, user, code, NULL);
				_exit(127);
			}
			waitpid(child, &status, 0);
			rc = WEXITSTATUS(status);
		} else {
			rc = authenticate(service, user, 0);
		}
		printf("%s %.1f %d%s\n", label, (now() - start) * 1e3, rc, messages);
		if (bus)
			rename("/run/totpd/away", "/run/totpd/private");
	}
}

int main(int argc, char **argv)
{
	int times = 1, account = 0, guest = 0, from_file = 0, exit_with_rc = 0, option;
	int logins = 0, width = 1 << 20, rate = 0, each = 1;
	while ((option = getopt(argc, argv, "+n:p:ac:h:H:r:t:gfxmb:e:s:w:R:k:BS:d:L:FDP:")) != -1)
		switch (option) {
		case 'n': times = atoi(optarg); break;
		case 'p': processes = atoi(optarg); break;
		case 'a': account = 1; break;
		case 'm': telling = 1; break;
		case 'c': mode = optarg; break;
		case 'h': rhost = optarg; break;
		case 'H': addresses = atoi(optarg); break;
		case 'r': ruser = optarg; break;
		case 't': tty = optarg; break;
		case 'g': guest = 1; break;
		case 'f': from_file = 1; break;
		case 'x': exit_with_rc = 1; break;
		case 'F': forks = 1; break;
		case 'D': delays = 1; break;
		case 'P':
			if (confine(optarg))
				return 2;
			break;
		case 'L': return load(optarg);
		case 's': logins = atoi(optarg); break;
		case 'w': width = atoi(optarg); break;
		case 'R': rate = atoi(optarg); break;
		case 'k': thinking = atoi(optarg); break;
		case 'B': barrier = 1; break;
		case 'S': apart = atoi(optarg); break;
		case 'd': each = atoi(optarg); break;
		case 'b': series("/proc/self/exe", optarg, 0); return 0;
		case 'e': series("/proc/self/exe", optarg, 1); return 0;
		default: return 2;
		}
	if (argc - optind != 3)
		return 2;
	const char *service = argv[optind], *user = argv[optind + 1];
	answer = argv[optind + 2];
	if (logins)
		return storm(service, user, logins, width, rate, each);
	if (from_file) {
		static char text[2 << 20];
		FILE *f = fopen(answer, "r");
		text[fread(text, 1, sizeof text - 1, f)] = 0;
		fclose(f);
		answer = text;
	}
	int rc = 0, yes = 0;
	double start = now();
	if (processes > 1) {
		quiet = 1;
		ready = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
		for (int i = 0; i < processes; i++)
			if (!fork())
				_exit(authenticate(service, user, account));
		for (int i = 0; i < processes; i++) {
			int status;
			wait(&status);
			rc = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
			yes += rc == PAM_SUCCESS;
		}
	} else {
		char before[4096], after[4096];
		long warm = 0, end = 0;
		quiet = times > 1;
		if (guest)
			residue(before, sizeof before);
		for (int i = 0; i < times; i++) {
			rc = authenticate(service, user, account);
			yes += rc == PAM_SUCCESS;
			if (guest && i == times / 2)
				warm = memory();
			if (guest)
				end = memory();
		}
		if (guest) {
			residue(after, sizeof after);
			printf("before: %s\nafter:  %s\n", before, after);
			printf("same=%d growth_kb=%ld\n", !strcmp(before, after), end - warm);
		}
	}
	printf("rc=%d yes=%d ms=%.0f\n", rc, yes, now() - start);
	return exit_with_rc ? rc : 0;
}
