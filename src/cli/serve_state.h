/* The file by which clients of this user find a server that runs:
 * vmprof/server.json in $XDG_STATE_HOME, else in ~/.local/state. */
#ifndef VMP_SERVE_STATE_H
#define VMP_SERVE_STATE_H

/* Makes the folders of a path that are not there, for their owner alone. */
void vmp_serve_make_folders(const char *path);

/* Writes {"url": url, "pid": ours}. Where it cannot be written nothing is found, which is
 * no error. */
void vmp_serve_state_write(const char *url);
/* Removes it, unless another server has written its own meanwhile. */
void vmp_serve_state_remove(void);

#endif
