/*
 * snapshot: the processes of the host as they were a moment ago, in memory
 * that was there before.  Why: when memory has run out no file of /proc can
 * be opened any more, and a fresh page is waited for without end; but reads
 * of what is open, and kill(2), work.  Whoever is to act then takes a
 * snapshot while all is well, again and again, and keeps open what he will
 * want to read: the host's memory, his own cgroup's, and the stat of each
 * of the largest processes, which tells its size now and whether it is still
 * that one.
 *
 * snapshot_take costs one open for each process that is not kept open (in a
 * hurry: that is new); what
 * changes seldom (arguments, cgroup, scores, swap) is read when a process is
 * new, has another name, has grown by an eighth, and now and then.
 *
 * The snapshot owns all; views of texts and rows are valid until the next
 * snapshot_take.
 */
#ifndef ENGINE_TABLE_SNAPSHOT_H
#define ENGINE_TABLE_SNAPSHOT_H

#include <limits.h>

#include "engine/table/names.h"
#include "engine/table/procs.h"

#define LIM_SNAPSHOT	32768	/* processes: as many as kernel.pid_max lets be
				 * by default.  Of more, those with the highest
				 * numbers are left out, counted and told of */
#define SNAPSHOT_FIRST	1024	/* processes that there is room for at once; then
				 * twice as many as there are (snapshot_room) */
#define LIM_SNAPSHOT_ARGS 96	/* bytes of args: what a line of ps shows */
#define LIM_SNAPSHOT_COMM 16	/* bytes of a name; the kernel has 15 */
#define LIM_SNAPSHOT_OPEN 256	/* processes whose stat is kept open: what is
				 * worth ending is among them; the kernel keeps
				 * a page for each */
#define LIM_SNAPSHOT_TEXT (1u << 20)	/* bytes of different cgroups and units:
				 * 10,000 containers; what does not fit is NIL */
#define LIM_SNAPSHOT_SPARES 24	/* descriptors that are there to be given up: what
				 * the kernel keeps for them is enough to look at
				 * a dozen processes that nobody knows */
#define SNAPSHOT_TEXT	(64u << 10)	/* of these, what there is at once */
#define SNAPSHOT_SLOW	32	/* snapshots between two looks at what changes
				 * seldom */
#define LIM_SNAPSHOT_FILES 20
#define SNAPSHOT_NONE	UINT32_MAX	/* not known */

struct snapshot_process {
	uint64_t	 start;		/* ticks since boot */
	uint64_t	 vsz;		/* bytes */
	double		 looked;	/* steady; when it was read last */
	pid_t		 pid, ppid;
	uint32_t	 uid, gid;	/* SNAPSHOT_NONE */
	uint32_t	 utime, stime;	/* ticks */
	uint32_t	 rss, swap, shared;	/* pages, or SNAPSHOT_NONE */
	uint32_t	 threads;
	uint32_t	 cgroup, unit;	/* in texts */
	uint32_t	 slow_rss;	/* when what changes seldom was read */
	int32_t		 tty;
	int		 fd;		/* its stat, or -1 */
	int16_t		 score, adj;	/* SHRT_MIN: not known */
	uint16_t	 ncgroup, nunit;	/* USHRT_MAX: none */
	uint8_t		 ncomm, nargs;	/* of args UCHAR_MAX: not known */
	char		 state;
	bool		 kernel;	/* a thread of it */
	bool		 other;		/* in another pid namespace */
	bool		 gone;		/* it has ended since */
	char		 comm[LIM_SNAPSHOT_COMM];
	char		 args[LIM_SNAPSHOT_ARGS];
};

struct snapshot_file {
	char		 path[160];
	int		 fd;
};

/* The nearest cgroup above the own process, it too, that has a limit. */
struct snapshot_group {
	char		 path[PATH_MAX];	/* as in /proc/self/cgroup; "": none */
	char		 folder[PATH_MAX];	/* where its files are */
	unsigned	 version;		/* 1, 2; 0: none */
	int		 used, max, stat, oom, pids, pids_max; /* or -1 */
};

struct snapshot {
	struct table_world world;
	struct mem	*mem;
	struct procs	*p;
	struct names	 names;
	bool		 have_names;
	struct timespec	 passwd;	/* when it was changed */
	struct snapshot_process *both, *now, *next;
	size_t		 n, cap;
	size_t		 left_out;
	unsigned	 turn;
	size_t		 nopen;
	double		 taken;		/* by the steady clock; NIL: never */
	struct buf	 text;		/* each different one once */
	bool		 text_full;
	bool		 hurry;		/* the caller's: opens what is new and few
					 * others, and gives up some for it; without arguments,
					 * for which the kernel takes a lock of the
					 * process, and that may wait for memory with
					 * it */
	int		 spare[LIM_SNAPSHOT_SPARES];
	size_t		 nspare;
	struct snapshot_file file[LIM_SNAPSHOT_FILES];
	size_t		 nfile;
	struct snapshot_group group;
};

enum snapshot_got {
	SNAPSHOT_TAKEN,
	SNAPSHOT_SCARCE,	/* no memory or descriptor for it: the one
				 * before stays */
	SNAPSHOT_FAILED		/* another reason: in s->p->why; it stays too */
};

/* Opens what is kept open; takes none yet.  False with the reason.  mem must
 * not jump out of a later snapshot_room: it is tested there. */
bool	 snapshot_open(struct snapshot *, struct mem *,
	    const struct table_world *, char why[LIM_TABLE_WHY]);
void	 snapshot_close(struct snapshot *);
enum snapshot_got snapshot_take(struct snapshot *, double steady);
/*
 * While there is memory: room for twice as many processes as there are, and
 * the names of users anew if /etc/passwd has changed.  May jump out of mem;
 * the snapshot is then as before.
 */
void	 snapshot_room(struct snapshot *);
/* What is known without an open: sizes of those that are kept open, and who
 * has ended. */
void	 snapshot_look(struct snapshot *);

/* NULL: it was not there, or has ended. */
const struct snapshot_process *snapshot_find(const struct snapshot *, pid_t);
/* Whether it is still that process, as far as can be known: by its stat, or
 * else by its number. */
bool	 snapshot_alive(const struct snapshot *,
	    const struct snapshot_process *);
struct str snapshot_user(const struct snapshot *, uint32_t uid);
struct str snapshot_text(const struct snapshot *, uint32_t at, uint16_t n);
/* A descriptor of that file, or -1; not the caller's to close. */
int	 snapshot_file(const struct snapshot *, const char *path);
/* A number of a kept file; -1 and what is none: NIL. */
double	 snapshot_number(int fd);
/* The same behind a word at a line's start, "under_oom". */
double	 snapshot_field(int fd, const char *field);

/* Tables that answer from it, for the makers of the usual ones. */
struct table *snapshot_processes(const struct table_world *,
	    const struct table_ask *);
struct table *snapshot_cgroups(const struct table_world *);

#endif
