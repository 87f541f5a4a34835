#include "engine/builtin/arg.h"

bool
arg_none(struct call *c)
{
	bool nil = false, err = false;
	unsigned i;

	for (i = 0; i < c->nn; i++) {
		nil = nil || num_is_nil(c->n[i]);
		err = err || num_is_err(c->n[i]);
	}
	for (i = 0; i < c->ns; i++)
		if (str_none(c->s[i])) {
			nil = nil || c->s[i].n == 0;
			err = err || c->s[i].n != 0;
		}
	if (!nil && !err)
		return false;
	c->rn = err ? NUM_ERR : NUM_NIL;
	c->rs = err ? STR_ERR : STR_NIL;
	return true;
}

bool
arg_int(struct call *c, unsigned i, int64_t lo, int64_t hi, int64_t *out)
{
	char t[NUM_TEXT_MAX];
	double d = c->n[i];
	size_t n;

	if (num_is_int(d) && d >= (double)lo && d <= (double)hi) {
		*out = (int64_t)d;
		return true;
	}
	n = num_text(d, t);
	if ((double)hi >= NUM_EXACT)
		vm_domain(c, "%.*s is no integer from %lld on", (int)n, t,
		    (long long)lo);
	else
		vm_domain(c, "%.*s is no integer from %lld to %lld", (int)n,
		    t, (long long)lo, (long long)hi);
	return false;
}

bool
arg_c(struct call *c, unsigned i)
{
	struct str s = c->s[i];

	if (str_none(s)) {
		s = str_shown(s);
		vm_domain(c, "%.*s where a text is needed", (int)s.n, s.p);
		return false;
	}
	if (s.n > 0 && memchr(s.p, '\0', s.n) != NULL) {
		vm_domain(c, "a text with a NUL byte");
		return false;
	}
	return true;
}

/* Whether a component is that; the empty one before the first / is none. */
static bool
has_component(struct str s, struct str what)
{
	size_t at = 0, end;

	for (;; at = end + 1) {
		end = str_find(s, '/', at);
		if (str_eq(str_of(s.p + at, end - at), what) &&
		    (what.n > 0 || at > 0))
			return true;
		if (end == s.n)
			return false;
	}
}

bool
arg_dotdot(struct str s)
{
	return has_component(s, STR_LIT(".."));
}

bool
arg_path(struct call *c, unsigned i)
{
	struct str s = c->s[i];

	if (!arg_c(c, i))
		return false;
	if (s.n == 0)
		vm_domain(c, "an empty path");
	else if (arg_dotdot(s))
		vm_domain(c, "%.*s has a component ..", arg_cut(s), s.p);
	else if (has_component(s, STR_EMPTY))
		vm_domain(c, "%.*s has an empty component", arg_cut(s), s.p);
	else
		return true;
	return false;
}

char *
arg_zero(struct call *c, unsigned i)
{
	struct str s = c->s[i];
	char *p = vm_text(c->vm, s.n + 1);

	if (s.n > 0)
		memcpy(p, s.p, s.n);
	p[s.n] = '\0';
	return p;
}

void *
arg_scratch(struct call *c, size_t n)
{
	const size_t align = sizeof(double) > sizeof(void *) ?
	    sizeof(double) : sizeof(void *);
	char *p = vm_text(c->vm, n + align - 1);

	return p + (align - (uintptr_t)p % align) % align;
}

int
arg_cut(struct str s)
{
	return s.n > ARG_SHOWN ? ARG_SHOWN : (int)s.n;
}

struct str
arg_result(struct call *c, const struct buf *b)
{
	return vm_dup(c->vm, buf_view(b));
}

void
arg_host_failed(struct call *c, struct str what)
{
	const struct host *host;
	struct str why;
	void *h;

	host = vm_host(c->vm, &h);
	why = host->why(h);
	if (why.n > what.n && what.n > 0 &&
	    memcmp(why.p, what.p, what.n) == 0)	/* it names what failed */
		vm_failed(c, "%.*s", arg_cut(why), why.p);
	else
		vm_failed(c, "%.*s: %.*s", arg_cut(what), what.p,
		    arg_cut(why), why.p);
	c->rn = -1;
}

void
arg_number(struct call *c, double d)
{
	if (num_fine(d))
		c->rn = d;
	else
		vm_domain(c, "%s", num_fault_text(NUM_OVERFLOW));
}
