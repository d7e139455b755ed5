/* Empties the rings into the log.
 *
 * The mutex is held in all of this. Besides the drain thread, a thread that is
 * about to free a code object comes here: what is in the rings may point to it,
 * so it is resolved first. Therefore no lock of the interpreter is ever needed:
 * a code object that a tick names is alive until its death has passed through
 * here, and its memory is read by system calls that fail softly at worst. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "actions.h"
#include "mem_guard.h"
#include "sampler_internal.h"
#include "vec.h"

/* The totals are written this often, and at the end. */
static const int64_t CLOCK_NS = 1000000000;
/* A chunk that grew to this goes out early. */
enum { FLUSH_BYTES = 256 << 10 };

void
vmp_drain_thread_write(vmp_sampler *s, const vmp_slot *slot)
{
    vmp_log_writer_thread(s->writer, slot->thread_index, (uint64_t)slot->tid, slot->ident,
        vmp_thread_names_of(s, slot), slot->first_ns);
}

static void
slot_greet(vmp_sampler *s, vmp_slot *slot, int64_t now_ns)
{
    slot->thread_index = ++s->thread_count;
    slot->depth = 0;
    slot->epoch = vmp_log_writer_epoch(s->writer);
    slot->ticks = slot->ticks_open = 0;
    slot->asleep = slot->ended = false;
    slot->alive_checked_ns = now_ns;
    /* Its first tick stands for the interval before it. */
    slot->wall_seen_ns = slot->first_ns - (int64_t)s->interval_ns;
    if (slot->wall_seen_ns < s->start_mono_ns)
        slot->wall_seen_ns = s->start_mono_ns;
    slot->cpu_seen = slot->cpu_looked = 0;
    for (size_t i = 0; i < s->start_cpu_count; i++)
        if (s->start_cpu[i].tid == slot->tid) {
            slot->cpu_seen = s->start_cpu[i].cpu_ns;
            /* A later thread with this number starts from nothing. */
            s->start_cpu[i].tid = -1;
        }
    vmp_drain_thread_write(s, slot);
    atomic_store_explicit(&slot->state, VMP_SLOT_KNOWN, memory_order_relaxed);
}

/* Pushes one frame onto the drain's copy of the thread's stack. */
static bool
push(vmp_sampler *s, vmp_slot *slot, uint32_t location)
{
    uint32_t parent = slot->depth ? slot->stacks[slot->depth - 1] : 0;
    uint32_t stack = location ? vmp_log_writer_stack(s->writer, parent, location) : 0;
    if (stack == 0)
        return false;
    slot->locations[slot->depth] = location;
    slot->stacks[slot->depth++] = stack;
    return true;
}

/* After an epoch the stack ids are void, the locations are not. */
bool
vmp_drain_stacks_renew(vmp_sampler *s, vmp_slot *slot)
{
    uint32_t depth = slot->depth, i = 0;
    slot->depth = 0;
    while (i < depth && push(s, slot, slot->locations[i]))
        i++;
    slot->epoch = vmp_log_writer_epoch(s->writer);
    return i == depth;
}

static bool
stack_follow(vmp_sampler *s, vmp_slot *slot, const vmp_tick *tick)
{
    const vmp_frame *frames = (const vmp_frame *)(const void *)(tick + 1);
    if (slot->epoch != vmp_log_writer_epoch(s->writer) && !vmp_drain_stacks_renew(s, slot))
        return false;
    /* The gap is an entry of its own in the drain's copy. */
    bool gap_kept = tick->elided && tick->fresh < tick->elided_at;
    if (tick->kept + gap_kept > slot->depth)
        return false;
    slot->depth = tick->kept + gap_kept;
    for (uint32_t i = tick->fresh; i-- > 0;) {
        if (tick->elided && i + 1 == tick->elided_at &&
            !push(s, slot, vmp_log_writer_elided(s->writer, tick->elided)))
            return false;
        if (!push(s, slot, vmp_code_table_location(&s->codes, frames[i].code, frames[i].instr)))
            return false;
    }
    return true;
}

void
vmp_drain_slot(vmp_sampler *s, vmp_slot *slot)
{
    const vmp_tick *tick;
    uint32_t size;
    if (atomic_load(&s->deaths_missed))
        vmp_drain_rings(s);
    while ((tick = vmp_ring_peek(&slot->ring, &size))) {
        bool followed = stack_follow(s, slot, tick);
        if (followed && s->distrust && tick->fresh > 0) {
            vmp_log_writer_loss(
                s->writer, VMP_LOG_LOSS_UNREADABLE, tick->weight, slot->thread_index);
            s->sum.lost[VMP_LOG_LOSS_UNREADABLE] += tick->weight;
        } else if (followed) {
            vmp_log_sample sample = {.thread = slot->thread_index,
                .stack = slot->depth ? slot->stacks[slot->depth - 1] : 0,
                .time_ns = tick->time_ns,
                .weight = tick->weight,
                .rss_kb = tick->rss_kb,
                .flags = tick->flags};
            vmp_log_writer_sample(s->writer, &sample);
            s->sum.ticks += tick->weight;
            slot->ticks_open += tick->weight;
            slot->asleep = false;
            slot->ticks++;
        } else {
            /* Out of memory. What the next tick keeps is not known any more; it
             * is lost too until a tick comes that keeps no more than is here. */
            vmp_log_writer_loss(s->writer, VMP_LOG_LOSS_CORRUPT, tick->weight, slot->thread_index);
            s->sum.lost[VMP_LOG_LOSS_CORRUPT] += tick->weight;
        }
        vmp_ring_release(&slot->ring);
    }
}

void
vmp_drain_rings(vmp_sampler *s)
{
    /* Code objects died while the log was stalled: no address is known any more, and
     * what the rings name may be gone or another's. */
    s->distrust = atomic_exchange(&s->deaths_missed, false);
    if (s->distrust)
        vmp_code_table_distrust(&s->codes);
    uint32_t count = atomic_load_explicit(&s->slot_count, memory_order_relaxed);
    for (uint32_t i = 0; i < count; i++) {
        vmp_slot *slot = atomic_load_explicit(&s->slots[i], memory_order_relaxed);
        /* acquire: pairs with the release in slot_claim. */
        uint32_t state = atomic_load_explicit(&slot->state, memory_order_acquire);
        if (state == VMP_SLOT_CLAIMED) {
            slot_greet(s, slot, vmp_os_mono_ns());
            state = VMP_SLOT_KNOWN;
        }
        if (state == VMP_SLOT_KNOWN && vmp_ring_used(&slot->ring) > 0)
            vmp_drain_slot(s, slot);
    }
    if (s->distrust) {
        vmp_code_table_trust(&s->codes);
        s->distrust = false;
    }
}

/* Writes the chunk. A pipe that nobody reads and a file size limit send signals to
 * the thread that writes, which may be the program's: they stay unseen. */
static void
flush_unseen(vmp_sampler *s)
{
    static const struct timespec now = {0, 0};
    sigset_t unwanted, old, before, after;
    sigemptyset(&unwanted);
    sigaddset(&unwanted, SIGPIPE);
    sigaddset(&unwanted, SIGXFSZ);
    pthread_sigmask(SIG_BLOCK, &unwanted, &old);
    sigpending(&before);
    bool failed = vmp_log_writer_flush(s->writer, NULL) < 0;
    sigpending(&after);
    /* What was pending before is the program's. */
    if (failed && !sigismember(&before, SIGPIPE) && !sigismember(&before, SIGXFSZ) &&
        (sigismember(&after, SIGPIPE) || sigismember(&after, SIGXFSZ)))
        sigtimedwait(&unwanted, NULL, &now);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
}

/* All but the writing. */
static void
gather(vmp_sampler *s, int64_t now_ns)
{
    vmp_drain_rings(s);
    vmp_account_slots(s, now_ns);
    vmp_thread_names_sweep(s);
    vmp_account_losses(s, s->lost, 0);
}

static void
send(vmp_sampler *s, int64_t now_ns)
{
    flush_unseen(s);
    s->sum.samples = vmp_log_writer_samples(s->writer);
    s->sum.bytes = vmp_log_writer_bytes(s->writer);
    s->sum.raw_bytes = vmp_log_writer_raw_bytes(s->writer);
    s->sum.lost[VMP_LOG_LOSS_WRITE] = vmp_log_writer_lost(s->writer);
    s->last_flush_ns = now_ns;
}

/* A chunk, all but the writing. */
static void
chunk_fill(vmp_sampler *s, int64_t now_ns, bool clocks)
{
    gather(s, now_ns);
    bool due = now_ns - s->clock_written_ns >= CLOCK_NS;
    if (clocks || due)
        vmp_account_clocks(s, now_ns);
    if (due && vmp_log_writer_pending(s->writer) > 0) {
        vmp_account_clocks_write(s, now_ns);
        s->clock_written_ns = now_ns;
    }
}

void
vmp_drain_all(vmp_sampler *s)
{
    int64_t now_ns = vmp_os_mono_ns();
    chunk_fill(s, now_ns, true);
    send(s, now_ns);
}

/* Ends the log, as far as it goes by now. */
static void
end_fill(vmp_sampler *s, int64_t now_ns)
{
    vmp_account_clocks_write(s, now_ns);
    vmp_log_writer_end(s->writer, now_ns);
}

void
vmp_drain_maybe_last(vmp_sampler *s)
{
    int64_t now_ns = vmp_os_mono_ns();
    vmp_account_clocks(s, now_ns);
    end_fill(s, now_ns);
    send(s, now_ns);
}

void
vmp_drain_last(vmp_sampler *s)
{
    int64_t now_ns = vmp_os_mono_ns();
    uint32_t count = atomic_load_explicit(&s->slot_count, memory_order_relaxed);
    vmp_drain_rings(s);
    for (uint32_t i = 0; i < count; i++) {
        vmp_slot *slot = atomic_load_explicit(&s->slots[i], memory_order_relaxed);
        if (atomic_load_explicit(&slot->state, memory_order_acquire) == VMP_SLOT_KNOWN)
            vmp_account_owed(s, slot, now_ns);
    }
    gather(s, now_ns);
    vmp_account_clocks(s, now_ns);
    end_fill(s, now_ns);
    send(s, now_ns);
}

/* Time between two looks: as long as a killed process may lose, since each wake-up
 * costs as much as dozens of ticks do here; a ring that fills sooner calls. */
static const int64_t LOOK_MOST_NS = 95000000;

static int64_t
look_ns(const vmp_sampler *s)
{
    static const int64_t least = 10000000, ticks = 512;
    int64_t ns = (int64_t)s->interval_ns * ticks;
    return ns < least ? least : ns > LOOK_MOST_NS ? LOOK_MOST_NS : ns;
}

/* Writes unless the look after this, at next_ns, is soon enough: looks come late or are
 * called for early, and a killed process loses what was not written. */
static void
look(vmp_sampler *s, int64_t next_ns)
{
    int64_t now_ns = vmp_os_mono_ns();
    atomic_store_explicit(&s->hurry, false, memory_order_relaxed);
    atomic_store_explicit(&s->guarded, vmp_guard_owned(), memory_order_relaxed);
    vmp_sampler_exec_look(s, now_ns);
    vmp_source_signal_adopt(s);
    vmp_imports_look(s);
    if (s->source->tend && atomic_load(&s->paused) == 0)
        s->source->tend(s, now_ns);
    if (next_ns - s->last_flush_ns > LOOK_MOST_NS ||
        vmp_log_writer_pending(s->writer) > FLUSH_BYTES) {
        now_ns = vmp_os_mono_ns();
        chunk_fill(s, now_ns, false);
        if (s->resume_at_ns != 0 && vmp_log_writer_pending(s->writer) > 0)
            end_fill(s, now_ns); /* what comes to an end by the exec stays ended */
        /* A debugger may have come meanwhile, and write is where one is asked to stop. */
        if (s->source->signo == VMP_OS_PERF_SIGNAL)
            vmp_own_thread_traced(vmp_os_status_read(&s->status).traced);
        send(s, now_ns);
    } else {
        vmp_drain_rings(s);
    }
    /* As many spare ones as were needed since the last look, if that was more. */
    uint32_t claimed = atomic_exchange_explicit(&s->slots_claimed, 0, memory_order_relaxed);
    vmp_slots_grow(s, claimed > s->spare_slots ? claimed : s->spare_slots);
}

/* The armed signal came: write, report, die of it as if we had not been here. */
static void
signal_obey(vmp_sampler *s, int signo)
{
    struct sigaction dfl = {.sa_handler = SIG_DFL};
    sigset_t set;
    pthread_mutex_lock(&s->mutex);
    vmp_drain_last(s);
    pthread_mutex_unlock(&s->mutex);
    s->signal_run(s->signal_context);
    sigaction(signo, &dfl, NULL);
    sigemptyset(&set);
    sigaddset(&set, signo);
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
    kill(getpid(), signo);
}

static void *
drain_main(void *arg)
{
    vmp_sampler *s = arg;
    int64_t next_ns = vmp_os_mono_ns() + look_ns(s);
    atomic_store(&s->drain_tid, vmp_os_own_tid());
    while (!atomic_load(&s->drain_stop)) {
        struct timespec until = {(time_t)(next_ns / 1000000000), (long)(next_ns % 1000000000)};
        sem_clockwait(&s->wake, CLOCK_MONOTONIC, &until);
        int signo = atomic_exchange(&s->signal_got, 0);
        if (signo)
            signal_obey(s, signo);
        int64_t now_ns = vmp_os_mono_ns();
        if (now_ns >= next_ns) /* else it was called before its time */
            next_ns += look_ns(s);
        if (next_ns < now_ns)
            next_ns = now_ns;
        pthread_mutex_lock(&s->mutex);
        /* Asked under the mutex: a start that failed has nothing to look at. */
        if (!atomic_load(&s->drain_stop))
            look(s, next_ns);
        pthread_mutex_unlock(&s->mutex);
    }
    pthread_mutex_lock(&s->mutex);
    s->drain_cpu_before += vmp_os_own_cpu_ns();
    s->drain_ended = atomic_exchange(&s->drain_tid, 0);
    pthread_mutex_unlock(&s->mutex);
    return NULL;
}

int
vmp_drain_thread_start(vmp_sampler *s, vmp_err *err)
{
    atomic_store(&s->drain_stop, false);
    int rc = vmp_own_thread_start(&s->drain, drain_main, s);
    if (rc != 0)
        return vmp_err_set(err, VMP_EUNSUPPORTED, rc, 0, "cannot start a thread: %s", strerror(rc));
    s->drain_runs = true;
    return 0;
}

void
vmp_drain_thread_stop(vmp_sampler *s)
{
    if (!s->drain_runs)
        return;
    atomic_store(&s->drain_stop, true);
    sem_post(&s->wake);
    pthread_join(s->drain, NULL);
    s->drain_runs = false;
}
