/*
 * import: BroAPT's list of done files into the history. See maintain.h.
 *
 * The versions are written by the writer's own statements (batch.c), so they are counted and keyed
 * as any other. The caller looks each file up on disk, which may be slow; so paths are gathered and
 * a transaction is open only while they are written.
 */
#include <sys/stat.h>

#include <errno.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/base/list.h"
#include "core/store/batch.h"
#include "core/store/db.h"
#include "core/store/maintain.h"
#include "core/store/save.h"
#include "core/store/store.h"

enum {
	GATHER_MAX = 500
};

struct store_import {
	struct db *db;
	struct save *save;
	struct list gathered; /* of struct store_op, each with a version */
	size_t count;
	struct store_imported total;
};

static void drop_gathered(struct store_import *import)
{
	for (struct list *at; (at = list_shift(&import->gathered));) {
		struct store_op *op = LIST_OF(at, struct store_op, link);
		version_free(op->version);
		free(op);
	}
	import->count = 0;
}

void store_import_free(struct store_import *import)
{
	if (!import)
		return;
	drop_gathered(import);
	save_free(import->save);
	db_free(import->db);
	free(import);
}

/* A history that is missing or empty is made as the daemon would make it. */
static int make_history(const char *path, struct error *err)
{
	struct stat st;
	if (stat(path, &st) == 0 && st.st_size > 0)
		return 0;
	struct store_options options = { .path = path, .create = true };
	struct store *store = NULL;
	int result = store_open(&store, &options, err);
	store_close(store);
	return result;
}

int store_import_begin(struct store_import **out, const char *path, struct error *err)
{
	AUTO(store_import) struct store_import *import = xcalloc(1, sizeof *import);
	list_init(&import->gathered);
	int result = make_history(path, err);
	if (result == 0)
		result = db_open_history(&import->db, path, DB_WRITE, err);
	if (result == 0)
		result = save_new(&import->save, import->db, err);
	if (result < 0)
		return result;
	*out = TAKE(import);
	return 0;
}

static int count_op(struct store_imported *total, const struct store_op *op, struct error *err)
{
	switch (op->result) {
	case STORE_WRITTEN:
		total->fresh++;
		return 0;
	case STORE_KNOWN:
		total->known++;
		return 0;
	case STORE_PENDING: /* of no verb that is imported */
	case STORE_REFUSED:
		break;
	}
	return error_set(err, EINVAL, "the history refused the row of %s", op->version->path);
}

/* A refused row is told; those that were gathered with it are recorded. */
static int write_gathered(struct store_import *import, struct error *err)
{
	int result = batch_write(import->db, import->save, NULL, &import->gathered, err);
	if (result < 0)
		return result;
	LIST_FOREACH(at, &import->gathered) {
		int counted = count_op(&import->total, LIST_OF(at, struct store_op, link), err);
		if (counted < 0)
			result = counted;
	}
	drop_gathered(import);
	return result;
}

static void say_done(struct version *version)
{
	int64_t now = clock_wall_ns();
	if (!version->identity.inode)
		version->identity = (struct identity){ 0 };
	version->state = VERSION_DONE;
	version->verdict = OUTCOME_UNKNOWN;
	version->first_seen_ns = now;
	version->finished_ns = now;
	struct finding finding = {
		.detector = xstrdup("broapt"),
		.outcome = OUTCOME_UNKNOWN,
		.detail = xstrdup("{\"imported\":true}"),
		.attempt = 1,
		.started_ns = now,
		.finished_ns = now,
	};
	memset(finding.digest, '0', sizeof finding.digest - 1);
	version_add_finding(version, &finding);
}

int store_import_add(struct store_import *import, struct version *version, struct error *err)
{
	struct store_op *op = xcalloc(1, sizeof *op);
	say_done(version);
	op->verb = STORE_ADD;
	op->version = version;
	list_append(&import->gathered, &op->link);
	return ++import->count < GATHER_MAX ? 0 : write_gathered(import, err);
}

int store_import_end(struct store_import *import, struct store_imported *out, struct error *err)
{
	int result = write_gathered(import, err);
	if (result == 0)
		*out = import->total;
	store_import_free(import);
	return result;
}
