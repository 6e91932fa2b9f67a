/* veperf._native.kernels: the compiled kernels as functions from bytes to bytes.

   One source for every Python from 3.11 (limited API). Arguments are checked here, the GIL is
   released while a kernel runs, and nothing is kept between calls but the nodes of trees, which are
   objects. kernels.pyi has the types. */

#define Py_LIMITED_API 0x030B0000
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "bn254.h"

#define MAX_WINDOW_BITS 16
#define MAX_PAIRS 4096

static PyObject *invalid(const char *message) {
    PyErr_SetString(PyExc_ValueError, message);
    return NULL;
}

/* Returns result, or its error in its place. */
static PyObject *checked(PyObject *result, outcome state) {
    if (state == DONE)
        return result;
    Py_XDECREF(result);
    switch (state) {
    case NO_MEMORY:
        return PyErr_NoMemory();
    case NOT_ON_CURVE:
        return invalid("the point is not on the curve");
    case NOT_IN_SUBGROUP:
        return invalid("the point is not in the subgroup");
    default:
        return invalid("a coordinate is not between 0 and the modulus of the field");
    }
}

static PyObject *new_bytes(size_t size, void **data) {
    PyObject *bytes = size > PY_SSIZE_T_MAX ? PyErr_NoMemory()
                                            : PyBytes_FromStringAndSize(NULL, (Py_ssize_t)size);
    *data = bytes ? PyBytes_AsString(bytes) : NULL;
    return bytes;
}

static inline size_t size_of(const Py_buffer *buffer) { return (size_t)buffer->len; }

static int is_window(int window_bits) { return 2 <= window_bits && window_bits <= MAX_WINDOW_BITS; }

/* Runs a kernel without the GIL. */
#define RUN(state, call)                                                                           \
    do {                                                                                           \
        Py_BEGIN_ALLOW_THREADS state = (call);                                                     \
        Py_END_ALLOW_THREADS                                                                       \
    } while (0)

#include "transactions_module.h"
#include "tree_module.h"

static PyObject *py_fr_multiply_all(PyObject *module, PyObject *args) {
    Py_buffer left, right;
    PyObject *result = NULL;
    void *data;
    (void)module;
    if (!PyArg_ParseTuple(args, "y*y*", &left, &right))
        return NULL;
    if (left.len != right.len || left.len % ELEMENT_BYTES)
        invalid("both lists have as many numbers of 32 bytes");
    else if ((result = new_bytes(size_of(&left), &data))) {
        Py_BEGIN_ALLOW_THREADS fr_multiply_all(data, left.buf, right.buf,
                                               size_of(&left) / ELEMENT_BYTES);
        Py_END_ALLOW_THREADS
    }
    PyBuffer_Release(&left);
    PyBuffer_Release(&right);
    return result;
}

static PyObject *py_fr_transform(PyObject *module, PyObject *args) {
    Py_buffer values, constants;
    PyObject *result = NULL;
    void *data;
    (void)module;
    if (!PyArg_ParseTuple(args, "y*y*", &values, &constants))
        return NULL;
    size_t size = size_of(&values) / ELEMENT_BYTES;
    if (!size || size & (size - 1) || values.len % ELEMENT_BYTES)
        invalid("the number of values is not a power of 2");
    else if (constants.len != 4 * ELEMENT_BYTES)
        invalid("root, both bases and factor are 32 bytes each");
    else if ((result = new_bytes(size_of(&values), &data))) {
        const uint8_t *parts = constants.buf;
        outcome state;
        RUN(state, fr_transform(data, values.buf, size, parts, parts + ELEMENT_BYTES,
                                parts + 2 * ELEMENT_BYTES, parts + 3 * ELEMENT_BYTES));
        result = checked(result, state);
    }
    PyBuffer_Release(&values);
    PyBuffer_Release(&constants);
    return result;
}

/* The functions that both groups have. */
#define DEFINE_GROUP_FUNCTIONS(g)                                                                  \
    static PyObject *py_##g##_pack(PyObject *module, PyObject *args) {                             \
        Py_buffer points;                                                                          \
        PyObject *result = NULL;                                                                   \
        void *data;                                                                                \
        int is_big_endian, check;                                                                  \
        (void)module;                                                                              \
        if (!PyArg_ParseTuple(args, "y*pi", &points, &is_big_endian, &check))                      \
            return NULL;                                                                           \
        if (size_of(&points) % sizeof(g##_affine))                                                 \
            invalid("the bytes are not whole points");                                             \
        else if (check < TRUSTED || check > FINITE)                                                \
            invalid("there is no such check of points");                                           \
        else if ((result = new_bytes(size_of(&points), &data))) {                                  \
            outcome state;                                                                         \
            RUN(state, g##_pack(data, points.buf, size_of(&points) / sizeof(g##_affine),           \
                                is_big_endian, (point_check)check));                               \
            result = checked(result, state);                                                       \
        }                                                                                          \
        PyBuffer_Release(&points);                                                                 \
        return result;                                                                             \
    }                                                                                              \
    static PyObject *py_##g##_unpack(PyObject *module, PyObject *args) {                           \
        Py_buffer points;                                                                          \
        PyObject *result = NULL;                                                                   \
        void *data;                                                                                \
        (void)module;                                                                              \
        if (!PyArg_ParseTuple(args, "y*", &points))                                                \
            return NULL;                                                                           \
        if (size_of(&points) % sizeof(g##_affine) || !are_elements(points.buf, size_of(&points)))  \
            invalid("not packed points");                                                          \
        else if ((result = new_bytes(size_of(&points), &data))) {                                  \
            Py_BEGIN_ALLOW_THREADS g##_unpack(data, points.buf,                                    \
                                              size_of(&points) / sizeof(g##_affine));              \
            Py_END_ALLOW_THREADS                                                                   \
        }                                                                                          \
        PyBuffer_Release(&points);                                                                 \
        return result;                                                                             \
    }                                                                                              \
    static PyObject *py_##g##_table(PyObject *module, PyObject *args) {                            \
        Py_buffer points;                                                                          \
        PyObject *result = NULL;                                                                   \
        void *data;                                                                                \
        int window_bits;                                                                           \
        (void)module;                                                                              \
        if (!PyArg_ParseTuple(args, "y*i", &points, &window_bits))                                 \
            return NULL;                                                                           \
        if (size_of(&points) % sizeof(g##_affine) || !are_elements(points.buf, size_of(&points)))  \
            invalid("not packed points");                                                          \
        else if (!is_window(window_bits))                                                          \
            invalid("a digit has 2 to 16 bits");                                                   \
        else if ((result = new_bytes(size_of(&points) * HALF_DIGITS((size_t)window_bits),          \
                                     &data))) {                                                    \
            outcome state;                                                                         \
            RUN(state, g##_make_table(data, points.buf, size_of(&points) / sizeof(g##_affine),     \
                                      window_bits));                                               \
            result = checked(result, state);                                                       \
        }                                                                                          \
        PyBuffer_Release(&points);                                                                 \
        return result;                                                                             \
    }                                                                                              \
    static PyObject *py_##g##_msm(PyObject *module, PyObject *args) {                              \
        Py_buffer table, scalars;                                                                  \
        PyObject *result = NULL;                                                                   \
        void *data;                                                                                \
        int window_bits;                                                                           \
        (void)module;                                                                              \
        if (!PyArg_ParseTuple(args, "y*y*i", &table, &scalars, &window_bits))                      \
            return NULL;                                                                           \
        size_t count = size_of(&scalars) / ELEMENT_BYTES, size = count * sizeof(g##_affine);       \
        int columns = 1;                                                                           \
        if (is_window(window_bits) && size_of(&table) != size)                                     \
            columns = HALF_DIGITS(window_bits);                                                    \
        if (!is_window(window_bits))                                                               \
            invalid("a digit has 2 to 16 bits");                                                   \
        else if (scalars.len % ELEMENT_BYTES || size_of(&table) != size * (size_t)columns)         \
            invalid("there are not as many scalars as points");                                    \
        else if (!are_elements(table.buf, size_of(&table)))                                        \
            invalid("not packed points");                                                          \
        else if ((result = new_bytes(sizeof(g##_affine), &data))) {                                \
            outcome state;                                                                         \
            RUN(state, g##_sum_of_multiples(data, table.buf, columns, count, scalars.buf,          \
                                            window_bits));                                         \
            result = checked(result, state);                                                       \
        }                                                                                          \
        PyBuffer_Release(&table);                                                                  \
        PyBuffer_Release(&scalars);                                                                \
        return result;                                                                             \
    }                                                                                              \
    static PyObject *py_##g##_multiply(PyObject *module, PyObject *args) {                         \
        Py_buffer point, scalar;                                                                   \
        PyObject *result = NULL;                                                                   \
        void *data;                                                                                \
        (void)module;                                                                              \
        if (!PyArg_ParseTuple(args, "y*y*", &point, &scalar))                                      \
            return NULL;                                                                           \
        g##_affine packed;                                                                         \
        if (size_of(&point) != sizeof packed || scalar.len != ELEMENT_BYTES)                       \
            invalid("one point and one scalar of 32 bytes");                                       \
        else if ((result = new_bytes(sizeof packed, &data))) {                                     \
            outcome state = g##_pack(&packed, point.buf, 1, 0, TRUSTED);                                 \
            if (state == DONE)                                                                     \
                g##_multiple(data, &packed, scalar.buf);                                           \
            result = checked(result, state);                                                       \
        }                                                                                          \
        PyBuffer_Release(&point);                                                                  \
        PyBuffer_Release(&scalar);                                                                 \
        return result;                                                                             \
    }                                                                                              \
    static PyObject *py_##g##_digit_table(PyObject *module, PyObject *args) {                      \
        Py_buffer point;                                                                           \
        PyObject *result = NULL;                                                                   \
        void *data;                                                                                \
        int window_bits;                                                                           \
        (void)module;                                                                              \
        if (!PyArg_ParseTuple(args, "y*i", &point, &window_bits))                                  \
            return NULL;                                                                           \
        g##_affine packed;                                                                         \
        if (size_of(&point) != sizeof packed || !is_window(window_bits))                           \
            invalid("one point, and a digit of 2 to 16 bits");                                     \
        else if ((result = new_bytes((SCALAR_DIGITS((size_t)window_bits) << (window_bits - 1)) *   \
                                         sizeof packed,                                            \
                                     &data))) {                                                    \
            outcome state;                                                                         \
            Py_BEGIN_ALLOW_THREADS state = g##_pack(&packed, point.buf, 1, 0, TRUSTED);                  \
            if (state == DONE)                                                                     \
                state = g##_make_digit_table(data, &packed, window_bits);                          \
            Py_END_ALLOW_THREADS result = checked(result, state);                                  \
        }                                                                                          \
        PyBuffer_Release(&point);                                                                  \
        return result;                                                                             \
    }                                                                                              \
    static PyObject *py_##g##_digit_table_sums(PyObject *module, PyObject *args) {                 \
        Py_buffer tables, scalars;                                                                 \
        PyObject *result = NULL;                                                                   \
        void *data;                                                                                \
        int window_bits;                                                                           \
        (void)module;                                                                              \
        if (!PyArg_ParseTuple(args, "y*y*i", &tables, &scalars, &window_bits))                     \
            return NULL;                                                                           \
        size_t size = 0, count = 0;                                                                \
        if (is_window(window_bits))                                                                \
            size = (SCALAR_DIGITS((size_t)window_bits) << (window_bits - 1)) * sizeof(g##_affine); \
        if (!size || !tables.len || size_of(&tables) % size)                                       \
            invalid("not tables of this width");                                                   \
        else if (size_of(&scalars) % (size_of(&tables) / size * ELEMENT_BYTES))                    \
            invalid("there are not as many scalars as tables for each sum");                       \
        else if ((uintptr_t)tables.buf % sizeof(uint64_t))                                         \
            invalid("not packed points");                                                          \
        else {                                                                                     \
            size_t table_count = size_of(&tables) / size;                                          \
            count = size_of(&scalars) / (table_count * ELEMENT_BYTES);                             \
            if ((result = new_bytes(count * sizeof(g##_affine), &data))) {                         \
                outcome state;                                                                     \
                RUN(state, g##_sums_by_digit_tables(data, tables.buf, table_count, scalars.buf,    \
                                                    count, window_bits));                          \
                result = checked(result, state);                                                   \
            }                                                                                      \
        }                                                                                          \
        PyBuffer_Release(&tables);                                                                 \
        PyBuffer_Release(&scalars);                                                                \
        return result;                                                                             \
    }

DEFINE_GROUP_FUNCTIONS(g1)
DEFINE_GROUP_FUNCTIONS(g2)

static PyObject *py_g2_first_outside(PyObject *module, PyObject *args) {
    Py_buffer points;
    PyObject *result = NULL;
    (void)module;
    if (!PyArg_ParseTuple(args, "y*", &points))
        return NULL;
    if (size_of(&points) % sizeof(g2_affine) || !are_elements(points.buf, size_of(&points)))
        invalid("not packed points");
    else {
        size_t index;
        Py_BEGIN_ALLOW_THREADS index =
            g2_first_outside(points.buf, size_of(&points) / sizeof(g2_affine));
        Py_END_ALLOW_THREADS result = PyLong_FromSize_t(index);
    }
    PyBuffer_Release(&points);
    return result;
}

static PyObject *py_g2_are_in_subgroup(PyObject *module, PyObject *args) {
    Py_buffer points, random;
    PyObject *result = NULL;
    (void)module;
    if (!PyArg_ParseTuple(args, "y*y*", &points, &random))
        return NULL;
    size_t count = size_of(&points) / sizeof(g2_affine);
    if (size_of(&points) % sizeof(g2_affine) || !are_elements(points.buf, size_of(&points)))
        invalid("not packed points");
    else if (size_of(&random) != count * CHECK_BYTES)
        invalid("there are 20 random bytes a point");
    else {
        int are_inside;
        outcome state;
        RUN(state, g2_are_in_subgroup(&are_inside, points.buf, count, random.buf));
        if (state == DONE)
            result = PyBool_FromLong(are_inside);
        else
            PyErr_NoMemory();
    }
    PyBuffer_Release(&points);
    PyBuffer_Release(&random);
    return result;
}

static PyObject *py_prepare_g2(PyObject *module, PyObject *args) {
    Py_buffer point;
    PyObject *result = NULL;
    void *data;
    (void)module;
    if (!PyArg_ParseTuple(args, "y*", &point))
        return NULL;
    if (size_of(&point) != sizeof(g2_affine))
        invalid("one point of G2 has 128 bytes");
    else if ((result = new_bytes((size_t)line_count * sizeof(line), &data))) {
        outcome state;
        RUN(state, g2_lines(data, point.buf));
        result = checked(result, state);
    }
    PyBuffer_Release(&point);
    return result;
}

/* Arguments: points of G1, then the lines of as many points of G2. */
static PyObject *py_miller_loop(PyObject *module, PyObject *args) {
    PyObject *result = NULL, *line_list;
    Py_buffer points, *buffers = NULL;
    const line **lines = NULL;
    Py_ssize_t taken = 0;
    void *data;
    (void)module;
    if (!PyArg_ParseTuple(args, "y*O!", &points, &PyTuple_Type, &line_list))
        return NULL;
    Py_ssize_t count = PyTuple_Size(line_list);
    if (count > MAX_PAIRS || size_of(&points) != (size_t)count * sizeof(g1_affine)) {
        invalid("there are not as many points as lists of lines");
        goto done;
    }
    buffers = calloc((size_t)count + 1, sizeof *buffers);
    lines = calloc((size_t)count + 1, sizeof *lines);
    if (!buffers || !lines) {
        PyErr_NoMemory();
        goto done;
    }
    for (; taken < count; taken++) {
        Py_buffer *buffer = &buffers[taken];
        if (PyObject_GetBuffer(PyTuple_GetItem(line_list, taken), buffer, PyBUF_SIMPLE))
            goto done;
        lines[taken] = buffer->buf;
        if (size_of(buffer) != (size_t)line_count * sizeof(line) ||
            !are_elements(buffer->buf, size_of(buffer))) {
            taken++;
            invalid("not the lines of a point");
            goto done;
        }
    }
    if ((result = new_bytes(sizeof(fp12), &data))) {
        outcome state;
        RUN(state, miller_loop_product(data, points.buf, lines, (size_t)count));
        result = checked(result, state);
    }
done:
    while (taken-- > 0)
        PyBuffer_Release(&buffers[taken]);
    free(buffers);
    free(lines);
    PyBuffer_Release(&points);
    return result;
}

static PyObject *py_final_exponentiation(PyObject *module, PyObject *args) {
    Py_buffer value;
    PyObject *result = NULL;
    void *data;
    (void)module;
    if (!PyArg_ParseTuple(args, "y*", &value))
        return NULL;
    if (size_of(&value) != sizeof(fp12))
        invalid("an element of Fp12 has 384 bytes");
    else if ((result = new_bytes(sizeof(fp12), &data))) {
        outcome state;
        RUN(state, exponentiate(data, value.buf));
        result = checked(result, state);
    }
    PyBuffer_Release(&value);
    return result;
}

#define GROUP_METHODS(g)                                                                           \
    {#g "_pack", py_##g##_pack, METH_VARARGS, NULL},                                               \
        {#g "_unpack", py_##g##_unpack, METH_VARARGS, NULL},                                       \
        {#g "_table", py_##g##_table, METH_VARARGS, NULL},                                         \
        {#g "_msm", py_##g##_msm, METH_VARARGS, NULL},                                             \
        {#g "_multiply", py_##g##_multiply, METH_VARARGS, NULL},                                   \
        {#g "_digit_table", py_##g##_digit_table, METH_VARARGS, NULL},                             \
        {#g "_digit_table_sums", py_##g##_digit_table_sums, METH_VARARGS, NULL}

static PyMethodDef methods[] = {
    {"fr_multiply_all", py_fr_multiply_all, METH_VARARGS, NULL},
    {"fr_transform", py_fr_transform, METH_VARARGS, NULL},
    GROUP_METHODS(g1),
    GROUP_METHODS(g2),
    {"g2_first_outside", py_g2_first_outside, METH_VARARGS, NULL},
    {"g2_are_in_subgroup", py_g2_are_in_subgroup, METH_VARARGS, NULL},
    {"prepare_g2", py_prepare_g2, METH_VARARGS, NULL},
    {"miller_loop", py_miller_loop, METH_VARARGS, NULL},
    {"final_exponentiation", py_final_exponentiation, METH_VARARGS, NULL},
    TRANSACTION_METHODS,
    TREE_METHODS,
    {NULL, NULL, 0, NULL},
};

#ifndef SOURCES /* the build tells which it compiles */
#define SOURCES ""
#endif

static int initialize(PyObject *module) {
    bn254_initialize();
    sha_initialize();
    if (PyModule_AddStringConstant(module, "SOURCES", SOURCES))
        return -1;
    return tree_initialize(module);
}

static PyModuleDef_Slot slots[] = {{Py_mod_exec, (void *)initialize}, {0, NULL}};

static PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    "veperf._native.kernels",
    NULL,
    sizeof(tree_types),
    methods,
    slots,
    NULL,
    NULL,
    NULL,
};

PyMODINIT_FUNC PyInit_kernels(void) { return PyModuleDef_Init(&definition); }
