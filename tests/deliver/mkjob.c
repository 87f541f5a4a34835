/*
 * mkjob: composes a mail and writes the job that sends it, for the tests of
 * delivery: what an attacker wrote goes in here, and the tests look at what
 * comes out at the other end.
 *
 * usage: mkjob HOST ALERT SUBJECT RUN FROM TO,TO... TRANSPORT... < LINES
 */
#include <stdio.h>
#include <stdlib.h>

#include "engine/deliver/compose.h"
#include "engine/deliver/job.h"

#define WHEN	956639822	/* 25 April 2000, 05:17:02 UTC */
#define MEMORY	((size_t)256 << 20)

static jmp_buf no_memory;

static struct str
input(struct buf *b)
{
	size_t n;

	while ((n = fread(buf_room(b, 65536), 1, 65536, stdin)) > 0)
		b->n += n;
	return buf_view(b);
}

int
main(int argc, char **argv)
{
	struct mail_section s = { .level = LEVEL_URGENT,
	    .script = STR_LIT("Script"), .task = STR_LIT("Task."),
	    .error = STR_EMPTY };
	struct mail m = { .when = WHEN, .section = &s, .nsection = 1 };
	static struct job j;
	struct mem mem;
	struct buf lines, body, message, out;
	char *to;
	int i;

	if (argc < 8) {
		fputs("usage: mkjob HOST ALERT SUBJECT RUN FROM TO,TO... "
		    "TRANSPORT... < LINES\n", stderr);
		return 2;
	}
	mem_init(&mem, MEMORY, &no_memory);
	if (setjmp(no_memory) != 0) {
		fputs("mkjob: out of memory\n", stderr);
		return 1;
	}
	buf_init(&lines, &mem);
	buf_init(&body, &mem);
	buf_init(&message, &mem);
	buf_init(&out, &mem);
	s.lines = input(&lines);
	m.host = str_c(argv[1]);
	m.alert = str_c(argv[2]);
	m.subject = str_c(argv[3]);
	j.run = m.run_id = str_c(argv[4]);
	j.from = m.from = str_c(argv[5]);
	for (to = strtok(argv[6], ","); to != NULL && j.nto < LIM_JOB_RCPT;
	    to = strtok(NULL, ","))
		j.to[j.nto++] = str_c(to);
	m.to = j.to;
	m.nto = j.nto;
	for (i = 7; i < argc && j.ntransport < LIM_CONF_TRANSPORTS; i++)
		j.transport[j.ntransport++] = str_c(argv[i]);
	j.host = STR_LIT("test.example.org");
	j.path = STR_LIT("/usr/bin:/bin");
	compose_body(&m, &body);
	compose_message(&m, buf_view(&body), &message);
	j.body = buf_view(&body);
	j.message = buf_view(&message);
	job_write(&j, &out);
	fwrite(out.p, 1, out.n, stdout);
	buf_free(&lines);
	buf_free(&body);
	buf_free(&message);
	buf_free(&out);
	return fflush(stdout) == 0 ? 0 : 1;
}
