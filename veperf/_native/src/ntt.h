/* Number-theoretic transforms over the scalar field. */

#ifndef VEPERF_NTT_H
#define VEPERF_NTT_H

#include <stdlib.h>

#include "field.h"

/* values[i] *= factor * base^i */
static void scale_by_powers(number *values, size_t size, const number *base, const number *factor) {
    number power = *factor;
    for (size_t i = 0; i < size; i++) {
        fr_multiply(&values[i], &values[i], &power);
        fr_multiply(&power, &power, base);
    }
}

/* Replaces the size = 2^k coefficients by the values at the powers of root, a root of unity of
   that order (Cooley, Tukey 1965). The scratch holds size / 2 numbers. */
static void transform(number *values, number *roots, size_t size, const number *root) {
    for (size_t i = 1, reversed = 0; i < size; i++) {
        size_t bit = size >> 1;
        for (; reversed & bit; bit >>= 1)
            reversed ^= bit;
        reversed |= bit;
        if (i < reversed) {
            number value = values[i];
            values[i] = values[reversed];
            values[reversed] = value;
        }
    }
    number power = fr_one;
    for (size_t i = 0; i < size / 2; i++) {
        roots[i] = power;
        fr_multiply(&power, &power, root);
    }
    for (size_t half = 1; half < size; half *= 2) {
        size_t stride = size / (2 * half);
        for (size_t start = 0; start < size; start += 2 * half)
            for (size_t i = 0; i < half; i++) {
                number *low = &values[start + i], *high = low + half, odd;
                fr_multiply(&odd, high, &roots[i * stride]);
                fr_subtract(high, low, &odd);
                fr_add(low, low, &odd);
            }
    }
}

#endif
