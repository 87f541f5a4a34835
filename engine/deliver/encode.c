#include "engine/deliver/encode.h"

#include <stdio.h>

#define QP_LINE		76	/* RFC 2045: at most, with the last '=' */
#define ENCODED_WORD	75	/* RFC 2047 2: at most */
#define WORD_HEAD	"=?utf-8?Q?"
#define WORD_TAIL	"?="

static const char hex[] = "0123456789ABCDEF";

static void
local_time(time_t t, struct tm *tm)
{
	if (localtime_r(&t, tm) == NULL) {
		t = 0;		/* a year beyond int */
		gmtime_r(&t, tm);
	}
}

static const char *
day_name(const struct tm *tm)
{
	static const char *const name[] = { "Sun", "Mon", "Tue", "Wed", "Thu",
	    "Fri", "Sat" };

	return name[tm->tm_wday % 7];
}

static const char *
month_name(const struct tm *tm)
{
	static const char *const name[] = { "Jan", "Feb", "Mar", "Apr", "May",
	    "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };

	return name[tm->tm_mon % 12];
}

void
encode_ctime(time_t t, char out[TIME_TEXT_MAX])
{
	struct tm tm;

	local_time(t, &tm);
	snprintf(out, TIME_TEXT_MAX, "%s %s %2d %02d:%02d:%02d %d",
	    day_name(&tm), month_name(&tm), tm.tm_mday, tm.tm_hour, tm.tm_min,
	    tm.tm_sec, 1900 + tm.tm_year);
}

void
encode_date(time_t t, char out[TIME_TEXT_MAX])
{
	struct tm tm;
	unsigned zone;		/* minutes */

	local_time(t, &tm);
	zone = (unsigned)(tm.tm_gmtoff < 0 ? -tm.tm_gmtoff : tm.tm_gmtoff) /
	    60;
	snprintf(out, TIME_TEXT_MAX, "%s, %d %s %d %02d:%02d:%02d %c%02u%02u",
	    day_name(&tm), tm.tm_mday, month_name(&tm), 1900 + tm.tm_year,
	    tm.tm_hour, tm.tm_min, tm.tm_sec, tm.tm_gmtoff < 0 ? '-' : '+',
	    zone / 60 % 100, zone % 60);
}

/* The bytes of the UTF-8 character at i of a valid text. */
static size_t
char_bytes(struct str s, size_t i)
{
	size_t n = 1;

	while (i + n < s.n && ((unsigned char)s.p[i + n] & 0xc0) == 0x80)
		n++;
	return n;
}

/* Bytes that may stand for themselves in any header: RFC 2047 5 (3). */
static bool
plain_in_word(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c >= '0' && c <= '9') || (c != '\0' && strchr("!*+-/", c) != NULL);
}

static size_t
word_bytes(struct str s, size_t i, size_t n)
{
	size_t j, sum = 0;

	for (j = i; j < i + n; j++)
		sum += plain_in_word((unsigned char)s.p[j]) ||
		    s.p[j] == ' ' ? 1 : 3;
	return sum;
}

static void
encoded_words(struct buf *b, struct str s, size_t column)
{
	size_t i, j, n, need;
	unsigned char c;

	buf_puts(b, WORD_HEAD);
	column += sizeof WORD_HEAD - 1;
	for (i = 0; i < s.n; i += n) {
		n = char_bytes(s, i);
		need = word_bytes(s, i, n);
		if (column + need + sizeof WORD_TAIL - 1 > ENCODED_WORD) {
			buf_puts(b, WORD_TAIL "\n " WORD_HEAD);
			column = sizeof WORD_HEAD;
		}
		for (j = i; j < i + n; j++) {
			c = (unsigned char)s.p[j];
			if (c == ' ')
				buf_putc(b, '_');
			else if (plain_in_word(c))
				buf_putc(b, (char)c);
			else {
				buf_putc(b, '=');
				buf_putc(b, hex[c >> 4]);
				buf_putc(b, hex[c & 15]);
			}
		}
		column += need;
	}
	buf_puts(b, WORD_TAIL);
}

void
encode_header(struct buf *b, const char *name, struct str value)
{
	bool plain = memmem(value.p, value.n, "=?", 2) == NULL;
	size_t i;

	for (i = 0; i < value.n && plain; i++)
		plain = value.p[i] >= ' ' && value.p[i] <= '~';
	buf_printf(b, "%s: ", name);
	if (plain)
		buf_str(b, value);
	else
		encoded_words(b, value, strlen(name) + 2);
	buf_putc(b, '\n');
}

/*
 * Whether the byte at i of a line must be written as =HH.  Blanks at the end
 * get lost on the way; "." and "From " at the start mean something to mail
 * servers and mailboxes.
 */
static bool
qp_coded(struct str line, size_t i)
{
	unsigned char c = (unsigned char)line.p[i];

	if (c == ' ' || c == '\t')
		return i + 1 == line.n;
	if (i == 0 && (c == '.' || str_starts(line, "From ")))
		return true;
	return c == '=' || c < '!' || c > '~';
}

static void
qp_line(struct buf *b, struct str line)
{
	size_t i, need, column = 0;
	unsigned char c;

	for (i = 0; i < line.n; i++) {
		c = (unsigned char)line.p[i];
		need = qp_coded(line, i) ? 3 : 1;
		/* the last byte of the line needs no '=' behind it */
		if (column + need > QP_LINE - (i + 1 < line.n)) {
			buf_puts(b, "=\n");
			column = 0;
			/* a blank after a soft break is none at a line's end,
			 * but a dot there begins a line */
			if (c == '.')
				need = 3;
		}
		if (need == 3) {
			buf_putc(b, '=');
			buf_putc(b, hex[c >> 4]);
			buf_putc(b, hex[c & 15]);
		} else
			buf_putc(b, (char)c);
		column += need;
	}
}

void
encode_quoted_printable(struct buf *b, struct str text)
{
	size_t at, end;

	for (at = 0; at < text.n; at = end + 1) {
		end = str_find(text, '\n', at);
		qp_line(b, str_of(text.p + at, end - at));
		if (end < text.n)
			buf_putc(b, '\n');
	}
}

void
encode_line(struct buf *b, struct str line)
{
	size_t at, tab;

	for (at = 0; at < line.n; at = tab + 1) {
		tab = str_find(line, '\t', at);
		buf_escaped(b, str_of(line.p + at, tab - at), 0);
		if (tab < line.n)
			buf_putc(b, '\t');
	}
}

size_t
encode_survey(struct str text, bool *eight)
{
	size_t at, end, i, longest = 0;

	*eight = false;
	for (at = 0; at < text.n; at = end + 1) {
		end = str_find(text, '\n', at);
		if (end - at > longest)
			longest = end - at;
	}
	for (i = 0; i < text.n && !*eight; i++)
		*eight = ((unsigned char)text.p[i] & 0x80) != 0;
	return longest;
}
