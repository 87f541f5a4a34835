/* fill: what comes of a command template and values, and what is refused. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/command/spec.h"

#define NIL	"\1NIL"
#define ERR	"\1ERR"

/* What comes of values: arguments, | between them, or why not. */
static const struct { const char *spec, *value[3], *gives, *why; } fills[] = {
	{ "ls", { 0 }, "ls", 0 },
	{ "ls '' @x@", { "" }, "ls||", 0 },
	{ "ls @x@@y@", { "a b", "*" }, "ls|a b*", 0 },
	{ "ls;", { 0 }, "/bin/sh|-c|\nls;|sh", 0 },
	{ "-x; ls", { 0 }, "/bin/sh|-c|\n-x; ls|sh", 0 },
	{ "ls @x@;", { "a'b" },
	    "/bin/sh|-c|__p1=${1} ; set --\nls \"${__p1}\";|sh|a'b", 0 },
	{ "ls \"@x@\" '@y@' $(a @z@)", { "1", "2", "3" },
	    "/bin/sh|-c|__p1=${1} __p2=${2} __p3=${3} ; set --\n"
	    "ls \"${__p1}\" ''\"${__p2}\"'' $(a \"${__p3}\")|sh|1|2|3", 0 },
	{ "ls <<E\n@x@\nE\n", { "1" }, "/bin/sh|-c|__p1=${1} ; set --\n"
	    "ls <<E\n${__p1}\nE\n|sh|1", 0 },

	/* rule 2: the command */
	{ "/a/@x@ b", { "c" }, "/a/c|b", 0 },
	{ "/a/@x@", { "c/d" }, 0, "$x: \"c/d\": names the command, so it is "
	    "not empty and has no / (rule 2)" },
	{ "/a/@x@", { "" }, 0, "$x: \"\": names the command, so it is "
	    "not empty and has no / (rule 2)" },
	{ "/a/@x@", { ".." }, 0, "$x: \"..\": a .. in a path is not run "
	    "(rule 5)" },
	{ "/a/@x@;", { "c/d" }, 0, "$x: \"c/d\": names the command, so it is "
	    "not empty and has no / (rule 2)" },

	/* rule 3 */
	{ "sh -c 'a @x@'", { "b/c_D-1.2@3:+,=%" },
	    "sh|-c|a b/c_D-1.2@3:+,=%", 0 },
	{ "sh -c 'a @x@'", { "" }, "sh|-c|a ", 0 },
	{ "sh -c 'a @x@'", { "b c" }, 0, "$x: \"b c\": is in a word that is "
	    "a program, so only A-Z a-z 0-9 and _.@:+,=%-/ may be in it "
	    "(rule 3)" },
	{ "sh -c 'a @x@'", { "-b" }, 0, "$x: \"-b\": a value that begins with "
	    "\"-\" is not run (rule 4: write -- before it, or $opt())" },
	{ "sh -c 'a \"@x@\"'", { "-b" }, 0, "$x: \"-b\": a value that begins "
	    "with \"-\" is not run (rule 4: write -- before it, or $opt())" },
	{ "sh -c 'a @o:x@'", { "-b" }, "sh|-c|a -b", 0 },
	{ "sh -c 'a b@x@ /@y@'", { "-b", "-c" }, "sh|-c|a b-b /-c", 0 },
	{ "sh -c 'a @x@@y@'", { "", "-b" }, 0, "$y: \"-b\": a value that "
	    "begins with \"-\" is not run (rule 4: write -- before it, or "
	    "$opt())" },
	{ "sh -c 'a @x@@y@'", { "b", "-b" }, "sh|-c|a b-b", 0 },
	{ "sh -c 'rm -rf /a/@x@; b'", { "" }, 0, "$x: \"\": an empty value "
	    "would shorten a path (rule 5)" },
	{ "sh -c 'rm -rf \"@x@\"/*'", { "" }, 0, "$x: \"\": an empty value "
	    "would shorten a path (rule 5)" },
	{ "sh -c 'rm -rf /a/\"@x@\"'", { ".." }, 0, "$x: \"..\": a .. in a "
	    "path is not run (rule 5)" },
	{ "sh -c 'rm @x@ /a'", { "" }, "sh|-c|rm  /a", 0 },
	{ "awk '/@x@/'", { "a\\/b" }, "awk|/a\\/b/", 0 },
	{ "awk '/@x@/'", { "a/b" }, 0, "$x: \"a/b\": is in a word that is a "
	    "program, so only A-Z a-z 0-9 and _.@:+,=%- and \\/ may be in it "
	    "(rule 3)" },
	{ "awk @x@", { "a\\" }, 0, "$x: \"a\\\": is in a word that is a "
	    "program, so only A-Z a-z 0-9 and _.@:+,=%- and \\/ may be in it "
	    "(rule 3)" },
	{ "ssh h awk @x@", { "a/b" }, "ssh|h|awk|a/b", 0 },
	{ "ssh h sed @x@ @w:y@", { "a", "b c" }, "ssh|h|sed|a|b|c", 0 },
	{ "ssh h a @w:y@", { "b c;d" }, 0, "$y: \"c;d\": is in a word that is "
	    "a program, so only A-Z a-z 0-9 and _.@:+,=%-/ may be in it "
	    "(rule 3)" },
	{ "su -c '@r:x@' @u@;", { "a; b", "root" }, "/bin/sh|-c|__p1=${1} "
	    "__p2=${2} ; set --\nsu -c ''\"${__p1}\"'' \"${__p2}\";|sh|a; b|"
	    "root", 0 },

	/* rule 4 */
	{ "rm @user@", { "-rf" }, 0, "$user: \"-rf\": a value that begins "
	    "with \"-\" is not run (rule 4: write -- before it, or $opt())" },
	{ "rm \"@x@\";", { "-rf" }, 0, "$x: \"-rf\": a value that begins "
	    "with \"-\" is not run (rule 4: write -- before it, or $opt())" },
	{ "rm @n:x@", { "-1" }, 0, "$x: \"-1\": a value that begins "
	    "with \"-\" is not run (rule 4: write -- before it, or $opt())" },
	{ "rm @x@@y@", { "", "-1" }, 0, "$y: \"-1\": a value that begins "
	    "with \"-\" is not run (rule 4: write -- before it, or $opt())" },
	{ "rm @x@@y@", { "a", "-1" }, "rm|a-1", 0 },
	{ "rm a@x@", { "-1" }, "rm|a-1", 0 },
	{ "rm -- @x@", { "-rf" }, "rm|--|-rf", 0 },
	{ "rm @o:x@", { "-rf" }, "rm|-rf", 0 },
	{ "sudo -- rm @x@", { "-rf" }, 0, "$x: \"-rf\": a value that begins "
	    "with \"-\" is not run (rule 4: write -- before it, or $opt())" },
	{ "rm @w:x@", { "a -b" }, 0, "$x: \"-b\": a value that begins "
	    "with \"-\" is not run (rule 4: write -- before it, or $opt())" },
	{ "rm -- @w:x@", { "a -b" }, "rm|--|a|-b", 0 },
	{ "A=@x@ b", { "-1" }, "/bin/sh|-c|__p1=${1} ; set --\n"
	    "A=\"${__p1}\" b|sh|-1", 0 },
	{ "kill @p@", { "17" }, "kill|17", 0 },
	{ "kill @p@", { "2147483647" }, "kill|2147483647", 0 },
	{ "kill @p@", { "2147483648" }, 0, "$p: \"2147483648\": kill takes "
	    "only integers above 1 (rule 4)" },
	{ "kill @p@", { "18446744073709551615" }, 0, "$p: "
	    "\"18446744073709551615\": kill takes only integers above 1 "
	    "(rule 4)" },
	{ "kill @p@", { "1" }, 0, "$p: \"1\": kill takes only integers above "
	    "1 (rule 4)" },
	{ "kill @p@", { "0" }, 0, "$p: \"0\": kill takes only integers above "
	    "1 (rule 4)" },
	{ "kill -- @p@", { "-1" }, 0, "$p: \"-1\": kill takes only integers "
	    "above 1 (rule 4)" },
	{ "kill @o:p@", { "-1" }, 0, "$p: \"-1\": kill takes only integers "
	    "above 1 (rule 4)" },
	{ "kill @p@", { "" }, 0, "$p: \"\": kill takes only integers above 1 "
	    "(rule 4)" },
	{ "kill @p@", { "017" }, 0, "$p: \"017\": kill takes only integers "
	    "above 1 (rule 4)" },
	{ "kill @p@", { "17.5" }, 0, "$p: \"17.5\": kill takes only integers "
	    "above 1 (rule 4)" },
	{ "kill @p@;", { "1 " }, 0, "$p: \"1 \": kill takes only integers "
	    "above 1 (rule 4)" },
	{ "kill @w:p@", { " 12\t34\n" }, "kill|12|34", 0 },
	{ "kill @w:p@", { "12 -1" }, 0, "$p: \"-1\": kill takes only integers "
	    "above 1 (rule 4)" },
	{ "kill -@s@ @p@", { "HUP", "12" }, "kill|-HUP|12", 0 },
	{ "kill -@s@ @p@", { "-1", "12" }, 0, "$s: \"-1\": is no signal: "
	    "A-Z and 0-9 only (rule 4)" },
	{ "kill -s @s@ 12", { "" }, 0, "$s: \"\": is no signal: "
	    "A-Z and 0-9 only (rule 4)" },

	/* rule 5 */
	{ "ls @x@", { NIL }, 0, "$x: NIL is not run (rule 5)" },
	{ "ls @x@", { ERR }, 0, "$x: ERR is not run (rule 5)" },
	{ "ls @x@;", { NIL }, 0, "$x: NIL is not run (rule 5)" },
	{ "ls @w:x@", { NIL }, 0, "$x: NIL is not run (rule 5)" },
	{ "ls @r:x@", { NIL }, 0, "$x: NIL is not run (rule 5)" },
	{ "ls @x@", { "<<NIL>>" }, 0, "$x: \"<<NIL>>\": no value is not run "
	    "(rule 5)" },
	{ "ls a@x@", { "" }, "ls|a", 0 },
	{ "ls @x@/*", { "" }, 0, "$x: \"\": an empty value would shorten a "
	    "path (rule 5)" },
	{ "ls @x@/a", { "" }, 0, "$x: \"\": an empty value would shorten a "
	    "path (rule 5)" },
	{ "ls /a/@x@", { "" }, 0, "$x: \"\": an empty value would shorten a "
	    "path (rule 5)" },
	{ "ls /a/@x@/b", { "" }, 0, "$x: \"\": an empty value would shorten a "
	    "path (rule 5)" },
	{ "ls /a/@x@@y@", { "", "" }, 0, "$y: \"\": an empty value would "
	    "shorten a path (rule 5)" },
	{ "ls /a/@x@@y@", { "", "b" }, "ls|/a/b", 0 },
	{ "ls /a/b@x@", { "" }, "ls|/a/b", 0 },
	{ "ls /a/@x@.b", { "" }, "ls|/a/.b", 0 },
	{ "ls @x@a/b", { "" }, "ls|a/b", 0 },
	{ "ls --a=@x@/b", { "" }, 0, "$x: \"\": an empty value would shorten "
	    "a path (rule 5)" },
	{ "ls h:@x@/b", { "" }, 0, "$x: \"\": an empty value would shorten "
	    "a path (rule 5)" },
	{ "ls 'http://a/?b=@x@'", { "" }, "ls|http://a/?b=", 0 },
	{ "ls /a/@x@", { "b/c//d/" }, "ls|/a/b/c//d/", 0 },
	{ "ls /a/@x@", { "/b" }, "ls|/a//b", 0 },
	{ "ls /a/@x@", { ".." }, 0, "$x: \"..\": a .. in a path is not run "
	    "(rule 5)" },
	{ "ls /a/@x@", { "b/../c" }, 0, "$x: \"b/../c\": a .. in a path is "
	    "not run (rule 5)" },
	{ "ls /a/@x@", { "../../etc" }, 0, "$x: \"../../etc\": a .. in a "
	    "path is not run (rule 5)" },
	{ "ls @x@/b", { ".." }, 0, "$x: \"..\": a .. in a path is not run "
	    "(rule 5)" },
	{ "ls @x@/b", { "a/.." }, 0, "$x: \"a/..\": a .. in a path is not run "
	    "(rule 5)" },
	{ "ls /a/.@x@", { "." }, 0, "$x: \".\": a .. in a path is not run "
	    "(rule 5)" },
	{ "ls /a/.@x@", { "./b" }, 0, "$x: \"./b\": a .. in a path is not run "
	    "(rule 5)" },
	{ "ls /a/@x@@y@", { ".", "." }, 0, "$y: \".\": a .. in a path is not "
	    "run (rule 5)" },
	{ "ls /a/@x@./b", { "." }, 0, "$x: \".\": a .. in a path is not run "
	    "(rule 5)" },
	{ "ls /a/@x@", { "..b" }, "ls|/a/..b", 0 },
	{ "ls /a/@x@", { "b.." }, "ls|/a/b..", 0 },
	{ "ls /a/@x@", { "..." }, "ls|/a/...", 0 },
	{ "ls /a/../@x@", { "b" }, "ls|/a/../b", 0 },
	{ "ls @x@", { "../b" }, "ls|../b", 0 },
	{ "ls >/a/@x@", { "../b" }, 0, "$x: \"../b\": a .. in a path is not "
	    "run (rule 5)" },
	{ "A=/a/@x@ b", { "" }, 0, "$x: \"\": an empty value would shorten a "
	    "path (rule 5)" },
	{ "ls $B@x@/*", { "" }, 0, "$x: \"\": an empty value would shorten a "
	    "path (rule 5)" },
	{ "ls \"$(a /b/@x@)\"", { "" }, 0, "$x: \"\": an empty value would "
	    "shorten a path (rule 5)" },

	/* rule 6 */
	{ "ls ~@u@/a", { "root" }, "ls|/root/a", 0 },
	{ "ls ~@u@;", { "root" }, "/bin/sh|-c|__p1=${1} ; set --\n"
	    "ls \"${__p1}\";|sh|/root", 0 },
	{ "ls ~@u@", { "" }, 0, "$u: \"\": no user with a home of that name "
	    "(rule 6)" },
	{ "ls ~@u@", { "no such user" }, 0, "$u: \"no such user\": no user "
	    "with a home of that name (rule 6)" },
	{ "ls @x@ a~@y@", { "~root", "root" }, "ls|~root|a~root", 0 },

	/* rules 7 and 8 */
	{ "ls @w:x@ a", { "b  c\td\ne" }, "ls|b|c|d|e|a", 0 },
	{ "ls @w:x@ a", { " " }, "ls|a", 0 },
	{ "ls @w:x@ a", { "b '* $(c)" }, "ls|b|'*|$(c)|a", 0 },
	{ "ls @x@ @w:y@ @z@;", { "1", "2 3", "4" }, "/bin/sh|-c|__p1=${1} "
	    "__p2=${2} __p3=${3} __p4=${4} ; set --\nls \"${__p1}\" "
	    "\"${__p2}\" \"${__p3}\" \"${__p4}\";|sh|1|2|3|4", 0 },
	{ "ls @w:x@;", { "" }, "/bin/sh|-c|\nls ;|sh", 0 },
	{ "@r:x@", { "a 'b'" }, "/bin/sh|-c|\na 'b'|sh", 0 },
	{ "@r:x@ @y@", { "-a", "b" }, "/bin/sh|-c|__p1=${1} ; set --\n"
	    "-a \"${__p1}\"|sh|b", 0 },

	/* messages are one line */
	{ "ls @x@", { "-a\nb\t\x01\xff" }, 0, "$x: \"-a\\nb\\t\\x01\\xff\": "
	    "a value that begins with \"-\" is not run (rule 4: write -- "
	    "before it, or $opt())" },
};

static void
test_fill(void **state)
{
	struct str value[3];
	struct spec sp;
	struct buf b;
	size_t i, k, wrong = 0;
	bool good;

	(void)state;
	for (i = 0; i < sizeof fills / sizeof *fills; i++) {
		spec_make(&sp, fills[i].spec, strlen(fills[i].spec));
		if (!sp.good)
			fail_msg("%s", fills[i].spec);
		for (k = 0; k < 3; k++) {
			value[k] = str_c(fills[i].value[k]);
			if (!str_none(value[k]) && value[k].n == 4 &&
			    value[k].p[0] == '\1')
				value[k] = value[k].p[1] == 'N' ? STR_NIL :
				    STR_ERR;
		}
		buf_init(&b, &sp.mem);
		good = spec_fill(&sp, value);
		if (good) {
			assert_int_equal(sp.why.n, 0);
			assert_int_equal(sp.cmd.shell, sp.tpl.shell);
			for (k = 0; k < sp.cmd.argc; k++) {
				if (k > 0)
					buf_putc(&b, '|');
				buf_puts(&b, sp.cmd.argv[k]);
			}
			assert_null(sp.cmd.argv[k]);
		} else
			buf_str(&b, buf_view(&sp.why));
		if (good != (fills[i].why == NULL) || strcmp(buf_c(&b), good ?
		    fills[i].gives : fills[i].why) != 0) {
			print_error("%s\n gives  %s\n not    %s\n",
			    fills[i].spec, buf_c(&b), fills[i].why == NULL ?
			    fills[i].gives : fills[i].why);
			wrong++;
		}
		buf_free(&b);
		spec_free(&sp);
	}
	assert_int_equal(wrong, 0);
}

/* Sizes, and more positional values than have one digit. */
static void
test_fill_limits(void **state)
{
	static const char *const specs[] = { "ls @x@", "ls @x@;" };
	struct str value[12];
	struct spec sp;
	char *big = malloc(LIM_ARG + 1);
	size_t i;

	(void)state;
	memset(big, 'a', LIM_ARG + 1);
	for (i = 0; i < 2; i++) {
		spec_make(&sp, specs[i], strlen(specs[i]));
		value[0] = str_of(big, LIM_ARG - 1);	/* + its zero byte */
		assert_true(spec_fill(&sp, value));
		value[0] = str_of(big, LIM_ARG);
		assert_false(spec_fill(&sp, value));
		assert_non_null(strstr(buf_c(&sp.why),
		    "...\": over 128 KiB is not run (rule 5)"));
		assert_in_range(sp.why.n, 200, 260);
		spec_free(&sp);
	}
	/* the word is too long, not the value */
	spec_make(&sp, "ls b@x@", 7);
	value[0] = str_of(big, LIM_ARG - 1);
	assert_false(spec_fill(&sp, value));
	assert_string_equal(buf_c(&sp.why),
	    "an argument over 128 KiB is not run (rule 5)");
	spec_free(&sp);
	spec_make(&sp, "ls @1@ @2@ @3@ @4@ @5@ @6@ @7@ @8@ @9@ @0@", 42);
	for (i = 0; i < 10; i++)
		value[i] = str_of(big, LIM_ARG - 1);
	assert_false(spec_fill(&sp, value));
	assert_string_equal(buf_c(&sp.why),
	    "arguments over 1 MiB are not run (rule 5)");
	for (i = 0; i < 10; i++)
		value[i] = str_of(big, LIM_ARG / 2);
	assert_true(spec_fill(&sp, value));
	assert_int_equal(sp.cmd.argc, 11);
	spec_free(&sp);
	spec_make(&sp, "ls @x@", 6);
	value[0] = str_of("a\0b", 3);
	assert_false(spec_fill(&sp, value));
	assert_string_equal(buf_c(&sp.why),
	    "$x: \"a\\x00b\": a NUL byte is not run (rule 5)");
	spec_free(&sp);
	free(big);
}

/* For people: one line that bash reads back as the same command. */
static void
test_show(void **state)
{
	static const struct { const char *spec, *value, *show; } rows[] = {
		{ "ls -l @x@ b", "a", "ls -l a b" },
		{ "cp -p @x@ /var/@x@", "/a/b", "cp -p /a/b /var//a/b" },
		{ "ls @x@", "", "ls ''" },
		{ "ls '@x@'", "a b", "ls 'a b'" },
		{ "ls @x@", "it's", "ls 'it'\\''s'" },
		{ "ls @x@", "$(a) `b` \\ \"", "ls '$(a) `b` \\ \"'" },
		{ "ls @x@", "a\n'\\\x01\xff", "ls $'a\\n\\'\\\\\\x01\\xff'" },
		{ "ls @x@", "\xc3\xa4", "ls '\xc3\xa4'" },
		{ "ls @x@ | a", "b c", "ls 'b c' | a" },
		{ "ls @x@ \\\n | a", "b c", "ls 'b c' \\\\n | a" },
		{ "ls \"@x@\";", "$a\"`\\", "ls \"\\$a\\\"\\`\\\\\";" },
		{ "ls '@x@';", "it's", "ls 'it'\\''s';" },
		{ "ls @w:x@;", "a b;c", "ls a 'b;c';" },
		{ "ls @r:x@", "a; b\n", "ls a; b\\n" },
	};
	struct str value[2];
	struct spec sp;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof rows / sizeof *rows; i++) {
		spec_make(&sp, rows[i].spec, strlen(rows[i].spec));
		value[0] = value[1] = str_c(rows[i].value);
		assert_true(spec_fill(&sp, value));
		if (!str_eq(sp.cmd.show, str_c(rows[i].show)))
			fail_msg("%s: %.*s", rows[i].spec,
			    (int)sp.cmd.show.n, sp.cmd.show.p);
		spec_free(&sp);
	}
	spec_make(&sp, "ls @x@ | a '@y@'", 16);
	assert_true(str_eq(sp.tpl.show, STR_LIT("ls $x | a '$y'")));
	spec_free(&sp);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fill),
		cmocka_unit_test(test_fill_limits),
		cmocka_unit_test(test_show),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
