/* The walk over made-up memory: what no interpreter at hand shows, or only for
 * an instant. */
#include "check.h"
#include "mem_guard.h"
#include "py_offsets_internal.h"
#include "py_walk.h"

enum { WORDS = 4096, CODE_UNITS = 20, CAP = 32 };

/* The made-up process is this buffer, so that both instances can walk it. */
static uint64_t memory[WORDS];
static size_t used;
static vmp_py_offsets off;

static int
self_read(void *ctx, uint64_t addr, void *dst, size_t n)
{
    (void)ctx;
    uint64_t base = (uint64_t)(uintptr_t)memory;
    if (addr < base || addr - base > sizeof(memory) - n)
        return -VMP_EUNREADABLE;
    memcpy(dst, (const uint8_t *)memory + (addr - base), n);
    return 0;
}

static uint64_t
object_new(void)
{
    enum { OBJECT_WORDS = 64 };
    uint64_t at = (uint64_t)(uintptr_t)(memory + used);
    used += OBJECT_WORDS;
    if (used > WORDS)
        abort();
    return at;
}

static void
put(uint64_t at, uint16_t field, uint64_t value, size_t n)
{
    if (field != VMP_PY_NONE)
        memcpy((uint8_t *)(uintptr_t)at + field, &value, n);
}

static uint64_t code_type, tstate;

static void
world_new(const vmp_py_offsets *layout)
{
    off = *layout;
    used = 0;
    memset(memory, 0, sizeof(memory));
    code_type = object_new();
    tstate = object_new();
    used += 512; /* nothing else lies where a thread state of full size would */
}

static uint64_t
code_new(void)
{
    uint64_t code = object_new();
    put(code, off.object.type, code_type, 8);
    put(code, off.code.size_units, CODE_UNITS, 8);
    return code;
}

/* A frame at the given unit of its code, called by `back`. */
static uint64_t
frame_new(uint64_t code, int64_t unit, uint8_t owner, uint64_t back)
{
    uint64_t frame = object_new();
    put(frame, off.frame.code, code, 8);
    put(frame, off.frame.back, back, 8);
    put(frame, off.frame.owner, owner, 1);
    if (off.instr == VMP_PY_INSTR_POINTER)
        put(frame, off.frame.instr, code + off.code.firstinstr + 2 * (uint64_t)unit, 8);
    else
        put(frame, off.frame.instr, (uint64_t)unit, 4);
    return frame;
}

static vmp_frame frames[CAP];
static vmp_py_stack st;

/* Both instances must agree; the result of either. */
static int
walk_both(uint64_t type)
{
    static vmp_frame other_frames[CAP];
    vmp_py_stack other = {.frames = other_frames, .cap = CAP};
    const vmp_mem mem = {.read = self_read};
    vmp_py_blocks blocks;
    st = (vmp_py_stack){.frames = frames, .cap = CAP};
    int rc = vmp_py_walk_self(&off, type, tstate, &st);
    CHECK_INT(vmp_py_walk_mem(&off, &mem, &blocks, type, tstate, &other), rc);
    CHECK_INT(other.n, st.n);
    CHECK_INT(other.dropped, st.dropped);
    CHECK(memcmp(frames, other_frames, st.n * sizeof(frames[0])) == 0);
    return rc;
}

static void
walk_from(uint64_t frame)
{
    put(tstate, off.tstate.frame, frame, 8);
}

/* 3.13 and later, as offsets_debug.c fills it. */
static vmp_py_offsets
later_layout(bool free_threaded, bool tagged)
{
    vmp_py_offsets o = vmp_py_offsets_3_12;
    o.chain = VMP_PY_CHAIN_FRAME;
    o.checks_code_type = true;
    o.ref_mask = tagged ? 3 : 0;
    o.cframe.current_frame = o.cframe.previous = o.tstate.datastack_top = VMP_PY_NONE;
    o.frame.owner = 78;
    if (free_threaded && tagged) {
        o.free_threaded = true;
        o.frame.tlbc_index = 72;
        o.code.tlbc = 224;
        o.code.firstinstr = 232;
        o.code.firsttraceable = 208;
    }
    CHECK_INT(vmp_py_offsets_validate(&o, NULL), 0);
    return o;
}

TEST(frame_objects_give_bytes_or_units)
{
    static const vmp_py_offsets *const layouts[] = {
        &vmp_py_offsets_3_08, &vmp_py_offsets_3_09, &vmp_py_offsets_3_10};
    for (int i = 0; i < 3; i++) {
        world_new(layouts[i]);
        uint64_t code = code_new(), root = frame_new(code, 6, 0, 0);
        walk_from(frame_new(code, -1, 0, root));
        CHECK_INT(walk_both(code_type), 0);
        CHECK_INT(st.n, 2);
        CHECK_INT(frames[0].instr, VMP_PY_INSTR_UNKNOWN);
        CHECK_INT(frames[1].instr, i == 2 ? 12 : 6);
        CHECK(frames[0].code == code);
    }
}

TEST(no_python_code_is_an_empty_stack)
{
    world_new(&vmp_py_offsets_3_09);
    CHECK_INT(walk_both(code_type), 0);
    CHECK_INT(st.n, 0);
    vmp_py_offsets later = later_layout(false, true);
    world_new(&later);
    CHECK_INT(walk_both(code_type), 0);
    CHECK_INT(st.n, 0);
    /* 3.15's sentinel alone. */
    walk_from(frame_new(0, 0, 3, 0));
    CHECK_INT(walk_both(code_type), 0);
    CHECK_INT(st.n, 0);
    CHECK_INT(st.dropped, 0);
}

TEST(owners_from_the_interpreter_up_are_no_frames)
{
    vmp_py_offsets later = later_layout(false, true);
    world_new(&later);
    uint64_t code = code_new(), at = 0;
    static const uint8_t owners[] = {4, 0, 3, 2, 1, 3, 0, 4, 3};
    for (size_t i = 0; i < sizeof(owners); i++)
        /* A shim's code and instruction are rubbish. */
        at = owners[i] >= 3 ? frame_new(UINT64_C(0xdeadbeef00), 5, owners[i], at)
                            : frame_new(code | (i & 3), 5, owners[i], at);
    walk_from(at);
    CHECK_INT(walk_both(code_type), 0);
    CHECK_INT(st.n, 4);
    CHECK_INT(st.dropped, 0);
    for (uint32_t i = 0; i < st.n; i++)
        CHECK(frames[i].code == code);
}

TEST(executables_that_are_no_code_are_left_out_and_counted)
{
    vmp_py_offsets later = later_layout(false, false);
    world_new(&later);
    uint64_t code = code_new(), none = object_new();
    put(none, off.object.type, none, 8);
    uint64_t at = frame_new(code, 5, 0, 0);
    at = frame_new(none, 5, 0, at);
    at = frame_new(code, 7, 0, at);
    at = frame_new(0, 0, 0, at);
    walk_from(at);
    CHECK_INT(walk_both(code_type), 0);
    CHECK_INT(st.n, 2);
    CHECK_INT(st.dropped, 2);
    CHECK_INT(frames[0].instr, 14);
    CHECK_INT(frames[1].instr, 10);
}

TEST(only_the_top_frame_is_doubted)
{
    vmp_py_offsets later = later_layout(false, false);
    world_new(&later);
    uint64_t code = code_new();
    uint64_t root = frame_new(code, 5, 0, 0);
    /* Beyond the code: dropped at the top, kept without a place below. */
    walk_from(frame_new(code, CODE_UNITS, 0, root));
    CHECK_INT(walk_both(code_type), 0);
    CHECK_INT(st.n, 1);
    CHECK_INT(st.dropped, 1);
    uint64_t wild = frame_new(code, INT64_C(1) << 40, 0, root);
    walk_from(frame_new(code, 9, 0, wild));
    CHECK_INT(walk_both(code_type), 0);
    CHECK_INT(st.n, 3);
    CHECK_INT(frames[1].instr, VMP_PY_INSTR_UNKNOWN);
    /* Code that cannot be read: the top is dropped, further down the walk ends. */
    walk_from(frame_new(8192, 9, 0, root));
    CHECK_INT(walk_both(code_type), 0);
    CHECK_INT(st.n, 1);
    CHECK_INT(st.dropped, 1);
    walk_from(frame_new(code, 9, 0, frame_new(8192, 9, 0, root)));
    CHECK_INT(walk_both(code_type), -VMP_EUNREADABLE);
    CHECK_INT(st.n, 1);
    walk_from(frame_new(code, 9, 0, 12345));
    CHECK_INT(walk_both(code_type), -VMP_ECORRUPT);
    CHECK_INT(st.n, 1);
    walk_from(frame_new(code, 9, 0, 81920));
    CHECK_INT(walk_both(code_type), -VMP_EUNREADABLE);
}

TEST(the_trampoline_under_an_inlined_init_is_hidden)
{
    vmp_py_offsets later = later_layout(false, false);
    world_new(&later);
    uint64_t code = code_new(), trampoline = code_new(), small = code_new();
    put(trampoline, off.code.size_units, 3, 8);
    put(trampoline, off.code.firsttraceable, 4, 4);
    put(small, off.code.size_units, 3, 8); /* an empty function of 3.13 */
    for (int64_t unit = 0; unit < 3; unit++) {
        uint64_t root = frame_new(code, 5, 0, 0);
        uint64_t middle = frame_new(trampoline, unit, 0, frame_new(small, unit, 0, root));
        walk_from(frame_new(code, 9, 0, middle));
        CHECK_INT(walk_both(code_type), 0);
        CHECK_INT(st.n, 3);
        CHECK_INT(st.dropped, 0);
        CHECK(frames[1].code == small && frames[1].instr == 2 * unit);
        /* At the top, while EXIT_INIT_CHECK runs. */
        walk_from(middle);
        CHECK_INT(walk_both(code_type), 0);
        CHECK_INT(st.n, 2);
    }
}

TEST(bytecode_copies_of_threads_are_found)
{
    vmp_py_offsets later = later_layout(true, true);
    world_new(&later);
    uint64_t code = code_new(), copy = object_new(), array = object_new(), lone = code_new();
    /* struct _PyCodeArray: three entries; the last thread's copy is not made yet. */
    put(array, 0, 3, 8);
    put(array, 8, code + off.code.firstinstr, 8);
    put(array, 16, copy, 8);
    put(code, off.code.tlbc, array, 8);
    static const struct {
        uint32_t index;
        bool in_copy;
        int64_t unit;
        uint32_t instr;
    } cases[] = {{0, false, 4, 8}, {1, true, 4, 8}, {2, false, 4, 8}, {3, false, 4, 8},
        {1u << 31, false, 4, 8}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint64_t root = frame_new(lone, 5, 0, 0), frame = frame_new(code, cases[i].unit, 0, root);
        put(frame, off.frame.tlbc_index, cases[i].index, 4);
        put(root, off.frame.tlbc_index, 7, 4); /* no array: the code object's own */
        if (cases[i].in_copy)
            put(frame, off.frame.instr, copy + 2 * (uint64_t)cases[i].unit, 8);
        walk_from(frame);
        CHECK_INT(walk_both(code_type), 0);
        CHECK_INT(st.n, 2);
        CHECK_INT(frames[0].instr, cases[i].instr);
        CHECK_INT(frames[1].instr, 10);
    }
    /* An array that cannot be read. */
    put(code, off.code.tlbc, 8192, 8);
    uint64_t frame = frame_new(code, 4, 0, 0);
    put(frame, off.frame.tlbc_index, 1, 4);
    walk_from(frame_new(lone, 4, 0, frame));
    CHECK_INT(walk_both(code_type), -VMP_EUNREADABLE);
    CHECK_INT(st.n, 1);
}

/* 3.11 and 3.12: root cframe in the thread state, then one eval call that runs
 * `outer`, and another that runs `inner`. */
typedef struct nest {
    uint64_t code, outer, inner, cframe, before, stale;
} nest;

static nest
nest_new(const vmp_py_offsets *layout)
{
    world_new(layout);
    bool shims = off.owner_shim_min != UINT8_MAX;
    nest n = {.code = code_new(), .before = object_new(), .cframe = object_new()};
    uint64_t root = tstate + 360, shim = shims ? frame_new(0, 0, 3, 0) : 0;
    put(n.before, off.cframe.previous, root, 8);
    put(n.cframe, off.cframe.previous, n.before, 8);
    n.outer = frame_new(n.code, 5, 0, shim);
    put(n.outer, off.frame.is_entry, 1, 1);
    shim = shims ? frame_new(0, 0, 3, n.outer) : n.outer;
    n.inner = frame_new(n.code, 6, 0, shim);
    put(n.inner, off.frame.is_entry, 1, 1);
    put(n.before, off.cframe.current_frame, n.outer, 8);
    put(n.cframe, off.cframe.current_frame, n.inner, 8);
    put(tstate, off.tstate.frame, n.cframe, 8);
    put(tstate, off.tstate.datastack_chunk, n.before, 8);
    put(tstate, off.tstate.datastack_top, n.inner + 8, 8);
    n.stale = frame_new(n.code, 7, 0, n.inner); /* beyond the live frames */
    return n;
}

static const vmp_py_offsets *const cframe_layouts[] = {&vmp_py_offsets_3_11, &vmp_py_offsets_3_12};

TEST(a_sound_cframe_is_walked)
{
    for (int i = 0; i < 2; i++) {
        nest n = nest_new(cframe_layouts[i]);
        CHECK_INT(walk_both(code_type), 0);
        CHECK_INT(st.n, 2);
        CHECK_INT(frames[0].instr, 12);
        CHECK_INT(frames[1].instr, 10);
        /* Called, but not started: it joins, so it is kept. */
        put(n.inner, off.frame.instr, n.code + off.code.firstinstr - 2, 8);
        CHECK_INT(walk_both(code_type), 0);
        CHECK_INT(st.n, 2);
        CHECK_INT(frames[0].instr, VMP_PY_INSTR_UNKNOWN);
        /* The thread's own cframe runs nothing. */
        put(tstate, off.tstate.frame, tstate + 360, 8);
        CHECK_INT(walk_both(code_type), 0);
        CHECK_INT(st.n, 0);
    }
}

TEST(a_left_over_top_gives_way_to_the_caller)
{
    for (int i = 0; i < 2; i++) {
        nest n = nest_new(cframe_layouts[i]);
        uint64_t a = frame_new(n.code, 3, 0, 0), b = frame_new(n.code, 3, 0, a);
        put(a, off.frame.back, b, 8); /* left-over frames that form a loop */
        const uint64_t tops[] = {0, 7, 8192, UINT64_MAX, n.stale, a, b, n.code};
        put(n.stale, off.frame.back, 4096, 8);
        for (size_t t = 0; t < sizeof(tops) / sizeof(tops[0]); t++) {
            put(n.cframe, off.cframe.current_frame, tops[t], 8);
            CHECK_INT(walk_both(code_type), 0);
            CHECK_INT(st.n, 1);
            CHECK_INT(st.dropped, 1);
            CHECK_INT(frames[0].instr, 10);
        }
        /* Popped, but its way down is whole: 3.11 on return. */
        put(n.stale, off.frame.back, n.inner, 8);
        put(n.cframe, off.cframe.current_frame, n.stale, 8);
        CHECK_INT(walk_both(code_type), 0);
        CHECK_INT(st.n, 3);
    }
}

/* Without the guard only what is sure to be memory is read. */
TEST(a_doubtful_top_is_not_touched_while_others_own_the_signals)
{
    for (int i = 0; i < 2; i++) {
        nest n = nest_new(cframe_layouts[i]);
        vmp_guard_remove();
        st = (vmp_py_stack){.frames = frames, .cap = CAP};
        if (off.frame.is_entry != VMP_PY_NONE) {
            /* An entry frame is right only if the cframe before says so, too. */
            CHECK_INT(vmp_py_walk_self(&off, code_type, tstate, &st), -VMP_EUNREADABLE);
        } else {
            CHECK_INT(vmp_py_walk_self(&off, code_type, tstate, &st), 0);
            CHECK_INT(st.n, 2);
        }
        const uint64_t tops[] = {8192, n.stale, UINT64_C(1) << 47};
        for (size_t t = 0; t < sizeof(tops) / sizeof(tops[0]); t++) {
            put(n.cframe, off.cframe.current_frame, tops[t], 8);
            CHECK_INT(vmp_py_walk_self(&off, code_type, tstate, &st), -VMP_EUNREADABLE);
            CHECK_INT(st.n, 0);
        }
        /* Not started, and its `previous` leads astray. */
        put(n.cframe, off.cframe.current_frame, n.inner, 8);
        put(n.inner, off.frame.instr, n.code + off.code.firstinstr - 2, 8);
        put(n.inner, off.frame.back, 8192, 8);
        CHECK_INT(vmp_py_walk_self(&off, code_type, tstate, &st), -VMP_EUNREADABLE);
        CHECK_INT(vmp_guard_install(NULL), 0);
    }
}

/* 3.11: what an earlier eval loop left in a cframe is its entry frame, which may look
 * sound: in the unused part of a live frame, or a generator's. */
TEST(an_entry_frame_that_the_cframe_before_does_not_call_is_left_over)
{
    nest n = nest_new(cframe_layouts[0]);
    uint64_t other = frame_new(n.code, 5, 0, 0);
    const uint64_t owners[] = {0, off.owner_generator};
    for (int i = 0; i < 2; i++) {
        put(n.inner, off.frame.owner, owners[i], 1);
        put(n.inner, off.frame.back, other, 8);
        CHECK_INT(walk_both(code_type), 0);
        CHECK_INT(st.n, 1);
        CHECK_INT(st.dropped, 1);
    }
}

TEST(a_top_whose_caller_cannot_be_told_is_given_up)
{
    for (int i = 0; i < 2; i++) {
        nest n = nest_new(cframe_layouts[i]);
        /* Not started, and `previous` is not set. */
        put(n.inner, off.frame.instr, n.code + off.code.firstinstr - 2, 8);
        put(n.inner, off.frame.is_entry, 0, 1);
        put(n.inner, off.frame.back, 0x123456789008, 8);
        CHECK_INT(walk_both(code_type), -VMP_ECORRUPT);
        CHECK_INT(st.n, 0);
        /* The cframe is linked, and nothing in it is set. */
        static const uint64_t rubbish[] = {0, 7, 8192, UINT64_MAX};
        for (size_t r = 0; r < sizeof(rubbish) / sizeof(rubbish[0]); r++) {
            put(n.cframe, off.cframe.current_frame, 0, 8);
            put(n.cframe, off.cframe.previous, rubbish[r], 8);
            CHECK(walk_both(code_type) < 0);
            CHECK_INT(st.n, 0);
        }
    }
}

TEST(the_root_is_kept_at_every_size_of_buffer)
{
    world_new(&vmp_py_offsets_3_10);
    uint64_t code = code_new(), at = 0;
    enum { DEPTH = 40 };
    for (int i = 0; i < DEPTH; i++)
        at = frame_new(code, i, 0, at); /* unit = distance from the root */
    walk_from(at);
    for (uint32_t cap = 2; cap <= CAP; cap++) {
        st = (vmp_py_stack){.frames = frames, .cap = cap};
        CHECK_INT(vmp_py_walk_self(&off, code_type, tstate, &st), 0);
        CHECK_INT(st.n, cap);
        CHECK_INT(st.elided, DEPTH - cap);
        CHECK_INT(st.elided_at, cap - cap / 2);
        for (uint32_t i = 0; i < cap; i++) {
            uint32_t unit = i < st.elided_at ? DEPTH - 1 - i : cap - 1 - i;
            CHECK_INT(frames[i].instr, 2 * unit);
        }
    }
    st = (vmp_py_stack){.frames = frames, .cap = 1};
    CHECK_INT(vmp_py_walk_self(&off, code_type, tstate, &st), -VMP_EINVAL);
}

TEST(the_guard_is_installed)
{
    CHECK_INT(vmp_guard_install(NULL), 0);
}

TEST_MAIN(RUN(the_guard_is_installed), RUN(frame_objects_give_bytes_or_units),
    RUN(no_python_code_is_an_empty_stack), RUN(owners_from_the_interpreter_up_are_no_frames),
    RUN(executables_that_are_no_code_are_left_out_and_counted), RUN(only_the_top_frame_is_doubted),
    RUN(the_trampoline_under_an_inlined_init_is_hidden), RUN(bytecode_copies_of_threads_are_found),
    RUN(a_sound_cframe_is_walked), RUN(a_left_over_top_gives_way_to_the_caller),
    RUN(a_doubtful_top_is_not_touched_while_others_own_the_signals),
    RUN(an_entry_frame_that_the_cframe_before_does_not_call_is_left_over),
    RUN(a_top_whose_caller_cannot_be_told_is_given_up),
    RUN(the_root_is_kept_at_every_size_of_buffer))
