#include "engine/builtin/checksum.h"

#include <stdio.h>
#include <string.h>

static uint32_t
rol(uint32_t x, unsigned n)
{
	return x << n | x >> (32 - n);
}

static uint32_t
ror(uint32_t x, unsigned n)
{
	return x >> n | x << (32 - n);
}

static uint32_t
get_le(const unsigned char *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
	    (uint32_t)p[3] << 24;
}

static uint32_t
get_be(const unsigned char *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
	    (uint32_t)p[2] << 8 | (uint32_t)p[3];
}

/* The choice and the majority of bits that MD4, MD5 and SHA-256 share. */
static uint32_t
choose(uint32_t x, uint32_t y, uint32_t z)
{
	return (x & y) | (~x & z);
}

static uint32_t
majority(uint32_t x, uint32_t y, uint32_t z)
{
	return (x & y) | (x & z) | (y & z);
}

/* RFC 1320, 3.4: three rounds of 16 steps over words in these orders. */
static void
md4_block(uint32_t h[8], const unsigned char *p)
{
	static const unsigned char order[3][16] = {
		{ 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 },
		{ 0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15 },
		{ 0, 8, 4, 12, 2, 10, 6, 14, 1, 9, 5, 13, 3, 11, 7, 15 },
	};
	static const unsigned char shift[3][4] = {
		{ 3, 7, 11, 19 }, { 3, 5, 9, 13 }, { 3, 9, 11, 15 },
	};
	static const uint32_t add[3] = { 0, 0x5a827999, 0x6ed9eba1 };
	uint32_t a = h[0], b = h[1], c = h[2], d = h[3], f;
	unsigned round, i;

	for (round = 0; round < 3; round++)
		for (i = 0; i < 16; i++) {
			f = round == 0 ? choose(b, c, d) :
			    round == 1 ? majority(b, c, d) : b ^ c ^ d;
			f += a + get_le(p + 4 * order[round][i]) + add[round];
			a = d;
			d = c;
			c = b;
			b = rol(f, shift[round][i % 4]);
		}
	h[0] += a;
	h[1] += b;
	h[2] += c;
	h[3] += d;
}

/* RFC 1321, 3.4: four rounds of 16 steps; the table is |sin(i + 1)| * 2^32. */
static void
md5_block(uint32_t h[8], const unsigned char *p)
{
	static const uint32_t table[64] = {
		0xd76aa478, 0xe8c7b756, 0x242070db, 0xc1bdceee,
		0xf57c0faf, 0x4787c62a, 0xa8304613, 0xfd469501,
		0x698098d8, 0x8b44f7af, 0xffff5bb1, 0x895cd7be,
		0x6b901122, 0xfd987193, 0xa679438e, 0x49b40821,
		0xf61e2562, 0xc040b340, 0x265e5a51, 0xe9b6c7aa,
		0xd62f105d, 0x02441453, 0xd8a1e681, 0xe7d3fbc8,
		0x21e1cde6, 0xc33707d6, 0xf4d50d87, 0x455a14ed,
		0xa9e3e905, 0xfcefa3f8, 0x676f02d9, 0x8d2a4c8a,
		0xfffa3942, 0x8771f681, 0x6d9d6122, 0xfde5380c,
		0xa4beea44, 0x4bdecfa9, 0xf6bb4b60, 0xbebfbc70,
		0x289b7ec6, 0xeaa127fa, 0xd4ef3085, 0x04881d05,
		0xd9d4d039, 0xe6db99e5, 0x1fa27cf8, 0xc4ac5665,
		0xf4292244, 0x432aff97, 0xab9423a7, 0xfc93a039,
		0x655b59c3, 0x8f0ccc92, 0xffeff47d, 0x85845dd1,
		0x6fa87e4f, 0xfe2ce6e0, 0xa3014314, 0x4e0811a1,
		0xf7537e82, 0xbd3af235, 0x2ad7d2bb, 0xeb86d391,
	};
	static const unsigned char shift[4][4] = {
		{ 7, 12, 17, 22 }, { 5, 9, 14, 20 },
		{ 4, 11, 16, 23 }, { 6, 10, 15, 21 },
	};
	uint32_t a = h[0], b = h[1], c = h[2], d = h[3], f;
	unsigned i, word;

	for (i = 0; i < 64; i++) {
		switch (i / 16) {
		case 0:
			f = choose(b, c, d);
			word = i;
			break;
		case 1:
			f = choose(d, b, c);
			word = (5 * i + 1) % 16;
			break;
		case 2:
			f = b ^ c ^ d;
			word = (3 * i + 5) % 16;
			break;
		default:
			f = c ^ (b | ~d);
			word = 7 * i % 16;
		}
		f += a + table[i] + get_le(p + 4 * word);
		a = d;
		d = c;
		c = b;
		b += rol(f, shift[i / 16][i % 4]);
	}
	h[0] += a;
	h[1] += b;
	h[2] += c;
	h[3] += d;
}

/* FIPS 180-4, 6.2.2. */
static void
sha256_block(uint32_t h[8], const unsigned char *p)
{
	static const uint32_t k[64] = {
		0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5,
		0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
		0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3,
		0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
		0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc,
		0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
		0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7,
		0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
		0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13,
		0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
		0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3,
		0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
		0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5,
		0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
		0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208,
		0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
	};
	uint32_t w[64], v[8], t, s;
	unsigned i, n;

	for (i = 0; i < 16; i++)
		w[i] = get_be(p + 4 * i);
	for (; i < 64; i++) {
		s = w[i - 15];
		t = w[i - 2];
		w[i] = w[i - 16] + w[i - 7] +
		    (ror(s, 7) ^ ror(s, 18) ^ s >> 3) +
		    (ror(t, 17) ^ ror(t, 19) ^ t >> 10);
	}
	memcpy(v, h, sizeof v);
	/*
	 * The eight variables go round instead of being moved: in step i
	 * V(i, 0) is the standard's a.  Eight steps written out keep them in
	 * registers (twice as fast as a loop of one).
	 */
#define V(i, k)	v[((k) - (i)) & 7]
#define STEP(i) do { \
	t = V(i, 7) + k[n + i] + w[n + i] + \
	    choose(V(i, 4), V(i, 5), V(i, 6)) + \
	    (ror(V(i, 4), 6) ^ ror(V(i, 4), 11) ^ ror(V(i, 4), 25)); \
	s = majority(V(i, 0), V(i, 1), V(i, 2)) + \
	    (ror(V(i, 0), 2) ^ ror(V(i, 0), 13) ^ ror(V(i, 0), 22)); \
	V(i, 3) += t; \
	V(i, 7) = t + s; \
} while (0)
	for (n = 0; n < 64; n += 8) {
		STEP(0);
		STEP(1);
		STEP(2);
		STEP(3);
		STEP(4);
		STEP(5);
		STEP(6);
		STEP(7);
	}
#undef STEP
#undef V
	for (i = 0; i < 8; i++)
		h[i] += v[i];
}

static void
digest_block(struct checksum *c, const unsigned char *p)
{
	if (c->type == CHECKSUM_MD4)
		md4_block(c->h, p);
	else if (c->type == CHECKSUM_MD5)
		md5_block(c->h, p);
	else
		sha256_block(c->h, p);
}

static void
digest_add(struct checksum *c, const unsigned char *p, size_t n)
{
	size_t have = c->bytes % sizeof c->block, take;

	if (have > 0) {
		take = sizeof c->block - have < n ?
		    sizeof c->block - have : n;
		memcpy(c->block + have, p, take);
		if (have + take < sizeof c->block)
			return;
		digest_block(c, c->block);
		p += take;
		n -= take;
	}
	while (n >= sizeof c->block) {
		digest_block(c, p);
		p += sizeof c->block;
		n -= sizeof c->block;
	}
	if (n > 0)
		memcpy(c->block, p, n);
}

/* One bit, zeros, the length in bits: the same of all three. */
static void
digest_end(struct checksum *c)
{
	static const unsigned char one = 0x80, zero = 0;
	uint64_t bits = c->bytes * 8;
	unsigned char length[8];
	unsigned i;

	for (i = 0; i < 8; i++)
		length[i] = (unsigned char)(bits >>
		    8 * (c->type == CHECKSUM_SHA256 ? 7 - i : i));
	checksum_add(c, &one, 1);
	while (c->bytes % sizeof c->block != sizeof c->block - 8)
		checksum_add(c, &zero, 1);
	checksum_add(c, length, 8);
}

/* POSIX cksum's polynomial, the highest bit first. */
static void
crc_table(uint32_t t[256])
{
	uint32_t i, r;
	int bit;

	for (i = 0; i < 256; i++) {
		r = i << 24;
		for (bit = 0; bit < 8; bit++)
			r = r << 1 ^ (r >> 31 ? 0x04c11db7 : 0);
		t[i] = r;
	}
}

static uint32_t
crc_byte(const struct checksum *c, uint32_t r, unsigned char byte)
{
	return r << 8 ^ c->crc[(r >> 24 ^ byte) & 0xff];
}

void
checksum_init(struct checksum *c, enum checksum_type type)
{
	/* FIPS 180-4, 5.3.3; those of MD4 and MD5 are 0123... backwards. */
	static const uint32_t sha[8] = { 0x6a09e667, 0xbb67ae85, 0x3c6ef372,
	    0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19 };
	static const uint32_t md[8] = { 0x67452301, 0xefcdab89, 0x98badcfe,
	    0x10325476 };

	memset(c, 0, sizeof *c);
	c->type = type;
	if (type == CHECKSUM_POSIX)
		crc_table(c->crc);
	else if (type == CHECKSUM_SHA256)
		memcpy(c->h, sha, sizeof sha);
	else if (type == CHECKSUM_MD4 || type == CHECKSUM_MD5)
		memcpy(c->h, md, sizeof md);
}

void
checksum_add(struct checksum *c, const void *data, size_t n)
{
	const unsigned char *p = data;
	uint32_t r = c->h[0];
	size_t i;

	switch (c->type) {
	case CHECKSUM_BSD:
		for (i = 0; i < n; i++)
			r = ((r >> 1 | r << 15) + p[i]) & 0xffff;
		break;
	case CHECKSUM_SYSV:
		for (i = 0; i < n; i++)
			r += p[i];	/* modulo 2^32, as sum(1) */
		break;
	case CHECKSUM_POSIX:
		for (i = 0; i < n; i++)
			r = crc_byte(c, r, p[i]);
		break;
	case CHECKSUM_MD4:
	case CHECKSUM_MD5:
	case CHECKSUM_SHA256:
		digest_add(c, p, n);
		r = c->h[0];
		break;
	case CHECKSUM_NONE:
	case CHECKSUM_TYPES:
		break;
	}
	c->h[0] = r;
	c->bytes += n;
}

void
checksum_end(struct checksum *c, char out[CHECKSUM_TEXT])
{
	uint32_t r = c->h[0];
	uint64_t left;
	unsigned i, n;

	switch (c->type) {
	case CHECKSUM_SYSV:
		r = (r & 0xffff) + (r >> 16);
		r = (r & 0xffff) + (r >> 16);
		break;
	case CHECKSUM_POSIX:
		for (left = c->bytes; left != 0; left >>= 8)
			r = crc_byte(c, r, (unsigned char)left);
		r = ~r;
		break;
	case CHECKSUM_MD4:
	case CHECKSUM_MD5:
	case CHECKSUM_SHA256:
		digest_end(c);
		n = c->type == CHECKSUM_SHA256 ? 32 : 16;
		for (i = 0; i < n; i++)
			snprintf(out + 2 * i, 3, "%02x", 0xff & c->h[i / 4] >>
			    8 * (c->type == CHECKSUM_SHA256 ? 3 - i % 4 :
			    i % 4));
		return;
	case CHECKSUM_NONE:
	case CHECKSUM_BSD:
	case CHECKSUM_TYPES:
		break;
	}
	snprintf(out, CHECKSUM_TEXT, "%lu", (unsigned long)r);
}
