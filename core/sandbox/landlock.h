/*
 * landlock: which files a process may reach from now on, and whom it may signal.
 *
 * By raw system calls (landlock(7)): Debian 12's headers know the second version of the interface,
 * kernels of today the seventh. Every right that the running kernel knows is taken away and given
 * back by the policy's lists only; what it does not know is not governed: truncation (version 3),
 * TCP (4), device ioctls (5), signals and abstract sockets to others (6). One thread.
 */
#ifndef CARVED_CORE_SANDBOX_LANDLOCK_H
#define CARVED_CORE_SANDBOX_LANDLOCK_H

struct error;
struct sandbox_policy;

/* The first version in which a right is governed. */
#define LANDLOCK_TRUNCATES 3
#define LANDLOCK_TCP	   4
#define LANDLOCK_SIGNALS   6

/** The version of the kernel's interface; -errno when it has none: ENOSYS: not built in,
 * EOPNOTSUPP: not enabled at boot. Any thread. */
int landlock_version(void);

/** Confines the calling process to the policy's files; version is what landlock_version() said. 0,
 * or -errno with words. No new privileges must be set. */
int landlock_confine(const struct sandbox_policy *policy, int version, struct error *err);

#endif
