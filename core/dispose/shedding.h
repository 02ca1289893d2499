/*
 * shedding: which of the files that wait for a scan are given up: by the globs of "shed", in their
 * order, and of each the ones that have waited longest. One thread.
 */
#ifndef CARVED_CORE_DISPOSE_SHEDDING_H
#define CARVED_CORE_DISPOSE_SHEDDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/config/config.h"
#include "core/dispose/disk.h"
#include "core/store/kept.h"

struct error;

enum {
	SHED_AT_ONCE = 256
};

struct shedding {
	struct kept_at *at; /* how far each glob has come; owned; NULL: not begun */
	int64_t ids[SHED_AT_ONCE];
	size_t count;
};

/* Where it looks. */
struct shedding_view {
	const struct config *config;
	struct kept_reader *reader;
	const struct disk *disk; /* for which, and how much */
};

/** Fills ids and count with the next ones; count 0: none is left. The rows that it names are not
 * named again before shedding_end(). 0, or -errno with err. */
int shedding_choose(struct shedding *shedding, const struct shedding_view *view, struct error *err);
/** There is room again. Frees. */
void shedding_end(struct shedding *shedding);

#endif
