/*
 * format: the formats of $format and #{expr:%.1f}.  Why here: the compiler
 * checks a format with the very walk that the machine fills it with, and no
 * format of a script ever reaches printf(3) as it is.
 *
 * A conversion is %, flags out of "-+ #0", width, .precision, and one of
 * s (text), d i u x X o c f F e E g G (number); %% is a percent sign.
 * No *, no n$, no length letters.
 */
#ifndef LANG_BASE_FORMAT_H
#define LANG_BASE_FORMAT_H

#include "lang/base/buf.h"

#define LIM_FORMAT_FIELD 1000	/* width and precision: wider than any line
				 * that a person reads */

struct format_part {
	struct str	 text;		/* literal text, if conv is 0 */
	char		 conv;		/* 's', 'd' ... */
	char		 flags[6];	/* each at most once */
	int		 width;		/* 0: none */
	int		 prec;		/* -1: none */
};

/*
 * Takes the next part off the format's front; *fmt is empty at the end.
 * False: what stands there is no conversion, *why says why.
 */
bool	format_next(struct str *fmt, struct format_part *, const char **why);
/* Adds a value by a conversion; NIL and ERR as they show. */
void	format_number(struct buf *, const struct format_part *, double);
void	format_text(struct buf *, const struct format_part *, struct str);
/*
 * What values the format wants, in order: 's' or 'n' each, *n of them.
 * False with *why if it is bad or wants more than max.
 */
bool	format_check(struct str fmt, char *kinds, size_t max, size_t *n,
	    const char **why);

#endif
