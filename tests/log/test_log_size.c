/* Bytes a sample, over streams like those of real programs. */
#include <unistd.h>

#include "check.h"
#include "gen_stream.h"
#include "log_dump.h"

#ifdef VMP_TEST_ZSTD
enum { HAS_ZSTD = 1 };
#else
enum { HAS_ZSTD = 0 };
#endif

typedef struct sizes {
    double raw, stored;
} sizes;

static sizes
bytes_a_sample(const gen_options *o, bool compress)
{
    FILE *f = tmpfile();
    vmp_log_writer *w = NULL;
    vmp_log_session session = gen_session(o);
    CHECK_INT(vmp_log_writer_open(&w, fileno(f), &session, compress, NULL), 0);
    CHECK_INT(gen_run(o, w, NULL), 0);
    double n = (double)vmp_log_writer_samples(w);
    sizes s = {(double)vmp_log_writer_raw_bytes(w) / n, (double)vmp_log_writer_bytes(w) / n};
    vmp_log_writer_close(&w);
    fclose(f);
    return s;
}

/* A minute at 1 kHz with a new stack node for every third sample, which is about
 * what a recursive descent parser gave when it was recorded for 20 seconds. */
TEST(many_distinct_stacks_take_less_than_five_bytes_a_sample)
{
    gen_options o = gen_default;
    o.samples = 60000;
    o.quantum_ns = o.interval_ns / 4;
    sizes raw = bytes_a_sample(&o, false), packed = bytes_a_sample(&o, true);
    printf("# distinct stacks: %.2f raw, %.2f with zstd\n", raw.stored, packed.stored);
    CHECK(raw.stored < 5.0);
    CHECK(!HAS_ZSTD || packed.stored < 3.0);
}

/* A few functions at a depth of ten: what solvers and parsers look like. */
TEST(a_small_program_takes_one_and_a_half_bytes_a_sample_with_zstd)
{
    gen_options o = gen_default;
    o.samples = 60000;
    o.functions = 8;
    o.min_depth = 2;
    o.max_depth = 5;
    sizes raw = bytes_a_sample(&o, false), packed = bytes_a_sample(&o, true);
    printf("# small program: %.2f raw, %.2f with zstd\n", raw.stored, packed.stored);
    CHECK(raw.stored < 2.2);
    CHECK(!HAS_ZSTD || packed.stored < 1.5);
}

/* 100 samples a chunk instead of 1000. */
TEST(small_chunks_cost_less_than_half_a_byte_a_sample_more)
{
    gen_options o = gen_default;
    o.samples = 60000;
    double large = bytes_a_sample(&o, false).stored;
    o.flush_samples = 100;
    double small = bytes_a_sample(&o, false).stored;
    printf("# 1000 samples a chunk: %.2f, 100: %.2f\n", large, small);
    CHECK(small < large + 0.5);
}

TEST_MAIN(RUN(many_distinct_stacks_take_less_than_five_bytes_a_sample),
    RUN(a_small_program_takes_one_and_a_half_bytes_a_sample_with_zstd),
    RUN(small_chunks_cost_less_than_half_a_byte_a_sample_more))
