/* What is kept open of the program's threads: a small table by tid. */
#include "sampler_internal.h"

enum {
    DESCRIPTORS_SHARE = 16, /* at most one in so many of the program's is for this */
    DESCRIPTORS_EACH = 2,
    USES_MOST = 4,   /* who is asked for more often than the others of its place keeps it */
    PLACES_EACH = 8, /* those from its own on that a thread may have: no two lack one for long
                        because of their numbers, while there is room */
};

/* Where the thread is, else a place that is free, else its own, which another has. */
static uint32_t
place_of(vmp_thread_files *f, pid_t tid)
{
    if (f->places == 0) {
        uint32_t room = (uint32_t)vmp_os_fd_limit() / (DESCRIPTORS_SHARE * DESCRIPTORS_EACH);
        f->places = room < 1 ? 1 : room < VMP_THREAD_FILES_MOST ? room : VMP_THREAD_FILES_MOST;
    }
    uint32_t own = (uint32_t)tid % f->places, vacant = own;
    for (uint32_t i = 0; i < PLACES_EACH && i < f->places; i++) {
        uint32_t place = (own + i) % f->places;
        if (f->files[place].tid == tid)
            return place;
        if (f->files[place].tid == 0 && f->files[vacant].tid != 0)
            vacant = place;
    }
    return vacant;
}

vmp_os_thread_files *
vmp_thread_files_of(vmp_sampler *s, pid_t tid)
{
    vmp_thread_files *f = &s->thread_files;
    uint32_t place = place_of(f, tid);
    vmp_os_thread_files *files = &f->files[place];
    if (files->tid != 0 && files->tid != tid && f->uses[place] > 0) {
        f->uses[place]--;
        return NULL;
    }
    if (files->tid != tid) {
        vmp_os_thread_files_close(files);
        vmp_os_thread_files_open(files, tid); /* both: at once, and seldom */
    }
    f->uses[place] = USES_MOST;
    return files;
}

void
vmp_thread_files_drop(vmp_sampler *s, pid_t tid)
{
    vmp_os_thread_files *files = &s->thread_files.files[place_of(&s->thread_files, tid)];
    if (files->tid == tid)
        vmp_os_thread_files_close(files);
}

void
vmp_proc_files_close(vmp_sampler *s)
{
    vmp_os_kept_close(&s->rss);
    vmp_os_kept_close(&s->status);
    vmp_os_kept_close(&s->pacer_status);
    vmp_os_kept_close(&s->tasks);
    for (uint32_t i = 0; i < s->thread_files.places; i++)
        vmp_os_thread_files_close(&s->thread_files.files[i]);
    s->thread_files.places = 0;
}
