/*
 * The built-in functions of numbers, texts and patterns: what they give, and
 * that what is out of their domain is said and gives ERR.  (Their examples
 * run through the real machine elsewhere.)
 */
#include "tests/unit/fake_vm.h"

static void
test_rounding(void **state)
{
	static const struct {
		double	d, ceiling, round, trunc;
	} pikt[] = {		/* the tables of PIKT's own pages */
		{ -3.75, -3, -4, -3 }, { -3.5, -3, -4, -3 },
		{ -3.25, -3, -3, -3 }, { 3.25, 4, 3, 3 },
		{ 3.5, 4, 4, 3 }, { 3.75, 4, 4, 3 },
		{ 2.5, 3, 3, 2 }, { -2.5, -2, -3, -2 },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof pikt / sizeof pikt[0]; i++) {
		IS(pikt[i].ceiling, BI_CEILING, "n", pikt[i].d);
		IS(pikt[i].round, BI_ROUND, "n", pikt[i].d);
		IS(pikt[i].trunc, BI_TRUNC, "n", pikt[i].d);
		IS(pikt[i].trunc, BI_INT, "n", pikt[i].d);
	}
	IS(-4, BI_FLOOR, "n", -3.5);
	IS(3.5, BI_ABS, "n", -3.5);
	IS(-1, BI_SIGN, "n", -2.0);
	IS(NUM_NIL, BI_ROUND, "n", NUM_NIL);
	IS(NUM_ERR, BI_ABS, "n", NUM_ERR);
}

static void
test_math(void **state)
{
	int i, seen = 0;
	double d;

	(void)state;
	IS(12, BI_SQRT, "n", 144.0);
	BAD(BI_SQRT, "n", -1.0);
	BAD(BI_LN, "n", 0.0);
	BAD(BI_LOG10, "n", -1.0);
	BAD(BI_EXP, "n", 1000.0);
	IS(NUM_NIL, BI_SQRT, "n", NUM_NIL);
	IS(-1, BI_MOD, "nn", -7.0, 3.0);
	IS(NUM_ERR, BI_MOD, "nn", NUM_NIL, NUM_ERR);
	assert_true(num_is_nil(run(BI_MOD, "nn", 1.0, 0.0).rn));
	assert_int_equal(m.ndomain, 1);
	IS(1024, BI_POW, "nn", 2.0, 10.0);
	BAD(BI_POW, "nn", 10.0, 1000.0);
	for (i = 0; i < 1000; i++) {
		d = run(BI_RANDOM, "n", 3.0).rn;
		assert_true(d == 0 || d == 1 || d == 2);
		seen |= 1 << (int)d;
		d = run(BI_RANDOM, "").rn;
		assert_true(d >= 0 && d < 1);
	}
	assert_int_equal(seen, 7);
	BAD(BI_RANDOM, "n", 0.0);
	BAD(BI_RANDOM, "n", 1.5);
}

static void
test_lists(void **state)
{
	(void)state;
	IS(1, BI_MIN, "nnn", 3.0, 1.0, 2.0);
	IS(3, BI_MAX, "nnn", 3.0, 1.0, 2.0);
	IS(0.6, BI_SUM, "nnn", 0.1, 0.2, 0.3);
	IS(3, BI_AVG, "nnn", 1.0, 2.0, 6.0);
	IS(3, BI_MEDIAN, "nnnn", 9.0, 1.0, 2.0, 4.0);
	IS(2, BI_STDDEV, "nnnnnnnn", 2., 4., 4., 4., 5., 5., 7., 9.);
	IS(3, BI_PERCENTILE, "nnnnnn", 50.0, 1., 2., 3., 4., 5.);
	IS(5, BI_PERCENTILE, "nnnnnn", 100.0, 1., 2., 3., 4., 5.);
	IS(1.4, BI_PERCENTILE, "nnnnnn", 10.0, 1., 2., 3., 4., 5.);
	BAD(BI_PERCENTILE, "nn", 101.0, 1.0);
	IS(NUM_NIL, BI_MAX, "nn", 1.0, NUM_NIL);
	IS(NUM_ERR, BI_MAX, "nnn", 1.0, NUM_NIL, NUM_ERR);
	BAD(BI_SUM, "nn", 1.7e308, 1.7e308);
	IS(1.7e308, BI_MEDIAN, "nn", 1.7e308, 1.7e308);

	IS(NUM_NIL, BI_MAX, "a", 1.0);
	IS(0, BI_SUM, "a", 1.0);
	array_make(&m.array[1], STR_LIT("x"))->n = 4;
	array_make(&m.array[1], STR_LIT("y"))->n = 1;
	array_make(&m.array[1], STR_LIT("z"))->n = 7;
	array_del(&m.array[1], STR_LIT("y"));
	array_make(&m.array[1], STR_LIT("y"))->n = 1;
	IS(7, BI_MAX, "a", 1.0);
	IS(12, BI_SUM, "a", 1.0);
	IS(4, BI_PERCENTILE, "na", 50.0, 1.0);
	IS(3, BI_SORT, "n", 1.0);
	assert_true(array_find(&m.array[1], STR_LIT("1"))->n == 1);
	assert_true(array_find(&m.array[1], STR_LIT("3"))->n == 7);
	assert_null(array_find(&m.array[1], STR_LIT("x")));
	SAYS("1, 4, 7", BI_JOIN, "ns", 1.0, ", ");
	BAD(BI_SUM, "a", 0.0);
	IS(3, BI_ELEMENTS, "n", 1.0);
	IS(3, BI_CLEAR, "n", 1.0);
	IS(0, BI_ELEMENTS, "n", 1.0);
}

static void
test_state(void **state)
{
	(void)state;
	SAYS("Script", BI_ALARM, "");
	SAYS("a task", BI_TASK, "");
	SAYS("emergency", BI_LEVEL, "");
	SAYS("active", BI_STATUS, "");
	IS(7, BI_INNUM, "");
	IS(1, BI_EOI, "");
	IS(2, BI_ARGS, "");
	SAYS("two", BI_ARG, "n", 2.0);
	SAYS(NULL, BI_ARG, "n", 3.0);
	BAD(BI_ARG, "n", 0.0);
	IS(NUM_NIL, BI_INPUTEXIT, "");
}

static void
test_incidents(void **state)
{
	(void)state;
	IS(1, BI_FIRING, "s", "disk");
	IS(0, BI_FIRING, "s", "old");
	IS(1, BI_ACKED, "s", "disk");
	IS(0, BI_ACKED, "s", "none");
	IS(1e9, BI_SINCE, "s", "disk");
	IS(NUM_NIL, BI_SINCE, "s", "old");
	IS(NUM_NIL, BI_SINCE, "s", NULL);
	IS(NUM_NIL, BI_FIRING, "s", NULL);
	/* of the one at hand */
	SAYS("0s", BI_DURATION, "");
	m.incident = STR_LIT("old");
	SAYS("2h 33m", BI_DURATION, "");
	m.incident = STR_LIT("none");
	SAYS("0s", BI_DURATION, "");
	/* a host that has none */
	m.suppresses = true;
	IS(0, BI_FIRING, "s", "disk");
	IS(0, BI_ACKED, "s", "disk");
	IS(NUM_NIL, BI_SINCE, "s", "disk");
	m.incident = STR_LIT("old");
	SAYS("0s", BI_DURATION, "");
	m.suppresses = false;
	m.incident = STR_NIL;
}

static void
test_text(void **state)
{
	struct call c;

	(void)state;
	IS(65, BI_CODE, "s", "ABC");
	IS(255, BI_CODE, "s", "\xff");
	IS(NUM_NIL, BI_CODE, "s", "");
	SAYS("\"", BI_CHAR, "n", 34.0);
	c = run(BI_CHAR, "n", 0.0);
	assert_true(c.rs.n == 1 && c.rs.p[0] == '\0');
	BAD(BI_CHAR, "n", 256.0);
	BAD(BI_CHAR, "n", 1.5);
	IS(3, BI_LENGTH, "s", "abc");
	IS(NUM_NIL, BI_LENGTH, "s", NULL);
	SAYS("foo", BI_LEFT, "sn", "foobar", 3.0);
	SAYS("foobar", BI_LEFT, "sn", "foobar", 9e15);
	BAD(BI_LEFT, "sn", "foobar", -1.0);
	BAD(BI_LEFT, "sn", "foobar", 1.5);
	BAD(BI_LEFT, "sn", "foobar", 1e300);
	SAYS("bar", BI_RIGHT, "sn", "foobar", 3.0);
	SAYS("", BI_RIGHT, "sn", "foobar", 0.0);
	SAYS("ob", BI_MID, "snn", "foobar", 3.0, 2.0);
	SAYS("obar", BI_MID, "sn", "foobar", 3.0);
	SAYS("r", BI_MID, "snn", "foobar", 6.0, 10.0);
	SAYS("", BI_MID, "snn", "foobar", 7.0, 1.0);
	SAYS("", BI_MID, "snn", "foobar", 9e15, 9e15);
	BAD(BI_MID, "snn", "foobar", 0.0, 1.0);
	BAD(BI_MID, "snn", "foobar", 1.0, -1.0);
	SAYS("10.75", BI_CHOP, "sn", "10.75,", 1.0);
	SAYS("", BI_CHOP, "sn", "ab", 3.0);
	SAYS("a\n", BI_CHOMP, "s", "a\n\n");
	SAYS("a b", BI_TRIM, "s", " \ta b\r\n");
	SAYS("a ", BI_LTRIM, "s", "\t a ");
	SAYS(" a", BI_RTRIM, "s", " a \t");
	SAYS("", BI_RTRIM, "s", "  ");
	IS(2, BI_INDEX, "ss", "foobar", "o");
	IS(0, BI_INDEX, "ss", "foobar", "x");
	IS(1, BI_INDEX, "ss", "foobar", "");
	IS(3, BI_RINDEX, "ss", "foobar", "o");
	IS(0, BI_RINDEX, "ss", "fo", "foo");
	IS(1, BI_RINDEX, "ss", "foo", "foo");
	SAYS("LOAD 5\xe4", BI_UPPER, "s", "Load 5\xe4");
	SAYS("load", BI_LOWER, "s", "LoaD");
	SAYS("It's Disk-Full 2nd", BI_PROPER, "s", "iT's DISK-fULL 2ND");
	SAYS("ababab", BI_REPEAT, "sn", "ab", 3.0);
	SAYS("", BI_REPEAT, "sn", "ab", 0.0);
	SAYS("", BI_REPEAT, "sn", "", 1e15);
	BAD(BI_REPEAT, "sn", "ab", 1e15);
	BAD(BI_REPEAT, "sn", "ab", -1.0);
	SAYS("cba", BI_REVERSE, "s", "abc");
	SAYS("ab...", BI_PAD, "sns", "ab", 5.0, ".");
	SAYS("ab   ", BI_PAD, "sn", "ab", 5.0);
	SAYS("00042", BI_PADLEFT, "sns", "42", 5.0, "0");
	SAYS("long", BI_PADLEFT, "sn", "long", 2.0);
	BAD(BI_PAD, "sns", "ab", 5.0, "");
	BAD(BI_PAD, "sns", "ab", 1e9, ".");
	SAYS("a+b+c", BI_REPLACE, "sss", "a-b-c", "-", "+");
	SAYS("", BI_REPLACE, "sss", "aaa", "a", "");
	SAYS("abc", BI_REPLACE, "sss", "abc", "x", "y");
	BAD(BI_REPLACE, "sss", "abc", "", "y");
	SAYS("ibm", BI_TRANSLATE, "sss", "hal", "a-y", "b-z");
	SAYS("h*ll*", BI_TRANSLATE, "sss", "hello", "a-go", "*");
	SAYS("hll", BI_TRANSLATE, "sss", "hello", "aeiou", "");
	SAYS("a_b_c", BI_TRANSLATE, "sss", "a-b.c", ".-", "_");
	SAYS("AbC", BI_TRANSLATE, "sss", "abc", "aca", "ACx");
	BAD(BI_TRANSLATE, "sss", "abc", "z-a", "x");
}

static struct str
element(const char *key)
{
	struct array_item *it = array_find(&m.array[0], str_c(key));

	return it == NULL ? STR_LIT("(none)") : array_item_str(it);
}

static void
split(int line, const char *text, const char *seps, const char *want)
{
	struct call c = run(BI_SPLIT, "ssn", text, seps, 0.0);
	double n = c.rn;

	same_text(line, run(BI_JOIN, "ns", 0.0, "|"), str_c(want));
	assert_true(n == (double)m.array[0].nlive);
}

static void
test_split(void **state)
{
	(void)state;
	split(__LINE__, "  a  b\tc ", " \t", "a|b|c");
	split(__LINE__, "a:b::c:", ":", "a|b||c|");
	split(__LINE__, ":", ":", "|");
	split(__LINE__, "", ":", "");
	split(__LINE__, "   ", " ", "");
	split(__LINE__, "a b", " ", "a|b");
	split(__LINE__, "a, b", ", ", "a||b");
	assert_true(str_eq(element("1"), STR_LIT("a")));
	/* a text that stands in the array itself */
	IS(2, BI_SPLIT, "Ssn", element("3"), "b", 0.0);
	BAD(BI_SPLIT, "ssn", "a b", "", 0.0);
	IS(NUM_NIL, BI_SPLIT, "ssn", NULL, " ", 0.0);
	assert_int_equal(m.array[0].nlive, 0);
	IS(3, BI_SPLIT, "ssn", "3 52% x", " ", 1.0);
	assert_true(array_find(&m.array[1], STR_LIT("2"))->n == 0.52);
	assert_true(num_is_nil(array_find(&m.array[1], STR_LIT("3"))->n));
	IS(1, BI_SPLIT, "s", "a b");
	m.nfield = 3;
	IS(NUM_NIL, BI_SPLIT, "s", NULL);
	assert_int_equal(m.nfield, 0);
	SAYS("0", BI_FIELD, "sns", "root:x:0", 3.0, ":");
	SAYS("b", BI_FIELD, "sn", " a  b ", 2.0);
	SAYS("", BI_FIELD, "sns", "a:", 2.0, ":");
	SAYS(NULL, BI_FIELD, "sn", "a b", 3.0);
	BAD(BI_FIELD, "sn", "a b", 0.0);
	/* texts sort bytewise, what has no value last */
	IS(4, BI_SPLIT, "ssn", "b 10 9 B", " ", 0.0);
	array_put_str(&m.array[0], STR_LIT("2"), STR_NIL);
	IS(4, BI_SORT, "n", 0.0);
	SAYS("9 B b <<NIL>>", BI_JOIN, "ns", 0.0, " ");
}

static void
test_pattern(void **state)
{
	(void)state;
	SAYS("bar foo", BI_SUBST, "sss", "foo bar", "([a-z]+) ([a-z]+)",
	    "\\2 \\1");
	SAYS("a<1>b<22>c", BI_GSUBST, "sss", "a1b22c", "[0-9]+", "<\\0>");
	SAYS("a\\n.b", BI_SUBST, "sss", "axb", "x", "\\\\n.\\9");
	SAYS("end\\", BI_SUBST, "sss", "endx", "x", "\\");
	SAYS("-a-b-", BI_GSUBST, "sss", "ab", "x*", "-");
	SAYS("-b-", BI_GSUBST, "sss", "aab", "a*", "-");
	SAYS("-\xc3\xa4-", BI_GSUBST, "sss", "\xc3\xa4", "x*", "-");
	SAYS("aXaX", BI_GSUBST, "sss", "abab", "b", "X");
	SAYS("abab", BI_GSUBST, "sss", "abab", "c", "X");
	SAYS("bab", BI_GSUBST, "sss", "abab", "^a", "");
	SAYS("[][b]", BI_GSUBST, "sss", "ab", "a|(b)", "[\\1]");
	SAYS(NULL, BI_SUBST, "sss", "ab", NULL, "x");
	BAD(BI_SUBST, "sss", "ab", "(", "x");
	IS(2, BI_COUNTRE, "ss", "a1b22c", "[0-9]+");
	IS(3, BI_COUNTRE, "ss", "ab", "x*");
	IS(0, BI_COUNTRE, "ss", "", "a");
	/* the match limit: said, and NIL */
	assert_true(num_is_nil(run(BI_COUNTRE, "ss",
	    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaad",
	    "^(a+)+[bc]$").rn));
	assert_int_equal(m.ndomain, 1);
	assert_true(num_is_nil(run(BI_COUNTRE, "ss", NULL, "x").rn));
	SAYS("a\\.b\\*\\(<c>", BI_REQUOTE, "s", "a.b*(<c>");
	IS(1, BI_COUNTRE, "sS", "x[a-b]<\\>{2}$^|?+x",
	    run(BI_REQUOTE, "s", "[a-b]<\\>{2}$^|?+").rs);
}

static void
test_encode(void **state)
{
	(void)state;
	SAYS("load   3.1", BI_FORMAT, "ssn", "%s %5.1f", "load", 3.14159);
	SAYS("100% 1 a 2", BI_FORMAT, "snsn", "100%% %d %s %d", 1., "a", 2.);
	SAYS("<<NIL>> <<ERR>>", BI_FORMAT, "snn", "%d %g", NUM_NIL,
	    NUM_ERR);
	BAD(BI_FORMAT, "s", "%d");
	BAD(BI_FORMAT, "ss", "%d", "x");
	BAD(BI_FORMAT, "sn", "x", 1.0);
	BAD(BI_FORMAT, "sn", "%n", 1.0);
	SAYS("a-b_c/d.txt", BI_QUOTE, "s", "a-b_c/d.txt");
	SAYS("''", BI_QUOTE, "s", "");
	SAYS("'it'\\''s $HOME'", BI_QUOTE, "s", "it's $HOME");
	SAYS("'a\nb'", BI_QUOTE, "s", "a\nb");
	BAD(BI_QUOTE, "S", str_of("a\0b", 3));
	SAYS("a%20b%26c~%E4", BI_URLENCODE, "s", "a b&c~\xe4");
	SAYS("", BI_BASE64, "s", "");
	SAYS("Zg==", BI_BASE64, "s", "f");
	SAYS("Zm8=", BI_BASE64, "s", "fo");
	SAYS("Zm9vYmFy", BI_BASE64, "s", "foobar");
	SAYS("AP/+", BI_BASE64, "S", str_of("\0\xff\xfe", 3));
	SAYS("00ff41", BI_HEX, "S", str_of("\0\xff""A", 3));
	SAYS("\"a\\t\\\"\\\\\\u0001/\"", BI_JSON, "s", "a\t\"\\\1/");
	SAYS("\"\\u0000\"", BI_JSON, "S", str_of("", 1));
	SAYS("\"\xc3\xa4\xef\xbf\xbd!\"", BI_JSON, "s", "\xc3\xa4\xe4!");
	SAYS("\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"", BI_JSON, "s",
	    "\xed\xa0\x80");
	SAYS("null", BI_JSON, "s", NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
		T(test_rounding), T(test_math), T(test_lists),
		T(test_state), T(test_incidents), T(test_text), T(test_split),
		T(test_pattern), T(test_encode),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("builtin", tests, NULL, NULL);
}
