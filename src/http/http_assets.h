/* The files of the start page, which the build makes C of (tools/embed_files.py). */
#ifndef VMP_HTTP_ASSETS_H
#define VMP_HTTP_ASSETS_H

#include "str.h"

vmp_str vmp_http_asset_index(void);
vmp_str vmp_http_asset_script(void);
vmp_str vmp_http_asset_style(void);

#endif
