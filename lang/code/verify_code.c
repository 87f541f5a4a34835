#include "lang/code/verify_inner.h"

#include "lang/code/shape.h"
#include "lang/table/builtin.h"
#include "lang/table/tables.h"

#define FILE_TESTS	"ezfdcbplSrwxsugk"	/* the letters after - */

static bool __attribute__((format(printf, 2, 3)))
bad_code(struct check *c, const char *fmt, ...)
{
	va_list ap;

	verify_bad(c, "instruction %u (%s): ", c->pc,
	    opcode_name(I_OP(c->p->code[c->pc])));
	va_start(ap, fmt);
	buf_vprintf(c->why, fmt, ap);
	va_end(ap);
	return false;
}

/* --- operands --- */

static bool
reads_n(const struct check *c, uint32_t r)
{
	return r < c->nnvar + c->nntemp ||
	    (r < LIM_REGS && r >= LIM_REGS - c->p->nnconst);
}

static bool
reads_s(const struct check *c, uint32_t r)
{
	return r < c->nsvar + c->nstemp ||
	    (r < LIM_REGS && r >= LIM_REGS - c->p->nsconst);
}

static bool
run_of_s(const struct check *c, uint32_t first, uint32_t n)
{
	uint32_t i;

	for (i = 0; i < n; i++)
		if (!reads_s(c, first + i))
			return false;
	return true;
}

static bool
run_of_n(const struct check *c, uint32_t first, uint32_t n)
{
	uint32_t i;

	for (i = 0; i < n; i++)
		if (!reads_n(c, first + i))
			return false;
	return true;
}

/* One operand by its letter; q is looked at with its count. */
static bool
operand(const struct check *c, char letter, uint32_t v)
{
	const struct program *p = c->p;

	switch (letter) {
	case '-': case 'i': case 'I':
		return true;
	case 'N':
		return v < c->nnvar + c->nntemp;
	case 'n':
		return reads_n(c, v);
	case 'S':
		return v >= c->nsvar && v < c->nsvar + c->nstemp;
	case 'V':
		return v < c->nsvar;
	case 's':
		return reads_s(c, v);
	case 'k':
		return v <= 1;
	case 'u':
		return v <= 3;
	case 'a':
		return v < c->narray && c->array[v].number;
	case 'b':
		return v < c->narray && !c->array[v].number;
	case 'x':
		return v < c->narray;
	case 't':
		return v < c->nslot;
	case 'o':
		return v < OUT_COUNT;
	case 'e':
		return v < XOPT_COUNT;
	case 'f':
		return v != '\0' && strchr(FILE_TESTS, (int)v) != NULL;
	case 'g': case 'G':
		return v < p->nfarn;
	case 'h': case 'H':
		return v < p->nfars;
	case 'K':
		return v < p->nnum;
	case 'L':
		return v < p->ntext;
	case 'D':
		return v < p->ndat && p->dat[v].number;
	case 'E':
		return v < p->ndat && !p->dat[v].number;
	case 'P': case 'Q':
		return v < p->nkept && p->kept[v].number == (letter == 'P') &&
		    p->kept[v].kind != KEPT_ARRAY;
	case 'Y':
		return v < p->nkept && p->kept[v].kind != KEPT_ARRAY;
	case 'M':
		return v < p->ntpl;
	case 'F':
		return v < BI_COUNT;
	case 'R':
		return v < p->nregex;
	case 'U':
		return v < p->nfunc;
	default:
		return false;		/* a letter that nobody taught us */
	}
}

/* --- calls --- */

/*
 * True if so many numbers and strings are what the builtin takes.  Arguments
 * stand in order, so after | the list may end before any letter.
 */
static bool
args_fit(const char *args, uint32_t nn, uint32_t ns)
{
	uint32_t n = 0, s = 0;
	bool optional = false, array = ns == CALL_ARRAY;

	if (array)
		ns = 0;
	for (; *args != '\0'; args++) {
		if (*args == '|') {
			optional = true;
			continue;
		}
		if (optional && n == nn && s == ns)
			return !array;
		if (args[1] == '*') {	/* always the last */
			if (array)
				return false;
			if (*args == 'v')
				return nn >= n && ns >= s;
			return *args == 's' ? nn == n && ns >= s :
			    ns == s && nn >= n;
		}
		switch (*args) {
		case '^':
			break;
		case 'p': case 'n': case 'i': case 't': case 'x': case 'A': case 'F':
			n++;
			break;
		case 's':
			s++;
			break;
		case 'v':		/* one; no s stands behind it */
			if (s < ns)
				s++;
			else
				n++;
			break;
		case 'c':		/* the pending command */
			break;
		case 'm':		/* one or more numbers; the last */
			return ns == s && (array ? nn == n + 1 : nn > n);
		default:
			return false;	/* k: compiled in place only */
		}
	}
	return n == nn && s == ns && !array;
}

static bool
call(struct check *c, int id, char ret, instr ext)
{
	const struct builtin_info *b = &builtin_info[id];
	uint32_t ns = CALL_NS(ext);

	if (b->flags & FN_INTRINSIC)
		return bad_code(c, "builtin %d is compiled in place", id);
	if (b->ret != ret)
		return bad_code(c, "builtin %d has another type", id);
	if (!args_fit(b->args, CALL_NN(ext), CALL_NS(ext)))
		return bad_code(c, "builtin %d takes other arguments", id);
	if (ns == CALL_ARRAY)
		ns = 0;
	if (!run_of_n(c, CALL_NB(ext), CALL_NN(ext)) ||
	    !run_of_s(c, CALL_SB(ext), ns))
		return bad_code(c, "an argument is no register");
	return true;
}

/* One of a function that the source defines. */
static bool
ucall(struct check *c, const struct func *f, char ret, instr ext)
{
	uint32_t sb = CALL_SB(ext);

	if (f->name.p[0] != ret)
		return bad_code(c, "the function has another type");
	if (CALL_NN(ext) != f->nnparam || CALL_NS(ext) != f->nsparam)
		return bad_code(c, "the function takes other arguments");
	/* temporaries below sb are kept: it is one of them, or their end */
	if (!run_of_n(c, CALL_NB(ext), CALL_NN(ext)) ||
	    !run_of_s(c, sb, CALL_NS(ext)) || sb < c->nsvar ||
	    sb > c->nsvar + c->nstemp)
		return bad_code(c, "an argument is no register");
	return true;
}

/* --- code --- */

/* The piece of code that holds pc: from one start to the next. */
static void
piece_of(struct check *c, uint32_t pc)
{
	const struct program *p = c->p;
	const struct { bool has; uint32_t at; } start[] = {
		{ p->has_task, p->pc_task },
		{ p->input != INPUT_NONE, p->pc_input },
		{ p->has_filter, p->pc_filter },
		{ p->has_bakfile, p->pc_bakfile },
		{ p->has_where, p->pc_where },
		{ p->has_begin, p->pc_begin },
		{ p->has_rules, p->pc_rules },
		{ p->has_end, p->pc_end },
	};
	size_t i;

	/* functions stand behind all else, in order */
	if (c->f != NULL && pc < c->hi)
		return;
	if (p->nfunc > 0 && pc >= p->func[0].pc) {
		const struct func *f = c->f == NULL ? p->func : c->f + 1;

		c->f = f;
		c->lo = f->pc;
		c->hi = f + 1 == p->func + p->nfunc ? p->ncode : f[1].pc;
		c->nnvar = f->nnvar;
		c->nsvar = f->nsvar;
		c->nntemp = f->nntemp;
		c->nstemp = f->nstemp;
		c->nslot = f->nslot;
		c->array = f->array;
		c->narray = f->narray;
		return;
	}
	c->lo = 0;
	c->hi = p->nfunc > 0 ? p->func[0].pc : p->ncode;
	for (i = 0; i < sizeof start / sizeof start[0]; i++) {
		if (!start[i].has)
			continue;
		if (start[i].at <= pc && start[i].at > c->lo)
			c->lo = start[i].at;
		if (start[i].at > pc && start[i].at < c->hi)
			c->hi = start[i].at;
	}
}

/* A jump word at `at`, part of the instruction at c->pc. */
static bool
jump(struct check *c, uint32_t at, bool backwards)
{
	int64_t to = (int64_t)at + 1 + I_SAX(c->p->code[at]);

	if (to < c->lo || to >= c->hi)
		return bad_code(c, "jumps out of its piece of code");
	if ((to <= at) != backwards)
		return bad_code(c, backwards ? "jumps forwards" :
		    "jumps backwards");
	if (I_OP(c->p->code[to]) == OP_EXT)
		return bad_code(c, "jumps into an instruction");
	return true;
}

static bool
ends_flow(enum opcode op)
{
	switch (op) {
	case OP_JMP: case OP_LOOP: case OP_END: case OP_NEXTLN: case OP_REDO:
	case OP_SKIP: case OP_LAST: case OP_QUIT: case OP_DIE: case OP_FAIL:
	case OP_RETN: case OP_RETS:
		return true;
	default:
		return false;
	}
}

/* Is array i one whose elements the line before may be asked for? */
static bool
array_precedes(const struct program *p, uint32_t i)
{
	uint32_t k;

	for (k = 0; k < p->nkept; k++)
		if (p->kept[k].kind == KEPT_ARRAY && p->kept[k].index == i)
			return p->kept[k].preceding;
	return false;
}

/* What the table takes in that place. */
static char
argument(const struct program *p, uint32_t i)
{
	const char *args = table_info[p->table].args;

	return args[i + (i >= strcspn(args, "|"))];
}

/* What the shapes cannot say. */
static bool
special(struct check *c, enum opcode op, instr i)
{
	const struct program *p = c->p;
	bool text;

	switch (op) {
	case OP_ARRAY:
		if (I_A(i) >= LIM_CALL_ARGS)
			return bad_code(c, "operand A: no such parameter");
		return true;
	case OP_RETN: case OP_RETS:
		if (c->f == NULL ||
		    c->f->name.p[0] != (op == OP_RETN ? '#' : '$'))
			return bad_code(c, "outside a function of its type");
		return true;
	case OP_END: case OP_LAST: case OP_QUIT: case OP_DIE:
		if (c->f != NULL)
			return bad_code(c, "in a function");
		return true;
	case OP_CAT: case OP_KEYJ:
		if (I_C(i) == 0 || !run_of_s(c, I_B(i), I_C(i)))
			return bad_code(c, "operand B: no such registers");
		return true;
	case OP_CMD:
		if (!run_of_s(c, I_A(i), p->tpl[I_BX(i)].ndata))
			return bad_code(c, "data is no register");
		return true;
	case OP_INCIDENT:
		if (c->f != NULL)
			return bad_code(c, "in a function");
		if (!run_of_n(c, I_B(i), STEP_NUMBERS))
			return bad_code(c, "operand B: no such registers");
		if (!run_of_s(c, I_C(i), STEP_TEXTS))
			return bad_code(c, "operand C: no such registers");
		return true;
	case OP_ITER:
		if (I_C(i) >= ORDER_COUNT)
			return bad_code(c, "operand C: no such order");
		return true;
	case OP_EXEC:
		if ((I_A(i) & 3) == 3 || I_A(i) > 7)
			return bad_code(c, "operand A: no such mode");
		return true;
	case OP_XOPTS: case OP_XOPTN:
		text = I_A(i) == XOPT_AS || I_A(i) == XOPT_IN;
		if (text != (op == OP_XOPTS))
			return bad_code(c, "operand A: of another type");
		return true;
	case OP_FIELD: case OP_FIELDN:
		if (I_BX(i) > p->maxfield)
			return bad_code(c, "a field above the highest");
		return true;
	case OP_FIELDX:
		if (p->maxfield != UINT32_MAX)
			return bad_code(c, "a field above the highest");
		return true;
	case OP_PREVN: case OP_PREVS:
		if (!p->kept[I_BX(i)].previous)
			return bad_code(c, "is not kept from run to run");
		return true;
	case OP_PREVKN: case OP_PREVKS:
		if (!p->kept[I_BX(i)].by_line)
			return bad_code(c, "is not kept by lines");
		return true;
	case OP_BEFN: case OP_BEFS:
		if (!p->kept[I_BX(i)].preceding)
			return bad_code(c, "is not kept from line to line");
		return true;
	case OP_BGETN: case OP_BGETS:
		if (!array_precedes(p, I_B(i)))
			return bad_code(c, "is not kept from line to line");
		return true;
	case OP_SKIP:
		if (p->has_where && c->lo == p->pc_where)
			return true;
		/* FALLTHROUGH */
	case OP_NEXTLN: case OP_REDO:
		if (!p->has_rules || c->lo != p->pc_rules)
			return bad_code(c, "outside the rules");
		return true;
	/* Their texts last until temporaries are dropped: nothing else may
	 * run between, and no loop may drop them. */
	case OP_TASK:
		if (!p->has_task || c->lo != p->pc_task)
			return bad_code(c, "outside the task");
		return true;
	case OP_PATH:
		if ((p->input == INPUT_NONE || p->input == INPUT_PROC ||
		    p->input == INPUT_TABLE || c->lo != p->pc_input) &&
		    (!p->has_bakfile || c->lo != p->pc_bakfile))
			return bad_code(c, "outside the input");
		return true;
	case OP_TARGN: case OP_TARGS:
		if (p->input != INPUT_TABLE || c->lo != p->pc_input)
			return bad_code(c, "outside the input");
		if (I_A(i) >= p->ntablearg || argument(p, I_A(i)) !=
		    (op == OP_TARGN ? 'i' : 's'))
			return bad_code(c, "operand A: no such argument");
		return true;
	case OP_LOOP:
		if ((p->has_where && c->lo == p->pc_where) ||
		    (p->has_task && c->lo == p->pc_task) ||
		    (p->input != INPUT_NONE && c->lo == p->pc_input) ||
		    (p->has_filter && c->lo == p->pc_filter) ||
		    (p->has_bakfile && c->lo == p->pc_bakfile))
			return bad_code(c, "outside the sections");
		return true;
	case OP_EXT:
		return bad_code(c, "belongs to no instruction");
	default:
		return true;
	}
}

/* One instruction; *next is where the one behind it stands. */
static bool
instruction(struct check *c, uint32_t *next)
{
	const struct program *p = c->p;
	instr i = p->code[c->pc], ext = 0;
	enum opcode op = I_OP(i);
	struct shape s;
	uint32_t at;

	*next = c->pc + 1;
	if ((unsigned)op >= OP_COUNT)
		return verify_bad(c, "instruction %u: no operation has the number %u",
		    c->pc, (unsigned)op);
	s = shape_of(op);
	*next = c->pc + shape_words(s);
	if (*next > c->hi)
		return bad_code(c, "is cut short");
	if (!operand(c, s.a, I_A(i)))
		return bad_code(c, "operand A: %u is out of range", I_A(i));
	if (s.bx != '-') {
		if (!operand(c, s.bx, I_BX(i)))
			return bad_code(c, "operand Bx: %u is out of range",
			    I_BX(i));
	} else if (s.ax == '-' && s.b != 'q') {
		if (!operand(c, s.b, I_B(i)))
			return bad_code(c, "operand B: %u is out of range",
			    I_B(i));
		if (!operand(c, s.c, I_C(i)))
			return bad_code(c, "operand C: %u is out of range",
			    I_C(i));
	}
	at = c->pc + 1;
	if (s.ext) {
		ext = p->code[at++];
		if (I_OP(ext) != OP_EXT)
			return bad_code(c, "has no EXT behind it");
		if (s.bx != 'F' && s.bx != 'U' && !operand(c, 'R', I_AX(ext)))
			return bad_code(c, "no regex has the number %u",
			    I_AX(ext));
	}
	if (s.bx == 'F' &&
	    !call(c, (int)I_BX(i), op == OP_CALLN ? '#' : '$', ext))
		return false;
	if (s.bx == 'U' && !ucall(c, &p->func[I_BX(i)], op == OP_UCALLN ?
	    '#' : '$', ext))
		return false;
	if (!special(c, op, i))
		return false;
	if (s.cond) {
		if (I_OP(p->code[at]) != OP_JMP)
			return bad_code(c, "has no JMP behind it");
		if (!jump(c, at, false))
			return false;
	}
	if (s.ax == 'J' && !jump(c, c->pc, op == OP_LOOP))
		return false;
	if (*next == c->hi && !ends_flow(op))
		return bad_code(c, "runs off the end of its piece of code");
	return true;
}

static bool
start(struct check *c, const char *what, bool has, uint32_t pc)
{
	if (has && (pc >= c->p->ncode || I_OP(c->p->code[pc]) == OP_EXT))
		return verify_bad(c, "%s does not begin at an instruction", what);
	return true;
}

/* What function i must stand behind: its beginning is above this. */
static uint32_t
before(const struct program *p, uint32_t i)
{
	const struct { bool has; uint32_t at; } start[] = {
		{ p->has_task, p->pc_task },
		{ p->input != INPUT_NONE, p->pc_input },
		{ p->has_filter, p->pc_filter },
		{ p->has_bakfile, p->pc_bakfile },
		{ p->has_where, p->pc_where },
		{ p->has_begin, p->pc_begin },
		{ p->has_rules, p->pc_rules },
		{ p->has_end, p->pc_end },
	};
	uint32_t most = 0;
	size_t k;

	if (i > 0)
		return p->func[i - 1].pc;
	for (k = 0; k < sizeof start / sizeof start[0]; k++)
		if (start[k].has && start[k].at > most)
			most = start[k].at;
	return most;
}

bool
verify_code(struct check *c)
{
	const struct program *p = c->p;
	uint32_t next, i;

	if (p->ncode == 0 || p->ncode > LIM_CODE)
		return verify_bad(c, "%u instructions", p->ncode);
	if (!start(c, "task", p->has_task, p->pc_task) ||
	    !start(c, "input", p->input != INPUT_NONE, p->pc_input) ||
	    !start(c, "filter", p->has_filter, p->pc_filter) ||
	    !start(c, "bakfile", p->has_bakfile, p->pc_bakfile) ||
	    !start(c, "where", p->has_where, p->pc_where) ||
	    !start(c, "begin", p->has_begin, p->pc_begin) ||
	    !start(c, "rule", p->has_rules, p->pc_rules) ||
	    !start(c, "end", p->has_end, p->pc_end))
		return false;
	for (i = 0; i < p->nfunc; i++)
		if (!start(c, "a function", true, p->func[i].pc) ||
		    p->func[i].pc <= before(p, i))
			return verify_bad(c, "functions out of order");
	c->f = NULL;
	c->nnvar = p->nnvar;
	c->nsvar = p->nsvar;
	c->nntemp = p->nntemp;
	c->nstemp = p->nstemp;
	c->nslot = p->nslot;
	c->array = p->array;
	c->narray = p->narray;
	next = 0;
	for (c->pc = 0; c->pc < p->ncode; c->pc = next) {
		piece_of(c, c->pc);
		if (!instruction(c, &next))
			return false;
	}
	return true;
}
