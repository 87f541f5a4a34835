/*
 * Runs a fuzz program without libFuzzer.
 *
 * usage: fuzz_NAME [-n MUTATIONS] [-s SEED] [-p NUMBER] FILE...
 *
 * Each file as it is, then so many mutations of it; the same seed and file
 * make the same inputs.  When a signal ends the program it says which input
 * it was at; -p writes that one to standard output instead.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/fuzz/fuzz.h"

#define LIM_INPUT	(256 * 1024)	/* bytes: small inputs find more */

static uint64_t rng;
static char now[512];		/* what is being tried */

static void
crashed(int sig)
{
	if (write(STDERR_FILENO, now, strlen(now)) < 0)
		_exit(2);
	signal(sig, SIG_DFL);
	raise(sig);
}

static size_t
roll(size_t n)		/* 0 .. n-1; xorshift64* */
{
	rng ^= rng >> 12;
	rng ^= rng << 25;
	rng ^= rng >> 27;
	return n == 0 ? 0 : (size_t)((rng * 0x2545F4914F6CDD1DULL) >> 33) % n;
}

/* What scripts are made of, and what trips those who read them. */
static const char *const words[] = {
	"\"", "'", "(", ")", "[", "]", "{", "}", "$", "#", "%", "@", "=", "\\",
	"\n", "\n\t", "//", "/*", "*/", "\"\"\"", "#{", "${", "`", "$(", "|",
	" if ", " fi ", " while ", " endwhile ", " set ", " rule\n", " begin\n",
	" end\n", " init\n", " exec ", " output mail ", " do ", " switch ",
	" case ", " default ", " endsw ", " for ", " endfor ", " again ",
	" =~ ", " . ", " ** ", " -e ", "=ps", "=two(", "=loop", "1e308", "10%",
	"$foo", "#bar", "@#x", "%$x", "FOO", "$a[", "#keys($k, $a)",
	"#popen(", "$text(", "$raw(", "$words(", "#if", "#ifdef x\n",
	"\n#if linux\n", "\n#elif ! a\n", "\n#else\n", "\n#endif\n",
	"\n#ifdef doexec\n", "\n#elsedef\n", "\n#endifdef\n", "\n#define x\n",
	"\n#setdef x = [a]\n", "\n#include \"ab\"\n", "\n#include <a>\n",
	"\n#include [a]\n", "\n#verbatim \"a\"\n", "\n#fix\n", "\n#unfix\n",
	"\n#indent\n", "\n#unindent\n", "\n#set a = \"$ab\"\n",
	"\n#echo \"$a ${ab}\"\n", "\n#exec [b c]\n", "\nname TRUE\n",
	"\nname(A, B) (A) (B)\n", "=name(x, =name)", "\xff",
	"\x80", "0", "-1", "99999999999999999999", "<<NIL>>",
};

static size_t
mutate(uint8_t *p, size_t n, size_t max, const uint8_t *other, size_t nother)
{
	size_t turns = 1 + roll(4), at, len, from;

	while (turns-- > 0) {
		at = roll(n + 1);
		switch (roll(8)) {
		case 0:				/* a bit */
			if (n > 0)
				p[at % n] ^= (uint8_t)(1u << roll(8));
			break;
		case 1:				/* a byte */
			if (n > 0)
				p[at % n] = (uint8_t)roll(256);
			break;
		case 2:				/* cut out */
			len = 1 + roll(n / 8 + 8);
			if (at + len <= n) {
				memmove(p + at, p + at + len, n - at - len);
				n -= len;
			}
			break;
		case 3:				/* double a piece */
			len = 1 + roll(n / 8 + 8);
			if (at + len <= n && n + len <= max) {
				memmove(p + at + len, p + at, n - at);
				n += len;
			}
			break;
		case 4:				/* a piece of another input */
			from = roll(nother + 1);
			len = 1 + roll(64);
			if (from + len <= nother && n + len <= max) {
				memmove(p + at + len, p + at, n - at);
				memcpy(p + at, other + from, len);
				n += len;
			}
			break;
		case 5:				/* cut short */
			if (roll(8) == 0)
				n = at;
			break;
		default: {			/* a word */
			const char *w = words[roll(sizeof words /
			    sizeof words[0])];

			len = strlen(w);
			if (n + len <= max) {
				memmove(p + at + len, p + at, n - at);
				memcpy(p + at, w, len);
				n += len;
			}
			break;
		}
		}
	}
	return n;
}

static void
try(const uint8_t *p, size_t n)
{
	/* a block of its exact size, so that reading over its end is seen */
	uint8_t *copy = malloc(n > 0 ? n : 1);

	if (copy == NULL)
		abort();
	if (n > 0)
		memcpy(copy, p, n);
	LLVMFuzzerTestOneInput(copy, n);
	free(copy);
}

static size_t
slurp(const char *path, uint8_t *p)
{
	FILE *f = fopen(path, "rb");
	size_t n;

	if (f == NULL) {
		perror(path);
		exit(2);
	}
	n = fread(p, 1, LIM_INPUT, f);
	fclose(f);
	return n;
}

int
main(int argc, char **argv)
{
	static uint8_t seed[LIM_INPUT], other[LIM_INPUT], work[LIM_INPUT];
	static const int fatal[] = { SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL,
	    SIGALRM, SIGTERM };
	size_t n, nother, k, mutations = 0, print = 0, done = 0, i;
	unsigned long long start = 1;
	int opt, file;

	while ((opt = getopt(argc, argv, "n:s:p:")) != -1) {
		if (opt == 'n')
			mutations = (size_t)strtoul(optarg, NULL, 10);
		else if (opt == 'p')
			print = (size_t)strtoul(optarg, NULL, 10);
		else if (opt == 's')
			start = strtoull(optarg, NULL, 10);
		else
			return 2;
	}
	if (print > 0)
		mutations = print;
	for (i = 0; i < sizeof fatal / sizeof fatal[0]; i++)
		signal(fatal[i], crashed);
	for (file = optind; file < argc; file++) {
		n = slurp(argv[file], seed);
		/* pieces to mix in: of the file itself, wherever it is called */
		memcpy(other, seed, n);
		nother = n;
		snprintf(now, sizeof now, "while on %s\n", argv[file]);
		if (print == 0)
			try(seed, n);
		done++;
		for (k = print > 0 ? print : 1; k <= mutations; k++) {
			snprintf(now, sizeof now,
			    "while on mutation %zu of %s, seed %llu\n",
			    k, argv[file], start);
			rng = (start * 1000003 + k) * 0x9E3779B97F4A7C15ULL | 1;
			roll(1);
			memcpy(work, seed, n);
			i = mutate(work, n, LIM_INPUT, other, nother);
			if (print > 0)
				return fwrite(work, 1, i, stdout) != i;
			try(work, i);
			done++;
		}
	}
	printf("%zu inputs\n", done);
	return done > 0 ? 0 : 1;
}
