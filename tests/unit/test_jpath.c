/* test_jpath: paths into JSON documents. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "lang/base/jpath.h"

/* The steps, as name= or #index=, joined. */
static const char *
steps(const char *path)
{
	static char t[300];
	struct jpath_step s;
	size_t at = 0, n = 0;

	t[0] = '\0';
	while (jpath_next(str_c(path), &at, &s))
		n += (size_t)(str_none(s.name) ?
		    snprintf(t + n, sizeof t - n, "#%zu=", s.index) :
		    snprintf(t + n, sizeof t - n, "%.*s=", (int)s.name.n,
		    s.name.p));
	return t;
}

static void
test_steps(void **state)
{
	(void)state;
	assert_string_equal(steps("a"), "a=");
	assert_string_equal(steps("a.b[0].c"), "a=b=#0=c=");
	assert_string_equal(steps("[12][3]"), "#12=#3=");
	assert_string_equal(steps("[\"a.b\"].c"), "a.b=c=");
	assert_string_equal(steps("a[\"\"]"), "a==");
	assert_string_equal(steps("a b-c"), "a b-c=");
	assert_string_equal(steps("\xc3\xa4"), "\xc3\xa4=");
}

static void
test_bad(void **state)
{
	static const struct { const char *path; size_t at; } bad[] = {
		{ "", 0 }, { ".", 0 }, { ".a", 0 }, { "a.", 1 },
		{ "a..b", 1 }, { "a[", 1 }, { "a[]", 1 }, { "a[x]", 1 },
		{ "a[-1]", 1 }, { "a[1", 1 }, { "a]", 1 }, { "a[0]b", 4 },
		{ "a[\"b]", 1 }, { "a[\"b\"", 1 }, { "a\"b\"", 1 },
		{ "a[1000000001]", 1 }, { "a[99999999999999999999]", 1 },
	};
	size_t i, at;

	(void)state;
	for (i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		assert_false(jpath_check(str_c(bad[i].path), &at));
		assert_int_equal(at, bad[i].at);
	}
	assert_true(jpath_check(STR_LIT("a[1000000000]"), &at));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_steps),
		cmocka_unit_test(test_bad),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
