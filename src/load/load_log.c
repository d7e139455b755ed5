/* Replays vmprof's own log into a profile builder: each record's ids, which
 * start anew with each process (stacks: with each epoch), are translated into
 * the profile's. */
#include "load_internal.h"

#include <stdlib.h>

#include "log_reader.h"
#include "profile_builder.h"
#include "vec.h"

/* The flags of samples are handed on as they are. */
_Static_assert((int)VMP_PROFILE_OFF_CPU == (int)VMP_LOG_FLAG_OFF_CPU, "flags of samples");

/* Profile ids by log id; index 0 is 0. The id types differ only for the
 * compiler, so one kind of table serves all. */
typedef struct id_map {
    uint32_t *ids;
    size_t count, cap;
} id_map;

typedef struct loader {
    vmp_log_reader *reader;
    vmp_profile_builder *builder;
    id_map strings, codes, locations, threads, mappings; /* mappings: codes of their functions */
    vmp_stack_id *stacks; /* not while one_to_one: they are their own */
    size_t stack_count, stacks_cap;
    /* So far no two things of the log were one thing of the profile, so that
     * every stack of the log is a new one and has the same id there. The writer
     * defines a stack once in an epoch; a writer that did not would give equal
     * rows, which is allowed. */
    bool one_to_one;
    uint64_t sessions;
} loader;

static int
map_clear(id_map *m)
{
    if (VMP_VEC_RESERVE(m->ids, m->cap, 1) < 0)
        return -VMP_ENOMEM;
    m->ids[0] = 0;
    m->count = 1;
    return 0;
}

/* Log ids are dense, so a new one is the next; others are not kept, and mean 0. */
static int
map_add(id_map *m, uint32_t log_id, uint32_t id)
{
    if (log_id != m->count)
        return 0;
    if (VMP_VEC_RESERVE(m->ids, m->cap, m->count + 1) < 0)
        return -VMP_ENOMEM;
    m->ids[m->count++] = id;
    return 0;
}

static uint32_t
map_get(const id_map *m, uint32_t log_id)
{
    return log_id < m->count ? m->ids[log_id] : 0;
}

static int
clear_stacks(loader *l)
{
    if (VMP_VEC_RESERVE(l->stacks, l->stacks_cap, 1) < 0)
        return -VMP_ENOMEM;
    l->stacks[0] = (vmp_stack_id){0};
    l->stack_count = 1;
    return 0;
}

/* From here on stacks of the log have ids of their own. */
static int
keep_stacks(loader *l)
{
    if (!l->one_to_one)
        return 0;
    if (VMP_VEC_RESERVE(l->stacks, l->stacks_cap, l->stack_count) < 0)
        return -VMP_ENOMEM;
    for (size_t i = 0; i < l->stack_count; i++)
        l->stacks[i].i = (uint32_t)i;
    l->one_to_one = false;
    return 0;
}

static uint32_t
mode_of(uint32_t log_mode)
{
    return (log_mode & VMP_LOG_MODE_WALL ? VMP_PROFILE_MODE_WALL : 0) |
           (log_mode & VMP_LOG_MODE_MEMORY ? VMP_PROFILE_MODE_MEMORY : 0) |
           (log_mode & VMP_LOG_MODE_LINES ? VMP_PROFILE_MODE_LINES : 0) |
           (log_mode & VMP_LOG_MODE_NATIVE ? VMP_PROFILE_MODE_NATIVE : 0);
}

static int
on_session(loader *l, const vmp_log_session *s)
{
    vmp_profile_process facts = {
        .pid = s->pid,
        .mode = mode_of(s->mode),
        .start_unix_ns = s->start_unix_ns,
        .interval_ns = s->interval_ns,
    };
    vmp_process_id id;
    if (map_clear(&l->strings) < 0 || map_clear(&l->codes) < 0 || map_clear(&l->locations) < 0 ||
        map_clear(&l->threads) < 0 || map_clear(&l->mappings) < 0 || clear_stacks(l) < 0)
        return -VMP_ENOMEM;
    int rc = vmp_profile_builder_string(l->builder, s->timer, &facts.timer);
    l->one_to_one = l->sessions++ == 0;
    return rc < 0 ? rc : vmp_profile_builder_process(l->builder, &facts, &id);
}

static int
on_string(loader *l, const vmp_log_event *e)
{
    vmp_string_id id;
    int rc = vmp_profile_builder_string(l->builder, e->u.string.text, &id);
    return rc < 0 ? rc : map_add(&l->strings, e->u.string.id, id.i);
}

static int
on_code(loader *l, const vmp_log_event *e)
{
    vmp_string_id name = {map_get(&l->strings, e->u.code.name)},
                  qualname = {map_get(&l->strings, e->u.code.qualname)},
                  file = {map_get(&l->strings, e->u.code.file)};
    vmp_code_id id;
    int rc = vmp_profile_builder_code(
        l->builder, VMP_PROFILE_PYTHON, name, qualname, file, e->u.code.first_line, &id);
    return rc < 0 ? rc : map_add(&l->codes, e->u.code.id, id.i);
}

/* All that is known of a native address before it is symbolized is its library. */
static int
on_mapping(loader *l, const vmp_log_event *e)
{
    vmp_string_id none = {0}, path = {0};
    vmp_code_id id = {0};
    int rc = vmp_profile_builder_string(l->builder, e->u.mapping.path, &path);
    if (rc == 0)
        rc = vmp_profile_builder_code(l->builder, VMP_PROFILE_NATIVE, none, none, path, 0, &id);
    return rc < 0 ? rc : map_add(&l->mappings, e->u.mapping.id, id.i);
}

static int
on_location(loader *l, const vmp_log_event *e)
{
    vmp_profile_location location = {.kind = VMP_PROFILE_UNKNOWN};
    vmp_location_id id;
    const vmp_log_pos *pos = &e->u.location.pos;
    switch (e->u.location.kind) {
    case VMP_LOG_LOCATION_PYTHON:
        location.kind = VMP_PROFILE_PYTHON;
        location.code.i = map_get(&l->codes, e->u.location.code);
        location.instr = e->u.location.instr;
        location.line = pos->line;
        location.end_line = pos->end_line;
        location.col = pos->col;
        location.end_col = pos->end_col;
        location.has_columns = pos->has_columns;
        break;
    case VMP_LOG_LOCATION_NATIVE:
        location.kind = VMP_PROFILE_NATIVE;
        location.code.i = map_get(&l->mappings, e->u.location.mapping);
        location.detail = e->u.location.relative;
        break;
    case VMP_LOG_LOCATION_ELIDED:
        location.kind = VMP_PROFILE_ELIDED;
        location.detail = e->u.location.elided;
        break;
    }
    int rc = vmp_profile_builder_location(l->builder, &location, &id);
    if (rc == 0 && id.i != e->u.location.id)
        rc = keep_stacks(l);
    return rc < 0 ? rc : map_add(&l->locations, e->u.location.id, id.i);
}

static int
on_stack(loader *l, const vmp_log_event *e)
{
    vmp_stack_id parent = {0}, id;
    vmp_location_id location = {map_get(&l->locations, e->u.stack.location)};
    if (l->one_to_one) {
        parent.i = e->u.stack.parent;
        l->stack_count++;
        return vmp_profile_builder_stack_new(l->builder, parent, location, &id);
    }
    if (e->u.stack.parent < l->stack_count)
        parent = l->stacks[e->u.stack.parent];
    int rc = vmp_profile_builder_stack(l->builder, parent, location, &id);
    if (rc < 0 || e->u.stack.id != l->stack_count)
        return rc;
    if (VMP_VEC_RESERVE(l->stacks, l->stacks_cap, l->stack_count + 1) < 0)
        return -VMP_ENOMEM;
    l->stacks[l->stack_count++] = id;
    return 0;
}

static int
on_thread(loader *l, const vmp_log_event *e)
{
    vmp_profile_thread thread = {
        .os_tid = e->u.thread.os_tid,
        .ident = e->u.thread.ident,
        .name = {map_get(&l->strings, e->u.thread.name)},
        .start_ns = e->u.thread.start_ns,
    };
    vmp_thread_id id = {map_get(&l->threads, e->u.thread.index)};
    if (id.i != 0) {
        vmp_profile_builder_thread_update(l->builder, id, &thread);
        return 0;
    }
    int rc = vmp_profile_builder_thread(l->builder, &thread, &id);
    return rc < 0 ? rc : map_add(&l->threads, e->u.thread.index, id.i);
}

static int
on_samples(loader *l, const vmp_log_event *e)
{
    vmp_profile_batch batch = {
        .thread = {map_get(&l->threads, e->u.samples.thread)},
        .n = e->u.samples.n,
        .cpu_ns = e->u.samples.cpu_ns,
        .wall_ns = e->u.samples.wall_ns,
        .time_ns = e->u.samples.time_ns,
        .stack = e->u.samples.stack,
        .stack_ids = l->one_to_one ? NULL : l->stacks,
        .stack_id_count = l->stack_count,
        .weight = e->u.samples.weight,
        .rss_kb = e->u.samples.rss_kb,
        .flags = e->u.samples.flags,
    };
    return vmp_profile_builder_samples(l->builder, &batch);
}

static int
on_loss(loader *l, const vmp_log_event *e)
{
    vmp_thread_id thread = {map_get(&l->threads, e->u.loss.thread)};
    vmp_str reason = vmp_str_from(vmp_log_loss_name(e->u.loss.reason));
    return vmp_profile_builder_loss(l->builder, reason, e->u.loss.count, thread);
}

static int
on_event(loader *l, const vmp_log_event *e)
{
    switch (e->kind) {
    case VMP_LOG_SESSION:
        return on_session(l, &e->u.session);
    case VMP_LOG_META:
        return vmp_profile_builder_meta(l->builder, e->u.meta.key, e->u.meta.value);
    case VMP_LOG_STRINGS:
        return on_string(l, e);
    case VMP_LOG_CODES:
        return on_code(l, e);
    case VMP_LOG_LOCATIONS:
        return on_location(l, e);
    case VMP_LOG_STACKS:
        return on_stack(l, e);
    case VMP_LOG_THREAD:
        return on_thread(l, e);
    case VMP_LOG_SAMPLES:
        return on_samples(l, e);
    case VMP_LOG_LOSS:
        return on_loss(l, e);
    case VMP_LOG_MAPPING:
        return on_mapping(l, e);
    case VMP_LOG_CLOCK:
        vmp_profile_builder_clock(l->builder, e->u.clock.mono_ns,
            &(vmp_profile_cpu){.process_ns = e->u.clock.process_cpu_ns,
                .profiler_ns = e->u.clock.profiler_cpu_ns,
                .unsampled_ns = e->u.clock.unsampled_cpu_ns});
        return 0;
    case VMP_LOG_END:
        vmp_profile_builder_end(l->builder, e->u.end.mono_ns);
        return 0;
    case VMP_LOG_EPOCH:
        l->one_to_one = false;
        return clear_stacks(l);
    case VMP_LOG_LABEL:
        return 0;
    }
    return 0;
}

/* Reads the next event and takes it over. As vmp_log_reader_next. */
VMP_NOINLINE static int
replay_event(loader *l, vmp_err *err)
{
    vmp_log_event e;
    int rc = vmp_log_reader_next(l->reader, &e, err);
    if (rc <= 0)
        return rc;
    rc = on_event(l, &e);
    return rc < 0 ? vmp_err_set(err, -rc, 0, e.offset, "%s", vmp_err_text(rc)) : 1;
}

static int
replay(loader *l, const vmp_load_options *options, vmp_err *err)
{
    uint64_t told = 0;
    int rc;
    while ((rc = replay_event(l, err)) > 0) {
        if (options->progress &&
            vmp_log_reader_bytes(l->reader) >= told + VMP_LOAD_PROGRESS_BYTES) {
            told = vmp_log_reader_bytes(l->reader);
            options->progress(options->progress_ctx, told);
        }
    }
    if (rc == 0 && options->progress)
        options->progress(options->progress_ctx, vmp_log_reader_bytes(l->reader));
    return rc;
}

static void
loader_fini(loader *l)
{
    vmp_profile_builder_free(&l->builder);
    vmp_log_reader_close(&l->reader);
    free(l->strings.ids);
    free(l->codes.ids);
    free(l->locations.ids);
    free(l->threads.ids);
    free(l->mappings.ids);
    free(l->stacks);
}

int
vmp_load_log(vmp_profile **ret_p, vmp_in *bytes, const vmp_load_options *options, vmp_err *err)
{
    loader l = {0};
    int rc = vmp_log_reader_open_in(&l.reader, bytes, err);
    if (rc < 0)
        return rc;
    /* Nothing may come before the first session, but if it does it finds empty maps. */
    if (clear_stacks(&l) < 0 || vmp_profile_builder_new(&l.builder, options->keep_samples) < 0)
        rc = vmp_err_set(err, VMP_ENOMEM, 0, 0, "%s", vmp_err_text(VMP_ENOMEM));
    if (rc == 0) {
        vmp_log_counts counts = vmp_log_reader_peek(l.reader);
        vmp_profile_builder_reserve(l.builder, (size_t)counts.stacks, (size_t)counts.samples);
        rc = replay(&l, options, err);
    }
    if (rc == 0) {
        vmp_str what;
        uint64_t at = vmp_log_reader_behind(l.reader, &what);
        if (at)
            rc = vmp_profile_builder_behind(l.builder, at, what);
        if (rc < 0)
            vmp_err_set(err, -rc, 0, 0, "%s", vmp_err_text(rc));
    }
    if (rc == 0) {
        rc = vmp_profile_builder_finish(
            &l.builder, vmp_log_reader_bytes(l.reader), vmp_log_reader_cut(l.reader), ret_p);
        if (rc < 0)
            vmp_err_set(err, -rc, 0, 0, "%s", vmp_err_text(rc));
    }
    loader_fini(&l);
    return rc;
}
