/*
 * procs: the processes of /proc, or of a recorded folder, one after the other.
 * Why not readdir and stdio: no memory is taken, so that a host that has none
 * left can still be looked at, and a walk costs little more than the kernel's
 * part of it.
 *
 *	if (!procs_open(p, &world)) ... p->why
 *	while ((r = procs_next(p)) == TABLE_ROW)
 *		... p->pid, p->stat.comm, procs_uid(p), procs_args(p)
 *	procs_close(p);
 *
 * Its stat is read at once (who has gone by then is left out), everything else
 * when it is asked for, below its folder, which is opened once: what is read
 * is never of another process that got the same number, and fails when this
 * one has gone.  Texts are valid until the next process.
 */
#ifndef ENGINE_TABLE_PROCS_H
#define ENGINE_TABLE_PROCS_H

#include <stdint.h>

#include "engine/table/lines.h"
#include "engine/table/table.h"

#define LIM_PROC_DENTS	32768		/* bytes of one getdents: 1,300 processes */
#define LIM_PROC_STAT	2048		/* bytes of N/stat: 52 numbers and a name;
					 * the kernel needs at most 1,100 */
#define LIM_PROC_COMM	64		/* bytes of a name; the kernel has 15, of
					 * its own workers 63 */
#define LIM_PROC_ARGS	131072		/* bytes of args: as much as one argument
					 * can have (MAX_ARG_STRLEN) */
#define LIM_PROC_RECORDED 65536		/* processes of a recorded folder */

struct proc_stat {		/* NUM_NIL: the file does not say */
	struct str	 comm;		/* NIL too */
	char		 state;		/* '\0' */
	double		 ppid, tty, flags, threads;
	double		 utime, stime;	/* seconds */
	double		 ticks;		/* of both, whole ones: to be summed up */
	double		 starttime;	/* ticks */
	double		 vsz, rss;	/* bytes */
};

struct proc_status {
	double		 tgid;		/* of a thread: its process */
	double		 uid, gid;	/* effective ones */
	double		 vsz, data, stack, locked, swap;	/* bytes */
	bool		 other;		/* it has a number in another namespace */
};

struct procs {
	struct table_world world;
	char		 why[LIM_TABLE_WHY];
	int		 dir;		/* ROOT/proc */
	bool		 live;		/* it is the kernel's */
	double		 hz, page;	/* ticks a second, bytes of a page */
	double		 uptime;	/* ticks, when the walk began */
	unsigned	 turn;
	size_t		 at, n;		/* in dents */
	pid_t		*recorded;	/* its numbers, in order; NULL: live */
	size_t		 nrecorded, next;

	/* the process */
	pid_t		 pid;
	int		 self;		/* its folder, or -1: see procs_folder */
	int		 statfd;
	bool		 deep;		/* folders are asked for */
	bool		 missed;	/* of this one something could not be read
					 * for want of memory or descriptors */
	unsigned	 have;		/* what was read of it */
	struct proc_stat stat;
	struct proc_status status;
	double		 owner, group;	/* of the folder; NUM_NIL in recordings */
	struct str	 args, cgroup, unit, tty;
	double		 shared, fds, oom_score, oom_score_adj;

	char		 text[LIM_PROC_STAT];
	char		 comm[LIM_PROC_COMM];
	char		 tty_text[LIM_PROC_COMM];
	char		 unit_text[256];
	char		 cgroup_text[4096];
	char		 args_text[LIM_PROC_ARGS];
	struct lines	 lines;
	_Alignas(uint64_t) char dents[LIM_PROC_DENTS];
};

/* false: p->why says why not; it is closed then. */
bool	 procs_open(struct procs *, const struct table_world *);
enum table_next procs_next(struct procs *);
/* That process; false: there is none, or errno says that it could not be looked
 * at.  The walk goes on where it was. */
bool	 procs_at(struct procs *, pid_t);
void	 procs_close(struct procs *);

/*
 * For who keeps a walk open: it begins anew; the next number, 0: the end, or
 * *error; and the process whose stat somebody has open, of which nothing else
 * is then known.  False: it has ended.
 */
void	 procs_again(struct procs *);
pid_t	 procs_list(struct procs *, int *error);
bool	 procs_of_stat(struct procs *, pid_t, int statfd);

/* The process's folder, to read below; -1: it has gone. */
int	 procs_folder(struct procs *);
/* A read of it has failed with that error, 0: it has not. */
void	 procs_failed(struct procs *, int error);
bool	 procs_zombie(const struct procs *);	/* or dead altogether */
bool	 procs_kernel(const struct procs *);	/* a kernel thread */
double	 procs_uid(struct procs *);
double	 procs_gid(struct procs *);
double	 procs_age(const struct procs *);
double	 procs_cpu(const struct procs *);	/* seconds, utime and stime */
const struct proc_status *procs_status(struct procs *);
struct str procs_args(struct procs *);
struct str procs_tty(struct procs *);
struct str procs_cgroup(struct procs *);
struct str procs_unit(struct procs *);
double	 procs_shared(struct procs *);
double	 procs_fds(struct procs *);
double	 procs_oom_score(struct procs *);
double	 procs_oom_score_adj(struct procs *);

/* Names of a folder, by getdents into a buffer of the caller's; for /proc and
 * N/fd.  NULL: no more, or *error. */
struct dents {
	int	 fd;
	char	*buf;
	size_t	 cap, at, n;
	int	 error;
};
const char *dents_next(struct dents *);
/* A name that is all digits as a number, or -1. */
long	 dents_number(const char *);

#endif
