/*
 * sql: what the files of the store share to talk to SQLite, and the SQL of
 * query.def.
 */
#ifndef ENGINE_STATE_SQL_H
#define ENGINE_STATE_SQL_H

#include "engine/state/query.h"
#include "engine/state/store.h"

extern const char *const query_sql[QUERY_COUNT];

/* *rc is left as it is if it tells of a failure already; NULL then. */
sqlite3_stmt *sql_prepare(struct store *, const char *sql, int *rc);
/* Done with it.  With a file that is held, and in memory, it is kept for the
 * next time that the same text is asked for: to read SQL takes most of a small
 * request's time. */
void	sql_end(struct store *, sqlite3_stmt *);
void	sql_end_all(struct store *);	/* those that are kept, too */
/* A statement that failed to be prepared is NULL, which these bear with. */
void	sql_bind_text(sqlite3_stmt *, int i, struct str);	/* STATIC */
void	sql_bind_num(sqlite3_stmt *, int i, double);
/* A text, NIL or ERR, as sql_bind_text wrote it. */
struct str sql_text(sqlite3_stmt *, int i);
/* Runs a statement that has no rows, and makes it ready for the next time. */
int	sql_run(sqlite3_stmt *, int rc);

#endif
