/* ecs: fields of the Elastic Common Schema. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/str.h"
#include "core/sink/ecs.h"
#include "core/store/event_reader.h"
#include "core/store/version.h"

static struct version *version;
static struct store_event event;
static struct str out;

static void setup(void)
{
	version = version_new("/r/HTTP-F1\xff", 11);
	version->dir_len = 2;
	version->id = 7;
	version->state = VERSION_DONE;
	version->verdict = OUTCOME_CLEAN;
	version->first_seen_ns = INT64_C(1764000000000000001);
	version->finished_ns = INT64_C(1764000000100000000);
	event = (struct store_event){ .seq = 3, .version = version, .was = OUTCOMES };
}

static void teardown(void)
{
	version_free(version);
	str_done(&out);
}

TestSuite(ecs, .init = setup, .fini = teardown);

static const char *text(void)
{
	str_reset(&out);
	ecs_event(&out, &event);
	return str_text(&out);
}

#define EXPECT_HAS(words) cr_expect(strstr(text(), words), "%s\nis not in\n%s", words, text())
#define EXPECT_NOT(words) cr_expect(!strstr(text(), words), "%s\nis in\n%s", words, text())

Test(ecs, a_clean_file_is_an_event_with_all_that_is_known)
{
	version->identity.inode = UINT64_MAX;
	version->identity.size = 3;
	version->identity.mtime_ns = -1;
	version->has_sha256 = true;
	version->real_mime = xstrdup("text/plain");
	version->entry.scheme = "zeek";
	version->entry.field[ENTRY_PROTOCOL] = (struct slice){ version->path + 3, 4 };
	version->entry.field[ENTRY_FUID] = (struct slice){ version->path + 8, 3 };
	cr_expect_str_eq(
		text(),
		"{\"@timestamp\":\"2025-11-24T16:00:00.100000000Z\",\"ecs\":{\"version\":\"8.11.0\"},"
		"\"event\":{\"kind\":\"event\",\"category\":[\"file\"],\"type\":[\"info\"],"
		"\"module\":\"carved\",\"dataset\":\"carved.file\",\"sequence\":3,"
		"\"action\":\"file-scanned\",\"outcome\":\"success\","
		"\"start\":\"2025-11-24T16:00:00.000000001Z\",\"end\":\"2025-11-24T16:00:00.100000000Z\"},"
		"\"file\":{\"type\":\"file\",\"path\":\"/r/HTTP-F1\\udcff\",\"directory\":\"/r\","
		"\"name\":\"HTTP-F1\\udcff\",\"inode\":\"18446744073709551615\",\"size\":3,"
		"\"mtime\":\"1969-12-31T23:59:59.999999999Z\",\"mime_type\":\"text/plain\","
		"\"hash\":{\"sha256\":\"0000000000000000000000000000000000000000000000000000000000000000\"}},"
		"\"network\":{\"protocol\":\"http\"},"
		"\"carved\":{\"id\":7,\"state\":\"done\",\"verdict\":\"clean\",\"incomplete\":false,"
		"\"scheme\":\"zeek\",\"fuid\":\"F1\\udcff\",\"findings\":[]}}");
}

Test(ecs, what_was_found_is_an_alert_with_its_rule)
{
	version->verdict = OUTCOME_MALICIOUS;
	struct finding finding = { .detector = xstrdup("yara"),
				   .outcome = OUTCOME_MALICIOUS,
				   .signature = xstrdup("EICAR") };
	version_add_finding(version, &finding);
	EXPECT_HAS("\"kind\":\"alert\",\"category\":[\"malware\"]");
	EXPECT_HAS("\"outcome\":\"success\"");
	EXPECT_HAS(",\"rule\":{\"name\":\"EICAR\"}");
	EXPECT_HAS("\"findings\":[{\"detector\":\"yara\"");
}

Test(ecs, what_could_not_be_scanned_is_no_success)
{
	version->state = VERSION_UNSCANNED;
	version->verdict = OUTCOMES;
	version->reason = REASON_FAILED;
	EXPECT_HAS("\"outcome\":\"failure\",\"reason\":\"failed\"");
	EXPECT_NOT("\"verdict\"");
	version->note = xstrdup("clamd is away");
	EXPECT_HAS("\"outcome\":\"failure\",\"reason\":\"clamd is away\"");
	version->reason = REASON_UNMATCHED;
	EXPECT_HAS("\"outcome\":\"unknown\"");
	version->state = VERSION_DONE;
	version->reason = REASON_NONE;
	version->verdict = OUTCOME_ERROR;
	EXPECT_HAS("\"outcome\":\"unknown\"");
}

Test(ecs, other_kinds_are_told_apart)
{
	event.kind = EVENT_RESCAN;
	event.was = OUTCOME_CLEAN;
	EXPECT_HAS("\"action\":\"file-rescanned\"");
	EXPECT_HAS("\"was\":\"clean\"");
	event.kind = EVENT_INCOMPLETE;
	version->incomplete = true;
	EXPECT_HAS("\"action\":\"file-incomplete\"");
	EXPECT_HAS("\"incomplete\":true");
	EXPECT_NOT("\"was\"");
}

Test(ecs, addresses_and_times_that_no_calendar_has)
{
	version->entry.field[ENTRY_ORIG_H] = (struct slice){ "10.0.0.1", 8 };
	version->entry.field[ENTRY_RESP_H] = (struct slice){ "::1", 3 };
	EXPECT_HAS(",\"source\":{\"address\":\"10.0.0.1\"},\"destination\":{\"address\":\"::1\"}");
	version->finished_ns = INT64_MIN;
	EXPECT_HAS("\"@timestamp\":\"1677-09-21T00:12:43.145224192Z\"");
}
