/* The functions of the tree that Python calls; kernels.pyi has their types. */

#ifndef VEPERF_TREE_MODULE_H
#define VEPERF_TREE_MODULE_H

#include "tree_files.h"
#include "tree_proof.h"

/* root, key */
static PyObject *py_tree_get(PyObject *module, PyObject *const *args, Py_ssize_t count) {
    node *root;
    key_view key;
    if (!check_arguments(count, 2) || !unwrap_root(module, args[0], &root) ||
        !view_key_object(args[1], &key))
        return NULL;
    const leaf *found = root ? find_leaf(root, &key) : NULL;
    if (!found)
        Py_RETURN_NONE;
    return value_object(found);
}

/* root with its hash, key */
static PyObject *py_tree_prove(PyObject *module, PyObject *const *args, Py_ssize_t count) {
    node *root;
    key_view key;
    output out = {NULL, 0};
    if (!check_arguments(count, 2) || !view_key_object(args[1], &key) ||
        !(root = unwrap(module, args[0])))
        return NULL;
    if (!is_hashed(root))
        return raise_fault("the tree has no hash yet");
    if (!put_proof(&out, root, &key))
        return raise_fault("there is no such key");
    PyObject *proof = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)out.size);
    if (!proof)
        return NULL;
    out.place = (uint8_t *)PyBytes_AsString(proof);
    out.size = 0;
    put_proof(&out, root, &key);
    return proof;
}

/* Whether a root may be changed in place: it is its object's alone, and not a saved version's. */
static int is_working(const node *root) { return root && !is_hashed(root) && !is_shared(root); }

/* The result of a change of root_object: itself, changed in place, or a new object. */
static PyObject *changed(PyObject *module, PyObject *root_object, int in_place, node *root) {
    if (!in_place)
        return wrap(types_of(module)->node, root);
    if (root) {
        ((node_object *)root_object)->node = root;
        return Py_NewRef(root_object);
    }
    Py_RETURN_NONE;
}

/* root, key, value, version */
static PyObject *py_tree_set(PyObject *module, PyObject *const *args, Py_ssize_t count) {
    node *root;
    key_view key;
    const uint8_t *value;
    size_t value_size;
    int64_t version;
    int was_there;
    if (!check_arguments(count, 4) || !view_key_object(args[1], &key) ||
        !view_bytes(args[2], &value, &value_size) || !read_version_object(args[3], &version) ||
        !unwrap_root(module, args[0], &root))
        return NULL;
    wait_for_writer();
    const int in_place = is_working(root);
    if (root && !in_place)
        keep(root);
    if (!tree_set(&root, &key, value, value_size, version, &was_there)) {
        if (!in_place)
            drop(root);
        return PyErr_NoMemory();
    }
    PyObject *object = changed(module, args[0], in_place, root);
    return object ? Py_BuildValue("(NO)", object, was_there ? Py_True : Py_False) : NULL;
}

/* root, key, version; a tree with one key is never changed in place, as it would have no node */
static PyObject *py_tree_remove(PyObject *module, PyObject *const *args, Py_ssize_t count) {
    node *root;
    key_view key;
    int64_t version;
    leaf *removed;
    if (!check_arguments(count, 3) || !view_key_object(args[1], &key) ||
        !read_version_object(args[2], &version) || !(root = unwrap(module, args[0])))
        return NULL;
    wait_for_writer();
    const int in_place = is_working(root) && root->height;
    if (!in_place)
        keep(root);
    if (!tree_remove(&root, &key, version, &removed)) {
        if (!in_place)
            drop(root);
        return PyErr_NoMemory();
    }
    PyObject *object = changed(module, args[0], in_place, root);
    PyObject *value = removed ? value_object(removed) : Py_NewRef(Py_None);
    drop(removed ? &removed->head : NULL);
    if (object && value)
        return Py_BuildValue("(NN)", object, value);
    Py_XDECREF(object);
    Py_XDECREF(value);
    return NULL;
}

/* Takes a change from a pair of bytes, of which the second may be None. */
static int view_change(PyObject *pair, change *c) {
    if (!PyTuple_Check(pair) || PyTuple_Size(pair) != 2) {
        PyErr_SetString(PyExc_TypeError, "a change is a tuple of a key and a value");
        return 0;
    }
    PyObject *value = PyTuple_GetItem(pair, 1);
    c->value = NULL;
    c->value_size = 0;
    return view_key_object(PyTuple_GetItem(pair, 0), &c->key) &&
           (value == Py_None || view_bytes(value, &c->value, &c->value_size));
}

static int ascends(const change *a, const change *b) {
    return compare_bytes(a->key.data, a->key.size, b->key.data, b->key.size) < 0;
}

/* root, changes, version */
static PyObject *py_tree_apply(PyObject *module, PyObject *const *args, Py_ssize_t count) {
    node *root;
    int64_t version;
    int is_done;
    if (!check_arguments(count, 3) || !read_version_object(args[2], &version))
        return NULL;
    /* A tuple of tuples keeps all bytes while others run. */
    PyObject *pairs = PySequence_Tuple(args[1]), *result = NULL;
    if (!pairs)
        return NULL;
    size_t size = (size_t)PyTuple_Size(pairs);
    change *changes = malloc((size + 1) * sizeof *changes);
    if (!changes) {
        PyErr_NoMemory();
        goto done;
    }
    for (size_t i = 0; i < size; i++) {
        if (!view_change(PyTuple_GetItem(pairs, (Py_ssize_t)i), &changes[i]))
            goto done;
        if (i && !ascends(&changes[i - 1], &changes[i])) {
            PyErr_SetString(PyExc_ValueError, "keys must be in strictly ascending order");
            goto done;
        }
    }
    if (!unwrap_root(module, args[0], &root))
        goto done;
    if (root)
        keep(root);
    RUN_WRITER(size >= LONG_LOOP, is_done = tree_apply(&root, changes, size, version));
    if (is_done)
        result = wrap(types_of(module)->node, root);
    else {
        drop(root);
        PyErr_NoMemory();
    }
done:
    free(changes);
    Py_DECREF(pairs);
    return result;
}

/* ---------------------------------------------------------------- building */

/* key, value, version */
static PyObject *py_tree_leaf(PyObject *module, PyObject *const *args, Py_ssize_t count) {
    const uint8_t *key, *value;
    size_t key_size, value_size;
    int64_t version;
    if (!check_arguments(count, 3) || !view_bytes(args[0], &key, &key_size) ||
        !view_bytes(args[1], &value, &value_size) || !read_version_object(args[2], &version))
        return NULL;
    node *n = new_leaf(key, key_size, value, value_size, version);
    return n ? wrap(types_of(module)->node, n) : PyErr_NoMemory();
}

/* left, right, version */
static PyObject *py_tree_inner(PyObject *module, PyObject *const *args, Py_ssize_t count) {
    node *left, *right;
    int64_t version;
    if (!check_arguments(count, 3) || !(left = unwrap(module, args[0])) ||
        !(right = unwrap(module, args[1])) || !read_version_object(args[2], &version))
        return NULL;
    int balance = left->height - right->height;
    if (balance < -1 || balance > 1 || left->height >= MAX_HEIGHT || right->height >= MAX_HEIGHT)
        return raise_fault("the tree is not balanced");
    node *n = new_inner(left, right, first_leaf(right), version);
    if (!n)
        return PyErr_NoMemory();
    keep(left);
    keep(right);
    return wrap(types_of(module)->node, n);
}

/* Leaves in the order of their keys, as they come. */
typedef struct {
    node **leaves;
    size_t count, room;
} leaf_list;

/* Adds the leaf of an item; false, and an error: it isn't added. */
static int add_item(leaf_list *list, PyObject *item, int64_t version) {
    change c;
    if (!view_change(item, &c))
        return 0;
    if (!c.value) {
        PyErr_SetString(PyExc_TypeError, "keys and values are bytes: None");
        return 0;
    }
    if (list->count && compare_leaf(&c.key, as_leaf(list->leaves[list->count - 1])) <= 0) {
        PyErr_SetString(PyExc_ValueError, "keys must be in strictly ascending order");
        return 0;
    }
    if (list->count == list->room) {
        size_t room = 2 * list->room + 64;
        node **leaves = realloc(list->leaves, room * sizeof *leaves);
        if (!leaves) {
            PyErr_NoMemory();
            return 0;
        }
        list->leaves = leaves;
        list->room = room;
    }
    node *n = new_leaf(c.key.data, c.key.size, c.value, c.value_size, version);
    if (!n) {
        PyErr_NoMemory();
        return 0;
    }
    list->leaves[list->count++] = n;
    return 1;
}

/* items, version */
static PyObject *py_tree_from_sorted(PyObject *module, PyObject *const *args, Py_ssize_t count) {
    int64_t version;
    if (!check_arguments(count, 2) || !read_version_object(args[1], &version))
        return NULL;
    PyObject *items = PyObject_GetIter(args[0]), *result = NULL, *item;
    if (!items)
        return NULL;
    leaf_list list = {NULL, 0, 0};
    while ((item = PyIter_Next(items))) {
        int is_added = add_item(&list, item, version);
        Py_DECREF(item);
        if (!is_added)
            break;
    }
    if (!PyErr_Occurred()) {
        size_t size = list.count;
        list.count = 0; /* the tree takes them */
        node *root = size ? tree_of_leaves(list.leaves, size, version) : NULL;
        result = size && !root ? PyErr_NoMemory() : wrap(types_of(module)->node, root);
    }
    while (list.count)
        drop(list.leaves[--list.count]);
    free(list.leaves);
    Py_DECREF(items);
    return result;
}

/* ---------------------------------------------------------------- the module */

/* data, whether without the processor's instructions for it */
static PyObject *py_sha256(PyObject *module, PyObject *args) {
    Py_buffer data;
    uint8_t hash[HASH_BYTES];
    int is_portable;
    (void)module;
    if (!PyArg_ParseTuple(args, "y*p", &data, &is_portable))
        return NULL;
    void (*chosen)(uint32_t *, const uint8_t *, size_t) = sha_blocks;
    sha_blocks = is_portable ? sha_portable_blocks : chosen;
    sha256(hash, data.buf, (size_t)data.len);
    sha_blocks = chosen;
    PyBuffer_Release(&data);
    return PyBytes_FromStringAndSize((const char *)hash, HASH_BYTES);
}

#define FAST(function) (PyCFunction)(void (*)(void))(function), METH_FASTCALL, NULL

#define TREE_METHODS                                                                               \
    {"tree_get", FAST(py_tree_get)}, {"tree_set", FAST(py_tree_set)},                              \
        {"tree_prove", FAST(py_tree_prove)},                                                       \
        {"tree_remove", FAST(py_tree_remove)}, {"tree_apply", FAST(py_tree_apply)},                \
        {"tree_replay", py_tree_replay, METH_VARARGS, NULL},                                       \
        {"tree_iterate", FAST(py_tree_iterate)}, {"tree_export", py_tree_export, METH_O, NULL},    \
        {"tree_leaf", FAST(py_tree_leaf)}, {"tree_inner", FAST(py_tree_inner)},                    \
        {"tree_from_sorted", FAST(py_tree_from_sorted)},                                           \
        {"tree_slice", py_tree_slice, METH_VARARGS, NULL},                                         \
        {"tree_load", py_tree_load, METH_VARARGS, NULL},                                   \
        {"sha256", py_sha256, METH_VARARGS, NULL}

static int tree_initialize(PyObject *module) {
    tree_types *types = PyModule_GetState(module);
    if (!writer_lock) {
        if (!(writer_lock = PyThread_allocate_lock())) {
            PyErr_NoMemory();
            return -1;
        }
        pthread_atfork(NULL, NULL, forget_writer);
    }
    types->node = (PyTypeObject *)PyType_FromModuleAndSpec(module, &node_spec, NULL);
    types->iterator = (PyTypeObject *)PyType_FromModuleAndSpec(module, &iterator_spec, NULL);
    if (!types->node || !types->iterator || PyModule_AddType(module, types->node))
        return -1;
    return PyModule_AddStringConstant(module, "SHA256_CODE", sha_initialize());
}

#endif
