#include "lang/base/num.h"
#include "lang/syntax/build.h"
#include "lang/syntax/lexer.h"
#include "lang/syntax/parser.h"

#define LIM_FIELD	65535	/* of $n: sixteen bits of an instruction, and more
				 * than any line has that a person made */
#define LIM_NAME	200	/* bytes of a script's name: it becomes a file name */

struct diag_item *
build_err(struct parse *p, struct span s, enum diag_id id, struct str a,
    struct str b)
{
	return diag_at(p->diag, s, id, a, b, STR_NIL);
}

void
build_first(struct parse *p, struct diag_item *d, struct span s)
{
	if (d != NULL)
		diag_other(p->diag, d, source_place(p->src, s.at),
		    "first here");
}

/* --- scripts and sections --- */

static struct script *
script_new(struct parse *p, struct str name, struct span span)
{
	struct script *s = arena_zalloc(p->arena, sizeof *s);

	s->name = name;
	s->span = span;
	s->init = arena_zalloc(p->arena, sizeof *s->init);
	s->init->status = s->init->level = s->init->seps = STR_NIL;
	s->init->format = STR_NIL;
	if (p->script == NULL)
		p->script = s;
	else
		p->script_tail->next = s;
	p->script_tail = s;
	p->cur = s;
	map_init(&p->dats, p->arena);
	return s;
}

void
build_script(struct parse *p, struct str name, struct span span)
{
	struct map_entry *e;
	struct script *o;
	bool is_new;

	e = map_put(&p->names, name, &is_new);
	if (!is_new) {
		o = e->v.ptr;
		build_first(p, build_err(p, span, E_SCRIPT_DUP, name, STR_NIL), o->span);
	}
	if (name.n > LIM_NAME)
		build_err(p, span, E_NAME_TOO_LONG, STR_LIT("200 bytes"), STR_NIL);
	e->v.ptr = script_new(p, name, span);
}

struct script *
build_current(struct parse *p, struct span span)
{
	if (p->cur == NULL)
		script_new(p, p->base, span)->standalone = true;
	return p->cur;
}

void
build_anonymous(struct parse *p, struct list l, struct span span)
{
	struct script *s = build_current(p, span);
	struct node *n;

	if (s->has_begin && s->begin != NULL) {
		/* a function stood between */
		for (n = s->begin; n->next != NULL; n = n->next)
			;
		n->next = l.head;
		return;
	}
	s->begin = l.head;
	s->has_begin = true;
}

void
build_anonymous_section(struct parse *p, struct span span)
{
	(void)build_current(p, span);
}

void
build_section(struct parse *p, int token, struct node *body, struct span span)
{
	struct script *s = build_current(p, span);
	struct rule *r;

	if (token == T_BEGIN) {
		if (s->has_begin)
			build_err(p, span, E_SECTION_DUP, STR_LIT("begin"), STR_NIL);
		else if (s->rule != NULL || s->has_end)
			build_err(p, span, E_SECTION_ORDER, STR_LIT("begin"),
			    s->has_end ? STR_LIT("end") : STR_LIT("rule"));
		s->begin = body;
		s->has_begin = true;
	} else if (token == T_END) {
		if (s->has_end)
			build_err(p, span, E_SECTION_DUP, STR_LIT("end"), STR_NIL);
		s->end = body;
		s->has_end = true;
	} else {
		if (s->has_end)
			build_err(p, span, E_SECTION_ORDER, STR_LIT("rule"),
			    STR_LIT("end"));
		r = arena_zalloc(p->arena, sizeof *r);
		r->body = body;
		r->span = span;
		if (s->rule == NULL)
			s->rule = r;
		else
			s->rule_tail->next = r;
		s->rule_tail = r;
		s->nrule++;
	}
}

/* --- functions --- */

void
build_function(struct parse *p, int id, struct span span)
{
	struct function *f;

	span.len--;
	if (id < BI_COUNT) {
		build_err(p, span, E_FUNC_BUILTIN, str_of(p->src->text.p + span.at,
		    span.len), STR_NIL);
		/* its body is parsed, and nobody calls it */
		f = arena_zalloc(p->arena, sizeof *f);
	} else
		f = p->func_by_id[id - BI_COUNT];
	if (f->defined) {
		build_first(p, build_err(p, span, E_FUNC_DUP, f->name, STR_NIL), f->span);
		f = arena_zalloc(p->arena, sizeof *f);
	}
	f->defined = true;
	f->span = span;
	p->def = f;
}

void
build_param(struct parse *p, struct str name, bool number, bool array,
    struct span span)
{
	struct function *f = p->def;
	struct param *a = arena_zalloc(p->arena, sizeof *a);

	a->name = name;
	a->number = number;
	a->array = array;
	a->span = span;
	if (f->param == NULL)
		f->param = a;
	else
		f->param_tail->next = a;
	f->param_tail = a;
}

void
build_function_body(struct parse *p, struct node *body)
{
	p->def->body = body;
}

/* --- expressions --- */

struct node *
build_num(struct parse *p, double num, int unit, struct span span)
{
	struct node *n = ast_new(p, X_NUM, span);

	n->num = num;
	n->unit = (uint8_t)unit;
	n->type = TY_NUM;
	return n;
}

struct node *
build_string(struct parse *p, struct list parts, struct span span)
{
	struct node *n, *q;

	if (parts.head == NULL || (parts.head == parts.tail &&
	    parts.head->kind == X_STR)) {
		n = ast_new(p, X_STR, span);
		n->text = parts.head == NULL ? STR_EMPTY : parts.head->text;
		n->a = parts.head;	/* where its text begins */
		return n;
	}
	n = ast_new(p, X_CAT, span);
	n->list = parts.head;
	n->flag = true;
	for (q = n->list; q != NULL; q = q->next)
		if (q->depth >= n->depth)
			n->depth = (uint16_t)(q->depth + 1);
	return n;
}

struct node *
build_var(struct parse *p, struct str name, enum type type, struct span span)
{
	struct node *n = ast_new(p, X_VAR, span);

	n->text = name;
	n->type = type;
	return n;
}

static void
set_keys(struct parse *p, struct node *n, struct list keys)
{
	const struct node *q;

	n->list = keys.head;
	for (q = n->list; q != NULL; q = q->next)
		if (q->depth >= n->depth)
			n->depth = (uint16_t)(q->depth + 1);
	if (n->depth >= LIM_DEPTH)
		build_too_deep(p, n->span, "1000 levels");
}

struct node *
build_index(struct parse *p, struct str name, enum type type, struct list keys,
    struct span span)
{
	struct node *n = ast_new(p, X_INDEX, span);

	n->text = name;
	n->type = type;
	set_keys(p, n, keys);
	return n;
}

struct node *
build_array(struct parse *p, struct str name, enum type type, struct span span)
{
	struct node *n = ast_new(p, X_ARRAY, span);

	n->text = name;
	n->type = type;
	return n;
}

/* %x @x %#x @$x %a[ : what x is, the checker finds out where no sign says. */
struct node *
build_prev(struct parse *p, struct str name, int what, struct list keys,
    struct span span)
{
	struct node *n = ast_new(p, X_PREV, span);
	size_t end = name.n, at = 1;

	n->flag = name.p[0] == '@';
	n->op = (uint8_t)what;
	if (name.p[1] == '#' || name.p[1] == '$') {
		n->type = name.p[1] == '#' ? TY_NUM : TY_STR;
		at = 2;
	}
	if (name.p[end - 1] == '[')
		end--;
	n->text = str_of(name.p + at, end - at);
	set_keys(p, n, keys);
	return n;
}

struct node *
build_prev_set(struct parse *p, struct str name, struct span span)
{
	if (name.p[name.n - 1] == '[')
		name.n--;
	build_err(p, span, E_PREV_SET, name, STR_NIL);
	return build_var(p, STR_LIT("x"), TY_NUM, span);
}

struct node *
build_field(struct parse *p, double number, struct span span)
{
	struct node *n = ast_new(p, X_FIELD, span);
	char t[NUM_TEXT_MAX];

	if (number > LIM_FIELD)
		build_err(p, span, E_NUMBER_BIG, arena_dup(p->arena,
		    str_of(t, num_text(number, t))), STR_NIL);
	else
		n->id = (int)number;
	return n;
}

struct node *
build_field_set(struct parse *p, struct span span)
{
	build_err(p, span, E_SPECIAL_SET, STR_LIT("a field"), STR_NIL);
	return build_var(p, STR_LIT("x"), TY_STR, span);
}

struct node *
build_call(struct parse *p, int id, struct node *args, struct span span)
{
	struct node *n = ast_new(p, X_CALL, span), *q;

	if (id >= BI_COUNT) {
		n->kind = X_UCALL;
		n->func = p->func_by_id[id - BI_COUNT];
	} else
		n->id = id;
	n->list = args;
	for (q = args; q != NULL; q = q->next)
		if (q->depth >= n->depth)
			n->depth = (uint16_t)(q->depth + 1);
	if (n->depth >= LIM_DEPTH)
		build_too_deep(p, span, "1000 levels");
	return n;
}

/* a . b . c becomes one list of parts, so that chains cost no depth. */
struct node *
build_cat(struct parse *p, struct node *a, struct node *b, struct span span)
{
	struct node *n;

	if (a->kind == X_CAT && !a->flag && !a->paren) {
		a->a->next = b;		/* a->a: the list's tail */
		a->a = b;
		if (b->depth >= a->depth)
			a->depth = (uint16_t)(b->depth + 1);
		a->span = span_join(a->span, b->span);
		return a;
	}
	n = ast_bin(p, X_CAT, 0, span, a, b);
	n->span = span_join(a->span, b->span);
	n->list = a;
	a->next = b;
	b->next = NULL;
	n->a = b;
	n->b = NULL;
	return n;
}

struct node *
build_match(struct parse *p, struct node *a, struct node *b, bool icase,
    bool negate, struct span span)
{
	struct node *n = ast_bin(p, X_MATCH, 0, span, a, b);

	n->flag = icase;
	n->negate = negate;
	return n;
}

/* --- statements --- */

struct node *
build_if(struct parse *p, struct node *arm, struct node *elifs,
    struct node *els, struct span span)
{
	struct node *n = ast_new(p, S_IF, span);

	n->list = arm;
	arm->next = elifs;
	n->b = els;
	if (elifs != NULL)
		elifs->c = NULL;	/* the tail: see ast_push_back */
	return n;
}

struct node *
build_loop(struct parse *p, enum ast kind, struct node *cond,
    struct node *body, struct span span)
{
	struct node *n = ast_new(p, kind, span);

	n->a = cond;
	n->list = body;
	return n;
}

struct node *
build_for(struct parse *p, struct node *init, struct node *cond,
    struct node *step, struct node *body, struct span span)
{
	struct node *n = ast_new(p, S_FOR, span);

	n->a = init;
	n->b = cond;
	n->c = step;
	n->list = body;
	return n;
}

/* for $k in #keys(array[, order]) */
struct node *
build_forin(struct parse *p, struct str name, struct span at, struct node *keys,
    struct node *body, struct span span)
{
	struct node *n = ast_new(p, S_FORIN, span);

	n->a = build_var(p, name, TY_STR, at);
	n->list = body;
	if (keys->kind != X_CALL || keys->id != BI_KEYSOF ||
	    keys->list == NULL) {
		build_err(p, keys->span, E_FORIN, STR_NIL, STR_NIL);
		return NULL;
	}
	n->b = keys->list;
	n->c = keys->list->next;
	if (n->c != NULL && (n->c->next != NULL || n->c->kind == X_VAR ||
	    n->c->kind == X_ARRAY)) {
		build_err(p, keys->span, E_FORIN, STR_NIL, STR_NIL);
		return NULL;
	}
	return n;
}

/* foreach #keys($k, array[, order]) */
struct node *
build_foreach(struct parse *p, struct node *keys, struct node *body,
    struct span span)
{
	struct node *n = ast_new(p, S_FORIN, span), *a;

	if (keys->kind != X_CALL || keys->id != BI_KEYSOF ||
	    (a = keys->list) == NULL || a->next == NULL || a->kind != X_VAR ||
	    a->type != TY_STR ||
	    (a->next->next != NULL && a->next->next->next != NULL)) {
		build_err(p, keys->span, E_FORIN, STR_NIL, STR_NIL);
		return NULL;
	}
	n->a = a;
	n->b = a->next;
	n->c = a->next->next;
	n->list = body;
	return n;
}

struct node *
build_lines(struct parse *p, struct str name, struct span at, struct node *cmd,
    struct node *body, struct span span)
{
	struct node *n = ast_new(p, S_LINES, span);

	n->a = build_var(p, name, TY_STR, at);
	n->b = cmd;
	n->list = body;
	return n;
}

struct node *
build_switch(struct parse *p, struct node *subject, struct node *body,
    struct span span)
{
	struct node *n = ast_new(p, S_SWITCH, span), *q;
	bool had = false;

	n->a = subject;
	n->list = body;
	if (body != NULL && body->kind != S_CASE)
		build_err(p, body->span, E_CASE_FIRST, STR_NIL, STR_NIL);
	for (q = body; q != NULL; q = q->next)
		if (q->kind == S_CASE && q->a == NULL) {
			if (had)
				build_err(p, q->span, E_DEFAULT_DUP, STR_NIL, STR_NIL);
			had = true;
		}
	return n;
}

struct node *
build_exec(struct parse *p, int mode, bool doexec, struct list opts,
    struct node *cmd, struct span span)
{
	struct node *n = ast_new(p, S_EXEC, span);

	n->op = (uint8_t)mode;
	n->flag = doexec;
	n->list = opts.head;
	n->a = cmd;
	return n;
}

struct node *
build_record(struct parse *p, struct node *value, struct node *name,
    struct span span)
{
	struct node *n = ast_bin(p, S_RECORD, 0, span, value, name);

	/* a series is called as its variable is */
	if (name == NULL && value != NULL && value->kind == X_VAR) {
		n->b = ast_new(p, X_STR, value->span);
		n->b->text = value->text;
	}
	return n;
}

struct node *
build_output(struct parse *p, int kind, struct node *target,
    struct node *text, struct span span)
{
	struct node *n = ast_new(p, S_OUTPUT, span);

	n->op = (uint8_t)kind;
	n->a = target;
	n->b = text;
	return n;
}
