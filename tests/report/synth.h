/* Synthetic profiles from a few lines of text, and views as canonical text. */
#ifndef VMP_TESTS_SYNTH_H
#define VMP_TESTS_SYNTH_H

#include <stdarg.h>
#include <stdlib.h>

#include "check.h"
#include "profile_builder.h"
#include "report.h"

enum { SYNTH_INTERVAL_NS = 10 };

static vmp_str
synth_str(const char *z)
{
    return vmp_str_from(z);
}

/* A frame is name[:line[:col]], its function is in "name.py" at line 1. A name
 * with a slash is that file's <module>; "~N" are N elided frames; "n!lib" is
 * native, in the library "lib"; "j!" before a name: as code of a JIT compiler, "m!",
 * "M!", "w!": of an innermost frame, in a minor or major collection or warm-up. */
static vmp_location_id
synth_frame(vmp_profile_builder *b, const char *text, size_t n)
{
    char name[128], file[160];
    unsigned line = 1, col = 0;
    vmp_location_id id = {0};
    vmp_string_id name_id, file_id, none = {0};
    vmp_profile_location l = {.kind = VMP_PROFILE_PYTHON};
    if (n >= sizeof(name))
        abort();
    memcpy(name, text, n);
    name[n] = '\0';
    if (name[0] == '~') {
        l.kind = VMP_PROFILE_ELIDED;
        l.detail = strtoull(name + 1, NULL, 10);
        CHECK_INT(vmp_profile_builder_location(b, &l, &id), 0);
        return id;
    }
    if (strncmp(name, "n!", 2) == 0) {
        l.kind = VMP_PROFILE_NATIVE;
        vmp_profile_builder_string(b, synth_str(name + 2), &file_id);
        vmp_profile_builder_code(b, l.kind, none, none, file_id, 0, &l.code);
        l.detail = 0x1000;
        CHECK_INT(vmp_profile_builder_location(b, &l, &id), 0);
        return id;
    }
    static const char *const states[] = {"j!", "m!", "M!", "w!"};
    for (int i = 0; i < 4; i++) {
        if (strncmp(name, states[i], 2) == 0) {
            l.kind = (enum vmp_profile_kind)(VMP_PROFILE_JIT + i);
            memmove(name, name + 2, n - 1);
            break;
        }
    }
    char *colon = strchr(name, ':');
    if (colon) {
        *colon = '\0';
        l.has_columns = sscanf(colon + 1, "%u:%u", &line, &col) == 2;
    }
    snprintf(file, sizeof(file), strchr(name, '/') ? "%s" : "%s.py", name);
    vmp_profile_builder_string(b, synth_str(strchr(name, '/') ? "<module>" : name), &name_id);
    vmp_profile_builder_string(b, synth_str(file), &file_id);
    CHECK_INT(
        vmp_profile_builder_code(b, VMP_PROFILE_PYTHON, name_id, none, file_id, 1, &l.code), 0);
    l.line = l.end_line = line;
    l.col = col;
    l.end_col = col + 1;
    CHECK_INT(vmp_profile_builder_location(b, &l, &id), 0);
    return id;
}

static vmp_stack_id
synth_stack(vmp_profile_builder *b, const char *frames)
{
    vmp_stack_id stack = {0};
    while (*frames) {
        size_t n = strcspn(frames, " ");
        if (n > 0)
            CHECK_INT(vmp_profile_builder_stack(b, stack, synth_frame(b, frames, n), &stack), 0);
        frames += n + (frames[n] == ' ');
    }
    return stack;
}

/* One batch of n samples of weight 1, each with SYNTH_INTERVAL_NS of CPU. */
static void
synth_samples(vmp_profile_builder *b, vmp_thread_id thread, vmp_stack_id stack, uint32_t n)
{
    int64_t *time_ns = calloc(n, sizeof(*time_ns));
    uint32_t *numbers = calloc(n, sizeof(*numbers));
    vmp_profile_batch batch = {.thread = thread,
        .n = n,
        .cpu_ns = (uint64_t)n * SYNTH_INTERVAL_NS,
        .time_ns = time_ns,
        .stack = numbers,
        .stack_ids = &stack,
        .stack_id_count = 1};
    CHECK_INT(vmp_profile_builder_samples(b, &batch), 0);
    free(time_ns);
    free(numbers);
}

static vmp_profile_builder *
synth_builder(uint32_t mode, bool keep_samples)
{
    vmp_profile_builder *b = NULL;
    vmp_process_id process;
    vmp_profile_process facts = {.pid = 7, .mode = mode, .interval_ns = SYNTH_INTERVAL_NS};
    CHECK_INT(vmp_profile_builder_new(&b, keep_samples), 0);
    CHECK_INT(vmp_profile_builder_process(b, &facts, &process), 0);
    return b;
}

/* Each line: thread (1 .. 9), number of samples, frames, root first. */
static void
synth_add(vmp_profile_builder *b, const char *const *lines, size_t n)
{
    vmp_thread_id threads[10] = {{0}};
    for (size_t i = 0; i < n; i++) {
        unsigned thread, count;
        int used = 0;
        if (sscanf(lines[i], "%u %u %n", &thread, &count, &used) < 2 || thread > 9)
            abort();
        if (thread != 0 && threads[thread].i == 0) {
            vmp_profile_thread facts = {.os_tid = 100 + thread};
            char name[16];
            snprintf(name, sizeof(name), "thread-%u", thread);
            vmp_profile_builder_string(b, synth_str(name), &facts.name);
            CHECK_INT(vmp_profile_builder_thread(b, &facts, &threads[thread]), 0);
        }
        synth_samples(b, threads[thread], synth_stack(b, lines[i] + used), count);
    }
}

static vmp_profile *
synth_finish(vmp_profile_builder *b)
{
    vmp_profile *p = NULL;
    CHECK_INT(vmp_profile_builder_finish(&b, 1000, false, &p), 0);
    return p;
}

#define SYNTH(...)                                                                                 \
    synth_profile((const char *const[]){__VA_ARGS__},                                              \
        sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *))

static VMP_UNUSED vmp_profile *
synth_profile(const char *const *lines, size_t n)
{
    vmp_profile_builder *b = synth_builder(0, false);
    synth_add(b, lines, n);
    return synth_finish(b);
}

/* Text that grows; the result is the caller's to free. */
typedef struct synth_text {
    char *p;
    size_t n;
} synth_text;

static void VMP_PRINTF(2, 3) synth_print(synth_text *t, const char *format, ...)
{
    char piece[512];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(piece, sizeof(piece), format, args);
    va_end(args);
    char *grown = realloc(t->p, t->n + (size_t)n + 1);
    if (!grown || n < 0 || (size_t)n >= sizeof(piece))
        abort();
    memcpy(grown + t->n, piece, (size_t)n + 1);
    t->p = grown;
    t->n += (size_t)n;
}

static void
synth_print_function(
    synth_text *t, const vmp_profile *p, vmp_function_id function, vmp_location_id location)
{
    vmp_str name = vmp_profile_function_name(p, function);
    vmp_str file = vmp_profile_string(p, p->functions[function.i].file);
    const vmp_profile_location *l = &p->locations[location.i];
    if (function.i == 0)
        synth_print(t, "?");
    else if (p->functions[function.i].kind == VMP_PROFILE_NATIVE)
        synth_print(t, "n!%.*s", (int)file.n, file.p);
    else if (vmp_str_equal(name, synth_str("<module>")))
        synth_print(t, "%.*s", (int)file.n, file.p);
    else
        synth_print(t, "%.*s", (int)name.n, name.p);
    if (location.i)
        synth_print(t, ":%u", l->line);
    if (location.i && l->has_columns)
        synth_print(t, ":%u", l->col);
}

/* One node a line: a dot per level, name, self/total weight. Checks on the way
 * that values are SYNTH_INTERVAL_NS a sample. */
static VMP_UNUSED char *
synth_tree_text(const vmp_profile *p, const vmp_report_tree_options *options)
{
    synth_text text = {calloc(1, 1), 0};
    vmp_report_tree *tree = NULL;
    CHECK_INT(vmp_report_tree_new(&tree, p, options), 0);
    for (uint32_t i = 0; tree && i < tree->count; i++) {
        const vmp_report_node *n = &tree->nodes[i];
        for (uint32_t d = 0; d < n->depth; d++)
            synth_print(&text, ".");
        switch (n->kind) {
        case VMP_REPORT_NODE_ROOT:
            synth_print(&text, "root");
            break;
        case VMP_REPORT_NODE_PROCESS:
            synth_print(&text, "process %u", n->process.i);
            break;
        case VMP_REPORT_NODE_THREAD:
            synth_print(&text, "thread %u/%u", n->process.i, n->thread.i);
            break;
        case VMP_REPORT_NODE_FRAME:
            synth_print_function(&text, p, n->function, n->location);
            break;
        case VMP_REPORT_NODE_ELIDED:
            synth_print(&text, "~%llu", (unsigned long long)n->elided_frames);
            break;
        }
        synth_print(&text, " %llu/%llu\n", (unsigned long long)n->self.weight,
            (unsigned long long)n->total.weight);
        CHECK_INT(n->total.value_ns, n->total.weight * SYNTH_INTERVAL_NS);
        CHECK(n->parent < i || i == 0);
        CHECK(n->end > i && n->end <= tree->nodes[n->parent].end);
    }
    vmp_report_tree_free(&tree);
    return text.p;
}

static VMP_UNUSED char *
synth_flat_text(const vmp_profile *p, const vmp_report_flat_options *options)
{
    synth_text text = {calloc(1, 1), 0};
    vmp_report_flat *flat = NULL;
    CHECK_INT(vmp_report_flat_new(&flat, p, options), 0);
    uint64_t selves = flat->outside.weight;
    for (uint32_t i = 0; flat && i < flat->count; i++) {
        const vmp_report_flat_row *r = &flat->rows[i];
        synth_print_function(&text, p, r->function, r->location);
        synth_print(&text, " %llu/%llu\n", (unsigned long long)r->self.weight,
            (unsigned long long)r->total.weight);
        CHECK(r->total.weight <= flat->total.weight);
        CHECK_INT(r->self.value_ns, r->self.weight * SYNTH_INTERVAL_NS);
        selves += r->self.weight;
    }
    CHECK_INT(selves, flat->total.weight);
    vmp_report_flat_free(&flat);
    return text.p;
}

/* Compares and frees `got`. */
#define CHECK_TEXT(got, want)                                                                      \
    do {                                                                                           \
        char *check_text = (got);                                                                  \
        CHECK_STR(check_text, want);                                                               \
        free(check_text);                                                                          \
    } while (0)

#endif
