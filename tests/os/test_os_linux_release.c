/* What a kernel's release tells of its faults. */
#include "check.h"
#include "os.h"

TEST(an_event_may_not_stop_itself_where_that_hangs_the_machine)
{
    static const char *const hang[] = {"6.17.7-300.fc43.x86_64", "6.16.9", "6.16.0",
        "6.16.12-arch1-1", "6.16-rc1", "6.17", "6.17-rc3", "6.17.0-rc6", "6.17.0-8-generic",
        "6.17.7", "6.18.0-rc4", "6.18-rc1", "6.18.0-0.rc4.251107g8bb886cb8f3a.37.fc44.x86_64"};
    for (size_t i = 0; i < sizeof(hang) / sizeof(hang[0]); i++) {
        CHECK(!vmp_os_release_stops_itself(hang[i]));
        if (vmp_os_release_stops_itself(hang[i]))
            printf("# %s\n", hang[i]);
    }
}

TEST(an_event_may_stop_itself_before_and_after)
{
    static const char *const good[] = {"6.17.8", "6.17.8-300.fc43.x86_64", "6.17.13", "6.18",
        "6.18.0", "6.18.0-1-generic", "6.18.44-cloud", "6.19.0-rc1", "6.12.1", "6.15.11", "5.13.0",
        "5.14.0-611.el9.x86_64", "5.15.0-91-generic", "7.0.3", "6.1.0-18-amd64"};
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        CHECK(vmp_os_release_stops_itself(good[i]));
        if (!vmp_os_release_stops_itself(good[i]))
            printf("# %s\n", good[i]);
    }
}

TEST(what_is_no_release_is_taken_for_the_worst)
{
    static const char *const unknown[] = {
        "", "garbage", "6", "6.", "-6.18.1", " 6.18.1", "v6.18.1", "2.6.78", "4.18.0", "0.0.0"};
    for (size_t i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++)
        CHECK(!vmp_os_release_stops_itself(unknown[i]));
    CHECK(vmp_os_release_stops_itself("6.99999999999999999999.1")); /* higher than all */
    CHECK(vmp_os_release_stops_itself("6.17.99999999999"));
}

TEST_MAIN(RUN(an_event_may_not_stop_itself_where_that_hangs_the_machine),
    RUN(an_event_may_stop_itself_before_and_after), RUN(what_is_no_release_is_taken_for_the_worst))
