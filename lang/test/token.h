/*
 * token: a preprocessed test file as words, texts and operators.  Its strings
 * are those of scripts (language.md 5.1), but nothing in them is a variable:
 * what a test says is what is compared.
 *
 * Internal to lang/test.
 */
#ifndef LANG_TEST_TOKEN_H
#define LANG_TEST_TOKEN_H

#include "lang/test/test.h"

enum token_kind { TOKEN_END, TOKEN_WORD, TOKEN_NUMBER, TOKEN_TEXT, TOKEN_VAR,
    TOKEN_OPEN, TOKEN_CLOSE, TOKEN_OP };

struct token {
	enum token_kind	 kind;
	struct str	 text;		/* of a text: without quotes, in the arena;
					 * of others: as it stands */
	struct span	 span;
};

struct tokens {
	struct source_set *src;
	struct diag	*diag;
	struct arena	*arena;
	uint32_t	 at;
	struct token	 t;		/* the one at hand */
	struct span	 before;	/* the one before it */
};

/* On to the next token, which is in t; what is none is reported. */
void	token_next(struct tokens *);

#endif
