/* Before the first sample: does the walker see what the interpreter sees? */
#include "capture.h"

enum { PROVE_FRAMES = 256 };

/* A new reference to obj.name, or NULL with an exception set. */
static PyObject *
step(PyObject *obj, const char *name)
{
    PyObject *next = PyObject_GetAttrString(obj, name);
    Py_DECREF(obj);
    return next;
}

/* True if the walked frame is the frame object's; -1 with an exception set. */
static int
frame_matches(const vmp_frame *walked, PyObject *frame, bool leaf)
{
    PyObject *code = PyObject_GetAttrString(frame, "f_code");
    if (!code)
        return -1;
    bool same = (uint64_t)(uintptr_t)code == walked->code;
    Py_DECREF(code);
    PyObject *lasti = PyObject_GetAttrString(frame, "f_lasti");
    if (!lasti)
        return -1;
    long instr = PyLong_AsLong(lasti);
    Py_DECREF(lasti);
    if (instr == -1 && PyErr_Occurred())
        return -1;
    /* The leaf is in the middle of the call that brought us here: how far its
     * saved instruction has got differs by version. */
    return same && (leaf || walked->instr == (uint32_t)instr);
}

/* Number of frames that match, up to the first that does not; -1: exception. */
static Py_ssize_t
frames_compare(const vmp_py_stack *st, PyObject *frame)
{
    uint32_t i = 0;
    while (frame != Py_None && i < st->n) {
        int same = frame_matches(&st->frames[i], frame, i == 0);
        if (same <= 0) {
            Py_DECREF(frame);
            return same < 0 ? -1 : (Py_ssize_t)i;
        }
        i++;
        frame = step(frame, "f_back");
        if (!frame)
            return -1;
    }
    bool both_ended = frame == Py_None && i == st->n;
    Py_DECREF(frame);
    return both_ended ? (Py_ssize_t)st->n : (Py_ssize_t)i;
}

int
vmp_prove_walker(const vmp_compat *compat)
{
    vmp_frame *frames = PyMem_Malloc(PROVE_FRAMES * sizeof(*frames));
    vmp_py_stack st = {.frames = frames, .cap = PROVE_FRAMES};
    if (!frames) {
        PyErr_NoMemory();
        return -1;
    }
    PyObject *getframe = PySys_GetObject("_getframe"); /* borrowed */
    PyObject *frame = getframe ? PyObject_CallObject(getframe, NULL) : NULL;
    if (!frame) {
        /* Called from C with no Python frame: there is nothing to be proved on. */
        PyErr_Clear();
        PyMem_Free(frames);
        return 0;
    }
    int rc = vmp_sampler_walk_own(&compat->sampler, &st);
    /* A stack with a gap is compared down to the gap. */
    uint32_t want = st.elided ? st.elided_at : st.n;
    Py_ssize_t same = rc == 0 ? frames_compare(&st, frame) : 0;
    if (rc < 0)
        Py_DECREF(frame);
    PyMem_Free(frames);
    if (same < 0)
        return -1;
    if (rc == 0 && st.n > 0 && (uint32_t)same >= want)
        return 0;
    PyErr_Format(PyExc_RuntimeError,
        "vmprof does not understand the frames of this Python: of %u it saw %zd as the "
        "interpreter does (%s). It does not sample what it would show wrongly. Please report "
        "this with the output of 'python -VV'.",
        (unsigned)st.n, same, rc < 0 ? vmp_err_text(rc) : "code objects or positions differ");
    return -1;
}
