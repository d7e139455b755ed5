#include <inttypes.h>
#include <stdlib.h>

#include "term_line.h"
#include "term_views.h"

/* The short tree. Frames with almost no self that call one other function with
 * almost all they have are passed over, but for the first of such a row. Then
 * the least share is raised until the tree is short enough. */
enum { MOST_TREE_LINES = 24, CUT = UINT16_MAX };
static const double least_percents[] = {2, 3, 5, 8, 12, 20, 35, 50};
static const char greeting[] = "vmprof: ";
static const double passes_self_percent = 1.0, passes_on_percent = 95.0;

typedef struct short_node {
    uint32_t level;  /* of it, or of the nearest shown node above; CUT: too small */
    uint32_t passed; /* number of frames passed over in a row up to it; 0: it is shown */
} short_node;

static double
share_of(const vmp_report_tree *tree, uint64_t weight)
{
    return vmp_view_percent(weight, tree->nodes[0].total.weight);
}

/* A frame that only hands on: little self, and one child with nearly all. */
static bool
passes_on(const vmp_report_tree *tree, uint32_t i)
{
    const vmp_report_node *node = &tree->nodes[i];
    if (node->kind != VMP_REPORT_NODE_FRAME && node->kind != VMP_REPORT_NODE_ELIDED)
        return false;
    if (i + 1 >= node->end || share_of(tree, node->self.weight) >= passes_self_percent)
        return false;
    uint64_t heaviest = tree->nodes[i + 1].total.weight; /* children are sorted by total */
    return vmp_view_percent(heaviest, node->total.weight) >= passes_on_percent;
}

/* Decides what is shown. Returns the number of lines. */
static uint32_t
lay_out(const vmp_report_tree *tree, short_node *nodes, double least_percent)
{
    uint32_t lines = 0;
    nodes[0] = (short_node){0};
    for (uint32_t i = 1; i < tree->count; i++) {
        uint32_t parent = tree->nodes[i].parent;
        const short_node *above = &nodes[parent];
        if (above->level == CUT || share_of(tree, tree->nodes[i].total.weight) < least_percent)
            nodes[i] = (short_node){.level = CUT};
        else if (parent != 0 && passes_on(tree, parent) && passes_on(tree, i))
            nodes[i] = (short_node){.level = above->level, .passed = above->passed + 1};
        else {
            nodes[i] = (short_node){.level = above->level + 1};
            lines++;
        }
    }
    return lines;
}

static void
put_tree_line(vmp_line *line, const vmp_view *v, const vmp_report_tree *tree,
    const short_node *nodes, uint32_t i)
{
    const vmp_report_node *node = &tree->nodes[i];
    size_t indent = 2 * ((size_t)nodes[i].level - 1), most = v->term->width / 2;
    uint32_t passed = nodes[node->parent].passed;
    vmp_line_percent(line, share_of(tree, node->total.weight));
    vmp_out_clear(&line->text);
    vmp_out_fill(&line->text, ' ', 1 + (indent < most ? indent : most));
    vmp_line_put(line, VMP_STYLE_PLAIN, vmp_out_view(&line->text), VMP_CUT_END);
    if (passed) {
        vmp_out_clear(&line->text);
        vmp_out_printf(&line->text, "(%" PRIu32 " frame%s) ", passed, passed == 1 ? "" : "s");
        vmp_line_put(line, VMP_STYLE_FAINT, vmp_out_view(&line->text), VMP_CUT_END);
    }
    vmp_view_tree_name(line, v->profile, node, false);
    vmp_line_end(line);
}

static int
put_tree(const vmp_view *v, const vmp_report_tree *tree)
{
    enum { LEASTS = sizeof(least_percents) / sizeof(least_percents[0]) };
    vmp_line line;
    short_node *nodes = calloc(tree->count, sizeof(*nodes));
    if (!nodes)
        return -VMP_ENOMEM;
    size_t least = 0;
    while (lay_out(tree, nodes, least_percents[least]) > MOST_TREE_LINES && least + 1 < LEASTS)
        least++;
    vmp_line_init(&line, v->out, v->term);
    for (uint32_t i = 1; i < tree->count; i++)
        if (nodes[i].level != CUT && nodes[i].passed == 0)
            put_tree_line(&line, v, tree, nodes, i);
    vmp_line_fini(&line);
    free(nodes);
    return 0;
}

static void
put_heading(const vmp_view *v, const char *text)
{
    vmp_out_text(v->out, "\n");
    vmp_term_style(v->out, v->term, VMP_STYLE_HEAD);
    vmp_out_text(v->out, text);
    vmp_term_plain(v->out, v->term);
    vmp_out_text(v->out, "\n");
}

static void
put_empty(const vmp_view *v, const vmp_report_info *info)
{
    char wall[24], cpu[24];
    vmp_term_seconds(wall, info->wall_seconds);
    vmp_term_seconds(cpu, info->cpu_seconds);
    vmp_out text;
    vmp_out_init(&text, -1);
    if (info->samples == 0)
        vmp_out_printf(&text,
            "No samples: the program used %s of CPU time in %s, and a sample is taken %.0f times "
            "a CPU second.",
            cpu, wall, info->asked_hz);
    else if (info->samples == 1)
        vmp_out_text(&text, "1 sample, but not in Python code.");
    else
        vmp_out_printf(
            &text, "%" PRIu64 " samples, but none of them in Python code.", info->samples);
    if (info->samples == 0 && !(info->mode & VMP_PROFILE_MODE_WALL))
        vmp_out_text(&text, " Let it run longer, ask for a shorter --period, or, if it waits "
                            "rather than computes, use --wall.");
    vmp_term_wrap(v->out, v->term, 0, strlen(greeting), vmp_out_view(&text));
    vmp_out_drop(&text, v->out);
}

int
vmp_view_stats_text(const vmp_view *v, const vmp_view_stats *stats)
{
    vmp_view_flat_options options = {.limit = stats->limit};
    vmp_term_style(v->out, v->term, VMP_STYLE_HEAD);
    vmp_out_text(v->out, greeting);
    vmp_term_plain(v->out, v->term);
    if (stats->flat->count == 0) {
        put_empty(v, stats->info);
        return 0;
    }
    vmp_view_summary(v, stats->info, strlen(greeting));
    put_heading(v, "Functions by their own time");
    int rc = vmp_view_flat(v, stats->flat, &options);
    if (rc < 0)
        return rc;
    put_heading(v, "Where it went, from the outside in");
    return put_tree(v, stats->tree);
}
