/*
 * test: reads *_test.pikt, the tests of rules (operations.md).  A file is
 * preprocessed like a script; what comes out is a list of tests, each a list
 * of steps in the order in which they are written.  What stands before the
 * first test holds for each of them.
 *
 * lang opens no file and runs nothing: a step is data.  The object owns all
 * texts that it hands out.
 */
#ifndef LANG_TEST_TEST_H
#define LANG_TEST_TEST_H

#include "lang/base/diag.h"
#include "lang/base/num.h"
#include "lang/compile.h"
#include "lang/table/tables.h"

#define LIM_TEST_TEXTS	10000	/* lines of an input, rows of a table: more is
				 * data that belongs into a file */

enum test_word {
#define TW(id, word, args, meaning, example) TEST_##id,
#include "lang/table/tests.def"
#undef TW
	TEST_EXPECT,
	TEST_WORDS
};
enum test_what {
#define TX(id, word, lines, meaning) WHAT_##id,
#include "lang/table/tests.def"
#undef TX
	WHAT_COUNT
};
enum test_item {
#define TA(id, word, kind, meaning) ITEM_##id,
#include "lang/table/tests.def"
#undef TA
	ITEM_COUNT
};
enum test_fact {
#define TF(id, word, key) TEST_FACT_##id,
#include "lang/table/tests.def"
#undef TF
	TEST_FACT_COUNT
};
extern const char *const test_word_name[TEST_WORDS];
extern const char *const test_what_name[WHAT_COUNT];
extern const char *const test_fact_name[TEST_FACT_COUNT];

/* How two texts or numbers are compared. */
enum test_op { HOW_ANY, HOW_IS, HOW_NOT, HOW_MATCH, HOW_MATCHI, HOW_NMATCH,
    HOW_NMATCHI, HOW_LESS, HOW_LESSEQ, HOW_MORE, HOW_MOREEQ };

struct test_answer {			/* of a command */
	struct str	 text;
	int		 status;
};

struct test_step {
	enum test_word	 word;
	struct place	 place;		/* of its word */
	struct str	 shown;		/* as written, on one line */
	struct str	*text;		/* its texts or names, in order */
	size_t		 ntext;
	double		 number;	/* later: seconds; now: seconds since 1970
					 * or NIL if text[0] says it; contact: n;
					 * lines; define: 1 or 0 */
	bool		 pattern;	/* command =~ */
	bool		 fails;		/* contact */
	struct test_answer *answer;	/* command */
	size_t		 nanswer;
	struct str	 item_text[ITEM_COUNT];	/* file; NIL: not said */
	double		 item[ITEM_COUNT];
	enum table_id	 table;		/* text: the values, row by row */
	enum table_column *column;
	size_t		 ncolumn;
	enum test_fact	 fact;
	/* expect */
	enum test_what	 what;
	bool		 no;
	enum test_op	 op;
	struct str	 target;	/* the first of two texts, or NIL */
	struct str	 value;		/* NIL: any */
	struct str	 variable, element;	/* with its sigil; NIL: none */
	double		 times;		/* NIL: not said */
};

struct test {
	struct str	 name;
	struct place	 place;
	struct test_step *step;		/* those before the first test, then its
					 * own */
	size_t		 nstep;
	size_t		 own;		/* the first of its own */
};

struct tests;

/*
 * Reads one file.  name is for messages; the texts must outlive the object.
 * NULL only without memory for the object itself.
 */
struct tests *tests_read(struct str name, struct str text,
	    const struct compile_options *);
void	 tests_free(struct tests *);
/* None if there were errors. */
const struct test *tests_list(const struct tests *, size_t *n);
struct diag *tests_diag(struct tests *);
/* NAME of a path .../NAME_test.pikt; NIL: it is none of a test file. */
struct str tests_of(struct str path);

#endif
