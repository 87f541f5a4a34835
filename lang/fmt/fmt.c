#include "lang/fmt/fmt.h"

#include <stdio.h>

#include "lang/fmt/cfg.h"
#include "lang/fmt/layout.h"

#define MACRO_BODY	16	/* columns: where bodies and comments begin in */
#define MACRO_NOTE	40	/* macros.cfg, at least */

enum fmt_kind
fmt_kind(struct str path)
{
	static const struct { const char *name; enum fmt_kind kind; } known[] = {
		{ "alarms", FMT_SCRIPTS }, { "macros", FMT_MACROS },
		{ "systems", FMT_STANZAS }, { "defines", FMT_STANZAS },
		{ "alerts", FMT_STANZAS },
	};
	size_t i = path.n;

	while (i > 0 && path.p[i - 1] != '/')
		i--;
	path = str_of(path.p + i, path.n - i);
	if (str_ends(path, "_test.pikt"))
		return FMT_FOREIGN;	/* tests: another language */
	if (!str_ends(path, ".cfg"))
		return FMT_SCRIPTS;
	for (i = 0; i < sizeof known / sizeof known[0]; i++)
		if (str_starts(path, known[i].name))
			return known[i].kind;
	return FMT_FOREIGN;
}

bool
fmt_source(struct diag *diag, uint32_t file, enum fmt_kind kind,
    struct buf *out)
{
	struct buf lines, text;
	struct reader *r;
	char limit[32];
	bool ok;

	r = mem_zalloc(out->mem, sizeof *r);
	buf_init(&lines, out->mem);
	buf_init(&text, out->mem);
	ok = read_start(r, diag, file);
	if (ok) {
		switch (kind) {
		case FMT_SCRIPTS:
			layout_scripts(r, &lines, &text);
			break;
		case FMT_MACROS:
			cfg_macros(r, &lines, &text);
			break;
		case FMT_STANZAS:
			cfg_stanzas(r, &lines, &text);
			break;
		case FMT_FOREIGN:
			buf_str(out, r->t);
			break;
		}
		ok = !r->failed;
	}
	if (ok && !layout_write(&lines, buf_view(&text), r->t,
	    kind == FMT_MACROS ? MACRO_BODY : 0,
	    kind == FMT_MACROS ? MACRO_NOTE : 0, out)) {
		ok = false;
		snprintf(limit, sizeof limit, "%u MiB", LIM_FMT_OUT >> 20);
		diag_hint(diag, diag_in(diag, source_place_in(diag->src, file,
		    0), 0, E_SOURCE_BIG, STR_LIT("what fmt makes of it"),
		    str_c(limit), STR_NIL),
		    STR_LIT("it is too deeply nested to be laid out"));
	}
	buf_free(&lines);
	buf_free(&text);
	mem_free(out->mem, r, sizeof *r);
	return ok;
}
