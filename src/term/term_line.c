#include "term_line.h"

void
vmp_line_init(vmp_line *line, vmp_out *out, const vmp_term *term)
{
    *line = (vmp_line){.out = out, .term = term};
    vmp_out_init(&line->clean, -1);
    vmp_out_init(&line->text, -1);
}

void
vmp_line_fini(vmp_line *line)
{
    vmp_out_drop(&line->clean, line->out);
    vmp_out_drop(&line->text, line->out);
}

void
vmp_line_put(vmp_line *line, enum vmp_style style, vmp_str text, enum vmp_cut cut)
{
    const vmp_term *t = line->term;
    vmp_out_clear(&line->clean);
    size_t columns = vmp_term_clean(&line->clean, t, text);
    size_t room = t->width > line->columns ? t->width - line->columns : 0;
    vmp_term_style(line->out, t, style);
    if (t->lossless)
        vmp_out_str(line->out, vmp_out_view(&line->clean));
    else
        columns = vmp_term_fit(line->out, t, vmp_out_view(&line->clean), room, cut);
    if (style != VMP_STYLE_PLAIN)
        vmp_term_plain(line->out, t);
    line->columns += columns;
}

void
vmp_line_percent(vmp_line *line, double percent)
{
    vmp_out_clear(&line->text);
    vmp_out_printf(&line->text, "%6.1f%%", percent);
    vmp_line_put(line, vmp_term_heat(percent), vmp_out_view(&line->text), VMP_CUT_END);
    vmp_line_put(line, VMP_STYLE_PLAIN, vmp_str_from(" "), VMP_CUT_END);
}

void
vmp_line_function(vmp_line *line, const vmp_profile *p, vmp_function_id function,
    vmp_location_id location, bool columns)
{
    enum { LEAST_PLACE = 10 }; /* less than this tells nothing */
    vmp_line_put(line, VMP_STYLE_NAME, vmp_name_function(p, function), VMP_CUT_END);
    vmp_str place = vmp_name_place_at(&line->text, p, function, location, columns);
    if (place.n == 0 || (!line->term->lossless && line->columns + LEAST_PLACE > line->term->width))
        return;
    vmp_line_put(line, VMP_STYLE_PLAIN, vmp_str_from("  "), VMP_CUT_END);
    vmp_line_put(line, VMP_STYLE_PLACE, place, VMP_CUT_START);
}

void
vmp_line_end(vmp_line *line)
{
    vmp_out_text(line->out, "\n");
    line->columns = 0;
}
