/* Threads over time: which functions each was seen in, one after the other.
 *
 * A sample is a look at one moment that stands for the time before it. Of every
 * sample of a thread, in the order of their times (of equal ones: of the log):
 *   1. It begins where what it stands for (its value: CPU time, in wall mode wall
 *      time) would begin, but not before the end of the sample before it, and not
 *      before the start of the first process. It ends at its time. So a thread
 *      that used no CPU for a while has nothing there, and no time is twice.
 *   2. A pause of at most half an interval between two samples is none: the ticks
 *      themselves come no more evenly. Longer ones are pauses. In wall mode that is
 *      at most 100 ms, where half an interval is less: there threads are told of in
 *      batches, and which sample has how much of the time is not exact.
 *   3. The filter chooses samples and frames as in all views (report.h). Samples
 *      that it takes away leave a pause.
 * A view shows a range of times in `bins` equal parts, say pixels:
 *   4. Samples that are shorter than a bin and end in the same one are put
 *      together, from where the first begins to where the last ends. Shown of them
 *      is, from the outermost frame on, the frame in which they spent the most
 *      time among the callees of the frame shown above it (of equal ones: the one
 *      that the log has first), as long as that is at least what ended above it. So all
 *      that is shown above each other was seen so in one sample.
 *   5. A frame that is shown at the same place of the same callers in the next
 *      sample, or bin, goes on, unless there was a pause of a bin or more. Whether
 *      it was called anew in between, samples cannot tell. */
#ifndef VMP_REPORT_CHART_H
#define VMP_REPORT_CHART_H

#include "report.h"

typedef struct vmp_report_chart_options {
    vmp_report_filter filter;
    bool fold_recursion; /* a frame equal to its caller is not one of its own */
} vmp_report_chart_options;

/* One thread with samples that the filter leaves. */
typedef struct vmp_report_lane {
    vmp_thread_id thread;
    uint32_t depth_frames; /* of its deepest stack */
} vmp_report_lane;

typedef struct vmp_report_chart vmp_report_chart;

/* Makes the view once; what is asked of it later costs what its part of the run has. It
 * borrows the profile. -VMP_EINVAL: the profile has no samples one by one. */
int vmp_report_chart_new(
    vmp_report_chart **ret_c, const vmp_profile *p, const vmp_report_chart_options *options);
void vmp_report_chart_free(vmp_report_chart **c);

/* The threads by process, then weight descending, as vmp_report_threads has them. */
const vmp_report_lane *vmp_report_chart_lanes(const vmp_report_chart *c, uint32_t *ret_count);

typedef struct vmp_report_chart_request {
    int64_t from_ns, to_ns; /* since the first process's start */
    uint32_t bins;
    uint32_t first_lane, lane_count; /* beyond the last: none */
} vmp_report_chart_request;

/* Times of what begins before the range, or ends behind it, are the range's; the
 * figures are those of all samples that are in it with a part of their time. */
typedef struct vmp_report_chart_rect {
    enum vmp_report_node_kind kind; /* ROOT, THREAD, FRAME or ELIDED */
    uint32_t parent, end, depth;    /* as in vmp_report_node */
    vmp_function_id function;       /* FRAME, ELIDED */
    vmp_thread_id thread;           /* THREAD */
    int64_t begin_ns, end_ns;       /* THREAD: from the first to the last; ROOT: the range */
    /* Of the samples in it that pass through the frame (THREAD: of all; ROOT: of all
     * threads). With samples put together these are not all that are drawn. */
    uint64_t value_ns, samples;
} vmp_report_chart_rect;

/* What the samples of a lane were taken in: of samples put together, what has the
 * most of their time. */
typedef struct vmp_report_chart_piece {
    uint32_t lane; /* its rect */
    enum vmp_profile_state state;
    int64_t begin_ns, end_ns;
} vmp_report_chart_piece;

/* The root, the lanes that were asked for in their order, below each its outermost
 * frames by time, below those their callees by time, and so on. */
typedef struct vmp_report_chart_view {
    uint32_t count; /* >= 1 */
    const vmp_report_chart_rect *rects;
    uint32_t piece_count; /* 0 if the profile tells no states */
    const vmp_report_chart_piece *pieces;
} vmp_report_chart_view;

/* -VMP_EINVAL: not 0 <= from_ns < to_ns, or no bins. Not by two threads at once. */
int vmp_report_chart_view_new(
    vmp_report_chart_view **ret_v, vmp_report_chart *c, const vmp_report_chart_request *request);
void vmp_report_chart_view_free(vmp_report_chart_view **v);

#endif
