/*
 * poke: telling a running daemon that a command changed its history.
 */
#ifndef CARVED_CORE_CLI_POKE_H
#define CARVED_CORE_CLI_POKE_H

/** Tells the daemon of this history, if one runs. A daemon that does not answer is complained
 * about; what was written stands, so it is no failure. */
void poke_daemon(const char *history);
/** Has it walk all roots, likewise. */
void poke_to_walk(const char *history);

#endif
