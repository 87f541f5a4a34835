/* image_part: the head and the parts of an image, from its descriptor. */
#include <sys/stat.h>
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "engine/image/image_inner.h"

uint64_t
image_get(const unsigned char *p, unsigned bytes)
{
	uint64_t v = 0;
	unsigned i;

	for (i = 0; i < bytes; i++)
		v |= (uint64_t)p[i] << 8 * i;
	return v;
}

/*
 * FNV-1a by words of eight bytes: a run sums all that it reads, so it must
 * cost little.  A step is one to one, so no change of a single word is missed.
 */
uint64_t
image_sum(const unsigned char *p, size_t n)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325) ^ n;

	for (; n >= 8; n -= 8, p += 8)
		h = (h ^ image_get(p, 8)) * UINT64_C(0x00000100000001b3);
	h = (h ^ image_get(p, (unsigned)n)) * UINT64_C(0x00000100000001b3);
	return h ^ h >> 32;
}

static bool
refuse(char why[LIM_IMAGE_WHY], const char *what)
{
	snprintf(why, LIM_IMAGE_WHY, "%s", what);
	return false;
}

/* All of it; a file that ends early is cut. */
static bool
get(int fd, uint64_t at, unsigned char *to, size_t n, char why[LIM_IMAGE_WHY])
{
	ssize_t k;

	while (n > 0) {
		k = pread(fd, to, n, (off_t)at);
		if (k < 0 && errno == EINTR)
			continue;
		if (k <= 0)
			return refuse(why, k < 0 ? strerror(errno) :
			    "is cut short");
		to += k;
		at += (uint64_t)k;
		n -= (size_t)k;
	}
	return true;
}

bool
image_head(int fd, struct image_head *h, char why[LIM_IMAGE_WHY])
{
	unsigned char b[IMAGE_HEAD];
	struct stat st;
	uint64_t parts;

	if (fstat(fd, &st) != 0)
		return refuse(why, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return refuse(why, "is no regular file");
	if (st.st_size < 8 || !get(fd, 0, b, 8, why) ||
	    memcmp(b, IMAGE_MAGIC, 8) != 0)
		return refuse(why, "is no image of a site");
	if (!get(fd, 0, b, sizeof b, why))
		return false;
	/* before the sum, whose place may be another one */
	if (image_get(b + 8, 4) != IMAGE_VERSION)
		return refuse(why, "was written by another version of Picket: "
		    "write it again");
	if (image_sum(b, IMAGE_HEAD - 8) != image_get(b + IMAGE_HEAD - 8, 8))
		return refuse(why, "is damaged");
	h->nentry = (uint32_t)image_get(b + 12, 4);
	h->nprogram = (uint32_t)image_get(b + 16, 4);
	h->tables = image_get(b + 24, 8);
	h->length = image_get(b + 32, 8);
	if ((uint64_t)st.st_size < h->length)
		return refuse(why, "is cut short");
	parts = PART_COUNT + (uint64_t)h->nentry + h->nprogram;
	if ((uint64_t)st.st_size > h->length || h->length > LIM_IMAGE ||
	    h->nentry > LIM_IMAGE_ENTRIES ||
	    parts > (h->length - IMAGE_HEAD) / IMAGE_ROW)
		return refuse(why, "is damaged");
	return true;
}

bool
image_row(int fd, const struct image_head *h, size_t i, struct image_row *r,
    char why[LIM_IMAGE_WHY])
{
	uint64_t parts = PART_COUNT + (uint64_t)h->nentry + h->nprogram, n;
	unsigned char b[IMAGE_ROW];

	if (i >= parts)
		return refuse(why, "has no such entry");
	if (!get(fd, IMAGE_HEAD + i * IMAGE_ROW, b, sizeof b, why))
		return false;
	r->offset = image_get(b, 8);
	n = image_get(b + 8, 8);
	r->sum = image_get(b + 16, 8);
	if (r->offset > h->length || n > h->length - r->offset ||
	    n > LIM_IMAGE_PART || n < PART_NUMBER)
		return refuse(why, "is damaged");
	r->n = (size_t)n;
	return true;
}

bool
image_part(int fd, const struct image_row *r, size_t i, unsigned char *to,
    char why[LIM_IMAGE_WHY])
{
	if (!get(fd, r->offset, to, r->n, why))
		return false;
	if (image_sum(to, r->n) != r->sum || image_get(to, PART_NUMBER) != i)
		return refuse(why, "is damaged");
	return true;
}

bool
image_cron(const unsigned char *p, struct cron *c)
{
	unsigned flags = (unsigned)image_get(p + 26, 2);

	c->min = image_get(p, 8);
	c->hour = (uint32_t)image_get(p + 8, 4);
	c->dom = (uint32_t)image_get(p + 12, 4);
	c->month = (uint32_t)image_get(p + 16, 4);
	c->dow = (uint32_t)image_get(p + 20, 4);
	c->drift = (unsigned)image_get(p + 24, 2);
	c->either_day = (flags & CRON_EITHER) != 0;
	c->wild = (flags & CRON_WILD) != 0;
	c->has_drift = (flags & CRON_DRIFT) != 0;
	return c->min != 0 && c->min >> 60 == 0 && c->hour != 0 &&
	    c->hour >> 24 == 0 && c->dom != 0 && (c->dom & 1) == 0 &&
	    c->month != 0 && (c->month & 1) == 0 && c->month >> 13 == 0 &&
	    c->dow != 0 && c->dow >> 7 == 0 && c->drift <= LIM_CRON_DRIFT &&
	    flags <= (CRON_EITHER | CRON_WILD | CRON_DRIFT);
}
