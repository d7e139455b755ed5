#include <stdlib.h>

#include "report_internal.h"

int
vmp_report_threads_new(vmp_report_threads **ret_t, const vmp_profile *p)
{
    vmp_report_threads *view = calloc(1, sizeof(*view));
    vmp_report_thread *by_id = calloc(p->thread_count, sizeof(*by_id));
    vmp_report_thread *rows = malloc(p->thread_count * sizeof(*rows));
    vmp_sort_entry *entries = malloc(p->thread_count * sizeof(*entries));
    if (!view || !by_id || !rows || !entries) {
        free(view);
        free(by_id);
        free(rows);
        free(entries);
        return -VMP_ENOMEM;
    }
    for (size_t i = 0; i < p->sum_count; i++) {
        const vmp_profile_sum *sum = &p->sums[i];
        vmp_report_thread *row = &by_id[sum->thread.i];
        row->samples += sum->samples;
        row->weight += sum->weight;
        row->cpu_ns += sum->cpu_ns;
        row->wall_ns += sum->wall_ns;
    }
    for (size_t i = 0; i < p->loss_count; i++)
        by_id[p->losses[i].thread.i].lost += p->losses[i].count;
    uint32_t n = 0;
    for (uint32_t i = 0; i < p->thread_count; i++) {
        if (i == 0 && by_id[0].samples == 0 && by_id[0].lost == 0)
            continue;
        /* Thread 0 has process 0 and belongs behind all others. */
        uint64_t place = i == 0 ? 0 : UINT32_MAX - p->threads[i].process.i;
        entries[n++] = (vmp_sort_entry){place, by_id[i].weight, 0, i};
    }
    vmp_sort_entries(entries, n);
    for (uint32_t i = 0; i < n; i++) {
        rows[i] = by_id[entries[i].index];
        rows[i].thread.i = entries[i].index;
    }
    free(by_id);
    free(entries);
    *view = (vmp_report_threads){n, rows};
    *ret_t = view;
    return 0;
}

void
vmp_report_threads_free(vmp_report_threads **t)
{
    if (*t)
        free((void *)(uintptr_t)(*t)->rows);
    free(*t);
    *t = NULL;
}
