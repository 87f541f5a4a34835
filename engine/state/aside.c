#include "engine/state/aside.h"

#include <sys/stat.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "engine/state/salvage.h"

void
aside_name(struct store *s, struct buf *to, const char *what, const char *tail)
{
	char stamp[32];
	time_t t = time(NULL);
	struct tm tm;
	struct stat st;
	int n = 0;

	if (gmtime_r(&t, &tm) == NULL ||
	    strftime(stamp, sizeof stamp, "%Y%m%dT%H%M%SZ", &tm) == 0)
		stamp[0] = '\0';
	do {			/* twice in a second */
		buf_clear(to);
		buf_str(to, buf_view(&s->path));
		buf_printf(to, "%s%s", what, stamp);
		if (n++ > 0)
			buf_printf(to, ".%d", n);
		buf_puts(to, tail);
	} while (lstat(buf_c(to), &st) == 0 && n < 1000);
}

bool
aside_sync(struct store *s, const char *path)
{
	const char *slash = strrchr(path, '/');
	struct buf folder;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	bool ok = fd != -1 && fsync(fd) == 0;

	if (fd != -1)
		(void)close(fd);
	buf_init(&folder, s->mem);
	buf_add(&folder, path, (size_t)(slash - path) + 1);
	fd = open(buf_c(&folder), O_RDONLY | O_CLOEXEC | O_DIRECTORY);
	ok = ok && fd != -1 && fsync(fd) == 0;
	if (fd != -1)
		(void)close(fd);
	buf_free(&folder);
	return ok;
}

static void
tail(struct buf *b, struct str path, const char *end)
{
	buf_clear(b);
	buf_str(b, path);
	buf_puts(b, end);
}

/* A second name, where the file system has that: no moment without the file. */
static bool
name_too(struct buf *from, struct buf *to)
{
	return link(buf_c(from), buf_c(to)) == 0 ||
	    rename(buf_c(from), buf_c(to)) == 0;
}

static bool
failed(struct store *s, const char *what, int error)
{
	buf_clear(&s->why);
	buf_str(&s->why, buf_view(&s->path));
	buf_printf(&s->why, ": is damaged, and %s: %s: it is left where it is; "
	    "make room, or move it away", what, strerror(error));
	return false;
}

/*
 * The old file has its second name, and the journals theirs alone, before the
 * new one takes the place: whatever kills us, what is read next is the old
 * file or the new one, and never one with the other's journal.
 */
static bool
exchange(struct store *s, struct buf *part, struct buf *kept)
{
	static const char *const journal[] = { "-wal", "-journal", "-shm" };
	struct buf from, to;
	struct stat st;
	size_t i;
	bool ok;

	buf_init(&from, s->mem);
	buf_init(&to, s->mem);
	ok = name_too(&s->path, kept);
	for (i = 0; ok && i < sizeof journal / sizeof *journal; i++) {
		tail(&from, buf_view(&s->path), journal[i]);
		tail(&to, buf_view(kept), journal[i]);
		/* to read the file has made an empty one */
		if (stat(buf_c(&from), &st) == 0 && st.st_size == 0)
			(void)unlink(buf_c(&from));
		else
			(void)rename(buf_c(&from), buf_c(&to));
	}
	ok = ok && rename(buf_c(part), buf_c(&s->path)) == 0;
	buf_free(&from);
	buf_free(&to);
	return ok;
}

bool
aside_set(struct store *s)
{
	struct buf part, kept, saved, journal;
	bool ok;

	buf_init(&part, s->mem);
	buf_init(&kept, s->mem);
	buf_init(&saved, s->mem);
	buf_init(&journal, s->mem);
	tail(&part, buf_view(&s->path), ".part");
	(void)unlink(buf_c(&part));	/* of one that was killed */
	tail(&journal, buf_view(&part), "-wal");
	(void)unlink(buf_c(&journal));
	tail(&journal, buf_view(&part), "-journal");
	(void)unlink(buf_c(&journal));
	aside_name(s, &kept, ".corrupt.", "");
	buf_str(&saved, buf_view(&s->path));
	buf_puts(&saved, ": the state's file is damaged: it is kept as ");
	buf_str(&saved, buf_view(&kept));
	buf_puts(&saved, " and begun anew; ");
	ok = salvage(s->mem, buf_c(&s->path), buf_c(&part), &saved);
	if (!ok) {
		failed(s, "what is left of it cannot be written to a new file",
		    errno);
	} else if (!aside_sync(s, buf_c(&part)) ||
	    !exchange(s, &part, &kept)) {
		ok = failed(s, "cannot be set aside", errno);
	} else {
		(void)aside_sync(s, buf_c(&s->path));
		buf_str(&s->note, buf_view(&saved));
	}
	if (!ok)
		(void)unlink(buf_c(&part));
	buf_free(&part);
	buf_free(&kept);
	buf_free(&saved);
	buf_free(&journal);
	return ok;
}
