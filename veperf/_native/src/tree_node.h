/* The nodes of an IAVL tree: shared by reference counts, hashed as cosmos/iavl v1.

   A node that is reachable from two places never changes again, except that it gets its hash.
   Counts are atomic, so that threads may share nodes; whoever changes a tree, or fills in hashes,
   must be the only one to do so, and nobody else may look at nodes without a hash meanwhile. */

#ifndef VEPERF_TREE_NODE_H
#define VEPERF_TREE_NODE_H

#include <stdlib.h>

#include "sha256.h"

/* An AVL tree of this height has more leaves than memory has bytes. */
#define MAX_HEIGHT 64
/* Of a key and of a value, in bytes. */
#define MAX_SIZE ((size_t)UINT32_MAX)

#ifndef TREE_ALLOCATE /* a test lets it fail */
#define TREE_ALLOCATE malloc
#endif

typedef struct {
    uint32_t references;
    uint8_t height; /* 0: a leaf */
    uint8_t is_hashed;
    int64_t version;
    uint8_t hash[HASH_BYTES];
} node;

typedef struct {
    node head;
    uint32_t key_size, value_size;
    uint8_t data[]; /* key, value */
} leaf;

typedef struct {
    node head;
    node *left, *right;
    const leaf *least; /* first leaf on the right, whose key is the node's; the right side has it */
    uint64_t prefix;   /* of that key */
    uint64_t size;     /* number of leaves */
} inner;

/* Bytes somewhere else; the prefix orders as the first 8 of them do. */
typedef struct {
    const uint8_t *data;
    size_t size;
    uint64_t prefix;
} key_view;

static inline leaf *as_leaf(const node *n) { return (leaf *)n; }
static inline inner *as_inner(const node *n) { return (inner *)n; }
static inline uint64_t size_of_tree(const node *n) { return n->height ? as_inner(n)->size : 1; }
static inline const uint8_t *value_of(const leaf *l) { return l->data + l->key_size; }

static inline uint64_t prefix_of(const uint8_t *data, size_t size) {
    uint64_t prefix = 0;
    if (size >= 8)
        for (int i = 0; i < 8; i++)
            prefix = prefix << 8 | data[i];
    else
        for (size_t i = 0; i < size; i++)
            prefix |= (uint64_t)data[i] << (56 - 8 * i);
    return prefix;
}

static inline key_view view_key(const uint8_t *data, size_t size) {
    key_view key = {data, size, prefix_of(data, size)};
    return key;
}

static inline int compare_bytes(const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size) {
    size_t common = a_size < b_size ? a_size : b_size;
    int order = common ? memcmp(a, b, common) : 0;
    return order ? order : (a_size > b_size) - (a_size < b_size);
}

static inline int compare_leaf(const key_view *key, const leaf *l) {
    return compare_bytes(key->data, key->size, l->data, l->key_size);
}

/* Where the key is: negative for the left side; 0 for the first leaf on the right. */
static inline int compare_inner(const key_view *key, const inner *n) {
    if (key->prefix != n->prefix)
        return key->prefix < n->prefix ? -1 : 1;
    return compare_leaf(key, n->least);
}

/* ---------------------------------------------------------------- references */

static inline int is_shared(const node *n) {
    return __atomic_load_n(&n->references, __ATOMIC_ACQUIRE) != 1;
}

static inline node *keep(node *n) {
    __atomic_fetch_add(&n->references, 1, __ATOMIC_RELAXED);
    return n;
}

/* Gives a reference back; NULL is none. As deep as the tree is high. */
static void drop(node *n) {
    if (!n || (is_shared(n) && __atomic_fetch_sub(&n->references, 1, __ATOMIC_ACQ_REL) != 1))
        return;
    if (n->height) {
        drop(as_inner(n)->left);
        drop(as_inner(n)->right);
    }
    free(n);
}

static inline void begin_node(node *n, int64_t version) {
    n->references = 1;
    n->height = 0;
    n->is_hashed = 0;
    n->version = version;
}

/* NULL: no memory. Sizes are at most MAX_SIZE. */
static node *new_leaf(const uint8_t *key, size_t key_size, const uint8_t *value, size_t value_size,
                      int64_t version) {
    leaf *l = TREE_ALLOCATE(sizeof *l + key_size + value_size);
    if (!l)
        return NULL;
    begin_node(&l->head, version);
    l->key_size = (uint32_t)key_size;
    l->value_size = (uint32_t)value_size;
    if (key_size)
        memcpy(l->data, key, key_size);
    if (value_size)
        memcpy(l->data + key_size, value, value_size);
    return &l->head;
}

static inline void measure(inner *n) {
    int left = n->left->height, right = n->right->height;
    n->head.height = (uint8_t)(1 + (left > right ? left : right));
    n->size = size_of_tree(n->left) + size_of_tree(n->right);
}

static inline void set_least(inner *n, const leaf *least) {
    n->least = least;
    n->prefix = prefix_of(least->data, least->key_size);
}

static const leaf *first_leaf(const node *n) {
    while (n->height)
        n = as_inner(n)->left;
    return as_leaf(n);
}

/* A node over two subtrees, whose references it takes; NULL without memory, and it takes none. */
static node *new_inner(node *left, node *right, const leaf *least, int64_t version) {
    inner *n = TREE_ALLOCATE(sizeof *n);
    if (!n)
        return NULL;
    begin_node(&n->head, version);
    n->left = left;
    n->right = right;
    set_least(n, least);
    measure(n);
    return &n->head;
}

/* ---------------------------------------------------------------- hashes */

#define MAX_VARINT 10

static inline size_t put_varint(uint8_t *place, uint64_t number) {
    size_t size = 0;
    for (; number > 0x7f; number >>= 7)
        place[size++] = (uint8_t)(number | 0x80);
    place[size++] = (uint8_t)number;
    return size;
}

/* Writes height, size and version, as the hash covers them; 3 varints at most. */
static inline size_t put_hash_prefix(uint8_t *place, const node *n) {
    size_t end = put_varint(place, (uint64_t)n->height << 1);
    end += put_varint(place + end, size_of_tree(n) << 1);
    uint64_t zigzag = (uint64_t)n->version << 1 ^ (n->version < 0 ? UINT64_MAX : 0);
    return end + put_varint(place + end, zigzag);
}

/* The children have theirs. */
static void hash_node(node *n) {
    uint8_t image[3 * MAX_VARINT + MAX_VARINT + 2 * (1 + HASH_BYTES)];
    size_t end = put_hash_prefix(image, n);
    if (n->height) {
        const node *children[2] = {as_inner(n)->left, as_inner(n)->right};
        for (int i = 0; i < 2; i++) {
            image[end++] = HASH_BYTES;
            memcpy(image + end, children[i]->hash, HASH_BYTES);
            end += HASH_BYTES;
        }
        sha256(n->hash, image, end);
    } else {
        const leaf *l = as_leaf(n);
        uint8_t value_hash[1 + HASH_BYTES] = {HASH_BYTES};
        sha_message message;
        sha256(value_hash + 1, value_of(l), l->value_size);
        end += put_varint(image + end, l->key_size);
        sha_begin(&message);
        sha_add(&message, image, end);
        sha_add(&message, l->data, l->key_size);
        sha_add(&message, value_hash, sizeof value_hash);
        sha_end(n->hash, &message);
    }
    __atomic_store_n(&n->is_hashed, 1, __ATOMIC_RELEASE);
}

static inline int is_hashed(const node *n) {
    return __atomic_load_n(&n->is_hashed, __ATOMIC_ACQUIRE);
}

/* Computes the missing hashes at and below the node. */
static void fill_hashes(node *n) {
    if (n->is_hashed)
        return;
    if (n->height) {
        fill_hashes(as_inner(n)->left);
        fill_hashes(as_inner(n)->right);
    }
    hash_node(n);
}

#endif
