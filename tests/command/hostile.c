/*
 * hostile: values that would break a command put together as text, in every
 * position, through real shells.  Each must arrive as exactly one argument,
 * or part of one, byte for byte; or be refused by the rule that says so.
 *
 * usage: hostile [ARGV-PROGRAM]	(default: argv beside this program)
 */
#include <stdarg.h>

#include "tests/command/run.h"

#define BIG	100000

static char big[BIG + 1];

/* ARGV, RECORD and PWNED are put in for %a, %r and %p in templates; the
 * values would make PWNED if anything ran them. */
#define PWN	"touch PWNED"

static const char *const values[] = {
	"plain", "", " ", "a b", " lead", "trail ", "a  b", "\ta\t", "a\nb",
	"trail\n", "\n", "\n\n", "a\rb", "'", "\"", "''", "\"\"", "'a", "a\"b",
	"'\"'\"'", "\\", "a\\", "\\\\", "\\'", "\\\"", "\\n", "\\$x", "`",
	"`" PWN "`", "$(" PWN ")", "a$(" PWN ")b", "\"$(" PWN ")\"",
	"'$(" PWN ")'", "'; " PWN "; '", "\"; " PWN "; \"", "; " PWN,
	"a; " PWN " #", "&& " PWN, "|| " PWN, "| " PWN, "& " PWN " &",
	"\n" PWN "\n", "a\n" PWN, ")" PWN "(", "); " PWN "; (", "`; " PWN ";`",
	"'`" PWN "`'", "E\n" PWN "\nE", "\nE\n" PWN "\n", "EOF", "E",
	"*", "?", "[a-z]*", "/*", "{a,b}", "~", "~root", "~root/x",
	"$HOME", "${HOME}", "$IFS", "${IFS}x", "$1", "$@", "$#", "$$", "$",
	"$__p1", "${__p1}", "$((1+1))", "${x:=y}", "!", "!!", "!x", "#", "# a",
	"<", ">PWNED", ">>PWNED", "<(" PWN ")", "-", "--", "-rf", "-n",
	"--help", "-e " PWN, "=", "a=b", "PATH=/x", ".", "..", "../x", "../../",
	"/", "/etc/passwd", "a/../b", "//", "%s%n%d", "\\0", "\\x41", "\\c",
	"\x01\x02\x1b[31m\x7f", "\x80\x81\x82\x83\x84\x85\x86\x87\x88\x89",
	"\xff\xfe", "\xc3", "\xc3\xa4\xe2\x82\xac", "\xe2\x80\xa8", "a\x81\"b",
	"\x81$(" PWN ")", "\x88'", "if", "case x in esac", "}", "{", "]]",
	"esac", ";;", "=(" PWN ")", "<<NIL", "@a@", "a,b:c",
	"\x01\x02\x03\x04\x05\x06\x07\x08\x0b\x0c\x0e\x0f", big,
};
#define NVALUES (sizeof values / sizeof *values)

/* What a position makes of the value v that comes in. */
enum makes { WHOLE, AROUND /* pre-v-post */, LINE /* v, newline */,
    TWICE /* two arguments */, BASH_ONLY = 16 };

static const struct position {
	const char	*spec;
	int		 makes;
	bool		 starts;	/* rule 4 applies */
} positions[] = {
	/* without a shell */
	{ "%a %r 1 @v@ 2", WHOLE, true },
	{ "%a %r 1 \"@v@\" 2", WHOLE, true },
	{ "%a %r 1 '@v@' 2", WHOLE, true },
	{ "%a %r 1 pre-@v@-post 2", AROUND, false },
	{ "%a %r 1 'pre-@v@'-\"post\" 2", AROUND, false },
	{ "%a %r 1 -- @v@ 2", WHOLE + 8, false },
	{ "%a %r 1 @o:v@ 2", WHOLE, false },
	/* bare */
	{ "%a %r 1 @v@ 2;", WHOLE, true },
	{ "%a %r 1 pre-@v@-post 2;", AROUND, false },
	{ "%a %r 1 pre-@v@-post 2 | cat", AROUND, false },
	{ "true && %a %r 1 @v@ 2 || false", WHOLE, true },
	{ "if true; then %a %r 1 @v@ 2; fi", WHOLE, true },
	{ "(%a %r 1 @v@ 2)", WHOLE, true },
	{ "{ %a %r 1 @v@ 2; }", WHOLE, true },
	{ "! %a %r 1 @v@ 2 # it's", WHOLE, true },
	{ "f() { %a %r 1 \"$1\" 2; }; f @v@", WHOLE, true },
	{ "for i in @v@; do %a %r 1 \"$i\" 2; done", WHOLE, true },
	{ "case x in (y) false;; x) %a %r 1 @v@ 2;; esac", WHOLE, true },
	{ "case @v@ in @v@) %a %r 1 @o:v@ 2;; *) false; esac", WHOLE, false },
	{ "A=@v@; %a %r 1 \"$A\" 2", WHOLE, false },
	{ "A=pre-@v@-post; %a %r 1 \"$A\" 2", AROUND, false },
	{ "A=@v@ sh -c '%a %r 1 \"$A\" 2'", WHOLE, false },
	{ "export A=@v@; sh -c '%a %r 1 \"$A\" 2'", WHOLE, false },
	{ "set -- @v@; %a %r 1 \"$1\" 2", WHOLE, false },
	{ "set @v@; %a %r 1 \"$1\" 2", WHOLE, true },
	{ "%a %r 1 $HOME@v@ 2;", WHOLE, true },
	{ "%a %r $# @v@ @v@ 2; false", TWICE, true },
	/* quotes */
	{ "%a %r 1 \"@v@\" 2;", WHOLE, true },
	{ "%a %r 1 \"pre-@v@-post\" 2;", AROUND, false },
	{ "%a %r 1 '@v@' 2;", WHOLE, true },
	{ "%a %r 1 'pre-@v@-post' 2;", AROUND, false },
	{ "%a %r 1 'pre-'@v@\"-post\" 2;", AROUND, false },
	{ "%a %r 1 \"pre-\"'@v@'-post 2;", AROUND, false },
	{ "%a %r 1 \"pre-${HOME}@v@$HOME-post\" 2;", AROUND, false },
	/* command substitution */
	{ ": $(%a %r 1 @v@ 2)", WHOLE, true },
	{ ": $(%a %r 1 pre-@v@-post 2)", AROUND, false },
	{ ": $(%a %r 1 \"@v@\" 2)", WHOLE, true },
	{ ": $(%a %r 1 '@v@' 2)", WHOLE, true },
	{ ": \"$(%a %r 1 @v@ 2)\"", WHOLE, true },
	{ ": \"$(%a %r 1 \"@v@\" 2)\"", WHOLE, true },
	{ ": \"$(%a %r 1 \"pre-@v@-post\" 2)\"", AROUND, false },
	{ ": \"$(%a %r 1 '@v@' 2)\"", WHOLE, true },
	{ ": \"$(: \"$(: '(' \"$(%a %r 1 \"@v@\" 2)\")\")\"", WHOLE, true },
	{ ": $(case x in x) %a %r 1 \"@v@\" 2;; esac)", WHOLE, true },
	{ "%a %r 1 \"pre-$(true)@v@$(true)-post\" 2", AROUND, false },
	/* backticks */
	{ ": `%a %r 1 @v@ 2`", WHOLE, true },
	{ ": `%a %r 1 pre-@v@-post 2`", AROUND, false },
	{ ": `%a %r 1 \"@v@\" 2`", WHOLE, true },
	{ ": `%a %r 1 '@v@' 2`", WHOLE, true },
	{ ": \"`%a %r 1 @v@ 2`\"", WHOLE, true },
	{ ": \"`%a %r 1 pre-@v@-post 2`\"", AROUND, false },
	{ ": \"`%a %r 1 \\\"@v@\\\" 2`\"", WHOLE, true },
	{ ": \"`%a %r 1 \"@v@\" 2`\"", WHOLE, true },
	{ ": \"`%a %r 1 \\\"pre-@v@-post\\\" 2`\"", AROUND, false },
	{ ": \"`%a %r 1 '@v@' 2`\"", WHOLE, true },
	{ ": `: \\`%a %r 1 @v@ 2\\``", WHOLE, true },
	{ ": `: \\`%a %r 1 \"pre-@v@-post\" 2\\``", AROUND, false },
	{ ": \"`: \\\"\\`%a %r 1 '@v@' 2\\`\\\"`\"", WHOLE, true },
	{ ": \"$(: `%a %r 1 \"@v@\" 2`)\"", WHOLE, true },
	{ ": \"`: $(%a %r 1 '@v@' 2)`\"", WHOLE, true },
	/* here-documents */
	{ "%a %r 1 :stdin 2 <<E\n@v@\nE\n", LINE, false },
	{ "%a %r 1 :stdin 2 <<-E\n\t@v@\n\tE\n", LINE, false },
	{ "%a %r 1 :stdin 2 <<E | cat <<\\F\n@v@\nE\n$x '\nF\n", LINE, false },
	{ ": \"$(%a %r 1 :stdin 2 <<E\n@v@\nE\n)\"", LINE, false },
	{ ": `%a %r 1 :stdin 2 <<E\n@v@\nE\n`", LINE, false },
	{ ": <<E\n$(%a %r 1 @v@ 2) it's\nE\n", WHOLE, true },
	{ ": <<E\n\"$(%a %r 1 \"pre-@v@-post\" 2)\"\nE\n", AROUND, false },
	{ ": <<E\n`%a %r 1 @v@ 2` it's\nE\n", WHOLE, true },
	{ "%a %r 1 :stdin 2 <<<@v@", LINE + BASH_ONLY, false },
	{ "[[ a < b ]] && %a %r 1 \"@v@\" 2", WHOLE + BASH_ONLY, true },
};
#define NPOSITIONS (sizeof positions / sizeof *positions)

static struct scratch at;
static unsigned ntest, nbad;

static void
ok(bool good, const char *fmt, ...)
{
	va_list ap;

	printf("%sok %u - ", good ? "" : "not ", ++ntest);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
	nbad += !good;
}

/* A comment that names a value, on one line. */
static void
note(const char *value, const char *why)
{
	struct mem m;
	struct buf b;
	jmp_buf fail;

	mem_init(&m, 1 << 20, &fail);
	buf_init(&b, &m);
	buf_escaped(&b, str_c(value), 60);
	buf_puts(&b, ": ");
	buf_escaped(&b, str_c(why), 300);
	printf("#   %s\n", buf_c(&b));
	buf_free(&b);
}

/* What argv must have recorded for a value in a position. */
static size_t
expect(char *out, const struct position *p, const char *v, size_t nv)
{
	int makes = p->makes & 7, twice = makes == TWICE;
	bool around = makes == AROUND, line = makes == LINE;
	size_t n, len = nv + (around ? 9 : 0) + (line ? 1 : 0);

	n = (size_t)sprintf(out, "%d 1:%s,%s", (p->makes & 8) || twice ? 4 : 3,
	    twice ? "0" : "1", p->makes & 8 ? "2:--," : "");
	for (; twice >= 0; twice--) {
		n += (size_t)sprintf(out + n, "%zu:%s", len,
		    around ? "pre-" : "");
		memcpy(out + n, v, nv);
		n += nv;
		n += (size_t)sprintf(out + n, "%s%s,", around ? "-post" : "",
		    line ? "\n" : "");
	}
	return n + (size_t)sprintf(out + n, "1:2,\n");
}

static void
one(const struct position *p, const char *spec, size_t nspec, const char *v,
    const char *shell, char *why, size_t room)
{
	static char wanted[4 * BIG];
	struct str data[3], got;
	struct spec sp;
	size_t n, nv = strlen(v);
	bool pwned, good;

	*why = '\0';
	spec_make(&sp, spec, nspec);
	data[0] = data[1] = data[2] = str_of(v, nv);
	if (!sp.good)
		snprintf(why, room, "does not compile");
	else if (sp.tpl.shell != (shell != NULL))
		snprintf(why, room, "is of the wrong form");
	else if (p->starts && v[0] == '-') {
		if (spec_fill(&sp, data))
			snprintf(why, room, "not refused");
		else if (strstr(buf_c(&sp.why), "\": a value that begins with "
		    "\"-\" is not run (rule 4: write -- before it, or "
		    "$opt())") == NULL || memcmp(sp.why.p, "$v: \"-", 6) != 0)
			snprintf(why, room, "refused: %s", buf_c(&sp.why));
	} else if (!spec_fill(&sp, data))
		snprintf(why, room, "refused: %s", buf_c(&sp.why));
	else {
		scratch_run(&at, sp.cmd.argv, sp.cmd.argc, shell, NULL);
		got = scratch_recorded(&at);
		pwned = scratch_pwned(&at);
		n = expect(wanted, p, v, nv);
		good = got.n == n && memcmp(got.p, wanted, n) == 0;
		if (pwned)
			snprintf(why, room, "IT WAS RUN");
		else if (!good)
			snprintf(why, room, "arrived as %.*s", (int)(got.n >
			    200 ? 200 : got.n), got.p);
	}
	spec_free(&sp);
}

/*
 * With the sanitizers a fork costs ten times as much: there each position gets
 * every fourth value, each value every fourth position; the other build gets
 * all.
 */
static bool
left_out(size_t value)
{
	static size_t call;

	if (getenv("PICKET_SANITIZERS") == NULL)
		return false;
	call += value == 0;
	return (value + call) % 4 != 0;
}

/* All values in one position through one shell: one test. */
static void
test_position(const struct position *p, const char *shell)
{
	char spec[4 * PATH_MAX], why[600], name[600];
	size_t i, k, nspec = scratch_expand(&at, spec, p->spec), bad = 0;

	for (i = k = 0; p->spec[i] != '\0'; i++)	/* on one line */
		k += (size_t)sprintf(name + k, p->spec[i] == '\n' ? "\\n" :
		    p->spec[i] == '\t' ? "\\t" : p->spec[i] == '#' ? "\\#" :
		    "%c", p->spec[i]);
	for (i = 0; i < NVALUES; i++) {
		if (left_out(i))
			continue;
		one(p, spec, nspec, values[i], shell, why, sizeof why);
		if (*why == '\0')
			continue;
		note(values[i], why);
		bad++;
	}
	ok(bad == 0, "%s: %s", shell == NULL ? "no shell" : shell, name);
}

/* The test must see an injection: the same values as plain text. */
static void
test_sees(const char *shell)
{
	static const char *const text[] = { "; " PWN, "$(" PWN ")",
	    "`" PWN "`", "a b", "*", "$HOME" };
	char cmd[2 * PATH_MAX], wanted[600], sh[64], opt[] = "-c";
	char seen[PATH_MAX + 10];
	FILE *f;
	const struct position p = { "", WHOLE, true };
	char *argv[] = { sh, opt, cmd, NULL };
	struct str got;
	size_t i, n;
	bool pwned;

	snprintf(sh, sizeof sh, "/bin/%s", shell);
	snprintf(seen, sizeof seen, "%s/2", at.dir);
	for (i = 0; i < sizeof text / sizeof *text; i++) {
		/* for * to find */
		if ((f = fopen(seen, "w")) != NULL)
			fclose(f);
		snprintf(cmd, sizeof cmd, "%s %s 1 %s 2", at.argv,
		    at.record, text[i]);
		scratch_run(&at, argv, 3, shell, NULL);
		got = scratch_recorded(&at);
		pwned = scratch_pwned(&at);
		n = expect(wanted, &p, text[i], strlen(text[i]));
		ok(pwned == (i < 3) && !(got.n == n &&
		    memcmp(got.p, wanted, n) == 0),
		    "%s: an injection is seen: %s", shell, text[i]);
	}
	unlink(seen);
}

/* Names of users, processes and files inside paths. */
static void
test_paths(void)
{
	static const char *const refused[] = { "", "..", "../x", "../../",
	    "a/../b" };
	static const struct position p[] = {
		{ "%a %r 1 /x/@v@ 2", 0, false },
		{ "%a %r 1 /x/@v@ 2;", 0, false },
		{ "%a %r 1 \"/x/@v@\" 2 | cat", 0, false },
		{ ": $(%a %r 1 '/x/@v@' 2)", 0, false } };
	char spec[4 * PATH_MAX], path[BIG + 10];
	static char wanted[4 * BIG];
	struct str data, got;
	struct spec sp;
	size_t i, k, r, n, nspec, bad;
	const struct position whole = { "", WHOLE, false };
	bool pwned, want, good;

	for (i = 0; i < 4; i++) {
		nspec = scratch_expand(&at, spec, p[i].spec);
		for (bad = k = 0; k < NVALUES; k++) {
			if (left_out(k))
				continue;
			want = true;
			for (r = 0; r < 5; r++)
				want = want &&
				    strcmp(values[k], refused[r]) != 0;
			spec_make(&sp, spec, nspec);
			data = str_c(values[k]);
			good = sp.good && spec_fill(&sp, &data) == want;
			if (good && !want)
				good = strstr(buf_c(&sp.why), *values[k] ?
				    "\": a .. in a path is not run (rule 5)" :
				    "$v: \"\": an empty value would shorten a "
				    "path (rule 5)") != NULL;
			if (good && want) {
				scratch_run(&at, sp.cmd.argv, sp.cmd.argc,
				    sp.tpl.shell ? "dash" : NULL, NULL);
				got = scratch_recorded(&at);
		pwned = scratch_pwned(&at);
				sprintf(path, "/x/%s", values[k]);
				n = expect(wanted, &whole, path, strlen(path));
				good = !pwned && got.n == n &&
				    memcmp(got.p, wanted, n) == 0;
			}
			if (!good)
				note(values[k], buf_c(&sp.why));
			bad += !good;
			spec_free(&sp);
		}
		ok(bad == 0, "path: %s", p[i].spec);
	}
}

/* Words that are programs: hostile values are refused, safe ones run. */
static void
test_programs(void)
{
	static const struct {
		const char *spec;
		bool	 other;		/* / only as \/ */
		bool	 runs;		/* installed everywhere */
	} p[] = {
		{ "sh -c '%a %r 1 @v@ 2'", false, true },
		{ "sh -c \"%a %r 1 '@v@' 2\"", false, true },
		{ "sh -c '%a %r 1 @v@ 2'; true", false, true },
		{ "env X=1 nice nohup timeout 9 bash -ec '%a %r 1 @v@ 2'",
		    false, true },
		{ "find . -maxdepth 0 -exec sh -c '%a %r 1 @v@ 2' \\;", false,
		    true },
		{ "printf '%s' '%a %r 1 @v@ 2' | sh", false, true },
		{ "sh <<E\n%a %r 1 @v@ 2\nE\n", false, true },
		{ "awk 'BEGIN { exit system(\"%a %r 1 @v@ 2\") }'", true,
		    true },
		{ "awk -v x=@v@ 'BEGIN { exit system(\"%a %r 1 \" x \" 2\") }'",
		    true, true },
		{ "perl -e 'exec(\"%a\", \"%r\", \"1\", q(@v@), \"2\")'",
		    true, true },
		{ "su -c '%a %r 1 @v@ 2'", false, false },
		{ "ssh nohost.invalid %a %r 1 @v@ 2", false, false },
		{ "sed -n '1e%a %r 1 @v@ 2'", true, false },
		{ "sudo -u root sh -c '%a %r 1 @v@ 2'", false, false },
	};
	static const char safe[] = "abcXYZ019_.@:+,=%-";
	const struct position whole = { "", WHOLE, false };
	char spec[4 * PATH_MAX], wanted[600];
	struct str data, got;
	struct spec sp;
	size_t i, k, n, nspec, bad;
	bool pwned, want, good;

	for (i = 0; i < sizeof p / sizeof *p; i++) {
		nspec = scratch_expand(&at, spec, p[i].spec);
		for (bad = k = 0; k < NVALUES; k++) {
			if (left_out(k))
				continue;
			want = strspn(values[k], safe) == strlen(values[k]) ||
			    strcmp(values[k], "plain") == 0;
			for (n = 0; values[k][n] != '\0' && values[k] != big &&
			    !want; n++)
				if (strchr("/", values[k][n]) == NULL &&
				    !(values[k][n] >= 'a' &&
				    values[k][n] <= 'z') &&
				    strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				    "_.@:+,=%-", values[k][n]) == NULL)
					break;
			if (!want && values[k] != big)
				want = values[k][n] == '\0' && (!p[i].other ||
				    strchr(values[k], '/') == NULL);
			if (values[k] == big)
				want = false;	/* see its blanks */
			if (want)
				continue;
			spec_make(&sp, spec, nspec);
			data = str_c(values[k]);
			good = sp.good && !spec_fill(&sp, &data) &&
			    strstr(buf_c(&sp.why), ": is in a word that is a "
			    "program, so only ") != NULL &&
			    str_ends(buf_view(&sp.why), "(rule 3)");
			if (!good)
				note(values[k], buf_c(&sp.why));
			bad += !good;
			spec_free(&sp);
		}
		got = scratch_recorded(&at);
		pwned = scratch_pwned(&at);
		ok(bad == 0 && got.n == 0 && !pwned,
		    "program word: hostile values are refused: %zu", i + 1);
		if (!p[i].runs)
			continue;
		spec_make(&sp, spec, nspec);
		data = str_c(safe);
		good = sp.good && spec_fill(&sp, &data);
		if (good)
			scratch_run(&at, sp.cmd.argv, sp.cmd.argc,
			    sp.tpl.shell ? "dash" : NULL, NULL);
		got = scratch_recorded(&at);
		pwned = scratch_pwned(&at);
		n = expect(wanted, &whole, safe, strlen(safe));
		if (!good)
			printf("# %s\n", buf_c(&sp.why));
		ok(good && got.n == n && memcmp(got.p, wanted, n) == 0,
		    "program word: a safe value is run: %zu", i + 1);
		spec_free(&sp);
	}
}

/* $words(), $raw() and more than nine values, as they arrive. */
static void
test_special(const char *shell)
{
	static const struct { const char *spec, *value, *gives; } p[] = {
		{ "%a %r @w:v@ x;", "a $(" PWN ")\t'*' \"\n",
		    "6 1:a,7:$(touch,6:PWNED),3:'*',1:\",1:x,\n" },
		{ "%a %r @w:v@ x;", " ", "1 1:x,\n" },
		{ "%a %r \"$(%a %r @w:v@)\";", "a b", "2 1:a,1:b,\n1 0:,\n" },
		{ "for i in @w:v@; do %a %r \"$i\"; done", "a b",
		    "1 1:a,\n1 1:b,\n" },
		{ "%a %r @v@ @v@ @v@ @v@ @v@ @v@ @v@ @v@ @v@ @v@ \"@v@$#\";",
		    "a b", "11 3:a b,3:a b,3:a b,3:a b,3:a b,3:a b,3:a b,"
		    "3:a b,3:a b,3:a b,4:a b0,\n" },
		{ "%a %r @r:v@ x", "a 'b c' $(echo d)",
		    "4 1:a,3:b c,1:d,1:x,\n" },
		{ "%a %r '@r:v@' x", "a 'b c' $(" PWN ")",
		    "2 22:a 'b c' $(" PWN "),1:x,\n" },
		{ "%a %r ~@v@ ~@v@/x;", "root", "2 5:/root,7:/root/x,\n" },
		{ "A=/a:~@v@/b; %a %r \"$A\"", "root",
		    "1 10:/a:/root/b,\n" },
	};
	char spec[4 * PATH_MAX];
	struct str data[12], got;
	struct spec sp;
	size_t i, k, nspec;
	bool pwned, good;

	for (i = 0; i < sizeof p / sizeof *p; i++) {
		nspec = scratch_expand(&at, spec, p[i].spec);
		spec_make(&sp, spec, nspec);
		for (k = 0; k < 12; k++)
			data[k] = str_c(p[i].value);
		good = sp.good && spec_fill(&sp, data);
		if (good)
			scratch_run(&at, sp.cmd.argv, sp.cmd.argc, shell, NULL);
		got = scratch_recorded(&at);
		pwned = scratch_pwned(&at);
		good = good && !pwned && str_eq(got, str_c(p[i].gives));
		if (!good)
			printf("# %.*s%s\n", (int)got.n, got.p,
			    buf_c(&sp.why));
		ok(good, "%s: %s", shell, p[i].spec);
		spec_free(&sp);
	}
}

int
main(int argc, char **argv)
{
	char spec[4 * PATH_MAX];
	struct spec sp;
	bool shell;
	size_t i;

	if (!scratch_make(&at, argv[0], argv[1])) {
		printf("Bail out! no argv program, or no scratch folder\n");
		return 1;
	}
	(void)argc;
	setenv("HOME", "", 1);		/* a $HOME beside data leaves no trace */
	memset(big, 'x', BIG);
	memcpy(big + 500, " '\"$(" PWN ")`\\\n", strlen(" '\"$(" PWN ")`\\\n"));
	for (i = 0; i < NPOSITIONS; i++) {
		spec_make(&sp, spec, scratch_expand(&at, spec, positions[i].spec));
		shell = sp.good && sp.tpl.shell;
		spec_free(&sp);
		if (!shell) {
			test_position(&positions[i], NULL);
			continue;
		}
		if (!(positions[i].makes & BASH_ONLY))
			test_position(&positions[i], "dash");
		test_position(&positions[i], "bash");
	}
	test_sees("dash");
	test_sees("bash");
	test_special("dash");
	test_special("bash");
	test_paths();
	test_programs();
	printf("1..%u\n", ntest);
	if (rmdir(at.dir) != 0)
		printf("# left over: %s\n", at.dir);
	return nbad > 0;
}
