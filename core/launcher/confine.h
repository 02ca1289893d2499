/*
 * confine: the sandbox of a command, as an order has it, and the step into the program.
 *
 * What every command may reach besides: programs and libraries, the files that the loader, TLS and
 * clocks read, its own /proc/PID, null devices; with network what resolves names. One thread.
 */
#ifndef CARVED_CORE_LAUNCHER_CONFINE_H
#define CARVED_CORE_LAUNCHER_CONFINE_H

struct error;
struct order;

/** Confines the calling process; by limits alone when the order is open. Descriptor 4 must hold the
 * sample when the order has one. */
int confine(const struct order *order, struct error *err);

/** Becomes the program; returns only when that fails, negative, with words. */
int confine_run(const struct order *order, struct error *err);

#endif
