/* incident: every change of state, and what is told of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "lang/base/num.h"
#include "engine/incident/incident.h"

static struct mem mem;
static struct buf said;
static struct incident in;
static struct incident_seen seen;
static struct telling telling;
static double now;

enum { FAILED, PART, WHOLE };	/* how a run went */

static struct incident_run
run(int how)
{
	return (struct incident_run){ now, how != FAILED, how == WHOLE };
}

static int
setup(void **state)
{
	(void)state;
	now = 1e9;
	incident_new(&in, STR_LIT("key"));
	in.id = STR_LIT("3fa2b1c9");
	seen = (struct incident_seen){ .key = in.key, .until = NUM_NIL,
	    .level = LEVEL_CRITICAL, .message = STR_LIT("message"),
	    .evidence = STR_LIT("evidence"), .unless = STR_NIL,
	    .place = STR_LIT("a.pikt:1") };
	telling = (struct telling){ 0 };
	return 0;
}

/* An evaluation `after` seconds later: the verdict's letter. */
static char
see(double after, double when, int how)
{
	struct incident_run r;

	now += after;
	seen.when = when;
	r = run(how);
	return "-OC"[incident_observe(&in, &seen, &r, false)];
}

static char
see_until(double after, double when, double until)
{
	char v;

	seen.has_until = true;
	seen.until = until;
	v = see(after, when, WHOLE);
	seen.has_until = false;
	return v;
}

static void
miss(double after, int how)
{
	struct incident_run r;

	now += after;
	r = run(how);
	incident_missed(&in, &r);
}

/* All that there is to tell, one behind the other. */
static const char *
tell(double after)
{
	enum notice_kind kind;
	unsigned bit;
	int n = 0;

	now += after;
	telling.now = now;
	buf_clear(&said);
	while ((kind = incident_tell(&in, &telling, &bit)) != NOTICE_NONE) {
		assert_true(n++ < 10);
		if (said.n > 0)
			buf_puts(&said, "; ");
		incident_says(&in, kind, now, &said);
	}
	return buf_c(&said);
}

#define STATE(s)	assert_int_equal((int)in.state, INCIDENT_##s)

static void
ack(void)
{
	in.acked = in.episode;
	in.acked_at = now;
	in.acked_by = STR_LIT("ann");
}

static void
begins_and_ends(void **state)
{
	(void)state;
	assert_int_equal(see(0, 0, WHOLE), '-');
	assert_string_equal(tell(0), "");
	assert_true(num_is_nil(incident_duration(&in, now)));
	assert_int_equal(see(60, 1, WHOLE), 'O');
	STATE(FIRES);
	assert_string_equal(tell(0), "firing");
	assert_string_equal(tell(0), "");
	assert_int_equal(see(60, 1, WHOLE), '-');
	assert_string_equal(tell(1e6), "");
	assert_int_equal(see(9120, 0, WHOLE), 'C');
	STATE(QUIET);
	assert_string_equal(tell(0), "resolved after 1w 4d");
	assert_string_equal(tell(0), "");
	assert_int_equal((int)in.how, END_RESOLVED);
	assert_true(incident_duration(&in, now + 50) == 1009180);
	/* the next episode */
	assert_int_equal(see(0, 0, WHOLE), '-');
	assert_int_equal(see(60, 1, WHOLE), 'O');
	assert_true(in.episode == 2 && in.ended == 0 && in.how == END_NONE);
	assert_string_equal(tell(0), "firing");
	assert_true(incident_duration(&in, now + 50) == 50);
}

static void
takes_what_was_seen(void **state)
{
	static char large[LIM_INCIDENT_TEXT + 2];

	(void)state;
	seen.remind = 60;
	seen.absent = 2;
	seen.unless = STR_LIT("other");
	(void)see(0, 0, WHOLE);
	assert_int_equal(in.message.n, 0);
	assert_int_equal(in.evidence.n, 0);
	assert_true(in.level == LEVEL_CRITICAL && in.remind == 60 &&
	    in.absent == 2 && str_eq(in.unless, STR_LIT("other")) &&
	    str_eq(in.place, STR_LIT("a.pikt:1")));
	(void)see(60, 1, WHOLE);
	assert_true(str_eq(in.message, STR_LIT("message")));
	seen.message = STR_LIT("failed");
	(void)see(60, 1, FAILED);
	assert_true(str_eq(in.message, STR_LIT("message")));
	seen.message = STR_NIL;
	seen.evidence = STR_LIT("at the end");
	(void)see(60, 0, WHOLE);
	assert_true(str_eq(in.message, STR_LIT("message")));
	assert_true(str_eq(in.evidence, STR_LIT("at the end")));
	memset(large, 'x', sizeof large);
	memcpy(large + LIM_INCIDENT_TEXT - 1, "\303\251", 2);
	seen.message = str_of(large, sizeof large);
	(void)see(60, 1, WHOLE);
	assert_int_equal(in.message.n, LIM_INCIDENT_TEXT - 1);
}

static void
holds_first(void **state)
{
	(void)state;
	seen.hold = 120;
	assert_int_equal(see(0, 1, WHOLE), '-');
	STATE(PENDING);
	assert_int_equal(see(60, 1, WHOLE), '-');
	assert_string_equal(tell(0), "");
	/* stops: quiet, and it begins anew */
	assert_int_equal(see(10, 0, WHOLE), '-');
	STATE(QUIET);
	assert_int_equal(see(60, 1, WHOLE), '-');
	assert_int_equal(see(119, 1, WHOLE), '-');
	/* runs that do not count neither fire nor reset it */
	assert_int_equal(see(10, 1, FAILED), '-');
	assert_int_equal(see(10, 0, FAILED), '-');
	assert_int_equal(see(10, 1, PART), '-');
	assert_int_equal(see(10, 0, PART), '-');
	STATE(PENDING);
	assert_int_equal(see(10, NUM_NIL, WHOLE), '-');
	STATE(PENDING);
	assert_int_equal(see(10, 1, WHOLE), 'O');
	assert_string_equal(tell(0), "firing");
	assert_true(now - in.since == 179 && in.fired == now);
	assert_int_equal(see(10, 0, WHOLE), 'C');
	/* not from a part, not there any more, and now at once */
	assert_int_equal(see(10, 1, PART), '-');
	STATE(QUIET);
	assert_true(in.unknown == 1);
	assert_int_equal(see(10, 1, WHOLE), '-');
	miss(10, PART);
	miss(10, FAILED);
	STATE(PENDING);
	miss(10, WHOLE);
	STATE(QUIET);
	(void)see(10, 1, WHOLE);
	seen.hold = 0;
	assert_int_equal(see(1, 1, FAILED), 'O');
}

static void
has_hysteresis(void **state)
{
	(void)state;
	assert_int_equal(see_until(0, 0, 1), '-');
	assert_int_equal(see_until(60, 0, 0), '-');
	assert_int_equal(see_until(60, 1, 0), 'O');
	assert_int_equal(see_until(60, 0, 0), '-');
	STATE(FIRES);
	assert_int_equal(see_until(60, 1, 1), '-');
	STATE(FIRES);
	assert_int_equal(see_until(60, NUM_NIL, 1), '-');
	assert_int_equal(see_until(60, 0, NUM_ERR), '-');
	assert_true(in.unknown == 2);
	STATE(FIRES);
	assert_int_equal(see_until(60, 0, 1), 'C');
	/* what does not ask is not heard */
	assert_int_equal(see_until(60, 1, NUM_NIL), 'O');
}

static void
ends_by_whole_runs_only(void **state)
{
	int i;

	(void)state;
	(void)see(0, 1, FAILED);
	STATE(FIRES);
	assert_string_equal(tell(0), "firing");
	for (i = 0; i < 5; i++)
		assert_int_equal(see(60, 0, FAILED), '-');
	assert_true(in.blind == 6 && in.unknown == 0);
	assert_true(incident_is_unknown(&in));
	assert_string_equal(tell(0), "");
	assert_int_equal(see(60, 0, PART), '-');
	assert_int_equal(see(60, 0, PART), '-');
	assert_string_equal(tell(0), "");
	assert_int_equal(see(60, 0, PART), '-');
	assert_string_equal(tell(0), "unknown");
	STATE(FIRES);
	assert_int_equal(see(60, 0, WHOLE), 'C');
	assert_string_equal(tell(0), "resolved after 9m");
}

static void
is_unknown(void **state)
{
	(void)state;
	/* also of what is quiet: who cannot see must say so */
	(void)see(0, NUM_NIL, WHOLE);
	(void)see(60, NUM_NIL, WHOLE);
	(void)see(60, NUM_NIL, FAILED);
	assert_string_equal(tell(0), "");
	assert_false(incident_is_unknown(&in));
	(void)see(60, NUM_NIL, PART);
	assert_string_equal(tell(0), "unknown");
	assert_true(incident_is_unknown(&in));
	(void)see(60, NUM_NIL, WHOLE);
	assert_string_equal(tell(0), "");
	(void)see(60, 0, WHOLE);
	assert_string_equal(tell(0), "");
	assert_false(incident_is_unknown(&in));
	/* known, and it has changed meanwhile */
	(void)see(60, 1, WHOLE);
	assert_string_equal(tell(0), "firing");
	(void)see(60, NUM_NIL, WHOLE);
	(void)see(60, NUM_NIL, WHOLE);
	(void)see(60, NUM_NIL, WHOLE);
	assert_string_equal(tell(0), "unknown");
	STATE(FIRES);
	(void)see(60, 0, WHOLE);
	assert_string_equal(tell(0), "resolved after 4m");
	/* of what is not there nothing is unknown */
	(void)see(60, NUM_NIL, WHOLE);
	miss(60, PART);
	assert_true(in.unknown == 1);
	miss(60, WHOLE);
	assert_true(in.unknown == 0);
}

static void
is_missed(void **state)
{
	(void)state;
	(void)see(0, 1, WHOLE);
	(void)tell(0);
	miss(60, WHOLE);
	miss(60, WHOLE);
	(void)see(60, 1, WHOLE);
	miss(60, WHOLE);
	miss(60, FAILED);
	assert_true(in.blind == 1);
	miss(60, PART);
	assert_true(in.blind == 0);
	miss(60, WHOLE);
	STATE(FIRES);
	assert_string_equal(tell(0), "");
	miss(60, WHOLE);
	STATE(QUIET);
	assert_string_equal(tell(0),
	    "resolved after 8m, not seen any more");
	seen.absent = 1;
	(void)see(60, 1, WHOLE);
	assert_string_equal(tell(0), "firing");
	miss(60, WHOLE);
	STATE(QUIET);
	miss(60, FAILED);
	assert_true(in.blind == 0);
}

static void
is_withdrawn(void **state)
{
	int i;

	(void)state;
	(void)see(0, 1, WHOLE);
	assert_string_equal(tell(0), "firing");
	now += 60;
	incident_withdraw(&in, now);
	STATE(QUIET);
	assert_string_equal(tell(0), "withdrawn after 1m");
	incident_withdraw(&in, now);
	assert_string_equal(tell(0), "");
	seen.hold = 60;
	(void)see(60, 1, WHOLE);
	incident_withdraw(&in, now);
	STATE(QUIET);
	/* even of what flaps: it is over */
	seen.hold = 0;
	for (i = 0; i < 9; i++)
		(void)see(10, i % 2 == 0, WHOLE);
	assert_string_equal(tell(0), "flapping");
	incident_withdraw(&in, now);
	assert_string_equal(tell(0), "");
	assert_true(in.flapping == 0);
	(void)see(10, 1, WHOLE);
	assert_string_equal(tell(0), "firing");
}

static void
reminds(void **state)
{
	(void)state;
	seen.remind = 3600;
	(void)see(0, 1, WHOLE);
	assert_string_equal(tell(0), "firing");
	assert_string_equal(tell(3599), "");
	assert_string_equal(tell(1), "still firing, 1h");
	assert_string_equal(tell(1), "");
	assert_string_equal(tell(86399), "still firing, 1d 1h");
	ack();
	assert_string_equal(tell(60), "acknowledged by ann");
	assert_string_equal(tell(86400), "");
	in.acked_at = now;
	assert_string_equal(tell(86400), "");
	(void)see(60, 0, WHOLE);
	assert_string_equal(tell(0), "resolved after 3d 1h");
	/* the next episode is nobody's */
	(void)see(60, 1, WHOLE);
	assert_false(incident_is_acked(&in));
	assert_string_equal(tell(0), "firing");
	assert_string_equal(tell(3600), "still firing, 1h");
	ack();
	assert_true(incident_is_acked(&in));
	assert_string_equal(tell(0), "acknowledged by ann");
}

static void
escalates(void **state)
{
	static const struct escalation e[] = { { 1800, 0 }, { 3600, 31 },
	    { 0, 32 } };
	unsigned bit = 9;

	(void)state;
	telling.escalation = e;
	telling.nescalation = 3;
	(void)see(0, 1, WHOLE);
	telling.held = true;
	assert_string_equal(tell(7200), "");
	telling.held = false;
	/* counted from when somebody could know */
	assert_string_equal(tell(0), "firing");
	assert_string_equal(tell(1799), "");
	assert_string_equal(tell(1),
	    "escalated, nobody has acknowledged it for 30m");
	assert_string_equal(tell(0), "");
	now += 1800;
	telling.now = now;
	assert_int_equal(incident_tell(&in, &telling, &bit), NOTICE_ESCALATED);
	assert_int_equal(bit, 31);
	assert_string_equal(tell(86400), "");
	(void)see(60, 0, WHOLE);
	(void)tell(0);
	(void)see(60, 1, WHOLE);
	assert_string_equal(tell(0), "firing");
	assert_string_equal(tell(1800),
	    "escalated, nobody has acknowledged it for 30m");
	ack();
	assert_string_equal(tell(0), "acknowledged by ann");
	assert_string_equal(tell(1800), "");
}

static void
is_held(void **state)
{
	(void)state;
	/* not told yet, and it lasts */
	telling.held = true;
	(void)see(0, 1, WHOLE);
	assert_string_equal(tell(0), "");
	telling.held = false;
	assert_string_equal(tell(7200), "firing");
	/* told, and it lasts: once more, as nobody was told meanwhile */
	telling.held = true;
	assert_string_equal(tell(60), "");
	telling.held = false;
	assert_string_equal(tell(60), "still firing, 2h 2m");
	assert_string_equal(tell(0), "");
	/* told, and over meanwhile */
	telling.held = true;
	(void)see(60, 0, WHOLE);
	assert_string_equal(tell(0), "");
	telling.held = false;
	assert_string_equal(tell(3600), "resolved after 2h 3m");
	assert_string_equal(tell(0), "");
	/* never told, and over: nothing */
	telling.held = true;
	(void)see(60, 1, WHOLE);
	(void)tell(0);
	(void)see(60, 0, WHOLE);
	(void)tell(0);
	telling.held = false;
	assert_string_equal(tell(60), "");
	/* told, over, and the next one */
	(void)see(3600, 1, WHOLE);
	assert_string_equal(tell(0), "firing");
	telling.held = true;
	(void)see(60, 0, WHOLE);
	(void)tell(0);
	(void)see(60, 1, WHOLE);
	(void)tell(0);
	telling.held = false;
	assert_string_equal(tell(60), "resolved; firing");
	/* that, and the next one too is over */
	telling.held = true;
	(void)see(60, 0, WHOLE);
	(void)see(3600, 1, WHOLE);
	(void)see(60, 0, WHOLE);
	(void)tell(0);
	telling.held = false;
	assert_string_equal(tell(0), "resolved after 1h 3m");
	assert_string_equal(tell(0), "");
	/* acknowledged meanwhile: that is told, and no more */
	(void)see(86400, 1, WHOLE);
	assert_string_equal(tell(0), "firing");
	telling.held = true;
	(void)tell(0);
	ack();
	(void)tell(0);
	telling.held = false;
	assert_string_equal(tell(0), "acknowledged by ann");
}

static void
is_inhibited(void **state)
{
	struct incident_run r;

	(void)state;
	seen.unless = STR_LIT("cause");
	seen.when = 1;
	seen.remind = 600;
	r = run(WHOLE);
	assert_int_equal(incident_observe(&in, &seen, &r, true), VERDICT_ONSET);
	assert_true(str_eq(in.inhibited, STR_LIT("cause")));
	assert_string_equal(tell(60), "");
	(void)see(60, 1, WHOLE);
	assert_string_equal(tell(0), "firing");
	/* what was told of is not told of again, but for its end */
	incident_inhibit(&in, true);
	assert_string_equal(tell(6000), "");
	r = run(WHOLE);
	seen.when = 0;
	assert_int_equal(incident_observe(&in, &seen, &r, true), VERDICT_CLEAR);
	assert_string_equal(tell(0), "resolved after 1h 42m");
	/* never told: no end either */
	now += 7200;
	r = run(WHOLE);
	seen.when = 1;
	(void)incident_observe(&in, &seen, &r, true);
	assert_string_equal(tell(0), "");
	(void)see(60, 0, WHOLE);
	assert_string_equal(tell(0), "");
	/* unknown is not told while it lasts */
	seen.when = NUM_NIL;
	for (int i = 0; i < 4; i++) {
		r = run(WHOLE);
		(void)incident_observe(&in, &seen, &r, true);
		assert_string_equal(tell(60), "");
	}
	incident_inhibit(&in, false);
	assert_string_equal(tell(0), "unknown");
}

/* Changes until it flaps, the first one an onset: state after n of them. */
static void
flap(int n, double each)
{
	int i;

	for (i = 0; i < n; i++)
		assert_int_equal(see(each, i % 2 == 0, WHOLE),
		    i % 2 == 0 ? 'O' : 'C');
}

static void
flaps(void **state)
{
	(void)state;
	/* five an hour are none */
	flap(5, 60);
	assert_string_equal(tell(0), "firing");
	assert_true(in.flapping == 0);
	/* the sixth is an end */
	(void)see(60, 0, WHOLE);
	assert_true(in.flapping == 1);
	assert_string_equal(tell(0), "flapping");
	assert_string_equal(tell(0), "");
	/* its onsets and ends are of one episode, and not told */
	assert_true(in.episode == 3);
	flap(4, 60);
	assert_string_equal(tell(0), "");
	assert_true(in.episode == 3);
	/* calm when two of an hour are left: then what differs */
	assert_string_equal(tell(3600 - 121), "");
	assert_string_equal(tell(1), "resolved after 5m");
	assert_true(in.flapping == 0);
	assert_string_equal(tell(0), "");
	assert_int_equal(see(0, 1, WHOLE), 'O');
	assert_true(in.episode == 4);
	assert_string_equal(tell(0), "firing");
}

static void
flaps_and_fires_at_last(void **state)
{
	(void)state;
	flap(2, 60);
	assert_string_equal(tell(0), "");
	flap(2, 60);
	(void)tell(0);
	(void)see(60, 1, WHOLE);
	assert_string_equal(tell(0), "firing");
	(void)see(60, 0, WHOLE);
	assert_string_equal(tell(0), "flapping");
	(void)see(60, 1, WHOLE);
	assert_true(in.told == 3 && in.episode == 3 && in.ended == 0);
	/* what was told is so: nothing */
	assert_string_equal(tell(7200), "");
	assert_true(in.flapping == 0);
	(void)see(60, 0, WHOLE);
	assert_string_equal(tell(0), "resolved after 2h 3m");
	/* one that was never told of fires when it has calmed down */
	telling.held = true;
	(void)see(7200, 1, WHOLE);
	(void)see(60, 0, WHOLE);
	flap(5, 60);
	(void)tell(0);
	telling.held = false;
	assert_string_equal(tell(60), "flapping");
	assert_string_equal(tell(7200), "firing");
	/* too slow to flap */
	(void)see(0, 0, WHOLE);
	(void)tell(0);
	flap(40, 720);
	assert_true(in.flapping == 0);
}

static void
clock_goes_back(void **state)
{
	int i;

	(void)state;
	seen.hold = 120;
	(void)see(0, 1, WHOLE);
	(void)see(-86400, 1, WHOLE);
	STATE(PENDING);
	assert_int_equal(see(120, 1, WHOLE), 'O');
	seen.remind = 3600;
	(void)see(0, 1, WHOLE);
	assert_string_equal(tell(0), "firing");
	ack();
	assert_string_equal(tell(0), "acknowledged by ann");
	(void)see(-86400 * 365, 1, WHOLE);
	assert_string_equal(tell(0), "");
	assert_true(in.fired == now && in.told_at == now &&
	    in.acked_at == now && in.told_ack == now && in.since == now &&
	    in.seen == now && in.told_onset == now && in.told_fired == now);
	in.acked = 0;
	assert_string_equal(tell(3600), "still firing, 1h");
	(void)see(60, 0, WHOLE);
	assert_string_equal(tell(0), "resolved after 1h 1m");
	incident_clock(&in, now - 100);
	assert_true(in.ended == now - 100);
	/* it flaps for an hour more, and for no year */
	incident_new(&in, STR_LIT("key"));
	seen.hold = 0;
	for (i = 0; i < 12; i++) {
		(void)see(10, i % 2 == 0, WHOLE);
		(void)tell(0);
	}
	assert_string_equal(tell(-86400 * 365), "");
	assert_true(in.flapping == 1);
	assert_string_equal(tell(3601), "resolved after 0s");
	assert_true(in.flapping == 0);
}

static void
no_data(void **state)
{
	struct incident_run r;
	int i;

	(void)state;
	for (i = 1; i <= 5; i++) {
		r = run(FAILED);
		assert_int_equal(incident_nodata(&in, &seen, &r), i == 3 ?
		    VERDICT_ONSET : VERDICT_NOTHING);
		assert_string_equal(tell(60), i == 3 ? "firing" : "");
	}
	r = run(PART);
	assert_int_equal(incident_nodata(&in, &seen, &r), VERDICT_CLEAR);
	assert_string_equal(tell(60), "resolved after 3m");
	for (i = 0; i < 2; i++) {
		r = run(FAILED);
		(void)incident_nodata(&in, &seen, &r);
	}
	r = run(WHOLE);
	(void)incident_nodata(&in, &seen, &r);
	r = run(FAILED);
	(void)incident_nodata(&in, &seen, &r);
	STATE(QUIET);
	assert_string_equal(tell(60), "");
}

static void
ids(void **state)
{
	char a[INCIDENT_ID + 1], b[INCIDENT_ID + 1];

	(void)state;
	/* sha256sum of "moscow\0mxqueue:moscow" */
	incident_id(STR_LIT("moscow"), STR_LIT("mxqueue:moscow"), a);
	assert_string_equal(a, "7a0b7e0f");
	incident_id(STR_LIT("moscowm"), STR_LIT("xqueue:moscow"), b);
	assert_string_not_equal(a, b);
}

static void
globs(void **state)
{
	static const struct {
		const char *pattern, *text;
		bool match;
	} t[] = {
		{ "", "", true }, { "", "a", false }, { "*", "", true },
		{ "**", "abc", true }, { "a*", "abc", true },
		{ "*c", "abc", true }, { "*b", "abc", false },
		{ "a*b*c", "a--b--b--c", true }, { "a*b*c", "acb", false },
		{ "?", "a", true }, { "?", "", false }, { "??", "a", false },
		{ "disk:/*", "disk:/var/mail", true },
		{ "[abc]", "b", true }, { "[!abc]", "b", false },
		{ "[^abc]", "d", true }, { "[a-c]x", "cx", true },
		{ "[a-c]x", "dx", false }, { "[]]", "]", true },
		{ "[!]]", "]", false }, { "[a-]", "-", true },
		{ "[\\]]", "]", true }, { "[\\a-\\c]", "b", true },
		{ "a[", "a[", true }, { "a[b", "a[b", true },
		{ "a[b", "ab", false }, { "\\*", "*", true },
		{ "\\*", "a", false }, { "a\\", "a\\", true },
		{ "\\[a]", "[a]", true }, { "\377?", "\377\200", true },
		{ "[\200-\377]", "\300", true }, { "*a*a*a*a*b",
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof t / sizeof t[0]; i++)
		if (glob_match(str_c(t[i].pattern), str_c(t[i].text)) !=
		    t[i].match)
			fail_msg("%s on %s", t[i].pattern, t[i].text);
	assert_true(glob_match(STR_LIT("a?b"), STR_LIT("a\0b")));
}

static void
silences(void **state)
{
	struct silence s = { .pattern = STR_LIT("k*"), .made = 1000,
	    .until = 1600 };

	(void)state;
	assert_true(silence_holds(&s, &in, 1000));
	assert_true(silence_holds(&s, &in, 1599));
	assert_false(silence_holds(&s, &in, 1600));
	/* a clock that goes back a little, and a lot */
	assert_true(silence_holds(&s, &in, 500));
	assert_false(silence_holds(&s, &in, 399));
	s.pattern = STR_LIT("other");
	assert_false(silence_holds(&s, &in, 1000));
	s.pattern = in.id;
	assert_true(silence_holds(&s, &in, 1000));
	in.key = STR_LIT("disk[0]");
	assert_true(silence_is_about(STR_LIT("disk[0]"), &in));
	assert_true(silence_is_about(STR_LIT("disk\\[?]"), &in));
	assert_false(silence_is_about(STR_LIT("disk"), &in));
}

#define T(test)	cmocka_unit_test_setup(test, setup)

static void
test_whose(void **state)
{
	struct incident k;

	(void)state;
	incident_new(&k, STR_LIT("disk"));
	/* nobody's */
	assert_true(incident_is_of(&k, STR_LIT("A"), STR_LIT("S"), 1e9));
	k.alert = STR_LIT("A");
	k.script = STR_LIT("S");
	k.seen = 1e9;
	k.how = END_RESOLVED;
	assert_true(incident_is_of(&k, STR_LIT("A"), STR_LIT("S"), 1e9));
	assert_false(incident_is_of(&k, STR_LIT("B"), STR_LIT("S"), 1e9));
	assert_false(incident_is_of(&k, STR_LIT("A"), STR_LIT("T"), 1e9));
	/* left for a day, or the clock was set back */
	assert_false(incident_is_of(&k, STR_LIT("A"), STR_LIT("T"),
	    1e9 + INCIDENT_LEFT - 1));
	assert_true(incident_is_of(&k, STR_LIT("A"), STR_LIT("T"),
	    1e9 + INCIDENT_LEFT));
	assert_true(incident_is_of(&k, STR_LIT("A"), STR_LIT("T"), 1e8));
	/* but never while it lasts */
	k.state = INCIDENT_PENDING;
	assert_false(incident_is_of(&k, STR_LIT("A"), STR_LIT("T"), 2e9));
	k.state = INCIDENT_FIRES;
	assert_false(incident_is_of(&k, STR_LIT("A"), STR_LIT("T"), 2e9));
	k.state = INCIDENT_QUIET;
	k.how = END_WITHDRAWN;
	assert_true(incident_is_of(&k, STR_LIT("A"), STR_LIT("T"), 1e9));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whose),
		T(begins_and_ends), T(takes_what_was_seen), T(holds_first),
		T(has_hysteresis), T(ends_by_whole_runs_only), T(is_unknown),
		T(is_missed), T(is_withdrawn), T(reminds), T(escalates),
		T(is_held), T(is_inhibited), T(flaps),
		T(flaps_and_fires_at_last), T(clock_goes_back), T(no_data),
		T(ids), T(globs), T(silences),
	};
	int r;

	mem_init(&mem, SIZE_MAX, NULL);
	buf_init(&said, &mem);
	r = cmocka_run_group_tests(tests, NULL, NULL);
	buf_free(&said);
	return r;
}
