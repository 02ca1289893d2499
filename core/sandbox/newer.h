/*
 * newer: system calls that are newer than our tables are not there.
 *
 * A list of what is refused says nothing of what a later kernel adds, and some of that changes
 * files by ways that Landlock does not govern (fchmodat2, setxattrat, removexattrat,
 * file_setattr). Programs ask an older kernel's way when they hear ENOSYS. One thread.
 */
#ifndef CARVED_CORE_SANDBOX_NEWER_H
#define CARVED_CORE_SANDBOX_NEWER_H

/** Answers ENOSYS to them from now on, in this process and all that it starts. The caller has no
 * new privileges (prctl(2) PR_SET_NO_NEW_PRIVS). 0, or -errno. */
int newer_missing(void);

#endif
