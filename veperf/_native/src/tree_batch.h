/* Many changes to an IAVL tree at once, in the order of their keys. */

#ifndef VEPERF_TREE_BATCH_H
#define VEPERF_TREE_BATCH_H

#include "tree_edit.h"

/* A key and its new value; NULL: it is removed. */
typedef struct {
    key_view key;
    const uint8_t *value;
    size_t value_size;
    int64_t version;
    const leaf *made;  /* the leaf that the first pass put in place of the key's */
    int is_structural; /* of a replay: whether the key comes or goes */
} change;

/* Changes in strictly ascending order of their keys. */
typedef struct {
    change *changes;
    int hashes_later; /* new leaves get no hash, and so nothing above them */
    int has_failed;
} batch;

static size_t first_not_below(const change *changes, size_t start, size_t end, const inner *n) {
    while (start < end) {
        size_t middle = start + (end - start) / 2;
        if (compare_inner(&changes[middle].key, n) < 0)
            start = middle + 1;
        else
            end = middle;
    }
    return start;
}

/* The version of a node whose children have changed, where they aren't NULL. */
static int64_t newest_version(const node *n, const node *left, const node *right) {
    int64_t version = n->version;
    if (left && left->version > version)
        version = left->version;
    if (right && right->version > version)
        version = right->version;
    return version;
}

/* Returns a copy of the node with the new values of those of changes[start:end] whose keys exist;
   NULL if there is none, or no memory.

   A copy gets its hash at once, while its children are in the processor's caches, unless hashes are
   for later; above nodes without one it gets none. */
static node *update_existing(batch *b, node *old, size_t start, size_t end) {
    change *changes = b->changes;
    if (!old->height) {
        for (size_t i = start; i < end; i++) {
            if (!changes[i].value || compare_leaf(&changes[i].key, as_leaf(old)))
                continue;
            node *made = new_leaf(changes[i].key.data, changes[i].key.size, changes[i].value,
                                  changes[i].value_size, changes[i].version);
            b->has_failed = !made;
            changes[i].made = made ? as_leaf(made) : NULL;
            if (made && !b->hashes_later)
                hash_node(made);
            return made;
        }
        return NULL;
    }
    inner *from = as_inner(old);
    /* Both are needed: the one that isn't copied is counted, and its hash is read. */
    __builtin_prefetch(from->left);
    __builtin_prefetch(from->right);
    size_t middle = first_not_below(changes, start, end, from);
    node *left = start < middle ? update_existing(b, from->left, start, middle) : NULL, *right = NULL;
    if (middle < end && !b->has_failed)
        right = update_existing(b, from->right, middle, end);
    inner *copy = (left || right) && !b->has_failed ? TREE_ALLOCATE(sizeof *copy) : NULL;
    if (!copy) {
        b->has_failed = b->has_failed || left || right;
        drop(left);
        drop(right);
        return NULL;
    }
    begin_node(&copy->head, newest_version(old, left, right));
    copy->head.height = old->height;
    copy->size = from->size;
    copy->left = left ? left : keep(from->left);
    copy->right = right ? right : keep(from->right);
    /* The first change that isn't below is of the node's own key, or none is. */
    const int has_new_least =
        right && changes[middle].made && !compare_inner(&changes[middle].key, from);
    copy->least = has_new_least ? changes[middle].made : from->least;
    copy->prefix = from->prefix;
    if (copy->left->is_hashed && copy->right->is_hashed)
        hash_node(&copy->head);
    return &copy->head;
}

/* False: no memory, nothing changed. */
static int apply_one(node **root, const change *c) {
    leaf *removed = NULL;
    int was_there;
    if (c->value)
        return tree_set(root, &c->key, c->value, c->value_size, c->version, &was_there);
    int is_done = tree_remove(root, &c->key, c->version, &removed);
    drop(removed ? &removed->head : NULL);
    return is_done;
}

/* Applies changes as they would be one by one, but keys that exist first, which is the same.

   The new tree is in place of *root, whose reference it takes. What is shared with other trees never
   changes. False: no memory; then *root is unchanged. */
static int tree_apply(node **root, change *changes, size_t count, int64_t version) {
    batch b = {changes, 0, 0};
    node *tree = NULL;
    for (size_t i = 0; i < count; i++) {
        changes[i].made = NULL;
        changes[i].version = version;
    }
    if (*root && count) {
        tree = update_existing(&b, *root, 0, count);
        if (!tree)
            tree = keep(*root);
    }
    if (b.has_failed) {
        drop(tree);
        return 0;
    }
    for (size_t i = 0; i < count; i++)
        if (!changes[i].made && !apply_one(&tree, &changes[i])) {
            drop(tree);
            return 0;
        }
    if (count) {
        drop(*root);
        *root = tree;
    }
    return 1;
}

/* Builds a balanced tree of leaves, whose references it takes; NULL without memory. */
static node *tree_of_leaves(node **leaves, size_t count, int64_t version) {
    if (count == 1)
        return leaves[0];
    size_t middle = (count + 1) / 2;
    node *left = tree_of_leaves(leaves, middle, version);
    node *right = tree_of_leaves(leaves + middle, count - middle, version);
    node *n = left && right ? new_inner(left, right, as_leaf(leaves[middle]), version) : NULL;
    if (!n) {
        drop(left);
        drop(right);
    }
    return n;
}

#endif
