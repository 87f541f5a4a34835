/*
 * picket-deliver: reads one job (job.h), tries its transports in order, says
 * what came of each.  It keeps nothing: what is to be tried again is its
 * caller's to know.  With --serve it stays, in the jail, and does one job
 * after the other (resident.h).
 */
#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "engine/deliver/attempt.h"
#include "engine/deliver/stock.h"
#include "engine/deliver/resident.h"
#include "engine/jail/jail.h"

#define LIM_DELIVER_MEM	((size_t)6 * LIM_JOB)	/* the job, and what transports
				 * make of it: CRLF, mailbox, blanks before ~ */
#define READ_BLOCK	(64 * 1024)
#define REPORT_BLOCK	(256 * 1024)	/* bytes: an attempt's lines, written as
					 * one */

#define LIM_SERVE_FILES	64	/* descriptors: a few connections at a time */
#define LIM_SERVE_THREADS 64	/* that resolve names: one a name, and of those
				 * that wait for a name server some more */

static const struct sender *const senders[TRANSPORT_COUNT] = {
	[TRANSPORT_SMTP] = &smtp_sender,
	[TRANSPORT_SENDMAIL] = &sendmail_sender,
	[TRANSPORT_MAILCMD] = &mailcmd_sender,
	[TRANSPORT_FILE] = &file_sender,
	[TRANSPORT_WEBHOOK] = &webhook_sender,
	[TRANSPORT_ALERTMANAGER] = &alertmanager_sender,
	[TRANSPORT_PAGERDUTY] = &pagerduty_sender,
	[TRANSPORT_SYSLOG] = &syslog_sender,
	[TRANSPORT_JOURNAL] = &journal_sender,
	[TRANSPORT_WALL] = &wall_sender,
	[TRANSPORT_NULL] = &null_sender,
	[TRANSPORT_HEARTBEAT] = &heartbeat_sender,
};

static const char *const outcome_name[] = {
	[OUTCOME_OK] = "ok",
	[OUTCOME_RETRY] = "retry",
	[OUTCOME_FAIL] = "fail",
};

struct delivery {
	struct mem	*mem;
	struct stock	*stock;		/* or NULL: it does not stay */
	struct arena	 arena;
	struct job	 job;
	struct recipient rcpt[LIM_JOB_RCPT];
	bool		 done;		/* nobody is left */
	bool		 later;		/* something said retry */
};

/*
 * Standard descriptors exist, and there is no core with a password in it.  Who
 * started us is who writes down what we did: if that is killed, what we sent
 * from then on would be sent again.
 */
static void
secure(void)
{
	struct rlimit none = { 0, 0 };
	int fd;

	do
		fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	while (fd != -1 && fd <= STDERR_FILENO);
	if (fd != -1)
		close(fd);
	setrlimit(RLIMIT_CORE, &none);
	signal(SIGPIPE, SIG_IGN);
#ifdef PR_SET_PDEATHSIG
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
#endif
	/* getaddrinfo's own patience is longer than most timeouts */
	setenv("RES_OPTIONS", "timeout:3 attempts:2", 1);
}

static bool
read_job(int fd, struct buf *b)
{
	ssize_t n;

	while (b->n <= LIM_JOB) {
		n = read(fd, buf_room(b, READ_BLOCK), READ_BLOCK);
		if (n == -1 && errno == EINTR)
			continue;
		if (n <= 0)
			return n == 0;
		b->n += (size_t)n;
	}
	errno = EFBIG;
	return false;
}

/* One line of the report.  All of an attempt goes out at once, as we may not
 * live to the end, and together: half of it would say that all have it. */
static void
report(struct delivery *d, enum outcome o, struct str label,
    struct str address, struct str why)
{
	struct buf b;

	buf_init(&b, d->mem);
	buf_puts(&b, outcome_name[o]);
	buf_putc(&b, ' ');
	buf_str(&b, label);
	if (address.n > 0)
		buf_printf(&b, " <%.*s>", (int)address.n, address.p);
	buf_putc(&b, ' ');
	buf_escaped(&b, why, LIM_REASON);
	puts(buf_c(&b));
	buf_free(&b);
	if (o == OUTCOME_RETRY)
		d->later = true;
}

/* Those without the mail, fresh for an attempt. */
static size_t
left(struct delivery *d, struct recipient **list)
{
	size_t i, n = 0;

	for (i = 0; i < d->job.nto; i++)
		if (!d->rcpt[i].taken) {
			d->rcpt[i].refused = false;
			list[n++] = &d->rcpt[i];
		}
	return n;
}

static void
settle(struct delivery *d, struct attempt *a, enum outcome o,
    struct str label)
{
	bool one = a->nrcpt == 0;
	size_t i;

	for (i = 0; i < a->nrcpt; i++)
		one = one || !a->rcpt[i]->refused;
	if (o == OUTCOME_OK && !one)
		o = OUTCOME_RETRY;	/* a relay that contradicts itself */
	report(d, o, label, STR_EMPTY, buf_view(a->why));
	d->done = o == OUTCOME_OK;
	for (i = 0; i < a->nrcpt; i++) {
		if (o == OUTCOME_OK && !a->rcpt[i]->refused) {
			a->rcpt[i]->taken = true;
			continue;
		}
		d->done = false;
		if (a->rcpt[i]->refused && a->nrcpt > 1)
			report(d, a->rcpt[i]->outcome, label,
			    a->rcpt[i]->address, a->rcpt[i]->why);
	}
}

static void
try_transport(struct delivery *d, struct str line)
{
	struct recipient *list[LIM_JOB_RCPT];
	struct transport t;
	const struct sender *sender;
	struct buf why, label;
	struct attempt a = { .job = &d->job, .stock = d->stock,
	    .transport = &t, .rcpt = list, .arena = &d->arena, .why = &why };

	buf_init(&why, d->mem);
	buf_init(&label, d->mem);
	if (!transport_parse_line(&t, line, &d->arena, &why)) {
		report(d, OUTCOME_FAIL, STR_LIT("config"), STR_EMPTY,
		    buf_view(&why));
	} else if (d->stock != NULL && transport_is_local(&t)) {
		report(d, OUTCOME_RETRY, STR_LIT("config"), STR_EMPTY,
		    STR_LIT("not for the one that stays"));
	} else {
		transport_label(&t, &label);
		sender = senders[t.kind];
		a.nrcpt = left(d, list);
		if (sender->by_address && a.nrcpt == 0)
			report(d, OUTCOME_FAIL, buf_view(&label), STR_EMPTY,
			    STR_LIT("the mail has no recipient"));
		else
			settle(d, &a, sender->send(&a), buf_view(&label));
	}
	fflush(stdout);
	buf_free(&label);
	buf_free(&why);
}

static enum job_exit
deliver(struct delivery *d, struct buf *bytes)
{
	struct buf why;
	size_t i;

	d->done = d->later = false;
	memset(d->rcpt, 0, sizeof d->rcpt);
	buf_init(&why, d->mem);
	if (!job_read(&d->job, buf_view(bytes), &why)) {
		fprintf(stderr, "picket-deliver: %s\n", buf_c(&why));
		buf_free(&why);
		return JOB_BAD;
	}
	for (i = 0; i < d->job.nto; i++)
		d->rcpt[i].address = d->job.to[i];
	for (i = 0; i < d->job.ntransport && !d->done; i++)
		try_transport(d, d->job.transport[i]);
	for (i = 0; i < d->job.nto; i++)
		if (!d->rcpt[i].taken)
			printf("left %.*s\n", (int)d->rcpt[i].address.n,
			    d->rcpt[i].address.p);
	fflush(stdout);
	return d->done ? JOB_SENT : d->later ? JOB_LATER : JOB_REFUSED;
}

/* --- the one that stays --- */

static bool
read_all(char *to, size_t n)
{
	ssize_t k;

	for (; n > 0; n -= (size_t)k, to += k) {
		k = read(STDIN_FILENO, to, n);
		if (k == -1 && errno == EINTR)
			k = 0;
		else if (k <= 0)
			return false;
	}
	return true;
}

/* One message; false: the courier has gone, or is out of step. */
static bool
read_message(struct buf *b)
{
	uint32_t n;

	buf_clear(b);
	if (!read_all((char *)&n, sizeof n) || n > LIM_JOB ||
	    !read_all(buf_room(b, n), n))
		return false;
	b->n = n;
	return true;
}

/*
 * What it has once it is in the jail: its socket, what stock.h holds, and the
 * files that libraries look into to resolve a name or to talk of errors.
 */
static bool
enter_jail(const char *user, struct mem *m)
{
	static const struct jail jail = { .class = JAIL_DELIVER,
	    .files = LIM_SERVE_FILES, .threads = LIM_SERVE_THREADS,
	    .network = true, .read = { "/etc", "/usr", "/lib", "/lib64",
	    "/run/systemd/resolve", "/run/resolvconf", "/run/NetworkManager",
	    "/run/nscd", "/var/lib/sss", "/run/connman", "/nix/store",
	    "/gnu/store", "/proc/sys/net" } };
	struct jail mine = jail;
	struct buf lacks;
	bool in;

	mine.user = user;
	buf_init(&lacks, m);
	in = jail_enter(&mine, &lacks);
	if (in)
		printf("ready %s\n", buf_c(&lacks));
	else
		fprintf(stderr, "picket-deliver: %s\n", buf_c(&lacks));
	fflush(stdout);
	buf_free(&lacks);
	return in;
}

/*
 * Until the courier goes.  What a job took of memory is given back to the
 * system after it: most of the time there is nothing to send.
 */
static int
serve(struct delivery *d, struct buf *bytes, const char *user)
{
	const size_t magic = sizeof HOSTS_MAGIC - 1;
	struct arena_mark mark = arena_mark(&d->arena);
	enum job_exit status;

	/* threads come and go; a heap of its own for each would stay */
	mallopt(M_ARENA_MAX, 1);
	d->stock = stock_new();
	if (d->stock == NULL || !enter_jail(user, d->mem))
		return JOB_LATER;
	while (read_message(bytes)) {
		if (str_starts(buf_view(bytes), HOSTS_MAGIC)) {
			stock_hosts(d->stock, str_of(bytes->p + magic,
			    bytes->n - magic));
		} else {
			status = deliver(d, bytes);
			printf("end %d\n", (int)status);
			fflush(stdout);
		}
		/* secrets were in it */
		if (bytes->n > 0)
			explicit_bzero(bytes->p, bytes->n);
		buf_free(bytes);
		arena_reset(&d->arena, mark);
		malloc_trim(0);
	}
	return JOB_SENT;
}

/* --serve alone has arguments: --serve [USER]. */
int
main(int argc, char **argv)
{
	static struct delivery d;
	enum job_exit status;
	struct buf bytes;
	struct mem mem;
	jmp_buf no_memory;
	static bool stays;

	stays = argc > 1 && strcmp(argv[1], "--serve") == 0;
	if (argc > 3 || (argc > 1 && !stays)) {
		fputs("usage: picket-deliver < job\n", stderr);
		return JOB_USAGE;
	}
	secure();
	setvbuf(stdout, NULL, _IOFBF, REPORT_BLOCK);
	if (setjmp(no_memory) != 0) {
		puts("retry picket-deliver out of memory");
		fflush(stdout);
		return JOB_LATER;
	}
	mem_init(&mem, LIM_DELIVER_MEM, &no_memory);
	buf_init(&bytes, &mem);
	d.mem = &mem;
	arena_init(&d.arena, &mem, 4096);
	curl_global_init(CURL_GLOBAL_DEFAULT);
	if (stays) {
		status = (enum job_exit)serve(&d, &bytes, argv[2]);
	} else if (read_job(STDIN_FILENO, &bytes)) {
		status = deliver(&d, &bytes);
	} else {
		fprintf(stderr, "picket-deliver: %s\n", strerror(errno));
		status = JOB_BAD;
	}
	curl_global_cleanup();
	arena_free(&d.arena);
	buf_free(&bytes);
	return (int)status;
}
