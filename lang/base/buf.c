#include "lang/base/buf.h"

#include <stdint.h>
#include <stdio.h>

#define BUF_FIRST	64

void
buf_init(struct buf *b, struct mem *m)
{
	*b = (struct buf){ .mem = m };
}

void
buf_free(struct buf *b)
{
	mem_free(b->mem, b->p, b->cap);
	b->p = NULL;
	b->n = b->cap = 0;
}

char *
buf_room(struct buf *b, size_t n)
{
	size_t need, cap;

	if (n >= SIZE_MAX / 2 - b->n)
		mem_fail(b->mem, true);
	need = b->n + n + 1;
	if (need > b->cap) {
		cap = b->cap == 0 ? BUF_FIRST : b->cap;
		while (cap < need)
			cap *= 2;
		b->p = mem_realloc(b->mem, b->p, b->cap, cap);
		b->cap = cap;
	}
	return b->p + b->n;
}

void
buf_add(struct buf *b, const char *p, size_t n)
{
	if (n == 0)
		return;
	memcpy(buf_room(b, n), p, n);
	b->n += n;
}

void
buf_str(struct buf *b, struct str s)
{
	s = str_shown(s);
	buf_add(b, s.p, s.n);
}

void
buf_puts(struct buf *b, const char *s)
{
	buf_add(b, s, strlen(s));
}

void
buf_putc(struct buf *b, char c)
{
	*buf_room(b, 1) = c;
	b->n++;
}

void
buf_vprintf(struct buf *b, const char *fmt, va_list ap)
{
	va_list again;
	size_t room;
	int n;

	va_copy(again, ap);
	buf_room(b, BUF_FIRST);
	room = b->cap - b->n;
	n = vsnprintf(b->p + b->n, room, fmt, ap);
	if (n > 0 && (size_t)n >= room) {
		buf_room(b, (size_t)n);
		vsnprintf(b->p + b->n, (size_t)n + 1, fmt, again);
	}
	if (n > 0)
		b->n += (size_t)n;
	va_end(again);
}

void
buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	buf_vprintf(b, fmt, ap);
	va_end(ap);
}

const char *
buf_c(struct buf *b)
{
	*buf_room(b, 0) = '\0';
	return b->p;
}

size_t
buf_shown_char(const char *s, size_t n)
{
	const unsigned char *p = (const unsigned char *)s;
	uint32_t c;
	size_t len, i;

	if (p[0] < 0x80)
		return p[0] >= 0x20 && p[0] != 0x7f;
	if (p[0] >= 0xc2 && p[0] <= 0xdf) {
		len = 2;
		c = p[0] & 0x1f;
	} else if (p[0] >= 0xe0 && p[0] <= 0xef) {
		len = 3;
		c = p[0] & 0x0f;
	} else if (p[0] >= 0xf0 && p[0] <= 0xf4) {
		len = 4;
		c = p[0] & 0x07;
	} else
		return 0;
	if (n < len)
		return 0;
	for (i = 1; i < len; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (p[i] & 0x3f);
	}
	if (len == 3 && (c < 0x800 || (c >= 0xd800 && c <= 0xdfff)))
		return 0;
	if (len == 4 && (c < 0x10000 || c > 0x10ffff))
		return 0;
	if (c < 0xa0 || (c >= 0x2028 && c <= 0x202e) ||
	    (c >= 0x2066 && c <= 0x2069))
		return 0;
	return len;
}

void
buf_escaped(struct buf *b, struct str s, size_t max)
{
	static const char hex[] = "0123456789abcdef";
	const unsigned char *p;
	size_t i, run, len, end;

	s = str_shown(s);
	p = (const unsigned char *)s.p;
	end = s.n;
	if (max != 0 && max < end)
		end = max;
	for (i = run = 0; i < end; ) {
		len = buf_shown_char(s.p + i, s.n - i);
		if (len > end - i)
			break;		/* the cut is inside a character */
		if (len > 0) {
			i += len;
			continue;
		}
		buf_add(b, s.p + run, i - run);
		if (p[i] == '\n')
			buf_add(b, "\\n", 2);
		else if (p[i] == '\t')
			buf_add(b, "\\t", 2);
		else {
			buf_add(b, "\\x", 2);
			buf_putc(b, hex[p[i] >> 4]);
			buf_putc(b, hex[p[i] & 15]);
		}
		run = ++i;
	}
	buf_add(b, s.p + run, i - run);
	if (i < s.n)
		buf_add(b, "...", 3);
}
