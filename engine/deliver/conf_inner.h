/*
 * conf_inner: what the readers of picket.conf share.  Why three files: the
 * lines of conf.c are values, those of conf_rules.c have a grammar, those of
 * conf_daemon.c are picketd's.
 */
#ifndef ENGINE_DELIVER_CONF_INNER_H
#define ENGINE_DELIVER_CONF_INNER_H

#include "engine/deliver/conf.h"

struct parse {
	struct conf	*conf;
	struct arena	*arena;
	struct buf	*errors;
	struct buf	*why;		/* scratch for one message */
	struct str	 name;		/* of the file */
	unsigned	 line;
	unsigned	 nerror;
};

/* Reports "what" of the line at hand. */
void	conf_fault(struct parse *, struct str what);
/* The same of a word: `what "WORD"hint`. */
void	conf_fault_word(struct parse *, const char *what, struct str word,
	    const char *hint);
/* Reports an address that is none. */
void	conf_check_address(struct parse *, struct str);
/* Adds the addresses of a word, which commas may separate; false: there are
 * too many, which is reported. */
bool	conf_add_address(struct parse *, struct str,
	    struct str to[LIM_CONF_MAILTO], size_t *n);

/* A line with a grammar: route, quiet ...; n >= 2. */
void	conf_rule(struct parse *, enum conf_key, const struct str *word,
	    int n);
/*
 * A line of picketd's; n >= 2.  Its value is one text, as picketd does not
 * read this file itself (engine/image/schedule.h, schedule_setting).
 */
void	conf_daemon(struct parse *, enum conf_key, const struct str *word,
	    int n);
/* What can be said at the end of the file only: names that nobody has. */
void	conf_settle_rules(struct parse *);

#endif
