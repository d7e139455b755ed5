#include "show.h"

static void
put_losses(const vmp_show *s, vmp_json *j, const vmp_report_info *info)
{
    vmp_json_key(j, "lost");
    vmp_json_begin(j, '{');
    for (uint32_t i = 0; i < info->loss_count; i++) {
        vmp_json_key_str(j, vmp_profile_string(s->profile, info->losses[i].reason));
        vmp_json_uint(j, info->losses[i].count);
    }
    vmp_json_end(j, '}');
}

static void
put_modes(vmp_json *j, const vmp_report_info *info)
{
    static const struct {
        uint32_t bit;
        const char *name;
    } modes[] = {
        {VMP_PROFILE_MODE_WALL, "wall"},
        {VMP_PROFILE_MODE_MEMORY, "memory"},
        {VMP_PROFILE_MODE_LINES, "lines"},
        {VMP_PROFILE_MODE_NATIVE, "native"},
    };
    vmp_json_key(j, "modes");
    vmp_json_begin(j, '[');
    for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
        if (info->mode & modes[i].bit)
            vmp_json_str(j, vmp_str_from(modes[i].name));
    vmp_json_end(j, ']');
}

static void
put_unrecorded(vmp_json *j, const vmp_report_info *info)
{
    static const struct {
        uint32_t bit;
        const char *name;
    } rows[] = {
        {VMP_REPORT_NO_LINES, "lines"},
        {VMP_REPORT_NO_THREAD_IDS, "thread_ids"},
        {VMP_REPORT_NO_OTHER_THREADS, "other_threads"},
        {VMP_REPORT_NO_INNER_C_FRAMES, "inner_c_frames"},
    };
    vmp_json_key(j, "unrecorded");
    vmp_json_begin(j, '[');
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (info->unrecorded & rows[i].bit)
            vmp_json_str(j, vmp_str_from(rows[i].name));
    vmp_json_end(j, ']');
}

static void
put_figures(const vmp_show *s, vmp_json *j, const vmp_report_info *info)
{
    vmp_json_put_uint(j, "samples", info->samples);
    vmp_json_put_uint(j, "ticks", info->ticks);
    put_losses(s, j, info);
    vmp_json_put_uint(j, "lost_total", info->lost);
    vmp_json_put_double(j, "cpu_seconds", info->cpu_seconds);
    vmp_json_put_double(j, "profiler_cpu_seconds", info->profiler_cpu_seconds);
    vmp_json_put_double(j, "unsampled_cpu_seconds", info->unsampled_cpu_seconds);
    vmp_json_put_double(j, "wall_seconds", info->wall_seconds);
    vmp_json_put_double(j, "sampled_seconds", (double)info->sampled_ns / 1e9);
    vmp_json_put_double(j, "asked_hz", info->asked_hz);
    vmp_json_put_double(j, "achieved_hz", info->achieved_hz);
    vmp_json_put_double(j, "sample_hz", info->sample_hz);
    vmp_json_put_str(j, "timer", info->timer);
    vmp_json_put_str(j, "timer_refused", info->timer_refused);
    put_modes(j, info);
    put_unrecorded(j, info);
    vmp_json_put_double(j, "start_unix", (double)info->start_unix_ns / 1e9);
    vmp_json_put_double(j, "end_unix", (double)info->end_unix_ns / 1e9);
    vmp_json_put_uint(j, "bytes", info->log_bytes);
    vmp_json_put_double(j, "bytes_per_sample", info->bytes_per_sample);
    vmp_json_put_uint(j, "processes", info->processes);
    vmp_json_put_uint(j, "threads", info->threads);
    vmp_json_put_uint(j, "functions", info->functions);
    vmp_json_put_uint(j, "stacks", info->stacks);
    vmp_json_put_uint(j, "depth", info->depth);
}

static void
put_states(const vmp_show *s, vmp_json *j)
{
    if (!s->profile->has_states)
        return;
    vmp_report_states states = vmp_report_states_of(s->profile);
    vmp_report_states_source source = vmp_report_states_source_of(s->profile);
    vmp_show_json_states(j, s->profile, "states", &states);
    vmp_json_key(j, "states_source");
    vmp_json_begin(j, '{');
    vmp_json_put_bool(j, "recorded", source.recorded);
    vmp_json_put_bool(j, "loops", source.loops);
    vmp_json_put_bool(j, "complete", source.complete);
    vmp_json_end(j, '}');
}

static void
put_json(const vmp_show *s, const vmp_report_info *info)
{
    vmp_json j = vmp_show_json_begin(s, "info", NULL);
    put_figures(s, &j, info);
    vmp_json_put_str(&j, "behind_end", vmp_profile_string(s->profile, info->behind));
    vmp_json_put_uint(&j, "behind_end_byte", info->behind_at);
    vmp_json_put_uint(&j, "pid", info->pid);
    vmp_json_put_lines(&j, "argv", info->argv);
    vmp_json_put_str(&j, "cwd", info->cwd);
    vmp_json_put_str(&j, "python", info->python);
    vmp_json_put_str(&j, "implementation", info->implementation);
    vmp_json_put_str(&j, "executable", info->executable);
    vmp_json_put_str(&j, "host", info->host);
    vmp_json_put_str(&j, "os", info->os);
    vmp_json_put_str(&j, "arch", info->arch);
    vmp_json_put_str(&j, "written_by", info->vmprof);
    put_states(s, &j);
    vmp_show_json_end(&j);
}

int
vmp_show_info(const vmp_show *s)
{
    vmp_report_info *info = NULL;
    int rc = vmp_report_info_new(&info, s->profile);
    if (rc == 0 && s->options->json)
        put_json(s, info);
    else if (rc == 0)
        vmp_view_info(&s->view, info, vmp_str_from(s->path));
    vmp_report_info_free(&info);
    return rc;
}
