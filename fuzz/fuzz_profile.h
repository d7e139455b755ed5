/* What holds of every profile, whatever a log says. */
#ifndef VMP_FUZZ_PROFILE_H
#define VMP_FUZZ_PROFILE_H

#include "profile.h"

/* Aborts where a table is not as profile.h says. */
void fuzz_profile_check(const vmp_profile *p);

#endif
