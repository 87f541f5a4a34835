/*
 * compile: the facade of lang/.  A source goes in; programs or diagnostics
 * come out.  This header and lang/code/program.h are all that the engine
 * sees of the compiler.
 */
#ifndef LANG_COMPILE_H
#define LANG_COMPILE_H

#include "lang/base/diag.h"
#include "lang/code/program.h"

#define LIM_SOURCE	(16u << 20)	/* bytes, macros expanded: far above any
					 * script, far below what could hurt */
#define LIM_COMPILE_MEM	(512u << 20)	/* bytes for one compile */

struct macro_source {
	struct str	 name;		/* file name for messages */
	struct str	 text;
};

struct macro_value {			/* -M name=value */
	struct str	 name, value;
};

struct define {				/* -D name or -D name=FALSE */
	struct str	 name;
	bool		 value;
};

struct environment {			/* of #set, for commands and #echo */
	struct str	 name, value;	/* value NIL: of #unset */
};

/*
 * What the preprocessor may ask of the world, answered by the engine: lang
 * opens no file and runs nothing.  Texts handed out live as long as the
 * compile object.  false: it failed, *why says it in one line.
 */
struct compile_world {
	void	*w;
	bool	(*read)(void *w, struct str path, struct str *text,
		    struct str *why);
	/* makes a file anew that is included with a [command] */
	bool	(*write)(void *w, struct str path, struct str text,
		    struct str *why);
	/* a variable of picket's own environment: NIL if it is not set */
	struct str (*env)(void *w, struct str name);
	/* by sh -c: what it writes, and its exit status; run and pikt may be
	 * NULL: commands are not run here */
	bool	(*run)(void *w, struct str command,
		    const struct environment *, size_t nenv, struct str *text,
		    int *status, struct str *why);
	/* #piktexec: statements, run as a standalone program */
	bool	(*pikt)(void *w, struct str statements,
		    const struct environment *, size_t nenv, struct str *why);
};

struct compile_options {
	/* by precedence: values, files in order, context, library in order */
	const struct macro_value *macro;
	size_t		 nmacro;
	const struct macro_source *macro_file;
	size_t		 nmacro_file;
	const struct macro_value *context; /* =piktalert and its kin */
	size_t		 ncontext;
	const struct macro_source *library;
	size_t		 nlibrary;
	const struct define *define;
	size_t		 ndefine;
	/* defines.cfg and the like: weaker than -D, stronger than nothing */
	const struct macro_source *define_file;
	size_t		 ndefine_file;
	/* names that `#if` finds true: the host, its aliases, groups, system */
	const struct str *member;
	size_t		 nmember;
	/* all that are registered; 0: nothing is said of unknown ones */
	const struct str *registered;
	size_t		 nregistered;
	struct str	 include_dir;	/* of #include <file>; NIL: of the file
					 * that includes */
	const struct compile_world *world; /* NULL: no includes, no commands */
	bool		 renew;		/* make `"file" [command]` anew */
	bool		 trace;		/* emit TR... instructions */
	bool		 cover;		/* emit MARK instructions, and points */
	bool		 outline;	/* make compile_outline and
					 * compile_macros */
	size_t		 mem_limit;	/* 0: LIM_COMPILE_MEM */
};

struct compile;		/* owns programs, diagnostics and texts */

/*
 * Compiles one source.  name is for messages and, in a standalone program,
 * the script's name.  The texts must outlive the compile object.  NULL only
 * without memory for the object itself.
 */
struct compile *compile_source(struct str name, struct str text,
	    const struct compile_options *);
void	 compile_free(struct compile *);
/* The programs; n is 0 when there were errors. */
const struct program_set *compile_programs(const struct compile *);
struct diag *compile_diag(struct compile *);

/* The scripts by name, in order; known also where there are errors in them. */
struct compile_script {
	struct str	 name;
	struct place	 place;		/* in the source set of compile_diag */
};
const struct compile_script *compile_scripts(const struct compile *,
	    size_t *n);
/* Whether the macro was used anywhere. */
bool	 compile_uses(const struct compile *, struct str macro);
/* What the scripts say, in order: see lang/check/outline.h.  Texts are as
 * written, macros expanded. */
enum outline_kind {
	OUTLINE_INPUT,		/* word: proc, file, table, filter ... */
	OUTLINE_INCIDENT,	/* text: the key */
	OUTLINE_CLAUSE,		/* word: when, until, hold ... of it */
	OUTLINE_OUTPUT,		/* word: mail, log ... */
	OUTLINE_EXEC,		/* word: exec, exec wait ... */
	OUTLINE_ACT,		/* a call that changes something; word: names of
				 * the function */
	OUTLINE_RECORD, OUTLINE_BEFORE	/* %x: what is kept from run to run */
};
struct compile_outline {
	enum outline_kind kind;
	uint32_t	 script;	/* number, as in compile_scripts */
	bool		 doexec;	/* only where define doexec is TRUE */
	struct str	 word, text;
	struct str	 macros;	/* those that the text was made of, by
					 * blanks */
	struct place	 place;
};
const struct compile_outline *compile_outline(const struct compile *,
	    size_t *n);
/* The macros without arguments that were used, each once, with their bodies as
 * written and where they are defined (file SOURCE_NONE: nowhere, a -M). */
struct compile_macro {
	struct str	 name, body;
	struct place	 place;
};
const struct compile_macro *compile_macros(const struct compile *, size_t *n);
/* Whether a script of that name may be in what its #if leaves out here. */
bool	 compile_left_out(const struct compile *, struct str name);

#endif
