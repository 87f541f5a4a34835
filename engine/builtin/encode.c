/* encode: texts for shells, URLs, JSON and wires. */
#include "engine/builtin/arg.h"

static bool
alnum(char ch)
{
	return (ch >= '0' && ch <= '9') || (ch >= 'a' && ch <= 'z') ||
	    (ch >= 'A' && ch <= 'Z');
}

/* In single quotes nothing is special to a shell but the single quote. */
void
bi_quote(struct call *c)
{
	struct buf *b = vm_buf(c->vm);
	struct str s = c->s[0];
	bool plain = s.n > 0;
	size_t i;

	if (arg_none(c) || !arg_c(c, 0))
		return;
	for (i = 0; plain && i < s.n; i++)
		plain = alnum(s.p[i]) || strchr("_@%+=:,./-", s.p[i]) != NULL;
	if (plain) {
		c->rs = s;
		return;
	}
	buf_putc(b, '\'');
	for (i = 0; i < s.n; i++)
		if (s.p[i] == '\'')
			buf_puts(b, "'\\''");
		else
			buf_putc(b, s.p[i]);
	buf_putc(b, '\'');
	c->rs = arg_result(c, b);
}

/* RFC 3986, 2.3: the unreserved characters. */
void
bi_urlencode(struct call *c)
{
	static const char digit[] = "0123456789ABCDEF";
	struct buf *b = vm_buf(c->vm);
	struct str s = c->s[0];
	size_t i;

	if (arg_none(c))
		return;
	for (i = 0; i < s.n; i++) {
		unsigned char ch = (unsigned char)s.p[i];

		if (alnum(s.p[i]) || ch == '-' || ch == '.' || ch == '_' ||
		    ch == '~') {
			buf_putc(b, s.p[i]);
			continue;
		}
		buf_putc(b, '%');
		buf_putc(b, digit[ch >> 4]);
		buf_putc(b, digit[ch & 15]);
	}
	c->rs = arg_result(c, b);
}

/* RFC 4648, 4, with padding, in one line. */
void
bi_base64(struct call *c)
{
	static const char digit[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz0123456789+/";
	const unsigned char *p = (const unsigned char *)c->s[0].p;
	size_t left = c->s[0].n;
	char *out, *o;

	if (arg_none(c))
		return;
	out = o = vm_text(c->vm, (left + 2) / 3 * 4);
	for (; left > 0; p += 3) {
		unsigned b = (unsigned)p[0] << 16;

		if (left > 1)
			b |= (unsigned)p[1] << 8;
		if (left > 2)
			b |= p[2];
		*o++ = digit[b >> 18];
		*o++ = digit[b >> 12 & 63];
		*o++ = left > 1 ? digit[b >> 6 & 63] : '=';
		*o++ = left > 2 ? digit[b & 63] : '=';
		left -= left < 3 ? left : 3;
	}
	c->rs = str_of(out, (size_t)(o - out));
}

void
bi_hex(struct call *c)
{
	static const char digit[] = "0123456789abcdef";
	struct str s = c->s[0];
	char *out;
	size_t i;

	if (arg_none(c))
		return;
	out = vm_text(c->vm, 2 * s.n);
	for (i = 0; i < s.n; i++) {
		out[2 * i] = digit[(unsigned char)s.p[i] >> 4];
		out[2 * i + 1] = digit[(unsigned char)s.p[i] & 15];
	}
	c->rs = str_of(out, 2 * s.n);
}

/* The bytes of the UTF-8 character at p (RFC 3629), 0 if there is none. */
static size_t
utf8_len(const unsigned char *p, size_t n)
{
	size_t len, i;

	if (p[0] < 0x80)
		return 1;
	len = p[0] >= 0xc2 && p[0] <= 0xdf ? 2 :
	    p[0] >= 0xe0 && p[0] <= 0xef ? 3 :
	    p[0] >= 0xf0 && p[0] <= 0xf4 ? 4 : 0;
	if (len == 0 || n < len)
		return 0;
	for (i = 1; i < len; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	/* longer than need be, surrogates, above U+10FFFF */
	if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) ||
	    (p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f))
		return 0;
	return len;
}

/* RFC 8259, 7. */
void
bi_json(struct call *c)
{
	static const char special[] = "\"\\\b\f\n\r\t";
	static const char letter[] = "\"\\bfnrt";
	struct buf *b = vm_buf(c->vm);
	struct str s = c->s[0];
	const unsigned char *p = (const unsigned char *)s.p;
	const char *hit;
	size_t i, len;

	if (str_none(s)) {
		c->rs = s.n == 0 ? STR_LIT("null") : STR_ERR;
		return;
	}
	buf_putc(b, '"');
	for (i = 0; i < s.n; i += len) {
		len = utf8_len(p + i, s.n - i);
		hit = p[i] == 0 ? NULL : strchr(special, s.p[i]);
		if (len == 0) {
			buf_puts(b, "\xef\xbf\xbd");
			len = 1;
		} else if (hit != NULL) {
			buf_putc(b, '\\');
			buf_putc(b, letter[hit - special]);
		} else if (p[i] < 0x20)
			buf_printf(b, "\\u%04x", p[i]);
		else
			buf_add(b, s.p + i, len);
	}
	buf_putc(b, '"');
	c->rs = arg_result(c, b);
}
