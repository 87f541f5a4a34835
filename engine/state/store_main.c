/*
 * picket-store: the one program that has the state's file open.  It is
 * started by the client (client.h), talks over its standard input, which is
 * a socket, and goes when that is closed.  Or picketd starts it, for all
 * clients (serve.h):
 *
 *	picket-store --serve --state FOLDER [--reader UID]
 */
#include <malloc.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "engine/state/query.h"
#include "engine/state/request.h"
#include "engine/state/serve.h"

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

static bool
send_rows(void *arg, struct str message)
{
	(void)arg;
	return wire_send(STDIN_FILENO, message);
}

static int
serve_one(struct mem *m)
{
	struct buf in, out;
	struct store s;
	struct stage stage;
	struct wire w;
	enum wire_kind kind;
	enum wire_got got;
	struct str path;
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
			switch (request_hello(&w, &path, &stage.read_only)) {
			case GREETED:
				store_init(&s, m, path, stage.read_only);
				greeted = true;
				break;
			case GREETED_BY_OTHER:
				(void)answer(&out, WIRE_FAILED, STR_LIT(
				    "picket-store is of another build than "
				    "this program: install Picket as a "
				    "whole"));
				heard = false;
				continue;
			case GREETED_BADLY:
				status = malformed();
				continue;
			}
			wire_begin(&out, WIRE_DONE);
			wire_end(&out);
			heard = wire_send(STDIN_FILENO, buf_view(&out));
			continue;
		}
		if (kind == WIRE_APPLY || kind == WIRE_DO) {
			if (!stage_add(&stage, kind, w, &in))
				status = malformed();
			continue;
		}
		switch (request_do(&s, kind, &w, &stage, send_rows, NULL,
		    &out)) {
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
			/* that we are gone has the client ask picketd's */
			heard = !s.served && answer(&out, WIRE_FAILED,
			    buf_view(&s.why));
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

static int
serve_all(int argc, char **argv)
{
	struct serve_options o = { .folder = STR_NIL };
	struct mem m;
	jmp_buf fail;
	char *end;
	bool ok = argc % 2 == 0;
	int i;

	for (i = 2; i < argc && ok; i += 2)
		if (strcmp(argv[i], "--state") == 0) {
			o.folder = str_c(argv[i + 1]);
			ok = argv[i + 1][0] == '/';
		} else if (strcmp(argv[i], "--reader") == 0) {
			o.has_reader = true;
			o.reader = (uid_t)strtoul(argv[i + 1], &end, 10);
			ok = argv[i + 1][0] >= '0' && argv[i + 1][0] <= '9' &&
			    *end == '\0';
		} else
			ok = false;
	if (!ok || str_none(o.folder)) {
		(void)fprintf(stderr, "usage: picket-store --serve --state "
		    "FOLDER [--reader UID]\n");
		return 2;
	}
	/* what was large goes back to the system when it is done with */
	(void)mallopt(M_MMAP_THRESHOLD, 128 * 1024);
	(void)mallopt(M_TRIM_THRESHOLD, 256 * 1024);
	mem_init(&m, LIM_SERVE_MEM, &fail);
	if (setjmp(fail) != 0) {
		(void)fprintf(stderr, "picket-store: no memory left; what was "
		    "not answered was not done\n");
		return NO_MEMORY;
	}
	o.mem = &m;
	return serve(&o);
}

int
main(int argc, char **argv)
{
	struct mem m;
	jmp_buf fail;
	struct stat st;

	if (argc > 1 && strcmp(argv[1], "--serve") == 0)
		return serve_all(argc, argv);
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
	return serve_one(&m);
}
