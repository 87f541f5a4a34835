/*
 * rows [-r ROOT] [-n NOW] [-p POSITIONS] [-c OUTPUT] [-f COLUMNS] TABLE
 * [ARGUMENT...]: the rows of a native table, one a line: NAME=VALUE by tabs, values with \n, \t,
 * \xHH as picket shows them, a missing one as <<NIL>>.
 *
 * -p: a folder that keeps what a table leaves for the next run, a file each;
 * -c: what a command that the table calls prints, in this file; - : it fails;
 * else it is run.  -l: limited, no user's name is known.  -m N: at most N
 * rows are read.  -f: only these columns, by blanks, in the table's order.
 * Warnings go to standard error with "WARNING: "; a table
 * that fails says why there, status 1.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lang/base/num.h"
#include "engine/table/table.h"

static struct mem mem;
static const char *positions, *canned, *columns;
static struct buf answer, name_of, kept;

static void
warn(void *arg, struct str text)
{
	(void)arg;
	fprintf(stderr, "WARNING: %.*s\n", (int)text.n, text.p);
}

static struct str
username(void *arg, uid_t uid)
{
	struct passwd *p = getpwuid(uid);

	(void)arg;
	return p == NULL ? STR_NIL : str_c(p->pw_name);
}

static struct str
groupname(void *arg, gid_t gid)
{
	struct group *g = getgrgid(gid);

	(void)arg;
	return g == NULL ? STR_NIL : str_c(g->gr_name);
}

static bool
whole(const char *path, struct buf *b)
{
	int fd = open(path, O_RDONLY);
	ssize_t n;

	buf_clear(b);
	if (fd == -1)
		return false;
	while ((n = read(fd, buf_room(b, 65536), 65536)) > 0)
		b->n += (size_t)n;
	close(fd);
	return n == 0;
}

static const char *
position_path(struct str name)
{
	buf_clear(&name_of);
	buf_printf(&name_of, "%s/", positions);
	buf_str(&name_of, name);
	return buf_c(&name_of);
}

static struct str
position(void *arg, struct str name)
{
	(void)arg;
	if (positions == NULL || !whole(position_path(name), &kept))
		return STR_EMPTY;
	return buf_view(&kept);
}

static void
leave(void *arg, struct str name, struct str text)
{
	FILE *f;

	(void)arg;
	if (positions == NULL)
		return;
	if ((f = fopen(position_path(name), "w")) == NULL ||
	    fwrite(text.p, 1, text.n, f) != text.n || fclose(f) != 0)
		exit(2);
}

static bool
command(void *arg, const char *const *argv, size_t max, struct str *out)
{
	ssize_t n = 0;
	int fd[2], ws;
	pid_t pid;

	(void)arg;
	if (canned != NULL && strcmp(canned, "-") != 0) {
		if (!whole(canned, &answer))
			exit(2);
		*out = buf_view(&answer);
		return answer.n <= max;
	}
	if (canned != NULL) {
		buf_clear(&answer);
		buf_printf(&answer, "%s: not here", argv[0]);
		*out = buf_view(&answer);
		return false;
	}
	if (pipe(fd) != 0 || (pid = fork()) == -1)
		exit(2);
	if (pid == 0) {
		dup2(fd[1], 1);
		execvp(argv[0], (char *const *)(uintptr_t)argv);
		_exit(127);
	}
	close(fd[1]);
	buf_clear(&answer);
	while (answer.n < max &&
	    (n = read(fd[0], buf_room(&answer, 65536), 65536)) > 0)
		answer.n += (size_t)n;
	close(fd[0]);
	waitpid(pid, &ws, 0);
	*out = buf_view(&answer);
	return ws == 0;
}

static bool
stop(void *arg)
{
	(void)arg;
	return false;
}

/* Is it one of those that are asked for? */
static bool
wanted(enum table_column c)
{
	const char *name = column_info[c].name, *at = columns;
	size_t n = strlen(name);

	while (at != NULL && (at = strstr(at, name)) != NULL) {
		if ((at == columns || at[-1] == ' ') &&
		    (at[n] == '\0' || at[n] == ' '))
			return true;
		at += n;
	}
	return columns == NULL;
}

static void
row(struct row *r, enum table_id id)
{
	static struct buf b;
	char number[NUM_TEXT_MAX];
	enum table_column c;

	buf_init(&b, &mem);
	for (c = table_info[id].first; c < table_info[id + 1].first; c++) {
		if (!wanted(c))
			continue;
		buf_printf(&b, "%s%s=", b.n == 0 ? "" : "\t",
		    column_info[c].name);
		if (column_info[c].sigil == '#')
			buf_add(&b, number,
			    num_text(r->ops->number(r, c), number));
		else
			buf_escaped(&b, str_shown(r->ops->text(r, c)), 0);
	}
	printf("%s\n", buf_c(&b));
	buf_free(&b);
}

int
main(int argc, char **argv)
{
	struct table_world w = { .mem = &mem, .root = "", .warn = warn,
	    .username = username, .groupname = groupname,
	    .position = position, .leave = leave, .command = command,
	    .stop = stop };
	struct table_ask ask = { 0 };
	char why[LIM_TABLE_WHY];
	struct table *t;
	enum table_next n = TABLE_END;
	long most = -1;
	int opt, id;

	w.now = (double)time(NULL);
	while ((opt = getopt(argc, argv, "r:n:p:c:f:lm:")) != -1)
		switch (opt) {
		case 'r':
			w.root = optarg;
			break;
		case 'n':
			w.now = atof(optarg);
			break;
		case 'p':
			positions = optarg;
			break;
		case 'c':
			canned = optarg;
			break;
		case 'f':
			columns = optarg;
			break;
		case 'l':
			w.limited = true;
			break;
		case 'm':
			most = atol(optarg);
			break;
		default:
			return 2;
		}
	argv += optind;
	if (*argv == NULL || (id = table_find(str_c(*argv++))) == -1)
		return 2;
	mem_init(&mem, 256u << 20, NULL);
	buf_init(&answer, &mem);
	buf_init(&name_of, &mem);
	buf_init(&kept, &mem);
	ask.id = (enum table_id)id;
	for (; *argv != NULL && ask.narg < TABLE_ARGS; argv++, ask.narg++) {
		ask.text[ask.narg] = str_c(*argv);
		ask.number[ask.narg] = atof(*argv);
	}
	if ((t = table_open(&w, &ask, why)) == NULL) {
		fprintf(stderr, "%s\n", why);
		buf_free(&answer), buf_free(&name_of), buf_free(&kept);
		return mem.used == 0 ? 1 : 3;
	}
	while (most-- != 0 && (n = table_next(t)) == TABLE_ROW)
		row(table_row(t), ask.id);
	if (n == TABLE_FAILED)
		fprintf(stderr, "%s\n", table_why(t));
	table_close(t);
	buf_free(&answer), buf_free(&name_of), buf_free(&kept);
	/* 3: a table that keeps what it took */
	return mem.used != 0 ? 3 : n == TABLE_FAILED;
}
