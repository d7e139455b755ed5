/* The log of PyPy's JIT: which loops were traced and compiled, into what, and
 * how often each was entered. The format is in the comment of jitlog_read.c.
 *
 * Indices are of the arrays below and begin at 1; 0 means none. All belongs to
 * the vmp_jitlog and lives until vmp_jitlog_free. */
#ifndef VMP_JITLOG_H
#define VMP_JITLOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "intern.h"
#include "str.h"

enum {
    VMP_JITLOG_MAX_BYTES = 1 << 30,
    VMP_JITLOG_MAX_ENTRIES = 1 << 24,
    VMP_JITLOG_MAX_TRACES = 1 << 20,
    VMP_JITLOG_MAX_LINES = 1 << 22,
    VMP_JITLOG_MAX_NAME = 4096,           /* bytes of a string of a merge point */
    VMP_JITLOG_MAX_NAMES_BYTES = 1 << 26, /* of all different ones */
};

/* A piece of the log; vmp_jitlog_text gives its bytes. */
typedef struct vmp_jitlog_piece {
    uint32_t at, n;
} vmp_jitlog_piece;

enum vmp_jitlog_stage {
    VMP_JITLOG_NOOPT, /* as traced */
    VMP_JITLOG_OPT,   /* optimized */
    VMP_JITLOG_ASM,   /* as handed to the assembler, with the machine code */
    VMP_JITLOG_STAGE_COUNT
};

enum vmp_jitlog_type {
    VMP_JITLOG_UNKNOWN, /* its beginning is not in the log */
    VMP_JITLOG_LOOP,
    VMP_JITLOG_BRIDGE,
};

enum vmp_jitlog_entry_kind {
    VMP_JITLOG_OP,
    VMP_JITLOG_POINT,  /* where in the program the operations behind it are */
    VMP_JITLOG_INPUTS, /* variables that come in */
};

/* One line of a stage. */
typedef struct vmp_jitlog_entry {
    uint32_t next;  /* in the same stage */
    uint32_t trace; /* whose it is */
    uint8_t kind;   /* enum vmp_jitlog_entry_kind */
    uint8_t stage;
    bool guard;             /* its name begins with "guard_" */
    uint32_t name;          /* of an operation; vmp_jitlog_string */
    uint32_t point;         /* of a point: itself; else where it is from, or 0 */
    uint32_t bridge;        /* of a guard: the trace that goes on where it fails, or 0 */
    vmp_jitlog_piece args;  /* of an operation "result,arg0,...,descr", of inputs "v0,v1,..." */
    vmp_jitlog_piece fails; /* of a guard: the variables that it saves */
    vmp_jitlog_piece code;  /* machine code */
    uint64_t descr;         /* number of its descr, or 0 */
    uint64_t count;         /* of a guard: how often its bridge was entered; of a label: passed */
} vmp_jitlog_entry;

typedef struct vmp_jitlog_point {
    uint32_t file, function, opcode; /* vmp_jitlog_string; 0: not told */
    uint32_t line;                   /* from 1; 0: not told */
    uint64_t index;                  /* of the bytecode */
} vmp_jitlog_point;

/* A line of the program's source, which vmprof-python put there before it uploaded. */
typedef struct vmp_jitlog_line {
    uint32_t file; /* vmp_jitlog_string */
    uint32_t line;
    vmp_jitlog_piece text; /* without the spaces before it: */
    uint8_t indent;        /* columns */
} vmp_jitlog_line;

typedef struct vmp_jitlog_part {
    uint32_t first, last; /* entries; a list by `next` */
    uint32_t ops, points; /* how many of them */
    uint32_t guards;      /* among the operations */
} vmp_jitlog_part;

typedef struct vmp_jitlog_trace {
    uint64_t id;
    enum vmp_jitlog_type type;
    bool entry_bridge; /* a loop that is entered from the interpreter to go on in another */
    bool aborted;
    uint64_t descr;          /* of a bridge: the guard that failed */
    vmp_jitlog_piece driver; /* name of the jitdriver; empty before version 2 */
    vmp_jitlog_part stages[VMP_JITLOG_STAGE_COUNT];
    uint32_t point;      /* the first: where it begins; 0: not told */
    uint32_t guard;      /* of a bridge: the entry that it starts from */
    uint64_t entered;    /* how often; of a bridge, how often its guard failed into it */
    bool has_entered;    /* the log tells */
    uint64_t start, end; /* addresses of the machine code, or 0 */
} vmp_jitlog_trace;

typedef struct vmp_jitlog {
    uint32_t version; /* 1 to 4; 0 where the header itself is cut */
    bool is_32bit;
    vmp_jitlog_piece machine;
    bool cut;        /* it ends inside a record, or ended by an error of reading: */
    uint64_t cut_at; /* offset of that record */

    vmp_jitlog_trace *traces; /* in the order of the log */
    uint32_t trace_count;     /* with the unused [0]; so below */
    vmp_jitlog_entry *entries;
    uint32_t entry_count;
    vmp_jitlog_point *points;
    uint32_t point_count;
    vmp_jitlog_line *lines; /* of files that points are in; vmp_jitlog_line_at finds one */
    uint32_t line_count;

    uint64_t unknown_counters; /* of traces, guards and labels that are not in the log */
    uint64_t unknown_stitches; /* bridges or guards that are not in the log */
    uint64_t redirects;        /* calls of assembler that got another target */
    uint64_t callbacks;        /* stand-ins that were compiled for such calls */

    uint8_t *bytes; /* the log */
    size_t byte_count;
    vmp_intern strings;
    vmp_pairs line_ids; /* (file, line) -> index of lines */
} vmp_jitlog;

/* Reads a log of version 1 to 4 from fd (may be a pipe; stays the caller's).
 * What is there of a cut log is read (ret->cut).
 * Errors: -VMP_EIO, -VMP_ENOMEM, -VMP_EFORMAT (empty, or no jitlog),
 * -VMP_EVERSION, -VMP_ECORRUPT (err->where: offset of the record; the text says
 * it too), -VMP_ELIMIT. Memory: the log and about 140 bytes for each record,
 * within the limits above. */
int vmp_jitlog_read_fd(vmp_jitlog **ret_j, int fd, vmp_err *err);
/* The same over bytes, which are copied. */
int vmp_jitlog_read_bytes(vmp_jitlog **ret_j, const void *p, size_t n, vmp_err *err);
void vmp_jitlog_free(vmp_jitlog **j);

static inline vmp_str
vmp_jitlog_text(const vmp_jitlog *j, vmp_jitlog_piece piece)
{
    return (vmp_str){(const char *)j->bytes + piece.at, piece.n};
}

static inline vmp_str
vmp_jitlog_string(const vmp_jitlog *j, uint32_t id)
{
    return vmp_intern_text(&j->strings, id);
}

/* "noopt", "opt", "asm"; "loop", "bridge", "unknown". */
const char *vmp_jitlog_stage_name(enum vmp_jitlog_stage stage);
const char *vmp_jitlog_type_name(enum vmp_jitlog_type type);

/* The line of a file (vmp_jitlog_string) as the log has it, or NULL. */
const vmp_jitlog_line *vmp_jitlog_line_at(const vmp_jitlog *j, uint32_t file, uint32_t line);

/* The last trace with this id, or 0. */
uint32_t vmp_jitlog_find(const vmp_jitlog *j, uint64_t id);

/* All traces, the most entered first; to be freed by free(). NULL: no memory. */
uint32_t *vmp_jitlog_by_entered(const vmp_jitlog *j, size_t *ret_n);

/* The guards that were counted, by falling count; to be freed by free().
 * Returns 0 or -VMP_ENOMEM. */
int vmp_jitlog_guards(const vmp_jitlog *j, uint32_t **ret_entries, size_t *ret_n);

#endif
