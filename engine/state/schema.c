#include "engine/state/schema.h"

/*
 * line: a key and when it was last seen, by the number of the owner's good
 * run and by time.  value.line: of a line, or -owner for the script's own.
 * Names have their sigil; an element is '' for a scalar, else '[' and its
 * key.  A text that is NULL is NIL, the integer 1 is ERR.
 */
static const char version_1[] =
    "CREATE TABLE owner ("
    " id INTEGER PRIMARY KEY, alert BLOB NOT NULL, script BLOB NOT NULL,"
    " runs INTEGER NOT NULL DEFAULT 0, good INTEGER NOT NULL DEFAULT 0,"
    " last BLOB, names BLOB, UNIQUE (alert, script));"
    "CREATE TABLE line ("
    " id INTEGER PRIMARY KEY, owner INTEGER NOT NULL, key BLOB NOT NULL,"
    " seen INTEGER NOT NULL, time REAL NOT NULL, UNIQUE (owner, key));"
    "CREATE TABLE value ("
    " line INTEGER NOT NULL, name BLOB NOT NULL, element BLOB NOT NULL,"
    " text BLOB, PRIMARY KEY (line, name, element)) WITHOUT ROWID;"
    "CREATE TABLE position ("
    " owner INTEGER NOT NULL, name BLOB NOT NULL, position BLOB NOT NULL,"
    " PRIMARY KEY (owner, name)) WITHOUT ROWID;"
    "CREATE TABLE series ("
    " id INTEGER PRIMARY KEY, owner INTEGER NOT NULL, name BLOB NOT NULL,"
    " points INTEGER NOT NULL DEFAULT 0, UNIQUE (owner, name));"
    "CREATE TABLE point ("
    " series INTEGER NOT NULL, time REAL NOT NULL, value REAL NOT NULL);"
    "CREATE INDEX point_time ON point (series, time);"
    "PRAGMA application_id = 1885954923;";
_Static_assert(STORE_ID == 1885954923, "the schema says it, too");

/*
 * What query.def asks of.  Tables whose rows are trimmed or listed in their
 * order have an id that grows.  taken: the batches of late, so that one that
 * is sent twice is taken once; owner.last did that for one script.
 * The view gives an incident's columns their order.
 */
#define COLUMN_S " BLOB DEFAULT x''"
#define COLUMN_N " REAL DEFAULT 0"
#define COLUMN(type, name) ", \"" #name "\"" COLUMN_##type
static const char version_2[] =
    "ALTER TABLE owner DROP COLUMN last;"
    "ALTER TABLE owner ADD COLUMN last_time REAL;"
    "ALTER TABLE owner ADD COLUMN last_good INTEGER;"
    "ALTER TABLE owner ADD COLUMN bad INTEGER NOT NULL DEFAULT 0;"
    "CREATE TABLE taken (n INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE);"
    "CREATE TABLE run ("
    " id INTEGER PRIMARY KEY, run BLOB NOT NULL UNIQUE, alert BLOB,"
    " origin BLOB, began REAL, ended REAL, result BLOB, level REAL);"
    "CREATE INDEX run_alert ON run (alert);"
    "CREATE TABLE incident (key BLOB PRIMARY KEY"
#define F_RUN(type, name, meaning) COLUMN(type, name)
#define F_TOLD(type, name, meaning) COLUMN(type, name)
#define F_HUMAN(type, name, meaning) COLUMN(type, name)
#include "engine/incident/fields.def"
#undef F_RUN
#undef F_TOLD
#undef F_HUMAN
    ");"
    "CREATE INDEX incident_owner ON incident (alert, script);"
    "CREATE INDEX incident_id ON incident (id);"
    "CREATE INDEX incident_open ON incident (key)"
    " WHERE state <> 0 OR told <> 0;"
    "CREATE VIEW incidents AS SELECT key"
#define F_RUN(type, name, meaning) ", \"" #name "\""
#define F_TOLD(type, name, meaning) ", \"" #name "\""
#define F_HUMAN(type, name, meaning) ", \"" #name "\""
#include "engine/incident/fields.def"
#undef F_RUN
#undef F_TOLD
#undef F_HUMAN
    " FROM incident;"
    "CREATE TABLE history ("
    " id INTEGER PRIMARY KEY AUTOINCREMENT, time REAL, key BLOB,"
    " episode REAL, what BLOB, who BLOB, text BLOB, notice BLOB);"
    "CREATE INDEX history_key ON history (key);"
    "CREATE TABLE silence ("
    " id INTEGER PRIMARY KEY AUTOINCREMENT, pattern BLOB, made REAL,"
    " until REAL, ended REAL, who BLOB, why BLOB);"
    "CREATE TABLE notice ("
    " id INTEGER PRIMARY KEY, notice BLOB NOT NULL UNIQUE, run BLOB,"
    " alert BLOB, level REAL, made REAL, subject BLOB, sender BLOB,"
    " message BLOB, body BLOB, json BLOB);"
    "CREATE TABLE outbox ("
    " id INTEGER PRIMARY KEY AUTOINCREMENT, key BLOB NOT NULL UNIQUE,"
    " notice BLOB NOT NULL, way BLOB NOT NULL, rcpt BLOB NOT NULL,"
    " first BLOB NOT NULL, route BLOB NOT NULL, due REAL NOT NULL,"
    " made REAL NOT NULL, since REAL NOT NULL, tries REAL NOT NULL,"
    " state INTEGER NOT NULL, urgent INTEGER NOT NULL,"
    " fold INTEGER NOT NULL, why BLOB NOT NULL);"
    "CREATE INDEX outbox_due ON outbox (due);"
    "CREATE INDEX outbox_notice ON outbox (notice);"
    "CREATE TABLE delivery ("
    " id INTEGER PRIMARY KEY, time REAL, notice BLOB, way BLOB, rcpt BLOB,"
    " transport BLOB, outcome BLOB, why BLOB);"
    "CREATE INDEX delivery_notice ON delivery (notice);"
    "CREATE INDEX delivery_rcpt ON delivery (rcpt, time);"
    "CREATE TABLE meta (name BLOB PRIMARY KEY, value BLOB);";

/*
 * Runs that are due have one row each, however often they are begun.  due:
 * NULL by hand; error: of the run as a whole; lines: of its mail.  The last
 * statement writes all rows anew: salvage.h knows a row by how many fields it
 * has, and ADD COLUMN leaves those that are there short.
 */
static const char version_3[] =
    "ALTER TABLE run ADD COLUMN due REAL;"
    "ALTER TABLE run ADD COLUMN reason BLOB;"
    "ALTER TABLE run ADD COLUMN lines REAL;"
    "ALTER TABLE run ADD COLUMN error BLOB;"
    "ALTER TABLE run ADD COLUMN pid REAL;"
    "CREATE UNIQUE INDEX run_due ON run (alert, due) WHERE due IS NOT NULL;"
    "UPDATE run SET due = NULL;";

const char *const schema_of[STORE_VERSION] = { version_1, version_2,
    version_3 };

int
schema_make(struct store *s, int from)
{
	char last[64];
	int v, rc;

	rc = sqlite3_exec(s->db, "BEGIN IMMEDIATE", NULL, NULL, NULL);
	for (v = from; rc == SQLITE_OK && v < STORE_VERSION; v++)
		rc = sqlite3_exec(s->db, schema_of[v], NULL, NULL, NULL);
	sqlite3_snprintf(sizeof last, last, "PRAGMA user_version = %d; COMMIT",
	    STORE_VERSION);
	if (rc == SQLITE_OK)
		rc = sqlite3_exec(s->db, last, NULL, NULL, NULL);
	return rc;
}
