/*
 * copy: the bytes of one file into another. Any thread.
 */
#ifndef CARVED_CORE_DISPOSE_COPY_H
#define CARVED_CORE_DISPOSE_COPY_H

/** Appends to to all that from holds, from its beginning on. 0 or -errno. */
int copy_bytes(int from, int to);

#endif
