/* state: what the files of vm/ share.  Private to them. */
#ifndef ENGINE_VM_STATE_H
#define ENGINE_VM_STATE_H

#include <jansson.h>

#include "lang/base/arena.h"
#include "lang/base/find.h"
#include "lang/base/re.h"
#include "engine/vm/template.h"
#include "engine/vm/vm.h"

#define LIM_EXEC_TEXT	200	/* bytes of input shown in an ERROR line */
#define DIGEST_AFTER	5	/* matches of one line: its digest costs as much
				 * as looking through it for four texts */
#define LIM_CALL_DEPTH	200	/* calls in one another: 2 MiB at most, and a
				 * person's recursion is 20 deep */
#define LIM_CLAUSE	3162240000.0 /* seconds, or runs, that a clause of an
				 * incident can say: a hundred years */
#define CALL_COST	8	/* instructions that entering one counts for */
#define PATTERN_CACHE	16	/* patterns made of data, kept compiled */
#define PATTERN_SHOWN	100	/* bytes of one in a message */

struct own {			/* bytes of a string variable */
	char		*p;
	size_t		 cap;
};

struct slot {			/* a loop over keys */
	struct str	*key;
	char		*bytes;
	size_t		 nkey, nbytes, at;
};

struct retired {
	void		*p;
	size_t		 n;
};

struct cached_re {
	struct re	*re;
	char		*pattern;
	size_t		 n;
	bool		 icase;
	unsigned	 used;
};

/* What the code at hand works on: the sections' or a call's. */
struct regs {
	double		*n;
	struct str	*s;
	struct own	*own;		/* of string variables */
	struct slot	*slot;
	struct array	**ar;
	uint32_t	 nar, nsvar, nstemp;
	struct arena_mark base;		/* its temporaries begin here */
};

/* $0 $1 ... as a match or #split left them; until then the line's */
struct got {
	bool		 own_fields;
	struct str	 zero;
	struct str	*cur;
	size_t		 ncur, capcur;
	char		*capbytes;	/* what they view, if it is ours */
	size_t		 ncapbytes;
};

/* A call of a function that the source defines: call.c. */
struct frame {
	double		 n[LIM_REGS];
	struct str	 s[LIM_REGS];
	struct own	*own;
	struct slot	*slot;
	struct array	*arr;		/* local ones */
	struct array	**ar;		/* parameters and locals */
	struct stream	**stream;	/* the caller's, while it runs */
	bool		*eof;
	bool		 ready;		/* all of it has been allocated */
	const struct func *f;
	const instr	*ret;		/* where the caller goes on */
	struct regs	 up;		/* and on what */
	struct got	 got;
};

struct kept_values;	/* kept.c */

struct vm {
	/* registers first: the loop's hottest */
	double		 n[LIM_REGS];
	struct str	 s[LIM_REGS];
	struct regs	 r;
	const struct program *p;
	const struct host *host;
	void		*h;
	struct vm_options o;
	struct mem	*mem;

	struct own	*own;		/* of string variables */
	double		*farn;
	struct str	*fars;
	struct own	*farown;
	struct array	*arr;
	struct array	**ar;
	struct slot	*slot;
	struct stream	**stream;	/* handles */
	bool		*eof;

	/* temporaries */
	struct arena	 temp;
	struct retired	*ret;
	size_t		 nret, capret;
	bool		 dirty;		/* something to drop */
	struct buf	 buf;

	/* the line */
	struct str	 line;
	struct str	*field;		/* fields split so far */
	size_t		 nfield, capfield, split_at;
	bool		 split_done;
	double		 innum;
	bool		 eoi;
	double		 inputexit;	/* NIL before the command ended */
	uint32_t	 gen;		/* line counter, for the dat cache */
	double		*datn;
	struct str	*dats;
	uint32_t	*datgen;
	/* lines that are no text */
	json_t		*doc;		/* of this line, NULL: none */
	size_t		 doc_cost;	/* bytes charged for it */
	bool		 doc_read, doc_bad;
	uint32_t	*column;	/* of each dat, 0: there is none */
	struct arena	 texts;		/* made of the line's values */
	size_t		 nbad;
	struct buf	 first_bad;
	/* a line that is a row of a table */
	struct row	*row;		/* NULL: it is none */
	struct row	*last_row;	/* for the end section, or NULL */
	struct buf	 row_text;	/* the line, once it is made */
	uint32_t	*row_dat;	/* dats in the order of columns, each once;
					 * NULL: nobody has asked */
	uint32_t	 nrow_dat;
	struct str	 targ_text[TABLE_ARGS];	/* as TARGS and TARGN left them */
	double		 targ_number[TABLE_ARGS];

	struct got	 got;
	struct str	 rdlin;
	struct own	 rdown;
	struct buf	 archived;	/* $archived(); empty: NIL */

	struct re_ctx	*rectx;
	struct re	**re;
	/* what constant patterns must find in the line: a line that is
	 * matched again and again is looked through once for all */
	struct find_digest *digest;	/* NULL: too few patterns */
	struct find_text *holds;	/* by regex */
	unsigned	 matched;	/* times that this line was */
	bool		 untold;	/* the last match hit a limit, or its
					 * pattern was none: neither yes nor no */
	struct cached_re cache[PATTERN_CACHE];
	unsigned	 cache_clock;
	size_t		 ov[2 * (LIM_RE_GROUPS + 1)];

	/* commands */
	struct command	 cmd;
	bool		 cmd_ok;
	struct buf	 cmd_why;
	struct exec_opts xopt;
	int		 exitcode;
	struct buf	 output;
	struct str	 incident;	/* key of the one at hand, or NIL */
	struct own	 incident_own;
	struct str	 path, task;	/* as OP_PATH and OP_TASK left them */
	struct own	 task_own, infile_own;

	/* calls */
	struct frame	*frame[LIM_CALL_DEPTH];
	uint32_t	 depth;		/* frames in use */
	struct array	*aarg[LIM_CALL_ARGS];	/* arrays of the next call */
	struct { bool known; uint32_t own, slot, array, handle; } most;
	struct buf	 result;
	struct kept_values *kept;	/* NULL: the program keeps nothing */
	bool		 in_end;

	/* control */
	uint32_t	 pc;		/* of the instruction that may complain */
	double		 budget;	/* instructions left in this pass */
	struct array	 seen;		/* suppressed effects of this pass */
	bool		 must_end;
	enum vm_result	 end_with;
	double		 skip;
	int		 status;
	struct buf	 why;
	struct buf	 errtext;
	double		 now;
	bool		 now_valid;
};

void	vm_retire(void *vm, void *p, size_t n);
void	vm_drop(struct vm *);		/* temporaries and the retired */
void	vm_free_retired(struct vm *);
/* False: the run ends.  ret: behind the call. */
bool	vm_enter(struct vm *, const struct func *, instr ext,
	    const instr *ret);
struct str vm_leave(struct vm *, struct str result);
void	vm_unwind(struct vm *);		/* out of all calls */
void	vm_free_frames(struct vm *);
struct str vm_where(const struct vm *);	/* the function at hand, or NIL */
void	vm_store(struct vm *, struct own *, struct str *view, struct str v);
void	vm_append(struct vm *, struct own *, struct str *view, struct str v);
struct str vm_cat(struct vm *, const struct str *, unsigned n);
struct str vm_join_key(struct vm *, const struct str *, unsigned n);
struct str vm_number_key(struct vm *, double);
struct str vm_decimals(struct vm *, double, double decimals);

void	vm_new_line(struct vm *, struct str line);
void	vm_begin_line(struct vm *);	/* nothing views the one before */
enum vm_result vm_rules(struct vm *);	/* for the line at hand */
void	vm_run_args(struct vm *);	/* the piece of code of the input */
/* rows.c: the line of a row is made when it is asked for; until then it is
 * vm_unmade. */
extern const char vm_unmade[1];
void	vm_make_line(struct vm *);
void	vm_last_row(struct vm *);	/* is the line at hand, if there is one */

static inline struct str
vm_line(struct vm *vm)
{
	if (vm->line.p == vm_unmade)
		vm_make_line(vm);
	return vm->line;
}

void	vm_add_field(struct vm *, struct str);	/* to the line's */
struct str vm_line_field(struct vm *, size_t i);
struct str vm_current_field(struct vm *, double i);
void	vm_bad(struct vm *, const struct dat *, struct str);
void	vm_drop_doc(struct vm *);
/* Lines that are no text: their fields, and what a dat names. */
struct str vm_format_field(struct vm *, size_t i);
struct str vm_format_rest(struct vm *, size_t lo, size_t hi);
struct str vm_json_text(struct vm *, const struct dat *);
double	vm_json_number(struct vm *, const struct dat *, struct str *text);
double	vm_dat_number(struct vm *, uint32_t);
struct str vm_dat_string(struct vm *, uint32_t);
/* keep: a match sets $0 $1 ... */
bool	vm_match(struct vm *, struct re *, struct str subject, bool keep);
struct re *vm_regex(struct vm *, uint32_t);
struct re *vm_dynamic(struct vm *, struct str pattern, bool icase);

/* kept.c: %x and @x, by their number in the program's table. */
void	kept_open(struct vm *);
void	kept_free(struct vm *);
double	kept_previous_n(struct vm *, uint32_t, bool by_line);
struct str kept_previous_s(struct vm *, uint32_t, bool by_line);
double	kept_before_n(struct vm *, uint32_t);
struct str kept_before_s(struct vm *, uint32_t);
const struct array_item *kept_before_item(struct vm *, unsigned array,
	    struct str key);
void	kept_assign(struct vm *, uint32_t);
void	kept_line_end(struct vm *);
void	vm_iter(struct vm *, unsigned slot, const struct array *,
	    enum order);
bool	vm_ftest(struct vm *, struct str path, int test);
bool	vm_newer(struct vm *, struct str a, struct str b);
void	vm_exec(struct vm *, unsigned how);
/* A step of the incident at hand: what INCIDENT's registers say. */
enum incident_verdict vm_incident(struct vm *, const double *,
	    const struct str *);
void	vm_out(struct vm *, enum out, struct str target, struct str text);
void	vm_fault(struct vm *, enum num_fault);
void	vm_end(struct vm *, enum vm_result, struct str why);
bool	vm_look(struct vm *);		/* a slice is used up; false: end */
enum vm_result vm_execute(struct vm *, uint32_t pc);
void	vm_trace_line(struct vm *);
void	vm_trace_stmt(struct vm *, struct str where);
void	vm_trace_value(struct vm *, struct str name, struct str value);

#endif
