#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli.h"
#include "term_text.h"

/* What a shell shows for a process that a signal ended: 128 + its number. */
enum { STATUS_SIGNAL = 128 };

void
vmp_cli_output_open(vmp_cli_output *o, enum vmp_term_color color)
{
    vmp_out_init(&o->out, STDOUT_FILENO);
    vmp_term_init(&o->term, STDOUT_FILENO, color);
}

/* The reader has gone: ends as if SIGPIPE had never been ignored (Python starts
 * its children with it ignored). */
static _Noreturn void
die_of_pipe(void)
{
    signal(SIGPIPE, SIG_DFL);
    raise(SIGPIPE);
    _exit(STATUS_SIGNAL + SIGPIPE);
}

int
vmp_cli_output_close(vmp_cli_output *o, int status)
{
    vmp_err err = {0};
    int rc = vmp_out_flush(&o->out, &err);
    vmp_out_fini(&o->out);
    if (rc == 0)
        return status;
    if (err.os_errno == EPIPE)
        die_of_pipe();
    return vmp_cli_fail("standard output: %s", err.text);
}

/* Puts "vmprof: TEXT\n" and, if command is not NULL, where help is. */
static void
complain(const char *fmt, va_list args, const char *help)
{
    enum { MOST = 4096 };
    char text[MOST];
    vmp_out o;
    vmp_term t;
    vsnprintf(text, sizeof(text), fmt, args);
    vmp_out_init(&o, STDERR_FILENO);
    vmp_term_init(&t, STDERR_FILENO, VMP_TERM_COLOR_AUTO);
    vmp_out_text(&o, "vmprof: ");
    vmp_term_clean(&o, &t, vmp_str_from(text));
    vmp_out_text(&o, "\n");
    vmp_out_text(&o, help);
    vmp_out_flush(&o, NULL);
    vmp_out_fini(&o);
}

int
vmp_cli_fail(const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    complain(fmt, args, "");
    va_end(args);
    return VMP_CLI_FAILED;
}

void
vmp_cli_note(const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    complain(fmt, args, "");
    va_end(args);
}

int
vmp_cli_usage(const char *command, const char *fmt, ...)
{
    char help[96];
    va_list args;
    snprintf(help, sizeof(help), "Try 'vmprof %s%s--help'.\n", command ? command : "",
        command ? " " : "");
    va_start(args, fmt);
    complain(fmt, args, help);
    va_end(args);
    return VMP_CLI_USAGE;
}
