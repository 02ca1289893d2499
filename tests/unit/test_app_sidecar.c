/* core/app/sidecar.c in the real daemon: before, after, and more than it reads. */
#include "core/entry/sidecar.h"
#include "daemon_harness.h"

#define NOOP "detectors:\n  - { type: noop }\n"
#define CUT  "{\"fileinfo\":{\"state\":\"TRUNCATED\"}}"
#define MARKED                                                                             \
	"SELECT group_concat(verdict || ' ' || incomplete, ', ') FROM (SELECT * FROM file" \
	" ORDER BY name)"

/* The SHA-256 of "x". */
static const char x_name[] = "2d/2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881";
static const char x_side[] =
	"2d/2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881.1525123869.1.json";

static void begin(struct daemon *d)
{
	char path[512];
	daemon_begin(d, NOOP);
	daemon_path(d, "2d", path);
	cr_assert_eq(mkdir(path, 0755), 0);
}

Test(app_sidecar, one_that_comes_after_its_file_marks_the_row)
{
	struct daemon d;
	begin(&d);
	daemon_put(&d, x_name, "x");
	daemon_expect(&d, MARKED, "clean 0");
	daemon_put(&d, x_side, CUT);
	daemon_expect(&d, MARKED, "clean 1");
	daemon_finish(&d);
}

Test(app_sidecar, one_that_comes_before_its_file_is_remembered)
{
	struct daemon d;
	begin(&d);
	daemon_put(&d, x_side, CUT);
	daemon_put(&d, x_name, "x");
	daemon_expect(&d, MARKED, "clean 1");
	daemon_finish(&d);
}

Test(app_sidecar, one_that_is_too_large_to_be_read_hides_nothing)
{
	struct daemon d;
	begin(&d);
	AUTO_FREE char *text = xcalloc(1, SIDECAR_MAX + 2);
	strcpy(text, CUT);
	memset(text + strlen(text), ' ', (SIDECAR_MAX + 2) - 1 - strlen(text));
	daemon_put(&d, x_name, "x");
	daemon_put(&d, x_side, text);
	daemon_expect(&d, MARKED, "clean 1");
	daemon_finish(&d);
}
