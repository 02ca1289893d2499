/*
 * enclose: a helper process gives up what a parser of hostile bytes does not need: no network, no
 * file that is not open already, no program, no more memory than a file may take. One thread; for
 * ever.
 */
#ifndef CARVED_CORE_ENGINES_ENCLOSE_H
#define CARVED_CORE_ENGINES_ENCLOSE_H

#include <stdint.h>

struct error;

/** Confines this process and all that it forks. memory: bytes that it may take beyond what it has
 * now. 0, or -errno with words: then it must end. */
int enclose(uint64_t memory, struct error *err);

#endif
