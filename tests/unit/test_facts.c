/*
 * What a live host knows of users, names and paths, also where the system
 * that it asks hangs or dies.
 */
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pwd.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
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
		cmocka_unit_test(test_facts),
		cmocka_unit_test(test_path_facts),
		cmocka_unit_test(test_resolver),
		cmocka_unit_test(test_users),
		cmocka_unit_test(test_sessions),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
