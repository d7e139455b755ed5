/* The memory timeline, and who made the memory grow. */
#include <stdlib.h>

#include "profile_internal.h"

static const uint64_t FIRST_BIN_NS = 1000000; /* a run of 2 s fits */
/* Larger sizes are nonsense, and sums of them would lose the small ones. */
static const uint64_t MAX_RSS_KB = (uint64_t)1 << 44;

/* First index after the ascending run that begins at `first`. */
static uint32_t
run_end(const vmp_memory_sample *s, uint32_t first, uint32_t count)
{
    uint32_t i = first + 1;
    while (i < count && s[i - 1].time_ns <= s[i].time_ns)
        i++;
    return i < count ? i : count;
}

/* Merges [a, b) and [b, c) of `from` to the same place in `to`, stably. */
static void
merge_runs(vmp_memory_sample *to, const vmp_memory_sample *from, uint32_t a, uint32_t b, uint32_t c)
{
    uint32_t left = a, right = b;
    for (uint32_t i = a; i < c; i++) {
        bool take_left = left < b && (right == c || from[left].time_ns <= from[right].time_ns);
        to[i] = take_left ? from[left++] : from[right++];
    }
}

/* Merges neighbouring runs until one is left: what is in the window is a few
 * batches, each in order, so a few passes do. With one thread it is one run. */
static void
sort_window(vmp_memory_state *m)
{
    while (run_end(m->window, 0, m->count) < m->count) {
        for (uint32_t a = 0, c = 0; a < m->count; a = c) {
            uint32_t b = run_end(m->window, a, m->count);
            c = b < m->count ? run_end(m->window, b, m->count) : b;
            merge_runs(m->spare, m->window, a, b, c);
        }
        vmp_memory_sample *sorted = m->spare;
        m->spare = m->window;
        m->window = sorted;
    }
}

static void
bin_join(vmp_profile_bin *into, const vmp_profile_bin *from)
{
    if (from->samples == 0)
        return;
    if (into->samples == 0) {
        *into = *from;
        return;
    }
    if (from->max_kb > into->max_kb) {
        into->max_kb = from->max_kb;
        into->peak_stack = from->peak_stack;
        into->peak_thread = from->peak_thread;
    }
    if (from->min_kb < into->min_kb)
        into->min_kb = from->min_kb;
    into->samples += from->samples;
    into->sum_kb += from->sum_kb;
}

static void
double_bins(vmp_profile_memory *row)
{
    vmp_profile_bin *bins = VMP_OWN(vmp_profile_bin, row->bins);
    uint32_t half = (row->bin_count + 1) / 2;
    for (uint32_t i = 0; i < half; i++) {
        vmp_profile_bin joined = bins[2 * i];
        if (2 * i + 1 < row->bin_count)
            bin_join(&joined, &bins[2 * i + 1]);
        bins[i] = joined;
    }
    row->bin_count = half;
    row->bin_ns *= 2;
}

static void
bin_add(vmp_profile_memory *row, uint64_t time_ns, const vmp_profile_bin *one)
{
    while (time_ns / row->bin_ns >= VMP_PROFILE_MAX_BINS)
        double_bins(row);
    vmp_profile_bin *bins = VMP_OWN(vmp_profile_bin, row->bins);
    uint32_t at = (uint32_t)(time_ns / row->bin_ns);
    while (row->bin_count <= at)
        bins[row->bin_count++] = (vmp_profile_bin){0};
    bin_join(&bins[at], one);
}

/* The next sample in order of time. */
static void
take(vmp_profile_builder *b, const vmp_memory_sample *s)
{
    vmp_memory_state *m = &b->memory;
    vmp_profile_memory *row = &m->rows[b->p.memory_count - 1];
    vmp_profile_growth *growth = &VMP_OWN(vmp_profile_growth, b->p.growth)[s->sum];
    const vmp_profile_sum *sum = &b->p.sums[s->sum];
    if (row->bin_count == 0)
        row->first_kb = m->last_kb = s->rss_kb;
    if (row->bin_count == 0 || s->rss_kb > row->peak_kb) {
        row->peak_kb = s->rss_kb;
        row->peak_ns = s->time_ns;
        row->peak_stack = sum->stack;
        row->peak_thread = sum->thread;
    }
    if (s->rss_kb > m->last_kb)
        growth->grown_kb += s->rss_kb - m->last_kb;
    else
        growth->shrunk_kb += m->last_kb - s->rss_kb;
    m->last_kb = row->last_kb = s->rss_kb;
    vmp_profile_bin one = {1, s->rss_kb, s->rss_kb, (double)s->rss_kb, sum->stack, sum->thread};
    bin_add(row, (uint64_t)s->time_ns, &one);
}

/* Lets the first n of the window go. */
static void
release(vmp_profile_builder *b, uint32_t n)
{
    vmp_memory_state *m = &b->memory;
    sort_window(m);
    for (uint32_t i = 0; i < n; i++)
        take(b, &m->window[i]);
    m->count -= n;
    memmove(m->window, m->window + n, m->count * sizeof(*m->window));
}

static int
open_timeline(vmp_profile_builder *b)
{
    vmp_memory_state *m = &b->memory;
    if (!m->window)
        m->window = malloc(VMP_MEMORY_WINDOW * sizeof(*m->window));
    if (!m->spare)
        m->spare = malloc(VMP_MEMORY_WINDOW * sizeof(*m->spare));
    if (!m->window || !m->spare)
        return -VMP_ENOMEM;
    if (VMP_VEC_RESERVE(m->rows, m->rows_cap, b->p.memory_count + 1) < 0)
        return -VMP_ENOMEM;
    vmp_profile_bin *bins = malloc(VMP_PROFILE_MAX_BINS * sizeof(*bins));
    if (!bins)
        return -VMP_ENOMEM;
    m->rows[b->p.memory_count++] =
        (vmp_profile_memory){.process = b->process, .bin_ns = FIRST_BIN_NS, .bins = bins};
    m->open = true;
    return 0;
}

int
vmp_profile_memory_cover(vmp_profile_builder *b)
{
    vmp_profile *p = &b->p;
    if (VMP_VEC_RESERVE(VMP_OWN(vmp_profile_growth, p->growth), b->growth_cap, p->sum_count) < 0)
        return -VMP_ENOMEM;
    while (b->growth_count < p->sum_count)
        VMP_OWN(vmp_profile_growth, p->growth)[b->growth_count++] = (vmp_profile_growth){0, 0};
    return 0;
}

int
vmp_profile_memory_add(vmp_profile_builder *b, int64_t time_ns, uint64_t rss_kb, uint32_t sum_row)
{
    vmp_memory_state *m = &b->memory;
    vmp_profile *p = &b->p;
    if (!m->open) {
        if (p->memory_count >= VMP_PROFILE_MAX_MEMORIES)
            return 0;
        int rc = open_timeline(b);
        if (rc < 0)
            return rc;
    }
    if (b->growth_count < p->sum_count && vmp_profile_memory_cover(b) < 0)
        return -VMP_ENOMEM;
    if (m->count == VMP_MEMORY_WINDOW)
        release(b, VMP_MEMORY_WINDOW / 2);
    m->window[m->count++] =
        (vmp_memory_sample){time_ns, rss_kb < MAX_RSS_KB ? rss_kb : MAX_RSS_KB, sum_row};
    return 0;
}

void
vmp_profile_memory_close(vmp_profile_builder *b)
{
    if (b->memory.open)
        release(b, b->memory.count);
    b->memory.open = false;
}
