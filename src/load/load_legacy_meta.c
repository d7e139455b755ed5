/* What META records of an old log tell beyond their text; load_legacy.c. */
#include <stdlib.h>
#include <string.h>

#include "load_legacy_internal.h"

int
vmp_old_meta_put(vmp_old_loader *l, vmp_str key, vmp_str value)
{
    int rc = vmp_profile_builder_meta(l->builder, key, value);
    return rc < 0 ? vmp_old_failed(l, rc) : 1;
}

/* What our own session of PyPy says (python/vmprof/_capture_pypy.py). */
static int
facts_meta(vmp_old_loader *l, vmp_str key, vmp_str value)
{
    static const char resumed[] = "resumed.";
    vmp_profile_process *facts = &l->facts;
    if (vmp_str_equal(key, vmp_str_from("timer"))) {
        l->timer = value.n >= 4 && memcmp(value.p, "perf", 4) == 0 ? VMP_OLD_BY_THREAD
                                                                   : VMP_OLD_BY_PROCESS;
        int rc = vmp_profile_builder_string(l->builder, value, &facts->timer);
        return rc < 0 ? vmp_old_failed(l, rc) : 0;
    }
    char text[24];
    if (l->timer == VMP_OLD_NOT_OURS || value.n == 0 || value.n >= sizeof(text))
        return 0;
    memcpy(text, value.p, value.n);
    text[value.n] = '\0';
    if (vmp_str_equal(key, vmp_str_from("cpu_ns"))) {
        facts->cpu.process_ns = strtoull(text, NULL, 10);
        facts->has_cpu = true;
    } else if (vmp_str_equal(key, vmp_str_from("samples"))) {
        l->asked_samples = strtoull(text, NULL, 10);
    } else if (vmp_str_equal(key, vmp_str_from("lost"))) {
        l->late_ticks = strtoull(text, NULL, 10);
    } else if (key.n > sizeof(resumed) - 1 && memcmp(key.p, resumed, sizeof(resumed) - 1) == 0) {
        l->threads[0].last_ns = strtoull(text, NULL, 10);
    }
    return 0;
}

/* A META that may be about states of samples; load_states.h. Returns 1 if it was and
 * is of no use to others, 0 if not, or an error. */
static int
states_meta(vmp_old_loader *l, vmp_str key, vmp_str value)
{
    static const char batch[] = "states.";
    if (l->stacks.pairing != VMP_OLD_KINDS)
        return 0;
    if (vmp_str_equal(key, vmp_str_from("states")) && !l->states.on) {
        vmp_states_begin(&l->states, value, l->in->offset);
        if (l->states.on)
            vmp_profile_builder_states(l->builder);
    }
    if (!l->states.on || key.n < sizeof(batch) || memcmp(key.p, batch, sizeof(batch) - 1) != 0 ||
        key.p[sizeof(batch) - 1] < '1' || key.p[sizeof(batch) - 1] > '9')
        return 0;
    int rc = vmp_states_tell(&l->states, value);
    if (rc < 0)
        return vmp_old_corrupt(l, "states of samples of no known form");
    rc = vmp_old_release(l, vmp_states_ready(&l->states));
    return rc < 0 ? rc : 1;
}

static void
start_offset_meta(vmp_old_loader *l, vmp_str value)
{
    char text[32], *end = text;
    if (value.n >= sizeof(text))
        return;
    memcpy(text, value.p, value.n);
    text[value.n] = '\0';
    l->start_offset = strtod(text, &end);
    l->has_start_offset = end != text && vmp_old_is_clock(l->start_offset);
}

int
vmp_old_meta(vmp_old_loader *l, vmp_str key, vmp_str value)
{
    if (vmp_str_equal(key, vmp_str_from("start_time_offset")))
        start_offset_meta(l, value);
    int rc = states_meta(l, key, value);
    if (rc == 0)
        rc = facts_meta(l, key, value);
    return rc == 0 ? vmp_old_meta_put(l, key, value) : rc;
}
