/* What report_chart.c makes once and report_chart_view.c shows parts of. */
#ifndef VMP_REPORT_CHART_INTERNAL_H
#define VMP_REPORT_CHART_INTERNAL_H

#include "report_chart.h"
#include "report_merge_internal.h"

typedef struct vmp_chart_sample {
    int64_t begin_ns, end_ns; /* both ascend within a lane */
    uint32_t node;
    uint32_t sample; /* in the profile */
} vmp_chart_sample;

/* Nodes are numbered so that those of a subtree stand together, each before its
 * callees: whether a node is below another one is two comparisons. 0 is the root. */
typedef struct vmp_chart_node {
    uint32_t parent;
    uint32_t end; /* after the last one below it */
    uint32_t depth;
    vmp_function_id function;
    uint32_t first_child; /* in vmp_report_chart.children, where the next node's begin is its end */
} vmp_chart_node;

/* A look of one lot, by node; the time of all up to it. */
typedef struct vmp_chart_look {
    uint32_t node;
    uint64_t until_ns;
} vmp_chart_look;

struct vmp_report_chart {
    const vmp_profile *p;
    vmp_chart_node *nodes; /* one more than there are */
    uint32_t *children;
    vmp_chart_sample *samples;
    vmp_report_lane *lanes;
    size_t *first; /* by lane and one more: in samples */
    uint32_t lane_count;
    uint32_t depth_frames; /* of the deepest lane */
    vmp_chart_look *lot;   /* of one bin, while it is made */
    size_t lot_cap;
};

#endif
