/*
 * text: characters and strings.  Bytes, never locales; positions from 1.
 * A part of an argument is given as a view of it: no copy.
 */
#include "engine/builtin/arg.h"

#define LIM_REPEAT	(1 << 20)	/* bytes that $repeat and $pad make: a
					 * slip in a count must not fill the
					 * run's memory */

static bool
blank(char ch)
{
	return ch == ' ' || ch == '\t' || ch == '\r' || ch == '\n';
}

static bool
is_lower(char ch)
{
	return ch >= 'a' && ch <= 'z';
}

static bool
is_upper(char ch)
{
	return ch >= 'A' && ch <= 'Z';
}

static char
to_lower(char ch)
{
	return is_upper(ch) ? (char)(ch - 'A' + 'a') : ch;
}

static char
to_upper(char ch)
{
	return is_lower(ch) ? (char)(ch - 'a' + 'A') : ch;
}

/* --- characters --- */

void
bi_code(struct call *c)
{
	if (arg_none(c))
		return;
	c->rn = c->s[0].n == 0 ? NUM_NIL : (unsigned char)c->s[0].p[0];
}

void
bi_char(struct call *c)
{
	int64_t i;
	char ch;

	if (arg_none(c) || !arg_int(c, 0, 0, 255, &i))
		return;
	ch = (char)(unsigned char)i;
	c->rs = vm_dup(c->vm, str_of(&ch, 1));
}

void
bi_dquote(struct call *c)
{
	c->rs = STR_LIT("\"");
}

void
bi_squote(struct call *c)
{
	c->rs = STR_LIT("'");
}

void
bi_newline(struct call *c)
{
	c->rs = STR_LIT("\n");
}

void
bi_tab(struct call *c)
{
	c->rs = STR_LIT("\t");
}

/* --- parts --- */

void
bi_length(struct call *c)
{
	if (!arg_none(c))
		c->rn = (double)c->s[0].n;
}

/* The i-th number as a count of bytes, at most `most`; false: no count. */
static bool
count_arg(struct call *c, unsigned i, size_t most, size_t *out)
{
	int64_t n;

	if (!arg_int(c, i, 0, (int64_t)NUM_EXACT, &n))
		return false;
	*out = (uint64_t)n < most ? (size_t)n : most;
	return true;
}

void
bi_left(struct call *c)
{
	size_t n;

	if (arg_none(c) || !count_arg(c, 0, c->s[0].n, &n))
		return;
	c->rs = str_of(c->s[0].p, n);
}

void
bi_right(struct call *c)
{
	size_t n;

	if (arg_none(c) || !count_arg(c, 0, c->s[0].n, &n))
		return;
	c->rs = str_of(c->s[0].p + (c->s[0].n - n), n);
}

void
bi_mid(struct call *c)
{
	struct str s = c->s[0];
	size_t at, n;
	int64_t from;

	if (arg_none(c) || !arg_int(c, 0, 1, (int64_t)NUM_EXACT, &from))
		return;
	at = (uint64_t)from - 1 < s.n ? (size_t)(from - 1) : s.n;
	n = s.n - at;
	if (c->nn > 1 && !count_arg(c, 1, s.n - at, &n))
		return;
	c->rs = str_of(s.p + at, n);
}

void
bi_chop(struct call *c)
{
	size_t n;

	if (arg_none(c) || !count_arg(c, 0, c->s[0].n, &n))
		return;
	c->rs = str_of(c->s[0].p, c->s[0].n - n);
}

void
bi_chomp(struct call *c)
{
	if (arg_none(c))
		return;
	c->rs = c->s[0];
	if (c->rs.n > 0 && c->rs.p[c->rs.n - 1] == '\n')
		c->rs.n--;
}

void
bi_trim(struct call *c)
{
	if (!arg_none(c))
		c->rs = str_trim(c->s[0]);
}

void
bi_ltrim(struct call *c)
{
	if (arg_none(c))
		return;
	c->rs = c->s[0];
	while (c->rs.n > 0 && blank(c->rs.p[0])) {
		c->rs.p++;
		c->rs.n--;
	}
}

void
bi_rtrim(struct call *c)
{
	if (arg_none(c))
		return;
	c->rs = c->s[0];
	while (c->rs.n > 0 && blank(c->rs.p[c->rs.n - 1]))
		c->rs.n--;
}

void
bi_index(struct call *c)
{
	struct str s = c->s[0], t = c->s[1];
	const char *p;

	if (arg_none(c))
		return;
	p = t.n == 0 ? s.p : memmem(s.p, s.n, t.p, t.n);
	c->rn = p == NULL ? 0 : (double)(p - s.p + 1);
}

void
bi_rindex(struct call *c)
{
	struct str s = c->s[0], t = c->s[1];
	size_t i;

	if (arg_none(c))
		return;
	c->rn = 0;
	if (t.n > s.n)
		return;
	for (i = s.n - t.n + 1; i-- > 0; )
		if (t.n == 0 || memcmp(s.p + i, t.p, t.n) == 0) {
			c->rn = (double)(i + 1);
			return;
		}
}

/* --- changes --- */

static void
each_byte(struct call *c, char (*fn)(char))
{
	struct str s = c->s[0];
	char *out;
	size_t i;

	if (arg_none(c))
		return;
	out = vm_text(c->vm, s.n);
	for (i = 0; i < s.n; i++)
		out[i] = fn(s.p[i]);
	c->rs = str_of(out, s.n);
}

void
bi_upper(struct call *c)
{
	each_byte(c, to_upper);
}

void
bi_lower(struct call *c)
{
	each_byte(c, to_lower);
}

/* Letters, digits, the apostrophe (it's) and all above ASCII make words. */
static bool
in_word(char ch)
{
	return is_lower(ch) || is_upper(ch) || (ch >= '0' && ch <= '9') ||
	    ch == '\'' || (unsigned char)ch >= 0x80;
}

void
bi_proper(struct call *c)
{
	struct str s = c->s[0];
	bool inside = false;
	char *out;
	size_t i;

	if (arg_none(c))
		return;
	out = vm_text(c->vm, s.n);
	for (i = 0; i < s.n; i++) {
		out[i] = inside ? to_lower(s.p[i]) : to_upper(s.p[i]);
		inside = in_word(s.p[i]);
	}
	c->rs = str_of(out, s.n);
}

void
bi_repeat(struct call *c)
{
	struct str s = c->s[0];
	int64_t times;
	size_t i, n;
	char *out;

	if (arg_none(c) || !arg_int(c, 0, 0, (int64_t)NUM_EXACT, &times))
		return;
	n = s.n == 0 ? 0 : (size_t)times;
	if (s.n > 0 && (uint64_t)times > LIM_REPEAT / s.n) {
		vm_domain(c, "%zu bytes %lld times are more than %d bytes",
		    s.n, (long long)times, LIM_REPEAT);
		return;
	}
	out = vm_text(c->vm, n * s.n);
	for (i = 0; i < n; i++)
		memcpy(out + i * s.n, s.p, s.n);
	c->rs = str_of(out, n * s.n);
}

void
bi_reverse(struct call *c)
{
	struct str s = c->s[0];
	char *out;
	size_t i;

	if (arg_none(c))
		return;
	out = vm_text(c->vm, s.n);
	for (i = 0; i < s.n; i++)
		out[i] = s.p[s.n - 1 - i];
	c->rs = str_of(out, s.n);
}

static void
pad(struct call *c, bool left)
{
	struct str s = c->s[0], fill = STR_LIT(" ");
	int64_t width;
	size_t n;
	char *out;

	if (arg_none(c) || !arg_int(c, 0, 0, LIM_REPEAT, &width))
		return;
	if (c->ns > 1)
		fill = c->s[1];
	if (fill.n != 1) {
		vm_domain(c, "to fill up takes one byte, not %zu", fill.n);
		return;
	}
	if (s.n >= (size_t)width) {
		c->rs = s;
		return;
	}
	n = (size_t)width - s.n;
	out = vm_text(c->vm, (size_t)width);
	memset(left ? out : out + s.n, fill.p[0], n);
	if (s.n > 0)
		memcpy(left ? out + n : out, s.p, s.n);
	c->rs = str_of(out, (size_t)width);
}

void
bi_pad(struct call *c)
{
	pad(c, false);
}

void
bi_padleft(struct call *c)
{
	pad(c, true);
}

void
bi_replace(struct call *c)
{
	struct str s = c->s[0], from = c->s[1];
	struct buf *b = vm_buf(c->vm);
	const char *p = s.p, *end, *hit;

	if (arg_none(c))
		return;
	if (from.n == 0) {
		vm_domain(c, "an empty text cannot be replaced");
		return;
	}
	end = s.p + s.n;
	while ((hit = memmem(p, (size_t)(end - p), from.p, from.n)) != NULL) {
		buf_add(b, p, (size_t)(hit - p));
		buf_str(b, c->s[2]);
		p = hit + from.n;
	}
	if (p == s.p) {
		c->rs = s;
		return;
	}
	buf_add(b, p, (size_t)(end - p));
	c->rs = arg_result(c, b);
}

/* --- $translate --- */

/*
 * A set of tr: bytes, and ranges a-z.  A range that runs backwards is out of
 * the domain.  Returns how many bytes, or -1.  No more than `room` count.
 */
static int
read_set(struct call *c, struct str set, unsigned char *out, int room)
{
	const unsigned char *p = (const unsigned char *)set.p;
	int n = 0, ch, last;
	size_t i;

	for (i = 0; i < set.n; i++) {
		ch = last = p[i];
		if (i + 2 < set.n && p[i + 1] == '-') {
			last = p[i + 2];
			i += 2;
		}
		if (last < ch) {
			vm_domain(c, "%c-%c is no range", ch, last);
			return -1;
		}
		for (; ch <= last && n < room; ch++)
			out[n++] = (unsigned char)ch;
	}
	return n;
}

#define SET_ROOM	1024	/* bytes of a set that count: more than there
				 * are bytes to translate */

void
bi_translate(struct call *c)
{
	unsigned char from[SET_ROOM], to[SET_ROOM];
	struct str s = c->s[0];
	short map[256];		/* -1: left out */
	int nfrom, nto, i;
	size_t k, n = 0;
	char *out;

	if (arg_none(c))
		return;
	nfrom = read_set(c, c->s[1], from, SET_ROOM);
	nto = nfrom < 0 ? -1 : read_set(c, c->s[2], to, SET_ROOM);
	if (nto < 0)
		return;
	for (i = 0; i < 256; i++)
		map[i] = (short)i;
	/* Backwards: of a byte that stands twice the first place counts. */
	for (i = nfrom - 1; i >= 0; i--)
		map[from[i]] = nto == 0 ? -1 : to[i < nto ? i : nto - 1];
	out = vm_text(c->vm, s.n);
	for (k = 0; k < s.n; k++) {
		short m = map[(unsigned char)s.p[k]];

		if (m >= 0)
			out[n++] = (char)(unsigned char)m;
	}
	c->rs = str_of(out, n);
}
