/* Runs the kernels of transactions on the cases in a file, for sanitizers and valgrind.

   The file: the number of cases, then each with its kind (0: a transfer, 1: a document) and five
   parts; numbers have 4 bytes, little-endian, and stand before the bytes of a part.

   A transfer: prefix, raw, expected: the fields one after the other, nothing for a refusal; two empty
   parts. A document: body, auth info, chain id, account number (8 bytes), expected digest.

   With arguments "fuzz", N and a file instead: the transfers of the file, changed at random N times. */

#include <stdio.h>
#include <stdlib.h>

#include "transactions.h"

#define PARTS 5

typedef struct {
    uint32_t kind;
    span parts[PARTS];
} test_case;

static uint32_t read_word(FILE *file) {
    uint8_t bytes[4];
    if (fread(bytes, 1, 4, file) != 4)
        exit(2);
    return bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

static uint8_t *allocate(size_t size) {
    uint8_t *bytes = malloc(size ? size : 1); /* no more, so that overruns are noticed */
    if (!bytes)
        exit(2);
    return bytes;
}

static test_case *read_cases(const char *name, uint32_t *count) {
    FILE *file = fopen(name, "rb");
    if (!file)
        exit(2);
    *count = read_word(file);
    test_case *cases = malloc((*count + 1) * sizeof *cases);
    for (uint32_t i = 0; cases && i < *count; i++) {
        cases[i].kind = read_word(file);
        for (int j = 0; j < PARTS; j++) {
            size_t size = read_word(file);
            uint8_t *bytes = allocate(size);
            if (fread(bytes, 1, size, file) != size)
                exit(2);
            cases[i].parts[j] = (span){bytes, size};
        }
    }
    fclose(file);
    return cases;
}

static void free_cases(test_case *cases, uint32_t count) {
    for (uint32_t i = 0; i < count; i++)
        for (int j = 0; j < PARTS; j++)
            free((void *)cases[i].parts[j].data);
    free(cases);
}

static uint8_t *put(uint8_t *to, span part) {
    memcpy(to, part.data, part.size);
    return to + part.size;
}

/* Returns the size of the fields in output, which has room for raw and 100 bytes more. */
static size_t read_fields(uint8_t *output, span prefix, span raw) {
    transfer t;
    uint8_t address[2][MODULE_BYTES], *end = output;
    if (!transfer_read(&t, raw.data, raw.size))
        return 0;
    size_t sender = address_read(address[0], t.sender, prefix);
    size_t recipient = address_read(address[1], t.recipient, prefix);
    if (!sender || !recipient)
        return 0;
    const span fields[] = {{address[0], sender}, {address[1], recipient}, t.denom, t.amount,
                           t.fee_denom, t.fee_amount, t.key, t.signature};
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        end = put(end, fields[i]);
    for (int i = 0; i < 16; i++)
        *end++ = (uint8_t)((i < 8 ? t.sequence : t.gas_limit) >> 8 * (i & 7));
    return (size_t)(end - output);
}

/* Stand-ins of the library: a signature is right if it starts with the digest. */
static int parse(const void *context, void *signature, const uint8_t *compact) {
    memcpy(signature, compact, SIGNATURE_BYTES);
    return context == NULL;
}

static int verify(const void *context, const void *signature, const uint8_t *digest,
                  const void *point) {
    uint8_t copy[POINT_BYTES];
    memcpy(copy, point, sizeof copy);
    return context == NULL && !memcmp(signature, digest, HASH_BYTES);
}

static int is_document_right(const span parts[PARTS]) {
    const signature_library library = {NULL, parse, verify};
    uint8_t *signature = allocate(SIGNATURE_BYTES), *point = allocate(POINT_BYTES), verdicts[2];
    memset(point, 1, POINT_BYTES);
    memset(signature, 0, SIGNATURE_BYTES);
    memcpy(signature, parts[4].data, HASH_BYTES);
    document documents[2] = {{point, signature, parts[0], parts[1], 0}};
    for (int i = 0; i < 8; i++)
        documents[0].account_number |= (uint64_t)parts[3].data[i] << 8 * i;
    documents[1] = documents[0];
    documents[1].account_number++;
    documents_verify(verdicts, &library, documents, 2, parts[2]);
    free(signature);
    free(point);
    return verdicts[0] == VERIFIED && verdicts[1] == WRONG_SIGNATURE;
}

static int run(const test_case *cases, uint32_t count) {
    int wrong = 0;
    for (uint32_t i = 0; i < count; i++) {
        const span *parts = cases[i].parts;
        int is_right;
        if (cases[i].kind) {
            is_right = is_document_right(parts);
        } else {
            uint8_t *output = allocate(parts[1].size + 100);
            size_t size = read_fields(output, parts[0], parts[1]);
            is_right = size == parts[2].size && !memcmp(output, parts[2].data, size);
            free(output);
        }
        if (!is_right)
            fprintf(stderr, "case %u: another result\n", (unsigned)i);
        wrong |= !is_right;
    }
    return wrong;
}

static uint64_t state = 88172645463325252u; /* xorshift64 (Marsaglia 2003) */

static size_t below(size_t limit) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (size_t)(state >> 11) % limit;
}

/* Returns how many changed transfers were still read. */
static unsigned long fuzz(const test_case *cases, uint32_t count, long calls) {
    unsigned long accepted = 0;
    for (long i = 0; i < calls; i++) {
        const test_case *chosen = &cases[below(count)];
        span raw = chosen->parts[1];
        if (chosen->kind || raw.size < 2)
            continue;
        size_t size = below(4) ? raw.size : below(raw.size + 1);
        uint8_t *bytes = allocate(size), *output = allocate(size + 100);
        memcpy(bytes, raw.data, size);
        for (size_t changes = below(4); size && changes; changes--) {
            size_t at = below(size);
            bytes[at] = (uint8_t)(below(2) ? bytes[at] + 1 - 2 * below(2) : below(256));
        }
        accepted += read_fields(output, chosen->parts[0], (span){bytes, size}) > 0;
        free(bytes);
        free(output);
    }
    return accepted;
}

int main(int argc, char **argv) {
    int is_fuzz = argc == 4 && !strcmp(argv[1], "fuzz"), wrong = 0;
    uint32_t count;
    if (argc != 2 && !is_fuzz)
        return 2;
    test_case *cases = read_cases(argv[argc - 1], &count);
    for (int fast = 0; fast < 2; fast++) { /* SHA-256 in both forms, where there are two */
        if (fast)
            sha_initialize();
        if (is_fuzz)
            wrong |= !fuzz(cases, count, atol(argv[2]));
        else
            wrong |= run(cases, count);
    }
    free_cases(cases, count);
    return wrong;
}
