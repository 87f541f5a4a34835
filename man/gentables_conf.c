/* gentables_conf: tables of picket.conf, and of what picketd answers. */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "engine/deliver/transport.h"
#include "man/gentables.h"

/* "TARGET OPTIONS: what it is": the first part and the rest. */
static const char *
after_form(const char *help, char *form, size_t size)
{
	const char *colon = strstr(help, ": ");
	size_t n;

	if (colon == NULL) {
		form[0] = '\0';
		return help;
	}
	n = (size_t)(colon - help);
	if (n >= size)
		n = size - 1;
	memcpy(form, help, n);
	form[n] = '\0';
	return colon + 2;
}

static void
conf_row(const char *word_, int form_first, const char *dflt,
    const char *help)
{
	char form[128];

	if (form_first)
		help = after_form(help, form, sizeof form);
	else
		form[0] = '\0';
	printf(".It Ic %s", word_);
	if (form[0] != '\0') {
		fputs(" Ar ", stdout);
		put_arg(form);
	}
	putchar('\n');
	if (*help >= 'a' && *help <= 'z')
		putchar(*help++ - 'a' + 'A');
	put_prose(help);
	putchar('\n');
	if (dflt != NULL && *dflt != '\0') {
		fputs("Default:\n.Ql ", stdout);
		put_arg(dflt);
		fputs(" .\n", stdout);
	}
}

/* Whether the help begins with a form, and in which table the row is. */
#define CONF_ADDRESSES	0
#define CONF_ADDRESS	0
#define CONF_TEXT	0
#define CONF_SEARCH	0
#define CONF_FOLDER	0
#define CONF_HOST	0
#define CONF_NAMES	0
#define CONF_TRANSPORT	1
#define CONF_RULE	2
#define CONF_DAEMON	3

void
conf_keys(void)
{
#define K(id, word, kind, dflt, help) \
	if ((kind) == 0) conf_row(word, kind, dflt, help);
#include "engine/deliver/conf.def"
#undef K
}

void
conf_transports(void)
{
#define K(id, word, kind, dflt, help) \
	if ((kind) == 1) conf_row(word, kind, dflt, help);
#include "engine/deliver/conf.def"
#undef K
}

void
conf_rules(void)
{
#define K(id, word, kind, dflt, help) \
	if ((kind) == 2) conf_row(word, kind, dflt, help);
#include "engine/deliver/conf.def"
#undef K
}

void
conf_daemon(void)
{
#define K(id, word, kind, dflt, help) \
	if ((kind) == 3) conf_row(word, kind, dflt, help);
#include "engine/deliver/conf.def"
#undef K
}

/* What picketd can be asked, by a command of picket. */
static void
control_request(const char *name, const char *args, const char *help)
{
	printf(".It Cm %s", name);
	if (*args != '\0') {
		fputs(" Ar ", stdout);
		put_arg(args);
	}
	putchar('\n');
	putchar(*help - 'a' + 'A');
	put_prose(help + 1);
	puts(".");
}

static void
http_path(const char *before, const char *path, const char *meaning)
{
	printf(".It Pa %s%s\n", before, path);
	put_sentence(meaning, true);
}

void
http_paths(void)
{
	puts(".Bl -tag -width Ds");
#define PAGE(path, meaning) http_path("", path, meaning);
#define API(path, meaning) http_path("/api/v1/", path, meaning);
#include "engine/daemon/http.def"
#undef PAGE
#undef API
	puts(".El");
}

void
control_requests(void)
{
#define R(id, name, args, takes, help) control_request(name, args, help);
#include "engine/daemon/control.def"
#undef R
}

void
log_levels(void)
{
#define L(id, word, severity) puts(".It\n.Cm " word);
#include "engine/daemon/log.def"
#undef L
}

#define IN_WHEN		0
#define IN_ROUTE	1
#define IN_QUIET	2
#define IN_HEARTBEAT	3
#define IN_EMERGENCY	4

/* The parts of rules of one sort. */
static void
conf_part(const char *word_, const char *arg, const char *help)
{
	printf(".It Cm %s", word_);
	if (*arg != '\0') {
		fputs(" Ar ", stdout);
		put_arg(arg);
	}
	putchar('\n');
	put_prose(help);
	putchar('\n');
}

static void
conf_parts(int in)
{
#define W(id, word, rules, arg, help) if ((rules) == in) \
	conf_part(word, arg, help);
#include "engine/deliver/conf.def"
#undef W
}

void conf_when(void) { conf_parts(IN_WHEN); }
void conf_route(void) { conf_parts(IN_ROUTE); }
void conf_heartbeat(void) { conf_parts(IN_HEARTBEAT); }
void conf_emergency(void) { conf_parts(IN_EMERGENCY); }

/* "Of smtp and sendmail:" */
static void
conf_option_on(unsigned on)
{
	static const char *const name[] = {
#define T(id, word, target) word,
#include "engine/deliver/conf.def"
#undef T
	};
	size_t k, left = 0;

	for (k = 0; k < TRANSPORT_COUNT; k++)
		left += (on >> k & 1) != 0;
	puts("Of");
	for (k = 0; k < TRANSPORT_COUNT; k++) {
		if ((on >> k & 1) == 0)
			continue;
		left--;
		printf(".Ic %s%s\n%s", name[k], left > 1 ? " ," :
		    left == 0 ? " :" : "", left == 1 ? "and\n" : "");
	}
}

static void
conf_option(const char *word_, unsigned on, const char *arg,
    const char *dflt, const char *help)
{
	/* a heartbeat is no way for mail: its line is a rule */
	if (on != ON_ANY)
		on &= ~ON_HEARTBEAT;
	if (on == 0)
		return;
	printf(".It Cm %s", word_);
	if (*arg != '\0')
		printf(" Ar %s", arg);
	putchar('\n');
	if (on != ON_ANY)
		conf_option_on(on);
	put_prose(help);
	putchar('\n');
	if (dflt != NULL) {
		fputs("Default:\n.Ql ", stdout);
		put_arg(dflt);
		fputs(" .\n", stdout);
	}
}

void
conf_options(void)
{
#define O(id, word, on, arg, dflt, help) conf_option(word, on, arg, dflt, help);
#include "engine/deliver/conf.def"
#undef O
}

void
conf_templates(void)
{
#define W(id, word, build, unit, limit, most, accept, help) \
	printf(".It Cm %s\n", word); put_prose(help); putchar('\n');
#include "engine/deliver/templates.def"
#undef W
}
