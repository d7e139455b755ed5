#include <stdlib.h>

#include "load.h"
#include "wasm_internal.h"

vmp_wasm *
vmp_wasm_open(const void *log, size_t n)
{
    vmp_wasm *w = calloc(1, sizeof(*w));
    vmp_load_options options = {.keep_samples = true};
    if (!w)
        return NULL;
    int rc = vmp_load_bytes(&w->profile, log, n, &options, &w->err);
    if (rc == 0) {
        w->marks = calloc(w->profile->function_count, 1);
        w->threads = calloc(w->profile->thread_count, 1);
        w->thread_ids = calloc(w->profile->thread_count, sizeof(*w->thread_ids));
        rc = w->marks && w->threads && w->thread_ids ? 0 : -VMP_ENOMEM;
    }
    if (rc < 0 && w->err.text[0] == '\0')
        vmp_err_set(&w->err, -rc, 0, 0, "%s", vmp_err_text(rc));
    return w;
}

void
vmp_wasm_close(vmp_wasm *w)
{
    if (!w)
        return;
    vmp_profile_free(&w->profile);
    free(w->marks);
    free(w->threads);
    free(w->thread_ids);
    free(w);
}

const char *
vmp_wasm_error(const vmp_wasm *w)
{
    return w->err.text;
}

uint8_t *
vmp_wasm_marks(vmp_wasm *w)
{
    return w->marks;
}

uint8_t *
vmp_wasm_threads(vmp_wasm *w)
{
    return w->threads;
}

void
vmp_wasm_range(vmp_wasm *w, double from, double to)
{
    w->from_ns = (int64_t)(from * 1e9);
    w->to_ns = (int64_t)(to * 1e9);
}

void *
vmp_wasm_alloc(size_t n)
{
    return malloc(n);
}

void
vmp_wasm_free(void *p)
{
    free(p);
}
