/*
 * alert: one run of an alert: its scripts in order, and what they have to say
 * on its way out: mail, mail to single addresses, lines to print.  Why a floor
 * of its own: `picket run` and the runners of picketd do the same, and only
 * where they have it from differs: a site that was just read, or an image.
 *
 *	alert_init	the settings; then whoever runs it adds his own
 *	alert_run	all of it
 *
 * Nothing here exits, prints but through the place's functions, or has a
 * state of its own.
 */
#ifndef ENGINE_ALERT_ALERT_H
#define ENGINE_ALERT_ALERT_H

#include <signal.h>

#include "lang/site.h"
#include "engine/deliver/tell.h"
#include "engine/run/run.h"

#define ALERT_NAME	"run"	/* what a file's scripts belong to */
/* The folder of the state with mails that could neither go nor be kept. */
#define UNDELIVERED	"undelivered"

/* Where runs are: this host's configuration and state. */
struct alert_place {
	struct mem	*mem;
	struct arena	*arena;		/* for the place's life */
	struct str	 state;		/* the state's folder; NIL: there is none */
	struct str	 logdir;	/* of the alerts' logs, and =logdir */
	const struct conf *conf;
	const struct str *group;	/* the host's */
	size_t		 ngroup;
	const struct objects *objects;	/* or NULL */
	/* each object set in turn, to be files, too; false: there is no set
	 * i.  NULL: none */
	bool		(*set)(void *arg, size_t i, struct str *name,
			    const struct str **line, size_t *n);
	void		*set_arg;
	struct str	 origin;	/* the site's folder, where whoever tells of
					 * time (alert_tick) looks what is gone; NIL:
					 * the runs do */
	/* whether the site still has that script; NULL: it is not known */
	bool		(*there)(void *arg, struct str alert,
			    struct str script);
	void		*there_arg;
	/* ends the processes of a run that was killed, before it is told of;
	 * NULL: nobody knows them */
	void		(*sweep)(struct mem *, struct str run);
	/* all bytes to standard output or error */
	bool		(*write)(int fd, struct str);
	/* a line for people */
	void		(*say)(void *arg, struct str line);
	void		*say_arg;
};

struct alert {
	const struct alert_place *at;
	struct str	 name;
	char		 run_id[64];
	struct run_options o;
	const struct site_alert *site;	/* its settings; NULL: a file's scripts */
	struct str	 origin;	/* the site's folder, or the file */
	struct str	 first;		/* its own way, before those of the conf */
	struct str	 also;		/* one that gets all of it besides */
	struct str	 mailfrom;
	const struct str *mailto;	/* who gets its mail; NULL: the conf says */
	size_t		 nmailto;
	bool		 only_to;	/* a person has said who, for this time */
	const char	*mail;		/* --mail: where mail is shown; or NULL */
	bool		 dry;
	bool		 doexec;	/* define doexec is TRUE */
	bool		 owns_stdin;	/* a script of one's own may read it */
	/* of a run of picketd: */
	double		 due;		/* seconds; NUM_NIL: by hand */
	struct str	 reason;	/* why it runs: scheduled, by-hand ... */
	bool		 always_trail;	/* a killed one is always known */
	bool		 no_wait;	/* for another run's end */
	bool		 no_send;	/* the courier does */
	bool		 disarmed;	/* what acts is told of, and not done */
	bool		 told_disarmed;
	/* the scripts begin: what they want is there; or NULL */
	void		(*begins)(void *arg);
	/* all scripts have ended, nothing is committed; or NULL */
	void		(*ended)(void *arg, const struct alert *);
	void		*arg;
	/* set by a signal, whose handler ends the run at hand through o.running */
	volatile sig_atomic_t *interrupted;

	/* what has come of it */
	bool		 held;		/* another run of it is going on */
	int		 status;	/* of `quit n`, or -1 */
	bool		 failed;
	bool		 kept;		/* the store has taken what it leaves */
	bool		 left_waits;	/* the row of a killed one is still to be */
	double		 began;
	struct trail	*trail;		/* what it does, as it happens; or NULL */
	struct tell	*tell;		/* collects what it leaves */
	/* by script that has run */
	const struct program **program;
	struct run_result *result;
	struct mail_section *section;
	size_t		 n;
};

/*
 * A run of the alert, by now, as its settings (or NULL) and the place have it;
 * all else is as for a person who calls for it.  The place and the settings
 * must outlive it.
 */
void	 alert_init(struct alert *, const struct alert_place *,
	    struct str name, const struct site_alert *);
#define ALERT_NICED	"PICKET_NICED"	/* in the environment: nicecmd has */
/*
 * Its priority and nicecmd, which starts the program anew, once: before
 * anything else.  argv: as it was called; self: its path.
 */
void	 alert_nice(const struct alert_place *, const struct site_alert *,
	    const char *self, char *const *argv);
/* The scripts in order, then what comes of it: a->failed, held, status. */
void	 alert_run(struct alert *, const struct program *, size_t n);
/*
 * The same in two parts, for when memory is short (o.scarce): the first opens
 * no file and asks nobody, so it has no lock and leaves no trail; the second is
 * what comes of it, once there is memory again.
 */
void	 alert_hurry(struct alert *, const struct program *, size_t n);
void	 alert_settle(struct alert *);
/* Or it is dropped: it has said and done nothing. */
void	 alert_forget(struct alert *);

/*
 * For who has changed what is told of: an ack, a silence, time.  what: a word,
 * for the ids of its mails; send: also what waits in the outbox.  False: it
 * was said what could not go.
 */
bool	 alert_tick(const struct alert_place *, struct state *,
	    const char *what, bool send);
/*
 * Of what could not be committed: its mails, at once, with a line about the
 * fault in them.  False: one of them could not go; it was said where it is.
 */
bool	 alert_direct(const struct alert_place *, struct tell *,
	    struct str fault);
/* What all killed runs have left is told of; false: not all, see what was
 * said. */
bool	 alert_left_all(const struct alert_place *, struct state *);
/*
 * A folder of the state, made if need be and if it is to be; NIL: there is no
 * place for it.
 */
struct str alert_folder(const struct alert_place *, const char *leaf,
	    bool make);
/*
 * A client of the place's state: the store itself starts when it is asked;
 * NULL: there is no folder for it.
 */
struct state *alert_state(const struct alert_place *, bool read_only);

/* How many seconds a script of the alert may run that says nothing itself:
 * the alert's interval, within reason. */
double	 alert_time_allowed(const struct site_alert *);

/* "webhook URL", as picket.conf would have it. */
void	 alert_webhook(struct str url, struct buf *line);

/*
 * objects.c: the sets as files below =objdir; the folder =hstdir.  dry: what
 * would change is said.
 */
void	 alert_object_files(const struct alert_place *, bool dry);

#endif
