/* clamd's replies: whatever the peer says, it is clean only when it is exactly ": OK". */
#include "core/detect/clamd_reply.h"
#include "core/detect/detect.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { (const char *)data, size };
	unsigned id = input_byte(&in) % 3;
	/* a session hands on at most that much, up to the first NUL */
	char *reply = input_text(in.at, in.left < CLAMD_REPLY_MAX ? in.left : CLAMD_REPLY_MAX);
	const char *words = clamd_reply_words(reply, id);
	must(!words || (words > reply && words <= reply + strlen(reply)));
	/* the number belongs to one question only */
	must(!words || !clamd_reply_words(reply, id + 1));
	words = words ? words : reply;
	struct answer answer = { 0 };
	clamd_reply_answer(words, &answer);
	size_t len = strlen(words);
	if (answer.outcome == OUTCOME_CLEAN)
		must(len >= 4 && strcmp(words + len - 4, ": OK") == 0 && !answer.signature);
	must(answer.outcome < OUTCOMES && answer.outcome != OUTCOME_UNKNOWN);
	must(answer.outcome != OUTCOME_MALICIOUS || answer.signature);
	must(!answer.detail || (is_ascii(answer.detail) && is_json(answer.detail)));
	must(!clamd_reply_is_version(words) || strncmp(words, "ClamAV ", 7) == 0);
	(void)clamd_reply_has_signatures(words);
	answer_done(&answer);
	free(reply);
	return 0;
}
