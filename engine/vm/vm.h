/*
 * vm: the machine.  One object runs one program once: the caller (engine/run)
 * feeds it lines and hands over what belongs to the run.
 *
 * Texts: a string register is a view.  What it may view lives in the program,
 * in the line's block, in a variable's own bytes or in the temporary arena.
 * Bytes that are replaced are retired, not freed, until the temporaries are
 * dropped (at a loop's turn, at a line's start), and then every temporary
 * register is emptied: so no view outlives its bytes, whatever code a file
 * holds.
 */
#ifndef ENGINE_VM_VM_H
#define ENGINE_VM_VM_H

#include "engine/vm/builtin.h"
#include "engine/vm/row.h"

#define LIM_BUDGET	1e9	/* instructions per section pass: some seconds,
				 * and no honest rule needs them */
#define VM_SLICE	20000	/* instructions between looks at the deadline:
				 * about 0.1 ms */

struct vm_options {
	const struct program *program;	/* verified; outlives the machine */
	const struct host *host;
	void		*h;
	struct mem	*mem;		/* its jump buffer is the caller's */
	struct run_facts facts;
	bool		 doexec;	/* define doexec is TRUE: doexec acts */
	bool		 trace;
	bool		 plain;		/* patterns are not made machine code, which
					 * takes pages of its own */
	/* gets what is met of a program compiled for trace or coverage, which
	 * then is not shown: a statement, or how a condition came out; or NULL */
	void		(*met)(void *arg, const struct program *, uint32_t pc,
			    bool taken);
	void		*met_arg;
};

/* How a piece of code ended. */
enum vm_result {
	VM_DONE,	/* on with the next line */
	VM_REDO,	/* this line again; stays inside the machine */
	VM_SKIP,	/* drop vm_skip lines */
	VM_LAST,	/* no more input, on to end */
	VM_QUIT,	/* a good end; vm_status is the exit status, or -1 */
	VM_DIE,		/* the alert ends; vm_why says the reason */
	VM_FAILED,	/* the run ends with ERROR; vm_why */
	VM_STOPPED,	/* deadline or interrupt; vm_why */
	VM_SUPPRESSED	/* a suppressed effect came again and again; vm_why */
};

struct vm	*vm_new(const struct vm_options *);
void		 vm_free(struct vm *);	/* handles must be closed: vm_close */

/* The code before the sections: texts and commands of init. */
struct str	 vm_run_task(struct vm *);
/* NULL: a rule refused it (logged).  Valid until the next piece of code. */
const struct command *vm_run_input(struct vm *);
struct str	 vm_run_path(struct vm *);
struct str	 vm_run_bakfile(struct vm *);
const struct command *vm_run_filter(struct vm *);

/* The arguments of the input's table, by place; as above. */
void		 vm_run_table(struct vm *, struct str text[TABLE_ARGS],
		    double number[TABLE_ARGS]);

enum vm_result	 vm_run_begin(struct vm *);
/* line: a view that stays until the next line.  eoi: it is the last. */
enum vm_result	 vm_run_line(struct vm *, struct str line);
/* A row of the input's table becomes the line at hand.  VM_DONE: it counts,
 * VM_SKIP: `where` drops it; else the run ends so. */
enum vm_result	 vm_row_counts(struct vm *, struct row *);
/* The rules, for a row that counts; it stays until the next line. */
enum vm_result	 vm_run_row(struct vm *, struct row *);
/* last: the last line again, for $inlin and dat in end; or NIL. */
enum vm_result	 vm_run_end(struct vm *, struct str last);
/* In place of `last`, of a table: stays until the machine is gone. */
void		 vm_set_last_row(struct vm *, struct row *);
/* Gets the values of the run before; false: the host's why.  Before any code
 * runs. */
bool		 vm_load(struct vm *);
/* A run that ended well hands over what it keeps; last: as of vm_run_end. */
void		 vm_keep(struct vm *, struct str last);
/*
 * Variables and arrays as they are now, one call each: name with its sigil,
 * element: of an array, or NIL.  For who looks into a run behind its end.
 */
void		 vm_values(struct vm *, host_value_fn *, void *arg);
/* Closes handles that are still open. */
void		 vm_close(struct vm *);

/* A line that `skip` drops: only counted. */
void		 vm_skip_line(struct vm *);
double		 vm_skip(const struct vm *);
int		 vm_status(const struct vm *);
struct str	 vm_why(const struct vm *);
/* The header line, where dats name columns; an unknown one is a WARNING. */
void		 vm_set_header(struct vm *, struct str);
void		 vm_set_eoi(struct vm *);
void		 vm_set_infile(struct vm *, struct str);	/* copies */
void		 vm_set_runs(struct vm *, double);	/* for #runs */
void		 vm_set_inputexit(struct vm *, int status);
/* Values that were missing or no numbers: how many, and the first. */
size_t		 vm_nbad(const struct vm *);
struct str	 vm_first_bad(const struct vm *);

#endif
