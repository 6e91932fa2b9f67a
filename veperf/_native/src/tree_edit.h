/* Changes to an IAVL tree, as cosmos/iavl's mutable_tree.go: set and remove.

   A change is made in place where no other tree shares the node, else in a copy. All memory is
   taken before anything changes: without it a tree is as it was. */

#ifndef VEPERF_TREE_EDIT_H
#define VEPERF_TREE_EDIT_H

#include "tree_node.h"

/* The inner nodes from the root down to a leaf. */
typedef struct {
    node **slots[MAX_HEIGHT + 1]; /* what points to them: the root's variable, or their parent */
    size_t length;
    leaf *end;
    size_t copies; /* how many of them are shared */
    int order;     /* of the key and the leaf's */
} tree_path;

static void find_path(tree_path *path, node **root, const key_view *key) {
    int is_shared_above = 0;
    path->length = path->copies = 0;
    node **slot = root;
    while ((*slot)->height) {
        inner *n = as_inner(*slot);
        is_shared_above = is_shared_above || is_shared(*slot);
        path->copies += (size_t)is_shared_above;
        path->slots[path->length++] = slot;
        slot = compare_inner(key, n) < 0 ? &n->left : &n->right;
    }
    path->end = as_leaf(*slot);
    path->order = compare_leaf(key, path->end);
}

static const leaf *find_leaf(const node *root, const key_view *key) {
    while (root->height) {
        const inner *n = as_inner(root);
        root = compare_inner(key, n) < 0 ? n->left : n->right;
    }
    return compare_leaf(key, as_leaf(root)) ? NULL : as_leaf(root);
}

/* ---------------------------------------------------------------- nodes in reserve */

/* Nodes without content, in a list by their left sides. */
typedef struct {
    inner *first;
} reserve;

static void release(reserve *spares) {
    while (spares->first) {
        inner *next = as_inner(spares->first->left);
        free(spares->first);
        spares->first = next;
    }
}

static int take_memory(reserve *spares, size_t count) {
    while (count--) {
        inner *n = TREE_ALLOCATE(sizeof *n);
        if (!n) {
            release(spares);
            return 0;
        }
        n->left = spares->first ? &spares->first->head : NULL;
        spares->first = n;
    }
    return 1;
}

/* Puts a copy in place of a node that is shared; the place's own node isn't. */
static inner *own(node **slot, int64_t version, reserve *spares) {
    inner *n = as_inner(*slot);
    if (is_shared(*slot)) {
        inner *copy = spares->first;
        spares->first = as_inner(copy->left);
        memcpy(copy, n, sizeof *copy);
        copy->head.references = 1;
        keep(copy->left);
        keep(copy->right);
        drop(&n->head);
        *slot = &copy->head;
        n = copy;
    }
    n->head.version = version;
    n->head.is_hashed = 0;
    return n;
}

/* Owns the first count nodes of a path, whose slots are then those of the copies. */
static void own_path(tree_path *path, size_t count, int64_t version, reserve *spares) {
    for (size_t i = 0; i < count; i++) {
        const int is_last = i + 1 == path->length;
        const int is_left = !is_last && path->slots[i + 1] == &as_inner(*path->slots[i])->left;
        inner *n = own(path->slots[i], version, spares);
        if (!is_last)
            path->slots[i + 1] = is_left ? &n->left : &n->right;
    }
}

/* ---------------------------------------------------------------- balance */

static void rotate_right(node **slot, int64_t version, reserve *spares) {
    inner *n = as_inner(*slot), *top = own(&n->left, version, spares);
    n->left = top->right;
    top->right = &n->head;
    measure(n);
    measure(top);
    *slot = &top->head;
}

static void rotate_left(node **slot, int64_t version, reserve *spares) {
    inner *n = as_inner(*slot), *top = own(&n->right, version, spares);
    n->right = top->left;
    top->left = &n->head;
    measure(n);
    measure(top);
    *slot = &top->head;
}

/* Balances the first count nodes of a path upwards; their slots stay. */
static void rebalance(tree_path *path, size_t count, int64_t version, reserve *spares) {
    while (count--) {
        node **slot = path->slots[count];
        inner *n = as_inner(*slot);
        int balance = n->left->height - n->right->height;
        if (balance > 1) {
            inner *left = as_inner(n->left);
            if (left->left->height < left->right->height) {
                own(&n->left, version, spares);
                rotate_left(&n->left, version, spares);
            }
            rotate_right(slot, version, spares);
        } else if (balance < -1) {
            inner *right = as_inner(n->right);
            if (right->left->height > right->right->height) {
                own(&n->right, version, spares);
                rotate_right(&n->right, version, spares);
            }
            rotate_left(slot, version, spares);
        } else
            measure(n);
    }
}

/* ---------------------------------------------------------------- one key */

/* Sets a key; whether it was there before is in *was_there. False: no memory, nothing changed.

   The tree is *root, a reference of the caller's, or NULL for an empty one. */
static int tree_set(node **root, const key_view *key, const uint8_t *value, size_t value_size,
                    int64_t version, int *was_there) {
    tree_path path;
    reserve spares = {NULL};
    *was_there = 0;
    node *made = new_leaf(key->data, key->size, value, value_size, version);
    if (!made)
        return 0;
    if (!*root) {
        *root = made;
        return 1;
    }
    find_path(&path, root, key);
    node *above = NULL, *end = &path.end->head;
    if (path.order) {
        node *left = path.order < 0 ? made : end, *right = path.order < 0 ? end : made;
        above = new_inner(left, right, as_leaf(right), version);
    }
    if ((path.order && !above) || !take_memory(&spares, path.copies)) {
        free(above);
        free(made);
        return 0;
    }
    own_path(&path, path.length, version, &spares);
    node **slot = root;
    if (path.length) {
        inner *parent = as_inner(*path.slots[path.length - 1]);
        slot = parent->left == end ? &parent->left : &parent->right;
    }
    if (path.order) {
        *slot = above; /* which has the place's reference to the leaf now */
        rebalance(&path, path.length, version, &spares);
    } else {
        *was_there = 1;
        *slot = made;
        for (size_t i = 0; i < path.length; i++)
            if (as_inner(*path.slots[i])->least == path.end)
                as_inner(*path.slots[i])->least = as_leaf(made);
        drop(end);
    }
    release(&spares); /* another thread may have given up its share meanwhile */
    return 1;
}

/* Returns how many nodes removing the end of a path may have to copy to balance. */
static size_t count_rotated(const tree_path *path) {
    size_t count = 0;
    for (size_t i = 0; i + 1 < path->length; i++) {
        const inner *n = as_inner(*path->slots[i]);
        int is_left = path->slots[i + 1] == &n->left;
        const node *child = is_left ? n->left : n->right, *other = is_left ? n->right : n->left;
        count += other->height > child->height ? 2 : 0;
    }
    return count;
}

/* Removes a key; its leaf, or NULL if there is no such key, is in *removed, for the caller to drop.

   False: no memory, nothing changed. *root is NULL when the tree is empty. */
static int tree_remove(node **root, const key_view *key, int64_t version, leaf **removed) {
    tree_path path;
    reserve spares = {NULL};
    *removed = NULL;
    if (!*root)
        return 1;
    find_path(&path, root, key);
    if (path.order)
        return 1;
    if (!path.length) {
        *removed = path.end;
        *root = NULL;
        return 1;
    }
    if (!take_memory(&spares, path.copies + count_rotated(&path)))
        return 0;
    *removed = as_leaf(keep(&path.end->head));
    size_t above = path.length - 1;
    own_path(&path, above, version, &spares);
    node **slot = path.slots[above];
    inner *parent = as_inner(*slot);
    const int is_left = parent->left == &path.end->head;
    node *sibling = keep(is_left ? parent->right : parent->left);
    if (is_left)
        for (size_t i = 0; i < above; i++)
            if (as_inner(*path.slots[i])->least == path.end)
                set_least(as_inner(*path.slots[i]), parent->least);
    *slot = sibling;
    drop(&parent->head);
    rebalance(&path, above, version, &spares);
    release(&spares);
    return 1;
}

#endif
