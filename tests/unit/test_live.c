/*
 * The hosts: texts out, logs, files, inputs, and what dry only tells.
 * runner: serial
 */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "tests/unit/effect.h"

static struct world w;
#define H	(*w.host)
#define L	(w.live)

static void
why_has(const char *part)
{
	has(H.why(L).p, part);
}

static void
in_dir(char to[100], const char *name)
{
	snprintf(to, 100, "%s/%s", w.dir, name);
}

static bool
put(enum out to, const char *target, const char *text)
{
	return H.output(L, to, str_c(target), str_c(text));
}

static void
test_texts(void **state)
{
	char path[100], big[100001];
	int i;

	(void)state;
	world_open(&w, 30);
	assert_true(put(OUT_STDOUT, NULL, "one"));
	assert_true(H.output(L, OUT_STDOUT, STR_NIL, STR_NIL));
	assert_string_equal(slurp_fd(w.out), "");	/* held back */
	assert_true(live_flush(L));
	assert_string_equal(slurp_fd(w.out), "one\n<<NIL>>\n");
	memset(big, 'x', sizeof big - 1);
	big[sizeof big - 1] = '\0';
	for (i = 0; i < 3; i++)
		assert_true(put(OUT_STDOUT, NULL, big));
	live_flush(L);
	assert_int_equal(lseek(w.out, 0, SEEK_END), 12 + 3 * 100001);

	assert_true(put(OUT_MAIL, NULL, "to mail"));
	assert_true(put(OUT_MAIL, NULL, "again"));
	assert_true(put(OUT_PRINT, NULL, "to print"));
	str_is(buf_view(live_mail(L)), "to mail\nagain\n");
	str_is(buf_view(live_print(L)), "to print\n");
	assert_int_equal(live_effects(L), 0);

	in_dir(path, "my.log");
	assert_true(put(OUT_LOG, path, "a\tb"));
	assert_true(put(OUT_LOG, path, "two\nlines"));
	assert_true(put(OUT_LOG, "/dev/null", "nothing"));
	assert_string_equal(slurp(w.dir, "my.log"), "a\tb\ntwo\nlines\n");
	for (i = 0; i < 20; i++) {
		char name[32];

		snprintf(name, sizeof name, "log%d", i % 10);
		in_dir(path, name);
		assert_true(put(OUT_LOG, path, "x"));
	}
	assert_string_equal(slurp(w.dir, "log3"), "x\nx\n");
	assert_int_equal(live_effects(L), 23);
	world_close(&w);
}

/* Where nothing may be written. */
static void
test_paths(void **state)
{
	char path[100], other[100], shut[100];
	struct stream *s;
	struct stat st;

	(void)state;
	world_open(&w, 30);
	in_dir(path, "link");
	in_dir(other, "target");
	assert_int_equal(symlink(other, path), 0);
	assert_false(put(OUT_LOG, path, "x"));
	why_has("is a link");
	assert_null(H.fopen(L, str_c(path), 'w'));
	assert_int_equal(access(other, F_OK), -1);
	in_dir(path, "fifo");
	mkfifo(path, 0600);
	assert_false(put(OUT_LOG, path, "x"));
	why_has("not a regular file");
	assert_false(put(OUT_LOG, w.dir, "x"));
	assert_false(put(OUT_LOG, "/no/such/folder/x", "x"));
	why_has("No such file");
	assert_false(put(OUT_LOG, "/dev/full", "x"));
	why_has("not a regular file");
	assert_false(H.output(L, OUT_LOG, str_of("a\0b", 3), STR_LIT("x")));
	why_has("NUL");
	assert_false(H.output(L, OUT_LOG, STR_NIL, STR_LIT("x")));
	assert_false(H.output(L, OUT_LOG, STR_ERR, STR_LIT("x")));
	assert_false(H.output(L, OUT_MAIL_TO, STR_ERR, STR_LIT("x")));

	/* a folder that everybody can write to */
	in_dir(shut, "open");
	mkdir(shut, 0700);
	chmod(shut, 0777);
	in_dir(path, "open/x");
	assert_false(put(OUT_LOG, path, "x"));
	why_has("everybody can write");
	chmod(shut, 01777);
	assert_true(put(OUT_LOG, path, "x"));
	in_dir(path, "open/second");
	in_dir(other, "secret");
	close(open(other, O_CREAT | O_WRONLY, 0600));
	assert_int_equal(link(other, path), 0);
	assert_null(H.fopen(L, str_c(path), 'w'));
	why_has("more than one name");
	if (geteuid() == 0) {
		in_dir(path, "open/theirs");
		close(open(path, O_CREAT | O_WRONLY, 0666));
		assert_int_equal(chown(path, 65534, 65534), 0);
		assert_null(H.fopen(L, str_c(path), 'a'));
		why_has("another user");
	}

	in_dir(path, "file");
	s = H.fopen(L, str_c(path), 'w');
	assert_non_null(s);
	assert_true(H.write(L, s, STR_LIT("one\n")));
	assert_string_equal(slurp(w.dir, "file"), "");
	assert_true(H.flush(L, s));
	assert_string_equal(slurp(w.dir, "file"), "one\n");
	assert_int_equal(H.close(L, s), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0640);
	s = H.fopen(L, str_c(path), 'a');
	assert_true(H.write(L, s, STR_LIT("two")));
	assert_int_equal(H.close(L, s), 0);
	struct str line;
	size_t len;
	s = H.fopen(L, str_c(path), 'r');
	assert_int_equal(H.read(L, s, &line, &len), READ_LINE);
	str_is(line, "one");
	assert_int_equal(len, 4);
	assert_int_equal(H.read(L, s, &line, &len), READ_LINE);
	str_is(line, "two");
	assert_int_equal(len, 3);
	assert_int_equal(H.read(L, s, &line, &len), READ_END);
	assert_int_equal(H.close(L, s), 0);
	s = H.fopen(L, str_c(path), 'w');
	assert_int_equal(H.close(L, s), 0);
	assert_string_equal(slurp(w.dir, "file"), "");
	assert_null(H.fopen(L, str_c(w.dir), 'r'));
	why_has("directory");
	assert_null(H.fopen(L, STR_LIT("/dev/zero"), 'r'));
	assert_null(H.fopen(L, STR_LIT("/no/such"), 'r'));

	assert_int_equal(H.stat(L, str_c(path), &st, true), 0);
	assert_true(S_ISREG(st.st_mode));
	in_dir(path, "link");
	assert_int_equal(H.stat(L, str_c(path), &st, false), 0);
	assert_true(S_ISLNK(st.st_mode));
	assert_int_equal(H.stat(L, str_c(path), &st, true), -1);
	why_has("No such file");
	assert_int_equal(H.access(L, STR_LIT("/bin/sh"), X_OK), 0);
	assert_int_equal(H.access(L, STR_LIT("/no"), R_OK), -1);
	world_close(&w);
}

static void
test_log(void **state)
{
	struct live_options o;
	char mon[8], host[80], when[16], want[200];
	const char *log;
	int day, pid;

	(void)state;
	world_open(&w, 30);
	H.log(L, LOG_ERROR, STR_LIT("bad \033[31m\nname"));
	H.log(L, LOG_WARNING, STR_LIT("odd"));
	H.log(L, LOG_INFO, STR_LIT("fine"));
	assert_true(put(OUT_PIKTLOG, NULL, "from the script"));
	log = slurp(w.dir, "Urgent.log");
	assert_int_equal(sscanf(log, "%7s %d %15s %79s picket[%d]", mon, &day,
	    when, host, &pid), 5);
	assert_int_equal(strlen(mon), 3);
	assert_int_equal(strlen(when), 8);
	assert_int_equal(pid, getpid());
	snprintf(want, sizeof want, "%s picket[%d]: [ERROR] (Storm) "
	    "bad \\x1b[31m\\nname\n", host, pid);
	has(log, want);
	has(log, "]: [WARNING] (Storm) odd\n");
	has(log, "]: [INFO] (Storm) fine\n");
	has(log, "]: [INFO] (Storm) from the script\n");
	assert_string_equal(slurp_fd(w.err), "picket: ERROR: Storm: "
	    "bad \\x1b[31m\\nname\npicket: WARNING: Storm: odd\n");
	H.trace(L, STR_LIT("7: set #x = 1"));
	has(slurp_fd(w.err), "\n7: set #x = 1\n");
	world_close(&w);

	/* no log folder: people are told, piktlog fails */
	o = world_options(&w);
	o.logdir = STR_NIL;
	w.live = live_new(&o);
	H.log(L, LOG_ERROR, STR_LIT("bad"));
	H.log(L, LOG_INFO, STR_LIT("fine"));
	assert_string_equal(slurp_fd(w.err), "picket: ERROR: Storm: bad\n");
	assert_false(put(OUT_PIKTLOG, NULL, "x"));
	world_close(&w);

	/* one that cannot be written: said once */
	o = world_options(&w);
	o.logdir = STR_LIT("/no/such");
	w.live = live_new(&o);
	H.log(L, LOG_INFO, STR_LIT("a"));
	H.log(L, LOG_INFO, STR_LIT("b"));
	has(slurp_fd(w.err), "picket: ERROR: Storm: /no/such/Urgent.log: No such");
	assert_null(strstr(strchr(slurp_fd(w.err), '\n'), "ERROR"));
	world_close(&w);

	/* a name that leads elsewhere */
	o = world_options(&w);
	o.alert = STR_LIT("../x");
	w.live = live_new(&o);
	H.log(L, LOG_INFO, STR_LIT("a"));
	has(slurp_fd(w.err), "no log can have");
	world_close(&w);
}

static void
test_syslog(void **state)
{
	struct live_options o = world_options(&w);
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	char got[9000];
	ssize_t n;
	int fd, i, turn;

	(void)state;
	in_dir(a.sun_path, "syslog");
	o.syslog = a.sun_path;
	w.live = live_new(&o);
	assert_false(put(OUT_SYSLOG, NULL, "nobody there"));
	why_has("syslog (/tmp/");
	for (turn = 0; turn < 2; turn++) {	/* a restarted one, too */
		fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
		unlink(a.sun_path);
		assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
		assert_true(put(OUT_SYSLOG, NULL, "uid\nof 0"));
		n = recv(fd, got, sizeof got - 1, 0);
		assert_true(n > 0);
		got[n] = '\0';
		assert_true(strncmp(got, "<29>", 4) == 0);
		has(got, "]: uid\\nof 0");
		has(got, " picket[");
		if (turn == 0)
			close(fd);
	}
	/* one that does not read holds us a second, not for ever */
	double t = H.monotonic(L);
	for (i = 0; i < 5000; i++)
		if (!put(OUT_SYSLOG, NULL, "full"))
			break;
	assert_true(i < 5000);
	assert_true(H.monotonic(L) - t < 10);
	close(fd);
	world_close(&w);
}

/* The value of a field of the journal's protocol; its length is *n. */
static const char *
journal_field(const char *p, size_t left, const char *name, size_t *n)
{
	size_t k = strlen(name), v, i;
	const char *e;

	while (left > 0) {
		e = memchr(p, '\n', left);
		assert_non_null(e);
		if (memchr(p, '=', (size_t)(e - p)) != NULL) {
			*n = (size_t)(e - p) - k - 1;
			if (strncmp(p, name, k) == 0 && p[k] == '=')
				return p + k + 1;
			e++;
		} else {
			for (v = 0, i = 0; i < 8; i++)
				v |= (size_t)(unsigned char)e[1 + i] << 8 * i;
			*n = v;
			if (strncmp(p, name, k) == 0 && p[k] == '\n')
				return e + 9;
			e += 9 + v;
			assert_int_equal(*e, '\n');
			e++;
		}
		left -= (size_t)(e - p);
		p = e;
	}
	return NULL;
}

static void
test_journal(void **state)
{
	static const struct { const char *name, *value; } want[] = {
		{ "MESSAGE", "two\nlines = 2\n" }, { "PRIORITY", "4" },
		{ "SYSLOG_IDENTIFIER", "picket" }, { "PICKET_SCRIPT", "Script" },
		{ "PICKET_ALERT", "alert" },
	};
	struct live_options o = world_options(&w);
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	static char got[100000], big[70000];
	const char *v;
	size_t i, k;
	ssize_t n;
	int fd;

	(void)state;
	in_dir(a.sun_path, "journal");
	o.journal = a.sun_path;
	o.level = LEVEL_WARNING;
	o.script = STR_LIT("Script");
	o.alert = STR_LIT("alert");
	w.live = live_new(&o);
	assert_false(put(OUT_JOURNAL, NULL, "nobody there"));
	why_has("journal (/tmp/");
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
	assert_true(put(OUT_JOURNAL, NULL, "two\nlines = 2\n"));
	n = recv(fd, got, sizeof got, 0);
	assert_true(n > 0);
	for (i = 0; i < sizeof want / sizeof want[0]; i++) {
		v = journal_field(got, (size_t)n, want[i].name, &k);
		if (v == NULL || k != strlen(want[i].value) ||
		    memcmp(v, want[i].value, k) != 0)
			fail_msg("%s", want[i].name);
	}
	/* what goes in as a field must not come out as two */
	assert_true(put(OUT_JOURNAL, NULL, "x\nPRIORITY=0"));
	n = recv(fd, got, sizeof got, 0);
	v = journal_field(got, (size_t)n, "PRIORITY", &k);
	assert_int_equal(*v, '4');
	assert_true(put(OUT_JOURNAL, NULL, "plain"));
	n = recv(fd, got, sizeof got, 0);
	assert_true(n > 14 && memcmp(got, "MESSAGE=plain\n", 14) == 0);
	memset(big, 'x', sizeof big - 1);
	assert_true(put(OUT_JOURNAL, NULL, big));
	n = recv(fd, got, sizeof got, 0);
	v = journal_field(got, (size_t)n, "MESSAGE", &k);
	assert_int_equal(k, 64 * 1024);
	close(fd);
	world_close(&w);
}

static void
test_clock(void **state)
{
	double t;
	FILE *f;
	char name[32], comm[64];
	long pid;

	(void)state;
	world_open(&w, 30);
	t = H.clock(L);
	assert_true(t > 1.6e9 && t - floor(t) >= 0);
	t = H.monotonic(L);
	assert_true(H.sleep(L, 0.05));
	assert_true(H.monotonic(L) - t >= 0.05);
	assert_true(H.sleep(L, -1));
	assert_true(H.sleep(L, NAN));

	snprintf(name, sizeof name, "/proc/%d/comm", (int)getpid());
	f = fopen(name, "r");
	assert_non_null(fgets(comm, sizeof comm, f));
	fclose(f);
	comm[strcspn(comm, "\n")] = '\0';
	pid = H.pid(L, str_c(comm));
	assert_true(pid > 0 && pid <= getpid());
	assert_int_equal(H.pid(L, STR_LIT("no such) name")), 0);
	assert_int_equal(H.pid(L, STR_NIL), 0);
	world_close(&w);
}

static void
test_dry(void **state)
{
	struct exec_opts o = { .as = STR_NIL, .dir = STR_NIL };
	struct exec_result r;
	struct stream *s;
	struct str line;
	size_t len;
	char path[100], cmd[200];

	(void)state;
	world_open(&w, 30);
	w.host = &dry_host;
	assert_true(H.suppresses);
	in_dir(path, "made");
	snprintf(cmd, sizeof cmd, "touch %s", path);
	SHELL(touch, cmd);
	H.exec(L, &touch, EXEC_WAIT, &o, &r);
	assert_true(r.started);
	assert_true(r.suppressed);
	assert_int_equal(r.status, 0);
	H.exec(L, &touch, EXEC_DETACHED, &o, &r);
	o.as = STR_LIT("nobody");
	o.dir = STR_LIT("/tmp");
	o.timeout = 20;
	H.exec(L, &touch, EXEC_GO, &o, &r);
	assert_true(put(OUT_STDOUT, NULL, "as it is"));
	assert_true(put(OUT_MAIL, NULL, "for people"));
	assert_true(put(OUT_LOG, path, "line\n2"));
	assert_true(put(OUT_SYSLOG, NULL, "sys"));
	assert_true(put(OUT_PIKTLOG, NULL, "own"));
	s = H.fopen(L, str_c(path), 'w');
	assert_non_null(s);
	assert_true(H.write(L, s, STR_LIT("text\n")));
	assert_true(H.flush(L, s));
	assert_int_equal(H.read(L, s, &line, &len), READ_FAILED);
	assert_int_equal(H.close(L, s), 0);
	s = H.popen(L, &touch, 'w');
	assert_true(H.write(L, s, STR_LIT("in")));
	assert_int_equal(H.close(L, s), 0);
	/* reading is real */
	SHELL(echo, "echo real");
	s = H.popen(L, &echo, 'r');
	assert_int_equal(H.read(L, s, &line, &len), READ_LINE);
	str_is(line, "real");
	assert_int_equal(H.close(L, s), 0);
	str_is(H.capture(L, &echo, 100, &r), "real\n");
	assert_false(r.suppressed);

	assert_int_equal(access(path, F_OK), -1);
	live_flush(L);
	char want[2000];
	snprintf(want, sizeof want,
	    "dry-run: exec wait touch %s\n"
	    "dry-run: exec detached touch %s\n"
	    "dry-run: exec as \"nobody\" timeout 20s in \"/tmp\" touch %s\n"
	    "as it is\n"
	    "dry-run: mail: for people\n"
	    "dry-run: log %s: line\\n2\n"
	    "dry-run: syslog: sys\n"
	    "dry-run: piktlog: own\n"
	    "dry-run: write over %s\n"
	    "dry-run: write %s: text\n"
	    "dry-run: popen touch %s\n"
	    "dry-run: write touch %s: in\n", path, path, path, path, path,
	    path, path, path);
	assert_string_equal(slurp_fd(w.out), want);
	str_is(buf_view(live_mail(L)), "for people\n");
	assert_int_equal(live_effects(L), 11);
	world_close(&w);
}

/* Standard output that nobody reads, or that is closed. */
static void
test_stuck_output(void **state)
{
	struct live_options o = world_options(&w);
	char big[5000];
	int fd[2], i;
	double t;

	(void)state;
	assert_int_equal(pipe(fd), 0);
	o.out_fd = fd[1];
	o.timeout = 0.5;
	w.live = live_new(&o);
	memset(big, 'x', sizeof big - 1);
	big[sizeof big - 1] = '\0';
	t = H.monotonic(L);
	for (i = 0; i < 1000; i++)
		if (!put(OUT_STDOUT, NULL, big))
			break;
	assert_true(i < 1000);
	why_has("nobody reads");
	assert_true(H.stop(L));
	live_free(L);
	assert_true(H.monotonic(L) - t < 10);

	close(fd[0]);
	w.live = live_new(&o);
	assert_true(put(OUT_STDOUT, NULL, "x"));
	assert_false(live_flush(L));
	why_has("Broken pipe");
	close(fd[1]);
	world_close(&w);
}

/* Memory that runs out in the middle: nothing is left behind. */
static void
test_memory(void **state)
{
	struct live_options o = world_options(&w);
	struct exec_result r;
	jmp_buf fail;
	volatile int jumps = 0;

	(void)state;
	w.mem.fail = &fail;
	w.live = live_new(&o);
	SHELL(zeros, "yes");
	if (setjmp(fail) == 0) {
		w.mem.limit = w.mem.used + 300000;
		H.capture(L, &zeros, SIZE_MAX, &r);
	} else
		jumps++;
	assert_int_equal(jumps, 1);
	H.log(L, LOG_ERROR, STR_LIT("out of memory"));
	has(slurp(w.dir, "Urgent.log"), "out of memory");
	w.mem.fail = NULL;
	world_close(&w);
	errno = 0;
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_texts),
		cmocka_unit_test(test_paths),
		cmocka_unit_test(test_log),
		cmocka_unit_test(test_syslog),
		cmocka_unit_test(test_journal),
		cmocka_unit_test(test_clock),
		cmocka_unit_test(test_dry),
		cmocka_unit_test(test_stuck_output),
		cmocka_unit_test(test_memory),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
