/*
 * objects.cfg: sets of lines.  programs.cfg and files.cfg: what is to be
 * installed.  In both the text behind a name is a person's own, line by line.
 */
#include "lang/config/config.h"

#include <stdio.h>

void
objects_read(struct config *c)
{
	struct site_object *o;
	struct map where;
	struct map_entry *e;
	struct stanza st;
	struct str line;
	uint32_t pos;
	bool is_new;

	map_init(&where, c->arena);
	while (config_stanza(c, &st)) {
		if (!config_name(c, st.name, st.span))
			continue;
		e = map_put(&where, st.name, &is_new);
		if (!is_new) {
			config_twice(c, st.span, E_CONF_DUP, STR_LIT("object "
			    "set"), st.name, (struct span){
			    (uint32_t)e->v.num, 1 });
			continue;
		}
		e->v.num = st.span.at;
		o = arena_zalloc(c->arena, sizeof *o);
		for (pos = st.from; config_line(c, &st, &pos, &line); )
			o->n++;
		o->line = arena_alloc(c->arena, (o->n + 1) * sizeof *o->line);
		o->n = 0;
		for (pos = st.from; config_line(c, &st, &pos, &line); )
			o->line[o->n++] = arena_dup(c->arena, line);
		map_put(&c->site->object, st.name, &is_new)->v.ptr = o;
	}
}

enum install { PATH, MODE, UID, GID, INSTALLS };

static const char *const keyword[INSTALLS] = {
#define CP(id, word, arg, meaning) word,
#include "lang/table/config.def"
#undef CP
};

/* Digits of a base only, and no more than the largest value. */
static bool
number(struct str s, unsigned base, double max)
{
	double v = 0;
	size_t i;

	for (i = 0; i < s.n; i++) {
		if (s.p[i] < '0' || s.p[i] >= (char)('0' + base))
			return false;
		v = v * base + (s.p[i] - '0');
		if (v > max)
			return false;
	}
	return s.n > 0;
}

static void
bad_value(struct config *c, struct config_word *w, enum install k)
{
	static const char *const wants[INSTALLS] = { "an absolute path",
	    "a mode: octal digits up to 7777", "a user's number",
	    "a group's number" };

	diag_at(c->diag, w->span, E_CONF_VALUE, w->text, str_c(wants[k]),
	    STR_NIL);
}

static bool
good_value(const struct config_word *w, enum install k)
{
	switch (k) {
	case PATH:
		return w->text.n > 1 && w->text.p[0] == '/';
	case MODE:
		return number(w->text, 8, 07777);
	default:
		return number(w->text, 10, 4294967294.0);
	}
}

/*
 * path, mode, uid and gid stand behind the name, or as the first words of
 * the lines after it; the first line that begins otherwise is the body's.
 */
static void
install(struct config *c, const struct stanza *st, bool is_files)
{
	bool given[INSTALLS] = { false };
	struct config_word w, value;
	uint32_t pos = st->from, before;
	unsigned k;

	for (;;) {
		before = pos;
		/* a body's quotes are its own */
		while (before < st->to && strchr(" \t\r\n",
		    c->src->text.p[before]) != NULL)
			before++;
		if (before == st->to || c->src->text.p[before] == '"' ||
		    c->src->text.p[before] == '\'')
			break;
		if (!config_word(c, st, &pos, &w))
			break;
		for (k = 0; k < INSTALLS; k++)
			if (str_eq(w.text, str_c(keyword[k])))
				break;
		if (k == INSTALLS) {
			/* on the name's own line a word must be known */
			if (!w.first && !str_starts(w.text, "#!"))
				config_unknown(c, w.span, E_CONF_WORD, w.text,
				    str_c(c->file), keyword, INSTALLS);
			break;
		}
		if (given[k])
			diag_at(c->diag, w.span, E_CONF_ITEM_DUP, w.text,
			    st->name, STR_NIL);
		given[k] = true;
		if (!config_word(c, st, &pos, &value) || value.first) {
			diag_at(c->diag, w.span, E_CONF_EMPTY, w.text,
			    STR_NIL, STR_NIL);
			break;
		}
		if (!good_value(&value, (enum install)k))
			bad_value(c, &value, (enum install)k);
	}
	if (is_files && !given[PATH] && st->name.p[0] != '/')
		diag_at(c->diag, st->span, E_FILE_PATH, st->name, STR_NIL,
		    STR_NIL);
}

void
install_read(struct config *c, bool is_files)
{
	struct map where;
	struct map_entry *e;
	struct stanza st;
	bool is_new;

	map_init(&where, c->arena);
	while (config_stanza(c, &st)) {
		/* a file may be called by its path */
		if ((!is_files || st.name.p[0] != '/') &&
		    !config_name(c, st.name, st.span))
			continue;
		e = map_put(&where, st.name, &is_new);
		if (is_new)
			e->v.num = st.span.at;
		else
			config_twice(c, st.span, E_CONF_DUP, is_files ?
			    STR_LIT("file") : STR_LIT("program"), st.name,
			    (struct span){ (uint32_t)e->v.num, 1 });
		install(c, &st, is_files);
	}
}
