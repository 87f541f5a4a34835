/*
 * world: the host, its users, and the names of others; and the object sets,
 * which are a part of the world that people wrote down.  What there is none
 * of is NIL, without a word: to ask whether a user exists is no error.
 */
#include "engine/builtin/arg.h"

/* 1 and *answer, 0: there is none and the result is NIL, -1: the result is
 * set and told of. */
static int
ask(struct call *c, enum fact what, struct str key, struct str *answer)
{
	const struct host *host;
	void *h;
	int r;

	host = vm_host(c->vm, &h);
	r = host->ask(h, what, key, answer);
	if (r < 0)
		arg_host_failed(c, str_none(key) ? STR_LIT("the host") : key);
	else if (r == 0) {
		c->rn = NUM_NIL;
		c->rs = STR_NIL;
	}
	return r;
}

/* A text about the host, or about whom the first text names. */
static void
say(struct call *c, enum fact what)
{
	struct str answer;

	if (c->ns > 0 && (arg_none(c) || !arg_c(c, 0)))
		return;
	if (ask(c, what, c->ns > 0 ? c->s[0] : STR_NIL, &answer) > 0)
		c->rs = vm_dup(c->vm, answer);
}

/* A number that goes with the name. */
static void
count(struct call *c, enum fact what)
{
	struct str answer;

	if (arg_none(c) || !arg_c(c, 0))
		return;
	if (ask(c, what, c->s[0], &answer) > 0)
		c->rn = num_parse(answer, false);
}

/* A name that goes with the number. */
static void
name(struct call *c, enum fact what)
{
	char t[NUM_TEXT_MAX];
	struct str answer;
	int64_t id;

	/* the last one, (uid_t)-1, is nobody's: it means "unchanged" */
	if (arg_none(c) || !arg_int(c, 0, 0, UINT32_MAX - 1, &id))
		return;
	if (ask(c, what, str_of(t, num_text((double)id, t)), &answer) > 0)
		c->rs = vm_dup(c->vm, answer);
}

void
bi_hostname(struct call *c)
{
	say(c, FACT_HOSTNAME);
}

void
bi_domain(struct call *c)
{
	say(c, FACT_DOMAIN);
}

void
bi_os(struct call *c)
{
	say(c, FACT_OS);
}

void
bi_osversion(struct call *c)
{
	say(c, FACT_OSVERSION);
}

void
bi_arch(struct call *c)
{
	say(c, FACT_ARCH);
}

void
bi_env(struct call *c)
{
	say(c, FACT_ENV);
}

void
bi_uptime(struct call *c)
{
	struct str answer;

	if (ask(c, FACT_UPTIME, STR_NIL, &answer) > 0)
		c->rn = num_parse(answer, false);
}

void
bi_user(struct call *c)
{
	say(c, FACT_USER);
}

void
bi_uid(struct call *c)
{
	count(c, FACT_UID);
}

void
bi_gid(struct call *c)
{
	count(c, FACT_GID);
}

void
bi_username(struct call *c)
{
	name(c, FACT_USERNAME);
}

void
bi_groupname(struct call *c)
{
	name(c, FACT_GROUPNAME);
}

void
bi_home(struct call *c)
{
	say(c, FACT_HOME);
}

void
bi_loggedin(struct call *c)
{
	count(c, FACT_LOGGEDIN);
}

void
bi_resolve(struct call *c)
{
	if (c->s[0].p != NULL && c->s[0].n == 0)
		vm_domain(c, "an empty name");
	else
		say(c, FACT_RESOLVE);
}

/* --- object sets --- */

/* Bytes of the line's first word, its key. */
static size_t
key_length(struct str line)
{
	size_t n = 0;

	while (n < line.n && line.p[n] != ' ' && line.p[n] != '\t')
		n++;
	return n;
}

/* The set's first line that is the key or begins with that word; NIL: none.
 * False where there is no such set: told of. */
static bool
object(struct call *c, struct str *found)
{
	const struct objects *o = vm_facts(c->vm)->objects;
	struct str set = c->s[0], key = c->s[1], near = STR_NIL;
	const struct str *line;
	size_t i, n;

	*found = STR_NIL;
	if (o == NULL || !o->lines(o->o, set, &line, &n)) {
		if (o != NULL)
			near = o->nearest(o->o, set);
		if (str_none(near))
			vm_domain(c, "there is no object set \"%.*s\"",
			    arg_cut(set), set.p);
		else
			vm_domain(c, "there is no object set \"%.*s\"; "
			    "is \"%.*s\" meant?", arg_cut(set), set.p,
			    arg_cut(near), near.p);
		return false;
	}
	for (i = 0; i < n && str_none(*found); i++)
		if (str_eq(str_of(line[i].p, key_length(line[i])), key) ||
		    str_eq(line[i], key))
			*found = line[i];
	return true;
}

void
bi_inobject(struct call *c)
{
	struct str line;

	if (!arg_none(c) && object(c, &line))
		c->rn = !str_none(line);
}

/* What stands behind the key, without the blanks between. */
void
bi_lookup(struct call *c)
{
	struct str line;
	size_t n;

	if (arg_none(c) || !object(c, &line))
		return;
	if (str_none(line)) {
		c->rs = STR_NIL;
		return;
	}
	n = key_length(line);
	c->rs = vm_dup(c->vm, str_trim(str_of(line.p + n, line.n - n)));
}
