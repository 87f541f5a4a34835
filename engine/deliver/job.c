#include "engine/deliver/job.h"

#include "engine/deliver/address.h"
#include "engine/deliver/words.h"

#define JOB_MAGIC	"picket-job 1\n"

void
job_from_conf(struct job *j, const struct conf *c, struct arena *a)
{
	struct buf line;
	size_t i;

	memset(j, 0, sizeof *j);
	/* the system may have a name that no mail server would take */
	j->host = host_name_ok(c->value[CONF_HOSTNAME]) ?
	    c->value[CONF_HOSTNAME] : STR_LIT("localhost");
	j->path = c->value[CONF_PATH];
	j->from = c->value[CONF_MAILFROM];
	memcpy(j->to, c->mailto, c->nmailto * sizeof *j->to);
	j->nto = c->nmailto;
	buf_init(&line, a->mem);
	for (i = 0; i < c->ntransport; i++) {
		buf_clear(&line);
		transport_format(&c->transport[i], &line);
		j->transport[j->ntransport++] = arena_dup(a, buf_view(&line));
	}
	buf_free(&line);
}

static void
add_field(struct buf *b, const char *name, struct str value)
{
	buf_printf(b, "%s %zu\n", name, value.n);
	buf_add(b, value.p, value.n);
	buf_putc(b, '\n');
}

static void
add_file(struct buf *b, const struct job_file *f)
{
	buf_printf(b, "%s %zu\n", f->missing ? "nofile" : "file",
	    f->path.n + 1 + f->text.n);
	buf_str(b, f->path);
	buf_putc(b, '\0');
	buf_add(b, f->text.p, f->text.n);
	buf_putc(b, '\n');
}

void
job_write(const struct job *j, struct buf *b)
{
	size_t i;

	buf_puts(b, JOB_MAGIC);
	add_field(b, "host", j->host);
	if (j->run.n > 0)
		add_field(b, "run", j->run);
	add_field(b, "path", j->path);
	add_field(b, "from", j->from);
	for (i = 0; i < j->nto; i++)
		add_field(b, "to", j->to[i]);
	for (i = 0; i < j->ntransport; i++)
		add_field(b, "transport", j->transport[i]);
	add_field(b, "message", j->message);
	add_field(b, "body", j->body);
	if (j->notice.n > 0)
		add_field(b, "notice", j->notice);
	for (i = 0; i < j->nfile; i++)
		add_file(b, &j->file[i]);
	add_field(b, "end", STR_EMPTY);
}

/*
 * The next field, and *at behind it; false if there is none.  A length is
 * at most eight digits: LIM_JOB has as many.
 */
static bool
next_field(struct str s, size_t *at, struct str *name, struct str *value)
{
	size_t i, n = 0, digits = 0;

	i = str_find(s, ' ', *at);
	*name = str_of(s.p + *at, i - *at);
	if (i++ >= s.n)
		return false;
	for (; i < s.n && s.p[i] >= '0' && s.p[i] <= '9'; i++) {
		n = 10 * n + (size_t)(s.p[i] - '0');
		if (++digits > 8)
			return false;
	}
	if (digits == 0 || i >= s.n || s.p[i++] != '\n')
		return false;
	if (n >= s.n - i || s.p[i + n] != '\n')
		return false;
	*value = str_of(s.p + i, n);
	*at = i + n + 1;
	return true;
}

static bool
set_file(struct job *j, struct str value, bool missing, struct buf *why)
{
	size_t i = str_find(value, '\0', 0);

	if (i == value.n)
		return words_wrong(why, "no path in", value);
	if (j->nfile == LIM_JOB_FILES)
		return words_wrong(why, "too many files at", value);
	j->file[j->nfile++] = (struct job_file){ str_of(value.p, i),
	    str_of(value.p + i + 1, value.n - i - 1), missing };
	return true;
}

const struct job_file *
job_file(const struct job *j, struct str path)
{
	size_t i;

	for (i = 0; i < j->nfile; i++)
		if (str_eq(j->file[i].path, path))
			return &j->file[i];
	return NULL;
}

static bool
set_field(struct job *j, struct str name, struct str value, struct buf *why)
{
	const struct {
		const char	*name;
		struct str	*value;
	} once[] = {
		{ "host", &j->host }, { "run", &j->run }, { "path", &j->path },
		{ "from", &j->from }, { "message", &j->message },
		{ "body", &j->body }, { "notice", &j->notice },
	};
	size_t i;

	for (i = 0; i < sizeof once / sizeof *once; i++)
		if (str_eq(name, str_c(once[i].name))) {
			if (!str_none(*once[i].value))
				return words_wrong(why, "given twice:", name);
			*once[i].value = value;
			return true;
		}
	if (str_eq(name, STR_LIT("to"))) {
		if (j->nto == LIM_JOB_RCPT)
			return words_wrong(why, "too many recipients at", value);
		j->to[j->nto++] = value;
		return true;
	}
	if (str_eq(name, STR_LIT("transport"))) {
		if (j->ntransport == LIM_CONF_TRANSPORTS)
			return words_wrong(why, "too many transports at", value);
		j->transport[j->ntransport++] = value;
		return true;
	}
	if (str_eq(name, STR_LIT("file")) || str_eq(name, STR_LIT("nofile")))
		return set_file(j, value, name.p[0] == 'n', why);
	return words_wrong(why, "unknown field", name);
}

static bool
address(struct str s, struct buf *why)
{
	const char *fault = address_fault(s);

	if (fault == NULL)
		return true;
	words_wrong(why, "mail address", s);
	buf_putc(why, ' ');
	buf_puts(why, fault);
	return false;
}

static bool
complete(struct job *j, struct buf *why)
{
	size_t i;

	if (str_none(j->run))
		j->run = STR_EMPTY;
	if (str_none(j->notice))
		j->notice = STR_EMPTY;
	if (str_none(j->message) || str_none(j->body) || str_none(j->path) ||
	    str_none(j->from) || str_none(j->host) || j->ntransport == 0) {
		buf_puts(why, "a field is missing");
		return false;
	}
	if (!host_name_ok(j->host))
		return words_wrong(why, "no host name:", j->host);
	if (str_find(j->path, '\0', 0) < j->path.n ||
	    str_find(j->run, '\0', 0) < j->run.n)
		return words_wrong(why, "NUL byte in", j->path);
	for (i = 0; i < j->nto; i++)
		if (!address(j->to[i], why))
			return false;
	return address(j->from, why);
}

bool
job_read(struct job *j, struct str bytes, struct buf *why)
{
	struct str name, value;
	size_t at = sizeof JOB_MAGIC - 1;

	memset(j, 0, sizeof *j);
	if (!str_starts(bytes, JOB_MAGIC))
		return words_wrong(why, "no job of this version:", bytes);
	while (next_field(bytes, &at, &name, &value)) {
		if (!str_eq(name, STR_LIT("end"))) {
			if (!set_field(j, name, value, why))
				return false;
		} else if (value.n > 0 || at < bytes.n)
			return words_wrong(why, "bytes after the end of the job:",
			    name);
		else
			return complete(j, why);
	}
	buf_puts(why, "the job is cut short");
	return false;
}
