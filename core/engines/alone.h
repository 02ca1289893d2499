/*
 * alone: from now on this process starts no other and sends no signal: a scanner, which its
 * zygote's confinement would still let fork. What a file made of it ends with it. One thread; for
 * ever.
 */
#ifndef CARVED_CORE_ENGINES_ALONE_H
#define CARVED_CORE_ENGINES_ALONE_H

/** 0, or -errno: the kernel has no seccomp filters (EINVAL), or no_new_privs is not set (EACCES).
 */
int alone(void);

#endif
