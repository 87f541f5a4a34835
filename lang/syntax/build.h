/*
 * build: what the grammar's actions call to make AST nodes and the parts of a
 * script.  Checks only what the tokens alone can tell.
 */
#ifndef LANG_SYNTAX_BUILD_H
#define LANG_SYNTAX_BUILD_H

#include "lang/syntax/ast.h"

/* Operators of `set` besides those of enum num_op. */
#define SET_PLAIN	100
#define SET_CAT		101

struct list	ast_prepend(struct node *, struct list);
struct node	*ast_push_back(struct node *list, struct node *);

void	build_script(struct parse *, struct str name, struct span);
void	build_anonymous(struct parse *, struct list, struct span);
void	build_anonymous_section(struct parse *, struct span);
void	build_section(struct parse *, int token, struct node *, struct span);
void	build_init(struct parse *, struct span);
/* function NAME( : the name's span has the bracket, too */
void	build_function(struct parse *, int id, struct span);
void	build_param(struct parse *, struct str name, bool number, bool array,
	    struct span);
void	build_function_body(struct parse *, struct node *);

void	build_status(struct parse *, struct str, struct span);
void	build_level(struct parse *, struct str, struct span);
void	build_text(struct parse *, int token, struct node *, struct span);
void	build_bakfile(struct parse *, struct node *);
void	build_from_start(struct parse *);
void	build_flag(struct parse *, int token, struct span);
void	build_format(struct parse *, struct str, struct span);
/* input table: its name, which gets the arguments as a list; NULL: no where. */
struct node *build_table_name(struct parse *, struct str, struct span);
void	build_table(struct parse *, struct node *, struct node *where,
	    struct span);
void	build_input_other(struct parse *, struct str, struct span);
void	build_seps(struct parse *, struct node *, bool regex, struct span);
void	build_dat_var(struct parse *, struct str, bool number, struct span);
void	build_dat(struct parse *, enum dat_kind, double lo, double hi,
	    struct node *, struct span);
void	build_dat_before_last(struct parse *, double, struct span);
void	build_dat_as(struct parse *, struct str, struct node *format,
	    struct span);
void	build_key(struct parse *, struct str, bool number, struct span);
void	build_number(struct parse *, int token, struct node *, struct span);

struct node *build_num(struct parse *, double, int unit, struct span);
struct node *build_string(struct parse *, struct list, struct span);
struct node *build_var(struct parse *, struct str, enum type, struct span);
struct node *build_index(struct parse *, struct str, enum type, struct list,
	    struct span);
struct node *build_array(struct parse *, struct str, enum type, struct span);
struct node *build_prev(struct parse *, struct str, int what, struct list keys,
	    struct span);
struct node *build_prev_set(struct parse *, struct str, struct span);
struct node *build_field(struct parse *, double number, struct span);
struct node *build_field_set(struct parse *, struct span);
struct node *build_call(struct parse *, int id, struct node *args,
	    struct span);
struct node *build_cat(struct parse *, struct node *, struct node *,
	    struct span);
struct node *build_match(struct parse *, struct node *, struct node *,
	    bool icase, bool negate, struct span);

struct node *build_if(struct parse *, struct node *, struct node *,
	    struct node *, struct span);
struct node *build_loop(struct parse *, enum ast, struct node *cond,
	    struct node *body, struct span);
struct node *build_for(struct parse *, struct node *, struct node *,
	    struct node *, struct node *, struct span);
struct node *build_forin(struct parse *, struct str, struct span,
	    struct node *, struct node *, struct span);
struct node *build_foreach(struct parse *, struct node *, struct node *,
	    struct span);
struct node *build_lines(struct parse *, struct str, struct span,
	    struct node *, struct node *, struct span);
struct node *build_switch(struct parse *, struct node *, struct node *,
	    struct span);
struct node *build_exec(struct parse *, int mode, bool doexec, struct list,
	    struct node *, struct span);
struct node *build_record(struct parse *, struct node *, struct node *,
	    struct span);
/* text: of a condition, as it is written */
struct node *build_clause(struct parse *, enum clause, struct node *,
	    struct span word, struct span text);
struct node *build_level_clause(struct parse *, struct str, struct span word,
	    struct span);
struct node *build_incident(struct parse *, struct node *key, struct node *,
	    struct span);
struct node *build_output(struct parse *, int kind, struct node *,
	    struct node *, struct span);

void	build_syntax_error(struct parse *, struct span, const char *got,
	    const char *const *want, int nwant);
/* what: the limit, for the message; no more tokens come after it. */
void	build_too_deep(struct parse *, struct span, const char *what);

/* What build.c and build_init.c share. */
struct diag_item *build_err(struct parse *, struct span, enum diag_id,
	    struct str, struct str);
void	build_first(struct parse *, struct diag_item *, struct span);
/* The script at hand; a text without a name is one, too. */
struct script *build_current(struct parse *, struct span);

#endif
