/* Trees as bytes: slices of snapshots and change sets of the store (msgpack), as
   veperf/workloads/transaction/iavl/encoding.py describes them. The bytes may be anything. */

#ifndef VEPERF_TREE_CODEC_H
#define VEPERF_TREE_CODEC_H

#include "tree_batch.h"

/* What is wrong with the bytes; NULL: nothing is. */
typedef const char *fault;
#define FAULT_NO_MEMORY "no memory"
#define FAULT_UNREADABLE "it can't be read"

typedef struct {
    const uint8_t *place, *end;
} input;

/* ---------------------------------------------------------------- msgpack */

static int read_number(input *in, size_t bytes, uint64_t *number) {
    if ((size_t)(in->end - in->place) < bytes)
        return 0;
    *number = 0;
    while (bytes--)
        *number = *number << 8 | *in->place++;
    return 1;
}

/* Reads an integer from 0 to 2^63 - 1, of whatever width. */
static int read_version(input *in, int64_t *version) {
    uint64_t number = 0;
    if (in->place == in->end)
        return 0;
    uint8_t type = *in->place++;
    /* 4 types without a sign, and 4 with one: 1, 2, 4 and 8 bytes. */
    const size_t bytes = (size_t)1 << ((type - 0xcc) & 3);
    if (type < 0x80)
        number = type;
    else if (type < 0xcc || type > 0xd3 || !read_number(in, bytes, &number))
        return 0;
    *version = (int64_t)number;
    return number <= INT64_MAX && !(type >= 0xd0 && type <= 0xd3 && number >> (8 * bytes - 1));
}

static int read_bytes(input *in, const uint8_t **data, size_t *size) {
    uint64_t length;
    if (in->place == in->end)
        return 0;
    uint8_t type = *in->place++;
    if (type < 0xc4 || type > 0xc6 || !read_number(in, (size_t)1 << (type - 0xc4), &length) ||
        length > (uint64_t)(in->end - in->place))
        return 0;
    *data = in->place;
    *size = (size_t)length;
    in->place += length;
    return 1;
}

static int is_array(const input *in) {
    return in->place != in->end &&
           ((*in->place & 0xf0) == 0x90 || *in->place == 0xdc || *in->place == 0xdd);
}

static int read_array(input *in, uint64_t *length) {
    if (!is_array(in))
        return 0;
    uint8_t type = *in->place++;
    if ((type & 0xf0) == 0x90) {
        *length = type & 0x0f;
        return 1;
    }
    return read_number(in, type == 0xdc ? 2 : 4, length);
}

/* Writes where there is a place, and always counts. */
typedef struct {
    uint8_t *place;
    size_t size;
} output;

static void put_byte(output *out, uint8_t byte) {
    if (out->place)
        out->place[out->size] = byte;
    out->size++;
}

static void put_number(output *out, uint8_t type, size_t bytes, uint64_t number) {
    put_byte(out, type);
    while (bytes--)
        put_byte(out, (uint8_t)(number >> 8 * bytes));
}

static void put_version(output *out, int64_t version) {
    uint64_t number = (uint64_t)version;
    if (version < 0) /* of no chain: as wide as any */
        put_number(out, 0xd3, 8, number);
    else if (number < 0x80)
        put_byte(out, (uint8_t)number);
    else if (number <= UINT8_MAX)
        put_number(out, 0xcc, 1, number);
    else if (number <= UINT16_MAX)
        put_number(out, 0xcd, 2, number);
    else if (number <= UINT32_MAX)
        put_number(out, 0xce, 4, number);
    else
        put_number(out, 0xcf, 8, number);
}

static void put_bytes(output *out, const uint8_t *data, size_t size) {
    if (size <= UINT8_MAX)
        put_number(out, 0xc4, 1, size);
    else if (size <= UINT16_MAX)
        put_number(out, 0xc5, 2, size);
    else
        put_number(out, 0xc6, 4, size);
    if (out->place && size)
        memcpy(out->place + out->size, data, size);
    out->size += size;
}

static void put_array(output *out, uint64_t length) {
    if (length < 16)
        put_byte(out, (uint8_t)(0x90 | length));
    else if (length <= UINT16_MAX)
        put_number(out, 0xdc, 2, length);
    else
        put_number(out, 0xdd, 4, length);
}

/* ---------------------------------------------------------------- snapshots */

/* Writes the nodes of a subtree in pre-order, but what is beyond *count. */
static void put_nodes(output *out, const node *n, uint64_t *count) {
    if (!*count)
        return;
    --*count;
    if (!n->height) {
        const leaf *l = as_leaf(n);
        put_array(out, 3);
        put_version(out, n->version);
        put_bytes(out, l->data, l->key_size);
        put_bytes(out, value_of(l), l->value_size);
        return;
    }
    put_version(out, n->version);
    put_nodes(out, as_inner(n)->left, count);
    put_nodes(out, as_inner(n)->right, count);
}

/* Writes a slice of a snapshot: the first nodes of subtrees, which have as many. */
static void put_slice(output *out, node *const *subtrees, size_t size, uint64_t count) {
    put_array(out, count);
    for (size_t i = 0; i < size; i++)
        put_nodes(out, subtrees[i], &count);
}

/* The slices of a snapshot one after the other. */
typedef struct {
    const input *slices;
    size_t count;     /* of slices not begun */
    input in;         /* the one that is read */
    uint64_t left;    /* nodes in it */
    const leaf *last; /* leaf so far */
    fault problem;
} slice_reader;

static int is_empty_slice(const input *slice) {
    input in = *slice;
    uint64_t length;
    return read_array(&in, &length) && !length && in.place == in.end;
}

static int next_slice(slice_reader *reader) {
    while (!reader->left) {
        if (reader->in.place != reader->in.end || !reader->count)
            return 0;
        reader->count--;
        reader->in = *reader->slices++;
        if (!read_array(&reader->in, &reader->left))
            return 0;
    }
    reader->left--;
    return 1;
}

/* Reads the next subtree with its hashes; NULL: there is a problem. */
static node *read_subtree(slice_reader *reader, int depth) {
    uint64_t fields;
    int64_t version;
    reader->problem = FAULT_UNREADABLE;
    if (!next_slice(reader)) {
        reader->problem = "an inner node has no two children";
        return NULL;
    }
    input *in = &reader->in;
    if (is_array(in)) {
        const uint8_t *key, *value;
        size_t key_size, value_size;
        if (!read_array(in, &fields) || fields != 3 || !read_version(in, &version) ||
            !read_bytes(in, &key, &key_size) || !read_bytes(in, &value, &value_size))
            return NULL;
        const leaf *last = reader->last;
        reader->problem = "a key is out of order";
        if (last && compare_bytes(last->data, last->key_size, key, key_size) >= 0)
            return NULL;
        reader->problem = FAULT_NO_MEMORY;
        node *n = new_leaf(key, key_size, value, value_size, version);
        if (n) {
            hash_node(n);
            reader->last = as_leaf(n);
        }
        return n;
    }
    if (!read_version(in, &version))
        return NULL;
    reader->problem = "the tree is not balanced";
    if (depth > MAX_HEIGHT)
        return NULL;
    node *left = read_subtree(reader, depth + 1);
    node *right = left ? read_subtree(reader, depth + 1) : NULL;
    if (right) {
        reader->problem = "the tree is not balanced";
        int balance = left->height - right->height;
        if (balance >= -1 && balance <= 1) {
            reader->problem = FAULT_NO_MEMORY;
            node *n = new_inner(left, right, first_leaf(right), version);
            if (n) {
                hash_node(n);
                return n;
            }
        }
    }
    drop(left);
    drop(right);
    return NULL;
}

/* Reads a snapshot, all of its slices; the tree is NULL if they are empty. */
static fault read_snapshot(node **tree, const input *slices, size_t count) {
    slice_reader reader = {slices, count, {NULL, NULL}, 0, NULL, NULL};
    *tree = NULL;
    while (reader.count && is_empty_slice(&slices[reader.count - 1]))
        reader.count--;
    if (!reader.count)
        return NULL;
    *tree = read_subtree(&reader, 0);
    if (!*tree)
        return reader.problem;
    if (reader.left || reader.count || reader.in.place != reader.in.end) {
        drop(*tree);
        *tree = NULL;
        return "subtrees are left without a root";
    }
    return NULL;
}

#endif
