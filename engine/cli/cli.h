/*
 * cli: what the commands of picket share: options, sources, diagnostics.
 * Exit status: 0 fine, 1 problems found or errors, 2 usage.
 */
#ifndef ENGINE_CLI_CLI_H
#define ENGINE_CLI_CLI_H

#include "lang/base/buf.h"
#include "lang/compile.h"
#include "lang/site.h"
#include "engine/vm/objects.h"
#include "engine/deliver/conf.h"

enum command_id {
#define C(id, name, args, help) CMD_##id,
#include "engine/cli/commands.def"
#undef C
	CMD_COUNT
};

enum option_id {
#define O(id, letter, name, arg, on, help) OPT_##id,
#include "engine/cli/commands.def"
#undef O
	OPT_COUNT
};

enum exit_status { EXIT_FINE = 0, EXIT_PROBLEMS = 1, EXIT_USAGE = 2 };

#define LIM_CONTEXT	16	/* context macros: language.md names eleven */
#define LIM_CLI_LIST	256	/* -D, -M and --mailto: more belong in files */

struct cli {
	struct mem	 mem;
	jmp_buf		 fail;
	struct arena	 arena;
	enum command_id	 command;
	bool		 given[OPT_COUNT];
	const char	*value[OPT_COUNT];	/* the last one given */
	struct macro_value macro[LIM_CLI_LIST];
	size_t		 nmacro;
	struct define	 define[LIM_CLI_LIST];
	size_t		 ndefine;
	struct str	 mailto[LIM_CLI_LIST];
	size_t		 nmailto;
	char		**argv;			/* as picket was called */
	const char	*self;			/* its program */
	bool		 program;		/* picket FILE ARG...: as #! calls it */
	char		**arg;			/* what is no option */
	size_t		 narg;
	bool		 colour_out, colour_err;
	/* made when asked for */
	struct macro_source library[2];
	size_t		 nlibrary;
	bool		 library_read, library_here;
	struct site	*site;		/* or NULL */
	struct str	 dir;		/* of the configuration, and =piktdir */
	struct conf	 conf;
	struct str	 conf_name, conf_text;	/* its file, if it was read */
	struct str	 logdir;	/* of the alerts' logs, and =logdir */
	struct cli_command *commands;	/* of directives, that have run */
	double		 command_time;	/* seconds that they took */
	double		 patience;	/* seconds for the state; 0: its own */
};

/* options.c: fills *c; -1 to go on, else the exit status. */
/* What can only be a file, whatever the site has. */
bool	 cli_says_file(struct str);
int	 cli_options(struct cli *, int argc, char **argv);
void	 cli_usage(const struct cli *, enum command_id, int fd);
/* More arguments than a command takes: said which one is too many. */
bool	 cli_too_many(const struct cli *, enum command_id, size_t most);
void	 cli_help(const struct cli *, int fd);
int	 cli_completion(struct cli *);

/* A line on standard error: "picket: ...". */
void	 cli_say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* All bytes to a descriptor; false on error. */
bool	 cli_write(int fd, struct str);

/*
 * source.c: a whole file ("-": standard input) into the arena; false with a
 * message said.
 */
int	 cli_open(const char *path);	/* "-" is 0; -1: it was said why */
bool	 cli_read_file(struct cli *, const char *path, struct str *text);
/* The same of a file that a text names: a regular one; why it is not. */
bool	 cli_read_regular(struct cli *, const char *path, struct str *text,
	    const char **why);
/* The programs of a source or .pkc; what is wrong has been shown. */
struct loaded {
	struct compile	*compile;	/* NULL for a .pkc */
	struct program_set set;
	bool		 ok;
};
void	 cli_load(struct cli *, const char *path, bool trace, struct loaded *);
void	 cli_unload(struct loaded *);
/* The only argument's; -1, else the exit status: what is wrong was shown. */
int	 cli_load_one(struct cli *, struct loaded *);
/* What a text that no site has is compiled with: the site's macros where one
 * is open, else the library's; false: told of. */
bool	 cli_text_options(struct cli *, struct str text,
	    struct compile_options *);
/* What is wrong, on standard error; with --json nothing. */
void	 cli_show(struct cli *, struct diag *);
/* What a script of that host is compiled with, but for what a site adds. */
bool	 cli_compile_options(struct cli *, struct str host,
	    struct compile_options *);
/* The libraries of all operating systems; false: told of. */
bool	 cli_systems(struct cli *, const struct site_system **, size_t *);
struct str cli_hostname(struct cli *);
/* What this machine is called besides: its short name, its system. */
#define LIM_OWN_NAMES	4	/* one short name, two of the system at most */
size_t	 cli_own_names(struct cli *, struct str host,
	    struct str own[LIM_OWN_NAMES]);

/* json.c: the diagnostics of files as one JSON document on standard output. */
struct json_diag;
struct json_diag *json_diag_new(void);
void	 json_diag_add(struct json_diag *, struct diag *);
/* What is wrong with a file that has no struct diag. */
void	 json_diag_say(struct json_diag *, struct str path,
	    enum diag_severity, struct str what);
/* A file that fmt has changed, or would. */
void	 json_diag_changed(struct json_diag *, struct str path);
int	 json_diag_end(struct json_diag *);
bool	 cli_define(const struct cli *, const char *name);

/* bundled.c: the folder of the standard library. */
const char *cli_library(void);
/* The bundled scripts, by name; false: there is no such folder. */
bool	 cli_bundled(struct cli *, const struct site_bundled **, size_t *);
/* The file of a bundled script; NIL: there is none of that name. */
struct str cli_bundled_path(struct cli *, const char *name);
/* site.c: for scandir, what is a script by its name. */
struct dirent;
int	 cli_is_script(const struct dirent *);
/* DIR/name, and whether it is there. */
bool	 cli_is_there(const char *dir, const char *name, struct cli *,
	    struct str *path);
/* Whether the folder holds a file of a site. */
bool	 cli_site_is(struct cli *, const char *dir);
/* Reads the folder's picket.conf, the system's if NULL; false: told of. */
bool	 cli_configuration(struct cli *, const char *dir);
/*
 * Warns if critical alerts of the site can leave this host by its own mail
 * queue only; true if so.
 */
bool	 cli_warn_ways(struct cli *, const struct site *, const char *dir,
	    struct json_diag *);
/* Warns of ways whose certificates or secrets are files that are not there,
 * and of a group that is not; how many. */
size_t	 cli_warn_files(struct cli *, const char *dir, struct json_diag *);
/* Reports routes that alerts name and picket.conf has not; how many. */
size_t	 cli_check_routes(struct cli *, const struct site *, const char *dir,
	    struct json_diag *);
/* The folder is the configuration's from here on; false: told of. */
bool	 cli_set_dir(struct cli *, const char *dir);
/*
 * The site of a folder as this host, or that of --host, sees it; what is
 * wrong in it is not shown yet.  NULL: told why.
 */
struct site *cli_site(struct cli *, const char *dir, bool trace,
	    bool no_alerts);
/*
 * The same with picket.conf, and all that is wrong with either shown: what
 * `picket check` and a reload of picketd say.
 */
struct site *cli_site_judged(struct cli *, const char *dir,
	    struct json_diag *, size_t *nerror, size_t *nwarning);
/*
 * Reads the site of the configuration's folder, if it is one, into c->site;
 * false: told of.
 */
bool	 cli_open_site(struct cli *, bool no_alerts);
/* All that is wrong, on standard error or into json. */
void	 cli_site_show(struct cli *, struct site *, struct json_diag *json);
/*
 * Whether a script runs by itself: no alert lists it, and it has an every, a
 * timing or a watch of its own.
 */
bool	 cli_is_own(const struct site_script *);
/* What its runs are of: its name, told from an alert's. */
struct str cli_own_name(struct cli *, const struct site *,
	    const struct site_script *);
/* The site's object sets for a run. */
const struct objects *cli_objects(struct cli *, const struct site *);
/*
 * place.c: a folder of the state: /var/lib/picket for root, else under
 * $XDG_STATE_HOME or ~/.local/state; made if need be, NIL if there is no
 * place for it.
 */
struct str state_folder(struct cli *, const char *leaf);
/* Its path alone; nothing is made. */
struct str state_path(struct cli *, const char *leaf);
/* The folder of the logs: the configuration's, else one beside the state. */
struct str cli_logdir(struct cli *);
/* The folder of the state itself. */
struct str state_home(struct cli *);
/* Where runs are, by the configuration and the site that were read. */
struct alert_place;
void	 cli_place(struct cli *, struct alert_place *);

/* cmd_list.c: "5m"; a timing as people read it. */
void	 cli_duration(struct buf *, double seconds);
void	 cli_timing(struct buf *, const struct site_timing *);
/* Its five fields, as crontab has them. */
void	 cli_timing_fields(struct buf *, const struct site_timing *);

int	 cmd_check(struct cli *);
int	 cmd_explain(struct cli *);
int	 cmd_now(struct cli *);
int	 cmd_learn(struct cli *);
int	 cmd_run(struct cli *);
int	 cmd_test(struct cli *);
int	 cmd_replay(struct cli *);
int	 cmd_list(struct cli *);
int	 cmd_fmt(struct cli *);
int	 cmd_disasm(struct cli *);
int	 cmd_compile(struct cli *);
int	 cmd_doc(struct cli *);
int	 cmd_incidents(struct cli *);
int	 cmd_silences(struct cli *);
int	 cmd_ack(struct cli *);
int	 cmd_silence(struct cli *);
int	 cmd_unsilence(struct cli *);
int	 cmd_why(struct cli *);
int	 cmd_status(struct cli *);
int	 cmd_reload(struct cli *);
int	 cmd_runnow(struct cli *);
int	 cmd_pause(struct cli *);
int	 cmd_resume(struct cli *);
int	 cmd_disarm(struct cli *);
int	 cmd_arm(struct cli *);
int	 cmd_outbox(struct cli *);
int	 cmd_deliver(struct cli *);
int	 cmd_mailtest(struct cli *);

#endif
