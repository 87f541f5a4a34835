#include "engine/deliver/compose_inner.h"

#include <ctype.h>

#include "engine/deliver/address.h"
#include "engine/deliver/encode.h"

#define MAIL_COLUMN	78	/* RFC 5322 2.1.1: lines should end here */
#define LIM_ID_PART	100	/* bytes of a run id or host in a Message-ID */

bool
compose_section_speaks(const struct mail_section *s)
{
	return s->lines.n > 0 || s->error.n > 0 || s->nchange > 0 ||
	    s->interrupted;
}

/* The script's own, if it said anything itself, or that of a change. */
enum level
compose_section_level(const struct mail_section *s)
{
	enum level l = s->level, of;
	size_t i;

	if (s->nchange > 0 && s->lines.n == 0 && s->error.n == 0 &&
	    !s->interrupted)
		l = LEVEL_DEBUG;
	for (i = 0; i < s->nchange; i++) {
		of = compose_level_of(s->change[i].incident->level);
		if (of < l)
			l = of;
	}
	return l;
}

enum level
compose_level(const struct mail *m)
{
	enum level l = LEVEL_DEBUG, of;
	size_t i;

	for (i = 0; i < m->nsection; i++) {
		of = compose_section_level(&m->section[i]);
		if (compose_section_speaks(&m->section[i]) && of < l)
			l = of;
	}
	return l;
}

static size_t
speakers(const struct mail *m)
{
	size_t i, n = 0;

	for (i = 0; i < m->nsection; i++)
		n += compose_section_speaks(&m->section[i]);
	return n;
}

bool
compose_speaks(const struct mail *m)
{
	return speakers(m) > 0;
}

/* The change that is all there is, or NULL. */
static const struct change *
only_change(const struct mail *m)
{
	const struct mail_section *s, *found = NULL;
	size_t i;

	for (i = 0; i < m->nsection; i++) {
		s = &m->section[i];
		if (!compose_section_speaks(s))
			continue;
		if (found != NULL || s->nchange != 1 || s->lines.n > 0 ||
		    s->error.n > 0 || s->interrupted)
			return NULL;
		found = s;
	}
	return found == NULL ? NULL : found->change;
}

static void
subject_of_change(struct buf *b, const struct change *c)
{
	struct str s = str_trim(c->incident->message);

	buf_puts(b, ": [");
	incident_says(c->incident, c->what, c->now, b);
	buf_puts(b, "] ");
	if (s.n == 0)
		s = c->incident->key;
	buf_add(b, s.p, str_find(s, '\n', 0));
}

void
compose_subject(const struct mail *m, struct buf *out)
{
	const struct change *c = only_change(m);
	struct buf plain;
	struct str s = m->subject;
	size_t i;

	buf_init(&plain, out->mem);
	for (i = 0; i < s.n; i++) {
		if (s.p[i] != '%' || i + 1 == s.n) {
			buf_putc(&plain, s.p[i]);
			continue;
		}
		switch (s.p[++i]) {
		case 'h':
			buf_str(&plain, m->host);
			break;
		case 'a':
			buf_str(&plain, m->alert);
			break;
		case '%':
			buf_putc(&plain, '%');
			break;
		default:
			buf_putc(&plain, '%');
			buf_putc(&plain, s.p[i]);
		}
	}
	if (c != NULL)
		subject_of_change(&plain, c);
	buf_escaped(out, buf_view(&plain), LIM_SUBJECT);
	buf_free(&plain);
}

void
compose_indent(struct buf *b, size_t n)
{
	memset(buf_room(b, n), ' ', n);
	b->n += n;
}

/* Columns: characters, not bytes; wide ones are rare in host names. */
static size_t
columns(struct str s)
{
	size_t i, n = 0;

	for (i = 0; i < s.n; i++)
		n += ((unsigned char)s.p[i] & 0xc0) != 0x80;
	return n;
}

static void
centred(struct buf *b, struct str text)
{
	size_t from, n, pad;

	from = b->n;
	buf_escaped(b, text, LIM_HEADER_DATA);
	n = columns(str_of(b->p + from, b->n - from));
	/* at least one blank: see compose.h on column one */
	pad = n < COMPOSE_WIDTH - 1 ? (COMPOSE_WIDTH - n) / 2 : 1;
	buf_room(b, pad);
	memmove(b->p + from + pad, b->p + from, b->n - from);
	memset(b->p + from, ' ', pad);
	b->n += pad;
	buf_putc(b, '\n');
}

static void
level_heading(struct buf *b, enum level l)
{
	const char *p;

	buf_putc(b, '\n');
	for (p = level_name[l]; *p != '\0'; p++)
		buf_putc(b, (char)toupper((unsigned char)*p));
	buf_puts(b, ":\n");
}

static void
data_line(struct buf *b, struct str line, size_t column)
{
	if (line.n > 0) {
		compose_indent(b, column);
		encode_line(b, line);
	}
	buf_putc(b, '\n');
}

/* A first line that is too long is cut: it says more than none.  What counts
 * is what they become: indented, a million lines of one byte are ten. */
void
compose_lines(struct buf *b, struct str lines, size_t column, size_t max,
    size_t nline)
{
	size_t at, end, from, n = 0, left = 0, room = b->n + max;
	struct str line;

	for (at = 0; at < lines.n; at = end + 1) {
		end = str_find(lines, '\n', at);
		line = str_of(lines.p + at, end - at);
		if (((end > max || b->n + column + line.n > room) && at > 0) ||
		    (nline > 0 && n++ == nline))
			break;
		if (line.n > max) {
			compose_indent(b, column);
			buf_escaped(b, line, max);
			buf_putc(b, '\n');
			continue;
		}
		data_line(b, line, column);
	}
	if (at >= lines.n)
		return;
	for (from = at; from < lines.n; from = str_find(lines, '\n', from) + 1)
		left++;
	compose_indent(b, column);
	buf_printf(b, "[%zu more lines, %zu bytes, are not shown]\n", left,
	    lines.n - at);
}

static void
interrupted(struct buf *b, const struct mail_section *s)
{
	compose_indent(b, (size_t)2 * COMPOSE_INDENT);
	buf_puts(b, s->done.n > 0 ? "[interrupted] the run was killed before "
	    "it could tell of this; it had done or begun:\n" : "[interrupted] the run "
	    "was killed before it could tell of this\n");
	compose_lines(b, s->done, (size_t)3 * COMPOSE_INDENT, LIM_MAIL_SHARE,
	    0);
}

static void
section(struct buf *b, const struct mail_section *s, time_t when, size_t share)
{
	size_t lines = s->nchange > 0 ? share / 2 : share;

	compose_indent(b, COMPOSE_INDENT);
	buf_escaped(b, s->script, 0);
	buf_putc(b, '\n');
	if (s->task.n > 0) {
		compose_indent(b, (size_t)2 * COMPOSE_INDENT);
		buf_escaped(b, s->task, LIM_MAIL_SHARE);
		buf_putc(b, '\n');
	}
	buf_putc(b, '\n');
	compose_lines(b, s->lines, (size_t)2 * COMPOSE_INDENT, lines, 0);
	if (s->error.n > 0) {
		compose_indent(b, (size_t)2 * COMPOSE_INDENT);
		buf_puts(b, "ERROR: ");
		buf_escaped(b, s->error, LIM_MAIL_SHARE);
		buf_putc(b, '\n');
	}
	if (s->interrupted)
		interrupted(b, s);
	compose_changes(b, s, when, share - share / 2);
}

void
compose_head(const struct mail *m, struct buf *out)
{
	char when[TIME_TEXT_MAX];

	encode_ctime(m->when, when);
	centred(out, STR_LIT("PIKT ALERT"));
	centred(out, str_c(when));
	centred(out, m->host);
}

void
compose_body(const struct mail *m, struct buf *out)
{
	size_t i, share, n;
	bool first;
	int l;

	n = speakers(m);
	share = LIM_MAIL_TEXT / (n == 0 ? 1 : n);
	if (share < LIM_MAIL_SHARE)
		share = LIM_MAIL_SHARE;
	compose_head(m, out);
	for (l = 0; l < LEVEL_COUNT; l++) {
		first = true;
		for (i = 0; i < m->nsection; i++) {
			if (!compose_section_speaks(&m->section[i]) ||
			    (int)compose_section_level(&m->section[i]) != l)
				continue;
			if (first)
				level_heading(out, (enum level)l);
			else
				buf_putc(out, '\n');
			first = false;
			section(out, &m->section[i], m->when, share);
		}
	}
}

static void
header_data(struct buf *out, const char *name, struct str value)
{
	struct buf b;

	buf_init(&b, out->mem);
	buf_escaped(&b, value, LIM_HEADER_DATA);
	encode_header(out, name, buf_view(&b));
	buf_free(&b);
}

static void
recipients(struct buf *out, const struct mail *m)
{
	size_t i, column = sizeof "To: " - 1;

	buf_puts(out, "To: ");
	if (m->nto == 0)
		buf_puts(out, "undisclosed-recipients:;");
	for (i = 0; i < m->nto; i++) {
		if (i > 0 && column + m->to[i].n + 3 > MAIL_COLUMN) {
			buf_puts(out, ",\n ");
			column = 1;
		} else if (i > 0) {
			buf_puts(out, ", ");
			column += 2;
		}
		buf_str(out, m->to[i]);
		column += m->to[i].n;
	}
	buf_putc(out, '\n');
}

/* Letters, digits, '.', '-' and '_' as they are, dots not at an end or
 * doubled; everything else as '-'. */
static void
id_part(struct buf *b, struct str s)
{
	size_t i, n = s.n < LIM_ID_PART ? s.n : LIM_ID_PART;
	unsigned char c, before = '.';

	for (i = 0; i < n; i++) {
		c = (unsigned char)s.p[i];
		if (c == '.' ? before == '.' || i + 1 == n :
		    c > 127 || (!isalnum(c) && c != '-' && c != '_'))
			c = '-';
		buf_putc(b, (char)c);
		before = c;
	}
	if (n == 0)
		buf_puts(b, "unknown");
}

void
compose_id(struct str run, unsigned n, struct str host, struct buf *b)
{
	id_part(b, run);
	buf_printf(b, ".%u@", n);
	id_part(b, host);
}

/* An id of ours, or nothing that could be another header. */
static bool
id_fine(struct str id)
{
	size_t i, at = 0;

	for (i = 0; i < id.n; i++) {
		if (id.p[i] <= ' ' || id.p[i] > '~' ||
		    strchr("<>()[]\\,;:\"", id.p[i]) != NULL)
			return false;
		at += id.p[i] == '@';
	}
	return at == 1 && id.n <= LIM_ADDRESS;
}

void
compose_own_id(const struct mail *m, struct buf *b)
{
	if (m->message_id.n > 0 && id_fine(m->message_id)) {
		buf_str(b, m->message_id);
		return;
	}
	id_part(b, m->run_id);
	buf_puts(b, ".picket@");
	id_part(b, m->host);
}

/*
 * The onset's mail of the worst change that is none itself.  One only: a
 * reader takes several for a chain, and would make one thread of all that was
 * ever told in one mail.
 */
static struct str
thread(const struct mail *m)
{
	struct str found = STR_NIL;
	enum level l, worst = LEVEL_DEBUG;
	const struct change *c;
	size_t i, k;

	for (i = 0; i < m->nsection; i++)
		for (k = 0; k < m->section[i].nchange; k++) {
			c = &m->section[i].change[k];
			l = compose_level_of(c->incident->level);
			if (c->what == NOTICE_FIRING ||
			    !id_fine(c->incident->thread) ||
			    (!str_none(found) && l >= worst))
				continue;
			found = c->incident->thread;
			worst = l;
		}
	return found;
}

static void
write_thread(const struct mail *m, struct str own, struct buf *out)
{
	struct str id = thread(m);

	if (str_none(id) || str_eq(id, own))
		return;
	buf_printf(out, "In-Reply-To: <%.*s>\nReferences: <%.*s>\n",
	    (int)id.n, id.p, (int)id.n, id.p);
}

static bool
id_word(struct str s)
{
	size_t i;

	for (i = 0; i < s.n; i++)
		if (!isalnum((unsigned char)s.p[i]))
			return false;
	return s.n > 0;
}

static bool
seen_before(const struct mail *m, size_t i, size_t k)
{
	struct str id = m->section[i].change[k].incident->id;
	size_t j, n;

	for (j = 0; j <= i; j++)
		for (n = 0; n < (j < i ? m->section[j].nchange : k); n++)
			if (str_eq(m->section[j].change[n].incident->id, id))
				return true;
	return false;
}

/* X-Picket-Incident: their ids, each once. */
static void
incidents(const struct mail *m, struct buf *out)
{
	size_t i, k, n = 0;
	struct str id;

	for (i = 0; i < m->nsection; i++)
		for (k = 0; k < m->section[i].nchange; k++) {
			id = m->section[i].change[k].incident->id;
			if (n == LIM_MAIL_IDS || id.n > INCIDENT_ID ||
			    !id_word(id) || seen_before(m, i, k))
				continue;
			buf_puts(out, n == 0 ? "X-Picket-Incident: " :
			    n % 6 == 0 ? ",\n " : ", ");
			buf_str(out, id);
			n++;
		}
	if (n > 0)
		buf_putc(out, '\n');
}

void
compose_write(const struct mail *m, struct str subject, enum level l,
    struct str body, struct buf *out)
{
	char date[TIME_TEXT_MAX];
	bool eight, folded;
	struct buf id;

	buf_init(&id, out->mem);
	compose_own_id(m, &id);
	encode_date(m->when, date);
	folded = encode_survey(body, &eight) > LIM_MAIL_LINE;
	buf_puts(out, "From: ");
	buf_str(out, m->from);
	buf_putc(out, '\n');
	recipients(out, m);
	encode_header(out, "Subject", subject);
	buf_printf(out, "Date: %s\nMessage-ID: <", date);
	buf_str(out, buf_view(&id));
	buf_puts(out, ">\n");
	write_thread(m, buf_view(&id), out);
	buf_printf(out, "MIME-Version: 1.0\n"
	    "Content-Type: text/plain; charset=utf-8\n"
	    "Content-Transfer-Encoding: %s\n"
	    "Auto-Submitted: auto-generated\n",
	    folded ? "quoted-printable" : eight ? "8bit" : "7bit");
	header_data(out, "X-Picket-Host", m->host);
	header_data(out, "X-Picket-Alert", m->alert);
	header_data(out, "X-Picket-Level", str_c(level_name[l]));
	header_data(out, "X-Picket-Run", m->run_id);
	incidents(m, out);
	buf_putc(out, '\n');
	if (folded)
		encode_quoted_printable(out, body);
	else
		buf_str(out, body);
	buf_free(&id);
}

void
compose_message(const struct mail *m, struct str body, struct buf *out)
{
	struct buf subject;

	buf_init(&subject, out->mem);
	compose_subject(m, &subject);
	compose_write(m, buf_view(&subject), compose_level(m), body, out);
	buf_free(&subject);
}

void
compose_readable(const struct mail *m, struct str body, struct buf *out)
{
	recipients(out, m);
	buf_puts(out, "Subject: ");
	compose_subject(m, out);
	buf_puts(out, "\n\n");
	buf_str(out, body);
}
