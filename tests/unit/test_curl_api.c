/* curl_api: all that is used is there once it was loaded. */
#include <criterion/criterion.h>

#include "core/base/error.h"
#include "core/detect/curl_api.h"

Test(curl_api, is_whole_once_it_is_loaded)
{
	struct error err = { 0 };
	cr_assert_null(curl_api.easy_init);
	cr_assert_eq(curl_api_load(&err), 0, "%s", err.text);
	cr_assert_eq(curl_api_load(&err), 0, "%s", err.text);
#define EXPECT(name) cr_expect(curl_api.name != NULL, "%s", #name);
	CURL_API_FUNCTIONS(EXPECT)
	CURL *easy = curl_api.easy_init();
	cr_assert_not_null(easy);
	curl_api.easy_cleanup(easy);
}
