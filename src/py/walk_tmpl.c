/* The walk over a thread's Python frames, written once.
 *
 * Included by walk_self.c and walk_mem.c, each of which defines before (the
 * types are in walk_internal.h):
 *
 *   walk_reader                          what the loads need
 *   int walk_load64(const walk_reader *r, uint64_t addr, uint64_t *ret)
 *   int walk_load32(const walk_reader *r, uint64_t addr, uint32_t *ret)
 *   int walk_load_frame(const walk_reader *r, const vmp_py_offsets *off, walk_shape shape,
 *                       uint64_t addr, walk_raw *ret)
 *
 * each giving 0 or -VMP_EUNREADABLE, and
 *
 *   bool walk_may_fault(const walk_reader *r)
 *
 * which tells whether an unreadable address is only an error now.
 *
 * Invariants, by version (CPython Include/internal/pycore_frame.h, and
 * Python/bytecodes.c of each):
 *
 * 1. Only the thread itself changes its chain, so under its own signal handler
 *    only the top of it can be half done: all but the first frame is as f_back
 *    would show it. From 3.13 on, and up to 3.10, the top is published in one
 *    store after the frame is filled. For 3.11 and 3.12 see walk_cframe_top.
 * 2. 3.8 to 3.10: frame objects, one per C eval call; no other kinds of frames.
 * 3. 3.11: the instruction pointer names the last unit executed, often an inline
 *    cache entry of the call in progress; one unit before the code when nothing
 *    ran. f_lasti says the same, and the line table covers cache entries.
 * 4. 3.12: each C eval call pushes a shim, which lives on the C stack (owner
 *    CSTACK); an inlined __init__ pushes a trampoline frame, owned by the thread
 *    like any other, whose code of three units (EXIT_INIT_CHECK, RETURN_VALUE,
 *    RESUME) never becomes traceable.
 * 5. 3.13: the pointer names the instruction in progress. A frame's executable
 *    may be another object than a code object.
 * 6. 3.14: the executable is tagged; in free-threaded builds the pointer lies in
 *    the copy of the bytecode that tlbc_index picks (0: in the code object).
 *    Owners from FRAME_OWNED_BY_INTERPRETER up are no Python frames; 3.15 also
 *    ends the chain with such a sentinel. */

enum {
    WALK_LOWEST_ADDRESS = 4096, /* the first page is never mapped */
    WALK_HIGHEST_BIT = 56,      /* user addresses end below, on every CPU that we know */
    WALK_UNIT = 2,              /* bytes of a code unit; vmp_py_offsets_validate accepts no other */
    WALK_TRAMPOLINE_UNITS = 3,
    WALK_MAX_CODE_BYTES = 1 << 30,
    WALK_TSTATE_BYTES = 4096, /* a PyThreadState ends before */
    WALK_MAX_OWNER = 3,       /* FRAME_OWNED_BY_CSTACK of 3.12 */
    WALK_MAX_TLBC = 1 << 20,  /* threads alive at once that can have a bytecode copy */
};

/* What a frame turned out to be. */
enum walk_verdict { WALK_FRAME, WALK_HIDDEN, WALK_DROPPED };

/* Rotating the alignment bits to the top lets one comparison judge both ends:
 * too low wraps round, too high or unaligned is above the limit. */
VMP_INLINE bool
walk_address_absurd(uint64_t addr)
{
    uint64_t rotated = addr >> 3 | addr << 61;
    return rotated - WALK_LOWEST_ADDRESS / 8 >=
           ((uint64_t)1 << (WALK_HIGHEST_BIT - 3)) - WALK_LOWEST_ADDRESS / 8;
}

/* The output: the first frames, then a ring of the last ones (py_walk.h). */
typedef struct walk_sink {
    vmp_frame *frames;
    uint32_t cap, leaf_cap;
    uint32_t at; /* where the next frame goes */
    uint64_t n;  /* frames seen */
    uint32_t dropped;
} walk_sink;

VMP_INLINE void
walk_sink_put(walk_sink *s, uint64_t code, uint32_t instr)
{
    if (VMP_UNLIKELY(s->at == s->cap))
        s->at = s->leaf_cap;
    s->frames[s->at++] = (vmp_frame){.code = code, .instr = instr};
    s->n++;
}

static void
walk_reverse(vmp_frame *frames, uint32_t n)
{
    for (uint32_t i = 0; i < n / 2; i++) {
        vmp_frame swap = frames[i];
        frames[i] = frames[n - 1 - i];
        frames[n - 1 - i] = swap;
    }
}

static void
walk_sink_finish(const walk_sink *s, vmp_py_stack *st)
{
    st->dropped = s->dropped;
    st->n = s->n < s->cap ? (uint32_t)s->n : s->cap;
    st->elided = s->n - st->n;
    st->elided_at = st->elided ? s->leaf_cap : st->n;
    if (st->elided) {
        /* The oldest of the ring is where the next frame would have gone. */
        uint32_t n = s->cap - s->leaf_cap, head = (s->at - s->leaf_cap) % n;
        walk_reverse(s->frames + s->leaf_cap, head);
        walk_reverse(s->frames + s->leaf_cap + head, n - head);
        walk_reverse(s->frames + s->leaf_cap, n);
    }
}

/* The start of the bytecode that the frame executes. */
VMP_INLINE int
walk_bytecode(const walk_reader *r, const vmp_py_offsets *off, walk_shape shape,
    const walk_raw *raw, uint64_t code, uint64_t *ret)
{
    *ret = code + off->code.firstinstr;
    if (!shape.tlbc || raw->tlbc_index == 0)
        return 0;
    uint64_t array, size;
    int rc = walk_load64(r, code + off->code.tlbc, &array);
    if (rc < 0 || array == 0)
        return rc;
    /* struct _PyCodeArray: Py_ssize_t size; char *entries[]; */
    rc = walk_load64(r, array, &size);
    if (rc < 0 || raw->tlbc_index >= size || size > WALK_MAX_TLBC)
        return rc;
    uint64_t entry;
    rc = walk_load64(r, array + sizeof(uint64_t) * (1 + (uint64_t)raw->tlbc_index), &entry);
    if (rc == 0 && entry != 0)
        *ret = entry;
    return rc;
}

/* Judges the frame and computes the instruction's byte offset. The code object
 * is read only as far as py_walk.h says. */
VMP_INLINE int
walk_judge(const walk_reader *r, const vmp_py_offsets *off, walk_shape shape, uint64_t code_type,
    const walk_raw *raw, uint64_t code, bool top, enum walk_verdict *verdict, uint32_t *instr)
{
    *verdict = WALK_FRAME;
    *instr = VMP_PY_INSTR_UNKNOWN;
    if (VMP_UNLIKELY(walk_address_absurd(code))) {
        *verdict = WALK_DROPPED;
        return 0;
    }
    if (code_type != 0 && (shape.type || top)) {
        uint64_t type;
        int rc = walk_load64(r, code + off->object.type, &type);
        if (rc < 0)
            return rc;
        if (type != code_type) {
            *verdict = WALK_DROPPED;
            return 0;
        }
    }
    if (!shape.pointer) {
        int64_t lasti = (int64_t)raw->instr;
        if (lasti >= 0)
            *instr = (uint32_t)lasti * (off->instr == VMP_PY_INSTR_UNITS ? WALK_UNIT : 1u);
        return 0;
    }

    uint64_t first;
    int rc = walk_bytecode(r, off, shape, raw, code, &first);
    if (rc < 0)
        return rc;
    /* One unit before the first wraps round to a huge number: nothing ran yet. */
    uint64_t offset = raw->instr - first;
    bool fresh = offset == (uint64_t)0 - WALK_UNIT;
    if (VMP_UNLIKELY(
            top || (shape.owner && offset + WALK_UNIT < (WALK_TRAMPOLINE_UNITS + 1) * WALK_UNIT))) {
        uint64_t units;
        uint32_t traceable = 0;
        rc = walk_load64(r, code + off->code.size_units, &units);
        if (rc == 0)
            rc = walk_load32(r, code + off->code.firsttraceable, &traceable);
        if (rc < 0)
            return rc;
        if (!fresh && (offset >= units * WALK_UNIT || offset % WALK_UNIT != 0 ||
                          units > WALK_MAX_CODE_BYTES)) {
            *verdict = top ? WALK_DROPPED : WALK_FRAME;
            return 0;
        }
        if (shape.owner && units <= WALK_TRAMPOLINE_UNITS && traceable + 1 >= units &&
            (fresh || offset < (uint64_t)traceable * WALK_UNIT)) {
            *verdict = WALK_HIDDEN;
            return 0;
        }
    }
    if (offset < WALK_MAX_CODE_BYTES && offset % WALK_UNIT == 0)
        *instr = (uint32_t)offset;
    return 0;
}

/* Where the walk stands between its two loops. */
typedef struct walk_place {
    uint64_t frame;
    /* Brent's cycle search: `mark` is the frame at the last power of two. */
    uint64_t mark;
    uint32_t steps, remark;
} walk_place;

/* Counts a step; -VMP_ECORRUPT if the chain loops or has too many. */
VMP_INLINE int
walk_place_advance(walk_place *at)
{
    if (VMP_UNLIKELY(at->frame == at->mark))
        return -VMP_ECORRUPT;
    if (VMP_UNLIKELY(++at->steps == at->remark)) {
        if (at->steps >= VMP_PY_WALK_STEPS)
            return -VMP_ECORRUPT;
        at->mark = at->frame;
        at->remark *= 2;
    }
    return 0;
}

/* Follows the chain: to its end, or with `top` until one frame is stored. What
 * pointers lead to is copied first, so that the loop keeps it in registers: a
 * stored frame might change it, for all that the compiler knows. */
VMP_INLINE int
walk_loop(const walk_reader *r, const vmp_py_offsets *layout, walk_shape shape, uint64_t code_type,
    bool top, walk_place *place, walk_sink *out)
{
    const vmp_py_offsets off = *layout;
    walk_sink sink = *out;
    walk_place at = *place;
    int rc = 0;
    while (at.frame != 0 && !(top && sink.n != 0)) {
        if (VMP_UNLIKELY(walk_address_absurd(at.frame) || walk_place_advance(&at) < 0)) {
            rc = -VMP_ECORRUPT;
            break;
        }
        walk_raw raw = {0};
        rc = walk_load_frame(r, &off, shape, at.frame, &raw);
        if (VMP_UNLIKELY(rc < 0))
            break;
        at.frame = raw.back;
        if (shape.owner && raw.owner >= off.owner_shim_min)
            continue;
        uint64_t code = raw.code & ~off.ref_mask;
        enum walk_verdict verdict;
        uint32_t instr;
        rc = walk_judge(r, &off, shape, code_type, &raw, code, top, &verdict, &instr);
        if (VMP_UNLIKELY(rc < 0)) {
            if (!top)
                break;
            rc = 0;
            verdict = WALK_DROPPED;
        }
        if (VMP_LIKELY(verdict == WALK_FRAME))
            walk_sink_put(&sink, code, instr);
        else if (verdict == WALK_DROPPED)
            sink.dropped++;
    }
    *out = sink;
    *place = at;
    return rc;
}

VMP_INLINE int
walk_chain(const walk_reader *r, const vmp_py_offsets *off, walk_shape shape, uint64_t code_type,
    uint64_t frame, walk_sink *sink)
{
    walk_place place = {.frame = frame, .remark = 1};
    int rc = walk_loop(r, off, shape, code_type, true, &place, sink);
    return rc < 0 ? rc : walk_loop(r, off, shape, code_type, false, &place, sink);
}

/* 3.11 and 3.12: the top frame hangs on a struct _PyCFrame in the C frame of the
 * eval loop, and a signal can come while that is being made or taken apart:
 *
 * a. A new cframe is linked into the thread state before its current_frame is
 *    set. What it names then is left over from an earlier call: nothing, rubbish,
 *    or a frame that was popped. The right top is the current_frame of the
 *    cframe before it.
 * b. A new frame is published before its `previous` (or 3.11's is_entry) is
 *    stored: the compiler may order the stores so.
 * c. 3.11 pops a frame before it moves current_frame to the caller.
 *
 * What holds in a sound state: going down from the top, the first entry frame
 * (3.11: is_entry; 3.12: a shim) leads to the current_frame of the previous
 * cframe. The walk down costs time, so it is made only where the top frame looks
 * like one of a, b or c: not readable, not code, not started, a generator's, an
 * entry frame (one step down), or beyond the end of the live frames. About one
 * sample in 3000 of a program that only calls is refused for it. */
enum walk_doubt { WALK_SOUND, WALK_FRESH, WALK_LEFT_OVER, WALK_UNSAFE };

/* Reads the frame only where it is sure to be memory: among the live frames of the
 * thread's last chunk, or anywhere if we may fault. */
static enum walk_doubt
walk_cframe_doubt(const walk_reader *r, const vmp_py_offsets *off, walk_shape shape,
    uint64_t code_type, uint64_t tstate, uint64_t frame, walk_raw *raw)
{
    uint64_t chunk, live_end, units, type = code_type;
    if (walk_address_absurd(frame) ||
        walk_load64(r, tstate + off->tstate.datastack_chunk, &chunk) < 0 ||
        walk_load64(r, tstate + off->tstate.datastack_top, &live_end) < 0)
        return WALK_LEFT_OVER;
    bool live = frame > chunk && frame < live_end;
    if (!live && !walk_may_fault(r))
        return WALK_UNSAFE;
    if (walk_load_frame(r, off, shape, frame, raw) < 0)
        return WALK_LEFT_OVER;
    /* Only generators' frames lie elsewhere, or those of earlier chunks. */
    if (!live && raw->owner != off->owner_generator)
        return WALK_LEFT_OVER;
    /* One left over may lie across frames that live, whose values read as its fields. */
    if (raw->owner > WALK_MAX_OWNER || (shape.entry && raw->entry > 1))
        return WALK_LEFT_OVER;
    if (walk_address_absurd(raw->code) ||
        (code_type != 0 &&
            (walk_load64(r, raw->code + off->object.type, &type) < 0 || type != code_type)) ||
        walk_load64(r, raw->code + off->code.size_units, &units) < 0)
        return WALK_LEFT_OVER;
    uint64_t offset = raw->instr - raw->code - off->code.firstinstr;
    if (offset == (uint64_t)0 - WALK_UNIT)
        return WALK_FRESH;
    return offset < units * WALK_UNIT ? WALK_SOUND : WALK_LEFT_OVER;
}

static bool
walk_cframe_joins(const walk_reader *r, const vmp_py_offsets *off, walk_shape shape, uint64_t frame,
    uint64_t caller)
{
    /* Left-over frames do form loops. The signal of the next tick is pending by
     * the time that a slow handler returns, so going round for long would stop
     * the thread for good. */
    walk_place at = {.frame = frame, .remark = 1};
    while (!walk_address_absurd(at.frame) && walk_place_advance(&at) == 0) {
        walk_raw raw = {0};
        if (walk_load_frame(r, off, shape, at.frame, &raw) < 0)
            return false;
        if (shape.entry ? raw.entry == 1 : raw.owner >= off->owner_shim_min)
            return raw.back == caller;
        at.frame = raw.back;
    }
    return false;
}

/* The frame to start from; 0 if the thread runs no Python code. */
static int
walk_cframe_top(const walk_reader *r, const vmp_py_offsets *off, walk_shape shape,
    uint64_t code_type, uint64_t tstate, uint64_t cframe, uint64_t *ret, uint32_t *dropped)
{
    uint64_t top, before, caller = 0;
    if (cframe == 0) {
        *ret = 0;
        return 0;
    }
    if (walk_address_absurd(cframe))
        return -VMP_ECORRUPT;
    int rc = walk_load64(r, cframe + off->cframe.current_frame, &top);
    if (rc < 0)
        return rc;
    *ret = top;
    /* The first cframe of a thread lies in the thread state and runs nothing. */
    if (cframe - tstate < WALK_TSTATE_BYTES)
        return 0;
    walk_raw raw = {0};
    enum walk_doubt doubt = walk_cframe_doubt(r, off, shape, code_type, tstate, top, &raw);
    /* What 3.11 leaves over is the entry frame of the call that ended, and may look as
     * good as new in the unused part of a live one. Without a caller it is the thread's
     * first, or a generator that waits, which may as well name who called it last. */
    bool may_wait = raw.back == 0 || raw.owner == off->owner_generator;
    if (VMP_LIKELY(doubt == WALK_SOUND && !may_wait && !(shape.entry && raw.entry)))
        return 0;
    if (doubt == WALK_UNSAFE || !walk_may_fault(r))
        return -VMP_EUNREADABLE;
    rc = walk_load64(r, cframe + off->cframe.previous, &before);
    if (rc == 0 && before != 0)
        rc = walk_address_absurd(before)
                 ? -VMP_ECORRUPT
                 : walk_load64(r, before + off->cframe.current_frame, &caller);
    if (rc < 0)
        return rc;
    if (walk_cframe_joins(r, off, shape, top, caller))
        return 0;
    /* The cframe before runs something too, but for the thread's first: else it is
     * left over as well. (A greenlet's own first cframe passes above.) */
    bool first = before - tstate < WALK_TSTATE_BYTES;
    if (top == 0 && caller == 0 && first)
        return 0;
    bool caller_sound = caller == 0 ? first
                                    : walk_cframe_doubt(r, off, shape, code_type, tstate, caller,
                                          &raw) == WALK_SOUND;
    /* Else it is a or b, and which cannot be told; or the caller is no better. */
    if (doubt == WALK_FRESH || !caller_sound)
        return -VMP_ECORRUPT;
    ++*dropped;
    *ret = caller;
    return 0;
}

static int
walk(const walk_reader *r, const vmp_py_offsets *off, uint64_t code_type, uint64_t tstate,
    vmp_py_stack *st)
{
    /* Constant shapes, so that the compiler makes one tight loop of each. */
    const walk_shape objects = {.pointer = false};
    const walk_shape entries = {.pointer = true, .owner = true, .entry = true};
    const walk_shape shims = {.pointer = true, .owner = true};
    const walk_shape typed = {.pointer = true, .owner = true, .type = true};
    const walk_shape copies = {.pointer = true, .owner = true, .type = true, .tlbc = true};
    walk_sink sink = {.frames = st->frames, .cap = st->cap, .leaf_cap = st->cap - st->cap / 2};
    st->n = st->elided_at = st->dropped = 0;
    st->elided = 0;
    if (st->cap < 2)
        return -VMP_EINVAL;
    if (walk_address_absurd(tstate))
        return -VMP_ECORRUPT;
    uint64_t top;
    int rc = walk_load64(r, tstate + off->tstate.frame, &top);
    if (rc < 0)
        return rc;
    if (off->chain == VMP_PY_CHAIN_CFRAME) {
        bool entry = off->frame.is_entry != VMP_PY_NONE;
        rc = walk_cframe_top(
            r, off, entry ? entries : shims, code_type, tstate, top, &top, &sink.dropped);
        if (rc == 0 && entry)
            rc = walk_chain(r, off, (walk_shape){.pointer = true}, code_type, top, &sink);
        else if (rc == 0)
            rc = walk_chain(r, off, shims, code_type, top, &sink);
    } else if (off->chain == VMP_PY_CHAIN_FRAMEOBJECT) {
        rc = walk_chain(r, off, objects, code_type, top, &sink);
    } else if (off->frame.tlbc_index == VMP_PY_NONE) {
        rc = walk_chain(r, off, typed, code_type, top, &sink);
    } else {
        rc = walk_chain(r, off, copies, code_type, top, &sink);
    }
    walk_sink_finish(&sink, st);
    return rc;
}
