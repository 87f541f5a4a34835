/* image_walk: what parts hold, written and read by the same functions. */
#include "lang/base/num.h"
#include "engine/image/image_inner.h"

#define LEN_NIL		UINT32_MAX	/* a length that no text has */

uint64_t
io_int(struct image_io *io, unsigned bytes, uint64_t v)
{
	unsigned i;

	if (io->out != NULL) {
		for (i = 0; i < bytes; i++)
			buf_putc(io->out, (char)(v >> 8 * i));
		return v;
	}
	if (io->left < bytes)
		io->bad = true;
	if (io->bad)
		return 0;
	v = image_get(io->p, bytes);
	io->p += bytes;
	io->left -= bytes;
	return v;
}

static bool
io_bool(struct image_io *io, bool v)
{
	uint64_t b = io_int(io, 1, v);

	if (b > 1)
		io->bad = true;
	return b == 1;
}

/* An enumeration; a value that it has not is damage. */
static unsigned
io_enum(struct image_io *io, unsigned v, unsigned count)
{
	v = (unsigned)io_int(io, 1, v);
	if (v >= count) {
		io->bad = true;
		return 0;
	}
	return v;
}

/* Seconds: a number that is none is damage. */
static double
io_seconds(struct image_io *io, double d)
{
	d = num_of_bits(io_int(io, 8, num_bits(d)));
	if (isfinite(d) && d >= 0)
		return d;
	io->bad = true;
	return 0;
}

struct str
io_str(struct image_io *io, struct str s)
{
	size_t n;

	if (io->out != NULL) {
		io_int(io, 4, str_none(s) ? LEN_NIL : s.n);
		if (!str_none(s))
			buf_add(io->out, s.p, s.n);
		return s;
	}
	n = (size_t)io_int(io, 4, 0);
	if (n == LEN_NIL)
		return STR_NIL;
	if (n > io->left)
		io->bad = true;
	if (io->bad)
		return STR_EMPTY;
	s = arena_dup(io->arena, str_of((const char *)io->p, n));
	io->p += n;
	io->left -= n;
	return s;
}

struct str
io_text(struct image_io *io, struct str s)
{
	s = io_str(io, s);
	if (str_none(s)) {
		io->bad = true;
		s = STR_EMPTY;
	}
	return s;
}

size_t
io_count(struct image_io *io, size_t n, size_t least)
{
	n = (size_t)io_int(io, 4, n);
	if (io->out == NULL && n > io->left / least) {
		io->bad = true;
		return 0;
	}
	return n;
}

static struct str *
io_strs(struct image_io *io, struct str *s, size_t *n)
{
	size_t i;

	*n = io_count(io, *n, 4);
	if (io->out == NULL)
		s = arena_zalloc(io->arena, (*n + 1) * sizeof *s);
	for (i = 0; i < *n; i++)
		s[i] = io_text(io, s[i]);
	return s;
}

void
io_cron(struct image_io *io, struct cron *c)
{
	if (io->out == NULL) {
		if (io->left < CRON_BYTES || !image_cron(io->p, c))
			io->bad = true;
		if (io->bad) {
			memset(c, 0, sizeof *c);
			return;
		}
		io->p += CRON_BYTES;
		io->left -= CRON_BYTES;
		return;
	}
	io_int(io, 8, c->min);
	io_int(io, 4, c->hour);
	io_int(io, 4, c->dom);
	io_int(io, 4, c->month);
	io_int(io, 4, c->dow);
	io_int(io, 2, c->drift);
	io_int(io, 2, (c->either_day ? CRON_EITHER : 0u) |
	    (c->wild ? CRON_WILD : 0u) | (c->has_drift ? CRON_DRIFT : 0u));
}

void
io_where(struct image_io *io, struct image_where *w)
{
	w->conf_name = io_text(io, w->conf_name);
	w->conf_text = io_text(io, w->conf_text);
	w->dir = io_text(io, w->dir);
	w->logdir = io_text(io, w->logdir);
	w->host = io_text(io, w->host);
	w->group = io_strs(io, w->group, &w->ngroup);
}

void
io_alert(struct image_io *io, struct site_alert *a)
{
	struct str *text[] = { &a->nicecmd, &a->mailcmd, &a->lpcmd,
	    &a->execcmd, &a->mailfrom, &a->webhook };
	size_t i;

	a->name = io_text(io, a->name);
	for (i = 0; i < sizeof text / sizeof *text; i++)
		*text[i] = io_str(io, *text[i]);
	a->ntiming = io_count(io, a->ntiming, 4 + CRON_BYTES);
	if (io->out == NULL)
		a->timing = arena_zalloc(io->arena, (a->ntiming + 1) *
		    sizeof *a->timing);
	for (i = 0; i < a->ntiming; i++) {
		a->timing[i].text = io_text(io, a->timing[i].text);
		io_cron(io, &a->timing[i].cron);
	}
	a->every = io_seconds(io, a->every);
	a->drift = (unsigned)io_int(io, 2, a->drift);
	a->timeout = io_seconds(io, a->timeout);
	a->digest = io_seconds(io, a->digest);
	a->has_priority = io_bool(io, a->has_priority);
	a->priority = (int)io_int(io, 1, (uint64_t)(a->priority +
	    PRIORITY_ZERO)) - PRIORITY_ZERO;
	a->mailto = io_strs(io, a->mailto, &a->nmailto);
	a->route = io_strs(io, a->route, &a->nroute);
	a->status = (enum status)io_enum(io, a->status, STATUS_COUNT);
	a->level = (enum level)io_enum(io, a->level, LEVEL_COUNT);
	a->has_level = io_bool(io, a->has_level);
	a->overlap = (enum overlap)io_enum(io, a->overlap, OVERLAP_COUNT);
	a->nalarm = io_count(io, a->nalarm, 5);
}
