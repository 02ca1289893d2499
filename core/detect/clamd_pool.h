/*
 * clamd_pool: the sessions with one clamd, one for each worker that asks at once, and what is known
 * of it: its version, or that it is away and when it is tried again.
 *
 * While it is away, nobody connects until the pause is over (half a second, doubled with each
 * failure, at most 30 s), so that a dead clamd costs no worker time. Any thread.
 */
#ifndef CARVED_CORE_DETECT_CLAMD_POOL_H
#define CARVED_CORE_DETECT_CLAMD_POOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/mem.h"

struct clamd_peer;
struct clamd_pool;
struct clamd_session;
struct error;

#define CLAMD_VERSION_SIZE 256
/* How long connecting and asking for the version may take. */
#define CLAMD_PATIENCE_MS 2000

/** peer is borrowed until the pool is freed; at most keep sessions are kept while nobody uses them.
 */
struct clamd_pool *clamd_pool_new(const struct clamd_peer *peer, size_t keep);
void clamd_pool_free(struct clamd_pool *pool);
AUTO_DEFINE(clamd_pool);

/** The version of engine and signatures, at most two seconds old; false: it is away, why has the
 * words. Blocks for CLAMD_PATIENCE_MS at most, and one thread only: others are told what is known.
 */
bool clamd_pool_version(struct clamd_pool *pool, char out[CLAMD_VERSION_SIZE], struct error *why);
/** The version as it was last heard, "" when nobody asked or it is away. Asks nobody. */
void clamd_pool_known(struct clamd_pool *pool, char out[CLAMD_VERSION_SIZE]);
/** A session was just told this version: it is the one in force. */
void clamd_pool_heard(struct clamd_pool *pool, const char *version);
/** A session, owned; one that was used before (*out_used) may have been closed by clamd by now.
 * fresh: a new one in any case. Failing to connect makes clamd away. */
int clamd_pool_take(struct clamd_pool *pool, bool fresh, struct clamd_session **out, bool *out_used,
		    struct error *err);
/** Takes the session: keeps it for another question, or closes it. */
void clamd_pool_give(struct clamd_pool *pool, struct clamd_session *session);
/** Something went wrong in a scan: ask for the version before the next one. */
void clamd_pool_doubt(struct clamd_pool *pool);
/** Whether it was away when last asked; why and since when (wall clock, ns). */
bool clamd_pool_away(struct clamd_pool *pool, struct error *why, int64_t *out_since_ns);

#endif
