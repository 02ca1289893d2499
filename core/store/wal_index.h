/*
 * wal_index: the index of the write-ahead log, "<history>-shm", on a disk that is full. Private to
 * this room.
 */
#ifndef CARVED_CORE_STORE_WAL_INDEX_H
#define CARVED_CORE_STORE_WAL_INDEX_H

#include <stdbool.h>

/** Has the index keep the room that it has on its disk, or take it, before SQLite opens the history
 * at path, and after. By who has the history's lock. A descriptor for wal_index_release(), or -1:
 * there is no history yet, or nothing can be done. */
int wal_index_hold(const char *path);
/** Whether nobody else has the history open, and all of its log is in the database. Once this
 * process has closed it; fd: of wal_index_hold(). From then on nobody can open it, until release.
 */
bool wal_index_log_is_spent(int fd);
/** Only when no connection of this process is open any more: closing a descriptor of a file gives
 * up its classic locks (fcntl(2)), and SQLite's are such. -1 is fine. */
void wal_index_release(int fd);

#endif
