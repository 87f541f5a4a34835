#include "engine/state/request.h"

#include <stdio.h>

#include "lang/base/num.h"
#include "engine/state/apply.h"
#include "engine/state/schema.h"
#include "engine/state/sql.h"

struct request {
	struct store	*s;
	struct str	 alert, script;
	struct str	 name;		/* of a position; id of a batch */
	enum query	 query;
	struct wire	 params;
	bool		 durable;
	const struct staged *staged;
	request_send_fn	*send;
	void		*send_arg;
	struct buf	*out;
	bool		 sent;		/* a ROWS */
	bool		 gone;		/* it could not be sent */
};

/* --- values --- */

static bool
send_rows(struct request *r)
{
	wire_end(r->out);
	r->sent = true;
	if (!r->send(r->send_arg, buf_view(r->out)))
		r->gone = true;
	wire_begin(r->out, WIRE_ROWS_KIND);
	return !r->gone;
}

static void
add_row(struct request *r, struct str key, sqlite3_stmt *q)
{
	struct str name = sql_text(q, 1), element = sql_text(q, 2);

	/* a file that somebody wrote into */
	if (str_none(name) || name.n < 2 || str_none(element))
		return;
	wire_text(r->out, key);
	wire_u8(r->out, name.p[0] == '#');
	wire_text(r->out, str_of(name.p + 1, name.n - 1));
	wire_text(r->out, element.n == 0 ? STR_NIL :
	    str_of(element.p + 1, element.n - 1));
	wire_text(r->out, sql_text(q, 3));
}

static int
values(struct request *r)
{
	static const char *const sql[] = {
		"SELECT NULL, name, element, text FROM value WHERE line = -?",
		"SELECT key, name, element, text FROM line JOIN value ON "
		"value.line = line.id WHERE line.owner = ?",
	};
	struct owner o;
	sqlite3_stmt *q;
	int rc, i;

	rc = owner_find(r->s, r->alert, r->script, &o,
	    STR_EMPTY);
	wire_begin(r->out, WIRE_ROWS_KIND);
	for (i = 0; i < 2 && rc == SQLITE_OK && o.id > 0; i++) {
		q = sql_prepare(r->s, sql[i], &rc);
		if (q != NULL)
			(void)sqlite3_bind_int64(q, 1, o.id);
		while (rc == SQLITE_OK &&
		    (rc = sqlite3_step(q)) == SQLITE_ROW) {
			rc = SQLITE_OK;
			add_row(r, i == 0 ? STR_NIL : sql_text(q, 0), q);
			if (r->out->n > WIRE_ROWS && !send_rows(r))
				break;
		}
		if (rc == SQLITE_DONE)
			rc = SQLITE_OK;
		sql_end(r->s, q);
	}
	if (rc == SQLITE_OK && !r->gone)
		(void)send_rows(r);
	wire_begin(r->out, WIRE_DONE);
	return rc;
}

static int
position(struct request *r)
{
	struct owner o;
	sqlite3_stmt *q;
	struct str t = STR_NIL;
	int rc;

	rc = owner_find(r->s, r->alert, r->script, &o,
	    STR_EMPTY);
	q = sql_prepare(r->s, "SELECT position FROM position WHERE owner = ? AND "
	    "name = ?", &rc);
	if (q != NULL)
		(void)sqlite3_bind_int64(q, 1, o.id);
	sql_bind_text(q, 2, r->name);
	if (rc == SQLITE_OK && (rc = sqlite3_step(q)) == SQLITE_ROW) {
		t = sql_text(q, 0);
		rc = SQLITE_OK;
	} else if (rc == SQLITE_DONE)
		rc = SQLITE_OK;
	wire_begin(r->out, WIRE_DONE);
	wire_text(r->out, str_none(t) ? STR_EMPTY : t);
	sql_end(r->s, q);
	return rc;
}

static int
runs(struct request *r)
{
	struct owner o;
	int rc = owner_find(r->s, r->alert, r->script, &o, STR_EMPTY);

	wire_begin(r->out, WIRE_DONE);
	wire_num(r->out, o.runs);
	return rc;
}

/* --- rows --- */

/* The parameters of a query; q NULL: they are only looked at. */
static bool
params(struct wire *w, enum query query, sqlite3_stmt *q)
{
	const char *shape = query_shape[query].shape;
	size_t before = w->left;
	struct str t;
	double d;
	int i;

	for (i = 1; *shape != '\0' && !w->bad; shape++, i++)
		if (*shape == 't') {
			t = wire_get_text(w);
			if (str_none(t) && t.n != 0)	/* ERR */
				w->bad = true;
			sql_bind_text(q, i, t);
		} else {
			d = wire_get_num(w);
			if (num_is_err(d))
				w->bad = true;
			sql_bind_num(q, i, d);
		}
	return !w->bad && before - w->left <= LIM_ROW;
}

/* A query that the table has, and that writes or does not. */
static bool
get_query(struct wire *w, enum query *query, bool writes)
{
	uint32_t n = wire_get_u32(w);

	*query = (enum query)n;
	return !w->bad && n < QUERY_COUNT &&
	    (query_shape[n].columns == 0) == writes;
}

/* All that comes out is text. */
static void
add_column(struct buf *out, sqlite3_stmt *q, int i)
{
	char t[40];

	switch (sqlite3_column_type(q, i)) {
	case SQLITE_INTEGER:
		sqlite3_snprintf(sizeof t, t, "%lld",
		    sqlite3_column_int64(q, i));
		wire_text(out, str_c(t));
		break;
	case SQLITE_FLOAT:
		snprintf(t, sizeof t, "%.17g", sqlite3_column_double(q, i));
		wire_text(out, str_c(t));
		break;
	default:
		wire_text(out, sql_text(q, i));
		break;
	}
}

static int
ask(struct request *r)
{
	struct wire w = r->params;
	unsigned n = query_shape[r->query].columns, i;
	int rc = SQLITE_OK;
	sqlite3_stmt *q = sql_prepare(r->s, query_sql[r->query], &rc);

	/* of a file that nobody has upgraded yet: what it does not have is
	 * empty */
	if (rc == SQLITE_ERROR && r->s->version < STORE_VERSION)
		rc = SQLITE_DONE;
	(void)params(&w, r->query, q);
	wire_begin(r->out, WIRE_ROWS_KIND);
	while (rc == SQLITE_OK && (rc = sqlite3_step(q)) == SQLITE_ROW) {
		rc = SQLITE_OK;
		for (i = 0; i < n; i++)
			add_column(r->out, q, (int)i);
		if (r->out->n > WIRE_ROWS && !send_rows(r))
			break;
	}
	if (rc == SQLITE_DONE)
		rc = SQLITE_OK;
	sql_end(r->s, q);
	if (rc == SQLITE_OK && !r->gone && r->out->n > WIRE_HEAD + 1)
		(void)send_rows(r);
	wire_begin(r->out, WIRE_DONE);
	return rc;
}

/* The changes of a DO; each statement is prepared once in a batch. */
static int
change(struct store *s, struct wire w, sqlite3_stmt **q)
{
	enum query query;
	int rc = SQLITE_OK;

	while (w.left > 0 && rc == SQLITE_OK) {
		(void)get_query(&w, &query, true);	/* was looked at */
		if (q[query] == NULL)
			q[query] = sql_prepare(s, query_sql[query], &rc);
		(void)params(&w, query, q[query]);
		rc = sql_run(q[query], rc);
	}
	return rc;
}

static bool
change_look(struct wire w)
{
	enum query query;

	while (w.left > 0)
		if (!get_query(&w, &query, true) || !params(&w, query, NULL))
			return false;
	return true;
}

/* --- batches --- */

/* Whether the batch was taken before; else it now is, and the oldest of which
 * that is known are forgotten. */
static int
take(struct request *r, bool *before)
{
	int rc = SQLITE_OK;
	sqlite3_stmt *q = sql_prepare(r->s, "INSERT INTO taken (id) VALUES (?) "
	    "ON CONFLICT DO NOTHING RETURNING n", &rc);
	sqlite3_int64 n = 0;

	sql_bind_text(q, 1, r->name);
	if (rc == SQLITE_OK && (rc = sqlite3_step(q)) == SQLITE_ROW) {
		n = sqlite3_column_int64(q, 0);
		rc = SQLITE_OK;
	} else if (rc == SQLITE_DONE)
		rc = SQLITE_OK;
	sql_end(r->s, q);
	*before = n == 0;
	q = sql_prepare(r->s, "DELETE FROM taken WHERE n <= ?", &rc);
	sql_bind_num(q, 1, (double)n - LIM_TAKEN);
	rc = sql_run(q, rc);
	sql_end(r->s, q);
	return rc;
}

/* What stays for the next time while the file is held. */
static int
say(struct store *s, const char *sql)
{
	int rc = SQLITE_OK;
	sqlite3_stmt *q = sql_prepare(s, sql, &rc);

	rc = sql_run(q, rc);
	sql_end(s, q);
	return rc;
}

static int
begin(struct store *s, bool durable)
{
	int rc = SQLITE_OK;

	if (s->full != durable && !s->memory) {
		rc = sqlite3_exec(s->db, durable ? "PRAGMA synchronous = FULL" :
		    "PRAGMA synchronous = NORMAL", NULL, NULL, NULL);
		s->full = durable;
	}
	return rc == SQLITE_OK ? say(s, "BEGIN IMMEDIATE") : rc;
}

/* What was staged, if it was not before. */
static int
apply(struct request *r)
{
	sqlite3_stmt *q[QUERY_COUNT] = { NULL };
	const struct staged *m;
	struct wire w;
	bool before = false;
	unsigned i;
	int rc = take(r, &before);

	for (m = r->staged; m != NULL && !before && rc == SQLITE_OK;
	    m = m->next) {
		w = (struct wire){ m->bytes.p + 1, m->bytes.n - 1, false };
		rc = m->kind == WIRE_APPLY ? apply_do(r->s, w) :
		    change(r->s, w, q);
	}
	for (i = 0; i < QUERY_COUNT; i++)
		sql_end(r->s, q[i]);
	return rc;
}

static int
commit(struct request *r)
{
	int rc = begin(r->s, r->durable);

	if (rc == SQLITE_OK)
		rc = apply(r);
	if (rc == SQLITE_OK)
		rc = say(r->s, "COMMIT");
	/* what failed is not committed: closing the file undoes it */
	wire_begin(r->out, WIRE_DONE);
	return rc;
}

void
stage_init(struct stage *g, struct mem *m)
{
	*g = (struct stage){ .mem = m };
}

void
stage_clear(struct stage *g)
{
	struct staged *m;

	while ((m = g->first) != NULL) {
		g->first = m->next;
		buf_free(&m->bytes);
		mem_free(g->mem, m, sizeof *m);
	}
	g->last = NULL;
	g->bytes = 0;
}

bool
stage_has_mail(const struct stage *g)
{
	const struct staged *m;
	enum query query;
	struct wire w;

	for (m = g->first; m != NULL; m = m->next) {
		w = (struct wire){ m->bytes.p + 1, m->bytes.n - 1, false };
		while (m->kind == WIRE_DO && w.left > 0) {
			(void)get_query(&w, &query, true);
			if (query == Q_NOTICE_ADD || query == Q_OUTBOX_ADD ||
			    query == Q_OUTBOX_RETRY)
				return true;
			(void)params(&w, query, NULL);
		}
	}
	return false;
}

bool
stage_add(struct stage *g, enum wire_kind kind, struct wire w,
    struct buf *message)
{
	struct staged *m;

	if (g->read_only || !(kind == WIRE_APPLY ? apply_look(w) :
	    change_look(w)))
		return false;
	g->bytes += message->n + sizeof *m;
	if (g->bytes > LIM_BATCH)
		return false;
	m = mem_zalloc(g->mem, sizeof *m);
	m->kind = kind;
	m->bytes = *message;		/* taken over, not copied */
	buf_init(message, g->mem);
	if (g->last == NULL)
		g->first = m;
	else
		g->last->next = m;
	g->last = m;
	return true;
}

enum greeting
request_hello(struct wire *w, struct str *path, bool *read_only)
{
	uint32_t version = wire_get_u32(w), print = wire_get_u32(w);

	if (!w->bad && (version != WIRE_VERSION || print != query_print()))
		return GREETED_BY_OTHER;
	*path = wire_get_given(w);
	*read_only = wire_get_u8(w) != 0;
	return w->bad || w->left > 0 || path->n == 0 ||
	    memchr(path->p, '\0', path->n) != NULL ? GREETED_BADLY : GREETED;
}

/* --- requests --- */

static int
once(struct request *r, enum wire_kind kind)
{
	switch (kind) {
	case WIRE_VALUES: return values(r);
	case WIRE_POSITION: return position(r);
	case WIRE_RUNS: return runs(r);
	case WIRE_ASK: return ask(r);
	default: return commit(r);
	}
}

/* What there is to say before there is a file. */
static void
nothing(struct request *r, enum wire_kind kind)
{
	wire_begin(r->out, WIRE_DONE);
	if (kind == WIRE_POSITION)
		wire_text(r->out, STR_EMPTY);
	else if (kind == WIRE_RUNS)
		wire_num(r->out, 0);
}

/* false: it is no such request. */
static bool
read_request(struct request *r, enum wire_kind kind, struct wire *w,
    const struct stage *g)
{
	struct wire look;

	switch (kind) {
	case WIRE_VALUES: case WIRE_RUNS: case WIRE_POSITION:
		r->alert = wire_get_given(w);
		r->script = wire_get_given(w);
		if (kind == WIRE_POSITION)
			r->name = wire_get_given(w);
		break;
	case WIRE_ASK:
		if (!get_query(w, &r->query, false))
			return false;
		r->params = look = *w;
		if (!params(&look, r->query, NULL))
			return false;
		*w = look;
		break;
	case WIRE_COMMIT:
		r->name = wire_get_given(w);
		r->durable = wire_get_u8(w) != 0;
		if (g->read_only)
			return false;
		r->staged = g->first;
		break;
	default:
		return false;
	}
	return !w->bad && w->left == 0;
}

enum request_end
request_do(struct store *s, enum wire_kind kind, struct wire *w,
    const struct stage *g, request_send_fn *send, void *arg, struct buf *out)
{
	struct request r = { .s = s, .send = send, .send_arg = arg,
	    .out = out };
	enum store_got got;
	int rc = SQLITE_ERROR, tries;
	bool write = kind == WIRE_COMMIT;

	if (!read_request(&r, kind, w, g) || (g->first != NULL && !write))
		return REQUEST_BAD;
	for (tries = 0; tries < 3; tries++) {
		got = store_open(s, write);
		if (got == STORE_FAILED)
			return REQUEST_FAILED;
		if (got == STORE_EMPTY) {
			store_close(s);
			nothing(&r, kind);
			return REQUEST_DONE;
		}
		rc = once(&r, kind);
		if (r.gone)
			break;
		if (rc == SQLITE_OK || !store_failed(s, rc))
			break;
		if (kind == WIRE_ASK && r.sent) {
			/* half of the rows are no answer */
			store_close(s);
			return REQUEST_FAILED;
		}
		if (s->read_only) {
			nothing(&r, kind);
			return REQUEST_DONE;
		}
		write = true;	/* to set it aside takes that */
	}
	store_close(s);
	return r.gone ? REQUEST_GONE : rc == SQLITE_OK ? REQUEST_DONE :
	    REQUEST_FAILED;
}

/* One of a group, in the transaction: done or undone, or SQLite's code: the
 * transaction as a whole is no more. */
static int
member(struct store *s, struct group_member *m)
{
	struct request r = { .s = s };
	struct wire w = m->request;
	int rc;

	if (!read_request(&r, WIRE_COMMIT, &w, m->stage))
		return SQLITE_OK;
	rc = say(s, "SAVEPOINT member");
	if (rc == SQLITE_OK)
		rc = apply(&r);
	if (rc == SQLITE_OK) {
		rc = say(s, "RELEASE member");
		m->done = rc == SQLITE_OK;
		return rc;
	}
	/* of some failures SQLite ends the transaction */
	if (sqlite3_get_autocommit(s->db) != 0 ||
	    (rc & 0xff) == SQLITE_CORRUPT)
		return rc;
	rc = say(s, "ROLLBACK TO member");
	return rc == SQLITE_OK ? say(s, "RELEASE member") : rc;
}

void
request_group(struct store *s, struct group_member *m, size_t n)
{
	struct request look = { .s = s };
	struct wire w;
	bool durable = false;
	size_t i;
	int rc;

	if (store_open(s, true) != STORE_READY)
		return;
	for (i = 0; i < n; i++) {
		w = m[i].request;
		durable = durable || (read_request(&look, WIRE_COMMIT, &w,
		    m[i].stage) && look.durable);
	}
	rc = begin(s, durable);
	for (i = 0; i < n && rc == SQLITE_OK; i++)
		rc = member(s, &m[i]);
	if (rc == SQLITE_OK)
		rc = say(s, "COMMIT");
	for (i = 0; i < n && rc != SQLITE_OK; i++)
		m[i].done = false;
	store_close(s);		/* what is left of it is undone */
}
