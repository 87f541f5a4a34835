/* image_read: one run's view of an image. */
#include <stdio.h>

#include "lang/base/map.h"
#include "lang/code/progfile.h"
#include "lang/code/verify.h"
#include "engine/image/image_inner.h"

struct image {
	struct mem		*mem;
	struct arena		 arena;
	int			 fd;
	struct image_head	 head;
	struct image_where	 where;
	struct objects		 objects;
	struct map		 set;		/* name -> struct site_object */
	bool			 has_set, bad_set;
	const unsigned char	*pair;		/* behind its number */
	size_t			 pair_n;	/* bytes */
	uint32_t		 npair;
	bool			 has_pair, bad_pair;
};

/* A part's bytes behind its number, in the arena; false: see why. */
static bool
part(struct image *m, size_t i, struct image_io *io, char why[LIM_IMAGE_WHY])
{
	struct image_row row;
	unsigned char *p;

	if (!image_row(m->fd, &m->head, i, &row, why))
		return false;
	p = (unsigned char *)arena_text(&m->arena, row.n);
	if (!image_part(m->fd, &row, i, p, why))
		return false;
	*io = (struct image_io){ .p = p + PART_NUMBER,
	    .left = row.n - PART_NUMBER, .arena = &m->arena };
	return true;
}

static bool
whole(const struct image_io *io, char why[LIM_IMAGE_WHY])
{
	if (!io->bad && io->left == 0)
		return true;
	snprintf(why, LIM_IMAGE_WHY, "is damaged");
	return false;
}

static const struct map *image_sets(struct image *);

static bool
lines_of(const void *o, struct str set, const struct str **line, size_t *n)
{
	const struct map *sets = image_sets((struct image *)(uintptr_t)o);
	const struct map_entry *e = sets == NULL ? NULL : map_get(sets, set);
	const struct site_object *s;

	if (e == NULL)
		return false;
	s = e->v.ptr;
	*line = s->line;
	*n = s->n;
	return true;
}

static struct str
nearest(const void *o, struct str set)
{
	const struct map *sets = image_sets((struct image *)(uintptr_t)o);
	const struct map_entry *e = sets == NULL ? NULL :
	    map_nearest(sets, set);

	return e == NULL ? STR_NIL : e->key;
}

struct image *
image_open(int fd, struct mem *mem, char why[LIM_IMAGE_WHY])
{
	struct image *m = mem_zalloc(mem, sizeof *m);
	struct image_io io;

	m->mem = mem;
	m->fd = fd;
	arena_init(&m->arena, mem, 16384);
	map_init(&m->set, &m->arena);
	m->objects = (struct objects){ m, lines_of, nearest };
	if (!image_head(fd, &m->head, why))
		goto bad;
	if (m->head.tables != progfile_tables()) {
		snprintf(why, LIM_IMAGE_WHY, "was written by another version "
		    "of Picket: write it again");
		goto bad;
	}
	if (!part(m, PART_SITE, &io, why))
		goto bad;
	io_where(&io, &m->where);
	if (whole(&io, why))
		return m;
bad:
	image_close(m);
	return NULL;
}

void
image_close(struct image *m)
{
	if (m == NULL)
		return;
	arena_free(&m->arena);
	mem_free(m->mem, m, sizeof *m);
}

size_t
image_count(const struct image *m)
{
	return m->head.nentry;
}

/* One program of the file, proved. */
static bool
program(struct image *m, uint32_t number, struct program *to, struct buf *why)
{
	char fault[LIM_IMAGE_WHY] = "is damaged";
	const char *clause = fault;
	struct program_set set;
	struct image_io io;

	if (number >= m->head.nprogram || !part(m, PART_COUNT +
	    (size_t)m->head.nentry + number, &io, fault) ||
	    !progfile_read(str_of((const char *)io.p, io.left), &m->arena,
	    &set, &clause)) {
		buf_puts(why, clause);
		return false;
	}
	if (set.n != 1) {
		buf_puts(why, "is damaged");
		return false;
	}
	*to = set.program[0];
	buf_puts(why, "has a damaged program: ");
	if (!program_verify(to, why))
		return false;
	buf_clear(why);
	return true;
}

const struct site_alert *
image_alert(struct image *m, size_t i, bool *own, struct buf *why)
{
	struct site_alert *a;
	char fault[LIM_IMAGE_WHY];
	struct image_io io;
	uint64_t is_own, doexec;
	uint32_t number;
	size_t k;

	if (i >= m->head.nentry) {
		buf_puts(why, "has no such entry");
		return NULL;
	}
	if (!part(m, PART_COUNT + i, &io, fault)) {
		buf_puts(why, fault);
		return NULL;
	}
	a = arena_zalloc(&m->arena, sizeof *a);
	is_own = io_int(&io, 1, 0);
	io_alert(&io, a);
	a->alarm = arena_zalloc(&m->arena, (a->nalarm + 1) *
	    sizeof *a->alarm);
	for (k = 0; k < a->nalarm; k++) {
		number = (uint32_t)io_int(&io, 4, 0);
		doexec = io_int(&io, 1, 0);
		if (io.bad)
			break;
		if (!program(m, number, &a->alarm[k], why))
			return NULL;
		a->alarm[k].doexec = doexec == 1;
	}
	if (!whole(&io, fault) || is_own > 1) {
		buf_puts(why, "is damaged");
		return NULL;
	}
	if (own != NULL)
		*own = is_own == 1;
	return a;
}

bool
image_conf(struct image *m, struct conf *c, struct buf *errors)
{
	return conf_parse(c, m->where.conf_name, m->where.conf_text, &m->arena,
	    errors);
}

struct str
image_host(const struct image *m)
{
	return m->where.host;
}

struct str
image_dir(const struct image *m)
{
	return m->where.dir;
}

struct str
image_logdir(const struct image *m)
{
	return m->where.logdir;
}

const struct str *
image_group(const struct image *m, size_t *n)
{
	*n = m->where.ngroup;
	return m->where.group;
}

/* --- object sets, read when the first one is asked for --- */

static bool
read_sets(struct image *m)
{
	char why[LIM_IMAGE_WHY];
	struct site_object *o;
	struct image_io io;
	size_t i, k, n;
	bool fresh;

	if (!part(m, PART_OBJECTS, &io, why))
		return false;
	n = io_count(&io, 0, 8);
	for (i = 0; i < n && !io.bad; i++) {
		o = arena_zalloc(&m->arena, sizeof *o);
		map_put(&m->set, io_text(&io, STR_EMPTY), &fresh)->v.ptr = o;
		o->n = io_count(&io, 0, 4);
		o->line = arena_zalloc(&m->arena, (o->n + 1) *
		    sizeof *o->line);
		for (k = 0; k < o->n; k++)
			o->line[k] = io_text(&io, STR_EMPTY);
	}
	return whole(&io, why);
}

static const struct map *
image_sets(struct image *m)
{
	if (!m->has_set) {
		m->has_set = true;
		m->bad_set = !read_sets(m);
	}
	return m->bad_set ? NULL : &m->set;
}

bool
image_set(void *image, size_t i, struct str *name, const struct str **line,
    size_t *n)
{
	const struct map *sets = image_sets(image);
	const struct site_object *o;

	if (sets == NULL || i >= sets->n)
		return false;
	o = sets->entry[i].v.ptr;
	*name = sets->entry[i].key;
	*line = o->line;
	*n = o->n;
	return true;
}

const struct objects *
image_objects(struct image *m)
{
	return &m->objects;
}

/* --- which scripts there are --- */

int
image_pair_order(const struct image_pair *a, const struct image_pair *b)
{
	int c = str_cmp(a->alert, b->alert);

	return c != 0 ? c : str_cmp(a->script, b->script);
}

/* A view into the part; false: it is damaged. */
static bool
view(struct image_io *io, struct str *s)
{
	size_t n = (size_t)io_int(io, 4, 0);

	if (io->bad || n > io->left)
		return false;
	*s = str_of((const char *)io->p, n);
	io->p += n;
	io->left -= n;
	return true;
}

static bool
pair_at(const struct image *m, uint32_t i, struct image_pair *p)
{
	size_t first = 4 + (size_t)m->npair * 4;
	uint64_t at = image_get(m->pair + 4 + (size_t)i * 4, 4);
	struct image_io io;

	if (at > m->pair_n - first)
		return false;
	io = (struct image_io){ .p = m->pair + first + at,
	    .left = m->pair_n - first - at };
	return view(&io, &p->alert) && view(&io, &p->script);
}

static bool
read_pairs(struct image *m)
{
	char why[LIM_IMAGE_WHY];
	struct image_io io;

	if (!part(m, PART_PAIRS, &io, why) || io.left < 4)
		return false;
	m->pair = io.p;
	m->pair_n = io.left;
	m->npair = (uint32_t)image_get(io.p, 4);
	return m->npair <= (io.left - 4) / 4;
}

bool
image_there(void *image, struct str alert, struct str script)
{
	struct image *m = image;
	struct image_pair want = { alert, script }, p;
	uint32_t lo = 0, hi, mid;
	int c;

	if (!m->has_pair) {
		m->has_pair = true;
		m->bad_pair = !read_pairs(m);
	}
	if (m->bad_pair)
		return true;
	for (hi = m->npair; lo < hi;) {
		mid = lo + (hi - lo) / 2;
		if (!pair_at(m, mid, &p))
			return true;
		c = image_pair_order(&want, &p);
		if (c == 0)
			return true;
		if (c < 0)
			hi = mid;
		else
			lo = mid + 1;
	}
	return false;
}
