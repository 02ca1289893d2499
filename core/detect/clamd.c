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
#include <string.h>

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

/* Scans of one file at most, while clamd gets other signatures under them. */
#define TURNS_MAX 3

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

static void digest_of(const struct clamd *clamd, const char *version, char digest[65])
{
	AUTO(digest) struct digest *hash = digest_new();
	digest_text(hash, "clamd");
	digest_text(hash, version);
	digest_number(hash, clamd->max_file_size);
	digest_end_hex(hash, digest);
}

static bool clamd_digest(const void *state, char digest[65], struct error *why)
{
	const struct clamd *clamd = state;
	char version[CLAMD_VERSION_SIZE];
	if (!clamd_pool_version(clamd->pool, version, why))
		return false;
	digest_of(clamd, version, digest);
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

/* One conversation about a file. */
struct talk {
	const struct clamd *clamd;
	const struct scan_request *request;
	struct clamd_session *session;
	struct str words;
	struct error err;
	char version[CLAMD_VERSION_SIZE]; /* that the next answer is taken to be of */
};

static enum clamd_end ask(struct talk *talk, int fd)
{
	const struct scan_request *request = talk->request;
	const struct clamd_question question = { .fd = fd,
						 .size = request->size,
						 .deadline = request->deadline,
						 .cancel_fd = request->cancel_fd };
	return clamd_session_ask(talk->session, &question, &talk->words, &talk->err);
}

/* Asks the session's clamd for its version; *same: it is the one that was taken for granted. */
static enum clamd_end ask_version(struct talk *talk, bool *same)
{
	enum clamd_end end = ask(talk, -1);
	if (end != CLAMD_ANSWERED)
		return end;
	const char *version = str_text(&talk->words);
	if (talk->words.len >= CLAMD_VERSION_SIZE || !clamd_reply_is_version(version)) {
		(void)error_set(&talk->err, EPROTO, "asked for its version clamd says: %.200s",
				version);
		return CLAMD_LOST;
	}
	*same = strcmp(talk->version, version) == 0;
	(void)memccpy(talk->version, version, '\0', sizeof talk->version);
	return CLAMD_ANSWERED;
}

/* Asks about the file. An answer that will be reused must be of the signatures that it is recorded
 * under: another clamd may listen there by now, or one with others, older ones even. So the version
 * is asked for behind it on the same session, and the file again when it is not the one from
 * before. */
static enum clamd_end ask_bound(struct talk *talk, struct answer *answer)
{
	for (int turn = 0; turn < TURNS_MAX; turn++) {
		enum clamd_end end = ask(talk, talk->request->fd);
		if (end != CLAMD_ANSWERED)
			return end;
		answer_done(answer);
		clamd_reply_answer(str_text(&talk->words), answer);
		if (!outcome_is_definite(answer->outcome))
			return CLAMD_ANSWERED;
		bool same = false;
		end = ask_version(talk, &same);
		if (end != CLAMD_ANSWERED)
			return end;
		digest_of(talk->clamd, talk->version, answer->digest);
		if (same)
			return CLAMD_ANSWERED;
		clamd_pool_heard(talk->clamd->pool, talk->version);
	}
	(void)error_set(&talk->err, EPROTO,
			"clamd had other signatures after each of %d scans than before", TURNS_MAX);
	return CLAMD_LOST;
}

/* Takes a session, old or new; false: answer says why there is none. */
static bool begin(struct talk *talk, bool fresh, bool *used, struct answer *answer)
{
	struct error *err = &talk->err;
	/* when it is not true that is found out */
	clamd_pool_known(talk->clamd->pool, talk->version);
	if (clamd_pool_take(talk->clamd->pool, fresh, &talk->session, used, err) == 0)
		return true;
	if (error_is_ours(err->code))
		answer_not_run(answer, err->code, err->text);
	else if (fresh) /* it was there a moment ago, and took this file */
		answer_fail(answer, OUTCOME_ERROR,
			    "clamd closed the connection while it had the file, and now: %s",
			    err->text);
	else
		answer_away(answer, err->text);
	return false;
}

/* Asks on an old session or a new one; true: try again on a new one. */
static bool try_scan(struct talk *talk, bool fresh, struct answer *answer)
{
	bool used = false;
	if (!begin(talk, fresh, &used, answer))
		return false;
	enum clamd_end end = ask_bound(talk, answer);
	if (end == CLAMD_ANSWERED) {
		clamd_pool_give(talk->clamd->pool, TAKE(talk->session));
		return false;
	}
	answer_done(answer);
	answer->outcome = OUTCOMES;
	bool again = end == CLAMD_LOST && used && clamd_session_unheard(talk->session);
	clamd_session_free(TAKE(talk->session));
	if (end == CLAMD_CANCELLED)
		answer->cancelled = true;
	else if (!again)
		answer_fail(answer, end == CLAMD_TIMEOUT ? OUTCOME_TIMEOUT : OUTCOME_ERROR, "%s",
			    talk->err.text);
	if (!again && (end == CLAMD_LOST || end == CLAMD_TIMEOUT))
		clamd_pool_doubt(talk->clamd->pool);
	return again;
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
	struct talk talk = { .clamd = clamd, .request = request, .words = STR_INIT };
	if (try_scan(&talk, false, answer))
		(void)try_scan(&talk, true, answer);
	str_done(&talk.words);
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
