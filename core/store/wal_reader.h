/*
 * wal_reader: which process keeps the write-ahead log from being reset. Private to this room.
 */
#ifndef CARVED_CORE_STORE_WAL_READER_H
#define CARVED_CORE_STORE_WAL_READER_H

#include <stdbool.h>
#include <stddef.h>

/** Finds another process that is reading the history (its path) now, and writes "process 12 (name)"
 * to out. False when there is none that can be seen. Any thread. */
bool wal_reader_find(const char *history, char *out, size_t size);

#endif
