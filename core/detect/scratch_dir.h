/*
 * scratch_dir: private directories in which commands may write, one a scan, removed with all that
 * is in them.
 *
 * They are made below a place of the daemon's own (beside the history, whose lock says whose they
 * are), so that what a killed daemon left is found and removed by the next. What lies in them was
 * written by tools that read hostile files: nothing is followed, and no depth or mode of
 * directories is too much. Any thread; one a directory.
 */
#ifndef CARVED_CORE_DETECT_SCRATCH_DIR_H
#define CARVED_CORE_DETECT_SCRATCH_DIR_H

struct error;

/** Makes a directory (mode 0700) of a fresh name below place, which is made when it is not there;
 * place NULL: in $TMPDIR. *out is its absolute path, owned. */
int scratch_dir_make(const char *place, char **out, struct error *err);

/** Removes the directory and everything below it. One that is not there is removed already. */
int scratch_dir_remove(const char *path, struct error *err);

/** Takes the place away when nothing is in it any more: it would be in the way of another user's
 * daemon after a daemon of root. NULL: nothing to do. */
void scratch_dir_leave(const char *place);

/** The place of the scans that go to this history. Owned. NULL for NULL: scans that go to none. */
char *scratch_dir_place(const char *history);

#endif
