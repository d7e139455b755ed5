/* Makes a synthetic log for tests and benches of other rooms.
 *
 *   gen_log OUT [samples=N] [threads=N] [functions=N] [min_depth=N] [max_depth=N]
 *           [interval_ns=N] [quantum_ns=N] [flush_samples=N] [rss=1] [weights=1]
 *           [flags=1] [seed=N] [zstd=1]
 * Prints samples, bytes and bytes a sample. */
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "gen_stream.h"

static bool
option_set(gen_options *o, bool *zstd, const char *arg)
{
    char key[32];
    uint64_t v;
    if (sscanf(arg, "%31[a-z_]=%" SCNu64, key, &v) != 2)
        return false;
    const struct {
        const char *key;
        uint64_t *wide;
        uint32_t *narrow;
        bool *flag;
    } keys[] = {
        {"samples", &o->samples, NULL, NULL},
        {"threads", NULL, &o->threads, NULL},
        {"functions", NULL, &o->functions, NULL},
        {"min_depth", NULL, &o->min_depth, NULL},
        {"max_depth", NULL, &o->max_depth, NULL},
        {"interval_ns", &o->interval_ns, NULL, NULL},
        {"quantum_ns", &o->quantum_ns, NULL, NULL},
        {"flush_samples", &o->flush_samples, NULL, NULL},
        {"rss", NULL, NULL, &o->rss},
        {"weights", NULL, NULL, &o->weights},
        {"flags", NULL, NULL, &o->flags},
        {"seed", &o->seed, NULL, NULL},
        {"zstd", NULL, NULL, zstd},
    };
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        if (strcmp(key, keys[i].key) != 0)
            continue;
        if (keys[i].wide)
            *keys[i].wide = v;
        else if (keys[i].narrow)
            *keys[i].narrow = (uint32_t)v;
        else
            *keys[i].flag = v != 0;
        return true;
    }
    return false;
}

static bool
options_are_good(const gen_options *o)
{
    return o->samples > 0 && o->threads > 0 && o->functions > 0 && o->min_depth > 0 &&
           o->min_depth <= o->max_depth && o->max_depth < GEN_MAX_DEPTH && o->flush_samples > 0;
}

int
main(int argc, char **argv)
{
    gen_options o = gen_default;
    bool zstd = false;
    vmp_log_writer *w = NULL;
    vmp_err err = {0};
    for (int i = 2; i < argc; i++) {
        if (!option_set(&o, &zstd, argv[i])) {
            fprintf(stderr, "gen_log: what is %s?\n", argv[i]);
            return 2;
        }
    }
    if (argc < 2 || !options_are_good(&o)) {
        fprintf(stderr, "usage: gen_log OUT [key=number ...]; see the comment in gen_log.c\n");
        return 2;
    }
    int fd = open(argv[1], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    vmp_log_session session = gen_session(&o);
    int rc = fd < 0 ? vmp_err_set(&err, VMP_EIO, 0, 0, "cannot open %s", argv[1])
                    : vmp_log_writer_open(&w, fd, &session, zstd, &err);
    if (rc == 0)
        rc = gen_run(&o, w, &err);
    if (rc == 0)
        printf("%" PRIu64 " samples, %" PRIu64 " bytes (%.2f a sample), raw %" PRIu64
               " (%.2f a sample)\n",
            vmp_log_writer_samples(w), vmp_log_writer_bytes(w),
            (double)vmp_log_writer_bytes(w) / (double)o.samples, vmp_log_writer_raw_bytes(w),
            (double)vmp_log_writer_raw_bytes(w) / (double)o.samples);
    vmp_log_writer_close(&w);
    if (fd >= 0 && close(fd) != 0 && rc == 0)
        rc = vmp_err_set(&err, VMP_EIO, 0, 0, "cannot close %s", argv[1]);
    if (rc < 0)
        fprintf(stderr, "gen_log: %s\n", err.text);
    return rc < 0;
}
