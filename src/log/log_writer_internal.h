/* The writer's insides. log_writer.c opens and closes, log_writer_ids.c gives
 * ids, log_writer_records.c and log_writer_samples.c make the other records, and
 * log_writer_flush.c the chunks. Tests use the last function.
 *
 * Everything that is defined either happens wholly or, without memory, not at
 * all: an id that was given is always written. So each function makes room first
 * and then cannot fail. */
#ifndef VMP_LOG_WRITER_INTERNAL_H
#define VMP_LOG_WRITER_INTERNAL_H

#include "buf.h"
#include "intern.h"
#include "log_children.h"
#include "log_chunk_out.h"
#include "log_writer.h"

enum {
    /* Stack nodes of one epoch. The table has 2^21 slots of 12 bytes and is
     * three quarters full then: 30 MiB in the profiled process, and about ten
     * minutes at 1 kHz if no stack ever comes twice. */
    VMP_LOG_EPOCH_NODES = 3 << 19,
    /* Pending bytes, of definitions and of samples, at which a chunk leaves
     * unasked. With both and the largest possible SAMPLES record, it is below
     * VMP_LOG_MAX_CHUNK. */
    VMP_LOG_AUTO_FLUSH_BYTES = 512 << 10,
    /* What an open sample is taken to need. */
    VMP_LOG_SAMPLE_BYTES = 4,
};

/* Items that leave as one record: u n, then the bytes. */
typedef struct vmp_log_items {
    vmp_buf bytes;
    uint32_t n;
} vmp_log_items;

typedef struct vmp_log_open_sample {
    uint64_t quanta; /* since start_mono */
    uint64_t weight, rss_kb;
    uint32_t stack, flags;
} vmp_log_open_sample;

typedef struct vmp_log_thread_out {
    bool declared, active; /* active: its index is in w->active */
    bool used;             /* had a sample since the last flush */
    vmp_log_open_sample *open;
    size_t n, cap;
    uint64_t last_quanta;
    uint32_t last_stack, high_stack;
} vmp_log_thread_out;

typedef struct vmp_log_loss_count {
    uint32_t reason, thread;
    uint64_t count;
} vmp_log_loss_count;

struct vmp_log_writer {
    vmp_log_chunk_out out;
    vmp_log_session session;
    int64_t nominal_quanta; /* round(interval / quantum) */
    int error;              /* 0 or the first error of the descriptor: dead */
    vmp_err error_detail;

    /* What has ids. */
    vmp_intern strings;
    vmp_pairs elided;     /* (low, high half of the count) -> index + 1 */
    uint32_t *elided_ids; /* location ids */
    size_t elided_cap;
    vmp_pairs stacks;
    uint32_t codes_count, locations_count, mappings_count;
    uint32_t epoch, epoch_nodes; /* epochs so far; nodes at which the next begins */
    bool epoch_pending;
    uint32_t *stack_locations; /* by stack id - 1 */
    size_t stack_locations_cap;
    vmp_log_children children; /* these two: what the encoding of stacks goes on from */
    uint32_t last_parent;

    /* What waits for the next chunk, in the order of the chunk. */
    vmp_buf first, meta; /* whole records */
    vmp_log_items string_items, code_items;
    vmp_buf mappings;
    vmp_log_items location_items;
    vmp_buf threads_buf;
    vmp_log_items stack_items;
    vmp_buf samples_buf;
    uint64_t closed_samples, open_samples;
    vmp_pairs loss_keys; /* (reason, thread) -> index + 1 in losses */
    vmp_log_loss_count *losses;
    size_t losses_n, losses_cap;
    vmp_buf clock, end;
    size_t pending_defs; /* bytes in first, meta, *_items, mappings, threads_buf */

    vmp_log_thread_out *threads; /* by index - 1 */
    size_t threads_n, threads_cap;
    uint32_t *active; /* indices of threads that have room for samples */
    size_t active_n, active_cap;

    uint64_t *column; /* VMP_LOG_MAX_BATCH numbers, made at the first batch */
    vmp_buf body;     /* of the record being built */
    vmp_buf chunk;
    uint64_t rss_kb; /* last one written */
    uint64_t samples, lost;
};

/* Writes a chunk if much is pending; never begins an epoch, leaves open batches
 * open. */
void vmp_log_writer_relieve(vmp_log_writer *w);
/* Closes the open batch of thread `index`, in as many records as it needs; the
 * time is shared out by weight. */
void vmp_log_batch_close(vmp_log_writer *w, uint32_t index, uint64_t cpu_ns, uint64_t wall_ns);
/* Appends one whole record; false, and nothing is appended, without memory. */
bool vmp_log_record_put(vmp_buf *out, enum vmp_log_kind kind, const vmp_buf *body);

/* Makes room for n bytes; unlike vmp_buf_reserve, failure is not remembered. */
static inline bool
vmp_log_room(vmp_buf *b, size_t n)
{
    bool ok = vmp_buf_reserve(b, n);
    b->failed = false;
    return ok;
}

/* Strings are cut at VMP_LOG_MAX_STRING, not inside of a UTF-8 sequence. */
static inline vmp_str
vmp_log_fit(vmp_str s)
{
    if (s.n <= VMP_LOG_MAX_STRING)
        return s;
    size_t n = VMP_LOG_MAX_STRING;
    while (n > VMP_LOG_MAX_STRING - 4 && ((uint8_t)s.p[n] & 0xc0) == 0x80)
        n--;
    return (vmp_str){s.p, n};
}

/* Counts bytes that an item or a record took in a definition buffer. */
static inline void
vmp_log_writer_added(vmp_log_writer *w, size_t bytes)
{
    w->pending_defs += bytes;
    if (VMP_UNLIKELY(w->pending_defs >= VMP_LOG_AUTO_FLUSH_BYTES))
        vmp_log_writer_relieve(w);
}

/* For tests: begins an epoch at this many stack nodes. */
void vmp_log_writer_set_epoch_nodes(vmp_log_writer *w, uint32_t nodes);

#endif
