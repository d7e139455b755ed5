/* The viewer's page of a profile, which has the log in it. */
#include "buf.h"
#include "http_internal.h"
#include "page.h"

/* All bytes of a spool in memory: where they are, or read into `buf`. */
static int
gather(vmp_http_request *r, vmp_spool *spool, vmp_buf *buf, vmp_str *ret_all)
{
    int fd, rc = 0;
    uint64_t size = vmp_spool_size(spool);
    *ret_all = vmp_spool_bytes(spool, &fd);
    if (ret_all->p)
        return 0;
    if (size > SIZE_MAX || !vmp_buf_reserve(buf, (size_t)size))
        return -VMP_ENOMEM;
    for (size_t got = 1; rc == 0 && got > 0 && buf->n < size; buf->n += got)
        rc = vmp_spool_read(spool, buf->n, buf->p + buf->n, (size_t)size - buf->n, &got, &r->err);
    *ret_all = (vmp_str){(const char *)buf->p, buf->n};
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

static int
put_page(vmp_http_request *r, const vmp_store_item *item)
{
    vmp_spool *spool = NULL;
    vmp_buf buf = {0};
    vmp_str log, name = title(r, item);
    int rc = name.p ? vmp_http_fetch(r, vmp_str_from(item->id), &spool) : -VMP_ENOMEM;
    if (rc == 0)
        rc = gather(r, spool, &buf, &log);
    if (rc == 0)
        rc = vmp_page_write(
            &r->out, &(vmp_page_log){.name = name, .p = log.p, .n = log.n}, 1, &r->err);
    vmp_buf_fini(&buf);
    vmp_spool_free(&spool);
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
