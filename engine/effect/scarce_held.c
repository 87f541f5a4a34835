/* scarce_held: what a script's runs leave while nobody can be asked for it. */
#include <string.h>

#include "lang/base/num.h"
#include "engine/effect/scarce.h"

#define LIM_HELD	(256u * 1024)	/* bytes of a script's values: what is for
				 * an emergency keeps a few; of more the first */

void
scarce_held_init(struct scarce_held *h, struct mem *mem)
{
	memset(h, 0, sizeof *h);
	buf_init(&h->values, mem);
	h->incidents = mem_zalloc(mem, sizeof *h->incidents);
	incidents_init(h->incidents, mem);
}

void
scarce_held_free(struct scarce_held *h)
{
	struct mem *mem = h->values.mem;

	buf_free(&h->values);
	incidents_free(h->incidents);
	mem_free(mem, h->incidents, sizeof *h->incidents);
}

/* NIL and ERR are texts without bytes. */
static void
put(struct buf *b, struct str s)
{
	buf_add(b, (const char *)&s.n, sizeof s.n);
	buf_putc(b, (char)(str_none(s) ? 'N' : 'T'));
	if (!str_none(s))
		buf_add(b, s.p, s.n);
}

static struct str
get(struct str *rest)
{
	struct str s = STR_NIL;

	memcpy(&s.n, rest->p, sizeof s.n);
	if (rest->p[sizeof s.n] == 'T')
		s.p = rest->p + sizeof s.n + 1;
	*rest = str_of(rest->p + sizeof s.n + 1, rest->n - sizeof s.n - 1);
	if (s.p != NULL)
		*rest = str_of(rest->p + s.n, rest->n - s.n);
	return s;
}

static void
add_value(void *arg, struct str key, bool number, struct str name,
    struct str element, struct str text)
{
	struct buf *b = arg;

	if (b->n + key.n + name.n + element.n + text.n > LIM_HELD)
		return;
	put(b, key);
	buf_putc(b, number ? '#' : '$');
	put(b, name);
	put(b, element);
	put(b, text);
}

void
scarce_previous(const struct scarce_held *h, host_value_fn *fn, void *arg)
{
	struct str rest = buf_view(&h->values), key, name, element, text;
	bool number;

	while (rest.n > 0) {
		key = get(&rest);
		number = rest.p[0] == '#';
		rest = str_of(rest.p + 1, rest.n - 1);
		name = get(&rest);
		element = get(&rest);
		text = get(&rest);
		fn(arg, key, number, name, element, text);
	}
}

bool
scarce_load(struct scarce_held *h, struct state *st,
    const struct state_owner *o)
{
	const struct param of[] = { PT(o->alert), PT(o->script) };
	struct mem *mem = h->values.mem;
	struct scarce_held now;

	scarce_held_init(&now, mem);
	if (!state_values(st, o, add_value, &now.values) ||
	    !state_runs(st, o, &now.runs) || !incidents_load(now.incidents,
	    st, Q_INCIDENT_OF_NOW, of)) {
		scarce_held_free(&now);
		return false;
	}
	scarce_held_free(h);
	*h = now;
	return true;
}

/* What the run has not given anew of its lines' keys stays. */
struct leave {
	struct buf	*to;
	struct str	 fresh;		/* what it has given */
};

static bool
has_key(struct str rest, struct str key)
{
	struct str k;
	int i;

	while (rest.n > 0) {
		k = get(&rest);
		rest = str_of(rest.p + 1, rest.n - 1);
		for (i = 0; i < 3; i++)
			(void)get(&rest);
		if (str_eq(k, key))
			return true;
	}
	return false;
}

static void
stays(void *arg, struct str key, bool number, struct str name,
    struct str element, struct str text)
{
	struct leave *l = arg;

	if (!str_none(key) && !has_key(l->fresh, key))
		add_value(l->to, key, number, name, element, text);
}

void
scarce_leave(struct scarce_held *h, const struct outcome *out)
{
	struct leave l = { .to = NULL };
	struct buf now;

	buf_init(&now, h->values.mem);
	outcome_each(out, add_value, &now);
	l.to = &now;
	l.fresh = buf_view(&now);
	if (h->values.n > 0) {
		(void)buf_room(&now, h->values.n);	/* fresh must stay */
		l.fresh = buf_view(&now);
		scarce_previous(h, stays, &l);
	}
	buf_free(&h->values);
	h->values = now;
	h->runs++;
}

void
scarce_step(struct scarce_held *h, const struct state_owner *o,
    const struct incident_seen *seen, double now, bool good)
{
	struct incident_run run = { .now = now, .good = good,
	    .complete = good };
	struct arena *a = &h->incidents->arena;
	struct incident_seen own = *seen;
	const struct incident *other;
	struct incident *in;
	bool is_new;

	own.key = arena_dup(a, seen->key);
	own.place = arena_dup(a, seen->place);
	if (!str_none(own.message))
		own.message = arena_dup(a, own.message);
	if (!str_none(own.evidence))
		own.evidence = arena_dup(a, own.evidence);
	if (!str_none(own.unless))
		own.unless = arena_dup(a, own.unless);
	other = str_none(own.unless) ? NULL : incidents_find(h->incidents,
	    own.unless);
	in = incidents_add(h->incidents, own.key, &is_new);
	(void)incident_observe(in, &own, &run, other != NULL &&
	    other->state == INCIDENT_FIRES);
	in->alert = arena_dup(a, o->alert);
	in->script = arena_dup(a, o->script);
}
