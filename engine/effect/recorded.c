/* recorded: the world that is written down, and what was done in it. */
#include <stdio.h>

#include "lang/base/num.h"
#include "engine/effect/recorded_inner.h"

#define BLOCK		4096

const char *const recorded_kind_name[RECORDED_KINDS] = {
	[RECORDED_EXEC] = "exec",
	[RECORDED_ACT] = "act",
	[RECORDED_PRINT] = "print",
	[RECORDED_STDOUT] = "stdout",
	[RECORDED_MAIL_TO] = "mail to",
	[RECORDED_SYSLOG] = "syslog",
	[RECORDED_JOURNAL] = "journal",
	[RECORDED_LOG] = "log",
	[RECORDED_WRITE] = "write",
	[RECORDED_ERROR] = "error",
	[RECORDED_WARNING] = "warning",
	[RECORDED_READ] = "read",
	[RECORDED_UNANSWERED] = "unanswered",
};

struct recorded *
recorded_new(struct mem *m)
{
	struct recorded *r = mem_zalloc(m, sizeof *r);

	r->mem = m;
	arena_init(&r->arena, m, BLOCK);
	arena_init(&r->texts, m, BLOCK);
	buf_init(&r->input, m);
	buf_init(&r->text, m);
	buf_init(&r->path, m);
	map_init(&r->file, &r->arena);
	map_init(&r->contact, &r->arena);
	map_init(&r->fact, &r->arena);
	map_init(&r->user, &r->arena);
	r->command_tail = &r->command;
	r->host = STR_LIT("localhost");
	return r;
}

void
recorded_free(struct recorded *r)
{
	struct canned_command *c;
	size_t i;

	if (r == NULL)
		return;
	recorded_close_all(r);
	for (c = r->command; c != NULL; c = c->next)
		re_free(c->re);
	if (r->re != NULL)
		re_ctx_free(r->re);
	for (i = 0; i < r->file.n; i++)
		buf_free(&((struct canned_file *)
		    r->file.entry[i].v.ptr)->content);
	mem_free(r->mem, r->did, r->capdid * sizeof *r->did);
	buf_free(&r->input);
	buf_free(&r->text);
	buf_free(&r->path);
	arena_free(&r->texts);
	arena_free(&r->arena);
	mem_free(r->mem, r, sizeof *r);
}

/* --- what was done --- */

void
recorded_did(struct recorded *r, enum recorded_kind kind, struct str target,
    struct str text)
{
	struct recorded_did *all;
	size_t cap;

	r->bytes += text.n + sizeof *all + (str_none(target) ? 0 : target.n);
	if (r->bytes > LIM_RECORDED) {
		r->full = true;
		return;
	}
	if (r->ndid == r->capdid) {
		cap = r->capdid * 2 + 16;
		r->did = mem_realloc(r->mem, r->did, r->capdid * sizeof *all,
		    cap * sizeof *all);
		r->capdid = cap;
	}
	r->did[r->ndid].kind = kind;
	r->did[r->ndid].target = str_none(target) ? STR_NIL :
	    arena_dup(&r->texts, target);
	r->did[r->ndid].text = arena_dup(&r->texts, text);
	r->ndid++;
}

const struct recorded_did *
recorded_done(const struct recorded *r, size_t *n)
{
	*n = r->ndid;
	return r->did;
}

void
recorded_forget(struct recorded *r)
{
	r->ndid = r->bytes = 0;
	r->full = false;
	arena_reset(&r->texts, (struct arena_mark){ NULL, NULL });
}

void
recorded_unanswered(struct live *l, const char *what, struct str which)
{
	struct recorded *r = l->o.recorded;
	struct buf b;

	which = str_shown(which);
	live_fail(l, "nobody has said what this gives: %s %.*s", what,
	    which.n < 300 ? (int)which.n : 300, which.p);
	buf_init(&b, r->mem);
	buf_puts(&b, what);
	if (which.n > 0)
		buf_putc(&b, ' ');
	buf_str(&b, which);
	recorded_did(r, RECORDED_UNANSWERED, STR_NIL, buf_view(&b));
	buf_free(&b);
}

/* --- the world --- */

void
recorded_set_clock(struct recorded *r, double now)
{
	r->now = now;
}

double
recorded_clock(const struct recorded *r)
{
	return r->now;
}

void
recorded_set_host(struct recorded *r, struct str name)
{
	r->host = arena_dup(&r->arena, name);
}

struct str
recorded_hostname(const struct recorded *r)
{
	return r->host;
}

void
recorded_set_input(struct recorded *r, struct str lines)
{
	buf_clear(&r->input);
	r->has_input = !str_none(lines);
	if (r->has_input)
		buf_str(&r->input, lines);
}

/* Runs of blanks as one, none at the ends. */
static struct str
squeeze(struct recorded *r, struct str s)
{
	struct buf *b = &r->text;
	size_t i;

	buf_clear(b);
	s = str_trim(s);
	for (i = 0; i < s.n; i++)
		if (s.p[i] != ' ' && s.p[i] != '\t')
			buf_putc(b, s.p[i]);
		else if (b->p[b->n - 1] != ' ')
			buf_putc(b, ' ');
	return buf_view(b);
}

void
recorded_command(struct recorded *r, struct str show, bool pattern,
    const struct recorded_answer *answer, size_t n)
{
	struct recorded_answer *own;
	struct canned_command *c;
	struct re_error err;
	size_t i;

	if (!pattern)
		show = squeeze(r, show);
	for (c = r->command; c != NULL; c = c->next)
		if (str_eq(c->show, show) && (c->re != NULL) == pattern)
			break;
	if (c == NULL) {
		c = arena_zalloc(&r->arena, sizeof *c);
		c->show = arena_dup(&r->arena, show);
		if (pattern) {
			if (r->re == NULL && (r->re = re_ctx_new()) == NULL)
				mem_fail(r->mem, false);
			c->re = re_compile(r->re, c->show, false, &err);
			if (c->re == NULL)	/* then it is a text */
				c->show = arena_dup(&r->arena,
				    squeeze(r, show));
		}
		*r->command_tail = c;
		r->command_tail = &c->next;
	}
	own = arena_alloc(&r->arena, (n + 1) * sizeof *own);
	for (i = 0; i < n; i++) {
		own[i].text = arena_dup(&r->arena, answer[i].text);
		own[i].status = answer[i].status;
	}
	c->answer = own;
	c->n = n;
	c->at = 0;
}

const struct recorded_answer *
recorded_answer(struct recorded *r, struct str show)
{
	struct canned_command *c, *found = NULL;
	struct str s = squeeze(r, show);

	for (c = r->command; c != NULL && found == NULL; c = c->next)
		if (c->re == NULL && str_eq(c->show, s))
			found = c;
	for (c = r->command; c != NULL && found == NULL; c = c->next)
		if (c->re != NULL && re_match(c->re, s, 0, NULL) == RE_YES)
			found = c;
	if (found == NULL || found->n == 0)
		return NULL;
	if (found->at < found->n)
		found->at++;
	return &found->answer[found->at - 1];
}

/* "K key": facts by what they are about and of whom. */
static struct str
fact_key(const struct recorded *r, enum fact what, struct str key)
{
	struct buf *b = (struct buf *)(uintptr_t)&r->text;

	buf_clear(b);
	buf_printf(b, "%d ", (int)what);
	if (!str_none(key))
		buf_str(b, key);
	return buf_view(b);
}

void
recorded_fact(struct recorded *r, enum fact what, struct str key,
    struct str answer)
{
	struct map_entry *e = map_put(&r->fact, fact_key(r, what, key), NULL);
	struct str *s = arena_alloc(&r->arena, sizeof *s);

	*s = str_none(answer) ? answer : arena_dup(&r->arena, answer);
	e->v.ptr = s;
}

bool
recorded_fact_said(const struct recorded *r, enum fact what, struct str key,
    struct str *answer)
{
	const struct map_entry *e = map_get(&r->fact, fact_key(r, what, key));

	*answer = e == NULL ? STR_NIL : *(const struct str *)e->v.ptr;
	return e != NULL;
}

double
recorded_id(struct recorded *r, enum fact what, struct str name)
{
	struct map_entry *e;
	struct str said;
	bool is_new;
	double d;

	if (recorded_fact_said(r, what, name, &said) && !str_none(said) &&
	    num_fine(d = num_parse(said, false)))
		return d;
	if (str_none(name) || name.n == 0 || str_eq(name, STR_LIT("root")))
		return 0;
	if (num_fine(d = num_parse(name, false)))
		return d;
	e = map_put(&r->user, name, &is_new);
	return UID_FIRST + (double)(e - r->user.entry);
}

struct str
recorded_name(const struct recorded *r, struct str number)
{
	double d = num_parse(number, false);

	if (d == 0)
		return STR_LIT("root");
	if (d >= UID_FIRST && d < UID_FIRST + (double)r->user.n)
		return r->user.entry[(size_t)d - UID_FIRST].key;
	return STR_NIL;
}

void
recorded_contact(struct recorded *r, struct str address, double n,
    struct str text)
{
	struct canned_contact *c = arena_alloc(&r->arena, sizeof *c);

	c->n = n;
	c->text = str_none(text) ? STR_EMPTY : arena_dup(&r->arena, text);
	map_put(&r->contact, address, NULL)->v.ptr = c;
}

void
recorded_survivor(struct recorded *r, struct str user, struct str comm,
    struct str why)
{
	struct survivor *s;

	for (s = r->survivor; s != NULL; s = s->next)
		if (str_eq(s->user, user) && str_eq(s->comm, comm))
			break;
	if (s == NULL) {
		s = arena_zalloc(&r->arena, sizeof *s);
		s->user = arena_dup(&r->arena, user);
		s->comm = arena_dup(&r->arena, comm);
		s->next = r->survivor;
		r->survivor = s;
	}
	s->why = arena_dup(&r->arena, why);
}
