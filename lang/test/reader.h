/*
 * reader: what the parts of the test reader share: read.c has the file's
 * frame, world.c the words that say what the world is, expect.c what is
 * expected of it.
 *
 * Internal to lang/test.
 */
#ifndef LANG_TEST_READER_H
#define LANG_TEST_READER_H

#include "lang/base/re.h"
#include "lang/test/token.h"

struct reader {
	struct tokens	 k;
	struct arena	*arena;
	struct re_ctx	*re;
	struct test_step *step;		/* being filled */
	/* its texts, while they are collected */
	struct str	*text;
	size_t		 ntext, captext;
};

/* read.c */
bool	 is_word(const struct reader *, const char *);
/* Is a word at hand with which something new begins? */
bool	 begins_step(const struct reader *);
/* Takes the word if it is at hand. */
bool	 take_word(struct reader *, const char *);
/* Something else stands where `what` is wanted: reported; false. */
bool	 wanted(struct reader *, const char *what);
/* The texts that are wanted; false: reported. */
bool	 take_text(struct reader *, struct str *);
bool	 take_name(struct reader *, struct str *);
bool	 take_number(struct reader *, double *, double lo, double hi);
/* A duration in seconds, up to ten years. */
bool	 take_duration(struct reader *, double *);
/* Adds a text to those of the step; false: too many, reported. */
bool	 add_text(struct reader *, struct str);
/* A value is not what is wanted: reported at a span; false. */
bool	 bad_value(struct reader *, struct span, struct str, const char *what);
/* A name is none of the list: reported, with the nearest one; false. */
bool	 unknown(struct reader *, struct span, const char *kind, struct str,
	    const char *const *known, size_t n);
/* A pattern that is none is reported; false. */
bool	 good_pattern(struct reader *, struct str, struct span);

/* world.c, expect.c: what stands behind the word.  False: reported. */
bool	 read_world(struct reader *);
bool	 read_expect(struct reader *);

#endif
