/* For processors where a restarted call cannot be told from one to begin. */
#ifndef VMP_OS_LINUX_RESTART_CPU_H
#define VMP_OS_LINUX_RESTART_CPU_H

enum { VMP_OS_RESTART_IS_TOLD = 0 };

#endif
