/* The memory graph of vmprof before 1.0: the samples in at most MAX_WINDOWS windows of equal
 * length, counted in samples; of each the mean and the largest resident size in KiB, and what ran:
 * the frames that all its samples have in common, from the outermost on, and those that the most
 * frequent stack has more. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "http_internal.h"
#include "intern.h"

enum { MAX_WINDOWS = 100 };

/* Stacks by their functions alone: as the old format had them, lines do not matter. */
typedef struct paths {
    vmp_pairs ids;                                  /* (parent path, function) */
    uint32_t *of_stack, *parent, *function, *depth; /* of paths, by id; 0: no frame */
} paths;

typedef struct graph {
    const vmp_profile *p;
    paths paths;
    uint32_t *window; /* paths of the samples of one window */
    bool *used;       /* functions that were named */
    vmp_json *j;
} graph;

static int
paths_init(paths *a, const vmp_profile *p)
{
    a->of_stack = calloc(p->stack_count, sizeof(uint32_t));
    a->parent = calloc(p->stack_count, sizeof(uint32_t));
    a->function = calloc(p->stack_count, sizeof(uint32_t));
    a->depth = calloc(p->stack_count, sizeof(uint32_t));
    if (!a->of_stack || !a->parent || !a->function || !a->depth)
        return -VMP_ENOMEM;
    for (uint32_t i = 1; i < p->stack_count; i++) {
        uint32_t parent = a->of_stack[p->stack_parent[i].i];
        uint32_t function = p->locations[p->stack_location[i].i].function.i;
        uint32_t id = vmp_pairs_id(&a->ids, parent, function);
        if (id == 0)
            return -VMP_ENOMEM;
        a->of_stack[i] = id;
        a->parent[id] = parent;
        a->function[id] = function;
        a->depth[id] = a->depth[parent] + 1;
    }
    return 0;
}

static void
paths_fini(paths *a)
{
    vmp_pairs_fini(&a->ids);
    free(a->of_stack);
    free(a->parent);
    free(a->function);
    free(a->depth);
}

/* The part from the outermost frame on that both have. */
static uint32_t
common(const paths *a, uint32_t one, uint32_t other)
{
    while (one != other) {
        if (a->depth[one] >= a->depth[other])
            one = a->parent[one];
        else
            other = a->parent[other];
    }
    return one;
}

static int
by_number(const void *a, const void *b)
{
    uint32_t va = *(const uint32_t *)a, vb = *(const uint32_t *)b;
    return (va > vb) - (va < vb);
}

/* Frames of `path` below `above`, the outermost first. */
static int
put_frames(graph *g, uint32_t path, uint32_t above)
{
    uint32_t n = g->paths.depth[path] - g->paths.depth[above];
    uint32_t *frames = calloc(n + (size_t)1, sizeof(*frames));
    if (!frames)
        return -VMP_ENOMEM;
    for (uint32_t i = n; i-- > 0; path = g->paths.parent[path])
        frames[i] = g->paths.function[path];
    vmp_json_begin(g->j, '[');
    for (uint32_t i = 0; i < n; i++) {
        g->used[frames[i]] = true;
        vmp_json_uint(g->j, frames[i]);
    }
    vmp_json_end(g->j, ']');
    free(frames);
    return 0;
}

/* [samples, frames in common, samples of the most frequent stack, its other frames] */
static int
put_window(graph *g, size_t first, size_t end)
{
    size_t n = end - first, most = 0;
    uint32_t frequent = 0, shared;
    for (size_t i = 0; i < n; i++)
        g->window[i] = g->paths.of_stack[g->p->samples.stack[first + i].i];
    qsort(g->window, n, sizeof(*g->window), by_number);
    shared = g->window[0];
    for (size_t i = 0, run; i < n; i += run) {
        for (run = 1; i + run < n && g->window[i + run] == g->window[i];)
            run++;
        shared = common(&g->paths, shared, g->window[i]);
        if (run > most) {
            most = run;
            frequent = g->window[i];
        }
    }
    vmp_json_begin(g->j, '[');
    vmp_json_uint(g->j, n);
    int rc = put_frames(g, shared, 0);
    vmp_json_uint(g->j, most);
    if (rc == 0)
        rc = put_frames(g, frequent, shared);
    vmp_json_end(g->j, ']');
    return rc;
}

enum column { BEGIN, MEAN, LARGEST };

static uint64_t
of_window(const graph *g, enum column what, size_t first, size_t end)
{
    uint64_t n = 0, sum = 0, largest = 0;
    if (what == BEGIN)
        return first;
    for (size_t i = first; i < end; i++) {
        uint64_t kb = g->p->samples.rss_kb[i];
        n += kb > 0; /* not known in some */
        sum += kb;
        largest = kb > largest ? kb : largest;
    }
    return what == LARGEST ? largest : n ? sum / n : 0;
}

static int
put_graph(graph *g, size_t first, size_t end)
{
    static const char *const names[] = {[BEGIN] = "x", [MEAN] = "mean", [LARGEST] = "max"};
    size_t n = end > first ? end - first : 0, windows = n < MAX_WINDOWS ? n : MAX_WINDOWS;
    int rc = 0;
    vmp_json_begin(g->j, '{');
    vmp_json_key(g->j, "mem_profile");
    vmp_json_begin(g->j, '{');
    for (int what = BEGIN; what <= LARGEST; what++) {
        vmp_json_key(g->j, names[what]);
        vmp_json_begin(g->j, '[');
        for (size_t i = 0; i < windows; i++)
            vmp_json_uint(g->j, of_window(g, (enum column)what, first + n * i / windows,
                                    first + n * (i + 1) / windows));
        vmp_json_end(g->j, ']');
    }
    vmp_json_key(g->j, "trace");
    vmp_json_begin(g->j, '[');
    for (size_t i = 0; i < windows && rc == 0; i++)
        rc = put_window(g, first + n * i / windows, first + n * (i + 1) / windows);
    vmp_json_end(g->j, ']');
    vmp_json_end(g->j, '}');
    vmp_json_key(g->j, "addr_name_map");
    vmp_json_begin(g->j, '{');
    for (uint32_t i = 0; i < g->p->function_count; i++) {
        char key[16];
        if (!g->used[i])
            continue;
        snprintf(key, sizeof(key), "%u", i);
        vmp_json_key(g->j, key);
        vmp_old_put_name(g->j, g->p, (vmp_function_id){i});
    }
    vmp_json_end(g->j, '}');
    vmp_json_end(g->j, '}');
    return rc;
}

/* A number of samples as the old pages gave it: "0", "12.5", "inf". */
static bool
read_place(vmp_str text, size_t samples, size_t *ret_place)
{
    char *end;
    double place = strtod(text.p, &end);
    if (text.n == 0 || *end || isnan(place))
        return false;
    *ret_place = place <= 0 ? 0 : place >= (double)samples ? samples : (size_t)place;
    return true;
}

static int
read_range(vmp_http_request *r, size_t samples, size_t *ret_first, size_t *ret_end)
{
    vmp_str name, value;
    int more;
    *ret_first = 0;
    *ret_end = samples;
    while ((more = vmp_http_query_next(&r->arena, &r->query, &name, &value)) != 0) {
        bool good = more > 0;
        if (good && vmp_str_equal(name, vmp_str_from("x0")))
            good = value.p && read_place(value, samples, ret_first);
        else if (good && vmp_str_equal(name, vmp_str_from("x1")))
            good = value.p && read_place(value, samples, ret_end);
        if (!good)
            return vmp_http_bad(r, "x0 and x1 are numbers of samples");
    }
    return 0;
}

static int
reply(vmp_http_request *r, const vmp_profile *p)
{
    size_t first, end;
    graph g = {.p = p};
    int rc = read_range(r, p->samples.count, &first, &end);
    if (rc < 0)
        return rc;
    rc = paths_init(&g.paths, p);
    g.window = calloc(p->samples.count / MAX_WINDOWS + 2, sizeof(*g.window));
    g.used = calloc(p->function_count, sizeof(*g.used));
    if (!g.window || !g.used)
        rc = -VMP_ENOMEM;
    if (rc == 0) {
        vmp_json j = vmp_http_reply_json(r, MHD_HTTP_OK);
        g.j = &j;
        rc = put_graph(&g, first, end);
    }
    paths_fini(&g.paths);
    free(g.window);
    free(g.used);
    return rc;
}

int
vmp_old_memorygraph(vmp_http_request *r)
{
    vmp_profile *p = NULL;
    vmp_http_loading_begin(r->server);
    int rc = vmp_http_load_samples(r, r->captured[0], &p);
    if (rc == 0)
        rc = reply(r, p);
    vmp_profile_free(&p);
    vmp_http_loading_end(r->server);
    return rc;
}
