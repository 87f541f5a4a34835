/*
 * drive: the real machine of incidents, driven by operations on standard
 * input, for tests/incident/model.t.
 *
 *	= N			a new sequence: nothing is known, time 1e9
 *	set KEY HOLD REMIND ABSENT HASUNTIL UNLESS	what its script says
 *				from here on; UNLESS: a key, or -
 *	run GOOD COMPLETE KEEP KEY:WHEN:UNTIL...	a run that evaluated
 *				those keys; 1, 0 or n (NIL).  KEEP 0: it was
 *				killed before its commit
 *	ack KEY	| silence PATTERN SECONDS | unsilence N | window 0|1
 *	remove			the script is gone
 *	tick			time alone
 *	clock SECONDS		the clock goes on, or back
 *	restart			all goes through the store's rows
 *
 * Answers a line for each `run`, `tick` and `remove`: all that is told as
 * KEY:KIND:EPISODE, then each key's state and episode.  After RESTARTS of the
 * environment every operation is followed by a restart.
 */
#include <stdio.h>
#include <stdlib.h>

#include "lang/base/num.h"
#include "engine/state/incidents.h"

#define KEYS	3
#define MOST	32		/* silences of a sequence */
#define NODATA	"nodata:a/S"

static struct mem mem;
static struct incidents table;
static struct buf out;
static struct incident_seen says[KEYS];
static struct silence silence[MOST];
static char pattern[MOST][16];
static size_t nsilence;
static bool window;
static double now;
static const struct escalation escalation[] = { { 1800, 0 }, { 7200, 1 } };
static const char *const key_of[KEYS + 1] = { "a", "b", "c", NODATA };

static struct incident *
incident(size_t i)
{
	bool is_new;

	return incidents_add(&table, str_c(key_of[i]), &is_new);
}

static void
column_of(struct str *column, const struct param *p, size_t n,
    struct arena *a)
{
	char t[40];
	size_t i;

	for (i = 0; i < n; i++)
		column[i] = p[i].number ? arena_dup(a, str_of(t,
		    (size_t)snprintf(t, sizeof t, "%.17g", p[i].n))) : p[i].t;
}

/* The table's map knows where its arena is. */
static void
move(struct incidents *to, const struct incidents *from)
{
	*to = *from;
	to->by_key.arena = &to->arena;
}

/* As the store does: rows of texts, and all that was at hand is gone. */
static void
restart(struct incidents *t)
{
	struct param run[INCIDENT_RUN_FIELDS], told[INCIDENT_TOLD_FIELDS],
	    human[INCIDENT_HUMAN_FIELDS];
	struct str column[INCIDENT_COLUMNS];
	struct incidents next;
	size_t i;

	incidents_init(&next, &mem);
	for (i = 0; i < t->by_key.n; i++) {
		incident_run_params(incidents_at(t, i), run);
		incident_told_params(incidents_at(t, i), told);
		incident_human_params(incidents_at(t, i), human);
		column_of(column, run, INCIDENT_RUN_FIELDS, &next.arena);
		column_of(column + INCIDENT_RUN_FIELDS, told + 1,
		    INCIDENT_TOLD_FIELDS - 1, &next.arena);
		column_of(column + INCIDENT_RUN_FIELDS + INCIDENT_TOLD_FIELDS
		    - 1, human + 1, INCIDENT_HUMAN_FIELDS - 1, &next.arena);
		(void)incidents_take(&next, column);
	}
	incidents_free(t);
	move(t, &next);
}

static void
tell(struct incident *in)
{
	struct telling t = { .now = now, .held = window,
	    .escalation = escalation, .nescalation = 2 };
	enum notice_kind kind;
	unsigned bit = 0;
	double episode;
	size_t i, n = 0;

	for (i = 0; i < nsilence; i++)
		t.held = t.held || silence_holds(&silence[i], in, now);
	for (;;) {
		episode = in->told;
		kind = incident_tell(in, &t, &bit);
		if (kind == NOTICE_NONE)
			break;
		if (n++ == 20)
			exit(4);	/* it would never end */
		if (in->told != 0)
			episode = in->told;
		buf_printf(&out, "%s:%d%.0u:%.0f ", in->key.p, kind,
		    kind == NOTICE_ESCALATED ? bit + 1 : 0, episode);
	}
}

static void
states(void)
{
	struct incident *in;
	size_t i;

	buf_puts(&out, "|");
	for (i = 0; i <= KEYS; i++) {
		in = incident(i);
		buf_printf(&out, " %.0f.%.0f", in->state, in->episode);
	}
	buf_putc(&out, '\n');
}

static void
all(void)
{
	size_t i;

	incidents_inhibit(&table);
	for (i = 0; i <= KEYS; i++)
		tell(incident(i));
}

static double
truth(char c)
{
	return c == 'n' ? NUM_NIL : c == '1';
}

/* A copy of the table as it was, for a run that is killed. */
static void
keep(struct incidents *copy)
{
	struct incident *in;
	bool is_new;
	size_t i;

	incidents_init(copy, &mem);
	for (i = 0; i <= KEYS; i++) {
		in = incidents_add(copy, str_c(key_of[i]), &is_new);
		*in = *incident(i);
	}
	restart(copy);
}

static void
step(char *line)
{
	struct incident_run r = { now, line[4] == '1', line[6] == '1' };
	bool stays = line[8] == '1', seen[KEYS] = { false };
	struct incident_seen data = { .level = LEVEL_ERROR,
	    .message = STR_LIT("no data"), .evidence = STR_LIT("3 runs"),
	    .unless = STR_NIL, .place = STR_EMPTY };
	struct incidents before;
	size_t i, start = out.n;
	char *p;

	keep(&before);
	for (p = strtok(line + 10, " "); p != NULL; p = strtok(NULL, " ")) {
		i = (size_t)(p[0] - 'a');
		says[i].when = truth(p[2]);
		says[i].until = truth(p[4]);
		seen[i] = true;
		(void)incident_observe(incident(i), &says[i], &r,
		    !str_none(says[i].unless) &&
		    incidents_fires(&table, says[i].unless));
	}
	for (i = 0; i < KEYS; i++)
		if (!seen[i])
			incident_missed(incident(i), &r);
	(void)incident_nodata(incident(KEYS), &data, &r);
	all();
	if (stays) {
		incidents_free(&before);
		return;
	}
	incidents_free(&table);
	move(&table, &before);
	out.n = start;
}

static void
set(char *line)
{
	static const char *const names[] = { "a", "b", "c" };
	char key, unless;
	double hold, remind, absent;
	int has;

	if (sscanf(line, "set %c %lf %lf %lf %d %c", &key, &hold, &remind,
	    &absent, &has, &unless) != 6)
		exit(3);
	says[key - 'a'] = (struct incident_seen){
	    .key = str_c(names[key - 'a']), .has_until = has != 0,
	    .hold = hold, .remind = remind, .absent = absent,
	    .level = LEVEL_URGENT, .message = STR_LIT("it is bad"),
	    .evidence = STR_LIT("#x > 1 (#x = 2)"), .place = STR_LIT("a:1"),
	    .unless = unless == '-' ? STR_NIL : str_c(names[unless - 'a']) };
}

static void
begin(char *line)
{
	incidents_free(&table);
	incidents_init(&table, &mem);
	nsilence = 0;
	window = false;
	now = 1e9;
	buf_puts(&out, line);
	buf_putc(&out, '\n');
}

static void
operation(char *line)
{
	struct incident *in;
	double seconds;
	char what[16];
	size_t i;

	if (line[0] == '=')
		begin(line);
	else if (strncmp(line, "set ", 4) == 0)
		set(line);
	else if (strncmp(line, "run ", 4) == 0) {
		step(line);
		states();
	} else if (strncmp(line, "ack ", 4) == 0) {
		in = incident((size_t)(line[4] - 'a'));
		if (in->state == INCIDENT_FIRES && !incident_is_acked(in)) {
			in->acked = in->episode;
			in->acked_at = now;
			in->acked_by = STR_LIT("ann");
		}
	} else if (sscanf(line, "silence %15s %lf", what, &seconds) == 2) {
		if (nsilence == MOST)
			exit(3);
		memcpy(pattern[nsilence], what, sizeof what);
		silence[nsilence] = (struct silence){
		    .pattern = str_c(pattern[nsilence]), .made = now,
		    .until = now + seconds };
		nsilence++;
	} else if (sscanf(line, "unsilence %zu", &i) == 1) {
		if (i < nsilence)
			silence[i].until = 0;
	} else if (strncmp(line, "window ", 7) == 0)
		window = line[7] == '1';
	else if (strcmp(line, "remove") == 0) {
		for (i = 0; i <= KEYS; i++)
			incident_withdraw(incident(i), now);
		all();
		states();
	} else if (strcmp(line, "tick") == 0) {
		for (i = 0; i <= KEYS; i++)
			incident_clock(incident(i), now);
		all();
		states();
	} else if (sscanf(line, "clock %lf", &seconds) == 1)
		now += seconds;
	else if (strcmp(line, "restart") == 0)
		restart(&table);
	else {
		fprintf(stderr, "drive: what is '%s'?\n", line);
		exit(3);
	}
}

int
main(void)
{
	bool restarts = getenv("RESTARTS") != NULL;
	char line[512];
	size_t n;

	mem_init(&mem, SIZE_MAX, NULL);
	buf_init(&out, &mem);
	incidents_init(&table, &mem);
	while (fgets(line, sizeof line, stdin) != NULL) {
		n = strlen(line);
		if (n > 0 && line[n - 1] == '\n')
			line[n - 1] = '\0';
		operation(line);
		if (restarts && line[0] != '=')
			restart(&table);
		if (out.n > 60000) {
			fwrite(out.p, 1, out.n, stdout);
			buf_clear(&out);
		}
	}
	fwrite(out.p, 1, out.n, stdout);
	incidents_free(&table);
	buf_free(&out);
	return ferror(stdout) || fflush(stdout) != 0;
}
