/* is_plain(item): True only if make_canonical(item) would accept `item` and change nothing in it.

   It may answer False to anything: then Python's own walk decides, as it does where this file was not compiled. So no
   digest depends on whether it was; tests/manifest/test_plain.py holds the two against each other. It exists because
   walking an item's values is a third of the time that adding up an export takes. */

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#define MAX_DEPTH 64  /* encoding.MAX_DEPTH */
#define MAX_DIGITS 38 /* number.MAX_DIGITS: that many characters cannot be out of DynamoDB's range */

static int all_plain(PyObject *values, int depth);

/* number.is_canonical: 0, or an optional sign, no leading zero, and no zero at the end of a fraction. */
static int
is_canonical_number(PyObject *value)
{
    if (!PyUnicode_CheckExact(value) || !PyUnicode_IS_COMPACT_ASCII(value)) {
        return 0;
    }
    Py_ssize_t length = PyUnicode_GET_LENGTH(value);
    const char *text = (const char *)PyUnicode_1BYTE_DATA(value);
    const char *end = text + length;
    if (length < 1 || length > MAX_DIGITS) {
        return 0;
    }
    if (length == 1 && *text == '0') {
        return 1;
    }
    if (*text == '-') {
        text++;
    }
    const char *whole = text;
    while (text < end && *text >= '0' && *text <= '9') {
        text++;
    }
    if (text == whole || (*whole == '0' && text != whole + 1)) {
        return 0;
    }
    if (text == end) {
        return *whole != '0';
    }
    if (*text++ != '.' || text == end) {
        return 0;
    }
    while (text < end && *text >= '0' && *text <= '9') {
        text++;
    }
    return text == end && end[-1] != '0';
}

/* Strings in strictly rising order of code points, so that none is there twice; at least one. */
static int
is_sorted_set(PyObject *value)
{
    if (!PyList_CheckExact(value) || PyList_GET_SIZE(value) < 1) {
        return 0;
    }
    for (Py_ssize_t index = 0; index < PyList_GET_SIZE(value); index++) {
        PyObject *member = PyList_GET_ITEM(value, index);
        if (!PyUnicode_CheckExact(member)) {
            return 0;
        }
        if (index > 0 && PyUnicode_Compare(PyList_GET_ITEM(value, index - 1), member) >= 0) {
            return 0;
        }
    }
    return 1;
}

/* Never strcmp: a name may hold a NUL. */
static int
is_named(PyObject *kind, const char *name)
{
    return PyUnicode_CompareWithASCIIString(kind, name) == 0;
}

/* One typed value, {"S": "..."}. Binary and sets other than of strings are left to Python. */
static int
is_plain_value(PyObject *typed, int depth)
{
    PyObject *kind, *value;
    Py_ssize_t position = 0;
    if (!PyDict_CheckExact(typed) || PyDict_GET_SIZE(typed) != 1 || !PyDict_Next(typed, &position, &kind, &value)) {
        return 0;
    }
    if (!PyUnicode_CheckExact(kind)) {
        return 0;
    }
    if (is_named(kind, "S")) {
        return PyUnicode_CheckExact(value);
    }
    if (is_named(kind, "N")) {
        return is_canonical_number(value);
    }
    if (is_named(kind, "M")) {
        return PyDict_CheckExact(value) && all_plain(value, depth + 1);
    }
    if (is_named(kind, "L")) {
        return PyList_CheckExact(value) && all_plain(value, depth + 1);
    }
    if (is_named(kind, "BOOL")) {
        return value == Py_True || value == Py_False;
    }
    if (is_named(kind, "NULL")) {
        return value == Py_True;
    }
    return is_named(kind, "SS") && is_sorted_set(value);
}

/* The values of a map, whose names are not empty, or of a list. */
static int
all_plain(PyObject *values, int depth)
{
    PyObject *name, *typed;
    Py_ssize_t position = 0;
    if (depth > MAX_DEPTH) {
        return 0;
    }
    if (PyList_CheckExact(values)) {
        for (Py_ssize_t index = 0; index < PyList_GET_SIZE(values); index++) {
            if (!is_plain_value(PyList_GET_ITEM(values, index), depth)) {
                return 0;
            }
        }
        return 1;
    }
    while (PyDict_Next(values, &position, &name, &typed)) {
        if (!PyUnicode_CheckExact(name) || PyUnicode_GET_LENGTH(name) == 0 || !is_plain_value(typed, depth)) {
            return 0;
        }
    }
    return 1;
}

static PyObject *
is_plain(PyObject *module, PyObject *item)
{
    (void)module;
    return PyBool_FromLong(PyDict_CheckExact(item) && PyDict_GET_SIZE(item) > 0 && all_plain(item, 0));
}

static PyMethodDef methods[] = {
    {"is_plain", is_plain, METH_O, "True only if an item is canonical already; False means nothing."},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "_plain", "What make_canonical need not look at.", 0, methods, NULL, NULL, NULL, NULL,
};

PyMODINIT_FUNC
PyInit__plain(void)
{
    return PyModuleDef_Init(&definition);
}
