/*
 * Any text through the compiler: it may be refused, in words; what is
 * accepted must pass the verifier, and its file must read back.
 */
#include <stdio.h>
#include <stdlib.h>

#include "lang/code/progfile.h"
#include "lang/code/verify.h"
#include "lang/compile.h"
#include "tests/fuzz/fuzz.h"

static void
round_trip(const struct program_set *set)
{
	struct mem mem;
	struct arena arena;
	struct buf file, why;
	struct program_set back;
	const char *fault = NULL;
	jmp_buf fail;
	size_t i;

	if (setjmp(fail))
		BROKEN("memory for a program of accepted size");
	mem_init(&mem, 4 * FUZZ_MEMORY, &fail);
	arena_init(&arena, &mem, 65536);
	buf_init(&file, &mem);
	buf_init(&why, &mem);
	for (i = 0; i < set->n; i++)
		if (!program_verify(&set->program[i], &why)) {
			fprintf(stderr, "%s\n", buf_c(&why));
			BROKEN("the compiler's own program is refused");
		}
	progfile_write(set, &file);
	if (!progfile_read(buf_view(&file), &arena, &back, &fault)) {
		fprintf(stderr, "%s\n", fault);
		BROKEN("the file does not read back");
	}
	MUST(back.n == set->n);
	for (i = 0; i < back.n; i++)
		MUST(program_verify(&back.program[i], &why));
	buf_free(&why);
	buf_free(&file);
	arena_free(&arena);
	MUST(mem.used == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static const struct macro_source library = {
		STR_LIT("macros.cfg"),
		STR_LIT("ps\t/bin/ps\ncp\t/bin/cp\ntwo(A, B)\t(A) (B)\n"
		    "loop\t=loop\n")
	};
	struct compile_options o = {
		.library = &library, .nlibrary = 1, .mem_limit = FUZZ_MEMORY
	};
	struct compile *c;
	const struct program_set *set;
	struct diag *d;
	struct mem mem;
	struct buf text;
	jmp_buf fail;

	c = compile_source(STR_LIT("fuzz.pikt"), str_of((const char *)data, n),
	    &o);
	MUST(c != NULL);
	d = compile_diag(c);
	set = compile_programs(c);
	MUST(d->nerror == 0 || set->n == 0);
	if (setjmp(fail))
		BROKEN("memory for the messages");
	mem_init(&mem, 4 * FUZZ_MEMORY, &fail);
	buf_init(&text, &mem);
	diag_render(d, &text, false);
	MUST((d->nerror + d->nwarning > 0) == (text.n > 0));
	buf_free(&text);
	if (set->n > 0)
		round_trip(set);
	compile_free(c);
	return 0;
}
