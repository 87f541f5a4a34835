/*
 * fake_vm: a small machine with a host of stdio, enough to call built-in
 * functions one by one.  It defines the machine's functions, so a test program
 * includes it once and must not link the real machine.
 */
#ifndef TESTS_UNIT_FAKE_VM_H
#define TESTS_UNIT_FAKE_VM_H

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "engine/vm/builtin.h"
#include "lang/base/arena.h"
#include "lang/base/re.h"

#define NOW	1709209805.75	/* 2024-02-29 12:30:05.75 UTC, a Thursday */

struct stream {
	FILE	*f;
	bool	 process;
	char	 line[256];
};

struct vm {
	struct mem	 mem;
	struct arena	 arena;
	struct buf	 buf;
	struct array	 array[2];	/* 0 of texts, 1 of numbers */
	struct stream	*stream;
	bool		 eof;
	struct str	 field[32], rdlin, archived, output, incident;
	unsigned	 nfield, ndomain, nfailed, nwarning, nsuppressed;
	int		 exitcode;
	char		 said[512];
	struct command	 cmd;
	bool		 has_cmd, suppresses;
	struct re_ctx	*ctx;
	struct re	*re;
	struct run_facts facts;
	struct program	 program;
	struct grave	*grave;
};

/* --- a host: stdio's --- */

static struct str
host_why(void *h)
{
	(void)h;
	return STR_LIT("why not");
}

static double
host_clock(void *h)
{
	(void)h;
	return 1.5;
}

static int
host_stat(void *h, struct str path, struct stat *st, bool follow)
{
	char name[4096];

	(void)h;
	snprintf(name, sizeof name, "%.*s", (int)path.n, path.p);
	return follow ? stat(name, st) : lstat(name, st);
}

static struct stream *
stream_new(FILE *f, bool process)
{
	struct stream *s;

	if (f == NULL)
		return NULL;
	s = calloc(1, sizeof *s);
	assert_non_null(s);
	s->f = f;
	s->process = process;
	return s;
}

static struct stream *
host_fopen(void *h, struct str path, int mode)
{
	char name[4096], m[2] = { (char)mode, '\0' };

	(void)h;
	snprintf(name, sizeof name, "%.*s", (int)path.n, path.p);
	return stream_new(fopen(name, m), false);
}

static struct stream *
host_popen(void *h, const struct command *cmd, int mode)
{
	char m[2] = { (char)mode, '\0' };

	(void)h;
	return stream_new(popen(cmd->argv[0], m), true);
}

static enum read_result
host_read(void *h, struct stream *s, struct str *line, size_t *len)
{
	(void)h;
	if (fgets(s->line, sizeof s->line, s->f) == NULL)
		return READ_END;
	*len = strlen(s->line);
	*line = str_of(s->line, *len - (s->line[*len - 1] == '\n'));
	return READ_LINE;
}

static bool
host_write(void *h, struct stream *s, struct str text)
{
	(void)h;
	return fwrite(text.p, 1, text.n, s->f) == text.n;
}

static bool
host_flush(void *h, struct stream *s)
{
	(void)h;
	return fflush(s->f) == 0;
}

static bool
host_eof(void *h, struct stream *s)
{
	(void)h;
	return feof(s->f) != 0;
}

static int
host_close(void *h, struct stream *s)
{
	int rc = s->process ? pclose(s->f) : fclose(s->f);

	(void)h;
	rc = s->process ? WEXITSTATUS(rc) : rc;
	free(s);
	return rc;
}

static void
host_exec(void *h, const struct command *cmd, enum exec_mode mode,
    const struct exec_opts *opts, struct exec_result *r)
{
	struct vm *vm = h;
	int rc;

	assert_int_equal(mode, EXEC_WAIT);
	assert_true(str_none(opts->as) && str_none(opts->dir));
	if (vm->suppresses) {
		r->suppressed = true;
		return;
	}
	rc = system(cmd->argv[0]);
	r->started = true;
	r->status = WEXITSTATUS(rc);
}

static struct str
host_capture(void *h, const struct command *cmd, size_t max,
    struct exec_result *r)
{
	static char out[1024];
	FILE *f = popen(cmd->argv[0], "r");
	size_t n;

	(void)h;
	assert_non_null(f);
	n = fread(out, 1, sizeof out < max ? sizeof out : max, f);
	r->status = WEXITSTATUS(pclose(f));
	r->started = r->status != 127;
	return str_of(out, n);
}

static bool
host_stop(void *h)
{
	(void)h;
	return false;
}

static int
host_pid(void *h, struct str comm)
{
	(void)h;
	return str_eq(comm, STR_LIT("init")) ? 1 : 0;
}

static int
host_open(void *h, struct str path)
{
	char name[4096];

	(void)h;
	snprintf(name, sizeof name, "%.*s", (int)path.n, path.p);
	return open(name, O_RDONLY);
}

/* Links point to "there", disks are a quarter full, patterns fit two. */
static int
host_path(enum fact what, struct str path, struct str *answer)
{
	if (str_starts(path, "/no/such"))
		return what == FACT_GLOB ? 0 : -1;
	if (str_eq(path, STR_LIT("/proc")))
		return 0;
	*answer = what == FACT_DISKUSED ? STR_LIT("0.25") :
	    what == FACT_GLOB ? STR_LIT("/a\0/b c\0") : STR_LIT("there");
	return 1;
}

/* Users and groups as everywhere; a host that fails where it is asked to. */
static int
host_ask(void *h, enum fact what, struct str key, struct str *answer)
{
	(void)h;
	if (what >= FACT_LINK)
		return host_path(what, key, answer);
	*answer = what == FACT_USERNAME || what == FACT_GROUPNAME ?
	    STR_LIT("root") : what == FACT_UID || what == FACT_GID ||
	    what == FACT_LOGGEDIN ? STR_LIT("0") :
	    what == FACT_UPTIME ? STR_LIT("77.5") : STR_LIT("answer");
	if (str_none(key))
		return what == FACT_DOMAIN ? 0 : 1;
	return str_eq(key, STR_LIT("fail")) ? -1 :
	    !str_eq(key, STR_LIT("none")) && !str_eq(key, STR_LIT("77"));
}

/* The incident "disk" fires, "old" did. */
static double
host_incident_fact(void *h, enum incident_fact what, struct str key)
{
	(void)h;
	switch (what) {
	case INCIDENT_FIRING: case INCIDENT_ACKED:
		return str_eq(key, STR_LIT("disk"));
	case INCIDENT_SINCE:
		return str_eq(key, STR_LIT("disk")) ? 1e9 : NUM_NIL;
	case INCIDENT_DURATION:
		return str_eq(key, STR_LIT("none")) ? NUM_NIL : 9180;
	}
	return NUM_ERR;
}

static const struct host host_live = {
	.name = "test", .why = host_why, .clock = host_clock,
	.stat = host_stat, .fopen = host_fopen, .popen = host_popen,
	.read = host_read, .write = host_write, .flush = host_flush,
	.eof = host_eof, .close = host_close, .exec = host_exec,
	.capture = host_capture, .stop = host_stop, .pid = host_pid,
	.ask = host_ask, .open = host_open,
	.incident_fact = host_incident_fact,
};
static const struct host host_dry = {
	.name = "test", .suppresses = true, .why = host_why,
	.popen = host_popen, .close = host_close, .exec = host_exec,
	.write = host_write,
};

/* --- a machine --- */

char *
vm_text(struct vm *vm, size_t n)
{
	return arena_text(&vm->arena, n);
}

struct str
vm_dup(struct vm *vm, struct str s)
{
	return arena_dup(&vm->arena, s);
}

struct buf *
vm_buf(struct vm *vm)
{
	buf_clear(&vm->buf);
	return &vm->buf;
}

struct mem *
vm_mem(struct vm *vm)
{
	return &vm->mem;
}

void
vm_domain(struct call *c, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(c->vm->said, sizeof c->vm->said, fmt, ap);
	va_end(ap);
	c->vm->ndomain++;
}

void
vm_failed(struct call *c, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(c->vm->said, sizeof c->vm->said, fmt, ap);
	va_end(ap);
	c->vm->nfailed++;
}

void
vm_log(struct vm *vm, enum log_kind kind, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(vm->said, sizeof vm->said, fmt, ap);
	va_end(ap);
	assert_int_equal(kind, LOG_WARNING);
	vm->nwarning++;
}

struct str
vm_errtext(struct vm *vm)
{
	return str_c(vm->said);
}

const struct host *
vm_host(struct vm *vm, void **h)
{
	*h = vm;
	return vm->suppresses ? &host_dry : &host_live;
}

const struct program *
vm_program(struct vm *vm)
{
	return &vm->program;
}

double
vm_now(struct vm *vm)
{
	(void)vm;
	return NOW;
}

struct array *
vm_array(struct vm *vm, double index)
{
	return &vm->array[(int)index];
}

struct stream **
vm_handle(struct vm *vm, double index)
{
	(void)index;
	return &vm->stream;
}

struct str
vm_handle_name(struct vm *vm, double index)
{
	(void)vm;
	(void)index;
	return STR_LIT("FILE");
}

void
vm_handle_set_eof(struct vm *vm, double index, bool eof)
{
	(void)index;
	vm->eof = eof;
}

const struct command *
vm_command(struct vm *vm)
{
	return vm->has_cmd ? &vm->cmd : NULL;
}

void
vm_suppressed(struct vm *vm, struct str effect)
{
	snprintf(vm->said, sizeof vm->said, "%.*s", (int)effect.n, effect.p);
	vm->nsuppressed++;
}

void
vm_set_rdlin(struct vm *vm, struct str s)
{
	vm->rdlin = vm_dup(vm, s);
}

void
vm_set_archived(struct vm *vm, struct str s)
{
	vm->archived = str_none(s) ? s : vm_dup(vm, s);
}

struct str
vm_archived(struct vm *vm)
{
	return vm->archived;
}

void
vm_set_fields(struct vm *vm, struct str text, struct str seps, bool given)
{
	(void)seps;
	(void)given;
	vm->nfield = text.n > 0;
	vm->field[0] = text;
}

unsigned
vm_nfields(struct vm *vm)
{
	return vm->nfield;
}

struct str
vm_field(struct vm *vm, unsigned i)
{
	return vm->field[i];
}

void
vm_set_exec(struct vm *vm, const struct exec_result *r)
{
	vm->exitcode = r->status;
	vm->output = r->output;
}

int
vm_exitcode(struct vm *vm)
{
	return vm->exitcode;
}

struct str
vm_output(struct vm *vm)
{
	return vm->output;
}

struct re *
vm_pattern(struct call *c, struct str pattern, bool icase)
{
	struct re_error err;

	re_free(c->vm->re);
	c->vm->re = re_compile(c->vm->ctx, pattern, icase, &err);
	if (c->vm->re == NULL)
		vm_domain(c, "%s", err.text);
	return c->vm->re;
}

const struct run_facts *
vm_facts(struct vm *vm)
{
	return &vm->facts;
}

struct str
vm_task(struct vm *vm)
{
	(void)vm;
	return STR_LIT("a task");
}

struct str
vm_incident_key(struct vm *vm)
{
	return vm->incident;
}

double
vm_innum(struct vm *vm)
{
	(void)vm;
	return 7;
}

double
vm_began(struct vm *vm)
{
	(void)vm;
	return NUM_NIL;
}

double
vm_ewma(double average, double value, double weight)
{
	return weight * value + (1 - weight) * average;
}

bool
vm_eoi(struct vm *vm)
{
	(void)vm;
	return true;
}

bool
vm_doexec(struct vm *vm)
{
	(void)vm;
	return false;
}

void
vm_waited(struct vm *vm)
{
	(void)vm;	/* nothing here ends a run */
}

double
vm_inputexit(struct vm *vm)
{
	(void)vm;
	return NUM_NIL;
}

/* --- calling --- */

static struct vm m;

/* What arrays retire may still be viewed: it is freed at the end. */
struct grave {
	struct grave	*next;
	void		*p;
	size_t		 n;
};

static void
retire(void *ctx, void *p, size_t n)
{
	struct vm *vm = ctx;
	struct grave *g = arena_alloc(&vm->arena, sizeof *g);

	*g = (struct grave){ vm->grave, p, n };
	vm->grave = g;
}

static int
set_up(void **state)
{
	static const struct str args[] = { { "one", 3 }, { "two", 3 } };

	(void)state;
	memset(&m, 0, sizeof m);
	mem_init(&m.mem, 32 << 20, NULL);
	arena_init(&m.arena, &m.mem, 4096);
	buf_init(&m.buf, &m.mem);
	array_init(&m.array[0], &m.mem, false, retire, &m);
	array_init(&m.array[1], &m.mem, true, retire, &m);
	m.ctx = re_ctx_new();
	m.facts.arg = args;
	m.facts.narg = 2;
	m.program.name = STR_LIT("Script");
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	if (m.stream != NULL)
		host_close(&m, m.stream);
	re_free(m.re);
	re_ctx_free(m.ctx);
	for (; m.grave != NULL; m.grave = m.grave->next)
		mem_free(&m.mem, m.grave->p, m.grave->n);
	array_free(&m.array[0]);
	array_free(&m.array[1]);
	buf_free(&m.buf);
	arena_free(&m.arena);
	assert_int_equal(m.mem.used, 0);
	return 0;
}

/*
 * Calls with the arguments of a spec: n number (double), s C string, S a
 * struct str, a the array with that index that stands for a list.
 */
static struct call
run(enum builtin_id id, const char *spec, ...)
{
	static double n[16];
	static struct str s[16];
	struct call c = { .vm = &m, .n = n, .s = s, .rn = NUM_ERR,
	    .rs = STR_ERR };
	va_list ap;

	va_start(ap, spec);
	for (; *spec != '\0'; spec++)
		switch (*spec) {
		case 'a':
			c.array_arg = true;
			n[c.nn++] = va_arg(ap, double);
			break;
		case 'n':
			n[c.nn++] = va_arg(ap, double);
			break;
		case 's':
			s[c.ns++] = str_c(va_arg(ap, const char *));
			break;
		default:
			s[c.ns++] = va_arg(ap, struct str);
		}
	va_end(ap);
	m.said[0] = '\0';
	m.ndomain = m.nfailed = m.nwarning = m.nsuppressed = 0;
	assert_non_null(builtin_table[id]);
	builtin_table[id](&c);
	return c;
}

static void
same_number(int line, struct call c, double want)
{
	if (m.ndomain != 0 || num_bits(c.rn + 0.0) != num_bits(want))
		fail_msg("line %d: %.17g, not %.17g; %s", line, c.rn, want,
		    m.said);
}

static void
same_text(int line, struct call c, struct str want)
{
	struct str got = str_shown(c.rs);

	want = str_shown(want);
	if (m.ndomain != 0 || !str_eq(got, want))
		fail_msg("line %d: \"%.*s\", not \"%.*s\"; %s", line,
		    (int)got.n, got.p, (int)want.n, want.p, m.said);
}

static void
out_of_domain(int line, struct call c)
{
	if (m.ndomain != 1 || !num_is_err(c.rn) || !str_none(c.rs) ||
	    c.rs.n == 0)
		fail_msg("line %d: not out of domain", line);
}

#define IS(want, ...)	same_number(__LINE__, run(__VA_ARGS__), want)
#define SAYS(want, ...)	same_text(__LINE__, run(__VA_ARGS__), str_c(want))
#define BAD(...)	out_of_domain(__LINE__, run(__VA_ARGS__))

#endif
