/* tell_left: what a killed run had said and done. */
#include "engine/deliver/tell_inner.h"

#include "lang/base/num.h"

struct left {
	struct tell	*t;
	struct trail_head *head;
	struct saying	*saying;
	struct buf	 lines, done;	/* of the script at hand */
	struct str	 script;
	enum level	 level;
	bool		 sent;
};

/* The script at hand is whole. */
static void
flush(struct left *l)
{
	struct saying *s;

	if (l->lines.n == 0 && l->done.n == 0)
		return;
	s = tell_saying(l->t, arena_dup(&l->t->arena, l->head->alert),
	    l->script, l->level);
	s->s.interrupted = true;
	s->s.lines = arena_dup(&l->t->arena, buf_view(&l->lines));
	s->s.done = arena_dup(&l->t->arena, buf_view(&l->done));
	buf_clear(&l->lines);
	buf_clear(&l->done);
}

static void
add(struct buf *b, const char *before, struct str text)
{
	buf_puts(b, before);
	buf_str(b, text);
	buf_putc(b, '\n');
}

static void
record(void *arg, enum trail_kind kind, struct str text)
{
	struct left *l = arg;
	double n;

	switch (kind) {
	case TRAIL_SCRIPT:
		flush(l);
		l->script = arena_dup(&l->t->arena, text);
		break;
	case TRAIL_LEVEL:
		n = tell_number(text);
		if (n >= 0 && n < LEVEL_COUNT)
			l->level = (enum level)(int)n;
		break;
	case TRAIL_MAIL:
		add(&l->lines, "", text);
		break;
	case TRAIL_MAIL_TO:
		add(&l->lines, "to ", text);
		break;
	case TRAIL_DID:
		add(&l->done, "", text);
		break;
	case TRAIL_WROTE:
		add(&l->done, "wrote ", text);
		break;
	case TRAIL_SENT:
		l->sent = true;
		break;
	case TRAIL_MORE:
		add(&l->done, "and more that is not on record", STR_EMPTY);
		break;
	default:
		break;
	}
}

static void
is_there(void *arg, const struct str *column, unsigned n)
{
	(void)column;
	*(bool *)arg = n > 0;
}

/* Of each run that has begun there is one row. */
static void
add_row(struct tell *t, const struct trail_head *h)
{
	batch_row(t->batch, Q_RUN_ADD, (struct param[]){ PT(h->run),
	    PT(h->alert), PT(h->origin), PN(h->began), PN(t->now),
	    PT(STR_LIT("interrupted")), PN(NUM_NIL), PN(h->due),
	    PT(h->reason.n > 0 ? h->reason : STR_LIT("by-hand")), PN(NUM_NIL),
	    PT(STR_NIL), PN(h->pid) });
}

bool
tell_left(struct tell *t, struct trail *trail)
{
	struct trail_head head;
	struct left l = { .t = t, .head = &head };
	struct param p;
	bool was_kept = false, some;

	buf_init(&l.lines, t->o.mem);
	buf_init(&l.done, t->o.mem);
	l.script = STR_LIT("a run");
	l.level = LEVEL_WARNING;
	if (trail_left(trail, &head, record, &l)) {
		p = PT(head.run);
		/* it was killed between its commit and its very end */
		if (t->open)
			(void)state_ask(t->o.state, Q_RUN_IS, &p, is_there,
			    &was_kept);
		if (!was_kept)
			flush(&l);
		if (was_kept || l.sent)
			t->tail = &t->saying, t->saying = NULL;
		if (!was_kept)
			add_row(t, &head);
	}
	some = t->saying != NULL || !batch_is_empty(t->batch);
	buf_free(&l.lines);
	buf_free(&l.done);
	return some;
}
