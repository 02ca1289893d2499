#include <criterion/criterion.h>
#include <string.h>

#include "core/base/str.h"
#include "core/helper/json_check.h"

Test(json_check, objects_pass)
{
	static const char *const good[] = {
		"{}",
		"{ }",
		"{\"a\": 1}",
		"{\"a\": [], \"b\": {}, \"c\": null, \"d\": true, \"e\": false}",
		"{\"a\": -0.5e+10, \"b\": 0, \"c\": 10E2}",
		"{\"a\": \"\\u00e9 \\udcff \\n \\\" \\\\ \\/\"}",
		"{\"rules\": [{\"rule\": \"a\", \"meta\": {\"n\": 3}}, {}]}",
	};
	for (size_t i = 0; i < sizeof good / sizeof *good; i++)
		cr_expect(json_check_object(good[i], strlen(good[i])), "%s", good[i]);
}

Test(json_check, anything_else_does_not)
{
	static const char *const bad[] = {
		"",
		"[]",
		"1",
		"{",
		"}",
		"{} ",
		" {}",
		"{}{}",
		"{\"a\"}",
		"{\"a\":}",
		"{\"a\": 1,}",
		"{a: 1}",
		"{'a': 1}",
		"{\"a\": 01}",
		"{\"a\": 1.}",
		"{\"a\": .5}",
		"{\"a\": +1}",
		"{\"a\": 1e}",
		"{\"a\": \"\\x\"}",
		"{\"a\": \"\\u12\"}",
		"{\"a\": \"}",
		"{\"a\": nul}",
		"{\"a\": [1 2]}",
		"{\"a\": [1,]}",
		"{\"a\": \"\n\"}",
		"{\"a\":\t1}",
		"{\"a\": \"\xc3\xa9\"}",
		"{\"a\": \"\x7f\"}",
		"{\"a\": NaN}",
	};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		cr_expect_not(json_check_object(bad[i], strlen(bad[i])), "%s", bad[i]);
	cr_expect_not(json_check_object("{\"a\": \"\0\"}", 10));
}

static bool nested(unsigned depth)
{
	AUTO_STR text = STR_INIT;
	str_puts(&text, "{\"a\": ");
	for (unsigned i = 0; i < depth; i++)
		str_putc(&text, '[');
	for (unsigned i = 0; i < depth; i++)
		str_putc(&text, ']');
	str_putc(&text, '}');
	return json_check_object(text.data, text.len);
}

Test(json_check, depth_is_bounded)
{
	cr_assert(nested(JSON_CHECK_DEPTH - 1));
	cr_assert_not(nested(JSON_CHECK_DEPTH));
	cr_assert_not(nested(40000));
}
