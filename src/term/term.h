/* What the receiver of the text can show: width, color, characters. */
#ifndef VMP_TERM_H
#define VMP_TERM_H

#include <stdbool.h>
#include <stddef.h>

#include "out.h"

typedef struct vmp_term {
    size_t width;  /* columns, VMP_TERM_MIN_WIDTH or more */
    bool color;    /* ANSI colors are welcome */
    bool utf8;     /* characters beyond ASCII can be shown */
    bool terminal; /* a terminal, not a file or pipe */
    bool lossless; /* no width was asked for (a file or pipe without COLUMNS): rows may be longer
                      than `width`, nothing is shortened */
} vmp_term;

enum {
    VMP_TERM_MIN_WIDTH = 40,
    VMP_TERM_MAX_WIDTH = 1000,
    VMP_TERM_TTY_WIDTH = 80,   /* a terminal that does not tell its width */
    VMP_TERM_FILE_WIDTH = 120, /* a file or pipe */
};

enum vmp_term_color { VMP_TERM_COLOR_AUTO, VMP_TERM_COLOR_ALWAYS, VMP_TERM_COLOR_NEVER };

/* Meanings, not colors: the palette is in one table of term.c. */
enum vmp_style {
    VMP_STYLE_PLAIN,
    VMP_STYLE_HEAD,  /* titles */
    VMP_STYLE_HOT,   /* a large share */
    VMP_STYLE_WARM,  /* a share to look at */
    VMP_STYLE_FAINT, /* small shares, rules, guides */
    VMP_STYLE_NAME,  /* functions */
    VMP_STYLE_PLACE, /* files and lines */
    VMP_STYLE_NOTE,  /* a warning */
    VMP_STYLE_JIT,   /* shares of states of an interpreter */
    VMP_STYLE_GC,
    VMP_STYLE_WARM_UP,
    VMP_STYLE_INTERPRETER,
    VMP_STYLE_COUNT
};

/* Sets LC_CTYPE from the environment (once, at the start of a program: it is
 * process-wide). Without it text is taken to be ASCII only. Where the named
 * UTF-8 locale is not installed, C.UTF-8 stands in for it. */
void vmp_term_locale(void);

/* Asks fd and the environment: COLUMNS, else the terminal's own width;
 * NO_COLOR (https://no-color.org), TERM=dumb; the locale's character set. */
void vmp_term_init(vmp_term *ret_t, int fd, enum vmp_term_color color);

/* Begins and ends a style; nothing without color. */
void vmp_term_style(vmp_out *o, const vmp_term *t, enum vmp_style style);
void vmp_term_plain(vmp_out *o, const vmp_term *t);

/* The style for a share of 0 to 100 percent. */
enum vmp_style vmp_term_heat(double percent);

#endif
