/*
 * image: a compiled site as one run of bytes.  Why: picketd and its runners
 * never compile and never read a configuration that somebody is editing: a
 * reload makes a whole new image or nothing, and a run keeps the one that it
 * was started with.  `picket compile --site` writes it (image_write), picketd
 * reads its schedule (schedule.h), picket-runner one entry of it (below).
 *
 * The bytes, all numbers little-endian:
 *	8	magic "pikimage"
 *	4	IMAGE_VERSION
 *	4	how many parts
 *	8	hash of the tables of operations, builtins and columns (progfile)
 *	8	length of the whole
 *	8	checksum of the table of parts
 *	...	the table of parts: of each its offset, length and checksum
 *	...	the parts: those of enum image_part, then one for each entry, then
 *		one for each program
 * A part is looked at when it is asked for, and checked then: a run touches
 * what it needs of the file and nothing else.  The checksums find damage, they
 * do not prove who made the file; programs are proved (verify.h), and all else
 * is read with bounds.
 */
#ifndef ENGINE_IMAGE_IMAGE_H
#define ENGINE_IMAGE_IMAGE_H

#include "engine/deliver/conf.h"
#include "engine/image/schedule.h"
#include "engine/vm/objects.h"

#define LIM_IMAGE	((size_t)1 << 30) /* bytes: what LIM_SITE_MEM lets a site
					 * take */

/* --- writing --- */

struct image_entry {
	const struct site_alert *alert;
	const double	*drift;		/* of each of its timings, seconds */
	bool		 own;		/* ENTRY_OWN */
};

struct image_pair {
	struct str	 alert, script;
};

struct image_site {
	struct str	 conf_name, conf_text; /* picket.conf, its name for messages */
	const struct conf *conf;	/* what it says */
	struct str	 dir, logdir, host;
	const struct str *group;	/* the host's own names and groups: =member */
	size_t		 ngroup;
	const struct map *object;	/* name -> struct site_object */
	const struct image_entry *entry;
	size_t		 nentry;
	/* every script of every alert, also of such as are no entries: what
	 * is not here is gone (tell_gone) */
	const struct image_pair *pair;
	size_t		 npair;
};

/* Appends the image; false: it has no room for that, why says what for. */
bool	 image_write(const struct image_site *, struct buf *out,
	    char why[LIM_IMAGE_WHY]);

/* --- one run's view; all of it lives in the struct mem until image_close --- */

struct image;

/* Maps it; the descriptor stays as it is, and may be closed. */
struct image *image_open(int fd, struct mem *, char why[LIM_IMAGE_WHY]);
void	 image_close(struct image *);

size_t	 image_count(const struct image *);	/* entries */
/*
 * Entry i as a site's alert, with its scripts, each of them proved.  NULL: why
 * is added to.  own: it is ENTRY_OWN, or NULL.
 */
const struct site_alert *image_alert(struct image *, size_t i, bool *own,
	    struct buf *why);
/* Entry i's name alone; NIL: it is damaged. */
struct str image_name(struct image *, size_t i);

/* picket.conf, read anew: false with lines added to errors. */
bool	 image_conf(struct image *, struct conf *, struct buf *errors);
struct str image_host(const struct image *);
struct str image_dir(const struct image *);
struct str image_logdir(const struct image *);
const struct str *image_group(const struct image *, size_t *n);
/* The object sets, for runs. */
const struct objects *image_objects(struct image *);
/* Each set in turn, for =objdir; false: there is no set i. */
bool	 image_object(struct image *, size_t i, struct str *name,
	    const struct str **line, size_t *n);
/* Whether that alert of the site lists that script (tell_gone).  What is
 * damaged is taken to be there. */
bool	 image_there(void *image, struct str alert, struct str script);

#endif
