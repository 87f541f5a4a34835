/*
 * spec: short notation for command templates, for the tests of this folder.
 * Literal text with data parts as @x@; before the name may stand one of
 *	o: $opt()	w: $words()	r: $raw()	n: a number
 *	b: a string that the script built
 * The text of the diagnostics' source is the same with $x for @x@.
 */
#ifndef TESTS_COMMAND_SPEC_H
#define TESTS_COMMAND_SPEC_H

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/vm/template.h"
#include "lang/check/command.h"

#define SPEC_PARTS	64

struct spec {
	struct mem	 mem;
	jmp_buf		 fail;
	struct arena	 arena;
	struct source_set src;
	struct diag	 diag;
	struct cmd_part	 part[SPEC_PARTS];
	size_t		 npart;
	struct template	 tpl;
	bool		 good;
	struct buf	 why;
	struct command	 cmd;
};

static inline void
spec_part(struct spec *sp, struct cmd_part p, const char *text, size_t n)
{
	if (sp->npart == SPEC_PARTS)
		abort();
	p.text = arena_dup(&sp->arena, str_of(text, n));
	p.span = (struct span){ (uint32_t)sp->src.text.n, (uint32_t)n };
	source_emit(&sp->src, p.text, 0, p.span.at, SOURCE_NONE);
	sp->part[sp->npart++] = p;
}

/* Makes a template of n bytes; sp->good says whether it did. */
static inline void
spec_make(struct spec *sp, const char *text, size_t n)
{
	const char *end = text + n, *at, *close;
	struct cmd_part p;
	char form[80];

	memset(sp, 0, sizeof *sp);
	mem_init(&sp->mem, 64 << 20, &sp->fail);
	arena_init(&sp->arena, &sp->mem, 4096);
	source_init(&sp->src, &sp->mem, &sp->arena);
	source_add(&sp->src, STR_LIT("test"), str_of(text, n));
	diag_init(&sp->diag, &sp->src, &sp->arena);
	buf_init(&sp->why, &sp->mem);
	while (text < end) {
		at = memchr(text, '@', (size_t)(end - text));
		close = at == NULL ? NULL :
		    memchr(at + 1, '@', (size_t)(end - at - 1));
		if (close == NULL || close - at > 40)
			at = end;
		if (at > text)
			spec_part(sp, (struct cmd_part){ .data = false }, text,
			    (size_t)(at - text));
		if (at == end)
			break;
		p = (struct cmd_part){ .data = true };
		if (at[2] == ':') {
			p.kind = at[1] == 'o' ? DATA_OPT : at[1] == 'w' ?
			    DATA_WORDS : at[1] == 'r' ? DATA_RAW : DATA_PLAIN;
			p.number = at[1] == 'n';
			p.built = at[1] == 'b';
			at += 2;
		}
		snprintf(form, sizeof form, "$%.*s", (int)(close - at - 1),
		    at + 1);
		spec_part(sp, p, form, strlen(form));
		text = close + 1;
	}
	sp->good = command_template(&sp->arena, &sp->diag, sp->part, sp->npart,
	    &sp->tpl);
}

static inline bool
spec_fill(struct spec *sp, const struct str *data)
{
	return template_fill(&sp->tpl, data, &sp->arena, &sp->cmd, &sp->why);
}

static inline void
spec_free(struct spec *sp)
{
	buf_free(&sp->why);
	source_free(&sp->src);
	arena_free(&sp->arena);
	if (sp->mem.used != 0)
		abort();
}

#endif
