/* What the sampler asks of the operating system: clocks, timers, threads.
 *
 * One contract, one file per platform and matter (os_linux_*.c). Times are
 * nanoseconds; a tid is the kernel's thread id. */
#ifndef VMP_OS_H
#define VMP_OS_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "compiler.h"
#include "err.h"

/* ---- clocks ---- */
VMP_SIGSAFE int64_t vmp_os_mono_ns(void);
int64_t vmp_os_unix_ns(void);
/* CPU time of the calling thread; a system call (about 0.4 us). */
VMP_SIGSAFE uint64_t vmp_os_own_cpu_ns(void);
/* How often the calling thread gave up its CPU to sleep, 0 if it may not be asked; a system
 * call (about 0.3 us). */
VMP_SIGSAFE uint64_t vmp_os_own_switches(void);
/* CPU time of any thread of this process. -VMP_EINVAL if it is gone. */
int vmp_os_thread_cpu_ns(pid_t tid, uint64_t *ret_ns);
uint64_t vmp_os_process_cpu_ns(void);
/* Kernel's tick, ns: CPU-time timers fire no more often than this. */
uint64_t vmp_os_tick_ns(void);

/* ---- descriptors of ours in the program's process ---- */
/* How many descriptors the process may have, at most INT_MAX. */
int vmp_os_fd_limit(void);
/* Moves a descriptor of ours above the low numbers and sets close-on-exec, so
 * that the program gets the numbers that it would get without us. Returns the
 * new descriptor, or the old one if there is no room. */
VMP_SIGSAFE int vmp_os_fd_high(int fd);
enum { VMP_OS_LEAST_HIGH = 32 }; /* from which on a number counts as high */
/* True if fd still is what fstat told then: the program may have put another there. */
struct stat;
VMP_SIGSAFE bool vmp_os_fd_is_file(int fd, const struct stat *file);
/* Reads the start of a file of /proc as text (size > 1); false, and "", if there is none. */
bool vmp_os_proc_read(const char *path, char *text, size_t size);

/* A file of /proc for who reads it again and again. One that is opened and closed each time has
 * the lowest free number for a moment, which the program may be giving to a file of its own just
 * then: its dup2 fails with EBUSY, or its file is what our close() closes. This one is opened
 * once and stands high. The program may have closed all descriptors, and have a file by the same
 * number: that is left alone, and ours opened again. All zero: not open. */
typedef struct vmp_os_kept {
    bool open;
    int fd;
    uint64_t device, inode;
} vmp_os_kept;
bool vmp_os_kept_open(vmp_os_kept *k, const char *path);
/* Takes a descriptor that is `file` (what fstat told just after it was opened) and moves it high.
 * False if it is none of ours any more. */
VMP_SIGSAFE bool vmp_os_kept_take(vmp_os_kept *k, int fd, const struct stat *file);
/* False where the program has closed it, whatever has its number now. One fstat (0.2 us). */
VMP_SIGSAFE bool vmp_os_kept_is_ours(const vmp_os_kept *k);
/* The same, and what that fstat told. */
VMP_SIGSAFE bool vmp_os_kept_stat(const vmp_os_kept *k, struct stat *ret_now);
/* After use: closes one for which there was no high number. */
void vmp_os_kept_rest(vmp_os_kept *k);
VMP_SIGSAFE void vmp_os_kept_close(vmp_os_kept *k);
/* As vmp_os_proc_read, opening it if need be. */
bool vmp_os_kept_read(vmp_os_kept *k, const char *path, char *text, size_t size);
/* The same from a byte of the file on. */
bool vmp_os_kept_read_at(
    vmp_os_kept *k, const char *path, uint64_t offset, char *text, size_t size);

/* ---- threads of this process ---- */
VMP_SIGSAFE pid_t vmp_os_own_tid(void);
/* Number of threads (one stat of /proc/self/task), or 0 where unknown. */
uint32_t vmp_os_thread_count(void);
/* The same by what vmp_os_thread_list_by keeps, without a walk through /proc, which is dear for a
 * thread that comes by ten times a second. */
uint32_t vmp_os_thread_count_by(const vmp_os_kept *by);
/* What thread-local variables of all that is loaded take at most; the C library puts those of what
 * the program began with onto each thread's stack. Takes the loader's lock: not for a forked child.
 */
size_t vmp_os_thread_locals_bytes(void);
/* Fills tids (at most cap), returns how many there are, which may exceed cap;
 * 0 where /proc is not there, or is another pid namespace's. */
size_t vmp_os_thread_list(pid_t *tids, size_t cap);
/* The same for who lists them again and again. */
size_t vmp_os_thread_list_by(vmp_os_kept *by, pid_t *tids, size_t cap);
/* Reads the start of /proc/self/task/TID/NAME as text (size > 1); false if there is none. */
bool vmp_os_thread_file_read(pid_t tid, const char *name, char *text, size_t size);
/* What is read of a thread below, kept open; where NULL is given for it, opened for the moment.
 * All zero: nobody's. */
typedef struct vmp_os_thread_files {
    pid_t tid;
    vmp_os_kept stat, schedstat;
} vmp_os_thread_files;
void vmp_os_thread_files_open(vmp_os_thread_files *f, pid_t tid);
void vmp_os_thread_files_close(vmp_os_thread_files *f);
/* True if the thread runs or waits for a CPU; false where /proc does not tell. */
bool vmp_os_thread_is_runnable(vmp_os_thread_files *files, pid_t tid);
/* True if the thread is on a run queue, does not block signal `signo` (1 to 31), and
 * has none pending, in which a second one would vanish. Where /proc does not tell:
 * if the thread exists. */
bool vmp_os_thread_takes(vmp_os_thread_files *files, pid_t tid, int signo);
/* True if the thread blocks that signal and has one pending; false where /proc does not
 * tell. */
bool vmp_os_thread_holds(vmp_os_thread_files *files, pid_t tid, int signo);
/* Asks for a CPU soon after each waking of the calling thread, which is to run
 * briefly; needs no right, and does nothing where the kernel knows no such thing. */
void vmp_os_thread_hurry(void);
/* How long the thread has waited for a CPU so far, able to run, in ns, and how often it
 * got one; 0 where the kernel does not tell. */
void vmp_os_thread_waited(
    vmp_os_thread_files *files, pid_t tid, uint64_t *ret_ns, uint64_t *ret_turns);
/* Sends signo with SI_QUEUE and `payload` in si_value to one thread. */
int vmp_os_thread_signal(pid_t tid, int signo, void *payload);

/* ---- resident memory ---- */
/* Opens the descriptor that vmp_os_rss_kb reads; kept out of the way of the
 * program's own low descriptors. -VMP_EUNSUPPORTED without /proc. */
int vmp_os_rss_open(vmp_os_kept *k, vmp_err *err);
/* Resident set of this process in KiB, 0 on failure. One pread. */
VMP_SIGSAFE uint64_t vmp_os_rss_kb(int fd);

/* ---- timers that are perf events ----
 * A task-clock software event that sends SIGTRAP (si_code TRAP_PERF) to the
 * thread each time it has used interval_ns of CPU. The kernel delivers it on the
 * way back to user mode, so no system call is interrupted. Threads that a
 * covered thread creates are covered too. A tick that falls into the kernel is
 * delivered at the end of the system call, if need be after the event was closed:
 * see vmp_sampler's lingering handler.
 * Source: Linux 5.13 include/uapi/linux/perf_event.h (sigtrap, inherit_thread). */
enum { VMP_OS_PERF_SIGNAL = SIGTRAP };
/* Errors: -VMP_EUNSUPPORTED (no such system call, forbidden, too old),
 * err->os_errno tells. */
int vmp_os_perf_open(
    int *ret_fd, pid_t tid, uint64_t interval_ns, uint64_t payload, bool user_only, vmp_err *err);
/* One that no thread inherits, or -VMP_EUNSUPPORTED where the lowest free descriptor is not below
 * `below`: the program needs its own. off: it waits for vmp_os_perf_refresh. */
int vmp_os_perf_open_own(int *ret_fd, int below, pid_t tid, uint64_t interval_ns, uint64_t payload,
    bool user_only, bool off, vmp_err *err);
/* Turns the event on for so many ticks more, and off with the last, whose signal may be dropped.
 * Source: Linux 6.1 kernel/events/core.c (event_sched_out forgets what is pending of an event that
 * is off); seen on 6.18. Only where vmp_os_perf_stops_itself. */
VMP_SIGSAFE void vmp_os_perf_refresh(int fd, int ticks);
/* Whether an event may turn itself off here, by the kernel's release. Where it is not known, no:
 * on the wrong kernel the processor stands still for ever, and the machine with it. */
bool vmp_os_perf_stops_itself(void);
/* The same for a release as uname tells it. Linux 6.16 (from .8 on, taken as all) up to 6.17.7, and
 * what came before 6.18, wait in a timer's interrupt for its end. Distributions that number all of
 * theirs 6.17.0 count as that.
 * Source: Linux 18dbcbfabfff (stops an event in its own interrupt), eb3182ef0405 (mends that: 6.18,
 * 6.17.8). */
bool vmp_os_release_stops_itself(const char *release);
/* Whether perf's ticks may come to threads that block their signal. Where they kill the process for
 * that, -VMP_EUNSUPPORTED: before any event is opened. What was found out is kept in *known; under
 * most numbers of kernels there is nothing to find out. -VMP_EUNSUPPORTED too where it cannot be
 * found out, and where the kernel gives no such event. */
typedef enum vmp_os_blocked {
    VMP_OS_BLOCKED_UNKNOWN,
    VMP_OS_BLOCKED_LIVES,
    VMP_OS_BLOCKED_DIES,
} vmp_os_blocked;
int vmp_os_perf_check(vmp_os_blocked *known, bool user_only, vmp_err *err);
/* What it asks where the release does not tell: the names of the kernel's functions, in that file;
 * UNKNOWN if they do not tell either. */
vmp_os_blocked vmp_os_names_tell_blocked(const char *path);
/* And then a process of which the program does not notice (os_linux_perf_check.c). 1 if a process
 * dies in which perf ticks while it blocks the signal, 0 if not, or -VMP_EUNSUPPORTED. For tests,
 * `block` may be false: it dies then. */
int vmp_os_perf_try_blocked(bool block, vmp_err *err);
/* Whether threads may block the signal in a kernel of this release, as uname tells it: false where
 * the number does not tell. Source: Linux 78ed93d72ded (5.19, 5.18.3, 5.17.14, 5.15.46); before it
 * 97ba62b27867 (5.13), which distributions have put into older ones. */
bool vmp_os_release_bears_blocked(const char *release);
/* An event that never ticks, with which a thread keeps its others: when the kernel switches from a
 * thread to one that it started, and all events of the first are inherited, it does not switch
 * the events but leaves them to the other, with what is over of their period, and where that one
 * ends they end. Errors: as above. */
int vmp_os_perf_open_apart(int *ret_fd, int below, pid_t tid, vmp_err *err);
/* Where the instruction ends of which the SIGTRAP with this ucontext may come. False where that
 * is not known of the processor. */
enum { VMP_OS_TRAP_BYTES = 2 }; /* the longest has */
VMP_SIGSAFE bool vmp_os_trap_end(const void *context, uint64_t *ret);
/* Whether it is one that traps, and no debugger's doing: by the bytes before that place and the
 * signal's code. */
VMP_SIGSAFE bool vmp_os_trap_is_own(const uint8_t before[VMP_OS_TRAP_BYTES], int code);
/* True if a debugger or strace is attached to this process: a SIGTRAP is theirs. */
bool vmp_os_is_traced(void);
/* The same, and how many threads there are, for who asks often. */
typedef struct vmp_os_status {
    bool traced;
    uint32_t threads; /* 0: unknown */
} vmp_os_status;
vmp_os_status vmp_os_status_read(vmp_os_kept *by);
/* Changes the period, of the thread named at open only. It begins anew. */
VMP_SIGSAFE void vmp_os_perf_set_interval(int fd, uint64_t interval_ns);
/* How much its thread has used while it ran, in ns, by the clock that makes the ticks; 0: unknown.
 */
VMP_SIGSAFE uint64_t vmp_os_perf_used_ns(int fd);
/* Stops or resumes the event and those inherited from it. */
void vmp_os_perf_enable(int fd, bool on);
/* True if fd still is a perf event (a program may close all descriptors). */
VMP_SIGSAFE bool vmp_os_perf_is_open(int fd);
/* True if the signal comes from a perf event; *ret is the event's payload. */
VMP_SIGSAFE bool vmp_os_perf_signal_payload(const siginfo_t *info, uint64_t *ret);

/* ---- timers on a thread's CPU clock, bound to the kernel's tick ---- */
typedef struct vmp_os_timer {
    void *id;
    bool armed;
} vmp_os_timer;
/* Fires first after first_ns, then each interval_ns. */
int vmp_os_timer_open(vmp_os_timer *ret_t, pid_t tid, uint64_t first_ns, uint64_t interval_ns,
    int signo, void *payload, vmp_err *err);
void vmp_os_timer_close(vmp_os_timer *t);
/* Expiries that this signal stands for beyond the one that it is. */
VMP_SIGSAFE uint32_t vmp_os_timer_overrun(const siginfo_t *info);

/* ---- stacks of signal handlers ---- */
/* Bytes that are left below the caller on the alternate stack that a handler with this third
 * argument runs on; SIZE_MAX if it runs on the thread's own. */
VMP_SIGSAFE size_t vmp_os_signal_stack_left(const void *context);
/* What the kernel puts there for each signal, at most. */
VMP_SIGSAFE size_t vmp_os_signal_frame_bytes(void);

/* ---- a handler of the program's, called by ours ----
 * As the kernel would: with the mask of what was interrupted, the action's, and the signal itself
 * without SA_NODEFER. The action is a function; SA_RESETHAND is the caller's to see to, SA_ONSTACK
 * and SA_RESTART only the kernel can. The old mask comes back when our handler returns. */
VMP_SIGSAFE void vmp_os_action_call(
    const struct sigaction *action, int signo, siginfo_t *info, void *context);
/* Whether it is a function: neither the default nor to be ignored, which the kernel tells by the
 * address alone, whatever the flags say. */
VMP_SIGSAFE static inline bool
vmp_os_action_is_function(const struct sigaction *action)
{
    return action->sa_handler != SIG_DFL && action->sa_handler != SIG_IGN;
}

/* ---- system calls that a signal of ours met ----
 * True if a handler with this third argument (NULL: none) interrupts its thread on the way
 * out of a system call. False on processors where it cannot be told (all but x86_64). */
VMP_SIGSAFE bool vmp_os_leaves_call(const void *context);
/* At the end of a handler with SA_RESTART, its third argument: where the interrupted
 * call is to be restarted although another signal waits that is to interrupt it, the
 * call ends with EINTR. The handler must have blocked that signal. Does nothing on
 * processors where it cannot be told (all but x86_64). */
VMP_SIGSAFE void vmp_os_restart_prevent(void *context);

/* ---- functions that loaded objects import ----
 * A function of the C library, in whose place another is to be called by all objects that are
 * loaded but the C library and the one that has the other. What calls it otherwise (by dlsym, by
 * a system call, from a static object) does not meet the other. */
enum { VMP_OS_IMPORTS_MOST = 8, VMP_OS_SYSTEM_MOST = 8 };
typedef struct vmp_os_import {
    const char *name;
    uintptr_t ours;
    uintptr_t real; /* as this object sees it, 0: not known */
} vmp_os_import;
/* What was found so far. All zero but for the first two: nothing. */
typedef struct vmp_os_imports {
    const vmp_os_import *imports; /* all of them are in one object, which stays for good */
    size_t import_count;
    uint64_t adds, subs; /* of objects, when last looked */
    uint32_t retries;    /* so many looks more, for objects that were not ready */
    struct vmp_os_object *done;
    size_t done_count, done_cap;
    struct {
        uintptr_t start;
        size_t bytes;
    } system[VMP_OS_SYSTEM_MOST]; /* code of the C library */
    size_t system_count;
} vmp_os_imports;
/* Looks at the objects that came since the last time; cheap where none did. For one thread at a
 * time. Takes the loader's lock, which a child that is forked meanwhile never gets: no thread may
 * fork meanwhile. */
void vmp_os_imports_look(vmp_os_imports *in);

/* ---- sleeping ---- */
/* Sleeps until the absolute monotonic time. */
void vmp_os_sleep_until(int64_t mono_ns);

#endif
