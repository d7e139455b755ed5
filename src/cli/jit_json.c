/* `vmprof jit --json`; the keys are in docs/json.md. */
#include "jit.h"
#include "jitlog_json.h"

static void
put_stages(const vmp_jitlog_json *how, const vmp_jit *s, uint32_t trace)
{
    vmp_json_key(how->j, "stages");
    vmp_json_begin(how->j, '{');
    for (int i = 0; i < VMP_JITLOG_STAGE_COUNT; i++) {
        enum vmp_jitlog_stage stage = (enum vmp_jitlog_stage)i;
        if (s->stage != i && s->stage != VMP_JIT_ALL_STAGES)
            continue;
        vmp_json_key(how->j, vmp_jitlog_stage_name(stage));
        vmp_jitlog_put_stage(how, trace, stage);
    }
    vmp_json_end(how->j, '}');
}

int
vmp_jit_json(const vmp_jit *s)
{
    enum { SCHEMA = 1 };
    vmp_json j = vmp_json_to(s->out);
    vmp_jitlog_json how = {.j = &j, .log = s->log};
    vmp_json_begin(&j, '{');
    vmp_json_put_str(&j, "view", vmp_str_from("jit"));
    vmp_json_put_uint(&j, "schema", SCHEMA);
    vmp_json_put_str(&j, "vmprof", vmp_str_from(VMP_VERSION));
    vmp_json_put_str(&j, "log", vmp_str_from(s->path));
    vmp_jitlog_put_facts(&how);
    vmp_json_key(&j, "traces");
    vmp_json_begin(&j, '[');
    for (size_t i = 0; i < vmp_jit_limit(s, s->trace_count); i++) {
        vmp_json_begin(&j, '{');
        vmp_jitlog_put_trace(&how, s->traces[i]);
        if (s->whole)
            put_stages(&how, s, s->traces[i]);
        vmp_json_end(&j, '}');
    }
    vmp_json_end(&j, ']');
    vmp_json_key(&j, "guards");
    vmp_json_begin(&j, '[');
    for (size_t i = 0; i < vmp_jit_limit(s, s->guard_count); i++)
        vmp_jitlog_put_guard(&how, s->guards[i]);
    vmp_json_end(&j, ']');
    vmp_json_end(&j, '}');
    vmp_out_text(s->out, "\n");
    return 0;
}
