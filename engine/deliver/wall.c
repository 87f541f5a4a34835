/*
 * wall: the notice onto the terminals of who is logged in, by wall(1): which
 * terminals those are, and who may write to them, is its business.
 *
 * What it writes is made harmless here (items.h), whatever wall does.
 */
#include "engine/deliver/attempt.h"
#include "engine/deliver/child.h"
#include "engine/deliver/items.h"

#define LIM_WALL_LINES	20	/* what stands on a terminal of 24 lines */
#define LIM_WALL_LINE	500	/* bytes: more is no line for a terminal */

static void
make(struct buf *b, struct str text)
{
	size_t at, end, lines = 0;

	for (at = 0; at < text.n && lines < LIM_WALL_LINES; at = end + 1) {
		end = str_find(text, '\n', at);
		text_cut(b, str_of(text.p + at, end - at), TEXT_BYTES,
		    LIM_WALL_LINE);
		buf_putc(b, '\n');
		lines++;
	}
	if (at < text.n)
		buf_puts(b, "...\n");
}

static enum outcome
wall_send(struct attempt *a)
{
	const char *argv[] = { arena_dup(a->arena, a->transport->target).p,
	    NULL };
	struct child c = { .argv = argv, .path = a->job->path,
	    .run_id = a->job->run, .timeout = a->transport->timeout };
	struct buf out, text, input;
	struct child_end end;
	struct items all;
	enum outcome o;

	items_read(&all, a);
	buf_init(&text, a->why->mem);
	buf_init(&input, a->why->mem);
	buf_init(&out, a->why->mem);
	items_text(&all, &text);
	make(&input, buf_view(&text));
	c.input = buf_view(&input);
	child_run(&c, &out, &end);
	o = attempt_child(a, &end, &out);
	buf_free(&out);
	buf_free(&input);
	buf_free(&text);
	return o;
}

const struct sender wall_sender = {
	.name = "wall",
	.send = wall_send,
};
