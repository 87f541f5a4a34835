/*
 * users: a row for each line of /etc/passwd, wrong ones too: a table that is
 * to find what is wrong with that file must not leave it out.  What passwords
 * are is in /etc/shadow, if that can be read; its lines mostly stand in the
 * same order, so that a search begins where the last one ended.
 */
#include <fcntl.h>
#include <math.h>
#include <string.h>
#include <sys/stat.h>

#include "engine/table/lines.h"

#define LIM_SHADOW	(4 << 20)	/* bytes of /etc/shadow: 40,000 users; of
					 * those behind, nothing is known */
enum { NAME, PASSWORD, UID, GID, GECOS, HOME, SHELL, FIELDS };

struct users {
	struct table	 t;
	struct lines	 lines;
	double		 line;
	struct str	 field[FIELDS];
	char		*shadow;
	size_t		 nshadow, cap;
	size_t		 at;		/* in shadow: where to search from */
	bool		 looked;	/* for this row */
	struct str	 hash, changed;	/* of shadow; NIL: not there */
};

static void
load_shadow(struct users *t)
{
	char path[4096];
	struct stat st;
	ssize_t n;

	if (!table_path(&t->t.world, "/etc/shadow", path, sizeof path) ||
	    stat(path, &st) != 0 || !S_ISREG(st.st_mode) || st.st_size <= 0)
		return;
	t->cap = st.st_size > LIM_SHADOW ? LIM_SHADOW : (size_t)st.st_size;
	t->shadow = mem_alloc(t->t.world.mem, t->cap);
	n = file_bytes(AT_FDCWD, path, t->shadow, t->cap);
	t->nshadow = n < 0 ? 0 : (size_t)n;
	if (st.st_size > LIM_SHADOW)	/* no half lines */
		while (t->nshadow > 0 && t->shadow[t->nshadow - 1] != '\n')
			t->nshadow--;
}

static struct table *
users_open(const struct table_world *w, const struct table_ask *ask,
    char why[LIM_TABLE_WHY])
{
	struct users *t;

	(void)ask;
	t = (struct users *)table_make(w, &table_users, sizeof *t);
	if (!lines_open(&t->lines, w, "/etc/passwd", why)) {
		mem_free(w->mem, t, sizeof *t);
		return NULL;
	}
	load_shadow(t);
	return &t->t;
}

static void
users_close(struct table *table)
{
	struct users *t = (struct users *)table;

	lines_close(&t->lines);
	mem_free(table->world.mem, t->shadow, t->cap);
	mem_free(table->world.mem, t, sizeof *t);
}

static enum table_next
users_next(struct table *table)
{
	struct users *t = (struct users *)table;
	struct str line;
	int i;

	while (lines_next(&t->lines, &line)) {
		t->line++;
		if (line.n == 0 || line.p[0] == '#')
			continue;
		for (i = 0; i < FIELDS; i++)
			t->field[i] = line_part(&line, ':');
		t->looked = false;
		return TABLE_ROW;
	}
	if (t->lines.error == 0)
		return TABLE_END;
	table_whyf(table->why, "cannot read /etc/passwd: %s",
	    strerror(t->lines.error));
	return TABLE_FAILED;
}

/* Is this line the user's?  *next: what is behind it. */
static bool
shadow_line(struct users *t, size_t at, size_t *next)
{
	struct str rest = str_of(t->shadow + at, t->nshadow - at);
	struct str line = line_part(&rest, '\n');

	*next = str_none(rest) ? t->nshadow : (size_t)(rest.p - t->shadow);
	if (!str_eq(line_part(&line, ':'), t->field[NAME]))
		return false;
	t->hash = line_part(&line, ':');
	t->changed = line_part(&line, ':');
	return true;
}

static void
look(struct users *t)
{
	size_t from = t->at, at = from;

	if (t->looked)
		return;
	t->looked = true;
	t->hash = t->changed = STR_NIL;
	if (t->nshadow == 0)
		return;
	do {
		if (at == t->nshadow)
			at = 0;
		if (shadow_line(t, at, &at)) {
			t->at = at == t->nshadow ? 0 : at;
			return;
		}
	} while (at != from && !(at == t->nshadow && from == 0));
}

/* What the field holds, in kind: crypt(5). */
static const char *
kind(struct str s)
{
	static const char *const now[] = { "$5$", "$6$", "$y$", "$gy$", "$7$",
	    "$2a$", "$2b$", "$2y$", "$sm3$", "$sm3y$" };
	size_t i;

	if (s.n == 0)
		return "empty";
	if (s.p[0] == '!' || s.p[0] == '*')
		return "locked";
	for (i = 0; i < sizeof now / sizeof now[0]; i++)
		if (str_starts(s, now[i]))
			return "hash";
	/* MD5, NTHASH, SHA1 ...; DES has 13 characters, BSDi's begins with _ */
	if (s.p[0] == '$' || s.n == 13 || s.p[0] == '_')
		return "old-hash";
	return s.n == 1 && s.p[0] == 'x' ? "x" : "locked";
}

static struct str
password(struct users *t)
{
	struct str own = t->field[PASSWORD];

	if (str_none(own))
		return STR_NIL;
	look(t);
	/* only an x refers to the other file */
	return str_c(kind(line_is(own, "x") && !str_none(t->hash) ? t->hash :
	    own));
}

static double
users_number(struct row *row, enum table_column c)
{
	struct users *t = (struct users *)row;
	double day;

	switch (c) {
	case COLUMN_USERS_uid:
		return line_number(t->field[UID]);
	case COLUMN_USERS_gid:
		return line_number(t->field[GID]);
	case COLUMN_USERS_line:
		return t->line;
	case COLUMN_USERS_aged:
		look(t);
		day = line_number(t->changed);
		/* 0 says that it must be changed, not when it was */
		return !(day > 0) ? NUM_NIL : floor(t->t.world.now / 86400) - day;
	default:
		return NUM_NIL;
	}
}

static struct str
users_text(struct row *row, enum table_column c)
{
	struct users *t = (struct users *)row;

	switch (c) {
	case COLUMN_USERS_user:
		return t->field[NAME];
	case COLUMN_USERS_gecos:
		return t->field[GECOS];
	case COLUMN_USERS_home:
		return t->field[HOME];
	case COLUMN_USERS_shell:
		return t->field[SHELL];
	case COLUMN_USERS_password:
		return password(t);
	default:
		return STR_NIL;
	}
}

const struct table_maker table_users = {
	users_open, users_next, users_close,
	{ users_number, users_text }
};
