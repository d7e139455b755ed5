#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "out.h"
#include "store_sqlite_internal.h"

#define COLUMNS                                                                                    \
    "items.row, items.id, run, kind, name, argv, host, vm, os, arch, received_ns, start_ns,"       \
    " end_ns, cpu_seconds, samples, cut, size, sha256"                                             \
    " FROM items JOIN blobs ON blobs.id = items.blob"

enum { /* in the order of COLUMNS */
    ROW,
    ID,
    RUN,
    KIND,
    NAME,
    ARGV,
    HOST,
    VM,
    OS,
    ARCH,
    RECEIVED,
    START,
    END,
    CPU,
    SAMPLES,
    CUT,
    SIZE,
    SHA256,
};

void
vmp_store_items_free(vmp_store_items **items)
{
    if (!*items)
        return;
    vmp_arena_fini(&(*items)->arena);
    free(*items);
    *items = NULL;
}

int
vmp_sqlite_row_of(vmp_sqlite *q, vmp_str id, int64_t *ret_row, vmp_err *err)
{
    sqlite3_stmt *statement = NULL;
    int rc = vmp_sqlite_prepare(q, &statement, "SELECT row FROM items WHERE id = ?", err);
    if (rc < 0)
        return rc;
    int step = vmp_sqlite_bind_str(statement, 1, id);
    if (step == SQLITE_OK)
        step = sqlite3_step(statement);
    rc = vmp_sqlite_rc(q, step, err);
    if (rc == 0 && step == SQLITE_ROW)
        *ret_row = sqlite3_column_int64(statement, 0);
    else if (rc == 0)
        rc = vmp_sqlite_not_found(err);
    vmp_sqlite_done(q, statement);
    return rc;
}

/* A copy in the arena; .p is NULL when out of memory. */
static vmp_str
copy_column(vmp_arena *arena, sqlite3_stmt *statement, int column)
{
    /* In this order: the text is converted first, its size is asked then. */
    const char *text = (const char *)sqlite3_column_text(statement, column);
    size_t n = (size_t)sqlite3_column_bytes(statement, column);
    return (vmp_str){vmp_arena_copy(arena, (vmp_str){text, text ? n : 0}), text ? n : 0};
}

static int
copy_item(vmp_arena *arena, sqlite3_stmt *st, vmp_store_item *item)
{
    static const int columns[] = {NAME, ARGV, HOST, VM, OS, ARCH};
    vmp_str *const texts[] = {
        &item->name, &item->argv, &item->host, &item->vm, &item->os, &item->arch};
    *item = (vmp_store_item){
        .kind = (enum vmp_store_kind)sqlite3_column_int(st, KIND),
        .received_ns = sqlite3_column_int64(st, RECEIVED),
        .start_ns = sqlite3_column_int64(st, START),
        .end_ns = sqlite3_column_int64(st, END),
        .cpu_seconds = sqlite3_column_double(st, CPU),
        .samples = (uint64_t)sqlite3_column_int64(st, SAMPLES),
        .cut = sqlite3_column_int(st, CUT),
        .size_bytes = (uint64_t)sqlite3_column_int64(st, SIZE),
    };
    const char *id = (const char *)sqlite3_column_text(st, ID);
    const char *run = (const char *)sqlite3_column_text(st, RUN);
    const void *sha256 = sqlite3_column_blob(st, SHA256);
    if (!id || !run || !sha256)
        return -VMP_ENOMEM;
    snprintf(item->id, sizeof(item->id), "%s", id);
    snprintf(item->run, sizeof(item->run), "%s", run);
    if (sqlite3_column_bytes(st, SHA256) == VMP_SPOOL_SHA256)
        memcpy(item->sha256, sha256, VMP_SPOOL_SHA256);
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        *texts[i] = copy_column(arena, st, columns[i]);
        if (!texts[i]->p)
            return -VMP_ENOMEM;
    }
    return 0;
}

/* labels: a statement whose first parameter is the item's row. */
static int
copy_labels(
    vmp_sqlite *q, vmp_arena *arena, sqlite3_stmt *labels, int64_t row, vmp_store_item *item)
{
    vmp_store_label *list = vmp_arena_calloc(arena, VMP_STORE_MAX_LABELS, sizeof(*list));
    if (!list)
        return -VMP_ENOMEM;
    int step = sqlite3_bind_int64(labels, 1, row);
    while (step == SQLITE_OK || step == SQLITE_ROW) {
        step = sqlite3_step(labels);
        if (step != SQLITE_ROW || item->label_count == VMP_STORE_MAX_LABELS)
            break;
        vmp_store_label *label = &list[item->label_count++];
        *label = (vmp_store_label){copy_column(arena, labels, 0), copy_column(arena, labels, 1)};
        if (!label->key.p || !label->value.p)
            step = SQLITE_NOMEM;
    }
    item->labels = list;
    sqlite3_reset(labels);
    return vmp_sqlite_rc(q, step, NULL);
}

/* Takes what the statement gives, at most `limit` items; looks whether there are more. */
static int
collect(vmp_sqlite *q, sqlite3_stmt *statement, int bound, uint32_t limit,
    vmp_store_items **ret_items, vmp_err *err)
{
    sqlite3_stmt *labels = NULL;
    vmp_store_items *items = calloc(1, sizeof(*items));
    int step = bound;
    int rc = items ? vmp_sqlite_prepare(q, &labels,
                         "SELECT key, value FROM labels WHERE item = ? ORDER BY key", err)
                   : -VMP_ENOMEM;
    if (rc == 0) {
        items->items = vmp_arena_calloc(&items->arena, limit, sizeof(*items->items));
        rc = items->items ? 0 : -VMP_ENOMEM;
    }
    for (int64_t row = 0; rc == 0 && (step == SQLITE_OK || step == SQLITE_ROW);) {
        step = sqlite3_step(statement);
        if (step != SQLITE_ROW)
            break;
        if (items->count == limit) {
            items->next = (uint64_t)row;
            break;
        }
        row = sqlite3_column_int64(statement, ROW);
        rc = copy_item(&items->arena, statement, &items->items[items->count]);
        if (rc == 0)
            rc = copy_labels(q, &items->arena, labels, row, &items->items[items->count]);
        items->count++;
    }
    if (rc == 0)
        rc = vmp_sqlite_rc(q, step, err);
    else
        vmp_err_set(err, -rc, 0, 0, "%s", vmp_err_text(rc));
    vmp_sqlite_done(q, labels);
    if (rc < 0)
        vmp_store_items_free(&items);
    else
        *ret_items = items;
    return rc;
}

int
vmp_sqlite_find(vmp_store *s, vmp_str id, vmp_store_items **ret_items, vmp_err *err)
{
    vmp_sqlite *q = vmp_sqlite_of(s);
    sqlite3_stmt *statement = NULL;
    vmp_store_items *items = NULL;
    pthread_mutex_lock(&q->lock);
    int rc = vmp_sqlite_prepare(q, &statement, "SELECT " COLUMNS " WHERE items.id = ?", err);
    if (rc == 0)
        rc = collect(q, statement, vmp_sqlite_bind_str(statement, 1, id), 1, &items, err);
    vmp_sqlite_done(q, statement);
    pthread_mutex_unlock(&q->lock);
    if (!items)
        return rc;
    if (items->count == 0) {
        vmp_store_items_free(&items);
        return vmp_sqlite_not_found(err);
    }
    *ret_items = items;
    return 0;
}

/* Puts the conditions of a filter; bind_filter binds their values in the same order. */
static void
put_conditions(vmp_out *sql, const vmp_store_filter *filter)
{
    vmp_out_text(sql, "SELECT " COLUMNS " WHERE 1");
    if (filter->before)
        vmp_out_text(sql, " AND items.row < ?");
    if (filter->run.n)
        vmp_out_text(sql, " AND run = ? AND run <> ''");
    if (filter->name.n)
        vmp_out_text(sql, " AND instr(lower(name), lower(?)) > 0");
    if (filter->host.n)
        vmp_out_text(sql, " AND instr(lower(host), lower(?)) > 0");
    if (filter->text.n)
        vmp_out_text(sql,
            " AND instr(lower(name || char(10) || argv || char(10) || host || char(10) ||"
            " items.id), lower(?)) > 0");
    for (size_t i = 0; i < filter->label_count; i++)
        vmp_out_printf(sql, " AND items.row IN (SELECT item FROM labels WHERE key = ?%s)",
            filter->labels[i].value.p ? " AND value = ?" : "");
    vmp_out_text(sql, " ORDER BY items.row DESC LIMIT ?");
    vmp_out_bytes(sql, "", 1);
}

static int
bind_filter(sqlite3_stmt *statement, const vmp_store_filter *filter)
{
    const vmp_str texts[] = {filter->run, filter->name, filter->host, filter->text};
    int at = 1, bound = SQLITE_OK;
    if (filter->before)
        bound = sqlite3_bind_int64(statement, at++, (int64_t)filter->before);
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        if (bound == SQLITE_OK && texts[i].n)
            bound = vmp_sqlite_bind_str(statement, at++, texts[i]);
    for (size_t i = 0; i < filter->label_count && bound == SQLITE_OK; i++) {
        bound = vmp_sqlite_bind_str(statement, at++, filter->labels[i].key);
        if (bound == SQLITE_OK && filter->labels[i].value.p)
            bound = vmp_sqlite_bind_str(statement, at++, filter->labels[i].value);
    }
    return bound == SQLITE_OK ? sqlite3_bind_int64(statement, at, (int64_t)filter->limit + 1)
                              : bound;
}

int
vmp_sqlite_list(
    vmp_store *s, const vmp_store_filter *filter, vmp_store_items **ret_items, vmp_err *err)
{
    vmp_sqlite *q = vmp_sqlite_of(s);
    sqlite3_stmt *statement = NULL;
    vmp_out sql;
    vmp_out_init(&sql, -1);
    put_conditions(&sql, filter);
    if (sql.rc < 0) {
        vmp_out_fini(&sql);
        return vmp_err_set(err, VMP_ENOMEM, 0, 0, "out of memory");
    }
    pthread_mutex_lock(&q->lock);
    int rc = vmp_sqlite_rc(q, sqlite3_prepare_v2(q->db, sql.p, -1, &statement, NULL), err);
    if (rc == 0)
        rc = collect(q, statement, bind_filter(statement, filter), filter->limit, ret_items, err);
    sqlite3_finalize(statement);
    pthread_mutex_unlock(&q->lock);
    vmp_out_fini(&sql);
    return rc;
}

/* Copies from the chunk of the statement's row, if there is one. */
static size_t
copy_chunk(sqlite3_stmt *statement, uint64_t offset, uint8_t *p, size_t cap)
{
    const uint8_t *bytes = sqlite3_column_blob(statement, 0);
    size_t have = (size_t)sqlite3_column_bytes(statement, 0);
    size_t skip = (size_t)(offset % VMP_SQLITE_CHUNK);
    if (!bytes || skip >= have)
        return 0;
    size_t n = have - skip < cap ? have - skip : cap;
    memcpy(p, bytes + skip, n);
    return n;
}

int
vmp_sqlite_read(vmp_store *s, vmp_str id, uint64_t offset, uint8_t *p, size_t cap, size_t *ret_got,
    vmp_err *err)
{
    vmp_sqlite *q = vmp_sqlite_of(s);
    sqlite3_stmt *statement = NULL;
    size_t got = 0;
    pthread_mutex_lock(&q->lock);
    int rc = vmp_sqlite_prepare(q, &statement,
        "SELECT bytes FROM items LEFT JOIN chunks ON chunks.blob = items.blob AND part = ?"
        " WHERE id = ?",
        err);
    if (rc == 0) {
        int step = sqlite3_bind_int64(statement, 1, (int64_t)(offset / VMP_SQLITE_CHUNK));
        if (step == SQLITE_OK)
            step = vmp_sqlite_bind_str(statement, 2, id);
        if (step == SQLITE_OK)
            step = sqlite3_step(statement);
        if (step == SQLITE_ROW)
            got = copy_chunk(statement, offset, p, cap);
        rc = vmp_sqlite_rc(q, step, err);
        if (rc == 0 && step != SQLITE_ROW)
            rc = vmp_sqlite_not_found(err);
    }
    vmp_sqlite_done(q, statement);
    pthread_mutex_unlock(&q->lock);
    if (rc == 0)
        *ret_got = got;
    return rc;
}

int
vmp_sqlite_totals(vmp_store *s, uint64_t *ret_items, uint64_t *ret_bytes, vmp_err *err)
{
    vmp_sqlite *q = vmp_sqlite_of(s);
    sqlite3_stmt *statement = NULL;
    pthread_mutex_lock(&q->lock);
    int rc = vmp_sqlite_prepare(q, &statement,
        "SELECT (SELECT count(*) FROM items), (SELECT coalesce(sum(size), 0) FROM blobs)", err);
    if (rc == 0)
        rc = vmp_sqlite_rc(q, sqlite3_step(statement), err);
    if (rc == 0) {
        *ret_items = (uint64_t)sqlite3_column_int64(statement, 0);
        *ret_bytes = (uint64_t)sqlite3_column_int64(statement, 1);
    }
    vmp_sqlite_done(q, statement);
    pthread_mutex_unlock(&q->lock);
    return rc;
}
