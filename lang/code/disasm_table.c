/* disasm_table: what stands before the code in a listing. */
#include "lang/code/disasm_inner.h"
#include "lang/table/tables.h"

static void
row(struct dis *d, uint32_t i)
{
	buf_printf(d->out, "%8u  ", i);
}

static void
dat_row(struct dis *d, const struct dat *t)
{
	dis_name(d, t->number, t->name);
	buf_puts(d->out, "  ");
	switch (t->kind) {
	case DAT_FIELD:
		buf_printf(d->out, "field %u", t->lo);
		break;
	case DAT_LAST:
		buf_puts(d->out, "last field");
		break;
	case DAT_FROM_END:
		buf_printf(d->out, "field %u from the end", t->lo);
		break;
	case DAT_REST:
		buf_printf(d->out, "field %u and all behind it", t->lo);
		break;
	case DAT_RANGE:
		buf_printf(d->out, "fields %u to %u", t->lo, t->hi);
		break;
	case DAT_COLUMNS:
		buf_printf(d->out, "columns %u to %u", t->lo, t->hi);
		break;
	case DAT_PATH:
		buf_puts(d->out, "json ");
		dis_text(d, t->text, SHOWN_LINE);
		break;
	case DAT_NAME:
		buf_puts(d->out, "column ");
		dis_text(d, t->text, SHOWN_LINE);
		break;
	case DAT_COLUMN:
		buf_printf(d->out, "column %s of the table",
		    column_info[t->lo].name);
		break;
	default:
		dis_regex(d, t->regex, SHOWN_LINE);
	}
	if (t->as != AS_NUMBER)
		buf_printf(d->out, " as %s", as_name[t->as]);
	if (t->as == AS_TIME) {
		buf_putc(d->out, ' ');
		dis_text(d, t->time, SHOWN_LINE);
	}
	buf_putc(d->out, '\n');
}

static void
word(struct dis *d, const struct word *w)
{
	static const char *const kind[] = { "", " opt", " words", " raw" };
	const struct piece *x;
	uint32_t i;

	for (i = 0; i < w->npiece; i++) {
		x = &w->piece[i];
		if (x->data) {
			buf_printf(d->out, "{%u ", x->index);
			buf_escaped(d->out, x->text, SHOWN_TEXT);
			buf_printf(d->out, "%s}", kind[x->kind]);
		} else
			dis_text(d, x->text, SHOWN_LINE);
	}
	if (w->npiece == 0)
		buf_puts(d->out, "\"\"");
}

static void
template(struct dis *d, const struct template *t)
{
	uint32_t i;

	buf_escaped(d->out, t->show, SHOWN_LINE);
	buf_puts(d->out, t->shell ? "\n          sh -c " : "\n          ");
	for (i = 0; i < t->nword; i++) {
		if (i > 0)
			buf_puts(d->out, t->shell && i == 1 ?
			    "\n          words with data: " : "  ");
		word(d, &t->word[i]);
	}
	buf_putc(d->out, '\n');
}

/* Variables, then the constants that have registers, then the others. */
static void
values(struct dis *d)
{
	const struct program *p = d->p;
	uint32_t i;

	if (p->nnvar + p->nfarn + p->nnum > 0)
		dis_title(d, "numbers");
	for (i = 0; i < p->nnvar + p->nfarn; i++) {
		if (i < p->nnvar)
			buf_printf(d->out, "    N%-3u  ", i);
		else
			buf_printf(d->out, "  far %-3u ", i - p->nnvar);
		dis_name(d, true, p->nvar_name[i]);
		buf_putc(d->out, '\n');
	}
	for (i = 0; i < p->nnum; i++) {
		if (i < p->nnconst)
			buf_printf(d->out, "    N%-3u  ", LIM_REGS - 1 - i);
		else
			buf_printf(d->out, "    K%-3u  ", i);
		dis_num(d, p->num[i]);
		buf_putc(d->out, '\n');
	}
	if (p->nsvar + p->nfars + p->ntext > 0)
		dis_title(d, "strings");
	for (i = 0; i < p->nsvar + p->nfars; i++) {
		if (i < p->nsvar)
			buf_printf(d->out, "    S%-3u  ", i);
		else
			buf_printf(d->out, "  far %-3u ", i - p->nsvar);
		dis_name(d, false, p->svar_name[i]);
		buf_putc(d->out, '\n');
	}
	for (i = 0; i < p->ntext; i++) {
		if (i < p->nsconst)
			buf_printf(d->out, "    S%-3u  ", LIM_REGS - 1 - i);
		else
			buf_printf(d->out, "    K%-3u  ", i);
		dis_text(d, p->text[i], SHOWN_LINE);
		buf_putc(d->out, '\n');
	}
}

static void
kept_row(struct dis *d, const struct kept *k)
{
	const struct program *p = d->p;

	if (k->kind >= KEPT_TIME)	/* its name says whose */
		buf_escaped(d->out, k->name, 0);
	else
		dis_name(d, k->number, k->name);
	buf_puts(d->out, k->kind == KEPT_ARRAY ? "[]" :
	    k->kind == KEPT_DAT ? " of dat" : "");
	if (k->previous)
		buf_puts(d->out, k->by_line ? ", for the next run, by keys" :
		    ", for the next run");
	if (k->kind == KEPT_ARRAY && k->previous) {
		buf_puts(d->out, ", then ");
		dis_name(d, k->number, p->array[k->array].name);
		buf_puts(d->out, "[]");
	}
	if (k->preceding)
		buf_puts(d->out, ", for the next line");
	buf_putc(d->out, '\n');
}

static void
key_row(struct dis *d, const struct key_part *k)
{
	const struct program *p = d->p;

	dis_name(d, k->number, k->dat ? p->dat[k->index].name : k->number ?
	    p->nvar_name[k->index] : p->svar_name[k->index]);
	buf_putc(d->out, '\n');
}

void
dis_tables(struct dis *d)
{
	const struct program *p = d->p;
	uint32_t i;

	if (p->ndat > 0)
		dis_title(d, "dat");
	for (i = 0; i < p->ndat; i++) {
		row(d, i);
		dat_row(d, &p->dat[i]);
	}
	if (p->nkept > 0)
		dis_title(d, "kept");
	for (i = 0; i < p->nkept; i++) {
		row(d, i);
		kept_row(d, &p->kept[i]);
	}
	if (p->nkey > 0)
		dis_title(d, "keys");
	for (i = 0; i < p->nkey; i++) {
		row(d, i);
		key_row(d, &p->key[i]);
	}
	values(d);
	if (p->narray > 0)
		dis_title(d, "arrays");
	for (i = 0; i < p->narray; i++) {
		row(d, i);
		dis_name(d, p->array[i].number, p->array[i].name);
		buf_puts(d->out, "[]\n");
	}
	if (p->nhandle > 0)
		dis_title(d, "handles");
	for (i = 0; i < p->nhandle; i++) {
		row(d, i);
		buf_escaped(d->out, p->handle[i], SHOWN_TEXT);
		buf_putc(d->out, '\n');
	}
	if (p->nregex > 0)
		dis_title(d, "regexes");
	for (i = 0; i < p->nregex; i++) {
		row(d, i);
		dis_regex(d, i, SHOWN_LINE);
		buf_putc(d->out, '\n');
	}
	if (p->ntpl > 0)
		dis_title(d, "commands");
	for (i = 0; i < p->ntpl; i++) {
		row(d, i);
		template(d, &p->tpl[i]);
	}
}

static void
limit(struct dis *d, const char *name, double v, const char *unit)
{
	if (v == 0)
		return;
	buf_printf(d->out, ", %s ", name);
	dis_num(d, v);
	buf_puts(d->out, unit);
}

void
dis_head(struct dis *d)
{
	const struct program *p = d->p;
	struct buf *o = d->out;

	dis_paint(d, DIS_BOLD);
	buf_puts(o, "script ");
	buf_escaped(o, p->name, SHOWN_LINE);
	dis_paint(d, DIS_PLAIN);
	buf_puts(o, " of ");
	buf_escaped(o, p->file, SHOWN_LINE);
	buf_printf(o, "\n    status %s, level %s, input %s%s%s%s%s%s",
	    status_name[p->status], level_name[p->level],
	    input_name[p->input], p->input == INPUT_TABLE ? " " : "",
	    p->input == INPUT_TABLE ? table_info[p->table].name : "",
	    p->from_start ? " from start" : "",
	    p->has_filter ? " through a filter" : "",
	    p->format == FORMAT_TEXT ? "" : ", format ");
	if (p->format != FORMAT_TEXT)
		buf_puts(o, format_name[p->format]);
	limit(d, "timeout", p->timeout, " s");
	limit(d, "line", p->line_max, " bytes");
	limit(d, "memory", p->memory_max, " bytes");
	limit(d, "budget", p->budget, " instructions");
	limit(d, "every", p->every, " s");
	limit(d, "expire", p->expire_runs, " runs");
	limit(d, "expire", p->expire_seconds, " s");
	if (!str_none(p->timing)) {
		buf_puts(o, ", timing ");
		dis_text(d, p->timing, SHOWN_LINE);
	}
	if (p->watch_memory)
		buf_puts(o, ", watches memory");
	if (p->affects_mail)
		buf_puts(o, ", affects mail");
	if (p->seps != SEPS_BLANKS) {
		buf_puts(o, p->seps == SEPS_BYTE ? "\n    fields end at " :
		    p->seps == SEPS_SET ? "\n    fields end at any of " :
		    "\n    fields end at matches of ");
		dis_text(d, p->sep, SHOWN_LINE);
	}
	if (p->maxfield == UINT32_MAX)
		buf_puts(o, "\n    lines are split, all fields");
	else if (p->maxfield > 0)
		buf_printf(o, "\n    lines are split, up to field %u",
		    p->maxfield);
	buf_printf(o, "\n    registers: numbers %u + %u, strings %u + %u; "
	    "%u %s\n", p->nnvar, p->nntemp, p->nsvar, p->nstemp, p->ncode,
	    p->ncode == 1 ? "instruction" : "words of code");
}
