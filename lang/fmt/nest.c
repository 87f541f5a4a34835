#include "lang/fmt/nest.h"

#include "lang/syntax/ast.h"
#include "lang/syntax/build.h"
#include "lang/syntax/parser.h"

void
nest_word(const struct nest *n, struct fmt_piece *p)
{
	size_t i;

	if (p->kind != PIECE_WORD || (p->class != KW_CLAUSE &&
	    p->token != T_LEVEL && p->token != T_UNTIL))
		return;
	for (i = n->nblock; i > 0 && n->block[i - 1].kind != B_INCIDENT; i--)
		if (p->token == T_UNTIL && n->block[i - 1].kind == B_REPEAT)
			return;
	if (i > 0)
		p->class = KW_CLAUSE;
	else if (p->class == KW_CLAUSE) {
		p->token = 0;
		p->class = -1;
	}
}

enum block_kind
nest_opens(const struct fmt_piece *p)
{
	switch (p->token) {
	case T_IF: return B_IF;
	case T_WHILE: return B_WHILE;
	case T_REPEAT: return B_REPEAT;
	case T_FOR: return B_FOR;
	case T_FOREACH: return B_FOREACH;
	case T_SWITCH: return B_SWITCH;
	case T_INCIDENT: return B_INCIDENT;
	}
	if (p->token == 0)
		return B_NONE;
	if (p->class == KW_CLAUSE)
		return p->token == T_ONSET || p->token == T_CLEAR ? B_CLAUSE :
		    B_NONE;
	if (str_eq(p->text, STR_LIT("function")))
		return B_FUNCTION;
	return B_NONE;
}

enum block_kind
nest_ends(const struct fmt_piece *p, bool *divides)
{
	*divides = p->token != 0 && p->class == KW_CLAUSE;
	if (*divides)
		return B_INCIDENT;
	switch (p->token) {
	case T_ELIF: case T_ELSE:
		*divides = true;
		return B_IF;
	case T_CASE: case T_DEFAULT:
		*divides = true;
		return B_SWITCH;
	case T_FI: return B_IF;
	case T_ENDWHILE: return B_WHILE;
	case T_UNTIL: return B_REPEAT;
	case T_ENDFOR: return B_FOR;
	case T_ENDFOREACH: return B_FOREACH;
	case T_ENDSW: return B_SWITCH;
	case T_ENDINCIDENT: return B_INCIDENT;
	}
	if (p->token == 0)
		return B_NONE;
	if (str_eq(p->text, STR_LIT("endfunction")))
		return B_FUNCTION;
	return B_NONE;
}

bool
nest_is_section(const struct fmt_piece *p)
{
	return p->token == T_INIT || p->token == T_BEGIN ||
	    p->token == T_RULE || p->token == T_END;
}

void
nest_open(struct nest *n, enum block_kind kind, uint32_t indent)
{
	if (n->nblock == LIM_NEST) {
		n->over++;
		return;
	}
	n->block[n->nblock++] = (struct open_block){ kind, indent };
}

bool
nest_end(struct nest *n, enum block_kind kind, bool divides, uint32_t *indent)
{
	size_t i;

	if (n->over > 0) {
		*indent = n->block[n->nblock - 1].indent;
		n->over -= !divides;
		return true;
	}
	for (i = n->nblock; i > 0 && n->block[i - 1].kind != kind; i--)
		;
	if (i == 0)
		return false;
	*indent = n->block[i - 1].indent;
	n->nblock = divides ? i : i - 1;
	return true;
}

void
nest_section(struct nest *n, const struct fmt_piece *p)
{
	n->nblock = n->over = n->paren = 0;
	n->section = p->token == T_INIT ? IN_INIT : IN_CODE;
}
