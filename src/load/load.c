/* Which loader reads a log. A further kind of log is one more file and one more
 * test of the first bytes here; what is of no known kind goes to the reader of
 * vmprof's own log, whose error says what the bytes look like. */
#include "load.h"

#include "load_internal.h"
#include "load_unzip.h"
#include "log_plain.h"
#include "log_reader.h"
#include "log_sniff.h"

static const vmp_load_options defaults = {0};

static bool
is_gzip(const vmp_in *in)
{
    return in->n > 2 && in->p[0] == 0x1f && in->p[1] == 0x8b && in->p[2] == 8;
}

/* Progress in bytes of the file, not of what is unpacked. */
typedef struct packed_progress {
    const vmp_in *packed;
    const vmp_load_options *options;
} packed_progress;

static void
on_progress(void *ctx, uint64_t bytes_done)
{
    const packed_progress *p = ctx;
    (void)bytes_done;
    p->options->progress(p->options->progress_ctx, p->packed->offset);
}

/* What is done with the bytes of a log: `put` NULL, a profile is made of them. */
typedef struct job {
    vmp_profile **ret_p;
    const vmp_load_options *options;
    vmp_load_put *put;
    void *put_ctx;
} job;

static int
put_all(vmp_in *bytes, const job *j, vmp_err *err)
{
    int rc = 0;
    while (rc == 0 && bytes->n > 0) {
        rc = j->put(j->put_ctx, bytes->p, bytes->n, err);
        vmp_in_take(bytes, bytes->n);
        if (rc == 0)
            rc = vmp_in_fill(bytes, 1, err);
    }
    return rc;
}

/* Takes *bytes, of which the first are there. */
static int
load_unpacked(const job *j, vmp_in *bytes, vmp_err *err)
{
    if (!vmp_log_is_old(bytes->p, bytes->n))
        return j->put ? vmp_log_plain(bytes, j->put, j->put_ctx, err)
                      : vmp_load_log(j->ret_p, bytes, j->options, err);
    int rc = j->put ? put_all(bytes, j, err) : vmp_load_legacy(j->ret_p, bytes, j->options, err);
    vmp_in_fini(bytes);
    return rc;
}

static int
load_packed(const job *j, vmp_in *packed, vmp_err *err)
{
    packed_progress progress = {packed, j->options};
    vmp_load_options inner = *j->options;
    job unpacked = *j;
    vmp_unzip *unzip = NULL;
    int rc = vmp_unzip_open(&unzip, packed, err);
    if (rc < 0)
        return rc;
    unpacked.options = &inner;
    if (inner.progress) {
        inner.progress = on_progress;
        inner.progress_ctx = &progress;
    }
    vmp_in bytes = vmp_in_from(vmp_unzip_read, unzip);
    rc = vmp_in_fill(&bytes, VMP_LOG_SNIFF_BYTES, err);
    if (rc == 0)
        rc = load_unpacked(&unpacked, &bytes, err);
    vmp_in_fini(&bytes);
    vmp_unzip_close(&unzip);
    return rc;
}

static int
load(const job *j, vmp_in *bytes, vmp_err *err)
{
    int rc = vmp_in_fill(bytes, VMP_LOG_SNIFF_BYTES, err);
    if (rc == 0 && is_gzip(bytes))
        rc = load_packed(j, bytes, err);
    else if (rc == 0)
        rc = load_unpacked(j, bytes, err);
    vmp_in_fini(bytes);
    return rc;
}

int
vmp_load_fd(vmp_profile **ret_p, int fd, const vmp_load_options *options, vmp_err *err)
{
    vmp_in bytes = vmp_log_in_fd(fd);
    job j = {.ret_p = ret_p, .options = options ? options : &defaults};
    return load(&j, &bytes, err);
}

int
vmp_load_bytes(
    vmp_profile **ret_p, const void *p, size_t n, const vmp_load_options *options, vmp_err *err)
{
    vmp_in bytes = vmp_in_bytes(p, n);
    job j = {.ret_p = ret_p, .options = options ? options : &defaults};
    return load(&j, &bytes, err);
}

int
vmp_load_plain(const void *p, size_t n, vmp_load_put *put, void *ctx, vmp_err *err)
{
    vmp_in bytes = vmp_in_bytes(p, n);
    job j = {.options = &defaults, .put = put, .put_ctx = ctx};
    return load(&j, &bytes, err);
}
