#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "names.h"
#include "names_internal.h"

static const uintptr_t page_bytes = 4096;
/* Pages to look at, each by a system call: 15 ms. PyPy has just made its buffers, and the
 * system gives new mappings the lowest addresses, which are looked at first. */
static const unsigned most_pages = 32768;

/* Where a buffer with names is in a mapping; 0 if in none of its pages,
 * which are counted. */
static uintptr_t
buffer_in(uintptr_t begin, uintptr_t end, unsigned *pages)
{
    static uint8_t copy[VMP_NAMES_BUFFER_BYTES];
    for (uintptr_t at = begin; at + VMP_NAMES_BUFFER_BYTES <= end; at += page_bytes) {
        if ((*pages)++ > most_pages)
            return 0;
        /* The first words tell most places that are none. */
        if (!vmp_names_read(copy, at, VMP_NAMES_KEY_BYTES) || !vmp_names_may_be(copy) ||
            !vmp_names_read(copy, at, sizeof(copy)))
            continue;
        uint32_t filled, n = vmp_names_bytes(copy);
        memcpy(&filled, copy, sizeof(filled));
        if (n > 0 && n == filled)
            return at;
    }
    return 0;
}

void
vmp_names_find(void)
{
    char line[512];
    unsigned pages = 0;
    memset(vmp_the_names.buffers, 0, sizeof(vmp_the_names.buffers));
    if (vmp_the_names.at &&
        vmp_names_read(vmp_the_names.copy, vmp_the_names.at, VMP_NAMES_BUFFER_BYTES) &&
        vmp_names_bytes(vmp_the_names.copy) > 0)
        return;
    vmp_the_names.at = 0;
    FILE *maps = fopen("/proc/self/maps", "re");
    while (maps && !vmp_the_names.at && fgets(line, sizeof(line), maps)) {
        uintptr_t begin, end;
        char mode[8];
        unsigned long inode;
        if (sscanf(line, "%" SCNxPTR "-%" SCNxPTR " %7s %*s %*s %lu", &begin, &end, mode, &inode) ==
                4 &&
            strcmp(mode, "rw-p") == 0 && inode == 0 && !strstr(line, "[stack]"))
            vmp_the_names.at = buffer_in(begin, end, &pages);
    }
    if (maps)
        fclose(maps);
}
