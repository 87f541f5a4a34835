/*
 * report: what picket-deliver said of a job (job.h), read back: who has the
 * mail, from whom, and why the others have not.  Why a module: what is sent
 * again hangs on it, so it must be right for every order of lines and for a
 * report that breaks off.
 */
#ifndef ENGINE_DELIVER_REPORT_H
#define ENGINE_DELIVER_REPORT_H

#include "engine/deliver/job.h"

/* One line of it; texts are views of the report. */
struct report_line {
	struct str	 outcome;	/* ok, retry, fail */
	struct str	 transport;
	struct str	 address;	/* NIL: the attempt as a whole */
	struct str	 why;
};
/* The next line of an attempt, off the front of `report`; false: no more. */
bool	report_next(struct str *report, const struct job *,
	    struct report_line *);

struct report_rcpt {
	struct str	 address;	/* as in the job */
	bool		 taken;
	bool		 refused;	/* for good, by each that was asked */
	struct str	 by;		/* the label of what took it */
	struct str	 why;		/* its last word, or the last refusal */
};
struct report {
	struct report_rcpt rcpt[LIM_JOB_RCPT + 1];
	size_t		 n;		/* of the job; without recipients one
					 * stands for all: its address is empty */
	size_t		 ntaken;
	bool		 tried;		/* something was asked at all */
	double		 again;		/* seconds that each which may be asked again
					 * wants us to wait (job.h); 0: at will */
};
void	report_read(struct report *, struct str report, const struct job *);
/*
 * "smtp:mx:25: 450 come back later; sendmail:/usr/sbin/sendmail: exit status
 * 75": all that went wrong, a person's line of at most max bytes.
 */
void	report_why(struct str report, const struct job *, size_t max,
	    struct buf *);

#endif
