#include "engine/deliver/compose.h"

#include <ctype.h>

#include "engine/deliver/encode.h"

#define MAIL_COLUMN	78	/* RFC 5322 2.1.1: lines should end here */
#define LIM_ID_PART	100	/* bytes of a run id or host in a Message-ID */

static bool
speaks(const struct mail_section *s)
{
	return s->lines.n > 0 || s->error.n > 0;
}

static size_t
speakers(const struct mail *m)
{
	size_t i, n = 0;

	for (i = 0; i < m->nsection; i++)
		n += speaks(&m->section[i]);
	return n;
}

bool
compose_speaks(const struct mail *m)
{
	return speakers(m) > 0;
}

void
compose_subject(const struct mail *m, struct buf *out)
{
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
	buf_escaped(out, buf_view(&plain), LIM_SUBJECT);
	buf_free(&plain);
}

static void
indent(struct buf *b, size_t n)
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
data_line(struct buf *b, struct str line)
{
	if (line.n > 0) {
		indent(b, (size_t)2 * COMPOSE_INDENT);
		encode_line(b, line);
	}
	buf_putc(b, '\n');
}

/* The script's lines up to its share, whole lines; then what is missing.
 * A first line over the share is cut: it says more than none. */
static void
data_lines(struct buf *b, struct str lines, size_t share)
{
	size_t at, end, from, left = 0;
	struct str line;

	for (at = 0; at < lines.n; at = end + 1) {
		end = str_find(lines, '\n', at);
		line = str_of(lines.p + at, end - at);
		if (end > share && at > 0)
			break;
		if (line.n > share) {
			indent(b, (size_t)2 * COMPOSE_INDENT);
			buf_escaped(b, line, share);
			buf_putc(b, '\n');
			continue;
		}
		data_line(b, line);
	}
	if (at >= lines.n)
		return;
	for (from = at; from < lines.n; from = str_find(lines, '\n', from) + 1)
		left++;
	indent(b, (size_t)2 * COMPOSE_INDENT);
	buf_printf(b, "[%zu more lines, %zu bytes, are not shown]\n", left,
	    lines.n - at);
}

static void
section(struct buf *b, const struct mail_section *s, size_t share)
{
	indent(b, COMPOSE_INDENT);
	buf_escaped(b, s->script, 0);
	buf_putc(b, '\n');
	if (s->task.n > 0) {
		indent(b, (size_t)2 * COMPOSE_INDENT);
		buf_escaped(b, s->task, LIM_MAIL_SHARE);
		buf_putc(b, '\n');
	}
	buf_putc(b, '\n');
	data_lines(b, s->lines, share);
	if (s->error.n > 0) {
		indent(b, (size_t)2 * COMPOSE_INDENT);
		buf_puts(b, "ERROR: ");
		buf_escaped(b, s->error, LIM_MAIL_SHARE);
		buf_putc(b, '\n');
	}
}

void
compose_body(const struct mail *m, struct buf *out)
{
	char when[TIME_TEXT_MAX];
	size_t i, share, n;
	bool first;
	int l;

	n = speakers(m);
	share = LIM_MAIL_TEXT / (n == 0 ? 1 : n);
	if (share < LIM_MAIL_SHARE)
		share = LIM_MAIL_SHARE;
	encode_ctime(m->when, when);
	centred(out, STR_LIT("PIKT ALERT"));
	centred(out, str_c(when));
	centred(out, m->host);
	for (l = 0; l < LEVEL_COUNT; l++) {
		first = true;
		for (i = 0; i < m->nsection; i++) {
			if ((int)m->section[i].level != l ||
			    !speaks(&m->section[i]))
				continue;
			if (first)
				level_heading(out, (enum level)l);
			else
				buf_putc(out, '\n');
			first = false;
			section(out, &m->section[i], share);
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

static const char *
highest_level(const struct mail *m)
{
	enum level l = LEVEL_DEBUG;
	size_t i;

	for (i = 0; i < m->nsection; i++)
		if (speaks(&m->section[i]) && m->section[i].level < l)
			l = m->section[i].level;
	return level_name[l];
}

void
compose_message(const struct mail *m, struct str body, struct buf *out)
{
	char date[TIME_TEXT_MAX];
	struct buf subject;
	bool eight, folded;

	buf_init(&subject, out->mem);
	compose_subject(m, &subject);
	encode_date(m->when, date);
	folded = encode_survey(body, &eight) > LIM_MAIL_LINE;
	buf_puts(out, "From: ");
	buf_str(out, m->from);
	buf_putc(out, '\n');
	recipients(out, m);
	encode_header(out, "Subject", buf_view(&subject));
	buf_printf(out, "Date: %s\nMessage-ID: <", date);
	id_part(out, m->run_id);
	buf_puts(out, ".picket@");
	id_part(out, m->host);
	buf_printf(out, ">\nMIME-Version: 1.0\n"
	    "Content-Type: text/plain; charset=utf-8\n"
	    "Content-Transfer-Encoding: %s\n"
	    "Auto-Submitted: auto-generated\n",
	    folded ? "quoted-printable" : eight ? "8bit" : "7bit");
	header_data(out, "X-Picket-Host", m->host);
	header_data(out, "X-Picket-Alert", m->alert);
	header_data(out, "X-Picket-Level", str_c(highest_level(m)));
	buf_putc(out, '\n');
	if (folded)
		encode_quoted_printable(out, body);
	else
		buf_str(out, body);
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
