#include <inttypes.h>

#include "term_names.h"
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

const char *
vmp_view_clock_title(const vmp_profile *p)
{
    bool wall = p->process_count > 1 && p->processes[1].mode & VMP_PROFILE_MODE_WALL;
    return wall ? "wall s" : "CPU s";
}

typedef struct tree_printer {
    const vmp_view *v;
    const vmp_report_tree *tree;
    size_t indent;
    bool place_columns;
    size_t columns; /* used in the line so far */
    vmp_out text;   /* scratch: as the log has it */
    vmp_out clean;  /* scratch: as it may be shown */
} tree_printer;

static void
put(tree_printer *tp, enum vmp_style style, vmp_str text, enum vmp_cut cut)
{
    const vmp_term *t = tp->v->term;
    vmp_out_clear(&tp->clean);
    size_t columns = vmp_term_clean(&tp->clean, t, text);
    size_t room = t->width > tp->columns ? t->width - tp->columns : 0;
    vmp_term_style(tp->v->out, t, style);
    if (t->lossless)
        vmp_out_str(tp->v->out, vmp_out_view(&tp->clean));
    else
        columns = vmp_term_fit(tp->v->out, t, vmp_out_view(&tp->clean), room, cut);
    if (style != VMP_STYLE_PLAIN)
        vmp_term_plain(tp->v->out, t);
    tp->columns += columns;
}

static void
put_percent(tree_printer *tp, uint64_t part)
{
    double percent = vmp_view_percent(part, tp->tree->nodes[0].total.weight);
    vmp_term_style(tp->v->out, tp->v->term, vmp_term_heat(percent));
    vmp_out_printf(tp->v->out, "%6.1f%%", percent);
    vmp_term_plain(tp->v->out, tp->v->term);
    vmp_out_text(tp->v->out, " ");
    tp->columns += 8;
}

static void
put_guides(tree_printer *tp, uint32_t level)
{
    const vmp_term *t = tp->v->term;
    size_t most = tp->indent == 0 ? 0 : t->width / GUIDES_PART / tp->indent;
    if (t->lossless)
        most = FILE_LEVELS;
    vmp_out_clear(&tp->text);
    for (size_t i = 0; i < level && i < most && tp->indent > 0; i++) {
        vmp_out_text(&tp->text, "|");
        vmp_out_fill(&tp->text, '.', tp->indent - 1);
    }
    if (level > most && tp->indent > 0)
        vmp_out_printf(&tp->text, "(%" PRIu32 ") ", level);
    put(tp, VMP_STYLE_FAINT, vmp_out_view(&tp->text), VMP_CUT_END);
}

static void
put_name(tree_printer *tp, const vmp_report_node *node)
{
    const vmp_profile *p = tp->v->profile;
    switch (node->kind) {
    case VMP_REPORT_NODE_ROOT:
        put(tp, VMP_STYLE_HEAD, vmp_str_from("all samples"), VMP_CUT_END);
        return;
    case VMP_REPORT_NODE_PROCESS:
        put(tp, VMP_STYLE_HEAD, vmp_name_process(&tp->text, p, node->process), VMP_CUT_END);
        return;
    case VMP_REPORT_NODE_THREAD:
        put(tp, VMP_STYLE_HEAD, vmp_name_thread(&tp->text, p, node->thread), VMP_CUT_END);
        return;
    case VMP_REPORT_NODE_ELIDED:
        vmp_out_clear(&tp->text);
        vmp_out_printf(
            &tp->text, "(%" PRIu64 " frames of a very deep stack left out)", node->elided_frames);
        put(tp, VMP_STYLE_FAINT, vmp_out_view(&tp->text), VMP_CUT_END);
        return;
    case VMP_REPORT_NODE_FRAME:
        break;
    }
    put(tp, VMP_STYLE_NAME, vmp_name_function(p, node->function), VMP_CUT_END);
    vmp_str place =
        vmp_name_place_at(&tp->text, p, node->function, node->location, tp->place_columns);
    enum { LEAST_PLACE = 8 }; /* less than this tells nothing */
    if (place.n && (tp->v->term->lossless || tp->columns + 2 + LEAST_PLACE < tp->v->term->width)) {
        put(tp, VMP_STYLE_PLAIN, vmp_str_from("  "), VMP_CUT_END);
        put(tp, VMP_STYLE_PLACE, place, VMP_CUT_START);
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

void
vmp_view_tree(const vmp_view *v, const vmp_report_tree *tree, const vmp_view_tree_options *options)
{
    tree_printer tp = {
        .v = v, .tree = tree, .indent = options->indent, .place_columns = options->columns};
    uint32_t first = vmp_view_tree_first(tree);
    vmp_out_init(&tp.text, -1);
    vmp_out_init(&tp.clean, -1);
    vmp_term_style(v->out, v->term, VMP_STYLE_HEAD);
    vmp_out_text(v->out, "  total    self  function");
    vmp_term_plain(v->out, v->term);
    vmp_out_text(v->out, "\n");
    for (uint32_t i = first; i < tree->count && v->out->rc == 0; i++) {
        const vmp_report_node *node = &tree->nodes[i];
        tp.columns = 0;
        put_percent(&tp, node->total.weight);
        put_percent(&tp, node->self.weight);
        vmp_out_text(v->out, " ");
        tp.columns++;
        put_guides(&tp, node->depth - first);
        put_name(&tp, node);
        vmp_out_text(v->out, "\n");
    }
    vmp_out_drop(&tp.text, v->out);
    vmp_out_drop(&tp.clean, v->out);
}
