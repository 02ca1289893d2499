/* Lines of hash lists, one by one and as a text, and what an index that is made of it finds. */
#include "core/base/error.h"
#include "core/detect/hashindex.h"
#include "core/detect/hashline.h"
#include "core/detect/hashtext.h"
#include "tests/fuzz/fuzz.h"

#define KEPT 8

struct kept {
	size_t count;
	struct hashline line[KEPT];
};

static int take(void *context, const struct hashline *line, struct error *err)
{
	struct kept *kept = context;
	(void)err;
	must(line->kind < HASH_KINDS && line->signature);
	must(strlen(line->signature) <= HASHLINE_SIGNATURE_MAX);
	if (kept && kept->count < KEPT)
		kept->line[kept->count++] = *line;
	return 0;
}

static void build(int fd)
{
	struct hashindex_source source;
	struct hashindex *index = NULL;
	struct error err = { 0 };
	struct hashtext text = { .file = "list", .fd = fd };
	must(hashindex_look(fd, &source) == 0);
	int result = hashindex_build(&index, &text, &source, NULL, &err);
	must(result >= 0 || has_words(err.text));
	if (result < 0)
		return;
	/* everything that a reading meets is in it */
	struct kept kept = { 0 };
	struct hashtext again = { .file = "list", .fd = fd, .take = take, .context = &kept };
	must(hashtext_read(&again, &err) == 0);
	for (size_t i = 0; i < kept.count; i++) {
		char signature[HASHLINE_SIGNATURE_MAX + 1];
		must(hashindex_find(index, kept.line[i].kind, kept.line[i].sum, signature) == 1);
	}
	hashindex_free(index);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int fd = -1;
	struct error err = { 0 };
	char line[HASHLINE_MAX + 1];
	struct hashline_headings headings = { 0 };
	struct hashline out;
	size_t len = size < HASHLINE_MAX ? size : HASHLINE_MAX;
	memcpy(line, data, len);
	line[len] = '\0';
	int result = hashline_parse(line, len, &headings, &out, &err);
	must(result >= 0 || has_words(err.text));
	if (result > 0)
		(void)take(NULL, &out, &err);
	(void)input_file(data, size, &fd);
	build(fd);
	return 0;
}
