#include "engine/state/leaves.h"

#include <sys/stat.h>
#include <unistd.h>

#define HEAD		100	/* bytes of the file's, on its first page */
#define LEAF_HEAD	8	/* and of a leaf page's */
#define LEAF		0x0d
#define FIRST_FREE	32	/* where the file's head has the free pages */
#define COUNT_FREE	36

struct file {
	int		 fd;
	struct mem	*mem;
	uint32_t	 size, npage;	/* of a page; of the file */
	unsigned char	*page, *more;	/* a leaf, a page that it goes on in */
	unsigned char	*free;		/* a bit for each page */
	bool		 free_known;
	struct buf	 row;
	size_t		 most;
	leaf_fn		*fn;
	void		*arg;
};

static uint32_t
get(const unsigned char *p, unsigned n)
{
	uint32_t v = 0;

	while (n-- > 0)
		v = v << 8 | *p++;
	return v;
}

/* Page numbers begin at 1. */
static bool
read_page(struct file *f, uint32_t n, unsigned char *to)
{
	return n >= 1 && n <= f->npage && pread(f->fd, to, f->size,
	    (off_t)(n - 1) * f->size) == (ssize_t)f->size;
}

/* A number of up to nine bytes; what stands at the end of all is none. */
static bool
varint(const unsigned char **p, const unsigned char *end, uint64_t *v)
{
	unsigned i;

	*v = 0;
	for (i = 0; i < 8 && *p < end; i++) {
		*v = *v << 7 | (**p & 0x7f);
		if ((*(*p)++ & 0x80) == 0)
			return true;
	}
	if (i < 8 || *p >= end)
		return false;
	*v = *v << 8 | *(*p)++;
	return true;
}

static bool
is_free(const struct file *f, uint32_t n)
{
	return (f->free[n / 8] >> n % 8 & 1) != 0;
}

/* True: it was not yet. */
static bool
set_free(struct file *f, uint32_t n)
{
	if (n < 1 || n > f->npage || is_free(f, n))
		return false;
	f->free[n / 8] |= (unsigned char)(1u << n % 8);
	return true;
}

/*
 * A free page may still hold rows, which have been deleted.  The list of them
 * is a chain of pages, each with the next one, a count, and so many numbers;
 * one that does not add up is not trusted.
 */
static bool
find_free(struct file *f)
{
	uint32_t next, left, n, i;

	if (!read_page(f, 1, f->page) ||
	    memcmp(f->page, "SQLite format 3", 16) != 0)
		return false;
	next = get(f->page + FIRST_FREE, 4);
	left = get(f->page + COUNT_FREE, 4);
	for (; next != 0; next = get(f->page, 4)) {
		if (left-- == 0 || !set_free(f, next) ||
		    !read_page(f, next, f->page))
			return false;
		n = get(f->page + 4, 4);
		if (n > f->size / 4 - 2 || n > left)
			return false;
		left -= n;
		for (i = 0; i < n; i++)
			if (!set_free(f, get(f->page + 8 + 4 * i, 4)))
				return false;
	}
	return left == 0;
}

/* A row's bytes, which may go on in a chain of pages. */
static bool
gather(struct file *f, const unsigned char *p, const unsigned char *end,
    uint64_t size)
{
	uint64_t local = size, least = (f->size - 12) * 32 / 255 - 23;
	uint32_t next;
	size_t n;

	if (size > f->most)
		return false;
	if (size > f->size - 35) {
		local = least + (size - least) % (f->size - 4);
		if (local > f->size - 35)
			local = least;
	}
	if (local + (local < size ? 4 : 0) > (size_t)(end - p))
		return false;
	buf_clear(&f->row);
	buf_add(&f->row, (const char *)p, (size_t)local);
	if (local == size)
		return true;
	/* each page takes something of the size, so a ring ends, too */
	for (next = get(p + local, 4); f->row.n < size;
	    next = get(f->more, 4)) {
		if (!read_page(f, next, f->more))
			return false;
		n = (size_t)size - f->row.n;
		if (n > f->size - 4)
			n = f->size - 4;
		buf_add(&f->row, (const char *)f->more + 4, n);
	}
	return true;
}

/* One field of a type as a row's head has it. */
static bool
field(uint64_t type, const unsigned char **p, const unsigned char *end,
    struct field *to)
{
	static const unsigned char width[] = { 0, 1, 2, 3, 4, 6, 8, 8, 0, 0 };
	uint64_t bits = 0;
	size_t n, i;

	memset(to, 0, sizeof *to);
	to->t = STR_NIL;
	if (type >= 12) {
		if ((type - 12) / 2 > (size_t)(end - *p))
			return false;
		n = (size_t)((type - 12) / 2);
		to->type = FIELD_BYTES;
		to->t = str_of((const char *)*p, n);
		*p += n;
		return true;
	}
	if (type >= sizeof width)
		return false;
	n = width[type];
	if (n > (size_t)(end - *p))
		return false;
	for (i = 0; i < n; i++)
		bits = bits << 8 | (*p)[i];
	*p += n;
	if (type == 0)
		return true;
	if (type == 7) {
		to->type = FIELD_REAL;
		memcpy(&to->d, &bits, sizeof to->d);
		return true;
	}
	to->type = FIELD_INT;
	if (type >= 8)
		bits = type - 8;
	else if (n < 8 && (bits >> (8 * n - 1) & 1) != 0)
		bits |= UINT64_MAX << 8 * n;	/* its sign */
	memcpy(&to->i, &bits, sizeof to->i);
	return true;
}

/* The fields of the row at hand; how many, 0: it is none. */
static unsigned
fields(const struct file *f, struct field *to)
{
	const unsigned char *p = (const unsigned char *)f->row.p;
	const unsigned char *end = p + f->row.n, *head = p, *head_end;
	uint64_t size, type;
	unsigned n = 0;

	if (!varint(&head, end, &size) || size > f->row.n)
		return 0;
	head_end = p + size;
	for (p = head_end; head < head_end; n++)
		if (n == LIM_LEAF_FIELDS || !varint(&head, head_end, &type) ||
		    !field(type, &p, end, &to[n]))
			return 0;
	return head == head_end && p == end ? n : 0;
}

/* The rows of a leaf page; base: where its head is. */
static bool
one_page(struct file *f, unsigned base)
{
	const unsigned char *end = f->page + f->size, *p;
	uint32_t n = get(f->page + base + 3, 2), i, at;
	struct field to[LIM_LEAF_FIELDS];
	uint64_t size, id;
	int64_t signed_id;
	unsigned count;

	if (n > (f->size - base - LEAF_HEAD) / 2)
		return true;
	for (i = 0; i < n; i++) {
		at = get(f->page + base + LEAF_HEAD + 2 * i, 2);
		if (at < base + LEAF_HEAD + 2 * n || at >= f->size)
			continue;
		p = f->page + at;
		if (!varint(&p, end, &size) || !varint(&p, end, &id) ||
		    size == 0 || !gather(f, p, end, size) ||
		    (count = fields(f, to)) == 0)
			continue;
		memcpy(&signed_id, &id, sizeof signed_id);
		if (!f->fn(f->arg, signed_id, to, count, f->free_known))
			return false;
	}
	return true;
}

/* The size of a page as the file says it; else what we make. */
static uint32_t
page_size(int fd)
{
	unsigned char head[HEAD];
	uint32_t n = 4096;

	if (pread(fd, head, sizeof head, 0) == (ssize_t)sizeof head &&
	    memcmp(head, "SQLite format 3", 16) == 0) {
		n = get(head + 16, 2);
		if (n == 1)
			n = 65536;
		if (n < 512 || (n & (n - 1)) != 0)
			n = 4096;
	}
	return n;
}

bool
leaves(int fd, size_t most, struct mem *m, leaf_fn *fn, void *arg)
{
	struct file f = { .fd = fd, .mem = m, .most = most, .fn = fn,
	    .arg = arg };
	struct stat st;
	uint32_t n;
	unsigned base;
	size_t bits;
	bool more = true;

	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_size <= 0)
		return false;
	f.size = page_size(fd);
	f.npage = st.st_size / f.size >= LIM_LEAF_PAGES ? LIM_LEAF_PAGES :
	    (uint32_t)(st.st_size / f.size);
	bits = f.npage / 8 + 1;
	f.page = mem_alloc(m, f.size);
	f.more = mem_alloc(m, f.size);
	f.free = mem_zalloc(m, bits);
	buf_init(&f.row, m);
	f.free_known = find_free(&f);
	for (n = 1; n <= f.npage && more; n++) {
		base = n == 1 ? HEAD : 0;
		if ((f.free_known && is_free(&f, n)) ||
		    !read_page(&f, n, f.page) || f.page[base] != LEAF)
			continue;
		more = one_page(&f, base);
	}
	buf_free(&f.row);
	mem_free(m, f.page, f.size);
	mem_free(m, f.more, f.size);
	mem_free(m, f.free, bits);
	return more;
}
