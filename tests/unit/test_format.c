/* format: what is a format, what it wants, and what comes of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "lang/base/format.h"
#include "lang/base/num.h"

static void
test_kinds(void **state)
{
	char kinds[4];
	const char *why;
	size_t n;

	(void)state;
	assert_true(format_check(STR_EMPTY, kinds, 4, &n, &why));
	assert_int_equal(n, 0);
	assert_true(format_check(STR_LIT("100%% of %s in %-8.3f %d"), kinds,
	    4, &n, &why));
	assert_int_equal(n, 3);
	assert_memory_equal(kinds, "snn", 3);
	assert_true(format_check(STR_LIT("%c%c%c%c"), kinds, 4, &n, &why));
	assert_false(format_check(STR_LIT("%c%c%c%c%c"), kinds, 4, &n, &why));
}

static void
test_bad(void **state)
{
	static const char *const bad[] = { "%", "50%!", "%n", "%*d",
	    "%1$s", "%ld", "%5", "%5.", "%-", "%1001d", "%.1001f",
	    "%99999999999999999999d", "a%%b%", "%%%", "%a", "%p" };
	char kinds[4];
	const char *why;
	size_t n, i;

	(void)state;
	for (i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		why = NULL;
		if (format_check(str_c(bad[i]), kinds, 4, &n, &why))
			fail_msg("%s passed", bad[i]);
		assert_non_null(why);
	}
	assert_false(format_check(str_of("%\0", 2), kinds, 4, &n, &why));
}

static void
test_values(void **state)
{
	static const struct {
		const char	*fmt;
		double		 d;
		const char	*want;
	} t[] = {
		{ "[%d]", 3.9, "[3]" },
		{ "[%d]", -3.9, "[-3]" },
		{ "[%5d]", 42, "[   42]" },
		{ "[%-5d]", 42, "[42   ]" },
		{ "[%05d]", -42, "[-0042]" },
		{ "[%+i]", 42, "[+42]" },
		{ "[%.3d]", 7, "[007]" },
		{ "[%d]", 1e18, "[1000000000000000000]" },
		{ "[%d]", 1e20, "[100000000000000000000]" },
		{ "[%x]", 255, "[ff]" },
		{ "[%#X]", 255, "[0XFF]" },
		{ "[%o]", 420, "[644]" },
		{ "[%x]", -1, "[ffffffffffffffff]" },
		{ "[%u]", 7, "[7]" },
		{ "[%5.1f]", 3.14159, "[  3.1]" },
		{ "[%f]", 0.5, "[0.500000]" },
		{ "[%.0f]", 2.5, "[2]" },
		{ "[%e]", 12345, "[1.234500e+04]" },
		{ "[%g]", 0.0001, "[0.0001]" },
		{ "[%c]", 65, "[A]" },
		{ "[%3c]", 65, "[  A]" },
		{ "[%--++5d]", 42, "[+42  ]" },
	};
	char big[] = "%1000.1000f";
	struct format_part part;
	struct mem mem;
	struct str fmt;
	const char *why;
	struct buf b;
	size_t i;

	(void)state;
	mem_init(&mem, 1 << 20, NULL);
	buf_init(&b, &mem);
	for (i = 0; i < sizeof t / sizeof t[0]; i++) {
		buf_clear(&b);
		for (fmt = str_c(t[i].fmt); fmt.n > 0; ) {
			assert_true(format_next(&fmt, &part, &why));
			if (part.conv == '\0')
				buf_str(&b, part.text);
			else
				format_number(&b, &part, t[i].d);
		}
		assert_string_equal(buf_c(&b), t[i].want);
	}
	buf_clear(&b);
	fmt = STR_LIT("%9.1f");
	assert_true(format_next(&fmt, &part, &why));
	format_number(&b, &part, NUM_NIL);
	assert_string_equal(buf_c(&b), "  <<NIL>>");
	buf_clear(&b);
	fmt = str_c(big);
	assert_true(format_next(&fmt, &part, &why));
	format_number(&b, &part, -1.7e308);
	assert_int_equal(b.n, 1 + 309 + 1 + 1000);
	buf_free(&b);
	assert_int_equal(mem.used, 0);
}

static void
test_text(void **state)
{
	static const struct {
		const char	*fmt, *want;
	} t[] = {
		{ "%s", "load" },
		{ "%6s", "  load" },
		{ "%-6s", "load  " },
		{ "%.2s", "lo" },
		{ "%4.1s", "   l" },
		{ "%.s", "" },
		{ "%2s", "load" },
	};
	struct format_part part;
	struct mem mem;
	struct str fmt;
	const char *why;
	struct buf b;
	size_t i;

	(void)state;
	mem_init(&mem, 1 << 20, NULL);
	buf_init(&b, &mem);
	for (i = 0; i < sizeof t / sizeof t[0]; i++) {
		buf_clear(&b);
		fmt = str_c(t[i].fmt);
		assert_true(format_next(&fmt, &part, &why));
		format_text(&b, &part, STR_LIT("load"));
		assert_string_equal(buf_c(&b), t[i].want);
	}
	buf_free(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_text),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("format", tests, NULL, NULL);
}
