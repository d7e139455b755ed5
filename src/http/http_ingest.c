/* Logs that come, and logs that are shown. */
#include <string.h>

#include "http_internal.h"
#include "jitlog.h"
#include "load.h"
#include "load_unzip.h"
#include "report.h"

void
vmp_http_loading_begin(vmp_http *h)
{
    pthread_mutex_lock(&h->loading);
    while (h->loaders == VMP_HTTP_LOADERS)
        pthread_cond_wait(&h->loaded, &h->loading);
    h->loaders++;
    pthread_mutex_unlock(&h->loading);
}

void
vmp_http_loading_end(vmp_http *h)
{
    pthread_mutex_lock(&h->loading);
    h->loaders--;
    pthread_cond_signal(&h->loaded);
    pthread_mutex_unlock(&h->loading);
}

static int
load(vmp_spool *bytes, const vmp_load_options *options, vmp_profile **ret_p, vmp_err *err)
{
    int fd;
    vmp_str memory = vmp_spool_bytes(bytes, &fd);
    return memory.p ? vmp_load_bytes(ret_p, memory.p, memory.n, options, err)
                    : vmp_load_fd(ret_p, fd, options, err);
}

/* A vmp_in_read over a spool. */
typedef struct spool_input {
    const vmp_spool *spool;
    uint64_t offset;
} spool_input;

static int
read_spool(void *ctx, uint8_t *p, size_t cap, size_t *ret_got, vmp_err *err)
{
    spool_input *in = ctx;
    int rc = vmp_spool_read(in->spool, in->offset, p, cap, ret_got, err);
    if (rc == 0)
        in->offset += *ret_got;
    return rc;
}

/* Unpacks at most `limit` bytes into another spool. */
static int
unpack(const vmp_http_request *r, const vmp_spool *packed, vmp_spool **ret_plain, vmp_err *err)
{
    enum { PIECE = 64 << 10 };
    spool_input input = {packed, 0};
    vmp_in in = vmp_in_from(read_spool, &input);
    vmp_unzip *unzip = NULL;
    vmp_spool *plain = NULL;
    uint8_t *piece = vmp_arena_alloc((vmp_arena *)&r->arena, PIECE);
    int rc = piece ? vmp_spool_new(&plain, r->server->options->store->folder, err)
                   : vmp_err_set(err, VMP_ENOMEM, 0, 0, "out of memory");
    if (rc == 0)
        rc = vmp_unzip_open(&unzip, &in, err);
    for (size_t got = 1; rc == 0 && got > 0;) {
        rc = vmp_unzip_read(unzip, piece, PIECE, &got, err);
        if (rc == 0 && vmp_spool_size(plain) + got > r->server->options->max_upload_bytes)
            rc = vmp_err_set(err, VMP_ELIMIT, 0, 0, "unpacked it is larger than what is taken");
        if (rc == 0)
            rc = vmp_spool_put(plain, piece, got, err);
    }
    vmp_unzip_close(&unzip);
    vmp_in_fini(&in);
    if (rc < 0)
        vmp_spool_free(&plain);
    else
        *ret_plain = plain;
    return rc;
}

static bool
is_gzip(const vmp_spool *bytes)
{
    uint8_t head[2];
    size_t got;
    return vmp_spool_read(bytes, 0, head, sizeof(head), &got, NULL) == 0 && got == sizeof(head) &&
           head[0] == 0x1f && head[1] == 0x8b;
}

static int
read_jitlog(const vmp_http_request *r, vmp_spool *bytes, vmp_jitlog **ret_j, vmp_err *err)
{
    vmp_spool *plain = NULL;
    int fd, rc = is_gzip(bytes) ? unpack(r, bytes, &plain, err) : 0;
    if (rc < 0)
        return rc;
    vmp_str memory = vmp_spool_bytes(plain ? plain : bytes, &fd);
    rc = memory.p ? vmp_jitlog_read_bytes(ret_j, memory.p, memory.n, err)
                  : vmp_jitlog_read_fd(ret_j, fd, err);
    vmp_spool_free(&plain);
    return rc;
}

/* Takes a copy of a text that the log has; what is too long for the store is cut between
 * characters. */
static bool
keep_text(vmp_http_request *r, vmp_str *to, vmp_str from)
{
    if (from.n == 0)
        return true;
    if (from.n > VMP_STORE_MAX_TEXT) {
        from.n = VMP_STORE_MAX_TEXT;
        while (from.n > 0 && ((unsigned char)from.p[from.n] & 0xC0) == 0x80)
            from.n--;
    }
    *to = (vmp_str){vmp_arena_copy(&r->arena, from), from.n};
    return to->p != NULL;
}

static bool
keep_vm(vmp_http_request *r, vmp_store_item *item, const vmp_report_info *info)
{
    vmp_out vm;
    vmp_out_init(&vm, -1);
    vmp_out_str(&vm, info->implementation);
    if (info->implementation.n && info->python.n)
        vmp_out_text(&vm, " ");
    vmp_out_str(&vm, info->python);
    bool kept = vm.rc == 0 && keep_text(r, &item->vm, (vmp_str){vm.p ? vm.p : "", vm.n});
    vmp_out_fini(&vm);
    return kept;
}

static int
describe(vmp_http_request *r, vmp_store_item *item, const vmp_profile *p)
{
    vmp_report_info *info = NULL;
    int rc = vmp_report_info_new(&info, p);
    if (rc < 0)
        return rc;
    item->kind = VMP_STORE_LOG;
    item->start_ns = info->start_unix_ns;
    item->end_ns = info->end_unix_ns;
    item->cpu_seconds = info->cpu_seconds;
    item->samples = info->samples;
    item->cut = info->cut;
    bool kept = keep_text(r, &item->argv, info->argv) && keep_text(r, &item->host, info->host) &&
                keep_text(r, &item->os, info->os) && keep_text(r, &item->arch, info->arch) &&
                keep_vm(r, item, info);
    vmp_report_info_free(&info);
    return kept ? 0 : -VMP_ENOMEM;
}

static int
look_at_jitlog(vmp_http_request *r, vmp_store_item *item, vmp_err *err)
{
    vmp_jitlog *j = NULL;
    int rc = read_jitlog(r, r->body, &j, err);
    if (rc < 0)
        return rc;
    item->kind = VMP_STORE_JITLOG;
    item->cut = j->cut;
    item->arch = vmp_jitlog_text(j, j->machine);
    item->arch.p = vmp_arena_copy(&r->arena, item->arch);
    vmp_jitlog_free(&j);
    return item->arch.p ? 0 : -VMP_ENOMEM;
}

/* What the body is, as far as item->kind does not tell (0): then the message of the loader
 * of profiles counts where it is neither. */
static int
look_at(vmp_http_request *r, vmp_store_item *item)
{
    vmp_profile *p = NULL;
    bool may_be_either = item->kind == 0;
    if (item->kind == VMP_STORE_JITLOG)
        return look_at_jitlog(r, item, &r->err);
    int rc = load(r->body, NULL, &p, &r->err);
    if (rc == 0)
        rc = describe(r, item, p);
    vmp_profile_free(&p);
    if (rc == -VMP_EFORMAT && may_be_either && look_at_jitlog(r, item, NULL) == 0)
        return 0;
    return rc;
}

int
vmp_http_ingest(vmp_http_request *r, vmp_store_item *item, bool *ret_new)
{
    vmp_store *store = r->server->options->store;
    vmp_http_loading_begin(r->server);
    int rc = look_at(r, item);
    vmp_http_loading_end(r->server);
    if (rc < 0)
        return rc;
    r->err = (vmp_err){0};
    rc = store->ops->put(store, item, r->body, item->id, ret_new, &r->err);
    if (rc == 0) {
        atomic_fetch_add(&r->server->uploads, 1);
        atomic_fetch_add(&r->server->uploaded_bytes, vmp_spool_size(r->body));
    }
    return rc;
}

int
vmp_http_fetch(vmp_http_request *r, vmp_str id, vmp_spool **ret_bytes)
{
    enum { PIECE = 64 << 10 };
    vmp_store *store = r->server->options->store;
    uint8_t *piece = vmp_arena_alloc(&r->arena, PIECE);
    int rc = piece ? vmp_spool_new(ret_bytes, store->folder, &r->err) : -VMP_ENOMEM;
    uint64_t at = 0;
    for (size_t got = 1; rc == 0 && got > 0; at += got) {
        rc = store->ops->read(store, id, at, piece, PIECE, &got, &r->err);
        if (rc == 0)
            rc = vmp_spool_put(*ret_bytes, piece, got, &r->err);
    }
    return rc;
}

/* The item's kind. */
static int
find_kind(vmp_http_request *r, vmp_str id, enum vmp_store_kind *ret_kind)
{
    vmp_store *store = r->server->options->store;
    vmp_store_items *items = NULL;
    int rc = store->ops->find(store, id, &items, &r->err);
    if (rc == 0)
        *ret_kind = items->items[0].kind;
    vmp_store_items_free(&items);
    return rc;
}

static int
is_jitlog(vmp_http_request *r)
{
    return vmp_http_bad(r, "this is a jitlog, which has no views");
}

int
vmp_http_load_samples(vmp_http_request *r, vmp_str id, vmp_profile **ret_p)
{
    enum vmp_store_kind kind = VMP_STORE_LOG;
    vmp_spool *bytes = NULL;
    int rc = find_kind(r, id, &kind);
    if (rc == 0 && kind != VMP_STORE_LOG)
        rc = is_jitlog(r);
    if (rc == 0)
        rc = vmp_http_fetch(r, id, &bytes);
    if (rc == 0)
        rc = load(bytes, &(vmp_load_options){.keep_samples = true}, ret_p, &r->err);
    vmp_spool_free(&bytes);
    return rc;
}

int
vmp_http_jitlog(vmp_http_request *r, vmp_str id, vmp_jitlog **ret_j)
{
    enum vmp_store_kind kind = VMP_STORE_JITLOG;
    vmp_spool *bytes = NULL;
    int rc = find_kind(r, id, &kind);
    if (rc == 0 && kind != VMP_STORE_JITLOG)
        rc = vmp_http_bad(r, "this is a log of samples, not a jitlog");
    if (rc == 0)
        rc = vmp_http_fetch(r, id, &bytes);
    if (rc == 0)
        rc = read_jitlog(r, bytes, ret_j, &r->err);
    vmp_spool_free(&bytes);
    return rc;
}

int
vmp_http_profile(vmp_http_request *r, vmp_str id, const vmp_profile **ret_p)
{
    enum vmp_store_kind kind = VMP_STORE_LOG;
    vmp_http *h = r->server;
    vmp_spool *bytes = NULL;
    vmp_profile *loaded = NULL;
    int rc = find_kind(r, id, &kind);
    if (rc < 0)
        return rc;
    if (kind != VMP_STORE_LOG)
        return is_jitlog(r);
    *ret_p = vmp_http_cache_get(h->cache, id);
    if (*ret_p)
        return 0;
    vmp_http_loading_begin(h);
    /* Another thread may have been about the same profile. */
    *ret_p = vmp_http_cache_get(h->cache, id);
    if (!*ret_p) {
        rc = vmp_http_fetch(r, id, &bytes);
        if (rc == 0)
            rc = load(bytes, NULL, &loaded, &r->err);
        vmp_spool_free(&bytes);
        if (rc == 0) {
            *ret_p = vmp_http_cache_put(h->cache, id, &loaded);
            rc = *ret_p ? 0 : -VMP_ENOMEM;
        }
    }
    vmp_http_loading_end(h);
    return rc;
}
