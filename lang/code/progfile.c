#include "lang/code/progfile.h"

#include "lang/base/num.h"
#include "lang/table/builtin.h"
#include "lang/table/tables.h"

#define MAGIC		STR_LIT("picket\x1a\n")
#define LEN_NIL		UINT32_MAX	/* lengths that no text has */
#define LEN_ERR		(UINT32_MAX - 1)
#define PROGRAM_LEAST	238	/* bytes of a program with nothing in it */
#define FUNC_LEAST	61	/* and of a function */

/*
 * Both directions are one walk over the structures: each step hands its value
 * through, writing it or putting the one it read in its place.  So the reader
 * and the writer cannot differ.
 */
struct io {
	struct buf		*out;	/* writing, if not NULL */
	const unsigned char	*p;	/* reading */
	size_t			 left;
	struct arena		*arena;
	const char		*why;	/* first fault; all else then reads 0 */
};

static uint64_t
io_int(struct io *io, unsigned bytes, uint64_t v)
{
	unsigned i;

	if (io->out != NULL) {
		for (i = 0; i < bytes; i++)
			buf_putc(io->out, (char)(v >> 8 * i));
		return v;
	}
	if (io->left < bytes)
		io->why = "is damaged";
	if (io->why != NULL)
		return 0;
	v = 0;
	for (i = 0; i < bytes; i++)
		v |= (uint64_t)io->p[i] << 8 * i;
	io->p += bytes;
	io->left -= bytes;
	return v;
}

static uint32_t
io_u32(struct io *io, uint32_t v)
{
	return (uint32_t)io_int(io, 4, v);
}

/* Enumerations; verify judges their values. */
static unsigned
io_u8(struct io *io, unsigned v)
{
	return (unsigned)io_int(io, 1, v);
}

static bool
io_bool(struct io *io, bool v)
{
	uint64_t b = io_int(io, 1, v);

	if (b > 1)
		io->why = "is damaged";
	return b == 1;
}

static double
io_num(struct io *io, double d)
{
	return num_of_bits(io_int(io, 8, num_bits(d)));
}

static struct str
io_str(struct io *io, struct str s)
{
	uint32_t n;

	if (io->out != NULL) {
		if (str_none(s))
			io_u32(io, s.n == 0 ? LEN_NIL : LEN_ERR);
		else {
			io_u32(io, (uint32_t)s.n);
			buf_add(io->out, s.p, s.n);
		}
		return s;
	}
	n = io_u32(io, 0);
	if (n == LEN_NIL)
		return STR_NIL;
	if (n == LEN_ERR)
		return STR_ERR;
	if (n > io->left)
		io->why = "is damaged";
	if (io->why != NULL)
		return STR_EMPTY;
	s = arena_dup(io->arena, str_of((const char *)io->p, n));
	io->p += n;
	io->left -= n;
	return s;
}

/*
 * An array: its count, then the place of its elements, which the caller walks.
 * least: bytes that an element takes in the file at least; a count that
 * cannot fit into the bytes left is refused before memory is taken.
 */
static void *
io_array(struct io *io, void *p, uint32_t *n, size_t size, size_t least)
{
	*n = io_u32(io, *n);
	if (io->out != NULL)
		return p;
	if (*n > io->left / least || *n > SIZE_MAX / size)
		io->why = "is damaged";
	if (io->why != NULL)
		*n = 0;
	return *n == 0 ? NULL : arena_zalloc(io->arena, *n * size);
}

static struct str *
io_strs(struct io *io, struct str *s, uint32_t *n)
{
	uint32_t i;

	s = io_array(io, s, n, sizeof *s, 4);
	for (i = 0; i < *n; i++)
		s[i] = io_str(io, s[i]);
	return s;
}

static void
io_word(struct io *io, struct word *w)
{
	struct piece *x;
	uint32_t i;

	w->piece = io_array(io, w->piece, &w->npiece, sizeof *w->piece, 14);
	for (i = 0; i < w->npiece; i++) {
		x = &w->piece[i];
		x->data = io_bool(io, x->data);
		x->text = io_str(io, x->text);
		x->kind = (enum data_kind)io_u8(io, x->kind);
		x->flags = io_u32(io, x->flags);
		x->index = io_u32(io, x->index);
	}
}

static void
io_template(struct io *io, struct template *t)
{
	uint32_t i;

	t->shell = io_bool(io, t->shell);
	t->raw = io_bool(io, t->raw);
	t->show = io_str(io, t->show);
	t->ndata = io_u32(io, t->ndata);
	t->word = io_array(io, t->word, &t->nword, sizeof *t->word, 4);
	for (i = 0; i < t->nword; i++)
		io_word(io, &t->word[i]);
}

static void
io_kept(struct io *io, struct program *p)
{
	struct key_part *key;
	struct kept *k;
	uint32_t i;

	p->kept = io_array(io, p->kept, &p->nkept, sizeof *p->kept, 25);
	for (i = 0; i < p->nkept; i++) {
		k = &p->kept[i];
		k->name = io_str(io, k->name);
		k->number = io_bool(io, k->number);
		k->kind = (enum kept_kind)io_u8(io, k->kind);
		k->index = io_u32(io, k->index);
		k->previous = io_bool(io, k->previous);
		k->preceding = io_bool(io, k->preceding);
		k->by_line = io_bool(io, k->by_line);
		k->array = io_u32(io, k->array);
		k->param = io_num(io, k->param);
	}
	p->key = io_array(io, p->key, &p->nkey, sizeof *p->key, 6);
	for (i = 0; i < p->nkey; i++) {
		key = &p->key[i];
		key->number = io_bool(io, key->number);
		key->dat = io_bool(io, key->dat);
		key->index = io_u32(io, key->index);
	}
	p->expire_runs = io_num(io, p->expire_runs);
	p->expire_seconds = io_num(io, p->expire_seconds);
}

static void
io_init(struct io *io, struct program *p)
{
	struct dat *d;
	uint32_t i;

	p->name = io_str(io, p->name);
	p->file = io_str(io, p->file);
	p->status = (enum status)io_u8(io, p->status);
	p->level = (enum level)io_u8(io, p->level);
	p->has_level = io_bool(io, p->has_level);
	p->input = (enum input)io_u8(io, p->input);
	p->has_task = io_bool(io, p->has_task);
	p->has_filter = io_bool(io, p->has_filter);
	p->standalone = io_bool(io, p->standalone);
	p->has_bakfile = io_bool(io, p->has_bakfile);
	p->table = io_u32(io, p->table);
	p->ntablearg = io_u32(io, p->ntablearg);
	p->has_where = io_bool(io, p->has_where);
	p->from_start = io_bool(io, p->from_start);
	p->format = (enum format)io_u8(io, p->format);
	p->seps = (enum seps)io_u8(io, p->seps);
	p->sep = io_str(io, p->sep);
	p->sep_regex = io_u32(io, p->sep_regex);
	io_kept(io, p);
	p->timeout = io_num(io, p->timeout);
	p->line_max = io_num(io, p->line_max);
	p->memory_max = io_num(io, p->memory_max);
	p->budget = io_num(io, p->budget);
	p->every = io_num(io, p->every);
	p->timing = io_str(io, p->timing);
	p->watch_memory = io_bool(io, p->watch_memory);
	p->affects_mail = io_bool(io, p->affects_mail);
	p->dat = io_array(io, p->dat, &p->ndat, sizeof *p->dat, 27);
	for (i = 0; i < p->ndat; i++) {
		d = &p->dat[i];
		d->name = io_str(io, d->name);
		d->number = io_bool(io, d->number);
		d->kind = (enum dat_kind)io_u8(io, d->kind);
		d->lo = io_u32(io, d->lo);
		d->hi = io_u32(io, d->hi);
		d->regex = io_u32(io, d->regex);
		d->as = (enum dat_as)io_u8(io, d->as);
		d->text = io_str(io, d->text);
		d->time = io_str(io, d->time);
	}
}

static void
io_code(struct io *io, struct program *p)
{
	struct line_entry *e;
	uint32_t i;

	p->code = io_array(io, p->code, &p->ncode, sizeof *p->code, 4);
	for (i = 0; i < p->ncode; i++)
		p->code[i] = io_u32(io, p->code[i]);
	p->pc_task = io_u32(io, p->pc_task);
	p->pc_input = io_u32(io, p->pc_input);
	p->pc_filter = io_u32(io, p->pc_filter);
	p->pc_bakfile = io_u32(io, p->pc_bakfile);
	p->pc_where = io_u32(io, p->pc_where);
	p->has_begin = io_bool(io, p->has_begin);
	p->has_rules = io_bool(io, p->has_rules);
	p->has_end = io_bool(io, p->has_end);
	p->pc_begin = io_u32(io, p->pc_begin);
	p->pc_rules = io_u32(io, p->pc_rules);
	p->pc_end = io_u32(io, p->pc_end);
	p->nrule = io_u32(io, p->nrule);
	p->lines = io_array(io, p->lines, &p->nlines, sizeof *p->lines, 16);
	for (i = 0; i < p->nlines; i++) {
		e = &p->lines[i];
		e->pc = io_u32(io, e->pc);
		e->file = io_u32(io, e->file);
		e->line = io_u32(io, e->line);
		e->col = io_u32(io, e->col);
	}
	p->files = io_strs(io, p->files, &p->nfiles);
}

/* The names of variables: as many as registers and far ones together. */
static struct str *
io_names(struct io *io, struct str *name, uint32_t near, uint32_t far)
{
	uint32_t n = near + far;

	name = io_strs(io, name, &n);
	if (io->why == NULL && (near > n || far != n - near))
		io->why = "is damaged";
	return name;
}

static void
io_funcs(struct io *io, struct program *p)
{
	struct func *f;
	uint32_t i, k;

	p->func = io_array(io, p->func, &p->nfunc, sizeof *p->func,
	    FUNC_LEAST);
	for (i = 0; i < p->nfunc; i++) {
		f = &p->func[i];
		f->name = io_str(io, f->name);
		f->pc = io_u32(io, f->pc);
		f->nnparam = io_u32(io, f->nnparam);
		f->nsparam = io_u32(io, f->nsparam);
		f->naparam = io_u32(io, f->naparam);
		f->nnvar = io_u32(io, f->nnvar);
		f->nsvar = io_u32(io, f->nsvar);
		f->nntemp = io_u32(io, f->nntemp);
		f->nstemp = io_u32(io, f->nstemp);
		f->nvar_name = io_names(io, f->nvar_name, f->nnvar, 0);
		f->svar_name = io_names(io, f->svar_name, f->nsvar, 0);
		f->array = io_array(io, f->array, &f->narray,
		    sizeof *f->array, 5);
		for (k = 0; k < f->narray; k++) {
			f->array[k].name = io_str(io, f->array[k].name);
			f->array[k].number = io_bool(io, f->array[k].number);
		}
		f->nslot = io_u32(io, f->nslot);
		f->handle = io_u32(io, f->handle);
		f->nhandle = io_u32(io, f->nhandle);
		f->fields = io_bool(io, f->fields);
	}
}

static void
io_values(struct io *io, struct program *p)
{
	uint32_t i;

	p->nnvar = io_u32(io, p->nnvar);
	p->nsvar = io_u32(io, p->nsvar);
	p->nntemp = io_u32(io, p->nntemp);
	p->nstemp = io_u32(io, p->nstemp);
	p->nnconst = io_u32(io, p->nnconst);
	p->nsconst = io_u32(io, p->nsconst);
	p->nfarn = io_u32(io, p->nfarn);
	p->nfars = io_u32(io, p->nfars);
	p->nvar_name = io_names(io, p->nvar_name, p->nnvar, p->nfarn);
	p->svar_name = io_names(io, p->svar_name, p->nsvar, p->nfars);
	p->num = io_array(io, p->num, &p->nnum, sizeof *p->num, 8);
	for (i = 0; i < p->nnum; i++)
		p->num[i] = io_num(io, p->num[i]);
	p->text = io_strs(io, p->text, &p->ntext);
	p->regex = io_array(io, p->regex, &p->nregex, sizeof *p->regex, 5);
	for (i = 0; i < p->nregex; i++) {
		p->regex[i].pattern = io_str(io, p->regex[i].pattern);
		p->regex[i].icase = io_bool(io, p->regex[i].icase);
	}
	p->tpl = io_array(io, p->tpl, &p->ntpl, sizeof *p->tpl, 14);
	for (i = 0; i < p->ntpl; i++)
		io_template(io, &p->tpl[i]);
	p->array = io_array(io, p->array, &p->narray, sizeof *p->array, 5);
	for (i = 0; i < p->narray; i++) {
		p->array[i].name = io_str(io, p->array[i].name);
		p->array[i].number = io_bool(io, p->array[i].number);
	}
	io_funcs(io, p);
	p->handle = io_strs(io, p->handle, &p->nhandle);
	p->nslot = io_u32(io, p->nslot);
	p->maxfield = io_u32(io, p->maxfield);
	p->end_uses_line = io_bool(io, p->end_uses_line);
}

static void
io_program(struct io *io, struct program *p)
{
	io_init(io, p);
	io_code(io, p);
	io_values(io, p);
}

#define FNV_START	UINT64_C(0xcbf29ce484222325)
#define FNV_PRIME	UINT64_C(0x00000100000001b3)

static uint64_t
fnv(uint64_t h, const char *p, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		h = (h ^ (unsigned char)p[i]) * FNV_PRIME;
	return h;
}

uint64_t
progfile_sum(struct str s)
{
	return fnv(FNV_START, s.p, s.n);
}

/* What instructions mean: names and shapes, and what calls refer to. */
uint64_t
progfile_tables(void)
{
	const struct builtin_info *b;
	uint64_t h = FNV_START;
	const char *s;
	int i;

	for (i = 0; i < OP_COUNT; i++) {
		s = opcode_name((enum opcode)i);
		h = fnv(h, s, strlen(s) + 1);
		s = opcode_shape((enum opcode)i);
		h = fnv(h, s, strlen(s) + 1);
	}
	for (i = 0; i < BI_COUNT; i++) {
		b = &builtin_info[i];
		h = fnv(h, b->names, strlen(b->names) + 1);
		h = fnv(h, b->args, strlen(b->args) + 1);
		h = fnv(h, &b->ret, 1);
	}
	for (i = 0; i < TABLE_COUNT; i++) {
		h = fnv(h, table_info[i].name, strlen(table_info[i].name) + 1);
		h = fnv(h, table_info[i].args, strlen(table_info[i].args) + 1);
	}
	for (i = 0; i < COLUMN_COUNT; i++) {
		h = fnv(h, &column_info[i].sigil, 1);
		h = fnv(h, column_info[i].name,
		    strlen(column_info[i].name) + 1);
	}
	return h;
}

bool
progfile_is(struct str bytes)
{
	return bytes.n >= MAGIC.n && memcmp(bytes.p, MAGIC.p, MAGIC.n) == 0;
}

void
progfile_write(const struct program_set *set, struct buf *out)
{
	struct io io = { .out = out };
	struct program p;
	struct str body;
	uint64_t sum;
	size_t at, i;

	buf_add(out, MAGIC.p, MAGIC.n);
	io_u32(&io, PROGFILE_VERSION);
	io_int(&io, 8, progfile_tables());
	at = out->n;
	io_int(&io, 8, 0);
	io_int(&io, 8, 0);
	io_u32(&io, (uint32_t)set->n);
	for (i = 0; i < set->n; i++) {
		p = set->program[i];
		io_program(&io, &p);
	}
	/* Now the length and the checksum, known only after it all. */
	body = str_of(out->p + at + 16, out->n - at - 16);
	sum = progfile_sum(body);	/* writing may move the bytes */
	io_int(&io, 8, body.n);
	io_int(&io, 8, sum);
	memmove(out->p + at, out->p + out->n - 16, 16);
	out->n -= 16;
}

bool
progfile_read(struct str bytes, struct arena *arena, struct program_set *out,
    const char **why)
{
	struct io io = { .arena = arena };
	uint64_t len, sum;
	uint32_t n = 0, i;

	*out = (struct program_set){ NULL, 0 };
	if (!progfile_is(bytes)) {
		*why = "is no compiled Picket program";
		return false;
	}
	if (bytes.n < PROGFILE_HEAD) {
		*why = "is cut short";
		return false;
	}
	io.p = (const unsigned char *)bytes.p + MAGIC.n;
	io.left = bytes.n - MAGIC.n;
	if (io_u32(&io, 0) != PROGFILE_VERSION ||
	    io_int(&io, 8, 0) != progfile_tables()) {
		*why = "was compiled by another version of Picket: "
		    "compile it again";
		return false;
	}
	len = io_int(&io, 8, 0);
	sum = io_int(&io, 8, 0);
	if (len != io.left) {
		*why = len > io.left ? "is cut short" : "is damaged";
		return false;
	}
	if (progfile_sum(str_of((const char *)io.p, io.left)) != sum) {
		*why = "is damaged";
		return false;
	}
	out->program = io_array(&io, NULL, &n, sizeof *out->program,
	    PROGRAM_LEAST);
	for (i = 0; i < n && io.why == NULL; i++)
		io_program(&io, &out->program[i]);
	if (io.why == NULL && io.left != 0)
		io.why = "is damaged";
	if (io.why != NULL) {
		*out = (struct program_set){ NULL, 0 };
		*why = io.why;
		return false;
	}
	out->n = n;
	return true;
}
