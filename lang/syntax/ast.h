/*
 * ast: the tree that the parser builds and the checker completes.  One node
 * type for expressions and statements: small scripts, one pass each way, and
 * an arena that dies with the compile.
 */
#ifndef LANG_SYNTAX_AST_H
#define LANG_SYNTAX_AST_H

#include <stdint.h>
#include "lang/base/arena.h"
#include "lang/base/diag.h"
#include "lang/base/map.h"
#include "lang/code/program.h"
#include "lang/table/builtin.h"

#define LIM_NEST	200	/* blocks and brackets: the checker and the code
				 * generator recurse once a level */
#define LIM_DEPTH	1000	/* of any tree, chains of operators included */

enum ast {
	/* expressions */
	X_NUM, X_STR, X_CAT, X_VAR, X_INDEX, X_FIELD, X_FIELDX, X_CALL,
	X_HANDLE, X_NIL, X_OP, X_NOT, X_CMP, X_SCMP, X_MATCH, X_AND, X_OR,
	X_FTEST, X_FCMP, X_FMT, X_PREV, X_ARRAY,
	X_UCALL,		/* of a function that the source defines */
	/* statements */
	S_SET, S_DO, S_IF, S_ARM, S_WHILE, S_REPEAT, S_FOR, S_FORIN, S_LINES,
	S_BREAK, S_CONTINUE, S_SWITCH, S_CASE, S_BREAKSW, S_AGAIN, S_LEAVE,
	S_REDO, S_NEXT, S_SKIP, S_LAST, S_PAUSE, S_QUIT, S_DIE, S_UNSET,
	S_EXEC, S_OUTPUT, S_ASSERT, S_LOCAL, S_RETURN, S_RECORD, S_INCIDENT,
	S_CLAUSE
};

/* The parts of an incident: the op of S_CLAUSE. */
enum clause { CL_WHEN, CL_UNTIL, CL_HOLD, CL_REMIND, CL_ABSENT, CL_LEVEL,
    CL_UNLESS, CL_MESSAGE, CL_ONSET, CL_CLEAR, CL_COUNT };

enum type { TY_NONE, TY_NUM, TY_STR, TY_ANY };	/* ANY: a bare NIL or ERR */

enum cmp { CMP_LT, CMP_LE, CMP_GT, CMP_GE, CMP_EQ, CMP_NE,
    CMP_NGT, CMP_NLT, CMP_NGE, CMP_NLE };

enum unit { UNIT_NONE, UNIT_PERCENT, UNIT_DURATION, UNIT_SIZE };

/* What of an earlier value X_PREV names. */
enum { PREV_SCALAR, PREV_ELEMENT, PREV_WHOLE };

struct symbol;
struct command_site;

struct node {
	enum ast	 kind;
	enum type	 type;
	struct span	 span;
	uint16_t	 depth;		/* of the tree below */
	uint8_t		 op;		/* num_op, cmp, file test, set operator,
					 * exec mode, out kind, PREV_ */
	uint8_t		 unit;		/* X_NUM */
	bool		 flag;		/* X_MATCH: ignores case; X_CAT: written as
					 * one string; X_NIL: ERR; S_EXEC: doexec;
					 * X_PREV: @, the line before */
	bool		 negate;	/* X_MATCH: !~ */
	bool		 paren;		/* stood in parentheses */
	struct node	*next;		/* in a list */
	struct node	*a, *b, *c;
	struct node	*list;		/* arguments, parts, statements, arms */
	struct str	 text;		/* name without sigil, or literal bytes;
					 * CL_WHEN: the condition as written */
	double		 num;		/* X_NUM; CL_LEVEL: the level */
	int		 id;		/* builtin, field number, groups of X_MATCH */
	struct symbol	*sym;
	struct command_site *site;	/* of a command: its template */
	struct function	*func;		/* X_UCALL */
};

/* A list under construction: the grammar appends at the tail. */
struct list {
	struct node	*head, *tail;
};

/* What the init section says; NULL or NIL where it is silent. */
struct dat_spec {
	struct dat_spec	*next;
	struct span	 span;
	struct str	 name;
	bool		 number;
	enum dat_kind	 kind;
	double		 lo, hi;
	struct str	 regex;
	struct span	 regex_span;
	struct str	 as;		/* NIL: default */
	struct str	 as_format;	/* NIL: none */
	struct span	 as_span;
	uint32_t	 column;	/* of DAT_COLUMN */
	struct symbol	*sym;
};

struct key_name {
	struct key_name	*next;
	struct span	 span;
	struct str	 name;
	bool		 number;
};

struct init {
	struct str	 status, level;
	struct span	 status_span, level_span;
	struct str	 format;
	struct span	 format_span;
	struct node	*task, *input, *filter;	/* strings; of a table: its
					 * name, and arguments as a list */
	struct node	*where;		/* of a table, or NULL */
	struct node	*bakfile, *timing;
	enum input	 input_kind;
	struct span	 input_span;
	bool		 from_start, watch_memory, affects_mail;
	struct str	 seps;
	struct span	 seps_span;
	bool		 seps_regex;
	struct dat_spec	*dat, *dat_tail;
	struct key_name	*key, *key_tail;
	struct node	*expire;	/* X_NUM: runs, or a duration */
	struct node	*timeout, *line, *memory, *budget, *every; /* X_NUM */
	uint32_t	 seen;		/* items, by bit, for duplicates */
};

struct rule {
	struct rule	*next;
	struct node	*body;
	struct span	 span;
};

struct script {
	struct script	*next;
	struct str	 name;
	struct span	 span;
	struct init	*init;
	struct node	*begin, *end;
	bool		 has_begin, has_end;
	bool		 standalone;	/* has no name of its own */
	struct rule	*rule, *rule_tail;
	uint32_t	 nrule;
};

struct param {
	struct param	*next;
	struct span	 span;
	struct str	 name;		/* without sigil */
	bool		 number, array;
};

/* One that the source defines, or only calls. */
struct function {
	struct function	*next;		/* in the order of first mention */
	struct str	 name;		/* with its sigil */
	struct span	 span;		/* its name, where it is defined */
	bool		 defined, number;
	struct param	*param, *param_tail;
	struct node	*body;
	struct check	*chk;		/* its names and types: check */
	const struct program *user;	/* whose code holds it, for codegen: */
	uint32_t	 index;		/* its number there */
};

/* What the parser works on; one a compile. */
struct parse {
	struct arena	*arena;
	struct diag	*diag;
	struct source_set *src;
	struct script	*script, *script_tail;
	struct map	 names;		/* of scripts, and dats of this one: */
	struct map	 dats;		/* duplicates are errors */
	struct script	*cur;
	struct map	 funcs;		/* by name with sigil */
	struct function	*func, *func_tail;
	struct function	**func_by_id;	/* the tokens' numbers, from BI_COUNT */
	size_t		 nfunc, capfunc;
	struct function	*def;		/* being defined */
	struct str	 base;		/* name of a standalone program */
	struct lexer	*lex;
	bool		 stop;		/* a limit was hit: no more tokens */
	bool		 broken;	/* had errors: parts of it are missing */
};

struct node *ast_new(struct parse *, enum ast, struct span);
struct node *ast_un(struct parse *, enum ast, int op, struct span,
	    struct node *);
struct node *ast_bin(struct parse *, enum ast, int op, struct span,
	    struct node *, struct node *);
struct list  ast_append(struct list, struct node *);
struct span  span_join(struct span, struct span);

/* The function of that name, made if nobody has spoken of it yet. */
struct function *ast_function(struct parse *, struct str name, int *id);

/* Parses src->text; scripts end up in p->script, errors in p->diag. */
void	 parse_text(struct parse *);

/* The reserved words, for hints and tables. */
struct keyword {
	const char	*word;
	int		 token;
	enum kw_class { KW_SECTION, KW_INIT, KW_STMT, KW_CLOSE, KW_WORD,
	    KW_OPER, KW_CLAUSE } class;
};
extern const struct keyword *const keyword_table;
extern const size_t keyword_count;

#endif
