/* G1 over Fp and G2 over Fp2: their constants, endomorphisms and subgroup check. */

#ifndef VEPERF_GROUPS_H
#define VEPERF_GROUPS_H

#include <stdlib.h>

#include "scalar.h"
#include "tower.h"

static number g1_b, g1_beta; /* 3; a cube root of 1 */
static fp2 g2_b;             /* 3 / xi */

static inline int fp_is_zero(const number *a) { return number_is_zero(a); }
static inline int fp_equals(const number *a, const number *b) { return number_equals(a, b); }
static inline void fp_set_one(number *r) { *r = fp_one; }
static inline void fp2_set_one(fp2 *r) {
    memset(r, 0, sizeof *r);
    r->c0 = fp_one;
}

static inline void g1_endomorphism(void *image, const void *point);
static inline void g2_endomorphism(void *image, const void *point);

#define GROUP g1
#define FIELD fp
#define COORDINATE number
#include "curve.h"
#include "sums.h"

#define GROUP g2
#define FIELD fp2
#define COORDINATE fp2
#include "curve.h"
#include "sums.h"

/* Multiplies a point of G1 by lambda. */
static inline void g1_endomorphism(void *image, const void *point) {
    const g1_affine *p = point;
    g1_affine *r = image;
    r->y = p->y;
    fp_multiply(&r->x, &p->x, &g1_beta);
}

/* psi: multiplies a point of G2 by P. */
static inline void g2_endomorphism(void *image, const void *point) {
    const g2_affine *p = point;
    g2_affine *r = image;
    fp2_conjugate(&r->x, &p->x);
    fp2_multiply(&r->x, &r->x, &frobenius_factors[1][2]);
    fp2_conjugate(&r->y, &p->y);
    fp2_multiply(&r->y, &r->y, &frobenius_factors[1][3]);
}

static void groups_initialize(void) {
    const number three = {{3, 0, 0, 0}}, nine = {{9, 0, 0, 0}};
    const number plain_t = {{curve_t, 0, 0, 0}};
    number t, power, term;
    fp2 xi;
    fp_from_number(&g1_b, &three);
    fp_from_number(&xi.c0, &nine);
    xi.c1 = fp_one;
    fp2_invert(&g2_b, &xi);
    fp2_scale(&g2_b, &g2_b, &g1_b);
    /* beta = 18 t^3 + 18 t^2 + 9 t + 1 = 9 (2 t^3 + 2 t^2 + t) + 1 */
    fp_from_number(&t, &plain_t);
    fp_square(&power, &t);
    fp_multiply(&term, &power, &t);
    fp_add(&term, &term, &power);
    fp_add(&term, &term, &term);
    fp_add(&term, &term, &t);
    fp_multiply(&term, &term, &xi.c0);
    fp_add(&g1_beta, &term, &fp_one);
}

/* psi in Jacobian coordinates. */
static void g2_jacobian_psi(g2_jacobian *r, const g2_jacobian *p) {
    fp2_conjugate(&r->x, &p->x);
    fp2_multiply(&r->x, &r->x, &frobenius_factors[1][2]);
    fp2_conjugate(&r->y, &p->y);
    fp2_multiply(&r->y, &r->y, &frobenius_factors[1][3]);
    fp2_conjugate(&r->z, &p->z);
}

static int g2_jacobian_equals(const g2_jacobian *p, const g2_jacobian *q) {
    g2_jacobian opposite = *q, difference;
    fp2_negate(&opposite.y, &opposite.y);
    g2_add(&difference, p, &opposite);
    return fp2_is_zero(&difference.z);
}

/* Returns whether a point of the curve has order R or 1, by
   [t + 1]Q + psi([t]Q) + psi^2([t]Q) = psi^3([2t]Q) (Dai, Lin, Zhao, Zhou 2022). */
static int g2_is_in_subgroup(const g2_affine *point) {
    g2_jacobian multiple, once, twice, thrice, sum;
    if (g2_is_infinity(point))
        return 1;
    g2_affine opposite;
    g2_negate(&opposite, point);
    g2_from_affine(&multiple, point);
    for (int i = t_digits.length - 2; i >= 0; i--) {
        int digit = digit_at(&t_digits, i);
        g2_double(&multiple, &multiple);
        if (digit)
            g2_add_affine(&multiple, &multiple, digit > 0 ? point : &opposite);
    }
    if (fp2_is_zero(&multiple.z))
        return 0; /* t is prime to R */
    g2_jacobian_psi(&once, &multiple);
    g2_jacobian_psi(&twice, &once);
    g2_jacobian_psi(&thrice, &twice);
    g2_add_affine(&sum, &multiple, point);
    g2_add(&sum, &sum, &once);
    g2_add(&sum, &sum, &twice);
    g2_double(&thrice, &thrice);
    return g2_jacobian_equals(&sum, &thrice);
}

#define CHECK_ROUNDS 10
#define CHECK_DIGITS 4 /* of 4 bits each */
#define CHECK_BYTES (CHECK_ROUNDS * CHECK_DIGITS / 2)

/* Sets result to whether all points of the curve have order R or 1. Random has CHECK_BYTES a point.

   A round checks the sum of all points with random factors of 16 bits. The index of the group in
   the curve has no prime factor below 10,069: so of the 2^16 factors of a point outside, whatever
   the other points are, at most 7 hide it. Ten rounds miss one with a probability below 2^-131. */
static outcome g2_are_in_subgroup(int *result, const g2_affine *points, size_t count,
                                  const uint8_t *random) {
    int32_t *digits = malloc((count * CHECK_DIGITS + 1) * sizeof *digits);
    outcome state = digits ? DONE : NO_MEMORY;
    *result = 1;
    for (int round = 0; round < CHECK_ROUNDS && state == DONE && *result; round++) {
        g2_jacobian sum;
        g2_affine affine;
        for (size_t i = 0; i < count * CHECK_DIGITS; i += 2, random++) {
            digits[i] = (*random & 15) - 8;
            digits[i + 1] = (*random >> 4) - 8;
        }
        state = g2_sum_by_digits(&sum, points, 1, count, digits, 1, CHECK_DIGITS, 4);
        g2_to_affine(&affine, &sum);
        *result = g2_is_in_subgroup(&affine);
    }
    free(digits);
    return state;
}

#endif
