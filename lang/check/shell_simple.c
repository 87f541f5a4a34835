/*
 * What a simple command does with its words: builtins of the shell, commands
 * that run other commands, and words that are programs (rules 2 to 4).
 * The rows are in lang/table/interpreters.def.
 */
#include "lang/check/shell.h"

enum lang { SH = DP_PROG_SH, OTHER = DP_PROG_OTHER };
enum operands { NONE, FILE, FIRST, FLAG, SECOND, ALL };

enum { STDIN = 1, PERMUTE = 2, ASSIGN = 4, SPLIT = 8, LOOKUP = 16 };
enum builtin { PLAIN, EVAL, NAMES, TEST, OUTSIDE };

struct prog {
	const char	*names;
	enum lang	 lang;
	const char	*code, *lcode, *value, *lvalue, *file, *attached;
	enum operands	 operands;
	int		 flags;
};

struct wrap {
	const char	*names, *value, *lvalue;
	unsigned	 skip;
	int		 flags;
};

static const struct prog progs[] = {
#define PROG(names, lang, code, lcode, value, lvalue, file, attached, oper, \
    flags) { names, lang, code, lcode, value, lvalue, file, attached, oper, \
    flags },
#include "lang/table/interpreters.def"
};

static const struct wrap wraps[] = {
#define WRAP(names, value, lvalue, skip, flags) \
    { names, value, lvalue, skip, flags },
#include "lang/table/interpreters.def"
};

static const struct { const char *names; enum builtin what; } builtins[] = {
#define BUILTIN(names, what) { names, what },
#include "lang/table/interpreters.def"
};

#define COUNT(a)	(sizeof (a) / sizeof *(a))

/* The words of one command, perhaps inside another's (sudo, find -exec). */
struct args {
	struct shell	*s;
	struct sh_word	**w;
	size_t		 n;
};

static void command(struct args);

/* sh_in_list for the beginning of a name, as getopt_long takes it. */
static bool
abbreviates(const char *list, struct str name)
{
	size_t n;

	for (; *list != '\0'; list += n + (list[n] == ' ')) {
		n = strcspn(list, " ");
		if (name.n > 0 && name.n <= n &&
		    memcmp(list, name.p, name.n) == 0)
			return true;
	}
	return false;
}

static bool
has_letter(const char *set, char c)
{
	return c != '\0' && strchr(set, c) != NULL;
}

/* The literal text that a word begins with. */
static struct str
prefix(const struct sh_word *w)
{
	if (w->npiece == 0 || w->piece[0].data)
		return STR_EMPTY;
	return str_of(w->piece[0].p, w->piece[0].n);
}

/* The whole word, if it is literal; else NIL. */
static struct str
literal(const struct sh_word *w)
{
	if (w->open || w->npiece > 1 || sh_has_data(w))
		return STR_NIL;
	return prefix(w);
}

static bool
is_literal(const struct sh_word *w, const char *text)
{
	struct str t = literal(w);

	return !str_none(t) && str_eq(t, str_c(text));
}

/* The data part that is the whole word, or NULL. */
static struct sh_data *
whole(struct shell *s, const struct sh_word *w)
{
	if (w->open || w->npiece != 1 || !w->piece[0].data)
		return NULL;
	return &s->data[w->piece[0].part];
}

static bool
is_kind(struct shell *s, const struct sh_word *w, enum data_kind kind)
{
	struct sh_data *d = whole(s, w);

	return d != NULL && d->part->kind == kind;
}

/* Refuses all data in a word, what stands in its $( ) included. */
static void
refuse_word(struct shell *s, const struct sh_word *w, enum diag_id id,
    struct str what)
{
	size_t i;

	for (i = 0; i < s->ndata; i++)
		if (s->data[i].at >= w->from && s->data[i].at < w->to)
			sh_refuse(s, &s->data[i], id, what);
}

static void
program_word(struct args a, size_t i, uint32_t lang)
{
	if (i < a.n)
		sh_mark(a.s, a.w[i]->from, a.w[i]->to, lang);
}

/* NAME= at the start of a word, data in no part of it. */
static bool
is_assignment(const struct sh_word *w)
{
	struct str t = prefix(w);
	size_t i;

	for (i = 0; i < t.n && sh_is_name((unsigned char)t.p[i]); i++)
		;
	return i > 0 && i < t.n && t.p[i] == '=' &&
	    !sh_is_digit((unsigned char)t.p[0]);
}

/* options */

/* How far an option word reaches. */
struct option {
	bool	ends;		/* it was -- */
	bool	code, file;	/* it gave a program, or a file with one */
	bool	next;		/* the next word is its value */
	bool	stdin;		/* sh -s */
	bool	unknown;	/* it may have the next word as its value */
	bool	lookup;		/* command -v */
};

static bool
is_option(const struct sh_word *w)
{
	struct str t = prefix(w);

	/* a - alone is an operand; -$x is an option that data completes */
	return t.n > 0 && t.p[0] == '-' && (t.n > 1 || w->npiece > 1);
}

static struct option
long_option(struct args a, size_t i, const struct prog *p)
{
	struct option o = { .ends = false };
	struct str t = prefix(a.w[i]), name;
	size_t eq = str_find(t, '=', 0);

	if (is_literal(a.w[i], "--")) {
		o.ends = true;
		return o;
	}
	name = str_of(t.p + 2, eq - 2);
	if (!sh_in_list(p->lvalue, name) && abbreviates(p->lcode, name)) {
		o.code = true;
		o.next = eq == t.n;
		program_word(a, o.next ? i + 1 : i, p->lang);
	} else if (abbreviates(p->lvalue, name)) {
		o.file = abbreviates("file exec", name);
		o.next = eq == t.n;
	} else {
		o.unknown = true;
		program_word(a, i, p->lang);
	}
	return o;
}

/* A word of option letters; the last may have a value. */
static struct option
short_options(struct args a, size_t i, const struct prog *p)
{
	struct option o = { .ends = false };
	struct str t = prefix(a.w[i]);
	bool alone;
	size_t k;

	for (k = 1; k < t.n; k++) {
		alone = k + 1 == t.n && a.w[i]->npiece == 1 && !a.w[i]->open;
		if (has_letter(p->code, t.p[k])) {
			o.code = true;
			if (p->operands == FLAG)
				continue;
			o.next = alone && !has_letter(p->attached, t.p[k]);
			program_word(a, o.next ? i + 1 : i, p->lang);
			return o;
		}
		if (has_letter(p->value, t.p[k])) {
			o.file = has_letter(p->file, t.p[k]);
			o.next = alone;
			return o;
		}
		if (has_letter(p->attached, t.p[k]))
			return o;
		o.stdin = o.stdin || t.p[k] == 's';
		o.lookup = o.lookup || t.p[k] == 'v' || t.p[k] == 'V';
	}
	program_word(a, i, p->lang);		/* data makes letters of it */
	return o;
}

static struct option
option(struct args a, size_t i, const struct prog *p)
{
	struct option o = str_starts(prefix(a.w[i]), "--") ?
	    long_option(a, i, p) : short_options(a, i, p);

	/* a value that looks like an option is read as one as well */
	if (o.next && (i + 1 >= a.n || is_option(a.w[i + 1])))
		o.next = false;
	/* none of them, and the word behind would be the value */
	if (o.next && is_kind(a.s, a.w[i + 1], DATA_WORDS))
		refuse_word(a.s, a.w[i + 1], E_CMD_PLACE,
		    STR_LIT("the value of an option"));
	return o;
}

/* programs */

static void
interpreter(struct args a, const struct prog *p)
{
	bool ended = false, code = false, file = false, from_stdin = false,
	    unknown = false;
	size_t i, first = 0, noper = 0;
	struct option o;

	for (i = 1; i < a.n; i++) {
		struct str t = prefix(a.w[i]);

		if (!ended && is_option(a.w[i])) {
			o = option(a, i, p);
			ended = o.ends;
			code = code || o.code;
			file = file || o.file;
			unknown = unknown || o.unknown;
			from_stdin = from_stdin || (o.stdin &&
			    p->operands == FLAG);
			i += o.next;
			continue;
		}
		if (!ended && p->operands == FLAG && t.n > 0 && t.p[0] == '+') {
			i += has_letter(p->value, t.p[t.n - 1]);
			continue;
		}
		if (is_literal(a.w[i], "-"))
			continue;
		if (is_kind(a.s, a.w[i], DATA_OPT) ||
		    is_kind(a.s, a.w[i], DATA_WORDS))
			/* an option, or any number of words: which of those
			 * behind is the program cannot be told */
			sh_mark(a.s, a.w[i]->from, a.w[a.n - 1]->to, p->lang);
		if (noper++ == 0)
			first = i;
		if ((p->flags & PERMUTE) == 0 && !unknown)
			ended = true;
		if (p->operands == ALL || (p->operands == SECOND && noper > 1))
			program_word(a, i, p->lang);
		if ((p->flags & ASSIGN) && is_assignment(a.w[i]))
			program_word(a, i, p->lang);
		/* behind the host everything is the remote command */
		if (p->operands == SECOND && noper > 1)
			ended = true;
	}
	if (noper > 0 && ((p->operands == FIRST && !code && !file) ||
	    (p->operands == FLAG && code)))
		sh_mark(a.s, a.w[first]->from, a.w[unknown ? a.n - 1 :
		    first]->to, p->lang);
	if (p->operands != NONE && noper >= (p->operands == SECOND ? 2 : 1))
		code = true;		/* in the operands or their file */
	if ((p->flags & STDIN) && !file && (from_stdin || !code))
		a.s->stdin_flags |= p->lang;
}

/* sudo, env, timeout ...: what follows their own words is a command. */
static void
wrapper(struct args a, const struct wrap *v)
{
	const struct prog p = { .lang = SH, .code = v->flags & SPLIT ? "S" : "",
	    .lcode = v->flags & SPLIT ? "split-string" : "",
	    .value = v->value, .lvalue = v->lvalue, .file = "",
	    .attached = "" };
	unsigned skip = v->skip;
	bool ended = false;
	struct option o;
	size_t i;

	for (i = 1; i < a.n; i++) {
		if (!ended && is_option(a.w[i])) {
			o = option(a, i, &p);
			ended = o.ends;
			i += o.next;
			if ((v->flags & LOOKUP) && o.lookup)
				return;		/* nothing is run */
		} else if ((v->flags & ASSIGN) && is_assignment(a.w[i]))
			ended = true;
		else if (skip > 0 && !is_kind(a.s, a.w[i], DATA_WORDS)) {
			skip--;
			ended = true;
		} else
			break;
	}
	if (i >= a.n)
		return;
	if (v->skip > 0 && (is_literal(a.w[i], "-c") ||
	    is_literal(a.w[i], "--command")))
		program_word(a, i + 1, SH);		/* flock FILE -c */
	command((struct args){ a.s, a.w + i, a.n - i });
}

static void
find(struct args a)
{
	static const char what[] = "-exec -execdir -ok -okdir";
	struct str t;
	size_t i, from;

	for (i = 1; i < a.n; i++) {
		t = literal(a.w[i]);
		if (str_none(t) || !sh_in_list(what, t))
			continue;
		for (from = ++i; i < a.n; i++)
			if (is_literal(a.w[i], ";") || is_literal(a.w[i], "+"))
				break;
		if (i > from)
			command((struct args){ a.s, a.w + from, i - from });
	}
}

/* kill: language.md section 8, rule 4. */
static void
kill_command(struct args a)
{
	bool first = true, signal = false;
	struct sh_data *d;
	struct str t;
	size_t i;

	for (i = 1; i < a.n; i++) {
		t = prefix(a.w[i]);
		d = whole(a.s, a.w[i]);
		if (d != NULL)
			d->flags |= signal ? DP_SIGNAL : DP_KILL;
		else if (sh_has_data(a.w[i])) {
			/* -$sig, -s$sig, --signal=$sig: only before the pids,
			 * behind them it would be a process group */
			if (first && !a.w[i]->open && a.w[i]->npiece == 2 &&
			    (sh_in_list("- -s -n --signal=", t)))
				a.s->data[a.w[i]->piece[1].part].flags |=
				    DP_SIGNAL;
			else
				refuse_word(a.s, a.w[i], E_CMD_KILL, STR_NIL);
		}
		signal = sh_in_list("-s -n --signal", t) && d == NULL &&
		    !sh_has_data(a.w[i]);
		first = first && (signal || is_literal(a.w[i], "-q"));
	}
}

/* builtins */

static void
builtin(struct args a, struct str name, enum builtin what)
{
	static const char compare[] = "-eq -ne -lt -le -gt -ge";
	bool option_seen = false, watch = false, has;
	size_t i;

	if (what != OUTSIDE && what != TEST)
		a.s->needed = true;
	for (i = 1; i < a.n; i++) {
		struct sh_word *w = a.w[i];
		struct str t = prefix(w);

		has = sh_has_data(w);
		if (t.n > 1 && t.p[0] == '-' && !has) {
			option_seen = true;
			if (sh_in_list("declare typeset local export readonly",
			    name) && str_find(t, 'i', 0) < t.n)
				a.s->integer = true;
		}
		switch (what) {
		case PLAIN:
			break;
		case EVAL:
		case OUTSIDE:
			refuse_word(a.s, w, E_CMD_EVAL, name);
			break;
		case NAMES:
			if (has && (!is_assignment(w) || option_seen))
				refuse_word(a.s, w, E_CMD_NAME, name);
			break;
		case TEST:
			if (has && watch)
				refuse_word(a.s, w, E_CMD_NAME, name);
			watch = sh_in_list("-v -R", t) ||
			    is_kind(a.s, w, DATA_OPT);
			/* ksh reads operands of these as expressions */
			if (!has && sh_in_list(compare, t)) {
				program_word(a, i - 1, SH);
				program_word(a, i + 1, SH);
			}
			break;
		}
	}
}

/* The literal text behind the last / and the last expansion, or NIL. */
static struct str
last_component(const struct sh_word *w)
{
	const struct sh_piece *p;
	size_t i;

	if (sh_has_data(w))
		return STR_NIL;
	if (w->npiece == 0)
		return w->open ? STR_NIL : STR_EMPTY;
	p = &w->piece[w->npiece - 1];
	for (i = p->n; i > 0 && p->p[i - 1] != '/'; i--)
		;
	if (w->open && (i == 0 || w->nlit - p->n + i <= w->open_at))
		return STR_NIL;
	return str_of(p->p + i, p->n - i);
}

/* The name of the command; NIL if nobody can know it. */
static struct str
command_name(struct args a)
{
	struct sh_word *w = a.w[0];
	bool folder = false, raw = false;
	struct sh_data *d;
	struct str name;
	size_t i;

	for (i = 0; i < w->npiece; i++) {
		if (!w->piece[i].data) {
			folder = folder || memchr(w->piece[i].p, '/',
			    w->piece[i].n) != NULL;
			continue;
		}
		d = &a.s->data[w->piece[i].part];
		if (w->sign)
			sh_refuse(a.s, d, E_CMD_PLACE,
			    STR_LIT("the name of an assignment"));
		else if (!folder || d->part->kind == DATA_WORDS)
			sh_refuse(a.s, d, E_CMD_COMMAND, STR_NIL);
		d->flags |= DP_IS_COMMAND;
	}
	name = last_component(w);
	for (i = 0; i < a.s->ndata; i++) {
		d = &a.s->data[i];
		if (d->at < w->from || d->at >= w->to)
			continue;
		if (d->part->kind == DATA_RAW)
			raw = true;
		else if ((d->flags & DP_IS_COMMAND) == 0)
			/* what $( ) gives is the command */
			sh_refuse(a.s, d, E_CMD_COMMAND, STR_NIL);
	}
	/* rules 2 and 3 cannot be kept with a command that is not known */
	for (i = 1; str_none(name) && w->open && !raw && i < a.n; i++)
		refuse_word(a.s, a.w[i], E_CMD_UNKNOWN, STR_NIL);
	return name;
}

/* python3.11 is python. */
static struct str
no_version(struct str name)
{
	while (name.n > 1 && (sh_is_digit((unsigned char)name.p[name.n - 1]) ||
	    name.p[name.n - 1] == '.' || name.p[name.n - 1] == '-'))
		name.n--;
	return name;
}

/* A -- ends the options of the innermost command only. */
static void
after_dashes(struct args a)
{
	uint32_t *flags, dashes = 0;
	size_t i, k;

	for (i = 0; i < a.n; i++) {
		for (k = 0; k < a.w[i]->npiece; k++) {
			if (!a.w[i]->piece[k].data)
				continue;
			flags = &a.s->data[a.w[i]->piece[k].part].flags;
			*flags = (*flags & ~(uint32_t)DP_AFTER_DASHES) | dashes;
		}
		if (i > 0 && is_literal(a.w[i], "--"))
			dashes = DP_AFTER_DASHES;
	}
}

static void
command(struct args a)
{
	struct str name, bare;
	size_t i;

	after_dashes(a);
	name = command_name(a);
	if (str_none(name))
		return;
	bare = no_version(name);
	for (i = 0; i < COUNT(builtins); i++)
		if (sh_in_list(builtins[i].names, name))
			builtin(a, name, builtins[i].what);
	if (sh_in_list("kill", name))
		kill_command(a);
	if (sh_in_list("find gfind", name))
		find(a);
	if (sh_in_list("echo printf", name))
		sh_mark(a.s, a.w[0]->to, a.w[a.n - 1]->to, DP_FED);
	for (i = 0; i < COUNT(progs); i++)
		if (sh_in_list(progs[i].names, name) ||
		    sh_in_list(progs[i].names, bare))
			interpreter(a, &progs[i]);
	for (i = 0; i < COUNT(wraps); i++)
		if (sh_in_list(wraps[i].names, name)) {
			wrapper(a, &wraps[i]);
			return;
		}
}

void
sh_simple(struct shell *s, struct sh_word **w, size_t n)
{
	command((struct args){ s, w, n });
}
