/*
 * checksum: the test suites of the RFCs, and what the system's own tools say
 * about the same bytes (a tool that is missing is skipped).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "engine/builtin/checksum.h"

static const char *
sum(enum checksum_type type, const void *p, size_t n, size_t piece)
{
	static char out[CHECKSUM_TEXT];
	struct checksum c;
	size_t i, take;

	checksum_init(&c, type);
	for (i = 0; i < n; i += take) {
		take = n - i < piece ? n - i : piece;
		checksum_add(&c, (const char *)p + i, take);
	}
	assert_true(c.bytes == n);
	checksum_end(&c, out);
	return out;
}

static void
test_vectors(void **state)
{
	static const struct {
		enum checksum_type type;
		const char	*text, *want;
	} t[] = {
		/* RFC 1320, A.5 */
		{ CHECKSUM_MD4, "", "31d6cfe0d16ae931b73c59d7e0c089c0" },
		{ CHECKSUM_MD4, "a", "bde52cb31de33e46245e05fbdbd6fb24" },
		{ CHECKSUM_MD4, "abc", "a448017aaf21d8525fc10ae87aa6729d" },
		{ CHECKSUM_MD4, "message digest",
		    "d9130a8164549fe818874806e1c7014b" },
		{ CHECKSUM_MD4, "abcdefghijklmnopqrstuvwxyz",
		    "d79e1c308aa5bbcdeea8ed63df412da9" },
		{ CHECKSUM_MD4, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnop"
		    "qrstuvwxyz0123456789",
		    "043f8582f241db351ce627e153e7f0e4" },
		{ CHECKSUM_MD4, "123456789012345678901234567890123456789012"
		    "34567890123456789012345678901234567890",
		    "e33b4ddc9c38f2199c3e7b164fcc0536" },
		/* RFC 1321, A.5 */
		{ CHECKSUM_MD5, "", "d41d8cd98f00b204e9800998ecf8427e" },
		{ CHECKSUM_MD5, "a", "0cc175b9c0f1b6a831c399e269772661" },
		{ CHECKSUM_MD5, "abc", "900150983cd24fb0d6963f7d28e17f72" },
		{ CHECKSUM_MD5, "message digest",
		    "f96b697d7cb7938d525a2f31aaf161d0" },
		{ CHECKSUM_MD5, "123456789012345678901234567890123456789012"
		    "34567890123456789012345678901234567890",
		    "57edf4a22be3c955ac49da2e2107b67a" },
		/* FIPS 180-4's examples */
		{ CHECKSUM_SHA256, "", "e3b0c44298fc1c149afbf4c8996fb924"
		    "27ae41e4649b934ca495991b7852b855" },
		{ CHECKSUM_SHA256, "abc", "ba7816bf8f01cfea414140de5dae2223"
		    "b00361a396177a9cb410ff61f20015ad" },
		{ CHECKSUM_SHA256, "abcdbcdecdefdefgefghfghighijhijkijkljkl"
		    "mklmnlmnomnopnopq", "248d6a61d20638b8e5c026930c3e6039"
		    "a33ce45964ff2167f6ecedd419db06c1" },
		{ CHECKSUM_NONE, "abc", "0" },
		{ CHECKSUM_POSIX, "", "4294967295" },
		{ CHECKSUM_BSD, "abc", "16556" },
		{ CHECKSUM_SYSV, "abc", "294" },
	};
	size_t i, piece;

	(void)state;
	for (i = 0; i < sizeof t / sizeof t[0]; i++)
		for (piece = 1; piece < 100; piece += 7)
			assert_string_equal(sum(t[i].type, t[i].text,
			    strlen(t[i].text), piece), t[i].want);
}

static void
test_tools(void **state)
{
	static const struct {
		enum checksum_type type;
		const char	*tool;
	} t[] = {
		{ CHECKSUM_POSIX, "cksum" },
		{ CHECKSUM_BSD, "sum -r" },
		{ CHECKSUM_SYSV, "sum -s" },
		{ CHECKSUM_MD5, "md5sum" },
		{ CHECKSUM_SHA256, "sha256sum" },
	};
	static const size_t size[] = { 0, 1, 55, 56, 63, 64, 65, 119, 120,
	    128, 511, 512, 513, 100003 };
	char name[] = "/tmp/test_checksum.XXXXXX";
	char command[128], line[256], *p = malloc(100003);
	uint32_t r = 1;
	size_t i, k;
	FILE *f;
	int fd;

	(void)state;
	assert_non_null(p);
	for (i = 0; i < 100003; i++) {
		r = r * 1664525 + 1013904223;
		p[i] = (char)(r >> 24);
	}
	fd = mkstemp(name);
	assert_true(fd >= 0);
	for (k = 0; k < sizeof size / sizeof size[0]; k++) {
		assert_int_equal(ftruncate(fd, 0), 0);
		assert_int_equal(pwrite(fd, p, size[k], 0), (ssize_t)size[k]);
		for (i = 0; i < sizeof t / sizeof t[0]; i++) {
			snprintf(command, sizeof command, "%s %s 2>&1",
			    t[i].tool, name);
			f = popen(command, "r");
			assert_non_null(f);
			if (fgets(line, sizeof line, f) == NULL)
				line[0] = '\0';
			if (pclose(f) != 0)
				continue;
			line[strcspn(line, " ")] = '\0';
			/* sum -r writes leading zeros */
			if (t[i].type == CHECKSUM_BSD)
				snprintf(line, sizeof line, "%ld",
				    strtol(line, NULL, 10));
			assert_string_equal(sum(t[i].type, p, size[k], 97),
			    line);
		}
	}
	close(fd);
	unlink(name);
	free(p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vectors),
		cmocka_unit_test(test_tools),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("checksum", tests, NULL, NULL);
}
