/*
 * rules: the digests that the detectors go by now, and what has to be looked at again when one has
 * changed ("rescan: auto"). The loop's.
 */
#ifndef CARVED_CORE_APP_RULES_H
#define CARVED_CORE_APP_RULES_H

struct app;
struct rules;
struct store_op;
struct version;

/** Notes the digests of the engine in force in the history, and asks for rescans where the
 * configuration says so: at the start, and after a reload. */
void rules_note(struct app *app);
/** A version was answered: a detector whose rules may change under way (clamd gets new signatures)
 * may have told other ones. */
void rules_heard(struct app *app, const struct version *version);
/** An operation of rules_note() was committed. */
void rules_committed(struct app *app, struct store_op *op);
/** After store_close(). NULL is fine. */
void rules_free(struct rules *rules);

#endif
