/* Signal context: takes a tick in the thread that it belongs to.
 *
 * While this runs the thread cannot move, and only the thread itself changes its
 * frame chain: the stack that is read is consistent by construction. What is
 * stored are addresses; names are learned later, and a code object cannot die
 * before its thread leaves this handler.
 *
 * Only what differs from the thread's last stack goes into the ring: most ticks
 * share all but a few leaf frames with the one before. */
#include <errno.h>
#include <pthread.h>
#include <unistd.h>

#include "actions.h"
#include "mem_guard.h"
#include "pacer.h"
#include "sampler_internal.h"

vmp_sampler vmp_the_sampler = {
    .mutex = PTHREAD_MUTEX_INITIALIZER, .threads_lock = PTHREAD_MUTEX_INITIALIZER};

/* The thread's slot. Initial-exec: no lazy allocation in the handler. The
 * generation tells a slot of an earlier session from one of this. */
static _Thread_local __attribute__((tls_model("initial-exec"))) struct {
    vmp_slot *slot;
    uint32_t generation;
    _Atomic bool reads; /* a tick of this thread is in the middle of its walk */
    bool never;         /* it is one of ours */
} own;

VMP_SIGSAFE static void
count_loss(_Atomic uint32_t *lost, enum vmp_log_loss reason, uint32_t n)
{
    atomic_fetch_add_explicit(&lost[reason], n, memory_order_relaxed);
}

/* The slot that the drain made for this thread while it slept, or NULL. */
VMP_SIGSAFE static vmp_slot *
slot_adopt(vmp_sampler *s, uint32_t count)
{
    pid_t tid = vmp_os_own_tid();
    for (uint32_t i = 0; i < count; i++) {
        vmp_slot *slot = atomic_load_explicit(&s->slots[i], memory_order_relaxed);
        if (atomic_load_explicit(&slot->state, memory_order_acquire) == VMP_SLOT_KNOWN &&
            slot->tid == tid && atomic_exchange(&slot->orphan, false))
            return slot;
    }
    return NULL;
}

/* Calls the drain before its time. */
VMP_SIGSAFE static void
drain_hurry(vmp_sampler *s)
{
    if (!atomic_exchange_explicit(&s->hurry, true, memory_order_relaxed))
        sem_post(&s->wake);
}

VMP_SIGSAFE static vmp_slot *
slot_claim(vmp_sampler *s, uint32_t generation)
{
    if (own.never)
        return NULL;
    /* acquire: pairs with the release in vmp_slots_grow. */
    uint32_t count = atomic_load_explicit(&s->slot_count, memory_order_acquire);
    vmp_slot *adopted = s->mode & VMP_LOG_MODE_WALL ? slot_adopt(s, count) : NULL;
    if (adopted) {
        own.slot = adopted;
        own.generation = generation;
        return adopted;
    }
    for (uint32_t i = 0; i < count; i++) {
        vmp_slot *slot = atomic_load_explicit(&s->slots[i], memory_order_relaxed);
        uint32_t expected = VMP_SLOT_FREE;
        if (atomic_load_explicit(&slot->state, memory_order_relaxed) != VMP_SLOT_FREE)
            continue;
        /* Taken over in two steps: no one may see it CLAIMED half filled. */
        if (!atomic_compare_exchange_strong_explicit(&slot->state, &expected, VMP_SLOT_FILLING,
                memory_order_acquire, memory_order_relaxed))
            continue;
        atomic_store_explicit(&slot->tid, vmp_os_own_tid(), memory_order_relaxed);
        slot->ident = (uint64_t)pthread_self();
        slot->first_ns = vmp_os_mono_ns();
        vmp_slot_begin(s, slot);
        atomic_store_explicit(&slot->state, VMP_SLOT_CLAIMED, memory_order_release);
        /* Threads that begin by the hundred must find slots. */
        if (atomic_fetch_add_explicit(&s->slots_claimed, 1, memory_order_relaxed) >
            s->spare_slots / 4)
            drain_hurry(s);
        own.slot = slot;
        own.generation = generation;
        return slot;
    }
    return NULL;
}

/* What a walk takes of the stack, and the guard's handler where it faults. A stack is the thread's
 * own or one that the program gave its signal handlers: faulthandler's has 8 KiB beyond the frame
 * of one signal, which a handler of the program may use just now. There a walk goes without the
 * guard, and at last there is none. Twice what tests/python/test_signal_stack.py measures. */
static const size_t WALK_STACK_BYTES = 2048, FAULT_STACK_BYTES = 512;

/* Before a load that may well fault, and after one that did. A neighbour may have taken the signals
 * since the drain looked; the ticks until it looks again need not find out each for itself. */
VMP_SIGSAFE static void
guard_ask(vmp_sampler *s, bool *guarded)
{
    if (!*guarded || vmp_guard_owned())
        return;
    atomic_store_explicit(&s->guarded, false, memory_order_relaxed);
    *guarded = false;
}

/* Address of the thread state whose frames the calling thread runs, or 0. */
VMP_SIGSAFE static uint64_t
own_thread_state(vmp_sampler *s, bool *guarded)
{
    const vmp_sampler_python *py = &s->python;
    uint64_t attached = (uint64_t)(uintptr_t)py->tstate_attached();
    if (attached && !py->attached_is_global)
        return attached;
    uint64_t own_state = (uint64_t)(uintptr_t)py->tstate_of_thread();
    if (!attached || VMP_LIKELY(attached == own_state))
        return own_state;
    /* A state of this thread in another interpreter, or that of another thread, which holds the
     * GIL or did, and may be gone by now. */
    uint64_t ident, place = attached + py->offsets.tstate.thread_id;
    guard_ask(s, guarded);
    int rc = *guarded ? vmp_guard_load64(place, &ident)
                      : s->walk_view.read(s->walk_view.ctx, place, &ident, sizeof(ident));
    return rc < 0 || ident != (uint64_t)pthread_self() ? own_state : attached;
}

/* Number of root-most frames that both stacks (leaf first) have in common. */
VMP_SIGSAFE static uint32_t
common_root(const vmp_frame *a, uint32_t a_n, const vmp_frame *b, uint32_t b_n)
{
    uint32_t most = a_n < b_n ? a_n : b_n, n = 0;
    const vmp_frame *pa = a + a_n, *pb = b + b_n;
    while (n < most && (--pa)->code == (--pb)->code && pa->instr == pb->instr)
        n++;
    return n;
}

/* How many root-most frames of the last stack the drain can keep for this one. */
VMP_SIGSAFE static uint32_t
frames_kept(const vmp_slot *slot, const vmp_py_stack *st)
{
    uint32_t kept = common_root(slot->last, slot->last_n, slot->next, st->n);
    if (VMP_UNLIKELY(st->elided || slot->last_elided) &&
        (st->elided != slot->last_elided || st->elided_at != slot->last_elided_at)) {
        /* Gaps that differ: only what lies on the root's side of both. */
        uint32_t before = slot->last_elided ? slot->last_n - slot->last_elided_at : slot->last_n;
        uint32_t now = st->elided ? st->n - st->elided_at : st->n;
        uint32_t most = before < now ? before : now;
        kept = kept < most ? kept : most;
    }
    return kept;
}

VMP_SIGSAFE static enum vmp_log_loss
loss_of_walk(int rc)
{
    return rc == -VMP_EUNREADABLE ? VMP_LOG_LOSS_UNREADABLE : VMP_LOG_LOSS_CORRUPT;
}

/* A walk that takes longer than a tick leaves the next signal pending when the
 * handler returns, and the thread stands still for good: 50,000 frames do at 10
 * kHz, 200,000 at 1 kHz, and a few hundred where each is read by system calls. So
 * walks that may be long are timed, and followed by as many ticks without one as
 * keep them to a tenth of the time; the next sample carries the weight of those.
 * Timed by the CPU clock: where other programs have the CPU for a turn of 20 ms meanwhile, one
 * stack would else stand for 0.2 s. */
enum { DEEP_FRAMES = 2000, DEEP_TICKS_FOR_ONE = 10 };

VMP_SIGSAFE static void
walk_pace(
    const vmp_sampler *s, vmp_slot *slot, const vmp_py_stack *st, bool guarded, uint64_t begun_ns)
{
    slot->deep = !guarded || st->n + st->elided >= DEEP_FRAMES;
    if (VMP_LIKELY(begun_ns == 0) || !slot->deep)
        return;
    uint64_t took_ns = vmp_os_own_cpu_ns() - begun_ns;
    uint64_t skip = took_ns * DEEP_TICKS_FOR_ONE / s->interval_ns;
    slot->skip = skip < UINT16_MAX ? (uint32_t)skip : UINT16_MAX;
}

/* Reads by guarded loads, or by system calls where nobody may fault. */
VMP_SIGSAFE static int
walk_frames(vmp_sampler *s, vmp_slot *slot, bool *guarded, uint64_t tstate, vmp_py_stack *st)
{
    const vmp_sampler_python *py = &s->python;
    if (VMP_LIKELY(*guarded)) {
        int rc = vmp_py_walk_self(&py->offsets, py->code_type, tstate, st);
        if (VMP_UNLIKELY(rc == -VMP_EUNREADABLE))
            guard_ask(s, guarded);
        if (VMP_LIKELY(*guarded))
            return rc;
        *st = (vmp_py_stack){.frames = st->frames, .cap = st->cap};
    }
    return vmp_py_walk_mem(&py->offsets, &s->walk_view, slot->blocks, py->code_type, tstate, st);
}

void
vmp_sample_tick(vmp_sampler *s, uint32_t weight, uint32_t first, const void *context)
{
    uint32_t generation = atomic_load_explicit(&s->generation, memory_order_relaxed);
    vmp_slot *slot = own.generation == generation ? own.slot : slot_claim(s, generation);
    if (VMP_UNLIKELY(!slot)) {
        if (!own.never)
            count_loss(s->lost, VMP_LOG_LOSS_NO_SLOT, weight);
        return;
    }
    /* The kernel delivers a tick that should wait when the walk of another faults
     * (vmp_guard_reader_set): that one's stack is good for both. Where the CPU clock
     * weighs ticks, the next one finds this one's time there. */
    if (VMP_UNLIKELY(atomic_load_explicit(&own.reads, memory_order_relaxed))) {
        if (!s->source->weighs_in_handler)
            atomic_fetch_add_explicit(&slot->owed, weight, memory_order_relaxed);
        return;
    }
    int64_t now_ns = vmp_os_mono_ns();
    if (s->source->weighs_in_handler) {
        weight = first ? vmp_sample_weigh_first(s, slot, now_ns, first)
                       : vmp_sample_weigh(s, slot, now_ns, context);
        if (VMP_UNLIKELY(weight == 0))
            return;
    }
    /* The drain takes what is owed at the end of the thread or the session. */
    if (VMP_UNLIKELY(slot->skip > 0)) {
        slot->skip--;
        atomic_fetch_add_explicit(&slot->owed, weight, memory_order_relaxed);
        return;
    }
    if (VMP_UNLIKELY(atomic_load_explicit(&slot->owed, memory_order_relaxed) > 0))
        weight += atomic_exchange_explicit(&slot->owed, 0, memory_order_relaxed);
    size_t left = context ? vmp_os_signal_stack_left(context) : SIZE_MAX;
    if (VMP_UNLIKELY(left < WALK_STACK_BYTES)) {
        count_loss(slot->lost, VMP_LOG_LOSS_SIGNAL_STACK, weight);
        return;
    }
    /* A fault in a thread that blocks SIGSEGV would kill, guard or no guard. */
    bool guarded = atomic_load_explicit(&s->guarded, memory_order_relaxed) &&
                   (!context || vmp_guard_usable_in(context)) &&
                   left >= WALK_STACK_BYTES + FAULT_STACK_BYTES + s->frame_bytes;
    atomic_store_explicit(&own.reads, true, memory_order_relaxed);
    uint64_t begun_ns = VMP_UNLIKELY(slot->deep) ? vmp_os_own_cpu_ns() : 0;
    uint64_t tstate = own_thread_state(s, &guarded);
    vmp_py_stack st = {.frames = slot->next, .cap = VMP_SAMPLE_MAX_FRAMES};
    if (tstate) {
        int rc = walk_frames(s, slot, &guarded, tstate, &st);
        walk_pace(s, slot, &st, guarded, begun_ns);
        if (VMP_UNLIKELY(rc < 0)) {
            atomic_store_explicit(&own.reads, false, memory_order_relaxed);
            count_loss(slot->lost, loss_of_walk(rc), weight);
            return;
        }
    }
    atomic_store_explicit(&own.reads, false, memory_order_relaxed);
    uint32_t kept = frames_kept(slot, &st);
    uint32_t fresh = st.n - kept, size = (uint32_t)(sizeof(vmp_tick) + fresh * sizeof(vmp_frame));
    vmp_tick *tick = vmp_ring_reserve(&slot->ring, size);
    if (VMP_UNLIKELY(!tick)) {
        count_loss(slot->lost, VMP_LOG_LOSS_RING_FULL, weight);
        return;
    }
    tick->time_ns = now_ns;
    tick->elided = st.elided;
    tick->elided_at = st.elided_at;
    tick->kept = kept;
    tick->fresh = fresh;
    tick->weight = weight;
    tick->rss_kb = s->rss.open ? (uint32_t)vmp_os_rss_kb(s->rss.fd) : 0;
    tick->flags = 0;
    vmp_frame *out = (vmp_frame *)(void *)(tick + 1);
    for (uint32_t i = 0; i < fresh; i++)
        out[i] = slot->next[i];
    vmp_ring_commit(&slot->ring, size);
    /* Deep stacks that change all the time fill a ring between two looks. */
    if (VMP_UNLIKELY(vmp_ring_used(&slot->ring) > VMP_SAMPLE_RING_BYTES / 2))
        drain_hurry(s);

    vmp_frame *swap = slot->last;
    slot->last = slot->next;
    slot->next = swap;
    slot->last_n = st.n;
    slot->last_elided = st.elided;
    slot->last_elided_at = st.elided_at;
}

/* The pacer's signal has come: what a thread does not hear of is lost. */
VMP_SIGSAFE static void
signal_heard(vmp_sampler *s, uint32_t weight)
{
    uint32_t generation = atomic_load_explicit(&s->generation, memory_order_relaxed);
    _Atomic uint64_t *heard = own.generation == generation ? &own.slot->heard : &s->heard_slotless;
    atomic_fetch_add_explicit(heard, weight, memory_order_relaxed);
}

/* Where RLIMIT_SIGPENDING is reached the kernel keeps that the pacer's signal came, but not
 * what it carried: it looks as if kill() had been called by root in a process that has no
 * number here. Passed on it would end the program. That the same comes from outside of
 * the container, while the pacer is needed, is the rarer. */
VMP_SIGSAFE static bool
signal_is_stripped(const vmp_sampler *s, const siginfo_t *info)
{
    return info->si_code == SI_USER && info->si_pid == 0 && info->si_uid == 0 &&
           info->si_signo == VMP_PACER_SIGNAL && atomic_load(&s->pacer_sends);
}

/* What a stripped one carried. The first one of a thread counts as one tick. */
VMP_SIGSAFE static uint64_t
payload_restore(const vmp_sampler *s)
{
    bool has_slot = own.generation == atomic_load_explicit(&s->generation, memory_order_relaxed);
    uint64_t sent = has_slot ? atomic_load(&own.slot->sent) : 0;
    return sent ? sent : (uint64_t)(uintptr_t)vmp_pacer_payload(s, 1);
}

/* Whether the pacer sent this signal. */
VMP_SIGSAFE static bool
signal_is_sent(const vmp_sampler *s, const siginfo_t *info)
{
    return info->si_code == SI_QUEUE || signal_is_stripped(s, info);
}

/* False if the signal is not ours. Else *ret is what it is worth in ticks: 0 if it
 * is a late one of an earlier session, whatever source that had, or was counted as lost.
 * *ret_first: as of vmp_sample_tick. */
VMP_SIGSAFE static bool
signal_is_ours(const vmp_sampler *s, const siginfo_t *info, uint32_t *ret, uint32_t *ret_first)
{
    uint64_t payload;
    if (VMP_UNLIKELY(signal_is_stripped(s, info)))
        payload = payload_restore(s);
    else if (info->si_code == SI_TIMER || info->si_code == SI_QUEUE)
        payload = (uint64_t)(uintptr_t)info->si_value.sival_ptr;
    else if (!vmp_os_perf_signal_payload(info, &payload))
        return false;
    uint32_t head = (uint32_t)(payload >> 32);
    *ret_first = 0;
    if ((head & ~(uint32_t)VMP_SAMPLE_TURN_MASK) != s->magic)
        return false;
    if (signal_is_sent(s, info)) { /* the weight itself */
        *ret = (head - atomic_load(&s->sent_turn)) & VMP_SAMPLE_TURN_MASK ? 0 : (uint32_t)payload;
        return true;
    }
    *ret_first = head & VMP_SAMPLE_TURN_MASK;
    payload -= (uint64_t)*ret_first << 32;
    *ret = payload == atomic_load_explicit(&s->payload, memory_order_relaxed)
               ? 1 + vmp_os_timer_overrun(info)
               : 0;
    return true;
}

bool
vmp_sampler_signal_is_own(const siginfo_t *info)
{
    const vmp_sampler *s = &vmp_the_sampler;
    uint32_t weight, first;
    /* What a stripped one carried stands in the slot, which a stop in another thread may be
     * freeing: unlike a handler, nobody waits for who asks this. */
    return signal_is_stripped(s, info) || signal_is_ours(s, info, &weight, &first);
}

bool
vmp_sampler_signal_looks_own(int code, pid_t pid, uid_t uid)
{
    siginfo_t info = {.si_signo = VMP_PACER_SIGNAL, .si_code = code};
    uint64_t payload;
    bool perf = vmp_os_perf_signal_payload(&info, &payload);
    info.si_pid = pid;
    info.si_uid = uid;
    return perf || code == SI_TIMER || signal_is_sent(&vmp_the_sampler, &info);
}

/* A breakpoint's. A debugger that is told to pass ticks on passes those too, and when it lets
 * go of the program it may be gone before the drain has seen it; the program's own would have
 * its instruction before the place where it stands now. */
VMP_SIGSAFE static bool
trap_is_debuggers(const vmp_sampler *s, const siginfo_t *info, const void *context)
{
    uint64_t end;
    uint8_t before[VMP_OS_TRAP_BYTES];
    if (info->si_signo != VMP_OS_PERF_SIGNAL || info->si_code <= 0 ||
        !(atomic_load(&s->generation) & 1))
        return false;
    if (atomic_load(&s->perf.traced))
        return true;
    return vmp_os_trap_end(context, &end) &&
           s->walk_view.read(s->walk_view.ctx, end - sizeof(before), before, sizeof(before)) == 0 &&
           !vmp_os_trap_is_own(before, info->si_code);
}

void
vmp_sample_on_signal(int signo, siginfo_t *info, void *context)
{
    vmp_sampler *s = &vmp_the_sampler;
    int saved_errno = errno;
    atomic_fetch_add(&s->active, 1);
    uint32_t weight = 0, first = 0;
    bool ours = signal_is_ours(s, info, &weight, &first);
    /* Before the start it is not a tick of the session, nor is one during a pause. */
    if (weight > 0 && VMP_LIKELY(atomic_load_explicit(&s->paused, memory_order_relaxed) == 0)) {
        bool sent = signal_is_sent(s, info), running = atomic_load(&s->running);
        if (VMP_LIKELY(running))
            vmp_sample_tick(s, weight, first, context);
        if (running && sent)
            signal_heard(s, weight);
        else if (!running && !sent && atomic_load(&s->stopping))
            count_loss(s->lost, VMP_LOG_LOSS_STOPPED, weight);
    }
    /* While a stop waits for this handler: it looks through the session's memory. */
    bool debuggers = !ours && trap_is_debuggers(s, info, context);
    atomic_fetch_sub(&s->active, 1);
    if (ours)
        vmp_os_restart_prevent(context);
    else
        vmp_actions_pass_on(s, signo, info, context, debuggers);
    errno = saved_errno;
}

void
vmp_sample_never_here(void)
{
    own.never = true;
}

void
vmp_sample_on_armed_signal(int signo)
{
    vmp_sampler *s = &vmp_the_sampler;
    int saved_errno = errno;
    /* A forked child may be hit before it knows that it is one; no thread drains there. */
    if (atomic_load(&s->running) && getpid() == s->signal_pid) {
        /* The drain thread writes the log, reports, and lets the process die.
         * Until then the program should not go on: it would be dead by now. The
         * wait ends, in case the drain needs a lock that this thread holds. */
        static const int64_t patience_ns = 3000000000;
        atomic_store(&s->signal_got, signo);
        sem_post(&s->wake);
        vmp_os_sleep_until(vmp_os_mono_ns() + patience_ns);
    } else {
        /* The end of the session is under way in a thread that blocks this signal, and
         * will be over in milliseconds: the log is to be whole. */
        static const int64_t step_ns = 1000000;
        for (int i = 0; i < 1000 && getpid() == s->signal_pid && s->signal_armed; i++)
            vmp_os_sleep_until(vmp_os_mono_ns() + step_ns);
        /* A forked child, or after the end: as if we were not. */
        struct sigaction dfl = {.sa_handler = SIG_DFL};
        sigaction(signo, &dfl, NULL);
        vmp_os_thread_signal(vmp_os_own_tid(), signo, NULL);
    }
    errno = saved_errno;
}
