/* The kernels of the operators.  Apart from the rest of num: they need the C
 * library's mathematics, which picketd would lock in memory for nothing. */
#include "lang/base/num.h"

static double
fault(enum num_fault *out, enum num_fault f)
{
	*out = f;
	return f == NUM_DIV_ZERO ? NUM_NIL : NUM_ERR;
}

/* The result of an operation whose operands were numbers. */
static double
fine(double d, enum num_fault *out)
{
	return num_fine(d) ? d : fault(out, NUM_OVERFLOW);
}

static double
bit_op(enum num_op op, double a, double b, enum num_fault *out)
{
	int64_t x, y, r;
	double d;

	if (!num_is_int(a) || !num_is_int(b))
		return fault(out, NUM_NOT_INT);
	x = (int64_t)a;
	y = (int64_t)b;
	switch (op) {
	case NUM_BAND:
		r = x & y;
		break;
	case NUM_BOR:
		r = x | y;
		break;
	case NUM_BXOR:
		r = x ^ y;
		break;
	case NUM_BNOT:
		r = ~x;
		break;
	default:
		if (y < 0 || y > 52)
			return fault(out, NUM_BAD_SHIFT);
		/* By ldexp: shifts of negative integers are not C's best. */
		d = op == NUM_SHL ? ldexp(a, (int)y) : floor(ldexp(a, -(int)y));
		if (!num_is_int(d))
			return fault(out, NUM_OVERFLOW);
		return d;
	}
	d = (double)r;
	if (r != (int64_t)d || !num_is_int(d))
		return fault(out, NUM_OVERFLOW);
	return d;
}

static double
power(double a, double b, enum num_fault *out)
{
	double d = pow(a, b);

	if (num_fine(d))
		return d;
	if (a == 0)
		return fault(out, NUM_DIV_ZERO);
	return fault(out, num_none(d) ? NUM_DOMAIN : NUM_OVERFLOW);
}

double
num_op(enum num_op op, double a, double b, enum num_fault *out)
{
	*out = NUM_FINE;
	if (op == NUM_NOT)
		return num_true(a) ? 0 : 1;
	if (op == NUM_NEG || op == NUM_BNOT)
		b = 0;
	if (num_none(a) || num_none(b))
		return num_is_err(a) || num_is_err(b) ? NUM_ERR : NUM_NIL;
	switch (op) {
	case NUM_ADD:
		return fine(a + b, out);
	case NUM_SUB:
		return fine(a - b, out);
	case NUM_MUL:
		return fine(a * b, out);
	case NUM_DIV:
		if (b == 0)
			return fault(out, NUM_DIV_ZERO);
		return fine(a / b, out);
	case NUM_MOD:
		if (b == 0)
			return fault(out, NUM_DIV_ZERO);
		return fmod(a, b);
	case NUM_POW:
		return power(a, b, out);
	case NUM_NEG:
		return -a;
	case NUM_NOT:
		break;
	case NUM_BAND:
	case NUM_BOR:
	case NUM_BXOR:
	case NUM_SHL:
	case NUM_SHR:
	case NUM_BNOT:
		return bit_op(op, a, b, out);
	}
	return NUM_ERR;
}

const char *
num_fault_text(enum num_fault f)
{
	switch (f) {
	case NUM_FINE:
		return "no fault";
	case NUM_DIV_ZERO:
		return "division by zero";
	case NUM_OVERFLOW:
		return "result out of range";
	case NUM_NOT_INT:
		return "bit operation on what is no integer up to 2^53";
	case NUM_BAD_SHIFT:
		return "shift by less than 0 or more than 52 bits";
	case NUM_DOMAIN:
		return "broken power of a negative number";
	}
	return "unknown fault";
}
