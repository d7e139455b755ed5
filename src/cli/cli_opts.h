/* Options of a command: one table gives the parser and the help text.
 *
 * Taken are --name value, --name=value, -x value, options before and after the
 * arguments, and names with underscores for dashes (--prune_percent, the old
 * spelling). After "--" everything is an argument. */
#ifndef VMP_CLI_OPTS_H
#define VMP_CLI_OPTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "out.h"
#include "str.h"
#include "term.h"

enum vmp_opt_kind {
    VMP_OPT_FLAG,   /* bool */
    VMP_OPT_LIST,   /* vmp_opt_list, given any number of times */
    VMP_OPT_UINT,   /* uint64_t */
    VMP_OPT_DOUBLE, /* double */
    VMP_OPT_CHOICE, /* int: index into choices */
};

typedef struct vmp_opt_list {
    vmp_str *p; /* borrowed from argv */
    size_t n, cap;
} vmp_opt_list;

typedef struct vmp_opt {
    const char *name; /* with dashes */
    char letter;      /* 0: none */
    enum vmp_opt_kind kind;
    size_t offset;              /* of the value in the struct that is filled */
    const char *argument;       /* its name in the help; NULL for flags */
    const char *const *choices; /* of a choice, ended by NULL */
    double least, most;         /* of a number */
    uint32_t views;             /* bits: where it has an effect; 0: everywhere */
    const char *help;
} vmp_opt;

typedef struct vmp_opts_result {
    vmp_opt_list arguments; /* what is no option, in order */
    uint64_t seen;          /* bit i: opts[i] was given */
} vmp_opts_result;

enum { VMP_OPTS_MAX = 64 };

/* Fills the struct at `values` (defaults are the caller's) from argv[1] on.
 * Returns 0, -VMP_ENOMEM, or -VMP_EINVAL with a line for people in *err. The
 * result, and each list in values, is for vmp_opt_list_fini in any case. */
int vmp_opts_parse(const vmp_opt *opts, size_t n, void *values, int argc, char **argv,
    vmp_opts_result *ret_result, vmp_err *err);
void vmp_opt_list_fini(vmp_opt_list *list);

/* Appends the options, one or more lines each. */
void vmp_opts_help(vmp_out *o, const vmp_term *t, const vmp_opt *opts, size_t n);

#endif
