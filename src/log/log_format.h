/* The vmprof log, version 1: what the writer writes and the reader reads.
 *
 * This comment is the specification. Integers marked `u` are unsigned LEB128
 * varints of at most 10 bytes, `s` are zigzag LEB128 varints (0, -1, 1, -2 ->
 * 0, 1, 2, 3), `u8`/`u32` are fixed little-endian. Times are nanoseconds.
 *
 *   file     = magic, chunk*
 *   magic    = 89 56 4d 50 4c 4f 47 0a ("\x89VMPLOG\n"), u8 version (1)
 *   chunk    = u32 sync ("VMPC" = 56 4d 50 43), u8 flags, u stored_size,
 *              u raw_size, stored_size bytes, u32 crc
 *   flags    = bit 0: the bytes are zstd; bit 1: this chunk begins a new zstd
 *              frame, so nothing before it is needed to decompress it.
 *              Other bits must be 0.
 *   crc      = CRC-32C (Castagnoli) of everything from flags to the last
 *              stored byte.
 *   raw      = record*
 *   record   = u8 kind, u size, size bytes of body
 *
 * Invariants
 *   1. A chunk is written by one write() if the kernel lets it, at most
 *      VMP_LOG_MAX_CHUNK raw bytes. A log cut at any byte reads up to its last
 *      whole chunk. A compressed chunk is flushed, so that it can be decoded
 *      when the chunks since the last frame start are there.
 *   2. Records refer to ids that were defined earlier in the file, in this or
 *      an earlier chunk. Ids are dense, in order of definition, from 1; 0 means
 *      "none". An id is never defined twice. An EPOCH record forgets stacks.
 *   3. Unknown record kinds, and bytes at the end of a known record's body that
 *      this version does not know, are skipped.
 *   4. Everything that names a thing is written before or in the same chunk as
 *      the first sample that uses it: kill -9 loses no names.
 *   5. The file is append only: it can be a pipe.
 *   6. Several processes in one file: after a SESSION record all ids start
 *      anew, and the magic may stand again before any chunk, so that logs of
 *      one version can be concatenated. What else stands behind an END that is
 *      the last record so far is no part of the log (it was written over a longer
 *      file): the log reads up to there, and the reader tells where that is.
 *      Whoever writes the log again may leave one line of text there, at the
 *      end of the file: "vmprof: behind the end, at byte N: WHAT\n".
 *   7. A zstd frame is never ended, only flushed: the flag of the next chunk
 *      tells where the next one begins. Frames need a window of at most
 *      2^VMP_LOG_WINDOW_LOG bytes. Chunks that are not compressed may stand in
 *      between and do not touch the frame.
 *
 * Records
 *    1 SESSION    first record of the first chunk (and of each process):
 *                 u format_minor (1), u mode (VMP_LOG_MODE_*), u pid,
 *                 s start_unix_ns, s start_mono_ns, u interval_ns (asked),
 *                 u quantum_ns (unit of sample times, >= 1), str timer
 *    2 META       str key, str value: free text, UTF-8. Keys of the writer:
 *                 argv (arguments separated by \n), python (3.11.7),
 *                 implementation, executable, host, os, arch, cwd, vmprof,
 *                 timer_refused (the best timer, where it could not be had, and
 *                 why: "perf: ...").
 *                 A repeated key replaces the value.
 *    3 STRINGS    u n, n * str: defines string ids
 *    4 CODES      u n, n * (u name, u qualname, u file (string ids),
 *                 s first_line): defines code ids
 *    5 LOCATIONS  u n, n * location: defines location ids
 *                 location = u head, then by head & 3
 *                   0 PYTHON  u code, u instr (byte offset of the instruction
 *                             in the code object), then
 *                             if head & 4:  s line - first_line of the code
 *                             if head & 8:  u col, s end_col - col (columns in
 *                                           bytes from 0)
 *                             if head & 16: u end_line - line (else they are
 *                                           equal)
 *                             Without bit 2 the line is not known and bits 3
 *                             and 4 must be 0.
 *                   1 NATIVE  u mapping, u relative address
 *                   2 ELIDED  u frames: this many frames were left out here
 *                 Kind 3 and other bits are not allowed in this version.
 *    6 STACKS     u n, n * (u v, then if v & 1: s parent): each defines a stack
 *                 id, a node below its parent, which was defined before or is 0
 *                 (the node is a root).
 *                 parent    bit 0 of v set: less the parent last given like this
 *                           (of this epoch; at first less 0); bit 0 clear, and
 *                           no parent follows: the id before this one
 *                 location  w = v >> 1. w < VMP_LOG_CHILDREN is a place, from 0,
 *                           in the list of children of the parent's location (a
 *                           list of its own for roots). Else x = w -
 *                           VMP_LOG_CHILDREN, odd x is the location high +
 *                           (x + 1) / 2, even x the location x / 2, where high
 *                           is the highest location of STACKS records so far.
 *                           Then the location goes to the front of that list,
 *                           from where it was or as a new one; what is beyond
 *                           VMP_LOG_CHILDREN entries is dropped. Lists and high
 *                           begin anew with SESSION and outlive EPOCH.
 *    7 THREAD     u index (dense from 1), u os_tid, u ident (pthread_self),
 *                 u name (string id or 0), s start_ns (since start_mono):
 *                 defines a thread, or renames it if the index is known
 *    8 SAMPLES    u thread, u n (1 to VMP_LOG_MAX_BATCH), u columns, u cpu_ns,
 *                 u wall_ns, s t0, then one packed column after the other.
 *                 cpu_ns and wall_ns are what all n samples together stand for;
 *                 t0 is the time of the first sample in quanta since
 *                 start_mono, less the time of the last sample of this thread
 *                 (0 at first).
 *                   always     n-1 * s: time since the last sample in quanta,
 *                              less round(interval / quantum)
 *                   always     n * u: stack. 0 is that of the sample before (of
 *                              this thread, also across records), odd v is
 *                              high + (v + 1) / 2, even v > 0 is v / 2 - 1,
 *                              where high is the highest stack of this thread's
 *                              samples so far. EPOCH sets both to 0.
 *                   bit 0      n * u: weight less 1; cpu_ns and wall_ns are
 *                              shared out by weight (absent: equally)
 *                   bit 1      n * s: RSS in KiB, less the one before (first:
 *                              less the last of this process)
 *                   bit 2      n * u: VMP_LOG_FLAG_*
 *                   other bits not allowed in this version
 *                 Stack 0: the thread ran no Python code.
 *    9 LOSS       u reason (VMP_LOG_LOSS_*), u count, u thread (0: not known):
 *                 ticks that were not recorded
 *   10 MAPPING    u start, u end, u file_offset, str build_id, str path:
 *                 defines mapping ids
 *   11 CLOCK      s mono_ns since start_mono, u process_cpu_ns,
 *                 u profiler_cpu_ns (of process_cpu_ns, used by our threads;
 *                 not by the handler), since format_minor 1 u unsampled_cpu_ns
 *                 (of process_cpu_ns, used by the program's threads while they
 *                 were sampled, for which no samples stand: most is of threads
 *                 that used less than an interval): all since the start
 *   12 END        s mono_ns since start_mono, u samples written: a clean end,
 *                 unless more records of its process follow: an exec was about
 *                 to end it, and failed
 *   13 EPOCH      stack ids start anew from 1 (bounds the writer's memory)
 *   14 LABEL      reserved: u id, str key, str value
 *   str = u length, bytes
 *
 * Packed column of k numbers (signed ones are zigzag coded first): u width (0 to
 * VMP_LOG_MAX_WIDTH), then ceil(k * width / 8) bytes with k fields of `width`
 * bits, the first in the lowest bits, then for each field of which all bits are
 * 1, in order, u number less that field. All other numbers are the field. With
 * width 0 that is k varints. Times have narrow numbers with a few outliers and
 * take two to four bits each; widths beyond 0 for stacks help uncompressed logs
 * and hurt zstd, which sees bytes.
 *
 * Limits, checked by the reader: raw_size and stored_size of a chunk at most
 * VMP_LOG_MAX_CHUNK, str at most VMP_LOG_MAX_STRING, ids at most
 * VMP_LOG_MAX_ID (threads: VMP_LOG_MAX_THREAD), depth of a stack at most
 * VMP_LOG_MAX_DEPTH, sample times and sums of weights within +-2^62. */
#ifndef VMP_LOG_FORMAT_H
#define VMP_LOG_FORMAT_H

#include <stdint.h>

#define VMP_LOG_MAGIC "\x89VMPLOG\n"

enum {
    VMP_LOG_MAGIC_SIZE = 8,
    VMP_LOG_VERSION = 1,
    VMP_LOG_FORMAT_MINOR = 1,
    VMP_LOG_SYNC = 0x43504d56,
    VMP_LOG_MAX_CHUNK = 4 << 20,
    VMP_LOG_MAX_STRING = 64 << 10,
    VMP_LOG_MAX_DEPTH = 64 << 10,
    VMP_LOG_MAX_BATCH = 32 << 10, /* samples of one record: bounds the reader's arrays */
    VMP_LOG_MAX_ID = 16 << 20,    /* strings, codes, locations, mappings; stacks of one epoch */
    VMP_LOG_MAX_THREAD = 4 << 20,
    VMP_LOG_MAX_WIDTH = 32,
    VMP_LOG_WINDOW_LOG = 20,
    VMP_LOG_CHILDREN = 62, /* all places, and the next new location, take one byte */
    VMP_LOG_CHUNK_ZSTD = 1,
    VMP_LOG_CHUNK_FRAME_START = 2,
};

enum vmp_log_kind {
    VMP_LOG_SESSION = 1,
    VMP_LOG_META,
    VMP_LOG_STRINGS,
    VMP_LOG_CODES,
    VMP_LOG_LOCATIONS,
    VMP_LOG_STACKS,
    VMP_LOG_THREAD,
    VMP_LOG_SAMPLES,
    VMP_LOG_LOSS,
    VMP_LOG_MAPPING,
    VMP_LOG_CLOCK,
    VMP_LOG_END,
    VMP_LOG_EPOCH,
    VMP_LOG_LABEL,
};

enum vmp_log_location_kind {
    VMP_LOG_LOCATION_PYTHON = 0,
    VMP_LOG_LOCATION_NATIVE = 1,
    VMP_LOG_LOCATION_ELIDED = 2,
};

enum { /* head of a location, beside its kind */
    VMP_LOG_HEAD_KIND = 3,
    VMP_LOG_HEAD_LINE = 4,
    VMP_LOG_HEAD_COLUMNS = 8,
    VMP_LOG_HEAD_END_LINE = 16,
};

enum { /* SESSION.mode */
    VMP_LOG_MODE_WALL = 1,
    VMP_LOG_MODE_MEMORY = 2,
    VMP_LOG_MODE_LINES = 4, /* a wish of the user for the views; lines are always there */
    VMP_LOG_MODE_NATIVE = 8,
};

enum { /* SAMPLES.columns */
    VMP_LOG_COLUMN_WEIGHT = 1,
    VMP_LOG_COLUMN_RSS = 2,
    VMP_LOG_COLUMN_FLAGS = 4,
};

enum { /* flags of one sample */
    VMP_LOG_FLAG_HAS_GIL = 1,
    VMP_LOG_FLAG_WAITS_FOR_GIL = 2,
    VMP_LOG_FLAG_GC = 4,
    VMP_LOG_FLAG_JIT = 8,
    VMP_LOG_FLAG_OFF_CPU = 16,
};

/* Why a tick was not recorded; the texts are what `info` shows. */
#define VMP_LOG_LOSS_LIST(X)                                                                       \
    X(VMP_LOG_LOSS_RING_FULL, "ring_full")                                                         \
    X(VMP_LOG_LOSS_NO_SLOT, "no_thread_slot")                                                      \
    X(VMP_LOG_LOSS_UNREADABLE, "unreadable_memory")                                                \
    X(VMP_LOG_LOSS_CORRUPT, "inconsistent_stack")                                                  \
    X(VMP_LOG_LOSS_STOPPED, "stopping")                                                            \
    X(VMP_LOG_LOSS_WRITE, "write_failed")                                                          \
    X(VMP_LOG_LOSS_UNDELIVERED, "not_delivered")                                                   \
    X(VMP_LOG_LOSS_SIGNAL_STACK, "signal_stack_full")

enum vmp_log_loss {
#define VMP_LOG_LOSS_ENUM(name, text) name,
    VMP_LOG_LOSS_LIST(VMP_LOG_LOSS_ENUM)
#undef VMP_LOG_LOSS_ENUM
        VMP_LOG_LOSS_COUNT
};

#endif
