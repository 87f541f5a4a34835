#include "lang/table/builtin.h"

const struct builtin_info builtin_info[BI_COUNT] = {
#define BI(id, names, args, ret, flags, fn, help, example, gives) \
	{ names, args, ret, flags, help, example, gives },
#include "lang/table/builtins.def"
#undef BI
};

const struct builtin_family_info builtin_family_info[FAMILIES] = {
#define F(id, title, intro) { title, intro },
#include "lang/table/families.def"
#undef F
};

static const struct {
	enum builtin_id	 id;
	const char	*text;
} notes[] = {
#define N(id, text) { BI_##id, text },
#include "lang/table/notes.def"
#undef N
};

/* The next name of a blank-separated list; advances *p. */
static struct str
next_name(const char **p)
{
	const char *s = *p, *e;

	while (*s == ' ')
		s++;
	for (e = s; *e != '\0' && *e != ' '; e++)
		;
	*p = e;
	return str_of(s, (size_t)(e - s));
}

int
builtin_find(struct str name)
{
	const char *p;
	struct str s;
	int i;

	for (i = 0; i < BI_COUNT; i++) {
		/* Most names differ in their first two bytes. */
		for (p = builtin_info[i].names;;) {
			s = next_name(&p);
			if (s.n == 0)
				break;
			if (str_eq(s, name))
				return i;
		}
	}
	return -1;
}

struct str
builtin_main_name(int id)
{
	const char *p = builtin_info[id].names;

	return next_name(&p);
}

struct str
builtin_nearest(struct str name)
{
	struct str s, best = STR_NIL;
	unsigned d, bestd = 3;
	const char *p;
	int i;

	for (i = 0; i < BI_COUNT; i++) {
		for (p = builtin_info[i].names;;) {
			s = next_name(&p);
			if (s.n == 0)
				break;
			d = str_distance(s, name, bestd);
			if (d < bestd) {
				bestd = d;
				best = s;
			}
		}
	}
	return best;
}

static const char *
letter_name(char letter)
{
	switch (letter) {
	case 's': return "string";
	case 'n': return "number";
	case 'i': return "integer";
	case 'x': return "truth";
	case 't': return "time";
	case 'A': return "array";
	case 'F': return "HANDLE";
	case 'c': return "command";
	case 'k': return "variable";
	case 'p': return "#variable";
	case 'm': return "number, ...";
	default: return "value";	/* v */
	}
}

void
builtin_signature(int id, struct str name, struct buf *b)
{
	bool optional = false, first = true;
	const char *a;

	buf_str(b, name);
	buf_putc(b, '(');
	for (a = builtin_info[id].args; *a != '\0' && *a != '^'; a++) {
		if (*a == '|') {
			optional = true;
			buf_puts(b, first ? "[" : " [");
		} else if (*a == '*')
			buf_puts(b, ", ...");
		else {
			if (!first)
				buf_puts(b, ", ");
			first = false;
			buf_puts(b, letter_name(*a));
		}
	}
	buf_puts(b, optional ? "])" : ")");
}

const char *
builtin_note(int id)
{
	size_t i;

	for (i = 0; i < sizeof notes / sizeof notes[0]; i++)
		if (notes[i].id == (enum builtin_id)id)
			return notes[i].text;
	return NULL;
}

bool
builtin_example_is_program(int id)
{
	char c = builtin_info[id].example[0];

	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

enum builtin_family
builtin_family(int id)
{
	static const struct {
		enum builtin_id		first;
		enum builtin_family	family;
	} start[] = {
#define S(first, family) { BI_##first, FAMILY_##family },
#include "lang/table/families.def"
#undef S
	};
	size_t i;

	/* the last one that begins at or before it: first grows */
	for (i = sizeof start / sizeof start[0]; --i > 0; )
		if (start[i].first <= (enum builtin_id)id)
			break;
	return start[i].family;
}
