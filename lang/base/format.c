#include "lang/base/format.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>

#include "lang/base/num.h"

#define STRINGIFY(x)	#x
#define TEXT_OF(x)	STRINGIFY(x)

/* Of two numbers of LIM_FORMAT_FIELD digits, point, sign, exponent. */
#define FIELD_MAX	(2 * LIM_FORMAT_FIELD + 512)

static bool
digits(const char **p, const char *end, int *out)
{
	int n = 0;

	for (; *p < end && **p >= '0' && **p <= '9'; ++*p)
		if (n <= LIM_FORMAT_FIELD)
			n = n * 10 + (**p - '0');
	*out = n;
	return n <= LIM_FORMAT_FIELD;
}

static bool
conversion(const char **at, const char *end, struct format_part *part,
    const char **why)
{
	const char *p = *at + 1;
	size_t nflag = 0;

	for (; p < end && *p != '\0' && strchr("-+ #0", *p) != NULL; p++)
		if (memchr(part->flags, *p, nflag) == NULL)
			part->flags[nflag++] = *p;
	if (!digits(&p, end, &part->width)) {
		*why = "width above " TEXT_OF(LIM_FORMAT_FIELD);
		return false;
	}
	if (p < end && *p == '.') {
		p++;
		if (!digits(&p, end, &part->prec)) {
			*why = "precision above " TEXT_OF(LIM_FORMAT_FIELD);
			return false;
		}
	}
	if (p == end) {
		*why = "ends within a conversion; write %% for a percent sign";
		return false;
	}
	if (*p == '\0' || strchr("sdiuxXocfFeEgG", *p) == NULL) {
		*why = *p == '*' ? "a width or precision is a number, not *" :
		    "a conversion ends in one of s d i u x X o c f e g; "
		    "write %% for a percent sign";
		return false;
	}
	part->conv = *p;
	*at = p + 1;
	return true;
}

bool
format_next(struct str *fmt, struct format_part *part, const char **why)
{
	const char *p = fmt->p, *end = p + fmt->n, *e;

	*part = (struct format_part){ .prec = -1 };
	if (fmt->n >= 2 && p[0] == '%' && p[1] == '%') {
		part->text = str_of(p, 1);
		p += 2;
	} else if (*p == '%') {
		if (!conversion(&p, end, part, why))
			return false;
	} else {
		e = memchr(p, '%', fmt->n);
		if (e == NULL)
			e = end;
		part->text = str_of(p, (size_t)(e - p));
		p = e;
	}
	*fmt = str_of(p, (size_t)(end - p));
	return true;
}

static void
pad(struct buf *b, size_t n)
{
	if (n == 0)
		return;
	memset(buf_room(b, n), ' ', n);
	b->n += n;
}

void
format_text(struct buf *b, const struct format_part *part, struct str s)
{
	size_t fill;

	s = str_shown(s);
	if (part->prec >= 0 && (size_t)part->prec < s.n && part->conv == 's')
		s.n = (size_t)part->prec;
	fill = s.n < (size_t)part->width ? (size_t)part->width - s.n : 0;
	if (strchr(part->flags, '-') != NULL) {
		buf_add(b, s.p, s.n);
		pad(b, fill);
	} else {
		pad(b, fill);
		buf_add(b, s.p, s.n);
	}
}

/*
 * The printf conversion that fits the number: integers as 64 bits (negative
 * ones in two's complement where there is no sign, as in Perl), beyond that
 * as a float without decimals.
 */
void
format_number(struct buf *b, const struct format_part *part, double d)
{
	char spec[16], out[FIELD_MAX], c;
	bool given = part->prec >= 0;
	struct str none;
	int n, i;

	if (num_none(d)) {
		none = num_is_nil(d) ? STR_NIL : STR_ERR;
		format_text(b, part, none);
		return;
	}
	if (part->conv == 'c') {
		c = (char)(unsigned char)(d >= 0 && d < 256 ? d : '?');
		format_text(b, part, str_of(&c, 1));
		return;
	}
	snprintf(spec, sizeof spec, "%%%s*.*", part->flags);
	n = (int)strlen(spec);
	if (strchr("di", part->conv) != NULL && fabs(d) < 0x1p63) {
		memcpy(spec + n, "jd", 3);
		n = snprintf(out, sizeof out, spec, part->width, part->prec,
		    (intmax_t)d);
	} else if (strchr("uxXo", part->conv) != NULL && d > -0x1p63 &&
	    d < 0x1p64) {
		spec[n] = 'j';
		spec[n + 1] = part->conv;
		spec[n + 2] = '\0';
		n = snprintf(out, sizeof out, spec, part->width, part->prec,
		    d < 0 ? (uintmax_t)(intmax_t)d : (uintmax_t)d);
	} else if (strchr("diuxXo", part->conv) != NULL) {
		memcpy(spec + n, "f", 2);
		n = snprintf(out, sizeof out, spec, part->width, 0, trunc(d));
	} else {
		spec[n] = part->conv;
		spec[n + 1] = '\0';
		n = snprintf(out, sizeof out, spec, part->width,
		    given ? part->prec : -1, d);
		for (i = 0; i < n; i++)
			if (out[i] == ',')	/* an embedder's locale */
				out[i] = '.';
	}
	buf_add(b, out, (size_t)n);
}

bool
format_check(struct str fmt, char *kinds, size_t max, size_t *n,
    const char **why)
{
	struct format_part part;

	for (*n = 0; fmt.n > 0; ) {
		if (!format_next(&fmt, &part, why))
			return false;
		if (part.conv == '\0')
			continue;
		if (*n == max) {
			*why = "too many conversions";
			return false;
		}
		kinds[(*n)++] = part.conv == 's' ? 's' : 'n';
	}
	return true;
}
