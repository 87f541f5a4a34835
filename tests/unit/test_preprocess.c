/* preprocess: comments, directives, macros, and where the bytes came from. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "lang/syntax/preprocess.h"

#define MANY	((size_t)512 << 20)
#define S(s)	STR_LIT(s)

static struct mem m;
static struct arena a;
static struct source_set src;
static struct diag d;
static struct buf out;
static uint32_t main_file;

static int
setup(void **state)
{
	(void)state;
	mem_init(&m, MANY, NULL);
	arena_init(&a, &m, 4096);
	source_init(&src, &m, &a);
	diag_init(&d, &src, &a);
	buf_init(&out, &m);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	buf_free(&out);
	source_free(&src);
	arena_free(&a);
	return m.used != 0;
}

static void
afresh(void)
{
	teardown(NULL);
	setup(NULL);
}

/* Preprocesses a text with one macro file; both may be NULL. */
static void
run(struct str text, struct str macros)
{
	struct macro_source file = { S("m.cfg"), macros };
	struct compile_options opt = { .macro_file = &file, .nmacro_file = 1 };
	struct preprocess pp;

	main_file = source_add(&src, S("a.pikt"), text);
	preprocess_init(&pp, &src, &d, &a, &opt);
	preprocess_file(&pp, main_file);
}

static const char *
messages(void)
{
	buf_clear(&out);
	diag_render(&d, &out, false);
	return buf_c(&out);
}

struct row {
	const char	*in, *want;
};

static void
check(const char *macros, const struct row *row, size_t n)
{
	struct str got;
	size_t i;

	for (i = 0; i < n; i++) {
		run(str_c(row[i].in), str_c(macros));
		got = buf_view(&src.text);
		if (d.nerror > 0)
			fail_msg("%s\n%s", row[i].in, messages());
		if (!str_eq(got, str_c(row[i].want)))
			fail_msg("%s\ngave: %.*s\nnot:  %s", row[i].in,
			    (int)got.n, got.p, row[i].want);
		afresh();
	}
}
#define CHECK(macros, rows) check(macros, rows, sizeof (rows) / sizeof *(rows))

/* Errors and what the message says; NULL: the whole text must be it. */
static void
check_error(const char *in, const char *macros, const char *want)
{
	run(str_c(in), str_c(macros));
	assert_string_equal(messages(), want);
	afresh();
}

static void
comments_go(void **state)
{
	static const struct row row[] = {
		{ "a // b\nc", "a  \nc" },
		{ "a/* x */b", "a b" },
		{ "a /* x\ny\n*/ b", "a \n\n b" },
		{ "a // b /* c\nd", "a  \nd" },
		{ "/* // */ a", "  a" },
		{ "a / b", "a / b" },
		{ "a //\r\nb", "a  \nb" },
		/* not in strings */
		{ "\"a // b\" // c", "\"a // b\"  " },
		{ "\"a /* b */\"", "\"a /* b */\"" },
		{ "\"a \\\" // b\" // c", "\"a \\\" // b\"  " },
		{ "'a // \\' // c", "'a // \\'  " },
		{ "\"don't // x\" // y", "\"don't // x\"  " },
		{ "\"\"\"\na // \"b\" // c\n\"\"\" // d",
		    "\"\"\"\na // \"b\" // c\n\"\"\"  " },
		{ "\"\" // x", "\"\"  " },
		/* code in strings */
		{ "\"${$f(\"http://x\")} // y\" // z",
		    "\"${$f(\"http://x\")} // y\"  " },
		{ "\"$upper(\"//\") // y\" // z", "\"$upper(\"//\") // y\"  " },
		{ "\"#{$a[\"//\"]}\"//z", "\"#{$a[\"//\"]}\" " },
		/* commands: a quote inside the shell's quotes */
		{ "input proc \"awk '/x/ {gsub(\"\\\\/\",\"a//\"); "
		    "print $1 \" // \" $2}'\" // c",
		    "input proc \"awk '/x/ {gsub(\"\\\\/\",\"a//\"); "
		    "print $1 \" // \" $2}'\"  " },
		{ "exec wait \"awk '{print \" . $x . \" // }'\" // c",
		    "exec wait \"awk '{print \" . $x . \" // }'\"  " },
		{ "if $command(\"ls ' \" // ' \") // c",
		    "if $command(\"ls ' \" // ' \")  " },
		{ "output mail \"don't\" // c", "output mail \"don't\"  " },
		/* a string that is not closed ends before column 1 */
		{ "\"abc\n  // x\nFoo // y", "\"abc\n  // x\nFoo  " },
		{ "don't // x\n  it's // y", "don't  \n  it's  " },
	};

	(void)state;
	CHECK("", row);
	check_error("a\n  /* b", "",
	    "a.pikt:2:3: error: comment is never closed\n"
	    "  /* b\n"
	    "  ^~\n"
	    "hint: end it with */\n");
}

static void
standalone_programs(void **state)
{
	static const struct row row[] = {
		{ "#!/usr/bin/picket\nset #a = 1 # one\n#\n# x\n#a",
		    "\nset #a = 1 \n\n\n#a" },
		{ "#!x\n\"# a\" '# b' #\tc", "\n\"# a\" '# b' " },
		{ "#!x", "" },
		{ "#!x\n#count += 1", "\n#count += 1" },
	};

	(void)state;
	CHECK("", row);
	check_error("#!x\n#if a\n", "",
	    "a.pikt:2:1: error: this #if is never closed\n"
	    "#if a\n"
	    "^~~\n"
	    "hint: a block ends in the file in which it begins\n");
}

static void
directives_are_told(void **state)
{
	static const struct row row[] = {
		{ " #if\n", " #if\n" },
		{ "#a = 1\n#b += 2\n#c[1] = 2\n#(x)\n",
		    "#a = 1\n#b += 2\n#c[1] = 2\n#(x)\n" },
		{ "\"\"\"\n#if\n\"\"\"", "\"\"\"\n#if\n\"\"\"" },
	};

	(void)state;
	CHECK("", row);
	check_error("#  ifdef doexec\n", "",
	    "a.pikt:1:1: error: this #ifdef is never closed\n"
	    "#  ifdef doexec\n"
	    "^~~~~~~~\n"
	    "hint: a block ends in the file in which it begins\n");
	check_error("#inclde <x>\n", "",
	    "a.pikt:1:1: error: unknown directive #inclde\n"
	    "#inclde <x>\n"
	    "^~~~~~~\n"
	    "hint: did you mean #include?\n");
	check_error("# a comment\n", "",
	    "a.pikt:1:1: error: unknown directive #a\n"
	    "# a comment\n"
	    "^~~\n");
	check_error("", "x 1\n#if linux\n   2\n#endifdef\n",
	    "m.cfg:4:1: error: #endifdef in a block that began with #if\n"
	    "#endifdef\n"
	    "^~~~~~~~~\n"
	    "hint: #endif goes with #if\n"
	    "m.cfg:2:1: note: it began here\n");
}

static void
sources_that_are_refused(void **state)
{
	size_t n = LIM_SOURCE + 1;
	char *big;

	(void)state;
	run(S("a\nb\0c"), S(""));
	assert_string_equal(messages(),
	    "a.pikt:2:2: error: NUL byte in the source\n"
	    "b\\x00c\n"
	    " ^\n"
	    "hint: a source is text; was this file damaged?\n");
	assert_int_equal(src.text.n, 0);
	afresh();
	big = malloc(n);
	assert_non_null(big);
	memset(big, '\n', n);
	run(str_of(big, n), S(""));
	assert_int_equal(d.nerror, 1);
	assert_int_equal(d.item[0].id, E_SOURCE_BIG);
	afresh();
	run(str_of(big, n - 1), S(""));
	assert_int_equal(d.nerror, 0);
	free(big);
}

static const char some[] =
	"// macros of the tests\n"
	"ps\t/bin/ps   // the old one\n"
	"logdir  /var/log\n"
	"piktalert critical\n"
	"empty\n"
	"two  first\n"
	"     second /* x */ third\n"
	"\n"
	"     fourth\n"
	"url http://a//b // gone\n"
	"glob  rm /tmp/*   /* gone */\n"
	"str output \"a // b\"\n"
	"nest =logdir/x\n"
	"a.b-c dotted\n";

static void
macros_expand(void **state)
{
	static const struct row row[] = {
		{ "=ps", "/bin/ps" }, { "x =ps y", "x /bin/ps y" },
		{ "\"=ps -ef\"", "\"/bin/ps -ef\"" },
		{ "\"a=empty=b\"", "\"a=empty=b\"" },
		{ "\"a =empty=b\"", "\"a b\"" },
		{ "=two", "first\n     second   third\n\n     fourth" },
		{ "=url", "http://a" },
		{ "=glob", "rm /tmp/*" },
		{ "=str", "output \"a // b\"" },
		{ "=nest", "/var/log/x" },
		{ "set #x =ps", "set #x /bin/ps" },
		/* where a name ends */
		{ "\"=piktalert=x.log\"", "\"criticalx.log\"" },
		{ "\"=piktalert=_x.log\"", "\"critical_x.log\"" },
		{ "\"=piktalert=_.log\"", "\"critical.log\"" },
		{ "\"=piktalert=_-1 =piktalert=_\"",
		    "\"critical-1 critical\"" },
		{ "=piktalert=_", "critical" },
		{ "\"=logdir.old\"", "\"/var/log.old\"" },
		{ "\"=logdir-x.y\"", "\"/var/log-x.y\"" },
		{ "\"see =logdir.\"", "\"see /var/log.\"" },
		{ "=a.b-c =a.b-c.d", "dotted dotted.d" },
		{ "\"=logdir/=piktalert.log\"", "\"/var/log/critical.log\"" },
		{ "\"=logdir$x\"", "\"/var/log$x\"" },
		{ "\"=logdir= x\"", "\"/var/log= x\"" },
		/* an operator wins, a word too */
		{ "a ==ps", "a ==ps" }, { "a >=ps", "a >=ps" },
		{ "a <=ps", "a <=ps" }, { "a !=ps", "a !=ps" },
		{ "a +=ps", "a +=ps" }, { "a -=ps", "a -=ps" },
		{ "a *=ps", "a *=ps" }, { "a /=ps", "a /=ps" },
		{ "a %=ps", "a %=ps" }, { "a .=ps", "a .=ps" },
		{ "a **=ps", "a **=ps" }, { "a &=ps", "a &=ps" },
		{ "a |=ps", "a |=ps" }, { "a ^=ps", "a ^=ps" },
		{ "a <<=ps", "a <<=ps" }, { "a >>=ps", "a >>=ps" },
		{ "a =~ps", "a =~ps" }, { "a = ps", "a = ps" },
		{ "a=ps", "a=ps" }, { "\"status=ps\"", "\"status=ps\"" },
		/* but in strings for what tells alerts apart */
		{ "\"a=piktalert 1=piktalert.x\"",
		    "\"acritical 1critical.x\"" },
		{ "a=piktalert '=piktalert'", "a=piktalert '=piktalert'" },
		{ "\"a=piktalerts a==piktalert\"",
		    "\"a=piktalerts a==piktalert\"" },
		{ "x_=ps 1=ps", "x_=ps 1=ps" }, { "\"x==ps\"", "\"x==ps\"" },
		{ "=1 =\n =", "=1 =\n =" },
		/* in strings these are paths and regexes */
		{ "\"x|=ps .=ps ^=ps &=ps\"",
		    "\"x|/bin/ps ./bin/ps ^/bin/ps &/bin/ps\"" },
		/* a plain = */
		{ "\"\\=ps\"", "\"\\=ps\"" }, { "a \\=ps", "a =ps" },
		{ "\"\\\\=ps\"", "\"\\\\/bin/ps\"" },
		/* raw strings are raw, also in what macros leave open */
		{ "'=ps' =ps", "'=ps' /bin/ps" },
		{ "\"it's =ps\" =ps", "\"it's /bin/ps\" /bin/ps" },
		{ "\"\"\"\n=ps\n\"\"\"", "\"\"\"\n/bin/ps\n\"\"\"" },
		{ "exec \"awk '{print \" =ps \"}'\"",
		    "exec \"awk '{print \" /bin/ps \"}'\"" },
		/* no parameters: the parenthesis is text */
		{ "=ps(x)", "/bin/ps(x)" },
	};

	(void)state;
	CHECK(some, row);
}

static void
arguments_are_put_in(void **state)
{
	static const char macros[] =
		"log(M)  output log \"=dir/(M).log\" (M)\n"
		"dir  /d\n"
		"f(A, B)  [(A)|(B)]\n"
		"fun(N)  #trunc(N) =one(N) $text(N) word(N) =dir/(N)\n"
		"one(X)  <(X)>\n"
		"var(v)  #(v) %(v) $(v)[(v)]\n"
		"none()  nothing\n"
		"long-name.x(P-q)  (P-q) (P) ( P-q )\n";
	static const struct row row[] = {
		{ "=log(x)", "output log \"/d/x.log\" x" },
		{ "=f(1, 2)", "[1|2]" },
		{ "=f( 1 ,\n\t2 )", "[1|2]" },
		{ "=f(,)", "[|]" },
		{ "=f(\"a,b\", (c, d))", "[\"a,b\"|(c, d)]" },
		{ "=f(\"(\", \"\\\")\")", "[\"(\"|\"\\\")\"]" },
		{ "=f(don't, it's)", "[don't|it's]" },
		{ "=f(output mail \"x\" $inline, )", "[output mail \"x\" $inline|]" },
		{ "\"=f($x, a b)\"", "\"[$x|a b]\"" },
		{ "=fun(3)", "#trunc(3) <3> $text(3) word3 /d/3" },
		{ "=var(x)", "#x %x $x[x]" },
		{ "=none() =none", "nothing nothing" },
		{ "=one(=one(=dir))", "<</d>>" },
		{ "=f(=f(1,2),=one(3))", "[[1|2]|<3>]" },
		{ "=f((A), (B))", "[(A)|(B)]" },	/* not put in twice */
		{ "=long-name.x(5)", "5 (P) ( P-q )" },
		{ "=one()", "<>" },
		{ "=one(a)b =one(a)=dir", "<a>b <a>/d" },
		{ "=one(x // c\n)", "<x>" },
	};

	(void)state;
	CHECK(macros, row);
}

static void
macro_mistakes(void **state)
{
	static const char macros[] =
		"logdir /var/log\n"
		"a =b\n"
		"b x =c y\n"
		"c =a\n"
		"f(A, B) (A)\n"
		"g(A) =f((A))\n"
		"self(X) =self((X))\n";

	(void)state;
	check_error("x =lgodir.\n", macros,
	    "a.pikt:1:3: error: unknown macro =lgodir\n"
	    "x =lgodir.\n"
	    "  ^~~~~~~\n"
	    "hint: did you mean =logdir? write \\= for a plain =\n");
	check_error("=completely-else", macros,
	    "a.pikt:1:1: error: unknown macro =completely-else\n"
	    "=completely-else\n"
	    "^~~~~~~~~~~~~~~~\n"
	    "hint: a plain = has a blank behind it\n");
	check_error(" =a\n", macros,
	    "m.cfg:4:3: error: macro =a expands itself: a -> b -> c -> a\n"
	    "c =a\n"
	    "  ^~\n"
	    "m.cfg:3:5: note: in macro =c, defined at m.cfg:4:1\n"
	    "m.cfg:2:3: note: in macro =b, defined at m.cfg:3:1\n"
	    "a.pikt:1:2: note: in macro =a, defined at m.cfg:2:1\n");
	check_error("=self(1)", macros,
	    "m.cfg:7:9: error: macro =self expands itself: self -> self\n"
	    "self(X) =self((X))\n"
	    "        ^~~~~\n"
	    "a.pikt:1:1: note: in macro =self, defined at m.cfg:7:1\n");
	check_error("=f(1) =f", macros,
	    "a.pikt:1:1: error: macro =f takes 2 arguments, not 1\n"
	    "=f(1) =f\n"
	    "^~\n"
	    "a.pikt:1:7: error: macro =f takes 2 arguments, not 0\n"
	    "=f(1) =f\n"
	    "      ^~\n");
	check_error("=f(1, (2)\nx", macros,
	    "a.pikt:1:1: error: the argument list of =f is never closed\n"
	    "=f(1, (2)\n"
	    "^~\n");
	/* Once, though it is used twice. */
	check_error("=g(1)\n=g(2)", macros,
	    "m.cfg:6:6: error: macro =f takes 2 arguments, not 1\n"
	    "g(A) =f((A))\n"
	    "     ^~\n"
	    "a.pikt:1:1: note: in macro =g, defined at m.cfg:6:1\n");
}

static void
definition_mistakes(void **state)
{
	(void)state;
	check_error("", "x 1\ny 2\nx 3\n",
	    "m.cfg:3:1: error: macro x is defined twice\n"
	    "x 3\n"
	    "^\n"
	    "m.cfg:1:1: note: first here\n");
	check_error("", "a=b\n(x) y\n  9z\n",
	    "m.cfg:1:1: error: this is no macro definition\n"
	    "a=b\n"
	    "^\n"
	    "hint: write: name body, or name(A, B) body, the name in column 1\n"
	    "m.cfg:2:1: error: this is no macro definition\n"
	    "(x) y\n"
	    "^\n"
	    "hint: write: name body, or name(A, B) body, the name in column 1\n");
	run(S(""), S("f(A, A) x\ng(1) x\nh(A x\ni(A,) x\n"));
	assert_int_equal(d.nerror, 4);
	afresh();
	check_error("", "x 1\n/* y\nz 2\n",
	    "m.cfg:2:1: error: comment is never closed\n"
	    "/* y\n"
	    "^~\n"
	    "hint: end it with */\n");
	run(S("=a =c"), S("a 1 /* x\nb 2\n*/ 3\n/* y\n*/\nc 4\n"));
	assert_int_equal(d.nerror, 0);
	assert_true(str_eq(buf_view(&src.text), S("1   3 4")));
}

static void
stronger_sources_win(void **state)
{
	const struct macro_value value[] = {
		{ S("a"), S("value") }, { S("twice"), S("1") },
		{ S("twice"), S("2") }, { S("f(X)"), S("<(X)>") },
		{ S("url"), S("http://x//y") }
	};
	const struct macro_value context[] = {
		{ S("a"), S("ctx") }, { S("b"), S("ctx") }, { S("c"), S("ctx") }
	};
	const struct macro_source file[] = {
		{ S("1.cfg"), S("a file1\nb file1\n") },
		{ S("2.cfg"), S("b file2\ne file2\n") }
	};
	const struct macro_source library[] = {
		{ S("l1"), S("c lib1\nd lib1\n") }, { S("l2"), S("d lib2\n") }
	};
	const struct compile_options opt = {
		.macro = value, .nmacro = 5, .macro_file = file,
		.nmacro_file = 2, .context = context, .ncontext = 3,
		.library = library, .nlibrary = 2
	};
	struct preprocess pp;

	(void)state;
	preprocess_init(&pp, &src, &d, &a, &opt);
	main_file = source_add(&src, S("a.pikt"),
	    S("=a =b =c =d =e =twice =f(1) =url"));
	preprocess_file(&pp, main_file);
	assert_string_equal(messages(), "");
	assert_true(str_eq(buf_view(&src.text),
	    S("value file1 ctx lib1 file2 2 <1> http://x//y")));
}

static void
value_mistakes(void **state)
{
	const struct macro_value value[] = {
		{ S("ok"), S("=nope") }, { S("1x"), S("") }, { S(""), S("") }
	};
	const struct compile_options opt = { .macro = value, .nmacro = 3 };
	struct preprocess pp;

	(void)state;
	preprocess_init(&pp, &src, &d, &a, &opt);
	assert_int_equal(d.nerror, 2);
	d.n = d.nerror = 0;
	preprocess_file(&pp, source_add(&src, S("a.pikt"), S("=ok")));
	assert_string_equal(messages(),
	    "-M ok:1:1: error: unknown macro =nope\n"
	    "=nope\n"
	    "^~~~~\n"
	    "hint: a plain = has a blank behind it\n"
	    "a.pikt:1:1: note: in macro =ok, defined at -M ok:1:1\n");
}

static void
depth_and_size_have_limits(void **state)
{
	char text[8192];
	size_t n = 0;
	int i;

	(void)state;
	for (i = 0; i < LIM_MACRO_DEPTH; i++)
		n += (size_t)snprintf(text + n, sizeof text - n,
		    "m%d =m%d\n", i, i + 1);
	snprintf(text + n, sizeof text - n, "m%d end\n", i);
	run(S("=m1"), str_c(text));
	assert_int_equal(d.nerror, 0);
	assert_true(str_eq(buf_view(&src.text), S("end")));
	afresh();
	run(S("=m0"), str_c(text));
	assert_int_equal(d.nerror, 1);
	assert_int_equal(d.item[0].id, E_MACRO_DEEP);
	afresh();
	/* Each doubles the last: must end soon, with one message. */
	for (i = 0, n = 0; i < 60; i++)
		n += (size_t)snprintf(text + n, sizeof text - n,
		    "m%d =m%d =m%d\n", i, i + 1, i + 1);
	snprintf(text + n, sizeof text - n, "m60\n");
	run(S("=m0"), str_c(text));
	assert_int_equal(d.nerror, 1);
	assert_int_equal(d.item[0].id, E_MACRO_BIG);
	afresh();
	for (i = 0, n = 0; i < 30; i++)
		n += (size_t)snprintf(text + n, sizeof text - n,
		    "m%d(X) =m%d((X)(X))\n", i, i + 1);
	snprintf(text + n, sizeof text - n, "m30(X) (X)\n");
	run(S("=m0(0123456789)"), str_c(text));
	assert_int_equal(d.nerror, 1);
	assert_int_equal(d.item[0].id, E_MACRO_BIG);
}

static void
nested_arguments_end(void **state)
{
	size_t n = 10000, i;
	char *t = malloc(4 * n);

	(void)state;
	assert_non_null(t);
	for (i = 0; i < n; i++)
		memcpy(t + 3 * i, "=f(", 3);
	memset(t + 3 * n, ')', n);
	run(str_of(t, 4 * n), S("f(X) (X)\n"));
	assert_int_equal(d.nerror, 1);
	assert_int_equal(d.item[0].id, E_MACRO_DEEP);
	afresh();
	run(str_of(t, 3 * n), S("f(X) (X)\n"));
	assert_in_range(d.nerror, 1, 1000);
	assert_int_equal(d.item[0].id, E_MACRO_ARG_OPEN);
	free(t);
}

/* Asserts the place of the first `what` in the text. */
static void
place_of(const char *what, uint32_t file, uint32_t line, uint32_t col,
    const char *macro)
{
	const char *p = memmem(src.text.p, src.text.n, what, strlen(what));
	struct place at;

	if (p == NULL)
		fail_msg("no %s", what);
	at = source_place(&src, (uint32_t)(p - src.text.p));
	if (at.file != file || at.line != line || at.col != col)
		fail_msg("%s at %u:%u:%u", what, at.file, at.line, at.col);
	if (macro == NULL)
		assert_int_equal(at.use, SOURCE_NONE);
	else
		assert_true(str_eq(src.use[at.use].macro, str_c(macro)));
}

static void
places_are_kept(void **state)
{
	uint32_t macro_file;

	(void)state;
	run(S("Foo // x\n"
	    "  /* y\n"
	    "  */ =out($me, \"t\")\n"
	    "/* z */ after =out(=in, 2)\n"
	    "Bar\n"),
	    S("in  inner\n"
	    "out(A, B)  output (A) // c\n"
	    "           trunc #abs(B) tail =in\n"));
	assert_string_equal(messages(), "");
	macro_file = main_file + 1;
	place_of("Foo", main_file, 1, 1, NULL);
	place_of("output", macro_file, 2, 12, "out");
	place_of("$me", main_file, 3, 11, NULL);
	place_of("trunc", macro_file, 3, 12, "out");
	place_of("#abs(", macro_file, 3, 18, "out");
	place_of("\"t\"", main_file, 3, 16, NULL);
	place_of(") tail", macro_file, 3, 24, "out");
	place_of("inner", macro_file, 1, 5, "in");
	place_of("after", main_file, 4, 9, NULL);
	place_of("2", main_file, 4, 25, NULL);
	place_of("Bar", main_file, 5, 1, NULL);
	assert_true(source_column_one(&src, 0));
	assert_true(source_column_one(&src, (uint32_t)src.text.n - 4));
	/* The inner use stands in the outer, an argument's in nothing. */
	assert_int_equal(src.nuse, 5);
	assert_int_equal(src.use[1].parent, 0);
	assert_int_equal(src.use[0].parent, SOURCE_NONE);
	assert_int_equal(src.use[3].parent, SOURCE_NONE);
	assert_int_equal(src.use[3].file, main_file);
	assert_int_equal(src.use[4].parent, 2);
	assert_int_equal(src.use[0].def_file, macro_file);
}

/* Whatever comes in, it ends, stays in bounds and loses nothing it owns. */
static void
noise_does_no_harm(void **state)
{
	static const char *const word[] = {
		"=a", "=b(", "=c", "(", ")", ",", "\"", "'", "\\", "\n", " ",
		"//", "/*", "*/", "#", "#if", "=", "${", "}", "\"\"\"", "exec ",
		"$upper(", "x", ".", "-", "A", "(A)", "#!", "\t", "\r", "==",
		"proc ", " . ", "=b(=a, ", "\xff"
	};
	char text[600], macros[600];
	uint32_t r = 12345;
	size_t n, k, i;
	int round;

	(void)state;
	for (round = 0; round < 5000; round++) {
		for (i = 0; i < 2; i++) {
			char *t = i == 0 ? text : macros;

			n = i == 0 ? 0 : (size_t)sprintf(t, "a x\nb(A, B) (A)");
			for (k = 0; k < 40; k++) {
				r = r * 1664525 + 1013904223;
				n += (size_t)sprintf(t + n, "%s", word[(r >> 8) %
				    (sizeof word / sizeof *word)]);
			}
			if (i == 1)
				sprintf(t + n, "\nc =b((, =a)\n");
		}
		run(str_c(text), str_c(macros));
		for (k = 0; k <= src.text.n; k++)
			source_place(&src, (uint32_t)k);
		messages();
		afresh();
	}
}

int
main(void)
{
#define T(f)	cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(comments_go),
		T(standalone_programs),
		T(directives_are_told),
		T(sources_that_are_refused),
		T(macros_expand),
		T(arguments_are_put_in),
		T(macro_mistakes),
		T(definition_mistakes),
		T(stronger_sources_win),
		T(value_mistakes),
		T(depth_and_size_have_limits),
		T(nested_arguments_end),
		T(places_are_kept),
		T(noise_does_no_harm),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("preprocess", tests, NULL, NULL);
}
