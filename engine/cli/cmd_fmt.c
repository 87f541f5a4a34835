/*
 * cmd_fmt: sources laid out in place, or what would change.  A file is
 * replaced as a whole or not at all.
 */
#include <sys/stat.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "lang/fmt/fmt.h"
#include "engine/cli/cli.h"

#define LIM_FOLDERS	32	/* nested: deeper is a loop of mounts */

struct work {
	struct cli		*c;
	struct json_diag	*json;
	bool			 changed, failed;
};

static void
no_good(struct work *w, const char *path, const char *why)
{
	cli_say("%s: %s", path, why);
	w->failed = true;
}

static bool
all_to(int fd, struct str s)
{
	return cli_write(fd, s) && fsync(fd) == 0;
}

/* A rename lasts when its folder is on the disk. */
static void
sync_folder(const char *folder)
{
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return;
	(void)fsync(fd);
	(void)close(fd);
}

static bool
same_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino &&
	    a->st_size == b->st_size &&
	    a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
	    a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

/*
 * Puts the text in the file's place.  Mode and owner stay; if they cannot,
 * or if somebody has changed the file meanwhile, so does the file.
 */
static bool
replace(struct work *w, const char *path, const struct stat *was,
    struct str text)
{
	struct buf folder, temp;
	struct stat now;
	const char *slash = strrchr(path, '/'), *why = NULL;
	int fd;

	buf_init(&folder, &w->c->mem);
	buf_init(&temp, &w->c->mem);
	if (slash == NULL)
		buf_puts(&folder, ".");
	else
		buf_add(&folder, path, (size_t)(slash - path) +
		    (slash == path));
	(void)buf_c(&folder);
	buf_printf(&temp, "%s/.picket-fmt.XXXXXX", buf_c(&folder));
	(void)buf_c(&temp);
	fd = mkostemp(temp.p, O_CLOEXEC);
	if (fd < 0) {
		no_good(w, buf_c(&folder), strerror(errno));
		goto done;
	}
	if (!all_to(fd, text) || fstat(fd, &now) != 0)
		why = strerror(errno);
	else if ((now.st_uid != was->st_uid || now.st_gid != was->st_gid) &&
	    fchown(fd, was->st_uid, was->st_gid) != 0)
		why = "its owner or group could not be kept";
	else if (fchmod(fd, was->st_mode & 07777) != 0)
		why = strerror(errno);
	if (close(fd) != 0 && why == NULL)
		why = strerror(errno);
	if (why == NULL && (lstat(path, &now) != 0 || !same_file(was, &now)))
		why = "changed while it was read; it is left as it is";
	if (why == NULL && rename(temp.p, path) != 0)
		why = strerror(errno);
	if (why != NULL) {
		(void)unlink(temp.p);
		no_good(w, path, why);
	} else
		sync_folder(buf_c(&folder));
done:
	buf_free(&folder);
	buf_free(&temp);
	return fd >= 0 && why == NULL;
}

/* Lays out a text; what is wrong has been shown if there is none. */
static bool
lay_out(struct work *w, const char *shown, const char *name, struct str text,
    struct buf *out)
{
	struct source_set src;
	struct diag d;
	struct buf b;
	uint32_t file;
	bool ok;

	source_init(&src, &w->c->mem, &w->c->arena);
	diag_init(&d, &src, &w->c->arena);
	file = source_add(&src, str_c(shown), text);
	ok = fmt_source(&d, file, fmt_kind(str_c(name)), out);
	if (!ok) {
		w->failed = true;
		buf_init(&b, &w->c->mem);
		diag_render(&d, &b, w->c->colour_err);
		if (w->json != NULL)
			json_diag_add(w->json, &d);
		else
			(void)cli_write(2, buf_view(&b));
		buf_free(&b);
	}
	source_free(&src);
	return ok;
}

/* Shows what would change, as the options have it. */
static void
show(struct work *w, const char *shown, struct str old, struct str new)
{
	struct buf b;

	buf_init(&b, &w->c->mem);
	if (w->json != NULL)
		json_diag_changed(w->json, str_c(shown));
	else if (w->c->given[OPT_DIFF])
		fmt_diff(str_c(shown), old, new, &b);
	else
		buf_printf(&b, "%s\n", shown);
	if (!cli_write(1, buf_view(&b)))
		w->failed = true;
	buf_free(&b);
}

static bool
only_shows(const struct work *w)
{
	return w->c->given[OPT_WOULD] || w->c->given[OPT_DIFF];
}

static void
input(struct work *w)
{
	const char *as = w->c->value[OPT_AS];
	struct str text;
	struct buf out;

	if (!cli_read_file(w->c, "-", &text)) {
		w->failed = true;
		return;
	}
	buf_init(&out, &w->c->mem);
	if (as == NULL)
		as = "(standard input)";
	if (lay_out(w, as, as, text, &out)) {
		if (!only_shows(w)) {
			if (!cli_write(1, buf_view(&out)))
				no_good(w, "standard output",
				    strerror(errno));
		} else if (!str_eq(text, buf_view(&out))) {
			w->changed = true;
			show(w, as, text, buf_view(&out));
		}
	}
	buf_free(&out);
}

static void
one_file(struct work *w, const char *path, const struct stat *was)
{
	struct arena_mark mark = arena_mark(&w->c->arena);
	struct str text;
	struct buf out;

	if (!cli_read_file(w->c, path, &text)) {
		w->failed = true;
		return;
	}
	buf_init(&out, &w->c->mem);
	if (lay_out(w, path, path, text, &out) &&
	    !str_eq(text, buf_view(&out))) {
		w->changed = true;
		if (only_shows(w))
			show(w, path, text, buf_view(&out));
		else if (was->st_nlink > 1)
			no_good(w, path, "has other names (hard links), "
			    "which would keep the old text; it is left as it "
			    "is");
		else if (replace(w, path, was, buf_view(&out)))
			show(w, path, text, buf_view(&out));
	}
	buf_free(&out);
	arena_reset(&w->c->arena, mark);
}

static int
no_dots(const struct dirent *e)
{
	return e->d_name[0] != '.';
}

static void	folder(struct work *, const char *path, int depth);

/* named: by a person, not found in a folder. */
static void
path(struct work *w, const char *p, bool named, int depth)
{
	struct str name = str_c(p);
	struct stat st;

	if (lstat(p, &st) != 0)
		no_good(w, p, strerror(errno));
	else if (S_ISDIR(st.st_mode))
		folder(w, p, depth);
	else if (!named && (!S_ISREG(st.st_mode) || !(str_ends(name, ".pikt") ||
	    str_ends(name, ".cfg")) || fmt_kind(name) == FMT_FOREIGN))
		;
	else if (S_ISLNK(st.st_mode))
		no_good(w, p, "is a symbolic link; name the file that it "
		    "leads to");
	else if (!S_ISREG(st.st_mode))
		no_good(w, p, "is no file");
	else if (fmt_kind(name) == FMT_FOREIGN)
		no_good(w, p, "what is in it is not known by its name: fmt "
		    "takes scripts, and alarms, macros, systems, defines and "
		    "alerts .cfg");
	else
		one_file(w, p, &st);
}

static void
folder(struct work *w, const char *at, int depth)
{
	struct dirent **list = NULL;
	size_t n = strlen(at), k;
	char *sub;
	int i, count;

	if (depth == LIM_FOLDERS) {
		no_good(w, at, "too many folders in one another");
		return;
	}
	count = scandir(at, &list, no_dots, alphasort);
	if (count < 0) {
		no_good(w, at, strerror(errno));
		return;
	}
	for (i = 0; i < count; i++) {
		k = n + strlen(list[i]->d_name) + 2;
		sub = arena_text(&w->c->arena, k);
		snprintf(sub, k, "%s%s%s", at, at[n - 1] == '/' ? "" : "/",
		    list[i]->d_name);
		path(w, sub, false, depth + 1);
		free(list[i]);
	}
	free(list);
}

int
cmd_fmt(struct cli *c)
{
	struct work w = { .c = c };
	bool from_input = c->narg == 0;
	size_t i;

	for (i = 0; i < c->narg; i++)
		from_input = from_input || strcmp(c->arg[i], "-") == 0;
	if (c->given[OPT_JSON] && c->given[OPT_DIFF]) {
		cli_say("--json and --diff do not go together");
		return EXIT_USAGE;
	}
	if (c->given[OPT_JSON] && from_input && !c->given[OPT_WOULD]) {
		cli_say("--json from standard input wants --check: there is "
		    "but one output");
		return EXIT_USAGE;
	}
	if (c->given[OPT_JSON])
		w.json = json_diag_new();
	if (c->narg == 0)
		input(&w);
	for (i = 0; i < c->narg; i++)
		if (strcmp(c->arg[i], "-") == 0)
			input(&w);
		else if (c->arg[i][0] == '\0')
			no_good(&w, "''", "no such file");
		else
			path(&w, c->arg[i], true, 0);
	if (w.json != NULL && json_diag_end(w.json) != EXIT_FINE)
		w.failed = true;
	return w.failed || (w.changed && c->given[OPT_WOULD]) ?
	    EXIT_PROBLEMS : EXIT_FINE;
}
