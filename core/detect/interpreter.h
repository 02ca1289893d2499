/*
 * interpreter: which word of a command line is program text ("sh -c TEXT", "python3 -c TEXT").
 *
 * A file name must never become part of such a text: whoever names the file would write the
 * program. The classes refuse it, or leave the variable for the shell to expand. This knows the
 * shells and interpreters of its table and their options; it guards against the mistake that people
 * make, it cannot prove that a program does not run its arguments. Pure; any thread.
 */
#ifndef CARVED_CORE_DETECT_INTERPRETER_H
#define CARVED_CORE_DETECT_INTERPRETER_H

#include <stdbool.h>
#include <stddef.h>

/** True when argv[index] is (or holds, as in "-cTEXT") text that a known interpreter in argv runs.
 */
bool interpreter_runs(char *const *argv, size_t index);

#endif
