#include <criterion/criterion.h>

#include "core/base/str.h"
#include "core/sink/line.h"
#include "core/store/event_reader.h"
#include "core/store/version.h"

Test(line, json_is_ascii_and_complete)
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
	line_version(&out, version);
	cr_assert_str_eq(
		str_text(&out),
		"{\"event\":\"file\",\"id\":7,\"path\":\"/r/a\\n\\\"\\udcff\\u00e9\",\"state\":\"done\","
		"\"reason\":null,\"verdict\":\"malicious\",\"incomplete\":false,\"mime\":null,\"real_mime\":\"text/plain\",\"size\":3,\"sha256\":null,"
		"\"note\":null,\"first_seen_ns\":0,\"finished_ns\":0,\"findings\":[{\"detector\":"
		"\"hashlist\",\"outcome\":\"malicious\",\"signature\":\"EICAR\",\"cached\":false,"
		"\"attempt\":1,\"started_ns\":0,\"finished_ns\":0}]}");
	version_free(version);
}

static struct version *some_version(void)
{
	struct version *version = version_new("/r/a", 4);
	version->id = 7;
	version->state = VERSION_DONE;
	version->verdict = OUTCOME_SUSPICIOUS;
	return version;
}

static bool ends_with(const struct str *text, const char *end)
{
	size_t len = strlen(end);
	return text->len >= len && strcmp(str_text(text) + text->len - len, end) == 0;
}

Test(line, rescans_say_what_the_verdict_was)
{
	AUTO(version) struct version *version = some_version();
	AUTO_STR out = STR_INIT;
	line_rescan(&out, version, OUTCOME_CLEAN);
	cr_expect(strstr(str_text(&out), "\"verdict\":\"suspicious\""));
	cr_expect(ends_with(&out, ",\"findings\":[],\"rescan\":true,\"was\":\"clean\"}"));
	str_reset(&out);
	line_rescan(&out, version, OUTCOMES);
	cr_expect(ends_with(&out, "\"was\":\"none\"}"));
}

Test(line, events_have_their_number)
{
	AUTO(version) struct version *version = some_version();
	version->note = xstrdup("cut \x01");
	struct store_event event = { .seq = 9, .kind = EVENT_INCOMPLETE, .version = version };
	AUTO_STR out = STR_INIT;
	line_event(&out, &event);
	cr_expect_str_eq(str_text(&out), "{\"event\":\"incomplete\",\"path\":\"/r/a\","
					 "\"note\":\"cut \\u0001\",\"id\":7,\"seq\":9}");
	str_reset(&out);
	event.kind = EVENT_RESCAN;
	event.was = OUTCOME_CLEAN;
	line_event(&out, &event);
	cr_expect(ends_with(&out, ",\"rescan\":true,\"was\":\"clean\",\"seq\":9}"));
	str_reset(&out);
	event.kind = EVENT_END;
	line_event(&out, &event);
	cr_expect(ends_with(&out, ",\"findings\":[],\"seq\":9}"));
}

Test(line, the_signature_is_of_the_verdict)
{
	AUTO(version) struct version *version = some_version();
	struct finding other = { .outcome = OUTCOME_CLEAN, .signature = xstrdup("no") };
	struct finding none = { .outcome = OUTCOME_SUSPICIOUS };
	struct finding wanted = { .outcome = OUTCOME_SUSPICIOUS, .signature = xstrdup("yes") };
	version_add_finding(version, &other);
	version_add_finding(version, &none);
	cr_expect_null(line_signature(version));
	version_add_finding(version, &wanted);
	cr_expect_str_eq(line_signature(version), "yes");
}
