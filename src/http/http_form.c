#include "http_form.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { PIECE = 64 << 10 };

struct vmp_http_form {
    struct MHD_PostProcessor *processor;
    vmp_spool *to;
    bool found;
    uint64_t taken; /* bytes of the file */
    int rc;         /* 0, or the first error */
    vmp_err *err;
};

static enum MHD_Result
take_field(void *ctx, enum MHD_ValueKind kind, const char *key, const char *file, const char *type,
    const char *encoding, const char *data, uint64_t offset, size_t n)
{
    vmp_http_form *f = ctx;
    (void)kind;
    (void)file;
    (void)type;
    (void)encoding;
    if (!key || strcmp(key, "file") != 0)
        return MHD_YES;
    f->found = true;
    if (offset < f->taken)
        f->rc = vmp_err_set(f->err, VMP_EINVAL, 0, 0, "the form has two fields 'file'");
    else
        f->rc = vmp_spool_put(f->to, data, n, f->err);
    f->taken += n;
    return f->rc < 0 ? MHD_NO : MHD_YES;
}

int
vmp_http_form_new(
    vmp_http_form **ret_f, struct MHD_Connection *connection, vmp_spool *to, vmp_err *err)
{
    static const char kind[] = "multipart/form-data";
    const char *type = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Content-Type");
    if (!type || strncasecmp(type, kind, sizeof(kind) - 1) != 0)
        return 0;
    vmp_http_form *f = calloc(1, sizeof(*f));
    if (!f)
        return vmp_err_set(err, VMP_ENOMEM, 0, 0, "out of memory");
    errno = 0; /* alone tells a lack of memory from a boundary that is missing or too long */
    f->processor = MHD_create_post_processor(connection, PIECE, take_field, f);
    if (!f->processor) {
        bool memory = errno == ENOMEM;
        free(f);
        return memory ? vmp_err_set(err, VMP_ENOMEM, 0, 0, "out of memory")
                      : vmp_err_set(err, VMP_EINVAL, 0, 0,
                            "the form tells no usable boundary of its fields");
    }
    f->to = to;
    *ret_f = f;
    return 0;
}

static int
no_form(vmp_err *err)
{
    return vmp_err_set(err, VMP_EINVAL, 0, 0, "the form cannot be read, or has no field 'file'");
}

int
vmp_http_form_put(vmp_http_form *f, const void *p, size_t n, vmp_err *err)
{
    f->err = err;
    if (MHD_post_process(f->processor, p, n) == MHD_YES && f->rc == 0)
        return 0;
    return f->rc < 0 ? f->rc : no_form(err);
}

int
vmp_http_form_end(vmp_http_form *f, vmp_err *err)
{
    f->err = err;
    enum MHD_Result whole = MHD_destroy_post_processor(f->processor);
    f->processor = NULL;
    if (f->rc < 0)
        return f->rc;
    return whole == MHD_YES && f->found ? 0 : no_form(err);
}

void
vmp_http_form_free(vmp_http_form **f)
{
    if (*f && (*f)->processor)
        MHD_destroy_post_processor((*f)->processor);
    free(*f);
    *f = NULL;
}
