/*
 * lexer: text to tokens.  The flex rules know single tokens; the state here
 * knows what surrounds them: open brackets, strings inside which expressions
 * stand, the shell's quotes in a command, blocks that are still open.
 */
#ifndef LANG_SYNTAX_LEXER_H
#define LANG_SYNTAX_LEXER_H

#include "lang/base/map.h"
#include "lang/syntax/ast.h"

/* How the text of a string is read. */
enum string_mode {
	MODE_PLAIN,		/* escapes and all interpolation */
	MODE_CMD,		/* a command: shell quotes, fewer escapes */
	MODE_INIT_CMD,		/* input proc, filter: only $func() expands */
	MODE_INIT		/* the other inputs: only $func() expands */
};

struct lex_bracket {
	char		 close;		/* ) ] } */
	bool		 to_string;	/* its end leads back into a string */
	/* of the string that it interrupts */
	enum string_mode mode;
	bool		 sq, dq, esc, block;
	uint32_t	 indent;
	struct span	 open_quote;
	/* commands inside the bracket */
	int		 cmdarg, arg;	/* argument that is a command, now at */
	struct span	 span;
};

struct lex_block {
	int		 token;
	struct span	 span;
	struct span	 else_if;	/* of an if that stood behind its else;
					 * len 0: none */
};

struct lex_held;

struct lexer {
	struct parse	*p;
	void		*scanner;
	uint32_t	 at;		/* first byte of the current token */
	size_t		 nbracket;
	size_t		 nblock;
	struct lex_held	*held;		/* a token that waits: blocks.c */
	size_t		 nclose;	/* blocks to be closed before it */
	bool		 condition;	/* the until just made wants one */
	bool		 braces, semicolon; /* told of: once is enough */
	int		 quiet;		/* an error of the parser at this token
					 * only follows from what was told */
	int		 before;	/* the token before prev */
	struct span	 before_span, prev_span;
	/* the string at hand */
	enum string_mode mode;
	bool		 sq, dq, esc;	/* the shell's quotes in a command */
	uint32_t	 sq_at;		/* where the ' stands */
	bool		 block_text;
	uint32_t	 indent;
	struct span	 open_quote;
	struct buf	 text;
	uint32_t	 text_at;
	bool		 in_string;
	/* what the next string outside brackets is */
	enum string_mode next_mode;
	bool		 plain_once;	/* ... but not this one: an option's */
	bool		 foreach_line;
	int		 prev;		/* the token before */
	bool		 unclosed_told;	/* of the string at hand */
	struct map	 scalar;	/* names without sigil: those of the script
					 * that ends at scope_to */
	size_t		 scope_to;
	struct map	 func;		/* names with sigil of the functions that the
					 * text defines */
	bool		 funcs_found;
	/* last, because nobody needs them zeroed: 20 KB */
	struct lex_bracket bracket[LIM_NEST];
	struct lex_block block[LIM_NEST];
};

void	lexer_open(struct lexer *, struct parse *);
void	lexer_close(struct lexer *);

/* The next token for the parser: the scanner's, with blocks followed. */
union token_value;
int	lexer_next(union token_value *, struct span *, struct parse *);

/* Is an incident open, so that the words of its clauses count? */
bool	lx_in_incident(const struct lexer *);

/* What the rules of scanner.l call (lexer.c; of strings: string.c). */
void	lx_begin(struct lexer *, struct span *, uint32_t len);
int	lx_word(struct lexer *, union token_value *, struct str);
bool	lx_is_name(struct lexer *, struct str);
int	lx_open(struct lexer *, char close, bool to_string, int token,
	    struct span);
int	lx_close(struct lexer *, char, struct span);
int	lx_func(struct lexer *, union token_value *, struct span, struct str,
	    bool to_string);
void	lx_comma(struct lexer *);
int	lx_number(struct lexer *, union token_value *, struct span, struct str);
/* 12abc, 0x1f: told, and 0. */
int	lx_no_number(struct lexer *, union token_value *, struct span,
	    struct str);
int	lx_string(struct lexer *, struct span, bool block);
int	lx_string_end(struct lexer *);
size_t	lx_raw_length(struct lexer *, struct span, struct str);
int	lx_raw(struct lexer *, union token_value *, struct str);
void	lx_char(struct lexer *, char);
void	lx_text(struct lexer *, struct str);
void	lx_escape(struct lexer *, struct str);
bool	lx_newline(struct lexer *, struct str);	/* false: string not closed */
void	lx_block_end(struct lexer *);
bool	lx_quote_is_text(struct lexer *);
bool	lx_text_only(const struct lexer *);	/* no variables in this string */
bool	lx_after_operand(const struct lexer *);
int	lx_flush(struct lexer *, union token_value *, struct span *);
/* What other languages have: braces, semicolons. */
int	lx_foreign(struct lexer *, struct span, struct str);
/* The end of the text, for messages: behind its last word. */
struct span lx_end(const struct lexer *);
int	lx_error(struct lexer *, struct span, enum diag_id, struct str);
void	lx_unclosed(struct lexer *);

/* What the whole text tells of a name in a string (ahead.c). */
bool	lx_is_array(struct lexer *, struct str);
bool	lx_is_func(struct lexer *, struct str);

/* For these three files alone. */
struct lex_bracket *lx_innermost(struct lexer *);	/* NULL: none is open */
/* The bytes behind the current token, in the text itself. */
struct str lx_rest(const struct lexer *);
bool	lx_word_byte(char);
/* Does the text begin with blanks and a section's word? */
bool	lx_section_next(struct str);
int	lx_hex(char);

#endif
