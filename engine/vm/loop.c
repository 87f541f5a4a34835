/*
 * loop: the machine's instructions.  One body serves a switch and, where the
 * compiler has it, computed goto; opcodes.def orders both.
 */
#include <stdio.h>

#include "engine/vm/state.h"

#if defined(__GNUC__) && !defined(PICKET_SWITCH_DISPATCH)
#define COMPUTED_GOTO 1
#endif

#if COMPUTED_GOTO
#define CASE(op)	L_##op:
#define NEXT_INSTR	do { i = *pc++; goto *label[I_OP(i)]; } while (0)
#else
#define CASE(op)	case OP_##op:
#define NEXT_INSTR	break
#endif

/* pc stands behind a condition: take its jump, or step over it. */
#define BRANCH(cond) do {						\
	if ((cond) == (bool)I_C(i))					\
		pc += I_SAX(*pc) + 1;					\
	else								\
		pc++;							\
} while (0)
/* The same; C says, too, what a match that cannot be told counts as. */
#define TEST_BRANCH(cond) do {						\
	bool is = (cond) || (vm->untold && I_C(i) > 1);			\
									\
	if (is == (bool)(I_C(i) & 1))					\
		pc += I_SAX(*pc) + 1;					\
	else								\
		pc++;							\
} while (0)
#define A	I_A(i)
#define B	I_B(i)
#define C	I_C(i)
#define HERE	(vm->pc = (uint32_t)(pc - 1 - code))

/* Arithmetic whose result tells by itself that all was well. */
#define ARITH(op, expr) do {						\
	double r = (expr);						\
	if (__builtin_expect(num_fine(r), 1))				\
		n[A] = r;						\
	else {								\
		HERE;							\
		n[A] = slow(vm, op, n[B], n[C]);			\
	}								\
} while (0)

static double
slow(struct vm *vm, enum num_op op, double a, double b)
{
	enum num_fault f = NUM_FINE;
	double r = num_op(op, a, b, &f);

	if (f != NUM_FINE)
		vm_fault(vm, f);
	return r;
}

/* C's fmod; small integers the short way. */
static inline double
mod(double a, double b)
{
	if (a >= 0 && a < 4294967296.0 && b >= 1 && b < 4294967296.0 &&
	    a == (double)(uint32_t)a && b == (double)(uint32_t)b)
		return (double)((uint32_t)a % (uint32_t)b);
	if (b == 0)
		return NUM_NIL;
	return fmod(a, b);
}

/* The pattern, unless it is bad or the line lacks what it must hold. */
static inline struct re *
pattern(struct vm *vm, uint32_t i, struct str subject)
{
	struct re *re = vm->re[i];

	if (__builtin_expect(re == NULL, 0))
		return vm_regex(vm, i);
	if (vm->digest == NULL || subject.p != vm->line.p ||
	    subject.n != vm->line.n || str_none(subject))
		return re;
	if (vm->matched < DIGEST_AFTER) {
		if (++vm->matched < DIGEST_AFTER)
			return re;
		find_digest(vm->digest, subject);
	}
	return find_lacks(vm->digest, &vm->holds[i]) ? NULL : re;
}

/* What must not run for ever ends here. */
bool
vm_look(struct vm *vm)
{
	char t[80];

	vm->budget -= VM_SLICE;
	if (vm->budget <= 0) {
		int k = snprintf(t, sizeof t, "more than %.0f instructions in "
		    "one pass (budget)", vm->p->budget > 0 ? vm->p->budget :
		    LIM_BUDGET);

		vm_end(vm, VM_FAILED, str_of(t, (size_t)k));
		return false;
	}
	if (vm->host->stop(vm->h)) {
		vm_end(vm, VM_STOPPED, vm->host->why(vm->h));
		return false;
	}
	return true;
}

/* The number behind skip or pause; an ERROR and 0 if it is none. */
static double
count_of(struct vm *vm, const char *what, double d)
{
	char t[NUM_TEXT_MAX];

	if (d >= 0)
		return d;
	vm_log(vm, LOG_ERROR, "%s %.*s", what, (int)num_text(d, t), t);
	return 0;
}

/* -1 is 255, as exit(3) has it; what no status can say is no success. */
static int
status_of(struct vm *vm, double d)
{
	char t[NUM_TEXT_MAX];

	if (num_is_int(d) && d >= -128 && d <= 255)
		return (int)d & 0xff;
	vm_log(vm, LOG_ERROR, "quit %.*s: no status from 0 to 255: taken as 1",
	    (int)num_text(d, t), t);
	return 1;
}

static void
call(struct vm *vm, instr i, instr ext, struct call *c)
{
	memset(c, 0, sizeof *c);
	c->vm = vm;
	c->n = &vm->r.n[CALL_NB(ext)];
	c->s = &vm->r.s[CALL_SB(ext)];
	c->nn = CALL_NN(ext);
	c->ns = CALL_NS(ext);
	if (c->ns == CALL_ARRAY) {
		c->ns = 0;
		c->array_arg = true;
	}
	c->rn = NUM_ERR;
	c->rs = STR_ERR;
	builtin_table[I_BX(i)](c);
}

enum vm_result
vm_execute(struct vm *vm, uint32_t start)
{
#if COMPUTED_GOTO
	static const void *const label[OP_COUNT] = {
#define OP(name, shape, meaning) &&L_##name,
#include "lang/table/opcodes.def"
#undef OP
	};
#endif
	const struct program *p = vm->p;
	const instr *code = p->code, *pc = code + start;
	double *n;
	struct str *s;
	int32_t fuel = VM_SLICE;
	struct array_item *item;
	struct call c;
	struct str v;
	struct re *re;
	instr i;

	vm_unwind(vm);		/* a piece of code that failed left it there */
	n = vm->r.n;
	s = vm->r.s;
#if COMPUTED_GOTO
	NEXT_INSTR;
#else
	for (;;) { i = *pc++; switch (I_OP(i)) {
#endif
	CASE(MOVN)	n[A] = n[B]; NEXT_INSTR;
	CASE(MOVS)	s[A] = s[B]; NEXT_INSTR;
	CASE(LOADN)	n[A] = p->num[I_BX(i)]; NEXT_INSTR;
	CASE(LOADS)	s[A] = p->text[I_BX(i)]; NEXT_INSTR;
	CASE(GETN)	n[A] = vm->farn[I_BX(i)]; NEXT_INSTR;
	CASE(PUTN)	vm->farn[I_BX(i)] = n[A]; NEXT_INSTR;
	CASE(GETS)	s[A] = vm->fars[I_BX(i)]; NEXT_INSTR;
	CASE(PUTS)
		vm_store(vm, &vm->farown[I_BX(i)], &vm->fars[I_BX(i)], s[A]);
		NEXT_INSTR;
	CASE(SETS)	vm_store(vm, &vm->r.own[A], &s[A], s[B]); NEXT_INSTR;
	CASE(APPS)	vm_append(vm, &vm->r.own[A], &s[A], s[B]); NEXT_INSTR;

	CASE(ADD)	ARITH(NUM_ADD, n[B] + n[C]); NEXT_INSTR;
	CASE(SUB)	ARITH(NUM_SUB, n[B] - n[C]); NEXT_INSTR;
	CASE(MUL)	ARITH(NUM_MUL, n[B] * n[C]); NEXT_INSTR;
	CASE(DIV)	ARITH(NUM_DIV, n[B] / n[C]); NEXT_INSTR;
	CASE(MOD)	ARITH(NUM_MOD, mod(n[B], n[C])); NEXT_INSTR;
	CASE(POW)	HERE; n[A] = slow(vm, NUM_POW, n[B], n[C]); NEXT_INSTR;
	CASE(BAND)	HERE; n[A] = slow(vm, NUM_BAND, n[B], n[C]); NEXT_INSTR;
	CASE(BOR)	HERE; n[A] = slow(vm, NUM_BOR, n[B], n[C]); NEXT_INSTR;
	CASE(BXOR)	HERE; n[A] = slow(vm, NUM_BXOR, n[B], n[C]); NEXT_INSTR;
	CASE(SHL)	HERE; n[A] = slow(vm, NUM_SHL, n[B], n[C]); NEXT_INSTR;
	CASE(SHR)	HERE; n[A] = slow(vm, NUM_SHR, n[B], n[C]); NEXT_INSTR;
	CASE(NEG)	HERE; n[A] = slow(vm, NUM_NEG, n[B], 0); NEXT_INSTR;
	CASE(BNOT)	HERE; n[A] = slow(vm, NUM_BNOT, n[B], 0); NEXT_INSTR;
	CASE(NOT)	n[A] = num_true(n[B]) ? 0 : 1; NEXT_INSTR;
	CASE(INCR) {
		double r = n[B] + n[C];

		if (__builtin_expect(num_fine(r), 1))
			n[A] = r;
		else {
			HERE;
			n[A] = slow(vm, NUM_ADD, num_is_nil(n[B]) ? 0 : n[B],
			    n[C]);
		}
		NEXT_INSTR;
	}
	CASE(DECR) {
		double r = n[B] - n[C];

		if (__builtin_expect(num_fine(r), 1))
			n[A] = r;
		else {
			HERE;
			n[A] = slow(vm, NUM_SUB, num_is_nil(n[B]) ? 0 : n[B],
			    n[C]);
		}
		NEXT_INSTR;
	}
	CASE(ZERO)	n[A] = num_is_nil(n[B]) ? 0 : n[B]; NEXT_INSTR;

	CASE(JMP)	pc += I_SAX(i); NEXT_INSTR;
	CASE(LOOP)
		pc += I_SAX(i);
		fuel += I_SAX(i);	/* backwards: what the turn cost */
		if (vm->dirty)
			vm_drop(vm);
		if (__builtin_expect(fuel <= 0, 0)) {
			HERE;
			if (!vm_look(vm))
				return vm->end_with;
			fuel = VM_SLICE;
		}
		NEXT_INSTR;
	CASE(TRUE)	BRANCH(num_true(n[A])); NEXT_INSTR;
	CASE(LT)	BRANCH(n[A] < n[B]); NEXT_INSTR;
	CASE(LE)	BRANCH(n[A] <= n[B]); NEXT_INSTR;
	CASE(EQ)	BRANCH(n[A] == n[B]); NEXT_INSTR;
	CASE(SLT)	BRANCH(str_cmp(str_shown(s[A]), str_shown(s[B])) < 0);
			NEXT_INSTR;
	CASE(SLE)	BRANCH(str_cmp(str_shown(s[A]), str_shown(s[B])) <= 0);
			NEXT_INSTR;
	CASE(SEQ)	BRANCH(str_eq(str_shown(s[A]), str_shown(s[B])));
			NEXT_INSTR;
	CASE(MATCH) {
		bool hit;

		HERE;
		re = pattern(vm, I_AX(*pc), s[A]);
		pc++;
		hit = re != NULL && vm_match(vm, re, s[A], true);
		BRANCH(hit);
		NEXT_INSTR;
	}
	CASE(TEST) {
		bool hit;

		HERE;
		vm->untold = false;
		re = pattern(vm, I_AX(*pc), s[A]);
		pc++;
		hit = re != NULL && vm_match(vm, re, s[A], false);
		TEST_BRANCH(hit);
		NEXT_INSTR;
	}
	CASE(MATCHD)
		HERE;
		re = vm_dynamic(vm, s[B], false);
		BRANCH(re != NULL && vm_match(vm, re, s[A], true));
		NEXT_INSTR;
	CASE(MATCHDI)
		HERE;
		re = vm_dynamic(vm, s[B], true);
		BRANCH(re != NULL && vm_match(vm, re, s[A], true));
		NEXT_INSTR;
	CASE(TESTD)
		HERE;
		vm->untold = false;
		re = vm_dynamic(vm, s[B], false);
		TEST_BRANCH(re != NULL && vm_match(vm, re, s[A], false));
		NEXT_INSTR;
	CASE(TESTDI)
		HERE;
		vm->untold = false;
		re = vm_dynamic(vm, s[B], true);
		TEST_BRANCH(re != NULL && vm_match(vm, re, s[A], false));
		NEXT_INSTR;
	CASE(TOLD)	BRANCH(!vm->untold); NEXT_INSTR;
	CASE(DEFN)	BRANCH(!num_none(n[A])); NEXT_INSTR;
	CASE(DEFS)
		BRANCH(!str_none(s[A]) && !str_eq(s[A], STR_LIT("<<NIL>>")) &&
		    !str_eq(s[A], STR_LIT("<<ERR>>")));
		NEXT_INSTR;
	CASE(FTEST)	HERE; BRANCH(vm_ftest(vm, s[A], (int)B)); NEXT_INSTR;
	CASE(FNEWER)	HERE; BRANCH(vm_newer(vm, s[A], s[B])); NEXT_INSTR;
	CASE(FOLDER)	HERE; BRANCH(vm_newer(vm, s[B], s[A])); NEXT_INSTR;
	CASE(EXT)	NEXT_INSTR;	/* never reached: verify */

	CASE(CAT)	s[A] = vm_cat(vm, &s[B], C); NEXT_INSTR;
	CASE(BLANK)
		s[A] = s[B].p == NULL && s[B].n == 0 ? STR_EMPTY : s[B];
		NEXT_INSTR;
	CASE(TEXT) {
		char *t = vm_text(vm, NUM_TEXT_MAX);

		s[A] = str_of(t, num_text(n[B], t));
		NEXT_INSTR;
	}
	CASE(TEXTD)
		HERE;
		s[A] = vm_decimals(vm, n[B], n[C]);
		NEXT_INSTR;
	CASE(VALUE)	n[A] = num_parse(s[B], true); NEXT_INSTR;

	CASE(LINE)	s[A] = vm_line(vm); NEXT_INSTR;
	CASE(FIELD)	s[A] = vm_current_field(vm, I_BX(i)); NEXT_INSTR;
	CASE(FIELDX)	HERE; s[A] = vm_current_field(vm, n[B]); NEXT_INSTR;
	CASE(FIELDN)
		n[A] = num_parse(vm_current_field(vm, I_BX(i)), true);
		NEXT_INSTR;
	CASE(DATN)
		n[A] = vm->datgen[I_BX(i)] == vm->gen ? vm->datn[I_BX(i)] :
		    vm_dat_number(vm, I_BX(i));
		NEXT_INSTR;
	CASE(DATS)
		s[A] = vm->datgen[I_BX(i)] == vm->gen ? vm->dats[I_BX(i)] :
		    vm_dat_string(vm, I_BX(i));
		NEXT_INSTR;
	CASE(PREVN)	n[A] = kept_previous_n(vm, I_BX(i), false); NEXT_INSTR;
	CASE(PREVS)	s[A] = kept_previous_s(vm, I_BX(i), false); NEXT_INSTR;
	CASE(PREVKN)	n[A] = kept_previous_n(vm, I_BX(i), true); NEXT_INSTR;
	CASE(PREVKS)	s[A] = kept_previous_s(vm, I_BX(i), true); NEXT_INSTR;
	CASE(BEFN)	n[A] = kept_before_n(vm, I_BX(i)); NEXT_INSTR;
	CASE(BEFS)	s[A] = kept_before_s(vm, I_BX(i)); NEXT_INSTR;
	CASE(ASSIGN)	kept_assign(vm, I_BX(i)); NEXT_INSTR;
	CASE(RDLIN)	s[A] = vm->rdlin; NEXT_INSTR;

	CASE(KEYN)	HERE; s[A] = vm_number_key(vm, n[B]); NEXT_INSTR;
	CASE(KEYS)	s[A] = str_shown(s[B]); NEXT_INSTR;
	CASE(KEYJ)	s[A] = vm_join_key(vm, &s[B], C); NEXT_INSTR;
	CASE(AGETN)
		item = str_none(s[C]) ? NULL : array_find(vm->r.ar[B], s[C]);
		n[A] = item == NULL ? NUM_NIL : item->n;
		NEXT_INSTR;
	CASE(AGETS)
		item = str_none(s[C]) ? NULL : array_find(vm->r.ar[B], s[C]);
		s[A] = item == NULL ? STR_NIL : array_item_str(item);
		NEXT_INSTR;
	CASE(BGETN) {
		const struct array_item *b = kept_before_item(vm, B, s[C]);

		n[A] = b == NULL ? NUM_NIL : b->n;
		NEXT_INSTR;
	}
	CASE(BGETS) {
		const struct array_item *b = kept_before_item(vm, B, s[C]);

		s[A] = b == NULL ? STR_NIL : array_item_str(b);
		NEXT_INSTR;
	}
	CASE(APUTN)
		if (!str_none(s[B]))
			array_make(vm->r.ar[A], s[B])->n = n[C];
		NEXT_INSTR;
	CASE(APUTS)
		if (!str_none(s[B]))
			array_put_str(vm->r.ar[A], s[B], s[C]);
		NEXT_INSTR;
	CASE(AINCR)
		if (!str_none(s[B])) {
			double r;

			item = array_make(vm->r.ar[A], s[B]);
			r = item->n + n[C];
			if (num_fine(r))
				item->n = r;
			else {
				HERE;
				item->n = slow(vm, NUM_ADD,
				    num_is_nil(item->n) ? 0 : item->n, n[C]);
			}
		}
		NEXT_INSTR;
	CASE(AHAS)
		BRANCH(!str_none(s[B]) &&
		    array_find(vm->r.ar[A], s[B]) != NULL);
		NEXT_INSTR;
	CASE(ADEL)
		if (!str_none(s[B]))
			(void)array_del(vm->r.ar[A], s[B]);
		NEXT_INSTR;
	CASE(ACLR)	array_clear(vm->r.ar[A]); NEXT_INSTR;
	CASE(ITER)	vm_iter(vm, A, vm->r.ar[B], (enum order)C); NEXT_INSTR;
	CASE(NEXT) {
		struct slot *sl = &vm->r.slot[B];

		if (sl->at < sl->nkey) {
			s[A] = sl->key[sl->at++];
			pc++;
		} else
			pc += I_SAX(*pc) + 1;
		NEXT_INSTR;
	}

	CASE(CALLN)
		HERE;
		call(vm, i, *pc++, &c);
		n[A] = c.rn;
		if (vm->must_end)
			return vm->end_with;
		NEXT_INSTR;
	CASE(CALLS)
		HERE;
		call(vm, i, *pc++, &c);
		s[A] = c.rs;
		if (vm->must_end)
			return vm->end_with;
		NEXT_INSTR;
	CASE(ARRAY)	vm->aarg[A] = vm->r.ar[B]; NEXT_INSTR;
	CASE(UCALLN)
	CASE(UCALLS)
		HERE;
		fuel -= CALL_COST;
		if (__builtin_expect(fuel <= 0, 0)) {
			if (!vm_look(vm))
				return vm->end_with;
			fuel = VM_SLICE;
		}
		if (!vm_enter(vm, &p->func[I_BX(i)], *pc, pc + 1))
			return vm->end_with;
		pc = code + p->func[I_BX(i)].pc;
		n = vm->r.n;
		s = vm->r.s;
		NEXT_INSTR;
	CASE(RETN) {
		double d = n[A];

		fuel -= (int32_t)(pc - code - vm->frame[vm->depth - 1]->f->pc);
		pc = vm->frame[vm->depth - 1]->ret;
		(void)vm_leave(vm, STR_NIL);
		n = vm->r.n;
		s = vm->r.s;
		n[I_A(pc[-2])] = d;
		NEXT_INSTR;
	}
	CASE(RETS)
		fuel -= (int32_t)(pc - code - vm->frame[vm->depth - 1]->f->pc);
		pc = vm->frame[vm->depth - 1]->ret;
		v = vm_leave(vm, s[A]);
		n = vm->r.n;
		s = vm->r.s;
		s[I_A(pc[-2])] = v;
		NEXT_INSTR;
	CASE(CMD)
		HERE;
		buf_clear(&vm->cmd_why);
		vm->dirty = true;
		vm->cmd_ok = template_fill(&p->tpl[I_BX(i)], &s[A], &vm->temp,
		    &vm->cmd, &vm->cmd_why);
		if (!vm->cmd_ok) {
			v = buf_view(&vm->cmd_why);
			vm_log(vm, LOG_ERROR, "not run: %.*s", (int)v.n, v.p);
		}
		NEXT_INSTR;

	CASE(OUT)
		HERE;
		vm_out(vm, (enum out)A, s[B], s[C]);
		if (vm->must_end)
			return vm->end_with;
		NEXT_INSTR;
	CASE(RECORD)
		if (!num_none(n[A]) && !str_none(s[B]))
			vm->host->record(vm->h, s[B], n[A]);
		NEXT_INSTR;
	CASE(ABOUT)
		vm_store(vm, &vm->incident_own, &vm->incident, s[A]);
		NEXT_INSTR;
	CASE(INCIDENT)
		HERE;
		n[A] = (double)vm_incident(vm, &n[B], &s[C]);
		if (vm->must_end)
			return vm->end_with;
		NEXT_INSTR;
	CASE(XOPTS)
		if (A == XOPT_AS)
			vm->xopt.as = s[B];
		else
			vm->xopt.dir = s[B];
		NEXT_INSTR;
	CASE(XOPTN)
		switch (A) {
		case XOPT_TIMEOUT: vm->xopt.timeout = n[B]; break;
		case XOPT_MEMORY: vm->xopt.memory = n[B]; break;
		default: vm->xopt.cpu = n[B]; break;
		}
		NEXT_INSTR;
	CASE(EXEC)
		HERE;
		vm_exec(vm, A);
		if (vm->must_end)
			return vm->end_with;
		NEXT_INSTR;

	CASE(END)	return VM_DONE;
	CASE(NEXTLN)	return VM_DONE;
	CASE(REDO)
		HERE;
		return VM_REDO;
	CASE(SKIP)
		HERE;
		vm->skip = count_of(vm, "skip", n[A]);
		return VM_SKIP;
	CASE(LAST)	return VM_LAST;
	CASE(QUIT)
		HERE;
		vm->status = B ? status_of(vm, n[A]) : -1;
		return VM_QUIT;
	CASE(DIE)
		HERE;
		vm_end(vm, VM_DIE, str_shown(s[A]));
		return VM_DIE;
	CASE(PAUSE)
		HERE;
		vm->now_valid = false;
		if (count_of(vm, "pause", n[A]) > 0 && !vm->host->sleep(vm->h, n[A])) {
			vm_end(vm, VM_STOPPED, vm->host->why(vm->h));
			return VM_STOPPED;
		}
		NEXT_INSTR;
	CASE(FAIL)
		HERE;
		vm_end(vm, VM_FAILED, vm_cat(vm, (const struct str[]){
		    STR_LIT("assertion failed: "), str_shown(s[A]) }, 2));
		return VM_FAILED;

	CASE(TASK)	vm->task = vm_cat(vm, &s[A], 1); NEXT_INSTR;
	CASE(PATH)	vm->path = vm_cat(vm, &s[A], 1); NEXT_INSTR;
	CASE(TARGN)
		vm->targ_number[A % TABLE_ARGS] = n[B];
		NEXT_INSTR;
	CASE(TARGS)
		vm->targ_text[A % TABLE_ARGS] = vm_dup(vm, s[B]);
		NEXT_INSTR;

	CASE(TRSTMT)
		if (vm->o.met != NULL)
			vm->o.met(vm->o.met_arg, p, (uint32_t)(pc - 1 - code),
			    true);
		else
			vm_trace_stmt(vm, p->text[I_BX(i)]);
		NEXT_INSTR;
	CASE(TRNUM) {
		char t[NUM_TEXT_MAX];

		if (vm->o.met == NULL)
			vm_trace_value(vm, p->text[I_BX(i)],
		    str_of(t, num_text(n[A], t)));
		NEXT_INSTR;
	}
	CASE(TRSTR)
		if (vm->o.met == NULL)
			vm_trace_value(vm, p->text[I_BX(i)], str_shown(s[A]));
		NEXT_INSTR;
	CASE(TRCOND)
		if (vm->o.met != NULL)
			vm->o.met(vm->o.met_arg, p, (uint32_t)(pc - 1 - code),
			    A);
		else
			vm_trace_value(vm, STR_NIL, A ? STR_LIT("true") :
		    STR_LIT("false"));
		NEXT_INSTR;
	CASE(MARK)
		if (vm->o.met != NULL)
			vm->o.met(vm->o.met_arg, p, (uint32_t)(pc - 1 - code),
			    A);
		NEXT_INSTR;
#if !COMPUTED_GOTO
	default:	return VM_DONE;
	} }
#endif
}
