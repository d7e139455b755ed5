/* What the files of this room share. */
#ifndef VMP_COLUMNS_INTERNAL_H
#define VMP_COLUMNS_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>

#include "buf.h"
#include "columns.h"
#include "err.h"
#include "profile.h"

enum { VMP_COLUMNS_MAX = 16 };

typedef struct vmp_column {
    const void *p;
    uint64_t size_bytes;
    void *owned; /* to be freed; NULL: borrowed */
} vmp_column;

struct vmp_columns {
    uint32_t count;
    vmp_column at[VMP_COLUMNS_MAX];
    bool failed; /* there was no memory for a column */
};

/* Each adds one column, or sets c->failed. */

/* Zeroed and to be filled; NULL on failure. */
void *vmp_columns_new(vmp_columns *c, size_t rows, size_t row_bytes);
/* Of the profile's own. */
void vmp_columns_borrow(vmp_columns *c, const void *p, size_t rows, size_t row_bytes);
void vmp_columns_copy(vmp_columns *c, const void *p, size_t rows, size_t row_bytes);
/* What is in b, which is empty afterwards. */
void vmp_columns_take(vmp_columns *c, vmp_buf *b);

/* Hands the columns over, or frees them and fills *error: rc is that of the view. */
int vmp_columns_finish(vmp_columns **ret_c, vmp_columns **c, int rc, vmp_column_error *error);

/* Fills *error from a negative rc and, where there is one, its detail. Returns rc. */
int vmp_columns_fail(vmp_column_error *error, int rc, const vmp_err *err);

#endif
