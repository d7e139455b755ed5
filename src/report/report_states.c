/* What the samples of a profile were taken in, and how that is known. */
#include "report.h"

vmp_report_states_source
vmp_report_states_source_of(const vmp_profile *p)
{
    vmp_process_id first = {p->process_count > 1};
    vmp_str states = vmp_profile_meta_get(p, first, "states");
    vmp_str end = vmp_profile_meta_get(p, first, "states.end");
    vmp_report_states_source source = {0};
    /* "1 PLACE LOOPS"; src/load/load_states.h. The place is negative where there was none. */
    if (states.n < 5 || states.p[0] != '1')
        return source;
    source.loops = states.p[states.n - 1] == '1';
    source.recorded = states.p[2] != '-';
    source.complete = vmp_str_equal(end, vmp_str_from("1"));
    return source;
}

vmp_report_states
vmp_report_states_of(const vmp_profile *p)
{
    vmp_report_states states = {0};
    for (size_t i = 0; i < p->sum_count; i++)
        states.weight[vmp_profile_stack_state(p, p->sums[i].stack)] += p->sums[i].weight;
    return states;
}
