/* The base floor: numbers, texts, maps, arenas, regexes, places, messages. */
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
#include "lang/base/num.h"
#include "lang/base/re.h"
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

/* num */

static void
assert_text(double d, const char *want)
{
	char t[NUM_TEXT_MAX + 1];
	size_t n = num_text(d, t);

	assert_true(n <= NUM_TEXT_MAX);
	t[n] = '\0';
	assert_string_equal(t, want);
}

static void
num_shows(void **state)
{
	(void)state;
	assert_text(0, "0");
	assert_text(-0.0, "0");
	assert_text(-17, "-17");
	assert_text(NUM_EXACT, "9007199254740992");
	assert_text(-NUM_EXACT, "-9007199254740992");
	assert_text(9007199254740994.0, "9007199254740994");
	assert_text(1e16, "1e+16");
	assert_text(0.1, "0.1");
	assert_text(-0.25, "-0.25");
	assert_text(0.52, "0.52");
	assert_text(1.05, "1.05");
	assert_text(99.999999, "99.999999");
	assert_text(0.1 + 0.2, "0.30000000000000004");
	assert_text(1.0 / 3, "0.3333333333333333");
	assert_text(1e-5, "1e-05");
	assert_text(0.0001, "0.0001");
	assert_text(DBL_MAX, "1.7976931348623157e+308");
	assert_text(4.9406564584124654e-324, "4.94065645841247e-324");
	assert_text(NUM_NIL, "<<NIL>>");
	assert_text(NUM_ERR, "<<ERR>>");
}

static void
num_round_trips(void **state)
{
	static const double scale[] = { 1, 10, 100, 1e3, 1e4, 1e5, 1e7 };
	uint64_t r = UINT64_C(88172645463325252);
	char t[NUM_TEXT_MAX], want[40];
	double d, back;
	size_t n;
	int i, digits;

	(void)state;
	for (i = 0; i < 200000; i++) {
		r ^= r << 13;
		r ^= r >> 7;
		r ^= r << 17;
		d = num_of_bits(r);
		if (i % 2 == 0)
			d = (double)(r % 1000000000) / scale[i / 2 % 7];
		if (!num_fine(d))
			continue;
		n = num_text(d, t);
		back = num_parse(str_of(t, n), false);
		if (back != d)
			fail_msg("%.17g reads back as %.17g", d, back);
		if (num_is_int(d))
			continue;
		for (digits = 15; digits <= 17; digits++) {
			snprintf(want, sizeof want, "%.*g", digits, d);
			if (strtod(want, NULL) == d)
				break;
		}
		assert_str(str_of(t, n), want);
	}
}

static void
num_reads(void **state)
{
	static const struct {
		const char	*text;
		bool		 percent;
		double		 value;		/* -1e300: none */
	} row[] = {
		{ "0", false, 0 }, { "42", false, 42 }, { " +7\t", false, 7 },
		{ "-3.25", false, -3.25 }, { ".5", false, .5 },
		{ "5.", false, 5 }, { "1e3", false, 1000 },
		{ "1E-2", false, 0.01 }, { "007", false, 7 },
		{ "123456789012345", false, 123456789012345 },
		{ "9007199254740993", false, 9007199254740992.0 },
		{ "0.30000000000000004", false, 0.30000000000000004 },
		{ "1.7976931348623157e308", false, DBL_MAX },
		{ "2.2250738585072011e-308", false, 2.2250738585072011e-308 },
		{ "1e-400", false, 0 },
		{ "00000000000000000000000001", false, 1 },
		{ "0.00000000000000000000000000001", false, 1e-29 },
		{ "52%", true, 0.52 }, { "7%", true, 0.07 },
		{ "100%", true, 1 }, { "52", true, 52 },
		{ "", false, -1e300 }, { " ", false, -1e300 },
		{ ".", false, -1e300 }, { "-", false, -1e300 },
		{ "+-1", false, -1e300 }, { "1x", false, -1e300 },
		{ "0x10", false, -1e300 }, { "inf", false, -1e300 },
		{ "nan", false, -1e300 }, { "1e", false, -1e300 },
		{ "1 2", false, -1e300 }, { "1,5", false, -1e300 },
		{ "52%", false, -1e300 }, { "%", true, -1e300 },
		{ "5 %", true, -1e300 }, { "1e999", false, -1e300 },
		{ "1e99999999999999999999", false, -1e300 },
	};
	char big[2000];
	size_t i;
	double d;

	(void)state;
	for (i = 0; i < sizeof row / sizeof *row; i++) {
		d = num_parse(str_c(row[i].text), row[i].percent);
		if (row[i].value == -1e300 ? !num_is_nil(d) :
		    d != row[i].value)
			fail_msg("\"%s\": %.17g", row[i].text, d);
	}
	assert_true(num_is_nil(num_parse(STR_NIL, false)));
	assert_true(num_is_nil(num_parse(S("1\0"), false)));
	/* A half-way case decided by a digit far behind. */
	snprintf(big, sizeof big, "9007199254740993.%01500d1", 0);
	assert_true(num_parse(str_c(big), false) == 9007199254740994.0);
	big[strlen(big) - 1] = '0';
	assert_true(num_parse(str_c(big), false) == 9007199254740992.0);
	/* A view ends where it says. */
	assert_true(num_parse(str_of("123456", 3), false) == 123);
}

static void
num_reads_sizes_and_durations(void **state)
{
	static const struct { const char *text; double v; } size[] = {
		{ "0", 0 }, { "512", 512 }, { "12K", 12288 }, { "12k", 12288 },
		{ "4.5M", 4718592 }, { "1G", 1073741824 }, { "2GiB", 2147483648 },
		{ "2 GB", 2147483648 }, { "1Ki", 1024 }, { "3T", 3298534883328 },
		{ "10B", 10 }, { " 1P ", 1125899906842624 },
		{ "", -1 }, { "K", -1 }, { "1X", -1 }, { "1KK", -1 },
		{ "1iB", -1 }, { "1e3", -1 }, { "1K2", -1 },
	};
	static const struct { const char *text; double v; } duration[] = {
		{ "0", 0 }, { "90", 90 }, { "90s", 90 }, { "5m", 300 },
		{ "2h", 7200 }, { "1d", 86400 }, { "1w", 604800 },
		{ "2h30m", 9000 }, { "1d 2h", 93600 }, { "1.5h", 5400 },
		{ "01:02:03", 3723 }, { "02:03", 123 }, { "1:02.5", 62.5 },
		{ "1-02:03:04", 93784 }, { "100:00", 6000 },
		{ "", -1 }, { "h", -1 }, { "30m2h", -1 }, { "2h2h", -1 },
		{ "1:60", -1 }, { "1:2:3:4", -1 }, { ":1", -1 }, { "1:", -1 },
		{ "5x", -1 }, { "5m3", -1 }, { "-01:02", -1 }, { "1-2", -1 },
		{ "1.5:00", -1 },
	};
	size_t i;
	double d;

	(void)state;
	for (i = 0; i < sizeof size / sizeof *size; i++) {
		d = num_parse_size(str_c(size[i].text));
		if (size[i].v < 0 ? !num_is_nil(d) : d != size[i].v)
			fail_msg("size \"%s\": %.17g", size[i].text, d);
	}
	for (i = 0; i < sizeof duration / sizeof *duration; i++) {
		d = num_parse_duration(str_c(duration[i].text));
		if (duration[i].v < 0 ? !num_is_nil(d) : d != duration[i].v)
			fail_msg("duration \"%s\": %.17g", duration[i].text, d);
	}
}

static void
num_operates(void **state)
{
	static const struct {
		enum num_op	 op;
		double		 a, b, want;
		enum num_fault	 fault;
	} row[] = {
		{ NUM_ADD, 1, 2, 3, NUM_FINE },
		{ NUM_SUB, 1, 2, -1, NUM_FINE },
		{ NUM_MUL, 3, .5, 1.5, NUM_FINE },
		{ NUM_DIV, 1, 4, .25, NUM_FINE },
		{ NUM_MOD, -7, 3, -1, NUM_FINE },
		{ NUM_MOD, 7.5, -2, 1.5, NUM_FINE },
		{ NUM_POW, 2, 10, 1024, NUM_FINE },
		{ NUM_POW, 0, 0, 1, NUM_FINE },
		{ NUM_BAND, 12, 10, 8, NUM_FINE },
		{ NUM_BOR, 12, 10, 14, NUM_FINE },
		{ NUM_BXOR, 12, 10, 6, NUM_FINE },
		{ NUM_BAND, -1, 255, 255, NUM_FINE },
		{ NUM_SHL, 1, 52, 4503599627370496, NUM_FINE },
		{ NUM_SHR, 1024, 3, 128, NUM_FINE },
		{ NUM_SHR, -5, 1, -3, NUM_FINE },
		{ NUM_NEG, 5, 0, -5, NUM_FINE },
		{ NUM_BNOT, 5, 0, -6, NUM_FINE },
		{ NUM_NOT, 5, 0, 0, NUM_FINE },
		{ NUM_NOT, 0, 0, 1, NUM_FINE },
	};
	static const struct {
		enum num_op	 op;
		double		 a, b;
		bool		 nil;
		enum num_fault	 fault;
	} bad[] = {
		{ NUM_DIV, 1, 0, true, NUM_DIV_ZERO },
		{ NUM_MOD, 1, 0, true, NUM_DIV_ZERO },
		{ NUM_POW, 0, -1, true, NUM_DIV_ZERO },
		{ NUM_POW, -8, .5, false, NUM_DOMAIN },
		{ NUM_POW, 10, 400, false, NUM_OVERFLOW },
		{ NUM_MUL, 1e200, 1e200, false, NUM_OVERFLOW },
		{ NUM_ADD, DBL_MAX, DBL_MAX, false, NUM_OVERFLOW },
		{ NUM_BAND, 1.5, 1, false, NUM_NOT_INT },
		{ NUM_BOR, 1, 1e17, false, NUM_NOT_INT },
		{ NUM_SHL, 1, 53, false, NUM_BAD_SHIFT },
		{ NUM_SHR, 1, -1, false, NUM_BAD_SHIFT },
		{ NUM_SHL, 4, 52, false, NUM_OVERFLOW },
		{ NUM_BOR, NUM_EXACT, 1, false, NUM_OVERFLOW },
		{ NUM_BNOT, NUM_EXACT, 0, false, NUM_OVERFLOW },
	};
	enum num_fault f;
	size_t i;
	int op;
	double d;

	(void)state;
	for (i = 0; i < sizeof row / sizeof *row; i++) {
		d = num_op(row[i].op, row[i].a, row[i].b, &f);
		if (d != row[i].want || f != row[i].fault)
			fail_msg("row %zu: %g, fault %d", i, d, (int)f);
	}
	for (i = 0; i < sizeof bad / sizeof *bad; i++) {
		d = num_op(bad[i].op, bad[i].a, bad[i].b, &f);
		if ((bad[i].nil ? !num_is_nil(d) : !num_is_err(d)) ||
		    f != bad[i].fault)
			fail_msg("bad row %zu: %g, fault %d", i, d, (int)f);
		assert_non_null(num_fault_text(f));
	}
	for (op = NUM_ADD; op <= NUM_BNOT; op++) {
		d = num_op((enum num_op)op, NUM_NIL, 1, &f);
		assert_true(num_is_nil(d) && f == NUM_FINE);
		d = num_op((enum num_op)op, NUM_ERR, NUM_NIL, &f);
		assert_true(num_is_err(d) && f == NUM_FINE);
		if (op == NUM_NEG || op == NUM_BNOT)
			continue;	/* b does not count */
		d = num_op((enum num_op)op, 1, NUM_NIL, &f);
		assert_true(num_is_nil(d) && f == NUM_FINE);
		d = num_op((enum num_op)op, NUM_NIL, NUM_ERR, &f);
		assert_true(num_is_err(d) && f == NUM_FINE);
	}
	assert_true(num_op(NUM_NEG, 1, NUM_ERR, &f) == -1);
	assert_true(num_op(NUM_NOT, NUM_NIL, 0, &f) == 1);
	assert_true(num_op(NUM_NOT, NUM_ERR, 0, &f) == 1);
	assert_false(num_true(NUM_NIL) || num_true(NUM_ERR) || num_true(0));
	assert_true(num_true(-1));
}

/* re */

static struct re_ctx *ctx;

static int
re_setup(void **state)
{
	(void)state;
	ctx = re_ctx_new();
	return ctx == NULL;
}

static int
re_teardown(void **state)
{
	(void)state;
	re_ctx_free(ctx);
	return 0;
}

static struct re *
compiled(struct str pattern, bool icase)
{
	struct re_error err;
	struct re *re = re_compile(ctx, pattern, icase, &err);

	if (re == NULL)
		fail_msg("%.*s: %s at %zu", (int)pattern.n, pattern.p,
		    err.text, err.at);
	return re;
}

static void
re_dialect(void **state)
{
	static const struct {
		struct str	pattern;
		bool		icase;
		struct str	subject;
		size_t		from, start, end;	/* start SIZE_MAX: none */
	} row[] = {
		{ STR_LIT("b+"), false, STR_LIT("abbc"), 0, 1, 3 },
		{ STR_LIT("B+"), true, STR_LIT("abbc"), 0, 1, 3 },
		{ STR_LIT("B"), false, STR_LIT("abbc"), 0, SIZE_MAX, 0 },
		{ STR_LIT("b"), false, STR_LIT("abbc"), 2, 2, 3 },
		{ STR_LIT(""), false, STR_LIT("abc"), 0, 0, 0 },
		{ STR_LIT(""), false, STR_LIT(""), 0, 0, 0 },
		{ STR_LIT("x"), false, STR_LIT(""), 0, SIZE_MAX, 0 },
		/* $ only at the very end */
		{ STR_LIT("b.?$"), false, STR_LIT("ab\n"), 0, SIZE_MAX, 0 },
		{ STR_LIT("b$"), false, STR_LIT("ab\n"), 0, SIZE_MAX, 0 },
		{ STR_LIT("b$"), false, STR_LIT("bab"), 0, 2, 3 },
		{ STR_LIT("^$"), false, STR_LIT(""), 0, 0, 0 },
		{ STR_LIT("^$"), false, STR_LIT("x"), 0, SIZE_MAX, 0 },
		{ STR_LIT("$"), false, STR_LIT("ab"), 0, 2, 2 },
		{ STR_LIT("^ab"), false, STR_LIT("abc"), 0, 0, 2 },
		{ STR_LIT("^ab"), false, STR_LIT("abab"), 2, SIZE_MAX, 0 },
		{ STR_LIT("^ab$"), false, STR_LIT("ab"), 0, 0, 2 },
		{ STR_LIT("^ab$"), false, STR_LIT("abab"), 0, SIZE_MAX, 0 },
		{ STR_LIT("^[a]b$"), false, STR_LIT("abab"), 0, SIZE_MAX, 0 },
		/* word boundaries */
		{ STR_LIT("\\<foo\\>"), false, STR_LIT("xfoo foo"), 0, 5, 8 },
		{ STR_LIT("\\<foo\\>"), false, STR_LIT("foox"), 0, SIZE_MAX, 0 },
		{ STR_LIT("[\\<]x"), false, STR_LIT("<x"), 0, 0, 2 },
		{ STR_LIT("[]\\<]x"), false, STR_LIT("]x"), 0, 0, 2 },
		{ STR_LIT("\\Q\\<\\Ex"), false, STR_LIT("\\<x"), 0, 0, 3 },
		{ STR_LIT("[[:alpha:]\\<]+"), false, STR_LIT("1ab<2"), 0, 1, 4 },
		/* escapes make plain text */
		{ STR_LIT("a\\.b"), false, STR_LIT("axba.b"), 0, 3, 6 },
		{ STR_LIT("\\/\\-\\$"), false, STR_LIT("/-$"), 0, 0, 3 },
		{ STR_LIT("\\d+"), false, STR_LIT("ab12"), 0, 2, 4 },
		/* bytes, unless UTF is asked for */
		{ STR_LIT("^.$"), false, STR_LIT("\xc3\xbc"), 0, SIZE_MAX, 0 },
		{ STR_LIT("(*UTF)^.$"), false, STR_LIT("\xc3\xbc"), 0, 0, 2 },
		{ STR_LIT("(*UTF)x"), false, STR_LIT("\xff x"), 0, SIZE_MAX, 0 },
		{ STR_LIT("a\0b"), false, STR_LIT("xa\0b"), 0, 1, 4 },
		/* leftmost, first alternative */
		{ STR_LIT("a|ab"), false, STR_LIT("xab"), 0, 1, 2 },
	};
	size_t ov[2 * (LIM_RE_GROUPS + 1)], i;
	enum re_result r;
	struct re *re;
	int hot;

	(void)state;
	for (i = 0; i < sizeof row / sizeof *row; i++) {
		re = compiled(row[i].pattern, row[i].icase);
		/* The same when it has become hot. */
		for (hot = 0; hot < RE_JIT_AFTER + 3; hot++) {
			r = re_match(re, row[i].subject, row[i].from, ov);
			if ((r == RE_YES) != (row[i].start != SIZE_MAX) ||
			    (r == RE_YES && (ov[0] != row[i].start ||
			    ov[1] != row[i].end)))
				fail_msg("row %zu: result %d", i, (int)r);
		}
		assert_int_equal(re_match(re, row[i].subject, row[i].from,
		    NULL), r);
		assert_int_equal(re_match(re, STR_NIL, 0, ov), RE_NO);
		re_free(re);
	}
}

static void
re_groups_and_unset(void **state)
{
	size_t ov[8];
	struct re *re = compiled(S("(a)|(b)(x)?"), false);

	(void)state;
	assert_int_equal(re_groups(re), 3);
	assert_int_equal(re_match(re, S("-b"), 0, ov), RE_YES);
	assert_int_equal(ov[0], 1);
	assert_int_equal(ov[2], SIZE_MAX);
	assert_int_equal(ov[4], 1);
	assert_int_equal(ov[5], 2);
	assert_int_equal(ov[6], SIZE_MAX);
	re_free(re);
}

static void
re_points_at_mistakes(void **state)
{
	static const struct { const char *pattern; size_t at; } row[] = {
		{ "a(b", 3 }, { "a)", 1 }, { "[a", 2 }, { "*a", 0 },
		{ "\\<a(b", 5 }, { "\\<\\>*+)", 6 }, { "a\\", 2 },
	};
	char many[2 * (LIM_RE_GROUPS + 1) + 1];
	struct re_error err;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof row / sizeof *row; i++) {
		err.text[0] = '\0';
		assert_null(re_compile(ctx, str_c(row[i].pattern), false,
		    &err));
		if (err.at != row[i].at)
			fail_msg("%s: %s at %zu", row[i].pattern, err.text,
			    err.at);
		assert_true(err.text[0] != '\0');
	}
	assert_null(re_compile(ctx, S("a\\Cb"), false, &err));
	for (i = 0; i <= LIM_RE_GROUPS; i++)
		memcpy(many + 2 * i, "()", 2);
	assert_null(re_compile(ctx, str_of(many, 2 * i), false, &err));
	assert_string_equal(err.text, "more than 99 groups");
	re_free(compiled(str_of(many, 2 * LIM_RE_GROUPS), false));
}

static void
re_limits_hold(void **state)
{
	struct re *re = compiled(S("^(a+)+$"), false);
	size_t n = 100000;
	char *deep;
	int i;

	(void)state;
	/* Both before and after it is machine code. */
	for (i = 0; i < RE_JIT_AFTER; i++)
		re_match(re, S("b"), 0, NULL);
	assert_int_equal(re_match(re, S("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab"),
	    0, NULL), RE_LIMIT);
	assert_int_equal(re_match(re, S("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab"),
	    0, NULL), RE_LIMIT);
	re_free(re);
	deep = malloc(n);
	assert_non_null(deep);
	memset(deep, 'a', n);
	re = compiled(S("^(?:a|ab)*$"), false);
	for (i = 0; i < RE_JIT_AFTER + 3; i++)
		assert_int_not_equal(re_match(re, str_of(deep, n), 0, NULL),
		    RE_NO);
	re_free(re);
	free(deep);
}

static void
re_knows_what_is_required(void **state)
{
	static const struct { const char *pattern, *want; } row[] = {
		{ "hello", "hello" }, { "^hello$", "hello" },
		{ "a\\.b", "a.b" }, { "error: .*disk", "error: " },
		{ "[0-9]+ failed", " failed" }, { "ab?cde", "cde" },
		{ "ab*cd", "cd" }, { "ab+cd", "ab" }, { "abc{2}de", "ab" },
		{ "a{12}bcd", "bcd" }, { "(foo|bar)quux", "quux" },
		{ "a(?=b)longer", "longer" }, { "\\<word\\>", "word" },
		{ "[]]abc", "abc" }, { "[[:alpha:]]xyz", "xyz" },
		/* in doubt nothing */
		{ "foo|bar", "" }, { "(?i)foo", "" }, { "(?i:foo)bar", "" },
		{ "(a(*ACCEPT)b)cde", "" }, { "\\Qa\\Eb*", "" },
		{ "\\x41bcd", "" }, { "\\012", "" }, { "a{b", "" },
		{ "(?x) a b", "" }, { "(?#c|d)abc", "" },
		{ "(x)(?(1)a|b)cde", "" }, { "(*UTF)abc", "" },
	};
	struct re *re;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof row / sizeof *row; i++) {
		re = compiled(str_c(row[i].pattern), false);
		assert_str(re_required(re), row[i].want);
		re_free(re);
	}
	re = compiled(S("abc"), true);
	assert_str(re_required(re), "");
	re_free(re);
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
	diag_other(&w->d, item, source_place(s, 0));
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
	struct world *w = *state;
	size_t i, n = 0;

	source_emit(&w->src, S("x"), source_add(&w->src, S("f"), S("x")), 0,
	    SOURCE_NONE);
	for (i = 0; i < 5000; i++)
		diag_hint(&w->d, diag_at(&w->d, (struct span){ 0, 1 }, E_NUL,
		    STR_NIL, STR_NIL, STR_NIL), STR_EMPTY);
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
		cmocka_unit_test(num_shows),
		cmocka_unit_test(num_round_trips),
		cmocka_unit_test(num_reads),
		cmocka_unit_test(num_reads_sizes_and_durations),
		cmocka_unit_test(num_operates),
#define RE_TEST(f) cmocka_unit_test_setup_teardown(f, re_setup, re_teardown)
		RE_TEST(re_dialect),
		RE_TEST(re_groups_and_unset),
		RE_TEST(re_points_at_mistakes),
		RE_TEST(re_limits_hold),
		RE_TEST(re_knows_what_is_required),
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
