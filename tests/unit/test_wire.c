#include <criterion/criterion.h>
#include <string.h>

#include "core/base/str.h"
#include "core/helper/wire.h"

static struct wire over(const struct str *text)
{
	return (struct wire){ .at = str_text(text), .left = text->len };
}

Test(wire, gives_back_what_was_put)
{
	AUTO_STR out = STR_INIT;
	wire_put_number(&out, UINT64_MAX);
	wire_put_bytes(&out, "a\0b", 3);
	wire_put_text(&out, NULL);
	wire_put_text(&out, "text");
	struct wire in = over(&out);
	cr_assert_eq(wire_number(&in), UINT64_MAX);
	struct wire_bytes bytes = wire_bytes(&in, 3);
	cr_assert(bytes.len == 3 && memcmp(bytes.at, "a\0b", 3) == 0);
	cr_assert_null(wire_text(&in, 10));
	cr_assert_not(wire_ended(&in));
	AUTO_FREE char *text = wire_text(&in, 4);
	cr_assert_str_eq(text, "text");
	cr_assert(wire_ended(&in));
}

Test(wire, a_length_beyond_the_limit_or_the_end_is_bad_for_good)
{
	AUTO_STR out = STR_INIT;
	wire_put_text(&out, "text");
	wire_put_number(&out, 7);
	struct wire in = over(&out);
	cr_assert_eq(wire_bytes(&in, 3).len, 0);
	cr_assert(in.bad);
	cr_assert_eq(wire_number(&in), 0);
	cr_assert_not(wire_ended(&in));
	for (size_t cut = 0; cut < out.len; cut++) {
		in = (struct wire){ .at = out.data, .left = cut };
		char *text = wire_text(&in, 100);
		(void)wire_number(&in);
		cr_expect_not(wire_ended(&in), "cut at %zu", cut);
		free(text);
	}
	AUTO_STR huge = STR_INIT;
	wire_put_number(&huge, UINT64_MAX);
	in = over(&huge);
	cr_assert_eq(wire_bytes(&in, SIZE_MAX).len, 0);
	cr_assert(in.bad);
}

Test(wire, a_number_out_of_range_and_a_nul_in_a_text_are_bad)
{
	AUTO_STR out = STR_INIT;
	wire_put_number(&out, 8);
	struct wire in = over(&out);
	cr_assert_eq(wire_number_to(&in, 7), 0);
	cr_assert(in.bad);
	AUTO_STR nul = STR_INIT;
	wire_put_bytes(&nul, "a\0", 2);
	in = over(&nul);
	cr_assert_null(wire_text(&in, 10));
	cr_assert(in.bad);
}
