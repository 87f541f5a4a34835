/* route, window: where an alert goes and when, by the rules of picket.conf. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include <time.h>

#include "engine/deliver/conf.h"

#define TXT(s)		{ (s), sizeof(s) - 1 }

static struct mem mem;
static struct arena arena;
static struct buf errors;
static struct conf conf;

static const char *
parse(const char *text)
{
	buf_clear(&errors);
	if (conf_parse(&conf, STR_LIT("picket.conf"), str_c(text), &arena,
	    &errors))
		assert_int_equal(errors.n, 0);
	else
		assert_int_not_equal(errors.n, 0);
	return buf_c(&errors);
}

static void
fine(const char *text)
{
	assert_string_equal(parse(text), "");
}

static void
zone(const char *name)
{
	setenv("TZ", name, 1);
	tzset();
}

/* --- wrong lines --- */

static void
test_wrong(void **state)
{
	static const struct {
		const char *line, *what;
	} row[] = {
		{ "route", "NAME [CONDITIONS] [to ADDRESS...] [via NAME...] "
		    "[stop] must follow \"route\"" },
		{ "limit", "N per hour must follow \"limit\"" },
		{ "route a/b", "a name is up to 40 letters, digits, -, _ and "
		    "dots, not \"a/b\"" },
		{ "route default", "what no route takes is called "
		    "\"default\"" },
		{ "route a levl critical", "unexpected \"levl\"; did you mean "
		    "\"level\"?" },
		{ "route a frobnicate", "unexpected \"frobnicate\"" },
		{ "route a level", "LEVEL... must follow \"level\"" },
		{ "route a level to x", "LEVEL... must follow \"level\"" },
		{ "route a alert to x", "PATTERN... must follow "
		    "\"alert\"" },
		{ "route a level critcal", "unknown level \"critcal\"; did you "
		    "mean \"critical\"?" },
		{ "route a level critical alrt x", "unknown level \"alrt\"; did "
		    "you mean \"alert\"?" },
		{ "route a level critical-", "unknown level \"critical-\"; did "
		    "you mean \"critical\"?" },
		{ "route a level +", "unknown level \"+\"" },
		{ "route a level error-warning+", "unknown level "
		    "\"error-warning+\"" },
		{ "route a level error level error", "given twice: \"level\"" },
		{ "route a stop stop", "given twice: \"stop\"" },
		{ "route a stop x", "unexpected \"x\"" },
		{ "route a match \"a(\"", "no regular expression: \"a(\": "
		    "missing closing parenthesis" },
		{ "route a match a b", "unexpected \"b\"" },
		{ "route a to x@", "mail address \"x@\" has a bad host part" },
		{ "route a to -f", "mail address \"-f\" begins with '-'" },
		{ "route a via pagr\nsmtp h name pager", "there is no way with "
		    "the name \"pagr\"; did you mean \"pager\"?" },
		{ "route a via nobody", "there is no way with the name "
		    "\"nobody\"" },
		{ "route a except error", "unexpected \"except\"" },
		{ "quiet default", "days and times must follow \"default\"" },
		{ "quiet default daily", "days and times must follow "
		    "\"daily\"" },
		{ "quiet nobody daily 22:00-07:00", "there is no route "
		    "\"nobody\"" },
		{ "quiet defalt daily 22:00-07:00", "there is no route "
		    "\"defalt\"; did you mean \"default\"?" },
		{ "quiet default mon-fr 22:00-07:00", "days are like "
		    "mon-fri,sun or daily, not \"mon-fr\"" },
		{ "quiet default mon, 22:00-07:00", "days are like "
		    "mon-fri,sun or daily, not \"mon,\"" },
		{ "quiet default mo 22:00-07:00", "days are like "
		    "mon-fri,sun or daily, not \"mo\"" },
		{ "quiet default daily 22:00", "times are like 22:00-07:00, not "
		    "\"22:00\"" },
		{ "quiet default daily 22-7", "times are like 22:00-07:00, not "
		    "\"22-7\"" },
		{ "quiet default daily 9:00-17:00", "times are like "
		    "22:00-07:00, not \"9:00-17:00\"" },
		{ "quiet default daily 22:00-24:01", "times are like "
		    "22:00-07:00, not \"22:00-24:01\"" },
		{ "quiet default daily 24:00-07:00", "times are like "
		    "22:00-07:00, not \"24:00-07:00\"" },
		{ "quiet default daily 07:00-07:00", "a whole day is "
		    "00:00-24:00, not \"07:00-07:00\"" },
		{ "quiet default daily 22:00-07:00 exept error", "unexpected "
		    "\"exept\"; did you mean \"except\"?" },
		{ "quiet default daily 22:00-07:00 except", "LEVEL must follow "
		    "\"except\"" },
		{ "quiet default daily 22:00-07:00 except eror", "unknown level "
		    "\"eror\"; did you mean \"error\"?" },
		{ "quiet default daily 22:00-07:00 except error info",
		    "unexpected \"info\"" },
		{ "escalate soon a", "escalate needs a duration from 1m to 7d, "
		    "not \"soon\"" },
		{ "escalate 59s a", "escalate needs a duration from 1m to 7d, "
		    "not \"59s\"" },
		{ "escalate 8d a", "escalate needs a duration from 1m to 7d, "
		    "not \"8d\"" },
		{ "escalate 30m", "the name of a route must follow \"30m\"" },
		{ "escalate 30m default", "there is no route \"default\"" },
		{ "escalate 30m pagr\nroute pager", "there is no route "
		    "\"pagr\"; did you mean \"pager\"?" },
		{ "escalate 30m a to x", "unexpected \"to\"" },
		{ "maintenance 2026-11-23", "maintenance is \"FROM\" - \"TO\", "
		    "or days and times, not \"2026-11-23\"" },
		{ "maintenance 2026-11-23T22:00 to 2026-11-24T22:00",
		    "maintenance is \"FROM\" - \"TO\", or days and times, not "
		    "\"2026-11-23T22:00\"" },
		{ "maintenance 2026-02-29T22:00 - 2026-11-24T22:00", "a moment "
		    "is like \"2026-11-23 22:00\", not \"2026-02-29T22:00\"" },
		{ "maintenance 2026-02-28T22:00 - 2026-13-24T22:00", "a moment "
		    "is like \"2026-11-23 22:00\", not \"2026-13-24T22:00\"" },
		{ "maintenance 2026-02-28T22:00 - 2026-02-28T25:00", "a moment "
		    "is like \"2026-11-23 22:00\", not \"2026-02-28T25:00\"" },
		{ "maintenance 2026-02-28T22:00 - 2026-02-28T22:00", "it ends "
		    "before it begins: \"2026-02-28T22:00\"" },
		{ "maintenance sun", "times must follow \"sun\"" },
		{ "maintenance sun 2-4", "times are like 22:00-07:00, not "
		    "\"2-4\"" },
		{ "maintenance sun 02:00-04:00 alerts x", "unexpected "
		    "\"alerts\"; did you mean \"alert\"?" },
		{ "maintenance sun 02:00-04:00 via x", "unexpected \"via\"" },
		{ "grace 2d", "grace must be a duration up to 1d, not "
		    "\"2d\"" },
		{ "grace long", "grace must be a duration up to 1d, not "
		    "\"long\"" },
		{ "grace 5m 6m", "unexpected \"6m\"" },
		{ "grace 5m\ngrace 5m", NULL },
		{ "limit 20", "a limit is like `20 per hour`, not \"20\"" },
		{ "limit 20 per day", "a limit is like `20 per hour`, not "
		    "\"day\"" },
		{ "limit 20 an hour", "a limit is like `20 per hour`, not "
		    "\"an\"" },
		{ "limit 0 per hour", "limit must be from 1 to 10000, not "
		    "\"0\"" },
		{ "limit 1.5 per hour", "limit must be from 1 to 10000, not "
		    "\"1.5\"" },
		{ "limit many per hour", "limit must be from 1 to 10000, not "
		    "\"many\"" },
		{ "heartbeat hc.example.org", "an address begins with http:// "
		    "or https://: \"hc.example.org\"" },
		{ "heartbeat https://x evry 1m", "unexpected \"evry\"; did you "
		    "mean \"every\"?" },
		{ "heartbeat https://x every 1s", "every must be from 10s to "
		    "1d, not \"1s\"" },
		{ "heartbeat https://x fail y", "an address begins with http:// "
		    "or https://: \"y\"" },
		{ "rout a", "unknown keyword \"rout\"; did you mean "
		    "\"route\"?" },
	};
	char want[300];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof row / sizeof *row; i++) {
		snprintf(want, sizeof want, "picket.conf:%d: error: %s\n",
		    row[i].what == NULL ? 2 : 1, row[i].what == NULL ?
		    "given twice: \"grace\"" : row[i].what);
		assert_string_equal(parse(row[i].line), want);
	}
	assert_string_equal(parse("route a\n\nroute a"), "picket.conf:3: "
	    "error: the name \"a\" is that of line 1 already\n");
}

static void
test_limits(void **state)
{
	static const struct {
		const char *line, *what;
		int max;
	} row[] = {
		{ "route r%d\n", "too many of these: at most 64",
		    LIM_CONF_RULES },
		{ "quiet default daily 22:00-07:%02d\n", "too many of these: at "
		    "most 64", LIM_CONF_RULES },
		{ "maintenance daily 22:00-07:%02d\n", "too many of these: at "
		    "most 64", LIM_CONF_RULES },
		{ "escalate %dm r\n", "too many of these: at most 32",
		    LIM_ESCALATIONS },
	};
	char line[100], want[100];
	struct buf b;
	size_t i;
	int k;

	(void)state;
	for (i = 0; i < sizeof row / sizeof *row; i++) {
		buf_init(&b, &mem);
		for (k = 0; k <= row[i].max; k++) {
			snprintf(line, sizeof line, row[i].line, 1 + k % 59 +
			    (i % 3 == 0 ? 60 * (k / 59) : 0));
			buf_puts(&b, line);
		}
		if (i == 3)
			buf_puts(&b, "route r\n");
		snprintf(want, sizeof want, "picket.conf:%d: error: %s\n",
		    row[i].max + 1, row[i].what);
		assert_string_equal(parse(buf_c(&b)), want);
		buf_free(&b);
	}
	buf_init(&b, &mem);
	buf_puts(&b, "route r to");
	for (k = 0; k <= LIM_CONF_MAILTO; k++)
		buf_puts(&b, " x");
	assert_string_equal(parse(buf_c(&b)), "picket.conf:1: error: too many "
	    "addresses; make a mailing list\n");
	buf_clear(&b);
	buf_puts(&b, "smtp a name x\nroute r via");
	for (k = 0; k <= LIM_CONF_TRANSPORTS; k++)
		buf_puts(&b, " x");
	assert_string_equal(parse(buf_c(&b)), "picket.conf:2: error: too many "
	    "ways for \"r\"\n");
	buf_free(&b);
}

/* --- conditions --- */

static const struct str groups[] = { TXT("moscow"), TXT("moscow.example.org"),
    TXT("mailservers") };

static struct about
about(enum level l)
{
	return (struct about){ .alert = STR_LIT("Urgent"),
	    .script = STR_LIT("MailQueue"), .key = STR_NIL, .level = l,
	    .text = STR_LIT("5210 messages\nin /var/spool"), .host = groups,
	    .nhost = 3 };
}

static bool
holds(const char *condition, const struct about *a)
{
	const struct route *out[LIM_CONF_RULES];
	char line[300];

	snprintf(line, sizeof line, "route r %s\n", condition);
	fine(line);
	return route_match(&conf, a, out) == 1;
}

static void
test_levels(void **state)
{
	static const struct {
		const char *part, *levels;	/* emergency ... debug */
	} row[] = {
		{ "", "xxxxxxxx" },
		{ "level critical", "--x-----" },
		{ "level critical+", "xxx-----" },
		{ "level emergency+", "x-------" },
		{ "level debug+", "xxxxxxxx" },
		{ "level error-notice", "---xxx--" },
		{ "level notice-error", "---xxx--" },
		{ "level info-info", "------x-" },
		{ "level alert", "-x------" },
		{ "level alert+ info debug", "xx----xx" },
	};
	struct about a;
	size_t i;
	int l;

	(void)state;
	for (i = 0; i < sizeof row / sizeof *row; i++)
		for (l = 0; l < LEVEL_COUNT; l++) {
			a = about((enum level)l);
			assert_int_equal(holds(row[i].part, &a),
			    row[i].levels[l] == 'x');
		}
}

static void
test_conditions(void **state)
{
	static const struct {
		const char *part;
		bool lines, incident;
	} row[] = {
		{ "alert Urgent", true, true },
		{ "alert urgent", false, false },
		{ "alert X Urg*", true, true },
		{ "script Mail????e", true, true },
		{ "script Mail", false, false },
		{ "host mailservers", true, true },
		{ "host moscow", true, true },
		{ "host riga mail*", true, true },
		{ "host riga", false, false },
		{ "key mx:*", false, true },
		{ "key *", false, true },
		{ "key [n-z]x:*", false, false },
		{ "key [a-m]x:*", false, true },
		{ "match \"[0-9]{4} messages$\"", false, true },
		{ "match spool", true, false },
		{ "match ^5210", true, true },
		{ "match \"(?i)MESSAGES\"", true, true },
		{ "match \"\"", true, true },
		{ "level critical+ alert Urgent host mailservers key mx:* match "
		    "5210 script MailQueue", false, true },
		{ "level critical+ alert Urgent host mailservers key mx:* match "
		    "5210 script Mailqueue", false, false },
		/* a name that begins a part */
		{ "alert [l]evel", false, false },
	};
	struct about lines = about(LEVEL_CRITICAL), incident = lines;
	size_t i;

	(void)state;
	incident.key = STR_LIT("mx:moscow");
	incident.text = STR_LIT("5210 messages");
	for (i = 0; i < sizeof row / sizeof *row; i++) {
		assert_int_equal(holds(row[i].part, &lines), row[i].lines);
		assert_int_equal(holds(row[i].part, &incident),
		    row[i].incident);
	}
	lines.alert = STR_LIT("level");
	assert_true(holds("alert [l]evel", &lines));
	/* no host is known, the text is hostile, and a pattern without end */
	lines.nhost = 0;
	assert_false(holds("host *", &lines));
	lines.text = str_of("\0\xff\n", 3);
	assert_true(holds("match \"\\xff\"", &lines));
	lines.text = STR_NIL;
	assert_false(holds("match x", &lines));
	lines.text = STR_LIT("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab");
	assert_false(holds("match \"^(a+)+(a+)+(a+)+$\"", &lines));
}

/* --- routes --- */

static void
test_routes(void **state)
{
	const struct route *out[LIM_CONF_RULES];
	struct about a = about(LEVEL_CRITICAL);

	(void)state;
	fine("smtp mail.example.org name relay\n"
	    "mailcmd \"sms\" name sms always\n"
	    "file /var/mail/x\n"
	    "route pager level critical+ to on.call@example.org,"
	    "b@example.org c via sms relay file\n"
	    "route noise level info-debug stop\n"
	    "route all\n");
	assert_int_equal(route_match(&conf, &a, out), 2);
	assert_ptr_equal(out[0], route_named(&conf, STR_LIT("pager")));
	assert_int_equal(out[0]->to.n, 3);
	assert_memory_equal(out[0]->to.p[1].p, "b@example.org", 13);
	assert_int_equal(out[0]->via.n, 3);
	assert_ptr_equal(conf_transport(&conf, out[0]->via.p[0]),
	    &conf.transport[1]);
	assert_ptr_equal(conf_transport(&conf, out[0]->via.p[1]),
	    &conf.transport[0]);
	assert_ptr_equal(conf_transport(&conf, out[0]->via.p[2]),
	    &conf.transport[2]);
	assert_ptr_equal(out[1], route_named(&conf, STR_LIT("all")));
	assert_int_equal(out[1]->to.n, 0);
	assert_int_equal(out[1]->line, 6);
	a.level = LEVEL_INFO;
	assert_int_equal(route_match(&conf, &a, out), 1);
	assert_ptr_equal(out[0], route_named(&conf, STR_LIT("noise")));
	a.level = LEVEL_ERROR;
	assert_int_equal(route_match(&conf, &a, out), 1);
	assert_null(route_named(&conf, STR_LIT("nobody")));
	/* none */
	fine("route pager level critical+\n");
	assert_int_equal(route_match(&conf, &a, out), 0);
	fine("");
	assert_int_equal(route_match(&conf, &a, out), 0);
	/* two of a kind without a name are not one */
	assert_string_equal(parse("file /x\nfile /y\nroute a via file\n"),
	    "picket.conf:3: error: give them names, there are several of "
	    "\"file\"\n");
}

static void
test_escalations(void **state)
{
	struct escalation out[LIM_ESCALATIONS];
	struct about a = about(LEVEL_CRITICAL);
	unsigned bit[2], seen = 0;
	char text[LIM_ESCALATIONS * 24], *p = text;
	size_t i;

	(void)state;
	fine("escalate 30m boss level critical+\n"
	    "route boss to boss@example.org\n"
	    "escalate 1h30m boss alert Other\n"
	    "escalate 7d boss\n");
	assert_int_equal(route_escalations(&conf, &a, out), 2);
	assert_true(out[0].after == 1800 && out[1].after == 604800);
	bit[0] = out[0].bit;
	bit[1] = out[1].bit;
	assert_int_not_equal(bit[0], bit[1]);
	assert_ptr_equal(route_named(&conf, route_of_bit(&conf, bit[1])),
	    &conf.route[0]);
	a.level = LEVEL_ERROR;
	assert_int_equal(route_escalations(&conf, &a, out), 1);
	/* another place in the file is no other escalation */
	a.level = LEVEL_CRITICAL;
	fine("escalate 7d boss\nescalate 30m boss\nroute boss\n");
	assert_int_equal(route_escalations(&conf, &a, out), 2);
	assert_int_equal(out[0].bit, bit[1]);
	assert_int_equal(out[1].bit, bit[0]);
	fine("");
	assert_int_equal(route_of_bit(&conf, bit[0]).n, 0);
	/* as many as there may be have a bit each */
	for (i = 0; i < LIM_ESCALATIONS; i++)
		p += sprintf(p, "escalate %zum boss\n", i + 1);
	sprintf(p, "route boss\n");
	fine(text);
	assert_int_equal(route_escalations(&conf, &a, out), LIM_ESCALATIONS);
	for (i = 0; i < LIM_ESCALATIONS; i++)
		seen |= 1u << out[i].bit;
	assert_int_equal(seen, UINT32_MAX);
}

static void
test_single(void **state)
{
	(void)state;
	fine("");
	assert_true(conf.grace == 0 && conf.limit == 0);
	assert_true(str_none(conf.heartbeat.url));
	assert_false(grace_holds(&conf, 0));
	fine("grace 5m\nlimit 20 per hour\n"
	    "heartbeat https://hc.example.org/x every 5m fail http://y\n");
	assert_int_equal(conf.limit, 20);
	assert_true(grace_holds(&conf, 299.9));
	assert_false(grace_holds(&conf, 300));
	assert_true(conf.heartbeat.every == 300);
	assert_memory_equal(conf.heartbeat.fail.p, "http://y", 9);
	fine("heartbeat http://y\n");
	assert_true(conf.heartbeat.every == 0);
	assert_true(str_none(conf.heartbeat.fail));
}

/* --- time --- */

/* What the wall shows, by mktime: times that are unique only. */
static double
wall(const char *text)
{
	struct tm tm;

	memset(&tm, 0, sizeof tm);
	assert_int_equal(sscanf(text, "%d-%d-%d %d:%d:%d", &tm.tm_year,
	    &tm.tm_mon, &tm.tm_mday, &tm.tm_hour, &tm.tm_min, &tm.tm_sec), 6);
	tm.tm_year -= 1900;
	tm.tm_mon--;
	tm.tm_isdst = -1;
	return (double)mktime(&tm);
}

static void
test_quiet(void **state)
{
	static const struct {
		const char *now, *until;	/* NULL: not quiet */
		enum level level;
	} row[] = {
		/* Monday, 23 November 2026 */
		{ "2026-11-23 21:59:59", NULL, LEVEL_INFO },
		{ "2026-11-23 22:00:00", "2026-11-24 07:00:00", LEVEL_INFO },
		{ "2026-11-24 06:59:59", "2026-11-24 07:00:00", LEVEL_WARNING },
		{ "2026-11-24 06:59:59", NULL, LEVEL_ERROR },
		{ "2026-11-24 06:59:59", NULL, LEVEL_EMERGENCY },
		{ "2026-11-24 07:00:00", NULL, LEVEL_INFO },
		{ "2026-11-24 12:30:00", NULL, LEVEL_INFO },
		/* Friday night is quiet until the weekend, which ends on
		 * Monday morning: three lines that follow one another */
		{ "2026-11-27 23:00:00", "2026-11-30 07:00:00", LEVEL_INFO },
		{ "2026-11-29 12:00:00", "2026-11-30 07:00:00", LEVEL_INFO },
		{ "2026-11-29 12:00:00", NULL, LEVEL_CRITICAL },
	};
	double now, until;
	size_t i;

	(void)state;
	fine("quiet default mon-fri 22:00-07:00 except error\n"
	    "quiet default Saturday,SUN 00:00-24:00 except error+\n"
	    "quiet default mon 00:00-07:00 except error\n"
	    "route pager\n"
	    "quiet pager daily 12:00-13:00\n");
	zone("Europe/Berlin");
	for (i = 0; i < sizeof row / sizeof *row; i++) {
		now = wall(row[i].now);
		until = quiet_until(&conf, NULL, now, row[i].level);
		assert_true(until == (row[i].until == NULL ? 0 :
		    wall(row[i].until)));
	}
	now = wall("2026-11-24 12:30:00");
	assert_true(quiet_until(&conf, &conf.route[0], now, LEVEL_EMERGENCY) ==
	    now + 1800);
	assert_true(quiet_until(&conf, &conf.route[0], now + 0.5,
	    LEVEL_EMERGENCY) == now + 1800);
	/* quiet that never ends does */
	fine("quiet default daily 00:00-24:00\n");
	assert_true(quiet_until(&conf, NULL, now, LEVEL_INFO) ==
	    now + LIM_QUIET);
	fine("");
	assert_true(quiet_until(&conf, NULL, now, LEVEL_INFO) == 0);
}

static void
test_maintenance(void **state)
{
	struct about a = about(LEVEL_CRITICAL), b = a;
	double now;

	(void)state;
	zone("Europe/Berlin");
	b.alert = STR_LIT("Other");
	fine("maintenance \"2026-11-23 22:00\" - \"2026-11-24 02:30\"\n"
	    "maintenance sun 02:00-04:00 alert Urg*\n"
	    "maintenance 2026-11-23T23:00 - 2026-11-24T03:00 alert Other\n");
	now = wall("2026-11-23 22:00:00");
	assert_true(maintenance_until(&conf, now - 0.1, &a) == 0);
	assert_true(maintenance_until(&conf, now, &a) == now + 16200);
	assert_true(maintenance_until(&conf, now + 16199, &a) == now + 16200);
	assert_true(maintenance_until(&conf, now + 16200, &a) == 0);
	assert_true(maintenance_until(&conf, now + 3600, &b) == now + 18000);
	now = wall("2026-11-29 03:00:00");
	assert_true(maintenance_until(&conf, now, &a) == now + 3600);
	assert_true(maintenance_until(&conf, now, &b) == 0);
	fine("maintenance 2024-02-29T22:00 - 2024-03-01T24:00\n");
	assert_true(maintenance_until(&conf, wall("2024-03-01 23:59:59"), &a) ==
	    wall("2024-03-02 00:00:00"));
}

/* tests/deliver/windows.t asks another's idea of zones; here is what was
 * decided where it has none. */
static void
test_changed_clocks(void **state)
{
	double now;

	(void)state;
	zone("Europe/Berlin");
	fine("quiet default daily 02:15-02:45\n");
	/* 29 March 2026: 02:00 CET is 03:00 CEST: there is no such night */
	now = 1774746000;		/* 01:00 UTC, 03:00 CEST */
	assert_true(quiet_until(&conf, NULL, now - 1, LEVEL_INFO) == 0);
	assert_true(quiet_until(&conf, NULL, now, LEVEL_INFO) == 0);
	/* 25 October: 02:15 CEST until 02:45 CET, both of them quiet */
	now = 1792887300;		/* 00:15 UTC */
	assert_true(quiet_until(&conf, NULL, now - 1, LEVEL_INFO) == 0);
	assert_true(quiet_until(&conf, NULL, now, LEVEL_INFO) == now + 5400);
	assert_true(quiet_until(&conf, NULL, now + 3000, LEVEL_INFO) ==
	    now + 5400);
	assert_true(quiet_until(&conf, NULL, now + 5400, LEVEL_INFO) == 0);
	/* half of it is there: from the change on */
	fine("quiet default daily 02:30-03:30\n");
	now = 1774746000;
	assert_true(quiet_until(&conf, NULL, now - 1, LEVEL_INFO) == 0);
	assert_true(quiet_until(&conf, NULL, now, LEVEL_INFO) == now + 1800);
	fine("quiet default daily 01:30-02:30\n");
	assert_true(quiet_until(&conf, NULL, now - 1800, LEVEL_INFO) == now);
	/* a night of 7 and of 9 hours */
	fine("quiet default daily 23:00-07:00\n");
	assert_true(quiet_until(&conf, NULL, now - 10800, LEVEL_INFO) ==
	    now + 14400);
	assert_true(quiet_until(&conf, NULL, 1792875600, LEVEL_INFO) ==
	    1792875600 + 9 * 3600);
	/* Lord Howe goes by half an hour; Apia skipped a whole Friday */
	zone("Australia/Lord_Howe");
	fine("quiet default daily 01:40-01:50\n");
	now = 1775314200;		/* 5 April 2026, 01:50 both times */
	assert_true(quiet_until(&conf, NULL, now - 1, LEVEL_INFO) ==
	    now + 1800);
	zone("Pacific/Apia");
	fine("quiet default fri 00:00-24:00\n");
	now = 1325239200;		/* Thursday's end is Saturday's begin */
	assert_true(quiet_until(&conf, NULL, now - 1, LEVEL_INFO) == 0);
	assert_true(quiet_until(&conf, NULL, now, LEVEL_INFO) == 0);
	zone("UTC");
}

/* Beyond what a clock can be. */
static void
test_odd_times(void **state)
{
	static const double odd[] = { 0, -1, -1e9, 1e11, 1e15, 9e15, 1e300, -1e300 };
	struct about a = about(LEVEL_CRITICAL);
	double until;
	size_t i;

	(void)state;
	fine("quiet default daily 00:00-24:00\nmaintenance daily 00:00-24:00");
	for (i = 0; i < sizeof odd / sizeof *odd; i++) {
		until = quiet_until(&conf, NULL, odd[i], LEVEL_INFO);
		assert_true(until == 0 || (until > odd[i] && until <=
		    odd[i] + LIM_QUIET));
		until = maintenance_until(&conf, odd[i], &a);
		assert_true(until == 0 || (until > odd[i] && until <=
		    odd[i] + 90000));
	}
}

/* Lines of words that belong elsewhere: what is wrong is said of the right
 * line, in plain text, and what is right can be asked. */
static void
test_random(void **state)
{
	static const char *const word[] = { "route", "quiet", "escalate",
	    "maintenance", "grace", "limit", "heartbeat", "level", "alert",
	    "script", "host", "key", "match", "to", "via", "stop", "except",
	    "every", "fail", "default", "r", "r2", "critical", "critical+",
	    "error-notice", "-", "+", "daily", "mon-fri,sun", "22:00-07:00",
	    "30m", "5", "per", "hour", "\"2026-11-23 22:00\"",
	    "2026-11-24T22:00", "*", "[a-", "\"(\"", "\"\"", "a@b",
	    "https://x", "syslog", "\x1b", "\xff", "\"", "#", "24:00-24:00",
	    "smtp", "x", "name", "always", "fallback" };
	static const char *const begin[] = { "route r", "route r2 level error",
	    "quiet default daily 22:00-07:00", "escalate 30m r",
	    "maintenance mon-fri,sun 22:00-07:00", "grace 5m", "limit 5",
	    "heartbeat https://x", "syslog name r", "route", "quiet r",
	    "escalate", "maintenance \"2026-11-23 22:00\" -", "limit 5 per" };
	const struct route *out[LIM_CONF_RULES];
	struct escalation esc[LIM_ESCALATIONS];
	struct about a = about(LEVEL_ERROR);
	struct arena_mark mark = arena_mark(&arena);
	unsigned seed = 7, fine_files = 0;
	struct buf b;
	size_t i, k, n;
	int turn;

	(void)state;
	buf_init(&b, &mem);
	for (turn = 0; turn < 20000; turn++) {
		buf_clear(&b);
		for (i = 0; i <= (unsigned)turn % 3; i++) {
			/* as a rule does, or none would be one */
			seed = seed * 1103515245 + 12345;
			buf_puts(&b, begin[(seed >> 16) %
			    (sizeof begin / sizeof *begin)]);
			n = (seed >> 8) % 6;
			for (k = 0; k < n; k++) {
				seed = seed * 1103515245 + 12345;
				buf_putc(&b, ' ');
				buf_puts(&b, word[(seed >> 16) %
				    (sizeof word / sizeof *word)]);
			}
			buf_putc(&b, '\n');
		}
		buf_clear(&errors);
		if (!conf_parse(&conf, STR_LIT("c"), buf_view(&b), &arena,
		    &errors)) {
			assert_true(errors.n > 0);
			for (i = 0; i < errors.n; i++)
				assert_true(errors.p[i] == '\n' ||
				    (errors.p[i] >= ' ' && errors.p[i] <= '~'));
			assert_true(strncmp(errors.p, "c:", 2) == 0);
			assert_true(strchr("1234", errors.p[2]) != NULL);
		} else
			fine_files++;
		(void)route_match(&conf, &a, out);
		(void)route_escalations(&conf, &a, esc);
		(void)quiet_until(&conf, NULL, 1.8e9, LEVEL_INFO);
		(void)maintenance_until(&conf, 1.8e9, &a);
		arena_reset(&arena, mark);
	}
	print_message("# %u of 20000 files are right\n", fine_files);
	assert_true(fine_files > 100 && fine_files < 10000);
	buf_free(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_wrong),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_levels),
		cmocka_unit_test(test_conditions),
		cmocka_unit_test(test_routes),
		cmocka_unit_test(test_escalations),
		cmocka_unit_test(test_single),
		cmocka_unit_test(test_quiet),
		cmocka_unit_test(test_maintenance),
		cmocka_unit_test(test_changed_clocks),
		cmocka_unit_test(test_odd_times),
		cmocka_unit_test(test_random),
	};
	int failed;

	mem_init(&mem, (size_t)64 << 20, NULL);
	arena_init(&arena, &mem, 4096);
	buf_init(&errors, &mem);
	cmocka_set_message_output(CM_OUTPUT_TAP);
	failed = cmocka_run_group_tests_name("route", tests, NULL, NULL);
	buf_free(&errors);
	arena_free(&arena);
	return failed;
}
