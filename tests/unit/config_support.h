/*
 * config_support: what the tests of core/config share: a directory of their own, files in it, and
 * an environment without the variables that configure.
 */
#ifndef CARVED_TESTS_UNIT_CONFIG_SUPPORT_H
#define CARVED_TESTS_UNIT_CONFIG_SUPPORT_H

#include <sys/stat.h>

#include <criterion/criterion.h>
#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/error.h"
#include "core/config/api.h"
#include "core/config/config.h"
#include "core/config/node.h"

static char support_dir[256];
static char support_file[300];

static inline int support_remove(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static inline void support_setup(void)
{
	static const char *const names[] = {
		"CARVED_CONFIG",       "CARVED_DATA_DIR",
		"CARVED_ROOT",	       "CARVED_ROOTS",
		"CARVED_HISTORY",      "CARVED_WORKERS",
		"CARVED_HASH",	       "CARVED_MAX_FILE_SIZE",
		"CARVED_UNMATCHED",    "CARVED_RESCAN_INTERVAL",
		"CARVED_STOP_GRACE",   "CARVED_REUSE",
		"CARVED_API_ROOT",     "CARVED_API_LOGS",
		"CARVED_RETRIES",      "CARVED_RETRY_PAUSE",
		"BROAPT_DUMP_PATH",    "BROAPT_APP_CPU",
		"BROAPT_SCAN_CPU",     "BROAPT_CPU",
		"BROAPT_APP_INTERVAL", "BROAPT_INTERVAL",
		"BROAPT_MAX_RETRY",    "BROAPT_API_ROOT",
		"BROAPT_API_LOGS",     "STATE_DIRECTORY",
		"CARVED_SERVER",       "SERVER_NAME_HOST",
		"SERVER_NAME_PORT",
	};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		unsetenv(names[i]);
	strcpy(support_dir, "/tmp/carved-config-XXXXXX");
	cr_assert_not_null(mkdtemp(support_dir));
	snprintf(support_file, sizeof support_file, "%s/carved.yml", support_dir);
}

static inline void support_teardown(void)
{
	nftw(support_dir, support_remove, 16, FTW_DEPTH | FTW_PHYS);
}

/* Writes len bytes into a file of the test's directory; returns its path, valid until the next
 * call. */
static inline const char *support_write_bytes(const char *name, const char *bytes, size_t len)
{
	static char path[600];
	snprintf(path, sizeof path, "%s/%s", support_dir, name);
	FILE *file = fopen(path, "w");
	cr_assert_not_null(file);
	cr_assert_eq(fwrite(bytes, 1, len, file), len);
	cr_assert_eq(fclose(file), 0);
	return path;
}

static inline const char *support_write(const char *name, const char *text)
{
	return support_write_bytes(name, text, strlen(text));
}

/* Loads text as carved.yml; NULL and words in err when it is refused. */
static inline struct config *support_load(const char *text, struct error *err)
{
	support_write("carved.yml", text);
	struct config *config = NULL;
	*err = (struct error){ 0 };
	int r = config_load(&config, &(struct config_overrides){ .file = support_file }, err);
	cr_assert((r == 0) == (config != NULL));
	if (r < 0)
		cr_assert_eq(r, -err->code, "returned %d with code %d", r, err->code);
	return config;
}

static inline struct config *support_load_good(const char *text)
{
	struct error err;
	struct config *config = support_load(text, &err);
	cr_assert_not_null(config, "%s\n--- of\n%s", err.text, text);
	return config;
}

struct refusal {
	const char *text;
	const char *place; /* "LINE:COLUMN: " behind the file's name */
	const char *words; /* somewhere in the message */
	const char *hint;  /* the nearest key, NULL: not asked */
};

/* Checks that err names the file, the place, the words and the nearest key. */
static inline void support_check(const struct refusal *refusal, const char *file, int r,
				 const struct error *err)
{
	char start[700];
	snprintf(start, sizeof start, "%s:%s: ", file, refusal->place);
	cr_expect_lt(r, 0, "accepted:\n%s", refusal->text);
	cr_expect_eq(strncmp(err->text, start, strlen(start)), 0, "expected %s..., got %s", start,
		     err->text);
	cr_expect_not_null(strstr(err->text, refusal->words), "expected \"%s\" in: %s",
			   refusal->words, err->text);
	char hint[80];
	snprintf(hint, sizeof hint, "\"%s\"%s", refusal->hint ? refusal->hint : "",
		 refusal->hint ? "" : "");
	if (refusal->hint)
		cr_expect_not_null(strstr(err->text, hint), "expected %s in: %s", hint, err->text);
}

static inline void support_expect_refusals(const struct refusal *refusals, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct error err;
		struct config *config = support_load(refusals[i].text, &err);
		support_check(&refusals[i], support_file, config ? 0 : -1, &err);
		config_unref(config);
	}
}

#define SUPPORT_EXPECT_REFUSALS(table) \
	support_expect_refusals((table), sizeof(table) / sizeof *(table))

#endif
