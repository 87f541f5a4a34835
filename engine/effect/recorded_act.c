/*
 * recorded_act: tables that are written down, what is done to the processes
 * in them, and what is asked of others.
 */
#include <math.h>
#include <stdio.h>

#include "lang/base/num.h"
#include "engine/effect/recorded_inner.h"


/* --- tables --- */

void
recorded_table(struct recorded *r, enum table_id id,
    const enum table_column *column, size_t ncolumn, const struct str *value,
    size_t nrow)
{
	struct canned_table *t = &r->table[id];
	enum table_column *own;
	size_t i;

	own = arena_alloc(&r->arena, (ncolumn + 1) * sizeof *own);
	if (ncolumn > 0)
		memcpy(own, column, ncolumn * sizeof *own);
	t->known = true;
	t->column = own;
	t->ncolumn = ncolumn;
	t->nrow = nrow;
	t->value = arena_alloc(&r->arena, (ncolumn * nrow + 1) *
	    sizeof *t->value);
	t->gone = arena_zalloc(&r->arena, nrow + 1);
	for (i = 0; i < ncolumn * nrow; i++)
		t->value[i] = str_none(value[i]) || str_eq(value[i],
		    STR_LIT("-")) ? STR_NIL : arena_dup(&r->arena, value[i]);
}

/* Where the value stands, or NULL. */
static struct str *
cell(const struct canned_table *t, size_t row, enum table_column c)
{
	size_t i;

	for (i = 0; i < t->ncolumn; i++)
		if (t->column[i] == c)
			return &t->value[row * t->ncolumn + i];
	return NULL;
}

static struct str
text_at(const struct canned_table *t, size_t row, enum table_column c)
{
	const struct str *s = cell(t, row, c);

	return s == NULL ? STR_NIL : *s;
}

static double
number_at(const struct canned_table *t, size_t row, enum table_column c)
{
	struct str s = text_at(t, row, c);

	return str_none(s) ? NUM_NIL : num_parse(s, false);
}

/* A table that is being read; begins with what all tables begin with. */
struct rows {
	struct table	 t;
	const struct canned_table *c;
	size_t		 at;		/* behind the row at hand */
};

static enum table_next
rows_next(struct table *t)
{
	struct rows *rows = (struct rows *)t;

	while (rows->at < rows->c->nrow && rows->c->gone[rows->at])
		rows->at++;
	if (rows->at == rows->c->nrow)
		return TABLE_END;
	rows->at++;
	return TABLE_ROW;
}

static void
rows_close(struct table *t)
{
	mem_free(t->world.mem, t, sizeof(struct rows));
}

static double
rows_number(struct row *row, enum table_column c)
{
	const struct rows *rows = (const struct rows *)row;

	return number_at(rows->c, rows->at - 1, c);
}

static struct str
rows_text(struct row *row, enum table_column c)
{
	const struct rows *rows = (const struct rows *)row;

	return text_at(rows->c, rows->at - 1, c);
}

static const struct table_maker rows_maker = {
	.next = rows_next,
	.close = rows_close,
	.row = { .number = rows_number, .text = rows_text },
};

struct table *
recorded_rows(void *h, const struct table_ask *ask)
{
	struct live *l = h;
	struct recorded *r = l->o.recorded;
	struct table_world w;
	struct rows *rows;

	if (!r->table[ask->id].known && ask->id == TABLE_FILES)
		return recorded_listing(l, ask);
	if (!r->table[ask->id].known) {
		recorded_unanswered(l, "table",
		    str_c(table_info[ask->id].name));
		return NULL;
	}
	memset(&w, 0, sizeof w);
	w.mem = l->mem;
	w.now = r->now;
	rows = (struct rows *)table_make(&w, &rows_maker, sizeof *rows);
	rows->c = &r->table[ask->id];
	return &rows->t;
}

int
recorded_pid(void *h, struct str comm)
{
	struct live *l = h;
	struct recorded *r = l->o.recorded;
	const struct canned_table *t = &r->table[TABLE_PROCESSES];
	double pid, least = 0;
	struct str name;
	size_t i;

	if (str_none(comm) || comm.n == 0)
		return 0;
	if (!t->known) {
		recorded_unanswered(l, "table processes, for process", comm);
		return 0;
	}
	for (i = 0; i < t->nrow; i++) {
		name = text_at(t, i, COLUMN_PROCESSES_comm);
		pid = number_at(t, i, COLUMN_PROCESSES_pid);
		if (!t->gone[i] && !str_none(name) && str_eq(name, comm) &&
		    pid > 0 && (least == 0 || pid < least))
			least = pid;
	}
	return (int)least;
}

/* --- processes --- */

static const struct survivor *
survives(const struct recorded *r, struct str user, struct str comm)
{
	const struct survivor *s;

	for (s = r->survivor; s != NULL; s = s->next)
		if (!str_none(user) && !str_none(comm) &&
		    str_eq(s->user, user) && str_eq(s->comm, comm))
			return s;
	return NULL;
}

/* Signals that a process goes on after. */
static bool
is_harmless(struct str sig)
{
	static const char *const name[] = { "0", "CONT", "STOP", "TSTP",
	    "HUP", "USR1", "USR2", "WINCH", "CHLD", "1", "10", "12", "18",
	    "19", "20" };
	size_t i;

	if (str_none(sig))
		return false;
	if (str_starts(sig, "SIG"))
		sig = str_of(sig.p + 3, sig.n - 3);
	for (i = 0; i < sizeof name / sizeof name[0]; i++)
		if (str_eq(sig, str_c(name[i])))
			return true;
	return false;
}

/* How many there are of that user and name, in process_counts; take: so many
 * fewer from now on. */
static double
counted(struct recorded *r, struct str user, struct str comm, double take)
{
	struct canned_table *t = &r->table[TABLE_PROCESS_COUNTS];
	char text[NUM_TEXT_MAX];
	double n, all = 0;
	struct str *count, u, c;
	size_t i;

	for (i = 0; t->known && i < t->nrow; i++) {
		u = text_at(t, i, COLUMN_PROCESS_COUNTS_user);
		c = text_at(t, i, COLUMN_PROCESS_COUNTS_comm);
		if (t->gone[i] || str_none(c) || !str_eq(c, comm) ||
		    (!str_none(user) && (str_none(u) || !str_eq(u, user))))
			continue;
		count = cell(t, i, COLUMN_PROCESS_COUNTS_count);
		n = number_at(t, i, COLUMN_PROCESS_COUNTS_count);
		if (!num_fine(n))
			n = 1;
		all += n;
		if (take >= n)
			t->gone[i] = true;
		else if (take > 0 && count != NULL)
			*count = arena_dup(&r->arena, str_of(text,
			    num_text(n - take, text)));
		take -= take < n ? take : n;
	}
	return all;
}

/* The row of a process, or nrow. */
static size_t
process(const struct canned_table *t, double pid)
{
	size_t i;

	for (i = 0; i < t->nrow; i++)
		if (!t->gone[i] && number_at(t, i, COLUMN_PROCESSES_pid) ==
		    pid)
			break;
	return i;
}

/* -1 with the reason, or 0: it is there and the one that is meant. */
static int
meant(struct live *l, const struct act *a, size_t *row)
{
	struct recorded *r = l->o.recorded;
	const struct canned_table *t = &r->table[TABLE_PROCESSES];
	double start;
	size_t i;

	*row = SIZE_MAX;
	if (a->pid == 1) {
		live_fail(l, "refused: process 1 is not touched: it is the "
		    "first process, on which all others depend");
		return -1;
	}
	if (!t->known) {
		char text[40];

		/* the oldest ones of process_counts have numbers, too */
		t = &r->table[TABLE_PROCESS_COUNTS];
		for (i = 0; t->known && i < t->nrow; i++)
			if (!t->gone[i] && number_at(t, i,
			    COLUMN_PROCESS_COUNTS_pid) == a->pid)
				return 0;
		snprintf(text, sizeof text, "%.0f", a->pid);
		recorded_unanswered(l, "table processes, for process",
		    str_c(text));
		return -1;
	}
	*row = process(t, a->pid);
	if (*row == t->nrow) {
		live_fail(l, "process %.0f: there is none", a->pid);
		return -1;
	}
	start = number_at(t, *row, COLUMN_PROCESSES_starttime);
	if (num_fine(a->start) && num_fine(start) && a->start != start) {
		live_fail(l, "process %.0f is another one by now", a->pid);
		return -1;
	}
	return 0;
}

static double
kill_one(struct live *l, const struct act *a, size_t row)
{
	struct recorded *r = l->o.recorded;
	struct canned_table *t = &r->table[TABLE_PROCESSES];
	const struct survivor *s;
	struct str user, comm;

	if ((a->kind == ACT_KILL && is_harmless(a->sig)))
		return 0;
	if (row == SIZE_MAX) {
		t = &r->table[TABLE_PROCESS_COUNTS];
		for (row = 0; t->gone[row] || number_at(t, row,
		    COLUMN_PROCESS_COUNTS_pid) != a->pid; row++)
			;
		user = text_at(t, row, COLUMN_PROCESS_COUNTS_user);
		comm = text_at(t, row, COLUMN_PROCESS_COUNTS_comm);
	} else {
		user = text_at(t, row, COLUMN_PROCESSES_user);
		comm = text_at(t, row, COLUMN_PROCESSES_comm);
	}
	s = survives(r, user, comm);
	if (s != NULL && a->kind == ACT_TERMINATE) {
		live_fail(l, "%.*s", (int)s->why.n, s->why.p);
		return -1;
	}
	if (s == NULL) {
		if (t == &r->table[TABLE_PROCESSES])
			t->gone[row] = true;
		if (!str_none(comm))
			(void)counted(r, user, comm, 1);
	}
	return a->kind == ACT_TERMINATE ? 1 : 0;
}

static double
kill_all(struct live *l, const struct act *a)
{
	struct recorded *r = l->o.recorded;
	struct canned_table *t = &r->table[TABLE_PROCESSES];
	const struct survivor *s;
	struct str user, comm;
	double n = 0, of_counts;
	size_t i;

	if (str_none(a->comm)) {
		live_fail(l, "killall: no name");
		return -1;
	}
	if (!t->known && !r->table[TABLE_PROCESS_COUNTS].known) {
		recorded_unanswered(l, "table process_counts, for processes",
		    a->comm);
		return -1;
	}
	s = survives(r, a->user, a->comm);
	if (s != NULL) {
		live_fail(l, "%.*s", (int)s->why.n, s->why.p);
		return -1;
	}
	for (i = 0; t->known && i < t->nrow; i++) {
		user = text_at(t, i, COLUMN_PROCESSES_user);
		comm = text_at(t, i, COLUMN_PROCESSES_comm);
		if (t->gone[i] || str_none(comm) || !str_eq(comm, a->comm) ||
		    (!str_none(a->user) && a->user.n > 0 &&
		    (str_none(user) || !str_eq(user, a->user))))
			continue;
		n++;
		if (!is_harmless(a->sig))
			t->gone[i] = true;
	}
	user = str_none(a->user) || a->user.n == 0 ? STR_NIL : a->user;
	of_counts = counted(r, user, a->comm, is_harmless(a->sig) ? 0 :
	    INFINITY);
	return t->known ? n : of_counts;
}

/* --- acts --- */

static void
add_number(struct buf *b, double d)
{
	char t[NUM_TEXT_MAX];

	buf_putc(b, ' ');
	if (isinf(d))
		buf_puts(b, "unlimited");
	else if (num_none(d))
		buf_putc(b, '-');
	else
		buf_add(b, t, num_text(d, t));
}

static void
add_text(struct buf *b, struct str s)
{
	if (str_none(s))
		return;
	buf_putc(b, ' ');
	buf_str(b, s);
}

/* "kill 17 TERM": what is expected of it in a test. */
static void
act_text(const struct act *a, struct buf *b)
{
	static const char *const name[ACT_KINDS] = {
		[ACT_KILL] = "kill", [ACT_KILLALL] = "killall",
		[ACT_TERMINATE] = "terminate", [ACT_RENICE] = "renice",
		[ACT_SETLIMIT] = "setlimit", [ACT_OOMADJUST] = "oomadjust",
		[ACT_FREEZE] = "freeze", [ACT_THAW] = "thaw",
		[ACT_ARCHIVE] = "archive", [ACT_QUARANTINE] = "quarantine",
		[ACT_ROTATE] = "rotate",
	};

	buf_puts(b, name[a->kind]);
	switch (a->kind) {
	case ACT_KILL:
		add_number(b, a->pid);
		add_text(b, str_none(a->sig) ? STR_LIT("TERM") : a->sig);
		break;
	case ACT_KILLALL:
		add_text(b, a->user);
		add_text(b, a->comm);
		add_text(b, str_none(a->sig) ? STR_LIT("TERM") : a->sig);
		break;
	case ACT_TERMINATE:
		add_number(b, a->pid);
		break;
	case ACT_RENICE: case ACT_OOMADJUST:
		add_number(b, a->pid);
		add_number(b, a->value);
		break;
	case ACT_SETLIMIT:
		add_number(b, a->pid);
		add_text(b, a->what);
		add_number(b, a->soft);
		add_number(b, a->hard);
		break;
	case ACT_FREEZE: case ACT_THAW:
		if (str_none(a->what))
			add_number(b, a->pid);
		else
			add_text(b, a->what);
		break;
	case ACT_ARCHIVE: case ACT_QUARANTINE:
		add_text(b, a->path);
		add_text(b, a->dir);
		break;
	case ACT_ROTATE:
		add_text(b, a->path);
		add_number(b, a->value);
		break;
	case ACT_KINDS:
		break;
	}
}

/* What it is told as, in mails and in what was done. */
static void
tell(struct live *l, const struct act *a, bool suppressed)
{
	struct recorded *r = l->o.recorded;
	struct buf b;

	buf_init(&b, r->mem);
	act_text(a, &b);
	l->effects++;
	recorded_did(r, RECORDED_ACT, STR_NIL, buf_view(&b));
	if (!suppressed) {
		size_t n = str_find(buf_view(&b), ' ', 0);
		char word[20];

		snprintf(word, sizeof word, "%.*s", (int)n, b.p);
		live_did(l, word, n < b.n ? str_of(b.p + n + 1, b.n - n - 1) :
		    STR_EMPTY);
	}
	buf_free(&b);
}

/* What is refused is not done, and told of by its reason only: as the live
 * host has it.  Signal 0 asks. */
void
recorded_act(void *h, const struct act *a, struct act_result *res)
{
	bool asks = (a->kind == ACT_KILL || a->kind == ACT_KILLALL) &&
	    !str_none(a->sig) && str_eq(a->sig, STR_LIT("0"));
	struct live *l = h;
	size_t row = SIZE_MAX;

	*res = (struct act_result){ .n = -1, .text = STR_EMPTY };
	switch (a->kind) {
	case ACT_KILL: case ACT_TERMINATE: case ACT_RENICE:
	case ACT_SETLIMIT: case ACT_OOMADJUST: case ACT_FREEZE: case ACT_THAW:
		if (str_none(a->what) || a->kind == ACT_SETLIMIT)
			if (meant(l, a, &row) != 0)
				return;
		if (!asks)
			tell(l, a, false);
		res->n = a->kind == ACT_KILL || a->kind == ACT_TERMINATE ?
		    kill_one(l, a, row) : 0;
		break;
	case ACT_KILLALL:
		if (!asks)
			tell(l, a, false);
		res->n = kill_all(l, a);
		break;
	case ACT_ARCHIVE: case ACT_QUARANTINE: case ACT_ROTATE:
		res->n = a->kind == ACT_ROTATE ? recorded_rotate(l, a) :
		    recorded_keep(l, a, &res->text);
		if (res->n >= 0)
			tell(l, a, false);
		break;
	case ACT_KINDS:
		break;
	}
}

void
recorded_act_told(void *h, const struct act *a, struct act_result *res)
{
	tell(h, a, true);
	*res = (struct act_result){ .suppressed = true, .text = STR_EMPTY };
}

/* --- others --- */

/* "tcp:HOST:PORT" may be written for what is asked as "HOST:PORT". */
static const struct canned_contact *
find_contact(struct recorded *r, const struct contact *c)
{
	static const char *const before[] = {
		[CONTACT_SEND] = "", [CONTACT_TCP] = "tcp:",
		[CONTACT_HTTP] = "", [CONTACT_CERT] = "cert:" };
	const struct map_entry *e;
	struct buf *b = &r->text;

	buf_clear(b);
	buf_puts(b, before[c->kind]);
	buf_str(b, c->address);
	e = map_get(&r->contact, buf_view(b));
	if (e == NULL)
		e = map_get(&r->contact, c->address);
	return e == NULL ? NULL : e->v.ptr;
}

void
recorded_meet(void *h, const struct contact *c, struct contact_result *res)
{
	const struct canned_contact *found;
	struct live *l = h;

	*res = (struct contact_result){ .n = c->kind == CONTACT_CERT ?
	    NUM_NIL : -1, .text = STR_EMPTY };
	found = str_none(c->address) ? NULL : find_contact(l->o.recorded, c);
	if (found == NULL) {
		recorded_unanswered(l, "contact", c->address);
		return;
	}
	res->text = found->text;
	if (c->kind == CONTACT_CERT && !num_none(found->n)) {
		res->n = found->n;	/* less than 0: that it has ended */
		return;
	}
	if (c->kind == CONTACT_HTTP && c->max > 0 && res->text.n > c->max)
		res->text.n = c->max;
	if (num_none(found->n) || found->n < 0)
		live_fail(l, "%.*s: no answer", c->address.n < 300 ?
		    (int)c->address.n : 300, c->address.p);
	else if (c->kind == CONTACT_SEND && c->enough != NULL &&
	    !c->enough(c->arg, found->text))
		live_fail(l, "%.*s: it said something else",
		    c->address.n < 300 ? (int)c->address.n : 300,
		    c->address.p);
	else
		res->n = found->n;
}
