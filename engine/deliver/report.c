#include "engine/deliver/report.h"

#include "lang/base/num.h"

/* The first word of a text, off its front, with the blank behind it. */
static struct str
word(struct str *s)
{
	size_t i = str_find(*s, ' ', 0);
	struct str w = str_of(s->p, i);

	i += i < s->n;
	*s = str_of(s->p + i, s->n - i);
	return w;
}

/* The recipient whose <ADDRESS> begins the text, or -1. */
static int
recipient(const struct job *j, struct str s)
{
	struct str a;
	size_t i;

	for (i = 0; i < j->nto; i++) {
		a = j->to[i];
		if (s.n > a.n + 2 && s.p[0] == '<' && s.p[a.n + 1] == '>' &&
		    s.p[a.n + 2] == ' ' && memcmp(s.p + 1, a.p, a.n) == 0)
			return (int)i;
	}
	return -1;
}

bool
report_next(struct str *report, const struct job *j, struct report_line *l)
{
	struct str line;
	size_t end;
	int k;

	while (report->n > 0) {
		end = str_find(*report, '\n', 0);
		line = str_of(report->p, end);
		end += end < report->n;
		*report = str_of(report->p + end, report->n - end);
		l->outcome = word(&line);
		l->transport = word(&line);
		l->address = STR_NIL;
		if (!str_eq(l->outcome, STR_LIT("ok")) &&
		    !str_eq(l->outcome, STR_LIT("retry")) &&
		    !str_eq(l->outcome, STR_LIT("fail")))
			continue;
		k = recipient(j, line);
		if (k >= 0) {
			l->address = j->to[k];
			k = (int)l->address.n + 3;
			line = str_of(line.p + k, line.n - (size_t)k);
		}
		l->why = line;
		return true;
	}
	return false;
}

static void
take(struct report *r, struct report_rcpt *c, const struct report_line *l)
{
	c->taken = true;
	c->by = l->transport;
	c->why = l->why;
	r->ntaken++;
}

/* He is among those of whom the attempt as a whole speaks, and stays so: an
 * "ok" was not for him. */
static void
refuse(struct report *r, struct report_rcpt *c, const struct report_line *l,
    bool took)
{
	if (took && c->taken && str_eq(c->by, l->transport)) {
		c->taken = false;
		r->ntaken--;
	}
	c->why = l->why;
	c->refused = c->refused && str_eq(l->outcome, STR_LIT("fail"));
}

/*
 * An attempt's first line speaks of all who had nothing; the lines with an
 * address behind it correct that.  What a "fail" or "retry" as a whole says of
 * one whose own line follows is not counted: relays differ by recipient.
 */
/* "...; again in 90s": 90, else 0. */
static double
asked_wait(struct str why)
{
	struct str rest = why;
	double d = 0;
	char *at;

	while ((at = memmem(rest.p, rest.n, REPORT_AGAIN,
	    sizeof REPORT_AGAIN - 1)) != NULL) {
		at += sizeof REPORT_AGAIN - 1;
		rest = str_of(at, rest.n - (size_t)(at - rest.p));
		d = num_parse_duration(rest);
	}
	return d > 0 ? d : 0;
}

void
report_read(struct report *r, struct str text, const struct job *j)
{
	bool whole[LIM_JOB_RCPT + 1];	/* refused before this attempt */
	struct report_line l;
	bool took = false, again = false;
	double wait;
	size_t i;

	memset(r, 0, sizeof *r);
	r->n = j->nto > 0 ? j->nto : 1;
	for (i = 0; i < r->n; i++) {
		r->rcpt[i].address = j->nto > 0 ? j->to[i] : STR_EMPTY;
		r->rcpt[i].by = r->rcpt[i].why = STR_EMPTY;
		r->rcpt[i].refused = whole[i] = true;
	}
	while (report_next(&text, j, &l)) {
		if (str_none(l.address)) {
			took = str_eq(l.outcome, STR_LIT("ok"));
			if (str_eq(l.outcome, STR_LIT("retry"))) {
				wait = asked_wait(l.why);
				if (!again || wait < r->again)
					r->again = wait;
				again = true;
			}
			for (i = 0; i < r->n; i++) {
				whole[i] = r->rcpt[i].refused;
				if (r->rcpt[i].taken)
					continue;
				if (took)
					take(r, &r->rcpt[i], &l);
				else
					refuse(r, &r->rcpt[i], &l, false);
			}
			r->tried = true;
			continue;
		}
		for (i = 0; i < r->n; i++)
			if (str_eq(r->rcpt[i].address, l.address)) {
				r->rcpt[i].refused = whole[i];
				refuse(r, &r->rcpt[i], &l, took);
			}
	}
	for (i = 0; i < r->n; i++)
		if (r->rcpt[i].taken || !r->tried)
			r->rcpt[i].refused = false;
}

void
report_why(struct str text, const struct job *j, size_t max, struct buf *b)
{
	struct report_line l;
	size_t from = b->n;

	while (report_next(&text, j, &l)) {
		if (str_eq(l.outcome, STR_LIT("ok")))
			continue;
		if (b->n > from)
			buf_puts(b, "; ");
		buf_str(b, l.transport);
		buf_puts(b, ": ");
		if (!str_none(l.address)) {
			buf_putc(b, '<');
			buf_str(b, l.address);
			buf_puts(b, "> ");
		}
		buf_str(b, l.why);
		if (b->n - from > max) {
			b->n = from + max;
			while (b->n > from && (b->p[b->n] & 0xc0) == 0x80)
				b->n--;		/* no half of a character */
			buf_puts(b, "...");
			return;
		}
	}
}
