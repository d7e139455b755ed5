/* The start page, whose files are built in. */
#include "http_assets.h"
#include "http_internal.h"

static int
reply_file(vmp_http_request *r, vmp_str text, const char *type)
{
    r->status = MHD_HTTP_OK;
    r->type = type;
    r->page = VMP_HTTP_START_PAGE;
    vmp_out_str(&r->out, text);
    return 0;
}

int
vmp_page_index(vmp_http_request *r)
{
    return reply_file(r, vmp_http_asset_index(), "text/html; charset=utf-8");
}

int
vmp_page_script(vmp_http_request *r)
{
    return reply_file(r, vmp_http_asset_script(), "text/javascript; charset=utf-8");
}

int
vmp_page_style(vmp_http_request *r)
{
    return reply_file(r, vmp_http_asset_style(), "text/css; charset=utf-8");
}
