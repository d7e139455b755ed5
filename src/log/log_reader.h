/* Reads a log record by record. See log_format.h for the format.
 *
 * Hostile input gives an error with the byte offset, never a crash; a log that
 * was cut reads up to its last whole chunk. Ids in records are checked: what a
 * record refers to has been defined. Memory is bounded by twice the chunk
 * limit plus 4 bytes per code object, 16 per location, 8 per stack of the epoch,
 * 24 per thread, and the lists of log_children.h, at most 12 bytes per stack. */
#ifndef VMP_LOG_READER_H
#define VMP_LOG_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "in.h"
#include "log_format.h"
#include "log_writer.h" /* vmp_log_session, vmp_log_pos, vmp_log_clock */
#include "str.h"

typedef struct vmp_log_reader vmp_log_reader;

/* One decoded record. Pointers are valid until the next call. Records that
 * define many things (STRINGS, CODES, LOCATIONS, STACKS) come as one event per
 * thing, with its id; a SAMPLES record comes as one event with arrays. */
typedef struct vmp_log_event {
    enum vmp_log_kind kind;
    uint64_t offset; /* of the chunk in the file, bytes */
    union {
        vmp_log_session session;
        struct {
            vmp_str key, value;
        } meta;
        struct {
            uint32_t id;
            vmp_str text;
        } string;
        struct {
            uint32_t id, name, qualname, file; /* string ids */
            int32_t first_line;
        } code;
        struct {
            uint32_t id;
            enum vmp_log_location_kind kind;
            uint32_t code, instr; /* PYTHON */
            vmp_log_pos pos;      /* PYTHON */
            uint32_t mapping;     /* NATIVE */
            uint64_t relative;    /* NATIVE */
            uint64_t elided;      /* ELIDED: frames */
        } location;
        struct {
            uint32_t id, parent, location;
        } stack;
        struct {
            uint32_t index;
            uint64_t os_tid, ident;
            uint32_t name; /* string id */
            int64_t start_ns;
        } thread;
        struct {
            uint32_t thread;
            uint32_t n;
            uint64_t cpu_ns, wall_ns; /* what all together stand for */
            const int64_t *time_ns;   /* n, since start_mono */
            const uint32_t *stack;    /* n */
            const uint64_t *weight;   /* n, or NULL: all 1 */
            const uint64_t *rss_kb;   /* n, or NULL */
            const uint32_t *flags;    /* n, or NULL: all 0 */
        } samples;
        struct {
            enum vmp_log_loss reason; /* a later version's reason comes as VMP_LOG_LOSS_COUNT */
            uint64_t count;
            uint32_t thread;
        } loss;
        struct {
            uint32_t id;
            uint64_t start, end, file_offset;
            vmp_str build_id, path;
        } mapping;
        vmp_log_clock clock; /* unsampled_cpu_ns is 0 in logs that do not tell */
        struct {
            int64_t mono_ns;
            uint64_t samples;
        } end;
    } u;
} vmp_log_event;

/* Reads from fd, which stays the caller's, with buffered sequential reads (a
 * pipe is fine). Reads and checks the magic and the version.
 * Errors: -VMP_EIO, -VMP_ENOMEM, -VMP_EFORMAT (empty, or not a log; the text
 * says what it looks like), -VMP_EVERSION. */
int vmp_log_reader_open(vmp_log_reader **ret_r, int fd, vmp_err *err);
/* The same over bytes, which must outlive the reader. */
int vmp_log_reader_open_bytes(vmp_log_reader **ret_r, const void *p, size_t n, vmp_err *err);
/* The same over what gives bytes; *bytes is taken, also on error. */
int vmp_log_reader_open_in(vmp_log_reader **ret_r, vmp_in *bytes, vmp_err *err);
/* Bytes of a descriptor, as vmp_log_reader_open reads them. */
vmp_in vmp_log_in_fd(int fd);
void vmp_log_reader_close(vmp_log_reader **r);

/* Gives the next event. Returns 1 with *ret_e filled, 0 at the end, or an
 * error: -VMP_ECORRUPT (err->where: byte offset of the chunk), -VMP_EIO,
 * -VMP_ENOMEM, -VMP_ELIMIT, -VMP_EVERSION (a joined log of another version),
 * -VMP_EUNSUPPORTED (compressed, in a build without zstd); each further call
 * then gives the same.  The end is: the end of the file after a whole chunk, or
 * a last chunk that is cut, or zeros that a file system left there
 * (vmp_log_reader_cut is then true), or a clean end behind which no log goes on
 * (vmp_log_reader_behind). A whole chunk whose checksum is wrong is an
 * error, and so is one that seems cut while a whole one comes behind it. */
int vmp_log_reader_next(vmp_log_reader *r, vmp_log_event *ret_e, vmp_err *err);

/* How many there seem to be, as far as the bytes are in memory and not compressed: a guess,
 * to reserve memory by, which has read no checksum. At most as many as bytes; 0
 * where it would not pay. */
typedef struct vmp_log_counts {
    uint64_t stacks, samples;
} vmp_log_counts;

/* To be asked before the first event. The reader makes room for its own part. */
vmp_log_counts vmp_log_reader_peek(vmp_log_reader *r);

/* True when the log has no clean end: a partial last chunk, or no END. Known
 * once vmp_log_reader_next has returned 0. */
bool vmp_log_reader_cut(const vmp_log_reader *r);
/* Where, behind a clean end, something begins that is neither a chunk nor another log, as
 * when the log was written over a longer file that was not cut off: it is not read, and
 * *ret_what (of the reader) says what it looks like. 0: there is none. Known as above. */
uint64_t vmp_log_reader_behind(const vmp_log_reader *r, vmp_str *ret_what);
uint64_t vmp_log_reader_bytes(const vmp_log_reader *r);     /* file bytes consumed */
uint64_t vmp_log_reader_raw_bytes(const vmp_log_reader *r); /* after decompression */

/* Text of a loss reason, stable: a JSON key. Never NULL. */
const char *vmp_log_loss_name(enum vmp_log_loss reason);

#endif
