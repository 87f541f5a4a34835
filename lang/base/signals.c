#include "lang/base/signals.h"

#include <signal.h>
#include <stdio.h>
#include <strings.h>

static const struct {
	int		 number;
	const char	*name;
} signals[] = {
#define S(name) { SIG##name, #name }
	S(HUP), S(INT), S(QUIT), S(ILL), S(TRAP), S(ABRT), S(BUS), S(FPE),
	S(KILL), S(USR1), S(SEGV), S(USR2), S(PIPE), S(ALRM), S(TERM),
	S(STKFLT), S(CHLD), S(CONT), S(STOP), S(TSTP), S(TTIN), S(TTOU),
	S(URG), S(XCPU), S(XFSZ), S(VTALRM), S(PROF), S(WINCH), S(IO), S(PWR),
	S(SYS),
	S(POLL), S(IOT), S(CLD)		/* other names of some of them */
#undef S
};
#define NSIGNALS	(sizeof signals / sizeof signals[0])

int
signal_number(struct str s)
{
	size_t i;
	int n = 0;

	if (str_none(s) || s.n == 0)
		return -1;
	if (s.p[0] >= '0' && s.p[0] <= '9') {
		for (i = 0; i < s.n; i++) {
			if (s.p[i] < '0' || s.p[i] > '9' || i == 2)
				return -1;
			n = 10 * n + (s.p[i] - '0');
		}
		return n <= LIM_SIGNAL ? n : -1;
	}
	if (s.n > 3 && strncasecmp(s.p, "SIG", 3) == 0) {
		s.p += 3;
		s.n -= 3;
	}
	for (i = 0; i < NSIGNALS; i++)
		if (strlen(signals[i].name) == s.n &&
		    strncasecmp(signals[i].name, s.p, s.n) == 0)
			return signals[i].number;
	return -1;
}

struct str
signal_name(int n, char to[16])
{
	size_t i;

	for (i = 0; i < NSIGNALS; i++)
		if (signals[i].number == n)
			return str_c(signals[i].name);
	return str_of(to, (size_t)snprintf(to, 16, "%d", n));
}
