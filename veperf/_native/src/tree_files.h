/* The functions for trees on disk that Python calls: snapshots and change sets. */

#ifndef VEPERF_TREE_FILES_H
#define VEPERF_TREE_FILES_H

#include "tree_object.h"

/* root, start, count */
static PyObject *py_tree_slice(PyObject *module, PyObject *args) {
    PyObject *root_object;
    node *root;
    unsigned long long start, count;
    if (!PyArg_ParseTuple(args, "OKK", &root_object, &start, &count) ||
        !(root = unwrap(module, root_object)))
        return NULL;
    uint64_t nodes = 2 * size_of_tree(root) - 1;
    start = start < nodes ? start : nodes;
    count = count < nodes - start ? count : nodes - start;
    output out = {NULL, 0};
    put_slice(&out, root, start, count);
    PyObject *slice = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)out.size);
    if (!slice)
        return NULL;
    out.place = (uint8_t *)PyBytes_AsString(slice);
    out.size = 0;
    put_slice(&out, root, start, count);
    return slice;
}

/* The buffers of a tuple. */
typedef struct {
    size_t count;
    Py_buffer *buffers;
    input *inputs;
} input_list;

static void release_inputs(input_list *list) {
    while (list->count)
        PyBuffer_Release(&list->buffers[--list->count]);
    free(list->buffers);
    free(list->inputs);
}

/* False, and an error: then there is nothing to release. */
static int take_inputs(input_list *list, PyObject *tuple) {
    Py_ssize_t size = PyTuple_Size(tuple);
    list->count = 0;
    if (size < 0)
        return 0;
    list->buffers = calloc((size_t)size + 1, sizeof *list->buffers);
    list->inputs = calloc((size_t)size + 1, sizeof *list->inputs);
    if (!list->buffers || !list->inputs) {
        PyErr_NoMemory();
        release_inputs(list);
        return 0;
    }
    while (list->count < (size_t)size) {
        Py_buffer *buffer = &list->buffers[list->count];
        PyObject *bytes = PyTuple_GetItem(tuple, (Py_ssize_t)list->count);
        if (PyObject_GetBuffer(bytes, buffer, PyBUF_SIMPLE)) {
            release_inputs(list);
            return 0;
        }
        input *in = &list->inputs[list->count++];
        in->place = buffer->buf;
        in->end = in->place + buffer->len;
    }
    return 1;
}

/* The list of a number of hashes. */
static PyObject *hash_list(const uint8_t *hashes, size_t count) {
    PyObject *list = PyList_New((Py_ssize_t)count);
    for (size_t i = 0; list && i < count; i++) {
        const char *hash = (const char *)hashes + i * HASH_BYTES;
        PyObject *bytes = PyBytes_FromStringAndSize(hash, HASH_BYTES);
        if (!bytes || PyList_SetItem(list, (Py_ssize_t)i, bytes)) {
            Py_DECREF(list);
            return NULL;
        }
    }
    return list;
}

/* The tree and its hashes, or the fault in their place. */
static PyObject *loaded(PyObject *module, fault problem, node *root, const uint8_t *hashes,
                        size_t count) {
    if (problem)
        return raise_fault(problem);
    PyObject *object = wrap(types_of(module)->node, root);
    PyObject *list = object ? hash_list(hashes, count) : NULL;
    if (list)
        return Py_BuildValue("(NN)", object, list);
    Py_XDECREF(object);
    return NULL;
}

/* root, change sets, version */
static PyObject *py_tree_replay(PyObject *module, PyObject *args) {
    PyObject *root_object, *change_sets;
    input_list sets;
    node *root;
    long long version;
    fault problem;
    if (!PyArg_ParseTuple(args, "OO!L", &root_object, &PyTuple_Type, &change_sets, &version) ||
        !take_inputs(&sets, change_sets))
        return NULL;
    PyObject *result = NULL;
    uint8_t *hashes = malloc((sets.count + 1) * HASH_BYTES);
    if (!hashes)
        PyErr_NoMemory();
    else if (unwrap_root(module, root_object, &root)) {
        if (root)
            keep(root);
        RUN_WRITER(1, problem = replay(&root, sets.inputs, sets.count, version, hashes));
        result = loaded(module, problem, root, hashes, sets.count);
    }
    free(hashes);
    release_inputs(&sets);
    return result;
}

/* slices, change sets, version of the slices */
static PyObject *py_tree_load(PyObject *module, PyObject *args) {
    PyObject *slices, *change_sets;
    input_list nodes, sets;
    node *root;
    long long version;
    fault problem;
    if (!PyArg_ParseTuple(args, "O!O!L", &PyTuple_Type, &slices, &PyTuple_Type, &change_sets,
                          &version) ||
        !take_inputs(&nodes, slices))
        return NULL;
    if (!take_inputs(&sets, change_sets)) {
        release_inputs(&nodes);
        return NULL;
    }
    PyObject *result = NULL;
    uint8_t *hashes = malloc((sets.count + 1) * HASH_BYTES);
    if (!hashes)
        PyErr_NoMemory();
    else {
        /* Nobody else knows these nodes. */
        Py_BEGIN_ALLOW_THREADS problem = read_snapshot(&root, nodes.inputs, nodes.count);
        if (!problem) {
            write_root_hash(hashes, root);
            problem = replay(&root, sets.inputs, sets.count, version, hashes + HASH_BYTES);
        }
        Py_END_ALLOW_THREADS result = loaded(module, problem, root, hashes, sets.count + 1);
    }
    free(hashes);
    release_inputs(&nodes);
    release_inputs(&sets);
    return result;
}

#endif
