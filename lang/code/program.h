/*
 * program: one compiled script, immutable.  Why: it is the only contract
 * between compiler and machine; the engine reads it, progfile stores it,
 * verify proves it, disasm shows it.
 *
 * All of it lives in one arena, which whoever made it (compile, progfile)
 * owns.  Nothing in it points at source text.
 */
#ifndef LANG_CODE_PROGRAM_H
#define LANG_CODE_PROGRAM_H

#include <stdint.h>
#include "lang/base/arena.h"
#include "lang/base/str.h"

enum opcode {
#define OP(name, shape, meaning) OP_##name,
#include "lang/table/opcodes.def"
#undef OP
	OP_COUNT
};

typedef uint32_t instr;

#define I_OP(i)		((enum opcode)((i) & 0xff))
#define I_A(i)		(((i) >> 8) & 0xff)
#define I_B(i)		(((i) >> 16) & 0xff)
#define I_C(i)		((i) >> 24)
#define I_BX(i)		((i) >> 16)
#define I_AX(i)		((i) >> 8)
#define I_SAX(i)	((int32_t)(i) >> 8)
#define I_ABC(op, a, b, c) ((instr)(op) | (instr)(a) << 8 | \
			    (instr)(b) << 16 | (instr)(c) << 24)
#define I_ABX(op, a, bx) ((instr)(op) | (instr)(a) << 8 | (instr)(bx) << 16)
#define I_OAX(op, ax)	((instr)(op) | (instr)(ax) << 8)

/* The EXT word of a call: first number, first string, how many of each. */
#define CALL_EXT(nb, sb, nn, ns) ((instr)OP_EXT | (instr)(nb) << 8 | \
			    (instr)(sb) << 16 | (instr)(nn) << 24 | \
			    (instr)(ns) << 28)
#define CALL_NB(e)	(((e) >> 8) & 0xff)
#define CALL_SB(e)	(((e) >> 16) & 0xff)
#define CALL_NN(e)	(((e) >> 24) & 0xf)
#define CALL_NS(e)	((e) >> 28)
#define LIM_CALL_ARGS	14	/* of each kind: four bits in CALL_EXT, less
				 * CALL_ARRAY */
#define CALL_ARRAY	15	/* in place of the strings' count (then none):
				 * the last number is the array that stands
				 * for a list of numbers (letter m) */

#define LIM_REGS	256	/* of each kind: eight bits in an instruction */
#define LIM_CODE	(1 << 20) /* instructions: jumps have 24 bits, and no
				   * person writes a script of this size */
#define LIM_SLOTS	16	/* nested for-in loops */
#define LIM_ARRAYS	256	/* eight bits in an instruction */
#define LIM_FUNCS	65535	/* sixteen bits in an instruction */

enum level { LEVEL_EMERGENCY, LEVEL_URGENT, LEVEL_CRITICAL, LEVEL_ERROR,
    LEVEL_WARNING, LEVEL_NOTICE, LEVEL_INFO, LEVEL_DEBUG, LEVEL_COUNT };
extern const char *const level_name[LEVEL_COUNT];
enum status { STATUS_ACTIVE, STATUS_INACTIVE, STATUS_SUSPENDED,
    STATUS_TESTING, STATUS_DEBUGGING, STATUS_COUNT };
extern const char *const status_name[STATUS_COUNT];
enum input { INPUT_NONE, INPUT_PROC, INPUT_FILE, INPUT_LOGFILE, INPUT_JOURNAL,
    INPUT_OBJECT, INPUT_TABLE, INPUT_COUNT };
extern const char *const input_name[INPUT_COUNT];
/* How a line becomes fields. */
enum format { FORMAT_TEXT, FORMAT_JSON, FORMAT_CSV, FORMAT_TSV, FORMAT_COUNT };
extern const char *const format_name[FORMAT_COUNT];

enum out { OUT_STDOUT, OUT_MAIL, OUT_PRINT, OUT_LOG, OUT_PIKTLOG, OUT_SYSLOG,
    OUT_MAIL_TO,		/* the target is an address */
    OUT_JOURNAL,
    OUT_COUNT };
enum exec_opt { XOPT_AS, XOPT_TIMEOUT, XOPT_IN, XOPT_MEMORY, XOPT_CPU,
    XOPT_COUNT };
enum order { ORDER_INSERTED, ORDER_KEY, ORDER_KEY_DOWN, ORDER_VALUE,
    ORDER_VALUE_DOWN, ORDER_COUNT };

/* Where the operands of INCIDENT stand, from its B and its C on. */
enum { STEP_WHEN, STEP_UNTIL, STEP_HAS_UNTIL, STEP_HOLD, STEP_REMIND,
    STEP_ABSENT, STEP_LEVEL, STEP_NUMBERS };
enum { STEP_MESSAGE, STEP_EVIDENCE, STEP_UNLESS, STEP_TEXTS };

enum dat_kind { DAT_FIELD, DAT_LAST, DAT_FROM_END, DAT_REST, DAT_RANGE,
    DAT_COLUMNS, DAT_REGEX,
    DAT_PATH,			/* of a json document */
    DAT_NAME,			/* a column by its name in the header line */
    DAT_COLUMN,			/* of a native table */
    DAT_KINDS };
enum dat_as { AS_NUMBER, AS_PERCENT, AS_SIZE, AS_DURATION, AS_TIME, AS_COUNT };
extern const char *const as_name[AS_COUNT];

struct dat {
	struct str	 name;		/* without sigil */
	bool		 number;
	enum dat_kind	 kind;
	uint32_t	 lo, hi;	/* field or column numbers from 1; of
					 * DAT_COLUMN: an enum table_column */
	uint32_t	 regex;		/* for DAT_REGEX */
	enum dat_as	 as;
	struct str	 text;		/* the path or the column's name */
	struct str	 time;		/* for AS_TIME, as strptime takes it */
};

/*
 * What of a script outlives a line or a run: a variable, a dat or an array
 * that stands somewhere as %x or @x.  A previous array is an array of its
 * own, which no instruction changes.
 */
enum kept_kind { KEPT_VAR, KEPT_DAT, KEPT_ARRAY,
    /* histories of a number that is kept itself: */
    KEPT_TIME,			/* when it was: the beginning of that run */
    KEPT_EWMA,			/* its moving average */
    KEPT_WINDOW,		/* its last values, as text by blanks */
    KEPT_KINDS };
#define LIM_WINDOW	288	/* values: a day of runs every five minutes; more
				 * is a time series, which `record` keeps */

struct kept {
	struct str	 name;		/* without sigil */
	bool		 number;
	enum kept_kind	 kind;
	uint32_t	 index;		/* variable (registers, then far), dat or
					 * array; of a history: the kept number */
	bool		 previous;	/* %x occurs */
	bool		 preceding;	/* @x occurs */
	bool		 by_line;	/* is kept for the line's key, too */
	uint32_t	 array;		/* where %x[] is */
	double		 param;		/* of KEPT_EWMA: the weight of the newest,
					 * above 0, at most 1; of KEPT_WINDOW: how
					 * many, 2 to LIM_WINDOW */
};

/* What a line is known by from run to run. */
struct key_part {
	bool		 number, dat;
	uint32_t	 index;		/* dat, or variable */
};

/* How a line splits: decided at compile time. */
enum seps { SEPS_BLANKS, SEPS_BYTE, SEPS_SET, SEPS_REGEX, SEPS_COUNT };

struct regex {
	struct str	 pattern;
	bool		 icase;
};

/*
 * A command template (language.md section 8).  Made by lang/check/command,
 * filled by engine/vm/template.  A word is a list of pieces; a piece is
 * literal text or a data part.
 *
 * Without a shell, the words are the arguments.  In shell form word[0] is the
 * text that `sh -c` gets: its literal pieces are shell text as written, its
 * data pieces stand where a reference to a positional value is put; it holds
 * every data part once, in order.  The words after it are those in which data
 * stands, unquoted as the shell will unquote them and with its expansions
 * left out: the rules about whole words (4, 5) are tested on these.
 */
enum data_kind { DATA_PLAIN, DATA_OPT, DATA_WORDS, DATA_RAW };

/* What the compiler found out about the place where a data part stands. */
#define DP_STARTS_WORD	0x0001	/* rule 4: no literal byte before it in its
				 * word; must not make it begin with '-' */
#define DP_AFTER_DASHES	0x0002	/* a literal -- stands before: rule 4 is met */
#define DP_PATH		0x0004	/* its word has a literal '/': rule 5 */
#define DP_PROG_SH	0x0008	/* in a program word for a shell: rule 3 */
#define DP_PROG_OTHER	0x0010	/* in a program word for awk, sed, perl ... */
#define DP_KILL		0x0020	/* operand of kill: integer above 1 */
#define DP_IS_COMMAND	0x0040	/* command word after a literal directory */
#define DP_TILDE	0x0080	/* follows a literal ~, which is left out: the
				 * value is a user, his home directory is put */
#define DP_NUMBER	0x0100	/* was a number expression */
#define DP_IN_DOUBLE	0x0200	/* shell text: in "..." or a here-document */
#define DP_IN_SINGLE	0x0400	/* shell text: in '...' */
#define DP_SIGNAL	0x0800	/* the signal of kill: a name or number */

struct piece {
	bool		 data;
	struct str	 text;		/* literal text, unquoted; for data its
					 * source form, for messages ("$user") */
	enum data_kind	 kind;
	uint32_t	 flags;		/* DP_... */
	uint32_t	 index;		/* of the data value, from 0 */
};

struct word {
	struct piece	*piece;
	uint32_t	 npiece;	/* 0: an empty argument */
};

struct template {
	bool		 shell;		/* needs sh -c */
	bool		 raw;		/* holds a $raw(): audited */
	struct str	 show;		/* as written, for messages and listings */
	struct word	*word;
	uint32_t	 nword;
	uint32_t	 ndata;
};

struct array_decl {
	struct str	 name;
	bool		 number;
};

/*
 * A function that the source defines.  Each call has registers of its own:
 * parameters, then locals, then temporaries, with the program's constants at
 * the top.  Arrays: parameters, then locals.
 */
struct func {
	struct str	 name;		/* with its sigil, which is its type */
	uint32_t	 pc;		/* behind all sections, in order */
	uint32_t	 nnparam, nsparam, naparam;
	uint32_t	 nnvar, nsvar;
	uint32_t	 nntemp, nstemp;
	struct str	*nvar_name, *svar_name;
	struct array_decl *array;
	uint32_t	 narray;
	uint32_t	 nslot;
	uint32_t	 handle, nhandle; /* of its "foreach line", which each
					 * call has for itself */
	bool		 fields;	/* sets $0 $1 ...: the caller's are kept */
};

struct line_entry {
	uint32_t	pc, file, line, col;	/* from this pc on */
};

/* What can be met of a program that was compiled for coverage. */
enum point_kind { POINT_BEGIN, POINT_RULE, POINT_END, POINT_FUNCTION,
    POINT_BRANCH };
struct program_point {
	enum point_kind	 kind;
	uint32_t	 file, line, col;
	uint32_t	 pc[2];		/* of its MARK: a branch's by how it came
					 * out, of others only [1] */
};

struct program {
	struct str	 name;
	struct str	 file;		/* as given to the compiler */

	/* init */
	enum status	 status;
	enum level	 level;
	bool		 has_level;	/* it says so itself */
	bool		 doexec;	/* define doexec was TRUE; a .pkc has
					 * it not: -D says so when it runs */
	enum input	 input;
	bool		 has_task, has_filter, has_bakfile;
	bool		 standalone;	/* has no name of its own: its rules read
					 * standard input if it names no other */
	uint32_t	 table;		/* enum table_id of INPUT_TABLE */
	uint32_t	 ntablearg;	/* arguments that are given to it */
	bool		 has_where;
	bool		 from_start;	/* logfile: the first run reads it all */
	enum format	 format;
	enum seps	 seps;
	struct str	 sep;		/* the byte, the set or the regex */
	uint32_t	 sep_regex;
	struct kept	*kept;
	uint32_t	 nkept;
	struct key_part	*key;
	uint32_t	 nkey;		/* 0: lines have no keys */
	double		 expire_runs;	/* how long keys that are not seen are */
	double		 expire_seconds; /* remembered; 0 and 0: not */
	double		 timeout;	/* seconds, 0: default */
	double		 line_max;	/* bytes, 0: default */
	double		 memory_max;	/* bytes, 0: default */
	double		 budget;	/* instructions, 0: default */
	/* when it runs by itself; the scheduler's */
	double		 every;		/* seconds, 0: not said */
	struct str	 timing;	/* cron fields, or NIL */
	bool		 watch_memory, affects_mail;

	/* code */
	instr		*code;
	uint32_t	 ncode;
	/* Each piece of code ends in END.  pc_task: TASK; pc_input: CMD or
	 * PATH, of a table TARGN and TARGS; pc_filter: CMD; pc_bakfile: PATH:
	 * run before the sections, if there are such.  pc_where: run for each
	 * row, drops it by SKIP. */
	uint32_t	 pc_task, pc_input, pc_filter, pc_bakfile, pc_where;
	bool		 has_begin, has_rules, has_end;
	uint32_t	 pc_begin, pc_rules, pc_end;
	uint32_t	 nrule;

	/* registers: variables first, then temporaries, then constants */
	uint32_t	 nnvar, nsvar;	/* variables in registers */
	uint32_t	 nntemp, nstemp;
	uint32_t	 nnconst, nsconst; /* constants that stand in registers,
					 * counted from LIM_REGS - 1 downwards:
					 * constant 0 is register 255 */
	uint32_t	 nfarn, nfars;	/* variables that have no register */
	struct str	*nvar_name, *svar_name; /* registers, then far ones */
	double		*num;		/* constants */
	uint32_t	 nnum;
	struct str	*text;
	uint32_t	 ntext;
	struct regex	*regex;
	uint32_t	 nregex;
	struct template	*tpl;
	uint32_t	 ntpl;
	struct dat	*dat;
	uint32_t	 ndat;
	struct array_decl *array;
	uint32_t	 narray;
	struct func	*func;
	uint32_t	 nfunc;
	struct str	*handle;	/* names of file handles */
	uint32_t	 nhandle;
	uint32_t	 nslot;		/* loops over keys, nested */
	uint32_t	 maxfield;	/* highest $n that it uses, 0 none,
					 * UINT32_MAX if computed */
	bool		 end_uses_line;	/* end looks at the last line */
	struct line_entry *lines;	/* by pc */
	uint32_t	 nlines;
	struct str	*files;		/* names for line_entry.file */
	uint32_t	 nfiles;
	struct program_point *point;	/* not in the file form */
	uint32_t	 npoint;
};

/* What a source or a .pkc holds. */
struct program_set {
	struct program	*program;
	size_t		 n;
};

/* The line table's entry for a pc; never NULL if there are entries. */
const struct line_entry *program_where(const struct program *, uint32_t pc);
/*
 * What an instruction does that takes a descriptor, a process or somebody's
 * answer, as "starts a command"; NULL: nothing.  Such a script cannot run when
 * memory is short (watch memory).  *name: of a function that it calls, or NIL.
 */
const char *program_opens(instr, struct str *name);
const char *opcode_name(enum opcode);
const char *opcode_shape(enum opcode);
const char *opcode_meaning(enum opcode);

#endif
