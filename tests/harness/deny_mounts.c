/* deny_mounts: as /usr/lib/systemd/systemd of a host, starts systemd.real and lets it and all its services make no bind
   mount, no move and no remount. So does the AppArmor profile of an unprivileged LXC without nesting. */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#define ANSWER(value) BPF_STMT(BPF_RET | BPF_K, value)
#define DENIED ANSWER(SECCOMP_RET_ERRNO | EACCES)
#define DENY(call) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 1), DENIED

int main(int argc, char **argv) {
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		DENY(SYS_pivot_root),
		DENY(SYS_move_mount),
		DENY(SYS_open_tree),
		DENY(SYS_mount_setattr),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mount, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[3])),
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, MS_BIND | MS_MOVE | MS_REMOUNT, 0, 1),
		DENIED,
		ANSWER(SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { sizeof filter / sizeof *filter, filter };
	(void)argc;
	/* The process is PID 1 and has CAP_SYS_ADMIN. */
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program))
		return 1;
	argv[0] = "/usr/lib/systemd/systemd.real";
	execv(argv[0], argv);
	return 2;
}
