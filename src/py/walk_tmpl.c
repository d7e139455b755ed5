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
 * each giving 0 or -VMP_EUNREADABLE.
 *
 * Invariants, by version (CPython Include/internal/pycore_frame.h, and
 * Python/bytecodes.c of each):
 *
 * 1. The thread itself never sees its frame pointer name a freed frame: a return
 *    moves the pointer before it clears the callee. A call fills the callee
 *    before it publishes it, but the compiler may order the stores of the fill
 *    otherwise, so only the top frame is doubted.
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
    WALK_MAX_TLBC = 1 << 20, /* threads alive at once that can have a bytecode copy */
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
        uint32_t traceable;
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
        if (VMP_UNLIKELY(walk_address_absurd(at.frame) || at.frame == at.mark)) {
            rc = -VMP_ECORRUPT;
            break;
        }
        if (VMP_UNLIKELY(++at.steps == at.remark)) {
            if (at.steps >= VMP_PY_WALK_STEPS) {
                rc = -VMP_ECORRUPT;
                break;
            }
            at.mark = at.frame;
            at.remark *= 2;
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

static int
walk(const walk_reader *r, const vmp_py_offsets *off, uint64_t code_type, uint64_t tstate,
    vmp_py_stack *st)
{
    walk_sink sink = {.frames = st->frames, .cap = st->cap, .leaf_cap = st->cap - st->cap / 2};
    st->n = st->elided_at = st->dropped = 0;
    st->elided = 0;
    if (st->cap < 2)
        return -VMP_EINVAL;
    if (walk_address_absurd(tstate))
        return -VMP_ECORRUPT;
    uint64_t frame;
    int rc = walk_load64(r, tstate + off->tstate.frame, &frame);
    if (rc == 0 && off->chain == VMP_PY_CHAIN_CFRAME) {
        uint64_t cframe = frame;
        frame = 0;
        if (cframe != 0)
            rc = walk_address_absurd(cframe)
                     ? -VMP_ECORRUPT
                     : walk_load64(r, cframe + off->cframe.current_frame, &frame);
    }
    if (rc < 0)
        return rc;
    /* Constant shapes, so that the compiler makes one tight loop of each. */
    if (off->instr != VMP_PY_INSTR_POINTER)
        rc = walk_chain(r, off, (walk_shape){0}, code_type, frame, &sink);
    else if (off->owner_shim_min == UINT8_MAX)
        rc = walk_chain(r, off, (walk_shape){.pointer = true}, code_type, frame, &sink);
    else if (!off->checks_code_type)
        rc = walk_chain(
            r, off, (walk_shape){.pointer = true, .owner = true}, code_type, frame, &sink);
    else if (off->frame.tlbc_index == VMP_PY_NONE)
        rc = walk_chain(r, off, (walk_shape){.pointer = true, .owner = true, .type = true},
            code_type, frame, &sink);
    else
        rc = walk_chain(r, off,
            (walk_shape){.pointer = true, .owner = true, .type = true, .tlbc = true}, code_type,
            frame, &sink);
    walk_sink_finish(&sink, st);
    return rc;
}
