/* The kernels of BN254 on bytes, as Python calls them; no function here knows of Python.

   Coordinates and scalars are 32 bytes each, little-endian unless said otherwise. Points are x, y,
   in G2 x0, x1, y0, y1; zeros are infinity. Packed points, tables and lines are the structures of
   curve.h and pairing.h: of use in this process only. */

#ifndef VEPERF_BN254_H
#define VEPERF_BN254_H

#include "groups.h"
#include "ntt.h"
#include "pairing.h"

/* What is required of points: nothing, that they are on the curve, or on it and not infinity. */
typedef enum { TRUSTED, ON_CURVE, FINITE } point_check;

static void bn254_initialize(void) {
    fp_initialize();
    fr_initialize();
    tower_initialize();
    scalar_initialize();
    groups_initialize();
    pairing_initialize();
}

/* Writes size / 32 coordinates to elements; false if one is not below P. */
static int read_coordinates(number *elements, const uint8_t *bytes, size_t count,
                            int is_big_endian) {
    for (size_t i = 0; i < count; i++) {
        number_from_bytes(&elements[i], bytes + i * ELEMENT_BYTES, is_big_endian);
        if (!number_is_less(&elements[i], &fp_modulus))
            return 0;
        fp_from_number(&elements[i], &elements[i]);
    }
    return 1;
}

static void write_coordinates(uint8_t *bytes, const number *elements, size_t count) {
    for (size_t i = 0; i < count; i++) {
        number plain;
        fp_to_number(&plain, &elements[i]);
        number_to_bytes(bytes + i * ELEMENT_BYTES, &plain);
    }
}

static void fr_multiply_all(uint8_t *products, const uint8_t *left, const uint8_t *right,
                            size_t count) {
    for (size_t i = 0; i < count * ELEMENT_BYTES; i += ELEMENT_BYTES) {
        number a, b;
        number_from_bytes(&a, left + i, 0);
        number_from_bytes(&b, right + i, 0);
        fr_from_number(&a, &a);
        scalar_reduce(&b);
        fr_multiply(&a, &a, &b);
        number_to_bytes(products + i, &a);
    }
}

/* Transforms values[i] * before^i, and multiplies result i by factor * after^i. */
static outcome fr_transform(uint8_t *results, const uint8_t *values, size_t size,
                            const uint8_t *root_bytes, const uint8_t *before_bytes,
                            const uint8_t *after_bytes, const uint8_t *factor_bytes) {
    number root, before, after, factor;
    number *numbers = malloc((size + size / 2 + 1) * sizeof *numbers);
    if (!numbers)
        return NO_MEMORY;
    const uint8_t *sources[4] = {root_bytes, before_bytes, after_bytes, factor_bytes};
    number *targets[4] = {&root, &before, &after, &factor};
    for (int i = 0; i < 4; i++) {
        number_from_bytes(targets[i], sources[i], 0);
        fr_from_number(targets[i], targets[i]);
    }
    for (size_t i = 0; i < size; i++) {
        number_from_bytes(&numbers[i], values + i * ELEMENT_BYTES, 0);
        fr_from_number(&numbers[i], &numbers[i]);
    }
    if (!number_equals(&before, &fr_one))
        scale_by_powers(numbers, size, &before, &fr_one);
    transform(numbers, numbers + size, size, &root);
    if (!number_equals(&after, &fr_one) || !number_equals(&factor, &fr_one))
        scale_by_powers(numbers, size, &after, &factor);
    for (size_t i = 0; i < size; i++) {
        fr_to_number(&numbers[i], &numbers[i]);
        number_to_bytes(results + i * ELEMENT_BYTES, &numbers[i]);
    }
    free(numbers);
    return DONE;
}

/* The kernels that both groups have. */
#define DEFINE_GROUP_KERNELS(g)                                                                    \
    static outcome g##_pack(void *packed, const uint8_t *bytes, size_t count, int is_big_endian,   \
                            point_check check) {                                                   \
        g##_affine *points = packed;                                                               \
        for (size_t i = 0; i < count; i++) {                                                       \
            if (!read_coordinates((number *)&points[i], bytes + i * sizeof *points,                \
                                  sizeof *points / ELEMENT_BYTES, is_big_endian))                  \
                return BAD_INPUT;                                                                  \
            if (check != TRUSTED && !g##_is_on_curve(&points[i]))                                  \
                return NOT_ON_CURVE;                                                               \
            if (check == FINITE && g##_is_infinity(&points[i]))                                    \
                return NOT_ON_CURVE;                                                               \
        }                                                                                          \
        return DONE;                                                                               \
    }                                                                                              \
    static void g##_unpack(uint8_t *bytes, const void *packed, size_t count) {                     \
        write_coordinates(bytes, packed, count * sizeof(g##_affine) / ELEMENT_BYTES);              \
    }                                                                                              \
    static void g##_write(uint8_t *bytes, const g##_jacobian *point) {                             \
        g##_affine affine;                                                                         \
        g##_to_affine(&affine, point);                                                             \
        g##_unpack(bytes, &affine, 1);                                                             \
    }                                                                                              \
    static outcome g##_make_table(void *table, const void *points, size_t count, int window_bits) { \
        g##_batch *batch = malloc(sizeof *batch);                                                  \
        if (!batch)                                                                                \
            return NO_MEMORY;                                                                      \
        memcpy(table, points, count * sizeof(g##_affine));                                         \
        g##_extend_table(batch, table, count, window_bits, HALF_DIGITS(window_bits));              \
        free(batch);                                                                               \
        return DONE;                                                                               \
    }                                                                                              \
    static outcome g##_sum_of_multiples(uint8_t *sum, const void *table, int columns,              \
                                        size_t count, const uint8_t *scalars, int window_bits) {   \
        g##_jacobian result;                                                                       \
        outcome state = g##_msm(&result, table, columns, count, scalars, window_bits);             \
        if (state == DONE)                                                                         \
            g##_write(sum, &result);                                                               \
        return state;                                                                              \
    }                                                                                              \
    static void g##_multiple(uint8_t *bytes, const void *packed, const uint8_t *scalar_bytes) {    \
        number scalar;                                                                             \
        g##_jacobian result;                                                                       \
        number_from_bytes(&scalar, scalar_bytes, 0);                                               \
        g##_multiply(&result, packed, &scalar);                                                    \
        g##_write(bytes, &result);                                                                 \
    }                                                                                              \
    static outcome g##_make_digit_table(void *table, const void *point, int window_bits) {         \
        g##_batch *batch = malloc(sizeof *batch);                                                  \
        if (!batch)                                                                                \
            return NO_MEMORY;                                                                      \
        g##_fill_digit_table(batch, table, point, window_bits);                                    \
        free(batch);                                                                               \
        return DONE;                                                                               \
    }                                                                                              \
    static outcome g##_sums_by_digit_tables(uint8_t *bytes, const void *tables, size_t tables_count, \
                                            const uint8_t *scalars, size_t count,                  \
                                            int window_bits) {                                     \
        g##_affine *sums = malloc((count + 1) * sizeof *sums);                                     \
        if (!sums)                                                                                 \
            return NO_MEMORY;                                                                      \
        outcome state =                                                                            \
            g##_digit_table_sums(sums, tables, tables_count, scalars, count, window_bits);         \
        if (state == DONE)                                                                         \
            g##_unpack(bytes, sums, count);                                                        \
        free(sums);                                                                                \
        return state;                                                                              \
    }

DEFINE_GROUP_KERNELS(g1)
DEFINE_GROUP_KERNELS(g2)

/* Returns the index of the first packed point that is not in the subgroup, or count. */
static size_t g2_first_outside(const void *packed, size_t count) {
    const g2_affine *points = packed;
    size_t i = 0;
    while (i < count && g2_is_in_subgroup(&points[i]))
        i++;
    return i;
}

static outcome g2_lines(void *lines, const uint8_t *bytes) {
    g2_affine point;
    outcome result = g2_pack(&point, bytes, 1, 0, FINITE);
    if (result != DONE)
        return result;
    return prepare_lines(lines, &point) ? DONE : NOT_IN_SUBGROUP;
}

/* The coefficients of w^0 to w^5, two coordinates each. */
static void write_fp12(uint8_t *bytes, const fp12 *value) {
    for (int i = 0; i < 6; i++)
        write_coordinates(bytes + i * sizeof(fp2), (const number *)&value->c[i % 2].c[i / 2], 2);
}

static int read_fp12(fp12 *value, const uint8_t *bytes) {
    for (int i = 0; i < 6; i++)
        if (!read_coordinates((number *)&value->c[i % 2].c[i / 2], bytes + i * sizeof(fp2), 2, 0))
            return 0;
    return 1;
}

static outcome miller_loop_product(uint8_t *product, const uint8_t *points_bytes,
                                   const line *const *lines, size_t count) {
    fp12 result;
    g1_affine *points = malloc((count + 1) * sizeof *points);
    if (!points)
        return NO_MEMORY;
    outcome checked = g1_pack(points, points_bytes, count, 0, FINITE);
    if (checked == DONE) {
        miller_loop(&result, points, lines, count);
        write_fp12(product, &result);
    }
    free(points);
    return checked;
}

static outcome exponentiate(uint8_t *result, const uint8_t *bytes) {
    fp12 value, power;
    if (!read_fp12(&value, bytes))
        return BAD_INPUT;
    final_exponentiation(&power, &value);
    write_fp12(result, &power);
    return DONE;
}

#endif
