#include "lang/base/jpath.h"

/* [0] or ["name"]; *at stands behind the bracket. */
static bool
bracket(struct str s, size_t *at, struct jpath_step *step)
{
	size_t i = *at, b;

	if (i < s.n && s.p[i] == '"') {
		for (b = ++i; i < s.n && s.p[i] != '"'; i++)
			;
		step->name = str_of(s.p + b, i - b);
		i++;
	} else {
		step->name = STR_NIL;
		step->index = 0;
		for (b = i; i < s.n && s.p[i] >= '0' && s.p[i] <= '9'; i++) {
			step->index = step->index * 10 +
			    (size_t)(s.p[i] - '0');
			if (step->index > LIM_JPATH_INDEX)
				return false;
		}
		if (i == b)
			return false;
	}
	if (i >= s.n || s.p[i] != ']')
		return false;
	*at = i + 1;
	return true;
}

bool
jpath_next(struct str s, size_t *at, struct jpath_step *step)
{
	size_t i = *at, b;

	if (i >= s.n)
		return false;
	if (s.p[i] == '[') {
		i++;
		if (!bracket(s, &i, step))
			return false;
		*at = i;
		return true;
	}
	if (i > 0) {
		if (s.p[i] != '.')
			return false;
		i++;
	}
	for (b = i; i < s.n && s.p[i] != '.' && s.p[i] != '[' &&
	    s.p[i] != ']' && s.p[i] != '"'; i++)
		;
	if (i == b)
		return false;
	step->name = str_of(s.p + b, i - b);
	*at = i;
	return true;
}

bool
jpath_check(struct str s, size_t *at)
{
	struct jpath_step step;

	*at = 0;
	while (jpath_next(s, at, &step))
		;
	return s.n > 0 && *at == s.n;
}
