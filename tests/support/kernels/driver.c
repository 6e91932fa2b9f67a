/* Runs the kernels on the calls in a file, for sanitizers and valgrind.

   A call: kernel, window bits, count (4 bytes each, little-endian), then the input and the expected
   output, each with its length of 4 bytes before it. An expected output of no bytes is a refusal.
   With arguments "fuzz" and N instead, N calls of each kernel on pseudo-random bytes. */

#include <stdio.h>

#include "bn254.h"

#define MAX_OUTPUT (1 << 22)

enum { MULTIPLY_FR, TRANSFORM, MULTIPLY, SUM, TABLE_SUM, DIGIT_SUMS, PAIRING, SUBGROUP, PACK, KERNELS };

static uint8_t *allocate(size_t size) {
    uint8_t *bytes = malloc(size ? size : 1); /* no more, so that overruns are noticed */
    if (!bytes)
        exit(2);
    return bytes;
}

static point_check check = ON_CURVE;

#define RUN_GROUP(g)                                                                               \
    static size_t run_##g(unsigned kernel, int window_bits, size_t count, const uint8_t *input,    \
                          size_t size, uint8_t *output) {                                          \
        const size_t point = sizeof(g##_affine);                                                   \
        if (size < count * (point + ELEMENT_BYTES))                                                \
            return 0;                                                                              \
        const uint8_t *scalars = input + count * point;                                            \
        void *packed = malloc(count * point + 1), *table = NULL;                                   \
        size_t written = 0;                                                                        \
        if (g##_pack(packed, input, count, 0, kernel == PACK ? FINITE : check) != DONE)            \
            goto done;                                                                             \
        if (kernel == PACK) {                                                                      \
            g##_unpack(output, packed, count);                                                     \
            written = count * point;                                                               \
        } else if (kernel == MULTIPLY) {                                                           \
            g##_multiple(output, packed, scalars);                                                 \
            written = point;                                                                       \
        } else if (kernel == SUM) {                                                                \
            written = g##_sum_of_multiples(output, packed, 1, count, scalars, window_bits) == DONE \
                          ? point                                                                  \
                          : 0;                                                                     \
        } else if (kernel == TABLE_SUM) {                                                          \
            int columns = HALF_DIGITS(window_bits);                                                \
            table = malloc(count * (size_t)columns * point + 1);                                   \
            if (g##_make_table(table, packed, count, window_bits) == DONE &&                       \
                g##_sum_of_multiples(output, table, columns, count, scalars, window_bits) == DONE) \
                written = point;                                                                   \
        } else { /* DIGIT_SUMS: tables of the first point, a sum a scalar */                       \
            table = malloc(((size_t)SCALAR_DIGITS(window_bits) << (window_bits - 1)) * point);     \
            if (g##_make_digit_table(table, packed, window_bits) == DONE &&                        \
                g##_sums_by_digit_tables(output, table, 1, scalars, count, window_bits) == DONE)   \
                written = count * point;                                                           \
        }                                                                                          \
    done:                                                                                          \
        free(packed);                                                                              \
        free(table);                                                                               \
        return written;                                                                            \
    }

RUN_GROUP(g1)
RUN_GROUP(g2)

static size_t run_pairing(const uint8_t *input, size_t size, uint8_t *output) {
    if (size != sizeof(g1_affine) + sizeof(g2_affine))
        return 0;
    size_t written = 0;
    line *lines = malloc((size_t)line_count * sizeof *lines);
    const line *all[1] = {lines};
    uint8_t product[sizeof(fp12)];
    if (g2_lines(lines, input + sizeof(g1_affine)) == DONE &&
        miller_loop_product(product, input, all, 1) == DONE &&
        exponentiate(output, product) == DONE)
        written = sizeof(fp12);
    free(lines);
    return written;
}

/* Returns the size of the output, 0 if the input is refused. */
static size_t run(unsigned kernel, int window_bits, size_t count, const uint8_t *input, size_t size,
                  uint8_t *output) {
    unsigned group = kernel / 16;
    kernel %= 16;
    if (kernel == MULTIPLY_FR) {
        fr_multiply_all(output, input, input + size / 2, size / 2 / ELEMENT_BYTES);
        return size / 2;
    }
    if (kernel == TRANSFORM) {
        if (size < (count + 4) * ELEMENT_BYTES)
            return 0;
        const uint8_t *values = input + 4 * ELEMENT_BYTES;
        return fr_transform(output, values, count, input, input + ELEMENT_BYTES,
                            input + 2 * ELEMENT_BYTES, input + 3 * ELEMENT_BYTES) == DONE
                   ? count * ELEMENT_BYTES
                   : 0;
    }
    if (kernel == PAIRING)
        return run_pairing(input, size, output);
    if (kernel == SUBGROUP) {
        g2_affine point;
        if (size != sizeof point || g2_pack(&point, input, 1, 0, check) != DONE)
            return 0;
        int are_inside;
        if (g2_are_in_subgroup(&are_inside, &point, 1, input) != DONE)
            return 0;
        output[0] = (uint8_t)g2_first_outside(&point, 1);
        output[1] = (uint8_t)are_inside;
        return 2;
    }
    return (group == 1 ? run_g1 : run_g2)(kernel, window_bits, count, input, size, output);
}

static uint32_t read_word(FILE *file) {
    uint8_t bytes[4];
    if (fread(bytes, 1, 4, file) != 4)
        exit(2);
    return bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

static uint8_t *read_bytes(FILE *file, size_t *size) {
    *size = read_word(file);
    uint8_t *bytes = allocate(*size);
    if (fread(bytes, 1, *size, file) != *size)
        exit(2);
    return bytes;
}

static int run_file(const char *name) {
    FILE *file = fopen(name, "rb");
    if (!file)
        return 2;
    uint32_t calls = read_word(file);
    uint8_t *output = allocate(MAX_OUTPUT);
    int wrong = 0;
    for (uint32_t i = 0; i < calls; i++) {
        size_t size, expected_size;
        unsigned kernel = read_word(file);
        int window_bits = (int)read_word(file);
        size_t count = read_word(file);
        uint8_t *input = read_bytes(file, &size), *expected = read_bytes(file, &expected_size);
        size_t written = run(kernel, window_bits, count, input, size, output);
        if (written != expected_size || memcmp(output, expected, written)) {
            fprintf(stderr, "call %u: kernel %u gives another result\n", (unsigned)i, kernel);
            wrong = 1;
        }
        free(input);
        free(expected);
    }
    free(output);
    fclose(file);
    return wrong;
}

static uint64_t state = 88172645463325252u; /* xorshift64 (Marsaglia 2003) */

static uint64_t next_random(void) {
    state ^= state << 13;
    state ^= state >> 7;
    return state ^= state << 17;
}

/* Calls with inputs of any kind: half of them points off the curve that are trusted to be on it. */
static void fuzz(long calls) {
    uint8_t *output = allocate(MAX_OUTPUT);
    for (long i = 0; i < calls; i++) {
        unsigned kernel = next_random() % KERNELS, group = 1 + next_random() % 2;
        int window_bits = 2 + (int)(next_random() % 6), is_below = next_random() % 2;
        size_t count = 1 + next_random() % 9, size = count * (sizeof(g2_affine) + ELEMENT_BYTES);
        if (kernel == TRANSFORM) {
            count = (size_t)1 << next_random() % 5;
            size = (count + 4) * ELEMENT_BYTES;
        } else if (kernel == PAIRING) {
            size = sizeof(g1_affine) + sizeof(g2_affine);
        } else if (kernel == SUBGROUP) {
            size = sizeof(g2_affine);
        }
        check = next_random() % 2 ? TRUSTED : ON_CURVE;
        uint8_t *input = allocate(size);
        for (size_t j = 0; j < size; j++) {
            input[j] = next_random() % 8 ? (uint8_t)(next_random() >> 32) : 0;
            if (is_below && j % ELEMENT_BYTES == ELEMENT_BYTES - 1)
                input[j] &= 0x2f;
        }
        run(16 * group + kernel, window_bits, count, input, size, output);
        free(input);
    }
    free(output);
}

int main(int argc, char **argv) {
    bn254_initialize();
    if (argc == 3 && !strcmp(argv[1], "fuzz")) {
        fuzz(atol(argv[2]));
        return 0;
    }
    return argc == 2 ? run_file(argv[1]) : 2;
}
