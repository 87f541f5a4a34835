/*
 * site: a folder of configuration, as one host sees it.  The eight files of
 * PIKT and all scripts go in; alerts with compiled scripts, sets of objects
 * and everything that is wrong come out.
 *
 * lang opens no file: who calls names the files that there are, and reads
 * them through struct compile_world.  The site owns all that it hands out.
 */
#ifndef LANG_SITE_H
#define LANG_SITE_H

#include "lang/base/cron.h"
#include "lang/base/diag.h"
#include "lang/base/map.h"
#include "lang/compile.h"

enum config_file {
#define CF(id, name, meaning) id,
#include "lang/table/config.def"
#undef CF
	CONFIG_COUNT
};
extern const char *const config_file_name[CONFIG_COUNT];

enum overlap { OVERLAP_SKIP, OVERLAP_QUEUE, OVERLAP_KILL, OVERLAP_COUNT };
extern const char *const overlap_name[OVERLAP_COUNT];

/* The commands of one operating system: a library that is chosen by name. */
struct site_system {
	struct str	 name;		/* "linux": as a host's system or group */
	struct macro_source macros;
};

struct site_bundled {
	struct str	 name, path;	/* of the script, of its file */
};

struct site_options {
	struct str	 file[CONFIG_COUNT];	/* paths; NIL: there is none */
	const struct str *script;	/* paths of *.pikt */
	size_t		 nscript;
	/* the bundled scripts, a file each: those that alerts name and the
	 * site has not itself are read from here */
	const struct site_bundled *bundled;
	size_t		 nbundled;
	struct str	 host;		/* who looks */
	bool		 is_here;	/* it is this machine, so it may be
					 * missing from systems.cfg */
	/* what else it is called then: short name, operating system */
	const struct str *own;
	size_t		 nown;
	const struct site_system *system;
	size_t		 nsystem;
	/* -M -D, context, the library's common part, world, trace */
	const struct compile_options *base;
	/* systems, defines, macros and objects only: for a single file */
	bool		 no_alerts;
};

struct site_timing {
	struct str	 text;		/* as written, blanks made one */
	struct cron	 cron;		/* with the alert's drift put in */
};

struct site_alert {
	struct str	 name;
	struct site_timing *timing;
	size_t		 ntiming;
	double		 every, timeout, digest;	/* seconds; 0: none */
	unsigned	 drift;		/* minutes; of `every`, and put into those
					 * timings that have none */
	bool		 has_priority;
	int		 priority;
	struct str	 nicecmd, mailcmd, lpcmd, execcmd, mailfrom, webhook;
					/* NIL: not given */
	struct str	*mailto, *route;
	size_t		 nmailto, nroute;
	enum status	 status;
	enum level	 level;
	bool		 has_level;
	enum overlap	 overlap;
	/* its scripts in order, with the status and the level that hold in
	 * this alert; none if there were errors */
	struct program	*alarm;
	size_t		 nalarm;
};

struct site_script {
	struct str	 name;
	const struct program *program;	/* outside of any alert; NULL if it
					 * has errors there */
	const struct site_alert *alert;	/* the first that lists it, or NULL */
};

struct site_object {
	struct str	*line;
	size_t		 n;
};

struct site {
	struct site_alert *alert;	/* in the order of alerts.cfg */
	size_t		 nalert;
	struct site_script *script;	/* in the order of the files */
	size_t		 nscript;
	struct map	 object;	/* name -> struct site_object */
	struct str	*host;		/* all of systems.cfg */
	size_t		 nhost;
	bool		 has_file[CONFIG_COUNT];
	size_t		 nfile;		/* *.pikt */
	bool		 host_known;	/* systems.cfg has the host, or there
					 * is no systems.cfg */
	struct str	 near_host;	/* if not: the nearest one, or NIL */
	/* How a script of this host is compiled: members, macro sources,
	 * defines, libraries. */
	struct compile_options compile;
	size_t		 nerror, nwarning;
};

/* NULL only without memory for the object itself. */
struct site *site_read(const struct site_options *);
void	 site_free(struct site *);
/*
 * Everything that is wrong, by parts: the configuration first, then each
 * script file.  What one part has said no later one repeats.  NULL: no more.
 */
struct diag *site_diag(struct site *, size_t i);

const struct site_alert *site_alert(const struct site *, struct str name);
const struct site_script *site_script(const struct site *, struct str name);
/* The lines of a set of objects; false: there is no such set. */
bool	 site_object(const struct site *, struct str set,
	    const struct str **line, size_t *n);
/* The nearest name of a set, or NIL. */
struct str site_object_nearest(const struct site *, struct str set);

#endif
