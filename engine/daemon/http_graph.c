/*
 * http_graph: a time series as inline SVG: a line of means, a band from least
 * to most, gaps where nothing was recorded.  It has no colours of its own:
 * the page's style gives them, for light and dark.
 */
#include "engine/daemon/http.h"

#include <math.h>
#include <stdio.h>
#include <time.h>

#define WIDTH	420.0		/* as on a phone: letters keep their size there */
#define HEIGHT	130.0
#define LEFT	46.0		/* room for the scale and for the times below */
#define RIGHT	6.0
#define TOP	8.0
#define BOTTOM	20.0
#define GAP	3.5		/* steps without a point end a line: a run that
				 * was late is no gap */
#define TICKS	4		/* times below the graph: five fit a phone */

void
web_number(struct buf *b, double d)
{
	static const struct { double from; const char *unit; } unit[] = {
		{ 1e12, " T" }, { 1e9, " G" }, { 1e6, " M" }, { 1e4, " k" } };
	double a = fabs(d), by = 1;
	const char *name = "";
	size_t i;

	if (!isfinite(d)) {
		buf_puts(b, "-");
		return;
	}
	for (i = 0; i < sizeof unit / sizeof unit[0]; i++)
		if (a >= unit[i].from) {
			by = unit[i].from == 1e4 ? 1e3 : unit[i].from;
			name = unit[i].unit;
			break;
		}
	d /= by;
	a /= by;
	if (a == floor(a) && a < 1e6)
		buf_printf(b, "%.0f%s", d, name);
	else
		buf_printf(b, "%.*f%s", a >= 100 ? 0 : a >= 10 ? 1 :
		    a >= 0.1 ? 2 : 4, d, name);
}

/* The range of values, with some air, never of no height. */
static void
range(const struct web_step *s, size_t n, double *low, double *high)
{
	size_t i;

	*low = s[0].least;
	*high = s[0].most;
	for (i = 1; i < n; i++) {
		if (s[i].least < *low)
			*low = s[i].least;
		if (s[i].most > *high)
			*high = s[i].most;
	}
	/* what is near 0 is shown against 0: a line that is flat looks flat */
	if (*low > 0 && *low < *high * 0.7)
		*low = 0;
	if (*high <= *low) {
		*high = *low + (*low == 0 ? 1 : fabs(*low) * 0.1);
		*low -= *high - *low;
	}
}

static size_t
one_line(const struct web_step *s, size_t i, size_t n, double most)
{
	size_t k;

	for (k = i + 1; k < n && s[k].time - s[k - 1].time <= most; k++)
		;
	return k;
}

/* The usual time between two steps. */
static double
usual(const struct web_step *s, size_t n, double width)
{
	double least = INFINITY;
	size_t i, few = 0;
	double sum = 0;

	for (i = 1; i < n; i++)
		if (s[i].time - s[i - 1].time < least)
			least = s[i].time - s[i - 1].time;
	/* the mean of those that are no gaps themselves */
	for (i = 1; i < n; i++)
		if (s[i].time - s[i - 1].time <= 3 * least) {
			sum += s[i].time - s[i - 1].time;
			few++;
		}
	sum = few == 0 ? width : sum / (double)few;
	return sum > width ? sum : width;
}

void
web_graph(struct buf *b, const struct web_step *s, size_t n, double from,
    double to, struct str label)
{
	double low, high, x, y, gap, width = (to - from) / HTTP_STEPS;
	char text[64];
	struct tm tm;
	time_t t;
	size_t i, k, end;

#define X(v) (LEFT + ((v) - from) / (to - from) * (WIDTH - LEFT - RIGHT))
#define Y(v) (HEIGHT - BOTTOM - ((v) - low) / (high - low) * \
    (HEIGHT - TOP - BOTTOM))
	if (n == 0)
		return;
	range(s, n, &low, &high);
	gap = GAP * usual(s, n, width);
	buf_printf(b, "<svg viewBox=\"0 0 %.0f %.0f\" role=\"img\" "
	    "aria-label=\"", WIDTH, HEIGHT);
	web_text(b, label, 200);
	buf_puts(b, "\">");
	for (i = 0; i <= TICKS; i++) {
		x = from + (to - from) * (double)i / TICKS;
		t = (time_t)x;
		if (localtime_r(&t, &tm) == NULL || strftime(text, sizeof text,
		    to - from > 2 * 86400 ? "%b %e" : "%H:%M", &tm) == 0)
			text[0] = '\0';
		buf_printf(b, "<line class=\"grid\" x1=\"%.1f\" x2=\"%.1f\" "
		    "y1=\"%.1f\" y2=\"%.1f\"/><text x=\"%.1f\" y=\"%.1f\" "
		    "text-anchor=\"%s\">%s</text>", X(x), X(x), TOP,
		    HEIGHT - BOTTOM, X(x), HEIGHT - 5, i == 0 ? "start" :
		    i == TICKS ? "end" : "middle", text);
	}
	for (i = 0; i < n; i = end) {
		end = one_line(s, i, n, gap);
		if (end - i == 1) {	/* alone: a dot */
			buf_printf(b, "<circle cx=\"%.1f\" cy=\"%.1f\" "
			    "r=\"3\"/>", X(s[i].time), Y(s[i].mean));
			continue;
		}
		buf_puts(b, "<polygon points=\"");
		for (k = i; k < end; k++)
			buf_printf(b, "%.1f,%.1f ", X(s[k].time), Y(s[k].most));
		for (k = end; k-- > i; )
			buf_printf(b, "%.1f,%.1f ", X(s[k].time),
			    Y(s[k].least));
		buf_puts(b, "\"/><polyline points=\"");
		for (k = i; k < end; k++) {
			y = Y(s[k].mean);
			buf_printf(b, "%.1f,%.1f ", X(s[k].time), y);
		}
		buf_puts(b, "\"/>");
	}
	buf_printf(b, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"end\">",
	    LEFT - 6, TOP + 8);
	web_number(b, high);
	buf_printf(b, "</text><text x=\"%.1f\" y=\"%.1f\" "
	    "text-anchor=\"end\">", LEFT - 6, HEIGHT - BOTTOM);
	web_number(b, low);
	buf_puts(b, "</text></svg>");
#undef X
#undef Y
}
