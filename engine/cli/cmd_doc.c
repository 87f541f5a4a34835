/* cmd_doc: functions, words and directives by name, for people at a shell. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "lang/table/doc.h"
#include "lang/table/tables.h"
#include "engine/cli/doc_script.h"

#define WIDTH		78	/* columns of a line: a terminal's 80 */
#define INDENT		4
#define COLUMN		26	/* where a column's help begins */
#define NEAR		4	/* names that are offered for an unknown one */
#define SHOWN		60	/* bytes of that one in the message */
#define SCRIPTS		"Bundled scripts"

struct page {
	struct buf	 b;
	bool		 colour;
};

static void
bold(struct page *p, struct str s)
{
	if (p->colour)
		buf_puts(&p->b, "\033[1m");
	buf_str(&p->b, s);
	if (p->colour)
		buf_puts(&p->b, "\033[0m");
}

static void
spaces(struct page *p, size_t n)
{
	while (n-- > 0)
		buf_putc(&p->b, ' ');
}

/* Prose, wrapped; begins at column `at`. */
static void
wrap(struct page *p, struct str s, size_t indent, size_t at)
{
	size_t i, n;

	for (i = 0; i < s.n; i += n + 1) {
		n = str_find(s, ' ', i) - i;
		if (at > indent && at + 1 + n > WIDTH) {
			buf_putc(&p->b, '\n');
			at = 0;
		}
		if (at < indent) {
			spaces(p, indent - at);
			at = indent;
		} else if (at > indent) {
			buf_putc(&p->b, ' ');
			at++;
		}
		buf_add(&p->b, s.p + i, n);
		at += n;
	}
	buf_putc(&p->b, '\n');
}

/* Lines as they stand. */
static void
block(struct page *p, const char *text, size_t indent)
{
	struct str s = str_c(text);
	size_t at, end;

	for (at = 0; at <= s.n; at = end + 1) {
		end = str_find(s, '\n', at);
		if (end > at)
			spaces(p, indent);
		buf_add(&p->b, s.p + at, end - at);
		buf_putc(&p->b, '\n');
	}
}

/* "the number ..." as a sentence of its own. */
static void
sentence(struct page *p, const char *text)
{
	struct buf b;

	buf_init(&b, p->b.mem);
	buf_puts(&b, text);
	/* not "e to the power", not $format */
	if (b.n > 1 && b.p[0] >= 'a' && b.p[0] <= 'z' && b.p[1] != ' ')
		b.p[0] = (char)(b.p[0] - 'a' + 'A');
	if (b.n > 0 && b.p[b.n - 1] != '.')
		buf_putc(&b, '.');
	wrap(p, buf_view(&b), INDENT, 0);
	buf_free(&b);
}

static void
synonyms(struct page *p, size_t i)
{
	struct str s;
	size_t k;

	for (k = 1; !str_none(s = doc_name(i, k)); k++) {
		buf_puts(&p->b, k == 1 ? "    Also: " : ", ");
		if (doc_get(i).kind == DOC_DIRECTIVE)
			buf_putc(&p->b, '#');
		buf_str(&p->b, s);
	}
	if (k > 1)
		buf_putc(&p->b, '\n');
}

static void
columns(struct page *p, const struct table_info *t)
{
	const struct column_info *k;
	struct buf b;
	size_t i, n;

	buf_puts(&p->b, "\n    Columns:\n");
	buf_init(&b, p->b.mem);
	for (i = t->first; i < t[1].first; i++) {
		k = &column_info[i];
		buf_clear(&b);
		buf_printf(&b, "%c%s", k->sigil, k->name);
		n = b.n;
		spaces(p, 2 * INDENT);
		bold(p, buf_view(&b));
		wrap(p, str_c(k->help), COLUMN, 2 * INDENT + n < COLUMN ?
		    2 * INDENT + n : COLUMN);
	}
	buf_free(&b);
}

/* A choice too long for a line: each of its forms on one of its own. */
static void
signature(size_t i, struct buf *b)
{
	struct buf whole;
	const char *s, *bar;

	buf_init(&whole, b->mem);
	doc_signature(i, &whole);
	s = buf_c(&whole);
	while (whole.n > WIDTH && (bar = strstr(s, " | ")) != NULL) {
		buf_add(b, s, (size_t)(bar - s));
		buf_puts(b, "\n    | ");
		s = bar + 3;
	}
	buf_puts(b, s);
	buf_free(&whole);
}

/* How a script gets at a table. */
static void
use(struct page *p, const struct table_info *t)
{
	const struct column_info *k = &column_info[t->first];
	struct buf b;

	buf_init(&b, p->b.mem);
	buf_printf(&b, "To use it: input table %s%s, and each column is a "
	    "variable of the rules: %c%s.", t->name, *t->args == '\0' ? "" :
	    "(...)", k->sigil, k->name);
	if (table_single((enum table_id)(t - table_info)))
		buf_printf(&b, " Or one value: %ccolumn(\"%s\", \"%s\").",
		    k->sigil, t->name, k->name);
	buf_putc(&p->b, '\n');
	wrap(p, buf_view(&b), INDENT, 0);
	buf_free(&b);
}

static void
entry(struct page *p, size_t i)
{
	struct doc d = doc_get(i);
	struct buf b;

	buf_init(&b, p->b.mem);
	signature(i, &b);
	bold(p, buf_view(&b));
	buf_free(&b);
	if (d.kind == DOC_FUNCTION)
		buf_printf(&p->b, " gives a %s",
		    builtin_info[d.id].ret == '#' ? "number" : "string");
	buf_putc(&p->b, '\n');
	synonyms(p, i);
	sentence(p, d.help);
	if (d.note != NULL)
		wrap(p, str_c(d.note), INDENT, 0);
	if (d.kind == DOC_TABLE) {
		columns(p, &table_info[d.id]);
		use(p, &table_info[d.id]);
	}
	if (*d.example == '\0')
		return;
	buf_puts(&p->b, "\n    Example:\n");
	block(p, d.example, 2 * INDENT);
	buf_puts(&p->b, d.program ? "    prints:\n" : "    gives:\n");
	block(p, d.gives, 2 * INDENT);
}

/* The names of one group, on a few lines; false if it has none. */
static bool
group(struct page *p, enum doc_kind kind, const char *title)
{
	bool some = false;
	struct buf b;
	struct doc d;
	size_t i;

	buf_init(&b, p->b.mem);
	for (i = 0; i < doc_count(); i++) {
		d = doc_get(i);
		if (d.kind != kind || strcmp(d.group, title) != 0)
			continue;
		if (some)
			buf_putc(&b, ' ');
		buf_str(&b, doc_name(i, 0));
		some = true;
	}
	if (some) {
		bold(p, str_c(title));
		buf_putc(&p->b, '\n');
		wrap(p, buf_view(&b), INDENT, 0);
	}
	buf_free(&b);
	return some;
}

/* --- the bundled scripts --- */

/* Its comment; what stands at the left margin is a heading. */
static void
script_page(struct page *p, struct str text, struct str name)
{
	struct str line;
	size_t at, end;

	for (at = 0; at < text.n; at = end + 1) {
		end = str_find(text, '\n', at);
		line = str_of(text.p + at, end - at);
		if (line.n > 0 && line.p[0] != ' ' && line.p[0] != '\t')
			bold(p, line);
		else
			buf_str(&p->b, line);
		buf_putc(&p->b, '\n');
	}
	buf_printf(&p->b, "\nTo use it\n    name it in alerts.cfg: alarms %.*s;"
	    " to try it: picket run -n %.*s\n", (int)name.n, name.p,
	    (int)name.n, name.p);
}

static json_t *
script_json(struct str page, struct str name)
{
	struct str help = doc_script_help(page, name);
	json_t *o = json_object(), *names = json_array();

	json_array_append_new(names, json_stringn(name.p, name.n));
	json_object_set_new(o, "kind", json_string("script"));
	json_object_set_new(o, "names", names);
	json_object_set_new(o, "group", json_string(SCRIPTS));
	json_object_set_new(o, "help", json_stringn(help.p, help.n));
	json_object_set_new(o, "page", json_stringn(page.p, page.n));
	return o;
}

static bool
mentions(struct str page, struct str word)
{
	size_t i;

	for (i = 0; i + word.n <= page.n; i++)
		if (strncasecmp(page.p + i, word.p, word.n) == 0)
			return true;
	return false;
}

/* Those that are wanted; how many. */
static size_t
scripts(struct cli *c, struct page *p, json_t *list, const char *name,
    const char *search)
{
	const struct site_bundled *b;
	size_t i, n, found = 0;
	struct str help;
	struct buf page;

	buf_init(&page, &c->mem);
	if (!cli_bundled(c, &b, &n))
		n = 0;
	for (i = 0; i < n; i++) {
		if ((name != NULL && !str_eq(b[i].name, str_c(name))) ||
		    !doc_script(c, &b[i], &page) || (search != NULL &&
		    !mentions(buf_view(&page), str_c(search))))
			continue;
		help = doc_script_help(buf_view(&page), b[i].name);
		found++;
		if (list != NULL)
			json_array_append_new(list, script_json(
			    buf_view(&page), b[i].name));
		else if (search != NULL || name == NULL) {
			bold(p, b[i].name);
			wrap(p, help, 24, b[i].name.n < 24 ? b[i].name.n : 24);
		} else {
			if (p->b.n > 0)
				buf_putc(&p->b, '\n');
			script_page(p, buf_view(&page), b[i].name);
		}
	}
	buf_free(&page);
	return found;
}

static void
overview(struct cli *c, struct page *p)
{
	struct doc d, q;
	size_t i, k;

	for (i = 0; i < FAMILIES; i++)
		(void)group(p, DOC_FUNCTION, builtin_family_info[i].title);
	/* each other group where its first entry stands */
	for (i = BI_COUNT; i < doc_count(); i++) {
		d = doc_get(i);
		for (k = BI_COUNT; k < i; k++) {
			q = doc_get(k);
			if (strcmp(q.group, d.group) == 0)
				break;
		}
		if (k == i)
			(void)group(p, d.kind, d.group);
	}
	bold(p, STR_LIT(SCRIPTS));
	buf_putc(&p->b, '\n');
	(void)scripts(c, p, NULL, NULL, NULL);
	buf_puts(&p->b, "\n`picket doc NAME` shows one of them, also without "
	    "its # or $;\n`picket doc -k WORD` looks for a word.\n");
}

/* One line an entry. */
static void
line(struct page *p, size_t i)
{
	struct buf b;
	size_t n;

	buf_init(&b, p->b.mem);
	buf_str(&b, doc_name(i, 0));
	n = b.n;
	bold(p, buf_view(&b));
	buf_free(&b);
	wrap(p, str_c(doc_get(i).help), 20, n < 20 ? n : 20);
}

/* --- as JSON --- */

static json_t *
columns_json(const struct table_info *t)
{
	json_t *list = json_array(), *o;
	size_t i;
	char name[100];

	for (i = t->first; i < t[1].first; i++) {
		snprintf(name, sizeof name, "%c%s", column_info[i].sigil,
		    column_info[i].name);
		o = json_object();
		json_object_set_new(o, "name", json_string(name));
		json_object_set_new(o, "help",
		    json_string(column_info[i].help));
		json_array_append_new(list, o);
	}
	return list;
}

static json_t *
entry_json(size_t i, struct mem *m)
{
	static const char *const kind[DOC_KINDS] = { "function", "word",
	    "directive", "table" };
	struct doc d = doc_get(i);
	json_t *o = json_object(), *names = json_array();
	struct buf b;
	struct str s;
	size_t k;

	buf_init(&b, m);
	doc_signature(i, &b);
	json_object_set_new(o, "kind", json_string(kind[d.kind]));
	json_object_set_new(o, "signature", json_string(buf_c(&b)));
	buf_free(&b);
	for (k = 0; !str_none(s = doc_name(i, k)); k++)
		json_array_append_new(names, json_stringn(s.p, s.n));
	json_object_set_new(o, "names", names);
	json_object_set_new(o, "group", json_string(d.group));
	if (d.kind == DOC_FUNCTION) {
		json_object_set_new(o, "arguments",
		    json_stringn(builtin_info[d.id].args,
		    strcspn(builtin_info[d.id].args, "^")));
		json_object_set_new(o, "returns", json_string(
		    builtin_info[d.id].ret == '#' ? "number" : "string"));
	}
	if (d.kind == DOC_TABLE)
		json_object_set_new(o, "columns",
		    columns_json(&table_info[d.id]));
	json_object_set_new(o, "help", json_string(d.help));
	if (d.note != NULL)
		json_object_set_new(o, "note", json_string(d.note));
	json_object_set_new(o, "example", json_string(d.example));
	json_object_set_new(o, "program", json_boolean(d.program));
	json_object_set_new(o, "gives", json_string(d.gives));
	return o;
}

static bool
print_json(json_t *list)
{
	json_t *o = json_object();
	char *text;
	bool ok;

	json_object_set_new(o, "entries", list);
	text = json_dumps(o, JSON_INDENT(2));
	json_decref(o);
	ok = text != NULL && cli_write(1, str_c(text)) &&
	    cli_write(1, STR_LIT("\n"));
	free(text);
	return ok;
}

/* --- the command --- */

static struct str
bare(struct str s)
{
	if (s.n > 0 && (s.p[0] == '#' || s.p[0] == '$'))
		return str_of(s.p + 1, s.n - 1);
	return s;
}

/* Says so, with the names that are nearest. */
static void
unknown(struct cli *c, const char *name)
{
	struct str want = bare(str_c(name)), s;
	/* a short word with two edits is another word */
	unsigned least = want.n < 6 ? 2 + (unsigned)want.n / 3 : 4, d;
	struct buf near, shown;
	size_t i, k, n = 0;

	if (want.n == 0) {
		cli_say("doc: an empty name; did the shell take a $name away? "
		    "leave out its $, or quote it");
		return;
	}
	buf_init(&near, &c->mem);
	buf_init(&shown, &c->mem);
	buf_escaped(&shown, str_c(name), SHOWN);
	for (i = 0; i < doc_count(); i++)
		for (k = 0; !str_none(s = doc_name(i, k)); k++) {
			d = str_distance(want, bare(s), least);
			if (d > least || (d == least && n == 0) ||
			    (d == least && n == NEAR))
				continue;
			if (d < least) {
				least = d;
				buf_clear(&near);
				n = 0;
			}
			buf_printf(&near, "%s%.*s", n++ == 0 ? "" : ", ",
			    (int)s.n, s.p);
		}
	if (n > 0)
		cli_say("doc: nothing is called %s; did you mean %s?",
		    buf_c(&shown), buf_c(&near));
	else
		cli_say("doc: nothing is called %s (picket doc -k WORD looks "
		    "for a word)", buf_c(&shown));
	buf_free(&near);
	buf_free(&shown);
}

/* Every entry that is wanted, in the order of the tables. */
static size_t
show(struct page *p, json_t *list, const char *name, const char *search)
{
	size_t i, found = 0;

	for (i = 0; i < doc_count(); i++) {
		if (search != NULL ? !doc_mentions(i, str_c(search)) :
		    name != NULL && !doc_is(i, str_c(name)))
			continue;
		if (list != NULL)
			json_array_append_new(list, entry_json(i, p->b.mem));
		else if (search != NULL || (strcmp(name, "tables") == 0 &&
		    doc_get(i).kind == DOC_TABLE))
			line(p, i);
		else {
			if (p->b.n > 0)
				buf_putc(&p->b, '\n');
			entry(p, i);
		}
		found++;
	}
	return found;
}

/* By its name; of several words, as "input table processes", by the rest of
 * them that is one. */
static bool
found(struct cli *c, struct page *p, json_t *list, const char *name)
{
	while (show(p, list, name, NULL) + scripts(c, p, list, name, NULL) ==
	    0) {
		name += strcspn(name, " ");
		if (*name == '\0')
			return false;
		name++;
	}
	return true;
}

int
cmd_doc(struct cli *c)
{
	const char *search = c->value[OPT_SEARCH];
	json_t *list = c->given[OPT_JSON] ? json_array() : NULL;
	int r = EXIT_FINE;
	struct page p;
	size_t i;

	if (search != NULL && c->narg > 0) {
		cli_say("doc: -k WORD or NAME, not both");
		return EXIT_USAGE;
	}
	p.colour = c->colour_out;
	buf_init(&p.b, &c->mem);
	if (search != NULL) {
		if (show(&p, list, NULL, search) +
		    scripts(c, &p, list, NULL, search) == 0) {
			cli_say("doc: nothing mentions it");
			r = EXIT_PROBLEMS;
		}
	} else if (c->narg == 0 && list == NULL)
		overview(c, &p);
	else if (c->narg == 0) {
		(void)show(&p, list, NULL, NULL);
		(void)scripts(c, &p, list, NULL, NULL);
	}
	for (i = 0; i < c->narg; i++)
		if (!found(c, &p, list, c->arg[i])) {
			unknown(c, c->arg[i]);
			r = EXIT_PROBLEMS;
		}
	if (list != NULL ? !print_json(list) : !cli_write(1, buf_view(&p.b)))
		r = EXIT_PROBLEMS;
	buf_free(&p.b);
	return r;
}
