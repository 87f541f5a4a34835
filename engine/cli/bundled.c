/* bundled: the standard library's folder, and the scripts in it. */
#include <dirent.h>
#include <stdlib.h>

#include "engine/cli/cli.h"

const char *
cli_library(void)
{
	const char *dir = getenv("PICKET_LIB");

	return dir == NULL || *dir == '\0' ? PICKET_DATADIR : dir;
}

bool
cli_bundled(struct cli *c, const struct site_bundled **to, size_t *n)
{
	const char *dir = cli_library();
	struct site_bundled *b;
	struct dirent **e = NULL;
	int i, k = scandir(dir, &e, cli_is_script, alphasort);

	*n = 0;
	*to = NULL;
	if (k < 0)
		return false;
	b = arena_zalloc(&c->arena, ((size_t)k + 1) * sizeof *b);
	*to = b;
	for (i = 0; i < k; i++) {
		(void)cli_is_there(dir, e[i]->d_name, c, &b[*n].path);
		b[*n].name = arena_dup(&c->arena, str_of(e[i]->d_name,
		    strlen(e[i]->d_name) - strlen(".pikt")));
		++*n;
		free(e[i]);
	}
	free(e);
	return true;
}

struct str
cli_bundled_path(struct cli *c, const char *name)
{
	const struct site_bundled *b;
	size_t i, n;

	if (cli_bundled(c, &b, &n))
		for (i = 0; i < n; i++)
			if (str_eq(b[i].name, str_c(name)))
				return b[i].path;
	return STR_NIL;
}
