/* The extension fields of the pairing: Fp2 = Fp[u] / (u^2 + 1), Fp6 = Fp2[v] / (v^3 - xi) and
   Fp12 = Fp6[w] / (w^2 - v), with xi = 9 + u. */

#ifndef VEPERF_TOWER_H
#define VEPERF_TOWER_H

#include "field.h"

typedef struct {
    number c0, c1;
} fp2;

static inline void fp2_add(fp2 *r, const fp2 *a, const fp2 *b) {
    fp_add(&r->c0, &a->c0, &b->c0);
    fp_add(&r->c1, &a->c1, &b->c1);
}

static inline void fp2_subtract(fp2 *r, const fp2 *a, const fp2 *b) {
    fp_subtract(&r->c0, &a->c0, &b->c0);
    fp_subtract(&r->c1, &a->c1, &b->c1);
}

static inline void fp2_negate(fp2 *r, const fp2 *a) {
    fp_negate(&r->c0, &a->c0);
    fp_negate(&r->c1, &a->c1);
}

static inline void fp2_conjugate(fp2 *r, const fp2 *a) {
    r->c0 = a->c0;
    fp_negate(&r->c1, &a->c1);
}

static void fp2_multiply(fp2 *r, const fp2 *a, const fp2 *b) {
    number low, high, left, right;
    fp_multiply(&low, &a->c0, &b->c0);
    fp_multiply(&high, &a->c1, &b->c1);
    fp_add(&left, &a->c0, &a->c1);
    fp_add(&right, &b->c0, &b->c1);
    fp_multiply(&left, &left, &right);
    fp_subtract(&r->c0, &low, &high);
    fp_subtract(&left, &left, &low);
    fp_subtract(&r->c1, &left, &high);
}

static void fp2_square(fp2 *r, const fp2 *a) {
    number sum, difference, product;
    fp_add(&sum, &a->c0, &a->c1);
    fp_subtract(&difference, &a->c0, &a->c1);
    fp_multiply(&product, &a->c0, &a->c1);
    fp_multiply(&r->c0, &sum, &difference);
    fp_add(&r->c1, &product, &product);
}

static inline void fp2_scale(fp2 *r, const fp2 *a, const number *factor) {
    fp_multiply(&r->c0, &a->c0, factor);
    fp_multiply(&r->c1, &a->c1, factor);
}

static void fp2_invert(fp2 *r, const fp2 *a) {
    number norm, square;
    fp_square(&norm, &a->c0);
    fp_square(&square, &a->c1);
    fp_add(&norm, &norm, &square);
    fp_invert(&norm, &norm);
    fp_multiply(&r->c0, &a->c0, &norm);
    fp_negate(&norm, &norm);
    fp_multiply(&r->c1, &a->c1, &norm);
}

static inline int fp2_is_zero(const fp2 *a) {
    return number_is_zero(&a->c0) && number_is_zero(&a->c1);
}

static inline int fp2_equals(const fp2 *a, const fp2 *b) {
    return number_equals(&a->c0, &b->c0) && number_equals(&a->c1, &b->c1);
}

/* Multiplies by xi = 9 + u. */
static void fp2_multiply_xi(fp2 *r, const fp2 *a) {
    fp2 times;
    number c0;
    fp2_add(&times, a, a);
    fp2_add(&times, &times, &times);
    fp2_add(&times, &times, &times);
    fp2_add(&times, &times, a);
    fp_subtract(&c0, &times.c0, &a->c1);
    fp_add(&r->c1, &times.c1, &a->c0);
    r->c0 = c0;
}

static void fp2_power(fp2 *r, const fp2 *a, const number *exponent) {
    fp2 base = *a, result;
    memset(&result, 0, sizeof result);
    result.c0 = fp_one;
    for (int i = 255; i >= 0; i--) {
        fp2_square(&result, &result);
        if (exponent->limb[i / 64] >> (i % 64) & 1)
            fp2_multiply(&result, &result, &base);
    }
    *r = result;
}

typedef struct {
    fp2 c[3]; /* of 1, v, v^2 */
} fp6;

static inline void fp6_add(fp6 *r, const fp6 *a, const fp6 *b) {
    for (int i = 0; i < 3; i++)
        fp2_add(&r->c[i], &a->c[i], &b->c[i]);
}

static inline void fp6_subtract(fp6 *r, const fp6 *a, const fp6 *b) {
    for (int i = 0; i < 3; i++)
        fp2_subtract(&r->c[i], &a->c[i], &b->c[i]);
}

static inline void fp6_negate(fp6 *r, const fp6 *a) {
    for (int i = 0; i < 3; i++)
        fp2_negate(&r->c[i], &a->c[i]);
}

/* Multiplies by v. */
static inline void fp6_shift(fp6 *r, const fp6 *a) {
    fp2 first;
    fp2_multiply_xi(&first, &a->c[2]);
    r->c[2] = a->c[1];
    r->c[1] = a->c[0];
    r->c[0] = first;
}

/* Sets r to the product of the sums a_i + a_j and b_i + b_j, less two products. */
static inline void cross_product(fp2 *r, const fp6 *a, const fp6 *b, int i, int j,
                                 const fp2 *less_i, const fp2 *less_j) {
    fp2 left, right;
    fp2_add(&left, &a->c[i], &a->c[j]);
    fp2_add(&right, &b->c[i], &b->c[j]);
    fp2_multiply(r, &left, &right);
    fp2_subtract(r, r, less_i);
    fp2_subtract(r, r, less_j);
}

static void fp6_multiply(fp6 *r, const fp6 *a, const fp6 *b) {
    fp2 v0, v1, v2, t0, t1, t2;
    fp2_multiply(&v0, &a->c[0], &b->c[0]);
    fp2_multiply(&v1, &a->c[1], &b->c[1]);
    fp2_multiply(&v2, &a->c[2], &b->c[2]);
    cross_product(&t0, a, b, 1, 2, &v1, &v2);
    cross_product(&t1, a, b, 0, 1, &v0, &v1);
    cross_product(&t2, a, b, 0, 2, &v0, &v2);
    fp2_multiply_xi(&t0, &t0);
    fp2_add(&r->c[0], &v0, &t0);
    fp2_multiply_xi(&t0, &v2);
    fp2_add(&r->c[1], &t1, &t0);
    fp2_add(&r->c[2], &t2, &v1);
}

/* Multiplies by b0 + b1 v. */
static void fp6_multiply_sparse(fp6 *r, const fp6 *a, const fp2 *b0, const fp2 *b1) {
    fp2 v0, v1, t0, t1, t2, sum;
    fp2_multiply(&v0, &a->c[0], b0);
    fp2_multiply(&v1, &a->c[1], b1);
    fp2_multiply(&t0, &a->c[2], b1);
    fp2_multiply_xi(&t0, &t0);
    fp2_add(&sum, b0, b1);
    fp2_add(&t1, &a->c[0], &a->c[1]);
    fp2_multiply(&t1, &t1, &sum);
    fp2_subtract(&t1, &t1, &v0);
    fp2_multiply(&t2, &a->c[2], b0);
    fp2_add(&r->c[0], &v0, &t0);
    fp2_subtract(&r->c[1], &t1, &v1);
    fp2_add(&r->c[2], &t2, &v1);
}

static void fp6_invert(fp6 *r, const fp6 *a) {
    fp2 t0, t1, t2, norm, part;
    fp2_square(&t0, &a->c[0]);
    fp2_multiply(&part, &a->c[1], &a->c[2]);
    fp2_multiply_xi(&part, &part);
    fp2_subtract(&t0, &t0, &part);
    fp2_square(&t1, &a->c[2]);
    fp2_multiply_xi(&t1, &t1);
    fp2_multiply(&part, &a->c[0], &a->c[1]);
    fp2_subtract(&t1, &t1, &part);
    fp2_square(&t2, &a->c[1]);
    fp2_multiply(&part, &a->c[0], &a->c[2]);
    fp2_subtract(&t2, &t2, &part);
    fp2_multiply(&norm, &a->c[2], &t1);
    fp2_multiply(&part, &a->c[1], &t2);
    fp2_add(&norm, &norm, &part);
    fp2_multiply_xi(&norm, &norm);
    fp2_multiply(&part, &a->c[0], &t0);
    fp2_add(&norm, &norm, &part);
    fp2_invert(&norm, &norm);
    fp2_multiply(&r->c[0], &t0, &norm);
    fp2_multiply(&r->c[1], &t1, &norm);
    fp2_multiply(&r->c[2], &t2, &norm);
}

typedef struct {
    fp6 c[2]; /* of 1, w */
} fp12;

static void fp12_one(fp12 *r) {
    memset(r, 0, sizeof *r);
    r->c[0].c[0].c0 = fp_one;
}

static void fp12_multiply(fp12 *r, const fp12 *a, const fp12 *b) {
    fp6 low, high, left, right;
    fp6_multiply(&low, &a->c[0], &b->c[0]);
    fp6_multiply(&high, &a->c[1], &b->c[1]);
    fp6_add(&left, &a->c[0], &a->c[1]);
    fp6_add(&right, &b->c[0], &b->c[1]);
    fp6_multiply(&left, &left, &right);
    fp6_subtract(&left, &left, &low);
    fp6_subtract(&r->c[1], &left, &high);
    fp6_shift(&high, &high);
    fp6_add(&r->c[0], &low, &high);
}

static void fp12_square(fp12 *r, const fp12 *a) {
    fp6 product, left, right;
    fp6_multiply(&product, &a->c[0], &a->c[1]);
    fp6_add(&left, &a->c[0], &a->c[1]);
    fp6_shift(&right, &a->c[1]);
    fp6_add(&right, &right, &a->c[0]);
    fp6_multiply(&left, &left, &right);
    fp6_subtract(&left, &left, &product);
    fp6_shift(&right, &product);
    fp6_subtract(&r->c[0], &left, &right);
    fp6_add(&r->c[1], &product, &product);
}

static inline void fp12_conjugate(fp12 *r, const fp12 *a) {
    r->c[0] = a->c[0];
    fp6_negate(&r->c[1], &a->c[1]);
}

static void fp12_invert(fp12 *r, const fp12 *a) {
    fp6 norm, part;
    fp6_multiply(&norm, &a->c[0], &a->c[0]);
    fp6_multiply(&part, &a->c[1], &a->c[1]);
    fp6_shift(&part, &part);
    fp6_subtract(&norm, &norm, &part);
    fp6_invert(&norm, &norm);
    fp6_multiply(&r->c[0], &a->c[0], &norm);
    fp6_negate(&norm, &norm);
    fp6_multiply(&r->c[1], &a->c[1], &norm);
}

/* The square (a + b y)^2 in Fp4 = Fp2[y] / (y^2 - xi). */
static inline void fp4_square(fp2 *r0, fp2 *r1, const fp2 *a, const fp2 *b) {
    fp2 squared_a, squared_b, sum;
    fp2_square(&squared_a, a);
    fp2_square(&squared_b, b);
    fp2_add(&sum, a, b);
    fp2_square(&sum, &sum);
    fp2_subtract(&sum, &sum, &squared_a);
    fp2_subtract(r1, &sum, &squared_b);
    fp2_multiply_xi(&squared_b, &squared_b);
    fp2_add(r0, &squared_a, &squared_b);
}

/* r = 3 t - 2 a, or 3 t + 2 a. */
static inline void triple_less_double(fp2 *r, const fp2 *t, const fp2 *a) {
    fp2 difference;
    fp2_subtract(&difference, t, a);
    fp2_add(&difference, &difference, &difference);
    fp2_add(r, &difference, t);
}

static inline void triple_plus_double(fp2 *r, const fp2 *t, const fp2 *a) {
    fp2 sum;
    fp2_add(&sum, t, a);
    fp2_add(&sum, &sum, &sum);
    fp2_add(r, &sum, t);
}

/* a^2 for an a with a^(p^4 - p^2 + 1) = 1 (Granger, Scott: Faster squaring in the cyclotomic
   subgroup of sixth degree extensions, 2010). */
static void fp12_cyclotomic_square(fp12 *r, const fp12 *a) {
    fp2 t0, t1, t2, t3, t4, t5;
    const fp2 *z0 = &a->c[0].c[0], *z4 = &a->c[0].c[1], *z3 = &a->c[0].c[2];
    const fp2 *z2 = &a->c[1].c[0], *z1 = &a->c[1].c[1], *z5 = &a->c[1].c[2];
    fp4_square(&t0, &t1, z0, z1);
    fp4_square(&t2, &t3, z2, z3);
    fp4_square(&t4, &t5, z4, z5);
    fp2_multiply_xi(&t5, &t5);
    fp12 result;
    triple_less_double(&result.c[0].c[0], &t0, z0);
    triple_plus_double(&result.c[1].c[1], &t1, z1);
    triple_plus_double(&result.c[1].c[0], &t5, z2);
    triple_less_double(&result.c[0].c[2], &t4, z3);
    triple_less_double(&result.c[0].c[1], &t2, z4);
    triple_plus_double(&result.c[1].c[2], &t3, z5);
    *r = result;
}

/* xi^(i (p^k - 1) / 6) for k = 1 to 3: what the k-th power of Frobenius multiplies w^i by. */
static fp2 frobenius_factors[4][6];

static void tower_initialize(void) {
    fp2 xi, root;
    const number nine = {{9, 0, 0, 0}};
    number exponent = fp_modulus;
    exponent.limb[0] -= 1;
    uint64_t rest = 0;
    for (int i = 3; i >= 0; i--) { /* (p - 1) / 6 */
        u128 part = (u128)rest << 64 | exponent.limb[i];
        exponent.limb[i] = (uint64_t)(part / 6);
        rest = (uint64_t)(part % 6);
    }
    fp_from_number(&xi.c0, &nine);
    xi.c1 = fp_one;
    fp2_power(&root, &xi, &exponent);
    for (int k = 1; k < 4; k++)
        for (int i = 0; i < 6; i++) {
            fp2 *factor = &frobenius_factors[k][i];
            if (i == 0) {
                memset(factor, 0, sizeof *factor);
                factor->c0 = fp_one;
            } else if (k == 1) {
                fp2_multiply(factor, &frobenius_factors[1][i - 1], &root);
            } else { /* xi^(i (p^k - 1) / 6) = (xi^(i (p^(k-1) - 1) / 6))^p xi^(i (p - 1) / 6) */
                fp2_conjugate(factor, &frobenius_factors[k - 1][i]);
                fp2_multiply(factor, factor, &frobenius_factors[1][i]);
            }
        }
}

static void fp12_frobenius(fp12 *r, const fp12 *a, int power) {
    for (int half = 0; half < 2; half++)
        for (int i = 0; i < 3; i++) {
            fp2 part = a->c[half].c[i];
            if (power % 2)
                fp2_conjugate(&part, &part);
            fp2_multiply(&r->c[half].c[i], &part, &frobenius_factors[power][2 * i + half]);
        }
}

#endif
