/*
 * sidecar: a sensor's notes beside its files, read for one thing: whether the file is whole.
 *
 * A sidecar is a job like any other until its name is known; then it goes to a worker, which reads
 * it, and ends without a row of its own. Whatever walk or event meets it, it is read again (some
 * 25 us): no row tells whether its sidecar was read, so nothing is remembered for a crash to lose.
 */
#ifndef CARVED_CORE_APP_SIDECAR_H
#define CARVED_CORE_APP_SIDECAR_H

struct app;
struct job;
struct store_op;
struct version;

/** Gives the job of a sidecar, which is with the loop and has no row, to a worker. The loop. */
void sidecar_dispatch(struct app *app, struct job *job);
/** The worker is back (JOB_SIDECAR); the job is gone afterwards. The loop. */
void sidecar_came(struct app *app, struct job *job);
/** version goes to the history: as incomplete, when a sidecar has said so. A worker or the loop. */
void sidecar_tell(struct app *app, struct version *version);
/** version came back from the history, by op: if a sidecar spoke after it had left, the row is told
 * now. The loop. */
void sidecar_committed(struct app *app, struct version *version, const struct store_op *op);
/** A mark (STORE_MARK) came back from the history. The loop. */
void sidecar_marked(struct app *app, const struct store_op *op);

#endif
