/* `vmprof diff --json`; see docs/json.md. */
#include "diff.h"
#include "show.h"

static void
put_change(vmp_json *j, const char *key, const vmp_report_change *c, bool seconds)
{
    double unit = seconds ? 1 : 100;
    vmp_json_key(j, key);
    vmp_json_begin(j, '{');
    vmp_json_put_double(j, "before", unit * c->before);
    vmp_json_put_double(j, "after", unit * c->after);
    vmp_json_put_double(j, "change", unit * c->change);
    vmp_json_put_double(j, "low", unit * c->low);
    vmp_json_put_double(j, "high", unit * c->high);
    vmp_json_put_double(j, "chance", c->chance);
    vmp_json_put_bool(j, "significant", c->significant);
    vmp_json_end(j, '}');
}

/* The function as the log behind has it, if it has it, and what became of it. */
static void
put_function(const vmp_diff *d, vmp_json *j, vmp_function_id before, vmp_function_id after,
    const vmp_report_value *total_before, const vmp_report_value *total_after)
{
    const char *fate = total_before->samples == 0  ? "new"
                       : total_after->samples == 0 ? "gone"
                                                   : "kept";
    int side = total_after->samples > 0;
    vmp_show_json_function(j, d->profiles[side], side ? after : before);
    vmp_json_put_str(j, "fate", vmp_str_from(fate));
}

static void
put_row(const vmp_diff *d, vmp_json *j, const vmp_report_diff_row *r, const vmp_report_diff *diff)
{
    const vmp_report_diff_value *whole = &diff->total;
    vmp_json_begin(j, '{');
    put_function(d, j, r->before, r->after, &r->total.before, &r->total.after);
    vmp_show_json_value(j, d->profiles[0], "self_before", &r->self.before, &whole->before);
    vmp_show_json_value(j, d->profiles[1], "self_after", &r->self.after, &whole->after);
    put_change(j, "self", &r->self_change, d->options->seconds);
    vmp_show_json_value(j, d->profiles[0], "total_before", &r->total.before, &whole->before);
    vmp_show_json_value(j, d->profiles[1], "total_after", &r->total.after, &whole->after);
    put_change(j, "total", &r->total_change, d->options->seconds);
    vmp_json_end(j, '}');
}

static void
put_rows(const vmp_diff *d, vmp_json *j, const vmp_report_diff *diff)
{
    size_t limit = d->limit_given ? (size_t)d->options->limit : 0;
    vmp_json_key(j, "functions");
    vmp_json_begin(j, '[');
    for (uint32_t i = 0; i < diff->count && (limit == 0 || i < limit); i++)
        put_row(d, j, &diff->rows[i], diff);
    vmp_json_end(j, ']');
}

static void
put_node(const vmp_diff *d, vmp_json *j, const vmp_diff_views *views, uint32_t i)
{
    static const vmp_report_node nothing = {0};
    const vmp_report_diff_node *n = &views->tree->nodes[i];
    const vmp_report_node *b =
        n->before == VMP_REPORT_DIFF_NONE ? &nothing : &views->trees[0]->nodes[n->before];
    const vmp_report_node *a =
        n->after == VMP_REPORT_DIFF_NONE ? &nothing : &views->trees[1]->nodes[n->after];
    vmp_json_begin(j, '{');
    vmp_json_put_uint(j, "id", i);
    vmp_json_key(j, "parent");
    if (i)
        vmp_json_uint(j, n->parent);
    else
        vmp_json_null(j);
    vmp_json_put_uint(j, "depth", n->depth);
    if (i)
        put_function(d, j, b->function, a->function, &b->total, &a->total);
    vmp_show_json_value(
        j, d->profiles[0], "total_before", &b->total, &views->trees[0]->nodes[0].total);
    vmp_show_json_value(
        j, d->profiles[1], "total_after", &a->total, &views->trees[1]->nodes[0].total);
    put_change(j, "total", &n->change, d->options->seconds);
    vmp_json_end(j, '}');
}

static void
put_nodes(const vmp_diff *d, vmp_json *j, const vmp_diff_views *views)
{
    vmp_json_key(j, "nodes");
    vmp_json_begin(j, '[');
    for (uint32_t i = 0; i < views->tree->count && d->out->rc == 0; i++)
        put_node(d, j, views, i);
    vmp_json_end(j, ']');
}

static void
put_log(const vmp_diff *d, vmp_json *j, int side, const vmp_report_value *total)
{
    vmp_json_key(j, side ? "after" : "before");
    vmp_json_begin(j, '{');
    vmp_json_put_str(j, "log", vmp_str_from(d->paths[side]));
    vmp_json_put_bool(j, "cut", d->profiles[side]->cut);
    vmp_show_json_value(j, d->profiles[side], "total", total, NULL);
    vmp_json_end(j, '}');
}

void
vmp_diff_json(const vmp_diff *d, const vmp_diff_views *views)
{
    /* They agree, unless one of them is empty. */
    bool wall = vmp_profile_is_wall(d->profiles[0]) || vmp_profile_is_wall(d->profiles[1]);
    vmp_json j = vmp_json_to(d->out);
    vmp_json_begin(&j, '{');
    vmp_json_put_str(&j, "view", vmp_str_from("diff"));
    vmp_json_put_uint(&j, "schema", VMP_SHOW_SCHEMA);
    vmp_json_put_str(&j, "vmprof", vmp_str_from(VMP_VERSION));
    vmp_json_put_str(&j, "clock", vmp_str_from(wall ? "wall" : "cpu"));
    vmp_json_put_str(&j, "unit", vmp_str_from(d->options->seconds ? "seconds" : "percent"));
    put_log(d, &j, 0, &views->flat->total.before);
    put_log(d, &j, 1, &views->flat->total.after);
    put_rows(d, &j, views->flat);
    if (views->tree)
        put_nodes(d, &j, views);
    vmp_show_json_end(&j);
}
