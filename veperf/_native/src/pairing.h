/* The optimal ate pairing: lines of a point of G2, Miller loop, final exponentiation. */

#ifndef VEPERF_PAIRING_H
#define VEPERF_PAIRING_H

#include "groups.h"

/* A line over the twist; its value at (x, y) in G1 is at_y y + at_x x w + constant w^3. */
typedef struct {
    fp2 at_y, at_x, constant;
} line;

static signed_binary loop_digits;
static int line_count;

static number half_of_one;

static void pairing_initialize(void) {
    non_adjacent_form(&loop_digits, (u128)6 * curve_t + 2);
    line_count = 2;
    for (int i = 0; i < loop_digits.length - 1; i++)
        line_count += 1 + (digit_at(&loop_digits, i) != 0);
    half_of_one = fp_one;
    halve(&half_of_one, &fp_modulus);
}

typedef struct {
    fp2 x, y, z; /* (x / z, y / z) */
} projective;

/* Doubles p and gives the tangent in it (Costello, Lange, Naehrig: Faster pairing computations on
   curves with high-degree twists, 2010). */
static void double_with_line(projective *p, line *tangent) {
    fp2 a, b, c, e, f, g, h, i, j, squared_e;
    fp2_multiply(&a, &p->x, &p->y);
    fp2_scale(&a, &a, &half_of_one);
    fp2_square(&b, &p->y);
    fp2_square(&c, &p->z);
    fp2_add(&e, &c, &c);
    fp2_add(&e, &e, &c);
    fp2_multiply(&e, &e, &g2_b);
    fp2_add(&f, &e, &e);
    fp2_add(&f, &f, &e);
    fp2_add(&g, &b, &f);
    fp2_scale(&g, &g, &half_of_one);
    fp2_multiply(&h, &p->y, &p->z);
    fp2_add(&h, &h, &h);
    fp2_subtract(&i, &e, &b);
    fp2_square(&j, &p->x);
    fp2_square(&squared_e, &e);
    fp2_subtract(&f, &b, &f);
    fp2_multiply(&p->x, &a, &f);
    fp2_square(&g, &g);
    fp2_subtract(&g, &g, &squared_e);
    fp2_subtract(&g, &g, &squared_e);
    fp2_subtract(&p->y, &g, &squared_e);
    fp2_multiply(&p->z, &b, &h);
    fp2_negate(&tangent->at_y, &h);
    fp2_add(&tangent->at_x, &j, &j);
    fp2_add(&tangent->at_x, &tangent->at_x, &j);
    tangent->constant = i;
}

/* Adds q to p and gives the line through both. A vertical one makes z 0, which it stays. */
static void add_with_line(projective *p, const g2_affine *q, line *chord) {
    fp2 theta, lambda, c, d, e, f, g, h;
    fp2_multiply(&theta, &q->y, &p->z);
    fp2_subtract(&theta, &p->y, &theta);
    fp2_multiply(&lambda, &q->x, &p->z);
    fp2_subtract(&lambda, &p->x, &lambda);
    fp2_square(&c, &theta);
    fp2_square(&d, &lambda);
    fp2_multiply(&e, &lambda, &d);
    fp2_multiply(&f, &p->z, &c);
    fp2_multiply(&g, &p->x, &d);
    fp2_add(&h, &e, &f);
    fp2_subtract(&h, &h, &g);
    fp2_subtract(&h, &h, &g);
    fp2_multiply(&p->x, &lambda, &h);
    fp2_subtract(&g, &g, &h);
    fp2_multiply(&g, &g, &theta);
    fp2_multiply(&f, &e, &p->y);
    fp2_subtract(&p->y, &g, &f);
    fp2_multiply(&p->z, &p->z, &e);
    chord->at_y = lambda;
    fp2_negate(&chord->at_x, &theta);
    fp2_multiply(&c, &theta, &q->x);
    fp2_multiply(&d, &lambda, &q->y);
    fp2_subtract(&chord->constant, &c, &d);
}

/* Writes the line_count lines of a finite point of the curve, and returns whether it is in the
   subgroup: the loop ends at -psi^3(Q) for such points alone. */
static int prepare_lines(line *lines, const g2_affine *point) {
    projective multiple = {point->x, point->y, {{{0}}, {{0}}}};
    g2_affine opposite, once, twice, thrice;
    fp2 expected;
    fp2_set_one(&multiple.z);
    g2_negate(&opposite, point);
    for (int i = loop_digits.length - 2; i >= 0; i--) {
        double_with_line(&multiple, lines++);
        int digit = digit_at(&loop_digits, i);
        if (digit)
            add_with_line(&multiple, digit > 0 ? point : &opposite, lines++);
    }
    g2_endomorphism(&once, point);
    g2_endomorphism(&twice, &once);
    g2_endomorphism(&thrice, &twice);
    g2_negate(&twice, &twice);
    g2_negate(&thrice, &thrice);
    add_with_line(&multiple, &once, lines++);
    add_with_line(&multiple, &twice, lines);
    if (fp2_is_zero(&multiple.z))
        return 0;
    fp2_multiply(&expected, &thrice.x, &multiple.z);
    if (!fp2_equals(&expected, &multiple.x))
        return 0;
    fp2_multiply(&expected, &thrice.y, &multiple.z);
    return fp2_equals(&expected, &multiple.y);
}

static void multiply_by_line(fp12 *f, const line *l, const g1_affine *point) {
    fp2 at_y, at_x, sum;
    fp6 low, high, cross;
    fp2_scale(&at_y, &l->at_y, &point->y);
    fp2_scale(&at_x, &l->at_x, &point->x);
    for (int i = 0; i < 3; i++)
        fp2_multiply(&low.c[i], &f->c[0].c[i], &at_y);
    fp6_multiply_sparse(&high, &f->c[1], &at_x, &l->constant);
    fp6_add(&cross, &f->c[0], &f->c[1]);
    fp2_add(&sum, &at_y, &at_x);
    fp6_multiply_sparse(&cross, &cross, &sum, &l->constant);
    fp6_subtract(&cross, &cross, &low);
    fp6_subtract(&f->c[1], &cross, &high);
    fp6_shift(&high, &high);
    fp6_add(&f->c[0], &low, &high);
}

/* The product of the Miller loops of count pairs, none of a point at infinity. */
static void miller_loop(fp12 *result, const g1_affine *points, const line *const *lines,
                        size_t count) {
    int at = 0;
    fp12_one(result);
    for (int i = loop_digits.length - 2; i >= 0; i--) {
        int steps = 1 + (digit_at(&loop_digits, i) != 0);
        fp12_square(result, result);
        for (; steps > 0; steps--, at++)
            for (size_t j = 0; j < count; j++)
                multiply_by_line(result, &lines[j][at], &points[j]);
    }
    for (; at < line_count; at++)
        for (size_t j = 0; j < count; j++)
            multiply_by_line(result, &lines[j][at], &points[j]);
}

/* f^t, for an f whose conjugate is its inverse. */
static void power_t(fp12 *r, const fp12 *f) {
    fp12 conjugate, result = *f;
    fp12_conjugate(&conjugate, f);
    for (int i = t_digits.length - 2; i >= 0; i--) {
        int digit = digit_at(&t_digits, i);
        fp12_cyclotomic_square(&result, &result);
        if (digit)
            fp12_multiply(&result, &result, digit > 0 ? f : &conjugate);
    }
    *r = result;
}

/* f^(2t (6t^2 + 3t + 1) (P^12 - 1) / R), for f other than 0 (Fuentes-Castaneda, Knapp,
   Rodriguez-Henriquez 2011). Names are the exponents, as in veperf/workloads/zk/pairing.py. */
static void final_exponentiation(fp12 *result, const fp12 *value) {
    fp12 f, t2, t6, t6_2, t12_3, a, b, c, part;
    fp12_invert(&part, value);
    fp12_conjugate(&f, value);
    fp12_multiply(&f, &f, &part);
    fp12_frobenius(&part, &f, 2);
    fp12_multiply(&f, &part, &f);
    power_t(&t2, &f);
    fp12_cyclotomic_square(&t2, &t2);
    fp12_cyclotomic_square(&t6, &t2);
    fp12_multiply(&t6, &t6, &t2);
    power_t(&t6_2, &t6);
    fp12_cyclotomic_square(&part, &t6_2);
    power_t(&t12_3, &part);
    fp12_multiply(&a, &t12_3, &t6_2);
    fp12_multiply(&a, &a, &t6);
    fp12_conjugate(&part, &t2);
    fp12_multiply(&b, &a, &part);
    fp12_multiply(&c, &a, &t6_2);
    fp12_multiply(&c, &c, &f);
    fp12_frobenius(&part, &b, 1);
    fp12_multiply(&c, &c, &part);
    fp12_frobenius(&part, &a, 2);
    fp12_multiply(&c, &c, &part);
    fp12_conjugate(&part, &f);
    fp12_multiply(&b, &b, &part);
    fp12_frobenius(&part, &b, 3);
    fp12_multiply(result, &c, &part);
}

#endif
