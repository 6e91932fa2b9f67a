/* The prime fields of BN254: four 64-bit limbs, lowest first, in Montgomery form (a * 2^256 mod m).

   Every element is fully reduced. Products are Montgomery's (Montgomery 1985) by the operand
   scanning of Koc, Acar and Kaliski 1996, whose last carry is never set here, as both primes leave
   their two highest bits free. Nothing runs in constant time. */

#ifndef VEPERF_FIELD_H
#define VEPERF_FIELD_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef unsigned __int128 u128;

/* What became of a kernel's work. */
typedef enum { DONE, NO_MEMORY, BAD_INPUT, NOT_ON_CURVE, NOT_IN_SUBGROUP } outcome;

#define ELEMENT_BYTES 32

typedef struct {
    uint64_t limb[4];
} number; /* below 2^256; an element of either field, or a plain integer */

/* Loops over limbs are written out, and carries are taken from the compiler's overflow checks: it
   makes chains of additions with carry of these, twice as fast as of loops over wider integers. */
static inline uint64_t add_limb(uint64_t a, uint64_t b, uint64_t *carry) {
    uint64_t sum;
    uint64_t first = __builtin_add_overflow(a, b, &sum);
    uint64_t second = __builtin_add_overflow(sum, *carry, &sum);
    *carry = first | second;
    return sum;
}

static inline uint64_t subtract_limb(uint64_t a, uint64_t b, uint64_t *borrow) {
    uint64_t difference;
    uint64_t first = __builtin_sub_overflow(a, b, &difference);
    uint64_t second = __builtin_sub_overflow(difference, *borrow, &difference);
    *borrow = first | second;
    return difference;
}

/* Sets r to a + b modulo 2^256 and returns the carry. */
static inline uint64_t number_add(number *r, const number *a, const number *b) {
    uint64_t carry = 0;
    r->limb[0] = add_limb(a->limb[0], b->limb[0], &carry);
    r->limb[1] = add_limb(a->limb[1], b->limb[1], &carry);
    r->limb[2] = add_limb(a->limb[2], b->limb[2], &carry);
    r->limb[3] = add_limb(a->limb[3], b->limb[3], &carry);
    return carry;
}

/* Sets r to a - b modulo 2^256 and returns the borrow. */
static inline uint64_t number_subtract(number *r, const number *a, const number *b) {
    uint64_t borrow = 0;
    r->limb[0] = subtract_limb(a->limb[0], b->limb[0], &borrow);
    r->limb[1] = subtract_limb(a->limb[1], b->limb[1], &borrow);
    r->limb[2] = subtract_limb(a->limb[2], b->limb[2], &borrow);
    r->limb[3] = subtract_limb(a->limb[3], b->limb[3], &borrow);
    return borrow;
}

static inline int number_is_zero(const number *a) {
    return (a->limb[0] | a->limb[1] | a->limb[2] | a->limb[3]) == 0;
}

static inline int number_equals(const number *a, const number *b) {
    return ((a->limb[0] ^ b->limb[0]) | (a->limb[1] ^ b->limb[1]) | (a->limb[2] ^ b->limb[2]) |
            (a->limb[3] ^ b->limb[3])) == 0;
}

static inline int number_is_less(const number *a, const number *b) {
    number ignored;
    return (int)number_subtract(&ignored, a, b);
}

static inline void number_from_bytes(number *r, const uint8_t *bytes, int is_big_endian) {
    for (int i = 0; i < 4; i++) {
        uint64_t limb = 0;
        for (int j = 0; j < 8; j++) {
            int at = 8 * i + j;
            limb |= (uint64_t)bytes[is_big_endian ? ELEMENT_BYTES - 1 - at : at] << (8 * j);
        }
        r->limb[i] = limb;
    }
}

static inline void number_to_bytes(uint8_t *bytes, const number *a) {
    for (int i = 0; i < ELEMENT_BYTES; i++)
        bytes[i] = (uint8_t)(a->limb[i / 8] >> (8 * (i % 8)));
}

/* Subtracts the modulus unless r is below it, without a branch that would often be mispredicted. */
static inline void reduce_once(number *r, const number *modulus) {
    number smaller;
    uint64_t is_less = number_subtract(&smaller, r, modulus);
    r->limb[0] = is_less ? r->limb[0] : smaller.limb[0];
    r->limb[1] = is_less ? r->limb[1] : smaller.limb[1];
    r->limb[2] = is_less ? r->limb[2] : smaller.limb[2];
    r->limb[3] = is_less ? r->limb[3] : smaller.limb[3];
}

static inline void modular_add(number *r, const number *a, const number *b, const number *modulus) {
    number sum;
    number_add(&sum, a, b); /* below 2^255 */
    reduce_once(&sum, modulus);
    *r = sum;
}

static inline void modular_subtract(number *r, const number *a, const number *b,
                                    const number *modulus) {
    number difference, correction;
    uint64_t mask = -number_subtract(&difference, a, b);
    correction.limb[0] = modulus->limb[0] & mask;
    correction.limb[1] = modulus->limb[1] & mask;
    correction.limb[2] = modulus->limb[2] & mask;
    correction.limb[3] = modulus->limb[3] & mask;
    number_add(r, &difference, &correction);
}

/* Adds a b_i and the multiple of the modulus that makes the lowest limb 0, and drops that limb. */
#define MULTIPLY_AND_REDUCE(factor)                                                                \
    do {                                                                                           \
        u128 high = (u128)a0 * (factor) + t0;                                                      \
        uint64_t quotient = (uint64_t)high * negated_inverse;                                      \
        u128 low = (u128)quotient * modulus->limb[0] + (uint64_t)high;                             \
        high = (u128)a1 * (factor) + t1 + (uint64_t)(high >> 64);                                  \
        low = (u128)quotient * modulus->limb[1] + (uint64_t)high + (uint64_t)(low >> 64);          \
        t0 = (uint64_t)low;                                                                        \
        high = (u128)a2 * (factor) + t2 + (uint64_t)(high >> 64);                                  \
        low = (u128)quotient * modulus->limb[2] + (uint64_t)high + (uint64_t)(low >> 64);          \
        t1 = (uint64_t)low;                                                                        \
        high = (u128)a3 * (factor) + t3 + (uint64_t)(high >> 64);                                  \
        low = (u128)quotient * modulus->limb[3] + (uint64_t)high + (uint64_t)(low >> 64);          \
        t2 = (uint64_t)low;                                                                        \
        t3 = (uint64_t)(high >> 64) + (uint64_t)(low >> 64);                                       \
    } while (0)

/* Sets r to a b / 2^256; negated_inverse is -1 / modulus modulo 2^64. */
static inline void montgomery_product(number *r, const number *a, const number *b,
                                      const number *modulus, uint64_t negated_inverse) {
    uint64_t a0 = a->limb[0], a1 = a->limb[1], a2 = a->limb[2], a3 = a->limb[3];
    uint64_t t0 = 0, t1 = 0, t2 = 0, t3 = 0;
    MULTIPLY_AND_REDUCE(b->limb[0]);
    MULTIPLY_AND_REDUCE(b->limb[1]);
    MULTIPLY_AND_REDUCE(b->limb[2]);
    MULTIPLY_AND_REDUCE(b->limb[3]);
    number product = {{t0, t1, t2, t3}};
    /* Of random factors, the product is seldom as large as the modulus: a branch is cheaper. */
    if (t3 >= modulus->limb[3] && !number_is_less(&product, modulus))
        number_subtract(&product, &product, modulus);
    *r = product;
}

/* The operations of one field under its prefix; the constants are set by prefix_initialize. */
#define DEFINE_FIELD(f, M0, M1, M2, M3, NEGATED_INVERSE)                                           \
    static const number f##_modulus = {{M0, M1, M2, M3}};                                          \
    static number f##_one, f##_square_of_radix;                                                    \
    static inline void f##_add(number *r, const number *a, const number *b) {                      \
        modular_add(r, a, b, &f##_modulus);                                                        \
    }                                                                                              \
    static inline void f##_subtract(number *r, const number *a, const number *b) {                 \
        modular_subtract(r, a, b, &f##_modulus);                                                   \
    }                                                                                              \
    static inline void f##_negate(number *r, const number *a) {                                    \
        const number zero = {{0, 0, 0, 0}};                                                        \
        modular_subtract(r, &zero, a, &f##_modulus);                                               \
    }                                                                                              \
    static void f##_multiply(number *r, const number *a, const number *b) {                        \
        montgomery_product(r, a, b, &f##_modulus, NEGATED_INVERSE);                                \
    }                                                                                              \
    static inline void f##_square(number *r, const number *a) { f##_multiply(r, a, a); }           \
    static void f##_initialize(void) {                                                             \
        number power = {{1, 0, 0, 0}};                                                             \
        for (int i = 0; i < 512; i++) {                                                            \
            modular_add(&power, &power, &power, &f##_modulus);                                     \
            if (i == 255)                                                                          \
                f##_one = power;                                                                   \
        }                                                                                          \
        f##_square_of_radix = power;                                                               \
    }                                                                                              \
    /* Takes any number below 2^256 modulo the modulus. */                                         \
    static inline void f##_from_number(number *r, const number *a) {                               \
        *r = *a;                                                                                   \
        while (!number_is_less(r, &f##_modulus))                                                   \
            number_subtract(r, r, &f##_modulus);                                                   \
        f##_multiply(r, r, &f##_square_of_radix);                                                  \
    }                                                                                              \
    static inline void f##_to_number(number *r, const number *a) {                                 \
        const number unit = {{1, 0, 0, 0}};                                                        \
        f##_multiply(r, a, &unit);                                                                 \
    }                                                                                              \
    /* 1 / a, and 0 for 0. */                                                                      \
    static inline void f##_invert(number *r, const number *a) {                                        \
        number plain, cubed_radix;                                                                 \
        plain_invert(&plain, a, &f##_modulus); /* 1 / (a radix) */                                 \
        f##_multiply(&cubed_radix, &f##_square_of_radix, &f##_square_of_radix);                    \
        f##_multiply(r, &plain, &cubed_radix);                                                     \
    }

static inline void halve(number *a, const number *modulus) {
    uint64_t carry = a->limb[0] & 1 ? number_add(a, a, modulus) : 0;
    a->limb[0] = a->limb[0] >> 1 | a->limb[1] << 63;
    a->limb[1] = a->limb[1] >> 1 | a->limb[2] << 63;
    a->limb[2] = a->limb[2] >> 1 | a->limb[3] << 63;
    a->limb[3] = a->limb[3] >> 1 | carry << 63;
}

/* Sets r to 1 / a modulo an odd prime, or 0 for 0, by the binary extended algorithm of Euclid
   (Hankerson, Menezes, Vanstone: Guide to Elliptic Curve Cryptography, 2004, algorithm 2.22). */
static void plain_invert(number *r, const number *a, const number *modulus) {
    number u = *a, v = *modulus, x = {{1, 0, 0, 0}}, y = {{0, 0, 0, 0}};
    const number unit = {{1, 0, 0, 0}};
    if (number_is_zero(a)) {
        *r = *a;
        return;
    }
    while (!number_equals(&u, &unit) && !number_equals(&v, &unit)) {
        const number zero = {{0, 0, 0, 0}};
        while (!(u.limb[0] & 1)) {
            halve(&u, &zero);
            halve(&x, modulus);
        }
        while (!(v.limb[0] & 1)) {
            halve(&v, &zero);
            halve(&y, modulus);
        }
        if (number_is_less(&u, &v)) {
            number_subtract(&v, &v, &u);
            modular_subtract(&y, &y, &x, modulus);
        } else {
            number_subtract(&u, &u, &v);
            modular_subtract(&x, &x, &y, modulus);
        }
    }
    *r = number_equals(&u, &unit) ? x : y;
}

DEFINE_FIELD(fp, 0x3c208c16d87cfd47, 0x97816a916871ca8d, 0xb85045b68181585d, 0x30644e72e131a029,
             0x87d20782e4866389)
DEFINE_FIELD(fr, 0x43e1f593f0000001, 0x2833e84879b97091, 0xb85045b68181585d, 0x30644e72e131a029,
             0xc2e1f593efffffff)

/* Returns whether size bytes are elements of Fp: what packed structures consist of. */
static int are_elements(const void *data, size_t size) {
    const number *numbers = data;
    if (size % sizeof(number) || (uintptr_t)data % _Alignof(number))
        return 0;
    for (size_t i = 0; i < size / sizeof(number); i++)
        if (!number_is_less(&numbers[i], &fp_modulus))
            return 0;
    return 1;
}

#endif
