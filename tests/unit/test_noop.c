/* noop: always clean, and it costs nothing. */
#include <criterion/criterion.h>
#include <malloc.h>

#include "tests/unit/detect_fixture.h"

Test(noop, is_always_clean)
{
	struct fixture fixture;
	fixture_init(&fixture, "sample");
	fixture.request.fd = -1;
	const struct config_detector row = { .type = (char *)"noop", .name = (char *)"noop" };
	struct answer answer = fixture_ask(&fixture, &row, NULL);
	cr_assert_eq(answer.outcome, OUTCOME_CLEAN);
	cr_assert_null(answer.signature);
	cr_assert_null(answer.detail);
	fixture_done(&fixture);
}

Test(noop, allocates_nothing_per_file)
{
	const struct config_detector row = { .type = (char *)"noop", .name = (char *)"noop" };
	struct detector *detector = NULL;
	cr_assert_eq(detector_open(&detector, &row, NULL, NULL), 0);
	struct entry entry = { 0 };
	struct scan_request request = { .path = "/x", .entry = &entry, .fd = -1, .cancel_fd = -1 };
	uint8_t key[16];
	struct mallinfo2 before = mallinfo2();
	for (int i = 0; i < 1000; i++) {
		struct answer answer = { 0 };
		detector_scan(detector, &request, &answer);
		detector_key(detector, fixture_digest(detector), &entry, (struct slice){ "x", 1 },
			     key);
	}
	struct mallinfo2 after = mallinfo2();
	cr_assert_eq(before.uordblks, after.uordblks);
	detector_free(detector);
}
