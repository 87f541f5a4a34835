/* sim: runs in a world that is written down, one after the other. */
#include "sim.h"

#include <time.h>

static struct mem mem;
static jmp_buf jump;
static struct sim *sim;
static struct recorded *world;
static struct compile *source;
static const struct program *program[4];
static size_t nprogram;
static struct sim_result res;
static struct buf why;

#define NOW	956639822.0	/* Tue Apr 25 05:17:02 2000 UTC */

static void
open_with(const char *text, const struct sim_options *with)
{
	struct sim_options o;
	size_t i;

	memset(&o, 0, sizeof o);
	if (with != NULL)
		o = *with;
	o.mem = &mem;
	o.store = store_program();
	o.alert = STR_LIT("Urgent");
	source = compiled(text, o.met != NULL);
	nprogram = compile_programs(source)->n;
	for (i = 0; i < nprogram; i++)
		program[i] = &compile_programs(source)->program[i];
	buf_init(&why, &mem);
	sim = sim_new(&o, &why);
	if (sim == NULL)
		fail_msg("%s", buf_c(&why));
	world = sim_world(sim);
	recorded_set_clock(world, NOW);
	recorded_set_host(world, STR_LIT("moscow"));
}

static void
open_sim(const char *text)
{
	open_with(text, NULL);
}

static void
close_sim(void)
{
	sim_free(sim);
	compile_free(source);
	buf_free(&why);
	assert_int_equal(mem.used, 0);
}

static void
run_at(double after, const char *input)
{
	recorded_forget(world);
	recorded_set_clock(world, recorded_clock(world) + after);
	recorded_set_input(world, str_c(input));
	if (!sim_run(sim, program, nprogram, true, &res, &why))
		fail_msg("%s", buf_c(&why));
}

static void
value_is(const char *name, const char *element, const char *value)
{
	struct str v;

	assert_true(sim_variable(sim, program[0], str_c(name), str_c(element),
	    &v));
	str_is(v, value);
}

/* Each of its own: one that fails leaves its sim. */
static int
setup(void **state)
{
	(void)state;
	mem_init(&mem, SIZE_MAX, &jump);
	setenv("TZ", "UTC", 1);
	tzset();
	return 0;
}

/* --- */

static const char storm[] =
    "Storm\n"
    "	init\n"
    "		status active\n"
    "		level urgent\n"
    "		task \"Report high numbers.\"\n"
    "		input proc \"ps axo user,comm | sort | uniq -c\"\n"
    "		dat #n 1\n"
    "		dat $user 2\n"
    "		dat $comm 3\n"
    "		keys $user $comm\n"
    "	begin\n"
    "		set #many = 0\n"
    "	rule\n"
    "		if #n > 100\n"
    "			output mail $inlin\n"
    "			set #many += 1\n"
    "			exec wait \"cp -p /var/mail/$user /arc/$user.$text(#now())\"\n"
    "			output mail \"was $text(%#n)\"\n"
    "		fi\n"
    "		set #by[$user] = #n\n";

static void
test_first(void **state)
{
	(void)state;
	open_sim(storm);
	run_at(0, "    404 groucho imapd\n      3 chico imapd\n");
	assert_int_equal(res.nscript, 1);
	str_is(res.script[0].error, "");
	assert_int_equal(res.script[0].end, RUN_OK);
	assert_true(res.script[0].lines == 2);
	assert_int_equal(res.nmail, 1);
	str_is(res.mail[0].subject, "PIKT Alert on moscow: Urgent");
	has(res.mail[0].body.p, "Tue Apr 25 05:17:02 2000");
	has(res.mail[0].body.p, "    404 groucho imapd\n");
	has(res.mail[0].body.p, "was <<NIL>>");
	assert_null(strstr(res.mail[0].body.p, "chico"));
	assert_string_equal(did(world),
	    "exec: cp -p /var/mail/groucho /arc/groucho.956639822\n");
	value_is("#many", NULL, "1");
	value_is("#by", "chico", "3");
	assert_false(sim_variable(sim, program[0], STR_LIT("#nosuch"),
	    STR_NIL, &(struct str){ NULL, 0 }));

	/* what was kept is there, and the clock has gone on */
	run_at(300, "    101 groucho imapd\n");
	has(res.mail[0].body.p, "was 404");
	has(res.mail[0].body.p, "05:22:02");
	run_at(300, "      1 groucho imapd\n");
	assert_int_equal(res.nmail, 0);
	assert_string_equal(did(world), "");
	close_sim();
}

static const char queue[] =
    "Queue\n"
    "	init\n"
    "		status active\n"
    "		level critical\n"
    "		input file \"/q\"\n"
    "		dat #queued 1\n"
    "	rule\n"
    "		incident \"mxqueue:$hostname()\"\n"
    "			when #queued >= 5000\n"
    "			until #queued <= 4700\n"
    "			hold 5m\n"
    "			remind 1h\n"
    "			message \"MX has $text(#queued) messages\"\n"
    "		endincident\n";

static const char *
changes(void)
{
	static char text[4096];
	size_t i, k = 0;

	text[0] = '\0';
	for (i = 0; i < res.nchange; i++)
		k += (size_t)snprintf(text + k, sizeof text - k,
		    "%.*s %.*s: %.*s;", (int)res.change[i].kind.n,
		    res.change[i].kind.p, (int)res.change[i].key.n,
		    res.change[i].key.p, (int)res.change[i].message.n,
		    res.change[i].message.p);
	return text;
}

static void
test_incident(void **state)
{
	const struct str key = STR_LIT("mxqueue:moscow");

	(void)state;
	open_sim(queue);
	assert_true(str_none(sim_incident(sim, key)));
	run_at(0, "5210\n");
	str_is(sim_incident(sim, key), "pending");
	assert_int_equal(res.nmail, 0);
	run_at(300, "5300\n");
	str_is(sim_incident(sim, key), "firing");
	assert_string_equal(changes(),
	    "firing mxqueue:moscow: MX has 5300 messages;");
	assert_int_equal(res.nmail, 1);
	has(res.mail[0].body.p, "[firing] MX has 5300 messages");
	has(res.mail[0].body.p, "since 05:22:02");
	run_at(300, "4800\n");
	assert_string_equal(changes(), "");
	run_at(3600, "4800\n");
	has(changes(), "still firing mxqueue:moscow");
	run_at(300, "100\n");
	has(changes(), "resolved mxqueue:moscow");
	has(res.mail[0].body.p, "[resolved after 1h 10m]");
	str_is(sim_incident(sim, key), "quiet");
	close_sim();
}

/* A run of a day takes no day; its time stands still for nobody. */
static void
test_clock(void **state)
{
	double begun;

	(void)state;
	open_sim("P\n\tinit\n\t\tstatus active\n\t\ttimeout 24h\n"
	    "\tbegin\n\t\tset #a = #now()\n\t\tpause 10h\n"
	    "\t\tset #b = #now()\n\t\toutput mail \"x\"\n");
	begun = (double)time(NULL);
	run_at(0, NULL);
	assert_true((double)time(NULL) - begun < 20);
	str_is(res.script[0].error, "");
	value_is("#a", NULL, "956639822");
	value_is("#b", NULL, "956675822");
	assert_true(recorded_clock(world) == NOW + 36000);
	has(res.mail[0].body.p, "Tue Apr 25 15:17:02 2000");
	close_sim();

	open_sim("P\n\tinit\n\t\tstatus active\n\t\ttimeout 1h\n"
	    "\tbegin\n\t\tpause 1d\n\t\toutput mail \"never\"\n");
	run_at(0, NULL);
	assert_int_equal(res.script[0].end, RUN_STOPPED);
	has(res.script[0].error.p, "deadline");
	assert_true(recorded_clock(world) == NOW + 3600);
	close_sim();
}

static unsigned nstmt, ntrue, nfalse;

static void
count_met(void *arg, const struct program *p, uint32_t pc, bool taken)
{
	assert_ptr_equal(arg, &nstmt);
	assert_true(pc < p->ncode);
	if (I_OP(p->code[pc]) == OP_TRCOND) {
		ntrue += taken;
		nfalse += !taken;
	} else
		nstmt++;
}

static void
test_met(void **state)
{
	const struct sim_options o = { .met = count_met, .arg = &nstmt };

	(void)state;
	open_with(storm, &o);
	run_at(0, "404 groucho imapd\n3 chico imapd\n5 harpo imapd\n");
	assert_int_equal(ntrue, 1);
	assert_int_equal(nfalse, 2);
	assert_true(nstmt >= 8);
	close_sim();
}

/* Told of only: nothing is done in the world, and nothing is asked of it. */
static void
test_dry(void **state)
{
	const struct sim_options o = { .dry = true };

	(void)state;
	open_with("D\n\tinit\n\t\tstatus active\n\t\tinput file \"/x\"\n"
	    "\trule\n\t\tif $inlin eq \"go\"\n"
	    "\t\t\texec \"rm /tmp/x\"\n\t\t\toutput mail \"gone\"\n"
	    "\t\tfi\n\tend\n\t\tset $d = $command(\"date\")\n", &o);
	run_at(0, "no\ngo\n");
	assert_int_equal(res.nmail, 1);
	has(did(world), "exec: rm /tmp/x\n");
	has(did(world), "unanswered: command date\n");
	close_sim();
}

static void
test_no_store(void **state)
{
	struct sim_options o;

	(void)state;
	memset(&o, 0, sizeof o);
	o.mem = &mem;
	o.store = "/no/such/picket-store";
	o.alert = STR_LIT("Urgent");
	buf_init(&why, &mem);
	assert_null(sim_new(&o, &why));
	has(buf_c(&why), "/no/such/picket-store: cannot be ");
	buf_free(&why);
	assert_int_equal(mem.used, 0);
}

static double
seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* Hundreds of tests must take seconds. */
static void
test_speed(void **state)
{
	double begun, start, each;
	int i;

	(void)state;
	begun = seconds();
	for (i = 0; i < 20; i++) {
		open_sim(queue);
		close_sim();
	}
	start = (seconds() - begun) / 20;
	open_sim(queue);
	begun = seconds();
	for (i = 0; i < 200; i++)
		run_at(300, i % 20 < 10 ? "6000\n" : "10\n");
	each = (seconds() - begun) / 200;
	close_sim();
	printf("# a sim's start %.2f ms, a run %.3f ms\n", start * 1e3,
	    each * 1e3);
	/* a tenth of that is measured; a busy machine must not fail it */
	assert_true(start < 0.15);
	assert_true(each < 0.02);
}

int
main(void)
{
	const struct CMUnitTest all[] = {
		cmocka_unit_test_setup(test_first, setup),
		cmocka_unit_test_setup(test_incident, setup),
		cmocka_unit_test_setup(test_clock, setup),
		cmocka_unit_test_setup(test_met, setup),
		cmocka_unit_test_setup(test_dry, setup),
		cmocka_unit_test_setup(test_no_store, setup),
		cmocka_unit_test_setup(test_speed, setup),
	};

	return cmocka_run_group_tests(all, NULL, NULL);
}
