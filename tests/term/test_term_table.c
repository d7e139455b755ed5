#include "check.h"

#include <locale.h>

#include "term_table.h"

static const vmp_table_column columns[] = {
    {"%self", .right = true},
    {"function", .flex = 6},
    {"location", .flex = 6, .cut = VMP_CUT_START},
};

static const char *
print(const vmp_term *t, vmp_out *o, bool titles)
{
    vmp_table *table = vmp_table_new(t, columns, 3);
    vmp_table_format(table, VMP_STYLE_HOT, "%.1f", 97.25);
    vmp_table_text(table, VMP_STYLE_PLAIN, vmp_str_from("Parser.parse_expression"));
    vmp_table_text(table, VMP_STYLE_FAINT, vmp_str_from("/srv/app/lib/parser.py:120"));
    vmp_table_format(table, VMP_STYLE_PLAIN, "%.1f", 2.0);
    vmp_table_text(table, VMP_STYLE_PLAIN,
        vmp_str_from("a\x1b"
                     "b"));
    CHECK_INT(vmp_table_print(table, o, 1, titles), 0);
    vmp_table_free(&table);
    CHECK(table == NULL);
    vmp_out_bytes(o, "", 1);
    return o->p;
}

TEST(columns_are_as_wide_as_their_cells)
{
    vmp_out o;
    vmp_term t = {.width = 80};
    vmp_out_init(&o, -1);
    CHECK_STR(print(&t, &o, true), " %self  function                 location\n"
                                   "  97.2  Parser.parse_expression  /srv/app/lib/parser.py:120\n"
                                   "   2.0  a\\x1bb\n");
    vmp_out_fini(&o);
}

TEST(the_widest_columns_are_shortened_to_fit)
{
    vmp_out o;
    vmp_term t = {.width = 40};
    vmp_out_init(&o, -1);
    CHECK_STR(print(&t, &o, false), " 97.2  Parser.parse_..  ../parser.py:120\n"
                                    "  2.0  a\\x1bb\n");
    vmp_out_fini(&o);
}

TEST(color_is_put_round_the_cell_only)
{
    vmp_out o;
    vmp_term t = {.width = 80, .color = true};
    vmp_out_init(&o, -1);
    const char *text = print(&t, &o, false);
    CHECK(strstr(text, " \x1b[1;31m97.2\x1b[0m  Parser") != NULL);
    vmp_out_fini(&o);
}

TEST_MAIN(RUN(columns_are_as_wide_as_their_cells), RUN(the_widest_columns_are_shortened_to_fit),
    RUN(color_is_put_round_the_cell_only))
