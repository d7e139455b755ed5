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

void
vmp_jitlog_free(vmp_jitlog **j)
{
    if (!*j)
        return;
    free((*j)->traces);
    free((*j)->entries);
    free((*j)->points);
    free((*j)->bytes);
    vmp_intern_fini(&(*j)->strings);
    free(*j);
    *j = NULL;
}
