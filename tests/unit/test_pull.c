/* Taking events while there is room: files come in from many directories made at the same time. */
#include "daemon_harness.h"

Test(pull, nothing_is_lost_in_directories_that_are_made_while_files_are_put_into_them)
{
	struct daemon d;
	daemon_begin(&d, "hash: never\ndetectors: [ { type: noop } ]\n");
	for (unsigned i = 0; i < 400; i++) {
		char path[512], name[128];
		snprintf(path, sizeof path, "%s/%u", d.root, i);
		cr_assert_eq(mkdir(path, 0755), 0);
		snprintf(path, sizeof path, "%s/%u/deeper", d.root, i);
		cr_assert_eq(mkdir(path, 0755), 0);
		snprintf(name, sizeof name, "%u/deeper/HTTP-Fpull%u.text.plain.txt", i, i);
		daemon_put(&d, name, "x");
	}
	daemon_expect(&d, "SELECT count(*) FROM file WHERE state = 'done'", "400");
	daemon_expect(&d, "SELECT count(*) FROM file", "400");
	daemon_finish(&d);
}
