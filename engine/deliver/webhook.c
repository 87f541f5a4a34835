/*
 * webhook: a notice to a web service.  The services are rows of templates.def;
 * here is what each row's request is made of.
 *
 * JSON is made by jansson alone, never by pasting.  What a script reports was
 * often written by an attacker: no template lets it call people ("@channel"),
 * be a link with another text, or load a picture.
 */
#include <jansson.h>
#include <stdlib.h>

#include "engine/deliver/http.h"
#include "engine/deliver/items.h"

#define LIM_TRIES	24	/* times that a text is cut until it fits: each
				 * takes a tenth at least, so less than a tenth
				 * is left */
#define LIM_TITLE	250	/* bytes: one line on a telephone */
#define LIM_TXN		200	/* bytes of a transaction's id: Matrix has 255 for
				 * ids, and ours may be escaped */

enum accept { ACCEPT_STATUS, ACCEPT_TEXT_OK, ACCEPT_JSON_OK };

/* What a row's function makes a request of. */
struct ask {
	const struct attempt *a;
	const struct items *all;
	struct str	 text;		/* cut */
	size_t		 cut;		/* to how many units */
};

static json_t *
string(struct str s)
{
	return json_stringn(s.p, s.n);
}

/* The subject as one line. */
static struct str
title(const struct ask *p)
{
	struct buf b;
	struct str out;
	size_t i;

	buf_init(&b, p->a->why->mem);
	text_cut(&b, p->all->subject, TEXT_BYTES, LIM_TITLE);
	for (i = 0; i < b.n; i++)
		if (b.p[i] == '\n')
			b.p[i] = ' ';
	out = arena_dup(p->a->arena, buf_view(&b));
	buf_free(&b);
	return out;
}

/* The text with a string put for, or behind, some of its bytes. */
static json_t *
replaced(struct str s, const char *bytes, const char *const *with,
    struct mem *m)
{
	const char *at;
	struct buf b;
	json_t *v;
	size_t i;

	buf_init(&b, m);
	for (i = 0; i < s.n; i++) {
		at = s.p[i] == '\0' ? NULL : strchr(bytes, s.p[i]);
		if (at == NULL)
			buf_putc(&b, s.p[i]);
		else
			buf_puts(&b, with[at - bytes]);
	}
	v = string(buf_view(&b));
	buf_free(&b);
	return v;
}

/* Strings of a value, each cut to so many bytes. */
static void
cut_strings(json_t *v, size_t most, struct mem *m)
{
	const char *key;
	json_t *sub;
	struct buf b;
	size_t i;

	if (json_is_object(v))
		json_object_foreach(v, key, sub)
			cut_strings(sub, most, m);
	else if (json_is_array(v))
		json_array_foreach(v, i, sub)
			cut_strings(sub, most, m);
	else if (json_is_string(v) && json_string_length(v) > most) {
		buf_init(&b, m);
		text_cut(&b, str_of(json_string_value(v),
		    json_string_length(v)), TEXT_BYTES, most);
		json_string_setn(v, b.p, b.n);
		buf_free(&b);
	}
}

static json_t *
build_json(const struct ask *p)
{
	const struct items *all = p->all;
	json_t *o = json_loadb(p->a->job->notice.p, p->a->job->notice.n,
	    JSON_ALLOW_NUL, NULL);

	if (!json_is_object(o)) {
		json_decref(o);
		o = json_pack("{so so so so ss sf so so s[] s[]}",
		    "id", string(all->id), "run", string(all->run),
		    "host", string(all->host), "alert", string(all->alert),
		    "level", level_name[all->level], "time", all->time,
		    "subject", string(all->subject),
		    "text", string(all->text), "scripts", "changes");
	}
	cut_strings(o, p->cut, p->a->why->mem);
	if (p->cut < LIM_TITLE) {	/* too many even so: the mail has them */
		json_object_set_new(o, "scripts", json_array());
		json_object_set_new(o, "changes", json_array());
	}
	return o;
}

static json_t *
build_slack(const struct ask *p)
{
	static const char *const entity[] = { "&amp;", "&lt;", "&gt;" };

	return json_pack("{so sb sb sb}", "text", replaced(p->text, "&<>",
	    entity, p->a->why->mem), "mrkdwn", 0, "unfurl_links", 0,
	    "unfurl_media", 0);
}

/* A zero-width space breaks what would call somebody, or be a link with
 * another text. */
static json_t *
build_mattermost(const struct ask *p)
{
	static const char *const broken[] = { "@\xe2\x80\x8b", "!\xe2\x80\x8b",
	    "]\xe2\x80\x8b" };

	return json_pack("{so}", "text", replaced(p->text, "@!]", broken,
	    p->a->why->mem));
}

static json_t *
build_googlechat(const struct ask *p)
{
	static const char *const broken[] = { "<\xe2\x80\x8b" };

	return json_pack("{so}", "text", replaced(p->text, "<", broken,
	    p->a->why->mem));
}

/* Links and lists are a card's markup: a backslash takes that from them. */
static json_t *
build_teams(const struct ask *p)
{
	static const char *const plain[] = { "\\[", "\\]", "\\*", "\\_" };
	json_t *head, *body;

	head = json_pack("{ss so ss ss sb}", "type", "TextBlock", "text",
	    replaced(title(p), "[]*_", plain, p->a->why->mem), "weight",
	    "bolder", "size", "medium", "wrap", 1);
	body = json_pack("{ss so ss sb}", "type", "TextBlock", "text",
	    replaced(p->text, "[]*_", plain, p->a->why->mem), "fontType",
	    "monospace", "wrap", 1);
	return json_pack("{ss s[{ss s{ss ss ss s[oo]}}]}", "type", "message",
	    "attachments", "contentType",
	    "application/vnd.microsoft.card.adaptive", "content",
	    "$schema", "http://adaptivecards.io/schemas/adaptive-card.json",
	    "type", "AdaptiveCard", "version", "1.4", "body", head, body);
}

static json_t *
build_discord(const struct ask *p)
{
	static const char *const broken[] = { "]\xe2\x80\x8b" };

	return json_pack("{so s{s[]} si}", "content", replaced(p->text, "]",
	    broken, p->a->why->mem),
	    "allowed_mentions", "parse", "flags", 4 /* no previews */);
}

static json_t *
build_ntfy(const struct ask *p)
{
	static const int priority[LEVEL_COUNT] = { 5, 5, 5, 4, 3, 2, 2, 2 };

	return json_pack("{so so so si}", "topic",
	    string(p->a->transport->arg[OPTION_TO]), "title", string(title(p)),
	    "message", string(p->text), "priority", priority[p->all->level]);
}

static json_t *
build_matrix(const struct ask *p)
{
	return json_pack("{ss so s{}}", "msgtype", "m.text", "body",
	    string(p->text), "m.mentions");
}

static json_t *
build_telegram(const struct ask *p)
{
	return json_pack("{so so s{sb}}", "chat_id",
	    string(p->a->transport->arg[OPTION_TO]), "text", string(p->text),
	    "link_preview_options", "is_disabled", 1);
}

static const struct row {
	json_t		*(*build)(const struct ask *);
	enum text_unit	 unit;
	size_t		 limit, most;
	enum accept	 accept;
} rows[TEMPLATE_COUNT] = {
#define W(id, word, fn, unit, limit, most, accept, help) \
	{ build_ ## fn, TEXT_ ## unit, limit, most, ACCEPT_ ## accept },
#include "engine/deliver/templates.def"
#undef W
};

/* Units of the text that a request holds: the one string that grew when it
 * was made harmless is the longest. */
static size_t
longest(const json_t *v, enum text_unit unit)
{
	const char *key;
	json_t *sub;
	struct str s;
	size_t i, n, most = 0;

	if (json_is_object(v))
		json_object_foreach((json_t *)v, key, sub) {
			n = longest(sub, unit);
			most = n > most ? n : most;
		}
	else if (json_is_array(v))
		json_array_foreach(v, i, sub) {
			n = longest(sub, unit);
			most = n > most ? n : most;
		}
	else if (json_is_string(v)) {
		s = str_of(json_string_value(v), json_string_length(v));
		most = text_units(s, unit);
	}
	return most;
}

/* The request's body, cut until it is within the row's limits.  NULL: no
 * memory, or no fit. */
static char *
make(const struct row *row, struct ask *p, struct str text)
{
	size_t units, limit = row->limit > 0 ? row->limit : row->most;
	double over, part;
	struct buf b;
	char *body = NULL;
	json_t *o;
	int i;

	buf_init(&b, p->a->why->mem);
	p->cut = limit;
	for (i = 0; i < LIM_TRIES; i++) {
		buf_clear(&b);
		text_cut(&b, text, row->unit, p->cut);
		p->text = buf_view(&b);
		o = row->build(p);
		body = json_dumps(o, JSON_COMPACT);
		units = row->limit > 0 ? longest(o, row->unit) : 0;
		json_decref(o);
		if (body == NULL || (strlen(body) <= row->most &&
		    units <= limit))
			break;
		over = (double)strlen(body) / (double)row->most;
		part = (double)units / (double)limit;
		over = over > part ? over : part;
		/* what is cut is not all of it: not too much at once */
		p->cut = (size_t)((double)p->cut * 0.9 / (over > 16 ? 16 :
		    over));
		free(body);
		body = NULL;
	}
	buf_free(&b);
	return body;
}

/* Where the request goes.  The token is a part of Telegram's URL. */
static void
make_url(struct buf *b, const struct attempt *a, const struct items *all,
    struct str base, const char *token)
{
	struct str id = all->id.n > 0 ? all->id : all->run;

	while (str_ends(base, "/"))
		base.n--;
	buf_str(b, base);
	switch (a->transport->template) {
	case TEMPLATE_DISCORD:
		buf_puts(b, str_find(base, '?', 0) < base.n ? "&wait=true" :
		    "?wait=true");
		break;
	case TEMPLATE_MATRIX:
		buf_puts(b, "/_matrix/client/v3/rooms/");
		http_url_part(b, a->transport->arg[OPTION_TO]);
		buf_puts(b, "/send/m.room.message/");
		http_url_part(b, str_of(id.p, id.n < LIM_TXN ? id.n :
		    LIM_TXN));
		break;
	case TEMPLATE_TELEGRAM:
		buf_puts(b, "/bot");
		/* its colon stands for itself there */
		buf_puts(b, token);
		buf_puts(b, "/sendMessage");
		break;
	case TEMPLATE_NTFY:
		buf_putc(b, '/');
		break;
	default:
		break;
	}
}

static bool
accepted(enum accept how, const struct http_answer *w)
{
	struct str said = str_trim(buf_view(&w->body));
	json_t *o;
	bool fine;

	if (how == ACCEPT_TEXT_OK)
		return str_eq(said, STR_LIT("ok"));
	if (how == ACCEPT_JSON_OK) {
		o = json_loadb(said.p, said.n, 0, NULL);
		fine = json_is_true(json_object_get(o, "ok"));
		json_decref(o);
		return fine;
	}
	return true;
}

static enum outcome
post(struct attempt *a, struct str base, const char *password,
    const char *token)
{
	const struct transport *t = a->transport;
	const struct row *row = &rows[t->template];
	bool in_url = t->template == TEMPLATE_TELEGRAM;
	struct http_request r = { .timeout = t->timeout, .method =
	    t->template == TEMPLATE_MATRIX ? "PUT" : "POST",
	    /* without it Teams counts two bytes a character */
	    .type = "application/json; charset=utf-8",
	    .password = password, .secret = token,
	    .bearer = in_url ? NULL : token };
	struct http_answer w;
	struct items all;
	struct ask p = { .a = a, .all = &all };
	struct buf text, url;
	enum outcome o;
	char *body;

	items_read(&all, a);
	buf_init(&text, a->why->mem);
	buf_init(&url, a->why->mem);
	http_answer_init(&w, a->why->mem);
	items_text(&all, &text);
	body = make(row, &p, buf_view(&text));
	make_url(&url, a, &all, base, token);
	r.url = buf_view(&url);
	if (body == NULL) {
		buf_puts(a->why, "the notice does not fit into a request");
		o = OUTCOME_FAIL;
	} else {
		r.body = str_c(body);
		o = http_do(a, &r, &w);
	}
	if (o == OUTCOME_OK && !accepted(row->accept, &w)) {
		/* something else answers in its place: a proxy, a sign-in */
		buf_puts(a->why, " (this is not its answer to what it takes)");
		o = OUTCOME_RETRY;
	}
	free(body);
	http_answer_free(&w);
	buf_free(&text);
	explicit_bzero(url.p, url.n);
	buf_free(&url);
	return o;
}

static enum outcome
webhook_send(struct attempt *a)
{
	char url[LIM_SECRET + 1] = "", password[LIM_SECRET + 1] = "",
	    token[LIM_SECRET + 1] = "";
	const struct transport *t = a->transport;
	enum outcome o = OUTCOME_RETRY;	/* a secret may be set right */

	if ((!transport_has(t, OPTION_URLFILE) ||
	    http_secret(a, OPTION_URLFILE, url)) &&
	    (!transport_has(t, OPTION_PASSFILE) ||
	    http_secret(a, OPTION_PASSFILE, password)) &&
	    (!transport_has(t, OPTION_TOKENFILE) ||
	    http_secret(a, OPTION_TOKENFILE, token)))
		o = post(a, t->nurl > 0 ? t->url[0] : str_c(url),
		    password[0] != '\0' ? password : NULL,
		    token[0] != '\0' ? token : NULL);
	explicit_bzero(url, sizeof url);
	explicit_bzero(password, sizeof password);
	explicit_bzero(token, sizeof token);
	return o;
}

const struct sender webhook_sender = {
	.name = "webhook",
	.send = webhook_send,
};
