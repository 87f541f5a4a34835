/*
 * test_logfile: what is kept of a log between runs, and when it is damaged; a
 * log that is copied and emptied at each moment of a run.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "engine/input/logfile_inner.h"

#define LINES	300

static struct mem mem;
static unsigned nwarn;

static void
warn(void *arg, const char *text)
{
	(void)arg;
	assert_non_null(strstr(text, "damaged"));
	nwarn++;
}

static bool
unpack(void *arg, int fd, enum log_pack pack, const char *name,
    void (*take)(void *, const char *, size_t), void *to)
{
	(void)arg, (void)fd, (void)pack, (void)name, (void)take, (void)to;
	return false;
}

static const struct log_world world = { NULL, warn, unpack };
static char dir[] = "/tmp/test_logfile.XXXXXX", path[64], rotated[64];

static struct logfile *
fresh(void)
{
	struct log_options o = { &mem, str_c(path), STR_NIL, true, &world };

	return logfile_new(&o);
}

/* One run; how many bytes it read.  next: the position it leaves, or NULL. */
static uint64_t
run(struct str position, struct buf *next)
{
	struct logfile *l = fresh();
	struct log_part part;
	char tail[LOG_TAIL];
	uint64_t n = 0;
	size_t k;

	assert_true(logfile_open(l, position));
	while (logfile_next(l, &part)) {
		k = part.to < LOG_TAIL ? (size_t)part.to : LOG_TAIL;
		assert_true(log_pread(part.fd, tail, k, part.to - k));
		logfile_read(l, part.number, part.to, tail, k, true);
		n += part.to - part.from;
	}
	if (next != NULL) {
		buf_clear(next);
		logfile_position(l, next);
	}
	logfile_free(l);
	return n;
}

static uint64_t
write_lines(const char *name, unsigned from)
{
	FILE *f = fopen(name, "a");
	uint64_t n;
	unsigned i;

	assert_non_null(f);
	for (i = from; i < from + LINES; i++)
		fprintf(f, "%08u a line\n", i);
	n = (uint64_t)ftell(f);
	fclose(f);
	return n;
}

static void
test_round_trip(void **state)
{
	struct buf a, b;
	struct logfile *l;
	uint64_t n;

	(void)state;
	buf_init(&a, &mem);
	buf_init(&b, &mem);
	write_lines(rotated, 0);
	fclose(fopen(path, "w"));
	assert_int_equal(run(STR_EMPTY, &a), 0);
	n = write_lines(path, LINES);
	assert_int_equal(run(buf_view(&a), &a), n);
	assert_int_equal(run(buf_view(&a), &a), 0);
	assert_non_null(strstr(buf_c(&a), "\nm 1024 "));

	l = fresh();
	assert_true(log_decode(l, buf_view(&a)));
	assert_true(realpath(path, l->real) != NULL);
	log_encode(l, &b);
	logfile_free(l);
	assert_string_equal(buf_c(&a), buf_c(&b));
	assert_int_equal(nwarn, 0);
	buf_free(&a);
	buf_free(&b);
}

/* Nothing is lost: the log and the newest rotated file are read again. */
static void
test_damaged(void **state)
{
	static const char *const bad[] = {
		"x", "log 1\n", "log 2", "log 2\ns\n", "log 2\ns 1\n",
		"log 2\nq 1 2 3\n", "log 2\nm 1024 0\n",
		"log 2\nf 1 2 3 4 0 0\n", "log 2\nx 1 2 3\n",
		"log 2\ns 0 0 1 1 1 61\n",
		"log 2\ns 99999999999999999999 0 1 1 1 61\n",
		"log 2\ns 9 0 1 1 1 6\n", "log 2\ns 9 0 1 1 1 61 1 1 1 1 1\n",
		"log 2\ns 9 0 1 1 1 61\nm 1024 1\n",
		"log 2\ns 9 0 1 1 1 61\nf 1 1 1 1 0 1\n",
		"log 2\ns 9 0 1 1 1 61\nf 1 1 1 1 0 18446744073709551615\n",
		"log 2\nf 1 1 1 1 0 -\ns 9 0 1 1 1 61\n",
	};
	uint64_t all = run(STR_EMPTY, NULL) * 2;
	struct buf b;
	size_t i;

	(void)state;
	buf_init(&b, &mem);
	for (i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		nwarn = 0;
		assert_int_equal(run(str_c(bad[i]), &b), all);
		assert_int_equal(nwarn, 1);
		assert_int_equal(run(buf_view(&b), NULL), 0);
	}
	buf_free(&b);
}

/* Whatever is changed in it: the run ends, and leaves one that can be read. */
static void
test_random(void **state)
{
	struct buf good, b;
	unsigned i, k, n;
	size_t cut;

	(void)state;
	buf_init(&good, &mem);
	buf_init(&b, &mem);
	run(STR_EMPTY, &good);
	run(buf_view(&good), &good);
	for (cut = 0; cut < good.n; cut++)
		run(str_of(good.p, cut), NULL);
	srandom(7);
	for (i = 0; i < 20000; i++) {
		buf_clear(&b);
		buf_str(&b, buf_view(&good));
		n = 1 + (unsigned)random() % 4;
		for (k = 0; k < n; k++)
			b.p[(size_t)random() % b.n] = (char)(random() % 4 ?
			    "0123456789abcdef \n-smfxp"[random() % 24] :
			    random());
		run(buf_view(&b), i % 16 == 0 ? &b : NULL);
		if (i % 16 == 0) {
			nwarn = 0;
			run(buf_view(&b), NULL);
			assert_int_equal(nwarn, 0);
		}
	}
	buf_free(&good);
	buf_free(&b);
}

/* --- copied and emptied while it is read --- */

/* A log of one read text; the position. */
static uint64_t
begin(struct buf *at)
{
	buf_init(at, &mem);
	unlink(rotated);
	unlink(path);
	write_lines(path, 0);
	run(STR_EMPTY, at);
	return write_lines(path, LINES);
}

static void
copy(void)
{
	char t[4096];
	FILE *from = fopen(path, "r"), *to = fopen(rotated, "w");
	size_t n;

	assert_true(from != NULL && to != NULL);
	while ((n = fread(t, 1, sizeof t, from)) > 0)
		assert_int_equal(fwrite(t, 1, n, to), n);
	fclose(from);
	fclose(to);
}

/* Longer than what was there before: no size tells. */
static uint64_t
refill(void)
{
	assert_int_equal(truncate(path, 0), 0);
	write_lines(path, 2 * LINES);
	write_lines(path, 3 * LINES);
	return write_lines(path, 4 * LINES);
}

static void
read_part(struct logfile *l, const struct log_part *part)
{
	char tail[LOG_TAIL];
	size_t k = part->to - part->from < LOG_TAIL ?
	    (size_t)(part->to - part->from) : LOG_TAIL;

	assert_true(log_pread(part->fd, tail, k, part->to - k));
	logfile_read(l, part->number, part->to, tail, k, true);
}

static void
end_run(struct logfile *l, struct buf *at)
{
	buf_clear(at);
	logfile_position(l, at);
	logfile_free(l);
}

/* The copy was found to be one of what the log held then: it is all that is
 * left of it. */
static void
test_emptied_after_judging(void **state)
{
	struct logfile *l = NULL;
	struct log_part part;
	struct buf at;
	uint64_t n, m;
	unsigned known;

	(void)state;
	for (known = 0; known < 2; known++) {
		n = begin(&at);
		if (!known) {	/* a text that no run has seen yet */
			assert_int_equal(truncate(path, 0), 0);
			n = write_lines(path, 9 * LINES);
		}
		copy();
		l = fresh();
		assert_true(logfile_open(l, buf_view(&at)));
		m = refill();
		if (known)
			assert_false(logfile_next(l, &part));
		else {
			assert_true(logfile_next(l, &part));
			assert_int_equal(part.to - part.from, m);
			read_part(l, &part);
			assert_false(logfile_next(l, &part));
			m = 0;
		}
		end_run(l, &at);
		assert_int_equal(run(buf_view(&at), &at), m +
		    (known ? n / 2 : n));
		assert_int_equal(run(buf_view(&at), NULL), 0);
		buf_free(&at);
	}
}

/* A part is at hand, and is not what it was: nothing of it counts. */
static void
test_emptied_before_reading(void **state)
{
	struct logfile *l;
	struct log_part part;
	struct buf at;
	uint64_t n, m;

	(void)state;
	n = begin(&at);
	l = fresh();
	assert_true(logfile_open(l, buf_view(&at)));
	assert_true(logfile_next(l, &part));
	assert_true(logfile_still(l, part.number));
	copy();
	assert_int_equal(truncate(path, 0), 0);
	assert_false(logfile_still(l, part.number));
	m = refill();
	assert_false(logfile_still(l, part.number));
	logfile_read(l, part.number, part.from, "", 0, true);
	assert_false(logfile_next(l, &part));
	end_run(l, &at);
	assert_int_equal(run(buf_view(&at), &at), n / 2 + m);
	assert_int_equal(run(buf_view(&at), NULL), 0);
	buf_free(&at);
}

/* A short part: the bytes before it are kept, too, from when it began. */
static void
test_emptied_after_reading(void **state)
{
	struct logfile *l;
	struct log_part part;
	struct buf at;
	uint64_t m;
	FILE *f;

	(void)state;
	begin(&at);
	run(buf_view(&at), &at);
	f = fopen(path, "a");
	assert_non_null(f);
	fprintf(f, "%08u short\n", 2 * LINES - 1);
	fclose(f);
	l = fresh();
	assert_true(logfile_open(l, buf_view(&at)));
	assert_true(logfile_next(l, &part));
	assert_int_equal(part.to - part.from, strlen("12345678 short\n"));
	read_part(l, &part);
	copy();
	m = refill();
	assert_false(logfile_next(l, &part));
	end_run(l, &at);
	assert_int_equal(run(buf_view(&at), &at), m);
	assert_int_equal(run(buf_view(&at), NULL), 0);
	buf_free(&at);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_damaged),
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_emptied_after_judging),
		cmocka_unit_test(test_emptied_before_reading),
		cmocka_unit_test(test_emptied_after_reading),
	};
	int bad;

	mem_init(&mem, 1 << 26, NULL);
	if (mkdtemp(dir) == NULL)
		return 1;
	snprintf(path, sizeof path, "%s/log", dir);
	snprintf(rotated, sizeof rotated, "%s/log.1", dir);
	bad = cmocka_run_group_tests(tests, NULL, NULL);
	unlink(path);
	unlink(rotated);
	rmdir(dir);
	return bad;
}
