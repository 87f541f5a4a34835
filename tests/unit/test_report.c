/* report: what picket-deliver said, read back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "engine/deliver/report.h"

#define ROUNDS	3000

static struct mem mem;
static struct report r;

static struct job
three(void)
{
	return (struct job){ .to = { STR_LIT("a@x"), STR_LIT("b@x"),
	    STR_LIT("c@x") }, .nto = 3 };
}

/* "taken:WAY refused left": what became of each. */
static void
summary(struct buf *b)
{
	size_t i;

	for (i = 0; i < r.n; i++) {
		if (i > 0)
			buf_putc(b, ' ');
		if (r.rcpt[i].taken) {
			buf_puts(b, "taken:");
			buf_str(b, r.rcpt[i].by);
		} else
			buf_puts(b, r.rcpt[i].refused ? "refused" : "left");
	}
}

static void
test_cases(void **state)
{
	static const struct {
		const char *report, *want;
	} cases[] = {
		{ "", "left left left" },
		{ "==12==ERROR: something else\n", "left left left" },
		{ "ok one 250 fine\n", "taken:one taken:one taken:one" },
		{ "retry one no\nok two fine\n",
		    "taken:two taken:two taken:two" },
		{ "fail one 550 no\n", "refused refused refused" },
		{ "fail one 550 no\nretry two 450 later\n",
		    "left left left" },
		{ "retry one 450 later\nfail two 550 no\n",
		    "left left left" },
		{ "ok one fine\nfail one <b@x> 550 no\n",
		    "taken:one refused taken:one" },
		{ "ok one fine\nretry one <b@x> 450 no\nleft b@x\n",
		    "taken:one left taken:one" },
		{ "ok one fine\nfail one <b@x> 550 no\nok two fine\n",
		    "taken:one taken:two taken:one" },
		{ "ok one fine\nfail one <b@x> 550 no\nfail two 550 no\n",
		    "taken:one refused taken:one" },
		{ "ok one fine\nfail one <b@x> 550 no\nretry two 421 no\n",
		    "taken:one left taken:one" },
		/* all refused, each in his way */
		{ "fail one 550 no\nretry one <a@x> 450 a\nfail one <b@x> 550 "
		    "b\nfail one <c@x> 550 c\n", "left refused refused" },
		/* two ways of one name */
		{ "ok one fine\nfail one <b@x> 550 no\nok one fine\n"
		    "fail one <b@x> 550 no\n", "taken:one refused taken:one" },
		/* an address that is none of ours is a reason */
		{ "ok one <z@x> is who I am\n",
		    "taken:one taken:one taken:one" },
		{ "retry picket-deliver not ended after 10s\n",
		    "left left left" },
	};
	struct job j = three();
	struct buf b;
	size_t i;

	(void)state;
	buf_init(&b, &mem);
	for (i = 0; i < sizeof cases / sizeof *cases; i++) {
		report_read(&r, str_c(cases[i].report), &j);
		buf_clear(&b);
		summary(&b);
		assert_string_equal(buf_c(&b), cases[i].want);
	}
	/* no recipients: the way stands for them */
	j.nto = 0;
	report_read(&r, STR_LIT("retry one no\nok two fine\n"), &j);
	assert_int_equal(r.n, 1);
	assert_int_equal(r.ntaken, 1);
	buf_free(&b);
}

/* As picket-deliver writes it, of outcomes by chance. */
static void
test_random(void **state)
{
	static const char *const word[] = { "ok", "retry", "fail" };
	struct job j = three();
	struct buf b;
	bool taken[3], refused[3], some;
	unsigned o[3], whole, round, way;
	size_t i;

	(void)state;
	buf_init(&b, &mem);
	srand(7);
	for (round = 0; round < ROUNDS; round++) {
		buf_clear(&b);
		for (i = 0; i < 3; i++) {
			taken[i] = false;
			refused[i] = true;
		}
		for (way = 0; way < 4; way++) {
			some = false;
			for (i = 0; i < 3; i++) {
				o[i] = (unsigned)rand() % 3;
				some = some || (!taken[i] && o[i] == 0);
			}
			if (taken[0] && taken[1] && taken[2])
				break;
			whole = some ? 0 : 1 + (unsigned)rand() % 2;
			buf_printf(&b, "%s w%u said\n", word[whole], way);
			for (i = 0; i < 3; i++) {
				if (taken[i])
					continue;
				if (o[i] == 0 && some) {
					taken[i] = true;
					continue;
				}
				if (o[i] == 0)
					o[i] = whole;	/* no line of his own */
				else
					buf_printf(&b, "%s w%u <%.*s> no\n",
					    word[o[i]], way, (int)j.to[i].n,
					    j.to[i].p);
				refused[i] = refused[i] && o[i] == 2;
			}
			report_read(&r, buf_view(&b), &j);
			for (i = 0; i < 3; i++) {
				assert_int_equal(r.rcpt[i].taken, taken[i]);
				assert_int_equal(r.rcpt[i].refused,
				    !taken[i] && refused[i]);
			}
		}
	}
	buf_free(&b);
}

static void
test_why(void **state)
{
	struct job j = three();
	struct buf b;

	(void)state;
	buf_init(&b, &mem);
	report_why(STR_LIT("retry smtp:mx:25 450 later\nok two fine\n"
	    "fail two <b@x> 550 no\nleft b@x\n"), &j, 1000, &b);
	assert_string_equal(buf_c(&b),
	    "smtp:mx:25: 450 later; two: <b@x> 550 no");
	buf_clear(&b);
	/* no half of a character */
	report_why(STR_LIT("retry w \xc3\xa4\xc3\xa4\xc3\xa4\n"), &j, 6, &b);
	assert_string_equal(buf_c(&b), "w: \xc3\xa4...");
	buf_free(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_why),
	};

	mem_init(&mem, (size_t)16 << 20, NULL);
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("report", tests, NULL, NULL);
}
