/*
 * schedule: what picketd knows of a site: names, times and what kind of runs
 * they are.  Why apart from the rest of the image: picketd is locked in
 * memory and must stay small, so it takes this part alone, and links neither
 * the machine nor anything of the compiler.
 *
 * It is the image's own bytes, checked once and copied, behind a few
 * functions that read them: one allocation, nothing points out of it, and the
 * image's descriptor can be closed or handed on at once.
 *
 * The drift of each timing is in it, worked out for this host when the image
 * was written (calendar_drift): picketd and `picket list` have the same.
 */
#ifndef ENGINE_IMAGE_SCHEDULE_H
#define ENGINE_IMAGE_SCHEDULE_H

#include "lang/base/cron.h"
#include "lang/site.h"

#define LIM_IMAGE_ENTRIES 100000	/* alerts: as many as a site may have
					 * scripts */
#define LIM_IMAGE_TIMINGS 4096	/* of one alert: more minutes than anybody
				 * writes down */
#define LIM_IMAGE_SCRIPTS 65535	/* of one alert: sixteen bits */
#define LIM_IMAGE_WHY	120	/* bytes of why an image is refused */

/* What a run of an entry does; a bit is set if it holds of some script. */
#define ENTRY_WATCH_MEMORY 0x01	/* has `watch memory` */
#define ENTRY_COMMANDS	0x02	/* starts processes: commands, exec, popen, input
				 * proc or journal, filter, the network's */
#define ENTRY_ACTS	0x04	/* changes the world: exec, kill, files */
#define ENTRY_FOREIGN	0x08	/* reads something else than native tables */
#define ENTRY_EMERGENCY	0x10	/* watches memory, and can run when there is none
				 * (scarce_can): an emergency worker does */
#define ENTRY_OWN	0x20	/* is a script that no alert lists, with its own
				 * every, timing or watch */
#define ENTRY_SLEEPS	0x40	/* never due: inactive or suspended, or without
				 * scripts here */

struct schedule;

struct schedule_entry {
	size_t		 index;		/* picket-runner's --entry */
	const char	*name;		/* unique; valid as long as the schedule */
	double		 every;		/* seconds; 0: none */
	double		 every_drift;	/* seconds, as those of the timings */
	double		 timeout;	/* as the alert says it; 0: it does not */
	double		 longest;	/* seconds that a run can take at most: the
					 * deadlines of its scripts together */
	unsigned	 ntiming, nscript;
	enum status	 status;
	enum level	 level;		/* if has_level */
	enum overlap	 overlap;
	int		 priority;	/* if has_priority; the runner takes it */
	bool		 has_level, has_priority;
	unsigned	 flags;		/* ENTRY_... */
	uint32_t	 timing, script;	/* where they begin: of use inside */
};

/*
 * Reads it of an image, whose descriptor stays as it is.  NULL: why says, as
 * a clause that goes with the image's name ("is cut short").  The caller
 * frees it.
 */
struct schedule *schedule_open(int fd, char why[LIM_IMAGE_WHY]);
void	 schedule_free(struct schedule *);

/* Entries 0 to n - 1 are the image's, in the order of the site. */
size_t	 schedule_count(const struct schedule *);
void	 schedule_entry(const struct schedule *, size_t i,
	    struct schedule_entry *);
/* The index of a name; -1: there is none. */
long	 schedule_find(const struct schedule *, const char *name);
/* Timing k of ntiming; its drift in seconds is returned. */
double	 schedule_timing(const struct schedule *,
	    const struct schedule_entry *, unsigned k, struct cron *);
/* Name k of nscript. */
const char *schedule_script(const struct schedule *,
	    const struct schedule_entry *, unsigned k);

/* Of the site: valid as long as the schedule. */
const char *schedule_host(const struct schedule *);
const char *schedule_dir(const struct schedule *);	/* of the configuration */
const char *schedule_logdir(const struct schedule *);
/*
 * What picket.conf gives for a keyword with one value (`parallel`), or its
 * default; NULL: neither, or no such keyword.  For a keyword whose line has
 * more words, what its reader leaves in conf.value.
 */
const char *schedule_setting(const struct schedule *, const char *keyword);
/* The same for the same site: what a reload compares. */
uint64_t schedule_sum(const struct schedule *);
/* Bytes of memory that it takes. */
size_t	 schedule_size(const struct schedule *);

#endif
