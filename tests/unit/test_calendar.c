/* calendar: zones that are given, what is made up, drift, and `every`. */
#include "effect.h"

#include <math.h>

#include "lang/base/num.h"
#include "engine/sched/calendar.h"

#define H	3600.0
#define NOON	1795435200.0	/* 2026-11-23 12:00:00 UTC, a Monday */

/* A zone that is `before` ahead until `at`, then `after`, and from `again` on
 * (0: that never comes) `last`. */
struct made {
	int64_t	at, before, after, again, last;
};

static bool
made_ahead(void *arg, int64_t t, int64_t *seconds)
{
	const struct made *m = arg;

	*seconds = t < m->at ? m->before : m->again == 0 || t < m->again ?
	    m->after : m->last;
	return true;
}

static bool
no_answer(void *arg, int64_t t, int64_t *seconds)
{
	(void)arg;
	(void)t;
	(void)seconds;
	return false;
}

static struct made flat;
static const struct calendar_zone utc = { made_ahead, &flat };

static struct cron
cron(const char *text)
{
	struct cron_fault f;
	struct cron c;

	if (!cron_parse(str_c(text), &c, &f))
		fail_msg("%s: %s", text, f.text);
	return c;
}

/* The next one after `from`, both in seconds from noon. */
static void
after(struct made m, const char *text, double from, double want)
{
	struct calendar_zone z = { made_ahead, &m };
	struct cron c = cron(text);
	double got;

	m.at += (int64_t)NOON;
	m.again += m.again != 0 ? (int64_t)NOON : 0;
	got = calendar_after(&z, &c, NOON + from) - NOON;
	if (!(got == want))
		fail_msg("%s after %g: %g, not %g", text, from, got, want);
}

/* A jump at noon, by the zone: up to three hours is daylight saving. */
static void
test_jumps(void **state)
{
	struct made on = { 0, 0, 10799, 0, 0 }, far = { 0, 0, 10800, 0, 0 };
	struct made back = { 0, 10799, 0, 0, 0 };
	struct made far_back = { 0, 10800, 0, 0, 0 };
	struct made hour = { 0, 0, 3600, 0, 0 };

	(void)state;
	after(on, "30 13 * * *", -60, 0);
	after(on, "30 13 * * *", 0, 86400 + 5400 - 10799);
	after(far, "30 13 * * *", -60, 86400 + 5400 - 10800);
	after(on, "*/30 13 * * *", -60, 86400 + 3600 - 10799);
	/* 14:59:59 is 12:00 once more */
	after(back, "30 14 * * *", -1801, -1799);
	after(back, "30 14 * * *", -1799, 86400 + 9000);
	after(back, "30 14 * * *", 0, 86400 + 9000);
	after(back, "*/30 14 * * *", 0, 7200);
	after(far_back, "30 14 * * *", -60, 9000);
	after(far_back, "30 14 * * *", 0, 9000);
	/* seconds in a zone: its minutes begin elsewhere */
	after((struct made){ 0, -2670, -2670, 0, 0 }, "* * * * *", 0, 30);
	after((struct made){ 0, -2670, 0, 0, 0 }, "20 11 * * *", -60, 0);
	/* the same moment, skipped and meant: once */
	after(hour, "30 12,13 * * *", -1, 0);
	after(hour, "30 12,13 * * *", 0, 1800);
	/* back at 13:00, and half an hour later on to 14:00: what was had is
	 * not left out */
	after((struct made){ 0, 3600, 0, 1800, 5400 }, "45 12 * * *", -60,
	    86400 + 2700 - 5400);
	after((struct made){ 0, 3600, 0, 1800, 5400 }, "15 13 * * *", -60,
	    1800);
	/* two changes that cancel out, half a day apart, are seen */
	after((struct made){ 0, 3600, 0, 46800, 3600 }, "*/30 12 23 11 *",
	    -60, 0);
}

static void
test_bounds(void **state)
{
	struct calendar_zone none = { no_answer, NULL };
	struct cron each = cron("* * * * *"), c;

	(void)state;
	assert_true(isinf(calendar_after(&utc, &each, NAN)));
	assert_true(isinf(calendar_after(&utc, &each, INFINITY)));
	assert_true(isinf(calendar_after(&utc, &each, -INFINITY)));
	assert_true(isinf(calendar_after(&utc, &each, 1e11)));
	assert_true(isinf(calendar_after(&none, &each, NOON)));
	assert_true(calendar_after(&utc, &each, NOON - 0.001) == NOON);
	assert_true(calendar_after(&utc, &each, NOON) == NOON + 60);
	assert_true(calendar_after(&utc, &each, NOON + 0.5) == NOON + 60);
	c = cron("0 0 30 2 *");
	assert_true(isinf(calendar_after(&utc, &c, NOON)));
	c = (struct cron){ 0 };
	assert_true(isinf(calendar_after(&utc, &c, NOON)));
	/* 2104 is the first leap year after 2096 */
	c = cron("0 12 29 2 *");
	assert_true(calendar_after(&utc, &c, 3981355200.0) == 4233729600.0);
}

static void
test_every(void **state)
{
	double t, next;

	(void)state;
	assert_true(calendar_every(300, NOON) == NOON + 300);
	assert_true(calendar_every(300, NOON - 0.25) == NOON);
	assert_true(calendar_every(86400, NOON) == NOON + 12 * H);
	assert_true(isinf(calendar_every(0, NOON)));
	assert_true(isinf(calendar_every(-1, NOON)));
	assert_true(isinf(calendar_every(NAN, NOON)));
	assert_true(isinf(calendar_every(60, NAN)));
	/* where t / every is rounded down to less than a whole number */
	assert_true(calendar_every(1.1, 17660587301.5) > 17660587301.5);
	/* always later, and by no more than the span */
	for (t = NOON; t < NOON + 50; t = next) {
		next = calendar_every(0.1, t);
		assert_true(next > t && next - t < 0.2001);
	}
}

static void
test_drift(void **state)
{
	struct cron c = cron("0 * * * * 10"), none = cron("0 * * * *");
	bool minute[10] = { false };
	char name[20], text[40];
	double d, at;
	int i;

	(void)state;
	assert_true(calendar_drift(&none, str_c("h"), str_c("A")) == 0);
	/* it stands: what it is today it is after a new release, too */
	assert_true(calendar_drift(&c, str_c("moscow"), str_c("Urgent")) ==
	    305 + 10 * CALENDAR_GRAIN);
	assert_true(calendar_drift(&c, str_c("ab"), str_c("c")) !=
	    calendar_drift(&c, str_c("a"), str_c("bc")));
	for (i = 0; i < 200; i++) {
		snprintf(name, sizeof name, "A%d", i);
		d = calendar_drift(&c, str_c("h"), str_c(name));
		assert_true(d >= 0 && d < 600 && d / CALENDAR_GRAIN ==
		    floor(d / CALENDAR_GRAIN));
		minute[(int)d / 60] = true;
		snprintf(text, sizeof text, "%.6f", NOON + d);
		assert_true(strtod(text, NULL) == NOON + d);
		/* a start that was put off is still to come */
		at = calendar_start(&utc, &c, d, NOON - 1);
		assert_true(at == NOON + d || (d == 0 && at == NOON));
		assert_true(calendar_start(&utc, &c, d, NOON + d - 1) ==
		    NOON + d);
		assert_true(calendar_start(&utc, &c, d, NOON + d) ==
		    NOON + d + H);
	}
	for (i = 0; i < 10; i++)
		assert_true(minute[i]);
	/* what every starts after its time is the same */
	assert_true(calendar_spread(10, str_c("moscow"), str_c("Urgent")) ==
	    305 + 10 * CALENDAR_GRAIN);
	assert_true(calendar_spread(0, str_c("h"), str_c("A")) == 0);
	assert_true(calendar_start_every(60, 17.25, NOON) == NOON + 17.25);
	assert_true(calendar_start_every(60, 17.25, NOON + 17.25) == NOON +
	    77.25);
	assert_true(calendar_start_every(60, 317.25, NOON) == NOON + 17.25);
	/* spans that are rounded go on all the same */
	for (at = NOON; at < NOON + 5000; at = d) {
		d = calendar_start_every(1.1, 305.015625, at);
		assert_true(d > at && d - at < 2.21);
	}
}

/* Seconds from noon; NAN for due: nothing is made up; every with no text. */
struct row {
	const char	*text;
	double		 every, then, now, real, due, from;
};

static void
test_gap(void **state)
{
	static const struct row row[] = {
	    /* time goes on: what is due in it is due, the last of it */
	    { "* * * * *", 0, -1, 1, 2, 0, 1 },
	    { "* * * * *", 0, 1, 59, 58, NAN, 59 },
	    { NULL, 300, -1, 1, 2, 0, 1 },
	    { NULL, 300, 0, 299, 299, NAN, 299 },
	    { NULL, 300, 0, 300, 300, 300, 300 },
	    /* a run at `then` itself is none that was missed */
	    { "0 12 * * *", 0, 0, 1, 1, NAN, 1 },
	    { "0 12 * * *", 0, -1, 0, 1, 0, 0 },
	    /* asleep for 8 hours, a year: once */
	    { "0 * * * *", 0, -1, 8 * H, 8 * H + 1, 8 * H, 8 * H },
	    { "30 13 * * *", 0, 0, 8 * H, 8 * H, 1.5 * H, 8 * H },
	    { "* * * * *", 0, 0, 31536030, 31536030, 31536000, 31536030 },
	    { NULL, 60, 0, 8 * H + 5, 8 * H + 5, 8 * H, 8 * H + 5 },
	    { "30 20 * * *", 0, 0, 8 * H, 8 * H, NAN, 8 * H },
	    /* stopped: nobody knows how long, the clock is believed */
	    { "30 13 * * *", 0, 0, 8 * H, NAN, 1.5 * H, 8 * H },
	    /* put on by an hour: fixed times are made up, others not */
	    { "30 12 * * *", 0, 0, H + 1, 1, 1800, H + 1 },
	    { "0,30 12 * * *", 0, -1, H + 1, 2, 1800, H + 1 },
	    { "*/30 12 * * *", 0, 1, H - 1, 1, NAN, H - 1 },
	    { NULL, 1800, 1, H - 1, 1, NAN, H - 1 },
	    /* just short of three hours, and three hours */
	    { "30 12 * * *", 0, 0, 3 * H, 1, 1800, 3 * H },
	    { "30 12 * * *", 0, 0, 3 * H + 1, 1, NAN, 3 * H + 1 },
	    { "30 12 * * *", 0, 0, 90 * H, 1, NAN, 90 * H },
	    /* put on by a week while asleep for an hour: the hour's */
	    { "30 12 * * *", 0, 0, 169 * H, H, 168.5 * H, 169 * H },
	    /* a step of five minutes loses nothing, one of more does */
	    { "*/5 * * * *", 0, 1, 302, 1, 300, 302 },
	    { "*/5 * * * *", 0, 1, 303, 1, NAN, 303 },
	    { NULL, 60, 1, 61, 1, 60, 61 },
	    /* put back: a fixed time is not due again */
	    { "30 11 * * *", 0, 0, -H, 1, NAN, 0 },
	    { "30 11 * * *", 0, 0, 1 - 3 * H, 0, NAN, 0 },
	    { "30 11 * * *", 0, 0, 1 - 3 * H, 1, NAN, 1 - 3 * H },
	    { "30 11 * * *", 0, 0, -20 * H, 1, NAN, -20 * H },
	    /* others go by the new time */
	    { "*/30 * * * *", 0, 0, -H + 1, 2, -H, -H + 1 },
	    { "*/30 * * * *", 0, 0, -H + 1, 1, NAN, -H + 1 },
	    { NULL, 1800, 0, -H + 1, 1, NAN, -H + 1 },
	    /* but a correction by a second repeats nothing */
	    { "* * * * *", 0, 0.5, -0.5, 0, NAN, 0.5 },
	    { NULL, 10, 0.5, -0.5, 0, NAN, 0.5 },
	    { "* * * * *", 0, 0, -59, 1, NAN, 0 },
	    { "* * * * *", 0, 0, -60, 1, -60, -60 },
	    /* stopped, and back in the past */
	    { "30 11 * * *", 0, 0, -H, NAN, NAN, 0 },
	    { "0 11 * * *", 0, 0, -90 * H, NAN, NAN, -90 * H }
	};
	struct calendar_gap g;
	struct cron c;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof row / sizeof *row; i++) {
		const struct row *r = &row[i];

		if (r->text != NULL)
			c = cron(r->text);
		g = calendar_gap(&utc, r->text != NULL ? &c : NULL, r->every,
		    NOON + r->then, NOON + r->now, isnan(r->real) ? NUM_NIL :
		    r->real);
		if (isnan(r->due) ? !num_none(g.due) : !(g.due - NOON ==
		    r->due))
			fail_msg("%zu: due %g, not %g", i, g.due - NOON,
			    r->due);
		if (g.from - NOON != r->from)
			fail_msg("%zu: from %g, not %g", i, g.from - NOON,
			    r->from);
	}
	g = calendar_gap(&utc, &c, 0, NAN, NOON, 1);
	assert_true(num_none(g.due));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_jumps),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_every),
		cmocka_unit_test(test_drift),
		cmocka_unit_test(test_gap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
