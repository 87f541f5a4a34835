/* hold: what picketd must not forget, and what it makes of a damaged file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <signal.h>
#include <unistd.h>

#include "engine/daemon/hold.h"

static char dir[] = "/tmp/test_hold.XXXXXX";
static int at;
static char why[200];

static size_t
get(char text[4096])
{
	int fd = openat(at, HOLD_FILE, O_RDONLY);
	ssize_t n = read(fd, text, 4095);

	close(fd);
	assert_true(n > 0);
	text[n] = '\0';
	return (size_t)n;
}

static void
put(const char *text, size_t n)
{
	int fd;

	(void)unlinkat(at, HOLD_FILE, 0);
	fd = openat(at, HOLD_FILE, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	assert_int_equal(write(fd, text, n), (ssize_t)n);
	close(fd);
}

static void
fill(struct hold *h)
{
	memset(h, 0, sizeof *h);
	h->disarmed = true;
	h->until = 1790000000.5;
	assert_true(hold_add(h, "MailStorm"));
	assert_true(hold_add(h, "Disk"));
	assert_true(hold_add(h, "Disk"));
}

/* As many as there may be, in an order that is none: a moment, there and back. */
static void
test_limit(void **state)
{
	struct hold h, r;
	char name[32];
	unsigned i, k;

	(void)state;
	memset(&h, 0, sizeof h);
	for (i = 0; i < LIM_HOLD_NAMES; i++) {
		k = (i * 7919u) % LIM_HOLD_NAMES;
		(void)snprintf(name, sizeof name, "alert-%06u", k);
		assert_true(hold_add(&h, name));
	}
	assert_int_equal(h.n, LIM_HOLD_NAMES);
	assert_false(hold_add(&h, "one-more"));
	assert_true(hold_has(&h, "alert-000000"));
	assert_true(hold_has(&h, "alert-099999"));
	assert_false(hold_has(&h, "alert-1"));
	assert_true(hold_write(&h, at, why, sizeof why));
	alarm(20);		/* it took minutes when each looked at all */
	assert_int_equal(hold_read(&r, at, why, sizeof why), HOLD_FINE);
	alarm(0);
	assert_int_equal(r.n, LIM_HOLD_NAMES);
	assert_true(hold_remove(&r, "alert-050000"));
	assert_false(hold_remove(&r, "alert-050000"));
	assert_false(hold_has(&r, "alert-050000"));
	assert_int_equal(r.n, LIM_HOLD_NAMES - 1);
	hold_free(&h);
	hold_free(&r);
}

static void
test_round(void **state)
{
	struct hold h, r;
	struct stat st;

	(void)state;
	(void)unlinkat(at, HOLD_FILE, 0);
	assert_int_equal(hold_read(&r, at, why, sizeof why), HOLD_NONE);
	assert_false(r.disarmed || r.all || r.n > 0);
	fill(&h);
	assert_int_equal(h.n, 2);
	assert_true(hold_write(&h, at, why, sizeof why));
	assert_int_equal(fstatat(at, HOLD_FILE, &st, 0), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(hold_read(&r, at, why, sizeof why), HOLD_FINE);
	assert_true(r.disarmed && !r.all && r.n == 2);
	assert_true(r.until > 1790000000.4 && r.until < 1790000000.6);
	assert_true(hold_has(&r, "Disk") && hold_has(&r, "MailStorm"));
	assert_true(hold_remove(&r, "MailStorm"));
	assert_false(hold_remove(&r, "MailStorm"));
	r.all = true;
	r.disarmed = false;
	assert_true(hold_write(&r, at, why, sizeof why));
	hold_free(&r);
	assert_int_equal(hold_read(&r, at, why, sizeof why), HOLD_FINE);
	assert_true(!r.disarmed && r.all && r.n == 1);
	hold_free(&r);
	hold_free(&h);
}

static void
test_names(void **state)
{
	struct hold h = { 0 };
	char big[2000];

	(void)state;
	memset(big, 'x', sizeof big - 1);
	big[sizeof big - 1] = '\0';
	assert_false(hold_add(&h, ""));
	assert_false(hold_add(&h, "a\npaused-all"));
	assert_false(hold_add(&h, big));
	big[LIM_HOLD_NAME] = '\0';
	assert_true(hold_add(&h, big));
	assert_true(hold_add(&h, " paused with \xff blanks "));
	assert_true(hold_write(&h, at, why, sizeof why));
	hold_free(&h);
	assert_int_equal(hold_read(&h, at, why, sizeof why), HOLD_FINE);
	assert_true(hold_has(&h, big));
	assert_true(hold_has(&h, " paused with \xff blanks "));
	hold_free(&h);
}

/* No byte can change, and none be missing, without disarming. */
static void
test_damaged(void **state)
{
	char text[4096], bad[4096];
	struct hold h, r;
	size_t n, i;

	(void)state;
	memset(&h, 0, sizeof h);
	assert_true(hold_add(&h, "MailStorm"));
	assert_true(hold_write(&h, at, why, sizeof why));
	hold_free(&h);
	n = get(text);
	for (i = 0; i < n; i++) {
		memcpy(bad, text, n);
		bad[i] ^= 4;
		put(bad, n);
		assert_int_equal(hold_read(&r, at, why, sizeof why),
		    HOLD_DAMAGED);
		assert_true(r.disarmed && r.until <= 0);
		assert_true(why[0] != '\0');
		hold_free(&r);
		put(text, i);
		assert_int_equal(hold_read(&r, at, why, sizeof why),
		    HOLD_DAMAGED);
		assert_true(r.disarmed);
		hold_free(&r);
	}
	memcpy(bad, text, n);
	bad[n] = 'x';
	put(bad, n + 1);
	assert_int_equal(hold_read(&r, at, why, sizeof why), HOLD_DAMAGED);
	hold_free(&r);
	put(text, n);
	assert_int_equal(hold_read(&r, at, why, sizeof why), HOLD_FINE);
	hold_free(&r);
	/* what is no file */
	(void)unlinkat(at, HOLD_FILE, 0);
	assert_int_equal(symlinkat("/etc/passwd", at, HOLD_FILE), 0);
	assert_int_equal(hold_read(&r, at, why, sizeof why), HOLD_DAMAGED);
	(void)unlinkat(at, HOLD_FILE, 0);
	assert_int_equal(mkfifoat(at, HOLD_FILE, 0600), 0);
	assert_int_equal(hold_read(&r, at, why, sizeof why), HOLD_DAMAGED);
	assert_string_equal(why, "it is no regular file");
	(void)unlinkat(at, HOLD_FILE, 0);
}

/* A disk without room: the old one stays. */
static void
test_full(void **state)
{
	struct rlimit old, small;
	struct hold h, r;

	(void)state;
	memset(&h, 0, sizeof h);
	assert_true(hold_add(&h, "One"));
	assert_true(hold_write(&h, at, why, sizeof why));
	assert_true(hold_add(&h, "Two"));
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &old);
	small = old;
	small.rlim_cur = 20;
	setrlimit(RLIMIT_FSIZE, &small);
	assert_false(hold_write(&h, at, why, sizeof why));
	setrlimit(RLIMIT_FSIZE, &old);
	assert_string_equal(why, "picketd.hold: File too large");
	assert_int_equal(faccessat(at, HOLD_FILE ".new", F_OK, 0), -1);
	assert_int_equal(hold_read(&r, at, why, sizeof why), HOLD_FINE);
	assert_true(hold_has(&r, "One") && !hold_has(&r, "Two"));
	hold_free(&r);
	/* what a crash has left is in nobody's way */
	close(openat(at, HOLD_FILE ".new", O_CREAT | O_WRONLY, 0600));
	assert_true(hold_write(&h, at, why, sizeof why));
	hold_free(&h);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_limit),
		cmocka_unit_test(test_round),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_damaged),
		cmocka_unit_test(test_full),
	};
	char rm[100];
	int failed;

	if (mkdtemp(dir) == NULL || (at = open(dir, O_RDONLY)) == -1)
		return 1;
	cmocka_set_message_output(CM_OUTPUT_TAP);
	failed = cmocka_run_group_tests_name("hold", tests, NULL, NULL);
	snprintf(rm, sizeof rm, "rm -rf %s", dir);
	return system(rm) != 0 || failed;
}
