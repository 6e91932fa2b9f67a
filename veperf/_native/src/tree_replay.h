/* Change sets of the store (msgpack), many at once, applied to a tree as one after the other would be.

   One by one they cost a walk from the root for each change, which waits for memory at almost every
   node of a large tree. Many at once, in the order of their keys, go through the tree once. Only
   keys that come or go decide its shape, so these go first, in the order of the sets. The other
   changes follow, each key's last one. An inner node gets the newest version of what changed below
   it, unless it has a newer one: a node whose leaves came or went after such a change has the
   version of that, and any other has the same leaves as it had then. */

#ifndef VEPERF_TREE_REPLAY_H
#define VEPERF_TREE_REPLAY_H

#include "tree_codec.h"

/* Changes at once, unless one set has more: they take 180 MB. */
#ifndef REPLAY_CHANGES /* a test takes a few */
#define REPLAY_CHANGES (1 << 20)
#endif

/* Reads the length of a change set. */
static fault read_length(input *in, size_t *count) {
    uint64_t length;
    size_t size = (size_t)(in->end - in->place);
    /* A change has 4 bytes at least. */
    if (!read_array(in, &length) || length > size / 4)
        return FAULT_UNREADABLE;
    *count = (size_t)length;
    return NULL;
}

/* Reads a change set into as many changes as it has. */
static fault read_changes(change *c, const input *change_set, int64_t version) {
    input in = *change_set;
    size_t count = 0, key_size;
    uint64_t fields;
    const uint8_t *key;
    fault problem = read_length(&in, &count);
    for (change *end = c + count; !problem && c < end; c++) {
        if (!read_array(&in, &fields) || fields != 2 || !read_bytes(&in, &key, &key_size))
            return FAULT_UNREADABLE;
        *c = (change){view_key(key, key_size), NULL, 0, version, NULL, 0};
        if (in.place != in.end && *in.place == 0xc0)
            in.place++;
        else if (!read_bytes(&in, &c->value, &c->value_size))
            return FAULT_UNREADABLE;
    }
    return problem || in.place == in.end ? problem : FAULT_UNREADABLE;
}

/* ---------------------------------------------------------------- the order of keys */

typedef struct {
    uint64_t prefix;
    change *change;
} entry;

static int order_entries(const entry *a, const entry *b) {
    if (a->prefix != b->prefix)
        return a->prefix < b->prefix ? -1 : 1;
    const key_view *x = &a->change->key, *y = &b->change->key;
    return compare_bytes(x->data, x->size, y->data, y->size);
}

/* Sorts by key; changes of one key stay in their order. Sets are mostly sorted, and stay as they are. */
static void sort_entries(entry *entries, entry *spare, size_t count) {
    if (count < 2)
        return;
    size_t middle = count / 2, left = 0, right = middle, end = 0;
    sort_entries(entries, spare, middle);
    sort_entries(entries + middle, spare, count - middle);
    if (order_entries(&entries[middle - 1], &entries[middle]) <= 0)
        return;
    memcpy(spare, entries, middle * sizeof *entries);
    while (left < middle && right < count)
        entries[end++] = order_entries(&spare[left], &entries[right]) <= 0 ? spare[left++]
                                                                           : entries[right++];
    memcpy(entries + end, spare + left, (middle - left) * sizeof *entries);
}

static size_t group_end(const entry *entries, size_t start, size_t count) {
    size_t end = start + 1;
    while (end < count && !order_entries(&entries[start], &entries[end]))
        end++;
    return end;
}

static int only_sets(const entry *group, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (!group[i].change->value)
            return 0;
    return 1;
}

/* ---------------------------------------------------------------- updates */

/* Notes the leaves of those of changes[start:end] whose keys exist. */
static void find_existing(const node *n, change *changes, size_t start, size_t end) {
    if (!n->height) {
        for (size_t i = start; i < end; i++)
            if (!compare_leaf(&changes[i].key, as_leaf(n)))
                changes[i].made = as_leaf(n);
        return;
    }
    const inner *i = as_inner(n);
    __builtin_prefetch(i->left);
    __builtin_prefetch(i->right);
    size_t middle = first_not_below(changes, start, end, i);
    if (start < middle)
        find_existing(i->left, changes, start, middle);
    if (middle < end)
        find_existing(i->right, changes, middle, end);
}

/* As update_existing, but in place where no other tree shares the node, and without hashes; returns
   whether anything has changed. If it fails some keys are updated and others not. */
static int update_in_place(batch *b, node **slot, size_t start, size_t end) {
    change *changes = b->changes;
    node *n = *slot;
    if (!n->height || is_shared(n)) {
        node *made = update_existing(b, n, start, end);
        if (made) {
            drop(n);
            *slot = made;
        }
        return made != NULL;
    }
    inner *i = as_inner(n);
    __builtin_prefetch(i->left);
    __builtin_prefetch(i->right);
    size_t middle = first_not_below(changes, start, end, i);
    const int is_own_key = middle < end && !compare_inner(&changes[middle].key, i);
    int left = start < middle && update_in_place(b, &i->left, start, middle), right = 0;
    if (middle < end && !b->has_failed)
        right = update_in_place(b, &i->right, middle, end);
    if (right && is_own_key && changes[middle].made)
        i->least = changes[middle].made;
    if (left || right) {
        n->version = newest_version(n, left ? i->left : NULL, right ? i->right : NULL);
        n->is_hashed = 0;
    }
    return left || right;
}

/* Puts the last change of each key that exists, and isn't removed, into updates, in the order of the
   keys; notes of all others that they are structural. Returns the number of updates. */
static size_t split_changes(const node *root, entry *entries, size_t count, change *updates) {
    size_t used = 0, kept = 0, next = 0, end;
    for (size_t i = 0; i < count; i = end) {
        end = group_end(entries, i, count);
        if (only_sets(entries + i, end - i))
            updates[used++] = *entries[end - 1].change;
    }
    if (root && used)
        find_existing(root, updates, 0, used);
    for (size_t i = 0; i < count; i = end) {
        end = group_end(entries, i, count);
        const int is_set = only_sets(entries + i, end - i);
        if (is_set && updates[next].made)
            updates[kept++] = updates[next];
        else
            for (size_t j = i; j < end; j++)
                entries[j].change->is_structural = 1;
        next += (size_t)is_set;
    }
    for (size_t i = 0; i < kept; i++)
        updates[i].made = NULL;
    return kept;
}

/* ---------------------------------------------------------------- replay */

static fault apply_many(node **root, change *changes, size_t count) {
    fault problem = FAULT_NO_MEMORY;
    entry *entries = TREE_ALLOCATE((count + 1) * sizeof *entries);
    entry *spare = TREE_ALLOCATE((count + 1) * sizeof *spare);
    change *updates = TREE_ALLOCATE((count + 1) * sizeof *updates);
    if (entries && spare && updates) {
        for (size_t i = 0; i < count; i++)
            entries[i] = (entry){changes[i].key.prefix, &changes[i]};
        sort_entries(entries, spare, count);
        size_t used = split_changes(*root, entries, count, updates), i = 0;
        while (i < count && (!changes[i].is_structural || apply_one(root, &changes[i])))
            i++;
        batch b = {updates, 1, 0};
        if (i == count && used)
            update_in_place(&b, root, 0, used);
        problem = i < count || b.has_failed ? FAULT_NO_MEMORY : NULL;
    }
    free(entries);
    free(spare);
    free(updates);
    return problem;
}

/* Applies change sets as apply_many does, whose number of changes is known. */
static fault replay_some(node **root, const input *change_sets, size_t count, size_t changes,
                         int64_t version) {
    change *all = TREE_ALLOCATE((changes + 1) * sizeof *all), *next = all;
    fault problem = all ? NULL : FAULT_NO_MEMORY;
    for (size_t i = 0; !problem && i < count; i++) {
        input in = change_sets[i];
        size_t length = 0;
        problem = read_length(&in, &length);
        if (!problem)
            problem = read_changes(next, &change_sets[i], version + (int64_t)i);
        next += length;
    }
    if (!problem)
        problem = apply_many(root, all, changes);
    free(all);
    return problem;
}

/* Applies change sets, each a version after the given one, and fills in the hashes of the last: those
   between are nobody's.

   The tree is *root, whose reference it takes, NULL if there is a fault: it is changed in place
   where nothing else shares it. */
static fault replay(node **root, const input *change_sets, size_t count, int64_t version) {
    fault problem = NULL;
    size_t done = 0;
    while (!problem && done < count) {
        size_t end = done, changes = 0, length = 0;
        while (!problem && end < count && changes < REPLAY_CHANGES) {
            input in = change_sets[end++];
            problem = read_length(&in, &length);
            changes += length;
        }
        if (!problem)
            problem = replay_some(root, change_sets + done, end - done, changes,
                                  version + 1 + (int64_t)done);
        done = end;
    }
    if (problem) {
        drop(*root);
        *root = NULL;
    } else if (*root)
        fill_hashes(*root);
    return problem;
}

#endif
