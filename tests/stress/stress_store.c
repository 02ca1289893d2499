/*
 * stress_store: four threads submit, one fetches, three read, all at once; then everything must be
 * there once. Plain main(), so that it runs under the thread sanitizer (Criterion does not).
 */
#include <assert.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/error.h"
#include "core/store/query.h"
#include "core/store/reader.h"
#include "core/store/store.h"

enum {
	WRITERS = 4,
	READERS = 3,
	FILES = 5000, /* of each writer; each is queued first, then done; a quarter of them shared
		       */
	SHARED = FILES / 4,
	OPS = WRITERS * FILES * 2,
};

static char db[128];
static struct store *store;
static atomic_bool over;
static atomic_long looked;

static void die(const struct error *err)
{
	fprintf(stderr, "stress_store: %s\n", err->text);
	exit(1);
}

static struct version *make(unsigned writer, unsigned i, bool done)
{
	char path[64];
	unsigned owner = i < SHARED ? WRITERS : writer; /* shared ones are everybody's */
	snprintf(path, sizeof path, "/r/d%u/f%u", owner, i);
	struct version *v = version_new(path, strlen(path));
	v->identity = (struct identity){ .fsid = 1, .inode = owner * FILES + i + 1, .size = i };
	v->first_seen_ns = 1764000000000000000 + i;
	if (done) {
		struct finding finding = { .detector = xstrdup("noop"), .outcome = OUTCOME_CLEAN };
		v->state = VERSION_DONE;
		v->verdict = OUTCOME_CLEAN;
		v->finished_ns = v->first_seen_ns + 1;
		version_add_finding(v, &finding);
	}
	return v;
}

static void submit(struct version *version)
{
	struct store_op *op = xcalloc(1, sizeof *op);
	*op = (struct store_op){ .verb = STORE_SAVE, .version = version };
	list_init(&op->link);
	store_submit(store, op);
}

static void *write_files(void *context)
{
	unsigned writer = *(unsigned *)context;
	for (unsigned i = 0; i < FILES; i++) {
		submit(make(writer, i, false));
		submit(make(writer, i, true));
	}
	return NULL;
}

static void look_once(struct store_reader *reader, unsigned i)
{
	struct error err = { 0 };
	struct known known = { 0 };
	struct store_totals totals;
	struct version *v = make(i % WRITERS, i % FILES, false);
	if (store_find(reader, &v->identity, v->path, v->path_len, v->dir_len, &known, &err) < 0)
		die(&err);
	assert(known.as == KNOWN_NOT || known.as == KNOWN_SAME);
	known_done(&known);
	version_free(v);
	if (i % 64 == 0) {
		if (store_totals(reader, &totals, &err) < 0)
			die(&err);
		assert(totals.rows == totals.queued + totals.done && totals.rows <= OPS);
	}
	atomic_fetch_add(&looked, 1);
}

static void *read_files(void *context)
{
	struct error err = { 0 };
	struct store_reader *reader = NULL;
	(void)context;
	if (store_reader_open(&reader, db, &err) < 0)
		die(&err);
	for (unsigned i = 0; !atomic_load(&over); i++)
		look_once(reader, i * 7919);
	store_reader_free(reader);
	return NULL;
}

static void fetch_all(void)
{
	struct list out;
	list_init(&out);
	for (unsigned got = 0; got < OPS;) {
		struct pollfd ready = { .fd = store_fd(store), .events = POLLIN };
		if (poll(&ready, 1, 60000) != 1) {
			fprintf(stderr, "stress_store: the writer is stuck at %u\n", got);
			exit(1);
		}
		store_committed(store, &out);
		for (struct list *at; (at = list_shift(&out)); got++) {
			struct store_op *op = LIST_OF(at, struct store_op, link);
			assert(op->version->id > 0);
			version_free(op->version);
			free(op);
		}
	}
}

static bool check_row(void *context, const struct query_row *row)
{
	static const int64_t wanted[] = { WRITERS * (FILES - SHARED) + SHARED, 0, 0 };
	if (!row->values)
		return true;
	for (size_t i = 0; i < row->columns; i++) {
		if (row->values[i].integer != wanted[i]) {
			fprintf(stderr, "stress_store: column %zu is %lld\n", i,
				(long long)row->values[i].integer);
			*(int *)context = 1;
		}
	}
	return true;
}

static int check(void)
{
	int wrong = 0;
	struct error err = { 0 };
	static const char sql[] =
		"SELECT count(*), sum(state <> 'done'), count(*) - (SELECT count(*) FROM scan) FROM file";
	if (store_query(db, sql, NULL, 0, check_row, &wrong, &err) < 0)
		die(&err);
	return wrong;
}

int main(void)
{
	char dir[] = "/tmp/carved-stress-XXXXXX";
	struct error err = { 0 };
	pthread_t writers[WRITERS];
	pthread_t readers[READERS];
	unsigned numbers[WRITERS];
	if (!mkdtemp(dir))
		return 1;
	snprintf(db, sizeof db, "%s/history.db", dir);
	struct store_options options = { .path = db, .create = true };
	if (store_open(&store, &options, &err) < 0)
		die(&err);
	for (int i = 0; i < READERS; i++)
		pthread_create(&readers[i], NULL, read_files, NULL);
	for (unsigned i = 0; i < WRITERS; i++) {
		numbers[i] = i;
		pthread_create(&writers[i], NULL, write_files, &numbers[i]);
	}
	fetch_all();
	for (int i = 0; i < WRITERS; i++)
		pthread_join(writers[i], NULL);
	atomic_store(&over, true);
	for (int i = 0; i < READERS; i++)
		pthread_join(readers[i], NULL);
	assert(store_depth(store) == 0);
	store_close(store);
	int wrong = check();
	char command[160];
	snprintf(command, sizeof command, "rm -rf %s", dir);
	if (system(command) != 0)
		return 1;
	printf("stress_store: %d operations, %ld look-ups: %s\n", OPS, atomic_load(&looked),
	       wrong ? "wrong" : "right");
	return wrong;
}
