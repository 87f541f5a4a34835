/*
 * jail_calls: the filter.  Each call that is allowed is one comparison and
 * one answer; those that depend on what they are asked have a few more.
 * What is of another architecture, or in no row, ends the process.  Numbers
 * above all that this was built with are newer than it: a libc of that time
 * knows how to live without them, so they do not exist.
 */
#include "engine/jail/jail.h"

#ifndef PICKET_NO_SECCOMP

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__) && !defined(__ILP32__)
#define OURS		AUDIT_ARCH_X86_64
#elif defined(__i386__)
#define OURS		AUDIT_ARCH_I386
#elif defined(__aarch64__)
#define OURS		AUDIT_ARCH_AARCH64
#elif defined(__arm__)
#define OURS		AUDIT_ARCH_ARM
#elif defined(__riscv) && __riscv_xlen == 64
#define OURS		AUDIT_ARCH_RISCV64
#elif defined(__powerpc64__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define OURS		AUDIT_ARCH_PPC64LE
#elif defined(__s390x__)
#define OURS		AUDIT_ARCH_S390X
#endif

#ifdef OURS

#ifndef SECCOMP_RET_KILL_PROCESS
#define SECCOMP_RET_KILL_PROCESS SECCOMP_RET_KILL
#endif

#define LIM_FILTER	600	/* instructions: two a row, and some of ours */
#define NEWEST_KNOWN	462	/* Linux 6.9; at least this many are judged by
				 * the table */
#define X32_BIT		0x40000000u

struct filter {
	struct sock_filter at[LIM_FILTER];
	size_t	 n;
};

static void
put(struct filter *f, unsigned code, unsigned k, unsigned yes, unsigned no)
{
	if (f->n < LIM_FILTER)
		f->at[f->n] = (struct sock_filter){ (unsigned short)code,
		    (unsigned char)yes, (unsigned char)no, k };
	f->n++;
}

static void
load(struct filter *f, size_t offset)
{
	put(f, BPF_LD | BPF_W | BPF_ABS, (unsigned)offset, 0, 0);
}

static void
answer(struct filter *f, unsigned what)
{
	put(f, BPF_RET | BPF_K, what, 0, 0);
}

#define EQUAL	(BPF_JMP | BPF_JEQ | BPF_K)
#define ABOVE	(BPF_JMP | BPF_JGT | BPF_K)
#define NOT_THERE (SECCOMP_RET_ERRNO | ENOSYS)

static void
row(struct filter *f, unsigned call, unsigned what)
{
	put(f, EQUAL, call, 0, 1);
	answer(f, what);
}

/* The low half of an argument: flags and small numbers are ints. */
static size_t
argument(int i)
{
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	return offsetof(struct seccomp_data, args[i]) + 4;
#else
	return offsetof(struct seccomp_data, args[i]);
#endif
}

/* `call` is allowed if its argument, seen through the mask, is `value`. */
static void
only(struct filter *f, unsigned call, int i, unsigned mask, unsigned value,
    unsigned otherwise)
{
	put(f, EQUAL, call, 0, 5);
	load(f, argument(i));
	put(f, BPF_ALU | BPF_AND | BPF_K, mask, 0, 0);
	put(f, EQUAL, value, 0, 1);
	answer(f, SECCOMP_RET_ALLOW);
	answer(f, otherwise);
}

static void
kill_now(struct filter *f, unsigned call)
{
	row(f, call, SECCOMP_RET_KILL_PROCESS);
}

/* What goes by its arguments: before the rows, which then do not see it. */
static void
by_arguments(struct filter *f, enum jail_class class, bool threads)
{
	const unsigned writes = O_WRONLY | O_RDWR | O_CREAT | O_TRUNC;
	const unsigned no = SECCOMP_RET_ERRNO | EACCES;

	if (class != JAIL_STORE) {
		only(f, SYS_openat, 2, writes, O_RDONLY, no);
#ifdef SYS_open
		only(f, SYS_open, 1, writes, O_RDONLY, no);
#endif
	}
	if (threads)
		only(f, SYS_clone, 0, CLONE_THREAD, CLONE_THREAD,
		    SECCOMP_RET_KILL_PROCESS);
	else
		kill_now(f, SYS_clone);
	/* nobody's limits are set, ours neither */
	put(f, EQUAL, SYS_prlimit64, 0, 6);
	load(f, argument(2));
	put(f, EQUAL, 0, 0, 3);
	load(f, argument(2) ^ 4);
	put(f, EQUAL, 0, 0, 1);
	answer(f, SECCOMP_RET_ALLOW);
	answer(f, SECCOMP_RET_ERRNO | EPERM);
	only(f, SYS_tgkill, 0, ~0u, (unsigned)getpid(),
	    SECCOMP_RET_KILL_PROCESS);
	if (class == JAIL_HTTP)
		only(f, SYS_socket, 0, ~0u, AF_UNIX, no);
}

bool
jail_calls(enum jail_class class, bool threads)
{
	static const struct {
		unsigned call, classes, what;
	} rows[] = {
#define C(name, classes) { SYS_##name, classes, SECCOMP_RET_ALLOW },
#define K(name, classes) { SYS_##name, classes, NOT_THERE },
#include "engine/jail/calls.def"
#undef C
#undef K
	};
	struct filter f = { .n = 0 };
	struct sock_fprog prog;
	size_t i;

	load(&f, offsetof(struct seccomp_data, arch));
	put(&f, EQUAL, OURS, 1, 0);
	answer(&f, SECCOMP_RET_KILL_PROCESS);
	load(&f, offsetof(struct seccomp_data, nr));
	by_arguments(&f, class, threads);
	for (i = 0; i < sizeof rows / sizeof *rows; i++)
		if ((rows[i].classes & class) != 0)
			row(&f, rows[i].call, rows[i].what);
	put(&f, ABOVE, X32_BIT - 1, 2, 0);
	put(&f, ABOVE, NEWEST_KNOWN, 0, 1);
	answer(&f, NOT_THERE);
	answer(&f, SECCOMP_RET_KILL_PROCESS);
	if (f.n > LIM_FILTER)
		return false;
	prog.len = (unsigned short)f.n;
	prog.filter = f.at;
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog, 0, 0) == 0;
}

#else
#define NO_FILTER
#endif
#else
#define NO_FILTER
#endif

#ifdef NO_FILTER
bool
jail_calls(enum jail_class class, bool threads)
{
	(void)class;
	(void)threads;
	return false;
}
#endif
