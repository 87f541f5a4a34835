/* check: one script, from its init section to its last rule. */
#include <stdio.h>

#include "lang/base/cron.h"
#include "lang/base/jpath.h"
#include "lang/base/num.h"
#include "lang/check/inner.h"

int
check_level(struct str word)
{
	int i;

	if (str_eq(word, STR_LIT("alert")))
		return LEVEL_URGENT;
	for (i = 0; i < LEVEL_COUNT; i++)
		if (str_eq(word, str_c(level_name[i])))
			return i;
	return -1;
}

static void
status_and_level(struct check *c, const struct init *in)
{
	int i;

	c->status = STATUS_ACTIVE;
	c->level = LEVEL_NOTICE;
	if (!str_none(in->status)) {
		for (i = 0; i < STATUS_COUNT; i++)
			if (str_eq(in->status, str_c(status_name[i])))
				break;
		if (i == STATUS_COUNT)
			check_error(c, in->status_span, E_STATUS, in->status,
			    STR_NIL);
		else
			c->status = (enum status)i;
	}
	if (!str_none(in->level)) {
		i = check_level(in->level);
		if (i < 0)
			check_error(c, in->level_span, E_LEVEL, in->level,
			    STR_NIL);
		else
			c->level = (enum level)i;
	}
}

static double
limit(struct check *c, const struct node *n, const char *what,
    enum unit unit, double least, double most, const char *least_text,
    const char *most_text)
{
	static const char *const names[] = { "a plain number", "a percentage",
	    "a duration", "a size" };

	if (n == NULL)
		return 0;
	if (n->unit != UNIT_NONE && n->unit != unit) {
		diag_at(c->diag, n->span, E_UNIT, str_c(what),
		    str_c(names[unit]), str_c(names[n->unit]));
		return 0;
	}
	if (n->num < least || n->num > most)
		diag_at(c->diag, n->span, E_VALUE_RANGE, str_c(what),
		    str_c(least_text), str_c(most_text));
	return n->num;
}

/* What the string of a dat means in this format. */
static void
dat_string(struct check *c, struct dat_spec *d)
{
	struct node pattern;
	size_t at;

	if (str_none(d->regex))
		return;		/* told of */
	if (c->script->init->input_kind == INPUT_TABLE)
		return;		/* check_table's */
	if (c->format == FORMAT_TEXT) {
		memset(&pattern, 0, sizeof pattern);
		pattern.kind = X_STR;
		pattern.text = d->regex;
		pattern.span = d->regex_span;
		(void)check_pattern(c, &pattern, false);
	} else if (c->format == FORMAT_JSON) {
		d->kind = DAT_PATH;
		if (!jpath_check(d->regex, &at))
			check_error(c, d->regex_span, E_DAT_PATH,
			    d->regex.n == 0 ? STR_LIT("\"\"") : d->regex,
			    at == d->regex.n ? STR_LIT("its end") :
			    str_of(d->regex.p + at, d->regex.n - at));
	} else
		d->kind = DAT_NAME;
}

static void
dats(struct check *c, const struct init *in)
{
	struct dat_spec *d;
	struct symbol *there;
	int i;

	for (d = in->dat; d != NULL; d = d->next) {
		d->sym = symbols_get(&c->sym, d->number ? '#' : '$', d->name,
		    SYM_DAT, d->span, &there);
		if (d->sym != NULL)
			d->sym->set = true;
		if (d->kind == DAT_REGEX)
			dat_string(c, d);
		else if (c->format == FORMAT_JSON && (d->kind == DAT_REST ||
		    d->kind == DAT_RANGE))
			check_error(c, d->span, E_DAT_JSON, STR_NIL, STR_NIL);
		if (str_none(d->as))
			continue;
		for (i = 0; i < AS_COUNT; i++)
			if (str_eq(d->as, str_c(as_name[i])))
				break;
		if (i == AS_COUNT)
			check_error(c, d->as_span, E_DAT_AS, d->as, STR_NIL);
		else if (!d->number)
			check_error(c, d->as_span, E_DAT_AS_STR, d->as,
			    STR_NIL);
		else if (i == AS_TIME && str_none(d->as_format))
			check_error(c, d->as_span, E_DAT_AS_TIME, STR_NIL,
			    STR_NIL);
		else if (i != AS_TIME && !str_none(d->as_format))
			check_error(c, d->as_span, E_DAT_AS_FORMAT, d->as,
			    STR_NIL);
	}
	if (in->dat != NULL && in->input == NULL && c->script->rule == NULL)
		check_error(c, in->dat->span, E_DAT_NO_INPUT, STR_NIL,
		    STR_NIL);
	if (c->script->rule != NULL && in->input == NULL &&
	    !c->script->standalone && !c->p->broken)
		check_error(c, c->script->rule->span, E_RULE_NO_INPUT,
		    STR_NIL, STR_NIL);
}

static void
keys(struct check *c, const struct init *in)
{
	const struct key_name *k;
	char *p;

	for (k = in->key; k != NULL; k = k->next) {
		const struct symbol *y;

		check_column(c, k->number ? '#' : '$', k->name, k->span);
		y = symbols_find(&c->sym, k->number ? '#' : '$', k->name);
		if (y != NULL && y->kind != SYM_ARRAY)
			continue;
		if (c->p->broken || (c->table < 0 && in->input_kind ==
		    INPUT_TABLE))
			continue;	/* what is broken may have been to set it */
		p = arena_text(c->arena, k->name.n + 1);
		p[0] = k->number ? '#' : '$';
		memcpy(p + 1, k->name.p, k->name.n);
		check_error(c, k->span, E_KEY_UNKNOWN,
		    str_of(p, k->name.n + 1), STR_NIL);
	}
}

static void
format(struct check *c, const struct init *in)
{
	int i;

	c->format = FORMAT_TEXT;
	if (str_none(in->format))
		return;
	for (i = 0; i < FORMAT_COUNT; i++)
		if (str_eq(in->format, str_c(format_name[i])))
			break;
	if (i == FORMAT_COUNT)
		check_error(c, in->format_span, E_FORMAT_WORD, in->format, STR_NIL);
	else {
		c->format = (enum format)i;
		if (i != FORMAT_TEXT && !str_none(in->seps))
			check_error(c, in->seps_span, E_SEPS_FORMAT,
			    in->format, STR_NIL);
	}
}

static void
timing(struct check *c, const struct init *in)
{
	struct cron cron;
	struct cron_fault f;
	char t[200];

	if (in->timing == NULL)
		return;
	if (in->timing->kind != X_STR)
		check_error(c, in->timing->span, E_TASK_CONST,
		    STR_LIT("timing"), STR_NIL);
	else if (!cron_parse(in->timing->text, &cron, &f)) {
		snprintf(t, sizeof t, "%s%s%s", f.field == NULL ? "" : f.field,
		    f.field == NULL ? "" : ": ", f.text);
		check_error(c, in->timing->span, E_TIMING,
		    arena_dup(c->arena, str_c(t)), STR_NIL);
	} else if (cron_is_never(&cron))
		check_error(c, in->timing->span, E_TIMING_NEVER, STR_NIL,
		    STR_NIL);
}

/* Runs, or a time. */
static void
expire(struct check *c, const struct init *in)
{
	const struct node *n = in->expire;

	if (n == NULL)
		return;
	if (in->key == NULL)
		check_error(c, n->span, E_EXPIRE_KEYS, STR_NIL, STR_NIL);
	if (n->unit == UNIT_DURATION)
		c->expire_seconds = limit(c, n, "expire", UNIT_DURATION, 1,
		    LIM_SPAN, "1s", "36600d");
	else {
		c->expire_runs = limit(c, n, "expire", UNIT_NONE, 1, 1e9, "1",
		    "1e9");
		if (!num_is_int(c->expire_runs))
			diag_at(c->diag, n->span, E_VALUE_RANGE,
			    STR_LIT("expire"), STR_LIT("1 run"),
			    STR_LIT("1e9, a whole number"));
	}
}

static void
init(struct check *c, struct init *in)
{
	struct node pattern;

	c->place = IN_INIT;
	status_and_level(c, in);
	c->timeout = limit(c, in->timeout, "timeout", UNIT_DURATION, 1, 86400,
	    "1s", "24h");
	c->line_max = limit(c, in->line, "line", UNIT_SIZE, 80, 1 << 30,
	    "80", "1G");
	c->memory_max = limit(c, in->memory, "memory", UNIT_SIZE, 1 << 20,
	    4294967296.0 * 16, "1M", "64G");
	c->every = limit(c, in->every, "every", UNIT_DURATION, 1, 86400 * 366,
	    "1s", "366d");
	timing(c, in);
	expire(c, in);
	format(c, in);
	c->budget = limit(c, in->budget, "budget", UNIT_NONE, 1000, NUM_EXACT,
	    "1000", "2**53");
	if (in->task != NULL)
		check_want_str(c, &in->task, true);
	if (in->input != NULL) {
		if (in->input_kind == INPUT_PROC)
			check_command(c, &in->input);
		else if (in->input_kind != INPUT_TABLE)
			check_want_str(c, &in->input, true);
	}
	if (in->bakfile != NULL)
		check_want_str(c, &in->bakfile, true);
	if (in->filter != NULL)
		check_command(c, &in->filter);
	if (in->seps_regex && !str_none(in->seps)) {
		memset(&pattern, 0, sizeof pattern);
		pattern.kind = X_STR;
		pattern.text = in->seps;
		pattern.span = in->seps_span;
		(void)check_pattern(c, &pattern, false);
	}
	dats(c, in);
	if (in->input_kind == INPUT_TABLE)
		check_table(c, in);
}

void
check_unset_names(struct check *c)
{
	bool no_table = c->script != NULL && c->table < 0 &&
	    c->script->init->input_kind == INPUT_TABLE;
	struct diag_item *d;
	struct symbol *y;
	struct buf b;
	size_t i;

	for (i = 0; i < c->sym.n; i++) {
		y = c->sym.all[i];
		if (y->set || !y->used || y->kind == SYM_HANDLE)
			continue;
		if ((c->p->broken && !y->in_command) || no_table)
			continue;	/* what sets it may be what is broken */
		buf_init(&b, c->arena->mem);
		buf_putc(&b, y->number ? '#' : '$');
		buf_str(&b, y->name);
		if (y->kind == SYM_ARRAY)
			buf_puts(&b, "[]");
		d = check_error(c, y->use, y->in_command ? E_VAR_SHELL :
		    E_VAR_UNSET, arena_dup(c->arena, buf_view(&b)), STR_NIL);
		if (!y->in_command)
			check_near_column(c, d, y->name);
		buf_free(&b);
	}
}

void
check_script(struct check *c, struct parse *p, struct script *s,
    struct re_ctx *re)
{
	struct rule *r;

	memset(c, 0, sizeof *c);
	c->p = p;
	c->diag = p->diag;
	c->arena = p->arena;
	c->script = s;
	c->re = re;
	c->table = -1;
	symbols_init(&c->sym, p->arena);
	if (!s->has_begin && !s->has_end && s->rule == NULL &&
	    c->diag->nerror == 0)
		check_error(c, s->span, E_SCRIPT_EMPTY, s->name, STR_NIL);
	init(c, s->init);
	c->place = IN_BEGIN;
	check_stmts(c, s->begin);
	c->place = IN_RULE;
	for (r = s->rule; r != NULL; r = r->next) {
		c->rule++;
		check_stmts(c, r->body);
	}
	c->place = IN_END;
	check_stmts(c, s->end);
	keys(c, s->init);
	check_unset_names(c);
}
