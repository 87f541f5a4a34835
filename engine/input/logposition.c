/*
 * logposition: what is kept of a log between runs, as text:
 *
 *	log 2
 *	p PATH				where the log's links led
 *	s OFFSET GONE DATED WHOLE TAIL FIRST HEAD...	a stream; its number is
 *						its place
 *	m OFFSET HASH ...		its marks
 *	f DEV INO SIZE MTIME GONE STREAM	a file; STREAM -: nothing more in it
 *	x DEV INO OFFSET TIMES		a line that stopped the last run
 */
#include <inttypes.h>
#include <stdio.h>

#include "engine/input/logfile_inner.h"

#define HEADLINE	"log 2\n"

static void *
grown(struct logfile *l, void *p, size_t n, size_t *cap, size_t size)
{
	size_t was = *cap;

	if (n < was)
		return p;
	*cap = was == 0 ? 16 : 2 * was;
	return mem_realloc(l->mem, p, was * size, *cap * size);
}

void
log_reserve(struct logfile *l)
{
	l->stream = grown(l, l->stream, 0, &l->capstream, sizeof *l->stream);
	l->seen = grown(l, l->seen, 0, &l->capseen, sizeof *l->seen);
	l->file = grown(l, l->file, 0, &l->capfile, sizeof *l->file);
}

struct log_stream *
log_add_stream(struct logfile *l)
{
	struct log_stream *s;

	l->stream = grown(l, l->stream, l->nstream, &l->capstream,
	    sizeof *l->stream);
	s = &l->stream[l->nstream++];
	memset(s, 0, sizeof *s);
	return s;
}

struct log_seen *
log_add_seen(struct logfile *l)
{
	l->seen = grown(l, l->seen, l->nseen, &l->capseen, sizeof *l->seen);
	return &l->seen[l->nseen++];
}

static int
digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' :
	    c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The next blank-separated number of a line; false: there is none. */
static bool
number(struct str *s, int base, uint64_t *v)
{
	size_t i = 0;
	int d;

	while (i < s->n && s->p[i] == ' ')
		i++;
	*v = 0;
	if (i == s->n || s->p[i] == '\n')
		return false;
	for (; i < s->n && s->p[i] != ' ' && s->p[i] != '\n'; i++) {
		d = digit(s->p[i]);
		if (d < 0 || d >= base ||
		    *v > (UINT64_MAX - (unsigned)d) / (unsigned)base)
			return false;
		*v = *v * (unsigned)base + (unsigned)d;
	}
	*s = str_of(s->p + i, s->n - i);
	return true;
}

/* The first bytes of a text, two digits each. */
static bool
first_bytes(struct str *s, struct log_head *h)
{
	size_t i;
	int a, b;

	for (i = 1; i + 1 < s->n && s->p[i] != ' '; i += 2) {
		a = digit(s->p[i]);
		b = digit(s->p[i + 1]);
		if (a < 0 || b < 0 || h->nfirst == FIRST)
			return false;
		h->first[h->nfirst++] = (char)(a << 4 | b);
	}
	*s = str_of(s->p + i, s->n - i);
	return h->nfirst > 0;
}

static bool
stream_line(struct logfile *l, struct str s)
{
	struct log_stream *t = log_add_stream(l);
	uint64_t gone, dated, h;

	if (!number(&s, 10, &t->print.offset) || !number(&s, 10, &gone) ||
	    !number(&s, 10, &dated) || !number(&s, 16, &t->print.whole) ||
	    !number(&s, 16, &t->print.tail))
		return false;
	t->print.dated = dated != 0;
	t->gone = gone < UINT_MAX ? (unsigned)gone : UINT_MAX;
	if (!first_bytes(&s, &t->print.head))
		return false;
	while (number(&s, 16, &h)) {
		if (t->print.head.n == HEADS)
			return false;
		t->print.head.hash[t->print.head.n++] = h;
	}
	return s.n == 0 && t->print.offset > 0;
}

/* The marks of the last stream, ascending, none behind its offset. */
static bool
mark_line(struct logfile *l, struct str s)
{
	struct log_print *t;
	struct log_mark m;

	if (l->nstream == 0)
		return false;
	t = &l->stream[l->nstream - 1].print;
	while (number(&s, 10, &m.offset)) {
		if (!number(&s, 16, &m.hash) || t->nmark == MARKS ||
		    m.offset < LOG_TAIL || m.offset > t->offset ||
		    (t->nmark > 0 && m.offset <= t->mark[t->nmark - 1].offset))
			return false;
		t->mark[t->nmark++] = m;
	}
	return s.n == 0;
}

static bool
file_line(struct logfile *l, struct str s)
{
	struct log_seen *t = log_add_seen(l);
	uint64_t mtime, gone, stream;

	if (!number(&s, 10, &t->dev) || !number(&s, 10, &t->ino) ||
	    !number(&s, 10, &t->size) || !number(&s, 16, &mtime) ||
	    !number(&s, 10, &gone))
		return false;
	t->gone = gone < LIM_LOG_MISSED ? (unsigned)gone : LIM_LOG_MISSED;
	t->mtime = (int64_t)mtime;
	t->stream = NO_STREAM;
	if (str_eq(s, STR_LIT(" -")))
		return true;
	if (!number(&s, 10, &stream) || s.n > 0 || stream >= l->nstream)
		return false;
	t->stream = (uint32_t)stream;
	return true;
}

static bool
stop_line(struct logfile *l, struct str s)
{
	uint64_t n;

	if (!number(&s, 10, &l->stop_dev) || !number(&s, 10, &l->stop_ino) ||
	    !number(&s, 10, &l->stop_offset) || !number(&s, 10, &n) ||
	    s.n > 0)
		return false;
	l->stops = n < LIM_LOG_STOPS ? (unsigned)n : LIM_LOG_STOPS;
	return true;
}

bool
log_decode(struct logfile *l, struct str s)
{
	struct str line;
	size_t at;
	char kind;
	bool good = true;

	if (!str_starts(s, HEADLINE))
		return false;
	at = sizeof HEADLINE - 1;
	while (good && at < s.n) {
		size_t e = str_find(s, '\n', at);

		if (e == s.n || e - at < 2 || s.p[at + 1] != ' ')
			return false;
		kind = s.p[at];
		line = str_of(s.p + at + 1, e - at - 1);
		at = e + 1;
		switch (kind) {
		case 's':
			/* before the files that name them */
			good = l->nseen == 0 && stream_line(l, line);
			break;
		case 'm':
			good = l->nseen == 0 && mark_line(l, line);
			break;
		case 'f':
			good = file_line(l, line);
			break;
		case 'x':
			good = stop_line(l, line);
			break;
		case 'p':
			good = line.n - 1 < sizeof l->old_real;
			if (good) {
				memcpy(l->old_real, line.p + 1, line.n - 1);
				l->old_real[line.n - 1] = '\0';
			}
			break;
		default:
			good = false;
		}
	}
	return good;
}

void
log_encode(const struct logfile *l, struct buf *b)
{
	const struct log_stream *s;
	const struct log_seen *f;
	size_t i;
	unsigned k;

	buf_puts(b, HEADLINE);
	if (l->real[0] != '\0' && strchr(l->real, '\n') == NULL)
		buf_printf(b, "p %s\n", l->real);
	for (i = 0; i < l->nstream; i++) {
		s = &l->stream[i];
		buf_printf(b, "s %" PRIu64 " %u %d %" PRIx64 " %" PRIx64,
		    s->print.offset, s->gone, s->print.dated, s->print.whole,
		    s->print.tail);
		buf_putc(b, ' ');
		for (k = 0; k < s->print.head.nfirst; k++)
			buf_printf(b, "%02x",
			    (unsigned char)s->print.head.first[k]);
		for (k = 0; k < s->print.head.n; k++)
			buf_printf(b, " %" PRIx64, s->print.head.hash[k]);
		buf_putc(b, '\n');
		if (s->print.nmark == 0)
			continue;
		buf_putc(b, 'm');
		for (k = 0; k < s->print.nmark; k++)
			buf_printf(b, " %" PRIu64 " %" PRIx64,
			    s->print.mark[k].offset, s->print.mark[k].hash);
		buf_putc(b, '\n');
	}
	for (i = 0; i < l->nseen; i++) {
		f = &l->seen[i];
		buf_printf(b, "f %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIx64
		    " %u", f->dev, f->ino, f->size, (uint64_t)f->mtime,
		    f->gone);
		if (f->stream == NO_STREAM)
			buf_puts(b, " -\n");
		else
			buf_printf(b, " %" PRIu32 "\n", f->stream);
	}
	if (l->stops > 0)
		buf_printf(b, "x %" PRIu64 " %" PRIu64 " %" PRIu64 " %u\n",
		    l->stop_dev, l->stop_ino, l->stop_offset, l->stops);
}
