/* What the two instances of walk_tmpl.c define their loads with. */
#ifndef VMP_PY_WALK_INTERNAL_H
#define VMP_PY_WALK_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>

/* What a layout asks of the loop; always a constant expression. */
typedef struct walk_shape {
    bool pointer; /* the instruction is a pointer, else an int */
    bool owner;   /* frames say who owns them, and some are shims */
    bool entry;   /* frames say whether they are the bottom of a C eval call */
    bool type;    /* each code object's type is compared */
    bool tlbc;
} walk_shape;

typedef struct walk_raw {
    uint64_t back, code;
    uint64_t instr; /* pointer, or f_lasti sign-extended */
    uint32_t tlbc_index;
    uint8_t owner, entry;
} walk_raw;

#endif
