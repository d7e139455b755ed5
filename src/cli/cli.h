/* The `vmprof` binary: what its commands share.
 *
 * Exit status of every command: 0 good, 1 it did not work (one line on standard
 * error says why), 2 it was called wrongly; a closed pipe ends it quietly, as
 * SIGPIPE does. */
#ifndef VMP_CLI_H
#define VMP_CLI_H

#include "out.h"
#include "profile.h"
#include "term.h"

enum { VMP_CLI_FAILED = 1, VMP_CLI_USAGE = 2 };

typedef struct vmp_cli_command {
    const char *name;
    const char *arguments; /* for the usage line */
    const char *summary;   /* one line */
    /* argv[0] is the command's name. Returns the exit status. */
    int (*run)(int argc, char **argv);
} vmp_cli_command;

/* All commands, ended by a NULL name: one file per command, one line here. */
extern const vmp_cli_command vmp_cli_commands[];

int vmp_cli_show(int argc, char **argv);
int vmp_cli_stats(int argc, char **argv);
int vmp_cli_diff(int argc, char **argv);
int vmp_cli_convert(int argc, char **argv);
int vmp_cli_report(int argc, char **argv);
int vmp_cli_jit(int argc, char **argv);
int vmp_cli_serve(int argc, char **argv);
int vmp_cli_upload(int argc, char **argv);
int vmp_cli_help(int argc, char **argv);
int vmp_cli_version(int argc, char **argv);

/* The command of this name, or NULL. */
const vmp_cli_command *vmp_cli_find(const char *name);

/* Standard output and what it can show. */
typedef struct vmp_cli_output {
    vmp_out out;
    vmp_term term;
} vmp_cli_output;

void vmp_cli_output_open(vmp_cli_output *o, enum vmp_term_color color);
/* Writes the rest. Returns `status`, or VMP_CLI_FAILED with a line on standard
 * error if it could not be written; does not return if the pipe is closed. */
int vmp_cli_output_close(vmp_cli_output *o, int status);

/* Put "vmprof: ...\n" on standard error; what is not fit for a terminal is
 * replaced. Return VMP_CLI_FAILED and VMP_CLI_USAGE. */
int vmp_cli_fail(const char *fmt, ...) VMP_PRINTF(1, 2);
int vmp_cli_usage(const char *command, const char *fmt, ...) VMP_PRINTF(2, 3);
/* The same line with no status: a remark. */
void vmp_cli_note(const char *fmt, ...) VMP_PRINTF(1, 2);

/* Loads the log at path ("-": standard input), with a bar on standard error if
 * it takes long; a cut log gets a note there. keep_samples: one by one. NULL: it
 * failed, and a line on standard error says why. */
vmp_profile *vmp_cli_load(const char *path, bool keep_samples);

/* Says how a log ended if that was not clean; `taking`: it is made into another file. */
void vmp_cli_note_end(const char *path, const vmp_profile *p, bool taking);

/* Says that a jitlog is cut at this byte. */
void vmp_cli_note_cut_jitlog(const char *path, uint64_t at);

/* Refuses an output that is a file which is read, by whatever path or link; input NULL or
 * "-": none. Returns 0 or VMP_CLI_USAGE. */
int vmp_cli_check_output(const char *command, const char *output, const char *input);

/* Refuses two logs that are both standard input. Returns 0 or VMP_CLI_USAGE. */
int vmp_cli_check_inputs(const char *command, const char *before, const char *after);

/* What a log tells time by; one without a process tells none. */
enum vmp_cli_clock { VMP_CLI_CLOCK_NONE, VMP_CLI_CLOCK_CPU, VMP_CLI_CLOCK_WALL };
enum vmp_cli_clock vmp_cli_clock_of(const vmp_profile *p);
/* Refuses to compare a log of wall time with one of CPU time. Returns 0 or
 * VMP_CLI_FAILED. */
int vmp_cli_check_clocks(const char *const paths[2], const enum vmp_cli_clock clocks[2]);

/* Writes what `produce` makes of a log to the file at `path`, which is there only
 * when it is whole; "-" is standard output. Returns the exit status. */
typedef int vmp_cli_produce(vmp_out *o, void *ctx, vmp_err *err);
int vmp_cli_write(const char *path, const char *log, vmp_cli_produce *produce, void *ctx);

/* Removes the log at `path`, the logs of its forks beside it (PATH.*), and the folder
 * if it is then empty: the clean-up behind a program that died of a signal and cannot
 * do it. What cannot be removed stays: what was shown is what was asked for. */
void vmp_cli_remove_logs(const char *path);

#endif
