#include "capture.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

vmp_capture vmp_the_capture = {.fd = -1};

/* Guards the path alone, and is held for a copy: without the GIL one thread may ask
 * for it while another ends the session. */
static pthread_mutex_t path_mutex = PTHREAD_MUTEX_INITIALIZER;

void
vmp_capture_path_set(vmp_capture *c, char *path)
{
    pthread_mutex_lock(&path_mutex);
    char *old = c->path;
    c->path = path;
    pthread_mutex_unlock(&path_mutex);
    free(old);
}

PyObject *
vmp_capture_path(vmp_capture *c)
{
    pthread_mutex_lock(&path_mutex);
    bool none = !c->path;
    char *copy = none ? NULL : strdup(c->path);
    pthread_mutex_unlock(&path_mutex);
    if (none)
        Py_RETURN_NONE;
    if (!copy)
        return PyErr_NoMemory();
    PyObject *path = PyUnicode_DecodeUTF8(copy, (Py_ssize_t)strlen(copy), "surrogateescape");
    free(copy);
    return path;
}

void
vmp_capture_forked(vmp_capture *c)
{
    pthread_mutex_init(&path_mutex, NULL);
    atomic_store(&c->changing, false);
}

PyObject *
vmp_raise(int rc, const vmp_err *err)
{
    const char *text = err->text[0] ? err->text : vmp_err_text(rc);
    switch (-rc) {
    case VMP_ENOMEM:
        return PyErr_NoMemory();
    case VMP_EIO:
        errno = err->os_errno;
        return errno ? PyErr_SetFromErrno(PyExc_OSError)
                     : (PyErr_SetString(PyExc_OSError, text), NULL);
    case VMP_EBUSY:
    case VMP_EINVAL:
        PyErr_SetString(PyExc_ValueError, text);
        return NULL;
    default:
        PyErr_SetString(PyExc_RuntimeError, text);
        return NULL;
    }
}

int
vmp_capture_start(vmp_capture *c)
{
    vmp_err err = {0};
    vmp_sampler_meta *meta = calloc(c->meta_count + 1, sizeof(*meta));
    if (!meta) {
        PyErr_NoMemory();
        return -1;
    }
    for (size_t i = 0; i < c->meta_count; i++)
        meta[i] =
            (vmp_sampler_meta){vmp_str_from(c->meta[2 * i]), vmp_str_from(c->meta[2 * i + 1])};
    vmp_sampler_config config = {.fd = c->fd,
        .interval_ns = c->interval_ns,
        .mode = c->mode,
        .timer = c->timer,
        .compress = true,
        .python = &c->compat.sampler,
        .meta = meta,
        .meta_count = c->meta_count};
    int rc = vmp_sampler_start(&config, &err);
    free(meta);
    if (rc < 0) {
        vmp_raise(rc, &err);
        return -1;
    }
    vmp_code_watch_start(&c->compat);
    vmp_signal_watch_start();
    return 0;
}

void
vmp_capture_forget(vmp_capture *c)
{
    if (c->fd_is_ours)
        close(c->fd);
    c->fd = -1;
    c->fd_is_ours = false;
    vmp_capture_path_set(c, NULL);
    free(c->timer);
    for (size_t i = 0; i < 2 * c->meta_count; i++)
        free(c->meta[i]);
    free(c->meta);
    c->timer = NULL;
    c->meta = NULL;
    c->meta_count = 0;
}
