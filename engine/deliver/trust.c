#include "engine/deliver/trust.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define OTHERS_WRITE	(S_IWGRP | S_IWOTH)
#define OTHERS_READ	(S_IRGRP | S_IROTH)
#define READ_BLOCK	4096

/* Always TRUST_REFUSED, with "path: what". */
static enum trust
refuse(struct buf *why, const char *path, const char *what)
{
	buf_escaped(why, str_c(path), 0);
	buf_puts(why, ": ");
	buf_puts(why, what);
	return TRUST_REFUSED;
}

static bool
own(const struct stat *st)
{
	return st->st_uid == 0 || st->st_uid == geteuid();
}

static enum trust
check_folder(const char *path, struct buf *why)
{
	const char *slash = strrchr(path, '/');
	struct buf folder;
	struct stat st;
	enum trust t = TRUST_FINE;

	buf_init(&folder, why->mem);
	if (slash == NULL)
		buf_putc(&folder, '.');
	else
		buf_add(&folder, path, slash == path ? 1 :
		    (size_t)(slash - path));
	if (stat(buf_c(&folder), &st) == -1)
		t = refuse(why, folder.p, strerror(errno));
	else if (!own(&st))
		t = refuse(why, folder.p, "this folder belongs neither to "
		    "root nor to you");
	else if ((st.st_mode & OTHERS_WRITE) != 0 &&
	    (st.st_mode & S_ISVTX) == 0)
		t = refuse(why, folder.p, "this folder is writable by group "
		    "or others");
	buf_free(&folder);
	return t;
}

/* An open descriptor of a regular file, or -1 with *t.  O_NONBLOCK: a pipe
 * put in its place must not hold us. */
static int
open_file(const char *path, struct stat *st, enum trust *t, struct buf *why)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	if (fd == -1) {
		*t = errno == ENOENT || errno == ENOTDIR ? TRUST_MISSING :
		    refuse(why, path, strerror(errno));
		return -1;
	}
	if (fstat(fd, st) == -1)
		*t = refuse(why, path, strerror(errno));
	else if (!S_ISREG(st->st_mode))
		*t = refuse(why, path, "is no regular file");
	else
		return fd;
	close(fd);
	return -1;
}

enum trust
trust_read(const char *path, size_t max, bool any, struct buf *out,
    struct buf *why)
{
	enum trust t = TRUST_FINE;
	struct stat st;
	ssize_t n;
	int fd = open_file(path, &st, &t, why);

	if (fd == -1)
		return t;
	if (!any && !own(&st))
		t = refuse(why, path, "belongs neither to root nor to you");
	else if (!any && (st.st_mode & OTHERS_WRITE) != 0)
		t = refuse(why, path, "is writable by group or others");
	else if (!any)
		t = check_folder(path, why);
	while (t == TRUST_FINE) {
		n = read(fd, buf_room(out, READ_BLOCK), READ_BLOCK);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			t = refuse(why, path, strerror(errno));
		if (n <= 0)
			break;
		out->n += (size_t)n;
		if (out->n > max)
			t = refuse(why, path, "is too large");
	}
	close(fd);
	return t;
}

static enum trust
secret_fine(const char *path, const struct stat *st, struct buf *why)
{
	if (!own(st))
		return refuse(why, path, "belongs neither to root nor to you");
	if ((st->st_mode & (OTHERS_READ | OTHERS_WRITE)) != 0)
		return refuse(why, path, "is readable or writable by group or "
		    "others: chmod 600 it");
	return TRUST_FINE;
}

enum trust
trust_check_secret(const char *path, struct buf *why)
{
	struct stat st;

	if (stat(path, &st) == -1)
		return TRUST_MISSING;
	return secret_fine(path, &st, why);
}

enum trust
trust_read_secret(const char *path, char secret[LIM_SECRET + 1],
    struct buf *why)
{
	enum trust t = TRUST_FINE;
	struct stat st;
	ssize_t n;
	size_t len;
	int fd = open_file(path, &st, &t, why);

	secret[0] = '\0';
	if (fd == -1)
		return t;
	t = secret_fine(path, &st, why);
	if (t == TRUST_FINE) {
		do
			n = read(fd, secret, LIM_SECRET);
		while (n == -1 && errno == EINTR);
		secret[n < 0 ? 0 : n] = '\0';
		len = strcspn(secret, "\r\n");
		if (len == 0)
			t = refuse(why, path, "has no password in its first "
			    "line");
		else if (len == LIM_SECRET)
			t = refuse(why, path, "is too long for a password");
		explicit_bzero(secret + len, LIM_SECRET + 1 - len);
	}
	close(fd);
	return t;
}
