/* outline: see outline.h.  Nothing here depends on types: it runs on the tree
 * as it was parsed. */
#include "lang/check/outline.h"

#include "lang/compile.h"

struct walk {
	struct outline	*o;
	uint32_t	 script;
	unsigned	 doexec;	/* inside an `if #doexec()` */
};

/* The text as written, line ends and what is round them one blank, cut. */
static struct str
written(struct walk *w, struct span span)
{
	const struct buf *t = &w->o->src->text;
	const char *s = t->p + span.at;
	size_t i, n = 0, len = span.len;
	char *p;

	if (span.at + len > t->n)
		return STR_EMPTY;
	p = arena_text(w->o->arena, LIM_OUTLINE_TEXT + 4);
	for (i = 0; i < len && n < LIM_OUTLINE_TEXT; i++)
		if (s[i] != '\n' && s[i] != '\t' && s[i] != '\r')
			p[n++] = s[i];
		else if (n > 0 && p[n - 1] != ' ')
			p[n++] = ' ';
	if (i < len) {
		memcpy(p + n, "...", 3);
		n += 3;
	}
	return str_of(p, n);
}

/* The names of the macros whose text stands in it, outermost ones. */
static struct str
macros(struct walk *w, struct span span)
{
	const struct source_set *src = w->o->src;
	uint32_t use, end = span.at + span.len;
	struct str name, last = STR_EMPTY;
	char *p = arena_text(w->o->arena, LIM_OUTLINE_TEXT);
	size_t i, n = 0;

	for (i = 0; i < src->nseg && src->seg[i].at < end; i++) {
		if (i + 1 < src->nseg && src->seg[i + 1].at <= span.at)
			continue;
		use = src->seg[i].use;
		if (use == SOURCE_NONE || use >= src->nuse)
			continue;
		while (src->use[use].parent < src->nuse)
			use = src->use[use].parent;
		name = src->use[use].macro;
		if (str_eq(name, last) || n + name.n + 1 > LIM_OUTLINE_TEXT)
			continue;
		if (n > 0)
			p[n++] = ' ';
		memcpy(p + n, name.p, name.n);
		n += name.n;
		last = name;
	}
	return str_of(p, n);
}

static void
add(struct walk *w, enum outline_kind kind, const char *word, struct span span)
{
	struct outline *o = w->o;
	struct compile_outline *all;

	if (o->n == o->cap) {
		all = arena_alloc(o->arena, (o->cap * 2 + 16) * sizeof *all);
		if (o->n > 0)
			memcpy(all, o->item, o->n * sizeof *all);
		o->item = all;
		o->cap = o->cap * 2 + 16;
	}
	o->item[o->n++] = (struct compile_outline){ kind, w->script,
	    w->doexec > 0, str_c(word), written(w, span),
	    kind == OUTLINE_CLAUSE ? macros(w, span) : STR_EMPTY,
	    source_place(o->src, span.at) };
}

/* From where the first of them begins to where the last one ends. */
static struct span
both(struct span a, struct span b)
{
	return a.at <= b.at ? span_join(a, b) : span_join(b, a);
}

/* An operator's span is its sign: all of an expression. */
static struct span
whole(const struct node *n)
{
	const struct node *const part[] = { n->a, n->b, n->c, n->list };
	struct span s = n->span;
	const struct node *k;
	unsigned i;

	for (i = 0; i < 4; i++)
		for (k = part[i]; k != NULL; k = k->next)
			s = both(whole(k), s);
	return s;
}

static void walk(struct walk *, const struct node *);

static void
walk_all(struct walk *w, const struct node *n)
{
	for (; n != NULL; n = n->next)
		walk(w, n);
}

static void
children(struct walk *w, const struct node *n)
{
	walk_all(w, n->a);
	walk_all(w, n->b);
	walk_all(w, n->c);
	walk_all(w, n->list);
}

static void
clause(struct walk *w, const struct node *n)
{
	static const char *const word[CL_COUNT] = { "when", "until", "hold",
	    "remind", "absent", "level", "unless", "message", "onset",
	    "clear" };

	if (n->op == CL_ONSET || n->op == CL_CLEAR)
		children(w, n);
	else if (n->op != CL_LEVEL && n->a != NULL) {
		add(w, OUTLINE_CLAUSE, word[n->op], whole(n->a));
		children(w, n);
	}
}

static void
output(struct walk *w, const struct node *n)
{
	static const char *const word[OUT_COUNT] = { "output", "mail", "print",
	    "log", "piktlog", "syslog", "mail to", "journal" };
	struct span span = n->b == NULL ? n->span : whole(n->b);

	if (n->a != NULL)
		span = span_join(whole(n->a), span);
	add(w, OUTLINE_OUTPUT, word[n->op], span);
	children(w, n);
}

static bool
asks_doexec(const struct node *n)
{
	return n != NULL && n->kind == X_CALL && n->id >= 0 && n->id <
	    BI_COUNT && strcmp(builtin_info[n->id].names, "#doexec") == 0;
}

static void
walk(struct walk *w, const struct node *n)
{
	static const char *const mode[] = { "exec", "exec wait",
	    "exec detached" };
	bool guarded = false;

	switch (n->kind) {
	case S_INCIDENT:
		if (n->a != NULL)
			add(w, OUTLINE_INCIDENT, "incident", whole(n->a));
		walk_all(w, n->a);
		walk_all(w, n->list);
		return;
	case S_CLAUSE:
		clause(w, n);
		return;
	case S_OUTPUT:
		output(w, n);
		return;
	case S_EXEC:
		if (n->a != NULL) {
			w->doexec += n->flag;
			add(w, OUTLINE_EXEC, mode[n->op], whole(n->a));
			w->doexec -= n->flag;
		}
		walk_all(w, n->a);
		for (n = n->list; n != NULL; n = n->next)
			walk_all(w, n->a);	/* as, timeout ... */
		return;
	case S_ARM:
		guarded = asks_doexec(n->a);
		w->doexec += guarded;
		children(w, n);
		w->doexec -= guarded;
		return;
	case S_RECORD:
		add(w, OUTLINE_RECORD, "", n->a == NULL ? n->span : whole(n->a));
		break;
	case X_PREV:
		if (!n->flag)
			add(w, OUTLINE_BEFORE, "", n->span);
		break;
	case X_CALL:
		if (n->id >= 0 && n->id < BI_COUNT &&
		    (builtin_info[n->id].flags & FN_ACTS) != 0)
			add(w, OUTLINE_ACT, builtin_info[n->id].names,
			    whole(n));
		break;
	default:
		break;
	}
	children(w, n);
}

void
outline_script(struct outline *o, const struct script *s, uint32_t number)
{
	struct walk w = { o, number, 0 };
	const struct rule *r;
	struct span input;

	if (s->init != NULL && s->init->input_span.len > 0) {
		input = s->init->input_span;
		if (s->init->input != NULL)
			input = whole(s->init->input);
		if (s->init->where != NULL)
			input = both(input, whole(s->init->where));
		add(&w, OUTLINE_INPUT, input_name[s->init->input_kind], input);
	}
	if (s->init != NULL && s->init->filter != NULL)
		add(&w, OUTLINE_INPUT, "filter", s->init->filter->span);
	walk_all(&w, s->begin);
	for (r = s->rule; r != NULL; r = r->next)
		walk_all(&w, r->body);
	walk_all(&w, s->end);
}
