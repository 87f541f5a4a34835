#include "lang/code/shape.h"

#define WIDE	"KLDEIMFGHUPQY"
#define WIDEST	"JR"

struct shape
shape_of(enum opcode op)
{
	struct shape s = { '-', '-', '-', '-', '-', false, false };
	const char *p;
	unsigned at = 0;

	for (p = opcode_shape(op); *p != '\0'; p++) {
		if (*p == '?')
			s.cond = true;
		else if (*p == '+')
			s.ext = true;
		else if (strchr(WIDEST, *p) != NULL)
			s.ax = *p;
		else if (strchr(WIDE, *p) != NULL)
			s.bx = *p;
		else if (at == 0)
			s.a = *p, at++;
		else if (at == 1)
			s.b = *p, at++;
		else
			s.c = *p;
	}
	return s;
}
