/*
 * check_report: what the pieces of "carved check" share: lines for a person, and the counts that
 * decide the exit code. One thread.
 */
#ifndef CARVED_CORE_CLI_CHECK_REPORT_H
#define CARVED_CORE_CLI_CHECK_REPORT_H

#include <stdbool.h>
#include <stddef.h>

struct api;
struct config;
struct config_detector;
struct str;

struct check {
	const struct config *config;
	unsigned warnings;  /* "carved run" works, but not as well as it could */
	unsigned failures;  /* these keep "carved run" from working */
	size_t directories; /* below all roots, filled by check_roots() */
};

/** One line on stdout: "ok", "warn" or "fail" and the words, escaped for people. */
void check_ok(const char *format, ...) __attribute__((format(printf, 1, 2)));
void check_warn(struct check *check, const char *format, ...) __attribute__((format(printf, 2, 3)));
void check_fail(struct check *check, const char *format, ...) __attribute__((format(printf, 2, 3)));

/** Whether a file can be made where path is; else appends which directory is why, and what to mend.
 */
bool check_makeable(const char *path, struct str *why);
/** What to mend where access(2) says that a directory may not be written to; static. */
const char *check_writing(int code);
/** The number that a file of /proc begins with; false when it cannot be read. */
bool check_read_number(const char *file, unsigned long long *out);
/** The name of a file system that tells nothing of what other machines do to it ("nfs"); NULL: it
 * is none of those, or path cannot be asked. */
const char *check_remote_filesystem(const char *path);

/* One file each. */
void check_roots(struct check *check);
void check_limits(struct check *check);
void check_isolation(struct check *check);
void check_history(struct check *check);
void check_sinks(struct check *check);
void check_dispose(struct check *check);
void check_detectors(struct check *check);
void check_api(struct check *check, const struct config_detector *row);

/** Shows and runs the install steps of every api.yml; the exit code. */
int check_install(const struct config *config);

#endif
