/*
 * gen: what the files of the code generator share.  One pass over a checked
 * tree; registers are handed out like a stack, jumps are chained through
 * their own words until their target is known.
 */
#ifndef LANG_CODE_GEN_H
#define LANG_CODE_GEN_H

#include "lang/check/check.h"
#include "lang/code/program.h"

#define LIM_VAR_REGS	120	/* variables in registers, of each kind; the
				 * rest is far */
_Static_assert(LIM_LOCALS <= LIM_VAR_REGS, "locals stand in registers");
#define LIM_TEMPS	72	/* temporaries at once, of each kind */
#define CAT_CHUNK	16	/* parts that one CAT joins */
#define NO_JUMP		(-1)

struct gen_loop {
	struct gen_loop	*outer;
	int		*breaks;
	int		*continues;
};

/* A "foreach line" whose body is at hand. */
struct lines_in {
	struct lines_in	*outer;
	const struct node *node;
};

struct gen {
	struct check	*c;		/* of the script or function at hand */
	struct arena	*arena;
	struct program	*prog;
	bool		 trace, cover;
	enum section	 place;
	bool		 failed;	/* a limit was told of */
	bool		 watched;	/* and that it cannot watch memory */
	instr		*code;
	uint32_t	 ncode, capcode;
	struct line_entry *line;
	uint32_t	 nline, capline;
	/* registers of the sections, or of the function at hand */
	uint32_t	 nnvar, nsvar, nntemp, nstemp, nslot;
	uint32_t	 most_n, most_s; /* variables, of any of them: constants
					 * stand above */
	uint32_t	 tn, ts;	/* temporaries in use */
	struct function	**func;		/* that the program holds */
	uint32_t	 nfunc, capfunc;
	uint32_t	**handles;	/* the numbers of their handles, */
	uint32_t	*handle;	/* and of those of the one at hand */
	uint32_t	 named;		/* handles that have a name */
	struct map	 nums, texts;	/* constants: number of each */
	struct map	 regexes[2];	/* with case, without */
	uint32_t	 capnum, captext, capregex, captpl;
	struct gen_loop	*loop;
	int		*breaksw;	/* innermost switch */
	struct lines_in	*lines;		/* innermost foreach line */
	struct lines_in	*switch_lines;	/* that round the switch */
	uint32_t	 slots;		/* loops over keys that are open */
	int		*leave;		/* end of the rule or section */
	uint32_t	 rule_pc;
	struct program_point *point;	/* marks that were made */
	uint32_t	 npoint, cappoint;
	struct span	 at;		/* statement at hand */
};

/* A WARNING, once: a script with `watch memory` does that. */
void	 gen_watch(struct gen *, const char *what, struct str name);
uint32_t gen_emit(struct gen *, instr);
/* A jump whose target is not known; joins the chain. */
void	 gen_jump_to(struct gen *, int *chain);
/* The chain ends here. */
void	 gen_patch(struct gen *, int *chain);
/* A jump back to pc that counts. */
void	 gen_loop_to(struct gen *, uint32_t pc);
/* An error: more of these than a program can hold. */
struct diag_item *gen_too_many(struct gen *, const char *n,
	    const char *what);
void	 gen_too_complex(struct gen *);
/* For coverage: the section or function begins here. */
void	 gen_mark(struct gen *, enum point_kind, struct span);
/* Behind a condition: its jump if it comes out as sense, both ways marked. */
void	 gen_fork(struct gen *, struct span, bool sense, int *chain);

unsigned gen_temp_n(struct gen *);
unsigned gen_temp_s(struct gen *);
/* The register of a constant; want < 0: any register. */
unsigned gen_const_n(struct gen *, double, int want);
unsigned gen_const_s(struct gen *, struct str, int want);
uint32_t gen_text(struct gen *, struct str);	/* constant number */
uint32_t gen_regex(struct gen *, struct str, bool icase);

unsigned gen_n(struct gen *, struct node *, int want);
unsigned gen_s(struct gen *, struct node *, int want);
unsigned gen_key(struct gen *, struct node *keys);
void	 gen_cond(struct gen *, struct node *, bool sense, int *chain);
/* Of what compares, matches or asks for a file: its operands' registers (b:
 * only if it has two), and the jump if it comes out as sense. */
void	 gen_operands(struct gen *, const struct node *, unsigned *a,
	    unsigned *b);
void	 gen_compare(struct gen *, const struct node *, unsigned a, unsigned b,
	    bool sense, int *chain);
void	 gen_incident(struct gen *, struct node *);
/* The command of a site becomes the pending one. */
void	 gen_command(struct gen *, const struct node *);
/* A call with its arguments; dest is of the result's kind. */
void	 gen_call(struct gen *, struct node *, unsigned dest);
/* A call with ready registers. */
void	 gen_call_raw(struct gen *, int id, unsigned dest, unsigned nbase,
	    unsigned nn, unsigned sbase, unsigned ns);
/* Of a function that the source defines. */
void	 gen_ucall(struct gen *, struct node *, unsigned dest);
void	 gen_return(struct gen *, struct node *);
uint32_t gen_handle(const struct gen *, const struct symbol *);
/* What leaves its loops by a jump closes their commands. */
void	 gen_leave_lines(struct gen *, const struct lines_in *until);
void	 gen_trace_value(struct gen *, bool number, struct str name,
	    unsigned reg);
/* A statement has assigned the variable: said if it is kept by lines. */
void	 gen_assigned(struct gen *, const struct symbol *);
void	 gen_place(struct gen *, struct span);
void	 gen_stmts(struct gen *, struct node *);

/* gen_init.c: tables and code of the init section. */
void	 gen_init(struct gen *);

#endif
