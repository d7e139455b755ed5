#include "columns_internal.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "load.h"

int
vmp_columns_fail(vmp_column_error *error, int rc, const vmp_err *err)
{
    int os_errno = rc == -VMP_ENOMEM ? ENOMEM : 0;
    if (rc == -VMP_EIO && err)
        os_errno = err->os_errno;
    error->os_errno = os_errno;
    snprintf(
        error->text, sizeof(error->text), "%s", err && err->text[0] ? err->text : vmp_err_text(rc));
    return rc;
}

int
vmp_columns_load(vmp_profile **ret_p, const void *bytes, uint64_t size_bytes, int fd,
    int keep_samples, uint64_t max_gap_ns, vmp_column_error *error)
{
    vmp_err err = {0};
    vmp_load_options options = {.keep_samples = keep_samples, .max_gap_ns = max_gap_ns};
    int rc = bytes ? vmp_load_bytes(ret_p, bytes, (size_t)size_bytes, &options, &err)
                   : vmp_load_fd(ret_p, fd, &options, &err);
    return rc < 0 ? vmp_columns_fail(error, rc, &err) : 0;
}

void
vmp_columns_profile_free(vmp_profile **p)
{
    vmp_profile_free(p);
}

static void
column_add(vmp_columns *c, const void *p, size_t size_bytes, void *owned)
{
    assert(c->count < VMP_COLUMNS_MAX);
    c->at[c->count++] = (vmp_column){.p = p, .size_bytes = size_bytes, .owned = owned};
}

void *
vmp_columns_new(vmp_columns *c, size_t rows, size_t row_bytes)
{
    void *p = calloc(rows ? rows : 1, row_bytes);
    if (!p)
        c->failed = true;
    else
        column_add(c, p, rows * row_bytes, p);
    return p;
}

void
vmp_columns_borrow(vmp_columns *c, const void *p, size_t rows, size_t row_bytes)
{
    column_add(c, p, rows * row_bytes, NULL);
}

void
vmp_columns_copy(vmp_columns *c, const void *p, size_t rows, size_t row_bytes)
{
    void *copy = vmp_columns_new(c, rows, row_bytes);
    if (copy && rows > 0)
        memcpy(copy, p, rows * row_bytes);
}

void
vmp_columns_take(vmp_columns *c, vmp_buf *b)
{
    if (b->failed) {
        c->failed = true;
        vmp_buf_fini(b);
        return;
    }
    column_add(c, b->p, b->n, b->p);
    *b = (vmp_buf){0};
}

int
vmp_columns_finish(vmp_columns **ret_c, vmp_columns **c, int rc, vmp_column_error *error)
{
    if (rc == 0 && (*c)->failed)
        rc = -VMP_ENOMEM;
    if (rc < 0) {
        vmp_columns_free(c);
        return vmp_columns_fail(error, rc, NULL);
    }
    *ret_c = *c;
    *c = NULL;
    return 0;
}

const void *
vmp_columns_get(const vmp_columns *c, uint32_t index, uint64_t *ret_bytes)
{
    *ret_bytes = index < c->count ? c->at[index].size_bytes : 0;
    return index < c->count ? c->at[index].p : NULL;
}

void
vmp_columns_free(vmp_columns **c)
{
    for (uint32_t i = 0; *c && i < (*c)->count; i++)
        free((*c)->at[i].owned);
    free(*c);
    *c = NULL;
}
