/*
 * The hosts: texts out, logs, files, inputs, and what dry only tells.
 * runner: serial
 */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pwd.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <utmp.h>

#include "tests/unit/effect.h"
#include "engine/effect/facts.h"

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
line_is(struct live_input *in, const char *text)
{
	struct str s;

	assert_int_equal(reader_line(input_reader(in), &s), READER_LINE);
	str_is(s, text);
}

static void
end_of(struct live_input *in)
{
	struct str s;

	assert_int_equal(reader_line(input_reader(in), &s), READER_END);
}

static void
test_input_command(void **state)
{
	struct live_input *in;
	struct input_end e;
	struct str s;
	double t;
	int i;

	(void)state;
	world_open(&w, 30);
	SHELL(two, "echo one; echo two; exit 1");
	in = input_open_command(L, &two, NULL);
	assert_non_null(in);
	line_is(in, "one");
	line_is(in, "two");
	end_of(in);
	str_is(input_reader(in)->last, "two");
	input_close(in, &e);
	assert_int_equal(e.status, 1);
	assert_false(e.failed);

	SHELL(upper, "tr a-z A-Z");
	in = input_open_command(L, &two, &upper);
	line_is(in, "ONE");
	line_is(in, "TWO");
	end_of(in);
	input_close(in, &e);
	assert_int_equal(e.status, 1);
	assert_int_equal(e.filter_status, 0);
	assert_false(e.failed);

	/* a filter that has seen enough */
	SHELL(yes, "exec yes");
	SHELL(head, "head -n 2");
	in = input_open_command(L, &yes, &head);
	line_is(in, "y");
	line_is(in, "y");
	end_of(in);
	input_close(in, &e);
	assert_int_equal(e.status, 141);
	assert_false(e.failed);

	/* and one whose feeder does not notice */
	t = H.monotonic(L);
	SHELL(quiet, "echo x; exec sleep 60");
	SHELL(head1, "head -n 1");
	in = input_open_command(L, &quiet, &head1);
	line_is(in, "x");
	end_of(in);
	input_close(in, &e);
	assert_int_equal(e.status, 143);
	assert_false(e.failed);
	assert_true(H.monotonic(L) - t < 10);

	/* closed early */
	t = H.monotonic(L);
	in = input_open_command(L, &yes, NULL);
	line_is(in, "y");
	input_close(in, &e);
	assert_false(e.failed);
	assert_true(H.monotonic(L) - t < 0.9);

	/* failures */
	COMMAND(missing, (char *)(uintptr_t)"no-such-command");
	assert_null(input_open_command(L, &missing, NULL));
	why_has("not found in PATH");
	assert_null(input_open_command(L, &yes, &missing));
	why_has("not found in PATH");
	SHELL(missing_sh, "no-such-command");
	in = input_open_command(L, &missing_sh, NULL);
	end_of(in);
	input_close(in, &e);
	assert_true(e.failed);
	assert_int_equal(e.status, 127);
	has(e.why, "input command ended with exit 127: sh: 1: "
	    "no-such-command: not found");
	SHELL(killed, "echo x; kill -9 $$");
	in = input_open_command(L, &killed, NULL);
	line_is(in, "x");
	end_of(in);
	input_close(in, &e);
	assert_true(e.failed);
	has(e.why, "signal 9");
	SHELL(bad_filter, "exit 126");
	in = input_open_command(L, &two, &bad_filter);
	end_of(in);
	input_close(in, &e);
	assert_true(e.failed);
	has(e.why, "filter command ended with exit 126");
	/* much on standard error, from both */
	SHELL(loud, "head -c 500000 /dev/zero >&2; echo x");
	SHELL(loud2, "head -c 500000 /dev/zero >&2; cat");
	in = input_open_command(L, &loud, &loud2);
	line_is(in, "x");
	end_of(in);
	input_close(in, &e);
	assert_false(e.failed);
	/* many lines */
	SHELL(many, "seq 1 200000");
	in = input_open_command(L, &many, NULL);
	for (i = 0; reader_line(input_reader(in), &s) == READER_LINE; i++)
		;
	assert_int_equal(i, 200000);
	str_is(input_reader(in)->last, "200000");
	input_close(in, &e);
	/* left open at the end of the run */
	assert_non_null(input_open_command(L, &yes, &upper));
	world_close(&w);

	/* one that never ends */
	world_open(&w, 0.4);
	t = H.monotonic(L);
	SHELL(stuck, "echo x; trap '' TERM; while :; do sleep 0.1; done");
	in = input_open_command(L, &stuck, NULL);
	line_is(in, "x");
	assert_int_equal(reader_line(input_reader(in), &s), READER_STOPPED);
	input_close(in, &e);
	assert_true(e.failed);
	assert_int_equal(e.status, 137);
	has(e.why, "deadline of 0.4s");
	assert_true(H.monotonic(L) - t < 10);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	world_close(&w);
}

static void
test_input_file(void **state)
{
	struct live_input *in;
	struct input_end e;
	char path[100];
	struct str s;
	int fd[2];
	FILE *f;

	(void)state;
	world_open(&w, 30);
	in_dir(path, "data");
	f = fopen(path, "w");
	fputs("b\na\n", f);
	fclose(f);
	in = input_open_file(L, str_c(path), NULL);
	line_is(in, "b");
	line_is(in, "a");
	end_of(in);
	input_close(in, &e);
	assert_false(e.failed);
	SHELL(sort, "sort");
	in = input_open_file(L, str_c(path), &sort);
	line_is(in, "a");
	line_is(in, "b");
	end_of(in);
	input_close(in, &e);
	assert_false(e.failed);
	assert_int_equal(e.filter_status, 0);
	assert_null(input_open_file(L, STR_LIT("/no/such"), NULL));
	why_has("/no/such: No such file");
	assert_null(input_open_file(L, STR_LIT("/tmp"), NULL));
	why_has("Is a directory");
	in = input_open_file(L, STR_LIT("/dev/null"), NULL);
	end_of(in);
	input_close(in, &e);

	/* a FIFO waits for its writer */
	in_dir(path, "pipe");
	mkfifo(path, 0600);
	SHELL(later, "sleep 0.2; echo late > pipe");
	struct exec_opts o = { .as = STR_NIL, .dir = str_c(w.dir) };
	struct exec_result r;
	H.exec(L, &later, EXEC_GO, &o, &r);
	in = input_open_file(L, str_c(path), NULL);
	line_is(in, "late");
	end_of(in);
	input_close(in, &e);

	assert_int_equal(pipe(fd), 0);
	assert_int_equal(write(fd[1], "x\ny\n", 4), 4);
	close(fd[1]);
	in = input_open_fd(L, fd[0], NULL);
	line_is(in, "x");
	input_close(in, &e);
	assert_false(e.failed);
	in = input_open_fd(L, fd[0], NULL);	/* still the caller's */
	assert_int_equal(reader_line(input_reader(in), &s), READER_END);
	input_close(in, &e);
	close(fd[0]);
	assert_int_equal(pipe(fd), 0);
	assert_int_equal(write(fd[1], "y\nx\n", 4), 4);
	close(fd[1]);
	in = input_open_fd(L, fd[0], &sort);
	line_is(in, "x");
	line_is(in, "y");
	end_of(in);
	input_close(in, &e);
	close(fd[0]);
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

/* --- facts --- */

static int
ask(enum fact what, const char *key, char *to, size_t n)
{
	struct str s;
	int r = H.ask(L, what, str_c(key), &s);

	snprintf(to, n, "%.*s", r == 1 ? (int)s.n : 0, r == 1 ? s.p : "");
	return r;
}

static void
test_facts(void **state)
{
	char a[4096], key[2000];
	struct str s;
	int i;

	(void)state;
	world_open(&w, 30);
#define ASK(what, key)	ask(what, key, a, sizeof a)
	assert_int_equal(ASK(FACT_OS, NULL), 1);
	assert_string_equal(a, "Linux");
	assert_int_equal(ASK(FACT_HOSTNAME, NULL), 1);
	assert_int_equal(ASK(FACT_USER, NULL), 1);
	assert_true(a[0] != '\0');
	assert_true(ASK(FACT_DOMAIN, NULL) >= 0);
	for (i = 0; i < 2; i++) {	/* asked, and remembered */
		assert_int_equal(ASK(FACT_UID, "root"), 1);
		assert_string_equal(a, "0");
		assert_int_equal(ASK(FACT_USERNAME, "0"), 1);
		assert_string_equal(a, "root");
		assert_int_equal(ASK(FACT_UID, "no-such-user"), 0);
		assert_int_equal(ASK(FACT_USERNAME, "987654321"), 0);
	}
	assert_int_equal(ASK(FACT_GID, "root"), 1);
	assert_int_equal(ASK(FACT_GROUPNAME, "0"), 1);
	assert_int_equal(ASK(FACT_HOME, "root"), 1);
	assert_int_equal(ASK(FACT_RESOLVE, "127.0.0.1"), 1);
	assert_string_equal(a, "127.0.0.1");
	assert_int_equal(ASK(FACT_LOGGEDIN, "no-such-user"),
	    access("/run/utmp", R_OK) == 0 ||
	    access("/run/systemd/sessions", R_OK) == 0 ? 1 : -1);
	setenv("PICKET_TEST", "a\nb", 1);
	assert_int_equal(ASK(FACT_ENV, "PICKET_TEST"), 1);
	assert_string_equal(a, "a\nb");
	unsetenv("PICKET_TEST");
	assert_int_equal(ASK(FACT_ENV, "PICKET_TEST"), 0);
	/* what nothing can be called */
	assert_int_equal(H.ask(L, FACT_ENV, str_of("P\0", 2), &s), 0);
	memset(key, 'k', sizeof key - 1);
	key[sizeof key - 1] = '\0';
	assert_int_equal(ASK(FACT_UID, key), 0);
	assert_int_equal(ASK(FACT_UID, NULL), 0);
	/* more than are remembered */
	for (i = 0; i < 300; i++) {
		snprintf(key, sizeof key, "%d", 987650000 + i);
		assert_int_equal(ASK(FACT_GROUPNAME, key), 0);
	}
	world_close(&w);

	/* a run that must end asks nobody */
	world_open(&w, 30);
	live_interrupt(L, SIGTERM);
	assert_int_equal(ASK(FACT_RESOLVE, "localhost"), -1);
	s = H.why(L);
	assert_non_null(memmem(s.p, s.n, "signal 15", 9));
	assert_int_equal(ASK(FACT_UID, "root"), -1);
	world_close(&w);
#undef ASK
}

/*
 * A resolver that does what the name says, instead of the system's: the
 * program's own functions come before the library's.
 */
int
getaddrinfo(const char *name, const char *service,
    const struct addrinfo *hints, struct addrinfo **list)
{
	static struct sockaddr_in in[20];
	static struct addrinfo info[20];
	int i;

	(void)service;
	(void)hints;
	if (strcmp(name, "hang") == 0)
		for (;;)
			pause();
	if (strcmp(name, "die") == 0)
		_exit(1);
	if (strcmp(name, "busy") == 0)
		return EAI_AGAIN;
	if (strcmp(name, "many") != 0 && strcmp(name, "127.0.0.1") != 0)
		return EAI_NONAME;
	for (i = 0; i < 20; i++) {
		in[i].sin_family = AF_INET;
		in[i].sin_addr.s_addr = htonl(0x7f000001u + (uint32_t)i);
		info[i] = (struct addrinfo){ .ai_family = AF_INET,
		    .ai_addr = (struct sockaddr *)&in[i],
		    .ai_addrlen = sizeof in[i],
		    .ai_next = i < 19 && *name == 'm' ? &info[i + 1] : NULL };
	}
	*list = info;
	return 0;
}

void
freeaddrinfo(struct addrinfo *list)
{
	(void)list;
}

static void
test_resolver(void **state)
{
	char a[4096];
	double t;

	(void)state;
	world_open(&w, 0.5);
#define ASK(key)	ask(FACT_RESOLVE, key, a, sizeof a)
	assert_int_equal(ASK("many"), 1);
	assert_true(strncmp(a, "127.0.0.1 127.0.0.2 ", 20) == 0);
	assert_string_equal(a + strlen(a) - 11, " 127.0.0.16");
	assert_int_equal(ASK("no.such.host"), 0);
	assert_int_equal(ASK("busy"), -1);
	why_has("busy: Temporary failure");
	assert_int_equal(ASK("busy"), -1);	/* what was kept of it */
	why_has("busy: Temporary failure");
	assert_int_equal(ASK("die"), -1);
	why_has("died");
	/* whoever hangs is waited for until the run must end */
	t = H.monotonic(L);
	assert_int_equal(ASK("hang"), -1);
	assert_true(H.monotonic(L) - t < 5);
	why_has("deadline");
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* no child is left */
	assert_int_equal(errno, ECHILD);
	world_close(&w);

	/* a run that has time waits for ten seconds, once */
	if (getenv("PICKET_LONG") != NULL) {
		world_open(&w, 60);
		t = H.monotonic(L);
		assert_int_equal(ASK("hang"), -1);
		assert_true(H.monotonic(L) - t >= 9.9);
		why_has("no answer within 10s");
		assert_int_equal(ASK("hang"), -1);
		assert_true(H.monotonic(L) - t < 15);
		world_close(&w);
	}
#undef ASK
}

/* A passwd entry that is longer than an answer can be. */
int
getpwnam_r(const char *name, struct passwd *pw, char *room, size_t n,
    struct passwd **found)
{
	static char text[5000];

	(void)room;
	(void)n;
	memset(text, 'h', sizeof text - 1);
	memset(pw, 0, sizeof *pw);
	pw->pw_name = pw->pw_dir = text;
	*found = strcmp(name, "long") == 0 ? pw : NULL;
	if (strcmp(name, "root") == 0) {
		pw->pw_dir = strcpy(text, "/root");
		*found = pw;
	}
	return strcmp(name, "broken") == 0 ? EIO : 0;
}

static void
test_users(void **state)
{
	char a[4096];

	(void)state;
	world_open(&w, 30);
#define ASK(key)	ask(FACT_HOME, key, a, sizeof a)
	assert_int_equal(ASK("root"), 1);
	assert_string_equal(a, "/root");
	assert_int_equal(ASK("nobody there"), 0);
	assert_int_equal(ASK("long"), -1);
	why_has("long: the answer is too long");
	assert_int_equal(ASK("broken"), -1);
	why_has("broken: Input/output error");
	world_close(&w);
#undef ASK
}

/* What is asked of paths. */
static void
test_path_facts(void **state)
{
	char a[4096], name[128], to[128];
	struct str s;
	int fd;

	(void)state;
	world_open(&w, 30);
#define ASK(what, key)	ask(what, key, a, sizeof a)
	snprintf(name, sizeof name, "%s/link", w.dir);
	snprintf(to, sizeof to, "%s/to", w.dir);
	assert_int_equal(symlink(to, name), 0);
	assert_int_equal(ASK(FACT_LINK, name), 1);
	assert_string_equal(a, to);
	assert_int_equal(ASK(FACT_LINK, w.dir), 0);
	assert_int_equal(ASK(FACT_LINK, "/no/such"), -1);
	why_has("No such file");
	assert_int_equal(ASK(FACT_REALPATH, name), -1);	/* to nothing yet */
	fd = open(to, O_WRONLY | O_CREAT, 0600);
	assert_int_equal(write(fd, "x", 1), 1);
	close(fd);
	assert_int_equal(ASK(FACT_REALPATH, name), 1);
	assert_string_equal(a, to);
	assert_int_equal(ASK(FACT_DISKUSED, w.dir), 1);
	assert_true(strtod(a, NULL) >= 0 && strtod(a, NULL) <= 1);
	assert_int_equal(ASK(FACT_DISKUSED, "/proc"), 0);
	assert_int_equal(ASK(FACT_DISKUSED, ""), -1);
	why_has("no path");
	snprintf(a, sizeof a, "%s/[lt]*", w.dir);
	assert_int_equal(H.ask(L, FACT_GLOB, str_c(a), &s), 1);
	assert_int_equal(s.n, strlen(name) + strlen(to) + 2);
	assert_string_equal(s.p, name);
	assert_string_equal(s.p + strlen(name) + 1, to);
	assert_int_equal(ASK(FACT_GLOB, "/no/such/*"), 0);
	assert_int_equal(ASK(FACT_UPTIME, NULL), 1);
	assert_true(strtod(a, NULL) > 0);
	w.mem.limit = w.mem.used + 100;	/* less than the paths need */
	snprintf(a, sizeof a, "%s/[lt]*", w.dir);
	assert_int_equal(H.ask(L, FACT_GLOB, str_c(a), &s), -1);
	why_has("memory");
	w.mem.limit = SIZE_MAX;

	fd = H.open(L, str_c(name));
	assert_true(fd >= 0);
	assert_int_equal(read(fd, a, sizeof a), 1);
	close(fd);
	assert_int_equal(H.open(L, STR_LIT("/dev/null")), -1);
	why_has("no regular file");
	assert_int_equal(H.open(L, str_c(w.dir)), -1);
	assert_int_equal(H.open(L, str_of("a\0b", 3)), -1);
	unlink(to);
	assert_int_equal(mkfifo(to, 0600), 0);
	assert_int_equal(H.open(L, str_c(to)), -1);	/* and does not wait */
	world_close(&w);
#undef ASK
}

static void
put_session(int fd, short type, const char *user, pid_t pid)
{
	struct utmp u;

	memset(&u, 0, sizeof u);
	u.ut_type = type;
	u.ut_pid = pid;
	memcpy(u.ut_user, user, strlen(user));
	assert_int_equal(write(fd, &u, sizeof u), sizeof u);
}

static void
test_sessions(void **state)
{
	char dir[] = "/tmp/test_live.XXXXXX", name[64], utmp[64];
	pid_t gone = fork();
	FILE *f;
	int i, fd;

	(void)state;
	if (gone == 0)
		_exit(0);
	assert_int_equal(waitpid(gone, NULL, 0), gone);
	assert_non_null(mkdtemp(dir));
	snprintf(utmp, sizeof utmp, "%s/utmp", dir);
	assert_int_equal(facts_sessions(utmp, "/no/such", STR_LIT("ada"),
	    STR_NIL), -1);
	for (i = 1; i <= 3; i++) {
		snprintf(name, sizeof name, "%s/%d", dir, i);
		f = fopen(name, "w");
		fprintf(f, "# private\nUID=10\nUSER=%s\nSTATE=%s\nCLASS=user\n",
		    i == 3 ? "bob" : "1010", i == 2 ? "closing" : "active");
		fclose(f);
	}
	assert_int_equal(facts_sessions(utmp, dir, STR_LIT("ada"),
	    STR_LIT("1010")), 1);
	assert_int_equal(facts_sessions(utmp, dir, STR_LIT("bob"), STR_NIL), 1);
	assert_int_equal(facts_sessions(utmp, dir, STR_LIT("eve"), STR_NIL), 0);
	fd = open(utmp, O_WRONLY | O_CREAT, 0600);
	put_session(fd, USER_PROCESS, "ada", getpid());
	put_session(fd, USER_PROCESS, "ada", gone);	/* left behind */
	put_session(fd, DEAD_PROCESS, "ada", getpid());
	put_session(fd, USER_PROCESS, "adam", getpid());
	put_session(fd, USER_PROCESS, "ada", getpid());
	assert_int_equal(write(fd, "torn", 4), 4);
	close(fd);
	assert_int_equal(facts_sessions(utmp, dir, STR_LIT("ada"), STR_NIL), 2);
	assert_int_equal(facts_sessions(utmp, dir, STR_LIT("eve"), STR_NIL), 0);
	unlink(utmp);
	for (i = 1; i <= 3; i++) {
		snprintf(name, sizeof name, "%s/%d", dir, i);
		unlink(name);
	}
	rmdir(dir);
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
		cmocka_unit_test(test_input_command),
		cmocka_unit_test(test_input_file),
		cmocka_unit_test(test_dry),
		cmocka_unit_test(test_stuck_output),
		cmocka_unit_test(test_memory),
		cmocka_unit_test(test_facts),
		cmocka_unit_test(test_path_facts),
		cmocka_unit_test(test_resolver),
		cmocka_unit_test(test_users),
		cmocka_unit_test(test_sessions),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
