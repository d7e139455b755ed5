/* Compares a stopped process that described itself with what the walker finds
 * in it, or records the memory that the comparison touches.
 *
 *   image_tool check PID TEXT
 *   image_tool record PID TEXT IMAGE */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "known.h"
#include "mem_image.h"
#include "py_walk.h"

/* Beyond what is read today: so that an image still serves when the walker reads
 * another field of the same objects. */
static void
objects_keep(const known *k, mem_recorder *r)
{
    enum { CODE_BYTES = 256, TSTATE_BYTES = 320 };
    vmp_mem mem = mem_recorder_view(r);
    vmp_frame frames[KNOWN_MAX_FRAMES];
    vmp_py_blocks blocks;
    vmp_py_offsets off;
    if (vmp_py_offsets_for(&off, &k->target, &mem, NULL) < 0)
        return;
    for (uint32_t t = 0; t < k->n; t++) {
        vmp_py_stack st = {.frames = frames, .cap = KNOWN_MAX_FRAMES};
        vmp_py_walk_mem(&off, &mem, &blocks, k->code_type, k->threads[t].tstate, &st);
        for (uint32_t i = 0; i < st.n; i++)
            mem_recorder_keep(r, frames[i].code, CODE_BYTES);
        mem_recorder_keep(r, k->threads[t].tstate, TSTATE_BYTES);
    }
}

int
main(int argc, char **argv)
{
    bool record = argc == 5 && strcmp(argv[1], "record") == 0;
    if (!record && !(argc == 4 && strcmp(argv[1], "check") == 0)) {
        fprintf(stderr, "usage: image_tool check PID TEXT | record PID TEXT IMAGE\n");
        return 2;
    }
    vmp_mem_pid *target = NULL;
    vmp_err err;
    known *k = known_load(argv[3]);
    if (!k) {
        fprintf(stderr, "%s: not understood\n", argv[3]);
        return 2;
    }
    if (vmp_mem_pid_open(&target, atoi(argv[2]), &err) < 0) {
        fprintf(stderr, "%s\n", err.text);
        return 2;
    }
    mem_recorder recorder = {.from = vmp_mem_pid_view(target)};
    vmp_mem mem = record ? mem_recorder_view(&recorder) : recorder.from;
    int bad = known_compare(k, &mem);
    if (record) {
        objects_keep(k, &recorder);
        bad += !mem_image_save(&recorder.kept, argv[4]);
    }
    mem_recorder_fini(&recorder);
    vmp_mem_pid_close(&target);
    known_free(k);
    return bad != 0;
}
