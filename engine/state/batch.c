/* batch: what a run leaves, and rows that change with it, as messages to the
 * store. */
#include "engine/state/batch.h"
#include "engine/state/wire.h"
#include "lang/base/num.h"

#define LIM_PART	256	/* bytes that a part of a batch counts besides its
				 * own: the store's, too, and more than it has */

struct outcome {
	struct mem	*mem;
	struct buf	 names, items;
	uint32_t	 nname;
};

struct outcome *
outcome_new(struct mem *m)
{
	struct outcome *o = mem_zalloc(m, sizeof *o);

	o->mem = m;
	buf_init(&o->names, m);
	buf_init(&o->items, m);
	return o;
}

void
outcome_free(struct outcome *o)
{
	if (o == NULL)
		return;
	buf_free(&o->names);
	buf_free(&o->items);
	mem_free(o->mem, o, sizeof *o);
}

void
outcome_name(struct outcome *o, bool number, struct str name)
{
	wire_u8(&o->names, number);
	wire_text(&o->names, name);
	o->nname++;
}

void
outcome_value(struct outcome *o, struct str key, bool number,
    struct str name, struct str element, struct str text)
{
	wire_u8(&o->items, ITEM_VALUE);
	wire_text(&o->items, key);
	wire_u8(&o->items, number);
	wire_text(&o->items, name);
	wire_text(&o->items, element);
	wire_text(&o->items, text);
}

void
outcome_seen(struct outcome *o, struct str key)
{
	wire_u8(&o->items, ITEM_SEEN);
	wire_text(&o->items, key);
}

void
outcome_position(struct outcome *o, struct str name, struct str position)
{
	wire_u8(&o->items, ITEM_POSITION);
	wire_text(&o->items, name);
	wire_text(&o->items, position);
}

void
outcome_point(struct outcome *o, struct str series, double time, double value)
{
	wire_u8(&o->items, ITEM_POINT);
	wire_text(&o->items, series);
	wire_num(&o->items, time);
	wire_num(&o->items, value);
}

void
outcome_each(const struct outcome *o, state_value_fn *fn, void *arg)
{
	struct wire w = { o->items.p, o->items.n, false };
	struct str key, name, element, text;
	bool number;

	while (w.left > 0 && !w.bad)
		switch (wire_get_u8(&w)) {
		case ITEM_VALUE:
			key = wire_get_text(&w);
			number = wire_get_u8(&w) != 0;
			name = wire_get_given(&w);
			element = wire_get_text(&w);
			text = wire_get_text(&w);
			if (!w.bad)
				fn(arg, key, number, name, element, text);
			break;
		case ITEM_SEEN:
			(void)wire_get_text(&w);
			break;
		case ITEM_POSITION:
			(void)wire_get_text(&w);
			(void)wire_get_text(&w);
			break;
		default:		/* ITEM_POINT */
			(void)wire_get_text(&w);
			(void)wire_get_num(&w);
			(void)wire_get_num(&w);
			break;
		}
}

bool
outcome_is_empty(const struct outcome *o)
{
	return o->nname == 0 && o->items.n == 0;
}

size_t
outcome_size(const struct outcome *o)
{
	return o->names.n + o->items.n;
}

/* What cannot be written is NULL, as NIL is. */
void
batch_params(struct buf *m, enum query query, const struct param *p)
{
	const char *shape = query_shape[query].shape;

	for (; *shape != '\0'; shape++, p++)
		if (*shape == 't')
			wire_text(m, str_none(p->t) ? STR_NIL : p->t);
		else
			wire_num(m, num_fine(p->n) ? p->n : NUM_NIL);
}

struct batch *
batch_new(struct mem *m)
{
	struct batch *b = mem_zalloc(m, sizeof *b);

	b->mem = m;
	return b;
}

struct mem *
batch_mem(const struct batch *b)
{
	return b->mem;
}

void
batch_free(struct batch *b)
{
	struct part *p;

	if (b == NULL)
		return;
	while ((p = b->first) != NULL) {
		b->first = p->next;
		buf_free(&p->m);
		mem_free(b->mem, p, sizeof *p);
	}
	mem_free(b->mem, b, sizeof *b);
}

static struct buf *
add_part(struct batch *b, enum wire_kind kind)
{
	struct part *p = mem_zalloc(b->mem, sizeof *p);

	buf_init(&p->m, b->mem);
	p->rows = kind == WIRE_DO;
	if (b->last == NULL)
		b->first = p;
	else
		b->last->next = p;
	b->last = p;
	b->bytes += LIM_PART;
	wire_begin(&p->m, kind);
	return &p->m;
}

static void
end_part(struct batch *b, struct buf *m, size_t before)
{
	b->bytes += m->n - before;
	wire_end(m);
	if (b->bytes > LIM_BATCH)
		b->refused = "what is to be kept is more than 68M; nothing of "
		    "it was: keep fewer keys or names, or say less";
}
_Static_assert(LIM_BATCH == 68u << 20, "the message says it");

void
batch_row(struct batch *b, enum query query, const struct param *p)
{
	struct buf *m;
	size_t before;

	if (query_shape[query].columns != 0) {
		b->refused = "that is no change but a question";
		return;
	}
	m = b->last != NULL && b->last->rows && b->last->m.n < WIRE_DO_FULL ?
	    &b->last->m : add_part(b, WIRE_DO);
	before = m->n;
	wire_u32(m, query);
	batch_params(m, query, p);
	if (m->n - before > LIM_ROW)
		b->refused = "one text or row is more than 8M; nothing was "
		    "kept: say less";
	end_part(b, m, before);
}
_Static_assert(LIM_ROW == 8u << 20, "the message says it");

void
batch_outcome(struct batch *b, const struct state_owner *o,
    const struct outcome *out, bool ended_well,
    const struct state_expire *expire, double now)
{
	struct buf *m;
	size_t before;

	if (outcome_size(out) > LIM_OUTCOME) {
		b->refused = "the run leaves more than 32M of values; "
		    "nothing of it was kept: keep fewer keys or names";
		return;
	}
	m = add_part(b, WIRE_APPLY);
	before = m->n;
	wire_text(m, o->alert);
	wire_text(m, o->script);
	wire_u8(m, ended_well);
	wire_num(m, expire == NULL ? 0 : expire->runs);
	wire_num(m, expire == NULL ? 0 : expire->seconds);
	wire_num(m, now);
	wire_text(m, buf_view(&out->names));
	buf_str(m, buf_view(&out->items));
	end_part(b, m, before);
}

bool
batch_is_empty(const struct batch *b)
{
	return b->first == NULL && b->refused == NULL;
}
