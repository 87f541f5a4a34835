#include "engine/deliver/transport.h"

#include <strings.h>

#include "engine/deliver/address.h"
#include "engine/deliver/target.h"
#include "engine/deliver/words.h"
#include "lang/base/num.h"

const char *const transport_name[TRANSPORT_COUNT] = {
#define T(id, word, target) word,
#include "engine/deliver/conf.def"
#undef T
};

const char *const template_name[TEMPLATE_COUNT] = {
#define W(id, word, build, unit, limit, most, accept, help) word,
#include "engine/deliver/templates.def"
#undef W
};

_Static_assert(OPTION_COUNT <= 64, "struct transport.given has a bit for each");

static const char *const target_name[TRANSPORT_COUNT] = {
#define T(id, word, target) target,
#include "engine/deliver/conf.def"
#undef T
};

static const struct option_row {
	const char	*word;
	unsigned	 on;
	const char	*arg, *dflt;
} options[OPTION_COUNT] = {
#define O(id, word, on, arg, dflt, help) { word, on, arg, dflt },
#include "engine/deliver/conf.def"
#undef O
};

static int
find_option(enum transport_kind kind, struct str word)
{
	int i;

	for (i = 0; i < OPTION_COUNT; i++)
		if ((options[i].on & 1u << kind) != 0 &&
		    str_eq(word, str_c(options[i].word)))
			return i;
	return -1;
}

static bool
unknown_option(enum transport_kind kind, struct str word, struct buf *why)
{
	struct nearest near = words_nearest(word);
	int i;

	buf_puts(why, transport_name[kind]);
	words_wrong(why, " has no option", word);
	for (i = 0; i < OPTION_COUNT; i++)
		if ((options[i].on & 1u << kind) != 0)
			words_offer(&near, options[i].word);
	if (near.best != NULL)
		buf_printf(why, "; did you mean \"%s\"?", near.best);
	return false;
}

static bool
set_option(struct transport *t, enum transport_option o, struct str arg,
    struct buf *why)
{
	switch (o) {
	case OPTION_STARTTLS:
		t->tls = SMTP_STARTTLS;
		break;
	case OPTION_TLS:
		t->tls = SMTP_TLS;
		break;
	case OPTION_PLAIN:
		t->tls = SMTP_PLAIN;
		break;
	case OPTION_INSECURE:
		t->insecure = true;
		break;
	case OPTION_CA:
		t->ca = arg;
		return target_path_ok(arg) ||
		    words_wrong(why, "the path of ca must begin with /:", arg);
	case OPTION_PASSFILE:
		t->passfile = arg;
		return target_path_ok(arg) ||
		    words_wrong(why, "the path of passfile must begin with /:", arg);
	case OPTION_USER:
		t->user = arg;
		return arg.n > 0 || words_wrong(why, "empty user", arg);
	case OPTION_TIMEOUT:
	case OPTION_PATIENCE:
		t->timeout = num_parse_duration(arg);
		return (t->timeout >= LIM_TIMEOUT_MIN &&
		    t->timeout <= LIM_TIMEOUT_MAX) ||
		    words_wrong(why, "timeout must be from 1s to 1h, not", arg);
	case OPTION_NAME:
		t->name = arg;
		return words_name_ok(arg) ||
		    words_wrong(why, WORDS_NAME ", not", arg);
	case OPTION_FALLBACK:
		t->role = ROLE_FALLBACK;
		break;
	case OPTION_ALWAYS:
		t->role = ROLE_ALWAYS;
		break;
	case OPTION_DIRECT:
		t->queue = QUEUE_DIRECT;
		break;
	case OPTION_QUEUED:
		t->queue = QUEUE_LOCAL;
		break;
	default:
		return target_option(t, o, arg, why);
	}
	return true;
}

/* What an smtp line leaves open, and what does not go together in it. */
static bool
settle_smtp(struct transport *t, const bool *given, struct buf *why)
{
	bool own = host_is_loopback(t->target);

	if (given[OPTION_STARTTLS] + given[OPTION_TLS] +
	    given[OPTION_PLAIN] > 1)
		return words_wrong(why, "only one of starttls, tls and plain for",
		    t->target);
	if (!given[OPTION_STARTTLS] && !given[OPTION_TLS] &&
	    !given[OPTION_PLAIN])
		t->tls = t->port == SMTPS_PORT ? SMTP_TLS :
		    own ? SMTP_PLAIN : SMTP_STARTTLS;
	if (t->port == 0)
		t->port = t->tls == SMTP_TLS ? SMTPS_PORT : SMTP_PORT;
	if (given[OPTION_USER] != given[OPTION_PASSFILE])
		return words_wrong(why, "user and passfile go together for",
		    t->target);
	if (given[OPTION_USER] && t->tls == SMTP_PLAIN && !own)
		return words_wrong(why, "a password needs starttls or tls on the "
		    "way to", t->target);
	if (t->tls == SMTP_PLAIN && (t->insecure || given[OPTION_CA]))
		return words_wrong(why, "without TLS there is no certificate to "
		    "check of", t->target);
	return true;
}

static bool
settle(struct transport *t, const bool *given, struct buf *why)
{
	if (given[OPTION_FALLBACK] && given[OPTION_ALWAYS])
		return words_wrong(why, "only one of fallback and always for",
		    t->target);
	if (given[OPTION_DIRECT] && given[OPTION_QUEUED])
		return words_wrong(why, "only one of direct and queued for",
		    t->target);
	return t->kind == TRANSPORT_SMTP ? settle_smtp(t, given, why) :
	    target_settle(t, why);
}

static double
default_timeout(enum transport_kind kind)
{
	int k = find_option(kind, STR_LIT("timeout"));

	return num_parse_duration(str_c(options[k < 0 ? OPTION_TIMEOUT :
	    k].dflt));
}

/*
 * The words that name where to: as many as its form in conf.def has, up to
 * the first option.  A word that must be there is never an option.  Returns
 * how many, or -1.
 */
static int
parse_targets(struct transport *t, const struct str *word, int n,
    struct buf *why)
{
	const char *form = target_name[t->kind];
	int i, least, most;

	least = form[0] != '\0' && form[0] != '[';
	most = form[0] == '\0' ? 0 : str_ends(str_c(form), "...") ? LIM_URLS : 1;
	if (n < least) {
		buf_printf(why, "%s needs %s", transport_name[t->kind], form);
		return -1;
	}
	for (i = 0; i < n && i < most; i++) {
		if (i >= least && find_option(t->kind, word[i]) >= 0)
			break;
		if (!target_parse(t, word[i], why))
			return -1;
	}
	return i;
}

bool
transport_parse(struct transport *t, const struct str *word, int n,
    struct buf *why)
{
	bool given[OPTION_COUNT] = { false };
	const struct option_row *o;
	struct str arg;
	int i, k;

	*t = (struct transport){ .target = STR_EMPTY };
	for (k = 0; k < TRANSPORT_COUNT; k++)
		if (str_eq(word[0], str_c(transport_name[k])))
			break;
	if (k == TRANSPORT_COUNT)
		return words_wrong(why, "unknown transport", word[0]);
	t->kind = (enum transport_kind)k;
	t->timeout = default_timeout(t->kind);
	target_default(t);
	k = parse_targets(t, word + 1, n - 1, why);
	if (k < 0)
		return false;
	for (i = k + 1; i < n; i++) {
		k = find_option(t->kind, word[i]);
		if (k < 0)
			return unknown_option(t->kind, word[i], why);
		o = &options[k];
		if (given[k])
			return words_wrong(why, "given twice:", word[i]);
		given[k] = true;
		arg = STR_NIL;
		if (o->arg[0] != '\0') {
			if (++i == n) {
				buf_printf(why, "%s needs %s", o->word, o->arg);
				return false;
			}
			arg = word[i];
		}
		t->given |= (uint64_t)1 << k;
		t->arg[k] = arg;
		if (!set_option(t, (enum transport_option)k, arg, why))
			return false;
	}
	return settle(t, given, why);
}

bool
transport_parse_line(struct transport *t, struct str line, struct arena *a,
    struct buf *why)
{
	struct str word[LIM_WORDS];
	const char *fault;
	int n;

	n = words_split(line, a, word, &fault);
	if (n == 0)
		fault = "empty line";
	if (n <= 0) {
		buf_puts(why, fault);
		return false;
	}
	return transport_parse(t, word, n, why);
}

static void
add_option(struct buf *b, enum transport_option o, struct str arg)
{
	buf_putc(b, ' ');
	buf_puts(b, options[o].word);
	if (!str_none(arg)) {
		buf_putc(b, ' ');
		words_add(b, arg);
	}
}

void
transport_format(const struct transport *t, struct buf *b)
{
	static const enum transport_option tls[] = { OPTION_STARTTLS,
	    OPTION_TLS, OPTION_PLAIN };

	int i;

	buf_puts(b, transport_name[t->kind]);
	if (t->kind == TRANSPORT_SMTP) {
		buf_putc(b, ' ');
		target_add_relay(t, b);
		add_option(b, tls[t->tls], STR_NIL);
		if (!str_none(t->ca))
			add_option(b, OPTION_CA, t->ca);
		if (!str_none(t->user)) {
			add_option(b, OPTION_USER, t->user);
			add_option(b, OPTION_PASSFILE, t->passfile);
		}
		if (t->insecure)
			add_option(b, OPTION_INSECURE, STR_NIL);
	} else {
		target_format(t, b);
		for (i = 0; i < OPTION_TIMEOUT; i++)
			if (transport_has(t, (enum transport_option)i))
				add_option(b, (enum transport_option)i,
				    t->arg[i]);
	}
	if (find_option(t->kind, STR_LIT("timeout")) >= 0)
		buf_printf(b, " timeout %gs", t->timeout);
	if (!str_none(t->name))
		add_option(b, OPTION_NAME, t->name);
	if (t->role != ROLE_LIST)
		add_option(b, t->role == ROLE_ALWAYS ? OPTION_ALWAYS :
		    OPTION_FALLBACK, STR_NIL);
	if (t->queue != QUEUE_GUESSED)
		add_option(b, t->queue == QUEUE_DIRECT ? OPTION_DIRECT :
		    OPTION_QUEUED, STR_NIL);
}

void
transport_label(const struct transport *t, struct buf *b)
{
	size_t from, i;

	if (!str_none(t->name)) {
		buf_str(b, t->name);
		return;
	}
	buf_puts(b, transport_name[t->kind]);
	from = b->n;
	target_label(t, b);
	for (i = from; i < b->n; i++)
		if (b->p[i] == ' ')
			b->p[i] = '_';
}

struct str
transport_secret(const struct transport *t, unsigned i)
{
	static const enum transport_option secret[] = { OPTION_PASSFILE,
	    OPTION_URLFILE, OPTION_TOKENFILE, OPTION_KEYFILE };
	size_t k;

	for (k = 0; k < sizeof secret / sizeof *secret; k++)
		if (transport_has(t, secret[k]) && i-- == 0)
			return t->arg[secret[k]];
	return STR_NIL;
}

bool
transport_is_mail(const struct transport *t)
{
	return t->kind == TRANSPORT_SMTP || t->kind == TRANSPORT_SENDMAIL ||
	    t->kind == TRANSPORT_MAILCMD;
}

/* The same name in any case, or one is the other without its domain. */
static bool
same_host(struct str a, struct str b)
{
	size_t n = a.n < b.n ? a.n : b.n;

	if (n == 0 || strncasecmp(a.p, b.p, n) != 0)
		return false;
	return (a.n == n || a.p[n] == '.') && (b.n == n || b.p[n] == '.');
}

bool
transport_shares_queue(const struct transport *t, struct str own)
{
	if (t->queue != QUEUE_GUESSED)
		return t->queue == QUEUE_LOCAL;
	if (t->kind == TRANSPORT_SMTP)
		return host_is_loopback(t->target) ||
		    same_host(t->target, own);
	return transport_is_mail(t);
}
