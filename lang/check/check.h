/*
 * check: names, types and places of one script's tree, and constants folded.
 * Why: after it, code generation cannot fail but for size; every node has a
 * type, every name a symbol.
 */
#ifndef LANG_CHECK_CHECK_H
#define LANG_CHECK_CHECK_H

#include "lang/base/re.h"
#include "lang/check/symbols.h"

#define LIM_LOCALS	120	/* parameters and locals of one kind in a function:
				 * they all stand in registers */

enum section { IN_INIT, IN_BEGIN, IN_RULE, IN_END, IN_FUNCTION };

struct check {
	struct parse	*p;
	struct diag	*diag;
	struct arena	*arena;
	struct script	*script;	/* or: */
	struct function	*func;
	struct function	**calls;	/* functions that it calls, each once */
	size_t		 ncalls, capcalls;
	bool		 splits;	/* calls #split, which sets $0 $1 ... */
	struct symbols	 sym;
	struct re_ctx	*re;
	enum section	 place;
	uint32_t	 rule;		/* number of the rule at hand, from 1 */
	unsigned	 loops, switches;
	const struct node *incident;	/* whose clauses these are, or NULL */
	bool		 at_hand;	/* ... and $duration() is about it */
	bool		 in_command;	/* inside a command's literal */
	bool		 uses_fields;	/* $1 ..., #fields: matches must keep groups */
	bool		 uses_zero;	/* $0 */
	bool		 end_uses_line;
	bool		 names_known;	/* of this script, for %x */
	struct map	 names;
	uint32_t	 maxfield;
	/* init, evaluated */
	enum status	 status;
	enum level	 level;
	enum format	 format;
	int		 table;		/* enum table_id, or -1 */
	double		 expire_runs, expire_seconds;
	double		 timeout, line_max, memory_max, budget, every;
};

/* Checks the script; the tree is completed in place.  Errors go to diag. */
void	check_script(struct check *, struct parse *, struct script *,
	    struct re_ctx *);

/* The same for a function, once for all scripts; makes f->chk. */
void	check_function(struct parse *, struct function *, struct re_ctx *);

/* Types an expression; *n may be replaced (folded, wrapped). */
enum type check_expr(struct check *, struct node **);
void	check_want_num(struct check *, struct node **);
void	check_want_truth(struct check *, struct node **);
/* silent: a number becomes text without a warning */
void	check_want_str(struct check *, struct node **, bool silent);
/* A call's arguments against its row; expr.c's part for calls. */
enum type check_call(struct check *, struct node **);
/* A call of a function that the source defines: func.c. */
enum type check_ucall(struct check *, struct node *);
void	check_local(struct check *, struct node *);
void	check_return(struct check *, struct node *);
/*
 * A command (a statement's, a function's, an input's): its parts are typed,
 * its template made and left in (*n)->site.
 */
struct command_site {
	struct template	 tpl;
	struct node	**data;		/* the values, in order */
	uint32_t	 ndata;
};
void	check_command(struct check *, struct node **);
/* A pattern operand, if it is constant; returns its groups. */
unsigned check_pattern(struct check *, const struct node *, bool icase);
/* True for $inlin and $rdlin with their synonyms: *which 0 or 1. */
bool	check_special(const struct node *, int *which);
void	check_stmts(struct check *, struct node *);

struct diag_item *check_error(struct check *, struct span, enum diag_id,
	    struct str, struct str);

#endif
