/* The viewer's page of a profile, which has the log in it, and perhaps an earlier
 * one to compare it with. */
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

/* One log of the page, and what it owns. */
typedef struct viewed {
    vmp_buf bytes;
    vmp_jitlog *jit;
    vmp_profile *profile;
    vmp_page_log log;
} viewed;

static int
view(vmp_http_request *r, const vmp_store_item *item, viewed *v)
{
    vmp_str name = title(r, item);
    int rc = name.p ? gather(r, item, &v->bytes) : -VMP_ENOMEM;
    v->log = (vmp_page_log){.name = name, .p = v->bytes.p, .n = v->bytes.n, .quick = true};
    return rc;
}

static int
view_jit(vmp_http_request *r, const vmp_store_item *item, viewed *v)
{
    int rc = add_jitlog(r, item, &v->bytes, &v->jit, &v->profile);
    v->log.jit = v->jit;
    v->log.jit_name = v->log.name;
    v->log.profile = v->profile;
    return rc;
}

static void
view_fini(viewed *v)
{
    vmp_profile_free(&v->profile);
    vmp_jitlog_free(&v->jit);
    vmp_buf_fini(&v->bytes);
}

/* `before`: NULL, or what to compare with. */
static int
put_page(vmp_http_request *r, const vmp_store_item *item, const vmp_store_item *before)
{
    viewed v[2] = {0};
    int rc = view(r, item, &v[0]);
    if (rc == 0)
        rc = view_jit(r, item, &v[0]);
    if (rc == 0 && before)
        rc = view(r, before, &v[1]);
    v[0].log.home = vmp_str_from("/");
    if (rc == 0)
        rc = vmp_page_write(&r->out, (vmp_page_log[]){v[0].log, v[1].log}, before ? 2 : 1, &r->err);
    view_fini(&v[0]);
    view_fini(&v[1]);
    return rc;
}

/* The log of an id. */
static int
find_log(vmp_http_request *r, vmp_str id, vmp_store_items **ret)
{
    vmp_store *store = r->server->options->store;
    int rc = store->ops->find(store, id, ret, &r->err);
    if (rc == 0 && (*ret)->items[0].kind != VMP_STORE_LOG)
        rc = vmp_http_bad(r, "this is a jitlog, which has no page");
    return rc;
}

/* The query: `before`, an id, and nothing else. */
static int
read_before(vmp_http_request *r, vmp_str *ret)
{
    vmp_str name, value;
    int more;
    while ((more = vmp_http_query_next(&r->arena, &r->query, &name, &value)) != 0) {
        if (more < 0)
            return vmp_http_bad(r, "the query is not well encoded UTF-8");
        if (!vmp_str_equal(name, vmp_str_from("before")))
            return vmp_http_bad(r, "the query may have before");
        if (value.n == 0)
            return vmp_http_bad(r, "before is the id of a profile");
        *ret = value;
    }
    return 0;
}

int
vmp_page_viewer(vmp_http_request *r)
{
    vmp_store_items *items = NULL, *befores = NULL;
    vmp_str before = {0};
    if (!vmp_page_is_there())
        return vmp_err_set(&r->err, VMP_ENOTFOUND, 0, 0, "this build has no viewer");
    int rc = read_before(r, &before);
    if (rc == 0)
        rc = find_log(r, r->captured[0], &items);
    if (rc == 0 && before.n)
        rc = find_log(r, before, &befores);
    if (rc == 0) {
        vmp_http_loading_begin(r->server);
        rc = put_page(r, &items->items[0], befores ? &befores->items[0] : NULL);
        vmp_http_loading_end(r->server);
    }
    vmp_store_items_free(&items);
    vmp_store_items_free(&befores);
    if (rc == 0) {
        r->status = MHD_HTTP_OK;
        r->type = "text/html; charset=utf-8";
        r->page = VMP_HTTP_VIEWER;
    }
    return rc;
}
