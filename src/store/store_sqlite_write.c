#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store_sqlite_internal.h"

static int
find_blob(vmp_sqlite *q, const uint8_t *sha256, int64_t *ret_blob, vmp_err *err)
{
    sqlite3_stmt *statement = NULL;
    int rc = vmp_sqlite_prepare(q, &statement, "SELECT id FROM blobs WHERE sha256 = ?", err);
    if (rc < 0)
        return rc;
    int step = sqlite3_bind_blob(statement, 1, sha256, VMP_SPOOL_SHA256, SQLITE_STATIC);
    if (step == SQLITE_OK)
        step = sqlite3_step(statement);
    *ret_blob = step == SQLITE_ROW ? sqlite3_column_int64(statement, 0) : 0;
    rc = vmp_sqlite_rc(q, step, err);
    vmp_sqlite_done(q, statement);
    return rc;
}

static int
put_chunks(vmp_sqlite *q, int64_t blob, const vmp_spool *bytes, uint8_t *chunk, vmp_err *err)
{
    sqlite3_stmt *statement = NULL;
    uint64_t size = vmp_spool_size(bytes), at = 0;
    int rc = vmp_sqlite_prepare(q, &statement, "INSERT INTO chunks VALUES (?, ?, ?)", err);
    for (int64_t part = 0; rc == 0 && at < size; part++) {
        size_t got = 0, have = 0;
        /* All chunks but the last are full: reading counts on it. */
        do {
            rc = vmp_spool_read(bytes, at, chunk + have, VMP_SQLITE_CHUNK - have, &got, err);
            have += got;
            at += got;
        } while (rc == 0 && got > 0 && have < VMP_SQLITE_CHUNK);
        if (rc < 0)
            break;
        int done = sqlite3_bind_int64(statement, 1, blob);
        if (done == SQLITE_OK)
            done = sqlite3_bind_int64(statement, 2, part);
        if (done == SQLITE_OK)
            done = sqlite3_bind_blob(statement, 3, chunk, (int)have, SQLITE_STATIC);
        if (done == SQLITE_OK)
            done = sqlite3_step(statement);
        rc = vmp_sqlite_rc(q, done, err);
        sqlite3_reset(statement);
    }
    vmp_sqlite_done(q, statement);
    return rc;
}

static int
put_blob(
    vmp_sqlite *q, const vmp_spool *bytes, const uint8_t *sha256, int64_t *ret_blob, vmp_err *err)
{
    sqlite3_stmt *statement = NULL;
    uint8_t *chunk = malloc(VMP_SQLITE_CHUNK);
    int rc = chunk ? vmp_sqlite_prepare(
                         q, &statement, "INSERT INTO blobs (sha256, size) VALUES (?, ?)", err)
                   : vmp_err_set(err, VMP_ENOMEM, 0, 0, "out of memory");
    if (rc == 0) {
        int bound = sqlite3_bind_blob(statement, 1, sha256, VMP_SPOOL_SHA256, SQLITE_STATIC);
        if (bound == SQLITE_OK)
            bound = sqlite3_bind_int64(statement, 2, (int64_t)vmp_spool_size(bytes));
        rc = vmp_sqlite_run(q, statement, bound, err);
    }
    if (rc == 0) {
        *ret_blob = sqlite3_last_insert_rowid(q->db);
        rc = put_chunks(q, *ret_blob, bytes, chunk, err);
    }
    free(chunk);
    return rc;
}

/* The item of the same kind that came with these bytes for this run: *ret_id stays
 * empty if there is none. */
static int
find_twin(vmp_sqlite *q, const vmp_store_item *item, int64_t blob, char ret_id[VMP_STORE_ID_SIZE],
    vmp_err *err)
{
    sqlite3_stmt *statement = NULL;
    int rc = vmp_sqlite_prepare(
        q, &statement, "SELECT id FROM items WHERE blob = ? AND kind = ? AND run = ?", err);
    if (rc < 0)
        return rc;
    int step = sqlite3_bind_int64(statement, 1, blob);
    if (step == SQLITE_OK)
        step = sqlite3_bind_int(statement, 2, (int)item->kind);
    if (step == SQLITE_OK)
        step = vmp_sqlite_bind_str(statement, 3, vmp_str_from(item->run));
    if (step == SQLITE_OK)
        step = sqlite3_step(statement);
    if (step == SQLITE_ROW)
        snprintf(ret_id, VMP_STORE_ID_SIZE, "%s", (const char *)sqlite3_column_text(statement, 0));
    rc = vmp_sqlite_rc(q, step, err);
    vmp_sqlite_done(q, statement);
    return rc;
}

static int
put_item(vmp_sqlite *q, const vmp_store_item *item, const char *id, int64_t blob, vmp_err *err)
{
    sqlite3_stmt *st = NULL;
    int rc = vmp_sqlite_prepare(q, &st,
        "INSERT INTO items (id, run, kind, name, argv, host, vm, os, arch, received_ns, start_ns,"
        " end_ns, cpu_seconds, samples, cut, blob)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        err);
    if (rc < 0)
        return rc;
    const vmp_str texts[] = {item->name, item->argv, item->host, item->vm, item->os, item->arch};
    const int64_t numbers[] = {vmp_sqlite_now_ns(), item->start_ns, item->end_ns};
    int at = 1, bound = vmp_sqlite_bind_str(st, at++, vmp_str_from(id));
    if (bound == SQLITE_OK)
        bound = vmp_sqlite_bind_str(st, at++, vmp_str_from(item->run));
    if (bound == SQLITE_OK)
        bound = sqlite3_bind_int(st, at++, (int)item->kind);
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]) && bound == SQLITE_OK; i++)
        bound = vmp_sqlite_bind_str(st, at++, texts[i]);
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]) && bound == SQLITE_OK; i++)
        bound = sqlite3_bind_int64(st, at++, numbers[i]);
    if (bound == SQLITE_OK)
        bound = sqlite3_bind_double(st, at++, item->cpu_seconds);
    if (bound == SQLITE_OK)
        bound = sqlite3_bind_int64(st, at++, (int64_t)item->samples);
    if (bound == SQLITE_OK)
        bound = sqlite3_bind_int(st, at++, item->cut);
    if (bound == SQLITE_OK)
        bound = sqlite3_bind_int64(st, at, blob);
    return vmp_sqlite_run(q, st, bound, err);
}

int
vmp_sqlite_put_labels(
    vmp_sqlite *q, int64_t row, const vmp_store_label *labels, size_t label_count, vmp_err *err)
{
    int rc = 0;
    for (size_t i = 0; i < label_count && rc == 0; i++) {
        sqlite3_stmt *statement = NULL;
        rc = vmp_sqlite_prepare(
            q, &statement, "INSERT OR REPLACE INTO labels VALUES (?, ?, ?)", err);
        if (rc < 0)
            break;
        int bound = sqlite3_bind_int64(statement, 1, row);
        if (bound == SQLITE_OK)
            bound = vmp_sqlite_bind_str(statement, 2, labels[i].key);
        if (bound == SQLITE_OK)
            bound = vmp_sqlite_bind_str(statement, 3, labels[i].value);
        rc = vmp_sqlite_run(q, statement, bound, err);
    }
    return rc;
}

/* The old protocol has links to a run's log under the id of the run. */
static int
choose_id(vmp_sqlite *q, const vmp_store_item *item, char ret_id[VMP_STORE_ID_SIZE], vmp_err *err)
{
    int64_t row;
    if (item->run[0] == '\0' || item->kind != VMP_STORE_LOG) {
        vmp_sqlite_new_id(ret_id);
        return 0;
    }
    int rc = vmp_sqlite_row_of(q, vmp_str_from(item->run), &row, NULL);
    if (rc == 0)
        return vmp_err_set(err, VMP_EINVAL, 0, 0, "the run has another log already");
    if (rc != -VMP_ENOTFOUND)
        return vmp_err_set(err, -rc, 0, 0, "%s", vmp_err_text(rc));
    snprintf(ret_id, VMP_STORE_ID_SIZE, "%s", item->run);
    return 0;
}

static int
put(vmp_sqlite *q, const vmp_store_item *item, const vmp_spool *bytes, const uint8_t *sha256,
    char ret_id[VMP_STORE_ID_SIZE], bool *ret_new, vmp_err *err)
{
    int64_t blob = 0;
    char id[VMP_STORE_ID_SIZE] = "";
    int rc = find_blob(q, sha256, &blob, err);
    if (rc == 0 && blob)
        rc = find_twin(q, item, blob, id, err);
    bool is_new = id[0] == '\0';
    if (rc == 0 && is_new && !blob)
        rc = put_blob(q, bytes, sha256, &blob, err);
    if (rc == 0 && is_new)
        rc = choose_id(q, item, id, err);
    if (rc == 0 && is_new)
        rc = put_item(q, item, id, blob, err);
    if (rc == 0 && is_new)
        rc = vmp_sqlite_put_labels(
            q, sqlite3_last_insert_rowid(q->db), item->labels, item->label_count, err);
    if (rc == 0) {
        memcpy(ret_id, id, VMP_STORE_ID_SIZE);
        *ret_new = is_new;
    }
    return rc;
}

int
vmp_sqlite_put(vmp_store *s, const vmp_store_item *item, const vmp_spool *bytes,
    char ret_id[VMP_STORE_ID_SIZE], bool *ret_new, vmp_err *err)
{
    vmp_sqlite *q = vmp_sqlite_of(s);
    uint8_t sha256[VMP_SPOOL_SHA256];
    vmp_spool_sha256(bytes, sha256);
    pthread_mutex_lock(&q->lock);
    int rc = vmp_sqlite_begin(q, err);
    if (rc == 0) {
        rc = put(q, item, bytes, sha256, ret_id, ret_new, err);
        rc = vmp_sqlite_end(q, rc, err);
    }
    pthread_mutex_unlock(&q->lock);
    return rc;
}

static int
rename_item(vmp_sqlite *q, int64_t row, vmp_str name, vmp_err *err)
{
    sqlite3_stmt *statement = NULL;
    int rc = vmp_sqlite_prepare(q, &statement, "UPDATE items SET name = ? WHERE row = ?", err);
    if (rc < 0)
        return rc;
    int bound = vmp_sqlite_bind_str(statement, 1, name);
    if (bound == SQLITE_OK)
        bound = sqlite3_bind_int64(statement, 2, row);
    return vmp_sqlite_run(q, statement, bound, err);
}

/* Runs a statement with one number. */
static int
run_with(vmp_sqlite *q, const char *sql, int64_t number, vmp_err *err)
{
    sqlite3_stmt *statement = NULL;
    int rc = vmp_sqlite_prepare(q, &statement, sql, err);
    if (rc < 0)
        return rc;
    return vmp_sqlite_run(q, statement, sqlite3_bind_int64(statement, 1, number), err);
}

int
vmp_sqlite_relabel(vmp_store *s, vmp_str id, const vmp_str *name, const vmp_store_label *labels,
    size_t label_count, vmp_err *err)
{
    vmp_sqlite *q = vmp_sqlite_of(s);
    int64_t row = 0;
    pthread_mutex_lock(&q->lock);
    int rc = vmp_sqlite_begin(q, err);
    if (rc == 0) {
        rc = vmp_sqlite_row_of(q, id, &row, err);
        if (rc == 0 && name)
            rc = rename_item(q, row, *name, err);
        if (rc == 0 && labels)
            rc = run_with(q, "DELETE FROM labels WHERE item = ?", row, err);
        if (rc == 0 && labels)
            rc = vmp_sqlite_put_labels(q, row, labels, label_count, err);
        rc = vmp_sqlite_end(q, rc, err);
    }
    pthread_mutex_unlock(&q->lock);
    return rc;
}

int
vmp_sqlite_remove(vmp_store *s, vmp_str id, vmp_err *err)
{
    vmp_sqlite *q = vmp_sqlite_of(s);
    int64_t row = 0;
    pthread_mutex_lock(&q->lock);
    int rc = vmp_sqlite_begin(q, err);
    if (rc == 0) {
        rc = vmp_sqlite_row_of(q, id, &row, err);
        if (rc == 0)
            rc = run_with(q, "DELETE FROM items WHERE row = ?", row, err);
        rc = vmp_sqlite_end(q, rc, err);
    }
    pthread_mutex_unlock(&q->lock);
    return rc;
}

int
vmp_sqlite_expire(vmp_store *s, int64_t before_ns, uint64_t *ret_removed, vmp_err *err)
{
    vmp_sqlite *q = vmp_sqlite_of(s);
    int removed = 0;
    pthread_mutex_lock(&q->lock);
    int rc = vmp_sqlite_begin(q, err);
    if (rc == 0) {
        rc = run_with(q, "DELETE FROM items WHERE received_ns < ?", before_ns, err);
        removed = sqlite3_changes(q->db);
        /* Runs that nothing ever came for. */
        if (rc == 0)
            rc = run_with(q, "DELETE FROM runs WHERE made_ns < ?", before_ns, err);
        rc = vmp_sqlite_end(q, rc, err);
    }
    pthread_mutex_unlock(&q->lock);
    if (rc == 0)
        *ret_removed = (uint64_t)removed;
    return rc;
}
