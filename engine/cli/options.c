/* options: the command line, by commands.def. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lang/table/doc.h"
#include "engine/cli/cli.h"
#include "engine/deliver/words.h"

#define HELP_WIDTH	80	/* columns of a terminal */
#define ON(id)	(1u << CMD_##id)
#define ON_ALL	0xffffffffu
#define ON_CONTROL (ON(STATUS) | ON(RELOAD) | ON(RUNNOW) | ON(PAUSE) | \
	ON(RESUME) | ON(DISARM) | ON(ARM))

static const struct command_row {
	const char *name, *args, *help;
} commands[CMD_COUNT] = {
#define C(id, name, args, help) { name, args, help },
#include "engine/cli/commands.def"
#undef C
};

static const struct option {
	char		 letter;
	const char	*name, *arg;
	unsigned	 on;
	const char	*help;
} options[OPT_COUNT] = {
#define O(id, letter, name, arg, on, help) { letter, name, arg, on, help },
#include "engine/cli/commands.def"
#undef O
};

void
cli_say(const char *fmt, ...)
{
	char t[4096], shown[4 * sizeof t];
	va_list ap;
	size_t i, n = 0;
	int k;

	va_start(ap, fmt);
	k = vsnprintf(t, sizeof t, fmt, ap);
	va_end(ap);
	if (k < 0)
		return;
	if ((size_t)k >= sizeof t)
		k = sizeof t - 1;
	/* an argument that it shows may hold anything: one line, and nothing
	 * that a terminal obeys.  No memory is taken: it may be what is out */
	for (i = 0; i < (size_t)k; i++)
		if ((unsigned char)t[i] < ' ' || t[i] == 0x7f)
			n += (size_t)snprintf(shown + n, sizeof shown - n,
			    "\\x%02x", (unsigned char)t[i]);
		else
			shown[n++] = t[i];
	(void)cli_write(2, STR_LIT("picket: "));
	(void)cli_write(2, str_of(shown, n));
	(void)cli_write(2, STR_LIT("\n"));
}

static void
head(struct buf *b, bool colour, const char *text)
{
	buf_printf(b, "%s%s%s\n", colour ? "\033[1m" : "", text,
	    colour ? "\033[0m" : "");
}

/*
 * A line of a table: a name, and a text broken at blanks to keep within the 80
 * columns of a terminal.  A name that is too long has a line of its own.
 */
static void
entry(struct buf *b, int indent, const char *name, int width, const char *help)
{
	int at = indent + width + 1, col, n;

	buf_printf(b, "%*s%-*s", indent, "", width, name);
	col = indent + (int)strlen(name);
	if (col >= at)
		buf_printf(b, "\n%*s", at - 1, "");
	for (col = at - 1; *help != '\0'; help += n) {
		while (*help == ' ')
			help++;
		n = (int)strcspn(help, " ");
		if (col + 1 + n > HELP_WIDTH) {
			buf_printf(b, "\n%*s", at - 1, "");
			col = at - 1;
		}
		buf_printf(b, " %.*s", n, help);
		col += 1 + n;
	}
	buf_putc(b, '\n');
}

static void
option_line(struct buf *b, const struct option *o)
{
	char t[64];

	if (o->letter != 0)
		snprintf(t, sizeof t, "-%c, --%s%s%s", o->letter, o->name,
		    o->arg == NULL || o->arg[0] == '[' ? "" : " ", o->arg == NULL ? "" : o->arg);
	else
		snprintf(t, sizeof t, "    --%s%s%s", o->name,
		    o->arg == NULL || o->arg[0] == '[' ? "" : " ", o->arg == NULL ? "" : o->arg);
	entry(b, 2, t, 26, o->help);
}

/* A sentence, broken at blanks. */
static void
sentence(struct buf *b, const char *s)
{
	int col = 0, n;

	for (; *s != '\0'; s += n + (s[n] == ' ')) {
		n = (int)strcspn(s, " ");
		if (col > 0 && col + 1 + n > HELP_WIDTH) {
			buf_putc(b, '\n');
			col = 0;
		}
		buf_printf(b, "%s%.*s", col > 0 ? " " : "", n, s);
		col += (col > 0) + n;
	}
	buf_puts(b, "\n\n");
}

void
cli_usage(const struct cli *c, enum command_id id, int fd)
{
	bool colour = fd == 1 ? c->colour_out : c->colour_err;
	struct mem m;
	struct buf b;
	size_t i;

	mem_init(&m, 1 << 20, NULL);
	buf_init(&b, &m);
	buf_printf(&b, "usage: picket %s [OPTIONS]%s%s\n\n", commands[id].name,
	    commands[id].args[0] == '\0' ? "" : " ", commands[id].args);
	sentence(&b, commands[id].help);
	head(&b, colour, "Options");
	for (i = 0; i < OPT_COUNT; i++)
		if (options[i].on & 1u << id)
			option_line(&b, &options[i]);
	(void)cli_write(fd, buf_view(&b));
	buf_free(&b);
}

bool
cli_too_many(const struct cli *c, enum command_id id, size_t most)
{
	if (c->narg <= most)
		return false;
	cli_say("%s takes %s argument%s, not '%.60s' (see picket help %s)",
	    commands[id].name, most == 0 ? "no" : "one", most == 0 ? "s" : "",
	    c->arg[most], commands[id].name);
	return true;
}

void
cli_help(const struct cli *c, int fd)
{
	bool colour = fd == 1 ? c->colour_out : c->colour_err;
	struct mem m;
	struct buf b;
	char t[64];
	size_t i;

	mem_init(&m, 1 << 20, NULL);
	buf_init(&b, &m);
	buf_puts(&b, "usage: picket COMMAND [OPTIONS] [ARGUMENTS]\n\n"
	    "Picket reads lines from commands, files and logs, tests them by "
	    "rules,\nmails what is wrong and acts on it.\n\n");
	head(&b, colour, "Commands");
	for (i = 0; i < CMD_COUNT; i++) {
		snprintf(t, sizeof t, "%s %s", commands[i].name,
		    commands[i].args);
		entry(&b, 2, t, 26, commands[i].help);
	}
	buf_puts(&b, "\n`picket FILE [ARG...]` runs a program, as its first line "
	    "#!/usr/bin/picket does;\n`picket COMMAND --help` shows a command's options; "
	    "the language is in pikt(5).\n");
	(void)cli_write(fd, buf_view(&b));
	buf_free(&b);
}

/* --- completion --- */

static void
words(struct buf *b, unsigned on)
{
	size_t i;

	for (i = 0; i < OPT_COUNT; i++)
		if (options[i].on & on)
			buf_printf(b, " --%s", options[i].name);
}

/* What doc knows, without sigils: a shell has its own uses for them. */
static void
doc_names(struct buf *b)
{
	struct str s;
	size_t i, k;

	for (i = 0; i < doc_count(); i++)
		for (k = 0; !str_none(s = doc_name(i, k)); k++) {
			if (s.p[0] == '#' || s.p[0] == '$')
				s = str_of(s.p + 1, s.n - 1);
			buf_putc(b, ' ');
			buf_str(b, s);
		}
}

/* Those that picketd has, by a command of a shell. */
#define ALERT_NAMES "picket status 2>/dev/null |\n\t\t    " \
	"sed -n '1,/^ALERT /d; s/^\\([^ ]*\\) .*/\\1/p'"

/* After an option with a value: files, folders, or what only people know. */
static void
value_options(struct buf *b)
{
	static const struct {
		const char *arg, *words;
	} kinds[] = {
		{ "FILE", "f" }, { "FILE|-", "f" }, { "DIR", "d" },
	};
	size_t i, k;

	for (i = 0; i < OPT_COUNT; i++) {
		if (options[i].arg == NULL || options[i].arg[0] == '[' ||
		    i == OPT_MAIL || i == OPT_COLOR)
			continue;
		buf_puts(b, "\t\t");
		if (options[i].letter != 0)
			buf_printf(b, "-%c | ", options[i].letter);
		buf_printf(b, "--%s) COMPREPLY=(", options[i].name);
		for (k = 0; k < sizeof kinds / sizeof kinds[0]; k++)
			if (strcmp(options[i].arg, kinds[k].arg) == 0)
				buf_printf(b, "$(compgen -%s -- \"$cur\")",
				    kinds[k].words);
		buf_puts(b, "); return ;;\n");
	}
}

/* Scripts that come with Picket, where one can be named. */
static void
bundled_names(struct cli *c, enum command_id id, struct buf *b)
{
	const struct site_bundled *all;
	size_t i, n;

	if (((ON(RUN) | ON(EXPLAIN) | ON(REPLAY) | ON(LEARN) | ON(DOC)) &
	    1u << id) == 0 || !cli_bundled(c, &all, &n))
		return;
	for (i = 0; i < n; i++) {
		buf_putc(b, ' ');
		buf_str(b, all[i].name);
	}
}

static void
complete_bash(struct cli *c, struct buf *b)
{
	size_t i, k;

	buf_puts(b, "_picket()\n{\n"
	    "\tlocal cur=${COMP_WORDS[COMP_CWORD]} "
	    "prev=${COMP_WORDS[COMP_CWORD-1]} words\n"
	    "\tif [ \"$COMP_CWORD\" -eq 1 ]; then\n\t\twords=\"");
	for (i = 0; i < CMD_COUNT; i++)
		buf_printf(b, "%s%s", i == 0 ? "" : " ", commands[i].name);
	buf_puts(b, "\"\n\telse\n\t\tcase \"$prev\" in\n"
	    "\t\t--mail) COMPREPLY=($(compgen -W stdout -- \"$cur\") "
	    "$(compgen -f -- \"$cur\")); return ;;\n"
	    "\t\t--color) COMPREPLY=($(compgen -W 'auto always never' "
	    "-- \"$cur\")); return ;;\n");
	value_options(b);
	buf_puts(b, "\t\tesac\n\t\tcase \"${COMP_WORDS[1]}\" in\n");
	for (i = 0; i < CMD_COUNT; i++) {
		buf_printf(b, "\t\t%s) words=\"", commands[i].name);
		words(b, 1u << i);
		bundled_names(c, (enum command_id)i, b);
		if (i == CMD_COMPLETION)
			buf_puts(b, " bash zsh");
		else if (i == CMD_DOC)
			doc_names(b);
		for (k = 0; i == CMD_HELP && k < CMD_COUNT; k++)
			buf_printf(b, " %s", commands[k].name);
		buf_puts(b, "\" ;;\n");
	}
	buf_puts(b, "\t\tesac\n\tfi\n"
	    "\tCOMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
	    "\tcase \"${COMP_WORDS[1]} $cur\" in\n"
	    "\t*\\ -* | doc\\ * | help\\ * | completion\\ * | "
	    "incidents\\ * | silence\\ * | silences\\ * | "
	    "outbox\\ * | deliver\\ * | mailtest\\ *) ;;\n"
	    /* what there is to name, from where it is by custom */
	    "\tack\\ * | why\\ *)\n"
	    "\t\tCOMPREPLY+=($(compgen -W \"$(\"${COMP_WORDS[0]}\" incidents "
	    "2>/dev/null |\n\t\t    sed -n "
	    "'s/^[a-z].*  \\([0-9a-f]\\{8\\}\\)  .*/\\1/p')\" -- \"$cur\")) ;;\n"
	    "\tunsilence\\ *)\n"
	    "\t\tCOMPREPLY+=($(compgen -W \"$(\"${COMP_WORDS[0]}\" silences "
	    "2>/dev/null |\n\t\t    sed -n "
	    "'s/^\\(s[0-9]*\\) .*/\\1/p')\" -- \"$cur\")) ;;\n"
	    "\tstatus\\ * | runnow\\ * | pause\\ * | resume\\ *)\n"
	    "\t\tCOMPREPLY+=($(compgen -W \"$(" ALERT_NAMES
	    ")\" -- \"$cur\")) ;;\n"
	    "\t*)\n"
	    "\t\t[[ $COMP_CWORD -gt 1 || $cur == */* ]] && "
	    "COMPREPLY+=($(compgen -f -- \"$cur\")) ;;\n\tesac\n}\n"
	    "complete -o filenames -F _picket picket\n");
}

static void
complete_zsh(struct buf *b)
{
	size_t i, k;

	buf_puts(b, "#compdef picket\n_picket()\n{\n"
	    "\tlocal -a commands\n\tcommands=(\n");
	for (i = 0; i < CMD_COUNT; i++)
		buf_printf(b, "\t\t'%s:%s'\n", commands[i].name,
		    commands[i].help);
	buf_puts(b, "\t)\n\tif (( CURRENT == 2 )); then\n"
	    "\t\t_describe command commands\n\t\treturn\n\tfi\n"
	    "\tcase $words[2] in\n");
	for (i = 0; i < CMD_COUNT; i++) {
		buf_printf(b, "\t%s) _arguments", commands[i].name);
		for (k = 0; k < OPT_COUNT; k++)
			if (options[k].on & 1u << i)
				buf_printf(b, " \\\n\t\t'*--%s[%s]%s'",
				    options[k].name, options[k].name,
				    options[k].arg == NULL ||
				    options[k].arg[0] == '[' ? "" :
				    ":value:_files");
		if (i == CMD_DOC) {
			buf_puts(b, " \\\n\t\t'*:name:(");
			doc_names(b);
			buf_puts(b, ")' ;;\n");
		} else if ((ON(STATUS) | ON(RUNNOW) | ON(PAUSE) |
		    ON(RESUME)) & 1u << i)
			buf_puts(b, " \\\n\t\t\"*:alert:($(" ALERT_NAMES
			    "))\" ;;\n");
		else
			buf_puts(b, " \\\n\t\t'*:file:_files' ;;\n");
	}
	buf_puts(b, "\tesac\n}\n_picket \"$@\"\n");
}

int
cli_completion(struct cli *c)
{
	struct buf b;

	if (c->narg != 1 || (strcmp(c->arg[0], "bash") != 0 &&
	    strcmp(c->arg[0], "zsh") != 0)) {
		cli_say("completion wants bash or zsh");
		return EXIT_USAGE;
	}
	buf_init(&b, &c->mem);
	if (c->arg[0][0] == 'b')
		complete_bash(c, &b);
	else
		complete_zsh(&b);
	(void)cli_write(1, buf_view(&b));
	buf_free(&b);
	return EXIT_FINE;
}

/* --- parsing --- */

static int
take(struct cli *c, enum option_id id, const char *v)
{
	struct str s = str_c(v), name;
	const char *eq;

	c->given[id] = true;
	c->value[id] = v;
	switch (id) {
	case OPT_MACRO:
		eq = strchr(v, '=');
		if (eq == NULL || eq == v) {
			cli_say("-M wants NAME=VALUE, not '%s'", v);
			return EXIT_USAGE;
		}
		if (c->nmacro == LIM_CLI_LIST)
			break;
		c->macro[c->nmacro].name = str_of(v, (size_t)(eq - v));
		c->macro[c->nmacro++].value = str_c(eq + 1);
		return -1;
	case OPT_DEFINE:
		eq = strchr(v, '=');
		name = eq == NULL ? s : str_of(v, (size_t)(eq - v));
		if (name.n == 0 || (eq != NULL && strcmp(eq + 1, "TRUE") != 0 &&
		    strcmp(eq + 1, "FALSE") != 0)) {
			cli_say("-D wants NAME, NAME=TRUE or NAME=FALSE, "
			    "not '%s'", v);
			return EXIT_USAGE;
		}
		if (c->ndefine == LIM_CLI_LIST)
			break;
		c->define[c->ndefine].name = name;
		c->define[c->ndefine++].value = eq == NULL || eq[1] == 'T';
		return -1;
	case OPT_MAILTO: case OPT_TO:
		if (c->nmailto == LIM_CONF_MAILTO)
			break;
		c->mailto[c->nmailto++] = s;
		return -1;
	case OPT_COLOR:
		if (strcmp(v, "auto") != 0 && strcmp(v, "always") != 0 &&
		    strcmp(v, "never") != 0) {
			cli_say("--color wants auto, always or never, "
			    "not '%s'", v);
			return EXIT_USAGE;
		}
		return -1;
	default:
		return -1;
	}
	cli_say("too many --%s", options[id].name);
	return EXIT_USAGE;
}

static int
unknown(struct cli *c, const char *arg)
{
	struct nearest near = words_nearest(str_c(arg + (arg[1] == '-' ? 2 :
	    1)));
	size_t i;

	for (i = 0; i < OPT_COUNT; i++)
		if (options[i].on & 1u << c->command)
			words_offer(&near, options[i].name);
	if (near.best != NULL)
		cli_say("%s: unknown option %s; did you mean --%s?",
		    commands[c->command].name, arg, near.best);
	else
		cli_say("%s: unknown option %s (see picket %s --help)",
		    commands[c->command].name, arg,
		    commands[c->command].name);
	return EXIT_USAGE;
}

static int
long_option(struct cli *c, char *arg, int argc, char **argv, int *i)
{
	const char *eq = strchr(arg, '=');
	size_t n = eq == NULL ? strlen(arg + 2) : (size_t)(eq - arg - 2), k;

	for (k = 0; k < OPT_COUNT; k++)
		if ((options[k].on & 1u << c->command) &&
		    strlen(options[k].name) == n &&
		    memcmp(options[k].name, arg + 2, n) == 0)
			break;
	if (k == OPT_COUNT)
		return unknown(c, arg);
	if (options[k].arg == NULL) {
		if (eq != NULL) {
			cli_say("--%s takes no value", options[k].name);
			return EXIT_USAGE;
		}
		return take(c, (enum option_id)k, "");
	}
	if (eq != NULL)
		return take(c, (enum option_id)k, eq + 1);
	if (options[k].arg[0] == '[')		/* it may be left out */
		return take(c, (enum option_id)k, "");
	if (*i + 1 >= argc) {
		cli_say("--%s wants %s", options[k].name, options[k].arg);
		return EXIT_USAGE;
	}
	return take(c, (enum option_id)k, argv[++*i]);
}

static int
short_options(struct cli *c, char *arg, int argc, char **argv, int *i)
{
	const char *p;
	size_t k;
	int r;

	for (p = arg + 1; *p != '\0'; p++) {
		for (k = 0; k < OPT_COUNT; k++)
			if ((options[k].on & 1u << c->command) &&
			    options[k].letter == *p)
				break;
		if (k == OPT_COUNT)
			return unknown(c, arg);
		if (options[k].arg == NULL) {
			if ((r = take(c, (enum option_id)k, "")) >= 0)
				return r;
			continue;
		}
		if (p[1] != '\0')
			return take(c, (enum option_id)k, p + 1);
		if (*i + 1 >= argc) {
			cli_say("-%c wants %s", *p, options[k].arg);
			return EXIT_USAGE;
		}
		return take(c, (enum option_id)k, argv[++*i]);
	}
	return -1;
}

static void
colours(struct cli *c)
{
	const char *when = c->value[OPT_COLOR], *no = getenv("NO_COLOR"),
	    *term = getenv("TERM");
	bool on = (no == NULL || *no == '\0') && term != NULL &&
	    strcmp(term, "dumb") != 0;

	if (when != NULL && strcmp(when, "auto") != 0) {
		c->colour_out = c->colour_err = when[0] == 'a';
		return;
	}
	c->colour_out = on && isatty(1);
	c->colour_err = on && isatty(2);
}

/*
 * picket FILE ARG...: what the kernel makes of a program's first line,
 * #!/usr/bin/picket.  A name without a / is one if it is there.
 */
static bool
is_program(const char *arg)
{
	struct stat st;

	return arg[0] != '-' && (strchr(arg, '/') != NULL ||
	    (stat(arg, &st) == 0 && S_ISREG(st.st_mode)));
}

bool
cli_says_file(struct str s)
{
	return str_eq(s, STR_LIT("-")) || str_find(s, '/', 0) < s.n ||
	    str_ends(s, ".pikt") || str_ends(s, ".pkc");
}

/* An option where the command is to stand. */
static int
no_command_yet(const char *arg)
{
	size_t k, n;

	for (k = 0; k < OPT_COUNT; k++) {
		n = strlen(options[k].name);
		if (arg[1] == '-' ? strncmp(arg + 2, options[k].name, n) == 0 &&
		    (arg[2 + n] == '\0' || arg[2 + n] == '=') :
		    arg[1] != '\0' && arg[1] == options[k].letter) {
			cli_say("%s stands behind the command: picket COMMAND "
			    "%s (see picket --help)", arg, arg);
			return EXIT_USAGE;
		}
	}
	cli_say("unknown option %s (see picket --help)", arg);
	return EXIT_USAGE;
}

static int
no_command(const char *arg)
{
	struct nearest near = words_nearest(str_c(arg));
	size_t k;

	if (arg[0] == '-')
		return no_command_yet(arg);
	if (strcmp(arg, "version") == 0) {
		cli_say("unknown command 'version'; did you mean --version?");
		return EXIT_USAGE;
	}
	for (k = 0; k < CMD_COUNT; k++)
		words_offer(&near, commands[k].name);
	if (near.best != NULL)
		cli_say("unknown command '%s'; did you mean %s?", arg,
		    near.best);
	else
		cli_say("unknown command '%s' (see picket --help)", arg);
	return EXIT_USAGE;
}

int
cli_options(struct cli *c, int argc, char **argv)
{
	size_t k;
	int i, r;

	c->arg = arena_alloc(&c->arena, ((size_t)argc + 1) * sizeof *c->arg);
	c->command = CMD_HELP;
	c->argv = argv;
	c->self = argv[0];
	colours(c);
	if (argc < 2) {
		cli_help(c, 2);
		return EXIT_USAGE;
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
		cli_help(c, 1);
		return EXIT_FINE;
	}
	if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0)
		c->given[OPT_VERSION] = true;
	else {
		for (k = 0; k < CMD_COUNT; k++)
			if (strcmp(argv[1], commands[k].name) == 0)
				break;
		if (k == CMD_COUNT && is_program(argv[1])) {
			/* all behind it is the program's own */
			c->command = CMD_RUN;
			c->program = true;
			for (i = 1; i < argc; i++)
				c->arg[c->narg++] = argv[i];
			c->arg[c->narg] = NULL;
			return -1;
		}
		if (k == CMD_COUNT)
			return no_command(argv[1]);
		c->command = (enum command_id)k;
	}
	for (i = 2; i < argc; i++) {
		char *a = argv[i];

		if (strcmp(a, "--") == 0) {
			while (++i < argc)
				c->arg[c->narg++] = argv[i];
			break;
		}
		if (a[0] != '-' || a[1] == '\0') {
			c->arg[c->narg++] = a;
			if (c->command != CMD_RUN || c->narg > 1 ||
			    !cli_says_file(str_c(a)))
				continue;
			/* as behind awk -f FILE: all else is the script's */
			if (i + 1 < argc && strcmp(argv[i + 1], "--") == 0)
				i++;
			while (++i < argc)
				c->arg[c->narg++] = argv[i];
			break;
		}
		r = a[1] == '-' ? long_option(c, a, argc, argv, &i) :
		    short_options(c, a, argc, argv, &i);
		if (r >= 0)
			return r;
	}
	c->arg[c->narg] = NULL;
	colours(c);
	if (c->given[OPT_VERSION]) {
		(void)cli_write(1, STR_LIT("picket " PACKAGE_VERSION "\n"));
		return EXIT_FINE;
	}
	if (c->given[OPT_HELPOPT]) {
		cli_usage(c, c->command, 1);
		return EXIT_FINE;
	}
	if (c->command == CMD_HELP) {
		for (k = 0; c->narg > 0 && k < CMD_COUNT; k++)
			if (strcmp(c->arg[0], commands[k].name) == 0) {
				cli_usage(c, (enum command_id)k, 1);
				return EXIT_FINE;
			}
		if (c->narg > 0)
			return no_command(c->arg[0]);
		cli_help(c, 1);
		return EXIT_FINE;
	}
	return -1;
}

bool
cli_define(const struct cli *c, const char *name)
{
	size_t i = c->ndefine;

	while (i-- > 0)
		if (str_eq(c->define[i].name, str_c(name)))
			return c->define[i].value;
	return false;
}
