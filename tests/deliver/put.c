/*
 * put: puts notices into an outbox as a run of an alert does, for the tests
 * of delivery.
 *
 * usage: put STATE_FOLDER PICKET.CONF ID [WORD=VALUE...]
 *
 *	to=ADDRESS,...  level=NAME  alert=NAME  run=ID  first=LINE  route=NAME
 *	after=SECONDS (from now)  distrust=1  digest=1
 *	count=N		so many, with the ids ID.1, ID.2, ...
 *	twice=1		the same batch is committed twice
 *	flush=1		sends what is due, and says what is said; linger=1
 *	say=TEXT	what stands in the mail; lines=N: so often
 */
#include <stdio.h>
#include <stdlib.h>

#include "engine/deliver/plain.h"
#include "engine/deliver/send.h"
#include "engine/effect/spawn.h"
#include "engine/vm/clock.h"
#include "lang/base/num.h"

#define MEMORY	((size_t)256 << 20)

static jmp_buf no_memory;
static char **words;

static const char *
word(const char *name, const char *dflt)
{
	size_t n = strlen(name);
	char **w;

	for (w = words; *w != NULL; w++)
		if (strncmp(*w, name, n) == 0 && (*w)[n] == '=')
			return *w + n + 1;
	return dflt;
}

static void
say(void *arg, struct str line)
{
	(void)arg;
	printf("%.*s\n", (int)line.n, line.p);
}

static bool
put(struct state *st, const struct conf *conf, const char *id,
    struct arena *a)
{
	static struct str to[LIM_JOB_RCPT];
	char *list = strdup(word("to", "ann@example.org")), *p;
	struct plain plain = { .host = conf->value[CONF_HOSTNAME],
	    .from = conf->value[CONF_MAILFROM], .run = str_c(id),
	    .alert = str_c(word("alert", "Test")), .level = LEVEL_WARNING,
	    .now = clock_wall(), .title = STR_LIT("Title"), .to = to };
	struct notice n;
	struct batch *b;
	struct buf t;
	bool ok;
	int l;

	for (p = strtok(list, ","); p != NULL && plain.nto < LIM_JOB_RCPT;
	    p = strtok(NULL, ","))
		to[plain.nto++] = str_c(p);
	for (l = 0; l < LEVEL_COUNT; l++)
		if (strcmp(level_name[l], word("level", "warning")) == 0)
			plain.level = (enum level)l;
	buf_init(&t, a->mem);
	buf_printf(&t, "notice %s", id);
	plain.subject = arena_dup(a, buf_view(&t));
	buf_putc(&t, '\n');
	for (l = 0; l < atoi(word("lines", "1")); l++)
		buf_printf(&t, "%s\n", word("say", "nothing else"));
	plain.text = buf_view(&t);
	plain_notice(&plain, &n, a);
	n.run = str_c(word("run", id));
	n.first = str_c(word("first", ""));
	n.route = str_c(word("route", ""));
	n.distrust = atoi(word("distrust", "0")) != 0;
	n.digest = atoi(word("digest", "0")) != 0;
	if (word("after", NULL) != NULL)
		n.after = plain.now + atof(word("after", "0"));
	b = batch_new(a->mem);
	outbox_put(b, &n, conf);
	ok = state_commit(st, b, true);
	batch_free(b);
	if (ok && atoi(word("twice", "0")) != 0) {
		b = batch_new(a->mem);
		outbox_put(b, &n, conf);
		ok = state_commit(st, b, true);
		batch_free(b);
	}
	if (!ok)
		printf("%.*s\n", (int)state_why(st).n, state_why(st).p);
	buf_free(&t);
	free(list);
	return ok;
}

int
main(int argc, char **argv)
{
	static struct conf conf;
	struct state_options so = { .say = say };
	struct outbox_options o = { .say = say };
	struct outbox_sum sum;
	struct buf errors, path, program, id;
	struct arena arena;
	struct mem mem;
	int i, n, status = 0;

	if (argc < 4) {
		fputs("usage: put STATE_FOLDER PICKET.CONF ID [WORD=VALUE...]\n",
		    stderr);
		return 2;
	}
	words = argv + 4;
	mem_init(&mem, MEMORY, &no_memory);
	if (setjmp(no_memory) != 0) {
		fputs("put: out of memory\n", stderr);
		return 1;
	}
	arena_init(&arena, &mem, 4096);
	buf_init(&errors, &mem);
	buf_init(&path, &mem);
	buf_init(&program, &mem);
	buf_init(&id, &mem);
	if (!conf_read(&conf, argv[2], false, &arena, &errors)) {
		fputs(buf_c(&errors), stderr);
		return 1;
	}
	buf_printf(&path, "%s/" STATE_FILE, argv[1]);
	spawn_helper(&program, STATE_PROGRAM);
	so.mem = &mem;
	so.path = buf_view(&path);
	so.program = buf_c(&program);
	o.state = state_new(&so);
	n = atoi(word("count", "0"));
	for (i = 0; status == 0 && i < (n > 0 ? n : 1); i++) {
		buf_clear(&id);
		buf_puts(&id, argv[3]);
		if (n > 0)
			buf_printf(&id, ".%d", i + 1);
		status = put(o.state, &conf, buf_c(&id), &arena) ? 0 : 1;
	}
	if (atoi(word("flush", "0")) != 0) {
		buf_clear(&program);
		send_program(&program);
		o.folder = str_c(argv[1]);
		o.conf = &conf;
		o.program = buf_c(&program);
		o.mem = &mem;
		o.linger = atoi(word("linger", "0")) != 0;
		if (!outbox_flush(&o, str_c(word("run", argv[3])), &sum))
			status = 1;
	}
	state_free(o.state);
	buf_free(&errors);
	buf_free(&path);
	buf_free(&program);
	buf_free(&id);
	arena_free(&arena);
	return status;
}
