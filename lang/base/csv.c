#include "lang/base/csv.h"

bool
csv_next(struct str s, char sep, size_t *at, struct csv_field *f)
{
	size_t i = *at, b = i;

	if (i > s.n)
		return false;
	f->quoted = i < s.n && s.p[i] == '"';
	f->open = false;
	if (f->quoted)
		for (i++;; i++) {
			i = str_find(s, '"', i);
			if (i == s.n) {
				f->open = true;
				break;
			}
			if (++i == s.n || s.p[i] != '"')
				break;
		}
	i = str_find(s, sep, i);
	f->raw = str_of(s.p + b, i - b);
	*at = i + 1;
	return true;
}

size_t
csv_text(const struct csv_field *f, char *to)
{
	const char *p = f->raw.p;
	size_t i, n = 0;

	for (i = 1; i < f->raw.n; i++) {
		if (p[i] == '"') {
			if (++i == f->raw.n)
				break;
			if (p[i] != '"') {
				/* behind the closing quote: as it stands */
				memcpy(to + n, p + i, f->raw.n - i);
				return n + f->raw.n - i;
			}
		}
		to[n++] = p[i];
	}
	return n;
}

bool
csv_goes_on(struct csv_scan *c, struct str line, char sep)
{
	size_t i = 0;

	for (;;) {
		if (!c->in_quotes) {
			if (c->in_field || i >= line.n || line.p[i] != '"') {
				i = str_find(line, sep, i);
				c->in_field = false;
				if (i++ >= line.n)
					return false;
				continue;
			}
			i++;
		}
		c->in_quotes = true;
		i = str_find(line, '"', i);
		if (i >= line.n)
			return true;
		if (++i < line.n && line.p[i] == '"') {
			i++;
			continue;
		}
		c->in_quotes = false;
		c->in_field = true;
	}
}
