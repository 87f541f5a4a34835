/* conf, words, transport, address, trust: what picket.conf may say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "engine/deliver/address.h"
#include "engine/deliver/conf.h"
#include "engine/deliver/trust.h"
#include "engine/deliver/words.h"

#define FOLDER_MAX	200

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
assert_str(struct str s, const char *want)
{
	assert_int_equal(s.n, strlen(want));
	assert_memory_equal(s.p, want, s.n);
}

static void
test_defaults(void **state)
{
	struct utsname un;
	char sender[300];

	(void)state;
	assert_string_equal(parse("# nothing\n\n  // at all\r\n"), "");
	assert_int_equal(conf.nmailto, 1);
	assert_str(conf.mailto[0], "root");
	assert_str(conf.value[CONF_SUBJECT], "PIKT Alert on %h: %a");
	assert_str(conf.value[CONF_LOGDIR], "/var/log/picket");
	assert_int_equal(uname(&un), 0);
	assert_str(conf.value[CONF_HOSTNAME], un.nodename);
	snprintf(sender, sizeof sender, "picket@%s", un.nodename);
	assert_str(conf.value[CONF_MAILFROM],
	    address_fault(str_c(sender)) == NULL ? sender : "root");
	if (access(CONF_SENDMAIL_PATH, X_OK) == 0) {
		assert_int_equal(conf.ntransport, 1);
		assert_int_equal(conf.transport[0].kind, TRANSPORT_SENDMAIL);
		assert_str(conf.transport[0].target, CONF_SENDMAIL_PATH);
		assert_true(conf.transport[0].timeout > 59);
	} else
		assert_int_equal(conf.ntransport, 0);
}

static void
test_values(void **state)
{
	(void)state;
	assert_string_equal(parse(
	    "mailto   a@example.org, b@example.org,c@example.org\n"
	    "mailto   \"odd, one\"@example.org	// hm\n"), "picket.conf:2: "
	    "error: a blank must follow a closing quote\n");
	assert_string_equal(parse(
	    "mailto   a@example.org, b@example.org,c@example.org\r\n"
	    "mailto   \"\\\"odd, one\\\"@example.org\" # quoted twice\n"
	    "hostname mail7.example.org\n"
	    "subject  \"%a on %h: \\\"now\\\" \\n C:\\\\ # // \"\n"
	    "logdir\t/tmp/a#b//c	# a comment\n"
	    "path     /bin:/usr/bin\n"
	    "mailcmd  \"=mailx -s 'x y' a\\@b\"\n"
	    "smtp     mail.example.org:587 user picket passfile /no/such "
	    "timeout 2m30s\n"
	    "sendmail /usr/sbin/sendmail timeout 5s\n"
	    "file     \"/var/mail/all alerts\"\n"), "");
	assert_int_equal(conf.nmailto, 4);
	assert_str(conf.mailto[0], "a@example.org");
	assert_str(conf.mailto[1], "b@example.org");
	assert_str(conf.mailto[2], "c@example.org");
	assert_str(conf.mailto[3], "\"odd, one\"@example.org");
	assert_str(conf.value[CONF_SUBJECT], "%a on %h: \"now\" \\n C:\\ # // ");
	assert_str(conf.value[CONF_LOGDIR], "/tmp/a#b//c");
	assert_str(conf.value[CONF_MAILFROM], "picket@mail7.example.org");
	assert_int_equal(conf.line[CONF_SUBJECT], 4);
	assert_int_equal(conf.line[CONF_MAILFROM], 0);
	assert_int_equal(conf.ntransport, 4);
	assert_int_equal(conf.transport[0].kind, TRANSPORT_MAILCMD);
	assert_str(conf.transport[0].target, "=mailx -s 'x y' a\\@b");
	assert_int_equal(conf.transport[1].kind, TRANSPORT_SMTP);
	assert_int_equal(conf.transport[1].port, 587);
	assert_int_equal(conf.transport[1].tls, SMTP_STARTTLS);
	assert_true(conf.transport[1].timeout == 150);
	assert_int_equal(conf.transport[2].line, 9);
	assert_str(conf.transport[3].target, "/var/mail/all alerts");
}

static void
test_protect(void **state)
{
	char text[LIM_CONF_PROTECT * 8 + 100];
	size_t i, n = 0;

	(void)state;
	assert_string_equal(parse("mailto root\n"), "");
	assert_int_equal(conf.nprotect, 0);
	assert_string_equal(parse("protect sshd postfix* user:clamav\n"
	    "protect unit:ssh \"my daemon\"\n"), "");
	assert_int_equal(conf.nprotect, 5);
	assert_str(conf.protect[0], "sshd");
	assert_str(conf.protect[2], "user:clamav");
	assert_str(conf.protect[4], "my daemon");
	assert_string_equal(parse("protect\n"), "picket.conf:1: error: a value "
	    "must follow \"protect\"\n");
	assert_string_equal(parse("protect /usr/sbin/sshd\n"),
	    "picket.conf:1: error: no name that can be protected: "
	    "\"/usr/sbin/sshd\"; a command's is without its folder\n");
	assert_string_equal(parse("protect users:x\n"), "picket.conf:1: "
	    "error: protect has user:NAME, unit:NAME and names of commands, "
	    "not \"users:x\"\n");
	assert_string_equal(parse("protect user:\n"), "picket.conf:1: error: "
	    "no name that can be protected: \"user:\"; a command's is "
	    "without its folder\n");
	for (i = 0; i < LIM_CONF_PROTECT + 1; i++)
		n += (size_t)snprintf(text + n, sizeof text - n, "%s%zu%s",
		    i % 10 == 0 ? "protect " : "", i, i % 10 == 9 ? "\n" :
		    " ");
	assert_string_equal(parse(text), "picket.conf:21: error: too many "
	    "names; a pattern stands for several\n");
}

static void
test_daemon(void **state)
{
	(void)state;
	assert_string_equal(parse(""), "");
	assert_true(str_none(conf.value[CONF_LOG]));
	assert_true(str_none(conf.value[CONF_CONTROL]));
	assert_string_equal(parse("log syslog debug\ncontrol group adm\n"),
	    "");
	assert_str(conf.value[CONF_LOG], "syslog debug");
	assert_str(conf.value[CONF_CONTROL], "adm");
	assert_string_equal(parse("log \"/var/log/a b.log\""), "");
	assert_str(conf.value[CONF_LOG], "/var/log/a b.log");
}

static void
test_wrong(void **state)
{
	static const struct {
		const char *line, *what;
	} row[] = {
		{ "mailtoo root", "unknown keyword \"mailtoo\"; did you mean "
		    "\"mailto\"?" },
		{ "loggdir /x", "unknown keyword \"loggdir\"; did you mean "
		    "\"logdir\"?" },
		{ "Mailto root", "unknown keyword \"Mailto\"; did you mean "
		    "\"mailto\"?" },
		{ "smpt x", "unknown keyword \"smpt\"; did you mean "
		    "\"smtp\"?" },
		{ "bad x", "unknown keyword \"bad\"" },
		{ "frobnicate yes", "unknown keyword \"frobnicate\"" },
		{ "\x1b[2J x", "control character" },
		{ "b\xff x", "unknown keyword \"b\\xff\"" },
		{ "mailto", "a value must follow \"mailto\"" },
		{ "\357\273\277mailto root", "this is a byte order mark: save "
		    "the file without it" },
		{ "subject a b", "one value only after \"subject\"; quote a "
		    "text that holds blanks" },
		{ "subject \"a", "quote is never closed" },
		{ "subject a\"b\"", "a quote may only begin a word" },
		{ "subject x\nsubject y", NULL },
		{ "mailto -oQ/tmp", "mail address \"-oQ/tmp\" begins with "
		    "'-'" },
		{ "mailto |/bin/sh", "mail address \"|/bin/sh\" names a "
		    "program, file or option, not a person" },
		{ "mailto \"a b@c\"", "mail address \"a b@c\" is no address" },
		{ "mailfrom a@b@c", "mail address \"a@b@c\" has a bad host "
		    "part" },
		{ "hostname a..b", "no host name: \"a..b\"" },
		{ "hostname a/b", "no host name: \"a/b\"" },
		{ "logdir log", "the path must begin with /: \"log\"" },
		{ "path /bin:", "every folder of path must begin with /: "
		    "\"/bin:\"" },
		{ "path .:/bin", "every folder of path must begin with /: "
		    "\".:/bin\"" },
		{ "log", "syslog | journal | stderr | FILE [LEVEL] must follow "
		    "\"log\"" },
		{ "log sislog", "log is syslog, journal, stderr or a path that "
		    "begins with /, not \"sislog\"; did you mean "
		    "\"syslog\"?" },
		{ "log picketd.log", "log is syslog, journal, stderr or a path "
		    "that begins with /, not \"picketd.log\"" },
		{ "log /var/log/", "this is a folder, and log wants a file: "
		    "\"/var/log/\"" },
		{ "log syslog loud", "log's levels are error, warning, notice, "
		    "info and debug, not \"loud\"" },
		{ "log syslog warnings", "log's levels are error, warning, "
		    "notice, info and debug, not \"warnings\"; did you mean "
		    "\"warning\"?" },
		{ "log syslog info x", "unexpected \"x\"" },
		{ "http", "[ADDRESS:]PORT must follow \"http\"" },
		{ "http localhost:80", "http is a port, or an address and a "
		    "port: 127.0.0.1:7458, [::1]:7458, not "
		    "\"localhost:80\"" },
		{ "http ::1:80", "http is a port, or an address and a port: "
		    "127.0.0.1:7458, [::1]:7458, not \"::1:80\"" },
		{ "http 127.0.0.1:", "a port is a number from 1 to 65535, "
		    "not \"\"" },
		{ "http 65536", "a port is a number from 1 to 65535, not "
		    "\"65536\"" },
		{ "http 0", "a port is a number from 1 to 65535, not "
		    "\"0\"" },
		{ "http 80 90", "unexpected \"90\"" },
		{ "parallel 0", "parallel is a number from 1 to 64, not "
		    "\"0\"" },
		{ "parallel 2.5", "parallel is a number from 1 to 64, not "
		    "\"2.5\"" },
		{ "parallel 65", "parallel is a number from 1 to 64, not "
		    "\"65\"" },
		{ "control", "group NAME must follow \"control\"" },
		{ "control grup adm", "control is followed by group, not "
		    "\"grup\"; did you mean \"group\"?" },
		{ "control group", "the name of a group must follow "
		    "\"group\"" },
		{ "control group a b", "unexpected \"b\"" },
		{ "control group a:b", "no name of a group: \"a:b\"" },
		{ "control group \"\"", "no name of a group: \"\"" },
		{ "smtp", "smtp needs HOST[:PORT]" },
		{ "smtp a:0", "bad port in \"a:0\"" },
		{ "smtp a:65536", "bad port in \"a:65536\"" },
		{ "smtp a:1e3", "bad port in \"a:1e3\"" },
		{ "smtp a:", "bad port in \"a:\"" },
		{ "smtp [::1]25", "bad port in \"[::1]25\"" },
		{ "smtp [::g]", "smtp needs a host, HOST:PORT or [IPV6]:PORT, "
		    "not \"[::g]\"" },
		{ "smtp ::1", "smtp needs a host, HOST:PORT or [IPV6]:PORT, "
		    "not \"::1\"" },
		{ "smtp a@b", "smtp needs a host, HOST:PORT or [IPV6]:PORT, "
		    "not \"a@b\"" },
		{ "smtp a starttsl", "smtp has no option \"starttsl\"; did you "
		    "mean \"starttls\"?" },
		{ "file /x timeout 5s", "file has no option \"timeout\"" },
		{ "smtp a tls starttls", "only one of starttls, tls and plain "
		    "for \"a\"" },
		{ "smtp a tls tls", "given twice: \"tls\"" },
		{ "smtp a ca", "ca needs FILE" },
		{ "smtp a ca x.pem", "the path of ca must begin with /: "
		    "\"x.pem\"" },
		{ "smtp a user x", "user and passfile go together for \"a\"" },
		{ "smtp a passfile /x", "user and passfile go together for "
		    "\"a\"" },
		{ "smtp a plain user x passfile /x", "a password needs "
		    "starttls or tls on the way to \"a\"" },
		{ "smtp 127.evil.org plain user x passfile /x", "a password "
		    "needs starttls or tls on the way to \"127.evil.org\"" },
		{ "smtp localhost insecure", "without TLS there is no "
		    "certificate to check of \"localhost\"" },
		{ "smtp a timeout 0", "timeout must be from 1s to 1h, not "
		    "\"0\"" },
		{ "smtp a timeout soon", "timeout must be from 1s to 1h, not "
		    "\"soon\"" },
		{ "sendmail sendmail", "the path must begin with /: "
		    "\"sendmail\"" },
		{ "sendmail /usr/sbin/sendmail -t", "sendmail has no option "
		    "\"-t\"" },
		{ "mailcmd \"\"", "empty command \"\"" },
		{ "webhook", "webhook needs a URL or urlfile FILE" },
		{ "webhook https://a urlfile /x", "webhook needs only one of URL "
		    "or urlfile FILE" },
		{ "webhook ftp://a/SECRET", "a URL begins with https:// or "
		    "http://, not \"ftp://a/\"" },
		{ "webhook https://u:SECRET@a", "no user and no password in a "
		    "URL: the options user and passfile are for them, not \"\"" },
		{ "webhook https://", "a URL needs a host, not \"https://\"" },
		{ "webhook https://a:0/x", "a URL needs a host, not "
		    "\"https://a:0/\"" },
		{ "webhook \"https://a/b c\"", "a URL holds no blanks and no "
		    "characters but ASCII, not \"https://a/\"" },
		{ "webhook https://a/b#c", "no # in the URL of a request, not "
		    "\"https://a/\"" },
		{ "webhook https://a https://b", "webhook has no option "
		    "\"https://b\"" },
		{ "webhook https://a template slak", "unknown template "
		    "\"slak\"; did you mean \"slack\"?" },
		{ "webhook https://a template ntfy", "template ntfy needs to "
		    "NAME" },
		{ "webhook https://a to b", "template json has no use for to" },
		{ "webhook https://a template telegram to b", "template telegram "
		    "needs tokenfile FILE" },
		{ "webhook http://a/SECRET tokenfile /t", "a password or token "
		    "needs https on the way to \"http://a/\"" },
		{ "webhook https://a tokenfile t", "the path must begin with /: "
		    "\"t\"" },
		{ "alertmanager", "alertmanager needs URL..." },
		{ "alertmanager https://a resend 59s", "resend must be from 1m to "
		    "31d, not \"59s\"" },
		{ "pagerduty", "pagerduty needs keyfile FILE" },
		{ "syslog /x udp", "udp, tcp and tls need a host, not \"/x\"" },
		{ "syslog a@b", "syslog needs a host, HOST:PORT or [IPV6]:PORT, "
		    "not \"a@b\"" },
		{ "heartbeat https://a@b/c", "no user and no password in a URL: "
		    "the options user and passfile are for them \"\"" },
		{ "emergency", "[available PERCENT] [pressure PERCENT] must "
		    "follow \"emergency\"" },
		{ "emergency available 51%", "available must be from 1% to "
		    "50%, not \"51%\"" },
		{ "emergency available 10", "available must be from 1% to 50%, "
		    "not \"10\"" },
		{ "emergency pressure 0%", "pressure must be from 1% to 100%, "
		    "not \"0%\"" },
		{ "null maybe", "null is ok, retry, fail or slow, not "
		    "\"maybe\"" },
		{ "file /x name", "name needs NAME" },
		{ "file /x name \"\"", WORDS_NAME ", not \"\"" },
		{ "file /x name a/b", WORDS_NAME ", not \"a/b\"" },
		{ "file /x name -a", WORDS_NAME ", not \"-a\"" },
		{ "file /x name aaaaaaaaaabbbbbbbbbbccccccccccddddddddddE",
		    WORDS_NAME ", not "
		    "\"aaaaaaaaaabbbbbbbbbbccccccccccddddddddddE\"" },
		{ "file /x fallbck", "file has no option \"fallbck\"; did you "
		    "mean \"fallback\"?" },
		{ "smtp a alway", "smtp has no option \"alway\"; did you mean "
		    "\"always\"?" },
		{ "file /x always fallback", "only one of fallback and always "
		    "for \"/x\"" },
		{ "smtp a queued direct", "only one of direct and queued for "
		    "\"a\"" },
	};
	char want[300];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof row / sizeof *row; i++) {
		snprintf(want, sizeof want, "picket.conf:%d: error: %s\n",
		    row[i].what == NULL ? 2 : 1, row[i].what == NULL ?
		    "given twice: \"subject\"" : row[i].what);
		assert_string_equal(parse(row[i].line), want);
	}
	/* several at once, and no more than a person reads */
	assert_string_equal(parse("x 1\nsubject ok\ny 2\n"),
	    "picket.conf:1: error: unknown keyword \"x\"\n"
	    "picket.conf:3: error: unknown keyword \"y\"\n");
}

static void
test_limits(void **state)
{
	struct buf b;
	size_t i;

	(void)state;
	buf_init(&b, &mem);
	for (i = 0; i < LIM_CONF_ERRORS + 3; i++)
		buf_puts(&b, "bad line\n");
	assert_non_null(strstr(parse(buf_c(&b)), ":20: error: unknown keyword "
	    "\"bad\"\n3 more errors\n"));
	buf_clear(&b);
	for (i = 0; i < LIM_CONF_TRANSPORTS + 1; i++)
		buf_puts(&b, "file /x\n");
	assert_string_equal(parse(buf_c(&b)),
	    "picket.conf:17: error: too many transports\n");
	buf_clear(&b);
	for (i = 0; i < LIM_CONF_MAILTO + 1; i++)
		buf_puts(&b, "mailto x\n");
	assert_string_equal(parse(buf_c(&b)), "picket.conf:101: error: too "
	    "many addresses; make a mailing list\n");
	buf_clear(&b);
	buf_puts(&b, "mailto");
	for (i = 0; i < LIM_WORDS; i++)
		buf_puts(&b, " x");
	assert_string_equal(parse(buf_c(&b)),
	    "picket.conf:1: error: too many words in one line\n");
	for (i = 0; i < 2; i++) {	/* a URL of LIM_URL, and one more */
		buf_clear(&b);
		buf_puts(&b, "webhook https://a/");
		while (b.n < sizeof "webhook " - 1 + LIM_URL + i)
			buf_putc(&b, 'x');
		assert_string_equal(parse(buf_c(&b)), i == 0 ? "" :
		    "picket.conf:1: error: a URL this long is none, not "
		    "\"https://a/\"\n");
	}
	buf_free(&b);
}

static void
test_relays(void **state)
{
	static const struct {
		const char *in, *out, *label;
	} row[] = {
		{ "smtp mail.example.org",
		  "smtp mail.example.org:25 starttls timeout 60s",
		  "smtp:mail.example.org:25" },
		{ "smtp mail:465", "smtp mail:465 tls timeout 60s",
		  "smtp:mail:465" },
		{ "smtp mail tls", "smtp mail:465 tls timeout 60s",
		  "smtp:mail:465" },
		{ "smtp mail plain timeout 90", "smtp mail:25 plain timeout "
		  "90s", "smtp:mail:25" },
		{ "smtp localhost", "smtp localhost:25 plain timeout 60s",
		  "smtp:localhost:25" },
		{ "smtp 127.8.0.1:26", "smtp 127.8.0.1:26 plain timeout 60s",
		  "smtp:127.8.0.1:26" },
		{ "smtp [::1]", "smtp [::1]:25 plain timeout 60s",
		  "smtp:[::1]:25" },
		{ "smtp [fe80::1]:2525", "smtp [fe80::1]:2525 starttls "
		  "timeout 60s", "smtp:[fe80::1]:2525" },
		{ "smtp a ca /c user \"x \\\" y\" passfile /p insecure timeout "
		  "1.5s", "smtp a:25 starttls ca /c user \"x \\\" y\" passfile "
		  "/p insecure timeout 1.5s", "smtp:a:25" },
		{ "mailcmd \"a 'b' \\\"c\\\" \\\\n #d\"", "mailcmd \"a 'b' "
		  "\\\"c\\\" \\\\n #d\" timeout 60s", "mailcmd" },
		{ "mailcmd \"#x\"", "mailcmd \"#x\" timeout 60s", "mailcmd" },
		{ "file \"/a b\"", "file \"/a b\"", "file:/a_b" },
		{ "file /a direct always name x_1.y", "file /a name x_1.y always "
		  "direct", "x_1.y" },
		{ "sendmail /s timeout 5s queued fallback", "sendmail /s timeout "
		  "5s fallback queued", "sendmail:/s" },
		{ "sendmail /s", "sendmail /s timeout 60s", "sendmail:/s" },
		{ "webhook https://a.example.org/secret", "webhook "
		  "https://a.example.org/secret timeout 20s",
		  "webhook:a.example.org" },
		{ "webhook urlfile \"/a b\" timeout 5s template slack",
		  "webhook template slack urlfile \"/a b\" timeout 5s",
		  "webhook:/a_b" },
		{ "webhook http://[::1]:8080/x?k=v insecure name w ca /c",
		  "webhook http://[::1]:8080/x?k=v ca /c insecure timeout 20s "
		  "name w", "w" },
		{ "webhook https://m template matrix to \"!a b:c\" tokenfile /t",
		  "webhook https://m template matrix to \"!a b:c\" tokenfile "
		  "/t timeout 20s", "webhook:m" },
		{ "webhook http://127.0.0.1/ user u passfile /p",
		  "webhook http://127.0.0.1/ user u passfile /p timeout 20s",
		  "webhook:127.0.0.1" },
		{ "alertmanager http://a:1 https://b resend 90m",
		  "alertmanager http://a:1 https://b resend 90m timeout 20s",
		  "alertmanager:a:1" },
		{ "pagerduty keyfile /k always", "pagerduty keyfile /k timeout "
		  "20s always", "pagerduty" },
		{ "heartbeat https://h/x fail https://h/y", "heartbeat "
		  "https://h/x fail https://h/y timeout 20s", "heartbeat:h" },
		{ "syslog", "syslog /dev/log timeout 20s", "syslog:/dev/log" },
		{ "syslog h", "syslog h:514 timeout 20s", "syslog:h:514" },
		{ "syslog [::1] tls insecure", "syslog [::1]:6514 insecure tls "
		  "timeout 20s", "syslog:[::1]:6514" },
		{ "syslog h:99 tcp facility mail fallback", "syslog h:99 tcp "
		  "facility mail timeout 20s fallback", "syslog:h:99" },
		{ "syslog fallback", "syslog /dev/log timeout 20s fallback",
		  "syslog:/dev/log" },
		{ "journal", "journal /run/systemd/journal/socket",
		  "journal:/run/systemd/journal/socket" },
		{ "wall", "wall /usr/bin/wall timeout 20s",
		  "wall:/usr/bin/wall" },
		{ "null", "null ok", "null:ok" },
		{ "null fail name n", "null fail name n", "n" },
	};
	struct transport t, u;
	struct buf b, why;
	size_t i;

	(void)state;
	buf_init(&b, &mem);
	buf_init(&why, &mem);
	for (i = 0; i < sizeof row / sizeof *row; i++) {
		assert_true(transport_parse_line(&t, str_c(row[i].in), &arena,
		    &why));
		buf_clear(&b);
		transport_format(&t, &b);
		assert_string_equal(buf_c(&b), row[i].out);
		/* and what was written reads back as the same */
		assert_true(transport_parse_line(&u, buf_view(&b), &arena,
		    &why));
		buf_clear(&b);
		transport_format(&u, &b);
		assert_string_equal(buf_c(&b), row[i].out);
		buf_clear(&b);
		transport_label(&u, &b);
		assert_string_equal(buf_c(&b), row[i].label);
	}
	assert_false(transport_parse_line(&t, STR_LIT(""), &arena, &why));
	assert_string_equal(buf_c(&why), "empty line");
	buf_free(&b);
	buf_free(&why);
}

static void
test_names(void **state)
{
	(void)state;
	assert_string_equal(parse("smtp a name one\nfile /x name One\n"), "");
	assert_ptr_equal(conf_transport(&conf, STR_LIT("One")),
	    &conf.transport[1]);
	assert_null(conf_transport(&conf, STR_LIT("two")));
	assert_null(conf_transport(&conf, STR_NIL));
	assert_string_equal(parse("\nsmtp a name one\n\nfile /x name one\n"),
	    "picket.conf:4: error: the name \"one\" is that of line 2 "
	    "already\n");
	assert_string_equal(parse("mailcmd a\nmailcmd b name mailcmd\n"),
	    "picket.conf:2: error: the name \"mailcmd\" is that of line 1 "
	    "already\n");
	assert_string_equal(parse("mailcmd a\nmailcmd b\n"), "");
	assert_string_equal(parse("mailcmd a always\nmailcmd b always\n"),
	    "picket.conf:2: error: the name \"mailcmd\" is that of line 1 "
	    "already; give it one with `name`\n");
}

/* Roles as letters: list, fall-back, always. */
static void
test_roles(void **state)
{
	static const struct {
		const char *text, *roles;
	} row[] = {
		{ "smtp a\nsendmail /s\n", "ll" },
		{ "smtp a\nfile /x\nmailcmd b\nfile /y\n", "lflf" },
		{ "file /x\nsmtp a\nfile /y\n", "llf" },
		{ "file /x\nfile /y\n", "ll" },
		{ "smtp a always\nfile /y\n", "al" },
		{ "smtp a\nsmtp b fallback\nfile /y\n", "lfl" },
		{ "smtp a\nfile /x always\nfile /y\n", "laf" },
		{ "smtp a fallback\nfile /y fallback\n", "ll" },
		{ "smtp a fallback\nfile /y always\n", "la" },
		{ "file /x fallback\nsmtp a\n", "fl" },
	};
	size_t i, k;

	(void)state;
	for (i = 0; i < sizeof row / sizeof *row; i++) {
		assert_string_equal(parse(row[i].text), "");
		assert_int_equal(conf.ntransport, strlen(row[i].roles));
		for (k = 0; k < conf.ntransport; k++)
			assert_int_equal("lfa"[conf_role(&conf, k)],
			    row[i].roles[k]);
	}
}

static void
test_queues(void **state)
{
	static const struct {
		const char *line;
		bool shares, one;
	} row[] = {
		{ "smtp mail.example.org", false, false },
		{ "smtp mail.example.org queued", true, true },
		{ "smtp localhost", true, true },
		{ "smtp 127.0.0.9:25", true, true },
		{ "smtp [::1]", true, true },
		{ "smtp [2001:db8::1]", false, false },
		{ "smtp localhost direct", false, false },
		{ "smtp moscow", true, true },
		{ "smtp MOSCOW.Example.org", true, true },
		{ "smtp moscow.example", true, true },
		{ "smtp moscow2", false, false },
		{ "smtp mosco", false, false },
		{ "sendmail /s", true, true },
		{ "sendmail /s direct", false, false },
		{ "mailcmd s", true, true },
		{ "file /x", false, true },
		{ "file /x\nsmtp a", false, false },
		{ "null", false, true },
		{ "null\nsyslog loghost.example.org", false, false },
	};
	char text[200];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof row / sizeof *row; i++) {
		snprintf(text, sizeof text, "hostname moscow.example.org\n%s\n",
		    row[i].line);
		assert_string_equal(parse(text), "");
		assert_int_equal(transport_shares_queue(&conf.transport[0],
		    conf.value[CONF_HOSTNAME]), row[i].shares);
		assert_int_equal(conf_one_queue(&conf), row[i].one);
	}
}

/* conf.def names the transports twice: as keywords and as transports. */
static void
test_table(void **state)
{
	static const char *const keys[] = {
#define K(id, word, kind, dflt, help) (kind) == CONF_TRANSPORT ? word : NULL,
#include "engine/deliver/conf.def"
#undef K
	};
	size_t i, n = 0;

	(void)state;
	for (i = 0; i < CONF_KEYS; i++)
		if (keys[i] != NULL) {
			assert_true(n < TRANSPORT_COUNT);
			assert_string_equal(keys[i], transport_name[n++]);
		}
	assert_int_equal(n, TRANSPORT_HEARTBEAT);
}

static void
test_addresses(void **state)
{
	static const char *const good[] = { "root", "a@b", "a.b+c@d-e.f.org",
	    "\"a b\"@c", "\"a\\\"b\"@c", "a@[192.0.2.1]", "a@[IPv6:2001:db8::1]",
	    "a'b`$c@d", "=x@y_z" };
	static const char *const bad[] = { "", "-f", "-f@x", "a b", "a@b c",
	    "a@", "@b", "a@-b", "a@b-", "a@b.", "a@.b", ".a@b", "a.@b", "a..b@c",
	    "a,b", "a;b", "a<b>", "<a@b>", "a@b>", "a\n@b", "a\r", "a@b\n",
	    "a\x01", "\xc3\xbc@b", "a@\xc3\xbc", "\"a@b", "\"a\"b@c", "\"a\n\"@c",
	    "|sh", "/etc/passwd", "\"|sh\"@x", "\"/x\"", "\"-f\"", "a@[x y]",
	    "a@[IPv6:zz]", "a@b@c", ":include:/x", "a\\b", "(a)b" };
	char text[LIM_ADDRESS + 2];
	size_t i;

	_Static_assert(LIM_HOST < LIM_ADDRESS, "text holds a host that is too "
	    "long");

	(void)state;
	for (i = 0; i < sizeof good / sizeof *good; i++)
		assert_null(address_fault(str_c(good[i])));
	for (i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_non_null(address_fault(str_c(bad[i])));
	assert_non_null(address_fault(str_of("a\0b", 3)));
	assert_non_null(address_fault(STR_NIL));
	memset(text, 'a', sizeof text);
	assert_null(address_fault(str_of(text, LIM_ADDRESS)));
	assert_non_null(address_fault(str_of(text, LIM_ADDRESS + 1)));
	assert_true(host_name_ok(str_of(text, LIM_HOST)));
	assert_false(host_name_ok(str_of(text, LIM_HOST + 1)));
	assert_true(host_is_loopback(STR_LIT("127.0.0.1")));
	assert_true(host_is_loopback(STR_LIT("localhost")));
	assert_false(host_is_loopback(STR_LIT("localhost.example.org")));
	assert_false(host_is_loopback(STR_LIT("127.0.0.1.example.org")));
	assert_false(host_is_loopback(STR_LIT("1270.0.0.1")));
	assert_false(host_is_loopback(STR_LIT("")));
}

/* A new folder in TMPDIR, which the runner removes whatever happens. */
static void
make_folder(char folder[FOLDER_MAX])
{
	const char *tmp = getenv("TMPDIR");

	snprintf(folder, FOLDER_MAX, "%s/picket-test.XXXXXX",
	    tmp == NULL ? "/tmp" : tmp);
	assert_non_null(mkdtemp(folder));
}

static void
put_file(const char *path, const char *text, mode_t mode)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(chmod(path, mode), 0);
}

static bool
read_file(const char *path, bool any)
{
	buf_clear(&errors);
	return conf_read(&conf, path, any, &arena, &errors);
}

static void
test_trust(void **state)
{
	char dir[FOLDER_MAX], path[2 * FOLDER_MAX], pass[2 * FOLDER_MAX];
	char line[3 * FOLDER_MAX], want[5 * FOLDER_MAX];

	(void)state;
	make_folder(dir);
	snprintf(path, sizeof path, "%s/picket.conf", dir);
	snprintf(pass, sizeof pass, "%s/pass", dir);
	assert_true(read_file(path, false));		/* missing */
	assert_str(conf.mailto[0], "root");
	put_file(path, "mailto a@b\n", 0644);
	assert_true(read_file(path, false));
	assert_str(conf.mailto[0], "a@b");

	assert_int_equal(chmod(path, 0664), 0);
	assert_false(read_file(path, false));
	snprintf(want, sizeof want, "%s: is writable by group or others\n",
	    path);
	assert_string_equal(buf_c(&errors), want);
	assert_true(read_file(path, true));
	assert_int_equal(chmod(path, 0646), 0);
	assert_false(read_file(path, false));
	assert_int_equal(chmod(path, 0644), 0);
	if (geteuid() == 0) {
		assert_int_equal(chown(path, 12345, 0), 0);
		assert_false(read_file(path, false));
		snprintf(want, sizeof want, "%s: belongs neither to root nor "
		    "to you\n", path);
		assert_string_equal(buf_c(&errors), want);
		assert_true(read_file(path, true));
		assert_int_equal(chown(path, 0, 0), 0);
	}
	assert_int_equal(chmod(dir, 0777), 0);
	assert_false(read_file(path, false));
	snprintf(want, sizeof want, "%s: this folder is writable by group or "
	    "others\n", dir);
	assert_string_equal(buf_c(&errors), want);
	assert_int_equal(chmod(dir, 01777), 0);
	assert_true(read_file(path, false));
	assert_int_equal(chmod(dir, 0700), 0);

	/* neither a large file nor a huge one is read whole */
	assert_int_equal(truncate(path, LIM_CONF_FILE + 1), 0);
	assert_false(read_file(path, false));
	snprintf(want, sizeof want, "%s: is too large\n", path);
	assert_string_equal(buf_c(&errors), want);

	/* a password that others can read is refused, and never shown */
	put_file(pass, "sesame\n", 0640);
	snprintf(line, sizeof line, "smtp a user u passfile %s\n", pass);
	put_file(path, line, 0644);
	assert_false(read_file(path, true));
	snprintf(want, sizeof want, "%s:1: error: %s: is readable or writable "
	    "by group or others: chmod 600 it\n", path, pass);
	assert_string_equal(buf_c(&errors), want);
	assert_int_equal(chmod(pass, 0600), 0);
	assert_true(read_file(path, false));

	/* what is no file does not hold us */
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_false(read_file(path, true));
	snprintf(want, sizeof want, "%s: is no regular file\n", path);
	assert_string_equal(buf_c(&errors), want);
	unlink(path);
	unlink(pass);
	rmdir(dir);
}

static void
test_secret(void **state)
{
	char dir[FOLDER_MAX], path[2 * FOLDER_MAX];
	char secret[LIM_SECRET + 1], text[LIM_SECRET + 3];

	(void)state;
	make_folder(dir);
	snprintf(path, sizeof path, "%s/pass", dir);
	buf_clear(&errors);
	assert_int_equal(trust_read_secret(path, secret, &errors),
	    TRUST_MISSING);
	put_file(path, "open sesame \r\nsecond line\n", 0400);
	assert_int_equal(trust_read_secret(path, secret, &errors), TRUST_FINE);
	assert_string_equal(secret, "open sesame ");
	put_file(path, "no line end", 0600);
	assert_int_equal(trust_read_secret(path, secret, &errors), TRUST_FINE);
	assert_string_equal(secret, "no line end");
	put_file(path, "\nsecond", 0600);
	assert_int_equal(trust_read_secret(path, secret, &errors),
	    TRUST_REFUSED);
	put_file(path, "x", 0604);
	assert_int_equal(trust_read_secret(path, secret, &errors),
	    TRUST_REFUSED);
	assert_string_equal(secret, "");
	memset(text, 'x', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	put_file(path, text, 0600);
	buf_clear(&errors);
	assert_int_equal(trust_read_secret(path, secret, &errors),
	    TRUST_REFUSED);
	assert_non_null(strstr(buf_c(&errors), "too long"));
	unlink(path);
	rmdir(dir);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_protect),
		cmocka_unit_test(test_daemon),
		cmocka_unit_test(test_wrong),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_relays),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_roles),
		cmocka_unit_test(test_queues),
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_trust),
		cmocka_unit_test(test_secret),
	};
	int failed;

	mem_init(&mem, (size_t)16 << 20, NULL);
	arena_init(&arena, &mem, 4096);
	buf_init(&errors, &mem);
	cmocka_set_message_output(CM_OUTPUT_TAP);
	failed = cmocka_run_group_tests_name("conf", tests, NULL, NULL);
	buf_free(&errors);
	arena_free(&arena);
	return failed;
}
