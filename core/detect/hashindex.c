/*
 * hashindex: see hashindex.h; how it is made stands in hashindex_build.c.
 *
 * Of every BLOCK records the first eight bytes of one are kept in memory (64 KiB for a million), so
 * that a question reads one stretch of the file. Hashes are even enough for that; a list where many
 * begin alike costs some more reads, not wrong answers.
 */
#include "core/detect/hashindex.h"

#include <sys/stat.h>

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/detect/records.h"
#include "core/detect/scratch.h"

#define BLOCK	 128
#define CHUNK	 131072
#define FENCE	 8
#define NS_PER_S INT64_C(1000000000)

struct section {
	int64_t at; /* offset of the first record */
	size_t count;
	size_t width;
	uint8_t *fences; /* owned; the first bytes of every record whose number is a multiple of
			    BLOCK */
	size_t fence_count;
};

struct hashindex {
	int fd;
	struct hashindex_header header;
	struct section sections[HASH_KINDS];
};

void hashindex_sum(const struct hashindex_header *header, uint8_t out[DIGEST_SIZE])
{
	AUTO(digest) struct digest *digest = digest_new();
	digest_add(digest, header, offsetof(struct hashindex_header, self));
	digest_end(digest, out);
}

int hashindex_look(int fd, struct hashindex_source *out)
{
	int64_t now = clock_wall_ns();
	struct stat st;
	if (fstat(fd, &st) < 0)
		return -errno;
	out->device = st.st_dev;
	out->inode = st.st_ino;
	out->size = st.st_size;
	out->mtime_ns = st.st_mtim.tv_sec * NS_PER_S + st.st_mtim.tv_nsec;
	out->ctime_ns = st.st_ctim.tv_sec * NS_PER_S + st.st_ctim.tv_nsec;
	out->looked_ns = now;
	return 0;
}

bool hashindex_same(const struct hashindex_source *then, const struct hashindex_source *now)
{
	return then->device == now->device && then->inode == now->inode &&
	       then->size == now->size && then->mtime_ns == now->mtime_ns &&
	       then->ctime_ns == now->ctime_ns &&
	       /* a write in the same tick as the one before the look would not show */
	       then->looked_ns > then->ctime_ns + 2 * clock_tick_ns();
}

/* The lengths of the sections as the header tells them; false when they are not those of the file.
 */
static bool lay_out(struct hashindex *index, int64_t file_size)
{
	const struct hashindex_header *header = &index->header;
	uint64_t left = (uint64_t)file_size - HASHINDEX_BODY;
	if (header->texts_len == 0 || header->texts_len > left)
		return false;
	left -= header->texts_len;
	int64_t at = HASHINDEX_BODY + (int64_t)header->texts_len;
	for (unsigned kind = 0; kind < HASH_KINDS; kind++) {
		size_t width = record_width((enum hash_kind)kind);
		if (header->count[kind] > left / width)
			return false;
		left -= header->count[kind] * width;
		index->sections[kind] = (struct section){
			.at = at,
			.count = header->count[kind],
			.width = width,
		};
		at += (int64_t)(header->count[kind] * width);
	}
	return left == 0;
}

static int read_header(struct hashindex *index)
{
	struct hashindex_header *header = &index->header;
	struct stat st;
	if (fstat(index->fd, &st) < 0)
		return -errno;
	if (st.st_size < HASHINDEX_BODY)
		return -EBADMSG;
	int result = scratch_read(index->fd, header, sizeof *header, 0);
	if (result < 0)
		return result;
	uint8_t sum[DIGEST_SIZE];
	hashindex_sum(header, sum);
	bool sound = memcmp(header->magic, HASHINDEX_MAGIC, sizeof header->magic) == 0 &&
		     header->version == HASHINDEX_VERSION &&
		     memcmp(header->self, sum, sizeof sum) == 0 && lay_out(index, st.st_size);
	return sound ? 0 : -EBADMSG;
}

static int check_body(const struct hashindex *index)
{
	AUTO(digest) struct digest *digest = digest_new();
	AUTO_FREE char *chunk = xcalloc(1, CHUNK);
	for (int64_t at = HASHINDEX_BODY;;) {
		ssize_t got = pread(index->fd, chunk, CHUNK, at);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (got == 0)
			break;
		digest_add(digest, chunk, (size_t)got);
		at += got;
	}
	uint8_t sum[DIGEST_SIZE];
	digest_end(digest, sum);
	return memcmp(sum, index->header.body, sizeof sum) == 0 ? 0 : -EBADMSG;
}

static int read_fences(const struct hashindex *index, struct section *section)
{
	section->fence_count = (section->count + BLOCK - 1) / BLOCK;
	section->fences = xcalloc(section->fence_count, FENCE);
	for (size_t i = 0; i < section->fence_count; i++) {
		int64_t at = section->at + (int64_t)(i * BLOCK * section->width);
		int result = scratch_read(index->fd, section->fences + i * FENCE, FENCE, at);
		if (result < 0)
			return result;
	}
	return 0;
}

int hashindex_open(struct hashindex **out, int fd)
{
	AUTO(hashindex) struct hashindex *index = xcalloc(1, sizeof *index);
	index->fd = fd;
	int result = read_header(index);
	if (result == 0)
		result = check_body(index);
	for (unsigned kind = 0; kind < HASH_KINDS && result == 0; kind++)
		result = read_fences(index, &index->sections[kind]);
	if (result < 0)
		return result;
	*out = TAKE(index);
	return 0;
}

void hashindex_free(struct hashindex *index)
{
	if (!index)
		return;
	fd_close(index->fd);
	for (unsigned kind = 0; kind < HASH_KINDS; kind++)
		free(index->sections[kind].fences);
	free(index);
}

const struct hashindex_source *hashindex_of(const struct hashindex *index)
{
	return &index->header.source;
}

size_t hashindex_count(const struct hashindex *index, enum hash_kind kind)
{
	return index->sections[kind].count;
}

/* A stretch of records in which the first that is not less than the sum lies, if any has it. */
struct stretch {
	size_t low, high;
};

static struct stretch between_fences(const struct section *section, const uint8_t *sum)
{
	const uint8_t *fences = section->fences;
	size_t low = records_lower(fences, section->fence_count, FENCE, sum, FENCE);
	size_t high = low; /* the first fence beyond the sum */
	while (high < section->fence_count && memcmp(fences + high * FENCE, sum, FENCE) == 0)
		high++;
	high *= BLOCK;
	return (struct stretch){
		.low = low > 0 ? (low - 1) * BLOCK : 0,
		.high = high < section->count ? high : section->count,
	};
}

/* Halves a stretch that is too long to be read. */
static int narrow(const struct hashindex *index, const struct section *section, const uint8_t *sum,
		  struct stretch *stretch)
{
	size_t size = section->width - RECORD_PLACE;
	while (stretch->high - stretch->low > BLOCK) {
		size_t middle = stretch->low + (stretch->high - stretch->low) / 2;
		uint8_t found[HASH_SIZE_MAX];
		int64_t at = section->at + (int64_t)(middle * section->width);
		int result = scratch_read(index->fd, found, size, at);
		if (result < 0)
			return result;
		if (memcmp(found, sum, size) < 0)
			stretch->low = middle + 1;
		else
			stretch->high = middle + 1;
		/* middle itself may be the first one: it stays inside */
	}
	return 0;
}

static int read_signature(const struct hashindex *index, uint64_t place,
			  char signature[HASHLINE_SIGNATURE_MAX + 1])
{
	uint64_t texts_len = index->header.texts_len;
	if (place >= texts_len)
		return -EBADMSG;
	size_t len = HASHLINE_SIGNATURE_MAX + 1;
	if (len > texts_len - place)
		len = (size_t)(texts_len - place);
	int result = scratch_read(index->fd, signature, len, HASHINDEX_BODY + (int64_t)place);
	if (result < 0)
		return result;
	return memchr(signature, '\0', len) ? 1 : -EBADMSG;
}

int hashindex_find(const struct hashindex *index, enum hash_kind kind, const uint8_t *sum,
		   char signature[HASHLINE_SIGNATURE_MAX + 1])
{
	const struct section *section = &index->sections[kind];
	size_t width = section->width;
	size_t size = width - RECORD_PLACE;
	struct stretch stretch = between_fences(section, sum);
	int result = narrow(index, section, sum, &stretch);
	if (result < 0)
		return result;
	uint8_t block[BLOCK * RECORD_WIDTH_MAX];
	size_t count = stretch.high - stretch.low;
	result = scratch_read(index->fd, block, count * width,
			      section->at + (int64_t)(stretch.low * width));
	if (result < 0)
		return result;
	size_t at = records_lower(block, count, width, sum, size);
	if (at == count || memcmp(block + at * width, sum, size) != 0)
		return 0;
	return read_signature(index, record_place(block + at * width, width), signature);
}
