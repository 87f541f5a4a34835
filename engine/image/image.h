/*
 * image: a compiled site as one run of bytes.  Why: picketd and its runners
 * never compile and never read a configuration that somebody is editing: a
 * reload makes a whole new image or nothing, and a run keeps the one that it
 * was started with.  `picket compile --site` writes it (image_write), picketd
 * reads its schedule (schedule.h), picket-runner one entry of it (below).
 *
 * The bytes, all numbers little-endian:
 *	8	magic "pikimg\x1a\n"
 *	4	IMAGE_VERSION
 *	4	how many entries
 *	4	how many programs: each is stored once, whoever lists it
 *	4	0
 *	8	hash of the tables of operations, builtins and columns (progfile)
 *	8	length of the whole
 *	8	checksum of all that
 *	...	the table of parts: of each its offset, length and checksum, eight
 *		bytes each
 *	...	the parts: those of enum image_part, then one for each entry, then
 *		one for each program
 * A part is read and checked when it is asked for, so that a run costs the
 * same in an image of any size.  It is read, not mapped: who is locked in
 * memory takes only what it asks for, and a file that somebody cuts is an
 * error, not a signal.  The checksums find damage, they do not prove who made
 * the file; programs are proved (verify.h), and all else is read with bounds.
 */
#ifndef ENGINE_IMAGE_IMAGE_H
#define ENGINE_IMAGE_IMAGE_H

#include "engine/deliver/conf.h"
#include "engine/image/schedule.h"
#include "engine/vm/objects.h"

#define LIM_IMAGE	((size_t)1 << 30) /* bytes: what LIM_SITE_MEM lets a site
					 * take */
#define LIM_IMAGE_PART	((size_t)64 << 20) /* bytes of one part: as of a .pkc */

/* --- writing --- */

struct image_entry {
	const struct site_alert *alert;
	const double	*drift;		/* of each of its timings, seconds */
	double		 every_drift;	/* seconds */
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

/* Into an empty buf; false: more than an image holds, why says of what. */
bool	 image_write(const struct image_site *, struct buf *out,
	    char why[LIM_IMAGE_WHY]);

/* What runs of a script are, ENTRY_WATCH_MEMORY to ENTRY_EMERGENCY. */
unsigned image_traits(const struct program *);

/* --- one run's view; all that it hands out lives until image_close --- */

struct image;

/* The descriptor stays the caller's, and open until image_close.  NULL: why is
 * a clause that goes with the image's name ("is cut short"). */
struct image *image_open(int fd, struct mem *, char why[LIM_IMAGE_WHY]);
void	 image_close(struct image *);

size_t	 image_count(const struct image *);	/* entries */
/*
 * Entry i as a site's alert, with its scripts, each of them proved.  NULL: a
 * clause is added to why.  own: it is ENTRY_OWN; or NULL.
 */
const struct site_alert *image_alert(struct image *, size_t i, bool *own,
	    struct buf *why);

/* picket.conf, read anew: false with lines added to errors. */
bool	 image_conf(struct image *, struct conf *, struct buf *errors);
struct str image_host(const struct image *);
struct str image_dir(const struct image *);	/* of the configuration */
struct str image_logdir(const struct image *);
/* The host's own names and groups: what #if and routes know it by. */
const struct str *image_group(const struct image *, size_t *n);
/* The object sets, for runs. */
const struct objects *image_objects(struct image *);
/* The two that a struct alert_place asks; image: the struct image. */
/* Set i in turn; false: there are no more. */
bool	 image_set(void *image, size_t i, struct str *name,
	    const struct str **line, size_t *n);
/* Whether that alert of the site lists that script.  If it is damaged all are
 * taken to be there. */
bool	 image_there(void *image, struct str alert, struct str script);

#endif
