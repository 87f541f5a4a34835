/* control_answer: what a client of the control socket is told, as JSON. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "engine/daemon/control.h"
#include "lang/base/buf.h"
#include "lang/base/num.h"

void
control_put(struct control_client *c, const char *fmt, ...)
{
	size_t room = sizeof c->out - c->nout;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(c->out + c->nout, room, fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= room) {
		if (!c->broken)
			logger_say(c->control->log, SAY_ERROR, "an answer on "
			    "the control socket is too long");
		c->broken = true;
		return;
	}
	c->nout += (size_t)n;
}

size_t
control_inside(struct control_client *c, const char *s, size_t n, size_t room)
{
	size_t i, len, end = c->nout + room;

	/* the longest that a byte becomes: \\xHH, with its backslash doubled */
	for (i = 0; i < n && c->nout + 6 <= end; ) {
		len = buf_shown_char(s + i, n - i);
		if (s[i] == '"' || s[i] == '\\')
			control_put(c, "\\%c", s[i++]);
		else if (len > 0) {
			control_put(c, "%.*s", (int)len, s + i);
			i += len;
		} else if (s[i] == '\n' || s[i] == '\t')
			control_put(c, "\\%c", s[i++] == '\n' ? 'n' : 't');
		else
			control_put(c, "\\\\x%02x", (unsigned char)s[i++]);
	}
	return i;
}

void
control_text(struct control_client *c, const char *s, size_t n, size_t max)
{
	size_t some = max > 0 && n > max ? max : n;

	/* not inside a character */
	while (some < n && some > 0 && ((unsigned char)s[some] & 0xc0) == 0x80)
		some--;
	control_put(c, "\"");
	control_inside(c, s, some, 6 * some + 6);
	control_put(c, some < n ? "...\"" : "\"");
}

void
control_string(struct control_client *c, const char *s)
{
	if (s == NULL)
		control_put(c, "null");
	else
		control_text(c, s, strlen(s), 256);
}

void
control_number(struct control_client *c, double d)
{
	char t[NUM_TEXT_MAX];

	if (!num_fine(d))
		control_put(c, "null");
	else
		control_put(c, "%.*s", (int)num_text(d, t), t);
}

void
control_error(struct control_client *c, const char *fmt, ...)
{
	char t[1000];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(t, sizeof t, fmt, ap);
	va_end(ap);
	c->nout = c->sent;
	control_put(c, "{\"ok\":false,\"error\":");
	control_text(c, t, strlen(t), 0);
	control_put(c, "}\n");
}
