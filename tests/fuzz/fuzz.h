/*
 * fuzz: what the fuzz programs share.  Each defines LLVMFuzzerTestOneInput;
 * in a build with --enable-fuzzing libFuzzer calls it, else main.c here does,
 * over files and simple mutations of them, so that every build has them in
 * its tests.
 */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>

#define FUZZ_MEMORY	((size_t)64 << 20) /* bytes for one input's work */

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

/* Promises that no input may break; unlike assert they are always on. */
#define BROKEN(what)	do {						\
	fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, what);	\
	abort();							\
} while (0)
#define MUST(c)	do {							\
	if (!(c))							\
		BROKEN("broken: " #c);					\
} while (0)

#endif
