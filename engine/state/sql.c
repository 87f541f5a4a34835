#include "engine/state/sql.h"

#include "lang/base/num.h"

/* INSERT INTO incident (key, FIELDS) VALUES (?1, ? ...) ON CONFLICT ... */
#define PUT_BEGIN	"INSERT INTO incident (key"
#define PUT_FIELD(name)	", \"" #name "\""
#define PUT_VALUES	") VALUES (?1"
#define PUT_VALUE	", ?"
#define PUT_SET		") ON CONFLICT DO UPDATE SET key = key"
#define PUT_EQ(name)	", \"" #name "\" = excluded.\"" #name "\""

static const char put_run[] = PUT_BEGIN
#define F_RUN(type, name, meaning) PUT_FIELD(name)
#include "engine/incident/fields.def"
#undef F_RUN
    PUT_VALUES
#define F_RUN(type, name, meaning) PUT_VALUE
#include "engine/incident/fields.def"
#undef F_RUN
    PUT_SET
#define F_RUN(type, name, meaning) PUT_EQ(name)
#include "engine/incident/fields.def"
#undef F_RUN
    ;

static const char put_told[] = PUT_BEGIN
#define F_TOLD(type, name, meaning) PUT_FIELD(name)
#include "engine/incident/fields.def"
#undef F_TOLD
    PUT_VALUES
#define F_TOLD(type, name, meaning) PUT_VALUE
#include "engine/incident/fields.def"
#undef F_TOLD
    PUT_SET
#define F_TOLD(type, name, meaning) PUT_EQ(name)
#include "engine/incident/fields.def"
#undef F_TOLD
    ;

static const char put_human[] = PUT_BEGIN
#define F_HUMAN(type, name, meaning) PUT_FIELD(name)
#include "engine/incident/fields.def"
#undef F_HUMAN
    PUT_VALUES
#define F_HUMAN(type, name, meaning) PUT_VALUE
#include "engine/incident/fields.def"
#undef F_HUMAN
    PUT_SET
#define F_HUMAN(type, name, meaning) PUT_EQ(name)
#include "engine/incident/fields.def"
#undef F_HUMAN
    ;

const char *const query_sql[QUERY_COUNT] = {
#define Q(id, shape, columns, sql) [Q_##id] = sql,
#include "engine/state/query.def"
#undef Q
};

sqlite3_stmt *
sql_prepare(struct store *s, const char *sql, int *rc)
{
	sqlite3_stmt *q = NULL;
	unsigned i;

	if (*rc != SQLITE_OK)
		return NULL;
	for (i = 0; i < s->nready; i++)
		if (s->ready[i].sql == sql && !s->ready[i].used) {
			s->ready[i].used = true;
			return s->ready[i].q;
		}
	*rc = sqlite3_prepare_v2(s->db, sql, -1, &q, NULL);
	if (*rc == SQLITE_OK && s->kept && s->nready < LIM_STORE_READY)
		s->ready[s->nready++] = (struct store_ready){ sql, q, true };
	return q;
}

void
sql_end(struct store *s, sqlite3_stmt *q)
{
	unsigned i;

	for (i = 0; i < s->nready; i++)
		if (s->ready[i].q == q) {
			(void)sqlite3_reset(q);
			(void)sqlite3_clear_bindings(q);
			s->ready[i].used = false;
			return;
		}
	(void)sqlite3_finalize(q);
}

void
sql_end_all(struct store *s)
{
	while (s->nready > 0)
		(void)sqlite3_finalize(s->ready[--s->nready].q);
}

void
sql_bind_text(sqlite3_stmt *q, int i, struct str s)
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

/* A whole one as an integer: ids and LIMIT take no others. */
void
sql_bind_num(sqlite3_stmt *q, int i, double d)
{
	if (q == NULL)
		return;
	if (num_none(d))
		(void)sqlite3_bind_null(q, i);
	else if (num_is_int(d))
		(void)sqlite3_bind_int64(q, i, (sqlite3_int64)d);
	else
		(void)sqlite3_bind_double(q, i, d);
}

struct str
sql_text(sqlite3_stmt *q, int i)
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

int
sql_run(sqlite3_stmt *q, int rc)
{
	if (rc != SQLITE_OK || q == NULL)
		return rc;
	rc = sqlite3_step(q);
	(void)sqlite3_reset(q);
	return rc == SQLITE_DONE || rc == SQLITE_ROW ? SQLITE_OK : rc;
}
