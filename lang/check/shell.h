/*
 * shell: reads shell text as far as is needed to know, for each data part,
 * what the shell will make of the place where it stands.  Why: rule 1 of
 * language.md section 8 puts a reference there, and the right form of it
 * depends on the quoting; rules 2 to 7 depend on the word and the command.
 *
 * It follows POSIX and knows the additions of bash, since /bin/sh may be
 * either.  Where the two read a text in different ways, data is refused.
 *
 * shell_unit.c: the text, one unit after the other; shell_word.c: words and
 * their quoting; shell.c: lists, redirections, compound commands;
 * shell_simple.c: what a simple command does with its words.  Only these and
 * command.c include this header.  Everything is in the shell's arena.
 */
#ifndef LANG_CHECK_SHELL_H
#define LANG_CHECK_SHELL_H

#include "lang/check/command.h"

#define LIM_COMMAND	(100 * 1024)	/* bytes of literal text: Linux takes no
					 * argument above 128 KiB */
#define LIM_COMMAND_DATA 1000		/* data parts: a person writes 10 */
#define LIM_SHELL_NEST	64	/* $( ), quotes, groups: a person's are 5 */
#define LIM_TICKS	6	/* backticks in backticks: each level doubles
				 * the backslashes */

struct sh_piece {
	bool		 data;
	size_t		 part;		/* index in data[], for data */
	const char	*p;		/* else bytes, unquoted */
	size_t		 n;
};

enum sh_role {
	SH_PLAIN,		/* of a command or of a list of words */
	SH_ASSIGN,		/* NAME=value before a command */
	SH_TARGET,		/* of a redirection */
	SH_APART		/* rules 4 and 5 do not apply: case, <<< */
};

struct sh_word {
	struct sh_word	*next;		/* in the order of their first bytes */
	struct sh_piece	*piece;
	size_t		 npiece, cap;
	size_t		 from, to;	/* units, what is nested included */
	enum sh_role	 role;
	bool		 quoted;	/* some of it was */
	bool		 open;		/* has expansions, which are left out */
	size_t		 nlit, open_at;	/* literal bytes, in all and before the
					 * last expansion */
	bool		 brace;		/* unquoted { */
	bool		 assign;	/* begins with NAME= */
	bool		 sign;		/* has data, then =, as if a name */
};

#define DP_FED	(1u << 31)	/* while reading: may go to a standard input */

/* What is known about a data part. */
struct sh_data {
	const struct cmd_part *part;
	size_t		 at;		/* its unit */
	uint32_t	 flags;		/* DP_... */
	bool		 told;		/* one error is enough */
	bool		 text;		/* $raw() outside quotes: shell text */
};

struct sh_here {			/* a here-document that is to come */
	struct sh_here	*next;
	const char	*delim;
	size_t		 n;
	bool		 quoted, strip;
	size_t		 at;
};

#define SH_DATA	256		/* units: bytes, this, */
#define SH_END	257		/* and these, which are never stored */
#define SH_TICK	258		/* the ` that closes the level being read */

struct shell {
	struct arena	*arena;
	struct diag	*diag;
	const struct cmd_part *part;
	size_t		*start;		/* first unit of each part */
	size_t		 npart;
	uint16_t	*unit;
	size_t		 n;
	struct sh_data	*data;
	size_t		 ndata, seen;

	size_t		 at;
	unsigned	 level;		/* of backticks */
	bool		 quoted[LIM_TICKS + 1];	/* level stands in "..." */
	bool		 verbatim;	/* backslash-newline stays */
	unsigned	 depth;
	const char	*forbid;	/* where data cannot stand, or NULL */
	char		*scratch;	/* unquoted bytes */
	size_t		 nscratch;
	struct sh_here	*here;		/* wait for the next newline */
	struct sh_word	*word, **last;

	bool		 needed;	/* no argument vector will do */
	bool		 cut;		/* a command has ended */
	bool		 raw;
	bool		 integer;	/* a variable was declared so */
	uint32_t	 stdin_flags;	/* DP_PROG_...: some command reads a
					 * program from its standard input */
	bool		 failed;	/* an error was reported */
	bool		 broken;	/* reading further makes no sense */
};

/* Reads the whole text; *s has arena, diag, part and npart set. */
void	 sh_read(struct shell *);
/* Judges the words of a simple command. */
void	 sh_simple(struct shell *, struct sh_word **, size_t n);

/* Reports at a unit; a and b may be NIL. */
void	 sh_error(struct shell *, size_t at, enum diag_id, struct str a,
	    struct str b);
/* Reports about a data part, once. */
void	 sh_refuse(struct shell *, struct sh_data *, enum diag_id,
	    struct str what);
/* An error after which the text cannot be followed. */
void	 sh_broken(struct shell *, size_t at, enum diag_id, const char *);
/* What shells read in different ways is no place to trust data to. */
void	 sh_disagree(struct shell *, size_t at, const char *what);
/* Sets flags on all data between two units. */
void	 sh_mark(struct shell *, size_t from, size_t to, uint32_t flags);

/* The unit at a place as a level of backticks sees it, and what follows. */
int	 sh_unit(const struct shell *, unsigned level, size_t at, size_t *next);
/* The same at the level being read; *at passes joined lines. */
int	 sh_look(const struct shell *, size_t *at, size_t *next);
int	 sh_peek(const struct shell *);
int	 sh_peek2(const struct shell *);	/* the one after it */
void	 sh_get(struct shell *);
/* Passes the unit after a backslash; data there is an error. */
int	 sh_escaped(struct shell *);
bool	 sh_over(int c);
bool	 sh_is_name(int c);
bool	 sh_is_digit(int c);
bool	 sh_ends_word(int c);
/* Counts nested constructs; the caller counts s->depth down again. */
bool	 sh_enter(struct shell *);

struct sh_word *sh_word_new(struct shell *, enum sh_role);
/* Reads one word, which may be empty. */
void	 sh_word(struct shell *, struct sh_word *);
/* A word of one literal piece without quotes; else an empty text. */
struct str sh_plain(const struct sh_word *);
bool	 sh_has_data(const struct sh_word *);
/* True if a blank-separated list holds the name. */
bool	 sh_in_list(const char *list, struct str name);
/* Takes the data part that comes next; w NULL: it is in no word. */
void	 sh_take(struct shell *, struct sh_word *w, uint32_t flags);
/* One place inside double quotes or a here-document. */
void	 sh_inside(struct shell *, struct sh_word *, int c);
/*
 * ${...} (depth 0) and $((...)), ((...)) (2): from behind the opening to
 * behind the end.  No data there.
 */
void	 sh_closed(struct shell *, size_t open, const char *what,
	    unsigned depth, uint32_t quote);
/* Commands up to `until`, with here-documents of their own. */
void	 sh_nested(struct shell *, size_t open, int until, const char *what);
/* Commands up to `until`, which is left, or to esac (true). */
bool	 sh_list(struct shell *, int until);

/* Room for one more element; returns the array, perhaps moved. */
void	*sh_grow(struct arena *, void *p, size_t n, size_t *cap, size_t size);

#endif
