/* Replays the recorded processes of tests/images through the walker. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "known.h"
#include "mem_image.h"

enum { MAX_IMAGES = 64, MAX_IMAGE_BYTES = 100 * 1000 };

static const char *folder;

static int
image_replay(const char *name)
{
    char path[512];
    mem_image im;
    snprintf(path, sizeof(path), "%s/%s.txt", folder, name);
    known *k = known_load(path);
    snprintf(path, sizeof(path), "%s/%s.img", folder, name);
    int bad = 1;
    if (!k)
        printf("# %s.txt is not understood\n", name);
    else if (!mem_image_load(&im, path))
        printf("# %s.img is not understood\n", name);
    else {
        vmp_mem mem = mem_image_view(&im);
        bad = known_compare(k, &mem);
        mem_image_fini(&im);
    }
    known_free(k);
    return bad;
}

static int
name_order(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

int
main(int argc, char **argv)
{
    char *names[MAX_IMAGES];
    size_t n = 0;
    int bad = 0;
    folder = argc > 1 ? argv[1] : ".";
    DIR *d = opendir(folder);
    for (struct dirent *e; d && (e = readdir(d)) && n < MAX_IMAGES;) {
        char *dot = strrchr(e->d_name, '.');
        if (dot && strcmp(dot, ".img") == 0)
            names[n++] = strndup(e->d_name, (size_t)(dot - e->d_name));
    }
    if (d)
        closedir(d);
    qsort(names, n, sizeof(names[0]), name_order);
    printf("1..%zu\n", n + 1);
    for (size_t i = 0; i < n; i++) {
        int differences = image_replay(names[i]);
        printf("%sok %zu - %s\n", differences ? "not " : "", i + 1, names[i]);
        bad += differences != 0;
        free(names[i]);
    }
    /* One for each version; see the README beside the images. */
    bool complete = n >= 10;
    printf("%sok %zu - all versions are there\n", complete ? "" : "not ", n + 1);
    return bad != 0 || !complete;
}
