#include "term_progress.h"

#include <time.h>

#include "term_text.h"

static const int64_t patience_ns = 1000000000, redraw_ns = 100000000;

static int64_t
now_ns(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

void
vmp_progress_start(vmp_progress *p, int fd, const char *what)
{
    *p = (vmp_progress){.fd = fd, .what = what, .start_ns = now_ns()};
    vmp_term_init(&p->t, fd, VMP_TERM_COLOR_AUTO);
}

static void
draw(const vmp_progress *p, uint64_t done, uint64_t total)
{
    enum { BAR = 30 };
    vmp_out o;
    char size[16];
    vmp_out_init(&o, p->fd);
    if (total) {
        double share = (double)done / (double)total;
        vmp_out_printf(&o, "\r%s ", p->what);
        vmp_out_text(&o, p->t.utf8 ? "\xe2\x96\x95" : "[");
        vmp_term_bar(&o, &p->t, share, BAR);
        vmp_out_text(&o, p->t.utf8 ? "\xe2\x96\x8f" : "]");
        vmp_out_printf(&o, "%4.0f%%", share < 1 ? 100 * share : 100.0);
    } else {
        vmp_term_size(size, done);
        vmp_out_printf(&o, "\r%s %s  ", p->what, size);
    }
    vmp_out_flush(&o, NULL);
    vmp_out_fini(&o);
}

void
vmp_progress_step(void *ctx, uint64_t done, uint64_t total)
{
    vmp_progress *p = ctx;
    if (!p->t.terminal)
        return;
    int64_t now = now_ns();
    if (now - p->start_ns < patience_ns || now - p->shown_ns < redraw_ns)
        return;
    p->shown_ns = now;
    draw(p, done, total);
}

void
vmp_progress_stop(vmp_progress *p)
{
    vmp_out o;
    if (!p->shown_ns)
        return;
    vmp_out_init(&o, p->fd);
    vmp_out_text(&o, "\r");
    vmp_out_fill(&o, ' ', p->t.width - 1);
    vmp_out_text(&o, "\r");
    vmp_out_flush(&o, NULL);
    vmp_out_fini(&o);
    p->shown_ns = 0;
}
