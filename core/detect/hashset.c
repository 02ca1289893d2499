/* hashset: see hashset.h. */
#include "core/detect/hashset.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "core/base/error.h"
#include "core/base/str.h"
#include "core/detect/hashindex.h"
#include "core/detect/hashtext.h"
#include "core/detect/records.h"
#include "core/detect/scratch.h"

/* An MD5 sum and a line end: no shorter list has so many lines. */
#define LONG_BYTES ((int64_t)HASHSET_LINES_MAX * 33)

struct hashset {
	struct hashindex *index; /* NULL: it is in memory */
	int unkept;		 /* errno of why the index has no name */
	struct records records[HASH_KINDS];
	struct str texts;    /* signatures, each with its NUL; the first is "" */
	uint64_t last_place; /* of the signature that was added last */
};

static int take_line(void *set_, const struct hashline *line, struct error *err)
{
	struct hashset *set = set_;
	(void)err;
	uint64_t place = 0;
	if (*line->signature) {
		/* the line before often has the same */
		if (strcmp(set->texts.data + set->last_place, line->signature) != 0) {
			set->last_place = set->texts.len;
			str_append(&set->texts, line->signature, strlen(line->signature) + 1);
		}
		place = set->last_place;
	}
	uint8_t record[RECORD_WIDTH_MAX];
	record_make(record, line->kind, line->sum, place);
	records_add(&set->records[line->kind], record);
	return 0;
}

static struct hashset *set_new(void)
{
	struct hashset *set = xcalloc(1, sizeof *set);
	str_append(&set->texts, "", 1);
	for (unsigned kind = 0; kind < HASH_KINDS; kind++)
		set->records[kind].width = record_width((enum hash_kind)kind);
	return set;
}

void hashset_free(struct hashset *set)
{
	if (!set)
		return;
	hashindex_free(set->index);
	for (unsigned kind = 0; kind < HASH_KINDS; kind++)
		records_done(&set->records[kind]);
	str_done(&set->texts);
	free(set);
}

static int load_memory(struct hashset *set, struct hashtext *text, struct error *err)
{
	text->take = take_line;
	text->context = set;
	text->limit = HASHSET_BYTES_MAX;
	int result = hashtext_read(text, err);
	if (result < 0)
		return result;
	for (unsigned kind = 0; kind < HASH_KINDS; kind++)
		records_sort(&set->records[kind]);
	return 0;
}

/* The index that is kept, NULL when there is none that can be believed. */
static struct hashindex *kept_index(const char *path)
{
	int fd = path ? scratch_open(path) : -ENOENT;
	struct hashindex *index = NULL;
	if (fd < 0 || hashindex_open(&index, fd) < 0)
		return NULL;
	return index;
}

static bool same_text(const uint8_t a[DIGEST_SIZE], const uint8_t b[DIGEST_SIZE])
{
	return memcmp(a, b, DIGEST_SIZE) == 0;
}

/* The text is read once to know it and to count its lines; then it is already known, or is taken
 * apart. */
static int load_long(struct hashset *set, struct hashtext *text, const char *path,
		     struct error *err)
{
	struct hashindex_source source = { 0 };
	int result = hashindex_look(text->fd, &source);
	if (result < 0)
		return error_set(err, -result, "%s: %s", text->file, error_text(-result));
	AUTO(hashindex) struct hashindex *kept = kept_index(path);
	if (kept && hashindex_same(hashindex_of(kept), &source)) {
		memcpy(text->sha256, hashindex_of(kept)->sha256, DIGEST_SIZE);
		set->index = TAKE(kept);
		return 0;
	}
	result = hashtext_read(text, err);
	if (result < 0)
		return result;
	if (kept && same_text(hashindex_of(kept)->sha256, text->sha256)) {
		set->index = TAKE(kept);
		return 0;
	}
	uint8_t first[DIGEST_SIZE];
	memcpy(first, text->sha256, sizeof first);
	if (text->lines < HASHSET_LINES_MAX && source.size <= HASHSET_BYTES_MAX)
		result = load_memory(set, text, err);
	else
		result = hashindex_build(&set->index, text, &source, path, err);
	if (result > 0)
		set->unkept = result;
	if (result >= 0 && !same_text(first, text->sha256))
		return hashtext_changed(text->file, err);
	return result;
}

int hashset_load(struct hashset **out, const char *file, const char *index, char digest[DIGEST_HEX],
		 struct error *err)
{
	AUTO_CLOSE int fd = hashtext_open(file, err);
	if (fd < 0)
		return fd;
	struct hashtext text = { .file = file, .fd = fd };
	AUTO(hashset) struct hashset *set = set_new();
	struct hashindex_source source = { 0 };
	(void)hashindex_look(fd, &source); /* a failure shows when it is read */
	int result = source.size < LONG_BYTES ? load_memory(set, &text, err)
					      : load_long(set, &text, index, err);
	if (result < 0)
		return result;
	AUTO_STR hex = STR_INIT;
	str_hex(&hex, text.sha256, sizeof text.sha256);
	(void)snprintf(digest, DIGEST_HEX, "%s", str_text(&hex));
	*out = TAKE(set);
	return 0;
}

int hashset_unkept(const struct hashset *set)
{
	return set->unkept;
}

size_t hashset_count(const struct hashset *set, enum hash_kind kind)
{
	return set->index ? hashindex_count(set->index, kind) : set->records[kind].count;
}

int hashset_find(const struct hashset *set, enum hash_kind kind, const uint8_t *sum,
		 char signature[HASHLINE_SIGNATURE_MAX + 1])
{
	if (set->index)
		return hashindex_find(set->index, kind, sum, signature);
	const struct records *records = &set->records[kind];
	size_t size = records->width - RECORD_PLACE;
	size_t at = records_lower(records->bytes, records->count, records->width, sum, size);
	const uint8_t *record = records->bytes + at * records->width;
	if (at == records->count || memcmp(record, sum, size) != 0)
		return 0;
	(void)snprintf(signature, HASHLINE_SIGNATURE_MAX + 1, "%s",
		       set->texts.data + record_place(record, records->width));
	return 1;
}
