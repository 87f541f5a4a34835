/*
 * rows: the client of the store with rows, by hand, for tests/state/rows.t.
 *
 *	rows FILE put N COUNT SIZE [durable]	batch N: COUNT rows of meta, "N.K",
 *				SIZE bytes each, and one of history; "ok", or why
 *	rows FILE time COUNT [durable]	seconds that a commit of an outcome and
 *				ten rows took, COUNT of them, the median
 *	rows FILE count N	how many rows of batch N there are
 *	rows FILE fill COUNT	incidents, a hundred to a batch
 *	rows FILE incidents	how many there are
 *	rows FILE runs ALERT	its last two: run alert origin result due reason
 *				lines error pid
 *	rows FILE crowd N COUNT [durable]	N processes, each a state of its own,
 *				COUNT commits of a run, its outcome and a row of
 *				meta, "N.K"; "ok SECONDS", or why
 *	rows FILE short COUNT	as a run does it, COUNT times: a new state, three
 *				questions, a commit
 *	rows FILE watch SECONDS	twice; after each a line: news, or nothing
 *	rows FILE print		query_print
 *	rows FILE keep TEXT	a script's run that leaves it; "ok", or why
 *	rows FILE kept		what that was, or why it is not known
 */
#include <stdio.h>
#include <stdlib.h>
#include <poll.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "engine/state/client.h"

static struct mem mem;
static unsigned nrow;
static const struct state_owner owner = { STR_LIT("run"), STR_LIT("Rows") };
static const struct state_expire none = { 0, 0 };

static void
say(void *arg, struct str text)
{
	(void)arg;
	printf("note: %.*s\n", (int)text.n, text.p);
}

static int
told(struct state *st, bool ok)
{
	struct str why = state_why(st);

	if (ok)
		printf("ok\n");
	else
		printf("%s: %.*s\n", state_is_unknown(st) ? "unknown" :
		    "failed", (int)why.n, why.p);
	return !ok;
}

static void
meta(struct batch *b, long n, long k, struct str value)
{
	char name[64];
	int len = snprintf(name, sizeof name, "%ld.%ld", n, k);

	batch_row(b, Q_META_PUT, (const struct param[]){
	    PT(str_of(name, (size_t)len)), PT(value) });
}

static void
history(struct batch *b, long n)
{
	batch_row(b, Q_HISTORY_ADD, (const struct param[]){ PN((double)n),
	    PT(STR_LIT("k")), PN(1), PT(STR_LIT("x")), PT(STR_NIL),
	    PT(STR_NIL), PT(STR_NIL) });
}

static int
put(struct state *st, long n, long count, size_t size, bool durable)
{
	struct batch *b = batch_new(&mem);
	char *bytes = mem_zalloc(&mem, size + 1);
	long k;
	int r;

	for (k = 0; k < count; k++)
		meta(b, n, k, str_of(bytes, size));
	history(b, n);
	r = told(st, state_commit(st, b, durable));
	batch_free(b);
	mem_free(&mem, bytes, size + 1);
	return r;
}

static void
count(void *arg, const struct str *column, unsigned n)
{
	const char *prefix = arg;

	if (prefix == NULL || (n == 2 && str_starts(column[0], prefix)))
		nrow++;
}

static void
count_history(void *arg, const struct str *column, unsigned n)
{
	if (n == 8 && str_eq(column[1], str_c(arg)))
		nrow++;
}

static void
show_run(void *arg, const struct str *c, unsigned n)
{
	static const unsigned shown[] = { 0, 1, 2, 5, 7, 8, 9, 10, 11 };
	unsigned i;

	(void)arg, (void)n;
	for (i = 0; i < sizeof shown / sizeof *shown; i++)
		printf("%s%.*s", i == 0 ? "" : " ",
		    str_none(c[shown[i]]) ? 1 : (int)c[shown[i]].n,
		    str_none(c[shown[i]]) ? "-" : c[shown[i]].p);
	printf("\n");
}

static void
show(void *arg, struct str key, bool number, struct str name,
    struct str element, struct str text)
{
	(void)arg, (void)key, (void)number, (void)element;
	printf("%.*s=%.*s\n", (int)name.n, name.p, (int)text.n, text.p);
}

static int
keep(struct state *st, const char *text)
{
	struct outcome *o = outcome_new(&mem);
	int r;

	outcome_name(o, false, STR_LIT("x"));
	outcome_value(o, STR_NIL, false, STR_LIT("x"), STR_NIL, str_c(text));
	r = told(st, state_apply(st, &owner, o, true, &none, 1));
	outcome_free(o);
	return r;
}

static int
fill(struct state *st, long total)
{
	struct param p[INCIDENT_COLUMNS];
	const char *shape = query_shape[Q_INCIDENT_PUT_RUN].shape;
	char key[64];
	struct batch *b;
	long i;
	int k;
	bool ok = true;

	for (i = 0; i < total && ok; ) {
		b = batch_new(&mem);
		do {
			k = snprintf(key, sizeof key, "mxqueue:host%07ld", i);
			p[0] = PT(str_of(key, (size_t)k));
			for (k = 1; shape[k] != '\0'; k++)
				p[k] = shape[k] == 'n' ? PN(1) :
				    PT(STR_LIT("a text as messages are"));
			batch_row(b, Q_INCIDENT_PUT_RUN, p);
		} while (++i % 100 != 0 && i < total);
		ok = state_commit(st, b, false);
		batch_free(b);
	}
	return told(st, ok);
}

static int
order(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static int
measure(struct state *st, int total, bool durable)
{
	double *took = mem_zalloc(&mem, (size_t)total * sizeof *took);
	struct timespec t, u;
	struct outcome *o;
	struct batch *b;
	int i, k, r = 0;

	for (i = 0; i < total && r == 0; i++) {
		clock_gettime(CLOCK_MONOTONIC, &t);
		b = batch_new(&mem);
		o = outcome_new(&mem);
		outcome_name(o, false, STR_LIT("x"));
		outcome_value(o, STR_NIL, false, STR_LIT("x"), STR_NIL,
		    i % 2 == 0 ? STR_LIT("1") : STR_LIT("2"));
		batch_outcome(b, &owner, o, true, &none, i);
		for (k = 0; k < 9; k++)
			meta(b, i, k, STR_LIT("some bytes of a row"));
		history(b, i);
		if (!state_commit(st, b, durable))
			r = told(st, false);
		batch_free(b);
		outcome_free(o);
		clock_gettime(CLOCK_MONOTONIC, &u);
		took[i] = (double)(u.tv_sec - t.tv_sec) +
		    (double)(u.tv_nsec - t.tv_nsec) / 1e9;
	}
	qsort(took, (size_t)total, sizeof *took, order);
	printf("%.6f\n", took[total / 2]);
	mem_free(&mem, took, (size_t)total * sizeof *took);
	return r;
}

static double
steady(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* What one run of an alert leaves; who: its number. */
static bool
leave(struct state *st, long who, long k, bool durable)
{
	struct batch *b = batch_new(&mem);
	struct outcome *o = outcome_new(&mem);
	char alert[32], id[64];
	int n;
	bool ok;

	snprintf(alert, sizeof alert, "alert%ld", who);
	n = snprintf(id, sizeof id, "%ld.%ld", who, k);
	outcome_name(o, false, STR_LIT("x"));
	outcome_value(o, STR_NIL, false, STR_LIT("x"), STR_NIL,
	    str_of(id, (size_t)n));
	batch_outcome(b, &(struct state_owner){ str_c(alert),
	    STR_LIT("Script") }, o, true, &none, (double)k);
	meta(b, who, k, STR_LIT("some bytes of a row"));
	batch_row(b, Q_RUN_ADD, (const struct param[]){
	    PT(str_of(id, (size_t)n)), PT(str_c(alert)), PT(STR_LIT("/")),
	    PN((double)k), PN((double)k + 1), PT(STR_LIT("ok")), PN(0),
	    PN((double)k * 60), PT(STR_LIT("scheduled")), PN(0), PT(STR_NIL),
	    PN(1) });
	ok = state_commit(st, b, durable);
	batch_free(b);
	outcome_free(o);
	return ok;
}

static int
crowd(const struct state_options *o, long n, long each, bool durable)
{
	struct state *st;
	double start = steady();
	long i, k;
	int ws, bad = 0;

	for (i = 0; i < n; i++) {
		if (fork() != 0)
			continue;
		st = state_new(o);
		for (k = 0; k < each; k++)
			if (!leave(st, i, k, durable))
				break;
		if (k < each)
			told(st, false);
		state_free(st);
		fflush(stdout);
		_exit(k < each);
	}
	while (wait(&ws) > 0)
		bad += ws != 0;
	if (bad == 0)
		printf("ok %.3f\n", steady() - start);
	return bad;
}

static int
in_short(const struct state_options *o, long n)
{
	struct str position;
	struct state *st;
	double runs, start = steady();
	long k;
	bool ok = true;

	for (k = 0; k < n && ok; k++) {
		st = state_new(o);
		ok = state_values(st, &owner, NULL, NULL) &&
		    state_runs(st, &owner, &runs) &&
		    state_position(st, &owner, STR_LIT("log"), &position) &&
		    leave(st, 0, k, false);
		if (!ok)
			(void)told(st, false);
		state_free(st);
	}
	if (ok)
		printf("ok %.6f\n", (steady() - start) / (double)n);
	return !ok;
}

/* The first is over at once: who watches has not looked yet. */
static int
watch(struct state *st, double seconds)
{
	double start, took;
	struct pollfd p;
	double runs;
	int i;

	for (i = 0; i < 3; i++) {
		start = steady();
		if (!state_watch(st, seconds))
			return told(st, false);
		p = (struct pollfd){ state_fd(st), POLLIN, 0 };
		while (!state_watched(st))
			(void)poll(&p, 1, -1);
		took = steady() - start;
		/* all else may be asked between two */
		if (!state_runs(st, &owner, &runs))
			return told(st, false);
		printf("%s\n", took < seconds * .9 ? "news" : "nothing");
		fflush(stdout);
	}
	/* and meanwhile */
	if (!state_watch(st, seconds) || !state_runs(st, &owner, &runs) ||
	    !state_runs(st, &owner, &runs))
		return told(st, false);
	printf("asked\n");
	return 0;
}

static int
run(struct state *st, const struct state_options *o, int argc, char **argv)
{
	const char *what = argv[2];
	bool durable = strcmp(argv[argc - 1], "durable") == 0;
	char prefix[64];
	bool ok;

	if (strcmp(what, "put") == 0 && argc > 5)
		return put(st, atol(argv[3]), atol(argv[4]),
		    (size_t)atol(argv[5]), durable);
	if (strcmp(what, "time") == 0 && argc > 3)
		return measure(st, atoi(argv[3]), durable);
	if (strcmp(what, "fill") == 0 && argc > 3)
		return fill(st, atol(argv[3]));
	if (strcmp(what, "keep") == 0 && argc > 3)
		return keep(st, argv[3]);
	if (strcmp(what, "kept") == 0)
		return state_values(st, &owner, show, NULL) ? 0 :
		    told(st, false);
	if (strcmp(what, "crowd") == 0 && argc > 4)
		return crowd(o, atol(argv[3]), atol(argv[4]), durable);
	if (strcmp(what, "short") == 0 && argc > 3)
		return in_short(o, atol(argv[3]));
	if (strcmp(what, "watch") == 0 && argc > 3)
		return watch(st, atof(argv[3]));
	if (strcmp(what, "print") == 0)
		return printf("%lu\n", (unsigned long)query_print()) < 0;
	if (strcmp(what, "runs") == 0 && argc > 3)
		return state_ask(st, Q_RUN_OF_ALERT, (const struct param[]){
		    PT(str_c(argv[3])), PN(2) }, show_run, NULL) ? 0 :
		    told(st, false);
	if (strcmp(what, "count") == 0 && argc > 3) {
		snprintf(prefix, sizeof prefix, "%s.", argv[3]);
		ok = state_ask(st, Q_META_LIST, NULL, count, prefix) &&
		    state_ask(st, Q_HISTORY_OF, (const struct param[]){
		    PT(STR_LIT("k")), PN(1e6) }, count_history, argv[3]);
	} else if (strcmp(what, "incidents") == 0)
		ok = state_ask(st, Q_INCIDENT_ALL, NULL, count, NULL);
	else
		return 2;
	if (!ok)
		return told(st, false);
	printf("%u\n", nrow);
	return 0;
}

int
main(int argc, char **argv)
{
	const char *libexec = getenv("PICKET_LIBEXEC");
	struct state_options o = { .mem = &mem, .say = say };
	struct state *st;
	char program[4096];
	int r;

	if (argc < 3 || libexec == NULL)
		return 2;
	mem_init(&mem, (size_t)1 << 30, NULL);
	snprintf(program, sizeof program, "%s/" STATE_PROGRAM, libexec);
	o.path = str_c(argv[1]);
	o.program = program;
	o.read_only = getenv("ROWS_READ_ONLY") != NULL;
	o.socket = getenv("ROWS_SOCKET");
	st = state_new(&o);
	r = run(st, &o, argc, argv);
	state_free(st);
	fflush(stdout);
	return r;
}
