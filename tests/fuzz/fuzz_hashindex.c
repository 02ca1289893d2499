/*
 * An index file as somebody may have made it: its sums fit, what they are of need not.
 *
 * The header's sums are put in here, because no fuzzer would find a SHA-256.
 */
#include "core/detect/hashindex.h"
#include "tests/fuzz/fuzz.h"

static void sum_body(struct hashindex_header *header, const void *body, size_t len)
{
	struct digest *digest = digest_new();
	digest_add(digest, body, len);
	digest_end(digest, header->body);
	digest_free(digest);
}

/* HASHINDEX_BODY bytes of header and padding, then what is left of the input. */
static char *make(struct input *in, size_t *out_len)
{
	struct hashindex_header header = { .version = HASHINDEX_VERSION };
	unsigned flags = input_byte(in);
	memcpy(header.magic, HASHINDEX_MAGIC, sizeof header.magic);
	header.texts_len = input_byte(in);
	for (unsigned kind = 0; kind < HASH_KINDS; kind++)
		header.count[kind] = flags & 4 ? input_byte(in) * UINT64_C(0x0101010101010101)
					       : input_byte(in) % 16;
	*out_len = HASHINDEX_BODY + in->left;
	char *file = calloc(1, *out_len);
	must(file);
	if (in->left)
		memcpy(file + HASHINDEX_BODY, in->at, in->left);
	sum_body(&header, file + HASHINDEX_BODY, in->left);
	if (!(flags & 1))
		hashindex_sum(&header, header.self);
	memcpy(file, &header, sizeof header);
	if (flags & 2)
		*out_len = *out_len % 8192;
	return file;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { (const char *)data, size };
	size_t len = 0;
	int fd = -1;
	char *file = make(&in, &len);
	(void)input_file(file, len, &fd);
	free(file);
	struct hashindex *index = NULL;
	int result = hashindex_open(&index, dup(fd));
	must((result == 0) == (index != NULL));
	for (unsigned kind = 0; index && kind < HASH_KINDS; kind++) {
		uint8_t sum[HASH_SIZE_MAX] = { 0 };
		char signature[HASHLINE_SIGNATURE_MAX + 1];
		memcpy(sum, in.at, in.left < sizeof sum ? in.left : sizeof sum);
		for (int turn = 0; turn < 2; turn++) {
			int found = hashindex_find(index, (enum hash_kind)kind, sum, signature);
			must(found <= 1);
			must(found < 1 || memchr(signature, '\0', sizeof signature));
			memset(sum, 0xff * turn, sizeof sum);
		}
	}
	hashindex_free(index);
	return 0;
}
