/* /api/v1/profiles */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "http_internal.h"
#include "page.h"

enum { DEFAULT_LIMIT = 50, MAX_LIMIT = 500, MAX_VIEW_ARGS = 64 };

static void
put_sha256(vmp_json *j, const uint8_t *sha256)
{
    char text[2 * VMP_SPOOL_SHA256 + 1];
    for (size_t i = 0; i < VMP_SPOOL_SHA256; i++)
        snprintf(text + 2 * i, 3, "%02x", sha256[i]);
    vmp_json_put_str(j, "sha256", vmp_str_from(text));
}

/* Where the viewer shows it; null: nowhere. */
static void
put_viewer(vmp_json *j, const vmp_store_item *item)
{
    char path[sizeof("/profiles/") + VMP_STORE_ID_SIZE];
    snprintf(path, sizeof(path), "/profiles/%s", item->id);
    vmp_json_key(j, "viewer");
    if (item->kind == VMP_STORE_LOG && vmp_page_is_there())
        vmp_json_str(j, vmp_str_from(path));
    else
        vmp_json_null(j);
}

/* The members of an item, within an object that is open. */
static void
put_item(vmp_json *j, const vmp_store_item *item)
{
    vmp_json_put_str(j, "id", vmp_str_from(item->id));
    vmp_json_put_str(j, "kind", vmp_str_from(item->kind == VMP_STORE_LOG ? "log" : "jitlog"));
    vmp_json_key(j, "run");
    if (item->run[0])
        vmp_json_str(j, vmp_str_from(item->run));
    else
        vmp_json_null(j);
    vmp_json_put_str(j, "name", item->name);
    vmp_json_put_lines(j, "argv", item->argv);
    vmp_json_put_str(j, "host", item->host);
    vmp_json_put_str(j, "vm", item->vm);
    vmp_json_put_str(j, "os", item->os);
    vmp_json_put_str(j, "arch", item->arch);
    vmp_json_put_double(j, "received_unix", (double)item->received_ns / 1e9);
    vmp_json_put_double(j, "start_unix", (double)item->start_ns / 1e9);
    vmp_json_put_double(j, "end_unix", (double)item->end_ns / 1e9);
    vmp_json_put_double(j, "cpu_seconds", item->cpu_seconds);
    vmp_json_put_uint(j, "samples", item->samples);
    vmp_json_put_bool(j, "cut", item->cut);
    put_viewer(j, item);
    vmp_json_put_uint(j, "bytes", item->size_bytes);
    put_sha256(j, item->sha256);
    vmp_json_key(j, "labels");
    vmp_json_begin(j, '{');
    for (size_t i = 0; i < item->label_count; i++) {
        vmp_json_key_str(j, item->labels[i].key);
        vmp_json_str(j, item->labels[i].value);
    }
    vmp_json_end(j, '}');
}

/* Replies with one item; is_new: NULL, or what its member "new" says. */
static int
reply_item(vmp_http_request *r, int status, vmp_str id, const bool *is_new)
{
    vmp_store *store = r->server->options->store;
    vmp_store_items *items = NULL;
    int rc = store->ops->find(store, id, &items, &r->err);
    if (rc < 0)
        return rc;
    vmp_json j = vmp_http_reply_json(r, status);
    vmp_json_begin(&j, '{');
    if (is_new)
        vmp_json_put_bool(&j, "new", *is_new);
    put_item(&j, &items->items[0]);
    vmp_json_end(&j, '}');
    vmp_out_text(&r->out, "\n");
    vmp_store_items_free(&items);
    return 0;
}

/* Labels that were given, with room for one more. -VMP_EINVAL. */
static int
add_label(vmp_http_request *r, vmp_store_label *labels, size_t *count, vmp_str key, vmp_str value)
{
    if (!vmp_http_label_key(key))
        return vmp_http_bad(
            r, "a label's key has 1 to %d letters, digits, '_', '-', '.'", VMP_HTTP_MAX_KEY);
    if (value.n > VMP_STORE_MAX_TEXT)
        return vmp_http_bad(r, "a label of more than %d bytes", VMP_STORE_MAX_TEXT);
    for (size_t i = 0; i < *count; i++) {
        if (vmp_str_equal(labels[i].key, key)) {
            labels[i].value = value;
            return 0;
        }
    }
    if (*count == VMP_STORE_MAX_LABELS)
        return vmp_http_bad(r, "more than %d labels", VMP_STORE_MAX_LABELS);
    labels[(*count)++] = (vmp_store_label){key, value};
    return 0;
}

static int
check_name(vmp_http_request *r, vmp_str name)
{
    if (name.n > VMP_STORE_MAX_TEXT)
        return vmp_http_bad(r, "a name of more than %d bytes", VMP_STORE_MAX_TEXT);
    return 0;
}

int
vmp_api_create(vmp_http_request *r)
{
    vmp_store_label labels[VMP_STORE_MAX_LABELS];
    vmp_store_item item = {.labels = labels};
    vmp_str name, value, key;
    bool is_new = false;
    int more, rc = 0;
    while (rc == 0 && (more = vmp_http_query_next(&r->arena, &r->query, &name, &value)) != 0) {
        if (more < 0)
            return vmp_http_bad(r, "the query is not well encoded UTF-8");
        if (vmp_str_equal(name, vmp_str_from("name"))) {
            item.name = value;
            rc = check_name(r, value);
        } else if (vmp_str_equal(name, vmp_str_from("label"))) {
            if (!vmp_http_label(value, &key, &value) || !value.p)
                return vmp_http_bad(r, "a label is key:value");
            rc = add_label(r, labels, &item.label_count, key, value);
        } else {
            return vmp_http_bad(r, "the query may have name and label");
        }
    }
    if (rc == 0)
        rc = vmp_http_ingest(r, &item, &is_new);
    if (rc < 0)
        return rc;
    return reply_item(r, is_new ? MHD_HTTP_CREATED : MHD_HTTP_OK, vmp_str_from(item.id), &is_new);
}

/* Puts one parameter of a list into the filter. */
static int
add_filter(vmp_http_request *r, vmp_store_filter *filter, vmp_store_label *labels, vmp_str name,
    vmp_str value)
{
    uint64_t number;
    if (vmp_str_equal(name, vmp_str_from("q"))) {
        filter->text = value;
    } else if (vmp_str_equal(name, vmp_str_from("name"))) {
        filter->name = value;
    } else if (vmp_str_equal(name, vmp_str_from("host"))) {
        filter->host = value;
    } else if (vmp_str_equal(name, vmp_str_from("label"))) {
        vmp_store_label *label = &labels[filter->label_count];
        if (filter->label_count == VMP_STORE_MAX_LABELS ||
            !vmp_http_label(value, &label->key, &label->value))
            return vmp_http_bad(r, "a label is key or key:value");
        filter->label_count++;
    } else if (vmp_str_equal(name, vmp_str_from("before"))) {
        if (!vmp_http_uint(value, &filter->before) || filter->before > INT64_MAX)
            return vmp_http_bad(r, "before is what the list before gave as next");
    } else if (vmp_str_equal(name, vmp_str_from("limit"))) {
        if (!vmp_http_uint(value, &number) || number == 0 || number > MAX_LIMIT)
            return vmp_http_bad(r, "limit is a number from 1 to %d", MAX_LIMIT);
        filter->limit = (uint32_t)number;
    } else {
        return vmp_http_bad(r, "the query may have q, name, host, label, before and limit");
    }
    return 0;
}

int
vmp_api_list(vmp_http_request *r)
{
    vmp_store *store = r->server->options->store;
    vmp_store_label labels[VMP_STORE_MAX_LABELS];
    vmp_store_filter filter = {.labels = labels, .limit = DEFAULT_LIMIT};
    vmp_store_items *items = NULL;
    vmp_str name, value;
    int more, rc = 0;
    while (rc == 0 && (more = vmp_http_query_next(&r->arena, &r->query, &name, &value)) != 0)
        rc = more < 0 ? vmp_http_bad(r, "the query is not well encoded UTF-8")
                      : add_filter(r, &filter, labels, name, value);
    if (rc == 0)
        rc = store->ops->list(store, &filter, &items, &r->err);
    if (!items)
        return rc;
    vmp_json j = vmp_http_reply_json(r, MHD_HTTP_OK);
    vmp_json_begin(&j, '{');
    vmp_json_key(&j, "profiles");
    vmp_json_begin(&j, '[');
    for (size_t i = 0; i < items->count; i++) {
        vmp_json_begin(&j, '{');
        put_item(&j, &items->items[i]);
        vmp_json_end(&j, '}');
    }
    vmp_json_end(&j, ']');
    vmp_json_key(&j, "next");
    if (items->next)
        vmp_json_uint(&j, items->next);
    else
        vmp_json_null(&j);
    vmp_json_end(&j, '}');
    vmp_out_text(&r->out, "\n");
    vmp_store_items_free(&items);
    return 0;
}

int
vmp_api_get(vmp_http_request *r)
{
    return reply_item(r, MHD_HTTP_OK, r->captured[0], NULL);
}

/* {"name": TEXT, "labels": {KEY: TEXT, ...}}, each of them or both. */
static int
read_change(vmp_http_request *r, vmp_str *name, vmp_store_label *labels, size_t *label_count,
    bool *has_labels)
{
    vmp_json_in in = vmp_http_body_json(r);
    vmp_str key, value;
    int rc = 0;
    vmp_json_in_open(&in);
    while (rc == 0 && vmp_json_in_key(&in, &key)) {
        if (vmp_str_equal(key, vmp_str_from("name"))) {
            if (vmp_json_in_str(&in, name))
                rc = check_name(r, *name);
        } else if (vmp_str_equal(key, vmp_str_from("labels"))) {
            *has_labels = true;
            vmp_json_in_open(&in);
            while (rc == 0 && vmp_json_in_key(&in, &key))
                if (vmp_json_in_str(&in, &value))
                    rc = add_label(r, labels, label_count, key, value);
        } else {
            return vmp_http_bad(r, "the body may have name and labels");
        }
    }
    if (rc == 0 && !vmp_json_in_end(&in))
        return vmp_http_bad(r, "the body is not the JSON that is wanted: %s", in.error);
    return rc;
}

int
vmp_api_change(vmp_http_request *r)
{
    vmp_store *store = r->server->options->store;
    vmp_store_label labels[VMP_STORE_MAX_LABELS];
    size_t label_count = 0;
    bool has_labels = false;
    vmp_str name = {NULL, 0};
    int rc = read_change(r, &name, labels, &label_count, &has_labels);
    if (rc == 0)
        rc = store->ops->relabel(store, r->captured[0], name.p ? &name : NULL,
            has_labels ? labels : NULL, label_count, &r->err);
    return rc < 0 ? rc : reply_item(r, MHD_HTTP_OK, r->captured[0], NULL);
}

int
vmp_api_remove(vmp_http_request *r)
{
    vmp_store *store = r->server->options->store;
    int rc = store->ops->remove(store, r->captured[0], &r->err);
    if (rc < 0)
        return rc;
    vmp_http_cache_drop(r->server->cache, r->captured[0]);
    r->status = MHD_HTTP_NO_CONTENT;
    return 0;
}

/* ------------------------------------------------------------ its bytes */

typedef struct download {
    vmp_store *store;
    char id[VMP_STORE_ID_SIZE];
} download;

static ssize_t
read_download(void *ctx, uint64_t offset, char *p, size_t cap)
{
    download *d = ctx;
    size_t got = 0;
    if (d->store->ops->read(d->store, vmp_str_from(d->id), offset, (uint8_t *)p, cap, &got, NULL) <
        0)
        return MHD_CONTENT_READER_END_WITH_ERROR;
    return got ? (ssize_t)got : MHD_CONTENT_READER_END_OF_STREAM;
}

int
vmp_api_bytes(vmp_http_request *r)
{
    enum { PIECE = 64 << 10 };
    char disposition[96];
    vmp_store *store = r->server->options->store;
    vmp_store_items *items = NULL;
    int rc = store->ops->find(store, r->captured[0], &items, &r->err);
    if (rc < 0)
        return rc;
    download *d = malloc(sizeof(*d));
    if (d) {
        *d = (download){.store = store};
        memcpy(d->id, items->items[0].id, sizeof(d->id));
        snprintf(disposition, sizeof(disposition), "attachment; filename=\"%s.%s\"", d->id,
            items->items[0].kind == VMP_STORE_LOG ? "vmprof" : "jitlog");
        r->stream = MHD_create_response_from_callback(
            items->items[0].size_bytes, PIECE, read_download, d, free);
        r->stream_bytes = items->items[0].size_bytes;
    }
    vmp_store_items_free(&items);
    if (!r->stream) {
        free(d);
        return -VMP_ENOMEM;
    }
    MHD_add_response_header(r->stream, "Content-Disposition", disposition);
    r->status = MHD_HTTP_OK;
    r->type = "application/octet-stream";
    return 0;
}

/* ------------------------------------------------------------ its views */

/* The query as options of the command line: "name=value" is "--name=value", a name alone
 * a flag. */
static int
query_to_args(vmp_http_request *r, char **argv, int *ret_argc)
{
    static char command[] = "show";
    vmp_str name, value;
    int more, n = 0;
    argv[n++] = command;
    while ((more = vmp_http_query_next(&r->arena, &r->query, &name, &value)) != 0) {
        if (more < 0)
            return vmp_http_bad(r, "the query is not well encoded UTF-8");
        if (n == MAX_VIEW_ARGS)
            return vmp_http_bad(r, "more than %d options", MAX_VIEW_ARGS);
        size_t size = name.n + value.n + sizeof("--=");
        argv[n] = vmp_arena_alloc(&r->arena, size);
        if (!argv[n])
            return -VMP_ENOMEM;
        snprintf(argv[n++], size, "--%s%s%s", name.p, value.p ? "=" : "", value.p ? value.p : "");
    }
    argv[n] = NULL;
    *ret_argc = n;
    return 0;
}

int
vmp_api_view(vmp_http_request *r)
{
    char *argv[MAX_VIEW_ARGS + 1];
    const vmp_profile *p = NULL;
    int argc = 0;
    int rc = query_to_args(r, argv, &argc);
    if (rc == 0)
        rc = vmp_http_profile(r, r->captured[0], &p);
    if (rc < 0)
        return rc;
    vmp_http_reply_json(r, MHD_HTTP_OK);
    rc = r->server->options->render(
        &r->out, p, r->captured[0].p, r->captured[1].p, argc, argv, &r->err);
    vmp_http_cache_release(r->server->cache, p);
    return rc;
}
