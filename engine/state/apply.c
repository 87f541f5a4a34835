#include "engine/state/apply.h"

#include "lang/base/num.h"
#include "engine/state/request.h"
#include "engine/state/sql.h"

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
	struct store	*s;
	struct str	 alert, script;
	sqlite3_stmt	*q[Q_COUNT];
	struct owner	 o;
	struct str	 names;
	bool		 ended_well;
	bool		 trims;		/* a series has grown */
	double		 expire_runs, expire_seconds, now;
	struct wire	 items;
	struct str	 last_key;	/* of last_line; views the message */
	sqlite3_int64	 last_line;
	struct buf	 name, element;
};

int
owner_find(struct store *s, struct str alert, struct str script,
    struct owner *o, struct str names)
{
	int rc = SQLITE_OK;
	sqlite3_stmt *q = sql_prepare(s, "SELECT id, runs, good, names "
	    "FROM owner WHERE alert = ? AND script = ?", &rc);
	struct str t;

	memset(o, 0, sizeof *o);
	sql_bind_text(q, 1, alert);
	sql_bind_text(q, 2, script);
	if (rc == SQLITE_OK && (rc = sqlite3_step(q)) == SQLITE_ROW) {
		o->id = sqlite3_column_int64(q, 0);
		o->runs = (double)sqlite3_column_int64(q, 1);
		o->good = (double)sqlite3_column_int64(q, 2);
		t = sql_text(q, 3);
		o->same_names = !str_none(t) && str_eq(t, names);
		rc = SQLITE_OK;
	} else if (rc == SQLITE_DONE)
		rc = SQLITE_OK;
	sql_end(s, q);
	return rc;
}

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
	sql_bind_text(q, 2, key);
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
	sql_bind_text(q, 2, buf_view(&a->name));
	sql_bind_text(q, 3, buf_view(&a->element));
	sql_bind_text(q, 4, text);
	return sql_run(q, SQLITE_OK);
}

static int
store_position(struct apply *a, struct str name, struct str text)
{
	sqlite3_stmt *q = a->q[Q_POSITION];

	(void)sqlite3_bind_int64(q, 1, a->o.id);
	sql_bind_text(q, 2, name);
	sql_bind_text(q, 3, text);
	return sql_run(q, SQLITE_OK);
}

/* A statement over the owner and up to two numbers. */
static int
sweep(struct apply *a, const char *sql, double x, double y)
{
	int rc = SQLITE_OK;
	sqlite3_stmt *q = sql_prepare(a->s, sql, &rc);

	if (q != NULL) {
		(void)sqlite3_bind_int64(q, 1, a->o.id);
		(void)sqlite3_bind_double(q, 2, x);
		if (sqlite3_bind_parameter_count(q) > 2)
			(void)sqlite3_bind_double(q, 3, y);
	}
	rc = sql_run(q, rc);
	sql_end(a->s, q);
	return rc;
}

/*
 * The series of the owner keep their newest points: those of the time that is
 * kept, but LIM_POINTS_LEFT whatever the clock says, and no more than
 * LIM_POINTS.
 */
static int
trim(struct apply *a)
{
	static const char *const sql[] = {
		("DELETE FROM point WHERE rowid IN (SELECT p.rowid FROM series "
		"s JOIN point p ON p.series = s.id WHERE s.owner = ?1 AND "
		"s.points > ?3 AND p.time < min(?2, (SELECT time FROM point "
		"WHERE series = s.id ORDER BY time DESC LIMIT 1 "
		"OFFSET ?3 - 1)))"),
		"DELETE FROM point WHERE rowid IN (SELECT p.rowid FROM series "
		"s JOIN point p ON p.series = s.id WHERE s.owner = ?1 AND "
		"s.points > ?2 AND p.time < (SELECT time FROM point WHERE "
		"series = s.id ORDER BY time DESC LIMIT 1 OFFSET ?2 - 1))",
		"UPDATE series SET points = (SELECT count(*) FROM point WHERE "
		"series = id) WHERE owner = ?1 AND points > ?2",
	};
	int rc;

	rc = sweep(a, sql[0], a->now - LIM_POINT_AGE, LIM_POINTS_LEFT);
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
	sql_bind_text(q, 2, name);
	rc = get_id(q, &id);
	q = a->q[Q_POINT];
	(void)sqlite3_bind_int64(q, 1, id);
	(void)sqlite3_bind_double(q, 2, time);
	(void)sqlite3_bind_double(q, 3, v);
	a->trims = true;
	return sql_run(q, rc);
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
	rc = sqlite3_exec(a->s->db, "CREATE TEMP TABLE IF NOT EXISTS kept "
	    "(name BLOB PRIMARY KEY); DELETE FROM kept", NULL, NULL, NULL);
	q = sql_prepare(a->s, "INSERT OR IGNORE INTO kept VALUES (?)", &rc);
	while (rc == SQLITE_OK && w.left > 0 && !w.bad) {
		number = wire_get_u8(&w) != 0;
		name = wire_get_given(&w);
		buf_clear(&a->name);
		buf_putc(&a->name, number ? '#' : '$');
		buf_str(&a->name, name);
		sql_bind_text(q, 1, buf_view(&a->name));
		rc = sql_run(q, rc);
	}
	sql_end(a->s, q);
	return rc == SQLITE_OK ? sweep(a, "DELETE FROM value WHERE line IN "
	    "(SELECT id FROM line WHERE owner = ?1) AND name NOT IN kept "
	    "AND ?2 = 0", 0, 0) : rc;
}

/* The owner's row, its counts moved on. */
static int
count_run(struct apply *a)
{
	int rc = SQLITE_OK;
	sqlite3_stmt *q = sql_prepare(a->s, "INSERT INTO owner (alert, script, "
	    "runs, good, names, last_time, last_good, bad) "
	    "VALUES (?1, ?2, 1, ?3, ?4, ?5, ?3, 1 - ?3) "
	    "ON CONFLICT DO UPDATE SET runs = runs + 1, good = good + ?3, "
	    "names = iif(?3, ?4, names), last_time = ?5, last_good = ?3, "
	    "bad = iif(?3, 0, bad + 1) RETURNING id, good", &rc);

	sql_bind_text(q, 1, a->alert);
	sql_bind_text(q, 2, a->script);
	if (q != NULL)
		(void)sqlite3_bind_int(q, 3, a->ended_well);
	sql_bind_text(q, 4, a->names);
	sql_bind_num(q, 5, a->now);
	if (rc == SQLITE_OK && (rc = sqlite3_step(q)) == SQLITE_ROW) {
		a->o.id = sqlite3_column_int64(q, 0);
		a->o.good = (double)sqlite3_column_int64(q, 1);
		rc = SQLITE_OK;
	}
	sql_end(a->s, q);
	return rc;
}

static int
apply_all(struct apply *a)
{
	bool bad;
	int rc, i;

	rc = owner_find(a->s, a->alert, a->script, &a->o, a->names);
	if (rc == SQLITE_OK)
		rc = count_run(a);
	for (i = 0; i < Q_COUNT; i++)
		a->q[i] = sql_prepare(a->s, apply_sql[i], &rc);
	if (rc == SQLITE_OK && a->ended_well) {
		(void)sqlite3_bind_int64(a->q[Q_OWN], 1, a->o.id);
		rc = sql_run(a->q[Q_OWN], rc);
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
		sql_end(a->s, a->q[i]);
	return rc;
}

/* false: it is no APPLY. */
static bool
read_all(struct apply *a, struct wire *w)
{
	struct wire names;
	bool bad;

	a->alert = wire_get_given(w);
	a->script = wire_get_given(w);
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

bool
apply_look(struct wire w)
{
	struct apply a = { .s = NULL };

	return read_all(&a, &w);
}

int
apply_do(struct store *s, struct wire w)
{
	struct apply a = { .s = s };
	int rc;

	(void)read_all(&a, &w);		/* was looked at */
	buf_init(&a.name, s->mem);
	buf_init(&a.element, s->mem);
	rc = apply_all(&a);
	buf_free(&a.name);
	buf_free(&a.element);
	return rc;
}
