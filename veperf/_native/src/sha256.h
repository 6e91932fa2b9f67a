/* SHA-256 (FIPS 180-4), by the processor's own instructions where it has them. */

#ifndef VEPERF_SHA256_H
#define VEPERF_SHA256_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__x86_64__) && defined(__GNUC__)
#define HAS_SHA_NI 1
#include <cpuid.h>
#include <immintrin.h>
#else
#define HAS_SHA_NI 0
#endif

#define HASH_BYTES 32
#define SHA_BLOCK 64

static const uint32_t sha_constants[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};
static const uint32_t sha_start[8] = {
    0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
};

#define ROTATED(x, n) ((x) >> (n) | (x) << (32 - (n)))

/* Takes whole blocks into the state. */
static void sha_portable_blocks(uint32_t state[8], const uint8_t *data, size_t blocks) {
    for (; blocks; blocks--, data += SHA_BLOCK) {
        uint32_t w[16], v[8];
        memcpy(v, state, sizeof v);
        for (int i = 0; i < 64; i++) {
            uint32_t word;
            if (i < 16) {
                const uint8_t *p = data + 4 * i;
                word = (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
            } else {
                uint32_t a = w[(i + 1) & 15], b = w[(i + 14) & 15];
                word = w[i & 15] + w[(i + 9) & 15] + (ROTATED(a, 7) ^ ROTATED(a, 18) ^ a >> 3) +
                       (ROTATED(b, 17) ^ ROTATED(b, 19) ^ b >> 10);
            }
            w[i & 15] = word;
            uint32_t a = v[0], e = v[4];
            uint32_t one = v[7] + (ROTATED(e, 6) ^ ROTATED(e, 11) ^ ROTATED(e, 25)) +
                           ((e & v[5]) ^ (~e & v[6])) + sha_constants[i] + word;
            uint32_t two = (ROTATED(a, 2) ^ ROTATED(a, 13) ^ ROTATED(a, 22)) +
                           ((a & v[1]) ^ (a & v[2]) ^ (v[1] & v[2]));
            memmove(v + 1, v, 7 * sizeof *v);
            v[4] += one;
            v[0] = one + two;
        }
        for (int i = 0; i < 8; i++)
            state[i] += v[i];
    }
}

#if HAS_SHA_NI

/* Four rounds, and the four words of the schedule that come 16 later. */
#define FOUR_ROUNDS(i, w0, w1, w2, w3)                                                             \
    do {                                                                                           \
        __m128i k = _mm_loadu_si128((const __m128i *)(const void *)(sha_constants + 4 * (i)));     \
        __m128i sum = _mm_add_epi32(w0, k);                                                        \
        cdgh = _mm_sha256rnds2_epu32(cdgh, abef, sum);                                             \
        abef = _mm_sha256rnds2_epu32(abef, cdgh, _mm_shuffle_epi32(sum, 0x0e));                    \
        if ((i) < 12)                                                                              \
            w0 = _mm_sha256msg2_epu32(                                                             \
                _mm_add_epi32(_mm_sha256msg1_epu32(w0, w1), _mm_alignr_epi8(w3, w2, 4)), w3);      \
    } while (0)

#define SIXTEEN_ROUNDS(i)                                                                          \
    FOUR_ROUNDS(i, a, b, c, d);                                                                    \
    FOUR_ROUNDS((i) + 1, b, c, d, a);                                                              \
    FOUR_ROUNDS((i) + 2, c, d, a, b);                                                              \
    FOUR_ROUNDS((i) + 3, d, a, b, c)

#define LOADED(p) _mm_loadu_si128((const __m128i *)(const void *)(p))

__attribute__((target("sha,sse4.1,ssse3"))) static void
sha_ni_blocks(uint32_t state[8], const uint8_t *data, size_t blocks) {
    const __m128i big_endian = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
    __m128i abcd = _mm_shuffle_epi32(LOADED(state), 0xb1);
    __m128i cdgh = _mm_shuffle_epi32(LOADED(state + 4), 0x1b);
    __m128i abef = _mm_alignr_epi8(abcd, cdgh, 8);
    cdgh = _mm_blend_epi16(cdgh, abcd, 0xf0);
    for (; blocks; blocks--, data += SHA_BLOCK) {
        __m128i abef_before = abef, cdgh_before = cdgh;
        __m128i a = _mm_shuffle_epi8(LOADED(data), big_endian);
        __m128i b = _mm_shuffle_epi8(LOADED(data + 16), big_endian);
        __m128i c = _mm_shuffle_epi8(LOADED(data + 32), big_endian);
        __m128i d = _mm_shuffle_epi8(LOADED(data + 48), big_endian);
        SIXTEEN_ROUNDS(0);
        SIXTEEN_ROUNDS(4);
        SIXTEEN_ROUNDS(8);
        SIXTEEN_ROUNDS(12);
        abef = _mm_add_epi32(abef, abef_before);
        cdgh = _mm_add_epi32(cdgh, cdgh_before);
    }
    __m128i feba = _mm_shuffle_epi32(abef, 0x1b);
    __m128i dchg = _mm_shuffle_epi32(cdgh, 0xb1);
    _mm_storeu_si128((__m128i *)(void *)state, _mm_blend_epi16(feba, dchg, 0xf0));
    _mm_storeu_si128((__m128i *)(void *)(state + 4), _mm_alignr_epi8(dchg, feba, 8));
}

static int has_sha_ni(void) {
    unsigned a, b, c, d;
    const unsigned sse = 1u << 9 | 1u << 19; /* SSSE3 and SSE 4.1 */
    if (!__get_cpuid(1, &a, &b, &c, &d) || (c & sse) != sse)
        return 0;
    return __get_cpuid_count(7, 0, &a, &b, &c, &d) && b >> 29 & 1;
}

#endif

static void (*sha_blocks)(uint32_t state[8], const uint8_t *data,
                          size_t blocks) = sha_portable_blocks;

/* Chooses the fastest code that runs here; returns its name. */
static const char *sha_initialize(void) {
#if HAS_SHA_NI
    if (has_sha_ni()) {
        sha_blocks = sha_ni_blocks;
        return "SHA-NI";
    }
#endif
    return "portable";
}

/* A message of several parts. */
typedef struct {
    uint32_t state[8];
    uint64_t size;
    uint8_t block[SHA_BLOCK];
} sha_message;

static inline void sha_begin(sha_message *message) {
    memcpy(message->state, sha_start, sizeof sha_start);
    message->size = 0;
}

static inline void sha_add(sha_message *message, const uint8_t *data, size_t size) {
    size_t filled = message->size % SHA_BLOCK;
    message->size += size;
    if (filled) {
        size_t part = size < SHA_BLOCK - filled ? size : SHA_BLOCK - filled;
        memcpy(message->block + filled, data, part);
        if (filled + part < SHA_BLOCK)
            return;
        sha_blocks(message->state, message->block, 1);
        data += part;
        size -= part;
    }
    if (size >= SHA_BLOCK) {
        sha_blocks(message->state, data, size / SHA_BLOCK);
        data += size / SHA_BLOCK * SHA_BLOCK;
        size %= SHA_BLOCK;
    }
    if (size)
        memcpy(message->block, data, size);
}

static inline void sha_end(uint8_t hash[HASH_BYTES], sha_message *message) {
    size_t filled = message->size % SHA_BLOCK;
    uint8_t *block = message->block;
    block[filled++] = 0x80;
    if (filled > SHA_BLOCK - 8) {
        memset(block + filled, 0, SHA_BLOCK - filled);
        sha_blocks(message->state, block, 1);
        filled = 0;
    }
    memset(block + filled, 0, SHA_BLOCK - 8 - filled);
    for (int i = 0; i < 8; i++)
        block[SHA_BLOCK - 8 + i] = (uint8_t)(message->size << 3 >> (56 - 8 * i));
    sha_blocks(message->state, block, 1);
    for (int i = 0; i < 8; i++) {
        uint32_t word = message->state[i];
        for (int j = 0; j < 4; j++)
            hash[4 * i + j] = (uint8_t)(word >> (24 - 8 * j));
    }
}

static inline void sha256(uint8_t hash[HASH_BYTES], const uint8_t *data, size_t size) {
    sha_message message;
    sha_begin(&message);
    sha_add(&message, data, size);
    sha_end(hash, &message);
}

#endif
