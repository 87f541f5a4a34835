#include "lang/fmt/layout.h"

#include "lang/fmt/nest.h"
#include "lang/syntax/ast.h"
#include "lang/syntax/build.h"
#include "lang/syntax/parser.h"

struct layout {
	struct reader	*r;
	struct buf	*lines, *text;
	struct nest	 nest;
	struct nest	*saved;		/* of each #if, when it is needed */
	size_t		 nsaved, skipped;
	bool		 body;		/* of a macro: indentation only */
	size_t		 pending;	/* first comment line with no indent yet */
	uint32_t	 statement;	/* indentation of the last one */
	const char	*done;		/* the piece that has been followed */
	struct fmt_piece	 prev, prev2;	/* on this line */
	struct fmt_piece	 last;		/* of the code so far */
	bool		 wide;		/* prev is a sign with blanks round it */
};

static struct line *
line_at(struct layout *l, size_t i)
{
	return (struct line *)(void *)l->lines->p + i;
}

static size_t
nline(const struct layout *l)
{
	return l->lines->n / sizeof(struct line);
}

static uint32_t
offset(const struct layout *l, struct str s)
{
	return (uint32_t)(s.p - l->r->t.p);
}

static struct line *
add_line(struct layout *l, enum line_kind kind, const struct fmt_piece *p)
{
	struct line new = { .kind = (uint8_t)kind, .column = SOURCE_NONE };

	/* a #! that is not the first must not become it */
	new.blank = nline(l) > 0 ? p->newlines > 1 : p->newlines > 0 &&
	    str_starts(str_of(p->text.p, l->r->t.n - offset(l, p->text)),
	    "#!");
	buf_add(l->lines, (const char *)&new, sizeof new);
	return line_at(l, nline(l) - 1);
}

/* --- blocks --- */

/* Where a statement or an item of init stands now. */
static uint32_t
inner(const struct layout *l)
{
	const struct nest *n = &l->nest;
	uint32_t base = n->named || l->body ? FMT_TAB : 0;

	if (n->nblock > 0)
		return n->block[n->nblock - 1].indent + FMT_TAB;
	return n->section == IN_NOTHING ? base : base + FMT_TAB;
}

/* Follows a piece of code that stands on a line of that indentation. */
static void
follow(struct layout *l, const struct fmt_piece *p, uint32_t indent)
{
	struct nest *n = &l->nest;
	enum block_kind kind;
	uint32_t at;
	bool divides;

	l->last = *p;
	if (p->text.p == l->done)
		return;
	if (p->kind == PIECE_OPEN)
		n->paren++;
	else if (p->kind == PIECE_CLOSE && n->paren > 0)
		n->paren--;
	if (p->kind != PIECE_WORD || p->token == 0 || n->paren > 0)
		return;
	if (nest_is_section(p)) {
		nest_section(n, p);
		return;
	}
	if ((kind = nest_ends(p, &divides)) != B_NONE)
		(void)nest_end(n, kind, divides, &at);
	if ((kind = nest_opens(p)) != B_NONE)
		nest_open(n, kind, indent);
}

/* --- the first piece of a line --- */

/* Is more to come after this piece, so that a macro's use goes on with it? */
static bool
wants_more(const struct fmt_piece *p)
{
	switch (p->kind) {
	case PIECE_SIGN: case PIECE_COMMA: case PIECE_OPEN:
		return true;
	case PIECE_WORD:
		break;
	default:
		return false;
	}
	switch (p->token) {
	case 0: case T_INIT: case T_BEGIN: case T_RULE: case T_END:
	case T_BREAK: case T_CONTINUE: case T_BREAKSW: case T_AGAIN:
	case T_LEAVE: case T_REDO: case T_NEXT: case T_LAST: case T_QUIT:
	case T_REPEAT: case T_ELSE: case T_FI: case T_ENDWHILE:
	case T_ENDFOR: case T_ENDFOREACH: case T_DEFAULT: case T_ENDSW:
		return false;
	}
	return nest_opens(p) < B_CLAUSE &&
	    (p->class == KW_CLAUSE || nest_ends(p, &(bool){ false }) <
	    B_INCIDENT);
}

enum column_word { MOVES, STAYS, NAME };

/*
 * What column 1 means to the word that stands there: a name's place, or one
 * that a macro or a directive may make a name's; or nothing.
 */
static enum column_word
column_one(struct layout *l, const struct fmt_piece *p)
{
	struct fmt_piece next;

	if (p->kind != PIECE_WORD || p->class == KW_SECTION)
		return MOVES;
	if (p->token == 0 && l->nest.paren == 0)
		return NAME;
	read_ahead(l->r, &next);
	if (nest_is_section(&next))
		return NAME;
	return p->token == 0 || next.kind == PIECE_MACRO ||
	    next.kind == PIECE_LINES ? STAYS : MOVES;
}

/* Whether a word that is not in column 1 may move there. */
static bool
may_move(struct layout *l, const struct fmt_piece *p)
{
	struct fmt_piece next;

	if (p->kind == PIECE_MACRO)
		return true;
	if (p->kind != PIECE_WORD || p->token == 0)
		return false;
	if (p->class == KW_SECTION)
		return true;
	if (l->r->i < l->r->t.n && (l->r->t.p[l->r->i] == '-' ||
	    l->r->t.p[l->r->i] == '.'))
		return false;		/* a name has these, too */
	read_ahead(l->r, &next);
	return !nest_is_section(&next) && next.kind != PIECE_MACRO &&
	    next.kind != PIECE_LINES;
}

/* The indentation of a line by the first piece that is no comment. */
static uint32_t
indent_by(struct layout *l, const struct fmt_piece *p)
{
	struct nest *n = &l->nest;
	enum block_kind kind;
	bool divides, item;
	uint32_t at;

	if (p->column_one && !l->body)
		switch (column_one(l, p)) {
		case NAME:
			memset(n, 0, sizeof *n);
			n->named = true;
			l->statement = 0;
			l->done = p->text.p;
			return 0;
		case STAYS:
			return 0;
		case MOVES:
			break;
		}
	if (p->kind == PIECE_WORD && p->token != 0 && p->token != T_SET &&
	    (p->class == KW_SECTION || p->class == KW_STMT ||
	    p->class == KW_CLOSE || p->class == KW_CLAUSE))
		n->paren = 0;		/* what is open now has been forgotten */
	item = p->kind == PIECE_WORD && (p->class == KW_STMT ||
	    (p->class == KW_INIT && n->section == IN_INIT));
	kind = nest_ends(p, &divides);
	/* a form feed; or what other versions may take for a directive */
	if (p->column_one && (p->kind == PIECE_OTHER || p->text.p[0] == '#'))
		return 0;
	if (n->paren > 0)
		return l->statement + FMT_TAB / 2;
	if (nest_is_section(p)) {
		nest_section(n, p);
		l->done = p->text.p;
		at = n->named ? FMT_TAB : 0;
	} else if (nest_opens(p) == B_FUNCTION) {
		memset(n, 0, sizeof *n);
		at = 0;
	} else if (kind != B_NONE) {
		if (!nest_end(n, kind, divides, &at) ||
		    p->class == KW_CLAUSE)
			at = inner(l);
		if (nest_opens(p) == B_CLAUSE)
			nest_open(n, B_CLAUSE, at);
		l->done = p->text.p;
	} else if (item || ((p->kind == PIECE_MACRO || (l->body &&
	    p->kind == PIECE_OPEN)) && !wants_more(&l->last)))
		at = inner(l);
	else
		return l->statement + FMT_TAB / 2;
	if (at == 0 && !p->column_one && !may_move(l, p))
		at = FMT_TAB;
	l->statement = at;
	return at;
}

/* Comments go with the code below them, if they stood no deeper. */
static void
place_comments(struct layout *l, size_t column, uint32_t indent,
    uint32_t deeper)
{
	struct line *k;

	if (deeper < indent)
		deeper = indent;
	for (; l->pending < nline(l); l->pending++) {
		k = line_at(l, l->pending);
		if (k->kind == LINE_COMMENT)
			k->indent = k->column <= column ? indent : deeper;
	}
}

/* --- directives --- */

/* #if and its kin: each branch begins with what was open before the first. */
static void
branch(struct layout *l, enum branch b)
{
	switch (b) {
	case BRANCH_OPEN:
		if (l->nsaved == LIM_FMT_IF) {
			l->skipped++;
			return;
		}
		if (l->saved == NULL)
			l->saved = mem_alloc(l->lines->mem,
			    LIM_FMT_IF * sizeof *l->saved);
		l->saved[l->nsaved++] = l->nest;
		break;
	case BRANCH_NEXT:
		if (l->nsaved > 0 && l->skipped == 0)
			l->nest = l->saved[l->nsaved - 1];
		break;
	case BRANCH_END:
		if (l->skipped > 0)
			l->skipped--;
		else if (l->nsaved > 0)
			l->nsaved--;
		break;
	case BRANCH_NONE:
		break;
	}
}

static void
directive(struct layout *l, const struct fmt_piece *p)
{
	struct line *k;

	place_comments(l, 0, 0, inner(l));
	k = add_line(l, LINE_RAW, p);
	k->at = offset(l, p->text);
	k->n = (uint32_t)p->text.n;
	l->pending = nline(l);
	branch(l, read_branch(p->text));
}

/* --- what stands between two pieces --- */

static bool
operand_end(const struct fmt_piece *p)
{
	return p->kind == PIECE_VALUE || p->kind == PIECE_STRING ||
	    (p->kind == PIECE_CLOSE && p->text.p[0] != '}') ||
	    (p->kind == PIECE_WORD && p->token == 0);
}

/* Assignments, comparisons, && and || have blanks round them. */
static bool
wide_sign(struct layout *l, const struct fmt_piece *p)
{
	static const char *const tight = " ! ~ & | ^ + * / % . - << >> ** ";
	struct reader copy;
	struct fmt_piece next;
	char t[8] = { 0 };

	if (p->kind != PIECE_SIGN || !operand_end(&l->prev))
		return false;
	t[0] = t[p->text.n + 1] = ' ';
	memcpy(t + 1, p->text.p, p->text.n);
	if (strstr(tight, t) != NULL)
		return false;
	copy = *l->r;
	copy.diag = NULL;
	read_piece(&copy, &next);
	if (next.newlines > 0)
		return true;
	switch (next.kind) {
	case PIECE_VALUE: case PIECE_STRING: case PIECE_OPEN:
	case PIECE_COMMENT: case PIECE_END:
		return true;
	case PIECE_WORD:
		return next.token == 0 || !next.glued;
	case PIECE_SIGN:
		return next.text.p[0] == '-' || next.text.p[0] == '!';
	default:
		return !next.glued;
	}
}

static bool
blank_before(struct layout *l, const struct fmt_piece *p, bool wide)
{
	if (!p->glued || l->wide || wide)
		return true;
	if (l->prev.kind == PIECE_COMMA)
		switch (p->kind) {
		case PIECE_VALUE: case PIECE_STRING: case PIECE_OPEN:
		case PIECE_WORD: case PIECE_MACRO: case PIECE_SIGN:
			return true;
		default:
			return false;
		}
	return false;
}

static void
pad(struct buf *b, size_t n)
{
	memset(buf_room(b, n), ' ', n);
	b->n += n;
}

/* A piece of code goes to the end of the line at hand. */
static void
add_piece(struct layout *l, const struct fmt_piece *p)
{
	struct line *k = line_at(l, nline(l) - 1);
	bool wide, item;
	size_t n;

	wide = !l->body && wide_sign(l, p);
	if (k->n > 0) {
		item = l->prev2.kind == PIECE_END &&
		    ((l->prev.class == KW_INIT && l->nest.section == IN_INIT)
		    || l->prev.class == KW_CLAUSE) && !p->glued && k->indent == l->statement;
		if (l->body)
			buf_add(l->text, l->prev.text.p + l->prev.text.n,
			    (size_t)(p->text.p - l->prev.text.p) -
			    l->prev.text.n);
		else if (item) {
			n = l->prev.text.n;
			pad(l->text, n < FMT_TAB ? FMT_TAB - n : 1);
		} else if (blank_before(l, p, wide))
			buf_putc(l->text, ' ');
		if (l->prev2.token == T_DAT && l->prev.kind == PIECE_VALUE &&
		    !p->glued && l->nest.section == IN_INIT &&
		    k->n == l->prev2.text.n + (l->prev2.text.n < FMT_TAB ?
		    FMT_TAB - l->prev2.text.n : 1) + l->prev.text.n)
			k->split = k->n;
	}
	buf_str(l->text, p->text);
	k->n = (uint32_t)l->text->n - k->at;
	if (memchr(p->text.p, '\n', p->text.n) != NULL)
		k->tall = true;
	l->prev2 = l->prev;
	l->prev = *p;
	l->wide = wide;
}

/* --- lines --- */

/* The next piece that is no comment, if it stands on the same line. */
static bool
code_follows(const struct layout *l, struct fmt_piece *p, struct reader *at)
{
	*at = *l->r;
	at->diag = NULL;
	do
		read_piece(at, p);
	while (p->newlines == 0 && (p->kind == PIECE_COMMENT ||
	    p->kind == PIECE_BLOCK));
	nest_word(&l->nest, p);
	return p->newlines == 0 && p->kind != PIECE_END &&
	    p->kind != PIECE_LINES;
}

static void
start_line(struct layout *l, const struct fmt_piece *p)
{
	struct reader at, *r = l->r;
	struct fmt_piece first = *p;
	struct line *k;
	uint32_t indent, deeper = inner(l);
	bool is_code = p->kind != PIECE_COMMENT && p->kind != PIECE_BLOCK;

	l->prev = l->prev2 = (struct fmt_piece){ .kind = PIECE_END };
	l->wide = false;
	if (p->kind == PIECE_BLOCK && code_follows(l, &first, &at)) {
		l->r = &at;
		is_code = true;
	}
	if (!is_code) {
		k = add_line(l, LINE_COMMENT, p);
		k->at = (uint32_t)l->text->n;
		k->column = (uint32_t)p->column;
		return;
	}
	indent = indent_by(l, &first);
	l->r = r;
	place_comments(l, p->column, indent, deeper);
	k = add_line(l, LINE_CODE, p);
	k->at = (uint32_t)l->text->n;
	k->indent = indent;
	k->column = p->kind == PIECE_BLOCK ? (uint32_t)p->column : SOURCE_NONE;
	l->pending = nline(l);
}

static void
lay_out(struct layout *l)
{
	struct fmt_piece p;
	struct line *k = NULL;

	for (;;) {
		read_piece(l->r, &p);
		if (p.kind == PIECE_END)
			break;
		nest_word(&l->nest, &p);
		if (p.kind == PIECE_LINES) {
			directive(l, &p);
			k = NULL;
			continue;
		}
		if (k == NULL || p.newlines > 0) {
			start_line(l, &p);
			k = line_at(l, nline(l) - 1);
		}
		if (k->kind == LINE_COMMENT) {
			if (k->n > 0 && !p.glued)
				buf_putc(l->text, ' ');
			buf_str(l->text, p.text);
			k->n = (uint32_t)l->text->n - k->at;
			continue;
		}
		if (p.kind == PIECE_COMMENT) {
			k->note_at = offset(l, p.text);
			k->note_n = (uint32_t)p.text.n;
			continue;
		}
		add_piece(l, &p);
		if (p.kind != PIECE_BLOCK)
			follow(l, &p, k->indent);
	}
	place_comments(l, 0, l->body ? FMT_TAB : 0, inner(l));
	if (l->saved != NULL)
		mem_free(l->lines->mem, l->saved,
		    LIM_FMT_IF * sizeof *l->saved);
}

void
layout_scripts(struct reader *r, struct buf *lines, struct buf *text)
{
	struct layout *l = mem_zalloc(lines->mem, sizeof *l);

	l->r = r;
	l->lines = lines;
	l->text = text;
	lay_out(l);
	mem_free(lines->mem, l, sizeof *l);
}

void
layout_body(struct reader *r, struct buf *lines, struct buf *text)
{
	struct layout *l = mem_zalloc(lines->mem, sizeof *l);

	l->r = r;
	l->lines = lines;
	l->text = text;
	l->body = true;
	l->pending = nline(l);
	lay_out(l);
	mem_free(lines->mem, l, sizeof *l);
}
