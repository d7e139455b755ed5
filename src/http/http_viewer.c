/* The viewer's page of a profile, which has the log in it. */
#include "buf.h"
#include "http_internal.h"
#include "load.h"
#include "page.h"

/* All bytes of an item. */
static int
gather(vmp_http_request *r, const vmp_store_item *item, vmp_buf *buf)
{
    vmp_store *store = r->server->options->store;
    size_t size = (size_t)item->size_bytes, got = 1;
    int rc = size == item->size_bytes && vmp_buf_reserve(buf, size) ? 0 : -VMP_ENOMEM;
    while (rc == 0 && got > 0 && buf->n < size) {
        rc = store->ops->read(
            store, vmp_str_from(item->id), buf->n, buf->p + buf->n, size - buf->n, &got, &r->err);
        buf->n += rc == 0 ? got : 0;
    }
    return rc;
}

/* What the page calls it: as the list does. */
static vmp_str
title(vmp_http_request *r, const vmp_store_item *item)
{
    vmp_str s = item->name.n ? item->name : item->argv.n ? item->argv : vmp_str_from(item->id);
    char *copy = vmp_arena_copy(&r->arena, s);
    for (size_t i = 0; copy && i < s.n; i++)
        copy[i] = (char)(copy[i] == '\n' ? ' ' : copy[i]);
    return (vmp_str){copy, s.n};
}

/* The jitlog of the same run, and what of the log belongs to it; none is no error. */
static int
add_jitlog(vmp_http_request *r, const vmp_store_item *item, const vmp_buf *log, vmp_jitlog **ret_j,
    vmp_profile **ret_p)
{
    char id[VMP_STORE_ID_SIZE];
    int rc = vmp_http_jitlog_of(r, item, id);
    if (rc < 0 || id[0] == '\0')
        return rc;
    rc = vmp_http_jitlog(r, vmp_str_from(id), ret_j);
    if (rc == -VMP_ENOTFOUND) { /* deleted meanwhile */
        r->err = (vmp_err){0};
        return 0;
    }
    if (rc == 0)
        rc = vmp_load_bytes(ret_p, log->p, log->n, NULL, &r->err);
    return rc;
}

static int
put_page(vmp_http_request *r, const vmp_store_item *item)
{
    vmp_buf log = {0};
    vmp_jitlog *jit = NULL;
    vmp_profile *profile = NULL;
    vmp_str name = title(r, item);
    int rc = name.p ? gather(r, item, &log) : -VMP_ENOMEM;
    if (rc == 0)
        rc = add_jitlog(r, item, &log, &jit, &profile);
    if (rc == 0)
        rc = vmp_page_write(&r->out,
            &(vmp_page_log){.name = name,
                .p = log.p,
                .n = log.n,
                .quick = true,
                .jit = jit,
                .jit_name = name,
                .profile = profile},
            1, &r->err);
    vmp_profile_free(&profile);
    vmp_jitlog_free(&jit);
    vmp_buf_fini(&log);
    return rc;
}

int
vmp_page_viewer(vmp_http_request *r)
{
    vmp_store *store = r->server->options->store;
    vmp_store_items *items = NULL;
    if (!vmp_page_is_there())
        return vmp_err_set(&r->err, VMP_ENOTFOUND, 0, 0, "this build has no viewer");
    int rc = store->ops->find(store, r->captured[0], &items, &r->err);
    if (rc == 0 && items->items[0].kind != VMP_STORE_LOG)
        rc = vmp_http_bad(r, "this is a jitlog, which has no page");
    if (rc == 0) {
        vmp_http_loading_begin(r->server);
        rc = put_page(r, &items->items[0]);
        vmp_http_loading_end(r->server);
    }
    vmp_store_items_free(&items);
    if (rc == 0) {
        r->status = MHD_HTTP_OK;
        r->type = "text/html; charset=utf-8";
        r->page = VMP_HTTP_VIEWER;
    }
    return rc;
}
