/*
 * checksum: the sums of $checksum, of bytes that come in pieces.  The types'
 * numbers are PIKT's; 6 is ours.
 */
#ifndef ENGINE_BUILTIN_CHECKSUM_H
#define ENGINE_BUILTIN_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>

enum checksum_type {
	CHECKSUM_NONE,		/* 0 */
	CHECKSUM_BSD,		/* sum -r: 16 bits, rotated */
	CHECKSUM_SYSV,		/* sum -s: 16 bits, added */
	CHECKSUM_POSIX,		/* cksum: CRC-32 with the length */
	CHECKSUM_MD4,		/* RFC 1320 */
	CHECKSUM_MD5,		/* RFC 1321 */
	CHECKSUM_SHA256,	/* FIPS 180-4 */
	CHECKSUM_TYPES
};

#define CHECKSUM_TEXT	65	/* the longest sum as text, zero byte included */

struct checksum {
	enum checksum_type type;
	uint64_t	 bytes;		/* so far */
	uint32_t	 h[8];		/* the state; h[0] of the short sums */
	unsigned char	 block[64];	/* the digests' unfinished block */
	uint32_t	 crc[256];	/* CHECKSUM_POSIX: made by init, since
					 * 2 us cost less than a global table */
};

void	checksum_init(struct checksum *, enum checksum_type);
void	checksum_add(struct checksum *, const void *, size_t);
/* The sum as text: decimal of the short ones, hexadecimal of the digests. */
void	checksum_end(struct checksum *, char out[CHECKSUM_TEXT]);

#endif
