/* query: each row of query.def is what SQLite makes of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "engine/state/apply.h"
#include "engine/state/request.h"
#include "engine/state/schema.h"
#include "engine/state/sql.h"

static struct mem mem;
static char dir[100], path[200];
static struct store store;

static int
setup(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/picket-query.XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof path, "%s/state.db", dir);
	store_init(&store, &mem, str_c(path), false);
	assert_int_equal(store_open(&store, true), STORE_READY);
	return 0;
}

static int
teardown(void **state)
{
	char cmd[200];

	(void)state;
	store_free(&store);
	snprintf(cmd, sizeof cmd, "rm -rf '%s'", dir);
	return system(cmd);
}

/* Parameters and columns are as many as the table says; what it says writes
 * does, and what it says asks does not. */
static void
test_shapes(void **state)
{
	sqlite3_stmt *q;
	const char *p;
	unsigned i;
	int rc;

	(void)state;
	for (i = 0; i < QUERY_COUNT; i++) {
		rc = SQLITE_OK;
		q = sql_prepare(&store, query_sql[i], &rc);
		if (rc != SQLITE_OK)
			fail_msg("%s: %s", query_shape[i].name,
			    sqlite3_errmsg(store.db));
		p = query_shape[i].shape;
		if (strspn(p, "tn") != strlen(p) ||
		    (size_t)sqlite3_bind_parameter_count(q) != strlen(p))
			fail_msg("%s: shape \"%s\", and SQLite counts %d",
			    query_shape[i].name, p,
			    sqlite3_bind_parameter_count(q));
		if ((unsigned)sqlite3_column_count(q) != query_shape[i].columns)
			fail_msg("%s: %u columns, and SQLite counts %d",
			    query_shape[i].name, query_shape[i].columns,
			    sqlite3_column_count(q));
		if ((sqlite3_stmt_readonly(q) == 0) !=
		    (query_shape[i].columns == 0))
			fail_msg("%s: reads or writes", query_shape[i].name);
		if (*sqlite3_sql(q) == '\0' || strlen(sqlite3_sql(q)) !=
		    strlen(query_sql[i]))
			fail_msg("%s: more than one statement",
			    query_shape[i].name);
		sqlite3_finalize(q);
	}
}

/* Each runs, with NULL everywhere or not, and never says that it cannot but
 * by a constraint. */
static void
test_runs(void **state)
{
	sqlite3_stmt *q;
	unsigned i, k, turn;
	const char *p;
	int rc;

	(void)state;
	for (turn = 0; turn < 2; turn++)
		for (i = 0; i < QUERY_COUNT; i++) {
			rc = SQLITE_OK;
			q = sql_prepare(&store, query_sql[i], &rc);
			assert_int_equal(rc, SQLITE_OK);
			p = query_shape[i].shape;
			for (k = 0; p[k] != '\0' && turn == 0; k++)
				if (p[k] == 't')
					sql_bind_text(q, (int)k + 1,
					    STR_LIT("text"));
				else
					sql_bind_num(q, (int)k + 1, 7);
			while ((rc = sqlite3_step(q)) == SQLITE_ROW)
				;
			if (rc != SQLITE_DONE && (turn == 0 || ((rc & 0xff) !=
			    SQLITE_CONSTRAINT && rc != SQLITE_MISMATCH)))
				fail_msg("%s: %s", query_shape[i].name,
				    sqlite3_errmsg(store.db));
			sqlite3_finalize(q);
		}
}

/* Where a table may be large a query goes by an index. */
static void
test_indexed(void **state)
{
	static const enum query asked[] = { Q_RUN_IS, Q_RUN_LAST,
	    Q_RUN_OF_ALERT, Q_INCIDENT_OF, Q_INCIDENT_GET, Q_INCIDENT_BY_ID, Q_INCIDENT_OPEN, Q_HISTORY_OF,
	    Q_SILENCE_GET, Q_NOTICE_GET, Q_OUTBOX_GET, Q_OUTBOX_OF,
	    Q_OUTBOX_TRIED, Q_DELIVERY_OF, Q_DELIVERY_COUNT, Q_META_GET };
	char sql[4096];
	sqlite3_stmt *q;
	unsigned i;
	int rc;

	(void)state;
	for (i = 0; i < sizeof asked / sizeof *asked; i++) {
		sqlite3_snprintf(sizeof sql, sql, "EXPLAIN QUERY PLAN %s",
		    query_sql[asked[i]]);
		rc = SQLITE_OK;
		q = sql_prepare(&store, sql, &rc);
		while ((rc = sqlite3_step(q)) == SQLITE_ROW) {
			const char *t = (const char *)sqlite3_column_text(q, 3);

			if (strncmp(t, "SCAN", 4) == 0 &&
			    strstr(t, "USING INDEX incident_open") == NULL)
				fail_msg("%s: %s", query_shape[asked[i]].name,
				    t);
		}
		assert_int_equal(rc, SQLITE_DONE);
		sqlite3_finalize(q);
	}
}

static double
count(const char *sql)
{
	int rc = SQLITE_OK;
	sqlite3_stmt *q = sql_prepare(&store, sql, &rc);
	double n;

	assert_int_equal(sqlite3_step(q), SQLITE_ROW);
	n = sqlite3_column_double(q, 0);
	sqlite3_finalize(q);
	return n;
}

static void
trim(enum query query, double before)
{
	int rc = SQLITE_OK;
	sqlite3_stmt *q = sql_prepare(&store, query_sql[query], &rc);

	sql_bind_num(q, 1, before);
	assert_int_equal(sql_run(q, rc), SQLITE_OK);
	sqlite3_finalize(q);
}

/* A clock ten years ahead takes what is old in steps, and leaves the newest;
 * what there is too much of goes by its order. */
static void
test_trim(void **state)
{
	(void)state;
	assert_int_equal(sqlite3_exec(store.db, "WITH RECURSIVE n(x) AS "
	    "(SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 23500) "
	    "INSERT INTO history (time, key) SELECT x, iif(x = 5, x'6f', x'') "
	    "FROM n; INSERT INTO incident (key, state) VALUES (x'6f', 2);",
	    NULL, NULL, NULL), SQLITE_OK);
	trim(Q_HISTORY_TRIM, 0);
	assert_true(count("SELECT count(*) FROM history") == 23500);
	trim(Q_HISTORY_TRIM, 500);
	assert_true(count("SELECT count(*) FROM history") == 23500 - 498);
	assert_true(count("SELECT min(id) FROM history") == 5);
	trim(Q_HISTORY_TRIM, 1e9);
	assert_true(count("SELECT count(*) FROM history") == 23500 - 1498);
	trim(Q_HISTORY_TRIM, 1e9);
	trim(Q_HISTORY_TRIM, 1e9);
	trim(Q_HISTORY_TRIM, 1e9);
	/* the newest, and what is of an incident that still fires */
	assert_true(count("SELECT count(*) FROM history") == 20001);
	assert_int_equal(sqlite3_exec(store.db, "INSERT INTO history (id, "
	    "time) VALUES (502000, 1e12)", NULL, NULL, NULL), SQLITE_OK);
	trim(Q_HISTORY_TRIM, 0);
	assert_true(count("SELECT count(*) FROM history") == 20002);
	assert_int_equal(sqlite3_exec(store.db, "INSERT INTO history (id, "
	    "time) VALUES (504000, 1e12)", NULL, NULL, NULL), SQLITE_OK);
	trim(Q_HISTORY_TRIM, 0);
	assert_true(count("SELECT count(*) FROM history WHERE id <= 4000") ==
	    1);
	assert_true(count("SELECT count(*) FROM history") == 20003 - 500);
}

/* Of 250,000 runs the newest are kept, and of each alert that runs seldom the
 * last ones, and the one that was due last, whatever was done by hand since. */
static void
test_trim_runs(void **state)
{
	unsigned i;

	(void)state;
	assert_int_equal(sqlite3_exec(store.db, "DELETE FROM run;"
	    "WITH RECURSIVE n(x) AS "
	    "(SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 250000) "
	    "INSERT INTO run (id, run, alert, ended, due) SELECT x, "
	    "CAST('r' || x AS BLOB), iif(x > 20, CAST('m' || (x % 100) AS "
	    "BLOB), x'79'), x, iif(x > 20 OR x < 11, x, NULL) FROM n",
	    NULL, NULL, NULL), SQLITE_OK);
	for (i = 0; i < 9; i++)
		trim(Q_RUN_TRIM, 0);
	assert_true(count(query_sql[Q_TRIM_LEFT]) == 50000 - 45000);
	for (i = 0; i < 9; i++)
		trim(Q_RUN_TRIM, 0);
	assert_true(count("SELECT count(*) FROM run WHERE id > 20") == 200000);
	assert_true(count("SELECT min(id) FROM run WHERE id > 20") == 50001);
	/* 16 to 20, and 10 */
	assert_true(count("SELECT count(*) FROM run WHERE alert = x'79'") == 6);
	assert_true(count("SELECT max(due) FROM run WHERE alert = x'79'") ==
	    10);
	assert_true(count("SELECT min(id) FROM run") == 10);
	/* by time, but 20000 */
	for (i = 0; i < 50; i++)
		trim(Q_RUN_TRIM, 1e9);
	assert_true(count("SELECT count(*) FROM run") == 20006);
	assert_int_equal(sqlite3_exec(store.db, "DELETE FROM run", NULL, NULL,
	    NULL), SQLITE_OK);
}

/* One row for each (alert, due); by hand as many as there are. */
static void
test_due(void **state)
{
	static const double due[] = { 60, 60, 120, NAN, NAN };
	sqlite3_stmt *q;
	char run[2] = "a";
	unsigned i, k;
	int rc = SQLITE_OK;

	(void)state;
	for (i = 0; i < 2; i++)
		for (k = 0; k < sizeof due / sizeof *due; k++, run[0]++) {
			q = sql_prepare(&store, query_sql[Q_RUN_ADD], &rc);
			sql_bind_text(q, 1, str_c(run));
			sql_bind_text(q, 2, i == 0 ? STR_LIT("one") :
			    STR_LIT("two"));
			sql_bind_num(q, 8, isnan(due[k]) ? NUM_NIL :
			    due[k] * (i + 1));
			assert_int_equal(sql_run(q, rc), SQLITE_OK);
			sqlite3_finalize(q);
		}
	assert_true(count("SELECT count(*) FROM run") == 8);
	q = sql_prepare(&store, query_sql[Q_RUN_DUE], &rc);
	for (i = 1; i < 3; i++) {
		assert_int_equal(sqlite3_step(q), SQLITE_ROW);
		assert_true(sqlite3_column_double(q, 1) == 120 * i);
	}
	assert_int_equal(sqlite3_step(q), SQLITE_DONE);
	sqlite3_finalize(q);
	assert_int_equal(sqlite3_exec(store.db, "DELETE FROM run", NULL, NULL,
	    NULL), SQLITE_OK);
}

static int
next_due(double now)
{
	int rc = SQLITE_OK, id = 0;
	sqlite3_stmt *q = sql_prepare(&store, query_sql[Q_OUTBOX_NEXT], &rc);

	sql_bind_num(q, 1, now);
	if (sqlite3_step(q) == SQLITE_ROW)
		id = sqlite3_column_int(q, 0);
	sqlite3_finalize(q);
	return id;
}

/* What was put before the clock was set back by a year is due at once, not in
 * a year, and nothing goes. */
static void
test_clock_back(void **state)
{
	const double now = 2e9 - 365 * 86400.0;

	(void)state;
	assert_int_equal(sqlite3_exec(store.db, "INSERT INTO outbox (key, "
	    "notice, way, rcpt, first, route, due, made, since, tries, state, "
	    "urgent, fold, why) VALUES "
	    "(x'61', x'61', x'62', x'', x'', x'', 2e9 + 30, 2e9, 2e9, 0, 0, 0,"
	    " 0, x''), "
	    "(x'62', x'61', x'63', x'', x'', x'', 2e9 + 30, 2e9, 2e9, 9, 2, 0,"
	    " 0, x'')", NULL, NULL, NULL), SQLITE_OK);
	trim(Q_OUTBOX_CLOCK, 2e9);	/* the clock is well: as it was */
	assert_int_equal(next_due(2e9), 0);
	assert_int_equal(next_due(2e9 + 30), 1);
	assert_int_equal(next_due(now), 0);
	trim(Q_OUTBOX_CLOCK, now);
	assert_int_equal(next_due(now), 1);	/* but no dead one */
	trim(Q_OUTBOX_TRIM, now - 400 * 86400.0);
	trim(Q_NOTICE_TRIM, now - 400 * 86400.0);
	assert_true(count("SELECT count(*) FROM outbox") == 2);
	trim(Q_OUTBOX_TRIM, 4e9);		/* the newest stay */
	assert_true(count("SELECT count(*) FROM outbox") == 2);
}

static enum request_end
commit(const char *id)
{
	struct stage none;
	struct buf in, out;
	struct wire w;
	enum request_end end;

	stage_init(&none, &mem);
	buf_init(&in, &mem);
	buf_init(&out, &mem);
	wire_text(&in, str_c(id));
	wire_u8(&in, 0);
	w = (struct wire){ in.p, in.n, false };
	store_close(&store);
	end = request_do(&store, WIRE_COMMIT, &w, &none, NULL, NULL,
	    &out);
	buf_free(&in);
	buf_free(&out);
	return end;
}

/* The ids of batches are kept for a while, and not for ever. */
static void
test_taken(void **state)
{
	(void)state;
	assert_int_equal(sqlite3_exec(store.db, "WITH RECURSIVE n(x) AS "
	    "(SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 50000) "
	    "INSERT INTO taken (n, id) SELECT x, CAST(x AS BLOB) FROM n",
	    NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(commit("50000"), REQUEST_DONE);	/* was taken */
	assert_int_equal(store_open(&store, true), STORE_READY);
	assert_true(count("SELECT max(n) FROM taken") == 50000);
	assert_int_equal(commit("new"), REQUEST_DONE);
	assert_int_equal(store_open(&store, true), STORE_READY);
	assert_true(count("SELECT max(n) FROM taken") == 50001);
	assert_true(count("SELECT count(*) FROM taken") == LIM_TAKEN);
}

static void
one_point(double time)
{
	struct buf b;

	buf_init(&b, &mem);
	wire_text(&b, STR_LIT("a"));
	wire_text(&b, STR_LIT("s"));
	wire_u8(&b, 1);
	wire_num(&b, 0);
	wire_num(&b, 0);
	wire_num(&b, time);
	wire_text(&b, STR_EMPTY);
	wire_u8(&b, ITEM_POINT);
	wire_text(&b, STR_LIT("x"));
	wire_num(&b, time);
	wire_num(&b, 1);
	assert_true(apply_look((struct wire){ b.p, b.n, false }));
	assert_int_equal(apply_do(&store, (struct wire){ b.p, b.n, false }),
	    SQLITE_OK);
	buf_free(&b);
}

/* A series loses what is too old, but not all when a clock jumps. */
static void
test_points(void **state)
{
	(void)state;
	one_point(1);
	assert_int_equal(sqlite3_exec(store.db, "WITH RECURSIVE n(x) AS "
	    "(SELECT 2 UNION ALL SELECT x + 1 FROM n WHERE x < 12000) "
	    "INSERT INTO point SELECT series, x, 0 FROM n, (SELECT series FROM "
	    "point); UPDATE series SET points = 12000", NULL, NULL, NULL),
	    SQLITE_OK);
	one_point(12001);
	assert_true(count("SELECT count(*) FROM point") == 12001);
	one_point(LIM_POINT_AGE + 101);
	assert_true(count("SELECT min(time) FROM point") == 101);
	assert_true(count("SELECT count(*) FROM point") == 12001 - 100 + 1);
	one_point(3650 * 86400.0);		/* ten years later, it says */
	assert_true(count("SELECT count(*) FROM point") == LIM_POINTS_LEFT);
	assert_true(count("SELECT max(time) FROM point") == 3650 * 86400.0);
	one_point(12002);			/* and back */
	assert_true(count("SELECT count(*) FROM point") == LIM_POINTS_LEFT + 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_shapes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_runs, setup, teardown),
		cmocka_unit_test_setup_teardown(test_indexed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_trim, setup, teardown),
		cmocka_unit_test_setup_teardown(test_trim_runs, setup, teardown),
		cmocka_unit_test_setup_teardown(test_due, setup, teardown),
		cmocka_unit_test_setup_teardown(test_points, setup, teardown),
		cmocka_unit_test_setup_teardown(test_taken, setup, teardown),
		cmocka_unit_test_setup_teardown(test_clock_back, setup,
		    teardown),
	};

	mem_init(&mem, (size_t)1 << 28, NULL);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
