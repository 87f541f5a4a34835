/* tell: what there is to tell of an incident, and in which words. */
#include "engine/incident/incident.h"
#include "engine/vm/when.h"

const char *const notice_name[NOTICE_KINDS] = {
	"", "firing", "still firing", "resolved", "unknown", "flapping",
	"acknowledged", "escalated"
};

static enum notice_kind
told(struct incident *in, enum notice_kind kind, double now)
{
	in->told_at = now;
	return kind;
}

/* It lasts, has been told of, and nobody has said that they know. */
static enum notice_kind
remind(struct incident *in, const struct telling *t, unsigned *bit)
{
	const struct escalation *e;
	size_t i;

	if (in->told_held != 0) {
		in->told_held = 0;
		return told(in, NOTICE_STILL, t->now);
	}
	for (i = 0; i < t->nescalation; i++) {
		e = &t->escalation[i];
		if (e->bit >= LIM_ESCALATIONS ||
		    (uint32_t)in->escalated >> e->bit & 1 ||
		    t->now - in->told_onset < e->after)
			continue;
		in->escalated = (uint32_t)in->escalated | UINT32_C(1) << e->bit;
		if (bit != NULL)
			*bit = e->bit;
		return told(in, NOTICE_ESCALATED, t->now);
	}
	if (in->remind > 0 && t->now - in->told_at >= in->remind)
		return told(in, NOTICE_STILL, t->now);
	return NOTICE_NONE;
}

enum notice_kind
incident_tell(struct incident *in, const struct telling *t, unsigned *bit)
{
	bool fires = in->state == INCIDENT_FIRES, free = in->inhibited.n == 0;
	bool lasts = fires && in->told != 0 && in->told == in->episode;

	incident_clock(in, t->now);
	if (in->unknown == 0)
		in->told_unknown = 0;
	if (in->flapping == 0)
		in->told_flapping = 0;
	if (t->held) {
		if (lasts)
			in->told_held = 1;
		return NOTICE_NONE;
	}
	if (in->flapping != 0) {
		/* what is quiet and was not told of says so when it fires */
		if (in->told_flapping != 0 || !free ||
		    (!fires && in->told == 0))
			return NOTICE_NONE;
		in->told_flapping = 1;
		return told(in, NOTICE_FLAPPING, t->now);
	}
	if (in->told != 0 && !lasts) {
		in->told = in->told_held = 0;
		return told(in, NOTICE_RESOLVED, t->now);
	}
	if (fires && free && in->told == 0) {
		in->told = in->episode;
		in->told_onset = t->now;
		in->told_fired = in->fired;
		in->told_held = in->told_ack = in->escalated = 0;
		return told(in, NOTICE_FIRING, t->now);
	}
	if (in->unknown >= INCIDENT_UNKNOWN && free && in->told_unknown == 0) {
		in->told_unknown = 1;
		return told(in, NOTICE_UNKNOWN, t->now);
	}
	if (!lasts)
		return NOTICE_NONE;
	if (incident_is_acked(in)) {
		in->told_held = 0;
		if (in->told_ack != 0)
			return NOTICE_NONE;
		in->told_ack = in->acked_at > 0 ? in->acked_at : t->now;
		return told(in, NOTICE_ACKED, t->now);
	}
	return free ? remind(in, t, bit) : NOTICE_NONE;
}

bool
incident_has_more(const struct incident *in)
{
	return in->state != INCIDENT_QUIET || in->told != 0;
}

static void
span(struct buf *b, double seconds)
{
	char t[WHEN_SPAN_MAX];

	buf_add(b, t, when_span(seconds > 0 ? seconds : 0, t));
}

void
incident_says(const struct incident *in, enum notice_kind kind, double now,
    struct buf *b)
{
	if (kind == NOTICE_RESOLVED && in->how == END_WITHDRAWN)
		buf_puts(b, incident_end_name[END_WITHDRAWN]);
	else
		buf_puts(b, notice_name[kind]);
	switch (kind) {
	case NOTICE_STILL:
		buf_puts(b, ", ");
		span(b, incident_duration(in, now));
		break;
	case NOTICE_RESOLVED:
		/* what has fired again meanwhile has not kept when it ended */
		if (in->state == INCIDENT_FIRES)
			break;
		buf_puts(b, " after ");
		span(b, in->ended - in->told_fired);
		if (in->how == END_ABSENT)
			buf_printf(b, ", %s", incident_end_name[END_ABSENT]);
		break;
	case NOTICE_ACKED:
		buf_puts(b, " by ");
		buf_escaped(b, in->acked_by, 100);
		break;
	case NOTICE_ESCALATED:
		buf_puts(b, ", nobody has acknowledged it for ");
		span(b, now - in->told_onset);
		break;
	default:
		break;
	}
}
