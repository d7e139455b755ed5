#include "fuzz_profile.h"

#include "fuzz.h"

static void
names_check(const vmp_profile *p)
{
    unsigned sum = 0; /* of all bytes, so that a sanitizer sees a bad pointer */
    PROMISE(p->string_count >= 1 && p->strings[0].n == 0);
    for (uint32_t i = 0; i < p->string_count; i++)
        for (size_t k = 0; k < p->strings[i].n; k++)
            sum += (unsigned char)p->strings[i].p[k];
    volatile unsigned sink = sum;
    (void)sink;
    for (uint32_t i = 0; i < p->function_count; i++)
        PROMISE(p->functions[i].name.i < p->string_count &&
                p->functions[i].qualname.i < p->string_count &&
                p->functions[i].file.i < p->string_count);
    for (uint32_t i = 0; i < p->code_count; i++)
        PROMISE(p->code_function[i].i < p->function_count);
    for (uint32_t i = 0; i < p->location_count; i++)
        PROMISE(p->locations[i].function.i < p->function_count &&
                p->locations[i].code.i < p->code_count);
    for (uint32_t i = 0; i < p->stack_count; i++)
        PROMISE((p->stack_parent[i].i < i || i == 0) && p->stack_location[i].i < p->location_count);
    for (uint32_t i = 0; i < p->thread_count; i++)
        PROMISE(
            p->threads[i].process.i < p->process_count && p->threads[i].name.i < p->string_count);
    for (size_t i = 0; i < p->meta_count; i++)
        PROMISE(p->metas[i].process.i < p->process_count && p->metas[i].key.i < p->string_count &&
                p->metas[i].value.i < p->string_count);
}

static void
samples_check(const vmp_profile *p)
{
    uint64_t samples = 0, weight = 0, value_ns = 0;
    for (size_t i = 0; i < p->sum_count; i++) {
        PROMISE(p->sums[i].thread.i < p->thread_count && p->sums[i].stack.i < p->stack_count);
        samples += p->sums[i].samples;
        weight += p->sums[i].weight;
        value_ns += vmp_profile_sum_value(p, &p->sums[i]);
    }
    PROMISE(samples == p->total_samples && weight == p->total_weight);
    PROMISE(!p->has_samples || p->samples.count == samples);
    for (size_t i = 0; i < p->samples.count; i++) {
        PROMISE(p->samples.thread[i].i < p->thread_count);
        PROMISE(p->samples.stack[i].i < p->stack_count);
        weight -= p->samples.weight[i];
        value_ns -= p->samples.value_ns[i];
    }
    PROMISE(!p->has_samples || (weight == 0 && value_ns == 0));
    for (size_t i = 0; i < p->loss_count; i++)
        PROMISE(p->losses[i].thread.i < p->thread_count && p->losses[i].reason.i < p->string_count);
    for (size_t i = 0; i < p->memory_count; i++) {
        PROMISE(p->memories[i].bin_count <= VMP_PROFILE_MAX_BINS && p->memories[i].bin_ns > 0);
        PROMISE(p->memories[i].peak_stack.i < p->stack_count &&
                p->memories[i].peak_thread.i < p->thread_count);
        PROMISE(p->memories[i].first_kb <= p->memories[i].peak_kb &&
                p->memories[i].last_kb <= p->memories[i].peak_kb);
    }
}

void
fuzz_profile_check(const vmp_profile *p)
{
    names_check(p);
    samples_check(p);
}
