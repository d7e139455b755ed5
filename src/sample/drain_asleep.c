/* Wall mode: stacks of threads that sleep, read without waking them.
 *
 * A thread whose CPU clock did not move between two looks did not run, so what
 * was read in between is one moment's truth. If it moved, the reading is thrown
 * away, and the next look stands for this one's time too. */
#include <string.h>

#include "sampler_internal.h"

enum {
    MAX_STATES = 65536, /* longest list of thread states that is searched */
    STATE_BYTES = 256,  /* of a thread state, up to the ids: all layouts */
};
/* A thread without a state may be one that never runs Python. */
static const int64_t STATES_AGAIN_NS = 5000000;

static bool
read_word(const vmp_mem *mem, uint64_t address, uint64_t *ret)
{
    return mem->read(mem->ctx, address, ret, sizeof(*ret)) == 0;
}

/* The tid and the successor of the thread state at `tstate`; false if it cannot
 * be read. */
static bool
state_read(
    const vmp_sampler *s, const vmp_mem *mem, uint64_t tstate, pid_t *ret_tid, uint64_t *ret_next)
{
    /* One read for both: each costs a system call. */
    const vmp_py_offsets *off = &s->python.offsets;
    bool native = off->tstate.native_tid != VMP_PY_NONE;
    uint16_t id = native ? off->tstate.native_tid : off->tstate.thread_id;
    uint8_t bytes[STATE_BYTES];
    uint64_t word;
    if ((size_t)id + 8 > sizeof(bytes) || (size_t)off->tstate.next + 8 > sizeof(bytes) ||
        mem->read(mem->ctx, tstate, bytes, sizeof(bytes)) < 0)
        return false;
    memcpy(ret_next, bytes + off->tstate.next, sizeof(*ret_next));
    memcpy(&word, bytes + id, sizeof(word));
    if (native) {
        *ret_tid = (pid_t)word;
        return true;
    }
    /* Before 3.11 only pthread_self() is there. */
    *ret_tid = vmp_thread_tid_of(s, mem, word);
    return true;
}

static bool
state_is_of(const vmp_sampler *s, const vmp_mem *mem, uint64_t tstate, pid_t tid)
{
    uint64_t next;
    pid_t found;
    return state_read(s, mem, tstate, &found, &next) && found == tid;
}

/* Tells all watched threads which state is theirs: one pass over the list serves
 * a thousand threads that are new. */
static void
states_find(vmp_sampler *s, const vmp_mem *mem)
{
    uint64_t tstate = s->python.tstate_first ? (uint64_t)(uintptr_t)s->python.tstate_first() : 0;
    for (int i = 0; tstate && i < MAX_STATES; i++) {
        uint64_t next;
        pid_t tid;
        if (!state_read(s, mem, tstate, &tid, &next))
            return;
        vmp_watch *watch = vmp_watch_list_find(&s->watched, tid);
        if (watch)
            watch->tstate = tstate;
        tstate = next;
    }
}

/* 0: not known yet, or of a thread that never runs Python. */
static uint64_t
ident_of(const vmp_sampler *s, const vmp_watch *watch)
{
    uint64_t ident = 0;
    vmp_mem mem = vmp_mem_self_view(s->name_mem);
    if (watch->tstate)
        read_word(&mem, watch->tstate + s->python.offsets.tstate.thread_id, &ident);
    return ident ? ident : vmp_thread_names_ident(s, watch->tid);
}

static vmp_slot *
slot_of(vmp_sampler *s, vmp_watch *watch, int64_t first_ns)
{
    vmp_slot *vacant = NULL, *slot = watch->slot;
    if (slot && slot->tid == watch->tid &&
        atomic_load_explicit(&slot->state, memory_order_acquire) == VMP_SLOT_KNOWN)
        return slot;
    vmp_drain_rings(s); /* one that the thread itself has just claimed is known now */
    vmp_slots_grow(s, 1);
    uint32_t count = atomic_load_explicit(&s->slot_count, memory_order_relaxed);
    for (uint32_t i = 0; i < count; i++) {
        slot = atomic_load_explicit(&s->slots[i], memory_order_relaxed);
        uint32_t state = atomic_load_explicit(&slot->state, memory_order_acquire);
        if (state == VMP_SLOT_KNOWN && slot->tid == watch->tid)
            return watch->slot = slot;
        if (state == VMP_SLOT_FREE && !vacant)
            vacant = slot;
    }
    uint32_t expected = VMP_SLOT_FREE;
    if (!vacant || !atomic_compare_exchange_strong(&vacant->state, &expected, VMP_SLOT_FILLING))
        return NULL;
    atomic_store_explicit(&vacant->tid, watch->tid, memory_order_relaxed);
    vacant->ident = ident_of(s, watch);
    vacant->first_ns = first_ns;
    vmp_slot_begin(s, vacant);
    atomic_store(&vacant->orphan, true);
    atomic_store_explicit(&vacant->state, VMP_SLOT_CLAIMED, memory_order_release);
    vmp_drain_rings(s); /* makes it known */
    return watch->slot = vacant;
}

/* Id of the stack (0 if it is empty); false when out of memory. */
static bool
stack_id(vmp_sampler *s, const vmp_py_stack *st, uint32_t *ret)
{
    uint32_t stack = 0;
    for (uint32_t i = st->n; i-- > 0;) {
        uint32_t location;
        if (st->elided && i + 1 == st->elided_at) {
            location = vmp_log_writer_elided(s->writer, st->elided);
            stack = location ? vmp_log_writer_stack(s->writer, stack, location) : 0;
            if (!stack)
                return false;
        }
        location = vmp_code_table_location(&s->codes, st->frames[i].code, st->frames[i].instr);
        stack = location ? vmp_log_writer_stack(s->writer, stack, location) : 0;
        if (!stack)
            return false;
    }
    *ret = stack;
    return true;
}

static bool
stack_read(vmp_sampler *s, vmp_watch *watch, vmp_frame *frames, int64_t now_ns)
{
    vmp_mem mem = vmp_mem_self_view(s->name_mem);
    vmp_py_stack st = {.frames = frames, .cap = VMP_SAMPLE_MAX_FRAMES};
    vmp_py_blocks blocks;
    uint64_t cpu_ns;
    if (watch->tstate && !state_is_of(s, &mem, watch->tstate, watch->tid))
        watch->tstate = 0;
    if (!watch->tstate) {
        /* Not looked for yet is not the same as not there. */
        if (now_ns - s->states_found_ns <= STATES_AGAIN_NS)
            return false;
        s->states_found_ns = now_ns;
        states_find(s, &mem);
    }
    if (watch->tstate && vmp_py_walk_mem(&s->python.offsets, &mem, &blocks, s->python.code_type,
                             watch->tstate, &st) < 0)
        return false;
    if (vmp_os_thread_cpu_ns(watch->tid, &cpu_ns) < 0 || cpu_ns != watch->looked_cpu_ns)
        return false;
    /* The code objects cannot die before they are named: that takes the mutex. */
    if (!stack_id(s, &st, &watch->stack))
        return false;
    watch->stack_epoch = vmp_log_writer_epoch(s->writer);
    watch->has_stack = true;
    return true;
}

bool
vmp_drain_asleep(
    vmp_sampler *s, vmp_watch *watch, vmp_frame *frames, uint32_t weight, int64_t now_ns)
{
    if (atomic_load(&s->deaths_missed))
        vmp_drain_rings(s); /* what the code table knows is void */
    if (watch->has_stack && watch->stack_epoch != vmp_log_writer_epoch(s->writer))
        watch->has_stack = false;
    if (!watch->has_stack && !stack_read(s, watch, frames, now_ns))
        return false;
    if (weight == 0)
        return true;
    vmp_slot *slot = slot_of(s, watch, now_ns - (int64_t)(weight - 1) * (int64_t)s->interval_ns);
    if (!slot) {
        vmp_log_writer_loss(s->writer, VMP_LOG_LOSS_NO_SLOT, weight, 0);
        s->sum.lost[VMP_LOG_LOSS_NO_SLOT] += weight;
        return true;
    }
    if (slot->ident == 0 && (slot->ident = ident_of(s, watch)) != 0)
        vmp_drain_thread_write(s, slot);
    /* Its last ticks come first. */
    vmp_drain_slot(s, slot);
    vmp_log_sample sample = {.thread = slot->thread_index,
        .stack = watch->stack,
        .time_ns = now_ns,
        .weight = weight,
        .rss_kb = s->rss.open ? vmp_os_rss_kb(s->rss.fd) : 0,
        .flags = VMP_LOG_FLAG_OFF_CPU};
    vmp_log_writer_sample(s->writer, &sample);
    s->sum.ticks += weight;
    slot->ticks_open += weight;
    slot->asleep = true;
    slot->asleep_cpu_ns = watch->looked_cpu_ns;
    return true;
}
