/* control: what clients of the control socket can do to picketd: nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/daemon/control.h"
#include "engine/vm/clock.h"
#include "lang/base/num.h"

#define STEP	0.002		/* seconds that one turn may wait */
#define BIG	10000		/* entries of a long answer */

static char dir[] = "/tmp/test_control.XXXXXX";
static struct loop loop;
static struct control ctl;
static struct logger logger;
static struct timer tick;
static struct control_request seen;
static char seen_alert[3][100];
static int nseen;

static void
on_tick(struct timer *t)
{
	(void)t;
}

static void
turn(void)
{
	timer_set(&loop, &tick, clock_steady() + STEP);
	loop_turn(&loop);
}

static bool
entry(void *arg, struct control_client *c)
{
	(void)arg;
	if (c->at == 0)
		control_put(c, "{\"ok\":true,\"entries\":[");
	control_put(c, "%s{\"name\":\"Alert%05zu\",\"x\":\"%0200d\"}",
	    c->at > 0 ? "," : "", c->at, 7);
	if (++c->at < BIG)
		return true;
	control_put(c, "]}");
	return false;
}

static bool
reloaded(void *arg, struct control_client *c)
{
	(void)arg;
	control_put(c, "{\"ok\":true,\"reloaded\":true}");
	return false;
}

static void
act(void *arg, struct control_client *c, const struct control_request *q)
{
	size_t i;

	assert_ptr_equal(arg, &ctl);
	seen = *q;
	nseen++;
	for (i = 0; i < q->nalert && i < 3; i++)
		snprintf(seen_alert[i], sizeof seen_alert[i], "%s",
		    q->alert[i]);
	if (q->command == CONTROL_STATUS && !q->brief)
		control_stream(c, entry);
	else if (q->command == CONTROL_RELOAD)
		control_wait(c, 2);
	else
		control_put(c, "{\"ok\":true}\n");
}

static int
dial(void)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);

	snprintf(sa.sun_path, sizeof sa.sun_path, "%s/" CONTROL_SOCKET, dir);
	if (connect(fd, (struct sockaddr *)&sa, sizeof sa) != 0) {
		close(fd);
		return -1;
	}
	return fd;
}

/* Sends all that is taken while the daemon turns. */
static void
tell(int fd, const char *s, size_t n)
{
	ssize_t k;
	int i;

	for (i = 0; n > 0 && i < 20000; i++) {
		k = send(fd, s, n, MSG_NOSIGNAL);
		if (k == -1 && errno != EAGAIN)
			return;
		if (k > 0) {
			s += k;
			n -= (size_t)k;
		}
		turn();
	}
}

/* What it answers, up to the end of a line or of the connection. */
static char *
hear(int fd, bool *closed)
{
	static char text[4 << 20];
	size_t n = 0;
	ssize_t k;
	int i;

	if (closed != NULL)
		*closed = false;
	for (i = 0; i < 20000; i++) {
		k = recv(fd, text + n, 1, 0);
		if (k == 0 || (k == -1 && errno != EAGAIN)) {
			if (closed != NULL)
				*closed = true;
			break;
		}
		if (k == 1 && text[n++] == '\n')
			break;
		if (k == 1)
			i = 0;
		else if (i > 20)
			break;
		else
			turn();
	}
	text[n] = '\0';
	return text;
}

static void
says(const char *request, size_t n, const char *want, bool ends)
{
	bool closed;
	int fd = dial();
	char *s;

	assert_true(fd != -1);
	tell(fd, request, n);
	s = hear(fd, NULL);
	if (strstr(s, want) == NULL)
		fail_msg("to %.100s: got %s, wanted %s", request, s, want);
	(void)hear(fd, &closed);
	if (closed != ends)
		fail_msg("to %.100s: %s", request, closed ? "closed" : "open");
	close(fd);
	turn();
}

#define SAYS(request, want, ends) \
	says(request, sizeof (request) - 1, want, ends)

static unsigned
clients(void)
{
	unsigned i, n = 0;

	for (i = 0; i < LIM_CLIENTS + LIM_ADOPTED; i++)
		n += ctl.client[i].watch != NULL;
	return n;
}

static void
test_requests(void **state)
{
	(void)state;
	SAYS("{\"command\":\"ping\"}\n", "{\"ok\":true}\n", false);
	assert_int_equal(seen.command, CONTROL_PING);
	SAYS(" { \"command\" : \"runnow\" , \"alert\" : \"Mail\\u0053torm\" }\r\n",
	    "{\"ok\":true}\n", false);
	assert_int_equal(seen.command, CONTROL_RUNNOW);
	assert_string_equal(seen_alert[0], "MailStorm");
	SAYS("{\"alerts\":[\"A\",\"B\"],\"command\":\"pause\"}\n",
	    "{\"ok\":true}\n", false);
	assert_int_equal(seen.nalert, 2);
	assert_string_equal(seen_alert[1], "B");
	SAYS("{\"command\":\"resume\"}\n", "{\"ok\":true}\n", false);
	assert_int_equal(seen.nalert, 0);
	SAYS("{\"command\":\"disarm\",\"for\":3600.5}\n", "{\"ok\":true}\n",
	    false);
	assert_true(seen.seconds > 3600.4 && seen.seconds < 3600.6);
	SAYS("{\"command\":\"disarm\"}\n", "{\"ok\":true}\n", false);
	assert_true(num_is_nil(seen.seconds));
	SAYS("{\"command\":\"status\",\"brief\":true}\n", "{\"ok\":true}\n",
	    false);
}

static void
test_wrong(void **state)
{
	int before = nseen;

	(void)state;
	SAYS("\n", "this is no JSON", true);
	SAYS("status\n", "this is no JSON", true);
	SAYS("{\"command\":\"ping\"\n", "this is no JSON", true);
	SAYS("{\"command\":\"ping\"} x\n", "this is no JSON", true);
	SAYS("{\"command\":\"p\0ing\"}\n", "this is no JSON", true);
	SAYS("{\"command\":\"p\\u0000ing\"}\n", "this is no JSON", true);
	SAYS("{\"command\":\"p\xff\"}\n", "this is no JSON", true);
	SAYS("{\"command\":\"ping\",\"command\":\"arm\"}\n",
	    "this is no JSON: duplicate", true);
	SAYS("\"ping\"\n", "this is no JSON", true);
	SAYS("[\"ping\"]\n", "a request is an object", true);
	SAYS("{}\n", "there is no \\\"command\\\"", true);
	SAYS("{\"command\":7}\n", "\\\"command\\\" must be a text", true);
	SAYS("{\"command\":\"stauts\"}\n", "unknown command \\\"stauts\\\"; "
	    "did you mean \\\"status\\\"?", true);
	SAYS("{\"command\":\"shutdown\"}\n",
	    "unknown command \\\"shutdown\\\"\"", true);
	SAYS("{\"command\":\"a\\u001b[2Jb\"}\n", "a\\\\x1b[2Jb", true);
	SAYS("{\"command\":\"ping\",\"alert\":\"A\"}\n",
	    "ping does not take \\\"alert\\\"", true);
	SAYS("{\"command\":\"runnow\"}\n", "runnow needs \\\"alert\\\"", true);
	SAYS("{\"command\":\"runnow\",\"alert\":1}\n",
	    "\\\"alert\\\" must be the name of an alert", true);
	SAYS("{\"command\":\"runnow\",\"alert\":[\"A\"]}\n",
	    "\\\"alert\\\" must be the name of an alert", true);
	SAYS("{\"command\":\"pause\",\"alerts\":\"A\"}\n",
	    "must be a list of names", true);
	SAYS("{\"command\":\"pause\",\"alerts\":[\"A\",null]}\n",
	    "must be a list of names", true);
	SAYS("{\"command\":\"disarm\",\"for\":\"1h\"}\n",
	    "must be a number of seconds", true);
	SAYS("{\"command\":\"disarm\",\"for\":-1}\n",
	    "must be a number of seconds", true);
	SAYS("{\"command\":\"disarm\",\"for\":1e300}\n",
	    "must be a number of seconds", true);
	SAYS("{\"command\":\"status\",\"brief\":1}\n", "true or false", true);
	assert_int_equal(nseen, before);
	assert_int_equal(clients(), 0);
}

static void
test_big(void **state)
{
	size_t n = 10 << 20;
	char *s = malloc(n);

	(void)state;
	assert_non_null(s);
	memset(s, 'x', n);
	says(s, n, "a request has at most 4096 bytes", true);
	/* just so long is a request, one more is none */
	memset(s, ' ', LIM_REQUEST);
	memcpy(s, "{\"command\":\"ping\"}", 18);
	s[LIM_REQUEST - 1] = '\n';
	says(s, LIM_REQUEST, "{\"ok\":true}", false);
	s[LIM_REQUEST - 1] = ' ';
	s[LIM_REQUEST] = '\n';
	says(s, LIM_REQUEST + 1, "at most 4096 bytes", true);
	memset(s, '[', LIM_REQUEST - 1);
	s[LIM_REQUEST - 1] = '\n';
	says(s, LIM_REQUEST, "no request is nested so deep", true);
	SAYS("{\"a\":{\"b\":[1]},\"command\":\"ping\"}\n",
	    "no request is nested so deep", true);
	/* brackets in a text are none */
	SAYS("{\"command\":\"runnow\",\"alert\":\"[[[\\\"{{{\"}\n",
	    "{\"ok\":true}", false);
	free(s);
}

static void
test_halves(void **state)
{
	bool closed;
	int fd = dial(), i;
	static const char line[] = "{\"command\":\"ping\"}\n";

	(void)state;
	for (i = 0; i < (int)sizeof line - 1; i++) {
		tell(fd, line + i, 1);
		turn();
	}
	assert_string_equal(hear(fd, NULL), "{\"ok\":true}\n");
	/* many at once, more than are served in one turn */
	for (i = 0; i < 50; i++)
		assert_int_equal(send(fd, line, sizeof line - 1, 0),
		    (ssize_t)sizeof line - 1);
	for (i = 0; i < 50; i++)
		assert_string_equal(hear(fd, NULL), "{\"ok\":true}\n");
	/* the end of what it says: what is whole is answered */
	tell(fd, line, sizeof line - 1);
	tell(fd, "{\"comm", 7);
	shutdown(fd, SHUT_WR);
	assert_string_equal(hear(fd, NULL), "{\"ok\":true}\n");
	assert_non_null(strstr(hear(fd, NULL), "the last line has no end"));
	(void)hear(fd, &closed);
	assert_true(closed);
	close(fd);
	assert_int_equal(clients(), 0);
}

static void
test_many(void **state)
{
	int fd[100], i, open_ = 0;
	char c;

	(void)state;
	for (i = 0; i < 100; i++) {
		fd[i] = dial();
		assert_true(fd[i] != -1);
		turn();
	}
	assert_int_equal(clients(), LIM_CLIENTS);
	SAYS("{\"command\":\"ping\"}\n", "{\"ok\":true}\n", false);
	for (i = 0; i < 100; i++)
		open_ += recv(fd[i], &c, 1, 0) == -1 && errno == EAGAIN;
	assert_int_equal(open_, LIM_CLIENTS - 1);
	/* after their time they are closed */
	for (i = 0; i < LIM_CLIENTS; i++)
		ctl.client[i].since -= LIM_CONTROL_IDLE + 1;
	timer_set(&loop, &ctl.idle, 0);
	turn();
	turn();
	assert_int_equal(clients(), 0);
	for (i = 0; i < 100; i++)
		close(fd[i]);
}

/* A long answer, to one who reads it and to those who do not. */
static void
test_stream(void **state)
{
	static const char line[] = "{\"command\":\"status\"}\n";
	struct control_client *c;
	int slow[LIM_CLIENTS], fd, i;
	char *s, *p;
	size_t n;

	(void)state;
	for (i = 0; i < LIM_CLIENTS; i++) {
		slow[i] = dial();
		tell(slow[i], line, sizeof line - 1);
		turn();
	}
	assert_int_equal(clients(), LIM_CLIENTS);
	/* all places are in use: the next one is told */
	fd = dial();
	assert_string_equal(hear(fd, NULL),
	    "{\"ok\":false,\"error\":\"too many ask at once\"}\n");
	close(fd);
	/* but for who does not read: the others stay */
	ctl.client[LIM_CLIENTS - 1].moved -= LIM_CONTROL_STALL + 1;
	SAYS("{\"command\":\"ping\"}\n", "{\"ok\":true}\n", false);
	assert_int_equal(clients(), LIM_CLIENTS - 1);
	for (i = 1; i < LIM_CLIENTS; i++)
		close(slow[i]);
	turn();
	assert_int_equal(clients(), 1);
	for (c = ctl.client; c->watch == NULL; c++)
		;
	assert_true(c->at < BIG);	/* it is made as it is read */
	s = hear(slow[0], NULL);
	n = strlen(s);
	assert_int_equal(s[n - 1], '\n');
	for (p = s, i = 0; (p = strstr(p, "Alert")) != NULL; p++, i++)
		assert_int_equal(atoi(p + 5), i);
	assert_int_equal(i, BIG);
	close(slow[0]);
	turn();
	/* one that takes too long */
	fd = dial();
	tell(fd, line, sizeof line - 1);
	turn();
	c->took -= LIM_CONTROL_TAKE + 1;
	timer_set(&loop, &ctl.idle, 0);
	turn();
	turn();
	assert_int_equal(clients(), 0);
	close(fd);
}

static void
test_wait(void **state)
{
	int a = dial(), b = dial();

	(void)state;
	tell(a, "{\"command\":\"reload\"}\n", 21);
	tell(b, "{\"command\":\"reload\"}\n", 21);
	turn();
	control_wake(&ctl, reloaded);
	assert_int_equal(strlen(hear(a, NULL)), 0);
	/* one that waits is not idle; one that goes leaves nothing */
	close(b);
	ctl.client[0].since -= 1000;
	ctl.client[0].took -= 500;
	timer_set(&loop, &ctl.idle, 0);
	turn();
	turn();
	assert_int_equal(clients(), 1);
	control_wake(&ctl, reloaded);
	assert_string_equal(hear(a, NULL), "{\"ok\":true,\"reloaded\":true}\n");
	tell(a, "{\"command\":\"reload\"}\n", 21);
	turn();
	ctl.client[0].took -= LIM_CONTROL_WAIT + 1;
	timer_set(&loop, &ctl.idle, 0);
	turn();
	turn();
	assert_non_null(strstr(hear(a, NULL), "there was no result in time"));
	close(a);
	turn();
	assert_int_equal(clients(), 0);
}

static void
test_adopted(void **state)
{
	int p[2];
	bool closed;

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, p),
	    0);
	assert_true(control_adopt(&ctl, p[0]));
	tell(p[1], "{\"command\":\"ping\"}\n", 19);
	assert_string_equal(hear(p[1], NULL), "{\"ok\":true}\n");
	ctl.client[LIM_CLIENTS].since -= 1000;
	timer_set(&loop, &ctl.idle, 0);
	turn();
	turn();
	assert_int_equal(clients(), 1);
	tell(p[1], "{\"command\":\"disarm\"}\n", 21);
	assert_non_null(strstr(hear(p[1], NULL), "may only read"));
	(void)hear(p[1], &closed);
	assert_true(closed);
	close(p[1]);
	assert_int_equal(clients(), 0);
}

/* No descriptor is left: it is served all the same. */
static void
test_descriptors(void **state)
{
	struct rlimit old, small;
	int fd = dial(), last;

	(void)state;
	getrlimit(RLIMIT_NOFILE, &old);
	last = dup(0);
	close(last);
	small = old;
	small.rlim_cur = (rlim_t)last;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &small), 0);
	tell(fd, "{\"command\":\"ping\"}\n", 19);
	assert_string_equal(hear(fd, NULL), "{\"ok\":true}\n");
	assert_int_equal(ctl.spare, -1);
	close(fd);
	turn();
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	assert_true(ctl.spare != -1);
	SAYS("{\"command\":\"ping\"}\n", "{\"ok\":true}\n", false);
}

/* As another user: what came back, or "connect". */
static void
as_user(uid_t uid, gid_t gid, char text[200])
{
	int p[2], status;
	ssize_t n = 0, k;
	pid_t pid;

	assert_int_equal(pipe(p), 0);
	fcntl(p[0], F_SETFL, O_NONBLOCK);
	if ((pid = fork()) == 0) {
		char t[200] = "connect";
		int fd;

		if (setgroups(0, NULL) != 0 || setresgid(gid, gid, gid) != 0 ||
		    setresuid(uid, uid, uid) != 0)
			_exit(1);
		fd = dial();
		if (fd != -1) {
			fcntl(fd, F_SETFL, 0);
			/* it may have been refused already */
			(void)send(fd, "{\"command\":\"ping\"}\n", 19,
			    MSG_NOSIGNAL);
			n = read(fd, t, sizeof t - 1);
			t[n < 0 ? 0 : n] = '\0';
		}
		(void)!write(p[1], t, strlen(t));
		_exit(0);
	}
	close(p[1]);
	for (n = 0; (k = read(p[0], text + n, 199 - (size_t)n)) != 0; )
		if (k > 0)
			n += k;
		else
			turn();
	text[n] = '\0';
	close(p[0]);
	waitpid(pid, &status, 0);
}

static void
test_others(void **state)
{
	char text[200], why[300], path[200];
	struct group *g = getgrnam("daemon");
	struct stat st;

	(void)state;
	snprintf(path, sizeof path, "%s/" CONTROL_SOCKET, dir);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	if (geteuid() != 0 || g == NULL)
		return;		/* nobody can be another user */
	as_user(65534, 65534, text);
	assert_string_equal(text, "connect");
	/* though somebody has let all in */
	chmod(path, 0666);
	as_user(65534, 65534, text);
	assert_non_null(strstr(text, "only root and the user of picketd"));
	chmod(path, 0600);
	assert_true(control_group(&ctl, "daemon", why, sizeof why));
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0660);
	assert_int_equal(st.st_gid, g->gr_gid);
	as_user(65534, g->gr_gid, text);
	assert_string_equal(text, "{\"ok\":true}\n");
	as_user(65534, 65534, text);
	assert_string_equal(text, "connect");
	assert_false(control_group(&ctl, "no-such", why, sizeof why));
	assert_string_equal(why, "control group no-such: /etc/group has no "
	    "such group");
	as_user(65534, g->gr_gid, text);
	assert_string_equal(text, "connect");
	assert_true(control_group(&ctl, NULL, why, sizeof why));
}

static void
test_place(void **state)
{
	static struct control other;
	char why[400], path[200], deep[300];
	struct stat st;
	int fd;

	(void)state;
	control_init(&other, &loop, &logger, act, &other);
	assert_false(control_listen(&other, dir, why, sizeof why));
	assert_non_null(strstr(why, "another picketd listens there"));
	control_close(&other);
	/* the first one's is still there */
	SAYS("{\"command\":\"ping\"}\n", "{\"ok\":true}\n", false);
	/* one that nobody listens on is replaced */
	snprintf(path, sizeof path, "%s/a", dir);
	assert_int_equal(mkdir(path, 0755), 0);
	control_init(&other, &loop, &logger, act, &other);
	assert_true(control_listen(&other, path, why, sizeof why));
	close(other.fd);
	other.fd = -1;
	control_close(&other);
	control_init(&other, &loop, &logger, act, &other);
	assert_true(control_listen(&other, path, why, sizeof why));
	control_close(&other);
	snprintf(deep, sizeof deep, "%s/" CONTROL_SOCKET, path);
	assert_int_equal(lstat(deep, &st), -1);
	/* a file is not */
	close(open(deep, O_CREAT | O_WRONLY, 0600));
	control_init(&other, &loop, &logger, act, &other);
	assert_false(control_listen(&other, path, why, sizeof why));
	assert_non_null(strstr(why, "is no socket; remove it"));
	control_close(&other);
	unlink(deep);
	assert_int_equal(chmod(path, 0777), 0);
	control_init(&other, &loop, &logger, act, &other);
	assert_false(control_listen(&other, path, why, sizeof why));
	assert_non_null(strstr(why, "others may write to it"));
	control_close(&other);
	/* longer than a socket's address */
	snprintf(deep, sizeof deep, "%s/%0150d", dir, 1);
	control_init(&other, &loop, &logger, act, &other);
	assert_true(control_listen(&other, deep, why, sizeof why));
	fd = open(deep, O_RDONLY | O_DIRECTORY);
	assert_int_equal(fstatat(fd, CONTROL_SOCKET, &st, 0), 0);
	assert_true(S_ISSOCK(st.st_mode));
	close(fd);
	control_close(&other);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_requests),
		cmocka_unit_test(test_wrong),
		cmocka_unit_test(test_big),
		cmocka_unit_test(test_halves),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_stream),
		cmocka_unit_test(test_wait),
		cmocka_unit_test(test_adopted),
		cmocka_unit_test(test_descriptors),
		cmocka_unit_test(test_others),
		cmocka_unit_test(test_place),
	};
	char text[400];
	int failed;

	if (mkdtemp(dir) == NULL || chmod(dir, 0755) != 0)
		return 1;
	tick.fire = on_tick;
	loop_init(&loop);
	(void)logger_open(&logger, "picketd", "stderr error", true, text,
	    sizeof text);
	control_init(&ctl, &loop, &logger, act, &ctl);
	if (!control_listen(&ctl, dir, text, sizeof text)) {
		fprintf(stderr, "%s\n", text);
		return 1;
	}
	cmocka_set_message_output(CM_OUTPUT_TAP);
	failed = cmocka_run_group_tests_name("control", tests, NULL, NULL);
	control_close(&ctl);
	snprintf(text, sizeof text, "rm -rf %s", dir);
	return system(text) != 0 || failed;
}
