/* sandbox_probe: in the place of the daemon, tries what somebody would who took it over, and writes into the folder of
 * the daemon what it could do. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <systemd/sd-bus.h>
#include <time.h>
#include <unistd.h>

static FILE *out;

static const char BUS[] = "/run/dbus/system_bus_socket";

static void told(const char *what, int could)
{
	int error = errno;
	fprintf(out, "%s: %s", what, could ? "could\n" : "could not");
	if (!could)
		fprintf(out, " (%s)\n", strerror(error));
}

static int opens(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC, 0600);
	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

/* Whether a program runs: its exit status is 0. */
static int runs(const char *path)
{
	int status = -1;
	pid_t child = fork();
	if (child == 0) {
		execl(path, path, (char *)NULL);
		_exit(126);
	}
	if (child < 0 || waitpid(child, &status, 0) < 0)
		return 0;
	errno = EACCES;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* A connection to who listens there; negative, where it is not let in. */
static int connected(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
		return fd;
	close(fd);
	return -1;
}

static int connects(const char *path)
{
	int fd = connected(path);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

/* Whether systemd, as "name" there, starts a unit for a caller of this socket. The connection is its own:
 * that of sd-bus takes a name first, which AppArmor of Ubuntu keeps from it. */
static int starts_a_unit(const char *path, const char *name, const char *unit)
{
	sd_bus *bus = NULL;
	int fd = connected(path);
	int r;

	if (fd < 0)
		return 0;
	r = sd_bus_new(&bus);
	if (r >= 0)
		r = sd_bus_set_fd(bus, fd, fd);
	if (r >= 0 && name)
		r = sd_bus_set_bus_client(bus, 1);
	if (r >= 0)
		r = sd_bus_start(bus);
	if (r >= 0)
		r = sd_bus_call_method(bus, name, "/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager",
				       "StartUnit", NULL, NULL, "ss", unit, "replace");
	sd_bus_unref(bus);
	errno = r < 0 ? -r : 0;
	return r >= 0;
}

/* The same by the name that the bus gave systemd itself, which is one of the first. */
static int starts_a_unit_by_number(const char *path, const char *unit)
{
	char name[16];

	for (int n = 0; n < 20; n++) {
		snprintf(name, sizeof(name), ":1.%d", n);
		if (starts_a_unit(path, name, unit))
			return 1;
	}
	return 0;
}

int main(void)
{
	out = fopen("/var/lib/totpd/sandbox_probe.txt", "w");
	if (!out)
		return 1;
	told("its own folder", opens("/var/lib/totpd/mine", O_CREAT | O_WRONLY));
	told("read /etc/shadow", opens("/etc/shadow", O_RDONLY));
	told("read a host key of sshd", opens("/etc/ssh/ssh_host_ed25519_key", O_RDONLY));
	told("look into a home", opens("/home/alice/.profile", O_RDONLY));
	told("look into root's home", opens("/root/totpd", O_RDONLY));
	told("write into /etc/pam.d", opens("/etc/pam.d/mine", O_CREAT | O_WRONLY));
	told("write into /var/lib", opens("/var/lib/mine", O_CREAT | O_WRONLY));
	told("write into /usr", opens("/usr/mine", O_CREAT | O_WRONLY));
	told("open a socket of the network", socket(AF_INET, SOCK_STREAM, 0) >= 0);
	told("open a packet socket", socket(AF_PACKET, SOCK_RAW, 0) >= 0);
	told("run a program", runs("/bin/true"));
	told("run a program that it wrote", symlink("/bin/true", "/var/lib/totpd/true") == 0 && runs("/var/lib/totpd/true"));
	told("trace PID 1", ptrace(PTRACE_SEIZE, 1, 0, 0) == 0);
	told("load a module", syscall(SYS_init_module, "", 0, "") == 0);
	told("mount", mount("tmpfs", "/tmp", "tmpfs", 0, "") == 0);
	told("make a namespace", unshare(CLONE_NEWUSER) == 0);
	told("become another user", setresuid(1000, 1000, 1000) == 0);
	told("map writable code", mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED);
	struct timespec now = {0, 0};
	told("set the clock", clock_settime(CLOCK_REALTIME, &now) == 0);
	told("make a setuid file", chmod("/var/lib/totpd/mine", 04755) == 0);
	told("ask systemd itself to start a unit", starts_a_unit("/run/systemd/private", NULL, "freed-1.service"));
	told("ask systemd over the bus to start a unit", starts_a_unit(BUS, "org.freedesktop.systemd1", "freed-2.service"));
	told("ask its number on the bus to start a unit", starts_a_unit_by_number(BUS, "freed-3.service"));
	/* Where daemons listen that do what root says. */
	FILE *sockets = fopen("/var/lib/totpd/sockets", "r");
	char path[108];
	while (sockets && fgets(path, sizeof(path), sockets)) {
		path[strcspn(path, "\n")] = '\0';
		told(path, connects(path));
	}
	fprintf(out, "done\n");
	fclose(out);
	return 0;
}
