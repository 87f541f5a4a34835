/* queue: the messages of a mail queue; see queue.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/table/queue.h"

#define STOP_EVERY	64	/* rows between two looks at the clock */

void
queue_row(struct queue *q, struct str id)
{
	size_t n = id.n < sizeof q->id - 1 ? id.n : sizeof q->id - 1;

	memcpy(q->id, id.p, n);
	q->id[n] = '\0';
	q->name = STR_NIL;
	q->size = q->arrived = NUM_NIL;
	q->has_sender = q->has_reason = false;
	buf_clear(&q->sender);
	buf_clear(&q->recipients);
	buf_clear(&q->reason);
	q->count = 0;
}

void
queue_sender(struct queue *q, struct str s)
{
	q->has_sender = true;
	buf_clear(&q->sender);
	buf_str(&q->sender, s);
}

void
queue_recipient(struct queue *q, struct str s)
{
	q->count++;
	if (q->recipients.n + 1 + s.n > LIM_QUEUE_RECIPIENTS)
		return;
	if (q->recipients.n > 0)
		buf_putc(&q->recipients, ' ');
	buf_str(&q->recipients, s);
}

void
queue_reason(struct queue *q, struct str s)
{
	if (q->has_reason || str_none(s) || s.n == 0)
		return;
	q->has_reason = true;
	if (s.n > LIM_QUEUE_REASON)
		s.n = LIM_QUEUE_REASON;
	buf_str(&q->reason, s);
}

struct str
queue_address(struct str s)
{
	s = str_trim(s);
	if (s.n >= 2 && s.p[0] == '<' && s.p[s.n - 1] == '>')
		s = str_of(s.p + 1, s.n - 2);
	return s;
}

struct str
queue_peek(const struct queue *q)
{
	return str_of(q->rest.p, str_find(q->rest, '\n', 0));
}

bool
queue_more(const struct queue *q)
{
	return q->rest.n > 0;
}

bool
queue_line(struct queue *q, struct str *line)
{
	size_t n;

	if (q->rest.n == 0)
		return false;
	*line = queue_peek(q);
	n = line->n + (line->n < q->rest.n);
	q->rest = str_of(q->rest.p + n, q->rest.n - n);
	return true;
}

bool
queue_file(struct queue *q, unsigned depth)
{
	while (walk_next(&q->walk)) {
		if (!walk_maybe_dir(&q->walk))
			return true;
		if (q->walk.depth < depth && walk_enter(&q->walk))
			continue;
		if (q->walk.type == DT_UNKNOWN)	/* a file after all? */
			return true;
		if (q->walk.depth < depth && errno != ENOENT)
			break;
	}
	if (errno == 0)
		return false;
	q->failed = true;
	table_whyf(q->table.why, "%.200s in the spool: %s", q->walk.path,
	    strerror(errno));
	return false;
}

/* "dir:PATH": a message is a file that is none of the hidden ones. */
static bool
queue_dir_next(struct queue *q)
{
	struct stat st;

	while (queue_file(q, 1)) {
		const char *name = walk_name(&q->walk);

		if (name[0] == '.' || fstatat(walk_dir(&q->walk), name, &st,
		    AT_SYMLINK_NOFOLLOW) == -1 || !S_ISREG(st.st_mode))
			continue;
		queue_row(q, str_c(name));
		q->name = str_c(q->folder);
		q->size = (double)st.st_size;
		q->arrived = (double)st.st_mtim.tv_sec +
		    (double)st.st_mtim.tv_nsec / 1e9;
		q->count = NUM_NIL;
		return true;
	}
	return false;
}

static bool
open_dir(struct queue *q, struct str dir, char why[LIM_TABLE_WHY])
{
	char given[PATH_MAX], full[PATH_MAX];
	const char *last;

	while (dir.n > 1 && dir.p[dir.n - 1] == '/')
		dir.n--;
	if (dir.n == 0 || dir.p[0] != '/' || dir.n >= sizeof given ||
	    memchr(dir.p, '\0', dir.n) != NULL) {
		table_whyf(why, "what stands behind dir: must be a path "
		    "that begins with /");
		return false;
	}
	memcpy(given, dir.p, dir.n);
	given[dir.n] = '\0';
	last = strrchr(given, '/') + 1;
	snprintf(q->folder, sizeof q->folder, "%.*s",
	    (int)sizeof q->folder - 1, last);
	q->next = queue_dir_next;
	if (table_path(&q->table.world, given, full, sizeof full) &&
	    walk_open(&q->walk, full))
		return true;
	table_whyf(why, "%.220s: %s", given, strerror(errno));
	return false;
}

/* A listing that lies in a recorded folder. */
static bool
recorded(struct queue *q, const char *mailer)
{
	char path[PATH_MAX], name[40];
	const char *root = q->table.world.root;
	ssize_t n = 0;
	int fd;

	snprintf(name, sizeof name, "/queue/%s", mailer);
	if (root == NULL || root[0] == '\0' ||
	    !table_path(&q->table.world, name, path, sizeof path) ||
	    (fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)) == -1)
		return false;
	while (q->listing.n < LIM_QUEUE_LISTING && (n = read(fd,
	    buf_room(&q->listing, 65536), 65536)) > 0)
		q->listing.n += (size_t)n;
	close(fd);
	q->rest = buf_view(&q->listing);
	return n == 0;
}

static bool
called(struct queue *q, const char *const *argv, char why[LIM_TABLE_WHY])
{
	const struct table_world *w = &q->table.world;
	struct str out = STR_NIL;

	if (w->command == NULL) {
		table_whyf(why, "%s cannot be called here", argv[0]);
		return false;
	}
	if (!w->command(w->arg, argv, LIM_QUEUE_LISTING, &out)) {
		out = str_trim(str_none(out) ? STR_EMPTY : out);
		table_whyf(why, "%s%s%.*s", str_starts(out, argv[0]) ? "" :
		    argv[0], str_starts(out, argv[0]) ? "" : ": ",
		    out.n > 200 ? 200 : (int)out.n, out.p);
		return false;
	}
	if (!str_none(out))
		buf_str(&q->listing, out);
	q->rest = buf_view(&q->listing);
	return true;
}

static bool
spool(struct queue *q, const char *const *paths, queue_next_fn *next)
{
	char full[PATH_MAX];

	for (; *paths != NULL; paths++)
		if (table_path(&q->table.world, *paths, full, sizeof full) &&
		    walk_open(&q->walk, full)) {
			q->next = next;
			return true;
		}
	return false;
}

static bool
open_mailer(struct queue *q, struct str which, char why[LIM_TABLE_WHY])
{
	static const char *const postqueue[] = { "postqueue", "-j", NULL };
	static const char *const exim[] = { "exim", "-bp", NULL };
	static const char *const mailq[] = { "mailq", NULL };
	static const char *const exim_spool[] = { "/var/spool/exim4/input",
	    "/var/spool/exim/input", NULL };
	static const char *const sendmail_spool[] = { "/var/spool/mqueue",
	    NULL };

	if (line_is(which, "postfix")) {
		q->next = queue_postfix_next;
		return recorded(q, "postfix") || called(q, postqueue, why);
	}
	if (line_is(which, "exim")) {
		q->next = queue_exim_next;
		return recorded(q, "exim") ||
		    spool(q, exim_spool, queue_exim_spool_next) ||
		    called(q, exim, why);
	}
	if (line_is(which, "sendmail")) {
		q->next = queue_sendmail_next;
		return recorded(q, "sendmail") ||
		    spool(q, sendmail_spool, queue_sendmail_spool_next) ||
		    called(q, mailq, why);
	}
	if (str_starts(which, "dir:"))
		return open_dir(q, str_of(which.p + 4, which.n - 4), why);
	table_whyf(why, "\"%.*s\" is none of postfix, exim, sendmail and "
	    "dir:PATH", which.n > 60 ? 60 : (int)which.n, which.p);
	return false;
}

static void
queue_free(struct queue *q)
{
	walk_close(&q->walk);
	lines_close(&q->lines);
	buf_free(&q->listing);
	buf_free(&q->done);
	buf_free(&q->sender);
	buf_free(&q->recipients);
	buf_free(&q->reason);
	mem_free(q->table.world.mem, q, sizeof *q);
}

static struct table *
queue_open(const struct table_world *w, const struct table_ask *ask,
    char why[LIM_TABLE_WHY])
{
	struct queue *q = (struct queue *)table_make(w, &table_queue,
	    sizeof *q);
	struct str which = ask->narg < 1 ? STR_NIL : ask->text[0];

	q->lines.fd = -1;
	buf_init(&q->listing, w->mem);
	buf_init(&q->done, w->mem);
	buf_init(&q->sender, w->mem);
	buf_init(&q->recipients, w->mem);
	buf_init(&q->reason, w->mem);
	if (open_mailer(q, str_none(which) ? STR_EMPTY : which, why))
		return &q->table;
	queue_free(q);
	return NULL;
}

static enum table_next
queue_next(struct table *t)
{
	struct queue *q = (struct queue *)t;

	if (++q->rows % STOP_EVERY == 0 && t->world.stop != NULL &&
	    t->world.stop(t->world.arg)) {
		table_whyf(t->why, "the run must end, and not all of "
		    "the queue is read");
		return TABLE_FAILED;
	}
	if (q->next(q))
		return TABLE_ROW;
	return q->failed ? TABLE_FAILED : TABLE_END;
}

static void
queue_close(struct table *t)
{
	struct queue *q = (struct queue *)t;
	char text[120];

	if (q->wrong > 0 && t->world.warn != NULL) {
		snprintf(text, sizeof text, "queue: %u entries of the queue "
		    "cannot be understood and are left out", q->wrong);
		t->world.warn(t->world.arg, str_c(text));
	}
	queue_free(q);
}

static double
queue_number(struct row *r, enum table_column c)
{
	const struct queue *q = (struct queue *)r;

	switch (c) {
	case COLUMN_QUEUE_size:
		return q->size;
	case COLUMN_QUEUE_age:
		/* a clock that was set back makes no message of the future */
		return num_none(q->arrived) ? NUM_NIL :
		    q->arrived > q->table.world.now ? 0 :
		    q->table.world.now - q->arrived;
	case COLUMN_QUEUE_arrived:
		return q->arrived;
	default:
		return q->count;
	}
}

static struct str
queue_text(struct row *r, enum table_column c)
{
	const struct queue *q = (struct queue *)r;

	switch (c) {
	case COLUMN_QUEUE_id:
		return str_c(q->id);
	case COLUMN_QUEUE_queue:
		return q->name;
	case COLUMN_QUEUE_sender:
		return q->has_sender ? buf_view(&q->sender) : STR_NIL;
	case COLUMN_QUEUE_recipients:
		return num_none(q->count) ? STR_NIL : buf_view(&q->recipients);
	default:
		return q->has_reason ? buf_view(&q->reason) : STR_NIL;
	}
}

const struct table_maker table_queue = {
	queue_open, queue_next, queue_close, { queue_number, queue_text }
};
