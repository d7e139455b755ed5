/* Names and facts of a profile as JSON. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json_out.h"
#include "wasm_internal.h"

static void
put_functions(vmp_json *j, const vmp_profile *p)
{
    vmp_json_key(j, "functions");
    vmp_json_begin(j, '[');
    for (uint32_t i = 0; i < p->function_count; i++) {
        const vmp_profile_function *f = &p->functions[i];
        vmp_json_begin(j, '[');
        vmp_json_str(j, vmp_profile_function_name(p, (vmp_function_id){i}));
        vmp_json_uint(j, f->file.i);
        vmp_json_int(j, f->first_line);
        vmp_json_uint(j, (uint64_t)f->kind);
        vmp_json_end(j, ']');
    }
    vmp_json_end(j, ']');
}

/* The texts of files by their number in functions; null between them. */
static int
put_files(vmp_json *j, const vmp_profile *p)
{
    uint8_t *is_file = calloc(p->string_count, 1);
    if (!is_file)
        return -VMP_ENOMEM;
    for (uint32_t i = 0; i < p->function_count; i++)
        is_file[p->functions[i].file.i] = 1;
    vmp_json_key(j, "files");
    vmp_json_begin(j, '{');
    for (uint32_t i = 0; i < p->string_count; i++) {
        char key[16];
        if (!is_file[i])
            continue;
        snprintf(key, sizeof(key), "%u", (unsigned)i);
        vmp_json_put_str(j, key, p->strings[i]);
    }
    vmp_json_end(j, '}');
    free(is_file);
    return 0;
}

static void
put_thread(vmp_json *j, const vmp_profile *p, const vmp_report_thread *t)
{
    const vmp_profile_thread *thread = &p->threads[t->thread.i];
    vmp_json_begin(j, '{');
    vmp_json_put_uint(j, "id", t->thread.i);
    vmp_json_put_uint(j, "process", thread->process.i);
    vmp_json_put_str(j, "name", vmp_profile_string(p, thread->name));
    vmp_json_put_uint(j, "tid", thread->os_tid);
    vmp_json_put_uint(j, "ticks", vmp_profile_ticks(p, t->weight));
    vmp_json_put_uint(j, "lost", t->lost);
    vmp_json_put_double(j, "cpuSeconds", (double)t->cpu_ns / 1e9);
    vmp_json_end(j, '}');
}

static int
put_threads(vmp_json *j, const vmp_profile *p)
{
    vmp_report_threads *threads = NULL;
    int rc = vmp_report_threads_new(&threads, p);
    if (rc < 0)
        return rc;
    vmp_json_key(j, "threads");
    vmp_json_begin(j, '[');
    for (uint32_t i = 0; i < threads->count; i++)
        put_thread(j, p, &threads->rows[i]);
    vmp_json_end(j, ']');
    vmp_report_threads_free(&threads);
    return 0;
}

static void
put_processes(vmp_json *j, const vmp_profile *p)
{
    vmp_json_key(j, "processes");
    vmp_json_begin(j, '[');
    for (uint32_t i = 0; i < p->process_count; i++)
        vmp_json_uint(j, p->processes[i].pid);
    vmp_json_end(j, ']');
}

static void
put_info(vmp_json *j, const vmp_profile *p, const vmp_report_info *info)
{
    vmp_json_put_uint(j, "samples", info->samples);
    vmp_json_put_uint(j, "stacks", p->stack_count);
    vmp_json_put_uint(j, "ticks", info->ticks);
    vmp_json_put_uint(j, "lost", info->lost);
    vmp_json_put_double(j, "askedHz", info->asked_hz);
    vmp_json_put_double(j, "achievedHz", info->achieved_hz);
    vmp_json_put_double(j, "cpuSeconds", info->cpu_seconds);
    vmp_json_put_double(j, "unsampledShare", info->unsampled_share);
    vmp_json_put_double(j, "wallSeconds", info->wall_seconds);
    vmp_json_put_double(j, "startUnix", (double)info->start_unix_ns / 1e9);
    vmp_json_put_bool(j, "untimed", p->process_count > 1 && p->processes[1].untimed);
    vmp_json_put_bool(j, "wall", info->mode & VMP_PROFILE_MODE_WALL);
    vmp_json_put_bool(j, "cut", p->cut);
    vmp_json_put_str(j, "behindEnd", vmp_profile_string(p, p->behind));
    vmp_json_put_uint(j, "behindEndByte", p->behind_at);
    vmp_json_put_bool(j, "memory", p->memory_count > 0);
    vmp_json_put_str(j, "timer", info->timer);
    vmp_json_put_str(j, "argv", info->argv);
    vmp_json_put_str(j, "python", info->python);
    vmp_json_put_str(j, "implementation", info->implementation);
    vmp_json_put_str(j, "host", info->host);
    vmp_json_put_str(j, "os", info->os);
    vmp_json_put_str(j, "cwd", info->cwd);
}

/* Not there where the profile tells no states. */
static void
put_states(vmp_json *j, const vmp_profile *p)
{
    if (!p->has_states)
        return;
    vmp_report_states states = vmp_report_states_of(p);
    vmp_report_states_source source = vmp_report_states_source_of(p);
    vmp_json_key(j, "states");
    vmp_json_begin(j, '{');
    vmp_json_put_bool(j, "recorded", source.recorded);
    vmp_json_put_bool(j, "loops", source.loops);
    vmp_json_put_bool(j, "complete", source.complete);
    vmp_json_key(j, "ticks");
    vmp_json_begin(j, '[');
    for (size_t i = 0; i < VMP_PROFILE_STATES; i++)
        vmp_json_uint(j, vmp_profile_ticks(p, states.weight[i]));
    vmp_json_end(j, ']');
    vmp_json_end(j, '}');
}

char *
vmp_wasm_facts(const vmp_wasm *w)
{
    const vmp_profile *p = w->profile;
    vmp_out out;
    vmp_report_info *info = NULL;
    vmp_out_init(&out, -1);
    vmp_json j = vmp_json_to(&out);
    vmp_json_begin(&j, '{');
    int rc = vmp_report_info_new(&info, p);
    if (rc == 0) {
        put_info(&j, p, info);
        put_states(&j, p);
        put_processes(&j, p);
        put_functions(&j, p);
        rc = put_files(&j, p);
    }
    if (rc == 0)
        rc = put_threads(&j, p);
    vmp_json_end(&j, '}');
    vmp_out_bytes(&out, "", 1);
    vmp_report_info_free(&info);
    char *text = NULL;
    if (rc == 0 && out.rc == 0 && (text = malloc(out.n)))
        memcpy(text, out.p, out.n);
    vmp_out_fini(&out);
    return text;
}
