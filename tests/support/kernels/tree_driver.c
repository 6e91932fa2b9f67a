/* Runs the tree's kernels on pseudo-random calls, for sanitizers and valgrind.

   Arguments: a seed and a number of rounds. Every call is compared with a plain sorted list, the
   tree's shape and hashes are checked after it, versions that were kept must not have changed, and
   any allocation may fail, upon which nothing has. */

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

static size_t allocations_left = SIZE_MAX;

static void *allocate(size_t size) {
    if (!allocations_left)
        return NULL;
    allocations_left--;
    return malloc(size);
}

#define TREE_ALLOCATE allocate
#include "tree_proof.h"
#include "tree_replay.h"

#define KEYS 400
#define VERSIONS 6
#define MAX_BATCH 60

static uint64_t state;

static uint64_t random_below(uint64_t limit) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (state >> 33) % limit;
}

static void require(int is_right, const char *what) {
    if (!is_right) {
        fprintf(stderr, "%s\n", what);
        exit(1);
    }
}

/* What a tree holds: of each key the length of its value, or -1. */
typedef struct {
    int sizes[KEYS];
    uint8_t fills[KEYS];
} model;

typedef struct {
    node *root;
    model content;
    uint8_t hash[HASH_BYTES];
} saved;

/* Keys of several lengths, some the beginning of others, in the order of their numbers. */
static size_t write_key(uint8_t *place, unsigned number) {
    place[0] = (uint8_t)(number / 20);
    memset(place + 1, 0, 12);
    place[1] = (uint8_t)(number % 20 / 10);
    return 1 + number % 20 % 10 + (number % 20 >= 10 ? 1 : 0);
}

static size_t write_value(uint8_t *place, int size, uint8_t fill) {
    memset(place, fill, (size_t)size);
    return (size_t)size;
}

/* ---------------------------------------------------------------- checks */

static const leaf *check_shape(const node *n, const leaf **last, uint64_t *leaves) {
    if (!n->height) {
        const leaf *l = as_leaf(n);
        require(!*last || compare_bytes((*last)->data, (*last)->key_size, l->data, l->key_size) < 0,
                "keys are out of order");
        *last = l;
        ++*leaves;
        return l;
    }
    const inner *i = as_inner(n);
    int balance = i->left->height - i->right->height;
    int highest = i->left->height > i->right->height ? i->left->height : i->right->height;
    uint64_t before = *leaves;
    const leaf *first = check_shape(i->left, last, leaves);
    const leaf *least = check_shape(i->right, last, leaves);
    require(balance >= -1 && balance <= 1 && n->height == highest + 1, "not an AVL tree");
    require(i->size == *leaves - before, "a wrong size");
    require(i->least == least, "a wrong first leaf on the right");
    require(i->prefix == prefix_of(least->data, least->key_size), "a wrong prefix");
    require(!n->is_hashed || (i->left->is_hashed && i->right->is_hashed), "a hash too early");
    return first;
}

static void check_hashes(node *n) {
    if (n->height) {
        check_hashes(as_inner(n)->left);
        check_hashes(as_inner(n)->right);
    }
    uint8_t before[HASH_BYTES];
    memcpy(before, n->hash, HASH_BYTES);
    int was_hashed = n->is_hashed;
    if (!was_hashed)
        return;
    hash_node(n);
    require(!memcmp(before, n->hash, HASH_BYTES), "a stale hash");
}

static void check_content(const node *root, const model *content) {
    const leaf *last = NULL;
    uint64_t leaves = 0, expected = 0;
    if (root)
        check_shape(root, &last, &leaves);
    for (unsigned i = 0; i < KEYS; i++) {
        uint8_t bytes[16];
        key_view key = view_key(bytes, write_key(bytes, i));
        const leaf *found = root ? find_leaf(root, &key) : NULL;
        require(!found == (content->sizes[i] < 0), "a key too many or too few");
        expected += found != NULL;
        if (found)
            require(found->value_size == (uint32_t)content->sizes[i] &&
                        (!found->value_size || (value_of(found)[0] == content->fills[i])),
                    "a wrong value");
    }
    require(leaves == expected, "a wrong number of leaves");
}

/* ---------------------------------------------------------------- calls */

static int change_one(node **root, model *content, int64_t version) {
    unsigned number = (unsigned)random_below(KEYS);
    uint8_t bytes[16], value[64];
    key_view key = view_key(bytes, write_key(bytes, number));
    if (random_below(3)) {
        int size = (int)random_below(64), was_there;
        uint8_t fill = (uint8_t)random_below(256);
        if (!tree_set(root, &key, value, write_value(value, size, fill), version, &was_there))
            return 0;
        require(was_there == (content->sizes[number] >= 0), "it was there, or was not");
        content->sizes[number] = size;
        content->fills[number] = fill;
    } else {
        leaf *removed;
        if (!tree_remove(root, &key, version, &removed))
            return 0;
        require(!removed == (content->sizes[number] < 0), "it was removed, or was not");
        drop(removed ? &removed->head : NULL);
        content->sizes[number] = -1;
    }
    return 1;
}

/* Changes in ascending order, as they are and as the store encodes them. */
typedef struct {
    change changes[MAX_BATCH];
    uint8_t keys[MAX_BATCH][16], values[MAX_BATCH][64];
    size_t count;
    uint8_t encoded[MAX_BATCH * 96];
    input set;
} change_list;

static void draw_changes(change_list *list, model *content, uint64_t limit) {
    uint64_t rate = 1 + random_below(40);
    output out = {list->encoded + 5, 0};
    list->count = 0;
    for (unsigned i = 0; i < KEYS && list->count < limit; i++) {
        if (random_below(rate))
            continue;
        change *c = &list->changes[list->count];
        uint8_t *value = list->values[list->count];
        c->key = view_key(list->keys[list->count], write_key(list->keys[list->count], i));
        c->value = NULL;
        content->sizes[i] = (int)random_below(80) - 16;
        put_array(&out, 2);
        put_bytes(&out, c->key.data, c->key.size);
        if (content->sizes[i] < 0) {
            content->sizes[i] = -1;
            put_byte(&out, 0xc0);
        } else {
            content->fills[i] = (uint8_t)i;
            c->value = value;
            c->value_size = write_value(value, content->sizes[i], content->fills[i]);
            put_bytes(&out, value, c->value_size);
        }
        list->count++;
    }
    output head = {list->encoded, 0};
    put_number(&head, 0xdd, 4, list->count);
    list->set.place = list->encoded;
    list->set.end = list->encoded + 5 + out.size;
}

static int change_many(node **root, model *content, int64_t version) {
    static change_list list;
    model after = *content;
    draw_changes(&list, &after, MAX_BATCH);
    if (random_below(2)) {
        if (!tree_apply(root, list.changes, list.count, version))
            return 0;
    } else {
        node *tree = *root ? keep(*root) : NULL;
        if (replay(&tree, &list.set, 1, version - 1)) {
            require(!tree, "a tree in spite of a fault");
            return 0;
        }
        drop(*root);
        *root = tree;
    }
    *content = after;
    return 1;
}

/* A tree built at once of every third key. */
static node *build(model *content) {
    node *leaves[KEYS];
    size_t count = 0;
    for (unsigned i = 0; i < KEYS; i += 3) {
        uint8_t key[16];
        size_t size = write_key(key, i);
        if (!(leaves[count++] = new_leaf(key, size, key, 1, 1))) {
            while (--count)
                drop(leaves[count - 1]);
            return NULL;
        }
    }
    node *root = tree_of_leaves(leaves, count, 1);
    for (unsigned i = 0; root && i < KEYS; i += 3) {
        content->sizes[i] = 1;
        content->fills[i] = (uint8_t)(i / 20);
    }
    return root;
}

/* Leaves out the first nodes of subtrees in their order; returns how many subtrees are left. */
static size_t skip_nodes(node **subtrees, size_t size, uint64_t count) {
    while (count) {
        node *n = subtrees[0];
        uint64_t nodes = 2 * size_of_tree(n) - 1;
        size_t children = nodes > count ? 2 : 0;
        memmove(subtrees + children, subtrees + 1, --size * sizeof *subtrees);
        if (children) {
            subtrees[0] = as_inner(n)->left;
            subtrees[1] = as_inner(n)->right;
        }
        size += children;
        count -= children ? 1 : nodes;
    }
    return size;
}

/* A snapshot, in slices of any size, is the same tree; with other bytes it is a fault, or a tree. */
static void read_slices(node *root, const uint8_t *hash) {
    uint64_t nodes = 2 * size_of_tree(root) - 1, start = 0;
    input slices[1 + 2 * KEYS];
    node *subtrees[MAX_HEIGHT + 2] = {root};
    size_t count = 0, room = 0, size = 1;
    while (start < nodes) {
        uint64_t part = 1 + random_below(nodes - start);
        output out = {NULL, 0};
        put_slice(&out, subtrees, size, part);
        room = out.size;
        uint8_t *bytes = malloc(room);
        require(bytes != NULL, "no memory for the test");
        out.place = bytes;
        out.size = 0;
        put_slice(&out, subtrees, size, part);
        require(out.size == room, "two lengths of a slice");
        slices[count].place = bytes;
        slices[count++].end = bytes + room;
        size = skip_nodes(subtrees, size, part);
        start += part;
    }
    node *tree;
    fault problem = read_snapshot(&tree, slices, count);
    require(!problem && !memcmp(tree->hash, hash, HASH_BYTES), "another tree");
    drop(tree);
    for (int i = 0; i < 20; i++) {
        input *slice = &slices[random_below(count)];
        uint8_t *place = (uint8_t *)slice->place + random_below((uint64_t)(slice->end - slice->place));
        uint8_t before = *place;
        *place = (uint8_t)random_below(256);
        allocations_left = random_below(4) ? SIZE_MAX : random_below(200);
        if (!read_snapshot(&tree, slices, count) && tree) {
            const leaf *last = NULL;
            uint64_t leaves = 0;
            check_shape(tree, &last, &leaves);
        }
        allocations_left = SIZE_MAX;
        drop(tree);
        *place = before;
    }
    for (size_t i = 0; i < count; i++)
        free((void *)(uintptr_t)slices[i].place);
}

/* Proofs of keys have the length that was counted, and there are none of others. */
static void prove(const node *root, const model *content) {
    for (unsigned i = 0; i < KEYS; i += 7) {
        uint8_t bytes[16];
        key_view key = view_key(bytes, write_key(bytes, i));
        output out = {NULL, 0};
        require(put_proof(&out, root, &key) == (content->sizes[i] >= 0), "a proof, or none");
        size_t size = out.size;
        out.place = malloc(size + 1);
        out.size = 0;
        require(out.place != NULL, "no memory for the test");
        put_proof(&out, root, &key);
        require(out.size == size, "two lengths of a proof");
        free(out.place);
    }
}

/* Change sets of any bytes are a fault, or leave a whole tree. */
static void replay_anything(node *root) {
    static change_list list;
    static model ignored;
    draw_changes(&list, &ignored, 8);
    size_t size = (size_t)(list.set.end - list.set.place);
    uint8_t *bytes = malloc(size); /* no more, so that overruns are noticed */
    require(bytes != NULL, "no memory for the test");
    memcpy(bytes, list.encoded, size);
    for (int i = 0; i < 3; i++)
        bytes[random_below(size)] = (uint8_t)random_below(256);
    node *tree = root ? keep(root) : NULL;
    input set = {bytes, bytes + random_below(size + 1)};
    if (!replay(&tree, &set, 1, 7) && tree) {
        const leaf *last = NULL;
        uint64_t leaves = 0;
        check_shape(tree, &last, &leaves);
    }
    drop(tree);
    free(bytes);
}

static void check_sha(void) {
    static const uint8_t abc[HASH_BYTES] = {
        0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea, 0x41, 0x41, 0x40, 0xde, 0x5d, 0xae, 0x22, 0x23,
        0xb0, 0x03, 0x61, 0xa3, 0x96, 0x17, 0x7a, 0x9c, 0xb4, 0x10, 0xff, 0x61, 0xf2, 0x00, 0x15, 0xad,
    };
    uint8_t data[400], fast[HASH_BYTES], portable[HASH_BYTES];
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)random_below(256);
    sha_initialize();
    void (*chosen)(uint32_t *, const uint8_t *, size_t) = sha_blocks;
    for (size_t size = 0; size < sizeof data; size++) {
        sha_blocks = chosen;
        sha256(fast, data, size);
        sha_blocks = sha_portable_blocks;
        sha256(portable, data, size);
        require(!memcmp(fast, portable, HASH_BYTES), "two hashes");
    }
    sha256(portable, (const uint8_t *)"abc", 3);
    require(!memcmp(portable, abc, HASH_BYTES), "not SHA-256");
    sha_blocks = chosen;
}

int main(int count, char **arguments) {
    require(count == 3, "a seed and a number of rounds");
    state = strtoull(arguments[1], NULL, 10);
    check_sha();
    for (long rounds = strtol(arguments[2], NULL, 10); rounds > 0; rounds--) {
        static saved versions[VERSIONS];
        node *root = NULL;
        model content;
        size_t kept = 0;
        memset(content.sizes, -1, sizeof content.sizes);
        if (random_below(2)) {
            allocations_left = random_below(3) ? SIZE_MAX : random_below(KEYS);
            root = build(&content);
            allocations_left = SIZE_MAX;
        }
        for (int64_t version = 1; version < 30; version++) {
            for (uint64_t calls = random_below(30); calls; calls--) {
                allocations_left = random_below(3) ? SIZE_MAX : random_below(40);
                int is_done = random_below(4) ? change_one(&root, &content, version)
                                              : change_many(&root, &content, version);
                require(is_done || allocations_left == 0, "a failure in spite of memory");
                allocations_left = SIZE_MAX;
                check_content(root, &content);
                if (root && !random_below(4))
                    fill_hashes(root);
            }
            if (!root)
                continue;
            fill_hashes(root);
            check_hashes(root);
            read_slices(root, root->hash);
            prove(root, &content);
            saved *place = &versions[kept < VERSIONS ? kept++ : random_below(VERSIONS)];
            drop(place->root);
            place->root = keep(root);
            place->content = content;
            memcpy(place->hash, root->hash, HASH_BYTES);
            replay_anything(root);
            for (size_t i = 0; i < kept; i++) {
                check_content(versions[i].root, &versions[i].content);
                check_hashes(versions[i].root);
                require(!memcmp(versions[i].root->hash, versions[i].hash, HASH_BYTES),
                        "a saved version has changed");
            }
        }
        drop(root);
        while (kept) {
            drop(versions[--kept].root);
            versions[kept].root = NULL;
        }
    }
    return 0;
}
