/* runner: timeout=120 long-timeout=1800 */
/*
 * hostile: compiled files that somebody has changed, their checksum set right
 * again.  What the verifier lets pass is run by the machine, on a host that
 * does nothing; under the sanitizers this is the proof that the verifier asks
 * for all that the machine relies on.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "lang/base/num.h"
#include "lang/code/progfile.h"
#include "lang/code/verify.h"
#include "lang/compile.h"
#include "engine/vm/vm.h"

#define COUNT(a)	(sizeof (a) / sizeof (a)[0])
#define MEMORY		(4u << 20)	/* bytes for a run: strings may grow */
#define BUDGET		2000.0		/* instructions: one look ends it */
#define ROUNDS		4000		/* random changes of each script */

/* Scripts that use, between them, nearly all that there is. */
static const char *const scripts[] = {
	"Table\n"
	" init\n"
	"  input table files(\"/x\" . $env(\"A\"), 1 + 1) where #size > 1 || "
	"%#size > 2\n"
	"  dat #n \"links\"\n"
	"  keys $path #uid\n"
	" rule\n"
	"  output \"$inlin $1 #{#n} #{@#size} #{#fields()}\"\n"
	"  set $a = $path . $[#n]\n"
	"  if $inlin =~ \"(p)\"\n"
	"   output \"$0 $1 #{#column(\"load\", \"load1\")}\"\n"
	"  fi\n"
	" end\n"
	"  output \"$path #{#size} $inlin\"\n",
	"Lines\n"
	" init\n"
	"  task \"about $hostname()\"\n"
	"  input proc \"ps -e | sort\"\n"
	"  filter \"grep -v x\"\n"
	"  seps \":,\"\n"
	"  dat #count 1\n"
	"  dat $user 2\n"
	"  dat $rest 2-\n"
	"  dat $cols [2,5]\n"
	"  dat $group \"(x+)y\"\n"
	"  dat #size -1 as size\n"
	" begin\n"
	"  set $seen[\"a\", 1] = \"b\"\n"
	"  set #n[5] = 6\n"
	"  if #popen(P, \"cat $seen[\"a\", 1]\", \"r\") > 0\n"
	"   while #read(P) > 0\n"
	"    if #split($rdlin, \" \", $part) > 1 set $last = $part[1] fi\n"
	"    set $all .= $rdlin . \";\"\n"
	"   endwhile\n"
	"   do #pclose(P)\n"
	"  fi\n"
	" rule\n"
	"  if #count > 2 && $user =~ \"^(\\w+)-(.*)$\" || $1 eq $rest\n"
	"   set #n[$user] += #count * 2\n"
	"   output mail \"$1: $2 $0 #{#count:%.2f} $cols $group\"\n"
	"  fi\n"
	"  set $x = $[#count] . $upper($user) . $left($rest, 3)\n"
	" rule\n"
	"  for $k in #keys(#n, \"-value\")\n"
	"   set #sum += #n[$k]\n"
	"   if #sum > 100 break fi\n"
	"  endfor\n"
	"  foreach #keys($k, $seen)\n"
	"   unset $seen[$k]\n"
	"  endforeach\n"
	"  if #size > 1K skip 1 fi\n"
	"  if #innum() == 2 && #once != 1 set #once = 1 redo fi\n"
	" end\n"
	"  output log \"/tmp/log\" \"$text(#sum) #{#max(#n)} $inline $user\"\n"
	"  exec wait as \"nobody\" timeout 2s \"cp -p /x/$x /y/$user.#{#sum}\"\n"
	"  do #sort($part)\n"
	"  quit 2\n",

	"set #i = 0\n"
	"repeat\n"
	" set #i += 1\n"
	" set $s = $s . #i . \",\"\n"
	" set #bits = (#i << 2) ^ 5 | #i & 3\n"
	" set #f = -#i ** 2 % 7 / #i - ~#i\n"
	" switch $mid($s, 2, 1)\n"
	" case \",\" set #c[$s] -= 1 breaksw\n"
	" case \"1\" continue\n"
	" default set $t .= $repeat($char(64 + #i), 3)\n"
	" endsw\n"
	"until #i >= 9 || !(#i < 8)\n"
	"if -e $s || \"/a\" -nt \"/b\" || $s !~~ \"A.*z\" || $s =~ $t\n"
	" output $format(\"%s %5.1f %-3d|\", $s, #i, #bits)\n"
	"fi\n"
	"if $s lt $t set $u = $join($c2, \"-\") else set $u = $gsubst($s, "
	    "\",\", \"<\\\\0>\") fi\n"
	"set $c2[#i] = $u\n"
	"exec wait \"sh -c 'echo \\$1' x $words($u) \\\"$t\\\" | cat\"\n"
	"output \"$command(\"echo $u\") #{#exitcode()} $output()\"\n"
	"foreach line $l in \"echo a\"\n"
	" output piktlog $l . #defined($l) . #exists($c2[$l])\n"
	"endforeach\n"
	"if #fopen(F, \"/tmp/$basename($u)\", \"w\") > 0\n"
	" do #writeln(F, $date(#i, \"%Y\") . $duration(#i))\n"
	" do #fclose(F)\n"
	"fi\n"
	"assert #i > 3 \"i is #{#i}\"\n"
	"pause 1\n"
	"output mail to \"x@example.org\" $json($u) . $checksum(0, \"/dev/null\")\n"
	"die $errtext()\n",

	/* calls: temporaries over them, arrays by reference, loops inside */
	"function $walk(#n, $s, $a[], #c[])\n"
	" local $k\n"
	" local $l\n"
	" local $own[]\n"
	" if #n <= 0 return $s . $1 fi\n"
	" set $own[#n] = $s . $a[\"x\"]\n"
	" for $k in #keys($a, \"key\")\n"
	"  set $a[$k] .= $k\n"
	"  set #c[$k] += #count2(#c, $own)\n"
	"  if $a[$k] =~ \"(x)(.*)$\" set $s = $2 . $1 fi\n"
	"  if #length($s) > 50 return $left($s, 20) fi\n"
	" endfor\n"
	" foreach line $l in \"echo $s\"\n"
	"  if $l eq \"q\" return $l . $walk(#n - 1, $l, $a, #c) fi\n"
	"  unset $a[$l]\n"
	" endforeach\n"
	" return $a[\"x\"] . $walk(#n - 1, $s . #n, $a, #c) . $own[#n] . $own[1]\n"
	"endfunction\n"
	"function #count2(#c[], $a[])\n"
	" return #elements(#c) + #elements($a) + #fields()\n"
	"endfunction\n"
	"function #deep(#n) return #deep(#n + 1) + 1 endfunction\n"
	"C\n"
	" begin\n"
	"  incident \"k:$r\" when $r =~ \"a(b)\" && !(#c[\"z\"] > 1)\n"
	"   until #k < 3 || -e $r hold 2m remind #k absent 2 unless \"x\"\n"
	"   level error message \"$1 $r for $duration()\"\n"
	"   onset output \"$duration()\" clear set #k += #since($r)\n"
	"  endincident\n"
	"  set $a[\"x\"] = \"1\" set $a[\"y\"] = \"2\" set #c[\"z\"] = 1\n"
	"  set $r = $a[\"x\"] . $walk(3, \"one\", $a, #c) . $a[\"y\"]\n"
	"  exec as $r in $walk(1, \"d\", $a, #c) \"echo $r $walk(2, \"e\", $a, #c)\"\n"
	" rule\n"
	"  switch $1 case $walk(1, $2, $a, #c) output $1 endsw\n"
	"  set $a[$walk(1, $0, $a, #c)] = \"$1 $2\"\n"
	" end\n"
	"  output \"$a[\"x\"] #{#c[\"z\"]} #{#deep(1)}\"\n",
};

/* --- a host that does nothing --- */

struct world {
	unsigned	 stops, reads, steps;
};
static char line_text[] = "one two-three 4K";
static struct stream { int none; } a_stream;

static bool
w_output(void *h, enum out to, struct str target, struct str text)
{
	(void)h; (void)to; (void)target;
	return text.n < 1000000;
}
static void
w_log(void *h, enum log_kind kind, struct str text)
{
	(void)h; (void)kind; (void)text;
}
static void
w_exec(void *h, const struct command *c, enum exec_mode mode,
    const struct exec_opts *o, struct exec_result *r)
{
	size_t i;

	(void)h; (void)mode; (void)o;
	for (i = 0; i < c->argc; i++)
		assert_non_null(c->argv[i]);
	assert_null(c->argv[c->argc]);
	*r = (struct exec_result){ .started = true, .output = STR_LIT("out") };
}
static struct stream *
w_popen(void *h, const struct command *c, int mode)
{
	struct world *w = h;

	w->reads = 0;
	return c->argc > 0 && mode == 'r' ? &a_stream : NULL;
}
static struct str
w_capture(void *h, const struct command *c, size_t max, struct exec_result *r)
{
	(void)h; (void)c; (void)max;
	*r = (struct exec_result){ .started = true, .output = STR_EMPTY };
	return STR_LIT("captured");
}
static struct stream *
w_fopen(void *h, struct str path, int mode)
{
	(void)h; (void)mode;
	return path.n > 0 ? &a_stream : NULL;
}
static enum read_result
w_read(void *h, struct stream *s, struct str *line, size_t *len)
{
	struct world *w = h;

	assert_ptr_equal(s, &a_stream);
	if (w->reads++ > 3)
		return READ_END;
	*line = STR_LIT(line_text);
	*len = line->n + 1;
	return READ_LINE;
}
static bool
w_write(void *h, struct stream *s, struct str t)
{
	(void)h; (void)t;
	return s == &a_stream;
}
static bool
w_flush(void *h, struct stream *s)
{
	(void)h;
	return s == &a_stream;
}
static int
w_close(void *h, struct stream *s)
{
	(void)h;
	assert_ptr_equal(s, &a_stream);
	return 0;
}
static int
w_stat(void *h, struct str path, struct stat *st, bool follow)
{
	(void)h; (void)path; (void)follow;
	memset(st, 0, sizeof *st);
	return 0;
}
static int
w_access(void *h, struct str path, int mode)
{
	(void)h; (void)path; (void)mode;
	return 0;
}
static double
w_clock(void *h)
{
	(void)h;
	return 956639822;
}
static bool
w_sleep(void *h, double s)
{
	(void)h;
	return s < 1e9;
}
static bool
w_stop(void *h)
{
	struct world *w = h;

	return ++w->stops > 10;
}
static int
w_pid(void *h, struct str comm)
{
	(void)h; (void)comm;
	return 1;
}
static int
w_open(void *h, struct str path)
{
	(void)h;
	return path.n % 2 == 0 ? -1 : open("/dev/null", O_RDONLY | O_CLOEXEC);
}
static int
w_ask(void *h, enum fact what, struct str key, struct str *answer)
{
	(void)h;
	*answer = key;
	return str_none(key) ? -1 : what == FACT_RESOLVE ? 0 : 1;
}
static struct str
w_why(void *h)
{
	(void)h;
	return STR_LIT("why");
}
static void
w_trace(void *h, struct str t)
{
	(void)h; (void)t;
}

/* The same bytes under every name and key that a program can ask for. */
static bool
w_previous(void *h, host_value_fn *fn, void *arg)
{
	static const char *const names[] = { "b", "far", "n", "s", "count",
	    "user", "" };
	size_t i;
	int k;

	(void)h;
	for (i = 0; i < sizeof names / sizeof *names; i++)
		for (k = 0; k < 8; k++)
			fn(arg, k & 1 ? STR_NIL : STR_LIT("root\0343"),
			    (k & 2) != 0, str_c(names[i]), k & 4 ? STR_NIL :
			    STR_LIT("k"), i == 3 ? STR_ERR : STR_LIT("12"));
	return true;
}
static volatile size_t sum;
static void
w_keep(void *h, struct str key, bool number, struct str name,
    struct str element, struct str text)
{
	size_t i;

	(void)h; (void)number;
	for (i = 0; i < key.n && !str_none(key); i++)
		sum += (unsigned char)key.p[i];
	for (i = 0; i < text.n && !str_none(text); i++)
		sum += (unsigned char)text.p[i];
	sum += name.n + element.n;
}
static void
w_seen(void *h, struct str key)
{
	w_keep(h, key, false, STR_EMPTY, STR_NIL, STR_NIL);
}
static void
w_record(void *h, struct str series, double value)
{
	(void)value;
	w_seen(h, series);
}
static double
w_runs(void *h)
{
	(void)h;
	return 3;
}

/* Each verdict in turn. */
static enum incident_verdict
w_incident(void *h, const struct incident_seen *seen)
{
	struct world *w = h;

	w_keep(h, seen->key, false, seen->message, seen->evidence,
	    seen->unless);
	w_seen(h, seen->place);
	assert_true(seen->level < LEVEL_COUNT && seen->hold >= 0 &&
	    seen->remind >= 0 && seen->absent >= 0);
	return (enum incident_verdict)(w->steps++ % 3);
}
static double
w_incident_fact(void *h, enum incident_fact what, struct str key)
{
	w_seen(h, key);
	return what == INCIDENT_DURATION ? NUM_NIL : 1;
}

static struct table *
w_table(void *h, const struct table_ask *ask)
{
	(void)h; (void)ask;
	return NULL;
}

static const struct host world = {
	.name = "nothing", .output = w_output, .log = w_log, .exec = w_exec,
	.popen = w_popen, .capture = w_capture, .fopen = w_fopen,
	.read = w_read, .write = w_write, .flush = w_flush, .eof = w_flush,
	.close = w_close, .stat = w_stat, .access = w_access, .open = w_open,
	.clock = w_clock, .monotonic = w_clock, .sleep = w_sleep,
	.stop = w_stop, .pid = w_pid, .ask = w_ask,
	.previous = w_previous, .keep = w_keep, .seen = w_seen,
	.record = w_record, .runs = w_runs,
	.incident = w_incident, .incident_fact = w_incident_fact,
	.table = w_table,
	.why = w_why, .trace = w_trace,
};

/* --- a run --- */

/* A row of whatever table; nothing of it is told beyond its columns. */
static double
row_number(struct row *row, enum table_column c)
{
	(void)row;
	assert_true(c < COLUMN_COUNT && column_info[c].sigil == '#');
	return c % 3 == 0 ? NUM_NIL : (double)c;
}

static struct str
row_text(struct row *row, enum table_column c)
{
	(void)row;
	assert_true(c < COLUMN_COUNT && column_info[c].sigil == '$');
	return c % 3 == 0 ? STR_NIL : str_c(column_info[c].name);
}

static void
rows(struct vm *vm, const struct program *p)
{
	static const struct row_ops ops = { row_number, row_text };
	static struct row row = { &ops };
	struct str text[TABLE_ARGS];
	double number[TABLE_ARGS];
	int i;

	if (p->input != INPUT_TABLE)
		return;
	vm_run_table(vm, text, number);
	for (i = 0; i < 3; i++)
		if (vm_row_counts(vm, &row) == VM_DONE)
			(void)vm_run_row(vm, &row);
	vm_set_last_row(vm, &row);
}

static void
sections(struct vm *vm, const struct program *p)
{
	static const char *const input[] = { "3:root-x:c,xxy,2K", "", ":,:",
	    "1,a-b" };
	char *line = NULL;
	size_t i, n;

	(void)vm_load(vm);
	(void)vm_run_task(vm);
	(void)vm_run_begin(vm);
	if (p->input == INPUT_PROC)
		(void)vm_run_input(vm);
	if (p->input == INPUT_FILE)
		(void)vm_run_path(vm);
	if (p->has_filter)
		(void)vm_run_filter(vm);
	for (i = 0; i < COUNT(input); i++) {
		/* a line's bytes do not outlive it */
		n = strlen(input[i]);
		free(line);
		line = malloc(n + 1);
		memcpy(line, input[i], n);
		(void)vm_run_line(vm, str_of(line, n));
	}
	rows(vm, p);
	free(line);
	vm_set_eoi(vm);
	(void)vm_run_end(vm, p->end_uses_line ? STR_LIT("last:line") :
	    STR_NIL);
	vm_keep(vm, p->end_uses_line ? STR_LIT("last:line") : STR_NIL);
	vm_close(vm);
}

static void
run(struct program *p)
{
	static jmp_buf fail;
	struct vm_options o;
	struct world w = { 0, 0, 0 };
	struct mem mem;
	struct vm *volatile vm = NULL;

	p->budget = BUDGET;
	mem_init(&mem, MEMORY, &fail);
	memset(&o, 0, sizeof o);
	o.program = p;
	o.host = &world;
	o.h = &w;
	o.mem = &mem;
	o.facts.alert = o.facts.mailcmd = o.facts.lpcmd = o.facts.infile =
	    STR_LIT("fact");
	o.doexec = true;
	if (setjmp(fail) == 0) {
		vm = vm_new(&o);
		sections(vm, p);
		assert_non_null(vm);
	}
	if (vm != NULL) {
		vm_free(vm);
		if (mem.used != 0)
			fail_msg("%zu bytes are left", mem.used);
	}
}

/* Runs the bytes if they pass; true if they do. */
static bool
survive(struct str bytes, struct mem *mem)
{
	struct program_set set;
	struct arena arena;
	struct buf out;
	const char *why;
	bool ok;

	arena_init(&arena, mem, 4096);
	buf_init(&out, mem);
	ok = progfile_read(bytes, &arena, &set, &why) && set.n == 1 &&
	    program_verify(&set.program[0], &out);
	if (ok)
		run(&set.program[0]);
	buf_free(&out);
	arena_free(&arena);
	return ok;
}

/* --- changes --- */

static uint32_t seed = 12345;

static uint32_t
rnd(uint32_t n)
{
	seed = seed * 1664525 + 1013904223;
	return (seed >> 8) % n;
}

static void
fix_sum(struct buf *b)
{
	uint64_t v = progfile_sum(str_of(b->p + PROGFILE_HEAD,
	    b->n - PROGFILE_HEAD));
	unsigned i;

	for (i = 0; i < 8; i++)
		b->p[PROGFILE_HEAD - 8 + i] = (char)(v >> 8 * i);
}

static void
compile_to(const char *source, struct buf *out)
{
	struct compile_options o;
	struct compile *c;
	struct buf said;

	memset(&o, 0, sizeof o);
	c = compile_source(STR_LIT("hostile.pikt"), str_c(source), &o);
	assert_non_null(c);
	if (compile_programs(c)->n != 1) {
		buf_init(&said, out->mem);
		diag_render(compile_diag(c), &said, false);
		fail_msg("%s", buf_c(&said));
	}
	progfile_write(compile_programs(c), out);
	compile_free(c);
}

static void
test_unchanged(void **state)
{
	struct mem mem;
	struct buf b;
	size_t i;

	(void)state;
	mem_init(&mem, 64 << 20, NULL);
	buf_init(&b, &mem);
	for (i = 0; i < COUNT(scripts); i++) {
		buf_clear(&b);
		compile_to(scripts[i], &b);
		assert_true(survive(buf_view(&b), &mem));
	}
	buf_free(&b);
}

/* Each byte, each to few values that say something. */
static void
test_each_byte(void **state)
{
	static const unsigned char say[] = { 0, 1, 2, 3, 0x7f, 0x80, 0xfe,
	    0xff };
	struct mem mem;
	struct buf b;
	size_t i, at, k, passed = 0;
	char was;

	(void)state;
	mem_init(&mem, 64 << 20, NULL);
	buf_init(&b, &mem);
	for (i = 0; i < COUNT(scripts); i++) {
		buf_clear(&b);
		compile_to(scripts[i], &b);
		for (at = PROGFILE_HEAD; at < b.n; at++) {
			was = b.p[at];
			for (k = 0; k < COUNT(say) + 2; k++) {
				b.p[at] = (char)(k < COUNT(say) ? say[k] :
				    k == COUNT(say) ? was + 1 : was - 1);
				if (b.p[at] == was)
					continue;
				fix_sum(&b);
				passed += survive(buf_view(&b), &mem);
			}
			b.p[at] = was;
		}
	}
	assert_true(passed > 1000);
	buf_free(&b);
}

/* Several bytes at once, and words of code moved about. */
static void
test_random(void **state)
{
	const char *many = getenv("PICKET_LONG");
	size_t i, k, n, from, to, passed = 0, rounds = ROUNDS;
	struct mem mem;
	struct buf b;
	char *good;

	(void)state;
	if (many != NULL && *many != '\0' && *many != '0')
		rounds *= 20;
	mem_init(&mem, 64 << 20, NULL);
	buf_init(&b, &mem);
	for (i = 0; i < COUNT(scripts); i++) {
		buf_clear(&b);
		compile_to(scripts[i], &b);
		good = malloc(b.n);
		memcpy(good, b.p, b.n);
		for (k = 0; k < rounds; k++) {
			memcpy(b.p, good, b.n);
			for (n = 1 + rnd(3); n > 0; n--) {
				from = PROGFILE_HEAD + rnd((uint32_t)(b.n -
				    PROGFILE_HEAD - 8));
				to = PROGFILE_HEAD + rnd((uint32_t)(b.n -
				    PROGFILE_HEAD - 8));
				if (rnd(2) == 0)	/* as words stand */
					to = from + 4 * rnd(20);
				if (to + 4 > b.n)
					continue;
				if (rnd(3) == 0)
					b.p[from] = (char)rnd(256);
				else
					memmove(b.p + to, b.p + from, 4);
			}
			fix_sum(&b);
			passed += survive(buf_view(&b), &mem);
		}
		free(good);
	}
	assert_true(passed > rounds / 50);
	buf_free(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_unchanged),
		cmocka_unit_test(test_each_byte),
		cmocka_unit_test(test_random),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("hostile", tests, NULL, NULL);
}
