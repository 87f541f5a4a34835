/*
 * Any bytes as a compiled file: refused, in words, or a program that the
 * verifier has judged.  The head is made right here, else the checksum would
 * refuse everything that is of interest.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lang/code/progfile.h"
#include "lang/code/verify.h"
#include "tests/fuzz/fuzz.h"

#define AT_LENGTH	20	/* the head: see progfile.h */
#define AT_SUM		28

static void
put_u64(char *p, uint64_t v)
{
	int i;

	for (i = 0; i < 8; i++)
		p[i] = (char)(v >> (8 * i));
}

static void
judge(struct mem *mem, struct arena *arena, struct buf *file,
    struct buf *why, struct str body)
{
	const struct program_set none = { .n = 0 };
	struct program_set set;
	const char *fault = NULL;
	size_t i;

	progfile_write(&none, file);
	MUST(file->n >= PROGFILE_HEAD);
	file->n = PROGFILE_HEAD;
	if (body.n > 0)
		buf_add(file, body.p, body.n);
	put_u64(file->p + AT_LENGTH, body.n);
	put_u64(file->p + AT_SUM, progfile_sum(body));
	if (progfile_read(buf_view(file), arena, &set, &fault)) {
		for (i = 0; i < set.n; i++)
			if (!program_verify(&set.program[i], why))
				MUST(why->n > 0);
	} else
		MUST(fault != NULL);
	MUST(mem->used > 0);
}

static void
guarded(const struct str *body)
{
	struct mem mem;
	struct arena arena;
	struct buf file, why;
	jmp_buf fail;

	mem_init(&mem, FUZZ_MEMORY, &fail);
	arena_init(&arena, &mem, 65536);
	buf_init(&file, &mem);
	buf_init(&why, &mem);
	if (setjmp(fail) == 0)
		judge(&mem, &arena, &file, &why, *body);
	else		/* a file may ask for more than there is */
		MUST(mem.at_limit);
	buf_free(&why);
	buf_free(&file);
	arena_free(&arena);
	MUST(mem.used == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct str body = str_of((const char *)data, n);

	/* a file of our own, mutated, brings its head along */
	if (n >= PROGFILE_HEAD && progfile_is(body))
		body = str_of(body.p + PROGFILE_HEAD, n - PROGFILE_HEAD);
	guarded(&body);
	return 0;
}
