#include "lang/base/num.h"

#include <stdio.h>
#include <stdlib.h>

static size_t
int_text(uint64_t u, bool minus, char *out)
{
	char t[20];
	size_t n = 0, i = 0;

	do
		t[n++] = (char)('0' + u % 10);
	while ((u /= 10) != 0);
	if (minus)
		out[i++] = '-';
	while (n > 0)
		out[i++] = t[--n];
	return i;
}

/*
 * Most fractions that people meet have a few decimals.  If m / 10^k is the
 * very number and m has at most 15 digits, no shorter form reads back the
 * same, and no printf is needed.
 */
static size_t
short_text(double d, char *out)
{
	static const double ten[] = { 1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6 };
	double a = fabs(d), m;
	uint64_t whole, part, unit = 1;
	size_t n;
	int k, i;

	if (a < 1e-4 || a > 1e9)
		return 0;
	for (k = 1; k <= 6; k++) {
		unit *= 10;
		m = floor(a * ten[k] + 0.5);
		if (m < 1e15 && m / ten[k] == a)
			break;
	}
	if (k > 6)
		return 0;
	whole = (uint64_t)m / unit;
	part = (uint64_t)m % unit;
	n = int_text(whole, d < 0, out);
	out[n] = '.';
	for (i = k; i > 0; i--) {
		out[n + (size_t)i] = (char)('0' + part % 10);
		part /= 10;
	}
	return n + 1 + (size_t)k;
}

size_t
num_text(double d, char out[NUM_TEXT_MAX])
{
	struct str none;
	size_t n, i;
	int digits;

	if (num_none(d)) {
		none = str_shown(num_is_nil(d) ? STR_NIL : STR_ERR);
		memcpy(out, none.p, none.n);
		return none.n;
	}
	if (num_is_int(d))
		return int_text((uint64_t)fabs(d), d < 0, out);
	n = short_text(d, out);
	if (n > 0)
		return n;
	for (digits = 15; ; digits++) {
		n = (size_t)snprintf(out, NUM_TEXT_MAX, "%.*g", digits, d);
		if (digits == 17 || strtod(out, NULL) == d)
			break;
	}
	for (i = 0; i < n; i++)
		if (out[i] == ',')	/* whoever embeds us may have a locale */
			out[i] = '.';
	return n;
}

/*
 * Reading.  A decimal is digits and an exponent of ten; up to 15 digits with
 * a small exponent are one exact multiplication or division.
 */

#define DIGITS_MAX	800	/* a double's exact form has at most 767 */
#define EXPONENT_MAX	100000

static bool
digit(char c)
{
	return c >= '0' && c <= '9';
}

static double
slow(const char *p, const char *end, long exp10)
{
	char t[DIGITS_MAX + 32];
	bool rest = false;
	size_t n = 0;

	/* The digits as an integer: no point, so no locale can matter. */
	for (; p < end; p++) {
		if (*p == '.' || (n == 0 && *p == '0'))
			continue;
		if (n < DIGITS_MAX)
			t[n++] = *p;
		else {
			rest = rest || *p != '0';
			exp10++;
		}
	}
	if (n == 0)
		return 0;
	if (rest) {		/* so that a tie is seen to be none */
		t[n++] = '1';
		exp10--;
	}
	snprintf(t + n, sizeof t - n, "e%ld", exp10);
	return strtod(t, NULL);
}

/* Digits, point, exponent at *pp; shift is added to the exponent of ten. */
static bool
decimal(const char **pp, const char *end, bool exponent, long shift,
    double *out)
{
	static const double ten[] = { 1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7,
	    1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18,
	    1e19, 1e20, 1e21, 1e22 };
	const char *p = *pp, *start = p, *mantissa, *q;
	long exp10 = shift, e = 0;
	uint64_t m = 0;
	size_t ndigit = 0, nsig = 0;
	bool minus;

	for (; p < end && digit(*p); p++, ndigit++)
		if (nsig > 0 || *p != '0') {
			if (++nsig <= 19)
				m = m * 10 + (uint64_t)(*p - '0');
		}
	if (p < end && *p == '.') {
		p++;
		for (; p < end && digit(*p); p++, ndigit++) {
			if (exp10 > -EXPONENT_MAX)
				exp10--;
			else
				return false;
			if (nsig > 0 || *p != '0') {
				if (++nsig <= 19)
					m = m * 10 + (uint64_t)(*p - '0');
			}
		}
	}
	if (ndigit == 0)
		return false;
	mantissa = p;
	if (exponent && p < end && (*p == 'e' || *p == 'E')) {
		q = p + 1;
		minus = q < end && *q == '-';
		if (q < end && (*q == '-' || *q == '+'))
			q++;
		if (q < end && digit(*q)) {
			for (; q < end && digit(*q); q++)
				if (e < EXPONENT_MAX)
					e = e * 10 + (*q - '0');
			exp10 += minus ? -e : e;
			p = q;
		}
	}
	*pp = p;
	if (nsig <= 15 && exp10 >= -22 && exp10 <= 22)
		*out = exp10 < 0 ? (double)m / ten[-exp10] :
		    (double)m * ten[exp10];
	else
		*out = slow(start, mantissa, exp10);
	return num_fine(*out);
}

double
num_parse(struct str s, bool percent)
{
	const char *p, *end, *start;
	bool minus;
	double d;

	if (str_none(s))
		return NUM_NIL;
	s = str_trim(s);
	p = s.p;
	end = p + s.n;
	minus = p < end && *p == '-';
	if (p < end && (*p == '-' || *p == '+'))
		p++;
	percent = percent && p < end && end[-1] == '%';
	if (percent)
		end--;
	start = p;
	/* The percent is part of the exponent: 52% is 0.52 to the last bit. */
	if (p == end || !decimal(&p, end, true, percent ? -2 : 0, &d) ||
	    p != end || start == end)
		return NUM_NIL;
	return minus ? -d : d;
}

static char
lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

double
num_parse_size(struct str s)
{
	static const char unit[] = "kmgtpe";
	const char *p, *end, *u;
	bool minus;
	double d;

	if (str_none(s))
		return NUM_NIL;
	s = str_trim(s);
	p = s.p;
	end = p + s.n;
	minus = p < end && *p == '-';
	if (p < end && (*p == '-' || *p == '+'))
		p++;
	/* No exponent: 2E is two exbibytes. */
	if (!decimal(&p, end, false, 0, &d))
		return NUM_NIL;
	while (p < end && (*p == ' ' || *p == '\t'))
		p++;
	if (p < end && *p != '\0' && (u = strchr(unit, lower(*p))) != NULL) {
		d *= (double)(UINT64_C(1024) << 10 * (u - unit));
		p++;
		if (p + 1 < end && lower(*p) == 'i' && lower(p[1]) == 'b')
			p++;
		else if (p + 1 == end && lower(*p) == 'i')
			p++;		/* 5Gi, as Kubernetes writes it */
	}
	if (p < end && lower(*p) == 'b')
		p++;
	if (p != end || !num_fine(d))
		return NUM_NIL;
	return minus ? -d : d;
}

/* [days-][[hours:]minutes:]seconds, as ps writes it. */
static double
clock_text(const char *p, const char *end)
{
	double part[3], days = 0, d;
	const char *q;
	size_t n = 0;

	for (q = p; q < end && digit(*q); q++)
		;
	if (q < end && *q == '-') {
		if (!decimal(&p, q, false, 0, &days))
			return NUM_NIL;
		p = q + 1;
	}
	for (;;) {
		for (q = p; q < end && *q != ':'; q++)
			if (!digit(*q) && *q != '.')
				return NUM_NIL;
		if (q < end && memchr(p, '.', (size_t)(q - p)) != NULL)
			return NUM_NIL;	/* only seconds have a fraction */
		if (n == 3 || !decimal(&p, q, false, 0, &part[n]) || p != q)
			return NUM_NIL;
		if (n > 0 && part[n] >= 60)
			return NUM_NIL;
		n++;
		if (q == end)
			break;
		p = q + 1;
	}
	if (n < 2)
		return NUM_NIL;
	d = n == 2 ? part[0] * 60 + part[1] :
	    (part[0] * 60 + part[1]) * 60 + part[2];
	return days * 86400 + d;
}

double
num_parse_duration(struct str s)
{
	static const char unit[] = "wdhms";
	static const double seconds[] = { 604800, 86400, 3600, 60, 1 };
	const char *p, *end, *u;
	double d, sum = 0;
	ptrdiff_t last = -1;

	if (str_none(s))
		return NUM_NIL;
	s = str_trim(s);
	p = s.p;
	end = p + s.n;
	d = num_parse(s, false);
	if (!num_none(d))
		return d;
	if (memchr(s.p, ':', s.n) != NULL) {
		d = clock_text(p, end);
		return num_fine(d) ? d : NUM_NIL;
	}
	do {
		if (!decimal(&p, end, false, 0, &d) || p == end || *p == '\0')
			return NUM_NIL;
		u = strchr(unit, lower(*p));
		if (u == NULL || u - unit <= last)
			return NUM_NIL;
		last = u - unit;
		sum += d * seconds[last];
		for (p++; p < end && (*p == ' ' || *p == '\t'); p++)
			;
	} while (p < end);
	return num_fine(sum) ? sum : NUM_NIL;
}
