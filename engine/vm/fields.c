/*
 * fields: the line, its fields and dat variables, matches.  Fields are views,
 * split only as far as somebody asks; a number parsed once stays parsed.
 */
#include "engine/vm/state.h"
#include "engine/vm/when.h"

#define LIM_TIME_FIELD	256	/* bytes of a text that is a time */

static void
add_view(struct vm *vm, struct str **list, size_t *n, size_t *cap,
    struct str v)
{
	size_t c;

	if (*n == *cap) {
		c = *cap == 0 ? 32 : *cap * 2;
		*list = mem_realloc(vm->mem, *list, *cap * sizeof **list,
		    c * sizeof **list);
		*cap = c;
	}
	(*list)[(*n)++] = v;
}

void
vm_add_field(struct vm *vm, struct str v)
{
	add_view(vm, &vm->field, &vm->nfield, &vm->capfield, v);
}

void
vm_new_line(struct vm *vm, struct str line)
{
	vm->line = line;
	vm->row = NULL;
	vm->got.zero = line;
	vm->got.own_fields = false;
	vm->matched = 0;
	vm->nfield = 0;
	vm->split_at = 0;
	vm->split_done = line.n == 0;
	if (vm->p->format != FORMAT_TEXT)
		vm_drop_doc(vm);
	if (++vm->gen == 0) {
		/* four thousand million lines on: no stamp may look fresh */
		memset(vm->datgen, 0, vm->p->ndat * sizeof *vm->datgen);
		vm->gen = 1;
	}
}

/*
 * The next field of s from *at by separators; false at the end.  With runs of
 * blanks leading and trailing ones do not count; otherwise every separator
 * ends a field, also an empty one.
 */
static bool
next_field(enum seps kind, struct str sep, struct re *re,
    struct str s, size_t *at, bool *done, struct str *out)
{
	const char *p = s.p, *e;
	size_t i = *at, b, ov[2 * (LIM_RE_GROUPS + 1)];

	switch (kind) {
	case SEPS_BLANKS:
		while (i < s.n && (p[i] == ' ' || p[i] == '\t'))
			i++;
		if (i == s.n) {
			*done = true;
			return false;
		}
		for (b = i; i < s.n && p[i] != ' ' && p[i] != '\t'; i++)
			;
		*out = str_of(p + b, i - b);
		*at = i;
		return true;
	case SEPS_BYTE:
		e = i < s.n ? memchr(p + i, sep.p[0], s.n - i) : NULL;
		b = e == NULL ? s.n : (size_t)(e - p);
		break;
	case SEPS_SET:
		for (b = i; b < s.n && memchr(sep.p, p[b], sep.n) == NULL; b++)
			;
		e = b < s.n ? p + b : NULL;
		break;
	default:
		if (re != NULL && i <= s.n && re_match(re, s, i, ov) ==
		    RE_YES && ov[1] > ov[0]) {
			*out = str_of(p + i, ov[0] - i);
			*at = ov[1];
			return true;
		}
		b = s.n;
		e = NULL;
		break;
	}
	*out = str_of(p + i, b - i);
	if (e == NULL)
		*done = true;
	*at = b + 1;
	return true;
}

/* The commonest separators in one tight loop: fields up to number i. */
static void
split_blanks(struct vm *vm, size_t i)
{
	const char *p = vm->line.p + vm->split_at,
	    *end = vm->line.p + vm->line.n, *start;

	while (vm->nfield < i) {
		while (p < end && (*p == ' ' || *p == '\t'))
			p++;
		if (p == end) {
			vm->split_done = true;
			break;
		}
		for (start = p; p < end && ((unsigned char)*p > ' ' ||
		    (*p != ' ' && *p != '\t')); p++)
			;
		if (vm->nfield < vm->capfield)
			vm->field[vm->nfield++] = str_of(start,
			    (size_t)(p - start));
		else
			add_view(vm, &vm->field, &vm->nfield, &vm->capfield,
			    str_of(start, (size_t)(p - start)));
	}
	vm->split_at = (size_t)(p - vm->line.p);
}

/* Field i from 1 of the line; NIL if it has no such. */
struct str
vm_line_field(struct vm *vm, size_t i)
{
	const struct program *p = vm->p;
	struct str v;

	if (i <= vm->nfield)
		return vm->field[i - 1];
	(void)vm_line(vm);
	if (p->format != FORMAT_TEXT)
		return vm_format_field(vm, i);
	if (p->seps == SEPS_BLANKS && !vm->split_done)
		split_blanks(vm, i);
	while (vm->nfield < i && !vm->split_done)
		if (next_field(p->seps, p->sep, p->seps == SEPS_REGEX ?
		    vm_regex(vm, p->sep_regex) : NULL, vm->line,
		    &vm->split_at, &vm->split_done, &v))
			add_view(vm, &vm->field, &vm->nfield, &vm->capfield,
			    v);
	return i <= vm->nfield ? vm->field[i - 1] : STR_NIL;
}

struct str
vm_current_field(struct vm *vm, double d)
{
	size_t i;

	if (!(d >= 0 && d < 4294967296.0)) {
		vm_log(vm, LOG_ERROR, "$[n] with a bad n");
		return STR_ERR;
	}
	i = (size_t)d;
	if (i == 0) {
		if (vm->got.zero.p == vm_unmade)
			vm->got.zero = vm_line(vm);
		return vm->got.zero;
	}
	if (!vm->got.own_fields)
		return str_none(vm->line) ? STR_NIL : vm_line_field(vm, i);
	return i <= vm->got.ncur ? vm->got.cur[i - 1] : STR_NIL;
}

struct str
vm_field(struct vm *vm, unsigned i)
{
	return vm_current_field(vm, i);
}

unsigned
vm_nfields(struct vm *vm)
{
	if (vm->got.own_fields)
		return (unsigned)vm->got.ncur;
	if (str_none(vm->line))
		return 0;
	(void)vm_line_field(vm, SIZE_MAX);
	return (unsigned)vm->nfield;
}

/* Bytes that $0 $1 ... will view: a block of their own. */
static char *
own_bytes(struct vm *vm, size_t n)
{
	char *p = mem_alloc(vm->mem, n + 1);

	vm_retire(vm, vm->got.capbytes, vm->got.ncapbytes);
	vm->got.capbytes = p;
	vm->got.ncapbytes = n + 1;
	return p;
}

/* #split: only blanks and tabs among the separators mean runs. */
void
vm_set_fields(struct vm *vm, struct str text, struct str seps, bool given)
{
	enum seps kind = SEPS_BLANKS;
	size_t i, at = 0;
	bool done;
	struct str v;
	char *p;

	if (given && seps.n > 0) {
		for (i = 0; i < seps.n; i++)
			if (seps.p[i] != ' ' && seps.p[i] != '\t')
				break;
		kind = seps.n == 1 ? SEPS_BYTE :
		    i == seps.n ? SEPS_BLANKS : SEPS_SET;
	}
	p = own_bytes(vm, text.n);
	if (text.n > 0)
		memcpy(p, text.p, text.n);
	text.p = p;
	vm->got.zero = text;
	vm->got.own_fields = true;
	vm->got.ncur = 0;
	done = text.n == 0;
	while (!done)
		if (next_field(kind, seps, NULL, text, &at, &done, &v))
			add_view(vm, &vm->got.cur, &vm->got.ncur, &vm->got.capcur, v);
}

/* --- dat --- */

void
vm_bad(struct vm *vm, const struct dat *d, struct str s)
{
	if (vm->doc_bad)
		return;		/* the line as a whole was told of */
	if (vm->nbad++ > 0)
		return;
	buf_clear(&vm->first_bad);
	buf_printf(&vm->first_bad, "%c%.*s in input line %.0f %s",
	    d->number ? '#' : '$', (int)d->name.n, d->name.p, vm->innum,
	    str_none(s) ? "is missing" : "is no number: ");
	if (!str_none(s)) {
		buf_putc(&vm->first_bad, '"');
		buf_escaped(&vm->first_bad, s, LIM_EXEC_TEXT);
		buf_putc(&vm->first_bad, '"');
	}
}

static struct str
dat_text(struct vm *vm, const struct dat *d)
{
	struct str a, b, line = vm->line;
	size_t ov[2 * (LIM_RE_GROUPS + 1)], n;
	struct re *re;

	if (str_none(line))
		return STR_NIL;
	switch (d->kind) {
	case DAT_FIELD:
		return vm_line_field(vm, d->lo);
	case DAT_LAST:
		(void)vm_line_field(vm, SIZE_MAX);
		return vm->nfield == 0 ? STR_NIL : vm->field[vm->nfield - 1];
	case DAT_FROM_END:
		(void)vm_line_field(vm, SIZE_MAX);
		return d->lo > vm->nfield ? STR_NIL :
		    vm->field[vm->nfield - d->lo];
	case DAT_PATH:
		return vm_json_text(vm, d);
	case DAT_NAME:
		n = vm->column[d - vm->p->dat];
		return n == 0 ? STR_NIL : vm_line_field(vm, n);
	case DAT_REST:
		if (vm->p->format != FORMAT_TEXT)
			return vm_format_rest(vm, d->lo, SIZE_MAX);
		a = vm_line_field(vm, d->lo);
		return str_none(a) ? a : str_of(a.p,
		    line.n - (size_t)(a.p - line.p));
	case DAT_RANGE:
		if (vm->p->format != FORMAT_TEXT)
			return vm_format_rest(vm, d->lo, d->hi);
		a = vm_line_field(vm, d->lo);
		if (str_none(a))
			return a;
		b = vm_line_field(vm, d->hi);
		if (str_none(b))
			b = vm->field[vm->nfield - 1];
		return str_of(a.p, (size_t)(b.p + b.n - a.p));
	case DAT_COLUMNS:
		if (d->lo > line.n)
			return STR_NIL;
		n = d->hi < line.n ? d->hi : line.n;
		return str_of(line.p + d->lo - 1, n - d->lo + 1);
	default:
		re = vm_regex(vm, d->regex);
		if (re == NULL || re_match(re, line, 0, ov) != RE_YES)
			return STR_NIL;
		if (re_groups(re) > 0) {
			if (ov[2] == SIZE_MAX)
				return STR_NIL;
			return str_of(line.p + ov[2], ov[3] - ov[2]);
		}
		return str_of(line.p + ov[0], ov[1] - ov[0]);
	}
}

/* What a dat variable views of the line; most are plain fields. */
static inline struct str
dat_view(struct vm *vm, const struct dat *d)
{
	if (d->kind != DAT_FIELD || str_none(vm->line))
		return dat_text(vm, d);
	return d->lo <= vm->nfield ? vm->field[d->lo - 1] :
	    vm_line_field(vm, d->lo);
}

/* A text in the format of `as time`. */
static double
dat_time(struct vm *vm, struct str s, struct str fmt)
{
	char text[LIM_TIME_FIELD], *p;
	double t;
	struct buf b;

	s = str_trim(s);
	if (s.n >= sizeof text || memchr(s.p, '\0', s.n) != NULL)
		return NUM_NIL;
	memcpy(text, s.p, s.n);
	text[s.n] = '\0';
	buf_init(&b, vm->mem);
	buf_str(&b, fmt);
	p = (char *)(uintptr_t)buf_c(&b);
	t = when_parse(text, p, vm_now(vm));
	buf_free(&b);
	return t;
}

double
vm_dat_number(struct vm *vm, uint32_t i)
{
	const struct dat *d = &vm->p->dat[i];
	struct str s;
	double v = NUM_NIL;

	if (d->kind == DAT_COLUMN) {
		/* what the system does not tell is no fault of the input */
		vm->datgen[i] = vm->gen;
		return vm->datn[i] = vm->row == NULL ? NUM_NIL :
		    vm->row->ops->number(vm->row, (enum table_column)d->lo);
	}
	if (d->kind == DAT_PATH)
		v = vm_json_number(vm, d, &s);
	else
		s = dat_view(vm, d);
	if (!str_none(s))
		switch (d->as) {
		case AS_TIME: v = dat_time(vm, s, d->time); break;
		case AS_SIZE: v = num_parse_size(str_trim(s)); break;
		case AS_DURATION: v = num_parse_duration(str_trim(s)); break;
		case AS_PERCENT:
			v = num_parse(s, true);
			/* 52 and 52% are both 0.52 */
			s = str_trim(s);
			if (!num_none(v) && s.p[s.n - 1] != '%')
				v /= 100;
			break;
		default: v = num_parse(s, true); break;
		}
	if (num_none(v) && !str_none(vm->line))
		vm_bad(vm, d, s);
	vm->datgen[i] = vm->gen;
	return vm->datn[i] = v;
}

struct str
vm_dat_string(struct vm *vm, uint32_t i)
{
	const struct dat *d = &vm->p->dat[i];
	struct str s;

	if (d->kind == DAT_COLUMN) {
		vm->datgen[i] = vm->gen;
		return vm->dats[i] = vm->row == NULL ? STR_NIL :
		    vm->row->ops->text(vm->row, (enum table_column)d->lo);
	}
	s = dat_view(vm, d);
	if (str_none(s) && !str_none(vm->line))
		vm_bad(vm, d, s);
	vm->datgen[i] = vm->gen;
	return vm->dats[i] = s;
}

/* --- matches --- */

static void
patterns(struct vm *vm)
{
	if (vm->rectx != NULL)
		return;
	if ((vm->rectx = re_ctx_new()) == NULL)
		mem_fail(vm->mem, false);
	if (vm->o.plain)
		re_ctx_plain(vm->rectx);
}

struct re *
vm_regex(struct vm *vm, uint32_t i)
{
	struct re_error e;

	if (vm->re[i] != NULL)
		return vm->re[i];
	patterns(vm);
	vm->re[i] = re_compile(vm->rectx, vm->p->regex[i].pattern,
	    vm->p->regex[i].icase, &e);
	if (vm->re[i] == NULL)
		vm_log(vm, LOG_ERROR, "bad pattern: %s", e.text);
	else if (vm->digest != NULL)
		find_digest_text(&vm->holds[i], re_holds(vm->re[i]));
	return vm->re[i];
}

/* who: the function that is given the pattern, empty for an operator. */
static struct re *
dynamic(struct vm *vm, struct str who, struct str pattern, bool icase)
{
	struct cached_re *c, *oldest = &vm->cache[0];
	struct re_error e;
	struct re *re;
	size_t i;

	if (str_none(pattern))
		return NULL;
	for (i = 0; i < PATTERN_CACHE; i++) {
		c = &vm->cache[i];
		if (c->re != NULL && c->icase == icase &&
		    str_eq(str_of(c->pattern, c->n), pattern)) {
			c->used = ++vm->cache_clock;
			return c->re;
		}
		if (c->used < oldest->used)
			oldest = c;
	}
	patterns(vm);
	re = re_compile(vm->rectx, pattern, icase, &e);
	if (re == NULL) {
		vm_log(vm, LOG_ERROR, "%.*s%sbad pattern \"%.*s\": %s (at "
		    "byte %zu)", (int)who.n, who.p, who.n > 0 ? ": " : "",
		    pattern.n > PATTERN_SHOWN ? PATTERN_SHOWN : (int)pattern.n,
		    pattern.p, e.text, e.at);
		vm->untold = true;
		return NULL;
	}
	c = oldest;
	re_free(c->re);
	mem_free(vm->mem, c->pattern, c->n);
	memset(c, 0, sizeof *c);
	c->re = re;
	c->pattern = mem_alloc(vm->mem, pattern.n);
	c->n = pattern.n;
	if (pattern.n > 0)
		memcpy(c->pattern, pattern.p, pattern.n);
	c->icase = icase;
	c->used = ++vm->cache_clock;
	return re;
}

struct re *
vm_dynamic(struct vm *vm, struct str pattern, bool icase)
{
	return dynamic(vm, STR_EMPTY, pattern, icase);
}

struct re *
vm_pattern(struct call *c, struct str pattern, bool icase)
{
	struct vm *vm = c->vm;
	struct re *re = dynamic(vm, builtin_main_name(
	    (int)I_BX(vm->p->code[vm->pc])), pattern, icase);

	if (re == NULL) {
		c->rn = NUM_ERR;
		c->rs = STR_ERR;
	}
	return re;
}

bool
vm_match(struct vm *vm, struct re *re, struct str subject, bool keep)
{
	size_t *ov = vm->ov, k, n, lo, hi;
	enum re_result r;
	char *p;

	if (str_none(subject))
		return false;
	r = re_match(re, subject, 0, keep ? ov : NULL);
	vm->untold = r == RE_LIMIT;
	if (r == RE_LIMIT) {
		vm_log(vm, LOG_ERROR, "the pattern needs too much work on "
		    "this text (match limit)");
		return false;
	}
	if (r != RE_YES)
		return false;
	if (!keep)
		return true;
	n = re_groups(re);
	/* look-behind and \K can put groups outside $0 */
	lo = ov[0];
	hi = ov[1];
	for (k = 1; k <= n; k++)
		if (ov[2 * k] != SIZE_MAX) {
			lo = ov[2 * k] < lo ? ov[2 * k] : lo;
			hi = ov[2 * k + 1] > hi ? ov[2 * k + 1] : hi;
		}
	p = (char *)(uintptr_t)subject.p;
	if (subject.p < vm->line.p || vm->line.p == NULL ||
	    subject.p + subject.n > vm->line.p + vm->line.n) {
		p = own_bytes(vm, hi - lo);
		memcpy(p, subject.p + lo, hi - lo);
		p -= lo;
	}
	vm->got.zero = str_of(p + ov[0], ov[1] - ov[0]);
	if (n == 0) {
		/* fields stay: keep what they are */
		return true;
	}
	vm->got.own_fields = true;
	vm->got.ncur = 0;
	for (k = 1; k <= n; k++)
		add_view(vm, &vm->got.cur, &vm->got.ncur, &vm->got.capcur,
		    ov[2 * k] == SIZE_MAX ? STR_NIL :
		    str_of(p + ov[2 * k], ov[2 * k + 1] - ov[2 * k]));
	return true;
}

void
vm_set_rdlin(struct vm *vm, struct str s)
{
	/* an operand to the left of the call may view the line before */
	vm_retire(vm, vm->rdown.p, vm->rdown.cap);
	memset(&vm->rdown, 0, sizeof vm->rdown);
	vm_store(vm, &vm->rdown, &vm->rdlin, s);
}
