#include "term.h"

#include <langinfo.h>
#include <locale.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <unistd.h>

static const char *const palette[VMP_STYLE_COUNT] = {
    [VMP_STYLE_PLAIN] = "",
    [VMP_STYLE_HEAD] = "\x1b[1m",
    [VMP_STYLE_HOT] = "\x1b[1;31m",
    [VMP_STYLE_WARM] = "\x1b[33m",
    [VMP_STYLE_FAINT] = "\x1b[2m",
    [VMP_STYLE_NAME] = "\x1b[36m",
    [VMP_STYLE_PLACE] = "\x1b[2m",
    [VMP_STYLE_NOTE] = "\x1b[33m",
    [VMP_STYLE_JIT] = "\x1b[32m",
    [VMP_STYLE_GC] = "\x1b[94m",
    [VMP_STYLE_WARM_UP] = "\x1b[33m",
    [VMP_STYLE_INTERPRETER] = "\x1b[31m",
};

/* Shares from which a figure is shown as hot, or as worth a look; below the
 * last it is faint. */
static const double hot_percent = 20.0, warm_percent = 5.0, faint_percent = 0.5;

static bool
charset_is_utf8(void)
{
    return strcasecmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

/* The locale that the environment asks for, by POSIX's order of variables. */
static const char *
asked_locale(void)
{
    static const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        const char *value = getenv(names[i]);
        if (value && *value)
            return value;
    }
    return "C";
}

void
vmp_term_locale(void)
{
    if (setlocale(LC_CTYPE, ""))
        return;
    const char *dot = strchr(asked_locale(), '.');
    if (dot && (strncasecmp(dot, ".utf-8", 6) == 0 || strncasecmp(dot, ".utf8", 5) == 0))
        setlocale(LC_CTYPE, "C.UTF-8");
}

/* The width that the environment asks for, or 0. */
static size_t
asked_width(void)
{
    const char *columns = getenv("COLUMNS");
    return columns && *columns >= '0' && *columns <= '9' ? strtoul(columns, NULL, 10) : 0;
}

static size_t
width_of(int fd, bool terminal)
{
    size_t width = asked_width();
    struct winsize size;
    if (width == 0 && terminal && ioctl(fd, TIOCGWINSZ, &size) == 0)
        width = size.ws_col;
    if (width == 0)
        width = terminal ? VMP_TERM_TTY_WIDTH : VMP_TERM_FILE_WIDTH;
    if (width > VMP_TERM_MAX_WIDTH)
        return VMP_TERM_MAX_WIDTH;
    return width < VMP_TERM_MIN_WIDTH ? VMP_TERM_MIN_WIDTH : width;
}

static bool
color_is_welcome(bool terminal)
{
    const char *no_color = getenv("NO_COLOR"), *name = getenv("TERM");
    return terminal && !(no_color && *no_color) && name && strcmp(name, "dumb") != 0;
}

void
vmp_term_init(vmp_term *ret_t, int fd, enum vmp_term_color color)
{
    bool terminal = isatty(fd);
    *ret_t = (vmp_term){
        .width = width_of(fd, terminal),
        .color = color == VMP_TERM_COLOR_AUTO ? color_is_welcome(terminal)
                                              : color == VMP_TERM_COLOR_ALWAYS,
        .utf8 = charset_is_utf8(),
        .terminal = terminal,
        .lossless = !terminal && asked_width() == 0,
    };
}

void
vmp_term_style(vmp_out *o, const vmp_term *t, enum vmp_style style)
{
    if (t->color)
        vmp_out_text(o, palette[style]);
}

void
vmp_term_plain(vmp_out *o, const vmp_term *t)
{
    if (t->color)
        vmp_out_text(o, "\x1b[0m");
}

enum vmp_style
vmp_term_heat(double percent)
{
    if (percent >= hot_percent)
        return VMP_STYLE_HOT;
    if (percent >= warm_percent)
        return VMP_STYLE_WARM;
    return percent < faint_percent ? VMP_STYLE_FAINT : VMP_STYLE_PLAIN;
}
