/*
 * directive: the first pass over a text.  Comments go, directives act, and
 * what is left is one rope of the text and of all that it includes.
 *
 *	strip.c		the walk over a text, and what of it is kept
 *	words.c		the directives by name
 *	directive.c	blocks, and what a line says
 *	define.c	defines, and the conditions of #if and #ifdef
 *	include.c	files, commands and the environment
 *
 * Internal to the preprocessor.
 */
#ifndef LANG_SYNTAX_DIRECTIVE_H
#define LANG_SYNTAX_DIRECTIVE_H

#include "lang/syntax/macro.h"

enum directive_family { FAMILY_NONE, FAMILY_IF, FAMILY_SYS, FAMILY_DEF,
    FAMILY_FIX, FAMILY_INDENT };
enum directive_does { DO_IF, DO_IFN, DO_ELIF, DO_ELIFN, DO_ELSE, DO_END,
    DO_DEFINE, DO_UNDEFINE, DO_SETDEF, DO_INCLUDE, DO_VERBATIM, DO_FIX,
    DO_INDENT, DO_EXEC, DO_PIKTEXEC, DO_SET, DO_UNSET, DO_ECHO };

struct directive {
	const char	*words;		/* its name, then synonyms */
	enum directive_does does;
	enum directive_family family;
	const char	*args;
};

/* What a text is: it decides which directives and comments there are. */
enum pass_kind { PASS_SCRIPT, PASS_CONFIG, PASS_PLAIN, PASS_MACROS,
    PASS_DEFINES };

struct block {			/* an open #if, #fix or #indent */
	const struct directive *d;
	struct str	 word;		/* as written */
	uint32_t	 file, off, len; /* of its # and word */
	bool		 outer;		/* what is round it is kept */
	bool		 active;	/* what is in it now is kept */
	bool		 taken;		/* a part of it has been kept */
	struct str	 otherwise;	/* its #else, when met, else NIL */
};

struct pass {
	struct preprocess *pp;
	enum pass_kind	 kind;
	bool		 standalone;	/* # and a blank is a comment */
	bool		 changed;	/* made is what the text became */
	bool		 stop;
	struct rope_maker made;
	size_t		 bytes;		/* of all texts read */
	unsigned	 nincluded;
	unsigned	 nindent;	/* open #indent */
	struct block	 block[LIM_DIRECTIVE_NEST];
	unsigned	 nblock;
	size_t		 parsed, blank;	/* PASS_DEFINES: of made, and how far
					 * behind it nothing stands */
};

struct text {			/* a text on its way through the pass */
	struct pass	*pass;
	uint32_t	 file;
	struct str	 t;
	size_t		 run;		/* first byte neither kept nor gone */
	unsigned	 base;		/* blocks that were open before it */
	unsigned	 nfix;		/* open #fix, which end at includes */
	unsigned	 depth;		/* includes round it */
	bool		 endless;	/* no comment ends from here on */
};

/* A directive's line; i walks over it. */
struct line {
	struct text	*x;
	struct str	 t;
	size_t		 at, i;		/* at: its # */
	const struct directive *d;
	struct str	 word;		/* as written */
	size_t		 len;		/* of # and word */
};

/* strip.c */
struct rope pass_run(struct preprocess *, uint32_t file, enum pass_kind);
/* Keeps what is before `to`, as the blocks say. */
void	 text_keep(struct text *, size_t to);
/* A text inside the pass: included, or what #verbatim or #echo puts in. */
void	 pass_include(struct text *, uint32_t file);
void	 pass_put(struct text *, uint32_t file, bool fixed, unsigned indent);
static inline bool
pass_active(const struct pass *p)
{
	return p->nblock == 0 || p->block[p->nblock - 1].active;
}

/* words.c */
const struct directive *directive_find(struct str word);	/* or NULL */
/* The nearest word by spelling, or NIL. */
struct str directive_near(struct str word);
/* The word of a family that does the same as one of another. */
struct str directive_like(enum directive_family, enum directive_does);

/* directive.c */
/*
 * A # in column 1 at i.  Returns the length of the directive with the end of
 * its line, 0 if it is none.  What it does is done, what is wrong is reported.
 */
size_t	 directive(struct text *, size_t i);
/* The ] that ends a command that begins at i: quotes and brackets nest. */
size_t	 directive_bracket(struct str, size_t i);
/* Reports the blocks that the text leaves open. */
void	 directive_end(struct text *);
struct diag_item *line_error(struct line *, size_t off, size_t len,
	    enum diag_id, struct str, struct str, struct str);
/* The word or character at i, for messages. */
struct str line_token(const struct line *, size_t *len);
void	 line_want(struct line *, const char *what);
/* Blanks are skipped; true if nothing is left but a comment. */
bool	 line_over(struct line *);
/* A name at i, empty if none stands there. */
struct str line_name(struct line *);
bool	 line_char(struct line *, char);
/* [ ... ] at i: what is in it.  false: reported. */
bool	 line_command(struct line *, struct str *command);

/* define.c */
void	 define_init(struct preprocess *);
/* The condition at l->i; false and reported if it is none. */
bool	 define_condition(struct line *, bool *is_true);
void	 define_set(struct line *);		/* #define #undefine #setdef */
/* PASS_DEFINES: registers what has been made; last: nothing follows. */
void	 define_take(struct pass *, const struct rope *, bool last);

/* include.c */
void	 include_do(struct line *);		/* #include #verbatim #exec */
void	 include_set(struct line *);		/* #set #unset #echo */
/* Runs a command: 0 on success, its status, or -1 and reported. */
int	 include_command(struct line *, struct str command, bool pikt,
	    struct str *text);

#endif
