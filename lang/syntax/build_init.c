/* build_init: the items of a script's init; see build.h. */
#include "lang/base/num.h"
#include "lang/syntax/build.h"
#include "lang/syntax/lexer.h"
#include "lang/syntax/parser.h"

enum { SEEN_INIT, SEEN_STATUS, SEEN_LEVEL, SEEN_TASK, SEEN_INPUT, SEEN_FILTER,
    SEEN_SEPS, SEEN_TIMEOUT, SEEN_LINE, SEEN_MEMORY, SEEN_BUDGET, SEEN_EVERY,
    SEEN_TIMING, SEEN_WATCH, SEEN_AFFECTS, SEEN_FORMAT, SEEN_EXPIRE };

static void
seen(struct parse *p, int bit, struct str what, struct span span)
{
	struct init *in = build_current(p, span)->init;

	if (in->seen & 1u << bit)
		build_err(p, span, E_ITEM_DUP, what, STR_NIL);
	in->seen |= 1u << bit;
}

void
build_init(struct parse *p, struct span span)
{
	struct script *s = build_current(p, span);

	if (s->init->seen & 1u << SEEN_INIT)
		build_err(p, span, E_SECTION_DUP, STR_LIT("init"), STR_NIL);
	else if (s->has_begin || s->rule != NULL || s->has_end)
		build_err(p, span, E_SECTION_ORDER, STR_LIT("init"),
		    s->has_begin ? STR_LIT("begin") :
		    s->rule != NULL ? STR_LIT("rule") : STR_LIT("end"));
	s->init->seen |= 1u << SEEN_INIT;
}

void
build_status(struct parse *p, struct str word, struct span span)
{
	seen(p, SEEN_STATUS, STR_LIT("status"), span);
	p->cur->init->status = word;
	p->cur->init->status_span = span;
}

void
build_level(struct parse *p, struct str word, struct span span)
{
	seen(p, SEEN_LEVEL, STR_LIT("level"), span);
	p->cur->init->level = word;
	p->cur->init->level_span = span;
}

void
build_text(struct parse *p, int token, struct node *n, struct span span)
{
	struct init *in = build_current(p, span)->init;

	switch (token) {
	case T_TASK:
		seen(p, SEEN_TASK, STR_LIT("task"), span);
		in->task = n;
		break;
	case T_FILTER:
		seen(p, SEEN_FILTER, STR_LIT("filter"), span);
		in->filter = n;
		break;
	case T_TIMING:
		seen(p, SEEN_TIMING, STR_LIT("timing"), span);
		in->timing = n;
		break;
	default:
		seen(p, SEEN_INPUT, STR_LIT("input"), span);
		in->input = n;
		in->input_span = span;
		in->input_kind = token == T_PROC ? INPUT_PROC :
		    token == T_LOGFILE ? INPUT_LOGFILE :
		    token == T_JOURNAL ? INPUT_JOURNAL :
		    token == T_OBJECT ? INPUT_OBJECT :
		    token == T_TABLE ? INPUT_TABLE : INPUT_FILE;
		break;
	}
}

void
build_bakfile(struct parse *p, struct node *n)
{
	p->cur->init->bakfile = n;
}

void
build_from_start(struct parse *p)
{
	p->cur->init->from_start = true;
}

void
build_flag(struct parse *p, int token, struct span span)
{
	struct init *in = build_current(p, span)->init;

	if (token == T_WATCH) {
		seen(p, SEEN_WATCH, STR_LIT("watch"), span);
		in->watch_memory = true;
	} else {
		seen(p, SEEN_AFFECTS, STR_LIT("affects"), span);
		in->affects_mail = true;
	}
}

void
build_format(struct parse *p, struct str word, struct span span)
{
	seen(p, SEEN_FORMAT, STR_LIT("format"), span);
	p->cur->init->format = word;
	p->cur->init->format_span = span;
}

struct node *
build_table_name(struct parse *p, struct str name, struct span span)
{
	struct node *n = ast_new(p, X_STR, span);

	n->text = name;
	return n;
}

void
build_table(struct parse *p, struct node *table, struct node *where,
    struct span span)
{
	build_text(p, T_TABLE, table, span);
	p->cur->init->where = where;
}

void
build_input_other(struct parse *p, struct str word, struct span span)
{
	diag_hint(p->diag, build_err(p, span, E_WORD, word, STR_NIL),
	    STR_LIT("write input proc, file, logfile, journal or object, and "
	    "a string; or input table and its name"));
}

/* The constant text of a string node, or NIL with an error. */
static struct str
constant(struct parse *p, struct node *n, const char *what)
{
	if (n->kind == X_STR)
		return n->text;
	build_err(p, n->span, E_TASK_CONST, str_c(what), STR_NIL);
	return STR_NIL;
}

void
build_seps(struct parse *p, struct node *n, bool regex, struct span span)
{
	struct init *in;

	seen(p, SEEN_SEPS, STR_LIT("seps"), span);
	in = p->cur->init;
	in->seps = constant(p, n, "seps");
	in->seps_span = n->span;
	in->seps_regex = regex;
	if (!str_none(in->seps) && in->seps.n == 0)
		build_err(p, n->span, E_SEPS_EMPTY, STR_NIL, STR_NIL);
}

void
build_dat_var(struct parse *p, struct str name, bool number, struct span span)
{
	struct init *in = build_current(p, span)->init;
	struct str text = str_of(p->src->text.p + span.at, span.len);
	struct map_entry *e;
	struct dat_spec *d, *o;
	bool is_new;

	e = map_put(&p->dats, text, &is_new);	/* with its sigil */
	if (!is_new) {
		o = e->v.ptr;
		build_first(p, build_err(p, span, E_DAT_DUP, text, STR_NIL), o->span);
	}
	d = arena_zalloc(p->arena, sizeof *d);
	d->name = name;
	d->number = number;
	d->span = span;
	d->as = d->as_format = STR_NIL;
	if (is_new)
		e->v.ptr = d;
	if (in->dat == NULL)
		in->dat = d;
	else
		in->dat_tail->next = d;
	in->dat_tail = d;
}

void
build_dat(struct parse *p, enum dat_kind kind, double lo, double hi,
    struct node *regex, struct span span)
{
	struct dat_spec *d = p->cur->init->dat_tail;

	d->kind = kind;
	d->lo = lo;
	d->hi = hi;
	d->regex = STR_NIL;
	if (regex != NULL) {
		d->regex = constant(p, regex, "a dat pattern");
		d->regex_span = regex->span;
	} else if (kind != DAT_LAST) {
		/* 65535: no line of LIM_LINE has more fields worth naming */
		if (!(lo >= 1 && lo <= 65535 && num_is_int(lo)) ||
		    (hi != 0 && !(hi >= 1 && hi <= 65535 && num_is_int(hi)))) {
			char t[NUM_TEXT_MAX];
			double bad = lo >= 1 && lo <= 65535 &&
			    num_is_int(lo) ? hi : lo;
			build_err(p, span, E_DAT_SPEC, arena_dup(p->arena,
			    str_of(t, num_text(bad, t))), STR_NIL);
			d->lo = d->hi = 1;
		} else if (hi != 0 && hi < lo)
			build_err(p, span, E_DAT_RANGE, STR_NIL, STR_NIL);
	}
}

/* `$-1` is the field before the last, as PIKT has it: -2. */
void
build_dat_before_last(struct parse *p, double n, struct span span)
{
	if (n == 0)
		build_dat(p, DAT_LAST, 0, 0, NULL, span);
	else {
		build_dat(p, DAT_FROM_END, n, 0, NULL, span);
		p->cur->init->dat_tail->lo += 1;
	}
}

void
build_dat_as(struct parse *p, struct str word, struct node *format,
    struct span span)
{
	struct dat_spec *d = p->cur->init->dat_tail;

	d->as = word;
	d->as_span = span;
	if (format != NULL)
		d->as_format = constant(p, format, "a time's format");
}

void
build_key(struct parse *p, struct str name, bool number, struct span span)
{
	struct init *in = build_current(p, span)->init;
	struct key_name *k = arena_zalloc(p->arena, sizeof *k);

	k->name = name;
	k->number = number;
	k->span = span;
	if (in->key == NULL)
		in->key = k;
	else
		in->key_tail->next = k;
	in->key_tail = k;
}

void
build_number(struct parse *p, int token, struct node *n, struct span span)
{
	struct init *in = build_current(p, span)->init;

	switch (token) {
	case T_TIMEOUT:
		seen(p, SEEN_TIMEOUT, STR_LIT("timeout"), span);
		in->timeout = n;
		break;
	case T_EXPIRE:
		seen(p, SEEN_EXPIRE, STR_LIT("expire"), span);
		in->expire = n;
		break;
	case T_EVERY:
		seen(p, SEEN_EVERY, STR_LIT("every"), span);
		in->every = n;
		break;
	case T_LINE:
		seen(p, SEEN_LINE, STR_LIT("line"), span);
		in->line = n;
		break;
	case T_MEMORY:
		seen(p, SEEN_MEMORY, STR_LIT("memory"), span);
		in->memory = n;
		break;
	default:
		seen(p, SEEN_BUDGET, STR_LIT("budget"), span);
		in->budget = n;
		break;
	}
}
