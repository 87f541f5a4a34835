/*
 * rows: the line as a row of a native table.  Its columns are read from the
 * row itself when a script names them; the text of the line, which few ask
 * for, is made of them only then.
 */
#include "engine/vm/state.h"

const char vm_unmade[1];

/* The row is the line at hand; nothing of it is read yet. */
static void
new_row(struct vm *vm, struct row *row)
{
	vm_new_line(vm, str_of(vm_unmade, 0));
	vm->row = row;
}

void
vm_last_row(struct vm *vm)
{
	if (vm->last_row != NULL)
		new_row(vm, vm->last_row);
}

void
vm_set_last_row(struct vm *vm, struct row *row)
{
	vm->last_row = row;
}

/* The dat of that column, or ndat. */
static uint32_t
dat_of(const struct program *p, uint32_t column)
{
	uint32_t i;

	for (i = 0; i < p->ndat; i++)
		if (p->dat[i].kind == DAT_COLUMN && p->dat[i].lo == column)
			break;
	return i;
}

/* The columns that the script names, in the table's order. */
static void
find_columns(struct vm *vm)
{
	const struct program *p = vm->p;
	const struct table_info *t = &table_info[p->table];
	uint32_t k, i;

	vm->row_dat = mem_zalloc(vm->mem, (p->ndat + 1) *
	    sizeof *vm->row_dat);
	for (k = t->first; k < t[1].first; k++)
		if ((i = dat_of(p, k)) < p->ndat)
			vm->row_dat[vm->nrow_dat++] = i;
}

void
vm_make_line(struct vm *vm)
{
	struct buf *b = &vm->row_text;
	char t[NUM_TEXT_MAX];
	uint32_t i, k;

	if (vm->row_dat == NULL)
		find_columns(vm);
	buf_clear(b);
	buf_room(b, 1);
	for (k = 0; k < vm->nrow_dat; k++) {
		i = vm->row_dat[k];
		if (k > 0)
			buf_putc(b, '\t');
		if (vm->p->dat[i].number)
			buf_add(b, t, num_text(vm->datgen[i] == vm->gen ?
			    vm->datn[i] : vm_dat_number(vm, i), t));
		else
			buf_str(b, vm->datgen[i] == vm->gen ? vm->dats[i] :
			    vm_dat_string(vm, i));
	}
	vm->line = buf_view(b);
	vm->split_done = vm->nrow_dat == 0;
}

enum vm_result
vm_row_counts(struct vm *vm, struct row *row)
{
	vm_begin_line(vm);
	new_row(vm, row);
	return vm->p->has_where ? vm_execute(vm, vm->p->pc_where) : VM_DONE;
}

enum vm_result
vm_run_row(struct vm *vm, struct row *row)
{
	vm->innum++;
	vm_begin_line(vm);
	if (vm->row != row)
		new_row(vm, row);
	/* what `where` matched is not what a rule matched */
	vm->got.own_fields = false;
	vm->got.zero = vm->line;
	return vm_rules(vm);
}

void
vm_run_table(struct vm *vm, struct str text[TABLE_ARGS],
    double number[TABLE_ARGS])
{
	uint32_t i;

	for (i = 0; i < TABLE_ARGS; i++) {
		vm->targ_text[i] = STR_NIL;
		vm->targ_number[i] = NUM_NIL;
	}
	vm_run_args(vm);
	memcpy(text, vm->targ_text, sizeof vm->targ_text);
	memcpy(number, vm->targ_number, sizeof vm->targ_number);
}
