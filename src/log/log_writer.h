/* Appends a log to a file descriptor. See log_format.h for the format.
 *
 * The writer interns strings, codes, locations and stacks: asking twice for
 * the same thing gives the same id and writes it once. Everything is collected
 * in memory and leaves as one chunk at vmp_log_writer_flush (or when the chunk
 * is full). Not safe for use by two threads at once; not signal safe.
 *
 * After an error of the descriptor (a full disk) the writer is dead: calls
 * still return ids, nothing more is written, vmp_log_writer_error tells the
 * first error, and vmp_log_writer_lost counts the samples that were dropped. A
 * partial last chunk may be in the file; readers stop before it.
 *
 * The threads that flush block or ignore SIGPIPE and SIGXFSZ, or a closed pipe
 * and a file size limit kill the process instead of being such an error. A
 * descriptor that does not block is waited for, ten seconds at most.
 *
 * A chunk costs about 50 bytes beside its samples and small ones compress worse:
 * of the same samples at 1 kHz, ten chunks a second take 0.4 bytes a sample more
 * than one (with zstd 0.7 to 0.9 more). What is pending is lost by kill -9. */
#ifndef VMP_LOG_WRITER_H
#define VMP_LOG_WRITER_H

#include <stdbool.h>
#include <stdint.h>

#include "err.h"
#include "log_format.h"
#include "str.h"

typedef struct vmp_log_writer vmp_log_writer;

typedef struct vmp_log_session {
    uint32_t mode; /* VMP_LOG_MODE_* */
    uint32_t pid;
    int64_t start_unix_ns;
    int64_t start_mono_ns;
    uint64_t interval_ns; /* asked: ns of CPU (or wall) time between ticks, >= 1 */
    uint64_t quantum_ns;  /* unit of sample times, >= 1 */
    vmp_str timer;        /* name of the timer source */
} vmp_log_session;

typedef struct vmp_log_pos {
    uint32_t line; /* 0: not known */
    uint32_t end_line;
    uint32_t col; /* bytes from 0 */
    uint32_t end_col;
    bool has_columns;
} vmp_log_pos;

typedef struct vmp_log_sample {
    uint32_t thread; /* index given to vmp_log_writer_thread */
    uint32_t stack;  /* id from vmp_log_writer_stack, 0 for no Python frame */
    int64_t time_ns; /* monotonic clock, absolute (not since the start) */
    uint64_t weight; /* ticks it stands for, >= 1 */
    uint64_t rss_kb; /* only in memory mode */
    uint32_t flags;  /* VMP_LOG_FLAG_* */
} vmp_log_sample;

typedef struct vmp_log_clock {
    int64_t mono_ns; /* given to the writer: absolute; read: since the start */
    uint64_t process_cpu_ns;
    uint64_t profiler_cpu_ns; /* of process_cpu_ns, as is the next */
    uint64_t unsampled_cpu_ns;
} vmp_log_clock;

/* Begins a log on fd, which stays the caller's and must stay open; `compress`
 * asks for zstd (ignored, with no error, in a build without it). Writes the
 * magic and a first chunk with the session at once, so that a bad descriptor
 * is known here.  Errors: -VMP_EIO (err->os_errno), -VMP_ENOMEM, -VMP_EINVAL. */
int vmp_log_writer_open(
    vmp_log_writer **ret_w, int fd, const vmp_log_session *session, bool compress, vmp_err *err);

/* Frees; does not flush, does not write END, does not close the fd. */
void vmp_log_writer_close(vmp_log_writer **w);

/* Each gives an id >= 1 (string: 0 for the empty one), or 0 when out of
 * memory. Strings longer than VMP_LOG_MAX_STRING are cut. */
uint32_t vmp_log_writer_string(vmp_log_writer *w, vmp_str s);
/* A new code id at each call: codes are told apart by the caller, because two
 * different code objects may have the same names. */
uint32_t vmp_log_writer_code(
    vmp_log_writer *w, vmp_str name, vmp_str qualname, vmp_str file, int32_t first_line);
/* New location id at each call: the caller knows which (code, instr) it has seen. */
uint32_t vmp_log_writer_location(
    vmp_log_writer *w, uint32_t code, uint32_t instr, int32_t first_line, const vmp_log_pos *pos);
uint32_t vmp_log_writer_native(vmp_log_writer *w, uint32_t mapping, uint64_t relative);
/* Interned by count. */
uint32_t vmp_log_writer_elided(vmp_log_writer *w, uint64_t frames);
/* Interned by (parent, location); parent 0 makes a root. Ids are valid until
 * vmp_log_writer_epoch next changes. The caller keeps stacks at most
 * VMP_LOG_MAX_DEPTH deep: readers refuse deeper ones. */
uint32_t vmp_log_writer_stack(vmp_log_writer *w, uint32_t parent, uint32_t location);
/* Number of EPOCH records so far: when it changes (only inside
 * vmp_log_writer_flush), stack ids from before are void. */
uint32_t vmp_log_writer_epoch(const vmp_log_writer *w);

/* Dropped without memory. */
void vmp_log_writer_meta(vmp_log_writer *w, vmp_str key, vmp_str value);
/* Defines or renames a thread. The index is dense: at most one more than the
 * highest before, else the call is ignored, as it is without memory. */
void vmp_log_writer_thread(vmp_log_writer *w, uint32_t index, uint64_t os_tid, uint64_t ident,
    vmp_str name, int64_t start_mono_ns);
/* A new mapping id at each call, 0 when out of memory. */
uint32_t vmp_log_writer_mapping(vmp_log_writer *w, uint64_t start, uint64_t end,
    uint64_t file_offset, vmp_str build_id, vmp_str path);

/* Adds one sample to the open batch of its thread. One of a thread or a stack
 * that is not defined counts as lost. */
void vmp_log_writer_sample(vmp_log_writer *w, const vmp_log_sample *sample);
/* Closes the open batch of the thread and says what it stands for. A batch
 * that is still open at flush is closed with 0 and 0. No-op (returns false, the
 * time stays the caller's to add to a later batch) if the batch is empty. */
bool vmp_log_writer_batch(vmp_log_writer *w, uint32_t thread, uint64_t cpu_ns, uint64_t wall_ns);
/* Count is added; it leaves with the next flush. thread 0: not known. */
void vmp_log_writer_loss(
    vmp_log_writer *w, enum vmp_log_loss reason, uint64_t count, uint32_t thread);
void vmp_log_writer_clock(vmp_log_writer *w, const vmp_log_clock *clock);
void vmp_log_writer_end(vmp_log_writer *w, int64_t mono_ns);

/* Writes what is pending as a chunk (nothing if nothing is). May start a new
 * epoch. Returns 0, -VMP_EIO, or -VMP_ENOMEM: then all stays pending for the
 * next flush. */
int vmp_log_writer_flush(vmp_log_writer *w, vmp_err *err);

/* Bytes pending, raw: the caller flushes early when this grows. */
uint64_t vmp_log_writer_pending(const vmp_log_writer *w);
uint64_t vmp_log_writer_bytes(const vmp_log_writer *w);     /* given to the descriptor */
uint64_t vmp_log_writer_raw_bytes(const vmp_log_writer *w); /* before compression */
uint64_t vmp_log_writer_samples(const vmp_log_writer *w);   /* samples written or pending */
uint64_t vmp_log_writer_lost(const vmp_log_writer *w);      /* samples dropped after an error */
/* 0, or the first error (negative), details in *err. */
int vmp_log_writer_error(const vmp_log_writer *w, vmp_err *err);

#endif
