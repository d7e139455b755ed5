/* A store in a new folder below the temporary one, and what goes into it. */
#ifndef VMP_TESTS_STORE_FIXTURE_H
#define VMP_TESTS_STORE_FIXTURE_H

#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "check.h"
#include "store.h"

typedef struct store_fixture {
    char folder[96], path[128];
    vmp_store *store;
} store_fixture;

static inline void
store_fixture_folder(store_fixture *f)
{
    const char *tmp = getenv("TMPDIR");
    snprintf(f->folder, sizeof(f->folder), "%.60s/vmprof-store-XXXXXX", tmp ? tmp : "/tmp");
    CHECK(mkdtemp(f->folder));
    snprintf(f->path, sizeof(f->path), "%s/profiles.db", f->folder);
    f->store = NULL;
}

static inline void
store_fixture_open(store_fixture *f)
{
    vmp_err err = {0};
    store_fixture_folder(f);
    CHECK_INT(vmp_store_sqlite_open(&f->store, f->path, &err), 0);
}

/* Removes the folder with the files that are in it. */
static inline void
store_fixture_close(store_fixture *f)
{
    char path[512];
    vmp_store_close(&f->store);
    DIR *folder = opendir(f->folder);
    for (struct dirent *e; folder && (e = readdir(folder));) {
        snprintf(path, sizeof(path), "%s/%s", f->folder, e->d_name);
        unlink(path);
    }
    if (folder)
        closedir(folder);
    CHECK_INT(rmdir(f->folder), 0);
}

/* n bytes that differ for each seed. */
static inline vmp_spool *
store_fixture_bytes(const store_fixture *f, size_t n, uint32_t seed)
{
    vmp_spool *s = NULL;
    uint8_t block[4096];
    CHECK_INT(vmp_spool_new(&s, f->folder, NULL), 0);
    while (s && n > 0) {
        size_t m = n < sizeof(block) ? n : sizeof(block);
        for (size_t i = 0; i < m; i++) {
            seed = seed * 1664525u + 1013904223u;
            block[i] = (uint8_t)(seed >> 24);
        }
        CHECK_INT(vmp_spool_put(s, block, m, NULL), 0);
        n -= m;
    }
    return s;
}

#endif
