#include <stdio.h>

#include "store_sqlite_internal.h"

int
vmp_sqlite_run_new(
    vmp_store *s, vmp_str argv, vmp_str vm, char ret_id[VMP_STORE_ID_SIZE], vmp_err *err)
{
    vmp_sqlite *q = vmp_sqlite_of(s);
    sqlite3_stmt *statement = NULL;
    char id[VMP_STORE_ID_SIZE];
    vmp_sqlite_new_id(id);
    pthread_mutex_lock(&q->lock);
    int rc = vmp_sqlite_prepare(q, &statement, "INSERT INTO runs VALUES (?, ?, ?, 0, ?)", err);
    if (rc == 0) {
        int bound = vmp_sqlite_bind_str(statement, 1, vmp_str_from(id));
        if (bound == SQLITE_OK)
            bound = vmp_sqlite_bind_str(statement, 2, argv);
        if (bound == SQLITE_OK)
            bound = vmp_sqlite_bind_str(statement, 3, vm);
        if (bound == SQLITE_OK)
            bound = sqlite3_bind_int64(statement, 4, vmp_sqlite_now_ns());
        rc = vmp_sqlite_run(q, statement, bound, err);
    }
    pthread_mutex_unlock(&q->lock);
    if (rc == 0)
        snprintf(ret_id, VMP_STORE_ID_SIZE, "%s", id);
    return rc;
}

static void
take_run(sqlite3_stmt *statement, vmp_store_run *run)
{
    const char *argv = (const char *)sqlite3_column_text(statement, 0);
    const char *vm = (const char *)sqlite3_column_text(statement, 1);
    snprintf(run->argv, sizeof(run->argv), "%s", argv ? argv : "");
    snprintf(run->vm, sizeof(run->vm), "%s", vm ? vm : "");
    run->frozen = sqlite3_column_int(statement, 2);
}

static int
no_run(vmp_err *err)
{
    return vmp_err_set(err, VMP_ENOTFOUND, 0, 0, "there is no such run");
}

int
vmp_sqlite_run_find(vmp_store *s, vmp_str id, vmp_store_run *ret_run, vmp_err *err)
{
    vmp_sqlite *q = vmp_sqlite_of(s);
    sqlite3_stmt *statement = NULL;
    pthread_mutex_lock(&q->lock);
    int rc =
        vmp_sqlite_prepare(q, &statement, "SELECT argv, vm, frozen FROM runs WHERE id = ?", err);
    if (rc == 0) {
        int step = vmp_sqlite_bind_str(statement, 1, id);
        if (step == SQLITE_OK)
            step = sqlite3_step(statement);
        rc = vmp_sqlite_rc(q, step, err);
        if (rc == 0 && step == SQLITE_ROW)
            take_run(statement, ret_run);
        else if (rc == 0)
            rc = no_run(err);
    }
    vmp_sqlite_done(q, statement);
    pthread_mutex_unlock(&q->lock);
    return rc;
}

int
vmp_sqlite_run_freeze(vmp_store *s, vmp_str id, vmp_err *err)
{
    vmp_sqlite *q = vmp_sqlite_of(s);
    sqlite3_stmt *statement = NULL;
    pthread_mutex_lock(&q->lock);
    int rc = vmp_sqlite_prepare(q, &statement, "UPDATE runs SET frozen = 1 WHERE id = ?", err);
    if (rc == 0)
        rc = vmp_sqlite_run(q, statement, vmp_sqlite_bind_str(statement, 1, id), err);
    if (rc == 0 && sqlite3_changes(q->db) == 0)
        rc = no_run(err);
    pthread_mutex_unlock(&q->lock);
    return rc;
}
