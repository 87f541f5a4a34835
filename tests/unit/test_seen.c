/*
 * seen: what an incident statement hands to its host, and what it does with
 * the verdict: the registers of INCIDENT, three-valued conditions, evidence.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "lang/base/num.h"
#include "lang/compile.h"
#include "engine/vm/vm.h"

#define COUNT(a)	(sizeof (a) / sizeof (a)[0])

/* Writes down all that it is told, and answers as it is told to. */
struct book {
	struct buf	 said;
	enum incident_verdict verdict;
	bool		 stops;
};

static void
put_text(struct buf *b, const char *name, struct str s)
{
	buf_printf(b, " %s=", name);
	if (str_none(s))
		buf_puts(b, "-");
	else
		buf_printf(b, "[%.*s]", (int)s.n, s.p);
}

static void
put_number(struct buf *b, const char *name, double d)
{
	char t[NUM_TEXT_MAX];

	buf_printf(b, " %s=", name);
	if (num_is_nil(d))
		buf_puts(b, "?");
	else
		buf_add(b, t, num_text(d, t));
}

static enum incident_verdict
b_incident(void *h, const struct incident_seen *s)
{
	struct book *k = h;

	put_text(&k->said, "key", s->key);
	put_number(&k->said, "when", s->when);
	if (s->has_until)
		put_number(&k->said, "until", s->until);
	if (s->hold != 0)
		put_number(&k->said, "hold", s->hold);
	if (s->remind != 0)
		put_number(&k->said, "remind", s->remind);
	if (s->absent != 0)
		put_number(&k->said, "absent", s->absent);
	buf_printf(&k->said, " %s", level_name[s->level]);
	put_text(&k->said, "message", s->message);
	put_text(&k->said, "evidence", s->evidence);
	put_text(&k->said, "unless", s->unless);
	put_text(&k->said, "at", s->place);
	buf_putc(&k->said, '\n');
	return k->verdict;
}

static double
b_fact(void *h, enum incident_fact what, struct str key)
{
	(void)h;
	return what == INCIDENT_DURATION && str_eq(key, STR_LIT("k")) ? 7500 :
	    NUM_NIL;
}

static bool
b_output(void *h, enum out to, struct str target, struct str text)
{
	struct book *k = h;

	(void)to; (void)target;
	buf_printf(&k->said, "out %.*s\n", (int)text.n, text.p);
	return true;
}

static void
b_log(void *h, enum log_kind kind, struct str text)
{
	struct book *k = h;

	(void)kind;
	buf_printf(&k->said, "log %.*s\n", (int)text.n, text.p);
}

static double
b_clock(void *h)
{
	(void)h;
	return 1e9;
}

static bool
b_stop(void *h)
{
	struct book *k = h;

	return k->stops;
}

static struct str
b_why(void *h)
{
	(void)h;
	return STR_LIT("the deadline");
}

static int
b_stat(void *h, struct str path, struct stat *st, bool follow)
{
	(void)h; (void)follow;
	memset(st, 0, sizeof *st);
	st->st_mode = S_IFDIR;
	return str_eq(path, STR_LIT("/")) ? 0 : -1;
}

static const struct host book_host = { .name = "book", .output = b_output,
	.log = b_log, .clock = b_clock, .monotonic = b_clock, .stop = b_stop,
	.why = b_why, .stat = b_stat, .incident = b_incident, .incident_fact = b_fact };
/* One that knows no incidents, as those of older tests. */
static const struct host plain_host = { .name = "plain", .output = b_output,
	.log = b_log, .clock = b_clock, .monotonic = b_clock, .stop = b_stop,
	.why = b_why };

/* Runs the statements; what was said, the caller frees. */
static struct buf
run(struct mem *mem, const char *source, const struct host *host,
    enum incident_verdict verdict, bool stops, enum vm_result *how)
{
	struct compile_options co = { .trace = false };
	struct vm_options o = { .host = host, .mem = mem };
	struct book book = { .verdict = verdict, .stops = stops };
	const struct program_set *set;
	struct compile *c;
	struct buf why;
	struct vm *vm;

	c = compile_source(STR_LIT("t.pikt"), str_c(source), &co);
	set = compile_programs(c);
	if (set->n != 1) {
		buf_init(&why, mem);
		diag_render(compile_diag(c), &why, false);
		fail_msg("%s", buf_c(&why));
	}
	buf_init(&book.said, mem);
	o.program = &set->program[0];
	o.h = &book;
	vm = vm_new(&o);
	*how = vm_run_begin(vm);
	vm_close(vm);
	vm_free(vm);
	compile_free(c);
	return book.said;
}

static void
expect(const char *source, enum incident_verdict verdict, const char *want)
{
	enum vm_result how;
	struct mem mem;
	struct buf b;

	mem_init(&mem, 64 << 20, NULL);
	b = run(&mem, source, &book_host, verdict, false, &how);
	if (how != VM_DONE || strcmp(buf_c(&b), want) != 0)
		fail_msg("%s\nend %d, said:\n%swant:\n%s", source, (int)how,
		    buf_c(&b), want);
	buf_free(&b);
	assert_int_equal(mem.used, 0);
}

/* --- what is handed over --- */

static void
test_operands(void **state)
{
	(void)state;
	expect("set #q = 5210 set $host = \"moscow\"\n"
	    "incident \"mx:$host\" when #q >= 5000 message \"many: #{#q}\"\n"
	    "endincident\n", VERDICT_NOTHING,
	    " key=[mx:moscow] when=1 notice message=[many: 5210]"
	    " evidence=[#q >= 5000 (#q = 5210)] unless=- at=[t.pikt:2]\n");
	expect("init level error begin set #q = 3\n"
	    "incident \"mx\" when #q >= 5000 until #q < 4700 hold 2m\n"
	    "remind 4h absent 5 unless \"net\" level alert message \"m\"\n"
	    "endincident\n", VERDICT_NOTHING,
	    " key=[mx] when=0 until=1 hold=120 remind=14400 absent=5 urgent"
	    " message=- evidence=- unless=[net] at=[t.pikt:2]\n");
	/* in another order, and worked out */
	expect("set #m = 3\n"
	    "incident \"a\" message \"m\" absent #m + 1 remind #m * 60\n"
	    "hold #m until 0 when 1 endincident\n", VERDICT_NOTHING,
	    " key=[a] when=1 until=0 hold=3 remind=180 absent=4 notice"
	    " message=[m] evidence=[1] unless=- at=[t.pikt:2]\n");
	/* what is none counts as not written, and is said */
	expect("incident NIL when 1 hold #h remind -#one absent ERR unless $u\n"
	    "message $no endincident set #one = 1 unset #h unset $u\n"
	    "unset $no\n", VERDICT_NOTHING,
	    "log t.pikt:1: incident: hold is <<NIL>>: taken as not written\n"
	    "log t.pikt:1: incident: remind is <<NIL>>: taken as not written\n"
	    "log t.pikt:1: incident: absent is <<ERR>>: taken as not written\n"
	    " key=- when=1 notice message=[<<NIL>>] evidence=[1] unless=-"
	    " at=[t.pikt:1]\n");
}

static void
test_verdicts(void **state)
{
	static const char source[] =
	    "incident \"k\" when 1 message \"m $duration()\"\n"
	    "onset output \"begins\" for #i = 1 #i <= 2 #i += 1\n"
	    "output \"$text(#i) $duration()\" endfor\n"
	    "clear output \"over after $duration()\"\n"
	    "endincident output \"end\"\n";
	enum vm_result how;
	struct mem mem;
	struct buf b;

	(void)state;
#define SEEN " key=[k] when=1 notice message=[m 2h 5m] evidence=[1] unless=-" \
	    " at=[t.pikt:1]\n"
	expect(source, VERDICT_NOTHING, SEEN "out end\n");
	expect(source, VERDICT_ONSET, SEEN "out begins\nout 1 2h 5m\n"
	    "out 2 2h 5m\nout end\n");
	expect(source, VERDICT_CLEAR, SEEN "out over after 2h 5m\nout end\n");
	/* a statement without the block that its verdict is about */
	expect("incident \"k\" when 1 message \"m 2h 5m\" clear output \"c\"\n"
	    "endincident\n", VERDICT_ONSET, SEEN);
	expect("incident \"k\" when 1 message \"m 2h 5m\" onset output \"o\"\n"
	    "endincident\n", VERDICT_CLEAR, SEEN);
	/* blocks that go elsewhere */
	expect("set #n = 0 while #n < 2 set #n += 1 incident \"k\" when 1\n"
	    "message \"m 2h 5m\" onset break endincident endwhile\n"
	    "output \"n #{#n}\"\n", VERDICT_ONSET,
	    " key=[k] when=1 notice message=[m 2h 5m] evidence=[1] unless=-"
	    " at=[t.pikt:1]\nout n 1\n");
	/* the run's end is seen right behind it, before a block acts */
	mem_init(&mem, 64 << 20, NULL);
	b = run(&mem, source, &book_host, VERDICT_ONSET, true, &how);
	assert_int_equal(how, VM_STOPPED);
	assert_string_equal(buf_c(&b), SEEN);
	buf_free(&b);
	/* a host without incidents */
	b = run(&mem, source, &plain_host, VERDICT_ONSET, false, &how);
	assert_int_equal(how, VM_DONE);
	assert_string_equal(buf_c(&b), "out end\n");
	buf_free(&b);
	assert_int_equal(mem.used, 0);
#undef SEEN
}

/* --- conditions --- */

/* 1, 0 or NIL: what `when` and `until` make of it. */
static void
three(const char *condition, double want)
{
	enum vm_result how;
	char source[1000], when[32], until[32];
	struct mem mem;
	struct buf b;

	snprintf(source, sizeof source, "set #one = 1 set #zero = 0\n"
	    "set #none = NIL set #bad = ERR set $a = \"abc\" set $no = NIL\n"
	    "set $text = \"<<NIL>>\" set #arr[1] = 1 set $bad = \"(\"\n"
	    "set $long = $repeat(\"a\", 5000) . \"b\"\n"
	    "incident \"k\" when %s until %s message \"m\" endincident\n",
	    condition, condition);
	snprintf(when, sizeof when, " when=%s ", num_none(want) ? "?" :
	    want != 0 ? "1" : "0");
	snprintf(until, sizeof until, " until=%s ", num_none(want) ? "?" :
	    want != 0 ? "1" : "0");
	mem_init(&mem, 64 << 20, NULL);
	b = run(&mem, source, &book_host, VERDICT_NOTHING, false, &how);
	if (how != VM_DONE || strstr(buf_c(&b), when) == NULL ||
	    strstr(buf_c(&b), until) == NULL)
		fail_msg("%s: want%s, said: %s", condition, when, buf_c(&b));
	if ((strstr(buf_c(&b), "message=[m]") != NULL) == (want == 0))
		fail_msg("%s: when the message is worked out: %s", condition,
		    buf_c(&b));
	buf_free(&b);
}

static void
test_leaves(void **state)
{
	static const char *const always[] = { "#one == 1", "#zero < #one",
	    "#one <= 1", "#one > #zero", "#one >= 1", "#one != #zero",
	    "#zero !> #one", "#one !< 1", "#zero !>= 1", "#one !<= #zero",
	    "$a eq \"abc\"", "$a lt \"b\"", "$a ne \"b\"", "$a ge \"abc\"",
	    "$a =~ \"^a\"", "$a =~~ \"B\"", "$a !~ \"x\"", "$a !~~ \"X\"",
	    "$a =~ $a", "#one", "-#one", "#one + 5", "-e \"/\"",
	    "-d \"/\" . \"\"", "1", "2 > 1", "#defined(#one)",
	    "! #defined(#none)", "#exists(#arr[1])", "#if(#one, 1, 0)",
	    "#true()", "#length($a) == 3" };
	static const char *const never[] = { "#one == 0", "#one < #zero",
	    "#zero >= #one", "#one != 1", "#one !> 0", "$a eq \"b\"",
	    "$a gt \"b\"", "$a =~ \"^b\"", "$a !~ \"b\"", "$a !~ $a", "#zero",
	    "#one - 1", "-e \"/no/such\"", "0", "#defined(#none)",
	    "#exists(#arr[2])", "#defined($no)", "#false()" };
	static const char *const unknown[] = { "#none == 1", "1 == #none",
	    "#none < 1", "#none >= 1", "#none != 1", "#bad == 1",
	    "#none !> 1", "#none !<= 1", "#none == #none", "#none + 1 > 1",
	    "$no eq \"a\"", "\"a\" ne $no", "$no lt $a", "$text eq $a",
	    "$no =~ \"a\"", "$no !~ \"a\"", "$no =~~ \"a\"", "$a =~ $no",
	    "$a !~ $no", "#none", "#bad", "NIL", "#none * 0", "-e $no",
	    "! -e $no", "\"/\" -nt $no", "#arr[7] > 3", "#arr[7]",
	    "#value($a) > 3", "#nil()", "$a =~ $bad", "$a !~ $bad",
	    "$long =~ \"(*LIMIT_MATCH=50)^(a+)+$\"",
	    "$long !~ \"(*LIMIT_MATCH=50)^(a+)+$\"" };
	size_t i;
	char t[200];

	(void)state;
	for (i = 0; i < COUNT(always); i++) {
		three(always[i], 1);
		snprintf(t, sizeof t, "!(%s)", always[i]);
		three(t, 0);
		snprintf(t, sizeof t, "#not(%s)", always[i]);
		three(t, 0);
	}
	for (i = 0; i < COUNT(never); i++) {
		three(never[i], 0);
		snprintf(t, sizeof t, "!(%s)", never[i]);
		three(t, 1);
	}
	for (i = 0; i < COUNT(unknown); i++) {
		three(unknown[i], NUM_NIL);
		snprintf(t, sizeof t, "!(%s)", unknown[i]);
		three(t, NUM_NIL);
		snprintf(t, sizeof t, "#not(!(%s))", unknown[i]);
		three(t, NUM_NIL);
	}
}

/* && and || of two and of three, in all the ways that there are to write
 * them, against the tables of Kleene. */
static void
test_joins(void **state)
{
	static const char *const leaf[] = { "#zero > 0", "#none > 0",
	    "#one > 0" };		/* as 0, 1/2, 1 */
	unsigned a, b, c, all, any;
	char t[200];

	(void)state;
#define LEAST(x, y)	((x) < (y) ? (x) : (y))
#define MOST(x, y)	((x) > (y) ? (x) : (y))
#define VALUE(x)	((x) == 1 ? NUM_NIL : (double)((x) / 2))
#define SAY(want, fmt, ...) do { \
	snprintf(t, sizeof t, fmt, __VA_ARGS__); \
	three(t, VALUE(want)); \
} while (0)
	for (a = 0; a < 3; a++)
		for (b = 0; b < 3; b++) {
			all = LEAST(a, b);
			any = MOST(a, b);
			SAY(all, "%s && %s", leaf[a], leaf[b]);
			SAY(any, "%s || %s", leaf[a], leaf[b]);
			SAY(all, "#and(%s, %s)", leaf[a], leaf[b]);
			SAY(any, "#or(%s, %s)", leaf[a], leaf[b]);
			SAY(2 - all, "!(%s && %s)", leaf[a], leaf[b]);
			SAY(2 - any, "!(%s || %s)", leaf[a], leaf[b]);
			SAY(2 - any, "!(%s) && !(%s)", leaf[a], leaf[b]);
			for (c = 0; c < 3; c++) {
				SAY(LEAST(all, c), "%s && %s && %s", leaf[a],
				    leaf[b], leaf[c]);
				SAY(MOST(any, c), "#or(%s, %s, %s)", leaf[a],
				    leaf[b], leaf[c]);
				SAY(MOST(all, c), "%s && %s || %s", leaf[a],
				    leaf[b], leaf[c]);
				SAY(LEAST(any, c), "(%s || %s) && %s",
				    leaf[a], leaf[b], leaf[c]);
				SAY(LEAST(a, MOST(b, c)), "%s && (%s || %s)",
				    leaf[a], leaf[b], leaf[c]);
			}
		}
}

/* What is not needed is not worked out; what a match sets is there. */
static void
test_order(void **state)
{
	(void)state;
	expect("function #says(#x) output $text(#x) return #x endfunction\n"
	    "incident \"k\" when #says(0) && #says(1) message \"m\"\n"
	    "endincident incident \"l\" when #says(2) || #says(3)\n"
	    "message \"m\" endincident incident \"m\"\n"
	    "when #says(NIL) && #says(0) message \"m\" endincident\n",
	    VERDICT_NOTHING,
	    "out 0\n key=[k] when=0 notice message=- evidence=- unless=-"
	    " at=[t.pikt:2]\n"
	    "out 2\n key=[l] when=1 notice message=[m]"
	    " evidence=[#says(2) || #says(3)] unless=- at=[t.pikt:3]\n"
	    "out <<NIL>>\nout 0\n key=[m] when=0 notice message=- evidence=-"
	    " unless=- at=[t.pikt:4]\n");
	expect("set $l = \"load 17\"\n"
	    "incident \"k\" when $l =~ \"load ([0-9]+)\" && #value($1) > 9\n"
	    "message \"load is $1\" endincident\n", VERDICT_NOTHING,
	    " key=[k] when=1 notice message=[load is 17] evidence=[$l =~ "
	    "\"load ([0-9]+)\" && #value($1) > 9 ($l = \"load 17\")] unless=-"
	    " at=[t.pikt:2]\n");
}

static void
test_evidence(void **state)
{
	(void)state;
	/* blanks and lines become one blank, but not in texts */
	expect("set #a = 1 set $b = \"x  y\"\n"
	    "incident \"k\" when (#a   > 0 // why\n"
	    "\t&& $b eq \"x  y\"\n\t) message \"m\" endincident\n",
	    VERDICT_NOTHING,
	    " key=[k] when=1 notice message=[m] evidence=[(#a > 0 && $b eq "
	    "\"x  y\" ) (#a = 1, $b = \"x  y\")] unless=- at=[t.pikt:2]\n");
	/* each once; elements with plain keys; no value */
	expect("set #n[\"a\"] = 7 set $k = \"a\" set #z = NIL\n"
	    "incident \"k\" when #n[$k] > 5 && #n[$k] < 9 || #z > 1\n"
	    "message \"m\" endincident\n", VERDICT_NOTHING,
	    " key=[k] when=1 notice message=[m] evidence=[#n[$k] > 5 && #n[$k]"
	    " < 9 || #z > 1 (#n[$k] = 7, $k = \"a\", #z = <<NIL>>)] unless=-"
	    " at=[t.pikt:2]\n");
	/* what stands in calls and texts; a key that is worked out is not
	 * worked out again */
	expect("function $says(#x) output \"says\" return $text(#x)\n"
	    "endfunction set #i = 1 set $t = \"ab\" set #n[1] = 5\n"
	    "incident \"k\" when #length(\"$t#{#i}\") == 3 && #n[$says(#i)]\n"
	    "message \"m\" endincident\n", VERDICT_NOTHING,
	    "out says\n key=[k] when=1 notice message=[m] evidence=[#length("
	    "\"$t#{#i}\") == 3 && #n[$says(#i)] ($t = \"ab\", #i = 1)]"
	    " unless=- at=[t.pikt:3]\n");
	/* eight values at most */
	expect("set #a = 1 set #b = 2 set #c = 3 set #d = 4 set #e = 5\n"
	    "set #f = 6 set #g = 7 set #h = 8 set #i = 9\n"
	    "incident \"k\" when #a+#b+#c+#d+#e+#f+#g+#h+#i message \"m\"\n"
	    "endincident\n", VERDICT_NOTHING,
	    " key=[k] when=1 notice message=[m] evidence=[#a+#b+#c+#d+#e+#f+#g"
	    "+#h+#i (#a = 1, #b = 2, #c = 3, #d = 4, #e = 5, #f = 6, #g = 7, "
	    "#h = 8)] unless=- at=[t.pikt:3]\n");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_operands),
		cmocka_unit_test(test_verdicts),
		cmocka_unit_test(test_leaves),
		cmocka_unit_test(test_joins),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_evidence),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
