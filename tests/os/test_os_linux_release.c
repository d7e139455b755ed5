/* What a kernel's release tells of its faults. */
#include "check.h"
#include "os.h"

TEST(an_event_may_not_stop_itself_where_that_hangs_the_machine)
{
    static const char *const hang[] = {"6.17.7-300.fc43.x86_64", "6.16.9", "6.16.0",
        "6.16.12-arch1-1", "6.16-rc1", "6.17", "6.17-rc3", "6.17.0-rc6", "6.17.0-8-generic",
        "6.17.7", "6.18.0-rc4", "6.18-rc1", "6.18.0-0.rc4.251107g8bb886cb8f3a.37.fc44.x86_64"};
    for (size_t i = 0; i < sizeof(hang) / sizeof(hang[0]); i++)
        if (vmp_os_release_stops_itself(hang[i]))
            CHECK_STR(hang[i], "one that does not hang");
}

TEST(an_event_may_stop_itself_before_and_after)
{
    static const char *const good[] = {"6.17.8", "6.17.8-300.fc43.x86_64", "6.17.13", "6.18",
        "6.18.0", "6.18.0-1-generic", "6.18.44-cloud", "6.19.0-rc1", "6.12.1", "6.15.11", "5.13.0",
        "5.14.0-611.el9.x86_64", "5.15.0-91-generic", "7.0.3", "6.1.0-18-amd64"};
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        if (!vmp_os_release_stops_itself(good[i]))
            CHECK_STR(good[i], "one that hangs");
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

TEST(threads_may_block_perf_s_signal_where_the_number_says_so)
{
    static const char *const good[] = {"5.15.46", "5.15.167.4-microsoft-standard-WSL2",
        "5.15.46-1-MANJARO", "5.17.14", "5.17.15-300.fc36.x86_64", "5.18.3", "5.18.19", "5.19.0",
        "5.19", "5.19.0-50-generic", "5.20.0", "6.0.0-rc1", "6.1.0-18-amd64", "6.18.44", "10.0.0"};
    static const char *const unknown[] = {"5.13.0", "5.14.21", "5.14.0-611.el9.x86_64", "5.15.0",
        "5.15.0-91-generic", "5.15.45", "5.15", "5.16.20", "5.16.46", "5.17.13", "5.17.0-1-oem",
        "5.18.2", "5.18.0-rc7", "5.19.0-rc1", "5.19-rc3", "4.18.0-553.el8_10.x86_64", "5.10.220",
        "2.6.78", "garbage", "", "5", "5."};
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        if (!vmp_os_release_bears_blocked(good[i]))
            CHECK_STR(good[i], "one that says so");
    for (size_t i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++)
        if (vmp_os_release_bears_blocked(unknown[i]))
            CHECK_STR(unknown[i], "one that does not");
}

TEST_MAIN(RUN(an_event_may_not_stop_itself_where_that_hangs_the_machine),
    RUN(an_event_may_stop_itself_before_and_after), RUN(what_is_no_release_is_taken_for_the_worst),
    RUN(threads_may_block_perf_s_signal_where_the_number_says_so))
