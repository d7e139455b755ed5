/* The walker for tests from inside a Python: a shared library for ctypes. Plain
 * functions and arrays, so that one build serves every interpreter. */
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "mem.h"
#include "mem_guard.h"
#include "py_code.h"
#include "py_offsets.h"
#include "py_walk.h"

static vmp_py_offsets offsets;
static vmp_mem_self *self;
static vmp_err err;

VMP_EXPORT const char *live_error(void);
VMP_EXPORT int live_open(uint32_t version_hex, int free_threaded, int debug, uint64_t runtime);
VMP_EXPORT int live_walk(int guarded, uint64_t code_type, uint64_t tstate, vmp_frame *frames,
    uint32_t cap, uint64_t *ret_counts);
VMP_EXPORT int live_guard(int on);
VMP_EXPORT int live_storm_on(uint64_t tstate, uint64_t code_type, uint64_t root, long period_ns);
VMP_EXPORT void live_storm_off(void);
VMP_EXPORT void live_storm_result(uint64_t *ret_counts, uint64_t *ret_edges);
VMP_EXPORT int live_wild(uint64_t addr);
VMP_EXPORT int live_code(uint64_t addr, char *name, char *qualname, char *file, uint32_t cap);
VMP_EXPORT int live_positions(uint64_t addr, const uint32_t *instr, uint32_t n, uint32_t *ret);

const char *
live_error(void)
{
    return err.text;
}

int
live_open(uint32_t version_hex, int free_threaded, int debug, uint64_t runtime)
{
    vmp_py_target target = {.version_hex = version_hex,
        .free_threaded = free_threaded != 0,
        .debug = debug != 0,
        .runtime_addr = runtime,
        .pointer_bytes = sizeof(void *)};
    int rc = self ? 0 : vmp_mem_self_open(&self, &err);
    if (rc < 0)
        return rc;
    vmp_mem mem = vmp_mem_self_view(self);
    return vmp_py_offsets_for(&offsets, &target, &mem, &err);
}

/* ret_counts: n, elided_at, elided, dropped. */
int
live_walk(int guarded, uint64_t code_type, uint64_t tstate, vmp_frame *frames, uint32_t cap,
    uint64_t *ret_counts)
{
    vmp_py_stack st = {.frames = frames, .cap = cap};
    vmp_mem mem = vmp_mem_self_view(self);
    vmp_py_blocks blocks;
    int rc = guarded ? vmp_py_walk_self(&offsets, code_type, tstate, &st)
                     : vmp_py_walk_mem(&offsets, &mem, &blocks, code_type, tstate, &st);
    ret_counts[0] = st.n;
    ret_counts[1] = st.elided_at;
    ret_counts[2] = st.elided;
    ret_counts[3] = st.dropped;
    return rc;
}

int
live_guard(int on)
{
    if (on)
        return vmp_guard_install(&err);
    vmp_guard_remove();
    return 0;
}

int
live_wild(uint64_t addr)
{
    uint64_t v;
    return vmp_guard_load64(addr, &v);
}

int
live_code(uint64_t addr, char *name, char *qualname, char *file, uint32_t cap)
{
    vmp_mem mem = vmp_mem_self_view(self);
    vmp_py_code code;
    int rc = vmp_py_code_read(&code, &offsets, &mem, addr);
    if (rc < 0)
        return rc;
    snprintf(name, cap, "%s", code.name);
    snprintf(qualname, cap, "%s", code.qualname);
    snprintf(file, cap, "%s", code.file);
    vmp_py_code_fini(&code);
    return 0;
}

/* Five numbers for each of the n instructions: line, end line, column, end
 * column, whether there are columns. */
int
live_positions(uint64_t addr, const uint32_t *instr, uint32_t n, uint32_t *ret)
{
    vmp_mem mem = vmp_mem_self_view(self);
    vmp_py_code code;
    int rc = vmp_py_code_read(&code, &offsets, &mem, addr);
    if (rc < 0)
        return rc;
    for (uint32_t i = 0; i < n; i++) {
        vmp_py_pos pos = vmp_py_code_pos(&code, instr[i]);
        uint32_t five[5] = {pos.line, pos.end_line, pos.col, pos.end_col, pos.has_columns};
        memcpy(ret + 5 * (size_t)i, five, sizeof(five));
    }
    vmp_py_code_fini(&code);
    return 0;
}

/* The storm: a timer of its own signals each registered thread, and the handler
 * walks it and keeps every pair of caller and callee that it ever saw. */
enum { STORM_EDGES = 1 << 14, STORM_DEPTH = 512 };

enum {
    STORM_WALKS,
    STORM_ERRORS,
    STORM_UNREADABLE,
    STORM_DROPPED,
    STORM_ROOTLESS,
    STORM_EMPTY,
    STORM_LOST,
    STORM_COUNTS
};

static struct {
    _Atomic uint64_t counts[STORM_COUNTS];
    _Atomic uint64_t caller[STORM_EDGES], callee[STORM_EDGES];
} storm;

/* Initial-exec: the general model may allocate on first use. Small: a library that
 * is loaded late shares a few hundred bytes with all others. */
static _Thread_local struct {
    uint64_t tstate, code_type, root;
    timer_t timer;
    vmp_frame *frames;
} mine __attribute__((tls_model("initial-exec")));

static void
storm_count(int what)
{
    atomic_fetch_add_explicit(&storm.counts[what], 1, memory_order_relaxed);
}

/* Both halves are set once; a lost race only leaves a slot with one half. */
static void
storm_edge(uint64_t caller, uint64_t callee)
{
    uint64_t hash = (caller * 0x9e3779b97f4a7c15u ^ callee) * 0xbf58476d1ce4e5b9u;
    for (uint32_t i = 0; i < 64; i++) {
        uint32_t at = (uint32_t)(hash >> 40) + i;
        at %= STORM_EDGES;
        uint64_t there = 0;
        if (atomic_compare_exchange_strong(&storm.callee[at], &there, callee)) {
            atomic_store(&storm.caller[at], caller);
            return;
        }
        if (there == callee && atomic_load(&storm.caller[at]) == caller)
            return;
    }
    storm_count(STORM_LOST);
}

static void
storm_walk(int sig, siginfo_t *info, void *context)
{
    (void)sig;
    (void)info;
    if (mine.tstate == 0 || !vmp_guard_usable_in(context))
        return;
    vmp_py_stack st = {.frames = mine.frames, .cap = STORM_DEPTH};
    int rc = vmp_py_walk_self(&offsets, mine.code_type, mine.tstate, &st);
    storm_count(STORM_WALKS);
    if (rc < 0)
        storm_count(rc == -VMP_EUNREADABLE ? STORM_UNREADABLE : STORM_ERRORS);
    else if (st.n == 0)
        storm_count(STORM_EMPTY);
    else if (st.frames[st.n - 1].code != mine.root)
        storm_count(STORM_ROOTLESS);
    if (st.dropped)
        storm_count(STORM_DROPPED);
    for (uint32_t i = 0; i + 1 < st.n; i++)
        if (!st.elided || i + 1 != st.elided_at)
            storm_edge(st.frames[i + 1].code, st.frames[i].code);
}

int
live_storm_on(uint64_t tstate, uint64_t code_type, uint64_t root, long period_ns)
{
    struct sigaction act;
    memset(&act, 0, sizeof(act));
    act.sa_sigaction = storm_walk;
    act.sa_flags = SA_SIGINFO | SA_RESTART;
    sigaction(SIGPROF, &act, NULL);
    mine.code_type = code_type;
    mine.root = root;
    mine.frames = calloc(STORM_DEPTH, sizeof(*mine.frames));
    if (!mine.frames)
        return -1;
    mine.tstate = tstate;
    struct sigevent event;
    memset(&event, 0, sizeof(event));
    event.sigev_notify = SIGEV_THREAD_ID;
    event.sigev_signo = SIGPROF;
    event._sigev_un._tid = (pid_t)syscall(SYS_gettid);
    struct itimerspec every = {{0, period_ns}, {0, period_ns}};
    if (timer_create(CLOCK_MONOTONIC, &event, &mine.timer) != 0)
        return -1;
    return timer_settime(mine.timer, 0, &every, NULL);
}

void
live_storm_off(void)
{
    timer_delete(mine.timer);
    mine.tstate = 0;
    free(mine.frames);
}

/* Counts in the order of the enum; then callers and callees, in turn. */
void
live_storm_result(uint64_t *ret_counts, uint64_t *ret_edges)
{
    for (int i = 0; i < STORM_COUNTS; i++)
        ret_counts[i] = atomic_load(&storm.counts[i]);
    for (int i = 0; i < STORM_EDGES; i++) {
        ret_edges[2 * i] = atomic_load(&storm.caller[i]);
        ret_edges[2 * i + 1] = atomic_load(&storm.callee[i]);
    }
}
