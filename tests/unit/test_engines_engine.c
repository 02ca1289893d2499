#include <criterion/criterion.h>

#include "core/engines/engine.h"

Test(engines_engine, classes_are_found_by_type)
{
	cr_assert_eq(engine_class("yara"), &yara_engine);
	cr_assert_eq(engine_class("magic"), &magic_engine);
	cr_assert_null(engine_class("noop"));
	cr_assert_null(engine_class(""));
}

Test(engines_engine, words_are_json_whatever_they_hold)
{
	struct helper_answer answer = { .outcome = OUTCOMES };
	engine_say(&answer, OUTCOME_ERROR, "error", "first");
	engine_say(&answer, OUTCOME_SKIPPED, "reason", "%s", "a\"b\xff");
	cr_assert_eq(answer.outcome, OUTCOME_SKIPPED);
	cr_assert_str_eq(answer.detail, "{\"reason\": \"a\\\"b\\udcff\"}");
	helper_answer_done(&answer);
}
