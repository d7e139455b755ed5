/* Starts and stops the one session; pauses; forks. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "actions.h"
#include "mem_guard.h"
#include "sampler_internal.h"
#include "vec.h"

double
vmp_sample_random(vmp_sampler *s)
{
    /* xorshift64*; quality beyond "not periodic" is not needed. */
    s->random ^= s->random >> 12;
    s->random ^= s->random << 25;
    s->random ^= s->random >> 27;
    return (double)((s->random * 0x2545f4914f6cdd1du) >> 11) / 9007199254740992.0;
}

uint64_t
vmp_sample_period(vmp_sampler *s, uint64_t interval_ns)
{
    return vmp_period_near(interval_ns, vmp_sample_random(s));
}

double
vmp_sample_spread(vmp_sampler *s, double *place)
{
    static const double golden_ratio = 0.6180339887498949;
    *place += *place == 0 ? vmp_sample_random(s) : golden_ratio;
    if (*place >= 1)
        *place -= 1;
    return *place;
}

static int
writer_open(vmp_sampler *s, const vmp_sampler_config *c, vmp_err *err)
{
    vmp_log_session session = {.mode = c->mode,
        .pid = (uint32_t)getpid(),
        .start_unix_ns = s->start_unix_ns,
        .start_mono_ns = s->start_mono_ns,
        .interval_ns = c->interval_ns,
        /* A quarter of an interval: a regular tick costs one byte, and the time
         * is still truer than the tick itself. */
        .quantum_ns = c->interval_ns / 4 ? c->interval_ns / 4 : 1,
        .timer = vmp_str_from(s->source->name)};
    int rc = vmp_log_writer_open(&s->writer, c->fd, &session, c->compress, err);
    for (size_t i = 0; rc == 0 && i < c->meta_count; i++)
        vmp_log_writer_meta(s->writer, c->meta[i].key, c->meta[i].value);
    if (rc == 0 && s->refused[0])
        vmp_log_writer_meta(s->writer, vmp_str_from("timer_refused"), vmp_str_from(s->refused));
    return rc;
}

/* What the threads that exist have used so far is not ours to count. */
static int
start_cpu_take(vmp_sampler *s)
{
    pid_t *tids = NULL;
    size_t cap = 0, n = vmp_os_thread_count() + 16, have = 0;
    if (VMP_VEC_RESERVE(tids, cap, n) < 0 || !tids || VMP_VEC_RESERVE(s->start_cpu, have, n) < 0) {
        free(tids);
        return -VMP_ENOMEM;
    }
    size_t listed = vmp_os_thread_list(tids, n);
    if (listed == 0) /* no /proc */
        tids[listed++] = vmp_os_own_tid();
    for (size_t i = 0; i < listed && i < n; i++) {
        uint64_t cpu;
        if (vmp_os_thread_cpu_ns(tids[i], &cpu) == 0)
            s->start_cpu[s->start_cpu_count++] = (vmp_start_cpu){tids[i], cpu};
    }
    free(tids);
    return 0;
}

static void
session_free(vmp_sampler *s)
{
    vmp_log_writer_close(&s->writer);
    vmp_code_table_fini(&s->codes);
    vmp_mem_self_close(&s->name_mem);
    vmp_mem_self_close(&s->walk_mem);
    vmp_thread_names_fini(&s->names);
    free(s->start_cpu);
    s->start_cpu = NULL;
    s->start_cpu_count = 0;
    vmp_proc_files_close(s);
    vmp_slots_free(s);
}

static void
session_reset(vmp_sampler *s, const vmp_sampler_config *c)
{
    s->python = *c->python;
    s->interval_ns = c->interval_ns;
    s->mode = c->mode;
    s->source = NULL;
    s->pid = getpid();
    s->thread_count = 0;
    s->spare_slots = vmp_slots_spare();
    s->resume_at_ns = 0;
    s->perf.event_turn = s->watch_turn = 0;
    s->perf.traced = false;
    s->states_found_ns = s->clock_written_ns = 0;
    s->drain_cpu_before = 0;
    s->signal_armed = 0;
    memset(&s->watched, 0, sizeof(s->watched));
    memset(&s->sum, 0, sizeof(s->sum));
    for (int i = 0; i < VMP_LOG_LOSS_COUNT; i++)
        atomic_store(&s->lost[i], 0);
    atomic_store(&s->paused, 0);
    atomic_store(&s->stopping, false);
    atomic_store(&s->clock_epoch, 1);
    s->watch_epoch = 1;
    s->cpu_told_ns = 0;
    s->account_paused = false;
    atomic_store(&s->heard_slotless, 0);
    atomic_store(&s->deaths_missed, false);
    s->distrust = false;
    atomic_store(&s->signal_got, 0);
    atomic_store(&s->hurry, false);
    /* The two at once: the date of all that follows is told by the clock's time since. */
    s->start_unix_ns = vmp_os_unix_ns();
    s->start_mono_ns = s->last_flush_ns = vmp_os_mono_ns();
    s->start_cpu_ns = vmp_os_process_cpu_ns();
    s->random = (uint64_t)s->start_mono_ns ^ (uint64_t)getpid() << 40 ^ 0x9e3779b97f4a7c15u;
    /* Never 0, and the same in each session: a signal that comes late is known. */
    if (s->magic == 0)
        s->magic = ((uint32_t)(s->random >> 17) | 1u << 31) & ~(uint32_t)VMP_SAMPLE_TURN_MASK;
    s->payload = (uint64_t)s->magic << 32 | (atomic_load(&s->generation) + 1);
    sem_init(&s->wake, 0, 0);
}

/* Everything that can fail, in an order that session_free can undo. */
static int
session_open(vmp_sampler *s, const vmp_sampler_config *c, vmp_err *err)
{
    int rc = vmp_mem_self_open(&s->name_mem, err);
    if (rc == 0)
        rc = vmp_mem_self_open(&s->walk_mem, err);
    if (rc == 0 && (c->mode & VMP_LOG_MODE_MEMORY))
        rc = vmp_os_rss_open(&s->rss, err);
    if (rc == 0)
        rc = vmp_slots_grow(s, s->spare_slots);
    if (rc == 0)
        rc = start_cpu_take(s);
    if (rc == 0)
        s->walk_view = vmp_mem_self_view(s->walk_mem);
    s->frame_bytes = vmp_os_signal_frame_bytes();
    return rc;
}

int
vmp_sampler_start(const vmp_sampler_config *config, vmp_err *err)
{
    vmp_sampler *s = &vmp_the_sampler;
    if (atomic_load(&s->generation) & 1)
        return vmp_err_set(err, VMP_EBUSY, 0, 0, "vmprof is already enabled");
    if (config->interval_ns < VMP_SAMPLER_MIN_INTERVAL_NS ||
        config->interval_ns > VMP_SAMPLER_MAX_INTERVAL_NS)
        return vmp_err_set(err, VMP_EINVAL, 0, 0, "bad value for 'interval'");

    pthread_mutex_lock(&s->threads_lock);
    vmp_sampler_lock(s);
    session_reset(s, config);
    bool guard = vmp_guard_install(NULL) == 0;
    atomic_store(&s->guarded, guard && vmp_guard_owned());
    int rc = session_open(s, config, err);
    /* Our thread first: a source that covers the threads which a thread creates
     * must not cover ours. It waits for the mutex until all is there. */
    if (rc == 0)
        rc = vmp_drain_thread_start(s, err);
    if (rc == 0) {
        while (atomic_load(&s->drain_tid) == 0)
            sched_yield();
        s->tid_in_pthread = vmp_thread_tid_place(s->drain, atomic_load(&s->drain_tid));
        atomic_fetch_add(&s->generation, 1);
        vmp_imports_look(s);
        rc = vmp_source_start(s, config, err);
    }
    if (rc == 0)
        rc = writer_open(s, config, err);
    if (rc == 0) {
        vmp_code_table_init(
            &s->codes, s->writer, &s->python.offsets, vmp_mem_self_view(s->name_mem));
        s->sum.timer = s->source->name;
        atomic_store(&s->running, true);
        vmp_sampler_unlock(s);
        pthread_mutex_unlock(&s->threads_lock);
        return 0;
    }
    if (atomic_load(&s->generation) & 1)
        atomic_fetch_add(&s->generation, 1);
    atomic_store(&s->drain_stop, true);
    /* Our threads take it once more before they end. */
    vmp_sampler_unlock(s);
    if (s->installed_signo) {
        s->source->stop(s);
        vmp_source_signal_release(s, s->source->lingers);
    }
    vmp_drain_thread_stop(s);
    pthread_mutex_unlock(&s->threads_lock);
    vmp_sampler_lock(s);
    if (guard)
        vmp_guard_remove();
    session_free(s);
    vmp_sampler_unlock(s);
    return rc;
}

bool
vmp_handlers_wait(vmp_sampler *s)
{
    int64_t give_up_ns = vmp_os_mono_ns() + 1000000000;
    while (atomic_load(&s->active) > 0) {
        if (vmp_os_mono_ns() > give_up_ns)
            return false;
        sched_yield();
    }
    return true;
}

int
vmp_sampler_stop(vmp_sampler_summary *ret_s, vmp_err *err)
{
    vmp_sampler *s = &vmp_the_sampler;
    if (!(atomic_load(&s->generation) & 1))
        return vmp_err_set(err, VMP_EINVAL, 0, 0, "vmprof is not enabled");
    /* The armed signal kills only when the log is whole; see vmp_sample_on_armed_signal. */
    sigset_t armed, mask_before;
    sigemptyset(&armed);
    if (s->signal_armed)
        sigaddset(&armed, s->signal_armed);
    pthread_sigmask(SIG_BLOCK, &armed, &mask_before);
    vmp_sampler_lock(s);
    /* The clock: then only ticks that are under way already come too late. */
    if (atomic_load(&s->paused) == 0)
        vmp_sampler_settle(s);
    atomic_store(&s->stopping, true);
    atomic_store(&s->running, false);
    vmp_handlers_wait(s);
    if (s->source->take_back && atomic_load(&s->paused) == 0)
        s->source->take_back(s);
    vmp_sampler_unlock(s);
    pthread_mutex_lock(&s->threads_lock);
    vmp_drain_thread_stop(s);
    s->source->stop(s);
    pthread_mutex_unlock(&s->threads_lock);
    bool quiet = vmp_handlers_wait(s);

    vmp_sampler_lock(s);
    vmp_drain_last(s);
    int rc = vmp_log_writer_error(s->writer, err);
    atomic_fetch_add(&s->generation, 1);
    if (ret_s)
        *ret_s = s->sum;
    if (s->signal_armed) {
        struct sigaction now;
        if (sigaction(s->signal_armed, NULL, &now) == 0 &&
            now.sa_handler == vmp_sample_on_armed_signal) {
            struct sigaction dfl = {.sa_handler = SIG_DFL};
            sigaction(s->signal_armed, &dfl, NULL);
        }
        s->signal_armed = 0;
    }
    vmp_source_signal_release(s, s->source->lingers);
    if (quiet) {
        vmp_guard_remove();
        session_free(s);
    }
    vmp_sampler_unlock(s);
    /* One that came too late for the drain has another thread waiting in its handler. */
    int got = atomic_exchange(&s->signal_got, 0);
    if (got)
        kill(getpid(), got);
    pthread_sigmask(SIG_SETMASK, &mask_before, NULL);
    return rc;
}
