%{
/*
 * The grammar: builds AST nodes and nothing else.  Newlines are white space
 * and there are no separators: a statement ends where the next begins.
 */
#include "lang/syntax/lexer.h"
#include "lang/syntax/build.h"
%}

%code requires {
#include "lang/base/num.h"
#include "lang/syntax/ast.h"
}

%code {
#define YYLLOC_DEFAULT(cur, rhs, n) do {				\
	if (n)								\
		(cur) = span_join(YYRHSLOC(rhs, 1), YYRHSLOC(rhs, n));	\
	else {								\
		(cur).at = YYRHSLOC(rhs, 0).at + YYRHSLOC(rhs, 0).len;	\
		(cur).len = 0;						\
	}								\
} while (0)
#define NEW(kind, loc)		ast_new(p, kind, loc)
#define BIN(kind, op, loc, a, b) ast_bin(p, kind, op, loc, a, b)
/* The parser's stack is this function's own: no allocation that a jump out
 * of memory could leak.  LIM_NEST levels need less. */
#define YYINITDEPTH	4000
#define YYMAXDEPTH	4000
#undef yylex
#define yylex	lexer_next
static void yyerror(struct span *, struct parse *, const char *);
}

%define api.pure full
%define parse.error custom
%define parse.lac full
%define api.prefix {pk_parse_}
%locations
%define api.location.type {struct span}
%expect 0
%param {struct parse *p}
%initial-action { @$.at = @$.len = 0; }

%union token_value {
	struct str	 text;
	double		 num;
	int		 id;
	struct { double num; int unit; } q;
	struct node	*node;
	struct list	 list;
}

%token T_EOF 0 "end of file"
%token <text> T_NAME "script name"
%token <text> T_NVAR "number variable" T_SVAR "string variable"
%token <text> T_NVARI "number array" T_SVARI "string array"
%token <id> T_NFUNC "number function" T_SFUNC "string function"
%token <num> T_FIELD "field" T_FTEST "file test"
%token T_FIELDX "$[" T_DOLLAR "$"
%token <q> T_NUM "number"
%token T_STRBEGIN "string" T_STREND "end of string"
%token <text> T_STRTEXT "string text" T_FMT ":%format"
%token T_INTERP "#{"
%token <text> T_HANDLE "handle" T_PREV "previous value" T_PREVI "previous element" T_WORD "word"
%token T_NIL "NIL" T_ERRV "ERR" T_BAD "bad token"
%token T_EQEQ "==" T_NOTEQ "!=" T_LESSEQ "<=" T_MOREEQ ">="
%token T_NMORE "!>" T_NLESS "!<" T_NMOREEQ "!>=" T_NLESSEQ "!<="
%token T_MATCH "=~" T_MATCHI "=~~" T_NMATCH "!~" T_NMATCHI "!~~"
%token T_ANDAND "&&" T_OROR "||" T_SHL "<<" T_SHR ">>" T_POW "**"
%token T_NT "-nt" T_OT "-ot"
%token T_ADDSET "+=" T_SUBSET "-=" T_MULSET "*=" T_DIVSET "/="
%token T_MODSET "%=" T_POWSET "**=" T_ANDSET "&=" T_ORSET "|="
%token T_XORSET "^=" T_SHLSET "<<=" T_SHRSET ">>=" T_CATSET ".="
/* reserved words: keywords.def */
%token T_INIT "init" T_BEGIN "begin" T_RULE "rule" T_END "end"
%token T_STATUS "status" T_LEVEL "level" T_TASK "task" T_INPUT "input"
%token T_FILTER "filter" T_SEPS "seps" T_DAT "dat" T_KEYS "keys"
%token T_EXPIRE "expire" T_TIMEOUT "timeout" T_EVERY "every"
%token T_TIMING "timing" T_WATCH "watch" T_AFFECTS "affects" T_LINE "line"
%token T_MEMORY "memory" T_BUDGET "budget" T_FORMAT "format"
%token T_IF "if" T_WHILE "while" T_REPEAT "repeat" T_FOR "for"
%token T_FOREACH "foreach" T_BREAK "break" T_CONTINUE "continue"
%token T_SWITCH "switch" T_BREAKSW "breaksw" T_AGAIN "again"
%token T_LEAVE "leave" T_REDO "redo" T_NEXT "next" T_SKIP "skip"
%token T_LAST "last" T_PAUSE "pause" T_QUIT "quit" T_DIE "die" T_DO "do"
%token T_SET "set" T_UNSET "unset" T_EXEC "exec" T_DOEXEC "doexec"
%token T_OUTPUT "output" T_ASSERT "assert" T_RECORD "record"
%token T_FUNCTION "function" T_ENDFUNCTION "endfunction"
%token T_LOCAL "local" T_RETURN "return"
%token T_ELIF "elif" T_ELSE "else" T_FI "fi" T_ENDWHILE "endwhile"
%token T_UNTIL "until" T_ENDFOR "endfor" T_ENDFOREACH "endforeach"
%token T_CASE "case" T_DEFAULT "default" T_ENDSW "endsw"
%token T_INCIDENT "incident" T_ENDINCIDENT "endincident" T_WHEN "when"
%token T_HOLD "hold" T_REMIND "remind" T_ABSENT "absent" T_UNLESS "unless"
%token T_MESSAGE "message" T_ONSET "onset" T_CLEAR "clear"
%token T_IN "in" T_WAIT "wait" T_DETACHED "detached" T_AS "as"
%token T_LIMIT "limit" T_CPU "cpu" T_MAIL "mail" T_PRINT "print"
%token T_LOG "log" T_PIKTLOG "piktlog" T_SYSLOG "syslog" T_PROC "proc"
%token T_FILE "file" T_REGEX "regex" T_TO "to" T_LOGFILE "logfile"
%token T_JOURNAL "journal" T_OBJECT "object" T_FROM "from" T_START "start"
%token T_TABLE "table" T_WHERE "where"
%token T_LT "lt" T_GT "gt" T_LE "le" T_GE "ge" T_EQ "eq" T_NE "ne"

%precedence LOWEST
%precedence error
%left T_OROR
%left T_ANDAND
%nonassoc T_EQEQ T_NOTEQ T_EQ T_NE T_MATCH T_MATCHI T_NMATCH T_NMATCHI T_NT T_OT
%nonassoc '<' '>' T_LESSEQ T_MOREEQ T_NMORE T_NLESS T_NMOREEQ T_NLESSEQ T_LT T_GT T_LE T_GE
%left '|'
%left '^'
%left '&'
%precedence T_FTEST
%left T_SHL T_SHR
%left '.'
%left '+' '-'
%left '*' '/' '%'
%precedence '!' '~' UNARY
%right T_POW

%type <node> expr primary string part lvalue set_clause stmt if_stmt if_arm
%type <node> elifs number_arg cond for_set exec_opt target stmt_list_opt else_opt
%type <node> unset_target local_name clause table
%type <list> stmts args args1 parts keys switch_body exec_opts unset_list
%type <list> clauses
%type <id> setop exec_mode out_kind
%type <num> int

%%

file:
	  functions scripts
	| functions body scripts
	;

functions:
	  %empty
	| functions function
	;

/* statements or sections before any name: a standalone program */
body:
	  stmt stmts %prec LOWEST	{ build_anonymous(p, ast_prepend($1, $2), @1); }
	| section		{ build_anonymous_section(p, @1); }
	| body section		{ build_anonymous_section(p, @2); }
	| body function
	| body function stmt stmts %prec LOWEST
				{ build_anonymous(p, ast_prepend($3, $4), @3); }
	;

function:
	  T_FUNCTION func_name params ')' stmts T_ENDFUNCTION
				{ build_function_body(p, $5.head); }
	| T_FUNCTION error stmts T_ENDFUNCTION
	;

func_name:
	  T_NFUNC		{ build_function(p, $1, @1); }
	| T_SFUNC		{ build_function(p, $1, @1); }
	;

params:
	  %empty
	| params1
	;

params1:
	  param
	| params1 ',' param
	;

param:
	  T_NVAR		{ build_param(p, $1, true, false, @1); }
	| T_SVAR		{ build_param(p, $1, false, false, @1); }
	| T_NVARI ']'		{ build_param(p, $1, true, true, @$); }
	| T_SVARI ']'		{ build_param(p, $1, false, true, @$); }
	;

scripts:
	  %empty
	| scripts name sections	%prec LOWEST 
	| scripts error
	;

name:
	  T_NAME		{ build_script(p, $1, @1); }
	;

sections:
	  %empty
	| sections section
	| sections function
	| sections error
	;

section:
	  T_INIT		{ build_init(p, @1); } items %prec LOWEST
	| T_BEGIN stmts	%prec LOWEST	{ build_section(p, T_BEGIN, $2.head, @1); }
	| T_RULE stmts	%prec LOWEST	{ build_section(p, T_RULE, $2.head, @1); }
	| T_END stmts	%prec LOWEST	{ build_section(p, T_END, $2.head, @1); }
	;

items:
	  %empty
	| items item
	| items error
	;

item:
	  T_STATUS T_WORD	{ build_status(p, $2, @2); }
	| T_LEVEL T_WORD	{ build_level(p, $2, @2); }
	| T_TASK string		{ build_text(p, T_TASK, $2, @1); }
	| T_INPUT T_PROC string	{ build_text(p, T_PROC, $3, @1); }
	| T_INPUT T_FILE string	{ build_text(p, T_FILE, $3, @1); }
	| T_INPUT T_JOURNAL string	{ build_text(p, T_JOURNAL, $3, @1); }
	| T_INPUT T_OBJECT string	{ build_text(p, T_OBJECT, $3, @1); }
	| logfile
	| logfile T_FROM T_START	{ build_from_start(p); }
	| T_INPUT T_TABLE table	{ build_table(p, $3, NULL, @$); }
	| T_INPUT T_TABLE table T_WHERE target
				{ build_table(p, $3, $5, @$); }
	| input_other
	| input_other string
	| T_FILTER string	{ build_text(p, T_FILTER, $2, @1); }
	| T_SEPS string		{ build_seps(p, $2, false, @1); }
	| T_SEPS T_REGEX string	{ build_seps(p, $3, true, @1); }
	| dat
	| dat T_AS T_WORD	{ build_dat_as(p, $3, NULL, @3); }
	| dat T_AS T_WORD string	{ build_dat_as(p, $3, $4, @3); }
	| T_KEYS keynames
	| T_TIMEOUT number_arg	{ build_number(p, T_TIMEOUT, $2, @1); }
	| T_LINE number_arg	{ build_number(p, T_LINE, $2, @1); }
	| T_MEMORY number_arg	{ build_number(p, T_MEMORY, $2, @1); }
	| T_BUDGET number_arg	{ build_number(p, T_BUDGET, $2, @1); }
	| T_EXPIRE number_arg	{ build_number(p, T_EXPIRE, $2, @1); }
	| T_EVERY number_arg	{ build_number(p, T_EVERY, $2, @1); }
	| T_TIMING string	{ build_text(p, T_TIMING, $2, @1); }
	| T_WATCH T_MEMORY	{ build_flag(p, T_WATCH, @1); }
	| T_AFFECTS T_MAIL	{ build_flag(p, T_AFFECTS, @1); }
	| T_FORMAT T_WORD	{ build_format(p, $2, @2); }
	;

logfile:
	  T_INPUT T_LOGFILE string	{ build_text(p, T_LOGFILE, $3, @1); }
	| T_INPUT T_LOGFILE string string
				{ build_text(p, T_LOGFILE, $3, @1);
				  build_bakfile(p, $4); }
	;

table:
	  T_WORD		{ $$ = build_table_name(p, $1, @1); }
	| T_MEMORY		{ $$ = build_table_name(p, STR_LIT("memory"), @1); }
	| T_WORD '(' args ')'	{ $$ = build_table_name(p, $1, @1);
				  $$->list = $3.head; }
	;

input_other:
	  T_INPUT T_WORD	{ build_input_other(p, $2, @2); }
	;

number_arg:
	  T_NUM		{ $$ = build_num(p, $1.num, $1.unit, @1); }
	;

dat:
	  dat_var int		{ build_dat(p, DAT_FIELD, $2, 0, NULL, @2); }
	| dat_var T_DOLLAR	{ build_dat(p, DAT_LAST, 0, 0, NULL, @2); }
	| dat_var T_DOLLAR '-' int
				{ build_dat_before_last(p, $4, @4); }
	| dat_var '-' int	{ build_dat(p, DAT_FROM_END, $3, 0, NULL, @3); }
	| dat_var int '-'	{ build_dat(p, DAT_REST, $2, 0, NULL, @2); }
	| dat_var int '-' int	{ build_dat(p, DAT_RANGE, $2, $4, NULL, @2); }
	| dat_var '[' int ',' int ']'
				{ build_dat(p, DAT_COLUMNS, $3, $5, NULL, @2); }
	| dat_var string	{ build_dat(p, DAT_REGEX, 0, 0, $2, @2); }
	;

dat_var:
	  T_DAT T_NVAR		{ build_dat_var(p, $2, true, @2); }
	| T_DAT T_SVAR		{ build_dat_var(p, $2, false, @2); }
	;

int:
	  T_NUM			{ $$ = $1.num; }
	;

keynames:
	  keyname
	| keynames keyname
	;

keyname:
	  T_NVAR		{ build_key(p, $1, true, @1); }
	| T_SVAR		{ build_key(p, $1, false, @1); }
	;

stmts:
	  %empty		{ $$.head = $$.tail = NULL; }
	| stmts stmt		{ $$ = ast_append($1, $2); }
	| stmts error		{ $$ = $1; }
	;

stmt_list_opt:
	  stmts			{ $$ = $1.head; }
	;

stmt:
	  T_SET set_clause	{ $$ = $2; }
	| T_DO primary		{ $$ = ast_un(p, S_DO, 0, @$, $2); }
	| T_UNSET unset_list	{ $$ = $2.head; }
	| if_stmt
	| T_WHILE cond stmt_list_opt T_ENDWHILE
				{ $$ = build_loop(p, S_WHILE, $2, $3, @1); }
	| T_REPEAT stmt_list_opt T_UNTIL cond
				{ $$ = build_loop(p, S_REPEAT, $4, $2, @1); }
	| T_FOR for_set target for_set stmt_list_opt T_ENDFOR
				{ $$ = build_for(p, $2, $3, $4, $5, @1); }
	| T_FOR error stmt_list_opt T_ENDFOR	{ $$ = NULL; }
	| T_FOR '(' for_set target for_set ')' stmt_list_opt T_ENDFOR
				{ $$ = build_for(p, $3, $4, $5, $7, @1); }
	| T_FOR T_SVAR T_IN primary stmt_list_opt T_ENDFOR
				{ $$ = build_forin(p, $2, @2, $4, $5, @1); }
	| T_FOREACH primary stmt_list_opt T_ENDFOREACH
				{ $$ = build_foreach(p, $2, $3, @1); }
	| T_FOREACH error stmt_list_opt T_ENDFOREACH	{ $$ = NULL; }
	| T_FOREACH T_LINE T_SVAR T_IN expr stmt_list_opt T_ENDFOREACH
				{ $$ = build_lines(p, $3, @3, $5, $6, @1); }
	| T_SWITCH expr switch_body T_ENDSW
				{ $$ = build_switch(p, $2, $3.head, @1); }
	| T_SWITCH error switch_body T_ENDSW	{ $$ = NULL; }
	| T_BREAK		{ $$ = NEW(S_BREAK, @$); }
	| T_CONTINUE		{ $$ = NEW(S_CONTINUE, @$); }
	| T_BREAKSW		{ $$ = NEW(S_BREAKSW, @$); }
	| T_AGAIN		{ $$ = NEW(S_AGAIN, @$); }
	| T_LEAVE		{ $$ = NEW(S_LEAVE, @$); }
	| T_REDO		{ $$ = NEW(S_REDO, @$); }
	| T_NEXT		{ $$ = NEW(S_NEXT, @$); }
	| T_SKIP expr		{ $$ = ast_un(p, S_SKIP, 0, @$, $2); }
	| T_LAST		{ $$ = NEW(S_LAST, @$); }
	| T_PAUSE expr		{ $$ = ast_un(p, S_PAUSE, 0, @$, $2); }
	| T_QUIT %prec LOWEST	{ $$ = NEW(S_QUIT, @$); }
	| T_QUIT expr		{ $$ = ast_un(p, S_QUIT, 0, @$, $2); }
	| T_DIE expr		{ $$ = ast_un(p, S_DIE, 0, @$, $2); }
	| T_EXEC exec_mode exec_opts expr %prec LOWEST
				{ $$ = build_exec(p, $2, false, $3, $4, @1); }
	| T_DOEXEC exec_mode exec_opts expr %prec LOWEST
				{ $$ = build_exec(p, $2, true, $3, $4, @1); }
	| T_OUTPUT expr %prec LOWEST
				{ $$ = build_output(p, OUT_STDOUT, NULL, $2, @1); }
	| T_OUTPUT out_kind expr %prec LOWEST
				{ $$ = build_output(p, $2, NULL, $3, @1); }
	| T_OUTPUT T_LOG target expr %prec LOWEST
				{ $$ = build_output(p, OUT_LOG, $3, $4, @1); }
	| T_OUTPUT T_LOG target %prec LOWEST
				{ $$ = build_output(p, OUT_LOG, $3, NULL, @1); }
	| T_OUTPUT T_MAIL T_TO target expr %prec LOWEST
				{ $$ = build_output(p, OUT_MAIL_TO, $4, $5, @1); }
	| T_RECORD target %prec LOWEST
				{ $$ = build_record(p, $2, NULL, @1); }
	| T_RECORD target T_AS target
				{ $$ = build_record(p, $2, $4, @1); }
	| T_ASSERT target expr %prec LOWEST
				{ $$ = BIN(S_ASSERT, 0, @$, $2, $3); }
	| T_LOCAL local_name %prec LOWEST
				{ $$ = BIN(S_LOCAL, 0, @$, $2, NULL); }
	| T_LOCAL local_name '=' expr %prec LOWEST
				{ $$ = BIN(S_LOCAL, SET_PLAIN, @$, $2, $4); }
	| T_LOCAL T_NVARI ']'	{ $$ = ast_un(p, S_LOCAL, 0, @$,
				    build_array(p, $2, TY_NUM, @2)); }
	| T_LOCAL T_SVARI ']'	{ $$ = ast_un(p, S_LOCAL, 0, @$,
				    build_array(p, $2, TY_STR, @2)); }
	| T_RETURN %prec LOWEST	{ $$ = NEW(S_RETURN, @$); }
	| T_RETURN expr %prec LOWEST
				{ $$ = ast_un(p, S_RETURN, 0, @$, $2); }
	| T_INCIDENT target clauses T_ENDINCIDENT
				{ $$ = build_incident(p, $2, $3.head, @1); }
	| T_INCIDENT error clauses T_ENDINCIDENT	{ $$ = NULL; }
	;

clauses:
	  %empty		{ $$.head = $$.tail = NULL; }
	| clauses clause	{ $$ = ast_append($1, $2); }
	| clauses error		{ $$ = $1; }
	;

clause:
	  T_WHEN cond		{ $$ = build_clause(p, CL_WHEN, $2, @1, @2); }
	| T_UNTIL cond		{ $$ = build_clause(p, CL_UNTIL, $2, @1, @2); }
	| T_HOLD target		{ $$ = build_clause(p, CL_HOLD, $2, @1, @2); }
	| T_REMIND target	{ $$ = build_clause(p, CL_REMIND, $2, @1, @2); }
	| T_ABSENT target	{ $$ = build_clause(p, CL_ABSENT, $2, @1, @2); }
	| T_UNLESS target	{ $$ = build_clause(p, CL_UNLESS, $2, @1, @2); }
	| T_MESSAGE target	{ $$ = build_clause(p, CL_MESSAGE, $2, @1, @2); }
	| T_LEVEL T_WORD	{ $$ = build_level_clause(p, $2, @1, @2); }
	| T_ONSET stmts %prec LOWEST
				{ $$ = build_clause(p, CL_ONSET, NULL, @1, @1);
				  $$->list = $2.head; }
	| T_CLEAR stmts %prec LOWEST
				{ $$ = build_clause(p, CL_CLEAR, NULL, @1, @1);
				  $$->list = $2.head; }
	;

local_name:
	  T_NVAR		{ $$ = build_var(p, $1, TY_NUM, @1); }
	| T_SVAR		{ $$ = build_var(p, $1, TY_STR, @1); }
	;

target:
	  expr %prec LOWEST
	;

cond:
	  expr %prec LOWEST
	| error			{ $$ = NEW(X_NIL, @1); }
	;

out_kind:
	  T_MAIL		{ $$ = OUT_MAIL; }
	| T_PRINT		{ $$ = OUT_PRINT; }
	| T_PIKTLOG		{ $$ = OUT_PIKTLOG; }
	| T_SYSLOG		{ $$ = OUT_SYSLOG; }
	| T_JOURNAL		{ $$ = OUT_JOURNAL; }
	;

exec_mode:
	  %empty		{ $$ = 0; }
	| T_WAIT		{ $$ = 1; }
	| T_DETACHED		{ $$ = 2; }
	;

exec_opts:
	  %empty		{ $$.head = $$.tail = NULL; }
	| exec_opts exec_opt	{ $$ = ast_append($1, $2); }
	;

exec_opt:
	  T_AS primary		{ $$ = ast_un(p, S_EXEC, XOPT_AS, @$, $2); }
	| T_TIMEOUT primary	{ $$ = ast_un(p, S_EXEC, XOPT_TIMEOUT, @$, $2); }
	| T_IN primary		{ $$ = ast_un(p, S_EXEC, XOPT_IN, @$, $2); }
	| T_LIMIT T_MEMORY primary
				{ $$ = ast_un(p, S_EXEC, XOPT_MEMORY, @$, $3); }
	| T_LIMIT T_CPU primary	{ $$ = ast_un(p, S_EXEC, XOPT_CPU, @$, $3); }
	;

if_stmt:
	  T_IF if_arm elifs else_opt T_FI
				{ $$ = build_if(p, $2, $3, $4, @1); }
	;

if_arm:
	  cond stmt_list_opt	{ $$ = BIN(S_ARM, 0, @1, $1, NULL); $$->list = $2; }
	;

elifs:
	  %empty		{ $$ = NULL; }
	| elifs T_ELIF if_arm	{ $$ = ast_push_back($1, $3); }
	;

else_opt:
	  %empty		{ $$ = NULL; }
	| T_ELSE stmt_list_opt	{ $$ = NEW(S_ARM, @1); $$->list = $2; }
	;

switch_body:
	  %empty		{ $$.head = $$.tail = NULL; }
	| switch_body T_CASE target
				{ $$ = ast_append($1, ast_un(p, S_CASE, 0, @2, $3)); }
	| switch_body T_DEFAULT	{ $$ = ast_append($1, NEW(S_CASE, @2)); }
	| switch_body stmt	{ $$ = ast_append($1, $2); }
	| switch_body error	{ $$ = $1; }
	;

for_set:
	  set_clause
	| T_SET set_clause	{ $$ = $2; }
	;

set_clause:
	  lvalue setop expr %prec LOWEST
				{ $$ = BIN(S_SET, $2, @$, $1, $3); }
	;

lvalue:
	  T_NVAR		{ $$ = build_var(p, $1, TY_NUM, @1); }
	| T_SVAR		{ $$ = build_var(p, $1, TY_STR, @1); }
	| T_NVARI keys ']'	{ $$ = build_index(p, $1, TY_NUM, $2, @$); }
	| T_SVARI keys ']'	{ $$ = build_index(p, $1, TY_STR, $2, @$); }
	| T_PREV		{ $$ = build_prev_set(p, $1, @1); }
	| T_PREVI keys ']'	{ $$ = build_prev_set(p, $1, @1); }
	| T_FIELD		{ $$ = build_field_set(p, @1); }
	;

setop:
	  '='			{ $$ = SET_PLAIN; }
	| T_ADDSET		{ $$ = NUM_ADD; }
	| T_SUBSET		{ $$ = NUM_SUB; }
	| T_MULSET		{ $$ = NUM_MUL; }
	| T_DIVSET		{ $$ = NUM_DIV; }
	| T_MODSET		{ $$ = NUM_MOD; }
	| T_POWSET		{ $$ = NUM_POW; }
	| T_ANDSET		{ $$ = NUM_BAND; }
	| T_ORSET		{ $$ = NUM_BOR; }
	| T_XORSET		{ $$ = NUM_BXOR; }
	| T_SHLSET		{ $$ = NUM_SHL; }
	| T_SHRSET		{ $$ = NUM_SHR; }
	| T_CATSET		{ $$ = SET_CAT; }
	;

unset_list:
	  unset_target		{ $$ = ast_append((struct list){ 0 }, $1); }
	;

unset_target:
	  T_NVAR		{ $$ = ast_un(p, S_UNSET, 0, @$, build_var(p, $1, TY_NUM, @1)); }
	| T_SVAR		{ $$ = ast_un(p, S_UNSET, 0, @$, build_var(p, $1, TY_STR, @1)); }
	| T_NVARI keys ']'	{ $$ = ast_un(p, S_UNSET, 0, @$, build_index(p, $1, TY_NUM, $2, @1)); }
	| T_SVARI keys ']'	{ $$ = ast_un(p, S_UNSET, 0, @$, build_index(p, $1, TY_STR, $2, @1)); }
	| T_NVARI ']'		{ $$ = ast_un(p, S_UNSET, 0, @$, build_array(p, $1, TY_NUM, @1)); }
	| T_SVARI ']'		{ $$ = ast_un(p, S_UNSET, 0, @$, build_array(p, $1, TY_STR, @1)); }
	| T_PREV		{ $$ = ast_un(p, S_UNSET, 0, @$, build_prev_set(p, $1, @1)); }
	| T_PREVI keys ']'	{ $$ = ast_un(p, S_UNSET, 0, @$, build_prev_set(p, $1, @1)); }
	| T_PREVI ']'		{ $$ = ast_un(p, S_UNSET, 0, @$, build_prev_set(p, $1, @1)); }
	;

keys:
	  expr			{ $$ = ast_append((struct list){ 0 }, $1); }
	| keys ',' expr		{ $$ = ast_append($1, $3); }
	;

expr:
	  primary
	| expr '+' expr		{ $$ = BIN(X_OP, NUM_ADD, @2, $1, $3); }
	| expr '-' expr		{ $$ = BIN(X_OP, NUM_SUB, @2, $1, $3); }
	| expr '*' expr		{ $$ = BIN(X_OP, NUM_MUL, @2, $1, $3); }
	| expr '/' expr		{ $$ = BIN(X_OP, NUM_DIV, @2, $1, $3); }
	| expr '%' expr		{ $$ = BIN(X_OP, NUM_MOD, @2, $1, $3); }
	| expr T_POW expr	{ $$ = BIN(X_OP, NUM_POW, @2, $1, $3); }
	| expr '&' expr		{ $$ = BIN(X_OP, NUM_BAND, @2, $1, $3); }
	| expr '|' expr		{ $$ = BIN(X_OP, NUM_BOR, @2, $1, $3); }
	| expr '^' expr		{ $$ = BIN(X_OP, NUM_BXOR, @2, $1, $3); }
	| expr T_SHL expr	{ $$ = BIN(X_OP, NUM_SHL, @2, $1, $3); }
	| expr T_SHR expr	{ $$ = BIN(X_OP, NUM_SHR, @2, $1, $3); }
	| expr '.' expr		{ $$ = build_cat(p, $1, $3, @2); }
	| '-' expr %prec UNARY	{ $$ = ast_un(p, X_OP, NUM_NEG, @$, $2); }
	| '~' expr		{ $$ = ast_un(p, X_OP, NUM_BNOT, @$, $2); }
	| '!' expr		{ $$ = ast_un(p, X_NOT, 0, @$, $2); }
	| T_FTEST expr		{ $$ = ast_un(p, X_FTEST, (int)$1, @$, $2); }
	| expr '<' expr		{ $$ = BIN(X_CMP, CMP_LT, @2, $1, $3); }
	| expr '>' expr		{ $$ = BIN(X_CMP, CMP_GT, @2, $1, $3); }
	| expr T_LESSEQ expr	{ $$ = BIN(X_CMP, CMP_LE, @2, $1, $3); }
	| expr T_MOREEQ expr	{ $$ = BIN(X_CMP, CMP_GE, @2, $1, $3); }
	| expr T_NMORE expr	{ $$ = BIN(X_CMP, CMP_NGT, @2, $1, $3); }
	| expr T_NLESS expr	{ $$ = BIN(X_CMP, CMP_NLT, @2, $1, $3); }
	| expr T_NMOREEQ expr	{ $$ = BIN(X_CMP, CMP_NGE, @2, $1, $3); }
	| expr T_NLESSEQ expr	{ $$ = BIN(X_CMP, CMP_NLE, @2, $1, $3); }
	| expr T_EQEQ expr	{ $$ = BIN(X_CMP, CMP_EQ, @2, $1, $3); }
	| expr T_NOTEQ expr	{ $$ = BIN(X_CMP, CMP_NE, @2, $1, $3); }
	| expr T_LT expr	{ $$ = BIN(X_SCMP, CMP_LT, @2, $1, $3); }
	| expr T_GT expr	{ $$ = BIN(X_SCMP, CMP_GT, @2, $1, $3); }
	| expr T_LE expr	{ $$ = BIN(X_SCMP, CMP_LE, @2, $1, $3); }
	| expr T_GE expr	{ $$ = BIN(X_SCMP, CMP_GE, @2, $1, $3); }
	| expr T_EQ expr	{ $$ = BIN(X_SCMP, CMP_EQ, @2, $1, $3); }
	| expr T_NE expr	{ $$ = BIN(X_SCMP, CMP_NE, @2, $1, $3); }
	| expr T_MATCH expr	{ $$ = build_match(p, $1, $3, false, false, @2); }
	| expr T_MATCHI expr	{ $$ = build_match(p, $1, $3, true, false, @2); }
	| expr T_NMATCH expr	{ $$ = build_match(p, $1, $3, false, true, @2); }
	| expr T_NMATCHI expr	{ $$ = build_match(p, $1, $3, true, true, @2); }
	| expr T_NT expr	{ $$ = BIN(X_FCMP, 0, @2, $1, $3); }
	| expr T_OT expr	{ $$ = BIN(X_FCMP, 1, @2, $1, $3); }
	| expr T_ANDAND expr	{ $$ = BIN(X_AND, 0, @2, $1, $3); }
	| expr T_OROR expr	{ $$ = BIN(X_OR, 0, @2, $1, $3); }
	;

primary:
	  T_NUM			{ $$ = build_num(p, $1.num, $1.unit, @1); }
	| string
	| T_NVAR		{ $$ = build_var(p, $1, TY_NUM, @1); }
	| T_SVAR		{ $$ = build_var(p, $1, TY_STR, @1); }
	| T_NVARI keys ']'	{ $$ = build_index(p, $1, TY_NUM, $2, @$); }
	| T_SVARI keys ']'	{ $$ = build_index(p, $1, TY_STR, $2, @$); }
	| T_NVARI ']'		{ $$ = build_array(p, $1, TY_NUM, @$); }
	| T_SVARI ']'		{ $$ = build_array(p, $1, TY_STR, @$); }
	| T_NFUNC args ')'	{ $$ = build_call(p, $1, $2.head, @$); }
	| T_SFUNC args ')'	{ $$ = build_call(p, $1, $2.head, @$); }
	| T_FIELD		{ $$ = build_field(p, $1, @1); }
	| T_FIELDX expr ']'	{ $$ = ast_un(p, X_FIELDX, 0, @$, $2); }
	| T_HANDLE		{ $$ = NEW(X_HANDLE, @1); $$->text = $1; }
	| T_NIL			{ $$ = NEW(X_NIL, @1); }
	| T_ERRV		{ $$ = NEW(X_NIL, @1); $$->flag = true; }
	| T_PREV		{ $$ = build_prev(p, $1, PREV_SCALAR, (struct list){ 0 }, @1); }
	| T_PREVI keys ']'	{ $$ = build_prev(p, $1, PREV_ELEMENT, $2, @$); }
	| T_PREVI ']'		{ $$ = build_prev(p, $1, PREV_WHOLE, (struct list){ 0 }, @$); }
	| '(' expr ')'		{ $$ = $2; $$->paren = true; }
	;

args:
	  %empty		{ $$.head = $$.tail = NULL; }
	| args1
	;

args1:
	  expr			{ $$ = ast_append((struct list){ 0 }, $1); }
	| args1 ',' expr	{ $$ = ast_append($1, $3); }
	;

string:
	  T_STRBEGIN parts T_STREND
				{ $$ = build_string(p, $2, @$); }
	| T_STRTEXT		{ $$ = NEW(X_STR, @1); $$->text = $1; }
	;

parts:
	  %empty		{ $$.head = $$.tail = NULL; }
	| parts part		{ $$ = ast_append($1, $2); }
	;

part:
	  T_STRTEXT		{ $$ = NEW(X_STR, @1); $$->text = $1; }
	| T_SVAR		{ $$ = build_var(p, $1, TY_STR, @1); }
	| T_SVARI keys ']'	{ $$ = build_index(p, $1, TY_STR, $2, @$); }
	| T_SFUNC args ')'	{ $$ = build_call(p, $1, $2.head, @$); }
	| T_FIELD		{ $$ = build_field(p, $1, @1); }
	| T_FIELDX expr ']'	{ $$ = ast_un(p, X_FIELDX, 0, @$, $2); }
	| T_INTERP expr '}'	{ $$ = $2; }
	| T_INTERP expr T_FMT '}'
				{ $$ = ast_un(p, X_FMT, 0, @$, $2); $$->text = $3; }
	;

%%

static int
yyreport_syntax_error(const yypcontext_t *ctx, struct parse *p)
{
	enum { MOST = YYNTOKENS };
	yysymbol_kind_t want[MOST];
	yysymbol_kind_t got = yypcontext_token(ctx);
	const char *names[MOST];
	int i, n = yypcontext_expected_tokens(ctx, want, MOST);

	for (i = 0; i < n; i++)
		names[i] = yysymbol_name(want[i]);
	build_syntax_error(p, *yypcontext_location(ctx),
	    got == YYSYMBOL_YYEMPTY ? "" : yysymbol_name(got), names, n);
	return 0;
}

static void
yyerror(struct span *loc, struct parse *p, const char *msg)
{
	(void)msg;	/* only "memory exhausted" comes here */
	build_too_deep(p, *loc, "200 levels");
}

void
parse_text(struct parse *p)
{
	/* in the arena, so that whoever catches a jump can still close it */
	p->lex = arena_alloc(p->arena, sizeof *p->lex);
	lexer_open(p->lex, p);
	map_init(&p->names, p->arena);
	map_init(&p->funcs, p->arena);
	(void)yyparse(p);
	p->broken = p->diag->nerror > 0;
	lexer_close(p->lex);
	p->lex = NULL;
}
