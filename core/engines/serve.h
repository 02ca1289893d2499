/*
 * serve: a helper process from its start to its end: carved-detect's zygote and its scanners.
 *
 * The zygote loads (LOAD, HELLO), confines itself, and forks a scanner whenever the daemon asks. It
 * never sees a byte of a sample. A scanner answers one request after the other. Both end when the
 * daemon's end of their channel closes, and are killed when the process above them dies.
 */
#ifndef CARVED_CORE_ENGINES_SERVE_H
#define CARVED_CORE_ENGINES_SERVE_H

/** Serves the engine of that type on the channel; the exit status. */
int serve(const char *type, int channel);

#endif
