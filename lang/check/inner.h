/* What the files of check/ share among themselves. */
#ifndef LANG_CHECK_INNER_H
#define LANG_CHECK_INNER_H

#include "lang/check/check.h"

struct symbol *check_symbol(struct check *, struct node *, enum symbol_kind);
void	 check_keys(struct check *, struct node *);
/* Tells that a string cannot be set into a number. */
void	 check_set_num(struct check *, const struct node *);

#endif
