/* The protocol and the pages' data of vmprof before 1.0: its clients upload as they always
 * did, and what asked its server for profiles gets the answers that it knows. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "http_internal.h"

enum { MAX_ARGV = 255, MAX_VM = 32, LIST_LIMIT = 100 };

/* The first bytes of a text, not cut within a character. */
static vmp_str
cut(vmp_str s, size_t most)
{
    if (s.n > most) {
        s.n = most;
        while (s.n > 0 && ((unsigned char)s.p[s.n] & 0xC0) == 0x80)
            s.n--;
    }
    return s;
}

static void
reply_ok(vmp_http_request *r, const char *key, const char *id)
{
    vmp_json j = vmp_http_reply_json(r, MHD_HTTP_OK);
    vmp_json_begin(&j, '{');
    vmp_json_put_str(&j, "status", vmp_str_from("ok"));
    if (key)
        vmp_json_put_str(&j, key, vmp_str_from(id));
    vmp_json_end(&j, '}');
}

int
vmp_old_run_new(vmp_http_request *r)
{
    vmp_store *store = r->server->options->store;
    char id[VMP_STORE_ID_SIZE];
    vmp_str key, argv = {"", 0}, vm = {"", 0};
    vmp_json_in in = vmp_http_body_json(r);
    vmp_json_in_open(&in);
    while (vmp_json_in_key(&in, &key)) {
        if (vmp_str_equal(key, vmp_str_from("argv")))
            vmp_json_in_str(&in, &argv);
        else if (vmp_str_equal(key, vmp_str_from("VM")))
            vmp_json_in_str(&in, &vm);
        else
            vmp_json_in_skip(&in);
    }
    if (!vmp_json_in_end(&in))
        return vmp_http_bad(r, "the body is not the JSON that is wanted: %s", in.error);
    int rc = store->ops->run_new(store, cut(argv, MAX_ARGV), cut(vm, MAX_VM), id, &r->err);
    if (rc == 0)
        reply_ok(r, "runtime_id", id);
    return rc;
}

static int
upload(vmp_http_request *r, vmp_store_item *item, vmp_store_run *run)
{
    bool is_new;
    vmp_store *store = r->server->options->store;
    int rc = store->ops->run_find(store, r->captured[0], run, &r->err);
    if (rc < 0)
        return rc;
    if (run->frozen)
        return vmp_http_bad(r, "the run is frozen: it takes no more");
    snprintf(item->run, sizeof(item->run), "%s", r->captured[0].p);
    item->argv = vmp_str_from(run->argv);
    item->vm = vmp_str_from(run->vm);
    return vmp_http_ingest(r, item, &is_new);
}

int
vmp_old_upload_cpu(vmp_http_request *r)
{
    vmp_store_run run;
    vmp_store_item item = {.kind = VMP_STORE_LOG};
    int rc = upload(r, &item, &run);
    if (rc == 0)
        reply_ok(r, NULL, NULL);
    return rc;
}

int
vmp_old_upload_jit(vmp_http_request *r)
{
    vmp_store_run run;
    vmp_store_item item = {.kind = VMP_STORE_JITLOG};
    int rc = upload(r, &item, &run);
    if (rc == 0)
        reply_ok(r, "jid", item.id);
    return rc;
}

int
vmp_old_freeze(vmp_http_request *r)
{
    vmp_store *store = r->server->options->store;
    int rc = store->ops->run_freeze(store, r->captured[0], &r->err);
    if (rc == 0)
        reply_ok(r, NULL, NULL);
    return rc;
}

/* ----------------------------------------------------------------- lists */

static void
put_time(vmp_json *j, const char *key, int64_t ns)
{
    char text[32];
    struct tm parts;
    time_t seconds = (time_t)(ns / 1000000000);
    vmp_json_key(j, key);
    if (ns <= 0 || !gmtime_r(&seconds, &parts) ||
        strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &parts) == 0)
        vmp_json_null(j);
    else
        vmp_json_str(j, vmp_str_from(text));
}

int
vmp_http_jitlog_of(vmp_http_request *r, const vmp_store_item *item, char ret_id[VMP_STORE_ID_SIZE])
{
    vmp_store *store = r->server->options->store;
    vmp_store_items *items = NULL;
    vmp_store_filter filter = {.run = vmp_str_from(item->run), .limit = LIST_LIMIT};
    ret_id[0] = '\0';
    if (item->run[0] == '\0')
        return 0;
    int rc = store->ops->list(store, &filter, &items, &r->err);
    for (size_t i = 0; rc == 0 && i < items->count && ret_id[0] == '\0'; i++)
        if (items->items[i].kind == VMP_STORE_JITLOG)
            memcpy(ret_id, items->items[i].id, VMP_STORE_ID_SIZE);
    vmp_store_items_free(&items);
    return rc;
}

static int
put_run(vmp_http_request *r, vmp_json *j, const vmp_store_item *item)
{
    char jitlog[VMP_STORE_ID_SIZE];
    int rc = vmp_http_jitlog_of(r, item, jitlog);
    if (rc < 0)
        return rc;
    char *argv = vmp_arena_copy(&r->arena, item->argv);
    if (!argv)
        return -VMP_ENOMEM;
    for (size_t i = 0; i < item->argv.n; i++)
        argv[i] = (char)(argv[i] == '\n' ? ' ' : argv[i]);
    vmp_json_begin(j, '{');
    vmp_json_key(j, "user");
    vmp_json_null(j);
    put_time(j, "created", item->received_ns);
    vmp_json_put_str(j, "vm", item->vm);
    vmp_json_put_str(j, "name", item->name.n ? item->name : (vmp_str){argv, item->argv.n});
    vmp_json_put_str(j, "runtime_id", vmp_str_from(item->id));
    put_time(j, "start_time", item->start_ns);
    put_time(j, "stop_time", item->end_ns);
    vmp_json_put_str(j, "arch", item->arch);
    vmp_json_put_str(j, "os", item->os);
    vmp_json_put_double(j, "time_in_seconds",
        item->end_ns > item->start_ns ? (double)(item->end_ns - item->start_ns) / 1e9 : 0);
    vmp_json_key(j, "jitlog_id");
    if (jitlog[0])
        vmp_json_str(j, vmp_str_from(jitlog));
    else
        vmp_json_null(j);
    vmp_json_end(j, '}');
    return 0;
}

/* The link to the next part of the list. */
static void
put_next(vmp_http_request *r, vmp_json *j, uint64_t next)
{
    vmp_out link;
    vmp_json_key(j, "next");
    if (!next) {
        vmp_json_null(j);
        return;
    }
    vmp_out_init(&link, -1);
    vmp_out_text(&link, "http://");
    vmp_out_str(&link, vmp_http_header(r, "Host"));
    vmp_out_printf(&link, "/api/log/?before=%llu", (unsigned long long)next);
    vmp_json_str(j, vmp_out_view(&link));
    vmp_out_drop(&link, &r->out);
}

int
vmp_old_list(vmp_http_request *r)
{
    vmp_store *store = r->server->options->store;
    vmp_store_filter filter = {.limit = LIST_LIMIT};
    vmp_store_items *items = NULL;
    uint64_t count = 0, bytes;
    vmp_str name, value;
    int more;
    /* Others, such as all=True, chose users once. */
    while ((more = vmp_http_query_next(&r->arena, &r->query, &name, &value)) != 0)
        if (more < 0 || (vmp_str_equal(name, vmp_str_from("before")) &&
                            (!vmp_http_uint(value, &filter.before) || filter.before > INT64_MAX)))
            return vmp_http_bad(r, "the query makes no sense");
    int rc = store->ops->totals(store, &count, &bytes, &r->err);
    if (rc == 0)
        rc = store->ops->list(store, &filter, &items, &r->err);
    if (!items)
        return rc;
    vmp_json j = vmp_http_reply_json(r, MHD_HTTP_OK);
    vmp_json_begin(&j, '{');
    vmp_json_put_uint(&j, "count", count);
    put_next(r, &j, items->next);
    vmp_json_key(&j, "previous");
    vmp_json_null(&j);
    vmp_json_key(&j, "results");
    vmp_json_begin(&j, '[');
    for (size_t i = 0; rc == 0 && i < items->count; i++)
        if (items->items[i].kind == VMP_STORE_LOG)
            rc = put_run(r, &j, &items->items[i]);
    vmp_json_end(&j, ']');
    vmp_json_end(&j, '}');
    vmp_store_items_free(&items);
    return rc;
}

int
vmp_old_get(vmp_http_request *r)
{
    vmp_store *store = r->server->options->store;
    vmp_store_items *items = NULL;
    int rc = store->ops->find(store, r->captured[0], &items, &r->err);
    if (rc < 0)
        return rc;
    vmp_json j = vmp_http_reply_json(r, MHD_HTTP_OK);
    rc = put_run(r, &j, &items->items[0]);
    vmp_store_items_free(&items);
    return rc;
}
