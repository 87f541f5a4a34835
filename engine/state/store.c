#include "engine/state/store.h"

#include <sys/stat.h>
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "engine/state/aside.h"
#include "engine/state/schema.h"
#include "engine/state/sql.h"
#include "engine/vm/clock.h"

void
store_init(struct store *s, struct mem *m, struct str path, bool read_only)
{
	memset(s, 0, sizeof *s);
	s->mem = m;
	s->lock.fd = -1;
	s->read_only = read_only;
	s->memory = str_eq(path, STR_LIT(STATE_MEMORY));
	buf_init(&s->path, m);
	buf_init(&s->lock_path, m);
	buf_init(&s->why, m);
	buf_init(&s->note, m);
	buf_str(&s->path, path);
	buf_str(&s->lock_path, path);
	buf_puts(&s->lock_path, ".lock");
}

static void
shut(struct store *s)
{
	sql_end_all(s);
	/* the last one to close a WAL file writes it back */
	if (s->db != NULL)
		(void)sqlite3_close_v2(s->db);
	s->db = NULL;
	s->kept = s->full = false;
	s->journal = s->written = 0;
	lock_drop(&s->lock);
}

void
store_free(struct store *s)
{
	shut(s);
	buf_free(&s->path);
	buf_free(&s->lock_path);
	buf_free(&s->why);
	buf_free(&s->note);
}

void
store_close(struct store *s)
{
	if (!s->kept)
		shut(s);
	/* what failed is undone, as closing a file does */
	else if (sqlite3_get_autocommit(s->db) == 0)
		(void)sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
}

static enum store_got __attribute__((format(printf, 2, 3)))
fail(struct store *s, const char *fmt, ...)
{
	va_list ap;

	buf_clear(&s->why);
	buf_str(&s->why, buf_view(&s->path));
	buf_puts(&s->why, ": ");
	va_start(ap, fmt);
	buf_vprintf(&s->why, fmt, ap);
	va_end(ap);
	return STORE_FAILED;
}

/* The state's folder and those above it, for the user alone. */
static bool
make_folder(struct store *s)
{
	buf_clear(&s->why);
	buf_str(&s->why, buf_view(&s->path));
	buf_puts(&s->why, ": ");
	return place_folder(buf_view(&s->path), s->mem, &s->why);
}

/* What stands there is a file of ours, or nothing. */
static enum store_got
look(struct store *s)
{
	struct stat st;
	int error;

	if (lstat(buf_c(&s->path), &st) != 0) {
		if (errno == ENOENT || errno == ENOTDIR)
			return STORE_EMPTY;
		return fail(s, "cannot be looked at: %s", strerror(errno));
	}
	if (S_ISLNK(st.st_mode))
		return fail(s, "is a symbolic link, which could lead the state "
		    "anywhere: put the file itself in its place, or remove "
		    "the link");
	if (S_ISDIR(st.st_mode))
		return fail(s, "is a folder where the state's file should be: "
		    "move it away");
	if (!S_ISREG(st.st_mode))
		return fail(s, "is no ordinary file: move it away");
	if (st.st_uid != geteuid())
		return fail(s, "belongs to user %ld, and this runs as user "
		    "%ld: run it as that user, or move the file away",
		    (long)st.st_uid, (long)geteuid());
	if (access(s->path.p, s->writing ? R_OK | W_OK : R_OK) != 0) {
		error = errno;
		return fail(s, "cannot be %s: %s: give the user its rights "
		    "(chmod 600), or make its file system writable",
		    access(s->path.p, R_OK) != 0 ? "read" : "written",
		    strerror(error));
	}
	return STORE_READY;
}

/* What a killed store left to be taken into the file. */
static bool
has_journal(const struct store *s)
{
	struct stat st;
	struct buf wal;
	bool has;

	buf_init(&wal, s->mem);
	buf_str(&wal, buf_view(&s->path));
	buf_puts(&wal, "-wal");
	has = stat(buf_c(&wal), &st) == 0 && st.st_size > 0;
	buf_free(&wal);
	return has;
}

/* Whether somebody listens for the clients of picketd's store. */
static bool
is_served(struct store *s)
{
	struct str path = buf_view(&s->path);
	struct buf b;
	int fd = -1;
	bool full;

	if (path.n <= sizeof STATE_FILE - 1)
		return false;
	buf_init(&b, s->mem);
	buf_str(&b, str_of(path.p, path.n - (sizeof STATE_FILE - 1)));
	buf_puts(&b, STATE_SOCKET);
	fd = place_connect(buf_view(&b), STORE_LOOK, s->mem);
	full = fd == -1 && errno == EAGAIN;	/* so many wait for it */
	buf_free(&b);
	if (fd != -1)
		(void)close(fd);
	return fd != -1 || full;
}

static enum lock_got
wait_for_lock(struct store *s, enum lock_kind kind)
{
	/* who has held it so long hardly lets it go now: a run asks several
	 * times, and must not wait so long for each */
	double wait = s->held ? LIM_STORE_LOCK_AGAIN : LIM_STORE_LOCK;
	double until = clock_steady() + wait;
	enum lock_got got;

	if (s->holds)
		return lock_take(&s->lock, buf_c(&s->lock_path), kind, wait);
	do {
		got = lock_take(&s->lock, buf_c(&s->lock_path), kind,
		    STORE_LOOK);
		s->served = got == LOCK_HELD && is_served(s);
	} while (got == LOCK_HELD && !s->served && clock_steady() < until);
	return got;
}

/* Runs of all scripts wait for each other here, for one request each. */
static bool
take_lock_as(struct store *s, enum lock_kind kind)
{
	switch (wait_for_lock(s, kind)) {
	case LOCK_GOT:
		s->held = false;
		return true;
	case LOCK_HELD:
		s->held = true;
		if (s->lock.holder > 0)
			fail(s, "process %ld has held the state for more than "
			    "%.0f seconds (%s): wait for it, or end it",
			    (long)s->lock.holder, LIM_STORE_LOCK,
			    s->lock_path.p);
		else
			fail(s, "the state's lock could not be had for %.0f "
			    "seconds: many runs want it; try again",
			    LIM_STORE_LOCK);
		return false;
	case LOCK_NONE:
		break;
	}
	if (s->lock.error == 0)
		fail(s, "the lock file beside it is no ordinary file of this "
		    "user: move it away");
	else if (!s->writing)
		return true;	/* nobody has written here, or it is not ours:
				 * the file tells */
	else if (s->lock.error == ENOSPC || s->lock.error == EDQUOT)
		fail(s, "the disk is full: the lock file beside it cannot be "
		    "made; make room there");
	else
		fail(s, "cannot be written: the lock file beside it: %s: make "
		    "its folder and file system writable",
		    strerror(s->lock.error));
	return false;
}

/*
 * Who writes is alone, and so is the reader who finds a journal: to read it
 * SQLite has to write, and of two who have begun to read neither may.
 */
static bool
take_lock(struct store *s)
{
	if (s->writing)
		return take_lock_as(s, LOCK_ALONE);
	if (!take_lock_as(s, LOCK_SHARED))
		return false;
	if (!has_journal(s))
		return true;
	lock_drop(&s->lock);
	if (!take_lock_as(s, LOCK_ALONE))
		return false;
	/* the lock is not ours to write: then nor is the file */
	return s->lock.fd != -1 || take_lock_as(s, LOCK_SHARED);
}

static int
exec(struct store *s, const char *sql)
{
	return sqlite3_exec(s->db, sql, NULL, NULL, NULL);
}

static int
pragma(struct store *s, const char *sql, int *value)
{
	sqlite3_stmt *q;
	int rc = sqlite3_prepare_v2(s->db, sql, -1, &q, NULL);

	*value = 0;
	if (rc == SQLITE_OK && (rc = sqlite3_step(q)) == SQLITE_ROW) {
		*value = sqlite3_column_int(q, 0);
		rc = SQLITE_OK;
	} else if (rc == SQLITE_DONE)
		rc = SQLITE_OK;
	(void)sqlite3_finalize(q);
	return rc;
}

/*
 * A copy of the file as it was, before it is upgraded: whoever wants the
 * older Picket again has it.  It gets its name when it is whole, so one that
 * was begun by a store that was killed has none.
 */
static int
back_up(struct store *s, int version)
{
	char what[32];
	struct buf part, to;
	sqlite3_stmt *q;
	int rc = SQLITE_OK;

	buf_init(&part, s->mem);
	buf_init(&to, s->mem);
	buf_str(&part, buf_view(&s->path));
	buf_printf(&part, ".v%d.part", version);
	(void)unlink(buf_c(&part));
	buf_str(&to, buf_view(&part));
	buf_puts(&to, "-journal");
	(void)unlink(buf_c(&to));
	q = sql_prepare(s, "VACUUM INTO ?", &rc);
	if (q != NULL)
		(void)sqlite3_bind_text64(q, 1, part.p, part.n, SQLITE_STATIC,
		    SQLITE_UTF8);
	rc = sql_run(q, rc);
	(void)sqlite3_finalize(q);
	snprintf(what, sizeof what, ".v%d.", version);
	aside_name(s, &to, what, "");
	if (rc == SQLITE_OK && (!aside_sync(s, part.p) ||
	    rename(part.p, buf_c(&to)) != 0 || !aside_sync(s, to.p)))
		rc = SQLITE_IOERR;
	if (rc != SQLITE_OK)
		(void)unlink(part.p);
	buf_free(&part);
	buf_free(&to);
	return rc;
}

enum schema { SCHEMA_FINE, SCHEMA_NONE, SCHEMA_REFUSED };

/* Whose file it is, and of which version; an empty one gets its tables. */
static int
check_schema(struct store *s, enum schema *is)
{
	int id, version, tables, rc;

	*is = SCHEMA_REFUSED;
	if ((rc = pragma(s, "PRAGMA application_id", &id)) != SQLITE_OK ||
	    (rc = pragma(s, "PRAGMA user_version", &version)) != SQLITE_OK ||
	    (rc = pragma(s, "SELECT count(*) FROM sqlite_master", &tables)) !=
	    SQLITE_OK) {
		*is = SCHEMA_FINE;
		return rc;
	}
	if (id == STORE_ID && version > STORE_VERSION)
		fail(s, "is of a newer Picket (its version %d, this program "
		    "knows %d): run that Picket, or move the file away to "
		    "begin anew", version, STORE_VERSION);
	else if (id == STORE_ID && version > 0) {
		/* an older one: who only reads takes it as it is */
		s->version = version;
		*is = SCHEMA_FINE;
		if (version == STORE_VERSION || !s->writing)
			return SQLITE_OK;
		s->version = STORE_VERSION;
		rc = back_up(s, version);
		return rc == SQLITE_OK ? schema_make(s, version) : rc;
	} else if (id != 0 || version != 0 || tables != 0)
		fail(s, "is a database of another program: move it away");
	else {
		*is = s->writing ? SCHEMA_FINE : SCHEMA_NONE;
		if (!s->writing)
			return SQLITE_OK;
		s->version = STORE_VERSION;
		rc = exec(s, "PRAGMA journal_mode = WAL");
		return rc == SQLITE_OK ? schema_make(s, 0) : rc;
	}
	return SQLITE_OK;
}

/*
 * What only reads takes the file as it is and makes none beside it, which
 * SQLite calls immutable; only what a killed store left in the journal needs
 * more, and the lock has its writers wait.
 */
static int
open_db(struct store *s)
{
	struct buf uri;
	size_t i;
	int rc, flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
	bool left;

	if (s->writing)
		return sqlite3_open_v2(buf_c(&s->path), &s->db, flags, NULL);
	buf_init(&uri, s->mem);
	buf_puts(&uri, "file:");
	for (i = 0; i < s->path.n; i++)
		if (strchr("?#%", s->path.p[i]) != NULL)
			buf_printf(&uri, "%%%02x", (unsigned)s->path.p[i]);
		else
			buf_putc(&uri, s->path.p[i]);
	left = has_journal(s);
	if (!left)
		buf_puts(&uri, "?immutable=1");
	flags = left && !s->read_only ? SQLITE_OPEN_READWRITE :
	    SQLITE_OPEN_READONLY;
	rc = sqlite3_open_v2(buf_c(&uri), &s->db, flags | SQLITE_OPEN_URI,
	    NULL);
	buf_free(&uri);
	return rc;
}

/* After each commit: how long the journal is. */
static int
grown(void *arg, sqlite3 *db, const char *name, int pages)
{
	struct store *s = arg;

	(void)db, (void)name;
	if (pages < s->written)		/* it was begun anew */
		s->written = 0;
	s->journal = pages;
	return SQLITE_OK;
}

static int
set_up(struct store *s, enum schema *is)
{
	mode_t mask = umask(077);
	int rc = open_db(s);

	*is = SCHEMA_FINE;
	if (rc == SQLITE_OK) {
		(void)sqlite3_extended_result_codes(s->db, 1);
		(void)sqlite3_busy_timeout(s->db, LIM_STORE_BUSY);
		/* exclusive: no shared memory file, whose pages a full disk
		 * may not give; but nobody else could read what is held */
		rc = s->holds ? exec(s, "PRAGMA journal_size_limit = 4194304") :
		    exec(s, "PRAGMA locking_mode = EXCLUSIVE");
	}
	if (rc == SQLITE_OK) {
		if (s->holds)
			(void)sqlite3_wal_hook(s->db, grown, s);
		rc = exec(s, "PRAGMA synchronous = NORMAL;"
		    "PRAGMA temp_store = MEMORY;"
		    "PRAGMA trusted_schema = OFF;"
		    "PRAGMA cell_size_check = ON");
	}
	if (rc == SQLITE_OK)
		rc = check_schema(s, is);
	(void)umask(mask);
	return rc;
}

static enum store_got
open_memory(struct store *s)
{
	enum schema is;
	int rc = SQLITE_OK;

	s->writing = true;
	if (s->db == NULL)
		rc = set_up(s, &is);
	s->kept = rc == SQLITE_OK;
	if (s->kept)
		return STORE_READY;
	fail(s, "%s", sqlite3_errstr(rc));
	(void)sqlite3_close_v2(s->db);
	s->db = NULL;
	return STORE_FAILED;
}

static enum store_got
open_file(struct store *s, bool write)
{
	enum store_got got;
	enum schema is;
	int rc, tries;

	/* to read, to set aside what is damaged, and on what is new then */
	for (tries = 0; tries < 3; tries++) {
		s->writing = write;
		if (write ? !make_folder(s) : (got = look(s)) != STORE_READY)
			return write ? STORE_FAILED : got;
		if (!take_lock(s))
			break;
		got = look(s);
		if (got == STORE_FAILED || (got == STORE_EMPTY && !write)) {
			store_close(s);
			return got;
		}
		rc = set_up(s, &is);
		if (is == SCHEMA_REFUSED)
			break;
		if (is == SCHEMA_NONE) {
			store_close(s);
			return STORE_EMPTY;
		}
		if (rc == SQLITE_OK)
			return STORE_READY;
		if (!store_failed(s, rc))
			break;
		if (s->read_only)
			return STORE_EMPTY;
		write = true;
	}
	store_close(s);
	return STORE_FAILED;
}

/* The file that is held is no more what stands under its name. */
static bool
has_moved(struct store *s)
{
	int moved = 0;

	return sqlite3_file_control(s->db, "main", SQLITE_FCNTL_HAS_MOVED,
	    &moved) == SQLITE_OK && moved;
}

enum store_got
store_open(struct store *s, bool write)
{
	enum store_got got;

	if (s->memory)
		return open_memory(s);
	if (s->path.n == 0 || s->path.p[0] != '/')
		return fail(s, "is no absolute path");
	if (s->kept && has_moved(s)) {
		buf_str(&s->note, buf_view(&s->path));
		buf_puts(&s->note, ": was moved or replaced while it was in "
		    "use: what stands there now is taken, and what was "
		    "written last may be in neither");
		shut(s);
	}
	if (s->kept)
		return STORE_READY;
	if (!s->holds)
		return open_file(s, write);
	if (!write && (got = look(s)) == STORE_EMPTY)
		return got;
	got = open_file(s, true);
	s->kept = got == STORE_READY;
	/* where nothing can be written, reading may do */
	return s->kept || write ? got : open_file(s, false);
}

void
store_tidy(struct store *s, bool idle)
{
	if (!s->kept || s->memory || s->journal == s->written ||
	    (!idle && s->journal - s->written < LIM_STORE_WAL))
		return;
	/* what of it others still read stays; what fails is tried again */
	(void)sqlite3_wal_checkpoint_v2(s->db, NULL, SQLITE_CHECKPOINT_PASSIVE,
	    NULL, NULL);
	s->written = s->journal;
}

/* After which a file that is held can be used on. */
static bool
is_mild(int rc)
{
	switch (rc & 0xff) {
	case SQLITE_BUSY: case SQLITE_LOCKED: case SQLITE_FULL:
	case SQLITE_CONSTRAINT: case SQLITE_MISMATCH: case SQLITE_TOOBIG:
		return true;
	default:
		return false;
	}
}

bool
store_failed(struct store *s, int rc)
{
	int error = s->db == NULL ? 0 : sqlite3_system_errno(s->db);
	bool aside;

	if (s->memory) {
		fail(s, "%s", sqlite3_errmsg(s->db));
		store_close(s);
		return false;
	}
	switch (rc & 0xff) {
	case SQLITE_CORRUPT: case SQLITE_NOTADB:
		fail(s, "is damaged: what was asked could not be read as a "
		    "whole; ask again");
		if (s->read_only) {
			buf_str(&s->note, buf_view(&s->path));
			buf_puts(&s->note, ": the state's file is damaged: it "
			    "is left there, and not read; the next run saves "
			    "what can be read of it (picket deliver does it "
			    "now)");
			aside = true;
		} else if (!s->writing) {
			aside = true;
		} else {
			sql_end_all(s);
			if (s->db != NULL)
				(void)sqlite3_close_v2(s->db);
			s->db = NULL;
			aside = aside_set(s);
		}
		shut(s);
		return aside;
	case SQLITE_BUSY: case SQLITE_LOCKED:
		fail(s, "another program has it open and locked: end that "
		    "(fuser tells which)");
		break;
	case SQLITE_READONLY: case SQLITE_PERM:
		fail(s, "cannot be written: its file system or folder is "
		    "read-only");
		break;
	case SQLITE_NOMEM:
		fail(s, "no memory left");
		break;
	default:
		if (rc == SQLITE_FULL || error == ENOSPC || error == EDQUOT)
			fail(s, "the disk is full: nothing was changed; make "
			    "room there");
		else if (error != 0)
			fail(s, "%s: %s", sqlite3_errstr(rc), strerror(error));
		else
			fail(s, "%s", s->db == NULL ? sqlite3_errstr(rc) :
			    sqlite3_errmsg(s->db));
		break;
	}
	if (s->kept && !is_mild(rc))
		shut(s);
	return false;
}
