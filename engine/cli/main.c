/* picket: one command, one run. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/cli/cli.h"

#define LIM_CLI_MEM	((size_t)1 << 30)	/* bytes: sources, programs, texts */
#define ARENA_BLOCK	(16 * 1024)

static int lost;		/* errno of output that could not be written */

bool
cli_write(int fd, struct str s)
{
	ssize_t k;

	while (s.n > 0) {
		k = write(fd, s.p, s.n);
		if (k == -1 && errno == EINTR)
			continue;
		if (k <= 0) {
			if (fd == 1 && lost == 0)
				lost = k == 0 ? ENOSPC : errno;
			return false;
		}
		s.p += k;
		s.n -= (size_t)k;
	}
	return true;
}

/*
 * Who closes 0, 1 or 2 would have the next file that is opened, the state or a
 * log, take what is printed.  They are filled so that using them fails, but
 * that what is said as an error goes nowhere.
 */
static void
fill_standard(void)
{
	static const int mode[] = { O_WRONLY, O_RDONLY, O_WRONLY };
	int fd;

	for (fd = 0; fd < 3; fd++)
		if (fcntl(fd, F_GETFD) == -1 &&
		    open("/dev/null", mode[fd]) != fd)
			_exit(EXIT_PROBLEMS);
}

int
main(int argc, char **argv)
{
	static struct cli cli;
	struct cli *c = &cli;
	int r;

	fill_standard();
	mem_init(&c->mem, LIM_CLI_MEM, &c->fail);
	if (setjmp(c->fail) != 0) {
		cli_say("no memory left");
		return EXIT_PROBLEMS;
	}
	arena_init(&c->arena, &c->mem, ARENA_BLOCK);
	r = cli_options(c, argc, argv);
	if (r < 0)
		switch (c->command) {
		case CMD_CHECK: r = cmd_check(c); break;
		case CMD_RUN: r = cmd_run(c); break;
		case CMD_REPLAY: r = cmd_replay(c); break;
		case CMD_NOW: r = cmd_now(c); break;
		case CMD_LEARN: r = cmd_learn(c); break;
		case CMD_EXPLAIN: r = cmd_explain(c); break;
		case CMD_TEST: r = cmd_test(c); break;
		case CMD_LIST: r = cmd_list(c); break;
		case CMD_FMT: r = cmd_fmt(c); break;
		case CMD_DISASM: r = cmd_disasm(c); break;
		case CMD_COMPILE: r = cmd_compile(c); break;
		case CMD_INCIDENTS: r = cmd_incidents(c); break;
		case CMD_WHY: r = cmd_why(c); break;
		case CMD_ACK: r = cmd_ack(c); break;
		case CMD_SILENCE: r = cmd_silence(c); break;
		case CMD_UNSILENCE: r = cmd_unsilence(c); break;
		case CMD_SILENCES: r = cmd_silences(c); break;
		case CMD_STATUS: r = cmd_status(c); break;
		case CMD_RELOAD: r = cmd_reload(c); break;
		case CMD_RUNNOW: r = cmd_runnow(c); break;
		case CMD_PAUSE: r = cmd_pause(c); break;
		case CMD_RESUME: r = cmd_resume(c); break;
		case CMD_DISARM: r = cmd_disarm(c); break;
		case CMD_ARM: r = cmd_arm(c); break;
		case CMD_OUTBOX: r = cmd_outbox(c); break;
		case CMD_DELIVER: r = cmd_deliver(c); break;
		case CMD_MAILTEST: r = cmd_mailtest(c); break;
		case CMD_DOC: r = cmd_doc(c); break;
		case CMD_COMPLETION: r = cli_completion(c); break;
		default: r = EXIT_USAGE; break;
		}
	arena_free(&c->arena);
	if (lost != 0 && r == EXIT_FINE) {
		/* a reader that has seen enough is no news */
		if (lost != EPIPE)
			cli_say("standard output: %s", strerror(lost));
		r = EXIT_PROBLEMS;
	}
	return r;
}
