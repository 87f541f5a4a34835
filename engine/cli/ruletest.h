/*
 * ruletest: rule tests (picket test), run and told of.
 *
 *	cmd_test.c	options, files, what is printed
 *	test_run.c	one test: its scripts, its world, its runs
 *	test_world.c	what it says of the world
 *	test_look.c	one expectation against what a run did
 *	test_cover.c	what of the scripts has run
 */
#ifndef ENGINE_CLI_RULETEST_H
#define ENGINE_CLI_RULETEST_H

#include "lang/test/test.h"
#include "engine/cli/cli.h"
#include "engine/sim/sim.h"

#define LIM_TEST_SCRIPTS 64	/* of one test: an alert of more is not tested
				 * in one piece */
#define LIM_SHOWN	20	/* lines of what was there, under a failure */

struct cover;

/* Why a test failed: one expectation, or what it forgot to say. */
struct test_failure {
	struct test_failure *next;
	struct place	 place;
	struct str	 line;		/* of the source, at the place */
	struct str	 what;		/* one line: what was not so */
	struct str	 expected;	/* NIL: there is none */
	struct str	 got;		/* a line each; NIL: there is none */
	struct str	 advice;	/* a line for the test, or NIL */
};

struct test_outcome {
	struct str	 name;
	uint32_t	 line;
	double		 seconds;
	unsigned	 runs, checks;
	struct test_failure *first, **last;	/* NULL: it passed */
};

struct ruletest {
	struct cli	*c;
	struct arena	 arena;		/* of one file's tests */
	struct cover	*cover;		/* or NULL */
	struct map	 text;		/* path to struct str *: scripts */
	struct buf	 store;		/* the program */
};

/* What one run left, for the expectations behind it. */
struct test_run {
	struct ruletest	*t;
	struct sim	*sim;
	const struct program *const *program;
	size_t		 nprogram;
	struct sim_result result;
};

/* test_run.c: one test of a file that was read with these options. */
void	 test_one(struct ruletest *, const char *path, struct str text,
	    const struct compile_options *, struct diag *,
	    const struct test *, struct test_outcome *);

/* test_world.c: one word of it; what is not of the world is passed over. */
void	 test_world(struct arena *, struct recorded *,
	    const struct test_step *);
/* test_look.c: true if it is so; else what was expected and got. */
bool	 test_look(const struct test_run *, const struct test_step *,
	    struct test_failure *);
/* What is compared of a command: runs of blanks as one. */
struct str test_squeeze(struct arena *, struct str);

/* test_cover.c */
struct cover *cover_new(struct cli *);
void	 cover_free(struct cover *);
/* A new test: the programs of the one before it are gone. */
void	 cover_next(struct cover *);
/* A script that a test is about: its points join those that are known. */
void	 cover_program(struct cover *, const struct program *, struct str path,
	    struct str text);
void	 cover_met(void *, const struct program *, uint32_t pc, bool);
struct cover_count {
	size_t		 rules, rules_met, branches, branches_met;
};
double	 cover_percent(size_t met, size_t all);	/* 100 where there are none */
void	 cover_total(const struct cover *, struct cover_count *);
/* One script after the other; false: no more. */
bool	 cover_script(const struct cover *, size_t i, struct str *name,
	    struct str *path, struct cover_count *);
/* What of a script was never met, one after the other from *i = 0 on. */
struct cover_missed {
	struct str	 file;
	uint32_t	 line, col;
	struct str	 text;		/* the source's line, or empty */
	const char	*what;
};
bool	 cover_gap(const struct cover *, size_t script, size_t *i,
	    struct cover_missed *);

/* test_show.c: what is printed, in one of three forms. */
enum show_form { SHOW_PEOPLE, SHOW_TAP, SHOW_JSON };
struct test_show;
struct test_show *show_new(struct cli *, enum show_form);
/* A file that cannot be read: what is wrong, as a person reads it. */
void	 show_broken(struct test_show *, const char *path, struct str why);
void	 show_file(struct test_show *, const char *path,
	    const struct test_outcome *, size_t n);
/* The end: totals, coverage (or NULL; least: percent that are wanted of
 * branches and rules).  False: something failed. */
bool	 show_end(struct test_show *, const struct cover *, double least);

#endif
