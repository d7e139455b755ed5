/* Processes, threads, losses, and the beginning and the end of the work. */
#include "profile_builder.h"

#include <stdlib.h>

#include "profile_internal.h"

/* Row 0 of every table. */
static int
placeholders(vmp_profile_builder *b)
{
    vmp_profile *p = &b->p;
    if (VMP_VEC_RESERVE(VMP_OWN(vmp_str, p->strings), b->strings_cap, 1) < 0 ||
        VMP_VEC_RESERVE(VMP_OWN(vmp_profile_function, p->functions), b->functions_cap, 1) < 0 ||
        VMP_VEC_RESERVE(VMP_OWN(vmp_function_id, p->code_function), b->codes_cap, 1) < 0 ||
        VMP_VEC_RESERVE(VMP_OWN(vmp_profile_location, p->locations), b->locations_cap, 1) < 0 ||
        VMP_VEC_RESERVE(VMP_OWN(vmp_stack_id, p->stack_parent), b->parents_cap, 1) < 0 ||
        VMP_VEC_RESERVE(VMP_OWN(vmp_location_id, p->stack_location), b->stack_locations_cap, 1) <
            0 ||
        VMP_VEC_RESERVE(b->owners, b->owners_cap, 1) < 0 ||
        VMP_VEC_RESERVE(VMP_OWN(vmp_profile_process, p->processes), b->processes_cap, 1) < 0 ||
        VMP_VEC_RESERVE(VMP_OWN(vmp_profile_thread, p->threads), b->threads_cap, 1) < 0)
        return -VMP_ENOMEM;
    VMP_OWN(vmp_str, p->strings)[0] = (vmp_str){"", 0};
    VMP_OWN(vmp_profile_function, p->functions)[0] = (vmp_profile_function){0};
    VMP_OWN(vmp_function_id, p->code_function)[0] = (vmp_function_id){0};
    VMP_OWN(vmp_profile_location, p->locations)[0] = (vmp_profile_location){0};
    VMP_OWN(vmp_stack_id, p->stack_parent)[0] = (vmp_stack_id){0};
    VMP_OWN(vmp_location_id, p->stack_location)[0] = (vmp_location_id){0};
    b->owners[0] = (vmp_sum_owner){0, 0};
    VMP_OWN(vmp_profile_process, p->processes)[0] = (vmp_profile_process){.interval_ns = 1};
    VMP_OWN(vmp_profile_thread, p->threads)[0] = (vmp_profile_thread){0};
    p->string_count = p->function_count = p->code_count = p->location_count = p->stack_count =
        p->process_count = p->thread_count = 1;
    return 0;
}

int
vmp_profile_builder_new(vmp_profile_builder **ret_b, bool keep_samples)
{
    vmp_profile_builder *b = calloc(1, sizeof(*b));
    if (!b)
        return -VMP_ENOMEM;
    b->keep_samples = b->p.has_samples = keep_samples;
    b->p.tick_weight = 1;
    int rc = placeholders(b);
    if (rc < 0)
        vmp_profile_builder_free(&b);
    else
        *ret_b = b;
    return rc;
}

void
vmp_profile_builder_reserve(vmp_profile_builder *b, size_t stacks, size_t samples)
{
    /* Few stacks are met by more than one thread. */
    size_t sums = stacks < samples ? stacks : samples;
    if (stacks >= UINT32_MAX || vmp_profile_stacks_reserve(b, stacks + 1) < 0)
        return;
    /* What cannot be had now may never be needed. */
    (void)vmp_profile_samples_reserve(b, samples, sums);
}

/* Frees what only the making needs. */
static void
scaffold_fini(vmp_profile_builder *b)
{
    vmp_intern_fini(&b->texts);
    vmp_tuple_index_fini(&b->functions);
    vmp_tuple_index_fini(&b->locations);
    vmp_tuple_index_fini(&b->losses);
    free(b->stacks.slots);
    vmp_pairs_fini(&b->sums);
    vmp_pairs_fini(&b->metas);
    free(b->owners);
    free(b->shared_sums);
    free(b->batch_rows);
    free(b->memory.window);
    free(b->memory.spare);
}

static void
tables_free(vmp_profile *p)
{
    for (size_t i = 0; i < p->memory_count; i++)
        free((void *)(uintptr_t)p->memories[i].bins);
    const void *const tables[] = {p->strings, p->functions, p->code_function, p->locations,
        p->stack_parent, p->stack_location, p->processes, p->threads, p->sums, p->growth, p->metas,
        p->losses, p->memories, p->samples.time_ns, p->samples.thread, p->samples.stack,
        p->samples.weight, p->samples.value_ns, p->samples.rss_kb, p->samples.flags};
    for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
        free((void *)(uintptr_t)tables[i]);
}

void
vmp_profile_builder_free(vmp_profile_builder **b)
{
    if (!*b)
        return;
    (*b)->p.memories = (*b)->memory.rows;
    tables_free(&(*b)->p);
    scaffold_fini(*b);
    free(*b);
    *b = NULL;
}

/* The profile that users hold: what they see, and the memory of the strings. */
typedef struct owned_profile {
    vmp_profile p;
    vmp_arena texts;
} owned_profile;

int
vmp_profile_builder_behind(vmp_profile_builder *b, uint64_t at, vmp_str what)
{
    b->p.behind_at = at;
    return vmp_profile_builder_string(b, what, &b->p.behind);
}

int
vmp_profile_builder_finish(
    vmp_profile_builder **b, uint64_t log_bytes, bool cut, vmp_profile **ret_p)
{
    if ((*b)->p.memory_count > 0 && vmp_profile_memory_cover(*b) < 0)
        return -VMP_ENOMEM;
    owned_profile *owned = calloc(1, sizeof(*owned));
    if (!owned)
        return -VMP_ENOMEM;
    vmp_profile_memory_close(*b);
    owned->p = (*b)->p;
    owned->p.memories = (*b)->memory.rows;
    owned->p.log_bytes = log_bytes;
    owned->p.cut = cut;
    for (uint32_t i = 0; i < owned->p.location_count; i++)
        owned->p.has_states |= owned->p.locations[i].kind >= VMP_PROFILE_JIT;
    owned->texts = (*b)->texts.arena;
    (*b)->texts.arena = (vmp_arena){0};
    scaffold_fini(*b);
    free(*b);
    *b = NULL;
    *ret_p = &owned->p;
    return 0;
}

void
vmp_profile_free(vmp_profile **p)
{
    if (!*p)
        return;
    owned_profile *owned = (owned_profile *)(void *)*p; /* its first member */
    tables_free(&owned->p);
    vmp_arena_fini(&owned->texts);
    free(owned);
    *p = NULL;
}

static vmp_profile_process *
current(vmp_profile_builder *b)
{
    return &VMP_OWN(vmp_profile_process, b->p.processes)[b->process.i];
}

int
vmp_profile_builder_process(
    vmp_profile_builder *b, const vmp_profile_process *facts, vmp_process_id *ret_id)
{
    vmp_profile *p = &b->p;
    if (p->process_count == UINT32_MAX ||
        VMP_VEC_RESERVE(VMP_OWN(vmp_profile_process, p->processes), b->processes_cap,
            p->process_count + (size_t)1) < 0)
        return -VMP_ENOMEM;
    vmp_profile_memory_close(b);
    b->process = (vmp_process_id){p->process_count++};
    vmp_profile_builder_process_update(b, facts);
    *ret_id = b->process;
    return 0;
}

void
vmp_profile_builder_process_update(vmp_profile_builder *b, const vmp_profile_process *facts)
{
    vmp_profile_process *process = current(b);
    *process = *facts;
    process->start_unix_ns = vmp_profile_time(facts->start_unix_ns);
    process->duration_ns = vmp_profile_time(facts->duration_ns);
    if (process->timer.i >= b->p.string_count)
        process->timer.i = 0;
}

void
vmp_profile_builder_tick(vmp_profile_builder *b, uint64_t weight)
{
    b->p.tick_weight = weight;
}

void
vmp_profile_builder_states(vmp_profile_builder *b)
{
    b->p.has_states = true;
}

void
vmp_profile_builder_clock(vmp_profile_builder *b, int64_t time_ns, const vmp_profile_cpu *cpu)
{
    vmp_profile_process *process = current(b);
    vmp_profile_alive(b, time_ns);
    process->has_cpu = true;
    process->cpu = *cpu;
}

void
vmp_profile_builder_end(vmp_profile_builder *b, int64_t time_ns)
{
    vmp_profile_alive(b, time_ns);
}

int
vmp_profile_builder_meta(vmp_profile_builder *b, vmp_str key, vmp_str value)
{
    vmp_profile *p = &b->p;
    vmp_profile_meta meta = {.process = b->process};
    if (VMP_VEC_RESERVE(VMP_OWN(vmp_profile_meta, p->metas), b->metas_cap, p->meta_count + 1) < 0 ||
        vmp_profile_builder_string(b, key, &meta.key) < 0 ||
        vmp_profile_builder_string(b, value, &meta.value) < 0)
        return -VMP_ENOMEM;
    uint32_t id = vmp_pairs_id(&b->metas, meta.process.i, meta.key.i);
    if (id == 0)
        return -VMP_ENOMEM;
    if (id > p->meta_count)
        p->meta_count = id;
    VMP_OWN(vmp_profile_meta, p->metas)[id - 1] = meta;
    return 0;
}

int
vmp_profile_builder_thread(
    vmp_profile_builder *b, const vmp_profile_thread *thread, vmp_thread_id *ret_id)
{
    vmp_profile *p = &b->p;
    if (p->thread_count == UINT32_MAX || VMP_VEC_RESERVE(VMP_OWN(vmp_profile_thread, p->threads),
                                             b->threads_cap, p->thread_count + (size_t)1) < 0)
        return -VMP_ENOMEM;
    *ret_id = (vmp_thread_id){p->thread_count++};
    VMP_OWN(vmp_profile_thread, p->threads)[ret_id->i].process = b->process;
    vmp_profile_builder_thread_update(b, *ret_id, thread);
    return 0;
}

void
vmp_profile_builder_thread_update(
    vmp_profile_builder *b, vmp_thread_id id, const vmp_profile_thread *thread)
{
    if (id.i == 0 || id.i >= b->p.thread_count)
        return;
    vmp_profile_thread *row = &VMP_OWN(vmp_profile_thread, b->p.threads)[id.i];
    vmp_process_id process = row->process;
    *row = *thread;
    row->process = process;
    row->start_ns = vmp_profile_time(thread->start_ns);
    if (row->name.i >= b->p.string_count)
        row->name.i = 0;
}

int
vmp_profile_builder_loss(
    vmp_profile_builder *b, vmp_str reason, uint64_t count, vmp_thread_id thread)
{
    vmp_profile *p = &b->p;
    vmp_profile_loss loss = {b->process, {thread.i < p->thread_count ? thread.i : 0}, {0}, 0};
    if (VMP_VEC_RESERVE(VMP_OWN(vmp_profile_loss, p->losses), b->losses_cap, p->loss_count + 1) <
            0 ||
        vmp_profile_builder_string(b, reason, &loss.reason) < 0)
        return -VMP_ENOMEM;
    uint32_t key[] = {loss.process.i, loss.thread.i, loss.reason.i}, *row_plus_1;
    if (vmp_tuple_index_find(&b->losses, key, sizeof(key) / sizeof(key[0]), &row_plus_1) < 0)
        return -VMP_ENOMEM;
    if (*row_plus_1 == 0) {
        VMP_OWN(vmp_profile_loss, p->losses)[p->loss_count++] = loss;
        *row_plus_1 = (uint32_t)p->loss_count;
    }
    uint64_t *sum = &VMP_OWN(vmp_profile_loss, p->losses)[*row_plus_1 - 1].count;
    if (count > INT64_MAX - *sum)
        return -VMP_ELIMIT;
    *sum += count;
    return 0;
}
