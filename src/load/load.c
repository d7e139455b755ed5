/* Which loader reads a log. A further kind of log is one more file and one more
 * test of the first bytes here; what is of no known kind goes to the reader of
 * vmprof's own log, whose error says what the bytes look like. */
#include "load.h"

#include "load_internal.h"
#include "load_unzip.h"
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

/* Takes *bytes, of which the first are there. */
static int
load_unpacked(vmp_profile **ret_p, vmp_in *bytes, const vmp_load_options *options, vmp_err *err)
{
    if (!vmp_log_is_old(bytes->p, bytes->n))
        return vmp_load_log(ret_p, bytes, options, err);
    int rc = vmp_load_legacy(ret_p, bytes, options, err);
    vmp_in_fini(bytes);
    return rc;
}

static int
load_packed(vmp_profile **ret_p, vmp_in *packed, const vmp_load_options *options, vmp_err *err)
{
    packed_progress progress = {packed, options};
    vmp_load_options inner = *options;
    vmp_unzip *unzip = NULL;
    int rc = vmp_unzip_open(&unzip, packed, err);
    if (rc < 0)
        return rc;
    if (options->progress) {
        inner.progress = on_progress;
        inner.progress_ctx = &progress;
    }
    vmp_in bytes = vmp_in_from(vmp_unzip_read, unzip);
    rc = vmp_in_fill(&bytes, VMP_LOG_SNIFF_BYTES, err);
    if (rc == 0)
        rc = load_unpacked(ret_p, &bytes, &inner, err);
    vmp_in_fini(&bytes);
    vmp_unzip_close(&unzip);
    return rc;
}

static int
load(vmp_profile **ret_p, vmp_in *bytes, const vmp_load_options *options, vmp_err *err)
{
    int rc = vmp_in_fill(bytes, VMP_LOG_SNIFF_BYTES, err);
    if (rc == 0 && is_gzip(bytes))
        rc = load_packed(ret_p, bytes, options ? options : &defaults, err);
    else if (rc == 0)
        rc = load_unpacked(ret_p, bytes, options ? options : &defaults, err);
    vmp_in_fini(bytes);
    return rc;
}

int
vmp_load_fd(vmp_profile **ret_p, int fd, const vmp_load_options *options, vmp_err *err)
{
    vmp_in bytes = vmp_log_in_fd(fd);
    return load(ret_p, &bytes, options, err);
}

int
vmp_load_bytes(
    vmp_profile **ret_p, const void *p, size_t n, const vmp_load_options *options, vmp_err *err)
{
    vmp_in bytes = vmp_in_bytes(p, n);
    return load(ret_p, &bytes, options, err);
}
