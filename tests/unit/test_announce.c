#include <criterion/criterion.h>

#include "core/app/announce.h"
#include "core/base/str.h"
#include "core/store/version.h"

Test(announce, json_is_ascii_and_complete)
{
	static const char path[] = "/r/a\n\"\xff\xc3\xa9";
	struct version *version = version_new(path, sizeof path - 1);
	version->id = 7;
	version->state = VERSION_DONE;
	version->verdict = OUTCOME_MALICIOUS;
	version->identity.size = 3;
	version->real_mime = xstrdup("text/plain");
	struct finding finding = { .detector = xstrdup("hashlist"),
				   .outcome = OUTCOME_MALICIOUS,
				   .signature = xstrdup("EICAR"),
				   .attempt = 1 };
	version_add_finding(version, &finding);
	AUTO_STR out = STR_INIT;
	announce_json(&out, version);
	cr_assert_str_eq(
		str_text(&out),
		"{\"event\":\"file\",\"id\":7,\"path\":\"/r/a\\n\\\"\\udcff\\u00e9\",\"state\":\"done\","
		"\"reason\":null,\"verdict\":\"malicious\",\"incomplete\":false,\"mime\":null,\"real_mime\":\"text/plain\",\"size\":3,\"sha256\":null,"
		"\"note\":null,\"first_seen_ns\":0,\"finished_ns\":0,\"findings\":[{\"detector\":"
		"\"hashlist\",\"outcome\":\"malicious\",\"signature\":\"EICAR\",\"cached\":false,"
		"\"attempt\":1,\"started_ns\":0,\"finished_ns\":0}]}");
	version_free(version);
}
