/* Sums of many points of one group: batches of additions in affine coordinates that share an
   inversion, tables of multiples, and multi-scalar multiplication. Included after curve.h. */

/* Replaces count values, none of them 0, by their inverses (Montgomery's trick). */
static void G(invert_all)(COORDINATE *values, COORDINATE *scratch, size_t count) {
    COORDINATE product, inverse;
    F(set_one)(&product);
    for (size_t i = 0; i < count; i++) {
        scratch[i] = product;
        F(multiply)(&product, &product, &values[i]);
    }
    F(invert)(&inverse, &product);
    for (size_t i = count; i-- > 0;) {
        F(multiply)(&scratch[i], &scratch[i], &inverse);
        F(multiply)(&inverse, &inverse, &values[i]);
        values[i] = scratch[i];
    }
}

#define BATCH 512 /* additions that share an inversion, and fit the cache */

typedef struct {
    size_t left, right, sum; /* indices; without a right one, the left point is copied */
} G(pair);

#define NO_POINT ((size_t)-1)

typedef struct {
    size_t count;
    G(pair) pairs[BATCH];
    COORDINATE runs[BATCH], scratch[BATCH];
} G(batch);

/* Sets points[sum] to points[left] + points[right] for each pair in order. A sum may replace a
   point that no later pair reads. */
static void G(flush)(G(batch) * batch, G(affine) * points) {
    for (size_t i = 0; i < batch->count; i++) {
        const G(pair) *pair = &batch->pairs[i];
        COORDINATE *run = &batch->runs[i];
        F(set_one)(run);
        if (pair->right == NO_POINT)
            continue;
        const G(affine) *a = &points[pair->left], *b = &points[pair->right];
        if (G(is_infinity)(a) || G(is_infinity)(b))
            continue;
        COORDINATE difference;
        F(subtract)(&difference, &b->x, &a->x);
        if (F(is_zero)(&difference))
            F(add)(&difference, &a->y, &b->y); /* 2 y, or 0 for opposite points */
        if (!F(is_zero)(&difference))
            *run = difference;
    }
    G(invert_all)(batch->runs, batch->scratch, batch->count);
    for (size_t i = 0; i < batch->count; i++) {
        const G(pair) *pair = &batch->pairs[i];
        G(affine) a = points[pair->left], *sum = &points[pair->sum];
        if (pair->right == NO_POINT) {
            *sum = a;
            continue;
        }
        G(affine) b = points[pair->right];
        if (G(is_infinity)(&a) || G(is_infinity)(&b)) {
            *sum = G(is_infinity)(&a) ? b : a;
            continue;
        }
        COORDINATE slope;
        if (!F(equals)(&a.x, &b.x)) {
            F(subtract)(&slope, &b.y, &a.y);
        } else if (F(equals)(&a.y, &b.y) && !F(is_zero)(&a.y)) {
            COORDINATE square;
            F(square)(&square, &a.x);
            F(add)(&slope, &square, &square);
            F(add)(&slope, &slope, &square);
        } else {
            memset(sum, 0, sizeof *sum);
            continue;
        }
        F(multiply)(&slope, &slope, &batch->runs[i]);
        F(square)(&sum->x, &slope);
        F(subtract)(&sum->x, &sum->x, &a.x);
        F(subtract)(&sum->x, &sum->x, &b.x);
        F(subtract)(&a.x, &a.x, &sum->x);
        F(multiply)(&slope, &slope, &a.x);
        F(subtract)(&sum->y, &slope, &a.y);
    }
    batch->count = 0;
}

static inline void G(queue)(G(batch) * batch, G(affine) * points, size_t left, size_t right,
                            size_t sum) {
    G(pair) pair = {left, right, sum};
    batch->pairs[batch->count++] = pair;
    if (batch->count == BATCH)
        G(flush)(batch, points);
}

/* Adds up the lists points[starts[i]] to points[starts[i + 1] - 1]; the sum of each that is not
   empty becomes its first point. All lists are halved together until no list is longer than 1. */
static void G(sum_lists)(G(batch) * batch, G(affine) * points, const size_t *starts,
                         size_t *lengths, size_t count) {
    size_t longest = 0;
    for (size_t i = 0; i < count; i++) {
        lengths[i] = starts[i + 1] - starts[i];
        if (lengths[i] > longest)
            longest = lengths[i];
    }
    batch->count = 0;
    for (; longest > 1; longest = (longest + 1) / 2) {
        for (size_t i = 0; i < count; i++) {
            size_t start = starts[i], length = lengths[i];
            if (length < 2)
                continue;
            for (size_t j = 0; j < length / 2; j++)
                G(queue)(batch, points, start + 2 * j, start + 2 * j + 1, start + j);
            if (length % 2)
                G(queue)(batch, points, start + length - 1, NO_POINT, start + length / 2);
            lengths[i] = (length + 1) / 2;
        }
        G(flush)(batch, points);
    }
}

/* Fills a table of all points (rows by digit position) with their multiples by powers of 2^w:
   the first count of table are there, the others are made. */
static void G(extend_table)(G(batch) * batch, G(affine) * table, size_t count, int window_bits,
                            int columns) {
    batch->count = 0;
    for (int column = 1; column < columns; column++) {
        G(affine) *next = table + (size_t)column * count;
        memcpy(next, next - count, count * sizeof *next);
        for (int i = 0; i < window_bits; i++) {
            for (size_t j = 0; j < count; j++)
                G(queue)(batch, next, j, j, j);
            G(flush)(batch, next);
        }
    }
}

/* The sum of numbers times points, given the digits of each number (Pippenger 1976).

   The table has the points, or in further columns their multiples by powers of 2^w as
   G(extend_table) makes them; then all digits share their buckets. With two numbers a point, the
   second multiplies its image by the endomorphism. Digits are at most 2^(w - 1) in absolute value,
   those of number h of point i begin at digits[(numbers i + h) digit_count]. */
static outcome G(sum_by_digits)(G(jacobian) * result, const G(affine) * table, int columns,
                                size_t count, const int32_t *digits, size_t numbers,
                                int digit_count, int window_bits) {
    int is_shared = columns > 1;
    outcome state = NO_MEMORY;
    size_t middle = (size_t)1 << (window_bits - 1);
    size_t sets = is_shared ? 1 : (size_t)digit_count, buckets = sets * middle;
    size_t entries = 0, length = (size_t)digit_count;
    size_t *starts = calloc(buckets + 2, sizeof *starts);
    size_t *lengths = malloc((buckets + 1) * sizeof *lengths);
    G(batch) *batch = malloc(sizeof *batch);
    G(affine) *points = NULL;
    G(set_infinity)(result);
    if (!starts || !lengths || !batch)
        goto done;
    for (size_t i = 0; i < numbers * count; i++)
        for (size_t j = 0; j < length; j++) {
            int32_t digit = digits[i * length + j];
            if (digit) {
                size_t weight = (size_t)(digit < 0 ? -digit : digit);
                starts[(is_shared ? 0 : j) * middle + weight + 1]++;
                entries++;
            }
        }
    points = malloc((entries + 1) * sizeof *points);
    if (!points)
        goto done;
    /* Bucket b begins at starts[b + 1] for now, and is filled from there. */
    for (size_t b = 1; b <= buckets; b++)
        starts[b + 1] += starts[b];
    for (size_t i = 0; i < count; i++)
        for (size_t h = 0; h < numbers; h++) {
            const int32_t *own = digits + (numbers * i + h) * length;
            G(affine) image;
            int has_image = 0;
            for (size_t j = 0; j < length; j++) {
                if (!own[j])
                    continue;
                size_t weight = (size_t)(own[j] < 0 ? -own[j] : own[j]);
                if (is_shared || !has_image) {
                    image = table[is_shared ? j * count + i : i];
                    if (h)
                        G(endomorphism)(&image, &image);
                    has_image = 1;
                }
                G(affine) *place = &points[starts[(is_shared ? 0 : j) * middle + weight]++];
                *place = image;
                if (own[j] < 0)
                    F(negate)(&place->y, &place->y);
            }
        }
    /* Now starts[b + 1] is where bucket b ends, and starts[b] where it begins. */
    G(sum_lists)(batch, points, starts, lengths, buckets);
    for (size_t set = sets; set-- > 0;) {
        G(jacobian) running, total;
        G(set_infinity)(&running);
        G(set_infinity)(&total);
        for (size_t bucket = (set + 1) * middle; bucket-- > set * middle;) {
            if (lengths[bucket])
                G(add_affine)(&running, &running, &points[starts[bucket]]);
            G(add)(&total, &total, &running);
        }
        if (set + 1 < sets)
            for (int i = 0; i < window_bits; i++)
                G(double)(result, result);
        G(add)(result, result, &total);
    }
    state = DONE;
done:
    free(starts);
    free(lengths);
    free(batch);
    free(points);
    return state;
}

/* The sum of scalars[i] * points[i], for points of order R: each scalar is split in two. */
static outcome G(msm)(G(jacobian) * result, const G(affine) * table, int columns, size_t count,
                      const uint8_t *scalars, int window_bits) {
    int digit_count = HALF_DIGITS(window_bits);
    int32_t *digits = malloc((2 * count * (size_t)digit_count + 1) * sizeof *digits);
    if (!digits)
        return NO_MEMORY;
    for (size_t i = 0; i < count; i++) {
        number scalar;
        half_scalar halves[2];
        number_from_bytes(&scalar, scalars + i * ELEMENT_BYTES, 0);
        scalar_reduce(&scalar);
        if (G(is_infinity)(&table[i]))
            memset(&scalar, 0, sizeof scalar);
        G(split)(halves, &scalar);
        for (size_t half = 0; half < 2; half++)
            half_digits(digits + (2 * i + half) * (size_t)digit_count, &halves[half], window_bits);
    }
    outcome state =
        G(sum_by_digits)(result, table, columns, count, digits, 2, digit_count, window_bits);
    free(digits);
    return state;
}

/* scalar * point, for a point of order R; digits of 4 bits of both halves share the doublings. */
static void G(multiply)(G(jacobian) * result, const G(affine) * point, const number *scalar) {
    half_scalar halves[2];
    int32_t digits[2][HALF_DIGITS(4)];
    G(jacobian) multiples[2][9];
    number reduced = *scalar;
    G(affine) image;
    scalar_reduce(&reduced);
    G(split)(halves, &reduced);
    G(endomorphism)(&image, point);
    for (int half = 0; half < 2; half++) {
        half_digits(digits[half], &halves[half], 4);
        G(from_affine)(&multiples[half][1], half ? &image : point);
        G(double)(&multiples[half][2], &multiples[half][1]);
        for (int i = 3; i < 9; i++)
            G(add_affine)(&multiples[half][i], &multiples[half][i - 1], half ? &image : point);
    }
    G(set_infinity)(result);
    for (int i = HALF_DIGITS(4) - 1; i >= 0; i--) {
        for (int j = 0; j < 4; j++)
            G(double)(result, result);
        for (int half = 0; half < 2; half++) {
            int32_t digit = digits[half][i];
            if (!digit)
                continue;
            G(jacobian) multiple = multiples[half][digit < 0 ? -digit : digit];
            if (digit < 0)
                F(negate)(&multiple.y, &multiple.y);
            G(add)(result, result, &multiple);
        }
    }
}

/* Fills a table of d * 2^(w j) * point, for digit positions j and digits d from 1 to 2^(w - 1),
   at [j * 2^(w - 1) + d - 1]. */
static void G(fill_digit_table)(G(batch) * batch, G(affine) * table, const G(affine) * point,
                                int window_bits) {
    size_t middle = (size_t)1 << (window_bits - 1);
    int columns = SCALAR_DIGITS(window_bits);
    G(jacobian) base;
    G(from_affine)(&base, point);
    for (int j = 0; j < columns; j++) {
        G(to_affine)(&table[(size_t)j * middle], &base);
        for (int i = 0; i < window_bits; i++)
            G(double)(&base, &base);
    }
    /* The multiples known so far, plus the last of them, are the next. */
    batch->count = 0;
    for (size_t known = 1; known < middle; known *= 2) {
        for (int j = 0; j < columns; j++) {
            size_t start = (size_t)j * middle;
            for (size_t i = 0; i < known; i++)
                G(queue)(batch, table, start + i, start + known - 1, start + known + i);
        }
        G(flush)(batch, table);
    }
}

/* Writes for each of count groups of scalars, one for each table, the sum of scalar * point over
   the tables of G(fill_digit_table), which follow each other. Only points that are used are checked
   to be elements of the field: that takes less time than a sum, and all of them more. */
static outcome G(digit_table_sums)(G(affine) * sums, const G(affine) * tables, size_t table_count,
                               const uint8_t *scalars, size_t count, int window_bits) {
    size_t middle = (size_t)1 << (window_bits - 1);
    int columns = SCALAR_DIGITS(window_bits);
    outcome state = NO_MEMORY;
    int32_t digits[SCALAR_DIGITS(2)];
    size_t size = (size_t)columns * middle, longest = table_count * (size_t)columns;
    size_t starts[33], lengths[32];
    G(batch) *batch = malloc(sizeof *batch);
    G(affine) *points = malloc((32 * longest + 1) * sizeof *points);
    if (!batch || !points)
        goto done;
    for (size_t first = 0; first < count; first += 32) {
        size_t lists = count - first < 32 ? count - first : 32, filled = 0;
        for (size_t i = 0; i < lists; i++) {
            starts[i] = filled;
            for (size_t t = 0; t < table_count; t++) {
                number scalar;
                number_from_bytes(&scalar, scalars + ((first + i) * table_count + t) * ELEMENT_BYTES,
                                  0);
                scalar_reduce(&scalar);
                signed_digits(digits, scalar.limb, 4, window_bits, columns, 0);
                for (int j = 0; j < columns; j++) {
                    int32_t digit = digits[j];
                    if (!digit)
                        continue;
                    size_t weight = (size_t)(digit < 0 ? -digit : digit);
                    points[filled] = tables[t * size + (size_t)j * middle + weight - 1];
                    if (!are_elements(&points[filled], sizeof *points)) {
                        state = BAD_INPUT;
                        goto done;
                    }
                    if (digit < 0)
                        F(negate)(&points[filled].y, &points[filled].y);
                    filled++;
                }
            }
        }
        starts[lists] = filled;
        G(sum_lists)(batch, points, starts, lengths, lists);
        for (size_t i = 0; i < lists; i++) {
            if (lengths[i])
                sums[first + i] = points[starts[i]];
            else
                memset(&sums[first + i], 0, sizeof *sums);
        }
    }
    state = DONE;
done:
    free(batch);
    free(points);
    return state;
}

#undef G
#undef F
#undef JOIN_NAMES
#undef EXPAND_NAMES
#undef BATCH
#undef NO_POINT
#undef GROUP
#undef FIELD
#undef COORDINATE
