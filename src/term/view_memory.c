#include <inttypes.h>
#include <math.h>

#include "term_names.h"
#include "term_table.h"
#include "term_views.h"

enum {
    CHART_ROWS = 10,
    LABEL = 10,       /* columns of the scale at the left, with its rule */
    PEAK_FRAMES = 12, /* innermost frames shown of the stack at the peak */
};

static const double least_growth_mib = 0.05; /* less would be shown as 0.0 */

uint32_t
vmp_view_memory_bins(const vmp_term *t)
{
    enum { MOST = 120 }; /* wider charts tell no more */
    size_t columns = t->width - LABEL - 1;
    return (uint32_t)(columns < MOST ? columns : MOST);
}

/* Height of a column in eighths of a row, at least 1; 0 where nothing is known. */
static uint32_t
column_height(uint64_t kb, double low_kb, double high_kb)
{
    if (kb == 0)
        return 0;
    double part = high_kb > low_kb ? ((double)kb - low_kb) / (high_kb - low_kb) : 1;
    double height = floor(part * CHART_ROWS * 8 + 0.5);
    return height < 1 ? 1 : (uint32_t)height;
}

static void
put_chart_row(const vmp_view *v, const vmp_report_memory *m, int row, double low, double high)
{
    static const char *const eighths[] = {"", "\xe2\x96\x81", "\xe2\x96\x82", "\xe2\x96\x83",
        "\xe2\x96\x84", "\xe2\x96\x85", "\xe2\x96\x86", "\xe2\x96\x87", "\xe2\x96\x88"};
    uint32_t below = (uint32_t)row * 8;
    uint64_t kb = 0;  /* memory stays as it was where no sample was taken */
    size_t empty = 0; /* columns that are due */
    for (uint32_t i = 0; i < m->bin_count; i++) {
        if (m->bins[i].samples)
            kb = m->bins[i].max_kb;
        uint32_t height = column_height(kb, low, high);
        uint32_t part = height <= below ? 0 : height - below >= 8 ? 8 : height - below;
        if (!v->term->utf8 && row > 0 && part < 4)
            part = 0;
        if (part == 0) {
            empty++;
            continue;
        }
        vmp_out_fill(v->out, ' ', empty);
        empty = 0;
        vmp_out_text(v->out, v->term->utf8 ? eighths[part] : "#");
    }
    vmp_out_text(v->out, "\n");
}

static void
put_chart(const vmp_view *v, const vmp_report_memory *m)
{
    uint64_t low_kb = m->peak_kb;
    char text[24];
    for (uint32_t i = 0; i < m->bin_count; i++)
        if (m->bins[i].samples && m->bins[i].min_kb < low_kb)
            low_kb = m->bins[i].min_kb;
    /* The scale begins at 0; where that would hide what little changes, at nine
     * tenths, but never closer: a process at rest must not look like a storm. */
    double high = (double)m->peak_kb;
    double low = (double)low_kb > 0.9 * high ? 0.9 * high : 0;
    for (int row = CHART_ROWS - 1; row >= 0; row--) {
        double value = low + (high - low) * (row + 1) / CHART_ROWS;
        if (row == CHART_ROWS - 1 || row == CHART_ROWS / 2 - 1 || row == 0) {
            vmp_term_size(text, (uint64_t)(row == 0 ? low : value) * 1024);
            vmp_out_printf(v->out, "%*s", LABEL - 2, text);
        } else {
            vmp_out_fill(v->out, ' ', LABEL - 2);
        }
        vmp_out_text(v->out, v->term->utf8 ? " \xe2\x94\x82" : " |");
        put_chart_row(v, m, row, low, high);
    }
    vmp_term_seconds(text, (double)m->bin_ns * m->bin_count / 1e9);
    vmp_out_fill(v->out, ' ', LABEL);
    int room = (int)m->bin_count - 1;
    vmp_out_printf(v->out, "0%*s\n", room > (int)strlen(text) ? room : (int)strlen(text) + 1, text);
}

static void
put_peak(const vmp_view *v, const vmp_report_memory *m)
{
    vmp_out scratch;
    char size[16], first[16], last[16], when[24];
    vmp_term_size(size, m->peak_kb * 1024);
    vmp_term_size(first, m->first_kb * 1024);
    vmp_term_size(last, m->last_kb * 1024);
    vmp_term_seconds(when, (double)m->peak_ns / 1e9);
    vmp_out_printf(
        v->out, "\nPeak %s after %s; %s at the start, %s at the end.\n", size, when, first, last);
    vmp_out_init(&scratch, -1);
    uint32_t count = m->peak_frame_count, left = count > PEAK_FRAMES ? count - PEAK_FRAMES : 0;
    if (count) {
        vmp_out_text(v->out, "At the peak ran, in ");
        vmp_term_clean(v->out, v->term, vmp_name_thread(&scratch, v->profile, m->peak_thread));
        vmp_out_text(v->out, ":\n");
    }
    if (left)
        vmp_out_printf(v->out, "  (%" PRIu32 " outer frame%s)\n", left, left == 1 ? "" : "s");
    for (uint32_t i = left; i < count; i++) {
        const vmp_profile_location *at = &v->profile->locations[m->peak_frames[i].i];
        vmp_out_text(v->out, "  ");
        vmp_term_style(v->out, v->term, VMP_STYLE_NAME);
        vmp_term_clean(v->out, v->term, vmp_name_function(v->profile, at->function));
        vmp_term_plain(v->out, v->term);
        vmp_out_text(v->out, "  ");
        vmp_term_style(v->out, v->term, VMP_STYLE_PLACE);
        vmp_term_clean(
            v->out, v->term, vmp_name_place(&scratch, v->profile, at->function, at->line));
        vmp_term_plain(v->out, v->term);
        vmp_out_text(v->out, "\n");
    }
    vmp_out_drop(&scratch, v->out);
}

static double
mib(uint64_t grown_kb, uint64_t shrunk_kb)
{
    return ((double)grown_kb - (double)shrunk_kb) / 1024;
}

static int
put_growth(const vmp_view *v, const vmp_report_memory *m, size_t limit)
{
    static const vmp_table_column columns[] = {
        {"self MiB", .right = true},
        {"total MiB", .right = true},
        {"function", .flex = 16},
        {"location", .flex = 14, .cut = VMP_CUT_START},
    };
    vmp_out scratch;
    vmp_table *table = vmp_table_new(v->term, columns, sizeof(columns) / sizeof(columns[0]));
    if (!table)
        return -VMP_ENOMEM;
    vmp_out_init(&scratch, -1);
    size_t shown = 0;
    for (uint32_t i = 0; i < m->growth_count && (limit == 0 || shown < limit); i++) {
        const vmp_report_growth_row *row = &m->growth[i];
        if (mib(row->self_grown_kb, row->self_shrunk_kb) < least_growth_mib)
            break;
        shown++;
        uint32_t line = v->profile->locations[row->location.i].line;
        vmp_table_format(
            table, VMP_STYLE_PLAIN, "%+.1f", mib(row->self_grown_kb, row->self_shrunk_kb));
        vmp_table_format(
            table, VMP_STYLE_PLAIN, "%+.1f", mib(row->total_grown_kb, row->total_shrunk_kb));
        vmp_table_text(table, VMP_STYLE_NAME, vmp_name_function(v->profile, row->function));
        vmp_table_text(
            table, VMP_STYLE_PLACE, vmp_name_place(&scratch, v->profile, row->function, line));
    }
    int rc = 0;
    if (shown) {
        vmp_out_text(v->out, "\nMemory grew between samples in:\n");
        rc = vmp_table_print(table, v->out, 0, true);
    }
    vmp_out_drop(&scratch, v->out);
    vmp_table_free(&table);
    return rc;
}

int
vmp_view_memory(const vmp_view *v, const vmp_report_memory *memory, size_t limit)
{
    if (v->profile->memory_count > 1) {
        vmp_out scratch;
        vmp_out_init(&scratch, -1);
        vmp_term_style(v->out, v->term, VMP_STYLE_HEAD);
        vmp_term_clean(v->out, v->term, vmp_name_process(&scratch, v->profile, memory->process));
        vmp_term_plain(v->out, v->term);
        vmp_out_text(v->out, "\n");
        vmp_out_drop(&scratch, v->out);
    }
    put_chart(v, memory);
    put_peak(v, memory);
    return put_growth(v, memory, limit);
}
