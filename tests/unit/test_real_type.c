#include <criterion/criterion.h>

#include "core/app/real_type.h"
#include "core/store/version.h"
#include "detect_fixture.h"

static struct detector *magic, *noop;
static struct version *version;
static const struct config config = { .max_file_size = 100 };
static char *pictures[] = { (char *)"image/*", NULL };
static const struct config_detector rows[] = {
	{ .type = (char *)"magic", .name = (char *)"magic" },
	{ .type = (char *)"noop",
	  .name = (char *)"noop",
	  .mime = pictures,
	  .match = CONFIG_MATCH_REAL },
};

static void setup(void)
{
	struct error err = { 0 };
	cr_assert_eq(detector_open(&magic, &rows[0], &config, &err), 0, "%s", err.text);
	cr_assert_eq(detector_open(&noop, &rows[1], &config, &err), 0);
	version = version_new("/r/a", 4);
	strcpy(version->entry.mime, "text/plain");
}

static void teardown(void)
{
	version_free(version);
	detector_free(magic);
	detector_free(noop);
}

TestSuite(real_type, .init = setup, .fini = teardown);

Test(real_type, is_what_a_detector_of_types_said_and_nobody_else)
{
	real_type_note(version, noop, "{\"real_mime\": \"image/png\"}");
	cr_assert_null(version->real_mime);
	real_type_note(version, magic, "{\"error\": \"x\"}");
	real_type_note(version, magic, NULL);
	cr_assert_null(version->real_mime);
	real_type_note(version, magic, "{\"real_mime\": \"image/png\"}");
	cr_assert_str_eq(version->real_mime, "image/png");
	real_type_note(version, magic, "{\"real_mime\": \"image/gif\"}");
	cr_assert_str_eq(version->real_mime, "image/gif");
}

Test(real_type, routes_once_it_is_known)
{
	cr_assert(real_type_wanted(noop, version), "as long as it is not, nobody is left out");
	version->real_mime = xstrdup("text/plain");
	cr_assert_not(real_type_wanted(noop, version));
	free(version->real_mime);
	version->real_mime = xstrdup("image/png");
	cr_assert(real_type_wanted(noop, version));
	cr_assert(real_type_wanted(magic, version));
}
