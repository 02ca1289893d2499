/* sorter: see sorter.h. */
#include "core/detect/sorter.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "core/base/error.h"
#include "core/detect/records.h"
#include "core/detect/scratch.h"

#define PIECE_MIN ((size_t)4096)

/* A sorted run in the file, and the piece of it that is in memory while it is merged. */
struct run {
	int64_t at;  /* of what is still to be read */
	size_t left; /* records still to be read */
	uint8_t *piece;
	size_t next;  /* record in the piece */
	size_t count; /* records in the piece */
};

struct sorter {
	struct records records;
	const char *directory;
	int fd; /* -1: no run yet */
	int64_t end;
	struct run *runs;
	size_t run_count;
	size_t piece_records;
	uint8_t *pieces; /* the memory of all runs' pieces */
	size_t *heap;	 /* numbers of runs, the one with the least record first */
	size_t heap_count;
};

struct sorter *sorter_new(size_t width, const char *directory)
{
	struct sorter *sorter = xcalloc(1, sizeof *sorter);
	sorter->records.width = width;
	sorter->directory = directory;
	sorter->fd = -1;
	return sorter;
}

void sorter_free(struct sorter *sorter)
{
	if (!sorter)
		return;
	records_done(&sorter->records);
	if (sorter->fd >= 0)
		fd_close(sorter->fd);
	free(sorter->runs);
	free(sorter->pieces);
	free(sorter->heap);
	free(sorter);
}

static int write_run(struct sorter *sorter, struct error *err)
{
	struct records *records = &sorter->records;
	if (sorter->fd < 0)
		sorter->fd = scratch_unnamed(sorter->directory, err);
	if (sorter->fd < 0)
		return sorter->fd;
	records_sort(records);
	size_t len = records->count * records->width;
	int result = scratch_write(sorter->fd, records->bytes, len, sorter->end);
	if (result < 0)
		return error_set(err, -result, "cannot write what is being sorted: %s",
				 error_text(-result));
	sorter->runs = xrealloc(sorter->runs, sorter->run_count + 1, sizeof *sorter->runs);
	sorter->runs[sorter->run_count++] =
		(struct run){ .at = sorter->end, .left = records->count };
	sorter->end += (int64_t)len;
	records->count = 0;
	return 0;
}

int sorter_add(struct sorter *sorter, const uint8_t *record, struct error *err)
{
	struct records *records = &sorter->records;
	if ((records->count + 1) * records->width > SORTER_MEMORY) {
		int result = write_run(sorter, err);
		if (result < 0)
			return result;
	}
	records_add(records, record);
	return 0;
}

/* Reads the run's next piece, when the one before is used up. */
static int refill(struct sorter *sorter, struct run *run, struct error *err)
{
	if (run->next < run->count || run->left == 0)
		return 0;
	size_t width = sorter->records.width;
	size_t count = run->left < sorter->piece_records ? run->left : sorter->piece_records;
	int result = scratch_read(sorter->fd, run->piece, count * width, run->at);
	if (result < 0)
		return error_set(err, -result, "cannot read what is being sorted: %s",
				 error_text(-result));
	run->at += (int64_t)(count * width);
	run->left -= count;
	run->count = count;
	run->next = 0;
	return 0;
}

static const uint8_t *least(const struct sorter *sorter, size_t place)
{
	const struct run *run = &sorter->runs[sorter->heap[place]];
	return run->piece + run->next * sorter->records.width;
}

/* Lets the run at a place of the heap sink below those with lesser records. */
static void sink(struct sorter *sorter, size_t place)
{
	for (;;) {
		size_t child = 2 * place + 1;
		if (child >= sorter->heap_count)
			return;
		size_t width = sorter->records.width;
		if (child + 1 < sorter->heap_count &&
		    memcmp(least(sorter, child + 1), least(sorter, child), width) < 0)
			child++;
		if (memcmp(least(sorter, place), least(sorter, child), width) <= 0)
			return;
		size_t run = sorter->heap[place];
		sorter->heap[place] = sorter->heap[child];
		sorter->heap[child] = run;
		place = child;
	}
}

static int begin_merge(struct sorter *sorter, struct error *err)
{
	size_t width = sorter->records.width;
	size_t piece = SORTER_MEMORY / sorter->run_count;
	sorter->piece_records = (piece > PIECE_MIN ? piece : PIECE_MIN) / width;
	sorter->pieces = xcalloc(sorter->run_count, sorter->piece_records * width);
	sorter->heap = xcalloc(sorter->run_count, sizeof *sorter->heap);
	for (size_t i = 0; i < sorter->run_count; i++) {
		struct run *run = &sorter->runs[i];
		run->piece = sorter->pieces + i * sorter->piece_records * width;
		int result = refill(sorter, run, err);
		if (result < 0)
			return result;
		sorter->heap[sorter->heap_count++] = i;
	}
	for (size_t i = sorter->heap_count / 2; i > 0; i--)
		sink(sorter, i - 1);
	return 0;
}

/* Passes over the least record; its run leaves the heap when it has no more. */
static int advance(struct sorter *sorter, struct error *err)
{
	struct run *run = &sorter->runs[sorter->heap[0]];
	run->next++;
	int result = refill(sorter, run, err);
	if (result < 0)
		return result;
	if (run->next == run->count)
		sorter->heap[0] = sorter->heap[--sorter->heap_count];
	sink(sorter, 0);
	return 0;
}

int sorter_end(struct sorter *sorter,
	       int (*take)(void *context, const uint8_t *record, struct error *err), void *context,
	       struct error *err)
{
	struct records *records = &sorter->records;
	int result = 0;
	if (sorter->run_count == 0) {
		records_sort(records);
		for (size_t i = 0; i < records->count && result >= 0; i++)
			result = take(context, records->bytes + i * records->width, err);
		return result < 0 ? result : 0;
	}
	if (records->count > 0)
		result = write_run(sorter, err);
	records_done(records);
	if (result == 0)
		result = begin_merge(sorter, err);
	while (result == 0 && sorter->heap_count > 0) {
		result = take(context, least(sorter, 0), err);
		if (result >= 0)
			result = advance(sorter, err);
	}
	return result;
}
