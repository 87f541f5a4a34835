/*
 * alone: runs a program that can start no other: fork(2) and its kin fail with
 * EAGAIN, as they do where no more processes can be (the kernel does not hold
 * root to RLIMIT_NPROC, so a limit would prove nothing).
 *
 *	alone PROGRAM ARGUMENT...
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define REFUSE(nr) \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (nr), 0, 1), \
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EAGAIN)

int
main(int argc, char **argv)
{
	struct sock_filter rule[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
		    offsetof(struct seccomp_data, nr)),
#ifdef SYS_fork			/* not everywhere */
		REFUSE(SYS_fork),
		REFUSE(SYS_vfork),
#endif
#ifdef SYS_clone3
		REFUSE(SYS_clone3),
#endif
		REFUSE(SYS_clone),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)
	};
	struct sock_fprog rules = { sizeof rule / sizeof rule[0], rule };

	if (argc < 2) {
		fprintf(stderr, "usage: alone PROGRAM ARGUMENT...\n");
		return 2;
	}
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &rules) != 0) {
		perror("alone");
		return 2;
	}
	/* a filter that lets one through would prove nothing */
	if (fork() != -1 || errno != EAGAIN) {
		fprintf(stderr, "alone: a process was started\n");
		_exit(2);
	}
	execv(argv[1], argv + 1);
	perror(argv[1]);
	return 2;
}
