/*
 * jailed: enters the jail, says what it could not have, does as it is told.
 *
 *	jailed CLASS USER OPTIONS WORD ARG
 *
 * CLASS store, deliver, http; USER a name, - for the default, = to remain.
 * OPTIONS letters: t threads, e empty root, n network; . for none.
 * WORD what it does then: each forbidden or allowed thing of jail.t.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <netdb.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <errno.h>
#include <unistd.h>

#include "engine/jail/jail.h"

static void *
thread(void *arg)
{
	*(int *)arg = 7;
	return NULL;
}

/* What came of a call: 0, or its error. */
static int
code(long r)
{
	return r == -1 ? errno : 0;
}

static int
open_as(const char *path, int how)
{
	int fd = open(path, how, 0600);

	if (fd != -1)
		close(fd);
	return code(fd);
}

static int
act(const char *word, const char *arg)
{
	struct rlimit r = { 9, 9 };
	struct addrinfo *list = NULL;
	char *const argv[] = { "/bin/true", NULL };
	pthread_t t;
	int got = 0;

	if (strcmp(word, "fork") == 0)
		return code(fork());
	if (strcmp(word, "exec") == 0)
		return code(execv(argv[0], argv));
	if (strcmp(word, "ptrace") == 0)
		return code(ptrace(PTRACE_TRACEME, 0, NULL, NULL));
	if (strcmp(word, "kill") == 0)
		return code(kill(getpid(), 0));
	if (strcmp(word, "mount") == 0)
		return code(syscall(SYS_mount, "x", "/", "tmpfs", 0, NULL));
	if (strcmp(word, "setuid") == 0)
		return code(setuid(0));
	if (strcmp(word, "socket") == 0)
		return code(socket(AF_INET, SOCK_STREAM, 0));
	if (strcmp(word, "unix") == 0)
		return code(socket(AF_UNIX, SOCK_STREAM, 0));
	if (strcmp(word, "newer") == 0)
		return code(syscall(5000));
	if (strcmp(word, "limit") == 0)
		return code(prlimit(0, RLIMIT_NOFILE, &r, NULL));
	if (strcmp(word, "thread") == 0)
		return (errno = pthread_create(&t, NULL, thread, &got)) != 0 ?
		    errno : (pthread_join(t, NULL), got == 7 ? 0 : 99);
	if (strcmp(word, "resolve") == 0)
		return getaddrinfo(arg, NULL, NULL, &list) == 0 ? 0 : 98;
	if (strcmp(word, "read") == 0)
		return open_as(arg, O_RDONLY);
	if (strcmp(word, "write") == 0)
		return open_as(arg, O_WRONLY | O_CREAT);
	if (strcmp(word, "abort") == 0)
		abort();
	if (strcmp(word, "wait") == 0) {
		fflush(stdout);
		(void)!read(STDIN_FILENO, &got, 1);
		return 0;
	}
	return 97;
}

int
main(int argc, char **argv)
{
	struct jail j = { .files = 64 };
	struct mem mem;
	struct buf lacks;
	jmp_buf no_memory;

	if (argc != 6)
		return 64;
	if (setjmp(no_memory) != 0)
		return 65;
	mem_init(&mem, 1 << 20, &no_memory);
	buf_init(&lacks, &mem);
	j.class = argv[1][0] == 's' ? JAIL_STORE : argv[1][0] == 'd' ?
	    JAIL_DELIVER : JAIL_HTTP;
	j.user = argv[2][0] == '-' ? NULL : argv[2][0] == '=' ? "" : argv[2];
	j.threads = strchr(argv[3], 't') != NULL ? 64 : 0;
	j.empty = strchr(argv[3], 'e') != NULL;
	j.network = strchr(argv[3], 'n') != NULL;
	j.read[0] = "/etc";
	j.write[0] = getenv("JAIL_WRITE");
	if (!jail_enter(&j, &lacks)) {
		printf("refused: %s\n", buf_c(&lacks));
		buf_free(&lacks);
		return 1;
	}
	printf("lacks: %s\n", buf_c(&lacks));
	buf_free(&lacks);
	printf("%s\n", strerror(act(argv[4], argv[5])));
	return 0;
}
