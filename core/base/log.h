/*
 * log: one line on stderr with the journal's <N> priority prefix (sd-daemon(3)) when stderr is not
 * a terminal. Only core/app, core/cli and core/main.c may log above debug; every other room returns
 * its failures. Lines are "message key=value ..."; control characters and invalid bytes of the
 * whole line are escaped here, so that no name can forge a line or drive a terminal. Any thread:
 * one write(2) a line. errno is kept.
 */
#ifndef CARVED_CORE_BASE_LOG_H
#define CARVED_CORE_BASE_LOG_H

#include <stddef.h>

enum log_level {
	LOG_LEVEL_ERROR = 3,
	LOG_LEVEL_WARNING = 4,
	LOG_LEVEL_NOTICE = 5,
	LOG_LEVEL_INFO = 6,
	LOG_LEVEL_DEBUG = 7,
};

/** Lines above this level are dropped; the default is info. Call before threads start. */
void log_set_level(enum log_level level);
/** From now on a reader of stderr that stands still, or is slow, is waited for so long altogether
 * (and a tenth of the time after that); then lines are lost, and counted in the next one that is
 * taken. Without this a line waits for ever. Call before threads start. */
void log_set_patience(int ms);
/** Lines that are made already. */
void log_put(const char *data, size_t len);
void log_line(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Named like the functions that they stand for. NOLINTBEGIN(readability-identifier-naming) */
#define log_error(...)	 log_line(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warning(...) log_line(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_notice(...)	 log_line(LOG_LEVEL_NOTICE, __VA_ARGS__)
#define log_info(...)	 log_line(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...)	 log_line(LOG_LEVEL_DEBUG, __VA_ARGS__)
/* NOLINTEND(readability-identifier-naming) */

#endif
