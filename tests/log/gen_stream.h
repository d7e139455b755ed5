/* A stream of samples that resembles a real program's: recursion of 10 to 40
 * frames, functions with a few call sites of very different use, stacks that
 * share most frames with the sample before, jittered times. The same seed gives
 * the same stream. */
#ifndef VMP_TESTS_GEN_STREAM_H
#define VMP_TESTS_GEN_STREAM_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "log_writer.h"

enum {
    GEN_SITES = 3,  /* call sites of a function */
    GEN_LEAVES = 8, /* instructions at which it is met as the leaf */
    GEN_SITE_ODDS = 7,
    GEN_MAX_DEPTH = 1000,
};

typedef struct gen_options {
    uint64_t samples; /* of all threads together */
    uint32_t threads, functions;
    uint32_t min_depth, max_depth;
    uint64_t interval_ns, quantum_ns;
    uint64_t flush_samples; /* samples of a thread between two flushes */
    bool rss, weights, flags;
    uint64_t seed;
} gen_options;

static const gen_options gen_default = {
    .samples = 100000,
    .threads = 1,
    .functions = 200,
    .min_depth = 10,
    .max_depth = 40,
    .interval_ns = 1000000,
    .quantum_ns = 250000,
    .flush_samples = 1000,
    .seed = 1,
};

static inline uint64_t
gen_random(uint64_t *state)
{
    uint64_t x = *state += 0x9e3779b97f4a7c15u;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
    x = (x ^ x >> 27) * 0x94d049bb133111ebu;
    return x ^ x >> 31;
}

static inline uint32_t
gen_below(uint64_t *state, uint32_t n)
{
    return (uint32_t)((gen_random(state) >> 32) * n >> 32);
}

/* 0 most often, each next one only every `odds` times, below n. */
static inline uint32_t
gen_skewed(uint64_t *state, uint32_t n, uint32_t odds)
{
    uint32_t i = 0;
    while (i + 1 < n && gen_below(state, odds) == 0)
        i++;
    return i;
}

typedef struct gen_thread {
    uint32_t depth;
    uint32_t function[GEN_MAX_DEPTH], site[GEN_MAX_DEPTH]; /* root first */
    uint32_t node[GEN_MAX_DEPTH];                          /* stack ids by depth */
    int64_t time_ns;
    uint64_t rss_kb;
} gen_thread;

typedef struct gen_state {
    const gen_options *o;
    uint64_t random;
    uint32_t *locations; /* [function][site], sites then leaves */
    gen_thread *threads;
    uint32_t epoch;
} gen_state;

static inline vmp_log_session
gen_session(const gen_options *o)
{
    return (vmp_log_session){
        .mode = o->rss ? VMP_LOG_MODE_MEMORY : 0,
        .pid = 1234,
        .start_unix_ns = 1700000000000000000,
        .start_mono_ns = 5000000000,
        .interval_ns = o->interval_ns,
        .quantum_ns = o->quantum_ns,
        .timer = vmp_str_from("generated"),
    };
}

/* Defines functions, locations and threads. */
static inline bool
gen_begin(gen_state *g, const gen_options *o, vmp_log_writer *w)
{
    enum { PER_FUNCTION = GEN_SITES + GEN_LEAVES };
    *g = (gen_state){.o = o, .random = o->seed};
    g->locations = calloc((size_t)o->functions * PER_FUNCTION, sizeof(*g->locations));
    g->threads = calloc(o->threads, sizeof(*g->threads));
    if (!g->locations || !g->threads)
        return false;
    for (uint32_t f = 0; f < o->functions; f++) {
        char name[32], qualname[48], file[48];
        int32_t first = (int32_t)(10 + f % 25 * 30);
        snprintf(name, sizeof(name), "visit_%u", f);
        snprintf(qualname, sizeof(qualname), "Walker%u.visit_%u", f / 10, f);
        snprintf(file, sizeof(file), "/srv/app/lib/module_%u.py", f / 25);
        uint32_t code = vmp_log_writer_code(
            w, vmp_str_from(name), vmp_str_from(qualname), vmp_str_from(file), first);
        for (uint32_t i = 0; i < PER_FUNCTION; i++) {
            vmp_log_pos pos = {
                (uint32_t)first + 1 + i * 2, (uint32_t)first + 1 + i * 2, 8 + i, 20 + i * 3, true};
            g->locations[f * PER_FUNCTION + i] =
                vmp_log_writer_location(w, code, 4 + i * 14, first, &pos);
        }
    }
    for (uint32_t t = 0; t < o->threads; t++) {
        char name[32];
        snprintf(name, sizeof(name), t == 0 ? "MainThread" : "Thread-%u", t);
        vmp_log_writer_thread(
            w, t + 1, 1000 + t, 0x7f0000000000u + t * 0x1000, vmp_str_from(name), 5000000000);
        g->threads[t].time_ns = 5000000000;
        g->threads[t].rss_kb = 20000;
    }
    return true;
}

/* The next sample of a thread; its stack is in g->threads[t] afterwards. */
static inline vmp_log_sample
gen_sample(gen_state *g, uint32_t index, vmp_log_writer *w)
{
    enum { PER_FUNCTION = GEN_SITES + GEN_LEAVES };
    const gen_options *o = g->o;
    gen_thread *t = &g->threads[index];
    if (g->epoch != vmp_log_writer_epoch(w)) {
        g->epoch = vmp_log_writer_epoch(w);
        for (uint32_t i = 0; i < o->threads; i++)
            g->threads[i].depth = 0;
    }
    /* Back some frames, then on to a new depth, not far from the old one. */
    uint32_t back = 1 + gen_skewed(&g->random, 12, 3) * 2;
    uint32_t keep = t->depth > back ? t->depth - back : 0;
    uint32_t depth = t->depth + gen_below(&g->random, 7);
    depth = depth > 3 ? depth - 3 : 0;
    depth = depth < o->min_depth ? o->min_depth : depth > o->max_depth ? o->max_depth : depth;
    if (keep >= depth)
        keep = depth - 1;
    for (uint32_t d = keep; d < depth; d++) {
        uint32_t parent = d ? t->node[d - 1] : 0;
        t->function[d] = d ? (t->function[d - 1] * 31 + t->site[d - 1] * 17 + 7) % o->functions : 0;
        t->site[d] = gen_skewed(&g->random, GEN_SITES, GEN_SITE_ODDS);
        uint32_t at =
            d + 1 < depth ? t->site[d] : GEN_SITES + gen_skewed(&g->random, GEN_LEAVES, 2);
        t->node[d] =
            vmp_log_writer_stack(w, parent, g->locations[t->function[d] * PER_FUNCTION + at]);
    }
    t->depth = depth;
    uint32_t stack = t->node[depth - 1];
    /* The leaf is not a call: the frame above it calls another time. */
    t->depth--;
    uint64_t weight =
        o->weights && gen_below(&g->random, 20) == 0 ? 2 + gen_below(&g->random, 50) : 1;
    uint64_t jitter = o->interval_ns / 5;
    t->time_ns += (int64_t)(o->interval_ns * weight - jitter / 2 +
                            gen_random(&g->random) % (jitter ? jitter : 1));
    if (gen_below(&g->random, 200) == 0)
        t->time_ns += (int64_t)(o->interval_ns * gen_below(&g->random, 30)); /* off the CPU */
    t->rss_kb += gen_below(&g->random, 10) == 0 ? gen_below(&g->random, 256) * 4 : 0;
    return (vmp_log_sample){
        .thread = index + 1,
        .stack = stack,
        .time_ns = t->time_ns,
        .weight = weight,
        .rss_kb = o->rss ? t->rss_kb : 0,
        .flags = o->flags ? VMP_LOG_FLAG_HAS_GIL * (gen_below(&g->random, 8) != 0) : 0,
    };
}

/* Writes the whole stream, batches, clocks and END. Returns what the last flush
 * returned. */
static inline int
gen_run(const gen_options *o, vmp_log_writer *w, vmp_err *err)
{
    gen_state g;
    int rc = gen_begin(&g, o, w) ? 0 : vmp_err_set(err, VMP_ENOMEM, 0, 0, "no memory");
    uint64_t done = 0, cpu_ns = 0;
    while (rc == 0 && done < o->samples) {
        int64_t now = 0;
        for (uint32_t t = 0; t < o->threads && done < o->samples; t++) {
            uint64_t weight = 0;
            for (uint64_t i = 0; i < o->flush_samples && done < o->samples; i++, done++) {
                vmp_log_sample s = gen_sample(&g, t, w);
                weight += s.weight;
                vmp_log_writer_sample(w, &s);
            }
            uint64_t cpu = weight * o->interval_ns + gen_below(&g.random, 20000);
            cpu_ns += cpu;
            vmp_log_writer_batch(w, t + 1, cpu, cpu + gen_below(&g.random, 100000));
            now = g.threads[t].time_ns > now ? g.threads[t].time_ns : now;
        }
        vmp_log_writer_clock(w, &(vmp_log_clock){now, cpu_ns, cpu_ns / 100, cpu_ns / 1000});
        if (done >= o->samples)
            vmp_log_writer_end(w, now);
        rc = vmp_log_writer_flush(w, err);
    }
    free(g.locations);
    free(g.threads);
    return rc;
}

#endif
