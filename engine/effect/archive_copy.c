/*
 * archive_copy: the copying itself: read and written once, synced, then both
 * are read again and compared.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "engine/effect/archive_inner.h"

enum copied { COPIED, CHANGED, FAILED };

static bool
fail(struct archive *a, const char *what)
{
	live_fail(a->l, "%s: %s", what, strerror(errno));
	return false;
}

/* As many of n bytes as there are; -1: errno. */
static ssize_t
read_at(int fd, char *to, size_t n, off_t at)
{
	size_t have = 0;
	ssize_t k;

	while (have < n) {
		k = pread(fd, to + have, n - have, at + (off_t)have);
		if (k == -1 && errno == EINTR)
			continue;
		if (k == -1)
			return -1;
		if (k == 0)
			break;
		have += (size_t)k;
	}
	return (ssize_t)have;
}

static bool
write_all(int fd, const char *p, size_t n)
{
	ssize_t k;

	while (n > 0) {
		k = write(fd, p, n);
		if (k == -1 && errno == EINTR)
			continue;
		if (k <= 0) {
			errno = k == 0 ? ENOSPC : errno;
			return false;
		}
		p += k;
		n -= (size_t)k;
	}
	return true;
}

static size_t
part(off_t left)
{
	return left > ARCHIVE_BLOCK ? ARCHIVE_BLOCK : (size_t)left;
}

/* Whether the run may go on with the next block. */
static bool
go_on(struct archive *a)
{
	maillock_touch(&a->lock);
	return !live_stop(a->l);
}

bool
archive_sum(struct archive *a, int fd, off_t n, char sum[CHECKSUM_TEXT])
{
	struct checksum c;
	ssize_t k;
	off_t at;

	checksum_init(&c, CHECKSUM_SHA256);
	for (at = 0; at < n; at += k) {
		if (!go_on(a))
			return false;
		k = read_at(fd, a->block, part(n - at), at);
		if (k == -1)
			return fail(a, "it cannot be read");
		if (k == 0) {
			live_fail(a->l, "it became shorter meanwhile");
			return false;
		}
		checksum_add(&c, a->block, (size_t)k);
	}
	checksum_end(&c, sum);
	return true;
}

/* The first time: the sum is of what was read. */
static enum copied
write_copy(struct archive *a, char sum[CHECKSUM_TEXT])
{
	off_t at, n = a->st.st_size;
	struct checksum c;
	ssize_t k;

	checksum_init(&c, CHECKSUM_SHA256);
	for (at = 0; at < n; at += k) {
		if (!go_on(a))
			return FAILED;
		k = read_at(a->in, a->block, part(n - at), at);
		if (k == -1) {
			fail(a, "it cannot be read");
			return FAILED;
		}
		if (k == 0)
			return CHANGED;
		checksum_add(&c, a->block, (size_t)k);
		if (!write_all(a->out, a->block, (size_t)k)) {
			fail(a, "the copy cannot be written");
			return FAILED;
		}
	}
	if (fsync(a->out) != 0) {
		fail(a, "the copy cannot be written");
		return FAILED;
	}
	/* what is read back must come from the disk */
	(void)posix_fadvise(a->out, 0, 0, POSIX_FADV_DONTNEED);
	checksum_end(&c, sum);
	return COPIED;
}

/*
 * The second time: the copy must be what was read, and the file must still be
 * that.
 */
static enum copied
compare(struct archive *a, const char *sum)
{
	char *block = a->block + ARCHIVE_BLOCK, now[CHECKSUM_TEXT];
	off_t at, n = a->st.st_size;
	struct checksum c;
	struct stat st;
	bool same = true;
	ssize_t k, kept;

	checksum_init(&c, CHECKSUM_SHA256);
	for (at = 0; at < n; at += kept) {
		if (!go_on(a))
			return FAILED;
		k = same ? read_at(a->in, a->block, part(n - at), at) : 0;
		kept = read_at(a->out, block, part(n - at), at);
		if (k == -1 || kept == -1) {
			fail(a, k == -1 ? "it cannot be read" :
			    "the copy cannot be read");
			return FAILED;
		}
		if (kept == 0)
			break;
		same = same && k == kept && memcmp(a->block, block,
		    (size_t)k) == 0;
		checksum_add(&c, block, (size_t)kept);
	}
	checksum_end(&c, now);
	if (fstat(a->out, &st) != 0 || st.st_size != n ||
	    strcmp(sum, now) != 0) {
		live_fail(a->l, "the copy does not hold what was written to it");
		return FAILED;
	}
	return same ? COPIED : CHANGED;
}

/* Room for the file, and what has to stay free behind it. */
static bool
has_room(struct archive *a)
{
	double all, left;
	struct statvfs v;

	if (fstatvfs(a->to.dir, &v) != 0)
		return fail(a, "the folder of the copy");
	all = (double)v.f_blocks * (double)v.f_frsize;
	left = (double)v.f_bavail * (double)v.f_frsize -
	    (double)a->st.st_size;
	if (left >= all * LIM_ARCHIVE_FREE / 100)
		return true;
	live_fail(a->l, "less than %d %% of the disk would stay free "
	    "(%.1f %%)", LIM_ARCHIVE_FREE, left > 0 ? 100 * left / all : 0);
	return false;
}

/* Whether the open file is the one that has the name. */
static bool
has_name(const struct archive *a, int fd, const char *name)
{
	struct stat mine, there;

	return fstat(fd, &mine) == 0 && mine.st_nlink > 0 &&
	    fstatat(a->to.dir, name, &there, AT_SYMLINK_NOFOLLOW) == 0 &&
	    mine.st_dev == there.st_dev && mine.st_ino == there.st_ino;
}

/*
 * A file for the copy.  One of its name is what somebody left who was killed,
 * unless it is locked: then he is at it.  Who has locked the file that has the
 * name, and only he, takes the name away.
 */
static bool
make_temp(struct archive *a)
{
	struct flock k = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	char name[NAME_MAX + 1];
	bool made;
	int tries;

	snprintf(name, sizeof name, ".picket-new.%016llx",
	    (unsigned long long)a->hash);
	for (tries = 0; tries < LIM_ARCHIVE_TRIES; tries++) {
		a->out = openat(a->to.dir, name, O_RDWR | O_CREAT | O_EXCL |
		    O_NOFOLLOW | O_CLOEXEC, 0600);
		made = a->out != -1;
		if (!made && errno != EEXIST)
			return fail(a, "no copy can be made");
		if (!made)
			a->out = openat(a->to.dir, name, O_RDWR | O_NOFOLLOW |
			    O_NONBLOCK | O_CLOEXEC);
		if (a->out == -1 && errno == ENOENT)
			continue;
		if (a->out == -1)
			return fail(a, "what is left of a copy");
		if (fcntl(a->out, F_OFD_SETLK, &k) != 0)
			break;
		if (has_name(a, a->out, name)) {
			if (made) {
				strcpy(a->temp, name);
				return true;
			}
			(void)unlinkat(a->to.dir, name, 0);
		}
		close(a->out);
		a->out = -1;
	}
	live_fail(a->l, "another process is copying it");
	return false;
}

bool
archive_copy(struct archive *a)
{
	const struct timespec times[2] = { { .tv_nsec = UTIME_OMIT },
	    a->st.st_mtim };
	enum copied got = CHANGED;
	int tries;

	if (!has_room(a) || !make_temp(a))
		return false;
	for (tries = 0; got == CHANGED && tries < LIM_ARCHIVE_TRIES;
	    tries++) {
		if (tries > 0 && (fstat(a->in, &a->st) != 0 ||
		    ftruncate(a->out, 0) != 0 ||
		    lseek(a->out, 0, SEEK_SET) != 0 || !has_room(a)))
			return fail(a, "the copy cannot be made anew");
		a->torn = false;
		got = write_copy(a, a->sum);
		if (got != COPIED)
			continue;
		got = compare(a, a->sum);
		a->torn = got == CHANGED;
	}
	if (got == FAILED)
		return false;
	if (got == CHANGED && !a->torn) {
		live_fail(a->l, "it becomes shorter again and again while it "
		    "is copied");
		return false;
	}
	/* the copy tells when the file changed; its name, when it was made */
	(void)futimens(a->out, times);
	(void)fsync(a->out);
	return true;
}

void
archive_wish(const struct archive *a, int i, char to[NAME_MAX + 1])
{
	const char *base = a->from.base;
	char cut[24] = "", more[16] = "";

	if (strlen(base) > LIM_ARCHIVE_BASE)
		snprintf(cut, sizeof cut, "~%016llx",
		    (unsigned long long)archive_hash(base));
	if (i > 0)
		snprintf(more, sizeof more, ".%d", i);
	snprintf(to, NAME_MAX + 1, "%.*s%s.%.0f%s", LIM_ARCHIVE_BASE, base,
	    cut, a->now, more);
}

bool
archive_name(struct archive *a)
{
	int i, r;

	if (!has_name(a, a->out, a->temp)) {
		live_fail(a->l, "somebody took the copy away");
		return false;
	}
	for (i = 0; i < LIM_ARCHIVE_SAME; i++) {
		archive_wish(a, i, a->name);
		r = renameat2(a->to.dir, a->temp, a->to.dir, a->name,
		    RENAME_NOREPLACE);
		if (r != 0 && (errno == EINVAL || errno == ENOSYS)) {
			/* a file system that cannot: by a second name */
			r = linkat(a->to.dir, a->temp, a->to.dir, a->name, 0);
			if (r == 0)
				(void)unlinkat(a->to.dir, a->temp, 0);
		}
		if (r == 0) {
			a->temp[0] = '\0';
			if (fsync(a->sync) == 0)
				return true;
			return fail(a, "the copy's folder cannot be written");
		}
		if (errno != EEXIST)
			return fail(a, "the copy cannot be named");
	}
	live_fail(a->l, "there are %d archives of this second",
	    LIM_ARCHIVE_SAME);
	return false;
}

void
archive_drop_copy(struct archive *a)
{
	if (a->temp[0] != '\0')
		(void)unlinkat(a->to.dir, a->temp, 0);
	a->temp[0] = '\0';
	if (a->out != -1)
		close(a->out);
	a->out = -1;
}
