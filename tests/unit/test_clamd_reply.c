/* clamd_reply: what clamd's words mean, and that nothing but its "OK" is clean. */
#include <criterion/criterion.h>

#include "core/base/outcome.h"
#include "core/detect/answer.h"
#include "core/detect/clamd_reply.h"
#include "core/detect/detect.h"

Test(clamd_reply, the_number_of_the_question_stands_before_it)
{
	cr_expect_str_eq(clamd_reply_words("7: fd[12]: OK", 7), "fd[12]: OK");
	cr_expect_str_eq(clamd_reply_words("7: ", 7), "");
	static const char *const others[] = { "6: stream: OK", "77: stream: OK", "7:stream: OK",
					      "stream: OK",    " 7: stream: OK", "" };
	for (size_t i = 0; i < sizeof others / sizeof *others; i++)
		cr_expect_null(clamd_reply_words(others[i], 7), "%s", others[i]);
}

Test(clamd_reply, a_version_is_clamavs)
{
	cr_expect(clamd_reply_is_version("ClamAV 1.4.6/27000/Mon Oct  6 08:00:00 2026"));
	cr_expect(clamd_reply_is_version("ClamAV 1.4.6"));
	cr_expect_not(clamd_reply_is_version("ClamAV: Error processing command. ERROR"));
	cr_expect_not(clamd_reply_is_version("ClamAV cannot. ERROR"));
	cr_expect_not(clamd_reply_is_version("220 mail.example.org ESMTP"));
	cr_expect_not(clamd_reply_is_version(""));
	cr_expect(clamd_reply_has_signatures("ClamAV 1.4.6/27000/Mon Oct"));
	cr_expect_not(clamd_reply_has_signatures("ClamAV 1.4.6"));
	cr_expect_not(clamd_reply_has_signatures("ClamAV 1.4.6/0/"));
}

Test(clamd_reply, only_its_ok_is_clean)
{
	static const struct {
		const char *words;
		enum outcome outcome;
		const char *signature, *detail;
	} cases[] = {
		{ "stream: OK", OUTCOME_CLEAN, NULL, NULL },
		{ "fd[12]: OK", OUTCOME_CLEAN, NULL, NULL },
		{ "fd[12]: Eicar-Test.UNOFFICIAL FOUND", OUTCOME_MALICIOUS, "Eicar-Test.UNOFFICIAL",
		  NULL },
		{ "stream: a: OK FOUND", OUTCOME_MALICIOUS, "a: OK", NULL },
		{ "stream: \x1b[31m FOUND", OUTCOME_MALICIOUS, "\x1b[31m", NULL },
		{ "stream: Heuristics.Limits.Exceeded.MaxFileSize FOUND", OUTCOME_SKIPPED,
		  "Heuristics.Limits.Exceeded.MaxFileSize", "\"reason\"" },
		{ "stream: Heuristics.Encrypted.Zip FOUND", OUTCOME_SUSPICIOUS,
		  "Heuristics.Encrypted.Zip", NULL },
		{ "fd[3]: PUA.Win.Packer.X FOUND", OUTCOME_SUSPICIOUS, "PUA.Win.Packer.X", NULL },
		{ "INSTREAM size limit exceeded. ERROR", OUTCOME_SKIPPED, NULL, "StreamMaxLength" },
		{ "fd[12]: Not a regular file. ERROR", OUTCOME_ERROR, NULL, "Not a regular file" },
		{ "Error processing command. ERROR", OUTCOME_ERROR, NULL, "Error processing" },
		{ "stream:  FOUND", OUTCOME_ERROR, NULL, "not an answer" },
		{ "stream: FOUND", OUTCOME_ERROR, NULL, "not an answer" },
		{ "OK", OUTCOME_ERROR, NULL, "not an answer" },
		{ ": ok", OUTCOME_ERROR, NULL, "not an answer" },
		{ "stream: OK ", OUTCOME_ERROR, NULL, "not an answer" },
		{ "stream: x OK", OUTCOME_ERROR, NULL, "not an answer" },
		{ "UNKNOWN COMMAND", OUTCOME_ERROR, NULL, "not an answer" },
		{ "", OUTCOME_ERROR, NULL, "not an answer" },
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct answer answer = { 0 };
		clamd_reply_answer(cases[i].words, &answer);
		cr_expect_eq(answer.outcome, cases[i].outcome, "%s: %s", cases[i].words,
			     outcome_name(answer.outcome));
		cr_expect(cases[i].signature ? answer.signature && strcmp(answer.signature,
									  cases[i].signature) == 0
					     : !answer.signature,
			  "%s: %s", cases[i].words, answer.signature);
		cr_expect(cases[i].detail ? answer.detail && strstr(answer.detail, cases[i].detail)
					  : !answer.detail,
			  "%s: %s", cases[i].words, answer.detail);
		answer_done(&answer);
	}
}

Test(clamd_reply, a_long_name_is_whole_in_detail)
{
	char words[CLAMD_REPLY_MAX] = "stream: ";
	memset(words + 8, 'x', 1000);
	strcpy(words + 1008, " FOUND");
	struct answer answer = { 0 };
	clamd_reply_answer(words, &answer);
	cr_assert_eq(answer.outcome, OUTCOME_MALICIOUS);
	cr_assert_eq(strlen(answer.signature), 512);
	cr_assert_eq(strlen(answer.detail), strlen("{\"signature\": \"\"}") + 1000);
	answer_done(&answer);
}
