/*
 * mailcmd: PIKT's way.  The configuration names a shell command; it gets the
 * body on its standard input and knows subject and recipients itself.
 * The shell is meant: the command comes from the administrator, and no data
 * is in it.
 *
 * mailx and its like take "~" at the start of a line as a command ("~!rm")
 * and a line of a single dot as the end, some of them even when the input is
 * no terminal.  Such lines get a blank in front.  (Picket's own bodies are
 * indented and have none; this is for whatever else is sent.)
 */
#include "engine/deliver/attempt.h"
#include "engine/deliver/child.h"

static void
harmless(struct buf *b, struct str body)
{
	struct str line;
	size_t at, end;

	for (at = 0; at < body.n; at = end + 1) {
		end = str_find(body, '\n', at);
		line = str_of(body.p + at, end - at);
		if (str_starts(line, "~") || str_eq(line, STR_LIT(".")))
			buf_putc(b, ' ');
		buf_str(b, line);
		buf_putc(b, '\n');
	}
}

static enum outcome
mailcmd_send(struct attempt *a)
{
	const char *argv[] = { "/bin/sh", "-c",
	    arena_dup(a->arena, a->transport->target).p, NULL };
	struct child c = { .argv = argv, .path = a->job->path,
	    .run_id = a->job->run, .timeout = a->transport->timeout };
	struct child_end end;
	struct buf out, body;
	enum outcome o;

	buf_init(&body, a->why->mem);
	buf_init(&out, a->why->mem);
	harmless(&body, a->job->body);
	c.input = buf_view(&body);
	child_run(&c, &out, &end);
	o = attempt_child(a, &end, &out);
	buf_free(&out);
	buf_free(&body);
	return o;
}

const struct sender mailcmd_sender = {
	.name = "mailcmd",
	.send = mailcmd_send,
};
