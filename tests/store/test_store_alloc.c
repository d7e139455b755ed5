/* Every allocation of the store fails in turn, SQLite's among them. SQLite gets on
 * without some of them, so an operation either says that there is no memory and has
 * done nothing, or is done. */
#include "alloc_fail.h"
#include "store_fixture.h"

static store_fixture fixture;
static vmp_spool *bytes;
static const vmp_store_label label = {{"env", 3}, {"prod", 4}};

static int
open_store(void)
{
    vmp_store_close(&fixture.store);
    return vmp_store_sqlite_open(&fixture.store, fixture.path, NULL);
}

static int
put(void)
{
    char id[VMP_STORE_ID_SIZE];
    bool is_new;
    vmp_store_item item = {
        .kind = VMP_STORE_LOG, .name = {"x", 1}, .labels = &label, .label_count = 1};
    return fixture.store->ops->put(fixture.store, &item, bytes, id, &is_new, NULL);
}

static int
list(void)
{
    vmp_store_items *items = NULL;
    vmp_store_filter filter = {.text = {"x", 1}, .labels = &label, .label_count = 1, .limit = 5};
    int rc = fixture.store->ops->list(fixture.store, &filter, &items, NULL);
    if (rc == 0)
        CHECK_INT(items->count, 1);
    vmp_store_items_free(&items);
    return rc;
}

static uint64_t
item_count(void)
{
    uint64_t items = 99, size;
    CHECK_INT(fixture.store->ops->totals(fixture.store, &items, &size, NULL), 0);
    return items;
}

/* Runs `work` with each allocation failing until a run needs no more. */
static void
fail_each(int (*work)(void))
{
    long step = 0;
    for (bool done = false; !done; step++) {
        alloc_fail_at = step;
        int rc = work();
        done = alloc_fail_at >= 0;
        alloc_fail_at = -1;
        CHECK(rc == -VMP_ENOMEM || rc == 0);
        if (done)
            CHECK_INT(rc, 0);
    }
    CHECK(step > 1);
}

static int
put_and_look(void)
{
    int rc = put();
    long left = alloc_fail_at;
    alloc_fail_at = -1;
    CHECK_INT(item_count(), rc == 0 ? 1 : 0);
    /* Again as new for the next round. */
    uint64_t removed;
    CHECK_INT(fixture.store->ops->expire(fixture.store, INT64_MAX, &removed, NULL), 0);
    alloc_fail_at = left;
    return rc;
}

TEST(a_store_without_memory_says_so_and_stays_whole)
{
    store_fixture_folder(&fixture);
    fail_each(open_store);
    bytes = store_fixture_bytes(&fixture, 150000, 1);
    fail_each(put_and_look);
    CHECK_INT(put(), 0);
    fail_each(list);
    vmp_spool_free(&bytes);
    store_fixture_close(&fixture);
}

TEST_MAIN(RUN(a_store_without_memory_says_so_and_stays_whole))
