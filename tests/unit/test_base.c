/* The base floor but numbers and regexes: test_num, test_re. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "lang/base/arena.h"
#include "lang/base/buf.h"
#include "lang/base/diag.h"
#include "lang/base/map.h"
#include "lang/base/source.h"

#define MANY	((size_t)64 << 20)
#define S(s)	STR_LIT(s)

#define assert_str(got, want) assert_str_(got, want, __LINE__)
static void
assert_str_(struct str got, const char *want, int line)
{
	if (!str_eq(got, str_c(want)))
		fail_msg("line %d: \"%.*s\", not \"%s\"", line, (int)got.n,
		    got.p, want);
}

/* mem and arena */

static void
mem_counts_and_refuses(void **state)
{
	struct mem m;
	jmp_buf fail;
	char *p;

	(void)state;
	mem_init(&m, 100, &fail);
	if (setjmp(fail) == 0) {
		p = mem_alloc(&m, 60);
		p = mem_realloc(&m, p, 60, 80);
		p = mem_realloc(&m, p, 80, 10);
		assert_int_equal(m.used, 10);
		assert_int_equal(m.peak, 80);
		mem_free(&m, p, 10);
		assert_int_equal(m.used, 0);
		p = mem_zalloc(&m, 0);
		assert_non_null(p);
		mem_free(&m, p, 0);
		mem_charge(&m, 100);
		mem_charge(&m, 1);
		fail_msg("the limit let one byte through");
	}
	assert_true(m.at_limit);
	assert_int_equal(m.used, 100);
}

static void
arena_aligns_resets_and_frees(void **state)
{
	struct arena_mark empty, mark;
	struct arena a;
	struct mem m;
	char *p, *q;

	(void)state;
	mem_init(&m, MANY, NULL);
	arena_init(&a, &m, 1024);
	empty = arena_mark(&a);
	assert_int_equal(m.used, 0);
	assert_false(arena_dirty(&a, empty));
	arena_text(&a, 3);
	p = arena_alloc(&a, 8);
	assert_int_equal((uintptr_t)p % _Alignof(max_align_t), 0);
	assert_true(arena_dirty(&a, empty));
	mark = arena_mark(&a);
	q = arena_zalloc(&a, 100000);	/* a block of its own */
	assert_int_equal(q[0] | q[99999], 0);
	arena_alloc(&a, 900);
	arena_alloc(&a, 900);
	arena_reset(&a, mark);
	assert_false(arena_dirty(&a, mark));
	assert_int_equal(m.used, 1024);
	assert_ptr_equal(arena_alloc(&a, 0), p + 16);
	arena_alloc(&a, 2000);
	arena_reset(&a, empty);
	assert_false(arena_dirty(&a, empty));
	assert_int_equal(m.used, 1024);	/* kept for the next use */
	arena_alloc(&a, 10);
	assert_int_equal(m.used, 1024);
	assert_str(arena_dup(&a, S("abc")), "abc");
	assert_true(str_none(arena_dup(&a, STR_NIL)));
	arena_free(&a);
	assert_int_equal(m.used, 0);
}

static void
arena_refuses_absurd_sizes(void **state)
{
	struct arena a;
	struct mem m;
	jmp_buf fail;

	(void)state;
	mem_init(&m, MANY, &fail);
	arena_init(&a, &m, 1024);
	if (setjmp(fail) == 0) {
		arena_alloc(&a, SIZE_MAX - 4);
		fail_msg("allocated all memory");
	}
	assert_true(m.at_limit);
	arena_free(&a);
}

/* str and buf */

static void
str_verbs(void **state)
{
	(void)state;
	assert_true(str_cmp(S("ab"), S("abc")) < 0);
	assert_true(str_cmp(S("b"), S("abc")) > 0);
	assert_int_equal(str_cmp(S(""), S("")), 0);
	assert_true(str_cmp(S("\xff"), S("a")) > 0);
	assert_true(str_starts(S("#!x"), "#!"));
	assert_false(str_starts(S("#"), "#!"));
	assert_true(str_ends(S("a.pikt"), ".pikt"));
	assert_false(str_ends(STR_NIL, ""));
	assert_int_equal(str_find(S("abcb"), 'b', 2), 3);
	assert_int_equal(str_find(S("abc"), 'z', 0), 3);
	assert_int_equal(str_find(S("abc"), 'a', 9), 3);
	assert_str(str_trim(S(" \t\r\na b\n ")), "a b");
	assert_str(str_trim(S("  ")), "");
	assert_int_equal(str_distance(S("kitten"), S("sitting"), 5), 3);
	assert_int_equal(str_distance(S("kitten"), S("sitting"), 2), 3);
	assert_int_equal(str_distance(S("a"), S("a"), 0), 0);
	assert_int_equal(str_distance(S(""), S("abc"), 9), 3);
	assert_str(str_shown(STR_NIL), "<<NIL>>");
	assert_str(str_shown(STR_ERR), "<<ERR>>");
}

static void
buf_grows(void **state)
{
	struct mem m;
	struct buf b;
	int i;

	(void)state;
	mem_init(&m, MANY, NULL);
	buf_init(&b, &m);
	assert_str(buf_view(&b), "");
	assert_string_equal(buf_c(&b), "");
	for (i = 0; i < 1000; i++)
		buf_printf(&b, "%03d,", i);
	assert_int_equal(b.n, 4000);
	assert_memory_equal(b.p + 3996, "999,", 4);
	buf_clear(&b);
	buf_printf(&b, "%0200d", 7);
	assert_int_equal(b.n, 200);
	buf_clear(&b);
	buf_str(&b, STR_NIL);
	buf_puts(&b, " and ");
	buf_str(&b, STR_ERR);
	buf_putc(&b, '!');
	assert_string_equal(buf_c(&b), "<<NIL>> and <<ERR>>!");
	buf_free(&b);
	assert_int_equal(m.used, 0);
}

static void
buf_escapes(void **state)
{
	static const struct {
		struct str	 in;
		size_t		 max;
		const char	*out;
	} row[] = {
		{ STR_LIT("plain"), 0, "plain" },
		{ STR_LIT("a\nb\tc\rd"), 0, "a\\nb\\tc\\x0dd" },
		{ STR_LIT("\0\x1b[31m\x7f"), 0, "\\x00\\x1b[31m\\x7f" },
		{ STR_LIT("gr\xc3\xbc\xc3\x9f"), 0, "gr\xc3\xbc\xc3\x9f" },
		{ STR_LIT("\xe2\x82\xac \xf0\x9f\x98\x80"), 0,
		    "\xe2\x82\xac \xf0\x9f\x98\x80" },
		{ STR_LIT("\xff\xc3"), 0, "\\xff\\xc3" },
		{ STR_LIT("\xc0\x80"), 0, "\\xc0\\x80" },	/* overlong */
		{ STR_LIT("\xed\xa0\x80"), 0, "\\xed\\xa0\\x80" },
		{ STR_LIT("\xc2\x9b"), 0, "\\xc2\\x9b" },	/* C1 */
		{ STR_LIT("\xe2\x80\xae"), 0, "\\xe2\\x80\\xae" }, /* RTL */
		{ STR_LIT("abcdef"), 3, "abc..." },
		{ STR_LIT("ab\xc3\xbc"), 3, "ab..." },	/* not half of it */
		{ STR_LIT("abc"), 3, "abc" },
		{ { NULL, 0 }, 0, "<<NIL>>" },
	};
	struct mem m;
	struct buf b;
	size_t i;

	(void)state;
	mem_init(&m, MANY, NULL);
	buf_init(&b, &m);
	for (i = 0; i < sizeof row / sizeof *row; i++) {
		buf_clear(&b);
		buf_escaped(&b, row[i].in, row[i].max);
		assert_string_equal(buf_c(&b), row[i].out);
	}
	buf_free(&b);
}

/* map */

static void
map_keeps_order_and_finds(void **state)
{
	struct map_entry *e;
	struct arena a;
	struct mem m;
	struct map map;
	char key[16];
	bool is_new;
	size_t i, n;

	(void)state;
	mem_init(&m, MANY, NULL);
	arena_init(&a, &m, 4096);
	map_init(&map, &a);
	assert_null(map_get(&map, S("none")));
	for (i = 0; i < 5000; i++) {
		n = (size_t)snprintf(key, sizeof key, "key%zu", i);
		e = map_put(&map, str_of(key, n), &is_new);
		assert_true(is_new);
		assert_int_equal(e->v.num, 0);
		e->v.num = i;
	}
	for (i = 0; i < 5000; i++) {
		n = (size_t)snprintf(key, sizeof key, "key%zu", i);
		e = map_get(&map, str_of(key, n));
		assert_non_null(e);
		assert_int_equal(e->v.num, i);
		assert_ptr_equal(e, &map.entry[i]);
	}
	e = map_put(&map, S("key7"), &is_new);
	assert_false(is_new);
	assert_int_equal(e->v.num, 7);
	assert_null(map_get(&map, S("key")));
	map_put(&map, S(""), NULL)->v.num = 1;
	map_put(&map, S("\0x"), NULL)->v.num = 2;
	assert_int_equal(map_get(&map, S(""))->v.num, 1);
	assert_int_equal(map_get(&map, S("\0x"))->v.num, 2);
	arena_free(&a);
}

static void
map_names_the_nearest(void **state)
{
	struct arena a;
	struct mem m;
	struct map map;

	(void)state;
	mem_init(&m, MANY, NULL);
	arena_init(&a, &m, 4096);
	map_init(&map, &a);
	map_put(&map, S("logdir"), NULL);
	map_put(&map, S("prgdir"), NULL);
	map_put(&map, S("ps"), NULL);
	assert_str(map_nearest(&map, S("lgodir"))->key, "logdir");
	assert_str(map_nearest(&map, S("prgdirs"))->key, "prgdir");
	assert_null(map_nearest(&map, S("completely")));
	assert_null(map_nearest(&map, S("x")));
	assert_true(hash_bytes("abc", 3) == hash_bytes("abcd", 3));
	assert_true(hash_bytes("abc", 3) != hash_bytes("abd", 3));
	assert_true(hash_bytes("\0", 1) != hash_bytes("\0\0", 2));
	arena_free(&a);
}

/* source and diag */

struct world {
	struct mem	  m;
	struct arena	  a;
	struct source_set src;
	struct diag	  d;
	struct buf	  out;
};

static int
world_setup(void **state)
{
	static struct world w;

	mem_init(&w.m, MANY, NULL);
	arena_init(&w.a, &w.m, 4096);
	source_init(&w.src, &w.m, &w.a);
	diag_init(&w.d, &w.src, &w.a);
	buf_init(&w.out, &w.m);
	*state = &w;
	return 0;
}

static int
world_teardown(void **state)
{
	struct world *w = *state;

	buf_free(&w->out);
	source_free(&w->src);
	arena_free(&w->a);
	return w->m.used != 0;
}

static void
assert_place(struct place p, uint32_t file, uint32_t line, uint32_t col,
    uint32_t use)
{
	assert_int_equal(p.file, file);
	assert_int_equal(p.line, line);
	assert_int_equal(p.col, col);
	assert_int_equal(p.use, use);
}

static void
source_places(void **state)
{
	struct world *w = *state;
	struct source_set *s = &w->src;
	uint32_t f, g, use;

	f = source_add(s, S("a.pikt"), S("one\n=m two\r\nthree"));
	g = source_add(s, S("m.cfg"), S("m  body\n"));
	use = source_add_use(s, (struct source_use){ S("m"), f, 4, SOURCE_NONE,
	    g, 0 });
	source_emit(s, S("one\n"), f, 0, SOURCE_NONE);
	source_emit(s, S("body"), g, 3, use);
	source_emit(s, S(" two"), f, 6, SOURCE_NONE);
	source_emit(s, S("\r\nthree"), f, 10, SOURCE_NONE);
	source_emit(s, S(""), f, 0, SOURCE_NONE);
	assert_str(buf_view(&s->text), "one\nbody two\r\nthree");
	assert_int_equal(s->nseg, 3);	/* what follows is joined */
	assert_place(source_place(s, 0), f, 1, 1, SOURCE_NONE);
	assert_place(source_place(s, 3), f, 1, 4, SOURCE_NONE);
	assert_place(source_place(s, 4), g, 1, 4, use);
	assert_place(source_place(s, 7), g, 1, 7, use);
	assert_place(source_place(s, 8), f, 2, 3, SOURCE_NONE);
	assert_place(source_place(s, 14), f, 3, 1, SOURCE_NONE);
	assert_place(source_place(s, 19), f, 3, 6, SOURCE_NONE);
	assert_place(source_place_in(s, g, 9999), g, 2, 1, SOURCE_NONE);
	assert_str(source_line(s, source_place(s, 8)), "=m two");
	assert_str(source_line(s, source_place(s, 19)), "three");
	assert_true(source_column_one(s, 0));
	assert_false(source_column_one(s, 1));
	assert_false(source_column_one(s, 4));	/* made by a macro */
	assert_true(source_column_one(s, 14));
}

static void
source_of_nothing(void **state)
{
	struct world *w = *state;
	uint32_t f = source_add(&w->src, S("empty"), S(""));

	assert_place(source_place(&w->src, 0), f, 1, 1, SOURCE_NONE);
	assert_str(source_line(&w->src, source_place(&w->src, 0)), "");
	assert_false(source_column_one(&w->src, 0));
}

static void
diag_reads_well(void **state)
{
	struct world *w = *state;
	struct source_set *s = &w->src;
	struct diag_item *item;
	uint32_t f, g, use;

	f = source_add(s, S("a.pikt"), S("one\n\t=m tw\xc3\xb6 x\nthree\n"));
	g = source_add(s, S("m.cfg"), S("m  body\n"));
	use = source_add_use(s, (struct source_use){ S("m"), f, 5, SOURCE_NONE,
	    g, 0 });
	source_emit(s, S("one\n\t"), f, 0, SOURCE_NONE);
	source_emit(s, S("body"), g, 3, use);
	source_emit(s, S(" tw\xc3\xb6 x\nthree\n"), f, 7, SOURCE_NONE);
	/* Out of order; the trail is that of the second. */
	item = diag_at(&w->d, (struct span){ 10, 4 }, E_MACRO_DUP,
	    S("tw\x1b"), STR_NIL, STR_NIL);
	diag_other(&w->d, item, source_place(s, 0), "first here");
	diag_at(&w->d, (struct span){ 5, 4 }, E_MACRO_UNKNOWN, S("body"),
	    STR_NIL, STR_NIL);
	item = diag_at(&w->d, (struct span){ 0, 0 }, E_NUL, STR_NIL, STR_NIL,
	    STR_NIL);
	diag_hint(&w->d, item, S("own hint"));
	assert_int_equal(w->d.nerror, 3);
	assert_int_equal(w->d.nwarning, 0);
	diag_render(&w->d, &w->out, false);
	assert_string_equal(buf_c(&w->out),
	    "a.pikt:1:1: error: NUL byte in the source\n"
	    "one\n"
	    "^\n"
	    "hint: own hint\n"
	    "m.cfg:1:4: error: unknown macro =body\n"
	    "m  body\n"
	    "   ^~~~\n"
	    "hint: write \\= for a plain =\n"
	    "a.pikt:2:2: note: in macro =m, defined at m.cfg:1:1\n"
	    "a.pikt:2:5: error: macro tw\\x1b is defined twice\n"
	    "\t=m tw\xc3\xb6 x\n"
	    "\t   ^~~\n"
	    "a.pikt:1:1: note: first here\n");
	assert_string_equal(diag_name(E_NUL), "E_NUL");
}

static void
diag_cuts_long_lines(void **state)
{
	struct world *w = *state;
	struct source_set *s = &w->src;
	char line[401];
	struct str got, source, caret;
	size_t nl;

	memset(line, 'a', 400);
	line[200] = 'X';
	source_emit(s, str_of(line, 400), source_add(s, S("f"),
	    str_of(line, 400)), 0, SOURCE_NONE);
	diag_at(&w->d, (struct span){ 200, 1 }, E_NUL, STR_NIL, STR_NIL,
	    STR_NIL);
	diag_render(&w->d, &w->out, false);
	got = buf_view(&w->out);
	nl = str_find(got, '\n', 0);
	source = str_of(got.p + nl + 1, str_find(got, '\n', nl + 1) - nl - 1);
	nl += source.n + 1;
	caret = str_of(got.p + nl + 1, str_find(got, '\n', nl + 1) - nl - 1);
	assert_true(source.n < 180);
	assert_true(str_starts(source, "...") && str_ends(source, "..."));
	assert_int_equal(str_find(source, 'X', 0), str_find(caret, '^', 0));
}

static void
diag_shows_twenty_and_counts(void **state)
{
	static char many[5000];
	const struct str text = str_of(memset(many, 'x', sizeof many),
	    sizeof many);
	struct world *w = *state;
	size_t i, n = 0;

	source_emit(&w->src, text, source_add(&w->src, S("f"), text), 0,
	    SOURCE_NONE);
	/* the same again is told once */
	diag_at(&w->d, (struct span){ 0, 1 }, E_NUL, STR_NIL, STR_NIL, STR_NIL);
	for (i = 0; i < 5000; i++)
		diag_hint(&w->d, diag_at(&w->d, (struct span){ (uint32_t)i, 1 },
		    E_NUL, STR_NIL, STR_NIL, STR_NIL), STR_EMPTY);
	assert_int_equal(w->d.nerror, 5000);
	diag_render(&w->d, &w->out, false);
	for (i = 0; i < w->out.n; i++)
		n += w->out.p[i] == '^';
	assert_int_equal(n, LIM_DIAG_SHOWN);
	assert_true(str_ends(buf_view(&w->out), "and 4980 more errors\n"));
}

static void
diag_without_places(void **state)
{
	struct world *w = *state;
	struct diag d;

	diag_init(&d, NULL, &w->a);
	diag_at(&d, (struct span){ 0, 0 }, E_READ, S("x.pikt"),
	    S("no such file"), STR_NIL);
	diag_render(&d, &w->out, false);
	diag_render(&d, &w->out, true);
	assert_string_equal(buf_c(&w->out),
	    "error: cannot read x.pikt: no such file\n"
	    "\033[1;31merror:\033[0m cannot read x.pikt: no such file\n");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mem_counts_and_refuses),
		cmocka_unit_test(arena_aligns_resets_and_frees),
		cmocka_unit_test(arena_refuses_absurd_sizes),
		cmocka_unit_test(str_verbs),
		cmocka_unit_test(buf_grows),
		cmocka_unit_test(buf_escapes),
		cmocka_unit_test(map_keeps_order_and_finds),
		cmocka_unit_test(map_names_the_nearest),
#define WORLD_TEST(f) \
	cmocka_unit_test_setup_teardown(f, world_setup, world_teardown)
		WORLD_TEST(source_places),
		WORLD_TEST(source_of_nothing),
		WORLD_TEST(diag_reads_well),
		WORLD_TEST(diag_cuts_long_lines),
		WORLD_TEST(diag_shows_twenty_and_counts),
		WORLD_TEST(diag_without_places),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("base", tests, NULL, NULL);
}
