/*
 * recorded_inner: what the files of the recorded host share.  Private to
 * them.
 *
 *	recorded.c	the world that is written down; what was done
 *	recorded_host.c	commands, texts out, the clock, facts
 *	recorded_file.c	files and streams
 *	recorded_act.c	tables, processes that are ended, contacts
 *	recorded_keep.c	files that are kept safe
 *	recorded_list.c	the files of a folder as a table
 */
#ifndef ENGINE_EFFECT_RECORDED_INNER_H
#define ENGINE_EFFECT_RECORDED_INNER_H

#include "lang/base/map.h"
#include "lang/base/re.h"
#include "engine/effect/recorded.h"
#include "engine/effect/state.h"

#define LIM_RECORDED	(16u << 20)	/* bytes of what one run does: as its
					 * mail may have */
#define LIM_RECORDED_REAL 60.0		/* seconds that a run may really take: one
					 * that is longer loops */
#define LIM_RECORDED_LINKS 8		/* links that a path is followed through */
#define UID_FIRST	10001		/* of users whose number nobody has said */

struct canned_command {
	struct canned_command *next;
	struct str	 show;
	struct re	*re;		/* NULL: show is all of it */
	const struct recorded_answer *answer;
	size_t		 n, at;
};

struct canned_file {
	struct str	 path;
	mode_t		 type;		/* S_IFREG ... */
	mode_t		 mode;
	struct buf	 content;
	bool		 has_content;
	bool		 gone;
	double		 size, mtime, links;	/* size: without content */
	double		 uid, gid;
	ino_t		 inode;
	/* its last copy, and how it was then */
	const struct canned_file *copy;
	double		 copy_size, copy_mtime;
};

struct canned_table {
	bool		 known;
	const enum table_column *column;
	size_t		 ncolumn, nrow;
	struct str	*value;		/* row by row */
	bool		*gone;		/* a row: its process was ended */
};

struct canned_contact {
	double		 n;
	struct str	 text;
};

struct survivor {
	struct survivor	*next;
	struct str	 user, comm, why;
};

struct recorded {
	struct mem	*mem;
	struct arena	 arena;		/* what is written down */
	double		 now;
	struct str	 host;
	struct buf	 input;
	bool		 has_input;
	struct canned_command *command, **command_tail;
	struct re_ctx	*re;
	struct map	 file, contact, fact, user;
	struct canned_table table[TABLE_COUNT];
	struct survivor	*survivor;
	struct buf	 text, path;	/* squeezed commands, paths */
	/* what was done */
	struct arena	 texts;
	struct recorded_did *did;
	size_t		 ndid, capdid, bytes;
	bool		 full;		/* more than LIM_RECORDED */
	/* of the run at hand */
	double		 real_end;
	struct stream	*streams;
};

static inline struct recorded *
recorded_of(void *h)
{
	return ((struct live *)h)->o.recorded;
}

/* --- recorded_host.c --- */
/* A line of the alert's log; log_line comes here, too. */
void	 recorded_log(void *, enum log_kind, struct str);

/* --- recorded.c --- */
void	 recorded_did(struct recorded *, enum recorded_kind,
	    struct str target, struct str text);
/* Not in the world: written down, and the reason of the failure. */
void	 recorded_unanswered(struct live *, const char *what, struct str which);
/* The next answer to a command, or NULL. */
const struct recorded_answer *recorded_answer(struct recorded *,
	    struct str show);
/* A fact that is written down; NIL: that there is none. */
bool	 recorded_fact_said(const struct recorded *, enum fact, struct str key,
	    struct str *answer);
/* A user's or a group's number; one that is not known gets one. */
double	 recorded_id(struct recorded *, enum fact, struct str name);
/* ... and the name of such a number; NIL: none. */
struct str recorded_name(const struct recorded *, struct str number);

/* --- recorded_file.c --- */
struct canned_file *recorded_file_of(struct recorded *, struct str path);
/* That file, made if need be, for writing; NULL: the reason is set. */
struct canned_file *recorded_file_write(struct live *, struct str path,
	    bool empty);
/* The file itself, or where its links lead; NULL: there is none, which is
 * unanswered unless it is known to be gone, and the reason is set. */
struct canned_file *recorded_find(struct live *, struct str path,
	    bool follow, bool *folder);
struct stream *recorded_popen(void *, const struct command *, int mode);
struct stream *recorded_fopen(void *, struct str path, int mode);
enum read_result recorded_read(void *, struct stream *, struct str *,
	    size_t *);
bool	 recorded_write(void *, struct stream *, struct str);
bool	 recorded_flush(void *, struct stream *);
bool	 recorded_eof(void *, struct stream *);
int	 recorded_close(void *, struct stream *);
void	 recorded_close_all(struct recorded *);
int	 recorded_stat(void *, struct str, struct stat *, bool follow);
int	 recorded_access(void *, struct str, int mode);
int	 recorded_open(void *, struct str);
int	 recorded_paths(struct live *, enum fact, struct str, struct str *);

/* --- recorded_act.c --- */
void	 recorded_act(void *, const struct act *, struct act_result *);
void	 recorded_act_told(void *, const struct act *, struct act_result *);
void	 recorded_meet(void *, const struct contact *,
	    struct contact_result *);
struct table *recorded_rows(void *, const struct table_ask *);
int	 recorded_pid(void *, struct str comm);

/* --- recorded_keep.c: bytes, or -1 with the reason; 0 or -1 --- */
double	 recorded_keep(struct live *, const struct act *, struct str *copy);
double	 recorded_rotate(struct live *, const struct act *);

/* --- recorded_list.c: table files, of the files that are written down --- */
struct table *recorded_listing(struct live *, const struct table_ask *);

/* The content of a file; NIL: the reason is set. */
struct str recorded_content(struct live *, struct str path);

/* --- for live.c and input.c --- */
void	 recorded_begin(struct live *);
void	 recorded_end(struct live *);
bool	 recorded_stop(struct live *);

#endif
