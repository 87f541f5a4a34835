/* gentables_text: what stands in a table, as mdoc. */
#include <stdio.h>
#include <string.h>

#include "man/gentables.h"

bool
alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c >= '0' && c <= '9') || c == ')';
}

/* Prose: quotes and dashes are left to the formatter. */
void
put_prose(const char *s)
{
	const char *begin = s;
	bool start = true;

	for (; *s != '\0'; s++) {
		/* mdoc wants a new line behind a sentence */
		if (s > begin && s[0] == '.' && s[1] == ' ' && alnum(s[-1])) {
			fputs(".\n", stdout);
			s++;
			start = true;
			continue;
		}
		if (start && (*s == '.' || *s == '\''))
			fputs("\\&", stdout);
		start = false;
		if (*s == '\\')
			fputs("\\e", stdout);
		else
			putchar(*s);
	}
}

/* A help text: begins small in its table and has no full stop. */
void
put_sentence(const char *s, bool capital)
{
	/* not "e to the power" */
	if (capital && *s >= 'a' && *s <= 'z' && s[1] != ' ')
		putchar(*s++ - 'a' + 'A');
	put_prose(s);
	fputs(*s != '\0' && s[strlen(s) - 1] == '.' ? "\n" : ".\n", stdout);
}

/* An argument of a macro that must not be read as another one. */
void
put_arg(const char *s)
{
	putchar('"');
	for (; *s != '\0'; s++)
		if (*s == '"')
			fputs("\\(dq", stdout);
		else if (*s == '\\')
			fputs("\\e", stdout);
		else if (*s == '-')
			fputs("\\-", stdout);
		else if (*s == '\'')
			fputs("\\(aq", stdout);
		else
			putchar(*s);
	putchar('"');
}

/* A line of a display that must come out as it stands. */
void
put_verbatim(const char *s)
{
	if (*s == '.' || *s == '\'')
		fputs("\\&", stdout);
	for (; *s != '\0'; s++)
		switch (*s) {
		case '\\': fputs("\\e", stdout); break;
		case '-': fputs("\\-", stdout); break;
		case '\'': fputs("\\(aq", stdout); break;
		case '`': fputs("\\(ga", stdout); break;
		case '^': fputs("\\(ha", stdout); break;
		case '~': fputs("\\(ti", stdout); break;
		default: putchar(*s); break;
		}
}

/* One word of a list of words by blanks; false at the end. */
bool
word(const char **list, char *out, size_t size)
{
	size_t n = 0;

	while (**list == ' ')
		++*list;
	while (**list != '\0' && **list != ' ') {
		if (n + 1 < size)
			out[n++] = **list;
		++*list;
	}
	out[n] = '\0';
	return n > 0;
}
