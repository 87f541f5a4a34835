/* loop: whose turn it is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <unistd.h>

#include "engine/daemon/loop.h"

/* A place of the loop and a number of a descriptor that are given to somebody
 * else in the midst of a turn: he does not get what was meant for the other. */
static struct loop ours;
static struct watch *ends, *begins;
static int old[2], fresh[2];
static unsigned nended, nbegun;

static void
on_begun(struct watch *w, short revents)
{
	(void)w;
	(void)revents;
	nbegun++;
}

static void
on_ended(struct watch *w, short revents)
{
	(void)w;
	(void)revents;
	nended++;
}

static void
on_first(struct watch *w, short revents)
{
	(void)revents;
	watch_end(w);
	watch_end(ends);
	close(old[0]);
	assert_int_equal(pipe(fresh), 0);
	assert_int_equal(fresh[0], old[0]);
	/* the first free place, and then that of the one that has ended */
	assert_ptr_equal(loop_watch(&ours, old[0], POLLIN, on_begun, NULL), w);
	begins = loop_watch(&ours, fresh[0], POLLIN, on_begun, NULL);
	assert_ptr_equal(begins, ends);
}

static void
test_reuse(void **state)
{
	int p[2];

	(void)state;
	loop_init(&ours);
	assert_int_equal(pipe(p), 0);
	assert_int_equal(pipe(old), 0);
	assert_non_null(loop_watch(&ours, p[0], POLLIN, on_first, NULL));
	ends = loop_watch(&ours, old[0], POLLIN, on_ended, NULL);
	assert_int_equal(write(p[1], "x", 1), 1);
	close(old[1]);			/* POLLHUP, in this turn */
	loop_turn(&ours);
	assert_int_equal(nended, 0);
	assert_int_equal(nbegun, 0);
	assert_int_equal(write(fresh[1], "x", 1), 1);
	loop_turn(&ours);
	assert_true(nbegun > 0);
	close(p[0]);
	close(p[1]);
	close(fresh[0]);
	close(fresh[1]);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reuse),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("loop", tests, NULL, NULL);
}
