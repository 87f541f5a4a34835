/*
 * objects: the sets of objects.cfg as files, NAME.obj in the folder that
 * scripts call =objdir, and the folder =hstdir.  Why: PIKT installed the sets
 * as files, so its scripts read them by `=cat =objdir/NAME.obj`.
 */
#include <sys/stat.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "engine/alert/alert_inner.h"

/* True if the file holds just that already. */
static bool
is_same(const char *path, struct str text)
{
	char t[4096];
	struct stat st;
	ssize_t n = 0;
	size_t at = 0;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY |
	    O_NONBLOCK);

	if (fd == -1)
		return false;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
	    (size_t)st.st_size == text.n)
		while ((n = read(fd, t, sizeof t)) > 0 &&
		    (size_t)n <= text.n - at &&
		    memcmp(t, text.p + at, (size_t)n) == 0)
			at += (size_t)n;
	else
		n = -1;
	(void)close(fd);
	return n == 0 && at == text.n;
}

static bool
write_all(int fd, struct str s)
{
	ssize_t n;

	for (; s.n > 0; s.p += n, s.n -= (size_t)n) {
		n = write(fd, s.p, s.n);
		if (n == -1 && errno == EINTR)
			n = 0;
		if (n == -1)
			return false;
	}
	return true;
}

/*
 * A new file takes the old one's place at once: a reader sees one of them.
 * Runs of other alerts may be at it, too: each has a new file of its own.
 */
static bool
put(const struct alert_place *at, const char *path, struct str text)
{
	struct buf new;
	bool ok = false;
	int fd;

	buf_init(&new, at->mem);
	buf_printf(&new, "%s.%ld.new", path, (long)getpid());
	(void)unlink(buf_c(&new));
	fd = open(buf_c(&new), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW |
	    O_CLOEXEC, 0644);
	if (fd != -1) {
		ok = write_all(fd, text);
		ok = close(fd) == 0 && ok;
		ok = ok && rename(buf_c(&new), path) == 0;
		if (!ok) {
			int e = errno;

			(void)unlink(buf_c(&new));
			errno = e;
		}
	}
	if (!ok)
		alert_say(at, "%s: %s", path, strerror(errno));
	buf_free(&new);
	return ok;
}

void
alert_object_files(const struct alert_place *at, bool dry)
{
	struct str dir = alert_folder(at, "objects", !dry);
	const struct str *line;
	struct str name;
	struct buf path, text;
	size_t i, k, n, nother = 0;

	if (!dry)
		(void)alert_folder(at, "history", true);
	if (!at->set(at->set_arg, 0, &name, &line, &n))
		return;
	if (str_none(dir)) {
		alert_say(at, "there is no folder for object sets: =objdir is "
		    "empty");
		return;
	}
	buf_init(&path, at->mem);
	buf_init(&text, at->mem);
	for (i = 0; at->set(at->set_arg, i, &name, &line, &n); i++) {
		buf_clear(&path);
		buf_clear(&text);
		buf_printf(&path, "%s/", dir.p);
		buf_str(&path, name);
		buf_puts(&path, ".obj");
		for (k = 0; k < n; k++) {
			buf_str(&text, line[k]);
			buf_putc(&text, '\n');
		}
		if (is_same(buf_c(&path), buf_view(&text)))
			continue;
		if (dry)
			nother++;
		else if (!put(at, buf_c(&path), buf_view(&text)))
			break;
	}
	if (nother > 0)
		alert_say(at, "%s: %zu of the object sets %s not as "
		    "objects.cfg says: a dry run leaves that", dir.p, nother,
		    nother == 1 ? "is" : "are");
	buf_free(&text);
	buf_free(&path);
}
