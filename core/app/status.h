/*
 * status: what the running daemon is doing, as one JSON object.
 */
#ifndef CARVED_CORE_APP_STATUS_H
#define CARVED_CORE_APP_STATUS_H

struct app;
struct str;

void status_json(struct app *app, struct str *out);

#endif
