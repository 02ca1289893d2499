/* clamd_pool: sessions are kept for the next question, and one that is away is left alone. */
#include <criterion/criterion.h>
#include <errno.h>

#include "core/detect/clamd_peer.h"
#include "core/detect/clamd_pool.h"
#include "core/detect/clamd_session.h"
#include "tests/unit/clamd_fixture.h"

TestSuite(clamd_pool, .timeout = 240);

Test(clamd_pool, sessions_are_kept_and_no_more_than_that)
{
	static const struct said script[] = { SAID("1: ClamAV 9/1/x\0"), SILENCE, END };
	struct scripted peer;
	scripted_init(&peer, script);
	struct clamd_peer place = { .path = peer.socket };
	struct clamd_pool *pool = clamd_pool_new(&place, 1);
	char version[CLAMD_VERSION_SIZE];
	struct error err = { 0 };
	cr_assert(clamd_pool_version(pool, version, &err), "%s", err.text);
	cr_expect_str_eq(version, "ClamAV 9/1/x");
	cr_assert(clamd_pool_version(pool, version, &err), "what is fresh is not asked for again");
	struct clamd_session *first = NULL, *second = NULL;
	bool used = false;
	cr_assert_eq(clamd_pool_take(pool, false, &first, &used, &err), 0);
	cr_expect(used);
	cr_assert_eq(clamd_pool_take(pool, false, &second, &used, &err), 0);
	cr_expect_not(used);
	clamd_pool_give(pool, first);
	clamd_pool_give(pool, second);
	cr_assert_eq(clamd_pool_take(pool, false, &second, &used, &err), 0);
	cr_expect(used);
	cr_expect_eq(second, first);
	clamd_pool_give(pool, second);
	cr_assert_eq(clamd_pool_take(pool, true, &second, &used, &err), 0);
	cr_expect_not(used);
	clamd_session_free(second);
	clamd_pool_free(pool);
	scripted_done(&peer);
}

Test(clamd_pool, one_that_is_away_is_tried_again_after_a_pause_only)
{
	static const struct said script[] = { CLOSE, SAID("1: 220 ESMTP\0"), SAID("1: ClamAV 9\0"),
					      END };
	struct scripted peer;
	scripted_init(&peer, script);
	struct clamd_peer place = { .path = peer.socket };
	struct clamd_pool *pool = clamd_pool_new(&place, 1);
	char version[CLAMD_VERSION_SIZE];
	struct error why = { 0 };
	int64_t since_ns = 0, later_ns = 0;
	cr_expect_not(clamd_pool_away(pool, &why, &since_ns));
	cr_expect_not(clamd_pool_version(pool, version, &why));
	cr_expect(clamd_pool_away(pool, &why, &since_ns));
	cr_expect(strstr(why.text, "closed the connection"), "%s", why.text);
	cr_expect_gt(since_ns, 0);
	unsigned quiet = 0; /* answers for which nobody was asked */
	bool babbled = false;
	for (unsigned before = 1; !clamd_pool_version(pool, version, &why);) {
		unsigned now = atomic_load(&peer.connections);
		quiet += now == before;
		before = now;
		babbled =
			babbled || strstr(why.text, "no clamd; asked for its version it says: 220");
		(void)poll(NULL, 0, 5);
	}
	cr_expect_gt(quiet, 0);
	cr_expect(babbled);
	cr_expect_str_eq(version, "ClamAV 9");
	cr_expect_eq(atomic_load(&peer.connections), 3);
	cr_expect_not(clamd_pool_away(pool, &why, &later_ns));
	clamd_pool_free(pool);
	scripted_done(&peer);
}

Test(clamd_pool, a_session_that_was_closed_meanwhile_is_replaced)
{
	static const struct said script[] = { SAID("1: ClamAV 9/1/x\0"), CLOSE,
					      SAID("1: ClamAV 9/2/x\0"), END };
	struct scripted peer;
	scripted_init(&peer, script);
	struct clamd_peer place = { .path = peer.socket };
	struct clamd_pool *pool = clamd_pool_new(&place, 1);
	char version[CLAMD_VERSION_SIZE];
	struct error err = { 0 };
	cr_assert(clamd_pool_version(pool, version, &err));
	clamd_pool_doubt(pool);
	cr_assert(clamd_pool_version(pool, version, &err), "%s", err.text);
	cr_expect_str_eq(version, "ClamAV 9/2/x");
	cr_expect_eq(atomic_load(&peer.connections), 2);
	clamd_pool_free(pool);
	scripted_done(&peer);
}

Test(clamd_pool, failing_to_connect_is_being_away)
{
	struct clamd_peer place = { .path = (char *)"/nonexistent/clamd.ctl" };
	struct clamd_pool *pool = clamd_pool_new(&place, 1);
	struct clamd_session *session = NULL;
	struct error err = { 0 };
	int64_t since_ns = 0;
	bool used = false;
	cr_expect_eq(clamd_pool_take(pool, false, &session, &used, &err), -ENOENT);
	cr_expect_null(session);
	cr_expect(clamd_pool_away(pool, &err, &since_ns));
	clamd_pool_free(pool);
	clamd_pool_free(NULL);
}
