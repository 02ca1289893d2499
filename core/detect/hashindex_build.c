/*
 * hashindex_build: makes the file that hashindex.c reads.
 *
 * The signatures are written as the lines come, the records are sorted aside (sorter.h) and written
 * behind them. The header is written last, so an index that was not finished has none. Nothing is
 * synced: what a power cut spoils fails its checksum and is made anew.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/base/error.h"
#include "core/base/str.h"
#include "core/detect/hashindex.h"
#include "core/detect/hashtext.h"
#include "core/detect/records.h"
#include "core/detect/scratch.h"
#include "core/detect/sorter.h"

struct builder {
	int fd;
	const char *list; /* for messages */
	struct hashindex_header header;
	struct digest *body;
	struct sorter *sorters[HASH_KINDS];
	size_t width; /* of the records that are being written */
	uint64_t last_place;
	char last[HASHLINE_SIGNATURE_MAX + 1]; /* the signature before, at last_place */
	int64_t at;			       /* where the buffer belongs in the file */
	size_t len;
	char buffer[65536];
};

static int flush(struct builder *builder, struct error *err)
{
	int result = scratch_write(builder->fd, builder->buffer, builder->len, builder->at);
	if (result < 0)
		return error_set(err, -result, "%s: cannot write its index: %s", builder->list,
				 error_text(-result));
	digest_add(builder->body, builder->buffer, builder->len);
	builder->at += (int64_t)builder->len;
	builder->len = 0;
	return 0;
}

/* len: less than the buffer's size. */
static int put(struct builder *builder, const void *bytes, size_t len, struct error *err)
{
	if (len > sizeof builder->buffer - builder->len) {
		int result = flush(builder, err);
		if (result < 0)
			return result;
	}
	memcpy(builder->buffer + builder->len, bytes, len);
	builder->len += len;
	return 0;
}

/* The place of a signature; the line before often has the same. */
static int put_signature(struct builder *builder, const char *signature, uint64_t *place,
			 struct error *err)
{
	if (!*signature) {
		*place = 0;
		return 0;
	}
	if (strcmp(signature, builder->last) != 0) {
		size_t size = strlen(signature) + 1;
		int result = put(builder, signature, size, err);
		if (result < 0)
			return result;
		builder->last_place = builder->header.texts_len;
		builder->header.texts_len += size;
		memcpy(builder->last, signature, size);
	}
	*place = builder->last_place;
	return 0;
}

static int take_line(void *builder_, const struct hashline *line, struct error *err)
{
	struct builder *builder = builder_;
	uint64_t place;
	int result = put_signature(builder, line->signature, &place, err);
	if (result < 0)
		return result;
	uint8_t record[RECORD_WIDTH_MAX];
	record_make(record, line->kind, line->sum, place);
	builder->header.count[line->kind]++;
	return sorter_add(builder->sorters[line->kind], record, err);
}

static int put_record(void *builder_, const uint8_t *record, struct error *err)
{
	struct builder *builder = builder_;
	return put(builder, record, builder->width, err);
}

static int write_body(struct builder *builder, struct hashtext *text, struct error *err)
{
	builder->header.texts_len = 1;
	text->take = take_line;
	text->context = builder;
	int result = put(builder, "", 1, err);
	if (result == 0)
		result = hashtext_read(text, err);
	for (unsigned kind = 0; kind < HASH_KINDS && result == 0; kind++) {
		builder->width = record_width((enum hash_kind)kind);
		result = sorter_end(builder->sorters[kind], put_record, builder, err);
		sorter_free(TAKE(builder->sorters[kind]));
	}
	return result < 0 ? result : flush(builder, err);
}

static int write_header(struct builder *builder, const struct hashtext *text, struct error *err)
{
	struct hashindex_header *header = &builder->header;
	memcpy(header->magic, HASHINDEX_MAGIC, sizeof header->magic);
	header->version = HASHINDEX_VERSION;
	memcpy(header->source.sha256, text->sha256, sizeof text->sha256);
	digest_end(builder->body, header->body);
	hashindex_sum(header, header->self);
	int result = scratch_write(builder->fd, header, sizeof *header, 0);
	if (result < 0)
		return error_set(err, -result, "%s: cannot write its index: %s", builder->list,
				 error_text(-result));
	return 0;
}

static int build(struct hashtext *text, const struct hashindex_source *source, int fd,
		 const char *directory, struct error *err)
{
	AUTO(digest) struct digest *body = digest_new();
	AUTO_FREE struct builder *builder = xcalloc(1, sizeof *builder);
	builder->fd = fd;
	builder->list = text->file;
	builder->header.source = *source;
	builder->body = body;
	builder->at = HASHINDEX_BODY;
	for (unsigned kind = 0; kind < HASH_KINDS; kind++)
		builder->sorters[kind] = sorter_new(record_width((enum hash_kind)kind), directory);
	int result = write_body(builder, text, err);
	for (unsigned kind = 0; kind < HASH_KINDS; kind++)
		sorter_free(builder->sorters[kind]);
	return result < 0 ? result : write_header(builder, text, err);
}

int hashindex_build(struct hashindex **out, struct hashtext *text,
		    const struct hashindex_source *source, const char *path, struct error *err)
{
	AUTO_FREE char *directory = xstrdup(path);
	char *slash = directory ? strrchr(directory, '/') : NULL;
	if (slash)
		*slash = '\0';
	/* somebody who may not write there, or comes second, makes one for himself */
	int fd = path ? scratch_begin(path) : -ENOENT;
	int unkept = fd < 0 && path ? -fd : 0;
	if (fd < 0)
		fd = scratch_unnamed(slash ? directory : NULL, err);
	if (fd < 0) {
		(void)error_prefix(err, "%s", text->file);
		return fd;
	}
	int result = build(text, source, fd, slash ? directory : NULL, err);
	if (result < 0) {
		/* a file with a name may be all that fills the disk; the next build replaces it */
		int emptied = ftruncate(fd, 0);
		(void)emptied;
		fd_close(fd);
		return result;
	}
	result = hashindex_open(out, fd);
	if (result < 0)
		return error_set(err, -result, "%s: its index cannot be read back: %s", text->file,
				 error_text(-result));
	/* without a name it serves as well, until it is closed */
	if (path && !unkept)
		unkept = -scratch_name(path);
	return unkept;
}
