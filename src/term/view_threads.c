#include <inttypes.h>

#include "term_names.h"
#include "term_table.h"
#include "term_views.h"

/* Columns that are left out where no thread has anything in them. */
typedef struct thread_columns {
    bool cpu, wall, lost;
} thread_columns;

static thread_columns
find_columns(const vmp_report_threads *threads)
{
    thread_columns have = {0};
    for (uint32_t i = 0; i < threads->count; i++) {
        have.cpu |= threads->rows[i].cpu_ns != 0;
        have.wall |= threads->rows[i].wall_ns != 0;
        have.lost |= threads->rows[i].lost != 0;
    }
    return have;
}

static void
add_row(const vmp_view *v, vmp_table *table, vmp_out *scratch, const vmp_report_thread *row,
    uint64_t total, thread_columns have, const vmp_function_id *hottest)
{
    const vmp_profile_thread *thread = &v->profile->threads[row->thread.i];
    double share = vmp_view_percent(row->weight, total);
    vmp_table_format(table, vmp_term_heat(share), "%.1f%%", share);
    vmp_table_format(table, VMP_STYLE_PLAIN, "%" PRIu64, row->samples);
    if (have.cpu)
        vmp_table_format(table, VMP_STYLE_PLAIN, "%.3f", (double)row->cpu_ns / 1e9);
    if (have.wall)
        vmp_table_format(table, VMP_STYLE_PLAIN, "%.3f", (double)row->wall_ns / 1e9);
    if (have.lost)
        vmp_table_format(
            table, row->lost ? VMP_STYLE_NOTE : VMP_STYLE_FAINT, "%" PRIu64, row->lost);
    if (thread->os_tid)
        vmp_table_format(table, VMP_STYLE_PLAIN, "%" PRIu64, thread->os_tid);
    else
        vmp_table_text(table, VMP_STYLE_FAINT, vmp_str_from("-"));
    vmp_table_text(table, VMP_STYLE_NAME, vmp_name_thread(scratch, v->profile, row->thread));
    vmp_table_text(table, VMP_STYLE_PLAIN,
        hottest && hottest->i ? vmp_name_function(v->profile, *hottest) : (vmp_str){0});
}

int
vmp_view_threads(
    const vmp_view *v, const vmp_report_threads *threads, const vmp_function_id *hottest)
{
    static const vmp_table_column all[] = {
        {"share", .right = true},
        {"samples", .right = true},
        {"CPU s", .right = true},
        {"wall s", .right = true},
        {"lost", .right = true},
        {"tid", .right = true},
        {"thread", .flex = 8},
        {"hottest function", .flex = 8},
    };
    enum { N = sizeof(all) / sizeof(all[0]), CPU = 2, WALL = 3, LOST = 4 };
    vmp_table_column columns[N];
    thread_columns have = find_columns(threads);
    size_t n = 0;
    for (size_t i = 0; i < N; i++)
        if ((i != CPU || have.cpu) && (i != WALL || have.wall) && (i != LOST || have.lost))
            columns[n++] = all[i];
    vmp_out scratch;
    uint64_t total = 0;
    vmp_table *table = vmp_table_new(v->term, columns, n);
    if (!table)
        return -VMP_ENOMEM;
    vmp_out_init(&scratch, -1);
    for (uint32_t i = 0; i < threads->count; i++)
        total += threads->rows[i].weight;
    for (uint32_t i = 0; i < threads->count; i++)
        add_row(v, table, &scratch, &threads->rows[i], total, have, hottest ? &hottest[i] : NULL);
    int rc = vmp_table_print(table, v->out, 0, true);
    vmp_out_drop(&scratch, v->out);
    vmp_table_free(&table);
    return rc;
}
