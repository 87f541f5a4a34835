/*
 * files: what the filesystem says of a path.  stat goes through the host, so
 * that replays can answer; the other calls have no host function and are made
 * here: readlink, realpath, statvfs, glob, and the reading of checksums.
 */
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "engine/builtin/arg.h"
#include "engine/builtin/checksum.h"

#define BLOCK		(64 * 1024)	/* bytes of a read for a checksum */

static void
failed(struct call *c, struct str path, const char *why)
{
	vm_failed(c, "%.*s: %s", arg_cut(path), path.p, why);
	c->rn = -1;
}

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

void
bi_filelink(struct call *c)
{
	char to[PATH_MAX];
	ssize_t n;

	if (arg_none(c) || !arg_c(c, 0))
		return;
	n = readlink(arg_zero(c, 0), to, sizeof to);
	if (n >= 0)
		c->rs = vm_dup(c->vm, str_of(to, (size_t)n));
	else if (errno == EINVAL)	/* there, and no link */
		c->rs = STR_NIL;
	else
		failed(c, c->s[0], strerror(errno));
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
	char to[PATH_MAX];

	if (arg_none(c) || !arg_c(c, 0))
		return;
	if (realpath(arg_zero(c, 0), to) != NULL)
		c->rs = vm_dup(c->vm, str_c(to));
	else
		failed(c, c->s[0], strerror(errno));
}

/* --- filesystems --- */

/*
 * As df counts: what root keeps for itself is neither used nor free.  A
 * filesystem without blocks (/proc) has no such figure: NIL.
 */
static bool
used_part(struct call *c, double *part)
{
	double used, avail;
	struct statvfs fs;

	if (arg_none(c) || !arg_c(c, 0))
		return false;
	if (statvfs(arg_zero(c, 0), &fs) != 0) {
		failed(c, c->s[0], strerror(errno));
		return false;
	}
	used = (double)fs.f_blocks - (double)fs.f_bfree;
	avail = (double)fs.f_bavail;
	if (used + avail <= 0) {
		c->rn = NUM_NIL;
		return false;
	}
	*part = used / (used + avail);
	return true;
}

void
bi_diskused(struct call *c)
{
	double part;

	if (used_part(c, &part))
		c->rn = part;
}

void
bi_diskfree(struct call *c)
{
	double part;

	if (used_part(c, &part))
		c->rn = 1 - part;
}

/*
 * What glob(3) found is its own memory, which a refused allocation would
 * leave behind: so it is asked first whether the run has room for it.
 */
void
bi_glob(struct call *c)
{
	struct array *a = vm_array(c->vm, c->n[0]);
	struct mem *mem = vm_mem(c->vm);
	size_t i, room = mem->limit - mem->used, need = 0;
	char key[NUM_TEXT_MAX];
	glob_t g;
	int rc;

	if (arg_none(c) || !arg_c(c, 0))
		return;
	if (a->number) {
		vm_domain(c, "an array of numbers");
		return;
	}
	rc = glob(arg_zero(c, 0), 0, NULL, &g);
	if (rc != 0 && rc != GLOB_NOMATCH) {
		failed(c, c->s[0], rc == GLOB_NOSPACE ? "out of memory" :
		    "cannot be read");
		return;
	}
	if (rc == GLOB_NOMATCH) {
		array_clear(a);
		c->rn = 0;
		return;
	}
	/* an item, its slots, and the table that they grow out of */
	for (i = 0; i < g.gl_pathc; i++)
		need += strlen(g.gl_pathv[i]) + NUM_TEXT_MAX +
		    4 * sizeof(struct array_item);
	if (need > room) {
		globfree(&g);
		failed(c, c->s[0], "more paths than the run has memory for");
		return;
	}
	array_clear(a);
	for (i = 0; i < g.gl_pathc; i++)
		array_put_str(a, str_of(key, num_text((double)(i + 1), key)),
		    str_c(g.gl_pathv[i]));
	c->rn = (double)g.gl_pathc;
	globfree(&g);
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

/* O_NONBLOCK: the open of a pipe must not wait; then only a file is read. */
static const char *
sum_path(struct call *c, struct checksum *sum)
{
	/* Before the open: a refused allocation must leave no open file. */
	char *path = arg_zero(c, 0), *block = vm_text(c->vm, BLOCK);
	const char *why;
	struct stat st;
	int fd;

	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return strerror(errno);
	if (fstat(fd, &st) != 0)
		why = strerror(errno);
	else if (!S_ISREG(st.st_mode))
		why = "is no regular file";
	else
		why = sum_file(c, fd, block, sum);
	close(fd);
	return why;
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
	struct checksum sum;
	struct buf *b;
	const char *why;
	int64_t i;

	if (arg_none(c) || !arg_c(c, 0) ||
	    !arg_int(c, 0, -3, CHECKSUM_TYPES - 1, &i))
		return;
	type = i < 0 ? of_tool[i + 3] : (enum checksum_type)i;
	checksum_init(&sum, type);
	why = sum_path(c, &sum);
	if (why != NULL) {
		failed(c, c->s[0], why);
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
