#include "engine/cli/world.h"
#include "engine/vm/clock.h"

#include <sys/stat.h>
#include <sys/wait.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define DEPTH_VAR	"PICKET_COMMAND_DEPTH"
#define TERM_WAIT	2.0	/* seconds between TERM and KILL */
#define TICK		20	/* milliseconds between looks at the child */
#define LATE		5	/* ticks for output of one that has ended */

extern char **environ;

static bool
fails(struct cli *c, struct str *why, const char *text)
{
	*why = arena_dup(&c->arena, str_c(text));
	return false;
}

/* --- files --- */

static bool
world_read(void *w, struct str path, struct str *text, struct str *why)
{
	struct cli *c = w;
	const char *fault = NULL;

	if (cli_read_regular(c, arena_dup(&c->arena, path).p, text, &fault))
		return true;
	return fails(c, why, fault);
}

/* A whole new file takes the old one's place, or nothing does. */
static bool
world_write(void *w, struct str path, struct str text, struct str *why)
{
	struct cli *c = w;
	const char *name = arena_dup(&c->arena, path).p;
	size_t n = path.n + 32;
	char *temp = arena_text(&c->arena, n);
	struct stat st;
	bool ok;
	int fd;

	if (lstat(name, &st) == 0 && !S_ISREG(st.st_mode))
		return fails(c, why, "there is something that is no file");
	snprintf(temp, n, "%s.%ld.tmp", name, (long)getpid());
	fd = open(temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
	    0644);
	if (fd == -1)
		return fails(c, why, strerror(errno));
	ok = cli_write(fd, text);
	ok = close(fd) == 0 && ok;
	ok = ok && rename(temp, name) == 0;
	if (!ok) {
		(void)fails(c, why, strerror(errno));
		(void)unlink(temp);
	}
	return ok;
}

/* --- commands --- */

static struct str
world_env(void *w, struct str name)
{
	return str_c(getenv(arena_dup(&((struct cli *)w)->arena, name).p));
}

static bool
names(const char *entry, struct str name)
{
	return strncmp(entry, name.p, name.n) == 0 && entry[name.n] == '=';
}

static char *
entry_of(struct cli *c, struct str name, struct str value)
{
	size_t n = name.n + value.n + 2;
	char *e = arena_text(&c->arena, n);

	snprintf(e, n, "%.*s=%.*s", (int)name.n, name.p, (int)value.n,
	    value.p);
	return e;
}

/* Our environment as the directives changed it. */
static char **
child_env(struct cli *c, const struct environment *env, size_t nenv, int depth)
{
	struct str depth_name = STR_LIT(DEPTH_VAR);
	char text[16], **e;
	size_t n = 0, i, k;

	while (environ[n] != NULL)
		n++;
	e = arena_alloc(&c->arena, (n + nenv + 2) * sizeof *e);
	for (i = n = 0; environ[i] != NULL; i++) {
		for (k = 0; k < nenv && !names(environ[i], env[k].name); k++)
			;
		if (k == nenv && !names(environ[i], depth_name))
			e[n++] = environ[i];
	}
	for (k = 0; k < nenv; k++)
		if (!str_none(env[k].value))
			e[n++] = entry_of(c, env[k].name, env[k].value);
	snprintf(text, sizeof text, "%d", depth);
	e[n++] = entry_of(c, depth_name, str_c(text));
	e[n] = NULL;
	return e;
}

/*
 * The signals that would end us, from now on held back, so that a command
 * does not outlive us: it has a process group of its own, which Ctrl-C does
 * not reach.  What is ignored (nohup) stays so.
 */
static void
hold_signals(sigset_t *held, sigset_t *old)
{
	static const int sigs[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };
	struct sigaction sa;
	size_t i;

	sigemptyset(held);
	for (i = 0; i < sizeof sigs / sizeof sigs[0]; i++)
		if (sigaction(sigs[i], NULL, &sa) == 0 &&
		    sa.sa_handler != SIG_IGN)
			sigaddset(held, sigs[i]);
	(void)sigprocmask(SIG_BLOCK, held, old);
}

static bool
has_come(const sigset_t *held)
{
	sigset_t pending;
	int sig;

	if (sigpending(&pending) == 0)
		for (sig = 1; sig < NSIG; sig++)
			if (sigismember(held, sig) == 1 &&
			    sigismember(&pending, sig) == 1)
				return true;
	return false;
}

/* in: its standard input, or -1; out: its standard output. */
static pid_t
start(const char *path, char *const argv[], char **env, int in, int out,
    const sigset_t *mask)
{
	pid_t pid = fork();

	if (pid != 0) {
		if (pid != -1)
			(void)setpgid(pid, pid);	/* whoever is first */
		return pid;
	}
	(void)setpgid(0, 0);
	(void)sigprocmask(SIG_SETMASK, mask, NULL);
	if (in == -1)
		in = open("/dev/null", O_RDONLY);
	(void)signal(SIGPIPE, SIG_DFL);
	if (dup2(in, 0) != -1 && dup2(out, 1) != -1)
		execve(path, argv, env);
	_exit(errno == ENOENT ? 127 : 126);
}

/* Ends a command and what it started. */
static void
end(pid_t pid)
{
	double until = clock_steady() + TERM_WAIT;
	int status;

	(void)kill(-pid, SIGTERM);
	while (clock_steady() < until) {
		if (waitpid(pid, &status, WNOHANG) != 0)
			break;
		(void)poll(NULL, 0, TICK);
	}
	if (clock_steady() >= until) {
		(void)kill(-pid, SIGKILL);
		(void)waitpid(pid, &status, 0);
	}
}

/*
 * Reads what the child writes until it has ended, into b unless NULL.  What
 * it left in the background may keep the pipe and is not waited for.
 */
static bool
wait_for(struct cli *c, pid_t pid, int fd, const sigset_t *held,
    struct buf *b, int *status, struct str *why)
{
	double allowed = LIM_COMMANDS_TIME - c->command_time, begun = clock_steady();
	struct pollfd p = { .fd = fd, .events = POLLIN };
	int late = 0, ended = 0;
	char text[80];
	ssize_t k;

	if (allowed > LIM_COMMAND_TIME)
		allowed = LIM_COMMAND_TIME;
	for (;;) {
		k = 0;
		if (p.fd != -1 && poll(&p, 1, TICK) > 0) {
			k = read(p.fd, buf_room(b, 65536), 65536);
			if (k > 0)
				b->n += (size_t)k;
			else if (k == 0 || errno != EINTR)
				p.fd = -1;
		} else if (p.fd == -1 && ended == 0)
			(void)poll(NULL, 0, TICK / 4);
		if (b->n > LIM_SOURCE) {
			snprintf(text, sizeof text, "it writes more than %u "
			    "MiB", LIM_SOURCE >> 20);
			break;
		}
		if (ended == 0 && waitpid(pid, status, WNOHANG) != 0)
			ended = 1;
		if (ended != 0 && (p.fd == -1 || (k <= 0 && ++late > LATE))) {
			c->command_time += clock_steady() - begun;
			return true;
		}
		if (clock_steady() - begun > allowed) {
			snprintf(text, sizeof text, "it did not end within %d "
			    "seconds", (int)allowed);
			break;
		}
		if (has_come(held)) {
			snprintf(text, sizeof text, "a signal ended picket");
			break;
		}
	}
	if (ended == 0)
		end(pid);
	else
		(void)kill(-pid, SIGTERM);
	c->command_time += clock_steady() - begun;
	return fails(c, why, text);
}

static int
depth(void)
{
	const char *s = getenv(DEPTH_VAR);

	return s == NULL ? 0 : atoi(s);
}

static bool
run(struct cli *c, const char *path, char *const argv[], char **env, int in,
    struct str *text, int *status, struct str *why)
{
	struct buf b;
	int fd[2], wstatus = 0;
	sigset_t held, old;
	pid_t pid;
	bool ok;

	if (depth() >= LIM_COMMAND_DEPTH)
		return fails(c, why, "picket runs a command that runs picket "
		    "that runs a command, and so on");
	if (pipe2(fd, O_CLOEXEC) == -1)
		return fails(c, why, strerror(errno));
	buf_init(&b, &c->mem);
	hold_signals(&held, &old);
	pid = start(path, argv, env, in, text == NULL ? 2 : fd[1], &old);
	if (pid == -1)
		(void)fails(c, why, strerror(errno));
	close(fd[1]);
	ok = pid != -1 && wait_for(c, pid, fd[0], &held, &b, &wstatus, why);
	close(fd[0]);
	(void)sigprocmask(SIG_SETMASK, &old, NULL);	/* it comes now */
	if (ok && WIFSIGNALED(wstatus)) {
		char t[40];

		snprintf(t, sizeof t, "signal %d ended it", WTERMSIG(wstatus));
		ok = fails(c, why, t);
	}
	if (ok && text != NULL)
		*text = arena_dup(&c->arena, buf_view(&b));
	*status = ok ? WEXITSTATUS(wstatus) : 0;
	buf_free(&b);
	return ok;
}

/*
 * What a command did.  The scripts of a site are compiled each for itself,
 * with all of its macro files: a command in those runs once, not once for
 * each script.
 */
struct cli_command {
	struct cli_command *next;
	struct str	 key;		/* the command and what was changed */
	bool		 ok;
	struct str	 text, why;
	int		 status;
};

/* The command with that environment; made, with a key only, if it is new. */
static struct cli_command *
command_of(struct cli *c, const char *kind, struct str command,
    const struct environment *env, size_t nenv, bool *is_new)
{
	struct cli_command *k;
	struct buf b;
	size_t i;

	buf_init(&b, &c->mem);
	buf_puts(&b, kind);
	buf_str(&b, command);
	for (i = 0; i < nenv; i++) {
		buf_putc(&b, '\0');
		buf_str(&b, env[i].name);
		buf_puts(&b, str_none(env[i].value) ? "" : "=");
		if (!str_none(env[i].value))
			buf_str(&b, env[i].value);
	}
	for (k = c->commands; k != NULL; k = k->next)
		if (str_eq(k->key, buf_view(&b)))
			break;
	*is_new = k == NULL;
	if (k == NULL) {
		k = arena_zalloc(&c->arena, sizeof *k);
		k->key = arena_dup(&c->arena, buf_view(&b));
		k->text = k->why = STR_EMPTY;
		k->next = c->commands;
		c->commands = k;
	}
	buf_free(&b);
	return k;
}

static bool
run_shell(struct cli *c, struct str command, const struct environment *env,
    size_t nenv, struct str *text, int *status, struct str *why)
{
	char sh[] = "sh", opt[] = "-c", *argv[] = { sh, opt, NULL, NULL };

	argv[2] = arena_text(&c->arena, command.n + 1);
	memcpy(argv[2], command.p, command.n);
	argv[2][command.n] = '\0';
	return run(c, "/bin/sh", argv, child_env(c, env, nenv, depth() + 1),
	    -1, text, status, why);
}

static bool
world_run(void *w, struct str command, const struct environment *env,
    size_t nenv, struct str *text, int *status, struct str *why)
{
	struct cli *c = w;
	struct cli_command *k;
	bool is_new;

	k = command_of(c, "sh ", command, env, nenv, &is_new);
	if (is_new)
		k->ok = run_shell(c, command, env, nenv, &k->text, &k->status,
		    &k->why);
	*text = k->text;
	*status = k->status;
	*why = k->why;
	return k->ok;
}

/* A file without a name that holds a standalone program. */
static int
program_file(struct str statements)
{
	char name[] = "/tmp/picket.XXXXXX";
	int fd = mkostemp(name, O_CLOEXEC);

	if (fd == -1)
		return -1;
	(void)unlink(name);
	if (cli_write(fd, STR_LIT("#!picket run\n")) &&
	    cli_write(fd, statements) && cli_write(fd, STR_LIT("\n")) &&
	    lseek(fd, 0, SEEK_SET) == 0)
		return fd;
	close(fd);
	return -1;
}

/* picket run - with our defines and macros, its output on standard error. */
static bool
run_pikt(struct cli *c, struct str statements, const struct environment *env,
    size_t nenv, struct str *why)
{
	char name[] = "picket", verb[] = "run", define[] = "-D", macro[] = "-M",
	    config[] = "--config", input[] = "-", *argv[4 * LIM_CLI_LIST + 8];
	char text[40], self[4096];
	ssize_t k = readlink("/proc/self/exe", self, sizeof self - 1);
	size_t n = 0, i;
	int fd, status;
	bool ok;

	if (k == -1)
		return fails(c, why, "picket's own program is not known");
	self[k] = '\0';
	fd = program_file(statements);
	if (fd == -1)
		return fails(c, why, strerror(errno));
	argv[n++] = name;
	argv[n++] = verb;
	for (i = 0; i < c->ndefine; i++) {
		argv[n++] = define;
		argv[n++] = entry_of(c, c->define[i].name,
		    c->define[i].value ? STR_LIT("TRUE") : STR_LIT("FALSE"));
	}
	for (i = 0; i < c->nmacro; i++) {
		argv[n++] = macro;
		argv[n++] = entry_of(c, c->macro[i].name, c->macro[i].value);
	}
	if (c->value[OPT_CONFIG] != NULL) {
		argv[n++] = config;
		argv[n] = arena_text(&c->arena, strlen(c->value[OPT_CONFIG]) +
		    1);
		strcpy(argv[n++], c->value[OPT_CONFIG]);
	}
	argv[n++] = input;
	argv[n] = NULL;
	ok = run(c, self, argv, child_env(c, env, nenv, depth() + 1), fd, NULL,
	    &status, why);
	close(fd);
	if (!ok || status == 0)
		return ok;
	snprintf(text, sizeof text, "it ended with status %d", status);
	return fails(c, why, text);
}

static bool
world_pikt(void *w, struct str statements, const struct environment *env,
    size_t nenv, struct str *why)
{
	struct cli *c = w;
	struct cli_command *k;
	bool is_new;

	k = command_of(c, "pikt ", statements, env, nenv, &is_new);
	if (is_new)
		k->ok = run_pikt(c, statements, env, nenv, &k->why);
	*why = k->why;
	return k->ok;
}

struct compile_world *
world_of(struct cli *c)
{
	struct compile_world *w = arena_zalloc(&c->arena, sizeof *w);

	*w = (struct compile_world){ .w = c, .read = world_read,
	    .write = world_write, .env = world_env };
	if (!c->given[OPT_NOCOMMANDS]) {
		w->run = world_run;
		w->pikt = world_pikt;
	}
	return w;
}
