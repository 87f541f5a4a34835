/*
 * sim: runs of an alert in a world that is written down (effect/recorded.h),
 * one after the other on a virtual clock: what picket test and picket replay
 * are made of.  What outlives a run is kept by a real picket-store in memory,
 * and the end of a run is deliver/tell: values, incidents and mail are those
 * of real runs.
 */
#ifndef ENGINE_SIM_SIM_H
#define ENGINE_SIM_SIM_H

#include "engine/deliver/tell.h"
#include "engine/effect/recorded.h"

struct sim;

struct sim_options {
	struct mem	*mem;
	const char	*store;		/* path of picket-store */
	const struct conf *conf;	/* of the mail; defaults are enough */
	struct str	 alert;		/* name */
	struct run_facts facts;		/* objects and the like */
	/* The world is this host after all: what is only read is real, the
	 * clock is real, effects are told of to nobody (picket learn).  Then
	 * root and path are as in struct run_options. */
	bool		 here;
	const char	*root;
	struct str	 path;
	bool		 dry;		/* effects are only told of (replay of a
					 * script whose world is not whole);
					 * sim_variable has nothing then */
	/* gets each instruction of a program compiled for trace that is met;
	 * NULL: nobody asks.  For coverage. */
	void		(*met)(void *arg, const struct program *, uint32_t pc,
			    bool taken);
	/* each evaluation of an incident; or NULL */
	void		(*seen)(void *arg, const struct program *,
			    const struct run_seen *);
	void		*arg;
};

/* NULL: the store cannot be started, *why says it. */
struct sim *sim_new(const struct sim_options *, struct buf *why);
void	 sim_free(struct sim *);
struct recorded *sim_world(struct sim *);
/* The alert that runs from here on. */
void	 sim_set_alert(struct sim *, struct str name);

struct sim_mail {
	struct str	 to, subject, body;	/* body as it would be sent; to:
						 * by ", " */
};
struct sim_change {			/* of an incident, as it is told */
	struct str	 key, kind;	/* "firing", "still", "resolved" ... as
					 * notice_name has them */
	struct str	 message, evidence;
};
/* Of one script. */
struct sim_script {
	const struct program *program;
	enum run_end	 end;
	struct str	 error;		/* why it did not end well; or empty */
	double		 lines;
	struct str	 mail;		/* its mail lines, '\n' behind each */
};
struct sim_result {			/* valid until the next run */
	const struct sim_script *script;
	size_t		 nscript;
	const struct sim_mail *mail;
	size_t		 nmail;
	const struct sim_change *change;
	size_t		 nchange;
};
/*
 * One run of the alert's scripts at the world's clock, in their order, whatever
 * their status is; one that dies ends it.  What they did is in
 * recorded_done.  False: the sim itself failed (store gone).
 */
bool	 sim_run(struct sim *, const struct program *const *, size_t n,
	    bool doexec, struct sim_result *, struct buf *why);
/*
 * The value of a script's variable as the last run left it, as by $text;
 * name with its sigil; element: of an array, or NIL.  False: there is no such
 * variable.
 */
bool	 sim_variable(struct sim *, const struct program *, struct str name,
	    struct str element, struct str *value);
/* Whether an incident is pending or fires. */
bool	 sim_is_open(struct sim *);
/* The state of an incident: "quiet", "pending", "firing"; or NIL: unknown. */
struct str sim_incident(struct sim *, struct str key);

#endif
