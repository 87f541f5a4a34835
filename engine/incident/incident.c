#include "engine/incident/incident.h"

#include "lang/base/num.h"
#include "engine/builtin/checksum.h"
#include "engine/vm/when.h"

const char *const incident_state_name[INCIDENT_STATES] = {
	"quiet", "pending", "firing"
};
const char *const incident_end_name[END_KINDS] = {
	"", "resolved", "not seen any more", "withdrawn"
};

#define CHANGES	(INCIDENT_FLAPS + 1)	/* one more than is no flapping */

/* The times of changes, the newest first. */
static void
changes_of(struct incident *in, double *at[CHANGES])
{
	double *const all[] = { &in->change1, &in->change2, &in->change3,
	    &in->change4, &in->change5, &in->change6 };

	_Static_assert(sizeof all == CHANGES * sizeof *at,
	    "fields.def has a field for each");
	memcpy(at, all, sizeof all);
}

void
incident_new(struct incident *in, struct str key)
{
	memset(in, 0, sizeof *in);
	in->key = key;
#define S(name) in->name = STR_EMPTY;
#define N(name)
#define F_RUN(type, name, meaning) type(name)
#define F_TOLD(type, name, meaning) type(name)
#define F_HUMAN(type, name, meaning) type(name)
#include "engine/incident/fields.def"
#undef S
#undef N
#undef F_RUN
#undef F_TOLD
#undef F_HUMAN
}

bool
incident_is_of(const struct incident *in, struct str alert, struct str script,
    double now)
{
	if (in->script.n == 0 || (str_eq(in->alert, alert) &&
	    str_eq(in->script, script)))
		return true;
	return in->state == INCIDENT_QUIET && (in->how == END_WITHDRAWN ||
	    fabs(now - in->seen) >= INCIDENT_LEFT);
}

void
incident_id(struct str host, struct str key, char id[INCIDENT_ID + 1])
{
	char text[CHECKSUM_TEXT];
	struct checksum c;

	checksum_init(&c, CHECKSUM_SHA256);
	checksum_add(&c, host.p, host.n);
	checksum_add(&c, "", 1);
	checksum_add(&c, key.p, key.n);
	checksum_end(&c, text);
	memcpy(id, text, INCIDENT_ID);
	id[INCIDENT_ID] = '\0';
}

void
incident_clock(struct incident *in, double now)
{
	double *const times[] = { &in->since, &in->fired, &in->ended, &in->seen,
	    &in->told_at, &in->told_onset, &in->told_fired, &in->told_ack,
	    &in->acked_at };
	double *change[CHANGES];
	size_t i, recent = 0;

	if (now <= 0)		/* before 1970: 0 means never, so it stays */
		return;
	for (i = 0; i < sizeof times / sizeof times[0]; i++)
		if (*times[i] > now)
			*times[i] = now;
	changes_of(in, change);
	for (i = 0; i < CHANGES; i++) {
		if (*change[i] > now)
			*change[i] = now;
		if (now - *change[i] >= INCIDENT_FLAP_TIME)
			*change[i] = 0;
		recent += *change[i] != 0;
	}
	if (recent <= INCIDENT_CALM)
		in->flapping = 0;
}

/* It fires or ends: one more change of the last hour. */
static void
changes(struct incident *in, double now)
{
	double *change[CHANGES];
	size_t i;

	changes_of(in, change);
	for (i = CHANGES - 1; i > 0; i--)
		*change[i] = *change[i - 1];
	*change[0] = now;
	if (*change[CHANGES - 1] != 0)
		in->flapping = 1;
}

static enum incident_verdict
fire(struct incident *in, double now)
{
	bool flapped = in->flapping != 0;

	changes(in, now);
	if (in->state == INCIDENT_QUIET)
		in->since = now;
	in->state = INCIDENT_FIRES;
	/* while it flaps it is the episode in which that began: so it has one
	 * onset and one end for those who hear of it */
	if (!flapped) {
		in->episode++;
		in->fired = now;
	}
	in->ended = 0;
	in->how = END_NONE;
	in->unknown = 0;
	return VERDICT_ONSET;
}

static enum incident_verdict
end(struct incident *in, enum incident_end how, double now)
{
	in->state = INCIDENT_QUIET;
	in->ended = now;
	in->how = how;
	in->missed = in->unknown = in->blind = 0;
	return VERDICT_CLEAR;
}

static struct str
given(struct str s)
{
	return str_none(s) ? STR_EMPTY : s;
}

/* At most LIM_INCIDENT_TEXT bytes, no character of UTF-8 in half. */
static struct str
cut(struct str s)
{
	if (s.n <= LIM_INCIDENT_TEXT)
		return given(s);
	s.n = LIM_INCIDENT_TEXT;
	while (s.n > LIM_INCIDENT_TEXT - 4 && (s.p[s.n] & 0xc0) == 0x80)
		s.n--;
	return s;
}

/* A change that only a complete run may make. */
static bool
may(struct incident *in, const struct incident_run *run)
{
	in->unknown = run->complete ? 0 : in->unknown + 1;
	return run->complete;
}

/* The condition asks whether it begins. */
static enum incident_verdict
ask_when(struct incident *in, const struct incident_seen *seen,
    const struct incident_run *run)
{
	bool holds = num_true(seen->when);

	if (holds && in->hold <= 0)
		return fire(in, run->now);
	if (!run->good)
		return VERDICT_NOTHING;
	if (num_none(seen->when))
		in->unknown++;
	else if (!holds) {
		if (in->state == INCIDENT_QUIET || may(in, run)) {
			in->state = INCIDENT_QUIET;
			in->unknown = 0;
		}
	} else if (in->state == INCIDENT_QUIET) {
		if (may(in, run)) {
			in->state = INCIDENT_PENDING;
			in->since = run->now;
		}
	} else if (run->now - in->since < in->hold)
		in->unknown = 0;
	else if (may(in, run))
		return fire(in, run->now);
	return VERDICT_NOTHING;
}

/* It fires, and is asked whether that is over. */
static enum incident_verdict
ask_until(struct incident *in, const struct incident_seen *seen,
    const struct incident_run *run)
{
	if (!run->good)
		return VERDICT_NOTHING;
	if (num_none(seen->when) || (seen->has_until &&
	    num_none(seen->until))) {
		in->unknown++;
		return VERDICT_NOTHING;
	}
	if (num_true(seen->when) ||
	    (seen->has_until && !num_true(seen->until))) {
		in->unknown = 0;
		return VERDICT_NOTHING;
	}
	if (!may(in, run))
		return VERDICT_NOTHING;
	changes(in, run->now);
	return end(in, END_RESOLVED, run->now);
}

enum incident_verdict
incident_observe(struct incident *in, const struct incident_seen *seen,
    const struct incident_run *run, bool blocked)
{
	enum incident_verdict v;
	bool open = in->state != INCIDENT_QUIET;

	incident_clock(in, run->now);
	in->level = seen->level;
	in->hold = seen->hold;
	in->remind = seen->remind;
	in->absent = seen->absent;
	in->unless = given(seen->unless);
	in->place = given(seen->place);
	incident_inhibit(in, blocked);
	in->missed = 0;
	v = in->state == INCIDENT_FIRES ? ask_until(in, seen, run) :
	    ask_when(in, seen, run);
	in->blind = run->good || in->state == INCIDENT_QUIET ? 0 :
	    in->blind + 1;
	if (run->good)
		in->seen = run->now;
	/* what a run says that failed is not known to be so, but for the onset
	 * that it makes */
	if ((run->good || v == VERDICT_ONSET) &&
	    (open || in->state != INCIDENT_QUIET)) {
		if (num_true(seen->when) && !str_none(seen->message))
			in->message = cut(seen->message);
		if (!str_none(seen->evidence))
			in->evidence = cut(seen->evidence);
	}
	return v;
}

void
incident_missed(struct incident *in, const struct incident_run *run)
{
	double absent = in->absent > 0 ? in->absent : INCIDENT_ABSENT;

	incident_clock(in, run->now);
	if (!run->good) {
		if (in->state != INCIDENT_QUIET)
			in->blind++;
		return;
	}
	in->blind = 0;
	if (!run->complete)
		return;
	if (in->state == INCIDENT_PENDING)
		in->state = INCIDENT_QUIET;
	if (in->state == INCIDENT_QUIET) {
		/* it is not there, so nothing of it is unknown */
		in->missed = in->unknown = 0;
		return;
	}
	if (++in->missed < absent)
		return;
	changes(in, run->now);
	(void)end(in, END_ABSENT, run->now);
}

enum incident_verdict
incident_nodata(struct incident *in, const struct incident_seen *seen,
    const struct incident_run *run)
{
	struct incident_run here = { run->now, true, true };
	struct incident_seen s = *seen;
	double missed = run->good ? 0 : in->missed + 1;
	enum incident_verdict v;

	s.when = missed >= INCIDENT_UNKNOWN;
	s.until = run->good;
	s.has_until = true;
	s.hold = 0;
	v = incident_observe(in, &s, &here, false);
	in->missed = missed;
	return v;
}

/* That is no change of what is watched, and no flapping. */
void
incident_withdraw(struct incident *in, double now)
{
	double *change[CHANGES];
	size_t i;

	incident_clock(in, now);
	if (in->state == INCIDENT_FIRES)
		(void)end(in, END_WITHDRAWN, now);
	in->state = INCIDENT_QUIET;
	in->missed = in->unknown = in->blind = in->flapping = 0;
	in->inhibited = STR_EMPTY;
	changes_of(in, change);
	for (i = 0; i < CHANGES; i++)
		*change[i] = 0;
}

void
incident_inhibit(struct incident *in, bool blocked)
{
	in->inhibited = blocked ? in->unless : STR_EMPTY;
}

double
incident_duration(const struct incident *in, double now)
{
	double d;

	if (in->episode == 0)
		return NUM_NIL;
	d = (in->state == INCIDENT_FIRES ? now : in->ended) - in->fired;
	return d > 0 ? d : 0;
}

bool
incident_is_unknown(const struct incident *in)
{
	return in->unknown >= INCIDENT_UNKNOWN ||
	    (in->state != INCIDENT_QUIET && in->unknown + in->blind > 0);
}

bool
incident_is_acked(const struct incident *in)
{
	return in->state == INCIDENT_FIRES && in->acked == in->episode;
}
