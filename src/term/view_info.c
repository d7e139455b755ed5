#include <inttypes.h>
#include <time.h>

#include "term_names.h"
#include "term_states.h"
#include "term_views.h"

enum { LABEL = 12 }; /* columns of the names at the left */
/* Less of the program's CPU time without samples is not worth a word. */
static const double UNSAMPLED_LEAST = 0.005;

/* A counter of a noun: "1 thread", "2 threads". */
static void
put_number(vmp_out *o, double n, const char *noun)
{
    char text[32];
    vmp_term_count(text, n);
    vmp_out_printf(o, "%s %s%s", text, noun, n > 0.5 && n < 1.5 ? "" : "s");
}

static void
put_losses(vmp_out *o, const vmp_profile *p, const vmp_report_info *info)
{
    for (uint32_t i = 0; i < info->loss_count; i++) {
        vmp_str reason = vmp_profile_string(p, info->losses[i].reason);
        vmp_out_printf(
            o, "%s%.*s %" PRIu64, i ? ", " : "", (int)reason.n, reason.p, info->losses[i].count);
    }
}

static const char *
clock_word(const vmp_report_info *info)
{
    return info->mode & VMP_PROFILE_MODE_WALL ? "thread" : "CPU";
}

void
vmp_view_summary(const vmp_view *v, const vmp_report_info *info, size_t column)
{
    vmp_out line;
    char time[24], wall[24];
    vmp_out_init(&line, -1);
    put_number(&line, (double)info->samples, "sample");
    vmp_term_seconds(time, info->cpu_seconds);
    vmp_term_seconds(wall, info->wall_seconds);
    vmp_out_printf(&line, " over %s of CPU time (%s wall)", time, wall);
    if (info->achieved_hz > 0)
        vmp_out_printf(&line, ", %.0f per %s second (asked: %.0f)", info->achieved_hz,
            clock_word(info), info->asked_hz);
    if (info->unsampled_share >= UNSAMPLED_LEAST)
        vmp_out_printf(&line, ", %.1f%% of the CPU time unsampled", 100 * info->unsampled_share);
    if (info->lost) {
        vmp_out_printf(&line, ", %" PRIu64 " lost (", info->lost);
        put_losses(&line, v->profile, info);
        vmp_out_text(&line, ")");
    }
    vmp_out clean;
    vmp_out_init(&clean, -1);
    vmp_term_clean(&clean, v->term, vmp_out_view(&line));
    vmp_term_wrap(v->out, v->term, 0, column, vmp_out_view(&clean));
    vmp_out_drop(&clean, v->out);
    vmp_out_drop(&line, v->out);
}

typedef struct info_printer {
    const vmp_view *v;
    vmp_out line; /* what stands beside a label */
} info_printer;

/* Prints the line that was gathered, if it is not empty. */
static void
put_line(info_printer *ip, const char *label)
{
    vmp_out *o = ip->v->out;
    if (ip->line.n == 0)
        return;
    vmp_term_style(o, ip->v->term, VMP_STYLE_HEAD);
    vmp_out_printf(o, "%-*s", LABEL, label);
    vmp_term_plain(o, ip->v->term);
    vmp_term_clean(o, ip->v->term, vmp_out_view(&ip->line));
    vmp_out_text(o, "\n");
    vmp_out_clear(&ip->line);
}

static void
put_start(info_printer *ip, const vmp_report_info *info)
{
    char text[40];
    struct tm tm;
    time_t seconds = (time_t)(info->start_unix_ns / 1000000000);
    if (info->start_unix_ns > 0 && localtime_r(&seconds, &tm) &&
        strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S %Z", &tm))
        vmp_out_text(&ip->line, text);
    put_line(ip, "started");
}

static void
put_duration(info_printer *ip, const vmp_report_info *info)
{
    char wall[24], cpu[24], own[24];
    vmp_term_seconds(wall, info->wall_seconds);
    vmp_term_seconds(cpu, info->cpu_seconds);
    vmp_term_seconds(own, info->profiler_cpu_seconds);
    vmp_out_printf(&ip->line, "%s wall, %s CPU", wall, cpu);
    if (info->profiler_cpu_seconds > 0)
        vmp_out_printf(&ip->line, " (%s of it in the profiler's own threads)", own);
    put_line(ip, "duration");
}

static void
put_mode(info_printer *ip, const vmp_report_info *info)
{
    bool wall = info->mode & VMP_PROFILE_MODE_WALL;
    vmp_out_text(&ip->line, wall ? "wall time (also of sleeping threads)" : "CPU time");
    if (info->mode & VMP_PROFILE_MODE_MEMORY)
        vmp_out_text(&ip->line, ", memory");
    if (info->mode & VMP_PROFILE_MODE_LINES)
        vmp_out_text(&ip->line, ", lines");
    if (info->mode & VMP_PROFILE_MODE_NATIVE)
        vmp_out_text(&ip->line, ", native frames");
    put_line(ip, "mode");
    vmp_out_str(&ip->line, info->timer);
    if (info->timer_refused.n)
        vmp_out_printf(&ip->line, " (%.*s)", (int)info->timer_refused.n, info->timer_refused.p);
    put_line(ip, "timer");
}

static void
put_unrecorded(info_printer *ip, const vmp_report_info *info)
{
    static const struct {
        uint32_t bit;
        const char *text;
    } rows[] = {
        {VMP_REPORT_NO_LINES, "lines"},
        {VMP_REPORT_NO_THREAD_IDS, "thread ids (all threads count as one)"},
        {VMP_REPORT_NO_OTHER_THREADS, "threads other than the main one"},
        {VMP_REPORT_NO_INNER_C_FRAMES, "C frames between Python frames"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (info->unrecorded & rows[i].bit)
            vmp_out_printf(&ip->line, "%s%s", ip->line.n ? ", " : "", rows[i].text);
    put_line(ip, "unrecorded");
}

static void
put_rates(info_printer *ip, const vmp_report_info *info)
{
    vmp_out_printf(&ip->line, "asked %.1f Hz", info->asked_hz);
    if (info->achieved_hz > 0)
        vmp_out_printf(&ip->line, ", achieved %.1f per %s second (%.1f%%)", info->achieved_hz,
            clock_word(info), 100 * info->achieved_hz / info->asked_hz);
    put_line(ip, "rate");
    char text[32];
    vmp_term_count(text, (double)info->samples);
    vmp_out_text(&ip->line, text);
    if (info->ticks != info->samples) {
        vmp_term_count(text, (double)info->ticks);
        vmp_out_printf(&ip->line, ", for %s ticks", text);
    }
    if (info->sampled_ns > 0) {
        vmp_term_seconds(text, (double)info->sampled_ns / 1e9);
        vmp_out_printf(&ip->line, ", %s of %s time", text, clock_word(info));
    }
    put_line(ip, "samples");
    if (info->unsampled_share >= UNSAMPLED_LEAST) {
        vmp_term_seconds(text, info->unsampled_cpu_seconds);
        vmp_out_printf(&ip->line,
            "%s of CPU time (%.1f%%), most of it in threads that used too little for a tick", text,
            100 * info->unsampled_share);
        put_line(ip, "unsampled");
    }
    vmp_term_count(text, (double)info->lost);
    vmp_out_text(&ip->line, info->lost ? text : "none");
    if (info->lost) {
        vmp_out_text(&ip->line, ": ");
        put_losses(&ip->line, ip->v->profile, info);
    }
    put_line(ip, "lost");
}

static void
put_sizes(info_printer *ip, const vmp_report_info *info)
{
    char size[16];
    if (info->processes != 1) {
        vmp_out_printf(&ip->line, "%" PRIu32, info->processes);
        put_line(ip, "processes");
    }
    vmp_out_printf(&ip->line, "%" PRIu32, info->threads);
    put_line(ip, "threads");
    put_number(&ip->line, info->functions, "function");
    vmp_out_text(&ip->line, ", ");
    put_number(&ip->line, info->stacks, "stack");
    vmp_out_printf(&ip->line, ", the deepest of %" PRIu32 " frames", info->depth);
    put_line(ip, "size");
    vmp_term_size(size, info->log_bytes);
    vmp_out_text(&ip->line, size);
    if (info->samples)
        vmp_out_printf(&ip->line, ", %.2f bytes a sample", info->bytes_per_sample);
    put_line(ip, "log size");
}

/* Errors were measured against PyPy's own log of its phases; docs/pypy-states.md. */
static void
put_states(info_printer *ip)
{
    const vmp_profile *p = ip->v->profile;
    if (!p->has_states)
        return;
    vmp_report_states all = vmp_report_states_of(p);
    vmp_report_states_source source = vmp_report_states_source_of(p);
    double minor = vmp_view_percent(all.weight[VMP_PROFILE_STATE_GC_MINOR], p->total_weight);
    double major = vmp_view_percent(all.weight[VMP_PROFILE_STATE_GC_MAJOR], p->total_weight);
    for (size_t i = 0; i < vmp_state_column_count(&all); i++) {
        vmp_out_printf(&ip->line, "%s%s %.1f%%", i ? ", " : "", vmp_state_columns[i].word,
            vmp_state_percent(&all, i));
        if (i == VMP_STATE_COLUMN_GC && source.recorded)
            vmp_out_printf(&ip->line, " (minor %.1f%%, major %.1f%%)", minor, major);
    }
    put_line(ip, "states");
    vmp_out_text(&ip->line, source.loops ? "JIT from frames and program counters"
                                         : "JIT from frames: loops of machine code that make no "
                                           "call count as interpreter");
    vmp_out_text(&ip->line,
        source.recorded ? "; GC from PyPy's hooks and the times of samples, within 3 points; "
                          "warm-up from its JIT's clock, within 5 points, of functions roughly"
                        : "; GC and warm-up were not recorded");
    if (source.recorded && !source.complete)
        vmp_out_text(&ip->line, ", not up to the end");
    put_line(ip, "  known by");
}

void
vmp_view_info(const vmp_view *v, const vmp_report_info *info, vmp_str path)
{
    info_printer ip = {.v = v};
    vmp_out_init(&ip.line, -1);
    vmp_out_str(&ip.line, path);
    if (info->cut)
        vmp_out_text(&ip.line, "  (cut: it has no clean end)");
    if (info->behind_at) {
        vmp_str behind = vmp_profile_string(v->profile, info->behind);
        vmp_out_printf(
            &ip.line, "  (damaged: behind its end, at byte %" PRIu64 ", ", info->behind_at);
        vmp_out_str(&ip.line, behind);
        vmp_out_text(&ip.line, ")");
    }
    put_line(&ip, "log");
    if (info->argv.n)
        vmp_name_command_line(&ip.line, info->argv);
    put_line(&ip, "command");
    vmp_out_str(&ip.line, info->cwd);
    put_line(&ip, "directory");
    vmp_out_printf(&ip.line, "%.*s %.*s", (int)info->implementation.n,
        info->implementation.n ? info->implementation.p : "", (int)info->python.n,
        info->python.n ? info->python.p : "");
    if (info->executable.n) {
        vmp_out_text(&ip.line, "  ");
        vmp_out_str(&ip.line, info->executable);
    }
    if (info->python.n || info->executable.n || info->implementation.n)
        put_line(&ip, "python");
    vmp_out_clear(&ip.line);
    vmp_out_str(&ip.line, info->host);
    if (info->os.n || info->arch.n)
        vmp_out_printf(&ip.line, " (%.*s%s%.*s)", (int)info->os.n, info->os.n ? info->os.p : "",
            info->os.n && info->arch.n ? ", " : "", (int)info->arch.n,
            info->arch.n ? info->arch.p : "");
    put_line(&ip, "host");
    put_start(&ip, info);
    put_duration(&ip, info);
    put_mode(&ip, info);
    put_unrecorded(&ip, info);
    put_rates(&ip, info);
    put_states(&ip);
    put_sizes(&ip, info);
    vmp_out_drop(&ip.line, v->out);
}
