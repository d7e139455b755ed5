/* The walker and the reader of code objects over memory that is damaged: one of
 * the recorded processes of tests/images, with changes.
 *
 * Input: image, thread, capacity of the stack, then changes of 4 bytes each:
 * what, value, place in the image (16 bits, little endian). */
#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "fuzz.h"
#include "known.h"
#include "mem_image.h"
#include "py_code.h"
#include "py_walk.h"

enum {
    HEAD_BYTES = 3,
    CHANGE_BYTES = 4,
    MAX_CHANGES = 32,
    MAX_IMAGES = 16,
    MAX_FRAMES = 32,
    MAX_CODES = 3, /* code objects read of one stack: most frames are alike */
    WORD = 8,
};

enum { SET_BYTE, FLIP_BIT, SET_POINTER, SET_NONSENSE, SET_SMALL, CUT, WHAT_COUNT };

typedef struct target {
    known *known;
    mem_image image;
    vmp_py_offsets offsets;
    uint32_t *ends; /* of the segments, uncut: bytes of each and those before */
    uint32_t bytes; /* of all of them */
} target;

typedef struct undo {
    uint8_t *at;
    uint8_t old[WORD];
    uint32_t *cut, old_n;
} undo;

static target targets[MAX_IMAGES];
static size_t target_count;

static void
target_load(const char *folder, const char *name)
{
    char path[1024];
    target *t = &targets[target_count];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    PROMISE(mem_image_load(&t->image, path));
    memcpy(strrchr(path, '.'), ".txt", 5);
    t->known = known_load(path);
    vmp_mem mem = mem_image_view(&t->image);
    PROMISE(t->known && vmp_py_offsets_for(&t->offsets, &t->known->target, &mem, NULL) == 0);
    t->ends = calloc(t->image.count, sizeof(*t->ends));
    PROMISE(t->ends);
    for (size_t i = 0; i < t->image.count; i++)
        t->ends[i] = t->bytes += t->image.segments[i].n;
    target_count++;
}

static int
by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static int
is_image(const struct dirent *e)
{
    const char *dot = strrchr(e->d_name, '.');
    return dot && strcmp(dot, ".img") == 0;
}

/* Once: nothing is read from files while the fuzzer runs. */
static void
targets_load(void)
{
    struct dirent **names;
    int n = scandir(VMP_TEST_IMAGES, &names, is_image, by_name);
    PROMISE(n > 0 && n <= MAX_IMAGES);
    for (int i = 0; i < n; i++) {
        target_load(VMP_TEST_IMAGES, names[i]->d_name);
        free(names[i]);
    }
    free(names);
}

/* The segment that holds byte `place` of all of them, and where in it. */
static mem_segment *
segment_find(const target *t, uint32_t place, uint32_t *ret_at)
{
    size_t low = 0, high = t->image.count - 1;
    place %= t->bytes;
    while (low < high) {
        size_t mid = (low + high) / 2;
        if (place < t->ends[mid])
            high = mid;
        else
            low = mid + 1;
    }
    *ret_at = place - (low ? t->ends[low - 1] : 0);
    return &t->image.segments[low];
}

static undo
change(const target *t, const uint8_t *c)
{
    static const uint64_t nonsense[] = {0, 1, 8, UINT64_MAX, UINT64_MAX - 7, UINT64_C(1) << 63,
        UINT64_C(0x7fffffffffff), 0x7fffffff, 0x80000000, UINT64_C(1) << 62, 4096};
    uint32_t at, to_at;
    mem_segment *s = segment_find(t, c[2] | (uint32_t)c[3] << 8, &at);
    const mem_segment *to = segment_find(t, c[1] * 257u, &to_at);
    uint64_t word = to->addr + (to_at & ~(WORD - 1u));
    undo u = {.at = s->bytes + (at & ~(WORD - 1u))};
    if ((at & ~(WORD - 1u)) + WORD > s->n)
        return (undo){0};
    memcpy(u.old, u.at, WORD);
    switch (c[0] % WHAT_COUNT) {
    case SET_BYTE:
        s->bytes[at] = c[1];
        return u;
    case FLIP_BIT:
        s->bytes[at] ^= (uint8_t)(1u << c[1] % 8);
        return u;
    case SET_NONSENSE:
        word = nonsense[c[1] % (sizeof(nonsense) / sizeof(nonsense[0]))];
        break;
    case SET_SMALL:
        word = c[1];
        break;
    case CUT: /* the rest of the segment cannot be read */
        u.cut = &s->n;
        u.old_n = s->n;
        s->n = at;
        return u;
    }
    memcpy(u.at, &word, WORD);
    return u;
}

static void
change_back(const undo *u)
{
    if (u->cut)
        *u->cut = u->old_n;
    else if (u->at)
        memcpy(u->at, u->old, WORD);
}

static void
code_try(const vmp_py_offsets *off, const vmp_mem *mem, const vmp_frame *frame)
{
    vmp_py_code c;
    int rc = vmp_py_code_read(&c, off, mem, frame->code);
    PROMISE(rc == 0 || rc == -VMP_EUNREADABLE || rc == -VMP_ECORRUPT);
    PROMISE((rc == 0) == (c.name && c.qualname && c.file));
    if (rc < 0)
        return;
    PROMISE(strlen(c.name) <= VMP_PY_MAX_NAME && strlen(c.file) <= VMP_PY_MAX_NAME);
    PROMISE(c.linetable_size <= VMP_PY_MAX_LINETABLE);
    vmp_py_code_pos(&c, frame->instr);
    vmp_py_code_fini(&c);
}

static void
walk_try(target *t, const known_thread *thread, uint32_t cap)
{
    vmp_frame frames[MAX_FRAMES];
    vmp_py_blocks blocks;
    vmp_mem mem = mem_image_view(&t->image);
    vmp_py_offsets off;
    vmp_err err = {0};
    if (vmp_py_offsets_for(&off, &t->known->target, &mem, &err) < 0) {
        PROMISE(err.text[0] != '\0');
        off = t->offsets;
    }
    vmp_py_stack st = {.frames = frames, .cap = cap};
    int rc = vmp_py_walk_mem(&off, &mem, &blocks, t->known->code_type, thread->tstate, &st);
    PROMISE(rc == 0 || rc == -VMP_EUNREADABLE || rc == -VMP_ECORRUPT);
    PROMISE(st.n <= st.cap && st.elided_at <= st.n && (st.elided == 0 || st.n == st.cap));
    for (uint32_t i = 0; i < st.n && i < MAX_CODES; i++)
        code_try(&off, &mem, &frames[i]);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    undo undos[MAX_CHANGES];
    size_t n = 0;
    if (target_count == 0)
        targets_load();
    if (size < HEAD_BYTES)
        return 0;
    target *t = &targets[data[0] % target_count];
    for (size_t i = HEAD_BYTES; i + CHANGE_BYTES <= size && n < MAX_CHANGES; i += CHANGE_BYTES)
        undos[n++] = change(t, data + i);
    walk_try(t, &t->known->threads[data[1] % t->known->n], 2 + data[2] % (MAX_FRAMES - 1));
    while (n > 0)
        change_back(&undos[--n]);
    return 0;
}
