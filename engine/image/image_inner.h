/*
 * image_inner: what the writer and both readers of an image share: the head,
 * the table of parts, and the walk over what a part holds.  The schedule's
 * reader uses of it only what stands under "bytes", so that it links nothing
 * but itself.
 */
#ifndef ENGINE_IMAGE_IMAGE_INNER_H
#define ENGINE_IMAGE_IMAGE_INNER_H

#include "lang/base/arena.h"
#include "lang/base/buf.h"
#include "engine/image/image.h"

#define IMAGE_VERSION	3
#define IMAGE_MAGIC	"pikimg\x1a\n"
#define IMAGE_HEAD	48	/* bytes */
#define IMAGE_ROW	24	/* bytes of a row of the table of parts */

enum image_part { PART_SCHEDULE, PART_SITE, PART_OBJECTS, PART_PAIRS,
    PART_COUNT };

/* --- bytes (image_part.c) --- */

struct image_head {
	uint32_t	 nentry, nprogram;
	uint64_t	 tables;	/* hash */
	uint64_t	 length;
};

uint64_t image_get(const unsigned char *, unsigned bytes);
uint64_t image_sum(const unsigned char *, size_t);
/* False: why says what is wrong; the caller judges `tables`. */
bool	 image_head(int fd, struct image_head *, char why[LIM_IMAGE_WHY]);
/* Where part i is, within the file and the limits; false as above. */
struct image_row {
	uint64_t	 offset, sum;
	size_t		 n;
};
bool	 image_row(int fd, const struct image_head *, size_t i,
	    struct image_row *, char why[LIM_IMAGE_WHY]);
/* Its n bytes, checked; false as above. */
bool	 image_part(int fd, const struct image_row *, size_t i,
	    unsigned char *to, char why[LIM_IMAGE_WHY]);

/* CRON_BYTES of a timing; false: it is none that cron_parse makes. */
bool	 image_cron(const unsigned char *, struct cron *);

/* --- the schedule's records --- */

#define PART_NUMBER	4	/* bytes before each part's own: its number, so that
				 * no row can be taken for another */
#define CRON_BYTES	28
#define CRON_EITHER	0x01	/* its flags */
#define CRON_WILD	0x02
#define CRON_DRIFT	0x04
#define IMAGE_EVERY	1.0	/* seconds: runs at less are no schedule */
#define IMAGE_SECONDS	1e12	/* what any sum of deadlines stays below */
#define ENTRY_BYTES	20
#define KIND_BYTES	36
#define TIMING_BYTES	8	/* which cron, and its drift in parts of a second */
#define DRIFT_PARTS	256	/* of a second: a whole number of any grain that the
				 * calendar has */
#define SETTING_BYTES	8
/* The schedule's head: counts, then texts by their offset, then the sum. */
enum { SCHED_NENTRY, SCHED_NTIMING, SCHED_NCRON, SCHED_NSCRIPT, SCHED_NKIND,
    SCHED_NSETTING, SCHED_NTEXT, SCHED_HOST, SCHED_DIR, SCHED_LOGDIR,
    SCHED_WORDS };
#define SCHED_HEAD	(4 * SCHED_WORDS + 8)
/* Where an entry's fields are; its kind is what many have alike. */
enum { ENTRY_NAME = 0, ENTRY_TIMING = 4, ENTRY_SCRIPT = 8, ENTRY_DRIFT = 12,
    ENTRY_KIND = 16 };
enum { KIND_NTIMING = 0, KIND_NSCRIPT = 2, KIND_EVERY = 4, KIND_TIMEOUT = 12,
    KIND_LONGEST = 20, KIND_STATUS = 28, KIND_LEVEL = 29, KIND_OVERLAP = 30,
    KIND_PRIORITY = 31, KIND_FLAGS = 32, KIND_HAS = 34 };
#define HAS_LEVEL	0x01
#define HAS_PRIORITY	0x02
#define PRIORITY_ZERO	128	/* a byte's 0: priorities go from -20 to 19 */

/* --- both directions (image_walk.c) --- */

/*
 * One walk writes or reads: each step hands its value through, writing it or
 * putting the one it read in its place, so that the two cannot differ.
 */
struct image_io {
	struct buf		*out;	/* writing, if not NULL */
	const unsigned char	*p;	/* reading */
	size_t			 left;
	struct arena		*arena;
	bool			 bad;	/* all else then reads 0 */
};

uint64_t io_int(struct image_io *, unsigned bytes, uint64_t);
struct str io_str(struct image_io *, struct str);	/* NIL is one, too */
struct str io_text(struct image_io *, struct str);	/* NIL is damage */
/* How many of what takes at least so many bytes each. */
size_t	 io_count(struct image_io *, size_t n, size_t least);
void	 io_cron(struct image_io *, struct cron *);

struct image_where {		/* PART_SITE */
	struct str	 conf_name, conf_text, dir, logdir, host;
	struct str	*group;
	size_t		 ngroup;
};
void	 io_where(struct image_io *, struct image_where *);
/* An entry but for its programs, of which there are a->nalarm. */
void	 io_alert(struct image_io *, struct site_alert *);

/* The order of PART_PAIRS. */
int	 image_pair_order(const struct image_pair *, const struct image_pair *);

#endif
