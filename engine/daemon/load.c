/*
 * load: the site.  `picket compile --site` makes an image of it in a memory
 * file, in a process of its own: what takes memory and time, and reads what
 * people are editing, is not here.  Only an image that is whole and right
 * takes the place of the old one, at once and with everything that runs and
 * waits.
 */
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/daemon/daemon.h"
#include "engine/daemon/notify.h"
#include "engine/vm/clock.h"

#define LIM_COMPILE	300.0	/* seconds: 100,000 scripts take ten, and the
				 * [commands] of directives what they take */
#define LIM_SITE_VIEW	((size_t)128 << 20)	/* bytes: LIM_IMAGE_ENTRIES with
				 * a dozen timings each, twice */
#define SITE_MAPPED	32768	/* bytes: a site's tables have this and more, or
				 * do not matter */
#define COMPILE_RETRY	2.0	/* seconds: no process can be started just now */
#define COMPILE_KILLED	3.0	/* seconds after TERM */

/* The compiler at work. */
static struct {
	struct child	*child;		/* NULL: none */
	struct watch	*watch;
	struct timer	 deadline;
	int		 image, out;
	bool		 again;		/* asked for while it ran */
	bool		 first, bad;
	bool		 late;
	struct timer	 retry;
	char		 text[LIM_DIAG + 1];	/* what it says */
	size_t		 n;
	size_t		 more;		/* bytes that had no place */
} job = { .image = -1, .out = -1 };

static jmp_buf no_memory;
static char said[LIM_DIAG + 1];		/* of the last bad one: d->diag */

static void judge(struct daemon *, int wstatus);

static void
hear(struct watch *w, short revents)
{
	struct daemon *d = w->arg;
	char block[4096];
	size_t room;
	ssize_t n;

	(void)d;
	(void)revents;
	while ((n = read(job.out, block, sizeof block)) > 0) {
		room = LIM_DIAG - job.n;
		if ((size_t)n < room)
			room = (size_t)n;
		memcpy(job.text + job.n, block, room);
		job.n += room;
		job.more += (size_t)n - room;
	}
	if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
		watch_end(job.watch);
		job.watch = NULL;
	}
}

static void
done(struct child *c, int wstatus, const struct rusage *used)
{
	struct daemon *d = c->arg;
	struct watch w = { .arg = d };

	(void)used;
	job.child = NULL;
	timer_clear(&d->loop, &job.deadline);
	if (job.watch != NULL)
		hear(&w, POLLIN);
	watch_end(job.watch);
	job.watch = NULL;
	(void)close(job.out);
	job.out = -1;
	/* nobody is to know of a site that comes when all ends */
	if (!d->stopping)
		judge(d, wstatus);
	if (job.image != -1)
		(void)close(job.image);
	job.image = -1;
	d->reloading = false;
	if (!job.first && !d->stopping) {
		control_reloaded(d);
		notify_say("READY=1");
		runs_look(d);
	}
	if (job.again) {
		job.again = false;
		load_again(d);
	}
}

static void
too_late(struct timer *t)
{
	struct daemon *d = t->arg;

	if (job.child == NULL)
		return;
	(void)kill(-job.child->pid, job.late ? SIGKILL : SIGTERM);
	job.late = true;
	timer_set(&d->loop, t, d->loop.now + COMPILE_KILLED);
}

/* Starts the compiler; false: errno says why not. */
static bool
compile(struct daemon *d, bool check)
{
	static char path[PATH_MAX];
	char *argv[12];
	const char *folder = secure_getenv("PICKET_LIBEXEC");
	struct start s = { .path = path, .argv = argv, .what = "picket compile",
	    .ended = done, .arg = d, .fd = { -1, -1, -1, -1, -1, -1 } };
	int p[2], n = 0, error;

	(void)snprintf(path, sizeof path, "%s/picket", folder != NULL &&
	    folder[0] == '/' ? folder : PICKET_BINDIR);
	argv[n++] = path;
	argv[n++] = ARG("compile");
	argv[n++] = ARG("--site");
	argv[n++] = ARG("--config");
	argv[n++] = d->opt.config;
	if (d->opt.trust)
		argv[n++] = ARG("--trust-permissions");
	argv[n++] = ARG("--state");
	argv[n++] = d->opt.state;
	argv[n++] = ARG("-o");
	argv[n++] = ARG("/dev/fd/3");
	argv[n] = NULL;
	(void)check;
	job.n = job.more = 0;
	job.late = false;
	job.image = memfd_create("picket-site", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (job.image == -1)
		return false;
	if (pipe2(p, O_CLOEXEC) != 0) {
		error = errno;
		goto fail;
	}
	(void)fcntl(p[0], F_SETFL, O_NONBLOCK);
	s.fd[1] = s.fd[2] = p[1];
	s.fd[3] = job.image;
	job.out = p[0];
	job.watch = loop_watch(&d->loop, p[0], POLLIN, hear, d);
	job.child = job.watch == NULL ? NULL : children_start(d, &s);
	error = job.watch == NULL ? EMFILE : errno;
	(void)close(p[1]);
	if (job.child != NULL) {
		job.deadline = (struct timer){ .fire = too_late, .arg = d };
		timer_set(&d->loop, &job.deadline, d->loop.now + LIM_COMPILE);
		return true;
	}
	watch_end(job.watch);
	job.watch = NULL;
	(void)close(p[0]);
	job.out = -1;
fail:
	(void)close(job.image);
	job.image = -1;
	errno = error;
	return false;
}

/* --- the schedule as the agenda asks for it --- */

static bool
timing(void *arg, uint32_t i, unsigned k, struct agenda_timing *t)
{
	const struct schedule *s = arg;
	struct schedule_entry e;

	schedule_entry(s, i, &e);
	if (e.flags & ENTRY_SLEEPS)
		return false;
	if (e.every > 0) {
		*t = (struct agenda_timing){ .every = e.every };
		if (k == 0)
			return true;
		k--;
	}
	if (k >= e.ntiming)
		return false;
	*t = (struct agenda_timing){ .every = 0 };
	t->drift = schedule_timing(s, &e, k, &t->cron);
	return true;
}

static const char *
name(void *arg, uint32_t i)
{
	struct schedule_entry e;

	schedule_entry(arg, i, &e);
	return e.name;
}

static uint32_t
find(void *arg, const char *wanted)
{
	long i = schedule_find(arg, wanted);

	return i < 0 ? AGENDA_NONE : (uint32_t)i;
}

/* --- the swap --- */

static unsigned
parallel(const struct schedule *s)
{
	const char *given = schedule_setting(s, "parallel");
	long n = given == NULL ? 0 : strtol(given, NULL, 10);

	if (n <= 0)
		n = 4 * sysconf(_SC_NPROCESSORS_ONLN);
	if (n < LIM_PARALLEL_MIN && given == NULL)
		n = LIM_PARALLEL_MIN;
	return n > LIM_RUNS ? LIM_RUNS : n < 1 ? 1 : (unsigned)n;
}

static void
drop(struct site_view *v)
{
	if (v->queue != NULL)
		queue_free(v->queue);
	if (v->agenda != NULL)
		agenda_free(v->agenda);
	if (v->schedule != NULL)
		schedule_free(v->schedule);
	free(v->entry);
	if (v->fd != -1)
		(void)close(v->fd);
	*v = (struct site_view){ .fd = -1 };
}

/* Makes *v of an image; nothing of the old site changes.  False: why. */
static bool
view(struct daemon *d, struct site_view *v, char why[LIM_IMAGE_WHY])
{
	struct agenda_site site = { .timing = timing, .name = name,
	    .find = find };

	v->schedule = schedule_open(v->fd, why);
	if (v->schedule == NULL)
		return false;
	v->n = (uint32_t)schedule_count(v->schedule);
	v->parallel = parallel(v->schedule);
	v->loaded = clock_wall();
	if (setjmp(no_memory) != 0) {
		(void)snprintf(why, LIM_IMAGE_WHY, "does not fit into memory");
		return false;
	}
	d->mem.fail = &no_memory;
	v->entry = calloc(v->n == 0 ? 1 : v->n, sizeof *v->entry);
	if (v->entry == NULL)
		mem_fail(&d->mem, false);
	site.arg = v->schedule;
	site.n = v->n;
	v->agenda = agenda_new(&d->mem, NULL, &site, v->loaded);
	v->queue = queue_new(&d->mem, v->n, v->parallel);
	return true;
}

/* What is known of the old site's entries and runs goes over. */
static bool
carry(struct daemon *d, struct site_view *v)
{
	struct site_view *old = &d->site;
	uint32_t *from, i, lost, *to;
	from = malloc((v->n + 1) * sizeof *from);
	to = malloc((old->n + 1) * sizeof *to);
	if (from == NULL || to == NULL) {
		free(from);
		free(to);
		return false;
	}
	agenda_keep(v->agenda, old->agenda, from);
	lost = queue_keep(v->queue, old->queue, from);
	if (lost > 0)
		daemon_say(d, SAY_INFO, "%u runs that waited are of alerts "
		    "that are not there any more", lost);
	for (i = 0; i < old->n; i++)
		to[i] = AGENDA_NONE;
	for (i = 0; i < v->n; i++)
		if (from[i] != AGENDA_NONE) {
			v->entry[i] = old->entry[from[i]];
			to[from[i]] = i;
		}
	runs_moved(d, to);
	free(from);
	free(to);
	return true;
}

/* volatile: what the jump out of memory must find. */
static bool
take(struct daemon *d, char why[LIM_IMAGE_WHY])
{
	static struct site_view next;

	next = (struct site_view){ .fd = job.image };
	job.image = -1;
	if (fcntl(next.fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK |
	    F_SEAL_GROW | F_SEAL_SEAL) != 0) {
		(void)snprintf(why, LIM_IMAGE_WHY, "cannot be sealed: %s",
		    strerror(errno));
		drop(&next);
		return false;
	}
	if (!view(d, &next, why)) {
		drop(&next);
		return false;
	}
	if (d->site.loaded > 0 && !carry(d, &next)) {
		(void)snprintf(why, LIM_IMAGE_WHY, "does not fit into memory");
		drop(&next);
		return false;
	}
	drop(&d->site);
	d->site = next;
	(void)malloc_trim(0);
	return true;
}

static void
notify_status(const struct daemon *d)
{
	char t[120];

	(void)snprintf(t, sizeof t, "STATUS=%u entries%s", d->site.n,
	    d->ndiag == 0 ? "" : "; the configuration is wrong now, the one "
	    "of before is in force");
	notify_say(t);
}

/* What the compiler said, a message a line of the log. */
static void
say_diag(struct daemon *d)
{
	enum logger_level level = SAY_ERROR;
	char *line = job.text, *end;

	for (; *line != '\0'; line = end) {
		end = strchr(line, '\n');
		if (end != NULL)
			*end = '\0';
		/* the lines below a message show where it is */
		if (*line != ' ' && *line != '\t')
			level = strstr(line, ": warning: ") != NULL ?
			    SAY_WARNING : SAY_ERROR;
		if (*line != '\0')
			daemon_say(d, level, "%s", line);
		if (end == NULL)
			break;
		*end++ = '\n';
	}
}

/* What is in force stays so: people hear of it once. */
static void
refused(struct daemon *d)
{
	bool changed = job.n != d->ndiag ||
	    memcmp(job.text, d->diag, job.n) != 0;

	daemon_say(d, SAY_ERROR, "%s is not taken: the configuration of "
	    "before stays in force", d->opt.config);
	memcpy(d->diag, job.text, job.n);
	d->diag[job.n] = '\0';
	d->ndiag = job.n;
	d->diag_time = clock_wall();
	notify_status(d);
	if (changed)
		news_firing(d, "configuration", "picketd has not taken the "
		    "configuration in %s, and goes on with the one of before: "
		    "%.*s", d->opt.config, (int)strcspn(d->diag, "\n"),
		    d->diag);
}

static void
judge(struct daemon *d, int w)
{
	char why[LIM_IMAGE_WHY];

	job.text[job.n] = '\0';
	job.bad = true;
	if (job.late)
		job.n += (size_t)snprintf(job.text + job.n, sizeof job.text -
		    job.n, "the configuration was not compiled within %.0f "
		    "seconds", LIM_COMPILE);
	else if (WIFSIGNALED(w))
		job.n += (size_t)snprintf(job.text + job.n, sizeof job.text -
		    job.n, "picket compile was killed by signal %d",
		    WTERMSIG(w));
	else if (WEXITSTATUS(w) != 0) {
		if (job.n == 0)
			job.n = (size_t)snprintf(job.text, sizeof job.text,
			    "picket compile ended with status %d and said "
			    "nothing", WEXITSTATUS(w));
	} else if (d->opt.check_only)
		job.bad = false;
	else if (!take(d, why))
		job.n += (size_t)snprintf(job.text + job.n, sizeof job.text -
		    job.n, "the compiled site %s", why);
	else
		job.bad = false;
	if (job.n >= sizeof job.text)
		job.n = sizeof job.text - 1;
	if (d->opt.check_only)
		return;
	if (!job.bad) {
		d->ndiag = 0;
		d->reloads++;
		say_diag(d);	/* warnings */
		daemon_say(d, SAY_NOTICE, "%s: %u entries, at most %u runs "
		    "at once%s", d->opt.config, d->site.n, d->site.parallel,
		    job.first ? "" : "; reloaded");
		notify_status(d);
		news_resolved(d, "configuration", "the configuration in %s is "
		    "right again", d->opt.config);
		keep_image(d);
		if (!job.first) {
			control_site(d);
			services_reload(d);
		}
		return;
	}
	d->bad_reloads++;
	say_diag(d);
	if (!job.first)
		refused(d);
}

static bool
wait_for(struct daemon *d, bool check)
{
	job.first = true;
	job.again = false;
	d->site.fd = -1;
	d->diag = said;
	if (!compile(d, check)) {
		job.n = (size_t)snprintf(job.text, sizeof job.text, "cannot "
		    "start picket compile: %s", strerror(errno));
		say_diag(d);
		job.first = false;
		return false;
	}
	while (job.child != NULL && !d->stopping)
		loop_turn(&d->loop);
	load_stop(d);
	job.first = false;
	return !job.bad && !d->stopping;
}

/* A host that starts anew is watched, whatever its configuration is now. */
static bool
take_kept(struct daemon *d)
{
	char why[LIM_IMAGE_WHY];

	job.image = keep_fetch(d);
	if (job.image == -1)
		return false;
	if (!take(d, why)) {
		daemon_say(d, SAY_ERROR, "the image of the last good "
		    "configuration %s", why);
		return false;
	}
	daemon_say(d, SAY_NOTICE, "%s, as it was when it was right: %u entries, "
	    "at most %u runs at once", d->opt.config, d->site.n,
	    d->site.parallel);
	refused(d);
	return true;
}

bool
load_first(struct daemon *d)
{
	/* What a reload frees goes back at once, as it is mapped: locked pages
	 * within the heap would stay.  (Left alone, malloc maps less and less.) */
	(void)mallopt(M_MMAP_THRESHOLD, SITE_MAPPED);
	mem_init(&d->mem, LIM_SITE_VIEW, &no_memory);
	return wait_for(d, false) || (!d->stopping && take_kept(d));
}

bool
load_check(struct daemon *d)
{
	bool ok = wait_for(d, true);

	if (job.n > 0)
		(void)!write(ok ? STDOUT_FILENO : STDERR_FILENO, job.text,
		    job.n);
	if (ok)
		(void)printf("picketd: %s: the configuration is right\n",
		    d->opt.config);
	return ok && fflush(stdout) == 0;
}

void
load_stop(struct daemon *d)
{
	timer_clear(&d->loop, &job.retry);
	job.again = false;
	if (job.child != NULL)
		too_late(&job.deadline);
}

static void
retry(struct timer *t)
{
	load_again(t->arg);
}

void
load_again(struct daemon *d)
{
	if (d->stopping)
		return;
	timer_clear(&d->loop, &job.retry);
	if (!d->ready) {
		d->reload_wanted = true;
		return;
	}
	if (job.child != NULL) {
		job.again = true;
		return;
	}
	d->reloading = true;
	notify_reloading();
	if (compile(d, false))
		return;
	daemon_say(d, SAY_WARNING, "cannot start picket compile: %s; tries "
	    "again", strerror(errno));
	job.retry = (struct timer){ .fire = retry, .arg = d };
	timer_set(&d->loop, &job.retry, d->loop.now + COMPILE_RETRY);
}
