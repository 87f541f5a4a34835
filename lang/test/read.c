#include "lang/test/reader.h"

#include <stdio.h>
#include <stdlib.h>

#include "lang/syntax/preprocess.h"

#define ARENA_BLOCK	(16 * 1024)
#define LIM_TESTS_MEM	(256u << 20)	/* bytes of one file: its texts twice */
#define LIM_TESTS	10000	/* of a file: a person writes some dozens */
#define LIM_STEPS	10000	/* of a test */
#define TEN_YEARS	(10 * 366 * 86400.0)	/* clocks go no further */

const char *const test_word_name[TEST_WORDS] = {
#define TW(id, word, args, meaning, example) word,
#include "lang/table/tests.def"
#undef TW
	"expect"
};
const char *const test_what_name[WHAT_COUNT] = {
#define TX(id, word, lines, meaning) word,
#include "lang/table/tests.def"
#undef TX
};
const char *const test_fact_name[TEST_FACT_COUNT] = {
#define TF(id, word, key) word,
#include "lang/table/tests.def"
#undef TF
};

struct tests {
	struct mem	 mem;
	jmp_buf		 fail;
	struct arena	 arena;
	struct source_set src;
	struct diag	 diag;
	struct reader	 r;
	struct test	*test;
	size_t		 n, cap;
};

struct list {
	struct test_step *step;
	size_t		 n, cap;
};

/* --- what the parts share --- */

bool
is_word(const struct reader *r, const char *word)
{
	return r->k.t.kind == TOKEN_WORD && str_eq(r->k.t.text, str_c(word));
}

bool
take_word(struct reader *r, const char *word)
{
	if (!is_word(r, word))
		return false;
	token_next(&r->k);
	return true;
}

bool
wanted(struct reader *r, const char *what)
{
	const struct token *t = &r->k.t;
	struct span at = t->span;
	struct str got = t->text;
	const struct buf *b = &r->k.src->text;

	if (t->kind == TOKEN_TEXT)
		got = STR_LIT("string");
	else if (t->kind == TOKEN_END)
		got = STR_LIT("end of file");
	/* it is missing at the end of the line before */
	if (t->kind == TOKEN_END || memchr(b->p + r->k.before.at, '\n',
	    at.at - r->k.before.at) != NULL) {
		at.at = r->k.before.at + r->k.before.len;
		at.len = 0;
	}
	diag_at(r->k.diag, at, E_SYNTAX_WANT, got, str_c(what), STR_NIL);
	return false;
}

bool
take_text(struct reader *r, struct str *s)
{
	if (r->k.t.kind != TOKEN_TEXT)
		return wanted(r, "a text in quotes");
	*s = r->k.t.text;
	token_next(&r->k);
	return true;
}

/* Names may stand in quotes. */
bool
take_name(struct reader *r, struct str *s)
{
	if (r->k.t.kind != TOKEN_WORD && r->k.t.kind != TOKEN_TEXT)
		return wanted(r, "a name");
	*s = r->k.t.text;
	token_next(&r->k);
	return true;
}

bool
bad_value(struct reader *r, struct span at, struct str s, const char *what)
{
	diag_at(r->k.diag, at, E_CONF_VALUE, s, str_c(what), STR_NIL);
	return false;
}

bool
take_number(struct reader *r, double *d, double lo, double hi)
{
	struct token t = r->k.t;

	if (t.kind != TOKEN_NUMBER)
		return wanted(r, "a number");
	token_next(&r->k);
	*d = num_parse(t.text, true);
	if (num_none(*d))
		*d = num_parse_size(t.text);
	if (num_none(*d))
		*d = num_parse_duration(t.text);
	if (num_none(*d) || *d < lo || *d > hi)
		return bad_value(r, t.span, t.text, num_none(*d) ? "a number" :
		    "a number that can stand here");
	return true;
}

bool
take_duration(struct reader *r, double *d)
{
	struct token t = r->k.t;

	if (t.kind != TOKEN_NUMBER)
		return wanted(r, "a duration like 90s, 5m or 2h30m");
	token_next(&r->k);
	*d = num_parse_duration(t.text);
	if (num_none(*d) || *d < 0 || *d > TEN_YEARS)
		return bad_value(r, t.span, t.text,
		    "a duration like 90s, 5m or 2h30m, at most ten years");
	return true;
}

static bool
too_many(struct reader *r, struct span at, unsigned limit, const char *what)
{
	char n[16];

	snprintf(n, sizeof n, "%u", limit);
	diag_at(r->k.diag, at, E_TEST_MANY, str_c(n), str_c(what), STR_NIL);
	return false;
}

bool
add_text(struct reader *r, struct str s)
{
	struct str *grown;
	size_t cap;

	if (r->ntext == LIM_TEST_TEXTS)
		return too_many(r, r->k.before, LIM_TEST_TEXTS,
		    "lines, rows or names behind one word");
	if (r->ntext == r->captext) {
		cap = r->captext == 0 ? 16 : r->captext * 2;
		grown = arena_alloc(r->arena, cap * sizeof *grown);
		if (r->ntext > 0)
			memcpy(grown, r->text, r->ntext * sizeof *grown);
		r->text = grown;
		r->captext = cap;
	}
	r->text[r->ntext++] = s;
	return true;
}

static void
nearest(struct reader *r, struct diag_item *item, struct str word,
    const char *const *known, size_t n)
{
	unsigned best = word.n < 4 ? 2 : word.n < 8 ? 3 : 4, d;
	const char *near = NULL;
	struct buf b;
	size_t i;

	for (i = 0; i < n; i++) {
		d = str_distance(word, str_c(known[i]), best);
		if (d < best) {
			best = d;
			near = known[i];
		}
	}
	buf_init(&b, r->arena->mem);
	if (near != NULL)
		buf_printf(&b, "did you mean %s?", near);
	else
		for (i = 0; i < n; i++)
			buf_printf(&b, "%s%s", i == 0 ? "one of " : " ",
			    known[i]);
	if (b.n > 0)
		diag_hint(r->k.diag, item, buf_view(&b));
	buf_free(&b);
}

bool
unknown(struct reader *r, struct span at, const char *kind, struct str name,
    const char *const *known, size_t n)
{
	nearest(r, diag_at(r->k.diag, at, E_TEST_NAME, str_c(kind), name,
	    STR_NIL), name, known, n);
	return false;
}

bool
good_pattern(struct reader *r, struct str s, struct span at)
{
	struct re_error e;
	struct re *re = re_compile(r->re, s, false, &e);

	if (re == NULL) {
		diag_at(r->k.diag, at, E_REGEX, str_c(e.text), STR_NIL,
		    STR_NIL);
		return false;
	}
	re_free(re);
	return true;
}

/* --- the frame --- */

static int
word_of(struct str s)
{
	int i;

	for (i = 0; i < TEST_WORDS; i++)
		if (str_eq(s, str_c(test_word_name[i])))
			return i;
	return -1;
}

bool
begins_step(const struct reader *r)
{
	return r->k.t.kind == TOKEN_END || is_word(r, "test") ||
	    is_word(r, "endtest") || (r->k.t.kind == TOKEN_WORD &&
	    word_of(r->k.t.text) >= 0);
}

/* What is written from a byte up to the token at hand, blanks as one. */
static struct str
as_written(struct reader *r, uint32_t from)
{
	uint32_t i, end = r->k.before.at + r->k.before.len;
	const struct buf *t = &r->k.src->text;
	struct str s;
	struct buf b;

	buf_init(&b, r->arena->mem);
	for (i = from; i < end; i++)
		if (memchr(" \t\r\n", t->p[i], 4) == NULL)
			buf_putc(&b, t->p[i]);
		else if (b.n > 0 && b.p[b.n - 1] != ' ')
			buf_putc(&b, ' ');
	s = arena_dup(r->arena, buf_view(&b));
	buf_free(&b);
	return s;
}

/* One step; what is wrong in it is left out up to the next word. */
static void
read_step(struct reader *r, struct list *l, bool in_test)
{
	uint32_t from = r->k.t.span.at;
	struct test_step *s, *grown;
	struct span at = r->k.t.span;
	struct diag_item *item;
	struct str word = r->k.t.text;
	int w = r->k.t.kind == TOKEN_WORD ? word_of(word) : -1;
	unsigned i;

	if (r->k.t.kind != TOKEN_WORD)
		(void)wanted(r, in_test ? "a word of a test or endtest" :
		    "test");
	else if (w < 0) {
		item = diag_at(r->k.diag, at, E_TEST_WORD, word, STR_NIL,
		    STR_NIL);
		nearest(r, item, word, test_word_name, TEST_WORDS);
	} else if (!in_test && (w == TEST_LATER || w == TEST_EXPECT))
		diag_at(r->k.diag, at, E_TEST_OUTSIDE, word, STR_NIL, STR_NIL);
	else if (l->n == LIM_STEPS)
		(void)too_many(r, at, LIM_STEPS, "steps in one test");
	else
		goto good;
bad:
	do
		token_next(&r->k);
	while (!begins_step(r));
	return;
good:
	if (l->n == l->cap) {
		l->cap = l->cap == 0 ? 16 : l->cap * 2;
		grown = arena_alloc(r->arena, l->cap * sizeof *grown);
		if (l->n > 0)
			memcpy(grown, l->step, l->n * sizeof *grown);
		l->step = grown;
	}
	s = &l->step[l->n];
	memset(s, 0, sizeof *s);
	s->word = (enum test_word)w;
	s->place = source_place(r->k.src, from);
	s->number = s->times = NUM_NIL;
	s->target = s->value = s->variable = s->element = STR_NIL;
	for (i = 0; i < ITEM_COUNT; i++) {
		s->item_text[i] = STR_NIL;
		s->item[i] = NUM_NIL;
	}
	r->step = s;
	r->text = NULL;
	r->ntext = r->captext = 0;
	token_next(&r->k);
	if (!(w == TEST_EXPECT ? read_expect(r) : read_world(r))) {
		if (!begins_step(r))
			goto bad;
		return;
	}
	s->text = r->text;
	s->ntext = r->ntext;
	s->shown = as_written(r, from);
	l->n++;
}

static void
add_test(struct tests *t, struct test one)
{
	struct test *grown;

	if (t->n == t->cap) {
		t->cap = t->cap == 0 ? 16 : t->cap * 2;
		grown = arena_alloc(&t->arena, t->cap * sizeof *grown);
		if (t->n > 0)
			memcpy(grown, t->test, t->n * sizeof *grown);
		t->test = grown;
	}
	t->test[t->n++] = one;
}

/* A copy of those before the first test, to be gone on with. */
static struct list
begin_list(struct tests *t, const struct list *common)
{
	struct list l = { .n = common->n, .cap = common->n + 16 };

	l.step = arena_alloc(&t->arena, l.cap * sizeof *l.step);
	if (l.n > 0)
		memcpy(l.step, common->step, l.n * sizeof *l.step);
	return l;
}

static void
read_test(struct tests *t, const struct list *common, struct map *names)
{
	struct reader *r = &t->r;
	struct test one = { .place = source_place(&t->src,
	    r->k.t.span.at) };
	struct list l = begin_list(t, common);
	struct span open = r->k.t.span, at;
	struct map_entry *e;
	struct diag_item *item;
	bool is_new, vain = true;
	size_t i;

	token_next(&r->k);
	at = r->k.t.span;
	if (!take_text(r, &one.name)) {
		one.name = STR_EMPTY;
		if (!begins_step(r))
			token_next(&r->k);
	} else {
		e = map_put(names, one.name, &is_new);
		if (is_new)
			e->v.num = at.at;
		else {
			item = diag_at(&t->diag, at, E_TEST_TWICE, one.name,
			    STR_NIL, STR_NIL);
			diag_other(&t->diag, item, source_place(&t->src,
			    (uint32_t)e->v.num), "first here");
		}
	}
	while (r->k.t.kind != TOKEN_END && !is_word(r, "endtest") &&
	    !is_word(r, "test"))
		read_step(r, &l, true);
	for (i = common->n; i < l.n; i++)
		vain = vain && l.step[i].word != TEST_EXPECT;
	if (is_word(r, "endtest")) {
		token_next(&r->k);
		if (vain && t->diag.nerror == 0)
			diag_at(&t->diag, open, E_TEST_VAIN, STR_NIL, STR_NIL,
			    STR_NIL);
	} else
		diag_at(&t->diag, open, E_TEST_OPEN,
		    r->k.t.kind == TOKEN_END ? STR_LIT("the end of the file") :
		    STR_LIT("the next test"), STR_NIL, STR_NIL);
	one.step = l.step;
	one.nstep = l.n;
	one.own = common->n;
	if (t->n < LIM_TESTS)
		add_test(t, one);
	else
		(void)too_many(r, open, LIM_TESTS, "tests in one file");
}

static void
work(struct tests *t, struct str name, struct str text,
    const struct compile_options *o)
{
	struct reader *r = &t->r;
	struct list common = { 0 };
	struct preprocess pp;
	struct map names;
	uint32_t file = source_add(&t->src, name, text);

	preprocess_init(&pp, &t->src, &t->diag, &t->arena, o);
	preprocess_file(&pp, file);
	if (t->diag.nerror > 0)
		return;		/* the reader would only follow up */
	r->k = (struct tokens){ .src = &t->src, .diag = &t->diag,
	    .arena = &t->arena };
	r->arena = &t->arena;
	r->re = re_ctx_new();
	if (r->re == NULL)
		mem_fail(&t->mem, false);
	map_init(&names, &t->arena);
	token_next(&r->k);
	while (r->k.t.kind != TOKEN_END && !is_word(r, "test"))
		read_step(r, &common, false);
	while (r->k.t.kind != TOKEN_END)
		if (is_word(r, "test"))
			read_test(t, &common, &names);
		else {
			diag_at(&t->diag, r->k.t.span, E_TEST_OUTSIDE,
			    r->k.t.kind == TOKEN_TEXT ? STR_LIT("string") :
			    r->k.t.text, STR_NIL, STR_NIL);
			do
				token_next(&r->k);
			while (r->k.t.kind != TOKEN_END && !is_word(r, "test"));
		}
	if (t->n == 0 && t->diag.nerror == 0)
		diag_in(&t->diag, source_place_in(&t->src, file, 0), 0,
		    E_TEST_NONE, STR_NIL, STR_NIL, STR_NIL);
}

struct tests *
tests_read(struct str name, struct str text, const struct compile_options *o)
{
	struct tests *t = calloc(1, sizeof *t);

	if (t == NULL)
		return NULL;
	mem_init(&t->mem, LIM_TESTS_MEM, &t->fail);
	arena_init(&t->arena, &t->mem, ARENA_BLOCK);
	source_init(&t->src, &t->mem, &t->arena);
	diag_init(&t->diag, &t->src, &t->arena);
	if (setjmp(t->fail) == 0)
		work(t, name, text, o);
	else {
		/* room for the one message that is left to say */
		t->mem.limit += 64 * 1024;
		if (setjmp(t->fail) == 0)
			diag_at(&t->diag, (struct span){ 0, 0 }, E_NO_MEMORY,
			    STR_LIT("256 MiB"), STR_NIL, STR_NIL);
		else
			t->diag.nerror++;
	}
	re_ctx_free(t->r.re);
	t->r.re = NULL;
	if (t->diag.nerror > 0)
		t->n = 0;
	return t;
}

void
tests_free(struct tests *t)
{
	if (t == NULL)
		return;
	source_free(&t->src);
	arena_free(&t->arena);
	free(t);
}

const struct test *
tests_list(const struct tests *t, size_t *n)
{
	*n = t->n;
	return t->test;
}

struct diag *
tests_diag(struct tests *t)
{
	return &t->diag;
}

struct str
tests_of(struct str path)
{
	static const char tail[] = "_test.pikt";
	size_t i;

	if (!str_ends(path, tail))
		return STR_NIL;
	path.n -= sizeof tail - 1;
	for (i = path.n; i > 0 && path.p[i - 1] != '/'; )
		i--;
	return path.n > i ? str_of(path.p + i, path.n - i) : STR_NIL;
}
