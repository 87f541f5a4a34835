/*
 * kept: what of a script outlives a line or a run.  The values of the run
 * before are read once, into an arena; those of lines with keys into a row
 * each.  What this run keeps goes to the host at once, line by line: only
 * what this run adds to it takes memory.
 */
#include "lang/base/map.h"
#include "engine/vm/state.h"

#define KEY_JOIN	'\034'	/* as in keys of arrays */
#define KEPT_BLOCK	(16 * 1024)

union cell {
	double		 n;
	struct str	 s;
};

struct slot_now {		/* of a row of the program's table */
	union cell	 previous;	/* the script's own */
	union cell	 before;	/* at the end of the last line */
	struct own	 own;		/* of a string before */
	struct array	 array;		/* of changed elements before */
	uint32_t	 column;	/* in rows */
	uint32_t	 assigned;	/* the line's stamp */
};

struct kept_values {
	double		 began;		/* this run */
	struct slot_now	*now;
	struct arena	 arena;
	struct map	 names;		/* "#x" to its number */
	struct map	 rows;		/* a key to its row */
	uint32_t	 ncolumn;
	bool		 fixed_key;	/* no statement can change it */
	bool		 asks_before;
	union cell	*row;		/* of the line with stamp row_gen */
	uint32_t	 row_gen;
	union cell	*last;		/* of the last line that has ended */
	struct buf	 key, name, text;
};

static union cell
nil(bool number)
{
	union cell c;

	if (number)
		c.n = NUM_NIL;
	else
		c.s = STR_NIL;
	return c;
}

void
kept_open(struct vm *vm)
{
	const struct program *p = vm->p;
	struct kept_values *v;
	struct slot_now *now;
	bool is_new;
	uint32_t i;

	if (p->nkept == 0)
		return;
	v = vm->kept = mem_zalloc(vm->mem, sizeof *v);
	arena_init(&v->arena, vm->mem, KEPT_BLOCK);
	map_init(&v->names, &v->arena);
	map_init(&v->rows, &v->arena);
	buf_init(&v->key, vm->mem);
	buf_init(&v->name, vm->mem);
	buf_init(&v->text, vm->mem);
	v->now = mem_zalloc(vm->mem, p->nkept * sizeof *v->now);
	v->fixed_key = true;
	for (i = 0; i < p->nkey; i++)
		if (!p->key[i].dat)
			v->fixed_key = false;
	for (i = 0; i < p->nkept; i++) {
		const struct kept *k = &p->kept[i];

		now = &v->now[i];
		now->previous = now->before = nil(k->number);
		if (k->by_line)
			now->column = v->ncolumn++;
		if (k->preceding)
			v->asks_before = true;
		array_init(&now->array, vm->mem, k->number, vm_retire, vm);
		buf_clear(&v->name);
		buf_putc(&v->name, k->number ? '#' : '$');
		buf_str(&v->name, k->name);
		map_put(&v->names, buf_view(&v->name), &is_new)->v.num = i;
	}
}

void
kept_free(struct vm *vm)
{
	struct kept_values *v = vm->kept;
	uint32_t i;

	if (v == NULL)
		return;
	for (i = 0; v->now != NULL && i < vm->p->nkept; i++) {
		mem_free(vm->mem, v->now[i].own.p, v->now[i].own.cap);
		array_free(&v->now[i].array);
	}
	mem_free(vm->mem, v->now, vm->p->nkept * sizeof *v->now);
	buf_free(&v->key);
	buf_free(&v->name);
	buf_free(&v->text);
	arena_free(&v->arena);
	mem_free(vm->mem, v, sizeof *v);
	vm->kept = NULL;
}

/* --- the run before --- */

static union cell *
row_of(struct vm *vm, struct kept_values *v, struct str key)
{
	struct map_entry *e;
	union cell *row;
	bool is_new;
	uint32_t i;

	e = map_put(&v->rows, key, &is_new);
	if (!is_new)
		return e->v.ptr;
	row = arena_alloc(&v->arena, v->ncolumn * sizeof *row);
	for (i = 0; i < vm->p->nkept; i++)
		if (vm->p->kept[i].by_line)
			row[v->now[i].column] = nil(vm->p->kept[i].number);
	return e->v.ptr = row;
}

static double
number_of(struct str text)
{
	if (str_none(text))
		return text.n == 0 ? NUM_NIL : NUM_ERR;
	return num_parse(text, false);
}

static void
load(void *arg, struct str key, bool number, struct str name,
    struct str element, struct str text)
{
	struct vm *vm = arg;
	struct kept_values *v = vm->kept;
	const struct map_entry *e;
	const struct kept *k;
	union cell *cell;
	struct array *a;

	buf_clear(&v->name);
	buf_putc(&v->name, number ? '#' : '$');
	buf_str(&v->name, name);
	e = map_get(&v->names, buf_view(&v->name));
	if (e == NULL)
		return;
	k = &vm->p->kept[e->v.num];
	/* the script may have changed since: what does not fit is as if new */
	if (!k->previous || (k->kind == KEPT_ARRAY) == str_none(element) ||
	    (!str_none(key) && !k->by_line))
		return;
	if (k->kind == KEPT_ARRAY) {
		a = &vm->arr[k->array];
		if (number)
			array_make(a, element)->n = number_of(text);
		else
			array_put_str(a, element, text);
		return;
	}
	cell = str_none(key) ? &v->now[e->v.num].previous :
	    &row_of(vm, v, key)[v->now[e->v.num].column];
	if (number)
		cell->n = number_of(text);
	else
		cell->s = str_none(text) ? text : arena_dup(&v->arena, text);
}

bool
vm_load(struct vm *vm)
{
	uint32_t i;

	if (vm->kept != NULL)
		vm->kept->began = vm->host->clock(vm->h);
	for (i = 0; i < vm->p->nkept; i++)
		if (vm->p->kept[i].previous)
			return vm->host->previous(vm->h, load, vm);
	return true;
}

/* --- the line's key --- */

/* What was read of the line is not read again, nor counted again as bad. */
static double
dat_n(struct vm *vm, uint32_t i)
{
	return vm->datgen[i] == vm->gen ? vm->datn[i] : vm_dat_number(vm, i);
}

static struct str
dat_s(struct vm *vm, uint32_t i)
{
	return vm->datgen[i] == vm->gen ? vm->dats[i] : vm_dat_string(vm, i);
}

static double
variable_n(const struct vm *vm, uint32_t i)
{
	return i < vm->p->nnvar ? vm->n[i] : vm->farn[i - vm->p->nnvar];
}

static struct str
variable_s(const struct vm *vm, uint32_t i)
{
	return i < vm->p->nsvar ? vm->s[i] : vm->fars[i - vm->p->nsvar];
}

/* Joined as keys of arrays are; NIL if the line has none of its parts. */
static struct str
line_key(struct vm *vm)
{
	const struct program *p = vm->p;
	struct buf *b = &vm->kept->key;
	char t[NUM_TEXT_MAX];
	bool any = false;
	uint32_t i;

	buf_clear(b);
	for (i = 0; i < p->nkey; i++) {
		const struct key_part *k = &p->key[i];

		if (i > 0)
			buf_putc(b, KEY_JOIN);
		if (k->number) {
			double d = k->dat ? dat_n(vm, k->index) :
			    variable_n(vm, k->index);

			buf_add(b, t, num_text(d, t));
			any = any || !num_none(d);
		} else {
			struct str s = k->dat ? dat_s(vm, k->index) :
			    variable_s(vm, k->index);

			buf_str(b, s);
			any = any || !str_none(s);
		}
	}
	return any ? buf_view(b) : STR_NIL;
}

/* The values of the run before of this line's key, or NULL. */
static union cell *
line_row(struct vm *vm)
{
	struct kept_values *v = vm->kept;
	const struct map_entry *e;
	struct str key;

	if (vm->in_end)
		return v->last;
	if (v->fixed_key && v->row_gen == vm->gen)
		return v->row;
	key = str_none(vm->line) ? STR_NIL : line_key(vm);
	e = str_none(key) ? NULL : map_get(&v->rows, key);
	v->row_gen = vm->gen;
	return v->row = e == NULL ? NULL : e->v.ptr;
}

double
kept_previous_n(struct vm *vm, uint32_t i, bool by_line)
{
	struct kept_values *v = vm->kept;
	union cell *row;

	if (!by_line)
		return v->now[i].previous.n;
	row = line_row(vm);
	return row == NULL ? NUM_NIL : row[v->now[i].column].n;
}

struct str
kept_previous_s(struct vm *vm, uint32_t i, bool by_line)
{
	struct kept_values *v = vm->kept;
	union cell *row;

	if (!by_line)
		return v->now[i].previous.s;
	row = line_row(vm);
	return row == NULL ? STR_NIL : row[v->now[i].column].s;
}

/* --- the line before --- */

double
kept_before_n(struct vm *vm, uint32_t i)
{
	return vm->kept->now[i].before.n;
}

/* What the variable's bytes are when the line ends may change in it. */
struct str
kept_before_s(struct vm *vm, uint32_t i)
{
	return vm->kept->now[i].before.s;
}

const struct array_item *
kept_before_item(struct vm *vm, unsigned array, struct str key)
{
	const struct array *a = &vm->arr[array];
	const struct array_item *it;

	if (a->before == NULL || str_none(key))
		return NULL;	/* no line has ended yet */
	it = array_find(a->before, key);
	return it != NULL ? it : array_find(a, key);
}

static void
remember(struct vm *vm, const struct kept *k, struct slot_now *now)
{
	switch (k->kind) {
	case KEPT_ARRAY:
		vm->arr[k->index].before = &now->array;
		if (now->array.nlive > 0)
			array_clear(&now->array);
		break;
	case KEPT_DAT:
		if (k->number)
			now->before.n = dat_n(vm, k->index);
		else
			vm_store(vm, &now->own, &now->before.s,
			    dat_s(vm, k->index));
		break;
	default:
		if (k->number)
			now->before.n = variable_n(vm, k->index);
		else
			vm_store(vm, &now->own, &now->before.s,
			    variable_s(vm, k->index));
		break;
	}
}

/* --- the next run --- */

void
kept_assign(struct vm *vm, uint32_t i)
{
	vm->kept->now[i].assigned = vm->gen;
}

static void
keep_n(struct vm *vm, struct str key, struct str name, struct str element,
    double d)
{
	char t[NUM_TEXT_MAX];

	vm->host->keep(vm->h, key, true, name, element, num_is_nil(d) ?
	    STR_NIL : num_none(d) ? STR_ERR : str_of(t, num_text(d, t)));
}

static double
number_now(struct vm *vm, const struct kept *k)
{
	return k->kind == KEPT_DAT ? dat_n(vm, k->index) :
	    variable_n(vm, k->index);
}

/* The last values that were, less the oldest of too many, and the newest. */
static struct str
window(struct vm *vm, struct str was, double value, double most)
{
	struct buf *b = &vm->kept->text;
	char t[NUM_TEXT_MAX];
	double n = 1;
	size_t i;

	if (num_none(value))
		return was;
	for (i = was.n; i > 0; i--)
		if (was.p[i - 1] == ' ' && ++n > most - 1)
			break;
	buf_clear(b);
	if (!str_none(was) && was.n > 0) {
		buf_str(b, str_of(was.p + i, was.n - i));
		buf_putc(b, ' ');
	}
	buf_add(b, t, num_text(value, t));
	return buf_view(b);
}

double
vm_ewma(double average, double value, double weight)
{
	if (num_none(value))
		return average;
	return num_none(average) ? value :
	    weight * value + (1 - weight) * average;
}

double
vm_began(struct vm *vm)
{
	return vm->kept == NULL ? NUM_NIL : vm->kept->began;
}

/* What goes on from the run before: of the key's row, or the script's own. */
static void
keep_history(struct vm *vm, struct str key, const struct kept *k)
{
	struct kept_values *v = vm->kept;
	const struct slot_now *now = &v->now[k - vm->p->kept];
	double value = number_now(vm, &vm->p->kept[k->index]);
	union cell was = nil(k->number);

	if (str_none(key))
		was = now->previous;
	else if (v->last != NULL)
		was = v->last[now->column];
	if (k->kind == KEPT_TIME)
		keep_n(vm, key, k->name, STR_NIL, v->began);
	else if (k->kind == KEPT_EWMA)
		keep_n(vm, key, k->name, STR_NIL,
		    vm_ewma(was.n, value, k->param));
	else
		vm->host->keep(vm->h, key, false, k->name, STR_NIL,
		    window(vm, was.s, value, k->param));
}

static void
keep(struct vm *vm, struct str key, const struct kept *k)
{
	bool dat = k->kind == KEPT_DAT;

	if (k->kind >= KEPT_TIME)
		keep_history(vm, key, k);
	else if (k->number)
		keep_n(vm, key, k->name, STR_NIL, number_now(vm, k));
	else
		vm->host->keep(vm->h, key, false, k->name, STR_NIL, dat ?
		    dat_s(vm, k->index) : variable_s(vm, k->index));
}

static void
keep_array(struct vm *vm, const struct kept *k)
{
	const struct array *a = &vm->arr[k->index];
	size_t i;

	for (i = 0; i < a->nitem; i++) {
		const struct array_item *it = &a->item[i];
		struct str element = str_of(it->key, it->nkey);

		if (it->key == NULL)
			continue;
		if (k->number)
			keep_n(vm, STR_NIL, k->name, element, it->n);
		else
			vm->host->keep(vm->h, STR_NIL, false, k->name, element,
			    array_item_str(it));
	}
}

/* The line has ended, in whatever way: what is kept of it is read now. */
void
kept_line_end(struct vm *vm)
{
	const struct program *p = vm->p;
	struct kept_values *v = vm->kept;
	const struct map_entry *e;
	struct str key;
	uint32_t i, of;

	for (i = 0; v->asks_before && i < p->nkept; i++)
		if (p->kept[i].preceding)
			remember(vm, &p->kept[i], &v->now[i]);
	if (v->ncolumn == 0)
		return;
	key = line_key(vm);
	e = str_none(key) ? NULL : map_get(&v->rows, key);
	v->last = e == NULL ? NULL : e->v.ptr;
	if (str_none(key))
		return;
	vm->host->seen(vm->h, key);
	for (i = 0; i < p->nkept; i++) {
		of = p->kept[i].kind >= KEPT_TIME ? p->kept[i].index : i;
		if (p->kept[i].by_line && (p->kept[of].kind == KEPT_DAT ||
		    v->now[of].assigned == vm->gen))
			keep(vm, key, &p->kept[i]);
	}
}

void
vm_keep(struct vm *vm, struct str last)
{
	const struct kept *k;
	size_t nbad = vm->nbad;
	uint32_t i;
	bool dat = false;

	for (i = 0; i < vm->p->nkept; i++)
		dat = dat || (vm->p->kept[i].previous &&
		    vm->p->kept[i].kind == KEPT_DAT);
	if (dat) {		/* they are those of the last line */
		vm_new_line(vm, last);
		vm_last_row(vm);
	}
	for (i = 0; i < vm->p->nkept; i++) {
		k = &vm->p->kept[i];
		if (!k->previous)
			continue;
		if (k->kind == KEPT_ARRAY)
			keep_array(vm, k);
		else
			keep(vm, STR_NIL, k);
	}
	vm->nbad = nbad;	/* the last line's were counted with it */
}
