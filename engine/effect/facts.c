/*
 * facts: what the host knows of itself, its users and the names of others.
 *
 * The databases of users and names may ask a network (LDAP, DNS), and a call
 * into them cannot be ended.  So a child makes it, which is waited for until
 * LIM_ASK or the run's deadline and then killed; what it found is kept for
 * the run, so that a rule that asks for the owner of each line asks once.
 */
#include <sys/prctl.h>
#include <sys/types.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <netdb.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include <utmp.h>

#include "engine/effect/facts.h"
#include "engine/effect/state.h"

#define LIM_ASK		10.0	/* seconds for one question: a resolver tries
				 * its servers for about that long */
#define LIM_ASK_KEY	1024	/* bytes: no name of a user or host is longer */
#define LIM_ANSWER	4096	/* bytes of an answer */
#define LIM_ADDRESSES	16	/* of a host, in an answer */
#define LIM_ASKED	256	/* answers kept; then forgotten together */
#define LIM_ENTRY	(1 << 20) /* bytes of a line of passwd or group */
#define LIM_SESSIONS	65536	/* records of utmp, files of sessions */
#define ASKED_BLOCK	4096

/* --- in the child: first byte '1' found, '0' none, '-' failed --- */

struct answer {
	char	text[LIM_ANSWER];
	size_t	n;
};

static void
say(struct answer *a, char how, const char *s)
{
	size_t n = strlen(s);

	if (n > sizeof a->text - 1) {	/* a part of it would be wrong */
		how = '-';
		s = "the answer is too long";
		n = strlen(s);
	}
	a->text[0] = how;
	memcpy(a->text + 1, s, n);
	a->n = n + 1;
}

static void
say_number(struct answer *a, unsigned long id)
{
	char t[32];

	snprintf(t, sizeof t, "%lu", id);
	say(a, '1', t);
}

/* Some systems report an absent name as one of these. */
static void
say_absent(struct answer *a, int error)
{
	if (error == 0 || error == ENOENT || error == ESRCH)
		say(a, '0', "");
	else
		say(a, '-', strerror(error));
}

static void
ask_user(struct answer *a, enum fact what, const char *key)
{
	struct passwd pw, *found = NULL;
	char *room = malloc(LIM_ENTRY);
	int error = ENOMEM;

	if (room != NULL && what == FACT_USERNAME)
		error = getpwuid_r((uid_t)strtoul(key, NULL, 10), &pw, room,
		    LIM_ENTRY, &found);
	else if (room != NULL)
		error = getpwnam_r(key, &pw, room, LIM_ENTRY, &found);
	if (found == NULL)
		say_absent(a, error);
	else if (what == FACT_UID)
		say_number(a, pw.pw_uid);
	else
		say(a, '1', what == FACT_HOME ? pw.pw_dir : pw.pw_name);
	free(room);
}

static void
ask_group(struct answer *a, enum fact what, const char *key)
{
	struct group gr, *found = NULL;
	char *room = malloc(LIM_ENTRY);
	int error = ENOMEM;

	if (room != NULL && what == FACT_GROUPNAME)
		error = getgrgid_r((gid_t)strtoul(key, NULL, 10), &gr, room,
		    LIM_ENTRY, &found);
	else if (room != NULL)
		error = getgrnam_r(key, &gr, room, LIM_ENTRY, &found);
	if (found == NULL)
		say_absent(a, error);
	else if (what == FACT_GID)
		say_number(a, gr.gr_gid);
	else
		say(a, '1', gr.gr_name);
	free(room);
}

/* The addresses of a host, by blanks; or the domain of its full name. */
static void
ask_resolver(struct answer *a, enum fact what, const char *key)
{
	const struct addrinfo hints = { .ai_family = AF_UNSPEC,
	    .ai_socktype = SOCK_STREAM,
	    .ai_flags = what == FACT_DOMAIN ? AI_CANONNAME : 0 };
	struct addrinfo *list = NULL, *i;
	char text[LIM_ADDRESSES * 64], one[64];
	const char *dot = NULL;
	size_t n = 0, k = 0;
	int rc = getaddrinfo(key, NULL, &hints, &list);

	if (rc == EAI_NONAME || rc == EAI_NODATA || (rc != 0 &&
	    what == FACT_DOMAIN)) {
		say(a, '0', "");
		return;
	}
	if (rc != 0) {
		say(a, '-', rc == EAI_SYSTEM ? strerror(errno) :
		    gai_strerror(rc));
		return;
	}
	if (what == FACT_DOMAIN) {
		if (list->ai_canonname != NULL)
			dot = strchr(list->ai_canonname, '.');
		say(a, dot != NULL ? '1' : '0', dot != NULL ? dot + 1 : "");
		freeaddrinfo(list);
		return;
	}
	text[0] = '\0';
	for (i = list; i != NULL && k < LIM_ADDRESSES; i = i->ai_next)
		if (getnameinfo(i->ai_addr, i->ai_addrlen, one, sizeof one,
		    NULL, 0, NI_NUMERICHOST) == 0) {
			n += (size_t)snprintf(text + n, sizeof text - n,
			    "%s%s", k == 0 ? "" : " ", one);
			k++;
		}
	say(a, k > 0 ? '1' : '0', text);
	freeaddrinfo(list);
}

static _Noreturn void
child(int fd, enum fact what, const char *key)
{
	static const int sigs[] = { SIGINT, SIGTERM, SIGHUP };
	struct answer a;
	size_t i;

	/* the handlers are the run's, which this is not */
	for (i = 0; i < sizeof sigs / sizeof sigs[0]; i++)
		signal(sigs[i], SIG_DFL);
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	switch (what) {
	case FACT_UID: case FACT_USERNAME: case FACT_HOME:
		ask_user(&a, what, key);
		break;
	case FACT_GID: case FACT_GROUPNAME:
		ask_group(&a, what, key);
		break;
	default:
		ask_resolver(&a, what, key);
		break;
	}
	_exit(write(fd, a.text, a.n) == (ssize_t)a.n ? 0 : 1);
}

/* --- in the run --- */

/* Reads the child's answer; false with the reason. */
static bool
hear(struct live *l, int fd, struct answer *a)
{
	double within = l->ask_until == 0 ? LIM_ASK :
	    fmin(LIM_ASK, fmax(0, l->ask_until - live_now()));
	double until = live_now() + within;
	struct pollfd p[2];
	ssize_t k = 1;
	int r;

	a->n = 0;
	while (k != 0 && a->n < sizeof a->text) {
		p[0] = (struct pollfd){ .fd = fd, .events = POLLIN };
		if ((r = live_poll(l, p, 1, until, true)) != 1) {
			if (r == 0)
				live_fail(l, "no answer within %.3gs", within);
			return false;
		}
		k = read(fd, a->text + a->n, sizeof a->text - a->n);
		if (k > 0)
			a->n += (size_t)k;
		else if (k == -1 && errno != EINTR)
			break;
	}
	if (a->n == 0)
		live_fail(l, "whoever looked it up died");
	return a->n > 0;
}

static bool
ask_child(struct live *l, enum fact what, const char *key, struct answer *a)
{
	int fd[2];
	bool good;
	pid_t pid;

	if (pipe2(fd, O_CLOEXEC) == -1) {
		live_fail(l, "pipe: %s", strerror(errno));
		return false;
	}
	pid = fork();
	if (pid == 0)
		child(fd[1], what, key);
	close(fd[1]);
	if (pid == -1) {
		live_fail(l, "fork: %s", strerror(errno));
		close(fd[0]);
		return false;
	}
	good = hear(l, fd[0], a);
	close(fd[0]);
	if (!good)
		kill(pid, SIGKILL);
	while (waitpid(pid, NULL, 0) == -1 && errno == EINTR)
		continue;
	return good;
}

static void
forget(struct live *l)
{
	if (l->asked_arena.mem != NULL)
		arena_free(&l->asked_arena);
	arena_init(&l->asked_arena, l->mem, ASKED_BLOCK);
	map_init(&l->asked, &l->asked_arena);
}

/* What was asked before is not asked again: a failure, too. */
static int
ask_once(struct live *l, enum fact what, const char *key, struct str *answer)
{
	char name[LIM_ASK_KEY + 8];
	const struct map_entry *e;
	struct map_entry *m;
	struct answer a;
	struct str s;
	bool is_new;
	int n = snprintf(name, sizeof name, "%d %s", (int)what, key);

	if (l->asked_arena.mem == NULL || l->asked.n >= LIM_ASKED)
		forget(l);
	e = map_get(&l->asked, str_of(name, (size_t)n));
	if (e == NULL) {
		if (!ask_child(l, what, key, &a)) {
			if (live_stop(l))
				return -1;
			say(&a, '-', l->why);
		}
		s = arena_dup(&l->asked_arena, str_of(a.text, a.n));
		m = map_put(&l->asked, str_of(name, (size_t)n), &is_new);
		m->v.ptr = (void *)(uintptr_t)s.p;
		e = m;
	}
	s = str_c(e->v.ptr);
	if (s.p[0] == '-') {
		live_fail(l, "%s: %s", key, s.p + 1);
		return -1;
	}
	*answer = str_of(s.p + 1, s.n - 1);
	return s.p[0] == '1';
}

/* --- who is logged in --- */

/* A record whose process is gone was left behind. */
static bool
user_session(const struct utmp *u, struct str user)
{
	size_t n = strnlen(u->ut_user, sizeof u->ut_user);

	if (user.n > sizeof u->ut_user)		/* as it is kept: cut */
		user.n = sizeof u->ut_user;
	return u->ut_type == USER_PROCESS &&
	    str_eq(str_of(u->ut_user, n), user) &&
	    (u->ut_pid <= 0 || kill(u->ut_pid, 0) == 0 || errno != ESRCH);
}

static int
sessions_utmp(int fd, struct str user)
{
	struct utmp u;
	int i, count = 0;

	for (i = 0; i < LIM_SESSIONS &&
	    read(fd, &u, sizeof u) == (ssize_t)sizeof u; i++)
		count += user_session(&u, user);
	return count;
}

/* The value of NAME= in a file of lines NAME=VALUE. */
static bool
line_is(const char *text, const char *name, struct str value)
{
	size_t n = strlen(name);
	const char *p;

	for (p = text; p != NULL; p = strchr(p, '\n')) {
		p += *p == '\n';
		if (strncmp(p, name, n) == 0)
			return str_eq(str_of(p + n, strcspn(p + n, "\n")),
			    value);
	}
	return false;
}

static bool
logind_session(int dir, const char *name, struct str user)
{
	char text[4096];	/* a session's file has some 400 bytes */
	ssize_t k;
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW |
	    O_NONBLOCK);

	if (fd == -1)
		return false;
	k = read(fd, text, sizeof text - 1);
	close(fd);
	if (k <= 0)
		return false;
	text[k] = '\0';
	return line_is(text, "USER=", user) &&
	    line_is(text, "CLASS=", STR_LIT("user")) &&
	    !line_is(text, "STATE=", STR_LIT("closing"));
}

/* Where the old file is gone for good (64-bit time), logind knows. */
static int
sessions_logind(DIR *d, struct str number, struct str name)
{
	struct dirent *e;
	int i = 0, count = 0;

	while (i++ < LIM_SESSIONS && (e = readdir(d)) != NULL)
		if (e->d_name[0] != '.' && strchr(e->d_name, '.') == NULL)
			count += logind_session(dirfd(d), e->d_name, number) ||
			    logind_session(dirfd(d), e->d_name, name);
	return count;
}

int
facts_sessions(const char *utmp, const char *folder, struct str user,
    struct str number)
{
	int fd = open(utmp, O_RDONLY | O_CLOEXEC | O_NONBLOCK), count = -1;
	DIR *d;

	if (fd != -1) {
		count = sessions_utmp(fd, user);
		close(fd);
	} else if ((d = opendir(folder)) != NULL) {
		/* a file names its user by number */
		count = sessions_logind(d, str_none(number) ? user : number,
		    user);
		closedir(d);
	}
	return count;
}

static int
logged_in(struct live *l, const char *user, struct str *answer)
{
	struct str number = STR_NIL;
	int count;

	if (access(_PATH_UTMP, R_OK) != 0)
		(void)ask_once(l, FACT_UID, user, &number);
	count = facts_sessions(_PATH_UTMP, "/run/systemd/sessions",
	    str_c(user), number);
	if (count < 0) {
		live_fail(l, "%s: no one keeps account of logins here", user);
		return -1;
	}
	snprintf(l->answer, sizeof l->answer, "%d", count);
	*answer = str_c(l->answer);
	return 1;
}

/* --- the host itself --- */

static int
own(struct live *l, enum fact what, struct str *answer)
{
	struct utsname u;
	char name[HOST_NAME_MAX + 1];
	const char *dot;

	if (uname(&u) != 0 || gethostname(name, sizeof name) != 0) {
		live_fail(l, "uname: %s", strerror(errno));
		return -1;
	}
	name[HOST_NAME_MAX] = '\0';
	if (what == FACT_DOMAIN && (dot = strchr(name, '.')) == NULL)
		return ask_once(l, what, name, answer);
	snprintf(l->answer, sizeof l->answer, "%s", what == FACT_OS ?
	    u.sysname : what == FACT_OSVERSION ? u.release :
	    what == FACT_ARCH ? u.machine : what == FACT_DOMAIN ? dot + 1 :
	    name);
	*answer = str_c(l->answer);
	return 1;
}

/* CLOCK_BOOTTIME counts the time of sleep too, as uptime(1) does. */
static int
uptime(struct live *l, struct str *answer)
{
	struct timespec t;

	if (clock_gettime(CLOCK_BOOTTIME, &t) != 0) {
		live_fail(l, "clock_gettime: %s", strerror(errno));
		return -1;
	}
	snprintf(l->answer, sizeof l->answer, "%lld.%09ld",
	    (long long)t.tv_sec, t.tv_nsec);
	*answer = str_c(l->answer);
	return 1;
}

static int
current_user(struct live *l, struct str *answer)
{
	char number[32];
	int r;

	snprintf(number, sizeof number, "%lu", (unsigned long)geteuid());
	r = ask_once(l, FACT_USERNAME, number, answer);
	if (r != 0)
		return r;
	snprintf(l->answer, sizeof l->answer, "%s", number);
	*answer = str_c(l->answer);
	return 1;
}

int
live_ask(void *h, enum fact what, struct str key, struct str *answer)
{
	struct live *l = h;
	char name[LIM_ASK_KEY];

	*answer = STR_NIL;
	if (l->o.scarce != NULL && (what == FACT_USER || what == FACT_DOMAIN ||
	    (what > FACT_LAST_OWN && what != FACT_ENV))) {
		live_fail(l, "not while memory is short: it takes another "
		    "program or a file");
		return -1;
	}
	if (what <= FACT_LAST_OWN)
		return what == FACT_USER ? current_user(l, answer) :
		    what == FACT_UPTIME ? uptime(l, answer) :
		    own(l, what, answer);
	if (what >= FACT_LINK)
		return paths_ask(l, what, key, answer);
	if (str_none(key) || key.n >= sizeof name ||
	    (key.n > 0 && memchr(key.p, '\0', key.n) != NULL))
		return 0;	/* nothing has such a name */
	memcpy(name, key.p, key.n);
	name[key.n] = '\0';
	if (what == FACT_ENV) {
		*answer = str_c(getenv(name));
		return !str_none(*answer);
	}
	if (what == FACT_LOGGEDIN)
		return logged_in(l, name, answer);
	return ask_once(l, what, name, answer);
}
