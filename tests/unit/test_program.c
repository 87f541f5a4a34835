/*
 * program: .pkc files and listings.  Programs come back from bytes as they
 * went in; damaged bytes are refused or, if their checksum is set right again,
 * read as something that is safe to look at.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "lang/code/disasm.h"
#include "lang/code/progfile.h"
#include "lang/code/verify.h"
#include "tests/unit/made.h"

static struct mem mem;

/* --- bytes --- */

static void
write_one(const struct program *p, struct buf *out)
{
	struct program copy = *p;
	struct program_set set = { &copy, 1 };

	progfile_write(&set, out);
}

static void
test_round_trip(void **state)
{
	struct program_set set;
	struct made m[2];
	struct program two[2];
	struct buf a, b, why;
	struct arena arena;
	const char *reason;
	size_t i;

	(void)state;
	make_full(&m[0]);
	make(&m[1]);
	two[0] = m[0].p;
	two[1] = m[1].p;
	set = (struct program_set){ two, 2 };
	buf_init(&a, &mem);
	buf_init(&b, &mem);
	buf_init(&why, &mem);
	arena_init(&arena, &mem, 4096);
	progfile_write(&set, &a);
	assert_true(progfile_is(buf_view(&a)));
	assert_true(progfile_read(buf_view(&a), &arena, &set, &reason));
	assert_int_equal(set.n, 2);
	for (i = 0; i < 2; i++)
		if (!program_verify(&set.program[i], &why))
			fail_msg("%s", buf_c(&why));
	assert_string_equal(set.program[0].name.p, "Sample");
	assert_int_equal(set.program[0].text[0].n, 3);
	assert_true(str_none(set.program[0].text[1]));
	assert_int_equal(set.program[0].text[1].n, 0);
	assert_true(str_none(set.program[0].text[2]));
	assert_int_equal(set.program[0].text[2].n, 1);
	assert_true(num_is_nil(set.program[0].num[2]));
	assert_true(num_is_err(set.program[0].num[3]));
	progfile_write(&set, &b);
	assert_true(str_eq(buf_view(&a), buf_view(&b)));
	/* nothing points into the bytes */
	memset(a.p, 'x', a.n);
	buf_clear(&a);
	progfile_write(&set, &a);
	assert_true(str_eq(buf_view(&a), buf_view(&b)));
	buf_free(&a);
	buf_free(&b);
	buf_free(&why);
	arena_free(&arena);
	assert_int_equal(mem.used, 0);
}

static void
test_empty(void **state)
{
	struct program_set set = { NULL, 0 };
	struct program p;
	struct buf b;
	struct arena arena;
	const char *why;

	(void)state;
	buf_init(&b, &mem);
	arena_init(&arena, &mem, 4096);
	progfile_write(&set, &b);
	assert_true(progfile_read(buf_view(&b), &arena, &set, &why));
	assert_int_equal(set.n, 0);
	/* the reader counts on a program of nothing having this many bytes */
	buf_clear(&b);
	memset(&p, 0, sizeof p);
	write_one(&p, &b);
	assert_int_equal(b.n, PROGFILE_HEAD + 4 + 238);
	assert_true(progfile_read(buf_view(&b), &arena, &set, &why));
	assert_int_equal(set.n, 1);
	buf_free(&b);
	arena_free(&arena);
}

static void
fix_sum(char *file, size_t n)
{
	uint64_t v = n - PROGFILE_HEAD;
	unsigned i;

	for (i = 0; i < 8; i++)
		file[PROGFILE_HEAD - 16 + i] = (char)(v >> 8 * i);
	v = progfile_sum(str_of(file + PROGFILE_HEAD, n - PROGFILE_HEAD));
	for (i = 0; i < 8; i++)
		file[PROGFILE_HEAD - 8 + i] = (char)(v >> 8 * i);
}

static const char *
read_why(struct str bytes)
{
	struct program_set set;
	struct arena arena;
	const char *why = NULL;

	arena_init(&arena, &mem, 4096);
	if (progfile_read(bytes, &arena, &set, &why))
		why = NULL;
	else
		assert_int_equal(set.n, 0);
	arena_free(&arena);
	return why;
}

static void
test_refused(void **state)
{
	struct made m;
	struct buf b;
	size_t i;

	(void)state;
	make_full(&m);
	buf_init(&b, &mem);
	write_one(&m.p, &b);
	assert_string_equal(read_why(STR_EMPTY), "is no compiled Picket "
	    "program");
	assert_string_equal(read_why(STR_LIT("#!/bin/sh\nexit 0\n")),
	    "is no compiled Picket program");
	assert_string_equal(read_why(str_of(b.p, 20)), "is cut short");
	assert_string_equal(read_why(str_of(b.p, b.n - 1)), "is cut short");
	for (i = 0; i < b.n; i++)
		assert_non_null(read_why(str_of(b.p, i)));
	b.p[8]++;			/* the version */
	assert_string_equal(read_why(buf_view(&b)), "was compiled by another "
	    "version of Picket: compile it again");
	b.p[8]--;
	b.p[12]++;			/* the tables */
	assert_string_equal(read_why(buf_view(&b)), "was compiled by another "
	    "version of Picket: compile it again");
	b.p[12]--;
	buf_putc(&b, 0);
	assert_string_equal(read_why(buf_view(&b)), "is damaged");
	fix_sum(b.p, b.n);
	assert_string_equal(read_why(buf_view(&b)), "is damaged");
	buf_free(&b);
}

static void
test_every_byte(void **state)
{
	static const unsigned char flip[] = { 0x01, 0x10, 0x80 };
	struct made m;
	struct buf b;
	size_t i, k;

	(void)state;
	make_full(&m);
	buf_init(&b, &mem);
	write_one(&m.p, &b);
	for (i = 0; i < b.n; i++)
		for (k = 0; k < COUNT(flip); k++) {
			b.p[i] = (char)(b.p[i] ^ flip[k]);
			if (read_why(buf_view(&b)) == NULL)
				fail_msg("byte %zu ^ %02x is not noticed", i,
				    flip[k]);
			b.p[i] = (char)(b.p[i] ^ flip[k]);
		}
	assert_null(read_why(buf_view(&b)));
	buf_free(&b);
}

/*
 * Reads bytes whose checksum is right: what passes the verifier must be fit
 * for all that looks at programs, and be written as it was read.  Returns
 * true if it passed.
 */
static bool
survive(struct str bytes)
{
	struct program_set set;
	struct buf out, again;
	struct arena arena;
	const char *why;
	bool ok;
	uint32_t pc;

	arena_init(&arena, &mem, 4096);
	buf_init(&out, &mem);
	buf_init(&again, &mem);
	ok = progfile_read(bytes, &arena, &set, &why) && set.n == 1 &&
	    program_verify(&set.program[0], &out);
	if (ok) {
		program_disasm(&set.program[0], &out, true);
		for (pc = 0; pc < 40; pc++)
			(void)program_where(&set.program[0], pc);
		progfile_write(&set, &again);
		assert_true(str_eq(bytes, buf_view(&again)));
	}
	buf_free(&out);
	buf_free(&again);
	arena_free(&arena);
	return ok;
}

static void
test_every_byte_fixed(void **state)
{
	struct made m;
	struct buf b;
	size_t i, passed = 0, all = 0;
	unsigned v;
	char was;

	(void)state;
	make_full(&m);
	buf_init(&b, &mem);
	write_one(&m.p, &b);
	for (i = PROGFILE_HEAD; i < b.n; i++) {
		was = b.p[i];
		for (v = 0; v < 256; v += v < 8 || v > 246 ? 1 : 19) {
			b.p[i] = (char)v;
			fix_sum(b.p, b.n);
			passed += survive(buf_view(&b));
			all++;
		}
		b.p[i] = was;
	}
	fix_sum(b.p, b.n);
	assert_true(survive(buf_view(&b)));
	/* neither everything nor nothing: the verifier was reached */
	assert_true(passed > all / 20 && passed < all - all / 20);
	buf_free(&b);
}

/* A count may claim anything; memory must not follow. */
static void
test_counts(void **state)
{
	static const uint32_t claim[] = { 0xffffffff, 0xfffffffe, 0x7fffffff,
	    0x80000000, 0x10000, 1000 };
	struct made m;
	struct buf b;
	size_t i, k, peak;
	char was[4];
	unsigned j;

	(void)state;
	make_full(&m);
	buf_init(&b, &mem);
	write_one(&m.p, &b);
	peak = mem.peak;
	mem.peak = mem.used;
	for (i = PROGFILE_HEAD; i + 4 <= b.n; i++)
		for (k = 0; k < COUNT(claim); k++) {
			memcpy(was, b.p + i, 4);
			for (j = 0; j < 4; j++)
				b.p[i + j] = (char)(claim[k] >> 8 * j);
			fix_sum(b.p, b.n);
			(void)survive(buf_view(&b));
			memcpy(b.p + i, was, 4);
		}
	assert_true(mem.peak < 256 * 1024);
	if (peak > mem.peak)
		mem.peak = peak;
	buf_free(&b);
}

/* --- where --- */

static void
test_where(void **state)
{
	struct made m;

	(void)state;
	make(&m);
	assert_int_equal(program_where(&m.p, 0)->line, 12);
	assert_int_equal(program_where(&m.p, 1)->line, 12);
	assert_int_equal(program_where(&m.p, 2)->line, 1);
	assert_int_equal(program_where(&m.p, 4)->line, 1);
	assert_int_equal(program_where(&m.p, 5)->line, 14);
	assert_int_equal(program_where(&m.p, UINT32_MAX)->line, 14);
	m.line[0].pc = 2;	/* before the first entry: the first */
	assert_int_equal(program_where(&m.p, 0)->line, 12);
	m.p.nlines = 0;
	assert_null(program_where(&m.p, 0));
}

/* --- the listing --- */

static void
test_disasm(void **state)
{
	static const char *const want[] = {
		"script Sample of sample.pikt\n",
		"    status testing, level urgent, input proc through a filter,"
		    " timeout 30 s, line 1048576 bytes, every 90 s,"
		    " expire 3 runs, timing \"* * * * *\", affects mail\n",
		"    fields end at any of \":,\"\n",
		"       0  #count  field 1 as size\n",
		"       1  $user  fields 2 to 3\n",
		"       4  #at  column \"date\" as time \"%Y\"\n",
		"       5  $c  json \"a.b[0]\"\n",
		"       0  #b, for the next run, by keys, for the next line\n",
		"       3  $s[], for the next line\n",
		"keys\n       0  $user\n       1  #away\n",
		"    N254  60\n",
		"    K2    <<NIL>>\n",
		"  far 0   $far\n",
		"    S255  \"a\\x00b\"\n",
		"       0  ls /home/$user\n"
		    "          \"ls\"  \"/home/\"{0 $user}\n",
		"          sh -c \"ps | grep \"{0 $a}{1 $raw($b) raw}\n"
		    "          words with data: {0 $a}\n",
		"begin\n",
		"; $v := copy of <<NIL>>\n",
		"; slot 0 goes over the keys of $s, by key, down\n",
		"; S1 := the next key of slot 0, at the end jump to 13\n",
		"; back to 9\n",
		"; if not (N2 < 60) jump to 26\n",
		"; if S1 =~ /(y)/i jump to 22\n",
		"; N3 := #read(handle N2)\n",
		"; S2 := $left(S1, N2)\n",
		"; S1 := S1 . S2 . S3\n",
		"; output log \"a\\x00b\" S1\n",
		"; S1 := $3\n",
		"; $s[\"a\\x00b\"] := copy of S1\n",
		"; runs the pending command: wait, doexec\n",
	};
	const char *p;
	struct made m;
	struct buf b;
	size_t i;

	(void)state;
	make_full(&m);
	buf_init(&b, &mem);
	program_disasm(&m.p, &b, false);
	for (i = 0, p = buf_c(&b); i < COUNT(want); i++) {
		const char *q = strstr(p, want[i]);

		if (q == NULL)
			fail_msg("\"%s\" is not where it should be in\n%s",
			    want[i], buf_c(&b));
		p = q;
	}
	assert_null(strchr(buf_c(&b), '\033'));
	buf_clear(&b);
	program_disasm(&m.p, &b, true);
	assert_non_null(strchr(buf_c(&b), '\033'));
	buf_free(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_every_byte),
		cmocka_unit_test(test_every_byte_fixed),
		cmocka_unit_test(test_counts),
		cmocka_unit_test(test_where),
		cmocka_unit_test(test_disasm),
	};

	mem_init(&mem, 16 << 20, NULL);
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("program", tests, NULL, NULL);
}
