/* hold: a small file that says what not to do. */
#include "engine/daemon/hold.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define HEAD		"picketd.hold 1\n"
#define NEW_FILE	HOLD_FILE ".new"
#define LIM_HOLD_FILE	((off_t)16 << 20)	/* bytes: LIM_HOLD_NAMES of usual
						 * length are 3 MB */

static uint64_t
sum_of(const char *p, size_t n)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);	/* FNV-1a */
	size_t i;

	for (i = 0; i < n; i++)
		h = (h ^ (unsigned char)p[i]) * UINT64_C(0x100000001b3);
	return h;
}

/* The place of a name, or where it would be: they are sorted. */
static size_t
place(const struct hold *h, const char *name, bool *there)
{
	size_t low = 0, high = h->n, mid;
	int r;

	*there = false;
	while (low < high && !*there) {
		mid = low + (high - low) / 2;
		r = strcmp(h->name[mid], name);
		*there = r == 0;
		if (r < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return high;
}

bool
hold_has(const struct hold *h, const char *name)
{
	bool there;

	(void)place(h, name, &there);
	return there;
}

bool
hold_add(struct hold *h, const char *name)
{
	size_t cap = h->cap > 0 ? 2 * h->cap : 16, n = strlen(name), at;
	bool there;
	char **p, *copy;

	at = place(h, name, &there);
	if (there)
		return true;
	if (h->n == LIM_HOLD_NAMES || n == 0 || n > LIM_HOLD_NAME ||
	    strpbrk(name, "\n\r") != NULL)
		return false;
	if (h->n == h->cap) {
		p = realloc(h->name, cap * sizeof *p);
		if (p == NULL)
			return false;
		h->name = p;
		h->cap = cap;
	}
	copy = strdup(name);
	if (copy == NULL)
		return false;
	/* a file of ours is sorted: then this moves nothing */
	memmove(h->name + at + 1, h->name + at, (h->n - at) *
	    sizeof *h->name);
	h->name[at] = copy;
	h->n++;
	return true;
}

bool
hold_remove(struct hold *h, const char *name)
{
	bool there;
	size_t at = place(h, name, &there);

	if (!there)
		return false;
	free(h->name[at]);
	memmove(h->name + at, h->name + at + 1, (h->n - at - 1) *
	    sizeof *h->name);
	h->n--;
	return true;
}

void
hold_free(struct hold *h)
{
	size_t i;

	for (i = 0; i < h->n; i++)
		free(h->name[i]);
	free(h->name);
	memset(h, 0, sizeof *h);
}

/* --- the file --- */

/* One line without its end; false: there is no such line. */
static bool
take_line(struct hold *h, char *line)
{
	char *end;

	if (strcmp(line, "paused-all") == 0) {
		h->all = true;
		return true;
	}
	if (strncmp(line, "paused ", 7) == 0)
		return hold_add(h, line + 7);
	if (strncmp(line, "disarmed ", 9) != 0)
		return false;
	h->disarmed = true;
	h->until = strtod(line + 9, &end);
	return end > line + 9 && *end == '\0' && isfinite(h->until) &&
	    h->until >= 0;
}

/* NULL, or what is wrong with the text; a zero byte is behind it. */
static const char *
take_text(struct hold *h, char *text, size_t n)
{
	char want[40], *line, *end, *last;
	size_t head = sizeof HEAD - 1;

	if (n < head || memcmp(text, HEAD, head) != 0)
		return "it does not begin as such a file does";
	if (strlen(text) != n)
		return "there is a zero byte in it";
	/* the last line is the sum */
	if (n == head || text[n - 1] != '\n')
		return "it is cut short";
	text[n - 1] = '\0';
	last = strrchr(text, '\n') + 1;
	text[n - 1] = '\n';
	(void)snprintf(want, sizeof want, "sum %016" PRIx64 "\n",
	    sum_of(text, (size_t)(last - text)));
	if (strcmp(last, want) != 0)
		return "its sum is wrong";
	for (line = text + head; line < last; line = end + 1) {
		end = strchr(line, '\n');
		*end = '\0';
		if (!take_line(h, line))
			return "a line of it says nothing that is known";
	}
	return NULL;
}

static char *
whole(int fd, size_t *n, const char **what)
{
	struct stat st;
	char *text = NULL;
	size_t got = 0;
	ssize_t k = 1;

	*what = NULL;
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
		*what = "it is no regular file";
	else if (st.st_uid != 0 && st.st_uid != geteuid())
		*what = "it is another user's";
	else if (st.st_size > LIM_HOLD_FILE)
		*what = "it is too long";
	else if ((text = malloc((size_t)st.st_size + 1)) == NULL)
		*what = strerror(errno);
	while (text != NULL && got < (size_t)st.st_size && k > 0) {
		k = read(fd, text + got, (size_t)st.st_size - got);
		if (k == -1 && errno == EINTR)
			k = 1;
		else if (k > 0)
			got += (size_t)k;
		else if (k == -1)
			*what = strerror(errno);
	}
	if (text != NULL)
		text[got] = '\0';
	*n = got;
	return text;
}

enum hold_got
hold_read(struct hold *h, int dir, char *why, size_t size)
{
	const char *what = NULL;
	char *text = NULL;
	size_t n = 0;
	int fd;

	memset(h, 0, sizeof *h);
	fd = openat(dir, HOLD_FILE, O_RDONLY | O_NOFOLLOW | O_NONBLOCK |
	    O_CLOEXEC);
	if (fd == -1 && errno == ENOENT)
		return HOLD_NONE;
	if (fd == -1)
		what = strerror(errno);
	else
		text = whole(fd, &n, &what);
	if (what == NULL)
		what = take_text(h, text, n);
	free(text);
	if (fd != -1)
		(void)close(fd);
	if (what == NULL)
		return HOLD_FINE;
	(void)snprintf(why, size, "%s", what);
	/* what is known stays paused */
	h->disarmed = true;
	h->until = 0;
	return HOLD_DAMAGED;
}

static bool
put_all(int fd, const char *p, size_t n)
{
	ssize_t k;

	while (n > 0) {
		k = write(fd, p, n);
		if (k == -1 && errno == EINTR)
			continue;
		if (k <= 0)
			return false;
		p += k;
		n -= (size_t)k;
	}
	return true;
}

static char *
compose(const struct hold *h, size_t *n)
{
	char *text = NULL;
	size_t i;
	FILE *f = open_memstream(&text, n);

	if (f == NULL)
		return NULL;
	fputs(HEAD, f);
	if (h->disarmed)
		fprintf(f, "disarmed %.3f\n", h->until);
	if (h->all)
		fputs("paused-all\n", f);
	for (i = 0; i < h->n; i++)
		fprintf(f, "paused %s\n", h->name[i]);
	if (fflush(f) == 0)
		fprintf(f, "sum %016" PRIx64 "\n", sum_of(text, *n));
	if (fclose(f) != 0) {
		free(text);
		return NULL;
	}
	return text;
}

bool
hold_write(const struct hold *h, int dir, char *why, size_t size)
{
	size_t n = 0;
	char *text = compose(h, &n);
	bool ok;
	int fd = -1, e = ENOMEM;

	if (text != NULL) {
		/* one that a crash has left is ours: there is one daemon */
		(void)unlinkat(dir, NEW_FILE, 0);
		fd = openat(dir, NEW_FILE, O_WRONLY | O_CREAT | O_EXCL |
		    O_NOFOLLOW | O_CLOEXEC, 0600);
		e = errno;
	}
	ok = fd != -1;
	if (ok && (!put_all(fd, text, n) || fsync(fd) != 0)) {
		e = errno;
		ok = false;
	}
	if (fd != -1 && close(fd) != 0 && ok) {
		e = errno;
		ok = false;
	}
	if (ok && renameat(dir, NEW_FILE, dir, HOLD_FILE) != 0) {
		e = errno;
		ok = false;
	}
	if (!ok && fd != -1)
		(void)unlinkat(dir, NEW_FILE, 0);
	if (ok)		/* the name, too; what cannot do it has it anyway */
		(void)fsync(dir);
	else
		(void)snprintf(why, size, HOLD_FILE ": %s", strerror(e));
	free(text);
	return ok;
}
