#include <math.h>

#include "lang/code/verify_inner.h"

#include "lang/base/jpath.h"
#include "lang/base/num.h"
#include "lang/table/tables.h"

#define DP_ALL		0x0fffu			/* every DP_ flag */

bool
verify_bad(struct check *c, const char *fmt, ...)
{
	va_list ap;

	buf_puts(c->why, "script ");
	buf_escaped(c->why, c->p->name, 80);
	buf_puts(c->why, ": ");
	va_start(ap, fmt);
	buf_vprintf(c->why, fmt, ap);
	va_end(ap);
	return false;
}

static bool
registers(struct check *c)
{
	const struct program *p = c->p;
	uint32_t i;

	/* singly first, so that no sum overflows */
	if (p->nnvar > LIM_REGS || p->nntemp > LIM_REGS ||
	    p->nnconst > LIM_REGS ||
	    p->nnvar + p->nntemp + p->nnconst > LIM_REGS)
		return verify_bad(c, "too many number registers");
	if (p->nsvar > LIM_REGS || p->nstemp > LIM_REGS ||
	    p->nsconst > LIM_REGS ||
	    p->nsvar + p->nstemp + p->nsconst > LIM_REGS)
		return verify_bad(c, "too many string registers");
	if (p->nfarn > LIM_FAR || p->nfars > LIM_FAR)
		return verify_bad(c, "too many variables");
	if (p->nnconst > p->nnum || p->nsconst > p->ntext)
		return verify_bad(c, "constant registers without constants");
	if (p->nslot > LIM_SLOTS)
		return verify_bad(c, "too many loop slots");
	if (p->narray > LIM_ARRAYS)
		return verify_bad(c, "too many arrays");
	for (i = 0; i < p->nnum; i++)
		if (!num_fine(p->num[i]) &&
		    num_bits(p->num[i]) != NUM_NIL_BITS &&
		    num_bits(p->num[i]) != NUM_ERR_BITS)
			return verify_bad(c, "constant %u is no number", i);
	return true;
}

static bool
func(struct check *c, const struct func *f)
{
	const struct program *p = c->p;
	uint32_t i;

	if (str_none(f->name) || f->name.n < 2 ||
	    (f->name.p[0] != '#' && f->name.p[0] != '$'))
		return verify_bad(c, "a function has no name");
	if (f->nnvar > LIM_REGS || f->nntemp > LIM_REGS ||
	    f->nnvar + f->nntemp + p->nnconst > LIM_REGS ||
	    f->nsvar > LIM_REGS || f->nstemp > LIM_REGS ||
	    f->nsvar + f->nstemp + p->nsconst > LIM_REGS)
		return verify_bad(c, "too many registers in a function");
	if (f->nnparam > LIM_CALL_ARGS || f->nsparam > LIM_CALL_ARGS ||
	    f->naparam > LIM_CALL_ARGS || f->nnparam > f->nnvar ||
	    f->nsparam > f->nsvar || f->naparam > f->narray ||
	    f->narray > LIM_ARRAYS || f->nslot > LIM_SLOTS)
		return verify_bad(c, "bad tables of a function");
	if (f->handle > p->nhandle || f->nhandle > p->nhandle - f->handle)
		return verify_bad(c, "no such handles of a function");
	for (i = 0; i < f->nnvar; i++)
		if (str_none(f->nvar_name[i]))
			return verify_bad(c, "a variable has no name");
	for (i = 0; i < f->nsvar; i++)
		if (str_none(f->svar_name[i]))
			return verify_bad(c, "a variable has no name");
	for (i = 0; i < f->narray; i++)
		if (str_none(f->array[i].name))
			return verify_bad(c, "an array has no name");
	return true;
}

static bool
names(struct check *c)
{
	const struct program *p = c->p;
	uint32_t i;

	for (i = 0; i < p->nnvar + p->nfarn; i++)
		if (str_none(p->nvar_name[i]))
			return verify_bad(c, "a variable has no name");
	for (i = 0; i < p->nsvar + p->nfars; i++)
		if (str_none(p->svar_name[i]))
			return verify_bad(c, "a variable has no name");
	for (i = 0; i < p->narray; i++)
		if (str_none(p->array[i].name))
			return verify_bad(c, "an array has no name");
	for (i = 0; i < p->nhandle; i++)
		if (str_none(p->handle[i]))
			return verify_bad(c, "a handle has no name");
	for (i = 0; i < p->nfiles; i++)
		if (str_none(p->files[i]))
			return verify_bad(c, "a source file has no name");
	for (i = 0; i < p->nregex; i++)
		if (str_none(p->regex[i].pattern))
			return verify_bad(c, "regex %u has no pattern", i);
	return true;
}

/* Bytes and the like: what a size_t holds. */
static bool
limit_ok(double d)
{
	return d >= 0 && d <= NUM_EXACT && d < (double)SIZE_MAX;
}

static bool
table(struct check *c)
{
	const struct program *p = c->p;
	size_t most, least;
	const char *args;

	if (p->input != INPUT_TABLE)
		return (!p->has_where && p->ntablearg == 0) ||
		    verify_bad(c, "a table's items without a table");
	if (p->table >= TABLE_COUNT)
		return verify_bad(c, "no such table");
	args = table_info[p->table].args;
	least = strcspn(args, "|");
	most = strlen(args) - (args[least] == '|');
	if (p->ntablearg < least || p->ntablearg > most)
		return verify_bad(c, "a table with other arguments");
	if (p->has_filter || p->format != FORMAT_TEXT ||
	    p->seps != SEPS_BYTE)
		return verify_bad(c, "a table whose rows are taken apart");
	return true;
}

static bool
init(struct check *c)
{
	const struct program *p = c->p;
	bool has_sep = !str_none(p->sep);

	if (str_none(p->name) || str_none(p->file))
		return verify_bad(c, "has no name or no file");
	if ((unsigned)p->status >= STATUS_COUNT ||
	    (unsigned)p->level >= LEVEL_COUNT ||
	    (unsigned)p->input >= INPUT_COUNT ||
	    (unsigned)p->format >= FORMAT_COUNT)
		return verify_bad(c, "unknown status, level, input or format");
	if ((unsigned)p->seps >= SEPS_COUNT ||
	    (p->seps == SEPS_BYTE && (!has_sep || p->sep.n != 1)) ||
	    (p->seps == SEPS_SET && (!has_sep || p->sep.n == 0)) ||
	    (p->seps == SEPS_REGEX && p->sep_regex >= p->nregex))
		return verify_bad(c, "bad separators");
	if (!limit_ok(p->timeout) || !limit_ok(p->line_max) ||
	    !limit_ok(p->memory_max) || !limit_ok(p->budget) ||
	    !limit_ok(p->every))
		return verify_bad(c, "bad limits");
	if ((p->has_bakfile || p->from_start) && p->input != INPUT_LOGFILE)
		return verify_bad(c, "a log's items without a log");
	return table(c);
}

static bool
dat(struct check *c, const struct dat *d)
{
	size_t at;
	bool ok = !str_none(d->name) && (unsigned)d->as < AS_COUNT &&
	    (d->number || d->as == AS_NUMBER) &&
	    (d->as != AS_TIME || !str_none(d->time));

	switch (d->kind) {
	case DAT_FIELD: case DAT_FROM_END: case DAT_REST:
		ok = ok && d->lo >= 1;
		break;
	case DAT_RANGE: case DAT_COLUMNS:
		ok = ok && d->lo >= 1 && d->lo <= d->hi;
		break;
	case DAT_LAST:
		break;
	case DAT_REGEX:
		ok = ok && d->regex < c->p->nregex;
		break;
	case DAT_PATH:
		ok = ok && !str_none(d->text) && jpath_check(d->text, &at);
		break;
	case DAT_NAME:
		ok = ok && !str_none(d->text);
		break;
	case DAT_COLUMN:
		ok = ok && c->p->input == INPUT_TABLE &&
		    d->lo < COLUMN_COUNT &&
		    column_info[d->lo].table == c->p->table &&
		    (column_info[d->lo].sigil == '#') == d->number;
		break;
	default:
		ok = false;
	}
	/* the line of a row is made of its columns: no other part of it is one */
	ok = ok && (d->kind == DAT_COLUMN || c->p->input != INPUT_TABLE);
	return ok || verify_bad(c, "bad dat row");
}

static bool
variable(const struct program *p, bool number, uint32_t i)
{
	return i < (number ? p->nnvar + p->nfarn : p->nsvar + p->nfars);
}

/* A history is of a number that is kept, by lines or not, as it is. */
static bool
history(struct check *c, uint32_t at)
{
	const struct kept *k = &c->p->kept[at], *of;

	of = k->index < at ? &c->p->kept[k->index] : k;
	if ((of->kind != KEPT_VAR && of->kind != KEPT_DAT) || !of->number ||
	    !of->previous || of->by_line != k->by_line || !k->previous ||
	    k->preceding || k->number != (k->kind != KEPT_WINDOW))
		return verify_bad(c, "a history of what is not kept");
	if (k->kind == KEPT_EWMA && !(k->param > 0 && k->param <= 1))
		return verify_bad(c, "an average with a wrong weight");
	if (k->kind == KEPT_WINDOW && !(k->param >= 2 &&
	    k->param <= LIM_WINDOW && k->param == floor(k->param)))
		return verify_bad(c, "a window of a wrong size");
	return true;
}

static bool
kept(struct check *c, uint32_t at)
{
	const struct program *p = c->p;
	const struct kept *k = &p->kept[at];
	uint32_t i;

	if (str_none(k->name) || k->name.n == 0)
		return verify_bad(c, "what is kept has no name");
	if (k->by_line && (p->nkey == 0 || !k->previous))
		return verify_bad(c, "kept by lines that have no keys");
	switch (k->kind) {
	case KEPT_VAR:
		if (!variable(p, k->number, k->index))
			return verify_bad(c, "keeps what is no variable");
		return true;
	case KEPT_DAT:
		if (k->index >= p->ndat || p->dat[k->index].number != k->number)
			return verify_bad(c, "keeps what is no dat variable");
		return true;
	case KEPT_ARRAY:
		if (k->by_line || k->index >= p->narray ||
		    p->array[k->index].number != k->number ||
		    (k->previous && (k->array >= p->narray ||
		    k->array == k->index ||
		    p->array[k->array].number != k->number)))
			return verify_bad(c, "keeps what is no array");
		/* one array has one memory */
		for (i = 0; i < at; i++)
			if (p->kept[i].kind == KEPT_ARRAY &&
			    (p->kept[i].index == k->index ||
			    (k->previous && p->kept[i].previous &&
			    p->kept[i].array == k->array)))
				return verify_bad(c, "keeps an array twice");
		return true;
	case KEPT_TIME: case KEPT_EWMA: case KEPT_WINDOW:
		return history(c, at);
	default:
		return verify_bad(c, "keeps what there is not");
	}
}

static bool
key_part(struct check *c, const struct key_part *k)
{
	const struct program *p = c->p;

	if (k->dat ? k->index >= p->ndat || p->dat[k->index].number !=
	    k->number : !variable(p, k->number, k->index))
		return verify_bad(c, "a key is no variable");
	return true;
}

static bool
template(struct check *c, const struct template *t)
{
	const struct piece *x;
	uint32_t i, j, seen = 0;

	if (str_none(t->show) || t->nword == 0)
		return verify_bad(c, "an empty command");
	for (i = 0; i < t->nword; i++)
		for (j = 0; j < t->word[i].npiece; j++) {
			x = &t->word[i].piece[j];
			if (str_none(x->text))
				return verify_bad(c, "a command's piece has no text");
			if (!x->data)
				continue;
			if (x->index >= t->ndata ||
			    (unsigned)x->kind > DATA_RAW ||
			    (x->flags & ~DP_ALL) != 0 ||
			    (x->kind == DATA_RAW && !t->raw))
				return verify_bad(c, "bad data in a command");
			/* the shell's text has each part once, in order */
			if (t->shell && i == 0 && x->index != seen++)
				return verify_bad(c, "data out of order in a command");
		}
	if (t->shell && seen != t->ndata)
		return verify_bad(c, "data out of order in a command");
	return true;
}

static bool
lines(struct check *c)
{
	const struct program *p = c->p;
	uint32_t i;

	/* An empty script has none; its code then must be such that nothing
	 * can go wrong in it, for the machine tells of places. */
	for (i = 0; p->nlines == 0 && i < p->ncode; i++)
		if (I_OP(p->code[i]) != OP_END)
			return verify_bad(c, "no line table");
	for (i = 0; i < p->nlines; i++)
		if (p->lines[i].file >= p->nfiles ||
		    (i > 0 && p->lines[i].pc < p->lines[i - 1].pc))
			return verify_bad(c, "bad line table");
	return true;
}

bool
program_verify(const struct program *p, struct buf *why)
{
	struct check c = { .p = p, .why = why };
	uint32_t i;

	if (!init(&c) || !registers(&c) || !names(&c) || !lines(&c))
		return false;
	if (p->nfunc > LIM_FUNCS)
		return verify_bad(&c, "too many functions");
	for (i = 0; i < p->nfunc; i++)
		if (!func(&c, &p->func[i]))
			return false;
	for (i = 0; i < p->ndat; i++)
		if (!dat(&c, &p->dat[i]))
			return false;
	if (p->nkept > LIM_FAR || p->nkey > LIM_FAR ||
	    !(p->expire_runs >= 0) || !(p->expire_seconds >= 0))
		return verify_bad(&c, "keeps too much, or too long");
	for (i = 0; i < p->nkept; i++)
		if (!kept(&c, i))
			return false;
	for (i = 0; i < p->nkey; i++)
		if (!key_part(&c, &p->key[i]))
			return false;
	for (i = 0; i < p->ntpl; i++)
		if (!template(&c, &p->tpl[i]))
			return false;
	return verify_code(&c);
}
