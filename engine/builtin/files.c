/*
 * files: what the filesystem says of a path.  All of it is asked of the host,
 * so that tests of rules and replays can answer.
 */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "engine/builtin/arg.h"
#include "engine/builtin/checksum.h"

#define BLOCK		(64 * 1024)	/* bytes of a read for a checksum */

/* False: the result is set. */
static bool
stat_arg(struct call *c, struct stat *st, bool follow)
{
	struct str path = c->s[0];
	const struct host *host;
	void *h;

	if (arg_none(c) || !arg_c(c, 0))
		return false;
	host = vm_host(c->vm, &h);
	if (host->stat(h, path, st, follow) == 0)
		return true;
	arg_host_failed(c, path);
	return false;
}

static double
seconds(struct timespec t)
{
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

void
bi_filesize(struct call *c)
{
	struct stat st;

	if (stat_arg(c, &st, true))
		c->rn = (double)st.st_size;
}

void
bi_filemtime(struct call *c)
{
	struct stat st;

	if (stat_arg(c, &st, true))
		c->rn = seconds(st.st_mtim);
}

void
bi_fileatime(struct call *c)
{
	struct stat st;

	if (stat_arg(c, &st, true))
		c->rn = seconds(st.st_atim);
}

void
bi_filectime(struct call *c)
{
	struct stat st;

	if (stat_arg(c, &st, true))
		c->rn = seconds(st.st_ctim);
}

void
bi_filemode(struct call *c)
{
	struct stat st;

	if (stat_arg(c, &st, true))
		c->rn = (double)(st.st_mode & 07777);
}

void
bi_fileuid(struct call *c)
{
	struct stat st;

	if (stat_arg(c, &st, true))
		c->rn = (double)st.st_uid;
}

void
bi_filegid(struct call *c)
{
	struct stat st;

	if (stat_arg(c, &st, true))
		c->rn = (double)st.st_gid;
}

void
bi_filelinks(struct call *c)
{
	struct stat st;

	if (stat_arg(c, &st, true))
		c->rn = (double)st.st_nlink;
}

void
bi_fileinode(struct call *c)
{
	struct stat st;

	if (stat_arg(c, &st, true))
		c->rn = (double)st.st_ino;
}

/* A name, or the number of what has none: also where nobody can say. */
static void
name_or_number(struct call *c, enum fact what, double id)
{
	char t[NUM_TEXT_MAX];
	struct str number = str_of(t, num_text(id, t)), name;
	const struct host *host;
	void *h;

	host = vm_host(c->vm, &h);
	if (host->ask(h, what, number, &name) <= 0)
		name = number;
	c->rs = vm_dup(c->vm, name);
}

void
bi_fileowner(struct call *c)
{
	struct stat st;

	if (stat_arg(c, &st, true))
		name_or_number(c, FACT_USERNAME, (double)st.st_uid);
}

void
bi_filegroup(struct call *c)
{
	struct stat st;

	if (stat_arg(c, &st, true))
		name_or_number(c, FACT_GROUPNAME, (double)st.st_gid);
}

void
bi_filetype(struct call *c)
{
	struct stat st;

	if (!stat_arg(c, &st, false))
		return;
	switch (st.st_mode & S_IFMT) {
	case S_IFREG:
		c->rs = STR_LIT("file");
		break;
	case S_IFDIR:
		c->rs = STR_LIT("directory");
		break;
	case S_IFLNK:
		c->rs = STR_LIT("link");
		break;
	case S_IFCHR:
		c->rs = STR_LIT("character");
		break;
	case S_IFBLK:
		c->rs = STR_LIT("block");
		break;
	case S_IFIFO:
		c->rs = STR_LIT("pipe");
		break;
	case S_IFSOCK:
		c->rs = STR_LIT("socket");
		break;
	default:
		c->rs = STR_LIT("unknown");
	}
}

/* 1 and the answer, else 0: the result is set. */
static int
ask(struct call *c, enum fact what, struct str *answer)
{
	const struct host *host;
	void *h;
	int r;

	if (arg_none(c) || !arg_c(c, 0))
		return 0;
	host = vm_host(c->vm, &h);
	r = host->ask(h, what, c->s[0], answer);
	if (r > 0)
		return 1;
	if (r < 0)
		arg_host_failed(c, c->s[0]);
	else {
		c->rn = NUM_NIL;
		c->rs = STR_NIL;
	}
	return 0;
}

void
bi_filelink(struct call *c)
{
	struct str to;

	if (ask(c, FACT_LINK, &to))
		c->rs = vm_dup(c->vm, to);
}

/* --- names --- */

static struct str
without_slashes(struct str s)		/* at its end; "/" stays */
{
	while (s.n > 1 && s.p[s.n - 1] == '/')
		s.n--;
	return s;
}

static size_t
base_start(struct str s)
{
	size_t i = s.n;

	while (i > 0 && s.p[i - 1] != '/')
		i--;
	return i;
}

void
bi_basename(struct call *c)
{
	struct str s;
	size_t at;

	if (arg_none(c))
		return;
	s = without_slashes(c->s[0]);
	at = s.n == 1 ? 0 : base_start(s);
	c->rs = str_of(s.p + at, s.n - at);
}

void
bi_dirname(struct call *c)
{
	struct str s;
	size_t at;

	if (arg_none(c))
		return;
	s = without_slashes(c->s[0]);
	at = base_start(s);
	c->rs = at == 0 ? STR_LIT(".") : without_slashes(str_of(s.p, at));
}

void
bi_realpath(struct call *c)
{
	struct str to;

	if (ask(c, FACT_REALPATH, &to))
		c->rs = vm_dup(c->vm, to);
}

/* --- filesystems --- */

/* A filesystem without blocks (/proc) has neither: NIL. */
void
bi_diskused(struct call *c)
{
	struct str part;

	if (ask(c, FACT_DISKUSED, &part))
		c->rn = num_parse(part, false);
}

void
bi_diskfree(struct call *c)
{
	bi_diskused(c);
	if (!num_none(c->rn) && c->rn >= 0)
		c->rn = 1 - c->rn;
}

void
bi_glob(struct call *c)
{
	struct array *a = vm_array(c->vm, c->n[0]);
	char key[NUM_TEXT_MAX];
	const struct host *host;
	struct str paths;
	size_t at, end;
	double n = 0;
	void *h;
	int r;

	if (arg_none(c) || !arg_c(c, 0))
		return;
	if (a->number) {
		vm_domain(c, "an array of numbers");
		return;
	}
	host = vm_host(c->vm, &h);
	r = host->ask(h, FACT_GLOB, c->s[0], &paths);
	if (r < 0) {
		arg_host_failed(c, c->s[0]);
		return;
	}
	array_clear(a);
	for (at = 0; r > 0 && at < paths.n; at = end + 1) {
		end = str_find(paths, '\0', at);
		n++;
		array_put_str(a, str_of(key, num_text(n, key)),
		    str_of(paths.p + at, end - at));
	}
	c->rn = n;
}

/* --- $checksum --- */

/* Reads the whole file; the reason of a failure, or NULL. */
static const char *
sum_file(struct call *c, int fd, char *block, struct checksum *sum)
{
	const struct host *host;
	ssize_t n;
	void *h;

	host = vm_host(c->vm, &h);
	while ((n = read(fd, block, BLOCK)) != 0) {
		if (n < 0 && errno != EINTR)
			return strerror(errno);
		if (n > 0)
			checksum_add(sum, block, (size_t)n);
		if (host->stop(h))	/* the run's deadline */
			return "stopped before its end";
	}
	return NULL;
}

/*
 * Types -3, -2, -1 are those of cksum, sum -s and sum -r as GNU prints them:
 * the last with leading zeros and blocks of 1024 bytes.  The computed ones
 * are PIKT's, whose blocks have 512 bytes.  The file's name ends them all.
 */
void
bi_checksum(struct call *c)
{
	static const enum checksum_type of_tool[3] = { CHECKSUM_POSIX,
	    CHECKSUM_SYSV, CHECKSUM_BSD };
	char text[CHECKSUM_TEXT];
	unsigned long long size;
	enum checksum_type type;
	const struct host *host;
	struct checksum sum;
	struct buf *b;
	const char *why;
	char *block;
	int64_t i;
	void *h;
	int fd;

	if (arg_none(c) || !arg_c(c, 0) ||
	    !arg_int(c, 0, -3, CHECKSUM_TYPES - 1, &i))
		return;
	type = i < 0 ? of_tool[i + 3] : (enum checksum_type)i;
	checksum_init(&sum, type);
	/* Before the open: a refused allocation must leave no open file. */
	block = vm_text(c->vm, BLOCK);
	host = vm_host(c->vm, &h);
	fd = host->open(h, c->s[0]);
	if (fd == -1) {
		arg_host_failed(c, c->s[0]);
		return;
	}
	why = sum_file(c, fd, block, &sum);
	close(fd);
	if (why != NULL) {
		vm_failed(c, "%.*s: %s", arg_cut(c->s[0]), c->s[0].p, why);
		return;
	}
	size = sum.bytes;
	checksum_end(&sum, text);
	if (i == -1)
		size = (size + 1023) / 1024;
	else if (type == CHECKSUM_BSD || type == CHECKSUM_SYSV)
		size = (size + 511) / 512;
	b = vm_buf(c->vm);
	if (i == -1)
		buf_printf(b, "%05ld %5llu ", strtol(text, NULL, 10), size);
	else
		buf_printf(b, "%s %llu ", text, size);
	buf_str(b, c->s[0]);
	c->rs = arg_result(c, b);
}
