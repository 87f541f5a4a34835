/*
 * whole: a site while it is read: what lang/site.h hands out, and all that is
 * needed to make it.
 */
#ifndef LANG_CONFIG_WHOLE_H
#define LANG_CONFIG_WHOLE_H

#include "lang/config/config.h"
#include "lang/syntax/preprocess.h"

/* A file with scripts. */
struct file {
	struct str	 path, text;
	struct compile	*plain;		/* outside of any alert */
	bool		 varies;	/* it asks which alert it runs in */
	struct compile	*now;		/* in the alert at hand, or NULL */
};

/* Where a script is defined. */
struct where {
	size_t		 file;
	size_t		 number;	/* of the script there, among all */
	struct place	 place;		/* in plain's source set */
};

struct whole {
	struct site	 site;		/* first: what callers hold */
	const struct site_options *o;
	struct mem	 mem;
	jmp_buf		 fail;
	struct arena	 arena;
	struct source_set src;
	struct diag	 diag;		/* of the configuration */
	struct preprocess pp;
	struct config	 config;
	struct systems	*systems;
	struct alert_source *source;
	struct file	*file;
	size_t		 nfile;
	struct map	 where;		/* script -> struct where */
	bool		 scripts_failed;
	struct compile	**compile;	/* all that are to be freed */
	size_t		 ncompile, capcompile;
	struct map	 said;		/* what has been reported */
	struct diag	**part;
	size_t		 npart;
	struct macro_source macros, defines;
	const struct macro_source *library;
};

/* site.c: a whole file.  False, and reported, if it cannot be read. */
bool	 whole_read(struct whole *, struct str path, struct str *text);

/* scripts.c: the context macros with those that an alert fills. */
void	 whole_context(struct whole *, struct str alert, const char *status,
	    const char *level, struct compile_options *);

/* Reads the files that hold scripts. */
void	 scripts_read(struct whole *);
/* Compiles each file as if it stood alone: which scripts are there?  Bundled
 * ones are added where alerts name them. */
void	 scripts_compile(struct whole *);
/* The scripts of an alert, as it has them. */
void	 scripts_link(struct whole *, struct site_alert *,
	    const struct alert_source *);
/* Reports scripts that nothing ever starts. */
void	 scripts_unused(struct whole *);
/*
 * A threshold that is misspelt changes nothing, and nothing else says so:
 * reports macros of the site that nothing uses, and that one of the library
 * comes near to.
 */
void	 scripts_macros(struct whole *);
/* Whether what the file means outside of any alert matters to anyone. */
bool	 scripts_matter(const struct whole *, size_t file);

#endif
