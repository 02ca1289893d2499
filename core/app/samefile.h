/*
 * samefile: jobs at several names of one file: hard links, and renames that happen while the file
 * is dealt with. The loop's.
 */
#ifndef CARVED_CORE_APP_SAMEFILE_H
#define CARVED_CORE_APP_SAMEFILE_H

#include <stdbool.h>

struct app;
struct identity;
struct job;

/** True when another job of the same file goes first; job is parked behind it then. When that one's
 * name leads to the file no more, job takes over its row and its place instead, and false is
 * returned: job is to be decided. */
bool samefile_wait(struct app *app, struct job *job, const struct identity *identity);

/** job's name is gone, renamed while a worker had the file or was about to: a job parked behind it
 * at the file's new name goes on with its row. True: that has happened, or will as soon as the row
 * is known; job may be gone. */
bool samefile_hand_over(struct app *app, struct job *job);

/** True when job's name, which is gone, was one that a file had on its way from one place to
 * another: nobody recorded it, or its row is there already and the file, which was to be looked at
 * once more, is at another place that is known (and looked at there). */
bool samefile_was_passing(struct app *app, const struct job *job);

/** job's file, which has more than one link, got another content, told at one of its names: those
 * names that the history knows are looked at. */
void samefile_tell_others(struct app *app, const struct job *job);

#endif
