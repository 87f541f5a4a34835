/* include: what directives take from the world: files, commands, variables. */
#include "lang/syntax/directive.h"

#include <stdio.h>

#define SHOWN	60	/* bytes of a command in the name of its text */

static void
skip(struct line *l)
{
	l->i = str_find(l->t, '\n', l->i);
}

/* --- commands --- */

/* False, and said once, when a text asks the world too often. */
static bool
counted(struct line *l)
{
	struct pass *p = l->x->pass;
	char limit[16];

	if (p->nincluded++ < LIM_INCLUDES)
		return true;
	snprintf(limit, sizeof limit, "%d", LIM_INCLUDES);
	line_error(l, l->at, l->len, E_INCLUDE_MANY, str_c(limit),
	    STR_NIL, STR_NIL);
	p->stop = true;
	return false;
}

int
include_command(struct line *l, struct str command, bool pikt,
    struct str *text)
{
	struct preprocess *pp = l->x->pass->pp;
	const struct compile_world *w = pp->opt->world;
	size_t off = (size_t)(command.p - l->t.p);
	struct str why = STR_EMPTY;
	int status = 0;
	bool ok;

	*text = STR_EMPTY;
	if (!counted(l))
		return -1;
	if (w == NULL || (pikt ? w->pikt == NULL : w->run == NULL)) {
		line_error(l, off, 1, E_COMMAND_NONE, STR_NIL, STR_NIL,
		    STR_NIL);
		return -1;
	}
	ok = pikt ? w->pikt(w->w, command, pp->env, pp->nenv, &why) :
	    w->run(w->w, command, pp->env, pp->nenv, text, &status, &why);
	if (ok && (status == 126 || status == 127)) {
		ok = false;		/* the shell could not run it */
		why = status == 126 ? STR_LIT("it cannot be run (status 126)") :
		    STR_LIT("it was not found (status 127)");
	}
	if (ok)
		return status;
	line_error(l, off, command.n, E_COMMAND, why, STR_NIL, STR_NIL);
	return -1;
}

/* "[command]", cut: the name of what it wrote. */
static uint32_t
command_text(struct line *l, struct str command, struct str text)
{
	struct preprocess *pp = l->x->pass->pp;
	struct buf name;
	uint32_t file;

	buf_init(&name, pp->arena->mem);
	buf_putc(&name, '[');
	buf_escaped(&name, command, SHOWN);
	buf_putc(&name, ']');
	file = source_add_from(pp->src, buf_view(&name), text, l->x->file,
	    (uint32_t)l->at);
	buf_free(&name);
	pp->src->file[file].made = true;
	return file;
}

/* --- files --- */

/* The folder of the file that holds the directive, with its /. */
static struct str
folder(const struct source_set *s, uint32_t file)
{
	struct str name;

	while (s->file[file].made && s->file[file].from != SOURCE_NONE)
		file = s->file[file].from;
	name = s->file[file].name;
	while (name.n > 0 && name.p[name.n - 1] != '/')
		name.n--;
	return name;
}

/* The path that "name" or <name> means. */
static struct str
path_of(struct line *l, struct str name, bool angle)
{
	struct preprocess *pp = l->x->pass->pp;
	struct str dir = STR_EMPTY, path;
	struct buf b;

	while (str_starts(name, "./"))
		for (name = str_of(name.p + 2, name.n - 2);
		    str_starts(name, "/"); )
			name = str_of(name.p + 1, name.n - 1);
	if (!str_starts(name, "/"))
		dir = angle && !str_none(pp->opt->include_dir) ?
		    pp->opt->include_dir : folder(pp->src, l->x->file);
	buf_init(&b, pp->arena->mem);
	buf_str(&b, dir);
	if (dir.n > 0 && dir.p[dir.n - 1] != '/')
		buf_putc(&b, '/');
	buf_str(&b, name);
	path = arena_dup(pp->arena, buf_view(&b));
	buf_free(&b);
	return path;
}

/* False, and reported, if the file is one of those that include it. */
static bool
no_loop(struct line *l, struct str path, size_t off, size_t len)
{
	const struct source_set *s = l->x->pass->pp->src;
	uint32_t chain[LIM_INCLUDE_DEPTH + 2], file;
	struct buf trail;
	size_t n = 0;

	for (file = l->x->file; file != SOURCE_NONE &&
	    n < sizeof chain / sizeof *chain; file = s->file[file].from) {
		chain[n++] = file;
		if (!s->file[file].made && str_eq(s->file[file].name, path))
			break;
	}
	if (file == SOURCE_NONE || !str_eq(s->file[file].name, path))
		return true;
	buf_init(&trail, s->mem);
	while (n > 0) {
		buf_str(&trail, s->file[chain[--n]].name);
		buf_puts(&trail, " -> ");
	}
	buf_str(&trail, path);
	line_error(l, off, len, E_INCLUDE_LOOP, path, buf_view(&trail),
	    STR_NIL);
	buf_free(&trail);
	return false;
}

/* Puts a text into the pass. */
static void
put_text(struct line *l, uint32_t file)
{
	struct text *x = l->x;
	struct pass *p = x->pass;
	struct str t = p->pp->src->file[file].text;
	char limit[32];

	if (t.n > LIM_SOURCE - p->bytes) {
		snprintf(limit, sizeof limit, "%u MiB", LIM_SOURCE >> 20);
		line_error(l, l->at, l->len, E_INCLUDE_BIG,
		    str_c(limit), STR_NIL, STR_NIL);
		p->stop = true;
		return;
	}
	p->bytes += t.n;
	if (t.n == 0 || !text_check(p->pp, file))
		return;
	if (l->d->does == DO_VERBATIM)
		pass_put(x, file, true, p->nindent + 1);
	else if (l->d->does == DO_ECHO)
		pass_put(x, file, x->nfix > 0, p->nindent);
	else if (x->depth == LIM_INCLUDE_DEPTH) {
		snprintf(limit, sizeof limit, "%d", LIM_INCLUDE_DEPTH);
		line_error(l, l->at, l->len, E_INCLUDE_DEEP,
		    str_c(limit), STR_NIL, STR_NIL);
		p->stop = true;
	} else
		pass_include(x, file);
}

static void
exec_status(struct line *l, struct str command, int status)
{
	char n[16];

	snprintf(n, sizeof n, "%d", status);
	line_error(l, (size_t)(command.p - l->t.p), command.n,
	    E_COMMAND_STATUS, str_c(n), STR_NIL, STR_NIL);
}

/* [command]: what it writes. */
static void
include_output(struct line *l)
{
	struct str command, text;
	int status;

	if (!line_command(l, &command)) {
		skip(l);
		return;
	}
	status = include_command(l, command, l->d->does == DO_PIKTEXEC, &text);
	if (status < 0)
		return;
	/* [test -f x && cat x] includes nothing if there is no x */
	if (status > 1 || (status == 1 && (text.n > 0 ||
	    l->d->does == DO_EXEC)))
		exec_status(l, command, status);
	if (l->d->does == DO_INCLUDE || l->d->does == DO_VERBATIM)
		put_text(l, command_text(l, command, text));
}

/* Makes the file anew with the command, if that is asked for. */
static bool
renew(struct line *l, struct str path, struct str command)
{
	const struct preprocess *pp = l->x->pass->pp;
	const struct compile_world *w = pp->opt->world;
	struct str text, why = STR_EMPTY;
	int status;

	if (!pp->opt->renew)
		return true;
	status = include_command(l, command, l->d->does == DO_PIKTEXEC, &text);
	if (status < 0)
		return false;
	if (status > 0)
		exec_status(l, command, status);
	if (status > 0 || str_eq(path, STR_LIT("/dev/null")) ||
	    l->d->does == DO_PIKTEXEC || w->write(w->w, path, text, &why))
		return true;	/* what failed leaves the old file */
	line_error(l, l->at, l->len, E_WRITE, path, why, STR_NIL);
	return false;
}

/* "file" or <file>, and perhaps the [command] that makes it. */
static void
include_file(struct line *l, char close)
{
	struct preprocess *pp = l->x->pass->pp;
	const struct compile_world *w = pp->opt->world;
	size_t open = l->i - 1, line = str_find(l->t, '\n', open), end;
	struct str name, path, command = STR_NIL, text, why = STR_EMPTY;
	struct diag_item *item;
	size_t len;

	end = str_find(str_of(l->t.p, line), close, l->i);
	if (end == line) {
		line_error(l, open, 1, E_DIRECTIVE_QUOTE, str_of(l->t.p + open,
		    1), STR_NIL, STR_NIL);
		skip(l);
		return;
	}
	name = str_of(l->t.p + l->i, end - l->i);
	if (name.n == 0 || memchr(name.p, '\0', name.n) != NULL) {
		l->i = open;
		line_want(l, "a file's name");
		skip(l);
		return;
	}
	l->i = end + 1;
	len = l->i - open;
	path = path_of(l, name, close == '>');
	if (line_char(l, '[')) {
		l->i--;
		if (!line_command(l, &command)) {
			skip(l);
			return;
		}
		if (!renew(l, path, command))
			return;
	}
	if (l->d->does == DO_EXEC || l->d->does == DO_PIKTEXEC) {
		if (str_none(command)) {
			line_want(l, "a [command]");
			skip(l);
		}
		return;
	}
	if (!no_loop(l, path, open, len) || !counted(l))
		return;
	if (w == NULL) {
		line_error(l, l->at, l->len, E_INCLUDE_NONE, STR_NIL,
		    STR_NIL, STR_NIL);
		return;
	}
	if (!w->read(w->w, path, &text, &why)) {
		item = line_error(l, open, len, E_READ, path, why, STR_NIL);
		if (!str_none(command))
			diag_hint(pp->diag, item, STR_LIT("the command makes "
			    "it: picket check --renew"));
		return;
	}
	put_text(l, source_add_from(pp->src, path, text, l->x->file,
	    (uint32_t)l->at));
}

void
include_do(struct line *l)
{
	if (line_char(l, '[')) {
		l->i--;
		include_output(l);
	} else if (line_char(l, '"'))
		include_file(l, '"');
	else if (line_char(l, '<'))
		include_file(l, '>');
	else {
		line_want(l, l->d->does == DO_EXEC ||
		    l->d->does == DO_PIKTEXEC ? "a [command]" :
		    "a \"file\", a <file> or a [command]");
		skip(l);
	}
}

/* --- variables and #echo --- */

static bool
name_char(char c)
{
	return macro_letter(c) || (c >= '0' && c <= '9') || c == '_';
}

static struct environment *
changed(struct preprocess *pp, struct str name)
{
	size_t i;

	for (i = 0; i < pp->nenv; i++)
		if (str_eq(pp->env[i].name, name))
			return &pp->env[i];
	return NULL;
}

static void
change(struct preprocess *pp, struct str name, struct str value)
{
	struct environment *e = changed(pp, name);

	if (e == NULL && pp->nenv == pp->capenv) {
		pp->capenv = pp->capenv == 0 ? 8 : pp->capenv * 2;
		e = arena_alloc(pp->arena, pp->capenv * sizeof *e);
		if (pp->nenv > 0)
			memcpy(e, pp->env, pp->nenv * sizeof *e);
		pp->env = e;
		e = NULL;
	}
	if (e == NULL) {
		e = &pp->env[pp->nenv++];
		e->name = arena_dup(pp->arena, name);
	}
	e->value = value;
}

/* The variable named at i of the line; false and reported. */
static bool
variable(struct line *l, size_t i, struct str name, struct buf *out)
{
	const struct preprocess *pp = l->x->pass->pp;
	const struct compile_world *w = pp->opt->world;
	const struct environment *e = changed(l->x->pass->pp, name);
	struct str value = STR_NIL;

	if (e != NULL)
		value = e->value;
	else if (w != NULL && w->env != NULL)
		value = w->env(w->w, name);
	if (str_none(value)) {
		line_error(l, i, name.n + 1, E_ENV_UNKNOWN, name, STR_NIL,
		    STR_NIL);
		return false;
	}
	buf_str(out, value);
	return true;
}

/* The "text" at l->i, its variables put in; false and reported. */
static bool
quoted(struct line *l, struct buf *out)
{
	static const char from[] = "nt\"\\$", to[] = "\n\t\"\\$";
	size_t open, i, j, end;
	struct str t = l->t;
	const char *e;
	bool ok = true, brace;

	if (!line_char(l, '"')) {
		line_want(l, "a \"text\"");
		return false;
	}
	open = l->i - 1;
	end = str_find(t, '\n', open);
	for (i = l->i; i < end && t.p[i] != '"'; ) {
		char c = t.p[i], next = i + 1 < end ? t.p[i + 1] : '\0';

		if (c == '\\' && next != '\0' && (e = strchr(from, next)) !=
		    NULL) {
			buf_putc(out, to[e - from]);
			i += 2;
			continue;
		}
		brace = c == '$' && next == '{';
		j = i + 1 + brace;
		if (c != '$' || j >= end || !name_char(t.p[j])) {
			buf_putc(out, c);
			i++;
			continue;
		}
		while (j < end && name_char(t.p[j]))
			j++;
		if (brace && (j == end || t.p[j] != '}')) {
			buf_putc(out, c);
			i++;
			continue;
		}
		if (!variable(l, i, str_of(t.p + i + 1 + brace,
		    j - i - 1 - brace), out))
			ok = false;
		i = j + brace;
	}
	if (i == end) {
		line_error(l, open, 1, E_DIRECTIVE_QUOTE, STR_LIT("\""),
		    STR_NIL, STR_NIL);
		return false;
	}
	l->i = i + 1;
	if (out->n > LIM_ENVIRONMENT) {
		char limit[32];

		snprintf(limit, sizeof limit, "%u KiB", LIM_ENVIRONMENT >> 10);
		line_error(l, open, 1, E_ENV_BIG, str_c(limit), STR_NIL,
		    STR_NIL);
		return false;
	}
	return ok;
}

static bool
variable_name(struct line *l, struct str *name)
{
	size_t i;

	*name = line_name(l);
	for (i = 0; i < name->n && name_char(name->p[i]); i++)
		;
	if (i == name->n && i > 0 && macro_letter(name->p[0]))
		return true;
	if (name->n == 0)
		line_want(l, "the name of a variable");
	else
		line_error(l, l->i - name->n, name->n, E_ENV_NAME, *name,
		    STR_NIL, STR_NIL);
	return false;
}

static bool
set_or_echo(struct line *l, struct buf *b)
{
	struct preprocess *pp = l->x->pass->pp;
	struct str name;
	uint32_t file;

	if (!counted(l))
		return false;
	if (l->d->does == DO_ECHO) {
		if (!quoted(l, b))
			return false;
		file = source_add_from(pp->src, STR_LIT("#echo"),
		    arena_dup(pp->arena, buf_view(b)), l->x->file,
		    (uint32_t)l->at);
		pp->src->file[file].made = true;
		put_text(l, file);
		return true;
	}
	if (!variable_name(l, &name))
		return false;
	if (l->d->does == DO_UNSET) {
		change(pp, name, STR_NIL);
		return true;
	}
	if (line_over(l))
		buf_putc(b, '1');
	else {
		(void)line_char(l, '=');
		if (!quoted(l, b))
			return false;
	}
	change(pp, name, arena_dup(pp->arena, buf_view(b)));
	return true;
}

void
include_set(struct line *l)
{
	struct buf b;

	buf_init(&b, l->x->pass->pp->arena->mem);
	if (!set_or_echo(l, &b))
		skip(l);
	buf_free(&b);
}
