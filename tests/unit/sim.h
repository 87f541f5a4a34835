/* What the tests of the recorded host and of sim share: scripts and worlds. */
#ifndef TESTS_UNIT_SIM_H
#define TESTS_UNIT_SIM_H

#include "effect.h"

#include "engine/sim/sim.h"
#include "lang/base/num.h"
#include "lang/compile.h"

/* The scripts of a source; compile_free it. */
static inline struct compile *
compiled(const char *source, bool trace)
{
	struct compile_options o;
	struct compile *c;
	struct buf said;
	static struct mem m;

	memset(&o, 0, sizeof o);
	o.trace = trace;
	c = compile_source(STR_LIT("t.pikt"), str_c(source), &o);
	if (compile_programs(c)->n == 0) {
		mem_init(&m, SIZE_MAX, NULL);
		buf_init(&said, &m);
		diag_render(compile_diag(c), &said, false);
		fail_msg("%s", buf_c(&said));
	}
	return c;
}

static inline const char *
store_program(void)
{
	static char path[4096];
	const char *build = getenv("BUILDDIR");

	if (build == NULL)
		fail_msg("BUILDDIR is not set: run it by tests/runner");
	snprintf(path, sizeof path, "%s/picket-store", build);
	return path;
}

/* "kind target|text" of all that was done, a line each. */
static inline const char *
did(const struct recorded *r)
{
	static char text[1 << 16];
	const struct recorded_did *d;
	size_t n, i, k = 0;

	d = recorded_done(r, &n);
	text[0] = '\0';
	for (i = 0; i < n && k < sizeof text - 1; i++)
		k += (size_t)snprintf(text + k, sizeof text - k,
		    "%s%s%.*s: %.*s\n", recorded_kind_name[d[i].kind],
		    str_none(d[i].target) ? "" : " ",
		    str_none(d[i].target) ? 0 : (int)d[i].target.n,
		    str_none(d[i].target) ? "" : d[i].target.p,
		    (int)d[i].text.n, d[i].text.p);
	return text;
}

#endif
