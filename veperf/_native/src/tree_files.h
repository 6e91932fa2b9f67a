/* The functions for trees on disk that Python calls: snapshots and change sets. */

#ifndef VEPERF_TREE_FILES_H
#define VEPERF_TREE_FILES_H

#include "tree_object.h"
#include "tree_replay.h"

/* subtrees, count */
static PyObject *py_tree_slice(PyObject *module, PyObject *args) {
    PyObject *tuple;
    unsigned long long count;
    if (!PyArg_ParseTuple(args, "O!K", &PyTuple_Type, &tuple, &count))
        return NULL;
    size_t size = (size_t)PyTuple_Size(tuple);
    uint64_t nodes = 0;
    node **subtrees = malloc((size + 1) * sizeof *subtrees);
    if (!subtrees)
        return PyErr_NoMemory();
    for (size_t i = 0; i < size; i++) {
        if (!(subtrees[i] = unwrap(module, PyTuple_GetItem(tuple, (Py_ssize_t)i)))) {
            free(subtrees);
            return NULL;
        }
        nodes += 2 * size_of_tree(subtrees[i]) - 1;
    }
    count = count < nodes ? count : nodes;
    output out = {NULL, 0};
    put_slice(&out, subtrees, size, count);
    PyObject *slice = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)out.size);
    if (slice) {
        out.place = (uint8_t *)PyBytes_AsString(slice);
        out.size = 0;
        put_slice(&out, subtrees, size, count);
    }
    free(subtrees);
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

/* The tree, or the fault in its place. */
static PyObject *loaded(PyObject *module, fault problem, node *root) {
    return problem ? raise_fault(problem) : wrap(types_of(module)->node, root);
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
    if (unwrap_root(module, root_object, &root)) {
        if (root)
            keep(root);
        RUN_WRITER(1, problem = replay(&root, sets.inputs, sets.count, version));
        result = loaded(module, problem, root);
    }
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
    /* Nobody else knows these nodes. */
    Py_BEGIN_ALLOW_THREADS problem = read_snapshot(&root, nodes.inputs, nodes.count);
    if (!problem)
        problem = replay(&root, sets.inputs, sets.count, version);
    Py_END_ALLOW_THREADS release_inputs(&nodes);
    release_inputs(&sets);
    return loaded(module, problem, root);
}

#endif
