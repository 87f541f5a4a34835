/* directives: with a world of paper: files, commands, defines, hosts. */
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
static struct buf out, asked;
static struct compile_options opt;
static struct preprocess pp;

/* What the world has: path and text. */
static const struct {
	const char	*path, *text;
} files[] = {
	{ "a.inc", "in a\n" },
	{ "lib/b.inc", "in b\n#include \"c.inc\"\n" },
	{ "lib/c.inc", "in c" },
	{ "/etc/d.inc", "in d\n" },
	{ "data.inc", "don't \"quote" },
	{ "m.inc", "  =big =nosuch\n" },
	{ "wrong.inc", "#if linux\n#ifdef x\n#endifdef\n  =wrong\n#endif\n" },
};

static bool
fake_read(void *w, struct str path, struct str *text, struct str *why)
{
	size_t i;

	(void)w;
	buf_puts(&asked, "read ");
	buf_str(&asked, path);
	buf_puts(&asked, "; ");
	for (i = 0; i < sizeof files / sizeof *files; i++)
		if (str_eq(path, str_c(files[i].path))) {
			*text = str_c(files[i].text);
			return true;
		}
	*why = S("it is not there");
	return false;
}

static bool
fake_write(void *w, struct str path, struct str text, struct str *why)
{
	(void)w;
	buf_printf(&asked, "write %.*s %.*s; ", (int)path.n, path.p,
	    (int)text.n, text.p);
	*why = S("it is full");
	return !str_eq(path, S("full"));
}

static struct str
fake_env(void *w, struct str name)
{
	(void)w;
	return str_eq(name, S("HOME")) ? S("/home/me") : STR_NIL;
}

/* "=N text" ends with status N, "!" fails. */
static bool
fake_run(void *w, struct str command, const struct environment *env,
    size_t nenv, struct str *text, int *status, struct str *why)
{
	size_t i;

	(void)w;
	buf_printf(&asked, "run %.*s", (int)command.n, command.p);
	for (i = 0; i < nenv; i++) {
		buf_printf(&asked, " %.*s=", (int)env[i].name.n,
		    env[i].name.p);
		buf_str(&asked, env[i].value);
	}
	buf_puts(&asked, "; ");
	if (str_eq(command, S("!"))) {
		*why = S("it broke");
		return false;
	}
	if (command.p[0] == '=') {
		*status = command.p[1] - '0';
		command = str_of(command.p + 2, command.n - 2);
	}
	*text = command;
	return true;
}

static bool
fake_pikt(void *w, struct str statements, const struct environment *env,
    size_t nenv, struct str *why)
{
	(void)w;
	(void)env;
	(void)nenv;
	*why = S("it broke");
	buf_printf(&asked, "pikt %.*s; ", (int)statements.n, statements.p);
	return !str_eq(statements, S("!"));
}

static const struct compile_world paper = { NULL, fake_read, fake_write,
    fake_env, fake_run, fake_pikt };

static int
setup(void **state)
{
	static const struct str member[] = { STR_LIT("linux"),
	    STR_LIT("host-1.example"), STR_LIT("1st") };

	(void)state;
	mem_init(&m, MANY, NULL);
	arena_init(&a, &m, 4096);
	source_init(&src, &m, &a);
	diag_init(&d, &src, &a);
	buf_init(&out, &m);
	buf_init(&asked, &m);
	opt = (struct compile_options){ .world = &paper, .member = member,
	    .nmember = 3 };
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	buf_free(&out);
	buf_free(&asked);
	source_free(&src);
	arena_free(&a);
	return m.used != 0;
}

static void
afresh(void)
{
	struct compile_options o = opt;

	teardown(NULL);
	setup(NULL);
	opt = o;
}

typedef void reader(struct preprocess *, uint32_t);

static void
run_as(reader *read, const char *text)
{
	uint32_t file = source_add(&src, S("a.pikt"), str_c(text));

	preprocess_init(&pp, &src, &d, &a, &opt);
	read(&pp, file);
}

static const char *
messages(void)
{
	buf_clear(&out);
	diag_render(&d, &out, false);
	return buf_c(&out);
}

/* The text becomes that, without a word. */
static void
gives(reader *read, const char *text, const char *want)
{
	run_as(read, text);
	assert_string_equal(messages(), "");
	assert_string_equal(buf_c(&src.text), want);
	afresh();
}

static void
says(reader *read, const char *text, const char *want)
{
	run_as(read, text);
	assert_string_equal(messages(), want);
	afresh();
}

/* What the world was asked. */
static void
asks(const char *text, const char *want)
{
	run_as(preprocess_file, text);
	assert_string_equal(messages(), "");
	assert_string_equal(buf_c(&asked), want);
	afresh();
}

static void
blocks_keep_lines(void **state)
{
	(void)state;
	gives(preprocess_file, "a\n#if linux\nb\n#else\nc\n#endif\nd",
	    "a\nb\nd");
	gives(preprocess_file, "#if ! linux\nb\n#else\nc\n#endif", "c\n");
	gives(preprocess_file, "#if host-1.example & 1st\nb\n#endif\n", "b\n");
	gives(preprocess_file, "#if linux\n#if no\n#if linux\na\n#endif\nb\n"
	    "#else\nc\n#endif\nd\n#endif\n", "c\nd\n");
	gives(preprocess_file, "#if no\n\"#endif\n\"\"\"\n#endif\n\"\"\"\na\n"
	    "#endif\nb", "b");
	gives(preprocess_file, "x /* \n#if no\n*/ y\n", "x \n\n y\n");
	gives(preprocess_file, "#\tif\tlinux\t/* a\nb */ // c\nx\n#endif /**/",
	    "x\n");
	/* an apostrophe is none */
	gives(preprocess_file, "don't\n#if no\ndon't\n#endif\nit's",
	    "don't\nit's");
}

static void
includes_are_found(void **state)
{
	(void)state;
	gives(preprocess_file, "x\n#include \"a.inc\"\ny", "x\nin a\ny");
	gives(preprocess_file, "#include \"lib/b.inc\"\n#include \"/etc/d.inc\"",
	    "in b\nin c\nin d\n");
	gives(preprocess_file, "#include <a.inc>", "in a\n");
	opt.include_dir = S("lib");
	gives(preprocess_file, "#include <b.inc>\n#include \"a.inc\"",
	    "in b\nin c\nin a\n");
	opt.include_dir = S("lib/");
	gives(preprocess_file, "#include <c.inc>", "in c\n");
	opt.include_dir = STR_NIL;
	gives(preprocess_file, "#include [hello]", "hello\n");
	gives(preprocess_file, "#include [ [a] ']' \"[\" \\] b ]",
	    "[a] ']' \"[\" \\] b\n");
	gives(preprocess_file, "#indent\na\n\n#include \"a.inc\"\n#unindent\nb",
	    "\ta\n\t\n\tin a\nb");
	gives(preprocess_config, "x\n#verbatim [#if // =y]\nz",
	    "x\n\t#if // =y\nz");
	gives(preprocess_file, "#verbatim \"data.inc\"\n'a' // c",
	    "\tdon't \"quote\n'a'  ");
}

static void
plain_texts(void **state)
{
	(void)state;
	gives(preprocess_plain, "a =b // c\n#include \"a.inc\"\n#verbatim [-=x]\n",
	    "a =b  \nin a\n\t-=x\n");
	says(preprocess_plain, "#define x\na\n",
	    "a.pikt:1:1: error: #define has no meaning here\n"
	    "#define x\n"
	    "^~~~~~~\n"
	    "hint: this file takes #include and #verbatim only\n");
	/* several in turn: each begins a line */
	run_as(preprocess_plain, "a");
	run_as(preprocess_plain, "b");
	assert_string_equal(buf_c(&src.text), "a\nb");
	assert_true(source_column_one(&src, 0));
	assert_true(source_column_one(&src, 2));
	afresh();
	run_as(preprocess_config, "#indent\na\n#unindent\nb\n");
	assert_string_equal(buf_c(&src.text), "\ta\nb\n");
	assert_false(source_column_one(&src, 1));
	assert_true(source_column_one(&src, 3));
	afresh();
}

static void
the_world_is_asked(void **state)
{
	(void)state;
	asks("#exec [a]\n#set X = \"1 $HOME\"\n#set Y\n#exec [b]\n#unset X\n"
	    "#exec [c]\n", "run a; run b X=1 /home/me Y=1; "
	    "run c X=<<NIL>> Y=1; ");
	asks("#setdef x = [=1]\n#ifdef x\n#exec [a]\n#elsedef\n#exec [b]\n"
	    "#endifdef\n", "run =1; run b; ");
	asks("#if no\n#include [a]\n#exec [b]\n#setdef x = [c]\n#pexec [d]\n"
	    "#set X\n#endif\n", "");
	asks("#pexec [a b]\n#pexec \"/dev/null\" [c]\n", "pikt a b; ");
	asks("#include \"a.inc\" [make]\n#exec \"/dev/null\" [b]\n",
	    "read a.inc; ");
	opt.renew = true;
	asks("#include \"a.inc\" [make]\n#exec \"/dev/null\" [b]\n"
	    "#exec \"x\" [c]\n#pexec \"/dev/null\" [d]\n",
	    "run make; write a.inc make; read a.inc; run b; run c; "
	    "write x c; pikt d; ");
	says(preprocess_file, "#exec \"full\" [b]\n",
	    "a.pikt:1:1: error: cannot write full: it is full\n"
	    "#exec \"full\" [b]\n"
	    "^~~~~\n");
	opt.renew = false;
	says(preprocess_file, "#exec [!]\n#pexec [!]\n#exec [=3]\n",
	    "a.pikt:1:8: error: the command failed: it broke\n"
	    "#exec [!]\n"
	    "       ^\n"
	    "a.pikt:2:9: error: the command failed: it broke\n"
	    "#pexec [!]\n"
	    "        ^\n"
	    "a.pikt:3:8: warning: the command ended with status 3\n"
	    "#exec [=3]\n"
	    "       ^~\n");
	opt.world = NULL;
	says(preprocess_file, "#include \"a.inc\"\n#exec [a]\n#set X = \"$Y\"\n",
	    "a.pikt:1:1: error: nothing can be included here\n"
	    "#include \"a.inc\"\n"
	    "^~~~~~~~\n"
	    "a.pikt:2:8: error: commands of directives are not run here\n"
	    "#exec [a]\n"
	    "       ^\n"
	    "a.pikt:3:11: error: the environment has no Y\n"
	    "#set X = \"$Y\"\n"
	    "          ^~\n"
	    "hint: write \\$ for a plain $\n");
}

static void
files_of_defines(void **state)
{
	static const struct macro_source good[] = {
		{ STR_LIT("defines.cfg"), STR_LIT("// c\n"
		    "yes TRUE\nneg  off\nbelow\n\t1 /* c */\n"
		    "host\n#if linux\n\tTRUE\n#else\n\tFALSE\n#endif\n"
		    "early\n#ifdef yes\n  on\n#elsedef\n  off\n#endifdef\n"
		    "#include \"more.inc\"\n#setdef set = neg\n") },
		{ STR_LIT("other.cfg"), STR_LIT("yes FALSE\n") },
	};
	static const struct macro_source bad = { STR_LIT("d.cfg"), STR_LIT(
	    "yes TRUE\n  stray\n1st TRUE\nnone\nmaybe MAYBE\nyes FALSE\n"
	    "two TRUE FALSE\n#ifdef later\n#endifdef\nlater TRUE\nlast") };
	static const struct define option[] = { { STR_LIT("neg"), true },
	    { STR_LIT("early"), false } };

	(void)state;
	opt.define_file = good;
	opt.ndefine_file = 1;
	run_as(preprocess_file, "");
	assert_string_equal(messages(),
	    "defines.cfg:18:10: error: cannot read more.inc: it is not "
	    "there\n"
	    "#include \"more.inc\"\n"
	    "         ^~~~~~~~~~\n");
	afresh();
	run_as(preprocess_file, "#ifdef yes\n1\n#endifdef\n#ifdef neg\n2\n"
	    "#endifdef\n#ifdef below\n3\n#endifdef\n#ifdef host\n4\n"
	    "#endifdef\n#ifdef early\n5\n#endifdef\n#ifdef set\n6\n"
	    "#endifdef\n");
	assert_string_equal(buf_c(&src.text), "1\n3\n4\n5\n");
	afresh();
	/* options win over files, whatever the files say of themselves */
	opt.define = option;
	opt.ndefine = 2;
	run_as(preprocess_file, "#ifdef neg\n2\n#endifdef\n#ifdef early\n5\n"
	    "#endifdef\n#ifdef set\n6\n#endifdef\n#undef neg\n#ifdef neg\n7\n"
	    "#endifdef\n");
	assert_string_equal(buf_c(&src.text), "2\n6\n");
	afresh();
	opt.ndefine = 0;
	opt.define_file = &bad;
	says(preprocess_file, "#ifdef later\n#elifdef maybe\n#endifdef\n",
	    "d.cfg:2:3: error: this is no define\n"
	    "  stray\n"
	    "  ^~~~~\n"
	    "hint: write: name TRUE or name FALSE, the name in column 1\n"
	    "d.cfg:3:1: error: this is no define\n"
	    "1st TRUE\n"
	    "^~~\n"
	    "hint: write: name TRUE or name FALSE, the name in column 1\n"
	    "d.cfg:4:1: error: this is no define\n"
	    "none\n"
	    "^~~~\n"
	    "hint: write: name TRUE or name FALSE, the name in column 1\n"
	    "d.cfg:5:7: error: MAYBE is no truth value\n"
	    "maybe MAYBE\n"
	    "      ^~~~~\n"
	    "hint: one of TRUE YES ON 1 FALSE NO OFF 0\n"
	    "d.cfg:6:1: error: define yes is registered twice\n"
	    "yes FALSE\n"
	    "^~~\n"
	    "d.cfg:1:1: note: first here\n"
	    "d.cfg:7:10: error: this is no define\n"
	    "two TRUE FALSE\n"
	    "         ^~~~~\n"
	    "hint: write: name TRUE or name FALSE, the name in column 1\n"
	    "d.cfg:8:8: error: unknown define later\n"
	    "#ifdef later\n"
	    "       ^~~~~\n"
	    "hint: register it: -D later=FALSE, or a line later FALSE in "
	    "defines.cfg\n"
	    "d.cfg:11:1: error: this is no define\n"
	    "last\n"
	    "^~~~\n"
	    "hint: write: name TRUE or name FALSE, the name in column 1\n");
	/* a file of defines and another: the first one counts */
	opt.define_file = good + 1;
	run_as(preprocess_file, "#ifdef yes\n1\n#endifdef\n");
	assert_string_equal(buf_c(&src.text), "");
	afresh();
}

static void
names_that_nobody_registered(void **state)
{
	static const struct str registered[] = { STR_LIT("linux"),
	    STR_LIT("dbserver"), STR_LIT("webserver") };

	(void)state;
	opt.registered = registered;
	opt.nregistered = 3;
	says(preprocess_file, "#if dbserver | linux\n#elif dbservr\n#endif\n"
	    "#if linux & webservers\n#elif nothing\n#endif\n",
	    "a.pikt:4:13: warning: no host, group or system is called "
	    "webservers\n"
	    "#if linux & webservers\n"
	    "            ^~~~~~~~~~\n"
	    "hint: did you mean webserver?\n"
	    "a.pikt:5:7: warning: no host, group or system is called nothing\n"
	    "#elif nothing\n"
	    "      ^~~~~~~\n");
}

static void
places_survive(void **state)
{
	static const struct macro_value value = { STR_LIT("big"),
	    STR_LIT("one two") };
	static const struct macro_source file = { STR_LIT("m.cfg"), STR_LIT(
	    "#if no\nwrong 1\n#else\nwrong\n\t(=nosuch)\n#endif\n") };
	struct place p;
	size_t i;

	(void)state;
	opt.macro = &value;
	opt.nmacro = 1;
	opt.macro_file = &file;
	opt.nmacro_file = 1;
	run_as(preprocess_file, "x\n#if linux\n#include \"m.inc\"\n#endif\n"
	    "  y // z\n#include [p\nq]\nFoo");
	assert_string_equal(messages(),
	    "m.inc:1:8: error: unknown macro =nosuch\n"
	    "  =big =nosuch\n"
	    "       ^~~~~~~\n"
	    "hint: a plain = has a blank behind it\n"
	    "included from a.pikt:3:1\n");
	assert_string_equal(buf_c(&src.text), "x\n  one two \n  y  \np\nq\nFoo");
	i = (size_t)(strstr(buf_c(&src.text), "two") - src.text.p);
	p = source_place(&src, (uint32_t)i);
	assert_int_equal(p.col, 5);
	assert_int_equal(src.use[p.use].off, 2);
	assert_true(str_eq(src.file[src.use[p.use].file].name, S("m.inc")));
	p = source_place(&src, (uint32_t)i + 7);
	assert_int_equal(p.file, 0);
	assert_int_equal(p.line, 5);
	assert_int_equal(p.col, 3);
	p = source_place(&src, (uint32_t)src.text.n - 5);
	assert_true(str_eq(src.file[p.file].name, S("[p\\nq]")));
	assert_int_equal(p.line, 2);
	assert_true(source_column_one(&src, (uint32_t)src.text.n - 5));
	p = source_place(&src, (uint32_t)src.text.n - 3);
	assert_int_equal(p.line, 8);
	assert_true(source_column_one(&src, (uint32_t)src.text.n - 3));
	assert_false(source_column_one(&src, (uint32_t)src.text.n - 2));
	afresh();

	/* an include, in it an #if, in it a macro, in it the mistake */
	says(preprocess_file, "#define x\n  ok\n#if linux\n"
	    "#  include \"wrong.inc\"\n#endif\n",
	    "m.cfg:5:3: error: unknown macro =nosuch\n"
	    "\t(=nosuch)\n"
	    "\t ^~~~~~~\n"
	    "hint: a plain = has a blank behind it\n"
	    "wrong.inc:4:3: note: in macro =wrong, defined at m.cfg:4:1\n"
	    "included from a.pikt:4:1\n");
}

#define T(f)	cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(blocks_keep_lines),
		T(includes_are_found),
		T(plain_texts),
		T(the_world_is_asked),
		T(files_of_defines),
		T(names_that_nobody_registered),
		T(places_survive),
	};

	return cmocka_run_group_tests_name("directive", tests, NULL, NULL);
}
