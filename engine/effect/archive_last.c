/*
 * archive_last: what was archived last of a path, so that what has not changed
 * is not copied again.  It is a small file beside the copies: where they are,
 * only root or who runs this can write.  It is believed only together with
 * the copy and the file, both read.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/effect/archive_inner.h"

#define LIM_RECORD	(512 + NAME_MAX + PATH_MAX)	/* bytes */
#define HEAD	"picket-archive-1 %ju %ju %jd %jd %ld "	/* before the sum */

/* All that must be as it was, in one line, then the sum. */
static size_t
head(const struct archive *a, const char *sum, char *to, size_t n)
{
	const struct stat *st = &a->st;

	return (size_t)snprintf(to, n, HEAD "%s\n", (uintmax_t)st->st_dev,
	    (uintmax_t)st->st_ino, (intmax_t)st->st_size,
	    (intmax_t)st->st_mtim.tv_sec, st->st_mtim.tv_nsec, sum);
}

static void
record_name(const struct archive *a, const char *what, char name[64])
{
	snprintf(name, 64, ".picket-%s.%016llx", what,
	    (unsigned long long)a->hash);
}

/* An ordinary file of ours among the copies, or -1. */
static int
open_own(const struct archive *a, const char *name, struct stat *st)
{
	int fd = openat(a->to.dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK |
	    O_NOCTTY | O_CLOEXEC);

	if (fd == -1)
		return -1;
	if (fstat(fd, st) == 0 && S_ISREG(st->st_mode) &&
	    st->st_nlink == 1 && st->st_uid == geteuid())
		return fd;
	close(fd);
	return -1;
}

/* The record of this path and of the file as it is: the sum and the name. */
static bool
recall(const struct archive *a, char sum[CHECKSUM_TEXT],
    char to[NAME_MAX + 1])
{
	char name[64], text[LIM_RECORD + 1], want[512];
	struct stat st;
	const char *p;
	ssize_t n;
	size_t k;
	int fd;

	record_name(a, "last", name);
	fd = open_own(a, name, &st);
	if (fd == -1)
		return false;
	n = read(fd, text, LIM_RECORD);
	close(fd);
	if (n <= 0)
		return false;
	text[n] = '\0';
	/* the head, the sum, NAME and a zero byte, PATH and a zero byte */
	k = head(a, "", want, sizeof want) - 1;
	if ((size_t)n < k + CHECKSUM_TEXT + 2 || memcmp(text, want, k) != 0 ||
	    text[n - 1] != '\0')
		return false;
	memcpy(sum, text + k, CHECKSUM_TEXT - 1);
	sum[CHECKSUM_TEXT - 1] = '\0';
	p = text + k + CHECKSUM_TEXT;
	if (p[-1] != '\n' || strlen(p) > NAME_MAX || strchr(p, '/') != NULL ||
	    p + strlen(p) + 1 >= text + n ||
	    strcmp(p + strlen(p) + 1, a->path) != 0)
		return false;
	strcpy(to, p);
	return true;
}

bool
archive_is_kept(struct archive *a)
{
	char sum[CHECKSUM_TEXT], now[CHECKSUM_TEXT], name[NAME_MAX + 1];
	struct stat st;
	bool whole;
	int fd;

	if (!recall(a, sum, name))
		return false;
	fd = open_own(a, name, &st);
	if (fd == -1)
		return false;
	whole = st.st_size == a->st.st_size &&
	    archive_sum(a, fd, st.st_size, now) && strcmp(sum, now) == 0;
	close(fd);
	if (!whole || !archive_sum(a, a->in, a->st.st_size, now) ||
	    strcmp(sum, now) != 0)
		return false;
	strcpy(a->name, name);
	strcpy(a->sum, sum);
	return true;
}

void
archive_remember(struct archive *a)
{
	char name[64], temp[64], text[LIM_RECORD];
	size_t n, path = strlen(a->path) + 1, base = strlen(a->name) + 1;
	int fd;

	record_name(a, "last", name);
	record_name(a, "next", temp);
	n = head(a, a->sum, text, sizeof text);
	memcpy(text + n, a->name, base);
	memcpy(text + n + base, a->path, path);
	n += base + path;
	(void)unlinkat(a->to.dir, temp, 0);
	fd = openat(a->to.dir, temp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW |
	    O_CLOEXEC, 0600);
	if (fd == -1)
		return;
	if (write(fd, text, n) != (ssize_t)n || renameat(a->to.dir, temp,
	    a->to.dir, name) != 0)
		(void)unlinkat(a->to.dir, temp, 0);
	close(fd);
}
