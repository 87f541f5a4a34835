/*
 * config: what the readers of the configuration files share.  A file, after
 * the preprocessor, is stanzas: a name in column 1, then text on the same
 * line or on indented lines.  Most texts are words; "..." and '...' hold
 * blanks.
 *
 * Everything handed out is a view of the preprocessed text, which moves when
 * the next file is added: what stays is copied into the arena.
 */
#ifndef LANG_CONFIG_CONFIG_H
#define LANG_CONFIG_CONFIG_H

#include "lang/base/diag.h"
#include "lang/base/map.h"
#include "lang/site.h"

struct config {
	struct arena	*arena;
	struct diag	*diag;
	struct source_set *src;
	struct site	*site;
	/* the part of src->text that is being read */
	uint32_t	 at, end;
	const char	*file;		/* "alerts.cfg", for messages */
};

struct stanza {
	struct str	 name;
	struct span	 span;		/* of the name */
	uint32_t	 from, to;	/* the text behind it */
};

struct config_word {
	struct str	 text;		/* without quotes, escapes replaced: in
					 * the arena if there were any */
	struct span	 span;
	bool		 first;		/* of its line */
	bool		 quoted;
};

/* The next stanza; text that belongs to none is reported and left out. */
bool	config_stanza(struct config *, struct stanza *);
/* The next word of a stanza; *at goes on.  A string that is never closed is
 * reported and ends the stanza. */
bool	config_word(struct config *, const struct stanza *, uint32_t *at,
	    struct config_word *);
/* The next line, blanks taken off its ends; empty ones are left out. */
bool	config_line(struct config *, const struct stanza *, uint32_t *at,
	    struct str *line);
/*
 * True if it is a name: a letter or digit, then letters, digits, - _ .
 * Else it is reported.
 */
bool	config_name(struct config *, struct str, struct span);
/* A name that is defined before: reported with both places. */
void	config_twice(struct config *, struct span, enum diag_id, struct str a,
	    struct str b, struct span first);
/* Reports a word that is none of the known ones, given as a map or a list. */
void	config_unknown(struct config *, struct span, enum diag_id, struct str,
	    struct str in, const char *const *known, size_t nknown);

/* The files; each is called once, with the part of the text set. */
struct systems;
struct systems *systems_read(struct config *);
/* All names that are true for the host: itself first.  NIL: not registered. */
const struct str *systems_members(struct systems *, struct str host,
	    size_t *n);
/* All names that are registered. */
const struct str *systems_names(const struct systems *, size_t *n);
const struct str *systems_hosts(const struct systems *, size_t *n);

void	objects_read(struct config *);
void	install_read(struct config *, bool is_files);

/*
 * What =piktalert, =piktstatus and =piktlevel are while alerts.cfg is read:
 * the alert that they stand in is not known before its text is.
 */
#define MARK_ALERT	"\001a\001"
#define MARK_STATUS	"\001s\001"
#define MARK_LEVEL	"\001l\001"

/* What an alert says before its scripts are known. */
struct alert_name {
	struct str	 name;
	struct span	 span;
};
struct alert_source {
	struct span	 span;		/* of its name */
	struct alert_name *alarm;
	size_t		 nalarm;
};
/* Fills site->alert; one source for each. */
struct alert_source *alerts_read(struct config *);

#endif
