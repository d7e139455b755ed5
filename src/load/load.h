/* Reads a log into a profile.
 *
 * The kind of log is told by its first bytes: vmprof's own, or that of vmprof
 * before 1.0 and of PyPy; either may be packed by gzip. A log that was cut loads up to
 * the cut (profile->cut); several logs one after the other in one file load as
 * one profile with several processes. Damage in the middle is an error that
 * tells the byte offset: a profile is never silently partial. Memory is bounded
 * by what is defined in the log, not by the number of samples, unless they are
 * kept one by one. */
#ifndef VMP_LOAD_H
#define VMP_LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "profile.h"

typedef struct vmp_load_options {
    bool keep_samples; /* one by one, for vmp_profile.samples */
    /* Called now and then (about every 256 KiB of log) with the bytes read so
     * far, and once at the end; NULL for none. */
    void (*progress)(void *ctx, uint64_t bytes_done);
    void *progress_ctx;
    /* Of logs of vmprof 0.6, where a sample stands for the time since the one
     * before: the longest, the rest is lost. 0: one second. */
    uint64_t max_gap_ns;
} vmp_load_options;

/* Loads what can be read from fd, which may be a pipe and stays the caller's.
 * options may be NULL.
 * Errors: -VMP_EIO (err->os_errno), -VMP_ENOMEM, -VMP_EFORMAT (empty, or not a
 * log; the text says what it looks like), -VMP_EVERSION, -VMP_ECORRUPT
 * (err->where: byte offset, of a packed log in what is unpacked), -VMP_ELIMIT,
 * -VMP_EUNSUPPORTED (packed in a way that this build does without). */
int vmp_load_fd(vmp_profile **ret_p, int fd, const vmp_load_options *options, vmp_err *err);

/* The same over bytes, which are not needed afterwards. */
int vmp_load_bytes(
    vmp_profile **ret_p, const void *p, size_t n, const vmp_load_options *options, vmp_err *err);

/* Takes the next n bytes. Returns 0 or an error, which ends the work. */
typedef int vmp_load_put(void *ctx, const void *p, size_t n, vmp_err *err);

/* Gives a log, of any kind that loads, as a log that loads without zstd and zlib
 * and gives the same profile. Its records are not looked into, so that an error
 * in them is found only when it is loaded.
 * Errors: as vmp_load_bytes, and those of `put`. */
int vmp_load_plain(const void *p, size_t n, vmp_load_put *put, void *ctx, vmp_err *err);

#endif
