#include <inttypes.h>

#include "term_names.h"
#include "term_views.h"
#include "utf8.h"

/* Nodes with at least this share are open at first. */
static const double open_percent = 5.0;
/* Levels that are indented; deeper ones stand below each other, so that a deep
 * recursion does not run off the page. */
enum { INDENTED_LEVELS = 60 };

static const char head[] =
    "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
    "'unsafe-inline'\">\n";

static const char style[] =
    "<style>\n"
    ":root{color-scheme:light dark;--line:#d8dde3;--faint:#6b7480;--bar:#f4b183;--self:#d9480f;"
    "--name:#0b5394;--over:#f1f4f7;--page:#fff;--ink:#1d232a}\n"
    "@media(prefers-color-scheme:dark){:root{--line:#343c46;--faint:#8b95a1;--bar:#7a4a22;"
    "--self:#f0883e;--name:#79b8ff;--over:#20262d;--page:#15191e;--ink:#dfe5ec}}\n"
    "body{margin:0;background:var(--page);color:var(--ink);font:14px/1.45 system-ui,sans-serif}\n"
    "header{padding:16px 24px;border-bottom:1px solid var(--line)}\n"
    "h1{margin:0 0 4px;font-size:18px}\n"
    "header p{margin:2px 0;color:var(--faint)}\n"
    "main{position:relative;padding:8px 24px 40px 256px;font:13px/1.5 ui-monospace,Consolas,"
    "monospace;white-space:nowrap}\n"
    "details>div{margin-left:9px;padding-left:9px;border-left:1px solid var(--line)}\n"
    "details.deep>div{margin-left:0;padding-left:0;border-left:0}\n"
    "summary,.leaf{padding:1px 4px;border-radius:3px;cursor:default}\n"
    "summary{cursor:pointer}\n"
    ".leaf{padding-left:20px}\n"
    "summary:hover,.leaf:hover{background:var(--over)}\n"
    ".g{position:absolute;left:24px}\n"
    ".p{display:inline-block;width:4.2em;text-align:right;font-variant-numeric:tabular-nums}\n"
    ".f{color:var(--faint)}\n"
    ".b{display:inline-block;width:80px;height:9px;margin:0 10px;background:linear-gradient("
    "90deg,var(--self) calc(var(--s)*1%),var(--bar) calc(var(--s)*1%) calc(var(--t)*1%),"
    "var(--over) calc(var(--t)*1%))}\n"
    ".n{color:var(--name);font-weight:600}\n"
    ".w{color:var(--faint);margin-left:1em}\n"
    "</style>\n";

static void
put_escaped(vmp_out *o, vmp_str s)
{
    for (size_t i = 0, n; i < s.n; i += n) {
        uint32_t c = vmp_utf8_decode(s.p + i, s.n - i, &n);
        if (c == '<')
            vmp_out_text(o, "&lt;");
        else if (c == '>')
            vmp_out_text(o, "&gt;");
        else if (c == '&')
            vmp_out_text(o, "&amp;");
        else if (c == '"')
            vmp_out_text(o, "&quot;");
        else if (c < 0x20 || (c >= 0x7F && c < 0xA0) || c == VMP_UTF8_BAD || vmp_utf8_hides(c))
            vmp_out_text(o, "&#xFFFD;");
        else
            vmp_out_bytes(o, s.p + i, n);
    }
}

static void
put_node(const vmp_view *v, const vmp_report_tree *tree, uint32_t i, vmp_out *scratch)
{
    const vmp_report_node *node = &tree->nodes[i];
    const vmp_profile *p = v->profile;
    vmp_out *o = v->out;
    uint64_t whole = tree->nodes[0].total.weight;
    double total = vmp_view_percent(node->total.weight, whole);
    double self = vmp_view_percent(node->self.weight, whole);
    vmp_out_printf(o,
        "<span class=g><span class=p>%.1f%%</span><span class=\"p f\" title=\"self\">%.1f%%</span>"
        "<span class=b style=\"--t:%.2f;--s:%.2f\"></span></span><span class=n>",
        total, self, total, self);
    switch (node->kind) {
    case VMP_REPORT_NODE_ROOT:
        vmp_out_text(o, "all samples");
        break;
    case VMP_REPORT_NODE_PROCESS:
        put_escaped(o, vmp_name_process(scratch, p, node->process));
        break;
    case VMP_REPORT_NODE_THREAD:
        put_escaped(o, vmp_name_thread(scratch, p, node->thread));
        break;
    case VMP_REPORT_NODE_ELIDED:
        vmp_out_printf(
            o, "(%" PRIu64 " frames of a very deep stack left out)", node->elided_frames);
        break;
    case VMP_REPORT_NODE_FRAME:
        put_escaped(o, vmp_name_function(p, node->function));
        break;
    }
    vmp_out_text(o, "</span>");
    if (node->kind == VMP_REPORT_NODE_FRAME) {
        const vmp_profile_function *f = &p->functions[node->function.i];
        uint32_t line = p->locations[node->location.i].line;
        vmp_out_text(o, "<span class=w title=\"");
        put_escaped(o, vmp_profile_string(p, f->file));
        vmp_out_text(o, "\">");
        put_escaped(o, vmp_name_place(scratch, p, node->function, line));
        vmp_out_text(o, "</span>");
    }
}

static void
put_nodes(const vmp_view *v, const vmp_report_tree *tree, vmp_out *scratch)
{
    uint64_t whole = tree->nodes[0].total.weight;
    vmp_out *o = v->out;
    uint32_t first = vmp_view_tree_first(tree);
    for (uint32_t i = first; i < tree->count && o->rc == 0; i++) {
        const vmp_report_node *node = &tree->nodes[i];
        uint32_t next_depth = i + 1 < tree->count ? tree->nodes[i + 1].depth : first;
        bool leaf = i + 1 >= node->end;
        if (leaf) {
            vmp_out_text(o, "<div class=leaf>");
            put_node(v, tree, i, scratch);
            vmp_out_text(o, "</div>\n");
            for (uint32_t depth = node->depth; depth > next_depth; depth--)
                vmp_out_text(o, "</div></details>\n");
            continue;
        }
        bool open = vmp_view_percent(node->total.weight, whole) >= open_percent;
        vmp_out_printf(o, "<details%s%s><summary>",
            node->depth >= INDENTED_LEVELS ? " class=deep" : "", open ? " open" : "");
        put_node(v, tree, i, scratch);
        vmp_out_text(o, "</summary><div>\n");
    }
}

void
vmp_view_tree_html(
    const vmp_view *v, const vmp_report_tree *tree, const vmp_report_info *info, vmp_str path)
{
    vmp_out scratch;
    vmp_out *o = v->out;
    vmp_term html = {.width = SIZE_MAX, .utf8 = true};
    vmp_out_init(&scratch, -1);
    vmp_out_text(o, head);
    vmp_out_text(o, "<title>");
    if (info->argv.n)
        vmp_name_command_line(&scratch, info->argv);
    else
        vmp_out_str(&scratch, path);
    put_escaped(o, vmp_out_view(&scratch));
    vmp_out_text(o, " - vmprof</title>\n");
    vmp_out_text(o, style);
    vmp_out_text(o, "</head><body><header><h1>");
    put_escaped(o, vmp_out_view(&scratch));
    vmp_out_text(o, "</h1>\n<p>");
    vmp_out summary;
    vmp_out_init(&summary, -1);
    vmp_view_summary(&(vmp_view){&summary, &html, v->profile}, info, 0);
    if (summary.n)
        summary.n--; /* its newline */
    put_escaped(o, vmp_out_view(&summary));
    vmp_out_text(o, "</p>\n<p>Share of all samples: total, self; bright: self.");
    if (tree->pruned)
        vmp_out_printf(o, " %" PRIu32 " small nodes are left out.", tree->pruned);
    vmp_out_text(o, "</p></header>\n<main>\n");
    put_nodes(v, tree, &scratch);
    vmp_out_text(o, "</main></body></html>\n");
    vmp_out_drop(&summary, o);
    vmp_out_drop(&scratch, o);
}
