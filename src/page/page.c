#include "page.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "load.h"
#include "page_internal.h"
#include "page_jit.h"
#include "utf8.h"

/* Stands in the template where the log goes. */
static const char MARK[] = "<!--vmprof:log-->";

enum {
    GZIP_WINDOW = 15 + 16, /* the largest window, and gzip's header */
    MEMORY_LEVEL = 8,
    STEP = 512 << 10, /* bytes that deflate is given at once */
    PIECE = 48 << 10, /* of packed bytes; 3 divides it, so that base64 needs no padding inside */
};

/* Bytes of the log on their way into the page. */
typedef struct packer {
    z_stream z;
    vmp_out *out;
    bool looking;             /* whether packing is worth its time */
    size_t seen_in, seen_out; /* up to the last look */
    uint8_t packed[PIECE];
} packer;

/* Hands on what is packed, if the piece is full or the last. */
static void
hand_on(packer *k, bool last)
{
    if (k->z.avail_out > 0 && !last)
        return;
    vmp_out_base64(k->out, k->packed, PIECE - k->z.avail_out);
    k->z.next_out = k->packed;
    k->z.avail_out = PIECE;
}

/* Packs what is in z.next_in; flush: Z_NO_FLUSH or Z_FINISH. */
static void
pack(packer *k, int flush)
{
    int rc;
    do {
        rc = deflate(&k->z, flush);
        hand_on(k, rc == Z_STREAM_END);
    } while (flush == Z_FINISH ? rc != Z_STREAM_END : k->z.avail_in > 0);
}

/* The columns of samples are dense: packing them takes longer than sending them as they are.
 * From the first part on that packs to more than 3/5, all is sent so. */
static void
look(packer *k)
{
    size_t in = k->z.total_in - k->seen_in, out = k->z.total_out - k->seen_out;
    if (!k->looking || in < STEP)
        return;
    k->seen_in = k->z.total_in;
    k->seen_out = k->z.total_out;
    if (out / 3 < in / 5)
        return;
    k->looking = false;
    while (deflateParams(&k->z, Z_NO_COMPRESSION, Z_DEFAULT_STRATEGY) == Z_BUF_ERROR)
        hand_on(k, false);
    hand_on(k, false);
}

static int
put(void *ctx, const void *p, size_t n, vmp_err *err)
{
    packer *k = ctx;
    (void)err;
    for (size_t done = 0, step; done < n; done += step) {
        step = n - done < STEP ? n - done : STEP;
        k->z.next_in = (Bytef *)(uintptr_t)p + done;
        k->z.avail_in = (uInt)step;
        pack(k, Z_NO_FLUSH);
        look(k);
    }
    return 0;
}

static void
put_attribute(vmp_out *o, vmp_str s)
{
    for (size_t i = 0, n; i < s.n; i += n) {
        uint32_t c = vmp_utf8_decode(s.p + i, s.n - i, &n);
        if (c == '&' || c == '<' || c == '>' || c == '"' || c == '\'' || c < ' ')
            vmp_out_printf(o, "&#%u;", (unsigned)(c < ' ' ? 0xfffd : c));
        else if (c == VMP_UTF8_BAD)
            vmp_out_text(o, "&#65533;");
        else
            vmp_out_bytes(o, s.p + i, n);
    }
}

bool
vmp_page_is_there(void)
{
    return true;
}

static int
put_plain_log(const vmp_page_log *log, packer *k, vmp_err *err)
{
    return vmp_load_plain(log->p, log->n, put, k, err);
}

static int
put_jit(const vmp_page_log *log, packer *k, vmp_err *err)
{
    int rc = vmp_page_jit(log->jit, log->profile, put, k, err);
    return rc == -VMP_ENOMEM ? vmp_err_set(err, VMP_ENOMEM, 0, 0, "%s", vmp_err_text(VMP_ENOMEM))
                             : rc;
}

/* An element that has what `produce` puts into it, packed. */
static int
put_packed(vmp_out *out, const char *class, vmp_str name, const vmp_page_log *log,
    int (*produce)(const vmp_page_log *log, packer *k, vmp_err *err), vmp_err *err)
{
    packer *k = calloc(1, sizeof(*k));
    if (!k || deflateInit2(&k->z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, GZIP_WINDOW, MEMORY_LEVEL,
                  Z_DEFAULT_STRATEGY) != Z_OK) {
        free(k);
        return vmp_err_set(err, VMP_ENOMEM, 0, 0, "%s", vmp_err_text(VMP_ENOMEM));
    }
    k->out = out;
    k->looking = log->quick;
    k->z.next_out = k->packed;
    k->z.avail_out = PIECE;
    vmp_out_text(out, "<script type=\"application/octet-stream\" class=\"");
    vmp_out_text(out, class);
    vmp_out_text(out, "\" data-name=\"");
    put_attribute(out, name);
    if (log->home.n) {
        vmp_out_text(out, "\" data-home=\"");
        put_attribute(out, log->home);
    }
    vmp_out_text(out, "\">");
    int rc = produce(log, k, err);
    if (rc == 0)
        pack(k, Z_FINISH);
    vmp_out_text(out, "</script>");
    deflateEnd(&k->z);
    free(k);
    return rc;
}

/* The elements of a log. */
static int
put_log(vmp_out *out, const vmp_page_log *log, vmp_err *err)
{
    int rc = log->p ? put_packed(out, "log", log->name, log, put_plain_log, err) : 0;
    if (rc == 0 && log->source.n) {
        vmp_out_text(out, "<script type=\"application/json\" class=\"source\">");
        vmp_out_str(out, log->source);
        vmp_out_text(out, "</script>");
    }
    if (rc == 0 && log->jit)
        rc = put_packed(out, "jit", log->jit_name, log, put_jit, err);
    return rc;
}

int
vmp_page_write(vmp_out *out, const vmp_page_log *logs, size_t count, vmp_err *err)
{
    vmp_str page = vmp_page_template();
    size_t before = (size_t)(strstr(page.p, MARK) - page.p);
    int rc = 0;
    vmp_out_bytes(out, page.p, before);
    for (size_t i = 0; i < count && rc == 0; i++)
        rc = put_log(out, &logs[i], err);
    before += sizeof(MARK) - 1;
    vmp_out_bytes(out, page.p + before, page.n - before);
    return rc;
}
