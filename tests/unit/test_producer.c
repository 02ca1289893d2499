/* Tests of core/config/producer.c. */
#include "config_support.h"
#include "core/config/loading.h"

Test(producer, schemes_and_patterns_are_fine)
{
	struct error err;
	cr_assert_eq(producer_check("auto", &err), 0);
	cr_assert_eq(producer_check("zeek", &err), 0);
	cr_assert_eq(producer_check("(?P<fuid>F\\w+)\\.bin", &err), 0);
}

Test(producer, misspelt_words_get_advice_and_patterns_the_engine_s_words)
{
	struct error err = { 0 };
	cr_assert_lt(producer_check("suricatta", &err), 0);
	cr_assert_not_null(strstr(err.text, "found \"suricatta\" (did you mean \"suricata\"?)"),
			   "%s", err.text);
	cr_assert_lt(producer_check("(F\\w+", &err), 0);
	cr_assert_eq(strncmp(err.text, "producer: ", 10), 0, "%s", err.text);
	cr_assert_null(strstr(err.text, "did you mean"), "%s", err.text);
}
