/* What it costs to make views of a log: CPU seconds and peak memory of loading
 * it and of each view, one after the other.
 *
 *     view_cost LOG [keep]
 *
 * LOG can be a pipe, `-` is standard input; `keep` keeps the samples one by one and
 * makes the chart too, then shows it whole, a tenth and a hundredth of it.
 * Logs of any size come from tests/log/gen_log:
 *
 *     mkfifo p; gen_log p samples=100000000 & view_cost p */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "compat_tree.h"
#include "load.h"
#include "report.h"
#include "report_chart.h"

static double
cpu_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Prints what was used since *since, which becomes now. */
static void
lap(const char *what, double *since)
{
    struct rusage usage;
    double now = cpu_seconds();
    getrusage(RUSAGE_SELF, &usage);
    printf("%-8s %8.3f s  peak %6ld MB\n", what, now - *since, usage.ru_maxrss / 1024);
    *since = cpu_seconds();
}

static int
views(const vmp_profile *p)
{
    vmp_report_tree *tree = NULL;
    vmp_report_flat *flat = NULL;
    vmp_report_callers *callers = NULL;
    vmp_report_lines *lines = NULL;
    vmp_report_threads *threads = NULL;
    vmp_report_memory *memory = NULL;
    vmp_report_info *info = NULL;
    vmp_compat_tree *compat = NULL;
    double t = cpu_seconds();
    int rc = vmp_report_tree_new(&tree, p, NULL);
    uint32_t nodes = tree ? tree->count : 0;
    vmp_report_tree_free(&tree);
    lap("tree", &t);
    rc |= vmp_report_flat_new(&flat, p, NULL);
    vmp_report_flat_free(&flat);
    lap("flat", &t);
    rc |= vmp_report_callers_new(&callers, p, NULL);
    vmp_report_callers_free(&callers);
    lap("callers", &t);
    rc |= vmp_report_lines_new(&lines, p, NULL);
    vmp_report_lines_free(&lines);
    lap("lines", &t);
    rc |= vmp_report_threads_new(&threads, p);
    vmp_report_threads_free(&threads);
    lap("threads", &t);
    rc |= vmp_report_memory_new(&memory, p, NULL);
    vmp_report_memory_free(&memory);
    lap("memory", &t);
    rc |= vmp_report_info_new(&info, p);
    vmp_report_info_free(&info);
    lap("info", &t);
    rc |= vmp_compat_tree_new(&compat, p);
    vmp_compat_tree_free(&compat);
    lap("compat", &t);
    printf("%" PRIu32 " nodes in the tree\n", nodes);
    return rc;
}

static int
chart(const vmp_profile *p)
{
    enum { PIXELS = 1440, STEPS = 3, CLOSER = 10 };
    vmp_report_chart *c = NULL;
    int64_t end_ns = 1;
    double t = cpu_seconds();
    int rc = vmp_report_chart_new(&c, p, NULL);
    lap("chart", &t);
    for (uint32_t i = 1; i < p->process_count; i++)
        end_ns = p->processes[i].duration_ns > end_ns ? p->processes[i].duration_ns : end_ns;
    for (int i = 0; i < STEPS && rc == 0; i++, end_ns = end_ns / CLOSER + 1) {
        vmp_report_chart_view *v = NULL;
        vmp_report_chart_request whole = {0, end_ns, PIXELS, 0, UINT32_MAX};
        rc = vmp_report_chart_view_new(&v, c, &whole);
        printf("%" PRIu32 " rectangles\n", v ? v->count : 0);
        vmp_report_chart_view_free(&v);
        lap("shown", &t);
    }
    vmp_report_chart_free(&c);
    return rc;
}

int
main(int argc, char **argv)
{
    vmp_profile *p = NULL;
    vmp_err err = {0};
    vmp_load_options options = {.keep_samples = argc > 2 && strcmp(argv[2], "keep") == 0};
    if (argc < 2) {
        fprintf(stderr, "usage: view_cost LOG [keep]\n");
        return 2;
    }
    int fd = strcmp(argv[1], "-") == 0 ? STDIN_FILENO : open(argv[1], O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        perror(argv[1]);
        return 1;
    }
    double t = cpu_seconds();
    if (vmp_load_fd(&p, fd, &options, &err) < 0) {
        fprintf(stderr, "view_cost: %s\n", err.text);
        return 1;
    }
    lap("load", &t);
    int rc = views(p);
    if (options.keep_samples)
        rc |= chart(p);
    printf("%" PRIu64 " samples, %" PRIu32 " stacks, %zu sums, %" PRIu64 " bytes of log\n",
        p->total_samples, p->stack_count - 1, p->sum_count, p->log_bytes);
    vmp_profile_free(&p);
    return rc != 0;
}
