/*
 * backup: a copy of a history, also beside a daemon that writes to it.
 *
 * The copy is of one commit: one read transaction is held meanwhile. That never holds the writer
 * up, but the write-ahead log grows by what is written until it is through.
 */
#ifndef CARVED_CORE_STORE_BACKUP_H
#define CARVED_CORE_STORE_BACKUP_H

#include <stdbool.h>
#include <stdint.h>

struct error;

struct store_backup_options {
	const char *history;
	const char *to; /* must not exist */
	/* Asked now and then; false: it is to be given up. NULL: it never is. */
	bool (*go_on)(void *context);
	void *context;
};

/** Copies, checks the copy (quick_check), and only then gives it its name, after fsync; *bytes: its
 * size. Until then it lies beside its place, as "TO.XXXXXX". It may be read by those who may read
 * the history, at most. One file, without a -wal, that a daemon can take for its history.
 * -EEXIST: there is something at that place, which is left alone. -ECANCELED: it was given up.
 * Whatever fails leaves nothing. */
int store_backup(const struct store_backup_options *options, int64_t *bytes, struct error *err);

#endif
