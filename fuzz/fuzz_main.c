/* Runs a fuzzer without libFuzzer: every file of the corpus, then mutations of
 * them for some seconds, most useful in a build with sanitizers.
 *
 *   fuzz_NAME CORPUS_DIR [seconds=N] [runs=N] [seed=N] [last=FILE]
 *                             the seed is 1 unless given, so that what runs first
 *                             after one change of the code ran before it too
 *   fuzz_NAME FILE            runs one input, such as one that crashed
 * Environment: VMPROF_FUZZ_SECONDS is the default of seconds. The input being
 * run is always in the file `last` (default: fuzz-last-input, in TMPDIR), so it
 * is there after a crash. */
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "fuzz.h"

enum {
    MAX_INPUTS = 4096,
    MAX_SIZE = 1 << 16, /* mutations do not grow beyond it */
};

typedef struct input {
    uint8_t *p;
    size_t n;
} input;

typedef struct fuzz_options {
    const char *corpus, *last;
    double seconds;
    uint64_t runs, seed;
} fuzz_options;

static uint64_t
next_random(uint64_t *state)
{
    uint64_t x = *state += 0x9e3779b97f4a7c15u;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
    x = (x ^ x >> 27) * 0x94d049bb133111ebu;
    return x ^ x >> 31;
}

static size_t
below(uint64_t *state, size_t n)
{
    return n ? (size_t)(next_random(state) % n) : 0;
}

static bool
file_read(const char *path, input *ret_i)
{
    FILE *f = fopen(path, "rb");
    bool good = false;
    if (!f)
        return false;
    fseek(f, 0, SEEK_END);
    long size = ftell(f);
    rewind(f);
    *ret_i = (input){malloc(size > 0 ? (size_t)size : 1), size > 0 ? (size_t)size : 0};
    good = size >= 0 && ret_i->p && fread(ret_i->p, 1, ret_i->n, f) == ret_i->n;
    fclose(f);
    return good;
}

static int
by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Reads the files of a folder, in the order of their names. */
static size_t
corpus_read(const char *dir, input *inputs)
{
    static char *names[MAX_INPUTS];
    size_t n = 0, good = 0;
    DIR *d = opendir(dir);
    struct dirent *e;
    while (d && n < MAX_INPUTS && (e = readdir(d)))
        if (e->d_name[0] != '.')
            names[n++] = strdup(e->d_name);
    if (d)
        closedir(d);
    qsort(names, n, sizeof(names[0]), by_name);
    for (size_t i = 0; i < n; i++) {
        char path[4096];
        snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
        good += file_read(path, &inputs[good]);
        free(names[i]);
    }
    return good;
}

/* One change of the n bytes at p, which has room for MAX_SIZE. Returns the new
 * size. */
static size_t
mutate_once(uint8_t *p, size_t n, const input *other, uint64_t *r)
{
    static const uint8_t interesting[] = {0, 1, 2, 3, 4, 0x7f, 0x80, 0xfe, 0xff, 16, 32, 64};
    size_t at = below(r, n), len = 1 + below(r, below(r, 8) ? 8 : 256);
    switch (below(r, 8)) {
    case 0: /* flip a bit */
        if (n > 0)
            p[at] ^= (uint8_t)(1 << below(r, 8));
        return n;
    case 1:
        if (n > 0)
            p[at] = interesting[below(r, sizeof(interesting))];
        return n;
    case 2: /* add a little */
        if (n > 0)
            p[at] = (uint8_t)(p[at] + below(r, 17) - 8);
        return n;
    case 3: /* a long varint */
        for (size_t i = 0; i < len && at + i < n && i < 10; i++)
            p[at + i] =
                i + 1 < len && i < 9 ? (uint8_t)(0x80 | below(r, 128)) : (uint8_t)below(r, 128);
        return n;
    case 4: /* remove */
        len = len < n - at ? len : n - at;
        memmove(p + at, p + at + len, n - at - len);
        return n - len;
    case 5: /* insert, of its own bytes or new ones */
        if (n + len > MAX_SIZE)
            return n;
        memmove(p + at + len, p + at, n - at);
        for (size_t i = 0, from = below(r, n); i < len; i++)
            p[at + i] = len % 2 && from + i < n ? p[from + i] : (uint8_t)next_random(r);
        return n + len;
    case 6: /* a piece of another input over this one */
        for (size_t i = 0, from = below(r, other->n); i < len && at + i < n && from + i < other->n;
             i++)
            p[at + i] = other->p[from + i];
        return n;
    default: /* the head of this one, the tail of another */
        if (below(r, 4) == 0 && other->n > 0) {
            size_t from = below(r, other->n), more = other->n - from;
            more = more < MAX_SIZE - at ? more : MAX_SIZE - at;
            memcpy(p + at, other->p + from, more);
            return at + more;
        }
        return n;
    }
}

static double
now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Runs one input from memory of its exact size, so that a sanitizer sees a read
 * behind it. `shown`: where a copy is kept for the case of a crash. */
static void
run(const uint8_t *p, size_t n, uint8_t *shown)
{
    uint8_t *copy = malloc(n ? n : 1);
    if (!copy)
        return;
    memcpy(copy, p, n);
    if (shown) {
        memcpy(shown, &n, sizeof(n));
        memcpy(shown + sizeof(n), p, n < MAX_SIZE ? n : MAX_SIZE);
    }
    LLVMFuzzerTestOneInput(copy, n);
    free(copy);
}

/* A file mapped so that what is stored there survives the process. */
static uint8_t *
last_map(const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    size_t size = sizeof(size_t) + MAX_SIZE;
    uint8_t *p = MAP_FAILED;
    if (fd >= 0 && ftruncate(fd, (off_t)size) == 0)
        p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (fd >= 0)
        close(fd);
    return p == MAP_FAILED ? NULL : p;
}

/* The last input is the size, 8 bytes, and the bytes; a plain file otherwise. */
static int
run_file(const char *path)
{
    input i;
    uint64_t n;
    if (!file_read(path, &i))
        return 2;
    if (i.n == sizeof(n) + MAX_SIZE) {
        memcpy(&n, i.p, sizeof(n));
        run(i.p + sizeof(n), n < MAX_SIZE ? (size_t)n : MAX_SIZE, NULL);
    } else {
        run(i.p, i.n, NULL);
    }
    free(i.p);
    return 0;
}

static uint64_t
mutations_run(const fuzz_options *o, const input *inputs, size_t count, uint8_t *shown)
{
    static uint8_t buf[MAX_SIZE];
    uint64_t random = o->seed, runs = 0;
    double end = now() + o->seconds;
    while ((o->runs && runs < o->runs) || (!o->runs && now() < end)) {
        const input *from = &inputs[below(&random, count)];
        size_t n = from->n < MAX_SIZE ? from->n : MAX_SIZE;
        memcpy(buf, from->p, n);
        for (size_t i = 1 + below(&random, below(&random, 4) ? 4 : 30); i > 0; i--)
            n = mutate_once(buf, n, &inputs[below(&random, count)], &random);
        run(buf, n, shown);
        runs++;
    }
    return runs;
}

static bool
option_set(fuzz_options *o, const char *arg)
{
    if (strncmp(arg, "seconds=", 8) == 0)
        o->seconds = strtod(arg + 8, NULL);
    else if (strncmp(arg, "runs=", 5) == 0)
        o->runs = strtoull(arg + 5, NULL, 0);
    else if (strncmp(arg, "seed=", 5) == 0)
        o->seed = strtoull(arg + 5, NULL, 0);
    else if (strncmp(arg, "last=", 5) == 0)
        o->last = arg + 5;
    else
        return false;
    return true;
}

int
main(int argc, char **argv)
{
    static input inputs[MAX_INPUTS];
    const char *seconds = getenv("VMPROF_FUZZ_SECONDS"), *tmp = getenv("TMPDIR");
    char last[4096];
    struct stat st;
    snprintf(last, sizeof(last), "%s/fuzz-last-input-%ld", tmp ? tmp : "/tmp", (long)getpid());
    fuzz_options o = {.last = last, .seconds = seconds ? strtod(seconds, NULL) : 0, .seed = 1};
    for (int i = 2; i < argc; i++) {
        if (!option_set(&o, argv[i])) {
            fprintf(stderr, "what is %s? See the comment in fuzz_main.c\n", argv[i]);
            return 2;
        }
    }
    if (argc < 2 || stat(argv[1], &st) != 0) {
        fprintf(stderr, "usage: %s CORPUS_DIR [seconds=N] [runs=N] [seed=N]\n", argv[0]);
        return 2;
    }
    if (!S_ISDIR(st.st_mode))
        return run_file(argv[1]);
    size_t count = corpus_read(argv[1], inputs);
    if (count == 0) {
        fprintf(stderr, "no inputs in %s\n", argv[1]);
        return 2;
    }
    uint8_t *shown = last_map(o.last);
    if (o.seconds > 0 || o.runs > 0)
        printf("seed %" PRIu64 ", the input that runs is in %s\n", o.seed, o.last);
    fflush(stdout);
    for (size_t i = 0; i < count; i++)
        run(inputs[i].p, inputs[i].n, shown);
    uint64_t runs = mutations_run(&o, inputs, count, shown);
    printf("%zu inputs of the corpus, %" PRIu64 " mutations\n", count, runs);
    for (size_t i = 0; i < count; i++)
        free(inputs[i].p);
    unlink(o.last);
    return 0;
}
