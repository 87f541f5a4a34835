/*
 * control: the socket by which people talk to picketd.  Why a module: whoever
 * may connect may be slow, stuck or hostile, and the scheduler must not
 * notice; so nothing here waits, and all that a client can take of us is
 * bounded.  What the commands do is control_do.c's.
 *
 * A request is a line of JSON, {"command": "status"}; so is its answer,
 * {"ok": true, ...} or {"ok": false, "error": "..."}.  Lines may follow each
 * other on a connection.  What is no request is answered by an error, and the
 * connection is closed.
 *
 * A long answer is made in pieces, as the client reads: see control_stream.
 */
#ifndef ENGINE_DAEMON_CONTROL_H
#define ENGINE_DAEMON_CONTROL_H

#include <limits.h>
#include <stdint.h>
#include <sys/types.h>

#include "engine/daemon/logger.h"
#include "engine/daemon/loop.h"

#define CONTROL_SOCKET	"control.sock"
#define LIM_REQUEST	4096	/* bytes of a line: a hundred names of alerts */
#define LIM_CONTROL_OUT	8192	/* bytes of an answer that wait for a client */
#define LIM_PIECE	3072	/* bytes that one step of a stream adds */
#define LIM_CLIENTS	16	/* at once: more people than repair one host; who
				 * has asked for nothing makes room */
#define LIM_ADOPTED	2	/* descriptors of our own children, besides */
#define LIM_CONTROL_IDLE 10.0	/* seconds without a whole request */
#define LIM_CONTROL_STALL 1.0	/* seconds without reading, when others want in */
#define LIM_CONTROL_TAKE 60.0	/* seconds to take an answer */
#define LIM_CONTROL_WAIT 600.0	/* seconds for a reload: twice what it may take */
#define LIM_CONTROL_TURN 65536	/* bytes to one client in a turn of the loop:
				 * some 0.1 ms */
#define LIM_CONTROL_NAMES 1024	/* in a request: more do not fit in its line */
#define LIM_CONTROL_FOR	(366 * 86400.0)	/* seconds: who means longer means for
				 * ever, and says it */
#define LIM_CONTROL_GROUPS 1024	/* that a client is in: more than any system
				 * of ours gives */

#define TAKES_ALERT	1u
#define TAKES_ALERTS	2u
#define TAKES_FOR	4u
#define TAKES_BRIEF	8u
#define READS		16u

enum control_command {
#define R(id, name, args, takes, help) CONTROL_##id,
#define Q(id, name, takes) CONTROL_##id,
#include "engine/daemon/control.def"
#undef R
#undef Q
	CONTROL_COUNT
};

struct control_request {
	enum control_command command;
	const char	*alert[LIM_CONTROL_NAMES];
	size_t		 nalert;
	double		 seconds;	/* of "for"; NUM_NIL: not given */
	bool		 brief;
};

struct control_client;
/* Answers a request, or begins to. */
typedef void control_fn(void *arg, struct control_client *,
	    const struct control_request *);
/* Adds the next piece, at most LIM_PIECE bytes; false: it was the last. */
typedef bool control_piece_fn(void *arg, struct control_client *);

struct control_client {
	struct control	*control;
	struct watch	*watch;		/* NULL: the place is free */
	int		 fd;
	bool		 adopted;	/* a child's: may read, may be idle */
	bool		 eof;		/* it sends nothing more */
	bool		 ending;	/* closed when its answer is taken */
	bool		 broken;	/* to be closed as it is */
	unsigned	 waits;		/* for so many reloads */
	uid_t		 uid;
	double		 since;		/* of its connection, or last answer */
	double		 moved;		/* when it took some of it */
	double		 took;		/* when its answer began; 0: none does */
	control_piece_fn *more;		/* of the answer, or NULL */
	/* for `more`: where it is; 0 at the first piece */
	unsigned	 stage;
	size_t		 at;
	double		 mark;
	size_t		 nin, nout, sent;
	char		 in[LIM_REQUEST + 1];
	char		 out[LIM_CONTROL_OUT];
};

struct control {
	struct loop	*loop;
	struct logger	*log;
	control_fn	*act;
	bool		(*is_ours)(void *arg, pid_t);	/* a child that only
					 * reads, or NULL: none is */
	void		*arg;
	int		 fd;		/* that listens, -1: none */
	int		 dir;		/* folder of the socket */
	int		 spare;		/* a descriptor for when there are none */
	dev_t		 dev;		/* of the socket: ours to remove */
	ino_t		 ino;
	struct watch	*watch;
	struct timer	 idle;
	gid_t		 gid;		/* (gid_t)-1: no group */
	uint64_t	 requests, refused;
	struct control_client client[LIM_CLIENTS + LIM_ADOPTED];
};

/* Nothing listens yet.  The struct stays where it is, and is all zero before:
 * most of its pages are never touched. */
void	control_init(struct control *, struct loop *, struct logger *,
	    control_fn *, void *arg);
/*
 * Makes FOLDER/control.sock, for this user and root, and listens.  A socket
 * that nobody listens on is replaced.  False, and why: somebody does, or it
 * cannot be made.
 */
bool	control_listen(struct control *, const char *folder, char *why,
	    size_t size);
/* The members of that group may connect as well; NULL or "": nobody else.
 * False, and why: there is no such group; then nobody else may. */
bool	control_group(struct control *, const char *group, char *why,
	    size_t size);
/* A connected socket whose other end a child of ours has; it may only read.
 * False: there are LIM_ADOPTED. */
bool	control_adopt(struct control *, int fd);
/* All are closed, and the socket is removed. */
void	control_close(struct control *);

/* --- answers --- */

/* Adds to the answer; what does not fit closes the client (a fault of ours,
 * which the log has). */
void	control_put(struct control_client *, const char *fmt, ...)
	    __attribute__((format(printf, 2, 3)));
/* A JSON string, quotes and all, of at most max bytes (0: all).  What may not
 * be shown is escaped, but for line ends. */
void	control_text(struct control_client *, const char *, size_t n,
	    size_t max);
void	control_string(struct control_client *, const char *);
/* The inside of a JSON string; returns how many bytes of text it took until
 * `room` bytes were added. */
size_t	control_inside(struct control_client *, const char *, size_t n,
	    size_t room);
/* A number, or null if it is none. */
void	control_number(struct control_client *, double);
/* The whole answer: {"ok":false,"error":...}. */
void	control_error(struct control_client *, const char *fmt, ...)
	    __attribute__((format(printf, 2, 3)));
/* The answer goes on by that function until it returns false. */
void	control_stream(struct control_client *, control_piece_fn *);
/* The answer comes when control_wake has been called n times. */
void	control_wait(struct control_client *, unsigned n);
void	control_wake(struct control *, control_piece_fn *);

/* control_request.c: a line; false: it is no request, and the answer says
 * why. */
bool	control_take(struct control_client *, const char *line, size_t n);

#endif
