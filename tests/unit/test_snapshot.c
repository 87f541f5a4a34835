/*
 * A snapshot of processes, and a run that has nothing else: tables, acts and
 * logs with no descriptor left, as it is with no memory left.
 * runner: serial
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "lang/base/num.h"
#include "engine/effect/scarce.h"
#include "engine/table/snapshot.h"
#include "engine/vm/clock.h"
#include "tests/unit/effect.h"

static struct world w;
static struct snapshot s;
static struct mem mem;

/* A child of that name which has so much memory, and waits. */
static pid_t
child(const char *name, size_t mib, bool stubborn)
{
	int fd[2];
	pid_t pid;
	char c, *p;

	assert_int_equal(pipe(fd), 0);
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_NAME, name);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (stubborn)
			signal(SIGTERM, SIG_IGN);
		p = malloc((mib << 20) + 1);
		memset(p, 1, (mib << 20) + 1);
		if (write(fd[1], p, 1) == 1)
			for (;;)
				pause();
		_exit(1);
	}
	close(fd[1]);
	assert_int_equal(read(fd[0], &c, 1), 1);
	close(fd[0]);
	return pid;
}

static void
open_snapshot(void)
{
	struct table_world tw = { .root = "" };
	char why[LIM_TABLE_WHY];

	mem_init(&mem, SIZE_MAX, NULL);
	assert_true(snapshot_open(&s, &mem, &tw, why));
	assert_int_equal(snapshot_take(&s, clock_steady()), SNAPSHOT_TAKEN);
	while (s.left_out > 0 && s.cap < LIM_SNAPSHOT) {	/* a full host */
		snapshot_room(&s);
		assert_int_equal(snapshot_take(&s, clock_steady()),
		    SNAPSHOT_TAKEN);
	}
}

static void
close_snapshot(void)
{
	snapshot_close(&s);
	assert_int_equal(mem.used, 0);
}

/* Takes all descriptors that there are; how many. */
static int
take_all(struct rlimit *was)
{
	struct rlimit few;
	int n = 0;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, was), 0);
	few = *was;
	few.rlim_cur = 600;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	while (dup(0) != -1)
		n++;
	assert_int_equal(errno, EMFILE);
	assert_true(n > 0);
	return n;
}

static void
give_back(int from, const struct rlimit *was)
{
	int fd;

	for (fd = from; fd < 600; fd++)
		(void)close(fd);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, was), 0);
}

static struct table *
table_of(enum table_id id, pid_t only, const struct snapshot *from,
    struct mem *m)
{
	struct table_world tw = { .mem = m, .root = "", .snapshot = from };
	struct table_ask ask = { .id = id, .only = only };
	char why[LIM_TABLE_WHY];
	struct table *t = table_open(&tw, &ask, why);

	if (t == NULL)
		fail_msg("%s", why);
	return t;
}

/* Both ways to ask say the same of a process that stands still. */
static void
test_same(void **state)
{
	static const int number[] = { COLUMN_PROCESSES_pid,
	    COLUMN_PROCESSES_ppid, COLUMN_PROCESSES_uid, COLUMN_PROCESSES_gid,
	    COLUMN_PROCESSES_rss, COLUMN_PROCESSES_vsz, COLUMN_PROCESSES_swap,
	    COLUMN_PROCESSES_shared, COLUMN_PROCESSES_starttime,
	    COLUMN_PROCESSES_threads, COLUMN_PROCESSES_oom_score_adj,
	    COLUMN_PROCESSES_utime };
	static const int text[] = { COLUMN_PROCESSES_user,
	    COLUMN_PROCESSES_state, COLUMN_PROCESSES_comm,
	    COLUMN_PROCESSES_args, COLUMN_PROCESSES_tty,
	    COLUMN_PROCESSES_cgroup, COLUMN_PROCESSES_unit };
	pid_t pid = child("same (x) y", 8, false);
	struct table *a, *b;
	struct row *ra, *rb;
	char copy[200];
	struct str sa, sb;
	size_t i, used;

	(void)state;
	open_snapshot();
	used = mem.used;
	a = table_of(TABLE_PROCESSES, pid, NULL, &mem);
	b = table_of(TABLE_PROCESSES, pid, &s, &mem);
	assert_int_equal(table_next(a), TABLE_ROW);
	assert_int_equal(table_next(b), TABLE_ROW);
	ra = table_row(a);
	rb = table_row(b);
	for (i = 0; i < sizeof number / sizeof number[0]; i++) {
		double x = ra->ops->number(ra, (enum table_column)number[i]);
		double y = rb->ops->number(rb, (enum table_column)number[i]);

		if (!(x == y || (num_none(x) && num_none(y))))
			fail_msg("%s: %g, of a snapshot %g",
			    column_info[number[i]].name, x, y);
	}
	for (i = 0; i < sizeof text / sizeof text[0]; i++) {
		sa = ra->ops->text(ra, (enum table_column)text[i]);
		sb = rb->ops->text(rb, (enum table_column)text[i]);
		if (sa.n > LIM_SNAPSHOT_ARGS && text[i] ==
		    COLUMN_PROCESSES_args)
			sa.n = LIM_SNAPSHOT_ARGS;
		snprintf(copy, sizeof copy, "%s", column_info[text[i]].name);
		if (!str_eq(sa, sb) && !(str_none(sa) && str_none(sb)))
			fail_msg("%s: %.*s, of a snapshot %.*s", copy,
			    (int)sa.n, sa.p, (int)sb.n, sb.p);
	}
	assert_int_equal(table_next(b), TABLE_END);
	table_close(a);
	table_close(b);
	assert_int_equal(mem.used, used);
	/* who has ended is left out as soon as it is looked at */
	assert_non_null(snapshot_find(&s, pid));
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	snapshot_look(&s);
	assert_null(snapshot_find(&s, pid));
	assert_int_equal(snapshot_take(&s, clock_steady()), SNAPSHOT_TAKEN);
	assert_null(snapshot_find(&s, pid));
	close_snapshot();
}

/* How many are kept open, in order. */
static size_t
kept(void)
{
	size_t i, open = 0;

	for (i = 0; i < s.n; i++) {
		open += s.now[i].fd != -1;
		if (i > 0)
			assert_true(s.now[i].pid > s.now[i - 1].pid);
	}
	assert_int_equal(open, s.nopen);
	assert_true(s.nopen <= LIM_SNAPSHOT_OPEN);
	return open;
}

/* The descriptors of this process. */
static int
descriptors(void)
{
	int fd, n = 0;

	for (fd = 0; fd < 2000; fd++)
		n += fcntl(fd, F_GETFD) != -1;
	return n;
}

/* The largest are kept open, and say how large they are now. */
static void
test_kept(void **state)
{
	pid_t pid = child("large", 64, false);
	const struct snapshot_process *q;
	int before = descriptors();
	size_t i;

	(void)state;
	open_snapshot();
	q = snapshot_find(&s, pid);
	assert_non_null(q);
	assert_true(q->fd != -1);
	assert_true(kept() > 0);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_false(snapshot_alive(&s, q));
	for (i = 0; i < 3 * SNAPSHOT_SLOW; i++)
		assert_int_equal(snapshot_take(&s, clock_steady()),
		    SNAPSHOT_TAKEN);
	(void)kept();
	assert_int_equal(descriptors() - before, 1 + s.nfile + s.nopen + s.nspare);
	close_snapshot();
	assert_int_equal(descriptors(), before);
}

/* Room for twice as many as there are, when it is asked for. */
static void
test_room(void **state)
{
	size_t n;

	(void)state;
	open_snapshot();
	n = s.n;
	/* as if there had been place for one only */
	s.cap = 1;
	assert_int_equal(snapshot_take(&s, 1), SNAPSHOT_TAKEN);
	assert_int_equal(s.n, 1);
	assert_true(s.left_out >= n / 2);
	s.cap = SNAPSHOT_FIRST;
	s.left_out = SNAPSHOT_FIRST;
	snapshot_room(&s);
	assert_true(s.cap >= 2 * SNAPSHOT_FIRST);
	assert_int_equal(snapshot_take(&s, 1), SNAPSHOT_TAKEN);
	assert_int_equal(s.left_out, 0);
	assert_true(s.n >= n / 2);
	close_snapshot();
}

/* What is left is enough for a part of what there is to read: then what was
 * known stays, and no process is without its user, arguments or cgroup. */
static void
test_part(void **state)
{
	pid_t pid = child("large", 64, false), new;
	const struct snapshot_process *q;
	struct snapshot_process was;
	struct rlimit limit;
	int left, turn, first, scarce = 0;

	(void)state;
	open_snapshot();
	was = *snapshot_find(&s, pid);
	assert_true(was.uid == getuid() && was.nargs != UCHAR_MAX &&
	    was.ncgroup != USHRT_MAX && was.adj != SHRT_MIN);
	/* in a hurry arguments are as they were, or not known; later they are */
	new = child("new", 1, false);
	s.hurry = true;
	for (turn = 0; turn <= SNAPSHOT_SLOW; turn++)
		assert_int_equal(snapshot_take(&s, clock_steady()),
		    SNAPSHOT_TAKEN);
	assert_int_equal(snapshot_find(&s, pid)->nargs, was.nargs);
	assert_int_equal(snapshot_find(&s, new)->nargs, UCHAR_MAX);
	assert_int_equal(snapshot_find(&s, new)->uid, was.uid);
	s.hurry = false;
	assert_int_equal(snapshot_take(&s, clock_steady()), SNAPSHOT_TAKEN);
	assert_int_equal(snapshot_find(&s, new)->nargs, was.nargs);
	kill(new, SIGKILL);
	waitpid(new, NULL, 0);
	first = dup(0);
	close(first);
	(void)take_all(&limit);
	for (left = 0; left < 4; left++) {
		for (turn = 0; turn <= SNAPSHOT_SLOW; turn++)
			scarce += snapshot_take(&s, clock_steady()) ==
			    SNAPSHOT_SCARCE;
		q = snapshot_find(&s, pid);
		assert_non_null(q);
		assert_int_equal(q->uid, was.uid);
		assert_int_equal(q->nargs, was.nargs);
		assert_int_equal(q->ncgroup, was.ncgroup);
		assert_int_equal(q->cgroup, was.cgroup);
		assert_int_equal(q->shared, was.shared);
		assert_int_equal(q->adj, was.adj);
		(void)close(599 - left);
	}
	assert_true(scarce > SNAPSHOT_SLOW / 2);
	give_back(first, &limit);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	close_snapshot();
}

/* No descriptor left: nothing is taken, what was taken stays, and is enough to
 * act on. */
static void
test_scarce(void **state)
{
	struct live_options o = world_options(&w);
	struct scarce scarce;
	struct rlimit was;
	struct act a = { .kind = ACT_TERMINATE, .start = NUM_NIL, .value = 1 };
	struct act_result r;
	struct str protect = STR_LIT("spared");
	struct table_ask ask = { .id = TABLE_PROCESSES };
	struct table *t;
	pid_t large = child("large", 32, true), small = child("small", 0,
	    false), spared = child("spared", 16, false);
	char user[32], want[100];
	size_t n, rows = 0;
	int first;

	(void)state;
	open_snapshot();
	assert_true(snapshot_find(&s, large)->fd != -1);
	scarce_init(&scarce, &mem, &s, LIM_SCARCE_LOG);
	o.scarce = &scarce;
	o.timeout = 30;
	o.protect = &protect;
	o.nprotect = 1;
	o.out_fd = o.err_fd = -1;
	first = dup(0);
	close(first);
	(void)take_all(&was);
	n = s.n;
	assert_int_equal(snapshot_take(&s, clock_steady()), SNAPSHOT_SCARCE);
	assert_int_equal(s.n, n);
	snapshot_look(&s);
	w.live = live_new(&o);
	t = w.host->table(w.live, &ask);
	assert_non_null(t);
	while (table_next(t) == TABLE_ROW)
		rows++;
	table_close(t);
	assert_true(rows > 3);
	ask.id = TABLE_FILESYSTEMS;
	assert_null(w.host->table(w.live, &ask));
	assert_non_null(strstr(w.host->why(w.live).p, "memory is short"));
	ask.id = TABLE_MEMORY;
	t = w.host->table(w.live, &ask);
	assert_non_null(t);
	assert_int_equal(table_next(t), TABLE_ROW);
	assert_true(table_row(t)->ops->number(table_row(t),
	    COLUMN_MEMORY_MemTotal) > 1e6);
	table_close(t);
	/* one that ignores TERM, by its open stat */
	a.pid = large;
	a.start = (double)snapshot_find(&s, large)->start;
	w.host->act(w.live, &a, &r);
	assert_true(r.n == 2);
	/* one that is not kept open, as the young snapshot has it */
	a.pid = small;
	a.start = NUM_NIL;
	a.kind = ACT_KILL;
	a.sig = STR_LIT("KILL");
	w.host->act(w.live, &a, &r);
	assert_true(r.n == 0);
	/* who is protected, and we ourselves */
	a.pid = spared;
	w.host->act(w.live, &a, &r);
	assert_true(r.n == -1);
	assert_non_null(strstr(w.host->why(w.live).p, "protect spared"));
	a.pid = getpid();
	w.host->act(w.live, &a, &r);
	assert_true(r.n == -1);
	assert_non_null(strstr(w.host->why(w.live).p, "Picket itself"));
	a.pid = getppid();
	w.host->act(w.live, &a, &r);
	assert_true(r.n == -1);
	/* an old one does not count for those */
	s.taken -= 2 * LIM_SCARCE_AGE;
	a.pid = spared;
	w.host->act(w.live, &a, &r);
	assert_true(r.n == -1);
	snprintf(user, sizeof user, "%lu", (unsigned long)geteuid());
	a = (struct act){ .kind = ACT_KILLALL, .user = str_c(user),
	    .comm = STR_LIT("spared"), .sig = STR_LIT("KILL") };
	w.host->act(w.live, &a, &r);
	assert_int_equal(kill(spared, 0), 0);
	live_free(w.live);
	give_back(first, &was);

	snprintf(want, sizeof want, "terminate: %ld", (long)large);
	buf_putc(&scarce.log, '\0');
	assert_non_null(strstr(scarce.log.p, want));
	assert_non_null(strstr(scarce.log.p, "TERM was not enough"));
	buf_putc(&scarce.audit, '\0');
	snprintf(want, sizeof want, "kill: %ld KILL (small of ", (long)small);
	assert_non_null(strstr(scarce.audit.p, want));
	/* no file was written meanwhile */
	assert_string_equal(slurp(w.dir, "Urgent.log"), "");
	scarce_free(&scarce);
	kill(spared, SIGKILL);
	assert_int_equal(waitpid(large, NULL, 0), large);
	assert_int_equal(waitpid(small, NULL, 0), small);
	assert_int_equal(waitpid(spared, NULL, 0), spared);
	close_snapshot();
	o.scarce = NULL;
	w.live = live_new(&o);
	world_close(&w);
}

/* A storm is ended from a snapshot, which knows who was there. */
static void
test_killall(void **state)
{
	struct live_options o = world_options(&w);
	struct scarce scarce;
	struct act a = { .kind = ACT_KILLALL, .comm = STR_LIT("stormy"),
	    .sig = STR_LIT("KILL") };
	struct act_result r;
	pid_t pid[5];
	char user[32];
	int i;

	(void)state;
	snprintf(user, sizeof user, "%lu", (unsigned long)geteuid());
	a.user = str_c(user);
	for (i = 0; i < 5; i++)
		pid[i] = child("stormy", (size_t)i, false);
	open_snapshot();
	scarce_init(&scarce, &mem, &s, LIM_SCARCE_LOG);
	o.scarce = &scarce;
	o.out_fd = o.err_fd = -1;
	o.timeout = 30;
	w.live = live_new(&o);
	w.host->act(w.live, &a, &r);
	assert_true(r.n == 5);
	for (i = 0; i < 5; i++)
		assert_int_equal(waitpid(pid[i], NULL, 0), pid[i]);
	snapshot_look(&s);
	w.host->act(w.live, &a, &r);
	assert_true(r.n == 0);
	scarce_free(&scarce);
	close_snapshot();
	world_close(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_same),
		cmocka_unit_test(test_kept),
		cmocka_unit_test(test_room),
		cmocka_unit_test(test_part),
		cmocka_unit_test(test_scarce),
		cmocka_unit_test(test_killall),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
