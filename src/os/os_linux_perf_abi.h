/* The parts of the perf_event and siginfo ABI that are younger than the headers
 * that we may be compiled with.
 * Source: Linux 5.13 include/uapi/linux/perf_event.h (PERF_ATTR_SIZE_VER7) and
 * include/uapi/asm-generic/siginfo.h (_sigfault._perf). */
#ifndef VMP_OS_LINUX_PERF_ABI_H
#define VMP_OS_LINUX_PERF_ABI_H

#include <signal.h>
#include <stdint.h>
#include <string.h>

typedef struct vmp_perf_attr {
    uint32_t type, size;
    uint64_t config, sample_period, sample_type, read_format;
    uint64_t flags; /* the bit-field of the kernel's struct, VMP_PERF_* */
    uint32_t wakeup_events, bp_type;
    uint64_t config1, config2, branch_sample_type, sample_regs_user;
    uint32_t sample_stack_user;
    int32_t clockid;
    uint64_t sample_regs_intr;
    uint32_t aux_watermark;
    uint16_t sample_max_stack, reserved_2;
    uint32_t aux_sample_size, reserved_3;
    uint64_t sig_data; /* 128 bytes up to here: PERF_ATTR_SIZE_VER7 */
} vmp_perf_attr;

_Static_assert(sizeof(vmp_perf_attr) == 128, "PERF_ATTR_SIZE_VER7");

/* Positions in the bit-field, counted from the lowest bit (little-endian). */
static const uint64_t VMP_PERF_DISABLED = 1ull << 0;
static const uint64_t VMP_PERF_INHERIT = 1ull << 1;
static const uint64_t VMP_PERF_EXCLUDE_KERNEL = 1ull << 5;
static const uint64_t VMP_PERF_EXCLUDE_HV = 1ull << 6;
static const uint64_t VMP_PERF_INHERIT_THREAD = 1ull << 35;
static const uint64_t VMP_PERF_REMOVE_ON_EXEC = 1ull << 36;
static const uint64_t VMP_PERF_SIGTRAP = 1ull << 37;

enum { VMP_TRAP_PERF = 6 };

/* os_linux_perf.c: of an event that ticks. */
vmp_perf_attr vmp_perf_clock_attr(uint64_t interval_ns, uint64_t payload, uint64_t flags);

/* si_perf_data follows si_addr in the union: an unsigned long. */
static inline uint64_t
vmp_perf_siginfo_data(const siginfo_t *info)
{
    unsigned long data;
    memcpy(&data, (const char *)&info->si_addr + sizeof(void *), sizeof(data));
    return data;
}

#endif
