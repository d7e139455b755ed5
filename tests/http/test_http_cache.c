#include "http_cache.h"

#include "check.h"
#include "synth.h"

static vmp_profile *
small_profile(void)
{
    vmp_profile_builder *b = synth_builder(0, false);
    const char *const lines[] = {"1 2 main:1 a:2"};
    synth_add(b, lines, 1);
    return synth_finish(b);
}

/* Puts a profile under this id and gives it back at once. */
static uint64_t
fill(vmp_http_cache *c, const char *id)
{
    vmp_profile *p = small_profile();
    const vmp_profile *kept = vmp_http_cache_put(c, vmp_str_from(id), &p);
    CHECK(kept && !p);
    vmp_http_cache_release(c, kept);
    return vmp_http_cache_bytes(c);
}

static bool
has(vmp_http_cache *c, const char *id)
{
    const vmp_profile *p = vmp_http_cache_get(c, vmp_str_from(id));
    if (p)
        vmp_http_cache_release(c, p);
    return p != NULL;
}

TEST(what_was_used_last_stays)
{
    vmp_http_cache *probe = vmp_http_cache_new(UINT64_MAX);
    uint64_t one = fill(probe, "a");
    vmp_http_cache_free(&probe);
    CHECK(one > 0);
    vmp_http_cache *c = vmp_http_cache_new(2 * one);
    fill(c, "a");
    fill(c, "b");
    CHECK(has(c, "a")); /* so that b is the older one */
    fill(c, "c");
    CHECK(has(c, "a") && !has(c, "b") && has(c, "c"));
    CHECK(vmp_http_cache_bytes(c) <= 2 * one);
    vmp_http_cache_free(&c);
}

TEST(what_is_in_use_stays_until_it_is_released)
{
    vmp_http_cache *c = vmp_http_cache_new(0);
    vmp_profile *p = small_profile();
    const vmp_profile *used = vmp_http_cache_put(c, vmp_str_from("a"), &p);
    CHECK(vmp_http_cache_get(c, vmp_str_from("a")) == used);
    vmp_http_cache_release(c, used);
    CHECK(vmp_http_cache_bytes(c) > 0);
    CHECK(used->total_samples > 0);
    vmp_http_cache_release(c, used);
    CHECK_INT(vmp_http_cache_bytes(c), 0);
    CHECK(!has(c, "a"));
    vmp_http_cache_free(&c);
}

TEST(what_is_dropped_is_not_given_out_again)
{
    vmp_http_cache *c = vmp_http_cache_new(UINT64_MAX);
    vmp_profile *p = small_profile();
    fill(c, "a");
    vmp_http_cache_drop(c, vmp_str_from("a"));
    CHECK(!has(c, "a"));
    CHECK_INT(vmp_http_cache_bytes(c), 0);
    const vmp_profile *used = vmp_http_cache_put(c, vmp_str_from("b"), &p);
    vmp_http_cache_drop(c, vmp_str_from("b"));
    CHECK(!has(c, "b"));
    CHECK(used->total_samples > 0);
    vmp_http_cache_release(c, used);
    CHECK_INT(vmp_http_cache_bytes(c), 0);
    vmp_http_cache_free(&c);
}

TEST_MAIN(RUN(what_was_used_last_stays), RUN(what_is_in_use_stays_until_it_is_released),
    RUN(what_is_dropped_is_not_given_out_again))
