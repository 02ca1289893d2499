/* hashlist: what a list of hashes says of a file. */
#include <criterion/criterion.h>
#include <errno.h>

#include "tests/unit/detect_fixture.h"

static struct fixture fixture;
static char *list;
static struct config_detector row = { .type = (char *)"hashlist", .name = (char *)"hashlist" };

static void setup(void)
{
	fixture_init(&fixture, "sample");
	fixture.request.fd = -1;
	list = fixture_path(&fixture, "list");
	row.file = list;
	fixture_write(list,
		      "# two\n"
		      "0000000000000000000000000000000000000000000000000000000000000001 Evil\n"
		      "0000000000000000000000000000000000000000000000000000000000000002\n");
}

static void teardown(void)
{
	free(list);
	fixture_done(&fixture);
}

TestSuite(hashlist, .init = setup, .fini = teardown);

Test(hashlist, says_malicious_or_clean)
{
	static const char *const signatures[] = { NULL, "Evil", "hashlist", NULL };
	for (uint8_t i = 0; i < 4; i++) {
		uint8_t hash[32] = { [31] = i };
		fixture.request.sha256 = hash;
		struct answer answer = fixture_ask(&fixture, &row, NULL);
		cr_expect_eq(answer.outcome, signatures[i] ? OUTCOME_MALICIOUS : OUTCOME_CLEAN);
		cr_expect(signatures[i] ? strcmp(answer.signature, signatures[i]) == 0
					: !answer.signature);
		cr_expect_null(answer.detail);
		answer_done(&answer);
	}
}

Test(hashlist, without_a_hash_it_is_an_error)
{
	struct answer answer = fixture_ask(&fixture, &row, NULL);
	cr_assert_eq(answer.outcome, OUTCOME_ERROR);
	cr_assert(strstr(answer.detail, "\"error\": \"the content was not hashed"));
	answer_done(&answer);
}

Test(hashlist, a_bad_list_is_refused_with_its_line)
{
	fixture_write(list, "\nxyz\n");
	struct detector *detector = NULL;
	struct error err = { 0 };
	cr_assert_eq(detector_open(&detector, &row, NULL, &err), -EINVAL);
	cr_assert(strstr(err.text, "/list:2: "), "%s", err.text);
	row.file = NULL;
	cr_assert_eq(detector_open(&detector, &row, NULL, &err), -EINVAL);
	cr_assert_null(detector);
}

Test(hashlist, its_key_follows_the_list_alone)
{
	struct detector *detector = NULL;
	uint8_t a[16], b[16], c[16];
	struct entry other = { .scheme = "broapt", .mime = "text/plain" };
	cr_assert_eq(detector_open(&detector, &row, NULL, NULL), 0);
	detector_key(detector, fixture_digest(detector), &fixture.entry,
		     (struct slice){ "x.pdf", 5 }, a);
	detector_key(detector, fixture_digest(detector), &other, (struct slice){ "y.exe", 5 }, b);
	detector_free(detector);
	fixture_write(list, "# now empty\n");
	cr_assert_eq(detector_open(&detector, &row, NULL, NULL), 0);
	detector_key(detector, fixture_digest(detector), &fixture.entry,
		     (struct slice){ "x.pdf", 5 }, c);
	detector_free(detector);
	cr_assert_arr_eq(a, b, 16);
	cr_assert_arr_neq(a, c, 16);
}
