/* What the files of check/ share among themselves. */
#ifndef LANG_CHECK_INNER_H
#define LANG_CHECK_INNER_H

#include "lang/check/check.h"

struct symbol *check_symbol(struct check *, struct node *, enum symbol_kind);
/* The argument names an array: $list, #list, $list[].  quiet: and is known
 * to be one. */
bool	 check_array(struct check *, struct node *, bool quiet);
struct str check_count(struct check *, unsigned least, unsigned most);
struct str check_number(struct check *, unsigned);
/* A name as it is written. */
struct str check_sigil(struct check *, enum type, struct str name);
void	 check_unset_names(struct check *);
void	 check_keys(struct check *, struct node *);
/*
 * A previous or preceding value: what it is the value of.  An element of a
 * previous array becomes one of a hidden array, which nothing can set.
 */
enum type check_previous(struct check *, struct node *);
#define LIM_SPAN	(86400.0 * 36600) /* seconds of any duration that is
				 * written: a hundred years */
/* A call that compares a variable with its history, which is kept from here
 * on: gets what the compiler adds. */
void	 check_history(struct check *, struct node *);
void	 check_incident(struct check *, struct node *);
/* A constant that has a unit has this one. */
void	 check_want_unit(struct check *, const struct node *, const char *what,
	    enum unit);
/* The level that a word names, or -1. */
int	 check_level(struct str);
/* input table: its name, arguments, dats and where. */
void	 check_table(struct check *, struct init *);
/* The column of that name becomes a dat of the script, if it has a table and
 * the name is not taken. */
void	 check_column(struct check *, char sigil, struct str name, struct span);
/* #column and $column, with so many arguments: names that are constant. */
void	 check_single(struct check *, struct node *, unsigned count);
void	 check_tally(struct check *, struct node *, unsigned count);
/* A name that nothing sets may be a slip for a column. */
void	 check_near_column(struct check *, struct diag_item *, struct str);
/* The table or column that a constant names, or -1: told of. */
int	 check_table_name(struct check *, struct str, struct span);
int	 check_column_name(struct check *, int table, struct str, struct span);
/* Tells that a string cannot be set into a number. */
void	 check_set_num(struct check *, const struct node *);

#endif
