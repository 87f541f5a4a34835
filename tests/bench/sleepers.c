/*
 * sleepers: N processes that do nothing, for whoever is to read them.
 *
 * usage: sleepers N
 * They have six names and, if root starts it, five users.  Prints a line when
 * all are there; when standard input ends it ends them, and itself.  Should it
 * be killed, they end too.
 */
#include <sys/prctl.h>
#include <sys/wait.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const char *const names[] = { "imapd", "pop3d", "smtpd", "httpd",
    "worker process", "sh" };

static _Noreturn void
sleeper(int i)
{
	prctl(PR_SET_NAME, names[i % 6]);
	close(0);
	close(1);
	if (geteuid() == 0 && i % 5 != 0 && setuid(60000 + (uid_t)(i % 5)) != 0)
		_exit(1);
	prctl(PR_SET_PDEATHSIG, SIGKILL);	/* setuid clears it */
	for (;;)
		pause();
}

int
main(int argc, char **argv)
{
	int n = argc == 2 ? atoi(argv[1]) : 0, i, made = 0;
	pid_t *pid;
	char c;

	if (n < 1 || (pid = calloc((size_t)n, sizeof *pid)) == NULL)
		return 2;
	for (i = 0; i < n; i++) {
		if ((pid[i] = fork()) == 0)
			sleeper(i);
		if (pid[i] == -1)
			break;
		made++;
	}
	printf("%d\n", made);
	fflush(stdout);
	while (read(0, &c, 1) > 0)
		;
	for (i = 0; i < made; i++)
		kill(pid[i], SIGKILL);
	for (i = 0; i < made; i++)
		waitpid(pid[i], NULL, 0);
	free(pid);
	return made == n ? 0 : 1;
}
