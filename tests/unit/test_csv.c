/* test_csv: fields of records, and records of lines. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "lang/base/csv.h"

/* The fields with | between them; <> marks quoted, * open ones. */
static const char *
fields(const char *line)
{
	static char t[300];
	char to[200];
	struct csv_field f;
	size_t at = 0, n = 0, k;

	t[0] = '\0';
	while (csv_next(str_c(line), ',', &at, &f)) {
		if (f.quoted) {
			k = csv_text(&f, to);
			assert_true(k <= f.raw.n);
			n += (size_t)snprintf(t + n, sizeof t - n, "<%.*s>%s|",
			    (int)k, to, f.open ? "*" : "");
		} else
			n += (size_t)snprintf(t + n, sizeof t - n, "%.*s|",
			    (int)f.raw.n, f.raw.p);
	}
	assert_int_equal(at, strlen(line) + 1);
	return t;
}

static void
test_fields(void **state)
{
	(void)state;
	assert_string_equal(fields(""), "|");
	assert_string_equal(fields("a"), "a|");
	assert_string_equal(fields("a,,b,"), "a||b||");
	assert_string_equal(fields("\"\""), "<>|");
	assert_string_equal(fields("\"a,b\",c"), "<a,b>|c|");
	assert_string_equal(fields("\"a\"\"b\"\"\""), "<a\"b\">|");
	assert_string_equal(fields("\"\"\"\"\"x\""), "<\"\"x>|");
	assert_string_equal(fields("5\" disk,6"), "5\" disk|6|");
	assert_string_equal(fields("\"a\"b,c"), "<ab>|c|");
	assert_string_equal(fields("\"a\"b\"c,d"), "<ab\"c>|d|");
	assert_string_equal(fields("x,\"a,b"), "x|<a,b>*|");
	assert_string_equal(fields("\""), "<>*|");
	assert_string_equal(fields("\"a\"\""), "<a\">*|");
}

static void
test_scan(void **state)
{
	static const struct { const char *line[3]; bool on[3]; } t[] = {
		{ { "a,b" }, { false } },
		{ { "" }, { false } },
		{ { "a,\"b", "c\",d" }, { true, false } },
		{ { "\"a", "", "b\"" }, { true, true, false } },
		{ { "\"a\"\"", "\"\"", "\"" }, { true, true, false } },
		{ { "a\"b,c" }, { false } },
		{ { "\"a\"b\",\"c", "\"" }, { true, false } },
		{ { "a,\"", "\",\"", "\"" }, { true, true, false } },
	};
	struct csv_scan c;
	size_t i, k;

	(void)state;
	for (i = 0; i < sizeof t / sizeof t[0]; i++) {
		memset(&c, 0, sizeof c);
		for (k = 0; k < 3 && t[i].line[k] != NULL; k++)
			assert_int_equal(csv_goes_on(&c, str_c(t[i].line[k]),
			    ','), t[i].on[k]);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_scan),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
