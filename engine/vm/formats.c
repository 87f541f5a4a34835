/*
 * formats: lines that are JSON documents or CSV records.  A document is
 * parsed when a value of it is first asked for, a record is split as far as
 * somebody asks.  Texts that do not stand in the line as they are (quotes
 * taken off, numbers written out) are made in an arena that the next line
 * empties.
 */
#include "lang/base/csv.h"
#include "lang/base/jpath.h"
#include "engine/vm/state.h"

#define JSON_COST	40	/* bytes of memory that a byte of JSON can take:
				 * "[],[],..." makes an array of three */

void
vm_drop_doc(struct vm *vm)
{
	static const struct arena_mark empty;

	if (vm->doc != NULL)
		json_decref(vm->doc);
	vm->doc = NULL;
	mem_uncharge(vm->mem, vm->doc_cost);
	vm->doc_cost = 0;
	vm->doc_read = vm->doc_bad = false;
	if (arena_dirty(&vm->texts, empty))
		arena_reset(&vm->texts, empty);
}

/* --- JSON --- */

/* The line's document; NULL if it is none, which is counted once. */
static json_t *
document(struct vm *vm)
{
	json_error_t e;
	size_t cost = vm->line.n * JSON_COST;

	if (vm->doc_read)
		return vm->doc;
	vm->doc_read = true;
	vm->dirty = true;	/* no register may view it past the line */
	mem_charge(vm->mem, cost);
	vm->doc_cost = cost;
	vm->doc = json_loadb(vm->line.p, vm->line.n,
	    JSON_DECODE_ANY | JSON_ALLOW_NUL, &e);
	if (vm->doc == NULL && json_error_code(&e) ==
	    json_error_numeric_overflow)
		vm->doc = json_loadb(vm->line.p, vm->line.n, JSON_DECODE_ANY |
		    JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL, &e);
	if (vm->doc != NULL)
		return vm->doc;
	vm->doc_bad = true;
	if (vm->nbad++ == 0) {
		buf_clear(&vm->first_bad);
		buf_printf(&vm->first_bad, "input line %.0f is no JSON: ",
		    vm->innum);
		buf_escaped(&vm->first_bad, str_c(e.text), 0);
		buf_puts(&vm->first_bad, ": \"");
		buf_escaped(&vm->first_bad, vm->line, LIM_EXEC_TEXT);
		buf_putc(&vm->first_bad, '"');
	}
	return NULL;
}

/* What the path leads to, or NULL. */
static json_t *
walk(struct vm *vm, struct str path)
{
	json_t *v = document(vm);
	struct jpath_step step;
	size_t at = 0;

	while (v != NULL && jpath_next(path, &at, &step)) {
		if (str_none(step.name))
			v = json_array_get(v, step.index);
		else
			v = json_object_getn(v, step.name.p, step.name.n);
	}
	return v;
}

/* A value as text: a string as it is, containers as JSON, null as NIL. */
static struct str
text_of(struct vm *vm, json_t *v)
{
	char t[NUM_TEXT_MAX], *dump;
	struct str s;
	size_t n;

	switch (json_typeof(v)) {
	case JSON_STRING:
		return str_of(json_string_value(v), json_string_length(v));
	case JSON_TRUE:
		return STR_LIT("true");
	case JSON_FALSE:
		return STR_LIT("false");
	case JSON_NULL:
		return STR_NIL;
	case JSON_INTEGER:
		n = (size_t)snprintf(t, sizeof t, "%" JSON_INTEGER_FORMAT,
		    json_integer_value(v));
		return arena_dup(&vm->texts, str_of(t, n));
	case JSON_REAL:
		return arena_dup(&vm->texts, str_of(t,
		    num_text(json_real_value(v), t)));
	default:
		dump = json_dumps(v, JSON_COMPACT | JSON_ENCODE_ANY);
		if (dump == NULL)
			return STR_ERR;
		n = strlen(dump);
		s = str_of(arena_text(&vm->texts, n + 1), n);
		memcpy((char *)(uintptr_t)s.p, dump, n);
		free(dump);
		return s;
	}
}

struct str
vm_json_text(struct vm *vm, const struct dat *d)
{
	json_t *v = walk(vm, d->text);

	return v == NULL ? STR_NIL : text_of(vm, v);
}

/* Numbers and truth values are numbers; of all else *text is left to read. */
double
vm_json_number(struct vm *vm, const struct dat *d, struct str *text)
{
	json_t *v = walk(vm, d->text);

	*text = STR_NIL;
	if (v == NULL)
		return NUM_NIL;
	switch (json_typeof(v)) {
	case JSON_INTEGER:
	case JSON_REAL:
		/* a percent of 52 is 0.52 here, too */
		return d->as == AS_PERCENT ? json_number_value(v) / 100 :
		    json_number_value(v);
	case JSON_TRUE:
		return 1;
	case JSON_FALSE:
		return 0;
	default:
		*text = text_of(vm, v);
		return NUM_NIL;
	}
}

/* Field i: the array's element, the object's member in its order, or the
 * value itself. */
static struct str
json_field(struct vm *vm, size_t i)
{
	json_t *doc = document(vm), *v;
	const char *key;
	size_t k;

	vm->split_done = true;
	if (doc == NULL || vm->nfield > 0)
		return i <= vm->nfield ? vm->field[i - 1] : STR_NIL;
	if (json_is_array(doc)) {
		json_array_foreach(doc, k, v)
			vm_add_field(vm, text_of(vm, v));
	} else if (json_is_object(doc)) {
		json_object_foreach(doc, key, v)
			vm_add_field(vm, text_of(vm, v));
	} else
		vm_add_field(vm, text_of(vm, doc));
	return i <= vm->nfield ? vm->field[i - 1] : STR_NIL;
}

/* --- CSV and TSV --- */

static char
separator(const struct vm *vm)
{
	return vm->p->format == FORMAT_TSV ? '\t' : ',';
}

static struct str
csv_value(struct vm *vm, const struct csv_field *f)
{
	char *p;

	if (!f->quoted)
		return f->raw;
	p = arena_text(&vm->texts, f->raw.n);
	vm->dirty = true;
	return str_of(p, csv_text(f, p));
}

static struct str
csv_field(struct vm *vm, size_t i)
{
	struct csv_field f;

	while (vm->nfield < i && !vm->split_done) {
		if (csv_next(vm->line, separator(vm), &vm->split_at, &f))
			vm_add_field(vm, csv_value(vm, &f));
		else
			vm->split_done = true;
	}
	return i <= vm->nfield ? vm->field[i - 1] : STR_NIL;
}

struct str
vm_format_field(struct vm *vm, size_t i)
{
	if (str_none(vm->line))
		return STR_NIL;
	return vm->p->format == FORMAT_JSON ? json_field(vm, i) :
	    csv_field(vm, i);
}

/* Fields lo to hi as they stand in the record, quotes and all. */
struct str
vm_format_rest(struct vm *vm, size_t lo, size_t hi)
{
	struct csv_field f;
	const char *from = NULL, *to = NULL;
	size_t i, at = 0;

	if (vm->line.n == 0)
		return STR_NIL;		/* an empty line has no fields */
	for (i = 1; i <= hi && csv_next(vm->line, separator(vm), &at, &f);
	    i++) {
		if (i == lo)
			from = f.raw.p;
		to = f.raw.p + f.raw.n;
	}
	return from == NULL ? STR_NIL : str_of(from, (size_t)(to - from));
}

static void
no_column(struct vm *vm, struct str name)
{
	struct buf b;

	buf_init(&b, vm->mem);
	buf_puts(&b, "the header line names no column \"");
	buf_escaped(&b, name, LIM_EXEC_TEXT);
	buf_putc(&b, '"');
	vm->host->log(vm->h, LOG_WARNING, buf_view(&b));
	buf_free(&b);
}

void
vm_set_header(struct vm *vm, struct str line)
{
	const struct program *p = vm->p;
	struct csv_field f;
	struct str name;
	size_t at = 0;
	uint32_t i, k;

	memset(vm->column, 0, p->ndat * sizeof *vm->column);
	for (k = 1; csv_next(line, separator(vm), &at, &f); k++) {
		name = str_trim(csv_value(vm, &f));
		for (i = 0; i < p->ndat; i++)
			if (p->dat[i].kind == DAT_NAME &&
			    vm->column[i] == 0 &&
			    str_eq(p->dat[i].text, name))
				vm->column[i] = k;
	}
	for (i = 0; i < p->ndat; i++)
		if (p->dat[i].kind == DAT_NAME && vm->column[i] == 0)
			no_column(vm, p->dat[i].text);
	vm_drop_doc(vm);
}
