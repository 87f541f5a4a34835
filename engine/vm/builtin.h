/*
 * builtin: what the machine and its built-in functions agree on.  The table
 * itself is lang/table/builtins.def; the functions are engine/builtin/.
 *
 * A builtin gets its arguments by kind, numbers and strings each in order of
 * writing, and sets rn or rs.  Arrays and file handles arrive as numbers (an
 * index); a command argument is the machine's pending command.
 *
 * Errors (functions.md): out of domain: vm_domain, result ERR.  A system
 * call that failed: vm_failed, result -1 or ERR, the reason in $errtext().
 */
#ifndef ENGINE_VM_BUILTIN_H
#define ENGINE_VM_BUILTIN_H

#include "lang/base/buf.h"
#include "lang/base/num.h"
#include "lang/table/builtin.h"
#include "engine/vm/array.h"
#include "engine/vm/host.h"
#include "engine/vm/objects.h"

struct vm;

struct call {
	struct vm		*vm;
	const double		*n;
	const struct str	*s;
	unsigned		 nn, ns;
	bool			 array_arg;	/* n[nn - 1] is the array that
						 * stands for a list of numbers */
	double			 rn;	/* result; starts as ERR */
	struct str		 rs;	/* result; starts as ERR */
};

typedef void (*builtin_fn)(struct call *);

/* Made in engine/builtin/table.c; handed to the machine by who starts it. */
extern const builtin_fn builtin_table[BI_COUNT];

/* --- what the machine offers to a builtin --- */

/* Memory for a result; lives until the end of the statement's loop turn. */
char	*vm_text(struct vm *, size_t n);
/* A result copied from anywhere. */
struct str vm_dup(struct vm *, struct str);
/* An empty buf to build a result in (reused: take vm_dup of its view, or
 * return the view: it stays valid until the next vm_buf). */
struct buf *vm_buf(struct vm *);
struct mem *vm_mem(struct vm *);

/*
 * The argument is out of the function's domain: logs ERROR with the place,
 * the function's name and `what` (the argument and the reason).
 */
void	 vm_domain(struct call *, const char *fmt, ...)
	    __attribute__((format(printf, 2, 3)));
/* A system call failed: WARNING with the place; reason is for $errtext(). */
void	 vm_failed(struct call *, const char *fmt, ...)
	    __attribute__((format(printf, 2, 3)));
struct str vm_errtext(struct vm *);
/* ERROR or WARNING with script, line, input line. */
void	 vm_log(struct vm *, enum log_kind, const char *fmt, ...)
	    __attribute__((format(printf, 3, 4)));

const struct host *vm_host(struct vm *, void **h);
const struct program *vm_program(struct vm *);
/* When the run began; known in programs that keep the times of values. */
double	 vm_began(struct vm *);
/* A moving average with its next value, of that weight; ERR or NIL: none. */
double	 vm_ewma(double average, double value, double weight);
/* The time of #now(): read once a line, after pause and at loop turns. */
double	 vm_now(struct vm *);

/* The array of an argument; never NULL in a verified program. */
struct array *vm_array(struct vm *, double index);
/* The stream slot of a handle argument. */
struct stream **vm_handle(struct vm *, double index);
struct str vm_handle_name(struct vm *, double index);
void	 vm_handle_set_eof(struct vm *, double index, bool);

/* The pending command, or NULL if its rules refused it (already logged). */
const struct command *vm_command(struct vm *);
/*
 * True if this suppressed effect (a text that names it and its arguments) has
 * now come for the third time in this pass; the machine then ends the run.
 * Called by the machine and by builtins that act, when host->suppresses.
 */
void	 vm_suppressed(struct vm *, struct str effect);

/* State that builtins read and write. */
void	 vm_set_rdlin(struct vm *, struct str);	/* copies */
void	 vm_set_archived(struct vm *, struct str); /* copies; NIL: none */
struct str vm_archived(struct vm *);
void	 vm_set_fields(struct vm *, struct str text, struct str seps,
	    bool given);	/* #split: $0 $1 ...; copies */
unsigned vm_nfields(struct vm *);
struct str vm_field(struct vm *, unsigned i);
void	 vm_set_exec(struct vm *, const struct exec_result *);
int	 vm_exitcode(struct vm *);	/* of the last exec wait, #system ... */
struct str vm_output(struct vm *);
struct re;
/* A pattern from data, cached; NULL and an ERROR line if it is bad. */
struct re *vm_pattern(struct call *, struct str pattern, bool icase);

/* What the run knows about itself; set by engine/run. */
struct run_facts {
	struct str	 alert, mailcmd, lpcmd, infile;
	const struct str *arg;		/* standalone arguments */
	unsigned	 narg;
	double		 runs;		/* runs so far, this one included */
	const struct objects *objects;	/* NULL: the run has none */
};
const struct run_facts *vm_facts(struct vm *);
struct str vm_task(struct vm *);	/* as worked out when the run began */
bool	 vm_doexec(struct vm *);	/* define doexec is TRUE */
/* Time has gone by: ends the run if it must; between loops nothing else
 * looks. */
void	 vm_waited(struct vm *);
struct str vm_incident_key(struct vm *);	/* of the one at hand, or NIL */
double	 vm_innum(struct vm *);
bool	 vm_eoi(struct vm *);
double	 vm_inputexit(struct vm *);	/* exit status of the input command */

#endif
