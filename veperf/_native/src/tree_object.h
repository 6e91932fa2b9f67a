/* The tree as Python sees it: a node is an object that holds one reference, None is no tree.

   The GIL is released in long loops. Whoever changes nodes then is alone in it: others wait before
   they look at a node without a hash. Nodes that have theirs are read at any time. */

#ifndef VEPERF_TREE_OBJECT_H
#define VEPERF_TREE_OBJECT_H

#include <pthread.h>

#include "tree_codec.h"

/* With fewer keys a loop is shorter than waiting for the GIL may be. */
#define LONG_LOOP 64

typedef struct {
    PyTypeObject *node, *iterator;
} tree_types;

typedef struct {
    PyObject_HEAD
    node *node;
} node_object;

typedef struct {
    PyObject_HEAD
    node *root;
    PyObject *start, *end; /* bytes, or NULL */
    int is_export, is_ascending;
    size_t depth;
    /* Nodes to come; of an export a node may stand there twice, is_open after its children. */
    struct {
        const node *node;
        int is_open;
    } stack[2 * MAX_HEIGHT + 2];
} iterator_object;

/* ---------------------------------------------------------------- one at a time */

static PyThread_type_lock writer_lock;
static int has_writer; /* without the GIL; read and written with it */

static void wait_for_writer(void) {
    while (has_writer) {
        Py_BEGIN_ALLOW_THREADS PyThread_acquire_lock(writer_lock, 1);
        PyThread_release_lock(writer_lock);
        Py_END_ALLOW_THREADS
    }
}

/* Runs it without the GIL if it is long. */
#define RUN_WRITER(is_long, call)                                                                  \
    do {                                                                                           \
        wait_for_writer();                                                                         \
        if (is_long) {                                                                             \
            has_writer = 1;                                                                        \
            PyThread_acquire_lock(writer_lock, 1);                                                 \
            Py_BEGIN_ALLOW_THREADS call;                                                           \
            Py_END_ALLOW_THREADS has_writer = 0;                                                   \
            PyThread_release_lock(writer_lock);                                                    \
        } else                                                                                     \
            call;                                                                                  \
    } while (0)

/* A writer's thread isn't in the child, nor is one that only waited and had the lock just then. */
static void forget_writer(void) {
    PyThread_type_lock fresh = PyThread_allocate_lock();
    if (fresh)
        writer_lock = fresh;
    has_writer = 0;
}

static const tree_types *types_of(PyObject *module) { return PyModule_GetState(module); }

/* Wraps a reference, which it takes. */
static PyObject *wrap(PyTypeObject *type, node *n) {
    if (!n)
        Py_RETURN_NONE;
    PyObject *object = PyType_GenericAlloc(type, 0);
    if (object)
        ((node_object *)object)->node = n;
    else
        drop(n);
    return object;
}

/* The node of an object, when nobody changes it; NULL and an error for another object. */
static node *unwrap(PyObject *module, PyObject *object) {
    if (!Py_IS_TYPE(object, types_of(module)->node)) {
        PyErr_SetString(PyExc_TypeError, "this is no node of a compiled tree");
        return NULL;
    }
    node *n = ((node_object *)object)->node;
    if (!is_hashed(n))
        wait_for_writer();
    return ((node_object *)object)->node;
}

/* As above, and NULL for None, too; false and an error for another object. */
static int unwrap_root(PyObject *module, PyObject *object, node **root) {
    *root = object == Py_None ? NULL : unwrap(module, object);
    return *root || object == Py_None;
}

static int view_bytes(PyObject *object, const uint8_t **data, size_t *size) {
    char *bytes;
    Py_ssize_t length;
    if (!PyBytes_CheckExact(object)) {
        PyErr_Format(PyExc_TypeError, "keys and values are bytes: %R", Py_TYPE(object));
        return 0;
    }
    if (PyBytes_AsStringAndSize(object, &bytes, &length))
        return 0;
    if ((size_t)length > MAX_SIZE) {
        PyErr_SetString(PyExc_ValueError, "keys and values have less than 4 GiB");
        return 0;
    }
    *data = (const uint8_t *)bytes;
    *size = (size_t)length;
    return 1;
}

static int view_key_object(PyObject *object, key_view *key) {
    const uint8_t *data;
    size_t size;
    if (!view_bytes(object, &data, &size))
        return 0;
    *key = view_key(data, size);
    return 1;
}

static PyObject *key_object(const leaf *l) {
    return PyBytes_FromStringAndSize((const char *)l->data, l->key_size);
}

static PyObject *value_object(const leaf *l) {
    return PyBytes_FromStringAndSize((const char *)value_of(l), l->value_size);
}

static int check_arguments(Py_ssize_t count, Py_ssize_t expected) {
    if (count == expected)
        return 1;
    PyErr_Format(PyExc_TypeError, "%zd arguments, not %zd", expected, count);
    return 0;
}

static int read_version_object(PyObject *object, int64_t *version) {
    *version = PyLong_AsLongLong(object);
    return !(*version == -1 && PyErr_Occurred());
}

static PyObject *raise_fault(fault problem) {
    if (!strcmp(problem, FAULT_NO_MEMORY))
        return PyErr_NoMemory();
    PyErr_SetString(PyExc_ValueError, problem);
    return NULL;
}

/* ---------------------------------------------------------------- nodes */

static void node_dealloc(PyObject *self) {
    PyTypeObject *type = Py_TYPE(self);
    drop(((node_object *)self)->node);
    PyObject_Free(self);
    Py_DECREF(type);
}

/* The node of a node object, when nobody changes it. */
static node *self_node(PyObject *self) {
    if (!is_hashed(((node_object *)self)->node))
        wait_for_writer();
    return ((node_object *)self)->node;
}

static PyObject *node_key(PyObject *self, void *unused) {
    const node *n = self_node(self);
    (void)unused;
    return key_object(n->height ? as_inner(n)->least : as_leaf(n));
}

static PyObject *node_value(PyObject *self, void *unused) {
    const node *n = self_node(self);
    (void)unused;
    return n->height ? PyBytes_FromStringAndSize(NULL, 0) : value_object(as_leaf(n));
}

static PyObject *node_version(PyObject *self, void *unused) {
    (void)unused;
    return PyLong_FromLongLong(self_node(self)->version);
}

static PyObject *node_height(PyObject *self, void *unused) {
    (void)unused;
    return PyLong_FromLong(self_node(self)->height);
}

static PyObject *node_size(PyObject *self, void *unused) {
    (void)unused;
    return PyLong_FromUnsignedLongLong(size_of_tree(self_node(self)));
}

static PyObject *node_hash(PyObject *self, void *unused) {
    const node *n = self_node(self);
    (void)unused;
    return PyBytes_FromStringAndSize((const char *)n->hash, is_hashed(n) ? HASH_BYTES : 0);
}

static PyObject *node_child(PyObject *self, void *is_right) {
    const node *n = self_node(self);
    if (!n->height)
        Py_RETURN_NONE;
    return wrap(Py_TYPE(self), keep(is_right ? as_inner(n)->right : as_inner(n)->left));
}

static PyObject *node_fill_hashes(PyObject *self, PyObject *unused) {
    node *n = self_node(self);
    (void)unused;
    if (!is_hashed(n))
        RUN_WRITER(size_of_tree(n) >= LONG_LOOP, fill_hashes(n));
    Py_RETURN_NONE;
}

static PyGetSetDef node_attributes[] = {
    {"key", node_key, NULL, NULL, NULL},
    {"value", node_value, NULL, NULL, NULL},
    {"version", node_version, NULL, NULL, NULL},
    {"height", node_height, NULL, NULL, NULL},
    {"size", node_size, NULL, NULL, NULL},
    {"hash", node_hash, NULL, NULL, NULL},
    {"left", node_child, NULL, NULL, NULL},
    {"right", node_child, NULL, NULL, node_attributes},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyMethodDef node_methods[] = {
    {"fill_hashes", node_fill_hashes, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot node_slots[] = {
    {Py_tp_dealloc, (void *)node_dealloc},
    {Py_tp_getset, node_attributes},
    {Py_tp_methods, node_methods},
    {0, NULL},
};

static PyType_Spec node_spec = {
    "veperf._native.kernels.TreeNode", sizeof(node_object), 0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_IMMUTABLETYPE, node_slots,
};

/* ---------------------------------------------------------------- iteration */

static void iterator_dealloc(PyObject *self) {
    iterator_object *it = (iterator_object *)self;
    PyTypeObject *type = Py_TYPE(self);
    drop(it->root);
    Py_XDECREF(it->start);
    Py_XDECREF(it->end);
    PyObject_Free(self);
    Py_DECREF(type);
}

static void push(iterator_object *it, const node *n, int is_open) {
    it->stack[it->depth].node = n;
    it->stack[it->depth++].is_open = is_open;
}

static PyObject *exported(const node *n) {
    const leaf *l = n->height ? as_inner(n)->least : as_leaf(n);
    PyObject *value = n->height ? Py_NewRef(Py_None) : value_object(l);
    if (!value)
        return NULL;
    return Py_BuildValue("(NNLi)", key_object(l), value, (long long)n->version, (int)n->height);
}

static PyObject *iterator_next(PyObject *self) {
    iterator_object *it = (iterator_object *)self;
    key_view start, end;
    if ((it->start && !view_key_object(it->start, &start)) ||
        (it->end && !view_key_object(it->end, &end)))
        return NULL;
    while (it->depth) {
        it->depth--;
        const node *n = it->stack[it->depth].node;
        const int is_open = it->stack[it->depth].is_open;
        if (n->height) {
            const inner *i = as_inner(n);
            if (it->is_export) {
                if (is_open)
                    return exported(n);
                push(it, n, 1);
                push(it, i->right, 0);
                push(it, i->left, 0);
                continue;
            }
            const int near = !it->start || compare_inner(&start, i) < 0;
            const int far = !it->end || compare_inner(&end, i) > 0;
            if (!it->is_ascending && near)
                push(it, i->left, 0);
            if (far)
                push(it, i->right, 0);
            if (it->is_ascending && near)
                push(it, i->left, 0);
            continue;
        }
        const leaf *l = as_leaf(n);
        if (it->is_export)
            return exported(n);
        if ((!it->start || compare_leaf(&start, l) <= 0) && (!it->end || compare_leaf(&end, l) > 0))
            return Py_BuildValue("(NN)", key_object(l), value_object(l));
    }
    return NULL;
}

static PyType_Slot iterator_slots[] = {
    {Py_tp_dealloc, (void *)iterator_dealloc},
    {Py_tp_iter, (void *)PyObject_SelfIter},
    {Py_tp_iternext, (void *)iterator_next},
    {0, NULL},
};

static PyType_Spec iterator_spec = {
    "veperf._native.kernels.TreeIterator", sizeof(iterator_object), 0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_IMMUTABLETYPE,
    iterator_slots,
};

static PyObject *iterate(PyObject *module, PyObject *root_object, PyObject *start, PyObject *end,
                         int is_export, int is_ascending) {
    node *root = unwrap(module, root_object);
    key_view ignored;
    if (!root || (start != Py_None && !view_key_object(start, &ignored)) ||
        (end != Py_None && !view_key_object(end, &ignored)))
        return NULL;
    /* With its hash a node never changes. */
    Py_XDECREF(node_fill_hashes(root_object, NULL));
    iterator_object *it = (iterator_object *)PyType_GenericAlloc(types_of(module)->iterator, 0);
    if (!it)
        return NULL;
    it->root = keep(((node_object *)root_object)->node);
    it->start = start == Py_None ? NULL : Py_NewRef(start);
    it->end = end == Py_None ? NULL : Py_NewRef(end);
    it->is_export = is_export;
    it->is_ascending = is_ascending;
    push(it, it->root, 0);
    return (PyObject *)it;
}

/* root, start, end, is ascending */
static PyObject *py_tree_iterate(PyObject *module, PyObject *const *args, Py_ssize_t count) {
    int is_ascending;
    if (!check_arguments(count, 4) || (is_ascending = PyObject_IsTrue(args[3])) < 0)
        return NULL;
    return iterate(module, args[0], args[1], args[2], 0, is_ascending);
}

static PyObject *py_tree_export(PyObject *module, PyObject *root) {
    return iterate(module, root, Py_None, Py_None, 1, 1);
}

#endif
