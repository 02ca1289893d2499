/* scanner: one forked process that answers the daemon's requests, one after the other. */
#ifndef CARVED_CORE_ENGINES_SCANNER_H
#define CARVED_CORE_ENGINES_SCANNER_H

struct engine_class;

/** Serves until the other end of the channel closes, or sends nonsense. The exit status. */
int scanner_serve(const struct engine_class *class, void *state, int channel);

#endif
