#include "engine/deliver/mailbox.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/deliver/encode.h"

static bool
refuse(struct buf *why, const char *path, const char *what)
{
	buf_escaped(why, str_c(path), 0);
	buf_puts(why, ": ");
	buf_puts(why, what);
	return false;
}

static bool
lock(int fd)
{
	struct timespec tick = { .tv_nsec = 100 * 1000 * 1000 };
	int turn;

	for (turn = 0; turn < LIM_MAILBOX_LOCK * 10; turn++) {
		if (flock(fd, LOCK_EX | LOCK_NB) == 0)
			return true;
		if (errno != EWOULDBLOCK && errno != EINTR)
			return false;
		nanosleep(&tick, NULL);
	}
	errno = EWOULDBLOCK;
	return false;
}

static bool
write_all(int fd, struct str s)
{
	size_t done;
	ssize_t n;

	for (done = 0; done < s.n; done += (size_t)n) {
		n = write(fd, s.p + done, s.n - done);
		if (n == -1 && errno == EINTR)
			n = 0;
		else if (n <= 0)
			return false;
	}
	return fsync(fd) == 0;
}

static bool
append(int fd, const char *path, struct str text, struct buf *why)
{
	const char *reason;
	struct stat st;

	if (fstat(fd, &st) == -1)
		return refuse(why, path, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return refuse(why, path, "is no regular file");
	if (st.st_nlink != 1)
		return refuse(why, path, "has more than one name");
	if (st.st_uid != 0 && st.st_uid != geteuid())
		return refuse(why, path, "belongs neither to root nor to you");
	if (!lock(fd))
		return refuse(why, path, errno == EWOULDBLOCK ?
		    "is locked by another program" : strerror(errno));
	/* under the lock: where our part begins */
	if (fstat(fd, &st) == -1)
		return refuse(why, path, strerror(errno));
	if (write_all(fd, text))
		return true;
	reason = strerror(errno);
	if (ftruncate(fd, st.st_size) == -1)
		return refuse(why, path, "cannot be written, and holds a part "
		    "of the mail");
	return refuse(why, path, reason);
}

bool
mailbox_append_text(const char *path, struct str text, struct buf *why)
{
	bool done;
	int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW |
	    O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0600);

	if (fd == -1)
		return refuse(why, path, errno == ELOOP ?
		    "is a symbolic link" : strerror(errno));
	done = append(fd, path, text, why);
	close(fd);
	return done;
}

bool
mailbox_append(const char *path, struct str sender, time_t when,
    struct str message, struct buf *why)
{
	char date[TIME_TEXT_MAX];
	struct buf b;
	struct str line;
	size_t at, end, marks;
	bool done;

	buf_init(&b, why->mem);
	encode_ctime(when, date);
	buf_puts(&b, "From ");
	buf_str(&b, sender);
	buf_printf(&b, " %s\n", date);
	for (at = 0; at < message.n; at = end + 1) {
		end = str_find(message, '\n', at);
		line = str_of(message.p + at, end - at);
		for (marks = 0; marks < line.n && line.p[marks] == '>';)
			marks++;
		if (str_starts(str_of(line.p + marks, line.n - marks),
		    "From "))
			buf_putc(&b, '>');
		buf_str(&b, line);
		buf_putc(&b, '\n');
	}
	buf_putc(&b, '\n');
	done = mailbox_append_text(path, buf_view(&b), why);
	buf_free(&b);
	return done;
}
