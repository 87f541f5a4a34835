#include "engine/effect/archive.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "engine/effect/act.h"
#include "engine/effect/archive_inner.h"
#include "engine/effect/facts.h"
#include "engine/vm/clock.h"
#include "lang/base/num.h"

#define FOLDER	"archive"	/* of the state's folder: where copies go */

uint64_t
archive_hash(const char *s)
{
	uint64_t h = UINT64_C(14695981039346656037);

	for (; *s != '\0'; s++)
		h = (h ^ (unsigned char)*s) * UINT64_C(1099511628211);
	return h;
}

/* --- is it a file to be touched? --- */

/* Whether the file is that of a user of this name: by /etc/passwd itself where
 * that has it, as in a storm there may be no process to ask others with. */
static bool
has_uid(struct live *l, const char *name, size_t n, uid_t uid)
{
	struct str key = str_of(name, n), answer;
	char want[32];
	uid_t known;

	if (n == 0)
		return false;
	if (passwd_uid(key, &known))
		return known == uid;
	if (live_ask(l, FACT_UID, key, &answer) <= 0)
		return false;
	snprintf(want, sizeof want, "%lu", (unsigned long)uid);
	return str_eq(answer, str_c(want));
}

/* USER, .USER and .USER.pop are the user's. */
static bool
is_named_for(struct live *l, const char *base, uid_t uid)
{
	const char *dot;

	if (has_uid(l, base, strlen(base), uid))
		return true;
	if (*base++ != '.')
		return false;
	dot = strrchr(base, '.');
	return has_uid(l, base, strlen(base), uid) || (dot != NULL &&
	    has_uid(l, base, (size_t)(dot - base), uid));
}

/* What a status alone can say; NULL: nothing is wrong. */
static const char *
fault(const struct stat *st)
{
	if (S_ISLNK(st->st_mode))
		return "is a symbolic link";
	if (S_ISDIR(st->st_mode))
		return "is a folder";
	if (!S_ISREG(st->st_mode))
		return "is no regular file";
	if (st->st_nlink != 1)
		return "has more than one name";
	return NULL;
}

bool
archive_look(struct live *l, const char *path, struct safeway *way,
    struct stat *st)
{
	const char *why;
	uid_t uid;
	bool ours, folder;

	if (!safeway_walk(l, path, false, way))
		return false;
	if (fstatat(way->dir, way->base, st, AT_SYMLINK_NOFOLLOW) != 0)
		live_fail(l, "%s", strerror(errno));
	else if ((why = fault(st)) != NULL)
		live_fail(l, "%s", why);
	else {
		uid = st->st_uid;
		ours = uid == 0 || uid == geteuid();
		folder = uid == way->st.st_uid;
		if (ours || folder)
			return true;
		if (way->foreign && way->whose != uid)
			live_fail(l, "belongs to user %lu, in a folder of "
			    "user %lu", (unsigned long)uid,
			    (unsigned long)way->whose);
		else {
			char base[NAME_MAX + 1];

			/* nothing may be open where it can jump */
			strcpy(base, way->base);
			safeway_close(way);
			if (is_named_for(l, base, uid))
				return safeway_walk(l, path, false, way);
			live_fail(l, "belongs to user %lu: neither to root, "
			    "nor to the owner of its folder, nor has it that "
			    "user's name", (unsigned long)uid);
		}
	}
	safeway_close(way);
	return false;
}

/* --- where copies go --- */

/* The folder's path: as given, or the state's, which is made. */
static bool
folder_path(struct archive *a, struct str dir, bool make)
{
	struct str home = a->l->o.state_home;

	if (!str_none(dir))
		return safeway_absolute(a->l, dir, a->folder);
	if (str_none(home) || home.n == 0) {
		live_fail(a->l, "there is no folder for the state: name one "
		    "for the copies");
		return false;
	}
	if (home.n + sizeof FOLDER >= sizeof a->folder) {
		live_fail(a->l, "%s", strerror(ENAMETOOLONG));
		return false;
	}
	snprintf(a->folder, sizeof a->folder, "%.*s/" FOLDER, (int)home.n,
	    home.p);
	if (make && mkdir(a->folder, 0700) != 0 && errno != EEXIST) {
		live_fail(a->l, "the folder for copies: %s",
		    strerror(errno));
		return false;
	}
	return true;
}

static bool
refuse_folder(struct archive *a, const char *what)
{
	size_t n = strlen(a->folder);

	live_fail(a->l, "%s%s: %s", n > 80 ? "..." : "",
	    a->folder + (n > 80 ? n - 80 : 0), what);
	safeway_close(&a->to);
	return false;
}

/* Nobody but root and who runs this can change what is in it. */
static bool
open_folder(struct archive *a)
{
	const struct stat *st = &a->to.st;
	char why[LIM_WHY];

	if (!safeway_walk(a->l, a->folder, true, &a->to)) {
		memcpy(why, a->l->why, sizeof why);
		live_fail(a->l, "the folder of the copies: %s", why);
		return false;
	}
	if (a->to.foreign)
		return refuse_folder(a, "belongs to another user, or lies in "
		    "a folder of one");
	if (st->st_mode & (S_IWGRP | S_IWOTH))
		return refuse_folder(a, "others can write to it");
	return true;
}

/* --- the copy --- */

/* 1; 0: it was exchanged since it was looked at; -1. */
static int
open_source(struct archive *a)
{
	struct stat st;
	const char *why;
	int flags = O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;

	/* only who could write may lock it against others */
	a->in = openat(a->from.dir, a->from.base, O_RDWR | flags);
	a->writing = a->in != -1;
	if (a->in == -1 && (errno == EACCES || errno == EROFS ||
	    errno == EPERM || errno == ETXTBSY))
		a->in = openat(a->from.dir, a->from.base, O_RDONLY | flags);
	if (a->in == -1 || fstat(a->in, &st) != 0) {
		live_fail(a->l, "%s", errno == ELOOP ? "is a symbolic link" :
		    strerror(errno));
		return -1;
	}
	/* whose it is was judged; of that user, one file is as good as another */
	if (st.st_uid != a->st.st_uid) {
		live_fail(a->l, "was exchanged while it was looked at");
		return 0;
	}
	why = fault(&st);
	if (why != NULL)
		live_fail(a->l, "%s", why);
	return why == NULL ? 1 : -1;
}

/*
 * Under the locks: is the file that is open the one that has the name?  1: it
 * is; 0: who had the locks has put a new one there (mail readers do); -1.
 */
static int
take_locks(struct archive *a)
{
	struct stat there;
	const char *why;
	int got;

	got = maillock_take(a->l, &a->from, a->in, a->writing, &a->lock);
	if (got == -1)
		return -1;
	a->locked = got == 1;
	if (fstat(a->in, &a->st) != 0) {
		live_fail(a->l, "%s", strerror(errno));
		return -1;
	}
	if (fstatat(a->from.dir, a->from.base, &there,
	    AT_SYMLINK_NOFOLLOW) != 0 || there.st_dev != a->st.st_dev ||
	    there.st_ino != a->st.st_ino) {
		live_fail(a->l, "was exchanged while its locks were waited "
		    "for");
		return 0;
	}
	why = fault(&a->st);
	if (why != NULL)
		live_fail(a->l, "%s", why);
	return why == NULL ? 1 : -1;
}

static void
close_source(struct archive *a)
{
	if (a->in != -1) {
		maillock_drop(&a->from, &a->lock);
		close(a->in);
		a->in = -1;
	}
	safeway_close(&a->from);
}

/* The file, open and locked as far as can be. */
static bool
get_source(struct archive *a)
{
	int tries, got = 0;

	for (tries = 0; got == 0 && tries < LIM_ARCHIVE_TRIES; tries++) {
		close_source(a);
		if (!archive_look(a->l, a->path, &a->from, &a->st))
			return false;
		got = open_source(a);
		if (got == 1)
			got = take_locks(a);
	}
	return got == 1;
}

static bool
keep(struct archive *a)
{
	a->sync = openat(a->to.dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (a->sync == -1) {
		live_fail(a->l, "the folder of the copies: %s",
		    strerror(errno));
		return false;
	}
	if (!get_source(a))
		return false;
	if (archive_is_kept(a))
		return true;
	if (!archive_copy(a) || !archive_name(a))
		return false;
	if (!a->torn)
		archive_remember(a);
	return true;
}

/* --- #quarantine --- */

static bool
is_unchanged(const struct archive *a, const struct stat *st)
{
	return st->st_dev == a->st.st_dev && st->st_ino == a->st.st_ino &&
	    st->st_size == a->st.st_size && st->st_nlink == 1 &&
	    st->st_mtim.tv_sec == a->st.st_mtim.tv_sec &&
	    st->st_mtim.tv_nsec == a->st.st_mtim.tv_nsec;
}

/*
 * Takes the original away: first by another name, so that it is known what is
 * being removed, whoever puts something else in its place meanwhile.
 */
static bool
remove_original(struct archive *a)
{
	char aside[NAME_MAX + 1];
	struct stat st;
	int dir = a->from.dir, fd;
	bool moved;

	if (!a->locked || a->torn) {
		live_fail(a->l, "copied, but not removed: %s", a->torn ?
		    "it changes meanwhile" : a->lock.why);
		return false;
	}
	snprintf(aside, sizeof aside, ".picket-gone.%ld.%016llx",
	    (long)getpid(), (unsigned long long)a->hash);
	if (fstatat(dir, a->from.base, &st, AT_SYMLINK_NOFOLLOW) != 0 ||
	    !is_unchanged(a, &st)) {
		live_fail(a->l, "copied, but not removed: it is not the same "
		    "any more");
		return false;
	}
	moved = renameat2(dir, a->from.base, dir, aside,
	    RENAME_NOREPLACE) == 0;
	if (!moved && errno != EINVAL && errno != ENOSYS) {
		live_fail(a->l, "copied, but not removed: %s",
		    strerror(errno));
		return false;
	}
	if (moved && (fstatat(dir, aside, &st, AT_SYMLINK_NOFOLLOW) != 0 ||
	    !is_unchanged(a, &st))) {
		live_fail(a->l, renameat2(dir, aside, dir, a->from.base,
		    RENAME_NOREPLACE) == 0 ? "copied, but not removed: it is "
		    "not the same any more" : "copied, but not removed: it "
		    "was exchanged, and what was there is %s", aside);
		return false;
	}
	if (unlinkat(dir, moved ? aside : a->from.base, 0) != 0) {
		live_fail(a->l, "copied, but not removed: %s",
		    strerror(errno));
		if (moved)
			(void)renameat2(dir, aside, dir, a->from.base,
			    RENAME_NOREPLACE);
		return false;
	}
	fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd != -1) {
		(void)fsync(fd);
		close(fd);
	}
	return true;
}

/* --- the act --- */

static void
close_all(struct archive *a)
{
	archive_drop_copy(a);
	close_source(a);
	if (a->sync != -1)
		close(a->sync);
	safeway_close(&a->to);
}

/* "/var/mail/groucho: 1234 bytes of user 1000, mode 0600, in COPY, removed":
 * into the log and the audit log, as the act's end. */
static void
say(struct archive *a, const char *what, struct str copy, bool removed)
{
	char text[LIM_LOG_TEXT];
	int most = (int)sizeof text / 3;

	snprintf(text, sizeof text, "%.*s: %jd bytes of user %lu, mode %04o, "
	    "in %.*s%s%s%s%s%s", most, a->path, (intmax_t)a->st.st_size,
	    (unsigned long)a->st.st_uid, (unsigned)(a->st.st_mode & 07777),
	    (int)copy.n < most ? (int)copy.n : most, copy.p,
	    a->locked ? "" : ", unlocked (", a->locked ? "" : a->lock.why,
	    a->locked ? "" : ")", a->torn ? ", changed meanwhile" : "",
	    removed ? ", removed" : "");
	log_command(a->l, what, str_c(text));
	log_audit(a->l, what, text);
}

/* What a script is to know of a copy that is not as good as it can be. */
static struct str
note(struct archive *a)
{
	struct live *l = a->l;

	if (a->locked && !a->torn)
		return STR_NIL;
	snprintf(l->archive_note, sizeof l->archive_note, "copied %s%s%s",
	    a->locked ? "" : "unlocked: ", a->locked ? "" : a->lock.why,
	    a->torn ? a->locked ? "while it changed" : "; it changed "
	    "meanwhile" : "");
	return str_c(l->archive_note);
}

/* Where the copy is, or of a dry run, would be. */
static void
tell_copy(struct archive *a, struct act_result *r)
{
	buf_printf(&a->l->archived, "%s/%s", a->folder, a->name);
	r->text = buf_view(&a->l->archived);
}

static bool
dry_copy(struct archive *a, const char *what, struct act_result *r)
{
	archive_wish(a, 0, a->name);
	tell_copy(a, r);
	return act_begins(a->l, true, what, a->path, r, (double)a->st.st_size);
}

static bool
copy(struct archive *a, const char *what, bool away, struct act_result *r)
{
	bool removed = false;

	act_begins(a->l, false, what, a->path, r, 0);
	/* from here on nothing may jump: files are open */
	if (!open_folder(a) || !keep(a))
		return false;
	if (away)
		removed = remove_original(a);
	tell_copy(a, r);
	say(a, what, r->text, removed);
	if (away && !removed)
		return false;
	r->n = (double)a->st.st_size;
	r->note = note(a);
	return true;
}

static bool
copy_act(struct archive *a, const struct act *act, bool dry,
    struct act_result *r)
{
	bool away = act->kind == ACT_QUARANTINE, good;
	const char *what = away ? "quarantine" : "archive";

	a->from.dir = a->to.dir = a->in = a->out = a->sync = -1;
	a->lock.dot = -1;
	a->now = floor(num_none(act->now) ? clock_wall() : act->now);
	if (!safeway_absolute(a->l, act->path, a->path) ||
	    !folder_path(a, act->dir, !dry))
		return false;
	a->hash = archive_hash(a->path);
	/* is it refused?  before anything is written down */
	if (!archive_look(a->l, a->path, &a->from, &a->st))
		return false;
	safeway_close(&a->from);
	if (!dry || !str_none(act->dir)) {
		if (!open_folder(a))
			return false;
		safeway_close(&a->to);
	}
	buf_clear(&a->l->archived);
	(void)buf_room(&a->l->archived, strlen(a->folder) + NAME_MAX + 2);
	if (dry) {
		dry_copy(a, what, r);
		return true;
	}
	good = copy(a, what, away, r);
	close_all(a);
	return good;
}

bool
archive_act(struct live *l, const struct act *act, bool dry,
    struct act_result *r)
{
	struct archive *a = mem_zalloc(l->mem, sizeof *a);
	bool good;

	a->l = l;
	a->block = mem_alloc(l->mem, 2 * ARCHIVE_BLOCK);
	good = copy_act(a, act, dry, r);
	mem_free(l->mem, a->block, 2 * ARCHIVE_BLOCK);
	mem_free(l->mem, a, sizeof *a);
	return good;
}
