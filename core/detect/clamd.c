/*
 * clamd: a ClamAV daemon, asked over its socket (clamd(8)).
 *
 * On a unix socket it is given the worker's own open file, so it needs no right to the path, and
 * nothing can be exchanged under its name; over TCP the content is sent. Only a plain "OK" is
 * clean. What clamd does not look at for its size it calls OK unless AlertExceedsMax is on in
 * clamd.conf: max_file_size here should not be larger than MaxFileSize there, and files beyond it
 * are skipped.
 *
 * The digest knows clamd's VERSION, in which the number and time of the daily signatures stand; it
 * is asked before the file is, so an outcome is never older than its digest. Signatures from
 * elsewhere (a hash list beside the daily ones) have no version that clamd tells: changing only
 * them keeps old outcomes in force.
 *
 * When the connection breaks in the middle of a scan that is an error, and an attempt: the file may
 * be what clamd died of. A session that clamd had closed before is replaced by a new one, once.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "core/base/error.h"
#include "core/base/mem.h"
#include "core/base/str.h"
#include "core/config/config.h"
#include "core/detect/answer.h"
#include "core/detect/clamd_conf.h"
#include "core/detect/clamd_peer.h"
#include "core/detect/clamd_pool.h"
#include "core/detect/clamd_reply.h"
#include "core/detect/clamd_session.h"
#include "core/detect/detect.h"
#include "core/detect/digest.h"

struct clamd {
	struct clamd_peer peer;
	struct clamd_pool *pool;
	int64_t max_file_size;
};

static void clamd_close(void *state)
{
	struct clamd *clamd = state;
	clamd_pool_free(clamd->pool);
	clamd_peer_done(&clamd->peer);
	free(clamd);
}

static bool clamd_digest(const void *state, char digest[65], struct error *why)
{
	const struct clamd *clamd = state;
	char version[CLAMD_VERSION_SIZE];
	if (!clamd_pool_version(clamd->pool, version, why))
		return false;
	AUTO(digest) struct digest *hash = digest_new();
	digest_text(hash, "clamd");
	digest_text(hash, version);
	digest_number(hash, clamd->max_file_size);
	digest_end_hex(hash, digest);
	return true;
}

/* A clamd that is away is no failure: files wait for it. */
static int clamd_open(void **state, const struct config_detector *row, const struct config *config,
		      char digest[65], struct error *err)
{
	struct clamd *clamd = xcalloc(1, sizeof *clamd);
	int result = clamd_peer_read(&clamd->peer, row->socket, err);
	if (result < 0) {
		free(clamd);
		return error_prefix(err, "detector %s (line %u)", row->name, row->line);
	}
	clamd->pool = clamd_pool_new(&clamd->peer, config ? config->workers : 1);
	clamd->max_file_size = row->max_file_size;
	struct error away = { 0 };
	if (!clamd_digest(clamd, digest, &away))
		digest[0] = '\0';
	*state = clamd;
	return 0;
}

/* Asks on an old session or a new one; true: try again on a new one. */
static bool try_scan(const struct clamd *clamd, const struct scan_request *request, bool fresh,
		     struct answer *answer)
{
	AUTO(clamd_session) struct clamd_session *session = NULL;
	struct error err = { 0 };
	bool used = false;
	if (clamd_pool_take(clamd->pool, fresh, &session, &used, &err) < 0) {
		answer_away(answer, err.text);
		if (err.code == EMFILE || err.code == ENFILE || err.code == ENOMEM)
			answer_not_run(answer, err.code, err.text);
		return false;
	}
	const struct clamd_question question = { .fd = request->fd,
						 .size = request->size,
						 .deadline = request->deadline,
						 .cancel_fd = request->cancel_fd };
	AUTO_STR words = STR_INIT;
	switch (clamd_session_ask(session, &question, &words, &err)) {
	case CLAMD_ANSWERED:
		clamd_reply_answer(str_text(&words), answer);
		clamd_pool_give(clamd->pool, TAKE(session));
		return false;
	case CLAMD_CANCELLED:
		answer->outcome = OUTCOMES;
		answer->cancelled = true;
		return false;
	case CLAMD_LOST:
		if (used && clamd_session_unheard(session))
			return true;
		answer_fail(answer, OUTCOME_ERROR, "%s", err.text);
		break;
	case CLAMD_TIMEOUT:
		answer_fail(answer, OUTCOME_TIMEOUT, "%s", err.text);
		break;
	case CLAMD_UNREADABLE:
		answer_fail(answer, OUTCOME_ERROR, "%s", err.text);
		return false;
	}
	clamd_pool_doubt(clamd->pool);
	return false;
}

static void clamd_scan(const void *state, const struct scan_request *request, struct answer *answer)
{
	const struct clamd *clamd = state;
	if (request->size > clamd->max_file_size) {
		char words[128];
		(void)snprintf(words, sizeof words,
			       "%" PRId64 " bytes, max_file_size of the detector is %" PRId64,
			       request->size, clamd->max_file_size);
		answer_skip(answer, words);
		return;
	}
	if (try_scan(clamd, request, false, answer))
		(void)try_scan(clamd, request, true, answer);
}

static bool clamd_away(const void *state, struct error *why, int64_t *out_since_ns)
{
	const struct clamd *clamd = state;
	return clamd_pool_away(clamd->pool, why, out_since_ns);
}

static void clamd_describe(const void *state, struct str *out)
{
	const struct clamd *clamd = state;
	char version[CLAMD_VERSION_SIZE];
	struct error why = { 0 };
	if (clamd_pool_version(clamd->pool, version, &why))
		str_puts(out, version);
}

static void clamd_doubts(const void *state, struct str *out)
{
	const struct clamd *clamd = state;
	char version[CLAMD_VERSION_SIZE];
	struct error why = { 0 };
	if (clamd_pool_version(clamd->pool, version, &why) && !clamd_reply_has_signatures(version))
		str_puts(out,
			 "clamd tells no version of its signatures (it has no daily database): "
			 "when they change, what it said before is still taken over for the "
			 "same content\n");
	if (clamd->peer.path)
		clamd_conf_doubts(CLAMD_CONF, clamd->peer.path, out);
}

const struct detector_class clamd_class = {
	.type = "clamd",
	.needs = DETECT_NEEDS_FD,
	.open = clamd_open,
	.digest = clamd_digest,
	.away = clamd_away,
	.describe = clamd_describe,
	.doubts = clamd_doubts,
	.scan = clamd_scan,
	.close = clamd_close,
};
