/*
 * mkmail: mails of changes, for tests/deliver/threads.t.  Each line of the
 * input is a mail:
 *
 *	RUN TIME CHANGE...
 *
 * CHANGE is WHAT:ID:LEVEL:THREAD, WHAT an enum notice_kind, LEVEL an enum
 * level, THREAD a Message-ID or empty.  On the output: the length of the
 * message, a line end, the message.
 */
#include <stdio.h>
#include <stdlib.h>

#include "engine/deliver/compose.h"

#define MOST	20		/* changes of a mail */

/* The part of a word up to the next colon, which becomes its end. */
static char *
next(char **p)
{
	char *from = *p, *colon = strchr(from, ':');

	if (colon == NULL)
		*p = from + strlen(from);
	else {
		*colon = '\0';
		*p = colon + 1;
	}
	return from;
}

static void
one_change(char *word, double now, struct change *c, struct incident *in)
{
	int what = atoi(next(&word));

	incident_new(in, STR_LIT("key"));
	in->id = str_c(next(&word));
	in->level = atoi(next(&word));
	in->thread = str_c(word);
	in->state = what == NOTICE_RESOLVED ? INCIDENT_QUIET :
	    INCIDENT_FIRES;
	in->fired = in->since = in->told_fired = in->ended = now;
	in->message = STR_LIT("something is the matter");
	*c = (struct change){ .what = (enum notice_kind)what,
	    .incident = in, .now = now };
}

int
main(void)
{
	static const struct str to[] = { { "a@example.org", 13 } };
	struct incident in[MOST];
	struct change c[MOST];
	struct mail_section s = { .script = STR_LIT("S"), .change = c };
	struct mail m = { .host = STR_LIT("moscow"), .alert = STR_LIT("A"),
	    .from = STR_LIT("picket@example.org"), .to = to, .nto = 1,
	    .subject = STR_LIT("PIKT Alert on %h: %a"), .section = &s,
	    .nsection = 1 };
	struct buf body, message, id;
	struct mem mem;
	char line[4000], *word;
	double now;

	mem_init(&mem, (size_t)64 << 20, NULL);
	buf_init(&body, &mem);
	buf_init(&message, &mem);
	buf_init(&id, &mem);
	while (fgets(line, sizeof line, stdin) != NULL) {
		if ((word = strtok(line, " \n")) == NULL)
			continue;
		m.run_id = str_c(word);
		word = strtok(NULL, " \n");
		now = word == NULL ? 0 : atof(word);
		m.when = (time_t)now;
		for (s.nchange = 0; s.nchange < MOST &&
		    (word = strtok(NULL, " \n")) != NULL; s.nchange++)
			one_change(word, now, &c[s.nchange], &in[s.nchange]);
		buf_clear(&id);
		compose_id(m.run_id, 1, m.host, &id);
		m.message_id = buf_view(&id);
		buf_clear(&body);
		compose_body(&m, &body);
		buf_clear(&message);
		compose_message(&m, buf_view(&body), &message);
		printf("%zu\n", message.n);
		fwrite(message.p, 1, message.n, stdout);
	}
	buf_free(&body);
	buf_free(&message);
	buf_free(&id);
	return 0;
}
