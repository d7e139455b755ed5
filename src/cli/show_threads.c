#include <stdlib.h>

#include "show.h"

/* The hottest function is looked for in so many threads: each look is a pass
 * over the profile. */
enum { MOST_LOOKS = 64 };

static int
find_hottest(const vmp_show *s, const vmp_report_threads *threads, vmp_function_id *hottest)
{
    for (uint32_t i = 0; i < threads->count && i < MOST_LOOKS; i++) {
        vmp_report_flat *flat = NULL;
        vmp_report_flat_options how = {
            .filter = vmp_report_filter_default(), .sort = VMP_REPORT_SORT_SELF};
        if (threads->rows[i].weight == 0)
            continue;
        how.filter.threads = &threads->rows[i].thread;
        how.filter.thread_count = 1;
        int rc = vmp_report_flat_new(&flat, s->profile, &how);
        if (rc < 0)
            return rc;
        if (flat->count)
            hottest[i] = flat->rows[0].function;
        vmp_report_flat_free(&flat);
    }
    return 0;
}

static void
put_json(const vmp_show *s, const vmp_report_threads *threads, const vmp_function_id *hottest)
{
    vmp_json j = vmp_show_json_begin(s, "threads", NULL);
    uint64_t total = 0;
    for (uint32_t i = 0; i < threads->count; i++)
        total += threads->rows[i].weight;
    vmp_json_key(&j, "threads");
    vmp_json_begin(&j, '[');
    for (uint32_t i = 0; i < threads->count; i++) {
        const vmp_report_thread *row = &threads->rows[i];
        vmp_json_begin(&j, '{');
        vmp_show_json_thread(&j, "thread", s->profile, row->thread);
        vmp_json_put_uint(&j, "samples", row->samples);
        vmp_json_put_uint(&j, "ticks", vmp_profile_ticks(s->profile, row->weight));
        vmp_json_put_double(&j, "percent", vmp_view_percent(row->weight, total));
        vmp_json_put_double(&j, "cpu_seconds", (double)row->cpu_ns / 1e9);
        vmp_json_put_double(&j, "wall_seconds", (double)row->wall_ns / 1e9);
        vmp_json_put_uint(&j, "lost", row->lost);
        vmp_json_put_double(
            &j, "start_seconds", (double)s->profile->threads[row->thread.i].start_ns / 1e9);
        vmp_json_key(&j, "hottest");
        if (hottest[i].i) {
            vmp_json_begin(&j, '{');
            vmp_show_json_function(&j, s->profile, hottest[i]);
            vmp_json_end(&j, '}');
        } else {
            vmp_json_null(&j);
        }
        vmp_json_end(&j, '}');
    }
    vmp_json_end(&j, ']');
    vmp_show_json_end(&j);
}

int
vmp_show_threads(const vmp_show *s)
{
    vmp_report_threads *threads = NULL;
    int rc = vmp_report_threads_new(&threads, s->profile);
    if (rc < 0)
        return rc;
    vmp_function_id *hottest = calloc((size_t)threads->count + 1, sizeof(*hottest));
    rc = hottest ? find_hottest(s, threads, hottest) : -VMP_ENOMEM;
    if (rc == 0 && s->options->json)
        put_json(s, threads, hottest);
    else if (rc == 0 && threads->count == 0)
        vmp_out_text(s->view.out, "The log names no thread.\n");
    else if (rc == 0)
        rc = vmp_view_threads(&s->view, threads, hottest);
    free(hottest);
    vmp_report_threads_free(&threads);
    return rc;
}
