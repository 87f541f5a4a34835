#include "lang/base/re.h"
#include "lang/base/find.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdio.h>
#include <stdlib.h>

#define LIM_RE_PATTERN	(64 * 1024)	/* bytes: no person writes more */
#define LIM_RE_HEAP	(20 * 1024)	/* KiB for one match */
#define JIT_STACK_FIRST	(32 * 1024)	/* bytes */
#define SKIP_WORTH	3	/* bytes: shorter texts are in most lines */

struct re_ctx {
	pcre2_compile_context	*compile;
	pcre2_match_context	*match;
	pcre2_match_data	*data;		/* made on the first match */
	pcre2_jit_stack		*stack;		/* made with the first JIT */
	bool			 no_jit;
};

/* A pattern that is plain text, with ^ before or $ after it. */
#define LIT_PLAIN	0x01
#define LIT_START	0x02
#define LIT_END		0x04

struct re {
	struct re_ctx	*ctx;
	pcre2_code	*code;		/* NULL for a literal */
	unsigned	 groups;
	unsigned	 literal;	/* LIT_..., 0: none */
	unsigned	 nmatch;	/* up to RE_JIT_AFTER */
	bool		 hot;		/* the JIT's code may be called directly */
	bool		 skip;		/* looking for the required text pays */
	struct find	 find;		/* how it is looked for */
	size_t		 nheld;		/* the same, but also if case is ignored */
	size_t		 nrequired;
	char		 required[];	/* for a literal: it */
};

struct re_ctx *
re_ctx_new(void)
{
	struct re_ctx *c = calloc(1, sizeof *c);

	if (c == NULL)
		return NULL;
	c->compile = pcre2_compile_context_create(NULL);
	c->match = pcre2_match_context_create(NULL);
	if (c->compile == NULL || c->match == NULL) {
		re_ctx_free(c);
		return NULL;
	}
	pcre2_set_newline(c->compile, PCRE2_NEWLINE_LF);
	pcre2_set_match_limit(c->match, LIM_RE_MATCH);
	pcre2_set_depth_limit(c->match, LIM_RE_DEPTH);
	pcre2_set_heap_limit(c->match, LIM_RE_HEAP);
	return c;
}

void
re_ctx_free(struct re_ctx *c)
{
	if (c == NULL)
		return;
	pcre2_match_data_free(c->data);
	pcre2_jit_stack_free(c->stack);
	pcre2_match_context_free(c->match);
	pcre2_compile_context_free(c->compile);
	free(c);
}

static bool
alnum(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
	    (c >= 'A' && c <= 'Z');
}

/*
 * A backslash before it makes the byte itself.  Not for < and >, which are
 * ours, nor for bytes above ASCII, which may be part of a character.
 */
static bool
escapes_itself(char c)
{
	return c > ' ' && c < 0x7f && !alnum(c) && c != '<' && c != '>';
}

/*
 * If the pattern is plain text, puts that into out (room for all of it), its
 * length into *n, and returns LIT_PLAIN and what anchors it; else 0.
 */
static unsigned
plain(struct str p, char *out, size_t *n)
{
	unsigned lit = LIT_PLAIN;
	size_t i = 0, k = 0;

	if (p.n > 0 && p.p[0] == '^') {
		lit |= LIT_START;
		i = 1;
	}
	for (; i < p.n; i++) {
		if (p.p[i] == '\\') {
			if (++i == p.n || !escapes_itself(p.p[i]))
				return 0;
		} else if (p.p[i] == '$' && i + 1 == p.n) {
			lit |= LIT_END;
			break;
		} else if (p.p[i] == '\0' ||
		    strchr("^$.*+?()[]{}|", p.p[i]) != NULL)
			return 0;
		out[k++] = p.p[i];
	}
	*n = k;
	return lit;
}

/* The index of \E at or after i, or p.n. */
static size_t
quote_end(struct str p, size_t i)
{
	for (; i + 1 < p.n; i++)
		if (p.p[i] == '\\' && p.p[i + 1] == 'E')
			return i;
	return p.n;
}

/*
 * The index after a character class that begins at i, or p.n if it does not
 * end.  A first ] is a member; [:alpha:] nests.
 */
static size_t
class_end(struct str p, size_t i)
{
	size_t j;

	i++;
	if (i < p.n && p.p[i] == '^')
		i++;
	if (i < p.n && p.p[i] == ']')
		i++;
	for (; i < p.n && p.p[i] != ']'; i++) {
		if (p.p[i] == '\\') {
			i++;
			if (i < p.n && p.p[i] == 'Q')
				i = quote_end(p, i + 1) + 1;
		} else if (p.p[i] == '[' && i + 1 < p.n &&
		    (p.p[i + 1] == ':' || p.p[i + 1] == '.' ||
		    p.p[i + 1] == '=')) {
			for (j = i + 2; j + 1 < p.n && p.p[j] != ']'; j++)
				if (p.p[j] == p.p[i + 1] && p.p[j + 1] == ']')
					break;
			if (j + 1 < p.n && p.p[j] == p.p[i + 1])
				i = j + 1;
		}
	}
	return i < p.n ? i + 1 : p.n;
}

/*
 * The pattern with \< and \> as PCRE2 knows them.  out may be NULL: then only
 * the byte of the pattern that stands for byte `upto` of the result counts.
 * Returns the length of the result.
 */
static size_t
translate(struct str p, char *out, size_t upto, size_t *orig)
{
	const char *what;
	size_t i = 0, n = 0, end, len;

	*orig = p.n;
	while (i < p.n) {
		what = NULL;
		end = i + 1;
		if (p.p[i] == '[')
			end = class_end(p, i);
		else if (p.p[i] == '\\' && i + 1 < p.n) {
			end = i + 2;
			if (p.p[i + 1] == 'Q')
				end = quote_end(p, end);
			else if (p.p[i + 1] == '<')
				what = "\\b(?=\\w)";
			else if (p.p[i + 1] == '>')
				what = "\\b(?<=\\w)";
		}
		len = what != NULL ? strlen(what) : end - i;
		if (out != NULL)
			memcpy(out + n, what != NULL ? what : p.p + i, len);
		if (upto >= n && upto < n + len)
			*orig = what != NULL ? i : i + (upto - n);
		n += len;
		i = end;
	}
	return n;
}

/*
 * The longest text that every match holds.  Only what stands at the top
 * level, one character after the other, is believed; at anything that could
 * mean something else the answer is the empty text.  out has room for all of
 * the pattern.
 */

/* Skips a group that begins at i; p.n + 1 if in doubt. */
static size_t
group_end(struct str p, size_t i)
{
	size_t depth = 0;

	while (i < p.n) {
		switch (p.p[i]) {
		case '\\':
			if (i + 1 < p.n && p.p[i + 1] == 'c')
				return p.n + 1;
			i += 2;
			break;
		case '[':
			i = class_end(p, i);
			break;
		case '(':
			if (i + 2 < p.n && p.p[i + 1] == '?' &&
			    strchr(":=!<>|P'", p.p[i + 2]) == NULL)
				return p.n + 1;	/* options, comments ... */
			depth++;
			i++;
			break;
		case ')':
			i++;
			if (--depth == 0)
				return i;
			break;
		default:
			i++;
		}
	}
	return p.n + 1;
}

static size_t
required(struct str p, char *out, bool *at_start)
{
	size_t i = 0, run = 0, best = 0, pos = 0, from = 0;
	char *t = out + p.n;		/* the run at hand; best is at out */
	bool literal;
	char c;

	*at_start = true;
	/* Quoted parts, and verbs, of which (*ACCEPT) ends a match anywhere. */
	if (memmem(p.p, p.n, "\\Q", 2) != NULL ||
	    memmem(p.p, p.n, "(*", 2) != NULL)
		return 0;
	for (i = 0; i <= p.n; i = pos) {
		literal = false;
		c = i < p.n ? p.p[i] : '\0';
		pos = i + 1;
		switch (c) {
		case '\\':
			if (pos == p.n)
				return 0;
			c = p.p[pos++];
			literal = escapes_itself(c);
			if (!literal && (c == '\0' ||
			    strchr("dDwWsShHvVbBAzZ<>", c) == NULL))
				return 0;
			break;
		case '[':
			pos = class_end(p, i);
			break;
		case '(':
			pos = group_end(p, i);
			if (pos > p.n)
				return 0;
			break;
		case '{':
			pos = str_find(p, '}', i) + 1;
			if (pos > p.n)
				return 0;
			break;
		case '|':
		case ')':
			return 0;
		case '\0': case '^': case '$': case '.':
		case '*': case '+': case '?':
			break;
		default:
			literal = true;
		}
		if (literal && pos < p.n && p.p[pos] != '\0' &&
		    strchr("?*{", p.p[pos]) != NULL)
			literal = false;	/* may be there no time */
		if (literal) {
			if (run == 0)
				from = i;
			t[run++] = c;
		}
		if (!literal || (pos < p.n && p.p[pos] == '+')) {
			if (run > best) {
				memcpy(out, t, run);
				best = run;
				*at_start = from == 0 || p.p[0] == '^';
			}
			run = 0;
		}
	}
	return best;
}

static void
say(struct re_error *err, size_t at, const char *text)
{
	err->at = at;
	snprintf(err->text, sizeof err->text, "%s", text);
}

struct re *
re_compile(struct re_ctx *c, struct str p, bool icase, struct re_error *err)
{
	uint32_t options = PCRE2_DOLLAR_ENDONLY | PCRE2_NEVER_BACKSLASH_C;
	size_t n, orig;
	PCRE2_SIZE at;
	uint32_t groups;
	bool at_start;
	struct re *re;
	char *text;
	int code;

	say(err, 0, "out of memory");
	if (p.n > LIM_RE_PATTERN) {
		say(err, LIM_RE_PATTERN, "pattern is too long");
		return NULL;
	}
	/* required() and plain() work in place: see there for the room. */
	re = calloc(1, sizeof *re + 2 * p.n + 1);
	if (re == NULL)
		return NULL;
	re->ctx = c;
	if (!icase)
		re->literal = plain(p, re->required, &re->nrequired);
	if (re->literal != 0) {
		re->nheld = re->nrequired;
		find_prepare(&re->find, re_required(re));
		return re;
	}
	re->nheld = required(p, re->required, &at_start);
	if (!icase) {
		re->nrequired = re->nheld;
		find_prepare(&re->find, re_required(re));
		re->skip = re->nrequired >= SKIP_WORTH && !at_start;
	}
	text = malloc(translate(p, NULL, SIZE_MAX, &orig) + 1);
	if (text == NULL) {
		free(re);
		return NULL;
	}
	n = translate(p, text, SIZE_MAX, &orig);
	if (icase)
		options |= PCRE2_CASELESS;
	re->code = pcre2_compile((PCRE2_SPTR)text, n, options, &code, &at,
	    c->compile);
	free(text);
	if (re->code == NULL) {
		translate(p, NULL, at, &err->at);
		if (pcre2_get_error_message(code, (PCRE2_UCHAR *)err->text,
		    sizeof err->text) < 0)
			say(err, err->at, "bad pattern");
		free(re);
		return NULL;
	}
	pcre2_pattern_info(re->code, PCRE2_INFO_CAPTURECOUNT, &groups);
	re->groups = groups;
	if (groups > LIM_RE_GROUPS) {
		snprintf(err->text, sizeof err->text,
		    "more than %d groups", LIM_RE_GROUPS);
		re_free(re);
		return NULL;
	}
	return re;
}

void
re_free(struct re *re)
{
	if (re == NULL)
		return;
	pcre2_code_free(re->code);
	free(re);
}

unsigned
re_groups(const struct re *re)
{
	return re->groups;
}

struct str
re_holds(const struct re *re)
{
	return str_of(re->required, re->nheld);
}

struct str
re_required(const struct re *re)
{
	return str_of(re->required, re->nrequired);
}

static enum re_result
match_literal(const struct re *re, struct str s, size_t from, size_t *ov)
{
	size_t n = re->nrequired, at = from;
	const char *p;

	if (s.n - from < n || ((re->literal & LIT_START) && from > 0))
		return RE_NO;
	if (re->literal & LIT_END)
		at = s.n - n;
	if (re->literal & LIT_START) {
		if (at != 0 && n != s.n)
			return RE_NO;
		at = 0;
	}
	if (re->literal & (LIT_START | LIT_END)) {
		if (n != 0 && memcmp(s.p + at, re->required, n) != 0)
			return RE_NO;
	} else if (n != 0) {
		p = find_in(&re->find, str_of(s.p + from, s.n - from),
		    str_of(re->required, n));
		if (p == NULL)
			return RE_NO;
		at = (size_t)(p - s.p);
	}
	if (ov != NULL) {
		ov[0] = at;
		ov[1] = at + n;
	}
	return RE_YES;
}

void
re_ctx_plain(struct re_ctx *c)
{
	c->no_jit = true;
}

/* Compiles to machine code what has matched often, where that can be. */
static void
make_hot(struct re *re)
{
	struct re_ctx *c = re->ctx;
	uint32_t have = 0, all = 0;

	if (c->no_jit)
		return;
	if (c->stack == NULL) {
		c->no_jit = pcre2_config(PCRE2_CONFIG_JIT, &have) < 0 ||
		    have == 0;
		if (!c->no_jit) {
			c->stack = pcre2_jit_stack_create(JIT_STACK_FIRST,
			    LIM_RE_JIT_STACK, NULL);
			c->no_jit = c->stack == NULL;
		}
		if (c->no_jit)
			return;
		pcre2_jit_stack_assign(c->match, NULL, c->stack);
	}
	/* A refusal (hardened systems) leaves the interpreter. */
	/* The short way in does not look for bytes that are no UTF-8. */
	re->hot = pcre2_jit_compile(re->code, PCRE2_JIT_COMPLETE) == 0 &&
	    pcre2_pattern_info(re->code, PCRE2_INFO_ALLOPTIONS, &all) == 0 &&
	    (all & PCRE2_UTF) == 0;
}

enum re_result
re_match(struct re *re, struct str s, size_t from, size_t *ov)
{
	struct re_ctx *c = re->ctx;
	int rc;

	if (str_none(s) || from > s.n)
		return RE_NO;
	if (re->literal != 0)
		return match_literal(re, s, from, ov);
	if (re->skip && find_in(&re->find, str_of(s.p + from, s.n - from),
	    re_required(re)) == NULL)
		return RE_NO;
	if (c->data == NULL) {
		c->data = pcre2_match_data_create(LIM_RE_GROUPS + 1, NULL);
		if (c->data == NULL)
			return RE_LIMIT;
	}
	if (re->nmatch <= RE_JIT_AFTER && re->nmatch++ == RE_JIT_AFTER)
		make_hot(re);
	rc = re->hot ? pcre2_jit_match(re->code, (PCRE2_SPTR)s.p, s.n, from,
	    0, c->data, c->match) : pcre2_match(re->code, (PCRE2_SPTR)s.p,
	    s.n, from, 0, c->data, c->match);
	switch (rc) {
	case PCRE2_ERROR_MATCHLIMIT:
	case PCRE2_ERROR_DEPTHLIMIT:
	case PCRE2_ERROR_HEAPLIMIT:
	case PCRE2_ERROR_JIT_STACKLIMIT:
	case PCRE2_ERROR_NOMEMORY:
		return RE_LIMIT;
	default:
		/* Also a (*UTF) pattern on bytes that are none: no match. */
		if (rc < 0)
			return RE_NO;
	}
	if (ov != NULL)
		memcpy(ov, pcre2_get_ovector_pointer(c->data),
		    2 * (re->groups + 1) * sizeof *ov);
	return RE_YES;
}
