/* schedule: see schedule.h.  Links image_part.c and the C library only. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "lang/base/num.h"
#include "engine/image/image_inner.h"

struct schedule {
	size_t			 n;		/* bytes of all */
	uint32_t		 count[SCHED_WORDS];
	const unsigned char	*sorted, *entry, *timing, *cron, *script,
				*kind, *setting;
	const char		*text;
	uint64_t		 sum;
	unsigned char		 byte[];
};

static uint32_t
get32(const unsigned char *p)
{
	return (uint32_t)image_get(p, 4);
}

/* Where everything is; false: the counts do not fill it. */
static bool
lay_out(struct schedule *s, size_t n)
{
	const unsigned char *p = s->byte + PART_NUMBER;
	const uint32_t *k = s->count;
	uint64_t need;
	unsigned i;

	if (n < PART_NUMBER + SCHED_HEAD)
		return false;
	for (i = 0; i < SCHED_WORDS; i++, p += 4)
		s->count[i] = get32(p);
	s->sum = image_get(p, 8);
	need = PART_NUMBER + SCHED_HEAD +
	    (uint64_t)k[SCHED_NENTRY] * (4 + ENTRY_BYTES) +
	    (uint64_t)k[SCHED_NTIMING] * TIMING_BYTES +
	    (uint64_t)k[SCHED_NCRON] * CRON_BYTES +
	    (uint64_t)k[SCHED_NSCRIPT] * 4 +
	    (uint64_t)k[SCHED_NKIND] * KIND_BYTES +
	    (uint64_t)k[SCHED_NSETTING] * SETTING_BYTES + k[SCHED_NTEXT];
	if (need != n)
		return false;
	s->sorted = p + 8;
	s->entry = s->sorted + k[SCHED_NENTRY] * 4;
	s->timing = s->entry + k[SCHED_NENTRY] * ENTRY_BYTES;
	s->cron = s->timing + k[SCHED_NTIMING] * TIMING_BYTES;
	s->script = s->cron + k[SCHED_NCRON] * CRON_BYTES;
	s->kind = s->script + k[SCHED_NSCRIPT] * 4;
	s->setting = s->kind + k[SCHED_NKIND] * KIND_BYTES;
	s->text = (const char *)s->setting + k[SCHED_NSETTING] * SETTING_BYTES;
	return true;
}

static bool
text_fits(const struct schedule *s, uint32_t at)
{
	return at < s->count[SCHED_NTEXT];
}

static bool
seconds_fit(const unsigned char *p)
{
	double d = num_of_bits(image_get(p, 8));

	return isfinite(d) && d >= 0 && d <= IMAGE_SECONDS;
}

static bool
kind_fits(const unsigned char *p)
{
	double every = num_of_bits(image_get(p + KIND_EVERY, 8));

	return seconds_fit(p + KIND_EVERY) && (every == 0 || every >=
	    IMAGE_EVERY) && seconds_fit(p + KIND_TIMEOUT) &&
	    seconds_fit(p + KIND_LONGEST) && p[KIND_STATUS] < STATUS_COUNT &&
	    p[KIND_LEVEL] < LEVEL_COUNT && p[KIND_OVERLAP] < OVERLAP_COUNT;
}

static const unsigned char *
kind_of(const struct schedule *s, const unsigned char *e)
{
	return s->kind + (size_t)get32(e + ENTRY_KIND) * KIND_BYTES;
}

static bool
entry_fits(const struct schedule *s, const unsigned char *e)
{
	const uint32_t *k = s->count;
	const unsigned char *p;

	if (get32(e + ENTRY_KIND) >= k[SCHED_NKIND])
		return false;
	p = kind_of(s, e);
	return text_fits(s, get32(e + ENTRY_NAME)) &&
	    get32(e + ENTRY_TIMING) + image_get(p + KIND_NTIMING, 2) <=
	    k[SCHED_NTIMING] && get32(e + ENTRY_SCRIPT) +
	    image_get(p + KIND_NSCRIPT, 2) <= k[SCHED_NSCRIPT] &&
	    get32(e + ENTRY_DRIFT) < LIM_CRON_DRIFT * 60 * DRIFT_PARTS;
}

static const char *
name_of(const struct schedule *s, size_t i)
{
	return s->text + get32(s->entry + i * ENTRY_BYTES + ENTRY_NAME);
}

/* Everything that the functions below take for granted. */
static bool
is_sound(const struct schedule *s)
{
	const uint32_t *k = s->count;
	const unsigned char *p;
	struct cron cron;
	uint32_t at, i;

	if (k[SCHED_NTEXT] == 0 || s->text[k[SCHED_NTEXT] - 1] != '\0' ||
	    !text_fits(s, k[SCHED_HOST]) || !text_fits(s, k[SCHED_DIR]) ||
	    !text_fits(s, k[SCHED_LOGDIR]))
		return false;
	for (i = 0, p = s->cron; i < k[SCHED_NCRON]; i++, p += CRON_BYTES)
		if (!image_cron(p, &cron))
			return false;
	for (i = 0, p = s->timing; i < k[SCHED_NTIMING]; i++, p += TIMING_BYTES)
		if (get32(p) >= k[SCHED_NCRON] ||
		    get32(p + 4) >= LIM_CRON_DRIFT * 60 * DRIFT_PARTS)
			return false;
	for (i = 0, p = s->script; i < k[SCHED_NSCRIPT]; i++, p += 4)
		if (!text_fits(s, get32(p)))
			return false;
	for (i = 0, p = s->setting; i < k[SCHED_NSETTING]; i++,
	    p += SETTING_BYTES)
		if (!text_fits(s, get32(p)) || !text_fits(s, get32(p + 4)))
			return false;
	for (i = 0, p = s->kind; i < k[SCHED_NKIND]; i++, p += KIND_BYTES)
		if (!kind_fits(p))
			return false;
	for (i = 0, p = s->entry; i < k[SCHED_NENTRY]; i++, p += ENTRY_BYTES)
		if (!entry_fits(s, p))
			return false;
	/* so many different names: each entry is there once */
	for (i = 0, p = s->sorted; i < k[SCHED_NENTRY]; i++, p += 4) {
		at = get32(p);
		if (at >= k[SCHED_NENTRY] || (i > 0 &&
		    strcmp(name_of(s, get32(p - 4)), name_of(s, at)) >= 0))
			return false;
	}
	return true;
}

struct schedule *
schedule_open(int fd, char why[LIM_IMAGE_WHY])
{
	struct image_head head;
	struct image_row row;
	struct schedule *s;

	if (!image_head(fd, &head, why) ||
	    !image_row(fd, &head, PART_SCHEDULE, &row, why))
		return NULL;
	s = malloc(sizeof *s + row.n);
	if (s == NULL) {
		snprintf(why, LIM_IMAGE_WHY, "there is no memory for it");
		return NULL;
	}
	s->n = sizeof *s + row.n;
	if (!image_part(fd, &row, PART_SCHEDULE, s->byte, why)) {
		free(s);
		return NULL;
	}
	if (!lay_out(s, row.n) || s->count[SCHED_NENTRY] != head.nentry ||
	    !is_sound(s)) {
		snprintf(why, LIM_IMAGE_WHY, "is damaged");
		free(s);
		return NULL;
	}
	return s;
}

void
schedule_free(struct schedule *s)
{
	free(s);
}

size_t
schedule_count(const struct schedule *s)
{
	return s->count[SCHED_NENTRY];
}

void
schedule_entry(const struct schedule *s, size_t i, struct schedule_entry *e)
{
	const unsigned char *p = s->entry + i * ENTRY_BYTES, *k;

	k = kind_of(s, p);
	e->index = i;
	e->name = name_of(s, i);
	e->timing = get32(p + ENTRY_TIMING);
	e->script = get32(p + ENTRY_SCRIPT);
	e->every_drift = (double)get32(p + ENTRY_DRIFT) / DRIFT_PARTS;
	e->ntiming = (unsigned)image_get(k + KIND_NTIMING, 2);
	e->nscript = (unsigned)image_get(k + KIND_NSCRIPT, 2);
	e->every = num_of_bits(image_get(k + KIND_EVERY, 8));
	e->timeout = num_of_bits(image_get(k + KIND_TIMEOUT, 8));
	e->longest = num_of_bits(image_get(k + KIND_LONGEST, 8));
	e->status = (enum status)k[KIND_STATUS];
	e->level = (enum level)k[KIND_LEVEL];
	e->overlap = (enum overlap)k[KIND_OVERLAP];
	e->priority = (int)k[KIND_PRIORITY] - PRIORITY_ZERO;
	e->flags = (unsigned)image_get(k + KIND_FLAGS, 2);
	e->has_level = (k[KIND_HAS] & HAS_LEVEL) != 0;
	e->has_priority = (k[KIND_HAS] & HAS_PRIORITY) != 0;
}

long
schedule_find(const struct schedule *s, const char *name)
{
	size_t lo = 0, hi = s->count[SCHED_NENTRY], mid;
	uint32_t at;
	int c;

	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		at = get32(s->sorted + mid * 4);
		c = strcmp(name, name_of(s, at));
		if (c == 0)
			return (long)at;
		if (c < 0)
			hi = mid;
		else
			lo = mid + 1;
	}
	return -1;
}

double
schedule_timing(const struct schedule *s, const struct schedule_entry *e,
    unsigned k, struct cron *cron)
{
	const unsigned char *p = s->timing + ((size_t)e->timing + k) *
	    TIMING_BYTES;

	(void)image_cron(s->cron + (size_t)get32(p) * CRON_BYTES, cron);
	return (double)get32(p + 4) / DRIFT_PARTS;
}

const char *
schedule_script(const struct schedule *s, const struct schedule_entry *e,
    unsigned k)
{
	return s->text + get32(s->script + ((size_t)e->script + k) * 4);
}

const char *
schedule_host(const struct schedule *s)
{
	return s->text + s->count[SCHED_HOST];
}

const char *
schedule_dir(const struct schedule *s)
{
	return s->text + s->count[SCHED_DIR];
}

const char *
schedule_logdir(const struct schedule *s)
{
	return s->text + s->count[SCHED_LOGDIR];
}

const char *
schedule_setting(const struct schedule *s, const char *keyword)
{
	const unsigned char *p = s->setting;
	uint32_t i;

	for (i = 0; i < s->count[SCHED_NSETTING]; i++, p += SETTING_BYTES)
		if (strcmp(s->text + get32(p), keyword) == 0)
			return s->text + get32(p + 4);
	return NULL;
}

uint64_t
schedule_sum(const struct schedule *s)
{
	return s->sum;
}

size_t
schedule_size(const struct schedule *s)
{
	return s->n;
}
