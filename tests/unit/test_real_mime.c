#include <criterion/criterion.h>
#include <stdlib.h>

#include "core/base/mem.h"
#include "core/detect/real_mime.h"

Test(real_mime, is_read_as_it_was_written)
{
	AUTO_FREE char *detail = real_mime_detail("image/svg+xml");
	cr_assert_str_eq(detail, "{\"real_mime\": \"image/svg+xml\"}");
	AUTO_FREE char *mime = real_mime_of(detail);
	cr_assert_str_eq(mime, "image/svg+xml");
}

Test(real_mime, another_detail_holds_none)
{
	static const char *const other[] = {
		"",
		"{}",
		"{\"error\": \"x\"}",
		"{\"real_mime\": \"\"}",
		"{\"real_mime\": \"image\"}",
		"{\"real_mime\": \"a/b\", \"c\": \"d\"}",
		"{\"real_mime\": \"a/b",
		"{\"real_mime\": \"a/\\u0041\"}",
	};
	for (size_t i = 0; i < sizeof other / sizeof *other; i++) {
		AUTO_FREE char *mime = real_mime_of(other[i]);
		cr_expect_null(mime, "%s", other[i]);
	}
	cr_assert_null(real_mime_of(NULL));
}
