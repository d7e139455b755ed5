#include <inttypes.h>
#include <math.h>

#include "term_line.h"
#include "term_states.h"
#include "term_views.h"

/* Guides take at most this part of the width, one over it, and in a file so many
 * levels, since a tree that is very deep would be all guides. Deeper levels are
 * told by a number. */
enum { GUIDES_PART = 2, FILE_LEVELS = 100 };

double
vmp_view_percent(uint64_t part, uint64_t whole)
{
    return whole ? 100.0 * (double)part / (double)whole : 0.0;
}

double
vmp_view_error_percent(vmp_report_interval interval)
{
    return ceil(500 * (interval.high - interval.low)) / 10;
}

const char *
vmp_view_clock_title(const vmp_profile *p)
{
    return vmp_profile_is_wall(p) ? "wall s" : "CPU s";
}

static void
put_guides(vmp_line *line, uint32_t level, size_t indent)
{
    const vmp_term *t = line->term;
    if (indent == 0)
        return;
    size_t most = t->lossless ? FILE_LEVELS : t->width / GUIDES_PART / indent;
    vmp_out_clear(&line->text);
    for (size_t i = 0; i < level && i < most; i++) {
        vmp_out_text(&line->text, "|");
        vmp_out_fill(&line->text, '.', indent - 1);
    }
    if (level > most)
        vmp_out_printf(&line->text, "(%" PRIu32 ") ", level);
    vmp_line_put(line, VMP_STYLE_FAINT, vmp_out_view(&line->text), VMP_CUT_END);
}

void
vmp_view_tree_name(vmp_line *line, const vmp_profile *p, const vmp_report_node *node, bool columns)
{
    switch (node->kind) {
    case VMP_REPORT_NODE_ROOT:
        vmp_line_put(line, VMP_STYLE_HEAD, vmp_str_from("all samples"), VMP_CUT_END);
        return;
    case VMP_REPORT_NODE_PROCESS:
        vmp_line_put(
            line, VMP_STYLE_HEAD, vmp_name_process(&line->text, p, node->process), VMP_CUT_END);
        return;
    case VMP_REPORT_NODE_THREAD:
        vmp_line_put(
            line, VMP_STYLE_HEAD, vmp_name_thread(&line->text, p, node->thread), VMP_CUT_END);
        return;
    case VMP_REPORT_NODE_ELIDED:
        vmp_out_clear(&line->text);
        vmp_out_printf(
            &line->text, "(%" PRIu64 " frames of a very deep stack left out)", node->elided_frames);
        vmp_line_put(line, VMP_STYLE_FAINT, vmp_out_view(&line->text), VMP_CUT_END);
        return;
    case VMP_REPORT_NODE_FRAME:
        vmp_line_function(line, p, node->function, node->location, columns);
    }
}

uint32_t
vmp_view_tree_first(const vmp_report_tree *tree)
{
    const vmp_report_node *root = &tree->nodes[0];
    bool plain = tree->count > 1 && tree->nodes[1].end == root->end &&
                 tree->nodes[1].total.weight == root->total.weight;
    return plain ? 1 : 0;
}

/* The shares of the states in one row, or with NULL their titles. */
static void
put_states(vmp_line *line, const vmp_report_tree *tree, const vmp_report_states *row)
{
    for (size_t i = 0; i < vmp_state_column_count(&tree->total_states[0]); i++) {
        double percent = row ? vmp_state_percent(row, i) : 0;
        vmp_out_clear(&line->text);
        if (row)
            vmp_out_printf(&line->text, "%6.0f%%", percent);
        else
            vmp_out_printf(&line->text, "%7s", vmp_state_columns[i].title);
        vmp_line_put(line, row ? vmp_state_style(i, percent) : VMP_STYLE_HEAD,
            vmp_out_view(&line->text), VMP_CUT_END);
    }
}

/* Titles, and the error of one half: no share of the same samples has a larger
 * one. */
static void
put_titles(vmp_line *line, const vmp_report_tree *tree)
{
    const vmp_report_value *whole = &tree->nodes[0].total;
    /* All weights doubled, so that one half of them is a whole number. */
    vmp_report_value doubled = {0, 2 * whole->weight, 0, 4 * whole->squares};
    vmp_report_value half = {0, whole->weight, 0, 2 * whole->squares};
    double error = vmp_view_error_percent(vmp_report_share_interval(&half, &doubled));
    vmp_line_put(line, VMP_STYLE_HEAD, vmp_str_from("  total    self"), VMP_CUT_END);
    if (tree->total_states)
        put_states(line, tree, NULL);
    vmp_line_put(line, VMP_STYLE_HEAD, vmp_str_from("  function"), VMP_CUT_END);
    vmp_out_clear(&line->text);
    vmp_out_printf(
        &line->text, "  (error at most %s%.1f)", line->term->utf8 ? "\xc2\xb1" : "+-", error);
    vmp_line_put(line, VMP_STYLE_FAINT, vmp_out_view(&line->text), VMP_CUT_END);
    vmp_line_end(line);
}

void
vmp_view_tree(const vmp_view *v, const vmp_report_tree *tree, const vmp_view_tree_options *options)
{
    vmp_line line;
    uint32_t first = vmp_view_tree_first(tree);
    uint64_t whole = tree->nodes[0].total.weight;
    vmp_line_init(&line, v->out, v->term);
    if (tree->total_states)
        vmp_state_summary(v, &tree->total_states[0]);
    put_titles(&line, tree);
    for (uint32_t i = first; i < tree->count && v->out->rc == 0; i++) {
        const vmp_report_node *node = &tree->nodes[i];
        vmp_line_percent(&line, vmp_view_percent(node->total.weight, whole));
        vmp_line_percent(&line, vmp_view_percent(node->self.weight, whole));
        if (tree->total_states)
            put_states(&line, tree, &tree->total_states[i]);
        vmp_line_put(&line, VMP_STYLE_PLAIN, vmp_str_from(" "), VMP_CUT_END);
        put_guides(&line, node->depth - first, options->indent);
        vmp_view_tree_name(&line, v->profile, node, options->columns);
        vmp_line_end(&line);
    }
    vmp_line_fini(&line);
}
