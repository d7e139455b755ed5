/* What the kernel's release tells of faults in it. */
#include "os.h"

#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

/* Of a release: a number to compare, 0 if it is none; and what follows its three numbers. */
static uint64_t
release_number(const char *release, const char **ret_rest)
{
    enum { PARTS = 3, PART_BITS = 16 };
    uint64_t number = 0;
    const char *at = release;
    for (int i = 0; i < PARTS; i++) {
        uint64_t part = 0;
        if (*at >= '0' && *at <= '9') {
            char *end;
            part = strtoul(at, &end, 10);
            at = *end == '.' && i + 1 < PARTS ? end + 1 : end;
        } else if (i < PARTS - 1) {
            return 0;
        }
        number = number << PART_BITS | (part < 1u << PART_BITS ? part : (1u << PART_BITS) - 1);
    }
    *ret_rest = at;
    return number;
}

static uint64_t
release_of(uint64_t major, uint64_t minor, uint64_t patch)
{
    return major << 32 | minor << 16 | patch;
}

bool
vmp_os_release_stops_itself(const char *release)
{
    const char *rest = "";
    uint64_t number = release_number(release, &rest);
    /* There are no such events before 5.13: the number is made up (setarch --uname-2.6). */
    if (number < release_of(5, 13, 0))
        return false;
    if (number < release_of(6, 16, 0))
        return true;
    if (number == release_of(6, 18, 0))
        return !strstr(rest, "rc");
    return number >= release_of(6, 17, 8);
}

bool
vmp_os_release_bears_blocked(const char *release)
{
    static const struct {
        uint64_t from, below;
    } mended[] = {
        {5ull << 32 | 15 << 16 | 46, 5ull << 32 | 16 << 16},
        {5ull << 32 | 17 << 16 | 14, 5ull << 32 | 18 << 16},
        {5ull << 32 | 18 << 16 | 3, 5ull << 32 | 19 << 16},
    };
    const char *rest = "";
    uint64_t number = release_number(release, &rest);
    if (number == release_of(5, 19, 0) && strstr(rest, "rc"))
        return false;
    for (size_t i = 0; i < sizeof(mended) / sizeof(mended[0]); i++)
        if (number >= mended[i].from && number < mended[i].below)
            return true;
    return number >= release_of(5, 19, 0);
}

bool
vmp_os_perf_stops_itself(void)
{
    struct utsname name;
    return uname(&name) == 0 && vmp_os_release_stops_itself(name.release);
}
