/* States of samples as text: a line for all, columns for rows. */
#ifndef VMP_TERM_STATES_H
#define VMP_TERM_STATES_H

#include "report.h"
#include "term_views.h"

/* The columns that rows have, in the order in which a stack of them is shown. */
enum {
    VMP_STATE_COLUMN_JIT,
    VMP_STATE_COLUMN_GC, /* minor and major */
    VMP_STATE_COLUMN_WARM_UP,
    VMP_STATE_COLUMN_INTERPRETER,
    VMP_STATE_COLUMN_NATIVE, /* only where a profile has any */
    VMP_STATE_COLUMNS
};

typedef struct vmp_state_column {
    const char *title; /* short, ASCII */
    const char *word;  /* for a line of text */
    enum vmp_style style;
} vmp_state_column;

extern const vmp_state_column vmp_state_columns[VMP_STATE_COLUMNS];

/* How many columns there are: without NATIVE if no sample is. */
size_t vmp_state_column_count(const vmp_report_states *all);

/* Share of a column in all states of a row, percent; 0 of nothing. */
double vmp_state_percent(const vmp_report_states *row, size_t column);

/* Style of such a share: small ones are faint. */
enum vmp_style vmp_state_style(size_t column, double percent);

/* "JIT 61.2 %  GC 20.1 %  ..." as a line, and what it leaves out. */
void vmp_state_summary(const vmp_view *v, const vmp_report_states *all);

#endif
