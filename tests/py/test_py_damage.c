/* Damaged memory never crashes or hangs the readers: bytes of the recorded images
 * are flipped, pointers are turned into others of the same image or nonsense,
 * segments vanish. What comes back may be wrong, but it is bounded. */
#include <dirent.h>
#include <inttypes.h>
#include <time.h>

#include "check.h"
#include "known.h"
#include "mem_image.h"
#include "py_code.h"
#include "py_walk.h"

enum { ROUNDS = 150, CAP = 64, MAX_IMAGES = 32 };

static char *bases[MAX_IMAGES];
static size_t base_count;
static uint64_t seed;

static uint64_t
random_next(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed;
}

/* A few bytes change, words become pointers into the image or extremes. */
static void
image_damage(mem_image *im)
{
    static const uint64_t nonsense[] = {0, 1, 8, UINT64_MAX, UINT64_MAX - 7, UINT64_C(1) << 63,
        UINT64_C(0x7fffffffffff), 0x7fffffff, 0x80000000};
    uint64_t times = 1 + random_next() % 40;
    for (uint64_t i = 0; i < times; i++) {
        mem_segment *s = &im->segments[random_next() % im->count];
        const mem_segment *to = &im->segments[random_next() % im->count];
        uint32_t at = (uint32_t)(random_next() % s->n);
        uint64_t word = to->addr + (random_next() % to->n & ~UINT64_C(7));
        switch (random_next() % 6) {
        case 0:
            s->bytes[at] ^= (uint8_t)(1u << random_next() % 8);
            break;
        case 1:
            s->bytes[at] = (uint8_t)random_next();
            break;
        case 2:
            s->n = 1 + at; /* the rest vanishes */
            break;
        case 3:
            word = nonsense[random_next() % (sizeof(nonsense) / sizeof(nonsense[0]))];
            /* fall through */
        default:
            if ((at & ~7u) + 8 <= s->n)
                memcpy(s->bytes + (at & ~7u), &word, sizeof(word));
        }
    }
}

/* What holds whatever the memory says. */
static void
stack_check(int rc, const vmp_py_stack *st)
{
    CHECK(rc == 0 || rc == -VMP_EUNREADABLE || rc == -VMP_ECORRUPT);
    CHECK(st->n <= st->cap && st->elided_at <= st->n);
    CHECK(st->elided == 0 || st->n == st->cap);
    for (uint32_t i = 0; i < st->n; i++)
        CHECK(st->frames[i].code % 8 == 0 && st->frames[i].flags == 0);
}

static void
code_check(const vmp_py_offsets *off, const vmp_mem *mem, const vmp_frame *frame)
{
    vmp_py_code c;
    int rc = vmp_py_code_read(&c, off, mem, frame->code);
    if (rc < 0) {
        CHECK(rc == -VMP_EUNREADABLE || rc == -VMP_ECORRUPT);
        CHECK(!c.name && !c.qualname && !c.file && !c.linetable);
        return;
    }
    CHECK(strlen(c.name) <= VMP_PY_MAX_NAME && strlen(c.file) <= VMP_PY_MAX_NAME);
    CHECK(c.linetable_size <= VMP_PY_MAX_LINETABLE);
    vmp_py_code_pos(&c, frame->instr);
    vmp_py_code_pos(&c, UINT32_MAX - 1);
    vmp_py_code_fini(&c);
}

static void
image_try(const known *k, mem_image *im, const vmp_py_offsets *sound)
{
    vmp_frame frames[CAP];
    vmp_mem mem = mem_image_view(im);
    vmp_py_blocks blocks;
    vmp_py_offsets off;
    vmp_err err = {0};
    if (vmp_py_offsets_for(&off, &k->target, &mem, &err) < 0) {
        CHECK(err.text[0] != '\0');
        off = *sound;
    }
    for (uint32_t t = 0; t < k->n; t++) {
        vmp_py_stack st = {.frames = frames, .cap = 2 + (uint32_t)(random_next() % (CAP - 1))};
        int rc = vmp_py_walk_mem(&off, &mem, &blocks, k->code_type, k->threads[t].tstate, &st);
        stack_check(rc, &st);
        for (uint32_t i = 0; i < st.n; i++)
            code_check(&off, &mem, &frames[i]);
    }
}

TEST(damaged_images_are_survived)
{
    char path[512];
    for (size_t b = 0; b < base_count; b++) {
        snprintf(path, sizeof(path), "%s.txt", bases[b]);
        known *k = known_load(path);
        CHECK(k != NULL);
        snprintf(path, sizeof(path), "%s.img", bases[b]);
        for (int round = 0; k && round < ROUNDS; round++) {
            mem_image im;
            vmp_py_offsets sound;
            uint64_t start = seed;
            bool good = mem_image_load(&im, path);
            CHECK(good);
            vmp_mem mem = mem_image_view(&im);
            if (good && vmp_py_offsets_for(&sound, &k->target, &mem, NULL) == 0) {
                int before = check_failures;
                image_damage(&im);
                image_try(k, &im, &sound);
                if (check_failures != before)
                    printf("# %s with seed %" PRIu64 "\n", path, start);
            }
            mem_image_fini(&im);
        }
        known_free(k);
    }
    CHECK(base_count >= 10);
}

/* A loop of frames of every length is noticed after a few turns. */
static uint64_t loop_from, loop_to, loop_reads;

static int
loop_read(void *ctx, uint64_t addr, void *dst, size_t n)
{
    /* Frames of 3.8 lie at 0x10000 + 0x100 * i; frame i leads to i + 1. */
    const vmp_py_offsets *off = ctx;
    uint8_t frame[256] = {0};
    loop_reads++;
    if (n > sizeof(frame))
        return -VMP_EUNREADABLE; /* frames, not blocks */
    uint64_t at = addr & 0xff, i = (addr - 0x10000) >> 8, back, code = 0x8000;
    if (addr < 0x10000) {
        back = 0x10000; /* the thread state */
        memset(dst, 0, n);
        memcpy(dst, &back, n < 8 ? n : 8);
        return 0;
    }
    back = 0x10000 + 0x100 * (i + 1 < loop_to ? i + 1 : loop_from);
    if (loop_from >= loop_to && i + 1 >= loop_to)
        back = 0;
    memcpy(frame + off->frame.back, &back, sizeof(back));
    memcpy(frame + off->frame.code, &code, sizeof(code));
    if (at + n > sizeof(frame))
        return -VMP_EUNREADABLE;
    memcpy(dst, frame + at, n);
    return 0;
}

TEST(loops_are_noticed_and_long_chains_are_not_loops)
{
    vmp_py_offsets off;
    vmp_py_target target = {.version_hex = 0x030800f0};
    CHECK_INT(vmp_py_offsets_for(&off, &target, NULL, NULL), 0);
    vmp_mem mem = {.read = loop_read, .ctx = &off};
    vmp_py_blocks blocks;
    vmp_frame frames[16];
    static const uint64_t lengths[] = {1, 2, 3, 5, 64, 1000, 100000};
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        for (uint64_t from = 0; from < 3 && from < lengths[i]; from++) {
            vmp_py_stack st = {.frames = frames, .cap = 16};
            loop_from = from;
            loop_to = lengths[i];
            loop_reads = 0;
            CHECK_INT(vmp_py_walk_mem(&off, &mem, &blocks, 0, 0x2000, &st), -VMP_ECORRUPT);
            CHECK(loop_reads > 1 && loop_reads < 8 * lengths[i] + 16);
        }
    }
    vmp_py_stack st = {.frames = frames, .cap = 16};
    loop_to = 200000; /* no loop: it ends */
    loop_from = loop_to;
    CHECK_INT(vmp_py_walk_mem(&off, &mem, &blocks, 0, 0x2000, &st), 0);
    CHECK_INT(st.n, 16);
    CHECK_INT(st.elided, 200000 - 16);
    CHECK_INT(st.elided_at, 8);
    loop_to = VMP_PY_WALK_STEPS * 2;
    loop_from = loop_to;
    CHECK_INT(vmp_py_walk_mem(&off, &mem, &blocks, 0, 0x2000, &st), -VMP_ECORRUPT);
    CHECK_INT(st.n, 16);
}

/* Every table of 3.11 bytes over a small alphabet that steers the decoder. */
TEST(line_tables_of_any_bytes_are_decoded_in_bounds)
{
    uint8_t table[64];
    for (int round = 0; round < 20000; round++) {
        uint32_t n = (uint32_t)(random_next() % sizeof(table));
        for (uint32_t i = 0; i < n; i++)
            table[i] = (uint8_t)(random_next() % 3 ? random_next() : random_next() | 0x80);
        /* A heap copy of the exact size, so that a sanitizer sees a byte too far. */
        uint8_t *exact = malloc(n ? n : 1);
        memcpy(exact, table, n);
        for (int kind = VMP_PY_LINETABLE_LNOTAB; kind <= VMP_PY_LINETABLE_LOCATIONS; kind++) {
            vmp_py_code c = {.first_line = (int32_t)random_next(),
                .linetable = exact,
                .linetable_size = n,
                .kind = (enum vmp_py_linetable)kind};
            for (uint32_t instr = 0; instr < 200; instr += 2) {
                vmp_py_pos pos = vmp_py_code_pos(&c, instr);
                CHECK(pos.line <= INT32_MAX && pos.end_line <= INT32_MAX);
                CHECK(kind == VMP_PY_LINETABLE_LOCATIONS || !pos.has_columns);
            }
        }
        free(exact);
    }
}

static void
images_find(const char *folder)
{
    DIR *d = opendir(folder);
    for (struct dirent *e; d && (e = readdir(d)) && base_count < MAX_IMAGES;) {
        char *dot = strrchr(e->d_name, '.'), path[512];
        if (!dot || strcmp(dot, ".img") != 0)
            continue;
        snprintf(path, sizeof(path), "%s/%.*s", folder, (int)(dot - e->d_name), e->d_name);
        bases[base_count++] = strdup(path);
    }
    if (d)
        closedir(d);
}

TEST(finds_the_images)
{
    const char *folder = getenv("VMPROF_TEST_IMAGES"), *given = getenv("VMPROF_TEST_SEED");
    images_find(folder ? folder : "tests/images");
    CHECK(base_count > 0);
    seed = given ? strtoull(given, NULL, 10) : (uint64_t)time(NULL) * 2654435761u | 1;
    printf("# VMPROF_TEST_SEED=%" PRIu64 "\n", seed);
}

TEST(frees_the_names)
{
    while (base_count > 0)
        free(bases[--base_count]);
}

TEST_MAIN(RUN(finds_the_images), RUN(damaged_images_are_survived),
    RUN(loops_are_noticed_and_long_chains_are_not_loops),
    RUN(line_tables_of_any_bytes_are_decoded_in_bounds), RUN(frees_the_names))
