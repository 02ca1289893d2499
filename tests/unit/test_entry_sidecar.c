/* core/entry/sidecar.c: what a sensor's sidecar says of its file. */
#include <criterion/criterion.h>
#include <string.h>

#include "core/entry/sidecar.h"

#define SHA256 "abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789"

static const char *words_of(const char *text)
{
	return sidecar_shortened(text, strlen(text));
}

Test(entry_sidecar, says_that_a_file_is_not_whole)
{
	static const char *const texts[] = {
		"{\"event_type\":\"fileinfo\",\"fileinfo\":{\"state\":\"TRUNCATED\",\"size\":5}}\n",
		"{\"state\":\"TRUNCATED\"}",
		"{\"fileinfo\":{\"state\":\"ERROR\"}}",
		"{\"fileinfo\":{\"state\":\"CLOSED\",\"gaps\":true}}",
		"{\"http\":{\"hostname\":\"a\\u0000b\"},\"fileinfo\":{\"state\":\"TRUNCATED\"}}",
		"TIME:              10/02/2018\nSTATE:             TRUNCATED\nSIZE:   5\n",
		"STATE: TRUNCATED",
		"STATE:\tTRUNCATED \r\n",
	};
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		cr_expect_not_null(words_of(texts[i]), "%s", texts[i]);
	cr_expect_str_eq(words_of(texts[0]), "the sensor's sidecar says TRUNCATED");
}

Test(entry_sidecar, what_says_nothing_of_the_kind_is_not_believed)
{
	static const char *const texts[] = {
		"",
		"{",
		"{}",
		"{\"fileinfo\":{\"state\":\"CLOSED\",\"gaps\":false}}",
		"{\"fileinfo\":{\"state\":\"TRUNCATED\"}",
		"{\"fileinfo\":{\"state\":7}}",
		"{\"fileinfo\":[\"TRUNCATED\"],\"http\":{\"state\":\"TRUNCATED\"}}",
		"{\"fileinfo\":{\"state\":\"TRUNCATED\\u0000\"}}",
		"[\"TRUNCATED\"]",
		"HTTP STATE:        TRUNCATED\n",
		"STATE:             CLOSED\n",
		"STATE:",
		"STATE:             TRUNCATEDX\n",
	};
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		cr_expect_null(words_of(texts[i]), "%s", texts[i]);
}

Test(entry_sidecar, its_name_tells_of_which_file)
{
	static const struct {
		const char *path, *subject;
	} rows[] = {
		{ "/r/ab/" SHA256 ".1525123869.1.json", "/r/ab/" SHA256 },
		{ "ab/" SHA256 ".1.2.json", "ab/" SHA256 },
		{ "/r/file.4711.1.meta", "/r/file.4711.1" },
		{ "/r/x.json", "" },
		{ ".meta", "" },
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		cr_expect_eq(sidecar_subject(rows[i].path, strlen(rows[i].path)),
			     strlen(rows[i].subject), "%s", rows[i].path);
}
