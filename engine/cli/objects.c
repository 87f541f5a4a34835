/*
 * objects: the sets of objects.cfg as files, NAME.obj in the folder that
 * scripts call =objdir, and the folder =hstdir.  Why: PIKT installed the sets
 * as files, so its scripts read them by `=cat =objdir/NAME.obj`.
 */
#include <sys/stat.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "engine/cli/alert.h"

/* True if the file holds just that already. */
static bool
is_same(struct cli *c, const char *path, struct str text)
{
	const char *why;
	struct str old;
	struct stat st;

	return lstat(path, &st) == 0 && S_ISREG(st.st_mode) &&
	    (size_t)st.st_size == text.n &&
	    cli_read_regular(c, path, &old, &why) && str_eq(old, text);
}

/* A new file takes the old one's place at once: a reader sees one of them. */
static bool
put(struct cli *c, const char *path, struct str text)
{
	struct buf new;
	bool ok = false;
	int fd;

	buf_init(&new, &c->mem);
	buf_printf(&new, "%s.new", path);
	(void)unlink(buf_c(&new));
	fd = open(buf_c(&new), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW |
	    O_CLOEXEC, 0644);
	if (fd != -1) {
		ok = cli_write(fd, text);
		ok = close(fd) == 0 && ok;
		ok = ok && rename(buf_c(&new), path) == 0;
		if (!ok) {
			int e = errno;

			(void)unlink(buf_c(&new));
			errno = e;
		}
	}
	if (!ok)
		cli_say("%s: %s", path, strerror(errno));
	buf_free(&new);
	return ok;
}

void
cli_object_files(struct cli *c, const struct site *s)
{
	const bool dry = c->given[OPT_DRY];
	struct str dir = dry ? state_path(c, "objects") :
	    state_folder(c, "objects");
	const struct site_object *o;
	struct buf path, text;
	size_t i, k, nother = 0;

	if (!dry)
		(void)state_folder(c, "history");
	if (s->object.n == 0)
		return;
	if (str_none(dir)) {
		cli_say("there is no folder for object sets: =objdir is empty");
		return;
	}
	buf_init(&path, &c->mem);
	buf_init(&text, &c->mem);
	for (i = 0; i < s->object.n; i++) {
		o = s->object.entry[i].v.ptr;
		buf_clear(&path);
		buf_clear(&text);
		buf_printf(&path, "%s/", dir.p);
		buf_str(&path, s->object.entry[i].key);
		buf_puts(&path, ".obj");
		for (k = 0; k < o->n; k++) {
			buf_str(&text, o->line[k]);
			buf_putc(&text, '\n');
		}
		if (is_same(c, buf_c(&path), buf_view(&text)))
			continue;
		if (dry)
			nother++;
		else if (!put(c, buf_c(&path), buf_view(&text)))
			break;
	}
	if (nother > 0)
		cli_say("%s: %zu of the object sets %s not as objects.cfg "
		    "says: a dry run leaves that", dir.p, nother,
		    nother == 1 ? "is" : "are");
	buf_free(&text);
	buf_free(&path);
}
