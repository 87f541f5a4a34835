/* runner: timeout=120 */
/*
 * image: what is written is read again, by picketd's reader and by a run's;
 * and files that are cut, damaged, of another version or made to harm are
 * refused or read without harm (the sanitizers watch).
 */
#include <sys/mman.h>
#include <fcntl.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "lang/base/map.h"
#include "lang/base/num.h"
#include "lang/compile.h"
#include "engine/image/image_inner.h"

#define COUNT(a)	(sizeof (a) / sizeof (a)[0])
#define MEMORY		((size_t)512 << 20)
#define ROUNDS		6000		/* random changes */
#define MANY		10000		/* alerts of a large site */
#define SCHEDULE_MOST	1150000		/* bytes that picketd has for them */

static const char source[] =
	"Plain\n"
	"  init\n"
	"    timeout 7s\n"
	"  begin\n"
	"    output \"plain\"\n"
	"Hogs\n"
	"  init\n"
	"    input table processes\n"
	"    watch memory\n"
	"  rule\n"
	"    if #rss > 1G do #kill(#pid, \"TERM\") fi\n"
	"Loud\n"
	"  init\n"
	"    watch memory\n"
	"    input file \"/dev/null\"\n"
	"  rule\n"
	"    exec \"logger $1\"\n"
	"Asks\n"
	"  begin\n"
	"    if #tcpcheck(\"localhost\", 25, 1) < 0 output \"x\" fi\n"
	"Own\n"
	"  init\n"
	"    every 90s\n"
	"  begin\n"
	"    output \"own\"\n";

enum { PLAIN, HOGS, LOUD, ASKS, OWN };

/* A site with something everywhere. */
struct made {
	struct mem	 mem;
	jmp_buf		 fail;
	struct arena	 arena;
	struct compile	*compile;
	const struct program *program;
	struct conf	 conf;
	struct site_timing timing[3];
	struct str	 mailto[2], route[1], group[2], line[2];
	struct site_alert alert[4];
	struct program	 alarm[4][3];
	double		 drift[4][3];
	struct image_entry entry[4];
	struct image_pair pair[3];
	struct map	 object;
	struct site_object set[2];
	struct image_site site;
	struct buf	 out;
	char		 why[LIM_IMAGE_WHY];
};

static const char conf_said[] = "mailto a@example.org\nsmtp relay:25\n"
    "lpcmd \"lpr -P x\"\n";

static struct cron
cron_of(const char *text)
{
	struct cron_fault fault;
	struct cron c;

	assert_true(cron_parse(str_c(text), &c, &fault));
	return c;
}

static void
make_alerts(struct made *m)
{
	struct site_alert *a;
	size_t i;

	for (i = 0; i < 3; i++)
		m->timing[i] = (struct site_timing){
		    str_c(i == 0 ? "5 * * * *" : "0 3 * * mon-fri 9"),
		    cron_of(i == 0 ? "5 * * * *" : "0 3 * * mon-fri 9") };
	for (i = 0; i < 4; i++) {
		a = &m->alert[i];
		a->nicecmd = a->mailcmd = a->lpcmd = a->execcmd =
		    a->mailfrom = a->webhook = STR_NIL;
		a->alarm = m->alarm[i];
	}
	a = &m->alert[0];
	a->name = STR_LIT("Zed");
	a->timing = m->timing;
	a->ntiming = 3;
	m->drift[0][1] = 17.25;
	m->drift[0][2] = 17.75;
	a->every = 60;
	a->drift = 2;
	a->timeout = 20;
	a->digest = 3600;
	a->has_priority = true;
	a->priority = -7;
	a->nicecmd = STR_LIT("nice -n 3");
	a->mailcmd = STR_LIT("mail -s x");
	a->lpcmd = STR_EMPTY;
	a->webhook = STR_LIT("http://hook/");
	a->mailto = m->mailto;
	a->nmailto = 2;
	m->mailto[0] = STR_LIT("b@example.org");
	m->mailto[1] = STR_LIT("c@example.org");
	m->route[0] = STR_LIT("night");
	a->route = m->route;
	a->nroute = 1;
	a->level = LEVEL_URGENT;
	a->has_level = true;
	a->overlap = OVERLAP_KILL;
	m->alarm[0][0] = m->program[PLAIN];
	m->alarm[0][1] = m->program[LOUD];
	m->alarm[0][1].doexec = true;
	a->nalarm = 2;
	a = &m->alert[1];
	a->name = STR_LIT("Memory");
	a->status = STATUS_TESTING;
	m->alarm[1][0] = m->program[HOGS];
	m->alarm[1][1] = m->program[PLAIN];
	a->nalarm = 2;
	a = &m->alert[2];
	a->name = STR_LIT("Asleep");
	a->status = STATUS_SUSPENDED;
	m->alarm[2][0] = m->program[ASKS];
	a->nalarm = 1;
	a = &m->alert[3];
	a->name = STR_LIT("Own");
	a->every = 90;
	m->alarm[3][0] = m->program[OWN];
	a->nalarm = 1;
	for (i = 0; i < 4; i++)
		m->entry[i] = (struct image_entry){ &m->alert[i], m->drift[i],
		    i == 0 ? 59.75 : 0, i == 3 };
}

static void
make(struct made *m)
{
	struct compile_options o;
	struct buf errors;
	bool fresh;

	memset(m, 0, sizeof *m);
	mem_init(&m->mem, MEMORY, &m->fail);
	arena_init(&m->arena, &m->mem, 65536);
	buf_init(&m->out, &m->mem);
	buf_init(&errors, &m->mem);
	memset(&o, 0, sizeof o);
	m->compile = compile_source(STR_LIT("t.pikt"), str_c(source), &o);
	assert_int_equal(compile_diag(m->compile)->nerror, 0);
	assert_int_equal(compile_programs(m->compile)->n, 5);
	m->program = compile_programs(m->compile)->program;
	assert_true(conf_parse(&m->conf, STR_LIT("p.conf"), str_c(conf_said),
	    &m->arena, &errors));
	buf_free(&errors);
	make_alerts(m);
	map_init(&m->object, &m->arena);
	m->line[0] = STR_LIT("one");
	m->line[1] = STR_LIT("two words");
	m->set[0] = (struct site_object){ m->line, 2 };
	m->set[1] = (struct site_object){ m->line, 0 };
	map_put(&m->object, STR_LIT("stooges"), &fresh)->v.ptr = &m->set[0];
	map_put(&m->object, STR_LIT("nobody"), &fresh)->v.ptr = &m->set[1];
	m->group[0] = STR_LIT("moscow");
	m->group[1] = STR_LIT("linux");
	m->pair[0] = (struct image_pair){ STR_LIT("Zed"), STR_LIT("Plain") };
	m->pair[1] = (struct image_pair){ STR_LIT("Memory"), STR_LIT("Hogs") };
	m->pair[2] = (struct image_pair){ STR_LIT("Memory"), STR_LIT("Plain") };
	m->site = (struct image_site){ .conf_name = STR_LIT("p.conf"),
	    .conf_text = str_c(conf_said), .conf = &m->conf,
	    .dir = STR_LIT("/etc/picket"), .logdir = STR_LIT("/var/log/p"),
	    .host = STR_LIT("moscow"), .group = m->group, .ngroup = 2,
	    .object = &m->object, .entry = m->entry, .nentry = 4,
	    .pair = m->pair, .npair = 3 };
}

static void
unmake(struct made *m)
{
	buf_free(&m->out);
	compile_free(m->compile);
	arena_free(&m->arena);
	assert_int_equal(m->mem.used, 0);
}

/* A file of those bytes. */
static int
file_of(const char *p, size_t n)
{
	int fd = memfd_create("image", MFD_CLOEXEC);

	assert_true(fd != -1);
	assert_true(n == 0 || write(fd, p, n) == (ssize_t)n);
	return fd;
}

static int
written(struct made *m)
{
	make(m);
	assert_true(image_write(&m->site, &m->out, m->why));
	return file_of(m->out.p, m->out.n);
}

static void
test_schedule(void **state)
{
	struct schedule_entry e;
	struct schedule *s;
	struct made m;
	struct cron c;
	int fd = written(&m);

	(void)state;
	s = schedule_open(fd, m.why);
	assert_non_null(s);
	close(fd);		/* it has all that it needs */
	assert_int_equal(schedule_count(s), 4);
	schedule_entry(s, 0, &e);
	assert_int_equal(e.index, 0);
	assert_string_equal(e.name, "Zed");
	assert_true(e.every == 60 && e.every_drift == 59.75);
	assert_true(e.timeout == 20 && e.longest == 27);
	assert_int_equal(e.ntiming, 3);
	assert_int_equal(e.nscript, 2);
	assert_string_equal(schedule_script(s, &e, 0), "Plain");
	assert_string_equal(schedule_script(s, &e, 1), "Loud");
	assert_true(schedule_timing(s, &e, 0, &c) == 0);
	assert_memory_equal(&c.min, &m.timing[0].cron.min, sizeof c.min);
	assert_true(c.wild && !c.has_drift && !c.either_day);
	assert_true(schedule_timing(s, &e, 2, &c) == 17.75);
	assert_true(c.min == m.timing[2].cron.min &&
	    c.hour == m.timing[2].cron.hour && c.dom == m.timing[2].cron.dom &&
	    c.month == m.timing[2].cron.month &&
	    c.dow == m.timing[2].cron.dow && c.drift == 9 && c.has_drift &&
	    !c.wild);
	assert_int_equal(e.level, LEVEL_URGENT);
	assert_int_equal(e.overlap, OVERLAP_KILL);
	assert_int_equal(e.priority, -7);
	assert_true(e.has_level && e.has_priority);
	assert_int_equal(e.flags, ENTRY_WATCH_MEMORY | ENTRY_COMMANDS |
	    ENTRY_ACTS | ENTRY_FOREIGN);
	schedule_entry(s, 1, &e);
	assert_int_equal(e.status, STATUS_TESTING);
	assert_int_equal(e.flags, ENTRY_WATCH_MEMORY | ENTRY_ACTS |
	    ENTRY_EMERGENCY);
	assert_true(!e.has_level && !e.has_priority && e.longest == 307);
	schedule_entry(s, 2, &e);
	assert_int_equal(e.flags, ENTRY_COMMANDS | ENTRY_SLEEPS);
	schedule_entry(s, 3, &e);
	assert_int_equal(e.flags, ENTRY_OWN);
	assert_int_equal(schedule_find(s, "Zed"), 0);
	assert_int_equal(schedule_find(s, "Memory"), 1);
	assert_int_equal(schedule_find(s, "Asleep"), 2);
	assert_int_equal(schedule_find(s, "Own"), 3);
	assert_int_equal(schedule_find(s, "Nobody"), -1);
	assert_int_equal(schedule_find(s, ""), -1);
	assert_string_equal(schedule_host(s), "moscow");
	assert_string_equal(schedule_dir(s), "/etc/picket");
	assert_string_equal(schedule_logdir(s), "/var/log/p");
	assert_string_equal(schedule_setting(s, "lpcmd"), "lpr -P x");
	assert_null(schedule_setting(s, "nonsense"));
	schedule_free(s);
	unmake(&m);
}

static void
check_alert(const struct site_alert *a, const struct site_alert *b)
{
	size_t i;

	assert_true(str_eq(a->name, b->name));
	assert_int_equal(a->ntiming, b->ntiming);
	for (i = 0; i < a->ntiming; i++) {
		assert_true(str_eq(a->timing[i].text, b->timing[i].text));
		assert_true(a->timing[i].cron.min == b->timing[i].cron.min &&
		    a->timing[i].cron.dow == b->timing[i].cron.dow);
	}
	assert_true(a->drift == b->drift);
	assert_true(a->every == b->every && a->timeout == b->timeout &&
	    a->digest == b->digest);
	assert_true(a->has_priority == b->has_priority &&
	    a->priority == b->priority && a->status == b->status &&
	    a->level == b->level && a->has_level == b->has_level &&
	    a->overlap == b->overlap);
	assert_int_equal(a->nmailto, b->nmailto);
	for (i = 0; i < a->nmailto; i++)
		assert_true(str_eq(a->mailto[i], b->mailto[i]));
	assert_int_equal(a->nroute, b->nroute);
	assert_int_equal(a->nalarm, b->nalarm);
	for (i = 0; i < a->nalarm; i++) {
		assert_true(str_eq(a->alarm[i].name, b->alarm[i].name));
		assert_int_equal(a->alarm[i].doexec, b->alarm[i].doexec);
		assert_int_equal(a->alarm[i].ncode, b->alarm[i].ncode);
		assert_memory_equal(a->alarm[i].code, b->alarm[i].code,
		    a->alarm[i].ncode * sizeof *a->alarm[i].code);
	}
}

static void
test_run(void **state)
{
	const struct site_alert *a;
	const struct objects *o;
	const struct str *line;
	struct buf why;
	struct image *im;
	struct made m;
	struct conf conf;
	struct str name;
	size_t i, n;
	bool own;
	int fd = written(&m);

	(void)state;
	buf_init(&why, &m.mem);
	im = image_open(fd, &m.mem, m.why);
	assert_non_null(im);
	assert_int_equal(image_count(im), 4);
	for (i = 0; i < 4; i++) {
		a = image_alert(im, i, &own, &why);
		assert_non_null(a);
		assert_int_equal(why.n, 0);
		assert_int_equal(own, i == 3);
		check_alert(a, &m.alert[i]);
	}
	a = image_alert(im, 0, NULL, &why);
	assert_true(str_none(a->execcmd) && !str_none(a->lpcmd) &&
	    a->lpcmd.n == 0 && str_eq(a->nicecmd, STR_LIT("nice -n 3")));
	assert_null(image_alert(im, 4, NULL, &why));
	assert_string_equal(buf_c(&why), "has no such entry");
	buf_clear(&why);
	assert_true(image_conf(im, &conf, &why));
	assert_true(str_eq(conf.value[CONF_LPCMD], STR_LIT("lpr -P x")));
	assert_int_equal(conf.ntransport, 1);
	assert_true(str_eq(image_host(im), STR_LIT("moscow")));
	assert_true(str_eq(image_dir(im), STR_LIT("/etc/picket")));
	assert_true(str_eq(image_logdir(im), STR_LIT("/var/log/p")));
	line = image_group(im, &n);
	assert_true(n == 2 && str_eq(line[1], STR_LIT("linux")));
	o = image_objects(im);
	assert_true(o->lines(o->o, STR_LIT("stooges"), &line, &n));
	assert_true(n == 2 && str_eq(line[1], STR_LIT("two words")));
	assert_false(o->lines(o->o, STR_LIT("stooge"), &line, &n));
	assert_true(str_eq(o->nearest(o->o, STR_LIT("stooge")),
	    STR_LIT("stooges")));
	assert_true(image_set(im, 1, &name, &line, &n));
	assert_true(str_eq(name, STR_LIT("nobody")) && n == 0);
	assert_false(image_set(im, 2, &name, &line, &n));
	assert_true(image_there(im, STR_LIT("Zed"), STR_LIT("Plain")));
	assert_true(image_there(im, STR_LIT("Memory"), STR_LIT("Hogs")));
	assert_true(image_there(im, STR_LIT("Memory"), STR_LIT("Plain")));
	assert_false(image_there(im, STR_LIT("Zed"), STR_LIT("Hogs")));
	assert_false(image_there(im, STR_LIT("A"), STR_EMPTY));
	assert_false(image_there(im, STR_LIT("Zee"), STR_EMPTY));
	image_close(im);
	buf_free(&why);
	close(fd);
	unmake(&m);
}

/* The same site is the same bytes; programs are there once. */
static void
test_same(void **state)
{
	struct image_head head;
	struct schedule *s;
	struct made a, b;
	uint64_t was;
	int fd = written(&a), other = written(&b);

	(void)state;
	assert_int_equal(a.out.n, b.out.n);
	assert_memory_equal(a.out.p, b.out.p, a.out.n);
	assert_true(image_head(fd, &head, a.why));
	assert_int_equal(head.nprogram, 5);	/* of six that are listed */
	s = schedule_open(fd, a.why);
	was = schedule_sum(s);
	schedule_free(s);
	close(other);
	buf_clear(&b.out);
	b.alert[2].digest = 60;		/* what no schedule holds */
	assert_true(image_write(&b.site, &b.out, b.why));
	other = file_of(b.out.p, b.out.n);
	s = schedule_open(other, b.why);
	assert_true(schedule_sum(s) != was);
	schedule_free(s);
	close(fd);
	close(other);
	unmake(&a);
	unmake(&b);
}

/* --- what is no image, or not a whole one --- */

/* Both readers, all that they offer; true: neither refused anything. */
static bool
read_all(int fd, char why[LIM_IMAGE_WHY])
{
	struct schedule *s = schedule_open(fd, why);
	struct schedule_entry e;
	struct conf *conf;
	struct image *im;
	struct mem mem;
	jmp_buf fail;
	struct buf b;
	struct str name;
	const struct str *line;
	struct cron c;
	bool fine = s != NULL;
	size_t i, n, seen = 0;
	unsigned k;

	for (i = 0; s != NULL && i < schedule_count(s); i++) {
		schedule_entry(s, i, &e);
		assert_int_equal(schedule_find(s, e.name), i);
		for (k = 0; k < e.ntiming; k++)
			seen += schedule_timing(s, &e, k, &c) >= 0;
		for (k = 0; k < e.nscript; k++)
			seen += strlen(schedule_script(s, &e, k));
	}
	if (s != NULL) {
		seen += strlen(schedule_host(s)) + strlen(schedule_dir(s)) +
		    strlen(schedule_logdir(s));
		(void)schedule_setting(s, "none");
	}
	schedule_free(s);
	mem_init(&mem, MEMORY, &fail);
	buf_init(&b, &mem);
	im = image_open(fd, &mem, why);
	if (im == NULL)
		return false;
	for (i = 0; i < image_count(im); i++) {
		fine &= image_alert(im, i, NULL, &b) != NULL;
		buf_clear(&b);
	}
	conf = malloc(sizeof *conf);
	fine &= image_conf(im, conf, &b);
	free(conf);
	for (i = 0; image_set(im, i, &name, &line, &n); i++)
		seen += name.n + n;
	fine &= i == 2;
	fine &= !image_there(im, STR_LIT("Memory"), STR_LIT("Pla"));
	(void)image_group(im, &n);
	buf_free(&b);
	image_close(im);
	assert_int_equal(mem.used, 0);
	return fine && seen > 0;
}

static void
test_cut(void **state)
{
	struct made m;
	int fd = written(&m);
	size_t n;

	(void)state;
	assert_true(read_all(fd, m.why));
	for (n = m.out.n; n-- > 0;) {
		assert_int_equal(ftruncate(fd, (off_t)n), 0);
		assert_false(read_all(fd, m.why));
		assert_string_equal(m.why, n < 8 ? "is no image of a site" :
		    "is cut short");
	}
	close(fd);
	fd = file_of(m.out.p, m.out.n);
	assert_int_equal(pwrite(fd, "x", 1, (off_t)m.out.n), 1);
	assert_false(read_all(fd, m.why));
	assert_string_equal(m.why, "is damaged");
	close(fd);
	unmake(&m);
}

/* Each byte in turn: somebody sees it, but for what nobody looks at. */
static void
test_flipped(void **state)
{
	struct made m;
	int fd = written(&m);
	size_t i;
	char c;

	(void)state;
	for (i = 0; i < m.out.n; i++) {
		c = (char)(m.out.p[i] ^ 1 << i % 8);
		assert_int_equal(pwrite(fd, &c, 1, (off_t)i), 1);
		assert_false(read_all(fd, m.why));
		assert_int_equal(pwrite(fd, &m.out.p[i], 1, (off_t)i), 1);
	}
	assert_true(read_all(fd, m.why));
	close(fd);
	unmake(&m);
}

static void
put64(unsigned char *p, uint64_t v)
{
	unsigned i;

	for (i = 0; i < 8; i++)
		p[i] = (unsigned char)(v >> 8 * i);
}

/* All checksums set right, as who means harm would. */
static void
seal(unsigned char *p, size_t n)
{
	size_t rows = PART_COUNT + image_get(p + 12, 4) +
	    image_get(p + 16, 4), i;
	uint64_t at, len;

	put64(p + 40, image_sum(p, 40));
	for (i = 0; i < rows && (i + 1) * IMAGE_ROW + IMAGE_HEAD <= n; i++) {
		at = image_get(p + IMAGE_HEAD + i * IMAGE_ROW, 8);
		len = image_get(p + IMAGE_HEAD + i * IMAGE_ROW + 8, 8);
		if (at <= n && len <= n - at)
			put64(p + IMAGE_HEAD + i * IMAGE_ROW + 16,
			    image_sum(p + at, len));
	}
}

static void
refused(struct made *m, unsigned char *p, size_t n, const char *why)
{
	int fd = file_of((const char *)p, n);

	assert_false(read_all(fd, m->why));
	assert_string_equal(m->why, why);
	close(fd);
}

static void
test_other(void **state)
{
	static const char version[] = "was written by another version of "
	    "Picket: write it again";
	struct schedule *s;
	struct made m;
	int fd = written(&m);
	unsigned char *p = malloc(m.out.n);
	size_t n = m.out.n;

	(void)state;
	close(fd);
	memcpy(p, m.out.p, n);
	p[8]++;
	refused(&m, p, n, version);
	p[8]--;
	p[24] ^= 1;		/* the tables': picketd need not mind */
	seal(p, n);
	refused(&m, p, n, version);
	fd = file_of((const char *)p, n);
	s = schedule_open(fd, m.why);
	assert_non_null(s);
	schedule_free(s);
	close(fd);
	p[24] ^= 1;
	p[12] ^= 1;		/* how many entries */
	seal(p, n);
	fd = file_of((const char *)p, n);
	assert_null(schedule_open(fd, m.why));
	assert_string_equal(m.why, "is damaged");
	close(fd);
	memset(p + 12, 0xff, 4);
	seal(p, n);
	refused(&m, p, n, "is damaged");
	free(p);
	fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	assert_null(schedule_open(fd, m.why));
	assert_string_equal(m.why, "is no regular file");
	close(fd);
	assert_null(schedule_open(fd, m.why));
	assert_string_equal(m.why, "Bad file descriptor");
	unmake(&m);
}

/* The same numbers in each run. */
static uint32_t
draw(uint32_t *seed)
{
	*seed = *seed * 1664525 + 1013904223;
	return *seed >> 8;
}

static void
test_hostile(void **state)
{
	static const uint32_t extreme[] = { 0, 1, 2, 0x7fffffff, 0x80000000,
	    0xffffffff, 0xfffffffe, 0xffff };
	uint32_t seed = 6, v;
	struct made m;
	int fd = written(&m);
	unsigned char *p = malloc(m.out.n);
	size_t n = m.out.n, round, i, k, at, passed = 0, body;

	(void)state;
	body = (size_t)image_get((unsigned char *)m.out.p + 48, 8);
	for (round = 0; round < ROUNDS; round++) {
		memcpy(p, m.out.p, n);
		for (k = draw(&seed) % 3 + 1; k > 0; k--) {
			/* half of them into the schedule, which is last */
			at = round % 2 == 0 ? body + draw(&seed) % (n - body) :
			    draw(&seed) % n;
			if (draw(&seed) % 2 == 0)
				p[at] = (unsigned char)draw(&seed);
			else if (at + 4 <= n) {
				v = extreme[draw(&seed) % COUNT(extreme)];
				for (i = 0; i < 4; i++)
					p[at + i] = (unsigned char)(v >> 8 * i);
			}
		}
		seal(p, n);
		assert_int_equal(pwrite(fd, p, n, 0), (ssize_t)n);
		passed += read_all(fd, m.why);
	}
	/* both happen, or this tests nothing */
	assert_true(passed > 10 && passed < ROUNDS / 2);
	free(p);
	close(fd);
	unmake(&m);
}

/* --- limits --- */

static void
fails(struct made *m, const char *why)
{
	assert_false(image_write(&m->site, &m->out, m->why));
	assert_string_equal(m->why, why);
	buf_clear(&m->out);
}

static void
test_limits(void **state)
{
	struct image_entry *e;
	struct made m;
	char *text;
	size_t i;

	(void)state;
	make(&m);
	m.alert[1].ntiming = LIM_IMAGE_TIMINGS + 1;
	m.alert[1].timing = calloc(LIM_IMAGE_TIMINGS + 1,
	    sizeof *m.alert[1].timing);
	for (i = 0; i <= LIM_IMAGE_TIMINGS; i++)
		m.alert[1].timing[i] = m.timing[0];
	fails(&m, "alert Memory has more than 4096 timings");
	free(m.alert[1].timing);
	m.alert[1].ntiming = 0;
	m.alert[1].nalarm = LIM_IMAGE_SCRIPTS + 1;
	fails(&m, "alert Memory has more than 65535 scripts");
	m.alert[1].nalarm = 1;
	m.alert[1].name = STR_LIT("Zed");
	fails(&m, "Zed is there 2 times");
	m.alert[1].name = str_of("a\0b", 3);
	assert_false(image_write(&m.site, &m.out, m.why));
	buf_clear(&m.out);
	m.alert[1].name = STR_LIT("Memory");
	e = calloc(LIM_IMAGE_ENTRIES + 1, sizeof *e);
	m.site.entry = e;
	m.site.nentry = LIM_IMAGE_ENTRIES + 1;
	fails(&m, "more than 100000 alerts and scripts are to run");
	free(e);
	m.site.entry = m.entry;
	m.site.nentry = 4;
	text = calloc(1, LIM_IMAGE_PART);
	m.site.conf_text = str_of(text, LIM_IMAGE_PART);
	fails(&m, "a part of it has more than 67108864 bytes");
	free(text);
	unmake(&m);
}

/* Files that say that they are large, and are. */
static void
test_large(void **state)
{
	struct made m;
	int fd = written(&m);
	unsigned char b[IMAGE_HEAD + IMAGE_ROW];

	(void)state;
	memcpy(b, m.out.p, sizeof b);
	put64(b + 32, LIM_IMAGE + 1);
	put64(b + 40, image_sum(b, 40));
	assert_int_equal(pwrite(fd, b, sizeof b, 0), (ssize_t)sizeof b);
	assert_int_equal(ftruncate(fd, (off_t)LIM_IMAGE + 1), 0);
	assert_null(schedule_open(fd, m.why));
	assert_string_equal(m.why, "is damaged");
	put64(b + 32, LIM_IMAGE);
	put64(b + 40, image_sum(b, 40));
	put64(b + IMAGE_HEAD + 8, LIM_IMAGE_PART + 1);
	assert_int_equal(pwrite(fd, b, sizeof b, 0), (ssize_t)sizeof b);
	assert_int_equal(ftruncate(fd, (off_t)LIM_IMAGE), 0);
	assert_null(schedule_open(fd, m.why));
	assert_string_equal(m.why, "is damaged");
	close(fd);
	unmake(&m);
}

static double
seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Alerts that differ in all that they can, one script each. */
static void
test_many(void **state)
{
	struct image_entry *e = calloc(MANY, sizeof *e);
	struct site_alert *a = calloc(MANY, sizeof *a);
	struct site_timing *t = calloc(MANY, sizeof *t);
	double *drift = calloc(MANY, sizeof *drift), began, wrote, opened, ran;
	char (*text)[32] = calloc(MANY, sizeof *text);
	struct schedule *s;
	struct image *im;
	struct buf why;
	struct made m;
	size_t i;
	int fd;

	(void)state;
	make(&m);
	for (i = 0; i < MANY; i++) {
		a[i] = m.alert[1];
		snprintf(text[i], sizeof *text, "Alert-number-%05zu", i);
		a[i].name = str_c(text[i]);
		a[i].timing = &t[i];
		a[i].ntiming = 1;
		t[i].text = STR_LIT("* * * * * 1");
		t[i].cron = cron_of("* * * * * 1");
		t[i].cron.min = i + 1;		/* each its own */
		drift[i] = (double)(i % 60);
		e[i] = (struct image_entry){ &a[i], &drift[i], 0, false };
	}
	m.site.entry = e;
	m.site.nentry = MANY;
	began = seconds();
	assert_true(image_write(&m.site, &m.out, m.why));
	wrote = seconds() - began;
	fd = file_of(m.out.p, m.out.n);
	began = seconds();
	s = schedule_open(fd, m.why);
	opened = seconds() - began;
	assert_non_null(s);
	buf_init(&why, &m.mem);
	began = seconds();
	im = image_open(fd, &m.mem, m.why);
	assert_non_null(image_alert(im, MANY - 1, NULL, &why));
	image_close(im);
	ran = seconds() - began;
	print_message("# %d alerts: image %zu bytes written in %.0f ms; "
	    "schedule %zu bytes read in %.1f ms; one run's view in %.2f ms\n",
	    MANY, m.out.n, wrote * 1e3, schedule_size(s), opened * 1e3,
	    ran * 1e3);
	assert_true(schedule_size(s) < SCHEDULE_MOST);
	schedule_free(s);
	buf_free(&why);
	close(fd);
	free(e);
	free(a);
	free(t);
	free(drift);
	free(text);
	unmake(&m);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_schedule),
		cmocka_unit_test(test_run),
		cmocka_unit_test(test_same),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_flipped),
		cmocka_unit_test(test_other),
		cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_large),
		cmocka_unit_test(test_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
