/* clamd_pool: see clamd_pool.h. */
#include "core/detect/clamd_pool.h"

#include <errno.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/base/lock.h"
#include "core/base/str.h"
#include "core/detect/clamd_peer.h"
#include "core/detect/clamd_reply.h"
#include "core/detect/clamd_session.h"

#define FRESH_MS     2000
#define PAUSE_MIN_MS 500
#define PAUSE_MAX_MS 30000

struct clamd_pool {
	const struct clamd_peer *peer;
	size_t keep;
	struct lock lock;
	/* guarded by lock */
	struct clamd_session **idle; /* the last is the one used last */
	size_t idle_count;
	char version[CLAMD_VERSION_SIZE]; /* "": not known */
	struct mono fresh_until;
	bool asking; /* a thread asks for the version */
	bool away;
	struct error why;
	int64_t since_ns;
	int64_t pause_ms;
	struct mono try_at;
};

struct clamd_pool *clamd_pool_new(const struct clamd_peer *peer, size_t keep)
{
	struct clamd_pool *pool = xcalloc(1, sizeof *pool);
	pool->peer = peer;
	pool->keep = keep;
	pool->idle = xcalloc(keep + 1, sizeof(struct clamd_session *));
	lock_init(&pool->lock);
	return pool;
}

void clamd_pool_free(struct clamd_pool *pool)
{
	if (!pool)
		return;
	for (size_t i = 0; i < pool->idle_count; i++)
		clamd_session_free(pool->idle[i]);
	free(pool->idle);
	lock_done(&pool->lock);
	free(pool);
}

static void went_away(struct clamd_pool *pool, const struct error *why)
{
	lock_take(&pool->lock);
	if (!pool->away) {
		pool->since_ns = clock_wall_ns();
		pool->pause_ms = PAUSE_MIN_MS;
	} else {
		pool->pause_ms *= 2;
	}
	if (pool->pause_ms > PAUSE_MAX_MS)
		pool->pause_ms = PAUSE_MAX_MS;
	pool->away = true;
	pool->why = *why;
	pool->version[0] = '\0';
	pool->try_at = mono_add_ms(mono_now(), pool->pause_ms);
	lock_drop(&pool->lock);
}

static void is_there(struct clamd_pool *pool, const char *version)
{
	lock_take(&pool->lock);
	pool->away = false;
	(void)memccpy(pool->version, version, '\0', sizeof pool->version);
	pool->fresh_until = mono_add_ms(mono_now(), FRESH_MS);
	lock_drop(&pool->lock);
}

/* The session used last that is still good; those that clamd closed are closed here too. */
static struct clamd_session *take_idle(struct clamd_pool *pool)
{
	struct clamd_session *found = NULL;
	size_t kept = 0;
	lock_take(&pool->lock);
	for (size_t i = 0; i < pool->idle_count; i++) {
		if (clamd_session_usable(pool->idle[i]))
			pool->idle[kept++] = pool->idle[i];
		else
			clamd_session_free(pool->idle[i]);
	}
	if (kept > 0)
		found = pool->idle[--kept];
	pool->idle_count = kept;
	lock_drop(&pool->lock);
	return found;
}

static int open_session(struct clamd_pool *pool, struct clamd_session **out, struct error *err)
{
	int result = clamd_session_open(out, pool->peer, mono_add_ms(mono_now(), CLAMD_PATIENCE_MS),
					err);
	/* what we ourselves have none left of says nothing of clamd */
	if (result < 0 && !error_is_ours(err->code))
		went_away(pool, err);
	return result;
}

int clamd_pool_take(struct clamd_pool *pool, bool fresh, struct clamd_session **out, bool *out_used,
		    struct error *err)
{
	struct clamd_session *session = fresh ? NULL : take_idle(pool);
	*out_used = session != NULL;
	if (!session)
		return open_session(pool, out, err);
	*out = session;
	return 0;
}

void clamd_pool_give(struct clamd_pool *pool, struct clamd_session *session)
{
	bool good = clamd_session_usable(session);
	lock_take(&pool->lock);
	good = good && pool->idle_count < pool->keep;
	if (good)
		pool->idle[pool->idle_count++] = session;
	lock_drop(&pool->lock);
	if (!good)
		clamd_session_free(session);
}

void clamd_pool_doubt(struct clamd_pool *pool)
{
	lock_take(&pool->lock);
	pool->fresh_until = (struct mono){ 0 };
	lock_drop(&pool->lock);
}

/* One try; *again: the session was an old one, which clamd had closed. */
static bool ask_version(struct clamd_pool *pool, bool fresh, bool *again, struct error *why)
{
	struct clamd_session *session = NULL;
	bool used = false;
	*again = false;
	if (clamd_pool_take(pool, fresh, &session, &used, why) < 0)
		return false;
	const struct clamd_question question = {
		.fd = -1,
		.deadline = mono_add_ms(mono_now(), CLAMD_PATIENCE_MS),
		.cancel_fd = -1,
	};
	AUTO_STR words = STR_INIT;
	enum clamd_end end = clamd_session_ask(session, &question, &words, why);
	*again = end == CLAMD_LOST && used && clamd_session_unheard(session);
	bool good = end == CLAMD_ANSWERED;
	if (good &&
	    (words.len >= CLAMD_VERSION_SIZE || !clamd_reply_is_version(str_text(&words)))) {
		(void)error_set(why, EPROTO,
				"what listens there is no clamd; asked for its version it says: "
				"%.200s",
				str_text(&words));
		good = false;
	} else if (end == CLAMD_TIMEOUT) {
		(void)error_set(why, ETIMEDOUT,
				"clamd takes connections but does not answer within %d s",
				CLAMD_PATIENCE_MS / 1000);
	}
	if (good)
		is_there(pool, str_text(&words));
	else if (!*again)
		went_away(pool, why);
	if (good)
		clamd_pool_give(pool, session);
	else
		clamd_session_free(session);
	return good;
}

static void refresh(struct clamd_pool *pool)
{
	struct error why = { 0 };
	bool again = false;
	if (!ask_version(pool, false, &again, &why) && again)
		(void)ask_version(pool, true, &again, &why);
	lock_take(&pool->lock);
	pool->asking = false;
	lock_drop(&pool->lock);
}

/* True when the caller is the one to ask. */
static bool begin_refresh(struct clamd_pool *pool)
{
	lock_take(&pool->lock);
	bool due = mono_passed(pool->away ? pool->try_at : pool->fresh_until);
	bool mine = due && !pool->asking;
	if (mine)
		pool->asking = true;
	lock_drop(&pool->lock);
	return mine;
}

bool clamd_pool_version(struct clamd_pool *pool, char out[CLAMD_VERSION_SIZE], struct error *why)
{
	if (begin_refresh(pool))
		refresh(pool);
	lock_take(&pool->lock);
	bool known = pool->version[0] != '\0';
	if (known)
		memcpy(out, pool->version, sizeof pool->version);
	else if (pool->away)
		*why = pool->why;
	else
		(void)error_set(why, EAGAIN, "its version is not known yet");
	lock_drop(&pool->lock);
	return known;
}

void clamd_pool_heard(struct clamd_pool *pool, const char *version)
{
	is_there(pool, version);
}

void clamd_pool_known(struct clamd_pool *pool, char out[CLAMD_VERSION_SIZE])
{
	lock_take(&pool->lock);
	memcpy(out, pool->version, sizeof pool->version);
	lock_drop(&pool->lock);
}

bool clamd_pool_away(struct clamd_pool *pool, struct error *why, int64_t *out_since_ns)
{
	lock_take(&pool->lock);
	bool away = pool->away;
	if (away) {
		*why = pool->why;
		*out_since_ns = pool->since_ns;
	}
	lock_drop(&pool->lock);
	return away;
}
