/*
 * call: a call's arguments against its row of builtins.def, and the commands
 * that some functions take.
 */
#include "lang/base/format.h"
#include "lang/check/check.h"
#include "lang/check/command.h"
#include "lang/check/inner.h"

/* What an argument string asks for: least and most arguments. */
static void
arity(const char *args, unsigned *least, unsigned *most)
{
	bool optional = false;
	unsigned n = 0;

	*least = *most = 0;
	for (; *args != '\0' && *args != '^'; args++) {
		if (*args == '|') {
			optional = true;
			continue;
		}
		if (*args == '*') {
			*most = UINT32_MAX;
			if (!optional)
				(*least)--;
			continue;
		}
		if (!optional)
			(*least)++;
		n++;
		if (*args == 'm')
			*most = UINT32_MAX;
	}
	if (*most == 0)
		*most = n;
}

struct str
check_count(struct check *c, unsigned least, unsigned most)
{
	struct buf b;
	struct str s;

	buf_init(&b, c->arena->mem);
	if (most == 0)
		buf_puts(&b, "no arguments");
	else if (most == UINT32_MAX)
		buf_printf(&b, "%u argument%s or more", least,
		    least == 1 ? "" : "s");
	else if (least == most)
		buf_printf(&b, "%u argument%s", least, least == 1 ? "" : "s");
	else
		buf_printf(&b, "%u to %u arguments", least, most);
	s = arena_dup(c->arena, buf_view(&b));
	buf_free(&b);
	return s;
}

struct str
check_number(struct check *c, unsigned n)
{
	char t[16];
	size_t k = sizeof t;

	do
		t[--k] = (char)('0' + n % 10);
	while ((n /= 10) > 0);
	return arena_dup(c->arena, str_of(t + k, sizeof t - k));
}

/* How a function is called and what it does, as a hint. */
static void
hint_usage(struct check *c, struct diag_item *d, int id)
{
	struct buf b;

	buf_init(&b, c->arena->mem);
	builtin_signature(id, builtin_main_name(id), &b);
	buf_puts(&b, ": ");
	buf_puts(&b, builtin_info[id].help);
	diag_hint(c->diag, d, buf_view(&b));
	buf_free(&b);
}

bool
check_array(struct check *c, struct node *a, bool quiet)
{
	struct symbol *y;

	if (a->kind == X_PREV && !a->flag && (!quiet || a->op == PREV_WHOLE)) {
		a->op = PREV_WHOLE;
		(void)check_previous(c, a);
	}
	if (a->kind == X_ARRAY && a->sym != NULL)
		return true;		/* of the run before */
	if (a->kind != X_VAR && a->kind != X_ARRAY)
		return false;
	if (quiet && a->kind == X_VAR) {
		y = symbols_find(&c->sym, a->type == TY_NUM ? '#' : '$',
		    a->text);
		if (y == NULL || y->kind != SYM_ARRAY)
			return false;
	}
	y = check_symbol(c, a, SYM_ARRAY);
	if (!y->used) {
		y->used = true;
		y->use = a->span;
	}
	a->kind = X_ARRAY;
	return true;
}

static void
handle_argument(struct check *c, struct node *a, unsigned i, int id)
{
	struct symbol *there;

	if (a->kind != X_HANDLE) {
		check_error(c, a->span, E_ARG_HANDLE, check_number(c, i),
		    builtin_main_name(id));
		return;
	}
	a->sym = symbols_get(&c->sym, 0, a->text, SYM_HANDLE, a->span, &there);
	a->type = TY_NUM;
}

/* $format("...", values) and #{expr:%.1f}: the values that it wants. */
static void
format_arguments(struct check *c, struct node *call)
{
	struct node *f = call->list, **pp;
	char kinds[LIM_CALL_ARGS * 2];
	const char *why = "";
	size_t n = 0, i;

	if (f->kind == X_STR) {
		if (!format_check(f->text, kinds, sizeof kinds, &n, &why)) {
			check_error(c, f->span, E_FORMAT, f->text, str_c(why));
			return;
		}
	} else {
		for (pp = &f->next; *pp != NULL; pp = &(*pp)->next)
			if (check_expr(c, pp) == TY_ANY)
				(*pp)->type = TY_STR;
		return;
	}
	for (pp = &f->next, i = 0; *pp != NULL; pp = &(*pp)->next, i++)
		if (i < n && kinds[i] == 'n')
			check_want_num(c, pp);
		else
			check_want_str(c, pp, true);
	if (i != n)
		diag_at(c->diag, call->span, E_ARGS, STR_LIT("the format"),
		    check_count(c, (unsigned)n, (unsigned)n),
		    check_number(c, (unsigned)i));
}

static void
one_argument(struct check *c, char letter, struct node **pa, unsigned i,
    int id)
{
	struct node *a = *pa;

	switch (letter) {
	case 's':
		check_want_str(c, pa, false);
		break;
	case 'x':
		check_want_truth(c, pa);
		break;
	case 'n': case 'i': case 't':
		check_want_num(c, pa);
		break;
	case 'm':
		if (!check_array(c, a, true))
			check_want_num(c, pa);
		break;
	case 'A':
		if (!check_array(c, a, false))
			check_error(c, a->span, E_ARG_ARRAY, check_number(c, i),
			    builtin_main_name(id));
		else {
			bool fills = id == BI_SPLIT || id == BI_GLOB ||
			    id == BI_TALLY;

			if ((fills || id == BI_SORT || id == BI_CLEAR) &&
			    a->sym->name.p[0] == '%')
				check_error(c, a->span, E_PREV_SET,
				    a->sym->name, STR_NIL);
			if (fills)
				a->sym->set = true;
		}
		break;
	case 'F':
		handle_argument(c, a, i, id);
		break;
	case 'c':
		check_command(c, pa);
		break;
	default:	/* v */
		if (check_expr(c, pa) == TY_ANY)
			(*pa)->type = TY_STR;
		break;
	}
}

static void
intrinsic(struct check *c, struct node *n)
{
	switch (n->id) {
	case BI_RAW: case BI_WORDS: case BI_OPT:
		check_error(c, n->span, E_CALL_PLACE, builtin_main_name(n->id),
		    STR_LIT("commands"));
		break;
	case BI_RULE:
		if (c->func != NULL)
			check_error(c, n->span, E_CALL_PLACE,
			    builtin_main_name(n->id), STR_LIT("sections"));
		n->kind = X_NUM;
		n->num = c->place == IN_RULE ? c->rule :
		    c->place == IN_END ? c->script->nrule + 1 : 0;
		n->list = NULL;
		break;
	case BI_TRUE: case BI_FALSE:
		n->kind = X_NUM;
		n->num = n->id == BI_TRUE;
		break;
	case BI_NNIL: case BI_SNIL: case BI_NERR: case BI_SERR:
		n->kind = X_NIL;
		n->flag = n->id == BI_NERR || n->id == BI_SERR;
		break;
	}
}

enum type
check_call(struct check *c, struct node **pn)
{
	struct node *n = *pn, **pp, *f;
	const struct builtin_info *bi;
	const char *letter;
	unsigned least, most, count = 0, i, nn = 0, ns = 0;

	if (n->type != TY_NONE)
		return n->type;
	if (n->kind == X_FMT) {
		/* #{expr:%.1f} is $format("%.1f", expr) */
		f = ast_new(c->p, X_STR, n->span);
		f->text = n->text;
		f->next = n->a;
		n->kind = X_CALL;
		n->id = BI_FORMAT;
		n->list = f;
		n->a = NULL;
	}
	if (n->id == BI_KEYSOF) {
		check_error(c, n->span, E_CALL_PLACE, STR_LIT("#keys"),
		    STR_LIT("for ... in and foreach"));
		return n->type = TY_NUM;
	}
	bi = &builtin_info[n->id];
	n->type = bi->ret == '#' ? TY_NUM : TY_STR;
	for (f = n->list; f != NULL; f = f->next)
		count++;
	arity(bi->args, &least, &most);
	if (count < least || count > most) {
		hint_usage(c, diag_at(c->diag, n->span, E_ARGS,
		    builtin_main_name(n->id), check_count(c, least, most),
		    check_number(c, count)), n->id);
		return n->type;
	}
	if (n->id == BI_DURATION && count == 0 && !c->at_hand)
		check_error(c, n->span, E_DURATION, STR_NIL, STR_NIL);
	if (n->id == BI_EXISTS && n->list->kind == X_PREV && !n->list->flag)
		(void)check_previous(c, n->list);
	if (n->id == BI_EXISTS && n->list->kind != X_INDEX) {
		check_error(c, n->list->span, E_EXISTS_ARG, STR_NIL, STR_NIL);
		return n->type;
	}
	if (n->id == BI_FORMAT) {
		check_want_str(c, &n->list, false);
		format_arguments(c, n);
	} else if (bi->args[0] == 'p') {
		check_history(c, n);
		return n->type;
	} else {
		letter = bi->args;
		for (pp = &n->list, i = 1; *pp != NULL; pp = &(*pp)->next, i++) {
			if (*letter == '|')
				letter++;
			one_argument(c, *letter, pp, i, n->id);
			if (letter[0] == 'm' || letter[1] == '*')
				continue;
			letter++;
			if (*letter == '|')
				letter++;
			if (*letter == '*')
				letter++;
		}
	}
	if (n->id == BI_COLUMN || n->id == BI_COLUMNS)
		check_single(c, n, count);
	if (n->id == BI_TALLY)
		check_tally(c, n, count);
	if (n->id == BI_SPLIT)
		c->splits = true;
	if (n->id == BI_FIELDS) {
		c->uses_fields = true;
		c->maxfield = UINT32_MAX;
	}
	if ((n->id == BI_FIELDS || n->id == BI_INNUM) && c->place == IN_END)
		c->end_uses_line = true;
	for (f = n->list; f != NULL; f = f->next)
		if (f->type == TY_STR && f->kind != X_ARRAY)
			ns++;
		else
			nn++;
	if (nn > LIM_CALL_ARGS || ns > LIM_CALL_ARGS)
		check_error(c, n->span, E_ARGS_MANY, STR_LIT("14"), STR_NIL);
	if (bi->flags & FN_INTRINSIC)
		intrinsic(c, n);
	return n->type;
}

/* --- commands --- */

/* Parts of a command: literals stay, the rest are values. */
static void
command_part(struct check *c, struct node **pn)
{
	struct node *n = *pn, **pp;

	if (n->kind == X_STR) {
		n->type = TY_STR;
		return;
	}
	if (n->kind == X_CAT) {
		c->in_command = n->flag;
		for (pp = &n->list; *pp != NULL; pp = &(*pp)->next)
			command_part(c, pp);
		n->type = TY_STR;
		c->in_command = false;
		return;
	}
	if (n->kind == X_CALL && (n->id == BI_RAW || n->id == BI_WORDS ||
	    n->id == BI_OPT)) {
		bool was = c->in_command;

		c->in_command = false;
		n->type = TY_STR;
		if (n->list == NULL || n->list->next != NULL)
			diag_at(c->diag, n->span, E_ARGS,
			    builtin_main_name(n->id), STR_LIT("1 argument"),
			    n->list == NULL ? STR_LIT("0") : STR_LIT("more"));
		else
			check_want_str(c, &n->list, true);
		c->in_command = was;
		return;
	}
	check_want_str(c, pn, true);
}

/* The source form of a value, for messages. */
static struct str
source_form(struct check *c, struct span at)
{
	const struct buf *t = &c->p->src->text;

	if (at.at + at.len > t->n)
		return STR_EMPTY;
	return arena_dup(c->arena, str_of(t->p + at.at, at.len));
}

static size_t
count_parts(const struct node *n)
{
	size_t k = 0;

	if (n->kind != X_CAT)
		return 1;
	for (n = n->list; n != NULL; n = n->next)
		k += count_parts(n);
	return k;
}

static void
flatten(struct check *c, struct node *n, struct cmd_part *part, size_t *k,
    struct command_site *site)
{
	struct cmd_part *q;
	struct node *v = n;

	if (n->kind == X_CAT) {
		for (v = n->list; v != NULL; v = v->next)
			flatten(c, v, part, k, site);
		return;
	}
	q = &part[(*k)++];
	memset(q, 0, sizeof *q);
	q->span = n->span;
	if (n->kind == X_STR) {
		q->text = n->text;
		if (n->a != NULL)
			q->span = n->a->span;
		return;
	}
	q->data = true;
	q->text = source_form(c, n->span);
	if (n->kind == X_CALL && (n->id == BI_RAW || n->id == BI_WORDS ||
	    n->id == BI_OPT)) {
		q->kind = n->id == BI_RAW ? DATA_RAW :
		    n->id == BI_WORDS ? DATA_WORDS : DATA_OPT;
		if (n->list != NULL)
			v = n->list;
	}
	q->number = v->kind == X_CALL && v->id == BI_TEXT;
	q->built = v->kind == X_VAR && v->sym != NULL && v->sym->built;
	site->data[site->ndata++] = v;
}

static void
make_template(struct check *c, struct node *n)
{
	size_t most = count_parts(n), k = 0;
	struct cmd_part *part = arena_alloc(c->arena, most * sizeof *part);

	n->site = arena_zalloc(c->arena, sizeof *n->site);
	n->site->data = arena_alloc(c->arena, most * sizeof *n->site->data);
	flatten(c, n, part, &k, n->site);
	(void)command_template(c->arena, c->diag, part, k, &n->site->tpl);
}

void
check_command(struct check *c, struct node **pn)
{
	bool was = c->in_command;

	if ((*pn)->site != NULL)
		return;
	c->in_command = false;
	command_part(c, pn);
	c->in_command = was;
	make_template(c, *pn);
}
