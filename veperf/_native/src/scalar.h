/* Scalars: their halves by the endomorphisms of G1 and G2, and signed digits. */

#ifndef VEPERF_SCALAR_H
#define VEPERF_SCALAR_H

#include "field.h"

#define HALF_BITS 126
#define HALF_DIGITS(window_bits) ((HALF_BITS + 2 + (window_bits) - 1) / (window_bits))
#define SCALAR_DIGITS(window_bits) ((254 + 2 + (window_bits) - 1) / (window_bits))

typedef struct {
    u128 magnitude; /* below 2^126 */
    int is_negative;
} half_scalar;

/* The curve's parameter and what follows from it (veperf/workloads/zk/curve has the formulas). */
static const uint64_t curve_t = 4965661367192848881u;
static u128 basis_long, basis_short, eigenvalue_g2; /* 6 t^2 + 2 t, 2 t + 1, 6 t^2 */
/* 2^320 times basis_long / R, basis_short / R and 1 / eigenvalue_g2, rounded down. */
static number reciprocal_long, reciprocal_short, reciprocal_eigenvalue;

/* Non-adjacent forms: bit i of plus or minus is digit i of 6 t + 2 or of t. */
typedef struct {
    u128 plus, minus;
    int length;
} signed_binary;

static signed_binary t_digits;

static void non_adjacent_form(signed_binary *digits, u128 number) {
    u128 triple = 3 * number;
    digits->plus = (triple & ~number) >> 1;
    digits->minus = (number & ~triple) >> 1;
    digits->length = 0;
    while (digits->plus >> digits->length)
        digits->length++;
}

static inline int digit_at(const signed_binary *digits, int i) {
    return (int)(digits->plus >> i & 1) - (int)(digits->minus >> i & 1);
}

/* Sets quotient to numerator * 2^320 / divisor, rounded down, by long division bit by bit. */
static void shifted_quotient(number *quotient, u128 numerator, const number *divisor) {
    number rest = {{0, 0, 0, 0}};
    memset(quotient, 0, sizeof *quotient);
    for (int i = 128 + 320 - 1; i >= 0; i--) {
        for (int j = 3; j > 0; j--)
            rest.limb[j] = rest.limb[j] << 1 | rest.limb[j - 1] >> 63;
        rest.limb[0] <<= 1;
        if (i >= 320)
            rest.limb[0] |= (uint64_t)(numerator >> (i - 320)) & 1;
        if (!number_is_less(&rest, divisor)) {
            number_subtract(&rest, &rest, divisor);
            if (i < 256)
                quotient->limb[i / 64] |= (uint64_t)1 << (i % 64);
        }
    }
}

static void scalar_initialize(void) {
    eigenvalue_g2 = (u128)6 * curve_t * curve_t;
    basis_long = eigenvalue_g2 + 2 * (u128)curve_t;
    basis_short = 2 * (u128)curve_t + 1;
    const number eigenvalue = {{(uint64_t)eigenvalue_g2, (uint64_t)(eigenvalue_g2 >> 64), 0, 0}};
    shifted_quotient(&reciprocal_long, basis_long, &fr_modulus);
    shifted_quotient(&reciprocal_short, basis_short, &fr_modulus);
    shifted_quotient(&reciprocal_eigenvalue, 1, &eigenvalue);
    non_adjacent_form(&t_digits, curve_t);
}

/* a b / 2^320, to the nearest: off by one only where the fraction is within 2^-60 of a half. */
static u128 rounded_product(const number *a, const number *b) {
    uint64_t product[8] = {0};
    for (int i = 0; i < 4; i++) {
        uint64_t carry = 0;
        for (int j = 0; j < 4; j++) {
            u128 part = (u128)a->limb[i] * b->limb[j] + product[i + j] + carry;
            product[i + j] = (uint64_t)part;
            carry = (uint64_t)(part >> 64);
        }
        product[i + 4] = carry;
    }
    return ((u128)product[6] << 64 | product[5]) + (product[4] >> 63);
}

static inline half_scalar half_from_difference(u128 value, int flips) {
    int is_negative = (int)(value >> 127);
    half_scalar half = {is_negative ? (u128)0 - value : value, is_negative != flips};
    return half;
}

static inline void scalar_reduce(number *scalar) {
    while (!number_is_less(scalar, &fr_modulus))
        number_subtract(scalar, scalar, &fr_modulus);
}

/* The halves with k1 + k2 lambda = scalar, a number below R (Gallant, Lambert, Vanstone 2001). All
   is modulo 2^128, which holds the halves and their signs. */
static void g1_split(half_scalar halves[2], const number *scalar) {
    u128 low = (u128)scalar->limb[1] << 64 | scalar->limb[0];
    u128 c1 = rounded_product(scalar, &reciprocal_long);
    u128 c2 = rounded_product(scalar, &reciprocal_short);
    halves[0] = half_from_difference(low - c1 * (basis_long + basis_short) - c2 * basis_short, 0);
    halves[1] = half_from_difference(c2 * basis_long - c1 * basis_short, 0);
}

/* The halves with k1 + k2 P = scalar modulo R (Galbraith, Scott 2008). */
static void g2_split(half_scalar halves[2], const number *scalar) {
    number opposite, nearest = *scalar;
    number_subtract(&opposite, &fr_modulus, scalar);
    int is_negative = number_is_less(&opposite, scalar);
    if (is_negative)
        nearest = opposite;
    u128 low = (u128)nearest.limb[1] << 64 | nearest.limb[0];
    u128 second = rounded_product(&nearest, &reciprocal_eigenvalue);
    halves[0] = half_from_difference(low - second * eigenvalue_g2, is_negative);
    halves[1] = half_from_difference(second, is_negative);
}

/* Writes count digits from -2^(w - 1) to 2^(w - 1) - 1, lowest first. */
static void signed_digits(int32_t *digits, const uint64_t *limbs, int limb_count, int window_bits,
                          int count, int is_negative) {
    int32_t middle = (int32_t)1 << (window_bits - 1), carry = 0;
    for (int i = 0; i < count; i++) {
        int bit = i * window_bits, limb = bit / 64, shift = bit % 64;
        uint64_t part = limb < limb_count ? limbs[limb] >> shift : 0;
        if (shift && limb + 1 < limb_count)
            part |= limbs[limb + 1] << (64 - shift);
        int32_t digit = (int32_t)(part & (((uint64_t)1 << window_bits) - 1)) + carry;
        carry = digit > middle;
        digit -= carry << window_bits;
        digits[i] = is_negative ? -digit : digit;
    }
}

static inline void half_digits(int32_t *digits, const half_scalar *half, int window_bits) {
    uint64_t limbs[2] = {(uint64_t)half->magnitude, (uint64_t)(half->magnitude >> 64)};
    signed_digits(digits, limbs, 2, window_bits, HALF_DIGITS(window_bits), half->is_negative);
}

#endif
