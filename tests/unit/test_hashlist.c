/* hashlist: what a list of hashes says of a file. */
#include <criterion/criterion.h>
#include <errno.h>
#include <openssl/evp.h>

#include "core/detect/digest.h"
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

#define SHA1_2 "0000000000000000000000000000000000000002"
#define MD5_3  "00000000000000000000000000000003"

/* Asks a list of this text about a file with the sums SHA-256 1, SHA-1 2, MD5 3. */
static struct answer ask(const char *text, enum config_known known)
{
	static const uint8_t sha256[32] = { [31] = 1 }, sha1[20] = { [19] = 2 },
			     md5[16] = { [15] = 3 };
	fixture_write(list, text);
	row.known = known;
	fixture.request.sha256 = sha256;
	fixture.request.sha1 = sha1;
	fixture.request.md5 = md5;
	return fixture_ask(&fixture, &row, NULL);
}

Test(hashlist, knows_bad_files_by_every_kind_of_hash)
{
	static const struct {
		const char *text;
		const char *signature;
	} cases[] = { { SHA1_2 " two", "two" },
		      { "# x\n" MD5_3 " three", "three" },
		      { MD5_3 "\n" SHA1_2 " two", "two" },
		      { "00000000000000000000000000000002\n", NULL } };

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct answer answer = ask(cases[i].text, CONFIG_KNOWN_BAD);
		cr_expect_eq(answer.outcome,
			     cases[i].signature ? OUTCOME_MALICIOUS : OUTCOME_CLEAN);
		cr_expect(!cases[i].signature || strcmp(answer.signature, cases[i].signature) == 0);
		answer_done(&answer);
	}
}

Test(hashlist, of_good_files_says_clean_with_the_reason_or_has_no_report)
{
	struct answer answer = ask(MD5_3 " a\\\"b\xff.exe", CONFIG_KNOWN_GOOD);
	cr_expect_eq(answer.outcome, OUTCOME_CLEAN);
	cr_expect_null(answer.signature);
	cr_expect_str_eq(answer.detail,
			 "{\"known\": \"good\", \"list\": \"hashlist\", \"hash\": \"MD5\", "
			 "\"name\": \"a\\\\\\\"b\\udcff.exe\"}");
	answer_done(&answer);
	answer = ask(SHA1_2, CONFIG_KNOWN_GOOD);
	cr_expect(strstr(answer.detail, "\"name\": null"), "%s", answer.detail);
	answer_done(&answer);
	answer = ask("", CONFIG_KNOWN_GOOD);
	cr_expect_eq(answer.outcome, OUTCOME_UNKNOWN);
	cr_expect_str_eq(answer.detail, "{\"known\": null}");
	answer_done(&answer);
}

Test(hashlist, a_hash_that_is_missing_is_an_error)
{
	static const uint8_t sha256[32] = { 9 };
	fixture.request.sha256 = sha256;
	fixture_write(list, MD5_3);
	struct answer answer = fixture_ask(&fixture, &row, NULL);
	cr_expect_eq(answer.outcome, OUTCOME_ERROR);
	cr_expect(strstr(answer.detail, "its MD5 cannot be looked up"), "%s", answer.detail);
	answer_done(&answer);
}

static struct detector *open_list(const char *text, enum config_known known)
{
	struct detector *detector = NULL;
	struct error err = { 0 };
	fixture_write(list, text);
	row.known = known;
	cr_assert_eq(detector_open(&detector, &row, NULL, &err), 0, "%s", err.text);
	return detector;
}

Test(hashlist, needs_the_hashes_that_are_in_it)
{
	static const struct {
		const char *text;
		unsigned needs;
	} cases[] = { { "", 0 },
		      { SHA1_2, DETECT_NEEDS_SHA1 },
		      { MD5_3 "\n" SHA1_2, DETECT_NEEDS_SHA1 | DETECT_NEEDS_MD5 } };

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		AUTO(detector)
		struct detector *detector = open_list(cases[i].text, CONFIG_KNOWN_BAD);
		cr_expect_eq(detector_needs(detector), cases[i].needs | DETECT_NEEDS_SHA256);
	}
}

Test(hashlist, good_and_bad_lists_of_one_text_have_different_digests)
{
	AUTO(detector) struct detector *bad = open_list(MD5_3, CONFIG_KNOWN_BAD);
	AUTO(detector) struct detector *good = open_list(MD5_3, CONFIG_KNOWN_GOOD);
	AUTO_FREE char *digest = xstrdup(fixture_digest(bad));
	cr_assert_str_neq(digest, fixture_digest(good));
}

Test(hashlist, says_what_may_disappoint)
{
	static const struct {
		const char *text;
		enum config_known known;
		bool skips;
		const char *words; /* NULL: nothing is said */
	} cases[] = {
		{ "# none", CONFIG_KNOWN_BAD, false, "no hashes: every file is clean to it\n" },
		{ "", CONFIG_KNOWN_GOOD, false, "no hashes: it knows no file\n" },
		{ MD5_3, CONFIG_KNOWN_BAD, false, NULL },
		{ MD5_3, CONFIG_KNOWN_GOOD, false, NULL },
		{ MD5_3, CONFIG_KNOWN_GOOD, true, "SHA-1 and MD5 sums of good files" },
	};

	char *skips[] = { (char *)"*", NULL };
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		AUTO_STR words = STR_INIT;
		row.skips = cases[i].skips ? skips : NULL;
		AUTO(detector) struct detector *detector = open_list(cases[i].text, cases[i].known);
		detector_doubts(detector, &words);
		cr_expect(cases[i].words ? strstr(str_text(&words), cases[i].words) != NULL
					 : words.len == 0,
			  "%s", str_text(&words));
	}
}

/* Without a FIPS provider loaded, "fips=yes" leaves libcrypto with no hash but those fetched. */
Test(hashlist, names_the_hash_that_libcrypto_does_not_have)
{
	digest_free(digest_new());
	cr_assert(EVP_set_default_properties(NULL, "fips=yes"));
	fixture_write(list, MD5_3);
	struct detector *detector = NULL;
	struct error err = { 0 };
	cr_assert_eq(detector_open(&detector, &row, NULL, &err), -ENOTSUP);
	cr_assert(strstr(err.text, "/list: it has MD5 sums"), "%s", err.text);
}

Test(hashlist, keeps_a_long_lists_index_beside_the_history)
{
	AUTO_STR text = STR_INIT;
	for (unsigned i = 0; i < 110000; i++)
		str_printf(&text, "%032x n\n", i);
	fixture_write(list, str_text(&text));
	AUTO_FREE char *history = fixture_path(&fixture, "history.db");
	const struct config config = { .history = history };
	static const uint8_t md5[16] = { [15] = 3 };
	fixture.request.sha256 = (const uint8_t[32]){ 0 };
	fixture.request.md5 = md5;
	for (int i = 0; i < 2; i++) {
		struct answer answer = fixture_ask(&fixture, &row, &config);
		cr_assert_eq(answer.outcome, OUTCOME_MALICIOUS);
		answer_done(&answer);
		cr_assert(fixture_has(&fixture, "history.db.hashlist.hashlist"));
	}
	/* where it cannot be kept that is said, and the list serves all the same */
	const struct config elsewhere = { .history = (char *)"/proc/none/history.db" };
	struct detector *detector = NULL;
	AUTO_STR words = STR_INIT;
	cr_assert_eq(detector_open(&detector, &row, &elsewhere, NULL), 0);
	detector_doubts(detector, &words);
	cr_assert_str_eq(str_text(&words), "its index cannot be kept beside the history (No such "
					   "file or directory): it is made anew each time\n");
	detector_free(detector);
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
