/* decode: what the kernel writes is read, what it cannot write is refused. */
#include <sys/inotify.h>

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "watcher/decode.h"

static size_t record(char *out, int wd, uint32_t mask, uint32_t len, const char *name)
{
	struct inotify_event head = { .wd = wd, .mask = mask, .cookie = 9, .len = len };
	memcpy(out, &head, sizeof head);
	memset(out + sizeof head, 0, len);
	if (name)
		memcpy(out + sizeof head, name, strlen(name));
	return sizeof head + len;
}

Test(decode, records_of_every_shape)
{
	static const struct {
		int wd;
		uint32_t mask;
		uint32_t len;
		const char *name;
		enum decode_result result;
	} rows[] = {
		{ 1, IN_CLOSE_WRITE, 16, "f", DECODE_CHANGE },
		{ 1, IN_DELETE_SELF, 0, NULL, DECODE_CHANGE },
		{ 1, IN_CREATE, 16, ".hidden", DECODE_CHANGE },
		{ 1, IN_CREATE, 16, "...", DECODE_CHANGE },
		{ -1, IN_Q_OVERFLOW, 0, NULL, DECODE_OVERFLOW },
		{ 1, IN_Q_OVERFLOW | IN_CLOSE_WRITE, 0, NULL, DECODE_OVERFLOW },
		{ -1, IN_CLOSE_WRITE, 16, "f", DECODE_BROKEN },
		{ 0, IN_CLOSE_WRITE, 16, "f", DECODE_BROKEN },
		{ 1, IN_CLOSE_WRITE, 16, "a/b", DECODE_BROKEN },
		{ 1, IN_CLOSE_WRITE, 16, ".", DECODE_BROKEN },
		{ 1, IN_CLOSE_WRITE, 16, "..", DECODE_BROKEN },
		{ 1, IN_CLOSE_WRITE, 16, "", DECODE_BROKEN },
		{ 1, IN_CLOSE_WRITE, 16, "0123456789abcdef", DECODE_BROKEN },
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char bytes[64];
		struct change change = { .wd = 77 };
		size_t size = 0;
		size_t len = record(bytes, rows[i].wd, rows[i].mask, rows[i].len, rows[i].name);
		cr_expect_eq(decode_one(bytes, len, &size, &change), rows[i].result, "row %zu", i);
		if (rows[i].result == DECODE_CHANGE) {
			cr_expect_eq(size, len);
			cr_expect_str_eq(change.name, rows[i].name ? rows[i].name : "");
			cr_expect_eq(change.name_len, strlen(change.name));
			cr_expect_eq(change.mask, rows[i].mask);
			cr_expect_eq(change.cookie, 9);
		} else {
			cr_expect_eq(change.wd, 77, "an overflow fills no record");
		}
	}
}

Test(decode, cut_off_records_are_broken_and_nothing_is_the_end)
{
	char bytes[64];
	size_t size = 0;
	struct change change;
	size_t len = record(bytes, 1, IN_CREATE, 32, "name");
	cr_assert_eq(decode_one(bytes, 0, &size, &change), DECODE_END);
	for (size_t cut = 1; cut < len; cut++)
		cr_assert_eq(decode_one(bytes, cut, &size, &change), DECODE_BROKEN, "%zu", cut);
	cr_assert_eq(decode_one(bytes, len, &size, &change), DECODE_CHANGE);
}

Test(decode, random_bytes_are_never_read_beyond_their_end)
{
	unsigned seed = 1;
	for (int round = 0; round < 20000; round++) {
		size_t len = (size_t)rand_r(&seed) % 80;
		char *bytes = malloc(len + 1); /* the sanitizer watches the end */
		char *exact = realloc(bytes, len ? len : 1);
		for (size_t i = 0; i < len; i++)
			exact[i] = (char)(rand_r(&seed) % 5 ? rand_r(&seed) % 3 : rand_r(&seed));
		struct change change;
		for (size_t at = 0, size = 0; at < len; at += size) {
			enum decode_result result =
				decode_one(exact + at, len - at, &size, &change);
			if (result != DECODE_CHANGE && result != DECODE_OVERFLOW)
				break;
			cr_assert(size >= 16 && size <= len - at);
		}
		free(exact);
	}
}

Test(decode, a_file_that_was_made_and_closed_is_one_record)
{
	static const struct {
		uint32_t first;
		int wd;
		uint32_t mask;
		const char *name;
		bool one;
	} rows[] = {
		{ IN_CREATE, 1, IN_CLOSE_WRITE, "f", true },
		{ IN_CREATE, 2, IN_CLOSE_WRITE, "f", false },
		{ IN_CREATE, 1, IN_CLOSE_WRITE, "g", false },
		{ IN_CREATE, 1, IN_CLOSE_WRITE, "fg", false },
		{ IN_CREATE, 1, IN_ATTRIB, "f", false },
		{ IN_CREATE, 1, IN_DELETE, "f", false },
		{ IN_CREATE | IN_ISDIR, 1, IN_CLOSE_WRITE, "f", false },
		{ IN_MOVED_TO, 1, IN_CLOSE_WRITE, "f", false },
		{ IN_CREATE, -1, IN_Q_OVERFLOW, "f", false },
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char bytes[256];
		char before[256];
		struct change change;
		size_t size;
		size_t len = record(bytes, 7, IN_DELETE, 32, "before");
		size_t at = len;
		len += record(bytes + len, 1, rows[i].first, 16, "f");
		len += record(bytes + len, rows[i].wd, rows[i].mask, 16, rows[i].name);
		len += record(bytes + len, 8, IN_DELETE, 32, "behind");
		memcpy(before, bytes, len);
		size_t left = decode_merge(bytes, len);
		cr_assert_eq(left, rows[i].one ? len - 32 : len, "row %zu", i);
		cr_assert(rows[i].one || memcmp(bytes, before, len) == 0, "row %zu", i);
		cr_assert_eq(decode_one(bytes + at, left - at, &size, &change), DECODE_CHANGE);
		cr_assert(size == 32 && change.kernel_size == (rows[i].one ? 64 : 32));
		cr_assert_eq(change.mask, rows[i].one ? IN_CLOSE_WRITE : rows[i].first, "row %zu",
			     i);
		cr_assert(memcmp(bytes + left - 48, before + len - 48, 48) == 0, "row %zu", i);
		/* merged once more nothing changes but that such a record is none of the kernel's
		 */
		cr_assert_eq(decode_merge(bytes, left), left);
		(void)decode_one(bytes + at, left - at, &size, &change);
		cr_assert_eq(change.kernel_size, 32);
	}
}

Test(decode, what_is_no_record_is_left_as_it_is)
{
	char bytes[128];
	char before[128];
	size_t len = record(bytes, 1, IN_CREATE, 16, "f");
	len += record(bytes + len, 1, IN_CLOSE_WRITE, 16, "f");
	for (size_t cut = 0; cut < len; cut++) {
		memcpy(before, bytes, len);
		cr_assert_eq(decode_merge(before, cut), cut);
		cr_assert_eq(memcmp(before, bytes, cut), 0);
	}
}
