/* compose: changes of incidents in a mail, a mail for each route, digests; and
 * notice: the same as JSON. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include <jansson.h>

#include "engine/deliver/compose.h"
#include "engine/deliver/encode.h"

#define TXT(s)		{ (s), sizeof(s) - 1 }
#define NOON		1795521605.0	/* Tue Nov 24 12:00:05 2026 in UTC */
#define MUCH		10000

static struct mem mem;
static struct arena arena;
static struct buf made, errors;
static struct conf conf;
static const struct str to_one[] = { TXT("systems@example.org") };

static struct incident
incident(const char *key, enum level l)
{
	struct incident in;

	incident_new(&in, str_c(key));
	in.id = STR_LIT("3fa2b1c9");
	in.script = STR_LIT("MailQueue");
	in.state = INCIDENT_FIRES;
	in.episode = in.told = 1;
	in.level = l;
	/* it had been true before, for as long as hold says */
	in.since = NOON - 120;
	in.fired = in.told_fired = in.told_onset = NOON;
	in.message = STR_LIT("MX moscow has many queued messages: 5210");
	in.evidence = STR_LIT("#queued >= 5000 (#queued = 5210)");
	in.place = STR_LIT("mx.pikt:14");
	in.done = STR_LIT("exec wait: /usr/sbin/postqueue -f");
	in.thread = STR_LIT("r1.1@moscow");
	return in;
}

static struct change
change(const struct incident *in, enum notice_kind what, double now)
{
	return (struct change){ .what = what, .incident = in, .now = now };
}

static struct mail_section
section(const struct change *c, size_t n, const char *lines)
{
	return (struct mail_section){ .level = LEVEL_WARNING,
	    .script = STR_LIT("MailQueue"), .task = STR_LIT("Watch it."),
	    .lines = str_c(lines), .error = STR_EMPTY, .change = c,
	    .nchange = n };
}

static struct mail
mail_of(const struct mail_section *s, size_t n)
{
	return (struct mail){ .host = STR_LIT("moscow"),
	    .alert = STR_LIT("Urgent"), .run_id = STR_LIT("r2"),
	    .message_id = STR_LIT("r2.1@moscow"), .when = (time_t)NOON,
	    .from = STR_LIT("picket@moscow"), .to = to_one, .nto = 1,
	    .subject = STR_LIT("PIKT Alert on %h: %a"), .section = s,
	    .nsection = n };
}

/* The body behind the head. */
static const char *
body_of(const struct mail *m)
{
	buf_clear(&made);
	compose_body(m, &made);
	return strstr(buf_c(&made), "moscow\n") + 7;
}

static const char *
message_of(const struct mail *m)
{
	struct buf body;

	buf_init(&body, &mem);
	compose_body(m, &body);
	buf_clear(&made);
	compose_message(m, buf_view(&body), &made);
	buf_free(&body);
	return buf_c(&made);
}

static const char *
subject_of(const struct mail *m)
{
	buf_clear(&made);
	compose_subject(m, &made);
	return buf_c(&made);
}

static void
test_onset(void **state)
{
	struct incident in = incident("mxqueue:moscow", LEVEL_CRITICAL);
	struct change c = change(&in, NOTICE_FIRING, NOON + 2);
	struct mail_section s = section(&c, 1, "");
	struct mail m = mail_of(&s, 1);

	(void)state;
	assert_true(compose_speaks(&m));
	assert_string_equal(body_of(&m),
	    "\nCRITICAL:\n"
	    "    MailQueue\n"
	    "        Watch it.\n"
	    "\n"
	    "        [firing] MX moscow has many queued messages: 5210\n"
	    "            mxqueue:moscow, id 3fa2b1c9, critical, since "
	    "12:00:05\n"
	    "            mx.pikt:14: #queued >= 5000 (#queued = 5210)\n"
	    "            done: exec wait: /usr/sbin/postqueue -f\n"
	    "            more: picket why 3fa2b1c9, picket ack 3fa2b1c9\n"
	    "            silence: picket silence 'mxqueue:moscow' --for 2h "
	    "--why \"...\"\n");
	assert_string_equal(subject_of(&m), "PIKT Alert on moscow: Urgent: "
	    "[firing] MX moscow has many queued messages: 5210");
	/* the onset begins its thread */
	assert_null(strstr(message_of(&m), "References:") );
	in.thread = STR_LIT("r2.1@moscow");
	assert_null(strstr(message_of(&m), "In-Reply-To:"));
	assert_non_null(strstr(made.p, "\nMessage-ID: <r2.1@moscow>\n"));
	assert_non_null(strstr(made.p, "\nX-Picket-Incident: 3fa2b1c9\n"));
	assert_non_null(strstr(made.p, "\nX-Picket-Level: critical\n"));
	assert_non_null(strstr(made.p, "\nX-Picket-Run: r2\n"));
	assert_non_null(strstr(made.p, "\nAuto-Submitted: auto-generated\n"));
	assert_non_null(strstr(made.p, "\nDate: Tue, 24 Nov 2026 12:00:05 "
	    "+0000\n"));
	/* with lines of the script it says so at both of its levels' worse */
	s.lines = STR_LIT("a line\n");
	assert_string_equal(subject_of(&m), "PIKT Alert on moscow: Urgent");
	assert_non_null(strstr(body_of(&m), "\nCRITICAL:\n    MailQueue\n"
	    "        Watch it.\n\n        a line\n        [firing] MX "));
	in.level = LEVEL_INFO;
	assert_int_equal(compose_level(&m), LEVEL_WARNING);
	s.lines = STR_EMPTY;
	assert_int_equal(compose_level(&m), LEVEL_INFO);
	in.level = 77;
	assert_int_equal(compose_level(&m), LEVEL_DEBUG);
}

static void
test_other_kinds(void **state)
{
	struct incident in = incident("mxqueue:moscow", LEVEL_CRITICAL);
	struct change c = change(&in, NOTICE_STILL, NOON + 4 * 3600);
	struct mail_section s = section(&c, 1, "");
	struct mail m = mail_of(&s, 1);

	(void)state;
	m.when += 86400;
	assert_string_equal(strstr(body_of(&m), "        [still"),
	    "        [still firing, 4h] MX moscow has many queued messages: "
	    "5210\n"
	    "            mxqueue:moscow, id 3fa2b1c9, critical, since "
	    "Tue Nov 24 12:00:05 2026\n"
	    "            mx.pikt:14: #queued >= 5000 (#queued = 5210)\n"
	    "            more: picket why 3fa2b1c9, picket ack 3fa2b1c9\n"
	    "            silence: picket silence 'mxqueue:moscow' --for 2h "
	    "--why \"...\"\n");
	message_of(&m);
	assert_non_null(strstr(made.p, "\nIn-Reply-To: <r1.1@moscow>\n"
	    "References: <r1.1@moscow>\n"));
	m.when -= 86400;
	in.state = INCIDENT_QUIET;
	in.told = 0;
	in.ended = NOON + 9180;
	in.how = END_RESOLVED;
	c = change(&in, NOTICE_RESOLVED, in.ended);
	assert_string_equal(strstr(body_of(&m), "        [res"),
	    "        [resolved after 2h 33m] MX moscow has many queued "
	    "messages: 5210\n"
	    "            mxqueue:moscow, id 3fa2b1c9, critical, from 12:00:05 "
	    "to 14:33:05\n"
	    "            mx.pikt:14: #queued >= 5000 (#queued = 5210)\n"
	    "            more: picket why 3fa2b1c9\n");
	in.state = INCIDENT_FIRES;
	in.acked_by = STR_LIT("alice");
	in.acked_why = STR_LIT("I am on it");
	c = change(&in, NOTICE_ACKED, NOON + 60);
	assert_string_equal(subject_of(&m), "PIKT Alert on moscow: Urgent: "
	    "[acknowledged by alice] MX moscow has many queued messages: "
	    "5210");
	assert_non_null(strstr(body_of(&m), "            why: I am on it\n"
	    "            more: picket why 3fa2b1c9\n"));
	c.why = STR_LIT("said now");
	assert_non_null(strstr(body_of(&m), "            why: said now\n"));
}

/* What an attacker or a machine may have put there. */
/* A key that a person cannot copy as a pattern, or that would silence others. */
static void
test_key_is_no_pattern(void **state)
{
	static const char *const key[] = { "*", "a?", "disk:[a]", "a\\b", "-rf",
	    "0123456789012345678901234567890123456789012345678901234567890" };
	struct incident in;
	struct change c;
	struct mail_section s;
	struct mail m;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof key / sizeof key[0]; i++) {
		in = incident(key[i], LEVEL_CRITICAL);
		c = change(&in, NOTICE_FIRING, NOON);
		s = section(&c, 1, "");
		m = mail_of(&s, 1);
		assert_non_null(strstr(body_of(&m),
		    "silence: picket silence 3fa2b1c9 --for 2h"));
	}
}

static void
test_hostile(void **state)
{
	struct incident in = incident("", LEVEL_CRITICAL);
	struct change c = change(&in, NOTICE_FIRING, NOON);
	struct mail_section s = section(&c, 1, "");
	struct mail m = mail_of(&s, 1);
	char much[MUCH];
	const char *p;
	size_t i, n;

	(void)state;
	in.key = STR_LIT("k'; reboot #\r\n\x1b[2J\xff");
	in.id = STR_LIT("a\nBcc: x");
	in.message = STR_LIT("one\r\nBcc: all@example.org\n\n.\n~!sh\nnul\0\xff"
	    "\n");
	in.evidence = STR_LIT("1\n2\n3\n4\n5\n6\n7\n");
	in.place = STR_LIT("x\ny.pikt:1");
	in.thread = STR_LIT("a@b>\nX-Evil: 1");
	in.done = STR_EMPTY;
	assert_string_equal(strstr(body_of(&m), "        [firing]"),
	    "        [firing] one\\x0d\n"
	    "            Bcc: all@example.org\n"
	    "\n"
	    "            .\n"
	    "            ~!sh\n"
	    "            nul\\x00\\xff\n"
	    "            k'; reboot #\\x0d\\n\\x1b[2J\\xff, id a\\nBcc: x, "
	    "critical, since 12:00:05\n"
	    "            x\\ny.pikt:1: 1\n"
	    "                         2\n"
	    "                         3\n"
	    "                         4\n"
	    "                         5\n"
	    "                         [2 more lines, 4 bytes, are not shown]\n"
	    "            more: picket why a\\nBcc: x, picket ack a\\nBcc: x\n"
	    "            silence: picket silence a\\nBcc: x --for 2h --why "
	    "\"...\"\n");
	assert_string_equal(subject_of(&m), "PIKT Alert on moscow: Urgent: "
	    "[firing] one\\x0d");
	c.what = NOTICE_STILL;
	m.message_id = STR_LIT("x@y>\nX-Evil: 2");
	message_of(&m);
	assert_null(strstr(made.p, "Evil"));
	assert_null(strstr(made.p, "\nBcc"));
	assert_null(strstr(made.p, "In-Reply-To"));
	assert_null(strstr(made.p, "X-Picket-Incident"));
	assert_non_null(strstr(made.p, "\nMessage-ID: <r2.picket@moscow>\n"));
	assert_int_equal(strlen(made.p), made.n);
	/* all of it long: cut, and each line of the message still fits */
	for (i = 0; i < sizeof much; i++)
		much[i] = (char)(i % 3 == 2 ? 'x' : '\x01');
	in.key = in.message = in.evidence = in.done = in.place =
	    str_of(much, sizeof much);
	c.what = NOTICE_FIRING;
	for (p = message_of(&m); *p != '\0'; p += n + 1) {
		n = strcspn(p, "\n");
		assert_true(n <= LIM_MAIL_LINE);
	}
	assert_true(made.n < 7 * MUCH);
	assert_int_equal(strlen(made.p), made.n);
	/* no message: its key */
	in = incident("disk:/var", LEVEL_ERROR);
	in.message = STR_EMPTY;
	c.what = NOTICE_STILL;
	assert_non_null(strstr(subject_of(&m), "[still firing, 0s] "
	    "disk:/var"));
}

/* Worst first, and never more than mail servers take. */
static void
test_many(void **state)
{
	struct incident *in = calloc(MUCH, sizeof *in);
	struct change *c = calloc(MUCH, sizeof *c);
	struct mail_section s = section(c, 3, "");
	struct mail m = mail_of(&s, 1);
	char id[MUCH][INCIDENT_ID + 1];
	const char *a, *b, *d, *p;
	size_t i, n;

	(void)state;
	assert_non_null(in);
	assert_non_null(c);
	for (i = 0; i < MUCH; i++) {
		in[i] = incident("k", i % 2 == 0 ? LEVEL_ERROR :
		    LEVEL_EMERGENCY);
		snprintf(id[i], sizeof id[i], "%08zx", i);
		in[i].id = str_c(id[i]);
		c[i] = change(&in[i], NOTICE_FIRING, NOON);
	}
	body_of(&m);
	a = strstr(made.p, "id 00000001");
	b = strstr(made.p, "id 00000000");
	d = strstr(made.p, "id 00000002");
	assert_true(a != NULL && b != NULL && d != NULL && a < b && b < d);
	assert_string_equal(subject_of(&m), "PIKT Alert on moscow: Urgent");
	s.nchange = MUCH;
	body_of(&m);
	assert_true(made.n < LIM_MAIL_TEXT);
	p = strstr(made.p, " more changes are not shown: see picket "
	    "incidents]\n");
	assert_non_null(p);
	for (n = 0, a = made.p; (a = strstr(a, "[firing]")) != NULL; a++)
		n++;
	while (p[-1] != '[')
		p--;
	assert_int_equal(n + strtoul(p, NULL, 10), MUCH);
	/* so many ids as a header has room for */
	message_of(&m);
	p = strstr(made.p, "\nX-Picket-Incident: ");
	assert_non_null(p);
	for (n = 1, a = p + 1; *a != '\n' || a[1] == ' '; a++)
		n += *a == ',';
	assert_int_equal(n, LIM_MAIL_IDS);
	free(in);
	free(c);
}

static void
test_interrupted(void **state)
{
	struct mail_section s = section(NULL, 0, "said\n");
	struct mail m = mail_of(&s, 1);

	(void)state;
	s.interrupted = true;
	s.done = STR_EMPTY;
	assert_non_null(strstr(body_of(&m), "        said\n        "
	    "[interrupted] the run was killed before it could tell of this\n"));
	s.lines = STR_EMPTY;
	s.done = STR_LIT("exec: /bin/x\nkill 17\n");
	assert_true(compose_speaks(&m));
	assert_non_null(strstr(body_of(&m), "        [interrupted] the run was "
	    "killed before it could tell of this; it had done or begun:\n"
	    "            exec: /bin/x\n"
	    "            kill 17\n"));
	assert_int_equal(compose_level(&m), LEVEL_WARNING);
}

/* One thread: that of the worst which is no onset. */
static void
test_thread(void **state)
{
	struct incident in[4];
	struct change c[4];
	struct mail_section s[2];
	struct mail m = mail_of(s, 2);

	(void)state;
	memset(c, 0, sizeof c);
	s[0] = section(c, 2, "");
	s[1] = section(c + 2, 2, "");
	in[0] = incident("a", LEVEL_ERROR);
	in[1] = incident("b", LEVEL_EMERGENCY);
	in[2] = incident("c", LEVEL_URGENT);
	in[3] = incident("d", LEVEL_CRITICAL);
	in[0].thread = STR_LIT("a@moscow");
	in[1].thread = STR_LIT("b@moscow");
	in[2].thread = STR_LIT("no id");
	in[3].thread = STR_LIT("d@moscow");
	c[0] = change(&in[0], NOTICE_STILL, NOON);
	c[1] = change(&in[1], NOTICE_FIRING, NOON);
	c[2] = change(&in[2], NOTICE_STILL, NOON);
	c[3] = change(&in[3], NOTICE_RESOLVED, NOON);
	assert_non_null(strstr(message_of(&m), "\nIn-Reply-To: <d@moscow>\n"
	    "References: <d@moscow>\n"));
	/* the same incident twice is one id */
	assert_non_null(strstr(made.p, "\nX-Picket-Incident: 3fa2b1c9\n"));
	buf_clear(&made);
	compose_id(STR_LIT("1795521605-17"), 3, STR_LIT("a b\n.c"), &made);
	assert_string_equal(buf_c(&made), "1795521605-17.3@a-b-.c");
}

/* --- a mail for each route --- */

static void
configure(const char *text)
{
	buf_clear(&errors);
	assert_true(conf_parse(&conf, STR_LIT("picket.conf"), str_c(text),
	    &arena, &errors));
}

static struct mail_split
split_of(const struct mail_section *s, size_t n)
{
	return (struct mail_split){ .conf = &conf, .alert = STR_LIT("Urgent"),
	    .now = NOON, .uptime = 1e6, .section = s, .nsection = n };
}

static void
test_split(void **state)
{
	struct incident in[3];
	struct change c[3];
	struct mail_section s[3];
	struct mail_split split = split_of(s, 3);
	const struct str own[] = { TXT("night"), TXT("nobody") };
	struct mail_part *part;

	(void)state;
	in[0] = incident("mx:a", LEVEL_CRITICAL);
	in[1] = incident("disk:b", LEVEL_ERROR);
	in[2] = incident("mx:c", LEVEL_NOTICE);
	c[0] = change(&in[0], NOTICE_FIRING, NOON);
	c[1] = change(&in[1], NOTICE_FIRING, NOON);
	c[2] = change(&in[2], NOTICE_ESCALATED, NOON);
	s[0] = section(c, 3, "a line");
	s[1] = section(NULL, 0, "");
	s[2] = section(NULL, 0, "another");
	s[2].error = STR_LIT("it failed");
	s[2].level = LEVEL_CRITICAL;
	/* no routes: all of it is one */
	configure("");
	assert_int_equal(compose_split(&split, &arena, &part), 1);
	assert_null(part[0].route);
	assert_int_equal(part[0].nsection, 2);
	assert_int_equal(part[0].section[0].nchange, 3);
	assert_int_equal(part[0].level, LEVEL_CRITICAL);
	assert_true(part[0].after == 0);
	assert_int_equal(part[0].section[1].error.n, 9);

	configure("route pager level critical+\n"
	    "route mx key mx:*\n"
	    "route night level warning\n"
	    "quiet night daily 10:00-14:00 except error\n"
	    "quiet default daily 10:00-13:00\n");
	c[2].route = STR_LIT("pager");
	assert_int_equal(compose_split(&split, &arena, &part), 4);
	/* lines of the first: night; its changes: pager and mx, nobody's, and
	 * pager alone, as it is an escalation to it; lines of the third: pager */
	assert_ptr_equal(part[0].route, &conf.route[2]);
	assert_int_equal(part[0].nsection, 1);
	assert_int_equal(part[0].section[0].nchange, 0);
	assert_int_equal(part[0].section[0].lines.n, 6);
	assert_true(part[0].after == NOON - 5 + 7200);
	assert_ptr_equal(part[1].route, &conf.route[0]);
	assert_int_equal(part[1].nsection, 2);
	assert_int_equal(part[1].section[0].nchange, 2);
	assert_int_equal(part[1].section[0].lines.n, 0);
	assert_ptr_equal(part[1].section[0].change[1].incident, &in[2]);
	assert_int_equal(part[1].section[1].lines.n, 7);
	assert_true(part[1].after == 0);
	assert_ptr_equal(part[2].route, &conf.route[1]);
	assert_int_equal(part[2].section[0].nchange, 1);
	assert_null(part[3].route);
	assert_ptr_equal(part[3].section[0].change[0].incident, &in[1]);
	assert_int_equal(part[3].level, LEVEL_ERROR);
	assert_true(part[3].after == NOON - 5 + 3600);
	/* the alert's own */
	split.route = own;
	split.nroute = 2;
	c[2].route = STR_LIT("gone");
	assert_int_equal(compose_split(&split, &arena, &part), 1);
	assert_ptr_equal(part[0].route, &conf.route[2]);
	assert_int_equal(part[0].section[0].nchange, 3);
	assert_true(part[0].after == 0);
	/* of which picket.conf knows none */
	split.route = own + 1;
	split.nroute = 1;
	assert_int_equal(compose_split(&split, &arena, &part), 4);
	split.nsection = 0;
	assert_int_equal(compose_split(&split, &arena, &part), 0);
}

/* Lines wait, changes were asked before. */
static void
test_split_holds(void **state)
{
	struct incident in = incident("mx:a", LEVEL_CRITICAL);
	struct change c = change(&in, NOTICE_FIRING, NOON);
	struct mail_section s[2] = { section(&c, 1, "lines"),
	    section(NULL, 0, "others") };
	struct mail_split split = split_of(s, 2);
	struct mail_part *part;

	(void)state;
	s[1].script = STR_LIT("Other");
	configure("maintenance daily 11:00-12:30 script MailQueue\n"
	    "quiet default daily 12:15-13:00 except critical\n"
	    "grace 5m\n");
	assert_int_equal(compose_split(&split, &arena, &part), 2);
	assert_int_equal(part[0].nsection, 1);
	assert_int_equal(part[0].section[0].nchange, 0);
	/* maintenance ends in quiet hours */
	assert_true(part[0].after == NOON - 5 + 3600);
	assert_int_equal(part[1].section[0].nchange, 1);
	assert_int_equal(part[1].section[0].lines.n, 0);
	assert_int_equal(part[1].section[1].lines.n, 6);
	assert_true(part[1].after == 0);
	split.uptime = 100;
	assert_int_equal(compose_split(&split, &arena, &part), 2);
	assert_int_equal(part[0].nsection, 2);
	configure("grace 5m\n");
	assert_int_equal(compose_split(&split, &arena, &part), 2);
	assert_true(part[0].after == NOON + 200);
	assert_true(part[1].after == 0);
	assert_int_equal(part[1].nsection, 1);
}

/* --- digests and JSON --- */

static void
test_digest(void **state)
{
	static const struct digest_item item[] = {
		{ NOON, LEVEL_ERROR, TXT("PIKT Alert on moscow: A"),
		    TXT("  body of A\n"),
		    TXT("{\"scripts\":[{\"script\":\"S\"}],\"changes\":[]}") },
		{ NOON + 3600, LEVEL_URGENT, TXT("B\r\nBcc: x"),
		    TXT("  body of B\n"),
		    TXT("{\"changes\":[{\"id\":\"1\"},{\"id\":\"2\"}]}") },
		{ NOON + 7200, LEVEL_ERROR, TXT("C"), TXT("  body of C\n"),
		    TXT("no JSON") },
	};
	struct mail m = mail_of(NULL, 0);
	struct buf subject, body, message, json;
	struct digest_item *many;
	const char *p, *a, *b, *c;
	char *big;
	json_t *o;
	size_t i;

	(void)state;
	buf_init(&subject, &mem);
	buf_init(&body, &mem);
	buf_init(&message, &mem);
	buf_init(&json, &mem);
	m.alert = STR_EMPTY;
	compose_digest(&m, STR_LIT("more than 2 mails\nan hour"), item, 3,
	    &subject, &body, &message, &json);
	assert_string_equal(buf_c(&subject), "PIKT Alert on moscow: 3 alerts");
	p = strstr(buf_c(&body), "moscow\n");
	assert_non_null(p);
	assert_string_equal(p + 7,
	    "\n"
	    "    3 alerts in one mail: more than 2 mails\\nan hour\n"
	    "\n"
	    "    Tue Nov 24 12:00:05 2026  PIKT Alert on moscow: A\n"
	    "    Tue Nov 24 13:00:05 2026  B\\x0d\\nBcc: x\n"
	    "    Tue Nov 24 14:00:05 2026  C\n"
	    "\n"
	    "    ----------------------------------------\n\n"
	    "  body of B\n"
	    "\n"
	    "    ----------------------------------------\n\n"
	    "  body of A\n"
	    "\n"
	    "    ----------------------------------------\n\n"
	    "  body of C\n");
	buf_c(&message);
	assert_non_null(strstr(message.p, "\nX-Picket-Level: urgent\n"));
	assert_non_null(strstr(message.p, "\nSubject: PIKT Alert on moscow: 3 "
	    "alerts\n"));
	assert_non_null(strstr(message.p, "\nMessage-ID: <r2.1@moscow>\n"));
	o = json_loadb(json.p, json.n, 0, NULL);
	assert_non_null(o);
	assert_int_equal(json_array_size(json_object_get(o, "changes")), 2);
	assert_int_equal(json_array_size(json_object_get(o, "scripts")), 1);
	assert_string_equal(json_string_value(json_object_get(o, "level")),
	    "urgent");
	json_decref(o);

	/* too much: the worst is there, the table counts all */
	big = malloc(LIM_MAIL_TEXT);
	many = calloc(1200, sizeof *many);
	assert_true(big != NULL && many != NULL);
	memset(big, '.', LIM_MAIL_TEXT);
	for (i = 0; i < 1200; i++)
		many[i] = item[i == 1100 ? 1 : 0];
	for (i = 0; i < 4; i++)
		many[i].body = str_of(big, LIM_MAIL_TEXT / 2);
	many[5].body = str_of(big, LIM_MAIL_TEXT + 1);
	buf_clear(&subject);
	buf_clear(&body);
	buf_clear(&message);
	buf_clear(&json);
	m.alert = STR_LIT("Urgent");
	compose_digest(&m, STR_LIT("x"), many, 1200, &subject, &body, &message,
	    &json);
	assert_string_equal(buf_c(&subject), "PIKT Alert on moscow: Urgent, "
	    "1200 alerts");
	buf_c(&body);
	a = strstr(body.p, "    [and 200 more]\n");
	b = strstr(body.p, "  body of B\n");
	c = strstr(body.p, "....");
	assert_true(a != NULL && b != NULL && c != NULL && a < b && b < c);
	assert_non_null(strstr(body.p, "    [4 more are too long to be shown "
	    "here]\n"));
	assert_true(body.n < 2 * LIM_MAIL_TEXT);
	free(big);
	free(many);
	buf_free(&subject);
	buf_free(&body);
	buf_free(&message);
	buf_free(&json);
}

static void
check_text(const json_t *o, const char *name, const char *want)
{
	const json_t *v = json_object_get(o, name);

	if (want == NULL) {
		assert_null(v);
		return;
	}
	assert_true(json_is_string(v));
	assert_string_equal(json_string_value(v), want);
}

static void
test_json(void **state)
{
	struct incident in = incident("mx\xff:a", LEVEL_CRITICAL);
	struct change c = change(&in, NOTICE_STILL, NOON + 3600);
	struct mail_section s[2] = { section(&c, 1, ""),
	    section(NULL, 0, "a \"line\"\n\x01") };
	struct mail m = mail_of(s, 2);
	json_t *o, *list, *e;
	struct buf b;

	(void)state;
	buf_init(&b, &mem);
	in.evidence = STR_EMPTY;
	in.remind = 14400;
	s[1].error = STR_LIT("died");
	notice_json(&m, STR_LIT("BODY\n"), &b);
	o = json_loadb(b.p, b.n, 0, NULL);
	assert_non_null(o);
	check_text(o, "id", "r2.1@moscow");
	check_text(o, "run", "r2");
	check_text(o, "host", "moscow");
	check_text(o, "alert", "Urgent");
	check_text(o, "level", "critical");
	check_text(o, "subject", "PIKT Alert on moscow: Urgent");
	check_text(o, "text", "BODY\n");
	assert_true(json_number_value(json_object_get(o, "time")) == NOON);
	list = json_object_get(o, "scripts");
	assert_int_equal(json_array_size(list), 1);
	e = json_array_get(list, 0);
	check_text(e, "script", "MailQueue");
	check_text(e, "level", "warning");
	check_text(e, "lines", "a \"line\"\n\x01");
	check_text(e, "error", "died");
	check_text(e, "interrupted", NULL);
	list = json_object_get(o, "changes");
	assert_int_equal(json_array_size(list), 1);
	e = json_array_get(list, 0);
	check_text(e, "what", "still firing");
	check_text(e, "says", "still firing, 1h");
	check_text(e, "key", "mx\\xff:a");
	check_text(e, "level", "critical");
	check_text(e, "message", "MX moscow has many queued messages: 5210");
	check_text(e, "evidence", NULL);
	check_text(e, "place", "mx.pikt:14");
	check_text(e, "thread", "r1.1@moscow");
	assert_true(json_number_value(json_object_get(e, "fired")) == NOON);
	assert_true(json_number_value(json_object_get(e, "ended")) == 0);
	assert_true(json_number_value(json_object_get(e, "remind")) == 14400);
	json_decref(o);
	/* nothing at all is a notice too */
	buf_clear(&b);
	m.nsection = 0;
	notice_json(&m, STR_EMPTY, &b);
	o = json_loadb(b.p, b.n, 0, NULL);
	assert_true(json_is_array(json_object_get(o, "changes")));
	assert_true(json_is_array(json_object_get(o, "scripts")));
	json_decref(o);
	buf_free(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_onset),
		cmocka_unit_test(test_other_kinds),
		cmocka_unit_test(test_key_is_no_pattern),
		cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_interrupted),
		cmocka_unit_test(test_thread),
		cmocka_unit_test(test_split),
		cmocka_unit_test(test_split_holds),
		cmocka_unit_test(test_digest),
		cmocka_unit_test(test_json),
	};
	int failed;

	setenv("TZ", "UTC", 1);
	tzset();
	mem_init(&mem, (size_t)256 << 20, NULL);
	arena_init(&arena, &mem, 4096);
	buf_init(&made, &mem);
	buf_init(&errors, &mem);
	cmocka_set_message_output(CM_OUTPUT_TAP);
	failed = cmocka_run_group_tests_name("notice", tests, NULL, NULL);
	buf_free(&made);
	buf_free(&errors);
	arena_free(&arena);
	return failed;
}
