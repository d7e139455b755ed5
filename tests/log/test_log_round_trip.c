/* Random records through writer and reader. The seed is printed; VMP_TEST_SEED
 * repeats a run. */
#include <unistd.h>

#include "check.h"
#include "gen_stream.h"
#include "log_dump.h"
#include "log_writer_internal.h"

enum { THREADS = 5, KINDS = 16, START_MONO = 1000000 };

/* What went in, or came out, by kind; samples by thread. Within one of these the
 * order is the same on both sides. */
typedef struct record_of {
    vmp_buf kinds[KINDS];
    vmp_buf samples[THREADS + 1];
    uint64_t losses[VMP_LOG_LOSS_COUNT][THREADS + 1];
    uint64_t cpu_ns[THREADS + 1], wall_ns[THREADS + 1];
    uint32_t epoch, strings;
} record_of;

static void
record_fini(record_of *m)
{
    for (int i = 0; i < KINDS; i++)
        vmp_buf_fini(&m->kinds[i]);
    for (int i = 0; i <= THREADS; i++)
        vmp_buf_fini(&m->samples[i]);
}

/* Adds one event, the writer's or the reader's. Stack ids are told apart by epoch. */
static void
record_event(record_of *m, const vmp_log_event *e)
{
    if (e->kind == VMP_LOG_EPOCH) {
        m->epoch++;
    } else if (e->kind == VMP_LOG_SAMPLES) {
        uint32_t t = e->u.samples.thread;
        m->cpu_ns[t] += e->u.samples.cpu_ns;
        m->wall_ns[t] += e->u.samples.wall_ns;
        for (uint32_t i = 0; i < e->u.samples.n; i++)
            dump_line(&m->samples[t], "%u/%u %" PRId64 " %" PRIu64 " %" PRIu64 " %u", m->epoch,
                e->u.samples.stack[i], e->u.samples.time_ns[i],
                e->u.samples.weight ? e->u.samples.weight[i] : 1,
                e->u.samples.rss_kb ? e->u.samples.rss_kb[i] : 0,
                e->u.samples.flags ? e->u.samples.flags[i] : 0);
    } else if (e->kind == VMP_LOG_LOSS) {
        m->losses[e->u.loss.reason][e->u.loss.thread] += e->u.loss.count;
    } else {
        if (e->kind == VMP_LOG_STACKS)
            dump_line(&m->kinds[e->kind], "%u", m->epoch);
        dump_event(&m->kinds[e->kind], e);
    }
}

typedef struct script {
    uint64_t random;
    vmp_log_writer *w;
    record_of want;
    uint32_t codes, locations, mappings, threads, stacks;
    int32_t *first_lines;
    int64_t quantum;
    bool memory;
    int64_t time_ns[THREADS + 1];
} script;

static uint64_t
any_number(script *s)
{
    /* All magnitudes alike. */
    return gen_random(&s->random) >> gen_below(&s->random, 64);
}

static vmp_str
any_string(script *s, char *buf, size_t cap)
{
    size_t n = gen_below(&s->random, gen_below(&s->random, 20) == 0 ? (uint32_t)cap : 12);
    for (size_t i = 0; i < n; i++)
        buf[i] = (char)(gen_below(&s->random, 30) ? 'a' + gen_below(&s->random, 3)
                                                  : gen_below(&s->random, 256));
    return (vmp_str){buf, n};
}

/* Notes a string that the writer is about to be given. */
static uint32_t
note_string(script *s, vmp_str text)
{
    uint32_t id = vmp_log_writer_string(s->w, text);
    if (id > s->want.strings) {
        s->want.strings = id;
        record_event(&s->want,
            &(vmp_log_event){.kind = VMP_LOG_STRINGS, .u.string = {.id = id, .text = text}});
    }
    return id;
}

static void
do_code(script *s)
{
    char text[3][200];
    vmp_log_event e = {.kind = VMP_LOG_CODES};
    vmp_str name = any_string(s, text[0], 200), qualname = any_string(s, text[1], 200),
            file = any_string(s, text[2], 200);
    e.u.code.name = note_string(s, name);
    e.u.code.qualname = note_string(s, qualname);
    e.u.code.file = note_string(s, file);
    e.u.code.first_line = (int32_t)any_number(s);
    e.u.code.id = vmp_log_writer_code(s->w, name, qualname, file, e.u.code.first_line);
    CHECK_INT(e.u.code.id, ++s->codes);
    s->first_lines = realloc(s->first_lines, s->codes * sizeof(*s->first_lines));
    s->first_lines[s->codes - 1] = e.u.code.first_line;
    record_event(&s->want, &e);
}

static void
do_location(script *s)
{
    vmp_log_event e = {.kind = VMP_LOG_LOCATIONS};
    uint32_t kind = gen_below(&s->random, 8);
    if (kind == 0 && s->mappings > 0) {
        e.u.location.kind = VMP_LOG_LOCATION_NATIVE;
        e.u.location.mapping = 1 + gen_below(&s->random, s->mappings);
        e.u.location.relative = any_number(s);
        e.u.location.id = vmp_log_writer_native(s->w, e.u.location.mapping, e.u.location.relative);
    } else if (kind == 1) {
        e.u.location.kind = VMP_LOG_LOCATION_ELIDED;
        e.u.location.elided = any_number(s);
        e.u.location.id = vmp_log_writer_elided(s->w, e.u.location.elided);
        CHECK_INT(vmp_log_writer_elided(s->w, e.u.location.elided), e.u.location.id);
        if (e.u.location.id <= s->locations)
            return; /* seen before */
    } else {
        vmp_log_pos pos = {(uint32_t)any_number(s) & 0x7fffffff, 0, (uint32_t)any_number(s),
            (uint32_t)any_number(s), gen_below(&s->random, 2) == 0};
        pos.end_line = pos.line + (gen_below(&s->random, 4) ? 0 : gen_below(&s->random, 100));
        e.u.location.code = 1 + gen_below(&s->random, s->codes);
        e.u.location.instr = (uint32_t)any_number(s);
        e.u.location.id = vmp_log_writer_location(s->w, e.u.location.code, e.u.location.instr,
            s->first_lines[e.u.location.code - 1], &pos);
        if (pos.line == 0)
            pos = (vmp_log_pos){0};
        else if (!pos.has_columns)
            pos = (vmp_log_pos){pos.line, pos.line, 0, 0, false};
        e.u.location.pos = pos;
    }
    CHECK_INT(e.u.location.id, ++s->locations);
    record_event(&s->want, &e);
}

static void
do_stack(script *s)
{
    vmp_log_event e = {.kind = VMP_LOG_STACKS};
    uint32_t parent = gen_below(&s->random, 3) ? s->stacks : gen_below(&s->random, s->stacks + 1);
    e.u.stack.location = 1 + gen_below(&s->random, s->locations);
    e.u.stack.parent = parent;
    e.u.stack.id = vmp_log_writer_stack(s->w, parent, e.u.stack.location);
    CHECK_INT(vmp_log_writer_stack(s->w, parent, e.u.stack.location), e.u.stack.id);
    if (e.u.stack.id <= s->stacks)
        return;
    CHECK_INT(e.u.stack.id, ++s->stacks);
    record_event(&s->want, &e);
}

static void
do_sample(script *s)
{
    uint32_t t = 1 + gen_below(&s->random, s->threads);
    int64_t far = (int64_t)(any_number(s) >> 8);
    s->time_ns[t] +=
        gen_below(&s->random, 50) ? 1000 + gen_below(&s->random, 300) : far % 1000000000;
    uint32_t flags = gen_below(&s->random, 3) ? 0 : gen_below(&s->random, 32);
    uint32_t stack = gen_below(&s->random, s->stacks + 1);
    uint64_t weight = gen_below(&s->random, 5) ? 1 : 1 + (any_number(s) >> 12);
    uint64_t rss = s->memory ? any_number(s) : 0;
    int64_t time = s->time_ns[t] / s->quantum * s->quantum;
    vmp_log_writer_sample(
        s->w, &(vmp_log_sample){t, stack, START_MONO + s->time_ns[t], weight, rss, flags});
    record_event(&s->want, &(vmp_log_event){.kind = VMP_LOG_SAMPLES,
                               .u.samples = {t, 1, 0, 0, &time, &stack, &weight, &rss, &flags}});
}

static void
do_batch(script *s)
{
    vmp_log_event e = {.kind = VMP_LOG_SAMPLES};
    e.u.samples.thread = 1 + gen_below(&s->random, s->threads);
    e.u.samples.cpu_ns = any_number(s) >> 12;
    e.u.samples.wall_ns = any_number(s) >> 12;
    if (vmp_log_writer_batch(s->w, e.u.samples.thread, e.u.samples.cpu_ns, e.u.samples.wall_ns))
        record_event(&s->want, &e);
}

static void
do_thread(script *s)
{
    char text[200];
    vmp_str name = any_string(s, text, 200);
    vmp_log_event e = {.kind = VMP_LOG_THREAD};
    uint32_t index = 1 + gen_below(&s->random, s->threads < THREADS ? s->threads + 1 : THREADS);
    s->threads = index > s->threads ? index : s->threads;
    e.u.thread.index = index;
    e.u.thread.os_tid = any_number(s);
    e.u.thread.ident = any_number(s);
    e.u.thread.name = note_string(s, name);
    e.u.thread.start_ns = (int64_t)any_number(s);
    vmp_log_writer_thread(s->w, index, e.u.thread.os_tid, e.u.thread.ident, name,
        (int64_t)((uint64_t)e.u.thread.start_ns + START_MONO));
    record_event(&s->want, &e);
}

static void
do_other(script *s)
{
    char text[2][200];
    vmp_log_event e = {0};
    switch (gen_below(&s->random, 4)) {
    case 0:
        e.kind = VMP_LOG_MAPPING;
        e.u.mapping.id = ++s->mappings;
        e.u.mapping.start = any_number(s);
        e.u.mapping.end = any_number(s);
        e.u.mapping.file_offset = any_number(s);
        e.u.mapping.build_id = any_string(s, text[0], 200);
        e.u.mapping.path = any_string(s, text[1], 200);
        CHECK_INT(vmp_log_writer_mapping(s->w, e.u.mapping.start, e.u.mapping.end,
                      e.u.mapping.file_offset, e.u.mapping.build_id, e.u.mapping.path),
            e.u.mapping.id);
        break;
    case 1:
        e.kind = VMP_LOG_META;
        e.u.meta.key = any_string(s, text[0], 200);
        e.u.meta.value = any_string(s, text[1], 200);
        vmp_log_writer_meta(s->w, e.u.meta.key, e.u.meta.value);
        break;
    default:
        e.kind = VMP_LOG_LOSS;
        e.u.loss.reason = (enum vmp_log_loss)gen_below(&s->random, VMP_LOG_LOSS_COUNT);
        e.u.loss.count = any_number(s) >> 8;
        e.u.loss.thread = gen_below(&s->random, s->threads + 1);
        vmp_log_writer_loss(s->w, e.u.loss.reason, e.u.loss.count, e.u.loss.thread);
    }
    record_event(&s->want, &e);
}

static void
do_flush(script *s)
{
    vmp_log_event e = {.kind = VMP_LOG_CLOCK};
    vmp_err err = {0};
    if (gen_below(&s->random, 2)) {
        e.u.clock.mono_ns = (int64_t)any_number(s);
        e.u.clock.process_cpu_ns = any_number(s);
        e.u.clock.profiler_cpu_ns = any_number(s);
        e.u.clock.unsampled_cpu_ns = any_number(s);
        vmp_log_clock given = e.u.clock;
        given.mono_ns = (int64_t)((uint64_t)given.mono_ns + START_MONO);
        vmp_log_writer_clock(s->w, &given);
        record_event(&s->want, &e);
    }
    CHECK_INT(vmp_log_writer_flush(s->w, &err), 0);
    CHECK_STR(err.text, "");
    CHECK_INT(vmp_log_writer_pending(s->w), 0);
    if (vmp_log_writer_epoch(s->w) != s->want.epoch) {
        s->want.epoch = vmp_log_writer_epoch(s->w);
        s->stacks = 0;
    }
}

/* Calls the writer `steps` times and flushes at the end. */
static void
script_run(script *s, int steps)
{
    do_thread(s);
    do_code(s);
    do_location(s);
    for (int i = 0; i < steps; i++) {
        uint32_t what = gen_below(&s->random, 100);
        if (what < 4)
            do_code(s);
        else if (what < 16)
            do_location(s);
        else if (what < 40)
            do_stack(s);
        else if (what < 90)
            do_sample(s);
        else if (what < 92)
            do_batch(s);
        else if (what < 94)
            do_thread(s);
        else if (what < 97)
            do_other(s);
        else if (gen_below(&s->random, 4) == 0)
            do_flush(s);
    }
    do_flush(s);
    vmp_log_writer_end(s->w, START_MONO + 12345);
    record_event(&s->want,
        &(vmp_log_event){.kind = VMP_LOG_END, .u.end = {12345, vmp_log_writer_samples(s->w)}});
    do_flush(s);
}

static void
compare(const vmp_buf *got, const vmp_buf *want, const char *what, int index)
{
    bool same = got->n == want->n && (want->n == 0 || memcmp(got->p, want->p, want->n) == 0);
    CHECK(same);
    if (same)
        return;
    size_t at = 0;
    while (at < got->n && at < want->n && got->p[at] == want->p[at])
        at++;
    size_t from = at > 80 ? at - 80 : 0;
    printf("# %s %d differ at byte %zu of %zu and %zu\n# got ...%.160s\n# want ...%.160s\n", what,
        index, at, got->n, want->n, got->n ? (char *)got->p + from : "",
        want->n ? (char *)want->p + from : "");
}

static void
round_trip(uint64_t seed, bool compress, int steps, uint32_t epoch_nodes)
{
    FILE *f = tmpfile();
    script s = {.random = seed};
    record_of got = {0};
    vmp_err err = {0};
    vmp_log_reader *r = NULL;
    vmp_log_event e;
    s.memory = gen_below(&s.random, 2);
    s.quantum = 1 + gen_below(&s.random, 400);
    vmp_log_session session = {s.memory ? VMP_LOG_MODE_MEMORY : VMP_LOG_MODE_WALL, 77, -5,
        START_MONO, 1000, (uint64_t)s.quantum, vmp_str_from("timer")};
    CHECK_INT(vmp_log_writer_open(&s.w, fileno(f), &session, compress, &err), 0);
    record_event(&s.want, &(vmp_log_event){.kind = VMP_LOG_SESSION, .u.session = session});
    if (epoch_nodes)
        vmp_log_writer_set_epoch_nodes(s.w, epoch_nodes);
    script_run(&s, steps);
    uint64_t bytes = vmp_log_writer_bytes(s.w), raw_bytes = vmp_log_writer_raw_bytes(s.w);
    CHECK_INT(vmp_log_writer_lost(s.w), 0);
    CHECK_INT(vmp_log_writer_error(s.w, NULL), 0);
    vmp_log_writer_close(&s.w);

    CHECK_INT(lseek(fileno(f), 0, SEEK_SET), 0);
    CHECK_INT(vmp_log_reader_open(&r, fileno(f), &err), 0);
    int rc;
    while ((rc = vmp_log_reader_next(r, &e, &err)) > 0)
        record_event(&got, &e);
    CHECK_INT(rc, 0);
    CHECK_STR(err.text, "");
    CHECK(!vmp_log_reader_cut(r));
    CHECK_INT(vmp_log_reader_bytes(r), bytes);
    CHECK_INT(vmp_log_reader_raw_bytes(r), raw_bytes);
    vmp_log_reader_close(&r);

    /* An epoch that has begun is written with its first stack or sample. */
    CHECK(got.epoch == s.want.epoch || got.epoch + 1 == s.want.epoch);
    for (int i = 0; i < KINDS; i++)
        compare(&got.kinds[i], &s.want.kinds[i], "kind", i);
    for (int i = 0; i <= THREADS; i++) {
        compare(&got.samples[i], &s.want.samples[i], "samples of thread", i);
        CHECK_INT(got.cpu_ns[i], s.want.cpu_ns[i]);
        CHECK_INT(got.wall_ns[i], s.want.wall_ns[i]);
        for (int k = 0; k < VMP_LOG_LOSS_COUNT; k++)
            CHECK_INT(got.losses[k][i], s.want.losses[k][i]);
    }
    record_fini(&got);
    record_fini(&s.want);
    free(s.first_lines);
    fclose(f);
}

static uint64_t
the_seed(void)
{
    const char *text = getenv("VMP_TEST_SEED");
    uint64_t seed = text ? strtoull(text, NULL, 0) : (uint64_t)getpid() * 7919;
    printf("# VMP_TEST_SEED=%" PRIu64 "\n", seed);
    return seed;
}

TEST(random_records_come_back_the_same)
{
    uint64_t seed = the_seed();
    for (int i = 0; i < 30 && check_failures == 0; i++)
        round_trip(seed + (uint64_t)i, i % 2, 20 + i * 30, 0);
}

TEST(random_records_come_back_over_many_epochs)
{
    uint64_t seed = the_seed();
    for (int i = 0; i < 25 && check_failures == 0; i++)
        round_trip(seed + 1000 + (uint64_t)i, i % 2, 3000, 1 + (uint32_t)i * 5);
}

TEST(many_records_leave_in_more_than_one_chunk_between_flushes)
{
    uint64_t seed = the_seed();
    round_trip(seed + 5000, false, 200000, 0);
}

TEST_MAIN(RUN(random_records_come_back_the_same), RUN(random_records_come_back_over_many_epochs),
    RUN(many_records_leave_in_more_than_one_chunk_between_flushes))
