/*
 * made: a compiled program made by hand, with something in every table, for
 * the tests of what handles programs.
 */
#ifndef TESTS_UNIT_MADE_H
#define TESTS_UNIT_MADE_H

#include "lang/base/num.h"
#include "lang/code/program.h"
#include "lang/table/builtin.h"

#define COUNT(a)	(sizeof (a) / sizeof (a)[0])
#define OPI(op, a, b, c)	I_ABC(OP_##op, a, b, c)
#define OPX(op, a, bx)		I_ABX(OP_##op, a, bx)
#define JUMP(op, by)		I_OAX(OP_##op, (uint32_t)(by) & 0xffffff)

/* Everything a program can have, in reach of the tests. */
struct made {
	struct program	 p;
	struct str	 nname[3], sname[2], text[3], file[2], handle[1];
	double		 num[4];
	struct regex	 regex[2];
	struct dat	 dat[6];
	struct array_decl array[3];
	struct kept	 kept[7];
	struct key_part	 key[2];
	struct template	 tpl[2];
	struct word	 word[2], sword[2];
	struct piece	 piece[3], spiece[4];
	struct func	 func[2];
	struct array_decl farray[2];
	struct line_entry line[3];
	instr		 code[64];
};

static inline void
make_templates(struct made *m)
{
	m->piece[0] = (struct piece){ .text = STR_LIT("ls") };
	m->piece[1] = (struct piece){ .text = STR_LIT("/home/") };
	m->piece[2] = (struct piece){ true, STR_LIT("$user"), DATA_PLAIN,
	    DP_PATH, 0 };
	m->word[0] = (struct word){ &m->piece[0], 1 };
	m->word[1] = (struct word){ &m->piece[1], 2 };
	m->tpl[0] = (struct template){ .show = STR_LIT("ls /home/$user"),
	    .word = m->word, .nword = 2, .ndata = 1 };
	m->spiece[0] = (struct piece){ .text = STR_LIT("ps | grep ") };
	m->spiece[1] = (struct piece){ true, STR_LIT("$a"), DATA_PLAIN,
	    DP_STARTS_WORD, 0 };
	m->spiece[2] = (struct piece){ true, STR_LIT("$raw($b)"), DATA_RAW, 0,
	    1 };
	m->spiece[3] = m->spiece[1];
	m->sword[0] = (struct word){ &m->spiece[0], 3 };
	m->sword[1] = (struct word){ &m->spiece[3], 1 };
	m->tpl[1] = (struct template){ .shell = true, .raw = true,
	    .show = STR_LIT("ps | grep $a$raw($b)"), .word = m->sword,
	    .nword = 2, .ndata = 2 };
}

/* A program with all tables, whose only code is the rules' END. */
static inline void
make(struct made *m)
{
	struct program *p = &m->p;

	memset(m, 0, sizeof *m);
	p->name = STR_LIT("Sample");
	p->file = STR_LIT("sample.pikt");
	p->status = STATUS_TESTING;
	p->level = LEVEL_URGENT;
	p->seps = SEPS_SET;
	p->sep = STR_LIT(":,");
	p->timeout = 30;
	p->line_max = 1048576;
	p->every = 90;
	p->timing = STR_LIT("* * * * *");
	p->affects_mail = true;
	p->nrule = 2;
	p->maxfield = 3;
	p->nslot = 1;
	p->nnvar = 2, p->nntemp = 2, p->nnconst = 2, p->nfarn = 1;
	p->nsvar = 1, p->nstemp = 3, p->nsconst = 2, p->nfars = 1;
	m->nname[0] = STR_LIT("a");
	m->nname[1] = STR_LIT("b");
	m->nname[2] = STR_LIT("away");
	m->sname[0] = STR_LIT("v");
	m->sname[1] = STR_LIT("far");
	p->nvar_name = m->nname;
	p->svar_name = m->sname;
	m->num[0] = 1;
	m->num[1] = 60;
	m->num[2] = NUM_NIL;
	m->num[3] = NUM_ERR;
	p->num = m->num;
	p->nnum = 4;
	m->text[0] = STR_LIT("a\0b");
	m->text[1] = STR_NIL;
	m->text[2] = STR_ERR;
	p->text = m->text;
	p->ntext = 3;
	m->regex[0] = (struct regex){ STR_LIT("^x"), false };
	m->regex[1] = (struct regex){ STR_LIT("(y)"), true };
	p->regex = m->regex;
	p->nregex = 2;
	m->dat[0] = (struct dat){ STR_LIT("count"), true, DAT_FIELD, 1, 0, 0,
	    AS_SIZE, STR_NIL, STR_NIL };
	m->dat[1] = (struct dat){ STR_LIT("user"), false, DAT_RANGE, 2, 3, 0,
	    AS_NUMBER, STR_NIL, STR_NIL };
	m->dat[2] = (struct dat){ STR_LIT("last"), false, DAT_LAST, 0, 0, 0,
	    AS_NUMBER, STR_NIL, STR_NIL };
	m->dat[3] = (struct dat){ STR_LIT("y"), false, DAT_REGEX, 0, 0, 1,
	    AS_NUMBER, STR_NIL, STR_NIL };
	m->dat[4] = (struct dat){ STR_LIT("at"), true, DAT_NAME, 0, 0, 0,
	    AS_TIME, STR_LIT("date"), STR_LIT("%Y") };
	m->dat[5] = (struct dat){ STR_LIT("c"), false, DAT_PATH, 0, 0, 0,
	    AS_NUMBER, STR_LIT("a.b[0]"), STR_NIL };
	p->dat = m->dat;
	p->ndat = 6;
	m->array[0] = (struct array_decl){ STR_LIT("n"), true };
	m->array[1] = (struct array_decl){ STR_LIT("s"), false };
	p->array = m->array;
	p->narray = 2;
	m->kept[0] = (struct kept){ STR_LIT("b"), true, KEPT_VAR, 1, true,
	    true, true, 0, 0 };
	m->kept[1] = (struct kept){ STR_LIT("far"), false, KEPT_VAR, 1, true,
	    true, true, 0, 0 };
	m->kept[2] = (struct kept){ STR_LIT("n"), true, KEPT_ARRAY, 0, false,
	    true, false, 0, 0 };
	m->kept[3] = (struct kept){ STR_LIT("s"), false, KEPT_ARRAY, 1, false,
	    true, false, 0, 0 };
	m->kept[4] = (struct kept){ STR_LIT("time of b"), true, KEPT_TIME, 0,
	    true, false, true, 0, 0 };
	m->kept[5] = (struct kept){ STR_LIT("average 0.5 of b"), true,
	    KEPT_EWMA, 0, true, false, true, 0, 0.5 };
	m->kept[6] = (struct kept){ STR_LIT("window 5 of b"), false,
	    KEPT_WINDOW, 0, true, false, true, 0, 5 };
	p->kept = m->kept;
	p->nkept = 7;
	m->key[0] = (struct key_part){ false, true, 1 };
	m->key[1] = (struct key_part){ true, false, 2 };
	p->key = m->key;
	p->nkey = 2;
	p->expire_runs = 3;
	m->handle[0] = STR_LIT("PS");
	p->handle = m->handle;
	p->nhandle = 1;
	make_templates(m);
	p->tpl = m->tpl;
	p->ntpl = 2;
	m->file[0] = STR_LIT("sample.pikt");
	m->file[1] = STR_LIT("macros.cfg");
	p->files = m->file;
	p->nfiles = 2;
	/* #f(#a, $v, $s[]) and $g(#a, $v, $s[]) with as many registers; they
	 * count when add_functions has made their code */
	m->farray[0] = (struct array_decl){ STR_LIT("s"), false };
	m->farray[1] = (struct array_decl){ STR_LIT("n"), true };
	m->func[0] = (struct func){ .name = STR_LIT("#f"), .nnparam = 1,
	    .nsparam = 1, .naparam = 1, .nnvar = 2, .nntemp = 2, .nsvar = 1,
	    .nstemp = 3, .nvar_name = m->nname, .svar_name = m->sname,
	    .array = m->farray, .narray = 2, .nslot = 1, .nhandle = 1 };
	m->func[1] = m->func[0];
	m->func[1].name = STR_LIT("$g");
	m->func[1].fields = true;
	p->func = m->func;
	m->line[0] = (struct line_entry){ 0, 0, 12, 3 };
	m->line[1] = (struct line_entry){ 2, 1, 1, 1 };
	m->line[2] = (struct line_entry){ 5, 0, 14, 9 };
	p->lines = m->line;
	p->nlines = 3;
	m->code[0] = OPI(END, 0, 0, 0);
	p->code = m->code;
	p->ncode = 1;
	p->has_rules = true;
}

static inline void
set_code(struct made *m, const instr *code, uint32_t n)
{
	memcpy(m->code, code, n * sizeof *code);
	m->p.ncode = n;
}

/* Behind the code: two functions that only return. */
static inline void
add_functions(struct made *m)
{
	struct program *p = &m->p;

	p->nfunc = 2;
	m->func[0].pc = p->ncode;
	m->code[p->ncode++] = OPI(RETN, 0, 0, 0);
	m->func[1].pc = p->ncode;
	m->code[p->ncode++] = OPI(RETS, 0, 0, 0);
}

/* All pieces of code, with one of most kinds of instruction. */
static inline void
make_full(struct made *m)
{
	static const instr code[] = {
		/*  0 */ OPI(TASK, 255, 0, 0), OPI(END, 0, 0, 0),
		/*  2 */ OPX(CMD, 1, 1), OPI(END, 0, 0, 0),
		/*  4 */ OPX(CMD, 0, 0), OPI(END, 0, 0, 0),
		/*  6 */ OPI(MOVN, 0, 255, 0), OPI(SETS, 0, 254, 0),
		/*  8 */ OPI(ITER, 0, 1, 2), OPI(NEXT, 1, 0, 0),
			 JUMP(JMP, 2), OPI(APPS, 0, 1, 0), JUMP(LOOP, -4),
		/* 13 */ OPI(END, 0, 0, 0),
		/* 14 */ OPX(DATN, 2, 0), OPI(LT, 2, 254, 0), JUMP(JMP, 9),
		/* 17 */ OPX(DATS, 1, 1), OPI(MATCH, 1, 0, 1),
			 I_OAX(OP_EXT, 1), JUMP(JMP, 1),
		/* 21 */ OPI(REDO, 0, 0, 0),
		/* 22 */ OPX(CALLN, 3, BI_READ), CALL_EXT(2, 0, 1, 0),
		/* 24 */ OPX(CALLS, 2, BI_LEFT), CALL_EXT(2, 1, 1, 1),
		/* 26 */ OPI(CAT, 1, 1, 3), OPI(OUT, OUT_LOG, 255, 1),
		/* 28 */ OPX(FIELD, 1, 3), OPI(APUTS, 1, 255, 1),
		/* 30 */ OPI(EXEC, 5, 0, 0), OPI(NEXTLN, 0, 0, 0),
		/* 32 */ OPI(ARRAY, 0, 1, 0),
		/* 33 */ OPX(UCALLS, 1, 1), CALL_EXT(0, 3, 1, 1),
		/* 35 */ OPI(QUIT, 255, 0, 0),
	};

	make(m);
	set_code(m, code, COUNT(code));
	m->p.has_task = m->p.has_filter = m->p.has_begin = m->p.has_end =
	    true;
	m->p.input = INPUT_PROC;
	m->p.pc_task = 0;
	m->p.pc_input = 2;
	m->p.pc_filter = 4;
	m->p.pc_begin = 6;
	m->p.pc_rules = 14;
	m->p.pc_end = 32;
	add_functions(m);
}

#endif
