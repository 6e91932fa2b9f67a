/* The kernels of transactions.h as functions of the module. */

#include "transactions.h"

/* The amount in decimal digits, at most MAX_DIGITS of them. */
static PyObject *amount_object(span digits) {
    if (digits.size <= 18) {
        uint64_t amount = 0;
        for (size_t i = 0; i < digits.size; i++)
            amount = 10 * amount + (uint64_t)(digits.data[i] - '0');
        return PyLong_FromUnsignedLongLong(amount);
    }
    char text[MAX_DIGITS + 1];
    memcpy(text, digits.data, digits.size);
    text[digits.size] = 0;
    return PyLong_FromString(text, NULL, 10);
}

static PyObject *bytes_object(span part) {
    return PyBytes_FromStringAndSize((const char *)part.data, (Py_ssize_t)part.size);
}

/* Of ASCII alone. */
static PyObject *text_object(span part) {
    return PyUnicode_FromStringAndSize((const char *)part.data, (Py_ssize_t)part.size);
}

/* Arguments: encoded transaction, prefix of addresses. */
static PyObject *py_read_transfer(PyObject *module, PyObject *args) {
    const char *raw, *prefix;
    Py_ssize_t raw_size, prefix_size;
    uint8_t sender[MODULE_BYTES], recipient[MODULE_BYTES];
    transfer t;
    (void)module;
    if (!PyArg_ParseTuple(args, "y#s#", &raw, &raw_size, &prefix, &prefix_size))
        return NULL;
    if (!transfer_read(&t, (const uint8_t *)raw, (size_t)raw_size))
        Py_RETURN_NONE;
    span start = {(const uint8_t *)prefix, (size_t)prefix_size};
    size_t sender_size = address_read(sender, t.sender, start);
    size_t recipient_size = address_read(recipient, t.recipient, start);
    if (!sender_size || !recipient_size)
        Py_RETURN_NONE;
    PyObject *fields[] = {
        bytes_object((span){sender, sender_size}),
        text_object(t.sender),
        bytes_object((span){recipient, recipient_size}),
        text_object(t.recipient),
        text_object(t.denom),
        amount_object(t.amount),
        text_object(t.fee_denom),
        amount_object(t.fee_amount),
        bytes_object(t.key),
        PyLong_FromUnsignedLongLong(t.sequence),
        PyLong_FromUnsignedLongLong(t.gas_limit),
        bytes_object(t.signature),
        bytes_object(t.body),
        bytes_object(t.auth_info),
    };
    const Py_ssize_t count = sizeof fields / sizeof fields[0];
    PyObject *result = PyTuple_New(count);
    for (Py_ssize_t i = 0; i < count; i++) {
        if (!fields[i])
            Py_CLEAR(result);
        if (result)
            PyTuple_SetItem(result, i, fields[i]);
        else
            Py_XDECREF(fields[i]);
    }
    return result;
}

/* Fills in a document from point, signature, body, auth info and account number; 0 with an error.
   The bytes are those of the objects in the tuple. */
static int document_from(document *d, PyObject *item) {
    char *point, *signature, *body, *auth_info;
    Py_ssize_t point_size, signature_size, body_size, auth_size;
    if (!PyTuple_Check(item) || PyTuple_Size(item) != 5) {
        invalid("a document is a tuple of five");
        return 0;
    }
    if (PyBytes_AsStringAndSize(PyTuple_GetItem(item, 0), &point, &point_size) ||
        PyBytes_AsStringAndSize(PyTuple_GetItem(item, 1), &signature, &signature_size) ||
        PyBytes_AsStringAndSize(PyTuple_GetItem(item, 2), &body, &body_size) ||
        PyBytes_AsStringAndSize(PyTuple_GetItem(item, 3), &auth_info, &auth_size))
        return 0;
    if (point_size != POINT_BYTES || signature_size != SIGNATURE_BYTES) {
        invalid("point and signature have 64 bytes each");
        return 0;
    }
    d->account_number = PyLong_AsUnsignedLongLong(PyTuple_GetItem(item, 4));
    if (PyErr_Occurred()) {
        invalid("an account number is between 0 and 2^64");
        return 0;
    }
    d->point = (const uint8_t *)point, d->signature = (const uint8_t *)signature;
    d->body = (span){(const uint8_t *)body, (size_t)body_size};
    d->auth_info = (span){(const uint8_t *)auth_info, (size_t)auth_size};
    return 1;
}

/* Arguments: addresses of libsecp256k1's context and functions, chain id, documents. */
static PyObject *py_verify_documents(PyObject *module, PyObject *args) {
    const char *addresses, *chain_id;
    Py_ssize_t addresses_size, chain_id_size;
    PyObject *items, *result = NULL;
    signature_library library;
    void *verdicts;
    (void)module;
    if (!PyArg_ParseTuple(args, "y#s#O!", &addresses, &addresses_size, &chain_id, &chain_id_size,
                          &PyTuple_Type, &items))
        return NULL;
    if (addresses_size != (Py_ssize_t)sizeof library)
        return invalid("the library is a context and two functions");
    memcpy(&library, addresses, sizeof library);
    size_t count = (size_t)PyTuple_Size(items);
    document *documents = malloc(count ? count * sizeof *documents : 1);
    if (!documents)
        return PyErr_NoMemory();
    for (size_t i = 0; i < count; i++)
        if (!document_from(&documents[i], PyTuple_GetItem(items, (Py_ssize_t)i)))
            goto done;
    if ((result = new_bytes(count, &verdicts))) {
        span chain = {(const uint8_t *)chain_id, (size_t)chain_id_size};
        Py_BEGIN_ALLOW_THREADS documents_verify(verdicts, &library, documents, count, chain);
        Py_END_ALLOW_THREADS
    }
done:
    free(documents);
    return result;
}

#define TRANSACTION_METHODS                                                                        \
    {"read_transfer", py_read_transfer, METH_VARARGS, NULL},                                       \
        {"verify_documents", py_verify_documents, METH_VARARGS, NULL}
