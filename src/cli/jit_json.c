/* `vmprof jit --json`; the keys are in docs/json.md. */
#include <inttypes.h>
#include <stdio.h>

#include "jit.h"
#include "json_out.h"

/* Addresses and numbers of descrs, which JavaScript's numbers cannot hold. */
static void
put_address(vmp_json *j, const char *key, uint64_t address)
{
    char text[24];
    vmp_json_key(j, key);
    if (address == 0) {
        vmp_json_null(j);
        return;
    }
    snprintf(text, sizeof(text), "0x%" PRIx64, address);
    vmp_json_str(j, vmp_str_from(text));
}

static void
put_point(vmp_json *j, const vmp_jitlog *log, uint32_t point)
{
    const vmp_jitlog_point *at = &log->points[point];
    vmp_json_put_str(j, "function", vmp_jitlog_string(log, at->function));
    vmp_json_put_str(j, "file", vmp_jitlog_string(log, at->file));
    vmp_json_put_uint(j, "line", at->line);
}

/* The id of a trace, or null for index 0. */
static void
put_trace_id(vmp_json *j, const char *key, const vmp_jitlog *log, uint32_t trace)
{
    vmp_json_key(j, key);
    if (trace)
        vmp_json_uint(j, log->traces[trace].id);
    else
        vmp_json_null(j);
}

static void
put_guard(vmp_json *j, const vmp_jitlog *log, const vmp_jitlog_entry *e)
{
    vmp_json_begin(j, '{');
    put_trace_id(j, "trace", log, e->trace);
    vmp_json_put_str(j, "name", vmp_jitlog_string(log, e->name));
    put_address(j, "descr", e->descr);
    vmp_json_put_uint(j, "failed", e->count);
    put_trace_id(j, "bridge", log, e->bridge);
    put_point(j, log, e->point);
    vmp_json_end(j, '}');
}

static void
put_code(vmp_json *j, vmp_out *scratch, vmp_str code)
{
    vmp_out_clear(scratch);
    for (size_t i = 0; i < code.n; i++)
        vmp_out_hex(scratch, (unsigned char)code.p[i], 2);
    vmp_json_put_str(j, "code", vmp_out_view(scratch));
}

static void
put_entry(vmp_json *j, vmp_out *scratch, const vmp_jitlog *log, const vmp_jitlog_entry *e)
{
    static const char *const kinds[] = {"operation", "point", "inputs"};
    vmp_json_begin(j, '{');
    vmp_json_put_str(j, "kind", vmp_str_from(kinds[e->kind]));
    if (e->kind == VMP_JITLOG_POINT) {
        const vmp_jitlog_point *at = &log->points[e->point];
        put_point(j, log, e->point);
        vmp_json_put_uint(j, "index", at->index);
        vmp_json_put_str(j, "opcode", vmp_jitlog_string(log, at->opcode));
    } else {
        vmp_json_put_str(j, "args", vmp_jitlog_text(log, e->args));
    }
    if (e->kind == VMP_JITLOG_OP) {
        vmp_json_put_str(j, "name", vmp_jitlog_string(log, e->name));
        vmp_json_put_str(j, "fail_args", vmp_jitlog_text(log, e->fails));
        put_address(j, "descr", e->descr);
        vmp_json_put_uint(j, "count", e->count);
        put_trace_id(j, "bridge", log, e->bridge);
        put_code(j, scratch, vmp_jitlog_text(log, e->code));
    }
    vmp_json_end(j, '}');
}

static void
put_stages(vmp_json *j, vmp_out *scratch, const vmp_jit *s, const vmp_jitlog_trace *t)
{
    vmp_json_key(j, "stages");
    vmp_json_begin(j, '{');
    for (int stage = 0; stage < VMP_JITLOG_STAGE_COUNT; stage++) {
        if (s->stage != stage && s->stage != VMP_JIT_ALL_STAGES)
            continue;
        vmp_json_key(j, vmp_jitlog_stage_name((enum vmp_jitlog_stage)stage));
        vmp_json_begin(j, '[');
        for (uint32_t i = t->stages[stage].first; i; i = s->log->entries[i].next)
            put_entry(j, scratch, s->log, &s->log->entries[i]);
        vmp_json_end(j, ']');
    }
    vmp_json_end(j, '}');
}

static void
put_trace(vmp_json *j, vmp_out *scratch, const vmp_jit *s, const vmp_jitlog_trace *t)
{
    const vmp_jitlog *log = s->log;
    vmp_json_begin(j, '{');
    vmp_json_put_uint(j, "trace", t->id);
    vmp_json_put_str(j, "type", vmp_str_from(vmp_jitlog_type_name(t->type)));
    vmp_json_put_bool(j, "entry_bridge", t->entry_bridge);
    vmp_json_put_bool(j, "aborted", t->aborted);
    vmp_json_put_str(j, "jitdriver", vmp_jitlog_text(log, t->driver));
    vmp_json_key(j, "entered");
    if (t->has_entered)
        vmp_json_uint(j, t->entered);
    else
        vmp_json_null(j);
    put_point(j, log, t->point);
    vmp_json_key(j, "operations");
    vmp_json_begin(j, '{');
    for (int stage = 0; stage < VMP_JITLOG_STAGE_COUNT; stage++)
        vmp_json_put_uint(
            j, vmp_jitlog_stage_name((enum vmp_jitlog_stage)stage), t->stages[stage].ops);
    vmp_json_end(j, '}');
    put_address(j, "code_start", t->start);
    put_address(j, "code_end", t->end);
    vmp_json_key(j, "guard");
    if (t->guard)
        put_guard(j, log, &log->entries[t->guard]);
    else
        vmp_json_null(j);
    if (s->whole)
        put_stages(j, scratch, s, t);
    vmp_json_end(j, '}');
}

int
vmp_jit_json(const vmp_jit *s)
{
    enum { SCHEMA = 1 };
    const vmp_jitlog *log = s->log;
    vmp_out scratch;
    vmp_json j = vmp_json_to(s->out);
    vmp_out_init(&scratch, -1);
    vmp_json_begin(&j, '{');
    vmp_json_put_str(&j, "view", vmp_str_from("jit"));
    vmp_json_put_uint(&j, "schema", SCHEMA);
    vmp_json_put_str(&j, "vmprof", vmp_str_from(VMP_VERSION));
    vmp_json_put_str(&j, "log", vmp_str_from(s->path));
    vmp_json_put_bool(&j, "cut", log->cut);
    vmp_json_put_uint(&j, "version", log->version);
    vmp_json_put_uint(&j, "word_bits", log->is_32bit ? 32 : 64);
    vmp_json_put_str(&j, "machine", vmp_jitlog_text(log, log->machine));
    vmp_json_put_uint(&j, "unknown_counters", log->unknown_counters);
    vmp_json_put_uint(&j, "unknown_stitches", log->unknown_stitches);
    vmp_json_put_uint(&j, "redirects", log->redirects);
    vmp_json_put_uint(&j, "callbacks", log->callbacks);
    vmp_json_key(&j, "traces");
    vmp_json_begin(&j, '[');
    for (size_t i = 0; i < vmp_jit_limit(s, s->trace_count); i++)
        put_trace(&j, &scratch, s, &log->traces[s->traces[i]]);
    vmp_json_end(&j, ']');
    vmp_json_key(&j, "guards");
    vmp_json_begin(&j, '[');
    for (size_t i = 0; i < vmp_jit_limit(s, s->guard_count); i++)
        put_guard(&j, log, &log->entries[s->guards[i]]);
    vmp_json_end(&j, ']');
    vmp_json_end(&j, '}');
    vmp_out_text(s->out, "\n");
    vmp_out_drop(&scratch, s->out);
    return 0;
}
