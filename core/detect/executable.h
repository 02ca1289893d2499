/*
 * executable: which file a command's first word means, as execvp(3) finds it, in a PATH that is
 * given instead of the daemon's own. Any thread.
 */
#ifndef CARVED_CORE_DETECT_EXECUTABLE_H
#define CARVED_CORE_DETECT_EXECUTABLE_H

struct digest;

/* The PATH of every child that is not told otherwise. */
#define EXECUTABLE_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/** The file for name: itself when it has a slash, else the first executable regular file of that
 * name in path_list (colon-separated; relative and empty parts are passed over, they would mean a
 * directory that others may write). Owned; NULL when there is none. */
char *executable_find(const char *name, const char *path_list);

/** Adds to digest what tells this executable from its successor: its path and
 * executable_digest_file() of it. */
void executable_digest(struct digest *digest, const char *name, const char *path_list);

/** Adds size, mtime and inode of the regular file at path; that there is none counts too. Not the
 * device: its number changes with a reboot or a container's restart, the file does not. */
void executable_digest_file(struct digest *digest, const char *path);

#endif
