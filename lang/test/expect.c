/* expect: what is to come of a run. */
#include "lang/test/reader.h"

static const bool what_is_list[WHAT_COUNT] = {
#define TX(id, word, lines, meaning) lines,
#include "lang/table/tests.def"
#undef TX
};

/* An operator, or its word; HOW_ANY: none is at hand. */
static enum test_op
operator(struct reader *r)
{
	static const struct { const char *op; enum test_op how; } ops[] = {
		{ "==", HOW_IS }, { "eq", HOW_IS }, { "!=", HOW_NOT },
		{ "<>", HOW_NOT }, { "ne", HOW_NOT }, { "=~", HOW_MATCH },
		{ "=~~", HOW_MATCHI }, { "!~", HOW_NMATCH },
		{ "!~~", HOW_NMATCHI }, { "<", HOW_LESS }, { "lt", HOW_LESS },
		{ "<=", HOW_LESSEQ }, { "le", HOW_LESSEQ }, { ">", HOW_MORE },
		{ "gt", HOW_MORE }, { ">=", HOW_MOREEQ }, { "ge", HOW_MOREEQ }
	};
	const struct token *t = &r->k.t;
	size_t i;

	if (t->kind != TOKEN_OP && t->kind != TOKEN_WORD)
		return HOW_ANY;
	for (i = 0; i < sizeof ops / sizeof *ops; i++)
		if (str_eq(t->text, str_c(ops[i].op))) {
			token_next(&r->k);
			return ops[i].how;
		}
	return HOW_ANY;
}

static bool
is_pattern(enum test_op how)
{
	return how >= HOW_MATCH && how <= HOW_NMATCHI;
}

/* #x == 3, $a["k"] =~ "re", no #x. */
static bool
variable(struct reader *r)
{
	struct test_step *s = r->step;
	struct span at;

	if (r->k.t.kind != TOKEN_VAR)
		return wanted(r, "a variable");
	s->what = WHAT_VARIABLE;
	s->variable = r->k.t.text;
	token_next(&r->k);
	if (r->k.t.kind == TOKEN_OPEN) {
		token_next(&r->k);
		if (r->k.t.kind == TOKEN_NUMBER) {
			s->element = r->k.t.text;
			token_next(&r->k);
		} else if (!take_text(r, &s->element))
			return false;
		if (r->k.t.kind != TOKEN_CLOSE)
			return wanted(r, "]");
		token_next(&r->k);
	}
	s->op = operator(r);
	if (s->op == HOW_ANY)
		return s->no || wanted(r, "== or another comparison");
	at = r->k.t.span;
	if (take_word(r, "NIL"))
		s->value = STR_LIT("<<NIL>>");
	else if (s->variable.p[0] == '#' && !is_pattern(s->op)) {
		if (!take_number(r, &s->number, -1e300, 1e300))
			return false;
	} else if (!take_text(r, &s->value))
		return false;
	return !is_pattern(s->op) || good_pattern(r, s->value, at);
}

/* firing, pending or quiet behind the key. */
static bool
incident(struct reader *r)
{
	static const char *const state[] = { "firing", "pending", "quiet" };
	struct test_step *s = r->step;
	unsigned i;

	if (r->k.t.kind != TOKEN_TEXT)
		return s->no || wanted(r, "the incident's key");
	(void)take_text(r, &s->target);
	for (i = 0; i < 3; i++)
		if (take_word(r, state[i]))
			s->value = str_c(state[i]);
	if (str_none(s->value) && r->k.t.kind == TOKEN_WORD &&
	    !begins_step(r) && !is_word(r, "endtest"))
		return unknown(r, r->k.t.span, "state of an incident",
		    r->k.t.text, state, 3);
	return true;
}

/* [TARGET] [op] [TEXT] [times N] */
static bool
lines(struct reader *r)
{
	struct test_step *s = r->step;
	struct span at;

	if (r->k.t.kind == TOKEN_TEXT)
		(void)take_text(r, &s->value);
	if (r->k.t.kind == TOKEN_TEXT) {
		s->target = s->value;
		(void)take_text(r, &s->value);
		s->op = HOW_IS;
	} else if ((s->op = operator(r)) != HOW_ANY) {
		s->target = s->value;
		at = r->k.t.span;
		if (s->op != HOW_IS && s->op != HOW_MATCH &&
		    s->op != HOW_MATCHI)
			return bad_value(r, r->k.before, str_of(
			    r->k.src->text.p + r->k.before.at,
			    r->k.before.len), "==, =~ or =~~; the contrary "
			    "is: expect no ...");
		if (!take_text(r, &s->value) || (is_pattern(s->op) &&
		    !good_pattern(r, s->value, at)))
			return false;
	} else if (!str_none(s->value))
		s->op = HOW_IS;
	return !take_word(r, "times") || take_number(r, &s->times, 0, 1e9);
}

bool
read_expect(struct reader *r)
{
	struct test_step *s = r->step;
	struct token t;
	unsigned k;

	if (is_word(r, "no")) {
		s->no = true;
		token_next(&r->k);
	}
	t = r->k.t;
	if (t.kind == TOKEN_VAR)
		return variable(r);
	if (t.kind != TOKEN_WORD)
		return wanted(r, "mail, log, #x or another expectation");
	for (k = 0; k < WHAT_COUNT; k++)
		if (str_eq(t.text, str_c(test_what_name[k])))
			break;
	if (k == WHAT_COUNT)
		return unknown(r, t.span, "expectation", t.text,
		    test_what_name, WHAT_COUNT);
	token_next(&r->k);
	s->what = (enum test_what)k;
	if (k == WHAT_MAIL && take_word(r, "to"))	/* output mail to */
		s->what = WHAT_MAILTO;
	if (what_is_list[k])
		return lines(r);
	switch (s->what) {
	case WHAT_INCIDENT:
		return incident(r);
	case WHAT_VARIABLE:
		return variable(r);
	case WHAT_LINES:
		s->op = operator(r);
		if (s->op == HOW_ANY)
			s->op = HOW_IS;
		return take_number(r, &s->number, 0, 1e15);
	default:	/* nothing */
		return true;
	}
}
