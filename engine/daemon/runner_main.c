/* picket-runner: the roles; see runner.h. */
#include <sys/prctl.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/daemon/runner.h"
#include "lang/base/num.h"

#define ARENA_BLOCK	(16 * 1024)

static const struct {
	const char	*name;
	int		(*fn)(struct runner *);
	const char	*wants;		/* options that it cannot do without */
} roles[] = {
	{ "run", runner_run, "--state --entry" },
	{ "left", runner_left, "--state" },
	{ "last", runner_last, "--state" },
	{ "tell", runner_tell, "--state --key" },
	{ "keep", runner_keep, "--state" },
	{ "kept", runner_kept, "--state --config" },
	{ "courier", runner_courier, "--state" },
	{ "emergency", runner_emergency, "--state" }
};
#define NROLE		(sizeof roles / sizeof *roles)

/* The run that a signal ends; the handler's only way to it. */
static struct live *volatile running;
static volatile sig_atomic_t interrupted;
static struct runner runner;

static bool
write_all(int fd, struct str s)
{
	ssize_t n;

	for (; s.n > 0; s.p += n, s.n -= (size_t)n) {
		n = write(fd, s.p, s.n);
		if (n == -1 && errno == EINTR)
			n = 0;
		if (n == -1)
			return false;
	}
	return true;
}

static void
say(void *arg, struct str line)
{
	char t[1024];
	size_t i, n = 0;

	(void)arg;
	for (i = 0; i < line.n && n < sizeof t - 5; i++)
		if ((unsigned char)line.p[i] < ' ' || line.p[i] == 0x7f)
			n += (size_t)sprintf(t + n, "\\x%02x",
			    (unsigned char)line.p[i]);
		else
			t[n++] = line.p[i];
	t[n++] = '\n';
	(void)write_all(2, str_of(t, n));
}

void
runner_say(const char *fmt, ...)
{
	char t[1024];
	va_list ap;
	int k;

	va_start(ap, fmt);
	k = vsnprintf(t, sizeof t, fmt, ap);
	va_end(ap);
	if (k > 0)
		say(NULL, str_of(t, (size_t)k < sizeof t ? (size_t)k :
		    sizeof t - 1));
}

static void
on_signal(int sig)
{
	struct live *l = running;

	interrupted = sig;
	if (l != NULL)
		live_interrupt(l, sig);
}

void
runner_catch(struct runner *r)
{
	static const int sigs[] = { SIGINT, SIGTERM, SPAWN_DUE_AGAIN };
	struct sigaction sa;
	size_t i;

	memset(&sa, 0, sizeof sa);
	sa.sa_handler = on_signal;
	sigemptyset(&sa.sa_mask);
	for (i = 0; i < sizeof sigs / sizeof *sigs; i++)
		(void)sigaction(sigs[i], &sa, NULL);
	r->running = &running;
	r->interrupted = &interrupted;
}

bool
runner_place(struct runner *r, struct alert_place *at)
{
	char why[LIM_IMAGE_WHY];
	struct buf errors;
	struct str beside;
	bool ok;

	r->image = image_open(RUNNER_FD_IMAGE, &r->mem, why);
	if (r->image == NULL) {
		runner_say("the site's image %s", why);
		return false;
	}
	buf_init(&errors, &r->mem);
	ok = image_conf(r->image, &r->conf, &errors);
	if (!ok)
		runner_say("%s", buf_c(&errors));
	buf_free(&errors);
	memset(at, 0, sizeof *at);
	at->mem = &r->mem;
	at->arena = &r->arena;
	at->state = str_c(r->state);
	at->logdir = image_logdir(r->image);
	/* that beside the state is ours to make; another is the site's */
	beside = alert_folder(at, "log", false);
	if (str_eq(at->logdir, beside))
		(void)alert_folder(at, "log", true);
	at->conf = &r->conf;
	at->group = image_group(r->image, &at->ngroup);
	at->objects = image_objects(r->image);
	at->set = image_set;
	at->set_arg = r->image;
	at->origin = image_dir(r->image);
	at->there = image_there;
	at->there_arg = r->image;
	at->sweep = runner_sweep;
	at->write = write_all;
	at->say = say;
	return ok;
}

/* --- the command line: picketd's, so what is wrong is a wrong build --- */

static int
usage(const char *what, const char *text)
{
	size_t i;

	(void)fprintf(stderr, "picket-runner: %s%s%s\npicket-runner is started "
	    "by picketd: picket-runner ", what, text == NULL ? "" : " ",
	    text == NULL ? "" : text);
	for (i = 0; i < NROLE; i++)
		(void)fprintf(stderr, "%s%s", i > 0 ? "|" : "", roles[i].name);
	(void)fprintf(stderr, " [option...]; for a run by hand: picket run\n");
	return RUNNER_USAGE;
}

static bool
take_number(const char *text, double *d)
{
	*d = num_parse(str_c(text), false);
	return num_fine(*d);
}

/* NULL, or what is wrong with the option's value. */
static const char *
take_value(struct runner *r, const char *option, const char *text)
{
	double d;

	if (strcmp(option, "--state") == 0) {
		r->state = text;
		return text[0] == '/' ? NULL : "wants an absolute path, not";
	}
	if (strcmp(option, "--config") == 0) {
		r->config = text;
		return text[0] == '/' ? NULL : "wants an absolute path, not";
	}
	if (strcmp(option, "--seat") == 0) {
		if (!take_number(text, &d) || (d > 0 && d < 1) || d < 0 ||
		    d > 1)
			return "wants 0 or 1, not";
		r->seat = (long)d;
		return NULL;
	}
	if (strcmp(option, "--entry") == 0) {
		if (!take_number(text, &d) || d < 0 ||
		    d >= LIM_IMAGE_ENTRIES || d != (double)(long)d)
			return "wants a number, not";
		r->entry = (long)d;
		return NULL;
	}
	if (strcmp(option, "--due") == 0)
		return take_number(text, &r->due) ? NULL :
		    "wants seconds, not";
	if (strcmp(option, "--reason") == 0) {
		r->reason = text;
		return NULL;
	}
	if (strcmp(option, "--key") == 0) {
		r->key = text;
		return text[0] != '\0' ? NULL : "wants a key, not";
	}
	if (strcmp(option, "--message") == 0) {
		r->message = text;
		return NULL;
	}
	if (strcmp(option, "--died") == 0) {
		if (r->ndied == LIM_DIED)
			return "is given too often; the last is";
		r->died[r->ndied++] = text;
		return strchr(text, ' ') != NULL ? NULL :
		    "wants \"DUE NAME\", not";
	}
	if (strcmp(option, "--origin") == 0)
		return spawn_origin_get(&r->origin, text) ? NULL :
		    "wants what picketd says, not";
	return "is no option:";
}

static int
take_options(struct runner *r, int argc, char **argv)
{
	const char *wrong;
	char what[100];
	int i;

	for (i = 2; i < argc; i++) {
		if (strcmp(argv[i], "--disarmed") == 0) {
			r->disarmed = true;
			continue;
		}
		if (strcmp(argv[i], "--firing") == 0 ||
		    strcmp(argv[i], "--resolved") == 0) {
			r->firing = argv[i][2] == 'f';
			continue;
		}
		if (i + 1 == argc)
			return usage("no value, or no option:", argv[i]);
		wrong = take_value(r, argv[i], argv[i + 1]);
		if (wrong != NULL) {
			snprintf(what, sizeof what, "%.30s %s", argv[i], wrong);
			return usage(what, argv[i + 1]);
		}
		i++;
	}
	return -1;
}

static int
play(struct runner *r, int (*fn)(struct runner *))
{
	mem_init(&r->mem, LIM_RUNNER_MEM, &r->fail);
	if (setjmp(r->fail) != 0) {
		runner_say("no memory left");
		return RUNNER_PROBLEMS;
	}
	arena_init(&r->arena, &r->mem, ARENA_BLOCK);
	return fn(r);
}

int
main(int argc, char **argv)
{
	struct runner *r = &runner;
	size_t i;
	int status;

	for (i = 0; argc > 1 && i < NROLE; i++)
		if (strcmp(argv[1], roles[i].name) == 0)
			break;
	if (argc < 2 || i == NROLE)
		return usage(argc < 2 ? "no role" : "no such role:",
		    argc < 2 ? NULL : argv[1]);
	/* one that has begun anew was called by another path */
	(void)prctl(PR_SET_NAME, "picket-runner");
	r->argv = argv;
	spawn_origin_take(&r->origin);
	r->entry = r->seat = -1;
	r->due = NUM_NIL;
	r->reason = "by-hand";
	r->message = "";
	status = take_options(r, argc, argv);
	if (status != -1)
		return status;
	if ((strstr(roles[i].wants, "--state") != NULL && r->state == NULL) ||
	    (strstr(roles[i].wants, "--config") != NULL && r->config == NULL) ||
	    (strstr(roles[i].wants, "--key") != NULL && r->key == NULL) ||
	    (strstr(roles[i].wants, "--entry") != NULL && r->entry < 0))
		return usage("this role wants", roles[i].wants);
	(void)unsetenv(SPAWN_RUN_ID);
	return play(r, roles[i].fn);
}
