/*
 * array: see array.h.  An open hash table of item numbers over a dense list
 * of items: the list keeps the order of insertion, the table finds a key with
 * linear probing.  Deleting shifts the table back (no tombstones) and leaves
 * a hole in the list; holes are squeezed out when the list is full.
 *
 * Each step leaves the array whole before it asks for memory, since a refused
 * allocation never returns here.
 */
#include "engine/vm/array.h"

#include "lang/base/map.h"
#include "lang/base/num.h"

#define ARRAY_FIRST	8	/* items of the first list: most arrays are small */
#define LIM_ARRAY_ITEMS	(UINT32_MAX / 4) /* slots hold item numbers in 32 bits,
				 * and there are twice as many slots */

void
array_init(struct array *a, struct mem *mem, bool number,
    void (*retire)(void *, void *, size_t), void *ctx)
{
	memset(a, 0, sizeof *a);
	a->mem = mem;
	a->retire = retire;
	a->ctx = ctx;
	a->number = number;
}

static void
drop_tables(struct array *a)
{
	mem_free(a->mem, a->item, a->cap * sizeof *a->item);
	mem_free(a->mem, a->slot, a->nslot * sizeof *a->slot);
	a->item = NULL;
	a->slot = NULL;
	a->nitem = a->cap = a->nlive = a->nslot = 0;
}

void
array_free(struct array *a)
{
	size_t i;

	for (i = 0; i < a->nitem; i++) {
		struct array_item *it = &a->item[i];

		if (it->key == NULL)
			continue;
		mem_free(a->mem, it->key, it->nkey);
		mem_free(a->mem, it->p, it->cap);
	}
	drop_tables(a);
}

/* The slot that holds the key, or the empty one where it would go. */
static size_t
slot_of(const struct array *a, struct str key, uint64_t hash)
{
	size_t mask = a->nslot - 1, at = (size_t)hash & mask;

	while (a->slot[at] != 0) {
		const struct array_item *it = &a->item[a->slot[at] - 1];

		if (it->hash == hash && it->nkey == key.n &&
		    memcmp(it->key, key.p, key.n) == 0)
			break;
		at = (at + 1) & mask;
	}
	return at;
}

/* Enters all items into an empty table. */
static void
fill_slots(struct array *a)
{
	size_t i, mask = a->nslot - 1;

	for (i = 0; i < a->nitem; i++) {
		size_t at;

		if (a->item[i].key == NULL)
			continue;
		at = (size_t)a->item[i].hash & mask;
		while (a->slot[at] != 0)
			at = (at + 1) & mask;
		a->slot[at] = (uint32_t)(i + 1);
	}
}

static void
squeeze(struct array *a)
{
	size_t i, n = 0;

	for (i = 0; i < a->nitem; i++)
		if (a->item[i].key != NULL)
			a->item[n++] = a->item[i];
	a->nitem = n;
	memset(a->slot, 0, a->nslot * sizeof *a->slot);
	fill_slots(a);
}

/*
 * Room for one more item and its slot.  A full list with a quarter of holes
 * is squeezed, any other doubled: either way a step costs O(1) on average,
 * also for a queue that takes from the front and adds at the end.
 */
static void
make_room(struct array *a)
{
	size_t cap;
	uint32_t *slot;

	if (a->nitem < a->cap)
		return;
	if (a->cap > 0 && a->nlive <= a->cap - a->cap / 4) {
		squeeze(a);
		return;
	}
	cap = a->cap == 0 ? ARRAY_FIRST : a->cap * 2;
	if (cap > LIM_ARRAY_ITEMS)
		mem_fail(a->mem, true);
	/* The table first: a list longer than its table would be no harm, a
	 * full table would be. */
	slot = mem_zalloc(a->mem, cap * 2 * sizeof *slot);
	mem_free(a->mem, a->slot, a->nslot * sizeof *slot);
	a->slot = slot;
	a->nslot = cap * 2;
	fill_slots(a);
	a->item = mem_realloc(a->mem, a->item, a->cap * sizeof *a->item,
	    cap * sizeof *a->item);
	a->cap = cap;
}

struct array_item *
array_find(const struct array *a, struct str key)
{
	size_t at;

	if (a->nlive == 0)
		return NULL;
	at = slot_of(a, key, hash_bytes(key.p, key.n));
	return a->slot[at] == 0 ? NULL : &a->item[a->slot[at] - 1];
}

/* The item as it is, or that there is none, unless that is known already. */
static void
keep_before(struct array *a, struct str key, const struct array_item *it)
{
	struct array *b = a->before;

	if (array_find(b, key) != NULL)
		return;
	if (a->number)
		array_make(b, key)->n = it == NULL ? NUM_NIL : it->n;
	else
		array_put_str(b, key, it == NULL ? STR_NIL :
		    array_item_str(it));
}

struct array_item *
array_make(struct array *a, struct str key)
{
	uint64_t hash = hash_bytes(key.p, key.n);
	struct array_item *it;
	size_t at;
	char *copy;

	if (a->before != NULL)
		keep_before(a, key, array_find(a, key));
	if (a->nslot > 0) {
		at = slot_of(a, key, hash);
		if (a->slot[at] != 0)
			return &a->item[a->slot[at] - 1];
	}
	make_room(a);
	copy = mem_alloc(a->mem, key.n);
	if (key.n > 0)
		memcpy(copy, key.p, key.n);
	at = slot_of(a, key, hash);
	it = &a->item[a->nitem++];
	memset(it, 0, sizeof *it);
	it->key = copy;
	it->nkey = key.n;
	it->hash = hash;
	it->n = NUM_NIL;
	a->slot[at] = (uint32_t)a->nitem;
	a->nlive++;
	return it;
}

void
array_put_str(struct array *a, struct str key, struct str v)
{
	struct array_item *it = array_make(a, key);
	char *p = NULL;

	/* v may be a view of the old value: copy before that one retires. */
	if (!str_none(v)) {
		p = mem_alloc(a->mem, v.n);
		if (v.n > 0)
			memcpy(p, v.p, v.n);
	}
	if (it->p != NULL)
		a->retire(a->ctx, it->p, it->cap);
	it->p = p;
	it->np = it->cap = p == NULL ? 0 : v.n;
	it->n = v.p == NULL && v.n != 0 ? NUM_ERR : NUM_NIL;
}

struct str
array_item_str(const struct array_item *it)
{
	if (it->p != NULL)
		return str_of(it->p, it->np);
	return num_is_err(it->n) ? STR_ERR : STR_NIL;
}

/* Empties a slot and moves back what only stood behind it for its sake. */
static void
free_slot(struct array *a, size_t at)
{
	size_t mask = a->nslot - 1, hole = at;

	for (;;) {
		size_t home;

		at = (at + 1) & mask;
		if (a->slot[at] == 0)
			break;
		home = (size_t)a->item[a->slot[at] - 1].hash & mask;
		/* It may move if the hole lies between its home and it. */
		if (((at - home) & mask) >= ((at - hole) & mask)) {
			a->slot[hole] = a->slot[at];
			hole = at;
		}
	}
	a->slot[hole] = 0;
}

static void
retire_item(struct array *a, struct array_item *it)
{
	a->retire(a->ctx, it->key, it->nkey);
	if (it->p != NULL)
		a->retire(a->ctx, it->p, it->cap);
	it->key = it->p = NULL;
}

bool
array_del(struct array *a, struct str key)
{
	size_t at;
	uint32_t i;

	if (a->nlive == 0)
		return false;
	at = slot_of(a, key, hash_bytes(key.p, key.n));
	i = a->slot[at];
	if (i == 0)
		return false;
	if (a->before != NULL)
		keep_before(a, key, &a->item[i - 1]);
	free_slot(a, at);
	retire_item(a, &a->item[i - 1]);
	a->nlive--;
	while (a->nitem > 0 && a->item[a->nitem - 1].key == NULL)
		a->nitem--;
	return true;
}

void
array_clear(struct array *a)
{
	size_t i;

	for (i = 0; i < a->nitem && a->before != NULL; i++)
		if (a->item[i].key != NULL)
			keep_before(a, str_of(a->item[i].key,
			    a->item[i].nkey), &a->item[i]);
	for (i = 0; i < a->nitem; i++)
		if (a->item[i].key != NULL)
			retire_item(a, &a->item[i]);
	drop_tables(a);
}
