/*
 * argv FILE ARG...: adds its arguments to FILE, byte for byte: their number,
 * then each as "length:bytes,".  With ":stdin" in place of an argument its
 * standard input is recorded there.
 */
#include <stdio.h>
#include <string.h>

static char input[1 << 20];

int
main(int argc, char **argv)
{
	FILE *f;
	size_t n;
	int i;

	if (argc < 2 || (f = fopen(argv[1], "ab")) == NULL)
		return 125;
	fprintf(f, "%d ", argc - 2);
	for (i = 2; i < argc; i++) {
		const char *p = argv[i];

		n = strlen(p);
		if (strcmp(p, ":stdin") == 0) {
			n = fread(input, 1, sizeof input, stdin);
			p = input;
		}
		fprintf(f, "%zu:", n);
		fwrite(p, 1, n, f);
		putc(',', f);
	}
	putc('\n', f);
	return ferror(f) || fclose(f) != 0 ? 125 : 0;
}
