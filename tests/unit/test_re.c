/* re: dialect, literals, limits, required text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <cmocka.h>

#include "lang/base/find.h"
#include "lang/base/re.h"

#define S(s)	STR_LIT(s)

#define assert_str(got, want) assert_str_(got, want, __LINE__)
static void
assert_str_(struct str got, const char *want, int line)
{
	if (!str_eq(got, str_c(want)))
		fail_msg("line %d: \"%.*s\", not \"%s\"", line, (int)got.n,
		    got.p, want);
}

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

/* Against memmem, in blocks of exact size, so that no byte beyond is read. */
static void
find_agrees(void **state)
{
	static const char few[] = "ab ";
	struct find f;
	unsigned r = 12345;
	size_t n, k, i, t;
	char *text, *hay;
	const char *got, *want;

	(void)state;
	for (t = 0; t < 40000; t++) {
		n = t % 70;
		k = (t / 70) % 9;
		hay = malloc(n == 0 ? 1 : n);
		text = malloc(k == 0 ? 1 : k);
		assert_true(hay != NULL && text != NULL);
		for (i = 0; i < n; i++)
			hay[i] = few[(r = r * 1103515245 + 12345) >> 16 &
			    (t & 1 ? 1 : 2)];
		for (i = 0; i < k; i++)
			text[i] = few[(r = r * 1103515245 + 12345) >> 16 &
			    (t & 1 ? 1 : 2)];
		find_prepare(&f, str_of(text, k));
		got = find_in(&f, str_of(hay, n), str_of(text, k));
		want = memmem(hay, n, text, k);
		if (got != want)
			fail_msg("%.*s in %.*s", (int)k, text, (int)n, hay);
		free(hay);
		free(text);
	}
}

/* What a line holds is never said to be lacking, whatever the case. */
static void
digest_errs_on_one_side(void **state)
{
	static const char few[] = "abcdABCD .:";
	static struct find_digest d;
	struct find_text t;
	unsigned r = 99, lacks = 0;
	char line[60], text[4], *p;
	size_t i, n, k;

	(void)state;
	for (n = 0; n < 3000; n++) {	/* the digest's mark goes round */
		for (i = 0; i < sizeof line; i++)
			line[i] = few[(r = r * 1103515245 + 12345) >> 16 & 7];
		find_digest(&d, str_of(line, n % sizeof line));
		for (k = 0; k < sizeof text; k++)
			text[k] = few[(r = r * 1103515245 + 12345) >> 16 & 7];
		k = n % 5;
		find_digest_text(&t, str_of(text, k));
		if (!find_lacks(&d, &t))
			continue;
		lacks++;
		for (p = line; p + k <= line + n % sizeof line; p++)
			assert_true(strncasecmp(p, text, k) != 0);
	}
	assert_true(lacks > 500);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define RE_TEST(f) cmocka_unit_test_setup_teardown(f, re_setup, re_teardown)
		cmocka_unit_test(find_agrees),
		cmocka_unit_test(digest_errs_on_one_side),
		RE_TEST(re_dialect),
		RE_TEST(re_groups_and_unset),
		RE_TEST(re_points_at_mistakes),
		RE_TEST(re_limits_hold),
		RE_TEST(re_knows_what_is_required),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("re", tests, NULL, NULL);
}
