/*
 * alert: hands what a sink gathered to a command or to a web server, as "alert" says.
 *
 * The command reads it on its standard input, one JSON object a line, and has how many it is told
 * and how many wait behind them in CARVED_TOLD and CARVED_WAITING; the server gets a JSON array,
 * and the numbers in headers of the same names. Nothing of a scanned file is in the command's
 * arguments or environment. carved-launch starts it, with limits but no sandbox (it is the
 * operator's, and may have to write and to call), and nothing of it outlives the call. What a
 * server's files say is read anew for each call, so that a new token or certificate needs no
 * reload. alert_take() is the sink thread's, the rest the loop's.
 */
#ifndef CARVED_CORE_APP_ALERT_H
#define CARVED_CORE_APP_ALERT_H

#include <stdint.h>

#include "core/base/mem.h"

struct alert;
struct config;
struct error;
struct sink_portion;

/** config, whose alert is set, is counted. 0, or -errno with words. */
int alert_new(struct alert **out, struct config *config, struct error *err);
/** Nobody is in alert_take(). NULL is fine. */
void alert_free(struct alert *alert);
AUTO_DEFINE(alert);

/** The program, or "https://HOST": the URL without what may be secret in it. Borrowed. */
const char *alert_target(const struct alert *alert);
/** For a sink: context is the alert. -ECANCELED: the end came first. */
int alert_take(void *context, const struct sink_portion *portion, struct error *err);
/** The call that is under way, and all further ones, are given up after so many milliseconds. The
 * first word counts. */
void alert_end(struct alert *alert, int64_t grace_ms);

#endif
