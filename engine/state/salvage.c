#include "engine/state/salvage.h"

#include <sys/stat.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <time.h>
#include <unistd.h>

#include "engine/state/leaves.h"
#include "engine/state/schema.h"
#include "engine/state/sql.h"

#define PROGRESS	10000	/* steps of SQLite's machine between two looks at
				 * the clock: some milliseconds */

/*
 * Tables, what matters most first.  by: the order of its rows, where they have
 * no id of their own; word: what people call it, the same for several.
 */
static const struct piece {
	const char	*name, *by, *word;
} piece[] = {
	{ "incident", NULL, "incidents" },
	{ "silence", NULL, "silences" },
	{ "notice", NULL, "mail" },
	{ "outbox", NULL, "mail" },
	{ "delivery", NULL, "what came of mail" },
	{ "run", NULL, "the history of runs" },
	{ "taken", NULL, "the history of runs" },
	{ "history", NULL, "the history of incidents" },
	{ "meta", NULL, "the ways of alerts' mail" },
	{ "owner", NULL, "previous values and positions in logs" },
	{ "line", NULL, "previous values and positions in logs" },
	{ "position", "owner, name", "previous values and positions in logs" },
	{ "value", "line, name, element",
	    "previous values and positions in logs" },
	{ "series", NULL, "series" },
	{ "point", NULL, "series" },
};
enum { PIECES = sizeof piece / sizeof *piece };
enum { OUTBOX = 3, OUTBOX_STATE = 11, OUTBOX_WHY = 14 };	/* schema.c */

/* What a column may hold. */
enum kind { KIND_BYTES, KIND_NUMBER, KIND_ID };

struct table {
	unsigned	 n;
	enum kind	 kind[LIM_LEAF_FIELDS];
	bool		 needed[LIM_LEAF_FIELDS];
	bool		 there[LIM_LEAF_FIELDS];	/* an older file has less */
	struct buf	 columns;	/* their names; 0 for one that is not there */
	sqlite3_stmt	*put;
	bool		 has_err;	/* a text of it may be ERR */
	bool		 damaged;
};

struct salvage {
	struct mem	*mem;
	sqlite3		*from;		/* NULL: it cannot be opened */
	int		 version;	/* of its tables */
	struct store	 to;		/* its db alone */
	struct table	 table[PIECES];
	double		 until;
	int		 rc, error;	/* writing has failed */
	bool		 late;
};

static double
now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* Of SQLite: true ends what it does. */
static int
is_late(void *arg)
{
	struct salvage *v = arg;

	v->late = v->late || now() > v->until;
	return v->late;
}

static void
exec(struct salvage *v, const char *sql)
{
	if (v->rc == SQLITE_OK)
		v->rc = sqlite3_exec(v->to.db, sql, NULL, NULL, NULL);
}

/* --- rows --- */

static bool
fits(const struct table *t, unsigned i, const struct field *f)
{
	switch (f->type) {
	case FIELD_NULL:
		return !t->needed[i];
	case FIELD_INT:
		if (t->kind[i] == KIND_BYTES)	/* ERR (sql.h) */
			return f->i == 1 && t->has_err;
		return f->i >= -LIM_SALVAGE_ID && f->i <= LIM_SALVAGE_ID;
	case FIELD_REAL:
		return t->kind[i] == KIND_NUMBER && isfinite(f->d);
	case FIELD_BYTES:
		return t->kind[i] == KIND_BYTES;
	}
	return false;
}

/* Whether a row with that id may be one of the table. */
static bool
is_row(const struct table *t, int64_t id, const struct field *f, unsigned n)
{
	unsigned i;

	if (n != t->n || id < 1 || id > LIM_SALVAGE_ID)
		return false;
	for (i = 0; i < n; i++)
		if (t->kind[i] == KIND_ID ? f[i].type != FIELD_NULL &&
		    (f[i].type != FIELD_INT || f[i].i != id) :
		    t->there[i] && !fits(t, i, &f[i]))
			return false;
	return true;
}

/* One that is there already stays. */
static void
put(struct salvage *v, struct table *t, int64_t id, const struct field *f)
{
	unsigned i;
	int k = 0, rc;

	for (i = 0; i < t->n; i++) {
		if (!t->there[i])
			continue;
		k++;
		if (t->kind[i] == KIND_ID)
			(void)sqlite3_bind_int64(t->put, k, id);
		else if (f[i].type == FIELD_INT)
			(void)sqlite3_bind_int64(t->put, k, f[i].i);
		else if (f[i].type == FIELD_REAL)
			(void)sqlite3_bind_double(t->put, k, f[i].d);
		else
			sql_bind_text(t->put, k, f[i].t);
	}
	rc = sql_run(t->put, SQLITE_OK);
	switch (rc & 0xff) {
	case SQLITE_OK:
		break;
	case SQLITE_FULL: case SQLITE_IOERR: case SQLITE_NOMEM:
	case SQLITE_CANTOPEN: case SQLITE_READONLY:
		v->rc = rc;
		v->error = sqlite3_system_errno(v->to.db);
		break;
	default:		/* the row is not as it should be */
		t->damaged = true;
		break;
	}
}

static void
take_column(sqlite3_stmt *q, int i, struct field *f)
{
	memset(f, 0, sizeof *f);
	switch (sqlite3_column_type(q, i)) {
	case SQLITE_NULL:
		f->type = FIELD_NULL;
		f->t = STR_NIL;
		break;
	case SQLITE_INTEGER:
		f->type = FIELD_INT;
		f->i = sqlite3_column_int64(q, i);
		break;
	case SQLITE_FLOAT:
		f->type = FIELD_REAL;
		f->d = sqlite3_column_double(q, i);
		break;
	default:
		f->type = FIELD_BYTES;
		f->t = sql_text(q, i);
		break;
	}
}

/*
 * One way through a table, until its end or what cannot be read.  The ids grow
 * or shrink: pages that lead in a ring are seen.  stop: an id that has been
 * read from the other end.  True: to the end.
 */
static bool
walk(struct salvage *v, const struct piece *p, struct table *t, bool up,
    int64_t stop, int64_t *last)
{
	struct field f[LIM_LEAF_FIELDS];
	sqlite3_stmt *q = NULL;
	const char *down = up ? "" : " DESC";
	bool first = true;
	char *sql;
	int64_t id = 1;
	unsigned i;
	int rc;

	sql = p->by == NULL ?
	    sqlite3_mprintf("SELECT rowid%s FROM \"%w\" NOT INDEXED ORDER BY "
	    "rowid%s", buf_c(&t->columns), p->name, down) :
	    strchr(p->by, ',') != strrchr(p->by, ',') ?
	    sqlite3_mprintf("SELECT 1%s FROM \"%w\" ORDER BY line%s, name%s, "
	    "element%s", buf_c(&t->columns), p->name, down, down, down) :
	    sqlite3_mprintf("SELECT 1%s FROM \"%w\" ORDER BY owner%s, name%s",
	    buf_c(&t->columns), p->name, down, down);
	rc = sql == NULL ? SQLITE_NOMEM :
	    sqlite3_prepare_v2(v->from, sql, -1, &q, NULL);
	sqlite3_free(sql);
	while (rc == SQLITE_OK && v->rc == SQLITE_OK && !is_late(v) &&
	    (rc = sqlite3_step(q)) == SQLITE_ROW) {
		rc = SQLITE_OK;
		id = sqlite3_column_int64(q, 0);
		if (p->by == NULL && ((!first && (up ? id <= *last :
		    id >= *last)) || (!up && id <= stop)))
			break;
		*last = id;
		first = false;
		for (i = 0; i < t->n; i++)
			take_column(q, (int)i + 1, &f[i]);
		if (is_row(t, id, f, t->n))
			put(v, t, id, f);
		else
			t->damaged = true;
	}
	(void)sqlite3_finalize(q);
	return rc == SQLITE_DONE;
}

static void
copy_table(struct salvage *v, const struct piece *p, struct table *t)
{
	int64_t low = INT64_MIN, high;

	if (v->from == NULL) {
		t->damaged = true;
		return;
	}
	if (v->version == 1 && sqlite3_table_column_metadata(v->from, NULL,
	    p->name, NULL, NULL, NULL, NULL, NULL, NULL) != SQLITE_OK)
		return;		/* it had none of these */
	if (walk(v, p, t, true, 0, &low) || v->rc != SQLITE_OK)
		return;
	t->damaged = true;
	(void)walk(v, p, t, false, low, &high);
}

/* A row of a page; whose it is tell its fields. */
static bool
take_leaf(void *arg, int64_t id, const struct field *f, unsigned n,
    bool free_known)
{
	struct salvage *v = arg;
	struct field own[LIM_LEAF_FIELDS];
	unsigned i;

	for (i = 0; i < PIECES; i++)
		if (piece[i].by == NULL && is_row(&v->table[i], id, f, n))
			break;
	if (i < PIECES && v->table[i].damaged) {
		memcpy(own, f, n * sizeof *own);
		if (!free_known && i == OUTBOX) {
			own[OUTBOX_STATE] = (struct field){
			    .type = FIELD_INT, .i = 2 };
			own[OUTBOX_WHY] = (struct field){
			    .type = FIELD_BYTES, .t = STR_LIT("found in a "
			    "file that was damaged: it may have been sent") };
		}
		put(v, &v->table[i], id, own);
	}
	return !is_late(v) && v->rc == SQLITE_OK;
}

/* Ids that were given are not given again. */
static void
copy_sequence(struct salvage *v)
{
	sqlite3_stmt *q = NULL, *set = NULL;
	struct field f;
	int rc;

	if (v->from == NULL || v->rc != SQLITE_OK || sqlite3_prepare_v2(
	    v->from, "SELECT name, seq FROM sqlite_sequence", -1, &q, NULL) !=
	    SQLITE_OK)
		return;
	v->rc = sqlite3_prepare_v2(v->to.db, "UPDATE sqlite_sequence SET seq = "
	    "max(seq, ?1) WHERE name = CAST(?2 AS TEXT)", -1, &set, NULL);
	while (v->rc == SQLITE_OK && !is_late(v) &&
	    sqlite3_step(q) == SQLITE_ROW) {
		take_column(q, 1, &f);
		if (f.type != FIELD_INT || f.i < 1 || f.i > LIM_SALVAGE_ID)
			continue;
		(void)sqlite3_bind_int64(set, 1, f.i);
		sql_bind_text(set, 2, sql_text(q, 0));
		rc = sql_run(set, SQLITE_OK);
		if (rc != SQLITE_OK)
			v->rc = rc;
	}
	(void)sqlite3_finalize(q);
	(void)sqlite3_finalize(set);
}

/* --- both files --- */

/*
 * The damaged file, to read: with what is left in its journal, which is not
 * written back.  Its lock is ours, and others have no business there.
 */
static void
open_from(struct salvage *v, const char *path)
{
	static const char *const set = "PRAGMA locking_mode = EXCLUSIVE;"
	    "PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON;"
	    "PRAGMA temp_store = MEMORY; SELECT count(*) FROM sqlite_master";
	sqlite3_stmt *q;
	int rc;

	rc = sqlite3_open_v2(path, &v->from, SQLITE_OPEN_READONLY, "unix-none");
	if (rc == SQLITE_OK) {
		(void)sqlite3_limit(v->from, SQLITE_LIMIT_LENGTH,
		    LIM_SALVAGE_TEXT);
		(void)sqlite3_db_config(v->from, SQLITE_DBCONFIG_DEFENSIVE, 1,
		    NULL);
		(void)sqlite3_db_config(v->from,
		    SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
		(void)sqlite3_db_config(v->from, SQLITE_DBCONFIG_ENABLE_VIEW, 0,
		    NULL);
		sqlite3_progress_handler(v->from, PROGRESS, is_late, v);
		rc = sqlite3_exec(v->from, set, NULL, NULL, NULL);
	}
	if (rc == SQLITE_OK)
		rc = sqlite3_prepare_v2(v->from, "PRAGMA user_version", -1, &q,
		    NULL);
	if (rc == SQLITE_OK) {
		if (sqlite3_step(q) == SQLITE_ROW)
			v->version = sqlite3_column_int(q, 0);
		(void)sqlite3_finalize(q);
		return;
	}
	(void)sqlite3_close_v2(v->from);
	v->from = NULL;
}

/* An empty one.  What fails in it is thrown away, so it needs no journal. */
static void
open_to(struct salvage *v, const char *path)
{
	mode_t mask = umask(077);

	v->rc = sqlite3_open_v2(path, &v->to.db, SQLITE_OPEN_READWRITE |
	    SQLITE_OPEN_CREATE, NULL);
	exec(v, "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = OFF;"
	    "PRAGMA synchronous = OFF; PRAGMA temp_store = MEMORY;");
	if (v->rc == SQLITE_OK)
		v->rc = schema_make(&v->to, 0);
	(void)umask(mask);
}

static void
look_at_table(struct salvage *v, const struct piece *p, struct table *t)
{
	struct buf sql, values;
	sqlite3_stmt *q;
	const char *name, *type;
	bool is_first = true;

	buf_init(&sql, v->mem);
	buf_init(&values, v->mem);
	buf_init(&t->columns, v->mem);
	t->has_err = strcmp(p->name, "value") == 0;
	buf_printf(&sql, "SELECT name, type, pk AND type = 'INTEGER' AND %d, "
	    "\"notnull\" OR (pk AND %d) FROM pragma_table_info('%s')",
	    p->by == NULL, p->by != NULL, p->name);
	q = sql_prepare(&v->to, buf_c(&sql), &v->rc);
	buf_clear(&sql);
	while (v->rc == SQLITE_OK && t->n < LIM_LEAF_FIELDS &&
	    sqlite3_step(q) == SQLITE_ROW) {
		name = (const char *)sqlite3_column_text(q, 0);
		type = (const char *)sqlite3_column_text(q, 1);
		t->kind[t->n] = sqlite3_column_int(q, 2) ? KIND_ID :
		    strcmp(type, "BLOB") == 0 ? KIND_BYTES : KIND_NUMBER;
		t->needed[t->n] = sqlite3_column_int(q, 3);
		/* it is there if the table cannot be looked at: then its pages
		 * tell */
		t->there[t->n] = v->from == NULL ||
		    sqlite3_table_column_metadata(v->from, NULL, p->name, NULL,
		    NULL, NULL, NULL, NULL, NULL) != SQLITE_OK ||
		    sqlite3_table_column_metadata(v->from, NULL, p->name, name,
		    NULL, NULL, NULL, NULL, NULL) == SQLITE_OK;
		buf_printf(&t->columns, t->there[t->n] ? ", \"%s\"" : ", NULL",
		    name);
		if (t->there[t->n]) {
			buf_printf(&sql, "%s\"%s\"", is_first ? "" : ", ",
			    name);
			buf_puts(&values, is_first ? "?" : ", ?");
			is_first = false;
		}
		t->n++;
	}
	(void)sqlite3_finalize(q);
	if (v->rc == SQLITE_OK) {
		char *text = sqlite3_mprintf("INSERT OR IGNORE INTO \"%w\" "
		    "(%s) VALUES (%s)", p->name, buf_c(&sql), buf_c(&values));

		v->rc = text == NULL ? SQLITE_NOMEM : SQLITE_OK;
		t->put = sql_prepare(&v->to, text, &v->rc);
		sqlite3_free(text);
	}
	buf_free(&sql);
	buf_free(&values);
}

/*
 * What belongs to nobody would be the next owner's of that id; what no number
 * may be is none; mail without its text is nothing that can be sent.
 */
static void
mend(struct salvage *v)
{
	exec(v, "DELETE FROM line WHERE owner NOT IN (SELECT id FROM owner);"
	    "DELETE FROM value WHERE line > 0 AND line NOT IN "
	    "(SELECT id FROM line);"
	    "DELETE FROM value WHERE line <= 0 AND -line NOT IN "
	    "(SELECT id FROM owner);"
	    "DELETE FROM position WHERE owner NOT IN (SELECT id FROM owner);"
	    "DELETE FROM series WHERE owner NOT IN (SELECT id FROM owner);"
	    "DELETE FROM point WHERE series NOT IN (SELECT id FROM series);"
	    "UPDATE series SET points = (SELECT count(*) FROM point "
	    "WHERE point.series = series.id);"
	    "UPDATE notice SET level = 3 WHERE level NOT IN "
	    "(0, 1, 2, 3, 4, 5, 6, 7);"
	    "UPDATE outbox SET fold = 0 WHERE fold NOT IN (0, 1, 2, 3);"
	    "UPDATE outbox SET state = 0 WHERE state NOT IN (0, 1, 2);"
	    "UPDATE outbox SET state = 2, why = CAST('its text could not be "
	    "read: the file it waited in was damaged' AS BLOB) "
	    "WHERE notice NOT IN (SELECT notice FROM notice)");
}

/* --- what people hear --- */

static void
count(struct salvage *v, struct buf *b, const char *sql, const char *one,
    const char *many, unsigned *n)
{
	int rc = SQLITE_OK, found = 0;
	sqlite3_stmt *q = sql_prepare(&v->to, sql, &rc);

	if (rc == SQLITE_OK && sqlite3_step(q) == SQLITE_ROW)
		found = sqlite3_column_int(q, 0);
	(void)sqlite3_finalize(q);
	if (found > 0)
		buf_printf(b, "%s%d %s", (*n)++ > 0 ? ", " : "", found,
		    found == 1 ? one : many);
}

static void
tell(struct salvage *v, struct buf *b)
{
	unsigned n = 0, i;
	const char *before = NULL;

	buf_puts(b, "saved: ");
	count(v, b, "SELECT count(*) FROM incident WHERE state <> 0 OR "
	    "told <> 0", "open incident", "open incidents", &n);
	count(v, b, "SELECT count(*) FROM outbox WHERE state < 2",
	    "mail that waits", "mails that wait", &n);
	count(v, b, "SELECT count(*) FROM outbox WHERE state = 2",
	    "mail that is not sent (picket outbox)",
	    "mails that are not sent (picket outbox)", &n);
	count(v, b, "SELECT count(*) FROM silence WHERE ended = 0", "silence",
	    "silences", &n);
	count(v, b, "SELECT count(*) FROM owner", "script's values",
	    "scripts' values", &n);
	if (n == 0)
		buf_puts(b, "nothing");
	n = 0;
	for (i = 0; i < PIECES; i++) {
		if (!v->table[i].damaged || (before != NULL &&
		    strcmp(before, piece[i].word) == 0))
			continue;
		before = piece[i].word;
		buf_printf(b, "%s%s", n++ > 0 ? ", " :
		    "; could not be read as a whole: ", before);
	}
	if (v->late)
		buf_puts(b, n > 0 ? ", as it took too long" :
		    "; it took too long");
}

/* For whoever tells next.  What nobody was told of yet stays before it. */
static void
leave_word(struct salvage *v, struct str said)
{
	sqlite3_stmt *q = sql_prepare(&v->to, "INSERT INTO meta VALUES (?1, ?2) "
	    "ON CONFLICT DO UPDATE SET value = CAST(iif(length(value) < 4096, "
	    "value || x'0a', x'') || excluded.value AS BLOB)", &v->rc);

	sql_bind_text(q, 1, STR_LIT(META_DAMAGED));
	sql_bind_text(q, 2, said);
	v->rc = sql_run(q, v->rc);
	(void)sqlite3_finalize(q);
}

bool
salvage(struct mem *m, const char *from, const char *to, struct buf *said)
{
	struct salvage v = { .mem = m, .until = now() + LIM_SALVAGE_TIME };
	bool any = false;
	unsigned i;
	int fd;

	open_from(&v, from);
	open_to(&v, to);
	for (i = 0; i < PIECES; i++)
		look_at_table(&v, &piece[i], &v.table[i]);
	exec(&v, "BEGIN IMMEDIATE");
	for (i = 0; i < PIECES && v.rc == SQLITE_OK; i++) {
		copy_table(&v, &piece[i], &v.table[i]);
		any = any || v.table[i].damaged;
	}
	copy_sequence(&v);
	fd = any && v.rc == SQLITE_OK ? open(from, O_RDONLY | O_CLOEXEC |
	    O_NOFOLLOW) : -1;
	if (fd != -1) {
		(void)leaves(fd, LIM_SALVAGE_TEXT, m, take_leaf, &v);
		(void)close(fd);
	}
	mend(&v);
	if (v.rc == SQLITE_OK) {
		tell(&v, said);
		leave_word(&v, buf_view(said));
	}
	exec(&v, "COMMIT");
	for (i = 0; i < PIECES; i++) {
		(void)sqlite3_finalize(v.table[i].put);
		buf_free(&v.table[i].columns);
	}
	exec(&v, "PRAGMA journal_mode = WAL");
	if (v.rc != SQLITE_OK && v.error == 0 && v.to.db != NULL)
		v.error = sqlite3_system_errno(v.to.db);
	(void)sqlite3_close_v2(v.to.db);
	(void)sqlite3_close_v2(v.from);
	errno = v.rc == SQLITE_OK ? 0 : v.error != 0 ? v.error :
	    v.rc == SQLITE_FULL ? ENOSPC : v.rc == SQLITE_NOMEM ? ENOMEM : EIO;
	return v.rc == SQLITE_OK;
}
