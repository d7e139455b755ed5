/* What one tick costs, clock and signal left out: the handler's walk, the ring,
 * and the drain's share, over made-up frames in this process. Prints nanoseconds
 * and, under `valgrind --tool=callgrind`, repeats to the instruction.
 *
 *     handler_cost [TICKS] */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mem_guard.h"
#include "sampler_internal.h"

enum { WORDS = 12, CODE_BYTES = 512, MAX_DEPTH = 1000 };

/* Layout of the made-up frames, in words: back, code, instruction, owner. */
static uint64_t frames[MAX_DEPTH][WORDS];
static uint64_t codes[MAX_DEPTH][CODE_BYTES / 8];
static uint64_t state[4];

static void *
own_state(void)
{
    return state;
}

static vmp_sampler_python
made_up_python(void)
{
    vmp_sampler_python python = {.tstate_attached = own_state, .tstate_of_thread = own_state};
    vmp_py_offsets *off = &python.offsets;
    memset(off, 0xff, sizeof(*off)); /* all VMP_PY_NONE */
    off->version_hex = 0x030c0000;
    off->free_threaded = false;
    off->chain = VMP_PY_CHAIN_FRAME;
    off->instr = VMP_PY_INSTR_POINTER;
    off->linetable = VMP_PY_LINETABLE_LOCATIONS;
    off->ref_mask = 0;
    off->owner_generator = 1;
    off->owner_shim_min = 3;
    off->unit_size = 2;
    off->tstate.frame = 8;
    off->frame.back = 0;
    off->frame.code = 8;
    off->frame.instr = 16;
    off->frame.owner = 24;
    off->code.firstinstr = 64;
    off->code.size_units = VMP_PY_NONE;
    return python;
}

static void
stack_make(int depth)
{
    for (int i = 0; i < depth; i++) {
        frames[i][0] = i ? (uint64_t)(uintptr_t)frames[i - 1] : 0;
        frames[i][1] = (uint64_t)(uintptr_t)codes[i];
        frames[i][2] = frames[i][1] + 64 + 20;
        frames[i][3] = 0;
    }
    state[1] = (uint64_t)(uintptr_t)frames[depth - 1];
}

/* The leaf moves at each tick, and every eighth tick four callers do: roughly
 * what ticks of a real program look like. */
static void
stack_move(int depth, unsigned tick)
{
    int top = tick % 8 == 0 ? 4 : 1;
    for (int i = 0; i < top && i < depth; i++)
        frames[depth - 1 - i][2] = frames[depth - 1 - i][1] + 64 + 2 * (tick % 16);
}

static double
cost_ns(int depth, unsigned ticks, bool drain)
{
    vmp_sampler *s = &vmp_the_sampler;
    stack_make(depth);
    for (unsigned i = 0; i < 1000; i++)
        vmp_sample_tick(s, 1, 0, NULL);
    vmp_drain_rings(s);
    int64_t spent_ns = 0;
    for (unsigned i = 0; i < ticks; i += 64) {
        for (unsigned j = 0; j < 64; j++) {
            stack_move(depth, i + j);
            int64_t before_ns = drain ? 0 : vmp_os_mono_ns();
            vmp_sample_tick(s, 1, 0, NULL);
            spent_ns += drain ? 0 : vmp_os_mono_ns() - before_ns;
        }
        int64_t before_ns = vmp_os_mono_ns();
        vmp_drain_rings(s);
        spent_ns += drain ? vmp_os_mono_ns() - before_ns : 0;
    }
    vmp_drain_all(s);
    return (double)spent_ns / ticks;
}

int
main(int argc, char **argv)
{
    static const int depths[] = {10, 100, 1000};
    unsigned ticks = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 200000;
    vmp_sampler_python python = made_up_python();
    vmp_err err = {0};
    vmp_sampler_config config = {.fd = open("/dev/null", O_WRONLY),
        .interval_ns = 1000000000,
        .timer = "cputimer",
        .compress = true,
        .python = &python};
    if (vmp_sampler_start(&config, &err) < 0) {
        fprintf(stderr, "handler_cost: %s\n", err.text);
        return 1;
    }
    pthread_mutex_lock(&vmp_the_sampler.mutex);
    int64_t clock_ns = vmp_os_mono_ns();
    for (int i = 0; i < 1000; i++)
        vmp_os_mono_ns();
    printf("a clock reading (in each figure of the handler): %.0f ns\n",
        (double)(vmp_os_mono_ns() - clock_ns) / 1000);
    for (int i = 0; i < 3; i++) {
        double handler = cost_ns(depths[i], ticks, false), drain = cost_ns(depths[i], ticks, true);
        printf("depth %4d: handler %6.0f ns, drain %6.0f ns a tick\n", depths[i], handler, drain);
    }
    pthread_mutex_unlock(&vmp_the_sampler.mutex);
    return vmp_sampler_stop(NULL, NULL) < 0;
}
