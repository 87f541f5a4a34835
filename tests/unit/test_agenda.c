/* agenda, queue, heap: what by lot in tests/sched/agenda.t is not likely met:
 * bounds, order, memory, and each decision of the queue. */
#include "effect.h"

#include <math.h>

#include "lang/base/num.h"
#include "engine/sched/agenda.h"
#include "engine/sched/heap.h"
#include "engine/sched/queue.h"

#define NOON	1795435200.0	/* 2026-11-23 12:00:00 UTC, a Monday */
#define MANY	10000

static bool
utc_ahead(void *arg, int64_t t, int64_t *seconds)
{
	(void)arg;
	(void)t;
	*seconds = 0;
	return true;
}
static const struct calendar_zone utc = { utc_ahead, NULL };

static struct mem mem;

/* --- sites --- */

struct row {
	const char	*name, *cron;	/* NULL: every; both NULL: sleeps */
	double		 every, drift;
};

static bool
row_timing(void *arg, uint32_t e, unsigned k, struct agenda_timing *t)
{
	const struct row *r = (const struct row *)arg + e;
	struct cron_fault f;

	if (k > 0 || (r->cron == NULL && r->every <= 0))
		return false;
	*t = (struct agenda_timing){ .every = r->every, .drift = r->drift };
	if (r->cron != NULL && !cron_parse(str_c(r->cron), &t->cron, &f))
		fail_msg("%s", f.text);
	return true;
}

static const char *
row_name(void *arg, uint32_t e)
{
	return ((const struct row *)arg)[e].name;
}

/* The rows of these sites end with one without a name. */
static uint32_t
row_find(void *arg, const char *name)
{
	const struct row *r = arg;
	uint32_t e;

	for (e = 0; r[e].name != NULL; e++)
		if (strcmp(r[e].name, name) == 0)
			return e;
	return AGENDA_NONE;
}

static struct agenda_site
site_of(struct row *r)
{
	struct agenda_site s = { r, 0, row_timing, row_name, row_find };

	while (r[s.n].name != NULL)
		s.n++;
	return s;
}

/* What is due now, in order, as "name+seconds from noon[~microseconds][!]" with
 * ! for made up. */
static void
due(struct agenda *a, struct row *r, const char *want)
{
	struct agenda_due d;
	char got[400] = "";
	double plain;
	size_t n = 0;

	while (agenda_pop(a, &d)) {
		plain = floor(d.due * 64) / 64;
		n += (size_t)snprintf(got + n, sizeof got - n, "%s%s%+.9g",
		    n > 0 ? " " : "", r[d.entry].name, plain - NOON);
		if (plain < d.due)
			n += (size_t)snprintf(got + n, sizeof got - n, "~%.0f",
			    (d.due - plain) * 1e6);
		if (d.reason == REASON_MADE_UP)
			n += (size_t)snprintf(got + n, sizeof got - n, "!");
	}
	assert_string_equal(got, want);
}

/* --- */

static void
test_order(void **state)
{
	struct row r[] = { { "minute", "* * * * *", 0, 0 },
	    { "second", "* * * * *", 0, 0 }, { "hour", "0 * * * *", 0, 0 },
	    { "late", "0 * * * *", 0, 0.5 }, { "sleeps", NULL, 0, 0 },
	    { "never", "0 0 31 2 *", 0, 0 }, { NULL, NULL, 0, 0 } };
	struct agenda_site s = site_of(r);
	struct agenda *a = agenda_new(&mem, &utc, &s, NOON - 90);

	(void)state;
	assert_true(agenda_wake(a) == NOON - 60);
	agenda_look(a, NOON - 61, 29);
	due(a, r, "");
	agenda_look(a, NOON - 60, 1);
	due(a, r, "minute-60 second-60");
	assert_true(agenda_wake(a) == NOON);
	/* who is due seldom goes before who is due often */
	agenda_look(a, NOON + 1, 61);
	due(a, r, "hour+0 minute+0 second+0 late+0.5");
	assert_true(agenda_next(a, 3) == NOON + 3600.5);
	assert_true(isinf(agenda_next(a, 4)) && isinf(agenda_next(a, 5)));
	agenda_free(a);
}

static void
test_missed(void **state)
{
	struct row r[] = { { "wild", "*/10 * * * *", 0, 0 },
	    { "fixed", "30 12 * * *", 0, 0 }, { "span", NULL, 600, 7 },
	    { NULL, NULL, 0, 0 } };
	struct agenda_site s = site_of(r);
	struct agenda *a = agenda_new(&mem, &utc, &s, NOON);

	(void)state;
	/* by 59 s late: scheduled; by more: made up */
	agenda_look(a, NOON + 659, 659);
	due(a, r, "span+607! wild+600");
	agenda_look(a, NOON + 1261, 602);
	due(a, r, "wild+1200! span+1207");
	/* asleep for 8 hours: each once, its last */
	agenda_look(a, NOON + 1261 + 28800, 28800);
	due(a, r, "fixed+1800! wild+30000! span+30007!");
	assert_true(agenda_wake(a) == NOON + 30600);
	agenda_look(a, NOON + 30608, -1);	/* nobody knows how long */
	due(a, r, "wild+30600 span+30607");
	agenda_free(a);
}

static void
test_set(void **state)
{
	struct row r[] = { { "wild", "*/10 * * * *", 0, 0 },
	    { "fixed", "30 12 * * *", 0, 0 }, { NULL, NULL, 0, 0 } };
	struct agenda_site s = site_of(r);
	struct agenda *a = agenda_new(&mem, &utc, &s, NOON - 1);

	(void)state;
	agenda_look(a, NOON, 1);
	due(a, r, "wild+0");
	/* 5.9 s back: nothing again; on: nothing early but what is next */
	agenda_look(a, NOON - 5.9, 0);
	assert_true(agenda_turn(a) == 1);
	due(a, r, "");
	agenda_look(a, NOON + 0.1, 6);
	due(a, r, "");
	agenda_look(a, NOON + 594.2, 594.1);
	agenda_look(a, NOON + 600.1, 0);
	due(a, r, "wild+600");
	/* two hours on: the fixed time is made up, the others left out */
	agenda_look(a, NOON + 7800.1, 0);
	due(a, r, "fixed+1800!");
	/* and back: the fixed time was had, the others are due once more, and
	 * told apart */
	agenda_look(a, NOON + 599.9, 0);
	assert_true(agenda_turn(a) == 2);
	due(a, r, "");
	agenda_look(a, NOON + 600, 0.1);
	due(a, r, "wild+600~2");
	agenda_look(a, NOON + 1800, 1200);
	due(a, r, "wild+1800!");
	/* a day back: the new time holds for all */
	agenda_look(a, NOON + 1790 - 86400, 0);
	assert_true(agenda_wake(a) == NOON + 1800 - 86400);
	agenda_look(a, NOON + 1800 - 86400, 10);
	due(a, r, "wild-84600~3 fixed-84600~3");
	/* a day on: nothing is replayed */
	agenda_look(a, NOON + 1801, 0);
	due(a, r, "");
	assert_true(agenda_next(a, 0) == NOON + 2400);
	assert_true(agenda_next(a, 1) == NOON + 86400 + 1800);
	agenda_free(a);
}

static void
test_start(void **state)
{
	struct row r[] = { { "had", "0 * * * *", 0, 0 },
	    { "new", "0 * * * *", 0, 0 }, { "late", "0 * * * *", 0, 0 },
	    { NULL, NULL, 0, 0 } };
	struct agenda_site s = site_of(r);
	struct agenda *a;

	(void)state;
	/* alive at five to twelve, back at ten past: twelve is made up; not
	 * what is new, nor what was had after the stamp */
	a = agenda_new(&mem, &utc, &s, NOON + 600);
	agenda_last(a, 0, NOON - 3600);
	agenda_last(a, 0, NOON - 7200);
	agenda_last(a, 2, NOON);
	agenda_start(a, NOON - 300, 4);
	assert_true(agenda_turn(a) == 4);
	due(a, r, "had+0!");
	assert_true(agenda_wake(a) == NOON + 3600);
	agenda_free(a);
	/* no stamp: since its last; the turn is one that there was not yet */
	a = agenda_new(&mem, &utc, &s, NOON + 600);
	agenda_last(a, 0, NOON - 86400);
	agenda_start(a, NUM_NIL, 0);
	due(a, r, "had+0!");
	assert_true(agenda_turn(a) > 4 && agenda_turn(a) < 1000000);
	agenda_free(a);
	/* nothing is known at all */
	a = agenda_new(&mem, &utc, &s, NOON + 600);
	agenda_start(a, NUM_NIL, 0);
	due(a, r, "");
	assert_true(agenda_turn(a) == 0);
	agenda_free(a);
	/* back in the past, by 50 s, by a day: nothing; then by the new time */
	a = agenda_new(&mem, &utc, &s, NOON - 10);
	agenda_last(a, 0, NOON);
	agenda_start(a, NOON + 40, 1);
	due(a, r, "");
	assert_true(agenda_turn(a) == 2);
	assert_true(agenda_next(a, 0) == NOON + 3600);
	assert_true(agenda_next(a, 1) == NOON);
	agenda_free(a);
	a = agenda_new(&mem, &utc, &s, NOON - 10);
	agenda_last(a, 0, NOON + 86400);
	agenda_start(a, NOON + 86400, 1);
	agenda_look(a, NOON, 10);
	due(a, r, "new+0 late+0 had+0~2");
	agenda_free(a);
	/* some seconds back, and it was had after the stamp: not again */
	a = agenda_new(&mem, &utc, &s, NOON - 2);
	agenda_last(a, 0, NOON);
	agenda_start(a, NOON - 3, 0);
	assert_true(agenda_next(a, 0) == NOON + 3600);
	agenda_free(a);
	/* its last is far ahead, of a clock that was wrong once: it runs */
	a = agenda_new(&mem, &utc, &s, NOON + 600);
	agenda_last(a, 0, NOON + 1e9);
	agenda_start(a, NOON - 60, 7);
	due(a, r, "had+0~8!");
	agenda_free(a);
}

static void
test_reload(void **state)
{
	struct row r[] = { { "same", "0 * * * *", 0, 0 },
	    { "other", "0 * * * *", 0, 0 }, { "gone", "0 * * * *", 0, 0 },
	    { "paused", "0 * * * *", 0, 0 }, { NULL, NULL, 0, 0 } };
	struct row q[] = { { "new", "0 * * * *", 0, 0 },
	    { "paused", "0 * * * *", 0, 0 }, { "other", "1 * * * *", 0, 0 },
	    { "same", "0 * * * *", 0, 0 }, { NULL, NULL, 0, 0 } };
	struct agenda_site s = site_of(r), t = site_of(q);
	struct agenda *a = agenda_new(&mem, &utc, &s, NOON - 10), *b;
	uint32_t from[4];

	(void)state;
	agenda_pause(a, 3, true);
	agenda_look(a, NOON - 5, 5);
	/* just at twelve, before anybody has looked: unchanged ones are not
	 * lost */
	b = agenda_new(&mem, &utc, &t, NOON);
	agenda_keep(b, a, from);
	agenda_free(a);
	assert_true(from[0] == AGENDA_NONE && from[1] == 3 && from[2] == 1 &&
	    from[3] == 0);
	assert_true(agenda_paused(b, 1) && !agenda_paused(b, 0));
	agenda_look(b, NOON, 5);
	due(b, q, "new+0 same+0");
	/* the same again: nothing twice */
	a = agenda_new(&mem, &utc, &t, NOON);
	agenda_keep(a, b, from);
	agenda_free(b);
	due(a, q, "");
	agenda_pause(a, 1, false);
	assert_true(agenda_next(a, 1) == NOON + 3600);
	assert_true(agenda_wake(a) == NOON + 60);
	agenda_free(a);
}

/* A timing is another one if any of its fields is. */
static void
test_changed(void **state)
{
	static const char *const other[] = { "1 1 1 1 1", "0 2 1 1 1",
	    "0 1 2 1 1", "0 1 1 2 1", "0 1 1 1 2", "0 1 * 1 1",
	    "0 1 1 1 1" };
	size_t i, n = sizeof other / sizeof *other;
	struct agenda *a, *b;
	uint32_t from[1];

	(void)state;
	for (i = 0; i < n; i++) {
		struct row r[] = { { "A", "0 1 1 1 1", 0, 0 },
		    { NULL, NULL, 0, 0 } };
		struct row q[] = { { "A", other[i], 0, 0 },
		    { NULL, NULL, 0, 0 } };
		struct agenda_site s = site_of(r), t = site_of(q);
		struct agenda_due d;

		/* due, and not looked at yet: only the same one still is */
		a = agenda_new(&mem, &utc, &s, NOON);
		agenda_look(a, NOON + 400 * 86400.0, 400 * 86400.0);
		b = agenda_new(&mem, &utc, &t, NOON + 400 * 86400.0);
		agenda_keep(b, a, from);
		assert_int_equal(agenda_pop(b, &d), i == n - 1);
		agenda_free(a);
		agenda_free(b);
	}
}

static void
test_pause(void **state)
{
	struct row r[] = { { "a", "* * * * *", 0, 0 },
	    { "b", "* * * * *", 0, 0 }, { NULL, NULL, 0, 0 } };
	struct agenda_site s = site_of(r);
	struct agenda *a = agenda_new(&mem, &utc, &s, NOON - 10);

	(void)state;
	agenda_pause(a, 1, true);
	agenda_look(a, NOON, 10);
	due(a, r, "a+0");
	assert_true(isinf(agenda_next(a, 1)));
	agenda_pause(a, 1, false);
	due(a, r, "");
	agenda_pause(a, 0, true);
	agenda_pause(a, AGENDA_ALL, true);
	assert_true(isinf(agenda_wake(a)));
	agenda_look(a, NOON + 300, 300);
	due(a, r, "");
	agenda_pause(a, AGENDA_ALL, false);
	due(a, r, "");
	assert_true(agenda_wake(a) == NOON + 360);
	agenda_look(a, NOON + 360, 60);
	due(a, r, "b+360");		/* a is paused by its own name */
	/* nor is it when its time comes again */
	agenda_pause(a, 1, true);
	agenda_look(a, NOON + 421, 61);
	agenda_look(a, NOON + 362, 0);
	agenda_pause(a, 1, false);
	assert_true(agenda_next(a, 1) == NOON + 480);
	agenda_look(a, NOON + 479, 117);
	agenda_look(a, NOON + 480, 1);
	due(a, r, "b+480");
	/* what is pending when it is paused is not owed any more */
	agenda_look(a, NOON + 540, 60);
	agenda_pause(a, 1, true);
	agenda_pause(a, 1, false);
	due(a, r, "");
	agenda_free(a);
}

/* --- many, all at the same second --- */

static bool
many_timing(void *arg, uint32_t e, unsigned k, struct agenda_timing *t)
{
	(void)arg;
	(void)e;
	*t = (struct agenda_timing){ .every = 60 };
	return k == 0;
}

static const char *
many_name(void *arg, uint32_t e)
{
	static char name[20];

	(void)arg;
	snprintf(name, sizeof name, "A%u", (unsigned)e);
	return name;
}

static uint32_t
many_find(void *arg, const char *name)
{
	(void)arg;
	return (uint32_t)atoi(name + 1);
}

static void
test_many(void **state)
{
	struct agenda_site s = { NULL, MANY, many_timing, many_name,
	    many_find };
	size_t before = mem.used;
	struct agenda *a = agenda_new(&mem, &utc, &s, NOON);
	struct queue *q = queue_new(&mem, MANY, 8);
	struct agenda_due d;
	struct queue_item it;
	uint32_t i, k;

	(void)state;
	assert_int_equal(mem.used - before, agenda_size(a) + queue_size(q));
	print_message("# %zu bytes an entry in the agenda, %zu in the queue\n",
	    agenda_size(a) / MANY, queue_size(q) / MANY);
	assert_true(mem.used - before <= 80 * MANY);
	for (i = 1; i <= 3; i++) {
		agenda_look(a, NOON + 60 * i, 60);
		for (k = 0; agenda_pop(a, &d); k++) {
			assert_int_equal(d.entry, k);
			assert_true(d.due == NOON + 60 * i);
			assert_int_equal(queue_put(q, &d, OVERLAP_SKIP,
			    NOON + 60 * i), QUEUE_WAITS);
		}
		assert_int_equal(k, MANY);
		assert_true(queue_oldest(q) == NOON + 60 * i);
		for (k = 0; queue_take(q, &it); k++) {
			assert_int_equal(it.entry, k);
			queue_ended(q, it.entry);
		}
		assert_int_equal(k, MANY);
		assert_true(isinf(queue_oldest(q)));
	}
	queue_free(q);
	agenda_free(a);
	assert_int_equal(mem.used, before);
}

/* --- the queue --- */

static enum queue_says
put(struct queue *q, uint32_t e, double at, enum overlap overlap)
{
	struct agenda_due d = { e, at, REASON_SCHEDULED };

	return queue_put(q, &d, overlap, at);
}

static void
taken(struct queue *q, int e)
{
	struct queue_item it;

	if (e < 0)
		assert_false(queue_take(q, &it));
	else {
		assert_true(queue_take(q, &it));
		assert_int_equal(it.entry, e);
	}
}

static void
test_queue(void **state)
{
	struct queue *q = queue_new(&mem, 5, 2);
	struct agenda_due hand = { 4, NUM_NIL, REASON_BY_HAND };
	struct queue_item it;

	(void)state;
	/* by due time, not as they came */
	assert_int_equal(put(q, 0, 20, OVERLAP_SKIP), QUEUE_WAITS);
	assert_int_equal(put(q, 1, 10, OVERLAP_SKIP), QUEUE_WAITS);
	assert_int_equal(put(q, 2, 20, OVERLAP_SKIP), QUEUE_WAITS);
	assert_int_equal(queue_put(q, &hand, OVERLAP_SKIP, 15), QUEUE_WAITS);
	assert_int_equal(put(q, 0, 21, OVERLAP_KILL), QUEUE_HAS_PLACE);
	assert_int_equal(queue_skipped(q, 0), 1);
	assert_int_equal(queue_waiting(q), 4);
	assert_true(queue_oldest(q) == 10);
	taken(q, 1);
	assert_true(queue_take(q, &it));
	assert_true(it.entry == 4 && it.at == 15 && num_is_nil(it.due) &&
	    it.reason == REASON_BY_HAND);
	taken(q, -1);			/* two run */
	assert_int_equal(queue_running(q), 2);
	/* could not be started: again, at its place */
	queue_back(q, &it);
	assert_int_equal(queue_running(q), 1);
	taken(q, 4);
	queue_ended(q, 4);
	taken(q, 0);
	queue_most(q, 3);
	taken(q, 2);
	taken(q, -1);
	queue_ended(q, 0);
	queue_ended(q, 2);
	/* 1 runs still */
	assert_true(queue_runs(q, 1) && !queue_waits(q, 1));
	assert_int_equal(put(q, 1, 30, OVERLAP_SKIP), QUEUE_SKIPPED);
	assert_int_equal(put(q, 1, 40, OVERLAP_QUEUE), QUEUE_WAITS);
	assert_int_equal(put(q, 1, 50, OVERLAP_QUEUE), QUEUE_HAS_PLACE);
	assert_int_equal(queue_skipped(q, 1), 2);
	assert_true(queue_oldest(q) == 40);
	assert_int_equal(put(q, 3, 41, OVERLAP_QUEUE), QUEUE_WAITS);
	taken(q, 3);
	taken(q, -1);			/* 1 waits for its own end */
	queue_ended(q, 1);
	assert_true(queue_take(q, &it) && it.entry == 1 && it.due == 40);
	assert_int_equal(put(q, 1, 60, OVERLAP_KILL), QUEUE_KILL);
	assert_int_equal(put(q, 1, 70, OVERLAP_KILL), QUEUE_HAS_PLACE);
	/* what came meanwhile is later than what could not be started */
	queue_back(q, &it);
	assert_int_equal(queue_waiting(q), 1);
	assert_int_equal(queue_skipped(q, 1), 4);
	assert_true(queue_take(q, &it) && it.entry == 1 && it.due == 40);
	assert_int_equal(queue_drop(q, 1), 0);
	assert_int_equal(put(q, 1, 80, OVERLAP_QUEUE), QUEUE_WAITS);
	assert_int_equal(queue_drop(q, 1), 1);
	queue_ended(q, 1);
	taken(q, -1);
	assert_int_equal(put(q, 0, 90, OVERLAP_SKIP), QUEUE_WAITS);
	assert_int_equal(put(q, 2, 90, OVERLAP_SKIP), QUEUE_WAITS);
	assert_int_equal(queue_drop(q, AGENDA_ALL), 2);
	taken(q, -1);
	assert_int_equal(queue_running(q), 1);
	queue_free(q);
}

static void
test_queue_keep(void **state)
{
	struct queue *q = queue_new(&mem, 4, 2), *p;
	static const uint32_t from[] = { AGENDA_NONE, 3, 0, 1 };

	(void)state;
	put(q, 0, 1, OVERLAP_SKIP);
	put(q, 2, 2, OVERLAP_SKIP);
	taken(q, 0);
	taken(q, 2);
	put(q, 0, 3, OVERLAP_QUEUE);
	put(q, 1, 5, OVERLAP_QUEUE);
	put(q, 3, 5, OVERLAP_QUEUE);
	put(q, 2, 6, OVERLAP_QUEUE);
	assert_int_equal(queue_waiting(q), 4);
	p = queue_new(&mem, 4, 2);
	assert_int_equal(queue_keep(p, q, from), 1);
	queue_free(q);
	assert_int_equal(queue_running(p), 2);
	assert_true(queue_runs(p, 2) && !queue_runs(p, 1));
	taken(p, -1);
	put(p, 0, 5, OVERLAP_SKIP);	/* comes after those of that time */
	queue_ended(p, AGENDA_NONE);	/* the run of one that is gone */
	taken(p, 3);			/* 1 it was, and came before 3 */
	queue_ended(p, 2);
	taken(p, 2);
	taken(p, -1);
	queue_ended(p, 3);
	taken(p, 1);
	queue_ended(p, 1);
	taken(p, 0);
	queue_free(p);
}

/* --- the heap, against a search --- */

static bool
less(const void *arg, uint32_t x, uint32_t y)
{
	const int *key = arg;

	return key[x] < key[y] || (key[x] == key[y] && x < y);
}

static void
test_heap(void **state)
{
	int key[50];
	uint32_t at[50], pos[50], i, n, first, seed = 1;
	struct heap h = { at, pos, 0, less, key };
	bool in[50] = { false };

	(void)state;
	heap_init(&h, 50);
	for (n = 0; n < 20000; n++) {
		seed = seed * 1103515245 + 12345;
		i = seed >> 16 & 0xff;
		if (i < 50) {
			key[i] = (int)(seed >> 8 & 31);
			heap_put(&h, i);
			in[i] = true;
		} else if (i < 95) {
			heap_out(&h, i - 50);
			in[i - 50] = false;
		}
		first = HEAP_OUT;
		for (i = 0; i < 50; i++)
			if (in[i] && (first == HEAP_OUT || less(key, i,
			    first)))
				first = i;
		assert_int_equal(h.n > 0 ? h.at[0] : HEAP_OUT, first);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_missed),
		cmocka_unit_test(test_set),
		cmocka_unit_test(test_start),
		cmocka_unit_test(test_reload),
		cmocka_unit_test(test_changed),
		cmocka_unit_test(test_pause),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_queue),
		cmocka_unit_test(test_queue_keep),
		cmocka_unit_test(test_heap),
	};

	mem_init(&mem, SIZE_MAX, NULL);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
