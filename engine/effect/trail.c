#include "engine/effect/trail.h"

#include <sys/stat.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "lang/base/num.h"
#include "engine/state/place.h"

#define TRAIL_TRIES	100	/* times that the file may go while it is opened:
				 * each is a run that has ended */
#define LIM_TRAIL_NAME	150	/* bytes of a file name before it is cut and told
				 * apart by a number */

struct trail {
	struct mem	*mem;
	struct lock	 lock;
	int		 folder;	/* descriptor */
	char		 name[256];	/* in it */
	struct buf	 line;		/* a record at hand; what was left */
	struct buf	 run, alert, origin, reason;	/* of trail_left */
	size_t		 n;		/* bytes of the file */
	bool		 begun, broken, more, synced;
};

static const char *const word[TRAIL_COUNT] = {
#define TR(id, word) [TRAIL_##id] = word,
	TRAIL_KINDS
#undef TR
};

/*
 * The file of an alert: bytes that are no letter, digit or one of "_.-" as
 * %HH.  One that is too long is cut, and "%~" and a number tell it apart; no
 * whole name has that.
 */
static void
file_name(struct str alert, char name[256])
{
	uint64_t h = UINT64_C(14695981039346656037);
	size_t i, n = 0;

	for (i = 0; i < alert.n; i++) {
		unsigned char c = (unsigned char)alert.p[i];

		h = (h ^ c) * UINT64_C(1099511628211);	/* FNV */
		if (n > LIM_TRAIL_NAME)
			continue;
		if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		    (c >= '0' && c <= '9') || c == '_' || c == '-' ||
		    (c == '.' && i > 0))
			name[n++] = (char)c;
		else
			n += (size_t)sprintf(name + n, "%%%02x", c);
	}
	if (n > LIM_TRAIL_NAME)
		n = LIM_TRAIL_NAME + (size_t)sprintf(name + LIM_TRAIL_NAME,
		    "%%~%016llx", (unsigned long long)h);
	strcpy(name + n, TRAIL_TAIL);
}

/* The folder's descriptor, or -1 with the reason. */
static int
open_folder(struct mem *m, struct str state, bool make, struct buf *why)
{
	struct buf path;
	struct stat st;
	int fd = -1;

	buf_init(&path, m);
	buf_str(&path, state);
	buf_puts(&path, "/" TRAIL_FOLDER);
	fd = open(buf_c(&path), O_RDONLY | O_DIRECTORY | O_NOFOLLOW |
	    O_CLOEXEC);
	if (fd == -1 && errno == ENOENT && make) {
		buf_putc(&path, '/');
		if (!place_folder(buf_view(&path), m, why)) {
			buf_free(&path);
			return -1;
		}
		path.n--;
		fd = open(buf_c(&path), O_RDONLY | O_DIRECTORY | O_NOFOLLOW |
		    O_CLOEXEC);
	}
	if (fd == -1) {
		if (make || errno != ENOENT)
			buf_printf(why, "%s: %s", path.p, errno == ELOOP ||
			    errno == ENOTDIR ? "is no folder: move it away" :
			    strerror(errno));
	} else if (fstat(fd, &st) != 0 || st.st_uid != geteuid()) {
		buf_printf(why, "%s: belongs to user %ld, and this runs as "
		    "user %ld: move it away", path.p, (long)st.st_uid,
		    (long)geteuid());
		(void)close(fd);
		fd = -1;
	}
	buf_free(&path);
	return fd;
}

static struct trail *
new_trail(struct mem *m)
{
	struct trail *t = mem_zalloc(m, sizeof *t);

	t->mem = m;
	t->lock.fd = -1;
	t->folder = -1;
	buf_init(&t->line, m);
	buf_init(&t->run, m);
	buf_init(&t->alert, m);
	buf_init(&t->origin, m);
	buf_init(&t->reason, m);
	return t;
}

void
trail_close(struct trail *t)
{
	if (t == NULL)
		return;
	lock_drop(&t->lock);
	if (t->folder != -1)
		(void)close(t->folder);
	buf_free(&t->line);
	buf_free(&t->run);
	buf_free(&t->alert);
	buf_free(&t->origin);
	buf_free(&t->reason);
	mem_free(t->mem, t, sizeof *t);
}

/* Opens and locks the file; it may be gone in between, with the run that it
 * was of. */
static enum trail_got
open_file(struct trail *t, bool make, struct buf *why)
{
	struct stat mine, there;
	enum lock_got got;
	int tries;

	for (tries = 0; tries < TRAIL_TRIES; tries++) {
		t->lock = (struct lock){ .fd = openat(t->folder, t->name,
		    (make ? O_CREAT : 0) | O_RDWR | O_APPEND | O_CLOEXEC |
		    O_NOFOLLOW | O_NOCTTY | O_NONBLOCK, 0600) };
		if (t->lock.fd == -1 && (errno == ELOOP || errno == EISDIR)) {
			buf_printf(why, "%s/%s: is no ordinary file: move it "
			    "away", TRAIL_FOLDER, t->name);
			return TRAIL_NONE;
		}
		if (t->lock.fd == -1) {
			buf_printf(why, "%s/%s: %s", TRAIL_FOLDER, t->name,
			    strerror(errno));
			return TRAIL_NONE;
		}
		if (fstat(t->lock.fd, &mine) != 0 || !S_ISREG(mine.st_mode)) {
			buf_printf(why, "%s/%s: is no ordinary file: move it "
			    "away", TRAIL_FOLDER, t->name);
			return TRAIL_NONE;
		}
		if (mine.st_uid != geteuid()) {
			buf_printf(why, "%s/%s: belongs to user %ld, and this "
			    "runs as user %ld: move it away", TRAIL_FOLDER,
			    t->name, (long)mine.st_uid, (long)geteuid());
			return TRAIL_NONE;
		}
		got = lock_fd(&t->lock, LOCK_ALONE, 0);
		if (got == LOCK_HELD) {
			if (t->lock.holder > 0)
				buf_printf(why, "process %ld is running it",
				    (long)t->lock.holder);
			else
				buf_puts(why, "another process is running it");
			return TRAIL_HELD;
		}
		if (got == LOCK_NONE) {
			buf_printf(why, "%s/%s: cannot be locked: %s",
			    TRAIL_FOLDER, t->name, strerror(t->lock.error));
			return TRAIL_NONE;
		}
		if (fstat(t->lock.fd, &mine) == 0 && mine.st_nlink > 0 &&
		    fstatat(t->folder, t->name, &there,
		    AT_SYMLINK_NOFOLLOW) == 0 && mine.st_ino == there.st_ino &&
		    mine.st_dev == there.st_dev) {
			t->n = (size_t)mine.st_size;
			return TRAIL_GOT;
		}
		lock_drop(&t->lock);
	}
	buf_puts(why, "its runs come and go too fast");
	return TRAIL_HELD;
}

enum trail_got
trail_open(struct trail **to, struct mem *m, struct str state,
    struct str alert, struct buf *why)
{
	struct trail *t = new_trail(m);
	enum trail_got got = TRAIL_NONE;

	file_name(alert, t->name);
	t->folder = open_folder(m, state, true, why);
	if (t->folder != -1)
		got = open_file(t, true, why);
	if (got != TRAIL_GOT) {
		trail_close(t);
		t = NULL;
	}
	*to = t;
	return got;
}

/* --- writing --- */

static void
put_text(struct buf *b, struct str s)
{
	static const char hex[] = "0123456789abcdef";
	size_t i;

	for (i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c >= ' ' && c != '\\' && c != 0x7f) {
			buf_putc(b, (char)c);
			continue;
		}
		buf_puts(b, "\\x");
		buf_putc(b, hex[c >> 4]);
		buf_putc(b, hex[c & 15]);
	}
}

static void
put_record(struct buf *b, enum trail_kind kind, struct str text)
{
	buf_puts(b, word[kind]);
	buf_putc(b, ' ');
	put_text(b, str_none(text) ? STR_EMPTY : text);
	buf_putc(b, '\n');
}

/* t->line in one write: all of it is in the file, or nothing is. */
static void
write_line(struct trail *t)
{
	ssize_t n;

	if (t->broken)
		return;
	do
		n = write(t->lock.fd, t->line.p, t->line.n);
	while (n == -1 && errno == EINTR);
	if (n == (ssize_t)t->line.n) {
		t->n += t->line.n;
		return;
	}
	t->broken = true;
	if (n > 0 && ftruncate(t->lock.fd, (off_t)t->n) != 0) {
		/* a torn last line is not read */
	}
}

static void
put_number(struct buf *b, enum trail_kind kind, double n)
{
	char text[NUM_TEXT_MAX];

	if (num_fine(n))
		put_record(b, kind, str_of(text, num_text(n, text)));
}

void
trail_begin(struct trail *t, const struct trail_head *h)
{
	t->begun = true;
	t->broken = t->more = t->synced = false;
	t->n = 0;
	if (ftruncate(t->lock.fd, 0) != 0) {
		t->broken = true;
		return;
	}
	buf_clear(&t->line);
	put_record(&t->line, TRAIL_RUN, h->run);
	put_record(&t->line, TRAIL_ALERT, h->alert);
	put_record(&t->line, TRAIL_ORIGIN, h->origin);
	put_number(&t->line, TRAIL_BEGAN, h->began);
	put_number(&t->line, TRAIL_DUE, h->due);
	put_record(&t->line, TRAIL_REASON, h->reason);
	put_number(&t->line, TRAIL_PID, h->pid);
	write_line(t);
}

/* Not fatal where it fails: a file system may know no sync. */
static void
sync_all(struct trail *t)
{
	(void)fdatasync(t->lock.fd);
	(void)fsync(t->folder);
	t->synced = true;
}

void
trail_add(struct trail *t, enum trail_kind kind, struct str text)
{
	size_t most = LIM_TRAIL;

	if (t == NULL || !t->begun || t->broken)
		return;
	if (kind == TRAIL_DID || kind == TRAIL_WROTE || kind == TRAIL_SENT) {
		most += LIM_TRAIL_MORE;
		if (!str_none(text) && text.n > LIM_TRAIL_TEXT)
			text.n = LIM_TRAIL_TEXT;
	}
	buf_clear(&t->line);
	if (t->n < most && (str_none(text) || text.n < most - t->n))
		put_record(&t->line, kind, text);
	if (t->line.n == 0 || t->n + t->line.n > most) {
		buf_clear(&t->line);
		if (t->more)
			return;
		t->more = true;
		put_record(&t->line, TRAIL_MORE, STR_EMPTY);
	}
	write_line(t);
	if (kind == TRAIL_DID && !t->synced && !t->broken)
		sync_all(t);
}

void
trail_sent(struct trail *t)
{
	t->begun = true;
	trail_add(t, TRAIL_SENT, STR_EMPTY);
}

void
trail_script(struct trail *t, struct str script, unsigned level)
{
	char text[NUM_TEXT_MAX];

	trail_add(t, TRAIL_SCRIPT, script);
	trail_add(t, TRAIL_LEVEL, str_of(text, num_text(level, text)));
}

bool
trail_is_whole(const struct trail *t)
{
	return t != NULL && !t->broken && !t->more;
}

void
trail_end(struct trail *t)
{
	if (t == NULL)
		return;
	/* while the lock is held: who has opened it and gets the lock then
	 * sees that it is no more there */
	(void)unlinkat(t->folder, t->name, 0);
	trail_close(t);
}

/* --- reading --- */

static int
nibble(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ?
	    c - 'a' + 10 : -1;
}

/* In place, as it only gets shorter; false: it is no text of ours. */
static bool
get_text(char *p, size_t *n)
{
	size_t i, to = 0;

	for (i = 0; i < *n; i++) {
		if ((unsigned char)p[i] < ' ' || p[i] == 0x7f)
			return false;	/* what a power failure leaves */
		if (p[i] != '\\') {
			p[to++] = p[i];
			continue;
		}
		if (*n - i < 4 || p[i + 1] != 'x' || nibble(p[i + 2]) < 0 ||
		    nibble(p[i + 3]) < 0)
			return false;
		p[to++] = (char)(nibble(p[i + 2]) << 4 | nibble(p[i + 3]));
		i += 3;
	}
	*n = to;
	return true;
}

/* The next record of the bytes; false: the end, or what is none. */
static bool
get_record(char **p, size_t *left, enum trail_kind *kind, struct str *text)
{
	char *nl = *left == 0 ? NULL : memchr(*p, '\n', *left), *at = *p;
	size_t n, w;
	int k;

	if (nl == NULL)
		return false;
	n = (size_t)(nl - at);
	*left -= n + 1;
	*p = nl + 1;
	for (k = 0; k < TRAIL_COUNT; k++) {
		w = strlen(word[k]);
		if (n > w && at[w] == ' ' && memcmp(at, word[k], w) == 0)
			break;
	}
	if (k == TRAIL_COUNT)
		return false;
	at += w + 1;
	n -= w + 1;
	if (!get_text(at, &n))
		return false;
	*kind = (enum trail_kind)k;
	*text = str_of(at, n);
	return true;
}

static void
read_all(struct trail *t)
{
	ssize_t n;

	buf_clear(&t->line);
	/* no more than we write: nobody else has business there */
	while (t->line.n < LIM_TRAIL + 2 * LIM_TRAIL_MORE) {
		n = pread(t->lock.fd, buf_room(&t->line, LIM_TRAIL_MORE),
		    LIM_TRAIL_MORE, (off_t)t->line.n);
		if (n == -1 && errno == EINTR)
			continue;
		if (n <= 0)
			return;
		t->line.n += (size_t)n;
	}
}

/* Of which kind the next record is: it is decoded once, in place. */
static bool
begins(const char *p, size_t left, enum trail_kind kind)
{
	size_t n = strlen(word[kind]);

	return left > n && p[n] == ' ' && memcmp(p, word[kind], n) == 0;
}

/* What the heads of older ones have not. */
static void
get_rest(struct trail *t, struct trail_head *h, char **p, size_t *left)
{
	enum trail_kind kind;
	struct str text;

	h->due = h->pid = NUM_NIL;
	buf_clear(&t->reason);
	while ((begins(*p, *left, TRAIL_DUE) || begins(*p, *left,
	    TRAIL_REASON) || begins(*p, *left, TRAIL_PID)) &&
	    get_record(p, left, &kind, &text)) {
		if (kind == TRAIL_DUE)
			h->due = num_parse(text, false);
		else if (kind == TRAIL_REASON)
			buf_str(&t->reason, text);
		else
			h->pid = num_parse(text, false);
	}
	h->reason = buf_view(&t->reason);
}

bool
trail_left(struct trail *t, struct trail_head *h, trail_fn *fn, void *arg)
{
	static const enum trail_kind head[] = { TRAIL_RUN, TRAIL_ALERT,
	    TRAIL_ORIGIN, TRAIL_BEGAN };
	struct buf *const keep[] = { &t->run, &t->alert, &t->origin, NULL };
	enum trail_kind kind;
	struct str text;
	size_t i, left;
	char *p;

	if (t->begun)
		return false;
	read_all(t);
	p = t->line.p;
	left = t->line.n;
	for (i = 0; i < sizeof head / sizeof *head; i++) {
		if (!get_record(&p, &left, &kind, &text) || kind != head[i])
			return false;
		if (keep[i] != NULL) {
			buf_clear(keep[i]);
			buf_str(keep[i], text);
		}
	}
	h->run = buf_view(&t->run);
	h->alert = buf_view(&t->alert);
	h->origin = buf_view(&t->origin);
	h->began = num_parse(text, false);
	if (!num_fine(h->began))
		return false;
	get_rest(t, h, &p, &left);
	while (fn != NULL && get_record(&p, &left, &kind, &text))
		fn(arg, kind, text);
	return true;
}

/* --- all of them --- */

/* NULL: there is none, or why has grown. */
static DIR *
read_folder(struct mem *m, struct str state, struct buf *why)
{
	int fd = open_folder(m, state, false, why);
	DIR *dir = fd == -1 ? NULL : fdopendir(fd);

	if (dir == NULL && fd != -1) {
		buf_printf(why, TRAIL_FOLDER ": %s", strerror(errno));
		(void)close(fd);
	}
	return dir;
}

bool
trail_each(struct mem *m, struct str state, trail_left_fn *fn, void *arg,
    struct buf *why)
{
	struct trail_head h;
	struct dirent *e;
	struct trail *t;
	size_t before = why->n;
	DIR *dir = read_folder(m, state, why);

	if (dir == NULL)
		return why->n == before;
	while ((e = readdir(dir)) != NULL) {
		if (!str_ends(str_c(e->d_name), TRAIL_TAIL))
			continue;
		t = new_trail(m);
		snprintf(t->name, sizeof t->name, "%s", e->d_name);
		t->folder = fcntl(dirfd(dir), F_DUPFD_CLOEXEC, 3);
		before = why->n;
		if (t->folder == -1 || open_file(t, false, why) != TRAIL_GOT) {
			why->n = before;	/* it is going on, or has ended */
			trail_close(t);
		} else if (!trail_left(t, &h, NULL, NULL) || fn(arg, t))
			trail_end(t);
		else
			trail_close(t);
	}
	(void)closedir(dir);
	return true;
}

bool
trail_heads(struct mem *m, struct str state, trail_head_fn *fn, void *arg,
    struct buf *why)
{
	struct trail_head h;
	struct dirent *e;
	struct trail *t;
	struct stat st;
	size_t before = why->n;
	DIR *dir = read_folder(m, state, why);

	if (dir == NULL)
		return why->n == before;
	while ((e = readdir(dir)) != NULL) {
		if (!str_ends(str_c(e->d_name), TRAIL_TAIL))
			continue;
		t = new_trail(m);
		/* in place of the lock's, which is not asked for */
		t->lock.fd = openat(dirfd(dir), e->d_name, O_RDONLY |
		    O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
		if (t->lock.fd != -1 && fstat(t->lock.fd, &st) == 0 &&
		    S_ISREG(st.st_mode) && trail_left(t, &h, NULL, NULL))
			fn(arg, &h);
		trail_close(t);
	}
	(void)closedir(dir);
	return true;
}
