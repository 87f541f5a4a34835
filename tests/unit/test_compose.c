/* compose, encode: the mail byte for byte, and what data cannot do to it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "engine/deliver/compose.h"
#include "engine/deliver/encode.h"

#define LONG_LINE	5000

#define TXT(s)		{ (s), sizeof(s) - 1 }
#define NO_MORE		NULL, 0, false, TXT("")

static struct mem mem;
static const struct str to_one[] = { TXT("systems@example.org") };

/* operations.md, Mail: the 25th of April 2000, 00:17:02 in Chicago. */
static const struct mail_section example[] = {
	{ LEVEL_URGENT, TXT("ProcNumChkUrgent"),
	    TXT("Report unusually high numbers of per-user procs."),
	    TXT("404 groucho imapd\n"
	      "saved user mail file as /var/mail/arc/groucho.956639822\n"
	      "killed all groucho imapd processes\n"), TXT(""), NO_MORE },
};

static struct mail
mail_of(const struct mail_section *s, size_t n)
{
	return (struct mail){
		.host = STR_LIT("moscow"), .alert = STR_LIT("Urgent"),
		.run_id = STR_LIT("956639822-4711"), .when = 956639822,
		.from = STR_LIT("picket@moscow"), .to = to_one, .nto = 1,
		.subject = STR_LIT("PIKT Alert on %h: %a"),
		.section = s, .nsection = n,
	};
}

static void
assert_text(struct buf *b, const char *want)
{
	assert_string_equal(buf_c(b), want);
	assert_int_equal(b->n, strlen(want));
}

/* The body, as a C string that the next call frees. */
static struct buf made;

static const char *
body_of(const struct mail *m)
{
	buf_free(&made);
	compose_body(m, &made);
	return buf_c(&made);
}

static const char *
message_of(const struct mail *m)
{
	struct buf body;

	buf_init(&body, &mem);
	compose_body(m, &body);
	buf_free(&made);
	compose_message(m, buf_view(&body), &made);
	buf_free(&body);
	return buf_c(&made);
}

/* The value of a header of the message made last; unfolded it is not. */
static const char *
header(const char *name)
{
	static char value[2000];
	const char *p = made.p, *end;
	size_t n = strlen(name);

	for (; *p != '\n' && *p != '\0'; p = strchr(p, '\n') + 1) {
		if (strncmp(p, name, n) != 0 || p[n] != ':')
			continue;
		for (end = strchr(p, '\n'); end[1] == ' ';)
			end = strchr(end + 1, '\n');
		n = (size_t)(end - p) - n - 2;
		assert_true(n < sizeof value);
		memcpy(value, end - n, n);
		value[n] = '\0';
		return value;
	}
	return NULL;
}

static void
test_example(void **state)
{
	struct mail m = mail_of(example, 1);
	struct buf b;

	(void)state;
	/* 32, 25 and 34 blanks: (COMPOSE_WIDTH - columns) / 2 */
	assert_string_equal(body_of(&m),
	    "                                PIKT ALERT\n"
	    "                         Tue Apr 25 00:17:02 2000\n"
	    "                                  moscow\n"
	    "\n"
	    "URGENT:\n"
	    "    ProcNumChkUrgent\n"
	    "        Report unusually high numbers of per-user procs.\n"
	    "\n"
	    "        404 groucho imapd\n"
	    "        saved user mail file as /var/mail/arc/groucho.956639822\n"
	    "        killed all groucho imapd processes\n");
	assert_string_equal(message_of(&m),
	    "From: picket@moscow\n"
	    "To: systems@example.org\n"
	    "Subject: PIKT Alert on moscow: Urgent\n"
	    "Date: Tue, 25 Apr 2000 00:17:02 -0500\n"
	    "Message-ID: <956639822-4711.picket@moscow>\n"
	    "MIME-Version: 1.0\n"
	    "Content-Type: text/plain; charset=utf-8\n"
	    "Content-Transfer-Encoding: 7bit\n"
	    "Auto-Submitted: auto-generated\n"
	    "X-Picket-Host: moscow\n"
	    "X-Picket-Alert: Urgent\n"
	    "X-Picket-Level: urgent\n"
	    "X-Picket-Run: 956639822-4711\n"
	    "\n"
	    "                                PIKT ALERT\n"
	    "                         Tue Apr 25 00:17:02 2000\n"
	    "                                  moscow\n"
	    "\n"
	    "URGENT:\n"
	    "    ProcNumChkUrgent\n"
	    "        Report unusually high numbers of per-user procs.\n"
	    "\n"
	    "        404 groucho imapd\n"
	    "        saved user mail file as /var/mail/arc/groucho.956639822\n"
	    "        killed all groucho imapd processes\n");
	buf_init(&b, &mem);
	compose_readable(&m, STR_LIT("BODY\n"), &b);
	assert_text(&b, "To: systems@example.org\n"
	    "Subject: PIKT Alert on moscow: Urgent\n\nBODY\n");
	buf_free(&b);
}

static void
test_layout(void **state)
{
	static const struct mail_section s[] = {
		{ LEVEL_NOTICE, TXT("One"), TXT(""),
		    TXT("a\n\n\tb\tc"), TXT(""), NO_MORE },
		{ LEVEL_NOTICE, TXT("Silent"), TXT("never shown"),
		    TXT(""), TXT(""), NO_MORE },
		{ LEVEL_EMERGENCY, TXT("Two"), TXT("Second."),
		    TXT("x\n"), TXT("input ended: exit status 127"), NO_MORE },
		{ LEVEL_DEBUG, TXT("Mute"), TXT(""), TXT(""), TXT(""), NO_MORE },
		{ LEVEL_NOTICE, TXT("Three"), TXT("Third."),
		    TXT(""), TXT("deadline\nof 5m"), NO_MORE },
	};
	struct mail m = mail_of(s, 5);

	(void)state;
	m.host = STR_LIT("rouen");	/* odd: the half column goes left */
	m.when = 1012272559;
	assert_string_equal(body_of(&m),
	    "                                PIKT ALERT\n"
	    "                         Mon Jan 28 20:49:19 2002\n"
	    "                                  rouen\n"
	    "\n"
	    "EMERGENCY:\n"
	    "    Two\n"
	    "        Second.\n"
	    "\n"
	    "        x\n"
	    "        ERROR: input ended: exit status 127\n"
	    "\n"
	    "NOTICE:\n"
	    "    One\n"
	    "\n"
	    "        a\n"
	    "\n"
	    "        \tb\tc\n"
	    "\n"
	    "    Three\n"
	    "        Third.\n"
	    "\n"
	    "        ERROR: deadline\\nof 5m\n");
	assert_true(compose_speaks(&m));
	message_of(&m);
	assert_string_equal(header("X-Picket-Level"), "emergency");
	m = mail_of(s + 1, 1);
	assert_false(compose_speaks(&m));
	m = mail_of(s, 0);
	assert_false(compose_speaks(&m));
}

static void
test_dates(void **state)
{
	char t[TIME_TEXT_MAX];

	(void)state;
	encode_ctime(955000000, t);		/* one digit: a blank, as ctime */
	assert_string_equal(t, "Thu Apr  6 00:46:40 2000");
	encode_date(955000000, t);
	assert_string_equal(t, "Thu, 6 Apr 2000 00:46:40 -0500");
	encode_date(1700000000, t);		/* winter */
	assert_string_equal(t, "Tue, 14 Nov 2023 16:13:20 -0600");
	setenv("TZ", "XXX-5:45", 1);
	tzset();
	encode_date(1700000000, t);
	assert_string_equal(t, "Wed, 15 Nov 2023 03:58:20 +0545");
	encode_ctime((time_t)INT64_MAX, t);
	assert_string_equal(t, "Thu Jan  1 00:00:00 1970");
	setenv("TZ", "CST6CDT", 1);
	tzset();
}

static void
test_injection(void **state)
{
	static const struct mail_section s[] = {
		{ LEVEL_ERROR, TXT("Na\nme"), TXT("ta\r\nsk"),
		    TXT("l\rine\n.\n~!reboot\nFrom you\nnul\0\x1b[2J\n"),
		    TXT("e\r\n.\r\nQUIT"), NO_MORE },
	};
	struct mail m = mail_of(s, 1);
	const char *p;

	(void)state;
	m.host = STR_LIT("h\r\nBcc: all@example.org\r\n\r\nbody");
	m.alert = STR_LIT("a\nX-Evil: 1\r\n.\r\n\0z");
	m.run_id = STR_LIT("r>\r\nX: y\n<a b@c..d.");
	m.subject = STR_LIT("%h\n%a %% %x %");
	p = message_of(&m);
	assert_string_equal(header("Subject"),
	    "h\\x0d\\nBcc: all@example.org\\x0d\\n\\x0d\\nbody\\n"
	    "a\\nX-Evil: 1\\x0d\\n.\\x0d\\n\\x00z % %x %");
	assert_string_equal(header("X-Picket-Host"),
	    "h\\x0d\\nBcc: all@example.org\\x0d\\n\\x0d\\nbody");
	assert_string_equal(header("X-Picket-Alert"),
	    "a\\nX-Evil: 1\\x0d\\n.\\x0d\\n\\x00z");
	assert_string_equal(header("Message-ID"),
	    "<r---X--y--a-b-c.-d-.picket@h--Bcc--all-example.org----body>");
	assert_null(header("Bcc"));
	assert_null(header("X-Evil"));
	assert_null(header("X"));
	assert_null(strchr(p, '\r'));
	assert_int_equal(strlen(p), made.n);
	/* no line of data in column one */
	assert_string_equal(strstr(p, "\nERROR:\n"),
	    "\nERROR:\n"
	    "    Na\\nme\n"
	    "        ta\\x0d\\nsk\n"
	    "\n"
	    "        l\\x0dine\n"
	    "        .\n"
	    "        ~!reboot\n"
	    "        From you\n"
	    "        nul\\x00\\x1b[2J\n"
	    "        ERROR: e\\x0d\\n.\\x0d\\nQUIT\n");
}

static void
test_long_names(void **state)
{
	struct mail m = mail_of(example, 1);
	char name[LONG_LINE + 1];
	const char *p;
	size_t n;

	(void)state;
	memset(name, '\x01', LONG_LINE);
	m.host = m.alert = m.run_id = str_of(name, LONG_LINE);
	for (p = message_of(&m); *p != '\0'; p += n + 1) {
		n = strcspn(p, "\n");
		assert_true(n <= LIM_MAIL_LINE);
	}
	/* a head too wide to centre still has a blank in front */
	memset(name, '~', LONG_LINE);
	m = mail_of(example, 1);
	m.host = str_of(name, COMPOSE_WIDTH + 1);
	assert_non_null(strstr(body_of(&m), "\n ~~~"));
}

static void
test_encoded_words(void **state)
{
	static const struct {
		const char *in, *out;
	} row[] = {
		{ "plain", "S: plain\n" },
		{ "", "S: \n" },
		{ "a=?b?=", "S: =?utf-8?Q?a=3D=3Fb=3F=3D?=\n" },
		{ "Z\xc3\xbcrich 50 %", "S: =?utf-8?Q?Z=C3=BCrich_50_=25?=\n" },
		/* folded between characters, never inside one, at 75 */
		{ "\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac"
		  "\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac",
		  "S: =?utf-8?Q?=E2=82=AC=E2=82=AC=E2=82=AC=E2=82=AC=E2=82=AC"
		  "=E2=82=AC?=\n"
		  " =?utf-8?Q?=E2=82=AC=E2=82=AC?=\n" },
	};
	struct buf b;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof row / sizeof *row; i++) {
		buf_init(&b, &mem);
		encode_header(&b, "S", str_c(row[i].in));
		assert_text(&b, row[i].out);
		buf_free(&b);
	}
}

static void
test_recipients(void **state)
{
	static const struct str to[] = { TXT("first.person@example.org"),
	    TXT("second.person@example.org"),
	    TXT("third.person@example.org"), TXT("root") };
	struct mail m = mail_of(example, 1);

	(void)state;
	m.to = to;
	m.nto = 4;
	message_of(&m);
	assert_string_equal(header("To"),
	    "first.person@example.org, second.person@example.org,\n"
	    " third.person@example.org, root");
	m.nto = 0;
	message_of(&m);
	assert_string_equal(header("To"), "undisclosed-recipients:;");
}

static int
hex_of(char c)
{
	const char *p = c == '\0' ? NULL : strchr("0123456789ABCDEF", c);

	assert_non_null(p);
	return (int)(p - "0123456789ABCDEF");
}

/* A decoder that shares nothing with the encoder but the RFC. */
static void
decode(const char *p, struct buf *out)
{
	size_t n;

	for (; *p != '\0'; p += *p == '\n') {
		n = strcspn(p, "\n");
		assert_true(n <= 76);
		assert_true(n == 0 || (p[n - 1] != ' ' && p[n - 1] != '\t'));
		assert_true(p[0] != '.');
		assert_true(strncmp(p, "From ", 5) != 0);
		for (; *p != '\n' && *p != '\0'; p++) {
			if (*p != '=')
				buf_putc(out, *p);
			else if (p[1] == '\n')
				break;
			else {
				buf_putc(out, (char)(hex_of(p[1]) << 4 |
				    hex_of(p[2])));
				p += 2;
			}
		}
		if (*p == '\n')
			buf_putc(out, '\n');
		else if (*p == '=')
			p++;
	}
}

static void
test_quoted_printable(void **state)
{
	static const struct {
		const char *in, *out;
	} row[] = {
		{ "a=b\n", "a=3Db\n" },
		{ "end \nend\t\n \n", "end=20\nend=09\n=20\n" },
		{ ".\n..\nFrom me\nFrom\n", "=2E\n=2E.\n=46rom me\nFrom\n" },
		{ "Z\xc3\xbc\n", "Z=C3=BC\n" },
		{ "", "" }, { "\n\n", "\n\n" }, { "no end", "no end" },
	};
	struct buf b, text, again;
	unsigned seed = 1;
	size_t i;
	int turn;

	(void)state;
	for (i = 0; i < sizeof row / sizeof *row; i++) {
		buf_init(&b, &mem);
		encode_quoted_printable(&b, str_c(row[i].in));
		assert_text(&b, row[i].out);
		buf_free(&b);
	}
	buf_init(&b, &mem);
	buf_init(&text, &mem);
	buf_init(&again, &mem);
	for (turn = 0; turn < 2000; turn++) {
		buf_clear(&text);
		buf_clear(&b);
		buf_clear(&again);
		for (i = 0; i < (size_t)turn; i++) {
			seed = seed * 1103515245 + 12345;
			buf_putc(&text, "a.. =\n\tFrom \xc3\xbc"
			    "zzzzzzzz................"[seed >> 16 & 31]);
		}
		encode_quoted_printable(&b, buf_view(&text));
		decode(buf_c(&b), &again);
		assert_int_equal(again.n, text.n);
		assert_memory_equal(buf_c(&again), buf_c(&text), text.n);
	}
	buf_free(&b);
	buf_free(&text);
	buf_free(&again);
}

static void
test_transfer(void **state)
{
	char line[LONG_LINE];
	struct mail_section s = { LEVEL_INFO, STR_LIT("S"), STR_EMPTY,
	    STR_LIT("gr\xc3\xbc\xc3\x9f" "e\n"), STR_EMPTY, NO_MORE };
	struct mail m = mail_of(&s, 1);
	struct buf text;
	const char *p;

	(void)state;
	p = message_of(&m);
	assert_string_equal(header("Content-Transfer-Encoding"), "8bit");
	assert_non_null(strstr(p, "        gr\xc3\xbc\xc3\x9f" "e\n"));
	/* bytes that are not UTF-8, and characters that terminals obey */
	s.lines = STR_LIT("\xff\xc3(\xc0\xaf\xed\xa0\x80\xc2\x9b\n");
	p = message_of(&m);
	assert_string_equal(header("Content-Transfer-Encoding"), "7bit");
	assert_non_null(strstr(p, "        \\xff\\xc3(\\xc0\\xaf\\xed\\xa0\\x80"
	    "\\xc2\\x9b\n"));
	/* 8 of indent make the line one byte too long */
	memset(line, 'x', sizeof line);
	s.lines = str_of(line, LIM_MAIL_LINE - 8);
	message_of(&m);
	assert_string_equal(header("Content-Transfer-Encoding"), "7bit");
	s.lines.n++;
	message_of(&m);
	assert_string_equal(header("Content-Transfer-Encoding"),
	    "quoted-printable");
	s.lines.n = sizeof line;
	p = message_of(&m);
	buf_init(&text, &mem);
	decode(strstr(p, "\n\n") + 2, &text);
	assert_string_equal(buf_c(&text), body_of(&m));
	p = strstr(made.p, "xxx");
	assert_int_equal(strspn(p, "x"), LONG_LINE);
	buf_free(&text);
}

/* Nobody's output may make the mail too large to be taken. */
static void
test_size(void **state)
{
	size_t n = (size_t)3 * LIM_MAIL_TEXT, i;
	char *much = malloc(n);
	struct mail_section s[2] = {
		{ LEVEL_INFO, STR_LIT("Loud"), STR_EMPTY, STR_EMPTY,
		    STR_LIT("killed"), NO_MORE },
		{ LEVEL_INFO, STR_LIT("Quiet"), STR_EMPTY,
		    STR_LIT("heard all the same\n"), STR_EMPTY, NO_MORE },
	};
	struct mail m = mail_of(s, 2);
	const char *p, *from;

	(void)state;
	assert_non_null(much);
	for (i = 0; i < n; i++)
		much[i] = i % 10 == 9 ? '\n' : 'x';
	s[0].lines = str_of(much, n);
	p = from = body_of(&m);
	/* with their indentation they are as long as they may be */
	p = strstr(p, "        xxxxxxxxx\n        [");
	assert_non_null(p);
	assert_in_range(p + 18 - from, LIM_MAIL_TEXT / 2 - 100,
	    LIM_MAIL_TEXT / 2 + 1000);
	assert_non_null(strstr(p, " bytes, are not shown]\n        ERROR: "
	    "killed\n\n    Quiet\n"));
	assert_non_null(strstr(p, "heard all the same\n"));
	memset(much, 'y', n);
	s[0].lines = str_of(much, n);
	p = strstr(body_of(&m), "yyy");
	assert_non_null(p);
	i = strspn(p, "y");
	assert_int_equal(i, LIM_MAIL_TEXT / 2);
	assert_memory_equal(p + i, "...\n        ERROR: killed\n", 26);
	free(much);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_example),
		cmocka_unit_test(test_layout),
		cmocka_unit_test(test_dates),
		cmocka_unit_test(test_injection),
		cmocka_unit_test(test_long_names),
		cmocka_unit_test(test_encoded_words),
		cmocka_unit_test(test_recipients),
		cmocka_unit_test(test_quoted_printable),
		cmocka_unit_test(test_transfer),
		cmocka_unit_test(test_size),
	};
	int failed;

	setenv("TZ", "CST6CDT", 1);
	tzset();
	mem_init(&mem, (size_t)64 << 20, NULL);
	buf_init(&made, &mem);
	cmocka_set_message_output(CM_OUTPUT_TAP);
	failed = cmocka_run_group_tests_name("compose", tests, NULL, NULL);
	buf_free(&made);
	return failed;
}
