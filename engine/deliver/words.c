#include "engine/deliver/words.h"

#define SHOWN		80	/* bytes of a wrong word in a message */

static bool
blank(char c)
{
	return c == ' ' || c == '\t';
}

static bool
comment(struct str s, size_t i)
{
	return s.p[i] == '#' ||
	    (s.p[i] == '/' && i + 1 < s.n && s.p[i + 1] == '/');
}

/* Copies a quoted word from behind its opening quote; the place behind the
 * closing one, or 0. */
static size_t
quoted(struct str s, size_t i, char *out, size_t *n)
{
	*n = 0;
	for (; i < s.n; i++) {
		if (s.p[i] == '"')
			return i + 1;
		if (s.p[i] == '\\' && i + 1 < s.n &&
		    (s.p[i + 1] == '"' || s.p[i + 1] == '\\'))
			i++;
		out[(*n)++] = s.p[i];
	}
	return 0;
}

int
words_split(struct str s, struct arena *a, struct str word[LIM_WORDS],
    const char **why)
{
	char *text;
	size_t i, n, from;
	int nword = 0;

	for (i = 0; i < s.n; i++)
		if (((unsigned char)s.p[i] < ' ' && s.p[i] != '\t') ||
		    s.p[i] == 0x7f) {
			*why = "control character";
			return -1;
		}
	for (i = 0;;) {
		while (i < s.n && blank(s.p[i]))
			i++;
		if (i == s.n || comment(s, i))
			return nword;
		if (nword == LIM_WORDS) {
			*why = "too many words in one line";
			return -1;
		}
		if (s.p[i] == '"') {
			text = arena_text(a, s.n - i + 1);
			i = quoted(s, i + 1, text, &n);
			if (i == 0) {
				*why = "quote is never closed";
				return -1;
			}
			if (i < s.n && !blank(s.p[i])) {
				*why = "a blank must follow a closing quote";
				return -1;
			}
			text[n] = '\0';
			word[nword++] = str_of(text, n);
			continue;
		}
		for (from = i; i < s.n && !blank(s.p[i]); i++)
			if (s.p[i] == '"') {
				*why = "a quote may only begin a word";
				return -1;
			}
		word[nword++] = arena_dup(a, str_of(s.p + from, i - from));
	}
}

bool
words_wrong(struct buf *why, const char *what, struct str word)
{
	buf_puts(why, what);
	buf_puts(why, " \"");
	buf_escaped(why, word, SHOWN);
	buf_putc(why, '"');
	return false;
}

bool
words_name_ok(struct str s)
{
	static const char ok[] = "abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
	size_t i;

	for (i = 0; i < s.n && s.p[i] != '\0' && strchr(ok, s.p[i]) != NULL;)
		i++;
	return i == s.n && s.n > 0 && s.n <= LIM_WORDS_NAME && s.p[0] != '-';
}

struct nearest
words_nearest(struct str word)
{
	/* a short word with two edits is another word */
	unsigned least = word.n < 6 ? 2 + (unsigned)word.n / 3 : 4;

	return (struct nearest){ .word = word, .least = least };
}

void
words_offer(struct nearest *n, const char *known)
{
	unsigned d = str_distance(n->word, str_c(known), n->least);

	if (d < n->least) {
		n->least = d;
		n->best = known;
	}
}

void
words_add(struct buf *b, struct str s)
{
	size_t i;
	bool plain = s.n > 0 && !comment(s, 0);

	for (i = 0; i < s.n && plain; i++)
		plain = !blank(s.p[i]) && s.p[i] != '"';
	if (plain) {
		buf_add(b, s.p, s.n);
		return;
	}
	buf_putc(b, '"');
	for (i = 0; i < s.n; i++) {
		if (s.p[i] == '"' || s.p[i] == '\\')
			buf_putc(b, '\\');
		buf_putc(b, s.p[i]);
	}
	buf_putc(b, '"');
}
