/* names: see names.h. */
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/table/lines.h"
#include "engine/table/names.h"

static struct names_one *
slot(struct names *u, uid_t uid)
{
	size_t i = (uid * (size_t)2654435761u >> 7) & u->mask;

	while (u->one[i].used && u->one[i].uid != uid)
		i = (i + 1) & u->mask;
	return &u->one[i];
}

/* The whole file, or as much of it as is read; whole lines only. */
static void
load(struct names *u)
{
	char path[4096];
	struct stat st;
	ssize_t n;
	size_t cap;

	if (!table_path(u->world, "/etc/passwd", path, sizeof path) ||
	    stat(path, &st) != 0 || !S_ISREG(st.st_mode) || st.st_size <= 0)
		return;
	cap = st.st_size > LIM_PASSWD ? LIM_PASSWD : (size_t)st.st_size;
	u->text = mem_alloc(u->world->mem, cap);
	u->ntext = cap;
	n = file_bytes(AT_FDCWD, path, u->text, cap);
	if (n < 0)
		n = 0;
	memset(u->text + n, '\n', cap - (size_t)n);
	if (st.st_size > LIM_PASSWD)
		while (n > 0 && u->text[n - 1] != '\n')
			u->text[--n] = '\n';
}

static void
learn(struct names *u, struct str line)
{
	struct str name = line_part(&line, ':');
	struct names_one *o;
	double uid;

	line_part(&line, ':');
	uid = line_number(line_part(&line, ':'));
	if (num_none(uid) || uid >= UINT32_MAX || name.n == 0 ||
	    name.p[0] == '#' || name.p[0] == '+' || name.p[0] == '-')
		return;
	o = slot(u, (uid_t)uid);
	if (!o->used)		/* the first one counts, as for getpwuid */
		*o = (struct names_one){ (uid_t)uid, true, name };
}

void
names_open(struct names *u, const struct table_world *w)
{
	struct str rest;
	size_t lines = 0, i, n;

	*u = (struct names){ .world = w };
	load(u);
	for (i = 0; i < u->ntext; i++)
		lines += u->text[i] == '\n';
	for (n = 64; n < 2 * (lines + 1 + LIM_NAMES_ASKED); n *= 2)
		;
	u->one = mem_zalloc(w->mem, n * sizeof *u->one);
	u->mask = n - 1;
	u->asked = mem_alloc(w->mem, LIM_NAMES_BYTES);
	rest = u->ntext == 0 ? STR_NIL : str_of(u->text, u->ntext);
	while (!str_none(rest))
		learn(u, line_part(&rest, '\n'));
}

void
names_close(struct names *u)
{
	if (u->world == NULL)
		return;
	mem_free(u->world->mem, u->text, u->ntext);
	if (u->one != NULL)
		mem_free(u->world->mem, u->one, (u->mask + 1) * sizeof *u->one);
	mem_free(u->world->mem, u->asked, LIM_NAMES_BYTES);
	*u = (struct names){ .world = NULL };
}

/* Asks the name service, and remembers what it says. */
static struct str
ask(struct names *u, struct names_one *o, uid_t uid)
{
	struct str name = STR_NIL;

	if (!u->world->limited && u->world->username != NULL)
		name = u->world->username(u->world->arg, uid);
	if (str_none(name) || name.n == 0)
		name = STR_NIL;
	if (u->nasked == LIM_NAMES_ASKED ||
	    (!str_none(name) && name.n > LIM_NAMES_BYTES - u->nbytes))
		return name;
	if (!str_none(name)) {
		memcpy(u->asked + u->nbytes, name.p, name.n);
		name.p = u->asked + u->nbytes;
		u->nbytes += name.n;
	}
	u->nasked++;
	*o = (struct names_one){ uid, true, name };
	return name;
}

struct str
names_user(struct names *u, uid_t uid)
{
	struct names_one *o = slot(u, uid);
	struct str name = o->used ? o->name : ask(u, o, uid);

	if (!str_none(name))
		return name;
	return str_of(u->number, number_text(uid, u->number));
}

struct str
names_of(struct names *u, double uid)
{
	return uid >= 0 && uid <= UINT32_MAX ? names_user(u, (uid_t)uid) :
	    STR_NIL;
}
