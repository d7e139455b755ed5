#include "jitlog.h"

#include <stdlib.h>

const char *
vmp_jitlog_stage_name(enum vmp_jitlog_stage stage)
{
    static const char *const names[VMP_JITLOG_STAGE_COUNT] = {"noopt", "opt", "asm"};
    return names[stage];
}

const char *
vmp_jitlog_type_name(enum vmp_jitlog_type type)
{
    static const char *const names[] = {"unknown", "loop", "bridge"};
    return names[type];
}

const vmp_jitlog_line *
vmp_jitlog_line_at(const vmp_jitlog *j, uint32_t file, uint32_t line)
{
    uint32_t id = vmp_pairs_find(&j->line_ids, file, line);
    return id ? &j->lines[id] : NULL;
}

void
vmp_jitlog_free(vmp_jitlog **j)
{
    if (!*j)
        return;
    free((*j)->traces);
    free((*j)->entries);
    free((*j)->points);
    free((*j)->lines);
    vmp_pairs_fini(&(*j)->line_ids);
    free((*j)->bytes);
    vmp_intern_fini(&(*j)->strings);
    free(*j);
    *j = NULL;
}
