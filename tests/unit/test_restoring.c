/* restoring: what is in the quarantine becomes restored, and back, and nothing else does. */
#include <errno.h>

#include "core/store/restoring.h"
#include "store_fixture.h"

Test(restoring, goes_to_and_fro_and_refuses_the_rest)
{
	struct world w;
	struct error err = { 0 };
	world_init(&w);
	world_change(&w,
		     "INSERT INTO removal (version_id, action, cause, state, intended_ns, ended_ns,"
		     " place) VALUES (1, 'quarantine', 'rule', 'quarantined', 1, 2, '/q/1'),"
		     " (2, 'delete', 'rule', 'removed', 1, 2, NULL)");
	cr_expect(store_restore(w.db, 1, &err) == 0, "%s", err.text);
	EXPECT_SQL(&w, "SELECT state FROM removal", "restored\nremoved");
	cr_expect(store_restore(w.db, 1, &err) == -ENOENT);
	cr_expect(strstr(err.text, "1 is not in the quarantine"), "%s", err.text);
	cr_expect(store_restore(w.db, 2, &err) == -ENOENT);
	cr_expect(store_restore_undo(w.db, 2, &err) == -ENOENT);
	cr_expect(store_restore_undo(w.db, 1, &err) == 0);
	EXPECT_SQL(&w, "SELECT state FROM removal", "quarantined\nremoved");
	world_done(&w);
}

Test(restoring, a_history_that_is_not_there_is_not_made)
{
	struct error err = { 0 };
	cr_expect(store_restore("/nowhere/x.db", 1, &err) == -ENOENT);
	cr_expect(strstr(err.text, "/nowhere/x.db"), "%s", err.text);
	cr_expect(store_restore_undo("/nowhere/x.db", 1, &err) == -ENOENT);
}
