#include <errno.h>
#include "load.h"
#include "log_bytes.h"
#include "log_writer_internal.h" /* to begin epochs early */

static vmp_profile *
load(const log_bytes *b, bool keep_samples)
{
    vmp_profile *p = NULL;
    vmp_err err = {0};
    vmp_load_options options = {.keep_samples = keep_samples};
    CHECK_INT(vmp_load_bytes(&p, b->p, b->n, &options, &err), 0);
    if (!p) {
        printf("# %s\n", err.text);
        abort();
    }
    return p;
}

static vmp_function_id
function_named(const vmp_profile *p, const char *name)
{
    for (uint32_t i = 1; i < p->function_count; i++)
        if (vmp_str_equal(vmp_profile_function_name(p, (vmp_function_id){i}), str(name)))
            return (vmp_function_id){i};
    return (vmp_function_id){0};
}

TEST(a_log_becomes_tables)
{
    log_bytes b = log_bytes_rich(VMP_LOG_MODE_LINES, 7);
    vmp_profile *p = load(&b, false);
    CHECK(!p->cut);
    CHECK_INT(p->log_bytes, b.n);
    CHECK_INT(p->process_count, 2);
    const vmp_profile_process *process = &p->processes[1];
    CHECK_INT(process->pid, 7);
    CHECK_INT(process->mode, VMP_PROFILE_MODE_LINES);
    CHECK_INT(process->interval_ns, 1000);
    CHECK_INT(process->start_unix_ns, 1700000007000000000);
    CHECK_INT(process->duration_ns, 9500);
    CHECK(process->has_cpu);
    CHECK_INT(process->cpu.process_ns, 12345);
    CHECK_INT(process->cpu.profiler_ns, 45);
    CHECK_INT(process->cpu.unsampled_ns, 67);
    CHECK_STR(vmp_profile_string(p, process->timer).p, "made up");
    CHECK_STR(vmp_profile_meta_get(p, (vmp_process_id){1}, "argv").p, "app.py\n-x");
    CHECK_STR(vmp_profile_meta_get(p, (vmp_process_id){1}, "python").p, "3.11.7");

    CHECK_INT(p->thread_count, 3);
    CHECK_STR(vmp_profile_string(p, p->threads[2].name).p, "worker");
    CHECK_INT(p->threads[2].os_tid, 701);
    CHECK_INT(p->threads[2].ident, 0x7f01);
    CHECK_INT(p->threads[2].start_ns, 100);

    vmp_function_id work = function_named(p, "App.work");
    CHECK(work.i != 0);
    CHECK_STR(vmp_profile_string(p, p->functions[work.i].name).p, "work");
    CHECK_STR(vmp_profile_string(p, p->functions[work.i].file).p, "app.py");
    CHECK_INT(p->functions[work.i].first_line, 10);
    CHECK_INT(p->functions[work.i].codes, 2);
    CHECK_INT(p->function_count, 5); /* none, main, work, elided, libm */

    uint64_t elided = 0, native = 0;
    for (uint32_t i = 1; i < p->location_count; i++) {
        const vmp_profile_location *l = &p->locations[i];
        elided += l->kind == VMP_PROFILE_ELIDED ? l->detail : 0;
        if (l->kind == VMP_PROFILE_NATIVE) {
            native += l->detail;
            CHECK_STR(vmp_profile_string(p, p->functions[l->function.i].file).p, "/lib/libm.so");
        }
        if (l->function.i == work.i) {
            CHECK_INT(l->line, 12);
            CHECK_INT(l->end_line, 13);
            CHECK_INT(l->col, 4);
            CHECK_INT(l->end_col, 9);
            CHECK_INT(l->instr, 24);
        }
    }
    CHECK_INT(elided, 30);
    CHECK_INT(native, 0x234);
    CHECK_INT(p->location_count, 5);

    CHECK_INT(p->total_samples, 8);
    CHECK_INT(p->loss_count, 2);
    CHECK_STR(vmp_profile_string(p, p->losses[0].reason).p, "ring_full");
    CHECK_INT(p->losses[0].thread.i, 2);
    CHECK_INT(p->losses[0].count, 3);
    CHECK_STR(vmp_profile_string(p, p->losses[1].reason).p, "not_delivered");
    vmp_profile_free(&p);
    free(b.p);
}

TEST(sums_and_single_samples_agree)
{
    log_bytes b = log_bytes_rich(VMP_LOG_MODE_MEMORY, 7);
    vmp_profile *p = load(&b, true);
    uint64_t cpu[3] = {0}, samples = 0, values = 0;
    for (size_t i = 0; i < p->sum_count; i++) {
        cpu[p->sums[i].thread.i] += p->sums[i].cpu_ns;
        samples += p->sums[i].samples;
        uint64_t of_sum = 0;
        for (size_t k = 0; k < p->samples.count; k++)
            if (p->samples.thread[k].i == p->sums[i].thread.i &&
                p->samples.stack[k].i == p->sums[i].stack.i)
                of_sum += p->samples.value_ns[k];
        CHECK_INT(of_sum, p->sums[i].cpu_ns);
        values += of_sum;
    }
    CHECK_INT(cpu[1], 4100 + 2 * 1000);
    CHECK_INT(cpu[2], 1001);
    CHECK_INT(values, cpu[1] + cpu[2]);
    CHECK_INT(samples, 8);
    CHECK(p->has_samples);
    CHECK_INT(p->samples.count, 8);
    for (size_t k = 0; k < p->samples.count; k++)
        CHECK_INT(p->samples.rss_kb[k], 100 + p->samples.time_ns[k]);
    CHECK_INT(p->memory_count, 1);
    CHECK_INT(p->memories[0].peak_kb, 100 + 6500);
    CHECK_INT(p->memories[0].peak_ns, 6500);
    /* main > work of both code objects is one stack. */
    CHECK_INT(p->sum_count, 5);
    vmp_profile_free(&p);
    free(b.p);
}

TEST(concatenated_logs_become_processes)
{
    log_bytes one = log_bytes_rich(0, 7), two = log_bytes_rich(VMP_LOG_MODE_WALL, 8);
    log_bytes both = {malloc(one.n + two.n), one.n + two.n, NULL};
    memcpy(both.p, one.p, one.n);
    memcpy(both.p + one.n, two.p, two.n);
    vmp_profile *p = load(&both, false), *first = load(&one, false);
    CHECK_INT(p->process_count, 3);
    CHECK_INT(p->processes[1].pid, 7);
    CHECK_INT(p->processes[2].pid, 8);
    CHECK_INT(p->thread_count, 5);
    CHECK_INT(p->threads[4].process.i, 2);
    CHECK(vmp_profile_thread_is_wall(p, (vmp_thread_id){4}));
    CHECK(!vmp_profile_thread_is_wall(p, (vmp_thread_id){2}));
    CHECK_INT(p->function_count, first->function_count);
    CHECK_INT(p->location_count, first->location_count);
    CHECK_INT(p->stack_count, first->stack_count);
    CHECK_INT(p->sum_count, 2 * first->sum_count);
    CHECK_INT(p->total_samples, 16);
    CHECK(!p->cut);
    vmp_profile_free(&p);
    vmp_profile_free(&first);
    free(one.p);
    free(two.p);
    free(both.p);
}

TEST(epochs_do_not_divide_stacks)
{
    log_bytes b;
    vmp_log_session session = log_bytes_session(0, 1);
    vmp_log_writer *w = log_bytes_open(&b, &session);
    vmp_log_writer_set_epoch_nodes(w, 8);
    vmp_log_writer_thread(w, 1, 1, 1, str("x"), 5000);
    uint32_t main_at = log_bytes_location(w, "main", 1, 5);
    uint32_t at[3] = {log_bytes_location(w, "a", 10, 12), log_bytes_location(w, "b", 10, 12),
        log_bytes_location(w, "c", 10, 12)};
    enum { ROUNDS = 50 };
    for (int i = 0; i < ROUNDS; i++) {
        uint32_t stack = vmp_log_writer_stack(w, 0, main_at);
        for (int d = 0; d < 4; d++)
            stack = vmp_log_writer_stack(w, stack, at[(i + d) % 3]);
        log_bytes_sample(w, 1, stack, i * 1000);
        vmp_log_writer_batch(w, 1, 1000, 1000);
        CHECK_INT(vmp_log_writer_flush(w, NULL), 0);
    }
    CHECK(vmp_log_writer_epoch(w) > 3);
    vmp_log_writer_end(w, 5000 + ROUNDS * 1000);
    log_bytes_take(&b, &w);
    vmp_profile *p = load(&b, false);
    CHECK_INT(p->stack_count, 1 + 1 + 3 * 4);
    CHECK_INT(p->sum_count, 3);
    CHECK_INT(p->total_samples, ROUNDS);
    vmp_profile_free(&p);
    free(b.p);
}

TEST(a_log_cut_anywhere_loads_up_to_the_cut)
{
    log_bytes b = log_bytes_rich(0, 7);
    uint64_t samples = 0;
    for (size_t n = 0; n < b.n; n++) {
        vmp_profile *p = NULL;
        vmp_err err = {0};
        int rc = vmp_load_bytes(&p, b.p, n, NULL, &err);
        if (rc < 0) {
            CHECK_INT(rc, -VMP_EFORMAT);
            CHECK(p == NULL && err.text[0] != '\0');
            CHECK_INT(samples, 0);
            continue;
        }
        CHECK(p->cut);
        CHECK(p->total_samples >= samples);
        samples = p->total_samples;
        for (size_t i = 0; i < p->sum_count; i++)
            for (vmp_stack_id s = p->sums[i].stack; s.i != 0; s = p->stack_parent[s.i])
                CHECK(p->locations[p->stack_location[s.i].i].function.i != 0);
        vmp_profile_free(&p);
    }
    CHECK_INT(samples, 4); /* the first chunk's: the last chunk was never whole */
    free(b.p);
}

TEST(damage_is_an_error_with_its_place)
{
    log_bytes b = log_bytes_rich(0, 7);
    vmp_profile *p = NULL;
    vmp_err err = {0};
    b.p[b.n / 2] ^= 0x10;
    CHECK_INT(vmp_load_bytes(&p, b.p, b.n, NULL, &err), -VMP_ECORRUPT);
    CHECK(p == NULL);
    CHECK(err.where > 0 && err.where < b.n);
    CHECK(err.text[0] != '\0');
    free(b.p);
}

TEST(what_is_no_log_is_refused)
{
    static const char png[] = "\x89PNG\r\n\x1a\n\0\0\0\rIHDR";
    vmp_profile *p = NULL;
    vmp_err err = {0};
    CHECK_INT(vmp_load_bytes(&p, png, sizeof(png), NULL, &err), -VMP_EFORMAT);
    CHECK_INT(vmp_load_bytes(&p, "", 0, NULL, &err), -VMP_EFORMAT);
    CHECK_INT(vmp_load_bytes(&p, "hello, world\n", 13, NULL, NULL), -VMP_EFORMAT);
    CHECK_INT(vmp_load_fd(&p, 999, NULL, &err), -VMP_EIO);
    CHECK(p == NULL);
}

TEST(a_descriptor_that_is_none_is_an_error_of_reading)
{
    vmp_profile *p = NULL;
    vmp_err err = {0};
    CHECK_INT(vmp_load_fd(&p, -1, NULL, &err), -VMP_EIO);
    CHECK_INT(err.os_errno, EBADF);
    CHECK(p == NULL);
}

TEST(losses_alone_are_a_profile)
{
    log_bytes b;
    vmp_log_session session = log_bytes_session(0, 1);
    vmp_log_writer *w = log_bytes_open(&b, &session);
    vmp_log_writer_loss(w, VMP_LOG_LOSS_UNREADABLE, 9, 0);
    log_bytes_take(&b, &w);
    vmp_profile *p = load(&b, true);
    CHECK_INT(p->total_samples, 0);
    CHECK_INT(p->loss_count, 1);
    CHECK_INT(p->losses[0].count, 9);
    CHECK(p->cut);
    vmp_profile_free(&p);
    free(b.p);
}

typedef struct told {
    uint64_t calls, last;
} told;

static void
on_progress(void *ctx, uint64_t bytes_done)
{
    told *t = ctx;
    CHECK(bytes_done >= t->last);
    t->last = bytes_done;
    t->calls++;
}

TEST(progress_comes_from_a_descriptor_too)
{
    log_bytes b;
    vmp_log_session session = log_bytes_session(0, 1);
    vmp_log_writer *w = log_bytes_open(&b, &session);
    vmp_log_writer_thread(w, 1, 1, 1, str("x"), 5000);
    uint32_t stack = vmp_log_writer_stack(w, 0, log_bytes_location(w, "main", 1, 5));
    enum { SAMPLES = 300000 };
    uint64_t noise = 1;
    for (int i = 0; i < SAMPLES; i++) {
        noise = noise * 6364136223846793005u + 1442695040888963407u;
        log_bytes_sample(w, 1, stack, (int64_t)(noise >> 24));
        if (i % 1000 == 999) {
            vmp_log_writer_batch(w, 1, 1000, 1000);
            CHECK_INT(vmp_log_writer_flush(w, NULL), 0);
        }
    }
    log_bytes_take(&b, &w);
    FILE *file = tmpfile();
    CHECK(fwrite(b.p, 1, b.n, file) == b.n);
    CHECK_INT(fseek(file, 0, SEEK_SET), 0);
    told t = {0, 0};
    vmp_load_options options = {.progress = on_progress, .progress_ctx = &t};
    vmp_profile *p = NULL;
    CHECK_INT(vmp_load_fd(&p, fileno(file), &options, NULL), 0);
    CHECK_INT(p->total_samples, SAMPLES);
    CHECK_INT(t.last, b.n);
    CHECK(t.calls > 2 && t.calls <= b.n / (256 << 10) + 2);
    vmp_profile_free(&p);
    fclose(file);
    free(b.p);
}

TEST_MAIN(RUN(a_log_becomes_tables), RUN(sums_and_single_samples_agree),
    RUN(concatenated_logs_become_processes), RUN(epochs_do_not_divide_stacks),
    RUN(a_log_cut_anywhere_loads_up_to_the_cut), RUN(damage_is_an_error_with_its_place),
    RUN(what_is_no_log_is_refused), RUN(a_descriptor_that_is_none_is_an_error_of_reading),
    RUN(losses_alone_are_a_profile), RUN(progress_comes_from_a_descriptor_too))
