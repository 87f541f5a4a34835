/* doc_script: see doc_script.h. */
#include "engine/cli/doc_script.h"

bool
doc_script(struct cli *c, const struct site_bundled *s, struct buf *page)
{
	struct str text, line;
	size_t at, end, skip;

	buf_clear(page);
	if (!cli_read_file(c, s->path.p, &text))
		return false;
	for (at = 0; at < text.n; at = end + 1) {
		end = str_find(text, '\n', at);
		line = str_of(text.p + at, end - at);
		if (!str_starts(line, "//"))
			break;
		skip = line.n > 2 && line.p[2] == ' ' ? 3 : 2;
		buf_add(page, line.p + skip, line.n - skip);
		buf_putc(page, '\n');
	}
	return true;
}

struct str
doc_script_help(struct str page, struct str name)
{
	struct str line = str_of(page.p, str_find(page, '\n', 0));

	if (line.n > name.n + 2 && memcmp(line.p, name.p, name.n) == 0 &&
	    line.p[name.n] == ':')
		return str_of(line.p + name.n + 2, line.n - name.n - 2);
	return line;
}
