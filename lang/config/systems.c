/*
 * systems.cfg: which hosts there are.  A name is one of three: an operating
 * system with its hosts, a host with its other names, a group with members.
 */
#include "lang/config/config.h"

#include <stdio.h>

enum kind { HOSTS, ALIASES, MEMBERS, KINDS };

static const char *const keyword[KINDS] = {
#define CS(id, word, args, meaning) word,
#include "lang/table/config.def"
#undef CS
};

enum what { SYSTEM, HOST, ALIAS, GROUP };
static const char *const what_name[] = { "a system", "a host", "an alias",
    "a group" };

struct node {
	struct str	 name;
	enum what	 what;
	struct span	 span;
	struct node	*of;		/* HOST: its system; ALIAS: its host */
	struct ref {
		struct str	 name;
		struct span	 span;
		struct node	*node;
	} *member;			/* of a group */
	size_t		 nmember;
	unsigned	 mark;		/* 1 on the way, 2 done */
	size_t		 asked;		/* the last question to it, */
	bool		 holds;		/* and the answer */
};

struct systems {
	struct map	 node;		/* name -> struct node */
	struct arena	*arena;
	struct str	*name, *host;
	size_t		 nname, nhost;
	size_t		 nasked;
};

/* NULL, and reported, if the name is taken. */
static struct node *
add(struct config *c, struct systems *s, struct str name, enum what what,
    struct span where)
{
	struct map_entry *e;
	struct node *n;
	bool is_new;

	if (!config_name(c, name, where))
		return NULL;
	e = map_put(&s->node, name, &is_new);
	if (!is_new) {
		n = e->v.ptr;
		config_twice(c, where, E_SYSTEM_DUP, name,
		    str_c(what_name[n->what]), n->span);
		return NULL;
	}
	n = arena_zalloc(c->arena, sizeof *n);
	n->name = e->key;
	n->what = what;
	n->span = where;
	e->v.ptr = n;
	return n;
}

static void
unknown(struct config *c, const struct systems *s, struct str name,
    struct span where, enum what want)
{
	const char **known = arena_alloc(c->arena, (s->node.n + 1) *
	    sizeof *known);
	struct diag_item *item;
	size_t i, n = 0;

	for (i = 0; i < s->node.n; i++) {
		const struct node *k = s->node.entry[i].v.ptr;

		if (want == GROUP || k->what == want)
			known[n++] = arena_dup(c->arena, k->name).p;
	}
	config_unknown(c, where, E_SYSTEM_UNKNOWN, name, want == HOST ?
	    STR_LIT("host") : STR_LIT("host, system or group"), known, n);
	item = &c->diag->item[c->diag->n - 1];
	if (str_starts(item->hint, "one of") || item->hint.n == 0)
		diag_hint(c->diag, item, want == HOST ?
		    STR_LIT("hosts are named behind their system: SYSTEM "
		    "hosts NAME...") : STR_EMPTY);
}

/* The names behind a keyword; an empty list is reported. */
static void
names(struct config *c, struct systems *s, const struct stanza *st,
    uint32_t pos, enum kind kind, struct node *owner)
{
	struct config_word w;
	struct node *n;
	struct ref *ref = NULL;
	size_t count = 0, i, k;
	uint32_t again = pos;

	while (config_word(c, st, &again, &w))
		count++;
	if (count == 0)
		diag_at(c->diag, st->span, E_CONF_EMPTY,
		    str_c(keyword[kind]), STR_NIL, STR_NIL);
	if (kind == MEMBERS && owner != NULL)
		owner->member = ref = arena_zalloc(c->arena, (count + 1) *
		    sizeof *ref);
	for (i = 0; i < count && config_word(c, st, &pos, &w); i++) {
		if (kind != MEMBERS) {
			n = add(c, s, w.text, kind == HOSTS ? HOST : ALIAS,
			    w.span);
			if (n != NULL)
				n->of = owner;
			continue;
		}
		if (ref == NULL || !config_name(c, w.text, w.span))
			continue;
		for (k = 0; k < owner->nmember; k++)
			if (str_eq(ref[k].name, w.text))
				break;
		if (k < owner->nmember) {
			config_twice(c, w.span, E_SYSTEM_MEMBER_DUP, w.text,
			    owner->name, ref[k].span);
			continue;
		}
		ref[owner->nmember++] = (struct ref){
		    arena_dup(c->arena, w.text), w.span, NULL };
	}
}

static void
stanza(struct config *c, struct systems *s, const struct stanza *st)
{
	uint32_t pos = st->from;
	struct map_entry *e;
	struct config_word w;
	struct node *owner;
	unsigned kind;

	if (!config_word(c, st, &pos, &w)) {
		diag_at(c->diag, st->span, E_CONF_EMPTY, st->name, STR_NIL,
		    STR_NIL);
		return;
	}
	for (kind = 0; kind < KINDS; kind++)
		if (str_eq(w.text, str_c(keyword[kind])))
			break;
	if (kind == KINDS) {
		config_unknown(c, w.span, E_CONF_WORD, w.text,
		    STR_LIT("systems.cfg"), keyword, KINDS);
		return;
	}
	if (kind == ALIASES) {
		e = map_get(&s->node, st->name);
		owner = e == NULL ? NULL : e->v.ptr;
		if (owner == NULL || owner->what != HOST) {
			unknown(c, s, st->name, st->span, HOST);
			owner = NULL;
		}
	} else
		owner = add(c, s, st->name, kind == HOSTS ? SYSTEM : GROUP,
		    st->span);
	names(c, s, st, pos, (enum kind)kind, owner);
}

/* Finds the members of groups, which may be defined after them. */
static void
resolve(struct config *c, struct systems *s)
{
	struct map_entry *e;
	struct node *n;
	size_t i, k;

	for (i = 0; i < s->node.n; i++) {
		n = s->node.entry[i].v.ptr;
		for (k = 0; k < n->nmember; k++) {
			e = map_get(&s->node, n->member[k].name);
			if (e != NULL)
				n->member[k].node = e->v.ptr;
			else
				unknown(c, s, n->member[k].name,
				    n->member[k].span, GROUP);
		}
	}
}

#define LIM_GROUP_DEPTH	64	/* groups in groups: deeper is a mistake, and
				 * the stack is finite */

/* Follows the groups down from n; path: those that led here. */
static void
look_for_rings(struct config *c, struct node *n, struct node **path,
    size_t depth)
{
	struct buf b;
	size_t i, k;

	if (n->mark == 2)
		return;
	n->mark = 1;
	path[depth] = n;
	for (i = 0; i < n->nmember; i++) {
		struct ref *r = &n->member[i];

		if (r->node == NULL || r->node->what != GROUP)
			continue;
		if (r->node->mark == 1 || depth + 1 == LIM_GROUP_DEPTH) {
			buf_init(&b, c->arena->mem);
			for (k = 0; k <= depth && path[k] != r->node; )
				k++;
			if (k > depth)
				k = 0;
			for (; k <= depth; k++) {
				buf_str(&b, path[k]->name);
				buf_puts(&b, " -> ");
			}
			buf_str(&b, r->name);
			diag_at(c->diag, r->span, r->node->mark == 1 ?
			    E_SYSTEM_RING : E_SYSTEM_DEEP, r->name,
			    buf_view(&b), STR_NIL);
			buf_free(&b);
			r->node = NULL;		/* so that none is left */
			continue;
		}
		look_for_rings(c, r->node, path, depth + 1);
	}
	n->mark = 2;
}

struct systems *
systems_read(struct config *c)
{
	struct systems *s = arena_zalloc(c->arena, sizeof *s);
	struct node *path[LIM_GROUP_DEPTH], *n;
	struct stanza st;
	size_t i;

	s->arena = c->arena;
	map_init(&s->node, c->arena);
	while (config_stanza(c, &st))
		stanza(c, s, &st);
	resolve(c, s);
	s->name = arena_alloc(c->arena, (s->node.n + 1) * sizeof *s->name);
	s->host = arena_alloc(c->arena, (s->node.n + 1) * sizeof *s->host);
	for (i = 0; i < s->node.n; i++) {
		n = s->node.entry[i].v.ptr;
		look_for_rings(c, n, path, 0);
		s->name[s->nname++] = n->name;
		if (n->what == HOST)
			s->host[s->nhost++] = n->name;
	}
	return s;
}

/* Whether the node holds the host.  Each is asked once for each host: groups
 * may share members many times over. */
static bool
holds(struct node *n, const struct node *host, size_t question)
{
	size_t i;

	if (n->asked == question)
		return n->holds;
	n->asked = question;
	n->holds = n == host || (n->what == SYSTEM && host->of == n) ||
	    (n->what == ALIAS && n->of == host);
	for (i = 0; i < n->nmember && !n->holds; i++)
		if (n->member[i].node != NULL &&
		    holds(n->member[i].node, host, question))
			n->holds = true;
	return n->holds;
}

const struct str *
systems_members(struct systems *s, struct str host, size_t *n)
{
	const struct map_entry *e = map_get(&s->node, host);
	struct node *h = e == NULL ? NULL : e->v.ptr, *k;
	struct str *list;
	size_t i;

	if (h != NULL && h->what == ALIAS)
		h = h->of;
	if (h == NULL || h->what != HOST)
		return NULL;
	list = arena_alloc(s->arena, (s->node.n + 1) * sizeof *list);
	list[0] = h->name;
	*n = 1;
	s->nasked++;
	for (i = 0; i < s->node.n; i++) {
		k = s->node.entry[i].v.ptr;
		if (k != h && holds(k, h, s->nasked))
			list[(*n)++] = k->name;
	}
	return list;
}

const struct str *
systems_names(const struct systems *s, size_t *n)
{
	*n = s->nname;
	return s->name;
}

const struct str *
systems_hosts(const struct systems *s, size_t *n)
{
	*n = s->nhost;
	return s->host;
}
