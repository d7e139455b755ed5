/* Decodes what is said of a session: where one begins and ends, what it was and
 * lost, and where stack ids begin anew. */
#include "log_reader_internal.h"

/* All ids anew. */
static void
session_begin(vmp_log_reader *r)
{
    r->in_session = true;
    r->ended = false;
    r->strings = r->codes = r->locations = r->mappings = r->stacks = r->threads = 0;
    vmp_log_children_fini(&r->children);
    r->last_parent = 0;
    r->last_rss_kb = 0;
}

int
vmp_log_session_get(vmp_log_reader *r, vmp_log_event *e, vmp_err *err)
{
    vmp_log_session *s = &e->u.session;
    uint64_t minor;
    if (!vmp_log_get_u(r, &minor) || !vmp_log_get_max(r, UINT32_MAX, &s->mode) ||
        !vmp_log_get_max(r, UINT32_MAX, &s->pid) || !vmp_log_get_s(r, &s->start_unix_ns) ||
        !vmp_log_get_s(r, &s->start_mono_ns) || !vmp_log_get_u(r, &s->interval_ns) ||
        !vmp_log_get_u(r, &s->quantum_ns) || !vmp_log_get_str(r, &s->timer) ||
        s->interval_ns == 0 || s->interval_ns > INT64_MAX || s->quantum_ns == 0 ||
        s->quantum_ns > INT64_MAX)
        return vmp_log_wrong(r, err, "SESSION");
    session_begin(r);
    r->quantum_ns = (int64_t)s->quantum_ns;
    r->nominal_quanta = (int64_t)((s->interval_ns + s->quantum_ns / 2) / s->quantum_ns);
    r->max_quanta = VMP_LOG_MAX_TIME_NS / r->quantum_ns;
    return 1;
}

int
vmp_log_meta_get(vmp_log_reader *r, vmp_log_event *e, vmp_err *err)
{
    return vmp_log_get_str(r, &e->u.meta.key) && vmp_log_get_str(r, &e->u.meta.value)
               ? 1
               : vmp_log_wrong(r, err, "META");
}

int
vmp_log_loss_get(vmp_log_reader *r, vmp_log_event *e, vmp_err *err)
{
    uint64_t reason;
    if (!vmp_log_get_u(r, &reason) || !vmp_log_get_u(r, &e->u.loss.count) ||
        !vmp_log_get_max(r, r->threads, &e->u.loss.thread))
        return vmp_log_wrong(r, err, "LOSS");
    e->u.loss.reason = reason < VMP_LOG_LOSS_COUNT ? (enum vmp_log_loss)reason : VMP_LOG_LOSS_COUNT;
    return 1;
}

int
vmp_log_clock_get(vmp_log_reader *r, vmp_log_event *e, vmp_err *err)
{
    vmp_log_clock *c = &e->u.clock;
    c->unsampled_cpu_ns = 0;
    bool good = vmp_log_get_s(r, &c->mono_ns) && vmp_log_get_u(r, &c->process_cpu_ns) &&
                vmp_log_get_u(r, &c->profiler_cpu_ns);
    if (good && r->q < r->q_end) /* not in format_minor 0 */
        good = vmp_log_get_u(r, &c->unsampled_cpu_ns);
    return good ? 1 : vmp_log_wrong(r, err, "CLOCK");
}

int
vmp_log_end_get(vmp_log_reader *r, vmp_log_event *e, vmp_err *err)
{
    if (!vmp_log_get_s(r, &e->u.end.mono_ns) || !vmp_log_get_u(r, &e->u.end.samples))
        return vmp_log_wrong(r, err, "END");
    r->ended = true;
    return 1;
}

int
vmp_log_epoch_get(vmp_log_reader *r, vmp_log_event *e, vmp_err *err)
{
    (void)e, (void)err;
    r->stacks = 0;
    r->last_parent = 0;
    r->epoch++; /* threads follow when they have samples: there may be many */
    return 1;
}
