/* plan: engine/sched/agenda.h by lines of the input.
 *	zone TZ
 *	site NAME every DRIFT SECONDS | NAME cron DRIFT FIELDS... [; ...]
 *				names and their timings: the next site
 *	begin NOW ALIVE TURN [NAME LAST]...	a new process has it; `nil'
 *	reload				it takes the place of the one before
 *	look NOW REAL			prints NAME DUE REASON of what is due,
 *					then "wake" and when
 *	pause|resume NAME|*
 *	turn
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "lang/base/num.h"
#include "engine/sched/agenda.h"

#define MOST	40

struct timed {
	char			name[20];
	struct agenda_timing	timing[4];
	unsigned		n;
};
struct plan {
	struct timed	entry[MOST];
	uint32_t	n;
};

static bool
plan_timing(void *arg, uint32_t e, unsigned k, struct agenda_timing *t)
{
	const struct plan *p = arg;

	if (k >= p->entry[e].n)
		return false;
	*t = p->entry[e].timing[k];
	return true;
}

static const char *
plan_name(void *arg, uint32_t e)
{
	return ((struct plan *)arg)->entry[e].name;
}

static uint32_t
plan_find(void *arg, const char *name)
{
	struct plan *p = arg;
	uint32_t e;

	for (e = 0; e < p->n; e++)
		if (strcmp(p->entry[e].name, name) == 0)
			return e;
	return AGENDA_NONE;
}

static _Noreturn void
wrong(const char *what)
{
	fprintf(stderr, "plan: %s\n", what);
	exit(1);
}

static void
read_site(struct plan *p, char *text)
{
	struct cron_fault fault;
	struct agenda_timing *t;
	char name[20], kind[10];
	struct timed *d;
	char *part;
	uint32_t e;
	int at;

	p->n = 0;
	for (part = strtok(text, ";"); part != NULL; part = strtok(NULL, ";")) {
		double drift;

		if (sscanf(part, "%19s %9s %lf %n", name, kind, &drift, &at) <
		    3)
			wrong(part);
		if ((e = plan_find(p, name)) == AGENDA_NONE) {
			if (p->n == MOST)
				wrong("too many");
			e = p->n++;
			strcpy(p->entry[e].name, name);
			p->entry[e].n = 0;
		}
		d = &p->entry[e];
		if (strcmp(kind, "none") == 0)
			continue;
		if (d->n == 4)
			wrong("too many timings");
		t = &d->timing[d->n++];
		*t = (struct agenda_timing){ .drift = drift };
		if (strcmp(kind, "every") == 0)
			t->every = strtod(part + at, NULL);
		else if (!cron_parse(str_c(part + at), &t->cron, &fault))
			wrong(part + at);
	}
}

static double
number(const char *s)
{
	return s == NULL || strcmp(s, "nil") == 0 ? NUM_NIL : strtod(s, NULL);
}

int
main(void)
{
	static char line[20000];
	static struct plan plan[2];
	int is = 0;
	struct mem mem;
	struct agenda *a = NULL, *was;
	struct agenda_site site = { NULL, 0, plan_timing, plan_name,
	    plan_find };
	struct agenda_due d;
	uint32_t from[MOST], e;
	double now = 0, real;
	char *word, *name;

	mem_init(&mem, SIZE_MAX, NULL);
	while (fgets(line, sizeof line, stdin) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		if (strncmp(line, "site ", 5) == 0) {
			read_site(&plan[!is], line + 5);
			continue;
		}
		if ((word = strtok(line, " ")) == NULL)
			continue;
		if (strcmp(word, "zone") == 0) {
			setenv("TZ", strtok(NULL, " "), 1);
			tzset();
		} else if (strcmp(word, "begin") == 0) {
			double alive;

			is = !is;
			site.arg = &plan[is];
			site.n = plan[is].n;
			now = number(strtok(NULL, " "));
			agenda_free(a);
			a = agenda_new(&mem, NULL, &site, now);
			alive = number(strtok(NULL, " "));
			real = number(strtok(NULL, " "));
			while ((name = strtok(NULL, " ")) != NULL) {
				e = plan_find(&plan[is], name);
				word = strtok(NULL, " ");
				if (e != AGENDA_NONE)
					agenda_last(a, e, number(word));
			}
			agenda_start(a, alive, (unsigned)real);
		} else if (strcmp(word, "reload") == 0) {
			was = a;
			is = !is;
			site.arg = &plan[is];
			site.n = plan[is].n;
			a = agenda_new(&mem, NULL, &site, now);
			agenda_keep(a, was, from);
			for (e = 0; e < site.n; e++)
				if (from[e] != plan_find(&plan[!is],
				    plan[is].entry[e].name))
					wrong("from");
			agenda_free(was);
		} else if (strcmp(word, "look") == 0) {
			now = number(strtok(NULL, " "));
			agenda_look(a, now, number(strtok(NULL, " ")));
			while (agenda_pop(a, &d))
				printf("%s %.6f %s ", plan_name(site.arg,
				    d.entry), d.due, reason_word[d.reason]);
			printf("wake %.6f\n", agenda_wake(a));
		} else if (strcmp(word, "turn") == 0) {
			printf("%u\n", agenda_turn(a));
		} else {
			name = strtok(NULL, " ");
			e = strcmp(name, "*") == 0 ? AGENDA_ALL :
			    plan_find(&plan[is], name);
			agenda_pause(a, e, strcmp(word, "pause") == 0);
		}
		fflush(stdout);
	}
	agenda_free(a);
	if (mem.used != 0)
		wrong("memory is left");
	return 0;
}
