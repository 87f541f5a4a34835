#include "engine/deliver/send.h"

#include <stdlib.h>

#include "engine/deliver/child.h"

#define LIM_REPORT	((size_t)4 << 20) /* bytes: each transport's word on each
				 * recipient, all of it escaped */
#define SLACK		10.0	/* seconds for what transports do besides:
				 * starting, ending what ran too long */

void
send_program(struct buf *path)
{
	spawn_helper(path, SEND_PROGRAM);
}

double
send_timeout(const struct job *j, struct mem *m)
{
	struct transport t;
	struct arena a;
	struct buf why;
	double sum = SLACK;
	size_t i;

	arena_init(&a, m, 1024);
	buf_init(&why, m);
	for (i = 0; i < j->ntransport; i++)
		if (transport_parse_line(&t, j->transport[i], &a, &why))
			sum += t.timeout + SLACK;
	buf_free(&why);
	arena_free(&a);
	return sum;
}

static bool
send_it(const struct job *j, const char *program, double timeout,
    const volatile sig_atomic_t *stop, struct buf *report)
{
	const char *const argv[] = { program, NULL };
	struct child c = { .argv = argv, .path = j->path, .run_id = j->run,
	    .keep = LIM_REPORT, .stop = stop };
	struct child_end end;
	struct buf bytes;

	buf_init(&bytes, report->mem);
	job_write(j, &bytes);
	c.input = buf_view(&bytes);
	c.timeout = timeout > 0 ? timeout : send_timeout(j, report->mem);
	child_run(&c, report, &end);
	buf_free(&bytes);
	if (!end.started) {
		/* no process, no memory, no program: all of it passes */
		buf_puts(report, "retry " SEND_PROGRAM " ");
		buf_escaped(report, str_c(end.why), 0);
		buf_putc(report, '\n');
	} else if (end.timed_out) {
		buf_printf(report, "retry " SEND_PROGRAM " not ended after "
		    "%gs\n", c.timeout);
	} else if (end.status != JOB_SENT && end.status != JOB_REFUSED &&
	    end.status != JOB_LATER) {
		buf_printf(report, "retry " SEND_PROGRAM " ended with status "
		    "%d\n", end.status);
	}
	return end.started && !end.timed_out && end.status == JOB_SENT;
}

bool
send_job(const struct job *j, const char *program, double timeout,
    struct buf *report)
{
	return send_it(j, program, timeout, NULL, report);
}

bool
send_job_until(const struct job *j, const char *program,
    const volatile sig_atomic_t *stop, struct buf *report)
{
	return send_it(j, program, 0, stop, report);
}
