/* Names of any bytes, made fit for a terminal, for JSON and for a shell.
 *
 * Input: width, form (1: ASCII only, 2: cut at the start), then the name. */
#include <locale.h>

#include "fuzz.h"
#include "fuzz_shown.h"
#include "json_out.h"
#include "term_names.h"
#include "term_text.h"

enum { HEAD_BYTES = 2, FORM_ASCII = 1, FORM_CUT_START = 2 };

static void
json_try(vmp_out *o, vmp_str name)
{
    vmp_out_clear(o);
    vmp_json j = vmp_json_to(o);
    vmp_json_begin(&j, '{');
    vmp_json_key_str(&j, name);
    vmp_json_str(&j, name);
    vmp_json_end(&j, '}');
    vmp_out_text(o, "\n");
    fuzz_shown_json(vmp_out_view(o));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static vmp_out clean, cut; /* kept, and small: they are not what is looked for here */
    if (!clean.fd) {
        PROMISE(setlocale(LC_CTYPE, "C.UTF-8"));
        vmp_out_init(&clean, -1);
        vmp_out_init(&cut, -1);
    }
    if (size < HEAD_BYTES)
        return 0;
    const vmp_term term = {.width = data[0] % 64u, .utf8 = !(data[1] & FORM_ASCII)};
    vmp_str name = {(const char *)data + HEAD_BYTES, size - HEAD_BYTES};
    vmp_out_clear(&clean);
    size_t columns = vmp_term_clean(&clean, &term, name);
    vmp_str text = vmp_out_view(&clean);
    fuzz_shown_text(text, &term);
    PROMISE(columns == vmp_term_columns(text));
    PROMISE(!text.n || !memchr(text.p, '\n', text.n));

    vmp_out_clear(&cut);
    size_t used = vmp_term_fit(
        &cut, &term, text, term.width, data[1] & FORM_CUT_START ? VMP_CUT_START : VMP_CUT_END);
    fuzz_shown_text(vmp_out_view(&cut), &term);
    PROMISE(used <= term.width && used == vmp_term_columns(vmp_out_view(&cut)));

    vmp_out_clear(&cut);
    vmp_term_wrap(&cut, &term, 2, 0, text);
    fuzz_shown_text(vmp_out_view(&cut), &term);
    json_try(&cut, name);
    vmp_out_clear(&cut);
    vmp_name_command_line(&cut, name);
    PROMISE(cut.rc == 0 && clean.rc == 0 && cut.n >= name.n);
    return 0;
}
