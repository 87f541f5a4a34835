/*
 * num: the language's numbers and the kernels of its operators.  Why here:
 * the compiler folds constants with the very functions that the machine
 * runs, so the two cannot differ.
 *
 * A number is a finite double, or NIL (no value), or ERR (a failed value);
 * these two are quiet NaNs of our own payload and are told apart by
 * num_is_nil and num_is_err, never by what the hardware does to payloads.
 */
#ifndef LANG_BASE_NUM_H
#define LANG_BASE_NUM_H

#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include "lang/base/str.h"

#define NUM_NIL_BITS	UINT64_C(0x7ff8000000000a11)
#define NUM_ERR_BITS	UINT64_C(0x7ff8000000000e44)
#define NUM_EXACT	9007199254740992.0	/* 2^53: integers are exact */
#define NUM_TEXT_MAX	32			/* bytes num_text writes */

static inline double
num_of_bits(uint64_t b)
{
	double d;
	memcpy(&d, &b, sizeof d);
	return d;
}
static inline uint64_t
num_bits(double d)
{
	uint64_t b;
	memcpy(&b, &d, sizeof b);
	return b;
}
#define NUM_NIL		num_of_bits(NUM_NIL_BITS)
#define NUM_ERR		num_of_bits(NUM_ERR_BITS)

static inline bool
num_none(double d)		/* NIL or ERR */
{
	return d != d;
}
static inline bool
num_is_nil(double d)
{
	return d != d && num_bits(d) == NUM_NIL_BITS;
}
static inline bool
num_is_err(double d)
{
	return d != d && num_bits(d) != NUM_NIL_BITS;
}
/* Truth: NIL, ERR and 0 are false. */
static inline bool
num_true(double d)
{
	return d < 0 || d > 0;
}
/* In range for the result of arithmetic; false for NaN and infinities. */
static inline bool
num_fine(double d)
{
	return fabs(d) <= DBL_MAX;
}
static inline bool
num_is_int(double d)		/* an integer of at most 2^53 */
{
	return d >= -NUM_EXACT && d <= NUM_EXACT && d == (double)(int64_t)d;
}

enum num_op { NUM_ADD, NUM_SUB, NUM_MUL, NUM_DIV, NUM_MOD, NUM_POW,
    NUM_BAND, NUM_BOR, NUM_BXOR, NUM_SHL, NUM_SHR, NUM_NEG, NUM_BNOT, NUM_NOT };

/* What went wrong, for the log; NUM_FINE with a NIL or ERR result means that
 * an operand was so. */
enum num_fault { NUM_FINE, NUM_DIV_ZERO, NUM_OVERFLOW, NUM_NOT_INT,
    NUM_BAD_SHIFT, NUM_DOMAIN };

/*
 * The kernel of every operator.  ERR operands give ERR, NIL ones NIL; only
 * NUM_NOT asks for truth and gives 1 for both.
 * Division and modulus by zero, also 0 to a negative power: NIL and
 * NUM_DIV_ZERO.  Overflow, bit operations on what is no integer up to 2^53,
 * shifts outside 0..52, roots of negative numbers: ERR.
 * Unary operators ignore b.  % is C's fmod.
 */
double	num_op(enum num_op, double a, double b, enum num_fault *);
const char *num_fault_text(enum num_fault);

/*
 * A number as $text shows it: an integer up to 2^53 without a point, else
 * the shortest form that reads back the same.  NIL and ERR as <<NIL>>,
 * <<ERR>>.  Returns the bytes written, no zero byte after them.
 */
size_t	num_text(double, char out[NUM_TEXT_MAX]);

/*
 * Reads a whole text as a plain number: blanks around, sign, digits, point,
 * exponent; with `percent` a glued % divides by 100.  NIL if it is none.
 * No locale, no hex, no inf or nan.
 */
double	num_parse(struct str, bool percent);

/*
 * 4.2G, 12K, 3T (powers of 1024; KiB, KB, iB suffixes too), plain bytes.
 * Letters of either case, blanks before the unit allowed; NIL if it is none.
 */
double	num_parse_size(struct str);
/*
 * 90s 5m 2h 1d 1w, 2h30m, 01:02:03, 02:03, 1-02:03:04 (ps), plain seconds.
 * Units stand from large to small.  NIL if it is none.
 */
double	num_parse_duration(struct str);

#endif
