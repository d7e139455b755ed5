/* The loader over logs of vmprof before 1.0: what it gives is held to what
 * profile.h promises, and to rules of its own; written as an old log again, it
 * has the same samples.
 *
 * The first byte: bit 0 keeps the samples one by one, bit 1 cuts gaps at a
 * millisecond. Then whole logs, packed or not, as they are; other bytes are
 * records behind first words and a HEADER that three more bytes choose: sizes
 * and byte order, version, mode. */
#include <string.h>

#include "buf.h"
#include "compat_tree.h"
#include "export.h"
#include "fuzz.h"
#include "fuzz_profile.h"
#include "load.h"
#include "log_sniff.h"

enum { OPTION_KEEP = 1, OPTION_SHORT_GAP = 2, HEAD_BYTES = 3 };
enum { HEAD_32_BIT = 1, HEAD_WINDOWS = 2, HEAD_BIG_ENDIAN = 4, HEAD_PYPY = 8 };

static void
put_word(vmp_buf *b, uint8_t head, uint8_t value)
{
    uint8_t bytes[8] = {0}, size = head & (HEAD_32_BIT | HEAD_WINDOWS) ? 4 : 8;
    bytes[head & HEAD_BIG_ENDIAN ? size - 1 : 0] = value;
    vmp_buf_put(b, bytes, size);
}

static void
make_log(vmp_buf *b, const uint8_t *data, size_t size)
{
    if (size < HEAD_BYTES || vmp_log_is_old(data, size) || (data[0] == 0x1f && data[1] == 0x8b)) {
        vmp_buf_put(b, data, size);
        return;
    }
    const char *interpreter = data[0] & HEAD_PYPY ? "pypy" : "cpython";
    const uint8_t words[] = {0, 3, 0, 100, (data[0] & HEAD_WINDOWS) != 0};
    for (size_t i = 0; i < sizeof(words); i++)
        put_word(b, data[0], words[i]);
    if (data[1] % 10 > 0) { /* else version 0, which has no HEADER */
        const uint8_t header[] = {5, 0, data[1] % 10};
        vmp_buf_put(b, header, sizeof(header));
        if (data[1] % 10 >= 4)
            vmp_buf_u8(b, data[2]);
        vmp_buf_u8(b, (uint8_t)strlen(interpreter));
        vmp_buf_put(b, interpreter, strlen(interpreter));
    }
    vmp_buf_put(b, data + HEAD_BYTES, size - HEAD_BYTES);
}

/* What the tree that programs get adds up to. */
static void
tree_check(const vmp_profile *p)
{
    vmp_compat_tree *t = NULL;
    uint64_t self = 0;
    PROMISE(vmp_compat_tree_new(&t, p) == 0);
    for (uint32_t i = 0; i < t->count; i++) {
        uint64_t told = t->native_weight[i] + t->jit_weight[i];
        if (p->has_states)
            told += t->gc_minor_weight[i] + t->gc_major_weight[i] + t->warm_up_weight[i];
        PROMISE(told <= t->self_weight[i]);
        self += t->self_weight[i];
    }
    PROMISE(t->count == 0 || (self == p->total_weight && t->weight[0] == self));
    vmp_compat_tree_free(&t);
}

static void
export_check(const vmp_profile *p)
{
    enum { MOST_TICKS = 2000 };
    uint64_t ticks = vmp_profile_ticks(p, p->total_weight);
    vmp_profile *again = NULL;
    vmp_out o;
    if (!p->has_samples || ticks > MOST_TICKS)
        return;
    vmp_out_init(&o, -1);
    PROMISE(vmp_export_vmprof(p, &o, NULL) == 0 && o.rc == 0);
    PROMISE(vmp_load_bytes(&again, o.p, o.n, NULL, NULL) == 0);
    PROMISE(!again->cut && again->total_samples == ticks && again->total_weight == ticks);
    vmp_profile_free(&again);
    vmp_out_fini(&o);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    vmp_buf log = {0};
    vmp_profile *p = NULL;
    vmp_err err = {0};
    uint8_t options_byte = size > 0 ? data[0] : 0;
    vmp_load_options options = {.keep_samples = options_byte & OPTION_KEEP,
        .max_gap_ns = options_byte & OPTION_SHORT_GAP ? 1000000 : 0};
    make_log(&log, data + (size > 0), size - (size > 0));
    int rc = vmp_load_bytes(&p, log.p, log.n, &options, &err);
    PROMISE((rc == 0) == (p != NULL) && (rc < 0) == (err.text[0] != '\0'));
    if (p) {
        fuzz_profile_check(p);
        tree_check(p);
        export_check(p);
        /* A timer of ours says of each tick what it stands for, at least a nanosecond. */
        PROMISE(p->total_weight >= p->total_samples);
    }
    vmp_profile_free(&p);
    vmp_buf_fini(&log);
    return 0;
}
