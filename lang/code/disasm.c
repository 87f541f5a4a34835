/* disasm: the code; what stands before it is disasm_table.c. */
#include "lang/code/disasm.h"

#include "lang/base/num.h"
#include "lang/code/disasm_inner.h"
#include "lang/table/builtin.h"

void
dis_paint(struct dis *d, const char *code)
{
	if (d->colour)
		buf_puts(d->out, code);
}

void
dis_title(struct dis *d, const char *text)
{
	dis_paint(d, DIS_BOLD);
	buf_puts(d->out, text);
	dis_paint(d, DIS_PLAIN);
	buf_putc(d->out, '\n');
}

/* --- operands as people read them --- */

void
dis_text(struct dis *d, struct str s, size_t max)
{
	if (str_none(s)) {
		buf_str(d->out, s);
		return;
	}
	buf_putc(d->out, '"');
	buf_escaped(d->out, s, max);
	buf_putc(d->out, '"');
}

void
dis_num(struct dis *d, double n)
{
	char t[NUM_TEXT_MAX];

	buf_add(d->out, t, num_text(n, t));
}

void
dis_name(struct dis *d, bool number, struct str name)
{
	buf_putc(d->out, number ? '#' : '$');
	buf_escaped(d->out, name, SHOWN_TEXT);
}

static void
put_reg_n(struct dis *d, uint32_t r)
{
	if (r < (d->f == NULL ? d->p->nnvar : d->f->nnvar))
		dis_name(d, true, d->f == NULL ? d->p->nvar_name[r] :
		    d->f->nvar_name[r]);
	else if (r >= LIM_REGS - d->p->nnconst)
		dis_num(d, d->p->num[LIM_REGS - 1 - r]);
	else
		buf_printf(d->out, "N%u", r);
}

static void
put_reg_s(struct dis *d, uint32_t r)
{
	if (r < (d->f == NULL ? d->p->nsvar : d->f->nsvar))
		dis_name(d, false, d->f == NULL ? d->p->svar_name[r] :
		    d->f->svar_name[r]);
	else if (r >= LIM_REGS - d->p->nsconst)
		dis_text(d, d->p->text[LIM_REGS - 1 - r], SHOWN_TEXT);
	else
		buf_printf(d->out, "S%u", r);
}

void
dis_regex(struct dis *d, uint32_t r, size_t max)
{
	buf_putc(d->out, '/');
	buf_escaped(d->out, d->p->regex[r].pattern, max);
	buf_puts(d->out, d->p->regex[r].icase ? "/i" : "/");
}

/* A call's arguments, from the EXT word. */
static void
put_call(struct dis *d, int id)
{
	const char *args = builtin_info[id].args, *sep = "";
	uint32_t nb = CALL_NB(d->ext), sb = CALL_SB(d->ext);
	uint32_t nn = nb + CALL_NN(d->ext), ns = sb + CALL_NS(d->ext);

	if (CALL_NS(d->ext) == CALL_ARRAY)
		ns = sb;
	buf_str(d->out, builtin_main_name(id));
	buf_putc(d->out, '(');
	for (; nb < nn || sb < ns || *args == 'c'; sep = ", ") {
		if (*args == '|' || *args == '*' || *args == '^')
			args++;
		buf_puts(d->out, sep);
		if (*args == 'c')
			buf_puts(d->out, "the command");
		else if (sb < ns && (*args == 's' || nb == nn))
			put_reg_s(d, sb++);
		else {
			if (*args == 'A' || (*args == 'm' &&
			    CALL_NS(d->ext) == CALL_ARRAY))
				buf_puts(d->out, "array ");
			else if (*args == 'F')
				buf_puts(d->out, "handle ");
			put_reg_n(d, nb++);
		}
		if (*args != '\0' && args[1] != '*' && *args != 'm')
			args++;
	}
	buf_putc(d->out, ')');
}

/* One of a function of the source; its arrays went before. */
static void
put_ucall(struct dis *d, const struct func *f)
{
	uint32_t nb = CALL_NB(d->ext), sb = CALL_SB(d->ext), i;
	const char *sep = "";

	buf_escaped(d->out, f->name, SHOWN_TEXT);
	buf_putc(d->out, '(');
	for (i = 0; i < f->nnparam; i++, sep = ", ") {
		buf_puts(d->out, sep);
		put_reg_n(d, nb + i);
	}
	for (i = 0; i < f->nsparam; i++, sep = ", ") {
		buf_puts(d->out, sep);
		put_reg_s(d, sb + i);
	}
	for (i = 0; i < f->naparam; i++, sep = ", ") {
		buf_puts(d->out, sep);
		buf_puts(d->out, "array");
	}
	buf_putc(d->out, ')');
}

static const char *const out_name[OUT_COUNT] = { "stdout", "mail", "print",
    "log", "piktlog", "syslog", "mail to", "journal" };
static const char *const xopt_name[XOPT_COUNT] = { "as", "timeout", "in",
    "limit memory", "limit cpu" };
static const char *const order_name[ORDER_COUNT] = { "as inserted", "by key",
    "by key, down", "by value", "by value, down" };

static void
put_operand(struct dis *d, char letter, uint32_t v)
{
	const struct program *p = d->p;
	const struct array_decl *array;

	switch (letter) {
	case 'N': case 'n':
		put_reg_n(d, v);
		break;
	case 'S': case 's': case 'V': case 'q':
		put_reg_s(d, v);
		break;
	case 'a': case 'b': case 'x':
		array = d->f == NULL ? &p->array[v] : &d->f->array[v];
		dis_name(d, array->number, array->name);
		break;
	case 'o':
		buf_puts(d->out, out_name[v]);
		break;
	case 'e':
		buf_puts(d->out, xopt_name[v]);
		break;
	case 'f':
		buf_printf(d->out, "-%c", (int)v);
		break;
	case 'g': case 'G':
		dis_name(d, true, p->nvar_name[p->nnvar + v]);
		break;
	case 'h': case 'H':
		dis_name(d, false, p->svar_name[p->nsvar + v]);
		break;
	case 'K':
		dis_num(d, p->num[v]);
		break;
	case 'L':
		dis_text(d, p->text[v], SHOWN_TEXT);
		break;
	case 'D': case 'E':
		dis_name(d, p->dat[v].number, p->dat[v].name);
		break;
	case 'P': case 'Q': case 'Y':
		dis_name(d, p->kept[v].number, p->kept[v].name);
		break;
	case 'F':
		put_call(d, (int)v);
		break;
	case 'U':
		put_ucall(d, &p->func[v]);
		break;
	case 'R':
		dis_regex(d, v, SHOWN_TEXT);
		break;
	default:
		buf_printf(d->out, "%u", v);
	}
}

/* --- the meaning, filled in --- */

/* The operand that a word of the meaning names; false if it names none. */
static bool
put_word(struct dis *d, struct str w)
{
	const instr i = d->i;

	if (str_eq(w, STR_LIT("A")))
		put_operand(d, d->s.a, I_A(i));
	else if (str_eq(w, STR_LIT("B")))
		put_operand(d, d->s.b, I_B(i));
	else if (str_eq(w, STR_LIT("C")) && I_OP(i) == OP_ITER)
		buf_puts(d->out, order_name[I_C(i)]);
	else if (str_eq(w, STR_LIT("C")))
		put_operand(d, d->s.c, I_C(i));
	else if (str_eq(w, STR_LIT("Bx")))
		put_operand(d, d->s.bx, I_BX(i));
	else if (str_eq(w, STR_LIT("EXT")))
		put_operand(d, 'R', I_AX(d->ext));
	else
		return false;
	return true;
}

static bool
word_byte(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
	    (c >= '0' && c <= '9');
}

/* What an operand says itself is left out before it. */
static size_t
needless(struct str s)
{
	static const char *const words[] = { "constant Bx", "far variable Bx",
	    "dat variable Bx", "array A", "array B", "builtin Bx", "function Bx", "name Bx",
	    "regex EXT", "order C", "option A", "file test B" };
	size_t i, n;

	for (i = 0; i < sizeof words / sizeof words[0]; i++) {
		n = strlen(words[i]);
		if (str_starts(s, words[i]) &&
		    (s.n == n || !word_byte(s.p[n])))
			return (size_t)(strrchr(words[i], ' ') + 1 - words[i]);
	}
	return 0;
}

#define JOINED	"S[B] . ... . S[B+C-1]"

static void
put_joined(struct dis *d)
{
	uint32_t i;

	for (i = 0; i < I_C(d->i); i++) {
		if (i > 0)
			buf_puts(d->out, " . ");
		put_reg_s(d, I_B(d->i) + i);
	}
}

static void
fill(struct dis *d, struct str m)
{
	size_t n;

	while (m.n > 0) {
		n = needless(m);
		m.p += n;
		m.n -= n;
		if (str_starts(m, JOINED)) {
			put_joined(d);
			m.p += sizeof JOINED - 1;
			m.n -= sizeof JOINED - 1;
			continue;
		}
		/* N[A] and S[A]: the register's own name stands for both */
		if (m.n >= 4 && (m.p[0] == 'N' || m.p[0] == 'S') &&
		    m.p[1] == '[' && m.p[3] == ']' &&
		    put_word(d, str_of(m.p + 2, 1))) {
			m.p += 4;
			m.n -= 4;
			continue;
		}
		for (n = 0; n < m.n && word_byte(m.p[n]); n++)
			;
		if (n == 0)
			n = 1;
		if (!put_word(d, str_of(m.p, n))) {
			/* "array A [key]" is nearer to the script as #a[key] */
			if (!(m.n > 1 && m.p[0] == ' ' && m.p[1] == '['))
				buf_add(d->out, m.p, n);
		}
		m.p += n;
		m.n -= n;
	}
}

/* "jump if X is k" to "if X jump to T". */
static void
fill_condition(struct dis *d, struct str m, uint32_t target)
{
	const char *lead = "jump if ", *tail = " is k";
	uint32_t k = I_C(d->i);

	if (str_starts(m, lead) && str_ends(m, tail)) {
		buf_puts(d->out, k ? "if " : "if not ");
		m.p += strlen(lead);
		m.n -= strlen(lead) + strlen(tail);
		if (k && m.p[0] == '(') {
			m.p++;
			m.n -= 2;
		}
		fill(d, m);
		buf_printf(d->out, " jump to %u", target);
		return;
	}
	fill(d, m);
	buf_printf(d->out, ", at the end jump to %u", target);
}

static void
meaning(struct dis *d, uint32_t pc)
{
	enum opcode op = I_OP(d->i);
	struct str m = str_c(opcode_meaning(op));
	uint32_t target, at = pc + shape_words(d->s) - 1;
	const char *const mode[] = { "go on", "wait", "detached", "?" };

	/* of a jump, the last word of its instruction */
	target = (uint32_t)((int64_t)at + 1 + I_SAX(d->p->code[at]));
	m.n = str_find(m, ';', 0);
	if (op == OP_JMP || op == OP_LOOP)
		buf_printf(d->out, "%s %u", op == OP_JMP ? "jump to" :
		    "back to", target);
	else if (op == OP_CMD) {
		buf_puts(d->out, "the command := ");
		buf_escaped(d->out, d->p->tpl[I_BX(d->i)].show, SHOWN_TEXT);
	} else if (op == OP_OUT) {
		buf_printf(d->out, "output %s ", out_name[I_A(d->i)]);
		if (I_A(d->i) == OUT_LOG || I_A(d->i) == OUT_MAIL_TO) {
			put_reg_s(d, I_B(d->i));
			buf_putc(d->out, ' ');
		}
		put_reg_s(d, I_C(d->i));
	} else if (op == OP_EXEC) {
		fill(d, m);
		buf_printf(d->out, ": %s%s", mode[I_A(d->i) & 3],
		    I_A(d->i) & 4 ? ", doexec" : "");
	} else if (d->s.cond)
		fill_condition(d, m, target);
	else
		fill(d, m);
}

/* --- the code --- */

/* The operands as numbers, as they stand in the words. */
static void
operands(struct dis *d)
{
	struct buf *o = d->out;

	if (d->s.ax == 'J')
		buf_printf(o, " %d", I_SAX(d->i));
	if (d->s.ax == 'R')
		buf_printf(o, " %u", I_AX(d->i));
	if (d->s.a != '-')
		buf_printf(o, " %u", I_A(d->i));
	if (d->s.bx != '-')
		buf_printf(o, " %u", I_BX(d->i));
	else if (d->s.c != '-' || d->s.b == 'q')
		buf_printf(o, " %u %u", I_B(d->i), I_C(d->i));
	else if (d->s.b != '-')
		buf_printf(o, " %u", I_B(d->i));
	if (d->s.ext && d->s.bx != 'F' && d->s.bx != 'U')
		buf_printf(o, " %u", I_AX(d->ext));
}

static void
pad_to(struct dis *d, size_t from, size_t width)
{
	while (d->out->n - from < width)
		buf_putc(d->out, ' ');
}

/* One instruction with the words behind it; returns how many there are. */
static uint32_t
instruction(struct dis *d, uint32_t pc, uint32_t line)
{
	size_t at;

	d->i = d->p->code[pc];
	d->s = shape_of(I_OP(d->i));
	d->ext = d->s.ext ? d->p->code[pc + 1] : 0;
	dis_paint(d, DIS_DIM);
	if (line != 0)
		buf_printf(d->out, "%6u", line);
	else
		buf_puts(d->out, "      ");
	buf_printf(d->out, " %5u  ", pc);
	dis_paint(d, DIS_PLAIN);
	dis_paint(d, DIS_CYAN);
	buf_printf(d->out, "%-7s", opcode_name(I_OP(d->i)));
	dis_paint(d, DIS_PLAIN);
	at = d->out->n;
	operands(d);
	pad_to(d, at, 16);
	buf_puts(d->out, "; ");
	meaning(d, pc);
	buf_putc(d->out, '\n');
	return shape_words(d->s);
}

/* function #name(#a, $b, $list[]) */
static void
function(struct dis *d, const struct func *f)
{
	const char *sep = "";
	uint32_t i;

	dis_paint(d, DIS_BOLD);
	buf_puts(d->out, "function ");
	buf_escaped(d->out, f->name, SHOWN_TEXT);
	buf_putc(d->out, '(');
	for (i = 0; i < f->nnparam; i++, sep = ", ") {
		buf_puts(d->out, sep);
		dis_name(d, true, f->nvar_name[i]);
	}
	for (i = 0; i < f->nsparam; i++, sep = ", ") {
		buf_puts(d->out, sep);
		dis_name(d, false, f->svar_name[i]);
	}
	for (i = 0; i < f->naparam; i++, sep = ", ") {
		buf_puts(d->out, sep);
		dis_name(d, f->array[i].number, f->array[i].name);
		buf_puts(d->out, "[]");
	}
	buf_putc(d->out, ')');
	dis_paint(d, DIS_PLAIN);
	buf_putc(d->out, '\n');
}

static void
code(struct dis *d)
{
	const struct program *p = d->p;
	const struct { bool has; uint32_t at; const char *name; } piece[] = {
		{ p->has_task, p->pc_task, "task" },
		{ p->input != INPUT_NONE, p->pc_input, "input" },
		{ p->has_filter, p->pc_filter, "filter" },
		{ p->has_bakfile, p->pc_bakfile, "bakfile" },
		{ p->has_where, p->pc_where, "where" },
		{ p->has_begin, p->pc_begin, "begin" },
		{ p->has_rules, p->pc_rules, "rule" },
		{ p->has_end, p->pc_end, "end" },
	};
	const struct line_entry *e, *last = NULL;
	uint32_t pc, next = 0;
	size_t i;

	d->f = NULL;
	for (pc = 0; pc < p->ncode; ) {
		if (next < p->nfunc && p->func[next].pc == pc) {
			d->f = &p->func[next++];
			function(d, d->f);
		}
		for (i = 0; i < sizeof piece / sizeof piece[0]; i++)
			if (piece[i].has && piece[i].at == pc)
				dis_title(d, piece[i].name);
		e = program_where(p, pc);
		if (e != NULL && (last == NULL ?
		    !str_eq(p->files[e->file], p->file) :
		    last->file != e->file)) {
			dis_paint(d, DIS_DIM);
			buf_puts(d->out, "       ");
			buf_escaped(d->out, p->files[e->file], SHOWN_LINE);
			buf_puts(d->out, ":\n");
			dis_paint(d, DIS_PLAIN);
		}
		pc += instruction(d, pc, e == NULL || (last != NULL &&
		    last->line == e->line && last->file == e->file) ? 0 :
		    e->line);
		last = e;
	}
}

void
program_disasm(const struct program *p, struct buf *out, bool colour)
{
	struct dis d = { .p = p, .out = out, .colour = colour };

	dis_head(&d);
	dis_tables(&d);
	code(&d);
}
