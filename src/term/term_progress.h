/* A progress bar on a terminal, for work that takes over a second. */
#ifndef VMP_TERM_PROGRESS_H
#define VMP_TERM_PROGRESS_H

#include <stdint.h>

#include "term.h"

typedef struct vmp_progress {
    vmp_term t;
    int fd;
    const char *what; /* "reading" */
    int64_t start_ns;
    int64_t shown_ns; /* when it was last drawn, 0: never */
} vmp_progress;

/* fd: usually standard error; nothing is ever shown if it is no terminal. */
void vmp_progress_start(vmp_progress *p, int fd, const char *what);

/* Tells how far the work is; draws at most ten times a second, and not in the
 * first second. ctx is the vmp_progress, so that this can be a callback. total 0:
 * not known (a pipe), then `done` is shown as a size. */
void vmp_progress_step(void *ctx, uint64_t done, uint64_t total);

/* Wipes the bar off. */
void vmp_progress_stop(vmp_progress *p);

#endif
