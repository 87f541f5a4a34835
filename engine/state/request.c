#include "engine/state/request.h"

#include "lang/base/num.h"

struct request {
	struct store	*s;
	struct str	 alert, script;
	int		 fd;
	struct buf	*out;
	bool		 gone;		/* a ROWS could not be sent */
};

static sqlite3_stmt *
prepare(struct store *s, const char *sql, int *rc)
{
	sqlite3_stmt *q = NULL;

	if (*rc == SQLITE_OK)
		*rc = sqlite3_prepare_v2(s->db, sql, -1, &q, NULL);
	return q;
}

/* A statement that failed to be prepared is NULL, which SQLite bears with. */
static void
bind_text(sqlite3_stmt *q, int i, struct str s)
{
	if (q == NULL)
		return;
	if (!str_none(s))
		(void)sqlite3_bind_blob64(q, i, s.p, s.n, SQLITE_STATIC);
	else if (s.n == 0)
		(void)sqlite3_bind_null(q, i);
	else
		(void)sqlite3_bind_int(q, i, 1);
}

static struct str
column_text(sqlite3_stmt *q, int i)
{
	const char *p;

	switch (sqlite3_column_type(q, i)) {
	case SQLITE_NULL:
		return STR_NIL;
	case SQLITE_INTEGER: case SQLITE_FLOAT:
		return STR_ERR;
	default:
		p = sqlite3_column_blob(q, i);
		return str_of(p == NULL ? "" : p,
		    (size_t)sqlite3_column_bytes(q, i));
	}
}

/* Runs a statement that has no rows, and makes it ready for the next time. */
static int
run(sqlite3_stmt *q, int rc)
{
	if (rc != SQLITE_OK || q == NULL)
		return rc;
	rc = sqlite3_step(q);
	(void)sqlite3_reset(q);
	return rc == SQLITE_DONE || rc == SQLITE_ROW ? SQLITE_OK : rc;
}

struct owner {
	sqlite3_int64	 id;		/* 0: none yet */
	double		 runs, good;
	bool		 same_names, applied;
};

static int
find_owner(const struct request *r, struct owner *o, struct str id,
    struct str names)
{
	int rc = SQLITE_OK;
	sqlite3_stmt *q = prepare(r->s, "SELECT id, runs, good, last, names "
	    "FROM owner WHERE alert = ? AND script = ?", &rc);
	struct str t;

	memset(o, 0, sizeof *o);
	bind_text(q, 1, r->alert);
	bind_text(q, 2, r->script);
	if (rc == SQLITE_OK && (rc = sqlite3_step(q)) == SQLITE_ROW) {
		o->id = sqlite3_column_int64(q, 0);
		o->runs = (double)sqlite3_column_int64(q, 1);
		o->good = (double)sqlite3_column_int64(q, 2);
		t = column_text(q, 3);
		o->applied = !str_none(t) && str_eq(t, id);
		t = column_text(q, 4);
		o->same_names = !str_none(t) && str_eq(t, names);
		rc = SQLITE_OK;
	} else if (rc == SQLITE_DONE)
		rc = SQLITE_OK;
	(void)sqlite3_finalize(q);
	return rc;
}

/* --- values --- */

static bool
send_rows(struct request *r)
{
	wire_end(r->out);
	if (!wire_send(r->fd, buf_view(r->out)))
		r->gone = true;
	wire_begin(r->out, WIRE_ROWS_KIND);
	return !r->gone;
}

static void
add_row(struct request *r, struct str key, sqlite3_stmt *q)
{
	struct str name = column_text(q, 1), element = column_text(q, 2);

	/* a file that somebody wrote into */
	if (str_none(name) || name.n < 2 || str_none(element))
		return;
	wire_text(r->out, key);
	wire_u8(r->out, name.p[0] == '#');
	wire_text(r->out, str_of(name.p + 1, name.n - 1));
	wire_text(r->out, element.n == 0 ? STR_NIL :
	    str_of(element.p + 1, element.n - 1));
	wire_text(r->out, column_text(q, 3));
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

	rc = find_owner(r, &o, STR_EMPTY, STR_EMPTY);
	wire_begin(r->out, WIRE_ROWS_KIND);
	for (i = 0; i < 2 && rc == SQLITE_OK && o.id > 0; i++) {
		q = prepare(r->s, sql[i], &rc);
		if (q != NULL)
			(void)sqlite3_bind_int64(q, 1, o.id);
		while (rc == SQLITE_OK &&
		    (rc = sqlite3_step(q)) == SQLITE_ROW) {
			rc = SQLITE_OK;
			add_row(r, i == 0 ? STR_NIL : column_text(q, 0), q);
			if (r->out->n > WIRE_ROWS && !send_rows(r))
				break;
		}
		if (rc == SQLITE_DONE)
			rc = SQLITE_OK;
		(void)sqlite3_finalize(q);
	}
	if (rc == SQLITE_OK && !r->gone)
		(void)send_rows(r);
	wire_begin(r->out, WIRE_DONE);
	return rc;
}

static int
position(struct request *r, struct str name)
{
	struct owner o;
	sqlite3_stmt *q;
	struct str t = STR_NIL;
	int rc;

	rc = find_owner(r, &o, STR_EMPTY, STR_EMPTY);
	q = prepare(r->s, "SELECT position FROM position WHERE owner = ? AND "
	    "name = ?", &rc);
	if (q != NULL)
		(void)sqlite3_bind_int64(q, 1, o.id);
	bind_text(q, 2, name);
	if (rc == SQLITE_OK && (rc = sqlite3_step(q)) == SQLITE_ROW) {
		t = column_text(q, 0);
		rc = SQLITE_OK;
	} else if (rc == SQLITE_DONE)
		rc = SQLITE_OK;
	wire_begin(r->out, WIRE_DONE);
	wire_text(r->out, str_none(t) ? STR_EMPTY : t);
	(void)sqlite3_finalize(q);
	return rc;
}

static int
runs(struct request *r)
{
	struct owner o;
	int rc = find_owner(r, &o, STR_EMPTY, STR_EMPTY);

	wire_begin(r->out, WIRE_DONE);
	wire_num(r->out, o.runs);
	return rc;
}

/* --- apply --- */

enum { Q_OWN, Q_SEEN, Q_LINE, Q_VALUE, Q_POSITION, Q_SERIES, Q_POINT, Q_COUNT };

static const char *const apply_sql[Q_COUNT] = {
[Q_OWN] = "DELETE FROM value WHERE line = -?",
[Q_SEEN] = "INSERT INTO line (owner, key, seen, time) VALUES (?1, ?2, ?3, ?4) "
    "ON CONFLICT DO UPDATE SET seen = ?3, time = ?4 RETURNING id",
[Q_LINE] = "SELECT id FROM line WHERE owner = ? AND key = ?",
[Q_VALUE] = "INSERT INTO value VALUES (?, ?, ?, ?) "
    "ON CONFLICT DO UPDATE SET text = excluded.text "
    "WHERE text IS NOT excluded.text",
[Q_POSITION] = "INSERT INTO position VALUES (?, ?, ?) "
    "ON CONFLICT DO UPDATE SET position = excluded.position",
[Q_SERIES] = "INSERT INTO series (owner, name, points) VALUES (?, ?, 1) "
    "ON CONFLICT DO UPDATE SET points = points + 1 RETURNING id",
[Q_POINT] = "INSERT INTO point VALUES (?, ?, ?)",
};

struct apply {
	struct request	*r;
	sqlite3_stmt	*q[Q_COUNT];
	struct owner	 o;
	struct str	 id, names;
	bool		 ended_well;
	bool		 trims;		/* a series has grown */
	double		 expire_runs, expire_seconds, now;
	struct wire	 items;
	struct str	 last_key;	/* of last_line; views the message */
	sqlite3_int64	 last_line;
	struct buf	 name, element;
};

/* One whole number that a statement with RETURNING or SELECT gives. */
static int
get_id(sqlite3_stmt *q, sqlite3_int64 *id)
{
	int rc = sqlite3_step(q);

	if (rc == SQLITE_ROW) {
		*id = sqlite3_column_int64(q, 0);
		rc = SQLITE_OK;
	} else if (rc == SQLITE_DONE)
		rc = SQLITE_OK;
	(void)sqlite3_reset(q);
	return rc;
}

static int
seen(struct apply *a, struct str key)
{
	sqlite3_stmt *q = a->q[Q_SEEN];

	(void)sqlite3_bind_int64(q, 1, a->o.id);
	bind_text(q, 2, key);
	(void)sqlite3_bind_double(q, 3, a->o.good);
	(void)sqlite3_bind_double(q, 4, a->now);
	a->last_key = key;
	return get_id(q, &a->last_line);
}

static int
value(struct apply *a, struct str key, bool number, struct str name,
    struct str element, struct str text)
{
	sqlite3_stmt *q = a->q[Q_VALUE];
	sqlite3_int64 line = -a->o.id;
	int rc;

	if (!str_none(key)) {
		if (str_none(a->last_key) || !str_eq(a->last_key, key)) {
			rc = seen(a, key);
			if (rc != SQLITE_OK)
				return rc;
		}
		line = a->last_line;
	}
	buf_clear(&a->name);
	buf_putc(&a->name, number ? '#' : '$');
	buf_str(&a->name, name);
	buf_clear(&a->element);
	if (!str_none(element)) {
		buf_putc(&a->element, '[');
		buf_str(&a->element, element);
	}
	(void)sqlite3_bind_int64(q, 1, line);
	bind_text(q, 2, buf_view(&a->name));
	bind_text(q, 3, buf_view(&a->element));
	bind_text(q, 4, text);
	return run(q, SQLITE_OK);
}

static int
store_position(struct apply *a, struct str name, struct str text)
{
	sqlite3_stmt *q = a->q[Q_POSITION];

	(void)sqlite3_bind_int64(q, 1, a->o.id);
	bind_text(q, 2, name);
	bind_text(q, 3, text);
	return run(q, SQLITE_OK);
}

/* A statement over the owner and up to two numbers. */
static int
sweep(struct apply *a, const char *sql, double x, double y)
{
	int rc = SQLITE_OK;
	sqlite3_stmt *q = prepare(a->r->s, sql, &rc);

	if (q != NULL) {
		(void)sqlite3_bind_int64(q, 1, a->o.id);
		(void)sqlite3_bind_double(q, 2, x);
		if (sqlite3_bind_parameter_count(q) > 2)
			(void)sqlite3_bind_double(q, 3, y);
	}
	rc = run(q, rc);
	(void)sqlite3_finalize(q);
	return rc;
}

/* The series of the owner keep their newest points. */
static int
trim(struct apply *a)
{
	static const char *const sql[] = {
		"DELETE FROM point WHERE time < ?2 AND series IN "
		"(SELECT id FROM series WHERE owner = ?1)",
		"DELETE FROM point WHERE rowid IN (SELECT p.rowid FROM series "
		"s JOIN point p ON p.series = s.id WHERE s.owner = ?1 AND "
		"s.points > ?2 AND p.time < (SELECT time FROM point WHERE "
		"series = s.id ORDER BY time DESC LIMIT 1 OFFSET ?2 - 1))",
		"UPDATE series SET points = (SELECT count(*) FROM point WHERE "
		"series = id) WHERE owner = ?1 AND points > ?2",
	};
	int rc;

	rc = sweep(a, sql[0], a->now - LIM_POINT_AGE, 0);
	if (rc == SQLITE_OK)
		rc = sweep(a, sql[1], LIM_POINTS, 0);
	return rc == SQLITE_OK ? sweep(a, sql[2], LIM_POINTS, 0) : rc;
}

static int
point(struct apply *a, struct str name, double time, double v)
{
	sqlite3_stmt *q = a->q[Q_SERIES];
	sqlite3_int64 id = 0;
	int rc;

	(void)sqlite3_bind_int64(q, 1, a->o.id);
	bind_text(q, 2, name);
	rc = get_id(q, &id);
	q = a->q[Q_POINT];
	(void)sqlite3_bind_int64(q, 1, id);
	(void)sqlite3_bind_double(q, 2, time);
	(void)sqlite3_bind_double(q, 3, v);
	a->trims = true;
	return run(q, rc);
}

/* One item; doing: else it is only looked at. */
static int
item(struct apply *a, struct wire *w, bool doing)
{
	struct str key, name, element, text;
	double t, v;
	bool number;

	switch (wire_get_u8(w)) {
	case ITEM_VALUE:
		key = wire_get_text(w);
		number = wire_get_u8(w) != 0;
		name = wire_get_given(w);
		element = wire_get_text(w);
		text = wire_get_text(w);
		if (name.n == 0 || (str_none(key) && key.n != 0))
			w->bad = true;
		return doing && !w->bad && a->ended_well ?
		    value(a, key, number, name, element, text) : SQLITE_OK;
	case ITEM_SEEN:
		key = wire_get_given(w);
		return doing && !w->bad && a->ended_well ? seen(a, key) :
		    SQLITE_OK;
	case ITEM_POSITION:
		name = wire_get_given(w);
		text = wire_get_given(w);
		return doing && !w->bad ? store_position(a, name, text) :
		    SQLITE_OK;
	case ITEM_POINT:
		name = wire_get_given(w);
		t = wire_get_num(w);
		v = wire_get_num(w);
		if (num_none(t) || num_none(v))
			w->bad = true;
		return doing && !w->bad && a->ended_well ?
		    point(a, name, t, v) : SQLITE_OK;
	default:
		w->bad = true;
		return SQLITE_OK;
	}
}

static int
items(struct apply *a, bool doing, bool *bad)
{
	struct wire w = a->items;
	int rc = SQLITE_OK;

	a->last_key = STR_NIL;
	while (w.left > 0 && !w.bad && rc == SQLITE_OK)
		rc = item(a, &w, doing);
	*bad = w.bad;
	return rc;
}

/* Keys that were not seen for long enough go, with their values. */
static int
expire(struct apply *a)
{
	static const char *const which[] = {
		"seen < ?2 AND ?2 - seen > ?3",	/* by runs */
		"?2 - time > ?3 AND time < ?2",	/* by time */
	};
	bool by_time = a->expire_seconds > 0;
	double x = by_time ? a->now : a->o.good;
	double y = by_time ? a->expire_seconds : a->expire_runs;
	char sql[256];
	int rc;

	sqlite3_snprintf(sizeof sql, sql, "DELETE FROM value WHERE line IN "
	    "(SELECT id FROM line WHERE owner = ?1 AND %s)", which[by_time]);
	rc = sweep(a, sql, x, y);
	sqlite3_snprintf(sizeof sql, sql, "DELETE FROM line WHERE owner = ?1 "
	    "AND %s", which[by_time]);
	return rc == SQLITE_OK ? sweep(a, sql, x, y) : rc;
}

/*
 * Other names are kept than the time before: what keyed lines still have of
 * others goes.  The names of the message are those of the table but for the
 * sigil, so they are compared in a table of this connection.
 */
static int
drop_names(struct apply *a)
{
	struct wire w = { a->names.p, a->names.n, false };
	int rc;
	sqlite3_stmt *q;
	struct str name;
	bool number;

	if (a->o.same_names)
		return SQLITE_OK;
	rc = sqlite3_exec(a->r->s->db, "CREATE TEMP TABLE IF NOT EXISTS kept "
	    "(name BLOB PRIMARY KEY); DELETE FROM kept", NULL, NULL, NULL);
	q = prepare(a->r->s, "INSERT OR IGNORE INTO kept VALUES (?)", &rc);
	while (rc == SQLITE_OK && w.left > 0 && !w.bad) {
		number = wire_get_u8(&w) != 0;
		name = wire_get_given(&w);
		buf_clear(&a->name);
		buf_putc(&a->name, number ? '#' : '$');
		buf_str(&a->name, name);
		bind_text(q, 1, buf_view(&a->name));
		rc = run(q, rc);
	}
	(void)sqlite3_finalize(q);
	return rc == SQLITE_OK ? sweep(a, "DELETE FROM value WHERE line IN "
	    "(SELECT id FROM line WHERE owner = ?1) AND name NOT IN kept "
	    "AND ?2 = 0", 0, 0) : rc;
}

/* The owner's row, its counts moved on. */
static int
count_run(struct apply *a)
{
	int rc = SQLITE_OK;
	sqlite3_stmt *q = prepare(a->r->s, "INSERT INTO owner (alert, script, "
	    "runs, good, last, names) VALUES (?1, ?2, 1, ?3, ?4, ?5) "
	    "ON CONFLICT DO UPDATE SET runs = runs + 1, good = good + ?3, "
	    "last = ?4, names = iif(?3, ?5, names) RETURNING id, good", &rc);

	bind_text(q, 1, a->r->alert);
	bind_text(q, 2, a->r->script);
	if (q != NULL)
		(void)sqlite3_bind_int(q, 3, a->ended_well);
	bind_text(q, 4, a->id);
	bind_text(q, 5, a->names);
	if (rc == SQLITE_OK && (rc = sqlite3_step(q)) == SQLITE_ROW) {
		a->o.id = sqlite3_column_int64(q, 0);
		a->o.good = (double)sqlite3_column_int64(q, 1);
		rc = SQLITE_OK;
	}
	(void)sqlite3_finalize(q);
	return rc;
}

static int
apply_all(struct apply *a)
{
	bool bad;
	int rc, i;

	rc = sqlite3_exec(a->r->s->db, "BEGIN IMMEDIATE", NULL, NULL, NULL);
	if (rc == SQLITE_OK)
		rc = find_owner(a->r, &a->o, a->id, a->names);
	if (rc != SQLITE_OK || a->o.applied)
		return rc;
	rc = count_run(a);
	for (i = 0; i < Q_COUNT; i++)
		a->q[i] = prepare(a->r->s, apply_sql[i], &rc);
	if (rc == SQLITE_OK && a->ended_well) {
		(void)sqlite3_bind_int64(a->q[Q_OWN], 1, a->o.id);
		rc = run(a->q[Q_OWN], rc);
		if (rc == SQLITE_OK)
			rc = drop_names(a);
	}
	if (rc == SQLITE_OK)
		rc = items(a, true, &bad);
	if (rc == SQLITE_OK && a->ended_well)
		rc = expire(a);
	if (rc == SQLITE_OK && a->trims)
		rc = trim(a);
	for (i = 0; i < Q_COUNT; i++)
		(void)sqlite3_finalize(a->q[i]);
	return rc;
}

static int
apply(struct apply *a)
{
	int rc;

	memset(&a->o, 0, sizeof a->o);
	memset(a->q, 0, sizeof a->q);
	buf_init(&a->name, a->r->s->mem);
	buf_init(&a->element, a->r->s->mem);
	rc = apply_all(a);
	buf_free(&a->name);
	buf_free(&a->element);
	if (rc == SQLITE_OK)
		rc = sqlite3_exec(a->r->s->db, "COMMIT", NULL, NULL, NULL);
	/* what failed is not committed: closing the file undoes it */
	wire_begin(a->r->out, WIRE_DONE);
	return rc;
}

/* The rest of an APPLY; false: it is none. */
static bool
read_apply(struct apply *a, struct wire *w)
{
	struct wire names;
	bool bad;

	a->id = wire_get_given(w);
	a->ended_well = wire_get_u8(w) != 0;
	a->expire_runs = wire_get_num(w);
	a->expire_seconds = wire_get_num(w);
	a->now = wire_get_num(w);
	a->names = wire_get_given(w);
	if (w->bad || !(a->expire_runs >= 0) || !(a->expire_seconds >= 0) ||
	    num_none(a->now))
		return false;
	names = (struct wire){ a->names.p, a->names.n, false };
	while (names.left > 0 && !names.bad) {
		(void)wire_get_u8(&names);
		if (wire_get_given(&names).n == 0)
			names.bad = true;
	}
	a->items = *w;
	(void)items(a, false, &bad);
	return !bad && !names.bad;
}

static int
once(struct request *r, enum wire_kind kind, struct apply *a, struct str name)
{
	switch (kind) {
	case WIRE_VALUES: return values(r);
	case WIRE_POSITION: return position(r, name);
	case WIRE_RUNS: return runs(r);
	default: return apply(a);
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

enum request_end
request_do(struct store *s, enum wire_kind kind, struct wire *w, int fd,
    struct buf *out)
{
	struct request r = { .s = s, .fd = fd, .out = out };
	struct apply a = { .r = &r };
	struct str name = STR_EMPTY;
	enum store_got got;
	int rc = SQLITE_ERROR, tries;
	bool write = kind == WIRE_APPLY;

	r.alert = wire_get_given(w);
	r.script = wire_get_given(w);
	if (kind == WIRE_POSITION)
		name = wire_get_given(w);
	if (w->bad || kind < WIRE_VALUES || kind > WIRE_APPLY ||
	    (kind == WIRE_APPLY ? !read_apply(&a, w) : w->left > 0))
		return REQUEST_BAD;
	if (kind == WIRE_APPLY && s->read_only)
		return REQUEST_BAD;
	for (tries = 0; tries < 3; tries++) {
		got = store_open(s, write);
		if (got == STORE_FAILED)
			return REQUEST_FAILED;
		if (got == STORE_EMPTY) {
			nothing(&r, kind);
			return REQUEST_DONE;
		}
		rc = once(&r, kind, &a, name);
		if (r.gone)
			break;
		if (rc == SQLITE_OK || !store_failed(s, rc))
			break;
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
