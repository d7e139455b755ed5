/* Is it well, and what did it do. */
#include "http_internal.h"

int
vmp_api_health(vmp_http_request *r)
{
    vmp_store *store = r->server->options->store;
    vmp_store_items *none = NULL;
    vmp_store_filter filter = {.before = 1, .limit = 1};
    int rc = store->ops->list(store, &filter, &none, &r->err);
    vmp_store_items_free(&none);
    if (rc < 0)
        return rc;
    vmp_json j = vmp_http_reply_json(r, MHD_HTTP_OK);
    vmp_json_begin(&j, '{');
    vmp_json_put_str(&j, "status", vmp_str_from("ok"));
    vmp_json_put_str(&j, "vmprof", vmp_str_from(VMP_VERSION));
    vmp_json_end(&j, '}');
    vmp_out_text(&r->out, "\n");
    return 0;
}

static void
put_metric(vmp_out *o, const char *name, const char *type, const char *help, uint64_t value)
{
    vmp_out_printf(o, "# HELP vmprof_%s %s\n# TYPE vmprof_%s %s\nvmprof_%s %llu\n", name, help,
        name, type, name, (unsigned long long)value);
}

/* Prometheus text format 0.0.4. */
int
vmp_api_metrics(vmp_http_request *r)
{
    vmp_http *h = r->server;
    vmp_store *store = h->options->store;
    uint64_t profiles = 0, bytes = 0;
    int rc = store->ops->totals(store, &profiles, &bytes, &r->err);
    if (rc < 0)
        return rc;
    vmp_out *o = &r->out;
    r->status = MHD_HTTP_OK;
    r->type = "text/plain; version=0.0.4; charset=utf-8";
    put_metric(o, "profiles", "gauge", "Profiles in the store.", profiles);
    put_metric(o, "stored_bytes", "gauge", "Bytes of their logs.", bytes);
    put_metric(o, "uploads_total", "counter", "Logs that were taken.", atomic_load(&h->uploads));
    put_metric(
        o, "uploaded_bytes_total", "counter", "Bytes of those.", atomic_load(&h->uploaded_bytes));
    put_metric(o, "broken_off_total", "counter", "Requests that ended before their reply.",
        atomic_load(&h->broken_off));
    put_metric(o, "cached_bytes", "gauge", "Loaded profiles that are kept in memory.",
        vmp_http_cache_bytes(h->cache));
    put_metric(
        o, "active_requests", "gauge", "Requests under way.", (uint64_t)atomic_load(&h->active));
    put_metric(o, "uptime_seconds", "gauge", "Since the start.",
        (uint64_t)(vmp_http_clock_ns() - h->began_ns) / 1000000000);
    vmp_out_text(o, "# HELP vmprof_replies_total Replies by class of status.\n"
                    "# TYPE vmprof_replies_total counter\n");
    for (int class = 2; class < VMP_HTTP_MAX_STATUS / 100; class ++)
        vmp_out_printf(o, "vmprof_replies_total{status=\"%dxx\"} %llu\n", class,
            (unsigned long long)atomic_load(&h->replies[class]));
    return 0;
}
