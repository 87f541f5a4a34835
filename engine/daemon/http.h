/*
 * http: picket-http, the status page and what programs read of it.  Why a
 * process of its own: it is the only one that strangers can talk to; it may
 * crash, be slow or be taken over, and scheduling goes on.
 *
 * All answers are made of one picture of the state, which is at most
 * HTTP_FRESH old: a thousand requests a second are one look at the store and
 * one at the scheduler.  It only reads.
 *
 *	http_main.c	options, the listening socket, limits, which answer
 *	http_view.c	the picture: asks store and scheduler
 *	http_page.c	/, for people
 *	http_graph.c	a time series as SVG
 *	http_metrics.c	/metrics, for Prometheus
 *	http_api.c	/api/v1/..., JSON
 */
#ifndef ENGINE_DAEMON_HTTP_H
#define ENGINE_DAEMON_HTTP_H

#include <jansson.h>

#include "engine/daemon/look.h"

#define HTTP_FRESH	1.0	/* seconds: what a person calls now */
#define HTTP_PATIENCE	2.0	/* seconds for the store and for the scheduler:
				 * a page that says that they hang is what
				 * is wanted then */
#define LIM_HTTP_MEM	(64u << 20)	/* bytes of a picture and its answer:
				 * 10,000 alerts are 10 MB */
#define LIM_HTTP_HEAD	8192	/* bytes of a request: browsers send 1 KB */
#define LIM_HTTP_BODY	0	/* bytes: nothing is taken */
#define LIM_HTTP_TIME	10	/* seconds for a whole request, and for a pause
				 * while the answer goes out */
#define LIM_HTTP_CONNECTIONS 1500 /* at once; more wait in the kernel's queue */
#define LIM_HTTP_ROWS	200	/* of a table for people */
#define LIM_HTTP_RUNS	1000	/* of an answer about runs */
#define LIM_HTTP_SERIES	5000	/* that are looked at */
#define LIM_HTTP_GRAPHS	24	/* on a page: a person scrolls no further; more
				 * by ?graphs= */
#define LIM_HTTP_METRIC	2000	/* series of one name in /metrics */
#define HTTP_STEPS	240	/* points of a graph: one each two or three pixels */

struct web_run {
	struct str	 run, alert, result, reason, error;
	double		 began, ended, due, lines;
	enum level	 level;
};

struct web_series {
	struct str	 alert, script, name;
	double		 points, time, value;	/* the last one */
};

struct web_owner {
	struct str	 alert, script;
	double		 runs, good, last, bad;
	bool		 last_good;
};

/* A step of a graph. */
struct web_step {
	double		 time, mean, least, most, n;
};

struct web {
	struct mem	 mem;
	jmp_buf		 fail;
	struct arena	 arena;		/* of the picture */
	struct state	*state;
	struct str	 host;
	bool		 talks;		/* to a scheduler, */
	int		 talk;		/* over its control socket; -1: not now */
	/* the picture */
	double		 steady;	/* when it was made; 0: there is none */
	double		 now;		/* clock_wall then */
	bool		 has_store;
	struct look	 look;		/* if has_store */
	struct incident	**worst;	/* all, the worst first */
	size_t		 nworst;
	struct web_run	*run;		/* the newest first */
	size_t		 nrun;
	struct web_series *series;
	size_t		 nseries;
	struct web_owner *owner;
	size_t		 nowner;
	double		 waiting, dead, tried, oldest;	/* outbox */
	json_t		*status;	/* of the scheduler; NULL: no answer */
	struct str	 why;		/* what could not be had, or empty */
	uint64_t	 served;
};

/* http_view.c: makes the picture anew if it is old. */
void	web_look(struct web *);
void	web_forget(struct web *);
/* How many incidents fire and nobody has said that he knows. */
size_t	web_firing(const struct web *);
/* The steps of a series from `from` to now; how many.  room: HTTP_STEPS + 1. */
size_t	web_steps(struct web *, const struct web_series *, double from,
	    struct web_step *);
/* The newest runs of an alert, or of all; at most n. */
size_t	web_runs(struct web *, struct str alert, size_t n, struct web_run **);
/* Why it is not well, a line each; empty: it is. */
void	web_health(struct web *, struct buf *);

/* What the request asks for behind the ?; a NIL: not given. */
struct web_query {
	struct str	 alert, series, script;
	double		 hours;		/* of graphs */
	double		 limit;
	bool		 all;
};

void	web_page(struct web *, const struct web_query *, struct buf *);
void	web_graph(struct buf *, const struct web_step *, size_t n, double from,
	    double to, struct str label);
void	web_metrics(struct web *, struct buf *);
/* path: behind /api/v1; false: there is no such thing. */
bool	web_api(struct web *, struct str path, const struct web_query *,
	    struct buf *);
/* Text as it may stand in HTML: escaped, cut after max bytes (0: not). */
void	web_text(struct buf *, struct str, size_t max);
/* A number as people read it: 12, 3.4, 1.2 M. */
void	web_number(struct buf *, double);

#endif
