/* verify: each rule of the verifier has a program that breaks it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "lang/base/buf.h"
#include "lang/code/shape.h"
#include "lang/code/verify.h"
#include "lang/table/tables.h"
#include "tests/unit/made.h"

static struct mem mem;

static void
expect_bad(const struct made *m, const char *want, const char *what)
{
	struct buf why;

	buf_init(&why, &mem);
	if (program_verify(&m->p, &why))
		fail_msg("%s passed", what);
	if (strstr(buf_c(&why), want) == NULL)
		fail_msg("%s: \"%s\" has no \"%s\"", what, buf_c(&why), want);
	if (strncmp(buf_c(&why), "script Sample: ", 15) != 0)
		fail_msg("%s: \"%s\" does not name the script", what,
		    buf_c(&why));
	buf_free(&why);
}

static void
expect_good(const struct made *m, const char *what)
{
	struct buf why;

	buf_init(&why, &mem);
	if (!program_verify(&m->p, &why))
		fail_msg("%s: %s", what, buf_c(&why));
	buf_free(&why);
}

/* --- operands, by the shapes --- */

/* Of each letter: what is right, and what is wrong, in the made program. */
static const struct operand {
	char		letter;
	uint32_t	good, wrong[4];
	size_t		nwrong;
} operands[] = {
	{ 'N', 3, { 4, 253, 254, 255 }, 4 },
	{ 'n', 255, { 4, 128, 253 }, 3 },
	{ 'S', 1, { 0, 4, 254, 255 }, 4 },
	{ 's', 254, { 4, 128, 253 }, 3 },
	{ 'V', 0, { 1, 4, 255 }, 3 },
	{ 'k', 1, { 2, 255 }, 2 },
	{ 'u', 3, { 4, 255 }, 2 },
	{ 'a', 0, { 1, 2, 255 }, 3 },
	{ 'b', 1, { 0, 2, 255 }, 3 },
	{ 'x', 1, { 2, 255 }, 2 },
	{ 't', 0, { 1, 255 }, 2 },
	{ 'o', OUT_MAIL, { OUT_COUNT, 255 }, 2 },
	{ 'e', XOPT_AS, { XOPT_COUNT, 255 }, 2 },
	{ 'f', 'k', { 0, 'y', 255 }, 3 },
	{ 'i', 0, { 0 }, 0 },
	{ 'K', 3, { 4, 65535 }, 2 },
	{ 'L', 2, { 3, 65535 }, 2 },
	{ 'D', 0, { 1, 6 }, 2 },
	{ 'E', 1, { 0, 6 }, 2 },
	{ 'P', 0, { 1, 2, 7 }, 3 },
	{ 'Q', 1, { 0, 3, 7 }, 3 },
	{ 'Y', 1, { 2, 7 }, 2 },
	{ 'I', 3, { 0 }, 0 },
	{ 'M', 1, { 2, 65535 }, 2 },
	{ 'F', BI_READ, { BI_COUNT, 65535 }, 2 },
	{ 'G', 0, { 1, 65535 }, 2 },
	{ 'H', 0, { 1, 65535 }, 2 },
	{ 'R', 1, { 2, 0xffffff }, 2 },
	{ 'U', 0, { 2, 65535 }, 2 },
};

static const struct operand *
operand_of(char letter)
{
	size_t i;

	for (i = 0; i < COUNT(operands); i++)
		if (operands[i].letter == letter)
			return &operands[i];
	fail_msg("the test knows no operand %c", letter);
	return NULL;
}

/* It reads a table of files, with both arguments. */
static void
table_of(struct made *m)
{
	size_t i;

	m->p.input = INPUT_TABLE;
	m->p.table = TABLE_FILES;
	m->p.ntablearg = 2;
	m->p.has_filter = m->p.has_bakfile = m->p.from_start = false;
	m->p.format = FORMAT_TEXT;
	m->p.seps = SEPS_BYTE;
	m->p.sep = STR_LIT("\t");
	for (i = 0; i < COUNT(m->dat); i++) {
		m->dat[i].kind = DAT_COLUMN;
		m->dat[i].as = AS_NUMBER;
		m->dat[i].lo = m->dat[i].number ? COLUMN_FILES_size :
		    COLUMN_FILES_path;
	}
}

/* A right program around one instruction of that operation. */
static uint32_t
around(struct made *m, enum opcode op)
{
	struct shape s = shape_of(op);
	uint32_t n = 0;
	instr i = (instr)op;

	make(m);
	m->p.maxfield = op == OP_FIELDX ? UINT32_MAX : 3;
	if (s.a != '-')
		i |= (instr)operand_of(s.a)->good << 8;
	if (s.b == 'q')
		i |= I_ABC(0, 0, 1, 3);
	else if (s.b != '-')
		i |= (instr)operand_of(s.b)->good << 16;
	if (s.c != '-')
		i |= operand_of(s.c)->good << 24;
	if (s.bx != '-')
		i |= (instr)operand_of(s.bx)->good << 16;
	if (op == OP_CMD)		/* two data, S1 and S2 */
		i = OPX(CMD, 1, 1);
	if (op == OP_XOPTN)
		i = OPI(XOPTN, XOPT_TIMEOUT, 255, 0);
	if (op == OP_CALLS)
		i = OPX(CALLS, 1, BI_LEFT);
	if (op == OP_INCIDENT) {	/* seven numbers, N0 to N6 */
		m->p.nntemp = 5;
		i = OPI(INCIDENT, 3, 0, 1);
	}
	if (op == OP_UCALLS)
		i = OPX(UCALLS, 1, 1);
	if (op == OP_LOOP) {
		i = JUMP(LOOP, -2);
		m->code[n++] = OPI(MOVN, 0, 255, 0);
	}
	m->code[n++] = i;
	if (s.ext)
		m->code[n++] = op == OP_CALLN ? CALL_EXT(255, 0, 1, 0) :
		    op == OP_CALLS ? CALL_EXT(2, 255, 1, 1) :
		    s.bx == 'U' ? CALL_EXT(255, 3, 1, 1) :
		    I_OAX(OP_EXT, 1);
	if (s.cond)
		m->code[n++] = JUMP(JMP, 0);
	m->code[n++] = OPI(END, 0, 0, 0);
	m->p.ncode = n;
	add_functions(m);
	if (op == OP_RETN || op == OP_RETS) {
		n = m->p.func[op == OP_RETS].pc;
		m->code[0] = OPI(END, 0, 0, 0);
		m->code[n] = i;
		return n;
	}
	if (op == OP_TASK) {
		m->p.has_task = true;
		m->p.has_rules = false;
	}
	if (op == OP_PATH) {
		m->p.input = INPUT_FILE;
		m->p.has_rules = false;
	}
	if (op == OP_TARGN || op == OP_TARGS) {
		table_of(m);
		m->p.has_rules = false;
		m->code[0] = op == OP_TARGN ? OPI(TARGN, 1, 255, 0) : i;
	}
	return op == OP_LOOP ? 1 : 0;
}

static void
test_operands(void **state)
{
	const struct operand *o;
	struct made m;
	struct shape s;
	enum opcode op;
	uint32_t at;
	size_t k;
	unsigned place;
	instr was;
	char letter, what[80];

	(void)state;
	for (op = 0; op < OP_COUNT; op++) {
		if (op == OP_EXT)
			continue;
		s = shape_of(op);
		at = around(&m, op);
		expect_good(&m, opcode_name(op));
		was = m.code[at];
		for (place = 0; place < 4; place++) {
			letter = place == 0 ? s.a : place == 1 ? s.b :
			    place == 2 ? s.c : s.bx;
			if (letter == '-' || letter == 'q')
				continue;
			o = operand_of(letter);
			for (k = 0; k < o->nwrong; k++) {
				if (op == OP_INCIDENT && o->wrong[k] < 7 &&
				    letter != 's')
					continue;	/* it has more */
				snprintf(what, sizeof what, "%s %c %u",
				    opcode_name(op), letter, o->wrong[k]);
				m.code[at] = place == 3 ?
				    (was & 0xffff) | o->wrong[k] << 16 :
				    (was & ~(0xffu << (8 + 8 * place))) |
				    o->wrong[k] << (8 + 8 * place);
				expect_bad(&m, "is out of range", what);
			}
			m.code[at] = was;
		}
		if (s.ext && s.bx != 'F' && s.bx != 'U') {
			m.code[at + 1] = I_OAX(OP_EXT, 2);
			expect_bad(&m, "no regex", opcode_name(op));
		}
		if (s.ext) {
			m.code[at + 1] = OPI(END, 0, 0, 0);
			expect_bad(&m, "has no EXT", opcode_name(op));
		} else if (s.cond) {
			m.code[at + 1] = OPI(END, 0, 0, 0);
			expect_bad(&m, "has no JMP", opcode_name(op));
		}
		/* its words must all be there */
		around(&m, op);
		m.p.ncode = at + 1;
		m.p.nfunc = 0;
		if (shape_words(s) > 1)
			expect_bad(&m, "is cut short", opcode_name(op));
	}
}

/* --- code --- */

static void
test_code(void **state)
{
	static const struct {
		const char	*want;
		uint32_t	 n;
		instr		 code[6];
	} t[] = {
		{ "no operation has the number", 1, { OP_COUNT } },
		{ "no operation has the number", 1, { 0xff } },
		{ "belongs to no instruction", 3, { OPI(MOVN, 0, 255, 0),
		    I_OAX(OP_EXT, 0), OPI(END, 0, 0, 0) } },
		{ "does not begin", 2, { I_OAX(OP_EXT, 0),
		    OPI(END, 0, 0, 0) } },
		{ "runs off the end", 1, { OPI(MOVN, 0, 255, 0) } },
		{ "jumps out", 2, { OPI(TRUE, 0, 0, 1), JUMP(JMP, 0) } },
		{ "jumps out", 1, { JUMP(JMP, 0) } },
		{ "jumps out", 2, { JUMP(JMP, 7), OPI(END, 0, 0, 0) } },
		{ "jumps out", 2, { JUMP(LOOP, -2), OPI(END, 0, 0, 0) } },
		{ "jumps out", 2, { JUMP(JMP, 0x7fffff), OPI(END, 0, 0, 0) } },
		{ "jumps out", 2, { JUMP(LOOP, -0x800000),
		    OPI(END, 0, 0, 0) } },
		{ "jumps backwards", 2, { OPI(MOVN, 0, 255, 0),
		    JUMP(JMP, -2) } },
		{ "jumps backwards", 1, { JUMP(JMP, -1) } },
		{ "jumps forwards", 2, { JUMP(LOOP, 0), OPI(END, 0, 0, 0) } },
		{ "jumps into", 5, { JUMP(JMP, 1), OPI(TEST, 0, 0, 1),
		    I_OAX(OP_EXT, 0), JUMP(JMP, 0), OPI(END, 0, 0, 0) } },
		{ "jumps into", 5, { OPI(TEST, 0, 0, 1), I_OAX(OP_EXT, 0),
		    JUMP(JMP, 0), JUMP(LOOP, -3), OPI(END, 0, 0, 0) } },
		{ "jumps backwards", 3, { OPI(TRUE, 0, 0, 1), JUMP(JMP, -2),
		    OPI(END, 0, 0, 0) } },
		/* what the shapes cannot say */
		{ "no such registers", 2, { OPI(CAT, 1, 1, 0),
		    OPI(END, 0, 0, 0) } },
		{ "no such registers", 2, { OPI(CAT, 1, 2, 3),
		    OPI(END, 0, 0, 0) } },
		{ "no such registers", 2, { OPI(KEYJ, 1, 255, 2),
		    OPI(END, 0, 0, 0) } },
		{ "data is no register", 2, { OPX(CMD, 3, 1),
		    OPI(END, 0, 0, 0) } },
		{ "operand B: no such registers", 2, {
		    OPI(INCIDENT, 3, 0, 1), OPI(END, 0, 0, 0) } },
		{ "no such order", 2, { OPI(ITER, 0, 1, ORDER_COUNT),
		    OPI(END, 0, 0, 0) } },
		{ "no such mode", 2, { OPI(EXEC, 3, 0, 0),
		    OPI(END, 0, 0, 0) } },
		{ "no such mode", 2, { OPI(EXEC, 8, 0, 0),
		    OPI(END, 0, 0, 0) } },
		{ "of another type", 2, { OPI(XOPTS, XOPT_CPU, 255, 0),
		    OPI(END, 0, 0, 0) } },
		{ "of another type", 2, { OPI(XOPTN, XOPT_IN, 255, 0),
		    OPI(END, 0, 0, 0) } },
		{ "above the highest", 2, { OPX(FIELD, 1, 4),
		    OPI(END, 0, 0, 0) } },
		{ "above the highest", 2, { OPX(FIELDN, 0, 65535),
		    OPI(END, 0, 0, 0) } },
		{ "above the highest", 2, { OPI(FIELDX, 1, 255, 0),
		    OPI(END, 0, 0, 0) } },
		{ "outside the task", 2, { OPI(TASK, 255, 0, 0),
		    OPI(END, 0, 0, 0) } },
		{ "outside the input", 2, { OPI(TARGN, 1, 255, 0),
		    OPI(END, 0, 0, 0) } },
		{ "outside the input", 2, { OPI(TARGS, 0, 255, 0),
		    OPI(END, 0, 0, 0) } },
		{ "outside the input", 2, { OPI(PATH, 255, 0, 0),
		    OPI(END, 0, 0, 0) } },
	};
	struct made m;
	size_t i;
	char what[16];

	(void)state;
	for (i = 0; i < COUNT(t); i++) {
		make(&m);
		set_code(&m, t[i].code, t[i].n);
		snprintf(what, sizeof what, "code %zu", i);
		expect_bad(&m, t[i].want, what);
	}
	make(&m);
	m.p.nntemp = 5;
	m.code[0] = OPI(INCIDENT, 3, 0, 2);
	m.code[1] = OPI(END, 0, 0, 0);
	m.p.ncode = 2;
	expect_bad(&m, "operand C: no such registers", "incident's texts");
	m.code[0] = OPI(INCIDENT, 3, 0, 1);
	expect_good(&m, "incident");
	make(&m);
	m.p.ncode = 0;
	expect_bad(&m, "0 instructions", "no code");
	m.p.ncode = LIM_CODE + 1;
	expect_bad(&m, "1048577 instructions", "too much code");
}

/* Functions: what is wrong with their code, calls and tables. */
static void
test_functions(void **state)
{
	static const struct {
		const char	*want;
		instr		 code[3];	/* of #f */
	} t[] = {
		{ "in a function", { OPI(END, 0, 0, 0) } },
		{ "in a function", { OPI(QUIT, 255, 0, 0) } },
		{ "in a function", { OPI(LAST, 0, 0, 0) } },
		{ "in a function", { OPI(DIE, 255, 0, 0) } },
		{ "in a function", { OPI(INCIDENT, 0, 0, 0) } },
		{ "outside the rules", { OPI(REDO, 0, 0, 0) } },
		{ "outside the rules", { OPI(NEXTLN, 0, 0, 0) } },
		{ "outside a function of its type", { OPI(RETS, 0, 0, 0) } },
		{ "runs off the end", { OPI(MOVN, 0, 255, 0) } },
		{ "jumps out", { JUMP(JMP, 0) } },
		{ "jumps out", { JUMP(LOOP, -2) } },
	};
	struct made m;
	struct func was;
	size_t i;
	char what[24];

	(void)state;
	for (i = 0; i < COUNT(t); i++) {
		make(&m);
		add_functions(&m);
		expect_good(&m, "functions");
		m.code[m.func[0].pc] = t[i].code[0];
		snprintf(what, sizeof what, "function code %zu", i);
		expect_bad(&m, t[i].want, what);
	}
	make(&m);
	m.code[0] = OPI(RETN, 0, 0, 0);
	add_functions(&m);
	expect_bad(&m, "outside a function", "return in a rule");

	/* calls */
	around(&m, OP_UCALLN);
	m.code[1] = CALL_EXT(255, 3, 2, 1);
	expect_bad(&m, "takes other arguments", "numbers");
	m.code[1] = CALL_EXT(255, 3, 1, 0);
	expect_bad(&m, "takes other arguments", "strings");
	m.code[1] = CALL_EXT(4, 3, 1, 1);
	expect_bad(&m, "no register", "a number");
	m.code[1] = CALL_EXT(255, 4, 1, 1);
	expect_bad(&m, "no register", "a string");
	m.code[1] = CALL_EXT(255, 0, 1, 1);
	expect_bad(&m, "no register", "below the temporaries");
	m.code[1] = CALL_EXT(255, 255, 1, 1);
	expect_bad(&m, "no register", "above the temporaries");
	m.code[0] = OPX(UCALLN, 0, 1);
	expect_bad(&m, "another type", "type");
	around(&m, OP_ARRAY);
	m.code[0] = OPI(ARRAY, LIM_CALL_ARGS, 0, 0);
	expect_bad(&m, "no such parameter", "array parameter");

	/* tables */
	make(&m);
	add_functions(&m);
	was = m.func[1];
#define FUNC_BREAKS(text, set) do {					\
	m.func[1] = was;						\
	set;								\
	expect_bad(&m, text, #set);					\
} while (0)
	FUNC_BREAKS("no name", m.func[1].name = STR_NIL);
	FUNC_BREAKS("no name", m.func[1].name = STR_LIT("g"));
	FUNC_BREAKS("too many registers", m.func[1].nnvar = 253);
	FUNC_BREAKS("too many registers", m.func[1].nntemp = 0xffffffff);
	FUNC_BREAKS("too many registers", m.func[1].nstemp = 254);
	FUNC_BREAKS("bad tables", m.func[1].nnparam = 3);
	FUNC_BREAKS("bad tables", m.func[1].nsparam = 15);
	FUNC_BREAKS("bad tables", m.func[1].naparam = 3);
	FUNC_BREAKS("bad tables", m.func[1].nslot = LIM_SLOTS + 1);
	FUNC_BREAKS("no such handles", m.func[1].handle = 2);
	FUNC_BREAKS("no such handles", m.func[1].nhandle = 2);
	FUNC_BREAKS("out of order", m.func[1].pc = m.func[0].pc);
	FUNC_BREAKS("does not begin", m.func[1].pc = m.p.ncode);
	FUNC_BREAKS("out of order", m.func[0].pc = 0);
#undef FUNC_BREAKS
}

static void
test_pieces(void **state)
{
	struct made m;
	uint32_t at;

	(void)state;
	make_full(&m);
	expect_good(&m, "full");
	/* each start at an instruction */
	at = m.p.ncode;
#define START(field, text) do {						\
	uint32_t was = m.p.field;					\
	m.p.field = at;							\
	expect_bad(&m, text " does not begin", text);			\
	m.p.field = 19;		/* an EXT */				\
	expect_bad(&m, text " does not begin", text);			\
	m.p.field = was;						\
} while (0)
	START(pc_task, "task");
	START(pc_input, "input");
	START(pc_filter, "filter");
	START(pc_begin, "begin");
	START(pc_rules, "rule");
	START(pc_end, "end");
	expect_good(&m, "full again");
	/* pieces do not run or jump into one another */
	m.code[13] = OPI(MOVN, 0, 255, 0);
	expect_bad(&m, "runs off the end", "begin into rules");
	m.code[13] = JUMP(JMP, 0);
	expect_bad(&m, "jumps out", "begin jumps into rules");
	m.code[13] = OPI(TRUE, 0, 0, 1);
	expect_bad(&m, "is cut short", "a condition over the border");
	m.code[13] = OPI(END, 0, 0, 0);
	m.p.pc_rules = 15;
	expect_bad(&m, "runs off the end", "begin reaches into rules");
	m.p.pc_rules = 14;
	/* what belongs to rules */
	m.code[13] = OPI(NEXTLN, 0, 0, 0);
	expect_bad(&m, "outside the rules", "next in begin");
	m.code[13] = OPI(REDO, 0, 0, 0);
	expect_bad(&m, "outside the rules", "redo in begin");
	m.code[13] = OPI(END, 0, 0, 0);
	m.code[32] = OPI(SKIP, 255, 0, 0);
	expect_bad(&m, "outside the rules", "skip in end");
	m.code[32] = OPI(END, 0, 0, 0);
	/* nothing that init made may be dropped */
	m.code[1] = JUMP(LOOP, -2);
	expect_bad(&m, "outside the sections", "a loop in the task");
	m.code[1] = OPI(END, 0, 0, 0);
	m.code[3] = JUMP(LOOP, -2);
	expect_bad(&m, "outside the sections", "a loop in the input");
	m.code[3] = OPI(END, 0, 0, 0);
	m.code[5] = JUMP(LOOP, -2);
	expect_bad(&m, "outside the sections", "a loop in the filter");
	m.code[5] = OPI(END, 0, 0, 0);
	expect_good(&m, "full at last");
	/* absent sections count for nothing */
	m.p.has_end = false;
	m.p.pc_end = 77;
	m.code[32] = OPI(END, 0, 0, 0);
	expect_good(&m, "without end");
}

static void
test_calls(void **state)
{
	static const struct {
		int		id;
		instr		ext;
		const char	*want;	/* NULL: right */
	} t[] = {
		{ BI_ABS, CALL_EXT(2, 0, 1, 0), NULL },
		{ BI_ABS, CALL_EXT(2, 0, 2, 0), "other arguments" },
		{ BI_ABS, CALL_EXT(2, 0, 0, 0), "other arguments" },
		{ BI_ABS, CALL_EXT(2, 1, 1, 1), "other arguments" },
		{ BI_ABS, CALL_EXT(4, 0, 1, 0), "no register" },
		{ BI_MOD, CALL_EXT(3, 0, 2, 0), "no register" },
		{ BI_MOD, CALL_EXT(254, 0, 2, 0), NULL },
		{ BI_MOD, CALL_EXT(255, 0, 2, 0), "no register" },
		{ BI_INDEX, CALL_EXT(0, 254, 0, 2), NULL },
		{ BI_INDEX, CALL_EXT(0, 253, 0, 2), "no register" },
		{ BI_LEFT, CALL_EXT(0, 0, 1, 1), "another type" },
		{ BI_RANDOM, CALL_EXT(0, 0, 0, 0), NULL },
		{ BI_RANDOM, CALL_EXT(0, 0, 1, 0), NULL },
		{ BI_RANDOM, CALL_EXT(0, 0, 2, 0), "other arguments" },
		{ BI_SPLIT, CALL_EXT(0, 0, 0, 1), NULL },
		{ BI_SPLIT, CALL_EXT(0, 0, 0, 2), NULL },
		{ BI_SPLIT, CALL_EXT(0, 0, 1, 2), NULL },
		{ BI_SPLIT, CALL_EXT(0, 0, 1, 1), "other arguments" },
		{ BI_FILEAGE, CALL_EXT(0, 0, 0, 3), NULL },
		{ BI_MAX, CALL_EXT(0, 0, 1, 0), NULL },
		{ BI_MAX, CALL_EXT(0, 0, 4, 0), NULL },
		{ BI_MAX, CALL_EXT(0, 0, 0, 0), "other arguments" },
		{ BI_MAX, CALL_EXT(0, 0, 1, 1), "other arguments" },
		{ BI_MAX, CALL_EXT(0, 0, 1, CALL_ARRAY), NULL },
		{ BI_MAX, CALL_EXT(0, 0, 2, CALL_ARRAY), "other arguments" },
		{ BI_PERCENTILE, CALL_EXT(0, 0, 2, CALL_ARRAY), NULL },
		{ BI_PERCENTILE, CALL_EXT(0, 0, 1, CALL_ARRAY),
		    "other arguments" },
		{ BI_ABS, CALL_EXT(0, 0, 1, CALL_ARRAY), "other arguments" },
		{ BI_RANDOM, CALL_EXT(0, 0, 0, CALL_ARRAY),
		    "other arguments" },
		{ BI_ELEMENTS, CALL_EXT(0, 0, 1, 0), NULL },
		{ BI_POPEN, CALL_EXT(0, 0, 1, 1), NULL },
		{ BI_POPEN, CALL_EXT(0, 0, 1, 2), "other arguments" },
		{ BI_SYSTEM, CALL_EXT(0, 0, 0, 0), NULL },
		{ BI_DEFINED, CALL_EXT(0, 0, 1, 0), "compiled in place" },
		{ BI_KEYSOF, CALL_EXT(0, 0, 1, 0), "compiled in place" },
	}, text[] = {
		{ BI_FORMAT, CALL_EXT(0, 1, 0, 1), NULL },
		{ BI_FORMAT, CALL_EXT(0, 1, 4, 3), NULL },
		{ BI_FORMAT, CALL_EXT(0, 0, 1, 0), "other arguments" },
		{ BI_FORMAT, CALL_EXT(0, 0, 0, CALL_ARRAY),
		    "other arguments" },
		{ BI_DATE, CALL_EXT(0, 0, 1, 1), NULL },
		{ BI_DATE, CALL_EXT(0, 0, 0, 1), "other arguments" },
		{ BI_ABS, CALL_EXT(2, 0, 1, 0), "another type" },
	};
	struct made m;
	size_t i;
	char what[32];

	(void)state;
	for (i = 0; i < COUNT(t) + COUNT(text); i++) {
		bool num = i < COUNT(t);
		int id = num ? t[i].id : text[i - COUNT(t)].id;
		instr ext = num ? t[i].ext : text[i - COUNT(t)].ext;
		const char *want = num ? t[i].want : text[i - COUNT(t)].want;

		make(&m);
		m.code[0] = num ? OPX(CALLN, 0, id) : OPX(CALLS, 1, id);
		m.code[1] = ext;
		m.code[2] = OPI(END, 0, 0, 0);
		m.p.ncode = 3;
		snprintf(what, sizeof what, "call %zu", i);
		if (want == NULL)
			expect_good(&m, what);
		else
			expect_bad(&m, want, what);
	}
}

/* --- all else --- */

#define BREAKS(want, change) do {					\
	make(&m);							\
	change;								\
	expect_bad(&m, want, #change);					\
} while (0)
#define KEEPS(change) do {						\
	make(&m);							\
	change;								\
	expect_good(&m, #change);					\
} while (0)

/* Rows of a table: where code stands, and what goes with it. */
static void
test_table(void **state)
{
#define TABLE(want, change) do {					\
	make(&m);							\
	table_of(&m);							\
	m.code[0] = OPI(TARGS, 0, 255, 0);				\
	m.code[1] = OPI(TARGN, 1, 255, 0);				\
	m.code[2] = OPI(END, 0, 0, 0);					\
	m.code[3] = OPI(TRUE, 0, 0, 1);					\
	m.code[4] = JUMP(JMP, 1);					\
	m.code[5] = OPI(SKIP, 255, 0, 0);				\
	m.code[6] = OPI(END, 0, 0, 0);					\
	m.code[7] = OPI(END, 0, 0, 0);					\
	m.p.ncode = 8;							\
	m.p.has_where = true;						\
	m.p.pc_where = 3;						\
	m.p.has_rules = true;						\
	m.p.pc_rules = 7;						\
	change;								\
	if (want[0] == '\0')						\
		expect_good(&m, #change);				\
	else								\
		expect_bad(&m, want, #change);				\
} while (0)
	struct made m;

	(void)state;
	TABLE("", (void)0);
	TABLE("", m.p.has_where = false; m.code[3] = m.code[4] = m.code[5] =
	    OPI(END, 0, 0, 0));
	TABLE("no such table", m.p.table = TABLE_COUNT);
	TABLE("no such table", m.p.table = UINT32_MAX);
	TABLE("other arguments", m.p.ntablearg = 3);
	TABLE("other arguments", m.p.ntablearg = 0);
	TABLE("other arguments", m.p.table = TABLE_LOAD);
	TABLE("no such argument", m.p.ntablearg = 1);
	TABLE("no such argument", m.code[0] = OPI(TARGS, 1, 255, 0));
	TABLE("no such argument", m.code[0] = OPI(TARGN, 0, 255, 0));
	TABLE("no such argument", m.code[0] = OPI(TARGS, 255, 255, 0));
	TABLE("outside the input", m.code[3] = m.code[4] =
	    OPI(TARGN, 1, 255, 0));
	TABLE("outside the input", m.code[0] = OPI(PATH, 255, 0, 0));
	TABLE("taken apart", m.p.seps = SEPS_BLANKS);
	TABLE("taken apart", m.p.format = FORMAT_CSV);
	TABLE("taken apart", m.p.has_filter = true; m.p.pc_filter = 6);
	TABLE("without a table", m.p.input = INPUT_FILE);
	TABLE("without a table", m.p.input = INPUT_FILE;
	    m.p.ntablearg = 0);
	TABLE("without a table", m.p.input = INPUT_FILE;
	    m.p.has_where = false);
	TABLE("bad dat", m.dat[0].lo = COLUMN_FILES_path);
	TABLE("bad dat", m.dat[1].lo = COLUMN_FILES_size);
	TABLE("bad dat", m.dat[0].lo = COLUMN_PROCESSES_rss);
	TABLE("bad dat", m.dat[0].lo = COLUMN_COUNT);
	TABLE("bad dat", m.dat[0].lo = UINT32_MAX);
	TABLE("bad dat", m.dat[0].kind = DAT_FIELD; m.dat[0].lo = 1);
	TABLE("where does not begin", m.p.pc_where = 8);
	TABLE("outside the sections", m.code[4] = JUMP(LOOP, -2);
	    m.code[3] = OPI(MOVN, 0, 255, 0));
	TABLE("outside the rules", m.code[5] = OPI(REDO, 0, 0, 0));
	TABLE("outside the rules", m.code[5] = OPI(NEXTLN, 0, 0, 0));
	TABLE("outside the rules", m.code[2] = OPI(SKIP, 255, 0, 0));
	TABLE("runs off the end", m.code[6] = OPI(MOVN, 0, 255, 0));
#undef TABLE
	make(&m);
	m.dat[0].kind = DAT_COLUMN;
	m.dat[0].lo = COLUMN_FILES_size;
	expect_bad(&m, "bad dat", "a column without a table");
}

static void
test_init(void **state)
{
	struct made m;

	(void)state;
	make(&m);
	m.p.file = STR_NIL;
	expect_bad(&m, "no name or no file", "file");
	BREAKS("unknown status", m.p.status = STATUS_COUNT);
	BREAKS("unknown status", m.p.level = LEVEL_COUNT);
	BREAKS("unknown status", m.p.input = INPUT_COUNT);
	BREAKS("bad separators", m.p.seps = SEPS_COUNT);
	BREAKS("bad separators", m.p.sep = STR_EMPTY);
	BREAKS("bad separators", m.p.sep = STR_NIL);
	BREAKS("bad separators", m.p.seps = SEPS_BYTE);
	BREAKS("bad separators", m.p.seps = SEPS_REGEX; m.p.sep_regex = 2);
	KEEPS(m.p.seps = SEPS_REGEX; m.p.sep_regex = 1);
	KEEPS(m.p.seps = SEPS_BYTE; m.p.sep = STR_LIT(":"));
	KEEPS(m.p.seps = SEPS_BLANKS; m.p.sep = STR_NIL);
	BREAKS("bad limits", m.p.timeout = -1);
	BREAKS("bad limits", m.p.line_max = NUM_NIL);
	BREAKS("bad limits", m.p.memory_max = HUGE_VAL);
	BREAKS("bad limits", m.p.budget = -HUGE_VAL);
	BREAKS("bad limits", m.p.memory_max = 1e300);
	BREAKS("bad limits", m.p.every = -1);
	BREAKS("unknown status", m.p.format = FORMAT_COUNT);
	BREAKS("without a log", m.p.from_start = true);
	BREAKS("without a log", m.p.has_bakfile = true);
	BREAKS("bad dat", m.dat[0].name = STR_NIL);
	BREAKS("bad dat", m.dat[0].lo = 0);
	BREAKS("bad dat", m.dat[0].kind = DAT_KINDS);
	BREAKS("bad dat", m.dat[0].as = AS_COUNT);
	BREAKS("bad dat", m.dat[1].as = AS_SIZE);
	BREAKS("bad dat", m.dat[1].hi = 1);
	BREAKS("bad dat", m.dat[1].lo = 0);
	BREAKS("bad dat", m.dat[3].regex = 2);
	BREAKS("bad dat", m.dat[4].time = STR_NIL);
	BREAKS("bad dat", m.dat[4].text = STR_NIL);
	BREAKS("bad dat", m.dat[5].text = STR_NIL);
	BREAKS("bad dat", m.dat[5].text = STR_LIT("a..b"));
}

static void
test_tables(void **state)
{
	struct made m;

	(void)state;
	BREAKS("too many number", m.p.nnvar = 257);
	BREAKS("too many number", m.p.nntemp = 253);
	BREAKS("too many number", m.p.nnconst = UINT32_MAX);
	BREAKS("too many string", m.p.nsvar = 252);
	BREAKS("too many string", m.p.nstemp = 0x80000000);
	BREAKS("too many string", m.p.nsconst = 253);
	BREAKS("constant registers", m.p.nnconst = 5);
	BREAKS("constant registers", m.p.nsconst = 4);
	BREAKS("too many variables", m.p.nfarn = 65537);
	BREAKS("too many variables", m.p.nfars = UINT32_MAX);
	BREAKS("too many loop slots", m.p.nslot = LIM_SLOTS + 1);
	BREAKS("too many arrays", m.p.narray = LIM_ARRAYS + 1);
	BREAKS("is no number", m.num[0] = HUGE_VAL);
	BREAKS("is no number", m.num[0] = num_of_bits(NUM_NIL_BITS + 1));
	BREAKS("variable has no name", m.nname[2] = STR_NIL);
	BREAKS("variable has no name", m.sname[0] = STR_ERR);
	BREAKS("array has no name", m.array[1].name = STR_NIL);
	BREAKS("handle has no name", m.handle[0] = STR_NIL);
	BREAKS("file has no name", m.file[1] = STR_NIL);
	BREAKS("no pattern", m.regex[0].pattern = STR_NIL);
	BREAKS("has no name", m.kept[0].name = STR_NIL);
	BREAKS("what there is not", m.kept[0].kind = KEPT_KINDS);
	BREAKS("is no variable", m.kept[0].index = 3);
	BREAKS("is no variable", m.kept[1].index = UINT32_MAX);
	BREAKS("is no dat", m.kept[0].kind = KEPT_DAT; m.kept[0].index = 6);
	BREAKS("is no dat", m.kept[0].kind = KEPT_DAT; m.kept[0].index = 1);
	BREAKS("is no array", m.kept[2].index = 2);
	BREAKS("is no array", m.kept[2].index = 1);
	BREAKS("is no array", m.kept[2].previous = true; m.kept[2].array = 0);
	BREAKS("is no array", m.kept[2].previous = true; m.kept[2].array = 1);
	BREAKS("is no array", m.kept[2].previous = true; m.kept[2].array = 2);
	BREAKS("is no array", m.kept[2].previous = m.kept[2].by_line = true);
	BREAKS("an array twice", m.kept[3] = m.kept[2]);
	BREAKS("what is not kept", m.kept[4].index = 4);
	BREAKS("what is not kept", m.kept[4].index = UINT32_MAX);
	BREAKS("what is not kept", m.kept[4].index = 1);
	BREAKS("what is not kept", m.kept[5].index = 2);
	BREAKS("what is not kept", m.kept[5].index = 4);
	BREAKS("what is not kept", m.kept[4].number = false);
	BREAKS("what is not kept", m.kept[6].number = true);
	BREAKS("what is not kept", m.kept[4].by_line = false);
	BREAKS("what is not kept", m.kept[4].preceding = true);
	BREAKS("what is not kept", m.kept[4].by_line = m.kept[4].previous =
	    false);
	BREAKS("a wrong weight", m.kept[5].param = 0);
	BREAKS("a wrong weight", m.kept[5].param = 1.5);
	BREAKS("a wrong weight", m.kept[5].param = NUM_NIL);
	BREAKS("a wrong size", m.kept[6].param = 1);
	BREAKS("a wrong size", m.kept[6].param = 2.5);
	BREAKS("a wrong size", m.kept[6].param = LIM_WINDOW + 1);
	BREAKS("a wrong size", m.kept[6].param = NUM_NIL);
	BREAKS("have no keys", m.p.nkey = 0);
	BREAKS("have no keys", m.kept[0].previous = false);
	BREAKS("a key is no", m.key[0].index = 6);
	BREAKS("a key is no", m.key[0].number = true);
	BREAKS("a key is no", m.key[1].index = 3);
	BREAKS("or too long", m.p.expire_runs = NUM_NIL);
	BREAKS("or too long", m.p.expire_seconds = -1);
	BREAKS("too much", m.p.nkept = 65537);
	BREAKS("too much", m.p.nkey = 65537);
	BREAKS("not kept from run", m.kept[0].previous = m.kept[0].by_line =
	    false; m.p.nkept = 4; m.code[0] = OPX(PREVN, 0, 0));
	BREAKS("not kept by lines", m.kept[1].by_line = false;
	    m.code[0] = OPX(PREVKS, 1, 1));
	BREAKS("not kept from line", m.kept[0].preceding = false;
	    m.code[0] = OPX(BEFN, 0, 0));
	BREAKS("not kept from line", m.kept[3].preceding = false;
	    m.code[0] = OPI(BGETS, 1, 1, 255));
	BREAKS("bad line table", m.line[1].pc = 6);
	BREAKS("bad line table", m.line[1].file = 2);
	KEEPS(m.line[1].pc = 5);
	KEEPS(m.p.nlines = 0);
	make(&m);
	m.p.nlines = 0;
	m.code[0] = OPI(MOVN, 0, 255, 0);
	m.code[1] = OPI(END, 0, 0, 0);
	m.p.ncode = 2;
	expect_bad(&m, "no line table", "code without lines");
}

static void
test_templates(void **state)
{
	struct made m;

	(void)state;
	BREAKS("empty command", m.tpl[0].nword = 0);
	BREAKS("empty command", m.tpl[0].show = STR_NIL);
	BREAKS("has no text", m.piece[0].text = STR_NIL);
	BREAKS("has no text", m.piece[2].text = STR_NIL);
	BREAKS("bad data", m.piece[2].index = 1);
	BREAKS("bad data", m.piece[2].kind = DATA_RAW + 1);
	BREAKS("bad data", m.piece[2].flags = 0x1000);
	BREAKS("bad data", m.tpl[1].raw = false);
	BREAKS("bad data", m.spiece[3].index = 2);
	BREAKS("out of order", m.spiece[1].index = 1);
	BREAKS("out of order", m.sword[0].npiece = 2);
	BREAKS("out of order", m.tpl[1].ndata = 3);
	KEEPS(m.word[1].npiece = 0);
	KEEPS(m.tpl[1].nword = 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_operands),
		cmocka_unit_test(test_code),
		cmocka_unit_test(test_pieces),
		cmocka_unit_test(test_functions),
		cmocka_unit_test(test_calls),
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_init),
		cmocka_unit_test(test_tables),
		cmocka_unit_test(test_templates),
	};

	mem_init(&mem, 16 << 20, NULL);
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("verify", tests, NULL, NULL);
}
