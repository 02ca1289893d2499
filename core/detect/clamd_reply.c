/* clamd_reply: see clamd_reply.h. */
#include "core/detect/clamd_reply.h"

#include <string.h>

#include "core/base/mem.h"
#include "core/base/str.h"
#include "core/detect/answer.h"
#include "core/detect/detect.h"

#define SIGNATURE_MAX 512

/* What signatures of these names say; all others are malicious. */
static const struct {
	const char *prefix;
	enum outcome outcome;
} meanings[] = {
	/* AlertExceedsMax: it did not look at all of it, and found nothing in the rest */
	{ "Heuristics.Limits.Exceeded", OUTCOME_SKIPPED },
	/* traits, such as encryption or a broken header, not something known to be bad */
	{ "Heuristics.", OUTCOME_SUSPICIOUS },
	{ "PUA.", OUTCOME_SUSPICIOUS },
};

const char *clamd_reply_words(const char *reply, unsigned id)
{
	AUTO_STR prefix = STR_INIT;
	str_printf(&prefix, "%u: ", id);
	return strncmp(reply, prefix.data, prefix.len) == 0 ? reply + prefix.len : NULL;
}

static bool ends_with(const char *words, size_t len, const char *tail)
{
	size_t tail_len = strlen(tail);
	return len >= tail_len && memcmp(words + len - tail_len, tail, tail_len) == 0;
}

bool clamd_reply_is_version(const char *words)
{
	static const char engine[] = "ClamAV ";
	return strncmp(words, engine, sizeof engine - 1) == 0 &&
	       !ends_with(words, strlen(words), "ERROR");
}

bool clamd_reply_has_signatures(const char *version)
{
	const char *slash = strchr(version, '/');
	return slash && slash[1] >= '1' && slash[1] <= '9';
}

static void say_found(struct answer *answer, const char *name, size_t len)
{
	AUTO_STR json = STR_INIT;
	answer->outcome = OUTCOME_MALICIOUS;
	for (size_t i = 0; i < sizeof meanings / sizeof *meanings; i++) {
		if (strncmp(name, meanings[i].prefix, strlen(meanings[i].prefix)) == 0) {
			answer->outcome = meanings[i].outcome;
			break;
		}
	}
	answer->signature = xmemdup(name, len < SIGNATURE_MAX ? len : SIGNATURE_MAX);
	if (answer->outcome == OUTCOME_SKIPPED) {
		str_puts(&json, "{\"reason\": \"clamd's limits did not let it look at all of it "
				"(MaxFileSize, MaxScanSize, MaxScanTime and others in "
				"clamd.conf)\"}");
		answer->detail = str_take(&json);
	} else if (len > SIGNATURE_MAX) {
		str_puts(&json, "{\"signature\": ");
		str_json(&json, name, len);
		str_putc(&json, '}');
		answer->detail = str_take(&json);
	}
}

static void say_error(struct answer *answer, const char *words)
{
	if (strstr(words, "INSTREAM size limit exceeded"))
		answer_skip(answer, "larger than StreamMaxLength in clamd.conf");
	else
		answer_fail(answer, OUTCOME_ERROR, "clamd says: %.900s", words);
}

void clamd_reply_answer(const char *words, struct answer *answer)
{
	static const char found[] = " FOUND";
	const char *colon = strstr(words, ": ");
	const char *said = colon ? colon + 2 : words;
	size_t len = strlen(said);
	if (colon && strcmp(said, "OK") == 0)
		answer->outcome = OUTCOME_CLEAN;
	else if (colon && len > sizeof found - 1 && ends_with(said, len, found))
		say_found(answer, said, len - (sizeof found - 1));
	else if (ends_with(words, strlen(words), "ERROR"))
		say_error(answer, words);
	else
		answer_fail(answer, OUTCOME_ERROR, "not an answer that clamd gives: %.900s", words);
}
