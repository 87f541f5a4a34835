/*
 * random: templates of random pieces of shell with data between them.
 *  - nothing crashes, and what is reported has a place inside the text;
 *  - without a shell there are as many arguments as words, and dash and bash
 *    make the same arguments of the same text;
 *  - in shell form the shells never run a value, whatever stands round it;
 *  - through substitutions, quotes, backticks, here-documents and compound
 *    commands nested at random, a value arrives as it is.
 *
 * usage: random [-n COUNT] [-s SEED] [ARGV-PROGRAM]	(default: argv beside)
 */
#include "tests/command/run.h"

/* No &, so that nothing stays behind; no / outside values. */
static const char *const pieces[] = { "a", "b", "c", " ", " ", " ", " ", "\t",
	"\n", "'", "'", "\"", "\"", "`", "`", "\\", "\\\\", "$(", ")", "(",
	"$((", "))", "${z:-", "}", "${z}", "$z", "$", "{", ";", ";;", "|",
	"||", "<", ">", "<<E\n", "\nE\n", "<<'E'\n", "<<-E\n", "#", " #", "~",
	"*", "?", "[", "]", "[[ ", " ]]", "=", "a=", "-", "--", "!", "case ",
	" in ", " esac", "esac\n", "if ", "then ", "fi", "for ", "do ",
	"done", "echo ", "eval ", "sh -c ", "1", "2", "<(", "<<<", "$'", "$\"",
	"\\\n", ",", ".", ":", "+", "@d@", "@d@", "@d@", "@d@", "\"@d@\"",
	"'@d@'", " @d@", " @d@ ", "`echo @d@`", "$(echo @d@)", "$(: \"@d@\")" };
#define NPIECES (sizeof pieces / sizeof *pieces)

/* What would leave a trace if any of it were read as shell text. */
static const char *const traps[] = { "$(/bin/touch PWNED)",
	"`/bin/touch PWNED`", ";/bin/touch PWNED;", "\";/bin/touch PWNED;\"",
	"';/bin/touch PWNED;'", "\n/bin/touch PWNED\n",
	"\nE\n/bin/touch PWNED\n", ")\n/bin/touch PWNED\n(",
	"'$(/bin/touch PWNED)'", "\"`/bin/touch PWNED`\"",
	"|/bin/touch PWNED #", "a[$(/bin/touch PWNED)]", "\\`/bin/touch PWNED\\`",
	">PWNED", "}$(/bin/touch PWNED)", "]]\n/bin/touch PWNED\n",
	"))$(/bin/touch PWNED)", "esac\n/bin/touch PWNED\n" };
#define NTRAPS (sizeof traps / sizeof *traps)

static uint64_t seed = 1;
static struct scratch at;

static size_t
pick(size_t n)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (size_t)(seed >> 33) % n;
}

/* Both shells make the same arguments of the text as the template did. */
static bool
same(struct spec *sp, const char *text)
{
	static char mine[1 << 20];
	char *argv[SPEC_PARTS * 2], with[3 * 4096];
	struct str got, value[SPEC_PARTS];
	struct spec ref;
	size_t i, k;

	if (sp->cmd.argc + 3 > sizeof argv / sizeof *argv)
		return true;
	argv[0] = at.argv;
	argv[1] = at.record;
	for (i = 0; i <= sp->cmd.argc; i++)
		argv[2 + i] = sp->cmd.argv[i];
	scratch_run(&at, argv, sp->cmd.argc + 2, NULL, at.dir);
	got = scratch_recorded(&at);
	memcpy(mine, got.p, got.n);
	k = got.n;
	/* newlines before the command would end ours */
	for (i = 1; i > 0; text += i)
		i = strncmp(text, "\\\n", 2) == 0 ? 2 :
		    strspn(text, " \t\n");
	snprintf(with, sizeof with, ": && %s %s %s", at.argv, at.record, text);
	spec_make(&ref, with, strlen(with));
	for (i = 0; i < SPEC_PARTS; i++)
		value[i] = STR_LIT("a value");
	got.n = 0;
	if (ref.good && ref.tpl.shell && spec_fill(&ref, value))
		for (i = 0; i < 2; i++) {
			scratch_run(&at, ref.cmd.argv, ref.cmd.argc,
			    i ? "bash" : "dash", at.dir);
			got = scratch_recorded(&at);
			if (!str_eq(got, str_of(mine, k)))
				break;
		}
	spec_free(&ref);
	return str_eq(got, str_of(mine, k));
}

struct count {
	unsigned long	 refused, argv, shell;
	unsigned long	 no_place, no_match, differ, run;
};

static void
soup(struct count *c)
{
	struct str data[SPEC_PARTS];
	char text[4096];
	struct spec sp;
	size_t k, n = 0;

	/* all is well-formed more often with a command in front */
	if (pick(3) > 0)
		n = (size_t)sprintf(text, "a ");
	for (k = 1 + pick(14); k > 0; k--)
		n += (size_t)sprintf(text + n, "%s", pieces[pick(NPIECES)]);
	spec_make(&sp, text, n);
	for (k = 0; k < SPEC_PARTS; k++)
		data[k] = STR_LIT("a value");
	if (!sp.good) {
		c->refused++;
		if (sp.diag.nerror == 0 ||
		    sp.diag.item[0].place.off > sp.src.text.n) {
			printf("# no error, or out of place: %s\n", text);
			c->no_place++;
		}
	} else if (!sp.tpl.shell) {
		c->argv++;
		if (sp.tpl.nword == 0 || (spec_fill(&sp, data) &&
		    sp.cmd.argc != sp.tpl.nword)) {
			printf("# count: %s\n", text);
			c->no_match++;
		} else if (sp.why.n == 0 && !same(&sp, text)) {
			printf("# shells differ: %s\n", text);
			c->differ++;
		}
	} else {
		c->shell++;
		for (k = 0; k < SPEC_PARTS; k++)
			data[k] = str_c(traps[pick(NTRAPS)]);
		for (k = 0; sp.tpl.ndata > 0 && k < 2 &&
		    spec_fill(&sp, data); k++) {
			/* nothing to run but builtins */
			scratch_run(&at, sp.cmd.argv, sp.cmd.argc,
			    k ? "bash" : "dash", at.dir);
			if (scratch_pwned(&at)) {
				printf("# RUN by %s: %s\n", k ? "bash" :
				    "dash", text);
				c->run++;
			}
		}
		scratch_clean(&at);
	}
	spec_free(&sp);
}

/* What takes a command, as %s, into a deeper place; \1 is a delimiter. */
static const char *const around[] = { ": $( %s\n)", ": \"$( %s\n)\"",
    ":  a$( %s\n)b", "(\n%s\n)", "{ %s\n}", "if true; then %s\nfi",
    "true && { %s\n}", "case x in (y) ;; x) %s\n;; esac",
    ": <<\1\nit's $( %s\n) \"\n\1\n", ": <<-\1\n\t$( %s\n)\n\t\1\n",
    ": \"a 'b' $( %s\n) c\" 'd \"'", "%s # it's\n", ": 'a\"' $( %s\n)",
    "f() { %s\n}; f", "for i in x; do %s\ndone", ": \"$(: \"x\")$( %s\n)\"",
    ": ${z:-y} $((1 + 2)) $( %s\n)", "z=$( %s\n)", "! { %s\n}",
    ": | { %s\n}" };
#define NAROUND (sizeof around / sizeof *around)

/* One level of backticks, inside double quotes or not. */
static size_t
ticks(char *out, const char *in, bool quoted)
{
	size_t n = (size_t)sprintf(out, quoted ? ": \"x`" : ": `");

	for (; *in != '\0'; in++) {
		if (*in == '\\' || *in == '`' || (quoted && *in == '"'))
			out[n++] = '\\';
		out[n++] = *in;
	}
	return n + (size_t)sprintf(out + n, quoted ? "`y\"" : "`");
}

/* One more level round a text. */
static void
deeper(char *text, size_t how, char delim)
{
	static char next[1 << 16];
	size_t n;

	if (how >= NAROUND)
		n = ticks(next, text, how > NAROUND);
	else
		n = (size_t)sprintf(next, around[how], text);
	memcpy(text, next, n);
	for (text[n] = '\0'; n > 0; n--)
		if (text[n - 1] == '\1')
			text[n - 1] = delim;
}

/*
 * A value in a nested place.  Some nestings are beyond bash itself (a ${ } in
 * parentheses in backticks in backticks); those are told by a text that is
 * the same but for a variable of its own in place of the data.
 */
static bool
nest(unsigned long *refused)
{
	static const char *const inner[] = { "%a %r 1 @v@ 2",
	    "%a %r 1 \"@v@\" 2", "%a %r 1 '@v@' 2", "%a %r 1 ''@v@\"\" 2",
	    "%a %r 1 \"$z\"'@v@' 2" };
	static const char *const shells[] = { "dash", "bash" };
	static char text[1 << 16], plain[1 << 16], wanted[256];
	char *argv[4], sh[] = "sh", dashc[] = "-c";
	size_t k, n, how, level = 0, t;
	struct str data, got;
	struct spec sp;
	bool good = true;
	char delim;

	(void)scratch_expand(&at, text, inner[pick(5)]);
	(void)scratch_expand(&at, plain, "%a %r 1 \"${z}\" 2");
	for (k = pick(7); k > 0 && strlen(text) < 4000; k--) {
		how = pick(NAROUND);
		if (pick(3) == 0 && level++ < 3)
			how = NAROUND + pick(2);
		/* now and then the same delimiter as further inside */
		delim = (char)('E' + (pick(8) > 0 ? k : 0));
		deeper(text, how, delim);
		deeper(plain, how, delim);
	}
	spec_make(&sp, text, strlen(text));
	argv[0] = sh;
	argv[1] = dashc;
	argv[2] = plain;
	argv[3] = NULL;
	for (k = 0; k < 2 && sp.good && good; k++) {
		if (sp.tpl.shell) {
			scratch_run(&at, argv, 3, shells[k], NULL);
			if (!str_eq(scratch_recorded(&at),
			    STR_LIT("3 1:1,0:,1:2,\n"))) {
				++*refused;
				continue;
			}
		}
		for (t = 0; t < NTRAPS && good; t++) {
			data = str_c(traps[t]);
			if (!spec_fill(&sp, &data))
				break;
			scratch_run(&at, sp.cmd.argv, sp.cmd.argc,
			    sp.tpl.shell ? shells[k] : NULL, NULL);
			got = scratch_recorded(&at);
			n = (size_t)sprintf(wanted, "3 1:1,%zu:%s,1:2,\n",
			    data.n, data.p);
			good = !scratch_pwned(&at) &&
			    str_eq(got, str_of(wanted, n));
			if (!good)
				printf("# %s %s: %s\n# got %.*s\n", shells[k],
				    data.p, text, (int)got.n, got.p);
		}
	}
	/* here-documents in $( ) or with backticks may be read in two ways */
	if (!sp.good && sp.diag.item[0].id == E_CMD_SHELLS)
		++*refused;
	else if (!sp.good || sp.why.n > 0) {
		printf("# refused, %s: %s\n", sp.good ? buf_c(&sp.why) :
		    diag_name(sp.diag.item[0].id), text);
		good = false;
	}
	spec_free(&sp);
	return good;
}

int
main(int argc, char **argv)
{
	unsigned long n = 4000, i, bad = 0, refused = 0;
	struct count c = { 0 };
	int opt;

	while ((opt = getopt(argc, argv, "n:s:")) != -1)
		if (opt == 'n')
			n = strtoul(optarg, NULL, 10);
		else if (opt == 's')
			seed = strtoul(optarg, NULL, 10);
	if (!scratch_make(&at, argv[0], optind < argc ? argv[optind] : NULL)) {
		printf("Bail out! no argv program, or no scratch folder\n");
		return 1;
	}
	for (i = 0; i < n; i++)
		soup(&c);
	for (i = 0; i < n / 20; i++)
		bad += !nest(&refused);
	scratch_clean(&at);
	rmdir(at.dir);
	printf("# %lu refused, %lu without a shell, %lu with; %lu nested "
	    "ones refused\n", c.refused, c.argv, c.shell, refused);
	printf("%sok 1 - errors have a place\n", c.no_place ? "not " : "");
	printf("%sok 2 - as many arguments as words\n",
	    c.no_match ? "not " : "");
	printf("%sok 3 - shells make the same arguments\n",
	    c.differ ? "not " : "");
	printf("%sok 4 - no value is run\n", c.run ? "not " : "");
	printf("%sok 5 - values arrive through nested places\n",
	    bad || refused > n / 100 ? "not " : "");
	printf("%sok 6 - all three outcomes were met\n",
	    c.refused > 0 && c.argv > 0 && c.shell > 0 ? "" : "not ");
	printf("1..6\n");
	return c.no_place || c.no_match || c.differ || c.run || bad;
}
