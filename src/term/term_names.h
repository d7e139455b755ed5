/* Names of functions and places, as views show them. */
#ifndef VMP_TERM_NAMES_H
#define VMP_TERM_NAMES_H

#include "profile.h"
#include "term_text.h"

/* The part of a path that tells people most: relative to the first process's
 * working directory; below site-packages, dist-packages or lib/pythonN.N; of a
 * native library its base name; else all of it. A part of `file`, not cleaned. */
vmp_str vmp_name_short_file(const vmp_profile *p, enum vmp_profile_kind kind, vmp_str file);

/* "<unknown>" where a function has no name. */
vmp_str vmp_name_function(const vmp_profile *p, vmp_function_id id);

/* Replaces o (in memory) by "file:line", with `line` or, if that is 0, the
 * function's first; without a line where there is none. Not cleaned. */
vmp_str vmp_name_place(vmp_out *o, const vmp_profile *p, vmp_function_id id, uint32_t line);

/* The same of a location: with its line, and with `columns` its first column,
 * from 1 as editors count: "file:line:column". Without a location (0): of the
 * function. */
vmp_str vmp_name_place_at(
    vmp_out *o, const vmp_profile *p, vmp_function_id id, vmp_location_id location, bool columns);

/* Replaces o by what a thread is called: its name, or "thread 1234". */
vmp_str vmp_name_thread(vmp_out *o, const vmp_profile *p, vmp_thread_id id);

/* Replaces o by "process 1234: python prog.py". */
vmp_str vmp_name_process(vmp_out *o, const vmp_profile *p, vmp_process_id id);

/* Appends arguments that are separated by \n, quoted as a shell would need them. */
void vmp_name_command_line(vmp_out *o, vmp_str argv);

/* True if the pattern is part of the function's name, qualified name or file:
 * the rule of report.h. */
bool vmp_name_matches(const vmp_profile *p, vmp_function_id id, vmp_str pattern);

#endif
