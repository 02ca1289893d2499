/* What goes to the history and is announced only after its commit. On the real daemon. */
#include "core/base/identity.h"
#include "core/store/maintain.h"
#include "daemon_harness.h"

Test(record, imported_paths_are_not_scanned_again)
{
	struct daemon d;
	daemon_init(&d, "detectors: [ { type: noop } ]\n");
	d.once = true;
	daemon_start(&d); /* makes the history */
	cr_assert_eq(daemon_wait_exit(&d), 0);
	char path[512];
	snprintf(path, sizeof path, "%s/HTTP-Fold.text.plain.txt", d.root);
	struct store_import *import = NULL;
	struct store_imported imported;
	struct error err = { 0 };
	cr_assert_eq(store_import_begin(&import, d.history, &err), 0, "%s", err.text);
	struct version *version = version_new(path, strlen(path));
	cr_assert_eq(store_import_add(import, version, &err), 0, "%s", err.text);
	cr_assert_eq(store_import_end(import, &imported, &err), 0);
	daemon_put(&d, "HTTP-Fold.text.plain.txt", "x");
	daemon_put(&d, "HTTP-Fnew.text.plain.txt", "y");
	daemon_start(&d);
	cr_assert_eq(daemon_wait_exit(&d), 0);
	daemon_expect(&d,
		      "SELECT group_concat(detector) FROM (SELECT detector FROM scan ORDER BY 1)",
		      "broapt,noop");
	daemon_expect(&d, "SELECT inode > 0 FROM file WHERE fuid = 'Fold' OR path LIKE '%Fold%'",
		      "1");
	daemon_done(&d);
}

Test(record, a_directory_in_disguise_is_no_file)
{
	struct daemon d;
	daemon_init(&d, "detectors: [ { type: noop } ]\n");
	d.once = true;
	char path[512];
	snprintf(path, sizeof path, "%s/HTTP-Fdir.text.plain.txt", d.root);
	cr_assert_eq(mkdir(path, 0755), 0);
	daemon_put(&d, "HTTP-Fdir.text.plain.txt/HTTP-Fin.text.plain.txt", "x");
	daemon_start(&d);
	cr_assert_eq(daemon_wait_exit(&d), 0);
	daemon_expect(&d, "SELECT group_concat(name) FROM file", "HTTP-Fin.text.plain.txt");
	daemon_done(&d);
}
