#include "term_states.h"

#include "term_text.h"

static const double faint_percent = 5.0;

const vmp_state_column vmp_state_columns[VMP_STATE_COLUMNS] = {
    [VMP_STATE_COLUMN_JIT] = {"jit", "JIT", VMP_STYLE_JIT},
    [VMP_STATE_COLUMN_GC] = {"gc", "GC", VMP_STYLE_GC},
    [VMP_STATE_COLUMN_WARM_UP] = {"warm", "warm-up", VMP_STYLE_WARM_UP},
    [VMP_STATE_COLUMN_INTERPRETER] = {"interp", "interpreter", VMP_STYLE_INTERPRETER},
    [VMP_STATE_COLUMN_NATIVE] = {"native", "native", VMP_STYLE_PLAIN},
};

static uint64_t
weight_of(const vmp_report_states *row, size_t column)
{
    switch (column) {
    case VMP_STATE_COLUMN_JIT:
        return row->weight[VMP_PROFILE_STATE_JIT];
    case VMP_STATE_COLUMN_GC:
        return row->weight[VMP_PROFILE_STATE_GC_MINOR] + row->weight[VMP_PROFILE_STATE_GC_MAJOR];
    case VMP_STATE_COLUMN_WARM_UP:
        return row->weight[VMP_PROFILE_STATE_WARM_UP];
    case VMP_STATE_COLUMN_NATIVE:
        return row->weight[VMP_PROFILE_STATE_NATIVE];
    default:
        return row->weight[VMP_PROFILE_STATE_INTERPRETER];
    }
}

size_t
vmp_state_column_count(const vmp_report_states *all)
{
    return VMP_STATE_COLUMNS - (all->weight[VMP_PROFILE_STATE_NATIVE] == 0);
}

double
vmp_state_percent(const vmp_report_states *row, size_t column)
{
    uint64_t whole = 0;
    for (size_t i = 0; i < VMP_PROFILE_STATES; i++)
        whole += row->weight[i];
    return vmp_view_percent(weight_of(row, column), whole);
}

enum vmp_style
vmp_state_style(size_t column, double percent)
{
    return percent < faint_percent ? VMP_STYLE_FAINT : vmp_state_columns[column].style;
}

void
vmp_state_summary(const vmp_view *v, const vmp_report_states *all)
{
    vmp_report_states_source source = vmp_report_states_source_of(v->profile);
    vmp_out *o = v->out;
    for (size_t i = 0; i < vmp_state_column_count(all); i++) {
        bool unknown = i == VMP_STATE_COLUMN_GC || i == VMP_STATE_COLUMN_WARM_UP;
        if (unknown && !source.recorded)
            continue;
        double percent = vmp_state_percent(all, i);
        vmp_term_style(o, v->term, vmp_state_style(i, percent));
        vmp_out_printf(o, "%s%s%s %.1f%%", i ? "  " : "", vmp_state_columns[i].word,
            i == VMP_STATE_COLUMN_JIT && !source.loops ? " at least" : "", percent);
        vmp_term_plain(o, v->term);
    }
    vmp_term_style(o, v->term, VMP_STYLE_FAINT);
    if (!source.recorded)
        vmp_out_text(o, "  (GC and warm-up were not recorded)");
    else if (!source.complete)
        vmp_out_text(o, "  (GC and warm-up were not recorded up to the end)");
    vmp_term_plain(o, v->term);
    vmp_out_text(o, "\n");
}
