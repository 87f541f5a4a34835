/*
 * picket-store: the one program that has the state's file open.  It is
 * started by the client (client.h), talks over its standard input, which is
 * a socket, and goes when that is closed.
 */
#include <sys/socket.h>
#include <sys/stat.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "engine/state/query.h"
#include "engine/state/request.h"

#define LIM_STORE_MEM	((size_t)320 << 20)	/* bytes: LIM_BATCH, in buffers
						 * that double, and a message on
						 * top; SQLite's not counted */

enum { FINE, NO_MEMORY, BAD_MESSAGE };

static bool
answer(struct buf *out, enum wire_kind kind, struct str text)
{
	wire_begin(out, kind);
	wire_text(out, text);
	wire_end(out);
	return wire_send(STDIN_FILENO, buf_view(out));
}

static int
malformed(void)
{
	static const char said[] =
	    "picket-store: a message that is none; nothing was changed\n";

	(void)!write(STDERR_FILENO, said, sizeof said - 1);
	return BAD_MESSAGE;
}

enum greeting { GREETED, OTHER, NO_HELLO };

/* The first message: of which version and build, and which file. */
static enum greeting
hello(struct store *s, struct mem *m, struct wire *w)
{
	uint32_t version = wire_get_u32(w), print = wire_get_u32(w);
	struct str path;
	bool read_only;

	if (!w->bad && (version != WIRE_VERSION || print != query_print()))
		return OTHER;
	path = wire_get_given(w);
	read_only = wire_get_u8(w) != 0;
	if (w->bad || w->left > 0 || path.n == 0 ||
	    memchr(path.p, '\0', path.n) != NULL)
		return NO_HELLO;
	store_init(s, m, path, read_only);
	return GREETED;
}

static int
serve(struct mem *m)
{
	struct buf in, out;
	struct store s;
	struct stage stage;
	struct wire w;
	enum wire_kind kind;
	enum wire_got got;
	bool greeted = false, heard = true;
	int status = FINE;

	buf_init(&in, m);
	buf_init(&out, m);
	stage_init(&stage, m);
	while (heard && status == FINE &&
	    (got = wire_receive(STDIN_FILENO, &in, -1)) != WIRE_END) {
		w = (struct wire){ in.p, in.n, false };
		kind = (enum wire_kind)wire_get_u8(&w);
		if (got != WIRE_GOT || (kind == WIRE_HELLO) == greeted) {
			status = malformed();
			break;
		}
		if (!greeted) {
			switch (hello(&s, m, &w)) {
			case GREETED:
				greeted = true;
				break;
			case OTHER:
				(void)answer(&out, WIRE_FAILED, STR_LIT(
				    "picket-store is of another build than "
				    "this program: install Picket as a "
				    "whole"));
				heard = false;
				continue;
			case NO_HELLO:
				status = malformed();
				continue;
			}
			wire_begin(&out, WIRE_DONE);
			wire_end(&out);
			heard = wire_send(STDIN_FILENO, buf_view(&out));
			continue;
		}
		if (kind == WIRE_APPLY || kind == WIRE_DO) {
			if (!stage_add(&stage, &s, kind, w, &in))
				status = malformed();
			continue;
		}
		switch (request_do(&s, kind, &w, &stage, STDIN_FILENO, &out)) {
		case REQUEST_DONE:
			wire_end(&out);
			in.n = 0;
			if (s.note.n > 0) {
				buf_str(&in, buf_view(&out));
				heard = answer(&out, WIRE_NOTE,
				    buf_view(&s.note));
				buf_clear(&s.note);
				buf_clear(&out);
				buf_str(&out, buf_view(&in));
			}
			heard = heard && wire_send(STDIN_FILENO,
			    buf_view(&out));
			break;
		case REQUEST_FAILED:
			if (s.note.n > 0)
				(void)answer(&out, WIRE_NOTE,
				    buf_view(&s.note));
			buf_clear(&s.note);
			heard = answer(&out, WIRE_FAILED, buf_view(&s.why));
			break;
		case REQUEST_BAD:
			status = malformed();
			break;
		case REQUEST_GONE:
			heard = false;
			break;
		}
		stage_clear(&stage);
	}
	stage_clear(&stage);
	if (greeted)
		store_free(&s);
	buf_free(&in);
	buf_free(&out);
	return status;
}

int
main(void)
{
	struct mem m;
	jmp_buf fail;
	struct stat st;

	if (fstat(STDIN_FILENO, &st) != 0 || !S_ISSOCK(st.st_mode)) {
		(void)fprintf(stderr, "picket-store is started by picket; it "
		    "keeps the state of runs, and there is nothing to run by "
		    "hand\n");
		return 2;
	}
	mem_init(&m, LIM_STORE_MEM, &fail);
	if (setjmp(fail) != 0) {
		(void)fprintf(stderr, "picket-store: no memory left; nothing "
		    "was changed\n");
		return NO_MEMORY;
	}
	return serve(&m);
}
