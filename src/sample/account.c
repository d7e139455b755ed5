/* Whose the CPU time is: each thread's samples share what its clock says it used.
 * The mutex is held in all of this. */
#include <stdlib.h>

#include "sampler_internal.h"

static const int64_t THREAD_CHECK_NS = 1000000000;

void
vmp_account_losses(vmp_sampler *s, _Atomic uint32_t *lost, uint32_t thread_index)
{
    for (int reason = 0; reason < VMP_LOG_LOSS_COUNT; reason++) {
        if (atomic_load_explicit(&lost[reason], memory_order_relaxed) == 0)
            continue;
        uint32_t n = atomic_exchange_explicit(&lost[reason], 0, memory_order_relaxed);
        vmp_log_writer_loss(s->writer, (enum vmp_log_loss)reason, n, thread_index);
        s->sum.lost[reason] += n;
    }
}

/* Whether threads began or ended since the look before. Counted once a look, and
 * only if a thread was idle. */
static bool
threads_changed(vmp_sampler *s, int64_t now_ns)
{
    if (s->threads_counted_ns != now_ns) {
        uint32_t threads = vmp_os_thread_count_by(&s->tasks);
        s->threads_changed = threads != s->threads_then;
        s->threads_then = threads;
        s->threads_counted_ns = now_ns;
    }
    return s->threads_changed;
}

/* The thread is gone and its ring is empty: the slot serves another. */
static void
slot_retire(vmp_sampler *s, vmp_slot *slot)
{
    vmp_thread_names_slot_ends(s, slot);
    vmp_undelivered_slot_ends(s, slot);
    vmp_pacer_slot_ends(s, slot);
    atomic_store_explicit(&slot->state, VMP_SLOT_FREE, memory_order_release);
}

void
vmp_account_owed(vmp_sampler *s, vmp_slot *slot, int64_t now_ns)
{
    uint32_t owed = atomic_exchange_explicit(&slot->owed, 0, memory_order_relaxed);
    if (owed == 0)
        return;
    if (slot->ticks == 0 ||
        (slot->epoch != vmp_log_writer_epoch(s->writer) && !vmp_drain_stacks_renew(s, slot))) {
        vmp_log_writer_loss(s->writer, VMP_LOG_LOSS_UNDELIVERED, owed, slot->thread_index);
        s->sum.lost[VMP_LOG_LOSS_UNDELIVERED] += owed;
        return;
    }
    vmp_log_sample sample = {.thread = slot->thread_index,
        .stack = slot->depth ? slot->stacks[slot->depth - 1] : 0,
        .time_ns = now_ns,
        .weight = owed,
        .rss_kb = s->rss.open ? vmp_os_rss_kb(s->rss.fd) : 0};
    vmp_log_writer_sample(s->writer, &sample);
    s->sum.ticks += owed;
    slot->ticks_open += owed;
}

void
vmp_account_undelivered(vmp_sampler *s, vmp_slot *slot, pid_t tid, uint64_t ns)
{
    uint64_t ticks = ns / s->interval_ns;
    if (ticks == 0)
        return;
    bool own = slot && slot->tid == tid;
    vmp_log_writer_loss(s->writer, VMP_LOG_LOSS_UNDELIVERED, ticks, own ? slot->thread_index : 0);
    s->sum.lost[VMP_LOG_LOSS_UNDELIVERED] += ticks;
    if (s->mode & VMP_LOG_MODE_WALL)
        return;
    uint64_t cpu_ns;
    if (own && vmp_os_thread_cpu_ns(tid, &cpu_ns) == 0) {
        uint64_t told_ns = slot->cpu_seen + slot->ticks_open * s->interval_ns;
        uint64_t untold_ns = cpu_ns > told_ns ? cpu_ns - told_ns : 0;
        ns = ns < untold_ns ? ns : untold_ns;
        slot->cpu_seen += ns;
    }
    s->cpu_told_ns += ns; /* not to be found with threads that ended */
}

/* Wall mode: of the time since the last batch, what this one stands for. What has been
 * owed to a look for long comes in a later batch than its time, which waits for it: were
 * it shared out at once, it would go to what was recorded meanwhile. */
static uint64_t
wall_take(const vmp_sampler *s, vmp_slot *slot, int64_t now_ns)
{
    /* Its first tick may be younger than this look. */
    uint64_t since_ns = now_ns > slot->wall_seen_ns ? (uint64_t)(now_ns - slot->wall_seen_ns) : 0;
    /* Periods are off the interval by a few hundredths. */
    uint64_t most_ns = slot->ticks_open * s->interval_ns;
    most_ns += most_ns / 8;
    uint64_t wall_ns = since_ns < most_ns ? since_ns : most_ns;
    slot->wall_seen_ns += (int64_t)wall_ns;
    return wall_ns;
}

static void
batch_close(vmp_sampler *s, vmp_slot *slot, uint64_t cpu_ns, int64_t now_ns)
{
    uint64_t wall_ns = s->mode & VMP_LOG_MODE_WALL ? wall_take(s, slot, now_ns) : 0;
    vmp_log_writer_batch(s->writer, slot->thread_index, cpu_ns, wall_ns);
    s->cpu_told_ns += cpu_ns;
    slot->ticks_open = 0;
    slot->asleep = false;
}

/* Closes the open batch with the CPU time used since the last one. False if the
 * thread is gone and its clock with it: the batch stays open. */
static bool
slot_account(vmp_sampler *s, vmp_slot *slot, int64_t now_ns)
{
    uint64_t cpu = slot->asleep_cpu_ns;
    bool idle = slot->ticks_open == 0;
    vmp_account_losses(s, slot->lost, slot->thread_index);
    if (idle && now_ns - slot->alive_checked_ns < THREAD_CHECK_NS && !threads_changed(s, now_ns))
        return true;
    if (!slot->asleep) {
        slot->alive_checked_ns = now_ns;
        if (vmp_os_thread_cpu_ns(slot->tid, &cpu) == 0) {
            slot->cpu_looked = cpu;
        } else {
            vmp_drain_slot(s, slot);
            vmp_account_owed(s, slot, now_ns);
            vmp_account_losses(s, slot->lost, slot->thread_index);
            if (slot->ticks_open > 0)
                return false;
            slot_retire(s, slot);
            return true;
        }
    }
    if (slot->ticks_open > 0) {
        /* Smaller: the number is another thread's by now. */
        bool other = cpu < slot->cpu_seen;
        batch_close(
            s, slot, other ? slot->ticks_open * s->interval_ns : cpu - slot->cpu_seen, now_ns);
        slot->cpu_seen = cpu;
    }
    return true;
}

/* CPU time of the program's own threads, by the clocks read last. Ours is read after the
 * process's and may be ahead of it by what it used meanwhile. */
static uint64_t
program_cpu_ns(const vmp_sampler *s)
{
    uint64_t all = s->sum.cpu_ns, ours = s->sum.profiler_cpu_ns;
    return all > ours ? all - ours : 0;
}

/* Threads that ended between two looks took their clocks with them. The process's
 * clock has their time: what of it no batch was told stands for them, at least
 * about their ticks and at most one more each, since a thread that uses a whole
 * interval more ticks once more. */
static void
ended_account(vmp_sampler *s, uint32_t count, uint32_t ended, int64_t now_ns)
{
    bool wall = (s->mode & VMP_LOG_MODE_WALL) != 0;
    uint64_t used = program_cpu_ns(s), sure = 0;
    for (uint32_t i = 0; i < count; i++) {
        const vmp_slot *slot = atomic_load_explicit(&s->slots[i], memory_order_relaxed);
        sure += slot->ended && !wall ? slot->ticks_open * s->interval_ns : 0;
    }
    uint64_t untold = used > s->cpu_told_ns ? used - s->cpu_told_ns : 0;
    double scale = 1;
    uint64_t extra = 0;
    if (untold > sure)
        extra = (untold - sure) / ended;
    else if (sure > 0)
        scale = untold > sure / 2 ? (double)untold / (double)sure : 0.5;
    for (uint32_t i = 0; i < count; i++) {
        vmp_slot *slot = atomic_load_explicit(&s->slots[i], memory_order_relaxed);
        if (!slot->ended)
            continue;
        uint64_t ticks_ns = slot->ticks_open * s->interval_ns;
        uint64_t most = wall ? ticks_ns : s->interval_ns;
        uint64_t cpu_ns = wall ? 0 : (uint64_t)((double)ticks_ns * scale);
        slot->ended = false;
        batch_close(s, slot, cpu_ns + (extra < most ? extra : most), now_ns);
        slot_retire(s, slot);
    }
}

static uint64_t
profiler_cpu(const vmp_sampler *s)
{
    const pid_t ours[] = {atomic_load(&s->drain_tid), vmp_pacer_tid(s)};
    uint64_t sum = s->drain_cpu_before, cpu;
    for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
        if (ours[i] > 0 && vmp_os_thread_cpu_ns(ours[i], &cpu) == 0)
            sum += cpu;
    return sum;
}

/* CPU time of the program that batches were not told of, less what threads that have samples
 * used since their last tick. */
static uint64_t
unsampled_cpu_ns(const vmp_sampler *s)
{
    uint64_t used = program_cpu_ns(s), known = s->cpu_told_ns;
    uint32_t count = atomic_load_explicit(&s->slot_count, memory_order_relaxed);
    for (uint32_t i = 0; i < count; i++) {
        const vmp_slot *slot = atomic_load_explicit(&s->slots[i], memory_order_relaxed);
        if (atomic_load_explicit(&slot->state, memory_order_acquire) == VMP_SLOT_KNOWN &&
            slot->cpu_looked > slot->cpu_seen)
            known += slot->cpu_looked - slot->cpu_seen;
    }
    return used > known ? used - known : 0;
}

void
vmp_account_clocks(vmp_sampler *s, int64_t now_ns)
{
    s->sum.cpu_ns = vmp_os_process_cpu_ns() - s->start_cpu_ns;
    s->sum.profiler_cpu_ns = profiler_cpu(s);
    if (!s->account_paused)
        s->sum.unsampled_cpu_ns = unsampled_cpu_ns(s);
    s->sum.wall_ns = (uint64_t)(now_ns - s->start_mono_ns);
}

void
vmp_account_clocks_write(vmp_sampler *s, int64_t now_ns)
{
    vmp_log_clock clock = {.mono_ns = now_ns,
        .process_cpu_ns = s->sum.cpu_ns,
        .profiler_cpu_ns = s->sum.profiler_cpu_ns,
        .unsampled_cpu_ns = s->sum.unsampled_cpu_ns};
    vmp_log_writer_clock(s->writer, &clock);
}

void
vmp_account_pause(vmp_sampler *s)
{
    s->account_paused = true;
}

void
vmp_account_restart(vmp_sampler *s)
{
    int64_t now_ns = vmp_os_mono_ns();
    uint32_t count = atomic_load_explicit(&s->slot_count, memory_order_relaxed);
    atomic_fetch_add(&s->clock_epoch, 1);
    for (uint32_t i = 0; i < count; i++) {
        vmp_slot *slot = atomic_load_explicit(&s->slots[i], memory_order_relaxed);
        if (atomic_load_explicit(&slot->state, memory_order_acquire) != VMP_SLOT_KNOWN)
            continue;
        vmp_os_thread_cpu_ns(slot->tid, &slot->cpu_seen);
        slot->cpu_looked = slot->cpu_seen;
        slot->wall_seen_ns = now_ns;
    }
    for (size_t i = 0; i < s->start_cpu_count; i++)
        if (s->start_cpu[i].tid > 0)
            vmp_os_thread_cpu_ns(s->start_cpu[i].tid, &s->start_cpu[i].cpu_ns);
    vmp_account_clocks(s, now_ns);
    uint64_t used = program_cpu_ns(s), unsampled = s->sum.unsampled_cpu_ns;
    s->cpu_told_ns = used > unsampled ? used - unsampled : 0;
    s->account_paused = false;
}

void
vmp_account_slots(vmp_sampler *s, int64_t now_ns)
{
    uint32_t count = atomic_load_explicit(&s->slot_count, memory_order_relaxed), ended = 0;
    for (uint32_t i = 0; i < count; i++) {
        vmp_slot *slot = atomic_load_explicit(&s->slots[i], memory_order_relaxed);
        if (atomic_load_explicit(&slot->state, memory_order_acquire) != VMP_SLOT_KNOWN)
            continue;
        slot->ended = !slot_account(s, slot, now_ns);
        ended += slot->ended;
    }
    if (ended > 0) {
        vmp_account_clocks(s, now_ns);
        ended_account(s, count, ended, now_ns);
    }
}
