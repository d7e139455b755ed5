#include "synth.h"

static unsigned long long
ull(uint64_t n)
{
    return n;
}

static char *
callers_text(const vmp_profile *p, const vmp_report_callers_options *options)
{
    synth_text text = {calloc(1, 1), 0};
    vmp_report_callers *view = NULL;
    vmp_location_id none = {0};
    CHECK_INT(vmp_report_callers_new(&view, p, options), 0);
    for (uint32_t i = 0; i < view->count; i++) {
        const vmp_report_callers_row *r = &view->rows[i];
        synth_print_function(&text, p, r->function, none);
        synth_print(&text, " %llu/%llu", ull(r->self.weight), ull(r->total.weight));
        for (size_t e = r->first_edge; e < r->first_edge + r->edge_count; e++) {
            synth_print(&text, " ");
            if (view->edges[e].outside)
                synth_print(&text, "-");
            else if (p->functions[view->edges[e].other.i].kind == VMP_PROFILE_ELIDED)
                synth_print(&text, "~");
            else
                synth_print_function(&text, p, view->edges[e].other, none);
            synth_print(&text, "=%llu", ull(view->edges[e].value.weight));
        }
        synth_print(&text, "\n");
    }
    vmp_report_callers_free(&view);
    return text.p;
}

TEST(callers_tell_from_where_a_function_was_called)
{
    vmp_profile *p = SYNTH("1 1 main a", "1 2 main b a", "1 4 main b", "2 8 a", "1 16 main");
    CHECK_TEXT(callers_text(p, NULL), "main 16/23 -=23\n"
                                      "a 11/11 -=8 b=2 main=1\n"
                                      "b 4/6 main=6\n");
    vmp_report_callers_options callees = {.callees = true};
    CHECK_TEXT(callers_text(p, &callees), "main 16/23 b=6 a=1\n"
                                          "a 11/11\n"
                                          "b 4/6 a=2\n");
    vmp_str only[] = {synth_str("a.py")};
    vmp_report_callers_options one = {.only = only, .only_count = 1};
    CHECK_TEXT(callers_text(p, &one), "a 11/11 -=8 b=2 main=1\n");
    vmp_profile_free(&p);
}

TEST(an_edge_counts_a_sample_once_however_often_it_is_there)
{
    vmp_profile *p = SYNTH("1 3 f g f g f", "1 1 f f f", "1 2 main f ~9 g");
    CHECK_TEXT(callers_text(p, NULL), "f 4/6 -=4 g=3 main=2 f=1\n"
                                      "g 2/5 f=3 ~=2\n"
                                      "main 0/2 -=2\n");
    vmp_profile_free(&p);
}

static char *
lines_text(const vmp_profile *p, const vmp_report_lines_options *options)
{
    synth_text text = {calloc(1, 1), 0};
    vmp_report_lines *view = NULL;
    vmp_location_id none = {0};
    CHECK_INT(vmp_report_lines_new(&view, p, options), 0);
    for (uint32_t i = 0; i < view->count; i++) {
        const vmp_report_lines_row *r = &view->rows[i];
        uint64_t selves = 0;
        synth_print_function(&text, p, r->function, none);
        synth_print(&text, " %llu/%llu", ull(r->self.weight), ull(r->total.weight));
        for (size_t l = r->first_line; l < r->first_line + r->line_count; l++) {
            const vmp_report_line *line = &view->lines[l];
            const vmp_profile_location *at = &p->locations[line->location.i];
            CHECK_INT(at->line, line->line);
            synth_print(&text, " %u", line->line);
            if (options && options->positions && at->has_columns)
                synth_print(&text, ":%u", at->col);
            synth_print(&text, "=%llu/%llu", ull(line->self.weight), ull(line->total.weight));
            selves += line->self.weight;
        }
        CHECK_INT(selves, r->self.weight);
        synth_print(&text, "\n");
    }
    vmp_report_lines_free(&view);
    return text.p;
}

TEST(lines_have_the_hits_of_their_function)
{
    vmp_profile *p =
        SYNTH("1 1 main:3 a:20", "1 2 main:3 a:10:4", "1 4 main:5", "1 8 main:3 a:10:8");
    CHECK_TEXT(lines_text(p, NULL), "main 4/15 3=0/11 5=4/4\n"
                                    "a 11/11 10=10/10 20=1/1\n");
    vmp_report_lines_options positions = {.positions = true, .sort = VMP_REPORT_SORT_SELF};
    CHECK_TEXT(lines_text(p, &positions), "a 11/11 10:4=2/2 10:8=8/8 20=1/1\n"
                                          "main 4/15 3=0/11 5=4/4\n");
    vmp_str only[] = {synth_str("mai")};
    vmp_report_lines_options one = {.only = only, .only_count = 1};
    CHECK_TEXT(lines_text(p, &one), "main 4/15 3=0/11 5=4/4\n");
    vmp_profile_free(&p);
}

TEST(a_line_counts_a_sample_once_with_recursion)
{
    vmp_profile *p = SYNTH("1 1 f:2 f:2 f:3", "1 2 f:2 ~4 f:2");
    CHECK_TEXT(lines_text(p, NULL), "f 3/3 2=2/3 3=1/1\n");
    vmp_profile_free(&p);
    p = SYNTH("1 1 f:2:4 f:2:4 f:2:9", "1 2 f:2:9 f:2:4 f:2:9", "2 4 f:2:4 f:3");
    vmp_report_lines_options positions = {.positions = true};
    CHECK_TEXT(lines_text(p, &positions), "f 7/7 2:4=0/7 2:9=3/3 3=4/4\n");
    vmp_profile_free(&p);
}

TEST(flat_below_a_function_counts_what_it_calls)
{
    vmp_profile *p = SYNTH("1 1 main f a", "1 2 main f f b", "1 4 main", "1 8 main g f", "1 16 a");
    vmp_report_flat_options options = {.sort = VMP_REPORT_SORT_NAME};
    for (uint32_t i = 1; i < p->function_count; i++)
        if (vmp_str_equal(vmp_profile_function_name(p, (vmp_function_id){i}), synth_str("f")))
            options.below.i = i;
    CHECK_TEXT(synth_flat_text(p, &options), "a 1/1\nb 2/2\nf 0/2\n");
    vmp_report_flat *flat = NULL;
    CHECK_INT(vmp_report_flat_new(&flat, p, &options), 0);
    CHECK_INT(flat->total.weight, 11);
    CHECK_INT(flat->outside.weight, 8);
    vmp_report_flat_free(&flat);
    options.below.i = 0;
    options.sort = VMP_REPORT_SORT_SELF;
    CHECK_TEXT(synth_flat_text(p, &options), "a 17/17\nf 8/11\nmain 4/15\nb 2/2\ng 0/8\n");
    options.key = VMP_REPORT_BY_LINE;
    CHECK_TEXT(
        synth_flat_text(p, &options), "a:1 17/17\nf:1 8/11\nmain:1 4/15\nb:1 2/2\ng:1 0/8\n");
    vmp_profile_free(&p);
}

TEST(threads_are_listed_with_what_they_used_and_lost)
{
    vmp_profile_builder *b = synth_builder(0, false);
    const char *const lines[] = {"1 2 main", "2 5 worker"};
    vmp_profile_thread idle = {.os_tid = 77};
    vmp_thread_id id, none = {0};
    synth_add(b, lines, 2);
    CHECK_INT(vmp_profile_builder_thread(b, &idle, &id), 0);
    CHECK_INT(vmp_profile_builder_loss(b, synth_str("ring_full"), 3, id), 0);
    CHECK_INT(vmp_profile_builder_loss(b, synth_str("not_delivered"), 4, id), 0);
    CHECK_INT(vmp_profile_builder_loss(b, synth_str("ring_full"), 5, none), 0);
    vmp_profile *p = synth_finish(b);
    vmp_report_threads *view = NULL;
    CHECK_INT(vmp_report_threads_new(&view, p), 0);
    CHECK_INT(view->count, 4);
    CHECK_INT(p->threads[view->rows[0].thread.i].os_tid, 102);
    CHECK_INT(view->rows[0].weight, 5);
    CHECK_INT(view->rows[0].samples, 5);
    CHECK_INT(view->rows[0].cpu_ns, 5 * SYNTH_INTERVAL_NS);
    CHECK_INT(view->rows[0].lost, 0);
    CHECK_INT(p->threads[view->rows[1].thread.i].os_tid, 101);
    CHECK_INT(view->rows[2].thread.i, id.i);
    CHECK_INT(view->rows[2].lost, 7);
    CHECK_INT(view->rows[3].thread.i, 0);
    CHECK_INT(view->rows[3].lost, 5);
    vmp_report_threads_free(&view);
    vmp_profile_free(&p);
}

TEST(info_sums_up_the_run)
{
    vmp_profile_builder *b = NULL;
    vmp_process_id process;
    vmp_thread_id none = {0};
    const char *const lines[] = {"1 3 main a b", "2 7 main"};
    vmp_profile_process facts = {.pid = 42,
        .mode = VMP_PROFILE_MODE_LINES,
        .start_unix_ns = 1000000000000,
        .interval_ns = SYNTH_INTERVAL_NS};
    CHECK_INT(vmp_profile_builder_new(&b, false), 0);
    CHECK_INT(vmp_profile_builder_string(b, synth_str("perf"), &facts.timer), 0);
    CHECK_INT(vmp_profile_builder_process(b, &facts, &process), 0);
    CHECK_INT(vmp_profile_builder_meta(b, synth_str("python"), synth_str("3.11.7")), 0);
    CHECK_INT(vmp_profile_builder_meta(b, synth_str("argv"), synth_str("x")), 0);
    CHECK_INT(vmp_profile_builder_meta(b, synth_str("argv"), synth_str("prog.py\n-v")), 0);
    synth_add(b, lines, 2);
    vmp_profile_builder_clock(b, 1500000000,
        &(vmp_profile_cpu){.process_ns = 2000000000, .profiler_ns = 50000000, .unsampled_ns = 130});
    CHECK_INT(vmp_profile_builder_loss(b, synth_str("ring_full"), 1, none), 0);
    CHECK_INT(vmp_profile_builder_loss(b, synth_str("not_delivered"), 4, none), 0);
    CHECK_INT(vmp_profile_builder_loss(b, synth_str("ring_full"), 2, (vmp_thread_id){1}), 0);
    facts.start_unix_ns += 1000000000;
    CHECK_INT(vmp_profile_builder_process(b, &facts, &process), 0);
    synth_add(b, lines, 1);
    vmp_profile_builder_end(b, 3500000000);
    vmp_profile *p = synth_finish(b);

    vmp_report_info *i = NULL;
    CHECK_INT(vmp_report_info_new(&i, p), 0);
    CHECK_INT(i->samples, 13);
    CHECK_INT(i->ticks, 13);
    CHECK_INT(i->lost, 7);
    CHECK_INT(i->loss_count, 2);
    CHECK_STR(vmp_profile_string(p, i->losses[0].reason).p, "not_delivered");
    CHECK_INT(i->losses[0].count, 4);
    CHECK_STR(vmp_profile_string(p, i->losses[1].reason).p, "ring_full");
    CHECK_INT(i->losses[1].count, 3);
    CHECK_INT(i->asked_hz, 100000000);
    CHECK_INT(i->sampled_ns, 13 * SYNTH_INTERVAL_NS);
    /* 13 ticks in as much time without samples as with. */
    CHECK(i->achieved_hz > 49999999 && i->achieved_hz < 50000001);
    CHECK(i->sample_hz > 49999999 && i->sample_hz < 50000001);
    /* The second process has no clock: 3 samples of 10 ns. */
    CHECK_INT(i->cpu_seconds * 1e9 + 0.5, 2000000030);
    CHECK_INT(i->profiler_cpu_seconds * 1e9 + 0.5, 50000000);
    CHECK_INT(i->unsampled_cpu_seconds * 1e9 + 0.5, 130);
    CHECK_INT(i->unsampled_share * 1e12, 66666); /* of 1.95 s */
    CHECK_INT(i->start_unix_ns, 1000000000000);
    CHECK_INT(i->end_unix_ns, 1004500000000);
    CHECK_INT(i->wall_seconds * 10, 45);
    CHECK_INT(i->mode, VMP_PROFILE_MODE_LINES);
    CHECK_STR(i->timer.p, "perf");
    CHECK_INT(i->pid, 42);
    CHECK_INT(i->log_bytes, 1000);
    CHECK_INT(i->bytes_per_sample, 76);
    CHECK(!i->cut);
    CHECK_INT(i->processes, 2);
    CHECK_INT(i->threads, 3);
    CHECK_INT(i->functions, 3);
    CHECK_INT(i->stacks, 3);
    CHECK_INT(i->depth, 3);
    CHECK_STR(i->argv.p, "prog.py\n-v");
    CHECK_STR(i->python.p, "3.11.7");
    CHECK_INT(i->host.n, 0);
    vmp_report_info_free(&i);
    vmp_profile_free(&p);
}

TEST(info_of_nothing_has_no_rates)
{
    vmp_profile_builder *b = NULL;
    vmp_report_info *i = NULL;
    CHECK_INT(vmp_profile_builder_new(&b, false), 0);
    vmp_profile *p = synth_finish(b);
    CHECK_INT(vmp_report_info_new(&i, p), 0);
    CHECK_INT(i->processes, 0);
    CHECK(i->asked_hz == 0 && i->achieved_hz == 0 && i->sample_hz == 0);
    CHECK(i->bytes_per_sample == 0 && i->cpu_seconds == 0 && i->wall_seconds == 0);
    vmp_report_info_free(&i);
    vmp_profile_free(&p);
}

/* Samples of one thread with the times and memory sizes given. */
static void
memory_samples(vmp_profile_builder *b, vmp_thread_id thread, const char *frames, uint32_t n,
    const int64_t *time_ns, const uint64_t *rss_kb)
{
    vmp_stack_id stack = synth_stack(b, frames);
    uint32_t *numbers = calloc(n, sizeof(*numbers));
    vmp_profile_batch batch = {.thread = thread,
        .n = n,
        .cpu_ns = (uint64_t)n * SYNTH_INTERVAL_NS,
        .time_ns = time_ns,
        .stack = numbers,
        .stack_ids = &stack,
        .stack_id_count = 1,
        .rss_kb = rss_kb};
    CHECK_INT(vmp_profile_builder_samples(b, &batch), 0);
    free(numbers);
}

TEST(memory_growth_goes_to_the_sample_that_saw_it_over_all_threads)
{
    enum { MS = 1000000 };
    vmp_profile_builder *b = synth_builder(VMP_PROFILE_MODE_MEMORY, false);
    vmp_profile_thread facts = {.os_tid = 1};
    vmp_thread_id one, two;
    CHECK_INT(vmp_profile_builder_thread(b, &facts, &one), 0);
    CHECK_INT(vmp_profile_builder_thread(b, &facts, &two), 0);
    /* In order of time: 100, 150 (b), 130 (a), 430 (b), 410 (main). */
    memory_samples(
        b, one, "main a", 2, (const int64_t[]){1 * MS, 3 * MS}, (const uint64_t[]){100, 130});
    memory_samples(b, one, "main", 1, (const int64_t[]){7 * MS}, (const uint64_t[]){410});
    memory_samples(
        b, two, "main b", 2, (const int64_t[]){2 * MS, 5 * MS}, (const uint64_t[]){150, 430});
    vmp_profile *p = synth_finish(b);
    vmp_report_memory *m = NULL;
    CHECK_INT(vmp_report_memory_new(&m, p, NULL), 0);
    CHECK_INT(m->first_kb, 100);
    CHECK_INT(m->last_kb, 410);
    CHECK_INT(m->peak_kb, 430);
    CHECK_INT(m->peak_ns, 5 * MS);
    CHECK_INT(m->peak_thread.i, two.i);
    CHECK_INT(vmp_profile_stack_depth(p, m->peak_stack), 2);
    CHECK_INT(m->bin_ns, MS);
    CHECK_INT(m->bin_count, 8);
    CHECK_INT(m->bins[0].samples, 0);
    CHECK_INT(m->bins[5].max_kb, 430);
    CHECK_INT(m->bins[7].time_ns, 7 * MS);
    CHECK_INT(m->growth_count, 3);
    const char *const names[] = {"b", "a", "main"};
    const uint64_t figures[][4] = {{350, 0, 350, 0}, {0, 20, 0, 20}, {0, 20, 350, 40}};
    for (uint32_t i = 0; i < 3; i++) {
        const vmp_report_growth_row *g = &m->growth[i];
        bool found = false;
        for (uint32_t k = 0; k < 3; k++) {
            if (!vmp_str_equal(vmp_profile_function_name(p, g->function), synth_str(names[k])))
                continue;
            found = true;
            CHECK_INT(g->self_grown_kb, figures[k][0]);
            CHECK_INT(g->self_shrunk_kb, figures[k][1]);
            CHECK_INT(g->total_grown_kb, figures[k][2]);
            CHECK_INT(g->total_shrunk_kb, figures[k][3]);
        }
        CHECK(found);
    }
    CHECK_STR(vmp_profile_function_name(p, m->growth[0].function).p, "b");
    vmp_report_memory_free(&m);

    vmp_report_memory_options few = {.max_bins = 3};
    CHECK_INT(vmp_report_memory_new(&m, p, &few), 0);
    CHECK_INT(m->bin_count, 3);
    CHECK_INT(m->bin_ns, 3 * MS);
    CHECK_INT(m->bins[0].samples, 2);
    CHECK_INT(m->bins[0].min_kb, 100);
    CHECK_INT(m->bins[0].max_kb, 150);
    CHECK_INT(m->bins[0].mean_kb, 125);
    CHECK_INT(m->bins[1].mean_kb, 280);
    CHECK_INT(m->bins[2].samples, 1);
    vmp_report_memory_free(&m);

    few.process_index = 1;
    CHECK_INT(vmp_report_memory_new(&m, p, &few), 0);
    CHECK(m == NULL);
    vmp_profile_free(&p);
}

static void
check_peak(const vmp_profile *p, const vmp_report_filter *filter, const char *want)
{
    vmp_report_memory_options how = {.filter = *filter};
    vmp_report_memory *m = NULL;
    char text[128] = "";
    CHECK_INT(vmp_report_memory_new(&m, p, &how), 0);
    for (uint32_t i = 0; i < m->peak_frame_count; i++) {
        vmp_function_id function = p->locations[m->peak_frames[i].i].function;
        vmp_str name = vmp_profile_function_name(p, function);
        if (name.n == 0) /* native */
            name = vmp_profile_string(p, p->functions[function.i].file);
        size_t used = strlen(text);
        snprintf(text + used, sizeof(text) - used, "%s%.*s", i ? " " : "", (int)name.n, name.p);
    }
    CHECK_STR(text, want);
    CHECK_INT(vmp_profile_stack_depth(p, m->peak_stack), 6);
    vmp_report_memory_free(&m);
}

TEST(the_peak_has_the_frames_that_the_filter_leaves)
{
    vmp_profile_builder *b = synth_builder(VMP_PROFILE_MODE_MEMORY, false);
    vmp_profile_thread facts = {.os_tid = 1};
    vmp_thread_id thread;
    CHECK_INT(vmp_profile_builder_thread(b, &facts, &thread), 0);
    memory_samples(b, thread, "runpy start main runpy a n!lib", 1, (const int64_t[]){1},
        (const uint64_t[]){100});
    vmp_profile *p = synth_finish(b);
    const vmp_str runpy = {"runpy.py", 8}, start = {"start", 5}, main = {"main.py", 7},
                  all = {"*", 1};
    check_peak(p, &(vmp_report_filter){0}, "runpy start main runpy a lib");
    check_peak(p, &(vmp_report_filter){.fold = &runpy, .fold_count = 1}, "start main runpy a lib");
    check_peak(p,
        &(vmp_report_filter){
            .fold = &runpy, .fold_count = 1, .hide = &start, .hide_count = 1, .hide_native = true},
        "main runpy a");
    /* A hidden frame does not end the outer ones. */
    check_peak(p,
        &(vmp_report_filter){.fold = (const vmp_str[]){runpy, main},
            .fold_count = 2,
            .hide = &start,
            .hide_count = 1},
        "a lib");
    check_peak(p, &(vmp_report_filter){.fold = &all, .fold_count = 1}, "");
    vmp_profile_free(&p);
}

TEST_MAIN(RUN(callers_tell_from_where_a_function_was_called),
    RUN(an_edge_counts_a_sample_once_however_often_it_is_there),
    RUN(lines_have_the_hits_of_their_function), RUN(a_line_counts_a_sample_once_with_recursion),
    RUN(flat_below_a_function_counts_what_it_calls),
    RUN(threads_are_listed_with_what_they_used_and_lost), RUN(info_sums_up_the_run),
    RUN(info_of_nothing_has_no_rates),
    RUN(memory_growth_goes_to_the_sample_that_saw_it_over_all_threads),
    RUN(the_peak_has_the_frames_that_the_filter_leaves))
