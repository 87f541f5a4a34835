/*
 * gentables: a manual page from its .in file.  Why: a table that the program
 * and its manual both have exists once, in a .def.
 *
 *	gentables < pikt.5.in > pikt.5
 *
 * A line "@TABLE name@" is replaced by that table in mdoc.  The lines of a
 * display behind a comment `.\" NAME: ...` are made to come out as they stand,
 * so that examples are written as they are typed (tests/man/examples.t runs
 * them).  Everything else is copied.  Runs while building and links nothing: it has the headers only.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lang/table/builtin.h"
#include "man/gentables.h"

#define LIM_LINE	4096	/* bytes: no line of a page is that long */

/* "example: NAME" and the like: the comments that examples.t knows. */
static bool
is_mark(const char *s)
{
	static const char *const marks[] = { "example:", "file:", "output:",
	    "stderr:", "shell:", "text:" };
	size_t i;

	for (i = 0; i < sizeof marks / sizeof marks[0]; i++)
		if (strncmp(s, marks[i], strlen(marks[i])) == 0)
			return true;
	return false;
}

/* --- functions --- */

static const char *
letter_name(char c)
{
	switch (c) {
	case 's': return "s";
	case 'n': return "n";
	case 'i': return "i";
	case 'x': return "x";
	case 't': return "t";
	case 'A': return "array";
	case 'F': return "HANDLE";
	case 'c': return "command";
	case 'v': return "value";
	case 'k': return "$key";
	case 'p': return "#variable";
	case 'm': return "n";
	default:
		fprintf(stderr, "gentables: unknown argument letter %c\n", c);
		exit(1);
	}
}

/* #split(s [, s [, array]]) */
static void
put_prototype(const char *name, const char *args)
{
	bool first = true, optional = false;
	unsigned open = 0;

	fputs(".It Sy ", stdout);
	put_arg(name);
	fputs(" Ns (", stdout);
	for (; *args != '\0' && *args != '^'; args++) {
		if (*args == '|') {
			optional = true;
			continue;
		}
		if (*args == '*') {
			fputs(" , Ar ...", stdout);
			continue;
		}
		if (optional) {
			fputs(first ? " Oo" : " Oo ,", stdout);
			open++;
		} else if (!first)
			fputs(" ,", stdout);
		printf(" Ar %s", letter_name(*args));
		if (*args == 'm')
			fputs(" , Ar ...", stdout);
		first = false;
	}
	while (open-- > 0)
		fputs(" Oc", stdout);
	fputs(" )\n", stdout);
}

static const struct builtin_info infos[BI_COUNT] = {
#define BI(id, names, args, ret, flags, fn, help, example, gives) \
	{ names, args, ret, flags, help, example, gives },
#include "lang/table/builtins.def"
#undef BI
};

static const struct builtin_family_info families[FAMILIES] = {
#define F(id, title, intro) { title, intro },
#include "lang/table/families.def"
#undef F
};

static const char *
note_of(int id)
{
	switch (id) {
#define N(id, text) case BI_##id: return text;
#include "lang/table/notes.def"
#undef N
	default: return NULL;
	}
}

static enum builtin_family
family_of(int id)
{
	enum builtin_family f = 0;

	/* the last row that begins at or before it */
#define S(first, family) if (BI_##first <= id) f = FAMILY_##family;
#include "lang/table/families.def"
#undef S
	return f;
}

/* Lines of a text, each as it stands. */
static void
put_lines(const char *s)
{
	char line[LIM_LINE];
	size_t n;

	for (;; s++) {
		n = strcspn(s, "\n");
		if (n >= sizeof line)
			n = sizeof line - 1;
		memcpy(line, s, n);
		line[n] = '\0';
		put_verbatim(line);
		putchar('\n');
		s += n;
		if (*s == '\0')
			break;
	}
}

static void
function(int id)
{
	const struct builtin_info *b = &infos[id];
	const char *names = b->names, *note = note_of(id);
	char name[64];
	bool more = false;

	(void)word(&names, name, sizeof name);
	put_prototype(name, b->args);
	while (word(&names, name, sizeof name)) {
		fputs(more ? " ,\n.Sy " : "Also\n.Sy ", stdout);
		put_arg(name);
		more = true;
	}
	if (more)
		fputs(" :\n", stdout);
	put_sentence(b->help, !more);
	if (note != NULL)
		put_sentence(note, false);
	if (*b->example == '\0')
		return;
	/* a program begins with a letter, an expression does not */
	if (!alnum(*b->example)) {
		fputs(".Dl ", stdout);
		put_arg(b->example);
		fputs(" No \\(-> ", stdout);
		put_arg(b->gives);
		putchar('\n');
		return;
	}
	puts(".Bd -literal -offset indent -compact");
	put_lines(b->example);
	puts(".Ed\nprints\n.Bd -literal -offset indent -compact");
	put_lines(b->gives);
	puts(".Ed");
}

static void
functions(void)
{
	int f, i;

	for (f = 0; f < FAMILIES; f++) {
		printf(".Ss %s\n", families[f].title);
		put_prose(families[f].intro);
		puts("\n.Bl -tag -width Ds");
		for (i = 0; i < BI_COUNT; i++)
			if (family_of(i) == (enum builtin_family)f)
				function(i);
		puts(".El");
	}
}

/* Their names only, for the page about the language. */
static void
function_names(void)
{
	const char *names;
	char name[64];
	int f, i;

	puts(".Bl -tag -width Ds");
	for (f = 0; f < FAMILIES; f++) {
		printf(".It %s\n", families[f].title);
		for (i = 0; i < BI_COUNT; i++) {
			if (family_of(i) != (enum builtin_family)f)
				continue;
			for (names = infos[i].names; word(&names, name,
			    sizeof name); )
				puts(name);
		}
	}
	puts(".El");
}

/* --- words --- */

static void
keywords(void)
{
	enum { SECTION, INIT, STMT, CLOSE, WORD, OPER, CLAUSE };
	static const struct { const char *word; int class; } all[] = {
#define KW(token, word, class) { word, class },
#include "lang/table/keywords.def"
#undef KW
	};
	const char *words[sizeof all / sizeof all[0]];
	size_t i, k, n = 0, order[512];

	for (i = 0; i < sizeof all / sizeof all[0]; i++)
		if (all[i].class != CLAUSE)	/* reserved nowhere else */
			words[n++] = all[i].word;

	/* by the alphabet: whoever looks for one knows its name */
	for (i = 0; i < n; i++) {
		for (k = i; k > 0 && strcmp(words[order[k - 1]], words[i]) > 0;
		    k--)
			order[k] = order[k - 1];
		order[k] = i;
	}
	for (i = 0; i < n; i++)
		puts(words[order[i]]);
}

/* --- programs whose arguments are programs --- */

static void
interpreters(void)
{
	static const char *const rows[] = {
#define PROG(names, lang, code, lcode, value, lvalue, file, attached, oper, \
	    flags) names,
#include "lang/table/interpreters.def"
	};
	size_t i;

	for (i = 0; i < sizeof rows / sizeof rows[0]; i++)
		puts(rows[i]);
}

static void
wrappers(void)
{
	static const char *const rows[] = {
#define WRAP(names, value, lvalue, skip, flags) names,
#include "lang/table/interpreters.def"
	};
	size_t i;

	for (i = 0; i < sizeof rows / sizeof rows[0]; i++)
		puts(rows[i]);
}

/* --- the machine --- */

struct op {
	const char *name, *shape, *meaning;
};
static const struct op ops[] = {
#define OP(name, shape, meaning) { #name, shape, meaning },
#include "lang/table/opcodes.def"
#undef OP
};

/* A B k, and the words behind, from the shape. */
static void
put_operands(const char *shape)
{
	static const char *const place[] = { "A", "B", "C" };
	bool jump = strchr(shape, '?') != NULL;
	bool ext = strchr(shape, '+') != NULL;
	size_t at = 0;

	for (; *shape != '\0'; shape++) {
		if (*shape == '?' || *shape == '+')
			continue;
		if (*shape == '-') {
			at++;
			continue;
		}
		if (*shape == 'k')
			fputs(" Ar k", stdout);
		else if (*shape == 'q')
			fputs(" Ar B C", stdout);
		else if (strchr("JR", *shape) != NULL)
			fputs(" Ar \\&Ax", stdout);
		else if (strchr("KLDEIMFGH", *shape) != NULL)
			fputs(" Ar \\&Bx", stdout);
		else
			printf(" Ar %s", place[at]);
		at++;
	}
	if (ext)
		fputs(" Cm EXT", stdout);
	if (jump)
		fputs(" Cm JMP", stdout);
}

static void
opcodes(void)
{
	size_t i;

	for (i = 0; i < sizeof ops / sizeof ops[0]; i++) {
		printf(".It Cm %s", ops[i].name);
		put_operands(ops[i].shape);
		putchar('\n');
		put_sentence(ops[i].meaning, false);
	}
}

static void
opcode_count(void)
{
	printf("%zu\n", sizeof ops / sizeof ops[0]);
}

/* --- directives --- */

/* ".It Ic #define Ar NAME": words of args in capitals are its arguments. */
static void
directive(const char *words, const char *args, const char *help)
{
	char w[64];
	bool more = false;

	while (word(&words, w, sizeof w)) {
		printf("%s \"#%s\"", more ? " , Ic" : ".It Ic", w);
		more = true;
	}
	while (word(&args, w, sizeof w)) {
		fputs(strcmp(w, "or") == 0 ? " No " :
		    strcmp(w, "=") == 0 ? " Li " : " Ar ", stdout);
		put_arg(w);
	}
	putchar('\n');
	put_sentence(help, true);
}

static void
directives(void)
{
	puts(".Bl -tag -width Ds");
#define DIR(id, words, does, family, args, help) directive(words, args, help);
#include "lang/table/directives.def"
#undef DIR
	puts(".El");
}

/* --- native tables --- */

static void
table_args(const char *args)
{
	bool some = false, optional = strchr(args, '|') != NULL;

	if (*args == '\0')
		return;
	fputs(" \"(", stdout);
	for (; *args != '\0'; args++) {
		if (*args == '|') {
			fputs(" [", stdout);
			continue;
		}
		printf("%s%s", some ? ", " : "",
		    *args == 's' ? "string" : "integer");
		some = true;
	}
	printf("%s)\"", optional ? "]" : "");
}

static void
native_tables(void)
{
	bool first = true;

#define T(id, name, args, help) \
	if (!first) \
		puts(".El"); \
	first = false; \
	fputs(".Ss " #name "\n.Ic input table " #name, stdout); \
	table_args(args); \
	puts("\n.Pp"); \
	put_sentence(help, true); \
	puts(".Bl -tag -width Ds");
#define C(id, name, sigil, help) \
	printf(".It Va \"%c%s\"\n", sigil, #name); \
	put_sentence(help, true);
#include "lang/table/tables.def"
	puts(".El");
}

/* --- the files of a site --- */

/* The arguments of a keyword: names in capitals, the rest as it is typed. */
static void
config_row(const char *word_, const char *args, const char *help)
{
	printf(".It Ic %s", word_);
	if (*args != '\0') {
		fputs(" Ar ", stdout);
		put_arg(args);
	}
	putchar('\n');
	put_sentence(help, false);
}

static void
config_files(void)
{
#define CF(id, name, help) printf(".It Pa %s\n", name); put_sentence(help, false);
#include "lang/table/config.def"
#undef CF
}

static void
config_systems(void)
{
#define CS(id, word, args, help) config_row(word, args, help);
#include "lang/table/config.def"
#undef CS
}

/* The words of rule tests: what is typed, with its arguments. */
static void
test_words(void)
{
#define TW(id, word, args, help, example) \
	config_row(word, args, help); \
	fputs(".Dl ", stdout); put_arg(example); putchar('\n');
#include "lang/table/tests.def"
#undef TW
}

static void
test_kinds(void)
{
#define TX(id, word, lines, help) \
	printf(".It Ic %s\n", word); put_sentence(help, false);
#include "lang/table/tests.def"
#undef TX
}

static void
test_facts(void)
{
	static const struct { const char *word; bool key; } all[] = {
#define TF(id, word, key) { word, key },
#include "lang/table/tests.def"
#undef TF
	};
	unsigned key;
	size_t i;

	for (key = 0; key < 2; key++) {
		if (key > 0)
			puts(".Pp");
		for (i = 0; i < sizeof all / sizeof all[0]; i++)
			if (all[i].key == (key > 0))
				puts(all[i].word);
	}
}

static void
config_alerts(void)
{
#define CA(id, word, kind, args, help) config_row(word, args, help);
#include "lang/table/config.def"
#undef CA
}

static void
config_install(void)
{
#define CP(id, word, args, help) config_row(word, args, help);
#include "lang/table/config.def"
#undef CP
}

/* --- the command line --- */

enum command_bit {
#define C(id, name, args, help) CMD_##id,
#include "engine/cli/commands.def"
#undef C
	CMD_COUNT
};
#define ON(id)	(1u << CMD_##id)
#define ON_ALL	0xffffu
#define ON_CONTROL (ON(STATUS) | ON(RELOAD) | ON(RUNNOW) | ON(PAUSE) | \
	ON(RESUME) | ON(DISARM) | ON(ARM))

static void
option(char letter, const char *name, const char *arg, const char *help)
{
	fputs(".It ", stdout);
	if (letter != 0)
		printf("Fl %c%s%s , ", letter, arg != NULL ? " Ar " : "",
		    arg != NULL ? arg : "");
	printf("Fl Fl %s", name);
	if (arg != NULL)
		printf("%s Ar %s", *arg == '[' ? " Ns" : "", arg);
	putchar('\n');
	put_sentence(help, true);
}

/* What every command takes that compiles. */
#define ON_SOURCES	(ON(CHECK) | ON(RUN) | ON(COMPILE) | ON(DISASM))

static void
options_of(unsigned bit)
{
	puts(".Bl -tag -width Ds");
#define O(id, letter, name, arg, on, help) \
	if ((on) == ON_ALL) \
		; \
	else if (bit == ON_SOURCES ? ((on) & ON_SOURCES) == ON_SOURCES : \
	    ((on) & ON_SOURCES) != ON_SOURCES && ((on) & bit)) \
		option(letter, name, arg, help);
#include "engine/cli/commands.def"
#undef O
	puts(".El");
}

static void
options_all(void)
{
	puts(".Bl -tag -width Ds");
#define O(id, letter, name, arg, on, help) \
	if ((on) == ON_ALL) option(letter, name, arg, help);
#include "engine/cli/commands.def"
#undef O
	puts(".El");
}

static void options_fmt(void) { options_of(ON(FMT)); }
static void options_list(void) { options_of(ON(LIST)); }
static void options_check(void) { options_of(ON(CHECK)); }
static void options_test(void) { options_of(ON(TEST)); }
static void options_run(void) { options_of(ON(RUN)); }
static void options_replay(void) { options_of(ON(REPLAY)); }
static void options_compile(void) { options_of(ON(COMPILE)); }
static void options_disasm(void) { options_of(ON(DISASM)); }
static void options_doc(void) { options_of(ON(DOC)); }
static void options_incidents(void) { options_of(ON(INCIDENTS)); }
static void options_explain(void) { options_of(ON(EXPLAIN)); }
static void options_now(void) { options_of(ON(NOW)); }
static void options_learn(void) { options_of(ON(LEARN)); }
static void options_why(void) { options_of(ON(WHY)); }
static void options_ack(void) { options_of(ON(ACK)); }
static void options_silence(void) { options_of(ON(SILENCE)); }
static void options_unsilence(void) { options_of(ON(UNSILENCE)); }
static void options_silences(void) { options_of(ON(SILENCES)); }
static void options_control(void) { options_of(ON_CONTROL); }
static void options_outbox(void) { options_of(ON(OUTBOX)); }
static void options_deliver(void) { options_of(ON(DELIVER)); }
static void options_mailtest(void) { options_of(ON(MAILTEST)); }
static void options_sources(void) { options_of(ON_SOURCES); }

/* --- the page --- */

static const struct {
	const char *name;
	void (*make)(void);
} tables[] = {
	{ "functions", functions },
	{ "function_names", function_names },
	{ "keywords", keywords },
	{ "interpreters", interpreters },
	{ "wrappers", wrappers },
	{ "directives", directives },
	{ "opcodes", opcodes },
	{ "opcode_count", opcode_count },
	{ "conf_keys", conf_keys },
	{ "conf_transports", conf_transports },
	{ "conf_options", conf_options },
	{ "conf_rules", conf_rules },
	{ "conf_daemon", conf_daemon },
	{ "control_requests", control_requests },
	{ "http_paths", http_paths },
	{ "log_levels", log_levels },
	{ "conf_when", conf_when },
	{ "conf_route", conf_route },
	{ "conf_heartbeat", conf_heartbeat },
	{ "conf_emergency", conf_emergency },
	{ "conf_templates", conf_templates },
	{ "config_files", config_files },
	{ "config_systems", config_systems },
	{ "config_alerts", config_alerts },
	{ "config_install", config_install },
	{ "native_tables", native_tables },
	{ "test_words", test_words },
	{ "test_kinds", test_kinds },
	{ "test_facts", test_facts },
	{ "options_all", options_all },
	{ "options_list", options_list },
	{ "options_check", options_check },
	{ "options_fmt", options_fmt },
	{ "options_run", options_run },
	{ "options_test", options_test },
	{ "options_replay", options_replay },
	{ "options_compile", options_compile },
	{ "options_disasm", options_disasm },
	{ "options_doc", options_doc },
	{ "options_incidents", options_incidents },
	{ "options_explain", options_explain },
	{ "options_now", options_now },
	{ "options_learn", options_learn },
	{ "options_why", options_why },
	{ "options_ack", options_ack },
	{ "options_silence", options_silence },
	{ "options_unsilence", options_unsilence },
	{ "options_silences", options_silences },
	{ "options_control", options_control },
	{ "options_outbox", options_outbox },
	{ "options_deliver", options_deliver },
	{ "options_mailtest", options_mailtest },
	{ "options_sources", options_sources },
};

static bool
table(const char *line)
{
	size_t i, n;

	for (i = 0; i < sizeof tables / sizeof tables[0]; i++) {
		n = strlen(tables[i].name);
		if (strncmp(line, tables[i].name, n) == 0 &&
		    strcmp(line + n, "@\n") == 0) {
			tables[i].make();
			return true;
		}
	}
	return false;
}

int
main(void)
{
	static const char mark[] = "@TABLE ";
	char line[LIM_LINE];
	enum { COPY, MARKED, VERBATIM } state = COPY;

	while (fgets(line, sizeof line, stdin) != NULL) {
		if (strncmp(line, ".Ed", 3) == 0)
			state = COPY;
		if (state == VERBATIM) {
			put_verbatim(line);
			continue;
		}
		if (strncmp(line, ".\\\" ", 4) == 0 && is_mark(line + 4))
			state = MARKED;
		else if (state == MARKED && strncmp(line, ".Bd", 3) == 0)
			state = VERBATIM;
		if (strncmp(line, mark, sizeof mark - 1) != 0)
			fputs(line, stdout);
		else if (!table(line + sizeof mark - 1)) {
			fprintf(stderr, "gentables: no such table: %s", line);
			return 1;
		}
	}
	return ferror(stdin) || fflush(stdout) != 0 || ferror(stdout) ? 1 : 0;
}
