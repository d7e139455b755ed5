/* Writes logs for the fuzzers that read them to begin with:
 *
 *   fuzz_seeds DIR      makes DIR/log_reader, DIR/load, DIR/views, DIR/legacy, DIR/jitlog
 *
 * They are made by the log's own writer, so that they follow the format. Each
 * log is there whole and as its records alone (see fuzz_log.h). */
#include <errno.h>
#include <sys/stat.h>

#include "fuzz_log.h"
#include "gen_stream.h"
#include "jitlog_bytes.h"
#include "log_bytes.h"
#include "log_small.h"
#include "old_bytes.h"
#include "varint.h"

static int failures;

static void
file_write(const char *dir, const char *fuzzer, const char *name, const vmp_buf *b)
{
    char path[1024];
    snprintf(path, sizeof(path), "%s/%s", dir, fuzzer);
    if (mkdir(path, 0777) < 0 && errno != EEXIST)
        failures++;
    snprintf(path, sizeof(path), "%s/%s/%s", dir, fuzzer, name);
    FILE *f = fopen(path, "wb");
    if (!f || fwrite(b->p, 1, b->n, f) != b->n || b->failed)
        failures++;
    if (f && fclose(f) != 0)
        failures++;
}

/* The bytes as the viewer takes them, once for each view. */
static void
views_write(const char *dir, const char *name, const uint8_t *p, size_t n)
{
    enum { VIEWS = 8 };
    vmp_buf b = {0};
    for (uint8_t view = 0; view < VIEWS; view++) {
        for (uint8_t form = 0; form < 3; form++) { /* text, JSON, page */
            char full[256];
            const uint8_t head[] = {view, form, view, form, 0};
            vmp_buf_clear(&b);
            vmp_buf_put(&b, head, sizeof(head));
            vmp_buf_put(&b, p, n);
            snprintf(full, sizeof(full), "%s-%u-%u", name, view, form);
            file_write(dir, "views", full, &b);
        }
    }
    vmp_buf_fini(&b);
}

/* The bytes as each fuzzer takes them. */
static void
seed_write(const char *dir, const char *name, const uint8_t *p, size_t n)
{
    vmp_buf b = {0};
    vmp_buf_put(&b, p, n);
    file_write(dir, "log_reader", name, &b);
    vmp_buf_clear(&b);
    vmp_buf_u8(&b, 1);
    vmp_buf_put(&b, p, n);
    file_write(dir, "load", name, &b);
    vmp_buf_fini(&b);
    views_write(dir, name, p, n);
}

/* The records of all chunks that are not compressed, but for the SESSION. */
static void
records_take(vmp_buf *out, const uint8_t *p, size_t n)
{
    enum { HEAD_BYTES = VMP_LOG_MAGIC_SIZE + 1, SYNC_BYTES = 4, SUM_BYTES = 4 };
    const uint8_t *end = p + n;
    bool first = true;
    vmp_buf_u8(out, 0); /* plain */
    for (p += HEAD_BYTES; p < end;) {
        uint64_t stored, raw, session;
        p += SYNC_BYTES + 1;
        if (!vmp_varint_get(&p, end, &stored) || !vmp_varint_get(&p, end, &raw))
            return;
        const uint8_t *body = p, *body_end = p + stored;
        if (first && *body++ == VMP_LOG_SESSION && vmp_varint_get(&body, body_end, &session))
            body += session;
        vmp_buf_put(out, body, (size_t)(body_end - body));
        p = body_end + SUM_BYTES;
        first = false;
    }
}

static void
both_write(const char *dir, const char *name, const uint8_t *p, size_t n)
{
    char records_name[64];
    vmp_buf records = {0};
    seed_write(dir, name, p, n);
    records_take(&records, p, n);
    snprintf(records_name, sizeof(records_name), "%s-records", name);
    seed_write(dir, records_name, records.p, records.n);
    vmp_buf_fini(&records);
}

static void
generated_write(const char *dir, const char *name, const gen_options *o)
{
    log_bytes b;
    vmp_log_session session = gen_session(o);
    vmp_log_writer *w = log_bytes_open(&b, &session);
    failures += gen_run(o, w, NULL) < 0;
    log_bytes_take(&b, &w);
    both_write(dir, name, b.p, b.n);
    free(b.p);
}

static void
small_write(const char *dir, const char *name, bool compress)
{
    FILE *f = tmpfile();
    static const char behind[] = "vmprof: behind the end, at byte 1234: this is a PNG image\n";
    uint8_t bytes[4096];
    if (!f || log_small_write(fileno(f), compress, NULL) < 0) {
        failures++;
        return;
    }
    ssize_t n = pread(fileno(f), bytes, sizeof(bytes), 0);
    fclose(f);
    failures += n <= 0 || n == (ssize_t)sizeof(bytes);
    if (n > 0 && compress)
        seed_write(dir, name, bytes, (size_t)n);
    else if (n > 0)
        both_write(dir, name, bytes, (size_t)n);
    if (n > 0 && !compress && (size_t)n + sizeof(behind) <= sizeof(bytes)) {
        memcpy(bytes + n, behind, sizeof(behind) - 1);
        seed_write(dir, "behind", bytes, (size_t)n + sizeof(behind) - 1);
    }
}

/* Jitlogs of each version and word size, as text, as JSON and for the page; fuzz_jitlog.c
 * has the head. */
static void
jitlog_write(const char *dir)
{
    enum { JSON = 1, WHOLE = 2, PAGE = 128, FORMS = 6, ALL_STAGES = 3 };
    static const uint8_t forms[FORMS] = {0, JSON, WHOLE, JSON | WHOLE, PAGE, PAGE | WHOLE};
    for (unsigned version = 1; version <= 4; version++) {
        for (uint8_t form = 0; form < 2 * FORMS; form++) {
            char name[64];
            vmp_buf b = {0};
            jitlog_bytes l = jitlog_bytes_small(version, form >= FORMS);
            vmp_buf_u8(&b, forms[form % FORMS]);
            vmp_buf_u8(&b, 4 * ALL_STAGES);
            vmp_buf_put(&b, l.b.p, l.b.n);
            snprintf(name, sizeof(name), "v%u-%u", version, form);
            file_write(dir, "jitlog", name, &b);
            vmp_buf_fini(&b);
            vmp_buf_fini(&l.b);
        }
    }
}

/* Logs of vmprof before 1.0, each in all versions; fuzz_legacy.c has the head. */
static void
old_write(const char *dir)
{
    enum { ALL_MODES = 32, KEEP = 1 };
    for (int version = 1; version <= 7; version++) {
        for (int mode = 0; mode < (version < 4 ? 1 : ALL_MODES); mode++) {
            char name[32];
            vmp_buf b = {0};
            vmp_buf_u8(&b, KEEP);
            old_rich(&b, version, version == 3 ? OLD_MEMORY : mode);
            snprintf(name, sizeof(name), "old-%d-%d", version, mode);
            file_write(dir, "legacy", name, &b);
            if (version == 7 && mode % 8 == 0)
                views_write(dir, name, b.p + 1, b.n - 1);
            vmp_buf_fini(&b);
        }
    }
}

int
main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: fuzz_seeds DIR\n");
        return 2;
    }
    static const uint32_t modes[] = {0, VMP_LOG_MODE_WALL, VMP_LOG_MODE_MEMORY};
    const char *const names[] = {"rich", "rich_wall", "rich_memory"};
    for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
        log_bytes b = log_bytes_rich(modes[i], 7);
        both_write(argv[1], names[i], b.p, b.n);
        free(b.p);
    }
    small_write(argv[1], "small", false);
    small_write(argv[1], "small_zstd", true);
    gen_options o = gen_default;
    o.samples = 40;
    o.threads = 2;
    o.functions = 9;
    o.min_depth = 2;
    o.max_depth = 6;
    o.flush_samples = 16;
    generated_write(argv[1], "plain", &o);
    o.rss = o.weights = o.flags = true;
    generated_write(argv[1], "columns", &o);
    jitlog_write(argv[1]);
    old_write(argv[1]);
    failures += check_failures;
    return failures ? 1 : 0;
}
