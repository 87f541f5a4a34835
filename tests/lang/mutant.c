/*
 * picket, with a hole: the same objects, linked with --wrap, so that what the
 * compiler asks its tables goes through here.  No other build knows of it.
 *
 *	PICKET_ROWS=file	appends each row that was found: "table row"
 *	PICKET_GONE="table row"	that row is not there
 *
 * Tables: keywords, builtins, interpreters, opcodes, errors, config: the .def
 * of that name, a row by one of its names; operators: the tokens of scanner.l,
 * file tests too; and the enums of program.h, a row by its number.
 */
#include <stdio.h>
#include <stdlib.h>

#include "lang/syntax/directive.h"
#include "lang/syntax/lexer.h"
#include "lang/syntax/parser.h"
#include "lang/check/shell.h"
#include "lang/compile.h"
#include "lang/config/config.h"
#include "lang/table/builtin.h"

#define WRAP(type, name, ...)						\
	type	__real_##name(__VA_ARGS__);				\
	type	__wrap_##name(__VA_ARGS__)

WRAP(int, lx_word, struct lexer *, union token_value *, struct str);
WRAP(int, pk_lex_lex, union token_value *, struct span *, void *);
WRAP(int, builtin_find, struct str);
WRAP(const struct directive *, directive_find, struct str);
WRAP(bool, sh_in_list, const char *, struct str);
WRAP(struct diag_item *, diag_at, struct diag *, struct span, enum diag_id,
    struct str, struct str, struct str);
WRAP(struct diag_item *, diag_in, struct diag *, struct place, uint32_t,
    enum diag_id, struct str, struct str, struct str);
WRAP(const struct program_set *, compile_programs, const struct compile *);
WRAP(bool, config_word, struct config *, const struct stanza *, uint32_t *,
    struct config_word *);
extern void *pk_lex_get_extra(void *);

/* A row was asked for: is it the one that is gone? */
static bool
gone(const char *table, struct str row)
{
	const char *name = getenv("PICKET_ROWS"), *hole;
	size_t n = strlen(table);
	FILE *f;

	if (name != NULL && (f = fopen(name, "a")) != NULL) {
		fprintf(f, "%s %.*s\n", table, (int)row.n, row.p);
		fclose(f);
	}
	hole = getenv("PICKET_GONE");
	return hole != NULL && strncmp(hole, table, n) == 0 &&
	    hole[n] == ' ' && str_eq(str_c(hole + n + 1), row);
}

int
__wrap_lx_word(struct lexer *lx, union token_value *v, struct str word)
{
	size_t i;

	for (i = 0; i < keyword_count; i++)
		if (str_eq(str_c(keyword_table[i].word), word) &&
		    gone("keywords", word)) {
			v->text = arena_dup(lx->p->arena, word);
			return T_WORD;
		}
	return __real_lx_word(lx, v, word);
}

int
__wrap_pk_lex_lex(union token_value *v, struct span *loc, void *scanner)
{
	struct lexer *lx = pk_lex_get_extra(scanner);
	int token = __real_pk_lex_lex(v, loc, scanner);
	struct str text;

	switch (token) {
	case '=': case '<': case '>': case '!': case '~': case '&': case '|':
	case '^': case '+': case '*': case '/': case '%': case '.': case '-':
	case T_EQEQ: case T_NOTEQ: case T_LESSEQ: case T_MOREEQ: case T_NMORE:
	case T_NLESS: case T_NMOREEQ: case T_NLESSEQ: case T_MATCH:
	case T_MATCHI: case T_NMATCH: case T_NMATCHI: case T_ANDAND:
	case T_OROR: case T_SHL: case T_SHR: case T_POW: case T_NT: case T_OT:
	case T_ADDSET: case T_SUBSET: case T_MULSET: case T_DIVSET:
	case T_MODSET: case T_POWSET: case T_ANDSET: case T_ORSET:
	case T_XORSET: case T_SHLSET: case T_SHRSET: case T_CATSET:
	case T_FTEST:
		text = str_of(lx->p->src->text.p + loc->at, loc->len);
		if (gone("operators", text))
			return lx_error(lx, *loc, E_CHAR, text);
	}
	return token;
}

int
__wrap_builtin_find(struct str name)
{
	int id = __real_builtin_find(name);

	return id >= 0 && gone("builtins", name) ? -1 : id;
}

const struct directive *
__wrap_directive_find(struct str word)
{
	const struct directive *d = __real_directive_find(word);

	return d != NULL && gone("directives", word) ? NULL : d;
}

bool
__wrap_sh_in_list(const char *list, struct str name)
{
	return __real_sh_in_list(list, name) && !gone("interpreters", name);
}

bool
__wrap_config_word(struct config *c, const struct stanza *st, uint32_t *pos,
    struct config_word *w)
{
	if (!__real_config_word(c, st, pos, w))
		return false;
	if (!w->quoted && gone("config", w->text))
		w->text = STR_LIT("gone");
	return true;
}

/* A message that is gone says nothing. */
static struct diag_item *
told(struct diag_item *d)
{
	if (gone("errors", str_c(diag_name(d->id))))
		d->text = d->hint = STR_EMPTY;
	return d;
}

struct diag_item *
__wrap_diag_at(struct diag *d, struct span s, enum diag_id id, struct str a,
    struct str b, struct str c)
{
	return told(__real_diag_at(d, s, id, a, b, c));
}

struct diag_item *
__wrap_diag_in(struct diag *d, struct place p, uint32_t len, enum diag_id id,
    struct str a, struct str b, struct str c)
{
	return told(__real_diag_in(d, p, len, id, a, b, c));
}

static void
needs(const char *table, unsigned row)
{
	char t[16];

	snprintf(t, sizeof t, "%u", row);
	if (gone(table, str_c(t))) {
		fprintf(stderr, "mutant: %s %s is gone\n", table, t);
		exit(1);
	}
}

/* What a program is made of, before it is run. */
const struct program_set *
__wrap_compile_programs(const struct compile *c)
{
	const struct program_set *set = __real_compile_programs(c);
	const struct program *p;
	enum opcode op;
	uint32_t k;
	size_t i;

	for (i = 0; i < set->n; i++) {
		p = &set->program[i];
		needs("status", p->status);
		needs("level", p->level);
		needs("input", p->input);
		needs("seps", p->seps);
		for (k = 0; k < p->ndat; k++) {
			needs("dat_kind", p->dat[k].kind);
			needs("dat_as", p->dat[k].as);
		}
		for (k = 0; k < p->ncode; k++) {
			op = I_OP(p->code[k]);
			if (gone("opcodes", str_c(opcode_name(op)))) {
				fprintf(stderr, "mutant: no instruction %s\n",
				    opcode_name(op));
				exit(1);
			}
			if (op == OP_OUT)
				needs("out", I_A(p->code[k]));
			else if (op == OP_XOPTS || op == OP_XOPTN)
				needs("exec_opt", I_A(p->code[k]));
			else if (op == OP_ITER)
				needs("order", I_C(p->code[k]));
		}
	}
	return set;
}
