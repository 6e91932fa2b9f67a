/* Proofs that a key is in a tree: an ExistenceProof of cosmos/ics23, proofs.proto. */

#ifndef VEPERF_TREE_PROOF_H
#define VEPERF_TREE_PROOF_H

#include "tree_codec.h"

#define HASH_PREFIX_BYTES (3 * MAX_VARINT)

static void put_varint_to(output *out, uint64_t number) {
    uint8_t bytes[MAX_VARINT];
    size_t size = put_varint(bytes, number);
    for (size_t i = 0; i < size; i++)
        put_byte(out, bytes[i]);
}

/* Writes a field of bytes; the tag is its number, and 2 for its type. */
static void put_field(output *out, uint8_t number, const uint8_t *data, size_t size) {
    put_byte(out, (uint8_t)(number << 3 | 2));
    put_varint_to(out, size);
    if (out->place && size)
        memcpy(out->place + out->size, data, size);
    out->size += size;
}

/* Fields of one byte, 1 for SHA-256 and for a varint before the key. */
static void put_operations(output *out, const uint8_t *numbers, size_t count) {
    while (count--) {
        put_byte(out, (uint8_t)(*numbers++ << 3));
        put_byte(out, 1);
    }
}

/* A step from a child, on the left or not, to the node. */
static void put_step(output *out, const inner *n, int is_left) {
    static const uint8_t hash_field[] = {1};
    uint8_t data[2 * (8 + HASH_BYTES) + HASH_PREFIX_BYTES];
    uint8_t prefix[HASH_PREFIX_BYTES + 2 + HASH_BYTES], suffix[1 + HASH_BYTES];
    output step = {data, 0};
    size_t end = put_hash_prefix(prefix, &n->head);
    prefix[end++] = suffix[0] = HASH_BYTES;
    put_operations(&step, hash_field, sizeof hash_field);
    if (is_left) {
        memcpy(suffix + 1, n->right->hash, HASH_BYTES);
        put_field(&step, 2, prefix, end);
        put_field(&step, 3, suffix, sizeof suffix);
    } else {
        memcpy(prefix + end, n->left->hash, HASH_BYTES);
        end += HASH_BYTES;
        prefix[end++] = HASH_BYTES;
        put_field(&step, 2, prefix, end);
    }
    put_field(out, 4, data, step.size);
}

/* Proves the key's leaf against the root's hash; false if there is none. */
static int put_proof(output *out, const node *root, const key_view *key) {
    static const uint8_t leaf_fields[] = {1, 3, 4};
    const inner *path[MAX_HEIGHT];
    uint8_t is_left[MAX_HEIGHT];
    size_t length = 0;
    while (root->height) {
        path[length] = as_inner(root);
        is_left[length] = compare_inner(key, path[length]) < 0;
        root = is_left[length] ? path[length]->left : path[length]->right;
        length++;
    }
    const leaf *l = as_leaf(root);
    if (compare_leaf(key, l))
        return 0;
    uint8_t data[8 + HASH_PREFIX_BYTES], prefix[HASH_PREFIX_BYTES];
    output operation = {data, 0};
    put_operations(&operation, leaf_fields, sizeof leaf_fields);
    put_field(&operation, 5, prefix, put_hash_prefix(prefix, root));
    put_field(out, 1, l->data, l->key_size);
    put_field(out, 2, value_of(l), l->value_size);
    put_field(out, 3, data, operation.size);
    while (length--)
        put_step(out, path[length], is_left[length]);
    return 1;
}

#endif
