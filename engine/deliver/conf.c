#include "engine/deliver/conf_inner.h"

#include <stdio.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "engine/deliver/address.h"
#include "engine/deliver/trust.h"
#include "engine/deliver/words.h"

static const struct key_row {
	const char	*word;
	enum conf_kind	 kind;
	const char	*dflt;
	const char	*help;
} keys[CONF_KEYS] = {
#define K(id, word, kind, dflt, help) { word, kind, dflt, help },
#include "engine/deliver/conf.def"
#undef K
};

void
conf_fault(struct parse *p, struct str what)
{
	if (++p->nerror > LIM_CONF_ERRORS)
		return;
	buf_escaped(p->errors, p->name, 0);
	buf_printf(p->errors, ":%u: error: ", p->line);
	buf_str(p->errors, what);
	buf_putc(p->errors, '\n');
}

void
conf_fault_word(struct parse *p, const char *what, struct str word,
    const char *hint)
{
	buf_clear(p->why);
	words_wrong(p->why, what, word);
	buf_puts(p->why, hint);
	conf_fault(p, buf_view(p->why));
}

static void
unknown_key(struct parse *p, struct str word)
{
	struct nearest near = words_nearest(word);
	char hint[80] = "";
	int i;

	for (i = 0; i < CONF_KEYS; i++)
		words_offer(&near, keys[i].word);
	if (near.best != NULL)
		snprintf(hint, sizeof hint, "; did you mean \"%s\"?",
		    near.best);
	conf_fault_word(p, "unknown keyword", word, hint);
}

void
conf_check_address(struct parse *p, struct str s)
{
	const char *what = address_fault(s);
	char hint[80];

	if (what == NULL)
		return;
	snprintf(hint, sizeof hint, " %s", what);
	conf_fault_word(p, "mail address", s, hint);
}

bool
conf_add_address(struct parse *p, struct str s,
    struct str to[LIM_CONF_MAILTO], size_t *n)
{
	struct str one;
	size_t at, comma;

	for (at = 0; at < s.n; at = comma + 1) {
		/* a quoted user part may hold a comma; then the whole word is
		 * one address */
		comma = s.p[0] == '"' ? s.n : str_find(s, ',', at);
		one = str_of(s.p + at, comma - at);
		if (one.n == 0)
			continue;
		conf_check_address(p, one);
		if (*n == LIM_CONF_MAILTO) {
			conf_fault(p, STR_LIT("too many addresses; make a "
			    "mailing list"));
			return false;
		}
		to[(*n)++] = one;
	}
	return true;
}

/*
 * Reports a name that an earlier line has.  What goes by a transport with
 * `always` is kept under its label, so those must differ as well.
 */
static bool
taken(struct parse *p, const struct transport *t)
{
	const struct transport *other;
	struct buf name, b;
	char hint[80];
	size_t i;

	buf_init(&name, p->why->mem);
	buf_init(&b, p->why->mem);
	transport_label(t, &name);
	for (i = 0, other = NULL; i < p->conf->ntransport; i++) {
		other = &p->conf->transport[i];
		buf_clear(&b);
		transport_label(other, &b);
		if (str_eq(buf_view(&b), buf_view(&name)) &&
		    (!str_none(t->name) || !str_none(other->name) ||
		    (t->role == ROLE_ALWAYS && other->role == ROLE_ALWAYS)))
			break;
	}
	if (i < p->conf->ntransport) {
		snprintf(hint, sizeof hint, " is that of line %u already%s",
		    other->line, str_none(t->name) ? "; give it one with "
		    "`name`" : "");
		conf_fault_word(p, "the name", buf_view(&name), hint);
	}
	buf_free(&name);
	buf_free(&b);
	return i < p->conf->ntransport;
}

static void
add_transport(struct parse *p, const struct str *word, int n)
{
	struct conf *c = p->conf;
	struct transport *t;
	unsigned i;

	if (c->ntransport == LIM_CONF_TRANSPORTS) {
		conf_fault(p, STR_LIT("too many transports"));
		return;
	}
	t = &c->transport[c->ntransport];
	buf_clear(p->why);
	if (!transport_parse(t, word, n, p->why)) {
		conf_fault(p, buf_view(p->why));
		return;
	}
	t->line = p->line;
	if (taken(p, t))
		return;
	c->ntransport++;
	/* Words of words_split end with a zero byte, so these are paths. */
	for (i = 0; !str_none(transport_secret(t, i)); i++) {
		buf_clear(p->why);
		if (trust_check_secret(transport_secret(t, i).p, p->why) ==
		    TRUST_REFUSED)
			conf_fault(p, buf_view(p->why));
	}
}

/* Folders, absolute: a relative one would be looked up where a script runs. */
static void
check_search(struct parse *p, struct str s)
{
	size_t at, end;

	for (at = 0; at <= s.n; at = end + 1) {
		end = str_find(s, ':', at);
		if (end == at || s.p[at] != '/') {
			conf_fault_word(p, "every folder of path must begin with /:",
			    s, "");
			return;
		}
	}
}

static void
set_value(struct parse *p, enum conf_key k, struct str s)
{
	p->conf->value[k] = s;
	switch (keys[k].kind) {
	case CONF_ADDRESS:
		conf_check_address(p, s);
		break;
	case CONF_SEARCH:
		check_search(p, s);
		break;
	case CONF_FOLDER:
		if (!str_starts(s, "/"))
			conf_fault_word(p, "the path must begin with /:", s, "");
		break;
	case CONF_HOST:
		if (!host_name_ok(s))
			conf_fault_word(p, "no host name:", s, "");
		break;
	default:
		break;
	}
}

/* protect NAME...: a mistake here would leave something without protection, so
 * what protects nothing, or all, is an error. */
static void
add_names(struct parse *p, const struct str *word, int n)
{
	struct conf *c = p->conf;
	struct str s, name;
	size_t colon;
	int i;

	if (c->protect == NULL)
		c->protect = arena_alloc(p->arena, LIM_CONF_PROTECT *
		    sizeof *c->protect);
	for (i = 0; i < n; i++) {
		s = word[i];
		colon = str_find(s, ':', 0);
		name = colon < s.n ? str_of(s.p + colon + 1, s.n - colon - 1) :
		    s;
		if (colon < s.n && !str_starts(s, "user:") &&
		    !str_starts(s, "unit:"))
			conf_fault_word(p, "protect has user:NAME, unit:NAME "
			    "and names of commands, not", s, "");
		else if (name.n == 0 || name.n > LIM_CONF_NAME ||
		    memchr(name.p, '/', name.n) != NULL)
			conf_fault_word(p, "no name that can be protected:", s,
			    "; a command's is without its folder");
		else if (c->nprotect == LIM_CONF_PROTECT) {
			conf_fault(p, STR_LIT("too many names; a pattern "
			    "stands for several"));
			return;
		} else
			c->protect[c->nprotect++] = s;
	}
}

/* A keyword alone.  The help of a rule begins with what must follow. */
static void
no_value(struct parse *p, enum conf_key k)
{
	const char *help = keys[k].help, *end = strstr(help, ": ");
	char what[200] = "a value";

	if ((keys[k].kind == CONF_RULE || keys[k].kind == CONF_DAEMON) &&
	    end != NULL)
		snprintf(what, sizeof what, "%.*s", (int)(end - help), help);
	buf_clear(p->why);
	buf_printf(p->why, "%s must follow \"%s\"", what, keys[k].word);
	conf_fault(p, buf_view(p->why));
}

static void
parse_line(struct parse *p, struct str line)
{
	struct str word[LIM_WORDS];
	const char *what;
	enum conf_key k;
	int i, n;

	n = words_split(line, p->arena, word, &what);
	if (n < 0)
		conf_fault(p, str_c(what));
	if (n <= 0)
		return;
	for (i = 0; i < CONF_KEYS; i++)
		if (str_eq(word[0], str_c(keys[i].word)))
			break;
	if (i == CONF_KEYS) {
		unknown_key(p, word[0]);
		return;
	}
	k = (enum conf_key)i;
	if (n == 1 && keys[k].kind != CONF_TRANSPORT) {
		no_value(p, k);
	} else if (keys[k].kind == CONF_ADDRESSES) {
		for (i = 1; i < n && conf_add_address(p, word[i],
		    p->conf->mailto, &p->conf->nmailto);)
			i++;
	} else if (keys[k].kind == CONF_TRANSPORT) {
		add_transport(p, word, n);
	} else if (keys[k].kind == CONF_NAMES) {
		add_names(p, word + 1, n - 1);
	} else if (keys[k].kind == CONF_RULE) {
		conf_rule(p, k, word, n);
	} else if (keys[k].kind == CONF_DAEMON) {
		conf_daemon(p, k, word, n);
	} else if (n > 2) {
		conf_fault_word(p, "one value only after", word[0],
		    "; quote a text that holds blanks");
	} else if (p->conf->line[k] != 0) {
		conf_fault_word(p, "given twice:", word[0], "");
	} else
		set_value(p, k, word[1]);
	if (p->conf->line[k] == 0)
		p->conf->line[k] = p->line;
}

static struct str
default_host(struct arena *a)
{
	struct utsname un;

	if (uname(&un) == -1 || un.nodename[0] == '\0')
		return STR_LIT("localhost");
	return arena_dup(a, str_c(un.nodename));
}

static struct str
default_sender(struct arena *a, struct str host)
{
	static const char user[] = "picket@";
	size_t n = sizeof user - 1;
	char *p = arena_text(a, n + host.n);

	memcpy(p, user, n);
	memcpy(p + n, host.p, host.n);
	return address_fault(str_of(p, n + host.n)) == NULL ?
	    str_of(p, n + host.n) : STR_LIT("root");
}

/* What the lines left open. */
static void
settle(struct conf *c, struct arena *a, struct buf *why)
{
	static const struct str sendmail[] = { { "sendmail", 8 },
	    { CONF_SENDMAIL_PATH, sizeof CONF_SENDMAIL_PATH - 1 } };
	int k;

	for (k = 0; k < CONF_KEYS; k++)
		if (c->line[k] == 0)
			c->value[k] = str_c(keys[k].dflt);
	if (c->nmailto == 0)
		c->mailto[c->nmailto++] = str_c(keys[CONF_MAILTO].dflt);
	if (c->line[CONF_HOSTNAME] == 0)
		c->value[CONF_HOSTNAME] = default_host(a);
	if (c->line[CONF_MAILFROM] == 0)
		c->value[CONF_MAILFROM] = default_sender(a,
		    c->value[CONF_HOSTNAME]);
	if (c->ntransport == 0 && access(CONF_SENDMAIL_PATH, X_OK) == 0 &&
	    transport_parse(&c->transport[0], sendmail, 2, why))
		c->ntransport++;
}

bool
conf_parse(struct conf *c, struct str name, struct str text,
    struct arena *a, struct buf *errors)
{
	struct buf why;
	struct parse p = { .conf = c, .arena = a, .errors = errors,
	    .why = &why, .name = name };
	struct str line;
	size_t at, end;

	memset(c, 0, sizeof *c);
	c->emergency = (struct conf_emergency){ EMERGENCY_AVAILABLE,
	    EMERGENCY_PRESSURE };
	buf_init(&why, errors->mem);
	if (str_starts(text, "\357\273\277")) {
		p.line = 1;
		conf_fault(&p, STR_LIT("this is a byte order mark: save the "
		    "file without it"));
		p.line = 0;
		text = str_of(text.p + 3, text.n - 3);
	}
	for (at = 0; at < text.n; at = end + 1) {
		end = str_find(text, '\n', at);
		p.line++;
		line = str_of(text.p + at, end - at);
		if (str_ends(line, "\r"))
			line.n--;
		parse_line(&p, line);
	}
	settle(c, a, &why);
	conf_settle_rules(&p);
	if (p.nerror > LIM_CONF_ERRORS)
		buf_printf(errors, "%u more errors\n",
		    p.nerror - LIM_CONF_ERRORS);
	buf_free(&why);
	return p.nerror == 0;
}

bool
conf_text(const char *file, bool any_owner, struct buf *text,
    struct buf *errors)
{
	struct buf why;
	bool fine;

	buf_init(&why, errors->mem);
	fine = trust_read(file, LIM_CONF_FILE, any_owner, text, &why) !=
	    TRUST_REFUSED;
	if (!fine) {
		buf_str(errors, buf_view(&why));
		buf_putc(errors, '\n');
	}
	buf_free(&why);
	return fine;
}

bool
conf_read(struct conf *c, const char *file, bool any_owner, struct arena *a,
    struct buf *errors)
{
	struct buf text;
	bool fine;

	buf_init(&text, errors->mem);
	fine = conf_text(file, any_owner, &text, errors) &&
	    conf_parse(c, str_c(file), buf_view(&text), a, errors);
	buf_free(&text);
	return fine;
}

enum transport_role
conf_role(const struct conf *c, size_t i)
{
	const struct transport *t = &c->transport[i];
	bool said = false, mail_before = false, list = false;
	size_t k;

	if (t->role == ROLE_ALWAYS)
		return ROLE_ALWAYS;
	for (k = 0; k < c->ntransport; k++) {
		said |= c->transport[k].role == ROLE_FALLBACK;
		list |= c->transport[k].role == ROLE_LIST;
		mail_before |= k < i && c->transport[k].role == ROLE_LIST &&
		    transport_is_mail(&c->transport[k]);
	}
	if (!list)
		return ROLE_LIST;
	if (said)
		return t->role;
	return mail_before && !transport_is_mail(t) ? ROLE_FALLBACK : ROLE_LIST;
}

const struct transport *
conf_transport(const struct conf *c, struct str name)
{
	const struct transport *t, *found = NULL;
	size_t n = 0;

	for (t = c->transport; t < c->transport + c->ntransport; t++)
		if (!str_none(t->name) && str_eq(t->name, name))
			return t;
	for (t = c->transport; t < c->transport + c->ntransport; t++)
		if (str_none(t->name) &&
		    str_eq(str_c(transport_name[t->kind]), name)) {
			found = t;
			n++;
		}
	return n == 1 ? found : NULL;
}

bool
conf_one_queue(const struct conf *c)
{
	const struct transport *t;

	for (t = c->transport; t < c->transport + c->ntransport; t++)
		if (t->kind != TRANSPORT_FILE && t->kind != TRANSPORT_NULL &&
		    !transport_shares_queue(t, c->value[CONF_HOSTNAME]))
			return false;
	return true;
}
