#include <stdlib.h>

#include "report_internal.h"

int
vmp_report_groups_new(vmp_report_groups **ret_g, const vmp_profile *p,
    const vmp_report_filter *filter, const uint32_t *group_of, uint32_t count)
{
    static const vmp_report_filter none = {0};
    vmp_merge_request request = {.filter = filter ? filter : &none, .hide_elided = true};
    vmp_counted c = {0};
    vmp_tally tally = {0};
    vmp_report_groups *g = calloc(1, sizeof(*g));
    int rc = g ? vmp_counted_new(&c, p, &request) : -VMP_ENOMEM;
    if (rc == 0)
        rc = vmp_tally_init(&tally, count + 1);
    if (rc == 0) {
        for (uint32_t i = 1; i < c.merge.count; i++) {
            uint32_t group = group_of[c.functions[i] - 1];
            c.functions[i] = group < count ? group + 1 : 0;
        }
        rc = vmp_tally_tree(&tally, &c.merge, &c.order, c.functions);
    }
    if (rc == 0) {
        *g = (vmp_report_groups){count, tally.self, tally.total, c.merge.nodes[0].total};
        tally.self = tally.total = NULL;
        *ret_g = g;
    } else {
        free(g);
    }
    vmp_tally_fini(&tally);
    vmp_counted_fini(&c);
    return rc;
}

void
vmp_report_groups_free(vmp_report_groups **g)
{
    if (*g) {
        free((void *)(uintptr_t)(*g)->self);
        free((void *)(uintptr_t)(*g)->total);
    }
    free(*g);
    *g = NULL;
}
