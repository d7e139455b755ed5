#include "show.h"

/* In text, nodes below this share are left out unless --prune-percent says else. */
static const double default_prune_percent = 0.1;

static const char *
node_kind(enum vmp_report_node_kind kind)
{
    switch (kind) {
    case VMP_REPORT_NODE_ROOT:
        return "root";
    case VMP_REPORT_NODE_PROCESS:
        return "process";
    case VMP_REPORT_NODE_THREAD:
        return "thread";
    case VMP_REPORT_NODE_ELIDED:
        return "elided";
    case VMP_REPORT_NODE_FRAME:
        break;
    }
    return "frame";
}

static void
put_node(const vmp_show *s, vmp_json *j, const vmp_report_tree *tree, uint32_t i)
{
    const vmp_report_node *node = &tree->nodes[i];
    const vmp_report_value *whole = &tree->nodes[0].total;
    const vmp_profile_location *at = &s->profile->locations[node->location.i];
    vmp_json_begin(j, '{');
    vmp_json_put_uint(j, "id", i);
    vmp_json_key(j, "parent");
    if (i)
        vmp_json_uint(j, node->parent);
    else
        vmp_json_null(j);
    vmp_json_put_uint(j, "depth", node->depth);
    vmp_json_put_str(j, "node", vmp_str_from(node_kind(node->kind)));
    if (node->kind == VMP_REPORT_NODE_FRAME) {
        vmp_show_json_function(j, s->profile, node->function);
        if (node->location.i) {
            vmp_json_put_uint(j, "at_line", at->line);
            vmp_json_put_uint(j, "at_column", at->has_columns ? at->col : 0);
        }
    } else if (node->kind == VMP_REPORT_NODE_THREAD) {
        vmp_show_json_thread(j, "thread", s->profile, node->thread);
    } else if (node->kind == VMP_REPORT_NODE_PROCESS) {
        vmp_json_put_uint(j, "pid", s->profile->processes[node->process.i].pid);
    } else if (node->kind == VMP_REPORT_NODE_ELIDED) {
        vmp_json_put_uint(j, "elided_frames", node->elided_frames);
    }
    vmp_show_json_value(j, s->profile, "self", &node->self, whole);
    vmp_show_json_value(j, s->profile, "total", &node->total, whole);
    if (tree->total_states) {
        vmp_show_json_states(j, s->profile, "self_states", &tree->self_states[i]);
        vmp_show_json_states(j, s->profile, "total_states", &tree->total_states[i]);
    }
    vmp_json_end(j, '}');
}

static void
put_json(const vmp_show *s, const vmp_report_tree *tree)
{
    vmp_json j = vmp_show_json_begin(s, "tree", &tree->nodes[0].total);
    if (tree->total_states)
        vmp_show_json_states(&j, s->profile, "states", &tree->total_states[0]);
    vmp_json_put_uint(&j, "pruned", tree->pruned);
    vmp_json_key(&j, "nodes");
    vmp_json_begin(&j, '[');
    for (uint32_t i = 0; i < tree->count && s->view.out->rc == 0; i++)
        put_node(s, &j, tree, i);
    vmp_json_end(&j, ']');
    vmp_show_json_end(&j);
}

static void
put_notes(const vmp_show *s, const vmp_report_tree *tree, double prune_percent)
{
    vmp_out *o = s->view.out;
    vmp_term_style(o, s->view.term, VMP_STYLE_FAINT);
    if (s->options->filter.n)
        vmp_out_printf(o, "shown: the %.1f%% of all samples that --filter chose\n",
            vmp_view_percent(tree->nodes[0].total.weight, s->profile->total_weight));
    if (tree->pruned && (s->prune_given || s->level_given))
        vmp_out_printf(o, "%u small or deep nodes left out\n", tree->pruned);
    else if (tree->pruned)
        vmp_out_printf(o, "%u nodes left out%s\n", tree->pruned,
            prune_percent > 0 ? ", most below 0.1% (--prune-percent 0 shows them)" : "");
    vmp_term_plain(o, s->view.term);
}

static void
put_text(const vmp_show *s, const vmp_report_tree *tree, double prune_percent)
{
    if (tree->count == 1 && tree->nodes[0].total.weight == 0) {
        vmp_out_text(s->view.out,
            s->options->filter.n ? "No sample passes the filter.\n" : "The log has no samples.\n");
        return;
    }
    vmp_view_tree(&s->view, tree,
        &(vmp_view_tree_options){
            .indent = (size_t)s->options->indent,
            .columns = s->options->by == VMP_REPORT_BY_POSITION,
        });
    put_notes(s, tree, prune_percent);
}

static int
put_html(const vmp_show *s, const vmp_report_tree *tree)
{
    vmp_report_info *info = NULL;
    int rc = vmp_report_info_new(&info, s->profile);
    if (rc == 0)
        vmp_view_tree_html(&s->view, tree, info, vmp_str_from(s->path));
    vmp_report_info_free(&info);
    return rc;
}

/* Levels of --prune-level count from the first node that is shown, which may be
 * the one below the root. 0 stands for all of them, as it did in vmprof 0.6. */
static int
new_tree(vmp_report_tree **ret_tree, const vmp_show *s, vmp_report_tree_options *how)
{
    if (s->options->prune_level == 0)
        return vmp_report_tree_new(ret_tree, s->profile, how);
    how->max_depth = (uint32_t)s->options->prune_level + 1;
    int rc = vmp_report_tree_new(ret_tree, s->profile, how);
    if (rc < 0 || vmp_view_tree_first(*ret_tree) == 1)
        return rc;
    how->max_depth--;
    vmp_report_tree_free(ret_tree);
    return vmp_report_tree_new(ret_tree, s->profile, how);
}

int
vmp_show_tree(const vmp_show *s)
{
    const vmp_show_options *options = s->options;
    bool processes = s->profile->process_count > 2; /* row 0 is none */
    vmp_report_tree *tree = NULL;
    vmp_report_tree_options how = {
        .filter = vmp_show_filter(s, true),
        .group = options->threads ? VMP_REPORT_GROUP_THREADS
                 : processes      ? VMP_REPORT_GROUP_PROCESSES
                                  : VMP_REPORT_GROUP_NONE,
        .key = (enum vmp_report_key)options->by,
        .sort = vmp_show_report_sort(s, VMP_REPORT_SORT_TOTAL),
        .inverted = options->inverted,
        .prune_percent =
            s->prune_given || options->json ? options->prune_percent : default_prune_percent,
    };
    int rc = new_tree(&tree, s, &how);
    if (rc < 0)
        return rc;
    if (options->json)
        put_json(s, tree);
    else if (options->html)
        rc = put_html(s, tree);
    else
        put_text(s, tree, how.prune_percent);
    vmp_report_tree_free(&tree);
    return rc;
}
