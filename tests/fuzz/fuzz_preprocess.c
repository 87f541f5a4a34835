/*
 * Any text through the preprocessor, as each kind of text that there is: a
 * script, a macro file, a file of defines, an include, what a command wrote.
 * It may be refused, in words; every byte of what comes out has a place in a
 * text that came in.
 */
#include <stdio.h>
#include <stdlib.h>

#include "lang/syntax/preprocess.h"
#include "tests/fuzz/fuzz.h"

#define LIM_LOOKED	4000	/* bytes whose places are looked at: time */

struct halves {
	struct str	 first, second;	/* the halves of the bytes */
	unsigned	 n;		/* questions so far */
};

/* Names that begin with n are of no file. */
static bool
fake_read(void *w, struct str path, struct str *text, struct str *why)
{
	struct halves *in = w;

	*why = STR_LIT("it is not there");
	*text = path.n % 2 == 0 ? in->first : in->second;
	return path.p[path.n - 1] != 'n';
}

static bool
fake_write(void *w, struct str path, struct str text, struct str *why)
{
	(void)w;
	(void)text;
	*why = STR_LIT("it is full");
	return path.n % 2 == 0;
}

static struct str
fake_env(void *w, struct str name)
{
	(void)w;
	return name.n % 2 == 0 ? name : STR_NIL;
}

static bool
fake_run(void *w, struct str command, const struct environment *env,
    size_t nenv, struct str *text, int *status, struct str *why)
{
	struct halves *in = w;

	MUST(command.n > 0);
	MUST(nenv == 0 || env[nenv - 1].name.n > 0);
	*why = STR_LIT("it broke");
	*status = (int)(command.n % 4) == 3 ? 127 : (int)(command.n % 3);
	*text = in->n++ % 2 == 0 ? in->second : command;
	return command.n % 5 != 0;
}

static bool
fake_pikt(void *w, struct str statements, const struct environment *env,
    size_t nenv, struct str *why)
{
	(void)w;
	(void)env;
	(void)nenv;
	*why = STR_LIT("it broke");
	return statements.n % 2 == 0;
}

/* Each byte of the text is where it is said to be, or is a blank of ours. */
static void
places(struct source_set *src)
{
	struct place p;
	size_t i;
	char c;

	for (i = 0; i < src->text.n && i < LIM_LOOKED; i++) {
		p = source_place(src, (uint32_t)i);
		c = src->text.p[i];
		MUST(p.file < src->nfile);
		MUST(p.off <= src->file[p.file].text.n);
		MUST((p.off < src->file[p.file].text.n &&
		    src->file[p.file].text.p[p.off] == c) || c == ' ' ||
		    c == '\t' || c == '\n');
		if (source_column_one(src, (uint32_t)i))
			MUST(i == 0 || src->text.p[i - 1] == '\n');
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static const struct str member[] = { STR_LIT("linux") },
	    registered[] = { STR_LIT("linux"), STR_LIT("openbsd") };
	struct halves in = { .first = str_of((const char *)data, n / 2),
	    .second = str_of((const char *)data + n / 2, n - n / 2) };
	const struct compile_world world = { &in, fake_read, fake_write,
	    fake_env, fake_run, fake_pikt };
	const struct macro_source macros = { STR_LIT("m.cfg"), in.second },
	    defines = { STR_LIT("d.cfg"), in.first };
	struct compile_options o = { .world = &world, .member = member,
	    .nmember = 1, .registered = registered, .nregistered = n % 2 * 2,
	    .macro_file = &macros, .nmacro_file = 1, .define_file = &defines,
	    .ndefine_file = 1, .renew = n % 3 == 0 };
	struct str all = str_of((const char *)data, n);
	struct preprocess pp;
	struct source_set src;
	struct diag diag;
	struct arena arena;
	struct buf text;
	struct mem mem;
	jmp_buf fail;

	mem_init(&mem, FUZZ_MEMORY, &fail);
	arena_init(&arena, &mem, 65536);
	source_init(&src, &mem, &arena);
	diag_init(&diag, &src, &arena);
	buf_init(&text, &mem);
	if (setjmp(fail) == 0) {
		preprocess_init(&pp, &src, &diag, &arena, &o);
		preprocess_file(&pp, source_add(&src, STR_LIT("a"), all));
		preprocess_config(&pp, source_add(&src, STR_LIT("b"),
		    in.second));
		preprocess_plain(&pp, source_add(&src, STR_LIT("c"), all));
		diag_render(&diag, &text, false);
		MUST((diag.nerror + diag.nwarning > 0) == (text.n > 0));
		places(&src);
	}
	buf_free(&text);
	source_free(&src);
	arena_free(&arena);
	return 0;
}
