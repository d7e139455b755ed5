/* What every back end of the store promises. */
#include <errno.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "store_fixture.h"

static vmp_store_item
item_named(const char *name)
{
    return (vmp_store_item){.kind = VMP_STORE_LOG,
        .name = vmp_str_from(name),
        .argv = vmp_str_from("prog.py\n--fast"),
        .host = vmp_str_from("Host1"),
        .vm = vmp_str_from("CPython 3.11.2"),
        .os = vmp_str_from("linux"),
        .arch = vmp_str_from("x86_64"),
        .start_ns = 1000,
        .end_ns = 3000,
        .cpu_seconds = 1.5,
        .samples = 1500,
        .cut = true};
}

/* Puts `size` bytes of this seed; the id is `id`. */
static bool
put(store_fixture *f, const vmp_store_item *item, size_t size, uint32_t seed,
    char id[VMP_STORE_ID_SIZE])
{
    vmp_spool *bytes = store_fixture_bytes(f, size, seed);
    bool is_new = false;
    CHECK_INT(f->store->ops->put(f->store, item, bytes, id, &is_new, NULL), 0);
    vmp_spool_free(&bytes);
    return is_new;
}

static vmp_store_items *
list(store_fixture *f, vmp_store_filter filter)
{
    vmp_store_items *items = NULL;
    if (!filter.limit)
        filter.limit = 100;
    CHECK_INT(f->store->ops->list(f->store, &filter, &items, NULL), 0);
    return items;
}

static size_t
count(store_fixture *f, vmp_store_filter filter)
{
    vmp_store_items *items = list(f, filter);
    size_t n = items ? items->count : 0;
    vmp_store_items_free(&items);
    return n;
}

static bool
same_text(vmp_str s, const char *z)
{
    return vmp_str_equal(s, vmp_str_from(z));
}

TEST(an_item_comes_back_as_it_was_put)
{
    store_fixture f;
    char id[VMP_STORE_ID_SIZE];
    vmp_store_items *items = NULL;
    store_fixture_open(&f);
    const vmp_store_label labels[] = {
        {vmp_str_from("b"), vmp_str_from("' OR 1=1 --")}, {vmp_str_from("a"), vmp_str_from("<b>")}};
    vmp_store_item item = item_named("Robert'); DROP TABLE items;--");
    item.labels = labels;
    item.label_count = 2;
    CHECK(put(&f, &item, 100, 1, id));
    CHECK_INT(strlen(id), 36);
    vmp_store_close(&f.store); /* it is in the file */
    CHECK_INT(vmp_store_sqlite_open(&f.store, f.path, NULL), 0);
    CHECK_INT(f.store->ops->find(f.store, vmp_str_from(id), &items, NULL), 0);
    const vmp_store_item *got = &items->items[0];
    CHECK_STR(got->id, id);
    CHECK(same_text(got->name, "Robert'); DROP TABLE items;--"));
    CHECK(same_text(got->argv, "prog.py\n--fast") && same_text(got->host, "Host1"));
    CHECK(same_text(got->vm, "CPython 3.11.2") && same_text(got->os, "linux"));
    CHECK_INT(got->samples, 1500);
    CHECK_INT(got->size_bytes, 100);
    CHECK(got->cut && got->start_ns == 1000 && got->end_ns == 3000 && got->received_ns > 0);
    CHECK_INT(got->label_count, 2);
    CHECK(same_text(got->labels[0].key, "a") && same_text(got->labels[0].value, "<b>"));
    CHECK(same_text(got->labels[1].value, "' OR 1=1 --"));
    vmp_store_items_free(&items);
    CHECK_INT(f.store->ops->find(f.store, vmp_str_from("' OR ''='"), &items, NULL), -VMP_ENOTFOUND);
    store_fixture_close(&f);
}

static void
check_bytes(store_fixture *f, const char *id, const vmp_spool *want)
{
    uint8_t got[70000], expected[70000];
    uint64_t at = 0;
    size_t n = 0, m = 0;
    do {
        /* A size that fits no chunk, so that reads begin and end within. */
        CHECK_INT(f->store->ops->read(f->store, vmp_str_from(id), at, got, 70000, &n, NULL), 0);
        CHECK_INT(vmp_spool_read(want, at, expected, n ? n : 1, &m, NULL), 0);
        CHECK_INT(n, m);
        CHECK(memcmp(got, expected, n) == 0);
        at += n;
    } while (n > 0);
    CHECK_INT(at, vmp_spool_size(want));
}

TEST(bytes_of_any_size_are_read_back)
{
    static const size_t sizes[] = {0, 1, 65535, 65536, 65537, 262144, 262145, 1000003};
    store_fixture f;
    store_fixture_open(&f);
    vmp_store_item item = item_named("x");
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        char id[VMP_STORE_ID_SIZE];
        bool is_new;
        vmp_spool *bytes = store_fixture_bytes(&f, sizes[i], (uint32_t)i);
        CHECK_INT(f.store->ops->put(f.store, &item, bytes, id, &is_new, NULL), 0);
        check_bytes(&f, id, bytes);
        vmp_spool_free(&bytes);
    }
    store_fixture_close(&f);
}

TEST(equal_bytes_are_one_item_until_it_is_removed)
{
    store_fixture f;
    char first[VMP_STORE_ID_SIZE], second[VMP_STORE_ID_SIZE];
    uint64_t items, bytes;
    store_fixture_open(&f);
    vmp_store_item item = item_named("one"), other = item_named("two");
    CHECK(put(&f, &item, 5000, 1, first));
    CHECK(!put(&f, &other, 5000, 1, second));
    CHECK_STR(second, first);
    CHECK(put(&f, &item, 5000, 2, second));
    CHECK_INT(f.store->ops->totals(f.store, &items, &bytes, NULL), 0);
    CHECK_INT(items, 2);
    CHECK_INT(bytes, 10000);
    CHECK_INT(f.store->ops->remove(f.store, vmp_str_from(first), NULL), 0);
    CHECK_INT(f.store->ops->remove(f.store, vmp_str_from(first), NULL), -VMP_ENOTFOUND);
    CHECK_INT(f.store->ops->totals(f.store, &items, &bytes, NULL), 0);
    CHECK_INT(items, 1);
    CHECK_INT(bytes, 5000);
    CHECK(put(&f, &item, 5000, 1, second));
    CHECK(strcmp(first, second) != 0);
    store_fixture_close(&f);
}

TEST(lists_are_newest_first_and_filtered)
{
    store_fixture f;
    char id[VMP_STORE_ID_SIZE];
    store_fixture_open(&f);
    const vmp_store_label prod = {vmp_str_from("env"), vmp_str_from("prod")};
    vmp_store_item a = item_named("nightly 100%"), b = item_named("Web");
    b.host = vmp_str_from("other");
    b.labels = &prod;
    b.label_count = 1;
    put(&f, &a, 10, 1, id);
    put(&f, &b, 10, 2, id);
    vmp_store_items *items = list(&f, (vmp_store_filter){0});
    CHECK_INT(items->count, 2);
    CHECK(
        same_text(items->items[0].name, "Web") && same_text(items->items[1].name, "nightly 100%"));
    vmp_store_items_free(&items);
    CHECK_INT(count(&f, (vmp_store_filter){.text = vmp_str_from("NIGHT")}), 1);
    CHECK_INT(count(&f, (vmp_store_filter){.text = vmp_str_from("--fast")}), 2);
    CHECK_INT(count(&f, (vmp_store_filter){.text = vmp_str_from("%")}), 1);
    CHECK_INT(count(&f, (vmp_store_filter){.text = vmp_str_from("' OR 1=1")}), 0);
    CHECK_INT(count(&f, (vmp_store_filter){.text = vmp_str_from(id)}), 1);
    CHECK_INT(count(&f, (vmp_store_filter){.host = vmp_str_from("host1")}), 1);
    CHECK_INT(count(&f, (vmp_store_filter){.name = vmp_str_from("web")}), 1);
    CHECK_INT(count(&f, (vmp_store_filter){.labels = &prod, .label_count = 1}), 1);
    const vmp_store_label any = {vmp_str_from("env"), {NULL, 0}},
                          none = {vmp_str_from("env"), vmp_str_from("")};
    CHECK_INT(count(&f, (vmp_store_filter){.labels = &any, .label_count = 1}), 1);
    CHECK_INT(count(&f, (vmp_store_filter){.labels = &none, .label_count = 1}), 0);
    store_fixture_close(&f);
}

TEST(a_list_goes_on_where_its_first_part_ended)
{
    store_fixture f;
    char id[VMP_STORE_ID_SIZE];
    store_fixture_open(&f);
    for (uint32_t i = 0; i < 7; i++) {
        char name[2] = {(char)('a' + i), 0};
        vmp_store_item item = item_named(name);
        put(&f, &item, 10, i, id);
    }
    char seen[8] = "";
    uint64_t before = 0;
    int parts = 0;
    do {
        vmp_store_items *items = list(&f, (vmp_store_filter){.before = before, .limit = 3});
        for (size_t i = 0; i < items->count; i++)
            strncat(seen, items->items[i].name.p, 1);
        before = items->next;
        parts++;
        vmp_store_items_free(&items);
    } while (before && parts < 10);
    CHECK_STR(seen, "gfedcba");
    CHECK_INT(parts, 3);
    store_fixture_close(&f);
}

TEST(names_and_labels_can_be_changed)
{
    store_fixture f;
    char id[VMP_STORE_ID_SIZE];
    vmp_store_items *items = NULL;
    store_fixture_open(&f);
    const vmp_store_label labels[] = {
        {vmp_str_from("a"), vmp_str_from("1")}, {vmp_str_from("b"), vmp_str_from("2")}};
    vmp_store_item item = item_named("before");
    item.labels = labels;
    item.label_count = 2;
    put(&f, &item, 10, 1, id);
    const vmp_str name = vmp_str_from("after");
    const vmp_store_ops *ops = f.store->ops;
    CHECK_INT(ops->relabel(f.store, vmp_str_from(id), &name, NULL, 0, NULL), 0);
    CHECK_INT(ops->find(f.store, vmp_str_from(id), &items, NULL), 0);
    CHECK(same_text(items->items[0].name, "after"));
    CHECK_INT(items->items[0].label_count, 2);
    vmp_store_items_free(&items);
    CHECK_INT(ops->relabel(f.store, vmp_str_from(id), NULL, labels + 1, 1, NULL), 0);
    CHECK_INT(ops->find(f.store, vmp_str_from(id), &items, NULL), 0);
    CHECK(same_text(items->items[0].name, "after"));
    CHECK_INT(items->items[0].label_count, 1);
    CHECK(same_text(items->items[0].labels[0].key, "b"));
    vmp_store_items_free(&items);
    CHECK_INT(ops->relabel(f.store, vmp_str_from("no"), &name, NULL, 0, NULL), -VMP_ENOTFOUND);
    store_fixture_close(&f);
}

TEST(what_is_old_goes)
{
    store_fixture f;
    char old[VMP_STORE_ID_SIZE], id[VMP_STORE_ID_SIZE];
    vmp_store_items *items = NULL;
    uint64_t removed = 9;
    store_fixture_open(&f);
    vmp_store_item item = item_named("x");
    put(&f, &item, 10, 1, old);
    put(&f, &item, 10, 2, id);
    CHECK_INT(f.store->ops->find(f.store, vmp_str_from(id), &items, NULL), 0);
    int64_t when = items->items[0].received_ns;
    vmp_store_items_free(&items);
    CHECK_INT(f.store->ops->expire(f.store, when, &removed, NULL), 0);
    CHECK_INT(removed, 1);
    CHECK_INT(f.store->ops->find(f.store, vmp_str_from(old), &items, NULL), -VMP_ENOTFOUND);
    CHECK_INT(count(&f, (vmp_store_filter){0}), 1);
    store_fixture_close(&f);
}

TEST(a_run_of_the_old_protocol_has_one_log)
{
    store_fixture f;
    vmp_store_run run;
    char id[VMP_STORE_ID_SIZE], got[VMP_STORE_ID_SIZE];
    bool is_new;
    store_fixture_open(&f);
    const vmp_store_ops *ops = f.store->ops;
    CHECK_INT(ops->run_new(f.store, vmp_str_from("a b"), vmp_str_from("pypy"), id, NULL), 0);
    CHECK_INT(ops->run_find(f.store, vmp_str_from(id), &run, NULL), 0);
    CHECK_STR(run.argv, "a b");
    CHECK_STR(run.vm, "pypy");
    CHECK(!run.frozen);
    vmp_store_item item = item_named("x"), jit = item_named("x");
    put(&f, &item, 10, 1, got); /* the same bytes for no run are another item */
    snprintf(item.run, sizeof(item.run), "%s", id);
    CHECK(put(&f, &item, 10, 1, got));
    CHECK_STR(got, id);
    CHECK(!put(&f, &item, 10, 1, got));
    CHECK_STR(got, id);
    vmp_spool *bytes = store_fixture_bytes(&f, 10, 2);
    CHECK_INT(ops->put(f.store, &item, bytes, got, &is_new, NULL), -VMP_EINVAL);
    vmp_spool_free(&bytes);
    jit.kind = VMP_STORE_JITLOG;
    snprintf(jit.run, sizeof(jit.run), "%s", id);
    CHECK(put(&f, &jit, 10, 3, got));
    CHECK(strcmp(got, id) != 0);
    CHECK_INT(count(&f, (vmp_store_filter){.run = vmp_str_from(id)}), 2);
    CHECK_INT(ops->run_freeze(f.store, vmp_str_from(id), NULL), 0);
    CHECK_INT(ops->run_find(f.store, vmp_str_from(id), &run, NULL), 0);
    CHECK(run.frozen);
    CHECK_INT(ops->run_freeze(f.store, vmp_str_from("no"), NULL), -VMP_ENOTFOUND);
    CHECK_INT(ops->run_find(f.store, vmp_str_from("no"), &run, NULL), -VMP_ENOTFOUND);
    store_fixture_close(&f);
}

static void
make_database(const char *path, const char *sql)
{
    sqlite3 *db = NULL;
    CHECK_INT(sqlite3_open(path, &db), SQLITE_OK);
    CHECK_INT(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

TEST(files_of_something_else_are_left_alone)
{
    store_fixture f;
    vmp_err err = {0};
    store_fixture_folder(&f);
    FILE *file = fopen(f.path, "w");
    fputs("#!/bin/sh\nthis is a script, long enough to be told from the head of a database\n"
          "as SQLite writes it, which has one hundred bytes\n",
        file);
    fclose(file);
    CHECK_INT(vmp_store_sqlite_open(&f.store, f.path, &err), -VMP_EFORMAT);
    unlink(f.path);
    make_database(f.path, "CREATE TABLE mine (a)");
    CHECK_INT(vmp_store_sqlite_open(&f.store, f.path, &err), -VMP_EFORMAT);
    unlink(f.path);
    CHECK_INT(vmp_store_sqlite_open(&f.store, f.path, &err), 0);
    vmp_store_close(&f.store);
    make_database(f.path, "PRAGMA user_version = 2");
    CHECK_INT(vmp_store_sqlite_open(&f.store, f.path, &err), -VMP_EVERSION);
    CHECK_INT(vmp_store_sqlite_open(&f.store, "/nowhere/a.db", &err), -VMP_EIO);
    CHECK_INT(err.os_errno, ENOENT);
    store_fixture_close(&f);
}

TEST(the_file_is_for_its_owner_alone)
{
    store_fixture f;
    struct stat st;
    store_fixture_open(&f);
    CHECK_INT(stat(f.path, &st), 0);
    CHECK_INT(st.st_mode & 0777, 0600);
    store_fixture_close(&f);
}

TEST(a_full_disk_loses_nothing_that_was_there)
{
    store_fixture f;
    struct rlimit before, tight = {4 << 20, 4 << 20};
    char id[VMP_STORE_ID_SIZE];
    vmp_err err = {0};
    bool is_new;
    store_fixture_open(&f);
    vmp_store_item item = item_named("x");
    CHECK(put(&f, &item, 100000, 1, id));
    vmp_spool *large = store_fixture_bytes(&f, 8 << 20, 2);
    signal(SIGXFSZ, SIG_IGN);
    CHECK_INT(getrlimit(RLIMIT_FSIZE, &before), 0);
    tight.rlim_max = before.rlim_max;
    CHECK_INT(setrlimit(RLIMIT_FSIZE, &tight), 0);
    CHECK_INT(f.store->ops->put(f.store, &item, large, id, &is_new, &err), -VMP_EIO);
    CHECK_INT(err.os_errno, ENOSPC);
    vmp_spool *small = NULL;
    CHECK_INT(vmp_spool_new(&small, f.folder, NULL), 0);
    int rc = 0;
    static const uint8_t zeros[65536];
    for (int i = 0; rc == 0 && i < 200; i++)
        rc = vmp_spool_put(small, zeros, sizeof(zeros), &err);
    CHECK_INT(rc, -VMP_EIO);
    vmp_spool_free(&small);
    CHECK_INT(setrlimit(RLIMIT_FSIZE, &before), 0);
    CHECK_INT(count(&f, (vmp_store_filter){0}), 1);
    CHECK_INT(f.store->ops->put(f.store, &item, large, id, &is_new, &err), 0);
    check_bytes(&f, id, large);
    vmp_spool_free(&large);
    store_fixture_close(&f);
}

TEST(what_the_disk_refused_once_is_no_cause_of_later_errors)
{
    store_fixture f;
    struct rlimit before, tight = {1 << 20, 1 << 20};
    char id[VMP_STORE_ID_SIZE];
    vmp_err err = {0};
    bool is_new;
    store_fixture_open(&f);
    vmp_store_item item = item_named("x");
    vmp_spool *large = store_fixture_bytes(&f, 4 << 20, 1);
    signal(SIGXFSZ, SIG_IGN);
    CHECK_INT(getrlimit(RLIMIT_FSIZE, &before), 0);
    tight.rlim_max = before.rlim_max;
    CHECK_INT(setrlimit(RLIMIT_FSIZE, &tight), 0);
    CHECK_INT(f.store->ops->put(f.store, &item, large, id, &is_new, &err), -VMP_EIO);
    CHECK_INT(setrlimit(RLIMIT_FSIZE, &before), 0);
    sqlite3 *other = NULL;
    CHECK_INT(sqlite3_open(f.path, &other), SQLITE_OK);
    CHECK_INT(sqlite3_exec(other, "DROP TABLE chunks", NULL, NULL, NULL), SQLITE_OK);
    CHECK_INT(sqlite3_close(other), SQLITE_OK);
    err = (vmp_err){0};
    CHECK_INT(f.store->ops->put(f.store, &item, large, id, &is_new, &err), -VMP_EIO);
    CHECK(strstr(err.text, "no such table"));
    CHECK_INT(err.os_errno, 0);
    vmp_spool_free(&large);
    store_fixture_close(&f);
}

TEST(a_spool_has_the_hash_of_its_bytes)
{
    /* NIST FIPS 180-4, example "abc". */
    static const uint8_t abc[VMP_SPOOL_SHA256] = {0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea,
        0x41, 0x41, 0x40, 0xde, 0x5d, 0xae, 0x22, 0x23, 0xb0, 0x03, 0x61, 0xa3, 0x96, 0x17, 0x7a,
        0x9c, 0xb4, 0x10, 0xff, 0x61, 0xf2, 0x00, 0x15, 0xad};
    uint8_t got[VMP_SPOOL_SHA256];
    vmp_spool *s = NULL;
    CHECK_INT(vmp_spool_new(&s, "/tmp", NULL), 0);
    CHECK_INT(vmp_spool_put(s, "a", 1, NULL), 0);
    CHECK_INT(vmp_spool_put(s, "bc", 2, NULL), 0);
    vmp_spool_sha256(s, got);
    CHECK(memcmp(got, abc, sizeof(abc)) == 0);
    vmp_spool_free(&s);
}

TEST_MAIN(RUN(an_item_comes_back_as_it_was_put), RUN(bytes_of_any_size_are_read_back),
    RUN(equal_bytes_are_one_item_until_it_is_removed), RUN(lists_are_newest_first_and_filtered),
    RUN(a_list_goes_on_where_its_first_part_ended), RUN(names_and_labels_can_be_changed),
    RUN(what_is_old_goes), RUN(a_run_of_the_old_protocol_has_one_log),
    RUN(files_of_something_else_are_left_alone), RUN(the_file_is_for_its_owner_alone),
    RUN(a_full_disk_loses_nothing_that_was_there),
    RUN(what_the_disk_refused_once_is_no_cause_of_later_errors),
    RUN(a_spool_has_the_hash_of_its_bytes))
